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
        let program = command.argv.first()?;
        // A path is one in the repository, which a set-up or somebody's work makes.
        if is_path_of_work(program) {
            return None;
        }
        text::code(program)
    } else if matches!(command.exit_code, None | Some(0)) || command.tests.is_some_and(|tests| tests.failed > 0) {
        // Tests that ran and failed say more than what they printed.
        return None;
    } else if command.missing_own.is_some() {
        return None;
    } else if let Some(named) = named_missing(&command.argv, &command.output_tail) {
        if named.is_of_work() {
            return None;
        }
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

/// Where one command ran, as far as it tells what belongs to the repository.
pub trait WorkTree {
    /// Its folder, as outputs name it.
    fn folder(&self) -> &str;
    /// Tells whether it has a file or a folder of this path.
    fn has(&self, path: &str) -> bool;
    /// The names by which its packages call themselves.
    fn packages(&self) -> &[String];
}

/// Finds what a command's output says is missing, where that belongs to the repository itself: a path in it, or a part of a
/// package of its own. Nobody can install that; somebody's work has to make it.
pub fn missing_of_repository(argv: &[String], output: &str, tree: &impl WorkTree) -> Option<String> {
    let named = named_missing(argv, output)?;
    let name = named.name();
    let inside = name.strip_prefix(tree.folder()).and_then(|rest| rest.strip_prefix('/'));
    let is_own = inside.map_or_else(|| named.is_of_work() || named.is_of_package(tree), is_path_of_work_below);
    is_own.then(|| text::truncate(&text::terminal(inside.unwrap_or(name)), NAME_MAX))
}

/// Folders that package managers fill: what is missing there was not installed.
const INSTALLED: [&str; 8] = ["node_modules", "vendor", ".venv", "venv", "site-packages", ".tox", ".bundle", ".gradle"];

/// Tells whether a relative path can be somebody's work.
fn is_path_of_work_below(path: &str) -> bool {
    !path.split('/').any(|part| INSTALLED.contains(&part))
}

/// Tells whether the name of a program is a path in the repository that can be somebody's work.
fn is_path_of_work(name: &str) -> bool {
    command::is_own_path(name) && is_path_of_work_below(name)
}

fn named_missing<'a>(argv: &'a [String], output: &'a str) -> Option<Missing<'a>> {
    own_module(argv, output).or_else(|| output.lines().rev().take(60).find_map(missing))
}

/// Returns the module that the command itself names, where Python does not have it.
fn own_module<'a>(argv: &'a [String], output: &str) -> Option<Missing<'a>> {
    let module = argv.iter().skip_while(|word| *word != "-m").nth(1)?;
    output.contains(&format!("No module named {module}")).then_some(Missing::Module(module))
}

