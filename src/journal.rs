//! The journal: what survives a crash. Append-only JSON lines, each bound to the one before it by a checksum, synced to
//! the disk in batches.
//!
//! A record is durable once [`Journal::sync`] has returned. The writer is a thread of its own: it takes everything that
//! waits, writes it in one go and syncs once, so that a wave of 256 tasks costs a handful of syncs and not 256.

use std::{
    collections::BTreeMap,
    fs::{File, OpenOptions},
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    path::{Path, PathBuf},
    thread::JoinHandle,
};

use implementer_model::{
    findings::Finding,
    gate::{GateKind, Receipt},
    handoff::{AttemptRecord, IntegratedCommit, Status},
    ids::{Digest, ObjectId, TaskId},
    lock::Lock,
};
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot};

use crate::untrusted::{self, UntrustedError};

/// The version of the journal format that this program writes.
pub const JOURNAL_VERSION: u32 = 1;

/// The largest journal that is read, and the longest line of one, in bytes: a line has a report and a list of paths.
const JOURNAL_MAX: u64 = 1024 * 1024 * 1024;
const LINE_MAX: u64 = 64 * 1024 * 1024;

/// Hex digits of the checksum that are kept: 64 bits, far more than a torn or damaged line needs to be told.
const CHECKSUM_DIGITS: usize = 16;

/// What stands around checksum and entry in a line: every line is JSON, and the checksum is over the entry as it is
/// written.
const LINE_START: &str = "{\"sum\":\"";
const LINE_MIDDLE: &str = "\",\"entry\":";
const LINE_END: &str = "}\n";

/// What the journal records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "record")]
pub enum Record {
    /// The run began.
    Begun {
        /// The version of the journal format.
        version: u32,
        /// The id of the run.
        run: String,
        /// What was approved.
        lock: Lock,
    },
    /// A subagent's process was started.
    Started {
        /// The task.
        task: TaskId,
        /// The attempt, from 1.
        attempt: u32,
        /// The commit it started from.
        base: ObjectId,
        /// The digest of its brief.
        brief: Digest,
    },
    /// An attempt ended and was judged; its patch, if any, is in the store.
    Ended {
        /// The task.
        task: TaskId,
        /// Everything about the attempt.
        attempt: Box<AttemptRecord>,
        /// Why it ended so, in a sentence.
        #[serde(default)]
        reason: String,
        /// What was noticed about it.
        #[serde(default)]
        findings: Vec<Finding>,
        /// Whether it failed for a reason that may be gone soon.
        #[serde(default)]
        transient: bool,
    },
    /// A wave's patches were integrated.
    Integrated {
        /// The number of the wave.
        wave: usize,
        /// The commits that it gave, in order.
        commits: Vec<IntegratedCommit>,
        /// The commit that the next wave starts from.
        head: ObjectId,
    },
    /// The commands of red gates were run again on earlier commits.
    Bisected {
        /// The commit on which the gates were red.
        head: ObjectId,
        /// The task whose patch each gate's command fails with first, where that could be told.
        culprits: BTreeMap<GateKind, TaskId>,
    },
    /// The run goes on after it had broken off.
    Resumed,
    /// A gate was judged.
    Judged {
        /// Its receipt.
        receipt: Box<Receipt>,
    },
    /// The run came to its end.
    Concluded {
        /// How.
        status: Status,
        /// The last commit.
        commit: ObjectId,
        /// The digest of the hand-off file.
        handoff: Digest,
    },
}

/// One line of the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Line {
    /// Counts from 1.
    seq: u64,
    /// Milliseconds since the run began.
    at_ms: u64,
    /// What is recorded.
    #[serde(flatten)]
    record: Record,
}

/// Says what went wrong with the journal.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file could not be written or read.
    #[error("cannot write the journal {path}: {source}; is the disk full, or the folder read-only?")]
    Io {
        /// The journal file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A line other than the last is damaged.
    #[error("line {line} of the journal {path} is damaged: {why}")]
    Damaged {
        /// The journal file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A newer program wrote it.
    #[error(
        "the journal {path} has version {found}, and this program knows {JOURNAL_VERSION}: go on with the newer program"
    )]
    Newer {
        /// The journal file.
        path: PathBuf,
        /// Its version.
        found: u32,
    },
    /// It belongs to something else that was approved.
    #[error(
        "the journal {path} belongs to the lock {found}, and the lock is {wanted} now: plan, base or roster changed; begin a new run"
    )]
    OtherLock {
        /// The journal file.
        path: PathBuf,
        /// Its lock.
        found: String,
        /// The lock now.
        wanted: String,
    },
    /// The writer is gone, after it reported an error.
    #[error("the journal {path} was given up after an earlier error")]
    GivenUp {
        /// The journal file.
        path: PathBuf,
    },
}

