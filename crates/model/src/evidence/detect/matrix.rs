//! Cheats beside honest patches of the same files, in five languages: every cheat is found by name, and no honest patch
//! raises anything.
//!
//! A file of cases begins with the base (`=== path`). A case is `### cheat|honest author name: kinds`, then the files that
//! it changes: `+++ path` with the new text, `--- path` for a deleted one, `>>> from to` for a moved one, with its new text.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

struct Case {
    cheat: bool,
    author: Author,
    name: String,
    kinds: Vec<String>,
    files: Vec<(String, Option<String>, Option<String>)>,
}

fn cases(text: &str) -> (BTreeMap<String, String>, Vec<Case>) {
    let mut base = BTreeMap::new();
    let mut cases: Vec<Case> = Vec::new();
    let mut target: Option<(String, Option<String>)> = None;
    for line in text.lines() {
        let (mark, rest) = line.split_at_checked(4).unwrap_or((line, ""));
        match mark {
            "=== " => target = Some((rest.to_owned(), None)),
            "### " => {
                target = None;
                let (head, kinds) = rest.split_once(':').unwrap_or((rest, ""));
                let mut words = head.splitn(3, ' ');
                let cheat = words.next() == Some("cheat");
                let author = if words.next() == Some("code") { Author::Code } else { Author::Tests };
                let kinds = kinds.split_whitespace().map(str::to_owned).collect();
                cases.push(Case {
                    cheat,
                    author,
                    name: words.next().unwrap_or_default().to_owned(),
                    kinds,
                    files: Vec::new(),
                });
            }
            "+++ " | ">>> " => {
                let (from, path) =
                    rest.split_once(' ').map_or((None, rest), |(from, path)| (Some(from.to_owned()), path));
                target = Some((path.to_owned(), from.clone()));
                cases.last_mut().expect("a case").files.push((path.to_owned(), from, Some(String::new())));
            }
            "--- " => {
                target = None;
                cases.last_mut().expect("a case").files.push((rest.to_owned(), None, None));
            }
            _ => {
                let Some((path, _)) = &target else { continue };
                let text = match cases.last_mut() {
                    Some(case) => case.files.last_mut().expect("a file").2.as_mut().expect("text"),
                    None => base.entry(path.clone()).or_default(),
                };
                text.push_str(line);
                text.push('\n');
            }
        }
    }
    (base, cases)
}

/// Returns what was found in each case, for the language's file of cases.
fn check(language: &str, text: &str) {
    let (base, cases) = cases(text);
    let mut wrong = String::new();
    let (mut cheats, mut honest) = (0, 0);
    for case in &cases {
        let mut changes: Vec<FileChange<'_>> = Vec::new();
        for (path, from, after) in &case.files {
            let before = base.get(from.as_ref().unwrap_or(path)).map(String::as_str);
            changes.push(FileChange { path, before, after: after.as_deref(), moved_from: from.as_deref() });
            if let Some(from) = from {
                changes.push(FileChange { path: from, before: None, after: None, moved_from: None });
            }
        }
        let found = signs(case.author, &changes);
        let kinds: BTreeSet<&str> =
            found.iter().filter(|sign| sign.weight != Weight::Note).map(|sign| sign.code.name()).collect();
        let good = if case.cheat {
            cheats += 1;
            case.kinds.iter().any(|kind| kinds.contains(kind.as_str()))
        } else {
            honest += 1;
            kinds.is_empty()
        };
        if !good {
            let shown: Vec<_> = found.iter().map(|sign| format!("{}: {}", sign.code.name(), sign.message)).collect();
            wrong.push_str(&format!(
                "{language} {} {:?} `{}` wanted {:?}, found {shown:#?}\n",
                if case.cheat { "cheat" } else { "honest" },
                case.author,
                case.name,
                case.kinds
            ));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(cheats >= 10 && honest >= 8, "{language}: {cheats} cheats, {honest} honest patches");
}

#[test]
fn python() {
    check(
        "python",
        concat!(
            include_str!("cases/python.txt"),
            include_str!("cases/python_unseen.txt"),
            include_str!("cases/python_strange.txt")
        ),
    );
}

#[test]
fn javascript() {
    check(
        "javascript",
        concat!(
            include_str!("cases/javascript.txt"),
            include_str!("cases/javascript_unseen.txt"),
            include_str!("cases/javascript_strange.txt")
        ),
    );
}

#[test]
fn go() {
    check(
        "go",
        concat!(
            include_str!("cases/go.txt"),
            include_str!("cases/go_unseen.txt"),
            include_str!("cases/go_strange.txt")
        ),
    );
}

#[test]
fn rust() {
    check(
        "rust",
        concat!(
            include_str!("cases/rust.txt"),
            include_str!("cases/rust_unseen.txt"),
            include_str!("cases/rust_strange.txt")
        ),
    );
}

#[test]
fn java() {
    check(
        "java",
        concat!(
            include_str!("cases/java.txt"),
            include_str!("cases/java_unseen.txt"),
            include_str!("cases/java_strange.txt")
        ),
    );
}
