//! Commands in comments: `/implement`, `/implement retry TASK`, `/implement cancel`.

use crate::text;

/// The word that a command begins with.
const COMMAND: &str = "/implement";

/// The digits of a lock that a command may name.
const LOCK_DIGITS: std::ops::RangeInclusive<usize> = 12..=64;

/// What a comment asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Run the plan.
    Run {
        /// The lock that is approved; without it, what the last preview showed.
        lock: Option<String>,
    },
    /// Run the plan again for the sake of one task.
    Retry {
        /// The task.
        task: String,
    },
    /// End the run that is at work.
    Cancel,
    /// Show the plan again.
    Plan,
}

/// Says why a comment that begins as a command is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{message}; the commands are `/implement [LOCK]`, `/implement plan`, `/implement retry TASK` and `/implement cancel`"
)]
pub struct CommandError {
    message: String,
}

/// Reads the command in a comment. It is the first line that is not blank; what follows is for people. `None` when the
/// comment is no command.
#[must_use]
pub fn read(comment: &str) -> Option<Result<Command, CommandError>> {
    let line = comment.lines().find(|line| !is_blank(line))?;
    // Four blanks or a tab would be a code block, `>` a quote.
    if line.starts_with("    ") || line.starts_with('\t') {
        return None;
    }
    let visible = without_invisible(line);
    let rest = match visible.trim_start().split_at_checked(COMMAND.len()) {
        Some((word, rest)) if word.eq_ignore_ascii_case(COMMAND) => rest,
        _ => return None,
    };
    if !rest.is_empty() && !rest.starts_with(char::is_whitespace) {
        return None;
    }
    // Whoever reads it takes it for a command. It gets an answer, because nothing would look like a run that hangs.
    if visible != line {
        let message = "it holds characters that nobody sees; write the command anew by hand".to_owned();
        return Some(Err(CommandError { message }));
    }
    if !line.starts_with(COMMAND) {
        let message = format!("{} is no command: it begins the line, in small letters", shown(line));
        return Some(Err(CommandError { message }));
    }
    let mut words = rest.split_whitespace();
    let command = match (words.next(), words.next(), words.next()) {
        (None, ..) => Ok(Command::Run { lock: None }),
        (Some("cancel"), None, _) => Ok(Command::Cancel),
        (Some("plan"), None, _) => Ok(Command::Plan),
        (Some("retry"), Some(task), None) => Ok(Command::Retry { task: task.trim_matches('`').to_owned() }),
        (Some("retry"), None, _) => Err("`retry` needs the name of a task".to_owned()),
        (Some(lock), None, _) => lock_of(lock).map(|lock| Command::Run { lock: Some(lock) }),
        _ => Err(format!("there is more on the line than a command: {}", shown(line))),
    };
    Some(command.map_err(|message| CommandError { message }))
}

/// Takes out what has no width: it makes two commands look the same.
fn without_invisible(line: &str) -> String {
    line.chars().filter(|character| !is_invisible(*character)).collect()
}

fn is_invisible(character: char) -> bool {
    // Soft hyphen, joiners and marks of direction, the filler of Hangul, the byte order mark, tags, variation selectors.
    matches!(character,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
        | '\u{ffa0}' | '\u{e0000}'..='\u{e0fff}')
        || character.is_control() && !character.is_whitespace()
}

fn is_blank(line: &str) -> bool {
    line.chars().all(|character| character.is_whitespace() || is_invisible(character))
}

fn lock_of(word: &str) -> Result<String, String> {
    let word = word.trim_matches('`');
    let hex = word.strip_prefix("sha256:").unwrap_or(word);
    if LOCK_DIGITS.contains(&hex.len()) && hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(hex.to_ascii_lowercase());
    }
    Err(format!("{} is neither a command nor a lock of 12 to 64 hex digits", shown(word)))
}

fn shown(foreign: &str) -> String {
    format!("“{}”", text::truncate(&text::terminal(foreign), 80))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(comment: &str) -> String {
        match read(comment) {
            None => "nothing".to_owned(),
            Some(Ok(command)) => format!("{command:?}"),
            Some(Err(error)) => error.to_string(),
        }
    }

    #[test]
    fn commands_are_read() {
        let run = |lock: Option<&str>| format!("{:?}", Command::Run { lock: lock.map(str::to_owned) });
        assert_eq!(said("/implement"), run(None));
        assert_eq!(said("\r\n/implement  \r\nthanks!"), run(None));
        assert_eq!(said("/implement sha256:ABCDEF012345"), run(Some("abcdef012345")));
        assert_eq!(said("/implement `abcdef012345`"), run(Some("abcdef012345")));
        assert_eq!(said("/implement retry feature"), "Retry { task: \"feature\" }");
        assert_eq!(said("/implement cancel"), "Cancel");
    }

    #[test]
    fn other_comments_are_none() {
        for comment in ["", "please /implement", "> /implement", "    /implement", "/implementer", "/implement-it"] {
            assert_eq!(said(comment), "nothing", "{comment}");
        }
    }

    #[test]
    fn what_only_looks_like_a_command_gets_an_answer() {
        for comment in ["/Implement", "/IMPLEMENT cancel", " /implement", "  /implement abcdef012345"] {
            assert!(said(comment).contains("it begins the line, in small letters"), "{comment:?}: {}", said(comment));
        }
        for comment in [
            "\u{feff}/implement",
            "/imple\u{ad}ment",
            "/implement \u{200b}cancel",
            "/implement\u{2060}",
            "\u{202e}/implement abcdef012345",
            "\u{200b}\n/implement abcdef\u{200d}012345",
        ] {
            assert!(said(comment).contains("characters that nobody sees"), "{comment:?}: {}", said(comment));
        }
        assert_eq!(said("\u{200b}\n/implement plan"), "Plan");
        assert_eq!(said("\t/implement"), "nothing");
    }

    #[test]
    fn nonsense_is_told_what_can_be_said() {
        insta::assert_snapshot!(said("/implement retry"), @"`retry` needs the name of a task; the commands are `/implement [LOCK]`, `/implement plan`, `/implement retry TASK` and `/implement cancel`");
        insta::assert_snapshot!(said("/implement now"), @"“now” is neither a command nor a lock of 12 to 64 hex digits; the commands are `/implement [LOCK]`, `/implement plan`, `/implement retry TASK` and `/implement cancel`");
        insta::assert_snapshot!(said("/implement abcdef012345 please"), @"there is more on the line than a command: “/implement abcdef012345 please”; the commands are `/implement [LOCK]`, `/implement plan`, `/implement retry TASK` and `/implement cancel`");
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_said_is_read_without_a_panic(comment in "(/implement)?\\PC{0,40}") {
            let _ = read(&comment);
        }
    }
}
