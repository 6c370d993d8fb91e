//! A reviewer that reviews its own work.

use crate::{
    findings::{Finding, FindingCode, Weight},
    handoff::IntegratedCommit,
    roster::Role,
    schedule::{Schedule, Task},
};

/// Finds whether the subagent of a review is also the author of a patch in what it reviews.
#[must_use]
pub fn self_review(task: &Task, schedule: &Schedule, commits: &[IntegratedCommit]) -> Option<Finding> {
    if task.role != Role::Review {
        return None;
    }
    let own =
        |commit: &&IntegratedCommit| schedule.task(&commit.task).is_some_and(|author| author.subagent == task.subagent);
    let commit = commits.iter().find(own)?;
    let message = format!(
        "{} made the patch of `{}`, which it reviews: let another subagent review it",
        task.subagent, commit.task
    );
    Some(Finding::about(&task.id, FindingCode::SelfReview, Weight::Blocking, message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::summary::fixture;

    #[test]
    fn only_the_author_of_a_patch_reviews_itself() {
        let mut handoff = fixture::complete();
        let review = handoff.schedule.tasks.iter().find(|task| task.role == Role::Review).unwrap().clone();
        assert_eq!(self_review(&review, &handoff.schedule, &handoff.result.commits), None);
        let author = handoff.result.commits[0].task.clone();
        handoff.schedule.tasks.iter_mut().find(|task| task.id == author).unwrap().subagent = review.subagent.clone();
        let finding = self_review(&review, &handoff.schedule, &handoff.result.commits).unwrap();
        assert_eq!((finding.code, finding.weight), (FindingCode::SelfReview, Weight::Blocking));
    }
}
