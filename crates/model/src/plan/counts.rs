//! How headings and texts count the parts of a plan: "Phase 2:", "Task 3 -", "AP 1 –", "M1:".

use std::borrow::Cow;

use super::domains::{self, Fixed};

/// Words that number a section, as in "Task 3 -", and among them first those that also frame several, as in "Phase 2:".
pub(super) const COUNTED: [&str; 17] = [
    "phase",
    "stage",
    "wave",
    "milestone",
    "sprint",
    "iteration",
    "part",
    "track",
    "workstream",
    "group",
    "area",
    "step",
    "task",
    "section",
    "subagent",
    "agent",
    "domain",
];
pub(super) const FRAMING: usize = 11;

/// Words that count what frames pieces of work, with a number only.
const FRAMES: &str = "phase|stage|wave|milestone|sprint|iteration|part|epic|chunk|increment|batch|workstream|work stream|stream|track|\
     etappe|teil|meilenstein|hito|jalon|marco";
/// Words that count pieces of work, with a number only.
const WORKS: &str = "user story|story|task|step|change|pr|mr|pull request|merge request|wp|ap|work package|workpackage|package|ticket|slice|\
     paket|arbeitspaket|aufgabe|lot|tâche|tarea|tarefa|compito|passo|paquete|pacote";

/// Words behind which a number counts no piece of work: "Option 1: API".
const NOT_WORK: &str = "option|risk|question|alternative|version|example|appendix|table|figure|note|decision|assumption|goal|finding|\
     issue|problem|q|r|d|v|variante|risiko|frage|annahme|beispiel|anhang|entscheidung|riesgo|risque|annexe";

/// Reads a counted part of a plan at the beginning of a text: its name (`phase 2`), the word that counts, and the length.
pub(super) fn count(text: &str) -> Option<(String, String, usize)> {
    let end = text.char_indices().nth(40).map_or(text.len(), |(at, _)| at);
    let short = &text[..end];
    if let Cow::Owned(english) = domains::counted_in_english(short)
        && english.starts_with(|c: char| c.is_ascii_alphabetic())
        && let Some((name, rest)) = english.split_once(": ")
        && let Some((word, _)) = name.split_once(' ')
    {
        return Some((name.to_owned(), word.to_owned(), short.len() - rest.len()));
    }
    in_english(short)
}

fn in_english(text: &str) -> Option<(String, String, usize)> {
    let is_two =
        |words: &&str| words.contains(' ') && text.get(..words.len()).is_some_and(|s| s.eq_ignore_ascii_case(words));
    let known = || FRAMES.split('|').chain(WORKS.split('|')).map(str::trim_start);
    let two = known().find(is_two).map(|words| {
        let plural = text[words.len()..].starts_with('s');
        words.len() + usize::from(plural)
    });
    let end = two.unwrap_or_else(|| text.find(|c: char| !c.is_alphabetic()).unwrap_or(text.len()));
    let lower = text[..end].to_lowercase();
    let singular = match lower.strip_suffix("ies") {
        Some(stem) => format!("{stem}y"),
        None => lower.strip_suffix('s').unwrap_or(&lower).to_owned(),
    };
    let word = known().find(|word| *word == lower || *word == singular)?;
    let rest = &text[end..];
    let number = rest.trim_start_matches([' ', '-', '_', '#']);
    let gap = &rest[..rest.len() - number.len()];
    // "AP3" is one; "Step3" may be a name.
    if gap.len() > 2 || (gap.is_empty() && word.len() > 2) {
        return None;
    }
    let len = number.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(number.len());
    let digits = number[..len].trim_end_matches('.');
    if let Some(letter) = letter_of(number).filter(|_| !gap.is_empty() && takes_letters(word)) {
        return Some((format!("{word} {}", letter.to_ascii_lowercase()), word.to_owned(), end + gap.len() + 1));
    }
    let mut behind = number[digits.len()..].chars();
    let is_letter = behind.clone().next().is_some_and(|c| c.is_ascii_lowercase())
        && behind.clone().nth(1).is_none_or(|c| !c.is_alphanumeric());
    let letter = if is_letter { behind.next().map_or(0, char::len_utf8) } else { 0 };
    let is_number = !digits.is_empty()
        && digits.len() <= 6
        && !behind.clone().next().is_some_and(|c| c.is_alphanumeric() && c < '\u{2e80}');
    let written = &number[..digits.len() + letter];
    let plain = written.trim_start_matches('0');
    let plain = if plain.is_empty() { written } else { plain };
    is_number.then(|| (format!("{word} {plain}"), word.to_owned(), end + gap.len() + written.len()))
}

