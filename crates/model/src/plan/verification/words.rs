//! The words by which a line says that the commands in it check the work.

use std::{borrow::Cow, ops::Range};

use crate::{
    gate::GateKind,
    plan::{commands, directives, domains},
};

/// Labels before commands that check the work, beside what headings call the verification.
const LABELS: &str = "verify with|verify by|verify using|verified by|verified with|check with|check by|checked by|checked with|test with|\
     tested with|test by running|validate with|validated by|run tests|run the tests|to verify|to check|to test|prüfen mit|\
     geprüft mit|vérifier avec|verificar con|verificar com|verificare con|验证方式|验证命令|検証方法|independent test|check|\
     check command|verify command|test command|how we check|how we verify|how checked|to confirm|confirm with|before pushing|\
     before you push|before committing|before merging|zum prüfen|zur prüfung|zu prüfen|geprüft wird mit|pour vérifier|\
     à vérifier|contrôle|para verificar|para comprobar|comprobar con|per verificare|verificare|проверить|验证|検証|검증";

/// Words with which a line begins that says how the work is checked.
const LEADS: [&str; 42] = [
    "how do i know",
    "how do we know",
    "how to verify",
    "how to check",
    "how to test",
    "how we check",
    "how we verify",
    "to check",
    "to confirm",
    "to verify",
    "to test",
    "to validate",
    "verify with",
    "verify by",
    "verify using",
    "verify that",
    "check with",
    "check by",
    "confirm with",
    "test with",
    "test it with",
    "run the tests with",
    "run the tests using",
    "run the suite with",
    "run tests with",
    "run all tests with",
    "zum prüfen",
    "zum überprüfen",
    "zum testen",
    "zur prüfung",
    "zur kontrolle",
    "prüfen mit",
    "testen mit",
    "pour vérifier",
    "pour contrôler",
    "pour tester",
    "para verificar",
    "para comprobar",
    "para probar",
    "para testar",
    "per verificare",
    "per controllare",
];

/// Words with which a line begins that says how the tests of its section are run.
const RUN_WITH: [&str; 18] = [
    "run with",
    "run using",
    "run via",
    "run them with",
    "run it with",
    "run by",
    "run:",
    "run `",
    "execute with",
    "execute `",
    "ausführen mit",
    "ausführen:",
    "starten mit",
    "lancer avec",
    "lancer :",
    "ejecutar con",
    "executar com",
    "eseguire con",
];

/// What is done with work that is finished: before it, its checks are run.
const HANDING_OVER: &str = "push|pushing|commit|committing|merge|merging|open|opening|submit|submitting|hand|handing|finish|finishing|\
     request|requesting|review|pr|release|releasing|ship|shipping|delivering|deliver|close|closing|every|each";

/// The same in other languages, with what stands before it.
const BEFORE: [&str; 18] = [
    "vor dem push",
    "vor dem commit",
    "vor dem merge",
    "vor jedem commit",
    "vor der abgabe",
    "avant de pousser",
    "avant le push",
    "avant de committer",
    "avant chaque commit",
    "avant de livrer",
    "antes de subir",
    "antes de hacer push",
    "antes de cada commit",
    "antes de commitar",
    "prima del push",
    "prima di fare push",
    "提交前",
    "コミット前",
];

/// Why something is run, behind what is to be run.
const REASONS: &str = "before you|before pushing|before committing|before merging|before opening|before each|before every|to verify|\
     to check|to confirm|to make sure|to be sure|when done|when you are done|when you're done|at the end";

/// Words by which a command is said to succeed.
const PASSES: &str = "pass|passes|passing|succeed|succeeds|green|clean|cleanly|ok|fehlerfrei|erfolgreich|grün|besteht|bestehen|\
     durchlaufen|passe|passent|passer|réussit|réussissent|réussir|vert|verte|verts|pasa|pasan|pasar|verde|verdes|passa|passam|\
     passar|passano|passare|проходит|проходят|успешно|works|runs through|läuft durch|laufen durch";
/// The same in several words, or in languages without blanks.
const PASSES_IN_WORDS: [&str; 19] = [
    "exit 0",
    "exits 0",
    "exits with 0",
    "exit code 0",
    "without error",
    "no error",
    "zero errors",
    "0 errors",
    "no warning",
    "without warning",
    "ohne fehler",
    "sans erreur",
    "sin errores",
    "sem erros",
    "senza errori",
    "без ошибок",
    "通过",
    "通る",
    "통과",
];

/// Words by which something is said to be due.
const DUE: &str = "must|has|have|should|needs|need|shall|muss|müssen|soll|sollen|doit|doivent|debe|deben|tiene|tienen|deve|devem|devono|\
     должен|должна|должны|должно";
