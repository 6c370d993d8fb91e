//! What stands in front of a runner: `npx`, `poetry run`, `env A=b`, `npm test`, `sh -c`.

/// A script of a package that a command names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PackageScript {
    pub(super) name: String,
    /// Whether arguments for the script stand behind `--`.
    pub(super) needs_dashes: bool,
}

fn name(word: &str) -> &str {
    word.rsplit('/').next().unwrap_or(word)
}

/// Finds the program that a command really starts.
pub(super) fn program(argv: &[String]) -> Option<usize> {
    let mut at = 0;
    loop {
        let word = name(argv.get(at)?);
        let next = argv.get(at + 1).map_or("", |word| word.as_str());
        let skipped = match word {
            "env" | "nice" | "time" | "nohup" | "npx" | "bunx" | "xvfb-run" | "command" | "exec" | "pipx" | "uvx"
            | "cross-env" => 1,
            "timeout" => 2,
            "poetry" | "pipenv" | "uv" | "hatch" | "rye" | "pdm" | "pixi" | "rtx" if next == "run" => 2,
            "bundle" if next == "exec" => 2,
            "pnpm" | "yarn" | "npm" if next == "exec" => 2,
            "pnpm" | "yarn" if next == "dlx" => 2,
            "mise" | "asdf" | "direnv" if next == "exec" => 2,
            _ => return Some(at),
        };
        at += skipped;
        // Options of the wrapper, and variables that it sets.
        while argv.get(at).is_some_and(|word| {
            word == "--"
                || (word.starts_with('-') && word.len() > 1)
                || word.split_once('=').is_some_and(|(name, _)| {
                    !name.is_empty()
                        && !name.starts_with('-')
                        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
                })
        }) {
            at += 1;
        }
    }
}

/// Finds the script of `sh -c SCRIPT`.
pub(super) fn shell(argv: &[String]) -> Option<(usize, &str)> {
    let shell = matches!(name(argv.first()?), "sh" | "bash" | "dash" | "zsh" | "ash");
    let option = argv.get(1)?;
    let takes = option.starts_with('-') && !option.starts_with("--") && option.ends_with('c');
    (shell && takes).then_some(())?;
    Some((2, argv.get(2)?))
}

/// Finds the script that `npm test`, `pnpm run x`, `yarn x` and the like start.
pub(super) fn package_script(argv: &[String]) -> Option<PackageScript> {
    let manager = name(argv.first()?);
    if !matches!(manager, "npm" | "pnpm" | "yarn") {
        return None;
    }
    let words: Vec<&str> = argv[1..].iter().map(String::as_str).take_while(|word| *word != "--").collect();
    let plain: Vec<&str> = words.iter().copied().filter(|word| !word.starts_with('-')).collect();
    let script = match plain.as_slice() {
        ["test" | "t" | "tst", ..] => "test",
        ["run" | "run-script", script, ..] => script,
        [script, ..] if manager != "npm" => script,
        _ => return None,
    };
    // In another folder or in all packages, it is another manifest.
    let elsewhere = words.iter().any(|word| {
        matches!(*word, "-r" | "-w" | "--workspace" | "--workspaces" | "--prefix" | "-C" | "--filter" | "--recursive")
            || word.starts_with("--workspace=")
            || word.starts_with("--prefix=")
            || word.starts_with("--filter=")
    });
    (!elsewhere).then(|| PackageScript { name: script.to_owned(), needs_dashes: manager == "npm" })
}
