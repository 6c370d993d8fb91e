//! What a command of a gate does to the files by which it is judged: the tests that run have to be the tests of the commit.
//! Formatters, generators of code and recorders of snapshots may write; what a test asserts, what its runner is told and how
//! it is started may not become another while a gate runs.

use std::collections::BTreeSet;

use super::{
    gathered::finding,
    manifest, restore,
    source::{self, Kind, Language, Token},
};
use crate::{
    findings::{Finding, FindingCode, Weight},
    text,
};

/// The most paths that a message names.
const NAMED_MAX: usize = 3;

/// The most steps that comparing two texts of one file may take: what takes more is another text.
const STEPS_MAX: u64 = 200_000_000;

/// Endings of tests in languages whose sources are not read.
const FURTHER_TESTS: [&str; 14] =
    ["sh", "bats", "feature", "robot", "t", "lua", "pl", "hs", "ml", "clj", "erl", "zig", "nim", "vue"];

/// Manifests of which only what they say about tests is watched.
const MIXED: [&str; 4] = ["package.json", "pyproject.toml", "setup.cfg", "Cargo.toml"];

/// Which files are watched while the commands of a gate run.
#[derive(Debug, Clone, Default)]
pub struct Watched {
    /// Everything that the commands name: scripts may be among it.
    named: BTreeSet<String>,
}

impl Watched {
    /// Makes the one of a gate with these commands.
    #[must_use]
    pub fn new<'a>(commands: impl Iterator<Item = &'a Vec<String>>) -> Self {
        Self { named: commands.flat_map(|argv| named_in(argv)).collect() }
    }

    /// Tells whether a file of the commit is watched.
    #[must_use]
    pub fn has(&self, path: &str) -> bool {
        let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
        let data = folders.split('/').any(|folder| matches!(folder, "testdata" | "snapshots" | "__snapshots__"));
        let end = name.rsplit_once('.').map_or("", |(_, end)| end);
        restore::is_setting(path)
            || restore::is_recipe(path)
            || MIXED.contains(&name)
            || self.named.contains(path)
            // Rust keeps tests in sources of the product.
            || end == "rs"
            || source::is_test_path(path) && !data && (Language::of_path(path).is_some() || FURTHER_TESTS.contains(&end))
    }

    /// Tells whether a file or folder that the commit does not have would be loaded by a runner, or read in place of a recipe
    /// of the commit.
    #[must_use]
    pub fn is_intruder(&self, path: &str, is_folder: bool, exists: impl Fn(&str) -> bool) -> bool {
        if is_folder {
            // A package that takes the place of a library of tests.
            return restore::is_setting(&format!("{path}/__init__.py"));
        }
        restore::is_setting(path) || restore::takes_the_place(path, exists)
    }
}

/// Returns what a command names that may be a path of the repository, also inside of what a shell is given.
#[must_use]
pub fn named_in(argv: &[String]) -> Vec<String> {
    let words = argv.iter().flat_map(|word| word.split([' ', '\t', '\n', ';', '&', '|', '\'', '"', '(', ')', '=']));
    let plain =
        words.map(|word| word.trim_start_matches("./")).filter(|word| !word.is_empty() && !word.starts_with('-'));
    plain.map(str::to_owned).collect()
}

/// What became of a watched file while a command ran.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Became {
    /// It is gone.
    Gone,
    /// The commit does not have it.
    New,
    /// It has another content: that of the commit, and its own where it can be read.
    Other(Vec<u8>, Option<Vec<u8>>),
    /// It was written to and has the content of the commit again.
    PutBack,
}

/// A file of the tests that a command changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rewritten {
    /// Its path.
    pub path: String,
    /// Whether it is again what it was.
    pub put_back: bool,
}

impl Rewritten {
    /// Weighs what became of a watched file: nothing where what it says of tests is the same.
    #[must_use]
    pub fn from_change(path: String, became: &Became) -> Option<Self> {
        let put_back = match became {
            Became::Gone | Became::New | Became::Other(_, None) => false,
            Became::PutBack => true,
            Became::Other(before, Some(after)) => {
                let (before, after) = (String::from_utf8_lossy(before), String::from_utf8_lossy(after));
                if says_the_same(&path, &before, &after) {
                    return None;
                }
                false
            }
        };
        Some(Self { path, put_back })
    }
}

