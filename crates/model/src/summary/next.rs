//! What a reader does next: the same steps in the comment, on the page and at the end of a run on a terminal.

use std::collections::BTreeSet;

use super::{
    causes::{Cause, CauseKind, Remedy},
    index::RunIndex,
};
use crate::{
    handoff::{Handoff, Status},
    ids::TaskId,
    provenance::{Provenance, WorkflowRunRef},
    run::to_blame,
    schedule::Outcome,
    text,
};

/// One thing that can be done next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NextStep {
    /// What, and why: a sentence without its full stop, in plain words of ours. Between backticks stands a name.
    pub(super) what: String,
    /// The page that it is done with, where there is one.
    pub(super) url: Option<String>,
    /// The command to run, or the comment to post; on lines of its own everywhere, to be copied.
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

/// Where a run is gone on from, and with what.
#[derive(Clone, Copy)]
enum Way<'a> {
    /// With commands, where the run's folder lies.
    Here(&'a Named<'a>),
    /// With comments, where the run's files are an artifact.
    PullRequest,
}

/// Returns what to do next, the most likely thing first.
pub(super) fn steps(index: &RunIndex<'_>, causes: &[Cause<'_>], named: &Named<'_>) -> Vec<NextStep> {
    let handoff = index.handoff;
    let way = if handoff.provenance.pull_request.is_some() { Way::PullRequest } else { Way::Here(named) };
    let mut steps = match handoff.status {
        Status::Complete => complete(handoff, way),
        Status::Cancelled => vec![way.resume()],
        Status::Incomplete => incomplete(handoff, causes, way),
    };
    for step in steps.iter_mut().skip(1).filter(|step| !step.what.starts_with(IF_AGAIN)) {
        step.what = format!("Or {}", text::uncapitalised(&step.what));
    }
    steps
}

impl Way<'_> {
    /// Puts the result on a branch, where there is one and it can be reached; what is not complete is switched to, to be fixed.
    fn take(self, handoff: &Handoff, what: &str) -> Option<NextStep> {
        let is_complete = handoff.status == Status::Complete;
        let incomplete = if is_complete { "" } else { " --incomplete" };
        let switch = |branch: &str| if is_complete { String::new() } else { format!("\ngit switch {branch}") };
        if handoff.result.commits.is_empty() || handoff.result.bundle.is_none() {
            return None;
        }
        let commits = commits(handoff);
        match self {
            Self::Here(named) => named.run.map(|run| {
                let what = format!("Put {commits} on the branch `{}`{what}", named.branch());
                NextStep::new(what, named.apply(run, incomplete) + &switch(named.branch()))
            }),
            Self::PullRequest => {
                let Provenance { pull_request, workflow_run, .. } = &handoff.provenance;
                let (download, folder) = workflow_run.as_ref()?.download(pull_request.as_ref()?)?;
                let what = format!("In a clone, put {commits} on the branch `{RESULT_BRANCH}`{what}");
                let switch = switch(RESULT_BRANCH);
                // Pasted as one: where a line fails, the next must not be tried.
                let joined = if switch.is_empty() { "" } else { " &&" };
                let taken = format!("{download} &&\nbackend-implementer apply {folder}{incomplete}{joined}{switch}");
                Some(NextStep::new(what, taken))
            }
        }
    }

    /// Begins anew after a change. What is kept is bound to the lock: another plan, configuration or base makes another one.
    fn anew(self, handoff: &Handoff, change: &str) -> NextStep {
        let all = text::count(handoff.schedule.tasks.len(), "task");
        match self {
            Self::Here(_) => NextStep::new(
                format!("{change}, commit it, and begin anew; all {all} run again"),
                "backend-implementer run",
            ),
            Self::PullRequest => {
                // What stands in a comment or a description is edited there.
                let pushed = if is_path(&handoff.plan.source) { ", push it" } else { "" };
                NextStep::new(
                    format!(
                        "{change}{pushed}, then post this comment on the pull request and approve what it shows; all {all} run \
                         again"
                    ),
                    "/implement plan",
                )
            }
        }
    }

    fn resume(self) -> NextStep {
        match self {
            Self::Here(named) => NextStep::new("Resume; what is finished is kept", named.resume),
            Self::PullRequest => {
                NextStep::new("Go on with this comment on the pull request; what is finished is kept", RETRY_COMMENT)
            }
        }
    }

    /// Repeats what did not pass.
    fn repeat(self, handoff: &Handoff, causes: &[Cause<'_>]) -> NextStep {
        let (with, command) = match self {
            Self::Here(_) => ("", RETRY),
            Self::PullRequest => (" with this comment on the pull request", RETRY_COMMENT),
        };
        let of_causes: Vec<_> = causes.iter().filter_map(task_of).collect();
        let open = handoff.tasks.iter().filter(|task| task.outcome != Outcome::Passed).map(|task| task.id.as_str());
        let further = open.filter(|task| !of_causes.contains(task));
        let tasks: Vec<_> = of_causes.iter().copied().chain(further).collect();
        let what = if tasks.is_empty() { "what did not pass".to_owned() } else { listed(tasks) };
        NextStep::new(format!("Repeat {what}{with}; what passed is kept"), command)
    }

    /// Calls tasks once more that passed; nothing where there are none.
    fn call_again(self, tasks: &[&TaskId]) -> Option<NextStep> {
        let first = tasks.first()?;
        let step = match self {
            Self::Here(_) => {
                let command = if tasks.len() == 1 { format!("{RETRY} {first}") } else { RETRY.to_owned() };
                NextStep::new(format!("Let {} try once more; all other work is kept", listed(tasks)), command)
            }
            // A comment names one task.
            Self::PullRequest => {
                let others = match &tasks[1..] {
                    [] => String::new(),
                    others => format!(" (or another in its place: {})", listed(others)),
                };
                NextStep::new(
                    format!(
                        "Post this comment on the pull request to have `{first}` done anew{others}; all other work is kept"
                    ),
                    format!("/implement retry {first}"),
                )
            }
        };
        Some(step)
    }
}

