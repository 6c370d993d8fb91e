//! The hand-off: everything about one run, machine-readable, versioned. The Submission phase reads it, `verify` proves
//! it, and the [`summary`](crate::summary) is its picture for people.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    findings::Finding,
    gate::{Place, Receipt},
    ids::{Digest, ObjectId, TaskId},
    isolation::Isolation,
    json_size,
    limits::TASKS_MAX,
    lock::Lock,
    plan::Plan,
    provenance::Provenance,
    record::{Escalation, ReworkRound},
    roster::Role,
    schedule::Schedule,
    session::{Tokens, is_zero},
};

pub use crate::record::{AttemptRecord, IntegratedCommit, Status, Synthesis, TaskRecord};

/// The version of the hand-off format that this program writes and reads.
pub const HANDOFF_VERSION: u32 = 1;

/// The largest hand-off that is read, in bytes: one of 256 tasks has some 25 MB.
pub const HANDOFF_MAX: u64 = 32 * 1024 * 1024;

/// The most values of JSON in a hand-off: each becomes some seventy bytes of memory. As it is written, each has some thirty bytes.
const VALUES_MAX: u64 = 1_200_000;

/// The most tasks: those of a plan, and a specialist for each.
const HANDOFF_TASKS_MAX: usize = 2 * TASKS_MAX;

/// Everything about one run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Handoff {
    /// The version of this format: 1.
    pub version: u32,
    /// The program that wrote it, such as `backend-implementer 0.1.0`.
    pub generator: String,
    /// Whether the implementation is complete: ready for submission.
    pub status: Status,
    /// Why it is not complete; empty when it is.
    pub missing: Vec<String>,
    /// Where and when the run took place.
    pub place: Place,
    /// When the run began, in RFC 3339.
    pub started: String,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// What of it an earlier run of the same lock took, whose finished work this one keeps, in milliseconds.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub earlier_ms: u64,
    /// What was approved.
    pub lock: Lock,
    /// Where plan and approval are from.
    #[serde(flatten)]
    pub provenance: Provenance,
    /// The plan.
    pub plan: Plan,
    /// The schedule that was followed.
    pub schedule: Schedule,
    /// What the implementation is.
    pub result: Implementation,
    /// What became of each task, in the order of the schedule.
    pub tasks: Vec<TaskRecord>,
    /// What each phase came to, in order.
    pub synthesis: Vec<Synthesis>,
    /// The receipts of the three gates, on the final tree.
    pub gates: Vec<Receipt>,
    /// The seven success criteria.
    pub criteria: Vec<CriterionVerdict>,
    /// Everything that was noticed.
    pub findings: Vec<Finding>,
    /// The rounds of rework, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rework: Vec<ReworkRound>,
    /// The specialists that tasks turned out to need, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub escalations: Vec<Escalation>,
    /// How often the run broke off and was gone on with.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub resumptions: u32,
    /// How many attempts the last process took over from those before it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub replayed: u32,
    /// What the run cost.
    #[serde(default)]
    pub cost: Cost,
    /// What kept subagents and gates apart.
    #[serde(default)]
    pub isolation: Isolation,
}

/// The implementation: commits on top of the base, and the bundle that holds them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Implementation {
    /// The commit that everything started from.
    pub base: ObjectId,
    /// The tree of the base.
    pub base_tree: ObjectId,
    /// The last commit; the base when nothing was integrated.
    pub commit: ObjectId,
    /// The final tree.
    pub tree: ObjectId,
    /// The commits, one a patch, in order.
    pub commits: Vec<IntegratedCommit>,
    /// The ref of the implementation inside the bundle.
    pub reference: String,
    /// The bundle's file name beside the hand-off; `None` when nothing was integrated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bundle: Option<String>,
    /// The SHA-256 of the bundle.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bundle_digest: Option<Digest>,
}

/// One success criterion and whether it is met.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct CriterionVerdict {
    /// The criterion.
    pub criterion: Criterion,
    /// Whether it is met.
    pub met: bool,
    /// On what evidence, or why not.
    pub evidence: String,
}

