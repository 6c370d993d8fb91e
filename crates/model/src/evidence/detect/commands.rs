//! Whether a command of a script or a recipe runs tests: by the runner that it starts, and not by a word that looks like it.

/// Programs that run tests and do nothing else.
const RUNNERS: [&str; 24] = [
    "pytest",
    "py.test",
    "unittest",
    "nose2",
    "tox",
    "nox",
    "jest",
    "vitest",
    "mocha",
    "ava",
    "jasmine",
    "karma",
    "nextest",
    "phpunit",
    "pest",
    "rspec",
    "cucumber",
    "behave",
    "ctest",
    "bats",
    "prove",
    "gotestsum",
    "ginkgo",
    "trial",
];

/// Programs that run tests when they are told to.
const TOOLS: [&str; 28] = [
    "go",
    "cargo",
    "npm",
    "yarn",
    "pnpm",
    "bun",
    "deno",
    "node",
    "dotnet",
    "mix",
    "swift",
    "flutter",
    "dart",
    "make",
    "gmake",
    "just",
    "task",
    "rake",
    "gradle",
    "gradlew",
    "mvn",
    "mvnw",
    "sbt",
    "lein",
    "composer",
    "bazel",
    "zig",
    "manage.py",
];

/// Programs that start another one.
const STARTERS: [&str; 20] = [
    "sudo", "env", "time", "exec", "sh", "bash", "python", "python3", "node", "ruby", "perl", "php", "npx", "xvfb-run",
    "nice", "timeout", "command", "then", "do", "run:",
];

/// Words behind which a runner is a package, and is not started.
const NOT_STARTED: [&str; 11] =
    ["install", "add", "uninstall", "remove", "pull", "rm", "which", "type", "echo", "-v", "command"];

/// Tells whether a command runs tests.
pub(super) fn runs_tests(command: &str) -> bool {
    let words = command.split_whitespace().map(|word| word.trim_matches(|c: char| "\"'`@(),;[]{}$".contains(c)));
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    let mut begins = true;
    let mut tool = false;
    for word in words {
        let base = word.rsplit('/').next().unwrap_or(word);
        let base = if begins { base.trim_start_matches('-') } else { base };
        let stem = [".phar", ".exe", ".cmd", ".bat", ".js", ".mjs"].iter().find_map(|end| base.strip_suffix(end));
        let stem = stem.unwrap_or(base);
        if NOT_STARTED.contains(&base) {
            return false;
        }
        if RUNNERS.contains(&stem) || tool && is_of_tests(base) || begins && is_script_of_tests(base) {
            return true;
        }
        tool |= TOOLS.contains(&stem);
        let starts = STARTERS.contains(&base) || base.starts_with('-') || base.contains('=') || base.ends_with(':');
        begins &= starts || base.is_empty();
    }
    false
}

/// Tells whether what a tool is told is to run tests: `test`, `test:unit`, `unit-test`, `--test`.
fn is_of_tests(word: &str) -> bool {
    let word = word.trim_start_matches(['-', ':']);
    let is = |part: &str| matches!(part, "test" | "tests" | "check" | "verify");
    let mut parts = word.split([':', '-', '_', '.']);
    is(word)
        || parts.next().is_some_and(|first| matches!(first, "test" | "tests"))
        || word.rsplit([':', '-', '_']).next().is_some_and(is)
        || word.ends_with("Test")
        || word == "t"
}

/// Tells whether a program is a script that runs tests, by its name: `./run_tests.sh`, `test.py`.
fn is_script_of_tests(name: &str) -> bool {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    // `test -f x` asks for a file.
    name != "test" && stem.split(['-', '_', '.']).any(|part| matches!(part, "test" | "tests" | "runtests" | "runtest"))
}

/// What takes a failure away behind a command.
const FORGIVES: [&str; 8] = ["|| true", "|| :", "|| exit 0", "; true", "; exit 0", "||true", "||:", "; :"];

/// Tells whether a line of a script runs tests and takes their failure away.
pub(super) fn ignores_failures(line: &str) -> bool {
    // All of a list whose commands hang together: the failure of each of them is taken away.
    let last_list = |before: &str| {
        let begin = [";", "$("].iter().filter_map(|sign| before.rfind(sign).map(|at| at + sign.len())).max();
        before[begin.unwrap_or(0)..].split(['&', '|']).any(runs_tests)
    };
    let forgiven = FORGIVES.iter().any(|end| line.find(end).is_some_and(|at| last_list(&line[..at])));
    let goes_on = || line.split_once("set +e").is_some_and(|(_, rest)| rest.split([';', '&', '|']).any(runs_tests));
    forgiven || goes_on()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_ignored_where_a_runner_stands_before_it() {
        for line in [
            "pytest || true",
            "python -m pytest tests || true",
            "commands = python -m pytest tests || true",
            "go test ./... -run NONE || true",
            "@npm test || true",
            "run: npm run test:unit || true",
            "- run: ./gradlew test || exit 0",
            "\"test\": \"jest || true\",",
            "cd app && mvn -q verify || true",
            "./run_tests.sh || true",
            "bash scripts/test.sh ; true",
            "set +e; pytest",
            "node --test ; exit 0",
            "make unit-test || :",
            "docker compose run web pytest || true",
            "python manage.py test || true",
            "vendor/bin/phpunit || true",
            "bundle exec rspec || true",
            "CI=1 yarn test || true",
            "pytest || echo failed; true",
            "pytest | tee log.txt || true",
            "make test && docker rm -f web || true",
        ] {
            assert!(ignores_failures(line), "{line}");
        }
        for line in [
            "docker pull registry.example/app:latest || true",
            "docker rm -f test-db || true",
            "pip install pytest || true",
            "which pytest || true",
            "command -v jest || exit 0",
            "rm -rf test-results || true",
            "test -f .env || true",
            "kill $TEST_PID || true",
            "git fetch origin latest || true",
            "pytest",
            "npm ci || true",
            "set +e",
        ] {
            assert!(!ignores_failures(line), "{line}");
        }
    }
}
