//! Tests that are switched off, under whichever name, and tolerances that grew.

use std::collections::BTreeMap;

use super::{
    super::source::{Assertion, Kind, Language, Token, closing, spend},
    Sign,
    parsed::{Case, Parsed, Side},
};
use crate::{
    findings::{FindingCode, Weight},
    text,
};

/// Words that switch a test off or turn its meaning around, as tokens one behind the other.
fn marks(language: Language) -> &'static [&'static [&'static str]] {
    match language {
        Language::Python => &[
            &["mark", ".", "skip"],
            &["mark", ".", "skipif"],
            &["mark", ".", "xfail"],
            &["unittest", ".", "skip"],
            &["unittest", ".", "skipIf"],
            &["unittest", ".", "skipUnless"],
            &["@", "skip"],
            &["@", "skipIf"],
            &["expectedFailure"],
            &["pytest", ".", "skip"],
            &["pytest", ".", "xfail"],
            &["importorskip"],
            &["skipTest"],
            &["SkipTest"],
            &["allow_module_level"],
            &["__unittest_skip__"],
            &["__test__"],
        ],
        Language::JavaScript => &[
            &[".", "skip"],
            &[".", "only"],
            &[".", "todo"],
            &[".", "fixme"],
            &[".", "failing"],
            &[".", "fails"],
            &[".", "skipIf"],
            &[".", "runIf"],
            &["xit", "("],
            &["xtest", "("],
            &["xdescribe", "("],
            &["fit", "("],
            &["fdescribe", "("],
            &["skip", ":"],
            &["todo", ":"],
            &["pending", "(", ")"],
        ],
        Language::Go => &[&[".", "Skip"], &[".", "Skipf"], &[".", "SkipNow"], &["testing", ".", "Short"]],
        Language::Rust => &[&["#", "[", "ignore"], &[",", "ignore"], &["should_panic"]],
        Language::Java => &[
            &["Disabled"],
            &["Ignore"],
            &["DisabledIf"],
            &["DisabledOnOs"],
            &["DisabledOnJre"],
            &["DisabledForJreRange"],
            &["DisabledInNativeImage"],
            &["DisabledIfEnvironmentVariable"],
            &["DisabledIfSystemProperty"],
            &["EnabledIf"],
            &["EnabledOnOs"],
            &["EnabledOnJre"],
            &["EnabledForJreRange"],
            &["EnabledInNativeImage"],
            &["EnabledIfEnvironmentVariable"],
            &["EnabledIfSystemProperty"],
            &["Assumptions", ".", "abort"],
            &["assumeTrue"],
            &["assumeFalse"],
            &["assumeThat"],
            &["TestAbortedException"],
            &["AssumptionViolatedException"],
            &["SkipException"],
            &["enabled", "=", "false"],
            &["XCTSkip"],
        ],
        Language::CSharp => &[&["[", "Ignore"], &["Skip", "="], &["Inconclusive"], &["Assume"], &["Explicit"]],
        Language::Ruby => &[&["xit"], &["xdescribe"], &["skip"], &["pending"], &["xcontext"], &["omit"], &["pend"]],
        Language::Php => {
            &[&["markTestSkipped"], &["markTestIncomplete"], &["doesNotPerformAssertions"], &["->", "skip"]]
        }
        Language::C => &[&["GTEST_SKIP"], &["SKIP"]],
    }
}

