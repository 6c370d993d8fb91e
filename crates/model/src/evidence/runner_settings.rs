//! Settings of runners that come with a patch of the product: which of them load code of the repository into the runner, or
//! build the tests otherwise, and what it means when tests pass with them and fail with the settings of the base.

use std::collections::BTreeSet;

use super::{
    base_tests::Changes,
    gathered::finding,
    loading::message_says_not_loaded,
    manifest, restore,
    results::{Results, TestResult, TestState},
    source::{self, Language, spend},
};
use crate::{
    findings::{Finding, FindingCode, Weight},
    text,
};

/// The most tests, and the most settings, that one message names.
const NAMED_MAX: usize = 5;

/// A file with settings of a runner that a patch of the product changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedSettings {
    /// Its path.
    pub path: String,
    /// Whether it decides what the tests mean: it is a program, loads one of the repository, or builds the tests otherwise.
    pub decides: bool,
}

/// Tells whether a file has settings of a runner, or of what a runner builds tests with, and is no source of tests itself.
#[must_use]
pub fn has_settings(path: &str) -> bool {
    let is_support = Language::of_path(path).is_some() && source::is_test_path(path);
    (restore::is_setting(path) || restore::is_setting_of_build(path)) && !is_support
}

/// Tells whether what changed in a file of settings decides what tests mean. `before` and `after` are what it says about tests.
#[must_use]
pub fn decides(path: &str, before: Option<&str>, after: &str, exists: impl Fn(&str) -> bool) -> bool {
    let old: BTreeSet<&str> = before.into_iter().flat_map(str::lines).map(str::trim).collect();
    let is_program = match Language::of_path(path).filter(|_| !restore::is_manifest(path)) {
        // Most settings in this language are plain values.
        Some(Language::JavaScript) => {
            let mut new = after.lines().map(str::trim).filter(|line| !old.contains(line));
            new.any(|line| ["=>", "function", "class "].iter().any(|word| line.contains(word)))
        }
        other => other.is_some(),
    };
    is_program || loaded_code(path, before, after, exists).is_some()
}

/// Finds a new line of settings by which a runner loads code of the repository, or builds tests otherwise: its number and the
/// words that say so. `exists` tells whether a path is a file of the repository.
#[must_use]
pub fn loaded_code(
    path: &str,
    before: Option<&str>,
    after: &str,
    exists: impl Fn(&str) -> bool,
) -> Option<(u32, String)> {
    let old: BTreeSet<&str> = before.into_iter().flat_map(str::lines).map(str::trim).collect();
    let name = path.rsplit('/').next().unwrap_or(path);
    let of_cargo = name == "Cargo.toml" || path.contains(".cargo/config");
    let of_entry_points = name == "entry_points.txt";
    let mut section = "";
    after.lines().enumerate().find_map(|(number, line)| {
        let line = line.trim();
        if line.starts_with('[') && line.ends_with(']') {
            section = line;
        }
        let is_comment = line.starts_with('#') || line.starts_with("//");
        // What is measured is no code that is loaded.
        if line.is_empty() || is_comment || old.contains(line) || line.contains("cov") || line.contains("Cov") {
            return None;
        }
        let number = u32::try_from(number + 1).unwrap_or(u32::MAX);
        if of_cargo && let Some(word) = OF_BUILDS.iter().find(|word| line.contains(**word)) {
            return Some((number, (*word).to_owned()));
        }
        let any_name = of_entry_points || section.contains("pytest11");
        code_in(line, any_name, &exists).map(|word| (number, word))
    })
}

/// Settings of cargo that build tests otherwise than the product.
const OF_BUILDS: [&str; 5] =
    ["rustflags", "rustc-wrapper", "rustc-workspace-wrapper", "debug-assertions", "overflow-checks"];

/// Options and keys behind which a runner expects a module by its plain name.
const LOADERS: [&str; 10] =
    ["p", "r", "require", "import", "loader", "preload", "plugin", "plugins", "transform", "exec"];

