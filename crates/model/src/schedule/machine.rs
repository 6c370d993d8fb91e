//! The state machine that runs a schedule: events and a time go in, effects come out. It never waits, starts or looks
//! at a clock itself, so the same events always give the same run.

mod batch;
mod messages;
mod query;
mod state;

use std::collections::{BTreeSet, HashMap, VecDeque};

use batch::Batch;
pub use messages::{Again, Effect, End, Event, StopReason};
use state::TaskSlot;
pub use state::{TaskState, WhyNotRun};

use super::{Durations, Outcome, Schedule, Task};
use crate::{ids::TaskId, roster::Phase};

/// A time in milliseconds since the run began.
pub type Millis = u64;

/// The most attempts at one task: a backstop. How often a task is really called is decided by whoever asks for it.
pub const ATTEMPTS_MAX: u32 = 10;

/// The state of a run.
///
/// Waves are barriers: the next begins when the last is integrated. Within a wave as many tasks run at a time as the
/// schedule's concurrency allows, in their order. A task whose need did not pass is blocked and never starts;
/// everything else goes on. A task that was stopped for time is timed out whatever it says in the end; one that was
/// stopped because the run was cancelled, but had passed before that reached it, has passed.
#[derive(Debug, Clone)]
pub struct Machine {
    tasks: Vec<TaskSlot>,
    places: HashMap<TaskId, usize>,
    concurrency: usize,
    /// The waves that are still to come: number and tasks.
    agenda: VecDeque<Batch>,
    current: Option<Batch>,
    /// What runs after the current wave, before the agenda goes on.
    follow: VecDeque<Batch>,
    /// How many batches have begun.
    groups: usize,
    /// For each phase, in how many waves of the agenda and the current one it has tasks.
    phase_waves: [usize; Phase::ALL.len()],
    active: Vec<usize>,
    step: Step,
    cancelled: bool,
    /// The latest time that was seen: a clock that goes backwards stands still here.
    now: Millis,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    NotBegun,
    Running,
    Integrating,
    Judging,
    Finished,
}

impl Machine {
    /// Lets every task of a wave begin at once, whatever the schedule says.
    #[must_use]
    pub fn with_open_waves(mut self) -> Self {
        self.concurrency = usize::MAX;
        self
    }

    /// Makes the machine for a schedule. A schedule that contradicts itself, such as one read from a file that was
    /// edited, is run as far as it makes sense: each task once, and none before its needs.
    #[must_use]
    pub fn new(schedule: &Schedule) -> Self {
        let places: HashMap<TaskId, usize> =
            schedule.tasks.iter().enumerate().map(|(at, task)| (task.id.clone(), at)).collect();
        let mut slots: Vec<_> = schedule.tasks.iter().map(|task| TaskSlot::new(task, &places)).collect();
        let mut agenda = VecDeque::with_capacity(schedule.waves.len());
        for wave in &schedule.waves {
            let mut tasks = Vec::with_capacity(wave.tasks.len());
            for &at in wave.tasks.iter().filter_map(|id| places.get(id)) {
                if slots[at].wave.is_none() {
                    slots[at].wave = Some(wave.number);
                    tasks.push(at);
                }
            }
            agenda.push_back(Batch::new(wave.number, tasks));
        }
        let mut machine = Self {
            tasks: slots,
            places,
            concurrency: schedule.concurrency.max(1),
            agenda: VecDeque::new(),
            current: None,
            follow: VecDeque::new(),
            groups: 0,
            phase_waves: [0; Phase::ALL.len()],
            active: Vec::new(),
            step: Step::NotBegun,
            cancelled: false,
            now: 0,
        };
        machine.plan(agenda);
        machine
    }

    /// Lets tasks that are likely to take long begin before others of their wave, where not all can begin at once: what
    /// begins last must be short. The order of integration stays as it is.
    #[must_use]
    pub fn expecting(mut self, schedule: &Schedule, durations: &Durations) -> Self {
        for task in &schedule.tasks {
            if let Some(&at) = self.places.get(&task.id) {
                self.tasks[at].expected = durations.of(task);
            }
        }
        self
    }

    /// Takes in what happened and returns what is to be done.
    pub fn handle(&mut self, event: Event, now: Millis) -> Vec<Effect> {
        let mut effects = Vec::new();
        if self.step == Step::Finished {
            return effects;
        }
        self.now = self.now.max(now);
        match event {
            Event::Begin if self.step == Step::NotBegun => self.step = Step::Running,
            Event::Started { task, attempt } => self.started(&task, attempt),
            Event::Ended { task, attempt, end } => self.ended(&task, attempt, end),
            Event::Retry { task, attempt, because, after } => self.retry(&task, attempt, because, after),
            Event::Follow { groups } => self.follow(groups),
            Event::WaveIntegrated { wave, failed } => self.integrated(wave, &failed, &mut effects),
            Event::GatesJudged { again } => self.judged(again, &mut effects),
            Event::Cancel => self.cancel(&mut effects),
            Event::Begin | Event::Tick => {}
        }
        self.stop_overdue(&mut effects);
        self.advance(&mut effects);
        effects
    }

