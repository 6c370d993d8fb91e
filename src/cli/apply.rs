//! `apply`: puts the result of a run on a branch.

use std::path::Path;

use anyhow::{Context as _, anyhow};
use clap::Args;
use implementer_model::{
    command,
    handoff::{Handoff, Status},
    summary::RESULT_BRANCH,
    text,
};

use super::{
    exit,
    exit::Failure,
    run_folder::{self, RunArgument},
    show,
};
use crate::{
    run_dir::RunDir,
    verify::verify,
    workspace::{
        WorkspaceError,
        store::{
            apply::{apply, free_branch},
            new_repository::root_of,
        },
    },
};

/// Puts the result of a run on a branch.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    run: RunArgument,
    /// The branch; one that exists is only moved forward
    #[arg(long, value_name = "NAME", default_value = RESULT_BRANCH)]
    branch: String,
    /// Take the result of a run that is not complete, too
    #[arg(long)]
    incomplete: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<u8, Failure> {
    let folder = arguments.run.folder()?;
    let handoff = run_folder::handoff(&folder)?;
    let name = run_folder::name(&folder);
    let scratch = tempfile::tempdir().context("cannot make a temporary folder").map_err(Failure::outside)?;
    let proof = verify(&folder, &arguments.run.repo, scratch.path())?;
    if let Some(check) = proof.checks.iter().find(|check| check.found.is_err()) {
        let why = check.found.as_ref().err().map(ToString::to_string).unwrap_or_default();
        let failure = anyhow!("the run does not verify; it is not so that {}: {why}. Nothing was changed", check.claim);
        let shown = format!("`backend-implementer verify {}` shows every check.", folder.display());
        // The commits that such a run builds on are on GitHub, and not in every clone.
        let builds_on = ["the base is in the repository", "the bundle can be unpacked"].contains(&check.claim);
        let pull_request = handoff.provenance.pull_request.as_ref().filter(|_| builds_on);
        let fetched = pull_request.map(|pull_request| {
            format!(" `git fetch origin refs/pull/{}/head` may bring what it builds on.", pull_request.number)
        });
        return Err(Failure::incomplete(failure).with_hint(Some(shown + &fetched.unwrap_or_default())));
    }
    if handoff.status != Status::Complete && !arguments.incomplete {
        let failure = anyhow!("the run {name} is {}. Nothing was changed", handoff.status.name());
        let taken = if handoff.result.bundle.is_some() {
            format!("`backend-implementer apply {name} --incomplete` takes it all the same.")
        } else {
            "It integrated nothing.".to_owned()
        };
        let hint = older_complete(arguments, &folder).map_or(taken.clone(), |older| format!("{older} {taken}"));
        return Err(Failure::incomplete(failure).with_hint(Some(hint)));
    }
    let Some(bundle) = &handoff.result.bundle else {
        let failure = anyhow!("the run {name} integrated nothing, so there is nothing to apply");
        return Err(Failure::incomplete(failure).with_hint(older_complete(arguments, &folder)));
    };
    let bundle = folder.join(bundle).canonicalize().context("cannot find the bundle").map_err(Failure::outside)?;
    let applied = apply(&arguments.run.repo, &bundle, &handoff.result.reference, &arguments.branch);
    applied.map_err(|error| {
        let hint = matches!(error, WorkspaceError::Apply { .. } | WorkspaceError::CheckedOut { .. });
        let hint = hint.then(|| on_free_branch(arguments, &handoff, &name)).flatten();
        Failure::from(error).with_hint(hint)
    })?;
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

/// Gives the whole command that puts the result on a branch that it can be put on; nothing where there is none such.
fn on_free_branch(arguments: &Arguments, handoff: &Handoff, name: &str) -> Option<String> {
    let Arguments { run, branch, incomplete } = arguments;
    // A name that is none is no beginning of another.
    let named = [branch.as_str(), RESULT_BRANCH];
    let mut free = named.into_iter().filter_map(|named| {
        let free = free_branch(&run.repo, &handoff.result.commit, &handoff.result.base, named).ok()?;
        Some(free).filter(|free| free != branch)
    });
    let mut words = vec!["backend-implementer".to_owned(), "apply".to_owned()];
    if run.repo != Path::new(".") {
        words.extend(["--repo".to_owned(), run.repo.to_string_lossy().into_owned()]);
    }
    words.extend(incomplete.then(|| "--incomplete".to_owned()));
    words.extend(["--branch".to_owned(), free.next()?]);
    // The name of the run is a word of a shell already.
    let (program, rest) = words.split_at(2);
    Some(format!("`{} {name} {}` puts it on a branch that is free.", command::join(program), command::join(rest)))
}

/// Says how to take the newest complete run where none was named and the newest one of all is another.
fn older_complete(arguments: &Arguments, newest: &Path) -> Option<String> {
    if arguments.run.run.is_some() {
        return None;
    }
    let root = root_of(&arguments.run.repo).ok()?;
    let older = RunDir::runs(&root).into_iter().filter(|run| run != newest);
    let name = run_folder::complete_among(older, |_| true)?;
    Some(format!("An older run is complete: `backend-implementer apply {name}` takes that one."))
}
