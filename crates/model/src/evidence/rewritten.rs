//! What a command of a gate does to the files by which it is judged: the tests that run have to be the tests of the commit.
//! Formatters, generators of code and recorders of snapshots may write; what a test asserts, what its runner is told and how
//! it is started may not become another while a gate runs.

use std::collections::BTreeSet;

use super::{
    gathered::finding,
    layout, manifest, recipes, restore,
    source::{self, Language},
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
    /// The scripts and sources that the commands name.
    named: BTreeSet<String>,
}

impl Watched {
    /// Makes the one of a gate with these commands.
    #[must_use]
    pub fn new<'a>(commands: impl Iterator<Item = &'a Vec<String>>) -> Self {
        let sources =
            |argv: &'a [String]| recipes::named_in(argv).into_iter().filter(|path| Language::of_path(path).is_some());
        Self { named: commands.flat_map(|argv| sources(argv).chain(recipes::started_by(argv))).collect() }
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
    /// Weighs what became of a watched file: nothing where what it says of tests is the same. `committed` reads it as the
    /// commit has it.
    #[must_use]
    pub fn from_change(path: String, became: &Became, committed: impl FnOnce() -> Option<Vec<u8>>) -> Option<Self> {
        // A source of the product counts for the tests in it, whatever became of it.
        let of_product = match became {
            Became::Gone | Became::PutBack if path.ends_with(".rs") => {
                committed().is_some_and(|bytes| is_without_tests(&path, &bytes))
            }
            Became::Other(before, None) => is_without_tests(&path, before),
            _ => false,
        };
        if of_product {
            return None;
        }
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

/// Tells whether a file is a source of Rust outside of the tests that has no test in it.
fn is_without_tests(path: &str, content: &[u8]) -> bool {
    if Language::of_path(path) != Some(Language::Rust) || source::is_test_path(path) {
        return false;
    }
    let text = String::from_utf8_lossy(content);
    let is_empty = || source::test_cases(Language::Rust, path, &source::tokens(Language::Rust, &text)).is_empty();
    source::within(STEPS_MAX, is_empty).0.unwrap_or(false)
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
            || layout::meaning(language, &old) == layout::meaning(language, &new)
    };
    source::within(STEPS_MAX, compare).0.unwrap_or(false)
}

/// What the commands of the base do to the files of the tests themselves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Usual {
    /// What is another after them.
    changed: BTreeSet<String>,
    /// What they write to, whatever comes of it.
    written: BTreeSet<String>,
}

impl Usual {
    /// Makes it of what became of the files on the base.
    #[must_use]
    pub fn new<'a>(of_base: impl Iterator<Item = &'a Rewritten>) -> Self {
        let mut usual = Self::default();
        for one in of_base {
            if !one.put_back {
                usual.changed.insert(one.path.clone());
            }
            usual.written.insert(one.path.clone());
        }
        usual
    }
}

/// Says why a command does not count that changed files of the tests; what the base's own run changes as well is usual.
#[must_use]
pub fn trouble(rewritten: &[Rewritten], usual: &Usual) -> Option<String> {
    let changed = rewritten.iter().filter(|one| !one.put_back && !usual.changed.contains(&one.path));
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
pub fn put_back(shown: &str, rewritten: &[Rewritten], usual: &Usual) -> Option<Finding> {
    let again: Vec<_> = rewritten.iter().filter(|one| one.put_back && !usual.written.contains(&one.path)).collect();
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
        Rewritten::from_change(path.to_owned(), &became, || None).is_some()
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
        let one = |path: &str, became: Became| Rewritten::from_change(path.to_owned(), &became, || None).unwrap();
        let all =
            [one("tests/a.py", Became::Gone), one("conftest.py", Became::New), one("tests/b.py", Became::PutBack)];
        let why = trouble(&all, &Usual::default()).unwrap();
        assert!(why.contains("`tests/a.py`") && why.contains("`conftest.py`") && !why.contains("tests/b.py"), "{why}");
        let told = put_back("`make`", &all, &Usual::default()).unwrap();
        assert_eq!((told.weight, told.path.as_deref()), (Weight::Warning, Some("tests/b.py")));
        let usual = Usual::new(all.iter());
        assert_eq!((trouble(&all, &usual), put_back("`make`", &all, &usual)), (None, None));
        let unread = Became::Other(b"a".to_vec(), None);
        assert!(Rewritten::from_change("tests/a.py".to_owned(), &unread, || None).is_some());
    }

    #[test]
    fn what_the_base_only_touches_excuses_no_change() {
        let one = |put_back: bool| [Rewritten { path: "gradlew".to_owned(), put_back }];
        let touched = Usual::new(one(true).iter());
        assert!(trouble(&one(false), &touched).is_some() && put_back("`make`", &one(true), &touched).is_none());
        let changed = Usual::new(one(false).iter());
        assert!(trouble(&one(false), &changed).is_none() && put_back("`make`", &one(true), &changed).is_none());
    }

    #[test]
    fn a_source_without_tests_is_the_product_whatever_became_of_it() {
        for became in [Became::PutBack, Became::Gone, Became::Other(b"fn a() {}".to_vec(), None)] {
            let told = |path: &str, text: &str| {
                Rewritten::from_change(path.to_owned(), &became, || Some(text.as_bytes().to_vec())).is_some()
            };
            assert!(!told("src/pb.rs", "fn a() {}") && told("tests/a.rs", "fn a() {}"), "{became:?}");
            assert!(told("Makefile", "fn a() {}"), "{became:?}");
        }
        let tested = || Some(b"#[test]\nfn a() {}".to_vec());
        assert!(Rewritten::from_change("src/lib.rs".to_owned(), &Became::PutBack, tested).is_some());
    }
}
