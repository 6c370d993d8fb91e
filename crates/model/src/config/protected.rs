//! The paths that no subagent may touch unless the configuration gives another list.

/// A glob that no subagent may touch, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProtectedPath {
    /// The glob; one without a wildcard also covers everything below.
    pub glob: &'static str,
    /// What a subagent could do with it.
    pub reason: &'static str,
}

const WORKFLOW: &str = "what runs on the forge's runners, with its tokens";
const REVIEW: &str = "who has to review, and what updates itself";
const OWN: &str = "the rules and the records of this program";
const INSTRUCTIONS: &str = "instructions that other agents obey";
const AGENT_SETTINGS: &str = "settings, hooks and servers that agent programs run";
const EDITOR: &str = "what editors and shells run when somebody opens the folder";
const GIT: &str = "what git runs or fetches when it checks out";

/// The built-in list. What is on it changes what runs, who is asked or what other agents are told, rather than what the
/// backend does.
///
/// Folders that are found at any depth stand twice: by themselves, since a symbolic link or a submodule in their place
/// is as good as their content, and with everything below.
pub const DEFAULT_PROTECTED_PATHS: &[ProtectedPath] = &[
    ProtectedPath { glob: ".github/workflows", reason: WORKFLOW },
    ProtectedPath { glob: ".github/actions", reason: WORKFLOW },
    ProtectedPath { glob: ".gitlab-ci.yml", reason: WORKFLOW },
    ProtectedPath { glob: ".forgejo/workflows", reason: WORKFLOW },
    ProtectedPath { glob: ".gitea/workflows", reason: WORKFLOW },
    ProtectedPath { glob: ".circleci", reason: WORKFLOW },
    ProtectedPath { glob: "action.yml", reason: WORKFLOW },
    ProtectedPath { glob: "action.yaml", reason: WORKFLOW },
    ProtectedPath { glob: ".gitlab", reason: WORKFLOW },
    ProtectedPath { glob: ".buildkite", reason: WORKFLOW },
    ProtectedPath { glob: ".drone.yml", reason: WORKFLOW },
    ProtectedPath { glob: ".woodpecker", reason: WORKFLOW },
    ProtectedPath { glob: ".woodpecker.yml", reason: WORKFLOW },
    ProtectedPath { glob: ".travis.yml", reason: WORKFLOW },
    ProtectedPath { glob: "Jenkinsfile", reason: WORKFLOW },
    ProtectedPath { glob: "azure-pipelines.yml", reason: WORKFLOW },
    ProtectedPath { glob: "azure-pipelines.yaml", reason: WORKFLOW },
    ProtectedPath { glob: ".azure-pipelines", reason: WORKFLOW },
    ProtectedPath { glob: "bitbucket-pipelines.yml", reason: WORKFLOW },
    ProtectedPath { glob: ".cirrus.yml", reason: WORKFLOW },
    ProtectedPath { glob: "appveyor.yml", reason: WORKFLOW },
    ProtectedPath { glob: ".appveyor.yml", reason: WORKFLOW },
    ProtectedPath { glob: "**/CODEOWNERS", reason: REVIEW },
    ProtectedPath { glob: ".github/dependabot.yml", reason: REVIEW },
    ProtectedPath { glob: ".github/dependabot.yaml", reason: REVIEW },
    ProtectedPath { glob: ".github/settings.yml", reason: REVIEW },
    ProtectedPath { glob: "renovate.json", reason: REVIEW },
    ProtectedPath { glob: "renovate.json5", reason: REVIEW },
    ProtectedPath { glob: ".github/renovate.json", reason: REVIEW },
    ProtectedPath { glob: ".github/renovate.json5", reason: REVIEW },
    ProtectedPath { glob: ".renovaterc", reason: REVIEW },
    ProtectedPath { glob: ".renovaterc.json", reason: REVIEW },
    ProtectedPath { glob: ".github/backend-implementer.yml", reason: OWN },
    ProtectedPath { glob: ".backend-implementer", reason: OWN },
    ProtectedPath { glob: ".github/agents", reason: INSTRUCTIONS },
    ProtectedPath { glob: ".github/copilot-instructions.md", reason: INSTRUCTIONS },
    ProtectedPath { glob: ".github/instructions", reason: INSTRUCTIONS },
    ProtectedPath { glob: ".github/prompts", reason: INSTRUCTIONS },
    ProtectedPath { glob: ".github/hooks", reason: AGENT_SETTINGS },
    ProtectedPath { glob: "**/CLAUDE.md", reason: INSTRUCTIONS },
    ProtectedPath { glob: "**/CLAUDE.local.md", reason: INSTRUCTIONS },
    ProtectedPath { glob: "**/AGENTS.md", reason: INSTRUCTIONS },
    ProtectedPath { glob: "**/AGENTS.override.md", reason: INSTRUCTIONS },
    ProtectedPath { glob: "**/GEMINI.md", reason: INSTRUCTIONS },
    ProtectedPath { glob: "**/.cursorrules", reason: INSTRUCTIONS },
    ProtectedPath { glob: "CONTEXT.md", reason: INSTRUCTIONS },
    ProtectedPath { glob: "**/QWEN.md", reason: INSTRUCTIONS },
    ProtectedPath { glob: "**/.windsurfrules", reason: INSTRUCTIONS },
    ProtectedPath { glob: "**/.clinerules", reason: INSTRUCTIONS },
    ProtectedPath { glob: "**/.clinerules/**", reason: INSTRUCTIONS },
    ProtectedPath { glob: "**/.claude", reason: AGENT_SETTINGS },
    ProtectedPath { glob: "**/.claude/**", reason: AGENT_SETTINGS },
    ProtectedPath { glob: "**/.mcp.json", reason: AGENT_SETTINGS },
    ProtectedPath { glob: "**/.codex", reason: AGENT_SETTINGS },
    ProtectedPath { glob: "**/.codex/**", reason: AGENT_SETTINGS },
    ProtectedPath { glob: "**/.gemini", reason: AGENT_SETTINGS },
    ProtectedPath { glob: "**/.gemini/**", reason: AGENT_SETTINGS },
    ProtectedPath { glob: "**/.opencode", reason: AGENT_SETTINGS },
    ProtectedPath { glob: "**/.opencode/**", reason: AGENT_SETTINGS },
    ProtectedPath { glob: "opencode.json", reason: AGENT_SETTINGS },
    ProtectedPath { glob: "opencode.jsonc", reason: AGENT_SETTINGS },
    ProtectedPath { glob: "**/.cursor", reason: AGENT_SETTINGS },
    ProtectedPath { glob: "**/.cursor/**", reason: AGENT_SETTINGS },
    ProtectedPath { glob: "**/.agents", reason: AGENT_SETTINGS },
    ProtectedPath { glob: "**/.agents/**", reason: AGENT_SETTINGS },
    ProtectedPath { glob: "**/.qwen", reason: AGENT_SETTINGS },
    ProtectedPath { glob: "**/.qwen/**", reason: AGENT_SETTINGS },
    ProtectedPath { glob: ".windsurf", reason: AGENT_SETTINGS },
    ProtectedPath { glob: ".roo", reason: AGENT_SETTINGS },
    ProtectedPath { glob: ".kiro", reason: AGENT_SETTINGS },
    ProtectedPath { glob: ".junie", reason: AGENT_SETTINGS },
    ProtectedPath { glob: ".amazonq", reason: AGENT_SETTINGS },
    ProtectedPath { glob: ".aider.conf.yml", reason: AGENT_SETTINGS },
    ProtectedPath { glob: ".vscode", reason: EDITOR },
    ProtectedPath { glob: ".devcontainer", reason: EDITOR },
    ProtectedPath { glob: "**/.envrc", reason: EDITOR },
    ProtectedPath { glob: "**/*.code-workspace", reason: EDITOR },
    ProtectedPath { glob: ".idea", reason: EDITOR },
    ProtectedPath { glob: ".zed", reason: EDITOR },
    ProtectedPath { glob: "**/.gitattributes", reason: GIT },
    ProtectedPath { glob: "**/.gitmodules", reason: GIT },
    ProtectedPath { glob: "**/.lfsconfig", reason: GIT },
    ProtectedPath { glob: ".husky", reason: GIT },
    ProtectedPath { glob: ".githooks", reason: GIT },
    ProtectedPath { glob: ".pre-commit-config.yaml", reason: GIT },
    ProtectedPath { glob: "lefthook.yml", reason: GIT },
    ProtectedPath { glob: "lefthook.yaml", reason: GIT },
    ProtectedPath { glob: ".lefthook.yml", reason: GIT },
    ProtectedPath { glob: ".lefthook.yaml", reason: GIT },
];

