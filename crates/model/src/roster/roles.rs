//! Which role a subagent plays when nobody says so: what its tools, its name and its description tell together.

use super::Role;

/// What is known about a subagent without a role.
#[derive(Debug, Clone, Copy)]
pub(super) struct Evidence<'a> {
    pub(super) name: &'a str,
    pub(super) description: &'a str,
    /// Whether any of its tools changes files.
    pub(super) writes: bool,
}

/// How far a description is read, in words. Its first sentences say what a subagent is; what follows is mostly examples.
const DESCRIPTION_WORDS: usize = 60;

/// How far it is read when the name tells nothing: by then it has said what the subagent is, or only what it is like.
const DESCRIPTION_WORDS_ALONE: usize = 12;

/// Words of names whose bearers make something: that their description speaks of tests or reviews tells nothing.
const MAKERS: [&str; 9] =
    ["developer", "dev", "engineer", "programmer", "coder", "implementer", "builder", "designer", "manager"];

/// What a word in the name counts against the same word in the description.
const NAME_WEIGHT: u32 = 3;

/// What a word counts for being the last telling one of a name: names end in what their bearer is.
const LAST_OF_NAME: u32 = 3;

/// The most that the description counts for one role.
const DESCRIPTION_MAX: u32 = 8;

/// Words that tell a role, by how they begin, and how clearly they tell it. A word with a `.` behind it is meant whole.
const TELLING: [(&str, Role, u32); 62] = [
    ("infra", Role::Infrastructure, 2),
    ("cloud", Role::Infrastructure, 2),
    ("terraform", Role::Infrastructure, 2),
    ("iac.", Role::Infrastructure, 2),
    ("pulumi", Role::Infrastructure, 2),
    ("bicep", Role::Infrastructure, 2),
    ("aws.", Role::Infrastructure, 1),
    ("azure.", Role::Infrastructure, 1),
    ("gcp.", Role::Infrastructure, 1),
    ("types.", Role::DataTypes, 2),
    ("datatype", Role::DataTypes, 2),
    ("schema.", Role::DataTypes, 2),
    ("schemas.", Role::DataTypes, 2),
    ("tabularium", Role::DataTypes, 2),
    ("cli.", Role::Cli, 2),
    ("clis.", Role::Cli, 2),
    ("command-line", Role::Cli, 2),
    ("test.", Role::Tests, 2),
    ("tests.", Role::Tests, 2),
    ("testing.", Role::Tests, 2),
    ("tdd.", Role::Tests, 2),
    ("coverage", Role::Tests, 2),
    ("unittest", Role::Tests, 2),
    // Who tests may write tests, try out or attack: the words around tell.
    ("tester", Role::Tests, 1),
    ("qa.", Role::Tests, 1),
    ("review", Role::Review, 2),
    ("audit", Role::Review, 3),
    ("critic.", Role::Review, 2),
    ("critique", Role::Review, 2),
    ("penetration", Role::Review, 4),
    ("pentest", Role::Review, 4),
    ("vulnerabilit", Role::Review, 3),
    ("security", Role::Review, 2),
    ("compliance", Role::Review, 2),
    ("ethical", Role::Review, 3),
    ("exploit", Role::Review, 2),
    ("threat", Role::Review, 2),
    ("lint", Role::Review, 1),
    ("inspect", Role::Review, 1),
    ("analy", Role::Review, 1),
    ("validat", Role::Validation, 2),
    ("verif", Role::Validation, 2),
    ("e2e.", Role::Validation, 3),
    ("end-to-end", Role::Validation, 3),
    ("playwright", Role::Validation, 2),
    ("cypress", Role::Validation, 2),
    ("browser", Role::Validation, 1),
    ("smoke", Role::Validation, 2),
    ("accessibility", Role::Validation, 2),
    ("acceptance", Role::Validation, 2),
    ("chaos", Role::Validation, 2),
    ("deploy", Role::Deployment, 2),
    ("release", Role::Deployment, 2),
    ("devops", Role::Deployment, 3),
    ("kubernetes", Role::Deployment, 2),
    ("k8s", Role::Deployment, 2),
    ("helm.", Role::Deployment, 2),
    ("docker", Role::Deployment, 2),
    ("rollout", Role::Deployment, 2),
    ("sre.", Role::Deployment, 1),
    ("ci/cd", Role::Deployment, 2),
    ("pipeline.", Role::Deployment, 1),
];

