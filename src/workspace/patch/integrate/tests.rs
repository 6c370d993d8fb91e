use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::Path,
};

use implementer_model::patch::Change;

use super::*;
use crate::workspace::{
    patch::landing::unaccounted,
    slots::SlotPool,
    test_support::{TestRepository, git, message, write},
};

/// A repository with a pool, in which patches are made by editing folders.
struct Scene {
    repository: TestRepository,
    store: RunStore,
    pool: SlotPool,
    base: Head,
}

impl Scene {
    fn new() -> Self {
        let repository = TestRepository::new();
        repository.write("lib/a.txt", "a\n");
        repository.write("data.bin", b"\0base");
        repository.write("locked.json", "1\n2\n3\n4\n5\n6\n7\n8\n");
        repository.write(".gitattributes", "locked.json -merge\n");
        symlink("README.md", repository.path().join("link")).unwrap();
        repository.commit("base");
        Self::on(repository)
    }

    fn on(repository: TestRepository) -> Self {
        let store = repository.store();
        let pool = SlotPool::new(store.clone(), &repository.beside("slots")).unwrap();
        let base = store.resolve("HEAD").unwrap();
        Self { repository, store, pool, base: Head { commit: base.commit, tree: base.tree } }
    }

    async fn patch(&self, edit: impl FnOnce(&Path)) -> Patch {
        let slot = self.pool.acquire(&self.base.commit, None).await.unwrap();
        edit(slot.path());
        slot.capture().await.unwrap().patch
    }

    fn integrate(&self, head: &Head, patch: &Patch, task: &str) -> Integrated {
        self.store.put_on_top(head, patch, &message(task)).unwrap()
    }

    /// Integrates `ours`, then `theirs`, and gives the conflicts.
    fn conflicts(&self, ours: &Patch, theirs: &Patch) -> Vec<(String, ConflictKind)> {
        let head = head_of(self.integrate(&self.base, ours, "ours"));
        match self.store.put_on_top(&head, theirs, &message("theirs")) {
            Err(IntegrateError::Conflict(conflicts)) => {
                for conflict in &conflicts {
                    assert_eq!(conflict.theirs, side(theirs, &conflict.path, |change| change.new.clone()));
                    assert_eq!(conflict.base, side(theirs, &conflict.path, |change| change.old.clone()));
                }
                conflicts.into_iter().map(|conflict| (conflict.path, conflict.kind)).collect()
            }
            other => panic!("{other:?}"),
        }
    }

    fn show(&self, commit: &ObjectId, path: &str) -> String {
        git(self.store.dir(), &["show", &format!("{commit}:{path}")])
    }
}

fn head_of(integrated: Integrated) -> Head {
    Head { commit: integrated.commit, tree: integrated.tree }
}

fn side(patch: &Patch, path: &str, of: impl Fn(&Change) -> Option<Blob>) -> Option<Blob> {
    patch.changes.iter().find(|change| change.path == path).and_then(of)
}

