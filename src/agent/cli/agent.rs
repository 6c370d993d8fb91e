//! What all agent programs have in common: how they are started, asked again, and checked before a run.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::OnceLock,
    time::Duration,
};

use implementer_model::{
    brief::{self, Manner, Reporting},
    budget::Dollars,
    config::{AgentKind, AgentSettings, Permissions},
    means::{self, ModelChoice},
    report,
    roster::{
        McpServer, Subagent,
        tools::{server_of, tool_of},
    },
    session::{self, SessionEnd},
};

use super::{
    dialect::{Call, Dialect},
    dialect_of,
    listening::{has_report, kept_answer},
    session_id::session_id,
    version::Version,
};
use crate::{
    agent::{
        Agent, AgentError, Conclusion, Ended, Job, LastStep, Launch,
        answer::{AnswerFile, TurnLimit},
        clear_report, environment,
        event_lines::LastWord,
        last_step::Events,
        new_file::write_new,
        program,
        scratch::{Scratch, text_of},
    },
    errors,
};

/// The most bytes of an answer that are read: an answer with its stream of events.
pub(super) const ANSWER_CAP: u64 = 64 * 1024 * 1024;

/// How long a program may stay after its last word.
const AFTER_LAST_WORD: Duration = Duration::from_secs(10);

/// An agent program.
#[derive(Debug)]
pub struct CliAgent {
    pub(super) dialect: &'static dyn Dialect,
    pub(super) settings: AgentSettings,
    permissions: Permissions,
    /// The folder from which a relative program with a `/` is found.
    program_root: PathBuf,
    supervisor: PathBuf,
    /// The environment of the coordinator, from which variables are passed on by name.
    pub(super) environment: BTreeMap<String, String>,
    pub(super) version: OnceLock<Version>,
}

impl CliAgent {
    /// Makes the agent of this kind; `None` when there is no such program.
    #[must_use]
    pub fn new(
        kind: &AgentKind,
        settings: AgentSettings,
        program_root: &Path,
        supervisor: &Path,
        environment: &BTreeMap<String, String>,
    ) -> Option<Self> {
        let dialect = dialect_of(kind.as_str())?;
        // In a workflow the runner, or the action's container, is what contains it: sandboxes inside mostly fail there.
        let contained = environment.get("GITHUB_ACTIONS").is_some_and(|value| value == "true");
        let otherwise = if contained { Permissions::Full } else { Permissions::Own };
        Some(Self {
            dialect,
            permissions: settings.permissions.unwrap_or(otherwise),
            settings,
            program_root: program_root.to_owned(),
            supervisor: supervisor.to_owned(),
            environment: environment.clone(),
            version: OnceLock::new(),
        })
    }

    /// Switches the program's own sandbox off where ours is around it, unless the settings say otherwise: a sandbox inside of
    /// another mostly fails, and codex says that all went well when it did.
    #[must_use]
    pub fn isolated(mut self, isolated: bool) -> Self {
        if isolated && self.settings.permissions.is_none() {
            self.permissions = Permissions::Full;
        }
        self
    }

    fn program(&self) -> Result<String, AgentError> {
        match &self.settings.program {
            Some(program) if program.contains('/') => text_of(&self.program_root.join(program)),
            Some(program) => Ok(program.clone()),
            None => Ok(self.dialect.name().to_owned()),
        }
    }

    /// Returns the model to ask for, and what is to be noted about it.
    pub(super) fn model(&self, subagent: &Subagent) -> (Option<String>, Option<String>) {
        match means::model(subagent, &self.settings, self.dialect.abilities().model) {
            ModelChoice::Named(model) => (Some(model), None),
            ModelChoice::Default => (self.settings.model.clone(), None),
            ModelChoice::NotThere(asked) => {
                let name = self.dialect.name();
                let note = means::model_is_not_there(asked, name, self.settings.model.as_deref());
                (self.settings.model.clone(), Some(session::shortened(&note, session::TEXT_MAX)))
            }
        }
    }

    /// Returns the MCP servers that a subagent asks for and may have.
    fn servers(&self, subagent: &Subagent) -> BTreeMap<String, McpServer> {
        let may = |name: &String| self.settings.mcp_servers.contains(name);
        let servers = subagent.terms.servers.iter().filter(|(name, _)| may(name));
        let granted = |name: &str| {
            let of_server = |tool: &String| server_of(tool_of(tool)) == Some(name);
            subagent.tools.as_ref().is_none_or(|tools| tools.iter().any(of_server))
        };
        servers
            .filter(|(name, _)| granted(name))
            .filter_map(|(name, server)| Some((name.clone(), server.clone()?)))
            .collect()
    }

