//! The run as an inline picture: a column for each wave, a node for each task, and the critical path through them.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};

use super::shown;
use crate::{
    ids::TaskId,
    roster::Phase,
    summary::{
        critical::Step,
        gates::standings,
        graph::{Graph, NodeTask, run_nodes, short},
        index::RunIndex,
        wording::{self, Look},
    },
    text,
};

/// The size of a node and of what is between two, in the units of the picture.
const NODE: (usize, usize) = (134, 40);
const GAP: (usize, usize) = (24, 12);
/// Where the first node begins: below the title of its column.
const TOP: usize = 28;
/// The most characters of a name in a node.
const NAME_CHARS: usize = 18;

/// A node in its place.
struct Placed {
    column: usize,
    x: usize,
    y: usize,
    look: Look,
    lines: [String; 2],
    link: Option<String>,
    is_critical: bool,
}

impl Placed {
    fn middle(&self) -> usize {
        self.y + NODE.1 / 2
    }
}

/// Draws the graph; nothing when there is no task.
pub(super) fn graph(index: &RunIndex<'_>, path: &[Step<'_>]) -> Markup {
    let nodes = run_nodes(index);
    let Some(graph) = Graph::readable(&index.handoff.schedule, &nodes).next() else { return html! {} };
    let mut columns: Vec<(Option<Phase>, usize, usize)> = Vec::new();
    let mut placed: Vec<Placed> = Vec::new();
    let mut node_of: BTreeMap<&TaskId, usize> = BTreeMap::new();
    let on_path: BTreeSet<&TaskId> = path.iter().map(|step| step.task).collect();
    for ((phase, wave, ..), tasks) in &graph.nodes {
        if columns.last().is_none_or(|last| (last.0, last.1) != (*phase, *wave)) {
            columns.push((*phase, *wave, 0));
        }
        let column = columns.len() - 1;
        let (_, _, rows) = &mut columns[column];
        node_of.extend(tasks.iter().map(|task| (task.id, placed.len())));
        placed.push(Placed {
            column,
            x: column * (NODE.0 + GAP.0) + 4,
            y: TOP + *rows * (NODE.1 + GAP.1),
            look: tasks.iter().map(NodeTask::look).max().unwrap_or(Look::NotRun),
            lines: lines(tasks, index),
            link: if let [task] = tasks.as_slice() { Some(format!("#task-{}", task.id)) } else { None },
            is_critical: tasks.iter().any(|task| on_path.contains(task.id)),
        });
        *rows += 1;
    }
    if placed.is_empty() {
        return html! {};
    }
    let tasks = placed.len();
    let mut titles: Vec<String> = columns.iter().map(|(phase, wave, _)| title(*phase, *wave)).collect();
    for (row, gate) in standings(index.handoff).iter().enumerate() {
        placed.push(Placed {
            column: columns.len(),
            x: columns.len() * (NODE.0 + GAP.0) + 4,
            y: TOP + row * (NODE.1 + GAP.1),
            look: gate.look(),
            lines: [gate.gate.name().to_owned(), gate.said().to_owned()],
            link: Some(format!("#gate-{}", gate.gate)),
            is_critical: false,
        });
    }
    titles.push("Gates".to_owned());
    let rows = columns.iter().map(|column| column.2).max().unwrap_or(0).max(placed.len() - tasks);
    let (width, height) = (titles.len() * (NODE.0 + GAP.0) - GAP.0 + 8, TOP + rows * (NODE.1 + GAP.1));
    let critical: BTreeSet<(usize, usize)> = path
        .windows(2)
        .filter_map(|pair| Some((*node_of.get(pair[0].task)?, *node_of.get(pair[1].task)?)))
        .filter(|(from, to)| placed[*from].column < placed[*to].column)
        .collect();
    let arrow = |(from, to): &(usize, usize), class: &str| {
        let (from, to) = (&placed[*from], &placed[*to]);
        let (x1, y1, x2, y2) = (from.x + NODE.0, from.middle(), to.x, to.middle());
        let bend = x1 + GAP.0 / 2;
        html! { path class=(class) d=(format!("M{x1} {y1} C{bend} {y1} {bend} {y2} {x2} {y2}")) {} }
    };
    html! {
        div class="scroll" tabindex="0" role="region" aria-label="Picture: graph" {
            svg class="graph" width=(width) height=(height) viewBox={ "0 0 " (width) " " (height) } role="group"
                aria-label="The tasks by wave; the table of tasks holds the same." {
                @for (column, title) in titles.iter().enumerate() {
                    text class="title" x=(column * (NODE.0 + GAP.0) + 4) y="16" { (title) }
                }
                @for edge in graph.edges.iter().filter(|edge| !critical.contains(edge)) { (arrow(edge, "need")) }
                @for edge in &critical { (arrow(edge, "critical")) }
                @for node in &placed { (drawn(node)) }
            }
        }
    }
}

fn title(phase: Option<Phase>, wave: usize) -> String {
    let phase = phase.map_or("added", Phase::name);
    if wave == 0 || wave == usize::MAX { phase.to_owned() } else { format!("Wave {wave}, {phase}") }
}

/// Says what a node is in two lines: its name, and how it went.
fn lines(tasks: &[NodeTask<'_>], index: &RunIndex<'_>) -> [String; 2] {
    match tasks {
        [task] => {
            let took = index.task(task.id).map_or(0, |view| view.duration_ms());
            let attempts = if task.attempts > 1 { format!(", {} attempts", task.attempts) } else { String::new() };
            let outcome = task.outcome.map_or("planned", |outcome| outcome.name());
            let took =
                if took > 0 && attempts.is_empty() { format!(", {}", wording::duration(took)) } else { attempts };
            [text::truncate(task.id.as_str(), NAME_CHARS), format!("{outcome}{took}")]
        }
        tasks => {
            let who = tasks.first().map_or("", |task| short(task.subagent()));
            let several = tasks.iter().any(|task| short(task.subagent()) != who);
            let who = if several { "several subagents" } else { who };
            [text::truncate(who, NAME_CHARS), wording::outcomes(tasks.iter().filter_map(|task| task.outcome))]
        }
    }
}

fn drawn(node: &Placed) -> Markup {
    let class = if node.is_critical { "node critical" } else { "node" };
    let inside = html! {
        rect class={ (class) " " (node.look.class()) } x=(node.x) y=(node.y) width=(NODE.0) height=(NODE.1) rx="5" {}
        text class={ "in " (node.look.class()) } x=(node.x + 8) y=(node.y + 16) { (shown(&node.lines[0])) }
        text class={ "in " (node.look.class()) } x=(node.x + 8) y=(node.y + 32) {
            (text::truncate(&node.lines[1], NAME_CHARS + 4))
        }
    };
    match &node.link {
        Some(link) => html! { a href=(link) { (inside) } },
        None => inside,
    }
}
