//! Whatever a subagent leaves behind, the next one finds nothing of it: each test of a table tries to smuggle something
//! through, on both ways a slot is given back.

use std::{
    fs::{self, File, FileTimes, Permissions},
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink},
    path::Path,
    time::{Duration, SystemTime},
};

use super::*;
use crate::workspace::test_support::{TestRepository, contents, git, write};

/// What is tried in the folder. `outside` is a folder beside the slots.
type Attempt = fn(folder: &Path, outside: &Path);

const ATTEMPTS: [(&str, Attempt); 22] = [
    ("an ignored file", |at, _| write(at, "cache.log", "secret")),
    ("an ignored folder", |at, _| write(at, "build/deep/cache", "secret")),
    ("an ignored file in a folder of the tree", |at, _| write(at, "src/deep/x.log", "secret")),
    ("an ignore file that hides everything", |at, _| {
        write(at, "src/.gitignore", "*\n");
        write(at, "src/hidden.py", "secret");
    }),
    ("excludes of the repository", |at, _| {
        write(at, ".git/info/exclude", "*\n");
        write(at, "hidden.txt", "secret");
    }),
    ("a nested repository", |at, _| {
        git(at, &["init", "-q", "nested"]);
        write(at, "nested/x", "secret");
    }),
    ("a repository in a folder of the tree", |at, _| {
        git(&at.join("src"), &["init", "-q"]);
        write(at, "src/x", "secret");
    }),
    ("a hook, a branch and a configuration", |at, _| {
        write(at, ".git/hooks/post-checkout", "#!/bin/sh\ntouch hooked\n");
        fs::set_permissions(at.join(".git/hooks/post-checkout"), Permissions::from_mode(0o755)).unwrap();
        git(at, &["config", "core.hooksPath", ".git/hooks"]);
        git(at, &["branch", "mine"]);
    }),
    ("files that the index is told not to look at", |at, _| {
        git(at, &["update-index", "--skip-worktree", "README.md"]);
        git(at, &["update-index", "--assume-unchanged", "src/app.py"]);
        write(at, "README.md", "secret\n");
        write(at, "src/app.py", "secret\n");
    }),
    ("a read-only folder", |at, _| {
        write(at, "locked/in/file", "secret");
        fs::set_permissions(at.join("locked/in"), Permissions::from_mode(0o500)).unwrap();
        fs::set_permissions(at.join("locked"), Permissions::from_mode(0o500)).unwrap();
    }),
    ("a read-only folder of the tree", |at, _| {
        write(at, "src/new", "secret");
        fs::set_permissions(at.join("src"), Permissions::from_mode(0o555)).unwrap();
    }),
    ("modes of folders and files", |at, _| {
        fs::set_permissions(at.join("src"), Permissions::from_mode(0o2777)).unwrap();
        fs::set_permissions(at.join("src/app.py"), Permissions::from_mode(0o4777)).unwrap();
        fs::set_permissions(at, Permissions::from_mode(0o1777)).unwrap();
    }),
    ("a change that keeps size and time", |at, _| {
        let place = at.join("README.md");
        let before = fs::metadata(&place).unwrap();
        let content = fs::read(&place).unwrap();
        fs::write(&place, vec![b'x'; content.len()]).unwrap();
        let times = FileTimes::new().set_modified(before.modified().unwrap()).set_accessed(before.accessed().unwrap());
        File::options().write(true).open(&place).unwrap().set_times(times).unwrap();
    }),
    ("a file from the future", |at, _| {
        write(at, "src/app.py", "secret\n");
        let later = SystemTime::now() + Duration::from_secs(86_400);
        let file = File::options().write(true).open(at.join("src/app.py")).unwrap();
        file.set_times(FileTimes::new().set_modified(later)).unwrap();
    }),
    ("a file exchanged for another", |at, _| {
        let place = at.join("README.md");
        let content = fs::read(&place).unwrap();
        fs::write(at.join("other"), vec![b'y'; content.len()]).unwrap();
        fs::rename(at.join("other"), place).unwrap();
    }),
    ("a hard link to a file of the tree", |at, outside| {
        fs::hard_link(at.join("README.md"), outside.join("hook")).unwrap();
    }),
    ("a hard link out of the tree", |at, outside| {
        write(outside, "precious", "kept");
        fs::hard_link(outside.join("precious"), at.join("linked")).unwrap();
    }),
    ("links in place of a folder and a file", |at, outside| {
        fs::remove_dir_all(at.join("src")).unwrap();
        symlink(outside, at.join("src")).unwrap();
        fs::remove_file(at.join("README.md")).unwrap();
        symlink("/etc/hostname", at.join("README.md")).unwrap();
    }),
    ("a folder in place of a file, and the other way round", |at, _| {
        fs::remove_file(at.join("README.md")).unwrap();
        write(at, "README.md/x", "secret");
        fs::remove_dir_all(at.join("src/deep")).unwrap();
        write(at, "src/deep", "secret");
    }),
    ("a pipe and names that are no text", |at, _| {
        let pipe = at.join("src/pipe");
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR, 0).unwrap();
        let name: &std::ffi::OsStr = std::os::unix::ffi::OsStrExt::from_bytes(b"\xff\xfe");
        fs::write(at.join(name), "secret").unwrap();
        fs::create_dir(at.join("src").join(name)).unwrap();
    }),
    ("attributes of a folder", |at, _| {
        // Where the file system has none there is nothing to smuggle.
        let flags = rustix::fs::XattrFlags::empty();
        let _ = rustix::fs::setxattr(at.join("src"), "user.secret", b"x", flags);
    }),
    ("something beside the folder", |at, _| write(at.parent().unwrap(), "beside", "secret")),
];