    /// Adds a task that the schedule did not have: a specialist that another task turned out to need. It is in the wave
    /// `wave`, and runs once an [`Event::Follow`] names it.
    pub fn add(&mut self, task: &Task, wave: usize) {
        if !self.places.contains_key(&task.id) {
            self.places.insert(task.id.clone(), self.tasks.len());
            let mut slot = TaskSlot::new(task, &self.places);
            slot.wave = Some(wave.max(1));
            self.tasks.push(slot);
        }
    }

    fn plan(&mut self, agenda: VecDeque<Batch>) {
        for batch in &agenda {
            for phase in self.phases_of(batch) {
                self.phase_waves[phase as usize] += 1;
            }
        }
        self.agenda = agenda;
    }

    fn phases_of(&self, batch: &Batch) -> BTreeSet<Phase> {
        batch.tasks.iter().map(|at| self.tasks[*at].phase).collect()
    }

    /// Finds the place of a task of which this attempt is under way.
    fn under_way(&self, task: &TaskId, attempt: u32) -> Option<usize> {
        let at = *self.places.get(task)?;
        (self.tasks[at].attempts == attempt && self.active.contains(&at)).then_some(at)
    }

    fn started(&mut self, task: &TaskId, attempt: u32) {
        let now = self.now;
        if let Some(at) = self.under_way(task, attempt) {
            self.tasks[at].started(now);
        }
    }

    fn ended(&mut self, task: &TaskId, attempt: u32, end: End) {
        let Some(at) = self.under_way(task, attempt) else { return };
        self.active.retain(|other| *other != at);
        let outcome = self.tasks[at].ended(end);
        if let (Outcome::Passed, Some(current)) = (outcome, &mut self.current) {
            current.passed.insert(at);
        }
    }

    fn retry(&mut self, task: &TaskId, attempt: u32, because: String, after: Millis) {
        let Some(at) = self.under_way(task, attempt) else { return };
        let not_before = self.now.saturating_add(after);
        let goes_on = !self.cancelled && attempt < ATTEMPTS_MAX && self.tasks[at].retry(because, not_before);
        match &mut self.current {
            Some(current) if goes_on => {
                self.active.retain(|other| *other != at);
                current.retries.push(at);
            }
            _ => self.ended(task, attempt, End::Failed),
        }
    }

    /// Notes what runs after the current wave.
    fn follow(&mut self, groups: Vec<Vec<Again>>) {
        if self.cancelled {
            return;
        }
        for group in groups {
            let batches = self.batches(group, |_, _| true);
            self.follow.extend(batches);
        }
        if self.current.is_none() && self.step == Step::Running {
            self.take_up_what_follows();
        }
    }

    /// Puts what follows the wave that is over in front of the agenda.
    fn take_up_what_follows(&mut self) {
        for batch in std::mem::take(&mut self.follow).into_iter().rev() {
            for phase in self.phases_of(&batch) {
                self.phase_waves[phase as usize] += 1;
            }
            self.agenda.push_front(batch);
        }
    }

    fn integrated(&mut self, wave: usize, failed: &[TaskId], effects: &mut Vec<Effect>) {
        let Some(current) = &self.current else { return };
        if self.step != Step::Integrating || current.number != wave {
            return;
        }
        for at in failed.iter().filter_map(|id| self.places.get(id)).filter(|at| current.passed.contains(at)) {
            self.tasks[*at].state = TaskState::Done(Outcome::Failed);
        }
        self.step = Step::Running;
        self.complete(effects);
    }

    fn judged(&mut self, again: Vec<Again>, effects: &mut Vec<Effect>) {
        if self.step != Step::Judging {
            return;
        }
        let agenda = self.batches(again, |machine, at| machine.unmet_need(at).is_none());
        if agenda.is_empty() {
            self.finish(effects);
            return;
        }
        self.step = Step::Running;
        self.plan(agenda.into());
    }

    /// Makes batches of the tasks that may run again, wave by wave.
    fn batches(&mut self, again: Vec<Again>, may_run: impl Fn(&Self, usize) -> bool) -> Vec<Batch> {
        let mut places = BTreeSet::new();
        for Again { task, because } in again {
            let Some(&at) = self.places.get(&task) else { continue };
            let Some(wave) = self.tasks[at].wave else { continue };
            if self.tasks[at].attempts < ATTEMPTS_MAX && may_run(self, at) && places.insert((wave, at)) {
                self.tasks[at].because = because;
            }
        }
        let places = Vec::from_iter(places);
        let waves = places.chunk_by(|(a, _), (b, _)| a == b);
        waves.map(|wave| Batch::new(wave[0].0, wave.iter().map(|(_, at)| *at).collect())).collect()
    }

