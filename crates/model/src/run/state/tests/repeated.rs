//! `run --retry`: a run that keeps what the last one finished and repeats the rest.

use super::*;
use crate::run::{KeptRecords, Repeat, keep};

/// Begins a run that repeats a part of the one that was played.
fn again(play: &Play, repeat: Repeat<'_>) -> Play {
    let KeptRecords { mut records, retried, .. } = keep(play.journal.clone(), repeat);
    records.push((play.now, Record::Kept(retried)));
    let rounds = play.run.basis().config.rework_rounds;
    Play::after(records, |_, basis| basis.config.rework_rounds = rounds)
}

/// Goes on until gates are to run or the run is over. What is finished is taken over; the attempts that were made are given,
/// each with its brief.
fn go_on(play: &mut Play, mut change: impl FnMut(&AttemptPlan, &mut AttemptEnded)) -> Vec<AttemptPlan> {
    let mut made = Vec::new();
    loop {
        let plans = play.starts();
        let integrations = play.take(|action| matches!(action, Action::Integrate { .. }));
        if plans.is_empty() && integrations.is_empty() {
            return made;
        }
        for plan in plans {
            if let Finished::Usable(kept) = play.run.take_finished(&plan) {
                play.end(plan, |ended| *ended = *kept);
                continue;
            }
            let of = plan.clone();
            play.end(plan, |ended| change(&of, ended));
            made.push(of);
        }
        for action in integrations {
            if let Action::Integrate { wave, patches } = action {
                play.integrate(wave, patches, &[]);
            }
        }
    }
}

#[test]
fn who_failed_is_told_so_when_a_retry_calls_it_and_whoever_passed_is_not_called() {
    let mut first = Play::new(|_, basis| basis.config.rework_rounds = Some(0));
    let made = go_on(&mut first, |plan, ended| {
        if plan.id.task.as_str() == "cli" {
            ended.attempt.outcome = Outcome::Failed;
            ended.reason = "its process ended with exit code 7".to_owned();
            let finding = Finding::about(&plan.id.task, FindingCode::SubagentFailed, Weight::Blocking, "no such flag");
            ended.findings.push(finding);
        }
    });
    assert!(made.len() > 4);
    let mut second = again(&first, Repeat::Nothing);
    let made = go_on(&mut second, |_, _| {});
    let cli = made.iter().find(|plan| plan.id.task.as_str() == "cli").unwrap();
    assert_eq!(cli.id.attempt, 1);
    for told in ["## What to fix", "of an earlier run: failed", "exit code 7", "subagent-failed: no such flag"] {
        assert!(cli.brief.contains(told), "{told}: {}", cli.brief);
    }
    assert!(!made.iter().any(|plan| ["datatypes", "feature"].contains(&plan.id.task.as_str())), "{:?}", names(&made));

    // It is still told so when this run fails, too, and is repeated: what it did is kept as it was.
    let mut third = again(&second, Repeat::Nothing);
    assert_eq!(names(&go_on(&mut third, |_, _| {})), [""; 0], "the briefs are the same, so nothing is made again");
}

/// Makes the report of a task leave its first requirement open.
fn leave_open(plan: &AttemptPlan, ended: &mut AttemptEnded) {
    let message = "R1 is reported as done already, with no path or test that shows it";
    let finding = Finding::about(&plan.id.task, FindingCode::UncoveredRequirement, Weight::Blocking, message);
    ended.findings.push(finding);
}

#[test]
fn a_report_that_leaves_a_requirement_open_is_asked_for_again_and_nobody_else_is_called() {
    let mut play = Play::new(|_, _| {});
    play.pass_with(|plan, ended| {
        if plan.id.task.as_str() == "cli" {
            leave_open(plan, ended);
        }
    });
    play.run_gates(&[], "");
    play.again.clear();
    play.blame(&[]);
    assert_eq!(play.again, ["cli"]);
    let plans = play.starts();
    assert_eq!(names(&plans), ["cli#2"]);
    for told in ["## What is asked of you now", "From the coordinator", "with no path or test that shows it"] {
        assert!(plans[0].brief.contains(told), "{told}: {}", plans[0].brief);
    }
    for plan in plans {
        play.end(plan, |ended| ended.attempt.patch = Some(fixture::patch(&[])));
    }
    play.pass_all();
    assert!(play.take(|action| matches!(action, Action::RunGates(_))).is_empty(), "the tree is the same");
    play.blame(&[]);
    assert!(play.is_over());
    assert!(!play.run.calls.given_up.contains(&fixture::id("cli")), "its report is whole: it has answered");
    assert_eq!(play.conclude().status, Status::Complete);
}

#[test]
fn who_gives_the_same_report_again_is_not_asked_a_second_time() {
    let mut play = Play::new(|_, _| {});
    let same = |plan: &AttemptPlan, ended: &mut AttemptEnded| {
        if plan.id.task.as_str() == "cli" {
            leave_open(plan, ended);
        }
        if plan.id.attempt > 1 {
            ended.attempt.patch = Some(fixture::patch(&[]));
        }
    };
    play.pass_with(same);
    play.run_gates(&[], "");
    play.blame(&[]);
    play.pass_with(same);
    play.blame(&[]);
    assert!(play.is_over());
    let handoff = play.conclude();
    assert_eq!(handoff.status, Status::Incomplete);
    assert_eq!(handoff.task(&fixture::id("cli")).unwrap().attempts.len(), 2);
}

