//! The result of a run on a branch of the user's repository: the one place that writes there.

use std::path::Path;

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

/// Finds the work tree that has a branch checked out.
fn checkout_of(repository: &gix::Repository, target: &str) -> Result<Option<String>> {
    let listed = Git::on(repository.git_dir()).args(["worktree", "list", "--porcelain"]).run()?;
    let listed = String::from_utf8_lossy(&listed);
    let has_it = |lines: &&str| lines.lines().any(|line| line.strip_prefix("branch ") == Some(target));
    let found = listed.split("\n\n").find(has_it);
    Ok(found.and_then(|lines| lines.lines().find_map(|line| line.strip_prefix("worktree ").map(str::to_owned))))
}
