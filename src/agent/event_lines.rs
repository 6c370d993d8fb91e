//! The lines of a program's answer as it comes in: each is one event, an object of JSON, whatever a terminal's escape
//! sequences stand before it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The longest line that is looked at for a last word, in bytes: a report is shorter.
const LINE_MAX: usize = 4 * 1024 * 1024;

/// What an event has to say to be a program's last word: texts at JSON pointers, all of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastWord(pub Vec<(String, String)>);

impl LastWord {
    fn is_said_by(&self, event: &Value) -> bool {
        self.0.iter().all(|(pointer, text)| event.pointer(pointer).and_then(Value::as_str) == Some(text))
    }
}

/// Reads the event that a line holds; `None` when it holds something else.
pub(super) fn event(line: &str) -> Option<Value> {
    let begin = line.find('{')?;
    let nothing_before = implementer_model::text::plain(&line[..begin]).trim().is_empty();
    let mut values = serde_json::Deserializer::from_str(&line[begin..]).into_iter::<Value>();
    values.next()?.ok().filter(|_| nothing_before)
}

/// Listens for a program's last word in whatever pieces its lines come.
pub(super) struct LastWordListener {
    words: Vec<LastWord>,
    line: Vec<u8>,
    /// Whether the rest of the line is passed over.
    is_too_long: bool,
}

impl LastWordListener {
    pub(super) fn new(words: Vec<LastWord>) -> Self {
        Self { words, line: Vec::new(), is_too_long: false }
    }

    /// Takes what the program wrote. Returns whether it ends with the last word.
    pub(super) fn take(&mut self, bytes: &[u8]) -> bool {
        let mut said = false;
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let ends = piece.last() == Some(&b'\n');
            if self.line.len() + piece.len() > LINE_MAX {
                self.is_too_long = true;
                self.line.clear();
            }
            if !self.is_too_long {
                self.line.extend_from_slice(piece);
                // A last line needs no end.
                let whole = ends || piece.trim_ascii_end().last() == Some(&b'}');
                said = whole && self.is_last_word();
            }
            if ends {
                self.line.clear();
                self.is_too_long = false;
            }
        }
        said
    }

    fn is_last_word(&self) -> bool {
        let line = String::from_utf8_lossy(&self.line);
        event(&line).is_some_and(|event| self.words.iter().any(|word| word.is_said_by(&event)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listener() -> LastWordListener {
        let of = |pairs: &[(&str, &str)]| {
            LastWord(pairs.iter().map(|(pointer, text)| ((*pointer).to_owned(), (*text).to_owned())).collect())
        };
        LastWordListener::new(vec![of(&[("/type", "result")]), of(&[("/type", "step"), ("/part/reason", "stop")])])
    }

    #[test]
    fn a_last_word_is_heard_however_it_is_written_and_cut() {
        for text in [
            "{\"type\":\"result\"}\n",
            "{ \"a\": {\"type\": \"x\"}, \"type\": \"result\" }\n",
            "warning\n\u{1b}[2K\r\u{1b}[1m{\"type\":\"result\"}\u{1b}[0m\n",
            "\u{1b}]0;title\u{7}{\"type\":\"result\"}\n",
            "{\"type\":\"step\",\"part\":{\"reason\":\"stop\"}}\n",
            "{\"type\":\"result\"}",
        ] {
            for size in 1..=text.len() {
                let mut listener = listener();
                let heard = text.as_bytes().chunks(size).filter(|piece| listener.take(piece)).count() > 0;
                assert!(heard, "{size}: {text}");
            }
        }
    }

    #[test]
    fn nothing_else_is_a_last_word() {
        for text in [
            "{\"type\":\"assistant\",\"text\":\"{\\\"type\\\":\\\"result\\\"}\"}\n",
            "note {\"type\":\"result\"}\n",
            "{\"type\":\"step\",\"part\":{\"reason\":\"tool-calls\"}}\n",
            "result\n",
        ] {
            assert!(!listener().take(text.as_bytes()), "{text}");
        }
        let long = format!("{{\"a\":\"{}\",\"type\":\"result\"}}\n", "x".repeat(LINE_MAX));
        let mut listener = listener();
        assert!(!listener.take(long.as_bytes()));
        assert!(listener.take(b"{\"type\":\"result\"}\n"), "the next line counts again");
    }
}