/// Tells the role; `None` when nothing does.
///
/// Who has no tool that changes files can only review or validate, whatever its name.
pub(super) fn tell(evidence: Evidence<'_>) -> Option<Role> {
    let scores = scores(evidence);
    let of = |role: Role| scores.iter().find(|(scored, _)| *scored == role).map_or(0, |(_, score)| *score);
    if !evidence.writes {
        return Some(if of(Role::Validation) > of(Role::Review) { Role::Validation } else { Role::Review });
    }
    let mut best = None;
    for (role, score) in scores {
        if score > best.map_or(0, |(_, best)| best) {
            best = Some((role, score));
        }
    }
    let (role, score) = best?;
    let name = words(evidence.name);
    let makes = name.iter().any(|word| MAKERS.contains(&word.as_str()));
    // One word in passing does not make a feature's author a tester.
    (is_told_by(&name) || (score > 2 && !makes)).then_some(role)
}

fn is_told_by(name: &[String]) -> bool {
    name.iter().any(|word| telling(word).is_some())
}

fn scores(evidence: Evidence<'_>) -> Vec<(Role, u32)> {
    let mut scores: Vec<_> = Role::ALL.into_iter().map(|role| (role, 0)).collect();
    let mut add = |role: Role, score: u32| {
        if let Some((_, sum)) = scores.iter_mut().find(|(scored, _)| *scored == role) {
            *sum += score;
        }
    };
    let name = words(evidence.name);
    let last = name.iter().rposition(|word| telling(word).is_some());
    for (index, word) in name.iter().enumerate() {
        if let Some((role, weight)) = telling(word) {
            add(role, weight * NAME_WEIGHT + if last == Some(index) { LAST_OF_NAME } else { 0 });
        }
    }
    let beginning = evidence.description.split("<example>").next().unwrap_or_default();
    let reach = if is_told_by(&name) { DESCRIPTION_WORDS } else { DESCRIPTION_WORDS_ALONE };
    let described: Vec<_> = described_words(beginning, reach);
    for role in Role::ALL {
        let mut heard: Vec<&str> = Vec::new();
        let mut sum = 0;
        for (start, weight) in
            described.iter().filter_map(|word| entry(word)).filter(|e| e.1 == role).map(|e| (e.0, e.2))
        {
            if !heard.contains(&start) {
                heard.push(start);
                sum += weight;
            }
        }
        add(role, sum.min(DESCRIPTION_MAX));
    }
    scores
}

fn telling(word: &str) -> Option<(Role, u32)> {
    entry(word).map(|(_, role, weight)| (role, weight))
}

fn entry(word: &str) -> Option<(&'static str, Role, u32)> {
    TELLING.into_iter().find(|(start, _, _)| match start.strip_suffix('.') {
        Some(whole) => word == whole,
        None => word.starts_with(start),
    })
}

fn described_words(text: &str, most: usize) -> Vec<String> {
    text.split(|c: char| !(c.is_alphanumeric() || matches!(c, '-' | '/')))
        .filter(|word| !word.is_empty())
        .take(most)
        .flat_map(|word| {
            let whole = word.to_lowercase();
            let parts: Vec<_> = whole.split(['-', '/']).map(str::to_owned).collect();
            if parts.len() > 1 && entry(&whole).is_none() { parts } else { vec![whole] }
        })
        .collect()
}

