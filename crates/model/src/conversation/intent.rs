//! What an event asks for.

use super::{
    command::{self, Command, Retry},
    event::{Actor, Event},
};
use crate::{
    github_ids::{CommentId, PullRequestNumber},
    ids::ObjectId,
    text,
};

/// The events that the action works on, for messages.
const EVENTS: &str = "pull_request, issue_comment, merge_group and workflow_dispatch, or any event with the input `pr`";

/// What a workflow that is started by hand may call the input with the pull request's number.
const PR_FIELDS: [&str; 3] = ["pr", "pull-request", "pull_request"];

/// What happened to a pull request that changes what its plan would do.
const PREVIEWED: [&str; 5] = ["opened", "reopened", "synchronize", "edited", "ready_for_review"];

/// What the action's inputs say.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ActionInputs {
    /// What to do, in place of what the event asks for.
    pub command: Option<ActionCommand>,
    /// The pull request.
    pub pull_request: Option<PullRequestNumber>,
    /// The lock that is approved.
    pub lock: Option<String>,
    /// The task that is to run again.
    pub task: Option<String>,
}

/// What the input `command` can say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActionCommand {
    /// Show what the plan would do.
    Plan,
    /// Run it.
    Run,
    /// Run one task again, and whatever is not finished.
    Retry,
    /// End the run that is at work.
    Cancel,
}

impl ActionCommand {
    /// Reads the input.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "plan" => Some(Self::Plan),
            "run" => Some(Self::Run),
            "retry" => Some(Self::Retry),
            "cancel" => Some(Self::Cancel),
            _ => None,
        }
    }
}

/// Who wants a run, and what they saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// Who.
    pub by: Actor,
    /// The lock that they named.
    pub lock: Option<String>,
    /// When, in RFC 3339.
    pub at: Option<String>,
    /// How.
    pub via: Via,
    /// Who had the workflow run again, where this is a later attempt: they answer for it, too.
    pub run_again_by: Option<Actor>,
}

/// How a run was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Via {
    /// In a comment.
    Comment {
        /// The comment.
        id: CommentId,
    },
    /// With a label.
    Label {
        /// The label.
        name: String,
        /// The pull request's head when it was set.
        head: ObjectId,
        /// Its description when it was set. Untrusted text.
        body: String,
    },
    /// By starting the workflow by hand, which GitHub lets only those do who may push.
    Dispatch,
    /// By another event, with the pull request as an input.
    Input,
    /// On somebody's own machine.
    Local,
}

impl Via {
    /// Says it for people.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Comment { .. } => "comment".to_owned(),
            Self::Label { name, .. } => format!("label {name}"),
            Self::Dispatch => "workflow_dispatch".to_owned(),
            Self::Input => "workflow input".to_owned(),
            Self::Local => "command line".to_owned(),
        }
    }
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Intent {
    /// Show what the plan would do.
    Preview {
        /// The pull request.
        number: PullRequestNumber,
    },
    /// Show it again, because somebody asks for it.
    ShowAgain {
        /// The pull request.
        number: PullRequestNumber,
        /// The comment.
        comment: CommentId,
        /// Who asks.
        by: Actor,
    },
    /// Report the overall check on a commit of the merge queue.
    ReportMergeGroup {
        /// The commit.
        head: ObjectId,
    },
    /// Run it, when the approval holds.
    Run {
        /// The pull request.
        number: PullRequestNumber,
        /// Who wants it.
        approval: Approval,
    },
    /// Run again what did not pass.
    Retry {
        /// The pull request.
        number: PullRequestNumber,
        /// What is run again beside it. Untrusted text.
        retry: Retry,
        /// Who wants it.
        approval: Approval,
    },
    /// End the run that is at work.
    Cancel {
        /// The pull request.
        number: PullRequestNumber,
        /// Who wants it.
        approval: Approval,
    },
    /// Nothing is to be done, which is as it should be.
    Nothing {
        /// Why.
        because: String,
    },
    /// It cannot be done.
    Refused {
        /// Why.
        because: String,
        /// What to do.
        hint: String,
        /// Where to answer: the pull request, the comment, and who wrote it.
        answer: Option<(PullRequestNumber, CommentId, Actor)>,
    },
}

