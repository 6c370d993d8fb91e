//! The workflow that shows what plans would do, and reports on the merge queue. It approves nothing and runs nothing of the
//! repository's.

use super::{CONFIG_PATH, Config, GENERATED, GenerateError, Roster, Text, WORKFLOW_PATH};

/// Makes the workflow.
pub(super) fn preview(config: &Config, roster: &Roster) -> Result<String, GenerateError> {
    let action = config.workflow.action.as_deref().ok_or(GenerateError::NoAction)?;
    let mut text = Text { out: String::new(), config, roster, action };
    let runner = text.runner();
    text.lines(
        0,
        &format!(
            "{GENERATED} from {CONFIG_PATH}.
# Change that and generate anew; `backend-implementer generate --check` tells in CI whether that was forgotten.
# What was approved runs in a workflow of its own, {WORKFLOW_PATH}.
name: Backend Implementer preview
on:
  pull_request:
    types: [opened, reopened, synchronize, edited, ready_for_review]
  merge_group: # a required check is awaited there, too
    types: [checks_requested]

permissions: {{}}

concurrency: # a newer preview makes an older one useless; nothing in this workflow approves anything
  group: backend-implementer-preview-${{{{ github.event.pull_request.number || github.run_id }}}}
  cancel-in-progress: true

jobs:
  preview:
    name: Preview
    runs-on: {runner}
    timeout-minutes: 20
    permissions:
      contents: read # to fetch the pull request's commits
      actions: read # to see whether a run is at work
      pull-requests: write # for the comment
      checks: write # for the check runs
    steps:
      - name: Preview
        uses: {action}"
        ),
    );
    Ok(text.out)
}
