//! What a subagent is told: the brief, from everything that the run knows by then.

use implementer_model::{
    brief::{self, BriefInput, GateCommand, Rework, Upstream},
    gate::{self, GateKind},
    handoff::AttemptRecord,
    patch::Blob,
    roster::Subagent,
    schedule::Task,
};

use super::Run;
use crate::intake::Intake;

impl Run {
    /// Renders the brief of an attempt.
    pub(super) fn brief(&mut self, task: &Task, subagent: &Subagent, attempt: u32) -> String {
        self.settle();
        let requests = self.requests.remove(&task.id).unwrap_or_default();
        let Intake { plan, config, schedule, lock, .. } = &self.intake;
        let upstream = schedule
            .tasks
            .iter()
            .filter(|other| other.id != task.id)
            .filter_map(|other| Some(Upstream::new(other, self.settled.get(&other.id)?)))
            .collect();
        let earlier = self.records.get(&task.id);
        // Reason and findings are kept of the last attempt; of those before it, how they ended.
        let last = earlier.and_then(|record| record.last()).map(|attempt| attempt.attempt);
        let rework = earlier.iter().flat_map(|record| &record.attempts).map(|attempt| Rework {
            attempt: attempt.attempt,
            outcome: attempt.outcome,
            reason: earlier.filter(|_| last == Some(attempt.attempt)).map_or("", |record| record.reason.as_str()),
            findings: match self.findings.get(&task.id) {
                Some(findings) if last == Some(attempt.attempt) => findings,
                _ => &[],
            },
            conflicts: &attempt.conflicts,
            sides: self.sides(attempt),
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
            requests: &requests,
            manner: self.shop.agents.of(&subagent.name).map(|agent| agent.manner()).unwrap_or_default(),
            gates: gates.iter().map(|(gate, argv)| GateCommand { gate: *gate, argv }).collect(),
        })
    }

    /// Takes note of what is done when a group of tasks begins. Briefs speak of that, and not of what a sibling may have
    /// done in the meantime: the same run has the same briefs, whoever is quicker.
    fn settle(&mut self) {
        let begun = self.machine.groups_begun();
        if std::mem::replace(&mut self.settled_for, begun) != begun {
            self.settled.clone_from(&self.records);
        }
    }

    /// Reads what both sides of an attempt's conflicts have, as far as it is text.
    fn sides(&self, attempt: &AttemptRecord) -> Vec<(String, String, String)> {
        let text = |blob: &Option<Blob>| {
            let bytes = self.shop.store.read_blob(&blob.as_ref()?.id).ok()?;
            String::from_utf8(bytes).ok()
        };
        let conflicts = attempt.conflicts.iter();
        let sides = conflicts
            .filter_map(|conflict| Some((conflict.path.clone(), text(&conflict.ours)?, text(&conflict.theirs)?)));
        sides.collect()
    }
}
