//! Recipes by which tests are started: whether a patch changes how, or only adds something beside it.

use std::collections::{BTreeMap, BTreeSet};

use super::restore;

/// Tells whether a recipe starts tests in another way than before. `named` is what the commands of the gate name. One that
/// only adds targets to those that it had starts them as before, as far as nothing that is added has the name of a command.
#[must_use]
pub fn starts_otherwise(path: &str, before: Option<String>, after: Option<String>, named: &BTreeSet<String>) -> bool {
    if !restore::is_recipe(path) {
        return false;
    }
    let (Some(before), Some(after)) = (before, after) else { return true };
    let name = path.rsplit('/').next().unwrap_or(path);
    // Only where targets stand one below the other, each with its lines indented, can it be told without a reader of its own.
    let by_targets = name.ends_with(".mk") || ["akefile", "ustfile"].iter().any(|end| name.ends_with(end));
    if !by_targets || name.starts_with(['R', 'r']) {
        return before.trim_end() != after.trim_end();
    }
    let (Some(old), Some(new)) = (targets(&before), targets(&after)) else { return before != after };
    let same = old.iter().all(|(target, text)| new.get(target) == Some(text));
    // What stands outside of targets counts for all of them, and a default target is the first one.
    let harmless = |target: &String| {
        let words: Vec<_> = target.split_whitespace().collect();
        words.iter().all(|word| !named.contains(*word) && !word.contains('%') && !word.starts_with('.'))
    };
    let added_later = first(&before) == first(&after);
    !(same && added_later && new.keys().filter(|target| !old.contains_key(*target)).all(harmless))
}

fn first(text: &str) -> Option<&str> {
    text.lines().find_map(|line| target_of(line)).filter(|name| !name.is_empty())
}

/// Returns the names in front of the colon of a line that begins a target.
fn target_of(line: &str) -> Option<&str> {
    let is_plain = !line.starts_with([' ', '\t', '#', '@', '[', '-']) && !line.starts_with(".PHONY");
    let (names, rest) = line.split_once(':').filter(|_| is_plain)?;
    (!rest.starts_with('=') && !names.contains(['=', '$', '"', '\''])).then_some(names.trim())
}

/// Takes a recipe apart: the text of each target, and under no name what stands outside of them. `None` where a target
/// stands twice: then nobody can tell which counts.
fn targets(text: &str) -> Option<BTreeMap<String, String>> {
    let mut all: BTreeMap<String, String> = BTreeMap::new();
    let mut current = String::new();
    for line in text.lines().map(str::trim_end) {
        if line.is_empty() || line.starts_with('#') || line.starts_with(".PHONY:") {
            continue;
        }
        if let Some(target) = target_of(line) {
            target.clone_into(&mut current);
            if all.contains_key(target) {
                return None;
            }
        } else if !line.starts_with([' ', '\t']) {
            current.clear();
        }
        let lines = all.entry(current.clone()).or_default();
        lines.push_str(line);
        lines.push('\n');
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_target_changes_nothing_and_another_recipe_of_a_known_one_does() {
        let base = "PYTHON = python3\n\ntest:\n\t$(PYTHON) -m unittest\n\nbuild: src\n\t$(PYTHON) build.py\n";
        let named = BTreeSet::from(["make".to_owned(), "test".to_owned(), "check".to_owned()]);
        let other =
            |path: &str, after: &str| starts_otherwise(path, Some(base.to_owned()), Some(after.to_owned()), &named);
        for (after, expected) in [
            (base.to_owned(), false),
            (format!("{base}\n# More.\n.PHONY: lint\nlint:\n\truff check\n"), false),
            (base.replace("test:\n", "test: prep\n"), true),
            (base.replace("python3\n", "true\n"), true),
            (base.replace("\t$(PYTHON) -m", "\t-$(PYTHON) -m"), true),
            (format!("{base}\ntest: prep\n"), true),
            (format!("{base}\ncheck:\n\ttrue\n"), true),
            (format!("{base}\ninclude prep.mk\n"), true),
            (format!("{base}\n%.py:\n\ttrue\n"), true),
            (format!("all:\n\ttrue\n{base}"), true),
        ] {
            assert_eq!(other("Makefile", &after), expected, "{after}");
        }
        assert!(other("noxfile.py", &format!("{base}x = 1\n")) && !other("src/a.py", ""));
        assert!(starts_otherwise("Makefile", Some(base.to_owned()), None, &named));
    }
}
