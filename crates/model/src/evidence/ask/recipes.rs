//! What a wrapper runs: the recipe of a Makefile's target, of a justfile, a Taskfile, a script of a package or of a shell. A
//! recipe is only read here, never run.

use std::collections::BTreeMap;

use super::{DEPTH_MAX, Folders, runners, wrappers};

/// Runners that are asked by their environment or write by themselves, and so also where a wrapper starts them.
const ASKED_BEHIND_WRAPPERS: [&str; 9] = [
    "pytest",
    "unittest",
    "RSpec",
    "prove",
    "Robot Framework",
    "cargo test",
    "node --test",
    "Maven Surefire",
    "Gradle",
];

/// How the tests of a command become known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// Test by test, from what this runner writes.
    ByName(&'static str),
    /// Only by what is printed; with the command that its recipe runs, where that could be read.
    Printed { behind: Option<String> },
}

/// Where results would go: a command is only looked at here.
const NOWHERE: Folders<'static> = Folders { results: "results", helpers: "helpers" };

/// The commands of one recipe.
#[derive(Debug, Default)]
struct Recipe {
    lines: Vec<String>,
    /// Whether anything else belongs to it, such as another target that comes first.
    has_more: bool,
}

/// Tells how the tests of a command become known. `read` gives the text of a file of the work tree.
#[must_use]
pub fn seen(argv: &[String], read: &dyn Fn(&str) -> Option<String>) -> Seen {
    if let Some((name, _)) = super::ask(argv, NOWHERE, read).runner {
        return Seen::ByName(name);
    }
    let mut found = Vec::new();
    runners_behind(argv, read, 0, &mut found);
    match found.iter().find(|(name, _)| !ASKED_BEHIND_WRAPPERS.contains(name)) {
        Some((_, command)) => Seen::Printed { behind: Some(command.clone()) },
        None => found.first().map_or(Seen::Printed { behind: None }, |(name, _)| Seen::ByName(name)),
    }
}

/// Returns the one command that a wrapper runs; `None` where it runs several, or where that cannot be read plainly.
#[must_use]
pub fn command_behind(argv: &[String], read: &dyn Fn(&str) -> Option<String>) -> Option<Vec<String>> {
    let mut words = argv.to_vec();
    for _ in 0..DEPTH_MAX {
        let Some(recipe) = recipe(&words, read) else { break };
        let [line] = recipe.lines.as_slice() else { return None };
        if recipe.has_more || line.contains(SIGNS) {
            return None;
        }
        words = shlex::split(line)?;
    }
    (words != argv).then_some(words)
}

/// What only a shell understands.
const SIGNS: [char; 13] = ['|', ';', '&', '$', '`', '<', '>', '(', ')', '*', '?', '\n', '{'];

