#![no_main]
//! Bundles: their header, and the pack behind it, before git sees them.
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.bundle");
    std::fs::write(&path, data).unwrap();
    let _ = backend_implementer::workspace::bundle::inspect(&path);
});
