//! THE loop: it carries out what the run wants done, and tells the run what happened. Time reaches the run as a number.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::{Duration, SystemTime},
};

use implementer_model::{
    evidence::gathered,
    findings::Finding,
    ids::{ObjectId, TaskId},
    record::{AttemptId, Culprits, Record},
    run::{Action, AttemptPlan, CulpritSearch, GateJob, Happened, JudgedAttempt, Notice, Run},
    schedule::StopReason,
    text,
};
use tokio::{
    sync::{mpsc, watch},
    task::{JoinHandle, JoinSet},
};
use tokio_util::sync::CancellationToken;

use super::{
    bisect,
    context::WorkerContext,
    detection,
    error::RunError,
    events::RunEvent,
    evidence, gates, integration,
    progress::{Observer, Progress},
    starting::{self, Source, Start},
    worker,
};
use crate::{
    agent::{self, LastStep},
    errors,
    journal::Sink,
    layout::{self, RunFile, refs},
};

/// Who makes attempts and runs gates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Work {
    /// This process makes everything.
    Here,
    /// Jobs make the attempts; this process runs the gates where `gates_here` says so.
    InJobs { gates_here: bool, keep_files: bool },
}

/// What is to be done by jobs, and nothing is known of yet.
#[derive(Debug, Default)]
pub(super) struct Due {
    pub(super) attempts: Vec<AttemptPlan>,
    pub(super) gates: bool,
}

/// A run with everything that carries it out.
pub(super) struct Driver {
    pub(super) run: Run,
    pub(super) context: Arc<WorkerContext>,
    pub(super) sink: Sink,
    work: Work,
    pub(super) started: SystemTime,
    events: mpsc::UnboundedSender<RunEvent>,
    inbox: mpsc::UnboundedReceiver<RunEvent>,
    workers: JoinSet<()>,
    /// How to stop the attempt that runs, for each task that has one.
    stops: BTreeMap<TaskId, watch::Sender<Option<StopReason>>>,
    stop_gates: CancellationToken,
    /// Every patch as its subagent made it, integrated or not, for the bundle.
    pub(super) patch_refs: Vec<(String, ObjectId)>,
    pub(super) due: Due,
}

impl Driver {
    pub(super) fn new(run: Run, context: WorkerContext, sink: Sink, work: Work, started: SystemTime) -> Self {
        let (events, inbox) = mpsc::unbounded_channel();
        Self {
            run,
            context: Arc::new(context),
            sink,
            work,
            started,
            events,
            inbox,
            workers: JoinSet::new(),
            stops: BTreeMap::new(),
            stop_gates: CancellationToken::new(),
            patch_refs: Vec::new(),
            due: Due::default(),
        }
    }

    /// Goes round until the run is over, or nothing is left that this process does.
    pub(super) async fn drive(
        &mut self,
        cancel: CancellationToken,
        observer: &mut dyn Observer,
    ) -> Result<(), RunError> {
        let mut actions = VecDeque::from(match self.program_of_a_gate_is_missing() {
            Some(why) => self.run.end_early(None, why, self.now_ms()),
            None => self.run.begin(self.now_ms()),
        });
        let starts = actions.iter().filter(|action| matches!(action, Action::Start { .. })).count();
        self.run_base(starts).await?;
        loop {
            while let Some(action) = actions.pop_front() {
                if matches!(action, Action::Finish) {
                    return Ok(());
                }
                actions.extend(self.perform(action, observer).await?);
            }
            if self.waits_for_jobs() {
                return Ok(());
            }
            // What was finished before is gone through first, however late it is by now.
            let is_here = self.work == Work::Here;
            let run_ends = self.run.ends_at().filter(|_| is_here && !self.run.is_cancelled() && self.inbox.is_empty());
            if run_ends.is_some_and(|at| at <= self.now_ms()) {
                actions.extend(self.run.run_out_of_time(self.now_ms()));
                continue;
            }
            let deadline = self.run.next_deadline().into_iter().chain(run_ends).min();
            let wait = deadline.map(|at| Duration::from_millis(at.saturating_sub(self.now_ms())));
            let wake = async {
                match wait {
                    Some(wait) => tokio::time::sleep(wait).await,
                    None => std::future::pending().await,
                }
            };
            let following = tokio::select! {
                event = self.inbox.recv() => {
                    let event = event.expect("invariant: the driver itself holds a sender");
                    self.take_in(event, &cancel, observer).await?
                },
                () = cancel.cancelled(), if !self.run.is_cancelled() => self.run.cancel(self.now_ms()),
                Some(ended) = self.workers.join_next() => match ended {
                    Ok(()) => Vec::new(),
                    Err(error) => return Err(RunError::Defect(format!("a worker ended unexpectedly: {error}"))),
                },
                () = wake => self.run.tick(self.now_ms()),
            };
            actions.extend(following);
        }
    }

