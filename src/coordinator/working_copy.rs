//! The set-up of working copies: what the configuration says that every slot needs before a subagent or a gate runs in it.
//!
//! The commands run once for each state of the files that they name. What they left in the working copy is kept aside, where
//! no subagent can write, and every further slot gets a copy of that: so nothing that a subagent did to it reaches the next.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use implementer_model::{
    command,
    config::SetupCommand,
    ids::{Digest, ObjectId},
    scope::{CompiledScope, Scope},
    text,
};
use tokio::sync::{Mutex, OnceCell};

use super::{
    error::{RunError, SetupError},
    workplace::Workplace,
};
use crate::{
    agent::{self, Launch},
    sandbox::{self, Sandbox},
    workspace::store::RunStore,
};

/// The most output of a command that is kept, in bytes.
const LOG_MAX: u64 = 16 * 1024 * 1024;

/// How long a command has to end by itself.
const GRACE: std::time::Duration = std::time::Duration::from_secs(10);

/// How much of a command's output a message shows, in characters.
const SHOWN_MAX: usize = 600;

/// What the set-up of one state of the files came to.
type Made = Arc<OnceCell<Result<PathBuf, Arc<SetupError>>>>;

/// The set-up of a run: its commands, and what they have made so far.
#[derive(Debug)]
pub struct WorkingCopySetup {
    commands: Vec<SetupCommand>,
    pass_environment: Vec<String>,
    /// Where what was made is kept: out of every slot.
    kept: PathBuf,
    /// Where logs go.
    logs: PathBuf,
    made: Mutex<HashMap<Digest, Made>>,
    /// Held while commands run: two installations at one time would fight over caches of the machine.
    making: Mutex<()>,
}

/// Where a set-up runs.
pub struct SetupPlace<'a> {
    /// The store with the tree.
    pub store: &'a RunStore,
    /// The commit that the working copy is at.
    pub commit: &'a ObjectId,
    /// The working copy.
    pub worktree: &'a Path,
    /// A folder for the homes of the commands.
    pub scratch: &'a Path,
    /// What isolates them.
    pub sandbox: &'a Sandbox,
    /// Who runs them there.
    pub workplace: &'a Workplace<'a>,
    /// Our own environment.
    pub environment: &'a BTreeMap<String, String>,
    /// Our own executable.
    pub supervisor: &'a Path,
}

impl WorkingCopySetup {
    /// Makes the set-up of a run that keeps what it makes below `kept`, and its logs below `logs`.
    #[must_use]
    pub fn new(commands: Vec<SetupCommand>, pass_environment: Vec<String>, kept: PathBuf, logs: PathBuf) -> Self {
        Self { commands, pass_environment, kept, logs, made: Mutex::default(), making: Mutex::default() }
    }

    /// Makes a working copy ready.
    ///
    /// # Errors
    /// When a command fails: the environment lacks something, and nobody's work is to blame.
    pub async fn make_ready(&self, place: &SetupPlace<'_>) -> Result<(), RunError> {
        if self.commands.is_empty() {
            return Ok(());
        }
        let (digest, paths) = tokio::task::block_in_place(|| self.digest(place))?;
        let made = Arc::clone(self.made.lock().await.entry(digest.clone()).or_default());
        let mut first = false;
        let result = made
            .get_or_init(async || {
                first = true;
                self.make(place, &digest, &paths).await.map_err(Arc::new)
            })
            .await;
        let kept = result.as_ref().map_err(|why| RunError::Setup(Arc::clone(why)))?;
        if first {
            return Ok(());
        }
        // A copy for each: what a subagent changes in its own reaches no other.
        let copied = tokio::task::block_in_place(|| copy_tree(kept, place.worktree));
        copied
            .and_then(|()| place.workplace.give_worktree(place.sandbox))
            .map_err(|error| RunError::Setup(Arc::new(SetupError::Copy(error))))
    }

    /// Digests the commands and the files that they name, and lists the paths of the tree.
    fn digest(&self, place: &SetupPlace<'_>) -> Result<(Digest, BTreeSet<String>), RunError> {
        let tree = place.store.base_of(place.commit)?.tree;
        let paths: BTreeSet<String> = place.store.list_files(&tree, "")?.into_iter().collect();
        let mut text = String::new();
        for command in &self.commands {
            text.push_str(&command.run);
            text.push('\0');
            let files = CompiledScope::new(&Scope { allow: command.files.clone(), deny: [].into() })
                .expect("invariant: a configuration that was read has only globs that compile");
            for path in paths.iter().filter(|path| files.allows(path)) {
                let content = place.store.read_file(&tree, path)?.expect("invariant: a file that is listed is there");
                text.push_str(&format!("{path}\0{}\0", Digest::from_content(&content)));
            }
        }
        Ok((Digest::from_content(&text), paths))
    }

