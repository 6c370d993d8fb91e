//! How a subagent reports: where to, in which form, with an example that the report's own types wrote.

use std::fmt::Write as _;

use super::{BriefInput, Reporting};
use crate::{
    report::{
        ClaimStatus, Evidence, Label, REPORT_MAX_BYTES, REPORT_VERSION, Report, ReportStatus, RequirementClaim,
        SummaryItem,
    },
    roster::{Access, Role},
    text,
};

/// Requirements that the example claims; a real report claims all of them.
const EXAMPLE_CLAIMS: usize = 2;

/// Writes the section.
pub(super) fn render(out: &mut String, input: &BriefInput<'_>) {
    let where_to = match input.manner.reporting {
        Reporting::File => "Write one JSON object to the file that the environment variable `IMPLEMENTER_REPORT` names",
        Reporting::Answer => {
            "Your last answer is one JSON object and nothing else: no words before or behind it, no file"
        }
    };
    let _ = write!(
        out,
        "\n## How to report\n\n\
         {where_to}, of at most {} bytes. Without a valid report your task does not pass, whatever you changed.\n\n\
         - `version`: {REPORT_VERSION}.\n\
         - `status`: `completed`, `blocked` or `failed`.\n\
         - `summary`: what you did, in a paragraph.\n\
         - `requirements`: for each requirement above its `id`, a `status` (`done`, `partial`, `not-done` or \
         `already-done`) and a `note`. `already-done` says that the base has it already: name the `paths` where it is and \
         the `tests` that show it. They are run on the base.\n\
         - `files`: every path that you changed, from the root of the repository.\n\
         - `items`: lines for the Implementation Summary, each with a `label` and a `text`. Labels: {}.\n\
         - `evidence`: what you ran: `command`, `exit-code`, `result`.\n\
         - `limitations`: what you could not do: `text`, and in `needs` the subagent that could.\n\
         - `findings`: what is wrong with the code: `severity` (`blocking`, `warning` or `note`), `path`, `line`, \
         `message`.\n\n\
         Other keys are refused. Leave out the lists that would be empty. An example:\n\n{}\n",
        REPORT_MAX_BYTES,
        labels(),
        text::fenced(
            &serde_json::to_string_pretty(&example(input)).expect("invariant: a report has texts as keys"),
            "json"
        ),
    );
}

fn labels() -> String {
    const ALL: [Label; 16] = [
        Label::CloudResources,
        Label::DataTypes,
        Label::Configuration,
        Label::CoreFunctionality,
        Label::ApiEndpoints,
        Label::CliIntegration,
        Label::BusinessLogic,
        Label::UnitTests,
        Label::CodeReview,
        Label::IntegrationTesting,
        Label::PerformanceValidation,
        Label::DeploymentConfiguration,
        Label::EnvironmentPreparation,
        Label::ValidationResults,
        Label::DeploymentInstructions,
        Label::Documentation,
    ];
    let names = ALL.iter().filter_map(|label| serde_json::to_string(label).ok());
    names.map(|name| format!("`{}`", name.trim_matches('"'))).collect::<Vec<_>>().join(", ")
}

fn example(input: &BriefInput<'_>) -> Report {
    let task = input.task;
    let label = match task.role {
        Role::Infrastructure => Label::CloudResources,
        Role::DataTypes => Label::DataTypes,
        Role::Feature => Label::CoreFunctionality,
        Role::Cli => Label::CliIntegration,
        Role::Tests => Label::UnitTests,
        Role::Review => Label::CodeReview,
        Role::Validation => Label::IntegrationTesting,
        Role::Deployment => Label::DeploymentConfiguration,
    };
    Report {
        version: REPORT_VERSION,
        status: ReportStatus::Completed,
        summary: "What was done, and what to know about it.".to_owned(),
        requirements: task
            .requirements
            .iter()
            .take(EXAMPLE_CLAIMS)
            .map(|requirement| RequirementClaim {
                id: requirement.id.clone(),
                status: ClaimStatus::Done,
                note: "Where and how.".to_owned(),
                paths: Vec::new(),
                tests: Vec::new(),
            })
            .collect(),
        files: match task.access {
            Access::Writes => vec!["path/of/a/changed.file".to_owned()],
            Access::ReadOnly => Vec::new(),
        },
        items: vec![SummaryItem { label, text: "One thing that people should know.".to_owned() }],
        evidence: vec![Evidence {
            command: "the command that was run".to_owned(),
            exit_code: Some(0),
            result: "What it showed.".to_owned(),
        }],
        limitations: Vec::new(),
        findings: Vec::new(),
    }
}
