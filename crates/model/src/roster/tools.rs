//! The words for tools in agent files, translated into one vocabulary: the names of Claude Code.
//!
//! GitHub Copilot and VS Code use words of their own (`edit`, `search/codebase`, `server/*`). A word that has no
//! counterpart grants nothing.

/// The tools of Claude Code.
const CLAUDE: [&str; 28] = [
    "Agent",
    "AskUserQuestion",
    "Bash",
    "BashOutput",
    "Edit",
    "EnterPlanMode",
    "ExitPlanMode",
    "Glob",
    "Grep",
    "KillBash",
    "KillShell",
    "LSP",
    "ListMcpResourcesTool",
    "Monitor",
    "MultiEdit",
    "NotebookEdit",
    "PowerShell",
    "Read",
    "ReadMcpResourceTool",
    "Skill",
    "SlashCommand",
    "Task",
    "TaskOutput",
    "TaskStop",
    "TodoWrite",
    "WebFetch",
    "WebSearch",
    "Write",
];

/// The tools that change files and do nothing else.
pub const WRITING: [&str; 4] = ["Edit", "MultiEdit", "NotebookEdit", "Write"];

/// Words of other programs in lower case, and older names of Claude Code, with the tools that they stand for.
const WORDS: [(&[&str], &[&str]); 15] = [
    (&["read", "readfile", "read_file", "view", "notebookread", "read/readfile", "read/viewimage"], &["Read"]),
    (&["search", "codebase", "search/codebase", "semantic_search"], &["Grep", "Glob"]),
    (&["grep", "textsearch", "grep_search", "search/textsearch", "usages", "search/usages"], &["Grep"]),
    (
        &[
            "glob",
            "ls",
            "list",
            "list_dir",
            "filesearch",
            "file_search",
            "search/filesearch",
            "listdirectory",
            "search/listdirectory",
            "findtestfiles",
        ],
        &["Glob"],
    ),
    (
        &[
            "edit",
            "editfiles",
            "edit/editfiles",
            "edit_file",
            "str_replace",
            "str_replace_editor",
            "apply_patch",
            "patch",
            "insert_edit_into_file",
            "replace_string_in_file",
        ],
        &["Edit", "Write"],
    ),
    (&["multiedit"], &["Edit"]),
    (
        &[
            "write",
            "write_file",
            "create",
            "createfile",
            "create_file",
            "edit/createfile",
            "createdirectory",
            "create_directory",
            "edit/createdirectory",
        ],
        &["Write"],
    ),
    (
        &["notebookedit", "editnotebook", "edit/editnotebook", "edit/createjupyternotebook", "newjupyternotebook"],
        &["NotebookEdit"],
    ),
    (
        &[
            "execute",
            "shell",
            "bash",
            "powershell",
            "terminal",
            "runcommands",
            "runcommands/runinterminal",
            "runinterminal",
            "run_in_terminal",
            "execute/runinterminal",
            "execute_command",
            "run_shell_command",
        ],
        &["Bash"],
    ),
    (&["web"], &["WebFetch", "WebSearch"]),
    (&["fetch", "web/fetch", "webfetch", "web_fetch", "fetch_webpage"], &["WebFetch"]),
    (&["websearch", "web_search", "web/search"], &["WebSearch"]),
    (&["agent", "task", "custom-agent", "runsubagent", "agent/runsubagent"], &["Agent"]),
    (&["todo", "todos", "todowrite", "todoread", "manage_todo_list"], &["TodoWrite"]),
    (&["skill", "skills"], &["Skill"]),
];

/// Groups of tools that Copilot and VS Code have themselves: what stands below them is no server.
const GROUPS: [&str; 12] = [
    "agent",
    "browser",
    "edit",
    "execute",
    "read",
    "runcommands",
    "runnotebooks",
    "runtasks",
    "search",
    "todo",
    "vscode",
    "web",
];

/// A list of tools, translated.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Translated {
    /// The tools, each once, in the order of the list. A call may be narrowed, as in `Bash(git log:*)`; a tool of an
    /// MCP server is `mcp__SERVER__TOOL`, and `mcp__SERVER` is all of its tools.
    pub(super) tools: Vec<String>,
    /// Whether the list grants or forbids every tool.
    pub(super) all: bool,
    /// Words without a counterpart.
    pub(super) unknown: Vec<String>,
}

/// Translates a list of tools. `servers` are the names of the MCP servers that the file brings along.
pub(super) fn translate<'a>(words: impl IntoIterator<Item = &'a str>, servers: &[&str]) -> Translated {
    let mut translated = Translated::default();
    for word in words.into_iter().map(str::trim).filter(|word| !word.is_empty()) {
        if word == "*" || word.eq_ignore_ascii_case("all") {
            translated.all = true;
            continue;
        }
        let tools = translate_word(word, servers);
        if tools.is_empty() {
            push_new(&mut translated.unknown, word.to_owned());
        }
        for tool in tools {
            push_new(&mut translated.tools, tool);
        }
    }
    translated
}

fn push_new(list: &mut Vec<String>, item: String) {
    if !list.contains(&item) {
        list.push(item);
    }
}

