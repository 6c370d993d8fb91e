//! What there is to find out about the tests beside their own run.

use std::collections::BTreeMap;

use super::{
    action::Action,
    basis::{Basis, Head},
    gate_job::GateJob,
    state::Run,
};
use crate::{
    config::EvidenceConfig,
    evidence::{
        base_tests::Changes,
        gathered::{self, DoneAlready},
    },
    findings::{Finding, FindingCode, Weight},
    gate::GateKind,
    ids::TaskId,
    patch::{Change, Patch, changes_of},
    record::{Outcome, TaskRecord},
    roster::Role,
    schedule::{Event, Millis},
    text,
};

/// What a task contributed to the result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contribution {
    pub task: TaskId,
    pub role: Role,
    pub patch: Patch,
}

/// What experiments on the tests start from.
#[derive(Debug, Clone)]
pub struct EvidencePlan {
    pub base: Head,
    pub head: Head,
    /// The integrated patches, in their order.
    pub contributions: Vec<Contribution>,
    /// What the result changes of the base: for each path its first old and its last new side.
    pub changes: Vec<Change>,
    pub settings: EvidenceConfig,
    /// How many experiments may run at one time: as many as subagents may.
    pub concurrency: usize,
    /// What reviewers said about tests that a requirement changes: notes that name a requirement of the plan.
    pub confirmed: Vec<String>,
    /// What subagents say was there before they began.
    pub done_already: Vec<DoneAlready>,
}

impl Run {
    /// Takes in that a gate is red before anything was changed. Unless making it green is the work, nothing further is paid
    /// for.
    pub fn base_is_red(&mut self, why: &str, now: Millis) -> Vec<Action> {
        let is_the_work = self.base_is_the_work();
        let (weight, what_to_do) = if is_the_work {
            (Weight::Warning, "making it green is the work")
        } else {
            (
                Weight::Blocking,
                "the run was ended before more was paid for: make the base green, or say with `--allow-red-base` that this is the work",
            )
        };
        let message = format!("the tests are red on the base already: {why}; {what_to_do}");
        let code = FindingCode::RedBase;
        self.ledger.noticed_of_run(Finding { code, weight, task: None, path: None, line: None, message });
        if is_the_work {
            return Vec::new();
        }
        let mut actions = vec![Action::StopGates];
        actions.extend(self.handle(Event::Cancel, now));
        actions
    }

    /// Tells whether the run was ended because it could not be complete.
    #[must_use]
    pub fn has_ended_early(&self) -> bool {
        self.ledger.run_findings().iter().any(|finding| finding.code == FindingCode::RunEndedEarly)
    }

    /// Ends the run because it could not be complete, whatever is paid for: once, for the first reason.
    pub fn end_early(&mut self, task: Option<TaskId>, why: String, now: Millis) -> Vec<Action> {
        if self.has_ended_early() {
            return Vec::new();
        }
        self.ledger.noticed_of_run(Finding {
            code: FindingCode::RunEndedEarly,
            weight: Weight::Blocking,
            task,
            path: None,
            line: None,
            message: why,
        });
        let mut actions = vec![Action::StopGates];
        actions.extend(self.handle(Event::Cancel, now));
        actions
    }

    /// Says which gate has no command, so that it could not pass.
    pub(super) fn gate_without_a_command(&self) -> Option<String> {
        let Basis { plan, config, .. } = &self.basis;
        let gates = [GateKind::Tests, GateKind::Validation];
        let gate = gates.into_iter().find(|gate| GateJob::new(plan, config, *gate).commands.is_empty())?;
        Some(format!(
            "the {gate} gate has no command and could not pass, so no subagent was started: name one in the plan's \
             Verification section (`- {gate}: COMMAND`) or under `gates.{gate}.commands` in the configuration"
        ))
    }

    /// Tells whether making a red base green is the work.
    #[must_use]
    pub fn base_is_the_work(&self) -> bool {
        self.basis.config.evidence.allow_red_base || self.plan_repairs_the_tests()
    }

    /// Tells whether a requirement asks to repair tests that are red.
    fn plan_repairs_the_tests(&self) -> bool {
        let requirements = self.ledger.schedule().tasks.iter().flat_map(|task| &task.requirements);
        requirements.into_iter().any(|requirement| {
            let words: Vec<String> =
                requirement.text.to_lowercase().split(|c: char| !c.is_alphanumeric()).map(str::to_owned).collect();
            let has = |wanted: &[&str]| words.iter().any(|word| wanted.contains(&word.as_str()));
            has(&["fix", "fixes", "repair", "green", "pass", "mend", "unbreak"])
                && has(&["test", "tests", "suite", "build", "ci", "gate", "failing", "broken", "red"])
        })
    }

