//! How long tasks are likely to take, from what earlier runs recorded.

use std::collections::BTreeMap;

use super::{Millis, Outcome, Schedule, Task};
use crate::{
    ids::{SubagentName, TaskId},
    record::{AttemptRecord, TaskRecord},
};

/// Durations of earlier runs. What is recorded decides when a task begins where not all can at once, and nothing else.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Durations {
    tasks: BTreeMap<TaskId, Millis>,
    subagents: BTreeMap<SubagentName, Mean>,
    all: Mean,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Mean {
    sum: Millis,
    count: u64,
}

impl Mean {
    fn add(&mut self, millis: Millis) {
        self.sum = self.sum.saturating_add(millis);
        self.count += 1;
    }

    fn value(self) -> Option<Millis> {
        self.sum.checked_div(self.count)
    }
}

impl Durations {
    /// Takes in what another run recorded. The newest run goes first: of two durations of a task the first counts.
    pub fn learn(&mut self, schedule: &Schedule, records: &[TaskRecord]) {
        for record in records {
            let Some(task) = schedule.task(&record.id) else { continue };
            // Other attempts were cut short, or had only something to mend.
            let passed = record.attempts.iter().filter(|attempt| attempt.outcome == Outcome::Passed);
            if let Some(longest) = passed.map(AttemptRecord::duration_ms).max() {
                self.note(&record.id, &task.subagent, longest);
            }
        }
    }

    /// Notes how long a task took.
    pub fn note(&mut self, task: &TaskId, subagent: &SubagentName, millis: Millis) {
        self.tasks.entry(task.clone()).or_insert(millis);
        self.subagents.entry(subagent.clone()).or_default().add(millis);
        self.all.add(millis);
    }

    /// Returns how long a task is likely to take: as long as it took before, else as its subagent takes in the mean, else
    /// as any; `None` when nothing is known at all.
    #[must_use]
    pub fn of(&self, task: &Task) -> Option<Millis> {
        let known = self.tasks.get(&task.id).copied();
        let alike = || self.subagents.get(&task.subagent).and_then(|mean| mean.value());
        known.or_else(alike).or_else(|| self.all.value())
    }
}

impl Schedule {
    /// Tells whether there is a wave in which not all tasks can begin at once.
    #[must_use]
    pub fn is_short_of_slots(&self) -> bool {
        self.waves.iter().any(|wave| wave.tasks.len() > self.concurrency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        config::Config,
        roster::Role,
        schedule::{
            build,
            testing::{id, plan, roster, task},
        },
        summary::fixture,
    };

    #[test]
    fn what_a_task_took_itself_counts_before_what_others_took() {
        let tasks = [task("a", Role::Feature), task("b", Role::Feature), task("c", Role::Cli)];
        let schedule = build(&plan(tasks), &roster(), &Config::default(), &[], &[]).unwrap();
        let of = |durations: &Durations, name: &str| durations.of(schedule.task(&id(name)).unwrap());
        let mut durations = Durations::default();
        assert_eq!(of(&durations, "a"), None);
        let feature = SubagentName::new(Role::Feature.builtin_name()).unwrap();
        durations.note(&id("a"), &feature, 100);
        durations.note(&id("a"), &feature, 700);
        assert_eq!(of(&durations, "a"), Some(100), "the newest run counts");
        assert_eq!(of(&durations, "b"), Some(400), "as its subagent takes");
        assert_eq!(of(&durations, "c"), Some(400), "as any takes");
    }

    #[test]
    fn a_hand_off_tells_how_long_tasks_took_that_passed() {
        let handoff = fixture::complete();
        let mut durations = Durations::default();
        durations.learn(&handoff.schedule, &handoff.tasks);
        let mut passed = 0;
        for record in &handoff.tasks {
            let took = record.attempts.iter().filter(|attempt| attempt.outcome == Outcome::Passed);
            let took = took.map(|attempt| attempt.ended_ms - attempt.started_ms).max();
            assert_eq!(durations.tasks.get(&record.id).copied(), took, "{}", record.id);
            passed += usize::from(took.is_some());
        }
        assert!(passed > 0);
    }
}
