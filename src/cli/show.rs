//! How things are printed: text made safe for a terminal, JSON indented, the end of a run in a dozen lines.

use std::{io::Write as _, path::Path};

use clap::ValueEnum;
use implementer_model::{
    handoff::{Handoff, Status},
    summary::{self, RESULT_BRANCH},
    text,
};
use serde::Serialize;
use serde_json::json;

use super::{
    colour::{self, Colour, Colours, is_to_be_copied},
    exit::Failure,
    run_folder,
};
use crate::workspace::store::apply;

/// Columns below which lines are not broken any further.
const COLUMNS_MIN: usize = 60;

/// Columns before the text of a line of a run's end.
const CLOSING_INDENT: usize = 11;

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

/// Prints a line to standard error that is safe already, and may be coloured by us.
pub(super) fn painted_note(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
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

/// Prints what came out of a run: a dozen lines unless something else was asked for. `resume` is the command that resumes
/// the run, where the default one does not.
///
/// # Errors
/// When the hand-off cannot be serialised, which no value of ours ever is.
pub(super) fn ended(
    format: Option<Format>,
    handoff: &Handoff,
    folder: &Path,
    resume: Option<&str>,
) -> Result<(), Failure> {
    match format.unwrap_or(Format::Human) {
        Format::Human => human(handoff, folder, resume),
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

fn human(handoff: &Handoff, folder: &Path, resume: Option<&str>) {
    let branch = other_branch(handoff, folder);
    let closing = summary::closing(
        handoff,
        &summary::Whereabouts {
            folder: &from_here(folder).display().to_string(),
            run: &run_folder::plain_name(folder),
            resume: resume.unwrap_or("backend-implementer run --resume"),
            branch: branch.as_deref(),
        },
    );
    let closing = text::terminal(&closing);
    let closing = match colour::columns(std::io::stdout()) {
        Some(columns) => colour::wrapped(&closing, columns.max(COLUMNS_MIN), CLOSING_INDENT),
        None => closing,
    };
    let (verdict, rest) = closing.split_once(':').unwrap_or((&closing, ""));
    let colour = match handoff.status {
        Status::Complete => Colour::Green,
        Status::Incomplete => Colour::Red,
        Status::Cancelled => Colour::Yellow,
    };
    let colours = Colours::of_stdout();
    let painted = colours.paint(colour, verdict);
    let rest: Vec<String> = rest.split('\n').map(|line| with_command(line, colours)).collect();
    let rest = rest.join("\n").replace("\n  fix  ", &format!("\n  {}  ", colours.paint(Colour::Red, "fix")));
    let _ = write!(std::io::stdout(), "{painted}:{rest}");
}

/// Names a branch for the result where the usual one cannot be used; nothing where it can, or where no repository is found.
fn other_branch(handoff: &Handoff, folder: &Path) -> Option<String> {
    [folder, Path::new(".")].into_iter().find_map(|place| {
        let free = apply::free_branch(place, &handoff.result.commit, &handoff.result.base, RESULT_BRANCH).ok()?;
        Some(free).filter(|free| free != RESULT_BRANCH)
    })
}

/// Makes the command of a line stand out: it is what people copy.
fn with_command(line: &str, colours: Colours) -> String {
    let text = line.trim_start();
    if !is_to_be_copied(text) {
        return line.to_owned();
    }
    format!("{}{}", &line[..line.len() - text.len()], colours.paint(Colour::Bold, text))
}

/// Shortens a path below the working directory.
fn from_here(path: &Path) -> &Path {
    let here = std::env::current_dir().ok();
    here.and_then(|here| path.strip_prefix(here).ok()).unwrap_or(path)
}

/// Prints a value as one line of JSON.
pub(super) fn line(value: &serde_json::Value) {
    out(&format!("{value}\n"));
}