    /// Returns what experiments on the tests of the integrated tree start from.
    #[must_use]
    pub fn evidence_plan(&self) -> EvidencePlan {
        let ledger = self.ledger();
        let contributions: Vec<_> = ledger
            .commits()
            .iter()
            .filter_map(|commit| {
                let role = ledger.schedule().task(&commit.task)?.role;
                Some(Contribution { task: commit.task.clone(), role, patch: ledger.integrated_patch(commit)?.clone() })
            })
            .collect();
        EvidencePlan {
            base: self.basis().base.clone(),
            head: self.head().clone(),
            changes: changes_of(contributions.iter().map(|contribution| &contribution.patch)),
            contributions,
            settings: self.basis().config.evidence.clone(),
            concurrency: self.basis().config.concurrency(),
            confirmed: self.confirmed(),
            done_already: self.done_already(),
        }
    }

    /// Collects what the reports that count say was there already.
    fn done_already(&self) -> Vec<DoneAlready> {
        let records = self.ledger().records().values().filter(|record| record.outcome == Outcome::Passed);
        let items = self.basis().plan.tasks.iter().flat_map(|task| &task.requirements);
        let items: BTreeMap<_, _> = items.map(|item| (item.id.as_str(), item.named())).collect();
        let of = |record: &TaskRecord| {
            let claims = record.report().map_or(&[][..], |report| &report.requirements);
            let claims = claims.iter().filter(|claim| claim.is_shown_done_already());
            let claims = claims.map(|claim| DoneAlready {
                task: record.id.clone(),
                requirement: items.get(claim.id.as_str()).cloned().unwrap_or_else(|| text::code(claim.id.as_str())),
                paths: claim.paths.clone(),
                tests: claim.tests.clone(),
            });
            claims.collect::<Vec<_>>()
        };
        records.flat_map(of).collect()
    }

    /// Collects what reviewers say about tests whose behaviour a requirement changes.
    fn confirmed(&self) -> Vec<String> {
        let ledger = self.ledger();
        let reviews = ledger.schedule().tasks.iter().filter(|task| task.role == Role::Review);
        let requirements: Vec<String> = ledger
            .schedule()
            .tasks
            .iter()
            .flat_map(|task| &task.requirements)
            .map(|requirement| requirement.id.to_string())
            .collect();
        let findings = reviews
            .filter_map(|task| ledger.record(&task.id)?.last()?.report.as_ref())
            .flat_map(|report| &report.findings);
        findings
            .filter(|finding| finding.severity == Weight::Note && names_one(&finding.message, &requirements))
            .map(|finding| finding.message.clone())
            .collect()
    }
}

/// All of what one task contributed: the patches of its attempts, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskWork<'a> {
    pub task: &'a TaskId,
    pub patches: Vec<&'a Patch>,
    /// For each path its first old and its last new side.
    pub changes: Vec<Change>,
}

impl EvidencePlan {
    /// Puts together what each task contributed, in the order of their first patches.
    #[must_use]
    pub fn work_of_tasks(&self) -> Vec<TaskWork<'_>> {
        let mut all: Vec<TaskWork<'_>> = Vec::new();
        for Contribution { task, patch, .. } in &self.contributions {
            match all.iter_mut().find(|work| work.task == task) {
                Some(work) => work.patches.push(patch),
                None => all.push(TaskWork { task, patches: vec![patch], changes: Vec::new() }),
            }
        }
        for work in &mut all {
            work.changes = changes_of(work.patches.iter().copied());
        }
        all
    }
}

impl Changes for EvidencePlan {
    fn author_of(&self, file: &str) -> Option<TaskId> {
        let has = |contribution: &&Contribution| contribution.patch.changes.iter().any(|change| change.path == file);
        self.contributions.iter().rev().find(has).map(|contribution| contribution.task.clone())
    }

    fn is_confirmed(&self, test: &str) -> bool {
        self.confirmed.iter().any(|words| gathered::names_test(words, test))
    }
}

fn names_one(message: &str, ids: &[String]) -> bool {
    let words = || message.split(|c: char| !(c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '/')));
    ids.iter().any(|id| words().any(|word| word.trim_end_matches('.') == id))
}
