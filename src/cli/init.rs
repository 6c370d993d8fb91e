//! `init`: looks at the repository, writes configuration, workflows and, when asked, a first plan, and says why. Never writes
//! over anything, and asks nothing.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use clap::{
    Args,
    builder::{PossibleValuesParser, TypedValueParser},
};
use implementer_model::{
    config::{CONFIG_PATH, DEFAULT_PLAN_FILE, Layout},
    starter::{self, Program, Repository, Start, Variables, Wishes},
    text,
    workflow::{PREVIEW_PATH, WORKFLOW_PATH},
};

use super::{exit, exit::Failure, generate, show};
use crate::{
    agent,
    workspace::{fetch, new_repository::root_of},
};

/// Our own repository: the one place that names it is the manifest.
pub(super) const REPOSITORY: &str = env!("CARGO_PKG_REPOSITORY");

/// What stands for a commit until somebody puts the right one.
const NO_COMMIT: &str = "0000000000000000000000000000000000000000";

/// The most files that are looked at.
const FILES_MAX: usize = 50_000;

/// Folders that are other people's, or made by tools.
const SKIPPED: [&str; 8] = [".git", "node_modules", "target", "vendor", "dist", "__pycache__", ".venv", ".tools"];

/// Writes configuration, workflows and a first plan, from what stands in the repository.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The repository, or any folder inside it
    #[arg(long, value_name = "DIR", default_value = ".")]
    repo: PathBuf,
    /// The kind of agent that does the work [default: the one that the repository has traces of, else claude]
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(agent::kinds()))]
    agent: Option<String>,
    /// How the work is spread over jobs
    #[arg(long, value_name = "LAYOUT", default_value = "one-job", value_parser = layout())]
    layout: Layout,
    /// The action, as OWNER/REPO@COMMIT [default: the release that this program is of]
    #[arg(long, value_name = "ACTION")]
    action: Option<String>,
    /// Write a first plan to try, too
    #[arg(long)]
    plan: bool,
}

fn layout() -> impl TypedValueParser<Value = Layout> {
    PossibleValuesParser::new(Layout::ALL.map(Layout::name))
        .try_map(|name| Layout::parse(&name).ok_or("no such layout"))
}

pub(super) fn run(arguments: &Arguments) -> Result<u8, Failure> {
    let root = root_of(&arguments.repo)?;
    let repository = look(&root).context("cannot look at the repository").map_err(Failure::outside)?;
    let action = arguments.action.clone().unwrap_or_else(own_action);
    let wishes = Wishes {
        agent: arguments.agent.clone(),
        layout: arguments.layout,
        action: action.clone(),
        programs: programs(),
    };
    let start = starter::start(&repository, &wishes);
    let configured = put(&root, CONFIG_PATH, &start.configuration)?;
    if configured {
        for reason in &start.reasons {
            show::out(&text::terminal(&format!("  {}: {}\n", reason.what, reason.because)));
        }
    }
    if arguments.plan {
        put(&root, DEFAULT_PLAN_FILE, &start.plan)?;
    }
    generate::write_missing(&root)?;
    show::out(&next(&start, arguments.plan, action.ends_with(NO_COMMIT)));
    Ok(exit::COMPLETE)
}

/// Says what is left to do: here, and on GitHub.
fn next(start: &Start, has_plan: bool, needs_commit: bool) -> String {
    let other = start.plans.first();
    let mut here: Vec<String> =
        start.secrets.iter().filter(|key| !is_set(key)).map(|key| format!("set {key} in the environment")).collect();
    let plan = match other {
        _ if has_plan => format!("put your own plan into {DEFAULT_PLAN_FILE}"),
        Some(plan) => format!("a plan is there already: `backend-implementer plan --plan {plan}` shows what would run"),
        None => format!("write a plan into {DEFAULT_PLAN_FILE}; `init --plan` writes a first one"),
    };
    here.push(plan);
    here.push(format!(
        "commit {CONFIG_PATH}: a run follows the configuration as it is committed; the workflows are for GitHub alone"
    ));
    here.push("run `backend-implementer doctor`: it says what a run here would miss".to_owned());
    here.push(match other.filter(|_| !has_plan) {
        Some(plan) => format!("run `backend-implementer run --plan {plan}`"),
        None => "run `backend-implementer run`".to_owned(),
    });

    let mut github = Vec::new();
    if needs_commit {
        github.push(format!(
            "put the commit of a release in place of the zeros in {CONFIG_PATH}, then run `backend-implementer generate`;\n   \
             {REPOSITORY}/releases lists them"
        ));
    }
    github.extend(start.secrets.iter().map(|secret| format!("create the secret: gh secret set {secret}")));
    github.push(format!("commit {CONFIG_PATH}, {WORKFLOW_PATH} and {PREVIEW_PATH} to the default branch"));
    github.push(match other.filter(|_| !has_plan) {
        Some(plan) => format!("name {plan} as the plan in {CONFIG_PATH}, and open a pull request that has it"),
        None => format!("open a pull request with {DEFAULT_PLAN_FILE}: its preview says how to start"),
    });
    let numbered = |steps: &[String]| -> String {
        steps.iter().enumerate().map(|(at, step)| format!("{}. {step}\n", at + 1)).collect()
    };
    text::terminal(&format!("\nNext, on this machine:\n{}\nOr on GitHub:\n{}", numbered(&here), numbered(&github)))
}

