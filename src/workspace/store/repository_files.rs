//! The few files that make a folder a git repository, written by us so that nothing of a template or a user's
//! configuration gets in, and in a millisecond.

use std::{
    fs,
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
};

use crate::workspace::{Result, error::IoContext as _};

/// Who commits on behalf of the coordinator.
pub(in crate::workspace) const COORDINATOR_NAME: &str = "backend-implementer";
/// The coordinator's address, in the domain that never has any (RFC 2606).
pub(in crate::workspace) const COORDINATOR_EMAIL: &str = "backend-implementer@subagents.invalid";

/// What a repository borrows and what it stands on.
#[derive(Debug, Clone)]
pub(in crate::workspace) struct Shared {
    /// The hash function of the objects.
    pub(in crate::workspace) object_hash: gix::hash::Kind,
    /// The object directories that are read from, beside its own.
    pub(in crate::workspace) alternates: Vec<PathBuf>,
    /// The commits whose parents are not there, as git's `shallow` file lists them.
    pub(in crate::workspace) shallow: Option<Vec<u8>>,
}

/// Settings of the repository in a subagent's folder. Everything that would let the user's own configuration change
/// what `git status`, `git diff` and `git commit` do there is set, so that they agree with what is captured.
const SLOT_SETTINGS: &str = "\tbare = false
\tfilemode = true
\tsymlinks = true
\tautocrlf = false
\tsafecrlf = false
\thooksPath = /dev/null
\tfsmonitor = false
\tuntrackedCache = false
\texcludesFile = /dev/null
\tattributesFile = /dev/null
[gc]
\tauto = 0
[maintenance]
\tauto = false
[commit]
\tgpgSign = false
[tag]
\tgpgSign = false
[advice]
\tdetachedHead = false
";

/// Writes a bare repository into the new folder `git_dir`.
pub(in crate::workspace) fn write_bare(git_dir: &Path, shared: &Shared) -> Result<()> {
    fs::create_dir_all(git_dir).doing("creating", git_dir)?;
    let config = format!("{}\tbare = true\n[gc]\n\tauto = 0\n", core_section(shared.object_hash));
    write_common(git_dir, shared, &config, b"ref: refs/heads/backend-implementer\n")
}

/// Writes the `.git` folder of a work tree whose `HEAD` is `commit`, on `branch` when one is named.
pub(in crate::workspace) fn write_worktree(
    git_dir: &Path,
    shared: &Shared,
    commit: gix::ObjectId,
    branch: Option<&str>,
) -> Result<()> {
    fs::create_dir(git_dir).doing("creating", git_dir)?;
    let config = format!(
        "{}{SLOT_SETTINGS}[user]\n\tname = {COORDINATOR_NAME}\n\temail = {COORDINATOR_EMAIL}\n",
        core_section(shared.object_hash)
    );
    match branch {
        None => write_common(git_dir, shared, &config, format!("{commit}\n").as_bytes()),
        Some(branch) => {
            write_common(git_dir, shared, &config, format!("ref: refs/heads/{branch}\n").as_bytes())?;
            write(&git_dir.join("packed-refs"), format!("{commit} refs/heads/{branch}\n").as_bytes())
        }
    }
}

fn core_section(object_hash: gix::hash::Kind) -> String {
    match object_hash {
        gix::hash::Kind::Sha1 => "[core]\n\trepositoryformatversion = 0\n".to_owned(),
        other => {
            format!("[extensions]\n\tobjectFormat = {other}\n[core]\n\trepositoryformatversion = 1\n")
        }
    }
}

fn write_common(git_dir: &Path, shared: &Shared, config: &str, head: &[u8]) -> Result<()> {
    // Only what git does not make by itself: a lease writes all of this, and the next one removes it again.
    for folder in ["objects", "objects/info", "refs"] {
        let folder = git_dir.join(folder);
        fs::create_dir_all(&folder).doing("creating", &folder)?;
    }
    let mut alternates = Vec::new();
    for folder in &shared.alternates {
        alternates.extend_from_slice(&alternate_line(folder));
    }
    write(&git_dir.join("objects/info/alternates"), &alternates)?;
    if let Some(shallow) = &shared.shallow {
        write(&git_dir.join("shallow"), shallow)?;
    }
    write(&git_dir.join("config"), config.as_bytes())?;
    // Last, because a folder with a HEAD is what counts as a repository.
    write(&git_dir.join("HEAD"), head)
}

/// Returns the line of an `alternates` file for `folder`, quoted when git would read it as something else.
fn alternate_line(folder: &Path) -> Vec<u8> {
    let raw = folder.as_os_str().as_bytes();
    let plain = !raw.contains(&b'\n') && !raw.starts_with(b"#") && !raw.starts_with(b"\"");
    let mut line = Vec::with_capacity(raw.len() + 3);
    if plain {
        line.extend_from_slice(raw);
    } else {
        line.push(b'"');
        for &byte in raw {
            match byte {
                b'\n' => line.extend_from_slice(b"\\n"),
                b'"' | b'\\' => line.extend_from_slice(&[b'\\', byte]),
                _ => line.push(byte),
            }
        }
        line.push(b'"');
    }
    line.push(b'\n');
    line
}

fn write(path: &Path, content: &[u8]) -> Result<()> {
    fs::write(path, content).doing("writing", path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alternates_with_odd_names_are_read_back_as_they_were() {
        for name in ["/plain/objects", "/with space/ä", "/line\nbreak\"quote\\back", "#hash"] {
            let line = alternate_line(Path::new(name));
            assert_eq!(gix::odb::alternate::parse(&line).unwrap(), [PathBuf::from(name)], "{name:?}");
        }
    }
}