/// The same in languages without blanks.
const DUE_ELSEWHERE: [&str; 6] = ["必须", "需要", "应", "必要", "こと", "해야"];

/// Tells whether the head of a column says that the cells below it check each row.
pub(in crate::plan) fn heads_checks(head: &str) -> bool {
    says_how_to_check(&format!("{head}:")).is_some()
}

/// Finds that a line says how the work is checked, and for which gate its commands are.
pub(in crate::plan) fn says_how_to_check(raw: &str) -> Option<GateKind> {
    if speaks_against(raw) {
        return None;
    }
    let label = directives::split_label(&raw.replace('：', ":")).map(|(label, _)| domains::normal(&label));
    let is_check = |label: &str| {
        matches!(domains::fixed(label), Some(domains::Fixed::Verification(_))) || domains::holds(LABELS, label)
    };
    if let Some(label) = label.filter(|label| is_check(label)) {
        return Some(domains::gate(&label).unwrap_or(GateKind::Tests));
    }
    let plain = begin(raw);
    let is_said = LEADS.iter().any(|lead| plain.starts_with(lead))
        || asks_to_run(&plain)
        || is_before_handing_over(&plain)
        || is_at_the_end(&plain)
        || (is_due(&plain) && passes(&plain));
    is_said.then_some(GateKind::Tests)
}

/// Tells whether a line of a section about tests says how they are run.
pub(in crate::plan) fn says_how_to_run(raw: &str) -> bool {
    let plain = begin(raw);
    !speaks_against(raw) && (RUN_WITH.iter().any(|lead| plain.starts_with(lead)) || plain.starts_with('`'))
}

fn begin(raw: &str) -> String {
    with_marks(raw).trim_start_matches(|c: char| !c.is_alphanumeric() && c != '`').to_lowercase()
}

/// Writes code in HTML as code in Markdown.
fn with_marks(raw: &str) -> Cow<'_, str> {
    const TAGS: [&str; 4] = ["<code>", "</code>", "<kbd>", "</kbd>"];
    if !raw.contains('<') {
        return Cow::Borrowed(raw);
    }
    TAGS.iter().fold(Cow::Borrowed(raw), |raw, tag| Cow::Owned(raw.replace(tag, "`")))
}

/// Returns the text of a line outside its code.
fn outside_code(raw: &str) -> String {
    let mut outside = String::with_capacity(raw.len());
    for (index, part) in with_marks(raw).split('`').enumerate() {
        if index % 2 == 0 {
            outside.push_str(part);
        } else {
            outside.push(' ');
        }
    }
    outside
}

fn has_word(words: &str, text: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric()).any(|word| !word.is_empty() && domains::holds(words, word))
}

/// Tells whether a line says that a command is not to be run, or that it is to fail.
pub(super) fn speaks_against(raw: &str) -> bool {
    const FAILS: &str =
        "fail|fails|failing|failed|broken|fehl|fehlschlägt|scheitert|échoue|échouer|falla|fallar|falha|falhar|fallisce";
    const NOT: [&str; 10] = [
        "do not run",
        "don't run",
        "never run",
        "not run `",
        "no need to run",
        "nicht ausführen",
        "ne lancez pas",
        "no ejecut",
        "不要运行",
        "実行しない",
    ];
    let plain = outside_code(raw).to_lowercase();
    let fails =
        has_word(FAILS, &plain) && !["not fail", "never fail", "nicht fehl"].iter().any(|no| plain.contains(no));
    fails || NOT.iter().any(|not| plain.contains(not) || raw.to_lowercase().contains(not))
}

/// Tells whether a line says that something succeeds.
pub(in crate::plan) fn passes(raw: &str) -> bool {
    let plain = outside_code(raw).to_lowercase();
    !speaks_against(raw) && (has_word(PASSES, &plain) || PASSES_IN_WORDS.iter().any(|words| plain.contains(words)))
}

fn is_due(plain: &str) -> bool {
    let plain = outside_code(plain);
    has_word(DUE, &plain) || DUE_ELSEWHERE.iter().any(|word| plain.contains(word))
}

/// Tells whether a line asks to run something when the work is done: "Run `make test` before you push."
fn asks_to_run(plain: &str) -> bool {
    let behind = ["run `", "execute `", "please run `"].iter().find_map(|lead| plain.strip_prefix(lead));
    let Some((_, behind)) = behind.and_then(|rest| rest.split_once('`')) else { return false };
    REASONS.split('|').any(|reason| outside_code(behind).contains(reason.trim_start()))
}

/// Tells whether a line speaks of what is done before the work is handed over: "Before you push, run `make test`."
fn is_before_handing_over(plain: &str) -> bool {
    let outside = outside_code(plain);
    let english = outside.match_indices("before ").any(|(at, before)| {
        let behind = outside[at + before.len()..].split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        behind.take(3).any(|word| domains::holds(HANDING_OVER, word))
    });
    english || BEFORE.iter().any(|before| outside.contains(before))
}

