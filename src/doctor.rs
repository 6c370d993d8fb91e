//! What a run on this machine would miss: programs, keys, git, commands of gates and of the set-up. Everything is looked for
//! before the first call that costs money.

use std::{
    collections::{BTreeMap, BTreeSet},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    time::Duration,
};

use implementer_model::{
    command,
    config::{AgentKind, Config},
    evidence::gathered,
    gate::{CommandReceipt, GateKind},
    plan::Plan,
    roster::{Origin, Roster},
    run::{CountedOnly, gate_commands},
    text,
};

use crate::{
    agent::{Agents, Making},
    errors,
    sandbox::Sandbox,
    workspace::store::RunStore,
};

/// The oldest git that has everything that is used.
const GIT_OLDEST: [u32; 2] = [2, 32];

/// Stands for the names of subagents in what is missing for several of them.
const NAMES: &str = "\u{0}";

/// How something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It is there.
    There,
    /// It is missing, and a run would fail.
    Missing,
    /// A run works without it, and something is worth knowing.
    Note,
}

/// Whose run would miss something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// One on this machine.
    Here,
    /// One on GitHub.
    Github,
}

/// One thing that was looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What.
    pub what: String,
    /// How it stands.
    pub state: State,
    /// What was found, or what to do.
    pub said: String,
    /// Who would miss it.
    pub side: Side,
}

impl Check {
    /// Makes one of what a run on this machine needs.
    pub fn new(what: impl Into<String>, state: State, said: impl Into<String>) -> Self {
        Self { what: what.into(), state, said: said.into(), side: Side::Here }
    }

    /// Makes one of what a run on GitHub needs.
    pub fn of_github(what: impl Into<String>, state: State, said: impl Into<String>) -> Self {
        Self { side: Side::Github, ..Self::new(what, state, said) }
    }
}

/// What is looked at.
#[derive(Debug)]
pub struct Subject<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// The subagents.
    pub roster: &'a Roster,
    /// The plan, where there is one: its commands count, too.
    pub plan: Option<&'a Plan>,
    /// The files of the commit that the work starts from.
    pub files: &'a BTreeSet<String>,
    /// Our own environment.
    pub environment: &'a BTreeMap<String, String>,
}

/// Looks for everything that is not an agent program.
#[must_use]
pub fn look(subject: &Subject<'_>) -> Vec<Check> {
    let mut checks = vec![git(), subagents(subject.roster)];
    checks.extend(commands(subject));
    checks
}

/// Says which gates cannot pass, because neither the plan nor the configuration has a command for them.
#[must_use]
pub fn gates_without_commands(config: &Config, plan: &Plan) -> Vec<Check> {
    let has_none = |gate: &GateKind| *gate != GateKind::Review && gate_commands(plan, config, *gate).is_empty();
    let told = |gate| {
        let said = format!(
            "this gate cannot pass: add a command to the plan's Verification, or to `gates.{gate}` in the configuration"
        );
        Check::new(format!("gate {gate}"), State::Missing, said)
    };
    GateKind::ALL.into_iter().filter(has_none).map(told).collect()
}

/// Looks for the agent programs and their keys. Programs are started as a run would start them: in the same walls.
pub async fn look_for_agents(
    subject: &Subject<'_>,
    program_root: &Path,
    supervisor: &Path,
    (sandbox, scratch): (&Sandbox, &Path),
) -> Vec<Check> {
    let Subject { config, roster, environment, .. } = subject;
    let making =
        Making { config, command: None, own_steps: true, isolated: false, program_root, supervisor, environment };
    let agents: Agents = match making.make(roster.iter().map(|subagent| &subagent.name)) {
        Ok(agents) => agents,
        Err(error) => return vec![Check::new("agent", State::Missing, errors::told(&error, error.hint()))],
    };
    let mut checks = Vec::new();
    let mut missing: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    let mut ready = BTreeSet::new();
    for subagent in roster.iter() {
        let kind = config.kind(&subagent.name);
        match agents.check_call(config, subagent) {
            Ok(()) => {
                ready.insert(kind);
            }
            Err(error) => {
                // One cause is told once, with everybody whom it stops.
                let name = format!("`{}`", subagent.name);
                let said = errors::told(&error, error.hint()).replace(&name, NAMES);
                missing.entry((format!("agent {kind}"), said)).or_default().push(name);
            }
        }
    }
    for kind in ready {
        let (state, said) = match agents.check_version(&kind, sandbox, scratch).await {
            Ok(()) if kind.as_str() == AgentKind::COMMAND => (State::There, "its program is there".to_owned()),
            Ok(()) => (State::There, "its program starts as in a run, and it has what it needs".to_owned()),
            Err(error) => (State::Missing, errors::told(&error, error.hint())),
        };
        checks.push(Check::new(format!("agent {kind}"), state, said));
    }
    let lost = agents.lost_variables(config, roster.iter()).unwrap_or_default();
    checks.extend(lost.into_iter().map(|lost| Check::new("environment", State::Note, lost)));
    let told = |((what, said), names): ((String, String), Vec<String>)| {
        Check::new(what, State::Missing, said.replace(NAMES, &names.join(", ")))
    };
    checks.extend(missing.into_iter().map(told));
    checks
}

