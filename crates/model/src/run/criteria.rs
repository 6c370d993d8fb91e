//! Whether the implementation is complete, what is missing, and the seven success criteria.
//!
//! Two questions are kept apart. *Complete* is a matter of tasks, gates and blocking findings, and nothing else: it
//! decides the exit code and opens the way to submission. The *criteria* tell people more than that; some of them, such
//! as "documented", a plan may not ask for at all, and an unmet criterion alone makes no run incomplete.

use std::collections::BTreeSet;

use super::{
    Facts,
    standing::{GateStanding, standings},
    task_index::{TaskIndex, TaskView},
};
use crate::{
    findings::{Finding, FindingCode, Weight},
    handoff::{Criterion, CriterionVerdict, Implementation},
    patch::Patch,
    record::{Outcome, Status},
    report::{ClaimStatus, Label},
    roster::Role,
    text, wording,
};

/// How many names a piece of evidence lists before it only counts the rest.
const NAMES_LISTED: usize = 8;

/// The roles whose work is "infrastructure, features and CLI".
const IMPLEMENTING: [Role; 4] = [Role::Infrastructure, Role::DataTypes, Role::Feature, Role::Cli];

/// Returns whether the implementation is complete.
///
/// A run whose status already says that it was cancelled stays cancelled, even when every task had passed by then:
/// whoever cancelled it did not approve its result.
#[must_use]
pub(super) fn status(facts: &Facts<'_>) -> Status {
    if is_cancelled(facts) {
        Status::Cancelled
    } else if missing(facts).is_empty() {
        Status::Complete
    } else {
        Status::Incomplete
    }
}

fn is_cancelled(facts: &Facts<'_>) -> bool {
    // A run that is red on its base ends its tasks itself: nobody cancelled it.
    let ended_itself =
        facts.findings.iter().any(|finding| finding.code == FindingCode::RedBase && finding.weight == Weight::Blocking);
    facts.cancelled || (!ended_itself && facts.tasks.iter().any(|record| record.outcome == Outcome::Cancelled))
}

/// Says exactly what keeps the implementation from being complete, a sentence for each thing; empty when nothing does.
///
/// The sentences carry reasons and messages that subagents gave: they are untrusted text.
#[must_use]
pub(super) fn missing(facts: &Facts<'_>) -> Vec<String> {
    let index = facts.index();
    let mut missing = Vec::new();
    if is_cancelled(facts) {
        missing.push("The run was cancelled before it had ended.".to_owned());
    }
    if index.len() == 0 {
        missing.push("No task was scheduled, so nothing was implemented.".to_owned());
    }
    for view in index.tasks().filter(|view| !view.passed()) {
        let subagent = view.subagent().map(|name| format!(" ({name})")).unwrap_or_default();
        missing.push(format!("Task {}{subagent}, {}: {}.", view.id, view.outcome().name(), view.reason()));
    }
    let gates = standings(facts);
    missing.extend(gates.iter().filter_map(|gate| gate.shut.as_ref()).map(|why| format!("{why}.")));
    for finding in blocking(facts).filter(|finding| !said_already(finding, &index, &gates)) {
        missing.push(format!("Blocking finding {}{}: {}", finding.code.name(), place(finding), finding.message.trim()));
    }
    missing
}

fn blocking<'a>(facts: &Facts<'a>) -> impl Iterator<Item = &'a Finding> {
    facts.findings.iter().filter(|finding| finding.weight == Weight::Blocking)
}

/// Tells whether a task's or a gate's own sentence already says what the finding says.
fn said_already(finding: &Finding, index: &TaskIndex<'_>, gates: &[GateStanding<'_>]) -> bool {
    match finding.code {
        FindingCode::SubagentFailed
        | FindingCode::TimedOut
        | FindingCode::BudgetExhausted
        | FindingCode::TurnsExhausted
        | FindingCode::ModelFailed
        | FindingCode::ModelRefused
        | FindingCode::SandboxFailed
        | FindingCode::UnstructuredReport
        | FindingCode::SubagentBlocked
        | FindingCode::NeedNotMet
        | FindingCode::NoReport
        | FindingCode::InvalidReport => {
            finding.task.as_ref().and_then(|id| index.task(id)).is_some_and(|view| !view.passed())
        }
        // Gates' findings do not name their gate. While any gate is shut, its sentence is there.
        FindingCode::GateNotPassed => gates.iter().any(|gate| !gate.open()),
        _ => false,
    }
}

fn place(finding: &Finding) -> String {
    match (&finding.path, finding.line) {
        (Some(path), Some(line)) => format!(" in {path}:{line}"),
        (Some(path), None) => format!(" in {path}"),
        (None, _) => finding.task.as_ref().map(|task| format!(" of task {task}")).unwrap_or_default(),
    }
}