#[test]
fn who_was_blocked_and_passed_then_is_not_called_by_a_retry() {
    let mut first = Play::new(|_, _| {});
    go_on(&mut first, |plan, ended| {
        if plan.id.to_string() == "cli#1" {
            ended.attempt.outcome = Outcome::Failed;
        }
    });
    assert_eq!(first.run.ledger().record(&fixture::id("cli")).unwrap().attempts.len(), 2);
    let mut second = again(&first, Repeat::Nothing);
    assert_eq!(names(&go_on(&mut second, |_, _| {})), [""; 0]);
}

/// Judges the gates of a run that was red in the end: the first time with this output.
fn red_to_the_end(culprit: &str) -> Play {
    let mut play = Play::new(|_, basis| basis.config.rework_rounds = Some(1));
    go_on(&mut play, |_, _| {});
    play.run_gates(&[GateKind::Tests], "AssertionError: before");
    play.blame(&[(GateKind::Tests, culprit)]);
    let called = go_on(&mut play, |plan, ended| {
        // Only who is to blame has something to change.
        let path = format!("{culprit}/second.py");
        let changed = if plan.id.task.as_str() == culprit { vec![(path.as_str(), 1, 0)] } else { Vec::new() };
        ended.attempt.patch.as_mut().unwrap().changes = fixture::patch(&changed).changes;
    });
    assert!(names(&called).contains(&format!("{culprit}#2")), "{:?}", names(&called));
    play.run_gates(&[GateKind::Tests], "AssertionError: still");
    assert!(play.is_over(), "no round is left");
    play
}

/// Goes through what is kept, to the gates that are run again.
fn go_through_what_is_kept(play: &mut Play) {
    assert_eq!(names(&go_on(play, |_, _| {})), [""; 0], "nobody is called again");
    let gates = play.take(|action| matches!(action, Action::RunGates(_)));
    let [Action::RunGates(jobs)] = gates.as_slice() else { panic!("{gates:?}") };
    let runs = play.run.gates_ran_before(jobs, play.now).expect("the red gates of the first round are known");
    let actions = play.run.gates_ran(runs, Happened::Before, play.now);
    play.want(actions);
    assert_eq!(play.take(|action| matches!(action, Action::FindCulprits(_))).len(), 1);
    let found = play.run.culprits_found_before().expect("who was to blame is known");
    let actions = play.run.culprits_found(found, Happened::Before, play.now);
    play.want(actions);
    assert_eq!(names(&go_on(play, |_, _| {})), [""; 0], "what was called for rework is kept");
    let [Action::RunGates(jobs)] = &play.wanted[play.wanted.len() - 1..] else { panic!("{:?}", play.wanted) };
    assert!(play.run.gates_ran_before(jobs, play.now).is_none(), "what is red in the end may be green by now");
}

#[test]
fn a_retry_of_a_run_that_stayed_red_calls_whoever_is_to_blame_and_nobody_else() {
    let first = red_to_the_end("cli");
    let mut second = again(&first, Repeat::Nothing);
    go_through_what_is_kept(&mut second);
    second.run_gates(&[GateKind::Tests], "AssertionError: still");
    second.blame(&[(GateKind::Tests, "cli")]);
    let plans = second.starts();
    assert_eq!(names(&plans), ["cli#3"]);
    for told in ["AssertionError: still", "Attempt 2: passed", "## What is asked of you now"] {
        assert!(plans[0].brief.contains(told), "{told}: {}", plans[0].brief);
    }
    // It gives the answer that it gave before, and is not called a third time.
    for plan in plans {
        second.end(plan, |ended| ended.attempt.patch = Some(fixture::patch(&[("cli/second.py", 1, 0)])));
    }
    go_on(&mut second, |_, _| {});
    second.run_gates(&[GateKind::Tests], "AssertionError: still");
    assert!(second.is_over(), "one round is what the configuration has");
}

#[test]
fn a_retry_of_a_run_whose_gates_are_green_by_now_calls_nobody() {
    let first = red_to_the_end("cli");
    let mut second = again(&first, Repeat::Nothing);
    go_through_what_is_kept(&mut second);
    second.run_gates(&[], "");
    second.blame(&[]);
    assert!(second.is_over());
    let handoff = second.conclude();
    assert_eq!(handoff.status, Status::Complete, "{:?}", handoff.missing);
}

#[test]
fn a_task_that_is_named_is_called_with_what_is_open_although_nothing_names_it() {
    let first = red_to_the_end("cli");
    let feature = fixture::id("feature");
    let mut second = again(&first, Repeat::GoingOn(&feature));
    go_through_what_is_kept(&mut second);
    second.run_gates(&[GateKind::Tests], "AssertionError: still");
    second.blame(&[]);
    let plans = second.starts();
    assert_eq!(names(&plans), ["feature#2"]);
    for told in ["AssertionError: still", "somebody asked for it with"] {
        assert!(plans[0].brief.contains(told), "{told}: {}", plans[0].brief);
    }
}
