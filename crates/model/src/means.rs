//! What a plan is done with, and what it may use, in words: for whoever approves it.

use std::collections::BTreeMap;

use crate::{
    config::{AgentKind, AgentSettings, CONFIG_PATH, Config},
    diagnostics::{Diagnostic, Severity},
    ids::SubagentName,
    roster::{
        Origin, Subagent,
        notes::listed,
        tools::{is_narrowed, server_of, tool_of},
    },
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

/// What an agent program can hold to, of what an agent file says.
#[derive(Debug, Clone, Copy)]
pub struct Abilities {
    /// The tools that it grants and forbids.
    pub tools: ToolControl,
    /// The most turns.
    pub turns: bool,
    /// How much the model is to think.
    pub effort: bool,
    /// The MCP servers that the file brings along.
    pub servers: bool,
    /// The skills that it names.
    pub skills: bool,
    /// What it calls a model; `None` for one that it cannot have.
    pub model: fn(&str) -> Option<String>,
}

/// How far an agent program can be held to a list of tools.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ToolControl {
    /// To single calls, such as `Bash(git log:*)`.
    Calls,
    /// To whole tools.
    Names,
    /// Not at all.
    Nothing,
}

impl Abilities {
    /// Those of a program of which nothing is known.
    pub const NONE: Self = Self {
        tools: ToolControl::Nothing,
        turns: false,
        effort: false,
        servers: false,
        skills: false,
        model: |_| None,
    };
}

/// The model that a program is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModelChoice<'a> {
    /// This one.
    Named(String),
    /// The file asks for none.
    Default,
    /// The program cannot have what the file asks for.
    NotThere(&'a str),
}

/// Chooses the model of a subagent: of those that its file asks for the first that the configuration or the program
/// knows.
#[must_use]
pub fn model<'a>(
    subagent: &'a Subagent,
    settings: &AgentSettings,
    known: fn(&str) -> Option<String>,
) -> ModelChoice<'a> {
    let Some(first) = subagent.model.as_deref() else { return ModelChoice::Default };
    let others = subagent.terms.other_models.iter().map(String::as_str);
    let called = |words: &str| settings.models.get(words).cloned().or_else(|| known(words));
    [first].into_iter().chain(others).find_map(called).map_or(ModelChoice::NotThere(first), ModelChoice::Named)
}

/// Says that a program cannot have a model.
#[must_use]
pub fn model_is_not_there(asked: &str, program: &str, otherwise: Option<&str>) -> String {
    let used = otherwise.map_or("its own default".to_owned(), |model| format!("`{model}`"));
    format!(
        "the model `{asked}` has no name for {program}, which used {used}: say under `agents.{program}.models` what it \
         is called"
    )
}

/// Says what the agent files of these subagents ask for or forbid and the programs that do their work cannot hold to.
/// It is said before a run, once for each program and matter.
#[must_use]
pub fn unkept<'a>(
    subagents: impl IntoIterator<Item = &'a Subagent>,
    config: &Config,
    abilities: impl Fn(&AgentKind) -> Abilities,
) -> Vec<Diagnostic> {
    let mut found = Unkept::default();
    for subagent in subagents {
        let kind = config.kind(&subagent.name);
        let able = abilities(&kind);
        if kind == AgentKind::command() {
            found.command(subagent);
        } else {
            found.program(subagent, &kind, able, &config.settings(&kind));
        }
    }
    found.by_matter.into_iter().map(Matter::into_diagnostic).collect()
}

/// Matters that are not held to, in the order in which they were found.
#[derive(Default)]
struct Unkept {
    by_matter: Vec<Matter>,
}

/// One matter, and whom it concerns.
struct Matter {
    severity: Severity,
    code: &'static str,
    /// What is said behind the names.
    what: String,
    hint: String,
    names: Vec<String>,
}

impl Matter {
    fn into_diagnostic(self) -> Diagnostic {
        let names = listed(self.names.iter().map(|name| format!("`{name}`")));
        let message = format!("{} ({names})", self.what);
        Diagnostic::new(self.severity, self.code, CONFIG_PATH, message).hint(self.hint)
    }
}

