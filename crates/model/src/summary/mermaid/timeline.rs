//! When each attempt ran, as a gantt chart.

use std::collections::BTreeMap;

use super::{MAX_NODES, NAME_CHARS, NodeKey, Together, escaping::plain};
use crate::{
    roster::Phase,
    schedule::Outcome,
    summary::{
        index::{RunIndex, TaskView},
        wording::{self, Look},
    },
    text,
};

/// A bar of the timeline: one attempt, or several that are drawn together.
struct Bar<'a> {
    phase: Option<Phase>,
    wave: usize,
    subagent: &'a str,
    name: &'a str,
    attempt: Option<u32>,
    outcomes: Vec<Outcome>,
    from_ms: u64,
    to_ms: u64,
}

/// Draws the timeline with at most about `max_chars` characters; `None` when nothing ran.
pub(in crate::summary) fn timeline_within(index: &RunIndex<'_>, max_chars: usize) -> Option<String> {
    let waves = index.handoff.schedule.wave_of();
    let bars: Vec<Bar<'_>> =
        index.tasks().flat_map(|view| bars_of(view, waves.get(view.id).copied().unwrap_or(usize::MAX))).collect();
    if bars.is_empty() {
        return None;
    }
    let mut drawn = String::new();
    for together in Together::ALL {
        let joined = join(&bars, together);
        if joined.len() > MAX_NODES && together != Together::Phase {
            continue;
        }
        drawn = gantt(&joined);
        if drawn.chars().count() <= max_chars {
            break;
        }
    }
    Some(drawn)
}

fn bars_of<'a>(view: TaskView<'a>, wave: usize) -> impl Iterator<Item = Bar<'a>> {
    let several = view.attempts().len() > 1;
    view.attempts().iter().map(move |attempt| Bar {
        phase: view.phase(),
        wave,
        subagent: view.subagent().map_or("not scheduled", |name| name.as_str()),
        name: view.id.as_str(),
        attempt: several.then_some(attempt.attempt),
        outcomes: vec![attempt.outcome],
        from_ms: attempt.started_ms,
        to_ms: attempt.ended_ms,
    })
}

fn join<'a>(bars: &[Bar<'a>], together: Together) -> Vec<Bar<'a>> {
    let mut joined: BTreeMap<NodeKey<'a>, Bar<'a>> = BTreeMap::new();
    for (number, bar) in bars.iter().enumerate() {
        let key = match together {
            Together::Nothing => (bar.phase, 0, "", number),
            Together::SubagentInWave => (bar.phase, bar.wave, bar.subagent, 0),
            Together::SubagentInPhase => (bar.phase, 0, bar.subagent, 0),
            Together::Phase => (bar.phase, 0, "", 0),
        };
        let whole = joined.entry(key).or_insert_with(|| Bar {
            name: match together {
                Together::Nothing => bar.name,
                Together::SubagentInWave | Together::SubagentInPhase => bar.subagent,
                Together::Phase => "all",
            },
            outcomes: Vec::new(),
            ..*bar
        });
        whole.outcomes.extend(&bar.outcomes);
        whole.from_ms = whole.from_ms.min(bar.from_ms);
        whole.to_ms = whole.to_ms.max(bar.to_ms);
    }
    let mut joined: Vec<_> = joined.into_values().collect();
    joined.sort_by_key(|bar| (bar.phase, bar.from_ms));
    joined
}

fn gantt(bars: &[Bar<'_>]) -> String {
    // Local times on both sides of the sum: the picture shows time since the run began, in every time zone alike.
    let mut out = String::from("gantt\n  dateFormat YYYY-MM-DD HH:mm:ss.SSS\n  axisFormat %H:%M:%S\n");
    let mut phase = None;
    for bar in bars {
        if phase != Some(bar.phase) {
            let title = bar.phase.map_or("Added".to_owned(), |phase| format!("{} {}", phase.number(), phase.name()));
            out.push_str(&format!("  section {title}\n"));
            phase = Some(bar.phase);
        }
        let said = match bar.outcomes.as_slice() {
            [outcome] => outcome.name().to_owned(),
            outcomes => wording::outcomes(outcomes.iter().copied()),
        };
        let attempt = bar.attempt.map(|attempt| format!(" attempt {attempt}")).unwrap_or_default();
        let tag = match bar.outcomes.iter().map(|outcome| Look::of(*outcome)).max().unwrap_or(Look::Planned) {
            Look::Passed => "done, ",
            Look::Failed | Look::TimedOut => "crit, ",
            Look::Blocked | Look::Cancelled | Look::NotRun | Look::Planned => "active, ",
        };
        out.push_str(&format!(
            "  {}{attempt} ({said}) :{tag}{}, {}\n",
            plain(&text::truncate(bar.name, NAME_CHARS)),
            clock(bar.from_ms),
            clock(bar.to_ms.max(bar.from_ms.saturating_add(1))),
        ));
    }
    out.truncate(out.trim_end().len());
    out
}

/// The longest time that the timeline shows: its first month. No run is longer, and mermaid needs real dates.
const MONTH_MS: u64 = 31 * 24 * 3_600_000 - 1;

/// Returns a time since the run began as a date of January 2000, which has no change of clocks anywhere.
fn clock(ms: u64) -> String {
    let ms = ms.min(MONTH_MS);
    let (day, hour) = (ms / 86_400_000 + 1, ms / 3_600_000 % 24);
    let (minute, second) = (ms / 60_000 % 60, ms / 1_000 % 60);
    format!("2000-01-{day:02} {hour:02}:{minute:02}:{second:02}.{:03}", ms % 1_000)
}
