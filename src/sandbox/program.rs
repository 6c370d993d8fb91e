//! What a program consists of beside the file that its name leads to: links on the way, and whatever its first line asks for.

use std::{
    fs::{self, File},
    io::Read as _,
    path::{Path, PathBuf},
};

/// The most links that are followed, as the system does.
const LINKS_MAX: usize = 40;

/// How many scripts may be run by one another.
const INTERPRETERS_MAX: usize = 4;

/// Lists the files through which a program is reached: itself, every link on the way, and the same of its interpreters.
/// Names without a `/` are looked for in `path`.
pub(super) fn files_of(name: &str, path: &[PathBuf]) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut next = find(name, path);
    for _ in 0..INTERPRETERS_MAX {
        let Some(program) = next.take() else { break };
        let mut at = program;
        for _ in 0..LINKS_MAX {
            let target = fs::read_link(&at).ok().and_then(|target| Some(at.parent()?.join(target)));
            files.push(std::mem::replace(&mut at, target.clone().unwrap_or_default()));
            if target.is_none() {
                break;
            }
        }
        next = files.last().and_then(|file| asked_for(file, path));
    }
    files
}

fn find(name: &str, path: &[PathBuf]) -> Option<PathBuf> {
    if name.contains('/') {
        return Some(PathBuf::from(name)).filter(|program| program.is_absolute());
    }
    path.iter().map(|folder| folder.join(name)).find(|program| program.is_file())
}

/// Finds the interpreter that a script's first line asks for, by itself or through `env`.
fn asked_for(script: &Path, path: &[PathBuf]) -> Option<PathBuf> {
    let words = first_line(script)?;
    let (interpreter, arguments) = words.split_first()?;
    if is_env(interpreter) {
        return find(arguments.get(after_settings(arguments)?)?, path);
    }
    find(interpreter, path).filter(|found| found.is_absolute())
}

/// Returns the place in a command of the program that it comes to: behind `env`, with what that is told, stands another.
#[must_use]
pub fn place_in(argv: &[String]) -> usize {
    match argv.split_first() {
        Some((first, arguments)) if is_env(first) => after_settings(arguments).map_or(0, |at| at + 1),
        _ => 0,
    }
}

fn is_env(program: &str) -> bool {
    Path::new(program).file_name().is_some_and(|name| name == "env")
}

/// Finds the first argument of `env` that is neither an option nor a variable.
fn after_settings(arguments: &[String]) -> Option<usize> {
    arguments.iter().position(|word| !word.starts_with('-') && !word.contains('='))
}

/// Returns the words of a script's first line after `#!`.
#[must_use]
pub fn first_line(script: &Path) -> Option<Vec<String>> {
    let mut first = Vec::new();
    File::open(script).ok()?.take(256).read_to_end(&mut first).ok()?;
    let line = first.strip_prefix(b"#!")?.split(|&byte| byte == b'\n').next()?;
    Some(String::from_utf8_lossy(line).split_whitespace().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn behind_env_stands_the_program() {
        let place = |command: &str| place_in(&command.split(' ').map(str::to_owned).collect::<Vec<_>>());
        assert_eq!(place("pytest -q"), 0);
        assert_eq!(
            place("env PYTHONPATH=src -u X /venv/bin/python -m pytest"),
            3,
            "what an option takes is taken for it"
        );
        assert_eq!(place("/usr/bin/env A=1 B=2 python -m x"), 3);
        assert_eq!((place("env A=1"), place("env")), (0, 0));
    }

    #[test]
    fn links_and_interpreters_of_scripts_are_followed() {
        let folder = tempfile::tempdir().unwrap();
        let at = |path: &str| folder.path().join(path);
        for name in ["path", "tool/bin", "venv/bin"] {
            fs::create_dir_all(at(name)).unwrap();
        }
        fs::write(at("venv/real"), "").unwrap();
        symlink("../real", at("venv/bin/python")).unwrap();
        symlink(at("venv/bin/python"), at("path/python")).unwrap();
        fs::write(at("tool/run"), "#!/usr/bin/env -S A=1 python -I\n").unwrap();
        symlink("../run", at("tool/bin/tool")).unwrap();
        symlink(at("tool/bin/tool"), at("path/tool")).unwrap();
        let path = [at("path")];
        let expected =
            ["path/tool", "tool/bin/tool", "tool/bin/../run", "path/python", "venv/bin/python", "venv/bin/../real"];
        assert_eq!(files_of("tool", &path), expected.map(at));

        fs::write(at("path/plain"), format!("#!{}\n", at("venv/bin/python").display())).unwrap();
        assert_eq!(files_of("plain", &path), ["path/plain", "venv/bin/python", "venv/bin/../real"].map(at));
        // Whatever goes in a circle ends.
        symlink(at("path/circle"), at("path/circle")).unwrap();
        assert!(files_of("circle", &path).is_empty());
        fs::write(at("path/self"), format!("#!{}\n", at("path/self").display())).unwrap();
        assert_eq!(files_of("self", &path).len(), INTERPRETERS_MAX);
        assert!(files_of("nothing", &path).is_empty() && files_of("./tool", &path).is_empty());
    }
}
