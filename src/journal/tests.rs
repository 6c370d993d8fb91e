use std::{fs::OpenOptions, path::Path};

use implementer_model::{
    ids::{Digest, ObjectId, TaskId},
    lock::Lock,
    record::{AttemptId, AttemptStarted, JOURNAL_VERSION, Record},
};

use super::{
    file::Writer,
    lines::{Chain, line_of},
    *,
};

fn begun() -> Record {
    let id = ObjectId::new("1".repeat(40)).unwrap();
    let lock = Lock::new(Digest::from_content("plan"), id, Digest::from_content("roster"));
    Record::Begun { version: JOURNAL_VERSION, run: "r".to_owned(), lock }
}

fn started(attempt: u32) -> Record {
    let base = ObjectId::new("2".repeat(40)).unwrap();
    let id = AttemptId::new(TaskId::new("feature").unwrap(), attempt);
    Record::Started(AttemptStarted { id, base, brief: Digest::from_content("brief") })
}

async fn journal_of(path: &Path, records: impl IntoIterator<Item = Record>) {
    let journal = Journal::create(path).unwrap();
    for record in records {
        journal.append(7, record);
    }
    journal.sync().await.unwrap();
}

#[tokio::test]
async fn what_was_synced_is_read_back() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal.jsonl");
    journal_of(&path, [begun(), started(1)]).await;
    assert_eq!(read(&path).unwrap(), [(7, begun()), (7, started(1))]);
    for line in std::fs::read_to_string(&path).unwrap().lines() {
        assert!(serde_json::from_str::<serde_json::Value>(line).unwrap()["entry"]["seq"].is_u64(), "{line}");
    }
}

#[tokio::test]
async fn a_journal_cut_anywhere_gives_what_was_whole() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal.jsonl");
    journal_of(&path, [begun(), started(1), started(2)]).await;
    let whole = std::fs::read(&path).unwrap();
    for end in 0..whole.len() {
        std::fs::write(&path, &whole[..end]).unwrap();
        let lines = whole[..end].iter().filter(|&&byte| byte == b'\n').count();
        assert_eq!(read(&path).unwrap().len(), lines, "cut at {end}");
    }
}

#[tokio::test]
async fn a_changed_or_missing_line_in_the_middle_is_damage() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal.jsonl");
    journal_of(&path, [begun(), started(1), started(2)]).await;
    let whole = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, whole.replacen("feature", "fixture", 1)).unwrap();
    assert!(matches!(read(&path), Err(JournalError::Damaged { line: 2, .. })));
    let without_second: String =
        whole.lines().enumerate().filter(|(n, _)| *n != 1).map(|(_, l)| format!("{l}\n")).collect();
    std::fs::write(&path, format!("{without_second}x\n")).unwrap();
    assert!(matches!(read(&path), Err(JournalError::Damaged { line: 2, .. })));
}

fn lock_of(record: &Record) -> Lock {
    match record {
        Record::Begun { lock, .. } => lock.clone(),
        _ => panic!("no beginning"),
    }
}

#[tokio::test]
async fn a_journal_cut_anywhere_is_resumed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal.jsonl");
    journal_of(&path, [begun(), started(1), started(2)]).await;
    let whole = std::fs::read(&path).unwrap();
    for end in 0..whole.len() {
        std::fs::write(&path, &whole[..end]).unwrap();
        let lines = whole[..end].iter().filter(|&&byte| byte == b'\n').count();
        let (journal, records) = Journal::resume(&path, &lock_of(&begun())).unwrap();
        assert_eq!(records.len(), lines, "cut at {end}");
        journal.append(9, started(3));
        journal.sync().await.unwrap();
        drop(journal);
        let read = read(&path).unwrap();
        assert_eq!((read.len(), read.last()), (lines + 1, Some(&(9, started(3)))), "cut at {end}");
    }
}

