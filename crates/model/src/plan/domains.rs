//! The words by which plans name roles, gates and the sections that are not work.

use crate::{gate::GateKind, plan::accounting::Reason, roster::Role};

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
            "configuration",
            "configuration changes",
            "environment configuration",
            "provisioning",
            "serverless",
            "cloud services",
            "aws",
            "aws resources",
            "gcp",
            "azure",
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
            "tabularium types",
            "type system",
            "types and schemas",
            "dtos",
            "entities",
            "domain types",
            "data contracts",
            "interfaces and types",
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
            "backend",
            "backend logic",
            "backend implementation",
            "backend changes",
            "backend services",
            "service",
            "services",
            "service layer",
            "services layer",
            "worker",
            "workers",
            "background jobs",
            "background workers",
            "database",
            "databases",
            "database changes",
            "database layer",
            "migration",
            "migrations",
            "database migration",
            "database migrations",
            "data migration",
            "data access",
            "data layer",
            "persistence",
            "persistence layer",
            "repository",
            "repositories",
            "storage",
            "storage layer",
            "handlers",
            "controllers",
            "middleware",
            "integration",
            "integrations",
            "frontend",
            "front end",
            "ui",
            "user interface",
            "web ui",
            "client",
            "server",
            "application logic",
            "domain logic",
            "use cases",
            "events",
            "event handling",
            "messaging",
            "jobs",
            "queues and workers",
            "webhooks",
            "authentication",
            "authorization",
            "authentication and authorization",
            "auth",
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
            "commands and help",
            "command line commands",
            "cli and tooling",
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
            "test plan",
            "tests and coverage",
            "write tests",
            "tests to write",
            "test scenarios",
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
            "manual testing",
            "manual tests",
            "manual verification",
            "manual validation",
            "manual qa",
            "qa",
            "smoke tests",
            "smoke test",
            "smoke testing",
            "acceptance tests",
            "acceptance testing",
            "user acceptance testing",
            "load tests",
            "load testing",
            "performance testing",
            "performance tests",
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
            "docker",
            "dockerfile",
            "containers",
            "containerization",
            "containerisation",
            "kubernetes",
            "helm",
            "ci",
            "cd",
            "ci cd",
            "ci and cd",
            "ci cd pipeline",
            "ci pipeline",
            "ci cd pipelines",
            "continuous integration",
            "continuous deployment",
            "pipeline",
            "devops",
            "environments",
            "environment preparation",
            "release plan",
            "rollout plan",
            "deployment plan",
            "deployment strategy",
            "deployment and rollout",
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
const VERIFICATION: [&str; 21] = [
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
    "verification and testing",
    "testing and verification",
    "final verification",
    "verification checklist",
    "how to test",
];

/// What headings call the acceptance criteria.
const ACCEPTANCE: [&str; 14] = [
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
    "success criterion",
    "criteria",
    "independent test criteria",
    "given when then",
];

/// Sections about what holds for all of the work: somebody builds it, and the reviewer looks at it.
const CROSS_CUTTING: [&str; 39] = [
    "security",
    "security considerations",
    "security requirements",
    "security hardening",
    "privacy",
    "compliance",
    "performance",
    "performance considerations",
    "performance requirements",
    "performance optimization",
    "performance optimisation",
    "scalability",
    "reliability",
    "logging",
    "monitoring",
    "observability",
    "metrics",
    "logging and monitoring",
    "monitoring and logging",
    "monitoring and observability",
    "telemetry",
    "alerting",
    "documentation",
    "docs",
    "documentation updates",
    "error handling",
    "error handling and validation",
    "backward compatibility",
    "backwards compatibility",
    "compatibility",
    "accessibility",
    "internationalization",
    "localization",
    "polish",
    "polish and cross cutting concerns",
    "cross cutting concerns",
    "non functional requirements",
    "nonfunctional requirements",
    "quality attributes",
];

/// Sections that list files which the work itself names.
const FILES: [&str; 23] = [
    "files",
    "file map",
    "files to modify",
    "files to change",
    "files to create",
    "files to edit",
    "files to touch",
    "files to create and modify",
    "files to create or modify",
    "files to modify and create",
    "files modified",
    "files changed",
    "files affected",
    "affected files",
    "critical files",
    "key files",
    "relevant files",
    "file structure",
    "file summary",
    "files summary",
    "file change summary",
    "file changes",
    "project structure",
];

/// Sections that are not to be done: never work, whatever is below them.
const OUT_OF_SCOPE: [&str; 17] = [
    "out of scope",
    "not in scope",
    "non goals",
    "nongoals",
    "non goal",
    "not included",
    "excluded",
    "exclusions",
    "what we are not doing",
    "what were not doing",
    "what we re not doing",
    "not doing",
    "alternatives",
    "alternatives considered",
    "rejected alternatives",
    "rejected",
    "left aside",
];