    fn cancel(&mut self, effects: &mut Vec<Effect>) {
        if std::mem::replace(&mut self.cancelled, true) {
            return;
        }
        self.agenda.clear();
        self.follow.clear();
        if let Some(current) = &mut self.current {
            current.begun = current.queue.len();
            for at in std::mem::take(&mut current.retries) {
                self.tasks[at].state = TaskState::Done(Outcome::Failed);
            }
        }
        for at in &self.active {
            effects.extend(self.tasks[*at].stop(StopReason::Cancelled));
        }
        if matches!(self.step, Step::NotBegun | Step::Judging) {
            self.finish(effects);
        }
    }

    fn stop_overdue(&mut self, effects: &mut Vec<Effect>) {
        for at in &self.active {
            if self.tasks[*at].deadline().is_some_and(|deadline| deadline <= self.now) {
                effects.extend(self.tasks[*at].stop(StopReason::TimedOut));
            }
        }
    }

    /// Goes on as far as it can without hearing anything new.
    fn advance(&mut self, effects: &mut Vec<Effect>) {
        while self.step == Step::Running {
            if self.current.is_none() {
                self.current = self.agenda.pop_front();
                if let Some(current) = &mut self.current {
                    // Stable: what is alike, or unknown, stays in the order of the plan.
                    current.queue.sort_by_key(|at| std::cmp::Reverse(self.tasks[*at].expected));
                    self.groups += 1;
                }
            }
            if self.current.is_none() {
                if self.cancelled {
                    self.finish(effects);
                } else {
                    self.step = Step::Judging;
                    effects.push(Effect::JudgeGates);
                }
                return;
            }
            self.fill(effects);
            let Some(current) = &self.current else { return };
            if !self.active.is_empty() || !current.retries.is_empty() {
                return;
            }
            let passed: Vec<TaskId> = current
                .tasks
                .iter()
                .filter(|at| current.passed.contains(at))
                .map(|at| self.tasks[*at].id.clone())
                .collect();
            if passed.is_empty() {
                self.complete(effects);
            } else {
                self.step = Step::Integrating;
                effects.push(Effect::Integrate { wave: current.number, tasks: passed });
            }
        }
    }

    /// Starts tasks of the current wave while there is room.
    fn fill(&mut self, effects: &mut Vec<Effect>) {
        while self.active.len() < self.concurrency {
            let Some(current) = &mut self.current else { return };
            if let Some(due) = current.retries.iter().position(|at| self.tasks[*at].not_before <= self.now) {
                let at = current.retries.remove(due);
                effects.push(self.tasks[at].start(self.now));
                self.active.push(at);
                continue;
            }
            let Some(&at) = current.queue.get(current.begun) else { return };
            current.begun += 1;
            match self.unmet_need(at) {
                Some(why) => self.tasks[at].block(why),
                // It was called before its turn, because another task needed it, and is done.
                None if self.tasks[at].is_done_without_reason() || self.tasks[at].attempts >= ATTEMPTS_MAX => {}
                None => {
                    effects.push(self.tasks[at].start(self.now));
                    self.active.push(at);
                }
            }
        }
    }

    /// Finds the first need of a task that did not pass.
    fn unmet_need(&self, at: usize) -> Option<WhyNotRun> {
        self.tasks[at].needs.iter().find_map(|(need, place)| {
            let state = place.map(|place| self.tasks[place].state);
            match state {
                Some(TaskState::Done(Outcome::Passed)) => None,
                Some(TaskState::Done(outcome)) => Some(WhyNotRun::NeedNotPassed { need: need.clone(), outcome }),
                _ => Some(WhyNotRun::NeedNotPassed { need: need.clone(), outcome: Outcome::NotRun }),
            }
        })
    }

    /// Closes the current wave, and the phases that end with it.
    fn complete(&mut self, effects: &mut Vec<Effect>) {
        let Some(current) = self.current.take() else { return };
        self.take_up_what_follows();
        for phase in self.phases_of(&current) {
            let waves = &mut self.phase_waves[phase as usize];
            *waves = waves.saturating_sub(1);
            if *waves == 0 && !self.cancelled {
                effects.push(Effect::Synthesize { phase });
            }
        }
    }

    fn finish(&mut self, effects: &mut Vec<Effect>) {
        for slot in &mut self.tasks {
            slot.close();
        }
        self.step = Step::Finished;
        effects.push(Effect::Finish);
    }
}

#[cfg(test)]
mod tests;