enum Order {
    Append { at_ms: u64, record: Box<Record> },
    Sync(oneshot::Sender<Result<(), io::Error>>),
}

/// An open journal.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    orders: mpsc::UnboundedSender<Order>,
    writer: Option<JoinHandle<()>>,
}

impl Journal {
    /// Creates the journal file, which must not exist yet, and starts its writer.
    ///
    /// # Errors
    /// When the file cannot be created.
    pub fn create(path: &Path) -> Result<Self, JournalError> {
        let io_error = |source| JournalError::Io { path: path.to_owned(), source };
        let file = OpenOptions::new().write(true).create_new(true).open(path).map_err(io_error)?;
        Self::start(path, Writer { file, seq: 0, previous: String::new(), failed: None })
    }

    /// Opens the journal of a run that broke off, to go on behind its last record. A torn last line is cut off first, so
    /// that what comes can be read.
    ///
    /// # Errors
    /// When it is damaged before its end, of a newer version, of another lock, or cannot be written.
    pub fn resume(path: &Path, lock: &Lock) -> Result<(Self, Vec<(u64, Record)>), JournalError> {
        let io_error = |source| JournalError::Io { path: path.to_owned(), source };
        let Read { records, previous, good_bytes } = read_whole(path)?;
        check_lock(path, &records, lock)?;
        let mut file = OpenOptions::new().write(true).open(path).map_err(io_error)?;
        file.set_len(good_bytes).and_then(|()| file.sync_data()).map_err(io_error)?;
        io::Seek::seek(&mut file, io::SeekFrom::End(0)).map_err(io_error)?;
        let seq = records.len() as u64;
        Ok((Self::start(path, Writer { file, seq, previous, failed: None })?, records))
    }

    fn start(path: &Path, writer: Writer) -> Result<Self, JournalError> {
        let (orders, queue) = mpsc::unbounded_channel();
        let writer = std::thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || writer.run(queue))
            .map_err(|source| JournalError::Io { path: path.to_owned(), source })?;
        Ok(Self { path: path.to_owned(), orders, writer: Some(writer) })
    }

    /// Hands a record to the writer and goes on; an error comes out of the next [`Self::sync`].
    pub fn append(&self, at_ms: u64, record: Record) {
        // A writer that is gone has said why to an earlier sync, and says so again to the next.
        let _ = self.orders.send(Order::Append { at_ms, record: Box::new(record) });
    }

    /// Waits until everything that was appended is on the disk.
    ///
    /// # Errors
    /// When anything could not be written since the journal was created.
    pub async fn sync(&self) -> Result<(), JournalError> {
        let given_up = || JournalError::GivenUp { path: self.path.clone() };
        let (done, wait) = oneshot::channel();
        self.orders.send(Order::Sync(done)).map_err(|_| given_up())?;
        wait.await.map_err(|_| given_up())?.map_err(|source| JournalError::Io { path: self.path.clone(), source })
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        let (closed, _) = mpsc::unbounded_channel();
        self.orders = closed;
        if let Some(writer) = self.writer.take() {
            // The writer ends as soon as its queue is empty. That it panicked would change nothing any more.
            let _ = writer.join();
        }
    }
}

struct Writer {
    file: File,
    seq: u64,
    previous: String,
    failed: Option<io::ErrorKind>,
}

impl Writer {
    fn run(mut self, mut queue: mpsc::UnboundedReceiver<Order>) {
        let mut batch = Vec::new();
        while let Some(order) = queue.blocking_recv() {
            let mut waiting = Vec::new();
            let mut next = Some(order);
            while let Some(order) = next {
                match order {
                    Order::Append { at_ms, record } => self.encode(at_ms, *record, &mut batch),
                    Order::Sync(done) => waiting.push(done),
                }
                next = queue.try_recv().ok();
            }
            let result = self.write(&batch);
            batch.clear();
            for done in waiting {
                let _ = done.send(match &result {
                    Ok(()) => Ok(()),
                    Err(error) => Err(io::Error::new(error.kind(), error.to_string())),
                });
            }
        }
    }

