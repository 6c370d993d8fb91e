//! How text fits a terminal: its colours and its width. NO_COLOR turns colour off, CLICOLOR_FORCE turns it on where there is no terminal.

use std::{env, io::IsTerminal as _};

/// A colour of the terminal's own palette, so that it fits the user's theme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Colour {
    Green,
    Red,
    Yellow,
    Faint,
    Bold,
}

/// Whether text for one stream is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Colours(bool);

impl Colours {
    /// For what goes to standard error.
    pub(super) fn of_stderr() -> Self {
        Self::from_environment(std::io::stderr().is_terminal())
    }

    /// For what goes to standard output.
    pub(super) fn of_stdout() -> Self {
        Self::from_environment(std::io::stdout().is_terminal())
    }

    fn from_environment(terminal: bool) -> Self {
        let set = |name: &str| env::var_os(name).map(|value| value.to_string_lossy().into_owned());
        Self(wanted(set, terminal))
    }

    /// Tells whether text is coloured.
    pub(super) fn on(self) -> bool {
        self.0
    }

    /// Colours a text that holds nothing a terminal acts on.
    pub(super) fn paint(self, colour: Colour, text: &str) -> String {
        let code = match colour {
            Colour::Green => "32",
            // Bold: many palettes have a red that is hard to read on black.
            Colour::Red => "1;31",
            Colour::Yellow => "33",
            Colour::Faint => "2",
            Colour::Bold => "1",
        };
        if self.0 && !text.is_empty() { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// The least that a command is indented, in columns.
const COMMAND_INDENT_MIN: usize = 2;

/// Returns how many columns the terminal has that a stream goes to; none where there is no terminal.
pub(super) fn columns(stream: impl std::os::fd::AsFd) -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(stream).ok()?;
    (size.ws_col > 0).then_some(usize::from(size.ws_col))
}

/// Tells whether a line is a command, or a part of one, that a next step has for people to copy.
pub(super) fn is_to_be_copied(line: &str) -> bool {
    const BEGINNINGS: [&str; 5] = ["backend-implementer ", "git switch ", "gh run download ", "--name ", "/implement "];
    BEGINNINGS.iter().any(|beginning| line.starts_with(beginning))
}

/// Breaks lines between words where they are wider than the terminal; further lines are indented. A command is moved to the
/// left as far as it needs, and one that is still too long is left to the terminal, which breaks it so that it can be copied.
pub(super) fn wrapped(text: &str, columns: usize, indent: usize) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        let command = line.trim_start();
        if is_to_be_copied(command) {
            let before = line.chars().count() - command.chars().count();
            let room = columns.saturating_sub(command.chars().count());
            out.push_str(&" ".repeat(before.min(room.max(COMMAND_INDENT_MIN))));
            out.push_str(command);
            out.push('\n');
            continue;
        }
        let mut width = 0;
        for word in line.split_inclusive(' ') {
            let long = word.trim_end().chars().count();
            if width > indent && width + long > columns {
                out.truncate(out.trim_end().len());
                out.push('\n');
                out.push_str(&" ".repeat(indent));
                width = indent;
            }
            out.push_str(word);
            width += word.chars().count();
        }
        out.push('\n');
    }
    out
}

/// Follows <https://no-color.org> and <https://bixense.com/clicolors>.
fn wanted(set: impl Fn(&str) -> Option<String>, terminal: bool) -> bool {
    let is = |name: &str, off: &str| set(name).is_some_and(|value| value == off);
    if set("NO_COLOR").is_some_and(|value| !value.is_empty()) {
        return false;
    }
    if set("CLICOLOR_FORCE").is_some_and(|value| !value.is_empty() && value != "0") {
        return true;
    }
    terminal && !is("CLICOLOR", "0") && !is("TERM", "dumb")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_follows_the_environment() {
        for (environment, terminal, expected) in [
            (&[][..], true, true),
            (&[], false, false),
            (&[("NO_COLOR", "1")], true, false),
            (&[("NO_COLOR", "")], true, true),
            (&[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")], true, false),
            (&[("CLICOLOR_FORCE", "1")], false, true),
            (&[("CLICOLOR_FORCE", "0")], false, false),
            (&[("CLICOLOR", "0")], true, false),
            (&[("TERM", "dumb")], true, false),
        ] {
            let set = |name: &str| environment.iter().find(|(key, _)| *key == name).map(|(_, v)| (*v).to_owned());
            assert_eq!(wanted(set, terminal), expected, "{environment:?}, terminal {terminal}");
        }
    }

    #[test]
    fn lines_break_between_words_and_nothing_is_lost() {
        assert_eq!(wrapped("  fix  one two three\nshort\n", 14, 7), "  fix  one two\n       three\nshort\n");
        assert_eq!(wrapped("     backend-implementer show a b\n", 14, 7), "  backend-implementer show a b\n");
        assert_eq!(wrapped("     backend-implementer show a b\n", 32, 7), "    backend-implementer show a b\n");
        assert_eq!(wrapped("     backend-implementer show a b\n", 40, 7), "     backend-implementer show a b\n");
        let long = "x".repeat(40);
        assert_eq!(wrapped(&format!("  fix  {long}\n"), 20, 7), format!("  fix  {long}\n"));
    }

    #[test]
    fn paint_does_nothing_without_colour() {
        assert_eq!(Colours(false).paint(Colour::Red, "x"), "x");
        assert_eq!(Colours(true).paint(Colour::Red, "x"), "\u{1b}[1;31mx\u{1b}[0m");
    }
}