/// What begins a step that comes after another one, and not in its place.
const IF_AGAIN: &str = "If ";

/// The command that repeats what did not pass.
const RETRY: &str = "backend-implementer run --retry";

/// The comment that does the same.
const RETRY_COMMENT: &str = "/implement retry";

fn commits(handoff: &Handoff) -> String {
    match handoff.result.commits.len() {
        1 => "the commit".to_owned(),
        several => format!("the {several} commits"),
    }
}

fn complete(handoff: &Handoff, way: Way<'_>) -> Vec<NextStep> {
    let review = if matches!(way, Way::Here(_)) {
        ", review it there, and push it; your checkout stays as it is"
    } else {
        ", review it there, and push it, for instance for a pull request of its own"
    };
    let taken = way.take(handoff, review);
    let further = match way {
        Way::Here(_) if taken.is_some() => None,
        Way::Here(_) => Some(NextStep::new("Check the record of the run", "backend-implementer verify")),
        Way::PullRequest => Some(NextStep {
            what: "Start the Submission phase with the files `handoff.json` and `implementation.bundle` of the workflow run"
                .to_owned(),
            url: handoff.provenance.workflow_run.as_ref().and_then(WorkflowRunRef::url),
            command: None,
        }),
    };
    taken.into_iter().chain(further).collect()
}

