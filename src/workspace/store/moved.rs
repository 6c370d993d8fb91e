//! How far a revision has moved, and whether what was made still merges with it.

use implementer_model::ids::ObjectId;

use crate::workspace::{Result, WorkspaceError, git::Git, store::RunStore};

/// A revision that names another commit by now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// The commit that it names now.
    pub to: ObjectId,
    /// How many commits it is ahead of the one it named.
    pub commits: usize,
    /// Whether the commit that it named is among the ancestors of the one it names now.
    pub follows: bool,
    /// Whether the result merges with it without a conflict; `None` where git is too old to tell (before 2.38).
    pub merges: Option<bool>,
}

impl RunStore {
    /// Looks where `revision` is now; `None` when it still is `was`. `result` is what was made on `was`.
    ///
    /// # Errors
    /// When the revision is gone, or git fails.
    pub fn moved(&self, revision: &str, was: &ObjectId, result: &ObjectId) -> Result<Option<Moved>> {
        let to = self.resolve(revision)?.commit;
        if to == *was {
            return Ok(None);
        }
        let git = |arguments: &[&str]| Git::on(self.dir()).args(arguments.iter().copied()).run();
        let follows = succeeded(git(&["merge-base", "--is-ancestor", was.as_str(), to.as_str()]))?.unwrap_or(false);
        let counted = git(&["rev-list", "--count", &format!("{was}..{to}")])?;
        let counted = String::from_utf8_lossy(&counted);
        let commits = counted.trim().parse().map_err(|_| WorkspaceError::Command {
            argv: "git rev-list --count".to_owned(),
            status: "an answer that is no number".to_owned(),
            stderr: counted.trim().to_owned(),
        })?;
        let merges = succeeded(git(&["merge-tree", "--write-tree", "--name-only", to.as_str(), result.as_str()]))?;
        Ok(Some(Moved { to, commits, follows, merges }))
    }
}

/// Tells a command that says no, with exit code 1, from one that says yes; `None` for one that could not say.
fn succeeded(result: Result<Vec<u8>>) -> Result<Option<bool>> {
    match result {
        Ok(_) => Ok(Some(true)),
        Err(WorkspaceError::Command { status, .. }) if status == "exit status: 1" => Ok(Some(false)),
        Err(WorkspaceError::Command { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
