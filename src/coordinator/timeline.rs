//! `timeline.json`: what ran when, in the trace event format that trace viewers read.
//!
//! The format is Chrome's "Trace Event Format": complete events (`ph: X`) with microseconds in `ts` and `dur`. Each task
//! has a row (`tid`) of its own, in the order of the schedule; the gates come below.

use implementer_model::{handoff::Handoff, run::JudgedGate};
use serde::Serialize;

/// A timeline, ready to be written as JSON.
#[derive(Debug, Serialize)]
pub(super) struct Timeline {
    #[serde(rename = "displayTimeUnit")]
    unit: &'static str,
    #[serde(rename = "traceEvents")]
    events: Vec<Event>,
}

#[derive(Debug, Serialize)]
struct Event {
    name: String,
    cat: &'static str,
    ph: &'static str,
    /// Microseconds since the run began.
    ts: u64,
    /// Microseconds.
    dur: u64,
    pid: u32,
    tid: usize,
    args: Args,
}

#[derive(Debug, Serialize)]
struct Args {
    state: &'static str,
    subject: String,
}

impl Timeline {
    /// Draws the timeline of a run, with the gates that were judged.
    pub(super) fn new(handoff: &Handoff, gates: &[JudgedGate]) -> Self {
        let mut events = Vec::new();
        for (row, record) in handoff.tasks.iter().enumerate() {
            for attempt in &record.attempts {
                events.push(Event {
                    name: format!("{} #{}", record.id, attempt.attempt),
                    cat: "task",
                    ph: "X",
                    ts: attempt.started_ms * 1000,
                    dur: attempt.duration_ms() * 1000,
                    pid: 1,
                    tid: row + 1,
                    args: Args {
                        state: attempt.outcome.name(),
                        subject: handoff.schedule.task(&record.id).map_or_else(String::new, |t| t.subagent.to_string()),
                    },
                });
            }
        }
        for (index, JudgedGate { receipt, began_ms }) in gates.iter().enumerate() {
            events.push(Event {
                name: format!("gate {}", receipt.gate),
                cat: "gate",
                ph: "X",
                ts: began_ms * 1000,
                dur: receipt.duration_ms * 1000,
                pid: 1,
                tid: handoff.tasks.len() + index + 1,
                args: Args { state: receipt.state.name(), subject: receipt.tree.to_string() },
            });
        }
        Self { unit: "ms", events }
    }
}
