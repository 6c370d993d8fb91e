//! `timeline.json`: what ran when, in the trace event format that Perfetto and `chrome://tracing` read.
//!
//! The format is Chrome's "Trace Event Format": complete events (`ph: X`) with microseconds in `ts` and `dur`, absolute, since
//! 1970. Each task has a row (`tid`) of its own with its name (`M`), in the order of the schedule; the gates come below. An arrow
//! (`s`, `f`) leads from a task to those that need it, and from a task's attempt to its next one.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use crate::{handoff::Handoff, ids::TaskId, record::AttemptRecord, run::JudgedGate};

/// A timeline, ready to be written as JSON.
#[derive(Debug, Serialize)]
pub struct Timeline {
    #[serde(rename = "displayTimeUnit")]
    unit: &'static str,
    #[serde(rename = "otherData")]
    about: Value,
    #[serde(rename = "traceEvents")]
    events: Vec<Value>,
}

/// Draws the timeline of a run that began at `started_unix_ms`, with the gates that were judged.
#[must_use]
pub fn timeline(handoff: &Handoff, gates: &[JudgedGate], started_unix_ms: u64) -> Timeline {
    let at = |ms: u64| started_unix_ms.saturating_add(ms).saturating_mul(1_000);
    let mut events = vec![named("process_name", 0, &format!("Run {}", handoff.place.run))];
    let mut rows: BTreeMap<&TaskId, (usize, &[AttemptRecord])> = BTreeMap::new();
    let waves = handoff.schedule.wave_of();
    for (row, record) in (1..).zip(&handoff.tasks) {
        let task = handoff.schedule.task(&record.id);
        let subagent = task.map_or_else(String::new, |task| task.subagent.to_string());
        events.push(named("thread_name", row, record.id.as_str()));
        events.push(order(row));
        rows.insert(&record.id, (row, &record.attempts));
        for attempt in &record.attempts {
            events.push(json!({
                "name": format!("{} #{}", record.id, attempt.attempt), "cat": "task", "ph": "X",
                "ts": at(attempt.started_ms), "dur": attempt.duration_ms().saturating_mul(1_000),
                "pid": 1, "tid": row,
                "args": {
                    "state": attempt.outcome.name(), "subagent": subagent, "wave": waves.get(&record.id),
                    "because": attempt.because,
                },
            }));
        }
    }
    arrows(&mut events, handoff, &rows, at);
    for (row, JudgedGate { receipt, began_ms }) in (handoff.tasks.len() + 1..).zip(gates) {
        events.push(named("thread_name", row, &format!("gate {}", receipt.gate)));
        events.push(order(row));
        events.push(json!({
            "name": format!("gate {}", receipt.gate), "cat": "gate", "ph": "X",
            "ts": at(*began_ms), "dur": receipt.duration_ms.saturating_mul(1_000), "pid": 1, "tid": row,
            "args": { "state": receipt.state.name(), "tree": receipt.tree, "reason": receipt.reason },
        }));
    }
    let about = json!({ "run": handoff.place.run, "started": handoff.started, "generator": handoff.generator });
    Timeline { unit: "ms", about, events }
}

/// Draws what waited for what: from the end of a needed task to the start of the one that needs it, and from each attempt to
/// the next one.
fn arrows(
    events: &mut Vec<Value>,
    handoff: &Handoff,
    rows: &BTreeMap<&TaskId, (usize, &[AttemptRecord])>,
    at: impl Fn(u64) -> u64,
) {
    let mut id = 0;
    let mut draw = |name: &str, (from_row, from): (usize, u64), (to_row, to): (usize, u64)| {
        id += 1;
        let end = |ph: &str, row: usize, ms: u64| {
            let mut event =
                json!({ "name": name, "cat": "flow", "ph": ph, "id": id, "ts": at(ms), "pid": 1, "tid": row });
            if ph == "f" {
                event["bp"] = "e".into();
            }
            event
        };
        events.extend([end("s", from_row, from), end("f", to_row, to)]);
    };
    for task in &handoff.schedule.tasks {
        let Some((to_row, to)) = rows.get(&task.id) else { continue };
        for (earlier, later) in to.iter().zip(to.iter().skip(1)) {
            draw("attempt", (*to_row, earlier.ended_ms), (*to_row, later.started_ms));
        }
        for need in &task.needs {
            if let (Some((row, from)), Some(first)) = (rows.get(need), to.first())
                && let Some(last) = from.iter().rfind(|attempt| attempt.ended_ms <= first.started_ms)
            {
                draw("needs", (*row, last.ended_ms), (*to_row, first.started_ms));
            }
        }
    }
}

fn named(kind: &str, row: usize, name: &str) -> Value {
    json!({ "name": kind, "ph": "M", "pid": 1, "tid": row, "args": { "name": name } })
}

/// Keeps the rows in the order of the schedule, where a viewer would sort them by name.
fn order(row: usize) -> Value {
    json!({ "name": "thread_sort_index", "ph": "M", "pid": 1, "tid": row, "args": { "sort_index": row } })
}
