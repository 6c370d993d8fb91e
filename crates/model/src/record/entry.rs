//! One entry of a journal: what has to survive the process that made it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{AttemptEnded, AttemptRecords, AttemptStarted, Retried, Status};
use crate::{
    gate::{GateKind, Receipt},
    ids::{ObjectId, TaskId},
    lock::Lock,
};

/// The version of the journal format that this program writes.
pub const JOURNAL_VERSION: u32 = 1;

/// What the journal records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "record")]
pub enum Record {
    /// The run began.
    Begun {
        /// The version of the journal format.
        version: u32,
        /// The id of the run.
        run: String,
        /// What was approved.
        lock: Lock,
    },
    /// A subagent's process was started.
    Started(AttemptStarted),
    /// An attempt ended and was judged; its patch, if any, is in the store.
    Ended(Box<AttemptEnded>),
    /// The commands of red gates were run again on earlier commits.
    Bisected {
        /// The commit on which the gates were red.
        head: ObjectId,
        #[serde(flatten)]
        found: Culprits,
    },
    /// The run was resumed after it had been interrupted.
    Resumed,
    /// What stands above was finished by an earlier run of the same lock; what this run does begins here.
    Kept(Retried),
    /// A gate was judged.
    Judged {
        /// Its receipt.
        receipt: Box<Receipt>,
    },
    /// The run came to its end.
    Concluded {
        /// How.
        status: Status,
    },
}

/// What running the commands of red gates on earlier commits showed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Culprits {
    /// The task whose patch each gate's command fails with first, where that could be told.
    #[serde(rename = "culprits")]
    pub named: BTreeMap<GateKind, TaskId>,
    /// The gates whose command fails on the base as well: nobody's patch is to blame for them.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub red_on_base: BTreeSet<GateKind>,
    /// The tests that were followed to each task, by name, where they are known.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tests: BTreeMap<GateKind, Vec<String>>,
    /// The tasks of which one is to blame for each gate, where it could not be loaded between the last commit on which its
    /// command passes and the first on which it fails.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub undecided: BTreeMap<GateKind, BTreeSet<TaskId>>,
    /// The gates whose command passes on no commit once that has the tests of the result: what fails asks for something new.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub never_passed: BTreeSet<GateKind>,
}

/// A record, and when it was made in milliseconds since the run began.
pub type Timed = (u64, Record);

impl AttemptRecords {
    /// Gives start and end as records.
    pub fn into_records(self) -> impl Iterator<Item = Record> {
        let (started, ended) = self.into_parts();
        [Record::Started(started), Record::Ended(Box::new(ended))].into_iter()
    }
}