/// Tells whether a line says what is run when the work is done, or a part of it: "When everything is done, run `pytest`."
fn is_at_the_end(plain: &str) -> bool {
    const BEGINS: [&str; 26] = [
        "finally",
        "at the end",
        "in the end",
        "after each",
        "after every",
        "afterwards",
        "once done",
        "am ende",
        "zum schluss",
        "zum abschluss",
        "abschließend",
        "nach jedem",
        "nach jeder",
        "à la fin",
        "pour finir",
        "après chaque",
        "al final",
        "al terminar",
        "para terminar",
        "después de cada",
        "ao final",
        "no final",
        "alla fine",
        "в конце",
        "最后",
        "最後に",
    ];
    const RUN: &str = "run|rerun|execute|ausführen|laufen|starten|lancer|lancez|exécuter|ejecutar|ejecuta|executar|rodar|rode|eseguire|\
         esegui|запустить|запусти";
    const DONE: &str = "done|finished|complete|completed|ready|fertig|terminé|listo|pronto|finito";
    let outside = outside_code(plain);
    let begins = BEGINS.iter().any(|begin| plain.starts_with(begin));
    let is_when = ["when ", "once ", "wenn ", "sobald ", "quand ", "cuando ", "quando "]
        .iter()
        .any(|when| plain.starts_with(when));
    let is_done = is_when && outside.split_once(',').is_some_and(|(before, _)| has_word(DONE, before));
    let runs = has_word(RUN, &outside) || ["运行", "执行", "実行"].iter().any(|run| outside.contains(run));
    (begins || is_done) && runs
}

/// Finds commands without any mark in a line that says that they check the work: "run npm test before you push",
/// "Checks: npm run lint, npm test".
pub(super) fn bare_commands(raw: &str) -> Vec<Range<usize>> {
    const PARTS: [&str; 9] = [", and ", ", then ", ", ", "; ", " and ", " then ", " und ", " et ", " y "];
    if raw.contains('`') || speaks_against(raw) {
        return Vec::new();
    }
    let Some(Range { start, end }) = bare(raw) else { return Vec::new() };
    let mut found = Vec::new();
    let mut from = start;
    while from < end {
        let rest = &raw[from..end];
        // Of two that begin at the same place the longer one, which stands before it in the list.
        let next = PARTS.iter().filter_map(|part| Some((rest.find(part)?, part.len()))).min_by_key(|(at, _)| *at);
        let len = next.map_or(rest.len(), |(at, _)| at);
        let text = without_verb(&rest[..len]);
        found.push(from..from + text.len());
        from += next.map_or(rest.len(), |(at, len)| at + len);
    }
    if found.iter().all(|part| is_bare_command(&raw[part.clone()])) { found } else { Vec::new() }
}

/// Takes off what languages put behind a command: "npm test ausführen".
fn without_verb(text: &str) -> &str {
    const BEHIND: [&str; 9] = [
        " ausführen",
        " laufen lassen",
        " starten",
        " durchführen",
        " must pass",
        " passes",
        " pass",
        " is green",
        "を実行する",
    ];
    let text = text.trim_end();
    BEHIND.iter().find_map(|verb| text.strip_suffix(verb)).unwrap_or(text)
}

fn is_bare_command(text: &str) -> bool {
    // "Make sure that the tests pass" is a sentence.
    const PROSE: &str = "sure|the|a|an|that|all|your|it|and|in|on|of|to|for|with|any|some|new|must|should|is|are|we|you|i|or|maybe|\
         from|by|pass|passes|passing|green|then|laufen|lassen|starten";
    let is_prose = |word: &str| {
        !word.is_ascii()
            || domains::holds(PROSE, &word.to_lowercase())
            || word.ends_with([',', ';', ':'])
            || word.ends_with("...")
    };
    !text.split_whitespace().any(is_prose) && commands::checks(text) && commands::suits_a_gate(text)
}

/// Finds where commands without any mark would stand in a line.
fn bare(raw: &str) -> Option<Range<usize>> {
    let lower = raw.to_ascii_lowercase();
    let lead = lower.len() - lower.trim_start_matches(|c: char| !c.is_alphanumeric()).len();
    let labelled = directives::split_label(raw).filter(|_| says_how_to_check(raw).is_some()).map(|(_, rest)| rest);
    let begin = labelled.unwrap_or(lead);
    let verb = ["run ", "please run ", "execute "].iter().find(|word| lower[begin..].starts_with(*word));
    let start = begin + verb.map_or(0, |verb| verb.len());
    if labelled.is_none() && verb.is_none() {
        return None;
    }
    let rest = &lower[start..];
    let reason = REASONS.split('|').filter_map(|reason| rest.find(&format!(" {}", reason.trim_start()))).min();
    let end = match reason {
        Some(end) => start + end,
        None if labelled.is_some() => start + rest.trim_end().trim_end_matches('.').len(),
        None => return None,
    };
    let text = raw.get(start..end)?.trim_end_matches([',', ' ']);
    (!text.is_empty()).then(|| start..start + text.len())
}

