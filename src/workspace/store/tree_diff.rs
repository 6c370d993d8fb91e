//! One git process that writes the difference of any two trees as text, because starting one for each takes longer than
//! all that it has to do.

use std::{
    io::{self, BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Child, ChildStdin, ChildStdout},
};

use crate::workspace::{Result, WorkspaceError, git::Git};
use implementer_model::ids::ObjectId;

/// What git gives back as it is, because it names no object: it tells where the answer before it ends. No line of a diff
/// begins so: those of contents begin with a sign, those of binary contents have no blanks.
pub(in crate::workspace) const END: &[u8] = b"that was all\n";

/// A git process that tells the difference of any two trees.
#[derive(Debug)]
pub(in crate::workspace) struct TreeDiff {
    process: Child,
    /// `None` once nothing more is asked: then the process ends.
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    line: Vec<u8>,
}

impl TreeDiff {
    /// Starts git on the repository `dir`.
    pub(in crate::workspace) fn start(dir: &Path) -> Result<Self> {
        let mut process = Git::on(dir)
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
    pub(in crate::workspace) fn ask(&mut self, from: &ObjectId, to: &ObjectId) -> io::Result<()> {
        let question = format!("{from} {to}\n");
        let pipe = self.questions.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        pipe.write_all(question.as_bytes())?;
        pipe.write_all(END)?;
        match self.next_line()? {
            Some(line) if line == question.as_bytes() => Ok(()),
            // It says what it misses on its standard error, and goes on.
            _ => Err(io::Error::other(format!("git cannot compare {}", question.trim_end()))),
        }
    }

    /// Reads a line of the answer; `None` when git has ended.
    pub(in crate::workspace) fn next_line(&mut self) -> io::Result<Option<&[u8]>> {
        self.line.clear();
        let length = self.answers.read_until(b'\n', &mut self.line)?;
        Ok((length > 0).then_some(self.line.as_slice()))
    }

    /// Waits for the end of git, and says how it ended.
    pub(in crate::workspace) fn ended(&mut self) -> String {
        self.questions = None;
        self.process.wait().map_or_else(|error| error.to_string(), |status| status.to_string())
    }
}

impl Drop for TreeDiff {
    fn drop(&mut self) {
        self.questions = None;
        // It may have more to say than anybody reads.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
