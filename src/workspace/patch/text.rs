//! A patch as text, for people and for `git apply`.
//!
//! Git writes it, because it is git's format. One git process does so for all patches of a run: starting one takes longer
//! than all that it has to do.

use std::{
    fs::File,
    io::{BufWriter, Write as _},
    path::Path,
};

use implementer_model::patch::Patch;

use crate::workspace::{
    Result, WorkspaceError,
    error::IoContext as _,
    store::{
        RunStore,
        tree_diff::{END, TreeDiff},
    },
};

/// Writes the patch into the new file `to`, as `git diff` does, with binary content and moved files.
///
/// # Errors
/// When git fails, or the file cannot be written.
pub fn write(store: &RunStore, patch: &Patch, to: &Path) -> Result<()> {
    let mut file = BufWriter::new(File::create(to).doing("creating", to)?);
    let mut place = store.tree_diff();
    // One that failed is not asked again.
    let mut diff = match place.take() {
        Some(diff) => diff,
        None => TreeDiff::start(store.dir())?,
    };
    diff.ask(&patch.base_tree, &patch.tree).doing("asking git for", to)?;
    loop {
        let Some(line) = diff.next_line().doing("reading from git", to)? else {
            drop(file);
            let argv = format!("git diff-tree {} {}", patch.base_tree, patch.tree);
            return Err(WorkspaceError::Command { argv, status: diff.ended(), stderr: String::new() });
        };
        if line == END {
            break;
        }
        file.write_all(line).doing("writing", to)?;
    }
    file.flush().doing("writing", to)?;
    *place = Some(diff);
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink};

    use super::*;
    use crate::workspace::test_support::{TestRepository, git, write};

    #[tokio::test]
    async fn patches_read_as_git_itself_writes_them_one_after_the_other() {
        let repository = TestRepository::new();
        repository.write("docs/old name.md", "one\ntwo\nthree\nfour\nfive\nsix\n");
        repository.write("data.bin", [0_u8, 1, 2, 3].repeat(300));
        repository.commit("more");
        let store = repository.store();
        let pool = crate::workspace::slots::SlotPool::new(store.clone(), &repository.beside("slots")).unwrap();
        let to = repository.beside("patch.diff");
        for round in 0..4 {
            let slot = pool.acquire(&repository.head(), None).await.unwrap();
            let at = slot.path();
            match round {
                // No patch is no text.
                0 => {}
                1 => {
                    write(at, "new/ünd so.txt", "that was all\nno line break at the end");
                    write(at, "README.md", "that was all\n");
                    symlink("README.md", at.join("link")).unwrap();
                }
                2 => {
                    write(at, "data.bin", [3_u8, 2, 1, 0].repeat(500));
                    fs::rename(at.join("docs/old name.md"), at.join("docs/new name.md")).unwrap();
                }
                _ => fs::remove_file(at.join("src/app.py")).unwrap(),
            }
            let patch = slot.capture_last().await.unwrap().patch;
            super::write(&store, &patch, &to).unwrap();
            let trees = [patch.base_tree.as_str(), patch.tree.as_str()];
            let options =
                ["diff", "--binary", "--full-index", "--no-color", "-M", "--src-prefix=a/", "--dst-prefix=b/"];
            let expected = git(store.dir(), &[&options[..], &trees[..]].concat());
            assert_eq!(fs::read_to_string(&to).unwrap().trim_end(), expected.trim_end(), "round {round}");
            assert_eq!(expected.is_empty(), round == 0);
        }
    }

    #[tokio::test]
    async fn after_a_patch_that_git_cannot_read_the_next_is_written() {
        let repository = TestRepository::new();
        let (_pool, slot) = repository.slot().await;
        write(slot.path(), "new.txt", "n\n");
        let patch = slot.capture_last().await.unwrap().patch;
        let store = RunStore::open(&repository.beside("run/store.git")).unwrap();
        let to = repository.beside("patch.diff");
        let missing = Patch { tree: implementer_model::ids::ObjectId::new("1".repeat(40)).unwrap(), ..patch.clone() };
        super::write(&store, &missing, &to).unwrap_err();
        super::write(&store, &patch, &to).unwrap();
        assert!(fs::read_to_string(&to).unwrap().ends_with("+n\n"));
    }
}
