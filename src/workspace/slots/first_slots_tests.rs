//! Slots that are begun together: each is what one alone would be, shares nothing with the other, and nobody gets anything
//! into one before it is leased.

use std::{
    collections::BTreeSet,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink},
    path::PathBuf,
};

use super::{leasing::begin, pool::Held, *};
use crate::workspace::test_support::{TestRepository, contents, git, write};

/// A repository with everything that a checkout treats in a way of its own, and files enough for several threads.
fn repository() -> TestRepository {
    let repository = TestRepository::new();
    for number in 0..700 {
        repository.write(&format!("many/part{}/{number}.py", number / 30), format!("{number}\n"));
    }
    repository.write(".gitattributes", "*.txt text eol=crlf\n");
    repository.write("deep/.gitattributes", "*.txt -text\n");
    repository.write("deep/er/raw.txt", "a\nb\n");
    repository.write("lines.txt", "a\nb\n");
    repository.write("a-b/x", "1");
    repository.write("a/x", "2");
    repository.write("a.b/x", "");
    repository.write(".gitignore", "*.log\n");
    symlink("many", repository.path().join("link")).unwrap();
    let head = repository.head();
    repository.git(&["add", "-A"]);
    repository.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{head},module")]);
    repository.git(&["commit", "-qm", "everything"]);
    repository
}

/// Begins two slots together in a pool of their own, and gives the one that is ours.
fn two(pool: &SlotPool, commit: &ObjectId) -> Held {
    let pool = &pool.pool;
    let held = begin(pool, git_id(&pool.store.base_of(commit).unwrap().tree).unwrap(), 2, 2).unwrap();
    assert_eq!((pool.begun.load(Ordering::Relaxed), lock(&pool.free).len()), (2, 1));
    held
}

fn files(folder: &Path) -> Vec<(PathBuf, fs::Metadata)> {
    let (mut found, mut pending) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(place) = pending.pop() {
        let meta = fs::symlink_metadata(&place).unwrap();
        if meta.is_dir() {
            pending.extend(fs::read_dir(&place).unwrap().map(|entry| entry.unwrap().path()));
        } else {
            found.push((place, meta));
        }
    }
    found
}

#[tokio::test]
async fn slots_that_are_begun_together_are_what_git_checks_out_and_share_nothing() {
    let repository = repository();
    let pool = SlotPool::new(repository.store(), &repository.beside("slots")).unwrap();
    let head = repository.head();
    let ours = two(&pool, &head).folder;
    let theirs = lock(&pool.pool.free)[0].folder.clone();
    let expected = repository.beside("expected");
    git(repository.path().parent().unwrap(), &["clone", "-q", "--no-local", "service", "expected"]);
    assert_eq!(contents(&ours), contents(&expected));
    assert_eq!(contents(&theirs), contents(&expected));
    assert_eq!(fs::read(ours.join("lines.txt")).unwrap(), b"a\r\nb\r\n");
    assert_eq!(fs::read(ours.join("deep/er/raw.txt")).unwrap(), b"a\nb\n");

    // Two names for one file would let one subagent edit another's in place.
    let mut inodes = BTreeSet::new();
    for (place, meta) in files(&ours).into_iter().chain(files(&theirs)) {
        assert_eq!(meta.nlink(), 1, "{}", place.display());
        assert!(inodes.insert(meta.ino()), "{}", place.display());
    }
    let slot = pool.acquire(&head, None).await.unwrap();
    assert_eq!((slot.path(), pool.begun()), (theirs.as_path(), 2));
    assert_eq!(git(slot.path(), &["status", "--porcelain", "--ignored"]), "");
    assert!(slot.capture().await.unwrap().patch.is_empty());
    // What is changed there is changed there alone.
    write(slot.path(), "README.md", "mine\n");
    assert_eq!(fs::read_to_string(ours.join("README.md")).unwrap(), "# Service\n");
}

