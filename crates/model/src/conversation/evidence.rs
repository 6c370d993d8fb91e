//! What shows that somebody approved what is there now: only GitHub's own words count, and what it did not say counts as
//! a no.
//!
//! | approved by | what must be shown |
//! |---|---|
//! | a lock | nothing more: it names plan, commit and rules |
//! | a comment without a lock | our comment shows this lock, and nobody changed it since; the plan's check run on this head has it, too |
//! | a label | the head is the event's; description or plan comment are what they were |
//! | a workflow started by hand, attempt 1 | nothing on the pull request changed since the workflow run was made |
//! | the same, run again | nothing shows it: a lock is needed |

use std::time::SystemTime;

use super::intent::Via;
use crate::provenance::PlanOriginKind;

/// What GitHub says, as far as it could be asked. Nothing in here is anybody else's word.
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
    /// The pull request changed.
    #[error("the pull request changed after {0}")]
    Changed(&'static str),
    /// GitHub does not say whether it changed.
    #[error("GitHub does not say whether {0}")]
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
        Some(_) => Ok(()),
    }
}

fn check_label(head: &str, body: &str, evidence: &Evidence<'_>) -> Result<(), NotApproved> {
    let since = "the label was set";
    if head != evidence.head || evidence.checked.is_some_and(|checked| hex(checked) != hex(evidence.lock)) {
        return Err(NotApproved::Changed(since));
    }
    match evidence.origin {
        None => Err(NotApproved::Unknown("where the plan was when the label was set")),
        // It lies in the commit that the label was set on.
        Some(PlanOriginKind::Input | PlanOriginKind::File) => Ok(()),
        Some(PlanOriginKind::Body) if body == evidence.body => Ok(()),
        Some(PlanOriginKind::Body) => Err(NotApproved::Changed(since)),
        Some(PlanOriginKind::Comment) => match (evidence.plan_changed, evidence.approved) {
            (Some(changed), Some(set)) if changed <= set => Ok(()),
            (Some(_), Some(_)) => Err(NotApproved::Changed(since)),
            _ => Err(NotApproved::Unknown("the plan's comment was changed after the label was set")),
        },
    }
}

fn check_dispatch(evidence: &Evidence<'_>) -> Result<(), NotApproved> {
    if evidence.attempt != 1 {
        return Err(NotApproved::RunAgain);
    }
    match (evidence.pull_request_changed, evidence.run_made) {
        (Some(changed), Some(made)) if changed <= made => Ok(()),
        (Some(_), Some(_)) => Err(NotApproved::Changed("the workflow was started")),
        _ => Err(NotApproved::Unknown("the pull request changed after the workflow was started")),
    }
}

