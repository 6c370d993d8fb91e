//! superpowers: a task a heading, with its files, and steps whose code, commands and expectations follow them.

use super::reader::{DialectReader, Input};
use crate::plan::{
    blocks::Block,
    shape::{Dialect, Rules},
};

/// A plan of superpowers.
pub(super) struct Superpowers;

impl DialectReader for Superpowers {
    fn dialect(&self) -> Dialect {
        Dialect::Superpowers
    }

    fn recognises(&self, input: &Input<'_, '_>) -> bool {
        input.sections.iter().any(|section| {
            let is_task = section.heading.as_ref().is_some_and(|(.., heading)| {
                heading.keys.iter().any(|key| key.starts_with("task ") || key.starts_with("step "))
            });
            let text = |block: &Block| match block {
                Block::Paragraph { line, .. } => line.text.to_lowercase(),
                Block::List { items } => items.first().map(|item| item.line.text.to_lowercase()).unwrap_or_default(),
                _ => String::new(),
            };
            is_task
                && section.blocks.iter().map(text).any(|text| text.starts_with("files:") || text.starts_with("step 1"))
        })
    }

    fn rules(&self) -> Rules {
        Rules { bodies_follow: true, ..Rules::FOREIGN }
    }
}
