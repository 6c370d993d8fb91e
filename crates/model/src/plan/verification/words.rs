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

/// Finds a command without any mark in a line that says that it checks the work: "run npm test before you push".
pub(super) fn bare_command(raw: &str) -> Option<Range<usize>> {
    // "Make sure that the tests pass" is a sentence.
    const PROSE: &str =
        "sure|the|a|an|that|all|your|it|and|in|on|of|to|for|with|any|some|new|must|should|is|are|we|you|i";
    if raw.contains('`') || speaks_against(raw) {
        return None;
    }
    let lower = raw.to_ascii_lowercase();
    let lead = lower.len() - lower.trim_start_matches(|c: char| !c.is_alphanumeric()).len();
    let labelled = directives::split_label(raw).filter(|_| says_how_to_check(raw).is_some()).map(|(_, rest)| rest);
    let run = || ["run ", "please run ", "execute "].iter().find(|word| lower[lead..].starts_with(*word));
    let start = labelled.or_else(|| run().map(|word| lead + word.len()))?;
    let rest = &lower[start..];
    let reason = REASONS.split('|').filter_map(|reason| rest.find(&format!(" {}", reason.trim_start()))).min();
    let end = match reason {
        Some(end) => start + end,
        None => start + labelled.map(|_| rest.trim_end().trim_end_matches('.').len())?,
    };
    let text = raw.get(start..end)?.trim_end_matches([',', ' ']);
    let is_prose = text.split_whitespace().any(|word| domains::holds(PROSE, &word.to_lowercase()));
    (!is_prose && commands::checks(text)).then(|| start..start + text.len())
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
        let found = |line: &str| bare_command(line).map(|range| line[range].to_owned());
        assert_eq!(found("run npm test before you push").as_deref(), Some("npm test"));
        assert_eq!(found("Please run cargo test --all before opening the PR").as_deref(), Some("cargo test --all"));
        assert_eq!(found("To verify: npm test.").as_deref(), Some("npm test"));
        assert_eq!(found("run make sure the tests pass before you push"), None);
        assert_eq!(found("run npm test in CI"), None);
        assert_eq!(found("run the migration before you push"), None);
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
