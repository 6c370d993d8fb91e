//! `doctor`: says what a run here would miss, before anything that costs money is called.

use std::path::{Path, PathBuf};

use clap::Args;
use implementer_model::{
    config::{CONFIG_MAX_BYTES, CONFIG_PATH, Config},
    roster, text,
    workflow::{GenerateError, PREVIEW_PATH, WORKFLOW_PATH, WorkflowFile, workflows},
};

use tokio_util::sync::CancellationToken;

use super::{exit, exit::Failure, run::runtime, show};
use crate::{
    agent::own_environment,
    doctor::{self, Check, State, Subject},
    errors,
    execution::{self, base_gates::tests_on_last_commit},
    intake::{self, ConfigSource},
    layout::RUNS_DIR,
    sandbox::{Demand, Sandbox, Surroundings},
    workspace::{new_repository::root_of, store::RunStore},
};

/// Looks for everything that a run on this machine would miss.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The repository, or any folder inside it
    #[arg(long, value_name = "DIR", default_value = ".")]
    repo: PathBuf,
    /// Do not run the commands of the tests gate on the last commit
    #[arg(long)]
    no_gates: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<u8, Failure> {
    let root = root_of(&arguments.repo)?;
    // As `agents` and `generate`, this reads the checkout: it helps whoever is still writing.
    let written = match crate::untrusted::read_named_text(&root.join(CONFIG_PATH), CONFIG_MAX_BYTES) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => {
            return Err(Failure::outside(anyhow::Error::from(error).context(format!("cannot read {CONFIG_PATH}"))));
        }
    };
    let config = Config::read(CONFIG_PATH, written.as_deref().unwrap_or_default(), &crate::agent::kinds())
        .map_err(|wrong| Failure::diagnosed(wrong, "the configuration"))?;
    let files = intake::roster_files_on_disk(&root).map_err(Failure::outside)?;
    let loaded = roster::load(&files, &config);

    let scratch = execution::scratch()?;
    let store = RunStore::create(&root, &scratch.path().join("probe.git"))?;
    let head = store.resolve("HEAD")?;
    let files = store.list_files(&head.tree, "")?.into_iter().collect();
    let environment = own_environment();
    let subject =
        Subject { config: &config, roster: &loaded.roster, plan: None, files: &files, environment: &environment };

    let mut checks = vec![configuration(written.is_some())];
    checks.extend(doctor::look(&subject));
    checks.extend(doctor::counted_only(&config, &intake::text_of(&store, &head)));
    let supervisor = std::env::current_exe().map_err(Failure::outside)?;
    checks.extend(runtime()?.block_on(doctor::look_for_agents(&subject, &root, &supervisor, scratch.path())));
    checks.push(isolation(&Surroundings {
        demand: Demand::or_default(config.isolation, false),
        executable: &supervisor,
        environment: &environment,
        scratch: scratch.path(),
        repository: &root,
        run: &root.join(RUNS_DIR),
        objects: &store.object_folders(),
        passed: &config.pass_environment,
        container_action: false,
    }));
    let program_is_missing =
        checks.iter().any(|check| check.what.starts_with("gate ") && check.state == State::Missing);
    if !arguments.no_gates && !program_is_missing {
        checks.extend(base_gates(&root, written, scratch.path())?);
    }
    let wanted = workflows(&config, &loaded.roster);
    checks.extend([WORKFLOW_PATH, PREVIEW_PATH].map(|path| workflow_file(&root, path, &config, &wanted)));

    let width = checks.iter().map(|check| check.what.chars().count()).max().unwrap_or_default().min(50);
    for Check { what, state, said } in &checks {
        let mark = match state {
            State::There => "ok     ",
            State::Missing => "MISSING",
            State::Note => "note   ",
        };
        show::out(&text::terminal(&format!("{mark}  {what:width$}  {said}\n")));
    }
    let missing = checks.iter().filter(|check| check.state == State::Missing).count();
    if missing == 0 {
        show::out("\nNothing is missing.\n");
        return Ok(exit::COMPLETE);
    }
    let of_github = checks.iter().filter(|check| check.state == State::Missing && check.what == WORKFLOW_PATH).count();
    let where_ = if of_github == missing { "on GitHub would fail; one here would not" } else { "here would fail" };
    show::out(&format!("\n{} missing: a run {where_}.\n", text::count(missing, "thing")));
    Ok(exit::OUTSIDE_FAILED)
}

/// Runs the tests gate where work would start: what is red before anything is changed stays red.
fn base_gates(root: &Path, config: Option<String>, scratch: &Path) -> Result<Vec<Check>, Failure> {
    let config = ConfigSource::Text { name: CONFIG_PATH.to_owned(), text: config.unwrap_or_default() };
    let (stop, runtime) = (CancellationToken::new(), runtime()?);
    let receipts = runtime.block_on(tests_on_last_commit(root, &config, scratch, &stop));
    Ok(match receipts {
        Ok(receipts) => receipts.iter().map(doctor::base_gate).collect(),
        Err(error) => {
            let said = format!("the tests could not be run on the last commit: {}", errors::chain(&error));
            vec![Check { what: "gate tests on the last commit".to_owned(), state: State::Missing, said }]
        }
    })
}

fn configuration(written: bool) -> Check {
    let (state, said) = if written {
        (State::There, "is valid")
    } else {
        (State::Note, "is not there, so that the defaults count; `backend-implementer init` writes one")
    };
    Check { what: CONFIG_PATH.to_owned(), state, said: said.to_owned() }
}

/// Tries what can keep subagents apart here.
fn isolation(surroundings: &Surroundings<'_>) -> Check {
    let (state, said) = match Sandbox::open(surroundings) {
        Ok(sandbox) if sandbox.level().is_wall() => {
            let open = sandbox.isolation().open.iter().map(|open| format!("; {open}")).collect::<String>();
            (State::There, format!("`{}`: {}{open}", sandbox.level(), sandbox.level().meaning()))
        }
        Ok(sandbox) => {
            let isolation = sandbox.isolation();
            let why = isolation.passed_over.join("; ");
            let open = isolation.left_open().join("; ");
            let said = format!("only `{}`: {}. Left open: {open}. {why}", isolation.level, isolation.level.meaning());
            (State::Note, said)
        }
        Err(error) => (State::Missing, errors::chain(&error)),
    };
    Check { what: "isolation".to_owned(), state, said }
}

fn workflow_file(root: &Path, path: &str, config: &Config, wanted: &Result<[WorkflowFile; 2], GenerateError>) -> Check {
    let there = std::fs::read_to_string(root.join(path)).ok();
    let (state, said) = match (there, wanted) {
        (None, _) => (State::Note, "is not there; `backend-implementer generate` writes it".to_owned()),
        (Some(_), Err(error)) => (State::Note, errors::chain(error)),
        (Some(there), Ok(wanted)) if wanted.iter().any(|file| file.path == path && file.text == there) => {
            if config.workflow.action.as_deref().is_some_and(|action| action.ends_with(&"0".repeat(40))) {
                (
                    State::Missing,
                    "names no commit of the action: put that of a release in place of the zeros".to_owned(),
                )
            } else {
                (State::There, "is up to date".to_owned())
            }
        }
        (Some(_), Ok(_)) => {
            (State::Note, "is not what would be generated: `backend-implementer generate --check` shows why".to_owned())
        }
    };
    Check { what: path.to_owned(), state, said }
}
