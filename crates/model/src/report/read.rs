//! Reads a report: strictly, bounded, and with an answer that its author can act on.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::{REPORT_MAX_BYTES, REPORT_VERSION, Report, ReportStatus};
use crate::{diagnostics::Position, ids::Digest, text};

/// The longest summary, in characters.
pub const SUMMARY_MAX: usize = 10_000;

/// The longest single text of a report (a note, an item, a message, a result), in characters.
pub const TEXT_MAX: usize = 4_000;

/// The longest path, in bytes: what Linux takes (`PATH_MAX`, limits.h).
pub const PATH_MAX: usize = 4_096;

/// The most paths that a report may list.
pub const FILES_MAX: usize = 10_000;

/// The most entries that any other list of a report may have.
pub const LIST_MAX: usize = 1_000;

/// The most problems that are told at once.
const PROBLEMS_MAX: usize = 10;

/// Says why something is not a report.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReportError {
    /// There is nothing in it.
    #[error("the report is empty: write one JSON object that follows `backend-implementer schema report`")]
    Empty,
    /// It is larger than what is read.
    #[error("the report is larger than {REPORT_MAX_BYTES} bytes: sum up, and leave logs out")]
    TooLarge,
    /// It is not text.
    #[error("the report is not UTF-8 (byte {offset})")]
    NotUtf8 {
        /// Where the first byte stands that is not, from 0.
        offset: usize,
    },
    /// It is another version of the format.
    #[error("the report has version {found}; this program reads version {REPORT_VERSION}")]
    Version {
        /// What it says.
        found: String,
    },
    /// It is not JSON, or not a report.
    #[error("the report is not valid (line {}, column {}): {message}", .position.line, .position.column)]
    Syntax {
        /// Where. The column counts bytes, as JSON libraries do.
        position: Position,
        /// What is wrong, and what was perhaps meant.
        message: String,
    },
    /// It is a report, but says what none can say.
    #[error("the report is not valid: {}", .problems.join("; "))]
    Invalid {
        /// What is wrong, each with its place, such as `findings[2].path`.
        problems: Vec<String>,
    },
}

/// A report, and the digest of the bytes that it was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadReport {
    /// What the subagent says.
    pub report: Report,
    /// The digest of the bytes.
    pub digest: Digest,
}

#[derive(Deserialize)]
struct Versioned {
    version: Option<serde_json::Value>,
}

impl Report {
    /// Reads a report. What it says is still a claim of somebody untrusted; but it is well-formed, bounded, its paths
    /// are relative and stay inside the repository, and it does not contradict itself.
    ///
    /// A leading `./` of a path goes away, and a file that is listed twice is listed once.
    ///
    /// # Errors
    /// When it is not a report of version 1; the message says where and what to write instead.
    pub fn read(bytes: &[u8]) -> Result<Self, ReportError> {
        if bytes.len() > REPORT_MAX_BYTES {
            return Err(ReportError::TooLarge);
        }
        let json = std::str::from_utf8(bytes).map_err(|error| ReportError::NotUtf8 { offset: error.valid_up_to() })?;
        let json = json.strip_prefix('\u{feff}').unwrap_or(json);
        if json.trim().is_empty() {
            return Err(ReportError::Empty);
        }
        // The library would take a list for the fields in their order.
        if !json.trim_start().starts_with('{') && serde_json::from_str::<serde_json::Value>(json).is_ok() {
            let position = Position { line: 1, column: 1 };
            return Err(ReportError::Syntax { position, message: "it is no JSON object".to_owned() });
        }
        // Before the fields: those of another version are not misspelt ones of this.
        if let Ok(Versioned { version: Some(version) }) = serde_json::from_str(json)
            && version != REPORT_VERSION
        {
            return Err(ReportError::Version { found: text::truncate(&text::terminal(&version.to_string()), 40) });
        }
        let mut report: Self = serde_json::from_str(json).map_err(|error| syntax(&error))?;
        report.tidy();
        let problems = report.problems();
        if problems.is_empty() { Ok(report) } else { Err(ReportError::Invalid { problems }) }
    }

