//! Which exclusions of a scope a reader has to know.

use super::{CompiledScope, Overlaps, Scope};

/// Returns the exclusions that could take something from what the scope allows.
///
/// Where only a single file is allowed, it is taken for one: that there could be a folder of its name with something excluded
/// in it tells nobody anything.
#[must_use]
pub fn exclusions_that_matter(scope: &Scope) -> Vec<&String> {
    let (files, further): (Vec<_>, Vec<_>) = scope.allow.iter().cloned().partition(|glob| is_file(glob));
    let alone = |allow: Vec<String>| Scope { allow, deny: [].into() };
    let further = alone(further);
    let excluded: Vec<_> = scope.deny.iter().map(|glob| alone(vec![glob.clone()])).collect();
    let mut overlaps = Overlaps::new(std::iter::once(&further).chain(&excluded));
    let takes_a_file = |glob: &String| {
        let all_but = CompiledScope::new(&Scope { allow: files.clone(), deny: [glob.clone()].into() });
        all_but.is_ok_and(|scope| files.iter().any(|file| !scope.allows(file)))
    };
    let exclusions = (1..).zip(&*scope.deny);
    exclusions
        .filter(|(at, glob)| overlaps.between(0, *at).is_some() || (!files.is_empty() && takes_a_file(glob)))
        .map(|(_, glob)| glob)
        .collect()
}

/// Tells whether a glob can only be meant for one file: it has no wildcard, and its name has an ending.
fn is_file(glob: &str) -> bool {
    let name = glob.rsplit('/').next().unwrap_or(glob);
    !glob.contains(['*', '?', '[', '{', '\\']) && name.trim_start_matches('.').contains('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_could_take_something_away_is_worth_a_line() {
        let matter = |allow: &[&str], deny: &[&str]| {
            let owned = |globs: &[&str]| globs.iter().map(|glob| (*glob).to_owned()).collect::<Vec<_>>();
            let scope = Scope { allow: owned(allow), deny: owned(deny).into() };
            exclusions_that_matter(&scope).into_iter().cloned().collect::<Vec<_>>()
        };
        assert_eq!(matter(&["src/**"], &["infra/**", "**/types/**", "src/cli/**"]), ["**/types/**", "src/cli/**"]);
        assert_eq!(
            matter(&["src/types.py"], &["**/*.tf", "infra/**", "**/types.*", "src/**"]),
            ["**/types.*", "src/**"]
        );
        assert_eq!(matter(&["src/types.py", "docs"], &["docs/api.md", "**/*.py"]), ["docs/api.md", "**/*.py"]);
        assert!(matter(&["src/a.rs"], &[]).is_empty() && matter(&[], &["**"]).is_empty());
    }
}
