//! What was found in a repository, and how it is added to.

use crate::starter::wishes::Program;

/// Something that was found, and what follows from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// What was decided.
    pub what: String,
    /// Why.
    pub because: String,
}

/// A command that a slot needs before anything runs in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::starter) struct SlotSetup {
    pub(in crate::starter) run: String,
    pub(in crate::starter) files: Vec<String>,
    pub(in crate::starter) because: String,
}

/// A command of the tests gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::starter) struct Test {
    pub(in crate::starter) command: String,
    pub(in crate::starter) because: String,
}

/// A step of the working job, before ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::starter) enum JobStep {
    /// An action with its inputs.
    Uses { action: &'static str, with: Vec<(String, String)>, because: String },
    /// A command.
    Run { command: String, because: String },
}

/// Everything that was found.
#[derive(Debug)]
pub(in crate::starter) struct Found {
    pub(in crate::starter) agent: String,
    pub(in crate::starter) program: Option<Program>,
    pub(in crate::starter) tests: Vec<Test>,
    pub(in crate::starter) setup: Vec<SlotSetup>,
    pub(in crate::starter) steps: Vec<JobStep>,
    pub(in crate::starter) needs_checkout: bool,
    pub(in crate::starter) services: Vec<String>,
    pub(in crate::starter) services_file: String,
    pub(in crate::starter) reasons: Vec<Reason>,
    pub(in crate::starter) agent_files: usize,
    pub(in crate::starter) plans: Vec<String>,
}

impl Found {
    pub(super) fn test(&mut self, command: &str, because: String) {
        // A target of the Makefile stands for all projects: whoever wrote it knows best.
        if self.tests.first().is_some_and(|first| first.command == "make test") {
            return;
        }
        self.tests.push(Test { command: command.to_owned(), because });
    }

    pub(super) fn because(&mut self, what: &str, because: &str) {
        self.reasons.push(Reason { what: what.to_owned(), because: because.to_owned() });
    }

    pub(super) fn step(&mut self, step: JobStep) {
        if !self.steps.contains(&step) {
            self.steps.push(step);
        }
    }

    /// Adds the step that installs a language.
    pub(super) fn language(&mut self, action: &'static str, with: Vec<(String, String)>, because: String) {
        let there = self.steps.iter().any(|step| matches!(step, JobStep::Uses { action: a, .. } if *a == action));
        if !there {
            self.needs_checkout |= with.iter().any(|(name, _)| name.ends_with("-file"));
            self.step(JobStep::Uses { action, with, because });
        }
    }
}
