//! The step after a step: concludes what a main step that was killed left open.

use implementer_model::{github_ids::InvalidNumber, ids::InvalidId, text};

use super::{
    CLAIMED, CONCLUDED, PullRequestContext, StepEnd, StepError, assignment::DISPATCHED, conversation, dispatch,
    dispatched_run, repository_context,
};
use crate::actions::Runner;

/// Concludes what a main step that was killed left open.
pub(super) async fn clean_up(runner: &Runner, note: impl Fn(&str)) -> Result<StepEnd, StepError> {
    if runner.state(CONCLUDED).is_some() {
        note("The run concluded everything itself.");
        return Ok(StepEnd::Done);
    }
    if let Some(started) = runner.state(DISPATCHED) {
        let (github, run) = dispatch::dispatched_run(runner, started)?;
        dispatched_run::end(&github, run).await;
        note(&format!("The step ended without a word; run {run}, which it was waiting for, was told to end."));
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
    note(&format!("The run ended without a word; concluded for it: {}", text::count(mended, "report")));
    Ok(StepEnd::Done)
}
