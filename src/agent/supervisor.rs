//! The supervisor: our own executable, started once more, that stands between the coordinator and one process.
//!
//! It is a process of its own because that alone survives the coordinator: when the coordinator goes away, however
//! suddenly, the pipe from it closes, and the supervisor ends what it started. (The parent-death signal would not do:
//! it is sent when the *thread* that started the child ends, and runtimes end threads as they like.) It has a session
//! of its own, so what is typed at the terminal reaches only the coordinator, which decides what is to become of it.
//!
//! One thread, no runtime: it waits in `poll` for output, for signals, for the coordinator, or for a deadline.

use std::{
    io::{self, PipeReader, Read as _},
    os::{fd::AsFd, unix::net::UnixStream},
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    process::{Pid, Signal},
};

use super::{
    answer::Answer,
    descendants,
    ears::Ears,
    launcher::{Said, read_frame},
    output::{Output, open_log, output_pipe},
    protocol::{Ended, Exit, GRACE_MAX, LaunchError, Orders, Word},
    reaping::reap,
    redaction::Redactor,
    starting::{Attempted, Started, cannot_open, start_inside, start_plainly},
    supervise::say,
};
use crate::sandbox::{self, Confinement, User};

/// How long what is left of an ended process has to end by itself before it counts as left over: helpers that end
/// because their parent did need a moment.
const SETTLE: Duration = Duration::from_millis(100);

/// How long leftovers have between being asked to end and being killed, unless the grace period is shorter.
const LEFTOVER_GRACE: Duration = Duration::from_secs(2);

/// How long the killed have to be gone before they count as survivors.
pub(super) const KILL_MAX: Duration = Duration::from_secs(10);

/// How often a start is tried again that failed for a passing reason, and how long between: a second in all.
const START_RETRIES: u32 = 20;
const START_RETRY_PAUSE: Duration = Duration::from_millis(50);

/// How often a deadline state looks whether a process group is gone, where nothing tells it.
const GROUP_LOOK: Duration = Duration::from_millis(50);

/// The most output that is taken after everything that belongs to the process has ended: the largest pipe that Linux
/// gives to anybody. Whoever still writes then does not belong to it.
const REST_MAX: usize = 1024 * 1024;

/// Where a supervision stands. Each state but the first ends at an instant.
enum Stage {
    /// The process runs.
    Running,
    /// The process has ended by itself, and something that it started has not yet.
    Settling(Instant),
    /// Everything was asked to end.
    Asked(Instant),
    /// Everything was killed.
    Killed(Instant),
}

pub(super) struct Supervision {
    ears: Ears,
    /// The program, or the keeper that runs it.
    main: Pid,
    /// The socket to the keeper, where there is one.
    keeper: Option<UnixStream>,
    /// The user to whom everything that the program starts belongs, where that is another than ours.
    user: Option<User>,
    main_exit: Option<Exit>,
    /// The pipe of the log, and that of the answer where there is one.
    pipes: [Option<PipeReader>; 2],
    output: Output,
    answer: Option<Answer>,
    out_of_turns: bool,
    /// When it has stayed too long after its last word, and the latest that this can become.
    overstays: Option<(Instant, Instant)>,
    overstayed: bool,
    stage: Stage,
    begun: Instant,
    grace: Duration,
    stopped: bool,
    ask_again_at: Option<Instant>,
    asked_again: bool,
    killed: bool,
    leftovers: u32,
}