#[tokio::test]
async fn nothing_gets_into_a_slot_that_waits_for_its_first_lease() {
    let repository = repository();
    let store = repository.store();
    let head = repository.head();
    for (number, attempt) in [
        |at: &Path| write(at, "new", "secret"),
        |at: &Path| write(at, "many/part1/hidden.log", "secret"),
        |at: &Path| write(at, "module/x", "secret"),
        |at: &Path| write(at, ".git/hooks/post-checkout", "secret"),
        |at: &Path| fs::remove_file(at.join("README.md")).unwrap(),
        |at: &Path| {
            fs::write(at.join("other"), "# Servant\n").unwrap();
            fs::rename(at.join("other"), at.join("README.md")).unwrap();
        },
        |at: &Path| {
            fs::remove_dir_all(at.join("many/part2")).unwrap();
            symlink("/etc", at.join("many/part2")).unwrap();
        },
        |at: &Path| fs::set_permissions(at.join("many"), fs::Permissions::from_mode(0o777)).unwrap(),
        |at: &Path| fs::remove_dir_all(at).unwrap(),
    ]
    .into_iter()
    .enumerate()
    {
        let pool = SlotPool::new(store.clone(), &repository.beside(&format!("slots-{number}"))).unwrap();
        let ours = two(&pool, &head);
        let waiting = lock(&pool.pool.free)[0].folder.clone();
        attempt(&waiting);
        let slot = pool.acquire(&head, None).await.unwrap();
        assert_eq!(slot.path(), waiting, "{number}");
        assert_eq!(contents(slot.path()), contents(&ours.folder), "{number}");
        assert_eq!(git(slot.path(), &["status", "--porcelain", "--ignored"]), "", "{number}");
        assert!(slot.capture().await.unwrap().patch.is_empty(), "{number}");
        let mode = |folder: &Path| fs::symlink_metadata(folder.join("many")).unwrap().permissions().mode();
        assert_eq!(mode(slot.path()), mode(&ours.folder), "{number}");
    }
}

#[tokio::test]
async fn a_second_slot_that_is_asked_for_at_once_costs_no_second_checkout() {
    let repository = repository();
    let pool = SlotPool::new(repository.store(), &repository.beside("slots")).unwrap();
    let head = repository.head();
    let (a, b) = tokio::join!(pool.acquire(&head, None), pool.acquire(&head, None));
    let (a, b) = (a.unwrap(), b.unwrap());
    assert_ne!(a.path(), b.path());
    assert_eq!(pool.begun(), 2);
    for slot in [a, b] {
        assert_eq!(git(slot.path(), &["status", "--porcelain", "--ignored"]), "");
    }
}

#[tokio::test]
async fn two_pools_begin_their_first_slots_together_and_each_gets_its_own() {
    let repository = repository();
    let (store, head) = (repository.store(), repository.head());
    let [attempts, gates] =
        ["attempts", "gates"].map(|name| SlotPool::new(store.clone(), &repository.beside(name)).unwrap());
    attempts.begin_beside(1, &gates, &head).await.unwrap();
    let slots = [attempts.acquire(&head, None).await.unwrap(), gates.acquire(&head, None).await.unwrap()];
    assert_eq!((attempts.begun(), gates.begun()), (1, 1));
    for (slot, name) in slots.iter().zip(["attempts", "gates"]) {
        assert!(slot.path().starts_with(repository.beside(name).canonicalize().unwrap()));
        assert_eq!(git(slot.path(), &["status", "--porcelain", "--ignored"]), "");
        assert!(slot.capture().await.unwrap().patch.is_empty());
    }
    assert_eq!(contents(slots[0].path()), contents(slots[1].path()));
    // As many as are wanted, but one for each core at most.
    let [many, gates] = ["many", "further"].map(|name| SlotPool::new(store.clone(), &repository.beside(name)).unwrap());
    many.begin_beside(1000, &gates, &head).await.unwrap();
    assert_eq!((many.begun(), gates.begun()), (many.pool.cores, 1));
}
