//! The environment of a subagent: built from nothing, so that nothing is in it by accident.

use std::{collections::BTreeMap, path::Path};

use implementer_model::environment::{RefusedName, check_name};

/// Variables that are passed on where they are set: where programs are, and how they speak and tell the time.
const INHERITED: [&str; 4] = ["PATH", "LANG", "LANGUAGE", "TZ"];

/// The `PATH` where the coordinator has none.
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What GitHub's tokens begin with ("About authentication to GitHub", docs.github.com, token formats).
const TOKEN_PREFIXES: [&str; 6] = ["ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"];

/// Says why a variable may not be passed to a subagent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvironmentError {
    /// Its name may not be passed on.
    #[error(transparent)]
    Name(#[from] RefusedName),
    /// Its value is a GitHub token, whatever its name.
    #[error("the variable `{name}` cannot be passed to a subagent: it holds a GitHub token")]
    Token {
        /// The name.
        name: String,
    },
}

/// Builds the environment of a subagent, sorted by name.
///
/// `own` is the coordinator's environment. Of it a subagent sees [`INHERITED`], `LC_*`, and what `passed` names, where
/// it is set; a name that is not set is passed over.
pub(super) fn build(
    own: &BTreeMap<String, String>,
    passed: &[String],
    home: &Path,
    temporary: &Path,
    contract: impl IntoIterator<Item = (&'static str, String)>,
) -> Result<Vec<(String, String)>, EnvironmentError> {
    let mut environment: BTreeMap<String, String> = own
        .iter()
        .filter(|(name, _)| INHERITED.contains(&name.as_str()) || name.starts_with("LC_"))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    environment.entry("PATH".to_owned()).or_insert_with(|| DEFAULT_PATH.to_owned());
    for name in passed {
        check_name(name)?;
        if let Some(value) = own.get(name) {
            environment.insert(name.clone(), value.clone());
        }
    }
    if let Some((name, _)) = environment.iter().find(|(_, value)| holds_token(own, value)) {
        return Err(EnvironmentError::Token { name: name.clone() });
    }
    let set = [
        ("CI", "true".to_owned()),
        ("HOME", home.display().to_string()),
        ("TERM", "dumb".to_owned()),
        ("TMPDIR", temporary.display().to_string()),
    ];
    environment.extend(set.into_iter().chain(contract).map(|(name, value)| (name.to_owned(), value)));
    Ok(environment.into_iter().collect())
}

/// Tells whether `value` holds a token of GitHub's by its looks, or one that the coordinator was given.
fn holds_token(own: &BTreeMap<String, String>, value: &str) -> bool {
    let looks = |prefix: &&str| {
        value.match_indices(*prefix).any(|(at, _)| {
            let length =
                value[at + prefix.len()..].bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count();
            length >= 20
        })
    };
    let given = ["GITHUB_TOKEN", "GH_TOKEN", "INPUT_TOKEN", "ACTIONS_RUNTIME_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"];
    let mut given = given.iter().filter_map(|name| own.get(*name)).filter(|token| !token.is_empty());
    TOKEN_PREFIXES.iter().any(looks) || given.any(|token| value.contains(token.as_str()))
}

#[cfg(test)]
mod tests {
    use implementer_model::environment::WhyRefused;

    use super::*;

    fn why(passed: &str) -> WhyRefused {
        match names(&[passed]) {
            Err(EnvironmentError::Name(refused)) => refused.why,
            other => panic!("{passed}: {other:?}"),
        }
    }

    fn own() -> BTreeMap<String, String> {
        let pairs = [
            ("PATH", "/bin"),
            ("LC_ALL", "C.UTF-8"),
            ("HOME", "/root"),
            ("GITHUB_TOKEN", "short-token"),
            ("ANTHROPIC_API_KEY", "key"),
            ("MY_TOKEN", "x ghs_0123456789abcdef0123456789"),
            ("COPY", "short-token"),
            ("GIT_DIR", "/elsewhere"),
            ("SECRET", "s"),
        ];
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
    }

    fn names(passed: &[&str]) -> Result<Vec<String>, EnvironmentError> {
        let passed: Vec<_> = passed.iter().map(|&name| name.to_owned()).collect();
        let built = build(&own(), &passed, Path::new("/h"), Path::new("/t"), [("IMPLEMENTER_TASK", "a".to_owned())])?;
        Ok(built.into_iter().map(|(name, value)| format!("{name}={value}")).collect())
    }

    #[test]
    fn only_what_is_named_comes_through() {
        assert_eq!(
            names(&["ANTHROPIC_API_KEY", "NOT_SET"]).unwrap(),
            [
                "ANTHROPIC_API_KEY=key",
                "CI=true",
                "HOME=/h",
                "IMPLEMENTER_TASK=a",
                "LC_ALL=C.UTF-8",
                "PATH=/bin",
                "TERM=dumb",
                "TMPDIR=/t"
            ]
        );
    }

    #[test]
    fn a_token_is_never_passed_under_any_name() {
        for name in [
            "GITHUB_TOKEN",
            "GH_TOKEN",
            "github_token",
            "ACTIONS_RUNTIME_TOKEN",
            "INPUT_TOKEN",
            "GITHUB_ENV",
            "GIT_DIR",
        ] {
            assert!(matches!(why(name), WhyRefused::Forbidden { .. }), "{name}");
        }
        for name in ["MY_TOKEN", "COPY"] {
            assert_eq!(names(&[name]), Err(EnvironmentError::Token { name: name.to_owned() }));
        }
        for name in ["CI", "HOME", "IMPLEMENTER_REPORT", "TERM", "TMPDIR"] {
            assert_eq!(why(name), WhyRefused::Reserved, "{name}");
        }
        for name in ["", "A=B", "A B", "A\0"] {
            assert_eq!(why(name), WhyRefused::NotAName, "{name:?}");
        }
    }

    #[test]
    fn without_a_path_there_is_the_usual_one() {
        let built = build(&BTreeMap::new(), &[], Path::new("/h"), Path::new("/t"), []).unwrap();
        assert!(built.contains(&("PATH".to_owned(), DEFAULT_PATH.to_owned())));
    }
}
