//! spec-kit: phases with boxes, each with an id, marks and a path: `- [ ] T012 [P] [US1] Create … in src/…`.

use super::reader::{DialectReader, Input, boxes, is_numbered_tag};
use crate::plan::{
    accounting::Reason,
    domains::{Fixed, normal},
    headings::Heading,
    shape::{Dialect, Rules},
};

/// `tasks.md` of spec-kit.
pub(super) struct SpecKit;

impl DialectReader for SpecKit {
    fn dialect(&self) -> Dialect {
        Dialect::SpecKit
    }

    fn recognises(&self, input: &Input<'_, '_>) -> bool {
        let (mut all, mut tagged) = (0, 0);
        for item in boxes(input.document) {
            all += 1;
            let word = item.line.text.trim_start_matches(['*', '~', '[']).split([' ', ':', ']', '*']).next();
            tagged += usize::from(word.is_some_and(|word| is_numbered_tag(word, 'T')));
        }
        tagged > 0 && tagged * 2 >= all
    }

    fn rules(&self) -> Rules {
        Rules { numbers_are_ids: true, only_boxes: true, items_name_files: true, ..Rules::FOREIGN }
    }

    fn section(&self, heading: &Heading, text: &str) -> Option<Fixed> {
        let phrase = normal(text);
        if phrase.starts_with("format ") {
            return Some(Fixed::Aside(Reason::Legend));
        }
        // "Phase 1: Setup (Shared Infrastructure)" says when, and its items say who.
        let is_phase = heading.is_phase || phrase.starts_with("phase ") || phrase.starts_with("implementation for ");
        (is_phase && !phrase.starts_with("phase dependencies")).then_some(Fixed::Frame)
    }
}
