//! Lists of what waits for what: "Phase 2 depends on Phase 1".

use super::{Sense, all_references, is_list, says_nothing, stands_alone, words};
use crate::plan::{domains, draft::Order};

/// Tells whether a heading is that of a list of what waits for what.
pub(in crate::plan) fn heads_order(heading: &str) -> bool {
    const ENDS: &str = "dependencies|dependency graph|dependency order|execution order|dependencies and execution order|\
         dependencies and order|dependencies and sequencing|abhängigkeiten|dépendances|dependencias|dependências|dipendenze|\
         зависимости|依赖|依赖关系|依赖关系图|依存関係|의존성|reihenfolge|blockers";
    let heading = domains::normal(heading);
    ENDS.split('|').map(str::trim_start).any(|end| {
        heading == end
            || heading
                .strip_suffix(end)
                .is_some_and(|before| before.ends_with(' ') && before.split_whitespace().count() < 3)
    })
}

/// Words with which a name ends, or begins, that say nothing about what is named.
const NOISE: [&str; 30] = [
    "can start",
    "can only start",
    "cannot start",
    "can t start",
    "may start",
    "starts",
    "start",
    "must",
    "should",
    "can",
    "only",
    "all",
    "runs",
    "completion",
    "is complete",
    "being complete",
    "complete",
    "being done",
    "is done",
    "done",
    "phase",
    "first",
    "ab",
    "to be merged",
    "is merged",
    "is finished",
    "finished",
    "the",
    "desired",
    "fertig",
];

/// Takes from a name what says nothing.
pub(in crate::plan) fn bare_name(name: &str) -> String {
    let cut = [" (", " – ", " — ", " - "].iter().filter_map(|mark| name.find(mark)).min().unwrap_or(name.len());
    let mut name = domains::normal(&name[..cut]);
    while let Some(shorter) = NOISE.iter().find_map(|noise| {
        let end = name.strip_suffix(noise).filter(|rest| rest.ends_with(' '));
        end.or_else(|| name.strip_prefix(noise).filter(|rest| rest.starts_with(' ')))
    }) {
        name = shorter.trim().to_owned();
    }
    name
}

/// Reads the names in one side of a sentence: references, or what stands between commas.
fn names(side: &str) -> Vec<String> {
    let side = [" - ", " – ", " — ", ". ", " but ", "; "]
        .iter()
        .fold(side, |side, mark| side.split(mark).next().unwrap_or(side));
    let found = all_references(side);
    if !found.is_empty() {
        return found;
    }
    let parts =
        side.split([',', '、', '，', '/']).flat_map(|part| part.split(" and ")).flat_map(|part| part.split(" und "));
    parts
        .map(|part| bare_name(part.trim_matches(|c: char| !c.is_alphanumeric() && !matches!(c, ')' | '('))))
        .filter(|name| !name.is_empty() && name.split(' ').count() <= 6 && !says_nothing(name))
        .collect()
}

/// Reads one line of a list of dependencies. Nothing means that it says nothing about an order.
pub(in crate::plan) fn order(text: &str) -> Option<Order> {
    let text = text.trim_matches(|c: char| c.is_whitespace() || matches!(c, '*' | '_' | '.' | '。'));
    let lower = text.to_ascii_lowercase();
    let verb = words()
        .filter(|(sense, _)| *sense != Sense::Label)
        .flat_map(|(sense, word)| {
            let is_meant = |at: &usize| stands_alone(&lower, *at, word);
            lower
                .match_indices(word)
                .map(|(at, _)| at)
                .find(is_meant)
                .map(|at| (at, std::cmp::Reverse(word.len()), sense))
        })
        .min_by_key(|(at, len, _)| (*at, *len));
    let Some((at, std::cmp::Reverse(len), sense)) = verb else { return without_verb(text) };
    let (before, after) = (&text[..at], &text[at + len..]);
    // "フェーズ2はフェーズ1に依存": what is waited for stands before the verb.
    if let Some((subject, object)) = before.split_once('は').filter(|_| names(after).is_empty()) {
        return Some(Order { waits: names(subject), on: names(object.trim_end_matches('に')), is_arrow: false });
    }
    let (mut waits, mut on) = (names(before), names(after));
    if sense == Sense::Before {
        std::mem::swap(&mut waits, &mut on);
    }
    let is_said = !on.is_empty() && (!waits.is_empty() || sense != Sense::Before);
    is_said.then_some(Order { waits, on, is_arrow: false })
}

