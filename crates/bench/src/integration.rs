//! P6: putting many patches on top of each other, against the chain of `git merge-tree` and `git commit-tree`.

use std::{
    fs,
    io::Write as _,
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use backend_implementer::workspace::{
    integrate::Head,
    message::CommitMessage,
    store::{Base, RunStore},
};
use implementer_model::{
    ids::{Digest, ObjectId, SubagentName, TaskId},
    roster::Access,
    scope::{self, CheckedPatch, Scope},
};

use crate::{process, repository::Repository};

/// Patches on one base, and the tree that all of them come to.
pub(crate) struct Patches<'a> {
    repository: &'a Repository,
    commits: Vec<String>,
    tree: String,
}

impl<'a> Patches<'a> {
    /// Makes `count` commits on the repository's head, each of which adds a file.
    pub(crate) fn make(repository: &'a Repository, count: usize) -> Result<Self> {
        let mut import = process::git_command(&repository.path)
            .args(["fast-import", "--quiet", "--force"])
            .stdin(Stdio::piped())
            .spawn()
            .context("git fast-import does not start")?;
        let files: Vec<_> =
            (1..=count).map(|number| (format!("out/patch-{number}.txt"), format!("{number}\n"))).collect();
        {
            let mut input = std::io::BufWriter::new(import.stdin.take().context("no standard input")?);
            for (number, (path, content)) in files.iter().enumerate() {
                writeln!(input, "commit refs/heads/patch/{number}")?;
                writeln!(input, "committer Bench <bench@example.invalid> 1700000000 +0000\ndata 5\npatch")?;
                writeln!(input, "from {}\nM 100644 inline {path}\ndata {}\n{content}", repository.head, content.len())?;
            }
            input.flush()?;
        }
        ensure!(import.wait()?.success(), "git fast-import failed");
        let listed = process::git(
            &repository.path,
            ["for-each-ref", "--format=%(objectname)", "--sort=version:refname", "refs/heads/patch"],
        )?;
        let commits: Vec<_> = listed.lines().map(str::to_owned).collect();
        ensure!(commits.len() == count, "{} commits instead of {count}", commits.len());
        let tree = repository.tree_with(&files)?;
        Ok(Self { repository, commits, tree })
    }

    /// Integrates all of them our way, in a new store below `folder`.
    pub(crate) fn ours(&self, folder: &Path) -> Result<Duration> {
        let place = folder.join("store.git");
        let _ = fs::remove_dir_all(&place);
        let store = RunStore::create(&self.repository.path, &place)?;
        let base = store.resolve(&self.repository.head)?;
        let patches = self.commits.iter().map(|commit| checked(&store, &base, commit)).collect::<Result<Vec<_>>>()?;
        let lock = Digest::from_content("bench");
        let mut head = Head { commit: base.commit.clone(), tree: base.tree.clone() };
        let began = Instant::now();
        for (number, patch) in patches.iter().enumerate() {
            let message = CommitMessage {
                title: format!("patch {number}"),
                body: String::new(),
                task: TaskId::new(format!("patch-{number}"))?,
                subagent: SubagentName::new("backend-feature-implementer")?,
                attempt: 1,
                lock: lock.clone(),
            };
            let done = store.integrate(&head, patch, &message)?;
            head = Head { commit: done.commit, tree: done.tree };
        }
        let took = began.elapsed();
        ensure!(head.tree.as_str() == self.tree, "integration gave {} instead of {}", head.tree, self.tree);
        Ok(took)
    }

    /// Integrates all of them with two git processes each.
    pub(crate) fn git_chain(&self) -> Result<Duration> {
        let path = &self.repository.path;
        let mut head = self.repository.head.clone();
        let began = Instant::now();
        for commit in &self.commits {
            let tree = process::git(path, ["merge-tree", "--write-tree", &head, commit])?;
            head = process::git(path, ["commit-tree", "-p", &head, "-m", "patch", &tree])?;
        }
        let took = began.elapsed();
        let found = process::git(path, ["rev-parse", &format!("{head}^{{tree}}")])?;
        ensure!(found == self.tree, "the chain gave {found} instead of {}", self.tree);
        Ok(took)
    }
}

fn checked(store: &RunStore, base: &Base, commit: &str) -> Result<CheckedPatch> {
    let tree = store.base_of(&ObjectId::new(commit)?)?.tree;
    let patch = store.patch_between(base, &tree)?;
    let scope = Scope { allow: vec!["**".to_owned()], deny: [].into() };
    scope::check(patch, &scope, Access::Writes, None).map_err(|error| anyhow::anyhow!("{error}"))
}
