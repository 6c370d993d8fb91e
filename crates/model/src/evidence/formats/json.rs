//! Whole JSON documents: CTRF, jest and vitest, mocha, RSpec.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::Value;

use super::{
    super::{
        loading::error_says_not_loaded,
        results::{Results, TestResult, TestState},
    },
    FormatError, lines,
};
use crate::{json_size, text};

/// The most values of a document that are read: in memory each is many times what it is in the file.
const VALUES_MAX: u64 = 2_000_000;

/// Reads whichever it is.
pub(super) fn read(content: &str) -> Result<Results, FormatError> {
    let first = content.lines().next().unwrap_or_default();
    let has = |key: &str| first.contains(key);
    // A line an event.
    if has("\"Action\"") {
        return lines::go_json(content);
    }
    if has("\"protocolVersion\"") {
        return lines::dart(content);
    }
    if has("\"type\"") && has("\"event\"") {
        return lines::libtest(content);
    }
    let broken = |error: serde_json::Error| FormatError::Json {
        line: error.line(),
        message: text::terminal(&error.to_string()),
    };
    if json_size::values(content.as_bytes()).map_err(broken)? > VALUES_MAX {
        return Err(FormatError::TooMuch { values: VALUES_MAX });
    }
    let value: Value = serde_json::from_str(content).map_err(broken)?;
    let object = |key: &str| value.get(key).is_some();
    if value.pointer("/results/tests").is_some() {
        ctrf(value)
    } else if object("testResults") {
        jest(value)
    } else if object("examples") && object("summary") {
        rspec(value)
    } else if object("stats") && object("passes") {
        mocha(value)
    } else {
        Err(FormatError::Unknown)
    }
}

fn parse<T: for<'de> Deserialize<'de>>(value: Value) -> Result<T, FormatError> {
    serde_json::from_value(value)
        .map_err(|error| FormatError::Json { line: error.line().max(1), message: text::terminal(&error.to_string()) })
}

#[derive(Debug, Deserialize)]
struct Ctrf {
    results: CtrfResults,
}

