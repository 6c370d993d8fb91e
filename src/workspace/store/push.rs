//! The integrated commits on a branch of our own.

use std::io;

use implementer_model::ids::ObjectId;

use crate::workspace::{
    Result, WorkspaceError,
    git::Git,
    store::{
        RunStore,
        fetch::{self, Remote},
    },
};

impl RunStore {
    /// Puts `commit` on the branch `branch` of the remote, in place of what is there now; when somebody else moves the branch
    /// in the meantime, nothing is done. The token stands in no argument and in no address.
    ///
    /// # Errors
    /// When the name is none, the remote cannot be reached or refuses, or the branch moved in the meantime.
    pub fn push(&self, remote: &Remote, commit: &ObjectId, branch: &str) -> Result<()> {
        let reference = format!("refs/heads/{branch}");
        let refused = |reason: String| WorkspaceError::Push {
            branch: branch.to_owned(),
            url: remote.url.clone(),
            reason: reason.trim_end_matches('.').to_owned(),
        };
        if gix::validate::reference::name(gix::bstr::BStr::new(&reference)).is_err() {
            return Err(refused("that is no name of a branch".to_owned()));
        }
        let told = |error| match error {
            WorkspaceError::Command { stderr, .. } => refused(stderr),
            error => error,
        };
        let listed = fetch::authenticated(Git::on(self.dir()), remote)
            .args(["ls-remote", "--quiet", "--refs", "--"])
            .arg(&remote.url)
            .arg(&reference)
            .run()
            .map_err(told)?;
        let there = String::from_utf8(listed).map_err(|error| WorkspaceError::Io {
            doing: "reading what git said of",
            path: reference.clone().into(),
            source: io::Error::other(error),
        })?;
        // Nothing: the branch must not be there.
        let expected = there.split_whitespace().next().unwrap_or_default();
        fetch::authenticated(Git::on(self.dir()), remote)
            .args(["push", "--quiet", "--no-verify", "--no-follow-tags", "--no-signed"])
            .arg(format!("--force-with-lease={reference}:{expected}"))
            .arg("--")
            .arg(&remote.url)
            .arg(format!("{commit}:{reference}"))
            .run()
            .map(drop)
            .map_err(told)
    }
}
