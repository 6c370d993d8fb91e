use std::fs;

use implementer_model::evidence::rewritten::Became;

use super::Watch;
use crate::workspace::test_support::TestRepository;

fn intrudes(path: &str, _: bool, exists: &dyn Fn(&str) -> bool) -> bool {
    path.ends_with("conftest.py") || path == "GNUmakefile" && exists("Makefile")
}

#[tokio::test]
async fn what_becomes_of_watched_files_is_told_once_and_of_no_other() {
    let repository = TestRepository::new();
    for (path, text) in [("tests/a.py", "a\n"), ("tests/b.py", "b\n"), ("tests/c.py", "c\n"), ("Makefile", "all:\n")] {
        repository.write(path, text);
    }
    repository.write(".gitignore", "conftest.py\n");
    repository.commit("tests");
    let (_pool, slot) = repository.slot().await;
    let at = |path: &str| slot.path().join(path);
    fs::write(at("src/conftest.py"), "was there before\n").unwrap();
    let mut watch: Watch = slot.watch(|path| path.starts_with("tests/"), &intrudes).unwrap();
    assert_eq!(slot.look_again(&mut watch, &intrudes).unwrap(), []);

    // A time that is set back hides nothing, and neither does a rule that ignores the new file.
    let old = fs::metadata(at("tests/a.py")).unwrap().modified().unwrap();
    fs::write(at("tests/a.py"), "x\n").unwrap();
    fs::File::options().write(true).open(at("tests/a.py")).unwrap().set_modified(old).unwrap();
    fs::write(at("tests/b.py"), "b\n").unwrap();
    fs::remove_file(at("tests/c.py")).unwrap();
    fs::write(at("src/app.py"), "no test\n").unwrap();
    fs::write(at("tests/conftest.py"), "\n").unwrap();
    fs::write(at("GNUmakefile"), "\n").unwrap();
    fs::create_dir(at("made")).unwrap();
    fs::write(at("made/conftest.py"), "\n").unwrap();
    let mut found = slot.look_again(&mut watch, &intrudes).unwrap();
    found.sort_by(|a, b| a.0.cmp(&b.0));
    let told = |path: &str, became: Became| (path.to_owned(), became);
    assert_eq!(
        found,
        [
            told("GNUmakefile", Became::New),
            told("tests/a.py", Became::Other(b"a\n".to_vec(), Some(b"x\n".to_vec()))),
            told("tests/b.py", Became::PutBack),
            told("tests/c.py", Became::Gone),
            told("tests/conftest.py", Became::New),
        ]
    );
    // A moment later all of that is known.
    std::thread::sleep(std::time::Duration::from_millis(20));
    let _ = slot.look_again(&mut watch, &intrudes).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(20));
    assert_eq!(slot.look_again(&mut watch, &intrudes).unwrap(), []);

    // A link in the place of a file is another thing, even to the same content.
    fs::rename(at("tests/b.py"), at("tests/kept")).unwrap();
    std::os::unix::fs::symlink("kept", at("tests/b.py")).unwrap();
    let found = slot.look_again(&mut watch, &intrudes).unwrap();
    assert_eq!(found, [told("tests/b.py", Became::Other(b"b\n".to_vec(), None))]);
    fs::remove_dir_all(at("tests")).unwrap();
    assert_eq!(slot.look_again(&mut watch, &intrudes).unwrap().len(), 2);
}

#[tokio::test]
async fn a_folder_that_cannot_be_listed_is_told_once_and_is_no_error() {
    let repository = TestRepository::new();
    for path in ["tests/data/a.py", "tests/data/deep/b.py", "tests/data-c.py", "other/c.py"] {
        repository.write(path, "a\n");
    }
    repository.commit("tests");
    let (_pool, slot) = repository.slot().await;
    let at = |path: &str| slot.path().join(path);
    let mut watch: Watch = slot.watch(|path| path.starts_with("tests/"), &intrudes).unwrap();
    let other = |path: &str| vec![(path.to_owned(), Became::Other(Vec::new(), None))];

    // A link to itself, and one to a folder in which something would intrude.
    fs::rename(at("tests/data"), at("kept")).unwrap();
    std::os::unix::fs::symlink("data", at("tests/data")).unwrap();
    assert_eq!(slot.look_again(&mut watch, &intrudes).unwrap(), other("tests/data"));
    fs::remove_file(at("tests/data")).unwrap();
    fs::create_dir_all(at("made/deep")).unwrap();
    fs::write(at("made/deep/conftest.py"), "\n").unwrap();
    std::os::unix::fs::symlink("../made", at("tests/data")).unwrap();
    let again = slot.look_again(&mut watch, &intrudes).unwrap();
    assert!(!again.iter().any(|(path, _)| path.starts_with("tests/data/")), "{again:?}");

    // Back in its place it is what it was.
    fs::remove_file(at("tests/data")).unwrap();
    fs::rename(at("kept"), at("tests/data")).unwrap();
    assert_eq!(slot.look_again(&mut watch, &intrudes).unwrap(), []);
    fs::rename(at("other"), at("kept")).unwrap();
    fs::write(at("other"), "a file\n").unwrap();
    assert_eq!(slot.look_again(&mut watch, &intrudes).unwrap(), other("other"));
}

#[tokio::test]
async fn a_large_file_is_compared_like_any_other() {
    let repository = TestRepository::new();
    let text = "a line of a large file\n".repeat(250_000);
    repository.write("tests/large.rs", &text);
    repository.commit("large");
    let (_pool, slot) = repository.slot().await;
    let at = slot.path().join("tests/large.rs");
    let mut watch: Watch = slot.watch(|path| path.starts_with("tests/"), &intrudes).unwrap();
    assert_eq!(slot.look_again(&mut watch, &intrudes).unwrap(), []);
    fs::write(&at, &text).unwrap();
    let told = |became: Became| [("tests/large.rs".to_owned(), became)];
    assert_eq!(slot.look_again(&mut watch, &intrudes).unwrap(), told(Became::PutBack));
    fs::write(&at, text.replacen('a', "b", 1)).unwrap();
    let found = slot.look_again(&mut watch, &intrudes).unwrap();
    assert!(
        matches!(&found[..], [(_, Became::Other(before, Some(after)))] if before != after && before.len() == after.len())
    );
}

#[tokio::test]
async fn another_mode_is_not_written_and_the_same_bytes_are() {
    let repository = TestRepository::new();
    repository.write("tests/mvnw", "a");
    repository.commit("a script");
    let (_pool, slot) = repository.slot().await;
    let at = slot.path().join("tests/mvnw");
    let file = fs::File::options().append(true).open(&at).unwrap();
    file.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
    let mut watch: Watch = slot.watch(|path| path.starts_with("tests/"), &intrudes).unwrap();
    fs::set_permissions(&at, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    assert_eq!(slot.look_again(&mut watch, &intrudes).unwrap(), []);
    fs::write(&at, "a").unwrap();
    assert_eq!(slot.look_again(&mut watch, &intrudes).unwrap(), [("tests/mvnw".to_owned(), Became::PutBack)]);
}
