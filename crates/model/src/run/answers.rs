//! What the plan asks of all of the work: the review has not passed before the reviewer has answered each of it.

use super::ledger::Ledger;
use crate::{
    plan::{Plan, Requirement},
    report::{ClaimStatus, Report},
    roster::Role,
    text,
};

/// The most items that a reason names.
const NAMED_MAX: usize = 4;

/// Says which of the items that the reviewer is to answer it has not answered, or has found not to hold. `None` when
/// there is nothing to say.
#[must_use]
pub(super) fn missing(plan: &Plan, ledger: &Ledger) -> Option<String> {
    let asked: Vec<&Requirement> =
        plan.tasks.iter().filter(|task| task.reviewed).flat_map(|task| &task.requirements).collect();
    let reviews = ledger.schedule().tasks.iter().filter(|task| task.role == Role::Review);
    let reports: Vec<&Report> = reviews.filter_map(|task| ledger.record(&task.id)?.last()?.report.as_ref()).collect();
    if reports.is_empty() {
        // Who has reported nothing is told so elsewhere.
        return None;
    }
    let answers = |made: &Requirement| {
        let claims = reports.iter().flat_map(|report| &report.requirements).filter(|claim| claim.id == made.id);
        claims
            .map(|claim| claim.status)
            .max_by_key(|status| !matches!(status, ClaimStatus::Done | ClaimStatus::AlreadyDone))
    };
    let (mut unanswered, mut broken) = (Vec::new(), Vec::new());
    for made in asked.into_iter().filter(|made| !made.done) {
        match answers(made) {
            Some(ClaimStatus::Done | ClaimStatus::AlreadyDone) => {}
            Some(ClaimStatus::Partial | ClaimStatus::NotDone) => broken.push(made),
            None => unanswered.push(made),
        }
    }
    let say = |what: &str, items: &[&Requirement]| (!items.is_empty()).then(|| format!("{what} {}", named(items)));
    let parts = [
        say("it says that what the plan asks of all of the work does not hold:", &broken),
        say("it does not answer what the plan asks of all of the work:", &unanswered),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

fn named(items: &[&Requirement]) -> String {
    text::listed(items.iter().map(|item| item.named()), NAMED_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{report::RequirementClaim, run::test_support, summary::fixture};

    #[test]
    fn every_item_about_all_of_the_work_is_answered_by_its_id() {
        let mut handoff = fixture::complete();
        let mut plan = handoff.plan.clone();
        assert_eq!(missing(&plan, &test_support::ledger(&handoff)), None);
        plan.tasks[0].reviewed = true;
        let open: Vec<_> = plan.tasks[0].requirements.iter().filter(|made| !made.done).cloned().collect();
        let reason = missing(&plan, &test_support::ledger(&handoff)).unwrap();
        assert!(open.iter().all(|made| reason.contains(&format!("`{}`", made.id))), "{reason}");

        let review = handoff.schedule.tasks.iter().find(|task| task.role == Role::Review).unwrap().id.clone();
        let record = handoff.tasks.iter_mut().find(|record| record.id == review).unwrap();
        let report = record.attempts.last_mut().unwrap().report.as_mut().unwrap();
        let claim = |made: &Requirement| RequirementClaim {
            id: made.id.clone(),
            status: ClaimStatus::Done,
            note: String::new(),
            paths: Vec::new(),
            tests: Vec::new(),
        };
        report.requirements.extend(open.iter().map(claim));
        assert_eq!(missing(&plan, &test_support::ledger(&handoff)), None);

        let record = handoff.tasks.iter_mut().find(|record| record.id == review).unwrap();
        record.attempts.last_mut().unwrap().report.as_mut().unwrap().requirements[0].status = ClaimStatus::NotDone;
        assert!(missing(&plan, &test_support::ledger(&handoff)).unwrap().contains("does not hold"));
    }
}