    fn encode(&mut self, at_ms: u64, record: Record, batch: &mut Vec<u8>) {
        self.seq += 1;
        let line = Line { seq: self.seq, at_ms, record };
        // Records are plain data; serialising them into memory cannot fail.
        let Ok(body) = serde_json::to_string(&line) else { return };
        let sum = checksum(&self.previous, &body);
        for part in [LINE_START, &sum, LINE_MIDDLE, &body, LINE_END] {
            batch.extend_from_slice(part.as_bytes());
        }
        self.previous = sum;
    }

    fn write(&mut self, batch: &[u8]) -> io::Result<()> {
        // After one failed write the file may end in half a line: what came behind it could never be read.
        if let Some(kind) = self.failed {
            return Err(kind.into());
        }
        let result = self.file.write_all(batch).and_then(|()| self.file.sync_data());
        if let Err(error) = &result {
            self.failed = Some(error.kind());
        }
        result
    }
}

fn checksum(previous: &str, body: &str) -> String {
    let digest = Digest::of_parts([previous.as_bytes(), body.as_bytes()]);
    digest.hex()[..CHECKSUM_DIGITS].to_owned()
}

/// Reads a journal back. A torn last line, as a crash leaves it, is passed over.
///
/// # Errors
/// When the file cannot be read, or a line that is not the last is damaged.
pub fn read(path: &Path) -> Result<Vec<(u64, Record)>, JournalError> {
    read_whole(path).map(|read| read.records)
}

/// A journal as it was read.
struct Read {
    records: Vec<(u64, Record)>,
    /// The checksum of the last record.
    previous: String,
    /// How many bytes the readable lines have.
    good_bytes: u64,
}

/// Checks that a journal is one that this program can go on with, and of this lock. An empty one is.
fn check_lock(path: &Path, records: &[(u64, Record)], lock: &Lock) -> Result<(), JournalError> {
    match records.first() {
        None => Ok(()),
        Some((_, Record::Begun { version, .. })) if *version > JOURNAL_VERSION => {
            Err(JournalError::Newer { path: path.to_owned(), found: *version })
        }
        Some((_, Record::Begun { lock: found, .. })) if found.digest == lock.digest => Ok(()),
        Some((_, Record::Begun { lock: found, .. })) => Err(JournalError::OtherLock {
            path: path.to_owned(),
            found: found.digest.short().to_owned(),
            wanted: lock.digest.short().to_owned(),
        }),
        Some(_) => Err(JournalError::Damaged { path: path.to_owned(), line: 1, why: "it does not begin a run" }),
    }
}

fn read_whole(path: &Path) -> Result<Read, JournalError> {
    let io_error = |source| JournalError::Io { path: path.to_owned(), source };
    let file = untrusted::open(path, JOURNAL_MAX).map_err(|error| match error {
        UntrustedError::Io { source, .. } => io_error(source),
        UntrustedError::NotPlain { .. } | UntrustedError::NotText { .. } => {
            JournalError::Damaged { path: path.to_owned(), line: 1, why: "it is no plain file" }
        }
        UntrustedError::TooLarge { .. } => {
            JournalError::Damaged { path: path.to_owned(), line: 1, why: "the file is larger than any journal" }
        }
    })?;
    let mut file = BufReader::new(file);
    let mut records = Vec::new();
    let mut previous = String::new();
    let mut good_bytes = 0;
    let mut bytes = Vec::new();
    for number in 1.. {
        bytes.clear();
        let count = file.by_ref().take(LINE_MAX + 1).read_until(b'\n', &mut bytes).map_err(io_error)? as u64;
        if count == 0 {
            break;
        }
        let damaged = |why| JournalError::Damaged { path: path.to_owned(), line: number, why };
        if count > LINE_MAX {
            return Err(damaged("it is longer than any record"));
        }
        let is_last = file.fill_buf().map_err(io_error)?.is_empty();
        match parse(&String::from_utf8_lossy(&bytes), &previous, number as u64) {
            Ok((sum, line)) => {
                previous = sum;
                good_bytes += count;
                records.push((line.at_ms, line.record));
            }
            Err(why @ UNKNOWN) => match newer(&records) {
                // A newer program's journal may have records that are unknown here; that is what there is to say then.
                Some(found) => return Err(JournalError::Newer { path: path.to_owned(), found }),
                // A whole record of a kind that is unknown is no torn one: cutting it off would lose what it says.
                None => return Err(damaged(why)),
            },
            Err(_) if is_last => break,
            Err(why) => return Err(damaged(why)),
        }
    }
    Ok(Read { records, previous, good_bytes })
}

