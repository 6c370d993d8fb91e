//! XML: JUnit in its many hands, NUnit, xUnit.net, TRX and TestNG.

use quick_xml::{
    Reader,
    events::{BytesStart, Event},
};

use super::super::{
    loading::error_says_not_loaded,
    results::{Results, TestResult, TestState},
};
use crate::text;

/// The deepest nesting of elements that is followed.
const DEPTH_MAX: usize = 64;

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
    #[error("it is no JUnit report: its root is `{root}`, and it holds no test suite")]
    OtherRoot {
        /// The name of the root element, empty when there is none.
        root: String,
    },
    /// It is nested deeper than any report is.
    #[error("its elements are nested more than {DEPTH_MAX} deep")]
    TooDeep,
}

/// Decodes a file as it declares: by its byte order mark, by `encoding="…"` in its first line, else as UTF-8.
#[must_use]
pub(super) fn decode(bytes: &[u8]) -> String {
    let declared = || {
        let head = String::from_utf8_lossy(&bytes[..bytes.len().min(200)]).into_owned();
        let declaration = head.trim_start().strip_prefix("<?xml")?.split_once("?>")?.0.to_owned();
        let (_, value) = declaration.split_once("encoding")?;
        let value = value.trim_start().strip_prefix('=')?.trim_start();
        let quote = value.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
        encoding_rs::Encoding::for_label(value[1..].split(quote).next()?.as_bytes())
    };
    let encoding = encoding_rs::Encoding::for_bom(bytes).map(|(encoding, _)| encoding).or_else(declared);
    encoding.unwrap_or(encoding_rs::UTF_8).decode(bytes).0.into_owned()
}

/// A test while its element is open.
#[derive(Debug)]
struct Open {
    depth: usize,
    suite: String,
    name: String,
    file: Option<String>,
    failed: Option<TestState>,
    skipped: Option<TestState>,
    todo: bool,
    message: String,
}

impl Open {
    fn close(self) -> TestResult {
        let state = match (self.failed, self.skipped) {
            // A failed test that is marked as still to do, or as one that may fail.
            (Some(_), Some(skipped)) if self.todo => skipped,
            (Some(failed), _) => failed,
            (None, Some(skipped)) => skipped,
            (None, None) => TestState::Passed,
        };
        TestResult::new(&self.suite, &self.name, state).in_file(self.file.as_deref()).because(&self.message)
    }
}

/// Reads the test cases of a report.
///
/// The cases are counted, never the totals that suites carry: those are missing, wrong or repeated on every level,
/// depending on who wrote them. Entities are not expanded, so none can grow.
///
/// # Errors
/// When the file is not well-formed, or no report.
pub fn xml(content: &str) -> Result<Results, JunitError> {
    let mut reader = Reader::from_str(content);
    let mut results = Results::default();
    let mut open: Vec<String> = Vec::new();
    let mut suites: Vec<(usize, String, Option<String>)> = Vec::new();
    let mut root = String::new();
    let mut known = false;
    let mut case: Option<Open> = None;
    loop {
        let event = reader.read_event().map_err(|error| JunitError::Malformed {
            offset: reader.error_position(),
            message: text::terminal(&error.to_string()),
        })?;
        let (element, has_content) = match &event {
            Event::Start(element) => (element, true),
            Event::Empty(element) => (element, false),
            Event::End(_) => {
                open.pop();
                if case.as_ref().is_some_and(|case| case.depth == open.len()) {
                    case.take().map(Open::close).into_iter().for_each(|test| results.push(test));
                }
                suites.retain(|(depth, ..)| *depth < open.len());
                continue;
            }
            Event::Text(words) => {
                note(&mut case, &open, words.as_ref());
                continue;
            }
            Event::CData(words) => {
                note(&mut case, &open, words.as_ref());
                continue;
            }
            Event::Eof if !open.is_empty() => {
                let message = format!("the element `{}` is not closed", text::terminal(&open.join("/")));
                return Err(JunitError::Malformed { offset: reader.buffer_position(), message });
            }
            Event::Eof if root.is_empty() || !known => {
                return Err(JunitError::OtherRoot { root: text::truncate(&text::terminal(&root), 40) });
            }
            Event::Eof => {
                results.join_reruns();
                return Ok(results);
            }
            _ => continue,
        };
        let name = element.local_name().as_ref().to_owned();
        if open.is_empty() {
            root.clone_from(&name);
        }
        known |= is_suite(&name, open.is_empty());
        if let Some(begun) = case_of(&name, element, &suites, open.len()).filter(|_| case.is_none() && known) {
            if has_content {
                case = Some(begun);
            } else {
                results.push(begun.close());
            }
        } else if let Some(case) = case.as_mut().filter(|case| case.depth + 1 == open.len()) {
            inside(case, &name, element);
        } else if is_suite(&name, false) {
            let file = attribute(element, "file").or_else(|| attribute(element, "filepath"));
            suites.push((open.len(), attribute(element, "name").unwrap_or_default(), file));
        }
        if has_content {
            open.push(name);
            if open.len() > DEPTH_MAX {
                return Err(JunitError::TooDeep);
            }
        }
    }
}

/// Tells whether an element holds test cases, whoever made the root around it.
fn is_suite(name: &str, is_root: bool) -> bool {
    matches!(name, "testsuite" | "test-suite" | "UnitTestResult" | "test-method")
        || (is_root
            && matches!(name, "testsuites" | "assemblies" | "assembly" | "test-run" | "TestRun" | "testng-results"))
}

