//! What a gate runs.

use super::{AskedBy, GateKind};
use crate::{config::Config, plan::Plan};

/// Lists the commands of a gate with who asked for them: the plan's, then the configuration's. Both count, so that a
/// plan cannot weaken what the repository asks for; what both ask for runs once.
#[must_use]
pub fn commands(plan: &Plan, config: &Config, gate: GateKind) -> Vec<(AskedBy, Vec<String>)> {
    let planned = plan.verification.iter().filter(|command| command.gate == gate).map(|command| command.argv.clone());
    let mut commands: Vec<_> = planned.map(|argv| (AskedBy::Plan, argv)).collect();
    for argv in config.gate_commands(gate) {
        if !commands.iter().any(|(_, other)| *other == argv) {
            commands.push((AskedBy::Configuration, argv));
        }
    }
    commands
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
            commands(&plan, &config, GateKind::Tests).into_iter().map(|(by, argv)| (by, argv.join(" "))).collect();
        let expected =
            [(AskedBy::Plan, "cargo bench"), (AskedBy::Plan, "cargo test"), (AskedBy::Configuration, "cargo clippy")];
        assert_eq!(all, expected.map(|(by, argv)| (by, argv.to_owned())));
        assert!(commands(&plan, &config, GateKind::Review).is_empty());
    }
}