    fn tidy(&mut self) {
        let claimed = self.requirements.iter_mut().flat_map(|claim| &mut claim.paths);
        let found = self.findings.iter_mut().filter_map(|finding| finding.path.as_mut());
        let paths = found.chain(&mut self.files).chain(claimed);
        for path in paths {
            while let Some(rest) = path.strip_prefix("./") {
                *path = rest.to_owned();
            }
        }
        let mut seen = BTreeSet::new();
        self.files.retain(|file| seen.insert(file.clone()));
    }

    fn problems(&self) -> Vec<String> {
        let mut problems = Problems::default();
        problems.text("summary", &self.summary, SUMMARY_MAX);
        if self.status == ReportStatus::Blocked && self.limitations.is_empty() {
            problems.add("`status` is `blocked`, but `limitations` does not say what is needed, and of whom");
        }

        problems.list("requirements", self.requirements.len(), LIST_MAX);
        let mut claimed = BTreeSet::new();
        for (at, claim) in self.requirements.iter().enumerate() {
            if !claimed.insert(&claim.id) {
                problems.add(format!("requirements[{at}].id: `{}` is claimed twice", claim.id));
            }
            problems.length(&format!("requirements[{at}].note"), &claim.note, TEXT_MAX);
            problems.list(&format!("requirements[{at}].paths"), claim.paths.len(), LIST_MAX);
            for path in &claim.paths {
                problems.path(&format!("requirements[{at}].paths"), path);
            }
            problems.list(&format!("requirements[{at}].tests"), claim.tests.len(), LIST_MAX);
            for test in &claim.tests {
                problems.text(&format!("requirements[{at}].tests"), test, TEXT_MAX);
            }
        }
        problems.list("files", self.files.len(), FILES_MAX);
        for (at, path) in self.files.iter().enumerate() {
            problems.path(&format!("files[{at}]"), path);
        }
        problems.list("items", self.items.len(), LIST_MAX);
        for (at, item) in self.items.iter().enumerate() {
            problems.text(&format!("items[{at}].text"), &item.text, TEXT_MAX);
        }
        problems.list("evidence", self.evidence.len(), LIST_MAX);
        for (at, evidence) in self.evidence.iter().enumerate() {
            problems.text(&format!("evidence[{at}].command"), &evidence.command, TEXT_MAX);
            problems.length(&format!("evidence[{at}].result"), &evidence.result, TEXT_MAX);
        }
        problems.list("limitations", self.limitations.len(), LIST_MAX);
        for (at, limitation) in self.limitations.iter().enumerate() {
            problems.text(&format!("limitations[{at}].text"), &limitation.text, TEXT_MAX);
        }
        problems.list("findings", self.findings.len(), LIST_MAX);
        for (at, finding) in self.findings.iter().enumerate() {
            problems.text(&format!("findings[{at}].message"), &finding.message, TEXT_MAX);
            if let Some(path) = &finding.path {
                problems.path(&format!("findings[{at}].path"), path);
            }
            match (finding.line, &finding.path) {
                (Some(0), _) => problems.add(format!("findings[{at}].line: lines count from 1")),
                (Some(_), None) => problems.add(format!("findings[{at}].line: a line without a `path` is no place")),
                _ => {}
            }
        }
        problems.finish()
    }
}

impl ReadReport {
    /// Reads a report and digests its bytes.
    ///
    /// # Errors
    /// When it is not a report: see [`Report::read`].
    pub fn new(bytes: &[u8]) -> Result<Self, ReportError> {
        Ok(Self { report: Report::read(bytes)?, digest: Digest::from_content(bytes) })
    }
}

/// Collects problems, as many as help.
#[derive(Default)]
struct Problems {
    told: Vec<String>,
    untold: usize,
}

