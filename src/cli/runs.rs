//! `runs`, `show` and `logs`: what runs there are, what came out, and why something failed.

use std::{
    fs,
    io::Read as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, anyhow};
use clap::Args;
use implementer_model::{handoff::Handoff, ids::TaskId, text};
use serde_json::json;

use super::{
    exit,
    exit::Failure,
    run_folder::{self, RunArgument},
    show::{self, Format},
};
use crate::{
    layout::{self, RunFile, TaskFile},
    run_dir::RunDir,
    workspace::store::new_repository::root_of,
};

/// The most bytes of a log that are printed: its end.
const LOG_MAX_BYTES: u64 = 1 << 20;

/// Lists the runs of a repository, the newest first.
#[derive(Debug, Args)]
pub(super) struct RunsArguments {
    /// The repository, or any folder inside it
    #[arg(long, value_name = "DIR", default_value = ".")]
    repo: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn runs(arguments: &RunsArguments) -> Result<u8, Failure> {
    let root = root_of(&arguments.repo)?;
    let mut rows = Vec::new();
    for folder in RunDir::runs(&root) {
        let name = folder.file_name().map(|name| name.to_string_lossy().into_owned());
        let name = name.context("a run's folder has no name").map_err(Failure::outside)?;
        // A run that was interrupted has no hand-off yet; one that cannot be read is named as such.
        let handoff = folder.join(RunFile::Handoff).exists().then(|| run_folder::handoff(&folder));
        rows.push((name, handoff));
    }
    if arguments.json {
        let rows: Vec<_> = rows.iter().map(|(name, handoff)| json_row(name, handoff.as_ref())).collect();
        show::json(&rows)?;
        return Ok(exit::COMPLETE);
    }
    if rows.is_empty() {
        show::note(&format!("No runs in {}. Start one with `backend-implementer run`.", root.display()));
    }
    for (name, handoff) in &rows {
        show::out(&format!("{name}  {}\n", told(handoff.as_ref())));
    }
    Ok(exit::COMPLETE)
}

fn told(handoff: Option<&Result<Handoff, Failure>>) -> String {
    match handoff {
        None => "interrupted  (resume it with `run --resume`)".to_owned(),
        Some(Err(_)) => "unreadable hand-off".to_owned(),
        Some(Ok(handoff)) => {
            let passed =
                handoff.tasks.iter().filter(|task| task.outcome == implementer_model::schedule::Outcome::Passed);
            format!(
                "{:10}  {} of {} passed  {}",
                handoff.status.name(),
                passed.count(),
                text::count(handoff.tasks.len(), "task"),
                handoff.plan.title.as_deref().unwrap_or("untitled plan")
            )
        }
    }
}

fn json_row(name: &str, handoff: Option<&Result<Handoff, Failure>>) -> serde_json::Value {
    let (status, title) = match handoff {
        None => ("interrupted", None),
        Some(Err(_)) => ("unreadable", None),
        Some(Ok(handoff)) => (handoff.status.name(), handoff.plan.title.clone()),
    };
    json!({ "run": name, "status": status, "plan": title })
}

/// Shows what came out of a run.
#[derive(Debug, Args)]
pub(super) struct ShowArguments {
    #[command(flatten)]
    run: RunArgument,
    /// What to print [default: human]
    #[arg(long, value_enum)]
    format: Option<Format>,
}

pub(super) fn show_run(arguments: &ShowArguments) -> Result<u8, Failure> {
    let folder = arguments.run.folder()?;
    let handoff = run_folder::handoff(&folder)?;
    show::ended(arguments.format, &handoff, &folder, None)?;
    Ok(exit::COMPLETE)
}

/// Prints the log of a task, or of a gate.
#[derive(Debug, Args)]
pub(super) struct LogsArguments {
    /// The run: its name, or its folder
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// The task; or `tests`, `review` or `validation` for a gate's commands where no task has that name
    #[arg(value_name = "TASK")]
    task: String,
    /// An earlier attempt
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    attempt: Option<u32>,
    /// The repository, or any folder inside it
    #[arg(long, value_name = "DIR", default_value = ".")]
    repo: PathBuf,
}

pub(super) fn logs(arguments: &LogsArguments) -> Result<u8, Failure> {
    let run = RunArgument { run: Some(arguments.run.clone()), repo: arguments.repo.clone() };
    let folder = run.folder()?;
    let found = logs_of(&folder, &arguments.task, arguments.attempt);
    if found.is_empty() {
        let tasks: Vec<String> = fs::read_dir(folder.join(layout::TASKS))
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        let hint = match text::nearest(&arguments.task, tasks.iter().map(String::as_str)) {
            Some(near) => format!("Did you mean {near}?"),
            None => format!("Tasks of this run: {}.", tasks.join(", ")),
        };
        let failure = anyhow!("{} has no log of `{}`", folder.display(), arguments.task);
        return Err(Failure::input(failure).with_hint(Some(hint)));
    }
    for log in found {
        show::note(&format!("{}:", log.display()));
        show::out(&read_end(&log).with_context(|| format!("cannot read {}", log.display())).map_err(Failure::outside)?);
    }
    Ok(exit::COMPLETE)
}

/// Finds the log of a task's attempt, else those of a gate.
fn logs_of(folder: &Path, name: &str, attempt: Option<u32>) -> Vec<PathBuf> {
    let task = TaskId::new(name).ok().map(|task| folder.join(layout::task_dir(&task)));
    let of_task = task.map(|task| match attempt {
        Some(attempt) if task.join(layout::attempt_dir(attempt)).is_dir() => {
            task.join(layout::attempt_dir(attempt)).join(TaskFile::Log)
        }
        _ => task.join(TaskFile::Log),
    });
    if let Some(log) = of_task.filter(|log| log.is_file()) {
        return vec![log];
    }
    let entries = fs::read_dir(folder.join(RunFile::Gates)).into_iter().flatten().flatten();
    let of_gate = |entry: &fs::DirEntry| {
        let file = entry.file_name().to_string_lossy().into_owned();
        file.strip_prefix(name).is_some_and(|rest| rest.starts_with(['-', '.']))
    };
    let mut logs: Vec<_> = entries.filter(of_gate).map(|entry| entry.path()).collect();
    logs.sort_unstable();
    logs
}

/// Reads the end of a log; one line says so when its beginning is left out.
fn read_end(path: &Path) -> std::io::Result<String> {
    use std::io::Seek as _;
    let mut file = crate::untrusted::open_plain(path, fs::File::options().read(true)).map_err(std::io::Error::other)?;
    let size = file.metadata()?.len();
    let mut said = String::new();
    if size > LOG_MAX_BYTES {
        file.seek(std::io::SeekFrom::Start(size - LOG_MAX_BYTES))?;
        said.push_str(&format!("… the first {} bytes are left out\n", size - LOG_MAX_BYTES));
    }
    let mut bytes = Vec::new();
    file.take(LOG_MAX_BYTES).read_to_end(&mut bytes)?;
    said.push_str(&text::plain(&String::from_utf8_lossy(&bytes)));
    if !said.ends_with('\n') {
        said.push('\n');
    }
    Ok(said)
}
