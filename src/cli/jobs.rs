//! What the commands of a fan-out share: the folder of a state, the repository, the names of attempts.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::{
    exit,
    exit::Failure,
    run::{Subject, runtime},
    show,
};
use crate::{
    execution,
    intake::Intake,
    jobs::{self, Freezing, Settled, Site, StateDir},
};

/// The state of a fan-out, and the repository that it is about.
#[derive(Debug, Args)]
pub(super) struct Standing {
    /// The state that the job begins with
    #[arg(long, value_name = "DIR")]
    pub(super) state: PathBuf,
    /// A repository that has the base commit and the commit with the rules
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(super) repo: PathBuf,
    /// The lock that was approved; the state must be of it
    #[arg(long, value_name = "DIGEST")]
    pub(super) lock: Option<String>,
}

impl Standing {
    /// Opens the site, with its store below `folder`.
    pub(super) fn open(&self, folder: &Path) -> Result<Site, Failure> {
        let root = crate::workspace::new_repository::root_of(&self.repo)?;
        Ok(Site::open(&root, &StateDir::new(&self.state), folder, self.lock.as_deref())?)
    }

    /// Opens the site in a folder of its own, which is gone when the command ends.
    pub(super) fn open_for_now(&self) -> Result<(Site, execution::Scratch), Failure> {
        let scratch = execution::scratch()?;
        let site = self.open(&scratch.path().join("site"))?;
        Ok((site, scratch))
    }
}

/// Begins a fan-out on a repository of this machine.
pub(super) fn begin(subject: &Subject, intake: &Intake, root: &Path, state: &Path) -> Result<u8, Failure> {
    let (plan, config) = (subject.read_plan(root)?, subject.read_config()?);
    let freezing = Freezing {
        intake,
        rules: &intake.base.commit,
        plan: &plan,
        config: &config,
        run: execution::run_id(std::time::SystemTime::now(), intake.lock.digest.short()),
        workflow: None,
        time_limit_s: None,
    };
    let scratch = execution::scratch()?;
    let state = StateDir::new(state);
    let settled = runtime()?.block_on(async {
        jobs::freeze(freezing, &state)?;
        let site = Site::open(root, &state, scratch.path(), None)?;
        jobs::first(&site).await
    })?;
    print_next(&settled)?;
    Ok(exit::COMPLETE)
}

/// Prints what comes next, for machines.
pub(super) fn print_next(settled: &Settled) -> Result<(), Failure> {
    for note in &settled.notes {
        show::note(&format!("warning: {note}"));
    }
    show::note(&settled.next);
    show::json(&json!({ "matrix": settled.legs, "gates": settled.gates, "head": settled.head, "notes": settled.notes }))
}
