//! The plan: what the Planner wrote, as tasks with requirements.
//!
//! `docs/plan.md` documents the format for Planners.

mod accounting;
mod blocks;
mod check;
mod commands;
mod counts;
mod dialect;
mod directives;
mod division;
mod domains;
mod draft;
mod folder;
mod granularity;
mod headings;
mod implied;
mod inline;
mod intake;
mod inventory;
mod items;
mod mentions;
mod naming;
mod owners;
mod ownership;
mod ranges;
mod schema;
mod sections;
mod shape;
mod source;
mod tasks;
#[cfg(test)]
mod tests;
mod verification;
mod waits;
mod write;
mod yaml_form;

pub use accounting::{Counts, Fate, PlanItem, Reason};
pub use folder::{Chosen, ContextFile, Folder, choose, shared_context};
pub use implied::implied_tasks;
pub use intake::{Reading, read};
pub use owners::Settings;
pub use ownership::Ownership;
pub use schema::schema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
pub use shape::Dialect;

use crate::{
    gate::GateKind,
    ids::{Digest, RequirementId, SubagentName, TaskId},
    text,
};

/// A plan, read and checked. Everything in it came from outside and is untrusted text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Plan {
    /// The name under which the user knows the plan: a path, `-`, or a description such as "pull request body".
    pub source: String,
    /// The SHA-256 of the plan's bytes.
    pub digest: Digest,
    /// The shape in which it is written.
    #[serde(default)]
    pub dialect: Dialect,
    /// Whether it was asked to be read so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dialect_is_asked: bool,
    /// The plan's title, when it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The free text before the first section, which every brief carries.
    #[serde(default)]
    pub preamble: String,
    /// What the plan says is not to be done, in its own words: every brief has it as a constraint.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub out_of_scope: Vec<String>,
    /// The pieces of work, in the order of the plan.
    pub tasks: Vec<PlannedTask>,
    /// The commands that verify the result, in the order of the plan.
    #[serde(default)]
    pub verification: Vec<VerificationCommand>,
    /// What must hold in the end, in the Planner's words.
    #[serde(default)]
    pub acceptance: Vec<AcceptanceCriterion>,
    /// Every item of the plan and what became of it, in the order of the plan.
    #[serde(default)]
    pub items: Vec<PlanItem>,
    /// What stands beside the plan in its folder: every brief has it, as far as there is room.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub context: Vec<ContextFile>,
}

impl Plan {
    /// Makes a plan in which nothing is asked for.
    #[must_use]
    pub fn empty(source: &str, digest: Digest) -> Self {
        Self {
            source: source.to_owned(),
            digest,
            dialect: Dialect::default(),
            dialect_is_asked: false,
            title: None,
            preamble: String::new(),
            out_of_scope: Vec::new(),
            tasks: Vec::new(),
            verification: Vec::new(),
            acceptance: Vec::new(),
            items: Vec::new(),
            context: Vec::new(),
        }
    }

    /// Says by what its dialect was recognised.
    #[must_use]
    pub fn why_dialect(&self) -> &'static str {
        if self.dialect_is_asked { "as asked" } else { self.dialect.recognised_by() }
    }

    /// Says in one line what is not to be done, each part in at most `most` characters.
    #[must_use]
    pub fn not_to_be_done(&self, most: usize) -> Option<String> {
        let plain = |said: &String| text::truncate(&text::line(&said.replace(['*', '#'], "")), most);
        let said: Vec<_> = self.out_of_scope.iter().map(plain).collect();
        (!said.is_empty()).then(|| said.join("; "))
    }

    /// Names the sections that are nobody's task and that every brief carries, at most eight of them. Text above the first of
    /// them is the introduction.
    #[must_use]
    pub fn read_by_everybody(&self) -> Option<String> {
        let mut in_code = false;
        let headings = self.preamble.lines().filter_map(|line| {
            in_code ^= line.trim_start().starts_with("```") || line.trim_start().starts_with("~~~");
            let title = line.trim_start_matches('#');
            (!in_code && title.starts_with(' ') && title.len() < line.len()).then(|| text::truncate(title.trim(), 60))
        });
        let is_data = matches!(self.dialect, Dialect::Data | Dialect::Taskmaster);
        let is_sentence = |line: &&str| {
            line.contains(' ') && !["- ", "* ", "+ ", "|", ">", "<"].iter().any(|mark| line.starts_with(mark))
        };
        let above = self.preamble.lines().take_while(|line| !line.starts_with('#'));
        let has_introduction = !is_data && above.filter(is_sentence).count() > 0;
        let introduction = has_introduction.then(|| "the introduction".to_owned());
        let named = text::listed(introduction.into_iter().chain(headings), 8);
        (!named.is_empty()).then_some(named)
    }

    /// Counts the items and where they went.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts::new(&self.items)
    }
}

/// One piece of work for one subagent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct PlannedTask {
    /// The task's id, given by the plan or made from its heading.
    pub id: TaskId,
    /// The subagent that is to do it.
    pub subagent: SubagentName,
    /// The heading, for people.
    pub title: String,
    /// What is to be done.
    pub requirements: Vec<Requirement>,
    /// Free text of the section that belongs to no requirement.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub notes: String,
    /// The globs of the paths that the task may touch, when the plan says so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub touches: Vec<String>,
    /// The globs of the paths that its items name: what it may touch beside the scope of its subagent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also_touches: Vec<String>,
    /// The tasks that must have passed before this one begins: of the plan, or of [`implied_tasks`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<TaskId>,
    /// The tasks that this one may run beside, although phase or sequence would put one after the other: of the plan, or
    /// of [`implied_tasks`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parallel_with: Vec<TaskId>,
    /// What decided about the subagent.
    #[serde(default)]
    pub owner: Ownership,
    /// Whether it is about what holds for all of the work, so that the reviewer answers each of its requirements.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reviewed: bool,
    /// The line of the heading, from 1.
    pub line: u32,
}

/// One item of the plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Requirement {
    /// The requirement's id: the Planner's own, or the task's id and a number.
    pub id: RequirementId,
    /// The item, in one line.
    pub text: String,
    /// What is nested below the item, as Markdown.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// Whether the Planner ticked it off as already there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub done: bool,
    /// The line of the item, from 1.
    pub line: u32,
}

/// A command that verifies the result, split into arguments: no shell ever reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct VerificationCommand {
    /// The gate that the command belongs to.
    pub gate: GateKind,
    /// The program and its arguments.
    pub argv: Vec<String>,
    /// The line it stands on, from 1.
    pub line: u32,
}

/// Something that must hold in the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct AcceptanceCriterion {
    /// The criterion, in the Planner's words.
    pub text: String,
    /// The line it stands on, from 1.
    pub line: u32,
}

/// The largest plan that is read, in bytes. Task files of megabytes exist; most of them is done already.
pub const PLAN_MAX_BYTES: usize = 4 * 1024 * 1024;
