//! A run or a schedule as a graph: which tasks are drawn as one node, and what leads where. Every picture draws it in its own way.

use std::collections::{BTreeMap, BTreeSet};

use super::{index::RunIndex, wording::Look};
use crate::{
    ids::TaskId,
    roster::Phase,
    schedule::{Outcome, Schedule, Task},
};

/// The most edges of one picture, below mermaid's own limit of 500.
pub(super) const MAX_EDGES: usize = 400;

/// The most nodes of a picture that is still read and not only looked at.
pub(super) const MAX_NODES: usize = 48;

/// The most nodes side by side: more than eight are too small on the width of a comment.
const MAX_NODES_IN_ROW: usize = 8;

/// A task in a graph: in a preview it has no outcome yet.
#[derive(Clone, Copy)]
pub(super) struct NodeTask<'a> {
    pub(super) id: &'a TaskId,
    pub(super) task: Option<&'a Task>,
    pub(super) outcome: Option<Outcome>,
    pub(super) attempts: usize,
}

impl NodeTask<'_> {
    pub(super) fn look(&self) -> Look {
        self.outcome.map_or(Look::Planned, Look::from_outcome)
    }

    pub(super) fn subagent(&self) -> &str {
        self.task.map_or("not scheduled", |task| task.subagent.as_str())
    }
}

/// Returns the tasks of a run with what became of them.
pub(super) fn run_nodes<'a>(index: &RunIndex<'a>) -> Vec<NodeTask<'a>> {
    let node = |view: super::index::TaskView<'a>| NodeTask {
        id: view.id,
        task: view.task,
        outcome: Some(view.outcome()),
        attempts: view.attempts().len(),
    };
    index.tasks().map(node).collect()
}

/// Shortens the name of a built-in subagent for a picture: all of them begin alike.
pub(super) fn short(subagent: &str) -> &str {
    subagent.strip_prefix("backend-").unwrap_or(subagent)
}

/// How far tasks are drawn together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Together {
    Nothing,
    SubagentInWave,
    SubagentInPhase,
    Phase,
}

impl Together {
    pub(super) const ALL: [Self; 4] = [Self::Nothing, Self::SubagentInWave, Self::SubagentInPhase, Self::Phase];
}

/// What tasks have in common that share a node; the task number keeps those apart that share nothing.
pub(super) type NodeKey<'a> = (Option<Phase>, usize, &'a str, usize);

pub(super) struct Graph<'a> {
    /// The nodes, in the order of phases and waves.
    pub(super) nodes: BTreeMap<NodeKey<'a>, Vec<NodeTask<'a>>>,
    pub(super) edges: BTreeSet<(usize, usize)>,
    pub(super) together: Together,
}

impl<'a> Graph<'a> {
    /// Returns the graphs that people can read, the most detailed first; the last is drawn where no other fits.
    pub(super) fn readable(schedule: &Schedule, tasks: &[NodeTask<'a>]) -> impl Iterator<Item = Self> {
        let graphs = Together::ALL.into_iter().map(|together| Self::new(schedule, tasks, together));
        graphs.filter(|graph| graph.together == Together::Phase || !graph.is_too_large())
    }

    fn new(schedule: &Schedule, tasks: &[NodeTask<'a>], together: Together) -> Self {
        let wave_of = schedule.wave_of();
        let phase_of_wave: BTreeMap<_, _> = schedule.waves.iter().map(|wave| (wave.number, wave.phase)).collect();
        let key = |number: usize, task: &NodeTask<'a>| -> NodeKey<'a> {
            let wave = wave_of.get(task.id).copied().unwrap_or(usize::MAX);
            let phase = phase_of_wave.get(&wave).copied().or_else(|| task.task.map(Task::phase));
            let subagent = task.task.map_or("", |task| task.subagent.as_str());
            match together {
                Together::Nothing => (phase, wave, "", number),
                Together::SubagentInWave => (phase, wave, subagent, 0),
                Together::SubagentInPhase => (phase, 0, subagent, 0),
                Together::Phase => (phase, 0, "", 0),
            }
        };
        let mut nodes: BTreeMap<NodeKey<'a>, Vec<NodeTask<'a>>> = BTreeMap::new();
        for (number, task) in tasks.iter().enumerate() {
            nodes.entry(key(number, task)).or_default().push(*task);
        }
        let node_of: BTreeMap<&TaskId, usize> = nodes
            .values()
            .enumerate()
            .flat_map(|(node, tasks)| tasks.iter().map(move |task| (task.id, node)))
            .collect();
        let mut edges = BTreeSet::new();
        for task in tasks {
            for need in task.task.iter().flat_map(|task| &task.needs) {
                if let (Some(&from), Some(&to)) = (node_of.get(need), node_of.get(task.id))
                    && from != to
                {
                    edges.insert((from, to));
                }
            }
        }
        Self { nodes, edges, together }
    }

    fn is_too_large(&self) -> bool {
        let mut rows: BTreeMap<(Option<Phase>, usize), usize> = BTreeMap::new();
        for (phase, wave, ..) in self.nodes.keys() {
            *rows.entry((*phase, *wave)).or_default() += 1;
        }
        let widest = rows.values().copied().max().unwrap_or(0);
        self.nodes.len() > MAX_NODES || widest > MAX_NODES_IN_ROW || self.edges.len() > MAX_EDGES
    }

    pub(super) fn by_phase(&self) -> bool {
        matches!(self.together, Together::SubagentInPhase | Together::Phase)
    }
}
