//! The words for models in agent files: identifiers, aliases, and the names that people see in a menu, such as
//! `Claude Sonnet 4.5 (copilot)`.

/// Who makes a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vendor {
    /// Claude.
    Anthropic,
    /// GPT, Codex and the o series.
    OpenAi,
    /// Gemini.
    Google,
    /// Somebody else, or nobody knows.
    Unknown,
}

/// A model as its vendor's interface calls it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelName {
    /// Who makes it.
    pub vendor: Vendor,
    /// Its identifier.
    pub id: String,
}

impl ModelName {
    /// Reads the words of an agent file. An identifier stays as it is; a name from a menu becomes the identifier that
    /// its vendor gives such a model.
    #[must_use]
    pub fn parse(words: &str) -> Self {
        let words = words.trim();
        let vendor = vendor_of(words);
        if !is_from_menu(words) {
            return Self { vendor, id: words.to_owned() };
        }
        let plain = words.split('(').next().unwrap_or(words).trim().to_lowercase();
        let parts: Vec<_> = plain.split([' ', '-', '_']).filter(|part| !part.is_empty()).collect();
        let id = match vendor {
            Vendor::Anthropic => anthropic_id(&parts),
            _ => parts.join("-"),
        };
        Self { vendor, id }
    }
}

/// Tells whether a word leaves the choice of a model to the program.
pub(super) fn is_no_choice(words: &str) -> bool {
    let plain = words.split('(').next().unwrap_or(words).trim();
    ["inherit", "auto", "default", ""].iter().any(|word| plain.eq_ignore_ascii_case(word))
}

/// Names from a menu have spaces, brackets, or the capitals of `GPT` and `Gemini`; identifiers of models, deployments
/// and gateways have none of the first two and may be anything else.
fn is_from_menu(words: &str) -> bool {
    let capital = ["GPT-", "Gemini-", "Claude-"].iter().any(|start| words.starts_with(start));
    words.contains([' ', '('])
        || (capital && !words.contains(['/', ':']))
        || matches!(words, "Opus" | "Sonnet" | "Haiku")
}

fn vendor_of(words: &str) -> Vendor {
    let words = words.to_lowercase();
    let parts: Vec<_> = words.split(|c: char| !c.is_ascii_alphanumeric()).collect();
    let has = |names: &[&str]| parts.iter().any(|part| names.contains(part));
    if has(&["claude", "anthropic", "opus", "sonnet", "haiku", "fable", "opusplan"]) {
        Vendor::Anthropic
    } else if has(&["gpt", "openai", "codex", "chatgpt", "o1", "o3", "o4", "gpt4", "gpt5", "4o"]) {
        Vendor::OpenAi
    } else if has(&["gemini", "google"]) {
        Vendor::Google
    } else {
        Vendor::Unknown
    }
}

/// Makes `claude-sonnet-4-5` of "Claude Sonnet 4.5", and the alias `sonnet` where no version is said.
fn anthropic_id(parts: &[&str]) -> String {
    let family = parts.iter().find(|part| matches!(**part, "opus" | "sonnet" | "haiku" | "fable"));
    let version = parts.iter().find(|part| part.starts_with(|c: char| c.is_ascii_digit()));
    let Some(family) = family else { return parts.join("-").replace('.', "-") };
    match version.map(|version| version.split_once('.').unwrap_or((version, "0"))) {
        None => (*family).to_owned(),
        Some(("3", minor)) => {
            let minor = if minor == "0" { String::new() } else { format!("{minor}-") };
            format!("claude-3-{minor}{family}-latest")
        }
        Some((major, minor)) => format!("claude-{family}-{major}-{minor}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_from_a_menu_become_identifiers() {
        for (words, vendor, id) in [
            ("Claude Sonnet 4.5 (copilot)", Vendor::Anthropic, "claude-sonnet-4-5"),
            ("Claude Opus 4.6", Vendor::Anthropic, "claude-opus-4-6"),
            ("claude sonnet 4", Vendor::Anthropic, "claude-sonnet-4-0"),
            ("Claude Sonnet 3.7 (Preview) (copilot)", Vendor::Anthropic, "claude-3-7-sonnet-latest"),
            ("Claude Haiku", Vendor::Anthropic, "haiku"),
            ("Sonnet", Vendor::Anthropic, "sonnet"),
            ("GPT-4.1", Vendor::OpenAi, "gpt-4.1"),
            ("GPT-5 (copilot)", Vendor::OpenAi, "gpt-5"),
            ("GPT-5.3-Codex (copilot)", Vendor::OpenAi, "gpt-5.3-codex"),
            ("GPT-5 mini", Vendor::OpenAi, "gpt-5-mini"),
            ("Gemini 2.5 Pro (copilot)", Vendor::Google, "gemini-2.5-pro"),
            ("Grok Code Fast 1", Vendor::Unknown, "grok-code-fast-1"),
        ] {
            assert_eq!(ModelName::parse(words), ModelName { vendor, id: id.to_owned() }, "{words}");
        }
    }

    #[test]
    fn identifiers_stay_as_they_are() {
        for (id, vendor) in [
            ("opus", Vendor::Anthropic),
            ("sonnet[1m]", Vendor::Anthropic),
            ("claude-sonnet-4-5-20250929", Vendor::Anthropic),
            ("us.anthropic.claude-sonnet-4-20250514-v1:0", Vendor::Anthropic),
            ("gpt-5.5", Vendor::OpenAi),
            ("o3", Vendor::OpenAi),
            ("gemini-2.5-pro", Vendor::Google),
            ("openrouter/some/Model", Vendor::Unknown),
            ("Our-Gateway-Model", Vendor::Unknown),
        ] {
            assert_eq!(ModelName::parse(id), ModelName { vendor, id: id.to_owned() }, "{id}");
        }
        for words in ["inherit", "Inherit", "Auto (copilot)", "auto", "default"] {
            assert!(is_no_choice(words), "{words}");
        }
        assert!(!is_no_choice("autopilot"));
    }
}
