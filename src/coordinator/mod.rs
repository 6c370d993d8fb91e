//! THE loop: events in, effects out. It owns the state of a run; workers and gates only send what happened.
//!
//! The pure [`Machine`] decides what comes next, this module makes it happen: it starts workers, integrates what they
//! made, asks for the gates, and writes down everything in the journal before it builds on it.

mod bisect;
mod briefing;
mod conclusion;
mod detection;
mod elsewhere;
mod error;
mod escalation;
mod gates;
mod history;
mod integration;
pub mod progress;
mod replay;
mod rework;
mod timeline;
mod worker;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::{Arc, Mutex},
    time::{Duration, Instant, SystemTime},
};

use implementer_model::{
    budget::Purse,
    findings::{Finding, FindingCode, Weight},
    gate::{GateKind, Place, Receipt},
    handoff::{Handoff, IntegratedCommit, Synthesis, TaskRecord},
    ids::{ObjectId, TaskId},
    rework::{Escalation, Request, ReworkRound},
    schedule::{Again, Effect, End, Event, Machine, Outcome, StopReason},
    scope::CheckedPatch,
    text,
};
use tokio::{
    sync::{mpsc, watch},
    task::{JoinHandle, JoinSet},
};

pub use self::{
    elsewhere::{Elsewhere, Reached, Until, follow},
    error::RunError,
    integration::commit_message,
    replay::{Resumed, is_over},
    worker::{Files, Order, Process, capture_and_judge, concluded, nothing_came},
};
use self::{
    gates::GateRuns,
    progress::{Observer, Progress},
    replay::Replay,
    worker::{AttemptEnd, Shop, WorkerEvent},
};
use crate::{
    agent::Agents,
    intake::Intake,
    journal::{JOURNAL_VERSION, Journal, Record},
    run_dir::RunDir,
    workspace::{integrate::Head, slots::SlotPool, store::RunStore},
};

/// What a run needs.
#[derive(Debug)]
pub struct Setup {
    /// Plan, roster, configuration, schedule and lock.
    pub intake: Intake,
    /// Where the objects of the run go.
    pub store: RunStore,
    /// Where its files go.
    pub run_dir: RunDir,
    /// A folder outside the repository for work trees, homes and temporary files; the caller removes it.
    pub scratch: PathBuf,
    /// The agents that do the work.
    pub agents: Agents,
    /// Our own environment, from which variables are passed on to gates by name.
    pub environment: BTreeMap<String, String>,
    /// Our own executable, which supervises what we start.
    pub supervisor: PathBuf,
    /// Where the run takes place.
    pub place: Place,
    /// The revision that was asked for as the base, where it may move: a branch, or `HEAD`.
    pub revision: Option<String>,
    /// The run that this one goes on with.
    pub resumed: Option<Resumed>,
}

/// Runs a plan from its first task to the hand-off. `cancel` becoming true ends what runs and keeps what there is.
///
/// # Errors
/// When the outside fails in a way that no state of a task can express: the disk, the object store, the journal.
pub async fn run(
    setup: Setup,
    cancel: watch::Receiver<bool>,
    observer: &mut dyn Observer,
) -> Result<Handoff, RunError> {
    let (mut run, inbox) = begin(setup, None)?;
    observer.observe(&Progress::Begun { schedule: &run.intake.schedule });
    let outcome = run.drive(inbox, cancel, observer).await;
    // Whatever happened, nothing of ours keeps running, and the slots go away.
    run.stop_everything().await;
    // No slot is used any more: they go while the hand-off is put together.
    let cleared = run.clear_away();
    let handoff = match outcome {
        Ok(()) => run.conclude().await,
        Err(error) => Err(error),
    };
    // A thread that panicked has said so already.
    let _ = cleared.await;
    handoff
}