impl Problems {
    fn add(&mut self, problem: impl Into<String>) {
        if self.told.len() < PROBLEMS_MAX {
            self.told.push(problem.into());
        } else {
            self.untold += 1;
        }
    }

    fn list(&mut self, place: &str, length: usize, max: usize) {
        if length > max {
            self.add(format!("{place}: {length} entries are more than {max}"));
        }
    }

    fn length(&mut self, place: &str, text: &str, max: usize) {
        let length = text.chars().count();
        if length > max {
            self.add(format!("{place}: {length} characters are more than {max}"));
        }
    }

    fn text(&mut self, place: &str, text: &str, max: usize) {
        if text.trim().is_empty() {
            self.add(format!("{place}: it is empty"));
        }
        self.length(place, text, max);
    }

    fn path(&mut self, place: &str, path: &str) {
        if let Some(problem) = path_problem(path) {
            let shown = text::truncate(&text::terminal(path), 80);
            self.add(format!("{place}: `{shown}` {problem}"));
        }
    }

    fn finish(mut self) -> Vec<String> {
        if self.untold > 0 {
            self.told.push(format!("and {} more", self.untold));
        }
        self.told
    }
}

/// Says what keeps a path from being one inside a repository.
fn path_problem(path: &str) -> Option<&'static str> {
    if path.is_empty() {
        return Some("is empty");
    }
    if path.len() > PATH_MAX {
        return Some("is longer than any path");
    }
    if path.chars().any(char::is_control) {
        return Some("holds a control character");
    }
    let drive = path.as_bytes().get(1) == Some(&b':') && path.as_bytes()[0].is_ascii_alphabetic();
    if path.starts_with('/') || drive {
        return Some("is absolute: give it relative to the root of the repository");
    }
    for part in path.trim_end_matches('/').split('/') {
        match part {
            "" | "." => return Some("has an empty part"),
            ".." => return Some("leaves the repository"),
            _ if part.eq_ignore_ascii_case(".git") => return Some("is git's own"),
            _ => {}
        }
    }
    None
}

/// Turns a JSON error into one that says what was perhaps meant.
fn syntax(error: &serde_json::Error) -> ReportError {
    let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX).max(1);
    let position = Position { line: number(error.line()), column: number(error.column()) };
    let message = error.to_string();
    // The place has its own fields.
    let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(message, _)| message);
    let hint = did_you_mean(message).map(|meant| format!(": did you mean `{meant}`?")).unwrap_or_default();
    ReportError::Syntax { position, message: format!("{}{hint}", text::truncate(&text::terminal(message), 500)) }
}