/// Conditions under which a runner or a machine is looked for and a test leaves early are skips as well.
pub(super) fn signs(files: &[Parsed<'_>]) -> Vec<Sign> {
    let mut signs = Vec::new();
    let count = |side: Option<&Side<'_>>, language: Language| side.map_or(0, |side| places(side, language).len());
    // A test that was off and moved is off as before: the whole patch is counted, and told where a mark is new.
    let (mut before, mut after) = (0, 0);
    let mut with_tests = Vec::new();
    for file in files {
        let Some(language) = file.language else { continue };
        let has_tests = |side: &Option<Side<'_>>| side.as_ref().is_some_and(|side| !side.cases.is_empty());
        if !(has_tests(&file.before) || has_tests(&file.after) || file.is_test()) {
            continue;
        }
        before += count(file.before.as_ref(), language);
        after += count(file.after.as_ref(), language);
        with_tests.push((file, language));
    }
    let mut more = after.saturating_sub(before);
    for (file, language) in &with_tests {
        let Some(side) = &file.after else { continue };
        let own = count(Some(side), *language).saturating_sub(count(file.before.as_ref(), *language)).min(more);
        if own > 0 {
            more -= own;
            let line = places(side, *language).into_iter().find(|line| file.is_new_line(*line));
            let message = format!("{} more than before: tests are switched off", text::count(own, "mark"));
            let sign = Sign::new(FindingCode::TestsSkipped, Weight::Warning, file.path, message);
            signs.push(match line {
                Some(line) => sign.at(line),
                None => sign,
            });
        }
    }
    for (file, language) in with_tests {
        signs.extend(loosened(file, language));
    }
    signs
}

/// Returns the lines at which a mark stands.
fn places(side: &Side<'_>, language: Language) -> Vec<u32> {
    let tokens = &side.tokens;
    let mut lines = Vec::new();
    let marks = marks(language);
    for at in 0..tokens.len() {
        spend(1);
        for mark in marks.iter().filter(|mark| mark[0] == tokens[at].text) {
            let here = tokens[at..].iter().zip(*mark).filter(|(token, word)| token.is(word)).count() == mark.len();
            if here && is_mark(language, tokens, at, mark) {
                lines.push(tokens[at].line);
                break;
            }
        }
    }
    lines
}

/// Tells marks from words of the same look: `.only` of another object, an import of the word.
fn is_mark(language: Language, tokens: &[Token<'_>], at: usize, mark: &[&str]) -> bool {
    let before = at.checked_sub(1).map(|before| tokens[before].text);
    match language {
        Language::JavaScript if mark[0] == "." => {
            let suite = ["it", "test", "describe", "specify", "suite", "context", "t", "this", "bench"];
            before.is_some_and(|before| suite.contains(&before) || matches!(before, "concurrent" | "serial" | "each"))
        }
        Language::JavaScript if mark.len() == 2 && mark[1] == ":" => {
            let value = tokens.get(at + 2).map(|token| token.text);
            matches!(before, Some("{" | ",")) && value.is_some_and(|value| value != "false")
        }
        // A new test that has to panic says so; one that was there before did not have to.
        Language::Rust if mark[0] == "should_panic" => {
            !tokens.get(at + 1).is_some_and(|next| next.is("("))
                || !tokens[at..].iter().take(4).any(|token| token.is("expected"))
        }
        Language::Python => {
            // `from unittest import skip` switches nothing off.
            let line = tokens[at].line;
            let on_line = tokens[..=at].iter().rev().take_while(|token| token.line == line);
            let first = on_line.inspect(|_| spend(1)).find(|token| token.first);
            !first.is_some_and(|first| first.is("import") || first.is("from"))
        }
        Language::Java => {
            // Names may be written with their packages in front.
            let mut outermost = at;
            while outermost > 1 && tokens[outermost - 1].is(".") {
                outermost -= 2;
            }
            let before = outermost.checked_sub(1).map(|before| tokens[before].text);
            let annotation = mark[0].starts_with(['D', 'E', 'I']);
            let imported = matches!(before, Some("import" | "static" | "package"));
            !imported && (!annotation || before == Some("@"))
        }
        Language::Ruby => tokens[at].first || before == Some(","),
        Language::Go => {
            mark[0] == "testing"
                || before.is_some_and(|before| matches!(before, "t" | "tb" | "b" | "f" | "s" | "suite" | "T"))
        }
        Language::Rust if mark[0] == "," => {
            // `#[cfg_attr(…, ignore)]`.
            tokens[..at].iter().rev().take(12).any(|token| token.is("cfg_attr"))
        }
        _ => true,
    }
}

/// Names whose number is what a test still accepts, and whether more of it accepts more.
const TOLERANCES: [(&str, bool); 22] = [
    ("delta", true),
    ("rel", true),
    ("abs", true),
    ("rtol", true),
    ("atol", true),
    ("rel_tol", true),
    ("abs_tol", true),
    ("epsilon", true),
    ("eps", true),
    ("EPSILON", true),
    ("max_relative", true),
    ("tolerance", true),
    ("within", true),
    ("closeTo", true),
    ("InDelta", true),
    ("InEpsilon", true),
    ("assert_in_delta", true),
    ("be_within", true),
    ("places", false),
    ("toBeCloseTo", false),
    ("assertAlmostEqual", false),
    ("assertEquals", true),
];

/// Finds tests that accept more than before, by the numbers behind the names of tolerances.
fn loosened(file: &Parsed<'_>, language: Language) -> Vec<Sign> {
    let (Some(before), Some(after)) = (&file.before, &file.after) else { return Vec::new() };
    let mut signs = Vec::new();
    let mut named: BTreeMap<&str, &Case> = BTreeMap::new();
    for old in &before.cases {
        named.entry(&old.test.name).or_insert(old);
    }
    for case in &after.cases {
        let Some(old) = named.get(case.test.name.as_str()) else { continue };
        let was = tolerances(&before.tokens[old.test.body.clone()], language);
        let is = tolerances(&after.tokens[case.test.body.clone()], language);
        for (name, new) in &is {
            let Some(old) = was.get(name) else { continue };
            let grows = TOLERANCES.iter().find(|(tolerance, _)| tolerance == name).is_some_and(|(_, grows)| *grows);
            let looser = if grows { new > old } else { new < old };
            if looser {
                let message = format!("`{}` accepts more than before: `{name}` was {old} and is {new}", case.test.name);
                signs.push(
                    Sign::new(FindingCode::ToleranceLoosened, Weight::Warning, file.path, message).at(case.test.line),
                );
            }
        }
        let rounded = |side: &Side<'_>, case: &Case| {
            let of = |one: &Assertion| side.tokens[one.range.clone()].iter().filter(|token| rounds(token)).count();
            case.assertions.iter().map(of).sum::<usize>()
        };
        if rounded(after, case) > rounded(before, old) && old.assertions.len() == case.assertions.len() {
            let message = format!("`{}` accepts more than before: it rounds what it compares", case.test.name);
            signs.push(
                Sign::new(FindingCode::ToleranceLoosened, Weight::Warning, file.path, message).at(case.test.line),
            );
        }
        // A tolerance where there was none.
        for (name, new) in is.iter().filter(|(name, _)| !was.contains_key(*name) && was.is_empty()) {
            let old_exact = old.assertions.len() == case.assertions.len();
            let approximate = !matches!(*name, "rel" | "abs") || has_approx(&after.tokens[case.test.body.clone()]);
            if old_exact && approximate {
                let message =
                    format!("`{}` accepts more than before: it compares within `{name}` {new} now", case.test.name);
                signs.push(
                    Sign::new(FindingCode::ToleranceLoosened, Weight::Warning, file.path, message).at(case.test.line),
                );
            }
        }
    }
    signs
}

fn rounds(token: &Token<'_>) -> bool {
    token.kind == Kind::Word
        && matches!(token.text, "round" | "floor" | "ceil" | "trunc" | "toFixed" | "Round" | "Trunc")
}

fn has_approx(tokens: &[Token<'_>]) -> bool {
    tokens.iter().any(|token| matches!(token.text, "approx" | "isclose" | "allclose" | "assert_allclose"))
}

fn tolerances<'a>(tokens: &'a [Token<'a>], language: Language) -> BTreeMap<&'static str, f64> {
    let mut found: BTreeMap<&'static str, f64> = BTreeMap::new();
    let number =
        |token: &Token<'_>| token.text.trim_end_matches(['f', 'd', 'F', 'D', 'L']).replace('_', "").parse::<f64>().ok();
    spend(tokens.len());
    for (at, token) in tokens.iter().enumerate() {
        let Some((name, grows)) = TOLERANCES.iter().find(|(name, _)| token.is(name)) else { continue };
        let Some(next) = tokens.get(at + 1) else { continue };
        let value = if next.is("=") || next.is(":") || next.is(":=") {
            tokens.get(at + 2).and_then(number)
        } else if next.is("(") {
            // The last argument of a call, where there are enough of them.
            let close = closing(tokens, at + 1).unwrap_or(tokens.len());
            let inside = &tokens[at + 1..close];
            spend(inside.len());
            let commas = inside.iter().filter(|token| token.is(",")).count();
            let enough = match *name {
                "assertEquals" | "assertAlmostEqual" | "InDelta" | "InEpsilon" | "assert_in_delta" => commas >= 2,
                "toBeCloseTo" | "closeTo" => commas >= 1,
                _ => false,
            };
            // JUnit's third argument is a delta only where it is a number with a point.
            let last = inside.last().filter(|last| last.kind == Kind::Number && enough);
            last.filter(|last| {
                *name != "assertEquals" || (language == Language::Java && last.text.contains(['.', 'e', 'E']))
            })
            .and_then(number)
        } else {
            None
        };
        let Some(value) = value else { continue };
        let entry = found.entry(name).or_insert(value);
        if (*grows && value > *entry) || (!grows && value < *entry) {
            *entry = value;
        }
    }
    found
}
