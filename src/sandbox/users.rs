//! The user ids that are reserved for slots.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use serde::{Deserialize, Serialize};

use super::context::doing;

/// The reserved user ids: a range that systemd's registry of ids (<https://systemd.io/UIDS-GIDS/>) leaves to nobody, and
/// that every container has, because it lies below 65536.
const RANGE: std::ops::RangeInclusive<u32> = 60_600..=61_111;

/// The group that all of them have. Nothing belongs to it but the folder that leads to the slots.
const GROUP: u32 = 60_600;

/// Where coordinators that run at the same time leave each other a note about which ids they have.
const LOCKS: [&str; 3] = ["/run/backend-implementer", "/var/lib/backend-implementer", "/tmp/backend-implementer-users"];

/// The user of a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct User {
    /// Its id.
    pub uid: u32,
    /// Its group.
    pub gid: u32,
}

/// The users of one run, each reserved until the run is over.
#[derive(Debug, Clone)]
pub(super) struct Users {
    shared: Arc<Mutex<Reserved>>,
}

#[derive(Debug)]
struct Reserved {
    locks: PathBuf,
    /// The ids that an account of the machine has.
    taken: Vec<u32>,
    next: u32,
    of_slots: BTreeMap<usize, (User, File)>,
}

impl Users {
    /// Makes sure that there can be such users, and opens the way to the slots for their group.
    pub(super) fn reserve(scratch: &Path) -> io::Result<Self> {
        if !rustix::process::geteuid().is_root() {
            return Err(io::Error::other("the run is not root's"));
        }
        if !maps_all(&fs::read_to_string("/proc/self/uid_map")?) {
            return Err(io::Error::other("this container has too few user ids"));
        }
        let locks = LOCKS.iter().map(Path::new).find(|folder| private_folder(folder).is_ok());
        let locks =
            locks.ok_or_else(|| io::Error::other(format!("none of {} can be made", LOCKS.join(", "))))?.to_owned();
        #[cfg(target_os = "linux")]
        super::ownership::open_way(scratch, GROUP)
            .map_err(|error| doing(&format!("opening {} to a group", scratch.display()), &error))?;
        #[cfg(not(target_os = "linux"))]
        let _ = scratch;
        let taken = match fs::read_to_string("/etc/passwd") {
            Ok(passwd) => accounts(&passwd),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(doing("reading /etc/passwd", &error)),
        };
        let reserved = Reserved { locks, taken, next: *RANGE.start(), of_slots: BTreeMap::new() };
        Ok(Self { shared: Arc::new(Mutex::new(reserved)) })
    }

    /// Returns the user of a slot, and reserves one when it has none yet.
    /// `clear` is called with one that was just reserved.
    pub(super) fn of_slot(&self, slot: usize, clear: impl FnOnce(User) -> io::Result<()>) -> io::Result<User> {
        let mut reserved = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((user, _)) = reserved.of_slots.get(&slot) {
            return Ok(*user);
        }
        while reserved.next <= *RANGE.end() {
            let uid = reserved.next;
            reserved.next += 1;
            if reserved.taken.contains(&uid) {
                continue;
            }
            let lock = reserved.locks.join(uid.to_string());
            match lock_file(&lock) {
                Ok(Some(file)) => {
                    let user = User { uid, gid: GROUP };
                    // What an earlier run was killed over may still be ending.
                    clear(user)?;
                    reserved.of_slots.insert(slot, (user, file));
                    return Ok(user);
                }
                Ok(None) => {}
                Err(error) => return Err(doing(&format!("locking {}", lock.display()), &error)),
            }
        }
        let why = format!("all user ids from {} to {} are in use", RANGE.start(), RANGE.end());
        Err(io::Error::other(why))
    }
}

/// Tells whether the first 65536 user ids are there.
fn maps_all(map: &str) -> bool {
    map.lines().any(|line| {
        let numbers: Vec<u64> = line.split_whitespace().filter_map(|number| number.parse().ok()).collect();
        matches!(numbers[..], [inside, _, count] if inside <= u64::from(*RANGE.start())
            && inside + count > u64::from(*RANGE.end()))
    })
}

/// Returns the reserved ids that an account has whose name is not ours.
fn accounts(passwd: &str) -> Vec<u32> {
    let account = |line: &str| {
        let mut fields = line.split(':');
        let (name, uid) = (fields.next()?, fields.nth(1)?.parse().ok()?);
        (RANGE.contains(&uid) && !name.starts_with("implementer-")).then_some(uid)
    };
    passwd.lines().filter_map(account).collect()
}

/// Makes a folder that is root's alone, or finds one.
fn private_folder(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
    match fs::DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let meta = fs::symlink_metadata(folder)?;
    let private = meta.is_dir() && meta.uid() == rustix::process::geteuid().as_raw() && meta.mode() & 0o077 == 0;
    if private { Ok(()) } else { Err(io::ErrorKind::PermissionDenied.into()) }
}

/// Locks a file for as long as it is open; none when another process has it.
fn lock_file(path: &Path) -> io::Result<Option<File>> {
    let file = File::options().write(true).create(true).truncate(false).open(path)?;
    match rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(file)),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_with_few_ids_is_told_from_one_with_all() {
        assert!(maps_all("         0          0 4294967295\n"));
        assert!(maps_all("0 1000 1\n1 100000 65535\n"));
        assert!(!maps_all("0 1000 1\n"));
        assert!(!maps_all("0 1000 60700\n"));
    }

    #[test]
    fn an_account_of_somebody_else_keeps_its_id() {
        let passwd = "root:x:0:0::/root:/bin/sh\nimplementer-0:x:60600:60600::/nonexistent:/bin/sh\nx:x:60601:1::/:/\n";
        assert_eq!(accounts(passwd), [60_601]);
    }
}
