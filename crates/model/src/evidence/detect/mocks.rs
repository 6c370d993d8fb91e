//! Tests of a copy or of a mock of what they should test.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    super::source::{self, Kind, Language},
    Sign,
    parsed::{Case, Parsed, Side},
};
use crate::findings::{FindingCode, Weight};

pub(super) fn signs(files: &[Parsed<'_>]) -> Vec<Sign> {
    let mut signs = Vec::new();
    for file in files {
        let (Some(language), Some(after)) = (file.language, &file.after) else { continue };
        if after.cases.is_empty() || !file.is_test() {
            continue;
        }
        signs.extend(copies(files, file, language, after));
        signs.extend(shadowed(language, file, after));
        let replaces = |side: &Side<'_>| replaced_modules(&side.tokens);
        let replaces_more = file.before.as_ref().is_none_or(|before| replaces(after) > replaces(before));
        for case in &after.cases {
            let new = file.before.as_ref().is_none_or(|before| {
                source::spend(before.cases.len());
                let whole = |side: &Side<'_>, case: &Case| source::normal(&side.tokens[case.test.test_range()]);
                let same = |old: &&Case| old.test.name == case.test.name && whole(before, old) == whole(after, case);
                replaces_more || !before.cases.iter().any(|old| same(&old))
            });
            if !new {
                continue;
            }
            if let Some((name, line)) = mocked(language, after, case) {
                let message = format!("`{}` replaces `{name}` and then tests what it put in its place", case.test.name);
                signs.push(Sign::new(FindingCode::TestsACopy, Weight::Warning, file.path, message).at(line));
            }
        }
    }
    signs
}

/// Counts the modules that a file of JavaScript replaces.
fn replaced_modules(tokens: &[source::Token<'_>]) -> usize {
    let mocks = |three: &&[source::Token<'_>]| {
        matches!(three[0].text, "jest" | "vi") && three[1].is(".") && matches!(three[2].text, "mock" | "doMock")
    };
    tokens.windows(3).filter(mocks).count()
}

/// Classes and functions of Python that take the place of what the file imports under the same name.
fn shadowed(language: Language, file: &Parsed<'_>, after: &Side<'_>) -> Option<Sign> {
    if language != Language::Python {
        return None;
    }
    let tokens = &after.tokens;
    // Each name with the place at which it is imported first.
    let mut imported: BTreeMap<&str, usize> = BTreeMap::new();
    for (at, from) in tokens.iter().enumerate().filter(|(_, token)| token.is("from") && token.first) {
        let line = tokens[at..].iter().take_while(|token| token.line == from.line);
        for name in line.skip_while(|token| !token.is("import")).filter(|token| token.kind != Kind::Text) {
            imported.entry(name.text).or_insert(at);
        }
    }
    let imported = |name: &str, before: usize| imported.get(name).is_some_and(|at| *at < before);
    let defined = tokens.windows(2).enumerate().find(|(at, pair)| {
        let outermost = pair[0].first && pair[0].column == 0;
        let begins = pair[0].is("class") || pair[0].is("def");
        outermost && begins && file.is_new_line(pair[0].line) && imported(pair[1].text, *at)
    });
    let (_, pair) = defined?;
    let message = format!("`{}` takes the place of what the file imports under this name", pair[1].text);
    Some(Sign::new(FindingCode::TestsACopy, Weight::Warning, file.path, message).at(pair[0].line))
}

/// Functions that a file of tests defines anew although the product has them, and that its tests call.
fn copies(files: &[Parsed<'_>], file: &Parsed<'_>, language: Language, after: &Side<'_>) -> Vec<Sign> {
    let product: BTreeSet<String> = files
        .iter()
        .filter(|other| !other.is_test() && other.language == Some(language))
        .filter_map(|other| other.after.as_ref())
        .flat_map(|side| source::functions(language, &side.tokens))
        .filter(|function| function.body.len() >= 2)
        .map(|function| function.name)
        .collect();
    let before: BTreeSet<String> = file
        .before
        .iter()
        .flat_map(|before| source::functions(language, &before.tokens))
        .map(|function| function.name)
        .collect();
    let own = source::functions(language, &after.tokens);
    let copied = own.iter().filter(|function| {
        let name = function.name.as_str();
        // Names that every file has.
        let usual = matches!(
            name,
            "new"
                | "main"
                | "setup"
                | "setUp"
                | "run"
                | "default"
                | "init"
                | "__init__"
                | "constructor"
                | "String"
                | "toString"
        );
        !usual
            && product.contains(name)
            && !before.contains(name)
            // A method of a double stands in a class of its own; a copy stands alone.
            && is_outermost(language, after, function)
            && after.cases.iter().any(|case| calls(after, case, name))
    });
    copied
        .map(|function| {
            let message =
                format!("its tests call a copy of `{}` that stands in the file, and not the product's", function.name);
            Sign::new(FindingCode::TestsACopy, Weight::Warning, file.path, message).at(function.line)
        })
        .collect()
}

fn is_outermost(language: Language, side: &Side<'_>, function: &source::Function) -> bool {
    match language {
        // Java has no functions outside of classes.
        Language::Java | Language::CSharp => true,
        Language::Python | Language::Ruby | Language::JavaScript | Language::Go | Language::Php => {
            let first = side.tokens[..=function.head.start].iter().rev().find(|token| token.first);
            first.is_some_and(|token| token.column == 0)
        }
        Language::Rust | Language::C => side.tokens[..function.head.start]
            .iter()
            .rev()
            .take(400)
            .all(|token| !token.is("impl") && !token.is("trait")),
    }
}

/// Tells whether an assertion calls a method of this very object.
fn called_on(side: &Side<'_>, case: &Case, object: &str, method: &str) -> bool {
    case.assertions.iter().any(|assertion| {
        side.tokens[assertion.range.clone()]
            .windows(4)
            .any(|four| four[0].is(object) && four[1].is(".") && four[2].is(method) && four[3].is("("))
    })
}

fn calls(side: &Side<'_>, case: &Case, name: &str) -> bool {
    side.tokens[case.test.body.clone()].windows(2).any(|pair| pair[0].is(name) && pair[1].is("("))
}

/// Finds a function that a test replaces and calls itself in what it asserts.
fn mocked(language: Language, side: &Side<'_>, case: &Case) -> Option<(String, u32)> {
    let head = &side.tokens[case.test.head.clone()];
    let body = &side.tokens[case.test.body.clone()];
    let mut names: Vec<(String, u32)> = Vec::new();
    let mut add = |name: &str, line: u32| {
        let last = name.rsplit(['.', '/', ':']).next().unwrap_or(name);
        if last.len() > 2 {
            names.push((last.to_owned(), line));
        }
    };
    match language {
        Language::Python => {
            for tokens in [head, body] {
                for (at, token) in tokens.iter().enumerate() {
                    let open = tokens.get(at + 1).is_some_and(|next| next.is("("));
                    if !open {
                        continue;
                    }
                    match token.text {
                        "patch" | "setattr" => {
                            let first = tokens.get(at + 2).filter(|first| first.kind == Kind::Text);
                            let second = || tokens[at + 2..].iter().take(8).find(|token| token.kind == Kind::Text);
                            if let Some(name) = first.or_else(second) {
                                add(name.inner(), token.line);
                            }
                        }
                        "object" => {
                            if let Some(name) = tokens[at + 2..].iter().take(8).find(|token| token.kind == Kind::Text) {
                                add(name.inner(), token.line);
                            }
                        }
                        _ => {}
                    }
                }
            }
            // `cart = MagicMock()`, then `cart.total.return_value = 5`.
            for window in body.windows(5) {
                if window[1].is(".") && window[3].is(".") && matches!(window[4].text, "return_value" | "side_effect") {
                    let double = body
                        .windows(3)
                        .any(|three| three[0].is(window[0].text) && three[1].is("=") && three[2].text.contains("Mock"));
                    if double && called_on(side, case, window[0].text, window[2].text) {
                        add(window[2].text, window[2].line);
                    }
                }
            }
            // `app.total = lambda …`, `app.total = Mock(…)`, in the test or above it.
            for window in side.tokens.windows(5) {
                let replaced =
                    window[1].is(".") && window[3].is("=") && matches!(window[4].text, "lambda" | "Mock" | "MagicMock");
                if replaced {
                    add(window[2].text, window[2].line);
                }
            }
        }
        Language::JavaScript => {
            for (at, token) in body.iter().enumerate() {
                let open = body.get(at + 1).is_some_and(|next| next.is("("));
                if open && matches!(token.text, "spyOn" | "stub" | "replace" | "method") {
                    let close =
                        body[at..].iter().position(|token| token.is(")")).map_or(body.len(), |close| at + close);
                    let implemented = token.is("stub")
                        || body[close..]
                            .iter()
                            .take(4)
                            .any(|token| token.text.starts_with("mock") || token.is("returns"));
                    let implemented =
                        implemented || token.is("method") && body[at..close].iter().any(|token| token.is("=>"));
                    if let Some(name) =
                        body[at..close].iter().find(|token| token.kind == Kind::Text).filter(|_| implemented)
                    {
                        add(name.inner(), token.line);
                    }
                }
            }
            // `Cart.prototype.total = () => 5`, wherever it stands.
            for window in side.tokens.windows(6) {
                if window[1].is(".") && window[2].is("prototype") && window[3].is(".") && window[5].is("=") {
                    add(window[4].text, window[4].line);
                }
            }
            for window in body.windows(5) {
                let replaced = window[1].is(".")
                    && window[3].is("=")
                    && (window[4].is("(") || matches!(window[4].text, "jest" | "vi" | "sinon" | "function"));
                if replaced && window[0].text != "this" {
                    add(window[2].text, window[2].line);
                }
            }
            // `jest.mock('../src/cart', () => ({ total: () => 3 }))` and calls of `total`.
            let all = &side.tokens;
            for (at, window) in all.windows(4).enumerate() {
                let mocks = matches!(window[0].text, "jest" | "vi")
                    && window[1].is(".")
                    && matches!(window[2].text, "mock" | "doMock")
                    && window[3].is("(");
                let relative =
                    all.get(at + 4).is_some_and(|path| path.kind == Kind::Text && path.inner().starts_with('.'));
                if !(mocks && relative) {
                    continue;
                }
                let close = all[at + 3..].iter().scan(0_i32, |depth, token| {
                    match token.text {
                        "(" if token.kind == Kind::Sign => *depth += 1,
                        ")" if token.kind == Kind::Sign => *depth -= 1,
                        _ => {}
                    }
                    (*depth > 0).then_some(())
                });
                let inside = &all[at + 3..(at + 3 + close.count()).min(all.len())];
                for pair in inside.windows(2).filter(|pair| pair[0].kind == Kind::Word && pair[1].is(":")) {
                    add(pair[0].text, window[0].line);
                }
            }
        }
        Language::Java => {
            for (at, token) in body.iter().enumerate() {
                // `new Cart() { int total() { … } }`.
                if token.is("new")
                    && let Some(open) =
                        body[at..].windows(2).take(40).position(|pair| pair[0].is(")") && pair[1].is("{"))
                {
                    let inside = body[at + open + 1..].windows(4).take(40);
                    for four in inside.filter(|four| four[0].kind == Kind::Word && four[2].is("(") && four[3].is(")")) {
                        add(four[1].text, token.line);
                    }
                }
                if matches!(token.text, "when" | "given")
                    && body.get(at + 1).is_some_and(|next| next.is("("))
                    && let Some(name) =
                        body[at + 2..].windows(2).take(8).find(|pair| pair[0].kind == Kind::Word && pair[1].is("("))
                {
                    add(name[0].text, token.line);
                }
            }
        }
        _ => {}
    }
    // Asserting on the very call that was replaced.
    let asserted = |name: &str| {
        case.assertions.iter().any(|assertion| {
            assertion.sides.iter().any(|side_range| {
                side.tokens[side_range.clone()].windows(2).any(|pair| pair[0].is(name) && pair[1].is("("))
            })
        }) || body.windows(5).any(|window| {
            // `got = app.total(…)`, asserted below.
            window[0].kind == Kind::Word
                && (window[1].is("=") || window[1].is(":="))
                && window[2..].windows(2).any(|pair| pair[0].is(name) && pair[1].is("("))
        })
    };
    names.into_iter().find(|(name, _)| asserted(name))
}
