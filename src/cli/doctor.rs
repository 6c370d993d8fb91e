//! `doctor`: says what a run here would miss, before anything that costs money is called.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use clap::Args;
use implementer_model::{
    config::{CONFIG_MAX_BYTES, CONFIG_PATH, Config, DEFAULT_PLAN_FILE},
    diagnostics::Diagnostic,
    plan::Plan,
    roster, text,
    workflow::{GenerateError, PREVIEW_PATH, WORKFLOW_PATH, WorkflowFile, workflows},
};

use tokio_util::sync::CancellationToken;

use super::{
    exit,
    exit::Failure,
    run::{Subject, runtime},
    show,
};
use crate::{
    agent::own_environment,
    coordinator::passed_to_anybody,
    doctor::{self, Check, Side, State},
    errors,
    execution::{self, base_gates::tests_on_last_commit},
    intake::{self, ConfigSource, IntakeError, Sources},
    layout::RUNS_DIR,
    sandbox::{Demand, Sandbox, SandboxError, Surroundings},
    workspace::{new_repository::root_of, store::RunStore},
};

/// Looks for everything that a run on this machine, or on GitHub, would miss.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The repository, or any folder inside it
    #[arg(long, value_name = "DIR", default_value = ".")]
    repo: PathBuf,
    /// The plan [default: .backend-implementer/plan.md in the repository, where there is one]
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,
    /// Let the exit code say what a run on GitHub would miss, too
    #[arg(long)]
    github: bool,
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
    let files: BTreeSet<String> = store.list_files(&head.tree, "")?.into_iter().collect();
    let environment = own_environment();

    let mut checks = vec![configuration(written.is_some(), files.contains(CONFIG_PATH))];
    let source = ConfigSource::Text { name: CONFIG_PATH.to_owned(), text: written.clone().unwrap_or_default() };
    let (plan, of_plan) = plan(&Subject::of_plan(&root, arguments.plan.as_deref()), &store, &root, &source)?;
    checks.extend(of_plan);
    let subject = doctor::Subject {
        config: &config,
        roster: &loaded.roster,
        plan: plan.as_ref(),
        files: &files,
        environment: &environment,
    };
    checks.extend(doctor::look(&subject));
    checks.extend(doctor::counted_only(&config, &intake::text_of(&store, &head)));
    checks.extend(plan.iter().flat_map(|plan| doctor::gates_without_commands(&config, plan)));
    let supervisor = std::env::current_exe().map_err(Failure::outside)?;
    let opened = Sandbox::open(&Surroundings {
        demand: Demand::or_default(config.isolation, false),
        executable: &supervisor,
        environment: &environment,
        scratch: scratch.path(),
        repository: &root,
        run: &root.join(RUNS_DIR),
        objects: &store.object_folders(),
        passed: &passed_to_anybody(&config, &loaded.roster),
        container_action: false,
    });
    let walls = opened.as_ref().map_or_else(|_| Sandbox::none(), Sandbox::clone);
    let inside = (&walls, scratch.path());
    checks.extend(runtime()?.block_on(doctor::look_for_agents(&subject, &root, &supervisor, inside)));
    checks.push(isolation(&opened));
    let program_is_missing =
        checks.iter().any(|check| check.what.starts_with("gate tests: ") && check.state == State::Missing);
    if !arguments.no_gates && !program_is_missing {
        checks.extend(base_gates(&root, &source, scratch.path())?);
    }
    let wanted = workflows(&config, &loaded.roster);
    checks.extend([WORKFLOW_PATH, PREVIEW_PATH].map(|path| workflow_file(&root, path, &config, &wanted)));

    let width = checks.iter().map(|check| check.what.chars().count()).max().unwrap_or_default().min(50);
    for Check { what, state, said, side } in &checks {
        let mark = match (state, side) {
            (State::There, _) => "ok     ",
            (State::Missing, Side::Here) => "MISSING",
            (State::Missing, Side::Github) => "GITHUB ",
            (State::Note, _) => "note   ",
        };
        show::out(&text::terminal(&format!("{mark}  {what:width$}  {said}\n")));
    }
    let (code, verdict) = verdict(&checks, arguments.github);
    show::out(&format!("\n{verdict}\n"));
    Ok(code)
}

