//! What a plan may take, from what earlier runs of the same repository took.

use std::collections::BTreeMap;

use crate::{
    handoff::Handoff,
    ids::{SubagentName, TaskId},
    record::AttemptRecord,
    schedule::{Schedule, Wave},
    text, wording,
};

/// What earlier runs lead to expect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Estimate {
    /// The runs that it rests on.
    pub runs: usize,
    /// The calls of subagents, those for retries and rework included.
    pub calls: u64,
    /// How long the calls take, waves one after the other, in milliseconds.
    pub duration_ms: u64,
    /// What they cost in millionths of a dollar, where the earlier calls said so.
    pub micro_dollars: Option<u64>,
}

impl Estimate {
    /// Says it in a line: `about 9 calls, 12 min 30 s and $3.10, as in 2 earlier runs`.
    #[must_use]
    pub fn line(&self) -> String {
        let calls = text::count(usize::try_from(self.calls).unwrap_or(usize::MAX), "call");
        let time = wording::duration(self.duration_ms);
        let cost = self.micro_dollars.map_or_else(
            || format!("about {calls} and {time}, at a cost that earlier runs did not report"),
            |micro| format!("about {calls}, {time} and {}", wording::dollars(micro)),
        );
        format!("{cost} (from {})", text::count(self.runs, "earlier run"))
    }
}

/// What calls of one kind took.
#[derive(Debug, Clone, Copy, Default)]
struct Took {
    tasks: u64,
    calls: u64,
    ms: u64,
    micro: u64,
    /// Calls that told what they cost.
    priced: u64,
}

impl Took {
    fn add(&mut self, other: Self) {
        self.tasks += other.tasks;
        self.calls += other.calls;
        self.ms = self.ms.saturating_add(other.ms);
        self.micro = self.micro.saturating_add(other.micro);
        self.priced += other.priced;
    }
}

/// Estimates what a schedule takes: each task what it took itself in `earlier` runs, else what its subagent took, else what
/// tasks took at all. `None` when there was no call before.
#[must_use]
pub fn estimate(schedule: &Schedule, earlier: &[Handoff]) -> Option<Estimate> {
    let mut by_task: BTreeMap<&TaskId, Took> = BTreeMap::new();
    let mut by_subagent: BTreeMap<&SubagentName, Took> = BTreeMap::new();
    let (mut all, mut runs) = (Took::default(), 0);
    for run in earlier {
        let mut of_run = Took::default();
        for record in run.tasks.iter().filter(|record| !record.attempts.is_empty()) {
            let costs = record.attempts.iter().filter_map(|attempt| attempt.session.as_ref()?.micro_dollars);
            let took = Took {
                tasks: 1,
                calls: record.attempts.len() as u64,
                ms: record.attempts.iter().map(AttemptRecord::duration_ms).fold(0, u64::saturating_add),
                micro: costs.clone().fold(0, u64::saturating_add),
                priced: costs.count() as u64,
            };
            by_task.entry(&record.id).or_default().add(took);
            if let Some(task) = run.schedule.task(&record.id) {
                by_subagent.entry(&task.subagent).or_default().add(took);
            }
            of_run.add(took);
        }
        runs += usize::from(of_run.tasks > 0);
        all.add(of_run);
    }
    let of_task = |id: &TaskId| -> Option<Took> {
        let subagent = schedule.task(id).map(|task| &task.subagent);
        let known = by_task.get(id).or_else(|| by_subagent.get(subagent?)).copied().unwrap_or(all);
        (known.tasks > 0).then_some(known)
    };
    let slots = schedule.concurrency.max(1) as u64;
    let of_wave = |wave: &Wave| -> u64 {
        let times = wave.tasks.iter().filter_map(of_task).map(|took| took.ms / took.tasks);
        let (longest, sum) = times.fold((0, 0_u64), |(longest, sum), ms| (ms.max(longest), sum.saturating_add(ms)));
        // No order of the tasks is shorter than the longest of them, or than all of them spread over the slots.
        longest.max(sum.div_ceil(slots))
    };
    let tasks: Vec<Took> = schedule.waves.iter().flat_map(|wave| &wave.tasks).filter_map(of_task).collect();
    (!tasks.is_empty()).then(|| Estimate {
        runs,
        calls: tasks.iter().map(|took| took.calls.div_ceil(took.tasks)).sum(),
        duration_ms: schedule.waves.iter().map(of_wave).fold(0, u64::saturating_add),
        micro_dollars: tasks
            .iter()
            .all(|took| took.priced > 0)
            .then(|| tasks.iter().map(|took| took.micro / took.tasks).fold(0, u64::saturating_add)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::summary::fixture;

    #[test]
    fn a_plan_that_ran_before_takes_what_it_took() {
        let run = fixture::complete();
        let estimate = estimate(&run.schedule, std::slice::from_ref(&run)).unwrap();
        assert_eq!((estimate.runs, estimate.calls), (1, 9), "feature was called twice");
        // The longest of each wave.
        assert_eq!(
            estimate.duration_ms,
            [40_250, 28_250 + 65_250, 29_250, 79_250, 48_250, 43_250, 35_250].iter().sum::<u64>()
        );
        assert_eq!(estimate.micro_dollars, None, "not every call told its cost");
        assert_eq!(
            estimate.line(),
            "about 9 calls and 6 min 9 s, at a cost that earlier runs did not report (from 1 earlier run)"
        );
    }

    #[test]
    fn a_new_task_takes_what_its_subagent_took_and_costs_add_up() {
        let mut run = fixture::complete();
        for attempt in run.tasks.iter_mut().flat_map(|task| &mut task.attempts) {
            let mut session = crate::session::Session::new("claude", crate::session::SessionEnd::Completed);
            session.micro_dollars = Some(1_000_000);
            attempt.session = Some(session);
        }
        let mut schedule = run.schedule.clone();
        for (task, waved) in schedule.tasks.iter_mut().zip(schedule.waves.iter_mut().flat_map(|wave| &mut wave.tasks)) {
            task.id = TaskId::new(format!("new-{}", task.id)).unwrap();
            *waved = task.id.clone();
        }
        let estimate = estimate(&schedule, &[run.clone(), run]).unwrap();
        assert_eq!((estimate.runs, estimate.calls, estimate.micro_dollars), (2, 9, Some(9_000_000)));
    }

    #[test]
    fn without_an_earlier_call_there_is_no_estimate() {
        let mut run = fixture::complete();
        assert_eq!(estimate(&run.schedule, &[]), None);
        run.tasks.iter_mut().for_each(|task| task.attempts.clear());
        assert_eq!(estimate(&run.schedule.clone(), &[run]), None);
    }
}
