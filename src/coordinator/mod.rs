//! THE loop: events in, effects out. It owns the state of a run; workers and gates only send what happened.
//!
//! The pure [`Machine`] decides what comes next, this module makes it happen: it starts workers, integrates what they
//! made, asks for the gates, and writes down everything in the journal before it builds on it.

mod attempts;
mod beginning;
mod bisect;
mod briefing;
mod conclusion;
mod detection;
mod elsewhere;
mod error;
mod escalation;
mod gate_counts;
mod gate_log;
mod gates;
mod history;
mod integration;
mod judging;
mod limits;
pub mod progress;
mod quarters;
mod replay;
mod rework;
mod setup;
mod timeline;
mod worker;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime},
};

use implementer_model::{
    budget::Purse,
    findings::Finding,
    gate::{GateKind, Place, Receipt},
    handoff::{Handoff, IntegratedCommit, Synthesis, TaskRecord},
    ids::{ObjectId, TaskId},
    rework::{Escalation, Request, ReworkRound},
    schedule::{Again, Effect, Event, Machine, StopReason},
    scope::CheckedPatch,
};
use tokio::{
    sync::{mpsc, watch},
    task::{JoinHandle, JoinSet},
};

use self::{
    beginning::begin,
    gates::GateRuns,
    judging::AttemptEnd,
    progress::{Observer, Progress},
    replay::Replay,
    worker::{Shop, WorkerEvent},
};
pub use self::{
    elsewhere::{Elsewhere, Reached, Until, follow},
    error::RunError,
    integration::commit_message,
    judging::{Process, capture_and_judge, nothing_came},
    quarters::{Quarters, Site as SandboxSite, open_sandbox},
    replay::{Resumed, is_over},
    setup::{SetupPlace, WorkingCopySetup},
    worker::{Files, Order, concluded},
};
use crate::{
    agent::Agents,
    intake::Intake,
    journal::{Journal, Record},
    run_dir::RunDir,
    sandbox::Sandbox,
    workspace::{integrate::Head, store::RunStore},
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
    /// What isolates subagents and gates.
    pub sandbox: Sandbox,
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
            // What was finished before, or in other jobs, is gone through first, however late it is by now.
            let run_ends =
                self.run_ends_ms().filter(|_| !self.cancelled && self.elsewhere.is_none() && inbox.is_empty());
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
        let gate_pool = self.shop.gate_pool.clone();
        tokio::spawn(async move {
            for pool in [pool, gate_pool] {
                // What cannot be removed goes with the scratch folder.
                if let Err(error) = pool.remove().await {
                    tracing::warn!(%error, "the work trees could not be removed");
                }
            }
        })
    }
}
