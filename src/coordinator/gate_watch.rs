//! Watches the tests of the commit while the commands of a gate run in its work tree. What counts as one of them, and what a
//! change means, is decided in the model.

use std::mem;

use implementer_model::{
    evidence::rewritten::{self, Rewritten, Usual, Watched},
    findings::Finding,
    gate::CommandReceipt,
    run::GateJob,
    text,
};

use super::error::RunError;
use crate::workspace::slots::{Slot, Watch};

/// The tests in one work tree of a gate.
pub(super) struct TestsWatch<'a> {
    slot: &'a Slot,
    watched: Watched,
    watch: Watch,
}

impl<'a> TestsWatch<'a> {
    /// Begins to watch, before anything of the gate runs.
    pub(super) fn begin(slot: &'a Slot, job: &GateJob) -> Result<Self, RunError> {
        let watched = Watched::new(job.argvs());
        let watch = tokio::task::block_in_place(|| {
            slot.watch(|path| watched.has(path), &|path, is_folder, exists| {
                watched.is_intruder(path, is_folder, exists)
            })
        })?;
        Ok(Self { slot, watched, watch })
    }

    /// Says what a command that has ended changed.
    pub(super) fn after_command(&mut self) -> Result<Vec<Rewritten>, RunError> {
        let Self { slot, watched, watch } = self;
        let intrudes =
            |path: &str, is_folder: bool, exists: &dyn Fn(&str) -> bool| watched.is_intruder(path, is_folder, exists);
        tokio::task::block_in_place(|| {
            let found = slot.look_again(watch, &intrudes)?.into_iter();
            let weighed = found
                .filter_map(|(path, became)| Rewritten::from_change(path.clone(), &became, || slot.committed(&path)));
            Ok(weighed.collect())
        })
    }
}

/// What the commands of a gate changed of the tests, each by itself.
#[derive(Debug, Default)]
pub(super) struct RewrittenTests(Vec<Vec<Rewritten>>);

impl RewrittenTests {
    /// Takes in what the next command changed.
    pub(super) fn push(&mut self, rewritten: Vec<Rewritten>) {
        self.0.push(rewritten);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().all(Vec::is_empty)
    }

    /// Holds against the commands what they changed, all but what the commands of the base change themselves. Returns what is
    /// for somebody to look at.
    pub(super) fn charge(&mut self, commands: &mut [CommandReceipt], of_base: Option<&Self>) -> Vec<Finding> {
        let usual = of_base.map(|base| Usual::new(base.0.iter().flatten())).unwrap_or_default();
        let mut findings = Vec::new();
        for (command, rewritten) in commands.iter_mut().zip(mem::take(&mut self.0)) {
            let shown = text::code(&text::truncate(&implementer_model::command::join(&command.argv), 120));
            findings.extend(rewritten::put_back(&shown, &rewritten, &usual));
            if command.exit_code == Some(0) && command.trouble.is_none() {
                command.trouble = rewritten::trouble(&rewritten, &usual);
            }
        }
        findings
    }
}
