//! A failure that is followed to earlier states of the code: in which of them it fails as well, in which it passes, and of
//! which nothing is known, because there the test could not be loaded.

use super::{
    loading::{collection_stopped, is_not_loaded, output_says_not_loaded},
    results::{Results, TestResult, TestState, stable_name},
};

/// What a command came to in some state of the code.
#[derive(Debug, Clone, Copy)]
pub struct StateRun<'a> {
    pub succeeded: bool,
    /// The tests that failed.
    pub failing: &'a [TestResult],
    /// All results test by test, where the runner wrote some.
    pub results: Option<&'a Results>,
    /// The end of what it printed.
    pub output: &'a str,
}

/// What became of the failure in a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StateOutcome {
    /// What fails now passes there, or is not there for another reason than that nothing could be loaded.
    Passes,
    /// It fails there as well.
    Fails,
    /// Nobody can tell: it could not be loaded there.
    Unknown,
}

/// What is followed: the tests that fail, where they are known by name, else the command.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Followed {
    tests: Vec<TestResult>,
    /// Whether the command fails because something cannot be loaded: then that is what is followed.
    not_loaded: bool,
}

impl Followed {
    /// Takes in what failed, and the end of what was printed.
    #[must_use]
    pub fn new(failing: &[TestResult], output: &str) -> Self {
        Self { tests: failing.to_vec(), not_loaded: output_says_not_loaded(output) }
    }

    /// Tells whether tests are followed by name, and not the command as a whole.
    #[must_use]
    pub fn has_tests(&self) -> bool {
        !self.tests.is_empty()
    }

    /// Returns the names of the tests that are followed.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.tests.iter().map(|test| test.name.clone()).collect()
    }

    /// Tells what became of the failure in a state.
    #[must_use]
    pub fn outcome_in(&self, state: StateRun<'_>) -> StateOutcome {
        if state.succeeded {
            return StateOutcome::Passes;
        }
        if !self.has_tests() {
            let is_other = !self.not_loaded && output_says_not_loaded(state.output);
            return if is_other { StateOutcome::Unknown } else { StateOutcome::Fails };
        }
        let mut is_red = false;
        for (followed, there) in self.tests.iter().flat_map(|test| red_of_name(test, state.failing)) {
            is_red = true;
            // Where it could not be loaded it did not fail by itself, unless that is what is wrong now.
            if is_not_loaded(followed) || !is_not_loaded(there) {
                return StateOutcome::Fails;
            }
        }
        let mut broken = state.failing.iter().filter(|test| is_not_loaded(test));
        if is_red || broken.clone().any(|broken| self.tests.iter().any(|test| stands_in(test, broken))) {
            return StateOutcome::Unknown;
        }
        let is_broken = broken.next().is_some();
        let is_known = match state.results {
            Some(results) if self.tests.iter().all(|test| is_listed(test, results)) => true,
            // It was not even found. Where something else could not be loaded, that may be why.
            Some(_) => !is_broken && !output_says_not_loaded(state.output),
            // Printed words name what failed, and not what passed.
            None => {
                let is_named = is_broken || !output_says_not_loaded(state.output);
                !state.failing.is_empty() && is_named && !collection_stopped(state.output)
            }
        };
        if is_known { StateOutcome::Passes } else { StateOutcome::Unknown }
    }
}

fn red_of_name<'a>(
    test: &'a TestResult,
    failing: &'a [TestResult],
) -> impl Iterator<Item = (&'a TestResult, &'a TestResult)> {
    let name = stable_name(&test.name);
    failing.iter().filter(move |there| stable_name(&there.name) == name).map(move |there| (test, there))
}

fn is_listed(test: &TestResult, results: &Results) -> bool {
    let name = stable_name(&test.name);
    results.tests.iter().any(|there| stable_name(&there.name) == name)
}

/// Tells whether a test stands in the package, module or file that could not be loaded.
fn stands_in(test: &TestResult, broken: &TestResult) -> bool {
    if let Some(package) = broken.name.strip_suffix(" (package)") {
        return test.name.strip_prefix(package).is_some_and(|rest| rest.starts_with('.'));
    }
    let last = |path: &str| path.rsplit('/').next().unwrap_or(path).to_owned();
    if let Some(file) = test.file.as_deref().map(last)
        && (broken.file.as_deref().map(last).is_some_and(|other| other == file) || last(&broken.name) == file)
    {
        return true;
    }
    if broken.state != TestState::Broken {
        return false;
    }
    let words = |name: &str| -> Vec<String> {
        let words = name.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-'));
        words.filter(|word| !word.is_empty() && *word != "py").map(str::to_owned).collect()
    };
    words(&broken.name).pop().is_some_and(|last| words(&test.name).contains(&last))
}

#[cfg(test)]
mod tests {
    use super::*;
    use TestState::{Broken, Failed, Passed};

    fn test(name: &str, state: TestState, message: &str) -> TestResult {
        TestResult::new("", name, state).because(message)
    }

