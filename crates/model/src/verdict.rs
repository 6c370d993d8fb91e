//! What became of an attempt: the report held against the patch, the patch against the scope, both against the way the
//! process ended. What a subagent says is never enough on its own.

mod session;

use std::collections::BTreeSet;

use crate::{
    findings::{Finding, FindingCode, Weight},
    patch::Patch,
    report::{ClaimStatus, Report, ReportStatus, RequirementClaim},
    roster::Access,
    schedule::{Outcome, Task},
    scope::Violation,
    session::Session,
    text, wording,
};

/// How many paths a finding names before it only counts the rest.
const PATHS_NAMED: usize = 5;

/// How many violations become findings of their own; further ones are counted in one more.
const VIOLATIONS_LISTED: usize = 20;

/// How the process of an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// It was never started, for this reason.
    NotStarted(String),
    /// It ran, and nobody can say how it ended, for this reason: nothing that it left counts.
    Lost(String),
    /// It ended by itself with this exit code.
    Exited(i32),
    /// A signal ended it that was not ours.
    Signalled(i32),
    /// We stopped it: it ran into its time limit.
    Stopped,
    /// We stopped it: the run was cancelled.
    Cancelled,
}

/// Why what stands in the place of a report is none, in words for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidReport(pub String);

/// Why there is no patch of what an attempt changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoPatch {
    /// The subagent wrote a secret that it was given into a file.
    #[error("{why}")]
    SecretWritten {
        /// The path of the file.
        path: String,
        /// What was found, in words for people.
        why: String,
    },
    /// The changes could not be captured, for this reason.
    #[error("{0}")]
    NotCaptured(String),
}

/// What there is to judge an attempt by.
#[derive(Debug, Clone)]
pub struct Attempt<'a> {
    /// The task.
    pub task: &'a Task,
    /// How the process ended.
    pub ending: Ending,
    /// What the agent program says about its session; `None` where there is none, as for the agent `command`.
    pub session: Option<&'a Session>,
    /// The last line that its process printed; empty where it printed nothing.
    pub last_line: &'a str,
    /// The report: `Ok(None)` when there is none, the reason when it is not valid.
    pub report: Result<Option<&'a Report>, InvalidReport>,
    /// The patch as captured, or why there is none.
    pub patch: Result<&'a Patch, NoPatch>,
    /// Whether a patch of an earlier attempt is integrated already: then the work may be there without another change.
    pub integrated: bool,
    /// Where the patch leaves the scope.
    pub violations: &'a [Violation],
    /// Paths that could not be captured, each with the reason.
    pub left_out: &'a [(String, String)],
    /// Processes that were still running after the subagent had ended.
    pub leftovers: u32,
    /// Whether output was dropped because there was too much of it.
    pub output_truncated: bool,
}

/// Characters of the last line in a reason.
const LAST_LINE_CHARS: usize = 160;

/// What became of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// How it ended. Only a passed attempt's patch may be integrated.
    pub outcome: Outcome,
    /// Why, in a sentence without a full stop.
    pub reason: String,
    /// What was noticed on the way, blocking or not.
    pub findings: Vec<Finding>,
}

/// Judges an attempt.
#[must_use]
pub fn judge(attempt: &Attempt<'_>) -> Verdict {
    let mut findings = side_notes(attempt);
    let (outcome, reason) = outcome(attempt, &mut findings);
    Verdict { outcome, reason, findings }
}

