//! The jobs of the workflow, one function for each kind.

use serde_json::Map;

use super::{GenerateError, Secrets, Text, before::Before, output_of};
use crate::{config::Layout, workflow::stages::Stage};

/// What a token may of the artifacts, and of nothing else.
const READ_EARLIER: &str = "read # to download what earlier jobs made";

/// How a job with a matrix begins.
struct Matrix<'a> {
    id: &'a str,
    title: &'a str,
    needs: &'a [String],
    /// The expression that gives its jobs.
    jobs: &'a str,
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
            Layout::Matrix => {
                let ahead = (2..=self.config.workflow.waves())
                    .map(|number| format!("    matrix-{number}: ${{{{ steps.plan.outputs.matrix-{number} }}}}\n"));
                format!(
                    "    head: ${{{{ steps.plan.outputs.head }}}}
    matrix: ${{{{ steps.plan.outputs.matrix }}}}
{}    last: ${{{{ steps.plan.outputs.last }}}}
{dispatch}    gates: ${{{{ steps.plan.outputs.gates }}}}
",
                    ahead.collect::<String>()
                )
            }
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
        let Matrix { id, title, needs, jobs, runner, contents, actions, step } = matrix;
        let needs = needs.join(", ");
        let parallel = self.config.concurrency();
        self.lines(
            2,
            &format!(
                "
{id}:
  name: \"{title}\"
  needs: [{needs}]
  if: ${{{{ !cancelled() && ({jobs} || '') != '' }}}}
  strategy:
    fail-fast: false
    max-parallel: {parallel}
    matrix:
      include: ${{{{ fromJSON({jobs} || '[]') }}}}
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
    pub(super) fn waiting(&self, stage: &Stage) -> Option<String> {
        stage.dispatch().filter(|_| self.config.workflow.dispatches())
    }

    /// The job of a wave: prepare, the users' set-up, the work, collect.
    pub(super) fn wave(&mut self, stages: &[Stage], at: usize) -> Result<(), GenerateError> {
        let stage = &stages[at];
        let before = Before::new(stages, at);
        let id = stage.id();
        self.matrix(&Matrix {
            id: &id,
            title: &stage.title(),
            needs: &before.needs,
            jobs: &before.matrix,
            runner: "${{ fromJSON(matrix.runs-on) }}",
            contents: "read # to fetch the commits that it works on",
            actions: READ_EARLIER,
            step: "collect",
        });
        let planned = before.planned.as_ref().map(|planned| format!("        planned: ${{{{ {planned} }}}}\n"));
        let planned = planned.unwrap_or_default();
        if !planned.is_empty() {
            self.line("      settle: ${{ steps.collect.outputs.settle }}");
        }
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
        let legs = "        tasks: ${{ matrix.tasks }}";
        self.prepare(&format!("{legs}\n{planned}{}", before.told()));
        let due = if planned.is_empty() { "" } else { " && steps.prepare.outputs.due != 'false'" };
        let mut own = Vec::new();
        for (subagent, special) in config.workflow.subagents.iter().filter(|(_, special)| !special.work.is_empty()) {
            let only = format!("matrix.subagent == '{subagent}'{due}");
            own.push(subagent.to_string());
            for step in &special.work {
                self.step(step, Some(&only))?;
            }
        }
        let mut work = Map::new();
        work.insert("name".to_owned(), "Work".into());
        let list = serde_json::to_string(&own).expect("invariant: a list of texts can be written");
        let only = match own.is_empty() {
            true => due.trim_start_matches(" && ").to_owned(),
            false => format!("!contains(fromJSON('{list}'), matrix.subagent){due}"),
        };
        if !only.is_empty() {
            work.insert("if".to_owned(), format!("${{{{ {only} }}}}").into());
        }
        let tasks = Map::from_iter([("TASKS".to_owned(), "${{ matrix.tasks }}".into())]);
        self.on_host(work, tasks, Secrets::Each, "work --tasks \"$TASKS\"")?;
        self.collect(&format!(
            "{legs}
        slot: ${{{{ matrix.slot }}}}
        wave: {id}
        succeeded: ${{{{ job.status == 'success' }}}}
        due: ${{{{ steps.prepare.outputs.due }}}}
{}",
            before.told()
        ));
        Ok(())
    }

    /// The job that starts the workflows which do work of a wave, and waits for them. It runs nothing of the repository's.
    pub(super) fn dispatch(&mut self, stages: &[Stage], at: usize) {
        let (workflow, action, runner) = (&self.config.workflow, self.action, self.runner());
        let Some(id) = self.waiting(&stages[at]) else { return };
        // Waves with work for it do not follow others without a job between them.
        let before = before(stages, at);
        let mut needs = vec!["plan".to_owned()];
        needs.extend((before != "plan").then(|| before.clone()));
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
            needs: &needs,
            jobs: &output_of(&before, "dispatch"),
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

    /// The job that takes in what the one before made, where that job itself cannot know what comes next. It runs nothing of
    /// the repository's.
    pub(super) fn settle(&mut self, stages: &[Stage], at: usize) {
        let (stage, action, runner) = (&stages[at], self.action, self.runner());
        let (id, work, name) = (stage.settle(), stage.id(), stage.title());
        let (dispatch, waiting) = (self.dispatch_output("settle"), self.waiting(stage));
        let before = Before::new(stages, at);
        let needs = [&before.needs[..], std::slice::from_ref(&work), waiting.as_slice()].concat().join(", ");
        let dispatched = waiting.as_ref().map_or_else(String::new, |waiting| {
            format!("        dispatched: ${{{{ toJSON(needs.{waiting}.outputs) }}}}\n")
        });
        let condition = self.settles(stages, at, waiting.as_deref());
        self.lines(
            2,
            &format!(
                "
{id}:
  name: \"{name}: integrate\"
  needs: [{needs}]
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
{dispatched}{}",
                before.told()
            ),
        );
    }

    /// The condition under which a stage is settled by a job: it made something, and what comes next does not follow from the
    /// plan alone.
    fn settles(&self, stages: &[Stage], at: usize, waiting: Option<&str>) -> String {
        let work = stages[at].id();
        let mut made = format!("needs.{work}.result != 'skipped'");
        if let Some(waiting) = waiting {
            made = format!("({made} || needs.{waiting}.result != 'skipped')");
        }
        let trouble = format!("needs.{work}.result != 'success' || needs.{work}.outputs.settle == 'true'");
        match &stages[at] {
            Stage::Gates { .. } => format!("{made} && ({trouble})"),
            Stage::Wave { round: 0, number } => {
                let mut unplanned = format!("needs.plan.outputs.last != '{work}'");
                if *number < self.config.workflow.waves() {
                    unplanned = format!("needs.plan.outputs.matrix-{} == '' && {unplanned}", number + 1);
                }
                let trouble = if *number == 1 {
                    // Everything is due as the plan has it.
                    format!("needs.{work}.result != 'success'")
                } else {
                    format!("needs.{}.result == 'success' || {trouble}", before(stages, at))
                };
                format!("{made} && ({trouble} || {unplanned})")
            }
            Stage::Wave { .. } => made,
        }
    }
}