impl Supervision {
    /// Starts the process.
    pub(super) fn begin(orders: &Orders) -> Result<Self, LaunchError> {
        let name = || orders.argv.first().cloned().unwrap_or_default();
        let setup = |what: &str, error: &dyn std::fmt::Display| LaunchError::Supervisor {
            program: name(),
            why: format!("{what}: {error}"),
        };
        let mut ears = Ears::open().map_err(|error| setup("cannot listen to signals", &error))?;
        // The leader of a group cannot leave the session. It is one so that no signal of a terminal reached it before it could
        // listen; whoever started it has another group.
        if let Some(group) = rustix::process::getppid().and_then(descendants::group_of) {
            let _ = rustix::process::setpgid(None, Some(group));
        }
        // Fails where a person starts a supervisor by hand.
        let _ = rustix::process::setsid();
        #[cfg(target_os = "linux")]
        rustix::process::set_child_subreaper(Some(rustix::process::getpid()))
            .map_err(|error| setup("cannot adopt what the process leaves behind", &error))?;

        let log = open_log(&orders.log).map_err(|error| cannot_open(&orders.log, "the log", &error))?;
        let answer = match &orders.answer {
            Some(answer) => {
                Some(Answer::begin(answer).map_err(|error| cannot_open(&answer.path, "the answer", &error))?)
            }
            None => None,
        };
        let pipe = || output_pipe().map_err(|error| setup("cannot make an output pipe", &error));
        let (reader, writer) = pipe()?;
        let answer_pipe = answer.as_ref().map(|_| pipe()).transpose()?;

        let begun = Instant::now();
        let mut retries = START_RETRIES;
        let started = loop {
            let stdout = answer_pipe.as_ref().map_or(&writer, |(_, writer)| writer);
            let ends = stdout.try_clone().and_then(|stdout| Ok((stdout, writer.try_clone()?)));
            let ends = ends.map_err(|error| setup("cannot share the output pipe", &error))?;
            let started = match &orders.confinement {
                None => start_plainly(orders, ends)?,
                Some(confinement) => start_inside(orders, confinement, ends)?,
            };
            match started {
                Attempted::Started(started) => break started,
                // The program was just written and somebody still has it open, or there are too many processes now.
                Attempted::Busy(_) if retries > 0 => {
                    retries -= 1;
                    // Not only until something is heard: what failed to start was a child that ended.
                    let stop = ears.pause(Instant::now() + START_RETRY_PAUSE);
                    if stop.map_err(|error| setup("cannot wait", &error))? {
                        return Err(setup("cannot start it", &"stopped before it could be started"));
                    }
                }
                Attempted::Busy(why) => return Err(LaunchError::Start { program: name(), why }),
            }
        };
        // Only the process and its children hold the writing end from here on.
        drop(writer);
        let answer_reader = answer_pipe.map(|(reader, _)| reader);
        let Started { main, keeper } = started;
        say(&Word::Started { pid: main.as_raw_pid() });
        Ok(Self {
            ears,
            main,
            keeper,
            user: orders.confinement.as_ref().and_then(Confinement::user),
            main_exit: None,
            pipes: [Some(reader), answer_reader],
            output: Output::new(log, orders.output_cap, Redactor::new(orders.secrets.iter().map(String::as_str))),
            answer,
            out_of_turns: false,
            overstays: None,
            overstayed: false,
            stage: Stage::Running,
            begun,
            grace: orders.grace.min(GRACE_MAX),
            stopped: false,
            ask_again_at: None,
            asked_again: false,
            killed: false,
            leftovers: 0,
        })
    }