/// The seven success criteria.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Criterion {
    /// All subagents that the plan needs were coordinated.
    Coordinated,
    /// Infrastructure, features and CLI are implemented.
    Implemented,
    /// Testing was executed.
    Tested,
    /// Quality was validated.
    Validated,
    /// The result is ready for production.
    ProductionReady,
    /// It is documented.
    Documented,
    /// The synthesis gives clear input for submission.
    SubmissionInput,
}

impl Criterion {
    /// All criteria, in order.
    pub const ALL: [Self; 7] = [
        Self::Coordinated,
        Self::Implemented,
        Self::Tested,
        Self::Validated,
        Self::ProductionReady,
        Self::Documented,
        Self::SubmissionInput,
    ];

    /// Returns the criterion in words.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Coordinated => "All subagents coordinated",
            Self::Implemented => "Infrastructure, features and CLI implemented",
            Self::Tested => "Testing executed",
            Self::Validated => "Quality validated",
            Self::ProductionReady => "Production-ready",
            Self::Documented => "Documented",
            Self::SubmissionInput => "Synthesis gives clear input for submission",
        }
    }
}

/// What a run cost, as far as the agents said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Cost {
    /// Micro-dollars (millionths), when an agent reported a cost, or the configuration has prices for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub micro_dollars: Option<u64>,
    /// Sessions of agent programs whose cost nobody told: the sum is without them.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub without_cost: u32,
    /// Tokens, as far as the agents told.
    #[serde(default, skip_serializing_if = "Tokens::is_none")]
    pub tokens: Tokens,
    /// Milliseconds that subagents ran, added up.
    pub subagent_ms: u64,
}

impl Cost {
    /// Adds up what the attempts of all tasks cost.
    #[must_use]
    pub fn from_attempts<'a>(attempts: impl IntoIterator<Item = &'a AttemptRecord>) -> Self {
        let mut cost = Self::default();
        for attempt in attempts {
            cost.subagent_ms = cost.subagent_ms.saturating_add(attempt.duration_ms());
            let Some(session) = &attempt.session else { continue };
            cost.tokens = cost.tokens.plus(session.tokens);
            match session.micro_dollars {
                Some(micro) => {
                    cost.micro_dollars = Some(cost.micro_dollars.map_or(micro, |sum| sum.saturating_add(micro)));
                }
                None => cost.without_cost = cost.without_cost.saturating_add(1),
            }
        }
        cost
    }
}

impl Handoff {
    /// Returns how long the run itself took, in milliseconds, without an earlier one whose work it keeps.
    #[must_use]
    pub fn own_ms(&self) -> u64 {
        self.duration_ms.saturating_sub(self.earlier_ms)
    }

    /// Finds the record of a task.
    #[must_use]
    pub fn task(&self, id: &TaskId) -> Option<&TaskRecord> {
        self.tasks.iter().find(|task| &task.id == id)
    }

    /// Goes through the records of a role's tasks.
    pub fn tasks_of(&self, role: Role) -> impl Iterator<Item = &TaskRecord> {
        self.tasks.iter().filter(move |record| self.schedule.task(&record.id).is_some_and(|task| task.role == role))
    }
}

/// Says why bytes are not a hand-off that this program can use.
#[derive(Debug, thiserror::Error)]
pub enum HandoffError {
    /// It is not JSON, or not JSON of the published schema.
    #[error("this is not a hand-off; `backend-implementer schema handoff` prints what one looks like")]
    Malformed(#[from] serde_json::Error),
    /// A later version of the program wrote it.
    #[error(
        "this hand-off has version {found}, and this program reads versions up to {HANDOFF_VERSION}: use the version of backend-implementer that wrote it, or a later one"
    )]
    Newer {
        /// The version that it has.
        found: u32,
    },
    /// It holds more than a run can come to.
    #[error("this hand-off has {found} {what}, and at most {most} are read")]
    TooMuch {
        /// What there is too much of.
        what: &'static str,
        /// How much there is.
        found: u64,
        /// How much is read.
        most: u64,
    },
    /// No version of the program ever wrote it.
    #[error("this hand-off has version {found}, which never existed: versions begin with 1")]
    NoSuchVersion {
        /// The version that it claims.
        found: u32,
    },
}

/// The one field that every version of the hand-off has.
#[derive(Deserialize)]
struct Versioned {
    version: u32,
}

