//! Tests that cannot fail.

use super::{
    super::source::{self, Assertion, Kind, Language, Strength, Token},
    Author, Sign,
    against_itself::against_itself,
    detached,
    parsed::{Case, Parsed, Side, has},
    unreached::{leaves_early, leaves_under_a_condition, never_checked, swallowed, swallows, unreachable},
};
use crate::findings::{FindingCode, Weight};

pub(super) fn signs(author: Author, files: &[Parsed<'_>]) -> Vec<Sign> {
    let mut signs = Vec::new();
    for file in files {
        let (Some(language), Some(after)) = (file.language, &file.after) else { continue };
        let helpers = asserting_helpers(language, files);
        signs.extend(swallowing_helper(author, language, file, after));
        for (at, case) in after.cases.iter().enumerate() {
            let old = match &file.before {
                None => None,
                Some(before) => match counterpart(before, after, at, case) {
                    Counterpart::Same => continue,
                    Counterpart::Changed(old) => Some((before, old)),
                    Counterpart::New => None,
                },
            };
            if let Some((before, old)) = old
                && leaves_under_a_condition(language, before, old).is_none()
                && let Some(line) = leaves_under_a_condition(language, after, case)
            {
                let message = format!("`{}` may return before its assertions now", case.test.name);
                signs.push(Sign::new(FindingCode::VacuousTest, author.weight(), file.path, message).at(line));
            }
            // What the old test was already is not this patch's.
            let was = old.is_some_and(|(before, old)| why(language, before, old, &helpers).is_some());
            let Some((why, line)) = why(language, after, case, &helpers).filter(|_| !was) else { continue };
            let weight = if old.is_some() { author.weight() } else { Weight::Warning };
            let message = format!("`{}` {why}", case.test.name);
            signs.push(Sign::new(FindingCode::VacuousTest, weight, file.path, message).at(line));
        }
    }
    signs
}

/// Finds a function of the tests that calls what it is given and drops the failure: a decorator, a wrapper of tests.
fn swallowing_helper(author: Author, language: Language, file: &Parsed<'_>, after: &Side<'_>) -> Option<Sign> {
    if !file.is_test() {
        return None;
    }
    source::functions(language, &after.tokens).into_iter().find_map(|function| {
        source::spend(after.cases.len());
        let is_case = after.cases.iter().any(|case| case.test.body.start == function.body.start);
        if is_case || !file.is_new_line(function.line) {
            return None;
        }
        let parameters = after.tokens[function.signature.clone()].iter().filter(|token| token.kind == Kind::Word);
        let parameters: Vec<&str> = parameters.map(|token| token.text).collect();
        let calls: Vec<Assertion> = function
            .body
            .clone()
            .filter(|at| parameters.contains(&after.tokens[*at].text))
            .filter(|at| after.tokens.get(at + 1).is_some_and(|next| next.is("(")))
            .map(|at| Assertion {
                range: at..at + 1,
                line: after.tokens[at].line,
                sides: Vec::new(),
                strength: Strength::Weak,
                negated: false,
            })
            .collect();
        let line = swallows(language, &after.tokens, function.body, &calls).filter(|_| !calls.is_empty())?;
        let message = format!("`{}` calls what it is given and drops its failure", function.name);
        Some(Sign::new(FindingCode::VacuousTest, author.weight(), file.path, message).at(line))
    })
}

/// What a test was before.
enum Counterpart<'c> {
    /// The same, word for word.
    Same,
    /// Another test of its name.
    Changed(&'c Case),
    /// Not there.
    New,
}

/// Finds what the test at `at` was before. Several tests may have one name, in classes of their own: each old one is the
/// counterpart of as many new ones as it is there, and no more.
fn counterpart<'c>(before: &'c Side<'_>, after: &Side<'_>, at: usize, case: &Case) -> Counterpart<'c> {
    // What stands in front of it counts as well: a decorator, a table of rows.
    let body = |side: &Side<'_>, case: &Case| source::normal(&side.tokens[case.test.test_range()]);
    let named = |cases: &'c [Case]| cases.iter().filter(|old| old.test.name == case.test.name);
    let own = body(after, case);
    source::spend(before.cases.len() + after.cases.len());
    let is_own = |other: &&Case| other.test.name == case.test.name && body(after, other) == own;
    let earlier = after.cases[..at].iter().filter(is_own).count();
    if named(&before.cases).filter(|old| body(before, old) == own).count() > earlier {
        return Counterpart::Same;
    }
    let stays = |old: &Case| {
        source::spend(after.cases.len());
        let text = body(before, old);
        after.cases.iter().any(|new| new.test.name == case.test.name && body(after, new) == text)
    };
    let changed = named(&before.cases).find(|old| !stays(old)).or_else(|| named(&before.cases).next());
    changed.map_or(Counterpart::New, Counterpart::Changed)
}

