//! What the event that started the workflow asks for.

use implementer_model::{
    config::AgentKind,
    conversation::{
        event::{self, Actor},
        intent::{self, ActionCommand, ActionInputs, Intent},
        replies,
    },
    github_ids::PullRequestNumber,
};

use super::{Step, StepEnd, StepError, conversation};
use crate::{actions::RunnerError, agent, execution, github::Reaction};

impl Step<'_> {
    pub(super) fn act_on_event(&self) -> Result<StepEnd, StepError> {
        let name = self.runner.event_name()?;
        let event = event::read(name, &self.runner.event()?)?;
        if let Some(agent) = self.agent_kind(event.filled_in("agent"))? {
            // Set once: a step acts once.
            let _ = self.agent.set(agent);
        }
        match self.with_who_ran_it_again(intent::intent(&event, &self.inputs()?))? {
            Intent::Nothing { because } => {
                self.log.line(&format!("Nothing to do: {because}"));
                self.runner.set_output("status", "nothing")?;
                Ok(StepEnd::Done)
            }
            Intent::Refused { because, hint, answer } => {
                self.runner.set_output("status", "refused")?;
                if let Some((number, comment, author)) = answer {
                    let pull = self.pull_request(number)?;
                    self.runtime.block_on(async {
                        let _ = pull.github().react(comment, Reaction::Confused).await;
                        let reply = replies::refusal(&author.login, &because, &hint);
                        pull.github().post_comment(number, &reply).await
                    })?;
                }
                Err(StepError::Refused { because, hint })
            }
            Intent::Preview { number } => self.preview(number, None),
            Intent::ShowAgain { number, comment, by } => self.preview(number, Some((comment, &by.login))),
            Intent::ReportMergeGroup { head } => {
                self.runtime.block_on(conversation::report_merge_group(&self.repository()?, &head))?;
                self.log.line(&format!("Reported on {head}: every pull request of the group has its own check"));
                self.runner.set_output("status", "nothing")?;
                Ok(StepEnd::Done)
            }
            Intent::Run { number, approval } if self.fans_out()? => self.begin(number, &approval, None),
            Intent::Retry { number, retry, approval } if self.fans_out()? => {
                self.log.line(&retry.to_string());
                self.begin(number, &approval, Some(&retry))
            }
            Intent::Run { number, approval } => self.run(number, &approval, None),
            Intent::Retry { number, retry, approval } => {
                self.log.line(&retry.to_string());
                self.run(number, &approval, Some(retry))
            }
            Intent::Cancel { number, approval } => {
                let pull = self.pull_request(number)?;
                let options = self.plan_options()?;
                let scratch = execution::scratch()?;
                let said = self.runtime.block_on(conversation::cancel(&pull, &approval, &options, scratch.path()))?;
                self.log.line(&said);
                self.runner.set_output("status", "nothing")?;
                self.tell_usage(pull.github());
                Ok(StepEnd::Done)
            }
        }
    }

    /// Notes who had the workflow run again: whoever caused its first attempt has no part in that.
    fn with_who_ran_it_again(&self, mut intent: Intent) -> Result<Intent, StepError> {
        let (Intent::Run { approval, .. } | Intent::Retry { approval, .. } | Intent::Cancel { approval, .. }) =
            &mut intent
        else {
            return Ok(intent);
        };
        if self.runner.attempt()? > 1 {
            let login = self.runner.triggering_actor()?.to_owned();
            approval.run_again_by = Some(Actor { is_bot: login.ends_with("[bot]"), login });
        }
        Ok(intent)
    }

    /// Returns the pull request on which the event that started the workflow runs something.
    pub(super) fn number_of_event(&self) -> Result<Option<PullRequestNumber>, StepError> {
        let event = event::read(self.runner.event_name()?, &self.runner.event()?)?;
        let pull_request = self.runner.number("pr")?.map(PullRequestNumber::new);
        let inputs = ActionInputs { pull_request, ..ActionInputs::default() };
        Ok(match intent::intent(&event, &inputs) {
            Intent::Run { number, .. } | Intent::Retry { number, .. } => Some(number),
            _ => None,
        })
    }

    /// Tells whether a run is begun as a fan-out, and not done here.
    fn fans_out(&self) -> Result<bool, RunnerError> {
        match self.runner.input("fan-out") {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(value) => {
                Err(RunnerError::Input { name: "fan-out", value: value.to_owned(), wanted: "give true or false" })
            }
        }
    }

    /// Returns the kind of agent that was asked for, by the action's input or by whoever started the workflow by hand.
    fn agent_kind(&self, filled_in: Option<&str>) -> Result<Option<AgentKind>, RunnerError> {
        let Some(name) = self.runner.input("agent").or(filled_in) else { return Ok(None) };
        let wanted = "there is no such agent; `backend-implementer run --help` lists those that there are";
        let kind = AgentKind::parse(name, &agent::kinds());
        kind.map(Some).ok_or_else(|| RunnerError::Input { name: "agent", value: name.to_owned(), wanted })
    }

    fn inputs(&self) -> Result<ActionInputs, RunnerError> {
        let command = self.runner.input("command").filter(|command| *command != "auto");
        let wanted = "leave it out, or give plan, run, retry or cancel (or a job of a fan-out: prepare, collect, settle, summarize)";
        let command = command
            .map(|value| {
                ActionCommand::parse(value).ok_or(RunnerError::Input {
                    name: "command",
                    value: value.to_owned(),
                    wanted,
                })
            })
            .transpose()?;
        let own = |name| self.runner.input(name).map(str::to_owned);
        let pull_request = self.runner.number("pr")?.map(PullRequestNumber::new);
        Ok(ActionInputs { command, pull_request, lock: own("lock"), task: own("task") })
    }
}
