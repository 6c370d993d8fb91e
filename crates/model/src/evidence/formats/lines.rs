//! Formats of a line an event: TAP, `go test -json`, libtest and nextest, Dart.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::super::results::{Results, TESTS_MAX, TEXT_MAX, TestResult, TestState};
use super::FormatError;
use crate::text;

/// Reads TAP: the results of the outermost level.
#[must_use]
pub fn tap(content: &str) -> Results {
    let mut results = Results::default();
    let (mut planned, mut seen) = (None, 0_u64);
    for line in content.lines() {
        if let Some(number) = line.strip_prefix("1..").and_then(|rest| rest.split(' ').next()?.parse::<u64>().ok()) {
            planned = Some(planned.unwrap_or(0) + number);
            continue;
        }
        if let Some(why) = line.strip_prefix("Bail out!") {
            results.unfinished = Some(format!("it bailed out:{}", text::truncate(&text::terminal(why), 200)));
        }
        let (ok, rest) = match line.strip_prefix("not ok") {
            Some(rest) => (false, rest),
            None => match line.strip_prefix("ok") {
                Some(rest) => (true, rest),
                None => continue,
            },
        };
        if !(rest.is_empty() || rest.starts_with(' ')) {
            continue;
        }
        seen += 1;
        let (name, directive) = rest.split_once(" # ").unwrap_or((rest, ""));
        let directive = directive.trim_start().to_ascii_uppercase();
        let off = directive.starts_with("SKIP") || (!ok && directive.starts_with("TODO"));
        let state = match (off, ok) {
            (true, _) => TestState::Skipped,
            (false, true) => TestState::Passed,
            (false, false) => TestState::Failed,
        };
        let name = name.trim_start().trim_start_matches(|c: char| c.is_ascii_digit()).trim_start_matches([' ', '-']);
        let name = if name.trim().is_empty() { format!("test {seen}") } else { name.to_owned() };
        results.push(TestResult::new("", &name, state));
    }
    match planned {
        None => results.unfinished = Some("it has no plan, such as `1..3`".to_owned()),
        Some(planned) if planned > seen => {
            results.unfinished = Some(format!("its plan announces {planned} tests, and {seen} came"));
        }
        Some(_) => {}
    }
    results
}

#[derive(Debug, Deserialize)]
struct GoEvent {
    #[serde(rename = "Action")]
    action: String,
    #[serde(default, rename = "Package", alias = "ImportPath")]
    package: String,
    #[serde(rename = "Test")]
    test: Option<String>,
    #[serde(default, rename = "Output")]
    output: String,
}

/// Reads the events of `go test -json` line by line, so that a long output takes no more memory than its tests.
#[derive(Debug, Default)]
pub struct GoEvents {
    /// What became of each test, and the beginning of what it printed.
    tests: BTreeMap<(String, String), (Option<TestState>, String)>,
    packages: BTreeMap<String, String>,
    begun: BTreeSet<(String, String)>,
    /// Tests and packages that said themselves how they ended; else the event was made up for a process that went away.
    said: BTreeSet<(String, String)>,
    any: bool,
    /// How many bytes the names have that were kept.
    text: usize,
}

/// Reads the events of `go test -json`. A test that began and never ended makes its package unfinished, and so does a
/// package that passed without saying so itself.
///
/// # Errors
/// When no line is an event.
pub fn go_json(content: &str) -> Result<Results, FormatError> {
    let mut events = GoEvents::default();
    content.lines().for_each(|line| events.push(line));
    events.finish()
}

