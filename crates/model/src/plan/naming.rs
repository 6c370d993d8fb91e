//! How messages name an item of a plan.

use super::Requirement;
use crate::text;

/// Characters of an item's text that a message shows.
const TEXT_MAX: usize = 80;

impl Requirement {
    /// Names the item as its author knows it: by its text and its line. Its id is what reports and briefs call it by.
    #[must_use]
    pub fn named(&self) -> String {
        let text = text::truncate(&text::terminal(self.text.trim()), TEXT_MAX);
        format!("“{text}” (line {} of the plan, `{}`)", self.line, self.id)
    }
}
