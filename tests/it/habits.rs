//! Habits of the code that a test keeps: files that can be read at one sitting, state in parts.

use std::{collections::BTreeMap, path::Path};

use crate::support::imports::{parted, production};

/// The most lines of production code that a file may have.
const LINES_MAX: usize = 400;

/// The most fields of a struct that holds state of a run.
const FIELDS_MAX: usize = 12;

/// Where the structs are that hold state of a run.
const STATE: [&str; 4] = ["src/coordinator/", "src/journal/", "src/workspace/", "crates/model/src/run/"];

/// What the rules do not hold for, each with its reason.
const EXCEPTIONS: &[(&str, &str)] = &[];

fn is_excepted(what: &str) -> bool {
    EXCEPTIONS.iter().any(|(name, _)| *name == what)
}

/// Returns the production code of all crates, by paths in the repository.
fn everything() -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = BTreeMap::new();
    for folder in ["src", "crates/bench/src", "crates/model/src"] {
        let here = production(&root.join(folder)).into_iter();
        files.extend(here.map(|(path, text)| (format!("{folder}/{path}"), text)));
    }
    files
}

#[test]
fn no_file_is_longer_than_one_sitting() {
    let long: Vec<_> = everything()
        .into_iter()
        .map(|(path, text)| (text.lines().count(), path))
        .filter(|(lines, path)| *lines > LINES_MAX && !is_excepted(path))
        .collect();
    assert_eq!(long, [], "split them by what they hold");
}

/// Finds the structs of a file with more fields than state may have.
fn too_many_fields(text: &str) -> Vec<(String, usize)> {
    let mut found = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let name = line.split_once("struct ").filter(|(before, _)| !before.contains("//") && line.ends_with('{'));
        let Some((_, name)) = name else { continue };
        let body = lines.by_ref().take_while(|line| *line != "}");
        let fields = body.filter(|line| {
            let field = line.trim_start();
            line.starts_with("    ")
                && !line.starts_with("     ")
                && !field.starts_with(['/', '#'])
                && field.contains(": ")
        });
        let fields = fields.count();
        if fields > FIELDS_MAX {
            found.push((name.split(|c: char| !c.is_alphanumeric()).next().unwrap().to_owned(), fields));
        }
    }
    found
}

#[test]
fn no_struct_holds_all_state_of_a_run() {
    let mut found = Vec::new();
    for (path, text) in everything() {
        if STATE.iter().any(|folder| path.starts_with(folder)) {
            let here = too_many_fields(&text).into_iter().filter(|(name, _)| !is_excepted(name));
            found.extend(here.map(|one| (path.clone(), one)));
        }
    }
    assert_eq!(found, [], "part them by meaning");
}

#[test]
fn the_habits_are_seen_where_they_are_broken() {
    let fields: String =
        (0..=FIELDS_MAX).map(|at| format!("    /// A field: it has a number.\n    f{at}: u8,\n")).collect();
    assert_eq!(too_many_fields(&format!("struct S<T> {{\n{fields}}}\n")), [("S".to_owned(), FIELDS_MAX + 1)]);
    assert_eq!(too_many_fields("struct S {\n    one: u8,\n}\n"), []);
    let text =
        "use a;\n#[cfg(test)]\nuse b;\nfn f() {\n    x;\n}\n#[cfg(test)]\nmod tests {\n    fn y() {}\n}\nfn g() {}\n";
    assert_eq!(parted(text).0, "use a;\nfn f() {\n    x;\n}\nfn g() {}\n");
}
