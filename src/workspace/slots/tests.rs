use std::{
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink},
    time::Duration,
};

use super::*;
use crate::workspace::test_support::{TestRepository, contents, describe, git, snapshot, try_git, write};

#[tokio::test]
async fn the_users_repository_is_untouched_byte_for_byte() {
    let repository = TestRepository::new();
    let marker = repository.beside("marker");
    let touch = format!("touch {}", marker.display());
    // Everything that could be run or disturbed.
    for hook in ["pre-commit", "post-checkout", "post-commit", "reference-transaction", "post-index-change"] {
        repository.write(&format!(".git/hooks/{hook}"), format!("#!/bin/sh\n{touch}\n"));
        let place = repository.path().join(".git/hooks").join(hook);
        fs::set_permissions(place, fs::Permissions::from_mode(0o755)).unwrap();
    }
    repository.write("stashed.txt", "s");
    repository.git(&["-c", "core.hooksPath=/dev/null", "stash", "-q", "-u"]);
    repository.write(".gitattributes", "* filter=evil\n");
    repository.git(&["-c", "core.hooksPath=/dev/null", "add", "-A"]);
    repository.git(&["-c", "core.hooksPath=/dev/null", "commit", "-qm", "attributes"]);
    for key in ["filter.evil.clean", "filter.evil.smudge", "filter.evil.process", "core.fsmonitor"] {
        repository.git(&["config", key, &touch]);
    }
    repository.write("README.md", "dirty\n");
    repository.write("untracked.txt", "u");
    let _ = fs::remove_file(&marker);
    let before = snapshot(&repository.path());

    let store = repository.store();
    let base = store.resolve("HEAD").unwrap();
    let pool = SlotPool::new(store.clone(), &repository.beside("slots")).unwrap();
    let slot = pool.acquire(&base.commit, None).await.unwrap();
    assert_eq!(fs::read_to_string(slot.path().join("README.md")).unwrap(), "# Service\n");
    write(slot.path(), "new.txt", "n\n");
    git(slot.path(), &["add", "-A"]);
    git(slot.path(), &["commit", "-qm", "mine"]);
    git(slot.path(), &["gc", "-q"]);
    let patch = slot.capture().await.unwrap().patch;
    let head = crate::workspace::integrate::Head { commit: base.commit.clone(), tree: base.tree };
    let done = store.put_on_top(&head, &patch, &crate::workspace::test_support::message("feature")).unwrap();
    let refs = [("refs/heads/implementation".to_owned(), done.commit)];
    crate::workspace::bundle::write(&store, &refs, &base.commit, &repository.beside("out.bundle")).unwrap();
    drop(slot);
    pool.remove().await.unwrap();

    let after = snapshot(&repository.path());
    assert_eq!(after.keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>());
    for (place, was) in &before {
        let (mut now, mut was) = (after[place].clone(), was.clone());
        if place.starts_with(repository.path().join(".git/objects")) && place.is_file() {
            // The subagent's own git sets the time of a borrowed object that it would have written itself, so that
            // nobody prunes it. The object stays what it is.
            (now.1, now.2, was.1, was.2) = (0, 0, 0, 0);
        }
        assert_eq!(now, was, "{}", place.display());
    }
    assert!(!marker.exists());
}

