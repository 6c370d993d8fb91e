//! Why a single value of a configuration or an agent file is refused, in words that go behind the value.
//!
//! What a value may be is decided where it is used: [`crate::scope`], [`crate::command`], [`crate::environment`].

use crate::{command, environment, scope};

/// Says why a value is refused, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refused {
    /// What is wrong with it, as the end of a sentence that begins with the value: "is set by this program".
    pub message: String,
    /// What to do about it.
    pub hint: String,
}

/// Checks that `glob` can stand in a scope.
///
/// # Errors
/// As [`scope::validate_glob`].
pub fn glob(glob: &str) -> Result<(), Refused> {
    scope::validate_glob(glob).map_err(|error| Refused {
        message: format!("is not a glob for paths of a repository: {}", error.problem),
        hint: error.hint.to_owned(),
    })
}

/// Checks that `command` runs without a shell.
///
/// # Errors
/// As [`command::split`].
pub fn command(command: &str) -> Result<(), Refused> {
    command::split(command)
        .map(drop)
        .map_err(|refused| Refused { message: format!("cannot be run: {}", refused.message), hint: refused.hint })
}

/// Checks that the environment variable `name` may be passed on to a subagent or a gate.
///
/// # Errors
/// As [`environment::check_name`].
pub fn environment_name(name: &str) -> Result<(), Refused> {
    environment::check_name(name)
        .map_err(|refused| Refused { message: refused.why.reason().to_owned(), hint: refused.why.hint().to_owned() })
}

/// Checks that `login` is one as GitHub shows it: letters, digits and hyphens, and `[bot]` at the end of an app's.
///
/// # Errors
/// When it is something else.
pub fn bot_login(login: &str) -> Result<(), Refused> {
    let name = login.strip_suffix("[bot]").unwrap_or(login);
    if !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_') {
        return Ok(());
    }
    Err(Refused {
        message: "is no login".to_owned(),
        hint: "write it as GitHub shows it, such as `planner[bot]`".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_stay_inside_the_repository() {
        for good in ["src/**", "**/*.rs", "a", "a/", "{a,b}/*.ts", "[!a]*", "**", ".github/x", "a b/c", "..a/b"] {
            assert_eq!(glob(good), Ok(()), "{good}");
        }
        for bad in ["", " ", "/etc", "../x", "a/../b", "./a", "!a", "a[", "{a", "a\nb", &"a".repeat(5000)] {
            assert!(glob(bad).is_err(), "{bad}");
        }
    }
}
