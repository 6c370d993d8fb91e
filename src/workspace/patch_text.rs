//! A patch as text, for people and for `git apply`.
//!
//! Git writes it, because it is git's format. One git process does so for all patches of a run: starting one takes longer
//! than all that it has to do.

use std::{
    fs::File,
    io::{self, BufRead as _, BufReader, BufWriter, Write as _},
    path::Path,
    process::{Child, ChildStdin, ChildStdout},
};

use implementer_model::patch::Patch;

use super::{Result, WorkspaceError, error::IoContext as _, git::Git, store::RunStore};

/// What git gives back as it is, because it names no object: it tells where the answer before it ends. No line of a diff
/// begins so: those of contents begin with a sign, those of binary contents have no blanks.
const END: &[u8] = b"that was all\n";

/// Writes the patch into the new file `to`, as `git diff` does, with binary content and moved files.
///
/// # Errors
/// When git fails, or the file cannot be written.
pub fn write(store: &RunStore, patch: &Patch, to: &Path) -> Result<()> {
    let mut file = BufWriter::new(File::create(to).doing("creating", to)?);
    let mut place = store.texts();
    // One that failed is not asked again.
    let mut texts = match place.take() {
        Some(texts) => texts,
        None => Texts::begin(store)?,
    };
    texts.ask(patch).doing("asking git for", to)?;
    loop {
        let Some(line) = texts.next_line().doing("reading from git", to)? else {
            drop(file);
            let argv = format!("git diff-tree {} {}", patch.base_tree, patch.tree);
            return Err(WorkspaceError::Command { argv, status: texts.ended(), stderr: String::new() });
        };
        if line == END {
            break;
        }
        file.write_all(line).doing("writing", to)?;
    }
    file.flush().doing("writing", to)?;
    *place = Some(texts);
    Ok(())
}

/// A git process that tells the difference of any two trees.
#[derive(Debug)]
pub(super) struct Texts {
    process: Child,
    /// `None` once nothing more is asked: then the process ends.
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    line: Vec<u8>,
}

impl Texts {
    fn begin(store: &RunStore) -> Result<Self> {
        let mut process = Git::on(store.dir())
            .args(["diff-tree", "--stdin", "-r", "-p"])
            .args(["--binary", "--full-index", "--no-color", "--no-ext-diff", "--no-textconv"])
            .args(["-M", "-l100", "--submodule=short", "--src-prefix=a/", "--dst-prefix=b/"])
            .converse()?;
        let (questions, answers) = (process.stdin.take(), process.stdout.take().map(BufReader::new));
        match answers {
            Some(answers) => Ok(Self { process, questions, answers, line: Vec::new() }),
            None => Err(WorkspaceError::GitMissing(io::ErrorKind::BrokenPipe.into())),
        }
    }

    /// Asks for the patch, and reads the line that repeats the question.
    fn ask(&mut self, patch: &Patch) -> io::Result<()> {
        let question = format!("{} {}\n", patch.base_tree, patch.tree);
        let pipe = self.questions.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        pipe.write_all(question.as_bytes())?;
        pipe.write_all(END)?;
        match self.next_line()? {
            Some(line) if line == question.as_bytes() => Ok(()),
            // It says what it misses on its standard error, and goes on.
            _ => Err(io::Error::other(format!("git cannot compare {}", question.trim_end()))),
        }
    }

    fn next_line(&mut self) -> io::Result<Option<&[u8]>> {
        self.line.clear();
        let length = self.answers.read_until(b'\n', &mut self.line)?;
        Ok((length > 0).then_some(self.line.as_slice()))
    }

    fn ended(&mut self) -> String {
        self.questions = None;
        self.process.wait().map_or_else(|error| error.to_string(), |status| status.to_string())
    }
}

impl Drop for Texts {
    fn drop(&mut self) {
        self.questions = None;
        // It may have more to say than anybody reads.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink};

    use super::*;
    use crate::workspace::test_repository::{TestRepository, git, write};

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
