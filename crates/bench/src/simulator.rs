//! P10: how long runs take whose tasks have given durations, by the pure state machine alone, without a clock.
//!
//! Thousands of random plans are scheduled and run. No schedule of a wave is shorter than its longest task, nor than all
//! its tasks shared out evenly over the slots (the area bound); as waves are barriers, the sum over the waves is the least
//! that the schedule can take.

use std::collections::{BTreeMap, BinaryHeap};

use anyhow::{Context as _, Result, ensure};
use implementer_model::{
    config::Config,
    ids::{Digest, SubagentName, TaskId},
    plan::{Ownership, Plan, PlannedTask},
    roster::{self, Role, Roster},
    schedule::{self, Durations, Effect, End, Event, Machine, Millis, Schedule},
};

use crate::sample::Series;

/// What the simulated runs came to.
#[derive(Debug, Default)]
pub(crate) struct Simulated {
    /// Where every task of a wave can begin at once: over the critical path of the schedule.
    pub(crate) wide: Series,
    /// With few slots, durations being known from an earlier run: over the bound of the schedule.
    pub(crate) scarce: Series,
    /// The same with nothing known.
    pub(crate) unknown: Series,
    /// What barriers cost: the critical path of the schedule over that of the needs and phases alone.
    pub(crate) barriers: Series,
}

/// Simulates `count` random plans.
pub(crate) fn simulate(count: u64) -> Result<Simulated> {
    let roster = roster::builtin();
    let mut simulated = Simulated::default();
    for seed in 0..count {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let plan = random_plan(&mut random)?;
        let slots = 2 + random.below(7);
        let schedule = schedule_of(&plan, &roster, usize::try_from(slots)?)?;
        let durations: BTreeMap<&TaskId, Millis> =
            schedule.tasks.iter().map(|task| (&task.id, random.duration())).collect();

        let wide = Schedule { concurrency: schedule.tasks.len(), ..schedule.clone() };
        simulated.wide.add(ratio(run(&wide, &durations, None)?, bound(&wide, &durations)));
        let mut recorded = Durations::default();
        for task in &schedule.tasks {
            // The next run never takes exactly as long as the last one did.
            let before = durations[&task.id] * (80 + random.below(41)) / 100;
            recorded.note(&task.id, &task.subagent, before);
        }
        let least = bound(&schedule, &durations);
        simulated.scarce.add(ratio(run(&schedule, &durations, Some(&recorded))?, least));
        simulated.unknown.add(ratio(run(&schedule, &durations, None)?, least));
        simulated.barriers.add(ratio(bound(&wide, &durations), longest_chain(&schedule, &durations)));
    }
    Ok(simulated)
}

#[expect(clippy::cast_precision_loss, reason = "times of a simulation are far below 2^52")]
fn ratio(took: Millis, least: Millis) -> f64 {
    took as f64 / least.max(1) as f64
}

fn schedule_of(plan: &Plan, roster: &Roster, slots: usize) -> Result<Schedule> {
    let config = Config { concurrency: Some(slots), ..Config::default() };
    schedule::build(plan, roster, &config, &[], &[]).map_err(|problems| anyhow::anyhow!("{problems:?}"))
}

/// Runs a schedule, and returns when its gates were to be judged.
fn run(schedule: &Schedule, durations: &BTreeMap<&TaskId, Millis>, recorded: Option<&Durations>) -> Result<Millis> {
    let mut machine = Machine::new(schedule);
    if let Some(recorded) = recorded {
        machine = machine.expecting(schedule, recorded);
    }
    let mut now = 0;
    let mut running = BinaryHeap::new();
    let mut effects = machine.handle(Event::Begin, now);
    loop {
        let mut next = Vec::new();
        for effect in effects {
            match effect {
                Effect::Start { task, attempt, .. } => {
                    let took = durations.get(&task).context("a task that nobody knows")?;
                    running.push((std::cmp::Reverse(now + took), task, attempt));
                }
                Effect::Integrate { wave, .. } => {
                    next.extend(machine.handle(Event::WaveIntegrated { wave, failed: Vec::new() }, now));
                }
                Effect::JudgeGates => return Ok(now),
                Effect::Synthesize { .. } => {}
                Effect::Stop { .. } | Effect::Finish => anyhow::bail!("nothing was to be stopped"),
            }
        }
        if next.is_empty() {
            let (std::cmp::Reverse(at), task, attempt) = running.pop().context("nothing runs, and nothing is over")?;
            now = at;
            next = machine.handle(Event::Ended { task, attempt, end: End::Passed }, now);
        }
        ensure!(running.len() <= schedule.concurrency, "more tasks run than there are slots");
        effects = next;
    }
}

