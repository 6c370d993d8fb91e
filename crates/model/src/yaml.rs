//! YAML, behind one door: which library reads it is decided here and nowhere else.
//!
//! `serde_yaml` (retired by its author, still the one that the ecosystem's types are written for) reads configuration
//! and front matter. `serde-saphyr` reads plans, because requirements carry the line that they stand on and `serde_yaml`
//! gives no positions for values.

use serde::de::DeserializeOwned;

use crate::diagnostics::Position;

/// Says why a text is not the YAML that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct YamlError {
    /// What is wrong.
    pub message: String,
    /// Where, when the parser knows.
    pub position: Option<Position>,
}

/// Reads `text` as `T`.
///
/// # Errors
/// When the text is not YAML, or not a `T`; with the place where the parser knows it.
pub fn from_str<T: DeserializeOwned>(text: &str) -> Result<T, YamlError> {
    serde_yaml::from_str(text).map_err(|error| {
        let position = error.location().map(|at| Position {
            line: u32::try_from(at.line()).unwrap_or(u32::MAX).max(1),
            column: u32::try_from(at.column()).unwrap_or(u32::MAX).max(1),
        });
        let message = error.to_string();
        // The place goes into its own field; the library also writes it behind the message.
        let message = message.split_once(" at line ").map_or(message.as_str(), |(message, _)| message).to_owned();
        YamlError { message, position }
    })
}
