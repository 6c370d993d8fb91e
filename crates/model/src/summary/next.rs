//! What a reader does next: the same steps in the comment, on the page and at the end of a run on a terminal.

use std::collections::BTreeSet;

use super::{
    causes::{Cause, CauseKind, Remedy},
    index::RunIndex,
};
use crate::{
    handoff::{Handoff, Status},
    provenance::WorkflowRunRef,
    run::to_blame,
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
    /// The branch that its result can be put on, where it is known that the usual one cannot be used.
    pub(super) branch: Option<&'a str>,
}

/// The branch that a result is put on unless another is named.
pub const RESULT_BRANCH: &str = "backend-implementation";

impl<'a> Named<'a> {
    /// Names a run as whoever reads its hand-off can: by its own name, in the place where runs lie.
    pub(super) fn from_handoff(handoff: &'a Handoff) -> Self {
        let run = &handoff.place.run;
        Self { run: is_plain(run).then_some(run), resume: "backend-implementer run --resume", branch: None }
    }

    fn branch(&self) -> &'a str {
        self.branch.unwrap_or(RESULT_BRANCH)
    }

    /// Returns the command that puts the result of the run on a branch.
    fn apply(&self, run: &str, incomplete: &str) -> String {
        let branch = self.branch.map(|branch| format!(" --branch {branch}")).unwrap_or_default();
        format!("backend-implementer apply {run}{incomplete}{branch}")
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
                "Put {} on the branch `{}`, review it there, and push it; your checkout stays as it is",
                commits(handoff),
                named.branch()
            ),
            named.apply(run, ""),
        )],
        (Status::Complete, None) => vec![NextStep::new("Check the record of the run", "backend-implementer verify")],
        (Status::Cancelled, _) => vec![NextStep::new("Resume; what is finished is kept", named.resume)],
        (Status::Incomplete, _) => incomplete(handoff, causes, named),
    }
}

fn commits(handoff: &Handoff) -> String {
    match handoff.result.commits.len() {
        1 => "the commit".to_owned(),
        several => format!("the {several} commits"),
    }
}