fn bounded(what: &'static str, found: u64, most: u64) -> Result<(), HandoffError> {
    if found <= most { Ok(()) } else { Err(HandoffError::TooMuch { what, found, most }) }
}

impl Handoff {
    /// Reads a hand-off. The version is looked at first, so that a newer hand-off is named as such and not called
    /// malformed.
    ///
    /// # Errors
    /// When it is of another version, or not a hand-off.
    pub fn read(bytes: &[u8]) -> Result<Self, HandoffError> {
        match serde_json::from_slice::<Versioned>(bytes)?.version {
            0 => Err(HandoffError::NoSuchVersion { found: 0 }),
            HANDOFF_VERSION => {
                // Each value has a byte of its own and one that parts it from the next.
                if bytes.len() as u64 / 2 > VALUES_MAX {
                    bounded("values", json_size::values(bytes)?, VALUES_MAX)?;
                }
                let handoff: Self = serde_json::from_slice(bytes)?;
                bounded("tasks", handoff.tasks.len() as u64, HANDOFF_TASKS_MAX as u64)?;
                Ok(handoff)
            }
            found => Err(HandoffError::Newer { found }),
        }
    }

    /// Writes the hand-off as indented JSON with a line break at its end.
    ///
    /// # Errors
    /// Never for a value of this type; serialising is fallible by its signature only.
    pub fn write(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut bytes = serde_json::to_vec_pretty(self)?;
        bytes.push(b'\n');
        Ok(bytes)
    }
}

/// Returns the JSON schema of the hand-off.
#[must_use]
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(Handoff).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{run::test_support::conclude, summary::fixture};

    #[test]
    fn a_hand_off_is_read_as_it_was_written() {
        for mut handoff in
            [fixture::complete(), fixture::incomplete(), fixture::minimal(), fixture::hostile("\u{0}\"\\\n\u{202e}<")]
        {
            conclude(&mut handoff);
            let bytes = handoff.write().unwrap();
            assert_eq!(Handoff::read(&bytes).unwrap(), handoff);
        }
    }

    #[test]
    fn a_newer_hand_off_is_named_as_such_whatever_else_it_holds() {
        let error = Handoff::read(br#"{"version": 2, "tasks": "now a string"}"#).unwrap_err();
        assert!(matches!(error, HandoffError::Newer { found: 2 }), "{error}");
        assert!(error.to_string().contains("has version 2, and this program reads versions up to 1"));
        assert!(matches!(Handoff::read(br#"{"version": 0}"#), Err(HandoffError::NoSuchVersion { .. })));
    }

    #[test]
    fn what_is_no_hand_off_is_refused_with_the_reason() {
        for bad in [&b""[..], b"{", b"[]", b"{}", b"{\"version\": 1}", b"{\"version\": -1}", b"\xff", b"null"] {
            let error = Handoff::read(bad).unwrap_err();
            assert!(matches!(error, HandoffError::Malformed(_)), "{error}");
        }
        let HandoffError::Malformed(why) = Handoff::read(br#"{"version": 1}"#).unwrap_err() else {
            panic!("it has a version")
        };
        assert!(why.to_string().contains("missing field"), "{why}");
    }

    #[test]
    fn what_no_run_can_come_to_is_refused_before_it_is_made() {
        let mut handoff = fixture::complete();
        let findings = format!("[{}]", vec!["0"; 1_200_000].join(","));
        let error = Handoff::read(format!(r#"{{"version": 1, "findings": {findings}}}"#).as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), "this hand-off has 1200005 values, and at most 1200000 are read");
        let task = handoff.tasks[0].clone();
        handoff.tasks = vec![task; HANDOFF_TASKS_MAX + 1];
        let error = Handoff::read(&handoff.write().unwrap()).unwrap_err();
        assert_eq!(error.to_string(), "this hand-off has 513 tasks, and at most 512 are read");
    }

    #[test]
    fn the_schema_names_every_field_of_a_written_hand_off() {
        let schema = serde_json::to_value(schema()).unwrap();
        let written = serde_json::to_value(fixture::complete()).unwrap();
        for field in written.as_object().unwrap().keys() {
            assert!(schema["properties"].get(field).is_some(), "{field}");
        }
    }
}
