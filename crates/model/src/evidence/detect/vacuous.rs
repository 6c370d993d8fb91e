//! Tests that cannot fail.

use std::collections::{HashMap, HashSet};

use super::{
    super::source::{self, Assertion, Kind, Language, Strength, Token},
    Author, Sign,
    against_itself::{Values, against_itself},
    detached,
    parsed::{Case, Parsed, Side, has},
    unreached::{leaves_early, leaves_under_a_condition, never_checked, swallowed, swallows, unreachable},
};
use crate::findings::{FindingCode, Weight};

pub(super) fn signs(author: Author, files: &[Parsed<'_>]) -> Vec<Sign> {
    let mut signs = Vec::new();
    let mut of_language: Vec<(Language, HashSet<&str>)> = Vec::new();
    for file in files {
        let (Some(language), Some(after)) = (file.language, &file.after) else { continue };
        if !of_language.iter().any(|(of, _)| *of == language) {
            of_language.push((language, asserting_helpers(language, files)));
        }
        let Some((_, helpers)) = of_language.iter().find(|(of, _)| *of == language) else { continue };
        signs.extend(swallowing_helper(author, language, file, after));
        let mut earlier = file.before.as_ref().map(|before| Earlier::new(before, after));
        for case in &after.cases {
            let old = match &mut earlier {
                None => None,
                Some(earlier) => match earlier.counterpart(case) {
                    Counterpart::Same => continue,
                    Counterpart::Changed(old) => Some((earlier.before, old)),
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
            let was = old.is_some_and(|(before, old)| why(language, before, old, helpers).is_some());
            let Some((why, line)) = why(language, after, case, helpers).filter(|_| !was) else { continue };
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
    let cases: HashSet<usize> = after.cases.iter().map(|case| case.test.body.start).collect();
    after.functions.iter().find_map(|function| {
        if cases.contains(&function.body.start) || !file.is_new_line(function.line) {
            return None;
        }
        let parameters = after.tokens[function.signature.clone()].iter().filter(|token| token.kind == Kind::Word);
        let parameters: HashSet<&str> = parameters.map(|token| token.text).collect();
        source::spend(function.body.len());
        let calls: Vec<Assertion> = function
            .body
            .clone()
            .filter(|at| parameters.contains(after.tokens[*at].text))
            .filter(|at| after.tokens.get(at + 1).is_some_and(|next| next.is("(")))
            .map(|at| Assertion {
                range: at..at + 1,
                line: after.tokens[at].line,
                sides: Vec::new(),
                strength: Strength::Weak,
                negated: false,
            })
            .collect();
        if calls.is_empty() {
            return None;
        }
        let line = swallows(language, &after.tokens, function.body.clone(), &calls)?;
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

/// The tests that were there before, for those that are there now. Several tests may have one name, in classes of their own:
/// each old one is the counterpart of as many new ones as it is there, and no more.
struct Earlier<'f> {
    before: &'f Side<'f>,
    after: &'f Side<'f>,
    /// How often each test of these words was there, and is no counterpart yet.
    there: HashMap<(&'f str, String), usize>,
    /// For each name the first old test that is not there any more, word for word, or else the first.
    changed: HashMap<&'f str, &'f Case>,
}

impl<'f> Earlier<'f> {
    fn new(before: &'f Side<'f>, after: &'f Side<'f>) -> Self {
        let stays: HashSet<_> = after.cases.iter().map(|case| words(after, case)).collect();
        let (mut there, mut changed, mut gone) = (HashMap::new(), HashMap::new(), HashMap::new());
        for case in &before.cases {
            let name = case.test.name.as_str();
            let words = words(before, case);
            changed.entry(name).or_insert(case);
            if !stays.contains(&words) {
                gone.entry(name).or_insert(case);
            }
            *there.entry(words).or_default() += 1;
        }
        changed.extend(gone);
        Self { before, after, there, changed }
    }

    /// Finds what a test was before. Tests are asked for in their order.
    fn counterpart(&mut self, case: &'f Case) -> Counterpart<'f> {
        if let Some(number) = self.there.get_mut(&words(self.after, case)).filter(|number| **number > 0) {
            *number -= 1;
            return Counterpart::Same;
        }
        self.changed.get(case.test.name.as_str()).map_or(Counterpart::New, |old| Counterpart::Changed(old))
    }
}

/// Returns the name of a test and its words. What stands in front of it counts as well: a decorator, a table of rows.
fn words<'f>(side: &Side<'_>, case: &'f Case) -> (&'f str, String) {
    (&case.test.name, source::normal(&side.tokens[case.test.test_range()]))
}

/// Says why a test cannot fail, and on which line.
fn why(language: Language, side: &Side<'_>, case: &Case, helpers: &HashSet<&str>) -> Option<(String, u32)> {
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
    // One assertion against itself among others is worth a look as well.
    let values = Values::new(body);
    if let Some((assertion, how)) =
        case.assertions.iter().find_map(|one| Some((one, against_itself(side, &values, one)?)))
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
fn asserting_helpers<'f>(language: Language, files: &'f [Parsed<'_>]) -> HashSet<&'f str> {
    let mut names = HashSet::new();
    for file in files.iter().filter(|file| file.language == Some(language)) {
        let Some(after) = &file.after else { continue };
        // All assertions of the file at once: each counts for all functions around it.
        let found = source::assertions(language, &after.tokens, 0..after.tokens.len());
        let begins: Vec<usize> = found.iter().map(|assertion| assertion.range.start).collect();
        for function in &after.functions {
            let next = begins.partition_point(|begin| *begin < function.body.start);
            if begins.get(next).is_some_and(|begin| *begin < function.body.end) {
                names.insert(function.name.as_str());
            }
        }
    }
    names
}

/// Tells whether a test calls something that may assert for it.
fn calls_helper(language: Language, body: &[Token<'_>], helpers: &HashSet<&str>) -> bool {
    // In Go what is given the test may report to it.
    let given_test = language == Language::Go
        && body.windows(3).any(|three| three[0].kind == Kind::Word && three[1].is("(") && three[2].is("t"));
    given_test
        || body.windows(2).any(|pair| {
            let (name, open) = (&pair[0], &pair[1]);
            if name.kind != Kind::Word || !(open.is("(") || open.is("!")) {
                return false;
            }
            let lower = name.text.to_ascii_lowercase();
            helpers.contains(name.text)
                || ["assert", "check", "verify", "expect", "should", "must", "ensure", "require", "compare", "validate"]
                    .iter()
                    .any(|start| lower.starts_with(start) && lower != "expect")
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
