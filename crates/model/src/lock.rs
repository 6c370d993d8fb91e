//! The lock: what an approval approves and every patch declares.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::{Digest, ObjectId};

/// The plan, the base and the roster of one implementation, bound together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Lock {
    /// The digest over the three below: this is what `--lock` and `/implement` name.
    pub digest: Digest,
    /// The SHA-256 of the plan's bytes.
    pub plan: Digest,
    /// The commit that the implementation starts from.
    pub base: ObjectId,
    /// The digest of the roster, and of the configuration that decides who may touch what and what verifies it.
    pub roster: Digest,
}

/// Says that something changed between the approval and the run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the lock {expected} was approved, but plan, base and roster now give {actual}: review the plan again, then run with `--lock {actual}`"
)]
pub struct LockMismatch {
    /// What was approved.
    pub expected: String,
    /// What is there.
    pub actual: Digest,
}

/// The fewest hex digits by which a lock may be named.
const SHORTEST_NAME: usize = 12;

impl Lock {
    /// Binds plan, base and roster together.
    #[must_use]
    pub fn new(plan: Digest, base: ObjectId, roster: Digest) -> Self {
        let digest = Digest::of_parts([
            b"backend-implementer lock v1".as_slice(),
            plan.as_str().as_bytes(),
            base.as_str().as_bytes(),
            roster.as_str().as_bytes(),
        ]);
        Self { digest, plan, base, roster }
    }

    /// Checks that `named` (the whole digest, or at least its first twelve hex digits) names this lock.
    ///
    /// # Errors
    /// When it names another, or is too short to name one.
    pub fn check(&self, named: &str) -> Result<(), LockMismatch> {
        let named = named.trim();
        let hex = named.strip_prefix("sha256:").unwrap_or(named).to_ascii_lowercase();
        if hex.len() >= SHORTEST_NAME && self.digest.hex().starts_with(&hex) {
            Ok(())
        } else {
            Err(LockMismatch { expected: crate::text::terminal(named), actual: self.digest.clone() })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock(plan: &str) -> Lock {
        Lock::new(Digest::from_content(plan), ObjectId::new("1".repeat(40)).unwrap(), Digest::from_content("roster"))
    }

    #[test]
    fn a_lock_is_named_by_digest_or_twelve_digits() {
        let lock = lock("plan");
        assert!(lock.check(lock.digest.as_str()).is_ok());
        assert!(lock.check(lock.digest.short()).is_ok());
        assert!(lock.check(&lock.digest.hex()[..11]).is_err());
        assert!(lock.check("").is_err());
    }

    #[test]
    fn a_changed_plan_is_another_lock() {
        assert!(lock("plan").check(lock("plan ").digest.as_str()).is_err());
    }
}