/// Makes everything ready that a run needs. `elsewhere` says what is done in other places.
fn begin(setup: Setup, elsewhere: Option<Elsewhere>) -> Result<(Run, mpsc::UnboundedReceiver<Happened>), RunError> {
    let began = Instant::now();
    let Setup { intake, store, run_dir, scratch, agents, environment, supervisor, place, revision, resumed } = setup;
    let (journal, records) = match resumed {
        Some(Resumed { journal, records }) => (journal, records),
        None => (Journal::create(&run_dir.path("journal.jsonl"))?, Vec::new()),
    };
    let lock = intake.lock.clone();
    run_dir.write_json("lock.json".as_ref(), &lock)?;
    let mut replay = Replay::of(records, elsewhere.is_some());
    let mut started = SystemTime::now();
    let mut schedule = intake.schedule.clone();
    if let Some(elsewhere) = &elsewhere {
        replay.resumptions = 0;
        started = elsewhere.began;
        replay.until_ms = elapsed_ms(started);
        // What runs at one time is the workflow's business; here a wave is open as a whole.
        schedule.concurrency = usize::MAX;
    } else {
        journal.append(
            replay.until_ms,
            match replay.resumptions {
                0 => Record::Begun { version: JOURNAL_VERSION, run: place.run.clone(), lock },
                _ => Record::Resumed,
            },
        );
    }

    let durations = history::durations(&intake.schedule, &replay, &run_dir);
    let pool = SlotPool::new(store.clone(), &scratch.join("slots"))?;
    let shop = Arc::new(Shop {
        store,
        pool,
        run_dir,
        scratch,
        agents,
        environment,
        supervisor,
        began,
        before_ms: replay.until_ms,
        tree_paths: Mutex::default(),
    });
    let (events, inbox) = mpsc::unbounded_channel();
    let run = Run {
        purse: Purse::new(intake.config.limits.run_cost),
        machine: Machine::new(&schedule).expecting(&schedule, &durations),
        head: Head { commit: intake.base.commit.clone(), tree: intake.base.tree.clone() },
        intake,
        shop,
        journal,
        place,
        revision,
        started,
        events,
        workers: JoinSet::new(),
        stops: BTreeMap::new(),
        stop_gates: watch::channel(false).0,
        records: BTreeMap::new(),
        accepted: BTreeMap::new(),
        commits: Vec::new(),
        patch_refs: Vec::new(),
        findings: BTreeMap::new(),
        synthesis: Vec::new(),
        receipts: Vec::new(),
        gate_starts: Vec::new(),
        rework: Vec::new(),
        escalations: Vec::new(),
        replay,
        settled: BTreeMap::new(),
        settled_for: 0,
        requests: BTreeMap::new(),
        given_up: BTreeSet::new(),
        asked_again: BTreeSet::new(),
        cancelled: false,
        out_of_time: None,
        elsewhere,
        open: Vec::new(),
        gates_due: false,
    };
    Ok((run, inbox))
}

/// Returns how many milliseconds ago a moment was.
fn elapsed_ms(moment: SystemTime) -> u64 {
    // A clock that was set back gives no time at all.
    u64::try_from(moment.elapsed().unwrap_or_default().as_millis()).unwrap_or(u64::MAX)
}

/// Tells whether an attempt that ended is worth another at once, why, and after how many milliseconds: a violation of
/// the scope is explained once, and what is transient is waited out.
fn retry(record: &TaskRecord, transient: bool) -> Option<(String, u64)> {
    let last = record.last()?;
    if last.outcome == Outcome::OutOfScope {
        let before = record.attempts.iter().filter(|attempt| attempt.outcome == Outcome::OutOfScope).count();
        return (before == 1).then(|| (format!("it left its scope, and is told so: {}", record.reason), 0));
    }
    // Attempts that are alike in a row; what passed in between ends the row.
    let row = record.attempts.iter().rev().take_while(|attempt| attempt.outcome == last.outcome).count();
    let tries = u32::try_from(row).unwrap_or(u32::MAX);
    (transient && tries < TRANSIENT_ATTEMPTS).then(|| {
        let wait = TRANSIENT_WAIT_MS << (tries - 1);
        (format!("what failed may be gone by now: {}", record.reason), wait)
    })
}

/// How often a task is attempted at most when what fails is transient, and the wait before the second attempt in
/// milliseconds; each further wait is twice as long.
const TRANSIENT_ATTEMPTS: u32 = 3;
const TRANSIENT_WAIT_MS: u64 = 1_000;

/// What happens outside the loop.
#[derive(Debug)]
enum Happened {
    Worker(WorkerEvent),
    /// An attempt that an earlier process of this run finished.
    TakenOver {
        end: Box<AttemptEnd>,
    },
    GateStarted(GateKind),
    Gates(Result<GateRuns, RunError>),
    Culprits(Result<BTreeMap<GateKind, TaskId>, RunError>),
}