/// Collects the runners that the recipes behind a command start, with the command of each.
fn runners_behind(
    argv: &[String],
    read: &dyn Fn(&str) -> Option<String>,
    depth: usize,
    found: &mut Vec<(&'static str, String)>,
) {
    let lines = match wrappers::shell(argv) {
        Some((_, script)) => vec![script.to_owned()],
        None => recipe(argv, read).map(|recipe| recipe.lines).unwrap_or_default(),
    };
    for part in lines.iter().flat_map(|line| line.split(['|', ';', '&', '\n'])) {
        let Some(words) = shlex::split(part.trim()) else { continue };
        // Variables that a line sets for its command.
        let words: Vec<String> = words.into_iter().skip_while(|word| is_assignment(word)).collect();
        let program = wrappers::program(&words).unwrap_or(0);
        match words.get(program..).and_then(|words| runners::find(words, NOWHERE)) {
            Some(runner) => found.push((runner.name, part.trim().to_owned())),
            None if depth < DEPTH_MAX && !words.is_empty() => runners_behind(&words, read, depth + 1, found),
            None => {}
        }
    }
}

fn is_assignment(word: &str) -> bool {
    word.split_once('=')
        .is_some_and(|(name, _)| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'))
}

/// Finds the recipe of a command that names one.
fn recipe(argv: &[String], read: &dyn Fn(&str) -> Option<String>) -> Option<Recipe> {
    let argv = &argv[wrappers::program(argv)?..];
    let word = argv.first()?;
    let program = word.rsplit('/').next().unwrap_or(word);
    let rest: Vec<&str> = argv[1..].iter().map(String::as_str).collect();
    let first_of = |names: &[&str]| names.iter().find_map(|name| read(name));
    // Options may name another folder, another file or other values.
    let only = || match rest.as_slice() {
        [name] if !name.starts_with('-') && !name.contains('=') => Some(*name),
        _ => None,
    };
    match program {
        "make" | "gmake" => of_makefile(&first_of(&["GNUmakefile", "makefile", "Makefile"])?, only()?),
        "just" => of_justfile(&first_of(&["justfile", "Justfile", ".justfile"])?, only()?),
        "task" | "go-task" => {
            of_taskfile(&first_of(&["Taskfile.yml", "taskfile.yml", "Taskfile.yaml", "taskfile.yaml"])?, only()?)
        }
        "composer" => {
            let name = rest.iter().find(|word| !matches!(**word, "run" | "run-script"))?;
            of_scripts(&read("composer.json")?, name)
        }
        "tox" => of_tox(&read("tox.ini")?),
        "sh" | "bash" | "dash" | "zsh" if rest.len() == 1 => Some(of_shell(&read(rest[0])?)),
        _ => match wrappers::package_script(argv) {
            Some(script) => of_scripts(&read("package.json")?, &script.name),
            None if word.contains('/') => {
                let text = read(word.trim_start_matches("./")).filter(|text| text.starts_with("#!"))?;
                let shell = text.lines().next().is_some_and(|line| line.trim_end().ends_with("sh"));
                shell.then(|| of_shell(&text))
            }
            None => None,
        },
    }
}

/// Reads a target of a Makefile; its variables are put in where the file says what they are.
fn of_makefile(text: &str, target: &str) -> Option<Recipe> {
    let text = text.replace("\\\n", " ");
    let mut variables: BTreeMap<String, String> = BTreeMap::new();
    let mut recipe: Option<Recipe> = None;
    let mut inside = false;
    let exports = exports(&text);
    for line in text.lines() {
        if let Some(command) = line.strip_prefix('\t') {
            if let Some(recipe) = recipe.as_mut().filter(|_| inside) {
                recipe.lines.push(command.trim().trim_start_matches(['@', '-', '+']).trim().to_owned());
            }
            continue;
        }
        if line.trim().is_empty() || line.trim_start().starts_with('#') {
            continue;
        }
        inside = false;
        if let Some((name, value)) = line.split_once('=') {
            let name = name.trim_end_matches([':', '?', '+']).trim();
            if !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
                variables.entry(name.to_owned()).or_insert_with(|| value.trim().to_owned());
                continue;
            }
        }
        let Some((names, rest)) = line.split_once(':') else { continue };
        if names.split_whitespace().any(|name| name == target) {
            let (before, command) = rest.trim_start_matches(':').split_once(';').unwrap_or((rest, ""));
            let recipe = recipe.get_or_insert_default();
            recipe.has_more |= exports || !before.trim().is_empty();
            recipe.lines.extend(Some(command.trim().to_owned()).filter(|command| !command.is_empty()));
            inside = true;
        }
    }
    let mut recipe = recipe?;
    for line in &mut recipe.lines {
        for (name, value) in &variables {
            *line = line.replace(&format!("$({name})"), value).replace(&format!("${{{name}}}"), value);
        }
    }
    Some(recipe)
}

/// Tells whether a file hands variables to its recipes, or takes in another file.
fn exports(text: &str) -> bool {
    let begins = ["export ", ".EXPORT_ALL_VARIABLES", "include ", "-include ", "set dotenv", "set export", "import "];
    text.lines().any(|line| begins.iter().any(|begin| line.starts_with(begin)))
}

/// Reads a recipe of a justfile: the lines below it that are indented.
fn of_justfile(text: &str, name: &str) -> Option<Recipe> {
    let mut lines = text.lines();
    let head = lines.find(|line| {
        let named = line.trim_start_matches('@').split([' ', ':']).next() == Some(name);
        named && line.contains(':') && !line.contains(":=")
    })?;
    let body = lines.take_while(|line| line.is_empty() || line.starts_with([' ', '\t']));
    let body = body.map(|line| line.trim().trim_start_matches(['@', '-']).to_owned());
    let lines = body.filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    let has_more = exports(text) || head.rsplit_once(':').is_some_and(|(_, needs)| !needs.trim().is_empty());
    Some(Recipe { lines, has_more })
}

/// Reads a task of a Taskfile.
fn of_taskfile(text: &str, name: &str) -> Option<Recipe> {
    let file = crate::yaml::mapping(text).ok()?;
    let task = file.get("tasks")?.get(name)?;
    let commands = task.get("cmds").or_else(|| task.get("cmd")).unwrap_or(task);
    let has = |at: &serde_json::Value, name: &str| at.get(name).is_some();
    let has_more = ["deps", "env", "dotenv", "dir", "vars"].iter().any(|name| has(task, name))
        || ["env", "dotenv", "includes"].iter().any(|name| file.contains_key(*name));
    Some(Recipe { lines: texts(commands)?, has_more })
}

/// Reads a script of `package.json` or `composer.json`.
fn of_scripts(text: &str, name: &str) -> Option<Recipe> {
    let manifest: serde_json::Value = serde_json::from_str(text).ok()?;
    let lines = texts(manifest.get("scripts")?.get(name)?)?;
    // `@php x` and `@other` are Composer's own words.
    let lines = lines.into_iter().map(|line| line.trim_start_matches("@php ").to_owned()).collect();
    Some(Recipe { lines, has_more: false })
}

/// Reads a command, or a list of commands.
fn texts(value: &serde_json::Value) -> Option<Vec<String>> {
    let text = |value: &serde_json::Value| {
        value.as_str().or_else(|| value.get("cmd").and_then(serde_json::Value::as_str)).map(str::to_owned)
    };
    match value {
        serde_json::Value::Array(all) => all.iter().map(text).collect(),
        one => Some(vec![text(one)?]),
    }
}

/// Reads the commands of tox: those of all its environments. It runs them in environments of its own.
fn of_tox(text: &str) -> Option<Recipe> {
    let mut lines = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        let continued = line.starts_with([' ', '\t']);
        let key = line.split_once('=').filter(|_| !continued).map(|(name, value)| (name.trim(), value));
        match key {
            Some((name, value)) => {
                inside = name == "commands";
                lines.extend(Some(value).filter(|_| inside).map(str::to_owned));
            }
            None if continued && inside => lines.push(line.to_owned()),
            None => inside = false,
        }
    }
    let own = |line: &str| line.trim().replace("{posargs}", "").trim().to_owned();
    let lines: Vec<String> = lines.iter().map(|line| own(line)).filter(|line| !line.is_empty()).collect();
    (!lines.is_empty()).then_some(Recipe { lines, has_more: true })
}

