//! OpenSpec: numbered sections with boxes that go on with their number: `## 1. Ledger`, `- [ ] 1.1 …`.

use super::reader::{DialectReader, Input, boxes};
use crate::plan::{
    domains::{Fixed, normal},
    headings::Heading,
    shape::{Dialect, Rules},
};

/// `tasks.md` of a change of OpenSpec.
pub(super) struct OpenSpec;

impl DialectReader for OpenSpec {
    fn dialect(&self) -> Dialect {
        Dialect::Openspec
    }

    fn recognises(&self, input: &Input<'_, '_>) -> bool {
        let (mut all, mut numbered) = (0, 0);
        for item in boxes(input.document) {
            all += 1;
            numbered += usize::from(leading_number(&item.line.text).is_some_and(|number| number.contains('.')));
        }
        let has_numbered_heading = input.sections.iter().any(|section| {
            section.line().is_some_and(|line| leading_number(&line.text).is_some() || line.text.contains(':'))
        });
        numbered > 0 && numbered * 2 >= all && has_numbered_heading
    }

    /// A proposal above the tasks says in words what the tasks do.
    fn section(&self, _: &Heading, text: &str) -> Option<Fixed> {
        matches!(normal(text).as_str(), "what changes" | "capabilities" | "new capabilities" | "modified capabilities")
            .then_some(Fixed::Context)
    }

    fn rules(&self) -> Rules {
        Rules { numbers_are_ids: true, ..Rules::FOREIGN }
    }
}

/// Returns the number that a line begins with, such as `1.2`. Nothing has to stand behind it: in a template that is a comment.
fn leading_number(text: &str) -> Option<&str> {
    let number = text.split_whitespace().next()?.trim_end_matches('.');
    let is_number = number.starts_with(|c: char| c.is_ascii_digit());
    (is_number && number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')).then_some(number)
}
