//! When each attempt ran, as a gantt chart.

use std::collections::BTreeMap;

use super::{NAME_CHARS, escaping::plain};
use crate::{
    gate::Receipt,
    roster::Phase,
    schedule::Outcome,
    summary::{
        gates::standings,
        graph::{MAX_NODES, NodeKey, Together, short},
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

impl Bar<'_> {
    fn is_repeated(&self) -> bool {
        self.attempt.is_some_and(|attempt| attempt > 1)
    }
}

/// Draws the timeline with at most about `max_chars` characters; `None` when nothing ran.
pub(in crate::summary) fn timeline_within(index: &RunIndex<'_>, max_chars: usize) -> Option<String> {
    let waves = index.handoff.schedule.wave_of();
    let bars: Vec<Bar<'_>> =
        index.tasks().flat_map(|view| bars_of(view, waves.get(view.id).copied().unwrap_or(usize::MAX))).collect();
    if bars.is_empty() {
        return None;
    }
    let gates = gates(index);
    let mut drawn = String::new();
    for together in Together::ALL {
        let joined = join(&bars, together);
        if joined.len() > MAX_NODES && together != Together::Phase {
            continue;
        }
        drawn = gantt(&joined, &gates);
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
        subagent: view.subagent().map_or("not scheduled", |name| short(name.as_str())),
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
        // What was repeated ran long after, and has bars of its own.
        let round = usize::from(bar.is_repeated());
        let key = match together {
            Together::Nothing => (bar.phase, 0, "", number),
            Together::SubagentInWave => (bar.phase, bar.wave, bar.subagent, round),
            Together::SubagentInPhase => (bar.phase, 0, bar.subagent, round),
            Together::Phase => (bar.phase, 0, "", round),
        };
        let wave = match together {
            Together::Nothing | Together::SubagentInWave => bar.wave,
            Together::SubagentInPhase | Together::Phase => 0,
        };
        let whole = joined.entry(key).or_insert_with(|| Bar {
            name: match together {
                Together::Nothing => bar.name,
                Together::SubagentInWave | Together::SubagentInPhase => bar.subagent,
                Together::Phase => "all",
            },
            outcomes: Vec::new(),
            attempt: bar.attempt.filter(|_| together == Together::Nothing || bar.is_repeated()),
            wave,
            ..*bar
        });
        whole.outcomes.extend(&bar.outcomes);
        whole.from_ms = whole.from_ms.min(bar.from_ms);
        whole.to_ms = whole.to_ms.max(bar.to_ms);
    }
    let mut joined: Vec<_> = joined.into_values().collect();
    joined.sort_by_key(|bar| (bar.phase, bar.wave, bar.from_ms));
    joined
}

/// A gate of the timeline: its name, how it stands, when it ran.
type GateBar = (&'static str, &'static str, Look, u64, u64);

/// A receipt says how long its gate took, not when: gates are drawn one after the other at the end of the run.
fn gates(index: &RunIndex<'_>) -> Vec<GateBar> {
    let took = |receipts: &[&Receipt]| receipts.iter().map(|receipt| receipt.duration_ms).sum::<u64>();
    let standings = standings(index.handoff);
    let ended = index.tasks().flat_map(|view| view.attempts()).map(|attempt| attempt.ended_ms).max().unwrap_or(0);
    let all: u64 = standings.iter().map(|gate| took(&gate.receipts)).sum();
    let mut from = ended.max(index.handoff.duration_ms.saturating_sub(all));
    let ran = standings.iter().filter(|gate| took(&gate.receipts) > 0);
    ran.map(|gate| {
        let to = from.saturating_add(took(&gate.receipts));
        let bar = (gate.gate.name(), gate.said(), gate.look(), from, to);
        from = to;
        bar
    })
    .collect()
}

fn gantt(bars: &[Bar<'_>], gates: &[GateBar]) -> String {
    let last = bars.iter().map(|bar| bar.to_ms).chain(gates.iter().map(|gate| gate.4)).max().unwrap_or(0);
    let axis = if last < 3_600_000 { "%M:%S" } else { "%H:%M:%S" };
    // Local times on both sides of the sum: the picture shows time since the run began, in every time zone alike.
    let mut out = format!(
        "gantt\n  title Waves, rework and gates: time since the run began\n  dateFormat YYYY-MM-DD HH:mm:ss.SSS\n  axisFormat {axis}\n"
    );
    let mut section = String::new();
    let (repeated, first): (Vec<_>, Vec<_>) = bars.iter().partition(|bar| bar.is_repeated());
    for bar in first.into_iter().chain(repeated) {
        let title = match (bar.attempt, bar.phase) {
            _ if bar.is_repeated() => "rework".to_owned(),
            (_, None) => "added".to_owned(),
            (_, Some(phase)) if bar.wave == 0 || bar.wave == usize::MAX => phase.name().to_owned(),
            (_, Some(phase)) => format!("{} {}", bar.wave, phase.name()),
        };
        if section != title {
            out.push_str(&format!("  section {title}\n"));
            section = title;
        }
        let said = match bar.outcomes.as_slice() {
            [outcome] => outcome.name().to_owned(),
            outcomes => wording::outcomes(outcomes.iter().copied()),
        };
        let attempt = bar
            .attempt
            .filter(|_| bar.outcomes.len() == 1)
            .map(|attempt| format!(" attempt {attempt}"))
            .unwrap_or_default();
        let tag = tag(bar.outcomes.iter().map(|outcome| Look::from_outcome(*outcome)).max().unwrap_or(Look::Planned));
        out.push_str(&format!(
            "  {}{attempt} ({said}) :{tag}{}, {}\n",
            plain(&text::truncate(bar.name, NAME_CHARS)),
            clock(bar.from_ms),
            clock(bar.to_ms.max(bar.from_ms.saturating_add(1))),
        ));
    }
    if !gates.is_empty() {
        out.push_str("  section gates\n");
    }
    for (name, said, look, from, to) in gates {
        out.push_str(&format!("  {name} ({said}) :{}{}, {}\n", tag(*look), clock(*from), clock(*to)));
    }
    out.truncate(out.trim_end().len());
    out
}

/// Returns mermaid's tag for a bar that looks so.
fn tag(look: Look) -> &'static str {
    match look {
        Look::Passed => "done, ",
        Look::Failed | Look::TimedOut => "crit, ",
        Look::Blocked | Look::Cancelled | Look::NotRun | Look::Planned => "active, ",
    }
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