/// Tells whether a variable is set here.
fn is_set(name: &str) -> bool {
    agent::own_environment().get(name).is_some_and(|value| !value.is_empty())
}

/// Names our own action by the commit of the release that this program is of, as its repository says.
fn own_action() -> String {
    let (server, name) =
        REPOSITORY.rsplit_once(".com/").map_or(("", REPOSITORY), |(_, name)| ("https://github.com", name));
    let server = std::env::var("GITHUB_SERVER_URL").unwrap_or_else(|_| server.to_owned());
    let tag = format!("v{}", env!("CARGO_PKG_VERSION"));
    let commit = fetch::commit_of_tag(&format!("{}/{name}", server.trim_end_matches('/')), &tag);
    match commit {
        Ok(Some(commit)) => format!("{name}@{commit} # {tag}"),
        Ok(None) => {
            tracing::info!(tag, "there is no release of this version");
            format!("{name}@{NO_COMMIT}")
        }
        Err(error) => {
            tracing::info!(%error, "the commit of the release could not be looked up");
            format!("{name}@{NO_COMMIT}")
        }
    }
}

/// Lists the agent programs, with what shows that a team uses one.
fn programs() -> Vec<Program> {
    let traces = |kind: &str| -> &[&str] {
        match kind {
            "claude" => &[".claude", "CLAUDE.md"],
            "codex" => &[".codex"],
            "gemini" => &[".gemini", "GEMINI.md"],
            "opencode" => &[".opencode", "opencode.json"],
            _ => &[],
        }
    };
    let own = agent::own_environment();
    let is_set = |name: &str| own.get(name).is_some_and(|value| !value.is_empty());
    let program = |program: agent::ProgramInfo| Program {
        kind: program.kind.to_owned(),
        install: program.install.to_owned(),
        variables: Variables::from_reach(&program.reach, is_set),
        traces: traces(program.kind).iter().map(|trace| (*trace).to_owned()).collect(),
    };
    agent::programs().into_iter().map(program).collect()
}

/// Lists the files of a repository, and reads those that tell something.
fn look(root: &Path) -> io::Result<Repository> {
    let mut repository = Repository::default();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let (name, kind) = (entry.file_name(), entry.file_type()?);
            if kind.is_dir() {
                if !SKIPPED.iter().any(|skipped| name == *skipped) {
                    folders.push(entry.path());
                }
                continue;
            }
            let path = entry.path();
            let Some(relative) = path.strip_prefix(root).ok().and_then(Path::to_str).filter(|_| kind.is_file()) else {
                continue;
            };
            if repository.paths.len() == FILES_MAX {
                return Ok(repository);
            }
            repository.paths.insert(relative.to_owned());
            if starter::is_read(relative)
                && entry.metadata()?.len() <= starter::FILE_MAX_BYTES
                && let Ok(text) = fs::read_to_string(&path)
            {
                repository.texts.insert(relative.to_owned(), text);
            }
        }
    }
    Ok(repository)
}

/// Writes a file that is not there yet, and says so. `false` when something is.
fn put(root: &Path, path: &str, content: &str) -> Result<bool, Failure> {
    let written = write_new(&root.join(path), content);
    let written = written.with_context(|| format!("cannot write {path}")).map_err(Failure::outside)?;
    show::out(&format!("{} {path}\n", if written { "wrote" } else { "kept what is there:" }));
    Ok(written)
}

fn write_new(path: &Path, content: &str) -> io::Result<bool> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    match fs::OpenOptions::new().write(true).create_new(true).open(path) {
        Ok(mut file) => file.write_all(content.as_bytes()).map(|()| true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}
