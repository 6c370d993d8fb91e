//! What people see while a run goes on: check runs as subagents begin and end, the comment from time to time.
//!
//! The coordinator must not wait for GitHub. It writes on a board; a task of its own carries what changed to GitHub,
//! woken by changes and not by polling.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use implementer_model::{
    conversation::{
        checks,
        live::{self, Board, LiveHeader, SubagentState},
    },
    github_ids::CheckRunId,
    ids::{ObjectId, SubagentName},
};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

use super::{
    PullRequestContext,
    claim::{self, CheckRuns},
    own_comment::OwnComment,
    publish,
};
use crate::coordinator::progress::{Observer, Progress};

/// The board, as the coordinator sees it: an observer that never waits.
pub(super) struct BoardKeeper<'a> {
    board: Arc<Mutex<Board>>,
    changed: watch::Sender<u64>,
    next: &'a mut dyn Observer,
}

impl Observer for BoardKeeper<'_> {
    fn observe(&mut self, progress: &Progress<'_>) {
        self.next.observe(progress);
        {
            let mut board = self.board.lock().unwrap_or_else(PoisonError::into_inner);
            match progress {
                Progress::TaskAdded { task } => board.added(task),
                Progress::TaskStarted { task, attempt, .. } => board.started(task, *attempt),
                Progress::TaskEnded { record, findings, .. } => board.ended(record, findings),
                Progress::TaskAgain { task, reason } => board.again(task, reason),
                Progress::Integrated { wave, commits } => board.integrated(*wave, *commits),
                Progress::GateStarted { gate } => board.gate_started(*gate),
                Progress::GateJudged { receipt } => board.gate_judged(receipt),
                Progress::Cancelling => board.cancelling(),
                Progress::Begun { .. } | Progress::PhaseEnded { .. } => {}
            }
        }
        self.changed.send_modify(|version| *version += 1);
    }
}

/// Carries the board to GitHub until the keeper is gone.
#[derive(Debug)]
pub(super) struct Reporter {
    pub(super) pull: PullRequestContext,
    pub(super) commit: ObjectId,
    pub(super) comment: OwnComment,
    pub(super) checks: CheckRuns,
    pub(super) header: LiveHeader,
    /// How often the comment is written at most; `None` for not at all.
    pub(super) every: Option<Duration>,
    /// The check run of each subagent that was begun, and the state that it shows.
    shown: BTreeMap<SubagentName, (CheckRunId, SubagentState)>,
}

/// Makes a board with its keeper and the receiver that tells of changes.
pub(super) fn board(
    board: Board,
    next: &mut dyn Observer,
) -> (Arc<Mutex<Board>>, BoardKeeper<'_>, watch::Receiver<u64>) {
    let (changed, changes) = watch::channel(0);
    let board = Arc::new(Mutex::new(board));
    (Arc::clone(&board), BoardKeeper { board, changed, next }, changes)
}

impl Reporter {
    pub(super) fn new(
        pull: PullRequestContext,
        commit: ObjectId,
        comment: OwnComment,
        checks: CheckRuns,
        header: LiveHeader,
        every: Option<Duration>,
    ) -> Self {
        Self { pull, commit, comment, checks, header, every, shown: BTreeMap::new() }
    }

    /// Takes over the check runs that an earlier attempt at the same run made, by name: they are brought to what is true
    /// now, and not left red beside newer ones.
    pub(super) fn take_over(&mut self, board: &Board, earlier: &BTreeMap<String, CheckRunId>) {
        for (name, _) in board.subagents() {
            if let Some(id) = earlier.get(&checks::subagent_check_name(&name)) {
                self.shown.insert(name, (*id, SubagentState::Waiting));
            }
        }
    }

    /// Writes the first state of the comment, and with it the claim.
    pub(super) async fn begin(&mut self, board: &Board) -> Result<(), crate::github::GithubError> {
        let page = live::render(board, &self.header);
        let key = self.pull.run_key().clone();
        self.comment.write(&page, Some(&key)).await
    }