struct Run {
    intake: Intake,
    shop: Arc<Shop>,
    journal: Journal,
    place: Place,
    revision: Option<String>,
    started: SystemTime,
    machine: Machine,
    /// The last integrated commit: what the next wave starts from.
    head: Head,
    events: mpsc::UnboundedSender<Happened>,
    workers: JoinSet<()>,
    /// How to stop the attempt that runs, for each task that has one.
    stops: BTreeMap<TaskId, watch::Sender<Option<StopReason>>>,
    stop_gates: watch::Sender<bool>,
    records: BTreeMap<TaskId, TaskRecord>,
    /// Passed patches that wait for their wave to be integrated.
    accepted: BTreeMap<TaskId, CheckedPatch>,
    commits: Vec<IntegratedCommit>,
    /// Every patch as its subagent made it, integrated or not, for the bundle.
    patch_refs: Vec<(String, ObjectId)>,
    /// What was noticed about the attempt that counts, for each task.
    findings: BTreeMap<TaskId, Vec<Finding>>,
    synthesis: Vec<Synthesis>,
    receipts: Vec<Receipt>,
    /// When each gate began, in milliseconds since the run began; beside `receipts`.
    gate_starts: Vec<u64>,
    /// The rounds of rework so far.
    rework: Vec<ReworkRound>,
    /// The specialists that tasks turned out to need so far.
    escalations: Vec<Escalation>,
    /// What earlier processes of this run finished.
    replay: Replay,
    /// What had become of the tasks when the group of tasks that runs began, and which group that is.
    settled: BTreeMap<TaskId, TaskRecord>,
    settled_for: usize,
    /// What the next attempt at a task is asked for beside its requirements.
    requests: BTreeMap<TaskId, Vec<Request>>,
    /// Tasks that are not called for rework any more: it changed nothing.
    given_up: BTreeSet<TaskId>,
    /// What was called again for which tree, so that nothing is asked for twice.
    asked_again: BTreeSet<(TaskId, ObjectId)>,
    cancelled: bool,
    /// What subagents may cost, and what they did cost.
    purse: Purse,
    /// Says that the run reached its time limit, once it has.
    out_of_time: Option<Finding>,
    /// What is done in other places, when not everything is done here.
    elsewhere: Option<Elsewhere>,
    /// The attempts that are to be made elsewhere, and that nothing is known of yet.
    open: Vec<Order>,
    /// Whether the gates are to be run elsewhere, and nothing is known of them yet.
    gates_due: bool,
}

impl Run {
    /// Goes round until the machine says that it is finished.
    async fn drive(
        &mut self,
        mut inbox: mpsc::UnboundedReceiver<Happened>,
        mut cancel: watch::Receiver<bool>,
        observer: &mut dyn Observer,
    ) -> Result<(), RunError> {
        let mut effects = self.machine.handle(Event::Begin, self.shop.now_ms());
        // A caller that is gone cannot cancel any more; the run goes on.
        let mut caller_listens = true;
        loop {
            while !effects.is_empty() {
                let mut next = Vec::new();
                for effect in effects {
                    if matches!(effect, Effect::Finish) {
                        return Ok(());
                    }
                    next.extend(self.perform(effect, observer).await?);
                }
                effects = next;
            }
            if self.waits_for_elsewhere(&inbox) {
                self.leave_what_is_late(observer);
                return Ok(());
            }
            // What other jobs have finished is gone through first, however late it is by now.
            let run_ends = self.run_ends_ms().filter(|_| !self.cancelled && self.elsewhere.is_none());
            if run_ends.is_some_and(|at| at <= self.shop.now_ms()) {
                let cancel = self.run_out_of_time(observer);
                effects = self.machine.handle(cancel, self.shop.now_ms());
                continue;
            }
            let deadline = self.machine.next_deadline().into_iter().chain(run_ends).min();
            let wake = async {
                match deadline {
                    Some(at) => tokio::time::sleep(Duration::from_millis(at.saturating_sub(self.shop.now_ms()))).await,
                    None => std::future::pending().await,
                }
            };
            let events = tokio::select! {
                happened = inbox.recv() => match happened {
                    Some(happened) => self.take_in(happened, observer).await?,
                    // The run itself holds a sender.
                    None => return Err(RunError::Defect("the inbox is closed".to_owned())),
                },
                asked = cancel.wait_for(|cancel| *cancel), if caller_listens && !self.cancelled => {
                    caller_listens = asked.is_ok();
                    drop(asked);
                    if caller_listens { vec![self.cancel(observer)] } else { Vec::new() }
                },
                Some(ended) = self.workers.join_next() => match ended {
                    Ok(()) => Vec::new(),
                    Err(error) => return Err(RunError::Defect(format!("a worker ended unexpectedly: {error}"))),
                },
                () = wake => vec![Event::Tick],
            };
            effects = events.into_iter().flat_map(|event| self.machine.handle(event, self.shop.now_ms())).collect();
        }
    }

