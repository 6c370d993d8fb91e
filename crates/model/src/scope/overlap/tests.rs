use proptest::prelude::*;

use super::*;
use crate::scope::CompiledScope;

fn scope(allow: &[&str], deny: &[&str]) -> Scope {
    let owned = |globs: &[&str]| globs.iter().map(|glob| (*glob).to_owned()).collect();
    Scope { allow: owned(allow), deny: owned(deny).into() }
}

#[track_caller]
fn meet(a: &str, b: &str, expected: bool) {
    let (a, b) = (scope(&[a], &[]), scope(&[b], &[]));
    assert_eq!(overlap(&a, &b).is_some(), expected, "{a:?} {b:?}");
    assert_eq!(overlap(&b, &a).is_some(), expected, "{b:?} {a:?}");
}

#[test]
fn usual_scopes_are_told_apart() {
    meet("src/api/**", "src/cli/**", false);
    meet("tests/**", "src/**", false);
    meet("**/*.tf", "**/*.py", false);
    meet("**/test_*.py", "**/*.tf", false);
    meet("src/api", "src/apis", false);
    meet("src/{api,web}/**", "src/{cli,cmd}/**", false);
    meet("migrations/[0-4]*.sql", "migrations/[5-9]*.sql", false);
    meet("*", "src/**", false);
    meet("src/", "src", true);
    meet("src/*", "src/a/b", false);
    meet("a?c", "abb", false);
}

#[test]
fn scopes_that_meet_are_found() {
    meet("src/api", "src/api/users.py", true);
    meet("**", "src/x", true);
    meet("**/types/**", "infra/**", true);
    meet("**/*.tf", "infra/**", true);
    meet("src/*.py", "src/test_*", true);
    meet("*a*", "b*b", true);
    meet("[!a]*", "[bc]d", true);
    meet("src/{api,cli}/**", "src/cli/x", true);
    meet("a/**/z", "**/m/**", true);
    meet("??", "ä", true);
}

#[test]
fn a_scope_that_cannot_be_read_may_meet_any_other() {
    assert_eq!(
        overlap(&scope(&["src/[a"], &[]), &scope(&["docs/**"], &[])).unwrap(),
        "`src/[a` cannot be read as a glob"
    );
    // Nothing to meet in a scope that allows nothing.
    assert_eq!(overlap(&scope(&["src/[a"], &[]), &scope(&[], &[])), None);
    // An exclusion that cannot be read excludes nothing.
    assert!(overlap(&scope(&["src/**"], &["src/**", "[x"]), &scope(&["src/**"], &[])).is_none());
    assert!(overlap(&scope(&["src/**"], &["[x"]), &scope(&["src/**"], &[])).is_some());
}

#[test]
fn exclusions_keep_scopes_apart() {
    let feature = scope(&["**"], &["src/cli/**", "**/*.tf", ".github"]);
    assert_eq!(overlap(&feature, &scope(&["src/cli/**"], &[])), None);
    assert_eq!(overlap(&feature, &scope(&["src/cli/commands/*.py"], &[])), None);
    assert_eq!(overlap(&scope(&["infra/**/*.tf", "**/*.tf"], &[]), &feature), None);
    assert_eq!(overlap(&feature, &scope(&[".github/workflows/"], &[])), None);
    assert!(overlap(&feature, &scope(&["src/cli"], &[])).is_some(), "the file `src/cli` itself is not excluded");
    let types = scope(&["**/types/**"], &["infra/**"]);
    assert_eq!(overlap(&types, &scope(&["infra/**"], &[])), None);
}

#[test]
fn the_reason_names_the_narrower_glob() {
    let reason = |a, b| overlap(&scope(&[a], &[]), &scope(&[b], &[])).unwrap();
    assert_eq!(reason("src/api/**", "src/api/**"), "both may touch `src/api/**`");
    assert_eq!(reason("**", "src/api/**"), "both may touch `src/api/**`");
    assert_eq!(reason("src/api/users.py", "src/api"), "both may touch `src/api/users.py`");
    assert_eq!(reason("infra/**", "**/*.py"), "`infra/**` and `**/*.py` match common paths");
}

#[test]
fn scopes_that_take_too_long_to_compare_may_meet() {
    let scopes: Vec<Scope> = ["x", "y", "z"].map(|end| scope(&[&format!("**/a*/**/b*/**/c*/**/{end}")], &[])).to_vec();
    let mut overlaps = Overlaps::new(&scopes);
    assert_eq!(overlaps.between(0, 1), None);
    overlaps.steps_max = overlaps.steps + 10;
    assert_eq!(overlaps.between(0, 2).unwrap(), "there are too many different globs to compare");
    assert_eq!(overlaps.between(1, 0), None, "what is known stays known");
}

const NAMES: [&str; 5] = ["a", "b", "c", "ab", "ba"];

/// All paths of up to `depth` of the names.
fn paths(depth: usize) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let mut level: Vec<String> = NAMES.iter().map(|name| (*name).to_owned()).collect();
    for _ in 0..depth {
        all.extend_from_slice(&level);
        level = level.iter().flat_map(|path| NAMES.iter().map(move |name| format!("{path}/{name}"))).collect();
    }
    all
}

fn glob(max: usize) -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec![
        "a", "b", "ab", "*", "**", "**", "?", "[ab]", "[!a]", "{a,b}", "{a,ba/b}", "{,a}b", "a*", "*b", "?b", "[^b]*",
        "{**/a,b}", "*?", "***",
    ]);
    (prop::collection::vec(name, 1..=max), any::<bool>())
        .prop_map(|(names, below)| format!("{}{}", names.join("/"), if below { "/" } else { "" }))
        .prop_filter("a glob", |glob| glob::parse(glob).is_ok())
}

fn any_scope() -> impl Strategy<Value = Scope> {
    (prop::collection::vec(glob(3), 1..3), prop::collection::vec(glob(3), 0..3))
        .prop_map(|(allow, deny)| Scope { allow, deny: deny.into() })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn a_path_in_both_scopes_is_never_missed(a in any_scope(), b in any_scope()) {
        let said = overlap(&a, &b);
        prop_assert_eq!(&said, &overlap(&a, &b));
        prop_assert_eq!(said.is_some(), overlap(&b, &a).is_some());
        if said.is_none() {
            let (x, y) = (CompiledScope::new(&a).unwrap(), CompiledScope::new(&b).unwrap());
            for path in paths(4) {
                prop_assert!(!(x.allows(&path) && y.allows(&path)), "{} is in {:?} and {:?}", path, a, b);
            }
        }
    }

    #[test]
    fn without_exclusions_an_overlap_has_a_witness(a in glob(2), b in glob(2)) {
        let (a, b) = (scope(&[&a], &[]), scope(&[&b], &[]));
        if overlap(&a, &b).is_some() {
            let (x, y) = (CompiledScope::new(&a).unwrap(), CompiledScope::new(&b).unwrap());
            prop_assert!(paths(5).iter().any(|path| x.allows(path) && y.allows(path)), "{a:?} {b:?}");
        }
    }

    #[test]
    fn many_scopes_at_once_are_compared_as_two_are(scopes in prop::collection::vec(any_scope(), 2..6)) {
        let mut overlaps = Overlaps::new(&scopes);
        for (i, a) in scopes.iter().enumerate() {
            for (j, b) in scopes.iter().enumerate() {
                prop_assert_eq!(overlaps.between(i, j).is_some(), overlap(a, b).is_some());
            }
        }
    }
}
