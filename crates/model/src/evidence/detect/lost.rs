//! Tests that are gone, that assert less, or that no runner finds any more.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use std::cell::OnceCell;

use super::{
    super::source::{self, Kind, Language, Strength, Token},
    Author, Sign,
    parsed::{Case, Parsed, Side},
    remaining::{FileRemains, Literals, Remaining},
    undiscovered::{TestMacro, undiscovered_file},
};
use crate::{
    findings::{FindingCode, Weight},
    text,
};

/// What the new side has to offer to a test that is looked for.
struct Pool<'a> {
    /// How often each assertion stands there and is not claimed yet.
    assertions: BTreeMap<String, usize>,
    /// Everything that stands in tests, as words.
    words: Literals<'a>,
    /// Functions that exist on the new side, of the product and of the tests.
    functions: BTreeSet<&'a str>,
    /// Functions that were there on the old side.
    removed: BTreeSet<&'a str>,
}

pub(super) fn signs(author: Author, files: &[Parsed<'_>]) -> Vec<Sign> {
    let mut pool = pool(files);
    let remaining = Remaining::new(files);
    let mut signs = Vec::new();
    for (place, file) in files.iter().enumerate() {
        signs.extend(undiscovered_file(author, file));
        let Some(before) = &file.before else { continue };
        let mut missing: Vec<(&Case, usize)> = Vec::new();
        let mut weaker: Vec<(&Case, String, u32)> = Vec::new();
        let mut claimed: BTreeMap<&str, usize> = BTreeMap::new();
        let by_macro = file.after.as_ref().and_then(TestMacro::new);
        for case in &before.cases {
            source::spend(1);
            let number = claimed.entry(&case.test.name).or_default();
            let same = remaining.counterpart(place, &case.test.name, *number);
            *number += 1;
            match same {
                Some((there, other)) => {
                    let Some(side) = &files[there].after else { continue };
                    // What is the same on both sides is claimed, so that no other test can be hidden behind it.
                    let gone = gone_assertions(before, case, side, other, &mut pool);
                    let language = file.language.unwrap_or(Language::Python);
                    let conditional = |side: &Side<'_>, case: &Case| {
                        let head = &side.tokens[case.test.head.clone()];
                        language == Language::Rust && head.iter().any(|token| token.is("cfg"))
                    };
                    if conditional(side, other) && !conditional(before, case) {
                        let message = format!("`{}` is built only under a condition now", case.test.name);
                        let sign = Sign::new(FindingCode::TestsSkipped, author.weight(), file.path, message);
                        signs.push(sign.at(other.test.line));
                    }
                    weaker.extend(
                        weakened((before, case), (side, other), &gone, remaining.of(there))
                            .map(|why| (case, why, other.test.line)),
                    );
                }
                None => {
                    let lost = lost_assertions(before, case, &mut pool);
                    if by_macro.as_ref().is_some_and(|by_macro| by_macro.makes(&case.test.name)) {
                        continue;
                    }
                    if lost > 0 || (case.assertions.is_empty() && !pool.words.has_word(&case.test.name)) {
                        missing.push((case, lost));
                    }
                }
            }
        }
        for (case, why, line) in weaker {
            let message = format!("`{}` {why}", case.test.name);
            signs.push(Sign::new(FindingCode::TestsWeakened, author.weight(), file.path, message).at(line));
        }
        signs.extend(told(author, file, before, &missing, &pool));
    }
    signs
}

/// Says which tests are gone, and whether they are still there without being tests.
fn told(
    author: Author,
    file: &Parsed<'_>,
    before: &Side<'_>,
    missing: &[(&Case, usize)],
    pool: &Pool<'_>,
) -> Vec<Sign> {
    if missing.is_empty() {
        return Vec::new();
    }
    let bodies = file
        .after
        .iter()
        .flat_map(|after| after.functions.iter().map(|function| source::normal(&after.tokens[function.body.clone()])));
    let bodies: HashSet<String> = bodies.filter(|body| !body.is_empty()).collect();
    let hidden: Vec<&str> = missing
        .iter()
        .filter(|(case, _)| bodies.contains(&source::normal(&before.tokens[case.test.body.clone()])))
        .map(|(case, _)| case.test.name.as_str())
        .collect();
    if !hidden.is_empty() {
        let message = format!("{} no test of any runner any more: {}", is_are(hidden.len()), names(&hidden));
        return vec![Sign::new(FindingCode::TestsUndiscovered, author.weight(), file.path, message)];
    }
    let gone: Vec<&str> = missing.iter().map(|(case, _)| case.test.name.as_str()).collect();
    // The function that they test may be gone by the same patch.
    let of_removed = missing.iter().all(|(case, _)| {
        called(before, case).iter().any(|name| pool.removed.contains(*name) && !pool.functions.contains(*name))
    });
    // Should anything still need it, the base's own test says so by name.
    let weight = if of_removed { Weight::Note } else { author.weight() };
    let message = if file.after.is_none() {
        format!("the file with {} was deleted: {}", text::count(before.cases.len(), "test"), names(&gone))
    } else {
        format!("{} of {} are gone: {}", gone.len(), text::count(before.cases.len(), "test"), names(&gone))
    };
    vec![Sign::new(FindingCode::TestsDeleted, weight, file.path, message)]
}

