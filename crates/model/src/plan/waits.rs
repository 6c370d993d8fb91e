//! What a text says waits for what: one vocabulary for items, lines, headings, columns and lists of dependencies.

mod order;
mod statements;

use std::ops::Range;

use self::statements::{behind_prefaces, is_only_named, letters, means_all, says_parallel};
pub(super) use self::{
    order::{bare_name, heads_order, is_obscure, orders},
    statements::EVERYTHING,
};
use super::{counts, directives, domains, mentions, ranges};

/// How plainly a word says that something waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sense {
    /// It speaks of nothing else: a bare number behind it is one of the plan, and what cannot be found is told.
    Plain,
    /// It may speak of anything: only what is plainly a part of the plan counts.
    Loose,
    /// It says so only as a label, with a colon: "Dependencies: Phase 1".
    Label,
    /// It says it the other way round: "Phase 1 blocks Phase 2".
    Before,
}

/// The words, in the order in which they are tried: a longer one before what it begins with.
const WORDS: [(Sense, &str); 4] = [
    (
        Sense::Plain,
        "depends on|depend on|dependent on|depends upon|blocked by|blocked on|stacked on|stacked on top of|waits for|\
         waits on|waiting for|waiting on|has to wait for|must wait for|comes after|come after|hängt ab von|hängt von|\
         hängen von|abhängig von|blockiert durch|blockiert von|wartet auf|dépend de|dépend du|dépend d'|dépendent de|\
         bloqué par|bloquée par|depende de|depende da|depende do|depende del|dependen de|dependem de|bloqueado por|\
         bloqueada por|dipende da|dipende dal|dipende dalla|dipendono da|bloccato da|bloccata da|зависит от|依赖于|依赖|\
         依賴|依存",
    ),
    (
        Sense::Loose,
        "requires|needs|after|until|once|follows|builds on|build on|based on|benötigt|braucht|nach|baut auf|après|requiert|\
         nécessite|después de|tras|requiere|depois de|após|requer|dopo|richiede|после",
    ),
    (
        Sense::Label,
        "dependencies|dependency|depends|deps|prerequisites|prerequisite|predecessors|predecessor|blockers|\
         abhängigkeiten|abhängigkeit|voraussetzungen|voraussetzung|vorgänger|dépendances|dépendance|prérequis|\
         dependencias|dependencia|requisitos previos|dependências|dependência|pré-requisitos|dipendenze|prerequisiti|\
         зависимости|前置任务|前置条件|前置|依赖关系|依存関係|依存先|前提タスク|前提",
    ),
    (
        Sense::Before,
        "blocks|unblocks|must be done before|must come before|comes before|precedes|before|is required for|is required by|\
         is needed for|is needed by|is a prerequisite for|blockiert|vor|bloque|bloquea|bloqueia|blocca",
    ),
];

/// Goes through the words with what each says.
fn words() -> impl Iterator<Item = (Sense, &'static str)> {
    WORDS.iter().flat_map(|(sense, words)| words.split('|').map(|word| (*sense, word.trim_start())))
}

/// Tells whether a word that was found at `at` stands there alone. Languages without blanks divide no words.
fn stands_alone(text: &str, at: usize, word: &str) -> bool {
    let is_letter = |c: char| c.is_alphanumeric() && c < '\u{2e80}';
    !word.starts_with(is_letter)
        || (!text[..at].ends_with(is_letter)
            && (word.ends_with('\'') || !text[at + word.len()..].starts_with(is_letter)))
}