    /// Runs the commands, and keeps what they left beside the files of the tree.
    async fn make(
        &self,
        place: &SetupPlace<'_>,
        digest: &Digest,
        paths: &BTreeSet<String>,
    ) -> Result<PathBuf, SetupError> {
        let _alone = self.making.lock().await;
        for (number, command) in self.commands.iter().enumerate() {
            self.run(place, command, number + 1).await?;
        }
        // What git does not ignore would be taken for the work of a subagent.
        let captured = tokio::task::block_in_place(|| place.store.capture_folder(place.worktree, place.commit));
        if let Some(change) = captured.map_err(SetupError::Capture)?.patch.changes.first() {
            return Err(SetupError::NotIgnored(text::terminal(change.path.as_str())));
        }
        let to = self.kept.join(digest.short());
        tokio::task::block_in_place(|| {
            for path in left_behind(place.worktree, paths)? {
                let target = to.join(&path);
                if let Some(folder) = target.parent() {
                    fs::create_dir_all(folder)?;
                }
                copy_any(&place.worktree.join(&path), &target)?;
            }
            fs::create_dir_all(&to)
        })
        .map_err(SetupError::Copy)?;
        Ok(to)
    }

    async fn run(&self, place: &SetupPlace<'_>, command: &SetupCommand, number: usize) -> Result<(), SetupError> {
        let shown = || text::truncate(&text::plain(&command.run), 120);
        let not_run =
            |source: Box<dyn std::error::Error + Send + Sync>| SetupError::NotRun { command: shown(), source };
        let argv = command.argv();
        let log = self.logs.join(format!("setup-{number}.log"));
        fs::create_dir_all(&self.logs).map_err(|error| not_run(error.into()))?;
        let home = place.scratch.join(format!("setup-{number}"));
        let environment = agent::gate_environment(place.environment, &self.pass_environment, &home)
            .map_err(|error| not_run(error.into()))?;
        let launch = Launch {
            output_cap: LOG_MAX,
            grace: GRACE,
            ..Launch::new(argv, place.worktree, environment, &log, place.supervisor)
        };
        let own = sandbox::place_of_program(&launch.argv) + 1;
        let ended = place.workplace.run(launch, own, tokio::time::sleep(command.time_limit())).await;
        let ended = ended.map_err(|error| match error {
            agent::LaunchError::ProgramNotFound { program, .. } if command::is_own_path(&program) => {
                SetupError::NotInRepository { program, command: shown() }
            }
            agent::LaunchError::ProgramNotFound { program, .. } => SetupError::Lacks { program, command: shown() },
            error => not_run(error.into()),
        })?;
        let tail = text::truncate(text::plain(&ended.output_tail).trim(), SHOWN_MAX);
        match (ended.stopped, ended.exit.code()) {
            (true, _) => Err(SetupError::TimedOut { command: shown(), log }),
            (false, Some(0)) => Ok(()),
            (false, Some(127)) => Err(SetupError::LacksCalled { command: shown(), tail }),
            (false, _) => Err(SetupError::Failed { command: shown(), exit: ended.exit.to_string(), tail }),
        }
    }
}

/// Lists what lies in a working copy beside the files of its tree: folders as a whole where nothing of the tree is in them.
fn left_behind(worktree: &Path, paths: &BTreeSet<String>) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(worktree.join(&folder))? {
            let entry = entry?;
            let path = folder.join(entry.file_name());
            if path == Path::new(".git") {
                continue;
            }
            let Some(name) = path.to_str() else { continue };
            let below = format!("{name}/");
            let has_tracked = paths.range(below.clone()..).next().is_some_and(|first| first.starts_with(&below));
            match (entry.file_type()?.is_dir(), has_tracked) {
                (true, true) => folders.push(path),
                (_, false) if !paths.contains(name) => found.push(path),
                _ => {}
            }
        }
    }
    Ok(found)
}

/// Copies everything below a folder into another that may hold something already.
fn copy_tree(from: &Path, to: &Path) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        copy_any(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}

fn copy_any(from: &Path, to: &Path) -> io::Result<()> {
    let meta = fs::symlink_metadata(from)?;
    if meta.is_symlink() {
        return std::os::unix::fs::symlink(fs::read_link(from)?, to);
    }
    if meta.is_dir() {
        match fs::create_dir(to) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        return copy_tree(from, to);
    }
    if meta.is_file() {
        fs::copy(from, to)?;
    }
    // Sockets and pipes are of whoever made them.
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_what_the_tree_does_not_have() {
        let folder = tempfile::tempdir().unwrap();
        let at = |path: &str| folder.path().join(path);
        for path in ["node_modules/a/index.js", "src/main.js", "src/generated/types.js", ".git/HEAD", "made.txt"] {
            fs::create_dir_all(at(path).parent().unwrap()).unwrap();
            fs::write(at(path), path).unwrap();
        }
        std::os::unix::fs::symlink("a", at("node_modules/link")).unwrap();
        let paths = BTreeSet::from(["src/main.js".to_owned(), "src.txt".to_owned()]);
        let mut found = left_behind(folder.path(), &paths).unwrap();
        found.sort();
        assert_eq!(found, [Path::new("made.txt"), Path::new("node_modules"), Path::new("src/generated")]);

        let to = tempfile::tempdir().unwrap();
        fs::create_dir(to.path().join("node_modules")).unwrap();
        copy_any(&at("node_modules"), &to.path().join("node_modules")).unwrap();
        assert_eq!(fs::read_to_string(to.path().join("node_modules/a/index.js")).unwrap(), "node_modules/a/index.js");
        assert_eq!(fs::read_link(to.path().join("node_modules/link")).unwrap(), Path::new("a"));
    }
}
