//! Says that the revision that a run started from names another commit by now.

use crate::{
    findings::{Finding, FindingCode, Weight},
    ids::ObjectId,
    text,
};

/// Where a revision is now.
#[derive(Debug, Clone, Copy)]
pub struct BaseMoved<'a> {
    /// What was asked for as the base: a branch, or `HEAD`.
    pub revision: &'a str,
    /// The commit that it named when the run began.
    pub was: &'a ObjectId,
    /// The commit that it names now.
    pub now: &'a ObjectId,
    /// How many commits it is ahead, when the first commit is among the ancestors of the second.
    pub ahead: Option<usize>,
    /// Whether the result merges with it without a conflict; `None` where git cannot tell.
    pub merges: Option<bool>,
}

impl BaseMoved<'_> {
    #[must_use]
    pub fn finding(&self) -> Finding {
        let how = match self.ahead {
            Some(commits) => format!("it is {} further", text::count(commits, "commit")),
            None => "its history was written anew".to_owned(),
        };
        let merge = match self.merges {
            Some(true) => "; the result merges with it without a conflict",
            Some(false) => "; the result does not merge with it without conflicts",
            None => "",
        };
        Finding {
            code: FindingCode::BaseMoved,
            weight: if self.merges == Some(true) { Weight::Note } else { Weight::Warning },
            task: None,
            path: None,
            line: None,
            message: format!(
                "`{}` was {} when the run began and is {} now: {how}{merge}",
                text::plain(self.revision),
                self.was.short(),
                self.now.short()
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::summary::fixture::oid;

    #[test]
    fn only_a_base_with_which_the_result_merges_is_no_warning() {
        let (was, now) = (oid("was"), oid("now"));
        let moved = |ahead, merges| BaseMoved { revision: "main", was: &was, now: &now, ahead, merges }.finding();
        let clean = moved(Some(2), Some(true));
        assert_eq!(clean.weight, Weight::Note);
        assert!(clean.message.ends_with("it is 2 commits further; the result merges with it without a conflict"));
        for merges in [Some(false), None] {
            assert_eq!(moved(Some(1), merges).weight, Weight::Warning);
        }
        assert!(moved(None, None).message.ends_with("now: its history was written anew"));
    }
}
