//! The pieces that the summary is put together from: bounded foreign text, lists that fold, labels with their lines.

use crate::text;

/// How much a page says.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Detail {
    /// Lines of a list before the rest is folded away.
    shown: usize,
    /// Lines of a list in all, folded ones included.
    listed: usize,
    /// Characters of one foreign text.
    text: usize,
    /// Characters of one picture; 0 for no pictures.
    pub(crate) picture: usize,
    /// Whether something may have been left out that the fullest page has.
    pub(crate) shortened: bool,
}

impl Detail {
    /// Everything that people can be expected to read.
    pub(crate) const FULL: Self = Self { shown: 10, listed: 256, text: 600, picture: 20_000, shortened: false };

    /// Lists that stand open until they are really long: for pages on which people look for one line.
    pub(crate) const OPEN: Self = Self { shown: 40, listed: 256, text: 300, picture: 20_000, shortened: false };

    /// From the fullest to the shortest.
    pub(crate) const LEVELS: [Self; 5] = [
        Self::FULL,
        Self { shown: 10, listed: 64, text: 300, picture: 12_000, shortened: true },
        Self { shown: 10, listed: 16, text: 200, picture: 6_000, shortened: true },
        Self { shown: 6, listed: 6, text: 120, picture: 0, shortened: true },
        Self { shown: 2, listed: 2, text: 60, picture: 0, shortened: true },
    ];

    /// Returns foreign text as one line of Markdown prose.
    pub(crate) fn prose(&self, foreign: &str) -> String {
        text::markdown(&text::truncate(foreign.trim(), self.text))
    }

    /// Returns a sentence of ours with foreign text in it: what stands between two backticks is a code span.
    pub(crate) fn sentence(&self, sentence: &str) -> String {
        let shown = text::truncate(sentence.trim(), self.text);
        let parts: Vec<&str> = shown.split('`').collect();
        // A backtick without a second one is only a backtick.
        let paired = (parts.len() - 1) / 2 * 2;
        let mut out = String::new();
        for (at, part) in parts.iter().enumerate() {
            match at {
                at if at > paired => out.push_str(&text::markdown(&format!("`{part}"))),
                at if at % 2 == 1 && !part.is_empty() => out.push_str(&text::code(part)),
                // Escaping trims what it is given.
                _ => {
                    let blank = |at_edge: bool| if at_edge && !part.trim().is_empty() { " " } else { "" };
                    out.push_str(blank(part.starts_with(' ') && at > 0));
                    out.push_str(&text::markdown(part));
                    out.push_str(blank(part.ends_with(' ') && at < parts.len() - 1));
                }
            }
        }
        out
    }

    /// Returns foreign text as a code span.
    pub(crate) fn code(&self, foreign: &str) -> String {
        text::code(&text::truncate(foreign, self.text))
    }

    /// Returns the number of rows that a table may have.
    pub(crate) fn rows(&self) -> usize {
        self.listed
    }

    /// Tells whether so many lines are too many to stand open.
    pub(crate) fn folds(&self, lines: usize) -> bool {
        lines > self.shown
    }
}

/// Writes a list of lines that are safe Markdown already, each behind `indent`; long lists fold.
pub(crate) fn list(page: &mut String, indent: &str, lines: &[String], detail: &Detail) {
    // One line too many is shown rather than hidden behind a click.
    let open = if lines.len() <= detail.shown + 1 { lines.len() } else { detail.shown };
    items(page, indent, &lines[..open.min(detail.listed)]);
    let folded = &lines[open.min(lines.len())..lines.len().min(detail.listed).max(open)];
    if !folded.is_empty() {
        page.push_str(&format!("\n{indent}<details><summary>{} more</summary>\n\n", folded.len()));
        items(page, indent, folded);
        page.push_str(&format!("\n{indent}</details>\n\n"));
    }
    let left = lines.len() - open.min(detail.listed) - folded.len();
    if left > 0 {
        page.push_str(&format!("{indent}- … and {left} more in the hand-off\n"));
    }
}

fn items(page: &mut String, indent: &str, lines: &[String]) {
    for line in lines {
        page.push_str(&format!("{indent}- {line}\n"));
    }
}

/// Writes a bold label with its lines: one line stands beside it, several below it.
pub(crate) fn label(page: &mut String, name: &str, lines: &[String], detail: &Detail) {
    match lines {
        [] => page.push_str(&format!("- **{name}**: Nothing to report\n")),
        [line] => page.push_str(&format!("- **{name}**: {line}\n")),
        lines => {
            page.push_str(&format!("- **{name}**:\n"));
            list(page, "  ", lines, detail);
        }
    }
}

/// Writes a bold label with one line that says it all; the lines behind it are folded under `what`.
pub(crate) fn folded_label(page: &mut String, name: &str, line: &str, what: &str, folded: &[String], detail: &Detail) {
    page.push_str(&format!("- **{name}**: {line}\n"));
    if folded.is_empty() {
        return;
    }
    let open = Detail { shown: detail.listed, ..*detail };
    page.push_str(&format!("\n  <details><summary>{what}</summary>\n\n"));
    list(page, "  ", folded, &open);
    page.push_str("\n  </details>\n\n");
}

/// Writes a table; long ones fold under `what`, such as "tasks". Cells are safe Markdown already.
pub(crate) fn table(page: &mut String, indent: &str, what: &str, head: &[&str], rows: &[Vec<String>], detail: &Detail) {
    table_folded(page, indent, what, head, rows, detail, detail.folds(rows.len()));
}

/// Writes a table that stands open or is folded under `what`. Cells are safe Markdown already.
pub(crate) fn table_folded(
    page: &mut String,
    indent: &str,
    what: &str,
    head: &[&str],
    rows: &[Vec<String>],
    detail: &Detail,
    folds: bool,
) {
    if folds {
        page.push_str(&format!("{indent}<details><summary>{}</summary>\n\n", text::count(rows.len(), what)));
    }
    page.push_str(&format!("{indent}| {} |\n", head.join(" | ")));
    page.push_str(&format!("{indent}|{}\n", " --- |".repeat(head.len())));
    for row in rows.iter().take(detail.rows()) {
        page.push_str(&format!(
            "{indent}| {} |\n",
            row.iter().map(|cell| text::cell(cell)).collect::<Vec<_>>().join(" | ")
        ));
    }
    if rows.len() > detail.rows() {
        page.push_str(&format!("\n{indent}… and {} more in the hand-off\n", rows.len() - detail.rows()));
    }
    if folds {
        page.push_str(&format!("\n{indent}</details>\n"));
    }
}

/// Indents every line of a block, so that it belongs to the list item above it.
pub(crate) fn indented(block: &str, indent: &str) -> String {
    block.lines().map(|line| if line.is_empty() { "\n".to_owned() } else { format!("{indent}{line}\n") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_between_backticks_is_a_code_span_and_the_rest_is_escaped() {
        let said = |sentence: &str| Detail::FULL.sentence(sentence);
        assert_eq!(
            said("its last line is `a <b>`; see [it](x)"),
            format!("its last line is `a <b>`{}", text::markdown("; see [it](x)"))
        );
        assert_eq!(said("`one`, `two` and three"), "`one`, `two` and three");
        assert_eq!(said("an odd ` backtick"), format!("an odd {}", text::markdown("` backtick")));
    }
}
