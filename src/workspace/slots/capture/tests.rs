use std::os::unix::fs::symlink;

use implementer_model::patch::FileMode;

use super::*;
use crate::workspace::test_support::{TestRepository, describe, git, left_out, try_git, write};

#[tokio::test]
async fn an_untouched_folder_is_an_empty_patch() {
    let repository = TestRepository::new();
    let (_pool, slot) = repository.slot().await;
    let captured = slot.capture().await.unwrap();
    assert!(captured.patch.is_empty(), "{captured:?}");
    assert_eq!(captured.patch.tree, captured.patch.base_tree);
    assert_eq!((&captured.patch.base, &captured.patch.base_tree), (&slot.base().commit, &slot.base().tree));
    assert_eq!(captured.left_out, []);
}

#[tokio::test]
async fn every_kind_of_change_is_captured() {
    let repository = TestRepository::new();
    repository.write("gone.txt", "bye\n");
    repository.write("moved.txt", "a\nb\nc\nd\ne\nf\n");
    repository.write("same.txt", "exactly\nthe same\n");
    repository.write("becomes-folder", "file\n");
    repository.write("becomes-file/x", "1\n");
    repository.commit("more");
    let (_pool, slot) = repository.slot().await;
    let at = slot.path();
    fs::remove_file(at.join("gone.txt")).unwrap();
    fs::remove_file(at.join("moved.txt")).unwrap();
    write(at, "lib/moved.txt", "a\nb\nc\nd\ne\nF\n");
    fs::rename(at.join("same.txt"), at.join("other.txt")).unwrap();
    write(at, "src/app.py", "one\n2\nthree\nfour\nfive\nsix\n");
    write(at, "new/deep/file.txt", "hello\n");
    write(at, "image.png", b"\x89PNG\0\0");
    symlink("src/app.py", at.join("link")).unwrap();
    fs::set_permissions(at.join("src/run.sh"), fs::Permissions::from_mode(0o644)).unwrap();
    fs::remove_file(at.join("becomes-folder")).unwrap();
    write(at, "becomes-folder/inner", "x\n");
    fs::remove_dir_all(at.join("becomes-file")).unwrap();
    write(at, "becomes-file", "now a file\n");
    fs::create_dir(at.join("empty")).unwrap();
    let captured = slot.capture().await.unwrap();
    insta::assert_snapshot!(describe(&captured.patch).join("\n"), @r"
    A becomes-file +1 -0
    D becomes-file/x +0 -1
    D becomes-folder +0 -1
    A becomes-folder/inner +1 -0
    D gone.txt +0 -1
    A image.png +- --
    A lib/moved.txt +1 -1 from moved.txt
    A link +1 -0 -> src/app.py
    D moved.txt +0 -0
    A new/deep/file.txt +1 -0
    A other.txt +0 -0 from same.txt
    D same.txt +0 -0
    M src/app.py +2 -1
    T src/run.sh +0 -0
    ");
    assert_eq!(captured.left_out, []);
    let mode = captured.patch.changes.iter().find(|change| change.path == "src/run.sh").unwrap();
    assert_eq!(mode.new.as_ref().unwrap().mode, FileMode::Plain);
    // The tree is the one that git itself would write.
    git(at, &["add", "-A"]);
    assert_eq!(git(at, &["write-tree"]), captured.patch.tree.as_str());
}

#[tokio::test]
async fn the_folder_counts_whatever_was_committed_staged_or_stashed() {
    let repository = TestRepository::new();
    let (_pool, slot) = repository.slot().await;
    let at = slot.path();
    assert_eq!(git(at, &["status", "--porcelain"]), "");
    assert_eq!(git(at, &["branch", "--show-current"]), "backend-implementer/feature");
    write(at, "committed.txt", "c\n");
    git(at, &["add", "committed.txt"]);
    git(at, &["commit", "-qm", "mine"]);
    assert_eq!(git(at, &["log", "--format=%s"]), "mine\nbase");
    write(at, "staged.txt", "s\n");
    git(at, &["add", "staged.txt"]);
    write(at, "README.md", "changed\n");
    git(at, &["stash", "-q", "--", "README.md"]);
    write(at, "lying.txt", "l\n");
    git(at, &["rm", "-q", "--cached", "src/app.py"]);
    let captured = slot.capture().await.unwrap();
    assert_eq!(describe(&captured.patch), ["A committed.txt +1 -0", "A lying.txt +1 -0", "A staged.txt +1 -0"]);
}

#[tokio::test]
async fn ignored_files_stay_out_unless_they_were_added_by_force() {
    let repository = TestRepository::new();
    repository.write(".gitignore", "*.log\n!keep.log\nbuild/\n/only-root\n");
    repository.write("tracked.log", "old\n");
    repository.git(&["add", "-f", "tracked.log"]);
    repository.commit("ignore");
    let (_pool, slot) = repository.slot().await;
    let at = slot.path();
    write(at, "a.log", "ignored");
    write(at, "keep.log", "kept\n");
    write(at, "build/out.bin", "ignored");
    write(at, "build/forced.bin", "wanted\n");
    write(at, "sub/only-root", "kept\n");
    write(at, "sub/.gitignore", "secret\n");
    write(at, "sub/secret", "ignored");
    write(at, "tracked.log", "new\n");
    write(at, ".git/info/exclude", "sub\n");
    git(at, &["add", "-f", "build/forced.bin"]);
    let captured = slot.capture().await.unwrap();
    assert_eq!(
        describe(&captured.patch),
        [
            "A build/forced.bin +1 -0",
            "A keep.log +1 -0",
            "A sub/.gitignore +1 -0",
            "A sub/only-root +1 -0",
            "M tracked.log +1 -1"
        ]
    );
    assert_eq!(captured.left_out, []);
}

#[tokio::test]
async fn tricks_with_the_subagents_own_git_folder_hide_nothing() {
    let repository = TestRepository::new();
    let outside = repository.beside("outside");
    fs::create_dir(&outside).unwrap();
    let marker = repository.beside("marker");
    let (pool, slot) = repository.slot().await;
    let at = slot.path();
    git(at, &["update-index", "--assume-unchanged", "README.md"]);
    git(at, &["update-index", "--skip-worktree", "src/app.py"]);
    git(at, &["config", "core.worktree", outside.to_str().unwrap()]);
    git(at, &["config", "core.excludesFile", "everything"]);
    let touch = format!("touch {}", marker.display());
    for key in ["filter.evil.clean", "filter.evil.smudge", "core.fsmonitor", "diff.evil.textconv", "core.sshCommand"] {
        git(at, &["--work-tree=.", "config", key, &touch]);
    }
    write(at, ".git/hooks/post-checkout", format!("#!/bin/sh\n{touch}\n"));
    fs::set_permissions(at.join(".git/hooks/post-checkout"), fs::Permissions::from_mode(0o755)).unwrap();
    write(at, ".gitattributes", "* filter=evil diff=evil\n");
    write(at, "README.md", "# Servant\n");
    write(at, "src/app.py", "else\n");
    let captured = slot.capture().await.unwrap();
    assert_eq!(describe(&captured.patch), ["A .gitattributes +1 -0", "M README.md +1 -1", "M src/app.py +1 -5"]);
    drop(slot);
    let next = pool.acquire(&repository.head(), None).await.unwrap();
    assert_eq!(git(next.path(), &["status", "--porcelain", "--ignored"]), "");
    assert!(git(next.path(), &["config", "--local", "--list"]).lines().all(|line| !line.contains("evil")));
    assert!(!marker.exists());
}

#[tokio::test]
async fn a_change_is_seen_although_size_and_time_were_put_back() {
    let repository = TestRepository::new();
    let (_pool, slot) = repository.slot().await;
    let place = slot.path().join("README.md");
    let before = fs::metadata(&place).unwrap();
    fs::write(&place, "# Servant\n").unwrap();
    let file = fs::File::options().write(true).open(&place).unwrap();
    file.set_times(fs::FileTimes::new().set_modified(before.modified().unwrap())).unwrap();
    assert_eq!(fs::metadata(&place).unwrap().modified().unwrap(), before.modified().unwrap());
    assert_eq!(fs::metadata(&place).unwrap().len(), before.len());
    assert_eq!(describe(&slot.capture().await.unwrap().patch), ["M README.md +1 -1"]);
}

#[tokio::test]
async fn a_missing_or_broken_git_folder_does_not_matter() {
    let repository = TestRepository::new();
    for breakage in ["gone", "file", "index", "pipe", "link"] {
        let pool = SlotPoolFor::new(&repository, breakage);
        let slot = pool.0.acquire(&repository.head(), None).await.unwrap();
        let git_dir = slot.path().join(".git");
        match breakage {
            "gone" => fs::remove_dir_all(&git_dir).unwrap(),
            "file" => {
                fs::remove_dir_all(&git_dir).unwrap();
                fs::write(&git_dir, "gitdir: /nowhere\n").unwrap();
            }
            "index" => fs::write(git_dir.join("index"), b"DIRC\0\0\0\x02\xff\xff\xff\xff").unwrap(),
            "pipe" => {
                fs::remove_file(git_dir.join("index")).unwrap();
                pipe(&git_dir.join("index"));
            }
            _ => {
                fs::remove_dir_all(&git_dir).unwrap();
                symlink(repository.path().join(".git"), &git_dir).unwrap();
            }
        }
        write(slot.path(), "new.txt", "n\n");
        let captured = slot.capture().await.unwrap();
        assert_eq!(describe(&captured.patch), ["A new.txt +1 -0"], "{breakage}");
        assert_eq!(captured.left_out.is_empty(), !matches!(breakage, "index" | "pipe"), "{breakage}: {captured:?}");
        drop(slot);
        let next = pool.0.acquire(&repository.head(), None).await.unwrap();
        assert_eq!(git(next.path(), &["status", "--porcelain"]), "", "{breakage}");
    }
    assert_eq!(repository.git(&["status", "--porcelain"]), "");
}

struct SlotPoolFor(crate::workspace::slots::SlotPool);

impl SlotPoolFor {
    fn new(repository: &TestRepository, name: &str) -> Self {
        let store = RunStore::create(&repository.path(), &repository.beside(&format!("store-{name}"))).unwrap();
        Self(crate::workspace::slots::SlotPool::new(store, &repository.beside(&format!("slots-{name}"))).unwrap())
    }
}

fn pipe(place: &Path) {
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    rustix::fs::mknodat(rustix::fs::CWD, place, rustix::fs::FileType::Fifo, mode, 0).unwrap();
}

#[tokio::test]
async fn a_deleted_work_tree_is_its_own_error() {
    let repository = TestRepository::new();
    let (pool, slot) = repository.slot().await;
    fs::remove_dir_all(slot.path()).unwrap();
    assert!(matches!(slot.capture().await, Err(WorkspaceError::WorktreeGone { .. })));
    drop(slot);
    let next = pool.acquire(&repository.head(), None).await.unwrap();
    assert!(next.capture().await.unwrap().patch.is_empty());
    for entry in fs::read_dir(next.path()).unwrap() {
        crate::untrusted::remove(&entry.unwrap().path()).unwrap();
    }
    let emptied = next.capture().await.unwrap();
    assert_eq!(describe(&emptied.patch), ["D README.md +0 -1", "D src/app.py +0 -5", "D src/run.sh +0 -1"]);
}

#[tokio::test]
async fn what_cannot_be_in_a_patch_is_reported() {
    let repository = TestRepository::new();
    let (_pool, slot) = repository.slot().await;
    let at = slot.path();
    fs::create_dir(at.join("nested")).unwrap();
    git(&at.join("nested"), &["init", "-q"]);
    write(at, "nested/file", "x");
    pipe(&at.join("pipe"));
    pipe(&at.join("src/.gitignore"));
    pipe(&at.join("src/.gitattributes"));
    write(at, ".GIT/config", "x");
    fs::write(at.join(std::ffi::OsStr::from_bytes(b"bad-\xff")), "x").unwrap();
    symlink("/etc/passwd", at.join(".gitmodules")).unwrap();
    let big = fs::File::create(at.join("big")).unwrap();
    big.set_len(FILE_LIMIT + 1).unwrap();
    write(at, "good.txt", "g\n");
    let captured = slot.capture().await.unwrap();
    assert_eq!(describe(&captured.patch), ["A good.txt +1 -0"]);
    insta::assert_snapshot!(left_out(&captured).join("\n"), @r"
    .GIT has a name that git refuses
    .gitmodules has a name that git refuses
    bad-� has a name that is not UTF-8
    big has 104857601 bytes, more than the 104857600 that GitHub takes
    nested is a git repository of its own
    pipe is a socket, a pipe or a device
    src/.gitattributes is a socket, a pipe or a device
    src/.gitignore is a socket, a pipe or a device
    ");
}

#[tokio::test]
async fn paths_that_are_not_utf8_stay_as_they_are() {
    let repository = TestRepository::new();
    for name in [b"a-\xff".as_slice(), b"b-\xfe", b"c-\xfd"] {
        fs::write(repository.path().join(std::ffi::OsStr::from_bytes(name)), "old\n").unwrap();
    }
    repository.commit("odd names");
    let (_pool, slot) = repository.slot().await;
    assert!(slot.capture().await.unwrap().patch.is_empty());
    fs::write(slot.path().join(std::ffi::OsStr::from_bytes(b"a-\xff")), "new\n").unwrap();
    fs::remove_file(slot.path().join(std::ffi::OsStr::from_bytes(b"b-\xfe"))).unwrap();
    let captured = slot.capture().await.unwrap();
    assert!(captured.patch.is_empty());
    let lines = left_out(&captured);
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines.iter().all(|line| line.ends_with("has a name that is not UTF-8")), "{lines:?}");
}

#[tokio::test]
async fn checkout_and_capture_are_inverse_under_every_attribute() {
    let repository = TestRepository::new();
    repository.write("plain.txt", "a\nb\n");
    repository.write("dos.txt", "a\r\nb\r\n");
    repository.write("mixed.txt", "a\r\nb\n");
    repository.write("id.txt", "$Id$\n$Id: literal$\n");
    repository.write("pointer.bin", "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n");
    repository.write("wide.txt", "gr\u{fc}n\n");
    repository.write("bin.dat", b"\0\r\n\xff");
    repository.commit("contents, stored as they are");
    repository.write(
        ".gitattributes",
        "* text=auto\nplain.txt text eol=crlf\ndos.txt text\nmixed.txt text eol=crlf\nid.txt ident\n\
         pointer.bin filter=lfs diff=lfs merge=lfs -text\nwide.txt working-tree-encoding=ISO-8859-1\n\
         bin.dat export-ignore binary\n*.sh eol=lf\n",
    );
    repository.write("sub/.gitattributes", "*.txt eol=crlf\n");
    repository.write("sub/x.txt", "1\n2\n");
    repository.git(&["add", ".gitattributes", "sub"]);
    repository.git(&["commit", "-qm", "attributes"]);
    let (pool, slot) = repository.slot().await;
    let at = slot.path();
    assert_eq!(fs::read(at.join("plain.txt")).unwrap(), b"a\r\nb\r\n");
    assert_eq!(fs::read(at.join("sub/x.txt")).unwrap(), b"1\r\n2\r\n");
    assert_eq!(fs::read(at.join("wide.txt")).unwrap(), b"gr\xfcn\n");
    assert!(slot.capture().await.unwrap().patch.is_empty());
    // Touched, but not changed: every file is read again.
    for entry in fs::read_dir(at).unwrap().map(Result::unwrap).filter(|entry| entry.file_type().unwrap().is_file()) {
        let content = fs::read(entry.path()).unwrap();
        fs::write(entry.path(), content).unwrap();
    }
    let touched = slot.capture().await.unwrap();
    assert_eq!(describe(&touched.patch), [""; 0]);
    // A change goes through the conversion.
    write(at, "plain.txt", "a\r\nb\r\nc\r\n");
    write(at, "sub/new.txt", "n\r\n");
    write(at, "wide.txt", b"gr\xfcner\n");
    let changed = slot.capture().await.unwrap();
    assert_eq!(describe(&changed.patch), ["M plain.txt +1 -0", "A sub/new.txt +1 -0", "M wide.txt +1 -1"]);
    drop(slot);
    // The same blobs under other attributes are other files.
    let before = ObjectIdOf::parent(&repository);
    let slot = pool.acquire(&before, None).await.unwrap();
    assert_eq!(fs::read(slot.path().join("plain.txt")).unwrap(), b"a\nb\n");
    assert!(!slot.path().join("sub").exists());
    assert_eq!(git(slot.path(), &["status", "--porcelain"]), "");
    assert!(slot.capture().await.unwrap().patch.is_empty());
}

struct ObjectIdOf;

impl ObjectIdOf {
    fn parent(repository: &TestRepository) -> ObjectId {
        ObjectId::new(repository.git(&["rev-parse", "HEAD~1"])).unwrap()
    }
}

#[tokio::test]
async fn a_submodule_is_left_alone() {
    let repository = TestRepository::new();
    let module = "1111111111111111111111111111111111111111";
    repository.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{module},vendor/lib")]);
    repository.git(&["commit", "-qm", "submodule"]);
    let (pool, slot) = repository.slot().await;
    assert!(slot.path().join("vendor/lib").is_dir());
    assert!(slot.capture().await.unwrap().patch.is_empty());
    git(&slot.path().join("vendor/lib"), &["init", "-q"]);
    write(slot.path(), "vendor/lib/file", "x");
    let captured = slot.capture().await.unwrap();
    assert!(captured.patch.is_empty());
    assert_eq!(left_out(&captured), ["vendor/lib is inside a submodule"]);
    drop(slot);
    let slot = pool.acquire(&repository.head(), None).await.unwrap();
    assert_eq!(fs::read_dir(slot.path().join("vendor/lib")).unwrap().count(), 0);
    fs::remove_dir(slot.path().join("vendor/lib")).unwrap();
    assert_eq!(describe(&slot.capture().await.unwrap().patch), ["D vendor/lib +- --"]);
}

#[tokio::test]
async fn a_patch_as_text_is_what_git_apply_takes() {
    let repository = TestRepository::new();
    repository.write("data.bin", b"\0\x01\x02\x03");
    repository.write("long.txt", "1\n2\n3\n4\n5\n6\n");
    repository.commit("data");
    let (_pool, slot) = repository.slot().await;
    let at = slot.path();
    write(at, "data.bin", b"\0\x09\x08");
    fs::rename(at.join("long.txt"), at.join("l\u{f6}ng name.txt")).unwrap();
    symlink("README.md", at.join("link")).unwrap();
    fs::set_permissions(at.join("README.md"), fs::Permissions::from_mode(0o755)).unwrap();
    let patch = slot.capture().await.unwrap().patch;
    let file = repository.beside("patch.diff");
    let store = RunStore::open(&repository.beside("run/store.git")).unwrap();
    crate::workspace::patch_text::write(&store, &patch, &file).unwrap();
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains("GIT binary patch") && text.contains("rename from long.txt"), "{text}");
    let (ok, said) = try_git(&repository.path(), &["apply", "--index", file.to_str().unwrap()]);
    assert!(ok, "{said}");
    assert_eq!(repository.git(&["write-tree"]), patch.tree.as_str());
}

