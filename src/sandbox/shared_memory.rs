//! Memory, semaphores and message queues of System V: they belong to a user and not to a process, so that they outlive it.

use std::{
    fs, io,
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Command, Stdio},
};

use super::{context::doing, users::User};

/// The kinds: the file in which the kernel lists them, its column with their ids, and the option by which `ipcrm` removes one.
const KINDS: [(&str, &str, &str); 3] =
    [("/proc/sysvipc/shm", "shmid", "-m"), ("/proc/sysvipc/sem", "semid", "-s"), ("/proc/sysvipc/msg", "msqid", "-q")];

/// What of a user's is passed to `ipcrm` at once: an argument list has an end.
const AT_ONCE: usize = 1_000;

/// Where programs of the system are.
const PROGRAMS: &str = "/usr/bin:/bin:/usr/sbin:/sbin";

/// Tells whether what a user leaves could be removed here.
pub(super) fn can_be_removed() -> bool {
    PROGRAMS.split(':').any(|folder| Path::new(folder).join("ipcrm").is_file())
}

/// Removes everything of a user's, which has no process any more. The kernel lets only its owner do that, and whoever may administer
/// the system: root of a container may not. So it is done by `ipcrm`, as that user.
pub(super) fn remove(user: User) -> io::Result<()> {
    let mut arguments = Vec::new();
    for (list, id, option) in KINDS {
        let listed = match fs::read_to_string(list) {
            // A kernel without them has no list.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            listed => listed?,
        };
        let owned = owned(&listed, id, user.uid).map_err(|error| doing(list, &error))?;
        arguments.extend(owned.into_iter().map(|id| [option.to_owned(), id]));
    }
    for some in arguments.chunks(AT_ONCE) {
        let status = Command::new("ipcrm")
            .args(some.concat())
            .env_clear()
            .env("PATH", PROGRAMS)
            .current_dir("/")
            .gid(user.gid)
            .uid(user.uid)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .map_err(|error| io::Error::new(error.kind(), format!("`ipcrm` cannot be started: {error}")))?;
        if !status.success() {
            return Err(io::Error::other(format!("`ipcrm` failed with {status}")));
        }
    }
    Ok(())
}

/// Returns the ids of what a user has or made, out of one of the kernel's lists. A list that is not understood is an error:
/// taken for an empty one, it would leave to the next attempt what this one put there.
fn owned(listed: &str, id: &str, uid: u32) -> io::Result<Vec<String>> {
    let wrong = |what: &str| io::Error::new(io::ErrorKind::InvalidData, format!("the list {what}"));
    let mut lines = listed.lines();
    let names: Vec<_> = lines.next().ok_or_else(|| wrong("is empty"))?.split_whitespace().collect();
    let column = |name: &str| {
        names.iter().position(|found| *found == name).ok_or_else(|| wrong(&format!("has no column `{name}`")))
    };
    let (id, owner, maker) = (column(id)?, column("uid")?, column("cuid")?);
    let uid = uid.to_string();
    let mut ids = Vec::new();
    for line in lines {
        let fields: Vec<_> = line.split_whitespace().collect();
        let field = |column: usize| fields.get(column).ok_or_else(|| wrong("has a line that is too short"));
        if *field(owner)? == uid || *field(maker)? == uid {
            ids.push((*field(id)?).to_owned());
        }
    }
    Ok(ids)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_belongs_to_a_user_is_found_by_owner_and_by_maker() {
        let listed = "       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid  cgid      atime\n\
                      \x20        0          3  1600               4096   812   812      0     0     0     0     0          0\n\
                      \x20       27         11  1666               4096   900   900      0 60600 60600 60600 60600          0\n\
                      \x20       28         12  1666               4096   900   900      0     7     7 60600 60600          0\n\
                      \x20       29         13  1666              60600 60600     0      0 60601 60600 60601 60600          0\n";
        assert_eq!(owned(listed, "shmid", 60_600).unwrap(), ["11", "12"]);
        let header = listed.lines().next().unwrap();
        assert_eq!(owned(header, "shmid", 60_600).unwrap(), Vec::<String>::new(), "nobody has any");
    }

    #[test]
    fn a_list_that_is_not_understood_is_no_empty_one() {
        for (listed, said) in [
            ("", "the list is empty"),
            ("key semid uid", "the list has no column `shmid`"),
            ("key shmid uid\n0 3 60600", "the list has no column `cuid`"),
            ("key shmid uid cuid\n0 3", "the list has a line that is too short"),
        ] {
            assert_eq!(owned(listed, "shmid", 60_600).unwrap_err().to_string(), said);
        }
    }
}