    /// Returns when the run's time is up, in milliseconds since it began.
    fn run_ends_ms(&self) -> Option<u64> {
        self.intake.config.limits.run_minutes.map(|minutes| minutes.saturating_mul(60_000))
    }

    /// Ends the run because its time is up: as a cancel does, so that it can be gone on with.
    fn run_out_of_time(&mut self, observer: &mut dyn Observer) -> Event {
        let minutes = usize::try_from(self.intake.config.limits.run_minutes.unwrap_or_default()).unwrap_or(usize::MAX);
        self.out_of_time = Some(Finding {
            code: FindingCode::RunTimedOut,
            weight: Weight::Blocking,
            task: None,
            path: None,
            line: None,
            message: format!(
                "the run reached its time limit of {} and was ended; what was finished is kept, and the run can be gone \
                 on with",
                text::count(minutes, "minute")
            ),
        });
        self.cancel(observer)
    }

    fn cancel(&mut self, observer: &mut dyn Observer) -> Event {
        self.cancelled = true;
        self.stop_gates.send_replace(true);
        observer.observe(&Progress::Cancelling);
        Event::Cancel
    }

    /// Makes an effect happen. Gives the effects that follow at once.
    async fn perform(&mut self, effect: Effect, observer: &mut dyn Observer) -> Result<Vec<Effect>, RunError> {
        match effect {
            Effect::Start { task, attempt, because } => {
                self.start(&task, attempt, because)?;
                Ok(Vec::new())
            }
            Effect::Stop { task, why, .. } => {
                if let Some(stop) = self.stops.get(&task) {
                    stop.send_replace(Some(why));
                }
                Ok(Vec::new())
            }
            Effect::Integrate { wave, tasks } => {
                let failed = self.integrate(wave, &tasks, observer).await?;
                let again = self.conflicted_again(&failed, observer);
                let mut effects = self.machine.handle(Event::Follow { groups: vec![again] }, self.shop.now_ms());
                effects.extend(self.machine.handle(Event::WaveIntegrated { wave, failed }, self.shop.now_ms()));
                Ok(effects)
            }
            Effect::Synthesize { phase } => {
                self.synthesise(phase);
                observer.observe(&Progress::PhaseEnded { phase });
                Ok(Vec::new())
            }
            Effect::JudgeGates => self.begin_gates(observer),
            Effect::Finish => Ok(Vec::new()),
        }
    }

