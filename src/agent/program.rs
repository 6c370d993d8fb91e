//! Which file a program is, and why it cannot be started.

use std::{
    io,
    path::{Path, PathBuf},
};

use rustix::fs::{Access, access};

use super::protocol::LaunchError;
use crate::sandbox::first_line;

/// Where programs are looked for when the environment has no `PATH`: what the C library would do (execvp(3)), without
/// the current directory.
const DEFAULT_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// Finds the program of a command: absolute as it is, with a `/` from the working directory, else along `PATH`.
///
/// Relative entries of `PATH` are passed over: a work tree must not bring its own `git`.
pub(super) fn resolve(
    argv: &[String],
    directory: &Path,
    environment: &[(String, String)],
) -> Result<PathBuf, LaunchError> {
    let Some(name) = argv.first().filter(|name| !name.is_empty()) else {
        return Err(LaunchError::Invalid { what: "no program is named".to_owned() });
    };
    check_texts(argv, environment)?;
    match std::fs::metadata(directory) {
        Ok(metadata) if metadata.is_dir() => {}
        Ok(_) => return Err(directory_gone(directory, "it is not a directory")),
        Err(error) => return Err(directory_gone(directory, &error.to_string())),
    }
    find(name, directory, path_of(environment))
}

fn path_of(environment: &[(String, String)]) -> Option<&str> {
    environment.iter().rev().find(|(name, _)| name == "PATH").map(|(_, value)| value.as_str())
}

/// Finds a program: absolute as it is, with a `/` from `directory`, else along `path`.
///
/// # Errors
/// When there is none, or it cannot be executed.
pub(super) fn find(name: &str, directory: &Path, path: Option<&str>) -> Result<PathBuf, LaunchError> {
    if name.contains('/') {
        let path = directory.join(name);
        return check(name, &path).map(|()| path);
    }
    let mut refused = None;
    for directory in std::env::split_paths(path.unwrap_or(DEFAULT_PATH)).filter(|directory| directory.is_absolute()) {
        let path = directory.join(name);
        match check(name, &path) {
            Ok(()) => return Ok(path),
            Err(LaunchError::ProgramNotFound { .. }) => {}
            Err(error) => refused = refused.or(Some(error)),
        }
    }
    Err(refused.unwrap_or_else(|| LaunchError::ProgramNotFound {
        program: name.to_owned(),
        place: format!(" on PATH ({})", path.unwrap_or(DEFAULT_PATH)),
    }))
}

/// Tells whether a program without a `/` in its name is on `path` and can be executed.
#[must_use]
pub fn is_found(name: &str, path: Option<&str>) -> bool {
    find(name, Path::new("/"), path).is_ok()
}

fn check_texts(argv: &[String], environment: &[(String, String)]) -> Result<(), LaunchError> {
    let invalid = |what: String| Err(LaunchError::Invalid { what });
    if let Some(argument) = argv.iter().position(|argument| argument.contains('\0')) {
        return invalid(format!("argument {argument} holds a NUL character"));
    }
    for (name, value) in environment {
        if name.is_empty() || name.contains(['=', '\0']) || value.contains('\0') {
            return invalid(format!("the environment variable {name:?} has a name or value that none can have"));
        }
    }
    Ok(())
}

/// Checks that `path` is a file that we may execute.
fn check(name: &str, path: &Path) -> Result<(), LaunchError> {
    let not_executable = |why: &str| Err(LaunchError::NotExecutable { program: name.to_owned(), why: why.to_owned() });
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => not_executable("it is a directory"),
        Ok(_) if access(path, Access::EXEC_OK).is_err() => {
            not_executable(&format!("{} is not executable for this user: try `chmod +x`", path.display()))
        }
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => not_executable(&error.to_string()),
        Err(_) => Err(LaunchError::ProgramNotFound {
            program: name.to_owned(),
            place: if name == path.to_string_lossy() { String::new() } else { format!(" ({})", path.display()) },
        }),
    }
}

/// Says why a program that is there could not be started.
pub(super) fn why_not_started(argv: &[String], directory: &Path, program: &Path, error: &io::Error) -> LaunchError {
    let name = argv.first().cloned().unwrap_or_default();
    if !directory.is_dir() {
        return directory_gone(directory, &error.to_string());
    }
    let not_executable = |why: String| LaunchError::NotExecutable { program: name.clone(), why };
    match error.kind() {
        io::ErrorKind::NotFound => match first_line(program).and_then(|words| words.into_iter().next()) {
            Some(interpreter) => not_executable(format!("its first line asks for `{interpreter}`, which is not there")),
            None => not_executable("the loader or library that it needs is not there".to_owned()),
        },
        // Whoever looked before was outside of the walls, where it can be executed.
        io::ErrorKind::PermissionDenied if access(program, Access::EXEC_OK).is_ok() => not_executable(format!(
            "{error}: what keeps subagents apart does not let them read {}, or what it is started with. Install it below /opt \
             or /usr/local, or name the program by its absolute path in the configuration",
            real(program).display()
        )),
        io::ErrorKind::PermissionDenied => not_executable(error.to_string()),
        // Not in ErrorKind: ENOEXEC.
        _ if error.raw_os_error() == Some(rustix::io::Errno::NOEXEC.raw_os_error()) => {
            not_executable("it is neither a program for this machine nor a script that begins with `#!`".to_owned())
        }
        io::ErrorKind::ArgumentListTooLong => LaunchError::Start {
            program: name,
            why: "its arguments or environment are longer than the operating system takes".to_owned(),
        },
        _ => LaunchError::Start { program: name, why: error.to_string() },
    }
}

/// Returns where the links lead, as far as that can be seen.
fn real(program: &Path) -> PathBuf {
    program.canonicalize().unwrap_or_else(|_| program.to_owned())
}

fn directory_gone(directory: &Path, why: &str) -> LaunchError {
    LaunchError::DirectoryGone { directory: directory.display().to_string(), why: why.to_owned() }
}