fn is_are(number: usize) -> String {
    if number == 1 { "1 test is".to_owned() } else { format!("{number} tests are") }
}

fn names(names: &[&str]) -> String {
    text::listed(names.iter().map(|name| format!("`{}`", text::truncate(name, 80))), 4)
}

fn pool<'a>(files: &'a [Parsed<'a>]) -> Pool<'a> {
    let mut pool = Pool {
        assertions: BTreeMap::new(),
        words: Literals::default(),
        functions: BTreeSet::new(),
        removed: BTreeSet::new(),
    };
    for file in files {
        if let Some(before) = &file.before {
            let functions = before.functions.iter();
            let cases: BTreeSet<_> =
                before.cases.iter().map(|case| (case.test.body.start, case.test.body.end)).collect();
            let is_case = |body: &std::ops::Range<usize>| cases.contains(&(body.start, body.end));
            let of_product = functions.filter(|function| !file.is_test() && !is_case(&function.body));
            pool.removed.extend(of_product.map(|function| function.name.as_str()));
        }
        let (Some(language), Some(after)) = (file.language, &file.after) else { continue };
        pool.functions.extend(after.functions.iter().map(|function| function.name.as_str()));
        // Where no runner looks, nothing is kept.
        if !after.cases.is_empty() && source::is_test_path(file.path) && !source::is_discovered(file.path) {
            continue;
        }
        for case in &after.cases {
            for assertion in &case.assertions {
                *pool.assertions.entry(after.key(assertion)).or_default() += 1;
            }
        }
        if after.cases.is_empty() {
            continue;
        }
        // Helpers of tests assert as well; a function that no test calls is no part of them.
        let mut uncalled = vec![false; after.tokens.len()];
        let own: BTreeSet<usize> = after.cases.iter().map(|case| case.test.body.start).collect();
        let called = after.called_by_cases();
        for function in &after.functions {
            if own.contains(&function.body.start) {
                continue;
            }
            if called.contains(function.name.as_str()) {
                for assertion in source::assertions(language, &after.tokens, function.body.clone()) {
                    *pool.assertions.entry(after.key(&assertion)).or_default() += 1;
                }
            } else {
                source::spend(function.body.len());
                uncalled[function.body.clone()].fill(true);
            }
        }
        let tokens = after.tokens.iter().zip(uncalled).filter(|(_, uncalled)| !uncalled);
        // A test that was put into a string is no row of a table.
        let code_in_text =
            |token: &Token<'_>| token.kind == Kind::Text && token.text.contains('\n') && token.text.contains("assert");
        pool.words.extend(tokens.filter(|(token, _)| !code_in_text(token)).map(|(token, _)| token.inner()));
    }
    pool
}

/// Returns the assertions of a test that its counterpart does not have.
fn gone_assertions<'a>(
    before: &'a Side<'a>,
    case: &'a Case,
    after: &Side<'_>,
    other: &Case,
    pool: &mut Pool<'_>,
) -> Vec<&'a source::Assertion> {
    let mut there: BTreeMap<String, usize> = BTreeMap::new();
    source::spend(other.assertions.len());
    for assertion in &other.assertions {
        *there.entry(after.key(assertion)).or_default() += 1;
    }
    case.assertions
        .iter()
        .filter(|assertion| {
            let key = before.key(assertion);
            if let Some(number) = there.get_mut(&key).filter(|number| **number > 0) {
                *number -= 1;
                if let Some(number) = pool.assertions.get_mut(&key) {
                    *number = number.saturating_sub(1);
                }
                return false;
            }
            true
        })
        .collect()
}

