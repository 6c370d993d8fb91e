//! Assertions and parts of a runner that are replaced. It blocks only where what is replaced is surely the test library's:
//! by the object that it hangs on, by the class it stands in, or because the file is one of the tests.

use super::{
    super::source::{self, Function, Kind, Language, Token},
    Sign,
    parsed::{Parsed, Side},
    programs::is_program,
};
use crate::findings::{FindingCode, Weight};

const CODE: FindingCode = FindingCode::TestsTampered;

pub(super) fn signs(language: Language, file: &Parsed<'_>, after: &Side<'_>) -> Vec<Sign> {
    let mut signs = Vec::new();
    let tokens = &after.tokens;
    source::spend(16 * tokens.len());
    let mut found = |at: usize, weight: Weight, message: String| {
        if file.is_new_line(tokens[at].line) {
            signs.push(Sign::new(CODE, weight, file.path, message).at(tokens[at].line));
        }
    };
    let is_program = language == Language::JavaScript && is_program(language, file.path, tokens);
    let place = Place { file, tokens, is_program, is_test: file.is_test() || !after.cases.is_empty() };
    let begins = |at: &usize| tokens[*at].kind == Kind::Word || tokens[*at].text == ")";
    for at in (0..tokens.len()).filter(begins) {
        let weight = match language {
            Language::Python => in_python(&place, at),
            Language::JavaScript => in_javascript(&place, at),
            Language::Rust => {
                let text = |offset: usize| tokens.get(at + offset).map_or("", |token| token.text);
                let replaced = text(0) == "macro_rules"
                    && text(1) == "!"
                    && matches!(text(2), "assert" | "assert_eq" | "assert_ne" | "panic");
                replaced.then_some(Weight::Blocking)
            }
            _ => None,
        };
        if let Some(weight) = weight {
            let shown = source::normal(&tokens[at..(at + 5).min(tokens.len())]);
            found(at, weight, format!("it replaces a part of the test library: `{shown}`"));
        }
    }
    if language == Language::Java
        && let Some(at) = class_of_assertions(after)
    {
        let shown = source::normal(&tokens[at..at + 2]);
        found(at, Weight::Blocking, format!("it replaces a part of the test library: `{shown}`"));
    }
    for function in &after.functions {
        let Some(weight) = never_fails(language, &place, after, function) else { continue };
        let at = function.signature.start.saturating_sub(1);
        found(at, weight, format!("it defines an assertion of its own that never fails: `{}`", function.name));
    }
    signs
}

/// Where something is replaced.
struct Place<'f, 'a> {
    file: &'f Parsed<'a>,
    tokens: &'f [Token<'a>],
    /// Whether the file is a program of JavaScript, and no library.
    is_program: bool,
    /// Whether the file is one of the tests.
    is_test: bool,
}

/// Names that every program of Python has, and by which tests and runners ask and fail. What is called otherwise was not
/// there before, so that nothing is replaced by it.
const BUILTINS: [&str; 44] = [
    "abs",
    "all",
    "any",
    "bool",
    "bytes",
    "callable",
    "compile",
    "dict",
    "dir",
    "enumerate",
    "eval",
    "exec",
    "exit",
    "filter",
    "float",
    "format",
    "frozenset",
    "getattr",
    "hasattr",
    "hash",
    "id",
    "int",
    "isinstance",
    "issubclass",
    "iter",
    "len",
    "list",
    "map",
    "max",
    "min",
    "next",
    "object",
    "open",
    "print",
    "quit",
    "repr",
    "round",
    "set",
    "sorted",
    "str",
    "sum",
    "tuple",
    "type",
    "zip",
];

fn is_builtin(name: &str) -> bool {
    BUILTINS.contains(&name)
        || name.starts_with("__")
        || ["Error", "Exception", "Exit"].iter().any(|end| name.ends_with(end))
}

fn in_python(place: &Place<'_, '_>, at: usize) -> Option<Weight> {
    let tokens = place.tokens;
    let text = |offset: usize| tokens.get(at + offset).map_or("", |token| token.text);
    let inner = |offset: usize| tokens.get(at + offset).map_or("", Token::inner);
    // `X.name = …`, of a library of tests.
    let set = text(1) == "." && text(3) == "=" && tokens[at].kind == Kind::Word;
    let name = text(2);
    let of_library = set
        && (text(0) == "TestCase"
            && (name.starts_with("assert") || matches!(name, "run" | "__call__" | "fail" | "debug"))
            || matches!(
                text(0),
                "unittest"
                    | "TestLoader"
                    | "TestSuite"
                    | "TestProgram"
                    | "pytest"
                    | "_pytest"
                    | "TestResult"
                    | "TextTestResult"
                    | "TextTestRunner"
            )
            || text(0) == "builtins" && is_builtin(name)
            || text(0) == "sys" && name == "exit"
            // A hook that writes down what nobody caught is usual, and one that drops it is not.
            || text(0) == "sys" && name == "excepthook" && text(4) == "lambda");
    let gone = text(0) == "del" && text(2) == "." && text(3).starts_with("test_")
        || set && name.starts_with("test_") && place.file.is_test() && text(0) != "self";
    let by_name = matches!(text(0), "setattr" | "delattr") && text(1) == "(";
    let test_by_name = by_name && place.file.is_test() && (3..7).any(|offset| inner(offset).starts_with("test_"));
    let library_by_name = text(0) == "setattr"
        && by_name
        && ((2..7).any(|offset| matches!(text(offset), "unittest" | "TestCase" | "pytest"))
            || (2..7).any(|offset| text(offset) == "builtins" && is_builtin(inner(offset + 2))));
    let module = text(0) == "modules"
        && text(1) == "["
        && ["unittest", "pytest", "_pytest"].iter().any(|word| text(2).contains(word))
        && text(4) == "=";
    (of_library || gone || test_by_name || library_by_name || module).then_some(Weight::Blocking)
}

