//! The one way to open a file that somebody else may have made: a subagent, a job, a person with a folder.
//!
//! What is opened is a plain file of at most so many bytes. No link is followed in the last place of the path, no pipe or
//! device is waited for, and a file that grows while it is read is refused as if it had been too large from the beginning.

mod removal;

use std::{
    fs::{File, OpenOptions},
    io::{self, Read},
    os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

pub use removal::remove;
use rustix::{fs::OFlags, io::Errno};

/// Says why a file was not read.
#[derive(Debug, thiserror::Error)]
pub enum UntrustedError {
    /// Something is there that is no plain file.
    #[error("`{}` is {kind}, and only a plain file is read", path.display())]
    NotPlain {
        /// Where.
        path: PathBuf,
        /// What it is.
        kind: &'static str,
    },
    /// It is larger than what it should hold can be.
    #[error("`{}` has more than {limit} bytes, the most that is read", path.display())]
    TooLarge {
        /// Where.
        path: PathBuf,
        /// The most that is read.
        limit: u64,
    },
    /// It is no text.
    #[error("`{}` is not UTF-8 text", path.display())]
    NotText {
        /// Where.
        path: PathBuf,
    },
    /// The system refused.
    #[error("cannot read `{}`", path.display())]
    Io {
        /// Where.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl UntrustedError {
    /// Tells whether there is nothing at all.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }
}

/// A plain file that was opened, of at most so many bytes.
#[derive(Debug)]
pub struct PlainFile {
    file: File,
    path: PathBuf,
    size: u64,
    limit: u64,
    /// How many bytes may still come.
    left: u64,
}

/// Opens the plain file at `path` when it has at most `limit` bytes.
///
/// # Errors
/// When there is none, something else is there, or it is too large.
pub fn open(path: &Path, limit: u64) -> Result<PlainFile, UntrustedError> {
    let file = open_plain(path, OpenOptions::new().read(true))?;
    let size = file.metadata().map_err(|source| UntrustedError::Io { path: path.to_owned(), source })?.len();
    if size > limit {
        return Err(UntrustedError::TooLarge { path: path.to_owned(), limit });
    }
    Ok(PlainFile { file, path: path.to_owned(), size, limit, left: limit })
}

/// Opens the plain file at `path` with options of the caller's.
///
/// # Errors
/// When there is none, or something else is there.
pub fn open_plain(path: &Path, options: &mut OpenOptions) -> Result<File, UntrustedError> {
    let io_error = |source| UntrustedError::Io { path: path.to_owned(), source };
    let not_plain = |kind| UntrustedError::NotPlain { path: path.to_owned(), kind };
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY).bits();
    let file = match options.custom_flags(flags.cast_signed()).open(path) {
        Ok(file) => file,
        Err(error) => {
            let raw = error.raw_os_error();
            let is = |errno: Errno| raw == Some(errno.raw_os_error());
            return Err(match () {
                () if is(Errno::LOOP) => not_plain("a symbolic link"),
                // What a socket, or a pipe that nobody reads, answers.
                () if is(Errno::NXIO) => not_plain("a special file"),
                () => io_error(error),
            });
        }
    };
    let kind = file.metadata().map_err(io_error)?.file_type();
    match () {
        () if kind.is_file() => Ok(file),
        () if kind.is_dir() => Err(not_plain("a folder")),
        () if kind.is_fifo() => Err(not_plain("a pipe")),
        () => Err(not_plain("a special file")),
    }
}

/// Reads the plain file at `path` when it has at most `limit` bytes.
///
/// # Errors
/// When there is none, something else is there, or it is too large.
pub fn read(path: &Path, limit: u64) -> Result<Vec<u8>, UntrustedError> {
    open(path, limit)?.read_all()
}

/// Reads the plain text file at `path` when it has at most `limit` bytes.
///
/// # Errors
/// When there is none, something else is there, it is too large, or it is no text.
pub fn read_text(path: &Path, limit: u64) -> Result<String, UntrustedError> {
    String::from_utf8(read(path, limit)?).map_err(|_| UntrustedError::NotText { path: path.to_owned() })
}

/// Reads the file that somebody named, whatever link leads there. Of one that is too long it reads one byte more than
/// `limit`, so that whoever knows what it should be can say so. What a shell has opened for us (`<(…)`) may be a pipe.
///
/// # Errors
/// When there is none, or something else is there.
pub fn read_named(path: &Path, limit: usize) -> io::Result<Vec<u8>> {
    let from_shell = path.starts_with("/dev/fd") || path.starts_with("/proc/self/fd");
    let file = if from_shell {
        File::open(path)?
    } else {
        open_plain(&path.canonicalize()?, OpenOptions::new().read(true)).map_err(|error| match error {
            UntrustedError::Io { source, .. } => source,
            error => io::Error::new(io::ErrorKind::InvalidInput, error.to_string()),
        })?
    };
    let mut bytes = Vec::new();
    file.take(limit as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Reads text in the same way.
///
/// # Errors
/// As [`read_named`], and when it is no UTF-8.
pub fn read_named_text(path: &Path, limit: usize) -> io::Result<String> {
    let bytes = read_named(path, limit)?;
    // Cut anywhere, it may end in the middle of a character.
    if bytes.len() > limit {
        return Ok(String::from_utf8_lossy(&bytes).into_owned());
    }
    String::from_utf8(bytes).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8 text"))
}

/// Copies the plain file at `from` when it has at most `limit` bytes.
///
/// # Errors
/// When there is none, something else is there, it is too large, or `to` cannot be written.
pub fn copy(from: &Path, to: &Path, limit: u64) -> Result<(), UntrustedError> {
    let mut file = open(from, limit)?;
    let written = File::create(to).and_then(|mut to| io::copy(&mut file, &mut to));
    written.map(drop).map_err(|source| UntrustedError::Io { path: to.to_owned(), source })
}

/// Copies the file at `from` when it is a plain one of at most `limit` bytes; anything else is ignored.
///
/// # Errors
/// When `to` cannot be written.
pub fn copy_if_plain(from: &Path, to: &Path, limit: u64) -> io::Result<()> {
    let Ok(file) = open(from, limit) else { return Ok(()) };
    io::copy(&mut file.into_file().take(limit), &mut File::create(to)?).map(drop)
}

impl PlainFile {
    /// Returns how large it was when it was opened.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Gives the file itself, for a program that reads it in our place. It is bounded by what was looked at.
    #[must_use]
    pub fn into_file(self) -> File {
        self.file
    }

    /// Reads all of it.
    ///
    /// # Errors
    /// When it cannot be read, or has become too large.
    pub fn read_all(mut self) -> Result<Vec<u8>, UntrustedError> {
        // Not more at once than a hole-filled file of that size deserves.
        let mut bytes = Vec::with_capacity(usize::try_from(self.size.min(1 << 20)).unwrap_or(0));
        match self.read_to_end(&mut bytes) {
            Ok(_) => Ok(bytes),
            Err(error) if error.kind() == io::ErrorKind::FileTooLarge => {
                Err(UntrustedError::TooLarge { path: self.path, limit: self.limit })
            }
            Err(source) => Err(UntrustedError::Io { path: self.path, source }),
        }
    }
}

impl Read for PlainFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.left = self.left.checked_sub(count as u64).ok_or(io::ErrorKind::FileTooLarge)?;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink};

    use super::*;

    #[test]
    fn only_plain_files_of_their_size_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let (plain, link, pipe) = (folder.path().join("plain"), folder.path().join("link"), folder.path().join("pipe"));
        fs::write(&plain, "1234").unwrap();
        symlink(&plain, &link).unwrap();
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR, 0).unwrap();
        assert_eq!(read(&plain, 4).unwrap(), b"1234");
        assert!(matches!(read(&plain, 3), Err(UntrustedError::TooLarge { limit: 3, .. })));
        assert!(read(&folder.path().join("none"), 1).unwrap_err().is_missing());
        for (path, what) in [
            (link.as_path(), "a symbolic link"),
            (&pipe, "a pipe"),
            (folder.path(), "a folder"),
            (Path::new("/dev/zero"), "a special file"),
        ] {
            let error = read(path, 1 << 20).unwrap_err();
            assert!(matches!(&error, UntrustedError::NotPlain { kind, .. } if *kind == what), "{error}");
            let to = folder.path().join("copied");
            copy(path, &to, 1 << 20).unwrap_err();
            assert!(!to.exists());
        }
        fs::write(&plain, b"\xff").unwrap();
        assert!(matches!(read_text(&plain, 4), Err(UntrustedError::NotText { .. })));
    }

    #[test]
    fn a_file_that_somebody_named_is_followed_and_cut_but_no_pipe_is_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let (plain, link, pipe) = (folder.path().join("plain"), folder.path().join("link"), folder.path().join("pipe"));
        fs::write(&plain, "ää").unwrap();
        symlink(&plain, &link).unwrap();
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR, 0).unwrap();
        assert_eq!(read_named_text(&link, 4).unwrap(), "ää");
        assert_eq!(read_named(&link, 2).unwrap().len(), 3);
        assert!(read_named_text(&link, 2).unwrap().starts_with('ä'));
        for path in [&pipe, Path::new("/dev/zero"), folder.path()] {
            let error = read_named(path, 4).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{error}");
        }
        assert_eq!(read_named(&folder.path().join("none"), 4).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn a_file_that_grows_while_it_is_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("grows");
        fs::write(&path, "12").unwrap();
        let opened = open(&path, 4).unwrap();
        fs::write(&path, "123456").unwrap();
        let error = opened.read_all().unwrap_err();
        assert!(matches!(error, UntrustedError::TooLarge { limit: 4, .. }), "{error}");
    }
}