impl Unkept {
    fn add(&mut self, severity: Severity, code: &'static str, name: &SubagentName, what: String, hint: String) {
        match self.by_matter.iter_mut().find(|matter| matter.code == code && matter.what == what) {
            Some(matter) => matter.names.push(name.to_string()),
            None => self.by_matter.push(Matter { severity, code, what, hint, names: vec![name.to_string()] }),
        }
    }

    /// A command of the user's own is told its brief, its role and its scope, and decides by itself about the rest.
    fn command(&mut self, subagent: &Subagent) {
        let terms = &subagent.terms;
        let limits = [
            (subagent.tools.is_some() || !terms.denied_tools.is_empty(), "tools"),
            (subagent.model.is_some(), "model"),
            (terms.max_turns.is_some(), "turns"),
            (terms.effort.is_some(), "effort"),
            (!terms.servers.is_empty(), "MCP servers"),
            (!terms.skills.is_empty(), "skills"),
        ];
        let said: Vec<_> = limits.into_iter().filter(|(said, _)| *said).map(|(_, what)| what).collect();
        if subagent.origin != Origin::BuiltIn && !said.is_empty() {
            let what = format!("`command` cannot use what agent files say about {}", said.join(", "));
            let hint = "its program decides about them; an agent program such as `claude` is held to them".to_owned();
            self.add(Severity::Note, "not-held-to", &subagent.name, what, hint);
        }
    }

    fn program(&mut self, subagent: &Subagent, kind: &AgentKind, able: Abilities, settings: &AgentSettings) {
        let (name, terms) = (&subagent.name, &subagent.terms);
        let calls = || subagent.tools.iter().flatten().chain(&terms.denied_tools);
        let restricted = subagent.tools.is_some() || !terms.denied_tools.is_empty();
        match able.tools {
            ToolControl::Nothing if restricted => {
                let what = format!("{kind} cannot be held to the tools of an agent file: it may use all of its own");
                let hint = "the scope still holds for what it changes; `claude` is held to tools".to_owned();
                self.add(Severity::Warning, "tools-not-held", name, what, hint);
            }
            ToolControl::Names if calls().any(|call| is_narrowed(call)) => {
                let what =
                    format!("{kind} cannot be held to single calls of a tool, so that such tools are taken away");
                let hint = "grant or forbid whole tools, such as `Bash`; `claude` is held to single calls".to_owned();
                self.add(Severity::Warning, "calls-not-held", name, what, hint);
            }
            _ => {}
        }
        if terms.max_turns.is_some() && !able.turns {
            let what = format!("{kind} cannot be held to a number of turns");
            self.add(Severity::Warning, "turns-not-held", name, what, "limit its time".to_owned());
        }
        if let (Some(effort), false) = (terms.effort, able.effort) {
            let what = format!("{kind} has no setting for the effort `{}`", effort.name());
            let hint = "choose a model or arguments for it in the configuration".to_owned();
            self.add(Severity::Note, "effort-not-held", name, what, hint);
        }
        if let ModelChoice::NotThere(asked) = model(subagent, settings, able.model) {
            let used = settings.model.as_deref().map_or("its own default".to_owned(), |model| format!("`{model}`"));
            let what = format!("{kind} has no model `{asked}` and will use {used}");
            let hint = format!("say what it is called below `agents.{kind}.models`");
            self.add(Severity::Warning, "model-not-there", name, what, hint);
        }
        self.servers(subagent, kind, able, settings);
        let given = able.skills && settings.project_settings;
        if !terms.skills.is_empty() && !given {
            let skills = listed(terms.skills.iter().map(|skill| format!("`{skill}`")));
            let what = format!("the skills {skills} are not given");
            let hint = if able.skills {
                format!("`agents.{kind}.project-settings: true` gives the repository's")
            } else {
                format!("{kind} has no skills; move what matters into the prompt")
            };
            self.add(Severity::Note, "skills-not-given", name, what, hint);
        }
    }

