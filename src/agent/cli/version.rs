//! Versions of agent programs, as they print them.

use std::fmt;

/// Three numbers. What stands behind them, as in `1.2.3-beta`, does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version([u32; 3]);

impl Version {
    /// Finds the first version in what a program prints: `2.1.329 (Claude Code)`, `codex-cli 0.169.0`, `v1.18.33`.
    pub(super) fn find(printed: &str) -> Option<Self> {
        let words = printed.split(|c: char| !(c.is_ascii_digit() || c == '.'));
        words.into_iter().find_map(|word| {
            let mut numbers = word.trim_matches('.').split('.').map(str::parse::<u32>);
            let mut next = || numbers.next()?.ok();
            Some(Self([next()?, next()?, next()?]))
        })
    }
}

impl From<[u32; 3]> for Version {
    fn from(numbers: [u32; 3]) -> Self {
        Self(numbers)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.0;
        write!(f, "{major}.{minor}.{patch}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_in_what_programs_print() {
        for (printed, version) in [
            ("2.1.329 (Claude Code)\n", [2, 1, 329]),
            ("codex-cli 0.169.0\n", [0, 169, 0]),
            ("WARNING: proceeding, even though 2 things\ncodex-cli 0.169.0", [0, 169, 0]),
            ("v1.18.33-beta.2", [1, 18, 33]),
        ] {
            assert_eq!(Version::find(printed), Some(version.into()), "{printed}");
        }
        for printed in ["", "no version", "1.2", "99999999999.1.1"] {
            assert_eq!(Version::find(printed), None, "{printed}");
        }
        assert!(Version::from([2, 1, 99]) < Version::from([2, 1, 329]));
    }
}
