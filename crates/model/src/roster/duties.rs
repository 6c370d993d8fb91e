//! The duties of the eight subagents: each stands in the built-in file, reaches the brief whole, and is told under a
//! label of the summary.

use super::{Role, builtin};
use crate::{brief, summary};

/// The duties of a role, each by words of its file, and the labels of the summary under which it tells.
const DUTIES: [(Role, &[&str], &[&str]); 8] = [
    (
        Role::Infrastructure,
        &[
            "cloud services",
            "functions",
            "API gateways",
            "object storage",
            "tables",
            "CloudFormation",
            "infrastructure as code",
            "provisioned",
            "configuration of the services",
        ],
        &["cloud resources", "configuration"],
    ),
    (
        Role::DataTypes,
        &["tabularium", "new types", "type system", "validation", "structure that the feature needs", "existing ones"],
        &["data types"],
    ),
    (
        Role::Feature,
        &[
            "business logic",
            "API endpoints",
            "established patterns",
            "integration of services",
            "processing of data",
            "only existing types",
            "existing infrastructure",
            "within the architecture",
            "recommend|in `needs`",
            "1. Identify which existing types",
            "2. Identify which existing infrastructure",
            "3. Design with existing components only",
            "in the manner of the codebase",
            "mechanisms that exist",
            "logging and monitoring",
            "integration with existing features",
            "unit tests of everything that you make",
            "comments",
            "backward compatible",
            "helpers",
            "no new infrastructure",
            "tested with the existing components",
            "every requirement met",
            "every error case handled",
            "existing components each part uses",
            "what would be needed",
            "assumptions",
            "impact on what exists",
        ],
        &["core functionality", "API endpoints", "business logic"],
    ),
    (
        Role::Cli,
        &["commands for managing the feature", "existing conventions", "a person can do", "existing help"],
        &["CLI integration"],
    ),
    (
        Role::Tests,
        &[
            "unit tests of all new functionality",
            "coverage of what was implemented is complete",
            "integration tests of component interactions",
            "established conventions",
            "complete and widen",
        ],
        &["unit tests"],
    ),
    (
        Role::Deployment,
        &[
            "SAM templates",
            "deployment configuration",
            "development",
            "staging",
            "production",
            "Automate",
            "infrastructure that the deployment needs is defined and ready",
        ],
        &["deployment configuration", "environment preparation", "deployment instructions"],
    ),
    (
        Role::Review,
        &["Standards", "best practice", "Security", "Performance"],
        &["code review", "performance validation"],
    ),
    (
        Role::Validation,
        &["actual stack", "end-to-end workflows", "compatibility with existing systems", "ready for production"],
        &["integration testing", "performance validation", "validation results"],
    ),
];

#[test]
fn every_duty_stands_in_the_file_of_its_subagent_and_reaches_what_it_is_told() {
    let roster = builtin();
    for (role, duties, _) in DUTIES {
        let subagent = roster.for_role(role).unwrap();
        let told = brief::role_prompt(subagent);
        for duty in duties {
            let said = |text: &str| duty.split('|').any(|words| text.to_lowercase().contains(&words.to_lowercase()));
            assert!(said(&subagent.prompt), "{role:?}: {duty}");
            assert!(said(&told), "{role:?}: {duty} is cut off");
        }
    }
}

#[test]
fn every_subagent_tells_under_labels_that_the_summary_has() {
    let roster = builtin();
    let summary = summary::render(&summary::fixture::complete()).to_lowercase();
    for (role, _, told_under) in DUTIES {
        let prompt = roster.for_role(role).unwrap().prompt.to_lowercase();
        let report = prompt.split_once("## what you report").unwrap().1;
        for label in told_under {
            assert!(report.contains(&label.to_lowercase()), "{role:?} says nothing of {label}");
            assert!(summary.contains(&format!("**{}**", label.to_lowercase())), "the summary has no {label}");
        }
    }
}

#[test]
fn nobody_forbids_the_feature_implementer_its_tests() {
    let roster = builtin();
    let feature = roster.for_role(Role::Feature).unwrap();
    let (_, forbidden) = feature.prompt.split_once("## What you must not do").unwrap();
    let forbidden = forbidden.split("## ").next().unwrap();
    assert!(!forbidden.lines().any(|line| line.starts_with("- Write the tests")), "{forbidden}");
    let scope = crate::scope::Scope { allow: feature.scope.clone(), deny: feature.exclude.clone().into() };
    let scope = crate::scope::CompiledScope::new(&scope).unwrap();
    for path in ["tests/test_users.py", "src/users.test.ts", "internal/server/server_test.go", "spec/user_spec.rb"] {
        assert!(scope.allows(path), "{path}");
    }
}
