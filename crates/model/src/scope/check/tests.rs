use super::*;
use crate::{ids::ObjectId, patch::Blob};

fn scope(allow: &[&str], deny: &[&str]) -> Scope {
    let owned = |globs: &[&str]| globs.iter().map(|glob| (*glob).to_owned()).collect();
    Scope { allow: owned(allow), deny: owned(deny).into() }
}

fn blob(mode: FileMode) -> Option<Blob> {
    Some(Blob { mode, id: ObjectId::new("0".repeat(40)).unwrap() })
}

fn change(path: &str, old: Option<Blob>, new: Option<Blob>) -> Change {
    Change { path: path.to_owned(), old, new, renamed_from: None, added: Some(1), removed: None, link_target: None }
}

fn added(path: &str) -> Change {
    change(path, None, blob(FileMode::Plain))
}

fn modified(path: &str) -> Change {
    change(path, blob(FileMode::Plain), blob(FileMode::Plain))
}

fn deleted(path: &str) -> Change {
    change(path, blob(FileMode::Plain), None)
}

fn link(path: &str, target: &str) -> Change {
    Change { link_target: Some(target.to_owned()), ..change(path, None, blob(FileMode::Symlink)) }
}

fn patch(changes: Vec<Change>) -> Patch {
    let id = ObjectId::new("1".repeat(40)).unwrap();
    Patch { base: id.clone(), base_tree: id.clone(), tree: id, changes }
}

/// Checks as a writing subagent and returns the rules that were broken, with their paths.
fn broken(scope: &Scope, changes: Vec<Change>) -> Vec<(String, ViolationRule)> {
    match check(patch(changes), scope, Access::Writes, None) {
        Ok(_) => Vec::new(),
        Err(error) => error.violations.into_iter().map(|violation| (violation.path, violation.rule)).collect(),
    }
}

fn rules(scope: &Scope, changes: Vec<Change>) -> Vec<ViolationRule> {
    broken(scope, changes).into_iter().map(|(_, rule)| rule).collect()
}

#[test]
fn a_patch_within_its_scope_passes_as_it_is() {
    let changes = vec![
        added("src/a.py"),
        deleted("src/b.py"),
        change("src/run.sh", blob(FileMode::Plain), blob(FileMode::Executable)),
        link("src/c", "../src/a.py"),
    ];
    let given = patch(changes);
    let checked = check(given.clone(), &scope(&["src/**"], &["src/cli/**"]), Access::Writes, None).unwrap();
    assert_eq!(checked.patch(), &given);
    assert_eq!(checked.into_patch(), given);
}

#[test]
fn everything_is_denied_that_is_not_allowed() {
    assert_eq!(rules(&scope(&[], &[]), vec![added("a")]), [ViolationRule::NotAllowed]);
    assert_eq!(rules(&scope(&["src/**"], &[]), vec![added("src")]), [ViolationRule::NotAllowed]);
    let error =
        check(patch(vec![added("infra/x/y.tf")]), &scope(&["**"], &["docs", "{infra,cloud}/**"]), Access::Writes, None);
    let error = error.unwrap_err();
    assert_eq!(error.violations[0].message, "the scope denies `{infra,cloud}/**`");
    assert_eq!(error.patch.changes.len(), 1);
    assert_eq!(error.to_string(), "the patch left its scope: \"infra/x/y.tf\": the scope denies `{infra,cloud}/**`");
}

#[test]
fn both_sides_of_a_rename_count() {
    let moved = |from: &str, to: &str| vec![deleted(from), Change { renamed_from: Some(from.to_owned()), ..added(to) }];
    let src = scope(&["src/**"], &[]);
    assert_eq!(broken(&src, moved("docs/a", "src/a")), [("docs/a".to_owned(), ViolationRule::NotAllowed)]);
    assert_eq!(broken(&src, moved("src/a", "docs/a")), [("docs/a".to_owned(), ViolationRule::NotAllowed)]);
    assert_eq!(broken(&src, moved("src/a", "src/b")), []);
}

