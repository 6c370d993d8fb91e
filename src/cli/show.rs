//! How things are printed: text made safe for a terminal, JSON indented, progress as lines or as a live display.

use std::{
    collections::BTreeMap,
    io::{IsTerminal as _, Write as _},
    path::Path,
    time::Duration,
};

use clap::ValueEnum;
use implementer_model::{
    gate::GateState,
    handoff::{Handoff, TaskRecord},
    ids::TaskId,
    schedule::{Outcome, Schedule},
    summary, text,
};
use indicatif::{HumanDuration, MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use serde_json::json;

use super::exit::Failure;
use crate::coordinator::progress::{Observer, Progress};

/// How what came out of a run is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// A dozen lines: verdict, what to fix, where to look, what to do next
    Human,
    /// The Implementation Summary
    Markdown,
    /// The hand-off
    Json,
    /// Every event as a line of JSON, while the run goes on
    JsonLines,
}

/// Prints text to standard output, without anything that a terminal would act on.
pub(super) fn out(content: &str) {
    // A reader that has gone away (`| head`) is no error of ours.
    let _ = std::io::stdout().write_all(text::terminal(content).as_bytes());
}

/// Prints a note to standard error.
pub(super) fn note(content: &str) {
    let _ = writeln!(std::io::stderr(), "{}", text::terminal(content));
}

/// Prints a value as indented JSON.
///
/// # Errors
/// When it cannot be serialised, which no value of ours ever is.
pub(super) fn json(value: &impl Serialize) -> Result<(), Failure> {
    let mut rendered = serde_json::to_string_pretty(value).map_err(Failure::outside)?;
    rendered.push('\n');
    out(&rendered);
    Ok(())
}

/// Prints what came out of a run. On a terminal that is a dozen lines unless something else was asked for.
///
/// # Errors
/// When the hand-off cannot be serialised, which no value of ours ever is.
pub(super) fn ended(format: Option<Format>, handoff: &Handoff, folder: &Path) -> Result<(), Failure> {
    let on_terminal = std::io::stdout().is_terminal();
    match format.unwrap_or(if on_terminal { Format::Human } else { Format::Markdown }) {
        Format::Human => out(&summary::closing(handoff, &folder.display().to_string())),
        Format::Markdown => {
            out(&summary::render(handoff));
            note(&format!("\nFiles: {}", folder.display()));
        }
        Format::Json => json(handoff)?,
        Format::JsonLines => line(&json!({
            "event": "ended", "status": handoff.status, "commit": handoff.result.commit, "folder": folder,
        })),
    }
    Ok(())
}

/// Prints a value as one line of JSON.
pub(super) fn line(value: &serde_json::Value) {
    out(&format!("{value}\n"));
}

/// Shows a run on standard error while it goes on: what runs as a live display where there is a terminal, and every
/// event as a line.
pub(super) struct Live {
    display: MultiProgress,
    running: BTreeMap<TaskId, ProgressBar>,
    subagents: BTreeMap<TaskId, String>,
    width: usize,
}

impl Live {
    /// Makes a display. indicatif draws nothing when standard error is no terminal; lines are printed either way.
    pub(super) fn new() -> Self {
        let display = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
        Self { display, running: BTreeMap::new(), subagents: BTreeMap::new(), width: 0 }
    }

    fn line(&self, line: &str) {
        let line = text::terminal(line);
        if self.display.is_hidden() {
            note(&line);
        } else {
            // The terminal may be gone; the run goes on.
            let _ = self.display.println(line);
        }
    }

    fn begin(&mut self, schedule: &Schedule) {
        self.width = schedule.tasks.iter().map(|task| task.id.as_str().len()).max().unwrap_or(0);
        self.subagents = schedule.tasks.iter().map(|task| (task.id.clone(), task.subagent.to_string())).collect();
        self.line(&format!(
            "{} in {}, at most {} at a time",
            text::count(schedule.tasks.len(), "task"),
            text::count(schedule.waves.len(), "wave"),
            schedule.concurrency
        ));
    }

    fn spin(&mut self, task: &TaskId, attempt: u32) {
        let again = if attempt > 1 { format!(" (attempt {attempt})") } else { String::new() };
        let subagent = self.subagents.get(task).map_or("", String::as_str);
        let width = self.width;
        self.line(&format!("  start   {task:width$}  {subagent}{again}"));
        if let Ok(style) = ProgressStyle::with_template("  {spinner} {msg} {elapsed}") {
            let spinner = self.display.add(ProgressBar::new_spinner().with_style(style));
            spinner.set_message(text::terminal(&format!("{task:width$}  {subagent}")));
            spinner.enable_steady_tick(Duration::from_millis(120));
            self.running.insert(task.clone(), spinner);
        }
    }

    fn stop_spinning(&mut self, task: &TaskId) {
        if let Some(spinner) = self.running.remove(task) {
            spinner.finish_and_clear();
        }
    }
}

impl Observer for Live {
    fn observe(&mut self, progress: &Progress<'_>) {
        let width = self.width;
        match progress {
            Progress::Begun { schedule } => self.begin(schedule),
            Progress::TaskStarted { task, attempt } => self.spin(task, *attempt),
            Progress::TaskEnded { task, record, .. } => {
                self.stop_spinning(task);
                self.line(&task_ended(task, record, width));
            }
            Progress::TaskAdded { task } => {
                self.subagents.insert(task.id.clone(), task.subagent.to_string());
                self.line(&format!("  added   {:width$}  {}", task.id, task.subagent));
            }
            Progress::TaskAgain { task, reason } => {
                self.line(&format!("  again   {task:width$}  {}", text::line(reason)));
            }
            Progress::Integrated { wave, commits } => {
                self.line(&format!("  wave {wave} integrated: {}", text::count(*commits, "commit")));
            }
            Progress::PhaseEnded { phase } => self.line(&format!("  phase {} {} ended", phase.number(), phase.name())),
            Progress::GateStarted { gate } => self.line(&format!("  gate    {gate}")),
            Progress::GateJudged { receipt } => {
                let mark = if receipt.state == GateState::Passed { "passed" } else { "FAILED" };
                let took = HumanDurationTenths(receipt.duration_ms);
                self.line(&format!(
                    "  {mark}  gate {:10}  {took:>6}  {}",
                    receipt.gate,
                    text::truncate(&text::line(&receipt.reason), 200)
                ));
            }
            Progress::Cancelling => self.line(
                "  cancelling: stopping the running agents. Finished work is kept; run the same command to resume.",
            ),
        }
    }
}

/// Says in a line how a task ended.
fn task_ended(task: &TaskId, record: &TaskRecord, width: usize) -> String {
    let passed = record.outcome == Outcome::Passed;
    let mark = if passed { "passed" } else { "FAILED" };
    let took = record.last().map_or(0, |attempt| attempt.ended_ms.saturating_sub(attempt.started_ms));
    let took = HumanDurationTenths(took);
    let state = if passed { String::new() } else { format!("{}: ", record.outcome.name()) };
    format!("  {mark}  {task:width$}  {took:>6}  {state}{}", text::truncate(&text::line(&record.reason), 200))
}

/// Milliseconds as `0.4s` below a minute, in words above.
struct HumanDurationTenths(u64);

impl std::fmt::Display for HumanDurationTenths {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0 < 60_000 {
            f.pad(&format!("{}.{}s", self.0 / 1000, self.0 % 1000 / 100))
        } else {
            f.pad(&HumanDuration(Duration::from_millis(self.0)).to_string())
        }
    }
}