#[derive(Debug, Deserialize)]
struct CtrfResults {
    tests: Vec<CtrfTest>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct CtrfTest {
    name: String,
    status: String,
    #[serde(default)]
    suite: Value,
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    file_path: Option<String>,
}

/// Reads the Common Test Report Format.
///
/// # Errors
/// When it does not keep to the format.
pub fn ctrf(value: Value) -> Result<Results, FormatError> {
    let report: Ctrf = parse(value)?;
    let mut results = Results::default();
    report.results.tests.into_iter().for_each(|test| {
        let state = match test.status.as_str() {
            "passed" => TestState::Passed,
            "failed" => TestState::Failed,
            _ => TestState::Skipped,
        };
        // A string in the first version of the format, a list since.
        let suite = match &test.suite {
            Value::String(suite) => suite.clone(),
            Value::Array(parts) => parts.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" › "),
            _ => String::new(),
        };
        let result = TestResult::new(&suite, &test.name, state).in_file(test.file_path.as_deref());
        results.push(result.because(&test.message.unwrap_or_default()));
    });
    Ok(results)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Jest {
    test_results: Vec<JestFile>,
    #[serde(default)]
    was_interrupted: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct JestFile {
    #[serde(default)]
    name: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    message: String,
    assertion_results: Vec<JestTest>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct JestTest {
    #[serde(default)]
    ancestor_titles: Vec<String>,
    title: String,
    status: String,
    #[serde(default)]
    failure_messages: Vec<String>,
}

/// Reads the JSON of jest, which vitest writes too. A file that could not be run is one broken test.
///
/// # Errors
/// When it does not keep to the format.
pub fn jest(value: Value) -> Result<Results, FormatError> {
    let report: Jest = parse(value)?;
    let mut results = Results::default();
    for file in report.test_results {
        if file.assertion_results.is_empty() && file.status == "failed" {
            let short = file.name.rsplit('/').next().unwrap_or(&file.name);
            let broken = TestResult::new("", short, TestState::Broken);
            results.push(broken.in_file(Some(&file.name)).because(&file.message));
        }
        for test in file.assertion_results {
            let state = match test.status.as_str() {
                "passed" => TestState::Passed,
                "failed" => TestState::Failed,
                _ => TestState::Skipped,
            };
            let message = test.failure_messages.first().map_or("", String::as_str);
            let result = TestResult::new(&test.ancestor_titles.join(" › "), &test.title, state);
            results.push(result.in_file(Some(&file.name)).because(message));
        }
    }
    if report.was_interrupted {
        results.unfinished = Some("the run was interrupted".to_owned());
    }
    Ok(results)
}

#[derive(Debug, Deserialize)]
struct Mocha {
    tests: Vec<MochaTest>,
    #[serde(default)]
    failures: Vec<MochaTest>,
    pending: Vec<MochaTest>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct MochaTest {
    title: String,
    full_title: String,
    #[serde(default)]
    file: Option<String>,
    #[serde(default)]
    err: Value,
}

/// Reads mocha's JSON. A hook that failed is a failure that is no test.
///
/// # Errors
/// When it does not keep to the format.
pub fn mocha(value: Value) -> Result<Results, FormatError> {
    let report: Mocha = parse(value)?;
    let mut results = Results::default();
    let named = |tests: &[MochaTest]| -> BTreeSet<(String, Option<String>)> {
        tests.iter().map(|test| (test.full_title.clone(), test.file.clone())).collect()
    };
    let (known, failures, waiting) = (named(&report.tests), named(&report.failures), named(&report.pending));
    let key = |test: &MochaTest| (test.full_title.clone(), test.file.clone());
    let hooks = report.failures.iter().filter(|failure| !known.contains(&key(failure)));
    for test in report.tests.iter().chain(hooks) {
        let message = test.err.get("message").and_then(Value::as_str).unwrap_or_default();
        let state = match (failures.contains(&key(test)), waiting.contains(&key(test))) {
            (true, _) if test.title.starts_with('"') && test.title.contains(" hook ") => TestState::Broken,
            (true, _) => TestState::Failed,
            (false, true) => TestState::Skipped,
            (false, false) => TestState::Passed,
        };
        results.push(TestResult::new("", &test.full_title, state).in_file(test.file.as_deref()).because(message));
    }
    Ok(results)
}

#[derive(Debug, Deserialize)]
struct Rspec {
    examples: Vec<RspecExample>,
    summary: RspecSummary,
    #[serde(default)]
    messages: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct RspecSummary {
    #[serde(default)]
    errors_outside_of_examples_count: u64,
}

#[derive(Debug, Deserialize)]
struct RspecExample {
    full_description: String,
    status: String,
    #[serde(default)]
    file_path: Option<String>,
    #[serde(default)]
    exception: Value,
}

/// Reads RSpec's JSON.
///
/// # Errors
/// When it does not keep to the format.
pub fn rspec(value: Value) -> Result<Results, FormatError> {
    let report: Rspec = parse(value)?;
    let mut results = Results::default();
    for example in report.examples {
        let state = match example.status.as_str() {
            "passed" => TestState::Passed,
            "failed" => TestState::Failed,
            _ => TestState::Skipped,
        };
        let message = example.exception.get("message").and_then(Value::as_str).unwrap_or_default();
        let result = TestResult::new("", &example.full_description, state);
        results.push(result.in_file(example.file_path.as_deref()).because(message));
    }
    for number in 0..report.summary.errors_outside_of_examples_count {
        let message = report.messages.first().map_or("", String::as_str);
        let name = format!("outside of examples ({})", number + 1);
        let state = if error_says_not_loaded("", message) { TestState::Broken } else { TestState::Failed };
        results.push(TestResult::new("", &name, state).because(message));
    }
    Ok(results)
}
