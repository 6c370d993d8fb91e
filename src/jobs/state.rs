//! The state of a fan-out: what was approved, and what is finished so far. A folder of three files and a bundle.

use std::{
    fs,
    path::{Path, PathBuf},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use implementer_model::{
    config::AgentKind,
    ids::ObjectId,
    lock::Lock,
    plan::Dialect,
    provenance::Provenance,
    record::{JOURNAL_VERSION, Record, Timed},
};
use serde::{Deserialize, Serialize};

use super::error::JobError;
use crate::{
    intake::{ConfigSource, PlanText},
    journal,
    layout::StateFile,
    untrusted,
};

/// The version of the format of a state.
const VERSION: u32 = 1;

/// The largest frozen file that is read, in bytes: a plan and a configuration, encoded, and room.
const FROZEN_MAX: u64 = 8 * 1024 * 1024;

/// The largest journal of a state, in bytes: the records of 256 tasks with several attempts each.
const JOURNAL_MAX: u64 = 512 * 1024 * 1024;

/// The largest list of notes, in bytes.
const NOTES_MAX: u64 = 16 * 1024 * 1024;

/// Everything that was decided when the fan-out began; nobody changes it any more.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Frozen {
    /// The version of this format: 1.
    pub version: u32,
    /// What was approved.
    pub lock: Lock,
    /// The commit that the implementation starts from.
    pub base: ObjectId,
    /// The commit that configuration and agent files are from.
    pub rules: ObjectId,
    plan: FrozenPlan,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    config: Option<FrozenConfig>,
    /// The kind of agent that does the work, where one was named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<AgentKind>,
    /// Where plan and approval are from.
    #[serde(flatten)]
    pub provenance: Provenance,
    /// When the run began, in RFC 3339 with milliseconds.
    pub began: String,
    /// The name of the run.
    pub run: String,
    /// The name of the workflow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow: Option<String>,
    /// The time limit of every task in seconds, in place of the configuration's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_limit_s: Option<u64>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct FrozenPlan {
    name: String,
    /// Its bytes, in base64: the lock is over the bytes.
    bytes: String,
    first_line: usize,
    /// The dialect that it was insisted to be of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    dialect: Option<Dialect>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct FrozenConfig {
    name: String,
    text: String,
}

impl Frozen {
    /// Returns the record that every journal of the run begins with.
    pub(super) fn begun(&self) -> Record {
        Record::Begun { version: JOURNAL_VERSION, run: self.run.clone(), lock: self.lock.clone() }
    }

    /// Freezes what was decided.
    #[must_use]
    pub(super) fn new(lock: Lock, rules: ObjectId, plan: &PlanText, config: &ConfigSource, run: String) -> Self {
        Self {
            version: VERSION,
            base: lock.base.clone(),
            lock,
            rules,
            plan: FrozenPlan {
                name: plan.name.clone(),
                bytes: BASE64_STANDARD.encode(&plan.bytes),
                first_line: plan.first_line,
                dialect: plan.dialect,
            },
            config: match config {
                ConfigSource::Base => None,
                ConfigSource::Text { name, text } => Some(FrozenConfig { name: name.clone(), text: text.clone() }),
            },
            agent: None,
            provenance: Provenance::default(),
            began: humantime::format_rfc3339_millis(std::time::SystemTime::now()).to_string(),
            run,
            workflow: None,
            time_limit_s: None,
        }
    }

    pub(super) fn plan(&self) -> Option<PlanText> {
        let FrozenPlan { name, bytes, first_line, dialect } = &self.plan;
        let bytes = BASE64_STANDARD.decode(bytes).ok()?;
        Some(PlanText { name: name.clone(), bytes, first_line: *first_line, dialect: *dialect })
    }

    pub(super) fn config(&self) -> ConfigSource {
        match &self.config {
            None => ConfigSource::Base,
            Some(FrozenConfig { name, text }) => ConfigSource::Text { name: name.clone(), text: text.clone() },
        }
    }
}

/// The folder of a state.
#[derive(Debug, Clone)]
pub struct StateDir {
    root: PathBuf,
}

impl StateDir {
    /// Names the folder.
    #[must_use]
    pub fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// Returns the folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns where the bundle with the patches so far is, when there is one.
    #[must_use]
    pub fn bundle(&self) -> Option<PathBuf> {
        Some(self.bundle_path()).filter(|path| path.is_file())
    }

    pub(super) fn bundle_path(&self) -> PathBuf {
        self.root.join(StateFile::Bundle)
    }

    /// Reads what was decided.
    ///
    /// # Errors
    /// When there is no such file, or it is none of ours.
    pub fn frozen(&self) -> Result<Frozen, JobError> {
        let path = self.root.join(StateFile::Frozen);
        let wrong = |why: String| JobError::State { path: path.clone(), why };
        let bytes = untrusted::read(&path, FROZEN_MAX)?;
        let frozen: Frozen = serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))?;
        if frozen.version != VERSION {
            return Err(wrong(format!("it has version {}, and this program knows {VERSION}", frozen.version)));
        }
        Ok(frozen)
    }

    /// Reads what is finished so far.
    pub(super) fn records(&self) -> Result<Vec<Timed>, JobError> {
        let path = self.root.join(StateFile::Journal);
        untrusted::open(&path, JOURNAL_MAX)?;
        Ok(journal::read(&path)?)
    }

    /// Reads what was noticed about results that were not counted.
    pub(super) fn notes(&self) -> Result<Vec<String>, JobError> {
        let path = self.root.join(StateFile::Notes);
        match untrusted::read(&path, NOTES_MAX) {
            Ok(bytes) => {
                serde_json::from_slice(&bytes).map_err(|error| JobError::State { path, why: error.to_string() })
            }
            Err(error) if error.is_missing() => Ok(Vec::new()),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes everything but the bundle into the folder, which must not hold a state.
    pub(super) fn write(&self, frozen: &Frozen, records: &[Timed], notes: &[String]) -> Result<(), JobError> {
        fs::create_dir_all(&self.root).map_err(JobError::writing(&self.root))?;
        journal::write(&self.root.join(StateFile::Journal), records)?;
        for (name, json) in [
            (StateFile::Frozen, serde_json::to_vec_pretty(frozen)),
            (StateFile::Notes, serde_json::to_vec_pretty(notes)),
        ] {
            let path = self.root.join(name);
            let json = json.map_err(|error| JobError::State { path: path.clone(), why: error.to_string() })?;
            fs::write(&path, json).map_err(JobError::writing(path))?;
        }
        Ok(())
    }
}
