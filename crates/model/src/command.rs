//! Commands that are run without a shell: split into arguments, and refused where only a shell could run them.
//!
//! Plans and the configuration give commands as text. What is accepted here runs as it reads; what would run as
//! something else, because nobody expands, pipes or redirects it, is told before anything runs.

/// Says why a text is not a command that runs without a shell.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct RefusedCommand {
    /// Where in the text, as a byte offset.
    pub offset: usize,
    /// What kind of problem it is.
    pub kind: Problem,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub hint: String,
}

/// The kinds of problems with a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Problem {
    /// There is no command: blanks, or a comment.
    Nothing,
    /// It has a line break or another control character in it.
    Unprintable,
    /// A quotation is open, or the program is an empty text.
    Quoting,
    /// Only a shell could run it.
    Shell,
}

impl RefusedCommand {
    fn new(offset: usize, kind: Problem, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { offset, kind, message: message.into(), hint: hint.into() }
    }
}

/// Commands that live in a shell and change nothing but it, so that running them alone is without effect or impossible.
const BUILTINS: [&str; 18] = [
    "cd", "export", "source", ".", "set", "unset", "alias", "pushd", "popd", "eval", "exec", "exit", "trap", "ulimit",
    "if", "for", "while", "function",
];

/// What divides words, as shlex has it.
const BLANKS: [char; 3] = [' ', '\t', '\n'];

/// Splits a command into a program and its arguments as a shell would, for running it without one.
///
/// # Errors
/// When there is no command, it spans several lines or has control characters, a quotation is open, or it needs a shell:
/// `&&`, pipes, redirections, substitutions, variables, built-ins, assignments.
pub fn split(text: &str) -> Result<Vec<String>, RefusedCommand> {
    let start = text.len() - text.trim_start().len();
    let refused = |kind, message: &str, hint: &str| RefusedCommand::new(start, kind, message, hint);
    let found = text.trim().char_indices().find(|(_, c)| c.is_control() && *c != '\t');
    if let Some((at, c)) = found {
        let message = if matches!(c, '\n' | '\r') { "it spans several lines" } else { "it has a control character" };
        let hint = "write each command by itself, in printable characters";
        return Err(RefusedCommand::new(start + at, Problem::Unprintable, message, hint));
    }
    if let Some((at, what)) = scan(text).syntax {
        let message = format!("{what} has no meaning without a shell");
        let hint = "no shell runs this: list each command on a line of its own, or write `sh -c '…'`";
        return Err(RefusedCommand::new(at, Problem::Shell, message, hint));
    }
    let Some(argv) = shlex::split(text.trim()) else {
        let message = "a quotation mark or a backslash at the end has no partner";
        return Err(refused(Problem::Quoting, message, "close the quotation on the same line"));
    };
    let Some(program) = argv.first() else {
        return Err(refused(Problem::Nothing, "there is no command in it", "name a program, such as `cargo test`"));
    };
    if program.trim().is_empty() {
        return Err(refused(Problem::Quoting, "the command has an empty name", "name a program"));
    }
    if is_assignment(text.trim_start()) || (program.contains('=') && !program.contains('/')) {
        let hint = format!("write `env {} …`", crate::text::truncate(program, 40));
        return Err(refused(Problem::Shell, "an assignment before a command has no meaning without a shell", &hint));
    }
    if BUILTINS.contains(&program.as_str()) {
        let message = format!("`{program}` belongs to a shell and does nothing on its own");
        let hint = "every command runs at the repository's root; write `sh -c 'cd … && …'`";
        return Err(refused(Problem::Shell, &message, hint));
    }
    Ok(argv)
}

/// Tells whether a program is named by a path below the folder where it runs: a file of the repository's own, and neither a
/// name that is looked for in the `PATH` nor a place outside.
#[must_use]
pub fn is_own_path(program: &str) -> bool {
    program.contains('/') && !program.starts_with('/')
}

/// Writes a program and its arguments as one would type them for a shell. An argument with a NUL, which no shell takes,
/// stays as it is.
#[must_use]
pub fn join(argv: &[String]) -> String {
    let words = argv.iter().map(|word| shlex::try_quote(word).map_or_else(|_| word.clone(), Into::into));
    words.collect::<Vec<_>>().join(" ")
}

/// Finds the first wildcard that a shell would have expanded and that is passed on as it is written, and its byte offset.
#[must_use]
pub fn first_wildcard(text: &str) -> Option<(usize, char)> {
    scan(text).wildcard
}

/// What a shell would have read in a command.
#[derive(Debug, Default)]
struct Scan {
    /// The first syntax that cannot be run without a shell, with its byte offset.
    syntax: Option<(usize, String)>,
    /// The first wildcard before that.
    wildcard: Option<(usize, char)>,
}

