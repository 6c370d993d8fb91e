//! The locks that our comment showed, and what each was made of. It explains why an approval does not hold any more, and
//! decides nothing: comments can be edited by others.

use crate::{lock::Lock, text};

/// How many locks a comment remembers.
const REMEMBERED_MAX: usize = 5;

/// How many digits of each part are remembered.
const DIGITS: usize = 12;

const BEGIN: &str = "<!-- backend-implementer: lock ";
const END: &str = " -->";

/// A lock that was shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownLock {
    /// The first digits of lock, plan, base and roster.
    parts: [String; 4],
}

impl From<&Lock> for ShownLock {
    fn from(lock: &Lock) -> Self {
        let Lock { digest, plan, base, roster } = lock;
        let digits = |hex: &str| hex.chars().take(DIGITS).collect();
        Self { parts: [digits(digest.hex()), digits(plan.hex()), digits(base.as_str()), digits(roster.hex())] }
    }
}

impl ShownLock {
    /// Returns the line of a comment that says it.
    #[must_use]
    pub fn line(&self) -> String {
        format!("{BEGIN}{}{END}", self.parts.join(" "))
    }

    /// Reads a line of a comment; nothing, when it is none.
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        let words: Vec<_> = line.trim_end().strip_prefix(BEGIN)?.strip_suffix(END)?.split(' ').collect();
        let is_digits = |word: &&str| word.len() == DIGITS && word.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !words.iter().all(is_digits) {
            return None;
        }
        let parts: [&str; 4] = words.try_into().ok()?;
        Some(Self { parts: parts.map(str::to_owned) })
    }
}

/// Adds a lock in front of those that were shown before.
pub fn remember(shown: &mut Vec<ShownLock>, lock: &Lock) {
    let lock = ShownLock::from(lock);
    shown.retain(|earlier| earlier.parts[0] != lock.parts[0]);
    shown.insert(0, lock);
    shown.truncate(REMEMBERED_MAX);
}

/// Says what changed between the lock that somebody names and the one that there is now. `branch` is the base branch of the
/// pull request.
#[must_use]
pub fn what_changed(shown: &[ShownLock], named: &str, now: &Lock, branch: &str) -> String {
    let named = named.trim().trim_start_matches("sha256:").to_ascii_lowercase();
    let of_named = |shown: &&ShownLock| named.starts_with(&shown.parts[0]);
    let Some(then) = shown.iter().find(of_named) else {
        return "plan, head commit, roster and configuration give another one".to_owned();
    };
    let now = ShownLock::from(now);
    let mut changed = Vec::new();
    if then.parts[1] != now.parts[1] {
        changed.push("the plan changed".to_owned());
    }
    if then.parts[2] != now.parts[2] {
        let (from, to) = (&then.parts[2], &now.parts[2]);
        changed.push(format!("the head of the pull request moved from {from} to {to}"));
    }
    if then.parts[3] != now.parts[3] {
        let branch = text::code(branch);
        changed.push(format!("the agent files or the configuration on the base branch {branch} changed"));
    }
    changed.join(", and ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{Digest, ObjectId};

    fn lock(plan: &str, base: char, roster: &str) -> Lock {
        Lock::new(
            Digest::from_content(plan),
            ObjectId::new(base.to_string().repeat(40)).unwrap(),
            Digest::from_content(roster),
        )
    }

    #[test]
    fn every_change_has_words_of_its_own() {
        let then = lock("plan", '1', "roster");
        let mut shown = Vec::new();
        remember(&mut shown, &then);
        let table = [
            (lock("other", '1', "roster"), "the plan changed"),
            (lock("plan", '2', "roster"), "the head of the pull request moved from 111111111111 to 222222222222"),
            (lock("plan", '1', "other"), "the agent files or the configuration on the base branch `release/1` changed"),
            (
                lock("other", '2', "roster"),
                "the plan changed, and the head of the pull request moved from 111111111111 to 222222222222",
            ),
        ];
        for (now, words) in table {
            remember(&mut shown, &now);
            assert_eq!(what_changed(&shown, then.digest.hex(), &now, "release/1"), words);
            assert_eq!(what_changed(&shown, then.digest.short(), &now, "release/1"), words);
        }
        let unknown = what_changed(&shown, &"0".repeat(12), &then, "main");
        assert_eq!(unknown, "plan, head commit, roster and configuration give another one");
    }

    #[test]
    fn a_comment_remembers_a_few_and_reads_back_its_own_form_alone() {
        let mut shown = Vec::new();
        for number in 0..9 {
            remember(&mut shown, &lock(&number.to_string(), '1', "roster"));
        }
        remember(&mut shown, &lock("8", '1', "roster"));
        assert_eq!(shown.len(), REMEMBERED_MAX);
        let line = shown[0].line();
        assert_eq!(ShownLock::parse(&line), Some(shown[0].clone()));
        for forged in [
            line.replace(" -->", "--><b>x</b> -->"),
            line.replacen(' ', "  ", 3),
            line[..line.len() - 9].to_owned() + END,
            String::new(),
        ] {
            assert_eq!(ShownLock::parse(&forged), None, "{forged}");
        }
    }
}
