//! Tests that a patch deletes, weakens, switches off or makes empty, as findings about its task.

use crate::{
    evidence::detect::{self as signs, Author, Sign},
    findings::Finding,
    roster::Role,
    schedule::Task,
};

/// A changed file with its text on both sides, where it is text.
#[derive(Debug, Clone, Copy)]
pub struct FileChange<'a> {
    /// The path.
    pub path: &'a str,
    /// The text before; none for a new file.
    pub before: Option<&'a str>,
    /// The text after; none for a deleted file.
    pub after: Option<&'a str>,
    /// Whether a deleted file was moved elsewhere.
    pub moved: bool,
}

/// Tells whether a path is one of a file with tests, by the names that the usual runners look for.
#[must_use]
pub fn is_test_file(path: &str) -> bool {
    crate::evidence::source::is_test_path(path) && crate::evidence::source::Language::of_path(path).is_some()
}

/// Finds what a patch does to tests. For the subagent whose work tests are it weighs less.
#[must_use]
pub fn weakened_tests(task: &Task, changes: &[FileChange<'_>]) -> Vec<Finding> {
    let author = if task.role == Role::Tests { Author::Tests } else { Author::Code };
    let changes: Vec<_> = changes
        .iter()
        .filter(|change| !change.moved)
        .map(|change| signs::FileChange {
            path: change.path,
            before: change.before,
            after: change.after,
            moved_from: None,
        })
        .collect();
    signs::signs(author, &changes).into_iter().map(|sign| finding(task, sign)).collect()
}

fn finding(task: &Task, sign: Sign) -> Finding {
    let mut finding = Finding::about(&task.id, sign.code, sign.weight, sign.message).in_path(sign.path);
    finding.line = sign.line;
    finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::summary::fixture;

    fn found(role: Role, path: &str, before: &str, after: Option<&str>) -> Vec<String> {
        let change = FileChange { path, before: Some(before), after, moved: false };
        let findings = weakened_tests(&fixture::task("t", role, &[]), &[change]);
        findings.iter().map(|f| format!("{} {}: {}", f.weight.name(), f.code.name(), f.message)).collect()
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
    fn a_moved_file_is_not_deleted() {
        let change =
            FileChange { path: "test_a.py", before: Some("def test_a():\n    assert x\n"), after: None, moved: true };
        assert_eq!(weakened_tests(&fixture::task("t", Role::Feature, &[]), &[change]), []);
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