/// Begins a test case where an element is one.
fn case_of(
    name: &str,
    element: &BytesStart<'_>,
    suites: &[(usize, String, Option<String>)],
    depth: usize,
) -> Option<Open> {
    let get = |name: &str| attribute(element, name);
    let new = |suite: String, name: String, file: Option<String>| Open {
        depth,
        suite,
        name,
        file,
        failed: None,
        skipped: None,
        todo: false,
        message: String::new(),
    };
    let verdict = |mut open: Open, verdict: &str| {
        match verdict.to_ascii_lowercase().as_str() {
            "passed" | "pass" | "success" => {}
            "failed" | "fail" | "error" | "timeout" | "aborted" => open.failed = Some(TestState::Failed),
            _ => open.skipped = Some(TestState::Skipped),
        }
        open
    };
    match name {
        "testcase" => {
            let suite = suites.last();
            let class = get("classname").or_else(|| get("class")).filter(|class| !class.is_empty() && class != "test");
            let file = get("file").or_else(|| suite.and_then(|(.., file)| file.clone()));
            let names = || suites.iter().map(|(_, name, _)| name.as_str()).filter(|name| !name.is_empty());
            // node writes the suites as elements, and nothing into the class.
            let class = class.unwrap_or_else(|| {
                if get("classname").as_deref() == Some("test") || get("classname").is_none() {
                    names().collect::<Vec<_>>().join(" › ")
                } else {
                    String::new()
                }
            });
            let mut open = new(class, get("name").unwrap_or_default(), file);
            status(&mut open, element);
            Some(open)
        }
        "test-case" => {
            let full = get("fullname").or_else(|| get("name")).unwrap_or_default();
            Some(verdict(new(String::new(), full, None), &get("result").unwrap_or_default()))
        }
        "test" if get("result").is_some() => {
            Some(verdict(new(String::new(), get("name").unwrap_or_default(), None), &get("result").unwrap_or_default()))
        }
        "UnitTestResult" => {
            let name = get("testName").unwrap_or_default();
            Some(verdict(new(String::new(), name, None), &get("outcome").unwrap_or_default()))
        }
        "test-method" if get("is-config").as_deref() != Some("true") => {
            let name = get("signature").or_else(|| get("name")).unwrap_or_default();
            let name = name.split_once("[pri:").map_or(name.as_str(), |(name, _)| name).to_owned();
            Some(verdict(new(String::new(), name, None), &get("status").unwrap_or_default()))
        }
        _ => None,
    }
}

/// Reads what some writers (GoogleTest, CTest) say in an attribute instead of an element: that it was not run.
fn status(open: &mut Open, element: &BytesStart<'_>) {
    let says = |name: &str, values: &[&str]| {
        attribute(element, name).is_some_and(|value| values.iter().any(|other| value.eq_ignore_ascii_case(other)))
    };
    if says("status", &["notrun", "disabled", "skipped"]) || says("result", &["suppressed", "skipped"]) {
        open.skipped = Some(TestState::Skipped);
    }
    if says("status", &["fail", "failed"]) {
        open.failed = Some(TestState::Failed);
    }
}

/// Reads an element directly inside of a test case.
fn inside(case: &mut Open, name: &str, element: &BytesStart<'_>) {
    let kind = attribute(element, "type").unwrap_or_default();
    match name {
        // PHPUnit: a test without an assertion is risky, and not red.
        "error" | "warning" if kind.contains("Risky") => {}
        "failure" | "error" => {
            // What could not be loaded or set up is an error everywhere, but so is any other exception in most.
            let message = attribute(element, "message").unwrap_or_default();
            let state = if error_says_not_loaded(&kind, &message) { TestState::Broken } else { TestState::Failed };
            case.failed = Some(case.failed.map_or(state, |other| other.min(state)));
            if case.message.is_empty() {
                case.message = message;
            }
        }
        "skipped" | "disabled" | "ignored" => {
            // Catch2 writes the failure and that it may fail.
            let may_fail = attribute(element, "message").is_some_and(|message| message.contains("!mayfail"));
            case.todo |= kind == "todo" || may_fail;
            let expected = kind == "pytest.xfail" || may_fail;
            case.skipped = Some(if expected { TestState::ExpectedFailure } else { TestState::Skipped });
        }
        _ => {}
    }
}

/// Keeps the text of a failure, where its message says nothing.
fn note(case: &mut Option<Open>, open: &[String], words: &str) {
    let Some(case) = case else { return };
    let of_failure =
        open.get(case.depth + 1).is_some_and(|name| matches!(name.as_str(), "failure" | "error" | "Output"));
    if !of_failure || case.failed.is_none() {
        return;
    }
    if error_says_not_loaded("", words.get(..words.len().min(2000)).unwrap_or_default()) && case.message.is_empty() {
        case.failed = Some(TestState::Broken);
    }
    if case.message.trim().is_empty() {
        case.message = words.trim().to_owned();
    }
}

fn attribute(element: &BytesStart<'_>, name: &str) -> Option<String> {
    let value = element.try_get_attribute(name).ok().flatten()?.value.into_owned();
    // Entities of the document itself are left as they stand.
    Some(quick_xml::escape::unescape(&value).map_or_else(|_| value.clone(), std::borrow::Cow::into_owned))
}