#[tokio::test]
async fn a_patch_with_more_patterns_than_are_held_against_its_files_is_refused() {
    for (name, content) in [
        (".gitignore", "q*z\n".repeat(10_001)),
        ("src/.gitignore", format!("{}\n", "q".repeat(1024 * 1024))),
        (".gitattributes", "q*z text\n".repeat(10_001)),
    ] {
        let repository = TestRepository::new();
        let (_pool, slot) = repository.slot().await;
        write(slot.path(), name, content);
        write(slot.path(), "src/new.txt", "a\n");
        let error = slot.capture().await.unwrap_err();
        assert!(matches!(&error, WorkspaceError::TooManyPatterns { path } if path == name), "{name}: {error}");
        fs::write(slot.path().join(name), "q*z\n".repeat(5_000)).unwrap();
        assert!(slot.capture().await.is_ok(), "{name}");
    }
}

#[test]
fn patterns_cost_as_much_as_they_are_held_against_paths() {
    use crate::workspace::store::attributes::PatternCost;
    let path = "a".repeat(200);
    let held = |pattern: &str| {
        let cost = PatternCost::from_content(pattern.repeat(10_000).as_bytes()).unwrap();
        let mut spent = 0;
        (0..1_000_000).take_while(|_| cost.spend(path.as_str().into(), &mut spent)).count()
    };
    assert!((10_000..100_000).contains(&held("/build/folder\n")));
    assert!((50..1_000).contains(&held("*a*a*a*a*b\n")));
    let usual = PatternCost::from_content(include_bytes!("../../../../.gitignore")).unwrap();
    let mut spent = 0;
    assert!((0..200_000).all(|_| usual.spend("a/path/of/a/file.txt".into(), &mut spent)));
}