/// Looks for the first shell syntax outside quotation marks, substitutions also inside double ones, and for the first
/// wildcard before it.
fn scan(text: &str) -> Scan {
    let mut wildcard = None;
    let mut quote: Option<char> = None;
    let mut chars = text.char_indices().peekable();
    let mut word_start = true;
    while let Some((at, c)) = chars.next() {
        let next = chars.peek().map(|(_, next)| *next);
        let syntax = |what: String| Scan { syntax: Some((at, what)), wildcard };
        match (quote, c) {
            (Some('\''), '\'') | (Some('"'), '"') => quote = None,
            (Some('\''), _) => {}
            (_, '\\') => {
                chars.next();
            }
            (None, '\'' | '"') => quote = Some(c),
            (_, '`') => return syntax("a backtick".to_owned()),
            (_, '$')
                if next.is_some_and(|next| {
                    next.is_alphanumeric() || matches!(next, '(' | '{' | '_' | '?' | '@' | '*')
                }) =>
            {
                let is_substitution = next == Some('(');
                return syntax(if is_substitution { "`$(`" } else { "the variable behind `$`" }.to_owned());
            }
            (None, '#') if word_start => break,
            (None, '&' | '|' | ';' | '<' | '>' | '(' | ')') => {
                let doubled = next == Some(c) && !matches!(c, '(' | ')');
                return syntax(if doubled { format!("`{c}{c}`") } else { format!("`{c}`") });
            }
            (None, '*') if wildcard.is_none() => wildcard = Some((at, c)),
            (None, '~') if wildcard.is_none() && word_start && next.is_none_or(|next| next == '/') => {
                wildcard = Some((at, c));
            }
            _ => {}
        }
        word_start = quote.is_none() && BLANKS.contains(&c);
    }
    Scan { syntax: None, wildcard }
}

/// Tells whether a command begins with `NAME=value`.
fn is_assignment(text: &str) -> bool {
    text.split_once('=').is_some_and(|(name, _)| {
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_below_the_folder_is_told_from_a_name_and_from_a_place_outside() {
        assert!(is_own_path("tools/check") && is_own_path("./check"));
        assert!(!is_own_path("check") && !is_own_path("/usr/bin/check"));
    }

    #[test]
    fn the_end_of_a_line_is_no_part_of_a_command() {
        for end in ["\n", "\r\n", "\r", " \t", "\u{85}"] {
            assert_eq!(split(&format!(" cargo test --all{end}")).unwrap(), ["cargo", "test", "--all"], "{end:?}");
        }
    }

    #[test]
    fn commands_are_split_and_those_that_need_a_shell_are_refused() {
        assert_eq!(split(" cargo test --package 'a b' ").unwrap(), ["cargo", "test", "--package", "a b"]);
        assert_eq!(split("sh -c 'a && b | c'").unwrap(), ["sh", "-c", "a && b | c"]);
        assert_eq!(split("env CI=1 make").unwrap().len(), 3);
        assert_eq!(split("grep '|' x").unwrap(), ["grep", "|", "x"]);
        for (bad, kind) in [
            ("", Problem::Nothing),
            ("  ", Problem::Nothing),
            ("# comment", Problem::Nothing),
            ("''", Problem::Quoting),
            ("' ' a", Problem::Quoting),
            ("a 'b", Problem::Quoting),
            ("a && b", Problem::Shell),
            ("a | b", Problem::Shell),
            ("a > b", Problem::Shell),
            ("a $B", Problem::Shell),
            ("CI=1 make", Problem::Shell),
            ("P=/a/b make", Problem::Shell),
            ("'a-b=c' make", Problem::Shell),
            ("cd x", Problem::Shell),
            // What is no blank to shlex begins no comment either.
            ("a\u{a0}# && b", Problem::Shell),
            ("a\nb", Problem::Unprintable),
            ("a\0b", Problem::Unprintable),
        ] {
            let refused = split(bad).expect_err(bad);
            assert_eq!(refused.kind, kind, "{bad:?}");
            assert!(refused.offset <= bad.len() && !refused.message.is_empty() && !refused.hint.is_empty());
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_accepted_names_a_program_and_what_is_refused_says_where(text in "[ a-c=$&|'\"\\\\#*~`\n\u{a0}ä]{0,16}") {
            match split(&text) {
                Ok(argv) => {
                    proptest::prop_assert!(argv.first().is_some_and(|program| !program.is_empty()));
                    proptest::prop_assert_eq!(shlex::split(&join(&argv)), Some(argv));
                }
                Err(refused) => proptest::prop_assert!(text.is_char_boundary(refused.offset), "{refused:?}"),
            }
        }
    }
}
