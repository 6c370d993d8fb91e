//! What the runner tells a step through its environment, and the files through which the step answers.

use std::{
    collections::BTreeMap,
    fs::OpenOptions,
    io::Write as _,
    path::{Path, PathBuf},
};

use implementer_model::github_ids::{RunId, RunKey};

/// The most that one step may write into its summary, in bytes ("Adding a job summary", docs.github.com).
pub(super) const STEP_SUMMARY_MAX_BYTES: usize = 1024 * 1024;

/// The largest event that is read, in bytes. GitHub caps webhook payloads at 25 MB.
const EVENT_MAX_BYTES: u64 = 25 * 1024 * 1024;

/// The inputs of the action, as `action.yml` has them.
pub const INPUTS: [&str; 32] = [
    "command",
    "pr",
    "plan",
    "lock",
    "task",
    "agent",
    "config",
    "jobs",
    "time-limit",
    "out",
    "token",
    "fan-out",
    "layout",
    "work",
    "work-result",
    "settled",
    "tasks",
    "wave",
    "slot",
    "succeeded",
    "state",
    "head",
    "results",
    "unsettled",
    "planned",
    "due",
    "cancelled",
    "branch",
    "on-complete",
    "dispatched",
    "dispatch-token",
    "job",
];

/// The outputs of the action, as `action.yml` has them.
pub const OUTPUTS: [&str; 17] = [
    "status",
    "lock",
    "waves",
    "comment-id",
    "run-path",
    "summary-path",
    "handoff-path",
    "state",
    "head",
    "matrix",
    "last",
    "gates",
    "settle",
    "due",
    "dispatch",
    "tasks",
    "folder",
];