async fn nothing_comes_through(attempts: &[(&str, Attempt)]) {
    let repository = TestRepository::new();
    repository.write(".gitignore", "*.log\nbuild/\n");
    repository.write("src/deep/b.py", "b\n");
    let first = repository.commit("first");
    repository.write("src/deep/b.py", "other\n");
    repository.write("docs/c.md", "c\n");
    let second = repository.commit("second");
    let store = repository.store();
    let fresh = SlotPool::new(store.clone(), &repository.beside("fresh")).unwrap();
    let mut expected = Vec::new();
    for commit in [&first, &second] {
        let slot = fresh.acquire(commit, None).await.unwrap();
        expected.push((contents(slot.path()), repository_of(slot.path()), owners(slot.path())));
    }
    let outside = repository.beside("outside");
    let pool = SlotPool::new(store, &repository.beside("slots")).unwrap();
    for (name, attempt) in attempts {
        for (at, commit) in [&first, &second].into_iter().enumerate() {
            for captured in [true, false] {
                let case = format!("{name}, tree {at}, captured: {captured}");
                let _ = fs::remove_dir_all(&outside);
                fs::create_dir(&outside).unwrap();
                let slot = pool.acquire(&first, None).await.unwrap();
                let folder = slot.path().to_owned();
                attempt(&folder, &outside);
                if captured {
                    slot.capture_last().await.unwrap();
                } else {
                    drop(slot);
                }
                // Through a name of it that lies elsewhere, a file could be changed in place.
                let hook = outside.join("hook");
                let links = fs::metadata(&hook).map_or(0, |meta| meta.ino());

                let next = pool.acquire(commit, None).await.unwrap();
                assert_eq!(next.path(), folder, "{case}");
                let found = (contents(&folder), repository_of(&folder), owners(&folder));
                assert_eq!(found, expected[at], "{case}");
                assert_eq!(git(&folder, &["status", "--porcelain", "--ignored"]), "", "{case}");
                assert!(!folder.parent().unwrap().join("beside").exists(), "{case}");
                assert_ne!(fs::metadata(folder.join("README.md")).unwrap().ino(), links, "{case}");
                assert!(next.capture().await.unwrap().patch.is_empty(), "{case}");
                if outside.join("precious").exists() {
                    assert_eq!(fs::read_to_string(outside.join("precious")).unwrap(), "kept", "{case}");
                }
            }
        }
    }
    assert_eq!((pool.begun(), pool.abandoned()), (1, vec![]));
}

