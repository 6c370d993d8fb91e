//! Versions of languages, where no file of the language itself names one: those of version managers, and those that the
//! team's own workflows install.

use crate::starter::Repository;

/// Where asdf and mise keep versions.
const MANAGERS: [&str; 3] = [".tool-versions", "mise.toml", ".mise.toml"];

/// Finds the version of `python`, `node` or `java`, and says where it stands.
pub(super) fn find(repository: &Repository, language: &str) -> Option<(String, String)> {
    let managed = MANAGERS.iter().find_map(|path| {
        let version = repository.text(path).lines().find_map(|line| managed(line, language))?;
        Some((version, format!("{path} names the version")))
    });
    managed.or_else(|| {
        let workflows = repository.texts.iter().filter(|(path, _)| is_workflow(path));
        workflows.into_iter().find_map(|(path, text)| {
            let version = text.lines().find_map(|line| installed(line, language))?;
            Some((version, format!("{path} installs this version")))
        })
    })
}

/// Tells whether a file is a workflow of the repository's.
pub(in crate::starter) fn is_workflow(path: &str) -> bool {
    path.strip_prefix(".github/workflows/").is_some_and(|name| {
        !name.contains('/')
            && (name.ends_with(".yml") || name.ends_with(".yaml"))
            && !name.starts_with("backend-implementer")
    })
}

/// Reads a line such as `nodejs 22.3.0` of asdf, or `node = "22"` of mise.
fn managed(line: &str, language: &str) -> Option<String> {
    let (name, rest) = line.trim().split_once([' ', '='])?;
    let name = name.trim().trim_matches('"');
    if name != language && !(language == "node" && name == "nodejs") {
        return None;
    }
    let value = rest.trim_start_matches(['=', ' ']).trim_start_matches(['"', '\'']);
    let value = value.split([' ', '"', '\'', '#']).next().unwrap_or_default();
    // `temurin-21.0.2` of Java: the distribution is not the version, and its first number is what counts.
    match language {
        "java" => plain(value.rsplit('-').next()?.split(['.', '+']).next()?),
        _ => plain(value),
    }
}

/// Reads a line such as `python-version: "3.11"` of a step; a matrix has several, and names none here.
fn installed(line: &str, language: &str) -> Option<String> {
    let line = line.trim().trim_start_matches("- ").trim_start_matches("with:").trim().trim_start_matches('{');
    let key = format!("{language}-version:");
    let (_, value) =
        line.split_once(&key).filter(|(before, _)| before.trim().is_empty() || before.ends_with([' ', ',']))?;
    plain(value.split('#').next()?.split([',', '}']).next()?.trim().trim_matches(['"', '\'']))
}

/// Accepts what is a version by itself: digits, with points and an `x` between.
fn plain(version: &str) -> Option<String> {
    let version = version.trim_start_matches('v');
    let is_plain = version.starts_with(|c: char| c.is_ascii_digit())
        && version.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | 'x'));
    is_plain.then(|| version.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_version_managers_and_of_workflows() {
        for (line, language, version) in [
            ("nodejs 22.3.0", "node", Some("22.3.0")),
            ("node = \"22\"", "node", Some("22")),
            ("python 3.12.4 3.11.9", "python", Some("3.12.4")),
            ("java temurin-21.0.2+13", "java", Some("21")),
            ("python = \"latest\"", "python", None),
            ("# nodejs 20", "node", None),
            ("nodejsx 20", "node", None),
        ] {
            assert_eq!(managed(line, language).as_deref(), version, "{line}");
        }
        for (line, language, version) in [
            ("          python-version: \"3.11\"", "python", Some("3.11")),
            ("        with: { node-version: 20, cache: npm }", "node", Some("20")),
            ("  node-version: 20.x # LTS", "node", Some("20.x")),
            ("  java-version: '17'", "java", Some("17")),
            ("  python-version: ${{ matrix.python }}", "python", None),
            ("  python-version: [\"3.10\", \"3.11\"]", "python", None),
        ] {
            assert_eq!(installed(line, language).as_deref(), version, "{line}");
        }
    }
}
