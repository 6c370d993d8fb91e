//! What the environment lacks, where a command shows that it lacks something: that says nothing about anybody's work.

use std::collections::BTreeSet;

use super::CommandReceipt;
use crate::{command, text};

/// The exit code of a shell, and of what calls like one, for a program that is not there.
const NOT_FOUND: i32 = 127;

/// The longest command that a reason shows, in characters.
const SHOWN_COMMAND_MAX: usize = 120;

/// The most characters of a name that is shown.
const NAME_MAX: usize = 80;

/// Says what the environment lacks for a command: a program, a module, a script of its own. `product` has the names of files
/// and folders that patches changed: what is missing of those is somebody's work.
pub(super) fn lacks(command: &CommandReceipt, product: &BTreeSet<String>) -> Option<String> {
    let shown = || text::code(&text::truncate(&command::join(&command.argv), SHOWN_COMMAND_MAX));
    let trouble = command.trouble.as_deref();
    let what = if command.exit_code.is_none() && trouble.is_some_and(|why| why.contains("was not found")) {
        text::code(command.argv.first()?)
    } else if matches!(command.exit_code, None | Some(0)) || command.tests.is_some_and(|tests| tests.failed > 0) {
        // Tests that ran and failed say more than what they printed.
        return None;
    } else if let Some(module) = own_module(command) {
        format!("the module {}", text::code(module))
    } else if let Some(named) = command.output_tail.lines().rev().take(60).find_map(missing) {
        let name = named.name();
        let first = name.split(['.', '/']).find(|part| !part.is_empty()).unwrap_or(name);
        if product.contains(first) || product.contains(name) {
            return None;
        }
        named.described()
    } else if command.exit_code == Some(NOT_FOUND) {
        shown()
    } else {
        return None;
    };
    Some(format!(
        "the environment lacks {what}: install it before the work begins, with `setup` in the configuration or with \
         `workflow.setup`"
    ))
}

/// Returns the module that the command itself names, where Python does not have it.
fn own_module(command: &CommandReceipt) -> Option<&str> {
    let module = command.argv.iter().skip_while(|word| *word != "-m").nth(1)?;
    command.output_tail.contains(&format!("No module named {module}")).then_some(module.as_str())
}

/// Something that a line says is missing.
enum Missing<'a> {
    Program(&'a str),
    Module(&'a str),
    Script(&'a str),
}

impl<'a> Missing<'a> {
    fn name(&self) -> &'a str {
        match self {
            Self::Program(name) | Self::Module(name) | Self::Script(name) => name,
        }
    }

    fn described(&self) -> String {
        let name = text::code(&text::truncate(&text::terminal(self.name()), NAME_MAX));
        match self {
            Self::Program(_) => format!("the program {name}"),
            Self::Module(_) => format!("the module {name}"),
            Self::Script(_) => format!("the script or target {name}"),
        }
    }
}

/// Reads what a line says is missing, as shells, make, package managers and interpreters say it.
fn missing(line: &str) -> Option<Missing<'_>> {
    let line = line.trim();
    let bare = |name: &str| !name.is_empty() && !name.contains(char::is_whitespace) && name.len() < 200;
    let program = |name: &str| name.rsplit(['/', '\'', '"', '`', '‘']).next().is_some_and(bare);
    // `sh: 1: pytest: not found`, `bash: line 1: pytest: command not found`, `make: pytest: No such file or directory`.
    let shells = ["sh: ", "bash: ", "/bin/sh: ", "dash: ", "make: ", "make[1]: ", "env: ", "/usr/bin/env: ", "xargs: "];
    if shells.iter().any(|shell| line.starts_with(shell)) {
        for end in [": not found", ": command not found", ": No such file or directory"] {
            if let Some(rest) = line.strip_suffix(end) {
                let name = rest.rsplit(": ").next()?.trim_matches(['\'', '"', '`', '‘', '’']);
                return program(name).then_some(Missing::Program(name));
            }
        }
    }
    if let Some(name) = line.strip_prefix("zsh: command not found: ") {
        return program(name).then_some(Missing::Program(name));
    }
    if let Some(rest) = line.strip_prefix("error: no such command: ") {
        return quoted(rest).map(Missing::Program);
    }
    if let Some((before, _)) = line.split_once(": executable file not found in ") {
        return quoted(before.rsplit_once("exec: ").map_or(before, |(_, name)| name)).map(Missing::Program);
    }
    // `npm error Missing script: "test"`, `make: *** No rule to make target 'test'.  Stop.`
    for sign in ["Missing script: ", "No rule to make target ", "Missing script "] {
        if let Some((_, rest)) = line.split_once(sign) {
            return quoted(rest).map(Missing::Script);
        }
    }
    for sign in ["ModuleNotFoundError: No module named ", "Cannot find module ", "Cannot find package "] {
        if let Some((_, rest)) = line.split_once(sign) {
            return quoted(rest).filter(|name| bare(name) && !name.starts_with(['.', '/'])).map(Missing::Module);
        }
    }
    let (_, rest) = line.split_once("cannot load such file -- ")?;
    let name = rest.split(' ').next()?;
    (bare(name) && !name.starts_with(['.', '/'])).then_some(Missing::Module(name))
}

