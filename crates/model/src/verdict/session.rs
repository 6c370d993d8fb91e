//! What the agent program says about its own session, where it speaks against its success.

use super::{Attempt, kept};
use crate::{
    findings::{Finding, FindingCode, Weight},
    schedule::Outcome,
    session::{Session, SessionEnd},
    text, wording,
};

/// Returns what a session came to that did not end well: how the attempt ended, under which kind of finding, and why.
/// `None` when the session says nothing against it.
pub(super) fn outcome(session: &Session, attempt: &Attempt<'_>) -> Option<(Outcome, FindingCode, String)> {
    let kept = kept(attempt);
    let agent = &session.agent;
    Some(match &session.end {
        SessionEnd::Completed => return None,
        SessionEnd::TurnLimit => {
            let turns = session.turns.map(|turns| format!(" ({turns})")).unwrap_or_default();
            (Outcome::TurnsExhausted, FindingCode::TurnsExhausted, format!("it used up its turns{turns}{kept}"))
        }
        SessionEnd::Budget => {
            let spent =
                session.micro_dollars.map(|micro| format!(" after {}", wording::dollars(micro))).unwrap_or_default();
            (Outcome::BudgetExhausted, FindingCode::BudgetExhausted, format!("it used up its budget{spent}{kept}"))
        }
        SessionEnd::ModelError { status, message } => {
            let status = status.map(|status| format!(" (HTTP status {status})")).unwrap_or_default();
            let reason = format!("{agent} could not reach its model{status}: {message}{kept}");
            (Outcome::Failed, FindingCode::ModelFailed, reason)
        }
        SessionEnd::Refused { message } => {
            (Outcome::Failed, FindingCode::ModelRefused, format!("the model refused: {message}{kept}"))
        }
        SessionEnd::SandboxFailed { message } => {
            let reason = format!(
                "the sandbox of {agent} lets no command run here ({message}): set `permissions: full` for it where a \
                 container is the sandbox{kept}"
            );
            (Outcome::Failed, FindingCode::SandboxFailed, reason)
        }
        SessionEnd::Interrupted => {
            (Outcome::Failed, FindingCode::SubagentFailed, format!("{agent} was interrupted{kept}"))
        }
        SessionEnd::NoResult { message } => {
            let said = if message.is_empty() { String::new() } else { format!(": {message}") };
            (Outcome::Failed, FindingCode::SubagentFailed, format!("{agent} ended without a result{said}{kept}"))
        }
    })
}

/// Notes what a session shows beside how it ended: calls that were not allowed, and what its program wants to be known.
pub(super) fn side_notes(session: &Session, attempt: &Attempt<'_>) -> Vec<Finding> {
    let id = &attempt.task.id;
    let mut findings = Vec::new();
    for denial in &session.denials {
        let call = if denial.call.is_empty() { String::new() } else { format!(": {}", denial.call) };
        let message = format!("the tool {} was not allowed{call}", denial.tool);
        findings.push(Finding::about(id, FindingCode::ToolDenied, Weight::Warning, message));
    }
    if session.more_denials > 0 {
        let more = text::count(session.more_denials as usize, "more call");
        let message = format!("{more} of tools that were not allowed");
        findings.push(Finding::about(id, FindingCode::ToolDenied, Weight::Warning, message));
    }
    let notes = session.notes.iter();
    findings.extend(notes.map(|note| Finding::about(id, FindingCode::AgentNote, Weight::Note, note.clone())));
    findings
}
