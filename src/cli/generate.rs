//! `generate`: writes the workflows from the configuration and the roster.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, anyhow};
use clap::Args;
use implementer_model::{
    config::{CONFIG_PATH, Config},
    roster, text,
    workflow::{GENERATED, PREVIEW_PATH, WORKFLOW_PATH, WorkflowFile, holds_both, workflows},
};
use similar::TextDiff;

use super::{exit, exit::Failure, show};
use crate::{intake, workspace::new_repository::root_of};

/// Writes the workflows from the configuration and the agent files.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The repository, or any folder inside it
    #[arg(long, value_name = "DIR", default_value = ".")]
    repo: PathBuf,
    /// Write nothing; fail, and show the difference, when a workflow is not what would be written
    #[arg(long)]
    check: bool,
    /// Write over a workflow that was not generated
    #[arg(long, conflicts_with = "check")]
    force: bool,
}

/// Makes the workflows of a repository from its configuration and agent files.
fn wanted(root: &Path) -> Result<[WorkflowFile; 2], Failure> {
    // As `agents`, this reads the checkout: what it writes is committed together with what it was made from.
    let config = read(&root.join(CONFIG_PATH))?.unwrap_or_default();
    let config = Config::read(CONFIG_PATH, &config, &crate::agent::kinds())
        .map_err(|wrong| Failure::diagnosed(wrong, "the configuration"))?;
    let files = intake::roster_files_on_disk(root).context("cannot read the agent files").map_err(Failure::outside)?;
    let loaded = roster::load(&files, &config);
    if loaded.diagnostics.iter().any(implementer_model::diagnostics::Diagnostic::is_error) {
        return Err(Failure::diagnosed(loaded.diagnostics, "the roster"));
    }
    workflows(&config, &loaded.roster).map_err(Failure::input)
}

/// Writes the workflows that a repository does not have yet. What is there stays.
pub(super) fn write_missing(root: &Path) -> Result<(), Failure> {
    let there = [WORKFLOW_PATH, PREVIEW_PATH].map(|path| root.join(path).exists());
    // Nothing is made, and so nothing can be wrong, where nothing is missing.
    let files = if there == [true, true] { Vec::new() } else { wanted(root)?.to_vec() };
    let one_for_both = read(&root.join(WORKFLOW_PATH))?.is_some_and(|text| holds_both(&text));
    for (path, is_there) in [WORKFLOW_PATH, PREVIEW_PATH].into_iter().zip(there) {
        if is_there {
            show::out(&format!("kept {path}; `backend-implementer generate --check` tells whether it is up to date\n"));
        } else if one_for_both {
            show::note(&moved());
        } else if let Some(file) = files.iter().find(|file| file.path == path) {
            put(root, file)?;
        }
    }
    Ok(())
}

/// Says what to do about a workflow that shows previews and runs what was approved.
fn moved() -> String {
    format!(
        "{WORKFLOW_PATH} was generated when one file held previews and runs. Previews are in {PREVIEW_PATH} now: run \
         `backend-implementer generate`, and commit both files together"
    )
}

fn put(root: &Path, file: &WorkflowFile) -> Result<(), Failure> {
    let path = root.join(file.path);
    fs::create_dir_all(path.parent().unwrap_or(root))
        .and_then(|()| fs::write(&path, &file.text))
        .with_context(|| format!("cannot write {}", file.path))
        .map_err(Failure::outside)?;
    show::out(&format!("wrote {}\n", file.path));
    Ok(())
}

pub(super) fn run(arguments: &Arguments) -> Result<u8, Failure> {
    let root = root_of(&arguments.repo)?;
    let mut compared = Vec::new();
    for file in wanted(&root)? {
        compared.push((read(&root.join(file.path))?, file));
    }
    let one_for_both = compared.iter().any(|(there, _)| there.as_deref().is_some_and(holds_both));
    if arguments.check {
        let codes: Vec<_> = compared.iter().map(|(there, file)| check(there.as_deref(), file)).collect();
        if one_for_both {
            show::note(&moved());
        }
        return Ok(codes.into_iter().max().unwrap_or(exit::COMPLETE));
    }
    // Both or none: one without the other would show previews twice, or never.
    let own = |there: &Option<String>| there.as_deref().is_some_and(|there| !there.starts_with(GENERATED));
    if let Some((_, file)) = compared.iter().find(|(there, _)| own(there) && !arguments.force) {
        let path = file.path;
        return Err(Failure::input(anyhow!("{path} was not generated: remove it, or write over it with --force")));
    }
    for (there, file) in &compared {
        if there.as_deref() == Some(file.text.as_str()) {
            show::out(&format!("{} is as it should be\n", file.path));
        } else {
            put(&root, file)?;
        }
    }
    if one_for_both {
        show::note(&format!("previews moved from {WORKFLOW_PATH} to {PREVIEW_PATH}: commit both files together"));
    }
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

fn check(there: Option<&str>, wanted: &WorkflowFile) -> u8 {
    let WorkflowFile { path, text: wanted } = wanted;
    let Some(there) = there else {
        show::note(&format!("{path} is not there; `backend-implementer generate` writes it"));
        return exit::INCOMPLETE;
    };
    if there == wanted {
        show::out(&format!("{path} is as it should be\n"));
        return exit::COMPLETE;
    }
    let difference = TextDiff::from_lines(there, wanted);
    let difference = difference.unified_diff().header(path, "as it would be generated").to_string();
    show::out(&text::terminal(&difference));
    show::note(&format!("{path} is not what would be generated; `backend-implementer generate` writes it"));
    exit::INCOMPLETE
}
