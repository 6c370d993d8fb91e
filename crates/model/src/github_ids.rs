//! What GitHub knows things by: each kind of number is a type of its own, so that none is taken for another.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Says that text is not the number that it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is no {kind}", crate::text::terminal(.text))]
pub struct InvalidNumber {
    kind: &'static str,
    text: String,
}

macro_rules! number {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(u64);

        impl $name {
            /// Wraps a number that is one.
            #[must_use]
            pub const fn new(number: u64) -> Self {
                Self(number)
            }

            /// Returns the number.
            #[must_use]
            pub const fn get(self) -> u64 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidNumber;

            fn from_str(text: &str) -> Result<Self, InvalidNumber> {
                match text.parse() {
                    // GitHub counts from 1; 0 would be nobody's.
                    Ok(number) if number > 0 => Ok(Self(number)),
                    _ => Err(InvalidNumber { kind: $kind, text: text.to_owned() }),
                }
            }
        }
    };
}

number! {
    /// The number of a pull request in its repository.
    PullRequestNumber, "number of a pull request"
}

number! {
    /// The id of a workflow run.
    RunId, "id of a workflow run"
}

number! {
    /// The id of a comment on an issue or pull request.
    CommentId, "id of a comment"
}

number! {
    /// The id of a check run.
    CheckRunId, "id of a check run"
}

number! {
    /// The id of an artifact.
    ArtifactId, "id of an artifact"
}

/// What one of our runs is known by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum RunKey {
    /// An attempt at a workflow run.
    Workflow {
        /// The run.
        run: RunId,
        /// The attempt, from 1: "re-run jobs" makes another.
        attempt: u32,
    },
    /// A run on somebody's own machine.
    Local(LocalKey),
}

/// What a run on somebody's own machine is known by: lower-case letters and digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LocalKey(String);

/// What a key of a run on somebody's own machine begins with.
const LOCAL: &str = "local";

/// The most characters of a local key.
const LOCAL_MAX: usize = 40;

impl RunKey {
    /// Names a run on this machine by random hex digits.
    #[must_use]
    pub fn local(random: &str) -> Self {
        let digits = random.chars().filter(char::is_ascii_hexdigit).map(|digit| digit.to_ascii_lowercase());
        Self::Local(LocalKey(digits.take(12).collect()))
    }

    /// Returns the workflow run, where it is one.
    #[must_use]
    pub fn run(&self) -> Option<RunId> {
        match self {
            Self::Workflow { run, .. } => Some(*run),
            Self::Local(_) => None,
        }
    }

    /// Tells whether the other is an attempt at the same workflow run, or the same run.
    #[must_use]
    pub fn is_same_run(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Workflow { run, .. }, Self::Workflow { run: other, .. }) => run == other,
            _ => self == other,
        }
    }
}

impl fmt::Display for RunKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Workflow { run, attempt } => write!(f, "{run}/{attempt}"),
            Self::Local(LocalKey(word)) => write!(f, "{LOCAL}/{word}"),
        }
    }
}

impl FromStr for RunKey {
    type Err = InvalidNumber;

    fn from_str(text: &str) -> Result<Self, InvalidNumber> {
        let invalid = || InvalidNumber { kind: "key of a run", text: text.to_owned() };
        let (run, attempt) = text.split_once('/').ok_or_else(invalid)?;
        if run == LOCAL {
            let word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
            let valid = !attempt.is_empty() && attempt.len() <= LOCAL_MAX && attempt.bytes().all(word);
            return if valid { Ok(Self::Local(LocalKey(attempt.to_owned()))) } else { Err(invalid()) };
        }
        // `+1` parses as a number, and is no key.
        if !text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'/') {
            return Err(invalid());
        }
        let attempt = attempt.parse().map_err(|_| invalid())?;
        Ok(Self::Workflow { run: run.parse().map_err(|_| invalid())?, attempt })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_back_as_they_are_written_and_nothing_else_is_one() {
        for key in ["123/1", "local/ab12"] {
            assert_eq!(key.parse::<RunKey>().unwrap().to_string(), key);
        }
        for wrong in ["", "1", "0/1", "+1/1", "1/x", "1/1/1", "local/", "local/A", "local/x](y)", "1/x](y)"] {
            assert!(wrong.parse::<RunKey>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn two_attempts_are_one_run() {
        let key = |text: &str| text.parse::<RunKey>().unwrap();
        assert!(key("7/1").is_same_run(&key("7/2")) && !key("7/1").is_same_run(&key("8/1")));
        assert!(!key("local/a").is_same_run(&key("local/b")));
    }
}
