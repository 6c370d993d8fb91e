//! A new repository with one commit, for the demo.

use std::path::{Path, PathBuf};

use crate::workspace::{Result, error::IoContext as _, git::Git, store};

/// When the commit of a new repository was made, for everybody: the demo gives the same commits everywhere.
const COMMITTED: &str = "2026-01-01T00:00:00Z";

/// Makes a repository of the folder and commits everything in it.
///
/// # Errors
/// When git fails, or is missing.
pub fn new_repository(folder: &Path, message: &str) -> Result<()> {
    let folder = &folder.canonicalize().doing("looking for", folder)?;
    Git::bare().args(["init", "--quiet", "--initial-branch=main"]).arg(folder).run()?;
    let git = || Git::on(&folder.join(".git")).env("GIT_WORK_TREE", folder);
    git().args(["add", "--all", "--force"]).run()?;
    git()
        .config("user.name=Backend Implementer")
        .config("user.email=demo@backend-implementer.invalid")
        .args(["commit", "--quiet", "--no-verify", "--no-gpg-sign", "--message", message])
        .env("GIT_AUTHOR_DATE", COMMITTED)
        .env("GIT_COMMITTER_DATE", COMMITTED)
        .run()?;
    Ok(())
}

/// Finds the top folder of the work tree that `folder` is in; the git folder itself for a bare repository.
///
/// # Errors
/// When `folder` is in no repository.
pub fn root_of(folder: &Path) -> Result<PathBuf> {
    let repository = store::discover(folder)?;
    Ok(repository.workdir().unwrap_or_else(|| repository.git_dir()).to_owned())
}
