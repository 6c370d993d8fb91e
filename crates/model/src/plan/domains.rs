//! The words by which plans name roles, gates and the sections that are not work.

use crate::{gate::GateKind, roster::Role};

/// What headings call each role, in the normal form of [`normal`]. The words in [`NOISE_AFTER`] may follow.
const ROLES: [(Role, &[&str]); 8] = [
    (
        Role::Infrastructure,
        &[
            "infrastructure",
            "infra",
            "cloud infrastructure",
            "cloud",
            "cloud resources",
            "cloud resource",
            "resources",
            "terraform",
            "cloudformation",
            "iac",
            "infrastructure as code",
            "service configuration",
            "infrastructure architecture",
            "cloud infrastructure architect",
        ],
    ),
    (
        Role::DataTypes,
        &[
            "data types",
            "data type",
            "datatypes",
            "datatype",
            "types",
            "type definitions",
            "data model",
            "data models",
            "datamodel",
            "domain model",
            "models",
            "schema",
            "schemas",
            "data schema",
            "data schemas",
            "database schema",
            "data structures",
            "tabularium",
            "data types and validation",
            "types and validation",
            "data definitions",
        ],
    ),
    (
        Role::Feature,
        &[
            "feature",
            "features",
            "core feature",
            "core features",
            "business logic",
            "core",
            "core functionality",
            "core logic",
            "logic",
            "api",
            "apis",
            "rest api",
            "http api",
            "api endpoints",
            "api endpoint",
            "endpoints",
            "endpoint",
            "routes",
            "service integration",
            "data processing",
            "feature implementer",
        ],
    ),
    (
        Role::Cli,
        &[
            "cli",
            "command line",
            "command line interface",
            "commandline",
            "cli integration",
            "cli commands",
            "cli command",
            "commands",
            "command line tool",
            "cli tool",
            "cli implementer",
        ],
    ),
    (
        Role::Tests,
        &[
            "tests",
            "test",
            "testing",
            "unit tests",
            "unit test",
            "unit testing",
            "unit and integration tests",
            "test suite",
            "automated tests",
            "test coverage",
            "test strategy",
            "testing strategy",
            "test generation",
            "unit test generation",
            "unit test generator",
            "test cases",
        ],
    ),
    (
        Role::Review,
        &[
            "review",
            "code review",
            "quality review",
            "code quality review",
            "code quality",
            "security review",
            "code quality reviewer",
            "reviews",
        ],
    ),
    (
        Role::Validation,
        &[
            "validation",
            "integration testing",
            "integration tests",
            "integration test",
            "integration validation",
            "e2e",
            "e2e tests",
            "e2e testing",
            "end to end",
            "end to end tests",
            "end to end testing",
            "end to end validation",
            "e2e validation",
            "system tests",
            "system validation",
            "validation agent",
            "performance validation",
        ],
    ),
    (
        Role::Deployment,
        &[
            "deployment",
            "deployments",
            "deploy",
            "deployment configuration",
            "deployment readiness",
            "deployment config",
            "deployment preparation",
            "release",
            "rollout",
            "deployment agent",
            "deployment scripts",
        ],
    ),
];

/// Words that may follow a role without changing it.
const NOISE_AFTER: [&str; 20] = [
    "section",
    "task",
    "tasks",
    "work",
    "changes",
    "change",
    "requirements",
    "phase",
    "subagent",
    "agent",
    "layer",
    "implementation",
    "updates",
    "plan",
    "setup",
    "items",
    "steps",
    "specialist",
    "stage",
    "domain",
];

/// Words that may stand before a role without changing it.
const NOISE_BEFORE: [&str; 5] = ["backend", "the", "new", "our", "implement"];

/// What headings call the commands that verify the result.
const VERIFICATION: [&str; 16] = [
    "verification",
    "verification commands",
    "verification command",
    "verify",
    "verification steps",
    "verification plan",
    "how to verify",
    "checks",
    "verification checks",
    "verification gates",
    "gates",
    "quality gates",
    "gate commands",
    "verification and checks",
    "checks and verification",
    "commands to verify",
];

/// What headings call the acceptance criteria.
const ACCEPTANCE: [&str; 10] = [
    "acceptance criteria",
    "acceptance",
    "success criteria",
    "definition of done",
    "done when",
    "acceptance criterion",
    "exit criteria",
    "acceptance checklist",
    "completion criteria",
    "acceptance conditions",
];

/// Sections that say what is not to be done, or that are only there to be read: never work, whatever is below them.
const ASIDES: [&str; 32] = [
    "out of scope",
    "not in scope",
    "non goals",
    "nongoals",
    "non goal",
    "risks",
    "risk",
    "risks and mitigations",
    "future work",
    "future",
    "follow ups",
    "open questions",
    "questions",
    "references",
    "appendix",
    "alternatives",
    "alternatives considered",
    "rollback plan",
    "rollback",
    "assumptions",
    "glossary",
    "changelog",
    "notes",
    "note",
    "rationale",
    "constraints",
    "context",
    "background",
    "examples",
    "example",
    "files",
    "links",
];

/// Sections that frame the plan. They are not work, but work may stand below them.
const FRAMES: [&str; 34] = [
    "overview",
    "goals",
    "goal",
    "summary",
    "subagents",
    "agents",
    "plan",
    "implementation plan",
    "introduction",
    "scope",
    "objective",
    "objectives",
    "design",
    "architecture",
    "timeline",
    "dependencies",
    "execution order",
    "execution plan",
    "phases",
    "foundation",
    "quality",
    "quality assurance",
    "readiness",
    "tasks",
    "task breakdown",
    "requirements",
    "deliverables",
    "description",
    "purpose",
    "problem",
    "motivation",
    "approach",
    "subagent assignments",
    "steps",
];

