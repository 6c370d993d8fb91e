//! What an agent file asks for or forbids beside its tools: the terms under which its subagent works.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    Subagent,
    tools::{is_narrowed, tool_of},
};
use crate::config::Config;

/// The terms of a subagent.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
pub struct Terms {
    /// Tools and calls that it must not use, whatever it is granted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub denied_tools: Vec<String>,
    /// The most turns of one attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_turns: Option<u64>,
    /// How much its model is to think.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effort: Option<Effort>,
    /// Models to take when the program cannot have the first one, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub other_models: Vec<String>,
    /// The MCP servers that it asks for; without a definition, one that is configured elsewhere.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub servers: BTreeMap<String, Option<McpServer>>,
    /// The skills that it asks for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub skills: Vec<String>,
    /// Whether it is called only where a plan names it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub by_name_only: bool,
}

impl Terms {
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// How much a model is to think.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Effort {
    /// Little.
    Low,
    /// Some.
    Medium,
    /// Much.
    High,
    /// More than much.
    XHigh,
    /// As much as it can.
    Max,
}

impl Effort {
    /// All levels, the lowest first.
    pub const ALL: [Self; 5] = [Self::Low, Self::Medium, Self::High, Self::XHigh, Self::Max];

    /// Returns the word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::XHigh => "xhigh",
            Self::Max => "max",
        }
    }
}

/// An MCP server: a program that is started, or an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct McpServer {
    /// How it is reached.
    pub transport: Transport,
    /// Variables of its environment, or headers of its requests. `${NAME}` is a variable of the subagent's environment.
    pub values: BTreeMap<String, String>,
}

/// How an MCP server is reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Transport {
    /// A program that speaks on standard input and output: its words.
    Program(Vec<String>),
    /// An address that is asked over HTTP.
    Http(String),
    /// An address that sends events.
    Events(String),
}

impl McpServer {
    /// Reads a definition as Claude Code and Copilot write it; `None` when it names neither a program nor an address.
    pub(super) fn parse(value: &Value) -> Option<Self> {
        let text = |key: &str| value.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
        let kind = text("type").unwrap_or_default();
        let values = |key: &str| -> BTreeMap<String, String> {
            let entries = value.get(key).and_then(Value::as_object);
            entries.into_iter().flatten().map(|(name, value)| (name.clone(), variable(value))).collect()
        };
        if let Some(command) = text("command") {
            let arguments = value.get("args").and_then(Value::as_array).into_iter().flatten().map(variable);
            let argv = [command.to_owned()].into_iter().chain(arguments).collect();
            return Some(Self { transport: Transport::Program(argv), values: values("env") });
        }
        let url = text("url")?.to_owned();
        let transport = if kind == "sse" { Transport::Events(url) } else { Transport::Http(url) };
        Some(Self { transport, values: values("headers") })
    }
}

/// Returns a value as text. What Copilot takes from secrets and variables of GitHub (`${{ secrets.NAME }}`) is a
/// variable of the environment here.
fn variable(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let inner = text.trim().strip_prefix("${{").and_then(|rest| rest.strip_suffix("}}")).map(str::trim);
    let name = inner.and_then(|inner| inner.strip_prefix("secrets.").or_else(|| inner.strip_prefix("vars.")));
    name.map_or(text.clone(), |name| format!("${{{name}}}"))
}

/// How much of a tool a subagent may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// All of it.
    Whole,
    /// Only some calls, or all but some.
    Partly,
    /// Nothing.
    Not,
}

impl Use {
    /// Tells how much of a tool is left when some calls are granted (`None` is all) and some are denied.
    #[must_use]
    pub fn from_calls(tool: &str, granted: Option<&[String]>, denied: &[String]) -> Self {
        let named = |calls: &[String], narrowed: bool| {
            calls.iter().any(|call| tool_of(call) == tool && is_narrowed(call) == narrowed)
        };
        let granted = granted.map_or(Self::Whole, |tools| match (named(tools, false), named(tools, true)) {
            (true, _) => Self::Whole,
            (false, true) => Self::Partly,
            (false, false) => Self::Not,
        });
        match granted {
            _ if named(denied, false) => Self::Not,
            Self::Whole if named(denied, true) => Self::Partly,
            granted => granted,
        }
    }
}

impl Subagent {
    /// Tells how much of a tool the subagent may use, by the name of the tool in Claude Code.
    #[must_use]
    pub fn may_use(&self, tool: &str) -> Use {
        Use::from_calls(tool, self.tools.as_deref(), &self.terms.denied_tools)
    }

    /// Returns the most turns of one attempt: what the configuration says of this subagent, else the smaller one of its
    /// file's and the general limit.
    #[must_use]
    pub fn max_turns(&self, config: &Config) -> Option<u64> {
        let own = config.subagents.get(&self.name).and_then(|own| own.turns);
        own.or_else(|| self.terms.max_turns.into_iter().chain(config.limits.turns).min())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::roster::{Role, builtin};

    fn feature() -> Subagent {
        builtin().for_role(Role::Feature).unwrap().clone()
    }

    #[test]
    fn what_is_denied_beats_what_is_granted() {
        let mut subagent = feature();
        subagent.tools = Some(["Read", "Edit", "Bash(git log:*)"].map(str::to_owned).to_vec());
        subagent.terms.denied_tools = ["Edit", "Read(secrets/**)"].map(str::to_owned).to_vec();
        let of = |tool| subagent.may_use(tool);
        assert_eq!([of("Read"), of("Edit"), of("Bash"), of("Write")], [Use::Partly, Use::Not, Use::Partly, Use::Not]);
        subagent.tools = None;
        assert_eq!([subagent.may_use("Bash"), subagent.may_use("Edit")], [Use::Whole, Use::Not]);
    }

    #[test]
    fn the_smaller_limit_of_turns_holds_unless_the_configuration_names_the_subagent() {
        let config = |text: &str| Config::read("c.yml", text, &["command"]).unwrap();
        let mut subagent = feature();
        assert_eq!(subagent.max_turns(&config("")), None);
        assert_eq!(subagent.max_turns(&config("limits: {turns: 40}")), Some(40));
        subagent.terms.max_turns = Some(25);
        assert_eq!(subagent.max_turns(&config("")), Some(25));
        assert_eq!(subagent.max_turns(&config("limits: {turns: 40}")), Some(25));
        assert_eq!(subagent.max_turns(&config("limits: {turns: 10}")), Some(10));
        assert_eq!(subagent.max_turns(&config("subagents: {backend-feature-implementer: {turns: 60}}")), Some(60));
    }

    #[test]
    fn servers_are_read_as_both_programs_write_them() {
        let parse = |value: Value| McpServer::parse(&value);
        let program = json!({"type": "local", "command": "npx", "args": ["-y", 1], "env": {"KEY": "${{ secrets.K }}"}});
        assert_eq!(
            parse(program),
            Some(McpServer {
                transport: Transport::Program(["npx", "-y", "1"].map(str::to_owned).to_vec()),
                values: BTreeMap::from([("KEY".to_owned(), "${K}".to_owned())]),
            })
        );
        let http = parse(json!({"type": "http", "url": "https://x", "headers": {"A": "b"}})).unwrap();
        assert_eq!(http.transport, Transport::Http("https://x".to_owned()));
        assert_eq!(parse(json!({"type": "sse", "url": "u"})).unwrap().transport, Transport::Events("u".to_owned()));
        assert_eq!([parse(json!({})), parse(json!("x")), parse(json!({"command": 1}))], [None, None, None]);
    }
}
