//! Which lines of the settings of a build are about its tests: by the block in which they stand, and not by a word alone. The
//! settings of a package, of an archive or of a server know the same words.

use std::collections::HashMap;

use super::super::source::{self, Kind, Token};

/// Returns for each line of a `pom.xml` whether it stands in a plugin that runs tests.
pub(super) fn of_maven(text: &str) -> Vec<bool> {
    let mut lines: Vec<bool> = Vec::new();
    let mut begin: Option<usize> = None;
    let mut runs_tests = false;
    for (at, line) in text.lines().enumerate() {
        source::spend(1 + line.len() / 16);
        if begin.is_none() && line.contains("<plugin>") {
            (begin, runs_tests) = (Some(at), false);
        }
        runs_tests |= begin.is_some()
            && ["surefire", "failsafe"].iter().any(|plugin| line.contains(plugin))
            && line.contains("artifactId");
        lines.push(false);
        if let Some(from) = begin
            && line.contains("</plugin>")
        {
            lines[from..=at].fill(runs_tests);
            begin = None;
        }
    }
    lines
}

/// Returns for each line of a build of Gradle whether it stands in a block about tests, or names them itself.
pub(super) fn of_gradle(text: &str) -> Vec<bool> {
    let about_tests = |head: &str| {
        let mut words = head.split(|c: char| !c.is_alphanumeric() && c != '_');
        words.any(|word| {
            matches!(word, "test" | "Test" | "check" | "useJUnitPlatform" | "useTestNG") || {
                // `integrationTest { … }`, the name of a task of its own.
                word.ends_with("Test") && !word.starts_with(|c: char| c.is_uppercase())
            }
        })
    };
    // For each block that is open whether it, or one around it, is about tests.
    let mut open: Vec<bool> = Vec::new();
    let lines = text.lines().map(|line| {
        source::spend(1 + line.len() / 16);
        let own = open.last().copied().unwrap_or(false);
        let mut head = String::new();
        for c in line.chars() {
            match c {
                '{' => {
                    open.push(open.last().copied().unwrap_or(false) || about_tests(&head));
                    head.clear();
                }
                '}' => {
                    open.pop();
                    head.clear();
                }
                ';' => head.clear(),
                _ => head.push(c),
            }
        }
        own || about_tests(line)
    });
    lines.collect()
}

/// Finds words of settings that stand under the key `test` of a configuration of Vite, and not under one that is about what
/// is counted or watched. Returns each with its line.
pub(super) fn of_vitest(tokens: &[Token<'_>], words: &[&'static str]) -> HashMap<u32, &'static str> {
    // For each bracket that is open whether it is about tests.
    let mut open: Vec<bool> = Vec::new();
    let mut found = HashMap::new();
    for (at, token) in tokens.iter().enumerate() {
        source::spend(1);
        let is_test = open.last().copied().unwrap_or(false);
        if token.opens() {
            let key =
                at.checked_sub(2).filter(|_| matches!(tokens[at - 1].text, ":" | "=")).map(|key| tokens[key].inner());
            open.push(match key {
                Some("test") => true,
                Some("coverage" | "watch" | "benchmark" | "typecheck") => false,
                _ => is_test,
            });
        } else if token.closes() {
            open.pop();
        } else if is_test
            && (token.kind == Kind::Word || tokens.get(at + 1).is_some_and(|next| next.is(":")))
            && let Some(word) = words.iter().find(|word| **word == token.inner())
        {
            found.entry(token.line).or_insert(*word);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::source::{Language, tokens};

    #[test]
    fn settings_are_read_by_their_blocks() {
        let pom = "<plugins>\n<plugin>\n<artifactId>spring-boot-maven-plugin</artifactId>\n<excludes>\n</plugin>\n<plugin>\n<configuration>\n<excludes>\n</configuration>\n<artifactId>maven-surefire-plugin</artifactId>\n</plugin>\n</plugins>";
        let lines: Vec<usize> = of_maven(pom).iter().enumerate().filter(|(_, is)| **is).map(|(at, _)| at).collect();
        assert_eq!(lines, [5, 6, 7, 8, 9, 10]);
        for (text, expected) in [
            ("jar {\n  enabled = false\n}\n", false),
            ("tasks.named<Jar>(\"jar\") {\n  enabled = false\n}\n", false),
            ("dependencies {\n  testImplementation('x') {\n    exclude(group: 'a')\n  }\n}\n", false),
            ("test {\n  exclude 'a'\n}\n", true),
            ("tasks.withType(Test) {\n  filter {\n    exclude 'a'\n  }\n}\n", true),
            ("tasks.named(\"test\") {\n  enabled = false\n}\n", true),
            ("tasks.test.enabled = false\n", true),
            ("integrationTest {\n  enabled = false\n}\n", true),
        ] {
            let at = text.lines().position(|line| line.contains("exclude") || line.contains("enabled")).unwrap();
            assert_eq!(of_gradle(text)[at], expected, "{text}");
        }
        for (text, expected) in [
            ("export default { optimizeDeps: { exclude: ['a'] } };", 0),
            ("export default defineConfig({ test: { exclude: ['a'] } });", 1),
            ("export default defineConfig({ test: { coverage: { exclude: ['a'] } } });", 0),
            ("const test = { exclude: ['a'] };", 1),
        ] {
            let found = of_vitest(&tokens(Language::JavaScript, text), &["exclude"]);
            assert_eq!(found.len(), expected, "{text}");
        }
    }
}
