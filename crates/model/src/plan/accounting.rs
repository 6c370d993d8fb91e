//! What became of every item of a plan: work, criterion, command, done already, or left aside for a stated reason.
//!
//! The items are found in the document by [`inventory`](super::inventory), which knows no dialect; the reader of the
//! dialect says what it made of which stretch of the text. What nobody spoke for is an error, so that a reader that
//! overlooks something stops a plan instead of losing work.

use std::ops::Range;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    gate::GateKind,
    ids::{RequirementId, TaskId},
    text,
};

/// One item of the plan and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct PlanItem {
    /// The line it stands on, from 1.
    pub line: u32,
    /// The item, in one line.
    pub text: String,
    /// What became of it.
    #[serde(flatten)]
    pub fate: Fate,
}

/// What became of an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "became")]
pub enum Fate {
    /// A requirement of a task.
    Requirement {
        /// The task.
        task: TaskId,
        /// The requirement.
        requirement: RequirementId,
    },
    /// An acceptance criterion.
    Criterion,
    /// A command of a gate.
    Command {
        /// The gate.
        gate: GateKind,
    },
    /// The plan says that it is there already.
    Done,
    /// No work, for this reason.
    Aside {
        /// Why.
        reason: Reason,
        /// The heading or label that says so.
        section: String,
    },
}

/// Why an item is no work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// It is there to be read: every brief has it.
    Context,
    /// The plan says that it is not to be done.
    OutOfScope,
    /// The plan puts it off.
    Deferred,
    /// It explains how the plan is written.
    Legend,
    /// It lists files that the tasks name themselves.
    Files,
    /// It records what was done, or is a form to be filled in.
    Record,
}

impl Reason {
    /// Returns the reason in a word or two.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Context => "context",
            Self::OutOfScope => "out of scope",
            Self::Deferred => "deferred",
            Self::Legend => "legend",
            Self::Files => "list of files",
            Self::Record => "record",
        }
    }
}

/// A stretch of the source and what the reader made of it.
#[derive(Debug, Clone)]
pub(super) struct Placed {
    pub(super) range: Range<usize>,
    pub(super) what: What,
    /// The line and the text of an item whose text is not its first line in the source.
    pub(super) shown: Option<(u32, String)>,
}

impl Placed {
    pub(super) fn new(range: Range<usize>, what: What) -> Self {
        Self { range, what, shown: None }
    }
}

/// What the reader made of a stretch of the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum What {
    /// An item with this fate.
    Item(Fate),
    /// Everything in it is left aside.
    Aside { reason: Reason, section: String },
    /// It says something about the work and asks for none itself: a directive, a label, a list of files.
    Said,
}

/// The counts of a plan's items.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counts {
    /// All of them.
    pub items: usize,
    /// Requirements of tasks.
    pub requirements: usize,
    /// Tasks that have them.
    pub tasks: usize,
    /// Acceptance criteria.
    pub criteria: usize,
    /// Commands of gates.
    pub commands: usize,
    /// Those that the plan says are there already.
    pub done: usize,
    /// Those that are no work, by the section that says so, in the order of the plan.
    pub asides: Vec<(String, Reason, usize)>,
}

/// How many sections of asides are named before the rest is only counted.
const ASIDES_NAMED: usize = 6;

impl Counts {
    /// Counts the items of a plan.
    #[must_use]
    pub fn new(items: &[PlanItem]) -> Self {
        let mut counts = Self { items: items.len(), ..Self::default() };
        let mut tasks = std::collections::BTreeSet::new();
        for item in items {
            match &item.fate {
                Fate::Requirement { task, .. } => {
                    counts.requirements += 1;
                    tasks.insert(task);
                }
                Fate::Criterion => counts.criteria += 1,
                Fate::Command { .. } => counts.commands += 1,
                Fate::Done => counts.done += 1,
                Fate::Aside { reason, section } => {
                    match counts.asides.iter_mut().find(|(name, why, _)| name == section && why == reason) {
                        Some((.., count)) => *count += 1,
                        None => counts.asides.push((section.clone(), *reason, 1)),
                    }
                }
            }
        }
        counts.tasks = tasks.len();
        counts
    }

    /// Says where the items went, in one line of plain text: `31 items: 24 in 6 tasks, 3 criteria, …`.
    #[must_use]
    pub fn line(&self) -> String {
        let mut parts = vec![format!("{} in {}", self.requirements, text::count(self.tasks, "task"))];
        if self.criteria > 0 {
            parts.push(if self.criteria == 1 {
                "1 criterion".to_owned()
            } else {
                format!("{} criteria", self.criteria)
            });
        }
        if self.commands > 0 {
            parts.push(text::count(self.commands, "command"));
        }
        if self.done > 0 {
            parts.push(format!("{} done", self.done));
        }
        let asides: usize = self.asides.iter().map(|(.., count)| count).sum();
        if asides > 0 {
            let mut named: Vec<_> = self
                .asides
                .iter()
                .take(ASIDES_NAMED)
                .map(|(section, reason, _)| match text::truncate(section, 60) {
                    section if section.is_empty() => reason.name().to_owned(),
                    section if *reason == Reason::Context || section.eq_ignore_ascii_case(reason.name()) => section,
                    section => format!("{section} ({})", reason.name()),
                })
                .collect();
            if self.asides.len() > ASIDES_NAMED {
                named.push(format!("{} more sections", self.asides.len() - ASIDES_NAMED));
            }
            parts.push(format!("{asides} left aside: {}", named.join(", ")));
        }
        format!("{}: {}", text::count(self.items, "item"), parts.join(", "))
    }
}
