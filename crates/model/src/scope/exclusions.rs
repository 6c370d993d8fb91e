//! Which exclusions of scopes a reader has to know.

use std::collections::HashMap;

use super::{CompiledScope, Overlaps, Scope};

/// Returns for each scope the exclusions that could take something from what it allows.
///
/// Where only a single file is allowed, it is taken for one: that there could be a folder of its name with something excluded
/// in it tells nobody anything. All scopes share one limit of work, as in [`Overlaps`]; beyond it every exclusion is given.
#[must_use]
pub fn exclusions_that_matter<'a>(scopes: &[&'a Scope]) -> Vec<Vec<&'a String>> {
    let alone = |allow: Vec<String>| Scope { allow, deny: [].into() };
    let mut denied: HashMap<&str, usize> = HashMap::new();
    let mut read: Vec<Scope> = Vec::new();
    for glob in scopes.iter().flat_map(|scope| &*scope.deny) {
        denied.entry(glob).or_insert_with(|| {
            read.push(alone(vec![glob.clone()]));
            read.len() - 1
        });
    }
    let compiled: Vec<_> = read.iter().map(|scope| CompiledScope::new(scope).ok()).collect();
    let parts = scopes.iter().map(|scope| scope.allow.iter().cloned().partition::<Vec<_>, _>(|glob| is_file(glob)));
    let parts: Vec<_> = parts.map(|(files, further)| (files, alone(further))).collect();
    let mut overlaps = Overlaps::new(read.iter().chain(parts.iter().map(|(_, further)| further)));
    let each = scopes.iter().zip(&parts).enumerate().map(|(number, (scope, (files, _)))| {
        let mut matters = |glob: &str| {
            let at = denied[glob];
            let takes_a_file = compiled[at].as_ref().is_none_or(|glob| files.iter().any(|file| glob.allows(file)));
            takes_a_file || overlaps.between(read.len() + number, at).is_some()
        };
        scope.deny.iter().filter(|glob| matters(glob)).collect()
    });
    each.collect()
}

/// Tells whether a glob can only be meant for one file: it has no wildcard, and its name ends as names of files do. `conf.d`
/// is the name of a folder.
fn is_file(glob: &str) -> bool {
    let name = glob.rsplit('/').next().unwrap_or(glob);
    let ending = name.trim_start_matches('.').rsplit_once('.').map(|(_, ending)| ending);
    !glob.contains(['*', '?', '[', '{', '\\'])
        && ending.is_some_and(|ending| ending.starts_with(|c: char| c.is_ascii_alphabetic()) && ending != "d")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_could_take_something_away_is_worth_a_line() {
        let owned = |globs: &[&str]| globs.iter().map(|glob| (*glob).to_owned()).collect::<Vec<_>>();
        let scope = |allow: &[&str], deny: &[&str]| Scope { allow: owned(allow), deny: owned(deny).into() };
        let cases = [
            (scope(&["src/**"], &["infra/**", "**/types/**", "src/cli/**"]), vec!["**/types/**", "src/cli/**"]),
            (scope(&["src/types.py"], &["**/*.tf", "infra/**", "**/types.*", "src/**"]), vec!["**/types.*", "src/**"]),
            (scope(&["src/types.py", "docs"], &["docs/api.md", "**/*.py"]), vec!["docs/api.md", "**/*.py"]),
            (scope(&["conf.d"], &["conf.d/x", "a"]), vec!["conf.d/x"]),
            (scope(&["src/a.rs"], &[]), vec![]),
            (scope(&[], &["**"]), vec![]),
        ];
        let scopes: Vec<_> = cases.iter().map(|(scope, _)| scope).collect();
        for (found, (scope, expected)) in exclusions_that_matter(&scopes).into_iter().zip(&cases) {
            assert_eq!(found, *expected, "{:?}", scope.allow);
        }
    }
}
