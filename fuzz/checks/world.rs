//! The same for what touches files and git.

/// Journals that somebody planted.
pub(crate) fn journal(data: &[u8]) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    std::fs::write(&path, data).unwrap();
    let _ = backend_implementer::journal::read(&path);
}

/// Bundles: their header, and the pack behind it, before git sees them.
pub(crate) fn bundle(data: &[u8]) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.bundle");
    std::fs::write(&path, data).unwrap();
    let _ = backend_implementer::workspace::bundle::inspect(&path);
}

/// Artifacts of other jobs.
pub(crate) fn zip(data: &[u8]) {
    use backend_implementer::artifacts::{Limits, extract};

    let folder = tempfile::tempdir().unwrap();
    let (zip, to) = (folder.path().join("x.zip"), folder.path().join("to"));
    std::fs::write(&zip, data).unwrap();
    let _ = extract(&zip, &to, &Limits { entries: 100, bytes: 1 << 20, ratio: 200 });
    let beside: Vec<_> = std::fs::read_dir(folder.path()).unwrap().flatten().map(|entry| entry.file_name()).collect();
    assert!(beside.iter().all(|name| name == "x.zip" || name == "to"), "{beside:?}");
}
