//! Where the time of a run goes, as a mermaid diagram, from the run's own record.

use std::{fmt::Write as _, time::Duration};

use implementer_model::handoff::Handoff;

/// Draws a run. Times are milliseconds since the process was started; what lies before the run's own clock began is
/// shown as its start.
pub(crate) fn gantt(title: &str, handoff: &Handoff, wall: Duration) -> String {
    let wall = u64::try_from(wall.as_millis()).unwrap_or(u64::MAX).max(handoff.duration_ms);
    // The run's clock ends with the hand-off; what is left is start and clearing up, of which most is the start.
    let mut text =
        format!("```mermaid\ngantt\n  title {title}\n  dateFormat x\n  axisFormat %L ms\n  section Coordinator\n");
    let mut bar = |name: &str, from: u64, to: u64| {
        let _ = writeln!(text, "  {name} :{from}, {}", to.max(from + 1));
    };
    let attempts =
        || handoff.tasks.iter().flat_map(|task| task.attempts.iter().map(move |attempt| (&task.id, attempt)));
    let first = attempts().map(|(_, attempt)| attempt.started_ms).min().unwrap_or(0);
    let last = attempts().map(|(_, attempt)| attempt.ended_ms).max().unwrap_or(0);
    bar("first checkouts", 0, first);
    let gates: u64 = handoff.gates.iter().map(|gate| gate.duration_ms).sum();
    bar("gates", last, last + gates);
    bar("bundle and hand-off", last + gates, handoff.duration_ms);
    bar("start, reports, clearing up", handoff.duration_ms, wall);
    let _ = writeln!(text, "  section Subagents");
    for (task, attempt) in attempts() {
        let _ = writeln!(text, "  {task} :{}, {}", attempt.started_ms, attempt.ended_ms.max(attempt.started_ms + 1));
    }
    text + "```\n"
}