/// Judges the seven success criteria, each on evidence of the coordinator's own. They inform; [`status`] decides.
#[must_use]
pub(super) fn criteria(facts: &Facts<'_>) -> Vec<CriterionVerdict> {
    let index = facts.index();
    let [tests, review, validation] = standings(facts);
    Criterion::ALL
        .into_iter()
        .map(|criterion| {
            let (met, evidence) = match criterion {
                Criterion::Coordinated => coordinated(&index, facts.schedule.waves.len()),
                Criterion::Implemented => implemented(&index),
                Criterion::Tested => gates_open(&[&tests]),
                Criterion::Validated => gates_open(&[&review, &validation]),
                Criterion::ProductionReady => production_ready(facts, &index, &[&tests, &review, &validation]),
                Criterion::Documented => documented(&index),
                Criterion::SubmissionInput => submission_input(facts.result, &[&tests, &review, &validation]),
            };
            CriterionVerdict { criterion, met, evidence }
        })
        .collect()
}

fn coordinated(index: &TaskIndex<'_>, waves: usize) -> (bool, String) {
    let (passed, all) = (index.passed(), index.len());
    if all == 0 {
        return (false, "no task was scheduled".to_owned());
    }
    let waves = text::count(waves, "wave");
    let others: Vec<_> = index.tasks().filter(|view| !view.passed()).map(|view| view.id).collect();
    if others.is_empty() {
        (true, format!("{passed} of {} passed, in {waves}", text::count(all, "task")))
    } else {
        let names = wording::listed(others, NAMES_LISTED);
        (false, format!("{passed} of {} passed; not passed: {names}", text::count(all, "task")))
    }
}

fn implemented(index: &TaskIndex<'_>) -> (bool, String) {
    let roles_without_work: Vec<_> =
        IMPLEMENTING.into_iter().filter(|role| index.of_role(*role).next().is_none()).collect();
    let unexplained: Vec<_> =
        roles_without_work.iter().filter(|role| !index.not_needed(**role)).map(|role| role.title()).collect();
    if !unexplained.is_empty() {
        return (false, format!("no task was scheduled for {}", unexplained.join(", ")));
    }
    let views: Vec<_> = IMPLEMENTING.into_iter().flat_map(|role| index.of_role(role)).collect();
    if views.is_empty() {
        return (true, "the plan asks for no infrastructure, data types, features or CLI".to_owned());
    }
    let not_passed: Vec<_> = views.iter().filter(|view| !view.passed()).map(|view| view.id).collect();
    if !not_passed.is_empty() {
        return (false, format!("not passed: {}", wording::listed(not_passed, NAMES_LISTED)));
    }
    let (mut asked, mut uncovered) = (0, Vec::new());
    for view in &views {
        let covered = claimed_done(view);
        for requirement in view.task.iter().flat_map(|task| &task.requirements).filter(|r| !r.done) {
            asked += 1;
            if !covered.contains(requirement.id.as_str()) {
                uncovered.push(requirement.id.as_str());
            }
        }
    }
    if uncovered.is_empty() {
        (true, format!("{} passed, {asked} of {asked} requirements covered", text::count(views.len(), "task")))
    } else {
        let shown = text::listed(&uncovered, NAMES_LISTED);
        let covered = asked - uncovered.len();
        (false, format!("{covered} of {asked} requirements covered; no change shows {shown}"))
    }
}

/// Returns the requirements that a task's reports claim done, of which the last word counts; none when none of its attempts
/// changed anything.
fn claimed_done<'a>(view: &TaskView<'a>) -> BTreeSet<&'a str> {
    // What was there already needs no change; it is checked on the base.
    let changed = view.attempts().iter().any(|attempt| attempt.patch.as_ref().is_some_and(|patch| !patch.is_empty()));
    let mut done = BTreeSet::new();
    for claim in view.reports().into_iter().flat_map(|report| &report.requirements) {
        if (claim.status == ClaimStatus::Done && changed) || claim.is_shown_done_already() {
            done.insert(claim.id.as_str());
        } else {
            done.remove(claim.id.as_str());
        }
    }
    done
}

