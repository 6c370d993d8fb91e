//! Recipes by which tests are started: whether a patch changes how, or only adds something beside it.

use std::collections::{BTreeMap, BTreeSet};

use super::{restore, source::Language};

/// Returns what a command names that may be a path of the repository, also inside of what a shell is given.
#[must_use]
pub fn named_in(argv: &[String]) -> Vec<String> {
    let words = argv.iter().flat_map(|word| word.split([' ', '\t', '\n', ';', '&', '|', '\'', '"', '(', ')', '=']));
    let plain =
        words.map(|word| word.trim_start_matches("./")).filter(|word| !word.is_empty() && !word.starts_with('-'));
    plain.map(str::to_owned).collect()
}

/// Returns what a command names that says how tests are started: the programs that it starts, scripts of a shell, and what an
/// option names as a configuration. Manifests, lists of what is installed and sources that an interpreter is given are the
/// product's.
#[must_use]
pub fn started_by(argv: &[String]) -> BTreeSet<String> {
    let mut found: BTreeSet<String> =
        named_in(argv).into_iter().filter(|path| is_script(path) || path.ends_with(".mk")).collect();
    found.extend(argv.first().cloned());
    let mut configured = false;
    for word in argv {
        // What a shell is given has commands of its own.
        if word.contains([' ', ';', '&', '|', '\n']) {
            found.extend(word.split([';', '&', '|', '\n', '(', ')']).filter_map(program));
        }
        for part in word.split([' ', '\t', '\n', ';', '&', '|', '\'', '"']).filter(|part| !part.is_empty()) {
            let (option, value) = part.split_once('=').map_or((part, None), |(option, value)| (option, Some(value)));
            let is_option = matches!(option, "-c" | "--config" | "--config-file" | "--configuration" | "--makefile");
            found.extend(value.filter(|_| is_option).or_else(|| configured.then_some(part)).map(str::to_owned));
            configured = is_option && value.is_none();
        }
    }
    let plain = found.iter().map(|path| path.trim_start_matches("./")).filter(|path| !path.is_empty());
    let started =
        plain.filter(|path| !restore::is_manifest(path) && !path.ends_with(".txt") && !path.ends_with(".lock"));
    started.map(str::to_owned).collect()
}

/// Returns the program of a plain command, behind the variables that it sets.
fn program(command: &str) -> Option<String> {
    command
        .split_whitespace()
        .map(|word| word.trim_matches(['\'', '"']))
        .find(|word| !word.contains('='))
        .map(str::to_owned)
}

/// Tells whether a name is that of a script of a shell: by its ending, or because it has none and is no list such as `Gemfile`.
fn is_script(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    match name.rsplit_once('.') {
        Some((_, end)) => Language::of_path(path).is_none() && matches!(end, "sh" | "bash" | "zsh" | "bats"),
        None => !name.ends_with("file"),
    }
}

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
    fn only_what_starts_tests_is_a_recipe_and_not_each_file_that_a_command_names() {
        let started = |argv: &[&str], path: &str| {
            started_by(&argv.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>()).contains(path)
        };
        for (argv, path) in [
            (&["./run.py"][..], "run.py"),
            (&["bash", "scripts/test.sh"], "scripts/test.sh"),
            (&["sh", "-c", "CI=1 ./tools/check.py && true"], "tools/check.py"),
            (&["sh", "scripts/check"], "scripts/check"),
            (&["jest", "--config=ci/jest.json"], "ci/jest.json"),
            (&["pytest", "-c", "ci.ini"], "ci.ini"),
        ] {
            assert!(started(argv, path), "{path}");
        }
        for (argv, path) in [
            (&["pip", "install", "-r", "requirements.txt"][..], "requirements.txt"),
            (&["pip", "install", "-c", "constraints.txt"], "constraints.txt"),
            (&["cargo", "test", "--manifest-path", "Cargo.toml"], "Cargo.toml"),
            (&["pytest", "-c", "pyproject.toml"], "pyproject.toml"),
            (&["node", "src/cli.js", "--selftest"], "src/cli.js"),
            (&["sh", "-c", "npm ci && node src/cli.js"], "src/cli.js"),
            (&["bundle", "--gemfile=Gemfile"], "Gemfile"),
        ] {
            assert!(!started(argv, path), "{path}");
        }
    }

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
