//! Tests of a copy or of a mock of what they should test.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::{
    super::source::{self, Kind, Language, Token},
    Sign,
    parsed::{Case, Parsed, Side},
};
use crate::findings::{FindingCode, Weight};

pub(super) fn signs(files: &[Parsed<'_>]) -> Vec<Sign> {
    let mut signs = Vec::new();
    let product = product_functions(files);
    for file in files {
        let (Some(language), Some(after)) = (file.language, &file.after) else { continue };
        if after.cases.is_empty() || !file.is_test() {
            continue;
        }
        signs.extend(copies(&product, file, language, after));
        signs.extend(shadowed(language, file, after));
        let replaces = |side: &Side<'_>| replaced_modules(&side.tokens);
        let replaces_more = file.before.as_ref().is_none_or(|before| replaces(after) > replaces(before));
        let whole = |side: &Side<'_>, case: &Case| source::normal(&side.tokens[case.test.test_range()]);
        let old: HashSet<(&str, String)> = file
            .before
            .iter()
            .flat_map(|before| before.cases.iter().map(|case| (case.test.name.as_str(), whole(before, case))))
            .collect();
        let of_file = replaced_in_file(language, &after.tokens);
        for case in &after.cases {
            if !replaces_more && old.contains(&(case.test.name.as_str(), whole(after, case))) {
                continue;
            }
            if let Some((name, line)) = mocked(language, after, case, &of_file) {
                let message = format!("`{}` replaces `{name}` and then tests what it put in its place", case.test.name);
                signs.push(Sign::new(FindingCode::TestsACopy, Weight::Warning, file.path, message).at(line));
            }
        }
    }
    signs
}

/// Counts the modules that a file of JavaScript replaces.
fn replaced_modules(tokens: &[Token<'_>]) -> usize {
    let mocks = |three: &&[Token<'_>]| {
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

/// Returns the functions of the product of each language.
fn product_functions<'f>(files: &'f [Parsed<'_>]) -> Vec<(Language, HashSet<&'f str>)> {
    let mut product: Vec<(Language, HashSet<&str>)> = Vec::new();
    for file in files.iter().filter(|file| !file.is_test()) {
        let (Some(language), Some(after)) = (file.language, &file.after) else { continue };
        let names = after.functions.iter().filter(|function| function.body.len() >= 2);
        let names = names.map(|function| function.name.as_str());
        match product.iter_mut().find(|(of, _)| *of == language) {
            Some((_, known)) => known.extend(names),
            None => product.push((language, names.collect())),
        }
    }
    product
}

/// Functions that a file of tests defines anew although the product has them, and that its tests call.
fn copies(product: &[(Language, HashSet<&str>)], file: &Parsed<'_>, language: Language, after: &Side<'_>) -> Vec<Sign> {
    let Some((_, product)) = product.iter().find(|(of, _)| *of == language) else { return Vec::new() };
    let before: BTreeSet<&str> =
        file.before.iter().flat_map(|before| &before.functions).map(|function| function.name.as_str()).collect();
    let called = after.called_by_cases();
    let copied = after.functions.iter().filter(|function| {
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
            && called.contains(name)
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
    source::spend(400);
    match language {
        // Java has no functions outside of classes.
        Language::Java | Language::CSharp => true,
        Language::Python | Language::Ruby | Language::JavaScript | Language::Go | Language::Php => {
            let line = side.tokens[..=function.head.start].iter().rev();
            let first = line.inspect(|_| source::spend(1)).find(|token| token.first);
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

/// Finds a function that a test replaces and calls itself in what it asserts.
fn mocked(language: Language, side: &Side<'_>, case: &Case, of_file: &HashMap<&str, u32>) -> Option<(String, u32)> {
    let head = &side.tokens[case.test.head.clone()];
    let body = &side.tokens[case.test.body.clone()];
    let mut names: Vec<(String, u32)> = Vec::new();
    let mut add = |name: &str, line: u32| {
        let last = last_name(name);
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
            let doubles = body.windows(3).filter(|three| three[1].is("=") && three[2].text.contains("Mock"));
            let doubles: HashSet<&str> = doubles.map(|three| three[0].text).collect();
            for window in body.windows(5) {
                if window[1].is(".")
                    && window[3].is(".")
                    && matches!(window[4].text, "return_value" | "side_effect")
                    && doubles.contains(window[0].text)
                    && called_on(side, case, window[0].text, window[2].text)
                {
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
            for window in body.windows(5) {
                let replaced = window[1].is(".")
                    && window[3].is("=")
                    && (window[4].is("(") || matches!(window[4].text, "jest" | "vi" | "sinon" | "function"));
                if replaced && window[0].text != "this" {
                    add(window[2].text, window[2].line);
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
    let asserted = asserted_calls(side, case);
    names.into_iter().find(|(name, _)| asserted.contains(name.as_str())).or_else(|| {
        let known = asserted.iter().filter_map(|name| Some((of_file.get(name)?, name)));
        known.min().map(|(line, name)| ((*name).to_owned(), *line))
    })
}

fn last_name(name: &str) -> &str {
    name.rsplit(['.', '/', ':']).next().unwrap_or(name)
}

/// Returns the names that a test calls in what it asserts, or whose answer it keeps: `got = app.total(…)`, asserted below.
fn asserted_calls<'a>(side: &Side<'a>, case: &Case) -> HashSet<&'a str> {
    let mut called = HashSet::new();
    let calls = |pair: &[Token<'a>]| pair[0].kind != Kind::Text && pair[1].is("(");
    for range in case.assertions.iter().flat_map(|assertion| &assertion.sides) {
        let pairs = side.tokens[range.clone()].windows(2);
        called.extend(pairs.filter(|pair| calls(pair)).map(|pair| pair[0].text));
    }
    for window in side.tokens[case.test.body.clone()].windows(5) {
        if window[0].kind == Kind::Word && (window[1].is("=") || window[1].is(":=")) {
            called.extend(window[2..].windows(2).filter(|pair| calls(pair)).map(|pair| pair[0].text));
        }
    }
    called
}

/// Returns what a file replaces for all of its tests, each name with the line of its first place.
fn replaced_in_file<'a>(language: Language, tokens: &[Token<'a>]) -> HashMap<&'a str, u32> {
    let mut names: HashMap<&str, u32> = HashMap::new();
    let mut add = |name: &'a str, line: u32| {
        let last = last_name(name);
        if last.len() > 2 {
            names.entry(last).or_insert(line);
        }
    };
    match language {
        // `app.total = lambda …`, `app.total = Mock(…)`.
        Language::Python => {
            for window in tokens.windows(5) {
                let replaced =
                    window[1].is(".") && window[3].is("=") && matches!(window[4].text, "lambda" | "Mock" | "MagicMock");
                if replaced {
                    add(window[2].text, window[2].line);
                }
            }
        }
        Language::JavaScript => {
            // `Cart.prototype.total = () => 5`.
            for window in tokens.windows(6) {
                if window[1].is(".") && window[2].is("prototype") && window[3].is(".") && window[5].is("=") {
                    add(window[4].text, window[4].line);
                }
            }
            // `jest.mock('../src/cart', () => ({ total: () => 3 }))` and calls of `total`.
            for (at, window) in tokens.windows(5).enumerate() {
                let mocks = matches!(window[0].text, "jest" | "vi")
                    && window[1].is(".")
                    && matches!(window[2].text, "mock" | "doMock")
                    && window[3].is("(");
                let relative = window[4].kind == Kind::Text && window[4].inner().starts_with('.');
                if !(mocks && relative) {
                    continue;
                }
                let close = source::closing(tokens, at + 3).unwrap_or(tokens.len());
                for pair in tokens[at + 3..close].windows(2) {
                    if pair[0].kind == Kind::Word && pair[1].is(":") {
                        add(pair[0].text, window[0].line);
                    }
                }
            }
        }
        _ => {}
    }
    names
}