/// Finds the letter with which a part is counted: "Workstream B — Services", "Phase A is merged".
fn letter_of(text: &str) -> Option<char> {
    let letter = text.chars().next().filter(|c| c.is_ascii_uppercase() && *c != 'I')?;
    let behind = &text[1..];
    // "Part A of the form" and "step A to B" speak of something else.
    const NEXT: &str = "is|are|and|or|has|to be|must|can|before|first|und|et|y|e";
    let word = behind.trim_start().split(' ').next().unwrap_or_default();
    let is_alone = behind.is_empty() || behind.starts_with([':', '.', ',', ')', '/', ';', '：']);
    let is_divided = behind.starts_with(' ')
        && (behind.trim_start().starts_with(['-', '–', '—', '(', '|']) || domains::holds(NEXT, word));
    (is_alone || is_divided).then_some(letter)
}

fn takes_letters(word: &str) -> bool {
    domains::holds(FRAMES, word)
        || domains::holds("step|task|work package|wp|ap|package|slice|paket|arbeitspaket", word)
}

/// Takes a count that is a word and a number off the beginning; tells whether it may frame pieces of work.
pub(super) fn is_part(text: &str) -> Option<(bool, &str)> {
    let (_, word, len) = in_english(text)?;
    let rest = text[len..].trim_start_matches(['.', ')', ':', ']', ' ']);
    Some((domains::holds(FRAMES, &word), rest))
}

/// Tells whether a heading counts a piece of work, and what it may be called by.
pub(super) fn counted(plain: &str) -> (bool, Vec<String>) {
    let text = plain.trim_start_matches(|c: char| !c.is_alphanumeric());
    if let Some((name, word, len)) = in_english(text) {
        let number = name[word.len() + 1..].to_owned();
        let mut keys = vec![name];
        keys.extend((word.contains("story")).then(|| format!("us{number}")));
        keys.extend((word == "user story").then(|| format!("story {number}")));
        keys.extend((word == "task").then(|| number.clone()));
        // "Phase 3: User Story 1 - …" is called by both.
        let inner = text[len..].trim_start_matches(|c: char| !c.is_alphanumeric());
        if let Some((inner, ..)) = in_english(inner).filter(|(_, inner, _)| inner.contains("story")) {
            let number = inner.rsplit(' ').next().unwrap_or_default();
            keys.extend([format!("us{number}"), format!("user story {number}"), format!("story {number}")]);
        }
        return (domains::holds(WORKS, &word), keys);
    }
    let number: String = text.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
    let number = number.trim_end_matches('.');
    match Some(number).filter(|number| !number.is_empty() && !text[number.len()..].starts_with(char::is_alphanumeric)) {
        Some(number) => (true, vec![number.to_owned()]),
        None => (false, Vec::new()),
    }
}

/// Tells whether a word counts the phases of a plan, so that a line in bold heads what follows it.
pub(super) fn heads_a_phase(word: &str) -> bool {
    const MORE: &str = "day|week|pr|mr|ap|wp|paket|arbeitspaket";
    domains::holds(FRAMES, word) || domains::holds(MORE, word)
}

/// Takes a short word and a number off the beginning where what is behind them names work that we know, whatever the word
/// is: "M1: CLI", "Lot 3 – Tests".
pub(super) fn behind_any_count(text: &str) -> Option<&str> {
    let end = text.find(|c: char| !c.is_alphabetic()).filter(|end| (1..=16).contains(end))?;
    let number = text[end..].trim_start_matches([' ', '-', '#']);
    let digits = number.find(|c: char| !(c.is_ascii_digit() || c == '.')).filter(|len| (1..=5).contains(len));
    let len = digits.or_else(|| counting_letters(number))?;
    let rest = number[len..].trim_start();
    let is_dot = number[..len].ends_with('.');
    let behind =
        rest.strip_prefix([':', '-', '–', '—', ')', '|', '：']).or_else(|| is_dot.then_some(rest))?.trim_start();
    let head = domains::normal(split_title(behind).0);
    let names_work = domains::role(&head).is_some()
        || matches!(domains::fixed(&head), Some(Fixed::Verification(_) | Fixed::Acceptance));
    (names_work && !domains::holds(NOT_WORK, &text[..end].to_lowercase())).then_some(behind)
}

/// Finds the letter that a heading is called by for short: "B. Feature" and "Workstream B — Services" are `b`.
pub(super) fn letter(heading: &str) -> Option<String> {
    let text = heading.trim_start_matches(|c: char| !c.is_alphanumeric());
    let of_count = in_english(text).and_then(|(name, word, _)| {
        let letter = name.get(word.len() + 1..)?;
        (letter.len() == 1 && letter.starts_with(|c: char| c.is_ascii_lowercase())).then(|| letter.to_owned())
    });
    of_count.or_else(|| {
        let letter = text.chars().next().filter(char::is_ascii_uppercase)?;
        let behind = text[1..].strip_prefix(['.', ')', ':']).or_else(|| text[1..].strip_prefix(" —"))?;
        behind.starts_with(' ').then(|| letter.to_ascii_lowercase().to_string())
    })
}

