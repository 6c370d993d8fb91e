//! How many tests a command ran, as its JUnit XML or its closing lines say.

use quick_xml::{Reader, events::Event};

use super::{CountSource, TestCounts};
use crate::text;

mod runners;

/// The deepest nesting of elements that is followed in JUnit XML.
const JUNIT_DEPTH_MAX: usize = 64;

/// Says why a file is not JUnit XML.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JunitError {
    /// It is not well-formed XML.
    #[error("it is not well-formed XML (byte {offset}): {message}")]
    Malformed {
        /// Where, in bytes from the beginning.
        offset: u64,
        /// What is wrong.
        message: String,
    },
    /// It is XML of another kind.
    #[error("it is no JUnit report: its root is `{root}`, not `testsuites` or `testsuite`")]
    OtherRoot {
        /// The name of the root element, empty when there is none.
        root: String,
    },
    /// It is nested deeper than any report is.
    #[error("its elements are nested more than {JUNIT_DEPTH_MAX} deep")]
    TooDeep,
}

impl TestCounts {
    /// Returns the number of tests that ran to a result: skipped ones did not.
    #[must_use]
    pub fn executed(&self) -> u64 {
        self.passed.saturating_add(self.failed)
    }

    /// Adds the counts of another file or run. The source stays JUnit only when both are.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        let junit = self.source == CountSource::Junit && other.source == CountSource::Junit;
        Self {
            passed: self.passed.saturating_add(other.passed),
            failed: self.failed.saturating_add(other.failed),
            skipped: self.skipped.saturating_add(other.skipped),
            source: if junit { CountSource::Junit } else { CountSource::Output },
        }
    }
}

/// Counts the test cases of one JUnit XML file.
///
/// The `testcase` elements are counted, never the totals that suites carry: those are missing, wrong or repeated on
/// every level, depending on who wrote them. Entities are not expanded, so none can grow.
///
/// # Errors
/// When the file is not well-formed, or not JUnit XML.
pub fn from_junit(xml: &str) -> Result<TestCounts, JunitError> {
    let mut counts = TestCounts { passed: 0, failed: 0, skipped: 0, source: CountSource::Junit };
    let mut reader = Reader::from_str(xml.trim_start_matches('\u{feff}'));
    let mut open: Vec<String> = Vec::new();
    let mut root_seen = false;
    // What the test case that is open has been seen to be: failed, skipped.
    let mut case: Option<(bool, bool)> = None;
    loop {
        let event = reader.read_event().map_err(|error| JunitError::Malformed {
            offset: reader.error_position(),
            message: text::terminal(&error.to_string()),
        })?;
        let (element, has_content) = match &event {
            Event::Start(element) => (element, true),
            Event::Empty(element) => (element, false),
            Event::End(_) => {
                if open.pop().as_deref() == Some("testcase")
                    && let Some(seen) = case.take()
                {
                    add_case(&mut counts, seen);
                }
                continue;
            }
            Event::Eof if !open.is_empty() => {
                let message = format!("the element `{}` is not closed", text::terminal(&open.join("/")));
                return Err(JunitError::Malformed { offset: reader.buffer_position(), message });
            }
            Event::Eof if !root_seen => return Err(JunitError::OtherRoot { root: String::new() }),
            Event::Eof => return Ok(counts),
            _ => continue,
        };
        let name = element.local_name().as_ref().to_owned();
        if open.is_empty() && !matches!(name.as_str(), "testsuites" | "testsuite") {
            let root = text::truncate(&text::terminal(&name), 40);
            return Err(JunitError::OtherRoot { root });
        }
        root_seen = true;
        let in_case = open.last().is_some_and(|parent| parent == "testcase");
        match name.as_str() {
            "testcase" if !has_content => add_case(&mut counts, status_of(element)),
            "testcase" => case = Some(status_of(element)),
            "failure" | "error" if in_case => case = case.map(|(_, skipped)| (true, skipped)),
            "skipped" | "disabled" if in_case => case = case.map(|(failed, _)| (failed, true)),
            _ => {}
        }
        if has_content {
            open.push(name);
            if open.len() > JUNIT_DEPTH_MAX {
                return Err(JunitError::TooDeep);
            }
        }
    }
}

/// Reads what some writers (GoogleTest, CTest) say in an attribute instead of an element: that it was not run.
fn status_of(element: &quick_xml::events::BytesStart<'_>) -> (bool, bool) {
    let says = |name: &str, values: &[&str]| {
        element
            .try_get_attribute(name)
            .ok()
            .flatten()
            .is_some_and(|attribute| values.iter().any(|value| attribute.value.eq_ignore_ascii_case(value)))
    };
    let skipped = says("status", &["notrun", "disabled", "skipped"]) || says("result", &["suppressed", "skipped"]);
    (says("status", &["fail", "failed"]), skipped)
}

fn add_case(counts: &mut TestCounts, (failed, skipped): (bool, bool)) {
    let slot = if failed {
        &mut counts.failed
    } else if skipped {
        &mut counts.skipped
    } else {
        &mut counts.passed
    };
    *slot = slot.saturating_add(1);
}

/// Counts the tests that known runners say they ran, in what a command printed.
///
/// A command may run several runners, or one several times: what each run says is added, and said twice counts once.
/// Returns `None` when no line is that of a known runner, and counts of 0 when one says that it ran nothing.
#[must_use]
pub fn from_output(output: &str) -> Option<TestCounts> {
    let plain = text::plain(output);
    let lines: Vec<&str> = plain.lines().map(str::trim_end).collect();
    runners::ALL.iter().filter_map(|(_, count)| count(&lines)).reduce(TestCounts::plus)
}

#[cfg(test)]
mod tests;
