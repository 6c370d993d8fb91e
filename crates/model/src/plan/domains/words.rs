//! Whose work the words of an item speak of.

use super::{languages, normal, role};
use crate::roster::Role;

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

/// Tools whose name at the beginning of an item says whose it is: "Terraform for the bucket".
const TOOLS: [(&str, Role); 14] = [
    ("terraform", Role::Infrastructure),
    ("cloudformation", Role::Infrastructure),
    ("pulumi", Role::Infrastructure),
    ("ansible", Role::Infrastructure),
    ("bicep", Role::Infrastructure),
    ("docker compose", Role::Infrastructure),
    ("compose file", Role::Infrastructure),
    ("dockerfile", Role::Deployment),
    ("docker image", Role::Deployment),
    ("helm", Role::Deployment),
    ("kubernetes", Role::Deployment),
    ("k8s", Role::Deployment),
    ("kustomize", Role::Deployment),
    ("systemd unit", Role::Deployment),
];

/// Finds the role that an item's words speak of: `Write unit tests for paging`, `Define the row type`, `Add the x
/// command`. Only what an item begins with counts, and what is not plain is nobody's.
pub(in crate::plan) fn role_of_words(text: &str) -> Option<Role> {
    if let Some(role) = label(text).or_else(|| languages::role_of_words(text)) {
        return Some(role);
    }
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
    if let Some((_, role)) = TOOLS.iter().find(|(tool, _)| format!("{phrase} ").starts_with(&format!("{tool} "))) {
        return Some(*role);
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
    let runs_checks =
        matches!(first, "run" | "execute") && has(&["tests", "validation", "linter", "linters", "checks", "suite"]);
    if matches!(first, "verify" | "validate" | "checkpoint") || has(&["checkpoint"]) || runs_checks {
        return Some(Role::Validation);
    }
    let ships = has(&["dockerfile", "docker", "kubernetes", "helm", "deployment"]) && makes;
    (ships || first == "deploy").then_some(Role::Deployment)
}

/// Finds the role that an item is headed by, as in `Tests: cover paging` and `**CLI** - orders list`, or that is all it says.
fn label(text: &str) -> Option<Role> {
    let text = text.trim_start_matches(['*', '_']);
    let end = [":", "：", " - ", " – ", " — ", "** "].iter().filter_map(|mark| text.find(mark)).min();
    let found = role(&normal(text.get(..end.unwrap_or(text.len()).min(64))?))?;
    // "Validation: refuse an empty name" asks for code.
    (end.is_none() || found.gate() == Some(crate::gate::GateKind::Tests) || found.gate().is_none()).then_some(found)
}

/// Words beside those in [`MAKES`] with which a heading asks for something.
const CHANGES: [&str; 18] = [
    "remove",
    "delete",
    "refactor",
    "rename",
    "move",
    "replace",
    "migrate",
    "integrate",
    "fix",
    "handle",
    "support",
    "enable",
    "wire",
    "connect",
    "convert",
    "extract",
    "split",
    "make",
];

/// Tells whether a heading asks for something to be done.
pub(in crate::plan) fn asks(heading: &str) -> bool {
    let phrase = normal(heading);
    let first = phrase.split(' ').next().expect("invariant: a text that is split has a first part");
    phrase.contains(' ') && (MAKES.contains(&first) || CHANGES.contains(&first))
}

/// Words with which a sentence may begin before it says what is to be done.
const LEADS: [&str; 10] = ["first", "then", "next", "finally", "also", "please", "we", "will", "should", "must"];

/// Tells whether a text asks for something in one of its sentences.
pub(in crate::plan) fn text_asks(text: &str) -> bool {
    text.split(['.', '\n', ';']).any(|sentence| {
        let phrase = normal(sentence);
        let words: Vec<&str> = phrase.split(' ').skip_while(|word| LEADS.contains(word)).collect();
        asks(&words.join(" "))
    })
}

/// Words that say what has to hold, in normal form.
const DUTIES: [&str; 16] = [
    "must",
    "shall",
    "should",
    "has to",
    "have to",
    "needs to",
    "need to",
    "is limited",
    "are limited",
    "may not",
    "muss",
    "müssen",
    "darf",
    "dürfen",
    "soll",
    "sollen",
];

/// Tells whether a text says what has to hold, or asks for something: "`ttl` is limited to a year, and 0 must mean never".
pub(in crate::plan) fn states_a_duty(text: &str) -> bool {
    let phrase = format!(" {} ", normal(text));
    let is_story = phrase.starts_with(" as a ") && phrase.contains(" want ");
    is_story || DUTIES.iter().any(|duty| phrase.contains(&format!(" {duty} "))) || text_asks(text)
}
