//! Headings that name a domain by their last noun, or by a verb and what it is about: "Operator CLI", "Add a CLI to manage
//! keys", "Define the data model".

use super::{QUALIFIERS, holds, places, without_noise, words::begins_making};
use crate::roster::Role;

/// Nouns that name a domain whatever stands before them. Words of other meanings, such as "release" or "types", have to be
/// all that the heading says.
const NOUNS: [(Role, &str); 5] = [
    (
        Role::Infrastructure,
        "infrastructure|infra|terraform|iac|cloud resources|cloud infrastructure|infrastructure as code|aws resources",
    ),
    (Role::DataTypes, "data model|data models|data types|data type|type definitions|data structures|domain types"),
    (Role::Cli, "cli|command line|command line interface|command line tool|cli tool|cli commands|cli command|clis"),
    (Role::Tests, "tests|unit tests|test suite|automated tests|test coverage|test cases"),
    (
        Role::Deployment,
        "deployment|deployments|rollout|ci cd|ci pipeline|ci cd pipeline|helm chart|helm charts|dockerfile|docker image|runbook|\
         kubernetes manifests|k8s manifests",
    ),
];

/// Words behind which a heading says for what, where or with what.
const PREPOSITIONS: &str = "for|to|of|in|on|with|that|which|from|by|using|via|at|so|into|behind|around|per";

/// Words with which a heading begins that is not about making what its noun names: "Run the tests", "Before the rollout".
const NOT_MADE: &str = "run|running|execute|use|using|call|verify|check|see|document|ensure|pass|keep|before|after|post|pre|during|without|no|why|\
     how|what|when|where|about|all|read|understand|know|wait|a b|ab|not|beyond|via|blood|speed|driving|passing|failing";

/// Finds the role whose domain a heading in normal form names by its last noun, or by a verb and what it is about.
pub(in crate::plan) fn role_of_title(phrase: &str) -> Option<Role> {
    if phrase.split(' ').count() > 10 || format!(" {phrase} ").contains(" and ") || phrase.contains(" or ") {
        return None;
    }
    let makes = begins_making(phrase);
    if places::asks_to_ship(phrase) {
        return Some(Role::Deployment);
    }
    let mut words: Vec<&str> = phrase.split(' ').collect();
    let first = *words.first()?;
    if makes {
        words.remove(0);
    }
    while words.first().is_some_and(|word| holds("a|an|the|our|new|all|up", word)) {
        words.remove(0);
    }
    let end = words.iter().position(|word| holds(PREPOSITIONS, word)).unwrap_or(words.len());
    let words = &words[..end];
    let is_other = holds(NOT_MADE, first) || QUALIFIERS.contains(&first) || words.len() > 4;
    // An article behind the first word says that this is a verb, and one that we do not know.
    if is_other || words.iter().skip(1).any(|word| holds("a|an|the|our", word)) {
        return None;
    }
    let named = words.join(" ");
    without_noise(&named).find_map(|named| {
        let words: Vec<&str> = named.split(' ').collect();
        let suffixes = (0..words.len()).map(|from| words[from..].join(" "));
        suffixes.into_iter().find_map(|suffix| {
            let of = |(role, nouns): &(Role, &str)| holds(nouns, &suffix).then_some(*role);
            let found = NOUNS.iter().find_map(of)?;
            // "A/B tests" test people.
            let is_of_people = found == Role::Tests && (named.starts_with("a b ") || named.starts_with("b tests"));
            (!is_of_people).then_some(found)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_noun_of_a_heading_names_its_domain() {
        for (phrase, expected) in [
            ("operator cli", Some(Role::Cli)),
            ("cli tooling", Some(Role::Cli)),
            ("add a cli to manage keys", Some(Role::Cli)),
            ("cli to manage keys", Some(Role::Cli)),
            ("define the data model", Some(Role::DataTypes)),
            ("billing infrastructure", Some(Role::Infrastructure)),
            ("tests of the relay", Some(Role::Tests)),
            ("deploy to production", Some(Role::Deployment)),
            ("set up the ci pipeline", Some(Role::Deployment)),
            ("run the tests", None),
            ("current infrastructure", None),
            ("before the rollout", None),
            ("a b tests", None),
            ("cli users get an email", None),
            ("add a cli and tests", None),
            ("document the cli", None),
            ("orders api", None),
            ("infrastructure costs", None),
            ("test data", None),
        ] {
            assert_eq!(role_of_title(phrase), expected, "{phrase}");
        }
    }
}