/// Says how a test asserts less than before.
fn weakened(
    (before, case): (&Side<'_>, &Case),
    (after, other): (&Side<'_>, &Case),
    gone: &[&source::Assertion],
    remains: &FileRemains<'_>,
) -> Option<String> {
    let any_error = |side: &Side<'_>, assertion: &source::Assertion| {
        let tokens = &side.tokens[assertion.range.clone()];
        let of_error = tokens.iter().take(4).any(|token| {
            matches!(
                token.text,
                "assertRaises" | "assertRaisesRegex" | "raises" | "assertThrows" | "throws" | "rejects"
            )
        });
        let broad = tokens.iter().any(|token| matches!(token.text, "BaseException" | "Exception" | "Throwable"));
        (of_error, broad)
    };
    let named_one = gone.iter().any(|assertion| any_error(before, assertion) == (true, false));
    let takes_any = |side: &Side<'_>, case: &Case| {
        case.assertions.iter().filter(|assertion| any_error(side, assertion) == (true, true)).count()
    };
    if named_one && takes_any(after, other) > takes_any(before, case) {
        return Some("asserts less strictly than before: any error will do".to_owned());
    }
    let missing = case.assertions.len().saturating_sub(other.assertions.len());
    let kept_elsewhere = || {
        gone.iter().all(|assertion| {
            let literals = literals_of(before, &assertion.range);
            !literals.is_empty() && literals.iter().all(|literal| remains.literals().holds(literal))
        })
    };
    let by_helper = || {
        let strict = case.assertions.iter().any(|one| one.strength == Strength::Exact);
        let calls = after.tokens[other.test.body.clone()].windows(2).filter(|pair| pair[1].is("("));
        let mut found = calls.filter_map(|pair| remains.asserts(pair[0].text));
        found.any(|strength| !strict || strength == Strength::Exact)
    };
    if missing > 0 && (!kept_elsewhere() || (other.assertions.is_empty() && !by_helper())) {
        return Some(format!(
            "asserts less than before: {missing} of {} are gone",
            text::count(case.assertions.len(), "assertion")
        ));
    }
    let exact =
        |case: &Case| case.assertions.iter().filter(|one| one.strength == Strength::Exact && !one.negated).count();
    let lost = exact(case).saturating_sub(exact(other));
    (lost > 0 && !gone.is_empty() && missing == 0).then(|| {
        format!("asserts less strictly than before: {} became a looser one", text::count(lost, "exact assertion"))
    })
}

fn literals_of<'a>(side: &'a Side<'a>, range: &std::ops::Range<usize>) -> Vec<&'a str> {
    source::spend(range.len());
    // What Go says about a failure is no part of what it holds against what.
    let is_check = side.tokens.get(range.start).is_some_and(|token| token.is("if"));
    let tokens = side.tokens[range.clone()].iter().take_while(|token| !(is_check && token.is("{")));
    tokens.filter(|token| matches!(token.kind, Kind::Text | Kind::Number)).map(Token::inner).collect()
}

/// Counts the assertions of a test that stand nowhere on the new side: neither as they were, nor as a row of a table.
fn lost_assertions(before: &Side<'_>, case: &Case, pool: &mut Pool<'_>) -> usize {
    let mut gone: Vec<&source::Assertion> = Vec::new();
    for assertion in &case.assertions {
        let key = before.key(assertion);
        match pool.assertions.get_mut(&key).filter(|number| **number > 0) {
            Some(number) => *number -= 1,
            None => gone.push(assertion),
        }
    }
    if gone.is_empty() {
        return 0;
    }
    // What the whole test says is found out once.
    let are_words = called(before, case).iter().all(|name| pool.words.has_word(name));
    let all_there =
        |literals: &[&str]| !literals.is_empty() && literals.iter().all(|literal| pool.words.holds(literal));
    let body = OnceCell::new();
    let is_row = |assertion: &&&source::Assertion| {
        let literals = literals_of(before, &assertion.range);
        let of_body = || *body.get_or_init(|| all_there(&literals_of(before, &case.test.body)));
        are_words && if literals.is_empty() { of_body() } else { all_there(&literals) }
    };
    gone.len() - gone.iter().filter(is_row).count()
}

/// Returns the names of what a test calls, but its own means.
fn called<'a>(side: &'a Side<'a>, case: &Case) -> BTreeSet<&'a str> {
    let tokens = &side.tokens[case.test.body.clone()];
    source::spend(tokens.len());
    let calls = tokens.windows(2).filter(|pair| pair[0].kind == Kind::Word && pair[1].is("(")).map(|pair| pair[0].text);
    let means = |name: &str| {
        let lower = name.to_ascii_lowercase();
        lower.starts_with("assert")
            || lower.starts_with("expect")
            || matches!(
                name,
                "raises"
                    | "toBe"
                    | "toEqual"
                    | "equal"
                    | "strictEqual"
                    | "deepEqual"
                    | "Run"
                    | "Errorf"
                    | "Fatalf"
                    | "Error"
                    | "Fatal"
                    | "is"
                    | "it"
                    | "test"
                    | "require"
                    | "toStrictEqual"
                    | "deepStrictEqual"
                    | "isEqualTo"
                    | "eq"
                    | "range"
                    | "len"
                    | "list"
                    | "str"
                    | "print"
            )
    };
    calls.filter(|name| !means(name)).collect()
}
