//! What a command left: its results from files, its words, and what is wrong with them.

use std::collections::BTreeMap;

use super::{
    ask::Where,
    results::{Results, TestResult, TestState},
    words::Words,
};
use crate::{
    evidence::numbers::{CountSource, TestCounts},
    text,
};

/// Everything that was found of one command.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// The results of all files, where there was one.
    pub results: Option<Results>,
    /// What its runner printed.
    pub words: Option<Words>,
    /// Why a file could not be read.
    pub broken: Option<String>,
    /// What went wrong in a recorder of ours, so that it left no results.
    pub recorder: Option<String>,
}

/// The evidence of one command.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recorded {
    /// How many tests ran.
    pub counts: Option<TestCounts>,
    /// The results test by test.
    pub results: Option<Results>,
    /// Why it is red although it succeeded.
    pub trouble: Option<String>,
    /// Whether the counts rest on words only.
    pub claimed: bool,
    /// The tests that failed: from files, else by the names that were printed.
    pub failing: Vec<TestResult>,
    /// What went wrong in a recorder of ours.
    pub recorder: Option<String>,
}

/// Weighs what a command left. `runner` is who was asked for results, and where they should be.
#[must_use]
pub fn weigh(runner: Option<(&str, &Where)>, succeeded: bool, found: Found) -> Recorded {
    let Found { results, words, broken, recorder } = found;
    let unfinished = results.as_ref().and_then(|results| results.unfinished.clone());
    let trouble = if let Some(broken) = broken {
        Some(broken)
    } else if !succeeded {
        None
    } else if let Some(why) = unfinished {
        Some(format!("the results that the runner wrote are not whole: {why}"))
    } else {
        match (&results, runner) {
            // That our recorder failed is no fault of the suite, which then counts by its words.
            (None, Some((name, _))) if !nothing_ran(words.as_ref()) && recorder.is_none() => Some(format!(
                "{name} was asked to write its results into a file, and left none: something ended it before its end, or took its place"
            )),
            (None, _) => words
                .as_ref()
                .and_then(|words| words.unfinished.clone())
                .map(|why| format!("the run is not whole: {why}")),
            (Some(_), _) => None,
        }
    };
    let counts = results.as_ref().map(Results::counts).or_else(|| words.as_ref().map(|words| words.counts));
    let claimed = results.is_none() && words.is_some();
    let failing = match (&results, words) {
        (Some(results), _) => results.failing().cloned().collect(),
        (None, words) => words.map(|words| words.failing).unwrap_or_default(),
    };
    Recorded { counts, results, trouble, claimed, failing, recorder }
}

/// Tells whether the runner said itself that it ran nothing; it may leave no file then.
fn nothing_ran(words: Option<&Words>) -> bool {
    words.is_some_and(|words| words.counts.executed() == 0)
}

/// Reads what the recorder of cargo's test binaries left: the list of tests, and the results that libtest wrote.
#[must_use]
pub fn libtest(program: &str, list: &str, log: Option<&str>, ended: bool) -> Results {
    let name = program.trim().rsplit('/').next().unwrap_or_default();
    let name = name.rsplit_once('-').map_or(name, |(name, _)| name);
    let mut results = Results::default();
    let log = log.unwrap_or_default();
    let mut ends: BTreeMap<&str, TestState> = BTreeMap::new();
    for (verdict, rest) in log.lines().filter_map(|line| line.split_once(' ')) {
        ends.entry(rest).or_insert(match verdict {
            "ok" => TestState::Passed,
            "ignored" => TestState::Skipped,
            _ => TestState::Failed,
        });
    }
    for test in list.lines().filter_map(|line| line.strip_suffix(": test")) {
        // Behind the name the reason may stand for which a test is ignored.
        let with = |mark: &str| {
            let begin = format!("{test}{mark}");
            ends.range(begin.as_str()..).next().filter(|(rest, _)| rest.starts_with(&begin)).map(|(_, state)| *state)
        };
        let state = ends.get(test).copied().or_else(|| [" ", ",", ": "].into_iter().find_map(with));
        match state {
            Some(state) => results.push(TestResult::new(name, test, state)),
            None => {
                results.unfinished.get_or_insert(format!("`{test}` of `{name}` began or should have, and never ended"));
            }
        }
    }
    if !ended {
        results.unfinished.get_or_insert(format!("`{name}` never ended"));
    }
    results
}

