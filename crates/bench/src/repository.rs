//! Repositories to measure on: the same bytes each time, packed as a clone is.

use std::{
    fmt::Write as _,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::{Context as _, Result, ensure};

use crate::process;

/// How many files lie in a folder.
const FOLDER: usize = 25;

/// The commit's time: nothing depends on the clock.
const TIME: &str = "1700000000 +0000";

/// What a repository consists of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    /// How many files it has.
    pub(crate) files: usize,
    /// How many bytes each has.
    pub(crate) bytes: usize,
}

/// A repository with one commit.
#[derive(Debug)]
pub(crate) struct Repository {
    /// Its work tree.
    pub(crate) path: PathBuf,
    /// Its commit.
    pub(crate) head: String,
}

/// A file to be committed.
pub(crate) struct File<'a> {
    /// Where it is.
    pub(crate) path: &'a str,
    /// What is in it.
    pub(crate) content: &'a str,
    /// Whether it can be run.
    pub(crate) executable: bool,
}

impl Repository {
    /// Makes a repository of this shape, with further files, in the new folder `path`.
    pub(crate) fn make(path: &Path, shape: Shape, further: &[File<'_>]) -> Result<Self> {
        fs::create_dir_all(path)?;
        process::git(path, ["init", "--quiet", "--initial-branch=main"])?;
        let mut import = process::git_command(path)
            .args(["fast-import", "--quiet"])
            .stdin(Stdio::piped())
            .spawn()
            .context("git fast-import does not start")?;
        {
            let mut input = std::io::BufWriter::new(import.stdin.take().context("no standard input")?);
            write!(input, "commit refs/heads/main\ncommitter Bench <bench@example.invalid> {TIME}\ndata 4\nbase\n")?;
            for number in 0..shape.files {
                let place = place(number);
                write_file(&mut input, "100644", &place, content(number, shape.bytes).as_bytes())?;
            }
            for file in further {
                let mode = if file.executable { "100755" } else { "100644" };
                write_file(&mut input, mode, file.path, file.content.as_bytes())?;
            }
            input.flush()?;
        }
        ensure!(import.wait()?.success(), "git fast-import failed");
        process::git(path, ["reset", "--quiet", "--hard"])?;
        let head = process::git(path, ["rev-parse", "HEAD"])?;
        Ok(Self { path: path.to_owned(), head })
    }

    /// Returns the tree that the commit's becomes when these files are added.
    pub(crate) fn tree_with(&self, added: &[(String, String)]) -> Result<String> {
        let index = tempfile::NamedTempFile::new()?;
        let git = |arguments: &[&str]| -> Result<String> {
            let mut command = process::git_command(&self.path);
            process::output(command.env("GIT_INDEX_FILE", index.path()).args(arguments))
        };
        fs::remove_file(index.path())?;
        git(&["read-tree", &self.head])?;
        let content = tempfile::NamedTempFile::new()?;
        for (path, text) in added {
            fs::write(content.path(), text)?;
            let id = git(&["hash-object", "-w", &content.path().to_string_lossy()])?;
            git(&["update-index", "--add", "--cacheinfo", &format!("100644,{id},{path}")])?;
        }
        let tree = git(&["write-tree"]);
        // So that the temporary file is there to be removed.
        fs::File::create(index.path())?;
        tree
    }
}

/// Writes a file into the stream of `git fast-import`.
fn write_file(input: &mut impl std::io::Write, mode: &str, path: &str, content: &[u8]) -> Result<()> {
    writeln!(input, "M {mode} inline {path}\ndata {}", content.len())?;
    input.write_all(content)?;
    writeln!(input)?;
    Ok(())
}

fn place(number: usize) -> String {
    let folder = number / FOLDER;
    format!("src/part{:02}/mod{:03}/file{number:05}.py", folder / 16, folder)
}

/// Makes text that packs about as well as source does: words, some of them often.
fn content(number: usize, bytes: usize) -> String {
    const WORDS: [&str; 16] = [
        "def", "return", "self", "user", "request", "response", "value", "import", "None", "table", "result", "for",
        "in", "if", "not", "raise",
    ];
    let mut state = 0x9e37_79b9_7f4a_7c15_u64 ^ (number as u64).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let mut text = format!("# file {number}\n");
    while text.len() < bytes {
        let random = next();
        let word = WORDS[usize::try_from(random % 16).unwrap_or(0)];
        let separator = if random & 0x700 == 0 { '\n' } else { ' ' };
        if random & 0x3000 == 0 {
            let _ = write!(text, "{:08x}{separator}", random >> 32);
        } else {
            let _ = write!(text, "{word}{separator}");
        }
    }
    text.truncate(bytes);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_shape_gives_the_same_commit() {
        let folder = tempfile::tempdir().unwrap();
        let shape = Shape { files: 30, bytes: 200 };
        let file = File { path: "run.sh", content: "true\n", executable: true };
        let [a, b] = ["a", "b"]
            .map(|name| Repository::make(&folder.path().join(name), shape, std::slice::from_ref(&file)).unwrap());
        assert_eq!(a.head, b.head);
        assert_eq!(process::git(&a.path, ["ls-files"]).unwrap().lines().count(), 31);
        assert_eq!(process::git(&a.path, ["status", "--porcelain"]).unwrap(), "");
        let with = a.tree_with(&[("out/x.txt".to_owned(), "x\n".to_owned())]).unwrap();
        let listed = process::git(&a.path, ["ls-tree", "-r", "--name-only", &with]).unwrap();
        assert!(listed.lines().any(|line| line == "out/x.txt") && listed.lines().count() == 32);
        assert_eq!(process::git(&a.path, ["status", "--porcelain"]).unwrap(), "");
    }
}
