//! A journal in a file, with a writer of its own that syncs in batches.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    thread::JoinHandle,
};

use implementer_model::{
    lock::Lock,
    record::{Record, Timed},
};
use tokio::sync::{mpsc, oneshot};

use super::{
    JournalError,
    lines::{Chain, Lines},
    read::{check_lock, read_own},
    seal::Seal,
};

/// What the writer is asked for.
enum Request {
    Append { at_ms: u64, record: Box<Record> },
    Sync(oneshot::Sender<Result<(), io::Error>>),
}

/// An open journal.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    requests: mpsc::UnboundedSender<Request>,
    writer: Option<JoinHandle<()>>,
}

impl Journal {
    /// Creates the journal file, which must not exist yet, and starts its writer.
    ///
    /// # Errors
    /// When the file cannot be created.
    pub fn create(path: &Path) -> Result<Self, JournalError> {
        Self::create_sealed(path, Seal::open())
    }

    /// Creates a journal as [`Self::create`] does, whose lines are bound by `seal`.
    ///
    /// # Errors
    /// When the file cannot be created.
    pub fn create_sealed(path: &Path, seal: Seal) -> Result<Self, JournalError> {
        Self::start(path, Writer::new(path, create_file(path)?, Chain::new(seal)))
    }

    /// Opens the journal of a run that was interrupted, to append behind its last record. A torn last line is cut off
    /// first, so that what comes can be read.
    ///
    /// # Errors
    /// When it is damaged before its end, of a newer version, of another lock, or cannot be written.
    pub fn resume(path: &Path, lock: &Lock) -> Result<(Self, Vec<Timed>), JournalError> {
        Self::resume_sealed(path, lock, &Seal::open())
    }

    /// Opens a journal as [`Self::resume`] does, whose lines are bound by `seal`.
    ///
    /// # Errors
    /// As [`Self::resume`], and when another key sealed it.
    pub fn resume_sealed(path: &Path, lock: &Lock, seal: &Seal) -> Result<(Self, Vec<Timed>), JournalError> {
        let Lines { records, chain, good_bytes } = read_own(path, seal)?;
        check_lock(path, &records, lock)?;
        let io_error = |source| JournalError::Write { path: path.to_owned(), source };
        let mut file = OpenOptions::new().write(true).open(path).map_err(io_error)?;
        opened(path);
        file.set_len(good_bytes).and_then(|()| sync_data(&file, path)).map_err(io_error)?;
        io::Seek::seek(&mut file, io::SeekFrom::End(0)).map_err(io_error)?;
        Ok((Self::start(path, Writer::new(path, file, chain))?, records))
    }

    fn start(path: &Path, writer: Writer) -> Result<Self, JournalError> {
        let (requests, queue) = mpsc::unbounded_channel();
        let writer = std::thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || writer.run(queue))
            .map_err(|source| JournalError::Write { path: path.to_owned(), source })?;
        Ok(Self { path: path.to_owned(), requests, writer: Some(writer) })
    }

    /// Hands a record to the writer and goes on; an error comes out of the next [`Self::sync`].
    pub fn append(&self, at_ms: u64, record: Record) {
        // A writer that is gone has said why to an earlier sync, and says so again to the next.
        let _ = self.requests.send(Request::Append { at_ms, record: Box::new(record) });
    }

    /// Waits until everything that was appended is on the disk.
    ///
    /// # Errors
    /// When anything could not be written since the journal was opened.
    pub async fn sync(&self) -> Result<(), JournalError> {
        let given_up = || JournalError::GivenUp { path: self.path.clone() };
        let (done, wait) = oneshot::channel();
        self.requests.send(Request::Sync(done)).map_err(|_| given_up())?;
        wait.await.map_err(|_| given_up())?.map_err(|source| JournalError::Write { path: self.path.clone(), source })
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        let (closed, _) = mpsc::unbounded_channel();
        self.requests = closed;
        if let Some(writer) = self.writer.take() {
            // The writer ends as soon as its queue is empty. That it panicked would change nothing any more.
            let _ = writer.join();
        }
    }
}

/// Writes records as a new journal, with one sync.
///
/// # Errors
/// When the file is there already, or cannot be written.
pub fn write(path: &Path, records: &[Timed]) -> Result<(), JournalError> {
    let mut writer = Writer::new(path, create_file(path)?, Chain::default());
    let mut batch = Vec::new();
    for (at_ms, record) in records {
        writer.chain.encode(*at_ms, record, &mut batch);
    }
    writer.write(&batch).map_err(|source| JournalError::Write { path: path.to_owned(), source })
}

fn create_file(path: &Path) -> Result<File, JournalError> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    opened(path);
    file.map_err(|source| JournalError::Write { path: path.to_owned(), source })
}

/// Says that a journal is opened. Tests count these lines, and those about syncs.
pub(super) fn opened(path: &Path) {
    tracing::debug!(path = %path.display(), "opened a journal");
}

fn sync_data(file: &File, path: &Path) -> io::Result<()> {
    tracing::debug!(path = %path.display(), "synced a journal");
    file.sync_data()
}

pub(super) struct Writer {
    path: PathBuf,
    file: File,
    chain: Chain,
    failed: Option<io::ErrorKind>,
}

impl Writer {
    pub(super) fn new(path: &Path, file: File, chain: Chain) -> Self {
        Self { path: path.to_owned(), file, chain, failed: None }
    }

    /// Takes everything that waits, writes it in one go and syncs once, so that a wave of 256 tasks costs a handful of
    /// syncs and not 256.
    fn run(mut self, mut queue: mpsc::UnboundedReceiver<Request>) {
        let mut batch = Vec::new();
        while let Some(request) = queue.blocking_recv() {
            let mut waiting = Vec::new();
            let mut next = Some(request);
            while let Some(request) = next {
                match request {
                    Request::Append { at_ms, record } => self.chain.encode(at_ms, &record, &mut batch),
                    Request::Sync(done) => waiting.push(done),
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

    pub(super) fn write(&mut self, batch: &[u8]) -> io::Result<()> {
        // After one failed write the file may end in half a line: what came behind it could never be read.
        if let Some(kind) = self.failed {
            return Err(kind.into());
        }
        let result = self.file.write_all(batch).and_then(|()| sync_data(&self.file, &self.path));
        if let Err(error) = &result {
            self.failed = Some(error.kind());
        }
        result
    }
}