/// Owners and attributes of everything below a folder.
fn owners(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut pending = vec![folder.to_owned()];
    while let Some(place) = pending.pop() {
        let meta = fs::symlink_metadata(&place).unwrap();
        let attributes = rustix::fs::llistxattr_query(&place).unwrap_or(0);
        let relative = place.strip_prefix(folder).unwrap();
        found.push(format!("{} {}:{} {attributes}", relative.display(), meta.uid(), meta.gid()));
        if meta.is_dir() && !place.ends_with(".git") {
            pending.extend(fs::read_dir(&place).unwrap().map(|entry| entry.unwrap().path()));
        }
    }
    found.sort();
    found
}

/// The files of the repository in a folder, but for the index, in which there are times.
fn repository_of(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let files = contents(&folder.join(".git")).into_iter();
    files.filter(|(path, _)| path != "index").map(|(path, (_, content))| (path, content)).collect()
}

#[tokio::test]
async fn nothing_that_a_subagent_leaves_reaches_the_next() {
    nothing_comes_through(&ATTEMPTS).await;
}

#[tokio::test]
async fn files_and_folders_of_another_owner_do_not_either() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("SKIPPED files_and_folders_of_another_owner_do_not_either: only root can give files away");
        return;
    }
    nothing_comes_through(&[
        ("a file of the tree that is somebody else's", |at, _| {
            std::os::unix::fs::lchown(at.join("README.md"), Some(12_345), None).unwrap();
        }),
        ("a folder of the tree that is somebody else's", |at, _| {
            std::os::unix::fs::lchown(at.join("src"), Some(12_345), Some(54_321)).unwrap();
            fs::set_permissions(at.join("src"), Permissions::from_mode(0o700)).unwrap();
        }),
        ("a folder that is somebody else's", |at, _| {
            write(at, "theirs/x", "secret");
            for place in [at.join("theirs/x"), at.join("theirs")] {
                std::os::unix::fs::lchown(&place, Some(12_345), None).unwrap();
                fs::set_permissions(&place, Permissions::from_mode(0o500)).unwrap();
            }
        }),
    ])
    .await;
}

#[tokio::test]
async fn what_is_written_after_the_last_capture_is_found_all_the_same() {
    // Nobody may do so; whoever got away from the supervisor could.
    let repository = TestRepository::new();
    let pool = SlotPool::new(repository.store(), &repository.beside("slots")).unwrap();
    for late in [
        |at: &Path| write(at, "new", "secret"),
        |at: &Path| write(at, "src/new", "secret"),
        |at: &Path| fs::remove_file(at.join("README.md")).unwrap(),
        |at: &Path| {
            fs::write(at.join("other"), "# Servant\n").unwrap();
            fs::rename(at.join("other"), at.join("README.md")).unwrap();
        },
    ] {
        let slot = pool.acquire(&repository.head(), None).await.unwrap();
        let at = slot.path().to_owned();
        write(&at, "mine", "x");
        slot.capture_last().await.unwrap();
        late(&at);
        let next = pool.acquire(&repository.head(), None).await.unwrap();
        assert_eq!(git(&at, &["status", "--porcelain", "--ignored"]), "");
        assert_eq!(fs::read_to_string(at.join("README.md")).unwrap(), "# Service\n");
        assert!(next.capture().await.unwrap().patch.is_empty());
    }
}

#[tokio::test]
async fn what_is_changed_in_a_slot_between_two_leases_is_never_hidden() {
    // A change in place behind our back is the one thing that only a look at every file would find. Where there is none it
    // shows in the next patch instead, as a change of the next; where the clock's ticks ask for one it is gone. Hidden it is
    // never.
    let repository = TestRepository::new();
    let pool = SlotPool::new(repository.store(), &repository.beside("slots")).unwrap();
    let slot = pool.acquire(&repository.head(), None).await.unwrap();
    let at = slot.path().to_owned();
    slot.capture_last().await.unwrap();
    // Of another length: this all happens within one tick of the file system's clock.
    fs::write(at.join("README.md"), "# Changed by somebody else\n").unwrap();
    let next = pool.acquire(&repository.head(), None).await.unwrap();
    let clean = fs::read_to_string(next.path().join("README.md")).unwrap() == "# Service\n";
    let patch = next.capture().await.unwrap().patch;
    let shown = patch.changes.iter().map(|change| change.path.as_str()).collect::<Vec<_>>() == ["README.md"];
    assert!(shown != clean, "shown: {shown}, clean: {clean}");
}
