//! Commands in comments: `/implement`, `/implement retry`, `/implement cancel`.

use unicode_normalization::{UnicodeNormalization as _, char::is_combining_mark};

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
    /// Run again what did not pass.
    Retry(Retry),
    /// End the run that is at work.
    Cancel,
    /// Show the plan again.
    Plan,
}

/// What is run again of the last run of the same lock: what did not pass, in any case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retry {
    /// A task that is run again although it passed.
    pub task: Option<String>,
}

impl std::fmt::Display for Retry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.task {
            Some(task) => write!(f, "Task {task} runs again, and whatever is not finished"),
            None => f.write_str("What did not pass runs again"),
        }
    }
}

/// Says why a comment that begins as a command is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{slip}; the commands are `/implement [LOCK]`, `/implement plan`, `/implement retry [TASK]` and `/implement cancel`"
)]
pub struct CommandError {
    slip: Slip,
}

/// What is wrong with a line that begins as a command. Foreign words in it are made harmless where it is made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum Slip {
    #[error("a command is the first line of its comment, without a quotation above it")]
    Quoted,
    #[error("the comment has two commands; write each in a comment of its own")]
    Two,
    #[error("it holds characters that nobody sees; write the command anew by hand")]
    Unseen,
    #[error("{0} is no command: it begins the line, in small letters of the keyboard and without marks around it")]
    Resembling(String),
    #[error("there is more on the line than a command: {0}")]
    TooMuch(String),
    #[error("{0} is neither a command nor a lock of 12 to 64 hex digits")]
    NotALock(String),
}

impl From<Slip> for CommandError {
    fn from(slip: Slip) -> Self {
        Self { slip }
    }
}

/// Reads the command in a comment. It is the first line that is not blank; what follows is for people. `None` when the
/// comment is no command.
#[must_use]
pub fn read(comment: &str) -> Option<Result<Command, CommandError>> {
    let mut lines = comment.lines();
    let line = lines.find(|line| !is_blank(line))?;
    if line.starts_with('>') {
        return after_quote(lines).then(|| Err(Slip::Quoted.into()));
    }
    if !resembles(line) {
        return None;
    }
    let command = match read_line(line) {
        Ok(command) => command,
        Err(slip) => return Some(Err(slip.into())),
    };
    // Only one of them could be done, and it would be a guess which.
    let mut fenced = false;
    let shown = lines.filter(|line| {
        let fence = line.trim_start().starts_with("```") || line.trim_start().starts_with("~~~");
        fenced ^= fence;
        !fence && !fenced
    });
    let another = shown.filter(|line| resembles(line)).find_map(|line| read_line(line).ok());
    if another.is_some_and(|another| another != command) {
        return Some(Err(Slip::Two.into()));
    }
    Some(Ok(command))
}

/// Tells whether a command comes after a quotation, as it does in an answer to a comment.
fn after_quote<'a>(lines: impl Iterator<Item = &'a str>) -> bool {
    let mut quoted = true;
    for line in lines {
        if is_blank(line) {
            quoted = false;
        } else if line.starts_with('>') {
            quoted = true;
        // A line right below a quotation still belongs to its paragraph.
        } else if !quoted {
            return resembles(line);
        }
    }
    false
}

/// Tells whether whoever reads a line takes it for a command.
fn resembles(line: &str) -> bool {
    // Four blanks or a tab would be a code block.
    if line.starts_with("    ") || line.starts_with('\t') {
        return false;
    }
    let seen = as_seen(line);
    let mut seen = seen.trim();
    if seen.len() > 2 && seen.starts_with('`') && seen.ends_with('`') {
        seen = seen.trim_matches('`').trim();
    }
    let seen = seen.strip_prefix('\\').unwrap_or(seen);
    match seen.split_at_checked(COMMAND.len()) {
        Some((word, rest)) if word.eq_ignore_ascii_case(COMMAND) => {
            rest.is_empty() || rest.starts_with(char::is_whitespace)
        }
        _ => false,
    }
}

