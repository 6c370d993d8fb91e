//! The base's own tests on the final tree: which of them fail there, and whether the reviewer confirmed that a requirement
//! asks for it.

use super::{
    gathered::{finding, names},
    numbers::TestCounts,
    receipt::CommandReceipt,
    results::{Results, TestResult, TestState, compare},
};
use crate::{
    command,
    findings::{Finding, FindingCode, Weight},
    ids::TaskId,
    text,
};

/// The most findings of one kind.
const FINDINGS_MAX: usize = 20;

/// Who changed a file of the tests, and whether the reviewer confirmed that a test may be another now.
pub trait Changes {
    /// Returns the task that changed this file last.
    fn author_of(&self, file: &str) -> Option<TaskId>;
    /// Tells whether the reviewer confirmed the change of this test, with the requirement that asks for it.
    fn is_confirmed(&self, test: &str) -> bool;
}

/// What the base's own tests came to on the final tree.
#[derive(Debug, Clone, Copy)]
pub struct OnFinal<'a> {
    pub commands: &'a [CommandReceipt],
    /// The results test by test, where the runner wrote some.
    pub results: Option<&'a Results>,
    /// The tests that failed, from what was written, else by the names that were printed.
    pub failing: &'a [TestResult],
    /// Whether a command failed that had succeeded on the base.
    pub failed: bool,
}

impl OnFinal<'_> {
    /// Says what failed, for people.
    fn what_failed(&self) -> String {
        let failed = self.commands.iter().find(|command| command.exit_code != Some(0));
        failed.map_or_else(String::new, |command| {
            let shown = text::code(&text::truncate(&command::join(&command.argv), 120));
            match command.exit_code {
                Some(code) => format!(" ({shown} failed with exit code {code})"),
                None => format!(" ({shown} did not end by itself)"),
            }
        })
    }
}

/// Says which of the base's own tests fail on the final tree. `base` is what they came to on the base, with how many ran.
#[must_use]
pub fn base_tests(
    base: &Results,
    base_counts: Option<TestCounts>,
    on_final: OnFinal<'_>,
    changes: &dyn Changes,
    files: &[String],
) -> Vec<Finding> {
    let Some(results) = on_final.results.filter(|_| !base.tests.is_empty()) else {
        return printed_base_tests(base_counts, on_final, changes, files);
    };
    let difference = compare(base, results);
    let red = difference.turned_red.iter().filter(|change| !changes.is_confirmed(&change.name));
    let mut findings: Vec<Finding> = red
        .take(FINDINGS_MAX)
        .map(|change| {
            let is_broken = change.after == Some(TestState::Broken);
            let file = change.file.as_deref();
            base_test_red(&change.name, is_broken, &change.message, file, changes, files)
        })
        .collect();
    // What cannot be loaded takes its tests along.
    let is_broken = difference.turned_red.iter().any(|change| change.after == Some(TestState::Broken));
    let gone: Vec<_> = difference.gone.iter().filter(|change| change.before != Some(TestState::Skipped)).collect();
    let confirmed = gone.iter().all(|change| changes.is_confirmed(&change.name));
    if findings.is_empty() && !is_broken && !gone.is_empty() && !confirmed {
        let message = format!(
            "{} of the base could not be run on the final tree: {}. What they need of the product is another or is gone: keep it, or the reviewer has to confirm that a requirement asks for it",
            text::count(gone.len(), "test"),
            names(&gone)
        );
        findings.push(finding(FindingCode::BaseTestRed, Weight::Blocking, message));
    } else if findings.is_empty() && difference.turned_red.is_empty() && gone.is_empty() && on_final.failed {
        findings.push(without_names(&on_final, "no test of the base fails by name"));
    }
    findings
}

fn base_test_red(
    name: &str,
    is_broken: bool,
    message: &str,
    file: Option<&str>,
    changes: &dyn Changes,
    files: &[String],
) -> Finding {
    let file = file.filter(|file| files.iter().any(|other| other == file)).map(str::to_owned);
    let file = file.or_else(|| file_of(name, files));
    let first = message.lines().next().unwrap_or_default();
    let why = if first.is_empty() { String::new() } else { format!(": {}", text::truncate(first, 160)) };
    let what = if is_broken { "cannot be loaded" } else { "fails" };
    let message = format!(
        "the base's own test {} {what} on the final tree{why}. Either the implementation breaks it, or the reviewer has to confirm that a requirement asks for it",
        text::code(name)
    );
    let mut finding = finding(FindingCode::BaseTestRed, Weight::Blocking, message);
    finding.task = file.as_deref().and_then(|file| changes.author_of(file));
    finding.path = file;
    finding
}

