//! Whether the disk has room left. What fails without it says nothing about anybody's work.

use std::path::Path;

use super::error::RunError;

/// What a file system has to have left, in bytes: less holds no report and no log.
const ROOM_MIN: u64 = 1024 * 1024;

/// Stops the run when the file system of one of these folders is full.
///
/// # Errors
/// When one of them has no room left.
pub fn check(folders: &[&Path]) -> Result<(), RunError> {
    let full = folders.iter().find(|folder| {
        // A file system that does not say is taken for one that has room.
        rustix::fs::statvfs(**folder)
            .is_ok_and(|found| is_full(found.f_bavail.saturating_mul(found.f_frsize), (found.f_files, found.f_favail)))
    });
    match full {
        None => Ok(()),
        Some(folder) => Err(RunError::Environment(format!(
            "the disk that holds {} is full, so that what failed there is no verdict: make room, and run the same again. \
             What is finished stays",
            folder.display()
        ))),
    }
}

/// Tells whether bytes or files have run out. A file system without a limit of files counts none.
fn is_full(bytes: u64, (files, files_left): (u64, u64)) -> bool {
    bytes < ROOM_MIN || files > 0 && files_left == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_files_run_out_and_a_file_system_without_a_limit_does_not() {
        assert!(is_full(ROOM_MIN - 1, (10, 5)));
        assert!(is_full(u64::MAX, (10, 0)));
        assert!(!is_full(ROOM_MIN, (0, 0)));
        assert!(!is_full(ROOM_MIN, (10, 1)));
        assert!(check(&[Path::new("/nonexistent/folder")]).is_ok());
    }
}
