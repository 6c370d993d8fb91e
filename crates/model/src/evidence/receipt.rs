//! What is kept of a command of a gate: what ran, how it ended, what it printed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{numbers::TestCounts, results::TestResult};
use crate::{ids::Digest, text};

/// The most characters that are shown of the name of a test.
const NAME_SHOWN: usize = 120;

/// The evidence of one command of a gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct CommandReceipt {
    /// The program and its arguments.
    pub argv: Vec<String>,
    /// Whether the plan or the configuration asked for it.
    pub asked_by: AskedBy,
    /// The exit code; `None` when a signal ended it or it never began.
    pub exit_code: Option<i32>,
    /// Why there is no exit code: the signal, the time limit, or why it could not be started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// How many tests it ran, when it said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tests: Option<TestCounts>,
    /// Those of its tests that an earlier command of the same gate ran as well, where both wrote results by name. They
    /// count once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeated: Option<TestCounts>,
    /// The tests that failed, by name, as its runner wrote them, else as it printed them: the first of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failing: Vec<TestResult>,
    /// What its output says is missing, where that is a path or a package of the repository itself: somebody's work, which
    /// nobody can install.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing_own: Option<String>,
    /// The log of its output, as a path in the run's folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<String>,
    /// The digest of its whole output.
    pub output_digest: Digest,
    /// The end of its output, bounded.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub output_tail: String,
}

/// Characters of the line that names an error.
const ERROR_CHARS: usize = 200;

/// Lines above an error of Python in which its traceback names the place.
const TRACEBACK_LINES: usize = 8;

impl CommandReceipt {
    /// Adds up the tests that commands ran; those that an earlier one of them ran as well count once. `None` where none was
    /// counted.
    pub fn total<'a>(commands: impl IntoIterator<Item = &'a Self>) -> Option<TestCounts> {
        commands.into_iter().filter_map(Self::own_tests).reduce(TestCounts::plus)
    }

    /// Counts its tests without those that an earlier command ran as well.
    #[must_use]
    pub fn own_tests(&self) -> Option<TestCounts> {
        let tests = self.tests?;
        Some(self.repeated.map_or(tests, |repeated| tests.minus(repeated)))
    }

    /// Names the tests that failed, at most `max` of them, and says how many more there are; nothing when none is known by
    /// name.
    #[must_use]
    pub fn failing_tests(&self, max: usize) -> Option<String> {
        let names = self.failing.iter().take(max).map(|test| text::code(&text::truncate(&test.name, NAME_SHOWN)));
        let shown: Vec<_> = names.collect();
        let all = self.tests.map_or(0, |tests| usize::try_from(tests.failed).unwrap_or(usize::MAX));
        let more = all.max(self.failing.len()) - shown.len();
        match (shown.is_empty(), more) {
            (true, _) => None,
            (false, 0) => Some(shown.join(", ")),
            (false, more) => Some(format!("{} and {more} more", shown.join(", "))),
        }
    }

    /// Returns at most `max` lines that say why it failed, no empty ones and no rulers: what its runner recorded of the first
    /// test that failed, with what it printed before that where it printed it, else the end of what it printed.
    #[must_use]
    pub fn telling_lines(&self, max: usize) -> Vec<String> {
        let telling = |line: &&str| line.chars().any(char::is_alphanumeric);
        let lines =
            |text: &str| -> Vec<_> { text.lines().filter(telling).map(|line| line.trim_end().to_owned()).collect() };
        let printed = lines(&text::plain(&self.output_tail));
        let Some(mut recorded) = self.recorded_message().map(|message| lines(&message)) else {
            return printed[printed.len().saturating_sub(max)..].to_vec();
        };
        recorded.truncate(max);
        let last = recorded.last().map_or("", |line| line.trim());
        match printed.iter().rposition(|line| line.contains(last)) {
            Some(at) => printed[(at + 1).saturating_sub(max)..=at].to_vec(),
            None => recorded,
        }
    }

    /// Returns the line that names an error the way most languages do: `AssertionError: 3 != 5`, `E   assert 3 == 5`,
    /// `error: no such command`, `panicked at src/a.rs:3:5`, `a_test.go:12: 3, not 5`. It is the last such line of what its
    /// runner recorded of the first test that failed, else of what it printed, which may name the place, too.
    #[must_use]
    pub fn error_line(&self) -> Option<String> {
        let printed = error_line(&text::plain(&self.output_tail));
        let recorded = self.recorded_message().and_then(|message| error_line(&message));
        match (recorded, printed) {
            (Some(recorded), Some(printed)) if printed.ends_with(&recorded) => Some(printed),
            (recorded, printed) => recorded.or(printed),
        }
    }

    /// Returns what its runner recorded of the first test that failed.
    fn recorded_message(&self) -> Option<String> {
        let message = &self.failing.iter().find(|test| !test.message.trim().is_empty())?.message;
        Some(text::plain(message))
    }

    /// Returns the last lines of what it printed, at most `max` of them.
    #[must_use]
    pub fn last_lines(&self, max: usize) -> String {
        let plain = text::plain(&self.output_tail);
        let lines: Vec<_> = plain.trim_end().lines().collect();
        lines[lines.len().saturating_sub(max)..].join("\n")
    }
}