/// The same, where tests are known only by what was printed: the reviewer's word counts when every failure that the runner
/// counts has a name that is confirmed, and no test is missing.
fn printed_base_tests(
    base: Option<TestCounts>,
    on_final: OnFinal<'_>,
    changes: &dyn Changes,
    files: &[String],
) -> Vec<Finding> {
    if !on_final.failed {
        return Vec::new();
    }
    let Some(now) =
        CommandReceipt::total(on_final.commands).filter(|now| now.failed > 0 && !on_final.failing.is_empty())
    else {
        return vec![without_names(&on_final, "which tests failed could not be read from what was printed")];
    };
    let is_confirmed = |test: &&TestResult| test.state == TestState::Failed && changes.is_confirmed(&test.name);
    let confirmed = on_final.failing.iter().filter(is_confirmed).count();
    let all_ran = base.is_none_or(|base| now.executed() >= base.executed());
    let covered = u64::try_from(confirmed).is_ok_and(|confirmed| confirmed >= now.failed);
    if covered && all_ran {
        return Vec::new();
    }
    let mut findings: Vec<Finding> = on_final
        .failing
        .iter()
        .filter(|test| !is_confirmed(test))
        .take(FINDINGS_MAX)
        .map(|test| {
            let is_broken = test.state == TestState::Broken;
            base_test_red(&test.name, is_broken, &test.message, test.file.as_deref(), changes, files)
        })
        .collect();
    if findings.is_empty() {
        let (before, after) = (base.map_or(0, |base| base.executed()), now.executed());
        let what = if all_ran {
            format!("{} tests failed, and {confirmed} of them have a name that was printed and confirmed", now.failed)
        } else {
            format!("{after} of its {before} tests ran")
        };
        findings.push(without_names(&on_final, &what));
    }
    findings
}

/// Says that it could not be told which tests of the base fail, and what to do.
fn without_names(on_final: &OnFinal<'_>, what: &str) -> Finding {
    let message = format!(
        "the base's own tests do not pass on the final tree{}, and {what}. Keep what they need of the product; to know each test by name, name its runner itself under `gates.tests.commands`, such as `python3 -m pytest`",
        on_final.what_failed()
    );
    finding(FindingCode::BaseTestRed, Weight::Blocking, message)
}

/// Guesses the file of a test by its name: `tests.test_cart.TestCart › test_total` stands in `tests/test_cart.py`.
fn file_of(name: &str, files: &[String]) -> Option<String> {
    let stem = |path: &str| {
        let name = path.rsplit('/').next().unwrap_or(path);
        name.split('.').next().unwrap_or(name).to_owned()
    };
    let words: Vec<&str> = name.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-')).collect();
    files.iter().find(|file| words.contains(&stem(file).as_str())).cloned().or_else(|| match files {
        [one] => Some(one.clone()),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            gathered::{
                names_test,
                tests::{receipt, results},
            },
            numbers::CountSource,
            words,
        },
        *,
    };

    struct Nobody;
    impl Changes for Nobody {
        fn author_of(&self, _: &str) -> Option<TaskId> {
            None
        }
        fn is_confirmed(&self, test: &str) -> bool {
            test == "confirmed"
        }
    }

    #[test]
    fn the_bases_own_tests_are_named_where_they_fail() {
        use TestState::{Failed, Passed};
        let base = results(&[("a", Passed), ("confirmed", Passed)]);
        let files = ["tests/test_a.py".to_owned()];
        let held = |now: Option<&Results>, failed| {
            let on_final = OnFinal { commands: &[], results: now, failing: &[], failed };
            base_tests(&base, Some(base.counts()), on_final, &Nobody, &files)
        };
        let red = held(Some(&results(&[("a", Failed), ("confirmed", Failed)])), true);
        assert_eq!((red.len(), red[0].path.as_deref()), (1, Some("tests/test_a.py")));
        assert_eq!(held(Some(&base), false), []);
        assert_eq!(held(None, true).len(), 1);
        assert_eq!(held(Some(&base), true).len(), 1, "something else is wrong");
        let gone = held(Some(&results(&[("confirmed", Failed)])), true);
        assert!(gone.len() == 1 && gone[0].message.contains("`a`"), "{gone:?}");
        assert_eq!(held(Some(&results(&[("a", Passed)])), true), [], "the reviewer confirmed that it is gone");
    }

    #[test]
    fn where_tests_are_only_printed_the_reviewer_confirms_them_by_the_names_that_were_printed() {
        let said = |ran: u64, names: &[&str]| {
            let failed: String = names.iter().map(|name| format!("FAIL: {name} (tests.test_a.T.{name})\n")).collect();
            format!("{failed}\nRan {ran} tests in 0.1s\n\nFAILED (failures={})\n", names.len())
        };
        let held = |output: &str| {
            let words = words::read(output);
            let failing = words.map(|words| words.failing).unwrap_or_default();
            let commands = [receipt(output)];
            let on_final = OnFinal { commands: &commands, results: None, failing: &failing, failed: true };
            let base = TestCounts { passed: 3, failed: 0, skipped: 0, source: CountSource::Output };
            let found =
                base_tests(&Results::default(), Some(base), on_final, &Printed, &["tests/test_a.py".to_owned()]);
            found.into_iter().map(|finding| finding.message).collect::<Vec<_>>()
        };
        assert_eq!(held(&said(3, &["confirmed"])), [""; 0]);
        let other = held(&said(3, &["confirmed", "test_other"]));
        assert!(other.len() == 1 && other[0].contains("`tests.test_a.T.test_other` fails"), "{other:?}");
        // What was not counted, or did not run, nobody confirmed.
        for output in [
            said(3, &["confirmed"]).replace("failures=1", "failures=2"),
            said(2, &["confirmed"]),
            "Segmentation fault".to_owned(),
        ] {
            let found = held(&output);
            assert!(found.len() == 1 && found[0].contains("`make test` failed with exit code 2"), "{found:?}");
            assert!(found[0].contains("gates.tests.commands"), "{found:?}");
        }
    }

    struct Printed;
    impl Changes for Printed {
        fn author_of(&self, _: &str) -> Option<TaskId> {
            None
        }
        fn is_confirmed(&self, test: &str) -> bool {
            names_test("`tests.test_a.T.confirmed` may change, because `cli-1` asks for it", test)
        }
    }
}