/// Reads a line that resembles a command. What is not exactly one gets an answer, because silence would look like a run that
/// hangs.
fn read_line(line: &str) -> Result<Command, Slip> {
    if line.chars().any(is_unseen) {
        return Err(Slip::Unseen);
    }
    let Some(rest) = line.strip_prefix(COMMAND) else { return Err(Slip::Resembling(shown(line))) };
    let mut words = rest.split_whitespace();
    match (words.next(), words.next(), words.next()) {
        (None, ..) => Ok(Command::Run { lock: None }),
        (Some("cancel"), None, _) => Ok(Command::Cancel),
        (Some("plan"), None, _) => Ok(Command::Plan),
        (Some("retry"), task, None) => {
            Ok(Command::Retry(Retry { task: task.map(|task| task.trim_matches('`').to_owned()) }))
        }
        (Some(lock), None, _) => lock_of(lock).map(|lock| Command::Run { lock: Some(lock) }),
        _ => Err(Slip::TooMuch(shown(line))),
    }
}

/// Returns a line as people see it: without what has no width, wide and accented letters as plain ones, and letters and
/// slashes of other scripts as those that they look like.
fn as_seen(line: &str) -> String {
    let plain = line.nfkd().filter(|character| !is_unseen(*character) && !is_combining_mark(*character));
    plain.map(looks_like).collect()
}

/// Returns the character of the command that one of another script looks like.
fn looks_like(character: char) -> char {
    match character {
        '\u{2044}' | '\u{2215}' | '\u{29f8}' | '\u{27cb}' | '\u{2571}' => '/',
        '\u{131}' | '\u{3b9}' | '\u{399}' | '\u{456}' | '\u{406}' => 'i',
        '\u{43c}' | '\u{41c}' | '\u{39c}' => 'm',
        '\u{440}' | '\u{420}' | '\u{3c1}' | '\u{3a1}' => 'p',
        '\u{4cf}' | '\u{4c0}' | '\u{1c0}' => 'l',
        '\u{435}' | '\u{415}' | '\u{395}' => 'e',
        '\u{578}' | '\u{3b7}' | '\u{39d}' => 'n',
        '\u{442}' | '\u{422}' | '\u{3c4}' | '\u{3a4}' => 't',
        other => other,
    }
}

/// Tells whether nobody sees a character: it makes two commands look the same.
fn is_unseen(character: char) -> bool {
    text::is_invisible(character) || character.is_control() && !character.is_whitespace()
}

fn is_blank(line: &str) -> bool {
    line.chars().all(|character| character.is_whitespace() || is_unseen(character))
}

