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

/// The most tests that are named in one message, and the most findings of one kind.
const NAMED_MAX: usize = 5;
const FINDINGS_MAX: usize = 20;

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

fn finding(code: FindingCode, weight: Weight, message: String) -> Finding {
    Finding { code, weight, task: None, path: None, line: None, message }
}

fn names(changes: &[&TestChange]) -> String {
    let shown: Vec<_> =
        changes.iter().take(NAMED_MAX).map(|change| text::code(&text::truncate(&change.name, 120))).collect();
    let more = changes.len() - shown.len();
    if more == 0 { shown.join(", ") } else { format!("{} and {more} more", shown.join(", ")) }
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

/// Says what is red on the base already; `None` when nothing is, or when there is no test yet. A command that could not
/// be run on the base may be what the plan makes, but a program that is not there is no work of anybody's.
#[must_use]
pub fn red_base(commands: &[CommandReceipt]) -> Option<String> {
    commands.iter().find_map(|receipt| {
        let shown = text::code(&text::truncate(&command::join(&receipt.argv), 120));
        let program = receipt.argv.first().map_or("", String::as_str);
        let not_found = receipt.exit_code == Some(127) || (receipt.exit_code.is_none() && receipt.duration_ms == 0);
        if not_found && !program.contains('/') {
            let why = receipt.trouble.as_deref().or(receipt.output_tail.lines().last()).unwrap_or("not found");
            return Some(format!("{shown} cannot be run here: {}", text::truncate(&text::terminal(why), 200)));
        }
        let failed = receipt.tests.map_or(0, |tests| tests.failed);
        if receipt.exit_code == Some(0) || failed == 0 {
            return None;
        }
        let names = receipt.failing.iter().take(NAMED_MAX).map(|test| text::code(&text::truncate(&test.name, 120)));
        let names: Vec<_> = names.collect();
        let names = if names.is_empty() { String::new() } else { format!(": {}", names.join(", ")) };
        let failed = text::count(usize::try_from(failed).unwrap_or(usize::MAX), "test");
        Some(format!("{failed} of {shown} failed before anything was changed{names}"))
    })
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

/// Who changed a file of the tests, and whether the reviewer confirmed that a test may be another now.
pub trait Changes {
    /// Returns the task that changed this file last.
    fn author_of(&self, file: &str) -> Option<TaskId>;
    /// Tells whether the reviewer confirmed the change of this test, with the requirement that asks for it.
    fn is_confirmed(&self, test: &str) -> bool;
}

/// Says which of the base's own tests fail on the final tree. `failed` says whether the command failed.
#[must_use]
pub fn base_tests(
    base: &Results,
    on_final: Option<&Results>,
    failed: bool,
    changes: &dyn Changes,
    files: &[String],
) -> Vec<Finding> {
    let Some(on_final) = on_final else {
        return failed.then(could_not_run).into_iter().collect();
    };
    let difference = compare(base, on_final);
    let mut findings: Vec<Finding> = difference
        .turned_red
        .iter()
        .filter(|change| !changes.is_confirmed(&change.name))
        .take(FINDINGS_MAX)
        .map(|change| {
            let file = change.file.clone().filter(|file| files.contains(file)).or_else(|| file_of(&change.name, files));
            let why = if change.message.is_empty() { String::new() } else { format!(": {}", text::truncate(change.message.lines().next().unwrap_or_default(), 160)) };
            let what = if change.after == Some(TestState::Broken) { "cannot be loaded" } else { "fails" };
            let message = format!(
                "the base's own test {} {what} on the final tree{why}. Either the implementation breaks it, or the reviewer has to confirm that a requirement asks for it",
                text::code(&change.name)
            );
            let mut finding = finding(FindingCode::BaseTestRed, Weight::Blocking, message);
            finding.task = file.as_deref().and_then(|file| changes.author_of(file));
            finding.path = file;
            finding
        })
        .collect();
    let gone = difference.gone.iter().filter(|change| change.before != Some(TestState::Skipped)).count();
    if findings.is_empty() && difference.turned_red.is_empty() && (failed || gone > 0) {
        findings.push(could_not_run());
    }
    findings
}

fn could_not_run() -> Finding {
    let message = "the base's own tests fail on the final tree, or could not all be run there: what they need of the product is another or is gone";
    finding(FindingCode::BaseTestRed, Weight::Blocking, message.to_owned())
}

/// Guesses the file of a test by its name: `tests.test_cart.TestCart › test_total` stands in `tests/test_cart.py`.
fn file_of(name: &str, files: &[String]) -> Option<String> {
    let stem = |path: &str| {
        let name = path.rsplit('/').next().unwrap_or(path);
        name.split('.').next().unwrap_or(name).to_owned()
    };
    let words: Vec<&str> = name.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-')).collect();
    files.iter().find(|file| words.contains(&stem(file).as_str())).cloned().or_else(|| match files {
        [one] => Some(one.clone()),
        _ => None,
    })
}

/// A requirement of which a subagent says that the base meets it already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DoneAlready {
    pub task: TaskId,
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
            let message = format!("requirement {} is said to be met already, but {what}", claim.requirement);
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
    proofs
        .iter()
        .filter(|proof| proof.outcome == Outcome::Nothing)
        .map(|proof| {
            let message = "every test passes without its patch as well: no test would notice if this work were missing";
            Finding::about(&proof.task, FindingCode::NothingProvesIt, weight, message)
        })
        .collect()
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
mod tests {
    use super::{super::results::TestResult, *};

    fn results(tests: &[(&str, TestState)]) -> Results {
        let tests = tests.iter().map(|(name, state)| TestResult::new("", name, *state)).collect();
        Results { tests, unfinished: None }
    }

    struct Nobody;
    impl Changes for Nobody {
        fn author_of(&self, _: &str) -> Option<TaskId> {
            None
        }
        fn is_confirmed(&self, test: &str) -> bool {
            test == "confirmed"
        }
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

    #[test]
    fn the_bases_own_tests_are_named_where_they_fail() {
        use TestState::{Failed, Passed};
        let base = results(&[("a", Passed), ("confirmed", Passed)]);
        let files = ["tests/test_a.py".to_owned()];
        let red = base_tests(&base, Some(&results(&[("a", Failed), ("confirmed", Failed)])), true, &Nobody, &files);
        assert_eq!((red.len(), red[0].path.as_deref()), (1, Some("tests/test_a.py")));
        assert_eq!(base_tests(&base, Some(&base), false, &Nobody, &files), []);
        assert_eq!(base_tests(&base, None, true, &Nobody, &files).len(), 1);
        assert_eq!(base_tests(&base, Some(&results(&[("a", Passed)])), true, &Nobody, &files).len(), 1);
    }
}
