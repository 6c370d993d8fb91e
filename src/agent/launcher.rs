//! The launcher: our own executable, started once more by a supervisor, that enters a confinement and becomes the program.
//!
//! It is a process of its own because entering is for good: a supervisor has to stay outside of what it supervises. In a
//! confinement with a PID namespace a second one stays inside as the first process there, the keeper: it starts the program,
//! waits for what loses its parent, and takes everything with it when it ends.

use std::{
    fs::File,
    io::{self, Read, Write},
    os::{
        fd::OwnedFd,
        unix::{net::UnixStream, process::CommandExt as _},
    },
    path::PathBuf,
    process::{Command, ExitCode, Stdio},
};

use rustix::{
    event::{PollFd, PollFlags, poll},
    io::Errno,
    process::{Pid, WaitOptions, wait},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use signal_hook::{consts::SIGCHLD, low_level::pipe};

use super::{
    program,
    protocol::{Exit, LaunchError, ORDERS_MAX},
    reaping::exit_of,
    starting::is_passing,
};
use crate::sandbox::Confinement;

/// The first argument that makes the executable a launcher.
pub const LAUNCH: &str = "__launch";

/// The further argument of the launcher that is started inside.
const INSIDE: &str = "inside";

/// What a launcher is to start.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Start {
    pub(super) argv: Vec<String>,
    pub(super) directory: PathBuf,
    pub(super) environment: Vec<(String, String)>,
    pub(super) input: Option<PathBuf>,
    pub(super) confinement: Confinement,
}

/// What a launcher says. One that becomes the program says nothing: its end of the socket is closed by that.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Said {
    /// The program cannot be started.
    Failed(LaunchError),
    /// It cannot be started now, but perhaps soon.
    Busy(String),
    /// A keeper was started inside, and waits for its orders.
    Keeper { pid: i32 },
    /// The keeper has started the program.
    Running,
    /// The program has ended.
    Exited(Exit),
}

/// Writes a value behind its length.
pub(super) fn write_frame(mut stream: &UnixStream, value: &impl Serialize) -> io::Result<()> {
    let bytes = serde_json::to_vec(value)?;
    stream.write_all(&u64::try_from(bytes.len()).map_err(io::Error::other)?.to_le_bytes())?;
    stream.write_all(&bytes)
}

/// Reads a value; none when the other end was closed before it.
pub(super) fn read_frame<T: DeserializeOwned>(mut stream: &UnixStream) -> io::Result<Option<T>> {
    let mut length = [0; 8];
    match stream.read_exact(&mut length) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Ok(None),
        other => other?,
    }
    let length = usize::try_from(u64::from_le_bytes(length)).map_err(io::Error::other)?;
    if length > ORDERS_MAX {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes)?;
    Ok(Some(serde_json::from_slice(&bytes)?))
}

