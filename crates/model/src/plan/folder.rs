//! A plan that is a folder: the tasks, and what stands beside them.
//!
//! It travels as one text, so that everything that binds, freezes or hands on a plan holds for all of it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The most bytes of what stands beside a plan that are kept of one file.
pub(super) const CONTEXT_FILE_MAX_BYTES: usize = 64 * 1024;

/// The most files beside a plan that are kept.
pub(super) const CONTEXT_FILES_MAX: usize = 32;

/// A file beside the plan: a specification, a design, a constitution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ContextFile {
    /// Its path in the repository.
    pub path: String,
    /// Its text, as far as it is kept.
    pub text: String,
}

/// A plan with what stands beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Folder {
    /// The version of this form; its name tells it from any other JSON.
    backend_plan_folder: u32,
    /// The path of the plan.
    pub name: String,
    /// The text of the plan.
    pub text: String,
    /// What stands beside it.
    pub context: Vec<ContextFile>,
}

impl Folder {
    /// Puts a plan and the files beside it together; of long files the beginning is kept.
    #[must_use]
    pub fn new(name: String, text: String, context: Vec<ContextFile>) -> Self {
        let kept = context.into_iter().take(CONTEXT_FILES_MAX).map(|file| ContextFile {
            text: beginning(&file.text, CONTEXT_FILE_MAX_BYTES).to_owned(),
            path: file.path,
        });
        Self { backend_plan_folder: 1, name, text, context: kept.collect() }
    }

    /// Writes it as one text.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("invariant: plain structs of texts can be written")
    }

    /// Reads what [`Self::to_bytes`] wrote; `None` for any other text.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.starts_with(b"{\"backend-plan-folder\":").then(|| serde_json::from_slice(bytes).ok())?
    }
}

/// What of a folder is the plan, and what is there to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// The file with the tasks.
    pub plan: String,
    /// What stands beside it, the most telling first.
    pub context: Vec<String>,
}

/// The names under which the tasks of a folder are looked for, in this order.
const PLANS: [&str; 8] = [
    "tasks.md",
    "tasks/tasks.json",
    "tasks.json",
    "tasks.yml",
    "tasks.yaml",
    "implementation-plan.md",
    "implementation_plan.md",
    "plan.md",
];

/// The names of what is read first beside them.
const FIRST: [&str; 6] = ["spec.md", "requirements.md", "proposal.md", "design.md", "plan.md", "data-model.md"];

/// Finds the plan among the files of a folder, given by their paths in it: by its name, or because it is the only one.
#[must_use]
pub fn choose(names: &[String]) -> Option<Chosen> {
    let is_text = |name: &&String| {
        let lower = name.to_ascii_lowercase();
        let hidden = name.split('/').any(|part| part.starts_with('.'));
        let contract =
            lower.starts_with("contracts/") && [".yml", ".yaml", ".json"].iter().any(|end| lower.ends_with(end));
        !hidden && (lower.ends_with(".md") || contract)
    };
    let named = PLANS.iter().find_map(|plan| names.iter().find(|name| name.eq_ignore_ascii_case(plan)));
    let mut texts: Vec<&String> = names.iter().filter(is_text).collect();
    let plan = match (named, texts.as_slice()) {
        (Some(plan), _) => plan.clone(),
        (None, [only]) => (*only).clone(),
        (None, _) => return None,
    };
    let rank = |name: &str| FIRST.iter().position(|first| name.eq_ignore_ascii_case(first)).unwrap_or(FIRST.len());
    texts.sort_by_key(|name| (rank(name), name.as_str()));
    let context = texts.into_iter().filter(|name| **name != plan).cloned().collect();
    Some(Chosen { plan, context })
}

/// Returns where the rules for all plans of a planner stand, by the path of one plan's folder in the repository.
#[must_use]
pub fn shared_context(folder: &str) -> &'static [&'static str] {
    let folder = folder.trim_start_matches("./");
    if folder.starts_with("specs/") || folder.starts_with(".specify/") {
        &[".specify/memory/constitution.md"]
    } else if folder.starts_with("openspec/") {
        &["openspec/project.md"]
    } else if folder.starts_with(".kiro/") {
        &[".kiro/steering/product.md", ".kiro/steering/tech.md", ".kiro/steering/structure.md"]
    } else {
        &[]
    }
}

/// Returns at most `max` bytes of a text, in whole characters.
fn beginning(text: &str, max: usize) -> &str {
    let mut end = text.len().min(max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plan_of_a_folder_is_its_tasks_and_the_rest_is_context() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let chosen =
            choose(&names(&["contracts/api.yaml", "data-model.md", "logo.png", "plan.md", "spec.md", "tasks.md"]));
        let chosen = chosen.unwrap();
        assert_eq!(chosen.plan, "tasks.md");
        assert_eq!(chosen.context, ["spec.md", "plan.md", "data-model.md", "contracts/api.yaml"]);
        assert_eq!(choose(&names(&["only.md"])).unwrap().plan, "only.md");
        assert_eq!(choose(&names(&["a.md", "b.md"])), None);
        assert_eq!(choose(&names(&["tasks/tasks.json"])).unwrap().plan, "tasks/tasks.json");
        assert_eq!(shared_context("specs/001-x"), [".specify/memory/constitution.md"]);
    }

    #[test]
    fn a_folder_is_read_back_and_no_other_text_is_one() {
        let beside = ContextFile { path: "specs/1/spec.md".to_owned(), text: "ä".repeat(CONTEXT_FILE_MAX_BYTES) };
        let folder = Folder::new("specs/1/tasks.md".to_owned(), "- [ ] T001 x\n".to_owned(), vec![beside]);
        assert_eq!(folder.context[0].text.len(), CONTEXT_FILE_MAX_BYTES);
        assert_eq!(Folder::from_bytes(&folder.to_bytes()), Some(folder));
        assert_eq!(Folder::from_bytes(b"{\"tasks\": []}"), None);
        assert_eq!(Folder::from_bytes(b"# Plan\n"), None);
    }
}
