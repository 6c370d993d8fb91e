//! Which role a subagent plays when nobody says so.

use super::Role;

/// Guesses a role from a subagent's name. Of several hints the last counts, since names end in what their bearer is:
/// a `schema-validator` validates, a `test-reviewer` reviews.
pub(super) fn guess(name: &str) -> Option<Role> {
    words(name).iter().rev().find_map(|word| role_of(word))
}

fn role_of(word: &str) -> Option<Role> {
    let begins = |starts: &[&str]| starts.iter().any(|start| word.starts_with(start));
    Some(match word {
        "infra" | "infrastructure" | "cloud" | "terraform" | "iac" | "cloudformation" | "pulumi" => {
            Role::Infrastructure
        }
        "types" | "datatype" | "datatypes" | "schema" | "schemas" | "tabularium" => Role::DataTypes,
        "cli" | "clis" => Role::Cli,
        "e2e" => Role::Validation,
        "test" | "tests" | "tester" | "testing" | "unittest" | "unittests" => Role::Tests,
        _ if begins(&["review"]) => Role::Review,
        _ if begins(&["validat"]) => Role::Validation,
        _ if begins(&["deploy"]) || word == "release" => Role::Deployment,
        _ => return None,
    })
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
    words
}

#[cfg(test)]
mod tests {
    use super::*;

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
            assert_eq!(guess(name), role, "{name}");
        }
    }

    #[test]
    fn of_two_words_the_last_counts() {
        assert_eq!(guess("schema-validator"), Some(Role::Validation));
        assert_eq!(guess("test-reviewer"), Some(Role::Review));
        assert_eq!(guess("deployment-tester"), Some(Role::Tests));
        assert_eq!(guess("validation-schema"), Some(Role::DataTypes));
    }

    #[test]
    fn the_built_in_names_tell_their_roles() {
        for role in Role::ALL.into_iter().filter(|&role| role != Role::Feature) {
            assert_eq!(guess(role.builtin_name()), Some(role));
        }
    }
}
