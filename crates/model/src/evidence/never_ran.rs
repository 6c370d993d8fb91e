//! Test files that patches added and of which no test ran: left out by their names, by a build tag, by a runner's settings.

use std::collections::BTreeMap;

use super::{
    gathered::finding, numbers::CountSource, receipt::CommandReceipt, results::Results, scripts::Script, source,
};
use crate::{
    findings::{Finding, FindingCode, Weight},
    ids::TaskId,
    text,
};

/// The most comparisons of names: with more of them nothing is said.
const STEPS_MAX: usize = 20_000_000;

/// A test file that a patch added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddedFile {
    /// The task whose patch added it, where it is known.
    pub task: Option<TaskId>,
    /// Its path.
    pub path: String,
    /// The names of its tests as they are written there; none where its language is not read.
    pub tests: Vec<String>,
}

impl AddedFile {
    /// Reads a file that was added; `None` where no test stands in it, or its runner names tests in another way.
    #[must_use]
    pub fn new(task: Option<TaskId>, path: &str, content: &str) -> Option<Self> {
        if !source::is_test_path(path) {
            return None;
        }
        let tests = match source::Language::of_path(path) {
            // Programs of tests have names of their own.
            Some(source::Language::C) => return None,
            Some(language) => {
                let read = || {
                    let tokens = source::tokens(language, content);
                    source::test_cases(language, path, &tokens).into_iter().map(|case| case.name).collect::<Vec<_>>()
                };
                let names = source::within(CASES_STEPS_MAX, read).0?;
                let known: Vec<String> = names.into_iter().filter(|name| is_plain(name)).collect();
                if known.is_empty() {
                    return None;
                }
                known
            }
            None => {
                let name = path.rsplit('/').next().unwrap_or(path);
                let is_file_of_tests = name.ends_with(".t") || name.ends_with(".bats");
                Script::from_file(path, content).filter(|_| is_file_of_tests)?;
                Vec::new()
            }
        };
        Some(Self { task, path: path.to_owned(), tests })
    }

    /// Returns the words by which results may name it: its own name with and without its ending, and its tests.
    fn words(&self) -> impl Iterator<Item = &str> {
        let name = self.path.rsplit('/').next().unwrap_or(&self.path);
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        let first = name.split('.').next().unwrap_or(name);
        let ends = self.tests.iter().filter_map(|test| words_of(test).last());
        [stem, first].into_iter().chain(ends).filter(|word| !word.is_empty())
    }

    /// Tells whether a result that shares a word with it is one of its own.
    fn has(&self, name: &str, file: Option<&str>, word: &str) -> bool {
        let own = self.path.rsplit('/').next().unwrap_or(&self.path);
        if file.is_some_and(|file| file.rsplit(['/', '\\']).next() == Some(own)) {
            return true;
        }
        // A file's name among the words of a test is no test of its own name.
        let is_stem = own.strip_prefix(word).is_some_and(|rest| rest.starts_with('.') || rest.is_empty());
        is_stem || self.tests.iter().any(|test| name.contains(test.as_str()))
    }
}

/// The most steps that reading one added file may take.
const CASES_STEPS_MAX: u64 = 100_000_000;

/// Tells whether a test's name is written as its runner says it: nothing is put into it when it runs.
fn is_plain(name: &str) -> bool {
    !name.is_empty() && !name.contains(['%', '$', '{', '#', '\\'])
}

fn words_of(text: &str) -> impl DoubleEndedIterator<Item = &str> {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty())
}

