//! What a run rests on, and how far its integration has come.

use crate::{
    config::Config, gate::Place, ids::ObjectId, lock::Lock, plan::Plan, provenance::Provenance, roster::Roster,
};

/// A commit and its tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    pub commit: ObjectId,
    pub tree: ObjectId,
}

/// What was decided before the first task, and does not change any more.
#[derive(Debug, Clone)]
pub struct Basis {
    pub plan: Plan,
    pub roster: Roster,
    pub config: Config,
    pub lock: Lock,
    pub provenance: Provenance,
    pub place: Place,
    /// The commit that the implementation starts from.
    pub base: Head,
    /// The tree whose agent files hold: that of the commit with the rules.
    pub rules: ObjectId,
}
