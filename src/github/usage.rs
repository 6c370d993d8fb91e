//! How many requests a run has made: the budget that the log reports.

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
};

use http::HeaderMap;
use implementer_model::text;

/// No `x-ratelimit-remaining` was seen yet.
const UNKNOWN: u64 = u64::MAX;

/// Counts while requests are made.
#[derive(Debug)]
pub(super) struct Counter {
    reads: AtomicU64,
    writes: AtomicU64,
    live: AtomicU64,
    unchanged: AtomicU64,
    retries: AtomicU64,
    remaining: AtomicU64,
}

/// What was counted so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Requests that only read, live updates aside.
    pub reads: u64,
    /// Requests that change something, live updates aside.
    pub writes: u64,
    /// Updates of the comment while the run goes on.
    pub live: u64,
    /// Reads that were answered with 304 and cost nothing.
    pub unchanged: u64,
    /// Requests that were made again; they are among the others too.
    pub retries: u64,
    /// What is left of the token's rate limit, as GitHub last said.
    pub remaining: Option<u64>,
}

/// What a request is counted as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counts {
    Read,
    Write,
    Live,
}

impl Default for Counter {
    fn default() -> Self {
        Self {
            reads: AtomicU64::default(),
            writes: AtomicU64::default(),
            live: AtomicU64::default(),
            unchanged: AtomicU64::default(),
            retries: AtomicU64::default(),
            remaining: AtomicU64::new(UNKNOWN),
        }
    }
}

impl Counter {
    pub(super) fn request(&self, counts: Counts) {
        let counter = match counts {
            Counts::Read => &self.reads,
            Counts::Write => &self.writes,
            Counts::Live => &self.live,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn retry(&self) {
        self.retries.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn unchanged(&self) {
        self.unchanged.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn answer(&self, headers: &HeaderMap) {
        let remaining = headers.get("x-ratelimit-remaining").and_then(|value| value.to_str().ok()?.parse().ok());
        if let Some(remaining) = remaining {
            self.remaining.store(remaining, Ordering::Relaxed);
        }
    }

    pub(super) fn snapshot(&self) -> Usage {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Usage {
            reads: read(&self.reads),
            writes: read(&self.writes),
            live: read(&self.live),
            unchanged: read(&self.unchanged),
            retries: read(&self.retries),
            remaining: Some(read(&self.remaining)).filter(|&remaining| remaining != UNKNOWN),
        }
    }
}

impl Usage {
    /// Returns the requests in all, live updates aside.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.reads + self.writes
    }
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = |n: u64, what| text::count(usize::try_from(n).unwrap_or(usize::MAX), what);
        write!(
            f,
            "{} to GitHub ({} read, {} written; {} unchanged, {} repeated) and {}",
            count(self.requests(), "request"),
            self.reads,
            self.writes,
            self.unchanged,
            self.retries,
            count(self.live, "live update"),
        )?;
        match self.remaining {
            Some(remaining) => write!(f, "; {remaining} left of the rate limit"),
            None => Ok(()),
        }
    }
}
