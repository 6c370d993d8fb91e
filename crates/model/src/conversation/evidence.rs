//! What shows that somebody approved what is there now: only GitHub's own words count, and what it did not say counts as
//! a no.
//!
//! | approved by | what must be shown |
//! |---|---|
//! | a lock | nothing more: it names plan, commit and rules |
//! | a comment without a lock | our comment shows this lock, nobody changed it since, and nobody but us ever did last; the plan's check run on this head has it, too |
//! | a label | the head is the event's; description or plan comment are what they were, and were not edited since |
//! | a workflow started by hand, attempt 1 | nothing on the pull request changed since the workflow run was made; description or plan comment were not edited since |
//! | the same, run again | nothing shows it: a lock is needed |

use std::time::SystemTime;

use super::intent::Via;
use crate::provenance::PlanOriginKind;

/// The last edit of a text, by GitHub's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LastEdit {
    /// It is as it was first written.
    Never,
    /// Somebody changed it.
    Edited {
        /// When.
        at: SystemTime,
        /// Whether it was us.
        by_us: bool,
    },
}

/// What GitHub says, as far as it could be asked. Nothing in here is anybody else's word, and nothing stands for what GitHub
/// did not say.
#[derive(Debug, Clone, Default)]
pub struct Evidence<'a> {
    /// The lock as it is now, `sha256:…`.
    pub lock: &'a str,
    /// Where the plan is.
    pub origin: Option<PlanOriginKind>,
    /// The head as it is now.
    pub head: &'a str,
    /// The description as it is now.
    pub body: &'a str,
    /// The last edit of the description.
    pub body_edit: Option<LastEdit>,
    /// When a comment with the plan was last changed.
    pub plan_changed: Option<SystemTime>,
    /// When anything on the pull request last changed.
    pub pull_request_changed: Option<SystemTime>,
    /// When the approval was given.
    pub approved: Option<SystemTime>,
    /// When the workflow run was made.
    pub run_made: Option<SystemTime>,
    /// Which attempt at the workflow run this is.
    pub attempt: u32,
    /// The lock that our comment shows, and when the comment was last changed.
    pub shown: Option<(&'a str, Option<SystemTime>)>,
    /// The last edit of our comment.
    pub shown_edit: Option<LastEdit>,
    /// The lock of the newest preview of this head, by its check run.
    pub checked: Option<&'a str>,
}

/// Says why an approval does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotApproved {
    /// Nothing was shown before.
    #[error("nothing was shown for this commit before your comment")]
    NothingShown,
    /// Something else was shown.
    #[error("plan, base commit or roster changed after they were shown to you")]
    OtherShown,
    /// Somebody else wrote what our comment shows.
    #[error("somebody else edited the comment that shows the plan")]
    EditedByAnother,
    /// The pull request changed.
    #[error("the pull request changed after {0}")]
    Changed(&'static str),
    /// GitHub does not say it.
    #[error("GitHub does not say {0}")]
    Unknown(&'static str),
    /// An earlier attempt's authority is nobody's.
    #[error("the workflow was re-run, and its first attempt cannot be looked up")]
    RunAgain,
    /// A lock is needed.
    #[error("a workflow that names the pull request must name the lock that it approves")]
    LockNeeded,
}

/// Checks an approval that names no lock.
///
/// # Errors
/// When it is not shown that what was approved is what is there now.
pub fn check(via: &Via, evidence: &Evidence<'_>) -> Result<(), NotApproved> {
    match via {
        Via::Comment { .. } => check_comment(evidence),
        Via::Label { head, body, .. } => check_label(head.as_str(), body, evidence),
        Via::Dispatch => check_dispatch(evidence),
        Via::Input => Err(NotApproved::LockNeeded),
        // Whoever starts the program by hand takes what is there.
        Via::Local => Ok(()),
    }
}

fn check_comment(evidence: &Evidence<'_>) -> Result<(), NotApproved> {
    let approved = evidence.approved.ok_or(NotApproved::Unknown("when you commented"))?;
    let (Some((shown, changed)), Some(checked)) = (evidence.shown, evidence.checked) else {
        return Err(NotApproved::NothingShown);
    };
    let is_this = |digits: &str| digits.len() >= 12 && hex(evidence.lock).starts_with(hex(digits));
    if !is_this(shown) || !is_this(checked) {
        return Err(NotApproved::OtherShown);
    }
    match changed {
        None => Err(NotApproved::Unknown("when the comment that shows the plan was changed")),
        Some(changed) if changed > approved => Err(NotApproved::OtherShown),
        Some(_) => match evidence.shown_edit {
            None => Err(NotApproved::Unknown("who edited the comment that shows the plan")),
            Some(LastEdit::Edited { by_us: false, .. }) => Err(NotApproved::EditedByAnother),
            Some(LastEdit::Edited { at, .. }) if at > approved => Err(NotApproved::OtherShown),
            Some(LastEdit::Never | LastEdit::Edited { .. }) => Ok(()),
        },
    }
}

/// Checks that the text with the plan was not changed after `since`, wherever the plan is.
fn check_text(evidence: &Evidence<'_>, since: Option<SystemTime>, named: &'static str) -> Result<(), NotApproved> {
    let unknown = Err(NotApproved::Unknown("when the plan was changed"));
    let changed = match evidence.origin {
        // It lies in the commit.
        Some(PlanOriginKind::Input | PlanOriginKind::File) => return Ok(()),
        Some(PlanOriginKind::Body) => match evidence.body_edit {
            None => return unknown,
            Some(LastEdit::Never) => return Ok(()),
            Some(LastEdit::Edited { at, .. }) => at,
        },
        Some(PlanOriginKind::Comment) => match evidence.plan_changed {
            None => return unknown,
            Some(changed) => changed,
        },
        None => return Err(NotApproved::Unknown("where the plan was")),
    };
    match since {
        None => unknown,
        Some(since) if changed <= since => Ok(()),
        Some(_) => Err(NotApproved::Changed(named)),
    }
}

fn check_label(head: &str, body: &str, evidence: &Evidence<'_>) -> Result<(), NotApproved> {
    let since = "the label was set";
    if head != evidence.head || evidence.checked.is_some_and(|checked| hex(checked) != hex(evidence.lock)) {
        return Err(NotApproved::Changed(since));
    }
    if evidence.origin == Some(PlanOriginKind::Body) && body != evidence.body {
        return Err(NotApproved::Changed(since));
    }
    check_text(evidence, evidence.approved, since)
}

fn check_dispatch(evidence: &Evidence<'_>) -> Result<(), NotApproved> {
    if evidence.attempt != 1 {
        return Err(NotApproved::RunAgain);
    }
    match (evidence.pull_request_changed, evidence.run_made) {
        (Some(changed), Some(made)) if changed <= made => {
            check_text(evidence, evidence.run_made, "the workflow was started")
        }
        (Some(_), Some(_)) => Err(NotApproved::Changed("the workflow was started")),
        _ => Err(NotApproved::Unknown("whether the pull request changed after the workflow was started")),
    }
}

fn hex(lock: &str) -> &str {
    lock.strip_prefix("sha256:").unwrap_or(lock)
}

#[cfg(test)]
mod tests;
