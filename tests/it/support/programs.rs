//! Where the tests find programs.

use std::{
    ffi::OsString,
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
    sync::LazyLock,
};

static PATH: LazyLock<OsString> = LazyLock::new(|| {
    let path = std::env::var_os("PATH").expect("a PATH");
    let Some(python) = python_behind_a_script(&path) else { return path };
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("programs");
    std::fs::create_dir_all(&folder).expect("a new folder");
    // Another test may have made it at the same time.
    let _ = std::os::unix::fs::symlink(&python, folder.join("python3"));
    std::env::join_paths([folder].into_iter().chain(std::env::split_paths(&path))).expect("a PATH")
});

/// Returns the `PATH` of the tests: the caller's, with a `python3` that is no script of a version manager in front. Such
/// a script takes five times as long as Python itself, and the tests call it thousands of times.
pub(crate) fn path() -> &'static OsString {
    &PATH
}

/// Finds a `python3` that is a program, where the first one on the `PATH` is a script.
fn python_behind_a_script(path: &OsString) -> Option<PathBuf> {
    let is_script = |program: &PathBuf| {
        let mut start = [0; 2];
        File::open(program).and_then(|mut file| file.read_exact(&mut start)).is_ok_and(|()| start == *b"#!")
    };
    let mut found = std::env::split_paths(path).map(|folder| folder.join("python3")).filter(|file| file.is_file());
    let first = found.next()?;
    is_script(&first).then(|| found.find(|program| !is_script(program))).flatten()
}
