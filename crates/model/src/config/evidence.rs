//! What is asked of the evidence for the tests gate.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How long experiments may take together when the configuration does not say, in minutes.
const MINUTES_DEFAULT: u64 = 10;

/// What is asked of the evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct EvidenceConfig {
    /// Whether the tests are run without each task's patch, to see which of them notice; true when left out.
    pub revert_proof: bool,
    /// Whether a task that no test would notice the absence of blocks; false when left out.
    pub require_proof: bool,
    /// Whether a run goes on although a gate is red on the base, because making it green is the work; false when left
    /// out.
    pub allow_red_base: bool,
    /// The most small changes to new lines that are tried on the tests: 0 to 100, 0 when left out.
    #[schemars(range(max = 100))]
    pub mutants: u32,
    /// How long the experiments may take together, in minutes: 0 to 240, 10 when left out.
    #[schemars(range(max = 240))]
    pub minutes: Option<u64>,
}

impl Default for EvidenceConfig {
    fn default() -> Self {
        Self { revert_proof: true, require_proof: false, allow_red_base: false, mutants: 0, minutes: None }
    }
}

impl EvidenceConfig {
    /// Returns how long the experiments may take together.
    #[must_use]
    pub fn time(&self) -> Duration {
        Duration::from_secs(self.minutes.unwrap_or(MINUTES_DEFAULT).saturating_mul(60))
    }
}
