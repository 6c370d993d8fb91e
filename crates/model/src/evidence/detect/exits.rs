//! Code that ends the process, that looks whether a test runs it, or that prints what a runner prints.

use std::{collections::BTreeSet, ops::Range};

use super::{
    super::source::{self, Kind, Language, Token},
    Sign,
    knows::{forged, knows},
    parsed::{Parsed, Side},
    programs::{Child, is_in_child, is_program, is_script, signal_handlers, under_main},
};
use crate::findings::{FindingCode, Weight};

pub(super) fn signs(files: &[Parsed<'_>]) -> Vec<Sign> {
    let mut signs = Vec::new();
    for file in files {
        let (Some(language), Some(after)) = (file.language, &file.after) else { continue };
        let mut innermost = after.innermost();
        let in_cases = after.in_cases();
        let aliases = aliases_of_exits(language, &after.tokens);
        let whole = Whole::new(language, file, after);
        for at in file.new_tokens() {
            let tokens = &after.tokens;
            let line = tokens[at].line;
            source::spend(1);
            if let Some(exit) = exit(language, tokens, at, &aliases)
                && let Some((weight, message)) = weigh(&whole, at, &exit, innermost.at(at))
            {
                signs.push(Sign::new(FindingCode::ExitInCode, weight, file.path, message).at(line));
            }
            if !file.is_test()
                && !in_cases[at]
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

fn exit(language: Language, tokens: &[Token<'_>], at: usize, aliases: &BTreeSet<&str>) -> Option<Exit> {
    if tokens[at].kind != Kind::Word {
        return None;
    }
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
    if tokens[at].kind == Kind::Word
        && text(1) == "("
        && !matches!(before, "." | "as" | "def" | "fn" | "func" | "function" | ":" | "::")
        && aliases.contains(text(0))
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

/// The names of functions that end a process.
const ENDS: [&str; 6] = ["exit", "_exit", "_Exit", "abort", "kill", "reallyExit"];

fn ends(name: &str) -> bool {
    ENDS.contains(&name)
}

/// Returns the names that a file gives to ways of ending the process: `use std::process::exit as leave`,
/// `from os import _exit as done`, `const { exit } = require('process')`.
fn aliases_of_exits<'a>(language: Language, tokens: &[Token<'a>]) -> BTreeSet<&'a str> {
    source::spend(tokens.len());
    let renamed = tokens.windows(3).filter(|three| {
        let named = three[2].kind == Kind::Word && three[2].text.len() > 1;
        named && ends(three[0].text) && matches!(three[1].text, "as" | ":")
    });
    let mut aliases: BTreeSet<&str> = renamed.map(|three| three[2].text).collect();
    let is_process =
        |token: &Token<'_>| token.kind == Kind::Text && matches!(token.inner(), "process" | "node:process");
    if language == Language::JavaScript && tokens.iter().any(is_process) {
        aliases.extend(ENDS);
    }
    aliases
}

/// What is found out once for all exits of a file.
struct Whole<'f, 'a> {
    language: Language,
    file: &'f Parsed<'a>,
    side: &'f Side<'a>,
    /// Whether the file is a program or a script, and no library.
    is_program: bool,
    /// The functions that are given to a signal.
    handlers: BTreeSet<&'f str>,
    /// What stands under `if __name__ == "__main__":`.
    under_main: Vec<Range<usize>>,
}

impl<'f, 'a> Whole<'f, 'a> {
    fn new(language: Language, file: &'f Parsed<'a>, side: &'f Side<'a>) -> Self {
        let tokens = &side.tokens;
        Self {
            language,
            file,
            side,
            is_program: is_program(language, file.path, tokens) || is_script(language, side),
            handlers: signal_handlers(tokens),
            under_main: if language == Language::Python { under_main(tokens) } else { Vec::new() },
        }
    }

    fn is_under_main(&self, at: usize) -> bool {
        source::spend(self.under_main.len());
        self.under_main.iter().any(|range| range.contains(&at))
    }
}

/// Says how much an exit weighs where it stands, or that it is where programs end.
fn weigh(whole: &Whole<'_, '_>, at: usize, exit: &Exit, inner: Option<&source::Function>) -> Option<(Weight, String)> {
    let (tokens, shown) = (&whole.side.tokens, &exit.shown);
    // `os.Exit(m.Run())` is how a TestMain ends.
    if inner.is_some_and(|function| function.name == "TestMain") {
        return None;
    }
    let in_child = is_in_child(whole.language, whole.side, at, inner);
    if in_child == Child::Surely {
        return None;
    }
    if whole.file.is_test() {
        let expected = tokens[..at]
            .iter()
            .rev()
            .take(30)
            .any(|token| matches!(token.text, "SystemExit" | "raises" | "assertRaises"));
        return (!whole.is_under_main(at) && !expected).then(|| {
            (
                Weight::Blocking,
                format!("a test ends the process (`{shown}`), so that its runner cannot tell how tests ended"),
            )
        });
    }
    if exit.hard {
        let weight = if in_child == Child::Maybe { Weight::Warning } else { Weight::Blocking };
        return Some((weight, format!("`{shown}` ends the process at once, that of a test runner as well")));
    }
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
    let handles_a_signal = inner.is_some_and(|function| whole.handlers.contains(function.name.as_str()));
    if whole.is_program || named || signal || handles_a_signal || whole.is_under_main(at) {
        return None;
    }
    let outside = inner.is_none();
    let weight = if (outside || exit.success) && in_child == Child::No { Weight::Blocking } else { Weight::Warning };
    Some((weight, format!("`{shown}` in code of the product ends the process, that of a test runner as well")))
}
