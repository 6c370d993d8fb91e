//! Everything that a supervised process started, at any depth: asked to end, or killed.
//!
//! On Linux the supervisor is a child subreaper: whatever loses its parent becomes the supervisor's own child, in a
//! session of its own or not, so all of it can be found below the supervisor and is gone when there is no child left.
//! Elsewhere only the process group is known; what leaves it is not reached.

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

#[cfg(target_os = "linux")]
pub(super) use linux::{adopt, alive, ask, kill_adopted, kill_all, kill_session};
#[cfg(not(target_os = "linux"))]
pub(super) use portable::{adopt, alive, ask, kill_adopted, kill_all, kill_session};

/// Sends a signal. A process that has ended meanwhile, or is another user's, is no error: what stays shows at the end.
pub(super) fn send(pid: Pid, signal: Signal) {
    let _ = kill_process(pid, signal);
}

/// Returns the process group of a process: none when the process is gone, or when the group is one of another PID namespace,
/// as that of the first process of a namespace can be. Rustix takes that number, 0, for an impossible one.
pub(super) fn group_of(pid: Pid) -> Option<Pid> {
    let group = nix::unistd::getpgid(Some(nix::unistd::Pid::from_raw(pid.as_raw_pid()))).ok()?;
    Pid::from_raw(group.as_raw())
}

/// Asks the group of the main process to end, while that process has not been waited for and its id cannot be another's.
fn ask_group(leader: Pid) {
    let _ = kill_process_group(leader, Signal::TERM);
    // What is stopped cannot do what it is asked to.
    let _ = kill_process_group(leader, Signal::CONT);
}

#[cfg(target_os = "linux")]
mod linux {
    use std::{
        collections::{HashMap, HashSet, VecDeque},
        fs, io,
        time::{Duration, Instant},
    };

    use rustix::process::{Pid, Signal, WaitOptions, getpid, waitpid};

    use super::{ask_group, group_of, send};

    /// How long processes that keep starting others are hunted in one go.
    const HUNT_MAX: Duration = Duration::from_millis(500);

    /// How long between two looks whether the killed are gone.
    const LOOK_AGAIN: Duration = Duration::from_millis(2);

    /// Asks everything below this process but `spared` to end. Group members hear it once, as one.
    pub(in crate::agent) fn ask(leader: Option<Pid>, spared: Option<Pid>) {
        if let Some(leader) = leader {
            ask_group(leader);
        }
        // Between finding a process and signalling it, its parent may have waited for it and its id may have been given
        // away: that takes the whole range of ids in some microseconds, and could hit only processes of our own user.
        each_descendant(|pid| {
            if Some(pid) != spared && (leader.is_none() || group_of(pid) != leader) {
                send(pid, Signal::TERM);
                send(pid, Signal::CONT);
            }
        });
    }

    /// Counts what runs below this process, but for `spared`.
    pub(in crate::agent) fn alive(_leader: Option<Pid>, spared: Option<Pid>) -> u32 {
        let mut count = 0;
        each_descendant(|pid| count += u32::from(Some(pid) != spared && is_running(pid)));
        count
    }

    /// Kills everything below this process, and returns how many processes that were.
    ///
    /// All are stopped first, from the top down and until no new one shows, so that none can start another between
    /// being seen and being killed; and a stopped parent waits for no child, so the ids stay theirs. `reap` waits for
    /// those that have ended and returns their ids.
    pub(in crate::agent) fn kill_all(_leader: Option<Pid>, mut reap: impl FnMut() -> Vec<Pid>) -> u32 {
        let end = Instant::now() + HUNT_MAX;
        let mut stopped = HashSet::new();
        let mut quiet_rounds = 0;
        while quiet_rounds < 2 && Instant::now() < end {
            let before = stopped.len();
            each_descendant(|pid| {
                if !stopped.contains(&pid) {
                    send(pid, Signal::STOP);
                    stopped.insert(pid);
                }
            });
            quiet_rounds = if stopped.len() == before { quiet_rounds + 1 } else { 0 };
            // A chain of processes that each start the next and end leaves as many zombies.
            for gone in reap() {
                stopped.remove(&gone);
            }
        }
        let mut killed = 0;
        for pid in stopped {
            killed += u32::from(is_running(pid));
            send(pid, Signal::KILL);
        }
        killed
    }

