//! From a plan and a repository to everything that a run needs to know before it starts: plan, roster, configuration,
//! schedule, lock. `plan` shows it, `run` follows it.

pub mod plan_files;

use std::path::Path;

use implementer_model::{
    config::{AgentKind, CONFIG_PATH, Config},
    diagnostics::{self, Diagnostic, Severity},
    gate::AskedBy,
    ids::Digest,
    lock::{Lock, LockMismatch},
    means,
    plan::{self, Dialect, Plan, Settings},
    provenance::Provenance,
    roster::{self, AgentFile, Roster},
    run::CountedOnly,
    schedule::{self, Schedule},
};

use crate::{
    agent,
    workspace::{
        WorkspaceError,
        store::{Base, RunStore},
    },
};

/// The folders in which agent files are looked for.
const AGENT_FOLDERS: [&str; 2] = [".claude/agents", ".github/agents"];

/// The plan as it came in.
#[derive(Debug, Clone)]
pub struct PlanText {
    /// The name under which the user knows it.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// The line, from 1, on which it begins in the text that it was taken from; 1 for a file.
    pub first_line: usize,
    /// The dialect that the user insists on.
    pub dialect: Option<Dialect>,
}

/// Where the configuration comes from.
#[derive(Debug, Clone)]
pub enum ConfigSource {
    /// The file in the repository, as the commit with the rules has it.
    Base,
    /// A file that the user named.
    Text {
        /// Its name, for messages.
        name: String,
        /// Its text.
        text: String,
    },
}

/// What a run needs to know before it starts.
#[derive(Debug, Clone)]
pub struct Intake {
    /// The commit that the implementation starts from.
    pub base: Base,
    /// The commit that says who may do what: that of configuration and agent files.
    pub rules: Base,
    /// The plan.
    pub plan: Plan,
    /// The subagents that can be called.
    pub roster: Roster,
    /// The configuration.
    pub config: Config,
    /// Tasks and waves.
    pub schedule: Schedule,
    /// Plan, base and roster, bound together.
    pub lock: Lock,
    /// Where plan and approval are from; empty for a local plan.
    pub provenance: Provenance,
    /// What is worth knowing although nothing is wrong enough to stop.
    pub warnings: Vec<Diagnostic>,
}

/// Says why a run cannot start.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// The plan, the configuration or an agent file is wrong; every problem is listed.
    #[error("{}", summarise(.0))]
    Invalid(Vec<Diagnostic>),
    /// Another lock was approved.
    #[error(transparent)]
    Lock(#[from] LockMismatch),
    /// The repository could not be read.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
}

fn summarise(diagnostics: &[Diagnostic]) -> String {
    let errors = diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).count();
    format!("fix {} before anything can run", implementer_model::text::count(errors, "problem"))
}

/// Reads the agent files as a commit has them: what lies uncommitted in a checkout has no say in who may touch what.
///
/// # Errors
/// When a file cannot be read from the object store.
pub fn roster_files(store: &RunStore, rules: &Base) -> Result<Vec<AgentFile>, WorkspaceError> {
    let mut files = Vec::new();
    for folder in AGENT_FOLDERS {
        for path in store.list_files(&rules.tree, folder)? {
            if !roster::is_agent_file(&path) {
                continue;
            }
            if let Some(content) = store.read_file(&rules.tree, &path)? {
                files.push(AgentFile { path, content });
            }
        }
    }
    Ok(files)
}

/// Reads the configuration as the commit with the rules has it, or from the file that the user named.
///
/// # Errors
/// When it cannot be read from the object store. What is wrong with it is inside.
pub fn read_config(
    store: &RunStore,
    rules: &Base,
    source: &ConfigSource,
) -> Result<Result<Config, Vec<Diagnostic>>, WorkspaceError> {
    Ok(match source {
        ConfigSource::Text { name, text } => Config::read(name, text, &agent::kinds()),
        ConfigSource::Base => {
            let bytes = store.read_file(&rules.tree, CONFIG_PATH)?.unwrap_or_default();
            Config::read(CONFIG_PATH, &String::from_utf8_lossy(&bytes), &agent::kinds())
        }
    })
}

/// What to take in, and from where.
#[derive(Debug, Clone, Copy)]
pub struct Sources<'a> {
    /// The commit that the implementation starts from.
    pub base: &'a str,
    /// The commit that says who may do what: configuration and agent files are read from it. On a pull request that is
    /// the branch it goes into, because what a pull request proposes has no say about itself. `None` is `base`.
    pub rules: Option<&'a str>,
    /// The plan.
    pub plan: &'a PlanText,
    /// The configuration.
    pub config: &'a ConfigSource,
    /// The kind of agent that does the work, in place of what the configuration says.
    pub agent: Option<&'a AgentKind>,
    /// How many subagents run at one time, in place of what the configuration says.
    pub concurrency: Option<usize>,
    /// The digest that was approved, when there is one.
    pub lock: Option<&'a str>,
}