/// Says what helps most, and one other way.
fn incomplete(handoff: &Handoff, causes: &[Cause<'_>], named: &Named<'_>) -> Vec<NextStep> {
    let needed = needed(handoff, causes);
    let files = matches!(needed, Needed::Hands).then(|| suspects(handoff)).flatten();
    let by_hand = named.run.filter(|_| !handoff.result.commits.is_empty()).map(|run| {
        let what = format!(
            "Put {} on the branch `{}`, switch to it with git, and fix what failed by hand{}",
            commits(handoff),
            named.branch(),
            files.map(|files| format!(", in {files}")).unwrap_or_default()
        );
        NextStep::new(what, named.apply(run, " --incomplete"))
    });
    // What is kept is bound to the lock: another plan, configuration or base begins anew.
    let anew = |change: &str| {
        let all = text::count(handoff.schedule.tasks.len(), "task");
        let what = format!("{change}, commit it, and run all {all} again: what passed was for the old state");
        NextStep::new(what, "backend-implementer run")
    };
    let ways = match needed {
        Needed::Change(change) => {
            let unchanged =
                names(causes, Remedy::Retry).map(|tasks| format!(" (nothing for {tasks}, if the cause is gone)"));
            let step = anew(&(change + &unchanged.unwrap_or_default()));
            vec![Some(step), by_hand]
        }
        Needed::Hands => {
            vec![by_hand, again(handoff, causes), Some(anew("Change the plan, the configuration or the code"))]
        }
        Needed::Retry => {
            let retry =
                NextStep::new("Repeat what did not pass; what passed is kept", "backend-implementer run --retry");
            vec![Some(retry), by_hand]
        }
    };
    let mut steps: Vec<_> = ways.into_iter().flatten().collect();
    for step in steps.iter_mut().skip(1) {
        step.what = format!("Or {}", text::uncapitalised(&step.what));
    }
    steps
}

/// What an incomplete run needs most.
enum Needed {
    /// Another plan or configuration: a sentence without its end that says of what.
    Change(String),
    /// Somebody's hands.
    Hands,
    /// Another try.
    Retry,
}

fn needed(handoff: &Handoff, causes: &[Cause<'_>]) -> Needed {
    let remedies: BTreeSet<Remedy> = causes.iter().map(Cause::remedy).collect();
    let part = |what: &str, remedy: Remedy| {
        let of_tasks = names(causes, remedy).map(|tasks| format!("{what} for {tasks}"));
        remedies.contains(&remedy).then(|| of_tasks.unwrap_or_else(|| what.to_owned()))
    };
    let source = &handoff.plan.source;
    // Whether it is a file or somebody's comment, its name says where the plan is.
    let plan = if is_path(source) { format!("the plan (`{source}`)") } else { "the plan".to_owned() };
    let parts = [part(&plan, Remedy::Plan), part("the configuration", Remedy::Configuration)];
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    if !parts.is_empty() {
        Needed::Change(format!("Change {}", parts.join(", and ")))
    } else if remedies.contains(&Remedy::Hands) {
        Needed::Hands
    } else {
        Needed::Retry
    }
}

/// Tells whether a plan's source can stand in a sentence of ours as the path of a file.
fn is_path(source: &str) -> bool {
    !source.is_empty()
        && source.len() <= 100
        && source.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./".contains(&b))
}

/// Tasks that a step names.
const NAMED_MAX: usize = 3;

/// Names the tasks that something helps; nothing where it helps no task.
fn names(causes: &[Cause<'_>], remedy: Remedy) -> Option<String> {
    let mut tasks = causes.iter().filter(|cause| cause.remedy() == remedy).filter_map(task_of).peekable();
    tasks.peek()?;
    Some(text::listed(tasks.map(|task| format!("`{task}`")), NAMED_MAX))
}

fn task_of<'a>(cause: &Cause<'a>) -> Option<&'a str> {
    match &cause.kind {
        CauseKind::Task { task, .. } => Some(task.as_str()),
        _ => None,
    }
}

/// Says how to repeat what did not pass, and whoever is to blame for what is open; nothing where that is nobody.
fn again(handoff: &Handoff, causes: &[Cause<'_>]) -> Option<NextStep> {
    const RETRY: &str = "backend-implementer run --retry";
    if causes.iter().any(|cause| cause.remedy() == Remedy::Retry && task_of(cause).is_some()) {
        return Some(NextStep::new("Repeat what did not pass; what passed is kept", RETRY));
    }
    match to_blame(handoff).as_slice() {
        [] => None,
        [first, second] => {
            Some(NextStep::new(format!("Let `{first}` and `{second}` try once more; all other work is kept"), RETRY))
        }
        [task] => Some(NextStep::new(
            format!("Let `{task}` try once more; all other work is kept"),
            format!("{RETRY} {task}"),
        )),
        tasks => {
            let tasks = text::listed(tasks.iter().map(|task| format!("`{task}`")), NAMED_MAX);
            Some(NextStep::new(format!("Let {tasks} try once more; all other work is kept"), RETRY))
        }
    }
}

/// Names the files of those who are to blame, of which one has to be fixed; nothing where they are too many to say so.
fn suspects(handoff: &Handoff) -> Option<String> {
    let attempts =
        to_blame(handoff).into_iter().filter_map(|task| handoff.task(task)).flat_map(|record| &record.attempts);
    let changes = attempts.filter_map(|attempt| attempt.patch.as_ref()).flat_map(|patch| &patch.changes);
    let paths: BTreeSet<&str> = changes.map(|change| change.path.as_str()).filter(|path| is_path(path)).collect();
    let named: Vec<_> = paths.iter().map(|path| format!("`{path}`")).collect();
    (1..=NAMED_MAX).contains(&named.len()).then(|| named.join(" or "))
}

fn on_pull_request(handoff: &Handoff, causes: &[Cause<'_>]) -> NextStep {
    let approve = format!("/implement {}", handoff.lock.digest.short());
    // Whatever is changed makes another lock, which the preview names.
    let anew = |change: &str| {
        NextStep::new(
            format!("{change}, then post this comment: the preview that it asks for says what to approve"),
            "/implement plan",
        )
    };
    match handoff.status {
        Status::Complete => NextStep {
            what: "Start the Submission phase with `handoff.json` and `implementation.bundle`, which are artifacts of the \
                   workflow run"
                .to_owned(),
            url: handoff.provenance.workflow_run.as_ref().and_then(WorkflowRunRef::url),
            command: None,
        },
        Status::Cancelled => NextStep::new("Approve again to resume", approve),
        Status::Incomplete => match (needed(handoff, causes), causes.iter().find_map(task_of)) {
            (Needed::Change(change), _) => anew(&change),
            (Needed::Hands, _) => anew("Push a commit that fixes what is named above"),
            (Needed::Retry, Some(task)) => NextStep::new(
                format!("Post this comment to repeat `{task}` and whatever else did not pass; what passed is kept"),
                format!("/implement retry {task}"),
            ),
            (Needed::Retry, None) => NextStep::new("Approve again to repeat it", approve),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{gate::GateKind, ids::TaskId, provenance::PullRequestRef, schedule::Outcome, summary::fixture};

    fn task(name: &str, outcome: Outcome) -> (TaskId, Outcome) {
        (TaskId::new(name).unwrap(), outcome)
    }

    /// What is to be done when these tasks did not pass, here and on a pull request.
    fn told(tasks: &[(TaskId, Outcome)], gate_failed: bool) -> [String; 2] {
        let mut handoff = fixture::incomplete();
        let command = fixture::command(&["make", "test"], Some((1, 1, 0)));
        let cause = |kind| Cause { kind, consequences: Vec::new(), gates: Vec::new(), is_of_the_model: false };
        let of_task = |(task, outcome): &(TaskId, Outcome)| (task.clone(), *outcome);
        let tasks: Vec<_> = tasks.iter().map(of_task).collect();
        let mut causes: Vec<_> = tasks
            .iter()
            .map(|(task, outcome)| cause(CauseKind::Task { task, title: None, outcome: *outcome, reason: "x" }))
            .collect();
        causes.extend(gate_failed.then(|| cause(CauseKind::Command { gate: GateKind::Tests, command: &command })));
        let mut said = |pull_request| {
            handoff.provenance.pull_request = pull_request;
            let index = RunIndex::new(&handoff);
            let steps = steps(&index, &causes, &Named { run: Some("run-1"), resume: "", branch: None });
            let first = &steps[0];
            format!("{}: {}", first.what, first.command.as_deref().unwrap_or_default())
        };
        let here = said(None);
        let pull_request = PullRequestRef { repository: "o/r".to_owned(), number: 7, head: "0".repeat(40) };
        [here, said(Some(pull_request))]
    }

    #[test]
    fn the_first_step_names_what_is_to_be_changed_and_for_whom() {
        let mixed = [task("feature-7", Outcome::Failed), task("feature-23", Outcome::OutOfScope)];
        insta::assert_debug_snapshot!(told(&mixed, false), @r#"
        [
            "Change the plan (`docs/plan.md`) for `feature-23` (nothing for `feature-7`, if the cause is gone), commit it, and run all 7 tasks again: what passed was for the old state: backend-implementer run",
            "Change the plan (`docs/plan.md`) for `feature-23`, then post this comment: the preview that it asks for says what to approve: /implement plan",
        ]
        "#);
        let slow = [task("a", Outcome::TimedOut), task("b", Outcome::Conflicted)];
        insta::assert_debug_snapshot!(told(&slow, true), @r#"
        [
            "Change the plan (`docs/plan.md`) for `b`, and the configuration for `a`, commit it, and run all 7 tasks again: what passed was for the old state: backend-implementer run",
            "Change the plan (`docs/plan.md`) for `b`, and the configuration for `a`, then post this comment: the preview that it asks for says what to approve: /implement plan",
        ]
        "#);
        let many = ["a", "b", "c", "d", "e"].map(|name| task(name, Outcome::OutOfScope));
        insta::assert_debug_snapshot!(told(&many, false), @r#"
        [
            "Change the plan (`docs/plan.md`) for `a`, `b`, `c` and 2 more, commit it, and run all 7 tasks again: what passed was for the old state: backend-implementer run",
            "Change the plan (`docs/plan.md`) for `a`, `b`, `c` and 2 more, then post this comment: the preview that it asks for says what to approve: /implement plan",
        ]
        "#);
    }

    #[test]
    fn what_merely_failed_is_repeated_and_what_is_red_needs_hands() {
        insta::assert_debug_snapshot!(told(&[task("a", Outcome::Failed), task("b", Outcome::NotRun)], false), @r#"
        [
            "Repeat what did not pass; what passed is kept: backend-implementer run --retry",
            "Post this comment to repeat `a` and whatever else did not pass; what passed is kept: /implement retry a",
        ]
        "#);
        insta::assert_debug_snapshot!(told(&[task("a", Outcome::Failed)], true), @r#"
        [
            "Put the commit on the branch `backend-implementation`, switch to it with git, and fix what failed by hand: backend-implementer apply run-1 --incomplete",
            "Push a commit that fixes what is named above, then post this comment: the preview that it asks for says what to approve: /implement plan",
        ]
        "#);
    }

    #[test]
    fn whoever_is_to_blame_for_what_is_open_can_be_called_again() {
        let mut handoff = fixture::complete();
        handoff.status = Status::Incomplete;
        let steps_of = |handoff: &Handoff| {
            let index = RunIndex::new(handoff);
            let causes = crate::summary::causes::causes(&index);
            let steps = steps(&index, &causes, &Named { run: Some("run-1"), resume: "", branch: None });
            let told = steps.into_iter().map(|step| format!("{}: {}", step.what, step.command.unwrap_or_default()));
            told.collect::<Vec<_>>()
        };
        let command = handoff.gates[0].commands.first_mut().unwrap();
        command.exit_code = Some(1);
        handoff.gates[0].state = crate::gate::GateState::Failed;
        assert_eq!(steps_of(&handoff).len(), 2, "nobody is to blame");
        let changed = |task: &str| {
            let id = TaskId::new(task).unwrap();
            handoff.task(&id).unwrap().last().unwrap().patch.as_ref().unwrap().changes[0].path.clone()
        };
        let finding = |path: String| {
            let (review, code) = (TaskId::new("review").unwrap(), crate::findings::FindingCode::Reported);
            crate::findings::Finding::about(&review, code, crate::findings::Weight::Blocking, "no").in_path(path)
        };
        let (of_feature, of_cli) = (finding(changed("feature")), finding(changed("cli")));
        handoff.findings = vec![of_feature];
        insta::assert_snapshot!(steps_of(&handoff)[1], @"Or let `feature` try once more; all other work is kept: backend-implementer run --retry feature");
        handoff.findings.push(of_cli);
        insta::assert_snapshot!(steps_of(&handoff)[1], @"Or let `feature` and `cli` try once more; all other work is kept: backend-implementer run --retry");
    }

    #[test]
    fn the_command_names_another_branch_where_the_usual_one_has_other_commits() {
        for (status, incomplete) in [(Status::Complete, ""), (Status::Incomplete, " --incomplete")] {
            let handoff = Handoff { status, ..fixture::complete() };
            let index = RunIndex::new(&handoff);
            let named = Named { run: Some("run-1"), resume: "", branch: Some("backend-implementation-2") };
            let steps = steps(&index, &[], &named);
            let step = steps.iter().find(|step| step.what.contains("`backend-implementation-2`")).unwrap();
            let command = format!("backend-implementer apply run-1{incomplete} --branch backend-implementation-2");
            assert_eq!(step.command.as_deref(), Some(command.as_str()));
        }
    }
}