/// Sections that are put off.
const DEFERRED: [&str; 18] = [
    "future work",
    "future",
    "future enhancements",
    "future improvements",
    "future considerations",
    "follow ups",
    "follow up",
    "followups",
    "later",
    "deferred",
    "deferred work",
    "backlog",
    "postponed",
    "next steps",
    "nice to have",
    "nice to haves",
    "stretch goals",
    "phase 2 ideas",
];

/// Sections that explain how the plan is written, or in which order it is to be read.
const LEGENDS: [&str; 18] = [
    "format",
    "legend",
    "path conventions",
    "conventions",
    "how to use this plan",
    "how to read this plan",
    "parallel example",
    "parallel examples",
    "parallel opportunities",
    "parallel execution",
    "parallel execution examples",
    "implementation strategy",
    "dependencies and execution order",
    "dependency graph",
    "execution flow",
    "task generation rules",
    "validation checklist",
    "table of contents",
];

/// Sections that record what was done, or are to be filled in.
const RECORDS: [&str; 20] = [
    "dev agent record",
    "agent model used",
    "debug log references",
    "debug log",
    "completion notes list",
    "completion notes",
    "file list",
    "change log",
    "changelog",
    "qa results",
    "review findings",
    "senior developer review",
    "senior developer review ai",
    "status",
    "progress",
    "progress log",
    "history",
    "revision history",
    "done already",
    "completed",
];

/// Sections that are only there to be read: nothing below them is work but what has a box.
const ASIDES: [&str; 44] = [
    "timeline",
    "schedule",
    "estimates",
    "effort estimate",
    "risks",
    "risk",
    "risks and mitigations",
    "risk assessment",
    "risk mitigation",
    "open questions",
    "questions",
    "references",
    "appendix",
    "rollback plan",
    "rollback",
    "rollback strategy",
    "assumptions",
    "glossary",
    "notes",
    "note",
    "dev notes",
    "developer notes",
    "implementation notes",
    "technical notes",
    "rationale",
    "constraints",
    "global constraints",
    "context",
    "background",
    "examples",
    "example",
    "links",
    "prerequisites",
    "current state",
    "current behavior",
    "current behaviour",
    "existing code",
    "root cause",
    "findings",
    "decisions",
    "key decisions",
    "design decisions",
    "story",
    "user story",
];

/// Sections that say what it is about. Their own items are no work, but work may stand below them; and where a plan has
/// none anywhere else, they are the work.
const CONTEXTS: [&str; 40] = [
    "overview",
    "executive summary",
    "goals",
    "goal",
    "summary",
    "introduction",
    "scope",
    "in scope",
    "objective",
    "objectives",
    "design",
    "technical design",
    "architecture",
    "architecture overview",
    "high level design",
    "dependencies",
    "execution order",
    "description",
    "purpose",
    "problem",
    "problem statement",
    "motivation",
    "approach",
    "technical approach",
    "proposed approach",
    "implementation approach",
    "proposal",
    "solution",
    "proposed solution",
    "tech stack",
    "technology stack",
    "technical context",
    "user stories",
    "success metrics",
    "why",
    "what",
    "impact",
    "strategy",
    "data flow",
    "interfaces",
];

/// Sections that frame the plan. Work stands in them and below them.
const FRAMES: [&str; 29] = [
    "subagents",
    "agents",
    "plan",
    "implementation plan",
    "implementation",
    "execution plan",
    "phases",
    "foundation",
    "quality",
    "quality assurance",
    "readiness",
    "tasks",
    "tasks and subtasks",
    "tasks subtasks",
    "task list",
    "todo",
    "todos",
    "task breakdown",
    "requirements",
    "functional requirements",
    "deliverables",
    "subagent assignments",
    "steps",
    "implementation steps",
    "implementation tasks",
    "work items",
    "action items",
    "changes",
    "proposed changes",
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
    Aside(Reason),
    /// What it is about: its items are no work as long as there is other work.
    Context,
    /// A list of files.
    Files,
    /// What holds for all of the work.
    CrossCutting,
    /// A frame around other sections.
    Frame,
}

impl Reason {
    /// Tells whether not even a box is work where this is the reason.
    pub(super) fn is_final(self) -> bool {
        matches!(self, Self::OutOfScope | Self::Deferred | Self::Legend | Self::Record)
    }
}

/// Sections that say how the work is done: where nothing else does, they are the work.
const APPROACHES: [&str; 11] = [
    "approach",
    "technical approach",
    "proposed approach",
    "implementation approach",
    "solution",
    "proposed solution",
    "design",
    "technical design",
    "strategy",
    "proposal",
    "fix",
];

/// Tells whether a phrase in normal form heads how the work is done.
pub(super) fn is_approach(phrase: &str) -> bool {
    APPROACHES.contains(&phrase)
}

/// Words that may begin or end the heading of an aside without changing what it is.
const ASIDE_BEGINS: [(&str, Reason); 9] = [
    ("appendix ", Reason::Context),
    ("out of scope ", Reason::OutOfScope),
    ("future ", Reason::Deferred),
    ("dependencies and ", Reason::Legend),
    ("notes ", Reason::Context),
    ("risks ", Reason::Context),
    ("open questions ", Reason::Context),
    ("parallel example ", Reason::Legend),
    ("senior developer review ", Reason::Record),
];

