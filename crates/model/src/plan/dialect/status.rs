//! What a plan says of how far an item is, in the words that people and tools write.

use crate::plan::{accounting::Reason, domains};

/// How far an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::plan) enum State {
    Open,
    Done,
    Aside(Reason),
}

const DONE: [&str; 30] = [
    "done",
    "complete",
    "completed",
    "finished",
    "closed",
    "merged",
    "shipped",
    "implemented",
    "resolved",
    "passed",
    "passing",
    "true",
    "yes",
    "erledigt",
    "fertig",
    "abgeschlossen",
    "hecho",
    "completado",
    "completada",
    "terminado",
    "concluido",
    "concluído",
    "feito",
    "terminé",
    "fait",
    "已完成",
    "完成",
    "完了",
    "完료",
    "완료",
];
const DROPPED: [&str; 21] = [
    "cancelled",
    "canceled",
    "dropped",
    "rejected",
    "wontfix",
    "wont do",
    "won t do",
    "abandoned",
    "obsolete",
    "skipped",
    "removed",
    "out of scope",
    "verworfen",
    "已取消",
    "discarded",
    "killed",
    "descartada",
    "descartado",
    "cancelada",
    "cancelado",
    "abandonné",
];
const DEFERRED: [&str; 7] = ["deferred", "postponed", "later", "on hold", "parked", "zurückgestellt", "延期"];

/// Reads a status.
pub(in crate::plan) fn state(status: &str) -> State {
    let phrase = domains::normal(status);
    let first = phrase.split_whitespace().next().unwrap_or_default();
    let is =
        |words: &[&str]| words.contains(&phrase.as_str()) || (words.contains(&first) && phrase.len() > first.len());
    // "Done 27.09. (#6)" and "✅" are done; "complete the API" says what to do.
    let is_short = phrase.split_whitespace().count() <= 5;
    let only_tick = phrase.is_empty() && ["✅", "✔", "✓", "☑"].iter().any(|tick| status.contains(tick));
    if only_tick || (is_short && is(&DONE)) {
        State::Done
    } else if is_short && is(&DROPPED) {
        State::Aside(Reason::OutOfScope)
    } else if is_short && is(&DEFERRED) {
        State::Aside(Reason::Deferred)
    } else {
        State::Open
    }
}

/// Tells whether the head of a column or a key says how far an item is.
pub(in crate::plan) fn is_status(name: &str) -> bool {
    const NAMES: [&str; 14] = [
        "status",
        "state",
        "done",
        "completed",
        "complete",
        "passes",
        "checked",
        "estado",
        "statut",
        "状态",
        "狀態",
        "ステータス",
        "状況",
        "상태",
    ];
    NAMES.contains(&domains::normal(name).as_str())
}

/// Returns a key as words: `acceptanceCriteria` and `acceptance_criteria` are `acceptance criteria`.
pub(super) fn words(key: &str) -> String {
    let mut words = String::with_capacity(key.len() + 4);
    let mut before = ' ';
    for c in key.chars() {
        if c.is_uppercase() && before.is_lowercase() {
            words.push(' ');
        }
        words.push(c);
        before = c;
    }
    domains::normal(&words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_read_in_the_words_of_people() {
        for done in ["Done", "✅", "✅ Done", "completed", "Erledigt 27.09. (PR #6)", "已完成", "true"] {
            assert_eq!(state(done), State::Done, "{done}");
        }
        for open in
            ["TODO", "In progress", "", "pending", "complete the API for all users", "Offen", "false", "blocked"]
        {
            assert_eq!(state(open), State::Open, "{open}");
        }
        assert_eq!(state("Cancelled"), State::Aside(Reason::OutOfScope));
        assert_eq!(state("deferred to v2"), State::Aside(Reason::Deferred));
    }
}
