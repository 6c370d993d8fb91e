//! The report that a subagent left, read without trusting it.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _},
    path::Path,
};

use implementer_model::report::{REPORT_MAX_BYTES, ReadReport, ReportError};

use crate::untrusted::{self, UntrustedError};

/// Says why there is a report that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReportFileError {
    /// Something is there that is no plain file: a symbolic link, a folder, a pipe.
    #[error("the report is no plain file but {kind}: write the JSON itself to $IMPLEMENTER_REPORT")]
    NoPlainFile {
        /// What it is.
        kind: &'static str,
    },
    /// It cannot be read.
    #[error("the report cannot be read")]
    Unreadable(#[from] io::Error),
    /// What is in it is not a report.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// A secret stands in it where only a name can.
    #[error("the report has the value of a secret in the place of a name, so that nothing of it is kept")]
    Secret,
    /// Where the subagent ran it was found to be no report.
    #[error("{0}")]
    Told(String),
}

/// Reads the report at `path`; `None` when there is none.
///
/// # Errors
/// When something is there that is not a report.
pub fn read_report(path: &Path) -> Result<Option<ReadReport>, ReportFileError> {
    let Some(file) = open_plain(path, File::options().read(true))? else { return Ok(None) };
    // One byte more than is allowed tells a file that is too large, and one that grows is never read to its end.
    let mut bytes = Vec::new();
    file.take(REPORT_MAX_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(Some(ReadReport::new(&bytes)?))
}

/// Opens a plain file that a subagent may have had its hands on; `None` when there is none.
///
/// # Errors
/// When something else is there, or it cannot be opened.
pub(super) fn open_plain(path: &Path, options: &mut OpenOptions) -> Result<Option<File>, ReportFileError> {
    match untrusted::open_plain(path, options) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.is_missing() => Ok(None),
        Err(UntrustedError::NotPlain { kind, .. }) => Err(ReportFileError::NoPlainFile { kind }),
        Err(UntrustedError::Io { source, .. }) => Err(source.into()),
        Err(error @ (UntrustedError::TooLarge { .. } | UntrustedError::NotText { .. })) => {
            Err(io::Error::other(error).into())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink};

    use super::*;

    const GOOD: &str = r#"{"version": 1, "status": "completed", "summary": "done"}"#;

    #[test]
    fn a_report_is_read_and_digested() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("report.json");
        assert!(read_report(&path).unwrap().is_none());
        fs::write(&path, GOOD).unwrap();
        let read = read_report(&path).unwrap().unwrap();
        assert_eq!(read.report.summary, "done");
        assert_eq!(read.digest, implementer_model::ids::Digest::from_content(GOOD));
    }

    #[test]
    fn only_a_plain_file_is_a_report() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("report.json");
        fs::write(directory.path().join("good"), GOOD).unwrap();
        symlink("good", &path).unwrap();
        assert!(matches!(read_report(&path), Err(ReportFileError::NoPlainFile { kind: "a symbolic link" })));
        fs::remove_file(&path).unwrap();
        symlink("/no/such/file", &path).unwrap();
        assert!(matches!(read_report(&path), Err(ReportFileError::NoPlainFile { .. })));
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert!(matches!(read_report(&path), Err(ReportFileError::NoPlainFile { kind: "a folder" })));
        fs::remove_dir(&path).unwrap();
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        assert!(matches!(read_report(&path), Err(ReportFileError::NoPlainFile { kind: "a special file" })));
    }

    #[test]
    fn a_huge_or_invalid_report_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("report.json");
        // A sparse file: a terabyte that nobody wrote, and that nobody reads.
        File::create(&path).unwrap().set_len(1 << 40).unwrap();
        assert!(matches!(read_report(&path), Err(ReportFileError::Report(ReportError::TooLarge))));
        fs::write(&path, "{}").unwrap();
        assert!(matches!(read_report(&path), Err(ReportFileError::Report(ReportError::Syntax { .. }))));
    }
}