/// Finds the parts of the plan that a text says it waits for, as it names them: `T003`, `1.2`, `Task 1`, `AP 2`.
pub(super) fn needs(text: &str) -> Vec<(Range<usize>, String)> {
    let lower = text.to_ascii_lowercase();
    let mut found: Vec<(Range<usize>, String)> = Vec::new();
    for (sense, word) in words() {
        for (at, _) in lower.match_indices(word) {
            let end = at + word.len();
            let is_label =
                sense == Sense::Label && !lower[end..].trim_start_matches(['*', '_', ' ']).starts_with([':', '：']);
            if sense == Sense::Before || is_label || !stands_alone(&lower, at, word) {
                continue;
            }
            // "(after 1)" names a part, and "after 2 seconds" does not.
            let is_bracket = lower[..at].trim_end().ends_with(['(', '（', ',']) && lower[end..].contains([')', '）']);
            let takes_numbers = sense != Sense::Loose || is_bracket;
            for (range, name) in references(text, end, takes_numbers, is_bracket && sense == Sense::Loose) {
                if !found.iter().any(|(_, known)| *known == name) {
                    found.push((range, name));
                }
            }
        }
    }
    // "フェーズ1に依存": what is waited for stands before the verb.
    for (at, _) in text.match_indices("に依存") {
        let begin = text[..at]
            .rfind(['（', '(', '、', 'は', '。'])
            .map_or(0, |begin| begin + text[begin..].chars().next().map_or(0, char::len_utf8));
        let before = references(&text[..at], begin, true, false);
        found.extend(before.into_iter().filter(|(range, _)| range.end <= at));
    }
    found.sort_by_key(|(range, _)| range.start);
    found
}

/// Words between the names of a list, or before one, that say nothing.
const FILLERS: [&str; 22] = [
    "l'",
    "d'",
    "and ",
    "or ",
    "the ",
    "all ",
    "of ",
    "und ",
    "et ",
    "y ",
    "e ",
    "de ",
    "la ",
    "le ",
    "der ",
    "die ",
    "das ",
    "dem ",
    "completion ",
    "completing ",
    "abschluss ",
    "von ",
];

/// Reads a list of references from a place on: `T003, T004 and T005`, `Task 1`, `PRs 1 and 2`, `1.2`.
fn references(text: &str, from: usize, takes_numbers: bool, must_end: bool) -> Vec<(Range<usize>, String)> {
    let mut found = Vec::new();
    let mut at = from;
    let mut called: Option<String> = None;
    loop {
        let skipped = |c: char| {
            c.is_whitespace()
                || matches!(
                    c,
                    ',' | ':'
                        | '：'
                        | '*'
                        | '`'
                        | '#'
                        | '('
                        | '['
                        | ']'
                        | '&'
                        | '+'
                        | '、'
                        | '，'
                        | '和'
                        | '与'
                        | 'と'
                        | '_'
                )
        };
        at += text[at..].len() - text[at..].trim_start_matches(skipped).len();
        let rest = &text[at..];
        let filler = FILLERS.iter().find(|word| rest.get(..word.len()).is_some_and(|s| s.eq_ignore_ascii_case(word)));
        if let Some(word) = filler {
            at += word.len();
            continue;
        }
        if let Some((name, word, len)) = counts::count(rest) {
            let first = name.strip_prefix(word.as_str()).unwrap_or_default().trim_start().to_owned();
            found.push((at..at + len, name));
            at += len;
            if let Some((more, len)) = ranges::others(&first, Some(&word), &text[at..]) {
                found.extend(more.into_iter().map(|number| (at..at + len, format!("{word} {number}"))));
                at += len;
            }
            called = Some(word);
            continue;
        }
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-'))).unwrap_or(rest.len());
        let end = ranges::end_of_first(&rest[..end]).unwrap_or(end);
        let word = rest[..end].trim_end_matches(['.', '-']);
        let range = ranges::others(word, called.as_deref(), &rest[word.len()..]);
        let is_number = word.starts_with(|c: char| c.is_ascii_digit());
        let is_name = word.starts_with(|c: char| c.is_ascii_alphanumeric()) && mentions::is_reference(word);
        let end = range.as_ref().map_or(end, |(_, len)| word.len() + len);
        let behind = rest[end..].trim_start();
        // Where a number could be a quantity, nothing may be counted by it: "(after 2 seconds)".
        let is_quantity = must_end
            && !behind.is_empty()
            && !behind.starts_with([')', ',', '，', '）', ';', '&'])
            && !behind.starts_with("and ");
        if !is_name || (is_number && called.is_none() && (!takes_numbers || is_quantity)) {
            return found;
        }
        let names = std::iter::once(word.to_owned()).chain(range.into_iter().flat_map(|(more, _)| more));
        let named = |name: String| match called.as_ref().filter(|_| is_number) {
            Some(called) => format!("{called} {name}"),
            None => name,
        };
        found.extend(names.map(|name| (at..at + word.len(), named(name))));
        at += end;
    }
}

