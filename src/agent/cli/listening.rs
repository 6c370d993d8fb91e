//! Listening to an agent program: what its call left, and what that says about session and report.

use std::{fs, io::Read as _};

use implementer_model::{
    report,
    session::{self, Session, SessionEnd, Tokens},
    text,
};

use super::{
    agent::{ANSWER_CAP, CliAgent, Round},
    dialect::{Left, Reading, plain_lines},
};
use crate::{
    agent::{Ended, Job, ReportFileError, read_report, redaction::Redactor, report_file::open_plain},
    errors,
};

/// The most lines of plain words that a log gets.
const PLAIN_LINES_MAX: usize = 200;

impl CliAgent {
    /// Returns what tokens of a model cost.
    fn price_of(&self, tokens: Tokens, model: Option<&str>) -> Option<u64> {
        let prices = &self.settings.prices;
        let price = model.and_then(|model| prices.get(model)).or_else(|| prices.get("default"))?;
        Some(tokens.at(price))
    }

    /// Reads what a call left.
    pub(super) fn read(&self, round: &Round<'_>, ended: &Ended) -> Reading {
        let mut bytes = Vec::new();
        // It is not there when the process never got so far, and the program could put something else in its place.
        let file = open_plain(&round.answer, fs::File::options().read(true));
        let read = file.and_then(|file| Ok(file.map_or(Ok(0), |file| file.take(ANSWER_CAP).read_to_end(&mut bytes))?));
        if let Err(error) = read {
            tracing::warn!(error = %errors::chain(&error), answer = %round.answer.display(), "an answer cannot be read");
        }
        // Who was ended after its last word was done.
        let exit = if ended.overstayed { Some(0) } else { ended.exit.code() };
        let answer = String::from_utf8_lossy(&bytes);
        let mut reading = self.dialect.read(&Left { answer: &answer, errors: &ended.output_tail, exit });
        for line in plain_lines(&answer).take(PLAIN_LINES_MAX) {
            reading.tell("printed", line);
        }
        if let Some(words) = reading.words.clone() {
            reading.tell("said at last", &words);
        }
        if ended.out_of_turns {
            reading.end = SessionEnd::TurnLimit;
        }
        reading
    }

    /// Finds the report: as the program has checked it, else in the model's last words, else in the file that the
    /// contract of commands names, which a model may have read of.
    pub(super) fn report(
        &self,
        job: &Job<'_>,
        reading: &Reading,
        redactor: &Redactor,
    ) -> Result<Option<report::ReadReport>, ReportFileError> {
        let found = match (&reading.structured, &reading.words) {
            (Some(value), _) => Some(report::from_value(value.clone())),
            (None, Some(words)) => report::from_answer(words),
            (None, None) => None,
        };
        let read = match found {
            Some(found) => found.map(Some).map_err(ReportFileError::from),
            None => read_report(job.report),
        };
        read.and_then(|read| read.map(|read| redactor.report(read)).transpose())
    }

    pub(super) fn redactor(&self, job: &Job<'_>) -> Redactor {
        Redactor::from_environment(&self.environment, job.pass_environment)
    }

    pub(super) fn session(
        &self,
        job: &Job<'_>,
        reading: &Reading,
        redactor: &Redactor,
        before: Option<&Session>,
    ) -> Session {
        let end = match &reading.end {
            SessionEnd::ModelError { status, message } => {
                SessionEnd::ModelError { status: *status, message: redactor.text(message) }
            }
            SessionEnd::Refused { message } => SessionEnd::Refused { message: redactor.text(message) },
            SessionEnd::SandboxFailed { message } => SessionEnd::SandboxFailed { message: redactor.text(message) },
            SessionEnd::NoResult { message } => SessionEnd::NoResult { message: redactor.text(message) },
            end @ (SessionEnd::Completed | SessionEnd::TurnLimit | SessionEnd::Budget | SessionEnd::Interrupted) => {
                end.clone()
            }
        };
        let mut session = before.cloned().unwrap_or_else(|| Session::new(self.dialect.name(), end.clone()));
        let (model, note) = self.model(job.subagent);
        if before.is_none() {
            session.version = self.version.get().map(ToString::to_string);
            session.model.clone_from(&model);
            session.notes.extend(note);
        }
        session.id = reading.id.clone().or(session.id);
        session.turns = match (session.turns, reading.turns) {
            (Some(before), Some(turns)) => Some(before.saturating_add(turns)),
            (before, turns) => turns.or(before),
        };
        session.tokens = reading.tokens.after(session.tokens, Tokens::plus);
        session.micro_dollars = match reading.micro_dollars {
            Some(cost) => Some(cost.after(session.micro_dollars.unwrap_or_default(), u64::saturating_add)),
            None => self.price_of(session.tokens, model.as_deref()).or(session.micro_dollars),
        };
        for denial in &reading.denials {
            session.deny(&denial.tool, &redactor.text(&denial.call));
        }
        session
    }

    /// Writes what happened into the log, behind what the program wrote on standard error.
    pub(super) fn tell(&self, job: &Job<'_>, reading: &Reading, redactor: &Redactor, heading: &str) {
        use std::io::Write as _;
        let mut story = format!("\n--- {} {heading}\n", self.dialect.name());
        for line in &reading.story {
            story.push_str(&redactor.text(line));
            story.push('\n');
        }
        let log = open_plain(job.log, fs::File::options().append(true));
        let written = log.and_then(|log| Ok(log.map_or(Ok(()), |mut log| log.write_all(story.as_bytes()))?));
        if let Err(error) = written {
            tracing::warn!(%error, log = %job.log.display(), "what a subagent did could not be added to its log");
        }
    }
}

pub(super) fn has_report(report: &Result<Option<report::ReadReport>, ReportFileError>) -> bool {
    matches!(report, Ok(Some(_)))
}

/// Returns the text that stands in place of a report.
pub(super) fn kept_answer(
    report: &Result<Option<report::ReadReport>, ReportFileError>,
    reading: &Reading,
    redactor: &Redactor,
) -> Option<String> {
    let structured = || reading.structured.as_ref().map(ToString::to_string);
    let words = reading.words.clone().filter(|words| !words.trim().is_empty()).or_else(structured)?;
    (!has_report(report)).then(|| text::truncate(&redactor.text(&text::plain(&words)), session::ANSWER_MAX))
}