/// Modules by which tests of JavaScript assert or run.
const MODULES: [&str; 13] = [
    "assert",
    "node:assert",
    "assert/strict",
    "node:assert/strict",
    "node:test",
    "chai",
    "expect",
    "@jest/globals",
    "vitest",
    "mocha",
    "ava",
    "tape",
    "should",
];

fn in_javascript(place: &Place<'_, '_>, at: usize) -> Option<Weight> {
    const MATCHERS: [&str; 12] = [
        "toBe",
        "toEqual",
        "toStrictEqual",
        "toThrow",
        "toContain",
        "toHaveLength",
        "toMatch",
        "toBeNull",
        "toHaveBeenCalled",
        "toBeTruthy",
        "toBeDefined",
        "toHaveProperty",
    ];
    let tokens = place.tokens;
    let text = |offset: usize| tokens.get(at + offset).map_or("", |token| token.text);
    let inner = |offset: usize| tokens.get(at + offset).map_or("", Token::inner);
    let set = text(1) == "." && text(3) == "=" && tokens[at].kind == Kind::Word;
    let name = text(2);
    // A program that fails says so by another number; one that ends well may say so as well.
    if set && text(0) == "process" && name == "exitCode" {
        let well = matches!(text(4), "0" | "undefined" | "null");
        let weight = if place.is_test { Weight::Blocking } else { Weight::Warning };
        return (well && !place.is_program).then_some(weight);
    }
    let of_library = set
        && (text(0) == "assert" && name != "ok_"
            || matches!(text(0), "test" | "it" | "describe")
                && matches!(name, "test" | "it" | "describe" | "suite" | "only")
            || matches!(text(0), "global" | "globalThis" | "window")
                && matches!(name, "expect" | "it" | "test" | "describe" | "assert" | "jest")
            || text(0) == "Module" && name == "_load"
            || matches!(text(0), "Object" | "Array" | "JSON" | "Reflect" | "Number")
                && matches!(name, "is" | "keys" | "entries" | "isArray" | "stringify" | "ownKeys" | "isNaN")
            || text(0) == "process" && matches!(name, "exit" | "emit" | "reallyExit"));
    let handles = text(0) == "process" && text(1) == "." && matches!(name, "on" | "once" | "addListener");
    let handler = handles
        && (matches!(inner(4), "exit" | "beforeExit") && decides_the_end(tokens, at + 3)
            || matches!(inner(4), "uncaughtException" | "unhandledRejection")
                && (5..14).any(|offset| text(offset) == "{" && text(offset + 1) == "}"));
    let defined = matches!(text(0), "defineProperty" | "assign" | "set" | "setPrototypeOf")
        && text(1) == "("
        && matches!(text(2), "assert" | "expect")
        || text(0) == "assert" && text(1) == "[" && text(3) == "]" && text(4) == "="
        // A parser of the product may expect a token by a function of its own.
        || place.is_test
            && matches!(text(0), "const" | "let" | "var")
            && matches!(text(1), "assert" | "expect" | "should")
            && text(2) == "="
            && matches!(text(3), "new" | "{" | "(" | "function");
    // `require.cache[require.resolve('assert')] = …`. What is deleted is only loaded anew.
    let of_cache = text(0) == "require" && text(1) == "." && name == "cache" && text(3) == "[";
    let cached = of_cache && (4..12).any(|offset| MODULES.contains(&inner(offset)));
    let extended = text(0) == "extend"
        && text(1) == "("
        && (2..60).any(|offset| MATCHERS.contains(&text(offset)) && matches!(text(offset + 1), ":" | "("));
    let of_module =
        text(0) == ")" && text(1) == "." && text(3) == "=" && at > 2 && MODULES.contains(&tokens[at - 1].inner());
    (of_library || handler || defined || cached || extended || of_module).then_some(Weight::Blocking)
}

