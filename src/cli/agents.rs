//! `agents`: lists the roster and lints the agent files as they lie in the work tree, committed or not.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use implementer_model::{
    config::{CONFIG_PATH, Config},
    diagnostics::{self, Diagnostic},
    roster::{self, Access, Origin},
    text,
};
use serde::Serialize;

use super::{exit, exit::Failure, show};
use crate::{agent, intake, workspace::store::RunStore};

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

#[derive(Serialize)]
struct Listing<'a> {
    subagents: &'a roster::Roster,
    diagnostics: &'a [Diagnostic],
}

pub(super) fn run(arguments: &Arguments) -> Result<u8, Failure> {
    let root = crate::workspace::new_repository::root_of(&arguments.repo)?;
    let mut problems = Vec::new();
    let config = match std::fs::read_to_string(root.join(CONFIG_PATH)) {
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
    problems.extend(uncommitted(&root)?);
    diagnostics::sort(&mut problems);

    match arguments.format {
        Format::Json => show::json(&Listing { subagents: &loaded.roster, diagnostics: &problems })?,
        Format::Human => show::out(&human(&loaded.roster, &problems)),
    }
    Ok(if problems.iter().any(Diagnostic::is_error) { exit::BAD_INPUT } else { exit::COMPLETE })
}

/// Says what of this a run would not follow, because it is not committed.
fn uncommitted(root: &std::path::Path) -> Result<Vec<Diagnostic>, Failure> {
    let scratch = tempfile::tempdir().context("cannot make a temporary folder").map_err(Failure::outside)?;
    let store = RunStore::create(root, &scratch.path().join("store.git"))?;
    // A repository without a commit has nothing that a run could follow.
    let Ok(base) = store.resolve("HEAD") else { return Ok(Vec::new()) };
    Ok(intake::uncommitted::notices(&store, &base, root, None)?)
}

fn human(roster: &roster::Roster, problems: &[Diagnostic]) -> String {
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
    }
    let _ = writeln!(out, "\n{}", text::count(roster.iter().count(), "subagent"));
    for problem in problems {
        let _ = writeln!(out, "\n{problem}");
    }
    out
}