impl GoEvents {
    /// Takes a line in; one that is no event says nothing.
    pub fn push(&mut self, line: &str) {
        // Before Go 1.24 a package that could not be built is told in plain words.
        if let Some(package) = line.strip_prefix("FAIL\t").and_then(not_built) {
            self.packages.insert(package.to_owned(), "build-fail".to_owned());
        }
        let Some(event) = Some(line).filter(|line| line.starts_with('{')) else { return };
        let Ok(event) = serde_json::from_str::<GoEvent>(event) else { return };
        self.any = true;
        if self.is_full() {
            return;
        }
        self.text += 2 * (event.package.len() + event.test.as_ref().map_or(0, String::len));
        if matches!(event.output.as_str(), "PASS\n" | "FAIL\n") {
            self.said.insert((event.package.clone(), String::new()));
        }
        let Some(test) = event.test else {
            if matches!(event.action.as_str(), "fail" | "pass" | "skip") {
                self.packages.insert(event.package, event.action);
            } else if event.action == "output" && not_built(event.output.trim_end()).is_some() {
                self.packages.insert(event.package, "build-fail".to_owned());
            }
            return;
        };
        let key = (event.package, test);
        if event.action == "run" {
            self.begun.insert(key.clone());
        } else if !self.begun.contains(&key) {
            // Older versions take what a test prints for a result: that test never began.
            return;
        }
        let ended = event.output.trim_start().strip_prefix("--- ").and_then(|rest| rest.split_once(": "));
        if ended.is_some_and(|(_, rest)| rest.split(' ').next() == Some(key.1.as_str())) {
            self.said.insert(key.clone());
        }
        let entry = self.tests.entry(key).or_default();
        match event.action.as_str() {
            "pass" => entry.0 = Some(TestState::Passed),
            "fail" => entry.0 = Some(TestState::Failed),
            "skip" => entry.0 = Some(TestState::Skipped),
            "output" if entry.1.len() < 2000 && !is_frame(&event.output) => entry.1.push_str(&event.output),
            _ => {}
        }
    }

    /// Tells whether there is more than is kept.
    fn is_full(&self) -> bool {
        let most = self.tests.len().max(self.begun.len()).max(self.said.len()).max(self.packages.len());
        most >= TESTS_MAX || self.text > 8 * TEXT_MAX
    }

    /// Returns what the events say.
    ///
    /// # Errors
    /// When there was none.
    pub fn finish(self) -> Result<Results, FormatError> {
        if self.is_full() {
            return Ok(Results::too_many());
        }
        let Self { tests, packages, said, any, .. } = self;
        if !any {
            return Err(FormatError::Json { line: 1, message: "no event of `go test -json`".to_owned() });
        }
        let mut results = Results::default();
        let mut seen = BTreeSet::new();
        // Parts of a test belong to it: its message names the one at fault.
        for ((package, test), (state, output)) in tests.into_iter().filter(|((_, test), _)| !test.contains('/')) {
            let name = format!("{package}.{test}");
            let ended = said.contains(&(package.clone(), test));
            match state {
                Some(state) => {
                    if state == TestState::Passed && !ended {
                        results.unfinished.get_or_insert(format!("{name} began and never ended"));
                    }
                    let message = if state.is_red() { output.as_str() } else { "" };
                    results.push(TestResult::new("", &name, state).because(message));
                }
                None if packages.get(&package).is_some_and(|action| action == "fail") => {
                    results.push(TestResult::new("", &name, TestState::Failed).because(&output));
                }
                None => {
                    results.unfinished.get_or_insert(format!("{name} began and never ended"));
                }
            }
            seen.insert(package);
        }
        for (package, action) in &packages {
            if (action == "fail" && !seen.contains(package)) || action == "build-fail" {
                let broken = TestResult::new("", &format!("{package} (package)"), TestState::Broken);
                let why = "the package could not be built, or ended before its tests";
                results.push(broken.because(why));
            } else if action == "pass" && !said.contains(&(package.clone(), String::new())) {
                results.unfinished.get_or_insert(format!("{package} ended without saying PASS"));
            }
        }
        Ok(results)
    }
}

/// Returns what stands before the words by which go says that a package could not be built, or what it imports not be found.
fn not_built(text: &str) -> Option<&str> {
    text.strip_suffix(" [build failed]").or_else(|| text.strip_suffix(" [setup failed]"))
}

/// Tells whether a line of a test's output is the frame that go puts around it.
fn is_frame(output: &str) -> bool {
    let output = output.trim_start();
    ["=== RUN", "=== PAUSE", "=== CONT", "=== NAME", "--- PASS", "--- SKIP"]
        .iter()
        .any(|frame| output.starts_with(frame))
}

#[derive(Debug, Deserialize)]
struct LibtestEvent {
    #[serde(rename = "type")]
    kind: String,
    event: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    stdout: String,
    test_count: Option<u64>,
}

