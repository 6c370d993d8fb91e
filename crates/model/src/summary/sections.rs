//! The first four sections of the summary: what was implemented, and how it was checked.

use super::{
    entry::{self, Detail},
    gates::{standings, why_earlier_counts},
    index::{RunIndex, TaskView},
    wording,
};
use crate::{
    command,
    findings::{FindingCode, Weight},
    gate::{CommandReceipt, GateKind},
    report::Label,
    roster::Role,
    run::{Facts, GateStanding, standing},
    text,
};

/// A label of the first four sections, and where its lines come from.
struct Source {
    name: &'static str,
    label: Label,
    /// The role whose work it is.
    role: Role,
    /// Whether the outcomes and sizes of the role's tasks stand here. Each role has them under one label only.
    facts: bool,
}

const fn source(name: &'static str, label: Label, role: Role, facts: bool) -> Source {
    Source { name, label, role, facts }
}

/// The sections and labels, in the order that the format promises.
const SECTIONS: [(&str, &[Source]); 4] = [
    (
        "Infrastructure Implemented",
        &[
            source("Cloud Resources", Label::CloudResources, Role::Infrastructure, true),
            source("Data Types", Label::DataTypes, Role::DataTypes, true),
            source("Configuration", Label::Configuration, Role::Infrastructure, false),
        ],
    ),
    (
        "Feature Implementation",
        &[
            source("Core Functionality", Label::CoreFunctionality, Role::Feature, true),
            source("API Endpoints", Label::ApiEndpoints, Role::Feature, false),
            source("CLI Integration", Label::CliIntegration, Role::Cli, true),
            source("Business Logic", Label::BusinessLogic, Role::Feature, false),
        ],
    ),
    (
        "Quality Assurance",
        &[
            source("Unit Tests", Label::UnitTests, Role::Tests, true),
            source("Code Review", Label::CodeReview, Role::Review, true),
            source("Integration Testing", Label::IntegrationTesting, Role::Validation, true),
            source("Performance Validation", Label::PerformanceValidation, Role::Validation, false),
        ],
    ),
    (
        "Deployment Readiness",
        &[
            source("Deployment Configuration", Label::DeploymentConfiguration, Role::Deployment, true),
            source("Environment Preparation", Label::EnvironmentPreparation, Role::Deployment, false),
            source("Validation Results", Label::ValidationResults, Role::Validation, false),
        ],
    ),
];

/// Writes the four sections.
pub(super) fn render(page: &mut String, index: &RunIndex<'_>, detail: &Detail) {
    for (heading, sources) in SECTIONS {
        page.push_str(&format!("### {heading}\n\n"));
        for source in sources {
            entry::label(page, source.name, &lines(index, source, detail), detail);
        }
        page.push('\n');
    }
}

fn lines(index: &RunIndex<'_>, source: &Source, detail: &Detail) -> Vec<String> {
    let mut lines = Vec::new();
    if source.facts
        && let Some(gate) = source.role.gate()
    {
        lines.extend(gate_lines(index, &standing(&Facts::from_handoff(index.handoff), gate), detail));
        if gate == GateKind::Review {
            lines.push(reported_findings(index));
        }
    }
    if source.label == Label::ValidationResults {
        lines.push(all_gates(index));
    }
    if source.facts {
        lines.extend(index.of_role(source.role).map(|view| task_line(&view, detail)));
    }
    lines.extend(reported_lines(index, source.label, detail));
    if lines.is_empty()
        || (source.facts && source.role.gate().is_none() && index.reported(source.label).next().is_none())
    {
        lines.extend(nothing_said(index, source, detail));
    }
    lines
}

/// Returns what was reported under a label, each line with the task that said it.
pub(super) fn reported_lines(index: &RunIndex<'_>, label: Label, detail: &Detail) -> Vec<String> {
    index
        .reported(label)
        .map(|(view, said)| {
            let state = if view.passed() { String::new() } else { format!(" ({})", view.outcome().name()) };
            format!("{}{state} reports: {}", text::code(view.id.as_str()), detail.prose(said))
        })
        .collect()
}