/// Tells whether a file says the same about tests as before: a formatter may have written it anew.
fn says_the_same(path: &str, before: &str, after: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    if MIXED.contains(&name) {
        return manifest::with_tests_of(path, before, after).is_none()
            && (name != "package.json" || serde_json::from_str::<serde_json::Value>(after).is_ok());
    }
    let Some(language) = Language::of_path(path) else {
        return before.lines().map(str::trim_end).eq(after.lines().map(str::trim_end));
    };
    let compare = || {
        let (old, new) = (source::tokens(language, before), source::tokens(language, after));
        let has_tests = || !source::test_cases(language, path, &old).is_empty();
        (!source::is_test_path(path) && language == Language::Rust && !has_tests())
            || meaning(language, &old) == meaning(language, &new)
    };
    source::within(STEPS_MAX, compare).0.unwrap_or(false)
}

/// Returns what a source says whatever its layout: its tokens without the quotes of strings and commas at the end of lists, and
/// where blocks are made by indentation how deep each line stands.
fn meaning(language: Language, tokens: &[Token<'_>]) -> Vec<(String, usize)> {
    let mut columns: Vec<u32> = Vec::new();
    let mut brackets = 0_i32;
    let mut all = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let next = tokens.get(at + 1);
        if token.is(",") && next.is_some_and(|next| matches!(next.text, ")" | "]" | "}")) {
            continue;
        }
        if token.first && brackets == 0 {
            while columns.last().is_some_and(|last| *last > token.column) {
                columns.pop();
            }
            if columns.last() != Some(&token.column) {
                columns.push(token.column);
            }
        }
        if token.kind == Kind::Sign {
            match token.text {
                "(" | "[" | "{" => brackets += 1,
                ")" | "]" | "}" => brackets = (brackets - 1).max(0),
                _ => {}
            }
        }
        let depth = if language == Language::Python { columns.len() } else { 0 };
        all.push((token.inner().to_owned(), depth));
    }
    all
}

/// Says why a command does not count that changed files of the tests; those of `usual` its own base changes as well.
#[must_use]
pub fn trouble(rewritten: &[Rewritten], usual: &BTreeSet<String>) -> Option<String> {
    let changed = rewritten.iter().filter(|one| !one.put_back && !usual.contains(&one.path));
    let paths: Vec<_> = changed.map(|one| text::code(&text::truncate(&text::terminal(&one.path), 120))).collect();
    (!paths.is_empty()).then(|| {
        format!(
            "{} changed while it ran, so the tests that ran are not those of the commit. Commands of a gate must not change tests, \
             their settings, or what starts them",
            text::listed(paths, NAMED_MAX)
        )
    })
}