#[test]
fn a_read_only_subagent_may_change_nothing_and_may_do_nothing() {
    let all = scope(&["**"], &[]);
    let error = check(patch(vec![modified("a")]), &all, Access::ReadOnly, None).unwrap_err();
    assert_eq!(error.violations.iter().map(|violation| violation.rule).collect::<Vec<_>>(), [ViolationRule::ReadOnly]);
    assert!(check(patch(Vec::new()), &scope(&[], &[]), Access::ReadOnly, None).is_ok());
    assert!(check(patch(Vec::new()), &scope(&[], &[]), Access::Writes, None).is_ok());
}

#[test]
fn unsafe_paths_links_and_submodules_are_refused_in_any_scope() {
    let all = scope(&["**"], &[]);
    for path in ["../x", ".git/hooks/pre-commit", "a/.GIT./x", "a\\b", ""] {
        assert_eq!(rules(&all, vec![added(path)]), [ViolationRule::UnsafePath], "{path}");
        assert_eq!(rules(&all, vec![deleted(path)]), [ViolationRule::UnsafePath], "{path}");
    }
    assert_eq!(rules(&all, vec![link("a/b", "../../x")]), [ViolationRule::SymbolicLink]);
    assert_eq!(rules(&all, vec![change("a", None, blob(FileMode::Symlink))]), [ViolationRule::SymbolicLink]);
    assert_eq!(rules(&all, vec![change("a", blob(FileMode::Symlink), None)]), []);
    for (old, new) in [
        (None, blob(FileMode::Gitlink)),
        (blob(FileMode::Gitlink), None),
        (blob(FileMode::Gitlink), blob(FileMode::Plain)),
    ] {
        assert_eq!(rules(&all, vec![change("sub", old, new)]), [ViolationRule::Submodule]);
    }
}

#[test]
fn paths_that_differ_in_case_only_are_refused_unless_one_goes() {
    let all = scope(&["**"], &[]);
    let collision = |path: &str| vec![(path.to_owned(), ViolationRule::CaseCollision)];
    assert_eq!(broken(&all, vec![added("README"), added("readme")]), collision("readme"));
    assert_eq!(broken(&all, vec![deleted("README"), added("readme")]), []);
    assert_eq!(broken(&all, vec![link("A", "b"), added("a/x")]), collision("a/x"));
    assert_eq!(broken(&all, vec![added("a/x"), added("A/y")]), collision("A/y"));
}

#[test]
fn the_base_counts_for_case_collisions_when_its_paths_are_known() {
    let tree = TreePaths::new(["README", "docs/Guide.md", "docs/api/x", "Makefile", "src/Ä.rs"]);
    let all = CompiledScope::new(&scope(&["**"], &[])).unwrap();
    let collides = |changes| all.check(patch(changes), Access::Writes, Some(&tree)).is_err();
    assert!(collides(vec![added("readme")]));
    assert!(collides(vec![added("Docs")]), "a file where the base has a folder");
    assert!(collides(vec![added("makefile/x")]), "a folder where the base has a file");
    assert!(collides(vec![added("src/ä.rs")]));
    assert!(!collides(vec![added("docs/guide.txt"), modified("README")]));
    assert!(!collides(vec![deleted("README"), added("readme")]));
    assert!(collides(vec![added("DOCS/new.md")]), "one folder here, and another elsewhere");
}

#[test]
fn a_scope_that_cannot_be_read_allows_nothing() {
    for broken_scope in [scope(&["["], &[]), scope(&["**"], &["["])] {
        assert_eq!(rules(&broken_scope, vec![added("a"), added("b")]), [ViolationRule::InvalidScope; 2]);
        assert_eq!(rules(&broken_scope, vec![]), []);
    }
}

#[test]
fn everything_that_is_wrong_is_said_at_once() {
    let found =
        broken(&scope(&["src/**"], &["src/x"]), vec![added("../a"), added("b"), added("src/x"), link("c", "/")]);
    let rules: Vec<_> = found.into_iter().map(|(_, rule)| rule).collect();
    use ViolationRule::{Denied, NotAllowed, SymbolicLink, UnsafePath};
    assert_eq!(rules, [UnsafePath, NotAllowed, Denied, NotAllowed, SymbolicLink]);
}

