//! The one place where git commands are made.
//!
//! Most of the work is done in process; git itself writes patches as text and bundles, because those are its formats.

use std::{
    ffi::{OsStr, OsString},
    fs::File,
    io::{self, Seek as _, SeekFrom, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::OnceLock,
};

use implementer_model::text;

use crate::workspace::{Result, WorkspaceError, error::IoContext as _};

/// How much of what git says on failure is kept: enough for its last message, not for a flood.
const STDERR_KEPT: usize = 2_000;

/// Options of every command, each with the reason for it.
const SAFETY: &[&str] = &[
    // No hook of anybody's runs; `/dev/null` is no directory, so nothing is found in it.
    "core.hooksPath=/dev/null",
    // A file system monitor is a program, named by configuration.
    "core.fsmonitor=false",
    // Maintenance would start a background process that outlives us.
    "gc.auto=0",
    "maintenance.auto=false",
    // Attributes and excludes of the user's would make output differ from machine to machine.
    "core.attributesFile=/dev/null",
    "core.excludesFile=/dev/null",
    // No protocol is spoken. What reads a bundle file, or fetches the commits of a pull request, allows one for itself.
    "protocol.allow=never",
    // A pager or an editor would wait for a person.
    "core.pager=cat",
    "core.editor=false",
    // Signing asks for a key, and makes commits differ.
    "commit.gpgSign=false",
    "tag.gpgSign=false",
    // Deltas found by several threads depend on timing; one thread gives the same pack again.
    "pack.threads=1",
    // Of a pack no more is mapped than this at one time: mapped files count as memory, and a pack holds every patch.
    "core.packedGitWindowSize=4m",
    "core.packedGitLimit=32m",
    // The repository is named explicitly and is our own, but a container's root may not be its owner.
    "safe.directory=*",
];

/// One git command that is being put together.
#[derive(Debug)]
pub(super) struct Git {
    command: Command,
}

impl Git {
    /// Begins a command on the repository `git_dir`, with nothing of the caller's environment but the search path.
    pub(super) fn on(git_dir: &Path) -> Self {
        let mut git = Self::bare();
        // Named explicitly, so that git neither searches upwards nor asks who owns the folder.
        git.command.env("GIT_DIR", git_dir).current_dir(git_dir);
        git
    }

    /// Fails when there is no git to be run.
    pub(super) fn check_installed() -> Result<()> {
        // A run makes two stores, and git does not go away in between.
        static IS_THERE: OnceLock<()> = OnceLock::new();
        if IS_THERE.get().is_none() {
            let mut git = Self::bare();
            git.command.arg("version");
            git.run()?;
        }
        IS_THERE.get_or_init(|| ());
        Ok(())
    }

    /// Returns major and minor version.
    pub(super) fn version() -> Result<[u32; 2]> {
        let mut git = Self::bare();
        git.command.arg("version");
        let said = git.run()?;
        let said = String::from_utf8_lossy(&said);
        let mut numbers = said.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty());
        let mut next = || numbers.next()?.parse().ok();
        let version = next().and_then(|major| Some([major, next()?]));
        version.ok_or_else(|| WorkspaceError::Command {
            argv: "git version".to_owned(),
            status: "an answer that has no version".to_owned(),
            stderr: said.trim().to_owned(),
        })
    }

    /// Begins a command on no repository.
    pub(super) fn bare() -> Self {
        let mut command = Command::new(program());
        command.env_clear();
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        command
            // Messages are matched and shown: they must not depend on the user's language.
            .env("LC_ALL", "C")
            // Neither the system's nor the user's configuration.
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_ATTR_NOSYSTEM", "1")
            .env("HOME", "/nonexistent")
            .env("XDG_CONFIG_HOME", "/nonexistent")
            // Never ask, never take locks that are not needed, never load objects over the network.
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_OPTIONAL_LOCKS", "0")
            .env("GIT_NO_LAZY_FETCH", "1")
            // Objects are what they are: no replacement refs.
            .env("GIT_NO_REPLACE_OBJECTS", "1")
            // A new repository is what we understand, whatever this git makes by default.
            .env("GIT_DEFAULT_HASH", "sha1")
            .env("GIT_DEFAULT_REF_FORMAT", "files")
            .stdin(Stdio::null());
        for option in SAFETY {
            command.arg("-c").arg(option);
        }
        Self { command }
    }

    /// Sets a configuration value for this command; goes before the first argument.
    pub(super) fn config(mut self, setting: &str) -> Self {
        self.command.arg("-c").arg(setting);
        self
    }

    /// Adds an argument.
    pub(super) fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.command.arg(arg);
        self
    }

    /// Adds arguments.
    pub(super) fn args(mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.command.args(args);
        self
    }

    /// Sets a variable of the command's environment.
    pub(super) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Gives the command `input` to read. It goes through an unnamed file, so that neither side waits for the other.
    pub(super) fn input(mut self, input: &[u8]) -> Result<Self> {
        let file = tempfile::tempfile().and_then(|mut file| {
            file.write_all(input)?;
            file.seek(SeekFrom::Start(0))?;
            Ok(file)
        });
        self.command.stdin(file.doing("writing the input of git to", &std::env::temp_dir())?);
        Ok(self)
    }

    /// Lets the command read what is left of `file`. What it writes itself is not kept.
    pub(super) fn reading(mut self, file: File) -> Self {
        self.command.stdin(file).stdout(Stdio::null());
        self
    }

    /// Runs the command and returns what it wrote.
    ///
    /// # Errors
    /// When git is missing, or says that it failed.
    pub(super) fn run(mut self) -> Result<Vec<u8>> {
        let output = self.command.output().map_err(not_started)?;
        self.check(output)
    }

    /// Starts the command as one that answers for as long as it is asked: both its ends are ours.
    ///
    /// # Errors
    /// When git is missing.
    pub(super) fn converse(mut self) -> Result<Child> {
        self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        self.command.spawn().map_err(not_started)
    }

    fn check(&self, output: Output) -> Result<Vec<u8>> {
        if output.status.success() {
            return Ok(output.stdout);
        }
        let stderr = String::from_utf8_lossy(&output.stderr);
        let stderr = text::terminal(stderr.trim());
        let skipped = stderr.char_indices().rev().nth(STDERR_KEPT).map_or(0, |(at, _)| at);
        Err(WorkspaceError::Command {
            argv: self.argv(),
            status: output.status.to_string(),
            stderr: stderr[skipped..].to_owned(),
        })
    }

    /// Returns the command as text, without the options that every command has.
    fn argv(&self) -> String {
        let own: Vec<OsString> = self.command.get_args().skip(2 * SAFETY.len()).map(OsStr::to_owned).collect();
        let own: Vec<_> = own.iter().map(|arg| text::terminal(&arg.to_string_lossy())).collect();
        format!("git {}", own.join(" "))
    }
}

