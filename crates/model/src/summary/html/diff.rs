//! What the tasks changed, line by line, as git writes it: coloured, and bounded.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::beside;
use crate::{ids::TaskId, text};

/// Bytes of one diff, and of all together, that the page can use.
const DIFF_MAX_BYTES: u64 = 128 * 1024;
const DIFFS_MAX_BYTES: u64 = 2 * 1024 * 1024;

/// Returns how many bytes of each of so many diffs the page can use: whoever reads the files need not read more.
#[must_use]
pub fn diff_room(number: usize) -> u64 {
    DIFF_MAX_BYTES.min(DIFFS_MAX_BYTES / u64::try_from(number.max(1)).unwrap_or(u64::MAX))
}

/// Lines of one diff that are shown.
const LINES_OF_TASK: usize = 400;

/// Lines of all diffs together.
const LINES_OF_PAGE: usize = 20_000;

/// Characters of one line.
const LINE_CHARS: usize = 300;

/// The diffs of a run, each shown as far as the page has room.
#[derive(Debug)]
pub(super) struct Diffs<'a> {
    texts: &'a BTreeMap<TaskId, String>,
    /// Lines that each of them may have.
    lines_max: usize,
}

impl<'a> Diffs<'a> {
    pub(super) fn new(texts: &'a BTreeMap<TaskId, String>) -> Self {
        Self { texts, lines_max: LINES_OF_TASK.min(LINES_OF_PAGE / texts.len().max(1)) }
    }

    /// Writes the diff of a task, folded; nothing where there is none.
    pub(super) fn of(&self, task: &TaskId) -> Markup {
        let Some(diff) = self.texts.get(task).filter(|diff| !diff.trim().is_empty()) else { return html! {} };
        let mut lines = diff.lines();
        let mut kind = Kind::Context;
        let shown: Vec<_> = lines
            .by_ref()
            .take(self.lines_max)
            .map(|line| {
                kind = kind.of_next(line);
                (kind, text::truncate(&text::terminal(line), LINE_CHARS))
            })
            .filter(|(kind, _)| *kind != Kind::Binary)
            .collect();
        let is_cut = lines.next().is_some() || diff.len() as u64 >= diff_room(self.texts.len());
        html! {
            details class="changes" {
                summary { "Diff" @if is_cut { ", its first " (shown.len()) " lines" } }
                pre class="diff" tabindex="0" aria-label={ "Diff of " (task) } {
                    @for (kind, line) in &shown { span class=(kind.class()) { (line) "\n" } }
                }
                @if is_cut {
                    p { "The diff is longer than this page shows: " (beside(&format!("tasks/{task}/patch.diff"), "all of it")) "." }
                }
            }
        }
    }
}

/// What a line of a diff is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The head of a file: its names, modes and ids.
    File,
    Hunk,
    Added,
    Removed,
    Context,
    /// Binary content in letters, which says nothing to people.
    Binary,
}

impl Kind {
    /// Tells what the line after one of this kind is. Within a hunk the first character decides; the head of a file ends
    /// with its first hunk, so that `--- a/x` there is no removed line.
    fn of_next(self, line: &str) -> Self {
        if line.starts_with("diff --git ") {
            return Self::File;
        }
        match (self, line.as_bytes().first()) {
            (Self::Binary, _) => Self::Binary,
            (_, Some(b'@')) => Self::Hunk,
            (Self::File, _) if line.starts_with("literal ") || line.starts_with("delta ") => Self::Binary,
            (Self::File, _) => Self::File,
            (_, Some(b'+')) => Self::Added,
            (_, Some(b'-')) => Self::Removed,
            _ => Self::Context,
        }
    }

    fn class(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Hunk => "hunk",
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Context | Self::Binary => "context",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(diff: &str) -> String {
        let task = TaskId::new("feature").unwrap();
        let texts = BTreeMap::from([(task.clone(), diff.to_owned())]);
        Diffs::new(&texts).of(&task).into_string()
    }

    #[test]
    fn lines_are_coloured_by_what_they_are() {
        let page = page(
            "diff --git a/x b/x\nindex 1..2 100644\n--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n one\n--- two\n+<b>three</b>\n\
             diff --git a/i.png b/i.png\nindex 1..2\nGIT binary patch\nliteral 9\ncmZ?wbhEHb\n\n\
             diff --git a/y b/y\n--- /dev/null\n+++ b/y\n@@ -0,0 +1 @@\n+end\n",
        );
        for line in [
            "<span class=\"file\">--- a/x\n</span>",
            "<span class=\"hunk\">@@ -1,2 +1,2 @@\n</span>",
            "<span class=\"context\"> one\n</span>",
            "<span class=\"removed\">--- two\n</span>",
            "<span class=\"added\">+&lt;b&gt;three&lt;/b&gt;\n</span>",
            "<span class=\"file\">GIT binary patch\n</span>",
            "<span class=\"added\">+end\n</span>",
        ] {
            assert!(page.contains(line), "{line} in {page}");
        }
        assert!(!page.contains("cmZ?wbhEHb") && !page.contains("longer than"), "{page}");
    }

    #[test]
    fn a_long_diff_is_cut_and_says_so() {
        let page = page(&format!("diff --git a/x b/x\n@@ -0,0 +1,900 @@\n{}", "+line\n".repeat(900)));
        assert_eq!(page.matches("+line").count(), 398);
        assert!(page.contains("its first 400 lines") && page.contains("href=\"tasks/feature/patch.diff\""), "{page}");
    }

    #[test]
    fn many_diffs_share_the_page() {
        let texts: BTreeMap<_, _> =
            (0..200).map(|n| (TaskId::new(format!("t{n}")).unwrap(), "+x\n".repeat(500))).collect();
        let diffs = Diffs::new(&texts);
        let lines: usize = texts.keys().map(|task| diffs.of(task).into_string().matches("+x").count()).sum();
        assert_eq!(lines, LINES_OF_PAGE);
    }

    #[test]
    fn no_diff_is_no_fold() {
        assert_eq!(page("\n"), "");
    }
}
