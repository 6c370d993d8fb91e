//! Reads the log of a gate for what test runners say at their end, in bounded memory: a gate may print as much as it likes.

use std::{collections::VecDeque, io::BufRead};

/// The longest line that a test runner's words stand in, in bytes; longer ones are left out.
const LINE_MAX: usize = 4 * 1024;

/// The most bytes, and the most lines, that are kept from the beginning: what runners say when they start.
const HEAD_BYTES: usize = 256 * 1024;
const HEAD_LINES: usize = 4_000;

/// The most bytes, and the most lines, that are kept from the end: what runners say when they are done.
const TAIL_BYTES: usize = 1024 * 1024;
const TAIL_LINES: usize = 16_000;

/// Reads the lines of a log that `relevant` finds worth keeping. Where there are more than are kept, those in the middle
/// are left out.
///
/// # Errors
/// When the log cannot be read.
pub(super) fn read(mut log: impl BufRead, relevant: impl Fn(&str) -> bool) -> std::io::Result<String> {
    let (mut head, mut tail) = (Kept::default(), Kept::default());
    let mut line = Vec::new();
    while next_line(&mut log, &mut line)? {
        if line.len() > LINE_MAX {
            continue;
        }
        let text = String::from_utf8_lossy(&line);
        if !relevant(&text) {
            continue;
        }
        if tail.lines.is_empty() && head.bytes + text.len() <= HEAD_BYTES && head.lines.len() < HEAD_LINES {
            head.push(text.into_owned());
        } else {
            tail.push(text.into_owned());
            while tail.bytes > TAIL_BYTES || tail.lines.len() > TAIL_LINES {
                tail.drop_first();
            }
        }
    }
    let mut all = String::with_capacity(head.bytes + tail.bytes + head.lines.len() + tail.lines.len());
    for line in head.lines.iter().chain(&tail.lines) {
        all.push_str(line);
        all.push('\n');
    }
    Ok(all)
}

#[derive(Default)]
struct Kept {
    lines: VecDeque<String>,
    bytes: usize,
}

impl Kept {
    fn push(&mut self, line: String) {
        self.bytes += line.len();
        self.lines.push_back(line);
    }

    fn drop_first(&mut self) {
        if let Some(line) = self.lines.pop_front() {
            self.bytes -= line.len();
        }
    }
}

/// Reads a line without its end; of one that is too long no more than shows that it is. `false` at the end of the log.
fn next_line(log: &mut impl BufRead, line: &mut Vec<u8>) -> std::io::Result<bool> {
    line.clear();
    let mut any = false;
    loop {
        let buffer = log.fill_buf()?;
        if buffer.is_empty() {
            return Ok(any);
        }
        any = true;
        let end = buffer.iter().position(|&byte| byte == b'\n');
        let part = &buffer[..end.unwrap_or(buffer.len())];
        let room = (LINE_MAX + 1).saturating_sub(line.len());
        line.extend_from_slice(&part[..part.len().min(room)]);
        let taken = end.map_or(buffer.len(), |end| end + 1);
        log.consume(taken);
        if end.is_some() {
            return Ok(true);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    fn all(_: &str) -> bool {
        true
    }

    #[test]
    fn short_logs_are_read_whole() {
        for (log, expected) in [("", ""), ("a", "a\n"), ("a\n\nb\n", "a\n\nb\n"), ("one\r\ntwo", "one\r\ntwo\n")] {
            // A buffer of one byte, so that lines go over its end.
            let read = read(BufReader::with_capacity(1, log.as_bytes()), all).unwrap();
            assert_eq!(read, expected);
        }
    }

    #[test]
    fn of_a_long_log_the_beginning_and_the_end_are_kept() {
        let mut log = String::from("=== RUN first\n");
        for number in 0..200_000 {
            log.push_str(&format!("line {number} of a program that says much\n"));
        }
        log.push_str("3 passed\n");
        let kept = read(log.as_bytes(), all).unwrap();
        assert!(kept.starts_with("=== RUN first\n") && kept.ends_with("3 passed\n"));
        assert!(kept.len() < HEAD_BYTES + TAIL_BYTES + HEAD_LINES + TAIL_LINES, "{}", kept.len());
        let kept = read(log.as_bytes(), |line| line.contains("passed")).unwrap();
        assert_eq!(kept, "3 passed\n");
    }

    #[test]
    fn a_line_without_an_end_takes_no_memory_and_hides_nothing() {
        let log = format!("1 passed\n{}\n2 failed\n", "x".repeat(3 * LINE_MAX));
        assert_eq!(read(BufReader::with_capacity(100, log.as_bytes()), all).unwrap(), "1 passed\n2 failed\n");
    }
}