/// Endings of sources that a module may be named without.
const ENDS: [&str; 10] = ["py", "js", "cjs", "mjs", "ts", "cts", "mts", "rb", "php", "pm"];

/// Folders in which modules stand that are named without them.
const ROOTS: [&str; 3] = ["", "lib/", "src/"];

/// Finds the word of a line that names code of the repository.
fn code_in(line: &str, any_name: bool, exists: &impl Fn(&str) -> bool) -> Option<String> {
    let line = line.replace("<rootDir>/", "./");
    let is_between = |c: char| c.is_whitespace() || "\"'`,=[]{}()<>;|".contains(c);
    let mut loads = any_name;
    for word in line.split(is_between) {
        let word = word.trim_end_matches(':');
        if word.is_empty() {
            continue;
        }
        // `-Ilib` and `-MQuiet` have what they name behind the letter.
        let glued = word.strip_prefix('-').filter(|rest| rest.starts_with(['M', 'p', 'r']) && rest.len() > 1);
        let named = glued.map_or(word, |rest| &rest[1..]);
        if (loads || glued.is_some() || is_path(named)) && is_code(named, exists) {
            return Some(named.to_owned());
        }
        loads = any_name || LOADERS.contains(&word.trim_start_matches('-'));
    }
    None
}

/// Tells whether a word is written as a path, and not as a name of its own.
fn is_path(word: &str) -> bool {
    word.contains('/') || Language::of_path(word).is_some()
}

/// Tells whether a word names a file with code, by its path or as a module.
fn is_code(word: &str, exists: &impl Fn(&str) -> bool) -> bool {
    // It is looked for in so many places.
    spend(ROOTS.len() * ENDS.len());
    let word = word.strip_prefix("./").unwrap_or(word);
    if word.len() < 2 || word.contains(['*', '$', '?', '\\']) || word.starts_with(['/', '-', '.']) {
        return false;
    }
    let name = word.rsplit('/').next().unwrap_or(word);
    // A program without an ending, a script of a shell or of Perl, or any source.
    let ending = name.rsplit_once('.').map(|(_, end)| end);
    let may_be_code = ending.is_none_or(|end| matches!(end, "sh" | "pl" | "pm")) || Language::of_path(word).is_some();
    if may_be_code && word.contains(['/', '.']) && exists(word) {
        return true;
    }
    // Of `module:name` and `Module::Name` the module is a file.
    let module = if word.contains("::") { word.replace("::", "/") } else { word.to_owned() };
    let module = module.split(':').next().unwrap_or_default();
    let dotted = (!module.contains('/')).then(|| module.replace('.', "/"));
    [Some(module.to_owned()), dotted].into_iter().flatten().filter(|stem| !stem.is_empty()).any(|stem| {
        let within = |root: &&str| {
            ENDS.iter().any(|end| exists(&format!("{root}{stem}.{end}")))
                || exists(&format!("{root}{stem}/__init__.py"))
        };
        ROOTS.iter().any(within)
    })
}

/// Returns what a file says about its runner: all of it, or of a manifest the settings of tests.
#[must_use]
pub fn said_about_tests<'a>(path: &str, text: &'a str) -> Option<std::borrow::Cow<'a, str>> {
    if restore::is_manifest(path) || path.rsplit('/').next() == Some("setup.cfg") {
        return manifest::settings_of_tests(path, text).map(std::borrow::Cow::Owned);
    }
    has_settings(path).then_some(std::borrow::Cow::Borrowed(text))
}

/// What the tests came to with the settings of the base, and everything else as it is.
#[derive(Debug, Clone, Copy)]
pub struct WithSettingsOfBase<'a> {
    /// The results test by test, where the runner wrote some.
    pub results: Option<&'a Results>,
    /// The tests that failed, from what was written, else by the names that were printed.
    pub failing: &'a [TestResult],
}