/// Says what follows: with which code to end, and in which words.
fn verdict(checks: &[Check], github_counts: bool) -> (u8, String) {
    let missing = |side| checks.iter().filter(|check| check.state == State::Missing && check.side == side).count();
    let (here, github) = (missing(Side::Here), missing(Side::Github));
    let of_here = match here {
        0 if github == 0 => "Nothing is missing.".to_owned(),
        0 => "Nothing is missing for a run here.".to_owned(),
        here => format!("{} missing: a run here would fail.", text::count(here, "thing")),
    };
    let of_github = match github {
        0 => String::new(),
        github => {
            let counts = if github_counts { "" } else { " (`--github` makes that count, too)" };
            format!(" {} missing for a run on GitHub{counts}.", text::count(github, "thing"))
        }
    };
    let fails = here > 0 || github_counts && github > 0;
    (if fails { exit::OUTSIDE_FAILED } else { exit::COMPLETE }, of_here + &of_github)
}

/// Reads the plan as a run would: what is wrong with it is missing, and what is worth knowing is a note.
fn plan(
    subject: &Subject,
    store: &RunStore,
    root: &Path,
    config: &ConfigSource,
) -> Result<(Option<Plan>, Vec<Check>), Failure> {
    let Some(text) = subject.plan_that_is_there(root)? else {
        let said = "is not there; write one, or name another with `--plan`";
        return Ok((None, vec![Check::new(DEFAULT_PLAN_FILE, State::Note, said)]));
    };
    let sources =
        Sources { base: "HEAD", rules: None, plan: &text, config, agent: None, concurrency: None, lock: None };
    let (plan, problems, first) = match intake::take(store, &sources) {
        Ok(intake) => {
            let tasks = text::count(intake.schedule.tasks.len(), "task");
            let said = format!("{tasks} in {}", text::count(intake.schedule.waves.len(), "wave"));
            (Some(intake.plan), intake.warnings, Some(Check::new(text.name, State::There, said)))
        }
        Err(IntakeError::Invalid(problems)) => (None, problems, None),
        Err(error) => return Err(error.into()),
    };
    let told = |problem: &Diagnostic| {
        let state = if problem.is_error() { State::Missing } else { State::Note };
        let place = problem.position.map(|position| format!(":{}", position.line)).unwrap_or_default();
        let hint = problem.hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default();
        Check::new(format!("{}{place}", problem.file), state, text::line(&format!("{}{hint}", problem.message)))
    };
    Ok((plan, first.into_iter().chain(problems.iter().map(told)).collect()))
}

/// Runs the tests gate where work would start: what is red before anything is changed stays red.
fn base_gates(root: &Path, config: &ConfigSource, scratch: &Path) -> Result<Vec<Check>, Failure> {
    let (stop, runtime) = (CancellationToken::new(), runtime()?);
    let receipts = runtime.block_on(tests_on_last_commit(root, config, scratch, &stop));
    Ok(match receipts {
        Ok(receipts) => receipts.iter().map(doctor::base_gate).collect(),
        Err(error) => {
            let said = format!("the tests could not be run on the last commit: {}", errors::chain(&error));
            vec![Check::new("gate tests on the last commit", State::Missing, said)]
        }
    })
}

fn configuration(written: bool, committed: bool) -> Check {
    let (state, said) = match (written, committed) {
        (true, true) => (State::There, "is valid"),
        (true, false) => (State::Missing, "is valid, and not committed: a run follows it as it is committed"),
        (false, _) => (State::Note, "is not there, so that the defaults count; `backend-implementer init` writes one"),
    };
    Check::new(CONFIG_PATH, state, said)
}

/// Says what keeps subagents apart here.
fn isolation(opened: &Result<Sandbox, SandboxError>) -> Check {
    let (state, said) = match opened {
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
        Err(error) => (State::Missing, errors::chain(error)),
    };
    Check::new("isolation", state, said)
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
    Check::of_github(path, state, said)
}
