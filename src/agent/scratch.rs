//! The folders of one attempt: a home and a place for temporary files, for this subagent alone.

use std::{
    fs, io,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

use super::AgentError;

/// The folders that an attempt gets.
pub(super) struct Scratch {
    pub(super) home: PathBuf,
    pub(super) temporary: PathBuf,
}

/// The folder in the scratch folder into which a report is written.
const REPORT: &str = "report";

/// Returns the folders in the scratch folder of an attempt that are its own: it may write there, and nowhere else beside
/// its work tree.
#[must_use]
pub fn own_folders(scratch: &Path) -> [PathBuf; 3] {
    let Scratch { home, temporary } = Scratch::made(scratch);
    [home, temporary, report_folder(scratch)]
}

/// Returns the folder into which the report of an attempt is written.
#[must_use]
pub fn report_folder(scratch: &Path) -> PathBuf {
    scratch.join(REPORT)
}

impl Scratch {
    /// Names the folders below `scratch` that were made before.
    pub(super) fn made(scratch: &Path) -> Self {
        Self { home: scratch.join("home"), temporary: scratch.join("tmp") }
    }

    /// Makes the folders below `scratch`, for their owner only, with a git configuration for `user` in the home.
    pub(super) fn make(scratch: &Path, user: &str) -> Result<Self, AgentError> {
        let Self { home, temporary } = Self::made(scratch);
        // Ours, and to be passed through by whoever has the folders in it.
        fs::create_dir_all(scratch).map_err(|source| AgentError::Scratch { path: scratch.to_owned(), source })?;
        for folder in [&home, &temporary, &report_folder(scratch)] {
            make_folder(folder).map_err(|source| AgentError::Scratch { path: folder.clone(), source })?;
        }
        let path = home.join(".gitconfig");
        fs::write(&path, git_configuration(user)).map_err(|source| AgentError::Scratch { path, source })?;
        Ok(Self { home, temporary })
    }
}

/// Returns a path as text, to tell it to a program.
pub(super) fn text_of(path: &Path) -> Result<String, AgentError> {
    path.to_str().map(str::to_owned).ok_or_else(|| AgentError::Path(path.to_owned()))
}

fn make_folder(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Returns a git configuration with which a subagent can commit if it likes: under its own name, in a work tree that may
/// belong to another user (as in containers), without the hooks and signatures of whoever runs it.
fn git_configuration(subagent: &str) -> String {
    // git-config(1): inside double quotes only these need a backslash.
    let name = subagent.replace('\\', "\\\\").replace('"', "\\\"");
    format!(
        "[user]\n\tname = \"{name}\"\n\temail = subagent@backend-implementer.invalid\n\
         [safe]\n\tdirectory = *\n[core]\n\thooksPath = /dev/null\n[commit]\n\tgpgSign = false\n[tag]\n\tgpgSign = false\n\
         [init]\n\tdefaultBranch = main\n[gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n"
    )
}