#[tokio::test]
async fn a_patch_on_its_own_base_gives_its_own_tree_and_a_fixed_commit() {
    let scene = Scene::on(TestRepository::new());
    let patch = scene.patch(|at| write(at, "src/new.py", "n\n")).await;
    let done = scene.integrate(&scene.base, &patch, "feature");
    assert_eq!(done.tree, patch.tree);
    assert_eq!(done.merged, []);
    insta::assert_snapshot!(git(scene.store.dir(), &["cat-file", "commit", done.commit.as_str()]), @r"
    tree 1acded8d16141a7356cbf5857ac4a74e361b4154
    parent 452dfac61a22a75992680d61cbe90d0f52e7f6f0
    author backend-feature-implementer <backend-feature-implementer@subagents.invalid> 1700000000 +0000
    committer backend-implementer <backend-implementer@subagents.invalid> 1700000000 +0000

    Do feature

    Implementer-Task: feature
    Implementer-Subagent: backend-feature-implementer
    Implementer-Attempt: 1
    Implementer-Lock: sha256:0c030586945fe504b604ecc2e875c38ede400cd5cd73da9730302162e6b02c6f
    Implementer-Patch-Base: 452dfac61a22a75992680d61cbe90d0f52e7f6f0
    ");
    // The same, however often and from wherever.
    assert_eq!(scene.integrate(&scene.base, &patch, "feature"), done);
    let other = RunStore::create(&scene.repository.path(), &scene.repository.beside("other")).unwrap();
    let (pool, edit) = (SlotPool::new(other.clone(), &scene.repository.beside("other-slots")).unwrap(), "n\n");
    let slot = pool.acquire(&scene.base.commit, None).await.unwrap();
    write(slot.path(), "src/new.py", edit);
    let again = other.put_on_top(&scene.base, &slot.capture().await.unwrap().patch, &message("feature")).unwrap();
    assert_eq!(again.commit, done.commit);
    // Git agrees about the trailers.
    let trailers = git(
        scene.store.dir(),
        &["log", "-1", "--format=%(trailers:key=Implementer-Task,valueonly)", done.commit.as_str()],
    );
    assert_eq!(trailers, "feature");
    git(scene.store.dir(), &["fsck", "--strict"]);
}

#[tokio::test]
async fn patches_with_different_paths_come_to_the_same_tree_in_any_order() {
    let scene = Scene::new();
    let one = scene.patch(|at| write(at, "src/one.py", "1\n")).await;
    let two = scene
        .patch(|at| {
            write(at, "src/two/deep.py", "2\n");
            fs::remove_file(at.join("data.bin")).unwrap();
        })
        .await;
    let three = scene
        .patch(|at| {
            fs::remove_dir_all(at.join("lib")).unwrap();
            write(at, "lib", "a file now\n");
        })
        .await;
    let chain = |patches: [&Patch; 3]| {
        patches.iter().fold(scene.base.clone(), |head, patch| head_of(scene.integrate(&head, patch, "t")))
    };
    let head = chain([&one, &two, &three]);
    assert_eq!(chain([&three, &one, &two]).tree, head.tree);
    assert_ne!(chain([&three, &one, &two]).commit, head.commit);
    assert_eq!(git(scene.store.dir(), &["rev-list", "--count", head.commit.as_str()]), "5");
    assert_eq!(
        scene.store.list_files(&head.tree, "").unwrap(),
        [
            ".gitattributes",
            "README.md",
            "lib",
            "locked.json",
            "src/app.py",
            "src/one.py",
            "src/run.sh",
            "src/two/deep.py"
        ]
    );
}

#[tokio::test]
async fn changes_to_different_lines_are_merged_and_listed() {
    let scene = Scene::new();
    let ours = scene.patch(|at| write(at, "src/app.py", "ONE\ntwo\nthree\nfour\nfive\n")).await;
    let theirs = scene
        .patch(|at| {
            write(at, "src/app.py", "one\ntwo\nthree\nfour\nFIVE\n");
            fs::set_permissions(at.join("src/app.py"), fs::Permissions::from_mode(0o755)).unwrap();
        })
        .await;
    let head = head_of(scene.integrate(&scene.base, &ours, "ours"));
    let done = scene.integrate(&head, &theirs, "theirs");
    assert_eq!(scene.show(&done.commit, "src/app.py"), "ONE\ntwo\nthree\nfour\nFIVE");
    assert_eq!(done.merged.len(), 1);
    assert_eq!(done.merged[0].result.mode, implementer_model::patch::FileMode::Executable);
    let patches = [&ours, &theirs];
    let missing =
        |merged: &[MergedPath]| unaccounted(&scene.store, &scene.base.tree, &done.tree, &patches, merged).unwrap();
    assert_eq!(missing(&done.merged), [""; 0]);
    assert_eq!(missing(&[]), ["src/app.py"]);
}

#[tokio::test]
async fn the_same_change_twice_is_no_conflict() {
    let scene = Scene::new();
    let edit = |at: &Path| {
        write(at, "src/app.py", "same\n");
        write(at, "new.txt", "same\n");
        fs::remove_file(at.join("data.bin")).unwrap();
    };
    let (ours, theirs) = (scene.patch(edit).await, scene.patch(edit).await);
    let head = head_of(scene.integrate(&scene.base, &ours, "ours"));
    let done = scene.integrate(&head, &theirs, "theirs");
    assert_eq!((&done.tree, done.merged.len()), (&head.tree, 0));
}

#[tokio::test]
async fn each_kind_of_conflict_is_typed() {
    let scene = Scene::new();
    let write_to = |path: &'static str, content: &'static [u8]| move |at: &Path| write(at, path, content);
    let remove = |path: &'static str| move |at: &Path| fs::remove_file(at.join(path)).unwrap();

    let ours = scene.patch(write_to("src/app.py", b"ONE\ntwo\nthree\nfour\nfive\n")).await;
    let theirs = scene.patch(write_to("src/app.py", b"1\ntwo\nthree\nfour\nfive\n")).await;
    assert_eq!(scene.conflicts(&ours, &theirs), [("src/app.py".to_owned(), ConflictKind::Content)]);

    let gone = scene.patch(remove("src/app.py")).await;
    assert_eq!(scene.conflicts(&ours, &gone), [("src/app.py".to_owned(), ConflictKind::DeleteModify)]);
    assert_eq!(scene.conflicts(&gone, &ours), [("src/app.py".to_owned(), ConflictKind::DeleteModify)]);

    let ours = scene.patch(write_to("new.txt", b"x\n")).await;
    let theirs = scene.patch(write_to("new.txt", b"y\n")).await;
    assert_eq!(scene.conflicts(&ours, &theirs), [("new.txt".to_owned(), ConflictKind::BothAdded)]);

    let folder = scene.patch(write_to("new.txt/inner", b"x\n")).await;
    assert_eq!(scene.conflicts(&ours, &folder), [("new.txt/inner".to_owned(), ConflictKind::FileDirectory)]);
    assert_eq!(scene.conflicts(&folder, &ours), [("new.txt".to_owned(), ConflictKind::FileDirectory)]);

    // A folder becomes a file on one side, and gets another file on the other.
    let file = scene
        .patch(|at| {
            fs::remove_dir_all(at.join("lib")).unwrap();
            write(at, "lib", "f\n");
        })
        .await;
    let more = scene.patch(write_to("lib/b.txt", b"b\n")).await;
    assert_eq!(scene.conflicts(&more, &file), [("lib".to_owned(), ConflictKind::FileDirectory)]);
    assert_eq!(scene.conflicts(&file, &more), [("lib/b.txt".to_owned(), ConflictKind::FileDirectory)]);

    let ours = scene.patch(write_to("data.bin", b"\0ours")).await;
    let theirs = scene.patch(write_to("data.bin", b"\0theirs")).await;
    assert_eq!(scene.conflicts(&ours, &theirs), [("data.bin".to_owned(), ConflictKind::Content)]);

    // Lines would merge, but the attribute says that they mean nothing.
    let ours = scene.patch(write_to("locked.json", b"X\n2\n3\n4\n5\n6\n7\n8\n")).await;
    let theirs = scene.patch(write_to("locked.json", b"1\n2\n3\n4\n5\n6\n7\nY\n")).await;
    assert_eq!(scene.conflicts(&ours, &theirs), [("locked.json".to_owned(), ConflictKind::Content)]);

    let link = |target: &'static str| {
        move |at: &Path| {
            let _ = fs::remove_file(at.join("link"));
            symlink(target, at.join("link")).unwrap();
        }
    };
    let (ours, theirs) = (scene.patch(link("a")).await, scene.patch(link("b")).await);
    assert_eq!(scene.conflicts(&ours, &theirs), [("link".to_owned(), ConflictKind::Content)]);
    let file = scene
        .patch(|at| {
            fs::remove_file(at.join("link")).unwrap();
            write(at, "link", "a file\n");
        })
        .await;
    assert_eq!(scene.conflicts(&ours, &file), [("link".to_owned(), ConflictKind::Mode)]);

    let plain = scene.patch(write_to("tool", b"t\n")).await;
    let executable = scene
        .patch(|at| {
            write(at, "tool", "t\n");
            fs::set_permissions(at.join("tool"), fs::Permissions::from_mode(0o755)).unwrap();
        })
        .await;
    assert_eq!(scene.conflicts(&plain, &executable), [("tool".to_owned(), ConflictKind::Mode)]);
}