fn hex(lock: &str) -> &str {
    lock.strip_prefix("sha256:").unwrap_or(lock)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{github_ids::CommentId, ids::ObjectId};

    const LOCK: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    const OTHER: &str = "sha256:1123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    const HEAD: &str = "1111111111111111111111111111111111111111";

    fn at(second: u64) -> Option<SystemTime> {
        Some(SystemTime::UNIX_EPOCH + Duration::from_secs(second))
    }

    /// Everything is known, and nothing changed.
    fn known(origin: PlanOriginKind) -> Evidence<'static> {
        Evidence {
            lock: LOCK,
            origin: Some(origin),
            head: HEAD,
            body: "the plan",
            plan_changed: at(10),
            pull_request_changed: at(10),
            approved: at(20),
            run_made: at(20),
            attempt: 1,
            shown: Some((&LOCK[7..19], at(10))),
            checked: Some(LOCK),
        }
    }

    fn label() -> Via {
        Via::Label { name: "go".to_owned(), head: ObjectId::new(HEAD).unwrap(), body: "the plan".to_owned() }
    }

    const ORIGINS: [PlanOriginKind; 4] =
        [PlanOriginKind::Input, PlanOriginKind::File, PlanOriginKind::Body, PlanOriginKind::Comment];

    #[test]
    fn what_is_known_and_unchanged_is_approved_wherever_the_plan_is() {
        for origin in ORIGINS {
            for via in [Via::Comment { id: CommentId::new(1) }, label(), Via::Dispatch, Via::Local] {
                assert_eq!(check(&via, &known(origin)), Ok(()), "{via:?} {origin:?}");
            }
            assert_eq!(check(&Via::Input, &known(origin)), Err(NotApproved::LockNeeded));
        }
    }

    #[test]
    fn a_comment_without_a_lock_is_refused_for_everything_that_is_unknown_or_changed() {
        let via = Via::Comment { id: CommentId::new(1) };
        for origin in ORIGINS {
            let refused = |evidence: Evidence<'_>| check(&via, &evidence).unwrap_err();
            let known = || known(origin);
            assert!(matches!(refused(Evidence { approved: None, ..known() }), NotApproved::Unknown(_)));
            assert_eq!(refused(Evidence { shown: None, ..known() }), NotApproved::NothingShown);
            assert_eq!(refused(Evidence { checked: None, ..known() }), NotApproved::NothingShown);
            let unknown = Evidence { shown: Some((&LOCK[7..19], None)), ..known() };
            assert!(matches!(refused(unknown), NotApproved::Unknown(_)));
            assert_eq!(refused(Evidence { shown: Some((&OTHER[7..19], at(10))), ..known() }), NotApproved::OtherShown);
            assert_eq!(refused(Evidence { shown: Some((&LOCK[7..19], at(21))), ..known() }), NotApproved::OtherShown);
            assert_eq!(refused(Evidence { shown: Some(("0123", at(10))), ..known() }), NotApproved::OtherShown);
            assert_eq!(refused(Evidence { checked: Some(OTHER), ..known() }), NotApproved::OtherShown);
        }
    }

    #[test]
    fn a_label_is_refused_when_the_head_or_the_plan_may_be_another() {
        for origin in ORIGINS {
            let of = |evidence: Evidence<'_>| check(&label(), &evidence);
            let changed = Err(NotApproved::Changed("the label was set"));
            assert_eq!(of(Evidence { head: "2", ..known(origin) }), changed);
            assert_eq!(of(Evidence { checked: Some(OTHER), ..known(origin) }), changed);
            assert!(matches!(of(Evidence { origin: None, ..known(origin) }), Err(NotApproved::Unknown(_))));
            let other_body = of(Evidence { body: "another plan", ..known(origin) });
            let later = of(Evidence { plan_changed: at(21), ..known(origin) });
            let unknown =
                [Evidence { plan_changed: None, ..known(origin) }, Evidence { approved: None, ..known(origin) }];
            let unknown = unknown.map(of);
            match origin {
                PlanOriginKind::Body => assert_eq!(other_body, changed),
                PlanOriginKind::Comment => {
                    assert_eq!(later, changed);
                    assert!(unknown.iter().all(|result| matches!(result, Err(NotApproved::Unknown(_)))));
                }
                PlanOriginKind::Input | PlanOriginKind::File => {
                    assert!([other_body, later].iter().chain(&unknown).all(Result::is_ok), "it lies in the commit");
                }
            }
        }
    }

    #[test]
    fn a_workflow_started_by_hand_is_refused_when_anything_may_have_changed_since() {
        for origin in ORIGINS {
            let of = |evidence: Evidence<'_>| check(&Via::Dispatch, &evidence).unwrap_err();
            assert_eq!(of(Evidence { attempt: 2, ..known(origin) }), NotApproved::RunAgain);
            let later = Evidence { pull_request_changed: at(21), ..known(origin) };
            assert_eq!(of(later), NotApproved::Changed("the workflow was started"));
            for unknown in
                [Evidence { pull_request_changed: None, ..known(origin) }, Evidence { run_made: None, ..known(origin) }]
            {
                assert!(matches!(of(unknown), NotApproved::Unknown(_)));
            }
        }
    }
}
