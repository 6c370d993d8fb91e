//! Every name of a file, a folder and a ref of a run, a state, a job and a result. No other file of the program spells one.
//!
//! Names are values of an enum for the folder that they stand in, so that `folder.join(TaskFile::Report)` is the only way
//! to write one, and a folder cannot be asked for a name of another.

use std::path::{Path, PathBuf};

use implementer_model::{ids::TaskId, record::AttemptId};

/// The folder below the repository in which runs are kept unless `--out` says otherwise.
pub const RUNS_DIR: &str = ".backend-implementer/runs";

/// The folder in a run's scratch folder with the programs of the repository's own.
pub const PROGRAMS: &str = "programs";

/// The folder in a run's folder with a folder for each task.
pub const TASKS: &str = "tasks";

/// What the name of the logs of gates ends with after a round of rework has set them aside, before its number.
const BEFORE_REWORK: &str = "-before-rework-";

/// Defines an enum of names that can be joined to a folder.
macro_rules! names {
    ($(#[$doc:meta])* $enum:ident { $($(#[$entry:meta])* $variant:ident = $name:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $enum { $($(#[$entry])* $variant),+ }

        impl $enum {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// Returns the name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
        }

        impl AsRef<Path> for $enum {
            fn as_ref(&self) -> &Path {
                Path::new(self.name())
            }
        }
    };
}

names! {
    /// What stands in the folder of a run.
    RunFile {
        /// The records by which a run is resumed.
        Journal = "journal.jsonl",
        /// The object store.
        Store = "store.git",
        /// What is locked while a process is at work in the folder.
        ProcessLock = "run.lock",
        /// What was approved.
        Lock = "lock.json",
        /// The hand-off.
        Handoff = "handoff.json",
        /// The Implementation Summary.
        Summary = "summary.md",
        /// The same as a page.
        Report = "report.html",
        /// When what happened.
        Timeline = "timeline.json",
        /// The findings as SARIF.
        Findings = "findings.sarif",
        /// The gates as JUnit XML.
        GatesJunit = "gates.junit.xml",
        /// The gates as CTRF.
        GatesCtrf = "gates.ctrf.json",
        /// The run as a trace of OpenTelemetry.
        Trace = "trace.otlp.json",
        /// The commits and patches.
        Bundle = "implementation.bundle",
        /// The logs of the gates; in a fan-out also the folder of their result.
        Gates = "gates",
    }
}

names! {
    /// What stands in the folder of a task, and of the result of an attempt.
    TaskFile {
        /// What the subagent was told.
        Brief = "brief.md",
        /// What it says it did.
        Report = "report.json",
        /// What it left in place of a report.
        InvalidReport = "report.invalid.json",
        /// What it changed.
        Patch = "patch.diff",
        /// What its process printed.
        Log = "log.txt",
    }
}

names! {
    /// What stands in the folder of a fan-out's state.
    StateFile {
        /// What was decided when the fan-out began.
        Frozen = "frozen.json",
        /// What is finished so far.
        Journal = "journal.jsonl",
        /// The patches so far.
        Bundle = "objects.bundle",
        /// What was noticed about results that do not count.
        Notes = "notes.json",
    }
}

names! {
    /// What stands in the folder of a result, beside the files of a task.
    ResultFile {
        /// The records of the attempt.
        Records = "result.jsonl",
        /// Its patch.
        Patch = "patch.bundle",
        /// The receipts of the gates.
        Receipts = "receipts.jsonl",
    }
}

names! {
    /// What stands in the folder of a job.
    JobFile {
        /// The folder with a folder for each attempt.
        Attempts = "attempts",
        /// The job's own view of the fan-out, with a store.
        Site = "site",
    }
}

names! {
    /// What stands in the folder of an attempt in the folder of its job.
    AttemptFile {
        /// The slots; the work tree is in the only one.
        Slots = "tree",
        /// Where the program has its home and its files.
        Scratch = "scratch",
        /// How the process ended, where one of ours ran it.
        Ended = "ended.json",
        /// When the attempt began, in milliseconds since the run began.
        Started = "started-ms",
    }
}

/// Returns where the folder of a task is in the folder of a run.
#[must_use]
pub fn task_dir(task: &TaskId) -> PathBuf {
    Path::new(TASKS).join(task.as_str())
}

/// Returns the name that the files of an earlier attempt have in the folder of their task.
#[must_use]
pub fn attempt_dir(attempt: u32) -> String {
    format!("attempt-{attempt}")
}

/// Returns the name of the folder of an attempt in the folder of a job, and among results. Ids of tasks are safe in paths.
#[must_use]
pub fn attempt_folder(id: &AttemptId) -> String {
    format!("{}-{}", id.task, id.attempt)
}

/// Returns the folder for the logs of the commands that look for the first patch with which a gate fails.
#[must_use]
pub fn bisect_logs(commit: &str) -> PathBuf {
    Path::new(RunFile::Gates.name()).join(format!("bisect-{commit}"))
}

/// Returns the folder for the logs of the gates on the base.
#[must_use]
pub fn base_logs() -> PathBuf {
    Path::new(RunFile::Gates.name()).join("base")
}

/// Returns the folder for the logs of the tests on a tree that is made to see what they notice.
#[must_use]
pub fn experiment_logs(commit: &str) -> PathBuf {
    Path::new(RunFile::Gates.name()).join(format!("experiment-{commit}"))
}

/// Returns the name that the logs of the gates have once round `round` of rework has begun.
#[must_use]
pub fn gates_before_rework(round: u32) -> String {
    format!("{}{BEFORE_REWORK}{round}", RunFile::Gates.name())
}

/// Tells whether a name in the folder of a run is one of logs of gates, of whichever round.
#[must_use]
pub fn is_gates(name: &str) -> bool {
    let Some(rest) = name.strip_prefix(RunFile::Gates.name()) else { return false };
    rest.is_empty() || rest.strip_prefix(BEFORE_REWORK).is_some_and(|round| round.parse::<u32>().is_ok())
}

/// The names of refs, in the store of a run, in bundles and in the repository that a pull request is fetched into.
pub mod refs {
    use implementer_model::record::AttemptId;

    /// The head of the pull request.
    pub const HEAD: &str = "refs/heads/backend-implementer/head";

    /// The commit whose configuration and agent files count.
    pub const RULES: &str = "refs/heads/backend-implementer/rules";

    /// The last integrated commit.
    pub const IMPLEMENTATION: &str = "refs/heads/backend-implementer/implementation";

    /// What makes git name a commit in a bundle; gone again at once.
    pub const BUNDLE_MARK: &str = "refs/tags/backend-implementer-bundle";

    /// What the branch begins with that a subagent finds itself on, before the task's id.
    pub const TASK_BRANCH_PREFIX: &str = "backend-implementer/";

    /// Returns the ref of an attempt's patch.
    #[must_use]
    pub fn patch(id: &AttemptId) -> String {
        format!("refs/implementer/patches/{}/{}", id.task, id.attempt)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_folder_has_two_files_of_one_name() {
        fn distinct(names: impl Iterator<Item = &'static str>) {
            let names: Vec<_> = names.collect();
            let set: std::collections::BTreeSet<_> = names.iter().collect();
            assert_eq!(set.len(), names.len(), "{names:?}");
        }
        distinct(RunFile::ALL.iter().map(|file| file.name()).chain([TASKS]));
        distinct(StateFile::ALL.iter().map(|file| file.name()));
        distinct(JobFile::ALL.iter().map(|file| file.name()));
        // The files of a task lie beside those of its result, and its log beside its slots.
        let task = || TaskFile::ALL.iter().map(|file| file.name());
        distinct(ResultFile::ALL.iter().map(|file| file.name()).chain(task()));
        distinct(AttemptFile::ALL.iter().map(|file| file.name()).chain(task()));
    }

    #[test]
    fn logs_of_gates_are_known_by_their_names_in_every_round() {
        assert!(is_gates(RunFile::Gates.name()));
        assert!((1..12).all(|round| is_gates(&gates_before_rework(round))));
        for other in ["gate", "gates-1", "gates-before-rework-", "gates-before-rework-x", "tasks"] {
            assert!(!is_gates(other), "{other}");
        }
    }
}