/// Reads libtest's JSON (`--format json`), which nextest writes too (`--message-format libtest-json`), and which our
/// recorder for unittest writes. A suite that began with more tests than ended is unfinished.
///
/// # Errors
/// When no line is an event.
pub fn libtest(content: &str) -> Result<Results, FormatError> {
    let mut results = Results::default();
    let mut any = false;
    let mut open: Option<(u64, u64)> = None;
    for line in content.lines().filter(|line| line.trim_start().starts_with('{')) {
        let Ok(event) = serde_json::from_str::<LibtestEvent>(line) else { continue };
        any = true;
        let state = match (event.kind.as_str(), event.event.as_str()) {
            ("suite", "started") => {
                if open.is_some() {
                    unended(&mut results);
                }
                open = Some((event.test_count.unwrap_or(0), 0));
                continue;
            }
            ("suite", "ok" | "failed") => {
                if open.is_some_and(|(planned, ended)| ended < planned) {
                    results.unfinished.get_or_insert("a suite ended before all of its tests did".to_owned());
                }
                open = None;
                continue;
            }
            ("test", "ok") => TestState::Passed,
            ("test", "failed" | "timeout") if event.event == "failed" => TestState::Failed,
            ("test", "broken") => TestState::Broken,
            ("test", "expected-failure") => TestState::ExpectedFailure,
            ("test", "ignored") => TestState::Skipped,
            ("bench", _) => TestState::Passed,
            _ => continue,
        };
        if let Some((_, ended)) = &mut open {
            *ended += 1;
        }
        results.push(TestResult::new("", &event.name, state).because(&event.stdout));
    }
    if !any {
        return Err(FormatError::Json { line: 1, message: "no event of libtest".to_owned() });
    }
    if open.is_some() {
        unended(&mut results);
    }
    Ok(results)
}

fn unended(results: &mut Results) {
    results.unfinished.get_or_insert("a suite began and never ended".to_owned());
}

#[derive(Debug, Deserialize)]
struct DartEvent {
    #[serde(rename = "type")]
    kind: String,
    test: Option<DartTest>,
    #[serde(rename = "testID")]
    test_id: Option<u64>,
    result: Option<String>,
    #[serde(default)]
    skipped: bool,
    #[serde(default)]
    hidden: bool,
    #[serde(default)]
    error: String,
}

#[derive(Debug, Deserialize)]
struct DartTest {
    id: u64,
    name: String,
    url: Option<String>,
}

/// Reads the events of `dart test --reporter json`.
///
/// # Errors
/// When no line is an event.
pub fn dart(content: &str) -> Result<Results, FormatError> {
    let mut results = Results::default();
    let mut open: BTreeMap<u64, (DartTest, String)> = BTreeMap::new();
    let (mut any, mut done) = (false, false);
    for line in content.lines() {
        let Ok(event) = serde_json::from_str::<DartEvent>(line) else { continue };
        any = true;
        match (event.kind.as_str(), event.test, event.test_id) {
            ("testStart", Some(test), _) => {
                open.insert(test.id, (test, String::new()));
            }
            ("error", _, Some(id)) => {
                if let Some((_, error)) = open.get_mut(&id) {
                    error.push_str(&event.error);
                }
            }
            ("testDone", _, Some(id)) => {
                let Some((test, error)) = open.remove(&id) else { continue };
                let red = event.result.as_deref() != Some("success");
                if event.hidden && !red {
                    continue;
                }
                let state = match (event.skipped, red) {
                    (true, _) => TestState::Skipped,
                    (false, true) if test.name.starts_with("loading ") => TestState::Broken,
                    (false, true) => TestState::Failed,
                    (false, false) => TestState::Passed,
                };
                results.push(TestResult::new("", &test.name, state).in_file(test.url.as_deref()).because(&error));
            }
            ("done", ..) => done = true,
            _ => {}
        }
    }
    if !any {
        return Err(FormatError::Json { line: 1, message: "no event of Dart's tests".to_owned() });
    }
    if !done {
        results.unfinished = Some("it has no `done` event at its end".to_owned());
    }
    Ok(results)
}
