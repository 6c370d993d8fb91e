//! What a program writes on standard output, where that is its answer: kept in a file of its own, bounded, with its
//! turns counted line by line.

use std::{
    fs::File,
    io::{self, Write as _},
};

use serde::{Deserialize, Serialize};

use super::event_lines::{LastWord, LastWordListener};

/// Where an answer goes, and how much of it may come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct AnswerFile {
    /// The file that gets standard output, which then is no part of the log.
    pub path: std::path::PathBuf,
    /// The most bytes that it holds.
    pub cap: u64,
    /// The turns that are counted, and the most of them. One more, and the process is stopped.
    pub turns: Option<TurnLimit>,
    /// What the program says when its work is done: whoever stays after it is ended.
    #[serde(default)]
    pub last_words: Vec<LastWord>,
}

/// Lines that count as turns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct TurnLimit {
    /// How such a line begins.
    pub prefix: String,
    /// The most of them.
    pub max: u64,
}

/// An answer as it comes in.
pub(super) struct Answer {
    file: File,
    room: u64,
    pub(super) truncated: bool,
    turns: Option<TurnCounter>,
    last_word: LastWordListener,
}

/// What was heard in a piece of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Heard {
    /// It has taken more turns than it may.
    pub(super) out_of_turns: bool,
    /// It said its last word.
    pub(super) last_word: bool,
}

impl Answer {
    pub(super) fn begin(orders: &AnswerFile) -> io::Result<Self> {
        let file = super::output::open_log(&orders.path)?;
        let turns = orders.turns.clone().map(TurnCounter::new);
        Ok(Self {
            file,
            room: orders.cap,
            truncated: false,
            turns,
            last_word: LastWordListener::new(orders.last_words.clone()),
        })
    }

    /// Takes what the process wrote.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Heard {
        let kept = bytes.len().min(usize::try_from(self.room).unwrap_or(usize::MAX));
        self.room -= kept as u64;
        // An answer that cannot be kept is none; that it is not whole is told.
        let written = self.file.write_all(&bytes[..kept]).is_ok();
        self.truncated |= kept < bytes.len() || !written;
        Heard {
            out_of_turns: self.turns.as_mut().is_some_and(|turns| turns.take(bytes)),
            last_word: self.last_word.take(bytes),
        }
    }
}

/// Counts the lines that begin in a certain way, whatever pieces they come in.
struct TurnCounter {
    limit: TurnLimit,
    taken: u64,
    /// How much of the prefix the line has so far; `None` when it begins in another way, or was counted.
    matched: Option<usize>,
    /// Where an escape sequence stands that began before the line's text.
    escape: Option<Escape>,
}

/// How far an escape sequence has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Escape {
    Begun,
    Control,
    Title,
}

impl TurnCounter {
    fn new(limit: TurnLimit) -> Self {
        Self { limit, taken: 0, matched: Some(0), escape: None }
    }

    fn take(&mut self, bytes: &[u8]) -> bool {
        let prefix = self.limit.prefix.as_bytes();
        for &byte in bytes {
            if byte == b'\n' {
                self.matched = Some(0);
                self.escape = None;
            } else if let Some(escape) = self.escape {
                self.escape = match (escape, byte) {
                    (Escape::Begun, b'[') => Some(Escape::Control),
                    (Escape::Begun, b']') => Some(Escape::Title),
                    (Escape::Begun, _) | (Escape::Control, 0x40..=0x7e) | (Escape::Title, 0x07) => None,
                    (Escape::Title, 0x1b) => Some(Escape::Begun),
                    (escape, _) => Some(escape),
                };
            } else if self.matched == Some(0) && byte == 0x1b {
                self.escape = Some(Escape::Begun);
            } else if self.matched == Some(0) && matches!(byte, b' ' | b'\r') {
            } else if let Some(matched) = self.matched {
                self.matched = (prefix.get(matched) == Some(&byte)).then_some(matched + 1);
                if self.matched == Some(prefix.len()) {
                    self.taken += 1;
                    self.matched = None;
                }
            }
        }
        self.taken > self.limit.max
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counter(max: u64) -> TurnCounter {
        TurnCounter::new(TurnLimit { prefix: "{\"type\":\"turn\"".to_owned(), max })
    }

    #[test]
    fn turns_are_counted_at_the_beginning_of_lines_only_however_they_are_cut() {
        let text = "{\"type\":\"turn\"}\nx {\"type\":\"turn\"}\n{\"type\":\"other\"}\n{\"type\":\"turn\",\"a\":1}\n";
        for size in 1..text.len() {
            let mut counter = counter(2);
            assert!(!text.as_bytes().chunks(size).any(|piece| counter.take(piece)), "{size}");
            assert_eq!(counter.taken, 2);
            assert!(counter.take(b"\x1b[2K\r\x1b[0m{\"type\":\"turn\""), "the third, before its line is whole");
        }
    }

    #[test]
    fn an_answer_is_kept_to_its_cap() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("answer");
        let mut answer =
            Answer::begin(&AnswerFile { path: path.clone(), cap: 4, turns: None, last_words: Vec::new() }).unwrap();
        let nothing = Heard { out_of_turns: false, last_word: false };
        assert!(answer.take(b"012") == nothing && !answer.truncated);
        assert!(answer.take(b"345") == nothing && answer.truncated);
        assert_eq!(std::fs::read(path).unwrap(), b"0123");
    }
}