/// Finds what a phrase in normal form heads, when it is none of the roles.
pub(super) fn fixed(phrase: &str) -> Option<Fixed> {
    let lists: [(&[&str], Fixed); 11] = [
        (&VERIFICATION, Fixed::Verification(None)),
        (&ACCEPTANCE, Fixed::Acceptance),
        (&CROSS_CUTTING, Fixed::CrossCutting),
        (&FILES, Fixed::Files),
        (&OUT_OF_SCOPE, Fixed::Aside(Reason::OutOfScope)),
        (&DEFERRED, Fixed::Aside(Reason::Deferred)),
        (&LEGENDS, Fixed::Aside(Reason::Legend)),
        (&RECORDS, Fixed::Aside(Reason::Record)),
        (&ASIDES, Fixed::Aside(Reason::Context)),
        (&CONTEXTS, Fixed::Context),
        (&FRAMES, Fixed::Frame),
    ];
    if let Some((_, fixed)) = lists.iter().find(|(words, _)| words.contains(&phrase)) {
        return Some(*fixed);
    }
    if let Some((_, reason)) = ASIDE_BEGINS.iter().find(|(begin, _)| phrase.starts_with(begin)) {
        return Some(Fixed::Aside(*reason));
    }
    let gate_phrase = [" commands", " command", " gate"].iter().find_map(|end| phrase.strip_suffix(end))?;
    // "CLI commands" is work for a subagent; "Test commands" is not.
    role(gate_phrase)?.gate().map(|gate| Fixed::Verification(Some(gate)))
}

/// Words with which an item begins that asks for something to be made.
const MAKES: [&str; 22] = [
    "add",
    "write",
    "create",
    "implement",
    "extend",
    "update",
    "generate",
    "define",
    "declare",
    "introduce",
    "design",
    "build",
    "provide",
    "set",
    "configure",
    "provision",
    "expose",
    "complete",
    "expand",
    "setup",
    "deploy",
    "develop",
];

/// Finds the role that an item's words speak of: `Write unit tests for paging`, `Define the row type`, `Add the x
/// command`. Only what an item begins with counts, and what is not plain is nobody's.
pub(super) fn role_of_words(text: &str) -> Option<Role> {
    let head: String = text.chars().take(120).collect::<String>().to_lowercase();
    let head = [
        " for ", " of ", " in ", " to ", " that ", " with ", " on ", " and ", " so ", " using ", ":", " - ", " — ",
        " (", ",", ". ",
    ]
    .iter()
    .fold(head.as_str(), |head, mark| head.split_once(mark).map_or(head, |(before, _)| before));
    let phrase = normal(head);
    let words: Vec<&str> = phrase.split(' ').collect();
    let (first, last) = (*words.first()?, *words.last()?);
    let makes = MAKES.contains(&first);
    let has = |wanted: &[&str]| words.iter().any(|word| wanted.contains(word));
    if words.len() > 8 {
        return None;
    }
    if matches!(last, "test" | "tests") && (makes || words.len() <= 5) {
        return Some(Role::Tests);
    }
    if makes
        && matches!(
            last,
            "type" | "types" | "schema" | "schemas" | "dto" | "dtos" | "enum" | "enums" | "interface" | "interfaces"
        )
    {
        return Some(Role::DataTypes);
    }
    if makes && has(&["cli", "command", "commands", "subcommand", "subcommands"]) {
        return Some(Role::Cli);
    }
    if first == "provision"
        || (makes
            && has(&[
                "bucket",
                "dynamodb",
                "lambda",
                "kinesis",
                "sqs",
                "sns",
                "vpc",
                "terraform",
                "cloudformation",
                "s3",
                "iam",
            ]))
    {
        return Some(Role::Infrastructure);
    }
    if matches!(first, "verify" | "validate" | "checkpoint") || has(&["checkpoint"]) {
        return Some(Role::Validation);
    }
    let ships = has(&["dockerfile", "docker", "kubernetes", "helm", "deployment"]) && makes;
    (ships || first == "deploy").then_some(Role::Deployment)
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
        let lists: [&[&str]; 11] = [
            &VERIFICATION,
            &ACCEPTANCE,
            &CROSS_CUTTING,
            &FILES,
            &OUT_OF_SCOPE,
            &DEFERRED,
            &LEGENDS,
            &RECORDS,
            &ASIDES,
            &CONTEXTS,
            &FRAMES,
        ];
        let fixed = || lists.into_iter().flatten().copied();
        for phrase in role_names().chain(fixed()) {
            assert_eq!(normal(phrase), phrase);
            assert!(seen.insert(phrase), "{phrase} is listed twice");
        }
        for phrase in fixed() {
            assert_eq!(role(phrase), None, "{phrase}");
        }
    }
}
