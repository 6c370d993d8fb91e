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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Usage {
    tasks: u64,
    calls: u64,
    ms: u64,
    micro: u64,
    /// Calls that told what they cost.
    priced: u64,
}

impl Usage {
    fn add(&mut self, other: Self) {
        self.tasks = self.tasks.saturating_add(other.tasks);
        self.calls = self.calls.saturating_add(other.calls);
        self.ms = self.ms.saturating_add(other.ms);
        self.micro = self.micro.saturating_add(other.micro);
        self.priced = self.priced.saturating_add(other.priced);
    }

    fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.split('/').map(|number| number.parse::<u64>().ok());
        let mut next = || numbers.next().flatten();
        let usage = Self { tasks: next()?, calls: next()?, ms: next()?, micro: next()?, priced: next()? };
        (numbers.next().is_none() && usage.tasks > 0).then_some(usage)
    }
}

impl std::fmt::Display for Usage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}/{}/{}/{}", self.tasks, self.calls, self.ms, self.micro, self.priced)
    }
}

/// What the calls of one run took, by task and by subagent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RunUsage {
    by_task: BTreeMap<TaskId, Usage>,
    by_subagent: BTreeMap<SubagentName, Usage>,
}

/// How many subagents a line tells of, those with the longest calls first: a comment has other things to say.
const SUBAGENTS_IN_A_LINE: usize = 16;

impl RunUsage {
    /// Adds up the attempts of a run. `None` when there were none.
    #[must_use]
    pub fn from_handoff(run: &Handoff) -> Option<Self> {
        let mut usage = Self::default();
        for record in run.tasks.iter().filter(|record| !record.attempts.is_empty()) {
            let costs = record.attempts.iter().filter_map(|attempt| attempt.session.as_ref()?.micro_dollars);
            let took = Usage {
                tasks: 1,
                calls: record.attempts.len() as u64,
                ms: record.attempts.iter().map(AttemptRecord::duration_ms).fold(0, u64::saturating_add),
                micro: costs.clone().fold(0, u64::saturating_add),
                priced: costs.count() as u64,
            };
            usage.by_task.entry(record.id.clone()).or_default().add(took);
            if let Some(task) = run.schedule.task(&record.id) {
                usage.by_subagent.entry(task.subagent.clone()).or_default().add(took);
            }
        }
        (!usage.by_task.is_empty()).then_some(usage)
    }

    /// Says what the subagents took in words of digits, slashes and names: `NAME=TASKS/CALLS/MS/MICRODOLLARS/PRICED …`.
    #[must_use]
    pub fn line(&self) -> String {
        let mut all: Vec<_> = self.by_subagent.iter().collect();
        all.sort_by_key(|(_, usage)| std::cmp::Reverse(usage.ms));
        all.truncate(SUBAGENTS_IN_A_LINE);
        all.iter().map(|(name, usage)| format!("{name}={usage}")).collect::<Vec<_>>().join(" ")
    }

    /// Reads what [`Self::line`] said. `None` when anything of it is not of that form: others can edit comments.
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        let mut by_subagent = BTreeMap::new();
        for word in line.split(' ') {
            let (name, usage) = word.split_once('=')?;
            by_subagent.insert(SubagentName::new(name).ok()?, Usage::parse(usage)?);
        }
        (by_subagent.len() <= SUBAGENTS_IN_A_LINE).then_some(Self { by_task: BTreeMap::new(), by_subagent })
    }
}

/// Estimates what a schedule takes: each task what it took itself in `earlier` runs, else what its subagent took, else what
/// tasks took at all. `None` when there was no call before.
#[must_use]
pub fn estimate(schedule: &Schedule, earlier: &[RunUsage]) -> Option<Estimate> {
    let mut by_task: BTreeMap<&TaskId, Usage> = BTreeMap::new();
    let mut by_subagent: BTreeMap<&SubagentName, Usage> = BTreeMap::new();
    let mut all = Usage::default();
    for run in earlier {
        for (id, usage) in &run.by_task {
            by_task.entry(id).or_default().add(*usage);
        }
        for (name, usage) in &run.by_subagent {
            by_subagent.entry(name).or_default().add(*usage);
            all.add(*usage);
        }
    }
    let of_task = |id: &TaskId| -> Option<Usage> {
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
    let tasks: Vec<Usage> = schedule.waves.iter().flat_map(|wave| &wave.tasks).filter_map(of_task).collect();
    (!tasks.is_empty()).then(|| Estimate {
        runs: earlier.len(),
        calls: tasks.iter().map(|took| took.calls.div_ceil(took.tasks)).fold(0, u64::saturating_add),
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
        let estimate = estimate(&run.schedule, &[RunUsage::from_handoff(&run).unwrap()]).unwrap();
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
        let usage = RunUsage::from_handoff(&run).unwrap();
        let estimate = estimate(&schedule, &[usage.clone(), usage]).unwrap();
        assert_eq!((estimate.runs, estimate.calls, estimate.micro_dollars), (2, 9, Some(9_000_000)));
    }

    #[test]
    fn without_an_earlier_call_there_is_no_estimate() {
        let mut run = fixture::complete();
        assert_eq!(estimate(&run.schedule, &[]), None);
        run.tasks.iter_mut().for_each(|task| task.attempts.clear());
        assert_eq!(RunUsage::from_handoff(&run), None);
    }

    #[test]
    fn what_a_comment_keeps_of_a_run_is_read_again() {
        let run = fixture::complete();
        let usage = RunUsage::from_handoff(&run).unwrap();
        let line = usage.line();
        let read = RunUsage::parse(&line).unwrap();
        assert_eq!(read.by_subagent, usage.by_subagent);
        assert!(line.contains("backend-feature-implementer=1/2/93500/"), "{line}");
        let told = |earlier: &[RunUsage]| estimate(&run.schedule, earlier).unwrap();
        assert_eq!(told(&[read]), told(&[usage]), "each subagent has one task here");
    }

    #[test]
    fn what_somebody_else_wrote_there_says_nothing() {
        for line in [
            "",
            "a",
            "a=",
            "a=1/2/3/4",
            "a=1/2/3/4/5/6",
            "a=0/2/3/4/5",
            "a=1/2/3/4/-5",
            "a b=1/2/3/4/5",
            "A_=1/2/3/4/5 --> <b>",
        ] {
            assert_eq!(RunUsage::parse(line), None, "{line}");
        }
        let many: Vec<_> = (0..=SUBAGENTS_IN_A_LINE).map(|n| format!("agent-{n}=1/1/1/1/1")).collect();
        assert_eq!(RunUsage::parse(&many.join(" ")), None);
        let most = u64::MAX;
        let read = RunUsage::parse(&format!("a=1/{most}/{most}/{most}/{most}")).unwrap();
        let schedule = fixture::complete().schedule;
        assert_eq!(estimate(&schedule, &[read.clone(), read]).unwrap().duration_ms, most, "and nothing overflows");
    }
}
