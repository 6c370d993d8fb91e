//! `import`: writes a plan of any dialect in ours, so that a person can correct who does what.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use implementer_model::{
    config::{CONFIG_MAX_BYTES, CONFIG_PATH, Config},
    diagnostics::Diagnostic,
    plan::{self, Dialect, Settings},
    roster,
};

use super::{exit, exit::Failure, run, show};
use crate::{
    agent,
    intake::{self, IntakeError, plan_files},
};

/// Writes any plan in our dialect.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The plan, a file or a folder
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Where to write it; standard output when left out
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
    /// The dialect of the plan, in place of what its shape says
    #[arg(long, value_name = "NAME", value_parser = run::dialect())]
    dialect: Option<Dialect>,
    /// The repository whose subagents and configuration count; the built-in ones outside of any
    #[arg(long, value_name = "DIR", default_value = ".")]
    repo: PathBuf,
}

pub(super) fn run(arguments: &Arguments) -> Result<u8, Failure> {
    let name = arguments.file.display().to_string();
    let bytes = plan_files::read(&arguments.file, &name)
        .with_context(|| format!("cannot read the plan {name}"))
        .map_err(Failure::input)?;
    let mut problems = Vec::new();
    let (config, files) = match crate::workspace::new_repository::root_of(&arguments.repo) {
        Ok(root) => (config_at(&root, &mut problems)?, agent_files(&root)?),
        Err(_) => (Config::default(), Vec::new()),
    };
    let loaded = roster::load(&files, &config);
    problems.extend(loaded.diagnostics.into_iter().filter(Diagnostic::is_error));
    let settings = Settings { dialect: arguments.dialect, ..Settings::new(&config) };
    let reading = plan::read(&name, &bytes, &loaded.roster, &settings);
    problems.extend(reading.diagnostics);
    let Some(plan) = reading.plan.filter(|_| !problems.iter().any(Diagnostic::is_error)) else {
        return Err(IntakeError::Invalid(problems).into());
    };
    for problem in &problems {
        show::note(&format!("{problem}\n"));
    }
    let text = plan.to_markdown();
    match &arguments.to {
        None => show::out(&text),
        Some(to) => std::fs::write(to, &text)
            .with_context(|| format!("cannot write {}", to.display()))
            .map_err(Failure::outside)?,
    }
    show::note(&format!("Read as {}; {}", plan.dialect, plan.counts().line()));
    Ok(exit::COMPLETE)
}

fn config_at(root: &Path, problems: &mut Vec<Diagnostic>) -> Result<Config, Failure> {
    match crate::untrusted::read_named_text(&root.join(CONFIG_PATH), CONFIG_MAX_BYTES) {
        Ok(text) => Ok(Config::read(CONFIG_PATH, &text, &agent::kinds()).unwrap_or_else(|wrong| {
            problems.extend(wrong);
            Config::default()
        })),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Config::default()),
        Err(error) => Err(Failure::outside(anyhow::Error::new(error).context(format!("cannot read {CONFIG_PATH}")))),
    }
}

fn agent_files(root: &Path) -> Result<Vec<roster::AgentFile>, Failure> {
    intake::roster_files_on_disk(root)
        .map_err(|error| Failure::outside(anyhow::Error::new(error).context("cannot read the agent files")))
}