/// Tells whether capital letters count: one alone, or a Roman number.
fn are_a_number(letters: &str) -> bool {
    letters.len() == 1 || (letters.len() <= 4 && letters.bytes().all(|b| matches!(b, b'I' | b'V' | b'X')))
}

/// Returns the length of a letter or a Roman number that counts: the "D" of "Workstream D — Infrastructure".
fn counting_letters(text: &str) -> Option<usize> {
    let end = text.find(|c: char| !c.is_ascii_uppercase()).unwrap_or(text.len());
    (end > 0 && are_a_number(&text[..end]) && !text[end..].starts_with(char::is_alphanumeric)).then_some(end)
}

/// Takes a letter that counts and the mark behind it off the beginning: "D — Infrastructure", "II: Tests", "A | CLI".
pub(super) fn strip_letter(text: &str) -> Option<&str> {
    let rest = text[counting_letters(text)?..].trim_start();
    rest.strip_prefix([':', '-', '–', '—', '.', ')', '|', '·', '：']).filter(|rest| rest.starts_with(' '))
}

/// Returns what a heading is called without its count, in normal form: `Phase 1: Storage (new)` is `storage`.
pub(super) fn name_behind_count(heading: &str) -> String {
    let english = domains::counted_in_english(heading);
    let text = english.trim_start_matches(|c: char| !c.is_alphanumeric());
    let behind = is_part(text).map_or(text, |(_, rest)| rest);
    let behind = strip_number(behind).unwrap_or(behind).trim_start_matches(|c: char| !c.is_alphanumeric());
    let end = [" (", "（"].iter().filter_map(|mark| behind.find(mark)).min().unwrap_or(behind.len());
    domains::normal(&behind[..end])
}

/// Takes `1.`, `2)`, `3.1`, `A.`, `IV:` off the beginning.
pub(super) fn strip_number(text: &str) -> Option<&str> {
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    if end > 0 && text.starts_with(|c: char| c.is_ascii_digit()) {
        let behind = &text[end..];
        // "2FA" and "3D" are words.
        return (!behind.starts_with(char::is_alphanumeric)).then(|| behind.trim_start_matches([')', ':', ']', ' ']));
    }
    let end = text.find(|c: char| !c.is_ascii_uppercase())?;
    let (letters, behind) = text.split_at(end);
    let behind = behind.strip_prefix(['.', ')', ':'])?;
    (are_a_number(letters) && behind.starts_with(' ')).then_some(behind)
}

/// Splits a heading into what it names and a title: at a colon, a dash, a bar or an arrow. What stands in brackets behind
/// the name is neither.
pub(super) fn split_title(text: &str) -> (&str, &str) {
    let marks = [": ", "：", " - ", " – ", " — ", "—", " | ", " → ", " -> ", " (", "（"];
    let first = marks.iter().filter_map(|mark| text.find(mark).map(|at| (at, *mark))).min();
    match first {
        Some((at, " (" | "（")) => (text[..at].trim(), ""),
        Some((at, mark)) => (text[..at].trim(), text[at + mark.len()..].trim()),
        None => (text.trim_end_matches(':').trim(), ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_counted_by_a_word_and_a_number() {
        for (text, expected) in [
            ("Task-01: Storage", "true task 1 1"),
            ("Task #2 Storage", "true task 2 2"),
            ("AP 3 – Kommandozeile", "true ap 3"),
            ("WP2: Tests", "true wp 2"),
            ("PR 4 - Tests", "true pr 4"),
            ("Epic 2: Data types", "false epic 2"),
            ("Phase 3: User Story 1 - Download", "false phase 3 us1 user story 1 story 1"),
            ("Phase 2b: API", "false phase 2b"),
            ("Etappe 2", "false etappe 2"),
            ("4. Deployment", "true 4"),
            ("Workstream B — Services (owner: @tom)", "false workstream b"),
            ("Phase A: Storage", "false phase a"),
            ("Part A of the form", "false"),
            ("Step3Runner", "false"),
            ("Task force 1", "false"),
            ("2FA", "false"),
        ] {
            let (is_work, keys) = counted(text);
            assert_eq!(format!("{is_work} {}", keys.join(" ")).trim_end(), expected, "{text}");
        }
    }

    #[test]
    fn a_count_in_any_word_is_known_by_what_is_behind_it() {
        for (text, expected) in [
            ("M1: CLI", Some("CLI")),
            ("Baustein 3 – Tests", Some("Tests")),
            ("Bloque 2. Despliegue", Some("Despliegue")),
            ("S3: Bucket", None),
            ("Option 1: API", None),
            ("Python 3: Upgrade", None),
        ] {
            assert_eq!(behind_any_count(text), expected, "{text}");
        }
        assert_eq!(name_behind_count("Phase 1: Setup (Shared Infrastructure)"), "setup");
        assert_eq!(name_behind_count("第二阶段：核心功能"), "核心功能");
    }
}
