//! What a subagent is told: the brief, from everything that the run knows by then.

use implementer_model::{
    brief::{self, BriefInput, GateCommand, Rework, Upstream},
    gate::{self, GateKind},
    roster::Subagent,
    schedule::Task,
};

use super::Run;
use crate::intake::Intake;

impl Run {
    /// Renders the brief of an attempt.
    pub(super) fn brief(&self, task: &Task, subagent: &Subagent, attempt: u32) -> String {
        let Intake { plan, config, schedule, lock, .. } = &self.intake;
        let upstream = schedule
            .tasks
            .iter()
            .filter(|other| other.id != task.id)
            .filter_map(|other| Some(Upstream::new(other, self.records.get(&other.id)?)))
            .collect();
        let earlier = self.records.get(&task.id);
        let rework = earlier.iter().flat_map(|record| &record.attempts).map(|attempt| Rework {
            attempt: attempt.attempt,
            outcome: attempt.outcome,
            reason: earlier.map_or("", |record| record.reason.as_str()),
            findings: self.findings.get(&task.id).map_or(&[], Vec::as_slice),
            conflicts: &attempt.conflicts,
        });
        let commands = |kind| gate::commands(plan, config, kind).into_iter().map(move |(_, argv)| (kind, argv));
        let gates: Vec<_> = GateKind::ALL.into_iter().flat_map(commands).collect();
        brief::render(&BriefInput {
            plan,
            subagent,
            task,
            lock,
            start: &self.head.commit,
            attempt,
            upstream,
            rework: rework.collect(),
            gates: gates.iter().map(|(gate, argv)| GateCommand { gate: *gate, argv }).collect(),
        })
    }
}