/// Makes what a person reads of events: the output that they carry.
#[must_use]
pub fn readable(output: &str) -> String {
    let mut text = String::new();
    for line in output.lines() {
        let event = Some(line)
            .filter(|line| line.starts_with('{'))
            .and_then(|line| serde_json::from_str::<serde_json::Value>(line).ok());
        match event.as_ref().and_then(|event| event.get("Action").map(|_| event)) {
            Some(event) => text.push_str(event.get("Output").and_then(|output| output.as_str()).unwrap_or_default()),
            None => {
                text.push_str(line);
                text.push('\n');
            }
        }
    }
    text
}

/// Names the tests that failed, for people: at most `max` of them.
#[must_use]
pub fn failing(results: &Results, max: usize) -> Vec<String> {
    results.failing().take(max).map(|test| text::terminal(&test.name)).collect()
}

/// Tells whether counts come from files.
#[must_use]
pub fn from_files(counts: TestCounts) -> bool {
    counts.source == CountSource::Junit
}

#[cfg(test)]
mod tests {
    use super::{super::words, *};

    fn found(results: Option<Results>, output: &str) -> Found {
        Found { results, words: words::read(output), broken: None, recorder: None }
    }

    fn passed() -> Results {
        Results { tests: vec![TestResult::new("", "a", TestState::Passed)], unfinished: None }
    }

    #[test]
    fn a_suite_that_passed_and_left_no_file_is_red() {
        let pytest = Some(("pytest", &Where::Results));
        let forged = weigh(pytest, true, found(None, "250 passed in 0.10s\n"));
        assert!(forged.trouble.unwrap().contains("left none"));
        assert_eq!(weigh(pytest, true, found(Some(passed()), "1 passed in 0.10s\n")).trouble, None);
        assert_eq!(weigh(pytest, false, found(None, "")).trouble, None, "it failed anyway");
        let half = Results { unfinished: Some("it stops".to_owned()), ..passed() };
        assert!(weigh(pytest, true, found(Some(half), "")).trouble.unwrap().contains("not whole"));
        let nothing = weigh(pytest, true, found(None, "no tests ran in 0.01s\n"));
        assert_eq!((nothing.trouble, nothing.counts.unwrap().executed()), (None, 0));
    }

    #[test]
    fn a_recorder_that_failed_makes_no_suite_red_and_names_come_from_the_words() {
        let unittest = Some(("unittest", &Where::Results));
        let crashed = |output: &str| Found { recorder: Some("it failed".to_owned()), ..found(None, output) };
        let green = weigh(unittest, true, crashed("Ran 2 tests in 0.1s\n\nOK\n"));
        assert_eq!((green.trouble, green.counts.unwrap().passed, green.claimed), (None, 2, true));
        assert!(green.recorder.is_some());
        let red = weigh(
            unittest,
            false,
            crashed("FAIL: test_a (t.T.test_a)\n\nRan 2 tests in 0.1s\n\nFAILED (failures=1)\n"),
        );
        assert_eq!((red.counts.unwrap().failed, red.failing[0].name.as_str()), (1, "t.T.test_a"));
    }

    #[test]
    fn words_alone_are_a_claim() {
        let make = weigh(None, true, found(None, "3 passed in 0.10s\n"));
        assert!(make.claimed && make.trouble.is_none());
        let binary = weigh(
            None,
            true,
            found(
                None,
                "running 3 tests\ntest result: ok. 250 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n",
            ),
        );
        assert!(binary.trouble.unwrap().contains("not whole"));
        // The file is what counts, whatever was printed.
        let both = weigh(None, true, found(Some(passed()), "250 passed in 0.10s\n"));
        assert_eq!((both.counts.unwrap().passed, both.claimed), (1, false));
    }

    #[test]
    fn a_test_binary_that_stops_in_the_middle_is_noticed() {
        let list = "tests::a: test\ntests::b: test\n";
        let whole = libtest("/x/deps/cart-0a1b", list, Some("ok tests::a\nfailed tests::b\n"), true);
        assert_eq!((whole.counts().passed, whole.counts().failed, whole.unfinished.clone()), (1, 1, None));
        assert_eq!(whole.tests[0].name, "cart › tests::a");
        assert!(libtest("/x/deps/cart-0a1b", list, Some("ok tests::a\n"), true).unfinished.is_some());
        assert!(libtest("/x/deps/cart-0a1b", list, None, false).unfinished.is_some());
    }

    #[test]
    fn events_are_shown_as_what_they_say() {
        let output = "# pkg\n{\"Action\":\"output\",\"Output\":\"--- FAIL: TestA\\n\"}\n{\"Action\":\"fail\"}\n";
        assert_eq!(readable(output), "# pkg\n--- FAIL: TestA\n");
    }
}
