use std::{fs, path::PathBuf};

use super::*;
use crate::workspace::{
    patch::integrate::{Head, Integrated},
    test_support::{TestRepository, git, message, write},
};

const IMPLEMENTATION: &str = "refs/heads/implementation";
const PATCH: &str = "refs/implementer/patches/feature/1";

/// Makes an implementation of one patch, and bundles it.
async fn bundled(repository: &TestRepository) -> (Integrated, PathBuf, Digest) {
    let (_pool, slot) = repository.slot().await;
    write(slot.path(), "src/new.py", "n\n".repeat(500));
    let patch = slot.capture().await.unwrap().patch;
    let store = RunStore::open(&repository.beside("run/store.git")).unwrap();
    let head = Head { commit: patch.base.clone(), tree: patch.base_tree.clone() };
    let done = store.put_on_top(&head, &patch, &message("feature")).unwrap();
    let patch_commit = store.patch_commit(&patch, &message("feature")).unwrap();
    let file = repository.beside("out.bundle");
    let refs = [(IMPLEMENTATION.to_owned(), done.commit.clone()), (PATCH.to_owned(), patch_commit)];
    let written = write_twice(&store, &refs, &patch.base, &file);
    (done, file, written)
}

/// Writes a bundle, and again to see that it comes out alike.
fn write_twice(store: &RunStore, refs: &[(String, ObjectId)], base: &ObjectId, to: &Path) -> Digest {
    let first = super::write(store, refs, base, to).unwrap();
    assert_eq!(super::write(store, refs, base, to).unwrap(), first);
    first
}

#[tokio::test]
async fn a_plain_git_fetch_takes_the_implementation_from_a_bundle() {
    for format in ["sha1", "sha256"] {
        let repository = TestRepository::empty(format);
        repository.write("README.md", "x\n");
        repository.commit("base");
        let (done, file, digest) = bundled(&repository).await;
        assert_eq!(digest, Digest::from_content(fs::read(&file).unwrap()));
        git(&repository.path(), &["bundle", "verify", "-q", file.to_str().unwrap()]);
        git(&repository.path(), &["fetch", "-q", file.to_str().unwrap(), "implementation:got"]);
        assert_eq!(repository.git(&["rev-parse", "got", "got^{tree}"]), format!("{}\n{}", done.commit, done.tree));
    }
}

#[tokio::test]
async fn a_bundle_is_opened_for_a_clone_that_has_the_base() {
    let repository = TestRepository::new();
    let (done, file, _) = bundled(&repository).await;
    let outer = repository.path();
    git(outer.parent().unwrap(), &["clone", "-q", "service", "clone"]);
    let clone = repository.beside("clone");
    let before = crate::workspace::test_support::snapshot(&clone);
    let store = open(&file, &clone, &repository.beside("verify")).unwrap();
    assert_eq!(store.find_ref(IMPLEMENTATION).unwrap().unwrap(), done.commit);
    assert!(store.find_ref(PATCH).unwrap().is_some());
    assert_eq!(store.find_ref("refs/heads/nothing").unwrap(), None);
    assert_eq!(store.base_of(&done.commit).unwrap().tree, done.tree);
    assert_eq!(store.read_file(&done.tree, "README.md").unwrap().unwrap(), b"# Service\n");
    assert_eq!(crate::workspace::test_support::snapshot(&clone), before);
}

#[tokio::test]
async fn a_bundle_whose_base_is_missing_says_so() {
    let repository = TestRepository::new();
    let (_, file, _) = bundled(&repository).await;
    let stranger = TestRepository::empty("sha1");
    stranger.write("x", "x");
    stranger.commit("another");
    let error = open(&file, &stranger.path(), &repository.beside("verify")).unwrap_err();
    assert!(
        matches!(&error, WorkspaceError::Bundle(BundleError::MissingBase { commit, .. }) if *commit == repository.head().as_str()),
        "{error}"
    );
    let newer = TestRepository::empty("sha256");
    newer.write("x", "x");
    newer.commit("another");
    let error = open(&file, &newer.path(), &repository.beside("verify-256")).unwrap_err();
    assert!(matches!(error, WorkspaceError::Bundle(BundleError::MissingBase { .. })), "{error}");
}

