//! The log of a step. The runner reads it and acts on what looks like a command, so that foreign text must never look
//! like one.

use std::io::Write as _;

use implementer_model::text;

use super::runner::random;

/// How much an annotation weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Worth knowing.
    Notice,
    /// Somebody should look.
    Warning,
    /// Somebody has to fix it.
    Error,
}

impl Level {
    fn command(self) -> &'static str {
        match self {
            Self::Notice => "notice",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// Makes the command that annotates a line of a file, or the run as a whole.
#[must_use]
pub fn annotation(level: Level, place: Option<(&str, usize)>, title: &str, message: &str) -> String {
    let mut properties = vec![format!("title={}", property(title))];
    if let Some((file, line)) = place {
        properties.insert(0, format!("file={},line={line}", property(file)));
    }
    format!("::{} {}::{}", level.command(), properties.join(","), data(message))
}

/// Escapes the data of a command as the runner's own toolkit does.
fn data(text: &str) -> String {
    text::plain(text).replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes a property of a command.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// The log of a step: lines in which no command is obeyed, and commands of ours.
///
/// Commands are switched off from the beginning, with a token that nobody else knows, and on again only around a
/// command of our own.
#[derive(Debug)]
pub struct WorkflowLog {
    token: String,
}

impl WorkflowLog {
    /// Switches commands off.
    #[must_use]
    pub fn begin() -> Self {
        let token = random();
        print(&format!("::stop-commands::{token}\n"));
        Self { token }
    }

    /// Writes a line of text.
    pub fn line(&self, line: &str) {
        print(&harmless(line));
    }

    /// Gives the runner a command.
    pub fn command(&self, command: &str) {
        // In one piece: nothing of another thread's can come between.
        print(&format!("::{0}::\n{command}\n::stop-commands::{0}\n", self.token));
    }
}

impl Drop for WorkflowLog {
    fn drop(&mut self) {
        print(&format!("::{}::\n", self.token));
    }
}

/// Makes text that the runner would not take for a command even where commands are on: it looks for `::` at the
/// beginning of a line, and for `##[` anywhere in it.
#[must_use]
pub(super) fn harmless(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 1);
    for line in text::plain(text).lines() {
        if line.trim_start().starts_with("::") {
            out.push('\u{200c}');
        }
        out.push_str(&line.replace("##[", "##\u{200c}["));
        out.push('\n');
    }
    out
}

fn print(text: &str) {
    // A log that is gone is nothing that could be told anybody.
    let mut stdout = std::io::stdout().lock();
    let _ = stdout.write_all(text.as_bytes());
    let _ = stdout.flush();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_stays_inside_its_annotation() {
        let command = annotation(
            Level::Error,
            Some(("plans/a,b:c.md", 3)),
            "Plan",
            "100% wrong\r\n::set-output name=x::y\u{1b}[31m",
        );
        insta::assert_snapshot!(command, @"::error file=plans/a%2Cb%3Ac.md,line=3,title=Plan::100%25 wrong%0A::set-output name=x::y");
    }

    proptest::proptest! {
        #[test]
        fn no_line_of_text_is_a_command(text in "[ \t:#\\[a-z\r\n]{0,60}") {
            for line in harmless(&text).lines() {
                proptest::prop_assert!(!line.trim_start().starts_with("::"), "{line:?}");
                proptest::prop_assert!(!line.contains("##["), "{line:?}");
            }
        }

        #[test]
        fn an_annotation_is_one_line(text in "\\PC{0,40}[\r\n]{1,3}\\PC{0,40}") {
            proptest::prop_assert_eq!(annotation(Level::Notice, None, &text, &text).lines().count(), 1);
        }
    }
}