/// The least time that a schedule can take: wave by wave the longest task, or all of them shared out evenly.
fn bound(schedule: &Schedule, durations: &BTreeMap<&TaskId, Millis>) -> Millis {
    let slots = u64::try_from(schedule.concurrency).unwrap_or(u64::MAX);
    let of_wave = |wave: &schedule::Wave| {
        let tasks = || wave.tasks.iter().map(|task| durations[task]);
        tasks().max().unwrap_or(0).max(tasks().sum::<Millis>().div_ceil(slots))
    };
    schedule.waves.iter().map(of_wave).sum()
}

/// The longest chain of tasks that have to come one after the other whatever the waves: by their needs, by the order of
/// the phases, and because their paths meet.
fn longest_chain(schedule: &Schedule, durations: &BTreeMap<&TaskId, Millis>) -> Millis {
    let mut ends: BTreeMap<&TaskId, Millis> = BTreeMap::new();
    for (at, task) in schedule.tasks.iter().enumerate() {
        let earlier = schedule.tasks[..at].iter().filter(|other| {
            let apart = |pair: &schedule::Serialised| pair.first == other.id && pair.then == task.id;
            task.needs.contains(&other.id)
                || other.role.rank() < task.role.rank()
                || schedule.serialised.iter().any(apart)
        });
        let begins = earlier.filter_map(|other| ends.get(&other.id)).max().copied().unwrap_or(0);
        ends.insert(&task.id, begins + durations[&task.id]);
    }
    ends.values().max().copied().unwrap_or(0)
}

/// Makes a plan of up to 40 tasks with needs between them.
fn random_plan(random: &mut Random) -> Result<Plan> {
    let count = 3 + random.below(38);
    let mut tasks: Vec<(PlannedTask, Role)> = Vec::new();
    for number in 0..count {
        // Features are most of what a large plan has.
        let role = match random.below(10) {
            0 => Role::Infrastructure,
            1 => Role::DataTypes,
            2 => Role::Cli,
            3 => Role::Tests,
            4 => Role::Deployment,
            _ => Role::Feature,
        };
        let needs = tasks.iter().filter(|(_, earlier)| *earlier <= role).map(|(task, _)| task.id.clone());
        let needs: Vec<_> = needs.filter(|_| random.below(8) == 0).collect();
        let task = PlannedTask {
            id: TaskId::new(format!("t{number}"))?,
            subagent: SubagentName::new(role.builtin_name())?,
            title: format!("Task {number}"),
            requirements: Vec::new(),
            notes: String::new(),
            touches: vec![format!("place{number}/**")],
            also_touches: Vec::new(),
            needs,
            parallel_with: Vec::new(),
            owner: Ownership::Named,
            reviewed: false,
            line: 1,
        };
        tasks.push((task, role));
    }
    Ok(Plan {
        tasks: tasks.into_iter().map(|(task, _)| task).collect(),
        ..Plan::empty("simulated", Digest::from_content("simulated"))
    })
}

/// Numbers that look random and are the same each time (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % limit
    }

    /// Between half a minute and eight, most of them short: as agents' turns are.
    fn duration(&mut self) -> Millis {
        30_000 << self.below(4) | self.below(30_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn simulated_runs_take_what_their_schedules_have_to() {
        let simulated = simulate(300).unwrap();
        let worst = |series: &Series| series.range().1;
        let least = |series: &Series| series.range().0;
        assert!((worst(&simulated.wide) - 1.0).abs() < 1e-9, "with room for all, nothing waits but for the barriers");
        for series in [&simulated.scarce, &simulated.unknown, &simulated.barriers] {
            assert!(least(series) >= 1.0, "a bound that is not one: {series:?}");
        }
        // Graham: longest first is never worse than 4/3 of the best, and recorded durations are off by a fifth.
        assert!(worst(&simulated.scarce) < 1.4, "{}", worst(&simulated.scarce));
        assert!(simulated.scarce.median() <= simulated.unknown.median());
    }
}