fn translate_word(word: &str, servers: &[&str]) -> Vec<String> {
    let (name, narrowed) = match word.find('(') {
        Some(at) => (word[..at].trim(), Some(&word[at..])),
        None => (word, None),
    };
    // A narrowed call that is not closed would be read as something else by the program.
    if narrowed.is_some_and(|narrowed| !narrowed.ends_with(')')) {
        return Vec::new();
    }
    let with = |tool: &str| format!("{tool}{}", narrowed.unwrap_or_default());
    if let Some(rest) = name.strip_prefix("mcp__") {
        return if rest.is_empty() { Vec::new() } else { vec![with(name)] };
    }
    if CLAUDE.contains(&name) {
        return vec![with(name)];
    }
    let lower = name.to_lowercase();
    if let Some((_, tools)) = WORDS.iter().find(|(words, _)| words.contains(&lower.as_str())) {
        // What a narrowing would mean for two tools at once cannot be known.
        return if narrowed.is_some() && tools.len() > 1 {
            Vec::new()
        } else {
            tools.iter().map(|&tool| with(tool)).collect()
        };
    }
    if let Some(tool) = CLAUDE.iter().find(|tool| tool.eq_ignore_ascii_case(name)) {
        return vec![with(tool)];
    }
    if servers.contains(&name) {
        return vec![format!("mcp__{name}")];
    }
    match name.split_once('/') {
        // A name with a dot is an extension of an editor, which nothing here has.
        Some((server, tool))
            if !server.is_empty()
                && !server.contains('.')
                && !tool.is_empty()
                && !GROUPS.contains(&server.to_lowercase().as_str()) =>
        {
            vec![if tool == "*" { format!("mcp__{server}") } else { format!("mcp__{server}__{tool}") }]
        }
        _ => Vec::new(),
    }
}

/// Returns the tool that a call belongs to: `Bash` of `Bash(git log:*)`.
#[must_use]
pub fn tool_of(call: &str) -> &str {
    call.split('(').next().unwrap_or(call).trim()
}

/// Tells whether a call is only a part of what its tool can do.
#[must_use]
pub fn is_narrowed(call: &str) -> bool {
    call.contains('(')
}

/// Returns the MCP server that a tool belongs to.
#[must_use]
pub fn server_of(tool: &str) -> Option<&str> {
    tool.strip_prefix("mcp__").map(|rest| rest.split("__").next().unwrap_or(rest))
}

/// Tells whether a call can change files by itself.
pub(super) fn writes(call: &str) -> bool {
    WRITING.contains(&tool_of(call))
}

/// Finds the tool that a forbidden word was meant for, when it is one slip of the keyboard away: a misspelled
/// prohibition must not be lost.
pub(super) fn misspelled(word: &str) -> Option<&'static str> {
    let name = tool_of(word).to_lowercase();
    CLAUDE.into_iter().find(|tool| strsim::osa_distance(&name, &tool.to_lowercase()) == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(words: &str) -> (String, String) {
        let Translated { tools, unknown, .. } = translate(words.split(", "), &["own"]);
        (tools.join(" "), unknown.join(" "))
    }

    #[test]
    fn names_of_claude_code_stay_as_they_are() {
        for words in ["Read, Grep, Bash(git log:*)", "mcp__db__query, mcp__github, Task, AskUserQuestion"] {
            assert_eq!(of(words), (words.replace(", ", " "), String::new()));
        }
        assert_eq!(of("NotebookRead, LS, MultiEdit"), ("Read Glob MultiEdit".to_owned(), String::new()));
    }

    #[test]
    fn words_of_copilot_are_translated_in_any_case() {
        for (words, tools) in [
            ("read, search", "Read Grep Glob"),
            ("edit", "Edit Write"),
            ("edit/editFiles, search/codebase, execute/runInTerminal", "Edit Write Grep Glob Bash"),
            ("editFiles, runCommands, codebase", "Edit Write Bash Grep Glob"),
            ("Execute, SHELL, powershell", "Bash"),
            ("web, todo, agent", "WebFetch WebSearch TodoWrite Agent"),
            ("github/*, playwright/browser_click", "mcp__github mcp__playwright__browser_click"),
            ("own", "mcp__own"),
        ] {
            assert_eq!(of(words), (tools.to_owned(), String::new()), "{words}");
        }
    }

    #[test]
    fn what_has_no_counterpart_grants_nothing() {
        for words in [
            "problems",
            "changes",
            "vscode/askQuestions",
            "execute/runTests",
            "runTasks",
            "runCommands/other",
            "ms-python.python/installPythonPackage",
            "playwright",
            "none",
            "mcp__",
            "/x",
            "x/",
            "Bash(git",
            "edit(src/**)",
        ] {
            assert_eq!(of(words), (String::new(), words.to_owned()));
        }
        assert!(translate(["Read", "*"], &[]).all);
    }

    #[test]
    fn a_misspelled_prohibition_is_recognised() {
        assert_eq!(misspelled("Wrte"), Some("Write"));
        assert_eq!(misspelled("Bsah(rm:*)"), Some("Bash"));
        assert_eq!(misspelled("Deploy"), None);
    }
}
