//! Verification commands: what of a section or a code block is a command, and what is wrong with it.

use crate::{
    command::{self, Problem},
    diagnostics::Position,
    plan::{VerificationCommand, draft::CommandLine, source::Problems},
};

/// Splits a command into its arguments; what only a shell could run is told, and gives nothing.
pub(super) fn split(line: CommandLine<'_>, problems: &mut Problems<'_>) -> Option<VerificationCommand> {
    let CommandLine { gate, text, at } = line;
    let column = |offset: usize| {
        let characters = text.get(..offset).map_or(0, |before| before.chars().count());
        Position { line: at.line, column: at.column.saturating_add(u32::try_from(characters).unwrap_or(u32::MAX)) }
    };
    if let Some((offset, what)) = crate::text::deceptive(text) {
        let message = format!("there is {what} in this command");
        problems.error("deceptive-character", column(offset), message, "write the command in plain characters");
        return None;
    }
    if let Some((offset, c)) = command::first_wildcard(text) {
        problems.warning(
            "shell-syntax",
            column(offset),
            format!("`{c}` is passed on as it is written: no shell expands it"),
            "quote it when that is meant, or write `sh -c '…'`",
        );
    }
    match command::split(text) {
        Ok(argv) => Some(VerificationCommand { gate, argv, line: at.line }),
        Err(refused) => {
            let code = match refused.kind {
                // A comment is no command, and no mistake either.
                Problem::Nothing => return None,
                Problem::Unprintable => "control-character",
                Problem::Quoting => "bad-quoting",
                Problem::Shell => "shell-syntax",
            };
            problems.error(code, column(refused.offset), refused.message, refused.hint);
            None
        }
    }
}

/// One command of a code block, and the index of the line it begins on.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BlockCommand {
    pub(super) line: usize,
    pub(super) text: String,
    /// How many bytes of the line come before the command.
    pub(super) skipped: usize,
}

/// Tells whether a code block with this info string holds commands.
pub(super) fn is_shell_block(info: Option<&str>) -> bool {
    let language = info
        .unwrap_or_default()
        .split([' ', ',', '{'])
        .next()
        .expect("invariant: a text that is split has a first part")
        .to_ascii_lowercase();
    matches!(
        language.as_str(),
        "" | "sh" | "bash" | "zsh" | "shell" | "console" | "shell-session" | "shellsession" | "terminal"
    )
}

/// Reads the commands of a code block: line by line, a backslash at the end continues, comments and prompts are dropped.
///
/// Where one line has a `$ ` prompt, lines without one are what a command printed.
pub(super) fn of_block<'t>(lines: impl Iterator<Item = &'t str> + Clone) -> Vec<BlockCommand> {
    let has_prompts = lines.clone().any(|line| line.trim_start().starts_with("$ "));
    let mut commands: Vec<BlockCommand> = Vec::new();
    let mut continues = false;
    for (index, line) in lines.enumerate() {
        let trimmed = line.trim();
        if continues {
            continues = trimmed.ends_with('\\');
            if let Some(command) = commands.last_mut() {
                let more = trimmed.strip_suffix('\\').unwrap_or(trimmed).trim();
                command.text.push(' ');
                command.text.push_str(if has_prompts { more.strip_prefix("> ").unwrap_or(more) } else { more });
            }
            continue;
        }
        let text = match trimmed.strip_prefix("$ ") {
            Some(command) => command.trim_start(),
            None if has_prompts => continue,
            None => trimmed,
        };
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        continues = text.ends_with('\\');
        let kept = text.strip_suffix('\\').unwrap_or(text).trim_end();
        commands.push(BlockCommand { line: index, text: kept.to_owned(), skipped: line.trim_end().len() - text.len() });
    }
    commands
}

/// Programs by which a text without any mark is known for a command.
const PROGRAMS: [&str; 78] = [
    "act",
    "ant",
    "aws",
    "bash",
    "bats",
    "bazel",
    "black",
    "bun",
    "bundle",
    "cargo",
    "cdk",
    "clang-tidy",
    "cmake",
    "composer",
    "ctest",
    "curl",
    "deno",
    "docker",
    "docker-compose",
    "dotnet",
    "env",
    "eslint",
    "flake8",
    "git",
    "go",
    "golangci-lint",
    "gradle",
    "hatch",
    "helm",
    "invoke",
    "jest",
    "just",
    "k6",
    "kubectl",
    "lein",
    "make",
    "meson",
    "mix",
    "mvn",
    "mypy",
    "ninja",
    "node",
    "nox",
    "npm",
    "npx",
    "pdm",
    "php",
    "phpunit",
    "pip",
    "pnpm",
    "poetry",
    "pre-commit",
    "prettier",
    "prisma",
    "psql",
    "pyright",
    "pytest",
    "python",
    "python3",
    "rake",
    "rspec",
    "rubocop",
    "ruby",
    "ruff",
    "sam",
    "sbt",
    "sh",
    "shellcheck",
    "stack",
    "swift",
    "task",
    "terraform",
    "tox",
    "tsc",
    "uv",
    "vitest",
    "yarn",
    "zig",
];

