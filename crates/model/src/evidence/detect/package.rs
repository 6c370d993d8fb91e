//! The scripts and settings of a `package.json` that are about its tests.

use super::{
    super::manifest,
    Author, Sign,
    parsed::{Parsed, Side},
};
use crate::{
    findings::{FindingCode, Weight},
    text,
};

const CODE: FindingCode = FindingCode::TestsTampered;

/// The test script of a package that starts no runner any more, or not all of it.
pub(super) fn script(author: Author, file: &Parsed<'_>, after: &Side<'_>) -> Option<Sign> {
    let read = |text: &str| serde_json::from_str::<serde_json::Value>(text.trim_start_matches('\u{feff}')).ok();
    let (old, new) = (read(file.before.as_ref()?.text)?, read(after.text)?);
    let script =
        |value: &serde_json::Value| value.pointer("/scripts/test").and_then(|test| test.as_str()).map(str::to_owned);
    let sign = |message: String| Some(Sign::new(CODE, author.weight(), file.path, message));
    if let Some(was) = script(&old) {
        let is = script(&new).unwrap_or_default();
        let runner = was.split([' ', '/']).next().unwrap_or(&was);
        let narrowed = [
            "--testNamePattern",
            "-t ",
            "--grep",
            "-g ",
            "--testPathIgnorePatterns",
            "--passWithNoTests",
            "--exclude",
            "|| ",
            "; ",
            "--fgrep",
            "--test-name-pattern",
            "--test-skip-pattern",
            "--test-only",
            "--invert",
            "--ignore",
            "--bail",
            "--shard",
            " -u",
            "--updateSnapshot",
            "--update-snapshots",
            "--update",
        ]
        .iter()
        .any(|word| is.contains(word) && !was.contains(word));
        let loads = |script: &str| {
            let words: Vec<&str> = script.split(|c: char| c.is_whitespace() || "='\"".contains(c)).collect();
            words.windows(2).any(|pair| {
                matches!(pair[0], "--require" | "-r" | "--import" | "--loader" | "--experimental-loader")
                    && pair[1].starts_with(['.', '/'])
            })
        };
        let narrowed = narrowed || loads(&is) && !loads(&was);
        if is != was && (narrowed || !is.contains(runner)) {
            return sign(format!("the script `test` was `{was}` and is `{is}`"));
        }
    }
    for key in ["jest", "mocha", "ava", "vitest", "c8"] {
        let (was, is) = (old.get(key), new.get(key));
        if was != is
            && is.is_some_and(|is| {
                ["IgnorePatterns", "testRunner", "testMatch", "testRegex", "ignore", "grep", "files", "passWithNoTests"]
                    .iter()
                    .any(|word| is.to_string().contains(word))
            })
        {
            return sign(format!("the settings of `{key}` changed which tests are run"));
        }
    }
    let scripts = |value: &serde_json::Value| value.get("scripts").and_then(|scripts| scripts.as_object()).cloned();
    let (old, new) = (scripts(&old).unwrap_or_default(), scripts(&new).unwrap_or_default());
    let beside = new.iter().find(|(name, is)| {
        let was = old.get(*name);
        *name != "test" && was != Some(*is) && manifest::runs_with_tests(name, |name| old.contains_key(name))
    });
    beside.map(|(name, is)| {
        let message = format!(
            "the script `{name}` runs with the tests and is another than before: `{}`",
            text::truncate(&text::terminal(&is.to_string()), 120)
        );
        Sign::new(CODE, Weight::Warning, file.path, message)
    })
}
