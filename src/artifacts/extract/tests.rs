use std::io::Write as _;

use zip::{ZipWriter, write::SimpleFileOptions};

use super::{super::pack, *};

struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Makes a zip of these entries: name, mode, content.
    fn zip(&self, entries: &[(&str, u32, &[u8])]) -> PathBuf {
        let path = self.path("made.zip");
        let mut zip = ZipWriter::new(File::create(&path).unwrap());
        for (name, mode, content) in entries {
            let options = SimpleFileOptions::default().unix_permissions(*mode);
            match mode & 0o170_000 {
                0o120_000 => zip.add_symlink(*name, "target", options).unwrap(),
                _ if name.ends_with('/') => zip.add_directory(*name, options).unwrap(),
                _ => {
                    zip.start_file(*name, options).unwrap();
                    zip.write_all(content).unwrap();
                }
            }
        }
        zip.finish().unwrap();
        path
    }

    fn extract(&self, zip: &Path) -> Result<(), ExtractError> {
        let to = tempfile::tempdir_in(self.folder.path()).unwrap();
        let result = extract(zip, &to.path().join("inner/out"), &Limits::default());
        // Whatever it was, nothing lies beside the folder.
        let beside: Vec<_> = fs::read_dir(to.path().join("inner")).into_iter().flatten().flatten().collect();
        assert!(beside.len() <= 1, "{beside:?}");
        result
    }
}

/// Writes another name over one of the same length, in both places where a zip has it.
fn rename(zip: &Path, from: &str, to: &str) {
    assert_eq!(from.len(), to.len());
    let mut bytes = fs::read(zip).unwrap();
    let places: Vec<_> = bytes.windows(from.len()).enumerate().filter(|(_, at)| *at == from.as_bytes()).collect();
    let places: Vec<_> = places.into_iter().map(|(at, _)| at).collect();
    assert_eq!(places.len(), 2);
    for at in places {
        bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
    }
    fs::write(zip, bytes).unwrap();
}

#[test]
fn what_was_packed_comes_out_again_and_the_same_files_are_the_same_bytes() {
    let bench = Bench::new();
    let from = bench.path("from");
    fs::create_dir_all(from.join("a/b")).unwrap();
    fs::write(from.join("a/b/text.txt"), "hello").unwrap();
    fs::write(from.join("big"), vec![7; 3_000_000]).unwrap();
    fs::write(from.join("left-out"), "x").unwrap();
    std::os::unix::fs::symlink("/etc/passwd", from.join("link")).unwrap();
    let skip = |path: &Path| path == Path::new("left-out");
    let first = pack(&from, &bench.path("1.zip"), skip).unwrap();
    let second = pack(&from, &bench.path("2.zip"), skip).unwrap();
    assert_eq!(first.digest, second.digest);
    assert_eq!(first.size, fs::metadata(&first.path).unwrap().len());
    let to = bench.path("to");
    // Three megabytes of one byte are packed by more than 200: the first megabyte and the rest of it are counted.
    let limits = Limits { ratio: 2000, ..Limits::default() };
    extract(&first.path, &to, &limits).unwrap();
    assert_eq!(fs::read(to.join("a/b/text.txt")).unwrap(), b"hello");
    assert_eq!(fs::metadata(to.join("big")).unwrap().len(), 3_000_000);
    assert!(!to.join("left-out").exists() && fs::symlink_metadata(to.join("link")).is_err());
}

#[test]
fn paths_that_lead_elsewhere_are_refused() {
    for (harmless, bad) in [
        ("xx/yyyy", "../evil"),
        ("a/bb/cccc", "a/../evil"),
        ("xtc/evil", "/tmp/evi"),
        ("aaevil", "a\\evil"),
        ("c/evil", "c:evil"),
        ("a/b/c", "a//bc"),
        ("./evil1", "./evil."),
        ("nnul", "n\0ul"),
    ] {
        let bench = Bench::new();
        let zip = bench.zip(&[(harmless, 0o100_644, b"x")]);
        if harmless != "./evil1" {
            rename(&zip, harmless, bad);
        }
        let error = bench.extract(&zip).unwrap_err();
        assert!(matches!(error, ExtractError::Path(_)), "{bad}: {error}");
    }
}

#[test]
fn links_duplicates_and_files_in_the_way_are_refused() {
    let bench = Bench::new();
    let link = bench.zip(&[("link", 0o120_777, b"")]);
    assert!(matches!(bench.extract(&link), Err(ExtractError::Kind(_))));
    let twice = bench.zip(&[("name-1", 0o100_644, b"x"), ("NAME-2", 0o100_644, b"y")]);
    rename(&twice, "NAME-2", "NAME-1");
    let error = bench.extract(&twice).unwrap_err();
    assert!(matches!(error, ExtractError::Twice(_)), "{error}");
    let in_the_way = bench.zip(&[("folder", 0o100_644, b"x"), ("folder/file", 0o100_644, b"y")]);
    assert!(matches!(bench.extract(&in_the_way), Err(ExtractError::Twice(_))));
    let the_other_way = bench.zip(&[("folder/file", 0o100_644, b"y"), ("folder", 0o100_644, b"x")]);
    assert!(matches!(bench.extract(&the_other_way), Err(ExtractError::Twice(_))));
}

#[test]
fn bombs_are_refused_before_they_fill_the_disk() {
    let bench = Bench::new();
    let bomb = bench.zip(&[("zeros", 0o100_644, &vec![0; 50_000_000])]);
    let error = bench.extract(&bomb).unwrap_err();
    assert!(matches!(error, ExtractError::TooMuch(_)), "{error}");
    let names: Vec<_> = (0..20).map(|number| format!("f{number}")).collect();
    let entries: Vec<_> = names.iter().map(|name| (name.as_str(), 0o100_644, &b"x"[..])).collect();
    let many = bench.zip(&entries);
    let limits = Limits { entries: 10, ..Limits::default() };
    assert!(matches!(extract(&many, &bench.path("many"), &limits), Err(ExtractError::TooMuch(_))));
}

#[test]
fn what_is_cut_off_or_changed_is_refused() {
    let bench = Bench::new();
    let zip = bench.zip(&[("text", 0o100_644, &b"a text that is long enough to be found again".repeat(20))]);
    let whole = fs::read(&zip).unwrap();
    for cut in [0, 1, 30, whole.len() / 2, whole.len() - 1] {
        fs::write(&zip, &whole[..cut]).unwrap();
        assert!(matches!(bench.extract(&zip), Err(ExtractError::Damaged(_))), "cut after {cut}");
    }
    let mut changed = whole;
    changed[60] ^= 0x55;
    fs::write(&zip, changed).unwrap();
    assert!(bench.extract(&zip).is_err());
}