    /// Sends a worker off with everything it has to know.
    fn start(&mut self, id: &TaskId, attempt: u32, because: String) -> Result<(), RunError> {
        let defect = |what: &str| RunError::Defect(format!("{what} of `{id}` is missing"));
        let task = self.intake.schedule.task(id).cloned().ok_or_else(|| defect("the task"))?;
        let subagent = self.intake.roster.get(&task.subagent).cloned().ok_or_else(|| defect("the subagent"))?;
        let brief = self.brief(&task, &subagent, attempt);
        if self.take_over(&task, attempt, &because, &brief)? {
            return Ok(());
        }
        let pass_environment = self.intake.config.environment(&subagent.name).into_iter().map(str::to_owned).collect();
        let base = self.head.commit.clone();
        let implementation_base = self.intake.base.commit.clone();
        let integrated = self.commits.iter().any(|commit| commit.task == task.id);
        let waiting = self.intake.schedule.tasks.iter().filter(|task| !self.records.contains_key(&task.id)).count();
        let config = &self.intake.config;
        let budget = self.purse.reserve(&task.id, config.cost(&subagent.name), waiting);
        let order = Order {
            agent: Arc::clone(self.shop.agents.of(&subagent.name)?),
            turns: config.turns(&subagent.name),
            budget: budget.as_ref().copied().unwrap_or_default(),
            rules: self.intake.rules.tree.clone(),
            task,
            subagent,
            attempt,
            because,
            base,
            implementation_base,
            brief,
            integrated,
            pass_environment,
        };
        if let Err(exhausted) = budget {
            let end = worker::not_affordable(&self.shop, order, &exhausted);
            let _ = self.events.send(Happened::Worker(WorkerEvent::Ended(Box::new(end))));
            return Ok(());
        }
        if self.elsewhere.is_some() {
            self.open.push(order);
            return Ok(());
        }
        let (stop, stopped) = watch::channel(None);
        self.stops.insert(id.clone(), stop);
        let (shop, events) = (Arc::clone(&self.shop), self.events.clone());
        self.workers.spawn(async move {
            worker::work(shop, order, stopped, |event| {
                // A loop that is gone has no use for it.
                let _ = events.send(Happened::Worker(event));
            })
            .await;
        });
        Ok(())
    }

    /// Takes in what happened outside, and says what it means to the machine.
    async fn take_in(&mut self, happened: Happened, observer: &mut dyn Observer) -> Result<Vec<Event>, RunError> {
        match happened {
            Happened::Worker(WorkerEvent::Started { task, attempt, base, brief }) => {
                observer.observe(&Progress::TaskStarted { task: &task, attempt });
                let record = Record::Started { task: task.clone(), attempt, base, brief };
                self.journal.append(self.shop.now_ms(), record);
                Ok(vec![Event::Started { task, attempt }])
            }
            Happened::Worker(WorkerEvent::Ended(end)) => {
                self.journal.append(self.shop.now_ms(), end.to_record());
                self.attempt_ended(*end, observer)
            }
            Happened::TakenOver { end } => {
                let (task, attempt) = (end.task.clone(), end.record.attempt);
                observer.observe(&Progress::TaskStarted { task: &task, attempt });
                let mut events = vec![Event::Started { task, attempt }];
                events.extend(self.attempt_ended(*end, observer)?);
                for event in &mut events {
                    // It was waited out when it happened.
                    if let Event::Retry { after, .. } = event {
                        *after = 0;
                    }
                }
                Ok(events)
            }
            Happened::Worker(WorkerEvent::Broken(error)) => Err(error),
            Happened::GateStarted(gate) => {
                observer.observe(&Progress::GateStarted { gate });
                Ok(Vec::new())
            }
            Happened::Gates(runs) => {
                self.judge_gates(runs?, observer);
                Ok(self.after_gates().into_iter().collect())
            }
            Happened::Culprits(culprits) => {
                let culprits = culprits?;
                let head = self.head.commit.clone();
                self.journal.append(self.shop.now_ms(), Record::Bisected { head, culprits: culprits.clone() });
                Ok(vec![self.begin_round(&culprits, observer)?])
            }
        }
    }

