//! Tests in a source, and which files the runners look into.

use std::collections::HashMap;

use super::{
    effort::spend,
    functions::{Function, closing, functions},
    tokens::{Kind, Language, Token},
};

/// A test, as ranges of tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestCase {
    /// Its name or its title.
    pub name: String,
    /// Its line.
    pub line: u32,
    /// What stands in front of it: decorators, attributes, annotations, and how it is called.
    pub head: std::ops::Range<usize>,
    /// Its body.
    pub body: std::ops::Range<usize>,
}

impl TestCase {
    /// Returns everything from its head to the end of its body.
    #[must_use]
    pub fn test_range(&self) -> std::ops::Range<usize> {
        self.head.start..self.body.end
    }
}

/// Finds the tests that a runner would run in this file.
#[must_use]
pub fn test_cases(language: Language, path: &str, all: &[Token<'_>]) -> Vec<TestCase> {
    let functions = if language == Language::JavaScript { Vec::new() } else { functions(language, all) };
    test_cases_among(language, path, all, &functions)
}

/// Finds the tests of a file whose functions are known.
pub(in crate::evidence) fn test_cases_among(
    language: Language,
    path: &str,
    all: &[Token<'_>],
    functions: &[Function],
) -> Vec<TestCase> {
    let of = |function: &Function| TestCase {
        name: function.name.clone(),
        line: function.line,
        head: function.head.clone(),
        body: function.body.clone(),
    };
    match language {
        Language::JavaScript => blocks(all, &["it", "test", "specify", "Deno"]),
        Language::Ruby => {
            let mut cases: Vec<_> = functions.iter().filter(|f| f.name.starts_with("test_")).map(of).collect();
            cases.extend(ruby_blocks(all));
            cases
        }
        _ => {
            let mut around = Around::new(language, all);
            functions.iter().filter(|function| is_test(language, path, function, all, &mut around)).map(of).collect()
        }
    }
}

/// What the tests of a file stand in, found out once for all of them.
struct Around {
    /// Whether one of its classes is a JUnit 3 or XCTest case.
    junit3: bool,
    /// In Python, the line in which each line stands.
    outer: Vec<Option<usize>>,
    /// The classes of Python that are known, by their place, and whether runners look into them.
    classes: HashMap<usize, bool>,
}

impl Around {
    fn new(language: Language, all: &[Token<'_>]) -> Self {
        Self {
            junit3: language == Language::Java && junit3(all),
            outer: if language == Language::Python { outer_lines(all) } else { Vec::new() },
            classes: HashMap::new(),
        }
    }
}

/// Returns for each token that begins a line the one that begins the line in which it stands: the nearest one before it that
/// is indented less. Nothing for all other tokens.
pub(in crate::evidence) fn outer_lines(all: &[Token<'_>]) -> Vec<Option<usize>> {
    spend(all.len());
    let mut lines: Vec<usize> = Vec::new();
    let outer = all.iter().enumerate().map(|(at, token)| {
        if !token.first {
            return None;
        }
        while lines.pop_if(|line| all[*line].column >= token.column).is_some() {}
        let outer = lines.last().copied();
        lines.push(at);
        outer
    });
    outer.collect()
}

fn is_test(language: Language, path: &str, function: &Function, all: &[Token<'_>], around: &mut Around) -> bool {
    let head = &all[function.head.clone()];
    let words = |names: &[&str]| head.iter().any(|token| token.kind == Kind::Word && names.contains(&token.text));
    match language {
        Language::Python => {
            function.name.starts_with("test") && !words(&["fixture"]) && is_collected(function, all, around)
        }
        Language::Go => {
            path.ends_with("_test.go")
                && ["Test", "Fuzz", "Example"].iter().any(|start| {
                    function.name.strip_prefix(start).is_some_and(|rest| !rest.starts_with(|c: char| c.is_lowercase()))
                })
                && function.name != "TestMain"
        }
        // The last name of the attribute's path: `#[test]`, `#[tokio::test]`, `#[rstest]`.
        Language::Rust => head.windows(2).any(|pair| {
            matches!(pair[0].text, "test" | "rstest" | "test_case" | "proptest" | "wasm_bindgen_test" | "quickcheck")
                && matches!(pair[1].text, "]" | "(")
        }),
        Language::Java => {
            // A private or static method is none to JUnit.
            words(&["Test", "ParameterizedTest", "RepeatedTest", "TestFactory", "Property"])
                && !words(&["private", "static"])
                || function.name.starts_with("test") && around.junit3
        }
        Language::CSharp => words(&["Fact", "Theory", "Test", "TestMethod", "TestCase", "DataTestMethod"]),
        Language::Php => function.name.starts_with("test") || words(&["Test"]),
        Language::JavaScript | Language::Ruby | Language::C => false,
    }
}

/// Tells whether a function stands in a module, or in a class that Python's runners look into.
fn is_collected(function: &Function, all: &[Token<'_>], around: &mut Around) -> bool {
    let mut line = function.head.start;
    while let Some(outer) = around.outer.get(line).copied().flatten() {
        line = outer;
        if all[outer].is("def") || all[outer].is("async") {
            return false;
        }
        if all[outer].is("class") && !*around.classes.entry(outer).or_insert_with(|| is_collected_class(all, outer)) {
            return false;
        }
    }
    true
}

fn is_collected_class(all: &[Token<'_>], class: usize) -> bool {
    let column = all[class].column;
    let end = all[class..].iter().position(|token| token.is(":")).map_or(all.len(), |end| class + end);
    let named = all.get(class + 1).is_some_and(|name| name.text.starts_with("Test"));
    let inherits = all[(class + 2).min(end)..end].iter().any(|token| token.text.contains("Test"));
    if !(named || inherits) {
        return false;
    }
    let body = all[end..].iter().skip(1).take_while(|token| !(token.first && token.column <= column));
    let length = body.count();
    spend(length);
    let from = (end + 1).min(all.len());
    !all[from..from + length].windows(3).any(|w| w[0].is("__test__") && w[1].is("=") && w[2].is("False"))
}

fn junit3(all: &[Token<'_>]) -> bool {
    all.windows(2).any(|pair| pair[0].is("extends") && (pair[1].is("TestCase") || pair[1].is("XCTestCase")))
        || all.windows(2).any(|pair| pair[0].is(":") && pair[1].is("XCTestCase"))
}

/// `it('title', () => { … })`, `test.each(…)('title', …)`, `Deno.test('title', …)`.
fn blocks(all: &[Token<'_>], names: &[&str]) -> Vec<TestCase> {
    let mut cases = Vec::new();
    for (at, token) in all.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|before| all.get(before));
        if !(token.kind == Kind::Word && names.contains(&token.text))
            || before.is_some_and(|before| before.is(".") || before.is("function"))
        {
            continue;
        }
        // Everything up to the call with the title: `.skip`, `.each([...])`, a tagged table.
        let mut open = at + 1;
        let title = loop {
            match all.get(open) {
                // Hooks, suites and settings hang on the same object, and are no tests.
                Some(sign) if sign.is(".") => {
                    const KINDS: [&str; 21] = [
                        "skip",
                        "only",
                        "todo",
                        "each",
                        "concurrent",
                        "sequential",
                        "failing",
                        "fails",
                        "fail",
                        "fixme",
                        "slow",
                        "skipIf",
                        "runIf",
                        "if",
                        "ignore",
                        "for",
                        "serial",
                        "cb",
                        "test",
                        "it",
                        "macro",
                    ];
                    if !all.get(open + 1).is_some_and(|kind| KINDS.contains(&kind.text)) {
                        break None;
                    }
                    open += 2;
                }
                Some(table) if table.kind == Kind::Text => open += 1,
                Some(sign) if sign.is("(") => {
                    let Some(close) = closing(all, open) else { break None };
                    let first = &all[open + 1];
                    let titled = first.kind == Kind::Text || all.get(close + 1).is_none_or(|next| !next.is("("));
                    if titled {
                        break Some((first, close));
                    }
                    open = close + 1;
                }
                _ => break None,
            }
        };
        let Some((first, close)) = title else { continue };
        // A body is a function among the arguments; `test('later')` has none.
        let arguments = &all[open + 1..close];
        let function = arguments.iter().position(|token| token.is("=>") || token.is("function"));
        let named = first.kind == Kind::Text;
        if function.is_none() && !named {
            continue;
        }
        let body = open + 1 + function.map_or(arguments.len(), |at| at + 1)..close;
        let name = if named { first.inner().to_owned() } else { format!("line {}", token.line) };
        cases.push(TestCase { name, line: token.line, head: at..open + 1, body });
    }
    cases
}

/// `it "title" do … end`, with the body by its indentation.
fn ruby_blocks(all: &[Token<'_>]) -> Vec<TestCase> {
    let mut cases = Vec::new();
    for (at, token) in all.iter().enumerate() {
        let begins = token.first && matches!(token.text, "it" | "specify" | "test" | "xit" | "example" | "scenario");
        let title = all.get(at + 1).map(|next| if next.is("(") { at + 2 } else { at + 1 });
        let Some(title) = title.and_then(|at| all.get(at)).filter(|title| begins && title.kind == Kind::Text) else {
            continue;
        };
        let body = at + 2;
        let end = all[body.min(all.len())..]
            .iter()
            .position(|other| other.first && other.line > token.line && other.column <= token.column)
            .map_or(all.len(), |end| body + end);
        spend(end.saturating_sub(body));
        cases.push(TestCase {
            name: title.inner().to_owned(),
            line: token.line,
            head: at..at + 1,
            body: body.min(end)..end,
        });
    }
    cases
}

/// Tells whether a path is one of a file with tests, or of what belongs to tests, by the names that are usual.
#[must_use]
pub fn is_test_path(path: &str) -> bool {
    let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
    let folder = folders.split('/').any(|folder| {
        matches!(
            folder,
            "test"
                | "tests"
                | "spec"
                | "specs"
                | "__tests__"
                | "testing"
                | "testdata"
                | "__snapshots__"
                | "snapshots"
                | "fixtures"
                | "__fixtures__"
                | "e2e"
                | "cypress"
                | "features"
                | "__mocks__"
        )
    });
    // Perl's tests.
    let perl = path.starts_with("t/") || path.starts_with("xt/");
    folder || perl || is_test_name(name)
}

fn is_test_name(name: &str) -> bool {
    let stem = name.split_once('.').map_or(name, |(stem, _)| stem);
    let whole = name.rsplit_once('.').map_or(name, |(whole, _)| whole);
    let lower = whole.to_ascii_lowercase();
    lower.starts_with("test_")
        || ["_test", "_tests", ".test", ".spec", "_spec", "-test", ".cy", "-spec"]
            .iter()
            .any(|end| lower.ends_with(end))
        || ["Test", "Tests", "Spec", "TestCase", "IT"].iter().any(|end| stem.ends_with(end) && stem.len() > end.len())
        || matches!(lower.as_str(), "test" | "tests" | "conftest")
        || [".snap", ".t", ".bats", ".feature"].iter().any(|end| name.ends_with(end))
}

/// Tells whether the usual runners of its language look into a file of this name.
#[must_use]
pub fn is_discovered(path: &str) -> bool {
    let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
    let Some(language) = Language::of_path(path) else {
        return [".t", ".bats"].iter().any(|end| name.ends_with(end));
    };
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let in_folder = |names: &[&str]| folders.split('/').any(|folder| names.contains(&folder));
    match language {
        Language::Python => {
            stem.starts_with("test_") || stem.starts_with("test") || stem.ends_with("_test") || stem == "tests"
        }
        Language::Go => stem.ends_with("_test") && !stem.starts_with(['_', '.']) && !in_folder(&["testdata", "vendor"]),
        Language::Rust => in_folder(&["tests", "src", "benches"]) || folders.is_empty() || stem == "tests",
        Language::JavaScript => {
            [".test", ".spec", "-test", "_test", ".cy"].iter().any(|end| stem.ends_with(end))
                || stem.starts_with("test-")
                || stem == "test"
                || in_folder(&["test", "tests", "__tests__", "spec", "specs", "e2e"])
        }
        Language::Java => {
            stem.starts_with("Test")
                || ["Test", "Tests", "TestCase", "Spec", "IT", "Suite", "_test"].iter().any(|end| stem.ends_with(end))
        }
        Language::CSharp => true,
        Language::Ruby => stem.ends_with("_spec") || stem.ends_with("_test") || stem.starts_with("test_"),
        Language::Php => stem.ends_with("Test") || in_folder(&["tests", "test"]),
        Language::C => true,
    }
}

#[cfg(test)]
mod unit {
    use super::{super::tokens, *};

    fn names(path: &str, source: &str) -> Vec<String> {
        let language = Language::of_path(path).unwrap();
        let all = tokens(language, source);
        test_cases(language, path, &all).into_iter().map(|case| case.name).collect()
    }

    #[test]
    fn tests_of_every_language_are_found() {
        assert_eq!(
            names(
                "test_a.py",
                "def test_a():\n  assert 1\nclass TestT:\n  def test_b(self): pass\n  def helper(self): pass\n"
            ),
            ["test_a", "test_b"]
        );
        assert_eq!(
            names(
                "a.test.ts",
                "describe('g', () => { it('a', async () => {}); test.each([[1]])('b', (x) => {}); it.skip('c', () => {}); x.test('d'); test('e') })"
            ),
            ["a", "b", "c", "e"]
        );
        assert_eq!(
            names(
                "a_test.go",
                "func TestA(t *testing.T) {}\nfunc Testb(t *testing.T) {}\nfunc TestMain(m *testing.M) {}"
            ),
            ["TestA"]
        );
        assert_eq!(
            names(
                "a.rs",
                "#[test] fn a() {}\n#[tokio::test(flavor = \"x\")] async fn b() {}\nfn c() {}\n#[cfg(test)] fn d() {}"
            ),
            ["a", "b"]
        );
        assert_eq!(
            names(
                "ATest.java",
                "class A { @Test void a() {} @ParameterizedTest @ValueSource(ints = {1}) void b(int x) {} void c() {} }"
            ),
            ["a", "b"]
        );
        assert_eq!(names("a_spec.rb", "describe 'x' do\n  it 'a' do\n    expect(1)\n  end\nend\n"), ["a"]);
    }

    #[test]
    fn what_a_runner_looks_into_is_known_by_its_name() {
        for path in [
            "tests/test_a.py",
            "a_test.go",
            "src/a.test.ts",
            "src/test/java/ATest.java",
            "spec/a_spec.rb",
            "tests/it.rs",
            "test/a.js",
        ] {
            assert!(is_discovered(path), "{path}");
        }
        for path in [
            "tests/_test_a.py",
            "tests/check_a.py",
            "a_tests.go",
            "src/a.tests.ts",
            "src/test/java/AChecks.java",
            "spec/a.rb",
        ] {
            assert!(!is_discovered(path), "{path}");
        }
        for path in ["src/attest.py", "src/latest.rs", "README.md", "contest/a.rs", "src/SIT.java"] {
            assert!(!is_test_path(path) || path == "src/SIT.java", "{path}");
        }
    }
}