    pub(super) fn now_ms(&self) -> u64 {
        self.context.now_ms()
    }

    /// Tells whether nothing goes on here any more: what comes next is done by jobs.
    fn waits_for_jobs(&self) -> bool {
        self.work != Work::Here && self.workers.is_empty() && self.inbox.is_empty()
    }

    /// Carries an action out. Gives the actions that follow at once.
    async fn perform(&mut self, action: Action, observer: &mut dyn Observer) -> Result<Vec<Action>, RunError> {
        match action {
            Action::Write(record) => self.write(record),
            Action::Announce(notice) => announce(&notice, observer),
            Action::Start { id, because } => {
                let source = match self.work {
                    Work::Here => Source::EarlierProcess,
                    Work::InJobs { keep_files, .. } => Source::Jobs { keep_files },
                };
                match starting::start(&mut self.run, &self.context, id, because, source)? {
                    Start::Ended(judged, happened) => self.send(RunEvent::AttemptEnded(judged, happened, None)),
                    Start::Make(plan, _) if self.work != Work::Here => self.due.attempts.push(*plan),
                    Start::Make(plan, agent) => {
                        let (stop, stopped) = watch::channel(None);
                        self.stops.insert(plan.id.task.clone(), stop);
                        let (context, events) = (Arc::clone(&self.context), self.events.clone());
                        // A loop that is gone has no use for what a worker tells.
                        let tell = move |event| drop(events.send(event));
                        self.workers.spawn(worker::work(context, *plan, agent, stopped, tell));
                    }
                }
            }
            Action::Stop { task, why } => {
                if let Some(stop) = self.stops.get(&task) {
                    stop.send_replace(Some(why));
                }
            }
            Action::Integrate { wave, patches } => {
                let (run, store) = (&self.run, &self.context.store);
                let integration = tokio::task::block_in_place(|| integration::integrate(run, store, wave, patches))?;
                // What the next wave builds on has to survive a crash before the next wave begins.
                self.sink.sync().await?;
                return Ok(self.run.integrated(integration, self.now_ms()));
            }
            Action::RunGates(jobs) => return Ok(self.run_gates(jobs)),
            Action::StopGates => self.stop_gates.cancel(),
            Action::FindCulprits(search) => return Ok(self.find_culprits(search)),
            Action::SetGateLogsAside { round } => {
                self.context.run_dir.set_aside(RunFile::Gates, layout::gates_before_rework(round))?;
            }
            // The loop ends before it performs this.
            Action::Finish => {}
        }
        Ok(Vec::new())
    }

