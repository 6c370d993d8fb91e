//! Tests that a patch deletes, weakens or switches off. Counted by the usual signs of each language, in lines that are no
//! comments: a sign to look, not a proof.

use crate::{
    findings::{Finding, FindingCode, Weight},
    roster::Role,
    schedule::Task,
    text,
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

/// The signs of tests in one language.
struct Signs {
    extensions: &'static [&'static str],
    /// What a line comment begins with.
    comment: &'static str,
    tests: &'static [&'static str],
    assertions: &'static [&'static str],
    skips: &'static [&'static str],
}

const LANGUAGES: [Signs; 8] = [
    Signs {
        extensions: &["rs"],
        comment: "//",
        tests: &["#[test]", "::test]", "#[rstest", "::test("],
        assertions: &["assert", "panic!("],
        skips: &["#[ignore"],
    },
    Signs {
        extensions: &["py"],
        comment: "#",
        tests: &["def test_"],
        assertions: &["assert", "pytest.raises"],
        skips: &["unittest.skip", "mark.skip", "pytest.skip(", ".skipTest(", "mark.xfail", "expectedFailure"],
    },
    Signs {
        extensions: &["js", "jsx", "ts", "tsx", "mjs", "cjs", "mts", "cts"],
        comment: "//",
        tests: &["it(", "test(", "it.each", "test.each"],
        assertions: &["expect(", "assert"],
        skips: &["it.skip", "test.skip", "describe.skip", "xit(", "xdescribe(", "test.todo", "it.todo", ".only("],
    },
    Signs {
        extensions: &["go"],
        comment: "//",
        tests: &["func Test", "t.Run("],
        assertions: &["t.Error", "t.Fatal", "assert.", "require."],
        skips: &["t.Skip"],
    },
    Signs {
        extensions: &["java", "kt", "kts", "scala", "groovy"],
        comment: "//",
        tests: &["@Test", "@ParameterizedTest"],
        assertions: &["assert", "verify("],
        skips: &["@Disabled", "@Ignore", "assumeTrue(false"],
    },
    Signs {
        extensions: &["rb"],
        comment: "#",
        tests: &["it \"", "it '", "def test_", "specify "],
        assertions: &["expect(", "assert"],
        skips: &["xit ", "xdescribe ", "skip ", "pending "],
    },
    Signs {
        extensions: &["cs", "fs"],
        comment: "//",
        tests: &["[Fact", "[Test]", "[TestMethod", "[Theory", "[TestCase"],
        assertions: &["Assert.", ".Should"],
        skips: &["[Ignore", "Skip ="],
    },
    Signs {
        extensions: &["php"],
        comment: "//",
        tests: &["function test", "#[Test]"],
        assertions: &["->assert", "::assert", "->expect"],
        skips: &["markTestSkipped", "markTestIncomplete"],
    },
];

/// What tests a text has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Measure {
    tests: usize,
    assertions: usize,
    skips: usize,
}

fn language(path: &str) -> Option<&'static Signs> {
    let extension = path.rsplit_once('.')?.1;
    LANGUAGES.iter().find(|signs| signs.extensions.contains(&extension))
}

/// Tells whether a path is one of a file with tests, by the names that the usual runners look for.
#[must_use]
pub fn is_test_file(path: &str) -> bool {
    let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
    let Some((stem, _)) = name.rsplit_once('.') else { return false };
    let in_folder = folders
        .split('/')
        .any(|folder| matches!(folder, "test" | "tests" | "spec" | "specs" | "__tests__" | "testing"));
    let lower = stem.to_ascii_lowercase();
    let named = lower.starts_with("test_")
        || ["_test", "_tests", ".test", ".spec", "_spec", "-test"].iter().any(|end| lower.ends_with(end))
        || ["Test", "Tests", "Spec"].iter().any(|end| stem.ends_with(end))
        || lower == "tests"
        || lower == "test";
    (in_folder || named) && language(path).is_some()
}

fn measure(path: &str, text: Option<&str>) -> Measure {
    let (Some(signs), Some(text)) = (language(path), text) else { return Measure::default() };
    let mut measure = Measure::default();
    for line in text.lines().map(str::trim_start) {
        // `#[` is an attribute and no comment, wherever `#` begins comments.
        if line.starts_with(signs.comment) && !line.starts_with("#[") {
            continue;
        }
        let has = |words: &[&str]| words.iter().any(|word| stands_alone(line, word));
        measure.skips += usize::from(has(signs.skips));
        measure.tests += usize::from(has(signs.tests));
        measure.assertions += usize::from(has(signs.assertions));
    }
    measure
}

/// Tells whether a word begins somewhere in a line, and not in the middle of another.
fn stands_alone(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let inside = |c: char| c.is_alphanumeric() || c == '_';
        let letter = word.starts_with(inside);
        !letter || !line[..at].ends_with(inside)
    })
}