#[tokio::test]
async fn all_conflicts_are_reported_and_nothing_is_integrated() {
    let scene = Scene::new();
    let edit = |text: &'static str| {
        move |at: &Path| {
            write(at, "src/app.py", text);
            write(at, "README.md", text);
            write(at, &format!("{}.txt", text.trim()), text);
        }
    };
    let (ours, theirs) = (scene.patch(edit("x\n")).await, scene.patch(edit("y\n")).await);
    let paths: Vec<_> = scene.conflicts(&ours, &theirs).into_iter().map(|(path, _)| path).collect();
    assert_eq!(paths, ["README.md", "src/app.py"]);
}

#[tokio::test]
async fn an_empty_patch_is_an_empty_commit() {
    let scene = Scene::new();
    let patch = scene.patch(|_| {}).await;
    let done = scene.integrate(&scene.base, &patch, "nothing");
    assert_eq!(done.tree, scene.base.tree);
    assert_ne!(done.commit, scene.base.commit);
}

#[tokio::test]
async fn a_patch_commit_holds_the_patch_as_it_was_made() {
    let scene = Scene::new();
    let other = scene.patch(|at| write(at, "other.txt", "o\n")).await;
    let patch = scene.patch(|at| write(at, "new.txt", "n\n")).await;
    let head = head_of(scene.integrate(&scene.base, &other, "other"));
    scene.integrate(&head, &patch, "feature");
    let commit = scene.store.patch_commit(&patch, &message("feature")).unwrap();
    assert_eq!(commit, scene.store.patch_commit(&patch, &message("feature")).unwrap());
    let shown = git(scene.store.dir(), &["show", "--format=%T %P %ct %an <%ae>", "--name-status", commit.as_str()]);
    assert_eq!(
        shown,
        format!(
            "{} {} 1700000000 backend-feature-implementer <backend-feature-implementer@subagents.invalid>\n\nA\tnew.txt",
            patch.tree, scene.base.commit
        )
    );
}