/// Reads plan, configuration and roster, makes the schedule and the lock. All problems are reported in one go.
///
/// # Errors
/// When the repository cannot be read, anything in plan, configuration or agent files is wrong, or the lock differs.
pub fn take(store: &RunStore, sources: &Sources<'_>) -> Result<Intake, IntakeError> {
    let Sources { plan: plan_text, concurrency, lock, .. } = *sources;
    let base = store.resolve(sources.base)?;
    let rules = sources.rules.map_or_else(|| Ok(base.clone()), |rules| store.resolve(rules))?;
    let mut problems = Vec::new();

    let mut config = read_config(store, &rules, sources.config)?.unwrap_or_else(|wrong| {
        problems.extend(wrong);
        Config::default()
    });
    config.concurrency = concurrency.or(config.concurrency);
    if let Some(kind) = sources.agent {
        config.agent.kind = Some(kind.clone());
    }

    let loaded = roster::load(&roster_files(store, &rules)?, &config);
    problems.extend(loaded.diagnostics);
    let (roster, guessed) = (loaded.roster, loaded.guessed);

    let settings = Settings { dialect: plan_text.dialect, ..Settings::new(&config) };
    let mut reading = plan::read(&plan_text.name, &plan_text.bytes, &roster, &settings);
    diagnostics::shift(&mut reading.diagnostics, &plan_text.name, plan_text.first_line);
    problems.extend(reading.diagnostics);

    let asks_for_files = reading.plan.as_ref().is_some_and(|plan| schedule::asks_for_files(plan, &roster));
    let files = if asks_for_files { store.list_files(&base.tree, "")? } else { Vec::new() };
    let schedule =
        reading.plan.as_ref().map(|plan| schedule::build(plan, &roster, &config, &config.protected_paths(), &files));
    let (Some(plan), Some(Ok(schedule))) = (&reading.plan, &schedule) else {
        problems.extend(schedule.and_then(Result::err).unwrap_or_default());
        return Err(invalid(problems));
    };
    if problems.iter().any(Diagnostic::is_error) {
        return Err(invalid(problems));
    }

    let called: Vec<_> = schedule.tasks.iter().map(|task| &task.subagent).collect();
    let called: Vec<_> = roster.iter().filter(|subagent| called.contains(&&subagent.name)).collect();
    problems.extend(means::unkept(called.iter().copied(), &config, agent::abilities));
    problems.extend(schedule.widened.iter().map(|widened| widened.note(plan)));
    problems.extend(counted_only(plan, &config, &text_of(store, &base)));
    let guessed = guessed.iter().filter(|guess| called.iter().any(|subagent| subagent.name == guess.subagent));
    problems.extend(roster::notes::roles_to_confirm(guessed));

    let who = Digest::of_parts([roster.digest().as_str().as_bytes(), config.digest().as_str().as_bytes()]);
    let approved = Lock::new(plan.digest.clone(), base.commit.clone(), who);
    if let Some(named) = lock {
        approved.check(named)?;
    }
    diagnostics::sort(&mut problems);
    Ok(Intake {
        base,
        rules,
        plan: plan.clone(),
        roster,
        config,
        schedule: schedule.clone(),
        lock: approved,
        provenance: Provenance::default(),
        warnings: problems,
    })
}

/// The largest file that is read to see what a command of a gate starts, in bytes.
const RECIPE_MAX: usize = 256 * 1024;

/// Returns a reader of the text files of a commit.
pub fn text_of<'a>(store: &'a RunStore, base: &'a Base) -> impl Fn(&str) -> Option<String> + 'a {
    |path| {
        let content = store.read_file(&base.tree, path).ok()??;
        String::from_utf8(content).ok().filter(|text| text.len() <= RECIPE_MAX)
    }
}

/// Says of which commands of the tests gate no test will be known by name, before anybody is paid for.
fn counted_only(plan: &Plan, config: &Config, read: &dyn Fn(&str) -> Option<String>) -> Vec<Diagnostic> {
    let counted = CountedOnly::all(Some(plan), config, read);
    let diagnostic = |command: &CountedOnly| {
        let file = match command.asked_by {
            AskedBy::Plan => plan.source.as_str(),
            AskedBy::Configuration => CONFIG_PATH,
        };
        let (message, hint) = command.said();
        Diagnostic::new(Severity::Warning, "tests-without-names", file, message).hint(hint)
    };
    counted.iter().map(diagnostic).collect()
}

fn invalid(mut problems: Vec<Diagnostic>) -> IntakeError {
    diagnostics::sort(&mut problems);
    IntakeError::Invalid(problems)
}

/// Reads agent files from a folder on the disk, for linting what is not committed yet.
///
/// # Errors
/// When a folder or file is there but cannot be read.
pub fn roster_files_on_disk(repository: &Path) -> std::io::Result<Vec<AgentFile>> {
    let mut files = Vec::new();
    for folder in AGENT_FOLDERS {
        let mut folders = vec![repository.join(folder)];
        while let Some(dir) = folders.pop() {
            let entries = match std::fs::read_dir(&dir) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                entries => entries?,
            };
            for entry in entries {
                let entry = entry?;
                let kind = entry.file_type()?;
                if kind.is_dir() {
                    folders.push(entry.path());
                }
                let Some(path) = entry.path().strip_prefix(repository).ok().and_then(Path::to_str).map(str::to_owned)
                else {
                    continue;
                };
                if kind.is_file() && roster::is_agent_file(&path) {
                    files.push(AgentFile {
                        path,
                        content: crate::untrusted::read_named(&entry.path(), roster::AGENT_FILE_MAX_BYTES)?,
                    });
                }
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}
