//! `apply`: puts the result of a run on a branch.

use anyhow::{Context as _, anyhow};
use clap::Args;
use implementer_model::{handoff::Status, text};

use super::{
    exit,
    exit::Failure,
    run_folder::{self, RunArgument},
    show,
};
use crate::{verify::verify, workspace::store::apply::apply};

/// Puts the result of a run on a branch.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    run: RunArgument,
    /// The branch; one that exists is only moved forward
    #[arg(long, value_name = "NAME", default_value = "backend-implementation")]
    branch: String,
    /// Take the result of a run that is not complete, too
    #[arg(long)]
    incomplete: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<u8, Failure> {
    let folder = arguments.run.folder()?;
    let handoff = run_folder::handoff(&folder)?;
    let scratch = tempfile::tempdir().context("cannot make a temporary folder").map_err(Failure::outside)?;
    let proof = verify(&folder, &arguments.run.repo, scratch.path())?;
    if let Some(check) = proof.checks.iter().find(|check| check.found.is_err()) {
        let hint = format!("`backend-implementer verify {}` shows every check.", folder.display());
        let failure = anyhow!("the run does not verify: {}. Nothing was changed", check.claim);
        return Err(Failure::incomplete(failure).with_hint(Some(hint)));
    }
    if handoff.status != Status::Complete && !arguments.incomplete {
        let failure = anyhow!("the run is {}. Nothing was changed", handoff.status.name());
        return Err(Failure::incomplete(failure).with_hint(Some("`--incomplete` takes it all the same.".to_owned())));
    }
    let Some(bundle) = &handoff.result.bundle else {
        return Err(Failure::incomplete(anyhow!("the run integrated nothing, so there is nothing to apply")));
    };
    let bundle = folder.join(bundle).canonicalize().context("cannot find the bundle").map_err(Failure::outside)?;
    apply(&arguments.run.repo, &bundle, &handoff.result.reference, &arguments.branch)?;
    show::out(&format!(
        "{} on branch {}, ending in {}\nLook at them: git log -p {}..{}\n",
        text::count(handoff.result.commits.len(), "commit"),
        arguments.branch,
        handoff.result.commit.short(),
        handoff.result.base.short(),
        arguments.branch,
    ));
    Ok(exit::COMPLETE)
}
