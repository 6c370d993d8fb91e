//! A run as a stream of JSON, one event a line, for programs that follow it (`run --format json-lines`).

use serde_json::json;

use super::show;
use crate::coordinator::progress::{Observer, Progress};

/// Prints every event as a line of JSON on standard output.
pub(super) struct EventLines;

impl Observer for EventLines {
    fn observe(&mut self, progress: &Progress<'_>) {
        let event = match progress {
            Progress::Begun { schedule } => json!({
                "event": "begun", "tasks": schedule.tasks.len(), "waves": schedule.waves.len(),
                "concurrency": schedule.concurrency,
            }),
            Progress::TaskStarted { task, attempt, .. } => {
                json!({ "event": "task-started", "task": task, "attempt": attempt })
            }
            Progress::TaskEnded { task, record, findings, kept } => json!({
                "event": "task-ended", "task": task, "outcome": record.outcome, "reason": record.reason,
                "attempt": record.last().map(|attempt| attempt.attempt),
                "started-ms": record.last().map(|attempt| attempt.started_ms),
                "ended-ms": record.last().map(|attempt| attempt.ended_ms), "findings": findings, "kept": kept,
            }),
            Progress::TaskAdded { task } => {
                json!({ "event": "task-added", "task": task.id, "subagent": task.subagent })
            }
            Progress::TaskAgain { task, reason } => json!({ "event": "task-again", "task": task, "reason": reason }),
            Progress::Integrated { wave, commits } => {
                json!({ "event": "wave-integrated", "wave": wave, "commits": commits })
            }
            Progress::PhaseEnded { phase } => json!({ "event": "phase-ended", "phase": phase.name() }),
            Progress::GateStarted { gate } => json!({ "event": "gate-started", "gate": gate }),
            Progress::GateJudged { receipt } => json!({
                "event": "gate-judged", "gate": receipt.gate, "state": receipt.state, "reason": receipt.reason,
                "duration-ms": receipt.duration_ms, "failure": receipt.failure_lines(),
            }),
            Progress::Cancelling => json!({ "event": "cancelling" }),
        };
        show::line(&event);
    }
}
