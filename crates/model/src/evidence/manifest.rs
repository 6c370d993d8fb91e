//! Manifests that hold the product's settings and those of its tests: what is of the tests is put back as the base had it,
//! and the rest stays.

use serde_json::Value;

/// Settings of runners at the top of `package.json`.
const PACKAGE_KEYS: [&str; 9] = ["jest", "mocha", "ava", "vitest", "nyc", "c8", "tap", "jasmine", "playwright"];

/// Returns a manifest with what it says about tests as in `base`, and everything else as in `result`. `None` for a file of
/// another kind, and where nothing about tests is another.
#[must_use]
pub fn with_tests_of(path: &str, base: &str, result: &str) -> Option<String> {
    with(path, base, result, Part::Tests)
}

/// Does the same with what says how sources are built for the tests, too: that is the product's as well.
#[must_use]
pub fn with_settings_of(path: &str, base: &str, result: &str) -> Option<String> {
    with(path, base, result, Part::Settings)
}

/// Returns what a manifest says about how tests are run and built, without its scripts: one line for each setting of a
/// package, and whole sections of other manifests. `None` for a file of another kind.
#[must_use]
pub fn settings_of_tests(path: &str, text: &str) -> Option<String> {
    let name = path.rsplit('/').next().unwrap_or(path);
    if name != "package.json" {
        let is_known = matches!(name, "pyproject.toml" | "setup.cfg" | "Cargo.toml");
        return is_known.then(|| {
            let own = read(text).into_iter().filter(|section| is_of(name, section.name, Part::Settings));
            own.map(|section| section.text).collect()
        });
    }
    let manifest: Value = serde_json::from_str(text.trim_start_matches('\u{feff}')).ok()?;
    let mut said = String::new();
    for (key, value) in PACKAGE_KEYS.iter().chain(&BUILD_KEYS).filter_map(|key| Some((key, manifest.get(key)?))) {
        match value.as_object() {
            Some(all) => all.iter().for_each(|(setting, value)| said.push_str(&format!("{key}.{setting}: {value}\n"))),
            None => said.push_str(&format!("{key}: {value}\n")),
        }
    }
    Some(said)
}

/// Settings at the top of `package.json` by which sources are built for the product and for its tests.
const BUILD_KEYS: [&str; 1] = ["babel"];

/// What of a manifest is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// What is of the tests alone.
    Tests,
    /// Also how sources are built for them.
    Settings,
}

/// Tells whether a section of a manifest belongs to a part of it.
fn is_of(manifest: &str, section: &str, part: Part) -> bool {
    match manifest {
        "pyproject.toml" => ["tool.pytest", "tool.coverage", "tool.tox", "tool.nox", "project.entry-points.pytest11"]
            .iter()
            .any(|own| section == *own || section.strip_prefix(own).is_some_and(|rest| rest.starts_with('.'))),
        "setup.cfg" => {
            matches!(section, "tool:pytest" | "aliases" | "nosetests" | "unittest" | "behave")
                || section.starts_with("coverage:")
        }
        "Cargo.toml" => {
            matches!(section, "[test" | "profile.test") || part == Part::Settings && section == "profile.dev"
        }
        _ => false,
    }
}

fn with(path: &str, base: &str, result: &str, part: Part) -> Option<String> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let text = match name {
        "package.json" => package(base, result, part)?,
        "pyproject.toml" | "setup.cfg" => sections(base, result, |section| is_of(name, section, part)),
        "Cargo.toml" => {
            let text = sections(base, result, |section| is_of(name, section, part));
            let kept = text.split_inclusive('\n').filter(|line| !is_switch(line) || base.contains(line.trim()));
            kept.collect()
        }
        _ => return None,
    };
    (text != result).then_some(text)
}

/// Tells whether a line of Cargo's manifest takes tests out of what is built.
fn is_switch(line: &str) -> bool {
    let line: String = line.split_whitespace().collect();
    matches!(line.as_str(), "test=false" | "doctest=false" | "harness=false" | "autotests=false")
}

/// Puts the settings of runners and the scripts that start tests back.
fn package(base: &str, result: &str, part: Part) -> Option<String> {
    let base: Value = serde_json::from_str(base.trim_start_matches('\u{feff}')).ok()?;
    let mut manifest: Value = serde_json::from_str(result.trim_start_matches('\u{feff}')).ok()?;
    let was = manifest.clone();
    let all = manifest.as_object_mut()?;
    let of_build: &[&str] = if part == Part::Settings { &BUILD_KEYS } else { &[] };
    for key in PACKAGE_KEYS.iter().chain(of_build) {
        put(all, key, base.get(key));
    }
    let old = base.get("scripts").and_then(Value::as_object);
    if let Some(scripts) = all.get_mut("scripts").and_then(Value::as_object_mut) {
        let names: Vec<String> = scripts.keys().chain(old.into_iter().flat_map(|old| old.keys())).cloned().collect();
        for name in names.iter().filter(|name| is_script_of_tests(name)) {
            let was = old.and_then(|old| old.get(name));
            // A script that is new takes nothing away, unless one that was there runs it by itself.
            if runs_with_tests(name, |name| old.is_some_and(|old| old.contains_key(name))) {
                put(scripts, name, was);
            }
        }
    }
    if manifest == was { Some(result.to_owned()) } else { serde_json::to_string_pretty(&manifest).ok() }
}