/// Says that tests pass only by settings that came with a patch of the product. `base` is what the tests came to on the base,
/// `with` what they come to on the result. Where something could not be loaded nothing is known.
#[must_use]
pub fn held_against_base(
    base: &Results,
    with: &Results,
    of_base: WithSettingsOfBase<'_>,
    settings: &[ChangedSettings],
    changes: &dyn Changes,
) -> Option<Finding> {
    let red = |results: &Results| {
        let red = results.tests.iter().filter(|test| is_red(test.state));
        red.map(|test| test.name.clone()).collect::<BTreeSet<String>>()
    };
    let known: BTreeSet<String> = red(base).union(&red(with)).cloned().collect();
    let all: &[TestResult] = of_base.results.map_or(of_base.failing, |results| &results.tests);
    let failed: Vec<&TestResult> = all
        .iter()
        .filter(|test| test.state == TestState::Failed && !message_says_not_loaded(&test.message))
        .filter(|test| {
            !needs_a_plugin(&test.message) && !known.contains(&test.name) && !changes.is_confirmed(&test.name)
        })
        .collect();
    failed.first()?;
    let ran: BTreeSet<&str> = with.tests.iter().map(|test| test.name.as_str()).collect();
    let left_out = !ran.is_empty() && !failed.iter().any(|test| ran.contains(test.name.as_str()));
    let decides = left_out || settings.iter().any(|settings| settings.decides);
    let names = failed.iter().map(|test| text::code(&text::truncate(&test.name, 120)));
    let paths = settings.iter().map(|settings| text::code(&text::truncate(&text::terminal(&settings.path), 120)));
    let message = format!(
        "the tests pass only by settings of their runner that came with a patch of the product ({}): with the base's settings {} {}. Take those settings out, or the reviewer has to confirm that a requirement asks for it",
        text::listed(paths, NAMED_MAX),
        text::listed(names, NAMED_MAX),
        if failed.len() == 1 { "fails" } else { "fail" },
    );
    let weight = if decides { Weight::Blocking } else { Weight::Warning };
    let decisive = settings.iter().find(|settings| settings.decides).or(settings.first())?;
    let mut finding = finding(FindingCode::TestsTampered, weight, message).in_path(&decisive.path);
    finding.task = changes.author_of(&decisive.path);
    Some(finding)
}

fn is_red(state: TestState) -> bool {
    matches!(state, TestState::Failed | TestState::Broken)
}

/// Tells whether a test failed because its runner does not know how to run it.
fn needs_a_plugin(message: &str) -> bool {
    message.contains("not natively supported")
}

#[cfg(test)]
mod tests {
    use super::{super::gathered::tests::results, *};
    use crate::ids::TaskId;

    fn loads(path: &str, before: Option<&str>, after: &str, files: &[&str]) -> Option<String> {
        loaded_code(path, before, after, |path| files.contains(&path)).map(|(_, word)| word)
    }

