//! Output of several programs at a time, taken apart: task runners put a name in front of every line.

/// The longest name that a task runner puts in front of a line.
const PREFIX_MAX: usize = 80;

/// The most programs that are told apart.
const STREAMS_MAX: usize = 256;

/// Names of levels that one program puts in front of its own lines: they are taken away and begin no stream.
const LEVELS: [&str; 8] =
    ["[INFO] ", "[WARNING] ", "[ERROR] ", "[DEBUG] ", "[info] ", "[warn] ", "[error] ", "[success] "];

/// Splits a plain output into the lines of each program that wrote into it: those without a name in front, then one
/// stream a name, as turbo, pnpm, lerna, concurrently, foreman and compose write them.
pub(super) fn by_program(plain: &str) -> Vec<Vec<&str>> {
    let mut streams: Vec<(&str, Vec<&str>)> = vec![("", Vec::new())];
    let mut in_table = false;
    for line in plain.lines() {
        let line = without_time(line.trim_end());
        // Julia's table has a name of its own in front of each row.
        in_table = line.starts_with("Test Summary:") || in_table && line.contains('|');
        let (prefix, rest) = if in_table { ("", line) } else { split(line) };
        let (name, rest) = match split(rest) {
            // A task runner in a container.
            (inner, innermost) if !prefix.is_empty() && !inner.is_empty() => {
                (&line[..line.len() - innermost.len()], innermost)
            }
            _ => (prefix, rest),
        };
        let rest = LEVELS.iter().find_map(|level| rest.strip_prefix(level)).unwrap_or(rest);
        match streams.iter().position(|(other, _)| *other == name) {
            Some(at) => streams[at].1.push(rest),
            // Output with hundreds of names has no task runner.
            None if streams.len() >= STREAMS_MAX => {}
            None => streams.push((name, vec![rest])),
        }
    }
    streams.into_iter().map(|(_, lines)| lines).collect()
}

/// Tells whether a line could matter to any runner: a reader of a long output may drop the others.
#[must_use]
pub fn relevant(line: &str) -> bool {
    line.len() <= 4096
        && (line.bytes().any(|byte| byte.is_ascii_digit())
            || line.contains(|c: char| c.is_ascii_uppercase())
            || ["ok", "---", "===", "no tests", "all tests", "───", "●", "✖"].iter().any(|word| line.contains(word)))
}

/// Takes the time away that a log of a workflow or a container puts in front of a line.
fn without_time(line: &str) -> &str {
    let stamp = |word: &str| {
        word.len() >= 19
            && word.ends_with('Z')
            && word.as_bytes()[10] == b'T'
            && word.bytes().all(|byte| byte.is_ascii_digit() || b"-:.TZ".contains(&byte))
    };
    // `job<tab>step<tab>time text` is how `gh run view --log` shows a log.
    let behind_names = line
        .rsplit_once('\t')
        .map(|(_, last)| last)
        .filter(|last| last.split_once(' ').is_some_and(|(word, _)| stamp(word)));
    match behind_names.unwrap_or(line).split_once(' ') {
        // Kubernetes says which stream it was, and whether the line is whole.
        Some((word, rest)) if stamp(word) => {
            ["stdout F ", "stderr F "].iter().find_map(|stream| rest.strip_prefix(stream)).unwrap_or(rest)
        }
        _ => line,
    }
}

/// Splits the name that a task runner puts in front from the rest; an empty name when there is none.
fn split(line: &str) -> (&str, &str) {
    let rest = compose(line).or_else(|| turbo(line)).or_else(|| pnpm(line)).or_else(|| bracketed(line));
    match rest {
        Some(rest) if line.len() - rest.len() <= PREFIX_MAX => (&line[..line.len() - rest.len()], rest),
        _ => ("", line),
    }
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase() || matches!(c, '@' | '.' | '_'))
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "@/._-#".contains(c))
}

/// `api-1  | rest`, as compose and foreman write. `ok | 3 passed` is what deno says.
fn compose(line: &str) -> Option<&str> {
    let (name, rest) = line.split_once('|')?;
    let spaced = name.ends_with(' ');
    let name = name.trim_end();
    let name = name
        .rsplit_once(' ')
        .filter(|(time, _)| time.len() == 8 && time.as_bytes()[2] == b':')
        .map_or(name, |(_, name)| name);
    let known = spaced && name != "ok" && name != "test" && (is_name(name) || is_task(name));
    known.then(|| rest.strip_prefix(' ').unwrap_or(rest))
}

