//! What an agent program said about one session: how it ended, what it used, what it was not allowed to do. Claims of a
//! program that is not ours, but not of the model's: it is believed where it speaks against its own success, never where
//! it speaks for it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{budget, text, vocabulary::FailureKind};

/// The most characters of a single text that is kept: a denied call, a message of an error.
pub const TEXT_MAX: usize = 500;

/// The most characters of an answer that is no report.
pub const ANSWER_MAX: usize = 10_000;

/// The most denied calls that are kept; further ones are counted.
pub const DENIALS_MAX: usize = 20;

/// One session of an agent program, with the round in which it was asked for its report again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Session {
    /// The kind of agent, such as `claude`.
    pub agent: String,
    /// The program's version, as it said before the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The session's id, with which the program can go on with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The model that it was asked to use; `None` is the program's own choice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// How it ended.
    pub end: SessionEnd,
    /// How often the model was called, or took a step, as far as the program tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turns: Option<u64>,
    /// What it used.
    #[serde(default, skip_serializing_if = "Tokens::is_none")]
    pub tokens: Tokens,
    /// What it cost in millionths of a dollar: as the program says, or by the configured prices. `None` when neither
    /// tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub micro_dollars: Option<u64>,
    /// Calls of tools that were not allowed, the first [`DENIALS_MAX`] of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub denials: Vec<Denial>,
    /// How many more were not allowed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more_denials: u32,
    /// How often it was asked for a valid report after it had ended: 0 or 1.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub repairs: u32,
    /// What it answered in place of a report, at most [`ANSWER_MAX`] characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    /// What else is worth knowing, such as a model that was asked for and has no name for this program.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// How a session ended, as its program says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum SessionEnd {
    /// The model had nothing more to do. What it did is another question.
    Completed,
    /// It used up its turns.
    TurnLimit,
    /// It used up its money.
    Budget,
    /// The model could not be called, or broke off.
    ModelError {
        /// The HTTP status, when there is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        status: Option<u16>,
        /// What the program said.
        message: String,
    },
    /// The model refused to do it.
    Refused {
        /// What the program said.
        message: String,
    },
    /// The program's own sandbox let no command run.
    SandboxFailed {
        /// What the program said.
        message: String,
    },
    /// It was interrupted, whatever its exit code says.
    Interrupted,
    /// It ended without saying how.
    NoResult {
        /// What it said last, if anything.
        message: String,
    },
}

impl SessionEnd {
    /// Tells whether the same may work a moment later: the model was busy, limited or out of reach. What was asked for
    /// wrongly (4xx but 408, 409 and 429) stays wrong.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::ModelError { status: Some(status), .. } => matches!(status, 408 | 409 | 429 | 500..),
            Self::ModelError { status: None, .. } => true,
            _ => false,
        }
    }

    /// Returns what a failed attempt with this end says about another one. Without a key, money or a model (401 to 404) no
    /// subagent can work.
    #[must_use]
    pub fn failure(&self) -> FailureKind {
        match self {
            end if end.is_transient() => FailureKind::Transient,
            Self::ModelError { status: Some(401..=404), .. } | Self::SandboxFailed { .. } => FailureKind::CannotStart,
            Self::Refused { .. } => FailureKind::Final,
            _ => FailureKind::Ordinary,
        }
    }
}

/// What a session used, in tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
pub struct Tokens {
    /// Read by the model, without those from its cache.
    pub input: u64,
    /// Read by the model from its cache.
    pub cached_input: u64,
    /// Written by the model.
    pub output: u64,
}

impl Tokens {
    /// Tells whether nothing was used, or nothing told.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// Adds what another session used.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            input: self.input.saturating_add(other.input),
            cached_input: self.cached_input.saturating_add(other.cached_input),
            output: self.output.saturating_add(other.output),
        }
    }

    /// Returns what it costs at a price, in millionths of a dollar, rounded up.
    #[must_use]
    pub fn at(self, price: &budget::Price) -> u64 {
        let part = |tokens: u64, per_million: budget::Dollars| u128::from(tokens) * u128::from(per_million.micro());
        let cached = price.cached_input.unwrap_or(price.input);
        let sum = part(self.input, price.input) + part(self.cached_input, cached) + part(self.output, price.output);
        u64::try_from(sum.div_ceil(1_000_000)).unwrap_or(u64::MAX)
    }
}

/// A call of a tool that was not allowed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Denial {
    /// The tool.
    pub tool: String,
    /// What it was called with, shortened.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub call: String,
}

impl Session {
    /// Begins the record of a session of `agent` that ended so.
    #[must_use]
    pub fn new(agent: &str, end: SessionEnd) -> Self {
        Self {
            agent: agent.to_owned(),
            version: None,
            id: None,
            model: None,
            end,
            turns: None,
            tokens: Tokens::default(),
            micro_dollars: None,
            denials: Vec::new(),
            more_denials: 0,
            repairs: 0,
            answer: None,
            notes: Vec::new(),
        }
    }

    /// Adds a call that was not allowed, in printable characters and bounded.
    pub fn deny(&mut self, tool: &str, call: &str) {
        if self.denials.len() < DENIALS_MAX {
            self.denials.push(Denial { tool: shortened(tool, 100), call: shortened(call, TEXT_MAX) });
        } else {
            self.more_denials = self.more_denials.saturating_add(1);
        }
    }
}

/// Makes foreign text printable, in one line, and shortens it.
#[must_use]
pub fn shortened(foreign: &str, max: usize) -> String {
    let line = text::plain(foreign).split_whitespace().collect::<Vec<_>>().join(" ");
    text::truncate(&line, max)
}

/// Tells whether a number need not be written.
pub(crate) fn is_zero<N: Default + PartialEq>(number: &N) -> bool {
    *number == N::default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::{Dollars, Price};

    #[test]
    fn what_may_be_gone_soon_is_told_from_what_stays_wrong() {
        let of = |status| SessionEnd::ModelError { status, message: String::new() }.is_transient();
        for status in [408, 409, 429, 500, 502, 503, 504, 529] {
            assert!(of(Some(status)), "{status}");
        }
        for status in [400, 401, 403, 404, 413] {
            assert!(!of(Some(status)), "{status}");
        }
        assert!(of(None), "a connection that broke");
        assert!(!SessionEnd::Budget.is_transient() && !SessionEnd::TurnLimit.is_transient());
    }

    #[test]
    fn tokens_have_a_price() {
        let dollars = |text| Dollars::parse(text).unwrap();
        let tokens = Tokens { input: 1_000_000, cached_input: 2_000_000, output: 10 };
        let price = Price { input: dollars("1.25"), cached_input: Some(dollars("0.125")), output: dollars("10") };
        assert_eq!(tokens.at(&price), 1_250_000 + 250_000 + 100);
        let price = Price { cached_input: None, ..price };
        assert_eq!(tokens.at(&price), 1_250_000 + 2_500_000 + 100);
        assert_eq!(Tokens { input: 1, ..Tokens::default() }.at(&price), 2, "rounded up, never to nothing");
    }

    #[test]
    fn denials_are_bounded_and_printable() {
        let mut session = Session::new("claude", SessionEnd::Completed);
        for _ in 0..DENIALS_MAX + 3 {
            session.deny("Bash\u{1b}[31m", &format!("curl\n{}", "x".repeat(2_000)));
        }
        assert_eq!((session.denials.len(), session.more_denials), (DENIALS_MAX, 3));
        assert!(!session.denials[0].tool.contains('\u{1b}') && !session.denials[0].call.contains('\n'));
        assert!(session.denials[0].call.chars().count() <= TEXT_MAX + 1);
    }
}
