//! The rooms of the house, as ARCHITECTURE.md shows them: who may import whom. Read from the sources, so that it stays so.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    path::Path,
};

use crate::support::imports::{Imports, circles};

/// For every room of the program, the rooms that it may import. What is not listed is forbidden.
const MAY: &[(&str, &[&str])] = &[
    // Names and words of ours that everybody may use.
    ("errors", &[]),
    ("http", &[]),
    ("layout", &[]),
    ("runtime", &[]),
    ("schemas", &[]),
    ("untrusted", &[]),
    // Adapters: each speaks to one part of the world, and none of another adapter.
    ("actions", &["errors", "layout", "untrusted"]),
    // A supervisor starts what it watches inside of a confinement.
    ("agent", &["errors", "layout", "sandbox", "schemas", "untrusted"]),
    ("artifacts", &["errors", "http", "layout", "untrusted"]),
    ("github", &["errors", "http", "layout", "untrusted"]),
    ("journal", &["errors", "layout", "untrusted"]),
    ("run_dir", &["errors", "layout", "untrusted"]),
    // What a run keeps for a later one: records of its journal, and the patches that they name.
    ("kept", &["journal", "layout", "workspace"]),
    ("sandbox", &["errors", "layout", "untrusted"]),
    ("workspace", &["errors", "layout", "untrusted"]),
    // From what was asked for to what will be done, and the loop that does it.
    ("intake", &["agent", "untrusted", "workspace"]),
    (
        "coordinator",
        &["agent", "errors", "intake", "journal", "layout", "run_dir", "sandbox", "untrusted", "workspace"],
    ),
    (
        "execution",
        &[
            "agent",
            "coordinator",
            "errors",
            "intake",
            "journal",
            "kept",
            "layout",
            "run_dir",
            "sandbox",
            "telemetry",
            "untrusted",
            "workspace",
        ],
    ),
    // A trace of the run, where somebody wants it.
    ("telemetry", &["http", "layout"]),
    // A job that does everything in place looks for what is missing before it pays for anything.
    (
        "jobs",
        &[
            "agent",
            "coordinator",
            "doctor",
            "errors",
            "intake",
            "journal",
            "kept",
            "layout",
            "run_dir",
            "sandbox",
            "untrusted",
            "workspace",
        ],
    ),
    ("verify", &["coordinator", "errors", "layout", "untrusted", "workspace"]),
    // What a run here would miss, looked for before it begins.
    ("doctor", &["agent", "errors", "sandbox", "workspace"]),
    // What a run would not see, because it begins at a commit.
    ("uncommitted", &["intake", "untrusted", "workspace"]),
    // What is called from outside.
    (
        "step",
        &[
            "actions",
            "agent",
            "artifacts",
            "coordinator",
            "errors",
            "execution",
            "github",
            "http",
            "intake",
            "jobs",
            "kept",
            "layout",
            "runtime",
            "untrusted",
            "workspace",
        ],
    ),
    (
        "cli",
        &[
            "actions",
            "agent",
            "artifacts",
            "coordinator",
            "doctor",
            "errors",
            "execution",
            "github",
            "http",
            "intake",
            "jobs",
            "journal",
            "layout",
            "run_dir",
            "runtime",
            "sandbox",
            "schemas",
            "step",
            "uncommitted",
            "untrusted",
            "verify",
            "workspace",
        ],
    ),
];

/// Circles that are left, with the reason: the first room or file of each.
const CIRCLES_LEFT: &[(&str, &str)] = &[];

/// The most files of one room that may import one another in a circle.
const CIRCLE_MAX: usize = 3;

fn program() -> Imports {
    Imports::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"))
}

fn model() -> Imports {
    Imports::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/model/src"))
}

/// Says which imports the table forbids.
fn forbidden(imports: &Imports, may: &[(&str, &[&str])]) -> Vec<String> {
    let mut found = Vec::new();
    for (room, others) in imports.rooms() {
        let allowed = may.iter().find(|(name, _)| *name == room).map(|(_, allowed)| *allowed);
        for (other, files) in others {
            if !allowed.is_some_and(|allowed| allowed.contains(&other.as_str())) {
                found.extend(files);
            }
        }
    }
    found
}

/// Says which rooms import one another in a circle, and by which files.
fn circles_of_rooms(imports: &Imports) -> String {
    let rooms = imports.rooms();
    let names = rooms.iter().map(|(room, others)| (room.clone(), others.keys().cloned().collect())).collect();
    let mut said = String::new();
    for circle in circles::<String>(&names) {
        if CIRCLES_LEFT.iter().any(|(first, _)| circle.first().is_some_and(|name| name == first)) {
            continue;
        }
        let _ = writeln!(said, "a circle of rooms: {}", circle.join(", "));
        for (room, others) in rooms.iter().filter(|(room, _)| circle.contains(room)) {
            for files in others.iter().filter(|(other, _)| circle.contains(other)).map(|(_, files)| files) {
                for line in files {
                    let _ = writeln!(said, "  ({room}) {line}");
                }
            }
        }
    }
    said
}

/// Says which files import one another in a circle that is too large.
fn circles_of_files(imports: &Imports, left: &[(&str, &str)]) -> String {
    let mut said = String::new();
    for circle in circles(&imports.edges) {
        let names: BTreeSet<String> = circle.iter().map(|module| module.join("::")).collect();
        if names.len() > CIRCLE_MAX && !left.iter().any(|(first, _)| names.first().is_some_and(|name| name == first)) {
            let _ = writeln!(said, "a circle of {} files:", names.len());
            for module in &circle {
                let to = imports.edges[module].iter().filter(|to| circle.contains(to)).map(|to| to.join("::"));
                let _ = writeln!(said, "  {} imports {}", module.join("::"), to.collect::<Vec<_>>().join(", "));
            }
        }
    }
    said
}

