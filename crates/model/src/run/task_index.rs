//! Tables by which judgement and pages look tasks up, built once so that they stay linear in the size of a run.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    ids::{SubagentName, TaskId},
    patch::Patch,
    record::{AttemptRecord, IntegratedCommit, Outcome, TaskRecord},
    report::{Label, Report},
    roster::{Phase, Role},
    schedule::{Schedule, Task},
};

/// A task as the pages see it: what was scheduled and what became of it. One of the two may be missing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TaskView<'a> {
    /// Its id.
    pub(crate) id: &'a TaskId,
    /// What was scheduled; `None` for a record of a task that the schedule does not have.
    pub(crate) task: Option<&'a Task>,
    /// What became of it; `None` when nothing was recorded, which counts as not run.
    pub(crate) record: Option<&'a TaskRecord>,
}

/// What a task's subagent changed.
#[derive(Debug)]
pub(crate) struct Work<'a> {
    /// The paths, each once.
    pub(crate) paths: BTreeSet<&'a str>,
    /// Lines added.
    pub(crate) added: u64,
    /// Lines removed.
    pub(crate) removed: u64,
}

impl<'a> TaskView<'a> {
    /// Returns how it ended.
    pub(crate) fn outcome(&self) -> Outcome {
        self.record.map_or(Outcome::NotRun, |record| record.outcome)
    }

    /// Returns why it ended so, in a sentence without a full stop. Untrusted text.
    pub(crate) fn reason(&self) -> &'a str {
        match self.record {
            Some(record) if !record.reason.trim().is_empty() => record.reason.trim().trim_end_matches('.'),
            Some(_) => "no reason was recorded",
            None => "the run has no record of it",
        }
    }

    /// Tells whether it passed.
    pub(crate) fn passed(&self) -> bool {
        self.outcome() == Outcome::Passed
    }

    /// Returns the subagent's name.
    pub(crate) fn subagent(&self) -> Option<&'a SubagentName> {
        self.task.map(|task| &task.subagent)
    }

    /// Returns the report of the attempt that counts.
    pub(crate) fn report(&self) -> Option<&'a Report> {
        self.record.and_then(TaskRecord::report)
    }

    /// Returns the last attempt's patch.
    pub(crate) fn patch(&self) -> Option<&'a Patch> {
        self.record?.last()?.patch.as_ref()
    }

    /// Returns what its subagent changed, all passed attempts together; of a task that never passed, what the last
    /// attempt changed. `None` when nothing was captured.
    pub(crate) fn work(&self) -> Option<Work<'a>> {
        let passed = self.attempts().iter().filter(|attempt| attempt.outcome == Outcome::Passed);
        let mut patches: Vec<&Patch> = passed.filter_map(|attempt| attempt.patch.as_ref()).collect();
        if patches.is_empty() {
            patches.extend(self.patch());
        }
        let mut work = Work { paths: BTreeSet::new(), added: 0, removed: 0 };
        for patch in &patches {
            let (added, removed) = patch.line_counts();
            work.added += added;
            work.removed += removed;
            work.paths.extend(patch.changes.iter().map(|change| change.path.as_str()));
        }
        (!patches.is_empty()).then_some(work)
    }

    /// Returns what it reported, attempt by attempt: those that passed, else the last.
    pub(crate) fn reports(&self) -> Vec<&'a Report> {
        let passed = self.attempts().iter().filter(|attempt| attempt.outcome == Outcome::Passed);
        let reports: Vec<_> = passed.filter_map(|attempt| attempt.report.as_ref()).collect();
        if reports.is_empty() { self.report().into_iter().collect() } else { reports }
    }

    /// Returns the attempts.
    pub(crate) fn attempts(&self) -> &'a [AttemptRecord] {
        self.record.map_or(&[], |record| &record.attempts)
    }

    /// Returns how long its attempts took, in milliseconds.
    pub(crate) fn duration_ms(&self) -> u64 {
        self.attempts().iter().map(|attempt| attempt.ended_ms.saturating_sub(attempt.started_ms)).sum()
    }

    /// Returns its phase, when it was scheduled.
    pub(crate) fn phase(&self) -> Option<Phase> {
        self.task.map(Task::phase)
    }
}

