//! The timeline as an inline picture.

use maud::{Markup, html};

use super::shown;
use crate::{
    summary::{
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

/// Writes the timeline; nothing when nothing ran.
pub(super) fn timeline(index: &RunIndex<'_>) -> Markup {
    // (label, look, said, from, to)
    let mut rows: Vec<(String, Look, String, u64, u64)> = Vec::new();
    for view in index.tasks() {
        let several = view.attempts().len() > 1;
        for attempt in view.attempts() {
            let label = if several { format!("{} ({})", view.id, attempt.attempt) } else { view.id.to_string() };
            rows.push((
                label,
                Look::of(attempt.outcome),
                attempt.outcome.name().to_owned(),
                attempt.started_ms,
                attempt.ended_ms,
            ));
        }
    }
    // A receipt says how long its gate took, not when: gates are drawn one after the other behind the last task.
    let mut from = rows.iter().map(|row| row.4).max().unwrap_or(0);
    for gate in standings(index.handoff) {
        for receipt in &gate.receipts {
            let to = from.saturating_add(receipt.duration_ms);
            rows.push((
                format!("gate {}", gate.gate),
                Look::of_gate(receipt.state),
                receipt.state.name().to_owned(),
                from,
                to,
            ));
            from = to;
        }
    }
    if rows.is_empty() {
        return html! {};
    }
    let end = rows.iter().map(|row| row.4).max().unwrap_or(0).max(1);
    let height = rows.len() as u64 * ROW_HEIGHT + 24;
    // In u128 a product of two times cannot overflow.
    let x = |ms: u64| {
        let wide = u128::from(ms.min(end)) * u128::from(BARS_WIDTH) / u128::from(end);
        BARS_X + u64::try_from(wide).expect("invariant: a part of the width is no wider than the width")
    };
    html! {
        section aria-labelledby="timeline" {
            h2 id="timeline" { "Timeline" }
            p { "Times are counted from the start of the run. Gates are drawn behind the last task, in their order." }
            div class="scroll" tabindex="0" role="region" aria-label="Picture: timeline" {
                svg viewBox={ "0 0 " (BARS_X + BARS_WIDTH + 160) " " (height) } role="img"
                    aria-label="When each task and gate ran; the tables above hold the same." {
                    @for quarter in 0..=4_u64 {
                        @let ms = end / 4 * quarter;
                        line x1=(x(ms)) y1="0" x2=(x(ms)) y2=(height - 20) {}
                        text x=(x(ms)) y=(height - 6) class="tick" { (wording::duration(ms)) }
                    }
                    @for (at, (label, look, said, from, to)) in (0_u64..).zip(&rows) {
                        @let y = at * ROW_HEIGHT;
                        @let (left, right) = (x(*from), x(*to));
                        text x=(BARS_X - 8) y=(y + 15) class="name" { (shown(&text::truncate(label, 36))) }
                        rect x=(left) y=(y + 3) width=(right.saturating_sub(left).max(2)) height=(ROW_HEIGHT - 6) rx="2"
                            class=(look.class()) {}
                        text x=(right + 6) y=(y + 15) { (said) ", " (wording::duration(to.saturating_sub(*from))) }
                    }
                }
            }
        }
    }
}