#[test]
fn the_program_has_no_forbidden_import_and_no_circle() {
    let imports = program();
    assert_eq!(forbidden(&imports, MAY), Vec::<String>::new());
    let rooms: BTreeSet<String> = imports.edges.keys().filter_map(|module| module.first().cloned()).collect();
    let listed: BTreeSet<String> = MAY.iter().map(|(room, _)| (*room).to_owned()).collect();
    assert_eq!(listed, rooms, "the table lists the rooms that there are");
    assert_eq!(circles_of_rooms(&imports), "");
    assert_eq!(circles_of_files(&imports, CIRCLES_LEFT), "");
}

/// Reads the arrows between rooms out of the picture of a document.
fn arrows(document: &str) -> Vec<(&str, &str)> {
    let picture = document.split("```mermaid\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap_or_default();
    picture.lines().filter_map(|line| line.trim().split_once(" --> ")).collect()
}

#[test]
fn the_picture_of_the_house_is_true() {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("ARCHITECTURE.md")).unwrap();
    let rooms = program().rooms();
    let imports = |(from, to): &(&str, &str)| rooms.get(*from).is_some_and(|others| others.contains_key(*to));
    let (so, untrue): (Vec<_>, Vec<_>) = arrows(&text).into_iter().partition(imports);
    assert_eq!(untrue, [], "ARCHITECTURE.md draws imports that there are not");
    assert!(so.len() > 10, "only {} arrows found: is the picture still there?", so.len());
    assert_eq!(arrows("```mermaid\n  a[\"A\"]\n  a --> b\n```\n c --> d"), [("a", "b")]);
}

#[test]
fn the_model_has_no_circle_and_what_all_share_imports_nothing() {
    let imports = model();
    assert_eq!(circles_of_rooms(&imports), "");
    assert_eq!(circles_of_files(&imports, CIRCLES_LEFT), "");
    for low in ["vocabulary", "limits", "ids"] {
        assert_eq!(imports.rooms().get(low), None, "{low}");
    }
}

/// Reads a crate from files that a test writes down.
fn house(files: &[(&str, &str)]) -> Imports {
    Imports::of(&files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect::<BTreeMap<_, _>>())
}

#[test]
fn every_way_to_import_is_seen() {
    let ways = [
        "use crate::b::B;",
        "use crate::{b::{self, B as C}};",
        "use super::b::B;",
        "fn f() { crate::b::g() }",
        "fn f() { println!(\"{}\", crate::b::g()) }",
        "fn f() { use crate::b::B; }",
        "struct S { b: crate::b::B }",
        "mod inner { use super::super::b::B; }",
        "use crate::c::B;",
        "use crate::c::*;",
    ];
    for way in ways {
        let door = if way.contains("::*") { "use crate::b::B as X;" } else { "" };
        let files = [
            ("lib.rs", "mod a; mod b; mod c;"),
            ("a.rs", way),
            ("b.rs", "pub struct B;"),
            ("c.rs", "pub use crate::b::B;"),
        ];
        let rooms = house(&files).rooms();
        let expected = if door.is_empty() { "b" } else { "c" };
        assert!(rooms["a"].contains_key(expected), "{way}: {rooms:?}");
        assert_eq!(forbidden(&house(&files), &[("c", &["b"])]).len(), 1, "{way}");
    }
}

#[test]
fn what_only_tests_import_does_not_count() {
    let in_tests = [
        ("a.rs", "#[cfg(test)] mod tests { use crate::b::B; }"),
        ("a.rs", "#[cfg(test)] use crate::b::B;"),
        ("a/mod.rs", "#[cfg(test)] mod more;"),
    ];
    for (path, text) in in_tests {
        let files = [("lib.rs", ""), (path, text), ("b.rs", "pub struct B;"), ("a/more.rs", "use crate::b::B;")];
        let kept = if path == "a/mod.rs" { &files[..] } else { &files[..3] };
        assert_eq!(house(kept).rooms(), BTreeMap::new(), "{text}");
    }
}

#[test]
fn circles_are_found_through_doors_and_not_where_there_are_none() {
    // `x` passes on what is in `x::one`; `x::two` takes it from there: no circle.
    let door = [
        ("lib.rs", ""),
        ("x/mod.rs", "pub use self::one::One;"),
        ("x/one.rs", "pub struct One;"),
        ("x/two.rs", "use super::One;"),
    ];
    let imports = house(&door);
    assert!(circles(&imports.edges).is_empty(), "{imports:?}");
    let four = |last: &str| {
        let text = |next: &str| format!("use crate::x::{next}::N;");
        house(&[
            ("lib.rs", ""),
            ("x/a.rs", &text("b")),
            ("x/b.rs", &text("c")),
            ("x/c.rs", &text("d")),
            ("x/d.rs", last),
            ("x/mod.rs", "pub use a::N;"),
        ])
    };
    assert_eq!(circles_of_files(&four(""), &[]), "");
    assert!(circles_of_files(&four("use super::N;"), &[]).contains("a circle of 4 files"));
    assert_eq!(circles_of_files(&four("use super::N;"), &[("x::a", "a test")]), "");
    let rooms =
        house(&[("lib.rs", ""), ("a.rs", "use crate::b::B;"), ("b/mod.rs", ""), ("b/deep.rs", "use crate::a::A;")]);
    assert!(circles_of_rooms(&rooms).contains("a circle of rooms: a, b"));
}