    fn attempt_ended(&mut self, end: AttemptEnd, observer: &mut dyn Observer) -> Result<Vec<Event>, RunError> {
        let AttemptEnd { task, record, reason, findings, accepted, transient } = end;
        self.stops.remove(&task);
        match record.outcome {
            Outcome::NotRun => self.purse.release(&task),
            _ => self.purse.settle(&task, record.session.as_ref().and_then(|session| session.micro_dollars)),
        }
        let attempt = record.attempt;
        let end = match record.outcome {
            Outcome::Passed => End::Passed,
            Outcome::Blocked => End::Blocked,
            _ => End::Failed,
        };
        if let Some(patch) = record.patch.as_ref().filter(|patch| !patch.is_empty()) {
            let message = self.message(&task, attempt)?;
            let commit = tokio::task::block_in_place(|| self.shop.store.patch_commit(patch, &message))?;
            self.patch_refs.push((conclusion::patch_ref(&task, attempt), commit));
        }
        if let Some(checked) = accepted {
            self.accepted.insert(task.clone(), checked);
        }
        let outcome = record.outcome;
        let kept = self.records.entry(task.clone()).or_insert_with(|| TaskRecord {
            id: task.clone(),
            outcome,
            reason: String::new(),
            attempts: Vec::new(),
        });
        kept.outcome = outcome;
        kept.reason = reason;
        kept.attempts.push(record);
        observer.observe(&Progress::TaskEnded { task: &task, record: kept, findings: &findings });
        let retry = retry(kept, transient);
        let report = kept.report().filter(|_| end == End::Blocked).cloned();
        let noticed = kept.last().cloned().map_or_else(Vec::new, |attempt| {
            // It reads what was changed.
            tokio::task::block_in_place(|| self.detect(&task, &attempt))
        });
        self.findings.insert(task.clone(), findings.into_iter().chain(noticed).collect());
        if self.give_up_repeaters(&task) {
            let message = "this attempt changed exactly what an earlier one had changed";
            let finding = Finding::about(&task, FindingCode::SamePatchAgain, Weight::Warning, message);
            self.findings.entry(task.clone()).or_default().push(finding);
        }
        if let Some((because, after)) = retry {
            observer.observe(&Progress::TaskAgain { task: &task, reason: &because });
            return Ok(vec![Event::Retry { task, attempt, because, after }]);
        }
        let help = report.and_then(|report| self.escalate(&task, &report, observer));
        // What follows has to be known before the wave is over.
        Ok(help.into_iter().chain([Event::Ended { task, attempt, end }]).collect())
    }

    /// Calls the reviewer again when the tree moved after it had read it; else runs the gates.
    fn begin_gates(&mut self, observer: &mut dyn Observer) -> Result<Vec<Effect>, RunError> {
        let again = self.outdated_verdicts();
        if !again.is_empty() {
            for Again { task, because } in &again {
                observer.observe(&Progress::TaskAgain { task, reason: because });
            }
            return Ok(self.machine.handle(Event::GatesJudged { again }, self.shop.now_ms()));
        }
        let (shop, events) = (Arc::clone(&self.shop), self.events.clone());
        let jobs = gates::jobs(&self.intake, &self.head);
        if let Some(runs) = self.replay.gates(&jobs, &self.head.tree, self.shop.now_ms()) {
            let _ = events.send(Happened::Gates(Ok(runs)));
            return Ok(Vec::new());
        }
        if self.elsewhere.as_ref().is_some_and(|elsewhere| !elsewhere.gates_here) {
            self.gates_due = true;
            return Ok(Vec::new());
        }
        let stop = self.stop_gates.subscribe();
        self.workers.spawn(async move {
            let tell = |gate| drop(events.send(Happened::GateStarted(gate)));
            let runs = gates::run(&shop, jobs, stop, tell).await;
            let _ = events.send(Happened::Gates(runs));
        });
        Ok(Vec::new())
    }

    /// Calls tasks again whose patch could not be had beside others, on what was integrated: each once.
    fn conflicted_again(&self, failed: &[TaskId], observer: &mut dyn Observer) -> Vec<Again> {
        let once = |task: &&TaskId| {
            let record = self.records.get(*task);
            record.is_some_and(|record| {
                record.attempts.iter().filter(|attempt| !attempt.conflicts.is_empty()).count() == 1
            })
        };
        let again = |task: &TaskId| {
            let because = "its patch could not be had beside another that was integrated before it".to_owned();
            observer.observe(&Progress::TaskAgain { task, reason: &because });
            Again { task: task.clone(), because }
        };
        failed.iter().filter(once).map(again).collect()
    }

    /// Ends whatever still runs and waits for it.
    async fn stop_everything(&mut self) {
        for stop in self.stops.values() {
            stop.send_replace(Some(StopReason::Cancelled));
        }
        self.stop_gates.send_replace(true);
        while self.workers.join_next().await.is_some() {}
    }

    /// Begins to remove the work trees. All workers are gone by now.
    fn clear_away(&self) -> JoinHandle<()> {
        let pool = self.shop.pool.clone();
        for abandoned in pool.abandoned() {
            tracing::warn!(path = %abandoned.path.display(), why = abandoned.why, "a work tree could not be cleaned and was set aside");
        }
        tokio::spawn(async move {
            // What cannot be removed goes with the scratch folder.
            if let Err(error) = pool.remove().await {
                tracing::warn!(%error, "the work trees could not be removed");
            }
        })
    }
}
