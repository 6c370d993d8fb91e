//! OpenSpec: numbered sections with boxes that go on with their number: `## 1. Ledger`, `- [ ] 1.1 …`.

use super::reader::{Input, Reader, boxes};
use crate::plan::{
    items,
    shape::{Dialect, Rules},
};

/// `tasks.md` of a change of OpenSpec.
pub(super) struct OpenSpec;

impl Reader for OpenSpec {
    fn dialect(&self) -> Dialect {
        Dialect::Openspec
    }

    fn recognises(&self, input: &Input<'_, '_>) -> bool {
        let (mut all, mut numbered) = (0, 0);
        for item in boxes(input.document) {
            all += 1;
            let id = items::split_number_id(&item.line.text);
            numbered +=
                usize::from(id.is_some_and(|(id, _)| id.contains('.') && id.starts_with(|c: char| c.is_ascii_digit())));
        }
        let has_numbered_heading = input.sections.iter().any(|section| {
            section.line().is_some_and(|line| items::split_number_id(&line.text).is_some() || line.text.contains(':'))
        });
        numbered > 0 && numbered * 2 >= all && has_numbered_heading
    }

    fn rules(&self) -> Rules {
        Rules { numbers_are_ids: true, ..Rules::FOREIGN }
    }
}