/// Says why there is nothing under a label.
fn nothing_said(index: &RunIndex<'_>, source: &Source, detail: &Detail) -> Vec<String> {
    if index.not_needed(source.role) {
        return vec!["Not required by the plan".to_owned()];
    }
    let views: Vec<_> = index.of_role(source.role).collect();
    if views.is_empty() {
        return vec![format!("Missing: no task was scheduled for {}", source.role.title())];
    }
    let mut lines = Vec::new();
    if !source.facts {
        lines.extend(views.iter().filter(|view| !view.passed()).map(|view| task_line(view, detail)));
    }
    let silent: Vec<_> = views.iter().filter(|view| view.passed()).map(|view| view.id).collect();
    if !silent.is_empty() {
        let named = text::listed(silent.iter().map(|id| text::code(id.as_str())), 5);
        lines.push(format!("Nothing reported by {named}"));
    }
    lines
}

fn task_line(view: &TaskView<'_>, detail: &Detail) -> String {
    let id = text::code(view.id.as_str());
    if !view.passed() {
        return format!("{id} {}: {}", view.outcome().name(), detail.prose(view.reason()));
    }
    match view.work() {
        Some(work) if !work.paths.is_empty() => {
            let files = text::count(work.paths.len(), "file");
            format!("{id} passed: {files}, {}", wording::lines(work.added, work.removed))
        }
        _ => format!("{id} passed, without changing a file"),
    }
}

/// Says what a gate's receipts show, command by command.
fn gate_lines(index: &RunIndex<'_>, gate: &GateStanding<'_>, detail: &Detail) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(why) = &gate.shut {
        lines.push(format!("{} {}", gate.mark(), detail.prose(why)));
    }
    for receipt in &gate.receipts {
        if gate.open() && receipt.commands.is_empty() {
            lines.push(format!("{} Gate {} passed", gate.mark(), gate.gate));
        }
        lines.extend(receipt.commands.iter().map(|command| command_line(command, detail)));
        if let Some(verdict) = &receipt.verdict {
            let task = text::code(verdict.task.as_str());
            lines.push(match (verdict.passed, verdict.blocking_findings) {
                (true, _) => {
                    let why = why_earlier_counts(index.handoff, receipt, verdict);
                    let why = why.map_or_else(String::new, |why| format!(", an earlier one. {why}"));
                    format!("{task} approved tree {}{why}", text::code(verdict.tree.short()))
                }
                (false, 0) => format!("{task} did not approve: {}", detail.prose(&verdict.reason)),
                (false, found) => format!("{task} found {}", text::count(found, "blocking problem")),
            });
        }
    }
    lines
}

/// Says what one command of a gate did.
pub(super) fn command_line(command: &CommandReceipt, detail: &Detail) -> String {
    format!(
        "{} {}, {}",
        detail.code(&command::join(&command.argv)),
        wording::command_outcome(command, detail),
        wording::duration(command.duration_ms)
    )
}

fn reported_findings(index: &RunIndex<'_>) -> String {
    let reported: Vec<_> =
        index.handoff.findings.iter().filter(|finding| finding.code == FindingCode::Reported).collect();
    let of = |weight| reported.iter().filter(|finding| finding.weight == weight).count();
    format!(
        "Reported: {} blocking, {}, {}",
        of(Weight::Blocking),
        text::count(of(Weight::Warning), "warning"),
        text::count(of(Weight::Note), "note")
    )
}

fn all_gates(index: &RunIndex<'_>) -> String {
    let gates = standings(index.handoff);
    let open = gates.iter().filter(|gate| gate.open()).count();
    let shut: Vec<_> =
        gates.iter().filter(|gate| !gate.open()).map(|gate| format!("{} {}", gate.gate, gate.said())).collect();
    let shut = if shut.is_empty() { String::new() } else { format!("; {}", shut.join(", ")) };
    format!("{open} of 3 gates passed on the final tree {}{shut}", text::code(index.handoff.result.tree.short()))
}
