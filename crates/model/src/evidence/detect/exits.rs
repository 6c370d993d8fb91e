//! Code that ends the process, that looks whether a test runs it, or that prints what a runner prints.

use super::{
    super::source::{self, Kind, Language, Token},
    Sign,
    knows::{forged, knows},
    parsed::Parsed,
};
use crate::findings::{FindingCode, Weight};

pub(super) fn signs(files: &[Parsed<'_>]) -> Vec<Sign> {
    let mut signs = Vec::new();
    for file in files {
        let (Some(language), Some(after)) = (file.language, &file.after) else { continue };
        let functions = source::functions(language, &after.tokens);
        for at in file.new_tokens() {
            let tokens = &after.tokens;
            let line = tokens[at].line;
            if let Some(exit) = exit(language, tokens, at) {
                source::spend(functions.len());
                let inner = functions.iter().rfind(|function| function.body.contains(&at));
                if let Some((weight, message)) = weigh(language, file, tokens, at, &exit, inner) {
                    signs.push(Sign::new(FindingCode::ExitInCode, weight, file.path, message).at(line));
                }
            }
            source::spend(1 + after.cases.len());
            if !file.is_test()
                && !after.cases.iter().any(|case| case.test.body.contains(&at))
                && let Some(how) = knows(language, tokens, at)
            {
                let message = format!("it looks whether a test runs it: `{how}`");
                signs.push(Sign::new(FindingCode::KnowsTheTests, Weight::Warning, file.path, message).at(line));
            }
            if tokens[at].kind == Kind::Text
                && let Some(runner) = forged(tokens[at].inner())
            {
                let message = format!("it holds the closing words of a test runner ({runner})");
                signs.push(Sign::new(FindingCode::ForgedResults, Weight::Warning, file.path, message).at(line));
            }
        }
    }
    signs
}

/// A way to end the process.
struct Exit {
    shown: String,
    /// Whether nothing can catch it, and nothing runs after it.
    hard: bool,
    /// Whether it says that all is well.
    success: bool,
}

fn exit(language: Language, tokens: &[Token<'_>], at: usize) -> Option<Exit> {
    let text = |offset: usize| tokens.get(at + offset).map_or("", |token| token.text);
    let inner = |offset: usize| tokens.get(at + offset).map_or("", Token::inner);
    let before = at.checked_sub(1).map_or("", |before| tokens[before].text);
    // What hangs on the global object is the same thing.
    let global = before == "." && at > 1 && matches!(tokens[at - 2].text, "globalThis" | "global" | "window" | "self");
    let call = |length: usize, hard: bool| {
        let argument = text(length + 1);
        let shown = source::normal(&tokens[at..at + length]).replace(' ', "");
        // What ends everything at once does so from a timer or a handler as well.
        let called = text(length) == "(" || (hard && matches!(text(length), ")" | "," | ";"));
        called.then_some(Exit { shown, hard, success: matches!(argument, "0" | ")" | "None" | "true") })
    };
    let dotted = |receiver: &str, name: &str| {
        text(0) == receiver && matches!(text(1), "." | "?.") && text(2) == name && (before != "." || global)
    };
    let ends = |name: &str| matches!(name, "exit" | "_exit" | "_Exit" | "abort" | "kill" | "reallyExit");
    if tokens[at].kind == Kind::Word
        && text(1) == "("
        && !matches!(before, "." | "as" | "def" | "fn" | "func" | "function" | ":" | "::")
        && is_alias_of_exit(language, tokens, text(0), ends)
    {
        return call(1, false);
    }
    match language {
        Language::Python => {
            if matches!(text(0), "getattr" | "vars") && matches!(text(2), "os" | "sys") && ends(inner(4)) {
                return call(1, true);
            }
            if text(0) == "_exit" && before == "." || dotted("signal", "raise_signal") || dotted("os", "killpg") {
                return call(if before == "." { 1 } else { 3 }, true);
            }
            if text(0) == "os" && text(1) == "." && (text(2).starts_with("exec") || text(2).starts_with("_exit")) {
                return call(3, true);
            }
            if dotted("os", "_exit") || dotted("os", "abort") || dotted("os", "execv") || dotted("os", "execvp") {
                return call(3, true);
            }
            if dotted("os", "kill") && text(4) == "os" && text(6) == "getpid" {
                return call(3, true);
            }
            if dotted("sys", "exit") {
                return call(3, false);
            }
            let alone = !matches!(before, "." | "def" | "import" | ",");
            if matches!(text(0), "exit" | "quit") && alone && tokens[at].first {
                return call(1, false);
            }
            if text(0) == "_exit" && alone {
                return call(1, true);
            }
            (text(0) == "SystemExit" && before == "raise").then(|| Exit {
                shown: "raise SystemExit".to_owned(),
                hard: false,
                success: text(1) != "(" || matches!(text(2), "0" | ")" | "None"),
            })
        }
        Language::JavaScript => {
            if text(0) == "process" && text(1) == "[" && ends(inner(2)) && text(3) == "]" {
                return call(4, inner(2) != "exit");
            }
            if dotted("process", "reallyExit") || dotted("process", "abort") {
                return call(3, true);
            }
            if dotted("process", "kill") && text(4) == "process" && text(6) == "pid" {
                return call(3, true);
            }
            if dotted("process", "exit") || dotted("Deno", "exit") {
                return call(3, false);
            }
            None
        }
        Language::Go => {
            if ["syscall", "unix"].iter().any(|of| ["Exit", "Kill", "Exec"].iter().any(|name| dotted(of, name))) {
                return call(3, true);
            }
            if dotted("os", "Exit") {
                return call(3, false);
            }
            dotted("runtime", "Goexit").then(|| call(3, true)).flatten()
        }
        Language::Rust => {
            if text(0) == "process" && text(1) == "::" && matches!(text(2), "exit" | "abort") {
                return call(3, text(2) == "abort");
            }
            if matches!(text(0), "_exit" | "_Exit") {
                return call(1, true);
            }
            (text(0) == "exit" && !matches!(before, "." | "fn" | "::")).then(|| call(1, false)).flatten()
        }
        Language::Java => {
            if dotted("System", "exit") || text(0) == "exitProcess" {
                return if text(0) == "System" { call(3, false) } else { call(1, false) };
            }
            let of_runtime = || tokens[at.saturating_sub(4)..at].iter().any(|token| token.is("getRuntime"));
            if text(0) == "exit" && before == "." && of_runtime() {
                return call(1, false);
            }
            (text(0) == "halt" && before == ".").then(|| call(1, true)).flatten()
        }
        Language::CSharp => (dotted("Environment", "Exit") || dotted("Environment", "FailFast"))
            .then(|| call(3, text(2) == "FailFast"))
            .flatten(),
        Language::Php => matches!(text(0), "exit" | "die").then(|| Exit {
            shown: text(0).to_owned(),
            hard: false,
            success: text(2) == "0" || text(1) == ";",
        }),
        Language::Ruby => {
            let statement = tokens[at].first || before == "then";
            if text(0) == "exit" && statement {
                return Some(Exit { shown: "exit".to_owned(), hard: text(1) == "!", success: text(2) != "1" });
            }
            None
        }
        Language::C => (matches!(text(0), "exit" | "_exit" | "_Exit" | "quick_exit") && before != ".")
            .then(|| call(1, text(0) != "exit"))
            .flatten(),
    }
}

/// Tells whether a name is one that the file gives to a way of ending the process: `use std::process::exit as leave`,
/// `from os import _exit as done`, `const { exit } = require('process')`.
fn is_alias_of_exit(language: Language, tokens: &[Token<'_>], name: &str, ends: impl Fn(&str) -> bool) -> bool {
    let renamed = tokens.windows(3).any(|three| {
        ends(three[0].text) && matches!(three[1].text, "as" | ":") && three[2].is(name) && three[2].kind == Kind::Word
    });
    let of_process = || {
        language == Language::JavaScript
            && ends(name)
            && tokens
                .iter()
                .any(|token| token.kind == Kind::Text && matches!(token.inner(), "process" | "node:process"))
    };
    (renamed && name.len() > 1) || of_process()
}

/// Says how much an exit weighs where it stands, or that it is where programs end.
fn weigh(
    language: Language,
    file: &Parsed<'_>,
    tokens: &[Token<'_>],
    at: usize,
    exit: &Exit,
    inner: Option<&source::Function>,
) -> Option<(Weight, String)> {
    let shown = &exit.shown;
    // `os.Exit(m.Run())` is how a TestMain ends.
    if inner.is_some_and(|function| function.name == "TestMain") {
        return None;
    }
    if file.is_test() {
        let guarded = language == Language::Python && under_main(tokens, at);
        let expected = tokens[..at]
            .iter()
            .rev()
            .take(30)
            .any(|token| matches!(token.text, "SystemExit" | "raises" | "assertRaises"));
        return (!guarded && !expected).then(|| {
            (
                Weight::Blocking,
                format!("a test ends the process (`{shown}`), so that its runner cannot tell how tests ended"),
            )
        });
    }
    if exit.hard {
        return Some((Weight::Blocking, format!("`{shown}` ends the process at once, that of a test runner as well")));
    }
    let program = is_program(language, file.path, tokens);
    let named = inner.is_some_and(|function| {
        let lower = function.name.to_ascii_lowercase();
        [
            "main",
            "cli",
            "usage",
            "die",
            "fatal",
            "cmd",
            "command",
            "parse_args",
            "parseargs",
            "shutdown",
            "terminate",
            "handle_signal",
            "fail",
            "bail",
            "exit",
        ]
        .iter()
        .any(|word| lower.contains(word))
    });
    let signal = tokens[..at].iter().rev().take(40).any(|token| {
        matches!(token.inner(), "SIGTERM" | "SIGINT" | "uncaughtException" | "unhandledRejection")
            || token.text.starts_with("SIG")
    });
    let handles_a_signal = inner.is_some_and(|function| {
        tokens.windows(2).enumerate().any(|(at, pair)| {
            matches!(pair[0].text, "signal" | "on" | "once" | "Notify") && pair[1].is("(") && {
                let given = tokens[at..].iter().take(12);
                let given: Vec<&str> = given.map(|token| token.text).collect();
                given.contains(&function.name.as_str()) && given.iter().any(|word| word.contains("SIG"))
            }
        })
    });
    if program || named || signal || handles_a_signal || (language == Language::Python && under_main(tokens, at)) {
        return None;
    }
    let outside = inner.is_none();
    let weight = if outside || exit.success { Weight::Blocking } else { Weight::Warning };
    Some((weight, format!("`{shown}` in code of the product ends the process, that of a test runner as well")))
}

fn under_main(tokens: &[Token<'_>], at: usize) -> bool {
    let guard = tokens[..at].iter().rposition(|token| token.is("__name__"));
    guard.is_some_and(|guard| {
        tokens[guard..at].iter().all(|token| {
            !token.first
                || token.column
                    > tokens[..=guard].iter().rev().find(|token| token.first).map_or(0, |token| token.column)
        })
    })
}

/// Tells whether a file is a program and no library, by its place and by what it reads.
fn is_program(language: Language, path: &str, tokens: &[Token<'_>]) -> bool {
    let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
    let stem = name.split('.').next().unwrap_or(name);
    let place = folders.split('/').any(|folder| {
        matches!(folder, "cli" | "cmd" | "bin" | "scripts" | "script" | "tools" | "commands" | "command" | "console")
    }) || matches!(
        stem,
        "main"
            | "cli"
            | "__main__"
            | "manage"
            | "setup"
            | "program"
            | "Main"
            | "Program"
            | "Cli"
            | "CLI"
            | "server"
            | "build"
            | "noxfile"
            | "gulpfile"
    );
    let word = |names: &[&str]| {
        tokens
            .iter()
            .any(|token| names.contains(&token.text) || (token.kind == Kind::Text && names.contains(&token.inner())))
    };
    let reads = match language {
        Language::Python => word(&["argparse", "click", "typer", "argv", "docopt", "optparse", "fire"]),
        Language::JavaScript => {
            word(&["argv", "commander", "yargs", "minimist", "parseArgs", "cac", "meow"])
                || tokens.first().is_some_and(|token| token.is("#"))
        }
        Language::Go => tokens.windows(2).any(|pair| pair[0].is("package") && pair[1].is("main")) || word(&["cobra"]),
        Language::Rust => {
            word(&["clap", "Parser", "structopt", "argh"])
                || tokens.windows(3).any(|three| three[0].is("env") && three[1].is("::") && three[2].is("args"))
        }
        Language::Java => {
            word(&["picocli", "CommandLine"])
                || tokens.windows(5).any(|five| five[0].is("static") && five[2].is("main"))
        }
        _ => false,
    };
    place || reads
}