    /// Kills what a supervisor that is no more has left: every process of its session, and everything below those.
    ///
    /// The caller has not waited for the supervisor yet, so that the id of the session is still its own.
    pub(in crate::agent) fn kill_session(session: Pid, _leader: Option<Pid>) {
        let end = Instant::now() + HUNT_MAX;
        let mut stopped = HashSet::new();
        let mut found = true;
        while found && Instant::now() < end {
            found = false;
            let processes = processes();
            // A parent that is found late needs another look at those before it.
            let mut growing = true;
            while growing {
                growing = false;
                for (pid, stat) in &processes {
                    let theirs = stat.session == session.as_raw_pid()
                        || Pid::from_raw(stat.parent).is_some_and(|parent| stopped.contains(&parent));
                    if theirs && *pid != session && stopped.insert(*pid) {
                        send(*pid, Signal::STOP);
                        (growing, found) = (true, true);
                    }
                }
            }
        }
        for pid in stopped {
            send(pid, Signal::KILL);
        }
    }

    /// Makes this process the parent of everything whose supervisor is lost: a child subreaper, as supervisors are.
    pub(in crate::agent) fn adopt() -> io::Result<()> {
        Ok(rustix::process::set_child_subreaper(Some(getpid()))?)
    }

    /// Kills what lost supervisors have left to this process, and returns how many of them still run in the end.
    ///
    /// A supervisor has a session of its own, so that nothing it watched can be of ours; all else that this process starts
    /// is. `supervisors` are those that are at work.
    pub(in crate::agent) fn kill_adopted(supervisors: &HashSet<Pid>, within: Duration) -> u32 {
        let (me, end) = (getpid(), Instant::now() + within);
        let ours = Stat::read(me).map(|stat| stat.session);
        loop {
            let children = match children_in_proc(me) {
                Some(children) => children,
                None => parent_table().remove(&me).unwrap_or_default(),
            };
            let is_elsewhere = |pid: Pid| Stat::read(pid).is_some_and(|stat| Some(stat.session) != ours);
            let is_adopted = |pid: &Pid| !supervisors.contains(pid) && is_elsewhere(*pid);
            let adopted: Vec<Pid> = children.into_iter().filter(is_adopted).collect();
            if adopted.is_empty() {
                return 0;
            }
            // All are stopped before the first is killed: a child of one that is gone is ours in the next round.
            for signal in [Signal::STOP, Signal::KILL] {
                adopted.iter().for_each(|pid| send(*pid, signal));
            }
            for pid in &adopted {
                // Nobody else waits for it, and one that is not gone yet is looked at again.
                let _ = waitpid(Some(*pid), WaitOptions::NOHANG);
            }
            if Instant::now() >= end {
                return u32::try_from(adopted.iter().filter(|pid| is_running(**pid)).count()).unwrap_or(u32::MAX);
            }
            std::thread::sleep(LOOK_AGAIN);
        }
    }

    /// Visits everything below this process, parents before their children and each as soon as it is found.
    fn each_descendant(mut visit: impl FnMut(Pid)) {
        let me = getpid();
        let table = if children_in_proc(me).is_none() { Some(parent_table()) } else { None };
        let mut seen = HashSet::from([me]);
        let mut parents = VecDeque::from([me]);
        while let Some(parent) = parents.pop_front() {
            let children = match &table {
                Some(table) => table.get(&parent).cloned().unwrap_or_default(),
                None => children_in_proc(parent).unwrap_or_default(),
            };
            for child in children {
                if seen.insert(child) {
                    visit(child);
                    parents.push_back(child);
                }
            }
        }
    }

    /// Reads the children of a process from where the kernel lists them; `None` when the process is gone or the kernel
    /// lists none (`CONFIG_PROC_CHILDREN` is off).
    fn children_in_proc(parent: Pid) -> Option<Vec<Pid>> {
        let mut children = Vec::new();
        let mut listed = false;
        for thread in fs::read_dir(format!("/proc/{}/task", parent.as_raw_pid())).ok()?.flatten() {
            if let Ok(list) = fs::read_to_string(thread.path().join("children")) {
                listed = true;
                children.extend(list.split_ascii_whitespace().filter_map(|id| Pid::from_raw(id.parse().ok()?)));
            }
        }
        listed.then_some(children)
    }

