use crate::scope::{CompiledScope, Scope};

use super::*;

fn matches(glob: &str, path: &str) -> bool {
    CompiledScope::new(&Scope { allow: vec![glob.to_owned()], deny: [].into() }).unwrap().allows(path)
}

#[test]
fn globs_match_as_documented() {
    for (glob, path) in [
        ("src", "src"),
        ("src", "src/a/b"),
        ("src/", "src/a/b"),
        ("src/**", "src/a/b"),
        ("**", "a"),
        ("**", "a/b"),
        ("**/", "a/b"),
        ("*", "a"),
        ("**/*.tf", "x.tf"),
        ("**/*.tf", "a/b/x.tf"),
        ("a/**/b", "a/b"),
        ("a/**/b", "a/x/y/b"),
        ("a/*/**/b", "a/x/b"),
        ("{a,b/c}", "b/c/d"),
        ("{a,b}/*.py", "b/x.py"),
        ("foo{,.txt}", "foo"),
        ("a\\*b", "a*b"),
        ("[!a]x", "bx"),
        ("[]-]", "]"),
        ("[]-]", "-"),
        ("[a-c-e]", "d"),
        ("[^]-]", "a"),
        ("[!^]", "a"),
        ("[\\]", "\\"),
        ("é*", "éa"),
        ("a,b", "a,b"),
        ("a b", "a b"),
        ("?", "x"),
        ("[^a-z]", "A"),
        ("x[!-/]", "xa"),
        ("**/**", "a"),
        ("src/**/**", "src/a"),
        ("*/**", "a/b"),
        ("a***b", "axb"),
        ("{a,b,}c", "c"),
        ("[ab][!c]", "ad"),
    ] {
        assert!(matches(glob, path), "{glob} {path}");
    }
    for (glob, path) in [
        ("src", "srcs"),
        ("src/", "src"),
        ("src/**", "src"),
        ("src/*", "src/a/b"),
        ("*", "a/b"),
        ("a*b", "a/b"),
        ("a?b", "a/b"),
        ("a[!x]b", "a/b"),
        ("SRC", "src"),
        ("**/*.tf", "x.tfs"),
        ("a/*/**/b", "a/b"),
        ("a\\*b", "axb"),
        ("x/**/**", "x"),
        ("[!a]", "a"),
        ("[^]-]", "]"),
        ("[^]-]", "-"),
        ("a[.-0]b", "a/b"),
    ] {
        assert!(!matches(glob, path), "{glob} {path}");
    }
}

#[test]
fn what_is_not_a_glob_is_refused_with_a_hint() {
    let long = "a".repeat(GLOB_MAX_BYTES + 1);
    let braces = "{a,b}".repeat(8);
    for glob in [
        "",
        " ",
        "/",
        "/src",
        "~/src",
        "C:/src",
        "./src",
        "src/../x",
        "a//b",
        "!x",
        "[a",
        "[",
        "[]",
        "a]b[z-a]",
        "[ä]",
        "{a",
        "a}",
        "x\\",
        "a\nb",
        "[/]",
        long.as_str(),
        braces.as_str(),
        "{a,/b}",
        "{,}",
    ] {
        let error = validate_glob(glob).expect_err(glob);
        assert!(!error.problem.is_empty() && !error.hint.is_empty());
        assert!(!error.to_string().contains('\n'));
    }
    assert!(validate_glob(&"{a,b}".repeat(7)).is_ok());
}

proptest::proptest! {
    #[test]
    fn no_text_is_too_odd_to_be_read_or_refused(glob in "[]a-c{},*?!^/\\\\.\\[ä-]{0,24}") {
        if let Ok(patterns) = parse(&glob) {
            for rendered in patterns.iter().flat_map(Pattern::render) {
                let built = globset::GlobBuilder::new(&rendered).literal_separator(true).backslash_escape(true).build();
                proptest::prop_assert!(built.is_ok(), "{glob} became {rendered}");
            }
        }
    }

    #[test]
    fn plain_globs_match_as_globset_has_them(glob in "[ab]{1,2}(/(\\*\\*|[ab*?]{1,3}|\\[ab\\]|\\[!a\\]b)){1,3}", path in "[ab]{1,2}(/[ab]{1,2}){0,4}") {
        // Not where we differ: `**` beside other text, and classes that would match a `/`.
        proptest::prop_assume!(!glob.split('/').any(|name| name.len() > 2 && name.contains("**")) && !glob.contains("[!"));
        let theirs = globset::GlobBuilder::new(&glob).literal_separator(true).build().unwrap().compile_matcher();
        let wildcard = glob.contains(['*', '?', '[']);
        proptest::prop_assume!(wildcard);
        proptest::prop_assert_eq!(matches(&glob, &path), theirs.is_match(&path));
    }
}
