//! `Touches:`, `Needs:` and `Parallel with:`, the lines of a section that are not work but say something about it.

use super::{
    draft::{TaskDraft, Word},
    ranges,
    source::{Problems, Source},
};
use crate::scope::{self, InvalidGlob};

/// What a directive sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Directive {
    /// The globs of the paths that the task may touch.
    Touches,
    /// The tasks that must have passed before.
    Needs,
    /// The tasks that it may run beside.
    ParallelWith,
}

impl Directive {
    /// Returns the directive as it is written in Markdown.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Touches => "Touches",
            Self::Needs => "Needs",
            Self::ParallelWith => "Parallel with",
        }
    }

    /// Adds words to what the directive sets.
    pub(super) fn add_to(self, task: &mut TaskDraft, words: Vec<Word>) {
        match self {
            Self::Touches => task.touches.extend(words),
            Self::Needs => task.needs.extend(words),
            Self::ParallelWith => task.parallel_with.extend(words),
        }
    }
}

/// Splits a line into its label and where the rest begins: `label:`, plain, emphasised or strong.
///
/// Returns the label without markers, and the offset of the rest within `line`.
pub(super) fn split_label(line: &str) -> Option<(String, usize)> {
    let colon = line.find(':')?;
    let label = line[..colon].trim();
    if label.len() > 64 || label.contains(['`', '.', ',']) {
        return None;
    }
    let markers = |c: char| matches!(c, '*' | '_') || c.is_whitespace();
    let rest = line[colon + 1..].trim_start_matches(['*', '_']);
    // The markers of `**Touches:** x` close behind the colon; those of a glob such as `Touches: **/x` do not.
    let closes = label.starts_with(['*', '_']) && !label.ends_with(['*', '_']);
    let rest = if closes { rest } else { &line[colon + 1..] };
    let start = line.len() - rest.trim_start().len();
    Some((label.trim_matches(markers).to_owned(), start))
}

/// Finds the directive that a label names.
pub(super) fn directive(label: &str) -> Option<Directive> {
    let label: Vec<String> = label.split([' ', '-', '_']).filter(|w| !w.is_empty()).map(str::to_lowercase).collect();
    match label.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["touches" | "touch"] => Some(Directive::Touches),
        ["needs" | "need"] | ["depends", "on"] => Some(Directive::Needs),
        ["parallel" | "parallelise" | "parallelize", "with"] => Some(Directive::ParallelWith),
        _ => None,
    }
}

/// Splits the value of a directive into words with their places: at commas and semicolons, and for ids also at "and".
///
/// What stands in backticks is taken as it is, and then nothing else of that part counts. `none` gives no word.
pub(super) fn words(value: &str, offset: usize, directive: Directive, source: &Source<'_>) -> Vec<Word> {
    let mut words = Vec::new();
    // The word that counts what the list names: "Steps 1, 2 and 4".
    let mut called: Option<String> = None;
    for (start, part) in parts(value) {
        let mut rest = part;
        let mut at = start;
        let mut has_code = false;
        while let Some(open) = rest.find('`') {
            let inner = &rest[open + 1..];
            let Some(len) = inner.find('`') else { break };
            push(&mut words, &inner[..len], offset + at + open + 1, source);
            has_code = true;
            at += open + 1 + len + 1;
            rest = &inner[len + 1..];
        }
        if has_code {
            continue;
        }
        let trimmed = part.trim();
        let begin = start + (part.len() - part.trim_start().len());
        if directive == Directive::Touches {
            let plain = trimmed.trim_end_matches('.');
            push(&mut words, if plain.is_empty() { trimmed } else { plain }, offset + begin, source);
        } else {
            let mut at = begin;
            for name in trimmed.split_inclusive(" and ") {
                let id = name.strip_suffix(" and ").unwrap_or(name);
                let id = id.split_once(" (").map_or(id, |(id, _)| id).trim_end_matches('.');
                let id = id.trim_start_matches("and ");
                match ranges::parts(id.trim(), called.as_deref()) {
                    Some((names, counted)) if names.len() > 1 || called.as_ref().is_some_and(|_| names[0] != id) => {
                        let at = source.position(offset + at);
                        words.extend(names.into_iter().map(|text| Word { text, at }));
                        called = counted;
                    }
                    found => {
                        called = found.and_then(|(_, counted)| counted);
                        push(&mut words, id, offset + at, source);
                    }
                }
                at += name.len();
            }
        }
    }
    words
}

fn push(words: &mut Vec<Word>, raw: &str, offset: usize, source: &Source<'_>) {
    let text = unescape(raw.trim());
    if !text.is_empty() && !is_none(&text) {
        words.push(Word { text, at: source.position(offset + (raw.len() - raw.trim_start().len())) });
    }
}

/// Tells whether a value says that there is nothing.
pub(super) fn is_none(text: &str) -> bool {
    ["none", "nothing", "n/a", "-", "—"].iter().any(|none| text.eq_ignore_ascii_case(none))
}