fn of_shell(text: &str) -> Recipe {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let lines = lines.filter(|line| !line.starts_with("set ")).map(|line| line.trim_start_matches("exec ").to_owned());
    Recipe { lines: lines.collect(), has_more: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str) -> Option<String> {
        let text = match path {
            "Makefile" => {
                "PYTHON ?= python3\n.PHONY: test\ntest:\n\t@$(PYTHON) -m unittest -v\njs:\n\tnode --test test/\nboth: build\n\tpytest -q\n\tjest --ci\nlater: build\n\tpytest\nthrough:\n\tnpm test\nnone:\n\t./none\nset:\n\tCI=1 npx jest | tee log\ngo:\n\tgo test ./...\n"
            }
            "justfile" => {
                "set shell := ['sh']\n\n# Tests.\ntest *args:\n    @vitest run {{args}}\n\nunit: lint\n  pytest\n"
            }
            "Taskfile.yml" => "version: 3\ntasks:\n  test:\n    cmds:\n      - go test ./...\n  py: pytest -q\n",
            "package.json" => r#"{"scripts": {"test": "mocha", "unit": "node --test"}}"#,
            "composer.json" => r#"{"scripts": {"test": ["@php vendor/bin/phpunit"], "lint": "x"}}"#,
            "tox.ini" => "[testenv]\ndeps =\n  pytest\ncommands =\n  pytest {posargs}\n[testenv:lint]\nskip = 1\n",
            "scripts/test" => "#!/usr/bin/env bash\nset -e\ncd api\nexec python3 -m pytest -q\n",
            "GNUmakefile" => return None,
            "run.sh" => "set -e\nbun test\n",
            _ => return None,
        };
        Some(text.to_owned())
    }

    fn how(command: &str) -> Seen {
        seen(&shlex::split(command).unwrap(), &file)
    }

    #[test]
    fn wrappers_are_looked_through() {
        let printed = |behind: &str| Seen::Printed { behind: Some(behind.to_owned()) };
        for (command, expected) in [
            ("pytest -q", Seen::ByName("pytest")),
            ("make test", Seen::ByName("unittest")),
            ("make js", Seen::ByName("node --test")),
            ("make both", printed("jest --ci")),
            ("make later", Seen::ByName("pytest")),
            ("make through", printed("mocha")),
            ("make set", printed("CI=1 npx jest")),
            ("make none", Seen::Printed { behind: None }),
            ("make", Seen::Printed { behind: None }),
            ("make -C x test", Seen::Printed { behind: None }),
            ("just test", printed("vitest run {{args}}")),
            ("just unit", Seen::ByName("pytest")),
            ("task test", printed("go test ./...")),
            ("task py", Seen::ByName("pytest")),
            ("npm test", Seen::ByName("mocha")),
            ("composer test", printed("vendor/bin/phpunit")),
            ("composer run-script test", printed("vendor/bin/phpunit")),
            ("tox run -e py", Seen::ByName("pytest")),
            ("scripts/test", Seen::ByName("pytest")),
            ("./scripts/test", Seen::ByName("pytest")),
            ("sh run.sh", printed("bun test")),
            ("sh -c 'pytest | tee log'", Seen::ByName("pytest")),
            ("./other --all", Seen::Printed { behind: None }),
        ] {
            assert_eq!(how(command), expected, "{command}");
        }
    }

    #[test]
    fn a_recipe_of_one_plain_command_is_that_command() {
        let behind =
            |command: &str| command_behind(&shlex::split(command).unwrap(), &file).map(|words| words.join(" "));
        assert_eq!(behind("make test").as_deref(), Some("python3 -m unittest -v"));
        assert_eq!(behind("make through").as_deref(), Some("mocha"));
        assert_eq!(behind("make go").as_deref(), Some("go test ./..."));
        for command in ["make both", "make later", "make set", "just test", "make nothing", "pytest", "scripts/test"] {
            assert_eq!(behind(command), None, "{command}");
        }
    }
}
