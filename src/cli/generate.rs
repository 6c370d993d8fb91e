//! `generate`: writes the workflow from the configuration and the roster.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, anyhow};
use clap::Args;
use implementer_model::{
    config::{CONFIG_PATH, Config},
    roster, text,
    workflow::{GENERATED, WORKFLOW_PATH, workflow},
};
use similar::TextDiff;

use super::{exit, exit::Failure, show};
use crate::{intake, workspace::new_repository::root_of};

/// Writes the workflow from the configuration and the agent files.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The repository, or any folder inside it
    #[arg(long, value_name = "DIR", default_value = ".")]
    repo: PathBuf,
    /// Write nothing; fail, and show the difference, when the workflow is not what would be written
    #[arg(long)]
    check: bool,
    /// Write over a workflow that was not generated
    #[arg(long, conflicts_with = "check")]
    force: bool,
}

/// Makes the workflow of a repository from its configuration and agent files.
fn wanted(root: &Path) -> Result<String, Failure> {
    // As `agents`, this reads the checkout: what it writes is committed together with what it was made from.
    let config = read(&root.join(CONFIG_PATH))?.unwrap_or_default();
    let config = Config::read(CONFIG_PATH, &config, &crate::agent::kinds())
        .map_err(|wrong| Failure::diagnosed(wrong, "the configuration"))?;
    let files = intake::roster_files_on_disk(root).context("cannot read the agent files").map_err(Failure::outside)?;
    let loaded = roster::load(&files, &config);
    if loaded.diagnostics.iter().any(implementer_model::diagnostics::Diagnostic::is_error) {
        return Err(Failure::diagnosed(loaded.diagnostics, "the roster"));
    }
    workflow(&config, &loaded.roster).map_err(Failure::input)
}

/// Writes the workflow of a repository that has none.
pub(super) fn write(root: &Path) -> Result<(), Failure> {
    put(root, &wanted(root)?)
}

fn put(root: &Path, wanted: &str) -> Result<(), Failure> {
    let path = root.join(WORKFLOW_PATH);
    fs::create_dir_all(path.parent().unwrap_or(root))
        .and_then(|()| fs::write(&path, wanted))
        .with_context(|| format!("cannot write {WORKFLOW_PATH}"))
        .map_err(Failure::outside)?;
    show::out(&format!("wrote {WORKFLOW_PATH}\n"));
    Ok(())
}

pub(super) fn run(arguments: &Arguments) -> Result<u8, Failure> {
    let root = root_of(&arguments.repo)?;
    let wanted = wanted(&root)?;
    let path = root.join(WORKFLOW_PATH);
    let there = read(&path)?;
    if arguments.check {
        return check(there.as_deref(), &wanted);
    }
    if there.as_deref() == Some(wanted.as_str()) {
        show::out(&format!("{WORKFLOW_PATH} is as it should be\n"));
        return Ok(exit::COMPLETE);
    }
    if there.as_deref().is_some_and(|there| !there.starts_with(GENERATED)) && !arguments.force {
        return Err(Failure::input(anyhow!(
            "{WORKFLOW_PATH} was not generated: remove it, or write over it with --force"
        )));
    }
    put(&root, &wanted)?;
    Ok(exit::COMPLETE)
}

/// Reads a file; nothing when there is none.
fn read(path: &Path) -> Result<Option<String>, Failure> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())).map_err(Failure::outside),
    }
}

fn check(there: Option<&str>, wanted: &str) -> Result<u8, Failure> {
    let Some(there) = there else {
        show::note(&format!("{WORKFLOW_PATH} is not there; `backend-implementer generate` writes it"));
        return Ok(exit::INCOMPLETE);
    };
    if there == wanted {
        show::out(&format!("{WORKFLOW_PATH} is as it should be\n"));
        return Ok(exit::COMPLETE);
    }
    let difference = TextDiff::from_lines(there, wanted);
    let difference = difference.unified_diff().header(WORKFLOW_PATH, "as it would be generated").to_string();
    show::out(&text::terminal(&difference));
    show::note(&format!("{WORKFLOW_PATH} is not what would be generated; `backend-implementer generate` writes it"));
    Ok(exit::INCOMPLETE)
}
