//! The `command` agent: any executable that keeps to the contract in `docs/command-agent.md`.

use std::{collections::BTreeMap, path::PathBuf};

use implementer_model::{command, ids::SubagentName, roster::Subagent};

use super::{
    Agent, AgentError, Conclusion, Ended, Job, Launch, environment, program, read_report,
    redaction::Redactor,
    scratch::{Scratch, text_of},
};

/// Any executable as a subagent.
#[derive(Debug, Clone)]
pub struct CommandAgent {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// Programs for single subagents, in place of `command`.
    pub overrides: BTreeMap<SubagentName, Vec<String>>,
    /// The folder from which a relative program with a `/` is found: the repository as it was approved. It must not be
    /// a work tree, where a patch could put another program in its place.
    pub program_root: PathBuf,
    /// The executable that can be a supervisor: our own.
    pub supervisor: PathBuf,
    /// The environment of the coordinator, from which variables are passed on by name.
    pub environment: BTreeMap<String, String>,
}

impl CommandAgent {
    /// Tells whether any of the programs is to be found from [`Self::program_root`].
    #[must_use]
    pub fn has_relative_program(&self) -> bool {
        let programs = self.overrides.values().chain([&self.command]).filter_map(|command| command.first());
        programs.into_iter().any(|program| command::is_own_path(program))
    }

    fn argv(&self, subagent: &SubagentName) -> Result<Vec<String>, AgentError> {
        let command = self.overrides.get(subagent).unwrap_or(&self.command);
        let (program, arguments) = command
            .split_first()
            .filter(|(program, _)| !program.trim().is_empty())
            .ok_or_else(|| AgentError::NoCommand { subagent: subagent.to_string() })?;
        let program = if program.contains('/') {
            // Joining an absolute path gives that path.
            text_of(&self.program_root.join(program))?
        } else {
            program.clone()
        };
        Ok([program].into_iter().chain(arguments.iter().cloned()).collect())
    }
}

impl Agent for CommandAgent {
    fn check(&self, subagent: &Subagent, _: &[String], limited_cost: bool) -> Result<(), AgentError> {
        let subagent = &subagent.name;
        if limited_cost {
            return Err(AgentError::CommandCost { subagent: subagent.to_string() });
        }
        let argv = self.argv(subagent)?;
        let path = self.environment.get("PATH").map(String::as_str);
        program::find(&argv[0], &self.program_root, path)
            .map(drop)
            .map_err(|source| AgentError::Program { subagent: subagent.to_string(), source })
    }

    fn name(&self) -> &'static str {
        "command"
    }

    fn prepare(&self, job: &Job<'_>) -> Result<Launch, AgentError> {
        let argv = self.argv(&job.subagent.name)?;
        let scratch = Scratch::make(job.scratch, job.subagent.name.as_str())?;
        super::clear_report(job.report)?;
        let scope = serde_json::to_string(job.scope).expect("invariant: lists of texts can be written");
        let contract = [
            ("IMPLEMENTER_ACCESS", word(job.access)),
            ("IMPLEMENTER_ATTEMPT", job.attempt.to_string()),
            ("IMPLEMENTER_BASE", job.base.to_string()),
            ("IMPLEMENTER_BRIEF", text_of(job.brief)?),
            ("IMPLEMENTER_REPORT", text_of(job.report)?),
            ("IMPLEMENTER_ROLE", word(job.subagent.role)),
            ("IMPLEMENTER_SCOPE", scope),
            ("IMPLEMENTER_SUBAGENT", job.subagent.name.to_string()),
            ("IMPLEMENTER_TASK", job.task.to_string()),
            ("IMPLEMENTER_TIME_LIMIT_SECONDS", job.time_limit.as_secs().to_string()),
        ];
        let environment =
            environment::build(&self.environment, job.pass_environment, &scratch.home, &scratch.temporary, contract)?;
        Ok(Launch::new(argv, job.worktree, environment, job.log, &self.supervisor))
    }

    fn conclude(&self, job: &Job<'_>, _: &Ended) -> Conclusion {
        let redactor = Redactor::from_environment(&self.environment, job.pass_environment);
        let report = read_report(job.report).and_then(|read| read.map(|read| redactor.report(read)).transpose());
        Conclusion { session: None, report }
    }
}

/// Returns the word that stands for a value in documents.
fn word(value: impl serde::Serialize) -> String {
    let value = serde_json::to_value(value).expect("invariant: a word can be written");
    value.as_str().expect("invariant: roles and accesses are words").to_owned()
}