/// Says what helps most, and other ways.
fn incomplete(handoff: &Handoff, causes: &[Cause<'_>], way: Way<'_>) -> Vec<NextStep> {
    let needed = needed(handoff, causes);
    let files = matches!(needed, Needed::Hands).then(|| suspects(handoff)).flatten();
    let files = files.map(|files| format!(", in {files}")).unwrap_or_default();
    let by_hand = way.take(handoff, &format!(", and fix what failed there by hand{files}"));
    let ways = match needed {
        Needed::Change(change) => {
            let as_it_is = match (names(causes, Remedy::Plan), names(causes, Remedy::Configuration)) {
                (Some(_), None) => "the plan as it is",
                (None, Some(_)) => "the configuration as it is",
                _ => "plan and configuration as they are",
            };
            let repeat = causes.iter().any(|cause| task_of(cause).is_some()).then(|| way.repeat(handoff, causes));
            let begun = |repeat: NextStep, words: &str| {
                let what = format!("{words} {}", text::uncapitalised(&repeat.what));
                NextStep { what, ..repeat }
            };
            match repeat {
                // What is quick comes first where it is all that some of them need, and may be all that the others do.
                Some(repeat) if names(causes, Remedy::Retry).is_some() => {
                    let change = format!("{IF_AGAIN}{}, {}", fail_again(causes), text::uncapitalised(&change));
                    vec![Some(begun(repeat, "First,")), Some(way.anew(handoff, &change)), by_hand]
                }
                repeat => {
                    let repeat = repeat.map(|repeat| begun(repeat, &format!("To leave {as_it_is},")));
                    vec![Some(way.anew(handoff, &change)), repeat, by_hand]
                }
            }
        }
        Needed::Hands => {
            let has_failed = causes.iter().any(|cause| cause.remedy() == Remedy::Retry && task_of(cause).is_some());
            let again = if has_failed { Some(way.repeat(handoff, causes)) } else { way.call_again(&to_blame(handoff)) };
            vec![by_hand, again, Some(way.anew(handoff, "Change the plan, the configuration or the code"))]
        }
        Needed::Retry => vec![Some(way.repeat(handoff, causes)), by_hand],
    };
    ways.into_iter().flatten().collect()
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

/// Says that those fail again whom another try may not help.
fn fail_again(causes: &[Cause<'_>]) -> String {
    let others = causes.iter().filter(|cause| matches!(cause.remedy(), Remedy::Plan | Remedy::Configuration));
    match others.filter_map(task_of).collect::<Vec<_>>().as_slice() {
        [] => "something fails again".to_owned(),
        [one] => format!("`{one}` fails again"),
        several => format!("{} fail again", listed(several)),
    }
}

/// Names the tasks that something helps; nothing where it helps no task.
fn names(causes: &[Cause<'_>], remedy: Remedy) -> Option<String> {
    let tasks: Vec<_> = causes.iter().filter(|cause| cause.remedy() == remedy).filter_map(task_of).collect();
    (!tasks.is_empty()).then(|| listed(tasks))
}

/// Lists tasks by name.
fn listed(tasks: impl IntoIterator<Item = impl std::fmt::Display>) -> String {
    let tasks: Vec<_> = tasks.into_iter().map(|task| format!("`{task}`")).collect();
    match tasks.as_slice() {
        [one, other] => format!("{one} and {other}"),
        several => text::listed(several, NAMED_MAX),
    }
}

fn task_of<'a>(cause: &Cause<'a>) -> Option<&'a str> {
    match &cause.kind {
        CauseKind::Task { task, .. } => Some(task.as_str()),
        _ => None,
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
    use crate::{
        findings::{Finding, FindingCode, Weight},
        gate::GateKind,
        provenance::PullRequestRef,
        schedule::Outcome,
        summary::fixture,
    };

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
            let told =
                steps.iter().map(|step| format!("{}: {}", step.what, step.command.as_deref().unwrap_or_default()));
            told.take(if causes.len() == 2 { 2 } else { 1 }).collect::<Vec<_>>().join("\n")
        };
        let here = said(None);
        let pull_request = PullRequestRef { repository: "o/r".to_owned(), number: 7, head: "0".repeat(40) };
        [here, said(Some(pull_request))]
    }

    #[test]
    fn the_first_step_is_quick_or_names_what_is_to_be_changed_and_for_whom() {
        let mixed = [task("feature-7", Outcome::Failed), task("feature-23", Outcome::OutOfScope)];
        insta::assert_debug_snapshot!(told(&mixed, false), @r#"
        [
            "First, repeat `feature-7`, `feature-23`, `feature` and 5 more; what passed is kept: backend-implementer run --retry\nIf `feature-23` fails again, change the plan (`docs/plan.md`) for `feature-23`, commit it, and begin anew; all 7 tasks run again: backend-implementer run",
            "First, repeat `feature-7`, `feature-23`, `feature` and 5 more with this comment on the pull request; what passed is kept: /implement retry\nIf `feature-23` fails again, change the plan (`docs/plan.md`) for `feature-23`, push it, then post this comment on the pull request and approve what it shows; all 7 tasks run again: /implement plan",
        ]
        "#);
        let slow = [task("a", Outcome::TimedOut), task("b", Outcome::Conflicted)];
        insta::assert_debug_snapshot!(told(&slow, true), @r#"
        [
            "Change the plan (`docs/plan.md`) for `b`, and the configuration for `a`, commit it, and begin anew; all 7 tasks run again: backend-implementer run",
            "Change the plan (`docs/plan.md`) for `b`, and the configuration for `a`, push it, then post this comment on the pull request and approve what it shows; all 7 tasks run again: /implement plan",
        ]
        "#);
        let many = ["a", "b", "c", "d", "e"].map(|name| task(name, Outcome::OutOfScope));
        insta::assert_debug_snapshot!(told(&many, false), @r#"
        [
            "Change the plan (`docs/plan.md`) for `a`, `b`, `c` and 2 more, commit it, and begin anew; all 7 tasks run again: backend-implementer run",
            "Change the plan (`docs/plan.md`) for `a`, `b`, `c` and 2 more, push it, then post this comment on the pull request and approve what it shows; all 7 tasks run again: /implement plan",
        ]
        "#);
    }

    #[test]
    fn what_merely_failed_is_repeated_and_what_is_red_needs_hands() {
        insta::assert_debug_snapshot!(told(&[task("a", Outcome::Failed), task("b", Outcome::NotRun)], false), @r#"
        [
            "Repeat `a`, `b`, `feature` and 5 more; what passed is kept: backend-implementer run --retry\nOr put the commit on the branch `backend-implementation`, and fix what failed there by hand: backend-implementer apply run-1 --incomplete\ngit switch backend-implementation",
            "Repeat `a`, `b`, `feature` and 5 more with this comment on the pull request; what passed is kept: /implement retry",
        ]
        "#);
        insta::assert_debug_snapshot!(told(&[task("a", Outcome::Failed)], true), @r#"
        [
            "Put the commit on the branch `backend-implementation`, and fix what failed there by hand: backend-implementer apply run-1 --incomplete\ngit switch backend-implementation\nOr repeat `a`, `feature`, `cli` and 4 more; what passed is kept: backend-implementer run --retry",
            "Repeat `a`, `feature`, `cli` and 4 more with this comment on the pull request; what passed is kept: /implement retry\nOr change the plan, the configuration or the code, push it, then post this comment on the pull request and approve what it shows; all 7 tasks run again: /implement plan",
        ]
        "#);
    }

    /// A blocking finding of the review's about a file that the task changed.
    fn against(handoff: &Handoff, task: &str) -> Finding {
        let (task, review) = (TaskId::new(task).unwrap(), TaskId::new("review").unwrap());
        let patch = handoff.task(&task).unwrap().last().unwrap().patch.as_ref().unwrap();
        Finding::about(&review, FindingCode::Reported, Weight::Blocking, "no").in_path(patch.changes[0].path.clone())
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
        handoff.findings = vec![against(&handoff, "feature")];
        insta::assert_snapshot!(steps_of(&handoff)[1], @"Or let `feature` try once more; all other work is kept: backend-implementer run --retry feature");
        handoff.findings.push(against(&handoff, "cli"));
        insta::assert_snapshot!(steps_of(&handoff)[1], @"Or let `feature` and `cli` try once more; all other work is kept: backend-implementer run --retry");
    }

    /// The steps on a pull request whose run is an artifact.
    fn steps_on_pull_request(handoff: &mut Handoff, server: &str, artifact: &str) -> Vec<String> {
        handoff.provenance.pull_request =
            Some(PullRequestRef { repository: "o/r".to_owned(), number: 7, head: "0".repeat(40) });
        handoff.provenance.workflow_run = Some(WorkflowRunRef {
            server: server.to_owned(),
            repository: "o/r".to_owned(),
            run: 12,
            artifact: Some(artifact.to_owned()),
        });
        let index = RunIndex::new(handoff);
        let causes = crate::summary::causes::causes(&index);
        let steps = steps(&index, &causes, &Named { run: None, resume: "", branch: None });
        let told = steps.into_iter().map(|step| format!("{}: {}", step.what, step.command.unwrap_or_default()));
        told.collect()
    }

    #[test]
    fn on_a_pull_request_the_result_is_taken_from_the_runs_artifact() {
        let done = || Handoff { status: Status::Complete, ..fixture::complete() };
        let steps = steps_on_pull_request(&mut done(), "https://github.com", "files-attempt-1");
        insta::assert_debug_snapshot!(steps, @r#"
        [
            "In a clone, put the 6 commits on the branch `backend-implementation`, review it there, and push it, for instance for a pull request of its own: gh run download 12 --repo github.com/o/r \\\n  --name files-attempt-1 --dir run-12 &&\nbackend-implementer apply run-12",
            "Or start the Submission phase with the files `handoff.json` and `implementation.bundle` of the workflow run: ",
        ]
        "#);
        let elsewhere = steps_on_pull_request(&mut done(), "https://ghe.example/", "files-attempt-1");
        assert!(elsewhere[0].contains("--repo ghe.example/o/r \\\n  --name"), "{elsewhere:?}");
        let second = steps_on_pull_request(&mut done(), "https://github.com", "files-attempt-2");
        assert!(
            second[0].contains("--dir run-12-attempt-2 &&\nbackend-implementer apply run-12-attempt-2"),
            "{second:?}"
        );
        // A hand-off is a file, and people copy what they see.
        for (server, artifact) in [
            ("https://x$(id)", "files"),
            ("ssh://github.com", "files"),
            ("https://github.com/x", "files"),
            ("https://github.com", "f;id"),
            ("https://github.com", "-x"),
        ] {
            let steps = steps_on_pull_request(&mut done(), server, artifact);
            assert!(steps.len() == 1 && steps[0].starts_with("Start the Submission phase"), "{steps:?}");
        }
    }

    #[test]
    fn on_a_pull_request_whoever_is_to_blame_can_be_called_again() {
        let mut handoff = fixture::complete();
        handoff.status = Status::Incomplete;
        handoff.gates[0].state = crate::gate::GateState::Failed;
        handoff.gates[0].commands[0].exit_code = Some(1);
        handoff.findings = vec![against(&handoff, "feature"), against(&handoff, "cli")];
        let steps = steps_on_pull_request(&mut handoff, "https://github.com", "files-attempt-1");
        insta::assert_debug_snapshot!(steps, @r#"
        [
            "In a clone, put the 6 commits on the branch `backend-implementation`, and fix what failed there by hand: gh run download 12 --repo github.com/o/r \\\n  --name files-attempt-1 --dir run-12 &&\nbackend-implementer apply run-12 --incomplete &&\ngit switch backend-implementation",
            "Or post this comment on the pull request to have `feature` done anew (or another in its place: `cli`); all other work is kept: /implement retry feature",
            "Or change the plan, the configuration or the code, push it, then post this comment on the pull request and approve what it shows; all 8 tasks run again: /implement plan",
        ]
        "#);
    }

    #[test]
    fn the_command_names_another_branch_where_the_usual_one_has_other_commits() {
        for (status, incomplete) in [(Status::Complete, ""), (Status::Incomplete, " --incomplete")] {
            let handoff = Handoff { status, ..fixture::complete() };
            let index = RunIndex::new(&handoff);
            let named = Named { run: Some("run-1"), resume: "", branch: Some("backend-implementation-2") };
            let steps = steps(&index, &[], &named);
            let step = steps.iter().find(|step| step.what.contains("`backend-implementation-2`")).unwrap();
            let mut command = format!("backend-implementer apply run-1{incomplete} --branch backend-implementation-2");
            if status == Status::Incomplete {
                command.push_str("\ngit switch backend-implementation-2");
            }
            assert_eq!(step.command.as_deref(), Some(command.as_str()));
        }
    }
}