/// Words in a command by which it is known to check something and to come to an end.
const CHECKING: [&str; 31] = [
    "test",
    "tests",
    "pytest",
    "jest",
    "vitest",
    "rspec",
    "phpunit",
    "unittest",
    "lint",
    "eslint",
    "ruff",
    "mypy",
    "pyright",
    "clippy",
    "check",
    "typecheck",
    "type-check",
    "tsc",
    "fmt",
    "build",
    "validate",
    "verify",
    "ctest",
    "tox",
    "nox",
    "coverage",
    "e2e",
    "bats",
    "golangci-lint",
    "compileall",
    "vet",
];

/// Words in a command by which it is known never to end by itself.
const STAYING: [&str; 12] =
    ["start", "serve", "server", "dev", "up", "runserver", "watch", "--watch", "uvicorn", "gunicorn", "logs", "-f"];

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split([' ', '\t', ':', '/']).filter(|word| !word.is_empty())
}

/// Tells whether a text that nothing marks as a command looks like one: it begins with a program.
pub(super) fn looks_like_one(text: &str) -> bool {
    let Some(first) = text.split_whitespace().next() else { return false };
    let program = first.rsplit('/').next().expect("invariant: a text that is split has a first part");
    first.starts_with("./")
        || (PROGRAMS.contains(&program) && (program != "task" || text.len() < 40))
        || program.ends_with(".sh")
        || ["gradlew", "mvnw", "manage.py"].contains(&program)
}

/// Tells whether a command plainly checks something: it may stand inside a sentence. Of a chain the last has to.
pub(super) fn checks(text: &str) -> bool {
    let text = chained(text).pop().unwrap_or(text);
    looks_like_one(text) && !stays(text) && words(text).any(|word| CHECKING.contains(&word))
}

/// Splits a chain of commands of which each has to succeed, `a && b`, into its commands. What is in quotation marks stays
/// together.
pub(super) fn chained(text: &str) -> Vec<&str> {
    let (mut parts, mut start, mut quote) = (Vec::new(), 0, None);
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match (quote, c) {
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), _) if open == c => quote = None,
            (None | Some('"'), '\\') => drop(chars.next()),
            (None, '&') if chars.next_if(|(_, next)| *next == '&').is_some() => {
                parts.push(&text[start..at]);
                start = at + 2;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts.into_iter().map(str::trim).collect()
}

/// Tells whether a gate can run a command: without a shell, to its end, and with nothing else running.
pub(super) fn suits_a_gate(text: &str) -> bool {
    command::split(text).is_ok() && !stays(text) && !asks_a_server(text)
}

/// Tells whether a command asks a server on the machine itself, which nobody has started for a gate.
fn asks_a_server(text: &str) -> bool {
    const ASKING: [&str; 11] = ["curl", "wget", "http", "https", "xh", "httpie", "nc", "ab", "hey", "wrk", "grpcurl"];
    const HERE: [&str; 5] = ["localhost", "127.0.0.1", "0.0.0.0", "[::1]", "host.docker.internal"];
    let program = text.split_whitespace().next().unwrap_or_default();
    let is_local = HERE.iter().any(|here| text.contains(here))
        || (program.starts_with("http") && text.split_whitespace().any(|word| word.starts_with(':')));
    ASKING.contains(&program) && is_local
}

