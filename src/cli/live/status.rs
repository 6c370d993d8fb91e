//! How far a run is, in one line: waves, tasks, time, money, and the last step of each agent. Pure: time comes from outside.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use implementer_model::{handoff::TaskRecord, ids::TaskId, schedule::Outcome, schedule::Schedule, text, wording};

use crate::coordinator::progress::LastStep;

/// What is known about a run while it goes on.
#[derive(Debug)]
pub(super) struct RunStatus {
    began: Instant,
    tasks: usize,
    waves: usize,
    wave_of: BTreeMap<TaskId, usize>,
    ended: BTreeMap<TaskId, Outcome>,
    /// What each task has cost so far. A task that runs again has cost all of its attempts.
    micro_dollars: BTreeMap<TaskId, u64>,
    pub(super) running: BTreeMap<TaskId, RunningTask>,
    /// The gate whose commands run.
    pub(super) gate: Option<String>,
}

/// A task whose agent runs.
#[derive(Debug)]
pub(super) struct RunningTask {
    pub(super) began: Instant,
    /// Where its last step is read.
    pub(super) source: Option<Arc<LastStep>>,
    /// What it did last, made safe for a terminal.
    pub(super) last_step: String,
}

impl RunStatus {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            began: now,
            tasks: 0,
            waves: 0,
            wave_of: BTreeMap::new(),
            ended: BTreeMap::new(),
            micro_dollars: BTreeMap::new(),
            running: BTreeMap::new(),
            gate: None,
        }
    }

    pub(super) fn begun(&mut self, schedule: &Schedule, now: Instant) {
        self.began = now;
        self.tasks = schedule.tasks.len();
        self.waves = schedule.waves.len();
        for wave in &schedule.waves {
            self.wave_of.extend(wave.tasks.iter().map(|task| (task.clone(), wave.number)));
        }
    }

    pub(super) fn added(&mut self) {
        self.tasks += 1;
    }

    pub(super) fn started(&mut self, task: &TaskId, source: Option<Arc<LastStep>>, now: Instant) {
        self.ended.remove(task);
        self.running.insert(task.clone(), RunningTask { began: now, source, last_step: String::new() });
    }

    pub(super) fn ended(&mut self, task: &TaskId, record: &TaskRecord) {
        self.running.remove(task);
        self.ended.insert(task.clone(), record.outcome);
        let costs = record.attempts.iter().filter_map(|attempt| attempt.session.as_ref()?.micro_dollars);
        let cost: u64 = costs.sum();
        if cost > 0 {
            self.micro_dollars.insert(task.clone(), cost);
        }
    }

    /// Says how far the run is: `wave 2 of 6 · 3 of 8 tasks done, 1 failed · 41.0 s · $1.23`.
    pub(super) fn line(&self, now: Instant) -> String {
        let mut said = Vec::new();
        match (&self.gate, self.running.keys().filter_map(|task| self.wave_of.get(task)).max()) {
            (Some(gate), _) => said.push(format!("gate {gate}")),
            (None, Some(wave)) => said.push(format!("wave {wave} of {}", self.waves)),
            (None, None) => {}
        }
        let failed = self.ended.values().filter(|outcome| **outcome != Outcome::Passed).count();
        let failed = if failed > 0 { format!(", {failed} failed") } else { String::new() };
        said.push(format!("{} of {} done{failed}", self.ended.len(), text::count(self.tasks, "task")));
        said.push(wording::duration(elapsed(self.began, now)));
        let cost: u64 = self.micro_dollars.values().sum();
        if cost > 0 {
            said.push(wording::dollars(cost));
        }
        said.join(" · ")
    }

    /// Says in one line what runs: for a log that nobody looks at all the time.
    pub(super) fn heartbeat(&self, now: Instant) -> String {
        let running: Vec<_> = self
            .running
            .iter()
            .take(4)
            .map(|(task, running)| {
                let step =
                    if running.last_step.is_empty() { String::new() } else { format!(": {}", running.last_step) };
                format!("{task} for {}{step}", wording::duration(elapsed(running.began, now)))
            })
            .collect();
        let more = self.running.len().saturating_sub(running.len());
        let more = if more > 0 { format!("; {more} more run") } else { String::new() };
        let running = if running.is_empty() { String::new() } else { format!("; {}", running.join("; ")) };
        format!("  still running: {}{running}{more}", self.line(now))
    }
}

pub(super) fn elapsed(from: Instant, to: Instant) -> u64 {
    let whole = to.checked_duration_since(from).unwrap_or(Duration::ZERO).as_millis();
    u64::try_from(whole).expect("invariant: a run takes fewer than 2^64 milliseconds")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(name: &str) -> TaskId {
        TaskId::new(name).unwrap()
    }

    #[test]
    fn a_line_says_how_far_the_run_is() {
        let began = Instant::now();
        let mut status = RunStatus::new(began);
        status.tasks = 8;
        status.waves = 6;
        status.wave_of = BTreeMap::from([(id("a"), 1), (id("b"), 2), (id("c"), 2)]);
        status.ended.insert(id("a"), Outcome::Failed);
        status.micro_dollars.insert(id("a"), 1_230_000);
        status.started(&id("b"), None, began + Duration::from_secs(10));
        status.running.get_mut(&id("b")).unwrap().last_step = "edit src/a.rs".to_owned();
        let now = began + Duration::from_secs(125);
        assert_eq!(status.line(now), "wave 2 of 6 · 1 of 8 tasks done, 1 failed · 2 min 5 s · $1.23");
        assert_eq!(
            status.heartbeat(now),
            "  still running: wave 2 of 6 · 1 of 8 tasks done, 1 failed · 2 min 5 s · $1.23; b for 1 min 55 s: edit src/a.rs"
        );
        status.gate = Some("tests".to_owned());
        assert!(status.line(now).starts_with("gate tests · "));
    }

    #[test]
    fn a_task_that_runs_again_is_not_done() {
        let now = Instant::now();
        let mut status = RunStatus::new(now);
        status.tasks = 1;
        status.ended.insert(id("a"), Outcome::Failed);
        status.started(&id("a"), None, now);
        assert!(status.line(now).starts_with("0 of 1 task done"), "{}", status.line(now));
    }
}
