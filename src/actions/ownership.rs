//! Whose files are whose: a container action runs as root, and what it leaves behind must be for the steps after it.

use std::{io, path::Path};

use rustix::fs::{AtFlags, CWD, Gid, Uid, chownat};

/// Gives everything below `folder`, and the folders above it up to `owned`, to whoever owns `owned`. Does nothing for
/// anybody but root, who alone could.
///
/// # Errors
/// When something cannot be read or given away.
pub fn give_to_owner_of(owned: &Path, folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt as _;
    if !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    let owner = std::fs::metadata(owned)?;
    if owner.uid() == 0 {
        return Ok(());
    }
    let give = |path: &Path| {
        // Never through a link: it could lead anywhere.
        let (uid, gid) = (Uid::from_raw(owner.uid()), Gid::from_raw(owner.gid()));
        chownat(CWD, path, Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW).map_err(io::Error::from)
    };
    for above in folder.ancestors().skip(1).take_while(|above| above.starts_with(owned) && *above != owned) {
        give(above)?;
    }
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        give(&folder)?;
        for entry in std::fs::read_dir(&folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            } else {
                give(&entry.path())?;
            }
        }
    }
    Ok(())
}
