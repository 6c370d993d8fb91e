//! What a patch does to tests and to whoever runs them, as findings about its task.

use std::collections::BTreeSet;

use crate::{
    evidence::detect::{self, Author, FileChange, Sign, Stop, signs_until},
    findings::Finding,
    roster::Role,
    schedule::Task,
};

/// Finds what a patch does to tests, and what it does to whoever runs them. For the subagent whose work tests are it
/// weighs less. `unread` is what is known already of files that are not among the changes.
#[must_use]
pub fn tampering(task: &Task, changes: &[FileChange<'_>], unread: Vec<Sign>, stop: &Stop) -> Vec<Finding> {
    let author = if task.role == Role::Tests { Author::Tests } else { Author::Code };
    signs_until(stop, author, changes).into_iter().chain(unread).map(|sign| finding(task, sign)).collect()
}

/// Leaves out what is found at paths that somebody else changed between two patches of a task, unless one of its patches
/// shows that kind of thing there by itself: `alone` is what each of them shows.
#[must_use]
pub fn own_of_shared(found: Vec<Finding>, shared: &BTreeSet<&str>, alone: &[Finding]) -> Vec<Finding> {
    let place = |finding: &Finding| (finding.code, finding.path.clone());
    let own: BTreeSet<_> = alone.iter().map(place).collect();
    let is_own = |finding: &Finding| {
        let is_shared = finding.path.as_deref().is_some_and(|path| shared.contains(path));
        !is_shared || own.contains(&place(finding))
    };
    found.into_iter().filter(is_own).collect()
}

/// Says that the run was stopped before anybody looked at a patch.
#[must_use]
pub fn never_looked_at(task: &Task) -> Finding {
    let (code, weight, message) = detect::stopped();
    Finding::about(&task.id, code, weight, message)
}

fn finding(task: &Task, sign: Sign) -> Finding {
    let mut finding = Finding::about(&task.id, sign.code, sign.weight, sign.message).in_path(sign.path);
    finding.line = sign.line;
    finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        findings::{FindingCode, Weight},
        summary::fixture,
    };

    fn found(role: Role, path: &str, before: &str, after: Option<&str>) -> Vec<String> {
        let change = FileChange { path, before: Some(before), after, moved_from: None };
        let findings = tampering(&fixture::task("t", role, &[]), &[change], Vec::new(), &Stop::default());
        findings.iter().map(|f| format!("{} {}: {}", f.weight.name(), f.code.name(), f.message)).collect()
    }

    #[test]
    fn what_somebody_else_did_in_between_is_not_told_of_a_task() {
        let task = fixture::id("t");
        let finding = |code, path: &str| Finding::about(&task, code, Weight::Blocking, "").in_path(path);
        let skipped = finding(FindingCode::TestsSkipped, "shared");
        let weakened = finding(FindingCode::TestsWeakened, "shared");
        let elsewhere = finding(FindingCode::TestsWeakened, "own");
        let found = vec![skipped.clone(), weakened.clone(), elsewhere.clone()];
        let shared = BTreeSet::from(["shared"]);
        assert_eq!(own_of_shared(found.clone(), &shared, &[]), std::slice::from_ref(&elsewhere));
        assert_eq!(own_of_shared(found, &shared, std::slice::from_ref(&weakened)), [weakened, elsewhere]);
    }

    #[test]
    fn deleted_weakened_and_skipped_tests_are_told_apart() {
        let python = "class TestX(TestCase):\n  def test_a(self):\n    assert x == 1\n    assert y\n\n  def test_b(self):\n    self.assertEqual(z, 1)\n";
        assert_eq!(
            found(Role::Feature, "tests/test_a.py", python, None),
            ["blocking tests-deleted: the file with 2 tests was deleted: `test_a`, `test_b`"]
        );
        assert_eq!(
            found(Role::Tests, "test_a.py", python, Some(&python.replace("    assert y\n", ""))),
            ["warning tests-weakened: `test_a` asserts less than before: 1 of 2 assertions are gone"]
        );
        let skipped = python.replace("  def test_b", "  @pytest.mark.skip\n  def test_b");
        assert_eq!(
            found(Role::Feature, "test_a.py", python, Some(&skipped)),
            ["warning tests-skipped: 1 mark more than before: tests are switched off"]
        );
        let commented = python.replace("    assert y", "    # assert y");
        assert_eq!(found(Role::Feature, "test_a.py", python, Some(&commented)).len(), 1);
        assert_eq!(found(Role::Feature, "test_a.py", python, Some(python)), Vec::<String>::new());
    }

    #[test]
    fn a_script_that_runs_by_itself_beside_the_tests_is_told() {
        let base = r#"{"scripts": {"test": "node --test", "build": "tsc"}}"#;
        let with = |script: &str| format!(r#"{{"scripts": {{"test": "node --test", "build": "tsc -b", {script}}}}}"#);
        for (script, expected) in [
            (r#""pretest": "node prep.js""#, 1),
            (r#""posttest": "x""#, 1),
            (r#""prebuild": "x""#, 0),
            (r#""test:slow": "x""#, 0),
        ] {
            let found = found(Role::Feature, "package.json", base, Some(&with(script)));
            assert_eq!(found.len(), expected, "{found:?}");
            assert!(found.iter().all(|found| found.starts_with("warning tests-tampered: the script")), "{found:?}");
        }
    }

    #[test]
    fn tests_of_one_name_are_each_held_against_their_own() {
        let text = "def test_a():\n    assert x\n\ndef test_a():\n    pass\n";
        assert_eq!(found(Role::Feature, "test_a.py", text, Some(text)), Vec::<String>::new());
        let both = text.replace("assert x", "pass");
        let found = found(Role::Feature, "test_a.py", text, Some(&both));
        assert!(found.iter().any(|found| found == "blocking vacuous-test: `test_a` asserts nothing"), "{found:?}");
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_fail_and_nothing_is_found_where_nothing_changed(text in "(\\PC{0,12}|    assert x\n|def test_a\\(\\):|@skip|#|\"|\n){0,20}") {
            for path in ["test_a.py", "a.test.js", "a_test.go", "tests/a.rs", "ATest.java", "a_spec.rb", "a.php", "a.cs", "a.c"] {
                proptest::prop_assert_eq!(found(Role::Feature, path, &text, Some(&text)), Vec::<String>::new());
            }
        }
    }
}