/// Tells whether what is called at the end of a process, from the bracket of `on(…)`, decides how it ends: in its place, or
/// by the name of a function, which nobody follows but by what it is called.
fn decides_the_end(tokens: &[Token<'_>], open: usize) -> bool {
    let close = source::closing(tokens, open).unwrap_or(tokens.len());
    source::spend(close - open);
    let arguments = &tokens[open.min(close)..close];
    let named = arguments.get(3).filter(|name| name.kind == Kind::Word && arguments.len() == 4);
    let decides = |tokens: &[Token<'_>]| {
        tokens.iter().any(|token| matches!(token.text, "exitCode" | "reallyExit" | "abort"))
            || tokens.windows(3).any(|three| {
                three[0].is("process") && three[1].is(".") && matches!(three[2].text, "exit" | "kill" | "emit")
            })
    };
    match named {
        None => decides(arguments),
        // The function stands in this file, or it says nothing about this patch.
        Some(name) => tokens.windows(2).enumerate().any(|(at, pair)| {
            let defines =
                (pair[0].is("function") || matches!(pair[0].text, "const" | "let" | "var")) && pair[1].is(name.text);
            defines && {
                let body = (at..tokens.len().min(at + 20)).find(|at| tokens[*at].is("{"));
                let end = body.and_then(|body| source::closing(tokens, body));
                body.zip(end).is_some_and(|(body, end)| decides(&tokens[body..end]))
            }
        }),
    }
}

/// Finds a class of Java or Kotlin that has the name of a library's and asserts as it does. A class of a product that has
/// only the name is another thing.
fn class_of_assertions(after: &Side<'_>) -> Option<usize> {
    let at = after
        .tokens
        .windows(2)
        .position(|pair| pair[0].is("class") && matches!(pair[1].text, "Assert" | "Assertions" | "Assertion"))?;
    after.functions.iter().any(|function| JUNIT.contains(&function.name.as_str())).then_some(at)
}

const JUNIT: [&str; 7] =
    ["assertEquals", "assertTrue", "assertFalse", "assertThrows", "assertNotNull", "assertNull", "assertSame"];

const UNITTEST: [&str; 18] = [
    "assertEqual",
    "assertNotEqual",
    "assertTrue",
    "assertFalse",
    "assertIs",
    "assertIsNone",
    "assertIsNotNone",
    "assertIn",
    "assertRaises",
    "assertAlmostEqual",
    "assertGreater",
    "assertLess",
    "assertListEqual",
    "assertDictEqual",
    "assertRegex",
    "assertCountEqual",
    "fail",
    "assertMultiLineEqual",
];

/// Finds a function of the name of an assertion that never fails, and says how much it weighs.
fn never_fails(language: Language, place: &Place<'_, '_>, after: &Side<'_>, function: &Function) -> Option<Weight> {
    let (tokens, name) = (place.tokens, function.name.as_str());
    let own = match language {
        Language::Python => UNITTEST.contains(&name),
        Language::JavaScript => matches!(name, "expect" | "assert" | "strictEqual" | "deepEqual"),
        Language::Java => JUNIT.contains(&name),
        Language::Go | Language::Rust => {
            place.file.is_test()
                && ["assert", "require", "check", "expect", "must"]
                    .iter()
                    .any(|start| name.to_ascii_lowercase().starts_with(start))
        }
        _ => false,
    };
    if !own {
        return None;
    }
    let body = &tokens[function.body.clone()];
    source::spend(body.len());
    let raises = |token: &Token<'_>| {
        token.kind == Kind::Word
            && matches!(
                token.text,
                "raise"
                    | "throw"
                    | "panic"
                    | "super"
                    | "Error"
                    | "Errorf"
                    | "Fatal"
                    | "Fatalf"
                    | "unwrap"
                    | "Err"
                    | "Helper"
            )
    };
    let fails = body.iter().any(raises) || !source::assertions(language, tokens, function.body.clone()).is_empty();
    let helper = matches!(language, Language::Go | Language::Rust);
    if fails && (helper || body.len() > 3) || helper && !returns_nothing(language, tokens, function) {
        return None;
    }
    let of_library = match language {
        Language::Python => place.is_test || stands_in_a_test_class(after, function),
        Language::JavaScript => place.is_test,
        _ => true,
    };
    match (of_library, name) {
        (true, _) => Some(Weight::Blocking),
        // A job of the product can fail.
        (false, "fail") => None,
        (false, _) => Some(Weight::Warning),
    }
}

/// Tells whether a method of Python stands in a class that is one of tests, by what it inherits.
fn stands_in_a_test_class(after: &Side<'_>, function: &Function) -> bool {
    let lines = std::iter::successors(Some(function.head.start), |line| after.outer.get(*line).copied().flatten());
    let class = lines.skip(1).find(|line| after.tokens[*line].is("class"));
    class.is_some_and(|class| {
        let mut head = after.tokens[class..].iter().take_while(|token| !token.is(":"));
        head.any(|token| token.text.contains("TestCase") || token.is("unittest"))
    })
}

/// Tells whether a function gives nothing back, so that its name can only mean that it asserts.
fn returns_nothing(language: Language, tokens: &[Token<'_>], function: &Function) -> bool {
    let signature = &tokens[function.signature.clone()];
    match language {
        Language::Rust => !signature.iter().any(|token| token.is("->")),
        _ => signature.last().is_some_and(|token| token.is(")")),
    }
}
