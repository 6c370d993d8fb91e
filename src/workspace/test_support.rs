//! Repositories for tests, made with git itself, without anybody's configuration.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use implementer_model::{
    ids::{Digest, ObjectId, SubagentName, TaskId},
    patch::{Change, Patch},
};

use crate::workspace::{
    patch::message::CommitMessage,
    slots::{Slot, SlotPool, capture::Captured},
    store::RunStore,
};

/// A user's repository in a temporary folder, with room beside it.
pub(super) struct TestRepository {
    root: tempfile::TempDir,
}

impl TestRepository {
    /// Makes one with a commit.
    pub(super) fn new() -> Self {
        let repository = Self::empty("sha1");
        repository.write("README.md", "# Service\n");
        repository.write("src/app.py", "one\ntwo\nthree\nfour\nfive\n");
        repository.write("src/run.sh", "#!/bin/sh\n");
        repository.git(&["add", "-A"]);
        repository.git(&["update-index", "--chmod=+x", "src/run.sh"]);
        repository.git(&["commit", "-qm", "base"]);
        repository.git(&["checkout", "-q", "--", "."]);
        repository
    }

    /// Makes one without a commit, with the given object format.
    pub(super) fn empty(format: &str) -> Self {
        let repository = Self { root: tempfile::tempdir().unwrap() };
        fs::create_dir(repository.path()).unwrap();
        let format = format!("--object-format={format}");
        repository.git(&["init", "-q", "-b", "main", &format]);
        repository
    }

    /// The work tree.
    pub(super) fn path(&self) -> PathBuf {
        self.root.path().join("service")
    }

    /// A place beside the work tree.
    pub(super) fn beside(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    pub(super) fn git(&self, args: &[&str]) -> String {
        git(&self.path(), args)
    }

    pub(super) fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        write(&self.path(), path, content);
    }

    /// Commits all that is in the work tree.
    pub(super) fn commit(&self, message: &str) -> ObjectId {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", message]);
        self.head()
    }

    pub(super) fn head(&self) -> ObjectId {
        ObjectId::new(self.git(&["rev-parse", "HEAD"])).unwrap()
    }

    pub(super) fn store(&self) -> RunStore {
        RunStore::create(&self.path(), &self.beside("run/store.git")).unwrap()
    }

    /// Makes a pool, leases one slot that holds `HEAD`, and gives both.
    pub(super) async fn slot(&self) -> (SlotPool, Slot) {
        let pool = SlotPool::new(self.store(), &self.beside("slots")).unwrap();
        let slot = pool.acquire(&self.head(), Some(&TaskId::new("feature").unwrap())).await.unwrap();
        (pool, slot)
    }
}

/// Runs git in `folder` as a person would, with a name and a clock of its own.
pub(super) fn git(folder: &Path, args: &[&str]) -> String {
    let (ok, output) = try_git(folder, args);
    assert!(ok, "git {args:?}: {output}");
    output
}

pub(super) fn try_git(folder: &Path, args: &[&str]) -> (bool, String) {
    let output = called(folder, args);
    let text = if output.status.success() { output.stdout } else { output.stderr };
    (output.status.success(), String::from_utf8_lossy(&text).trim_end().to_owned())
}

/// Gives what git prints where that is no text.
pub(super) fn git_bytes(folder: &Path, args: &[&str]) -> Vec<u8> {
    let output = called(folder, args);
    assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn called(folder: &Path, args: &[&str]) -> Output {
    Command::new("git")
        .stdin(Stdio::null())
        .args(args)
        .current_dir(folder)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("HOME", "/nonexistent")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_AUTHOR_NAME", "A Person")
        .env("GIT_AUTHOR_EMAIL", "person@example.com")
        .env("GIT_COMMITTER_NAME", "A Person")
        .env("GIT_COMMITTER_EMAIL", "person@example.com")
        .env("GIT_AUTHOR_DATE", "1700000000 +0100")
        .env("GIT_COMMITTER_DATE", "1700000000 +0100")
        .output()
        .unwrap()
}

pub(super) fn write(folder: &Path, path: &str, content: impl AsRef<[u8]>) {
    let place = folder.join(path);
    fs::create_dir_all(place.parent().unwrap()).unwrap();
    fs::write(place, content).unwrap();
}

/// Everything below a folder: kind and permissions, times, and content or target.
pub(super) fn snapshot(folder: &Path) -> BTreeMap<PathBuf, (u32, i64, i64, Vec<u8>)> {
    let mut found = BTreeMap::new();
    let mut pending = vec![folder.to_owned()];
    while let Some(place) = pending.pop() {
        let meta = fs::symlink_metadata(&place).unwrap();
        let content = if meta.is_dir() {
            pending.extend(fs::read_dir(&place).unwrap().map(|entry| entry.unwrap().path()));
            Vec::new()
        } else if meta.is_symlink() {
            fs::read_link(&place).unwrap().into_os_string().into_encoded_bytes()
        } else {
            fs::read(&place).unwrap()
        };
        found.insert(place, (meta.mode(), meta.mtime(), meta.mtime_nsec(), content));
    }
    found
}

/// The contents and kinds below a folder, without times and without `.git`.
pub(super) fn contents(folder: &Path) -> BTreeMap<String, (u32, Vec<u8>)> {
    let relative = |place: &Path| place.strip_prefix(folder).unwrap().to_string_lossy().into_owned();
    snapshot(folder)
        .into_iter()
        .map(|(place, (mode, _, _, content))| (relative(&place), (mode, content)))
        .filter(|(path, _)| path != ".git" && !path.starts_with(".git/"))
        .collect()
}

/// A message for a task.
pub(super) fn message(task: &str) -> CommitMessage {
    CommitMessage {
        title: format!("Do {task}"),
        body: String::new(),
        task: TaskId::new(task).unwrap(),
        subagent: SubagentName::new("backend-feature-implementer").unwrap(),
        attempt: 1,
        lock: Digest::from_content("lock"),
    }
}

/// A patch in one line a path: a letter, the path, lines added and removed.
pub(super) fn describe(patch: &Patch) -> Vec<String> {
    patch.changes.iter().map(describe_change).collect()
}

fn describe_change(change: &Change) -> String {
    let letter = match (&change.old, &change.new) {
        (None, Some(_)) => "A",
        (Some(_), None) => "D",
        (Some(old), Some(new)) if old.mode != new.mode => "T",
        _ => "M",
    };
    let count = |lines: Option<u32>| lines.map_or("-".to_owned(), |lines| lines.to_string());
    let mut text = format!("{letter} {} +{} -{}", change.path, count(change.added), count(change.removed));
    if let Some(source) = &change.renamed_from {
        text.push_str(&format!(" from {source}"));
    }
    if let Some(target) = &change.link_target {
        text.push_str(&format!(" -> {target}"));
    }
    text
}

/// What was left out, in one line each.
pub(super) fn left_out(captured: &Captured) -> Vec<String> {
    captured.left_out.iter().map(|left| format!("{} {}", left.path, left.why)).collect()
}
