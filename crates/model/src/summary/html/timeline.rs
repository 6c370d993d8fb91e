//! The timeline as an inline picture.

use maud::{Markup, html};

use super::{code, graph::graph, shown};
use crate::{
    summary::{
        critical::{Step, critical_path},
        gates::standings,
        index::RunIndex,
        wording::{self, Look},
    },
    text,
};

/// Where the bars of the timeline begin and how wide they may get, in the units of its picture.
const BARS_X: u64 = 260;
const BARS_WIDTH: u64 = 700;
const ROW_HEIGHT: u64 = 22;

/// A bar of the timeline.
struct Row {
    label: String,
    look: Look,
    said: &'static str,
    from: u64,
    to: u64,
    is_critical: bool,
}

/// Says which attempts decided how long the run took.
fn path_in_words(path: &[Step<'_>], index: &RunIndex<'_>) -> Markup {
    let busy: u64 = path.iter().map(|step| step.attempt.duration_ms()).sum();
    html! {
        p {
            "The critical path, outlined in both pictures, took " (wording::duration(busy)) " of "
            (wording::duration(index.handoff.duration_ms)) ": "
            @for (at, step) in path.iter().enumerate() {
                @if at > 0 { " → " }
                a href={ "#task-" (step.task) } { (code(step.task)) }
                @if step.attempt.attempt > 1 { " (attempt " (step.attempt.attempt) ")" }
            }
            ". The run gets shorter only when one of these does."
        }
    }
}

/// Writes graph and timeline; nothing when nothing ran.
pub(super) fn timeline(index: &RunIndex<'_>) -> Markup {
    let path = critical_path(index);
    let mut rows: Vec<Row> = Vec::new();
    for view in index.tasks() {
        let several = view.attempts().len() > 1;
        for attempt in view.attempts() {
            let label = if several { format!("{} ({})", view.id, attempt.attempt) } else { view.id.to_string() };
            rows.push(Row {
                label,
                look: Look::from_outcome(attempt.outcome),
                said: attempt.outcome.name(),
                from: attempt.started_ms,
                to: attempt.ended_ms,
                is_critical: path.iter().any(|step| std::ptr::eq(step.attempt, attempt)),
            });
        }
    }
    // A receipt says how long its gate took, not when: gates are drawn one after the other behind the last task.
    let mut from = rows.iter().map(|row| row.to).max().unwrap_or(0);
    for gate in standings(index.handoff) {
        for receipt in &gate.receipts {
            let to = from.saturating_add(receipt.duration_ms);
            rows.push(Row {
                label: format!("gate {}", gate.gate),
                look: Look::of_gate(receipt.state),
                said: receipt.state.name(),
                from,
                to,
                is_critical: false,
            });
            from = to;
        }
    }
    if rows.is_empty() {
        return html! {};
    }
    let end = rows.iter().map(|row| row.to).max().unwrap_or(0).max(1);
    let height = rows.len() as u64 * ROW_HEIGHT + 24;
    // In u128 a product of two times cannot overflow.
    let x = |ms: u64| {
        let wide = u128::from(ms.min(end)) * u128::from(BARS_WIDTH) / u128::from(end);
        BARS_X + u64::try_from(wide).expect("invariant: a part of the width is no wider than the width")
    };
    html! {
        section aria-labelledby="timeline" {
            h2 id="timeline" { "Graph and timeline" }
            (path_in_words(&path, index))
            (graph(index, &path))
            p { "Times are counted from the start of the run. Gates are drawn behind the last task, in their order." }
            div class="scroll" tabindex="0" role="region" aria-label="Picture: timeline" {
                svg viewBox={ "0 0 " (BARS_X + BARS_WIDTH + 160) " " (height) } role="img"
                    aria-label="When each task and gate ran; the tables above hold the same." {
                    @for ms in ticks(end) {
                        line x1=(x(ms)) y1="0" x2=(x(ms)) y2=(height - 20) {}
                        text x=(x(ms)) y=(height - 6) class="tick" { (wording::duration(ms)) }
                    }
                    @for (at, Row { label, look, said, from, to, is_critical }) in (0_u64..).zip(&rows) {
                        @let y = at * ROW_HEIGHT;
                        @let (left, right) = (x(*from), x(*to));
                        text x=(BARS_X - 8) y=(y + 15) class="name" { (shown(&text::truncate(label, 36))) }
                        rect x=(left) y=(y + 3) width=(right.saturating_sub(left).max(2)) height=(ROW_HEIGHT - 6) rx="2"
                            class={ (look.class()) @if *is_critical { " critical" } } {}
                        text x=(right + 6) y=(y + 15) { (said) ", " (wording::duration(to.saturating_sub(*from))) }
                    }
                }
            }
        }
    }
}

/// Returns the times that the axis names: round ones, four to eight of them.
fn ticks(end: u64) -> impl Iterator<Item = u64> {
    const STEPS: [u64; 20] = [
        10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 30_000, 60_000, 120_000, 300_000, 600_000,
        1_200_000, 1_800_000, 3_600_000, 7_200_000,
    ];
    let step = STEPS.into_iter().find(|step| end / step < 8).unwrap_or(end / 4);
    (0..=end / step).map(move |n| n * step)
}
