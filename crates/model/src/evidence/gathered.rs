//! What is found out about the tests gate beside its own run, and what that means: against the base, with the base's own
//! tests, without one task's patch.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    mutants::Mutant,
    numbers::TestCounts,
    proof::{Outcome, RevertProof},
    receipt::CommandReceipt,
    results::{Results, TestChange, TestState, compare},
};
use crate::{
    command,
    findings::{Finding, FindingCode, Weight},
    ids::TaskId,
    text,
};

/// The most tests that are named in one message.
const NAMED_MAX: usize = 5;

/// What was found out about a gate beside its own run.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
pub struct GateEvidence {
    /// How many tests ran on the base.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base: Option<TestCounts>,
    /// For each writing task the tests that would notice its absence.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub proofs: Vec<RevertProof>,
    /// What was noticed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
}

impl GateEvidence {
    /// Tells whether nothing was found out.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Returns what keeps the gate from passing.
    pub fn blocking(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.weight == Weight::Blocking)
    }
}

pub(super) fn finding(code: FindingCode, weight: Weight, message: String) -> Finding {
    Finding { code, weight, task: None, path: None, line: None, message }
}

pub(super) fn names(changes: &[&TestChange]) -> String {
    text::listed(changes.iter().map(|change| text::code(&text::truncate(&change.name, 120))), NAMED_MAX)
}

/// Compares the tests of the final tree with those of the base. `touched` says whether a patch changes anything in which
/// tests stand: only then may one be renamed, moved or taken away.
#[must_use]
pub fn against_base(base: &Results, now: &Results, touched: bool) -> Vec<Finding> {
    let difference = compare(base, now);
    let ran = |results: &Results| {
        results
            .tests
            .iter()
            .filter(|test| !matches!(test.state, TestState::Skipped | TestState::ExpectedFailure))
            .count()
    };
    let (before, after) = (ran(base), ran(now));
    let mut findings = Vec::new();
    if !difference.switched_off.is_empty() {
        let off: Vec<_> = difference.switched_off.iter().collect();
        let message = format!(
            "{} ran on the base and {} switched off now: {}",
            text::count(off.len(), "test"),
            if off.len() == 1 { "is" } else { "are" },
            names(&off)
        );
        let weight = if touched { Weight::Warning } else { Weight::Blocking };
        findings.push(finding(FindingCode::FewerTests, weight, message));
    }
    let gone: Vec<_> = difference.gone.iter().filter(|change| change.before != Some(TestState::Skipped)).collect();
    if gone.is_empty() {
        return findings;
    }
    if !touched {
        let message = format!(
            "{} of the base did not run, although no patch changes a test: {}. Something ended the run before them, or left them out",
            text::count(gone.len(), "test"),
            names(&gone)
        );
        findings.push(finding(FindingCode::FewerTests, Weight::Blocking, message));
    } else if after < before {
        let message = format!("{after} tests ran, and {before} on the base; gone are {}", names(&gone));
        findings.push(finding(FindingCode::FewerTests, Weight::Note, message));
    }
    findings
}

/// Says that a patch changed how tests are started. The base's own tests are started as the base does it.
#[must_use]
pub fn recipe_changed(path: &str) -> Finding {
    let message = format!(
        "{} starts tests in another way than on the base: see that it still runs all of them as they are",
        text::code(&text::truncate(&text::terminal(path), 120))
    );
    finding(FindingCode::TestsTampered, Weight::Warning, message).in_path(path)
}

