//! What a job of a matrix is told of the jobs before it, as expressions.
//!
//! While everything passes, the waves of the plan follow each other, and every job takes in by itself what the waves before
//! made (`unsettled`). The first job that settles something, because there was more to do than the plan says, ends that:
//! from there on every wave is settled by a job.

use super::{latest, output_of};
use crate::workflow::stages::Stage;

/// What the jobs of a stage are told.
pub(super) struct Before {
    /// The jobs that it waits for.
    pub(super) needs: Vec<String>,
    pub(super) state: String,
    pub(super) head: String,
    /// The outputs of the waves that no job has settled, as a JSON list; none where there can be no such wave.
    pub(super) unsettled: Option<String>,
    /// The jobs of the wave; nothing for the gates.
    pub(super) matrix: String,
    /// The jobs of the wave as the plan has them, where nothing was settled before.
    pub(super) planned: Option<String>,
}

impl Before {
    /// Says what the jobs of the stage at `at` are told.
    pub(super) fn new(stages: &[Stage], at: usize) -> Self {
        match &stages[at] {
            Stage::Wave { round: 0, number } if *number > 1 => Self::wave_of_the_plan(stages, at, *number),
            Stage::Wave { .. } => {
                let before = stages[..at].last().map_or_else(|| "plan".to_owned(), Stage::settle);
                let mut needs = vec!["plan".to_owned()];
                needs.extend((before != "plan").then(|| before.clone()));
                Self {
                    needs,
                    state: format!("needs.{before}.outputs.state"),
                    head: format!("needs.{before}.outputs.head"),
                    unsettled: None,
                    matrix: output_of(&before, "matrix"),
                    planned: None,
                }
            }
            Stage::Gates { round } => {
                let waves = if *round == 0 { at } else { 0 };
                Self { unsettled: unsettled_by_anybody(stages, at, waves), ..Self::latest(stages, at, waves) }
            }
        }
    }

    /// Says what the last job is told.
    pub(super) fn the_end(stages: &[Stage]) -> Self {
        let waves = stages.iter().take_while(|stage| matches!(stage, Stage::Wave { .. })).count();
        let end = stages.len();
        Self { unsettled: unsettled_by_anybody(stages, end, waves), ..Self::latest(stages, end, waves) }
    }

    fn latest(stages: &[Stage], at: usize, waves: usize) -> Self {
        let needs = ["plan".to_owned()].into_iter().chain(stages[..waves].iter().map(Stage::id));
        Self {
            needs: needs.chain(stages[..at].iter().map(Stage::settle)).collect(),
            state: latest(stages, at, "state"),
            head: latest(stages, at, "head"),
            unsettled: None,
            matrix: String::new(),
            planned: None,
        }
    }

    fn wave_of_the_plan(stages: &[Stage], at: usize, number: u64) -> Self {
        let (wave, settle) = (stages[at - 1].id(), stages[at - 1].settle());
        let settled = |output: &str| format!("needs.{settle}.result == 'success' && needs.{settle}.outputs.{output}");
        let planned = format!("needs.plan.outputs.matrix-{number}");
        let needs = ["plan".to_owned()].into_iter().chain(stages[..at].iter().map(Stage::id));
        let unless_settled = |what: &str| format!("needs.{settle}.result != 'success' && {what} || ''");
        Self {
            needs: needs.chain([settle.clone()]).collect(),
            state: format!("{} || needs.plan.outputs.state", settled("state")),
            head: format!("{} || needs.plan.outputs.head", settled("head")),
            unsettled: Some(unless_settled(&outputs(&stages[..at]))),
            matrix: format!(
                "{} || needs.{settle}.result == 'skipped' && needs.{wave}.result == 'success' && {planned}",
                settled("matrix")
            ),
            planned: Some(unless_settled(&planned)),
        }
    }
}

/// An expression that gives the outputs of waves as a JSON list, and `null` for those that were not needed.
fn outputs(waves: &[Stage]) -> String {
    let places: Vec<_> = (0..waves.len()).map(|at| format!("{{{at}}}")).collect();
    let outputs = waves.iter().map(|wave| {
        let id = wave.id();
        format!("needs.{id}.result == 'skipped' && 'null' || toJSON(needs.{id}.outputs)")
    });
    format!("format('[{}]', {})", places.join(", "), outputs.collect::<Vec<_>>().join(", "))
}

/// An expression that gives the outputs of the first `waves` where no job before `at` has settled anything.
fn unsettled_by_anybody(stages: &[Stage], at: usize, waves: usize) -> Option<String> {
    let state = latest(stages, at, "state");
    (waves > 0).then(|| format!("({state}) == needs.plan.outputs.state && {} || ''", outputs(&stages[..waves])))
}

impl Before {
    /// The inputs that tell a step what the jobs before made.
    pub(super) fn told(&self) -> String {
        let Before { state, head, unsettled, .. } = self;
        let unsettled = unsettled.as_ref().map(|unsettled| format!("        unsettled: ${{{{ {unsettled} }}}}\n"));
        format!(
            "        state: ${{{{ {state} }}}}
        head: ${{{{ {head} }}}}
{}        lock: ${{{{ needs.plan.outputs.lock }}}}",
            unsettled.unwrap_or_default()
        )
    }
}
