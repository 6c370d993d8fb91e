//! Where programs end: in their main part, in a handler of a signal, in a process that they forked. An exit there is not about
//! tests.

use std::{collections::BTreeSet, ops::Range};

use super::{
    super::source::{self, Kind, Language, Token},
    parsed::Side,
};

/// Whether an exit ends a process that was forked, and not the one that runs the tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Child {
    Surely,
    /// Something was forked before, and nobody can tell whose branch this is.
    Maybe,
    No,
}

/// Tells in which process an exit stands, by what was forked before it in the same function.
pub(super) fn is_in_child(language: Language, side: &Side<'_>, at: usize, inner: Option<&source::Function>) -> Child {
    let tokens = &side.tokens;
    // Without a function a fork stands near its branches.
    let from = inner.map_or(at.saturating_sub(200), |function| function.body.start);
    source::spend(at - from);
    let forked = tokens[from..at]
        .windows(2)
        .rposition(|pair| matches!(pair[0].text, "fork" | "forkpty" | "pcntl_fork" | "fork1") && pair[1].is("("));
    let Some(fork) = forked.map(|forked| from + forked) else { return Child::No };
    let is_of_child = |condition: &[Token<'_>]| {
        condition.windows(2).any(|pair| matches!(pair[0].text, "==" | "===") && pair[1].is("0"))
            || condition.iter().any(|token| token.is("not") || token.is("!"))
    };
    let surely = if language == Language::Python {
        // One of the lines in which the exit stands asks whether this is the child.
        let first = tokens[..=at].iter().rposition(|token| token.first);
        source::spend(first.map_or(0, |first| at - first));
        let lines = std::iter::successors(first, |line| side.outer.get(*line).copied().flatten());
        lines.take_while(|line| *line >= from).filter(|line| tokens[*line].is("if")).any(|line| {
            let condition = tokens[line..].iter().take_while(|token| !token.is(":")).count();
            is_of_child(&tokens[line..line + condition])
        })
    } else {
        tokens[fork..at].iter().any(|token| token.is("if")) && is_of_child(&tokens[fork..at])
    };
    if surely { Child::Surely } else { Child::Maybe }
}

/// Returns the words that are given to something which handles signals.
pub(super) fn signal_handlers<'a>(tokens: &[Token<'a>]) -> BTreeSet<&'a str> {
    let mut names = BTreeSet::new();
    source::spend(tokens.len());
    for (at, pair) in tokens.windows(2).enumerate() {
        if matches!(pair[0].text, "signal" | "on" | "once" | "Notify") && pair[1].text == "(" {
            let given = || tokens[at..].iter().take(12).map(|token| token.text);
            if given().any(|word| word.contains("SIG")) {
                names.extend(given());
            }
        }
    }
    names
}

/// Returns what stands under `if __name__ == …:`: everything up to the next line that is not indented further.
pub(super) fn under_main(tokens: &[Token<'_>]) -> Vec<Range<usize>> {
    source::spend(tokens.len());
    let mut ranges: Vec<Range<usize>> = Vec::new();
    let (mut line, mut open): (usize, Option<(usize, u32)>) = (0, None);
    for (at, token) in tokens.iter().enumerate() {
        if token.first {
            line = at;
            if let Some((begin, _)) = open.filter(|(_, column)| token.column <= *column) {
                ranges.push(begin..at);
                open = None;
            }
        }
        if open.is_none() && token.kind == Kind::Word && token.text == "__name__" {
            open = Some((at, tokens[line].column));
        }
    }
    ranges.extend(open.map(|(begin, _)| begin..tokens.len()));
    ranges
}

/// Tells whether a file of PHP only does something, and declares nothing that a test could load it for.
pub(super) fn is_script(language: Language, side: &Side<'_>) -> bool {
    language == Language::Php
        && side.functions.is_empty()
        && !side.tokens.iter().any(|token| matches!(token.text, "class" | "trait" | "interface" | "enum"))
}

/// Tells whether a file is a program and no library, by its place and by what it reads.
pub(super) fn is_program(language: Language, path: &str, tokens: &[Token<'_>]) -> bool {
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
