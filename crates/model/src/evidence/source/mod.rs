//! Source code as tokens: enough to find functions, tests and their assertions, and to change a line for a mutant. No
//! compiler is asked, so that what does not parse is read as well.

mod assertion_calls;
mod assertions;
mod effort;
mod functions;
mod tests;
mod tokens;

pub use self::{
    assertions::{Assertion, Strength, assertions},
    effort::Stop,
    functions::{Function, functions},
    tests::{TestCase, is_discovered, is_test_path, test_cases},
    tokens::{Kind, Language, Token, tokens},
};
pub(in crate::evidence) use self::{
    effort::{spend, within, within_until},
    functions::{behind, closing},
    tests::{outer_lines, test_cases_among},
};

/// Writes tokens as one line, so that two places can be compared whatever their layout.
#[must_use]
pub fn normal(tokens: &[Token<'_>]) -> String {
    spend(tokens.len());
    tokens.iter().map(|token| token.text).collect::<Vec<_>>().join(" ")
}