/// Finds tests that a patch deletes, weakens or switches off. For the subagent whose work tests are it is a warning.
#[must_use]
pub fn weakened_tests(task: &Task, changes: &[FileChange<'_>]) -> Vec<Finding> {
    let own = task.role == Role::Tests;
    let weight = if own { Weight::Warning } else { Weight::Blocking };
    let mut findings = Vec::new();
    for change in changes.iter().filter(|change| is_test_file(change.path) && change.before.is_some() && !change.moved)
    {
        let (before, after) = (measure(change.path, change.before), measure(change.path, change.after));
        let mut add = |code, weight, message: String| {
            findings.push(Finding::about(&task.id, code, weight, message).in_path(change.path));
        };
        if change.after.is_none() && before.tests > 0 {
            add(
                FindingCode::TestsDeleted,
                weight,
                format!("the file with {} was deleted", text::count(before.tests, "test")),
            );
            continue;
        }
        if after.tests < before.tests {
            let message = format!("{} of {} are gone", before.tests - after.tests, text::count(before.tests, "test"));
            add(FindingCode::TestsDeleted, weight, message);
        } else if after.assertions < before.assertions {
            let gone = before.assertions - after.assertions;
            let message = format!("{gone} of {} are gone", text::count(before.assertions, "assertion"));
            add(FindingCode::TestsWeakened, weight, message);
        }
        if after.skips > before.skips {
            let message =
                format!("{} more than before: tests are switched off", text::count(after.skips - before.skips, "mark"));
            add(FindingCode::TestsSkipped, Weight::Warning, message);
        }
    }
    findings
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
        let python = "def test_a():\n    assert x == 1\n    assert y\n\ndef test_b():\n    self.assertEqual(1, 1)\n";
        assert_eq!(
            found(Role::Feature, "tests/test_a.py", python, None),
            ["blocking tests-deleted: the file with 2 tests was deleted"]
        );
        assert_eq!(
            found(Role::Feature, "test_a.py", python, Some("def test_a():\n    assert x == 1\n")),
            ["blocking tests-deleted: 1 of 2 tests are gone"]
        );
        assert_eq!(
            found(Role::Tests, "test_a.py", python, Some(&python.replace("    assert y\n", ""))),
            ["warning tests-weakened: 1 of 3 assertions are gone"]
        );
        let skipped = python.replace("def test_b", "@pytest.mark.skip\ndef test_b");
        assert_eq!(
            found(Role::Feature, "test_a.py", python, Some(&skipped)),
            ["warning tests-skipped: 1 mark more than before: tests are switched off"]
        );
        let commented = python.replace("    assert y", "    # assert y");
        assert_eq!(found(Role::Feature, "test_a.py", python, Some(&commented)).len(), 1);
        assert_eq!(found(Role::Feature, "test_a.py", python, Some(python)), Vec::<String>::new());
    }

    #[test]
    fn each_language_has_its_signs() {
        for (path, text) in [
            ("src/a/tests.rs", "#[test]\nfn a() {\n    assert_eq!(1, 1);\n}\n"),
            ("web/a.test.ts", "it('a', () => {\n  expect(1).toBe(1);\n});\n"),
            ("pkg/a_test.go", "func TestA(t *testing.T) {\n\tt.Fatal(1)\n}\n"),
            ("src/test/ATest.java", "@Test\nvoid a() {\n  assertEquals(1, 1);\n}\n"),
            ("spec/a_spec.rb", "it 'works' do\n  expect(1).to eq 1\nend\n"),
            ("Tests/ATests.cs", "[Fact]\npublic void A() {\n  Assert.Equal(1, 1);\n}\n"),
            ("tests/ATest.php", "public function testA() {\n  $this->assertSame(1, 1);\n}\n"),
        ] {
            assert!(is_test_file(path), "{path}");
            assert_eq!(measure(path, Some(text)), Measure { tests: 1, assertions: 1, skips: 0 }, "{path}");
        }
        for path in ["src/attest.py", "src/latest.rs", "README.md", "tests/data.json", "test", "contest/a.rs"] {
            assert!(!is_test_file(path), "{path}");
        }
    }

    #[test]
    fn a_moved_file_is_not_deleted() {
        let change =
            FileChange { path: "test_a.py", before: Some("def test_a():\n    assert 1\n"), after: None, moved: true };
        assert_eq!(weakened_tests(&fixture::task("t", Role::Feature, &[]), &[change]), []);
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_fail_and_more_of_the_same_is_never_less(text in "(\\PC{0,12}|assert x|def test_a|skip|#|\n){0,20}") {
            let more = format!("{text}\n{text}");
            proptest::prop_assert_eq!(found(Role::Feature, "test_a.py", &text, Some(&more)).iter().filter(|f| f.starts_with("blocking")).count(), 0);
        }
    }
}