    /// Takes in what happened outside. Gives what is to be done then.
    async fn take_in(
        &mut self,
        event: RunEvent,
        cancel: &CancellationToken,
        observer: &mut dyn Observer,
    ) -> Result<Vec<Action>, RunError> {
        match event {
            RunEvent::AttemptStarted(started, last_step) => {
                let id = started.id.clone();
                tell_started(&id, last_step, observer);
                self.write(Record::Started(started));
                Ok(self.run.attempt_started(id, self.now_ms()))
            }
            RunEvent::AttemptEnded(judged, happened, found) => {
                let found = match found {
                    Some(found) => found,
                    None => {
                        let (store, ledger) = (&self.context.store, self.run.ledger());
                        detection::found_before(store, ledger, &judged, cancel.cancelled()).await
                    }
                };
                self.attempt_ended(*judged, happened, found, observer)
            }
            RunEvent::WorkerFailed(error) => Err(error),
            RunEvent::GateStarted(gate) => {
                observer.observe(&Progress::GateStarted { gate });
                Ok(Vec::new())
            }
            RunEvent::BaseRan(red) => match red? {
                Some(why) if !self.run.is_cancelled() => Ok(self.run.base_is_red(&why, self.now_ms())),
                _ => Ok(Vec::new()),
            },
            RunEvent::GatesRan(runs) => Ok(self.run.gates_ran(runs?, Happened::Now, self.now_ms())),
            RunEvent::CulpritsFound(culprits) => Ok(self.run.culprits_found(culprits?, Happened::Now, self.now_ms())),
        }
    }

    fn attempt_ended(
        &mut self,
        judged: JudgedAttempt,
        happened: Happened,
        mut found: Vec<Finding>,
        observer: &mut dyn Observer,
    ) -> Result<Vec<Action>, RunError> {
        let id = judged.ended.id();
        let mut actions = Vec::new();
        match happened {
            Happened::Now => self.write(Record::Ended(Box::new(judged.ended.clone()))),
            Happened::Before => actions.extend(self.run.attempt_started(id.clone(), self.now_ms())),
        }
        self.stops.remove(&id.task);
        if let Some(patch) = judged.ended.attempt.patch.as_ref().filter(|patch| !patch.is_empty()) {
            let message = integration::message_of(&self.run, &id);
            let commit = tokio::task::block_in_place(|| self.context.store.patch_commit(patch, &message))?;
            self.patch_refs.push((refs::patch(&id), commit));
        }
        let failure = judged.ended.failure;
        self.run.attempt_ended(judged);
        let ledger = self.run.ledger();
        let record = ledger.record(&id.task).expect("invariant: the end of the attempt was taken down");
        let (findings, kept) = (ledger.findings_about(&id.task), happened == Happened::Before);
        observer.observe(&Progress::TaskEnded { task: &id.task, record, findings, kept });
        // It reads what was changed.
        found.extend(tokio::task::block_in_place(|| detection::beside_others(&self.context.store, ledger, &id)));
        actions.extend(self.run.after_attempt(&id, failure, found, happened, self.now_ms()));
        Ok(actions)
    }

    /// Says which program of a gate is not there, before anybody is paid for. What `setup` may install, or the work may
    /// make, is looked for when the gate runs.
    fn program_of_a_gate_is_missing(&self) -> Option<String> {
        let is_first_here = self.work == Work::Here && !self.run.is_resumed();
        // A set-up may bring it, and so may the work.
        if !is_first_here || !self.run.basis().config.setup.is_empty() || self.run.base_is_the_work() {
            return None;
        }
        let jobs = self.run.gate_jobs();
        let missing = |argv: &&Vec<String>| {
            argv.first().is_some_and(|program| {
                !program.contains('/')
                    && !agent::is_found(program, self.context.processes.environment.get("PATH").map(String::as_str))
            })
        };
        let argv = jobs.iter().flat_map(GateJob::argvs).find(missing)?;
        Some(format!(
            "{} was not found, so a gate could not pass and no subagent was started: install it, or add it with `setup` in the \
             configuration",
            text::code(&argv[0])
        ))
    }

    /// Runs the tests on the base beside the first subagents, of which so many start. A resumed run finds out when its gates
    /// need it.
    async fn run_base(&mut self, starts: usize) -> Result<(), RunError> {
        if self.work != Work::Here || self.run.is_resumed() || self.run.has_ended_early() {
            return Ok(());
        }
        let (job, base) = (self.run.tests_job(), self.run.basis().base.clone());
        if job.commands.is_empty() {
            return Ok(());
        }
        self.context.pool.begin_beside(starts, &self.context.gate_pool, &base.commit).await?;
        let (context, events, stop) = (Arc::clone(&self.context), self.events.clone(), self.stop_gates.clone());
        self.workers.spawn(async move {
            let ran = evidence::base(&context, &job, &base, &stop).await;
            let red = ran.map(|ran| gathered::red_base(&ran.commands).filter(|_| !stop.is_cancelled()));
            let _ = events.send(RunEvent::BaseRan(red));
        });
        Ok(())
    }

