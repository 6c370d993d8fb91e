//! Ranges of parts of a plan: "steps 1-3", "T003–T005", "Phase 1 to Phase 3".

use super::{counts, mentions};

/// The most parts that a range stands for: what has more is something else, such as a date.
const PARTS_MAX: u32 = 99;

/// Signs and words between the ends of a range.
const BETWEEN: [&str; 12] = ["-", "–", "—", "~", "〜", "to ", "through ", "thru ", "bis ", "bis zu ", "à ", "até "];

/// Divides the last number from what stands before it: `T003` is `T` and `003`, `1.2` is `1.` and `2`.
fn split_number(name: &str) -> (&str, &str) {
    name.split_at(name.trim_end_matches(|c: char| c.is_ascii_digit()).len())
}

/// Finds where the first part of a word ends that is a range without blanks: `1-3`, `T003-T005`. `DT-1` is none.
pub(super) fn end_of_first(word: &str) -> Option<usize> {
    word.match_indices('-').map(|(at, _)| at).find(|at| {
        mentions::is_reference(&word[..*at]) && word[at + 1..].starts_with(|c: char| c.is_ascii_alphanumeric())
    })
}

/// Reads on behind the first part of a range: the other parts without the word that counts them, and how far they reach.
pub(super) fn others(first: &str, called: Option<&str>, text: &str) -> Option<(Vec<String>, usize)> {
    let trimmed = text.trim_start();
    let sign = BETWEEN.iter().filter(|sign| trimmed.starts_with(**sign)).max_by_key(|sign| sign.len())?;
    let last = trimmed[sign.len()..].trim_start();
    let is_spaced = last.len() + sign.len() < text.len();
    let (name, len) = match counts::count(last) {
        Some((name, word, len)) => {
            (name.strip_prefix(word.as_str()).filter(|_| called == Some(&word))?.to_owned(), len)
        }
        None => {
            let len = last.find(|c: char| !(c.is_ascii_alphanumeric() || c == '.')).unwrap_or(last.len());
            let name = last[..len].trim_end_matches('.');
            (name.to_owned(), name.len())
        }
    };
    let name = name.trim_start();
    let (before, from) = split_number(first);
    let (before_last, to) = split_number(name);
    let behind = last[len..].trim_start();
    // "Phase 1 - 3 days" is no range.
    let ends = !is_spaced
        || behind.is_empty()
        || behind.starts_with(|c: char| !c.is_alphanumeric())
        || ["and ", "und "].iter().any(|word| behind.starts_with(word));
    if !ends || !(before_last == before || before_last.is_empty()) {
        return None;
    }
    let (low, high) = (from.parse::<u32>().ok()?, to.parse::<u32>().ok()?);
    let width = if from.starts_with('0') { from.len() } else { 0 };
    let names = |number: u32| format!("{before}{number:0width$}");
    (low < high && high - low <= PARTS_MAX)
        .then(|| ((low + 1..=high).map(names).collect(), text.len() - last.len() + len))
}

/// Reads one name of a list as the parts that it stands for, with the word that counts them: `Steps 2-3`, or only `3`
/// where an earlier name of the list had the word. What is none of these gives nothing.
pub(super) fn parts(name: &str, called: Option<&str>) -> Option<(Vec<String>, Option<String>)> {
    let (first, word, len) = match counts::count(name) {
        Some((full, word, len)) => (full.strip_prefix(word.as_str())?.trim_start().to_owned(), Some(word), len),
        None => {
            let end = name.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-'))).unwrap_or(name.len());
            let end = end_of_first(&name[..end]).unwrap_or(end);
            let is_number = name[..end].bytes().all(|b| b.is_ascii_digit());
            let is_name = mentions::is_reference(&name[..end]);
            if !is_name {
                return None;
            }
            (name[..end].to_owned(), called.filter(|_| is_number).map(str::to_owned), end)
        }
    };
    let (more, behind) = others(&first, word.as_deref(), &name[len..]).unwrap_or_default();
    let is_all = name[len + behind..].trim().is_empty();
    let name = |number: String| word.as_ref().map_or_else(|| number.clone(), |word| format!("{word} {number}"));
    is_all.then(|| (std::iter::once(first).chain(more).map(name).collect(), word.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_a_list_are_the_parts_that_they_stand_for() {
        for (name, called, expected) in [
            ("Steps 2-3", None, "step 2, step 3"),
            ("Phase 1 to Phase 3", None, "phase 1, phase 2, phase 3"),
            ("T009–T011", None, "T009, T010, T011"),
            ("DT-1", None, "DT-1"),
            ("DT-1-3", None, "DT-1, DT-2, DT-3"),
            ("1.2-1.4", None, "1.2, 1.3, 1.4"),
            ("2", Some("step"), "step 2"),
            ("2-3", Some("step"), "step 2, step 3"),
            ("T2", Some("step"), "T2"),
            ("Phase 2 (all)", None, ""),
            ("users-1", None, ""),
            ("Phase 1-2024", None, ""),
        ] {
            let found = parts(name, called).map(|(names, _)| names.join(", ")).unwrap_or_default();
            assert_eq!(found, expected, "{name}");
        }
    }
}
