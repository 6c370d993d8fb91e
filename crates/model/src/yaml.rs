//! YAML, behind one door: which library reads it is decided here and nowhere else.
//!
//! `serde_yaml` (retired by its author, still the one that the ecosystem's types are written for) reads front matter.
//! `serde-saphyr` reads plans and the configuration as a [`tree`], because what is wrong there is reported with the line
//! that it stands on, and `serde_yaml` gives no positions for values.

use serde::de::DeserializeOwned;

use crate::diagnostics::Position;

pub mod tree;

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

/// Writes a value as YAML, with a line break at its end.
///
/// # Errors
/// Never for plain values; writing is fallible by its signature only.
pub fn to_string(value: &serde_json::Value) -> Result<String, YamlError> {
    serde_yaml::to_string(value).map_err(|error| YamlError { message: error.to_string(), position: None })
}

/// Reads `text` as one map of plain values, in which no key stands twice. An empty text is an empty map.
///
/// # Errors
/// When the text is not YAML, not a map, or has a key that is not text; with the place where the parser knows it.
pub fn mapping(text: &str) -> Result<serde_json::Map<String, serde_json::Value>, YamlError> {
    // `serde_yaml::Mapping` refuses a key that stands twice; a JSON map would let the last one win.
    let mapping: Option<serde_yaml::Mapping> = from_str(text)?;
    match serde_json::to_value(mapping.unwrap_or_default()) {
        Ok(serde_json::Value::Object(map)) => Ok(map),
        Ok(_) => Err(YamlError { message: "this is not a map".to_owned(), position: None }),
        Err(error) => Err(YamlError { message: error.to_string(), position: None }),
    }
}
