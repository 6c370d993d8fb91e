//! The step after a step: concludes what a main step that was killed left open.

use implementer_model::{github_ids::InvalidNumber, ids::InvalidId, text};

use super::{
    CLAIMED, CONCLUDED, PullRequestContext, StepEnd, StepError, assignment::DISPATCHED, conversation, dispatch,
    dispatched_run, repository_context,
};
use crate::actions::{self, Runner};

/// The folder in the workspace below which everything of ours is.
const OURS: &str = ".backend-implementer";

/// Concludes what a main step that was killed left open.
pub(super) async fn clean_up(runner: &Runner, note: impl Fn(&str)) -> Result<StepEnd, StepError> {
    give_back(runner);
    if runner.state(CONCLUDED).is_some() {
        note("The run concluded everything itself.");
        return Ok(StepEnd::Done);
    }
    if let Some(started) = runner.state(DISPATCHED) {
        let (github, run) = dispatch::dispatched_run(runner, started)?;
        dispatched_run::end(&github, run).await;
        note(&format!("The step was killed. Run {run}, which it was waiting for, was cancelled."));
        return Ok(StepEnd::Done);
    }
    let Some((number, commit)) = runner.state(CLAIMED).and_then(|claimed| claimed.split_once(' ')) else {
        note("Nothing was begun, so there is nothing to clean up.");
        return Ok(StepEnd::Done);
    };
    let number = number.parse().map_err(|error: InvalidNumber| StepError::SavedState(error.to_string()))?;
    let commit = commit.parse().map_err(|error: InvalidId| StepError::SavedState(error.to_string()))?;
    let pull = PullRequestContext { repository: repository_context(runner, runner.repository()?)?, number };
    let mended = conversation::clean_up(&pull, &commit).await?;
    note(&format!("The run was killed. Concluded for it: {}", text::count(mended, "report")));
    Ok(StepEnd::Done)
}

/// Gives what this container left in the workspace to its owner: a main step that was killed could not do it.
fn give_back(runner: &Runner) {
    let Ok(workspace) = runner.workspace() else { return };
    let ours = workspace.join(OURS);
    if ours.exists()
        && let Err(error) = actions::give_to_owner_of(&workspace, &ours)
    {
        tracing::warn!(%error, "what the step left could not be given to the owner of the workspace");
    }
}