/// Says what is red on the base already; `None` when nothing is, or when there is no test yet. A command that could not
/// be run on the base may be what the plan makes, but a program that is not there is no work of anybody's.
#[must_use]
pub fn red_base(commands: &[CommandReceipt]) -> Option<String> {
    commands.iter().find_map(|receipt| {
        let shown = text::code(&text::truncate(&command::join(&receipt.argv), 120));
        let program = receipt.argv.first().map_or("", String::as_str);
        let not_found = receipt.exit_code == Some(127) || (receipt.exit_code.is_none() && receipt.duration_ms == 0);
        // A file of the repository's own may be what the plan makes; nobody makes what lies outside.
        if not_found && receipt.missing_own.is_none() && !command::is_own_path(program) {
            let why = receipt.trouble.as_deref().or(receipt.output_tail.lines().last()).unwrap_or("not found");
            return Some(format!("{shown} cannot be run here: {}", text::truncate(&text::terminal(why), 200)));
        }
        let failed = receipt.tests.map_or(0, |tests| tests.failed);
        if receipt.exit_code == Some(0) {
            return None;
        }
        // pytest writes what broke it into its results as one failed test.
        if failed <= 1 && receipt.output_tail.contains(RUNNER_BROKE) {
            return Some(format!(
                "the test runner itself broke in {shown} before anything was changed: its log says why"
            ));
        }
        if failed == 0 {
            // Where tests ran and something else is wrong, it is red as well, unless that is a file that the plan may make.
            let is_missing = MISSING.iter().any(|words| receipt.output_tail.to_lowercase().contains(words));
            let executed = receipt.tests.map_or(0, |tests| tests.executed());
            let exit = receipt.exit_code.filter(|_| executed > 0 && !is_missing)?;
            let ran = text::count(usize::try_from(executed).unwrap_or(usize::MAX), "test");
            return Some(format!(
                "{shown} failed with exit code {exit} before anything was changed, although {ran} passed"
            ));
        }
        let names = receipt.failing.iter().take(NAMED_MAX).map(|test| text::code(&text::truncate(&test.name, 120)));
        let names: Vec<_> = names.collect();
        let names = if names.is_empty() { String::new() } else { format!(": {}", names.join(", ")) };
        let failed = text::count(usize::try_from(failed).unwrap_or(usize::MAX), "test");
        Some(format!("{failed} of {shown} failed before anything was changed{names}"))
    })
}

/// What pytest prints where it fails and not a test, for example by a plugin that does not fit.
const RUNNER_BROKE: &str = "INTERNALERROR>";

/// What is printed, in small letters, where a file, a module or a program is not there.
const MISSING: [&str; 6] =
    ["no such file", "not found", "cannot find", "no module named", "no rule to make target", "missing script"];

/// Says that a recorder of ours failed, so that tests are known by what is printed only.
#[must_use]
pub fn recorder_failed(why: &str) -> Finding {
    let message = format!(
        "a recorder of ours failed, so the tests are counted from what was printed ({}); the suite is not to blame",
        text::truncate(&text::terminal(why), 200)
    );
    finding(FindingCode::FewerTests, Weight::Note, message)
}

/// Says that a runner that left results on the base leaves none any more.
#[must_use]
pub fn no_results_any_more() -> Finding {
    let message = "on the base the runner left a file of results, and now it left none: what is printed is no evidence";
    finding(FindingCode::FewerTests, Weight::Blocking, message.to_owned())
}

/// Compares counts, where there are no results test by test.
#[must_use]
pub fn fewer_counted(base: Option<TestCounts>, now: Option<TestCounts>, touched: bool) -> Option<Finding> {
    let (before, after) = (base?.executed(), now?.executed());
    // What a patch did to tests is looked at by their assertions; here it is shown even when it is fine.
    let weight = if touched { Weight::Note } else { Weight::Blocking };
    (after < before)
        .then(|| finding(FindingCode::FewerTests, weight, format!("{after} tests ran, and {before} on the base")))
}

/// A requirement of which a subagent says that the base meets it already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DoneAlready {
    pub task: TaskId,
    /// The item of the plan, as messages name it.
    pub requirement: String,
    pub paths: Vec<String>,
    pub tests: Vec<String>,
}