/// Runs as a launcher: its standard input is a socket to its supervisor. Returns only when the program was not started,
/// or when it was a keeper.
#[must_use]
pub fn launch_main() -> ExitCode {
    // The program must not inherit it, and gets another standard input.
    let socket = rustix::io::fcntl_dupfd_cloexec(io::stdin(), 3).map(UnixStream::from);
    let Ok(socket) = socket else { return ExitCode::from(2) };
    let Ok(Some(start)) = read_frame::<Start>(&socket) else { return ExitCode::from(2) };
    let inside = std::env::args().nth(2).is_some_and(|argument| argument == INSIDE);
    // What a keeper starts has its limits from us.
    let limited = if inside { Ok(()) } else { start.confinement.limit().map_err(|error| not_confined(&start, &error)) };
    let outcome = limited.and_then(|()| match (start.confinement.needs_keeper(), inside) {
        (true, false) => send_inside(&start, &socket),
        (true, true) => keep(&start, &socket),
        (false, _) => Err(become_program(&start)),
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(said) => {
            // A supervisor that is gone needs no answer.
            let _ = write_frame(&socket, &said);
            ExitCode::FAILURE
        }
    }
}

/// Enters the confinement and becomes the program. Returns why it did not.
fn become_program(start: &Start) -> Said {
    let mut command = match prepare(start) {
        Ok(command) => command,
        Err(said) => return said,
    };
    let error = command.exec();
    not_started(start, &error)
}

/// Enters the confinement, and prepares the program as seen from there.
fn prepare(start: &Start) -> Result<Command, Said> {
    let input = match &start.input {
        None => Stdio::null(),
        Some(path) => match File::open(path) {
            Ok(file) => file.into(),
            Err(error) => {
                return Err(Said::Failed(LaunchError::File {
                    path: path.display().to_string(),
                    purpose: "standard input".to_owned(),
                    why: error.to_string(),
                }));
            }
        },
    };
    start.confinement.enter().map_err(|error| not_confined(start, &error))?;
    let program = program::resolve(&start.argv, &start.directory, &start.environment).map_err(Said::Failed)?;
    let mut command = Command::new(program);
    command
        .arg0(&start.argv[0])
        .args(&start.argv[1..])
        .env_clear()
        .envs(start.environment.iter().map(|(name, value)| (name, value)))
        .current_dir(&start.directory)
        .stdin(input);
    Ok(command)
}

fn not_confined(start: &Start, error: &io::Error) -> Said {
    let program = start.argv.first().cloned().unwrap_or_default();
    Said::Failed(LaunchError::Sandbox { program, why: error.to_string() })
}

fn not_started(start: &Start, error: &io::Error) -> Said {
    if is_passing(error) {
        return Said::Busy(error.to_string());
    }
    match program::resolve(&start.argv, &start.directory, &start.environment) {
        Ok(program) => Said::Failed(program::why_not_started(&start.argv, &start.directory, &program, error)),
        Err(error) => Said::Failed(error),
    }
}

/// Makes the namespaces of the confinement, and starts a keeper in them.
fn send_inside(start: &Start, socket: &UnixStream) -> Result<(), Said> {
    let failed = |error| not_confined(start, &error);
    start.confinement.unshare().map_err(failed)?;
    let ours = socket.try_clone().map_err(failed)?;
    let keeper = Command::new("/proc/self/exe")
        .args([LAUNCH, INSIDE])
        .env_clear()
        .current_dir("/")
        .stdin(OwnedFd::from(ours))
        .spawn()
        .map_err(failed)?;
    let pid = Pid::from_child(&keeper).as_raw_pid();
    write_frame(socket, &Said::Keeper { pid }).map_err(failed)
}

/// Starts the program and stays until nothing is left inside, or until the supervisor is gone.
fn keep(start: &Start, socket: &UnixStream) -> Result<(), Said> {
    let failed = |error| not_confined(start, &error);
    // Whoever is inside must not look into it.
    hide().map_err(failed)?;
    let (children, children_end) = UnixStream::pair().map_err(failed)?;
    children.set_nonblocking(true).map_err(failed)?;
    pipe::register(SIGCHLD, children_end).map_err(failed)?;
    let mut command = prepare(start)?;
    let child = command.process_group(0).spawn().map_err(|error| not_started(start, &error))?;
    drop(command);
    write_frame(socket, &Said::Running).map_err(failed)?;
    // What is written is the program's: nobody else holds its output open.
    let nowhere = File::options().read(true).write(true).open("/dev/null").map_err(failed)?;
    rustix::stdio::dup2_stdin(&nowhere).map_err(|error| failed(error.into()))?;
    rustix::stdio::dup2_stdout(&nowhere).map_err(|error| failed(error.into()))?;
    rustix::stdio::dup2_stderr(&nowhere).map_err(|error| failed(error.into()))?;
    let main = Pid::from_child(&child);
    loop {
        loop {
            match wait(WaitOptions::NOHANG) {
                Ok(Some((pid, status))) if pid == main => {
                    if let Some(exit) = exit_of(status) {
                        // A supervisor that is gone is noticed below.
                        let _ = write_frame(socket, &Said::Exited(exit));
                    }
                }
                Ok(Some(_)) | Err(Errno::INTR) => {}
                Ok(None) => break,
                Err(_) => return Ok(()),
            }
        }
        let mut fds = [PollFd::new(&children, PollFlags::IN), PollFd::new(socket, PollFlags::IN)];
        match poll(&mut fds, None) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(failed(error.into())),
        }
        // The supervisor says nothing more: what can be heard is that it is gone. Then everything here goes with us.
        if !fds[1].revents().is_empty() {
            return Ok(());
        }
        let mut bytes = [0; 256];
        while matches!((&children).read(&mut bytes), Ok(length) if length > 0) {}
    }
}

fn hide() -> io::Result<()> {
    #[cfg(target_os = "linux")]
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)?;
    Ok(())
}
