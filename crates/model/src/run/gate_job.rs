//! What a gate runs, and what its commands came to.

use std::time::Duration;

use crate::{
    command,
    config::Config,
    evidence::{
        ask::{self, Seen},
        gathered::GateEvidence,
    },
    gate::{AskedBy, CommandReceipt, GateKind},
    isolation::Level,
    plan::Plan,
    text,
};

/// What one gate has to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GateJob {
    pub gate: GateKind,
    /// The commands, in order, with who asked for them.
    pub commands: Vec<(AskedBy, Vec<String>)>,
    /// Where the commands write JUnit files.
    pub junit: Vec<String>,
    /// How long one command may take.
    pub time_limit: Duration,
    /// Names of the variables that are passed on.
    pub pass_environment: Vec<String>,
}

impl GateJob {
    #[must_use]
    pub fn new(plan: &Plan, config: &Config, gate: GateKind) -> Self {
        Self {
            gate,
            commands: gate_commands(plan, config, gate),
            junit: config.gates.get(&gate).map_or_else(Vec::new, |gate| gate.junit.clone()),
            time_limit: config.gate_time_limit(gate),
            pass_environment: config.pass_environment.clone(),
        }
    }

    /// Makes the job that runs one command alone.
    #[must_use]
    pub fn with_only(config: &Config, gate: GateKind, command: (AskedBy, Vec<String>)) -> Self {
        Self {
            gate,
            commands: vec![command],
            junit: config.gates.get(&gate).map_or_else(Vec::new, |gate| gate.junit.clone()),
            time_limit: config.gate_time_limit(gate),
            pass_environment: config.pass_environment.clone(),
        }
    }

    /// Goes through the programs and arguments that it runs, in order.
    pub fn argvs(&self) -> impl Iterator<Item = &Vec<String>> {
        self.commands.iter().map(|(_, argv)| argv)
    }
}

/// What the commands of one gate came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GateRun {
    pub gate: GateKind,
    /// In milliseconds since the run began.
    pub began_ms: u64,
    /// In milliseconds since the run began.
    pub ended_ms: u64,
    pub commands: Vec<CommandReceipt>,
    /// What was found out beside them.
    pub evidence: GateEvidence,
    /// What kept them apart.
    pub isolation: Option<Level>,
}

/// Lists the commands of a gate with who asked for them: the plan's, then the configuration's. Both count, so that a
/// plan cannot weaken what the repository asks for; what both ask for runs once.
#[must_use]
pub fn gate_commands(plan: &Plan, config: &Config, gate: GateKind) -> Vec<(AskedBy, Vec<String>)> {
    let planned = plan.verification.iter().filter(|command| command.gate == gate).map(|command| command.argv.clone());
    let mut commands: Vec<_> = planned.map(|argv| (AskedBy::Plan, argv)).collect();
    for argv in config.gate_commands(gate) {
        if !commands.iter().any(|(_, other)| *other == argv) {
            commands.push((AskedBy::Configuration, argv));
        }
    }
    commands
}

/// Says in a word or three who asks for a command of a gate: the plan, the configuration or both.
#[must_use]
pub fn asked_for_by(config: &Config, gate: GateKind, command: &(AskedBy, Vec<String>)) -> &'static str {
    let (by, argv) = command;
    match by {
        AskedBy::Plan if config.gate_commands(gate).contains(argv) => "plan and configuration",
        by => by.name(),
    }
}

/// A command of the tests gate whose tests are only counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountedOnly {
    pub asked_by: AskedBy,
    pub argv: Vec<String>,
    /// The runner that it starts, which would say more if the gate started it.
    pub behind: String,
}

impl CountedOnly {
    /// Finds the commands that hide a runner, so that its tests are counted from what it prints and none is known by name.
    /// `read` gives the text of a file of the base.
    #[must_use]
    pub fn all(plan: Option<&Plan>, config: &Config, read: &dyn Fn(&str) -> Option<String>) -> Vec<Self> {
        let commands = match plan {
            Some(plan) => gate_commands(plan, config, GateKind::Tests),
            None => {
                let commands = config.gate_commands(GateKind::Tests).into_iter();
                commands.map(|argv| (AskedBy::Configuration, argv)).collect()
            }
        };
        let counted = |(asked_by, argv): (AskedBy, Vec<String>)| match ask::seen(&argv, read) {
            Seen::Printed { behind: Some(behind) } => Some(Self { asked_by, argv, behind }),
            _ => None,
        };
        commands.into_iter().filter_map(counted).collect()
    }

    /// Says what that means, and what to do.
    #[must_use]
    pub fn said(&self) -> (String, String) {
        let shown = |words: &str| text::code(&text::truncate(words, 120));
        (
            format!(
                "the tests of {} are counted from what is printed, and none is known by name: it starts {}",
                shown(&command::join(&self.argv)),
                shown(&self.behind)
            ),
            format!("name {} itself as the command", shown(&self.behind)),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::roster;

    #[test]
    fn the_plan_comes_first_and_what_both_ask_for_runs_once() {
        let config =
            Config::read("c.yml", "gates:\n  tests:\n    commands: [cargo test, cargo clippy]\n", &["command"])
                .unwrap();
        let roster = roster::load(&[], &config).roster;
        let text = "# P\n\n## Feature\n- x\n\n## Verification\n- tests: `cargo bench`\n- tests: `cargo test`\n";
        let plan = crate::plan::read("p.md", text.as_bytes(), &roster, &crate::plan::Settings::default()).plan.unwrap();
        let all: Vec<_> =
            gate_commands(&plan, &config, GateKind::Tests).into_iter().map(|(by, argv)| (by, argv.join(" "))).collect();
        let expected =
            [(AskedBy::Plan, "cargo bench"), (AskedBy::Plan, "cargo test"), (AskedBy::Configuration, "cargo clippy")];
        assert_eq!(all, expected.map(|(by, argv)| (by, argv.to_owned())));
        let asked: Vec<_> = gate_commands(&plan, &config, GateKind::Tests);
        let by: Vec<_> = asked.iter().map(|asked| asked_for_by(&config, GateKind::Tests, asked)).collect();
        assert_eq!(by, ["plan", "plan and configuration", "configuration"]);
        assert!(gate_commands(&plan, &config, GateKind::Review).is_empty());
    }

    #[test]
    fn a_command_that_hides_a_runner_is_named_with_that_runner() {
        let text = "gates:\n  tests:\n    commands: [make test, pytest, make unit]\n";
        let config = Config::read("c.yml", text, &["command"]).unwrap();
        let makefile = |path: &str| (path == "Makefile").then(|| "test:\n\tjest --ci\nunit:\n\tpytest\n".to_owned());
        let counted = CountedOnly::all(None, &config, &makefile);
        assert_eq!(counted.len(), 1, "{counted:?}");
        let (said, hint) = counted[0].said();
        assert!(said.contains("`make test`") && hint.contains("`jest --ci`"), "{said} {hint}");
    }
}