    #[test]
    fn settings_that_load_code_of_the_repository_are_found_in_every_kind_of_file() {
        for (path, after, file, word) in [
            (".babelrc", r#"{"plugins": ["./tools/optimize.js"]}"#, "tools/optimize.js", "./tools/optimize.js"),
            ("package.json", r#""setupFilesAfterEnv": ["<rootDir>/src/setup.js"]"#, "src/setup.js", "./src/setup.js"),
            (".mocharc.json", r#"{"require": "./src/setup"}"#, "src/setup.js", "./src/setup"),
            (".mocharc.yml", "require: boot\n", "boot.js", "boot"),
            ("pytest.toml", "[pytest]\naddopts = [\"-p\", \"calcplug\"]\n", "calcplug.py", "calcplug"),
            ("a.egg-info/entry_points.txt", "[pytest11]\ncalc = calc.plug:main\n", "calc/plug.py", "calc.plug:main"),
            (".rspec", "--require ./lib/boot\n", "lib/boot.rb", "./lib/boot"),
            (".proverc", "--exec 'perl -Ilib -MQuiet'\n", "lib/Quiet.pm", "Quiet"),
            (".cargo/config.toml", "[build]\nrustflags = [\"--cfg\"]\n", "", "rustflags"),
            (".cargo/config.toml", "[target.x]\nlinker = \"tools/ld\"\n", "tools/ld", "tools/ld"),
        ] {
            assert_eq!(loads(path, None, after, &[file]).as_deref(), Some(word), "{path}");
            assert_eq!(loads(path, Some(after), after, &[file]), None, "{path}: it was there");
        }
    }

    #[test]
    fn settings_that_name_packages_folders_and_what_is_measured_load_nothing_of_the_repository() {
        let files = ["calc.py", "src/calc.js", "src/index.js", "tests/test_a.py", "jest.js"];
        for (path, after) in [
            ("pytest.toml", "[pytest]\naddopts = \"--cov=calc -p no:cacheprovider\"\ntestpaths = [\"tests\"]\n"),
            (".mocharc.json", r#"{"require": "ts-node/register", "spec": "test/**/*.js"}"#),
            ("package.json", r#""collectCoverageFrom": ["src/index.js"], "transform": {"^.+.tsx?$": "ts-jest"}"#),
            ("package.json", r#""moduleNameMapper": {"^@/(.*)$": "<rootDir>/src/$1"}, "roots": ["<rootDir>/src"]"#),
            (".rspec", "--require rails_helper\n--format documentation\n"),
            (".cargo/config.toml", "[net]\noffline = true\n"),
        ] {
            assert_eq!(loads(path, None, after, &files), None, "{path}: {after}");
        }
    }

    struct Confirmed(&'static str);

    impl Changes for Confirmed {
        fn author_of(&self, _: &str) -> Option<TaskId> {
            Some(TaskId::new("feature").unwrap())
        }
        fn is_confirmed(&self, test: &str) -> bool {
            test == self.0
        }
    }

    #[test]
    fn tests_that_pass_only_by_new_settings_block_where_those_decide_what_tests_mean() {
        use TestState::{Broken, Failed, Passed};
        let base = results(&[("sub", Passed)]);
        let with = results(&[("sub", Passed), ("add", Passed)]);
        let told = |with: &Results, tests: &[(&str, TestState)], decides: bool, confirmed| {
            let of_base = results(tests);
            let of_base = WithSettingsOfBase { results: Some(&of_base), failing: &[] };
            let settings = [ChangedSettings { path: ".mocharc.json".to_owned(), decides }];
            held_against_base(&base, with, of_base, &settings, &Confirmed(confirmed)).map(|finding| finding.weight)
        };
        let red = [("sub", Passed), ("add", Failed)];
        assert_eq!(told(&with, &red, true, ""), Some(Weight::Blocking));
        assert_eq!(told(&with, &red, false, ""), Some(Weight::Warning), "it may be honest");
        assert_eq!(told(&with, &red, true, "add"), None, "the reviewer confirmed it");
        assert_eq!(told(&base, &red, false, ""), Some(Weight::Blocking), "the settings leave out what fails");
        assert_eq!(told(&with, &[("sub", Passed), ("add", Broken)], true, ""), None, "nothing is known");
        assert_eq!(told(&with, &[("sub", Passed), ("add", Passed)], true, ""), None);
        let red_before = results(&[("add", Failed)]);
        let of_base = WithSettingsOfBase { results: Some(&red_before), failing: &[] };
        assert!(decides("babel.config.js", None, "module.exports = { plugins: [function strip() {}] };", |_| false));
        assert!(!decides("jest.config.js", None, "module.exports = { resetMocks: true };", |_| false));
        assert_eq!(held_against_base(&red_before, &base, of_base, &[], &Confirmed("")), None);
    }
}
