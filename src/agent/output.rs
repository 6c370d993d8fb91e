//! The output of a supervised process: copied to its log while it runs, bounded there, digested and counted in whole.

use std::{
    fs::File,
    io::{self, PipeReader, PipeWriter, Write},
};

use implementer_model::{ids::Digest, text};
use sha2::{Digest as _, Sha256};

use super::redaction::Redactor;

/// How much of the end of the output is kept, in bytes.
const TAIL_MAX: usize = 8 * 1024;

/// The capacity that is asked for the output pipe, in bytes, so that a chatty process is not held up.
#[cfg(target_os = "linux")]
const PIPE_CAPACITY: usize = 256 * 1024;

/// The output so far.
pub(super) struct Output {
    log: File,
    cap: u64,
    total: u64,
    /// How much of it could be shown so far: without secrets, and without what is held back.
    shown: u64,
    redactor: Redactor,
    announced: bool,
    digest: Sha256,
    tail: Vec<u8>,
    trouble: Option<String>,
}

/// What the output came to.
pub(super) struct Closed {
    pub(super) bytes: u64,
    pub(super) truncated: bool,
    pub(super) trouble: Option<String>,
    pub(super) digest: Digest,
    pub(super) tail: String,
}

impl Output {
    /// Begins the output that goes to `log`, of which the log holds the first `cap` bytes, without the secrets.
    pub(super) fn new(log: File, cap: u64, redactor: Redactor) -> Self {
        let tail = Vec::with_capacity(2 * TAIL_MAX);
        Self { log, cap, total: 0, shown: 0, redactor, announced: false, digest: Sha256::new(), tail, trouble: None }
    }

    /// Takes what the process wrote. The log is written at once and unbuffered: people follow it while it grows.
    ///
    /// A log that cannot be written does not stop the process; the trouble is told at the end.
    pub(super) fn take(&mut self, bytes: &[u8]) {
        self.digest.update(bytes);
        self.total = self.total.saturating_add(bytes.len() as u64);
        let shown = self.redactor.take(bytes);
        self.show(&shown);
    }

    fn show(&mut self, bytes: &[u8]) {
        let room = self.cap.saturating_sub(self.shown);
        self.shown = self.shown.saturating_add(bytes.len() as u64);
        self.keep_tail(bytes);
        let kept = bytes.len().min(usize::try_from(room).unwrap_or(usize::MAX));
        if kept > 0 {
            self.write(&bytes[..kept]);
        }
        if kept < bytes.len() && !self.announced {
            self.announced = true;
            let note = format!(
                "\n[backend-implementer: the output passed its limit of {} bytes; the rest is counted, not kept]\n",
                self.cap
            );
            self.write(note.as_bytes());
        }
    }

    fn write(&mut self, bytes: &[u8]) {
        if self.trouble.is_none()
            && let Err(error) = self.log.write_all(bytes)
        {
            self.trouble = Some(format!("the log could not be written: {error}"));
        }
    }

    fn keep_tail(&mut self, bytes: &[u8]) {
        let bytes = &bytes[bytes.len().saturating_sub(TAIL_MAX)..];
        if self.tail.len() + bytes.len() > 2 * TAIL_MAX {
            self.tail.drain(..self.tail.len().saturating_sub(TAIL_MAX));
        }
        self.tail.extend_from_slice(bytes);
    }

    /// Ends the output.
    pub(super) fn close(mut self) -> Closed {
        let held = self.redactor.close();
        self.show(&held);
        let cut = self.shown > TAIL_MAX as u64;
        let tail = &self.tail[self.tail.len().saturating_sub(TAIL_MAX)..];
        Closed {
            bytes: self.total,
            truncated: self.shown > self.cap || self.trouble.is_some(),
            trouble: self.trouble,
            digest: Digest::from_sha256(self.digest.finalize().as_ref()),
            tail: readable(tail, cut),
        }
    }
}

/// Makes the end of an output readable: whole lines where it was cut, no escape sequences, no control characters, and
/// not more bytes than it had.
fn readable(bytes: &[u8], cut: bool) -> String {
    let bytes = match bytes.iter().position(|&byte| byte == b'\n') {
        // Where lines are short the first, cut one says nothing; a single long line is kept.
        Some(at) if cut && at < bytes.len() / 2 => &bytes[at + 1..],
        _ => bytes,
    };
    let mut tail = text::plain(&String::from_utf8_lossy(bytes));
    // A byte that is not UTF-8 becomes a replacement character of three.
    if tail.len() > TAIL_MAX {
        let mut from = tail.len() - TAIL_MAX;
        while !tail.is_char_boundary(from) {
            from += 1;
        }
        tail.drain(..from);
    }
    tail
}

