#![no_main]
//! Journals that somebody planted.
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    std::fs::write(&path, data).unwrap();
    let _ = backend_implementer::journal::read(&path);
});
