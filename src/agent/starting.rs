//! How a supervisor starts its program: as it is, or inside of a cell.

use std::{
    fs::File,
    io::{self, PipeWriter},
    os::{
        fd::OwnedFd,
        unix::{net::UnixStream, process::CommandExt as _},
    },
    process::{Command, Stdio},
};

use rustix::process::Pid;

use super::{
    launcher::{LAUNCH, Said, Start, read_frame, write_frame},
    program,
    protocol::{LaunchError, Orders},
};
use crate::sandbox::Confinement;

/// What was started.
pub(super) struct Started {
    pub(super) main: Pid,
    pub(super) keeper: Option<UnixStream>,
}

/// What an attempt to start came to.
pub(super) enum Attempted {
    Started(Started),
    Busy(String),
}

/// Starts the program as we are.
pub(super) fn start_plainly(
    orders: &Orders,
    (stdout, stderr): (PipeWriter, PipeWriter),
) -> Result<Attempted, LaunchError> {
    let program = program::resolve(&orders.argv, &orders.directory, &orders.environment)?;
    let input = match &orders.input {
        None => Stdio::null(),
        Some(path) => File::open(path).map_err(|error| cannot_open(path, "standard input", &error))?.into(),
    };
    let started = Command::new(&program)
        .arg0(&orders.argv[0])
        .args(&orders.argv[1..])
        .env_clear()
        .envs(orders.environment.iter().map(|(name, value)| (name, value)))
        .current_dir(&orders.directory)
        .stdin(input)
        .stdout(stdout)
        .stderr(stderr)
        .process_group(0)
        .spawn();
    match started {
        Ok(child) => Ok(Attempted::Started(Started { main: Pid::from_child(&child), keeper: None })),
        Err(error) if is_passing(&error) => Ok(Attempted::Busy(error.to_string())),
        Err(error) => Err(program::why_not_started(&orders.argv, &orders.directory, &program, &error)),
    }
}

/// Starts a launcher, which enters the confinement and becomes the program there, or sends a keeper inside.
pub(super) fn start_inside(
    orders: &Orders,
    confinement: &Confinement,
    (stdout, stderr): (PipeWriter, PipeWriter),
) -> Result<Attempted, LaunchError> {
    let program = || orders.argv.first().cloned().unwrap_or_default();
    let failed = |error: io::Error| LaunchError::Supervisor { program: program(), why: error.to_string() };
    let (ours, theirs) = UnixStream::pair().map_err(failed)?;
    let spawned = Command::new("/proc/self/exe")
        .arg(LAUNCH)
        .env_clear()
        .current_dir("/")
        .stdin(OwnedFd::from(theirs))
        .stdout(stdout)
        .stderr(stderr)
        .process_group(0)
        .spawn();
    let mut launcher = match spawned {
        Ok(launcher) => launcher,
        Err(error) if is_passing(&error) => return Ok(Attempted::Busy(error.to_string())),
        Err(error) => return Err(failed(error)),
    };
    let start = Start {
        argv: orders.argv.clone(),
        directory: orders.directory.clone(),
        environment: orders.environment.clone(),
        input: orders.input.clone(),
        confinement: confinement.clone(),
    };
    // A launcher that ended early says why, or shows by its exit code.
    let _ = write_frame(&ours, &start);
    let mut main = Pid::from_child(&launcher);
    loop {
        match read_frame(&ours).map_err(failed)? {
            // It became the program, which has no end of the socket.
            None if !confinement.needs_keeper() => return Ok(Attempted::Started(Started { main, keeper: None })),
            Some(Said::Running) => return Ok(Attempted::Started(Started { main, keeper: Some(ours) })),
            Some(Said::Keeper { pid }) => {
                let _ = launcher.wait();
                main = Pid::from_raw(pid).ok_or_else(|| failed(io::ErrorKind::InvalidData.into()))?;
                write_frame(&ours, &start).map_err(failed)?;
            }
            Some(Said::Busy(why)) => {
                let _ = launcher.wait();
                return Ok(Attempted::Busy(why));
            }
            Some(Said::Failed(error)) => {
                let _ = launcher.wait();
                return Err(error);
            }
            None | Some(Said::Exited(_)) => {
                return Err(LaunchError::Sandbox { program: program(), why: "its launcher ended early".to_owned() });
            }
        }
    }
}

pub(super) fn is_passing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ExecutableFileBusy | io::ErrorKind::WouldBlock)
}

pub(super) fn cannot_open(path: &std::path::Path, purpose: &str, error: &io::Error) -> LaunchError {
    LaunchError::File { path: path.display().to_string(), purpose: purpose.to_owned(), why: error.to_string() }
}