/// Something that a line says is missing.
#[derive(Clone, Copy)]
enum Missing<'a> {
    Program(&'a str),
    /// A module of Python, whose parts stand between dots.
    Module(&'a str),
    /// A package of another language, whose parts stand between slashes.
    Package(&'a str),
    Script(&'a str),
}

impl<'a> Missing<'a> {
    fn name(self) -> &'a str {
        match self {
            Self::Program(name) | Self::Module(name) | Self::Package(name) | Self::Script(name) => name,
        }
    }

    fn described(self) -> String {
        let name = text::code(&text::truncate(&text::terminal(self.name()), NAME_MAX));
        match self {
            Self::Program(_) => format!("the program {name}"),
            Self::Module(_) | Self::Package(_) => format!("the module {name}"),
            Self::Script(_) => format!("the script or target {name}"),
        }
    }

    /// Tells whether the name alone shows that it is somebody's work: a path, or what a file of the repository defines, as
    /// a Makefile does its targets.
    fn is_of_work(self) -> bool {
        match self {
            Self::Script(_) => true,
            Self::Program(name) => is_path_of_work(name),
            Self::Module(name) | Self::Package(name) => name.starts_with(['.', '/']) && is_path_of_work_below(name),
        }
    }

    /// Tells whether it is a part of a package that the repository has.
    fn is_of_package(self, tree: &impl WorkTree) -> bool {
        let (name, separator) = match self {
            Self::Module(name) => (name, '.'),
            Self::Package(name) => (name, '/'),
            Self::Program(_) | Self::Script(_) => return false,
        };
        let below =
            |package: &String| name.strip_prefix(package).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        if tree.packages().iter().any(below) {
            return true;
        }
        let (first, rest) = name.split_once(separator).map_or((name, None), |(first, rest)| (first, Some(rest)));
        // The name becomes a path: it must not lead anywhere else.
        if first.is_empty() || first.contains(['/', '\\']) || first.starts_with('.') {
            return false;
        }
        ["", "src/", "lib/"].iter().any(|root| {
            let at = |end: &str| tree.has(&format!("{root}{first}{end}"));
            at(".py") || at(".rb") || at("/__init__.py") || (rest.is_some() && at(""))
        })
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
    if let Some((_, rest)) = line.split_once("ModuleNotFoundError: No module named ") {
        return quoted(rest).filter(|name| bare(name)).map(Missing::Module);
    }
    for sign in ["Cannot find module ", "Cannot find package "] {
        if let Some((_, rest)) = line.split_once(sign) {
            return quoted(rest).filter(|name| bare(name)).map(Missing::Package);
        }
    }
    let (_, rest) = line.split_once("cannot load such file -- ")?;
    let name = rest.split(' ').next()?;
    bare(name).then_some(Missing::Package(name))
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
    use crate::{command as commands, gate::tests::command};

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
            (1, "E   ModuleNotFoundError: No module named 'requests'\n", "the module `requests`"),
            (127, "sh: 1: /usr/local/bin/tool: not found\n", "the program `/usr/local/bin/tool`"),
            (127, "sh: 1: node_modules/.bin/jest: not found\n", "the program `node_modules/.bin/jest`"),
            (127, "sh: 1: .venv/bin/pytest: not found\n", "the program `.venv/bin/pytest`"),
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
            "sh: 1: ./bin/cart: not found\n",
            "bash: line 1: scripts/smoke: No such file or directory\n",
            "cannot load such file -- ./lib/total (LoadError)\n",
            "npm error Missing script: \"test\"\nnpm error\n",
            "make: *** No rule to make target 'test'.  Stop.\n",
            "AssertionError: 1 != 2\n",
            "FileNotFoundError: No such file or directory\n",
        ] {
            assert_eq!(lacking(1, output), None, "{output}");
        }
        let mut receipt = command(Some(1), Some((1, 1, 0)));
        receipt.output_tail = "sh: 1: tool: not found\n".to_owned();
        assert_eq!(lacks(&receipt, &BTreeSet::new()), None, "a test ran and failed");
    }

    struct Tree(&'static [&'static str], Vec<String>);

    impl WorkTree for Tree {
        fn folder(&self) -> &str {
            "/slots/1"
        }
        fn has(&self, path: &str) -> bool {
            self.0.contains(&path)
        }
        fn packages(&self) -> &[String] {
            &self.1
        }
    }

    #[test]
    fn a_path_in_the_work_tree_and_a_package_of_its_own_belong_to_the_repository() {
        let tree = Tree(&["shed", "src/till.py", "lib/desk", "socket"], vec!["toolshed".to_owned()]);
        for (argv, output, own) in [
            ("node bin/shed.js", "Error: Cannot find module '/slots/1/bin/shed.js'\n", Some("bin/shed.js")),
            ("node x.js", "Error: Cannot find module '/slots/1/node_modules/jest/x'\n", None),
            ("node x.js", "Error: Cannot find module 'lodash/fp'\n", None),
            ("node x.js", "Error: Cannot find module 'socket.io'\n", None),
            ("node x.js", "Error: Cannot find module 'toolshed/queue'\n", Some("toolshed/queue")),
            ("node x.js", "Error: Cannot find module 'toolshed-extras'\n", None),
            (
                "sh smoke",
                "smoke: 3: /slots/1/bin/shed: not found\nsh: 1: /slots/1/bin/shed: not found\n",
                Some("bin/shed"),
            ),
            ("sh smoke", "sh: 1: /usr/bin/shed: not found\n", None),
            ("python3 -m shed.cli", "/usr/bin/python3: No module named shed.cli\n", Some("shed.cli")),
            ("python3 -m till", "/usr/bin/python3: No module named till\n", Some("till")),
            ("python3 -m shed", "/usr/bin/python3: No module named shed\n", None),
            ("python3 -m pytest", "/usr/bin/python3: No module named pytest\n", None),
            ("ruby x.rb", "cannot load such file -- desk/queue (LoadError)\n", Some("desk/queue")),
            ("ruby x.rb", "cannot load such file -- /slots/1/lib/till (LoadError)\n", Some("lib/till")),
            ("ruby x.rb", "cannot load such file -- ../../etc/till (LoadError)\n", Some("../../etc/till")),
            ("ruby x.rb", "cannot load such file -- rspec/core (LoadError)\n", None),
        ] {
            let argv = commands::split(argv).unwrap();
            assert_eq!(missing_of_repository(&argv, output, &tree).as_deref(), own, "{output}");
        }
    }

    #[test]
    fn a_command_that_lacks_a_part_of_the_repository_failed() {
        let mut receipt = command(Some(1), None);
        receipt.output_tail = "Error: Cannot find module 'bin/shed.js'\n".to_owned();
        assert!(lacks(&receipt, &BTreeSet::new()).is_some());
        receipt.missing_own = Some("bin/shed.js".to_owned());
        assert_eq!(lacks(&receipt, &BTreeSet::new()), None);
        let mut receipt = command(None, None);
        receipt.argv = vec!["./scripts/smoke".to_owned()];
        receipt.trouble = Some("the program `./scripts/smoke` was not found".to_owned());
        assert_eq!(lacks(&receipt, &BTreeSet::new()), None);
    }
}