fn error_line(text: &str) -> Option<String> {
    let names_error = |line: &&str| {
        let first = line.split([':', ' ']).next().unwrap_or_default();
        let of_python = first.len() > 5 && (first.ends_with("Error") || first.ends_with("Exception"));
        of_python && line.len() > first.len()
            || ["E   ", "error: ", "Error: ", "error[", "panic: "].iter().any(|begin| line.starts_with(begin))
            || line.contains("panicked at ")
            || begins_with_place(line)
    };
    let lines: Vec<_> = text.lines().map(str::trim).collect();
    let at = lines.iter().rposition(names_error)?;
    let place = python_place(&lines[at.saturating_sub(TRACEBACK_LINES)..at]).unwrap_or_default();
    Some(text::truncate(&format!("{place}{}", lines[at]), ERROR_CHARS))
}

/// Tells whether a line begins with a place and says something of it: `a_test.go:12: 3, not 5`.
fn begins_with_place(line: &str) -> bool {
    let Some((place, said)) = line.split_once(": ") else { return false };
    let mut parts = place.split(':');
    let names_file = |file: &str| {
        let ending = file.rsplit_once('.').map_or("", |(_, ending)| ending);
        ending.starts_with(|c: char| c.is_ascii_alphabetic()) && !file.contains(char::is_whitespace)
    };
    let is_file = parts.next().is_some_and(names_file);
    let numbers: Vec<_> = parts.collect();
    is_file
        && !said.trim().is_empty()
        && matches!(numbers.len(), 1 | 2)
        && numbers.iter().all(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Returns the last place that lines of a traceback name, with its line of code: `tests/test_a.py:11: self.assertEqual(a, b): `.
fn python_place(lines: &[&str]) -> Option<String> {
    let at = lines.iter().rposition(|line| line.starts_with("File \""))?;
    let (path, rest) = lines[at].strip_prefix("File \"")?.split_once("\", line ")?;
    let number: String = rest.chars().take_while(char::is_ascii_digit).collect();
    // Below it stands a line of marks under the part that failed, in newer versions.
    let code = lines.get(at + 1).filter(|code| code.chars().any(char::is_alphanumeric));
    let code = code.map(|code| format!("{code}: ")).unwrap_or_default();
    Some(format!("{path}:{number}: {code}"))
}

/// Who asked for a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AskedBy {
    /// The plan's Verification section.
    Plan,
    /// The repository's configuration.
    Configuration,
}

impl AskedBy {
    /// Returns the name in lower case.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Configuration => "configuration",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::results::TestState;

    fn error_line(output: &str) -> Option<String> {
        let mut receipt = crate::summary::fixture::command(&["tests"], None);
        output.clone_into(&mut receipt.output_tail);
        receipt.error_line()
    }

    #[test]
    fn tests_that_an_earlier_command_ran_count_once() {
        let first = crate::summary::fixture::command(&["make", "test"], Some((24, 1, 0)));
        let repeated = CommandReceipt { repeated: first.tests, ..first.clone() };
        let total = CommandReceipt::total([&first, &repeated]).unwrap();
        assert_eq!((total.passed, total.failed), (24, 1));
        assert_eq!(CommandReceipt::total([]), None);
    }

    #[test]
    fn an_error_is_told_with_its_place_where_a_traceback_names_one() {
        let python = "Traceback (most recent call last):\n  File \"tests/test_a.py\", line 11, in test_it\n    \
                      self.assertEqual(total(2), 3)\n    ~~~~^^^^\nAssertionError: 2 != 3\n\nRan 1 test in 0.1s\n";
        let told = "tests/test_a.py:11: self.assertEqual(total(2), 3): AssertionError: 2 != 3";
        assert_eq!(error_line(python).as_deref(), Some(told));
        let rust = "thread 't' panicked at src/a.rs:3:5:\nassertion failed\n";
        assert_eq!(error_line(rust).as_deref(), Some("thread 't' panicked at src/a.rs:3:5:"));
        assert_eq!(error_line("File \"a.py\", line\nValueError: x\n").as_deref(), Some("ValueError: x"));
        assert_eq!(error_line("all is well\n"), None);
        let go =
            "=== RUN   TestTtl\n    api_test.go:88: ttl of more than a year: 201\n--- FAIL: TestTtl (0.00s)\nFAIL\n";
        assert_eq!(error_line(go).as_deref(), Some("api_test.go:88: ttl of more than a year: 201"));
        assert_eq!(error_line("12:30:01 a.b: started\n10.0.0.1:80: refused\nhttp://a.b:80: x\n"), None);
    }

    #[test]
    fn what_a_runner_recorded_of_a_failing_test_comes_before_the_end_of_the_output() {
        let mut receipt = crate::summary::fixture::command(&["go", "test", "./..."], Some((5, 1, 0)));
        receipt.output_tail = "--- PASS: TestLast (0.00s)\nPASS\n".to_owned();
        assert_eq!(receipt.telling_lines(5), ["--- PASS: TestLast (0.00s)", "PASS"]);
        assert_eq!(receipt.error_line(), None);
        let silent = TestResult::new("", "a.TestSilent", TestState::Failed);
        let message = "api_test.go:80: made\n\n    api_test.go:88: ttl of more than a year: 201\n--- FAIL: TestTtl";
        receipt.failing = vec![silent, TestResult::new("", "a.TestTtl", TestState::Failed).because(message)];
        let told = ["api_test.go:80: made", "    api_test.go:88: ttl of more than a year: 201", "--- FAIL: TestTtl"];
        assert_eq!(receipt.telling_lines(5), told);
        assert_eq!(receipt.telling_lines(1), told[..1]);
        assert_eq!(receipt.error_line().as_deref(), Some("api_test.go:88: ttl of more than a year: 201"));

        // Where it was printed, what stands before it belongs to it.
        let (file, code, error) =
            ("  File \"tests/a.py\", line 11, in test_it", "    self.assertEqual(a, b)", "AssertionError: 2 != 3");
        receipt.output_tail =
            format!("FAIL: test_it\n----\n{file}\n{code}\n{error}\n\nRan 3 tests\nFAILED (failures=1)\n");
        receipt.failing = vec![TestResult::new("", "a.test_it", TestState::Failed).because(error)];
        assert_eq!(receipt.telling_lines(3), [file, code, error]);
        assert_eq!(
            receipt.error_line().as_deref(),
            Some("tests/a.py:11: self.assertEqual(a, b): AssertionError: 2 != 3")
        );
    }
}