/// Tells whether an item says nothing but that commands are run to check the work: all of its words beside the commands
/// are words of that. What says more asks for more.
pub(super) fn says_only_checks(raw: &str) -> bool {
    const WORDS: &str = "run|running|execute|with|and|then|to|verify|check|test|tests|confirm|make|sure|ensure|all|the|it|its|that|is|are|be|\
         everything|works|still|before|you|push|pushing|commit|committing|merge|merging|using|via|verification|validate|validation|\
         lint|linter|typecheck|suite|full|again|finally|must|should|have|has|this|we|how|by|command|commands|test|unit|final|check|\
         checks|green|pass|passes|passing|clean|succeed|succeeds|ok|nothing|broke|done|when|at|end|please|\
         prüfen|prüfung|mit|und|dann|ausführen|zum|testen|muss|müssen|sind|ist|alle|pour|vérifier|puis|et|lancer|avec|doit|\
         doivent|para|verificar|comprobar|ejecutar|con|y|luego|debe|deben|rodar|com|e|deve|devem|per|verificare|eseguire";
    let outside = outside_code(raw).to_lowercase();
    let mut words = outside.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.all(|word| {
        domains::holds(WORDS, word) || domains::holds(PASSES, word) || word.bytes().all(|b| b.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_say_how_the_work_is_checked_in_many_words() {
        for line in [
            "**Verify:** `npm test`",
            "To verify: `npm test`, then `npm run lint`.",
            "Run `make test` before you push.",
            "Before you push, run `make test`",
            "Before merging, `npm run lint` and `npm test` must pass.",
            "`npm ci && npm test` has to pass on 22.",
            "When you're done, `npm test` must pass.",
            "Vor der Abgabe müssen `npm run lint` und `npm test` fehlerfrei durchlaufen.",
            "`npm test` doit passer",
            "`npm test` debe pasar",
            "Pour vérifier : `npm test` puis `npm run lint`.",
            "提交前 `npm test` 必须通过",
            "验证：`npm test`",
            "**Independent Test**: `npx vitest run`",
            "When everything is done, run `pytest` and fix what it finds.",
            "Nach jedem Schritt `npm run lint` laufen lassen.",
        ] {
            assert!(says_how_to_check(line).is_some(), "{line}");
        }
        for line in [
            "Run `pytest -q` to verify it fails",
            "`npm run lint` fails today",
            "Do not run `npm test` before you push",
            "`npm test` has a flag",
            "`npm test` passes on main",
        ] {
            assert_eq!(says_how_to_check(line), None, "{line}");
        }
    }

    #[test]
    fn commands_without_a_mark_are_found_where_a_line_says_what_they_are_for() {
        let found =
            |line: &str| bare_commands(line).into_iter().map(|range| &line[range]).collect::<Vec<_>>().join(" | ");
        for (line, expected) in [
            ("run npm test before you push", "npm test"),
            ("Please run cargo test --all before opening the PR", "cargo test --all"),
            ("Run npm run lint and npm test before you push", "npm run lint | npm test"),
            ("To verify: npm test.", "npm test"),
            ("Checks: npm run lint, npm test", "npm run lint | npm test"),
            ("Verify: run npm test", "npm test"),
            ("Verify: npm test, and npm run lint.", "npm test | npm run lint"),
            ("Verify: docker build ..., npm test", ""),
            ("run make sure the tests pass before you push", ""),
            ("run npm test in CI", ""),
            ("run the migration before you push", ""),
            ("To verify: npm test", "npm test"),
            ("Prüfung: npm test", "npm test"),
            ("Vor dem Push: npm test ausführen.", "npm test"),
            ("Verify: npm test passes", "npm test"),
            ("Verify: npm test prüft alles", ""),
        ] {
            assert_eq!(found(line), expected, "{line}");
        }
    }

    #[test]
    fn an_item_that_only_checks_says_nothing_else() {
        for line in [
            "Run `npm test` and `npm run lint`; all green",
            "`npm test` passes",
            "Verify with `npm test`",
            "`npm test`",
        ] {
            assert!(says_only_checks(line), "{line}");
        }
        for line in [
            "Run `npm run build` to generate the client",
            "Add `npm test` to CI",
            "To test the parser, add `cargo test`",
        ] {
            assert!(!says_only_checks(line), "{line}");
        }
    }
}