#[tokio::test]
async fn a_patch_that_lies_about_itself_is_refused() {
    let scene = Scene::new();
    let honest = scene.patch(|at| write(at, "src/new.py", "n\n")).await;
    let hidden = scene
        .patch(|at| {
            write(at, "src/new.py", "n\n");
            write(at, ".github/workflows/evil.yml", "on: push\n");
        })
        .await;
    let mut unlisted = hidden.clone();
    unlisted.changes.clone_from(&honest.changes);
    let mut relabelled = honest.clone();
    relabelled.changes[0].path = "docs/new.py".to_owned();
    let mut rebased = honest.clone();
    rebased.base_tree.clone_from(&hidden.tree);
    for lie in [unlisted, relabelled, rebased] {
        let error = scene.store.put_on_top(&scene.base, &lie, &message("lie")).unwrap_err();
        assert!(matches!(error, IntegrateError::Workspace(WorkspaceError::PatchMismatch { .. })), "{error}");
        assert!(scene.store.patch_commit(&lie, &message("lie")).is_err());
    }
}

#[tokio::test]
async fn content_that_came_from_nowhere_is_unaccounted_for() {
    let scene = Scene::new();
    let one = scene.patch(|at| write(at, "src/app.py", "first\n")).await;
    let two = scene
        .patch(|at| {
            write(at, "new.txt", "n\n");
            fs::remove_file(at.join("data.bin")).unwrap();
        })
        .await;
    let head = head_of(scene.integrate(&scene.base, &one, "one"));
    let head = head_of(scene.integrate(&head, &two, "two"));
    let check =
        |tree: &ObjectId, patches: &[&Patch]| unaccounted(&scene.store, &scene.base.tree, tree, patches, &[]).unwrap();
    assert_eq!(check(&head.tree, &[&one, &two]), [""; 0]);
    // A patch that is not there, a patch that did not arrive, content that nobody wrote.
    assert_eq!(check(&head.tree, &[&one]), ["data.bin", "new.txt"]);
    assert_eq!(check(&one.tree, &[&one, &two]), ["data.bin", "new.txt"]);
    let forged = scene.patch(|at| write(at, "README.md", "forged\n")).await;
    let forged = head_of(scene.integrate(&head, &forged, "forged"));
    assert_eq!(check(&forged.tree, &[&one, &two]), ["README.md"]);
}