/// Opens the log of a process: new or emptied, for its owner only, and never through a symbolic link.
pub(super) fn open_log(path: &std::path::Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let no_follow = i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).expect("invariant: flags have the type of C");
    File::options().write(true).create(true).truncate(true).mode(0o600).custom_flags(no_follow).open(path)
}

/// Makes a pipe whose reading end does not block.
pub(super) fn output_pipe() -> io::Result<(PipeReader, PipeWriter)> {
    let (reader, writer) = io::pipe()?;
    #[cfg(target_os = "linux")]
    let _ = rustix::pipe::fcntl_setpipe_size(&reader, PIPE_CAPACITY);
    rustix::io::ioctl_fionbio(&reader, true)?;
    Ok((reader, writer))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(cap: u64) -> (tempfile::TempDir, std::path::PathBuf, Output) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log.txt");
        let output = Output::new(open_log(&path).unwrap(), cap, Redactor::default());
        (directory, path, output)
    }

    #[test]
    fn the_log_holds_the_first_bytes_and_the_digest_covers_all() {
        let (_directory, path, mut output) = output(10);
        for piece in ["0123", "4567", "89ab", "cdef", "g"] {
            output.take(piece.as_bytes());
        }
        let closed = output.close();
        let log = std::fs::read_to_string(path).unwrap();
        assert_eq!(log.matches("passed its limit of 10 bytes").count(), 1, "{log}");
        assert!(log.starts_with("0123456789\n["), "{log}");
        assert!(closed.truncated);
        assert_eq!((closed.bytes, closed.digest), (17, Digest::from_content("0123456789abcdefg")));
        assert_eq!(closed.tail, "0123456789abcdefg");
    }

    #[test]
    fn output_that_just_fits_is_not_truncated() {
        let (_directory, path, mut output) = output(4);
        output.take(b"0123");
        assert!(!output.close().truncated);
        assert_eq!(std::fs::read(path).unwrap(), b"0123");
    }

    #[test]
    fn the_limit_is_announced_once_however_the_pieces_fall() {
        for (cap, pieces) in [(4, vec!["0123", "4", "5"]), (0, vec!["0", "1"]), (5, vec!["0123", "45", "6"])] {
            let (_directory, path, mut output) = output(cap);
            for piece in pieces {
                output.take(piece.as_bytes());
            }
            let log = std::fs::read_to_string(path).unwrap();
            assert_eq!(log.matches("passed its limit").count(), 1, "cap {cap}: {log}");
        }
    }

    #[test]
    fn the_tail_is_bounded_whole_lines_and_printable() {
        let (_directory, _path, mut output) = output(u64::MAX);
        for number in 0..5_000 {
            output.take(format!("line {number} \u{1b}[31mred\u{1b}[0m\u{7}\n").as_bytes());
        }
        output.take(b"last \xff");
        let tail = output.close().tail;
        assert!(tail.len() <= TAIL_MAX && tail.starts_with("line "), "{}", &tail[..20]);
        assert!(tail.ends_with("line 4999 red\nlast \u{fffd}"), "{tail}");
    }

    #[test]
    fn bytes_that_are_not_text_do_not_make_the_tail_longer() {
        let (_directory, _path, mut output) = output(u64::MAX);
        output.take(&[0xff; 3 * TAIL_MAX]);
        assert!(output.close().tail.len() <= TAIL_MAX);
    }

    #[test]
    fn secrets_reach_neither_log_nor_tail_and_the_digest_is_of_what_was_written() {
        let (_directory, path, _) = output(0);
        let mut output = Output::new(open_log(&path).unwrap(), u64::MAX, Redactor::new(["sk-0123456789"]));
        for piece in ["key: sk-0123", "456789\n", "end sk-01"] {
            output.take(piece.as_bytes());
        }
        let closed = output.close();
        assert_eq!(std::fs::read_to_string(path).unwrap(), "key: [redacted]\nend sk-01");
        assert_eq!(closed.tail, "key: [redacted]\nend sk-01");
        assert_eq!(closed.digest, Digest::from_content("key: sk-0123456789\nend sk-01"));
    }

    #[test]
    fn a_symbolic_link_is_no_log() {
        let directory = tempfile::tempdir().unwrap();
        let (victim, link) = (directory.path().join("victim"), directory.path().join("log.txt"));
        std::fs::write(&victim, "precious").unwrap();
        std::os::unix::fs::symlink(&victim, &link).unwrap();
        assert!(open_log(&link).is_err());
        assert_eq!(std::fs::read(victim).unwrap(), b"precious");
    }
}