    fn launch(&self, job: &Job<'_>, round: &Round<'_>) -> Result<Launch, AgentError> {
        // Where a session is resumed, a program has been at work: nothing of ours is written there again.
        let again = round.resume.is_some();
        let scratch =
            if again { Scratch::made(job.scratch) } else { Scratch::make(job.scratch, job.subagent.name.as_str())? };
        let write = |path: &Path, content: &str| {
            let written = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| write_new(path, content));
            written.map_err(|source| AgentError::Scratch { path: path.to_owned(), source })
        };
        let role = brief::role_prompt(job.subagent);
        let role_file = job.scratch.join("role.md");
        let strict_schema = job.scratch.join("report-schema.json");
        if !again {
            write(&role_file, &role)?;
            write(&strict_schema, &report::strict_schema().to_string())?;
        }

        let passed = environment::build(
            &self.environment,
            job.pass_environment,
            &scratch.home,
            &scratch.temporary,
            [("IMPLEMENTER_BASE", job.base.to_string()), ("IMPLEMENTER_TASK", job.task.to_string())],
        )?;
        let passed: BTreeMap<_, _> = passed.into_iter().collect();
        let (model, _) = self.model(job.subagent);
        let servers = self.servers(job.subagent);
        let terms = &job.subagent.terms;
        let invocation = self.dialect.invoke(&Call {
            id: &session_id(job),
            resume: round.resume,
            role: &role,
            role_file: &role_file,
            model: model.as_deref(),
            tools: job.subagent.tools.as_deref(),
            denied: &terms.denied_tools,
            effort: terms.effort,
            servers: &servers,
            skills: &terms.skills,
            access: job.access,
            permissions: self.permissions,
            project_settings: self.settings.project_settings,
            turns: job.turns,
            budget: job.budget.filter(|_| self.dialect.keeps_budget()),
            strict_schema: &strict_schema,
            arguments: &self.settings.arguments,
            environment: &passed,
        });
        for (path, content) in invocation.home.iter().filter(|_| !again) {
            write(&scratch.home.join(path), content)?;
        }
        let mut environment = passed;
        environment.extend(invocation.environment.into_iter().map(|(name, value)| (name.to_owned(), value)));
        let environment: Vec<_> = environment.into_iter().collect();
        let turns = job.turns.zip(invocation.turn_prefix);
        let argv = [self.program()?].into_iter().chain(invocation.arguments).collect();
        Ok(Launch {
            input: Some(round.input.to_owned()),
            answer: Some(AnswerFile {
                path: round.answer.clone(),
                cap: ANSWER_CAP,
                turns: turns.map(|(max, prefix)| TurnLimit { prefix: prefix.to_owned(), max }),
                last_words: invocation.last_words.iter().map(|pairs| last_word(pairs)).collect(),
                patience: AFTER_LAST_WORD,
            }),
            ..Launch::new(argv, job.worktree, environment, &round.log, &self.supervisor)
        })
    }
}

/// One call of the program within a job: the work, or the question for its report.
pub(super) struct Round<'a> {
    resume: Option<&'a str>,
    input: &'a Path,
    log: PathBuf,
    pub(super) answer: PathBuf,
}

impl<'a> Round<'a> {
    fn work(job: &Job<'a>) -> Self {
        Self { resume: None, input: job.brief, log: job.log.to_owned(), answer: job.scratch.join("answer.jsonl") }
    }

    fn repair(job: &Job<'_>, session: &'a str, input: &'a Path) -> Self {
        Self {
            resume: Some(session),
            input,
            log: job.scratch.join("repair.log"),
            answer: job.scratch.join("repair.jsonl"),
        }
    }
}

