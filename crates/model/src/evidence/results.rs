//! Results test by test, as a runner wrote them into a file of its own.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    evidence::numbers::{CountSource, TestCounts},
    text,
};

/// The longest message of a failed test that is kept, in characters.
const MESSAGE_MAX: usize = 400;

/// The longest name of a test that is kept, in characters.
const NAME_MAX: usize = 300;

/// The most tests that one command may leave results of, and the most bytes of text with them.
pub const TESTS_MAX: usize = 200_000;
pub const TEXT_MAX: usize = 64 * 1024 * 1024;

/// After how many tests their text is measured.
const MEASURED_EVERY: usize = 4096;

/// What became of a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TestState {
    /// It ran, and everything was well.
    Passed,
    /// It failed, as it says that it should.
    ExpectedFailure,
    /// It did not run.
    Skipped,
    /// It ran, and something was wrong.
    Failed,
    /// It could not be loaded, compiled or set up, so that nothing of it ran.
    Broken,
}

impl TestState {
    /// Tells whether it keeps a gate from passing.
    #[must_use]
    pub fn is_red(self) -> bool {
        matches!(self, Self::Failed | Self::Broken)
    }

    /// Returns the state in words.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::ExpectedFailure => "failed as expected",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
            Self::Broken => "could not be loaded",
        }
    }
}

/// One test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct TestResult {
    /// Its full name: the suite and the test, as the runner names them.
    pub name: String,
    /// What became of it.
    pub state: TestState,
    /// The file that it stands in, where the runner says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// What was wrong, in its first lines. Untrusted text.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
}

impl TestResult {
    /// Makes a result; suite and name are joined as people write them.
    #[must_use]
    pub fn new(suite: &str, name: &str, state: TestState) -> Self {
        let (suite, name) = (text::terminal(suite), text::terminal(name));
        let (suite, name) = (suite.trim(), name.trim());
        // mocha and vitest repeat the suite in the name.
        let full =
            if suite.is_empty() || name.starts_with(suite) { name.to_owned() } else { format!("{suite} › {name}") };
        let full = full.split_whitespace().collect::<Vec<_>>().join(" ");
        Self { name: text::truncate(&full, NAME_MAX), state, file: None, message: String::new() }
    }

    pub(super) fn in_file(mut self, file: Option<&str>) -> Self {
        self.file = file.filter(|file| !file.is_empty()).map(|file| text::truncate(&text::terminal(file), NAME_MAX));
        self
    }

    pub(super) fn because(mut self, message: &str) -> Self {
        self.message = text::truncate(text::plain(message).trim(), MESSAGE_MAX);
        self
    }
}

/// All results of a run.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Results {
    /// The tests, in the order of the file.
    pub tests: Vec<TestResult>,
    /// Why the file is not whole: it stops in the middle, or names tests that never ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unfinished: Option<String>,
}

impl Results {
    /// Adds a test. With more of them than are kept nothing counts: those that are there are forgotten, and the file is not
    /// whole.
    pub(super) fn push(&mut self, test: TestResult) {
        let number = self.tests.len();
        if number == TESTS_MAX || (number % MEASURED_EVERY == MEASURED_EVERY - 1 && self.text() > TEXT_MAX) {
            *self = Self::too_many();
        }
        self.tests.push(test);
    }

    pub(super) fn too_many() -> Self {
        let unfinished = Some(format!(
            "they are of more than {TESTS_MAX} tests, or their names have more than {} MB: split the command",
            TEXT_MAX / 1024 / 1024
        ));
        Self { tests: Vec::new(), unfinished }
    }

    /// Returns how many bytes of text the tests have.
    #[must_use]
    pub fn text(&self) -> usize {
        let of = |test: &TestResult| test.name.len() + test.message.len() + test.file.as_ref().map_or(0, String::len);
        self.tests.iter().map(of).sum()
    }

    /// Adds the results of another file.
    pub fn add(&mut self, other: Self) {
        self.tests.extend(other.tests);
        if self.unfinished.is_none() {
            self.unfinished = other.unfinished;
        }
    }

    /// Counts them. An expected failure is a test that did what it says.
    #[must_use]
    pub fn counts(&self) -> TestCounts {
        let count = |wanted: &[TestState]| {
            u64::try_from(self.tests.iter().filter(|test| wanted.contains(&test.state)).count()).unwrap_or(u64::MAX)
        };
        TestCounts {
            passed: count(&[TestState::Passed, TestState::ExpectedFailure]),
            failed: count(&[TestState::Failed, TestState::Broken]),
            skipped: count(&[TestState::Skipped]),
            source: CountSource::Junit,
        }
    }

    /// Returns the tests of these that `earlier` has by the same name and with the same state.
    #[must_use]
    pub fn repeated_of(&self, earlier: &Self) -> Self {
        let known: std::collections::BTreeSet<_> =
            earlier.tests.iter().map(|test| (stable_name(&test.name), test.state)).collect();
        let again = self.tests.iter().filter(|test| known.contains(&(stable_name(&test.name), test.state)));
        Self { tests: again.cloned().collect(), unfinished: None }
    }

    /// Returns the tests that failed.
    pub fn failing(&self) -> impl Iterator<Item = &TestResult> {
        self.tests.iter().filter(|test| test.state.is_red())
    }

    /// Joins what a test says more than once: a test that was tried again and passed at last is flaky and passed.
    pub(super) fn join_reruns(&mut self) {
        let mut last: BTreeMap<&str, usize> = BTreeMap::new();
        for (at, test) in self.tests.iter().enumerate() {
            last.insert(&test.name, at);
        }
        let gone: Vec<bool> = self
            .tests
            .iter()
            .enumerate()
            .map(|(at, test)| {
                let end = last[test.name.as_str()];
                end != at && test.state.is_red() && self.tests[end].state == TestState::Passed
            })
            .collect();
        let mut at = 0;
        self.tests.retain(|_| {
            at += 1;
            !gone[at - 1]
        });
    }
}