#[tokio::test]
async fn a_reused_slot_holds_exactly_the_next_tree_and_no_trace() {
    let repository = TestRepository::new();
    repository.write(".gitignore", "*.log\n");
    repository.write("docs/a.md", "a\n");
    repository.write("docs/b.md", "b\n");
    let first = repository.commit("first");
    fs::remove_dir_all(repository.path().join("docs")).unwrap();
    repository.write("docs", "now a file\n");
    repository.write("src/app.py", "other\n");
    symlink("README.md", repository.path().join("link")).unwrap();
    let second = repository.commit("second");
    let outside = repository.beside("outside");
    write(&outside, "precious", "kept");

    let pool = SlotPool::new(repository.store(), &repository.beside("slots")).unwrap();
    for round in 0..3 {
        let slot = pool.acquire(&first, None).await.unwrap();
        let at = slot.path().to_owned();
        write(&at, "ignored.log", "x");
        write(&at, "deep/nested/new", "x");
        git(&at.join("deep"), &["init", "-q"]);
        rustix::fs::mknodat(rustix::fs::CWD, at.join("pipe"), rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR, 0)
            .unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(at.join("s")).unwrap();
        symlink(&outside, at.join("out")).unwrap();
        fs::remove_dir_all(at.join("src")).unwrap();
        symlink(&outside, at.join("src")).unwrap();
        write(&at, "locked/in/file", "x");
        fs::set_permissions(at.join("locked/in"), fs::Permissions::from_mode(0o500)).unwrap();
        fs::set_permissions(at.join("docs"), fs::Permissions::from_mode(0o555)).unwrap();
        fs::write(at.join("README.md"), "# Servant\n").unwrap();
        fs::set_permissions(at.join(".gitignore"), fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(at.parent().unwrap().join("beside"), "x").unwrap();
        if round == 1 {
            fs::set_permissions(&at, fs::Permissions::from_mode(0o711)).unwrap();
        }
        drop(slot);
        let slot = pool.acquire(&second, None).await.unwrap();
        assert_eq!(slot.path(), at);
        assert_eq!(git(&at, &["status", "--porcelain", "--ignored"]), "");
        assert!(slot.capture().await.unwrap().patch.is_empty());
        let fresh = SlotPool::new(
            RunStore::open(&repository.beside("run/store.git")).unwrap(),
            &repository.beside(&format!("fresh-{round}")),
        )
        .unwrap();
        let other = fresh.acquire(&second, None).await.unwrap();
        assert_eq!(contents(&at), contents(other.path()));
        assert!(!at.parent().unwrap().join("beside").exists());
    }
    assert_eq!(fs::read_to_string(outside.join("precious")).unwrap(), "kept");
    assert_eq!((pool.begun(), pool.abandoned()), (1, vec![]));
}

#[tokio::test]
async fn what_did_not_change_is_not_written_again() {
    let repository = TestRepository::new();
    let first = repository.head();
    repository.write("README.md", "# Changed\n");
    let second = repository.commit("second");
    let pool = SlotPool::new(repository.store(), &repository.beside("slots")).unwrap();
    let stat = |slot: &Slot, path: &str| {
        let meta = fs::metadata(slot.path().join(path)).unwrap();
        (meta.ino(), meta.ctime(), meta.ctime_nsec())
    };
    let slot = pool.acquire(&first, None).await.unwrap();
    let (app, readme) = (stat(&slot, "src/app.py"), stat(&slot, "README.md"));
    drop(slot);
    for _ in 0..3 {
        let slot = pool.acquire(&second, None).await.unwrap();
        assert_eq!(stat(&slot, "src/app.py"), app);
        assert_ne!(stat(&slot, "README.md"), readme);
    }
}

#[tokio::test]
async fn quick_tasks_share_a_few_slots() {
    let repository = TestRepository::new();
    let pool = SlotPool::new(repository.store(), &repository.beside("slots")).unwrap();
    let head = repository.head();
    let leases = (0..64).map(|number| {
        let (pool, head) = (pool.clone(), head.clone());
        tokio::spawn(async move {
            let task = TaskId::new(format!("task-{number}")).unwrap();
            let slot = pool.acquire(&head, Some(&task)).await.unwrap();
            write(slot.path(), &format!("out-{number}"), "x\n");
            let captured = slot.capture().await.unwrap();
            assert_eq!(describe(&captured.patch), [format!("A out-{number} +1 -0")]);
        })
    });
    for lease in leases.collect::<Vec<_>>() {
        lease.await.unwrap();
    }
    assert!(pool.begun() < 64, "{}", pool.begun());
    assert_eq!(pool.abandoned(), []);
}

#[tokio::test]
async fn sixty_four_slots_can_be_held_at_once_and_are_all_removed() {
    let repository = TestRepository::new();
    let pool = SlotPool::new(repository.store(), &repository.beside("slots")).unwrap();
    let head = repository.head();
    let leases: Vec<_> = (0..64)
        .map(|_| {
            let (pool, head) = (pool.clone(), head.clone());
            tokio::spawn(async move { pool.acquire(&head, None).await.unwrap() })
        })
        .collect();
    let mut slots = Vec::new();
    for lease in leases {
        slots.push(lease.await.unwrap());
    }
    let folders: std::collections::BTreeSet<_> = slots.iter().map(|slot| slot.path().to_owned()).collect();
    assert_eq!(folders.len(), 64);
    assert!(folders.iter().all(|folder| folder.ends_with("service")));
    drop(slots);
    pool.remove().await.unwrap();
    assert!(!repository.beside("slots").exists());
}

#[tokio::test]
async fn a_slot_that_cannot_be_cleaned_is_set_aside() {
    let repository = TestRepository::new();
    let (pool, slot) = repository.slot().await;
    let old = slot.path().to_owned();
    // The place of the slot is no folder any more.
    fs::remove_dir_all(old.parent().unwrap()).unwrap();
    fs::write(old.parent().unwrap(), "in the way").unwrap();
    drop(slot);
    let next = pool.acquire(&repository.head(), None).await.unwrap();
    assert_ne!(next.path(), old);
    assert!(next.capture().await.unwrap().patch.is_empty());
    let abandoned = pool.abandoned();
    assert_eq!(abandoned.len(), 1, "{abandoned:?}");
    assert!(abandoned[0].path.ends_with("abandoned-0") && abandoned[0].path.exists());
}

#[tokio::test]
async fn git_works_in_a_slot_and_reaches_nobody_else() {
    let repository = TestRepository::new();
    let (pool, slot) = repository.slot().await;
    let sibling = pool.acquire(&repository.head(), None).await.unwrap();
    let at = slot.path();
    write(at, "README.md", "# Other\n");
    assert_eq!(git(at, &["diff", "--stat"]).lines().count(), 2);
    git(at, &["stash", "-q"]);
    git(at, &["stash", "pop", "-q"]);
    git(at, &["commit", "-qam", "mine"]);
    git(at, &["tag", "mark"]);
    git(at, &["branch", "other"]);
    git(at, &["config", "user.name", "Somebody"]);
    // Which checks the checksum of the index, too.
    git(sibling.path(), &["fsck", "--strict"]);
    git(at, &["fsck", "--strict"]);
    for path in [sibling.path(), &repository.path()] {
        assert_eq!(git(path, &["log", "--all", "--format=%s"]), "base");
        assert_eq!(git(path, &["tag"]), "");
        assert_eq!(git(path, &["status", "--porcelain"]), "");
    }
    assert_eq!(git(sibling.path(), &["rev-parse", "--abbrev-ref", "HEAD"]), "HEAD");
    assert_eq!(git(sibling.path(), &["config", "user.name"]), "backend-implementer");
}

#[tokio::test]
async fn shallow_clones_linked_worktrees_and_sha256_work() {
    let repository = TestRepository::new();
    repository.write("second.txt", "2\n");
    repository.commit("second");
    let url = format!("file://{}", repository.path().display());
    let shallow = repository.beside("shallow");
    git(repository.path().parent().unwrap(), &["clone", "-q", "--depth=1", &url, "shallow"]);
    let linked = repository.beside("linked");
    repository.git(&["worktree", "add", "-q", "-b", "side", linked.to_str().unwrap(), "HEAD~1"]);
    let borrowed = repository.beside("borrowed");
    git(
        repository.path().parent().unwrap(),
        &["clone", "-q", "--shared", repository.path().to_str().unwrap(), "borrowed"],
    );
    let newer = TestRepository::empty("sha256");
    newer.write("a/b.txt", "x\n");
    newer.commit("base");
    for (name, path, log, files) in [
        ("shallow", shallow, "second", 4),
        ("linked", linked, "base", 3),
        ("borrowed", borrowed, "second\nbase", 4),
        ("sha256", newer.path(), "base", 1),
    ] {
        let store = RunStore::create(&path.join("."), &repository.beside(&format!("{name}-run"))).unwrap();
        let base = store.resolve("HEAD").unwrap();
        let pool = SlotPool::new(store.clone(), &repository.beside(&format!("{name}-slots"))).unwrap();
        let slot = pool.acquire(&base.commit, None).await.unwrap();
        assert_eq!(git(slot.path(), &["log", "--format=%s"]), log, "{name}");
        assert_eq!(git(slot.path(), &["status", "--porcelain"]), "", "{name}");
        assert_eq!(store.list_files(&base.tree, "").unwrap().len(), files, "{name}");
        write(slot.path(), "new.txt", "n\n");
        let patch = slot.capture().await.unwrap().patch;
        assert_eq!(describe(&patch), ["A new.txt +1 -0"], "{name}");
        let head = crate::workspace::integrate::Head { commit: base.commit, tree: base.tree };
        let done = store.put_on_top(&head, &patch, &crate::workspace::test_support::message("x")).unwrap();
        assert_eq!(done.tree, patch.tree, "{name}");
    }
}

#[test]
fn a_place_without_a_usable_repository_is_refused() {
    let repository = TestRepository::empty("sha1");
    let error = RunStore::create(&repository.path(), &repository.beside("a")).unwrap_err();
    assert!(matches!(error, WorkspaceError::EmptyRepository { .. }), "{error}");
    let plain = tempfile::tempdir().unwrap();
    let error = RunStore::create(plain.path(), &repository.beside("b")).unwrap_err();
    assert!(matches!(error, WorkspaceError::NotARepository { .. }), "{error}");
    let error = RunStore::create(&repository.beside("nowhere"), &repository.beside("c")).unwrap_err();
    assert!(error.to_string().contains("nowhere"), "{error}");
}

#[test]
fn revisions_are_resolved_as_in_the_users_repository() {
    let repository = TestRepository::new();
    let first = repository.head();
    repository.write("x", "x");
    let second = repository.commit("second");
    repository.git(&["tag", "-a", "-m", "t", "v1", "HEAD~1"]);
    repository.git(&["branch", "topic", "HEAD~1"]);
    let inner = repository.path().join("src");
    let store = RunStore::create(&inner, &repository.beside("store")).unwrap();
    for (rev, id) in [("HEAD", &second), ("main", &second), ("v1", &first), ("topic", &first), ("HEAD~1", &first)] {
        assert_eq!(&store.resolve(rev).unwrap().commit, id, "{rev}");
    }
    assert_eq!(&store.resolve(&first.as_str()[..10]).unwrap().commit, &first);
    assert_eq!(store.resolve("HEAD").unwrap().committed_at, 1_700_000_000);
    for strange in ["1".repeat(40), "1".repeat(64)] {
        let error = store.base_of(&ObjectId::new(strange).unwrap()).unwrap_err();
        assert!(matches!(error, WorkspaceError::MissingObject { .. }), "{error}");
    }
    for bad in ["", "-h", "--all", "nope", "HEAD..main", "a\0b", "HEAD\n", "HEAD:src", "..", "@{", &"a".repeat(2000)] {
        let error = store.resolve(bad).unwrap_err();
        assert!(matches!(error, WorkspaceError::UnknownRevision { .. }), "{bad:?}: {error}");
    }
}

#[test]
fn files_are_read_from_trees_with_care() {
    let repository = TestRepository::new();
    repository.write("agents/a.md", "a");
    repository.write("agents/deep/b.md", "b");
    repository.write("huge.md", vec![b'x'; 5 * 1024 * 1024]);
    symlink("/etc/passwd", repository.path().join("agents/link.md")).unwrap();
    repository.commit("agents");
    let store = repository.store();
    let tree = store.resolve("HEAD").unwrap().tree;
    assert_eq!(store.read_file(&tree, "agents/a.md").unwrap().unwrap(), b"a");
    for none in ["agents", "agents/link.md", "nothing", "agents/a.md/x", "", "/agents/a.md", "agents//a.md", ".."] {
        assert_eq!(store.read_file(&tree, none).unwrap(), None, "{none}");
    }
    assert!(matches!(store.read_file(&tree, "huge.md"), Err(WorkspaceError::FileTooLarge { .. })));
    assert_eq!(store.list_files(&tree, "agents/").unwrap(), ["agents/a.md", "agents/deep/b.md"]);
    assert_eq!(store.list_files(&tree, "agents/a.md").unwrap(), [""; 0]);
    assert_eq!(store.list_files(&tree, "none").unwrap(), [""; 0]);
}

#[tokio::test]
async fn a_tree_that_git_would_not_write_is_refused() {
    let repository = TestRepository::new();
    let blob = repository.git(&["rev-parse", "HEAD:README.md"]);
    let inner = repository.git(&["rev-parse", "HEAD:src"]);
    for (name, lines) in [
        (".git", format!("040000 tree {inner}\t.git\n")),
        ("clash", format!("100644 blob {blob}\ta\n100644 blob {blob}\ta.b\n040000 tree {inner}\ta\n")),
        ("twice", format!("100644 blob {blob}\ta\n100644 blob {blob}\ta\n")),
    ] {
        let raw = raw_tree(&lines);
        let file = repository.beside("raw");
        fs::write(&file, raw).unwrap();
        let tree = repository.git(&["hash-object", "-t", "tree", "-w", "--literally", file.to_str().unwrap()]);
        let commit = repository.git(&["commit-tree", "-m", "bad", &tree]);
        let store = RunStore::create(&repository.path(), &repository.beside(&format!("store-{name}"))).unwrap();
        let pool = SlotPool::new(store, &repository.beside(&format!("slots-{name}"))).unwrap();
        let error = pool.acquire(&ObjectId::new(commit).unwrap(), None).await.unwrap_err();
        let refused = matches!(error, WorkspaceError::UnsafeTree { .. } | WorkspaceError::Git { .. });
        assert!(refused, "{name}: {error}");
        assert_eq!(pool.begun(), 0, "{name}");
    }
}

/// Turns lines of `git ls-tree` into a tree object without any check.
fn raw_tree(lines: &str) -> Vec<u8> {
    let mut raw = Vec::new();
    for line in lines.lines() {
        let (entry, name) = line.split_once('\t').unwrap();
        let mut parts = entry.split(' ');
        let mode = parts.next().unwrap().trim_start_matches('0');
        let id = gix::ObjectId::from_hex(parts.nth(1).unwrap().as_bytes()).unwrap();
        raw.extend_from_slice(format!("{mode} {name}\0").as_bytes());
        raw.extend_from_slice(id.as_slice());
    }
    raw
}

#[tokio::test]
async fn a_partial_clone_says_what_to_do() {
    let repository = TestRepository::new();
    repository.git(&["config", "uploadpack.allowFilter", "true"]);
    let url = format!("file://{}", repository.path().display());
    let folder = repository.path();
    let (ok, said) =
        try_git(folder.parent().unwrap(), &["clone", "-q", "--filter=blob:none", "--no-checkout", &url, "partial"]);
    assert!(ok, "{said}");
    let store = RunStore::create(&repository.beside("partial"), &repository.beside("store")).unwrap();
    let base = store.resolve("HEAD").unwrap();
    let pool = SlotPool::new(store, &repository.beside("slots")).unwrap();
    let error = pool.acquire(&base.commit, None).await.unwrap_err();
    assert!(error.to_string().contains("partial clone"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_slot_is_begun_while_others_are_given_back() {
    let repository = TestRepository::new();
    let store = repository.store();
    let base = store.resolve("HEAD").unwrap();
    let pool = SlotPool::new(store, &repository.beside("slots")).unwrap();
    let first: Vec<_> = (0..pool.pool.cores)
        .map(|_| {
            let (pool, commit) = (pool.clone(), base.commit.clone());
            tokio::spawn(async move { pool.acquire(&commit, None).await.unwrap() })
        })
        .collect();
    let mut slots = Vec::new();
    for slot in first {
        slots.push(slot.await.unwrap());
    }
    let begun = pool.begun();
    assert!(pool.pool.turnover.is_patient(), "whoever waits for the first ones does not wait in vain");
    // As if a checkout took long: nobody waits in vain.
    pool.pool.turnover.note_checkouts(1, Duration::MAX);
    let leases: Vec<_> = (0..60)
        .map(|_| {
            let (pool, commit) = (pool.clone(), base.commit.clone());
            // Given back after little work: whoever comes next must not be faster than whoever waits.
            tokio::spawn(async move { pool.acquire(&commit, None).await.unwrap().capture_last().await.unwrap() })
        })
        .collect();
    drop(slots);
    for lease in leases {
        lease.await.unwrap();
    }
    assert_eq!((begun, pool.begun()), (pool.pool.cores, pool.pool.cores));
}

#[tokio::test]
async fn an_object_under_a_false_id_is_never_checked_out() {
    // A file of the first checkout, and one that is written when the slot goes on to the next tree.
    for in_new_slot in [true, false] {
        let repository = TestRepository::new();
        let first = repository.git(&["rev-parse", "HEAD"]);
        repository.write("README.md", "# Another\n");
        repository.git(&["commit", "-qam", "another"]);
        let place = |id: &str| repository.path().join(".git/objects").join(&id[..2]).join(&id[2..]);
        let blob = repository.git(&["rev-parse", "HEAD:README.md"]);
        repository.write("evil", "evil\n");
        let evil = repository.git(&["hash-object", "-w", "evil"]);

        let store = repository.store();
        let base = store.resolve("HEAD").unwrap();
        let pool = SlotPool::new(store.clone(), &repository.beside("slots")).unwrap();
        if !in_new_slot {
            drop(pool.acquire(&ObjectId::new(first.trim()).unwrap(), None).await.unwrap());
        }
        fs::remove_file(place(blob.trim())).unwrap();
        fs::copy(place(evil.trim()), place(blob.trim())).unwrap();
        let refused = pool.acquire(&base.commit, None).await.map(drop).unwrap_err();
        let said = crate::errors::chain(&refused);
        assert!(said.contains("is not what its id says"), "{said}");
    }
}