fn gates_open(gates: &[&GateStanding<'_>]) -> (bool, String) {
    let said: Vec<_> = gates.iter().map(|gate| gate_evidence(gate)).collect();
    (gates.iter().all(|gate| gate.open()), said.join("; "))
}

fn gate_evidence(gate: &GateStanding<'_>) -> String {
    if let Some(why) = &gate.shut {
        assert!(!why.is_empty(), "invariant: a gate is shut for a reason in words");
        return text::uncapitalised(why);
    }
    let tree = gate.receipts.last().expect("invariant: a gate without a receipt is shut").tree.short();
    let counted = gate.tests().map(|counts| format!(": {}", wording::tests(&counts))).unwrap_or_default();
    format!("{} passed on the final tree {tree}{counted}", gate.gate)
}

fn production_ready(facts: &Facts<'_>, index: &TaskIndex<'_>, gates: &[&GateStanding<'_>]) -> (bool, String) {
    let mut against = Vec::new();
    let deployment: Vec<_> = index.of_role(Role::Deployment).collect();
    let not_passed: Vec<_> = deployment.iter().filter(|view| !view.passed()).map(|view| view.id).collect();
    if deployment.is_empty() && !index.not_needed(Role::Deployment) {
        against.push("no deployment task was scheduled".to_owned());
    }
    if !not_passed.is_empty() {
        against.push(format!("deployment not passed: {}", wording::listed(not_passed, NAMES_LISTED)));
    }
    let shut: Vec<_> = gates.iter().filter(|gate| !gate.open()).map(|gate| gate.gate.name()).collect();
    if !shut.is_empty() {
        against.push(format!("gates not passed: {}", shut.join(", ")));
    }
    let blocking = blocking(facts).count();
    if blocking > 0 {
        against.push(text::count(blocking, "blocking finding"));
    }
    if !against.is_empty() {
        return (false, against.join("; "));
    }
    let deployment = if deployment.is_empty() {
        "deployment not required by the plan".to_owned()
    } else {
        format!("{} of deployment passed", text::count(deployment.len(), "task"))
    };
    (true, format!("{deployment}; all three gates passed; no blocking finding"))
}

fn documented(index: &TaskIndex<'_>) -> (bool, String) {
    let files: BTreeSet<_> = index
        .integrated_patches()
        .flat_map(|(_, patch)| &patch.changes)
        .filter(|change| change.new.is_some() && is_documentation(&change.path))
        .map(|change| change.path.as_str())
        .collect();
    if !files.is_empty() {
        return (true, format!("changed: {}", text::listed(files, 3)));
    }
    // A claim counts when it names a file, by path or name, that the claiming task's integrated patch really changed.
    let claims: Vec<_> = index.reported(Label::Documentation).collect();
    let backed = claims.iter().find_map(|(view, claim)| {
        let mut patches = index.integrated_patches().filter(|(other, _)| other.id == view.id);
        let path = patches.find_map(|(_, patch)| named_change(patch, claim))?;
        Some(format!("reported by {}, which changed {path}", view.id))
    });
    match backed {
        Some(evidence) => (true, evidence),
        None if claims.is_empty() => {
            (false, "no documentation was changed or reported; this alone makes no run incomplete".to_owned())
        }
        None => (
            false,
            "documentation was reported, but no integrated change shows it; this alone makes no run incomplete"
                .to_owned(),
        ),
    }
}

fn named_change<'a>(patch: &'a Patch, claim: &str) -> Option<&'a str> {
    let mut changes = patch.changes.iter().filter(|change| change.new.is_some());
    let named = |path: &str| {
        let name = path.rsplit('/').next().unwrap_or(path);
        claim.contains(path) || (name.contains('.') && claim.contains(name))
    };
    changes.find(|change| named(&change.path)).map(|change| change.path.as_str())
}

/// Tells whether a path is documentation for people: prose by its extension, or anything below a folder for it. Hidden
/// folders hold settings and instructions for tools, whatever the extension.
fn is_documentation(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    let mut folders: Vec<_> = path.split('/').collect();
    let name = folders.pop().expect("invariant: a split text has a last part");
    let prose = name
        .rsplit_once('.')
        .is_some_and(|(_, extension)| matches!(extension, "md" | "mdx" | "rst" | "adoc" | "asciidoc"));
    let named = ["readme", "changelog"].iter().any(|word| name == *word || name.starts_with(&format!("{word}.")));
    !folders.iter().any(|folder| folder.starts_with('.'))
        && (prose || named || folders.iter().any(|folder| matches!(*folder, "docs" | "doc")))
}

fn submission_input(result: &Implementation, gates: &[&GateStanding<'_>]) -> (bool, String) {
    let mut against = Vec::new();
    if result.commit == result.base {
        against.push("nothing was integrated, so there is no commit to submit".to_owned());
    } else if result.bundle.is_none() || result.bundle_digest.is_none() {
        against.push("there is no bundle with a digest".to_owned());
    }
    let shut: Vec<_> = gates.iter().filter(|gate| !gate.open()).map(|gate| gate.gate.name()).collect();
    if !shut.is_empty() {
        against.push(format!("gates not passed: {}", shut.join(", ")));
    }
    if against.is_empty() {
        (true, format!("commit {} in the bundle, all three gates passed on its tree", result.commit.short()))
    } else {
        (false, against.join("; "))
    }
}

#[cfg(test)]
mod tests;