/// Splits a name into its words, in lower case: at everything that is no letter or digit, and before a capital that
/// follows a small letter.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut after_small = false;
    for c in name.chars() {
        if !c.is_alphanumeric() || (c.is_uppercase() && after_small) {
            words.push(String::new());
        }
        after_small = c.is_lowercase() || c.is_numeric();
        if c.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(c.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    // `DataTypes` and `data-types` are one word.
    let joined: Vec<_> = words.windows(2).map(<[String]>::concat).collect();
    if joined.iter().any(|word| word == "datatypes" || word == "datatype") {
        words.push("datatypes".to_owned());
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by_name(name: &str) -> Option<Role> {
        tell(Evidence { name, description: "", writes: true })
    }

    #[test]
    fn clear_words_in_a_name_tell_the_role() {
        for (name, role) in [
            ("aws-infra-engineer", Some(Role::Infrastructure)),
            ("Terraform Expert", Some(Role::Infrastructure)),
            ("api_schema_designer", Some(Role::DataTypes)),
            ("DataTypes", Some(Role::DataTypes)),
            ("cli-builder", Some(Role::Cli)),
            ("unit-test-writer", Some(Role::Tests)),
            ("security-reviewer", Some(Role::Review)),
            ("security-auditor", Some(Role::Review)),
            ("CodeReviewer", Some(Role::Review)),
            ("e2e-runner", Some(Role::Validation)),
            ("release-manager", Some(Role::Deployment)),
            ("k8s-deployer", Some(Role::Deployment)),
            ("python-pro", None),
            ("typescript-pro", None),
            ("click-handler", None),
            ("protester", None),
            ("", None),
            ("…", None),
        ] {
            assert_eq!(by_name(name), role, "{name}");
        }
    }

    #[test]
    fn of_two_words_the_last_counts() {
        assert_eq!(by_name("schema-validator"), Some(Role::Validation));
        assert_eq!(by_name("test-reviewer"), Some(Role::Review));
        assert_eq!(by_name("validation-schema"), Some(Role::DataTypes));
    }

    #[test]
    fn the_built_in_names_tell_their_roles() {
        for role in Role::ALL.into_iter().filter(|&role| role != Role::Feature) {
            assert_eq!(by_name(role.builtin_name()), Some(role));
        }
    }

    #[test]
    fn name_and_description_tell_together() {
        for (name, description, role) in [
            (
                "penetration-tester",
                "Expert penetration tester specializing in ethical hacking and vulnerability assessment.",
                Some(Role::Review),
            ),
            ("penetration-tester", "", Some(Role::Review)),
            ("api-tester", "Tests APIs.", Some(Role::Tests)),
            ("accessibility-tester", "Checks pages with a browser against WCAG.", Some(Role::Validation)),
            ("helper", "Writes unit tests and raises the coverage.", Some(Role::Tests)),
            ("watcher", "Reviews code for security.", Some(Role::Review)),
            ("python-pro", "Writes idiomatic Python with tests.", None),
            ("db-developer", "Writes migrations test-first with TDD, coverage and unit tests.", None),
            (
                "performance-optimizer",
                "Finds bottlenecks and makes code quick, in one process or across distributed systems and cloud infrastructure.",
                None,
            ),
            ("backend-developer", "Implements endpoints, then asks for a review.", None),
        ] {
            assert_eq!(tell(Evidence { name, description, writes: true }), role, "{name}: {description}");
        }
    }

    #[test]
    fn who_cannot_write_reviews_or_validates() {
        for (name, description, role) in [
            ("python-pro", "Writes Python.", Role::Review),
            ("unit-test-writer", "Writes tests.", Role::Review),
            ("backend-validator", "Validates the API.", Role::Validation),
            ("e2e-runner", "", Role::Validation),
        ] {
            assert_eq!(tell(Evidence { name, description, writes: false }), Some(role), "{name}");
        }
    }
}
