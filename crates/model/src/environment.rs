//! The names of environment variables that may be passed on to a subagent or a gate.

pub mod routes;

use crate::{ids::NAME_MAX, text};

/// Beginnings of the names that are never passed on, whoever asks, and what is wrong with them.
const FORBIDDEN_PREFIXES: [(&str, &str); 6] = [
    ("ACTIONS_", "belongs to the runner: with it a process can mint tokens and write artifacts as the workflow"),
    ("GH_", "belongs to GitHub's command line, and such names hold its tokens"),
    ("GIT_", "steers git, which it could turn to another repository"),
    (
        "GITHUB_",
        "belongs to GitHub: such names hold its tokens, and the files by which a process can steer later steps",
    ),
    ("INPUT_", "is an input of the action, among which is its token"),
    ("RUNNER_", "belongs to the runner"),
];

/// Names, and the beginning of names, of which every subagent is given one of its own.
const RESERVED: [&str; 4] = ["CI", "HOME", "TERM", "TMPDIR"];
const RESERVED_PREFIX: &str = "IMPLEMENTER_";

/// Says why a variable may not be passed on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the variable `{name}` cannot be passed to a subagent: it {}", self.why.reason())]
pub struct RefusedName {
    /// The name, in printable characters.
    pub name: String,
    /// What is wrong with it.
    pub why: WhyRefused,
}

/// What is wrong with the name of a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhyRefused {
    /// It is no name: empty, or of other characters than letters, digits and `_`, or it begins with a digit.
    NotAName,
    /// It belongs to GitHub, its runner or git.
    Forbidden {
        /// How such names begin.
        prefix: &'static str,
        /// What is wrong with them, as the end of a sentence that begins with the name.
        reason: &'static str,
    },
    /// This program sets it.
    Reserved,
}

impl WhyRefused {
    /// Returns what is wrong, as the end of a sentence that begins with the name: "belongs to the runner".
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::NotAName => "is not the name of an environment variable",
            Self::Forbidden { reason, .. } => reason,
            Self::Reserved => "is set by this program for every subagent",
        }
    }

    /// Returns what to do about it.
    #[must_use]
    pub fn hint(self) -> &'static str {
        match self {
            Self::NotAName => "names are letters, digits and `_`; values and wildcards cannot be given",
            _ => "take it off the list; what a subagent needs goes under a name of its own",
        }
    }
}

/// Checks that the environment variable `name` may be passed on to a subagent or a gate, in any case of its letters:
/// some programs do not tell upper from lower case.
///
/// # Errors
/// When it is no name of a variable, when it would hand over the workflow's own authority (a token of GitHub, an input
/// of the action, the files by which a step speaks to the runner), or when this program sets it.
pub fn check_name(name: &str) -> Result<(), RefusedName> {
    let is_word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let upper = name.to_ascii_uppercase();
    let forbidden = FORBIDDEN_PREFIXES.into_iter().find(|(prefix, _)| upper.starts_with(prefix));
    let why = if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) || !name.bytes().all(is_word) {
        WhyRefused::NotAName
    } else if let Some((prefix, reason)) = forbidden {
        WhyRefused::Forbidden { prefix, reason }
    } else if RESERVED.contains(&upper.as_str()) || upper.starts_with(RESERVED_PREFIX) {
        WhyRefused::Reserved
    } else {
        return Ok(());
    };
    Err(RefusedName { name: text::terminal(&text::truncate(name, NAME_MAX)), why })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workflows_authority_is_never_passed_on() {
        for good in ["PATH", "ANTHROPIC_API_KEY", "CLAUDE_CODE_OAUTH_TOKEN", "NPM_TOKEN", "_x", "CIRCLE", "GITLAB_X"] {
            assert_eq!(check_name(good), Ok(()), "{good}");
        }
        for bad in [
            "GITHUB_TOKEN",
            "github_token",
            "GITHUB_SHA",
            "GH_TOKEN",
            "GH_ENTERPRISE_TOKEN",
            "GITHUB_PAT",
            "ACTIONS_RUNTIME_TOKEN",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
            "ACTIONS_ID_TOKEN_REQUEST_URL",
            "INPUT_TOKEN",
            "GITHUB_ENV",
            "GIT_DIR",
            "RUNNER_TEMP",
        ] {
            assert!(matches!(check_name(bad).unwrap_err().why, WhyRefused::Forbidden { .. }), "{bad}");
        }
        for bad in ["IMPLEMENTER_TASK", "CI", "ci", "HOME", "TERM", "TMPDIR"] {
            assert_eq!(check_name(bad).unwrap_err().why, WhyRefused::Reserved, "{bad}");
        }
        for bad in ["", "1A", "A-B", "AWS_*", "A=b", "A B", "A\0", "Ä"] {
            assert_eq!(check_name(bad).unwrap_err().why, WhyRefused::NotAName, "{bad}");
        }
        insta::assert_snapshot!(
            check_name("A\u{1b}[1m").unwrap_err(),
            @"the variable `A[1m` cannot be passed to a subagent: it is not the name of an environment variable"
        );
    }
}
