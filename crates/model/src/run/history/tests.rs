use super::*;
use crate::{
    gate::AskedBy,
    handoff::Handoff,
    run::{AgentTraits, Run, test_support::basis},
    schedule::Durations,
    summary::fixture,
};

/// The plan of the first attempt at a task, as the run of a hand-off makes it.
fn plan(handoff: &Handoff, task: &str) -> AttemptPlan {
    let mut run = Run::new(basis(handoff), handoff.schedule.clone(), History::default(), &Durations::default());
    let id = AttemptId::new(fixture::id(task), 1);
    run.plan_attempt(id, String::new(), AgentTraits { manner: Default::default(), project_settings: true }, |_| None)
}

fn ended(handoff: &Handoff, plan: &AttemptPlan, outcome: Outcome) -> AttemptEnded {
    let record = handoff.task(&plan.id.task).unwrap();
    let mut attempt = record.attempts[0].clone();
    attempt.attempt = plan.id.attempt;
    attempt.outcome = outcome;
    attempt.because.clone_from(&plan.because);
    AttemptEnded {
        task: plan.id.task.clone(),
        attempt,
        reason: String::new(),
        findings: Vec::new(),
        failure: crate::record::FailureKind::default(),
    }
}

fn records(start: AttemptStarted, end: AttemptEnded) -> Vec<Timed> {
    vec![(5, Record::Started(start)), (9, Record::Ended(Box::new(end)))]
}

#[test]
fn a_finished_attempt_counts_for_the_same_task_base_brief_and_reason_only() {
    let handoff = fixture::complete();
    let plan = plan(&handoff, "feature");
    let end = ended(&handoff, &plan, Outcome::Passed);
    let look = |start: AttemptStarted, plan: &AttemptPlan| {
        History::from_records(records(start, end.clone()), MadeBy::EarlierProcess).take_finished(plan)
    };
    assert!(matches!(look(plan.started(), &plan), Finished::Usable(found) if *found == end));
    let other_base = AttemptStarted { base: fixture::oid("another base"), ..plan.started() };
    assert!(matches!(look(other_base, &plan), Finished::Outdated));
    let other_brief = AttemptStarted { brief: Digest::from_content("another brief"), ..plan.started() };
    assert!(matches!(look(other_brief, &plan), Finished::Outdated));
    let other_reason = AttemptPlan { because: "rework".to_owned(), ..plan.clone() };
    assert!(matches!(look(plan.started(), &other_reason), Finished::Outdated));
    let second = AttemptPlan { id: AttemptId::new(plan.id.task.clone(), 2), ..plan.clone() };
    assert!(matches!(look(plan.started(), &second), Finished::Unknown));
}

#[test]
fn what_was_stopped_or_never_ended_is_not_finished_and_nothing_is_taken_twice() {
    let handoff = fixture::complete();
    let plan = plan(&handoff, "feature");
    for outcome in [Outcome::Cancelled, Outcome::NotRun] {
        let records = records(plan.started(), ended(&handoff, &plan, outcome));
        let mut history = History::from_records(records, MadeBy::EarlierProcess);
        assert!(matches!(history.take_finished(&plan), Finished::Unknown), "{outcome:?}");
    }
    let begun = vec![(5, Record::Started(plan.started()))];
    assert!(matches!(History::from_records(begun, MadeBy::Jobs).take_finished(&plan), Finished::Unknown));
    let failed = records(plan.started(), ended(&handoff, &plan, Outcome::Failed));
    let mut history = History::from_records(failed, MadeBy::EarlierProcess);
    assert!(matches!(history.take_finished(&plan), Finished::Usable(_)), "a failure is finished, too");
    assert!(matches!(history.take_finished(&plan), Finished::Unknown));
}

#[test]
fn gates_count_on_the_same_tree_with_the_same_commands_when_all_were_judged() {
    let handoff = fixture::complete();
    let judged = |receipt: &Receipt| (1, Record::Judged { receipt: Box::new(receipt.clone()) });
    let records: Vec<_> = handoff.gates.iter().map(judged).collect();
    let history = History::from_records(records.clone(), MadeBy::EarlierProcess);
    let job = |receipt: &Receipt| {
        let commands = receipt.commands.iter().map(|command| (AskedBy::Plan, command.argv.clone()));
        let job = GateJob::new(&handoff.plan, &Default::default(), receipt.gate);
        GateJob { commands: commands.collect(), ..job }
    };
    let jobs: Vec<_> = handoff.gates.iter().map(job).collect();
    let tree = &handoff.result.tree;
    let runs = history.gate_runs(&jobs, tree, 0, 1_000_000).unwrap();
    assert_eq!(runs.len(), 3);
    assert!(runs.iter().zip(&handoff.gates).all(|(run, gate)| run.ended_ms - run.began_ms == gate.duration_ms));
    assert_eq!(history.gate_runs(&jobs, &fixture::oid("another tree"), 0, 0), None);
    let mut other = jobs.clone();
    other[0].commands.push((AskedBy::Plan, vec!["more".to_owned()]));
    assert_eq!(history.gate_runs(&other, tree, 0, 0), None);
    let two = History::from_records(records[..2].to_vec(), MadeBy::EarlierProcess);
    assert_eq!(two.gate_runs(&jobs, tree, 0, 0), None);
}