/// Tells what an event asks for.
#[must_use]
pub fn intent(event: &Event, inputs: &ActionInputs) -> Intent {
    match event {
        Event::PullRequest { action, number, head, label, body, at, sender } => {
            if let Some(command) = inputs.command.filter(|command| *command != ActionCommand::Plan) {
                return by_input(command, *number, inputs, sender, Via::Input);
            }
            match (action.as_str(), label) {
                ("labeled", Some(name)) => Intent::Run {
                    number: *number,
                    approval: Approval {
                        by: sender.clone(),
                        lock: None,
                        at: at.clone(),
                        via: Via::Label { name: name.clone(), head: head.clone(), body: body.clone() },
                        run_again_by: None,
                    },
                },
                (action, _) if PREVIEWED.contains(&action) => Intent::Preview { number: *number },
                (action, _) => {
                    nothing(format!("a pull request that was {} is no reason to do anything", shown(action)))
                }
            }
        }
        Event::Comment { action, number, on_pull_request, id, body, author, created_at } => {
            if !on_pull_request {
                return nothing("the comment is on an issue, not on a pull request".to_owned());
            }
            if action != "created" {
                return nothing(format!("a comment that was {} approves nothing; write a new one", shown(action)));
            }
            let approval = |lock| Approval {
                by: author.clone(),
                lock,
                at: Some(created_at.clone()),
                via: Via::Comment { id: *id },
                run_again_by: None,
            };
            let number = *number;
            match command::read(body) {
                None => nothing("the comment is no command".to_owned()),
                Some(Ok(Command::Run { lock })) => Intent::Run { number, approval: approval(lock) },
                Some(Ok(Command::Retry(retry))) => Intent::Retry { number, retry, approval: approval(None) },
                Some(Ok(Command::Plan)) => Intent::ShowAgain { number, comment: *id, by: author.clone() },
                Some(Ok(Command::Cancel)) => Intent::Cancel { number, approval: approval(None) },
                Some(Err(error)) => Intent::Refused {
                    because: error.to_string(),
                    hint: "write a new comment".to_owned(),
                    answer: Some((number, *id, author.clone())),
                },
            }
        }
        Event::MergeGroup { head } => Intent::ReportMergeGroup { head: head.clone() },
        Event::Dispatch { sender, .. } => {
            let field = |name: &str| event.filled_in(name).map(str::to_owned);
            let merged = ActionInputs {
                command: inputs.command.or_else(|| field("command").as_deref().and_then(ActionCommand::parse)),
                pull_request: inputs
                    .pull_request
                    .or_else(|| PR_FIELDS.iter().find_map(|name| field(name))?.trim_start_matches('#').parse().ok()),
                lock: inputs.lock.clone().or_else(|| field("lock")),
                task: inputs.task.clone().or_else(|| field("task")),
            };
            let Some(number) = merged.pull_request else {
                return refused(
                    "the workflow was started by hand without a pull request",
                    "give its number in the input `pr`",
                );
            };
            let default = if merged.task.is_some() { ActionCommand::Retry } else { ActionCommand::Run };
            by_input(merged.command.unwrap_or(default), number, &merged, sender, Via::Dispatch)
        }
        Event::Other { name, .. } if name == "pull_request_target" => refused(
            "`pull_request_target` would put code from the pull request beside this repository's secrets",
            "use `pull_request` for previews, and `issue_comment` for approvals",
        ),
        Event::Other { name, .. } if name.starts_with("pull_request_review") => refused(
            "a review, and a comment on a line of the changes, are no commands",
            "write the command as a comment on the conversation of the pull request, and let the workflow start on `issue_comment`",
        ),
        Event::Other { name, sender } => match (inputs.pull_request, sender) {
            (Some(number), Some(sender)) => {
                by_input(inputs.command.unwrap_or(ActionCommand::Plan), number, inputs, sender, Via::Input)
            }
            _ => refused(
                &format!("the event `{}` names no pull request", text::terminal(name)),
                &format!("this action works on {EVENTS}"),
            ),
        },
    }
}

fn by_input(command: ActionCommand, number: PullRequestNumber, inputs: &ActionInputs, by: &Actor, via: Via) -> Intent {
    let approval = Approval { by: by.clone(), lock: inputs.lock.clone(), at: None, via, run_again_by: None };
    match command {
        ActionCommand::Plan => Intent::Preview { number },
        ActionCommand::Run => Intent::Run { number, approval },
        ActionCommand::Retry => Intent::Retry { number, retry: Retry { task: inputs.task.clone() }, approval },
        ActionCommand::Cancel => Intent::Cancel { number, approval },
    }
}

fn nothing(because: String) -> Intent {
    Intent::Nothing { because }
}

fn refused(because: &str, hint: &str) -> Intent {
    Intent::Refused { because: because.to_owned(), hint: hint.to_owned(), answer: None }
}

