//! Landlock: which files a process may open, for good and for all that it starts.

use std::{io, path::PathBuf};

use implementer_model::isolation::Level;
use landlock::{
    ABI, Access as _, AccessFs, BitFlags, CompatLevel, Compatible as _, PathBeneath, PathFd, RestrictionStatus,
    Ruleset, RulesetAttr as _, RulesetCreatedAttr as _, RulesetStatus, Scope,
};

use super::confinement::Entered;

/// What has to be enforced: below this version links between folders are always refused, which breaks build tools.
const NEEDED: ABI = ABI::V2;

/// What is asked for where the kernel has it.
const WANTED: ABI = ABI::V5;

/// Devices that every program may use, beside reading `/dev` as a folder.
const DEVICES: [&str; 8] =
    ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty", "/dev/ptmx", "/dev/pts"];

/// Where programs share memory. As the same user nobody could tell whose is whose afterwards.
const SHARED_MEMORY: &str = "/dev/shm";

/// Restricts the calling process to reading and executing what is below `read`, and to changing what is below `write`.
/// With mounts of its own it has the folders that everybody may write to for itself.
pub(super) fn restrict(level: Level, own_mounts: bool, read: &[PathBuf], write: &[PathBuf]) -> io::Result<Entered> {
    let scope = has_scope();
    if level == Level::Landlock && !scope {
        return Err(io::Error::other("Landlock of this kernel does not limit signals: it takes Linux 6.12"));
    }
    let refused = |error: &dyn std::fmt::Display| io::Error::other(format!("Landlock: {error}"));
    let ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(NEEDED))
        .map_err(|error| refused(&error))?
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(WANTED))
        .map_err(|error| refused(&error))?;
    let ruleset = ruleset.scope(Scope::from_all(ABI::V6)).map_err(|error| refused(&error))?;
    let mut ruleset = ruleset.create().map_err(|error| refused(&error))?;
    let devices = DEVICES.map(PathBuf::from);
    let readable = AccessFs::from_read(WANTED);
    let rules = read.iter().map(|path| (path, readable));
    let shared: &[&str] = match level {
        _ if own_mounts => &super::namespaces::SHARED,
        // What it leaves there goes when its user ends.
        Level::Uid => &[SHARED_MEMORY],
        Level::Namespaces | Level::Landlock | Level::None => &[],
    };
    let shared: Vec<_> = shared.iter().map(PathBuf::from).collect();
    let rules = rules.chain(write.iter().chain(&devices).chain(&shared).map(|path| (path, AccessFs::from_all(WANTED))));
    for (path, access) in rules {
        // What is not there cannot be read; what we may not look for, whoever is inside may not either.
        let Ok(place) = PathFd::new(path) else { continue };
        let access = allowed(path, access);
        ruleset = ruleset.add_rule(PathBeneath::new(place, access)).map_err(|error| refused(&error))?;
    }
    let RestrictionStatus { ruleset: status, no_new_privs, .. } =
        ruleset.restrict_self().map_err(|error| refused(&error))?;
    if status == RulesetStatus::NotEnforced || !no_new_privs {
        return Err(io::Error::other("Landlock is not enforced by this kernel"));
    }
    Ok(Entered { scoped: scope })
}

/// A file takes fewer rights than a folder.
fn allowed(path: &std::path::Path, access: BitFlags<AccessFs>) -> BitFlags<AccessFs> {
    if path.is_dir() { access } else { access & AccessFs::from_file(WANTED) }
}

/// Tells whether the kernel limits signals and abstract sockets.
fn has_scope() -> bool {
    Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .scope(Scope::from_all(ABI::V6))
        .and_then(Ruleset::create)
        .is_ok()
}