    fn servers(&mut self, subagent: &Subagent, kind: &AgentKind, able: Abilities, settings: &AgentSettings) {
        let servers = &subagent.terms.servers;
        let of_repository = settings.project_settings;
        for (server, definition) in servers {
            let given = match definition {
                Some(_) => able.servers && settings.mcp_servers.contains(server),
                None => of_repository,
            };
            if given {
                continue;
            }
            let what = format!("the MCP server `{server}` is not started");
            let hint = if definition.is_some() {
                format!("list it below `agents.{kind}.mcp-servers` if it may run")
            } else {
                format!(
                    "define it in the agent file, or use the repository's with `agents.{kind}.project-settings: true`"
                )
            };
            self.add(Severity::Note, "server-not-given", &subagent.name, what, hint);
        }
        let used = subagent.tools.iter().flatten().filter_map(|tool| server_of(tool_of(tool)));
        let mut missing: Vec<_> = used.filter(|server| !servers.contains_key(*server) && !of_repository).collect();
        missing.sort_unstable();
        missing.dedup();
        for server in missing {
            let what = format!("tools of the MCP server `{server}` are granted, and no agent file defines it");
            let hint = format!("define it in the agent file, and list it below `agents.{kind}.mcp-servers`");
            self.add(Severity::Note, "server-not-given", &subagent.name, what, hint);
        }
    }
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

    /// Says what is not held to of one agent file, when these kinds of abilities do the work.
    fn said(front: &str, settings: &str, able: Abilities) -> String {
        let content = format!("---\nname: helper\ndescription: D\nrole: feature\n{front}\n---\nP\n").into_bytes();
        let config = config(&format!("agent: {{kind: claude}}\n{settings}"));
        let loaded = crate::roster::load(&[crate::roster::AgentFile { path: "a.md".to_owned(), content }], &config);
        let helper = loaded.roster.iter().find(|subagent| subagent.name.as_str() == "helper");
        let unkept = unkept(helper, &config, |_| able);
        unkept.iter().map(|said| format!("{}: {}", said.code, said.message)).collect::<Vec<_>>().join("\n")
    }

    const ALL: Abilities = Abilities {
        tools: ToolControl::Calls,
        turns: true,
        effort: true,
        servers: true,
        skills: true,
        model: |words| (words == "opus").then(|| "opus".to_owned()),
    };

    #[test]
    fn what_a_program_cannot_hold_to_is_said() {
        let front = "tools: Read, Edit, Bash(git log:*), mcp__db__query\nmaxTurns: 5\neffort: high\nmodel: GPT-4.1\n\
                     skills: [deploying]\nmcpServers: {db: {command: db-server}}";
        insta::assert_snapshot!(said(front, "", Abilities::NONE), @r"
        tools-not-held: claude cannot be held to the tools of an agent file: it may use all of its own (`helper`)
        turns-not-held: claude cannot be held to a number of turns (`helper`)
        effort-not-held: claude has no setting for the effort `high` (`helper`)
        model-not-there: claude has no model `GPT-4.1` and will use its own default (`helper`)
        server-not-given: the MCP server `db` is not started (`helper`)
        skills-not-given: the skills `deploying` are not given (`helper`)
        ");
        let consent = "agents: {claude: {mcp-servers: [db], project-settings: true, models: {GPT-4.1: opus}}}";
        assert_eq!(said(front, consent, ALL), "");
        let names = Abilities { tools: ToolControl::Names, ..ALL };
        assert!(said(front, consent, names).starts_with("calls-not-held"));
        assert_eq!(said("tools: [Read, Edit]", consent, names), "");
        assert!(
            said("tools: [Edit, github/*]", "", ALL).contains("`github` are granted, and no agent file defines it")
        );
    }

    #[test]
    fn what_concerns_many_is_said_once() {
        let config = config("agent: {kind: codex}");
        let roster = crate::roster::builtin();
        let said = unkept(roster.iter(), &config, |_| Abilities { tools: ToolControl::Nothing, ..ALL });
        let tools: Vec<_> = said.iter().filter(|said| said.code == "tools-not-held").collect();
        assert_eq!(tools.len(), 1);
        assert_eq!(tools[0].message.matches("`backend-").count(), 8);
    }

    #[test]
    fn the_first_model_that_a_program_can_have_is_taken() {
        let mut subagent = crate::roster::builtin().iter().next().unwrap().clone();
        let settings = AgentSettings::default();
        subagent.model = None;
        assert_eq!(model(&subagent, &settings, ALL.model), ModelChoice::Default);
        subagent.model = Some("GPT-5".to_owned());
        assert_eq!(model(&subagent, &settings, ALL.model), ModelChoice::NotThere("GPT-5"));
        subagent.terms.other_models = vec!["opus".to_owned()];
        assert_eq!(model(&subagent, &settings, ALL.model), ModelChoice::Named("opus".to_owned()));
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
