//! The last job: the only one that may write to the pull request.

use super::{Text, before::Before};
use crate::{config::WorkflowConfig, workflow::stages::Stage};

impl Text<'_> {
    /// The writer: it runs no code of the repository's, and its token can comment. What was approved comes from `plan` alone.
    pub(super) fn summarize(&mut self, stages: &[Stage]) {
        let before = Before::the_end(stages);
        // Those that make something, too: the last job waits for them.
        let made = stages.iter().flat_map(|stage| [Some(stage.id()), self.waiting(stage)]).flatten();
        let mut needs = before.needs.clone();
        for job in made {
            if !needs.contains(&job) {
                needs.push(job);
            }
        }
        self.summarize_head(&format!("[{}]", needs.join(", ")));
        // The last gates whose receipts no job has taken in.
        let gates: Vec<_> = stages.iter().rev().filter(|stage| matches!(stage, Stage::Gates { .. })).collect();
        let unsettled = |stage: &Stage, what: &str| {
            let (id, settle) = (stage.id(), stage.settle());
            format!("needs.{id}.result == 'success' && needs.{settle}.result == 'skipped' && {what}")
        };
        let of_gates = |what: fn(&Stage) -> String| {
            let all = gates.iter().map(|stage| unsettled(stage, &what(stage)));
            all.chain(["''".to_owned()]).collect::<Vec<_>>().join(" || ")
        };
        let results = of_gates(|stage| format!("toJSON(needs.{}.outputs)", stage.id()));
        let wave = of_gates(|stage| format!("'{}'", stage.id()));
        let Before { state, head, unsettled, .. } = before;
        let unsettled = unsettled.unwrap_or_else(|| "''".to_owned());
        self.lines(
            2,
            &format!(
                "        state: ${{{{ needs.plan.outputs.state }}}}
        settled: ${{{{ {state} }}}}
        head: ${{{{ {head} }}}}
        unsettled: ${{{{ {unsettled} }}}}
        wave: ${{{{ {wave} }}}}
        results: ${{{{ {results} }}}}
        lock: ${{{{ needs.plan.outputs.lock }}}}"
            ),
        );
        self.summarize_tail();
    }

    /// The beginning of the last job, up to what its step is told of the jobs before.
    pub(super) fn summarize_head(&mut self, needs: &str) {
        let (action, runner) = (self.action, self.runner());
        let WorkflowConfig { branch, on_complete, .. } = &self.config.workflow;
        let contents = if *branch {
            "write # for the branch backend-implementer/pr-N; nothing of the repository is run here"
        } else {
            "read # to fetch the commits that the patches are for"
        };
        let actions = if on_complete.is_some() {
            "write # to start the workflow that comes next"
        } else {
            "read # to download the patches"
        };
        self.lines(
            2,
            &format!(
                "
summarize:
  name: Summarize
  needs: {needs}
  if: ${{{{ always() && needs.plan.outputs.state != '' }}}}
  runs-on: {runner}
  timeout-minutes: 30
  permissions:
    contents: {contents}
    actions: {actions}
    pull-requests: write # for the summary
    checks: write # for the check runs
  steps:
    - name: Was it cancelled? # a job that ran out of time has the result cancelled, too
      id: ended
      if: cancelled()
      run: echo \"by-hand=true\" >> \"$GITHUB_OUTPUT\"
    - name: Summarize
      if: always()
      uses: {action}
      with:
        command: summarize
        cancelled: ${{{{ steps.ended.outputs.by-hand || 'false' }}}}"
            ),
        );
    }

    /// What the last job does beside posting the summary.
    pub(super) fn summarize_tail(&mut self) {
        if self.config.workflow.branch {
            self.line("          branch: true");
        }
        if let Some(workflow) = &self.config.workflow.on_complete {
            self.line(&format!("          on-complete: {workflow}"));
        }
    }
}
