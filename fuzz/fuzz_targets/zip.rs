#![no_main]
//! Artifacts of other jobs.
use backend_implementer::artifacts::{Limits, extract};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let folder = tempfile::tempdir().unwrap();
    let (zip, to) = (folder.path().join("x.zip"), folder.path().join("to"));
    std::fs::write(&zip, data).unwrap();
    let _ = extract(&zip, &to, &Limits { entries: 100, bytes: 1 << 20, ratio: 200 });
    let beside: Vec<_> = std::fs::read_dir(folder.path()).unwrap().flatten().map(|entry| entry.file_name()).collect();
    assert!(beside.iter().all(|name| name == "x.zip" || name == "to"), "{beside:?}");
});
