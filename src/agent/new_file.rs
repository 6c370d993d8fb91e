//! Files of ours in folders that a subagent may write into.

use std::{
    fs,
    io::{self, Write as _},
    path::Path,
};

/// Writes a file of ours where a subagent may have been before: whatever stands there goes first, and no link is
/// followed.
pub(super) fn write_new(path: &Path, content: &str) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    fs::File::create_new(path)?.write_all(content.as_bytes())
}
