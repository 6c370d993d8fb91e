//! A plan between reading and checking: what both forms give, with the place of everything that may yet be refused.

use crate::{
    diagnostics::Position,
    gate::GateKind,
    ids::SubagentName,
    plan::{AcceptanceCriterion, VerificationCommand},
    roster::{Role, Roster},
};

/// A word of the plan and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) text: String,
    pub(super) at: Position,
}

/// The plan as it was written.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) title: Option<String>,
    pub(super) preamble: String,
    pub(super) tasks: Vec<TaskDraft>,
    pub(super) verification: Vec<VerificationCommand>,
    pub(super) acceptance: Vec<AcceptanceCriterion>,
}

/// A task as it was written.
#[derive(Debug)]
pub(super) struct TaskDraft {
    pub(super) at: Position,
    /// The id that the plan gives.
    pub(super) id: Option<Word>,
    /// The subagent; `None` when the plan names one that does not exist, which has been told already.
    pub(super) who: Option<Who>,
    pub(super) title: String,
    pub(super) requirements: Vec<RequirementDraft>,
    pub(super) notes: String,
    pub(super) touches: Vec<Word>,
    pub(super) needs: Vec<Word>,
    pub(super) parallel_with: Vec<Word>,
}

/// The subagent that a task is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Who {
    pub(super) name: SubagentName,
    /// What the task's id is made from when the plan gives none: the role for the subagent that stands for its role,
    /// the subagent's own name for any other.
    pub(super) id_stem: String,
}

impl Who {
    /// Finds the subagent that stands for `role`.
    pub(super) fn of_role(role: Role, roster: &Roster) -> Option<Self> {
        roster.for_role(role).map(|subagent| Self { name: subagent.name.clone(), id_stem: role.name().to_owned() })
    }

    /// Finds a subagent by name.
    pub(super) fn of_name(name: &str, roster: &Roster) -> Option<Self> {
        let subagent = roster.get(&SubagentName::new(name).ok()?)?;
        let stands_for_role = roster.for_role(subagent.role).is_some_and(|first| first.name == subagent.name);
        let id_stem = if stands_for_role { subagent.role.name() } else { subagent.name.as_str() };
        Some(Self { name: subagent.name.clone(), id_stem: id_stem.to_owned() })
    }
}

/// A requirement as it was written.
#[derive(Debug)]
pub(super) struct RequirementDraft {
    pub(super) at: Position,
    pub(super) id: Option<Word>,
    pub(super) text: String,
    pub(super) detail: String,
    pub(super) done: bool,
}

/// A command as it was written, before it is split.
#[derive(Debug, Clone, Copy)]
pub(super) struct CommandLine<'a> {
    pub(super) gate: GateKind,
    pub(super) text: &'a str,
    pub(super) at: Position,
}

impl TaskDraft {
    /// Adds a piece of free text.
    pub(super) fn add_note(&mut self, note: &str) {
        if note.is_empty() {
            return;
        }
        if !self.notes.is_empty() {
            self.notes.push_str("\n\n");
        }
        self.notes.push_str(note);
    }
}