/// The globs of the files that agent programs obey as instructions.
pub const AGENT_INSTRUCTIONS: &[&str] = &[
    "**/CLAUDE.md",
    "**/CLAUDE.local.md",
    "**/AGENTS.md",
    "**/AGENTS.override.md",
    "**/GEMINI.md",
    "**/.cursorrules",
    "CONTEXT.md",
    "**/QWEN.md",
    "**/.windsurfrules",
    "**/.clinerules",
    "**/.clinerules/**",
    ".github/agents",
    ".github/copilot-instructions.md",
    ".github/instructions",
    ".github/prompts",
];

/// The globs of the files from which agent programs take settings, hooks, plugins and servers that they run.
pub const AGENT_SETTINGS_FILES: &[&str] = &[
    "**/.claude",
    "**/.claude/**",
    "**/.mcp.json",
    "**/.codex",
    "**/.codex/**",
    "**/.gemini",
    "**/.gemini/**",
    "**/.opencode",
    "**/.opencode/**",
    "opencode.json",
    "opencode.jsonc",
    "**/.cursor",
    "**/.cursor/**",
    "**/.agents",
    "**/.agents/**",
    "**/.qwen",
    "**/.qwen/**",
    ".windsurf",
    ".roo",
    ".kiro",
    ".junie",
    ".amazonq",
    ".aider.conf.yml",
    ".github/hooks",
];