/// How a test fared in two runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct TestChange {
    /// The test.
    pub name: String,
    /// What it was; none when there was no such test.
    pub before: Option<TestState>,
    /// What it is; none when there is no such test any more.
    pub after: Option<TestState>,
    /// The file that it stands in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// What is wrong now. Untrusted text.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
}

/// What changed from one run to the next, test by test.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Difference {
    /// Tests that passed and are red now.
    pub turned_red: Vec<TestChange>,
    /// Tests that ran and are skipped now, or are expected to fail.
    pub switched_off: Vec<TestChange>,
    /// Tests that are gone.
    pub gone: Vec<TestChange>,
    /// Tests that are new.
    pub new: Vec<TestChange>,
}

/// Compares two runs of the same command.
///
/// A test of which there were several of one name is held against as many: the worst state of each side counts.
#[must_use]
pub fn compare(before: &Results, after: &Results) -> Difference {
    let by_name = |results: &Results| {
        let mut map: BTreeMap<String, TestResult> = BTreeMap::new();
        for test in &results.tests {
            let key = stable_name(&test.name);
            match map.get_mut(&key) {
                Some(other) if other.state < test.state => *other = test.clone(),
                Some(_) => {}
                None => {
                    map.insert(key, test.clone());
                }
            }
        }
        map
    };
    let (before, after) = (by_name(before), by_name(after));
    let mut difference = Difference::default();
    let ran = |state: TestState| matches!(state, TestState::Passed | TestState::Failed);
    for (key, was) in &before {
        let now = after.get(key);
        let change = TestChange {
            name: was.name.clone(),
            before: Some(was.state),
            after: now.map(|now| now.state),
            file: was.file.clone().or_else(|| now.and_then(|now| now.file.clone())),
            message: now.map(|now| now.message.clone()).unwrap_or_default(),
        };
        match now {
            None => difference.gone.push(change),
            Some(now) if now.state.is_red() && !was.state.is_red() => difference.turned_red.push(change),
            Some(now) if ran(was.state) && matches!(now.state, TestState::Skipped | TestState::ExpectedFailure) => {
                difference.switched_off.push(change);
            }
            Some(_) => {}
        }
    }
    for (key, now) in after.iter().filter(|(key, _)| !before.contains_key(*key)) {
        let _ = key;
        difference.new.push(TestChange {
            name: now.name.clone(),
            before: None,
            after: Some(now.state),
            file: now.file.clone(),
            message: now.message.clone(),
        });
    }
    difference
}

/// Takes out of a name what differs from run to run: addresses, temporary folders, and the folder of the work tree.
pub(super) fn stable_name(name: &str) -> String {
    name.split(' ')
        .map(|word| {
            // A file that node reports as one test is named by its absolute path.
            if word.starts_with('/') { word.rsplit('/').next().unwrap_or(word) } else { word }
        })
        .map(|word| word.split_once("0x").map_or(word, |(before, _)| before))
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn results(tests: &[(&str, TestState)]) -> Results {
        let tests = tests.iter().map(|(name, state)| TestResult::new("", name, *state)).collect();
        Results { tests, unfinished: None }
    }

    #[test]
    fn what_changed_is_told_test_by_test() {
        use TestState::{Broken, ExpectedFailure, Failed, Passed, Skipped};
        let before =
            results(&[("a", Passed), ("b", Passed), ("c", Passed), ("d", Failed), ("e", Passed), ("f", Skipped)]);
        let after =
            results(&[("a", Passed), ("b", Failed), ("c", Skipped), ("d", Broken), ("g", Passed), ("f", Skipped)]);
        let difference = compare(&before, &after);
        let names = |changes: &[TestChange]| changes.iter().map(|change| change.name.clone()).collect::<Vec<_>>();
        assert_eq!(names(&difference.turned_red), ["b"]);
        assert_eq!(names(&difference.switched_off), ["c"]);
        assert_eq!(names(&difference.gone), ["e"]);
        assert_eq!(names(&difference.new), ["g"]);
        let expected = compare(&results(&[("a", Passed)]), &results(&[("a", ExpectedFailure)]));
        assert_eq!(names(&expected.switched_off), ["a"]);
    }

    #[test]
    fn a_test_that_passed_when_it_was_tried_again_is_flaky_and_passed() {
        use TestState::{Failed, Passed};
        let mut again = results(&[("a", Failed), ("a", Passed), ("b", Passed), ("b", Failed)]);
        again.join_reruns();
        assert_eq!((again.counts().passed, again.counts().failed), (2, 1));
    }

    #[test]
    fn a_name_is_the_same_in_another_folder() {
        assert_eq!(stable_name("/tmp/a/x.test.js"), stable_name("/tmp/b/x.test.js"));
        assert_eq!(TestResult::new("g", "g › ok", TestState::Passed).name, "g › ok");
        assert_eq!(TestResult::new("T", "test_a", TestState::Passed).name, "T › test_a");
    }

    #[test]
    fn a_test_that_two_commands_ran_is_found() {
        let of = |names: &[&str]| Results {
            tests: names.iter().map(|name| TestResult::new("", name, TestState::Passed)).collect(),
            unfinished: None,
        };
        assert_eq!(of(&["a", "b", "c"]).repeated_of(&of(&["b", "c", "d"])).counts().passed, 2);
    }
}
