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
        // Plain structs of strings can always be written; nothing would be no plan, and is refused as one.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads what [`Self::to_bytes`] wrote; `None` for any other text.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.starts_with(b"{\"backend-plan-folder\":").then(|| serde_json::from_slice(bytes).ok())?
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
    fn a_folder_is_read_back_and_no_other_text_is_one() {
        let beside = ContextFile { path: "specs/1/spec.md".to_owned(), text: "ä".repeat(CONTEXT_FILE_MAX_BYTES) };
        let folder = Folder::new("specs/1/tasks.md".to_owned(), "- [ ] T001 x\n".to_owned(), vec![beside]);
        assert_eq!(folder.context[0].text.len(), CONTEXT_FILE_MAX_BYTES);
        assert_eq!(Folder::from_bytes(&folder.to_bytes()), Some(folder));
        assert_eq!(Folder::from_bytes(b"{\"tasks\": []}"), None);
        assert_eq!(Folder::from_bytes(b"# Plan\n"), None);
    }
}