fn outcome(attempt: &Attempt<'_>, findings: &mut Vec<Finding>) -> (Outcome, String) {
    let task = attempt.task;
    let mut blocking = |code, message: &str| findings.push(Finding::about(&task.id, code, Weight::Blocking, message));

    // How the session ended says more than the exit code: a limit, an error that looks like success. Only what we did
    // ourselves to the process comes first.
    let ours = matches!(attempt.ending, Ending::NotStarted(_) | Ending::Lost(_) | Ending::Stopped | Ending::Cancelled);
    if let Some(session) = attempt.session.filter(|_| !ours)
        && let Some((outcome, code, reason)) = session::outcome(session, attempt)
    {
        blocking(code, &reason);
        return (outcome, reason);
    }
    match &attempt.ending {
        Ending::NotStarted(why) => {
            let reason = format!("it could not be started: {why}");
            blocking(FindingCode::SubagentFailed, &reason);
            return (Outcome::Failed, reason);
        }
        Ending::Lost(why) => {
            blocking(FindingCode::SubagentFailed, why);
            return (Outcome::Failed, why.clone());
        }
        Ending::Stopped => {
            let limit = wording::duration(task.time_limit_s.saturating_mul(1_000));
            let reason = format!("it was stopped after its time limit of {limit}{}", kept(attempt));
            blocking(FindingCode::TimedOut, &reason);
            return (Outcome::TimedOut, reason);
        }
        Ending::Cancelled => {
            return (Outcome::Cancelled, format!("the run was cancelled while it ran{}", kept(attempt)));
        }
        Ending::Signalled(signal) => {
            let reason = format!("its process was ended by signal {signal}{}", kept(attempt));
            blocking(FindingCode::SubagentFailed, &reason);
            return (Outcome::Failed, reason);
        }
        Ending::Exited(0) => {}
        Ending::Exited(code) => {
            let said = match &attempt.report {
                Ok(Some(report)) if report.status != ReportStatus::Completed => format!(", saying: {}", report.summary),
                _ if attempt.last_line.is_empty() => String::new(),
                _ => {
                    format!("; its last line is `{}`", text::truncate(&text::line(attempt.last_line), LAST_LINE_CHARS))
                }
            };
            let reason = format!("its process ended with exit code {code}{said}{}", kept(attempt));
            blocking(FindingCode::SubagentFailed, &reason);
            return (Outcome::Failed, reason);
        }
    }

    let patch = match &attempt.patch {
        Ok(patch) => *patch,
        Err(NoPatch::SecretWritten { path, why }) => {
            let reason = format!("{why}, and nothing that it changed is kept");
            let finding = Finding::about(&task.id, FindingCode::SecretWritten, Weight::Blocking, reason.clone());
            findings.push(finding.in_path(path.clone()));
            return (Outcome::Failed, reason);
        }
        Err(NoPatch::NotCaptured(why)) => {
            let reason = format!("what it changed could not be captured: {why}");
            blocking(FindingCode::SubagentFailed, &reason);
            return (Outcome::Failed, reason);
        }
    };

    // The scope comes before the report: what was touched counts, whatever is said about it.
    if !attempt.violations.is_empty() {
        for violation in attempt.violations.iter().take(VIOLATIONS_LISTED) {
            findings.push(
                Finding::about(&task.id, FindingCode::ScopeViolation, Weight::Blocking, violation.message.clone())
                    .in_path(violation.path.clone()),
            );
        }
        let more = attempt.violations.len().saturating_sub(VIOLATIONS_LISTED);
        if more > 0 {
            let message = format!("{} more outside the scope", text::count(more, "path"));
            findings.push(Finding::about(&task.id, FindingCode::ScopeViolation, Weight::Blocking, message));
        }
        let paths = name_paths(attempt.violations.iter().map(|violation| violation.path.as_str()));
        return (
            Outcome::OutOfScope,
            format!("it changed {paths}, which it may not touch; its changes were discarded"),
        );
    }

    let report = match &attempt.report {
        Ok(Some(report)) => *report,
        no_report if attempt.session.is_some_and(|session| session.answer.is_some()) => {
            let why = no_report.as_ref().err().map(|why| format!(" ({why})")).unwrap_or_default();
            let asked = attempt.session.is_some_and(|session| session.repairs > 0);
            let asked = if asked { ", also after it was asked again" } else { "" };
            let reason = format!("its answer is no report{why}{asked}; the text is kept{}", kept(attempt));
            blocking(FindingCode::UnstructuredReport, &reason);
            return (Outcome::Unreported, reason);
        }
        Ok(None) => {
            let reason = format!("it ended without writing a report{}", kept(attempt));
            blocking(FindingCode::NoReport, &reason);
            return (Outcome::Unreported, reason);
        }
        Err(why) => {
            let reason = format!("its report is not valid ({why}){}", kept(attempt));
            blocking(FindingCode::InvalidReport, &reason);
            return (Outcome::Unreported, reason);
        }
    };

    match report.status {
        ReportStatus::Failed => {
            let reason = format!("it reports that the work could not be done: {}{}", report.summary, kept(attempt));
            blocking(FindingCode::SubagentFailed, &reason);
            return (Outcome::Failed, reason);
        }
        ReportStatus::Blocked => {
            let needs: BTreeSet<&str> = report
                .limitations
                .iter()
                .filter_map(|limitation| limitation.needs.as_ref())
                .map(AsRef::as_ref)
                .collect();
            let needs = if needs.is_empty() {
                "it names no specialist".to_owned()
            } else {
                format!("it needs {}", needs.into_iter().collect::<Vec<_>>().join(", "))
            };
            let reason = format!("{needs}: {}{}", report.summary, kept(attempt));
            blocking(FindingCode::SubagentBlocked, &reason);
            return (Outcome::Blocked, reason);
        }
        ReportStatus::Completed => {}
    }

    let open = task.requirements.iter().any(|requirement| !requirement.done);
    let is_there = task.requirements.iter().filter(|requirement| !requirement.done).all(|requirement| {
        report.requirements.iter().any(|claim| claim.id == requirement.id && claim.is_shown_done_already())
    });
    if task.access == Access::Writes && patch.is_empty() && open && is_there {
        let open = task.requirements.iter().filter(|requirement| !requirement.done).count();
        let reason = format!("there was nothing to do: the base meets {} already", text::count(open, "requirement"));
        return (Outcome::Passed, reason);
    }
    if task.access == Access::Writes && patch.is_empty() && open && !attempt.integrated {
        let reason = "it reports that its work is done, but it changed nothing".to_owned();
        blocking(FindingCode::ClaimedButUnchanged, &reason);
        return (Outcome::Unproven, reason);
    }

    claims_against_changes(task, report, patch, findings);
    requirements_against_claims(task, report, attempt.integrated, findings);
    (Outcome::Passed, format!("it completed its work ({})", text::count(patch.changes.len(), "changed file")))
}

