//! Which run a command is about: the folder of one, or a name below the default place, or the newest.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use clap::Args;
use implementer_model::{
    command,
    handoff::{HANDOFF_MAX, Handoff, Status},
    lock::Lock,
    text,
};

use super::exit::Failure;
use crate::{
    layout::{RUNS_DIR, RunFile},
    run_dir::RunDir,
    workspace::store::new_repository::root_of,
};

/// A run that has ended or not.
#[derive(Debug, Args)]
pub(super) struct RunArgument {
    /// The run: its name, or its folder [default: the newest]
    #[arg(value_name = "RUN")]
    pub(super) run: Option<PathBuf>,
    /// The repository, or any folder inside it
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(super) repo: PathBuf,
}

impl RunArgument {
    /// Finds the folder of the run. A file or a path is taken as it is, wherever it leads: whoever reads it says what is there.
    pub(super) fn target(&self) -> Result<PathBuf, Failure> {
        match &self.run {
            Some(path) if path.is_file() || path.components().count() > 1 => Ok(path.clone()),
            _ => self.folder(),
        }
    }

    /// Finds the folder of the run.
    pub(super) fn folder(&self) -> Result<PathBuf, Failure> {
        let Some(named) = &self.run else {
            let root = root_of(&self.repo)?;
            return RunDir::runs(&root).into_iter().next().ok_or_else(|| {
                Failure::input(anyhow!(
                    "there is no run in {}. Start one with `backend-implementer run`",
                    root.join(RUNS_DIR).display()
                ))
            });
        };
        if is_run(named) {
            return Ok(named.clone());
        }
        let mut runs = root_of(&self.repo).map(|root| RunDir::runs(&root)).unwrap_or_else(|_| Vec::new());
        let names = |run: &Path| run.file_name().map(|name| name.to_string_lossy().into_owned());
        let found: Vec<PathBuf> = runs
            .iter()
            .filter(|run| names(run).is_some_and(|name| name.starts_with(&*named.to_string_lossy())))
            .cloned()
            .collect();
        match found.as_slice() {
            [run] => Ok(run.clone()),
            [] => {
                let all: Vec<String> = runs.drain(..).filter_map(|run| names(&run)).collect();
                let near = text::nearest(&named.to_string_lossy(), all.iter().map(String::as_str));
                let hint = match near {
                    Some(near) => format!("Did you mean {near}?"),
                    None => "`backend-implementer runs` lists them.".to_owned(),
                };
                Err(Failure::input(anyhow!("there is no run {}", named.display())).with_hint(Some(hint)))
            }
            several => {
                let several: Vec<_> = several.iter().filter_map(|run| names(run)).collect();
                Err(Failure::input(anyhow!("{} names several runs: {}", named.display(), several.join(", "))))
            }
        }
    }
}

/// Tells whether a folder is one of a run.
fn is_run(folder: &Path) -> bool {
    folder.join(RunFile::Handoff).is_file() || folder.join(RunFile::Journal).is_file()
}

/// Names a run as the other commands take it: where it lies in its default place, by its name alone.
pub(super) fn name(folder: &Path) -> String {
    command::join(&[plain_name(folder)])
}

/// Names a run as [`name`] does, not yet as a word of a shell.
pub(super) fn plain_name(folder: &Path) -> String {
    let in_default_place = folder.parent().is_some_and(|place| place.ends_with(RUNS_DIR));
    let name = if in_default_place { folder.file_name().unwrap_or(folder.as_os_str()) } else { folder.as_os_str() };
    name.to_string_lossy().into_owned()
}

/// The most earlier runs that are looked into.
const RUNS_READ: usize = 20;

/// Finds a complete run of the same lock, and names it.
pub(super) fn complete_run_of(root: &Path, lock: &Lock) -> Option<String> {
    complete_among(RunDir::runs(root).into_iter().take(RUNS_READ), |handoff| handoff.lock == *lock)
}

/// Names the first of these runs that is complete and that is looked for.
pub(super) fn complete_among(runs: impl Iterator<Item = PathBuf>, is_it: impl Fn(&Handoff) -> bool) -> Option<String> {
    let found = |run: &PathBuf| handoff(run).is_ok_and(|run| run.status == Status::Complete && is_it(&run));
    runs.into_iter().find(found).map(|run| name(&run))
}

/// Reads the hand-off of a run that came to its end.
pub(super) fn handoff(folder: &Path) -> Result<Handoff, Failure> {
    let path = folder.join(RunFile::Handoff);
    let bytes = crate::untrusted::read(&path, HANDOFF_MAX)
        .with_context(|| {
            format!(
                "{} has no hand-off, because the run was interrupted. Resume it with `run --resume`",
                folder.display()
            )
        })
        .map_err(Failure::input)?;
    Handoff::read(&bytes).with_context(|| format!("cannot read {}", path.display())).map_err(Failure::input)
}