/// Splits at commas and semicolons that lie outside backticks and braces, with the offset of each part.
fn parts(value: &str) -> Vec<(usize, &str)> {
    let mut parts = Vec::new();
    let (mut start, mut braces, mut in_code) = (0, 0_usize, false);
    for (at, c) in value.char_indices() {
        match c {
            '`' => in_code = !in_code,
            '{' if !in_code => braces += 1,
            '}' if !in_code => braces = braces.saturating_sub(1),
            ',' | ';' | '\n' if !in_code && braces == 0 => {
                parts.push((start, &value[start..at]));
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push((start, &value[start..]));
    parts
}

/// Takes the backslash off punctuation that Markdown had to be kept from reading, such as `src/\*\*`.
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '\\' && chars.peek().is_some_and(|next| matches!(next, '*' | '_' | '[' | ']' | '{' | '}' | '!' | '-')) {
            continue;
        }
        out.push(c);
    }
    out
}

/// Checks the globs of a task and puts them into their normal form; what is refused is left out.
pub(super) fn check_globs(globs: Vec<Word>, problems: &mut Problems<'_>) -> Vec<String> {
    let mut checked = Vec::with_capacity(globs.len());
    let mut seen = std::collections::HashSet::new();
    for glob in globs {
        if let Some((_, what)) = crate::text::deceptive(&glob.text) {
            let message = format!("there is {what} in the glob `{}`", crate::text::truncate(&glob.text, 80));
            problems.error("deceptive-character", glob.at, message, "write the path in plain characters");
            continue;
        }
        match check_glob(&glob.text) {
            Ok(normal) => {
                if seen.insert(normal.to_owned()) {
                    checked.push(normal.to_owned());
                }
            }
            Err(slip) => problems.error(
                "bad-glob",
                glob.at,
                format!("`{}` is not a glob that a task can be held to: {slip}", crate::text::truncate(&glob.text, 80)),
                // Not the hints of the scope: they speak of backslashes, which a plan cannot have.
                "write paths relative to the repository's root, such as `src/users/**`, divided by commas",
            ),
        }
    }
    checked
}

/// Says why a plan cannot have a glob. A scope could hold the first two, but in a plan they are slips: a path of Windows, a
/// comma that was forgotten.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum GlobSlip {
    #[error("it has a backslash; paths are divided by `/`")]
    Backslash,
    #[error("it has white space; where a name has a space, write `?` for it")]
    WhiteSpace,
    #[error("{}", .0.problem)]
    Invalid(InvalidGlob),
}

/// Returns the normal form of a glob.
///
/// # Errors
/// When it is none that a task can be held to.
pub(super) fn check_glob(glob: &str) -> Result<&str, GlobSlip> {
    let normal = glob.strip_prefix("./").unwrap_or(glob);
    if normal.contains('\\') {
        return Err(GlobSlip::Backslash);
    }
    if normal.contains(char::is_whitespace) {
        return Err(GlobSlip::WhiteSpace);
    }
    scope::validate_glob(normal).map_err(GlobSlip::Invalid)?;
    Ok(normal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_split_off_however_they_are_emphasised() {
        for line in ["Touches: a", "**Touches:** a", "**Touches**: a", "*Touches*: a", "__touches:__ a", "TOUCHES:a"] {
            let (label, rest) = split_label(line).unwrap();
            assert_eq!((directive(&label), &line[rest..]), (Some(Directive::Touches), "a"), "{line}");
        }
        let (_, rest) = split_label("Touches: **/a").unwrap();
        assert_eq!(&"Touches: **/a"[rest..], "**/a");
        for label in ["Depends on", "depends-on", "Needs"] {
            assert_eq!(directive(label), Some(Directive::Needs));
        }
        assert_eq!(directive("Parallel with"), Some(Directive::ParallelWith));
        assert_eq!(directive("Dependencies"), None);
        assert_eq!(split_label("`a`: b"), None);
    }

    #[test]
    fn values_are_split_at_commas_outside_backticks_and_braces() {
        let split = |value: &str, directive| {
            let source = Source::new("p", value);
            let words = words(value, 0, directive, &source);
            words.into_iter().map(|w| format!("{}@{}", w.text, w.at.column)).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(split("src/**, tests/a.{py,rs}.", Directive::Touches), "src/**@1 tests/a.{py,rs}@9");
        assert_eq!(split("`src/a.py` (new), `b/**` and `c`", Directive::Touches), "src/a.py@2 b/**@20 c@31");
        assert_eq!(split("src/\\*\\*/x", Directive::Touches), "src/**/x@1");
        assert_eq!(split("`feature`, data-types and cli.", Directive::Needs), "feature@2 data-types@12 cli@27");
        assert_eq!(split("Data Types (all of them)", Directive::Needs), "Data Types@1");
        assert_eq!(split("Steps 2-3", Directive::Needs), "step 2@1 step 3@1");
        assert_eq!(split("Steps 1, 2 and 4", Directive::Needs), "Steps 1@1 step 2@10 step 4@16");
        assert_eq!(split("Phase 1 and T2", Directive::Needs), "Phase 1@1 T2@13");
        assert_eq!(split("none", Directive::Needs), "");
        assert_eq!(split("None.", Directive::Needs), "");
        assert_eq!(split("", Directive::Touches), "");
    }

    #[test]
    fn globs_stay_inside_the_repository() {
        for good in ["src/**", "a.{py,rs}", "./docs/", "*", ".github/**", "src/[a-c].rs", "a..b"] {
            assert!(check_glob(good).is_ok(), "{good}");
        }
        for bad in
            ["", "/etc", "../a", "a/../b", "a\\b", "C:/a", "~/a", "!a", "a b", "a[", "{a", "a\u{7}", &"a".repeat(513)]
        {
            assert!(check_glob(bad).is_err(), "{bad}");
        }
        assert_eq!(check_glob("./docs/").unwrap(), "docs/");
    }
}