/// Says whose subagents do the work.
fn subagents(roster: &Roster) -> Check {
    let own = roster.iter().filter(|subagent| matches!(subagent.origin, Origin::File(_))).count();
    let built_in = roster.iter().count() - own;
    let said = match (own, built_in) {
        (0, _) => "the built-in ones: the repository has no agent files (`.claude/agents/*.md`)".to_owned(),
        (own, 0) => format!("{} in agent files", text::count(own, "subagent")),
        (own, built_in) => format!("{own} in agent files, {built_in} built in"),
    };
    Check::new("subagents", State::There, said)
}

fn git() -> Check {
    match RunStore::git_version() {
        Ok(version) if version >= GIT_OLDEST => {
            Check::new("git", State::There, format!("version {}.{}", version[0], version[1]))
        }
        Ok([major, minor]) => {
            let [wanted_major, wanted_minor] = GIT_OLDEST;
            let said = format!("version {major}.{minor} is too old: install {wanted_major}.{wanted_minor} or newer");
            Check::new("git", State::Missing, said)
        }
        Err(error) => Check::new("git", State::Missing, errors::chain(&error)),
    }
}

/// Looks for the programs of the gates and of the set-up.
fn commands(subject: &Subject<'_>) -> Vec<Check> {
    let mut checks = Vec::new();
    for gate in GateKind::ALL {
        let mut argvs = subject.config.gate_commands(gate);
        let of_plan = subject.plan.iter().flat_map(|plan| &plan.verification);
        argvs.extend(of_plan.filter(|command| command.gate == gate).map(|command| command.argv.clone()));
        if argvs.is_empty() && gate == GateKind::Tests {
            let said = "no command is configured, so that it can pass for no plan that brings none of its own: set \
                        `gates.tests.commands`";
            checks.push(Check::new("gate tests", State::Note, said));
        }
        // What configuration and plan both name runs once.
        let mut seen = BTreeSet::new();
        for argv in argvs.into_iter().filter(|argv| seen.insert(argv.clone())) {
            checks.extend(program(subject, &format!("gate {gate}"), &argv));
        }
    }
    for command in &subject.config.setup {
        checks.extend(program(subject, "setup", &command.argv()));
    }
    checks
}

fn program(subject: &Subject<'_>, of: &str, argv: &[String]) -> Option<Check> {
    let name = argv.first()?;
    let what = format!("{of}: {}", command::join(argv));
    let found = if let Some(absolute) = name.strip_prefix('/') {
        is_executable(&Path::new("/").join(absolute)).then(|| "is there".to_owned())
    } else if name.contains('/') {
        let path = name.strip_prefix("./").unwrap_or(name);
        // What the set-up makes, such as a program of the dependencies, is not in the commit.
        let made = !subject.config.setup.is_empty();
        (subject.files.contains(path) || made).then(|| "is in the repository".to_owned())
    } else {
        let path = subject.environment.get("PATH").map_or("", String::as_str);
        let folder = path.split(':').find(|folder| !folder.is_empty() && is_executable(&Path::new(folder).join(name)));
        folder.map(|folder| format!("{folder}/{name}"))
    };
    Some(match found {
        Some(found) => Check::new(what, State::There, found),
        None if command::is_own_path(name) => Check::new(
            what,
            State::Note,
            format!("the repository has no {name} yet: the gate fails unless a task makes it"),
        ),
        None => Check::new(
            what,
            State::Missing,
            format!("the environment lacks `{name}`: install it before the work begins"),
        ),
    })
}

