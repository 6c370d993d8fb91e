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
#[ignore = "a measurement"]
async fn what_a_look_costs() {
    let repository = TestRepository::new();
    for at in 0..20_000 {
        repository.write(&format!("pkg{}/mod{}/tests/test_{at}.py", at / 1000, at / 20), "a\n");
    }
    repository.commit("many");
    let (_pool, slot) = repository.slot().await;
    let began = std::time::Instant::now();
    let mut watch = slot.watch(|_| true, &intrudes).unwrap();
    let first = began.elapsed();
    std::thread::sleep(std::time::Duration::from_millis(50));
    let _ = slot.look_again(&mut watch, &intrudes).unwrap();
    let began = std::time::Instant::now();
    let _ = slot.look_again(&mut watch, &intrudes).unwrap();
    println!("begin {first:?}, look {:?}", began.elapsed());
}