/// Returns the version of a journal that a newer program wrote.
fn newer(records: &[(u64, Record)]) -> Option<u32> {
    match records.first() {
        Some((_, Record::Begun { version, .. })) if *version > JOURNAL_VERSION => Some(*version),
        _ => None,
    }
}

/// What is said of a record that is whole, but of no known kind.
const UNKNOWN: &str = "the record is not known";

fn parse(line: &str, previous: &str, seq: u64) -> Result<(String, Line), &'static str> {
    let line = line.strip_suffix(LINE_END).ok_or("the line is torn")?;
    let (sum, body) =
        line.strip_prefix(LINE_START).and_then(|line| line.split_once(LINE_MIDDLE)).ok_or("there is no checksum")?;
    if sum != checksum(previous, body) {
        return Err("the checksum is wrong");
    }
    let parsed: Line = serde_json::from_str(body).map_err(|_| UNKNOWN)?;
    if parsed.seq == seq { Ok((sum.to_owned(), parsed)) } else { Err("the sequence is broken") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begun() -> Record {
        let id = ObjectId::new("1".repeat(40)).unwrap();
        let lock = Lock::new(Digest::of("plan"), id, Digest::of("roster"));
        Record::Begun { version: JOURNAL_VERSION, run: "r".to_owned(), lock }
    }

    fn started(attempt: u32) -> Record {
        let base = ObjectId::new("2".repeat(40)).unwrap();
        Record::Started { task: TaskId::new("feature").unwrap(), attempt, base, brief: Digest::of("brief") }
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
    async fn a_journal_cut_anywhere_is_gone_on_with() {
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
    async fn what_cannot_be_gone_on_with_is_left_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal.jsonl");
        journal_of(&path, [begun(), started(1)]).await;
        let other = Lock::new(Digest::of("other"), ObjectId::new("1".repeat(40)).unwrap(), Digest::of("roster"));
        assert!(matches!(Journal::resume(&path, &other), Err(JournalError::OtherLock { .. })));
        let newer = |kind: &str| {
            let body = format!("{{\"seq\":2,\"at_ms\":7,\"record\":\"{kind}\"}}");
            let Record::Begun { lock, .. } = begun() else { panic!() };
            let first = Line {
                seq: 1,
                at_ms: 0,
                record: Record::Begun { version: JOURNAL_VERSION + 1, run: "r".to_owned(), lock },
            };
            let first = serde_json::to_string(&first).unwrap();
            let sum = checksum("", &first);
            let next = checksum(&sum, &body);
            format!("{LINE_START}{sum}{LINE_MIDDLE}{first}{LINE_END}{LINE_START}{next}{LINE_MIDDLE}{body}{LINE_END}")
        };
        for text in [newer("resumed"), newer("from-the-future")] {
            std::fs::write(&path, &text).unwrap();
            let refused = Journal::resume(&path, &lock_of(&begun()));
            assert!(matches!(refused, Err(JournalError::Newer { found, .. }) if found == JOURNAL_VERSION + 1));
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
        // A beginning that is whole, and of no known kind.
        let body = "{\"seq\":1,\"at_ms\":7,\"record\":\"began-anew\"}";
        let text = format!("{LINE_START}{}{LINE_MIDDLE}{body}{LINE_END}", checksum("", body));
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
        assert!(matches!(Journal::create(&path), Err(JournalError::Io { .. })));
    }

    #[tokio::test]
    async fn a_full_disk_is_an_error_of_the_sync() {
        if !Path::new("/dev/full").exists() {
            eprintln!("SKIPPED a_full_disk_is_an_error_of_the_sync: no /dev/full here");
            return;
        }
        let file = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut writer = Writer { file, seq: 0, previous: String::new(), failed: None };
        assert!(writer.write(b"x\n").is_err());
        assert!(writer.write(b"").is_err(), "what comes behind a failed write is refused too");
    }
}
