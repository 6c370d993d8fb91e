//! The keys of agent files: those of Claude Code, of GitHub Copilot and VS Code, and ours, with what becomes of each.

/// What becomes of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is read.
    Honoured,
    /// It says nothing about what a subagent may do. The text is why it is not honoured.
    Harmless(&'static str),
    /// It could forbid something, and nothing here holds to it. The text is what that means.
    Unkept(&'static str),
    /// A note for people, without meaning for any program.
    ForPeople,
}

/// A key that is not written as it should be, and what it was read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Misspelled(pub(super) &'static str);

const KEYS: [(&str, Fate); 46] = [
    ("access", Fate::Honoured),
    ("agents", Fate::Harmless("subagents are called by the plan, not by one another")),
    ("allowed-tools", Fate::Honoured),
    ("argument-hint", Fate::ForPeople),
    ("author", Fate::ForPeople),
    ("background", Fate::Harmless("the coordinator waits for every subagent")),
    ("category", Fate::ForPeople),
    ("color", Fate::ForPeople),
    ("description", Fate::Honoured),
    ("disable-model-invocation", Fate::Honoured),
    ("disallowedTools", Fate::Honoured),
    ("display_name", Fate::ForPeople),
    ("effort", Fate::Honoured),
    ("emoji", Fate::ForPeople),
    ("examples", Fate::ForPeople),
    ("exclude", Fate::Honoured),
    ("handoffs", Fate::Harmless("the plan says who works next")),
    ("hooks", Fate::Unkept("they do not run, so what they would forbid is not forbidden")),
    ("icon", Fate::ForPeople),
    ("infer", Fate::Honoured),
    ("initialPrompt", Fate::Harmless("it is for sessions with a person")),
    ("isolation", Fate::Honoured),
    ("license", Fate::ForPeople),
    ("maxTurns", Fate::Honoured),
    ("mcp-servers", Fate::Honoured),
    ("mcpServers", Fate::Honoured),
    ("memory", Fate::Harmless("every attempt starts from its brief alone")),
    ("metadata", Fate::ForPeople),
    ("mode", Fate::Harmless("it belongs to another program")),
    ("model", Fate::Honoured),
    ("name", Fate::Honoured),
    ("permissionMode", Fate::Honoured),
    ("priority", Fate::ForPeople),
    ("prompt", Fate::Harmless("the prompt is the text below the front matter")),
    ("role", Fate::Honoured),
    ("scope", Fate::Honoured),
    ("skills", Fate::Honoured),
    ("tags", Fate::ForPeople),
    ("target", Fate::Harmless("it chooses among editors")),
    ("temperature", Fate::Harmless("no agent program takes it")),
    ("title", Fate::ForPeople),
    ("tools", Fate::Honoured),
    ("type", Fate::ForPeople),
    ("user-invocable", Fate::Harmless("a plan calls subagents, not a person")),
    ("user-invokable", Fate::Harmless("a plan calls subagents, not a person")),
    ("version", Fate::ForPeople),
];

/// The keys that limit a subagent: one that is misspelled is read as what it was meant to be.
const LIMITING: [&str; 7] = ["access", "disallowedTools", "exclude", "maxTurns", "permissionMode", "scope", "tools"];

/// Returns what becomes of a key; `None` for one that no agent program knows.
pub(super) fn fate(key: &str) -> Option<Fate> {
    KEYS.iter().find(|(known, _)| *known == key).map(|(_, fate)| *fate)
}

/// Tells whether any agent program, or we, know a key.
pub(super) fn is_known(key: &str) -> bool {
    fate(key).is_some()
}

/// Finds the key that was meant: written in another case or with other separators, or, for a key that limits, with one
/// slip of the keyboard.
pub(super) fn meant(key: &str) -> Option<Misspelled> {
    if is_known(key) {
        return None;
    }
    let plain = squash(key);
    if plain == "allowedtools" {
        return Some(Misspelled("allowed-tools"));
    }
    let spelled = KEYS.iter().find(|(known, fate)| *fate == Fate::Honoured && squash(known) == plain);
    spelled
        .map(|(known, _)| *known)
        .or_else(|| {
            let near = |known: &&&str| {
                let known = squash(known);
                strsim::osa_distance(&plain, &known) == 1
                    || plain == format!("{known}s")
                    || format!("{plain}s") == known
            };
            LIMITING.iter().find(near).copied().or_else(|| (plain == "roles").then_some("role"))
        })
        .map(Misspelled)
}

/// Tells whether a key is one that limits, written so that it cannot be an ordinary word of a text.
pub(super) fn is_limit_in_another_spelling(key: &str) -> bool {
    let of_two_words =
        |meant: &str| matches!(meant, "disallowedTools" | "maxTurns" | "permissionMode" | "allowed-tools");
    meant(key).is_some_and(|Misspelled(meant)| of_two_words(meant))
}

fn squash(key: &str) -> String {
    key.chars().filter(|c| !matches!(c, '-' | '_' | '.')).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_sorted_and_stand_once() {
        assert!(KEYS.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert!(LIMITING.iter().all(|key| fate(key) == Some(Fate::Honoured)));
    }

    #[test]
    fn every_key_of_the_two_programs_is_known() {
        for key in [
            "name",
            "description",
            "tools",
            "disallowedTools",
            "model",
            "permissionMode",
            "maxTurns",
            "skills",
            "mcpServers",
            "hooks",
            "memory",
            "background",
            "isolation",
            "color",
            "effort",
            "initialPrompt",
            "target",
            "mcp-servers",
            "disable-model-invocation",
            "user-invocable",
            "infer",
            "metadata",
            "argument-hint",
            "handoffs",
        ] {
            assert!(is_known(key), "{key}");
        }
    }

    #[test]
    fn a_limit_in_another_spelling_is_still_a_limit() {
        for (key, read_as) in [
            ("disallowed-tools", "disallowedTools"),
            ("disallowed_tools", "disallowedTools"),
            ("DisallowedTools", "disallowedTools"),
            ("dissallowedTools", "disallowedTools"),
            ("max_turns", "maxTurns"),
            ("permission-mode", "permissionMode"),
            ("Tools", "tools"),
            ("tool", "tools"),
            ("tols", "tools"),
            ("acces", "access"),
            ("scopes", "scope"),
            ("allowedTools", "allowed-tools"),
        ] {
            assert_eq!(meant(key), Some(Misspelled(read_as)), "{key}");
        }
        for key in ["tools", "color", "tier", "mode", "rule", "capabilities", "level", "microscope"] {
            assert_eq!(meant(key), None, "{key}");
        }
    }
}
