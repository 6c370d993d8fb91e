//! Proofs that gates passed: values that nothing but a passed receipt gives, and that a complete hand-off demands.

use std::collections::BTreeSet;

use super::{GateKind, GateState, Receipt, judgement::decide};
use crate::{
    ids::{Digest, ObjectId},
    text,
};

/// Says why a receipt is no proof.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotPassed {
    /// The gate did not pass.
    #[error("the {gate} gate is {}: {reason}", .state.name())]
    State {
        /// The gate.
        gate: GateKind,
        /// What became of it.
        state: GateState,
        /// Why.
        reason: String,
    },
    /// It passed, but on another tree.
    #[error("the {gate} gate was judged on the tree {}, not on {}", .judged.short(), .tree.short())]
    OtherTree {
        /// The gate.
        gate: GateKind,
        /// The tree that its receipt names.
        judged: ObjectId,
        /// The tree that is to be submitted.
        tree: ObjectId,
    },
    /// The receipt says that it passed, but its own evidence says otherwise.
    #[error("the receipt of the {gate} gate says passed, but its evidence says {}: {reason}", .state.name())]
    Contradicted {
        /// The gate.
        gate: GateKind,
        /// What the evidence gives.
        state: GateState,
        /// Why.
        reason: String,
    },
}

/// Proof that one gate passed on one tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassedGate {
    gate: GateKind,
    tree: ObjectId,
    receipt: Digest,
}

impl PassedGate {
    /// Takes a receipt as proof for `tree`. Its evidence is judged again: what a receipt says of itself is no proof.
    ///
    /// # Errors
    /// When the gate did not pass, or passed on another tree.
    pub fn new(receipt: &Receipt, tree: &ObjectId) -> Result<Self, NotPassed> {
        let gate = receipt.gate;
        if receipt.state != GateState::Passed {
            return Err(NotPassed::State { gate, state: receipt.state, reason: text::terminal(&receipt.reason) });
        }
        if receipt.tree != *tree {
            return Err(NotPassed::OtherTree { gate, judged: receipt.tree.clone(), tree: tree.clone() });
        }
        let (state, reason) = decide(
            gate,
            &receipt.tree,
            &receipt.commands,
            receipt.verdict.as_ref(),
            &receipt.evidence,
            &BTreeSet::new(),
        );
        if state != GateState::Passed {
            return Err(NotPassed::Contradicted { gate, state, reason });
        }
        let receipt = serde_json::to_vec(receipt).expect("invariant: a receipt is plain data");
        let receipt = Digest::from_content(receipt);
        Ok(Self { gate, tree: tree.clone(), receipt })
    }

    /// Returns the gate that passed.
    #[must_use]
    pub fn gate(&self) -> GateKind {
        self.gate
    }

    /// Returns the tree on which it passed.
    #[must_use]
    pub fn tree(&self) -> &ObjectId {
        &self.tree
    }

    /// Returns the digest of the receipt that proves it.
    #[must_use]
    pub fn receipt(&self) -> &Digest {
        &self.receipt
    }
}

/// Says, in words, everything that keeps a tree from being submitted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not ready for submission: {}", .missing.join("; "))]
pub struct NotReady {
    /// What is missing, at least one thing.
    pub missing: Vec<String>,
}

/// Proof that all three gates passed on one tree, in one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadyForSubmission {
    tree: ObjectId,
    gates: Vec<PassedGate>,
}

impl ReadyForSubmission {
    /// Takes the receipts of the three gates as proof for `tree`.
    ///
    /// # Errors
    /// When a gate has no receipt or more than one, did not pass, passed on another tree or in another run: all of it,
    /// not the first only.
    pub fn new(tree: &ObjectId, receipts: &[Receipt]) -> Result<Self, NotReady> {
        let mut missing = Vec::new();
        let mut gates = Vec::new();
        for gate in GateKind::ALL {
            let of_gate: Vec<_> = receipts.iter().filter(|receipt| receipt.gate == gate).collect();
            match of_gate.as_slice() {
                [] => missing.push(format!("there is no receipt of the {gate} gate")),
                [receipt] => match PassedGate::new(receipt, tree) {
                    Ok(passed) => gates.push(passed),
                    Err(error) => missing.push(error.to_string()),
                },
                several => missing.push(format!("there are {} receipts of the {gate} gate", several.len())),
            }
        }
        if receipts.iter().any(|receipt| {
            receipt.place.run != receipts[0].place.run || receipt.place.workflow != receipts[0].place.workflow
        }) {
            missing.push("the receipts were made in different runs".to_owned());
        }
        if missing.is_empty() { Ok(Self { tree: tree.clone(), gates }) } else { Err(NotReady { missing }) }
    }

    /// Returns the tree that may be submitted.
    #[must_use]
    pub fn tree(&self) -> &ObjectId {
        &self.tree
    }

    /// Returns the proofs of the three gates, in their order.
    #[must_use]
    pub fn gates(&self) -> &[PassedGate] {
        &self.gates
    }
}
