//! What an attempt is made of: its brief, from everything that the run knows by then, and its limits.

use super::{
    attempt_plan::{AgentTraits, AttemptLimits, AttemptPlan},
    gate_job::gate_commands,
    state::Run,
};
use crate::{
    brief::{self, BriefInput, GateCommand, Made, Rework, Upstream},
    gate::GateKind,
    patch::Blob,
    record::{AttemptEnded, AttemptId, AttemptRecord},
};

impl Run {
    /// Plans an attempt of which the machine said that it starts. `text_of` reads a blob, as far as it is text.
    pub fn plan_attempt(
        &mut self,
        id: AttemptId,
        because: String,
        agent: AgentTraits,
        text_of: impl Fn(&Blob) -> Option<String>,
    ) -> AttemptPlan {
        let task = self.ledger.schedule().task(&id.task);
        let task = task.expect("invariant: only tasks of the schedule start").clone();
        let subagent = self.basis.roster.shared(&task.subagent);
        let subagent = subagent.expect("invariant: a schedule names subagents of its roster");
        let requests = self.calls.requests.remove(&task.id).unwrap_or_default();
        let base = self.head().commit.clone();
        self.know_group();
        let (ledger, config) = (&self.ledger, &self.basis.config);
        let others = ledger.schedule().tasks.iter().filter(|other| other.id != task.id);
        let upstream = others.filter_map(|other| Some(Upstream::new(other, self.known_record(&other.id)?))).collect();
        // Within a group of tasks nothing is integrated, so that all of them hear of the same patches.
        let commits = ledger.commits().iter();
        let integrated = commits.filter_map(|commit| Some((&commit.task, ledger.integrated_patch(commit)?)));
        let earlier = ledger.record(&task.id);
        // Reason, findings and report are told of the last attempt; of those before it, how they ended.
        let last = earlier.and_then(|record| record.last()).map(|attempt| attempt.attempt);
        let own = earlier.iter().flat_map(|record| &record.attempts).map(|attempt| {
            let counts = last == Some(attempt.attempt);
            Rework {
                attempt: attempt.attempt,
                made: Made::InThisRun,
                outcome: attempt.outcome,
                reason: earlier.filter(|_| counts).map_or("", |record| record.reason.as_str()),
                findings: if counts { ledger.findings_about(&task.id) } else { &[] },
                report: attempt.report.as_ref().filter(|_| counts),
                conflicts: &attempt.conflicts,
                sides: sides(attempt, &text_of),
            }
        });
        let mut rework: Vec<_> = self.history.ended_before(&id).map(rework_of_run_before).collect();
        // The latest stands last: what this run keeps is older than what it makes again, and that is older than its own.
        let kept = own.clone().take_while(|own| rework.iter().all(|before| own.attempt < before.attempt)).count();
        let mut own: Vec<_> = own.collect();
        let later = own.split_off(kept);
        own.append(&mut rework);
        own.extend(later);
        let commands =
            |gate| gate_commands(&self.basis.plan, config, gate).into_iter().map(move |(_, argv)| (gate, argv));
        let gates: Vec<_> = GateKind::ALL.into_iter().flat_map(commands).collect();
        let brief = brief::render(&BriefInput {
            plan: &self.basis.plan,
            subagent: &subagent,
            task: &task,
            lock: &self.basis.lock,
            start: &base,
            attempt: id.attempt,
            because: &because,
            upstream,
            integrated: integrated.collect(),
            rework: own,
            requests: &requests,
            manner: agent.manner,
            gates: gates.iter().map(|(gate, argv)| GateCommand { gate: *gate, argv }).collect(),
        });
        AttemptPlan {
            because,
            brief,
            base,
            implementation_base: self.basis.base.commit.clone(),
            rules: self.basis.rules.clone(),
            integrated: ledger.integrated_patches_of(&task.id).cloned().collect(),
            project_settings: agent.project_settings,
            pass_environment: config.environment(&subagent.name).into_iter().map(str::to_owned).collect(),
            limits: AttemptLimits { turns: subagent.max_turns(config), budget: None },
            id,
            task,
            subagent,
        }
    }
}

/// Tells of an attempt of the run before, which is made again.
fn rework_of_run_before(ended: &AttemptEnded) -> Rework<'_> {
    Rework {
        attempt: ended.attempt.attempt,
        made: Made::InRunBefore,
        outcome: ended.attempt.outcome,
        reason: &ended.reason,
        findings: &ended.findings,
        report: ended.attempt.report.as_ref(),
        conflicts: &ended.attempt.conflicts,
        sides: Vec::new(),
    }
}

/// Reads what both sides of an attempt's conflicts have, as far as it is text.
fn sides(attempt: &AttemptRecord, text_of: impl Fn(&Blob) -> Option<String>) -> Vec<(String, String, String)> {
    let conflicts = attempt.conflicts.iter();
    let both = conflicts.filter_map(|conflict| {
        let (ours, theirs) = (text_of(conflict.ours.as_ref()?)?, text_of(conflict.theirs.as_ref()?)?);
        Some((conflict.path.clone(), ours, theirs))
    });
    both.collect()
}