#[test]
fn a_gate_that_was_not_run_counts_only_from_a_job_that_went_to_its_end() {
    let handoff = fixture::complete();
    let mut receipt = handoff.gates[1].clone();
    receipt.state = GateState::NotRun;
    receipt.commands.clear();
    let records = vec![(1, Record::Judged { receipt: Box::new(receipt.clone()) })];
    let mut job = GateJob::new(&handoff.plan, &Default::default(), receipt.gate);
    job.commands.clear();
    let known =
        |made_by| History::from_records(records.clone(), made_by).gate_runs(&[job.clone()], &receipt.tree, 0, 0);
    assert!(known(MadeBy::Jobs).is_some());
    assert!(known(MadeBy::EarlierProcess).is_none());
}

#[test]
fn only_processes_resume_and_the_clock_goes_on_at_the_last_record() {
    let records = vec![(7, Record::Resumed), (3, Record::Resumed)];
    let resumed = History::from_records(records.clone(), MadeBy::EarlierProcess);
    assert_eq!((resumed.resumptions(), resumed.until_ms()), (3, 7));
    assert_eq!(History::from_records(records, MadeBy::Jobs).resumptions(), 0);
    assert_eq!(History::from_records(Vec::new(), MadeBy::EarlierProcess).resumptions(), 0);
    // What an earlier run finished is kept, and nothing is resumed.
    let mut records = vec![(9, Record::Kept(Retried::default()))];
    let keeps = History::from_records(records.clone(), MadeBy::EarlierProcess);
    assert_eq!((keeps.has_records(), keeps.resumptions(), keeps.kept_until_ms()), (true, 0, 9));
    records.push((12, Record::Concluded { status: Status::Cancelled }));
    let resumed = History::from_records(records, MadeBy::EarlierProcess);
    assert_eq!((resumed.resumptions(), resumed.kept_until_ms(), resumed.until_ms()), (1, 9, 12));
}

#[test]
fn a_run_is_over_once_it_was_concluded_unless_it_was_cancelled() {
    let concluded = |status| vec![(0, Record::Resumed), (1, Record::Concluded { status })];
    assert!(is_over(&concluded(Status::Complete)) && is_over(&concluded(Status::Incomplete)));
    assert!(!is_over(&concluded(Status::Cancelled)) && !is_over(&[]) && !is_over(&[(0, Record::Resumed)]));
}

#[test]
fn red_gates_with_which_an_earlier_run_ended_are_run_again_and_those_before_them_are_not() {
    let handoff = fixture::complete();
    let judged = |tree: &str, state| {
        let receipt = Receipt { state, tree: fixture::oid(tree), ..handoff.gates[0].clone() };
        (1, Record::Judged { receipt: Box::new(receipt) })
    };
    let found = |task: &str| Culprits {
        named: [(crate::gate::GateKind::Tests, fixture::id(task))].into(),
        ..Culprits::default()
    };
    let bisected = |tree: &str, task: &str| (2, Record::Bisected { head: fixture::oid(tree), found: found(task) });
    let retried = Record::Kept(Retried { rounds: 1, ..Retried::default() });
    let mut records = vec![
        judged("first", GateState::Failed),
        bisected("first", "cli"),
        judged("last", GateState::Failed),
        bisected("last", "cli"),
        (3, retried),
    ];
    let receipt = &handoff.gates[0];
    let job = GateJob::new(&handoff.plan, &Default::default(), receipt.gate);
    let commands = receipt.commands.iter().map(|command| (AskedBy::Plan, command.argv.clone()));
    let job = GateJob { commands: commands.collect(), ..job };
    let ran = |records: &[Timed], tree: &str, rounds| {
        let history = History::from_records(records.to_vec(), MadeBy::EarlierProcess);
        history.gate_runs(std::slice::from_ref(&job), &fixture::oid(tree), rounds, 0).is_some()
    };
    let culprit = |records: &[Timed], tree: &str, rounds| {
        let mut history = History::from_records(records.to_vec(), MadeBy::EarlierProcess);
        history
            .take_culprits(&fixture::oid(tree), rounds)
            .map(|found| found.named.into_values().next().unwrap().to_string())
    };
    assert!(ran(&records, "first", 0) && !ran(&records, "last", 1));
    assert_eq!((culprit(&records, "first", 0), culprit(&records, "last", 1)), (Some("cli".to_owned()), None));
    // What this run itself found out before it was interrupted counts.
    records.extend([judged("last", GateState::Failed), bisected("last", "feature")]);
    assert!(ran(&records, "last", 1));
    assert_eq!(culprit(&records, "last", 1), Some("feature".to_owned()));
    // Green gates need not run again.
    records.truncate(2);
    records.extend([judged("last", GateState::Passed), (3, Record::Kept(Retried { rounds: 1, ..Retried::default() }))]);
    assert!(ran(&records, "last", 1));

    let history = History::from_records(records, MadeBy::EarlierProcess);
    assert_eq!((history.rounds_max(2), history.rounds_max(0)), (3, 2), "who repeats a run asks for a round");
    assert_eq!((history.retries_after(0).count(), history.retries_after(1).count()), (0, 1));
    assert_eq!(History::default().rounds_max(0), 0);
}
