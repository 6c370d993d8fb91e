//! Names and digests as types, so that a string from outside is checked once, where it comes in.

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// The longest task id, requirement id or subagent name that is accepted, in characters.
///
/// Task ids become path components and parts of git refs; 64 keeps the longest derived name far below the 255 bytes
/// that common file systems take.
pub const NAME_MAX: usize = 64;

/// Says why a string is not an id of the kind that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{value}` is not a {kind}: {rule}")]
pub struct InvalidId {
    /// What was asked for, such as "task id".
    pub kind: &'static str,
    /// The refused string, cut to a printable length.
    pub value: String,
    /// The rule that it breaks.
    pub rule: &'static str,
}

impl InvalidId {
    fn new(kind: &'static str, value: &str, rule: &'static str) -> Self {
        Self { kind, value: value.chars().take(80).flat_map(char::escape_default).collect(), rule }
    }
}

macro_rules! string_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $rule:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            #[doc = concat!("Checks that `value` is a ", $kind, ".")]
            ///
            /// # Errors
            #[doc = concat!("When it is not: ", $rule, ".")]
            pub fn new(value: impl Into<String>) -> Result<Self, InvalidId> {
                let value = value.into();
                let check: fn(&str) -> bool = $check;
                if check(&value) { Ok(Self(value)) } else { Err(InvalidId::new($kind, &value, $rule)) }
            }

            /// Returns the id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({:?})", stringify!($name), self.0)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(value: &str) -> Result<Self, InvalidId> {
                Self::new(value)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(value: String) -> Result<Self, InvalidId> {
                Self::new(value)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    };
}

string_id! {
    /// The id of one task, unique in a plan. Safe as a path component and as part of a git ref.
    TaskId, "task id",
    "1 to 64 lower-case letters, digits and single hyphens, beginning and ending with a letter or digit",
    |value| {
        let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
        value.len() <= NAME_MAX
            && edge(value.chars().next())
            && edge(value.chars().next_back())
            && !value.contains("--")
            && value.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    }
}

string_id! {
    /// The name of a subagent, as its agent file gives it. Printable, but neither a path nor Markdown: escape it there.
    SubagentName, "subagent name",
    "1 to 64 printable characters, without white space at either end",
    |value| {
        !value.is_empty()
            && value.chars().count() <= NAME_MAX
            && value.trim() == value
            && !value.chars().any(char::is_control)
    }
}

string_id! {
    /// The id of one requirement, unique in a plan, such as `feature-2` or the Planner's own `R7`.
    RequirementId, "requirement id",
    "1 to 64 letters, digits, `.`, `_` and `-`, beginning with a letter or digit",
    |value| {
        value.len() <= NAME_MAX
            && value.starts_with(|c: char| c.is_ascii_alphanumeric())
            && value.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
    }
}

string_id! {
    /// The hex id of a git object: 40 digits (SHA-1) or 64 (SHA-256).
    ObjectId, "git object id", "40 or 64 lower-case hex digits",
    |value| matches!(value.len(), 40 | 64) && value.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

string_id! {
    /// A SHA-256 digest in the form `sha256:HEX`.
    Digest, "digest", "`sha256:` and 64 lower-case hex digits",
    |value| value.strip_prefix("sha256:").is_some_and(|hex| {
        hex.len() == 64 && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    })
}

impl ObjectId {
    /// Returns the first ten digits, for people.
    #[must_use]
    pub fn short(&self) -> &str {
        &self.0[..10]
    }
}

impl Digest {
    /// Digests `content`.
    #[must_use]
    pub fn from_content(content: impl AsRef<[u8]>) -> Self {
        Self::from_sha256(Sha256::digest(content).as_ref())
    }

    /// Digests `parts` so that no two different lists of parts give the same input: each goes in behind its length.
    #[must_use]
    pub fn of_parts<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut hasher = Sha256::new();
        for part in parts {
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        Self::from_sha256(hasher.finalize().as_ref())
    }

    /// Wraps the 32 bytes of a SHA-256 that was computed elsewhere, such as over a file that was streamed.
    #[must_use]
    pub fn from_sha256(bytes: &[u8]) -> Self {
        use fmt::Write as _;
        let mut text = String::with_capacity(7 + 2 * bytes.len());
        text.push_str("sha256:");
        for byte in bytes {
            let _ = write!(text, "{byte:02x}");
        }
        Self(text)
    }

    /// Returns the hex digits without the `sha256:`.
    #[must_use]
    pub fn hex(&self) -> &str {
        &self.0["sha256:".len()..]
    }

    /// Returns the first twelve hex digits, for people.
    #[must_use]
    pub fn short(&self) -> &str {
        &self.hex()[..12]
    }
}

impl TaskId {
    /// Makes a task id out of any text: lower case, everything else folded into single hyphens, cut to length.
    ///
    /// Returns `None` when the text has no ASCII letter or digit.
    #[must_use]
    pub fn slug(text: &str) -> Option<Self> {
        let mut slug = String::new();
        for c in text.chars().flat_map(char::to_lowercase) {
            if c.is_ascii_alphanumeric() {
                slug.push(c);
            } else if !slug.is_empty() && !slug.ends_with('-') {
                slug.push('-');
            }
            if slug.len() >= NAME_MAX {
                break;
            }
        }
        Self::new(slug.trim_end_matches('-')).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn task_ids_are_safe_as_path_components_and_refs() {
        for good in ["a", "feature", "feature-2", "0", "a1-b2"] {
            assert!(TaskId::new(good).is_ok(), "{good}");
        }
        for bad in ["", "-a", "a-", "a--b", "A", "a.lock", "..", "a/b", "a b", "ä", &"a".repeat(65)] {
            assert!(TaskId::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn slugs_are_task_ids_or_nothing() {
        assert_eq!(TaskId::slug("Users: PATCH /api/users/:id").unwrap().as_str(), "users-patch-api-users-id");
        assert_eq!(TaskId::slug("…"), None);
        assert_eq!(TaskId::slug(&"ab ".repeat(40)).unwrap().as_str().len(), NAME_MAX);
    }

    #[test]
    fn parts_do_not_run_into_each_other() {
        assert_ne!(Digest::of_parts([b"ab".as_slice(), b"c"]), Digest::of_parts([b"a".as_slice(), b"bc"]));
    }

    #[test]
    fn an_invalid_id_shows_no_raw_control_characters() {
        let error = SubagentName::new("a\u{1b}[31m").unwrap_err().to_string();
        assert!(!error.contains('\u{1b}'), "{error}");
    }
}