/// Returns where git is, looked up once along our own `PATH`.
///
/// By a bare name the standard library has to look along the `PATH` that the command is given, in a copy of this process,
/// and copying the memory of a coordinator takes longer than all that git does.
fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let places = std::env::split_paths(&path).filter(|folder| folder.is_absolute());
        // One that is not there says so when it is started.
        places.map(|folder| folder.join("git")).find(|place| is_program(place)).unwrap_or_else(|| PathBuf::from("git"))
    })
}

fn is_program(place: &Path) -> bool {
    std::fs::metadata(place).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

fn not_started(source: io::Error) -> WorkspaceError {
    WorkspaceError::GitMissing(source)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_names_the_command_and_what_git_said() {
        let folder = tempfile::tempdir().unwrap();
        let error = Git::on(folder.path()).args(["rev-parse", "--verify", "nothing"]).run().unwrap_err().to_string();
        assert!(error.starts_with("`git rev-parse --verify nothing` failed with exit status: 128: fatal: "), "{error}");
    }

    #[test]
    fn configuration_of_the_user_does_not_reach_git() {
        let folder = tempfile::tempdir().unwrap();
        Git::bare().args(["init", "-q", "--bare"]).arg(folder.path()).run().unwrap();
        let seen = Git::on(folder.path()).args(["config", "--show-scope", "--list"]).run().unwrap();
        let seen = String::from_utf8(seen).unwrap();
        assert!(seen.lines().all(|line| line.starts_with("command\t") || line.starts_with("local\t")), "{seen}");
    }
}