#[tokio::test]
async fn what_cannot_be_resumed_is_left_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal.jsonl");
    journal_of(&path, [begun(), started(1)]).await;
    let other = Lock::new(
        Digest::from_content("other"),
        ObjectId::new("1".repeat(40)).unwrap(),
        Digest::from_content("roster"),
    );
    assert!(matches!(Journal::resume(&path, &other), Err(JournalError::OtherLock { .. })));
    let newer = |kind: &str| {
        let Record::Begun { lock, .. } = begun() else { panic!() };
        let first = Record::Begun { version: JOURNAL_VERSION + 1, run: "r".to_owned(), lock };
        let mut first = serde_json::to_value(first).unwrap();
        first.as_object_mut().unwrap().extend([("seq".to_owned(), 1.into()), ("at_ms".to_owned(), 0.into())]);
        let (first, sum) = line_of("", &first.to_string());
        let (second, _) = line_of(&sum, &format!("{{\"seq\":2,\"at_ms\":7,\"record\":\"{kind}\"}}"));
        first + &second
    };
    for text in [newer("resumed"), newer("from-the-future")] {
        std::fs::write(&path, &text).unwrap();
        let refused = Journal::resume(&path, &lock_of(&begun()));
        assert!(matches!(refused, Err(JournalError::Newer { found, .. }) if found == JOURNAL_VERSION + 1));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    }
    // A beginning that is whole, and of no known kind.
    let body = "{\"seq\":1,\"at_ms\":7,\"record\":\"began-anew\"}";
    let (text, _) = line_of("", body);
    std::fs::write(&path, &text).unwrap();
    assert!(matches!(Journal::resume(&path, &lock_of(&begun())), Err(JournalError::Damaged { line: 1, .. })));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
}

proptest::proptest! {
    #[test]
    fn a_changed_byte_never_makes_another_record(at in 0_usize..2_000, byte in proptest::num::u8::ANY) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal.jsonl");
        runtime.block_on(journal_of(&path, [begun(), started(1), started(2)]));
        let whole = read(&path).unwrap();
        let mut bytes = std::fs::read(&path).unwrap();
        let at = at % bytes.len();
        bytes[at] = byte;
        std::fs::write(&path, bytes).unwrap();
        if let Ok(records) = read(&path) {
            proptest::prop_assert!(whole.starts_with(&records), "byte {at}: {records:?}");
        }
    }
}

#[tokio::test]
async fn a_journal_is_never_written_over() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal.jsonl");
    journal_of(&path, [begun()]).await;
    assert!(matches!(Journal::create(&path), Err(JournalError::Write { .. })));
}

#[tokio::test]
async fn a_full_disk_is_an_error_of_the_sync() {
    if !Path::new("/dev/full").exists() {
        eprintln!("SKIPPED a_full_disk_is_an_error_of_the_sync: no /dev/full here");
        return;
    }
    let file = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut writer = Writer::new(Path::new("/dev/full"), file, Chain::default());
    assert!(writer.write(b"x\n").is_err());
    assert!(writer.write(b"").is_err(), "what comes behind a failed write is refused too");
}

#[tokio::test]
async fn a_journal_of_somebody_else_is_not_resumed_and_takes_no_line_of_theirs() {
    let dir = tempfile::tempdir().unwrap();
    let (planted, ours) = (dir.path().join("planted.jsonl"), dir.path().join("ours.jsonl"));
    journal_of(&planted, [begun(), started(1)]).await;
    let seal = Seal::of_process().unwrap();
    let refused = Journal::resume_sealed(&planted, &lock_of(&begun()), &seal);
    assert!(matches!(refused, Err(JournalError::Foreign { .. })));

    let journal = Journal::create_sealed(&ours, seal.clone()).unwrap();
    journal.append(7, begun());
    journal.append(7, started(1));
    journal.sync().await.unwrap();
    drop(journal);
    let whole = std::fs::read_to_string(&ours).unwrap();
    let forged = std::fs::read_to_string(&planted).unwrap();
    let line = forged.lines().nth(1).unwrap();
    std::fs::write(&ours, format!("{whole}{line}\n{line}\n")).unwrap();
    assert!(matches!(read_sealed(&ours, &seal), Err(JournalError::Damaged { line: 3, .. })));
    // As a last line it is what a crash leaves: it is cut off.
    std::fs::write(&ours, format!("{whole}{line}\n")).unwrap();
    assert_eq!(read_sealed(&ours, &seal).unwrap(), [(7, begun()), (7, started(1))]);
}