fn lock_of(word: &str) -> Result<String, Slip> {
    let word = word.trim_matches('`');
    let hex = word.strip_prefix("sha256:").unwrap_or(word);
    if LOCK_DIGITS.contains(&hex.len()) && hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(hex.to_ascii_lowercase());
    }
    Err(Slip::NotALock(shown(word)))
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
        assert_eq!(said("/implement retry feature"), "Retry(Retry { task: Some(\"feature\") })");
        assert_eq!(said("/implement retry"), "Retry(Retry { task: None })");
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

    /// Every way in which a comment was seen to be taken for a command, or not to be: what it is read as.
    #[test]
    fn a_comment_is_a_command_an_answer_or_talk_and_never_a_guess() {
        let lock = "abcdef012345";
        for (comment, read_as) in [
            // Line ends, blanks and words of other kinds.
            (format!("/implement {lock}\r\n\r\nthanks"), "run"),
            (format!("\r\n\r\n/implement\u{a0}{lock}\u{3000}"), "run"),
            (format!("/implement\t{lock}"), "run"),
            (format!("/implement {lock}\n/implement {lock}"), "run"),
            (format!("/implement {lock}\n\n> /implement cancel"), "run"),
            (format!("/implement {lock}\n\n    /implement cancel"), "run"),
            (format!("/implement {lock}\n\n```\n/implement cancel\n```"), "run"),
            (format!("/implement {lock}\rcancel"), "more on the line"),
            (format!("/implement {lock} now"), "more on the line"),
            (format!("/implement {lock}."), "neither a command nor a lock"),
            (format!("/implement {}", "a".repeat(65)), "neither a command nor a lock"),
            ("/implement abcdef".to_owned(), "neither a command nor a lock"),
            (format!("/implement {lock}\n/implement cancel"), "two commands"),
            ("/implement cancel\n\n/implement plan".to_owned(), "two commands"),
            // Quoted, in code, in the middle, hidden.
            (format!("> /implement {lock}\n\nNo!"), "talk"),
            (format!("> Shall we?\n\n/implement {lock}"), "without a quotation"),
            (format!("> Shall we?\n/implement {lock}"), "talk"),
            (format!("```\n/implement {lock}\n```"), "talk"),
            (format!("<!--\n/implement {lock}\n-->"), "talk"),
            (format!("<details>\n/implement {lock}"), "talk"),
            (format!("Comment\n/implement {lock}\nto start it"), "talk"),
            (format!("- /implement {lock}"), "talk"),
            (format!("@bot /implement {lock}"), "talk"),
            (format!("`/implement {lock}`"), "without marks"),
            ("`/implement` starts it".to_owned(), "talk"),
            (format!("\\/implement {lock}"), "without marks"),
            // Other letters.
            (format!("/Implement {lock}"), "small letters"),
            (format!("\u{ff0f}implement {lock}"), "small letters"),
            (
                "\u{ff0f}\u{ff49}\u{ff4d}\u{ff50}\u{ff4c}\u{ff45}\u{ff4d}\u{ff45}\u{ff4e}\u{ff54}".to_owned(),
                "small letters",
            ),
            (format!("\u{2215}implement {lock}"), "small letters"),
            (format!("/\u{456}mplement {lock}"), "small letters"),
            (format!("/impl\u{435}m\u{435}nt {lock}"), "small letters"),
            ("/\u{130}MPLEMENT".to_owned(), "small letters"),
            (format!("/impl\u{e9}ment {lock}"), "small letters"),
            // What nobody sees.
            (format!("/im\u{200b}plement {lock}"), "nobody sees"),
            (format!("/implement \u{2066}{lock}"), "nobody sees"),
            (format!("\u{feff}/implement {lock}"), "nobody sees"),
            (format!("/implement {lock}\u{e0063}\u{e0061}"), "nobody sees"),
            // Other commands.
            ("/implementation".to_owned(), "talk"),
            ("/implement-later".to_owned(), "talk"),
            ("/retest".to_owned(), "talk"),
            ("//implement".to_owned(), "talk"),
            ("#/implement".to_owned(), "talk"),
        ] {
            let is = match read(&comment) {
                None => "talk".to_owned(),
                Some(Ok(Command::Run { .. })) => "run".to_owned(),
                Some(Ok(other)) => format!("{other:?}"),
                Some(Err(error)) => error.to_string(),
            };
            assert!(is.contains(read_as), "{comment:?} is {is:?}, not {read_as:?}");
        }
    }

    #[test]
    fn nonsense_is_told_what_can_be_said() {
        insta::assert_snapshot!(said("/implement retry a b"), @"there is more on the line than a command: “/implement retry a b”; the commands are `/implement [LOCK]`, `/implement plan`, `/implement retry [TASK]` and `/implement cancel`");
        insta::assert_snapshot!(said("/implement now"), @"“now” is neither a command nor a lock of 12 to 64 hex digits; the commands are `/implement [LOCK]`, `/implement plan`, `/implement retry [TASK]` and `/implement cancel`");
        insta::assert_snapshot!(said("/implement abcdef012345 please"), @"there is more on the line than a command: “/implement abcdef012345 please”; the commands are `/implement [LOCK]`, `/implement plan`, `/implement retry [TASK]` and `/implement cancel`");
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_said_is_read_without_a_panic(comment in "(/implement)?\\PC{0,40}") {
            let _ = read(&comment);
        }
    }
}