/// Says why the program cannot work as an action.
#[derive(Debug, thiserror::Error)]
pub enum RunnerError {
    /// This is not GitHub Actions.
    #[error(
        "this is not a step of GitHub Actions: `GITHUB_ACTIONS` is not `true`. \
         On a laptop, use `run --pr OWNER/REPO#NUMBER` or `plan --pr OWNER/REPO#NUMBER`"
    )]
    NotActions,
    /// A variable that every step has is missing.
    #[error("the runner did not set `{0}`; start this as a step of a workflow, with `uses:`")]
    Missing(&'static str),
    /// An input has a value that cannot be.
    #[error("the input `{name}` is `{}`: {wanted}", implementer_model::text::terminal(.value))]
    Input {
        /// The input.
        name: &'static str,
        /// What was given.
        value: String,
        /// What can be.
        wanted: &'static str,
    },
    /// A file of the runner's cannot be read or written.
    #[error("cannot {doing} {path}")]
    File {
        /// `read` or `write to`.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

/// The runner, as this step sees it.
#[derive(Debug, Clone)]
pub struct Runner {
    variables: BTreeMap<String, String>,
}

impl Runner {
    /// Looks at the environment of a step.
    ///
    /// # Errors
    /// When it is none.
    pub fn new(variables: BTreeMap<String, String>) -> Result<Self, RunnerError> {
        let runner = Self { variables };
        if runner.get("GITHUB_ACTIONS") == Some("true") { Ok(runner) } else { Err(RunnerError::NotActions) }
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    fn required(&self, name: &'static str) -> Result<&str, RunnerError> {
        self.get(name).ok_or(RunnerError::Missing(name))
    }

    /// Returns an input of the action; an empty one is not given.
    #[must_use]
    pub fn input(&self, name: &str) -> Option<&str> {
        debug_assert!(INPUTS.contains(&name), "`{name}` is no input of the action");
        // The runner upper-cases names and leaves hyphens, which no shell can set.
        let as_the_runner = format!("INPUT_{}", name.to_uppercase());
        let given = |variable: &str| self.get(variable).map(str::trim).filter(|value| !value.is_empty());
        given(&as_the_runner).or_else(|| given(&as_the_runner.replace('-', "_")))
    }

    /// Returns an input that is a number.
    ///
    /// # Errors
    /// When it is something else.
    pub fn number(&self, name: &'static str) -> Result<Option<u64>, RunnerError> {
        self.input(name)
            .map(|value| {
                let wanted = "give a whole number";
                value.parse().map_err(|_| RunnerError::Input { name, value: value.to_owned(), wanted })
            })
            .transpose()
    }

    /// Returns what an earlier phase of this step has saved.
    #[must_use]
    pub fn state(&self, name: &str) -> Option<&str> {
        self.get(&format!("STATE_{name}"))
    }

    /// Returns the name of the event that started the workflow.
    ///
    /// # Errors
    /// When the runner did not say.
    pub fn event_name(&self) -> Result<&str, RunnerError> {
        self.required("GITHUB_EVENT_NAME")
    }

    /// Reads the event's payload.
    ///
    /// # Errors
    /// When its file is not there.
    pub fn event(&self) -> Result<Vec<u8>, RunnerError> {
        use std::io::Read as _;
        let path = PathBuf::from(self.required("GITHUB_EVENT_PATH")?);
        let mut bytes = Vec::new();
        std::fs::File::open(&path)
            .and_then(|file| file.take(EVENT_MAX_BYTES).read_to_end(&mut bytes))
            .map_err(|source| RunnerError::File { doing: "read the event from", path, source })?;
        Ok(bytes)
    }

    /// Returns the repository as `OWNER/REPO`.
    ///
    /// # Errors
    /// When the runner did not say.
    pub fn repository(&self) -> Result<&str, RunnerError> {
        self.required("GITHUB_REPOSITORY")
    }

    /// Returns the workspace.
    ///
    /// # Errors
    /// When the runner did not say.
    pub fn workspace(&self) -> Result<PathBuf, RunnerError> {
        self.required("GITHUB_WORKSPACE").map(PathBuf::from)
    }

    /// Returns the folder that the runner empties when a job ends.
    ///
    /// # Errors
    /// When the runner did not say.
    pub fn temp(&self) -> Result<PathBuf, RunnerError> {
        self.required("RUNNER_TEMP").map(PathBuf::from)
    }

    /// Returns the base of the REST interface.
    #[must_use]
    pub fn api_url(&self) -> &str {
        self.get("GITHUB_API_URL").unwrap_or("https://api.github.com")
    }

    /// Returns the GraphQL endpoint.
    #[must_use]
    pub fn graphql_url(&self) -> &str {
        self.get("GITHUB_GRAPHQL_URL").unwrap_or("https://api.github.com/graphql")
    }

    /// Returns where GitHub's pages and repositories are.
    #[must_use]
    pub fn server_url(&self) -> &str {
        self.get("GITHUB_SERVER_URL").unwrap_or("https://github.com").trim_end_matches('/')
    }

    /// Returns the token: the input, else `GITHUB_TOKEN`.
    #[must_use]
    pub fn token(&self) -> Option<&str> {
        self.input("token").or_else(|| self.get("GITHUB_TOKEN"))
    }

    /// Returns run and attempt, such as `123456/1`: what a claim or a check run is known by.
    ///
    /// # Errors
    /// When the runner did not say.
    pub fn run_key(&self) -> Result<RunKey, RunnerError> {
        Ok(RunKey::Workflow { run: self.run_id()?, attempt: self.attempt()? })
    }

    /// Returns the id of the workflow run.
    ///
    /// # Errors
    /// When the runner did not say.
    pub fn run_id(&self) -> Result<RunId, RunnerError> {
        self.required("GITHUB_RUN_ID")?.parse().map_err(|_| RunnerError::Missing("GITHUB_RUN_ID"))
    }

    /// Returns which attempt at the workflow run this is, from 1. An approval of the first is none of a later one.
    ///
    /// # Errors
    /// When the runner did not say.
    pub fn attempt(&self) -> Result<u32, RunnerError> {
        let attempt = self.required("GITHUB_RUN_ATTEMPT")?.parse().ok().filter(|attempt| *attempt > 0);
        attempt.ok_or(RunnerError::Missing("GITHUB_RUN_ATTEMPT"))
    }

    /// Returns who caused this attempt at the workflow run.
    ///
    /// # Errors
    /// When the runner did not say.
    pub fn triggering_actor(&self) -> Result<&str, RunnerError> {
        self.required("GITHUB_TRIGGERING_ACTOR")
    }

    /// Returns the page of the workflow run.
    ///
    /// # Errors
    /// When the runner did not say.
    pub fn run_url(&self) -> Result<String, RunnerError> {
        Ok(format!("{}/{}/actions/runs/{}", self.server_url(), self.repository()?, self.required("GITHUB_RUN_ID")?))
    }

    /// Returns the name of the workflow.
    #[must_use]
    pub fn workflow(&self) -> Option<&str> {
        self.get("GITHUB_WORKFLOW")
    }

    /// Sets an output of the step.
    ///
    /// # Errors
    /// When the runner's file cannot be written.
    pub fn set_output(&self, name: &str, value: &str) -> Result<(), RunnerError> {
        debug_assert!(OUTPUTS.contains(&name), "`{name}` is no output of the action");
        self.set("GITHUB_OUTPUT", name, value)
    }

    /// Sets the output in which a job of a matrix says what it uploaded. Every job of a matrix has an output of its own:
    /// of one that they shared, the last to end would have the say.
    ///
    /// # Errors
    /// When the runner's file cannot be written.
    pub fn set_slot(&self, slot: u64, value: &str) -> Result<(), RunnerError> {
        self.set("GITHUB_OUTPUT", &format!("slot-{slot}"), value)
    }

    /// Sets the output with the jobs of a wave of the plan; that of the first wave has no number.
    ///
    /// # Errors
    /// When the runner's file cannot be written.
    pub fn set_matrix(&self, wave: usize, value: &str) -> Result<(), RunnerError> {
        self.set("GITHUB_OUTPUT", &format!("matrix-{wave}"), value)
    }

    /// Saves something for the step that runs after everything, whatever became of this one.
    ///
    /// # Errors
    /// When the runner's file cannot be written.
    pub fn save_state(&self, name: &str, value: &str) -> Result<(), RunnerError> {
        self.set("GITHUB_STATE", name, value)
    }

    fn set(&self, file: &'static str, name: &str, value: &str) -> Result<(), RunnerError> {
        // A runner without the file is an emulation of one; there is nobody to tell.
        let Some(path) = self.get(file) else { return Ok(()) };
        let delimiter = delimiter(value);
        append(Path::new(path), format!("{name}<<{delimiter}\n{value}\n{delimiter}\n").as_bytes())
    }

    /// Appends Markdown to the summary of the step. What is beyond its limit is left out, and the text says so.
    ///
    /// # Errors
    /// When the runner's file cannot be written.
    pub fn append_summary(&self, markdown: &str) -> Result<(), RunnerError> {
        let Some(path) = self.get("GITHUB_STEP_SUMMARY").map(Path::new) else { return Ok(()) };
        let written =
            std::fs::metadata(path).map_or(0, |metadata| usize::try_from(metadata.len()).unwrap_or(usize::MAX));
        let note = "\n\nThe rest does not fit into a step's summary.\n";
        let room = STEP_SUMMARY_MAX_BYTES.saturating_sub(written);
        if markdown.len() <= room {
            return append(path, markdown.as_bytes());
        }
        let end = markdown.floor_char_boundary(room.saturating_sub(note.len()));
        append(path, format!("{}{note}", &markdown[..end]).as_bytes())
    }
}

/// Makes up a line that ends a value: one that nobody can know beforehand, and that is not in the value.
fn delimiter(value: &str) -> String {
    loop {
        let delimiter = format!("end-{}", random());
        if !value.contains(&delimiter) {
            return delimiter;
        }
    }
}

/// Returns 128 random bits in hex.
#[must_use]
pub fn random() -> String {
    let mut bytes = [0; 16];
    if getrandom::fill(&mut bytes).is_err() {
        // No source of randomness: what comes closest to being unknown to whoever wrote the text.
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |now| now.as_nanos());
        bytes = (now ^ u128::from(std::process::id()).rotate_left(64)).to_le_bytes();
    }
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn append(path: &Path, bytes: &[u8]) -> Result<(), RunnerError> {
    OpenOptions::new()
        .append(true)
        .create(true)
        .open(path)
        .and_then(|mut file| file.write_all(bytes))
        .map_err(|source| RunnerError::File { doing: "write to", path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runner(folder: &Path) -> Runner {
        let file = |name: &str| folder.join(name).display().to_string();
        let variables = [
            ("GITHUB_ACTIONS", "true".to_owned()),
            ("GITHUB_OUTPUT", file("output")),
            ("GITHUB_STEP_SUMMARY", file("summary")),
            ("INPUT_TIME-LIMIT", " 12 ".to_owned()),
            ("INPUT_LOCK", String::new()),
            ("INPUT_ON_COMPLETE", "next.yml".to_owned()),
        ];
        Runner::new(variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()).unwrap()
    }

    #[test]
    fn outside_of_actions_it_says_what_to_use() {
        let error = Runner::new(BTreeMap::new()).unwrap_err().to_string();
        assert!(error.contains("run --pr OWNER/REPO#NUMBER"), "{error}");
    }

    #[test]
    fn inputs_are_found_as_the_runner_writes_them() {
        let folder = tempfile::tempdir().unwrap();
        let runner = runner(folder.path());
        assert_eq!(runner.number("time-limit").unwrap(), Some(12));
        assert_eq!(runner.input("lock"), None);
        assert_eq!(runner.input("on-complete"), Some("next.yml"), "a shell cannot set a name with a hyphen");
        assert!(runner.number("jobs").unwrap().is_none());
    }

    #[test]
    fn a_value_cannot_set_another_output() {
        let folder = tempfile::tempdir().unwrap();
        runner(folder.path()).set_output("status", "x\nEOF\nlock=forged").unwrap();
        let written = std::fs::read_to_string(folder.path().join("output")).unwrap();
        let (name, rest) = written.split_once("<<").unwrap();
        let (delimiter, value) = rest.split_once('\n').unwrap();
        assert_eq!(name, "status");
        assert_eq!(value, format!("x\nEOF\nlock=forged\n{delimiter}\n"));
    }

    #[test]
    fn a_summary_stays_within_its_limit_and_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let runner = runner(folder.path());
        runner.append_summary("first\n").unwrap();
        runner.append_summary(&"ä".repeat(STEP_SUMMARY_MAX_BYTES)).unwrap();
        let written = std::fs::read_to_string(folder.path().join("summary")).unwrap();
        assert!(written.len() <= STEP_SUMMARY_MAX_BYTES);
        assert!(written.starts_with("first\n") && written.ends_with("does not fit into a step's summary.\n"));
    }
}
