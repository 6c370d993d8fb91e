//! The jobs of the layout `one-job`: `plan` (the writer), `work` (reads alone, on the runner itself), `summarize` (the
//! writer again). No job that runs subagents or code of the repository has a token that writes.

use serde_json::Map;

use super::{GenerateError, Secrets, Text};

/// Uploads what the working job keeps. Not our own action: its step comes after the subagents', and a container action is
/// given a token that can do more.
const UPLOAD: &str = "actions/upload-artifact@bbbca2ddaa5d8feaa63e36b76fdaad77386f024f # v7";

/// Where everything of the working job lies: outside of the workspace, which a checkout empties.
const PLACE: &str = "$RUNNER_TEMP/backend-implementer";

impl Text<'_> {
    /// Refuses what only a matrix can do.
    pub(super) fn check_one_job(&self) -> Result<(), GenerateError> {
        for (subagent, special) in &self.config.workflow.subagents {
            let own = [
                ("runs-on", special.runs_on.is_some()),
                ("setup", !special.setup.is_empty()),
                ("work", !special.work.is_empty()),
                ("dispatch", special.dispatch.is_some()),
            ];
            if let Some((key, _)) = own.into_iter().find(|(_, given)| *given) {
                return Err(GenerateError::NeedsMatrix { subagent: subagent.clone(), key });
            }
        }
        Ok(())
    }

    /// The job that does all the work.
    pub(super) fn work(&mut self) -> Result<(), GenerateError> {
        let runner = self.runner();
        let (minutes, end_after) = (self.config.workflow.job_minutes(), self.config.workflow.work_minutes());
        self.lines(
            2,
            &format!(
                "
work:
  name: Work
  needs: [plan]
  if: ${{{{ !cancelled() && needs.plan.outputs.state != '' }}}}
  runs-on: {runner}
  timeout-minutes: {minutes}
  permissions:
    contents: read # to fetch the commits that it works on
    actions: read # to download the state
  outputs:
    work: ${{{{ steps.keep.outputs.artifact-id && format('{{0}}:{{1}}', steps.keep.outputs.artifact-id, steps.keep.outputs.artifact-digest) || '' }}}}
  steps:"
            ),
        );
        // First: a checkout among these steps empties the workspace.
        self.setup()?;
        let state = "        state: ${{ needs.plan.outputs.state }}\n        lock: ${{ needs.plan.outputs.lock }}";
        self.own_step("name: Prepare", "prepare", &format!("        tasks: all\n{state}"));
        let step = Map::from_iter([("name".to_owned(), "Work".into())]);
        let command = format!("work --earlier \"{PLACE}/earlier\" --out \"{PLACE}/work\" --end-after {end_after}m");
        self.on_host_in(step, Map::new(), Secrets::All, PLACE, &command)?;
        self.lines(
            2,
            &format!(
                "    - name: Keep what is finished
      id: keep
      if: always()
      uses: {UPLOAD}
      with:
        name: backend-implementer-work-attempt-${{{{ github.run_attempt }}}}
        path: ${{{{ runner.temp }}}}/backend-implementer/work/kept
        if-no-files-found: ignore
    - name: Keep briefs, logs and reports
      if: always()
      uses: {UPLOAD}
      with:
        name: backend-implementer-logs-attempt-${{{{ github.run_attempt }}}}
        path: ${{{{ runner.temp }}}}/backend-implementer/work/run
        include-hidden-files: true
        if-no-files-found: ignore"
            ),
        );
        Ok(())
    }

    /// The job that runs the final gates once more, on a machine on which no subagent ever ran.
    pub(super) fn gates_again(&mut self) -> Result<(), GenerateError> {
        let runner = self.runner();
        let state = "        state: ${{ needs.plan.outputs.state }}
        work: ${{ needs.work.outputs.work }}
        lock: ${{ needs.plan.outputs.lock }}";
        self.lines(
            2,
            &format!(
                "
gates:
  name: Gates
  needs: [plan, work]
  if: ${{{{ !cancelled() && needs.work.result == 'success' }}}}
  runs-on: {runner}
  timeout-minutes: 360
  permissions:
    contents: read # to fetch the commits that it works on
    actions: read # to download what the working job kept
  outputs:
    slot-0: ${{{{ steps.collect.outputs.slot-0 }}}}
  steps:"
            ),
        );
        self.setup()?;
        self.own_step("name: Prepare", "prepare", &format!("        tasks: gates\n{state}"));
        self.run_gates(None)?;
        self.collect(&format!("        tasks: gates\n        slot: 0\n        wave: gates\n{state}"));
        Ok(())
    }

    /// The last job: what was approved comes from `plan` alone, records and objects from `work`.
    pub(super) fn summarize_one_job(&mut self) {
        let again = self.config.workflow.repeat_gates;
        let needs = if again { "[plan, work, gates]" } else { "[plan, work]" };
        self.summarize_head(needs);
        self.lines(
            2,
            "        state: ${{ needs.plan.outputs.state }}
        work: ${{ needs.work.outputs.work }}
        work-result: ${{ needs.work.result }}
        lock: ${{ needs.plan.outputs.lock }}",
        );
        if again {
            self.line("          wave: gates");
            self.line("          results: ${{ needs.gates.result != 'skipped' && toJSON(needs.gates.outputs) || '' }}");
        }
        self.summarize_tail();
    }
}