/// Names the commands of the tests gate that hide a runner. `read` gives the text of a file of the last commit.
#[must_use]
pub fn counted_only(config: &Config, read: &dyn Fn(&str) -> Option<String>) -> Vec<Check> {
    let counted = CountedOnly::all(None, config, read);
    let said = counted.iter().map(CountedOnly::said);
    said.map(|(said, hint)| Check::new("gate tests", State::Note, format!("{said}; {hint}"))).collect()
}

/// Says how a command of the tests gate ended on the commit that work would start from.
#[must_use]
pub fn base_gate(receipt: &CommandReceipt) -> Check {
    let what = format!("gate tests on the last commit: {}", text::truncate(&command::join(&receipt.argv), 80));
    let tests = receipt.tests.map_or_else(String::new, |tests| {
        format!(", {}", text::count(usize::try_from(tests.passed).unwrap_or(usize::MAX), "test"))
    });
    let seconds = format!("{:.1} s", Duration::from_millis(receipt.duration_ms).as_secs_f64());
    let (state, said) = match (gathered::red_base(std::slice::from_ref(receipt)), receipt.exit_code) {
        (None, Some(0)) => (State::There, format!("passed in {seconds}{tests}")),
        (Some(why), _) => (
            State::Missing,
            format!("{why}. Fix it first, or say with `evidence.allow-red-base` that this is the work"),
        ),
        (None, code) => {
            let code =
                code.map_or_else(|| receipt.trouble.clone().unwrap_or_default(), |code| format!("exit code {code}"));
            let last = receipt.output_tail.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
            (State::Missing, format!("failed after {seconds} ({code}): {}", text::truncate(&text::plain(last), 200)))
        }
    };
    Check::new(what, state, said)
}

fn is_executable(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use implementer_model::roster;

    use super::*;

    fn checks(config: &str, path: &str, files: &[&str]) -> Vec<Check> {
        let config = Config::read("c.yml", config, &["command"]).unwrap();
        let roster = roster::load(&[], &config).roster;
        let files = files.iter().map(|file| (*file).to_owned()).collect();
        let environment = BTreeMap::from([("PATH".to_owned(), path.to_owned())]);
        commands(&Subject { config: &config, roster: &roster, plan: None, files: &files, environment: &environment })
    }

    #[test]
    fn what_gates_and_set_up_call_is_looked_for() {
        let folder = tempfile::tempdir().unwrap();
        let tool = folder.path().join("tool");
        std::fs::write(&tool, "").unwrap();
        std::fs::set_permissions(&tool, std::fs::Permissions::from_mode(0o755)).unwrap();
        std::fs::write(folder.path().join("text"), "").unwrap();
        let path = format!("/nowhere:{}", folder.path().display());
        let config = "gates: {tests: {commands: [tool --all, missing x, text, ./gradlew test, scripts/none]}}\n";
        let found = checks(config, &path, &["gradlew"]);
        let states: Vec<_> = found.iter().map(|check| check.state).collect();
        use State::{Missing, There};
        assert_eq!(states, [There, Missing, Missing, There, State::Note], "{found:#?}");
        assert!(found[1].said.contains("the environment lacks `missing`"), "{found:#?}");
        assert!(found[4].said.contains("no scripts/none"), "{found:#?}");
        let config = "gates: {tests: {commands: [/nowhere/tool]}}\n";
        assert!(
            checks(config, &path, &[])[0].said.contains("the environment lacks"),
            "a path outside is no task's work"
        );
        let config = "gates: {tests: {commands: [\"tool 'a b'\"]}}\n";
        assert_eq!(checks(config, &path, &[])[0].what, "gate tests: tool 'a b'", "it can be copied");
        // What the set-up makes is not in the commit.
        let config = "setup: [{run: tool}]\ngates: {tests: {commands: [node_modules/.bin/jest]}}\n";
        assert!(checks(config, &path, &[]).iter().all(|check| check.state == There));
        assert_eq!(checks("", &path, &[])[0].state, State::Note, "no command at all is worth knowing");
    }
}