/// Finds every part of the plan that a text names, wherever in it: `User Story 1 (P1)`, `T003`.
fn all_references(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let is_begin = !text[..at].ends_with(|c: char| c.is_alphanumeric() && c < '\u{2e80}');
        let names = if is_begin { references(text, at, false, false) } else { Vec::new() };
        let end = names.last().map_or(at, |(range, _)| range.end);
        for (_, name) in names {
            if !found.contains(&name) {
                found.push(name);
            }
        }
        at = end.max(at + text[at..].chars().next().map_or(1, char::len_utf8));
    }
    found
}

/// Finds that a line begins with such words: how plainly, whether a colon makes them a label, and where the value begins.
pub(super) fn line(raw: &str) -> Option<(Sense, bool, usize)> {
    let start = raw.len() - raw.trim_start_matches(|c: char| !c.is_alphanumeric()).len();
    let found = |start: usize| {
        let lower = raw[start..].to_ascii_lowercase();
        words()
            .filter(|(sense, word)| *sense != Sense::Before && lower.starts_with(word) && stands_alone(&lower, 0, word))
            .max_by_key(|(_, word)| word.len())
            .map(|(sense, word)| (sense, word, lower))
    };
    let (sense, word, lower) = found(start).or_else(|| {
        let (sense, word, lower) = found(behind_prefaces(raw, start)?)?;
        // "Do not touch what depends on it" is no statement: what follows a preface has to be one by its references.
        (sense != Sense::Label).then_some((Sense::Loose, word, lower))
    })?;
    let rest =
        lower[word.len()..].trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '*' | '_' | ')' | '）'));
    let value = rest.trim_start_matches([':', '：']);
    let is_label = value.len() < rest.len();
    let value = value.trim_start_matches(|c: char| c.is_whitespace() || c == '*');
    (is_label || sense != Sense::Label).then_some((sense, is_label, raw.len() - value.len()))
}

/// Tells whether a line says nothing but what its section or item waits for, and where the value begins: `Stacked on PR 1.`,
/// `Dependencies: 1.1, 1.2`. Packages and people behind such a label are no part of the plan.
pub(super) fn statement(raw: &str) -> Option<(Sense, usize)> {
    let (sense, is_label, start) = line(raw)?;
    let value = raw.get(start..)?;
    let is_said = match sense {
        Sense::Plain => true,
        _ if is_label => says_nothing(value) || is_list(value) || means_all(value),
        _ => means_all(value) || !needs(raw).is_empty() || is_only_named(value),
    };
    is_said.then_some((sense, start))
}

/// Tells whether an item says nothing but what it or its section waits for: "Once Task 2 is done, remove the flag" is work.
pub(super) fn is_no_work(raw: &str) -> bool {
    let says = line(raw).is_some_and(|(sense, is_label, at)| {
        let value = raw.get(at..).unwrap_or_default();
        is_label || sense == Sense::Plain || means_all(value) || is_only_named(value)
    });
    (says && statement(raw).is_some()) || says_parallel(raw)
}

/// Tells whether every part of a value is a reference.
pub(super) fn is_list(value: &str) -> bool {
    let mut parts = value.split([',', ';', '、', '，']).filter(|part| !part.trim().is_empty()).peekable();
    parts.peek().is_some() && parts.all(|part| !references(part, 0, true, false).is_empty())
}

/// Tells whether a value says that there is nothing to wait for.
pub(super) fn says_nothing(value: &str) -> bool {
    const NOTHING: &str = "no dependencies|no dependency|no prerequisites|no blockers|keine|kein|aucune|aucun|ninguna|ninguno|nenhuma|nenhum|\
         nessuna|nessuno|无|無|なし|нет|can start immediately|can start at once|nobody";
    let value = value.trim_matches(|c: char| c.is_whitespace() || matches!(c, '.' | '*' | '_' | '`' | '(' | ')'));
    let first = value.split([' ', '-', '–', '—', '(', ',', ';', '.']).next().unwrap_or_default();
    value.is_empty()
        || directives::is_none(value)
        || ["none", "nothing"].iter().any(|none| first.eq_ignore_ascii_case(none))
        || NOTHING.split('|').any(|none| domains::normal(value).starts_with(none.trim_start()))
}