/// Tells whether a name is that of a task: `api:test` (moon), `+test` (Earthly), `[CI/test]` (act).
fn is_task(name: &str) -> bool {
    let name = name.trim_start();
    let is_known = |name: &str| name.chars().all(|c| c.is_ascii_alphanumeric() || "@/._-:".contains(c));
    let inside = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).map(str::trim);
    let of_moon = name.split_once(':').is_some_and(|(project, task)| is_name(project) && is_name(task));
    of_moon || name.strip_prefix('+').is_some_and(is_name) || inside.is_some_and(is_known)
}

/// `web:test: rest` (turbo, `nx --output-style=stream`) and `@scope/pkg: rest` (lerna, yarn).
fn turbo(line: &str) -> Option<&str> {
    let (name, rest) = line.split_once(": ").or_else(|| Some((line.strip_suffix(':')?, "")))?;
    let mut parts = name.split(':');
    let scoped = name.starts_with('@') && name.contains('/');
    let tasks = name.contains(':') && parts.all(|part| is_name(part) && !part.contains('.'));
    (tasks || (scoped && is_name(name))).then_some(rest)
}

/// `packages/api test: rest` and `. test:unit: rest`, as pnpm writes with more than one package; `nx` writes
/// `> nx run api:test` in front of whole tasks.
fn pnpm(line: &str) -> Option<&str> {
    let (folder, rest) = line.split_once(' ')?;
    if !(is_name(folder) && (folder.contains('/') || folder == ".")) {
        return None;
    }
    let (script, rest) = rest.split_once(": ").or_else(|| Some((rest.strip_suffix(':')?, "")))?;
    script.split(':').all(is_name).then_some(rest)
}

/// `[api] rest` and `[0] rest`, as concurrently and yarn write.
fn bracketed(line: &str) -> Option<&str> {
    let (name, rest) = line.strip_prefix('[')?.split_once(']')?;
    let known = !name.is_empty()
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "@/._:-".contains(c))
        && !matches!(name, "INFO" | "WARNING" | "ERROR" | "DEBUG" | "info" | "warn" | "error" | "success" | "doctest");
    let rest = rest.strip_prefix(':').unwrap_or(rest);
    known.then(|| rest.strip_prefix(' '))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_front_are_taken_away_and_words_of_runners_are_not() {
        for (line, rest) in [
            ("web:test: Tests: 3 passed", "Tests: 3 passed"),
            ("@acme/web:test:   Tests  3 passed (3)", "  Tests  3 passed (3)"),
            ("@acme/web: Tests: 3 passed", "Tests: 3 passed"),
            ("packages/api test: 3 passing (2ms)", "3 passing (2ms)"),
            (". test:unit: 3 passing", "3 passing"),
            ("api-1  | 3 passed in 0.1s", "3 passed in 0.1s"),
            ("12:00:01 web.1  | 3 passed in 0.1s", "3 passed in 0.1s"),
            ("[api] 3 passing", "3 passing"),
            ("[@a/b]: 3 passing", "3 passing"),
            ("api:test | 3 passing", "3 passing"),
            ("[CI/test]   | 3 passing", "3 passing"),
            ("             +test | 3 passing", "3 passing"),
        ] {
            assert_eq!(split(line).1, rest, "{line}");
        }
        for line in [
            "test result: ok. 3 passed; 0 failed",
            "Tests:       1 failed, 6 total",
            "Tests run: 5, Failures: 1",
            "ok | 3 passed | 0 failed (12ms)",
            "test cases:  3 |  2 passed | 1 failed",
            "[  PASSED  ] 3 tests.",
            "[==========] 3 tests from 1 test suite ran.",
            "[doctest] test cases: 3 | 3 passed",
            "ok  \texample.com/x\t0.1s",
            " Tests  1 failed | 3 passed (4)",
            "1..3",
            "# pass 3",
        ] {
            assert_eq!(split(line), ("", line), "{line}");
        }
    }
}
