//! The revert proof: what the tests say about the final tree without one task's patch.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    loading::message_says_not_loaded,
    results::{Results, TestState, compare},
};
use crate::ids::TaskId;

/// The most tests that are named for a task.
const NAMED_MAX: usize = 20;

/// What turned red without a task's patch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "outcome")]
pub enum Outcome {
    /// Tests ran and failed: they would notice its absence.
    Proven {
        /// The tests, by name.
        tests: Vec<String>,
    },
    /// Something could not be loaded or compiled, which proves nothing about what the patch does.
    NotLoaded,
    /// Every test passed as before.
    Nothing,
    /// It was not tried, and why.
    NotTried {
        /// Why not.
        why: String,
    },
}

impl Outcome {
    /// Says that nothing could be tried: the tests cannot be loaded without the patch, and nothing in it can be undone by itself.
    #[must_use]
    pub fn nothing_to_undo() -> Self {
        let why = "without this work the tests cannot be loaded, and nothing in it could be undone by itself";
        Self::NotTried { why: why.to_owned() }
    }

    /// Says that the proof is not made for the languages of a patch.
    #[must_use]
    pub fn other_language() -> Self {
        Self::NotTried { why: "the proof is not made for this language, so it is unknown".to_owned() }
    }
}

/// The proof of one task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct RevertProof {
    /// The task whose patch was taken out.
    pub task: TaskId,
    /// What the tests said.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// Judges the run without a patch against the run with it. `failed` says whether the command failed.
#[must_use]
pub fn judge(with: Option<&Results>, without: Option<&Results>, failed: bool) -> Outcome {
    let (Some(with), Some(without)) = (with, without) else {
        // Without results test by test nobody can tell a failed test from one that could not be loaded.
        return if failed { Outcome::NotLoaded } else { Outcome::Nothing };
    };
    let difference = compare(with, without);
    let failed_tests: Vec<_> = difference
        .turned_red
        .iter()
        .filter(|change| change.after == Some(TestState::Failed) && !message_says_not_loaded(&change.message))
        .map(|change| change.name.clone())
        .take(NAMED_MAX)
        .collect();
    if !failed_tests.is_empty() {
        return Outcome::Proven { tests: failed_tests };
    }
    let broken = !difference.turned_red.is_empty() || !difference.gone.is_empty() || failed;
    if broken { Outcome::NotLoaded } else { Outcome::Nothing }
}

/// How systems and runtimes say that a port is in use, in small letters.
const TAKEN_PORT: [&str; 6] = [
    "address already in use",
    "address in use",
    "eaddrinuse",
    "port is already allocated",
    "port already in use",
    "only one usage of each socket address",
];

/// Tells whether a command says that a port it wanted was taken, as when two test suites that use the same one run side
/// by side.
#[must_use]
pub fn wanted_a_taken_port(output: &str) -> bool {
    let output = output.to_lowercase();
    TAKEN_PORT.iter().any(|words| output.contains(words))
}

#[cfg(test)]
mod tests {
    use super::{super::results::TestResult, *};

    fn results(tests: &[(&str, TestState, &str)]) -> Results {
        let tests =
            tests.iter().map(|(name, state, message)| TestResult::new("", name, *state).because(message)).collect();
        Results { tests, unfinished: None }
    }

    #[test]
    fn only_tests_that_ran_and_failed_prove_anything() {
        use TestState::{Broken, Failed, Passed};
        let with = results(&[("a", Passed, ""), ("b", Passed, "")]);
        let judge = |without: &Results, failed| judge(Some(&with), Some(without), failed);
        assert_eq!(
            judge(&results(&[("a", Passed, ""), ("b", Failed, "1 != 2")]), true),
            Outcome::Proven { tests: vec!["b".to_owned()] }
        );
        assert_eq!(judge(&with, false), Outcome::Nothing);
        assert_eq!(judge(&results(&[("a", Passed, ""), ("b", Broken, "")]), true), Outcome::NotLoaded);
        assert_eq!(judge(&results(&[("a", Passed, "")]), true), Outcome::NotLoaded, "the other was not even found");
        let missing =
            results(&[("a", Failed, "AttributeError: 'Cart' object has no attribute 'remove'"), ("b", Passed, "")]);
        assert_eq!(judge(&missing, true), Outcome::NotLoaded, "a name that is gone is no behaviour");
    }

    #[test]
    fn that_nothing_could_be_tried_is_told_and_blames_nobody() {
        let proof = |outcome| RevertProof { task: TaskId::new("feature").unwrap(), outcome };
        let told = |outcome| super::super::gathered::unproven(&[proof(outcome)], true);
        let unknown = told(Outcome::nothing_to_undo());
        assert_eq!((unknown.len(), unknown[0].weight), (1, crate::findings::Weight::Warning));
        assert_eq!(told(Outcome::Nothing)[0].weight, crate::findings::Weight::Blocking);
        assert_eq!(told(Outcome::NotLoaded), []);
        assert_eq!(told(Outcome::other_language()), []);
    }

    #[test]
    fn a_port_that_was_taken_is_told_from_a_failed_test() {
        for output in [
            "OSError: [Errno 98] Address already in use",
            "Error: listen EADDRINUSE: address already in use :::3000",
            "panicked: Os { code: 98, kind: AddrInUse, message: \"Address already in use\" }",
            "listen tcp :8080: bind: address already in use",
            "java.net.BindException: Address already in use (Bind failed)",
            "Bind for 0.0.0.0:5432 failed: port is already allocated",
        ] {
            assert!(wanted_a_taken_port(output), "{output}");
        }
        assert!(!wanted_a_taken_port("AssertionError: expected the address of the buyer, in use since 2020"));
    }
}
