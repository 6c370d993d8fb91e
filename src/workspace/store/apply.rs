//! The result of a run on a branch of the user's repository: the one place that writes there.

use std::path::Path;

use implementer_model::ids::ObjectId;

use crate::workspace::{Result, WorkspaceError, git::Git, store};

/// Puts the commits of `bundle`, which end in `reference`, on the branch `branch` of the repository that `folder` is in. A
/// branch that is there already is only moved forward.
///
/// # Errors
/// When the name is none, the branch has other commits or is checked out, or the repository lacks the base commit.
pub fn apply(folder: &Path, bundle: &Path, reference: &str, branch: &str) -> Result<()> {
    let target = format!("refs/heads/{branch}");
    let refused = |reason: &str| WorkspaceError::Apply { branch: branch.to_owned(), reason: reason.trim().to_owned() };
    if gix::validate::reference::name(gix::bstr::BStr::new(&target)).is_err() {
        return Err(refused("that is no name of a branch"));
    }
    let repository = store::discover(folder)?;
    if let Some(checkout) = checkout_of(&repository, &target)? {
        return Err(WorkspaceError::CheckedOut { branch: branch.to_owned(), checkout });
    }
    let fetched = Git::on(repository.git_dir())
        // The bundle is a file that was verified before.
        .config("protocol.file.allow=always")
        .args(["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance", "--"])
        .arg(bundle)
        .arg(format!("{reference}:{target}"))
        .run();
    match fetched {
        Ok(_) => Ok(()),
        // Of a branch that cannot be moved forward git says nothing when it is to be quiet.
        Err(WorkspaceError::Command { stderr, .. }) if stderr.trim().is_empty() => {
            Err(refused("it is there already, with commits that are not in the result"))
        }
        Err(WorkspaceError::Command { stderr, .. }) => Err(refused(&stderr)),
        Err(error) => Err(error),
    }
}

/// How many names are tried for a branch.
const NAMES_TRIED: u32 = 99;

/// Returns the name of a branch that the result `commit`, made on `base`, can be put on: `branch` where that can be, else the
/// first of `branch-2`, `branch-3` and so on.
///
/// # Errors
/// When there is no repository, or git cannot say.
pub fn free_branch(folder: &Path, commit: &ObjectId, base: &ObjectId, branch: &str) -> Result<String> {
    let repository = store::discover(folder)?;
    let numbered = (2..=NAMES_TRIED).map(|number| format!("{branch}-{number}"));
    for name in std::iter::once(branch.to_owned()).chain(numbered) {
        if can_be_put_on(&repository, commit, base, &format!("refs/heads/{name}"))? {
            return Ok(name);
        }
    }
    Err(WorkspaceError::Apply { branch: branch.to_owned(), reason: "every name like it is taken".to_owned() })
}

/// Tells whether a branch is not there, or is only moved forward, and nobody has it checked out.
fn can_be_put_on(repository: &gix::Repository, commit: &ObjectId, base: &ObjectId, target: &str) -> Result<bool> {
    let git = || Git::on(repository.git_dir());
    let Ok(tip) = git().args(["rev-parse", "--verify", "--quiet"]).arg(format!("{target}^{{commit}}")).run() else {
        return Ok(true);
    };
    if checkout_of(repository, target)?.is_some() {
        return Ok(false);
    }
    let tip = String::from_utf8_lossy(&tip).trim().to_owned();
    // The commits of the result may not be in the repository yet: then only what its base has is before them.
    let is_before = |of: &ObjectId| git().args(["merge-base", "--is-ancestor", &tip]).arg(of.as_str()).run().is_ok();
    Ok(is_before(base) || is_before(commit))
}

/// Finds the work tree that has a branch checked out.
fn checkout_of(repository: &gix::Repository, target: &str) -> Result<Option<String>> {
    let listed = Git::on(repository.git_dir()).args(["worktree", "list", "--porcelain"]).run()?;
    let listed = String::from_utf8_lossy(&listed);
    let has_it = |lines: &&str| lines.lines().any(|line| line.strip_prefix("branch ") == Some(target));
    let found = listed.split("\n\n").find(has_it);
    Ok(found.and_then(|lines| lines.lines().find_map(|line| line.strip_prefix("worktree ").map(str::to_owned))))
}