/// Reads an arrow, or two references with a colon between them.
fn without_verb(text: &str) -> Option<Order> {
    const ARROWS: [&str; 6] = ["-->", "->", "=>", "→", "➜", "⇒"];
    let arrow = ARROWS.iter().find_map(|arrow| text.split_once(arrow));
    if let Some((left, right)) = arrow {
        let right = ARROWS.iter().find_map(|arrow| right.split_once(arrow)).map_or(right, |(next, _)| next);
        let (waits, on) = (names(right), names(left));
        return (!waits.is_empty() && !on.is_empty()).then_some(Order { waits, on, is_arrow: true });
    }
    let (left, right) = text.split_once([':', '：'])?;
    let on = if is_list(right) { all_references(right) } else { Vec::new() };
    let waits = all_references(left);
    (!waits.is_empty() && !on.is_empty()).then_some(Order { waits, on, is_arrow: false })
}

/// Splits a line at its arrows: `A → B → C` says two things.
pub(in crate::plan) fn orders(text: &str) -> Vec<Order> {
    let marks: Vec<&str> = text.split(['→', '➜', '⇒']).flat_map(|part| part.split("->")).collect();
    if marks.len() < 3 {
        return order(text).into_iter().collect();
    }
    let strip = |part: &str| part.trim_end_matches(['-', ' ']).to_owned();
    marks.windows(2).filter_map(|pair| order(&format!("{} → {}", strip(pair[0]), pair[1]))).collect()
}

/// Tells whether a line of a list of dependencies names parts of the plan although it says nothing that is understood.
pub(in crate::plan) fn is_obscure(text: &str) -> bool {
    const FREE: [&str; 9] = [
        "parallel",
        "independent",
        "any order",
        "same time",
        "gleichzeitig",
        "unabhängig",
        "no dependenc",
        "并行",
        "並行",
    ];
    let lower = text.to_lowercase();
    all_references(text).len() > 1 && !FREE.iter().any(|word| lower.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_a_list_of_dependencies_are_read() {
        for (text, expected) in [
            ("Phase 2 depends on Phase 1", "phase 2 < phase 1"),
            ("AP 2 hängt von AP 1 ab", "ap 2 < ap 1"),
            ("**Foundational (Phase 2)**: Depends on Setup - BLOCKS all user stories", "phase 2 < setup"),
            ("CLI can only start after the HTTP API is complete", "cli < http api"),
            ("Phase 1 blocks Phases 2 and 3", "phase 2,phase 3 < phase 1"),
            ("T003: T001, T002", "T003 < T001,T002"),
            ("T001 → T003 → T004", "T003 <- T001; T004 <- T003"),
            ("フェーズ2はフェーズ1に依存", "phase 2 < phase 1"),
            ("阶段2依赖阶段1", "phase 2 < phase 1"),
            ("Depends on Phase 1", " < phase 1"),
            ("Setup (Phase 1): No dependencies", ""),
            ("redis >= 7", ""),
            ("Phases 2 and 3 can run in parallel", ""),
        ] {
            let show = |order: Order| {
                format!("{} {} {}", order.waits.join(","), if order.is_arrow { "<-" } else { "<" }, order.on.join(","))
            };
            assert_eq!(orders(text).into_iter().map(show).collect::<Vec<_>>().join("; "), expected, "{text}");
        }
        assert!(is_obscure("Phase 2 and Phase 3 share the schema of Phase 1"));
        assert!(!is_obscure("Phases 2 and 3 can run in parallel"));
    }
}
