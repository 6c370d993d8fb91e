//! What a supervisor waits for, in one place: signals, its coordinator, output, and deadlines.

use std::{
    io::{self, Read},
    os::{fd::BorrowedFd, unix::net::UnixStream},
    time::Instant,
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
};
use signal_hook::{
    consts::{SIGCHLD, SIGHUP, SIGINT, SIGTERM},
    low_level::pipe,
};

/// What the supervisor listens to besides the process.
pub(super) struct Ears {
    /// A byte for every SIGCHLD.
    children: UnixStream,
    /// A byte for every signal that asks to stop.
    signals: UnixStream,
    /// The coordinator's pipe, until it is closed.
    coordinator: Option<io::Stdin>,
}

impl Ears {
    /// Begins to listen: before the process starts, so that nothing of it is missed.
    pub(super) fn open() -> io::Result<Self> {
        let (children, children_end) = UnixStream::pair()?;
        let (signals, signals_end) = UnixStream::pair()?;
        children.set_nonblocking(true)?;
        signals.set_nonblocking(true)?;
        pipe::register(SIGCHLD, children_end)?;
        for signal in [SIGTERM, SIGINT, SIGHUP] {
            pipe::register(signal, signals_end.try_clone()?)?;
        }
        Ok(Self { children, signals, coordinator: Some(io::stdin()) })
    }

    /// Waits until something can be heard or `until` has come. Returns whether we are asked to stop, and of which of the
    /// outputs there is something to read.
    pub(super) fn listen(
        &mut self,
        outputs: [Option<BorrowedFd<'_>>; 3],
        until: Option<Instant>,
    ) -> Result<(bool, [bool; 3]), Errno> {
        let mut fds = vec![PollFd::new(&self.children, PollFlags::IN), PollFd::new(&self.signals, PollFlags::IN)];
        let coordinator_at = self.coordinator.as_ref().map(|coordinator| {
            fds.push(PollFd::new(coordinator, PollFlags::IN));
            fds.len() - 1
        });
        let outputs_at = outputs.map(|output| {
            output.map(|output| {
                fds.push(PollFd::from_borrowed_fd(output, PollFlags::IN));
                fds.len() - 1
            })
        });
        let timeout = until.map(|until| {
            let left = until.saturating_duration_since(Instant::now());
            Timespec { tv_sec: left.as_secs().try_into().unwrap_or(i64::MAX), tv_nsec: left.subsec_nanos().into() }
        });
        match poll(&mut fds, timeout.as_ref()) {
            Ok(_) => {}
            Err(Errno::INTR) => return Ok((false, [false; 3])),
            Err(error) => return Err(error),
        }
        let heard: Vec<bool> = fds.iter().map(|fd| !fd.revents().is_empty()).collect();
        let mut stop = false;
        if heard[0] {
            drain(&self.children);
        }
        if heard[1] {
            drain(&self.signals);
            stop = true;
        }
        if coordinator_at.is_some_and(|at| heard[at]) && self.coordinator_is_gone() {
            self.coordinator = None;
            stop = true;
        }
        Ok((stop, outputs_at.map(|at| at.is_some_and(|at| heard[at]))))
    }

    /// Waits until `until` has come, whatever else can be heard meanwhile. Returns whether we are asked to stop.
    pub(super) fn pause(&mut self, until: Instant) -> Result<bool, Errno> {
        loop {
            let (stop, _) = self.listen([None; 3], Some(until))?;
            if stop || Instant::now() >= until {
                return Ok(stop);
            }
        }
    }

    fn coordinator_is_gone(&self) -> bool {
        let mut bytes = [0; 256];
        let coordinator = self.coordinator.as_ref().map(io::Stdin::lock);
        coordinator.is_none_or(|mut coordinator| match coordinator.read(&mut bytes) {
            Ok(length) => length == 0,
            Err(error) => error.kind() != io::ErrorKind::Interrupted,
        })
    }
}

fn drain(mut stream: &UnixStream) {
    let mut bytes = [0; 256];
    while matches!(stream.read(&mut bytes), Ok(length) if length > 0) {}
}
