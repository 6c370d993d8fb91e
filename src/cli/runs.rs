//! `runs`, `show` and `logs`: what runs there are, what came out, and why something failed.

use std::{
    fs,
    io::Read as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, anyhow};
use clap::Args;
use implementer_model::{evidence::recorded, gate::GateKind, handoff::Handoff, ids::TaskId, text};
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
    /// The task; or `gate:tests`, `gate:review` or `gate:validation` for the commands of a gate
    #[arg(value_name = "TASK")]
    task: String,
    /// An earlier attempt; of a gate, what it said before that round of rework
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    attempt: Option<u32>,
    /// The repository, or any folder inside it
    #[arg(long, value_name = "DIR", default_value = ".")]
    repo: PathBuf,
}

pub(super) fn logs(arguments: &LogsArguments) -> Result<u8, Failure> {
    let run = RunArgument { run: Some(arguments.run.clone()), repo: arguments.repo.clone() };
    let folder = run.folder()?;
    let LogsArguments { task: name, attempt, .. } = arguments;
    let of_task = log_of_task(&folder, name, *attempt);
    let of_gate = logs_of_gate(&folder, name.strip_prefix(GATE).unwrap_or(name), *attempt);
    if of_task.is_some() && !of_gate.is_empty() {
        let run = arguments.run.display();
        show::note(&format!("This is the task. What the gate printed: backend-implementer logs {run} {GATE}{name}"));
    }
    let is_gate = of_task.is_none();
    let found = of_task.map_or(of_gate, |log| vec![log]);
    if found.is_empty() {
        let names = logs_there(&folder);
        let hint = match text::nearest(name, names.iter().map(String::as_str)) {
            Some(near) => format!("Did you mean {near}?"),
            None => format!("This run has logs of {}.", names.join(", ")),
        };
        let failure = anyhow!("{} has no log of `{name}`", folder.display());
        return Err(Failure::input(failure).with_hint(Some(hint)));
    }
    for log in found {
        let said =
            read_end(&log).with_context(|| format!("cannot read {}", log.display())).map_err(Failure::outside)?;
        // A runner that was asked for events printed them; people read what they say.
        let said = if is_gate { recorded::readable(&said) } else { said };
        let empty = if said.trim().is_empty() { " nothing was printed; `show` says how it ended" } else { "" };
        show::note(&format!("{}:{empty}", log.display()));
        show::out(&said);
    }
    Ok(exit::COMPLETE)
}

/// Begins the name of a gate where tasks and gates are named: every run has a task `tests` and a gate `tests`.
const GATE: &str = "gate:";

/// Finds the log of a task's attempt.
fn log_of_task(folder: &Path, name: &str, attempt: Option<u32>) -> Option<PathBuf> {
    let task = folder.join(layout::task_dir(&TaskId::new(name).ok()?));
    let earlier = attempt.map(|attempt| task.join(layout::attempt_dir(attempt))).filter(|folder| folder.is_dir());
    Some(earlier.unwrap_or(task).join(TaskFile::Log)).filter(|log| log.is_file())
}

/// Finds the logs of a gate's commands; where it never ran, those of the same commands on the base.
fn logs_of_gate(folder: &Path, gate: &str, round: Option<u32>) -> Vec<PathBuf> {
    let earlier = round.map(|round| folder.join(layout::gates_before_rework(round))).filter(|folder| folder.is_dir());
    let gates = earlier.unwrap_or_else(|| folder.join(RunFile::Gates));
    let is_of_gate = |entry: &fs::DirEntry| {
        let file = entry.file_name().to_string_lossy().into_owned();
        file.strip_prefix(gate).is_some_and(|rest| rest.starts_with(['-', '.']))
    };
    let logs_in = |folder: &Path| {
        let mut logs: Vec<_> = entries(folder).filter(is_of_gate).map(|entry| entry.path()).collect();
        logs.sort_unstable();
        logs
    };
    let logs = logs_in(&gates);
    if logs.is_empty() { logs_in(&folder.join(layout::base_logs())) } else { logs }
}

/// Names everything that a run has a log of.
fn logs_there(folder: &Path) -> Vec<String> {
    let tasks = entries(&folder.join(layout::TASKS)).map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = tasks.collect();
    names.sort_unstable();
    let gates = GateKind::ALL.iter().filter(|gate| !logs_of_gate(folder, gate.name(), None).is_empty());
    names.extend(gates.map(|gate| format!("{GATE}{gate}")));
    names
}

fn entries(folder: &Path) -> impl Iterator<Item = fs::DirEntry> + use<> {
    fs::read_dir(folder).into_iter().flatten().flatten()
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
