//! The eight subagents that ship with the program, as agent files in the format that users write.

use super::file::AgentFile;

macro_rules! embedded {
    ($($name:literal),* $(,)?) => {
        [$((concat!("builtin/", $name, ".md"), include_str!(concat!("builtin/", $name, ".md")))),*]
    };
}

const FILES: [(&str, &str); 8] = embedded![
    "backend-cloud-infrastructure-architect",
    "backend-datatypes",
    "backend-feature-implementer",
    "backend-cli-implementer",
    "backend-unit-test-generator",
    "backend-code-quality-reviewer",
    "backend-validation-agent",
    "backend-deployment-agent",
];

/// Returns the built-in agent files, in the order of the phases.
pub(super) fn files() -> [AgentFile; 8] {
    FILES.map(|(path, content)| AgentFile { path: path.to_owned(), content: content.as_bytes().to_vec() })
}
