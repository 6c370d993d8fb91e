//! Waiting for processes that have ended.

use rustix::{
    io::Errno,
    process::{Pid, WaitOptions, WaitStatus, wait},
};

use super::protocol::Exit;

/// Waits for every child that has ended, adopted ones too. Returns their ids, and whether no child is left.
pub(super) fn reap(main: Pid, main_exit: &mut Option<Exit>) -> (Vec<Pid>, bool) {
    let mut gone = Vec::new();
    loop {
        match wait(WaitOptions::NOHANG) {
            Ok(Some((pid, status))) => {
                if pid == main && main_exit.is_none() {
                    *main_exit = exit_of(status);
                }
                gone.push(pid);
            }
            Ok(None) => return (gone, false),
            Err(Errno::INTR) => {}
            Err(_) => return (gone, true),
        }
    }
}

pub(super) fn exit_of(status: WaitStatus) -> Option<Exit> {
    status.exit_status().map(Exit::Code).or_else(|| status.terminating_signal().map(Exit::Signal))
}
