//! Gates in the Common Test Report Format (<https://ctrf.io>), with the same cases as the JUnit file.

use serde_json::{Value, json};

use super::junit::{Verdict, cases};
use crate::handoff::Handoff;

/// Writes the gates of a run as CTRF. `started_unix_ms` is when the run began.
#[must_use]
pub fn ctrf(handoff: &Handoff, started_unix_ms: u64) -> Value {
    let mut tests = Vec::new();
    let (mut passed, mut failed, mut skipped) = (0, 0, 0);
    for gate in &handoff.gates {
        for case in cases(gate) {
            let (status, message) = match &case.verdict {
                Verdict::Passed => {
                    passed += 1;
                    ("passed", None)
                }
                Verdict::Failed { message, .. } => {
                    failed += 1;
                    ("failed", Some(message.clone()))
                }
                Verdict::Skipped(message) => {
                    skipped += 1;
                    ("skipped", Some(message.clone()))
                }
            };
            let mut test = json!({
                "name": case.name, "status": status, "duration": case.duration_ms, "suite": [gate.gate.name()],
            });
            if let Some(message) = message {
                test["message"] = message.into();
            }
            if let Verdict::Failed { output, .. } = &case.verdict
                && !output.is_empty()
            {
                test["trace"] = output.clone().into();
            }
            tests.push(test);
        }
    }
    json!({
        "reportFormat": "CTRF",
        "specVersion": "0.0.0",
        "generatedBy": handoff.generator,
        "results": {
            "tool": { "name": "backend-implementer" },
            "summary": {
                "tests": tests.len(), "passed": passed, "failed": failed, "pending": 0, "skipped": skipped, "other": 0,
                "start": started_unix_ms, "stop": started_unix_ms.saturating_add(handoff.duration_ms),
            },
            "tests": tests,
        },
    })
}
