//! The one comment of ours: found, written, kept one.

use implementer_model::{
    conversation::{
        comment::{self, Head, Links, Past},
        shown::{self, ShownLock},
    },
    estimate::RunUsage,
    github_ids::{CommentId, RunKey},
    lock::Lock,
};

use super::PullRequestContext;
use crate::github::{Comment, GithubError, GithubErrorKind};

/// The one comment of ours on a pull request.
#[derive(Debug)]
pub(super) struct OwnComment {
    pull: PullRequestContext,
    me: String,
    id: Option<CommentId>,
    /// The runs that it told of before this one.
    history: Vec<Past>,
    /// Why nothing can be written, once GitHub has said so.
    refused: Option<GithubError>,
    /// The first digits of the lock that it shows.
    shows: Option<String>,
    /// The locks that it showed so far.
    shown: Vec<ShownLock>,
    /// What the subagents of the last run used.
    used: Option<RunUsage>,
    /// The body that was written last.
    written: String,
}

/// Finds the comment of ours: made by us, and marked. What others mark is theirs.
pub(super) fn find<'a>(comments: &'a [Comment], me: &str) -> Option<&'a Comment> {
    comments.iter().find(|comment| is_ours(comment, me))
}

/// Tells whether a comment is of ours.
pub(super) fn is_ours(comment: &Comment, me: &str) -> bool {
    comment.user.as_ref().is_some_and(|user| user.login == me) && comment.body.as_deref().is_some_and(comment::is_ours)
}

impl OwnComment {
    /// Begins with what was found.
    pub(super) fn new(pull: &PullRequestContext, me: &str, found: Option<&Comment>) -> Self {
        let history = found.and_then(|comment| comment.body.as_deref()).map(comment::history).unwrap_or_default();
        Self {
            pull: pull.clone(),
            me: me.to_owned(),
            id: found.map(|comment| comment.id),
            history,
            refused: None,
            shows: found.and_then(|comment| comment::shown_lock(comment.body.as_deref()?)).map(str::to_owned),
            shown: found.and_then(|comment| comment.body.as_deref()).map(comment::shown_locks).unwrap_or_default(),
            used: found.and_then(|comment| comment::used(comment.body.as_deref()?)),
            written: String::new(),
        }
    }

    /// Returns its id, once there is one.
    pub(super) fn id(&self) -> Option<CommentId> {
        self.id
    }

    /// Returns why nothing can be written, where GitHub has said so.
    pub(super) fn refused(&self) -> Option<&GithubError> {
        self.refused.as_ref()
    }

    /// Says which lock the page shows that is written next; nothing when it shows none.
    pub(super) fn show_lock(&mut self, lock: Option<&Lock>) {
        self.shows = lock.map(|lock| lock.digest.short().to_owned());
        if let Some(lock) = lock {
            shown::remember(&mut self.shown, lock);
        }
    }

    /// Adds this run to those that the comment tells of, with what its subagents used.
    pub(super) fn remember(&mut self, past: Past, used: Option<RunUsage>) {
        self.history.retain(|earlier| earlier.run != past.run);
        self.history.insert(0, past);
        self.used = used.or(self.used.take());
    }

    /// Writes the comment with everything that belongs to it. What may not be written is remembered, and not tried
    /// again.
    ///
    /// # Errors
    /// When GitHub fails. That it forbids writing is not an error: [`Self::refused`] tells.
    pub(super) async fn write(&mut self, page: &str, claim: Option<&RunKey>) -> Result<(), GithubError> {
        let body = self.body(page, claim);
        if self.refused.is_some() || body == self.written {
            return Ok(());
        }
        let result = match self.id {
            Some(id) => match self.pull.github().update_comment(id, &body, false).await {
                // Somebody deleted it; people want to read how it ended all the same.
                Err(error) if error.is_not_found() => self.post(&body).await,
                result => result.map(drop),
            },
            None => self.post(&body).await,
        };
        self.noted(result, body)
    }

    /// Updates the comment while the run goes on. One that somebody deleted is not brought back for that.
    ///
    /// # Errors
    /// When GitHub fails; the next update tells everything that this one would have.
    pub(super) async fn update_live(&mut self, page: &str, claim: Option<&RunKey>) -> Result<(), GithubError> {
        let body = self.body(page, claim);
        let Some(id) = self.id.filter(|_| self.refused.is_none() && body != self.written) else { return Ok(()) };
        match self.pull.github().update_comment(id, &body, true).await {
            Err(error) if error.is_not_found() => Ok(()),
            result => self.noted(result.map(drop), body),
        }
    }

    fn noted(&mut self, result: Result<(), GithubError>, body: String) -> Result<(), GithubError> {
        match result {
            Ok(()) => {
                self.written = body;
                Ok(())
            }
            Err(error) if error.is_forbidden() => {
                tracing::warn!(%error, "the comment cannot be written; the step summary has everything");
                self.refused = Some(error);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    fn body(&self, page: &str, claim: Option<&RunKey>) -> String {
        let above = Head { claim, shows: self.shows.as_deref(), shown: &self.shown, used: self.used.as_ref() };
        let links = Links { run_url: self.pull.run_url().map(str::to_owned) };
        comment::compose(page, above, &self.history, &links, comment::COMMENT_MAX_CHARS).body
    }

    /// Posts a new comment, and sees to it that it stays the only one.
    async fn post(&mut self, body: &str) -> Result<(), GithubError> {
        let github = &self.pull.github();
        let posted = match github.post_comment(self.pull.number, body).await {
            Ok(comment) => Some(comment.id),
            // It may have arrived; the list tells.
            Err(GithubError { kind: GithubErrorKind::Interrupted(_) | GithubErrorKind::Server { .. }, .. }) => None,
            Err(error) => return Err(error),
        };
        let comments = github.comments(self.pull.number).await?;
        let ours: Vec<_> = comments.iter().filter(|comment| is_ours(comment, &self.me)).map(|c| c.id).collect();
        match (ours.first().copied(), posted) {
            // Another run was first: its comment is the one.
            (Some(first), Some(posted)) if first != posted && ours.contains(&posted) => {
                github.delete_comment(posted).await?;
                self.id = Some(first);
                github.update_comment(first, body, false).await.map(drop)
            }
            (Some(first), None) => {
                self.id = Some(first);
                github.update_comment(first, body, false).await.map(drop)
            }
            (_, Some(posted)) => {
                self.id = Some(posted);
                Ok(())
            }
            // Nothing arrived: once more, and then that is that.
            (None, None) => {
                self.id = Some(github.post_comment(self.pull.number, body).await?.id);
                Ok(())
            }
        }
    }
}