/// Tells whether a command would never end by itself, such as a server.
pub(super) fn stays(text: &str) -> bool {
    !words(text).any(|word| CHECKING.contains(&word)) && words(text).skip(1).any(|word| STAYING.contains(&word))
        || words(text).next().is_some_and(|word| matches!(word, "uvicorn" | "gunicorn"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{gate::GateKind, plan::source::Source};

    fn judge(text: &str) -> String {
        let source = Source::new("plan.md", text);
        let mut problems = Problems::new(&source);
        let at = Position { line: 1, column: 1 };
        let command = split(CommandLine { gate: GateKind::Tests, text, at }, &mut problems);
        let problems = problems.into_sorted();
        let told = problems.iter().map(|d| format!(" {}@{}: {}", d.code, d.position.unwrap().column, d.message));
        format!("{:?}{}", command.map(|command| command.argv), told.collect::<String>())
    }

    #[test]
    fn commands_are_split_and_shell_syntax_is_refused() {
        let lines = [
            "cargo test --all  # everything",
            "sh -c 'cd x && make | tee log; echo $HOME'",
            "pytest -k \"a b\" 'c;d' e\\;f",
            "curl http://localhost/?a=1",
            "grep 'a$' \"b$\" x",
            "a && b",
            "a || b",
            "a | b",
            "a ; b",
            "ä a > b",
            "a < b",
            "a &",
            "a 2>&1",
            "a `b`",
            "a \"$(b)\"",
            "a $HOME \"${X}\" '$Y' \\$Z",
            "(a)",
            "pytest tests/test_*.py ~/x",
            "pytest 'tests/*.py'",
            "RUST_LOG=debug cargo test",
            "env RUST_LOG=debug cargo test --a=b",
            "cd x",
            "a 'b",
            "a \\",
            "'' a",
            "# nothing",
        ];
        insta::assert_snapshot!(lines.map(|line| format!("{line}  =>  {}", judge(line))).join("\n"), @r#"
        cargo test --all  # everything  =>  Some(["cargo", "test", "--all"])
        sh -c 'cd x && make | tee log; echo $HOME'  =>  Some(["sh", "-c", "cd x && make | tee log; echo $HOME"])
        pytest -k "a b" 'c;d' e\;f  =>  Some(["pytest", "-k", "a b", "c;d", "e;f"])
        curl http://localhost/?a=1  =>  Some(["curl", "http://localhost/?a=1"])
        grep 'a$' "b$" x  =>  Some(["grep", "a$", "b$", "x"])
        a && b  =>  None shell-syntax@3: `&&` has no meaning without a shell
        a || b  =>  None shell-syntax@3: `||` has no meaning without a shell
        a | b  =>  None shell-syntax@3: `|` has no meaning without a shell
        a ; b  =>  None shell-syntax@3: `;` has no meaning without a shell
        ä a > b  =>  None shell-syntax@5: `>` has no meaning without a shell
        a < b  =>  None shell-syntax@3: `<` has no meaning without a shell
        a &  =>  None shell-syntax@3: `&` has no meaning without a shell
        a 2>&1  =>  None shell-syntax@4: `>` has no meaning without a shell
        a `b`  =>  None shell-syntax@3: a backtick has no meaning without a shell
        a "$(b)"  =>  None shell-syntax@4: `$(` has no meaning without a shell
        a $HOME "${X}" '$Y' \$Z  =>  None shell-syntax@3: the variable behind `$` has no meaning without a shell
        (a)  =>  None shell-syntax@1: `(` has no meaning without a shell
        pytest tests/test_*.py ~/x  =>  Some(["pytest", "tests/test_*.py", "~/x"]) shell-syntax@19: `*` is passed on as it is written: no shell expands it
        pytest 'tests/*.py'  =>  Some(["pytest", "tests/*.py"])
        RUST_LOG=debug cargo test  =>  None shell-syntax@1: an assignment before a command has no meaning without a shell
        env RUST_LOG=debug cargo test --a=b  =>  Some(["env", "RUST_LOG=debug", "cargo", "test", "--a=b"])
        cd x  =>  None shell-syntax@1: `cd` belongs to a shell and does nothing on its own
        a 'b  =>  None bad-quoting@1: a quotation mark or a backslash at the end has no partner
        a \  =>  None bad-quoting@1: a quotation mark or a backslash at the end has no partner
        '' a  =>  None bad-quoting@1: the command has an empty name
        # nothing  =>  None
        "#);
    }

    #[test]
    fn chains_are_split_outside_of_quotation_marks() {
        assert_eq!(chained("a && b c&&d"), ["a", "b c", "d"]);
        assert_eq!(chained("sh -c 'a && b' && \"c && d\" \\&& e"), ["sh -c 'a && b'", "\"c && d\" \\&& e"]);
        assert_eq!(chained("a & b"), ["a & b"]);
        assert!(checks("npm ci && npm test") && !checks("docker build . && docker run --rm orders node -v"));
    }

    #[test]
    fn a_gate_asks_no_server() {
        for text in
            ["curl localhost:3000", "curl -fsS http://127.0.0.1:8080/health", "http :8000/users", "npm start", "a | b"]
        {
            assert!(!suits_a_gate(text), "{text}");
        }
        for text in ["curl -fsS https://example.org", "npm test -- --base-url http://localhost:3000", "npm test"] {
            assert!(suits_a_gate(text), "{text}");
        }
    }

    #[test]
    fn code_blocks_give_their_commands_line_by_line() {
        let read = |text: &str| {
            of_block(text.lines())
                .into_iter()
                .map(|c| format!("{}+{}: {}", c.line, c.skipped, c.text))
                .collect::<Vec<_>>()
        };
        assert_eq!(read("# all\n\n  a\nb \\\n  c \\\n  d\ne"), ["2+2: a", "3+0: b c d", "6+0: e"]);
        assert_eq!(read("$ a \\\n> b\nout\n$ c"), ["0+2: a b", "3+2: c"]);
        assert_eq!(read("a \\"), ["0+0: a"]);
        assert!(is_shell_block(None) && is_shell_block(Some("")) && is_shell_block(Some("Bash title=x")));
        assert!(!is_shell_block(Some("json")));
    }
}