#[test]
fn names_that_some_file_system_cannot_hold_are_refused_where_they_are_new() {
    let all = scope(&["**"], &[]);
    for path in ["CON", "src/aux.rs", "a:b", "x/nul/y", "trailing.", "blank /x", "src/a\u{200b}b.rs", "\u{e0041}.md"] {
        assert_eq!(rules(&all, vec![added(path)]), [ViolationRule::UnsafePath], "{path:?}");
        assert_eq!(rules(&all, vec![modified(path)]), [], "{path:?}: the base has it");
        assert_eq!(rules(&all, vec![deleted(path)]), [], "{path:?}: it goes");
    }
    let tree = TreePaths::new(["aux/there.rs"]);
    let below = |path: &str| check(patch(vec![added(path)]), &all, Access::Writes, Some(&tree)).is_ok();
    assert!(below("aux/new.rs"), "the folder is the base's");
    assert!(!below("aux/con.rs") && !below("Aux/new.rs") && !below("aux/prn/x"));
}

#[test]
fn accents_that_are_put_together_in_another_way_are_the_same_path() {
    let all = scope(&["**"], &[]);
    let (composed, apart) = ("caf\u{e9}.md", "cafe\u{301}.md");
    let collisions = rules(&all, vec![added(composed), added(apart)]);
    assert_eq!(collisions, [ViolationRule::CaseCollision], "the second of the two");
    let tree = TreePaths::new([composed]);
    assert!(check(patch(vec![added(apart)]), &all, Access::Writes, Some(&tree)).is_err());
    assert!(check(patch(vec![deleted(composed), added(apart)]), &all, Access::Writes, Some(&tree)).is_ok());
}

#[test]
fn what_is_denied_is_denied_in_every_spelling() {
    let denied = [".github/workflows", "**/.claude/**", "**/CLAUDE.md", "**/*Tests.cs", ".husky", "deploy/*.tf"];
    let all = scope(&["**"], &denied);
    for path in [
        ".github/Workflows/evil.yml",
        ".Claude/settings.json",
        "docs/.CLAUDE/settings.json",
        "claude.MD",
        ".HUSKY/pre-commit",
        "deploy/main.TF",
        // The sign for Kelvin.
        ".hus\u{212a}y/pre-commit",
    ] {
        let broken = broken(&all, vec![added(path)]);
        assert!(broken.contains(&(path.to_owned(), ViolationRule::Denied)), "{path}: {broken:?}");
    }
    // What the base has is what it was, and goes on to be.
    assert_eq!(rules(&all, vec![modified("docs/claude.md"), deleted("docs/Claude.md")]), []);
    // Where a name is partly left open, another word would be denied.
    assert_eq!(rules(&all, vec![added("src/Contests.cs"), added("src/claude.mdx")]), []);
}

#[test]
fn a_folder_has_one_spelling() {
    let all = scope(&["**"], &[]);
    let told = |changes: Vec<Change>, tree: &[&str]| {
        let tree = TreePaths::new(tree.iter().copied());
        match check(patch(changes), &all, Access::Writes, Some(&tree)) {
            Ok(_) => Vec::new(),
            Err(error) => error.violations.into_iter().map(|v| (v.path, v.rule)).collect(),
        }
    };
    let collides = |path: &str| vec![(path.to_owned(), ViolationRule::CaseCollision)];
    assert_eq!(told(vec![added("src/API/x.py")], &["src/api/y.py"]), collides("src/API/x.py"));
    assert_eq!(told(vec![added("a/X/1"), added("a/x/2")], &[]), collides("a/x/2"));
    // A repository that has both already, and a folder that is renamed.
    assert_eq!(told(vec![added("src/API/x.py")], &["src/API/z.py", "src/api/y.py"]), []);
    assert_eq!(told(vec![deleted("src/api/y.py"), added("src/API/y.py")], &["src/api/y.py"]), []);
    assert_eq!(told(vec![modified("src/API/x.py")], &["src/API/x.py", "src/api/y.py"]), []);
    let both = ["lib/Foo/x", "lib/foo/y"];
    assert_eq!(told(vec![added("lib/Foo/n"), added("lib/foo/m")], &both), []);
    assert_eq!(told(vec![added("lib/foo/m"), added("lib/Foo/n")], &both), []);
}