    /// Watches the process until nothing is left of it.
    pub(super) fn watch(mut self) -> Result<Ended, LaunchError> {
        let mut survivors = 0;
        let mut stop = false;
        loop {
            self.hear_keeper();
            if self.reap() {
                break;
            }
            if self.advance(std::mem::take(&mut stop)) {
                survivors = self.alive();
                break;
            }
            let [log, answer] = &self.pipes;
            let keeper = self.keeper.as_ref().filter(|_| self.main_exit.is_none());
            let outputs = [log.as_ref().map(AsFd::as_fd), answer.as_ref().map(AsFd::as_fd), keeper.map(AsFd::as_fd)];
            let (asked, readable) = match self.ears.listen(outputs, self.wake_at()) {
                Ok(heard) => heard,
                // Cannot happen with sane descriptors. What was started must not outlive us even then.
                Err(error) => {
                    self.kill();
                    let why = format!("cannot wait for the process: {error}");
                    return Err(LaunchError::Supervisor { program: self.main.as_raw_pid().to_string(), why });
                }
            };
            stop = asked;
            for which in [LOG, ANSWER] {
                if readable[which] {
                    stop |= self.read_output(which, 1);
                }
            }
        }
        for which in [LOG, ANSWER] {
            self.read_output(which, REST_MAX / READ_MAX);
        }
        if let Some(user) = self.user
            && !sandbox::is_rest_ended(user, || drop(reap(self.main, &mut None)))
        {
            survivors = survivors.max(1);
        }
        let closed = self.output.close();
        Ok(Ended {
            exit: self.main_exit.unwrap_or(Exit::Signal(Signal::KILL.as_raw())),
            stopped: self.stopped,
            out_of_turns: self.out_of_turns,
            overstayed: self.overstayed,
            answer_truncated: self.answer.is_some_and(|answer| answer.truncated),
            killed: self.killed,
            leftovers: self.leftovers,
            survivors,
            output_bytes: closed.bytes,
            truncated: closed.truncated,
            log_trouble: closed.trouble,
            output_digest: closed.digest,
            output_tail: closed.tail,
            duration_ms: u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX),
        })
    }

    /// Moves to the stage that is due. Returns whether there is nothing more that can be done.
    fn advance(&mut self, stop: bool) -> bool {
        let now = Instant::now();
        let ended = self.main_exit.is_some();
        match self.stage {
            Stage::Running if ended => self.stage = Stage::Settling(now + SETTLE),
            Stage::Running if stop => {
                self.stopped = true;
                self.ask();
                self.stage = Stage::Asked(now + self.grace);
            }
            Stage::Running if self.overstays.is_some_and(|(until, _)| now >= until) => {
                self.overstayed = true;
                self.ask();
                self.stage = Stage::Asked(now + self.grace);
            }
            Stage::Settling(until) if stop || now >= until => {
                self.leftovers = self.alive();
                self.ask();
                self.stage = Stage::Asked(now + self.grace.min(LEFTOVER_GRACE));
            }
            // The process has heard the request: what it started gets no more time than leftovers do.
            Stage::Asked(until)
                if ended && (self.stopped || self.overstayed) && self.ask_again_at.is_none() && now < until =>
            {
                self.ask_again_at = Some(now + SETTLE);
                self.stage = Stage::Asked(until.min(now + LEFTOVER_GRACE));
            }
            // A child that was just being made when the request came may have lost it in the handler of its parent, on
            // its way to becoming another program.
            Stage::Asked(until)
                if !self.asked_again && now < until && self.ask_again_at.is_some_and(|at| now >= at) =>
            {
                self.asked_again = true;
                self.ask();
            }
            Stage::Asked(until) if now >= until => {
                self.kill();
                self.stage = Stage::Killed(now + KILL_MAX);
            }
            Stage::Killed(until) if now >= until => return true,
            // One of the killed has ended, and may have left a child that was not seen.
            Stage::Killed(_) => self.kill(),
            Stage::Running | Stage::Settling(_) | Stage::Asked(_) => {}
        }
        false
    }

    /// Counts what of the program runs.
    fn alive(&self) -> u32 {
        descendants::alive(self.group(), self.keeper.as_ref().map(|_| self.main))
    }

    fn ask(&self) {
        descendants::ask(self.group(), self.keeper.as_ref().map(|_| self.main));
    }

    fn kill(&mut self) {
        let outlived = self.main_exit.is_some();
        let mut main_exit = self.main_exit;
        let main = self.main;
        let killed = if self.keeper.is_some() {
            // Everything inside goes with it.
            let alive = self.alive();
            descendants::send(main, Signal::KILL);
            alive
        } else {
            descendants::kill_all(self.group(), || reap(main, &mut main_exit).0)
        };
        self.main_exit = main_exit;
        self.killed |= killed > 0;
        if outlived && self.stopped {
            self.leftovers = self.leftovers.max(killed);
        }
    }

    fn wake_at(&self) -> Option<Instant> {
        let until = match self.stage {
            Stage::Running => return self.overstays.map(|(until, _)| until),
            Stage::Asked(until) if !self.asked_again => self.ask_again_at.map_or(until, |again| again.min(until)),
            Stage::Settling(until) | Stage::Asked(until) | Stage::Killed(until) => until,
        };
        // Elsewhere than on Linux nothing tells when a group has become empty.
        Some(if cfg!(target_os = "linux") { until } else { until.min(Instant::now() + GROUP_LOOK) })
    }

    /// Returns the group of the process as far as its id is surely still its own.
    fn group(&self) -> Option<Pid> {
        let of_program = self.keeper.is_none();
        (of_program && (self.main_exit.is_none() || cfg!(not(target_os = "linux")))).then_some(self.main)
    }

    /// Takes in how the program ended, where a keeper says it.
    fn hear_keeper(&mut self) {
        let Some(keeper) = self.keeper.as_ref().filter(|_| self.main_exit.is_none()) else { return };
        let mut ready = [PollFd::new(keeper, PollFlags::IN)];
        let heard = poll(&mut ready, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).is_ok_and(|count| count > 0);
        if !heard {
            return;
        }
        // A keeper that ended without a word was killed: that it ended is seen by waiting for it.
        self.main_exit = match read_frame(keeper) {
            Ok(Some(Said::Exited(exit))) => Some(exit),
            _ => Some(Exit::Signal(Signal::KILL.as_raw())),
        };
    }

    /// Waits for everything that has ended, and returns whether nothing is left.
    fn reap(&mut self) -> bool {
        let (_, childless) = reap(self.main, &mut self.main_exit);
        childless && (cfg!(target_os = "linux") || self.alive() == 0)
    }

    /// Takes at most `reads` pieces of one of the outputs. Returns whether the process must be stopped for it: it has
    /// taken more turns than it may.
    fn read_output(&mut self, which: usize, reads: usize) -> bool {
        let mut bytes = vec![0; READ_MAX];
        let mut stop = false;
        for _ in 0..reads {
            let Some(pipe) = &mut self.pipes[which] else { break };
            match pipe.read(&mut bytes) {
                Ok(0) => self.pipes[which] = None,
                Ok(length) => match &mut self.answer {
                    Some(answer) if which == ANSWER => {
                        let heard = answer.take(&bytes[..length]);
                        stop |= heard.out_of_turns;
                        let (now, patience) = (Instant::now(), answer.patience);
                        self.overstays = match self.overstays {
                            _ if heard.last_word => Some((now + patience, now + 6 * patience)),
                            Some((_, latest)) => Some(((now + patience).min(latest), latest)),
                            None => None,
                        };
                    }
                    _ => self.output.take(&bytes[..length]),
                },
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(_) => self.pipes[which] = None,
            }
        }
        // One that has ended by itself was not stopped.
        let stop = stop && matches!(self.stage, Stage::Running) && self.main_exit.is_none();
        self.out_of_turns |= stop;
        stop
    }
}

/// Which pipe is which.
const LOG: usize = 0;
const ANSWER: usize = 1;

/// The most that is read at once.
const READ_MAX: usize = 64 * 1024;
