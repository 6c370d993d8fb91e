//! What the file system says about a file, as a fingerprint: when it is unchanged, so is the file.

use std::{
    fs::{self, Metadata, OpenOptions},
    io::Write as _,
    os::unix::fs::MetadataExt as _,
    path::Path,
    time::{Duration, UNIX_EPOCH},
};

use gix::index::entry::{Stat, stat::Time};

use crate::{
    untrusted,
    workspace::{Result, error::IoContext as _, folder},
};

/// Returns the fingerprint of a file, in the form in which git's index has it.
///
/// Of its parts the change time is what counts: a process can set a modification time back, but not that.
pub(in crate::workspace) fn from_metadata(meta: &Metadata) -> Stat {
    Stat {
        mtime: time(meta.mtime(), meta.mtime_nsec()),
        ctime: time(meta.ctime(), meta.ctime_nsec()),
        dev: truncated(meta.dev()),
        ino: truncated(meta.ino()),
        uid: meta.uid(),
        gid: meta.gid(),
        size: truncated(meta.size()),
    }
}

/// A moment on the clock of a file system, which may tick as slowly as every few milliseconds.
///
/// A file that was changed at the same tick as the fence, or later, may have been changed again without its fingerprint
/// showing it; its content must be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::workspace) struct Fence(Time);

impl Fence {
    /// Takes the time of the file system that `file` is on, by writing that file.
    pub(in crate::workspace) fn take(file: &Path) -> Result<Self> {
        // Written in place where it can be: file systems are slow at creating files soon after removing some. What lies
        // there may have been exchanged for a link or a pipe, though.
        let in_place = folder::open_plain(file, OpenOptions::new().write(true)).and_then(|open| match open {
            Some(mut open) => open.write_all(b".").and_then(|()| open.metadata()).map(Some),
            None => Ok(None),
        });
        let meta = match in_place {
            Ok(Some(meta)) => meta,
            _ => {
                untrusted::remove(file).doing("removing", file)?;
                let made = fs::File::create_new(file).doing("creating", file)?;
                made.metadata().doing("looking at", file)?
            }
        };
        Ok(Self(time(meta.ctime(), meta.ctime_nsec())))
    }

    /// Tells whether a file with this fingerprint can have been changed since without a trace.
    pub(in crate::workspace) fn is_racy(self, stat: &Stat) -> bool {
        stat.ctime >= self.0
    }
}

fn time(seconds: i64, nanoseconds: i64) -> Time {
    let Ok(seconds) = u64::try_from(seconds) else { return Time::default() };
    // Through the conversion of gix, so that both agree on times that do not fit.
    let nanoseconds = u32::try_from(nanoseconds).unwrap_or(0);
    UNIX_EPOCH
        .checked_add(Duration::new(seconds, nanoseconds))
        .and_then(|moment| Time::try_from(moment).ok())
        .unwrap_or_default()
}

/// Cuts a number to the 32 bits that git keeps of it.
fn truncated(number: u64) -> u32 {
    u32::try_from(number & u64::from(u32::MAX)).unwrap_or(u32::MAX)
}