/// The tasks of a run, each with what was scheduled and what became of it.
pub(crate) struct TaskIndex<'a> {
    schedule: &'a Schedule,
    integrated: &'a [IntegratedCommit],
    tasks: Vec<TaskView<'a>>,
    by_id: BTreeMap<&'a TaskId, usize>,
    commits: BTreeMap<&'a TaskId, Vec<&'a IntegratedCommit>>,
}

impl<'a> TaskIndex<'a> {
    /// Builds the tables: first the scheduled tasks in the order of the schedule, then records of any other task.
    pub(crate) fn new(schedule: &'a Schedule, tasks: &'a [TaskRecord], integrated: &'a [IntegratedCommit]) -> Self {
        let records: BTreeMap<&TaskId, &TaskRecord> = tasks.iter().map(|record| (&record.id, record)).collect();
        let scheduled = schedule.tasks.iter();
        let mut views: Vec<TaskView<'a>> = scheduled
            .map(|task| TaskView { id: &task.id, task: Some(task), record: records.get(&task.id).copied() })
            .collect();
        let mut by_id: BTreeMap<&TaskId, usize> = views.iter().enumerate().map(|(i, view)| (view.id, i)).collect();
        for record in tasks {
            if !by_id.contains_key(&record.id) {
                by_id.insert(&record.id, views.len());
                views.push(TaskView { id: &record.id, task: None, record: Some(record) });
            }
        }
        let mut commits: BTreeMap<&TaskId, Vec<&IntegratedCommit>> = BTreeMap::new();
        for commit in integrated {
            commits.entry(&commit.task).or_default().push(commit);
        }
        Self { schedule, integrated, tasks: views, by_id, commits }
    }

    /// Goes through all tasks.
    pub(crate) fn tasks(&self) -> impl Iterator<Item = TaskView<'a>> + '_ {
        self.tasks.iter().copied()
    }

    /// Returns the number of tasks.
    pub(crate) fn len(&self) -> usize {
        self.tasks.len()
    }

    /// Finds a task.
    pub(crate) fn task(&self, id: &TaskId) -> Option<TaskView<'a>> {
        self.by_id.get(id).map(|&i| self.tasks[i])
    }

    /// Goes through the tasks of a role.
    pub(crate) fn of_role(&self, role: Role) -> impl Iterator<Item = TaskView<'a>> + '_ {
        self.tasks().filter(move |view| view.task.is_some_and(|task| task.role == role))
    }

    /// Tells whether the plan does not need the role.
    pub(crate) fn not_needed(&self, role: Role) -> bool {
        self.schedule.not_needed.contains(&role) && self.of_role(role).next().is_none()
    }

    /// Returns the commits that hold a task's integrated patches.
    pub(crate) fn commits(&self, id: &TaskId) -> &[&'a IntegratedCommit] {
        self.commits.get(id).map_or(&[], Vec::as_slice)
    }

    /// Goes through the patches that are in the final tree, with their tasks.
    pub(crate) fn integrated_patches(&self) -> impl Iterator<Item = (TaskView<'a>, &'a Patch)> + '_ {
        self.integrated.iter().filter_map(|commit| {
            let view = self.task(&commit.task)?;
            let attempt = view.attempts().iter().find(|attempt| attempt.attempt == commit.attempt)?;
            Some((view, attempt.patch.as_ref()?))
        })
    }

    /// Goes through what was reported under a label, with the task that reported it.
    pub(crate) fn reported(&self, label: Label) -> impl Iterator<Item = (TaskView<'a>, &'a str)> + '_ {
        self.tasks().flat_map(move |view| {
            // Who was called again may say the same again.
            let mut said = BTreeSet::new();
            let items = view.reports().into_iter().flat_map(|report| &report.items);
            items
                .filter(move |item| {
                    item.label == label && !item.text.trim().is_empty() && said.insert(item.text.trim().to_owned())
                })
                .map(move |item| (view, item.text.as_str()))
        })
    }

    /// Counts the tasks that passed.
    pub(crate) fn passed(&self) -> usize {
        self.tasks().filter(TaskView::passed).count()
    }
}
