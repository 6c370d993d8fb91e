//! One event, one line of the log: a name with a line break in it must not write a line of its own, which the runner would
//! take for a command of ours.

use std::io::{self, Write};

use implementer_model::text;

/// Writes events to standard error. The log gives each event in one piece, with a line break at its end.
pub(super) struct LogLine;

impl Write for LogLine {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        io::stderr().write_all(one_line(&String::from_utf8_lossy(event)).as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// Escapes every line break but the last, and shows what nobody sees. Colours of the log itself stay; those of values were
/// escaped when they were formatted.
fn one_line(event: &str) -> String {
    let (line, end) = event.strip_suffix('\n').map_or((event, ""), |line| (line, "\n"));
    let mut out = String::with_capacity(event.len());
    for c in text::visible(line).chars() {
        match c {
            '\u{1b}' | '\t' => out.push(c),
            c if c.is_control() => out.extend(c.escape_default()),
            c => out.push(c),
        }
    }
    out + end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_with_line_breaks_stays_in_its_line() {
        let event = "WARN left out path=a\n::set-output name=x::y\r\u{200b}b\n";
        assert_eq!(one_line(event), "WARN left out path=a\\n::set-output name=x::y\\r‹U+200B›b\n");
        assert_eq!(one_line("\u{1b}[33mWARN\u{1b}[0m x\n"), "\u{1b}[33mWARN\u{1b}[0m x\n");
    }
}
