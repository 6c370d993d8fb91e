//! The jobs that run gates.

use serde_json::Map;

use super::{GenerateError, Secrets, Text, before::Before, latest};
use crate::workflow::stages::Stage;

impl Text<'_> {
    /// The job of the gates: no token that can write, the host's tools.
    pub(super) fn gates(&mut self, stages: &[Stage], at: usize) -> Result<(), GenerateError> {
        let (stage, runner) = (&stages[at], self.runner());
        let (id, name) = (stage.id(), stage.title());
        let before = Before::new(stages, at);
        let (needs, state) = (before.needs.join(", "), &before.state);
        let mut due = format!("({}) == 'true'", latest(stages, at, "gates"));
        if before.unsettled.is_some() {
            // Named one by one: a computed name is what those who hide something write.
            let is_last = |wave: &Stage| {
                let id = wave.id();
                format!("needs.plan.outputs.last == '{id}' && needs.{id}.result == 'success'")
            };
            let last: Vec<_> = stages[..at].iter().map(is_last).collect();
            due = format!("({due} || ({state}) == needs.plan.outputs.state && ({}))", last.join(" || "));
        }
        // Every command of a gate has its own limit; the job only must not be the first to end.
        self.lines(
            2,
            &format!(
                "
{id}:
  name: {name}
  needs: [{needs}]
  if: ${{{{ !cancelled() && {due} }}}}
  runs-on: {runner}
  timeout-minutes: 360
  permissions:
    contents: read # to fetch the commits that it works on
    actions: read # to download what earlier jobs made
  outputs:
    slot-0: ${{{{ steps.collect.outputs.slot-0 }}}}
    settle: ${{{{ steps.collect.outputs.settle }}}}
  steps:"
            ),
        );
        self.setup()?;
        self.prepare(&format!("        tasks: gates\n{}", before.told()));
        let only = before.unsettled.is_some().then_some("steps.prepare.outputs.due != 'false'");
        self.run_gates(only)?;
        self.collect(&format!(
            "        tasks: gates
        slot: 0
        wave: {id}
        due: ${{{{ steps.prepare.outputs.due }}}}
{}",
            before.told()
        ));
        Ok(())
    }

    /// The step that runs the gates.
    pub(super) fn run_gates(&mut self, only: Option<&str>) -> Result<(), GenerateError> {
        let mut gate = Map::from_iter([("name".to_owned(), "Run the gates".into())]);
        gate.extend(only.map(|only| ("if".to_owned(), format!("${{{{ {only} }}}}").into())));
        self.on_host(gate, Map::new(), Secrets::Nobody, "gate")
    }
}