/// Says why a test cannot fail, and on which line.
fn why(language: Language, side: &Side<'_>, case: &Case, helpers: &[String]) -> Option<(String, u32)> {
    let body = &side.tokens[case.test.body.clone()];
    let own_t = |words: &[&str]| has(body, words).filter(|_| language == Language::Go);
    if let Some(line) =
        own_t(&["&", "testing", ".", "T", "{"]).or_else(|| own_t(&["new", "(", "testing", ".", "T", ")"]))
    {
        return Some(("reports to a test of its own making, which nobody looks at".to_owned(), line));
    }
    if let Some(line) = leaves_early(language, side, case) {
        return Some(("returns before its assertions".to_owned(), line));
    }
    let asserts =
        !case.assertions.is_empty() || calls_helper(language, body, helpers) || fails_otherwise(language, side, case);
    if !asserts {
        return Some(("asserts nothing".to_owned(), case.test.line));
    }
    let held: Vec<_> =
        case.assertions.iter().filter(|assertion| against_itself(side, case, assertion).is_none()).collect();
    if held.is_empty()
        && let Some(first) = case.assertions.first()
    {
        let how = against_itself(side, case, first).unwrap_or("asserts nothing");
        return Some((how.to_owned(), first.line));
    }
    // One assertion against itself among others is worth a look as well.
    if let Some((assertion, how)) = case.assertions.iter().find_map(|one| Some((one, against_itself(side, case, one)?)))
    {
        return Some((how.to_owned(), assertion.line));
    }
    if let Some((how, line)) = never_checked(language, side, case) {
        return Some((how.to_owned(), line));
    }
    if let Some(line) = swallowed(language, side, case) {
        return Some(("catches the failure of its own assertions".to_owned(), line));
    }
    if let Some(line) = detached::all_assertions(language, side, case) {
        return Some(("has its assertions where nothing runs them".to_owned(), line));
    }
    unreachable(language, side, case).map(|line| ("has assertions that are never reached".to_owned(), line))
}

/// Returns the names of functions of the tests that assert themselves.
fn asserting_helpers(language: Language, files: &[Parsed<'_>]) -> Vec<String> {
    let mut names = Vec::new();
    for file in files.iter().filter(|file| file.language == Some(language)) {
        let Some(after) = &file.after else { continue };
        for function in source::functions(language, &after.tokens) {
            if !source::assertions(language, &after.tokens, function.body).is_empty() {
                names.push(function.name);
            }
        }
    }
    names
}

/// Tells whether a test calls something that may assert for it.
fn calls_helper(language: Language, body: &[Token<'_>], helpers: &[String]) -> bool {
    body.windows(2).any(|pair| {
        source::spend(1 + helpers.len());
        let (name, open) = (&pair[0], &pair[1]);
        if name.kind != Kind::Word || !(open.is("(") || open.is("!")) {
            return false;
        }
        let lower = name.text.to_ascii_lowercase();
        helpers.iter().any(|helper| helper == name.text)
            || ["assert", "check", "verify", "expect", "should", "must", "ensure", "require", "compare", "validate"]
                .iter()
                .any(|start| lower.starts_with(start) && lower != "expect")
            || (language == Language::Go
                && body.windows(3).any(|three| three[0].is(name.text) && three[1].is("(") && three[2].is("t")))
    })
}

/// Tells whether a test can fail without an assertion: an expected error, a result that is unwrapped, a done callback.
fn fails_otherwise(language: Language, side: &Side<'_>, case: &Case) -> bool {
    let body = &side.tokens[case.test.body.clone()];
    let head = &side.tokens[case.test.head.clone()];
    let word = |tokens: &[Token<'_>], names: &[&str]| tokens.iter().any(|token| names.contains(&token.text));
    match language {
        Language::Rust => {
            word(head, &["should_panic"]) || word(body, &["unwrap", "expect", "?", "unwrap_err", "proptest"])
        }
        Language::Java | Language::CSharp => word(head, &["expected", "ExpectedException"]),
        // An example's output is compared.
        Language::Go => case.test.name.starts_with("Example") || word(body, &["Run"]),
        Language::JavaScript => word(body, &["rejects", "throw", "done"]) || body.is_empty(),
        Language::Python => word(body, &["raise"]),
        _ => false,
    }
}