/// Names the added test files of which no test ran. Nothing is said where a command's tests are known only by what it printed.
#[must_use]
pub fn never_ran(added: &[AddedFile], results: Option<&Results>, commands: &[CommandReceipt]) -> Vec<Finding> {
    let by_name = |command: &CommandReceipt| command.tests.is_none_or(|tests| tests.source == CountSource::Junit);
    let Some(results) = results.filter(|results| !results.tests.is_empty() && commands.iter().all(by_name)) else {
        return Vec::new();
    };
    let mut of_word: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, file) in added.iter().enumerate() {
        for word in file.words() {
            let files = of_word.entry(word).or_default();
            if files.last() != Some(&at) {
                files.push(at);
            }
        }
    }
    let mut ran = vec![false; added.len()];
    let mut steps = 0_usize;
    for result in &results.tests {
        let file = result.file.as_deref();
        let of_file = file.into_iter().flat_map(words_of);
        for word in words_of(&result.name).chain(of_file) {
            steps += 1;
            for &at in of_word.get(word).into_iter().flatten() {
                if !ran[at] {
                    steps += 1 + added[at].tests.len();
                    ran[at] = added[at].has(&result.name, file, word);
                }
            }
            if steps > STEPS_MAX {
                return Vec::new();
            }
        }
    }
    let left = added.iter().zip(ran).filter(|(_, ran)| !ran).map(|(file, _)| file);
    left.map(|file| {
        let message = format!(
            "{} was added with tests, and none of them ran: see that the runner finds it by its name, its folder and its build tags",
            text::code(&text::truncate(&text::terminal(&file.path), 120))
        );
        let mut finding = finding(FindingCode::TestsUndiscovered, Weight::Warning, message).in_path(&file.path);
        finding.task.clone_from(&file.task);
        finding
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            gathered::tests::results,
            results::{TestResult, TestState},
        },
        *,
    };

    fn told(added: &[(&str, &str)], ran: &[&str]) -> Vec<String> {
        let files = added.iter().filter_map(|(path, text)| AddedFile::new(None, path, text));
        let files: Vec<AddedFile> = files.collect();
        let ran: Vec<_> = ran.iter().map(|name| (*name, TestState::Passed)).collect();
        never_ran(&files, Some(&results(&ran)), &[]).into_iter().filter_map(|finding| finding.path).collect()
    }

    #[test]
    fn a_file_of_which_no_test_ran_is_named() {
        let go = "package a\n\nimport \"testing\"\n\nfunc TestAdd(t *testing.T) {\n\tt.Error()\n}\n";
        for path in ["add_windows_test.go", "_add_test.go"] {
            assert_eq!(told(&[(path, go)], &["example.com/calc › TestSub"]), [path]);
            assert_eq!(told(&[(path, go)], &["example.com/calc › TestAdd/case1"]), [""; 0]);
        }
        assert_eq!(told(&[("t/add.t", "use Test::More;\n")], &["t/sub.tt › sub"]), ["t/add.t"]);
        assert_eq!(told(&[("t/add.t", "use Test::More;\n")], &["t/add.t › add"]), [""; 0]);
        let python = "def test_add():\n    assert add(1, 2) == 3\n";
        assert_eq!(told(&[("tests/check_add.py", python)], &["tests.test_sub › test_sub"]), ["tests/check_add.py"]);
    }

    #[test]
    fn nothing_is_said_where_names_are_made_up_when_tests_run_or_are_not_known() {
        let js = "test('adds two', () => { expect(add(1, 2)).toBe(3); });\n";
        assert_eq!(told(&[("test/add.test.js", js)], &["calc adds two"]), [""; 0]);
        assert_eq!(told(&[("test/add.test.js", js)], &["calc › subtracts two"]), ["test/add.test.js"]);
        let each = "test('adds %i', () => { expect(add(1, 2)).toBe(3); });\n";
        assert_eq!(told(&[("test/add.test.js", each)], &["calc › adds 1"]), [""; 0]);
        let java = "class AddTest { @Test void adds() { assertEquals(3, add(1, 2)); } }\n";
        assert_eq!(told(&[("src/test/java/AddTest.java", java)], &["com.x.AddTest › adds two numbers"]), [""; 0]);
        let helper = "def make_user():\n    return 1\n";
        assert_eq!(told(&[("tests/helpers.py", helper)], &["tests.test_sub › test_sub"]), [""; 0]);
        let files = [AddedFile::new(None, "test/add.test.js", js).unwrap()];
        assert_eq!(never_ran(&files, None, &[]), []);
        let mut named = results(&[]);
        named.tests.push(TestResult {
            file: Some("/x/test/add.test.js".to_owned()),
            ..TestResult::new("", "z", TestState::Passed)
        });
        assert_eq!(never_ran(&files, Some(&named), &[]), []);
    }
}