/// Puts a phrase into the form in which it is looked up: lower case, words parted by single spaces, `&` as "and".
pub(super) fn normal(phrase: &str) -> String {
    let mut normal = String::with_capacity(phrase.len());
    for c in phrase.chars() {
        if c.is_alphanumeric() {
            normal.extend(c.to_lowercase());
        } else if c == '&' || c == '+' {
            normal.push_str(" and ");
        } else if !normal.ends_with(' ') {
            normal.push(' ');
        }
    }
    normal.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Finds the role that a phrase in normal form names.
pub(super) fn role(phrase: &str) -> Option<Role> {
    without_noise(phrase).find_map(exact_role)
}

/// Goes from a phrase to shorter ones, leaving out one word after the other that could not change its meaning.
pub(super) fn without_noise(phrase: &str) -> impl Iterator<Item = &str> {
    // A name is short; a sentence that happens to end in many such words is none.
    let short = Some(phrase).filter(|phrase| phrase.split(' ').count() <= 8);
    std::iter::successors(short, |phrase| {
        let last = phrase.rsplit(' ').next().filter(|word| NOISE_AFTER.contains(word));
        let first = phrase.split(' ').next().filter(|word| NOISE_BEFORE.contains(word));
        let shorter = match (last, first) {
            (Some(word), _) => phrase.strip_suffix(word),
            (None, Some(word)) => phrase.strip_prefix(word),
            (None, None) => None,
        };
        shorter.map(str::trim)
    })
}

fn exact_role(phrase: &str) -> Option<Role> {
    ROLES.iter().find(|(_, names)| names.contains(&phrase)).map(|(role, _)| *role)
}

/// Goes through every phrase that names a role.
pub(super) fn role_names() -> impl Iterator<Item = &'static str> {
    ROLES.iter().flat_map(|(_, names)| names.iter().copied())
}

/// Finds the gate that a label in a verification section names.
pub(super) fn gate(phrase: &str) -> Option<GateKind> {
    match phrase {
        "lint" | "linting" | "lints" | "static analysis" | "security" | "format" | "formatting" | "style" => {
            Some(GateKind::Review)
        }
        "integration" | "smoke" | "smoke tests" | "smoke test" | "performance" | "load" | "validate" => {
            Some(GateKind::Validation)
        }
        "unit" | "coverage" => Some(GateKind::Tests),
        _ => {
            let phrase =
                [" commands", " command", " gate"].iter().find_map(|end| phrase.strip_suffix(end)).unwrap_or(phrase);
            role(phrase)?.gate()
        }
    }
}

/// What a section is that is not a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fixed {
    /// Commands that verify the result, of one gate when the heading says which.
    Verification(Option<GateKind>),
    /// Acceptance criteria.
    Acceptance,
    /// Something to read that is no work, and nothing below it is.
    Aside,
    /// A frame around other sections.
    Frame,
}

/// Finds what a phrase in normal form heads, when it is none of the roles.
pub(super) fn fixed(phrase: &str) -> Option<Fixed> {
    if VERIFICATION.contains(&phrase) {
        Some(Fixed::Verification(None))
    } else if ACCEPTANCE.contains(&phrase) {
        Some(Fixed::Acceptance)
    } else if ASIDES.contains(&phrase) {
        Some(Fixed::Aside)
    } else if FRAMES.contains(&phrase) {
        Some(Fixed::Frame)
    } else {
        let gate_phrase = [" commands", " command", " gate"].iter().find_map(|end| phrase.strip_suffix(end))?;
        // "CLI commands" is work for a subagent; "Test commands" is not.
        role(gate_phrase)?.gate().map(|gate| Fixed::Verification(Some(gate)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_found_by_their_usual_names() {
        for (phrase, expected) in [
            ("Cloud Resources", Some(Role::Infrastructure)),
            ("Infrastructure Setup", Some(Role::Infrastructure)),
            ("Data Model", Some(Role::DataTypes)),
            ("Feature Implementation", Some(Role::Feature)),
            ("Backend API Endpoints", Some(Role::Feature)),
            ("CLI Integration", Some(Role::Cli)),
            ("Test plan", Some(Role::Tests)),
            ("Unit & Integration Tests", Some(Role::Tests)),
            ("Integration Testing", Some(Role::Validation)),
            ("End-to-end", Some(Role::Validation)),
            ("Code Review", Some(Role::Review)),
            ("Deployment configuration", Some(Role::Deployment)),
            ("Implementation plan", None),
            ("Feature flags", None),
            ("", None),
        ] {
            assert_eq!(role(&normal(phrase)), expected, "{phrase}");
        }
    }

    #[test]
    fn every_role_goes_by_its_title_its_id_and_its_subagents_name() {
        for expected in Role::ALL {
            for phrase in [expected.title(), expected.name(), expected.builtin_name()] {
                assert_eq!(role(&normal(phrase)), Some(expected), "{phrase}");
            }
        }
    }

    #[test]
    fn no_phrase_means_two_things() {
        let mut seen = std::collections::BTreeSet::new();
        let fixed = VERIFICATION.iter().chain(&ACCEPTANCE).chain(&ASIDES).chain(&FRAMES).copied();
        for phrase in role_names().chain(fixed) {
            assert_eq!(normal(phrase), phrase);
            assert!(seen.insert(phrase), "{phrase} is listed twice");
        }
        for phrase in VERIFICATION.iter().chain(&ACCEPTANCE).chain(&ASIDES).chain(&FRAMES) {
            assert_eq!(role(phrase), None, "{phrase}");
        }
    }
}