/// Returns what stands in the first quotation marks.
fn quoted(text: &str) -> Option<&str> {
    let text = text.trim();
    let open = text.find(['\'', '"', '`', '‘'])?;
    let inside = &text[open..];
    let inside = inside.strip_prefix(['\'', '"', '`', '‘'])?;
    inside.split(['\'', '"', '`', '’']).next().filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::tests::command;

    fn lacking(exit: i32, output: &str) -> Option<String> {
        let mut receipt = command(Some(exit), None);
        receipt.output_tail = output.to_owned();
        let product = ["app", "cart"].map(str::to_owned).into();
        let said = lacks(&receipt, &product)?;
        Some(said.split(": install it").next().unwrap().replace("the environment lacks ", ""))
    }

    #[test]
    fn programs_modules_and_scripts_that_are_not_there_are_named() {
        for (exit, output, what) in [
            (127, "sh: 1: pytest: not found\n", "the program `pytest`"),
            (2, "/bin/sh: 1: jest: not found\nmake: *** [Makefile:2: test] Error 127\n", "the program `jest`"),
            (1, "bash: line 1: go: command not found\n", "the program `go`"),
            (2, "make: pytest: No such file or directory\n", "the program `pytest`"),
            (127, "env: ‘python’: No such file or directory\n", "the program `python`"),
            (101, "error: no such command: `nextest`\n", "the program `nextest`"),
            (1, "npm error Missing script: \"test\"\nnpm error\n", "the script or target `test`"),
            (2, "make: *** No rule to make target 'test'.  Stop.\n", "the script or target `test`"),
            (1, "E   ModuleNotFoundError: No module named 'requests'\n", "the module `requests`"),
            (1, "Error: Cannot find module 'jest'\nRequire stack:\n- /x\n", "the module `jest`"),
            (1, "Error [ERR_MODULE_NOT_FOUND]: Cannot find package 'vitest' imported from /x\n", "the module `vitest`"),
            (1, "cannot load such file -- rspec/core (LoadError)\n", "the module `rspec/core`"),
        ] {
            assert_eq!(lacking(exit, output).as_deref(), Some(what), "{output}");
        }
    }

    #[test]
    fn what_the_product_lacks_is_somebodys_work() {
        for output in [
            "ModuleNotFoundError: No module named 'app.total'\n",
            "Error: Cannot find module './total'\n",
            "Error: Cannot find module '/repo/src/total'\n",
            "sh: 1: cart: not found\n",
            "AssertionError: 1 != 2\n",
            "FileNotFoundError: No such file or directory\n",
        ] {
            assert_eq!(lacking(1, output), None, "{output}");
        }
        let mut receipt = command(Some(1), Some((1, 1, 0)));
        receipt.output_tail = "sh: 1: tool: not found\n".to_owned();
        assert_eq!(lacks(&receipt, &BTreeSet::new()), None, "a test ran and failed");
    }
}