    /// Reads who is whose child from the state of every process there is.
    fn parent_table() -> HashMap<Pid, Vec<Pid>> {
        let mut table: HashMap<Pid, Vec<Pid>> = HashMap::new();
        for (pid, stat) in processes() {
            if let Some(parent) = Pid::from_raw(stat.parent) {
                table.entry(parent).or_default().push(pid);
            }
        }
        table
    }

    /// Reads the state of every process there is.
    fn processes() -> Vec<(Pid, Stat)> {
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        let ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok().and_then(Pid::from_raw));
        ids.filter_map(|pid| Some((pid, Stat::read(pid)?))).collect()
    }

    fn is_running(pid: Pid) -> bool {
        // The first thread may have ended before the others: then it looks like a zombie, and the process runs.
        Stat::read(pid).is_some_and(|stat| !matches!(stat.state, 'Z' | 'X') || stat.threads > 1)
    }

    /// What `/proc/PID/stat` says, as far as it matters here (proc_pid_stat(5)).
    struct Stat {
        state: char,
        parent: i32,
        session: i32,
        threads: u32,
    }

    impl Stat {
        fn read(pid: Pid) -> Option<Self> {
            Self::parse(&String::from_utf8_lossy(&fs::read(format!("/proc/{}/stat", pid.as_raw_pid())).ok()?))
        }

        fn parse(text: &str) -> Option<Self> {
            // The second field is the program's name in parentheses, and may itself hold blanks and parentheses.
            let fields: Vec<_> = text.rsplit_once(')')?.1.split_ascii_whitespace().collect();
            Some(Self {
                state: fields.first()?.chars().next()?,
                parent: fields.get(1)?.parse().ok()?,
                session: fields.get(3)?.parse().ok()?,
                threads: fields.get(17)?.parse().ok()?,
            })
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_program_name_cannot_forge_its_state() {
            let stat = Stat::parse("12 (a) Z 1 (b) R 7 12 13 0 -1 4194304 1 0 0 0 0 0 0 0 20 0 3 0 55 1 1").unwrap();
            assert_eq!((stat.state, stat.parent, stat.session, stat.threads), ('R', 7, 13, 3));
            assert!(Stat::parse("12 (a").is_none());
        }

        #[test]
        fn both_ways_of_finding_children_agree() {
            let mut child = std::process::Command::new("cat").stdin(std::process::Stdio::piped()).spawn().unwrap();
            let pid = Pid::from_child(&child);
            let me = getpid();
            assert!(parent_table()[&me].contains(&pid));
            assert!(children_in_proc(me).is_none_or(|children| children.contains(&pid)));
            assert!(is_running(pid));
            drop(child.stdin.take());
            child.wait().unwrap();
            assert!(!is_running(pid));
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod portable {
    use std::{collections::HashSet, io, time::Duration};

    use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};

    use super::ask_group;

    pub(in crate::agent) fn adopt() -> io::Result<()> {
        Ok(())
    }

    pub(in crate::agent) fn kill_adopted(_supervisors: &HashSet<Pid>, _within: Duration) -> u32 {
        0
    }

    pub(in crate::agent) fn ask(leader: Option<Pid>, _spared: Option<Pid>) {
        if let Some(leader) = leader {
            ask_group(leader);
        }
    }

    /// Tells whether anything is left in the group: 1 or 0, for it cannot be counted.
    pub(in crate::agent) fn alive(leader: Option<Pid>, _spared: Option<Pid>) -> u32 {
        u32::from(leader.is_some_and(|leader| test_kill_process_group(leader).is_ok()))
    }

    pub(in crate::agent) fn kill_all(leader: Option<Pid>, _reap: impl FnMut() -> Vec<Pid>) -> u32 {
        u32::from(leader.is_some_and(|leader| kill_process_group(leader, Signal::KILL).is_ok()))
    }

    pub(in crate::agent) fn kill_session(_session: Pid, leader: Option<Pid>) {
        kill_all(leader, Vec::new);
    }
}