#[tokio::test]
async fn every_changed_byte_and_every_cut_is_noticed() {
    let repository = TestRepository::new();
    let (done, file, _) = bundled(&repository).await;
    let good = fs::read(&file).unwrap();
    let pack = good.windows(5).position(|window| window == b"\nPACK").unwrap() + 1;
    let bad = repository.beside("bad.bundle");
    let spots = [4, pack - 60, pack + 6, pack + 30, good.len() / 2 + pack / 2, good.len() - 5];
    for (number, at) in spots.into_iter().enumerate() {
        let mut content = good.clone();
        content[at] ^= 1;
        fs::write(&bad, content).unwrap();
        let into = repository.beside(&format!("changed-{number}"));
        match open(&bad, &repository.path(), &into) {
            Err(WorkspaceError::Bundle(_)) => {}
            // A ref by another name is not the one that was promised.
            Ok(store) => assert_ne!(store.find_ref(IMPLEMENTATION).unwrap(), Some(done.commit.clone()), "{at}"),
            Err(error) => panic!("{at}: {error}"),
        }
    }
    for (number, length) in [0, 10, pack - 20, pack, pack + 20, good.len() - 1].into_iter().enumerate() {
        fs::write(&bad, &good[..length]).unwrap();
        let error = open(&bad, &repository.path(), &repository.beside(&format!("cut-{number}"))).unwrap_err();
        assert!(matches!(error, WorkspaceError::Bundle(_)), "{length}: {error}");
    }
}

#[tokio::test]
async fn results_are_taken_in_object_by_object_and_large_ones_as_a_pack() {
    for files in [1, 150] {
        let repository = TestRepository::new();
        let (_pool, slot) = repository.slot().await;
        (0..files).for_each(|number| write(slot.path(), &format!("src/new-{number}.py"), format!("{number}\n")));
        let patch = slot.capture().await.unwrap().patch;
        let from = RunStore::open(&repository.beside("run/store.git")).unwrap();
        let commit = from.patch_commit(&patch, &message("feature")).unwrap();
        let file = repository.beside("out.bundle");
        super::write(&from, &[(PATCH.to_owned(), commit.clone())], &patch.base, &file).unwrap();
        assert_eq!(from.find_ref(BUNDLE_MARK).unwrap(), None);

        let store = RunStore::create(&repository.path(), &repository.beside("taken")).unwrap();
        let packs = || fs::read_dir(store.dir().join("objects/pack")).map_or(0, Iterator::count);
        assert_eq!(take_one(&store, &file, PATCH, 1 << 20).unwrap(), commit);
        assert_eq!(packs() > 0, files > 100);
        assert!(store.lists(&patch) && store.holds(&patch));
        assert_eq!(store.find_ref(PATCH).unwrap(), None, "no ref is set");

        let other = take_one(&store, &file, IMPLEMENTATION, 1 << 20).unwrap_err();
        assert!(matches!(other, WorkspaceError::Bundle(BundleError::NotThere { .. })), "{other}");
        assert!(matches!(take_one(&store, &file, PATCH, 9).unwrap_err(), WorkspaceError::Untrusted(_)));
        let good = fs::read(&file).unwrap();
        let pack = good.windows(5).position(|window| window == b"\nPACK").unwrap() + 1;
        let fresh = RunStore::create(&repository.path(), &repository.beside("fresh")).unwrap();
        let mut changed = good.clone();
        changed[good.len() - 30] ^= 1;
        for bad in [&good[..pack], &good[..pack + 20], &good[..good.len() - 1], &changed] {
            fs::write(&file, bad).unwrap();
            let error = take_one(&fresh, &file, PATCH, 1 << 20).unwrap_err();
            assert!(matches!(error, WorkspaceError::Bundle(_)), "{error}");
        }
    }
}

#[tokio::test]
async fn what_cannot_be_bundled_is_refused() {
    let repository = TestRepository::new();
    let store = repository.store();
    let base = repository.head();
    let to = repository.beside("out.bundle");
    let write = |name: &str, id: &ObjectId| super::write(&store, &[(name.to_owned(), id.clone())], &base, &to);
    assert!(matches!(
        write(IMPLEMENTATION, &base).unwrap_err(),
        WorkspaceError::Bundle(BundleError::NothingNew { .. })
    ));
    for name in ["implementation", "refs/heads/a..b", "refs/heads/a b", "--all", "refs/heads/x\ny", "refs/heads/x.lock"]
    {
        let error = write(name, &ObjectId::new("1".repeat(40)).unwrap()).unwrap_err();
        assert!(matches!(error, WorkspaceError::Bundle(BundleError::InvalidRef { .. })), "{name}: {error}");
    }
    assert!(!to.exists());
}

#[test]
fn headers_of_bundles_are_read() {
    let header = Header::parse(b"# v3 git bundle\n@object-format=sha1\n-11 base\n22 refs/heads/x\n\nPACK").unwrap();
    assert_eq!(header.prerequisites, ["11"]);
    assert_eq!(header.refs, [("refs/heads/x".to_owned(), "22".to_owned())]);
    for bad in [b"".as_slice(), b"PACK", b"# v2 git bundle\n", b"# v2 git bundle\n11", b"# v2 git bundle\n11\n\n"] {
        assert!(Header::parse(bad).is_err(), "{bad:?}");
    }
}
