//! The jobs of the workflow, one function for each kind.

use serde_json::Map;

use super::{GenerateError, Secrets, Text, latest, output_of};
use crate::{
    config::{Layout, WorkflowConfig},
    workflow::stages::Stage,
};

/// What a token may of the artifacts, and of nothing else.
const READ_EARLIER: &str = "read # to download what earlier jobs made";

/// How a job with a matrix begins.
struct Matrix<'a> {
    id: &'a str,
    title: &'a str,
    /// The job whose output has the matrix.
    before: &'a str,
    /// That output.
    output: &'a str,
    runner: &'a str,
    contents: &'a str,
    actions: &'a str,
    /// The step that says what was uploaded.
    step: &'a str,
}

/// The job that settled what came before the stage at `at`.
fn before(stages: &[Stage], at: usize) -> String {
    stages[..at].last().map_or_else(|| "plan".to_owned(), Stage::settle)
}

impl Text<'_> {
    pub(super) fn plan(&mut self) {
        let (runner, action, dispatch) = (self.runner(), self.action, self.dispatch_output("plan"));
        let may_be_meant = self.may_be_meant();
        let layout = self.config.workflow.layout;
        let waves = match layout {
            Layout::OneJob => String::new(),
            Layout::Matrix => format!(
                "    head: ${{{{ steps.plan.outputs.head }}}}
    matrix: ${{{{ steps.plan.outputs.matrix }}}}
{dispatch}    gates: ${{{{ steps.plan.outputs.gates }}}}
"
            ),
        };
        let layout = layout.name();
        self.lines(
            2,
            &format!(
                "plan:
  name: Plan
  if: {may_be_meant}
  runs-on: {runner}
  timeout-minutes: 20
  permissions:
    contents: read # to fetch the pull request's commits
    pull-requests: write # for the comment, answers and reactions
    checks: write # for the check runs
    actions: write # for /implement cancel
  outputs:
    state: ${{{{ steps.plan.outputs.state }}}}
    lock: ${{{{ steps.plan.outputs.lock }}}}
{waves}  steps:
    - name: Plan
      id: plan
      uses: {action}
      with:
        fan-out: true
        layout: {layout}"
            ),
        );
    }

    /// The beginning of a job with a matrix, up to its outputs: one for each slot, so that every job of it has a word.
    fn matrix(&mut self, matrix: &Matrix<'_>) {
        let Matrix { id, title, before, output, runner, contents, actions, step } = matrix;
        let made = output_of(before, output);
        let needs = if *before == "plan" { "[plan]".to_owned() } else { format!("[plan, {before}]") };
        let parallel = self.config.concurrency();
        self.lines(
            2,
            &format!(
                "
{id}:
  name: \"{title}\"
  needs: {needs}
  if: ${{{{ !cancelled() && ({made} || '') != '' }}}}
  strategy:
    fail-fast: false
    max-parallel: {parallel}
    matrix:
      include: ${{{{ fromJSON({made} || '[]') }}}}
  runs-on: {runner}
  timeout-minutes: ${{{{ fromJSON(matrix.timeout) }}}}
  permissions:
    contents: {contents}
    actions: {actions}
  outputs:"
            ),
        );
        for slot in 0..self.config.workflow.jobs_per_wave() {
            self.line(&format!("      slot-{slot}: ${{{{ steps.{step}.outputs.slot-{slot} }}}}"));
        }
    }

    /// The job that waits for workflows which do work of a wave; none where none does.
    fn waiting(&self, stage: &Stage) -> Option<String> {
        stage.dispatch().filter(|_| self.config.workflow.dispatches())
    }

    /// The job of a wave: prepare, the users' set-up, the work, collect.
    pub(super) fn wave(&mut self, stages: &[Stage], at: usize) -> Result<(), GenerateError> {
        let (stage, action) = (&stages[at], self.action);
        let before = before(stages, at);
        let id = stage.id();
        self.matrix(&Matrix {
            id: &id,
            title: &stage.title(),
            before: &before,
            output: "matrix",
            runner: "${{ fromJSON(matrix.runs-on) }}",
            contents: "read # to fetch the commits that it works on",
            actions: READ_EARLIER,
            step: "collect",
        });
        self.line("    steps:");
        // First: a checkout among these steps empties the workspace.
        self.setup()?;
        let config = self.config;
        for (subagent, special) in &config.workflow.subagents {
            let only = format!("matrix.subagent == '{subagent}'");
            for step in &special.setup {
                self.step(step, Some(&only))?;
            }
        }
        self.lines(
            2,
            &format!(
                "    - name: Prepare
      uses: {action}
      with:
        command: prepare
        tasks: ${{{{ matrix.tasks }}}}
        state: ${{{{ needs.{before}.outputs.state }}}}
        head: ${{{{ needs.{before}.outputs.head }}}}
        lock: ${{{{ needs.plan.outputs.lock }}}}"
            ),
        );
        let mut own = Vec::new();
        for (subagent, special) in config.workflow.subagents.iter().filter(|(_, special)| !special.work.is_empty()) {
            let only = format!("matrix.subagent == '{subagent}'");
            own.push(subagent.to_string());
            for step in &special.work {
                self.step(step, Some(&only))?;
            }
        }
        let mut work = Map::new();
        work.insert("name".to_owned(), "Work".into());
        if !own.is_empty() {
            let list = serde_json::to_string(&own).unwrap_or_default();
            work.insert("if".to_owned(), format!("${{{{ !contains(fromJSON('{list}'), matrix.subagent) }}}}").into());
        }
        let tasks = Map::from_iter([("TASKS".to_owned(), "${{ matrix.tasks }}".into())]);
        self.on_host(work, tasks, Secrets::Each, "work --tasks \"$TASKS\"")?;
        self.lines(
            2,
            &format!(
                "    - name: Collect
      id: collect
      if: always()
      uses: {action}
      with:
        command: collect
        tasks: ${{{{ matrix.tasks }}}}
        slot: ${{{{ matrix.slot }}}}
        wave: {id}
        succeeded: ${{{{ job.status == 'success' }}}}
        state: ${{{{ needs.{before}.outputs.state }}}}
        head: ${{{{ needs.{before}.outputs.head }}}}
        lock: ${{{{ needs.plan.outputs.lock }}}}"
            ),
        );
        Ok(())
    }

    /// The job that starts the workflows which do work of a wave, and waits for them. It runs nothing of the repository's.
    pub(super) fn dispatch(&mut self, stages: &[Stage], at: usize) {
        let (workflow, action, runner) = (&self.config.workflow, self.action, self.runner());
        let Some(id) = self.waiting(&stages[at]) else { return };
        let before = before(stages, at);
        let started =
            || workflow.subagents.iter().filter_map(|(name, special)| Some((name, special.dispatch.as_ref()?)));
        let actions = if started().any(|(_, dispatch)| dispatch.token.is_none()) {
            "write # to start workflows and to end them"
        } else {
            READ_EARLIER
        };
        self.matrix(&Matrix {
            id: &id,
            title: &format!("{}, dispatched", stages[at].title()),
            before: &before,
            output: "dispatch",
            runner: &runner,
            contents: "read # to fetch the commits that the work is for",
            actions,
            step: "dispatch",
        });
        let wave = stages[at].id();
        self.lines(
            2,
            &format!(
                "  steps:
    - name: Dispatch
      id: dispatch
      uses: {action}
      with:
        command: dispatch
        tasks: ${{{{ matrix.tasks }}}}
        slot: ${{{{ matrix.slot }}}}
        wave: {wave}
        state: ${{{{ needs.{before}.outputs.state }}}}
        head: ${{{{ needs.{before}.outputs.head }}}}
        lock: ${{{{ needs.plan.outputs.lock }}}}"
            ),
        );
        let tokens: Vec<_> = started()
            .filter_map(|(name, dispatch)| {
                let token = dispatch.token.as_ref()?;
                Some(format!("matrix.subagent == '{name}' && secrets.{token}"))
            })
            .collect();
        if !tokens.is_empty() {
            self.line(&format!("          dispatch-token: ${{{{ {} || '' }}}}", tokens.join(" || ")));
        }
    }

    /// The job of the gates: no token that can write, the host's tools.
    pub(super) fn gates(&mut self, stages: &[Stage], at: usize) -> Result<(), GenerateError> {
        let (stage, action, runner) = (&stages[at], self.action, self.runner());
        let (id, name) = (stage.id(), stage.title());
        let needs = self.needs(&stages[..at]);
        let (state, head, due) = (latest(stages, at, "state"), latest(stages, at, "head"), latest(stages, at, "gates"));
        // Every command of a gate has its own limit; the job only must not be the first to end.
        self.lines(
            2,
            &format!(
                "
{id}:
  name: {name}
  needs: {needs}
  if: ${{{{ !cancelled() && ({due}) == 'true' }}}}
  runs-on: {runner}
  timeout-minutes: 360
  permissions:
    contents: read # to fetch the commits that it works on
    actions: read # to download what earlier jobs made
  outputs:
    slot-0: ${{{{ steps.collect.outputs.slot-0 }}}}
  steps:"
            ),
        );
        self.setup()?;
        self.lines(
            2,
            &format!(
                "    - name: Prepare
      uses: {action}
      with:
        command: prepare
        tasks: gates
        state: ${{{{ {state} }}}}
        head: ${{{{ {head} }}}}
        lock: ${{{{ needs.plan.outputs.lock }}}}"
            ),
        );
        self.run_gates()?;
        self.lines(
            2,
            &format!(
                "    - name: Collect
      id: collect
      if: always()
      uses: {action}
      with:
        command: collect
        tasks: gates
        slot: 0
        wave: {id}
        state: ${{{{ {state} }}}}
        head: ${{{{ {head} }}}}
        lock: ${{{{ needs.plan.outputs.lock }}}}"
            ),
        );
        Ok(())
    }

    /// The job that takes in what the one before made. It runs nothing of the repository's.
    pub(super) fn settle(&mut self, stages: &[Stage], at: usize) {
        let (stage, action, runner) = (&stages[at], self.action, self.runner());
        let (id, work, name) = (stage.settle(), stage.id(), stage.title());
        let dispatch = self.dispatch_output("settle");
        let waiting = self.waiting(stage);
        let mut needs: Vec<Stage> = stages[..at].to_vec();
        let (state, head) = (latest(stages, at, "state"), latest(stages, at, "head"));
        let condition = match stage {
            Stage::Wave { .. } => {
                let before = before(stages, at);
                needs.drain(..needs.len().saturating_sub(1));
                let made = format!("({} || '') != ''", output_of(&before, "matrix"));
                match &waiting {
                    None => made,
                    Some(_) => format!("({made} || ({} || '') != '')", output_of(&before, "dispatch")),
                }
            }
            Stage::Gates { .. } => format!("({}) == 'true'", latest(stages, at, "gates")),
        };
        let (state, head) = match stage {
            Stage::Wave { .. } => {
                let before = before(stages, at);
                (format!("needs.{before}.outputs.state"), format!("needs.{before}.outputs.head"))
            }
            Stage::Gates { .. } => (state, head),
        };
        let needs = self.needs_and(&needs, &[Some(work.clone()), waiting.clone()]);
        let dispatched = waiting.map_or_else(String::new, |waiting| {
            format!("        dispatched: ${{{{ toJSON(needs.{waiting}.outputs) }}}}\n")
        });
        self.lines(
            2,
            &format!(
                "
{id}:
  name: \"{name}: integrate\"
  needs: {needs}
  if: ${{{{ !cancelled() && {condition} }}}}
  runs-on: {runner}
  timeout-minutes: 30
  permissions:
    contents: read # to fetch the commits that the patches are for
    actions: read # to download the patches
  outputs:
    state: ${{{{ steps.settle.outputs.state }}}}
    head: ${{{{ steps.settle.outputs.head }}}}
    matrix: ${{{{ steps.settle.outputs.matrix }}}}
{dispatch}    gates: ${{{{ steps.settle.outputs.gates }}}}
  steps:
    - name: Integrate
      id: settle
      uses: {action}
      with:
        command: settle
        wave: {work}
        results: ${{{{ toJSON(needs.{work}.outputs) }}}}
{dispatched}        state: ${{{{ {state} }}}}
        head: ${{{{ {head} }}}}
        lock: ${{{{ needs.plan.outputs.lock }}}}"
            ),
        );
    }

    /// The step that runs the gates.
    pub(super) fn run_gates(&mut self) -> Result<(), GenerateError> {
        let gate = Map::from_iter([("name".to_owned(), "Run the gates".into())]);
        self.on_host(gate, Map::new(), Secrets::Nobody, "gate")
    }

    /// The writer: it runs no code of the repository's, and its token can comment. What was approved comes from `plan` alone.
    pub(super) fn summarize(&mut self, stages: &[Stage]) {
        let end = stages.len();
        // Those that make something, too: the last job waits for them.
        let made = |stage: &Stage| [Some(stage.id()), self.waiting(stage)];
        let needs = self.needs_and(stages, &stages.iter().flat_map(made).collect::<Vec<_>>());
        self.summarize_head(&needs);
        let (state, head) = (latest(stages, end, "state"), latest(stages, end, "head"));
        self.lines(
            2,
            &format!(
                "        state: ${{{{ needs.plan.outputs.state }}}}
        settled: ${{{{ {state} }}}}
        head: ${{{{ {head} }}}}
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
