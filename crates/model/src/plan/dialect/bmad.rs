//! BMAD: a story with acceptance criteria, tasks with subtasks, notes for developers, and records to be filled in.

use super::reader::{DialectReader, Input};
use crate::plan::{
    domains::normal,
    shape::{Dialect, Rules},
};

/// A story of BMAD.
pub(super) struct Bmad;

impl DialectReader for Bmad {
    fn dialect(&self) -> Dialect {
        Dialect::Bmad
    }

    fn recognises(&self, input: &Input<'_, '_>) -> bool {
        let phrases: Vec<String> =
            input.sections.iter().filter_map(|section| section.line()).map(|line| normal(&line.text)).collect();
        let has = |names: &[&str]| phrases.iter().any(|phrase| names.contains(&phrase.as_str()));
        has(&["tasks subtasks", "tasks and subtasks"])
            || (has(&["story"]) && has(&["dev notes", "dev agent record"]) && has(&["tasks", "task list"]))
    }

    fn rules(&self) -> Rules {
        Rules { items_are_tasks: true, only_boxes: true, ..Rules::FOREIGN }
    }
}
