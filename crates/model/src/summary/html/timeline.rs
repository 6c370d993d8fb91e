//! The timeline as an inline picture.

use super::esc;
use crate::{
    run::{Facts, standings},
    summary::{
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
pub(super) fn timeline(out: &mut String, index: &RunIndex<'_>) {
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
    for gate in standings(&Facts::from_handoff(index.handoff)) {
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
        return;
    }
    let end = rows.iter().map(|row| row.4).max().unwrap_or(0).max(1);
    let height = rows.len() as u64 * ROW_HEIGHT + 24;
    // In u128 a product of two times cannot overflow.
    let x = |ms: u64| {
        BARS_X + u64::try_from(u128::from(ms.min(end)) * u128::from(BARS_WIDTH) / u128::from(end)).unwrap_or(0)
    };
    out.push_str("<section aria-labelledby=\"timeline\">\n<h2 id=\"timeline\">Timeline</h2>\n");
    out.push_str(
        "<p>Times are counted from the begin of the run. Gates are drawn behind the last task, in their order.</p>\n",
    );
    out.push_str(&format!(
        "<div class=\"scroll\"><svg viewBox=\"0 0 {} {height}\" role=\"img\" aria-label=\"When each task and gate ran; the \
         tables below hold the same.\">\n",
        BARS_X + BARS_WIDTH + 160
    ));
    for quarter in 0..=4_u64 {
        let ms = end / 4 * quarter;
        let at = x(ms);
        out.push_str(&format!(
            "<line x1=\"{at}\" y1=\"0\" x2=\"{at}\" y2=\"{}\"/><text x=\"{at}\" y=\"{}\" class=\"tick\">{}</text>\n",
            height - 20,
            height - 6,
            wording::duration(ms)
        ));
    }
    for (i, (label, look, said, from, to)) in rows.iter().enumerate() {
        let y = i as u64 * ROW_HEIGHT;
        let (left, right) = (x(*from), x(*to));
        out.push_str(&format!(
            "<text x=\"{}\" y=\"{}\" class=\"name\">{}</text><rect x=\"{left}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"2\" \
             class=\"{}\"/><text x=\"{}\" y=\"{}\">{said}, {}</text>\n",
            BARS_X - 8,
            y + 15,
            esc(&text::truncate(label, 36)),
            y + 3,
            right.saturating_sub(left).max(2),
            ROW_HEIGHT - 6,
            look.class(),
            right + 6,
            y + 15,
            wording::duration(to.saturating_sub(*from)),
        ));
    }
    out.push_str("</svg></div>\n</section>\n");
}
