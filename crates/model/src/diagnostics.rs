//! What is wrong with a plan, an agent file or a configuration, and where: data for the terminal, for annotations and
//! for the preview comment alike.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::text;

/// How bad a diagnostic is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Nothing can run until this is mended.
    Error,
    /// It runs, but perhaps not as meant.
    Warning,
    /// Worth knowing.
    Note,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        })
    }
}

/// A place in a text: both numbers count from 1, the column in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Position {
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
}

impl Position {
    /// Finds the line and column of byte `offset` in `text`; an offset past the end is the end.
    #[must_use]
    pub fn of_offset(text: &str, offset: usize) -> Self {
        let mut end = offset.min(text.len());
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let before = &text[..end];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let line = before.bytes().filter(|&b| b == b'\n').count() + 1;
        let column = before[line_start..].chars().count() + 1;
        Self { line: u32::try_from(line).unwrap_or(u32::MAX), column: u32::try_from(column).unwrap_or(u32::MAX) }
    }
}

impl Default for Position {
    /// The beginning of a text.
    fn default() -> Self {
        Self { line: 1, column: 1 }
    }
}

/// The longest excerpt that a diagnostic carries, in characters.
pub const EXCERPT_MAX: usize = 160;

/// One thing that is wrong, where it is, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// A stable name for the kind of problem, such as `unknown-subagent`.
    pub code: String,
    /// The file it is in, as the user named it.
    pub file: String,
    /// Where in the file, when that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<Position>,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// The line in question, cut to [`EXCERPT_MAX`] characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub excerpt: Option<String>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// The longest message, in characters: what it quotes may be of any length.
const MESSAGE_MAX: usize = 1_000;

impl Diagnostic {
    /// Makes a diagnostic for `file` without a place; [`Self::at`] and [`Self::hint`] add to it.
    #[must_use]
    pub fn new(severity: Severity, code: &str, file: &str, message: impl Into<String>) -> Self {
        Self {
            severity,
            code: code.to_owned(),
            file: file.to_owned(),
            position: None,
            message: text::truncate(&message.into(), MESSAGE_MAX),
            excerpt: None,
            hint: None,
        }
    }

    /// Adds the place, and that line of `text` as the excerpt.
    #[must_use]
    pub fn at(mut self, text: &str, position: Position) -> Self {
        let line = text.lines().nth(position.line.saturating_sub(1) as usize).unwrap_or_default();
        self.excerpt = (!line.trim().is_empty()).then(|| {
            let printable = line.chars().map(|c| if c.is_control() { ' ' } else { c });
            printable.take(EXCERPT_MAX).collect::<String>().trim_end().to_owned()
        });
        self.position = Some(position);
        self
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Tells whether nothing can run until this is mended.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// Plain text in the shape of a compiler's message: `file:line:column: severity[code]: message`, excerpt, hint.
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Whoever makes a diagnostic quotes what is wrong, and that may be anything.
        write!(f, "{}", text::line(&self.file))?;
        if let Some(Position { line, column }) = self.position {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {}[{}]: {}", self.severity, self.code, text::terminal(&self.message))?;
        if let (Some(excerpt), Some(Position { line, column })) = (&self.excerpt, self.position) {
            let indent = " ".repeat(line.to_string().len());
            write!(f, "\n {indent} |\n {line} | {excerpt}")?;
            if (column as usize) <= excerpt.chars().count() {
                write!(f, "\n {indent} | {:>column$}", "^", column = column as usize)?;
            }
        }
        if let Some(hint) = &self.hint {
            write!(f, "\n  hint: {}", text::terminal(hint))?;
        }
        Ok(())
    }
}

/// Moves diagnostics of a text that stands inside another, whose line `first_line` (from 1) is its first.
pub fn shift(diagnostics: &mut [Diagnostic], file: &str, first_line: usize) {
    let by = u32::try_from(first_line.saturating_sub(1)).unwrap_or(u32::MAX);
    for diagnostic in diagnostics.iter_mut().filter(|diagnostic| diagnostic.file == file) {
        if let Some(position) = &mut diagnostic.position {
            position.line = position.line.saturating_add(by);
        }
    }
}

/// Puts diagnostics in the order of the places they speak of, errors before warnings at the same place.
pub fn sort(diagnostics: &mut [Diagnostic]) {
    diagnostics.sort_by(|a, b| (&a.file, a.position, a.severity).cmp(&(&b.file, b.position, b.severity)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_characters_from_one() {
        assert_eq!(Position::of_offset("äb\ncd", 0), Position { line: 1, column: 1 });
        assert_eq!(Position::of_offset("äb\ncd", 2), Position { line: 1, column: 2 });
        assert_eq!(Position::of_offset("äb\ncd", 4), Position { line: 2, column: 1 });
        assert_eq!(Position::of_offset("äb\ncd", 99), Position { line: 2, column: 3 });
    }

    #[test]
    fn a_diagnostic_reads_like_a_compilers() {
        let text = "## Feature\n## `backend-fature-implementer`\n";
        let diagnostic = Diagnostic::new(Severity::Error, "unknown-subagent", "plan.md", "no such subagent")
            .at(text, Position { line: 2, column: 5 })
            .hint("did you mean `backend-feature-implementer`?");
        insta::assert_snapshot!(diagnostic, @r"
        plan.md:2:5: error[unknown-subagent]: no such subagent
           |
         2 | ## `backend-fature-implementer`
           |     ^
          hint: did you mean `backend-feature-implementer`?
        ");
    }
}
