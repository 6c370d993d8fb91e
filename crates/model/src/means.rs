//! What a plan is done with, and what it may use, in words: for whoever approves it.

use std::collections::BTreeMap;

use crate::{
    config::{AgentKind, Config},
    ids::SubagentName,
    schedule::Schedule,
    text,
};

/// Which agents do the work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ByAgent<'a> {
    /// The kind of agent.
    pub kind: AgentKind,
    /// The subagents whose work it does; empty when it does all of it.
    pub subagents: Vec<&'a SubagentName>,
}

/// Returns which agents do the work of a schedule, in the order of their names.
#[must_use]
pub fn agents<'a>(schedule: &'a Schedule, config: &Config) -> Vec<ByAgent<'a>> {
    let mut by_kind: BTreeMap<AgentKind, Vec<&SubagentName>> = BTreeMap::new();
    for task in &schedule.tasks {
        let names = by_kind.entry(config.kind(&task.subagent)).or_default();
        if !names.contains(&&task.subagent) {
            names.push(&task.subagent);
        }
    }
    let alone = by_kind.len() == 1;
    let of = |(kind, subagents)| ByAgent { kind, subagents: if alone { Vec::new() } else { subagents } };
    by_kind.into_iter().map(of).collect()
}

/// Returns the limits of attempts and of the run, in a line; `None` when there are none beside time.
#[must_use]
pub fn limits(config: &Config) -> Option<String> {
    let limits = &config.limits;
    let number = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    let said = [
        limits.turns.map(|turns| format!("{} an attempt", text::count(number(turns), "turn"))),
        limits.cost.map(|cost| format!("{cost} dollars an attempt")),
        limits.run_cost.map(|cost| format!("{cost} dollars the run")),
        limits.run_minutes.map(|minutes| format!("{} the run", text::count(number(minutes), "minute"))),
    ];
    let said: Vec<_> = said.into_iter().flatten().collect();
    (!said.is_empty()).then(|| said.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::summary::fixture;

    fn config(yaml: &str) -> Config {
        Config::read("c.yml", yaml, &["command", "claude", "codex"]).unwrap()
    }

    #[test]
    fn one_agent_does_it_all_or_each_its_own() {
        let schedule = fixture::complete().schedule;
        let all = agents(&schedule, &config("agent: {kind: claude}"));
        assert_eq!(all.iter().map(|by| by.kind.as_str()).collect::<Vec<_>>(), ["claude"]);
        assert!(all[0].subagents.is_empty());
        let reviewer = "agent: {kind: claude}\nsubagents: {backend-code-quality-reviewer: {kind: codex}}";
        let config = config(reviewer);
        let mixed = agents(&schedule, &config);
        assert_eq!(mixed.iter().map(|by| by.kind.as_str()).collect::<Vec<_>>(), ["claude", "codex"]);
        assert_eq!(mixed[1].subagents[0].as_str(), "backend-code-quality-reviewer");
        assert_eq!(mixed[0].subagents.len() + mixed[1].subagents.len(), 8);
    }

    #[test]
    fn limits_are_said_in_a_line() {
        assert_eq!(limits(&Config::default()), None);
        let all = config("limits: {turns: 1, cost: 2.50, run-cost: 40, run-minutes: 90}");
        assert_eq!(
            limits(&all).unwrap(),
            "1 turn an attempt, 2.5 dollars an attempt, 40 dollars the run, 90 minutes the run"
        );
    }
}
