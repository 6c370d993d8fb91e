//! `demo`: writes the example service into a fresh repository and runs its plan with scripted subagents.

use std::{
    fs,
    io::IsTerminal as _,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use clap::Args;
use include_dir::{Dir, include_dir};

use super::{
    event_lines::EventLines,
    exit::Failure,
    live::Live,
    run::{self, Request, Subject},
    show::{self, Format},
};
use crate::{execution::Resume, workspace::new_repository::new_repository};

/// The example: the service at its base, and the subagents that work on it.
static EXAMPLE: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/examples/users-service");

/// Runs the built-in example.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Keep the repository and the run in this folder, which must be empty or new
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// What to print [default: human on a terminal, else markdown]
    #[arg(long, value_enum)]
    format: Option<Format>,
}

pub(super) fn run(arguments: &Arguments) -> Result<u8, Failure> {
    let temporary = tempfile::Builder::new()
        .prefix("backend-implementer-demo-")
        .tempdir()
        .context("cannot make a temporary folder")
        .map_err(Failure::outside)?;
    let folder = match &arguments.keep {
        Some(keep) => {
            if fs::read_dir(keep).is_ok_and(|mut entries| entries.next().is_some()) {
                return Err(Failure::input(anyhow::anyhow!("{} is not empty; name a new folder", keep.display())));
            }
            keep.as_path()
        }
        None => temporary.path(),
    };
    let repository = folder.join("users-service");
    let subagents = folder.join("subagents");
    write_out("repository", &repository)?;
    write_out("subagents", &subagents)?;
    let subagents = subagents
        .canonicalize()
        .with_context(|| format!("cannot find {}", subagents.display()))
        .map_err(Failure::outside)?;
    new_repository(&repository, "The users service as it is")?;
    show::note(&format!("The example service is in {}", repository.display()));

    let entry = subagents.join("subagent.py");
    let request = Request {
        subject: &Subject::at(&repository),
        lock: None,
        command: Some(vec!["python3".to_owned(), "-B".to_owned(), entry.display().to_string()]),
        time_limit: None,
        allow_red_base: false,
        out: None,
        resume: Resume::Never,
        retry: None,
    };
    let ended = if arguments.format == Some(Format::JsonLines) {
        run::execute(&request, &mut EventLines)?
    } else {
        run::execute(&request, &mut Live::new())?
    };
    // Apart from what was told while it went on.
    show::note("");
    // What the demo is for is its summary: a pipe gets it in full.
    let whole = if std::io::stdout().is_terminal() { Format::Human } else { Format::Markdown };
    let format = arguments.format.unwrap_or(whole);
    if format == Format::Markdown && arguments.keep.is_none() {
        // The folder is gone before anybody could look at it.
        show::out(&implementer_model::summary::render(&ended.handoff));
    } else {
        show::ended(Some(format), &ended.handoff, &ended.folder, None)?;
    }
    if arguments.keep.is_none() {
        show::note("\nNothing was kept. `demo --keep DIR` keeps the repository and the run.");
    }
    Ok(run::code(&ended.handoff))
}

/// Writes a part of the example below `target`.
fn write_out(part: &str, target: &Path) -> Result<(), Failure> {
    let dir = EXAMPLE
        .get_dir(part)
        .with_context(|| format!("the example has no folder {part}; this is a defect of the program"))
        .map_err(Failure::outside)?;
    write_dir(dir, dir.path(), target)
        .with_context(|| format!("cannot write the example to {}", target.display()))
        .map_err(Failure::outside)
}

fn write_dir(dir: &Dir<'_>, root: &Path, target: &Path) -> std::io::Result<()> {
    for file in dir.files() {
        let path = target.join(file.path().strip_prefix(root).unwrap_or(file.path()));
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(path, file.contents())?;
    }
    dir.dirs().try_for_each(|dir| write_dir(dir, root, target))
}
