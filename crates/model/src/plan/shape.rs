//! The shapes in which planners write, by name, and what distinguishes how each is read.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The shape in which a plan is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Dialect {
    /// Ours, in Markdown or YAML.
    #[default]
    Ours,
    /// `tasks.md` of spec-kit.
    SpecKit,
    /// `tasks.md` of a change of OpenSpec.
    Openspec,
    /// A plan of superpowers.
    Superpowers,
    /// `tasks.md` of a spec of Kiro.
    Kiro,
    /// A story of BMAD.
    Bmad,
    /// `tasks.json` of Taskmaster.
    Taskmaster,
    /// JSON or YAML of any other shape.
    Data,
    /// Markdown of any shape, such as that of a plan mode.
    Markdown,
}

impl Dialect {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Ours,
        Self::SpecKit,
        Self::Openspec,
        Self::Superpowers,
        Self::Kiro,
        Self::Bmad,
        Self::Taskmaster,
        Self::Data,
        Self::Markdown,
    ];

    /// Returns the name by which the command line knows it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::SpecKit => "spec-kit",
            Self::Openspec => "openspec",
            Self::Superpowers => "superpowers",
            Self::Kiro => "kiro",
            Self::Bmad => "bmad",
            Self::Taskmaster => "taskmaster",
            Self::Data => "data",
            Self::Markdown => "markdown",
        }
    }
}

impl Dialect {
    /// Says by what it is recognised.
    #[must_use]
    pub fn recognised_by(self) -> &'static str {
        match self {
            Self::Ours => "headings name subagents or domains",
            Self::SpecKit => "boxes with T001",
            Self::Openspec => "boxes with 1.1 below numbered headings",
            Self::Superpowers => "numbered tasks with files or steps",
            Self::Kiro => "numbered boxes with parts",
            Self::Bmad => "a story with Tasks / Subtasks",
            Self::Taskmaster => "JSON with id, title and status",
            Self::Data => "JSON or YAML of its own shape",
            Self::Markdown => "not all headings name subagents or domains",
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What distinguishes how a dialect is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rules {
    /// Whether numbers and tags before an item are its id: `T001 …`, `1.2 …`.
    pub(super) numbers_are_ids: bool,
    /// Whether an item at the top level is a task, and the boxes below it are its items.
    pub(super) items_are_tasks: bool,
    /// Whether text behind an item is its body: code, what to run, what to expect.
    pub(super) bodies_follow: bool,
    /// Whether only boxes are work in sections that do not count work.
    pub(super) only_boxes: bool,
    /// Whether an item's own paths and words count more than the heading's.
    pub(super) items_decide: bool,
    /// Whether every item names the files that it is about, and those are all that it may touch.
    pub(super) items_name_files: bool,
    /// Whether nothing in the plan says for certain that it was written for us.
    pub(super) guessed: bool,
    /// Whether the plan was written by somebody who does not know us: what it cannot know is no error.
    pub(super) lenient: bool,
}

impl Rules {
    /// Those of our own dialect.
    pub(super) const OURS: Self = Self {
        numbers_are_ids: false,
        items_are_tasks: false,
        bodies_follow: false,
        only_boxes: false,
        items_decide: false,
        items_name_files: false,
        guessed: false,
        lenient: false,
    };

    /// Tells whether the plan may have been written by somebody who does not know us.
    pub(super) fn may_be_foreign(self) -> bool {
        self.lenient || self.guessed
    }

    /// Those that all other dialects begin with.
    pub(super) const FOREIGN: Self = Self { items_decide: true, guessed: true, lenient: true, ..Self::OURS };
}
