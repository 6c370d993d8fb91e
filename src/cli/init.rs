//! `init`: writes a commented configuration and the workflow, and says what comes next. Never writes over anything.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use clap::Args;
use implementer_model::config::CONFIG_PATH;

use super::{exit, exit::Failure, show};
use crate::workspace::new_repository::root_of;

/// The workflow that pull requests need.
const WORKFLOW: &str = include_str!("../../examples/workflows/backend-implementer.yml");

/// The configuration to begin with: everything in it is a comment but what has to be said.
const CONFIGURATION: &str = include_str!("../../examples/backend-implementer.yml");

const WORKFLOW_PATH: &str = ".github/workflows/backend-implementer.yml";

/// Writes a commented configuration and the workflow.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The repository, or any folder inside it
    #[arg(long, value_name = "DIR", default_value = ".")]
    repo: PathBuf,
}

pub(super) fn run(arguments: &Arguments) -> Result<u8, Failure> {
    let root = root_of(&arguments.repo)?;
    for (path, content) in [(CONFIG_PATH, CONFIGURATION), (WORKFLOW_PATH, WORKFLOW)] {
        let written = write_new(&root.join(path), content)
            .with_context(|| format!("cannot write {path}"))
            .map_err(Failure::outside)?;
        let what = if written { "wrote" } else { "kept what is there:" };
        show::out(&format!("{what} {path}\n"));
    }
    show::out(
        "\nNext:\n\
         1. say in the configuration which agent does the work, and name the gates' commands\n\
         2. put the commit of a release into the workflow\n\
         3. commit both to the default branch\n\
         4. open a pull request with a plan in .backend-implementer/plan.md, or try one here with `plan` and `run`\n",
    );
    Ok(exit::COMPLETE)
}

/// Writes a file that is not there yet. `false` when something is.
fn write_new(path: &Path, content: &str) -> io::Result<bool> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    match fs::OpenOptions::new().write(true).create_new(true).open(path) {
        Ok(mut file) => file.write_all(content.as_bytes()).map(|()| true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}
