//! Kiro: one list of numbered boxes, with boxes below them, details, and traces such as `_Requirements: 1.2_`.

use super::reader::{DialectReader, Input, all_items, boxes};
use crate::plan::{
    blocks::nested,
    items,
    shape::{Dialect, Rules},
};

/// `tasks.md` of a spec of Kiro.
pub(super) struct Kiro;

impl DialectReader for Kiro {
    fn dialect(&self) -> Dialect {
        Dialect::Kiro
    }

    fn recognises(&self, input: &Input<'_, '_>) -> bool {
        // A trace stands in a language of its own, so that its form counts: emphasised, a word, a colon, numbers.
        let traced = all_items(&input.document.blocks).into_iter().any(|item| {
            let written = input.source.text[item.line.range.clone()].trim();
            written.starts_with('_')
                && written.ends_with('_')
                && written.contains([':', '：'])
                && written.contains(|c: char| c.is_ascii_digit())
        });
        let whole = |id: &str| id.bytes().all(|b| b.is_ascii_digit());
        let top: Vec<_> = nested(&input.document.blocks).filter(|item| item.boxed).collect();
        let numbered =
            top.iter().filter(|item| items::split_number_id(&item.line.text).is_some_and(|(id, _)| whole(&id))).count();
        let parts = boxes(input.document)
            .any(|item| items::split_number_id(&item.line.text).is_some_and(|(id, _)| id.contains('.')));
        // Some write the parts beside what they are parts of.
        let counted = top.iter().filter(|item| items::split_number_id(&item.line.text).is_some()).count();
        numbered > 0 && ((numbered * 2 >= top.len() && (traced || parts)) || (counted == top.len() && traced && parts))
    }

    fn rules(&self) -> Rules {
        Rules { numbers_are_ids: true, items_are_tasks: true, only_boxes: true, ..Rules::FOREIGN }
    }
}
