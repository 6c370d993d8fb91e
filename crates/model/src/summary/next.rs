//! What a reader does next: the same steps in the comment, on the page and at the end of a run on a terminal.

use std::collections::BTreeSet;

use super::{
    causes::{Cause, CauseKind, Remedy},
    index::RunIndex,
};
use crate::{
    handoff::{Handoff, Status},
    provenance::WorkflowRunRef,
    text,
};

/// One thing that can be done next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NextStep {
    /// What, and why: a sentence without its full stop, in plain words of ours. Between backticks stands a name.
    pub(super) what: String,
    /// The page that it is done with, where there is one.
    pub(super) url: Option<String>,
    /// The command to run, or the comment to post; a line of its own everywhere, to be copied.
    pub(super) command: Option<String>,
}

impl NextStep {
    fn new(what: impl Into<String>, command: impl Into<String>) -> Self {
        Self { what: what.into(), url: None, command: Some(command.into()) }
    }
}

/// How a run can be named in commands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Named<'a> {
    /// The run, as a word of a shell; nothing where it cannot be one.
    pub(super) run: Option<&'a str>,
    /// The command that resumes it.
    pub(super) resume: &'a str,
}

impl<'a> Named<'a> {
    /// Names a run as whoever reads its hand-off can: by its own name, in the place where runs lie.
    pub(super) fn from_handoff(handoff: &'a Handoff) -> Self {
        let run = &handoff.place.run;
        Self { run: is_plain(run).then_some(run), resume: "backend-implementer run --resume" }
    }
}

/// Returns what to do next, the most likely thing first.
pub(super) fn steps(index: &RunIndex<'_>, causes: &[Cause<'_>], named: &Named<'_>) -> Vec<NextStep> {
    let handoff = index.handoff;
    if handoff.provenance.pull_request.is_some() {
        return vec![on_pull_request(handoff, causes)];
    }
    match (handoff.status, named.run) {
        (Status::Complete, Some(run)) => vec![NextStep::new(
            format!(
                "Put the {} on the branch `backend-implementation`; your checkout stays as it is",
                commits(handoff)
            ),
            format!("backend-implementer apply {run}"),
        )],
        (Status::Complete, None) => vec![NextStep::new("Check the record of the run", "backend-implementer verify")],
        (Status::Cancelled, _) => vec![NextStep::new("Resume; what is finished is kept", named.resume)],
        (Status::Incomplete, run) => incomplete(handoff, causes, run),
    }
}

fn commits(handoff: &Handoff) -> String {
    text::count(handoff.result.commits.len(), "commit")
}

/// Says what helps most, and one other way.
fn incomplete(handoff: &Handoff, causes: &[Cause<'_>], run: Option<&str>) -> Vec<NextStep> {
    let remedies: BTreeSet<Remedy> = causes.iter().map(Cause::remedy).collect();
    let by_hand = run.filter(|_| !handoff.result.commits.is_empty()).map(|run| {
        let what = format!(
            "Put the {} on the branch `backend-implementation`, switch to it, and fix there by hand what is named above",
            commits(handoff)
        );
        NextStep::new(what, format!("backend-implementer apply {run} --incomplete"))
    });
    // What is kept is bound to the lock: another plan, configuration or base begins anew.
    let change = NextStep::new(
        "Change the plan, the configuration or the code, commit it, and run all of it again",
        "backend-implementer run",
    );
    let retry = NextStep::new("Repeat what did not pass; what passed is kept", "backend-implementer run --retry");
    let ways = if remedies.contains(&Remedy::Change) {
        [Some(change), by_hand]
    } else if remedies.contains(&Remedy::Hands) {
        [by_hand, Some(change)]
    } else {
        [Some(retry), by_hand]
    };
    let mut steps: Vec<_> = ways.into_iter().flatten().collect();
    for step in steps.iter_mut().skip(1) {
        step.what = format!("Or {}", text::uncapitalised(&step.what));
    }
    steps
}

fn failed_task<'a>(cause: &Cause<'a>) -> Option<&'a str> {
    match &cause.kind {
        CauseKind::Task { task, .. } => Some(task.as_str()),
        _ => None,
    }
}

fn on_pull_request(handoff: &Handoff, causes: &[Cause<'_>]) -> NextStep {
    let approve = format!("/implement {}", handoff.lock.digest.short());
    match handoff.status {
        Status::Complete => NextStep {
            what: "Start the Submission phase with `handoff.json` and `implementation.bundle`, which are artifacts of the \
                   workflow run"
                .to_owned(),
            url: handoff.provenance.workflow_run.as_ref().and_then(WorkflowRunRef::url),
            command: None,
        },
        Status::Cancelled => NextStep::new("Approve again to resume", approve),
        Status::Incomplete => match causes.iter().find_map(failed_task) {
            Some(task) => NextStep::new(
                format!("Fix the causes above, then post this comment to repeat `{task}` and what depends on it"),
                format!("/implement retry {task}"),
            ),
            None => NextStep::new("Fix the causes above, then approve again", approve),
        },
    }
}

/// Tells whether a run's name can stand in a command: a hand-off is a file, and people copy what the summary shows.
fn is_plain(run: &str) -> bool {
    !run.is_empty()
        && run.len() <= 100
        && run.starts_with(|c: char| c.is_ascii_alphanumeric())
        && run.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}
