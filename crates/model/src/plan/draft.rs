//! A plan between reading and checking: what both forms give, with the place of everything that may yet be refused.

use std::ops::Range;

use crate::{
    diagnostics::Position,
    gate::GateKind,
    ids::SubagentName,
    plan::{
        AcceptanceCriterion, VerificationCommand,
        accounting::{Placed, What},
        ownership::Ownership,
    },
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
    /// What the plan says is not to be done, by nobody.
    pub(super) out_of_scope: Vec<String>,
    pub(super) tasks: Vec<TaskDraft>,
    pub(super) verification: Vec<VerificationCommand>,
    pub(super) acceptance: Vec<AcceptanceCriterion>,
    /// What became of the stretches of the text that are no requirements.
    pub(super) placed: Vec<Placed>,
    /// What the plan says about what waits for what, in a list of its own.
    pub(super) order: Vec<OrderLine>,
    /// The sections that were seen, for a plan in which none is work.
    pub(super) seen: Vec<String>,
}

impl Draft {
    /// Says what became of a stretch of the text.
    pub(super) fn place(&mut self, range: Range<usize>, what: What) {
        self.placed.push(Placed::new(range, what));
    }
}

/// What one line of a list of dependencies says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Order {
    /// What waits; nothing where the line speaks of where it stands.
    pub(super) waits: Vec<String>,
    /// What it waits for.
    pub(super) on: Vec<String>,
    /// Whether an arrow says it, so that the later of both in the plan waits.
    pub(super) is_arrow: bool,
}

/// A line of a list of dependencies.
#[derive(Debug)]
pub(super) struct OrderLine {
    pub(super) said: Order,
    pub(super) at: Position,
    /// Whether it is told when it names what the plan does not have.
    pub(super) is_told: bool,
}

/// A task as it was written.
#[derive(Debug, Default)]
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
    /// The globs of the paths that its items name and that its subagent could not touch otherwise.
    pub(super) also_touches: Vec<Word>,
    pub(super) needs: Vec<Word>,
    pub(super) parallel_with: Vec<Word>,
    /// What its items say that they wait for, as far as there is such a thing.
    pub(super) soft_needs: Vec<Word>,
    /// Who does it when the plan names nobody.
    pub(super) owner: Owner,
    /// What the plan may call it by beside its id.
    pub(super) keys: Vec<String>,
    /// The headings that it was made from, and those around them.
    pub(super) headings: Vec<String>,
    /// The paths that its heading or its list of files names: what it may touch, as far as its subagent may.
    pub(super) paths: Vec<String>,
    /// Whether the reviewer is to answer each of its requirements.
    pub(super) is_cross_cutting: bool,
    /// Whether its heading is all that there is of it, and so is the work.
    pub(super) is_heading: bool,
    /// Whether its heading is ticked, and so everything below it that has no box of its own.
    pub(super) is_ticked: bool,
    /// Whom a line such as `Agent: backend-datatypes` gives it to.
    pub(super) assigned: Option<Who>,
    /// Whether it is a piece of work of its own in the plan, which is never joined with its neighbours.
    pub(super) stands_alone: bool,
    /// The tasks of one frame may be joined; this is its number.
    pub(super) frame: usize,
}

/// Who does a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Owner {
    /// The one that the plan names: all of it.
    #[default]
    Named,
    /// The one that the heading names, but for items that are plainly another's.
    Heading,
    /// Each item says, or none.
    Items,
    /// It was decided, by this.
    Decided(Ownership),
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

/// Lists the names of the roster, for hints.
pub(super) fn known(roster: &Roster) -> String {
    let names: Vec<_> = roster.iter().map(|subagent| format!("`{}`", subagent.name)).collect();
    crate::text::truncate(&names.join(", "), 400)
}

/// A requirement as it was written.
#[derive(Debug, Clone, Default)]
pub(super) struct RequirementDraft {
    pub(super) at: Position,
    pub(super) id: Option<Word>,
    pub(super) text: String,
    pub(super) detail: String,
    pub(super) done: bool,
    /// The part of the text that says what is to be done, where it holds more than that.
    pub(super) about: Option<String>,
    /// Where it lies in the source.
    pub(super) range: Range<usize>,
    /// The paths that it mentions.
    pub(super) paths: Vec<String>,
    /// The items and tasks that it says it waits for.
    pub(super) needs: Vec<Word>,
    /// Whether the plan says that it may run beside its neighbours.
    pub(super) parallel: bool,
    /// What the plan may call it by beside its id.
    pub(super) keys: Vec<String>,
    /// The item above it that it is a part of.
    pub(super) group: Option<String>,
    /// Whom the label above it names.
    pub(super) who: Option<Who>,
    /// The domain that a label above it names.
    pub(super) under: Option<Role>,
    /// Whether it is made of sentences: those that name no path may be about any.
    pub(super) is_prose: bool,
    /// What stands below it, where its own line names no path: whose it is and what it touches is said there.
    pub(super) parts: Vec<Part>,
}

/// A line below an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) text: String,
    pub(super) paths: Vec<String>,
}

impl RequirementDraft {
    /// Tells whether the paths that it names are all that it is about: neither sentences nor a line below it without a path
    /// may be about others.
    pub(super) fn names_all_paths(&self) -> bool {
        !self.paths.is_empty() && !self.is_prose && self.parts.iter().all(|part| !part.paths.is_empty())
    }
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