/// Holds what is said to be there already against the base: `exists` tells whether it has a path, `base` is what its tests
/// came to, where its runner writes results test by test.
#[must_use]
pub fn done_already(claims: &[DoneAlready], base: Option<&Results>, exists: impl Fn(&str) -> bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    for claim in claims {
        let mut say = |weight, what: String| {
            let message = format!("{} is said to be met already, but {what}", claim.requirement);
            findings.push(Finding::about(&claim.task, FindingCode::NotAlreadyDone, weight, message));
        };
        for path in claim.paths.iter().filter(|path| !exists(path)) {
            say(Weight::Blocking, format!("the base has no {}", text::code(path)));
        }
        let Some(base) = base else {
            if !claim.tests.is_empty() {
                say(
                    Weight::Warning,
                    "its tests could not be looked up: the runner leaves no results by name".to_owned(),
                );
            }
            continue;
        };
        for test in &claim.tests {
            let shown = text::code(&text::truncate(test, 120));
            let found: Vec<_> = base.tests.iter().filter(|result| is_named(&result.name, test)).collect();
            if found.is_empty() {
                say(Weight::Blocking, format!("no test {shown} ran on the base"));
            } else if let Some(other) = found.iter().find(|result| result.state != TestState::Passed) {
                say(Weight::Blocking, format!("the test {shown} {} on the base", other.state.name()));
            }
        }
    }
    findings
}

/// What stands at the end of the names of files with tests.
const ENDS_OF_FILES: [&str; 15] =
    ["py", "js", "mjs", "cjs", "ts", "tsx", "jsx", "go", "rs", "java", "kt", "rb", "php", "test", "spec"];

/// Tells whether somebody who writes `named` means the test that its runner calls `test`: the test's own name is the
/// same, and what stands before it, such as a class or a file, is in the runner's name too.
fn is_named(test: &str, named: &str) -> bool {
    let own = own_name(test);
    if own_name(named) != own {
        return false;
    }
    let words = |text: &str| -> Vec<String> {
        let words = text.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-'));
        words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
    };
    let all = words(test);
    let before = named.trim().strip_suffix(named_end(named)).expect("invariant: the end of a name ends it");
    // A runner may name neither folders nor the end of a file's name.
    let before = before.rsplit_once(['/', '\\']).map_or(before, |(_, rest)| rest);
    let mut before = words(before).into_iter().filter(|word| !ENDS_OF_FILES.contains(&word.as_str()));
    all == words(&own) || before.all(|word| all.contains(&word))
}

/// Returns the last part of a test's name, without the parameters of one of its cases.
fn own_name(test: &str) -> String {
    let end = named_end(test);
    let end = end.split(['[', '(']).next().filter(|end| !end.trim().is_empty()).unwrap_or(end);
    end.trim().to_owned()
}

fn named_end(test: &str) -> &str {
    let test = test.trim();
    let separators = [" › ", " > ", "::", " » ", "#"];
    let from = separators.iter().filter_map(|sign| test.rfind(sign).map(|at| at + sign.len())).max().unwrap_or(0);
    let end = &test[from..];
    // Dots part names only where those are words of a program.
    if end.contains(' ') { end } else { end.rsplit(['.', '/']).next().unwrap_or(end) }
}

/// Tells whether a text names a test, as a word of its own.
#[must_use]
pub fn names_test(message: &str, test: &str) -> bool {
    let own = own_name(test);
    let part_of_name = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    !own.is_empty()
        && message.match_indices(&own).any(|(at, _)| {
            let before = message[..at].chars().next_back();
            let after = message[at + own.len()..].chars().next();
            !before.is_some_and(part_of_name) && !after.is_some_and(part_of_name)
        })
}

/// Says what the revert proofs mean. `require` makes a task that nothing proves block.
#[must_use]
pub fn unproven(proofs: &[RevertProof], require: bool) -> Vec<Finding> {
    let weight = if require { Weight::Blocking } else { Weight::Warning };
    let told = proofs.iter().filter_map(|proof| {
        let (code, weight, message) = if proof.outcome == Outcome::Nothing {
            let message = "every test passes without its patch as well: no test would notice if this work were missing";
            (FindingCode::NothingProvesIt, weight, message)
        } else if proof.outcome == Outcome::nothing_to_undo() {
            let message = "nothing could be tried: without its patch the tests cannot be loaded, and nothing in it could be undone by itself. See that its tests ask for what it does";
            (FindingCode::ProofUnknown, Weight::Warning, message)
        } else {
            return None;
        };
        Some(Finding::about(&proof.task, code, weight, message))
    });
    told.collect()
}

