//! Whose work the words of an item speak of.

use super::normal;
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

/// Finds the role that an item's words speak of: `Write unit tests for paging`, `Define the row type`, `Add the x
/// command`. Only what an item begins with counts, and what is not plain is nobody's.
pub(in crate::plan) fn role_of_words(text: &str) -> Option<Role> {
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