    fn run_gates(&mut self, jobs: Vec<GateJob>) -> Vec<Action> {
        if let Some(runs) = self.run.gates_ran_before(&jobs, self.now_ms()) {
            return self.run.gates_ran(runs, Happened::Before, self.now_ms());
        }
        if matches!(self.work, Work::InJobs { gates_here: false, .. }) {
            self.due.gates = true;
            return Vec::new();
        }
        let plan = self.run.evidence_plan();
        let (context, events, stop) = (Arc::clone(&self.context), self.events.clone(), self.stop_gates.clone());
        self.workers.spawn(async move {
            let tell = |gate| drop(events.send(RunEvent::GateStarted(gate)));
            let runs = gates::run(&context, jobs, &plan, stop, tell).await;
            let _ = events.send(RunEvent::GatesRan(runs));
        });
        Vec::new()
    }

    fn find_culprits(&mut self, search: CulpritSearch) -> Vec<Action> {
        if let Some(culprits) = self.run.culprits_found_before() {
            return self.run.culprits_found(culprits, Happened::Before, self.now_ms());
        }
        if matches!(self.work, Work::InJobs { gates_here: false, .. }) {
            // Whoever ran the gates has looked for culprits; that nothing is known names nobody.
            return self.run.culprits_found(Culprits::default(), Happened::Before, self.now_ms());
        }
        let base = self.run.basis().base.clone();
        let (context, events, stop) = (Arc::clone(&self.context), self.events.clone(), self.stop_gates.clone());
        self.workers.spawn(async move {
            let culprits = bisect::culprits(&context, search, &base, &stop).await;
            let _ = events.send(RunEvent::CulpritsFound(culprits));
        });
        Vec::new()
    }

    fn write(&mut self, record: Record) {
        self.sink.append(self.context.now_ms(), record);
    }

    fn send(&self, event: RunEvent) {
        self.events.send(event).expect("invariant: the driver itself holds the receiver");
    }

    /// Ends whatever still runs and waits for it.
    pub(super) async fn stop_everything(&mut self) {
        for stop in self.stops.values() {
            stop.send_replace(Some(StopReason::Cancelled));
        }
        self.stop_gates.cancel();
        while self.workers.join_next().await.is_some() {}
    }

    /// Begins to remove the work trees. All workers are gone by now.
    pub(super) fn clear_away(&self) -> JoinHandle<()> {
        let (pool, gate_pool) = (self.context.pool.clone(), self.context.gate_pool.clone());
        for abandoned in pool.abandoned() {
            tracing::warn!(path = %abandoned.path.display(), why = abandoned.why, "a work tree could not be cleaned and was set aside");
        }
        tokio::spawn(async move {
            for pool in [pool, gate_pool] {
                // What cannot be removed goes with the scratch folder.
                if let Err(error) = pool.remove().await {
                    tracing::warn!(error = %errors::chain(&error), "the work trees could not be removed");
                }
            }
        })
    }
}

fn announce(notice: &Notice, observer: &mut dyn Observer) {
    observer.observe(&match notice {
        Notice::TaskAdded(task) => Progress::TaskAdded { task },
        Notice::TaskAgain { task, because } => Progress::TaskAgain { task, reason: because },
        Notice::Integrated { wave, commits } => Progress::Integrated { wave: *wave, commits: *commits },
        Notice::PhaseEnded(phase) => Progress::PhaseEnded { phase: *phase },
        Notice::GateJudged(receipt) => Progress::GateJudged { receipt },
        Notice::Cancelling => Progress::Cancelling,
    });
}

fn tell_started(id: &AttemptId, last_step: LastStep, observer: &mut dyn Observer) {
    let last_step = Arc::new(last_step);
    observer.observe(&Progress::TaskStarted { task: &id.task, attempt: id.attempt, last_step: &last_step });
}