/// Says that a patch which is not integrated is not lost either.
fn kept(attempt: &Attempt<'_>) -> String {
    match attempt.patch {
        Ok(patch) if !patch.is_empty() => {
            format!(
                "; what it changed ({}) is kept as a patch, not integrated",
                text::count(patch.changes.len(), "file")
            )
        }
        _ => String::new(),
    }
}

/// Notes what is worth knowing however the attempt ended.
fn side_notes(attempt: &Attempt<'_>) -> Vec<Finding> {
    let id = &attempt.task.id;
    let mut findings = Vec::new();
    if let Some(session) = attempt.session {
        findings.extend(session::side_notes(session, attempt));
    }
    if attempt.leftovers > 0 {
        let message = format!(
            "{} still running after the subagent had ended; stopped",
            text::count(attempt.leftovers as usize, "process")
        );
        findings.push(Finding::about(id, FindingCode::LeftoverProcesses, Weight::Warning, message));
    }
    if attempt.output_truncated {
        let message = "its output was longer than the log keeps; the rest was dropped";
        findings.push(Finding::about(id, FindingCode::OutputTruncated, Weight::Note, message));
    }
    for (path, why) in attempt.left_out.iter().take(VIOLATIONS_LISTED) {
        let message = format!("not captured: {why}");
        findings.push(Finding::about(id, FindingCode::NotCaptured, Weight::Warning, message).in_path(path.clone()));
    }
    if let Ok(Some(report)) = attempt.report {
        for reported in &report.findings {
            findings.push(Finding {
                code: FindingCode::Reported,
                weight: reported.severity,
                task: Some(id.clone()),
                path: reported.path.clone(),
                line: reported.line,
                message: reported.message.clone(),
            });
        }
    }
    findings
}

/// Holds the files that the report names against those that the patch has.
fn claims_against_changes(task: &Task, report: &Report, patch: &Patch, findings: &mut Vec<Finding>) {
    if report.files.is_empty() {
        return;
    }
    let claimed: BTreeSet<&str> = report.files.iter().map(|path| path.trim_start_matches("./")).collect();
    let changed: BTreeSet<&str> = patch.changes.iter().map(|change| change.path.as_str()).collect();
    let unchanged: Vec<&str> = claimed.difference(&changed).copied().collect();
    if !unchanged.is_empty() {
        let message = format!("the report names files that were not changed: {}", name_paths(unchanged));
        findings.push(Finding::about(&task.id, FindingCode::ClaimWithoutChange, Weight::Warning, message));
    }
    let unclaimed: Vec<&str> = changed.difference(&claimed).copied().collect();
    if !unclaimed.is_empty() {
        let message = format!("files were changed that the report does not name: {}", name_paths(unclaimed));
        findings.push(Finding::about(&task.id, FindingCode::ChangeWithoutClaim, Weight::Note, message));
    }
}

/// Holds the claims against the requirements that are still open.
fn requirements_against_claims(task: &Task, report: &Report, integrated: bool, findings: &mut Vec<Finding>) {
    for requirement in task.requirements.iter().filter(|requirement| !requirement.done) {
        let claim = report.requirements.iter().find(|claim| claim.id == requirement.id);
        let (weight, what) = match claim.map(|claim| claim.status) {
            Some(ClaimStatus::Done) => continue,
            Some(ClaimStatus::AlreadyDone) if claim.is_some_and(RequirementClaim::is_shown_done_already) => continue,
            Some(ClaimStatus::AlreadyDone) => {
                (Weight::Blocking, "is reported as done already, with no path or test that shows it")
            }
            Some(ClaimStatus::Partial) => (Weight::Blocking, "is reported as done in part"),
            Some(ClaimStatus::NotDone) => (Weight::Blocking, "is reported as not done"),
            // The report of the attempt that is integrated has said what became of it.
            None if integrated => continue,
            None => (Weight::Warning, "is not mentioned in the report"),
        };
        let note = claim.map(|claim| claim.note.as_str()).filter(|note| !note.is_empty());
        let message =
            format!("{} {what}{}", requirement.named(), note.map(|note| format!(": {note}")).unwrap_or_default());
        findings.push(Finding::about(&task.id, FindingCode::UncoveredRequirement, weight, message));
    }
}

fn name_paths<'a>(paths: impl IntoIterator<Item = &'a str>) -> String {
    let paths: BTreeSet<&str> = paths.into_iter().collect();
    text::listed(paths, PATHS_NAMED)
}

#[cfg(test)]
mod tests;