fn shown(word: &str) -> String {
    text::truncate(&text::terminal(word), 40)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::conversation::event;

    const SEVEN: PullRequestNumber = PullRequestNumber::new(7);
    const TWELVE: PullRequestNumber = PullRequestNumber::new(12);

    fn asked(name: &str, payload: &serde_json::Value, inputs: &ActionInputs) -> Intent {
        intent(&event::read(name, payload.to_string().as_bytes()).unwrap(), inputs)
    }

    fn comment(action: &str, body: &str) -> serde_json::Value {
        json!({ "action": action, "issue": { "number": 7, "pull_request": {} },
                "comment": { "id": 3, "body": body, "user": { "login": "ada", "type": "User" }, "created_at": "t" } })
    }

    fn sender() -> serde_json::Value {
        json!({ "login": "ada", "type": "User" })
    }

    #[test]
    fn comments_on_pull_requests_are_commands() {
        let none = ActionInputs::default();
        let run = asked("issue_comment", &comment("created", "/implement abcdef012345"), &none);
        let Intent::Run { number, approval } = run else { panic!("{run:?}") };
        assert_eq!(number, SEVEN);
        assert_eq!(
            (approval.lock.as_deref(), approval.via),
            (Some("abcdef012345"), Via::Comment { id: CommentId::new(3) })
        );
        assert!(matches!(asked("issue_comment", &comment("edited", "/implement"), &none), Intent::Nothing { .. }));
        assert!(matches!(asked("issue_comment", &comment("created", "hello"), &none), Intent::Nothing { .. }));
        let wrong = asked("issue_comment", &comment("created", "/implement now"), &none);
        assert!(matches!(wrong, Intent::Refused { answer: Some((SEVEN, _, _)), .. }));
        let mut on_issue = comment("created", "/implement");
        on_issue["issue"]["pull_request"] = json!(null);
        assert!(matches!(asked("issue_comment", &on_issue, &none), Intent::Nothing { .. }));
    }

    #[test]
    fn pull_requests_are_shown_and_labels_run() {
        let none = ActionInputs::default();
        let event = |action: &str| {
            json!({ "action": action, "number": 7, "pull_request": { "head": { "sha": "a".repeat(40) } },
                    "label": { "name": "go" }, "sender": sender() })
        };
        for action in PREVIEWED {
            assert_eq!(asked("pull_request", &event(action), &none), Intent::Preview { number: SEVEN });
        }
        assert!(matches!(asked("pull_request", &event("labeled"), &none), Intent::Run { .. }));
        assert!(matches!(asked("pull_request", &event("closed"), &none), Intent::Nothing { .. }));
    }

    #[test]
    fn a_dispatch_needs_a_pull_request() {
        let none = ActionInputs::default();
        let event = |inputs| json!({ "inputs": inputs, "sender": sender() });
        let given = asked("workflow_dispatch", &event(json!({ "pull_request": "#12", "lock": "" })), &none);
        assert!(matches!(
            given,
            Intent::Run { number: TWELVE, approval: Approval { lock: None, via: Via::Dispatch, .. } }
        ));
        let retry = asked("workflow_dispatch", &event(json!({ "pull-request": 12, "task": "feature" })), &none);
        assert!(matches!(retry, Intent::Retry { number: TWELVE, .. }));
        assert!(matches!(asked("workflow_dispatch", &event(json!(null)), &none), Intent::Refused { .. }));
    }

    #[test]
    fn other_events_need_the_input_and_one_is_never_taken() {
        let event = json!({ "sender": sender() });
        let none = ActionInputs::default();
        let some = ActionInputs { pull_request: Some(SEVEN), command: Some(ActionCommand::Run), ..none.clone() };
        assert!(matches!(asked("push", &event, &some), Intent::Run { number: SEVEN, .. }));
        let Intent::Refused { because, hint, .. } = asked("push", &event, &none) else { panic!() };
        insta::assert_snapshot!(format!("{because}: {hint}"), @"the event `push` names no pull request: this action works on pull_request, issue_comment, merge_group and workflow_dispatch, or any event with the input `pr`");
        assert!(matches!(asked("pull_request_target", &event, &some), Intent::Refused { .. }));
        for review in ["pull_request_review", "pull_request_review_comment", "pull_request_review_thread"] {
            assert!(matches!(asked(review, &event, &some), Intent::Refused { .. }), "{review}");
        }
    }

    #[test]
    fn a_payload_that_is_none_is_an_error() {
        let error = event::read("issue_comment", b"{}").unwrap_err();
        assert!(
            error.to_string().starts_with("the payload of the event `issue_comment` cannot be read: missing field")
        );
    }
}
