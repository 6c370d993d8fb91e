//! What was being done when the system refused.

use std::io;

/// Puts before an error what was being done.
pub(super) fn doing(what: &str, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{what}: {error}"))
}