/// Says which files of the tests were written to while a command ran, and then put back.
#[must_use]
pub fn put_back(shown: &str, rewritten: &[Rewritten], usual: &BTreeSet<String>) -> Option<Finding> {
    let again: Vec<_> = rewritten.iter().filter(|one| one.put_back && !usual.contains(&one.path)).collect();
    let first = again.first()?;
    let paths =
        text::listed(again.iter().map(|one| text::code(&text::truncate(&text::terminal(&one.path), 120))), NAMED_MAX);
    let message = format!(
        "something wrote to {paths} while {shown} ran, and then restored it. Check that the tests really ran as committed"
    );
    Some(finding(FindingCode::TestsTampered, Weight::Warning, message).in_path(first.path.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(path: &str, before: &str, after: &str) -> bool {
        let became = Became::Other(before.as_bytes().to_vec(), Some(after.as_bytes().to_vec()));
        Rewritten::from_change(path.to_owned(), &became).is_some()
    }

    #[test]
    fn what_starts_tests_and_what_they_assert_is_watched_and_nothing_that_gates_write() {
        let commands = [vec!["sh".to_owned(), "-c".to_owned(), "./scripts/check && python3 tools/build.py".to_owned()]];
        let watched = Watched::new(commands.iter());
        for path in [
            "tests/test_a.py",
            "tests/run.sh",
            "src/lib.rs",
            "conftest.py",
            "jest.config.js",
            "package.json",
            "Makefile",
            "GNUmakefile",
            "justfile",
            "Rakefile",
            "noxfile.py",
            "tox.ini",
            "Taskfile.yml",
            "gradlew",
            "mvnw",
            "scripts/check",
            "tools/build.py",
        ] {
            assert!(watched.has(path), "{path}");
        }
        for path in [
            "src/calc.py",
            "Cargo.lock",
            "package-lock.json",
            "tests/__snapshots__/a.snap",
            "tests/data.json",
            "pkg/testdata/a.go",
            "README.md",
            "go.mod",
        ] {
            assert!(!watched.has(path), "{path}");
        }
        let exists = |path: &str| path == "Makefile";
        assert!(watched.is_intruder("GNUmakefile", false, exists) && watched.is_intruder("conftest.py", false, exists));
        assert!(watched.is_intruder("unittest", true, exists));
        // What a configure step makes where there is none stands in nobody's place.
        assert!(!watched.is_intruder("sub/Makefile", false, exists) && !watched.is_intruder("target", true, exists));
        assert!(!watched.is_intruder("tests/test_new.py", false, exists));
    }

    #[test]
    fn another_layout_is_no_other_test() {
        let test = "class T(TestCase):\n  def test_a(self):\n    self.assertEqual(add(1, 2), 'x')\n";
        let formatted = "class T(TestCase):\n    def test_a(self):\n        self.assertEqual(\n            add(1, 2),\n            \"x\",\n        )\n";
        assert!(!rewritten("tests/test_a.py", test, formatted));
        assert!(rewritten("tests/test_a.py", test, &test.replace("self.assertEqual(add(1, 2), 'x')", "pass")));
        let helper = "def test_a():\n    def b():\n        return 1\n    assert x\n";
        assert!(rewritten("tests/test_a.py", helper, &helper.replace("    assert", "        assert")));
        assert!(!rewritten("a.test.js", "test('a', () => { expect(1) })", "test(\"a\", () => {\n  expect(1)\n})\n"));
        // Of a source of Rust only one with tests counts.
        assert!(!rewritten("src/lib.rs", "fn a() {}", "fn b() {}"));
        assert!(rewritten("src/lib.rs", "#[test]\nfn a() { assert!(x) }", "#[test]\nfn a() {}"));
        assert!(rewritten("Makefile", "test:\n\tpytest\n", "test:\n\ttrue\n"));
        assert!(!rewritten("Makefile", "test:\n\tpytest\n", "test: \n\tpytest"));
        let package = r#"{"version": "1", "scripts": {"test": "jest"}}"#;
        assert!(!rewritten("package.json", package, &package.replace("\"1\"", "\"2\"")));
        assert!(rewritten("package.json", package, &package.replace("jest", "true")));
        assert!(rewritten("package.json", package, "{"));
    }

    #[test]
    fn a_command_that_changes_tests_is_red_and_one_that_puts_them_back_is_told() {
        let one = |path: &str, became: Became| Rewritten::from_change(path.to_owned(), &became).unwrap();
        let all =
            [one("tests/a.py", Became::Gone), one("conftest.py", Became::New), one("tests/b.py", Became::PutBack)];
        let why = trouble(&all, &BTreeSet::new()).unwrap();
        assert!(why.contains("`tests/a.py`") && why.contains("`conftest.py`") && !why.contains("tests/b.py"), "{why}");
        let told = put_back("`make`", &all, &BTreeSet::new()).unwrap();
        assert_eq!((told.weight, told.path.as_deref()), (Weight::Warning, Some("tests/b.py")));
        let usual: BTreeSet<String> = all.iter().map(|one| one.path.clone()).collect();
        assert_eq!((trouble(&all, &usual), put_back("`make`", &all, &usual)), (None, None));
        assert!(Rewritten::from_change("tests/a.py".to_owned(), &Became::Other(b"a".to_vec(), None)).is_some());
    }
}