/// Reads what a line waits for that begins with such words: every reference behind them, whatever stands between.
pub(super) fn of_line(raw: &str) -> Vec<String> {
    let Some((sense, is_label, start)) = line(raw) else { return Vec::new() };
    let value = raw.get(start..).unwrap_or_default();
    if means_all(value) {
        return vec![EVERYTHING.to_owned()];
    }
    let alone = letters(value);
    if !alone.is_empty() {
        return alone;
    }
    let takes_numbers = sense != Sense::Loose || is_label;
    let parts = value.split([',', ';', '、', '，']);
    let mut found: Vec<String> = Vec::new();
    for part in parts {
        found.extend(
            references(part, 0, takes_numbers, !is_label && sense == Sense::Loose).into_iter().map(|(_, name)| name),
        );
    }
    found.extend(all_references(value));
    let mut seen = std::collections::HashSet::new();
    found.retain(|name| seen.insert(name.clone()));
    found
}

/// Tells whether the head of a column, or a label alone, says that what follows is waited for.
pub(super) fn heads(text: &str) -> bool {
    let text = domains::normal(text);
    words().any(|(sense, word)| {
        matches!(sense, Sense::Plain | Sense::Label)
            && (text == domains::normal(word) || text == format!("task {word}"))
    })
}

/// Tells whether the head of a column may say so, where its cells name nothing but rows: "After", "Needs".
pub(super) fn may_head(text: &str) -> bool {
    const HEADS: &str = "after|needs|requires|waits for|follows|predecessor|predecessors|nach|après|después de|tras|dopo|после|dep|deps|prereq";
    domains::holds(HEADS, &domains::normal(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_item_waits_for_is_found() {
        for (text, expected) in [
            ("Implement it (depends on T003)", "T003"),
            ("(depends on T003, T004 and T005)", "T003 T004 T005"),
            ("Depends on: Task 1", "task 1"),
            ("depends on 1.2 and 1.3, then more", "1.2 1.3"),
            ("after Task 2", "task 2"),
            ("retries after 2 seconds and needs 3 replicas", ""),
            ("Wait (after 2 seconds)", ""),
            ("Aggregate (backend-feature-implementer, after 2, 3)", "2 3"),
            ("blocked by #12", "12"),
            ("requires authentication, needs love", ""),
            ("409 after an hour", ""),
            ("Storage (depends on Phase 6)", "phase 6"),
            ("Stacked on PRs 1 and 2.", "pr 1 pr 2"),
            ("hängt von AP 1 ab", "ap 1"),
            ("核心功能（依赖第一阶段）", "phase 1"),
            ("API (dépend de l'étape 1)", "phase 1"),
            ("バックエンド（フェーズ1に依存）", "phase 1"),
            ("Blocked until M1 is done", "M1"),
            ("Join (depends on steps 1-2)", "step 1 step 2"),
            ("Depends on steps 1–3 and 5", "step 1 step 2 step 3 step 5"),
            ("(depends on T003-T005, T007)", "T003 T004 T005 T007"),
            ("depends on 1.2–1.4", "1.2 1.3 1.4"),
            ("blocked by Phase 1 through Phase 3", "phase 1 phase 2 phase 3"),
            ("(after 1-3)", "1 2 3"),
            ("Wait (after 2-3 seconds)", ""),
            ("Depends on Phase 1 - 3 days", "phase 1"),
            ("Depends on Phase 2-1", "phase 2"),
        ] {
            let names: Vec<_> = needs(text).into_iter().map(|(_, name)| name).collect();
            assert_eq!(names.join(" "), expected, "{text}");
        }
    }

    #[test]
    fn a_line_is_a_statement_when_it_says_nothing_else() {
        for (text, expected) in [
            ("**Depends on:** Phase 1", Some("Phase 1")),
            ("Depends on PR 2.", Some("PR 2.")),
            ("Stacked on PR 1", Some("PR 1")),
            ("**Blocked by**: #3", Some("#3")),
            ("Dependencies: Task 1, 2", Some("Task 1, 2")),
            ("Prerequisites: none", Some("none")),
            ("Abhängig von: AP 1", Some("AP 1")),
            ("依赖：第一阶段", Some("第一阶段")),
            ("Dependencies: redis, celery", None),
            ("Needs the rates service to be up", None),
            ("After a restart it must go on", None),
            ("The store depends on the pool", None),
        ] {
            assert_eq!(statement(text).map(|(_, at)| &text[at..]), expected, "{text}");
        }
    }
}