    /// Follows the board until its keeper is dropped.
    pub(super) async fn follow(&mut self, board: &Mutex<Board>, mut changes: watch::Receiver<u64>) {
        let mut written = Instant::now();
        let mut waiting = false;
        loop {
            let due = self.every.filter(|_| waiting).map(|every| written + every);
            let wake = async {
                match due {
                    Some(due) => sleep_until(due).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                changed = changes.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    let snapshot = board.lock().unwrap_or_else(PoisonError::into_inner).clone();
                    self.show_subagents(&snapshot).await;
                    waiting = true;
                }
                () = wake => {
                    let snapshot = board.lock().unwrap_or_else(PoisonError::into_inner).clone();
                    let page = live::render(&snapshot, &self.header);
                    let key = self.pull.run_key().clone();
                    if let Err(error) = self.comment.update_live(&page, Some(&key)).await {
                        tracing::warn!(%error, "the comment was not updated; the next update tells everything");
                    }
                    written = Instant::now();
                    waiting = false;
                }
            }
        }
    }

    /// Brings the check runs of the subagents to what the board says.
    pub(super) async fn show_subagents(&mut self, board: &Board) {
        if !self.checks.are_written() {
            return;
        }
        for (name, state) in board.subagents() {
            let shown = self.shown.get(&name).copied();
            let result = match (shown, state) {
                (_, SubagentState::Waiting) => continue,
                (Some((_, shown)), state) if shown == state => continue,
                (None, SubagentState::Running) => self.open(&name).await,
                (None, SubagentState::Done) => match self.open(&name).await {
                    Ok(id) => self.conclude(id, board, &name).await,
                    Err(error) => Err(error),
                },
                (Some((id, _)), SubagentState::Running) => self.reopen(id).await,
                (Some((id, _)), SubagentState::Done) => self.conclude(id, board, &name).await,
            };
            match result {
                Ok(id) => drop(self.shown.insert(name, (id, state))),
                // A check run that is missing costs a picture, not the run.
                Err(error) => tracing::warn!(%error, subagent = %name, "a check run could not be written"),
            }
        }
    }

    /// Gives every subagent that never began a check run that says so.
    pub(super) async fn show_skipped(&mut self, board: &Board) {
        if !self.checks.are_written() {
            return;
        }
        for (name, state) in board.subagents() {
            let shown = self.shown.get(&name).copied();
            if state == SubagentState::Done || shown.is_some_and(|(_, shown)| shown != SubagentState::Waiting) {
                continue;
            }
            if let Some((id, _)) = shown {
                if let Err(error) = self.conclude(id, board, &name).await {
                    tracing::warn!(%error, subagent = %name, "a check run could not be concluded");
                }
                continue;
            }
            let page = checks::of_subagent(&name, &board.views(&name));
            let check = checks::subagent_check_name(&name);
            if let Err(error) = publish::create_concluded(
                &self.pull.repository,
                &self.commit,
                &check,
                &self.pull.run_key().to_string(),
                &page,
            )
            .await
            {
                tracing::warn!(%error, subagent = %name, "a check run could not be written");
            }
        }
    }

    /// Concludes whatever is still open, with what the board knows: on the way out nothing stays in progress.
    pub(super) async fn conclude_open(&mut self, board: &Board) {
        let open: Vec<_> = self
            .shown
            .iter()
            .filter(|(_, (_, state))| *state == SubagentState::Running)
            .map(|(name, (id, _))| (name.clone(), *id))
            .collect();
        for (name, id) in open {
            match self.conclude(id, board, &name).await {
                Ok(_) => drop(self.shown.insert(name, (id, SubagentState::Done))),
                Err(error) => tracing::warn!(%error, subagent = %name, "a check run could not be concluded"),
            }
        }
    }

    async fn open(&self, name: &SubagentName) -> Result<CheckRunId, crate::github::GithubError> {
        claim::open_check(&self.pull, &self.commit, &checks::subagent_check_name(name)).await.map(|check| check.id)
    }

    async fn reopen(&self, id: CheckRunId) -> Result<CheckRunId, crate::github::GithubError> {
        let update = crate::github::CheckUpdate { status: crate::github::CheckStatus::InProgress, output: None };
        self.pull.github().update_check(id, &update).await.map(|check| check.id)
    }

    async fn conclude(
        &self,
        id: CheckRunId,
        board: &Board,
        name: &SubagentName,
    ) -> Result<CheckRunId, crate::github::GithubError> {
        let page = checks::of_subagent(name, &board.views(name));
        publish::conclude(&self.pull, id, &page).await.map(|()| id)
    }
}