    /// Follows a test that fails by itself into a state with these red tests, of which only names are known.
    fn outcome(name: &str, failing: &[TestResult], output: &str) -> StateOutcome {
        let followed = Followed::new(&[test(name, Failed, "2 != 3")], "2 != 3");
        followed.outcome_in(StateRun { succeeded: false, failing, results: None, output })
    }

    #[test]
    fn a_test_fails_where_it_does_and_nothing_is_known_where_it_could_not_be_loaded() {
        let name = "tests.test_fee.Fee.test_late";
        let of = |there: &str, state| outcome(name, &[test(there, state, "")], "");
        assert_eq!(of(name, Failed), StateOutcome::Fails);
        assert_eq!(of("tests.test_cli.Cli.test_late", Failed), StateOutcome::Passes, "another test");
        assert_eq!(of("unittest.loader._FailedTest.tests.test_fee", Broken), StateOutcome::Unknown);
        assert_eq!(of("unittest.loader._FailedTest.tests.test_cli", Broken), StateOutcome::Passes);
        assert_eq!(of("tests/test_fee.py", Broken), StateOutcome::Unknown);
        let missing = test(name, Failed, "AttributeError: 'Fee' object has no attribute 'late'");
        assert_eq!(outcome(name, &[missing], ""), StateOutcome::Unknown, "it could not fail by itself");
        assert_eq!(outcome(name, &[], "Segmentation fault"), StateOutcome::Unknown, "no test is named");
        let stopped = "!!! Interrupted: 1 error during collection !!!";
        assert_eq!(outcome(name, &[test("tests/test_cli.py", Broken, "")], stopped), StateOutcome::Unknown);
        let succeeded = StateRun { succeeded: true, failing: &[], results: None, output: "" };
        assert_eq!(Followed::new(&[test(name, Failed, "")], "").outcome_in(succeeded), StateOutcome::Passes);
    }

    #[test]
    fn a_go_package_that_cannot_be_built_tells_nothing_of_its_tests() {
        let name = "example.com/shortd/internal/httpapi.TestTTLTooLarge";
        let broken = [test("example.com/shortd/internal/httpapi (package)", Broken, "")];
        assert_eq!(outcome(name, &broken, ""), StateOutcome::Unknown);
        let other = [test("example.com/shortd/internal/http (package)", Broken, "")];
        assert_eq!(outcome(name, &other, ""), StateOutcome::Passes, "another package");
        // Without events only the word of the package is printed.
        assert_eq!(
            outcome(name, &[], "FAIL\texample.com/shortd/internal/httpapi [build failed]"),
            StateOutcome::Unknown
        );
        let elsewhere = [test("TestOther", Failed, "")];
        assert_eq!(outcome("TestTTLTooLarge", &elsewhere, "FAIL\tx [build failed]\n"), StateOutcome::Unknown);
    }

    #[test]
    fn what_cannot_be_loaded_now_is_followed_as_that() {
        let broken = test("tests/test_fee.py", Broken, "ImportError: no module named fee");
        let followed = Followed::new(std::slice::from_ref(&broken), "1 error during collection");
        let state = |failing| StateRun { succeeded: false, failing, results: None, output: "" };
        assert_eq!(followed.outcome_in(state(std::slice::from_ref(&broken))), StateOutcome::Fails);
        // The same of a command whose tests have no names.
        let in_state = |output| StateRun { succeeded: false, failing: &[], results: None, output };
        let build = "error: could not compile `shop`";
        assert_eq!(Followed::new(&[], build).outcome_in(in_state(build)), StateOutcome::Fails);
        assert_eq!(Followed::new(&[], "2 tests failed").outcome_in(in_state(build)), StateOutcome::Unknown);
        assert_eq!(Followed::new(&[], "2 tests failed").outcome_in(in_state("2 tests failed")), StateOutcome::Fails);
    }

    #[test]
    fn results_test_by_test_tell_whether_a_test_passed_or_was_never_found() {
        let followed = Followed::new(&[test("a", Failed, "2 != 3")], "");
        let listed = |tests: &[(&str, TestState)], output| {
            let tests: Vec<_> = tests.iter().map(|(name, state)| test(name, *state, "")).collect();
            let results = Results { tests, unfinished: None };
            let failing: Vec<_> = results.failing().cloned().collect();
            followed.outcome_in(StateRun { succeeded: false, failing: &failing, results: Some(&results), output })
        };
        assert_eq!(listed(&[("a", Passed), ("x.py", Broken)], ""), StateOutcome::Passes);
        assert_eq!(listed(&[("b", Passed), ("x.py", Broken)], ""), StateOutcome::Unknown);
        assert_eq!(listed(&[("b", Failed)], ""), StateOutcome::Passes, "it is not there, and everything was loaded");
        assert_eq!(listed(&[("b", Passed)], "coverage is below 80 %"), StateOutcome::Passes);
        assert_eq!(listed(&[("b", Passed)], "FAIL\tx [setup failed]"), StateOutcome::Unknown);
    }
}