/// Says that a small change turned no test red.
#[must_use]
pub fn survived(task: &TaskId, mutant: &Mutant) -> Finding {
    let message = format!("{}, and every test passes all the same", mutant.what);
    let mut finding = Finding::about(task, FindingCode::MutantSurvived, Weight::Warning, message).in_path(&mutant.path);
    finding.line = Some(mutant.line);
    finding
}

#[cfg(test)]
pub(super) mod tests {
    use super::{super::results::TestResult, *};

    pub(in crate::evidence) fn results(tests: &[(&str, TestState)]) -> Results {
        let tests = tests.iter().map(|(name, state)| TestResult::new("", name, *state)).collect();
        Results { tests, unfinished: None }
    }

    #[test]
    fn tests_that_vanish_although_nobody_touched_them_block() {
        use TestState::{Passed, Skipped};
        let base = results(&[("a", Passed), ("b", Passed)]);
        let exited = against_base(&base, &results(&[("/x/a.test.js", Passed)]), false);
        assert_eq!((exited.len(), exited[0].weight), (1, Weight::Blocking));
        assert_eq!(against_base(&base, &results(&[("c", Passed), ("d", Passed)]), true), [], "renamed");
        assert_eq!(against_base(&base, &results(&[("a", Passed)]), true)[0].weight, Weight::Note);
        assert_eq!(against_base(&base, &results(&[("a", Passed), ("b", Skipped)]), true)[0].weight, Weight::Warning);
        assert_eq!(against_base(&base, &base, false), []);
    }

    /// A command that printed this and failed.
    pub(in crate::evidence) fn receipt(output: &str) -> CommandReceipt {
        CommandReceipt {
            exit_code: Some(2),
            tests: crate::evidence::words::read(output).map(|words| words.counts),
            output_tail: output.to_owned(),
            ..crate::summary::fixture::command(&["make", "test"], None)
        }
    }

    #[test]
    fn a_base_is_red_where_tests_ran_and_the_command_failed() {
        let red = |output: &str| red_base(&[receipt(output)]);
        assert!(
            red("FAIL: a (t.T.a)\n\nRan 2 tests in 0.1s\n\nFAILED (failures=1)\n").unwrap().starts_with("1 test of")
        );
        let uncounted = red("Ran 2 tests in 0.1s\n\nOK\ncoverage is below 80 %\n").unwrap();
        assert!(uncounted.contains("exit code 2") && uncounted.contains("2 tests passed"), "{uncounted}");
        // What the plan may make is no red base.
        for output in ["Ran 2 tests in 0.1s\n\nOK\nsh: 1: scripts/smoke: not found\n", "no tests ran in 0.01s\n", ""] {
            assert_eq!(red(output), None, "{output}");
        }
    }

    #[test]
    fn a_base_is_red_where_no_test_can_run_whatever_the_plan_makes() {
        let broken = red_base(&[receipt("INTERNALERROR> Traceback (most recent call last):\nINTERNALERROR> x\n")]);
        assert!(broken.unwrap().starts_with("the test runner itself broke in `make test`"));
        let denied = |program: &str| {
            let not_started = CommandReceipt {
                argv: vec![program.to_owned(), "-m".to_owned(), "pytest".to_owned()],
                exit_code: None,
                duration_ms: 0,
                trouble: Some(format!("{program} cannot be run: Permission denied")),
                ..receipt("")
            };
            red_base(&[not_started])
        };
        assert!(
            denied("/opt/venv/bin/python").unwrap().contains("cannot be run here: /opt/venv/bin/python cannot be run")
        );
        assert_eq!(denied("tools/check"), None, "the plan may make it");
    }
}