/// Finds what was meant in "unknown field `sumary`, expected one of `version`, `status`" and its kin.
fn did_you_mean(message: &str) -> Option<&str> {
    let rest = message.strip_prefix("unknown ")?;
    let (found, expected) = rest.split_once(", expected ")?;
    let found = found.split('`').nth(1)?;
    text::nearest(found, expected.split('`').skip(1).step_by(2))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::findings::Weight;

    fn minimal() -> Value {
        json!({ "version": 1, "status": "completed", "summary": "Added the endpoint." })
    }

    fn with(fields: &Value) -> Vec<u8> {
        let mut report = minimal();
        report.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        report.to_string().into_bytes()
    }

    fn refusal(bytes: &[u8]) -> String {
        Report::read(bytes).unwrap_err().to_string()
    }

    #[test]
    fn a_minimal_and_a_full_report_are_read() {
        let bytes = minimal().to_string();
        assert_eq!(Report::read(bytes.as_bytes()).unwrap().summary, "Added the endpoint.");
        assert_eq!(Report::read(format!("\u{feff}{bytes}\n").as_bytes()).unwrap().version, 1);
        let full = Report::read(&with(&json!({
            "requirements": [{ "id": "feature-1", "status": "done", "note": "see tests" }],
            "files": ["./src/api.py", "src/api.py", "infra/"],
            "items": [{ "label": "api-endpoints", "text": "PATCH /api/users/:id" }],
            "evidence": [{ "command": "pytest", "exit-code": 0, "result": "3 passed" }],
            "limitations": [{ "text": "no metrics", "needs": "backend-datatypes" }],
            "findings": [{ "severity": "blocking", "path": "./src/api.py", "line": 3, "message": "no check" }],
        })))
        .unwrap();
        assert_eq!(full.files, ["src/api.py", "infra/"]);
        assert_eq!(full.findings[0].path.as_deref(), Some("src/api.py"));
        assert_eq!(full.findings[0].severity, Weight::Blocking);
    }

    #[test]
    fn what_is_no_json_says_where() {
        insta::assert_snapshot!(refusal(b""), @"the report is empty: write one JSON object that follows `backend-implementer schema report`");
        insta::assert_snapshot!(refusal(b"{\n  \"version\": 1,\n  \"status\": completed\n}"), @"the report is not valid (line 3, column 13): expected value");
        insta::assert_snapshot!(refusal(b"Done!"), @"the report is not valid (line 1, column 1): expected value");
        insta::assert_snapshot!(refusal(b"[]"), @"the report is not valid (line 1, column 1): it is no JSON object");
        insta::assert_snapshot!(refusal(&[b'"', 0xff]), @"the report is not UTF-8 (byte 1)");
        insta::assert_snapshot!(refusal(&vec![b' '; REPORT_MAX_BYTES + 1]), @"the report is larger than 1048576 bytes: sum up, and leave logs out");
        let trailing = [minimal().to_string().as_bytes(), b" {}"].concat();
        assert!(refusal(&trailing).contains("trailing characters"));
        assert!(Report::read("[".repeat(100_000).as_bytes()).is_err());
    }

    #[test]
    fn misspelt_and_doubled_fields_are_named() {
        insta::assert_snapshot!(refusal(&with(&json!({ "sumary": "x" }))), @"the report is not valid (line 1, column 30): unknown field `sumary`, expected one of `version`, `status`, `summary`, `requirements`, `files`, `items`, `evidence`, `limitations`, `findings`: did you mean `summary`?");
        insta::assert_snapshot!(refusal(&with(&json!({ "status": "complete" }))), @"the report is not valid (line 1, column 20): unknown variant `complete`, expected one of `completed`, `blocked`, `failed`: did you mean `completed`?");
        insta::assert_snapshot!(refusal(&with(&json!({ "findings": [{ "severity": "warn", "message": "x" }] }))), @"the report is not valid (line 1, column 45): unknown variant `warn`, expected one of `blocking`, `warning`, `note`: did you mean `warning`?");
        insta::assert_snapshot!(refusal(br#"{"version": 1, "status": "completed", "status": "failed", "summary": "x"}"#), @"the report is not valid (line 1, column 46): duplicate field `status`");
        insta::assert_snapshot!(refusal(br#"{"version": 1, "status": "completed"}"#), @"the report is not valid (line 1, column 37): missing field `summary`");
    }

    #[test]
    fn another_version_is_no_misspelling() {
        insta::assert_snapshot!(refusal(&with(&json!({ "version": 2, "outcome": "fine" }))), @"the report has version 2; this program reads version 1");
        insta::assert_snapshot!(refusal(&with(&json!({ "version": "1" }))), @r#"the report has version "1"; this program reads version 1"#);
    }

    #[test]
    fn paths_stay_inside_the_repository() {
        for bad in [
            "",
            "/etc/passwd",
            "C:/x",
            "../x",
            "a/../../x",
            "a//b",
            "a/./b",
            ".git/config",
            "a/.GIT/x",
            "a\nb",
            "a\u{1b}[0m",
        ] {
            for report in [
                json!({ "files": [bad] }),
                json!({ "findings": [{ "severity": "note", "message": "x", "path": bad }] }),
            ] {
                assert!(matches!(Report::read(&with(&report)), Err(ReportError::Invalid { .. })), "{bad:?}");
            }
        }
        assert!(
            Report::read(&with(&json!({ "files": ["a/b.txt", ".github/x", "..a", "a b/ü", ".gitignore"] }))).is_ok()
        );
    }

    #[test]
    fn everything_is_bounded() {
        let long = "x".repeat(TEXT_MAX + 1);
        for report in [
            json!({ "summary": "x".repeat(SUMMARY_MAX + 1) }),
            json!({ "files": ["a/".repeat(PATH_MAX)] }),
            json!({ "files": (0..=FILES_MAX).map(|n| n.to_string()).collect::<Vec<_>>() }),
            json!({ "requirements": (0..=LIST_MAX).map(|n| json!({ "id": format!("r{n}"), "status": "done" })).collect::<Vec<_>>() }),
            json!({ "requirements": [{ "id": "r", "status": "done", "note": long }] }),
            json!({ "items": [{ "label": "data-types", "text": long }] }),
            json!({ "evidence": [{ "command": long }] }),
            json!({ "evidence": [{ "command": "x", "result": long }] }),
            json!({ "limitations": [{ "text": long }] }),
            json!({ "findings": [{ "severity": "note", "message": long }] }),
        ] {
            assert!(matches!(Report::read(&with(&report)), Err(ReportError::Invalid { .. })));
        }
    }

    #[test]
    fn contradictions_are_told_all_at_once() {
        let report = with(&json!({
            "status": "blocked",
            "summary": " ",
            "requirements": [{ "id": "r1", "status": "done" }, { "id": "r1", "status": "not-done" }],
            "findings": [{ "severity": "note", "message": "x", "line": 3 }, { "severity": "note", "message": "x", "path": "a", "line": 0 }],
        }));
        let Err(ReportError::Invalid { problems }) = Report::read(&report) else { panic!("it was read") };
        insta::assert_snapshot!(problems.join("\n"), @r#"
        summary: it is empty
        `status` is `blocked`, but `limitations` does not say what is needed, and of whom
        requirements[1].id: `r1` is claimed twice
        findings[0].line: a line without a `path` is no place
        findings[1].line: lines count from 1
        "#);
        let many = with(&json!({ "files": (0..30).map(|n| format!("/{n}")).collect::<Vec<_>>() }));
        assert!(refusal(&many).ends_with("; and 20 more"));
    }

    #[test]
    fn a_refusal_holds_no_escape_sequence() {
        for report in
            [json!({ "\u{1b}[31m": 1 }), json!({ "status": "\u{1b}[31m" }), json!({ "version": "\u{1b}[31m" })]
        {
            assert!(!refusal(&with(&report)).contains('\u{1b}'));
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_read_can_be_written_and_read_again(summary in "[a-z]{1,20}", files in proptest::collection::vec("[a-z./]{0,8}", 0..4)) {
            if let Ok(report) = Report::read(&with(&json!({ "summary": summary, "files": files }))) {
                let again = Report::read(&serde_json::to_vec(&report).unwrap()).unwrap();
                proptest::prop_assert_eq!(report, again);
            }
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
            let _ = Report::read(&bytes);
        }
    }

    #[test]
    fn the_schema_describes_what_is_read() {
        let schema = super::super::schema();
        assert_eq!(schema["additionalProperties"], false);
        for field in ["version", "status", "summary"] {
            assert!(schema["required"].as_array().unwrap().contains(&json!(field)), "{field}");
        }
        assert_eq!(schema["properties"]["version"]["const"], 1);
        assert_eq!(schema["properties"]["summary"]["maxLength"], SUMMARY_MAX);
        assert_eq!(schema["properties"]["files"]["maxItems"], FILES_MAX);
    }
}
