//! Open files that whoever started us left open must reach nobody: no wall takes an open descriptor away.

use std::{fs, io};

/// Closes everything but standard input, output and error. To be called at the beginning of a process, before anything
/// of ours is open.
///
/// # Errors
/// When it cannot be told what is open.
pub fn close_inherited() -> io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        let entries = fs::read_dir("/proc/self/fd")?;
        // Listed first: the listing is itself open while it lasts.
        let open: Vec<i32> =
            entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).filter(|fd| *fd > 2).collect();
        for fd in open {
            // The one of the listing is closed by now.
            let _ = nix::unistd::close(fd);
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = fs::metadata("/");
    Ok(())
}
