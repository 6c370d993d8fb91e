//! Tests of the words.

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
    let lists: [&str; 12] = [
        VERIFICATION,
        ACCEPTANCE,
        CROSS_CUTTING,
        FILES,
        OUT_OF_SCOPE,
        DEFERRED,
        LEGENDS,
        RECORDS,
        ASIDES,
        CONTEXTS,
        FRAMES,
        WORK_FRAMES,
    ];
    let fixed = || lists.into_iter().flat_map(|words| words.split('|'));
    for phrase in role_names().chain(fixed()) {
        assert_eq!(normal(phrase), phrase);
        assert!(seen.insert(phrase), "{phrase} is listed twice");
    }
    for phrase in fixed() {
        assert_eq!(role(phrase), None, "{phrase}");
    }
}
