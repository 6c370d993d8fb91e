//! Lines that say nothing but what is waited for, in the words that people use: "Start only after B2", "After B and C", "Last
//! step, after everything else", "Can be done in parallel with B3".

use super::all_references;
use crate::plan::domains;

/// How a line is remembered that waits for all that the plan has before it.
pub(in crate::plan) const EVERYTHING: &str = "everything";

/// Words at the beginning of a line that say only that something begins then: "Start only after B2", "Last step, after
/// everything else".
const PREFACES: &str = "start|starts|begin|begins|blocked|only|do|this|run|runs|can|may|must|should|be|started|it|comes|last|final|finally|step|not|\
     done|to|we|the|work|starting|and|then|phase|needs to wait|erst|beginnt";

/// Tells whether a value means all that stands before: "everything else", "all of the above".
pub(super) fn means_all(value: &str) -> bool {
    const ALL: &str = "everything|everything else|everything above|all|all others|the rest|all of the above|all the above|the above|\
         all of it|all other tasks|all other steps|all other phases|all other workstreams|all previous tasks|all previous steps|\
         all previous phases|all phases|all tasks|all steps|all workstreams|the other tasks|the other steps|the other phases|\
         the previous steps|the previous phases|all the others|all the rest|all of them|allem|allem anderen|alles andere|tout le reste|\
         todo lo demás|tutto il resto";
    const ENDS: [&str; 9] = [
        " is done",
        " are done",
        " is merged",
        " are merged",
        " is finished",
        " are finished",
        " is complete",
        " have landed",
        " has landed",
    ];
    let value = domains::normal(value);
    let value = ENDS.iter().find_map(|end| value.strip_suffix(end)).unwrap_or(&value);
    domains::holds(ALL, value)
}

/// Reads a value that names parts of the plan by letters alone: "B and C".
pub(super) fn letters(value: &str) -> Vec<String> {
    let bare = value.trim().trim_end_matches('.');
    let bare = [
        "is done",
        "are done",
        "is merged",
        "are merged",
        "is finished",
        "are finished",
        "is complete",
        "are complete",
    ]
    .iter()
    .find_map(|end| bare.strip_suffix(end))
    .unwrap_or(bare);
    let parts =
        bare.split([',', '&', '+', '/']).flat_map(|part| part.split(" and ")).flat_map(|part| part.split(" und "));
    let found: Option<Vec<String>> = parts
        .map(|part| {
            let letter = part.trim().trim_matches(['*', '_', '`']);
            let is_letter = letter.len() == 1 && letter.bytes().all(|byte| byte.is_ascii_uppercase());
            is_letter.then(|| letter.to_ascii_lowercase())
        })
        .collect();
    found.unwrap_or_default()
}

/// Finds where a line goes on behind words that only say that something begins then.
pub(super) fn behind_prefaces(raw: &str, start: usize) -> Option<usize> {
    let mut at = start;
    for _ in 0..5 {
        let rest = &raw[at..];
        let end = rest.find(|c: char| !c.is_alphabetic()).unwrap_or(rest.len());
        if !domains::holds(PREFACES, &rest[..end].to_lowercase()) {
            break;
        }
        let behind = rest[end..].trim_start_matches([' ', ',', ':', '*', '_']);
        at = raw.len() - behind.len();
    }
    (at > start).then_some(at)
}

/// Tells whether a value has a reference and nothing else but words that say that it is done: "B1 to be finished".
pub(super) fn is_only_named(value: &str) -> bool {
    const DONE: &str = "is|are|be|to|being|has|have|been|done|finished|complete|completed|merged|landed|released|deployed|the|and|or|first|\
         only|ready|green|shipped";
    let value = value.trim().trim_end_matches('.');
    let found = all_references(value);
    let words = domains::normal(value);
    let counted = |word: &str| {
        let is_named = |name: &String| domains::normal(name).split(' ').any(|part| part == word);
        found.iter().any(is_named)
            || domains::holds(DONE, word)
            || domains::holds("tasks|steps|phases|items|parts", word)
    };
    !letters(value).is_empty() || (!found.is_empty() && words.split(' ').all(counted))
}

/// Tells whether an item only says what it may run beside: "Can be done in parallel with B3".
pub(super) fn says_parallel(raw: &str) -> bool {
    const FIRST: &str = "can|may|could|runs|run|is|are|parallel|independent|parallelizable";
    let phrase = domains::normal(raw);
    let first = phrase.split(' ').next().unwrap_or_default();
    let is_short = phrase.split(' ').count() <= 10;
    let says =
        ["in parallel", "parallel to", "parallel with", "at the same time as", "independent of", "independently of"];
    let begins = domains::holds(FIRST, first)
        || ["in parallel with ", "in parallel to "].iter().any(|lead| phrase.starts_with(lead));
    is_short && begins && says.iter().any(|words| phrase.contains(words))
}

#[cfg(test)]
mod tests {
    use super::super::{is_no_work, of_line, statement};

    #[test]
    fn what_a_line_waits_for_is_read_in_the_words_of_people() {
        for (text, expected) in [
            ("Start only after B2", "B2"),
            ("Start only after Phase 1.", "phase 1"),
            ("Requires B1 to be finished", "B1"),
            ("Once Phase 1 is merged.", "phase 1"),
            ("Blocked until Workstream A is merged.", "workstream a"),
            ("Depends on Workstream A", "workstream a"),
            ("After B and C.", "b c"),
            ("After A.", "a"),
            ("Last step, after everything else.", "everything"),
            ("After everything else is done.", "everything"),
            ("Needs: all previous steps", "everything"),
        ] {
            assert!(statement(text).is_some(), "{text}");
            assert_eq!(of_line(text).join(" "), expected, "{text}");
        }
        for text in ["Start only after B2", "Can be done in parallel with B3", "Requires B1 to be finished", "After A."]
        {
            assert!(is_no_work(text), "{text}");
        }
    }

    #[test]
    fn work_that_speaks_of_time_stays_work() {
        for text in [
            "Once Task 2 is done, remove the flag",
            "After T003 add the index",
            "Start the worker after the pool",
            "Run after each deploy",
            "Requires a lock on the table",
            "In parallel requests the counter must not drift",
            "Needs all of the fields",
        ] {
            assert!(!is_no_work(text), "{text}");
        }
    }
}