/// Tells whether a script of a package runs tests, or runs beside one that does.
fn is_script_of_tests(name: &str) -> bool {
    let name = runs_beside(name).unwrap_or(name);
    name == "test" || name.starts_with("test:") || name.starts_with("test-")
}

/// Tells whether a script runs with tests that were there: one of those, or one that package managers run beside one.
#[must_use]
pub fn runs_with_tests(name: &str, existed: impl Fn(&str) -> bool) -> bool {
    is_script_of_tests(name) && (existed(name) || runs_beside(name).is_some_and(existed))
}

/// Returns the script before or behind which package managers run this one by themselves.
fn runs_beside(name: &str) -> Option<&str> {
    name.strip_prefix("pre").or_else(|| name.strip_prefix("post"))
}

fn put(all: &mut serde_json::Map<String, Value>, key: &str, value: Option<&Value>) {
    match value {
        Some(value) => drop(all.insert(key.to_owned(), value.clone())),
        None => drop(all.remove(key)),
    }
}

/// A section of a file of sections: its name without the outer brackets, and its lines with that of the name.
struct Section<'a> {
    name: &'a str,
    text: String,
}

fn read(text: &str) -> Vec<Section<'_>> {
    let mut all = vec![Section { name: "", text: String::new() }];
    for line in text.split_inclusive('\n') {
        let head = line.trim();
        let is_head = line.starts_with('[') && head.ends_with(']');
        if is_head {
            let name = head[1..].split_once(']').map_or("", |(name, _)| name);
            all.push(Section { name: name.trim(), text: String::new() });
        }
        all.last_mut().expect("invariant: there is a first section").text.push_str(line);
    }
    all
}

/// Takes the sections of `base` that belong to the tests, and all others of `result`, each in its place.
fn sections(base: &str, result: &str, of_tests: impl Fn(&str) -> bool) -> String {
    let old: Vec<Section<'_>> = read(base).into_iter().filter(|section| of_tests(section.name)).collect();
    let mut put = false;
    let mut text = String::new();
    let all_old = || old.iter().map(|section| section.text.as_str()).collect::<String>();
    for section in read(result) {
        if !of_tests(section.name) {
            text.push_str(&section.text);
        } else if !std::mem::replace(&mut put, true) {
            // Together, where the first of them stands.
            text.push_str(&all_old());
        }
    }
    if !put && !old.is_empty() {
        if !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(&all_old());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_of_the_tests_is_put_back_and_the_rest_stays() {
        let base = r#"{"version": "1", "scripts": {"test": "jest", "build": "tsc"}, "jest": {"bail": true}}"#;
        let result =
            r#"{"version": "2", "scripts": {"test": "true", "build": "vite", "lint": "x"}, "mocha": {"grep": "a"}}"#;
        let both: Value = serde_json::from_str(&with_tests_of("web/package.json", base, result).unwrap()).unwrap();
        let expected =
            r#"{"version": "2", "scripts": {"test": "jest", "build": "vite", "lint": "x"}, "jest": {"bail": true}}"#;
        assert_eq!(both, serde_json::from_str::<Value>(expected).unwrap());

        let base = "[project]\nname = \"a\"\n\n[tool.pytest.ini_options]\naddopts = \"-q\"\n";
        let result =
            "[project]\nname = \"b\"\n\n[tool.pytest.ini_options]\naddopts = \"-k nothing\"\n\n[tool.ruff]\nx = 1\n";
        let expected = "[project]\nname = \"b\"\n\n[tool.pytest.ini_options]\naddopts = \"-q\"\n[tool.ruff]\nx = 1\n";
        assert_eq!(with_tests_of("pyproject.toml", base, result).as_deref(), Some(expected));

        let base = "[package]\nname = \"a\"\n";
        let result = "[package]\nname = \"a\"\n\n[lib]\ntest = false\n\n[[test]]\nname = \"x\"\nharness = false\n\n[dependencies]\ny = \"1\"\n";
        let expected = "[package]\nname = \"a\"\n\n[lib]\n\n[dependencies]\ny = \"1\"\n";
        assert_eq!(with_tests_of("Cargo.toml", base, result).as_deref(), Some(expected));
        assert_eq!(with_tests_of("setup.cfg", "[metadata]\nname = a\n", "[metadata]\nname = b\n"), None);
    }

    #[test]
    fn a_script_that_runs_by_itself_beside_the_tests_is_taken_away_and_a_new_way_to_run_tests_is_not() {
        let base = r#"{"scripts": {"test": "jest"}}"#;
        for new in ["pretest", "posttest"] {
            let result = format!("\u{feff}{{\"scripts\": {{\"test\": \"jest\", \"{new}\": \"node prep.js\"}}}}");
            let text = with_tests_of("package.json", base, &result).unwrap();
            assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), serde_json::from_str::<Value>(base).unwrap());
        }
        let both = r#"{"scripts": {"test": "jest", "test:slow": "jest slow", "pretest:slow": "tsc"}}"#;
        assert_eq!(with_tests_of("package.json", base, both), None);
    }

    #[test]
    fn what_says_nothing_about_tests_is_left_alone() {
        for (path, base, result) in [
            ("package.json", r#"{"scripts": {"test": "jest"}}"#, r#"{"scripts": {"test": "jest", "build": "x"}}"#),
            ("package.json", "{", "{}"),
            ("Cargo.toml", "[package]\n", "[package]\n[dependencies]\na = \"1\"\n"),
            ("pom.xml", "<a/>", "<b/>"),
        ] {
            assert_eq!(with_tests_of(path, base, result), None, "{path}: {result}");
        }
    }
}