impl Agent for CliAgent {
    fn name(&self) -> &'static str {
        self.dialect.name()
    }

    fn manner(&self) -> Manner {
        Manner { role_is_told: true, reporting: Reporting::Answer }
    }

    fn uses_project_settings(&self) -> bool {
        self.settings.project_settings
    }

    fn check(&self, subagent: &Subagent, passed: &[String], limited_cost: bool) -> Result<(), AgentError> {
        let agent = || self.dialect.name();
        let path = self.environment.get("PATH").map(String::as_str);
        program::find(&self.program()?, &self.program_root, path).map_err(|source| AgentError::Missing {
            agent: agent(),
            subagent: subagent.name.to_string(),
            install: self.dialect.install(),
            source: Box::new(source),
        })?;
        let credentials = self.dialect.credentials();
        let has = |name: &&str| passed.iter().any(|passed| passed == *name) && self.environment.contains_key(*name);
        if !credentials.is_empty() && !credentials.iter().any(has) {
            return Err(AgentError::NoCredential { agent: agent(), names: credentials.join(", ") });
        }
        let (model, _) = self.model(subagent);
        let priced = self.settings.prices.contains_key("default")
            || model.is_some_and(|model| self.settings.prices.contains_key(&model));
        if limited_cost && !self.dialect.tells_cost() && !priced {
            return Err(AgentError::NoPrice { agent: agent() });
        }
        Ok(())
    }

    fn lost_variables(&self, passed: &[String]) -> Vec<&'static str> {
        let is_set = |name: &str| self.environment.get(name).is_some_and(|value| !value.is_empty());
        super::reach(self.dialect).lost(is_set, |name| passed.iter().any(|passed| passed == name))
    }

    fn probe(&self, scratch: &Path) -> Result<Option<Launch>, AgentError> {
        let folder = scratch.join(format!("probe-{}", self.dialect.name()));
        let Scratch { home, temporary } = Scratch::make(&folder, "probe")?;
        let argv = vec![self.program()?, "--version".to_owned()];
        let environment = environment::build(&self.environment, &[], &home, &temporary, [])?;
        Ok(Some(Launch::new(argv, &folder, environment, &folder.join("version.txt"), &self.supervisor)))
    }

    fn probed(&self, ended: &Ended) -> Result<(), AgentError> {
        let agent = self.dialect.name();
        let tested = self.dialect.tested();
        let Some(version) = Version::find(&ended.output_tail).filter(|_| ended.exit.success()) else {
            let said = session::shortened(&ended.output_tail, session::TEXT_MAX);
            return Err(AgentError::NoVersion { agent, exit: ended.exit, said });
        };
        let oldest = Version::from(tested.from);
        if version < oldest && !self.settings.old_version {
            let install = self.dialect.install();
            return Err(AgentError::TooOld { agent, found: version.to_string(), oldest: oldest.to_string(), install });
        }
        if version < oldest || version > Version::from(tested.to) {
            tracing::warn!(
                agent,
                %version,
                tested = %Version::from(tested.to),
                "this version of the agent program was not tested with"
            );
        }
        let _ = self.version.set(version);
        Ok(())
    }

    fn prepare(&self, job: &Job<'_>) -> Result<Launch, AgentError> {
        clear_report(job.report)?;
        self.launch(job, &Round::work(job))
    }

    fn last_step(&self, job: &Job<'_>) -> LastStep {
        let answer = Round::work(job).answer;
        LastStep::of_events(job.log, Events { answer, dialect: self.dialect, redactor: self.redactor(job) })
    }

    fn conclude(&self, job: &Job<'_>, ended: &Ended) -> Conclusion {
        let redactor = self.redactor(job);
        let reading = self.read(&Round::work(job), ended);
        self.tell(job, &reading, &redactor, "did");
        let mut session = self.session(job, &reading, &redactor, None);
        let report = self.report(job, &reading, &redactor);
        session.answer = kept_answer(&report, &reading, &redactor);
        if let (Some(budget), Some(spent)) = (job.budget, session.micro_dollars)
            && session.end == SessionEnd::Completed
            && spent > budget.micro()
        {
            session.notes.push(format!(
                "it cost {} dollars, more than its limit of {budget}: {} cannot be held to a limit while it works",
                Dollars::of_micro(spent),
                self.dialect.name(),
            ));
        }
        if ended.overstayed {
            let note = "it stayed after its last word, and was ended; what it said and did counts";
            session.notes.push(note.to_owned());
        }
        if ended.answer_truncated {
            session.notes.push(format!("its output was longer than {ANSWER_CAP} bytes, and is read as far as that"));
        }
        Conclusion { session: Some(session), report }
    }

    fn repair(&self, job: &Job<'_>, first: &Conclusion) -> Option<Result<Launch, AgentError>> {
        let session = first.session.as_ref()?;
        let problem = match &first.report {
            Ok(Some(_)) => return None,
            Ok(None) => "There is no JSON object in it.".to_owned(),
            Err(error) => errors::chain(error),
        };
        // Who was stopped, or cannot be reached, cannot answer either.
        let id = session.id.as_deref().filter(|_| session.end == SessionEnd::Completed)?;
        let input = job.scratch.join("repair.md");
        let round = Round::repair(job, id, &input);
        Some(
            write_new(&input, &brief::repair(&problem))
                .map_err(|source| AgentError::Scratch { path: input.clone(), source })
                .and_then(|()| self.launch(job, &round)),
        )
    }

    fn conclude_repair(&self, job: &Job<'_>, first: Conclusion, ended: &Ended) -> Conclusion {
        let Conclusion { session: Some(before), report: first_report } = first else { return first };
        let redactor = self.redactor(job);
        let input = job.scratch.join("repair.md");
        let reading = self.read(&Round::repair(job, before.id.as_deref().unwrap_or_default(), &input), ended);
        self.tell(job, &reading, &redactor, "was asked for its report again, and did");
        let mut session = self.session(job, &reading, &redactor, Some(&before));
        session.repairs = 1;
        if reading.end != SessionEnd::Completed {
            let note = "asking it for a valid report did not end well; what it said before counts";
            session.notes.push(note.to_owned());
            session.answer = before.answer;
            return Conclusion { session: Some(session), report: first_report };
        }
        let report = self.report(job, &reading, &redactor);
        session.answer = kept_answer(&report, &reading, &redactor).or(before.answer).filter(|_| !has_report(&report));
        Conclusion { session: Some(session), report }
    }
}

fn last_word(pairs: &[(&str, &str)]) -> LastWord {
    LastWord(pairs.iter().map(|(pointer, text)| ((*pointer).to_owned(), (*text).to_owned())).collect())
}

#[cfg(test)]
mod tests;
