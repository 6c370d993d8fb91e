//! Tests that are still there, and that no runner finds any more.

use std::collections::HashSet;

use super::{
    super::source::{self, Kind, Language},
    Author, Sign,
    parsed::{Parsed, Side},
};
use crate::findings::FindingCode;

/// A file with tests that was moved to where no runner looks, or that is left out of the build.
pub(super) fn undiscovered_file(author: Author, file: &Parsed<'_>) -> Option<Sign> {
    let code = FindingCode::TestsUndiscovered;
    if let Some(from) = file.moved_from
        && source::is_discovered(from)
        && !source::is_discovered(file.path)
        && file.before.as_ref().is_some_and(|before| !before.cases.is_empty())
    {
        let message = format!("it was `{from}`, and no runner looks into a file of its new name");
        return Some(Sign::new(code, author.weight(), file.path, message));
    }
    let (before, after) = (file.before.as_ref()?, file.after.as_ref()?);
    if let Some(name) = twice_in_one_class(file, after) {
        let message = format!("`{name}` is defined twice in one place: the first never runs");
        return Some(Sign::new(code, author.weight(), file.path, message));
    }
    if let Some((name, line)) = deleted_by_its_file(file, after) {
        let message = format!("`{name}` is deleted again at the end of its file, so that no runner finds it");
        return Some(Sign::new(code, author.weight(), file.path, message).at(line));
    }
    if file.language == Some(Language::Java) && !before.cases.is_empty() {
        let of_class = |side: &Side<'_>| side.has(&["abstract", "class"]);
        if let (None, Some(line)) = (of_class(before), of_class(after)) {
            let message = "its class is abstract now, and of an abstract class no test is run";
            return Some(Sign::new(code, author.weight(), file.path, message).at(line));
        }
    }
    if let Some(from) = file.moved_from
        && file.language == Some(Language::Go)
        && other_system(file.path)
        && !other_system(from)
    {
        let message = format!("it was `{from}`, and is built for another system only by its new name");
        return Some(Sign::new(code, author.weight(), file.path, message));
    }
    if file.language == Some(Language::Go) && file.path.ends_with("_test.go") {
        let tag = |side: &Side<'_>| {
            side.text.lines().any(|line| line.starts_with("//go:build") || line.starts_with("// +build"))
        };
        if tag(after) && !tag(before) {
            return Some(Sign::new(
                code,
                author.weight(),
                file.path,
                "a build tag was added: its tests are left out of the build",
            ));
        }
    }
    if file.language == Some(Language::Rust) && source::is_test_path(file.path) && !before.cases.is_empty() {
        let switched = |side: &Side<'_>| side.has(&["#", "!", "[", "cfg", "("]).is_some();
        if switched(after) && !switched(before) {
            let message = "the whole file is built only under a condition now";
            return Some(Sign::new(code, author.weight(), file.path, message));
        }
    }
    if file.language == Some(Language::Rust) {
        let plain = |side: &Side<'_>| side.has(&["#", "[", "cfg", "(", "test", ")", "]"]).is_some();
        let module = |side: &Side<'_>| side.has(&["mod", "tests"]).or_else(|| side.has(&["mod", "test"])).is_some();
        if plain(before) && !plain(after) && module(after) {
            return Some(Sign::new(
                code,
                author.weight(),
                file.path,
                "its module of tests is no longer built for tests",
            ));
        }
        let declared = |side: &Side<'_>| side.has(&["mod", "tests", ";"]).is_some();
        if declared(before) && !module(after) {
            return Some(Sign::new(
                code,
                author.weight(),
                file.path,
                "its module of tests is no longer part of the crate",
            ));
        }
    }
    None
}

/// Tells whether the name of a file of Go leaves it out of the build on Linux.
fn other_system(path: &str) -> bool {
    const OTHERS: [&str; 20] = [
        "windows",
        "darwin",
        "freebsd",
        "netbsd",
        "openbsd",
        "dragonfly",
        "solaris",
        "illumos",
        "aix",
        "plan9",
        "js",
        "wasip1",
        "ios",
        "android",
        "wasm",
        "386",
        "mips",
        "ppc64",
        "riscv64",
        "s390x",
    ];
    let name = path.rsplit('/').next().unwrap_or(path);
    let stem = name.strip_suffix("_test.go").or_else(|| name.strip_suffix(".go")).unwrap_or(name);
    stem.rsplit('_').next().is_some_and(|last| last != stem && OTHERS.contains(&last))
}

/// Finds a test, or a class of tests, that a file of Python deletes itself.
fn deleted_by_its_file<'a>(file: &Parsed<'_>, after: &'a Side<'_>) -> Option<(&'a str, u32)> {
    if file.language != Some(Language::Python) {
        return None;
    }
    after.tokens.windows(2).find_map(|pair| {
        let named = pair[1].text.starts_with("Test") || pair[1].text.starts_with("test_");
        let deleted = pair[0].is("del") && pair[0].first && pair[0].column == 0 && named;
        (deleted && file.is_new_line(pair[0].line)).then_some((pair[1].text, pair[0].line))
    })
}

/// Finds a test of Python that another one of its name, in the same class or module, takes the place of.
fn twice_in_one_class<'a>(file: &Parsed<'_>, after: &'a Side<'_>) -> Option<&'a str> {
    if file.language != Some(Language::Python) {
        return None;
    }
    let mut places = HashSet::new();
    after.cases.iter().find_map(|case| {
        let name = case.test.name.as_str();
        let place = after.outer.get(case.test.head.start).copied().flatten();
        if places.insert((name, place)) {
            return None;
        }
        let number = |side: &Side<'_>| side.cases.iter().filter(|one| one.test.name == name).count();
        source::spend(after.cases.len());
        let more = file.before.as_ref().is_none_or(|before| number(before) < number(after));
        more.then_some(name)
    })
}

/// A macro of Rust that makes tests: one that has the attribute of tests and asserts.
pub(super) struct TestMacro<'a> {
    /// The names that something in the file may be called with.
    given: HashSet<&'a str>,
}

impl<'a> TestMacro<'a> {
    pub(super) fn new(after: &Side<'a>) -> Option<Self> {
        after.has(&["macro_rules", "!"])?;
        after.has(&["#", "[", "test", "]"])?;
        let pairs = || after.tokens.windows(2);
        let asserts = pairs().any(|pair| pair[0].text.starts_with("assert") && pair[1].is("!"));
        let given = pairs().filter(|pair| matches!(pair[0].text, "(" | "{" | ",") && pair[1].kind != Kind::Text);
        asserts.then(|| Self { given: given.map(|pair| pair[1].text).collect() })
    }

    /// Tells whether the macro makes a test of this name.
    pub(super) fn makes(&self, name: &str) -> bool {
        self.given.contains(name)
    }
}
