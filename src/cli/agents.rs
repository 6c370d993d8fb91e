//! `agents`: lists the roster and lints the agent files as they lie in the work tree, committed or not.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use implementer_model::{
    config::{AgentKind, CONFIG_MAX_BYTES, CONFIG_PATH, Config},
    diagnostics::{self, Diagnostic},
    means::{self, ModelChoice},
    roster::{self, Access, Origin, Subagent},
    text,
};
use serde::Serialize;

use super::{exit, exit::Failure, show};
use crate::{agent, intake, uncommitted, workspace::store::RunStore};

/// Lists the roster and lints the agent files.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The repository
    #[arg(long, value_name = "DIR", default_value = ".")]
    repo: PathBuf,
    /// How to print it
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum Format {
    /// For people
    #[default]
    Human,
    /// For machines
    Json,
}

/// How many tools are shown before the rest is only counted.
const TOOLS_SHOWN: usize = 10;

#[derive(Serialize)]
struct Listing<'a> {
    subagents: &'a roster::Roster,
    diagnostics: &'a [Diagnostic],
}

pub(super) fn run(arguments: &Arguments) -> Result<u8, Failure> {
    let root = crate::workspace::new_repository::root_of(&arguments.repo)?;
    let mut problems = Vec::new();
    let config = match crate::untrusted::read_named_text(&root.join(CONFIG_PATH), CONFIG_MAX_BYTES) {
        Ok(config) => Config::read(CONFIG_PATH, &config, &agent::kinds()).unwrap_or_else(|wrong| {
            problems.extend(wrong);
            Config::default()
        }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Config::default(),
        Err(error) => {
            return Err(Failure::outside(anyhow::Error::new(error).context(format!("cannot read {CONFIG_PATH}"))));
        }
    };
    let files = intake::roster_files_on_disk(&root)
        .map_err(|error| Failure::outside(anyhow::Error::new(error).context("cannot read the agent files")))?;
    let loaded = roster::load(&files, &config);
    problems.extend(loaded.diagnostics);
    problems.extend(roster::notes::roles_to_confirm(&loaded.guessed));
    problems.extend(means::unkept(loaded.roster.iter(), &config, agent::abilities));
    problems.extend(not_in_base(&root));
    diagnostics::sort(&mut problems);

    match arguments.format {
        Format::Json => show::json(&Listing { subagents: &loaded.roster, diagnostics: &problems })?,
        Format::Human => show::out(&human(&loaded.roster, &config, &problems)),
    }
    Ok(if problems.iter().any(Diagnostic::is_error) { exit::BAD_INPUT } else { exit::COMPLETE })
}

/// Says which of the files are not committed. A repository without a commit has none.
fn not_in_base(root: &Path) -> Vec<Diagnostic> {
    let look = || {
        let scratch = tempfile::tempdir().ok()?;
        let store = RunStore::create(root, &scratch.path().join("store.git")).ok()?;
        uncommitted::find(root, &store, &store.resolve("HEAD").ok()?, None).ok()
    };
    look().unwrap_or_default()
}

fn human(roster: &roster::Roster, config: &Config, problems: &[Diagnostic]) -> String {
    use std::fmt::Write as _;
    let mut out = String::new();
    let width = roster.iter().map(|subagent| subagent.name.as_str().chars().count()).max().unwrap_or(0);
    for subagent in roster.iter() {
        let origin = match &subagent.origin {
            Origin::BuiltIn => "built in",
            Origin::File(path) => path,
        };
        let access = match subagent.access {
            Access::ReadOnly => "reads",
            Access::Writes => "writes",
        };
        let _ = writeln!(
            out,
            "{:width$}  {} {:<10}  {:<14}  {access:<6}  {origin}",
            subagent.name,
            subagent.phase().number(),
            subagent.phase().name(),
            subagent.role.title(),
        );
        let _ = writeln!(out, "    {}", terms(subagent, config));
    }
    let _ = writeln!(out, "\n{}", text::count(roster.iter().count(), "subagent"));
    for problem in problems {
        let _ = writeln!(out, "\n{problem}");
    }
    out
}

/// Says with which model, which tools and under which limits a subagent works.
fn terms(subagent: &Subagent, config: &Config) -> String {
    let kind = config.kind(&subagent.name);
    let mut said = vec![model(subagent, config, &kind), tools(subagent)];
    let minutes = config.time_limit(&subagent.name).as_secs() / 60;
    let mut limits = vec![format!("{minutes} min")];
    if let Some(turns) = subagent.max_turns(config) {
        limits.push(text::count(usize::try_from(turns).unwrap_or(usize::MAX), "turn"));
    }
    if let Some(cost) = config.cost(&subagent.name) {
        limits.push(format!("{cost} dollars"));
    }
    said.push(format!("limits {}", limits.join(", ")));
    let terms = &subagent.terms;
    if let Some(effort) = terms.effort {
        said.push(format!("effort {}", effort.name()));
    }
    if !terms.servers.is_empty() {
        said.push(format!("MCP servers {}", terms.servers.keys().cloned().collect::<Vec<_>>().join(", ")));
    }
    if !terms.skills.is_empty() {
        said.push(format!("skills {}", terms.skills.join(", ")));
    }
    if terms.by_name_only {
        said.push("only where a plan names it".to_owned());
    }
    said.join("; ")
}

fn model(subagent: &Subagent, config: &Config, kind: &AgentKind) -> String {
    let settings = config.settings(kind);
    let otherwise = || settings.model.clone().unwrap_or_else(|| "its default".to_owned());
    if *kind == AgentKind::command() {
        return format!("{kind}, model {}", subagent.model.as_deref().unwrap_or("its default"));
    }
    match means::model(subagent, &settings, agent::abilities(kind).model) {
        ModelChoice::Named(model) => format!("{kind}, model {model}"),
        ModelChoice::Default => format!("{kind}, model {}", otherwise()),
        ModelChoice::NotThere(asked) => format!("{kind}, model {} in place of {asked}", otherwise()),
    }
}

fn tools(subagent: &Subagent) -> String {
    let granted = match &subagent.tools {
        None => "all tools".to_owned(),
        Some(tools) if tools.is_empty() => "no tools".to_owned(),
        Some(tools) => format!("tools {}", text::listed(tools, TOOLS_SHOWN)),
    };
    match subagent.terms.denied_tools.as_slice() {
        [] => granted,
        denied => format!("{granted}, but not {}", denied.join(", ")),
    }
}
