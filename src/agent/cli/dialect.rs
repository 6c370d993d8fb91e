//! What an agent program has to be told, and what it says: the words between [`CliAgent`](super::CliAgent), which
//! starts programs and knows none, and the programs' own files beside this one, which start nothing.

use std::{collections::BTreeMap, fmt, path::Path};

use implementer_model::{
    budget::Dollars,
    config::Permissions,
    environment::routes::Route,
    means::Abilities,
    roster::{Access, Effort, McpServer, Use, tools::WRITING},
    session::{self, Denial, SessionEnd, Tokens},
    text,
};
use serde_json::Value;

use crate::agent::event_lines::event;

/// One agent program: how it is called, and how it is understood.
pub(in crate::agent) trait Dialect: fmt::Debug + Sync {
    /// Returns the kind by which the configuration calls it, which is also the name of its program.
    fn name(&self) -> &'static str;

    /// Returns how it is installed, for whoever does not have it.
    fn install(&self) -> &'static str;

    /// Returns the versions that it was tested with.
    fn tested(&self) -> Tested;

    /// Returns the variables of which it needs one to speak with a model; nothing when there are too many ways.
    fn credentials(&self) -> &'static [&'static str];

    /// Returns the variables of which one is its key, the usual one first, where that is not all that could be.
    fn keys(&self) -> &'static [&'static str] {
        self.credentials()
    }

    /// Returns the variables that say further how it reaches its model: gateways, clouds, models behind them.
    fn routes(&self) -> &'static [Route];

    /// Tells whether it ends a session by itself that has used up its money.
    fn keeps_budget(&self) -> bool {
        false
    }

    /// Tells whether it says what a session cost in dollars.
    fn tells_cost(&self) -> bool {
        false
    }

    /// Returns what this program calls a model that an agent file asks for; `None` for one that it cannot have, such as
    /// that of another vendor, which is not asked for unless the configuration says what it is called here.
    fn model(&self, words: &str) -> Option<String>;

    /// Says what of an agent file it can hold to.
    fn abilities(&self) -> Abilities;

    /// Says how it is called.
    fn invoke(&self, call: &Call<'_>) -> Invocation;

    /// Understands what a call left. It may be anything.
    fn read(&self, left: &Left<'_>) -> Reading;

    /// Returns what a running program did last, from the end of what it has printed so far.
    fn last_step(&self, printed: &str) -> Option<String> {
        self.read(&Left { answer: printed, errors: "", exit: None }).last_step()
    }
}

/// The versions that a program was tested with, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::agent) struct Tested {
    pub(in crate::agent) from: [u32; 3],
    pub(in crate::agent) to: [u32; 3],
}

/// What a program is called for. What it is to do comes on its standard input.
#[derive(Debug)]
pub(in crate::agent) struct Call<'a> {
    /// The id that a new session gets where the program takes one: a UUID.
    pub(in crate::agent) id: &'a str,
    /// The session to go on with, in place of a new one.
    pub(in crate::agent) resume: Option<&'a str>,
    /// The words for the system prompt.
    pub(in crate::agent) role: &'a str,
    /// A file that holds them.
    pub(in crate::agent) role_file: &'a Path,
    /// The model, as this program calls it.
    pub(in crate::agent) model: Option<&'a str>,
    /// The tools that the agent file grants.
    pub(in crate::agent) tools: Option<&'a [String]>,
    /// The tools that it forbids.
    pub(in crate::agent) denied: &'a [String],
    /// How much the model is to think.
    pub(in crate::agent) effort: Option<Effort>,
    /// The MCP servers that it is given.
    pub(in crate::agent) servers: &'a BTreeMap<String, McpServer>,
    /// The skills that it asks for.
    pub(in crate::agent) skills: &'a [String],
    /// Whether it may change files.
    pub(in crate::agent) access: Access,
    /// What keeps it from doing harm.
    pub(in crate::agent) permissions: Permissions,
    /// Whether the repository's own settings for it count.
    pub(in crate::agent) project_settings: bool,
    /// The most turns.
    pub(in crate::agent) turns: Option<u64>,
    /// The most dollars.
    pub(in crate::agent) budget: Option<Dollars>,
    /// A file with the schema of a report, every field of which is required.
    pub(in crate::agent) strict_schema: &'a Path,
    /// Further arguments of the user's.
    pub(in crate::agent) arguments: &'a [String],
    /// The environment that it will have.
    pub(in crate::agent) environment: &'a BTreeMap<String, String>,
}

/// What no server is, for tests of calls.
#[cfg(test)]
static NO_SERVERS: BTreeMap<String, McpServer> = BTreeMap::new();

impl Call<'_> {
    /// Tells whether it may use all of a tool, by the tool's name in Claude Code. Programs that cannot be held to single
    /// calls do without a tool of which only a part is granted.
    pub(in crate::agent) fn may_use(&self, tool: &str) -> bool {
        let reads = self.access == Access::ReadOnly && WRITING.contains(&tool);
        !reads && Use::from_calls(tool, self.tools, self.denied) == Use::Whole
    }

    /// Returns the servers' values with the variables of the environment in them, for programs that put none in
    /// themselves.
    pub(in crate::agent) fn values_of(&self, server: &McpServer) -> BTreeMap<String, String> {
        let filled = |value: &String| {
            let name =
                value.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')).or_else(|| value.strip_prefix('$'));
            let (name, otherwise) = name.map(|name| name.split_once(":-").unwrap_or((name, "")))?;
            Some(self.environment.get(name).map_or(otherwise, String::as_str).to_owned())
        };
        let values = server.values.iter();
        values.map(|(name, value)| (name.clone(), filled(value).unwrap_or_else(|| value.clone()))).collect()
    }
}

#[cfg(test)]
impl<'a> Call<'a> {
    /// A call of a writer with nothing special about it.
    pub(in crate::agent) fn plain(environment: &'a BTreeMap<String, String>) -> Self {
        Self {
            id: "11111111-1111-8111-8111-111111111111",
            resume: None,
            role: "Say \"yes\".\nUse C:\\temp.",
            role_file: Path::new("/scratch/role.md"),
            model: None,
            tools: None,
            denied: &[],
            effort: None,
            servers: &NO_SERVERS,
            skills: &[],
            access: Access::Writes,
            permissions: Permissions::Own,
            project_settings: false,
            turns: None,
            budget: None,
            strict_schema: Path::new("/scratch/schema.json"),
            arguments: &[],
            environment,
        }
    }
}

/// How a program is called.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::agent) struct Invocation {
    /// Its arguments.
    pub(in crate::agent) arguments: Vec<String>,
    /// Variables that it needs beside those that it is given.
    pub(in crate::agent) environment: Vec<(&'static str, String)>,
    /// Files of its home, by their paths in it.
    pub(in crate::agent) home: Vec<(&'static str, String)>,
    /// How a line begins that is a turn, where the program does not keep to a limit by itself.
    pub(in crate::agent) turn_prefix: Option<&'static str>,
    /// What an event has that is its last word: texts at JSON pointers.
    pub(in crate::agent) last_words: &'static [&'static [(&'static str, &'static str)]],
}

/// What a call left.
#[derive(Debug, Clone, Copy)]
pub(in crate::agent) struct Left<'a> {
    /// Its standard output.
    pub(in crate::agent) answer: &'a str,
    /// The end of its standard error.
    pub(in crate::agent) errors: &'a str,
    /// Its exit code.
    pub(in crate::agent) exit: Option<i32>,
}

/// What a program said.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::agent) struct Reading {
    /// How the session ended.
    pub(in crate::agent) end: SessionEnd,
    /// The session, to go on with it.
    pub(in crate::agent) id: Option<String>,
    /// An answer that the program has checked against the schema.
    pub(in crate::agent) structured: Option<Value>,
    /// The last words of the model.
    pub(in crate::agent) words: Option<String>,
    /// The turns taken.
    pub(in crate::agent) turns: Option<u64>,
    /// What was used.
    pub(in crate::agent) tokens: Used<Tokens>,
    /// What it cost, in millionths of a dollar, when the program says so.
    pub(in crate::agent) micro_dollars: Option<Used<u64>>,
    /// Calls that were not allowed.
    pub(in crate::agent) denials: Vec<Denial>,
    /// What happened, a line each, for the log.
    pub(in crate::agent) story: Vec<String>,
}

/// A figure, and what it is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::agent) enum Used<T> {
    /// Of this call alone.
    ByCall(T),
    /// Of the whole session, with the calls before this one.
    BySession(T),
}

impl<T: Copy> Used<T> {
    /// Returns the figure of the session, when the calls before this one used so much.
    pub(in crate::agent) fn after(self, before: T, plus: impl Fn(T, T) -> T) -> T {
        match self {
            Self::ByCall(used) => plus(before, used),
            Self::BySession(used) => used,
        }
    }
}

impl Reading {
    /// Begins a reading of which nothing is known but the end.
    pub(in crate::agent) fn new(end: SessionEnd) -> Self {
        Self {
            end,
            id: None,
            structured: None,
            words: None,
            turns: None,
            tokens: Used::ByCall(Tokens::default()),
            micro_dollars: None,
            denials: Vec::new(),
            story: Vec::new(),
        }
    }

    /// Adds a call that was not allowed.
    pub(in crate::agent) fn deny(&mut self, tool: &str, call: &str) {
        self.denials
            .push(Denial { tool: session::shortened(tool, 100), call: session::shortened(call, session::TEXT_MAX) });
    }

    /// Adds a step to the story: code keeps its lines, those after the first indented.
    pub(in crate::agent) fn tell(&mut self, what: &str, about: &str) {
        /// The most steps of a story, lines of a step, and characters of a line: a log is read by people.
        const STEPS_MAX: usize = 2_000;
        const LINES_MAX: usize = 20;
        const LINE_MAX: usize = 300;
        if self.story.len() == STEPS_MAX {
            return;
        }
        let plain = text::plain(&format!("{what}: {}", about.trim_start()));
        let lines: Vec<_> = plain.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
        let shown = lines.iter().take(LINES_MAX).map(|line| text::truncate(line, LINE_MAX));
        let mut step = shown.collect::<Vec<_>>().join("\n    ");
        if lines.len() > LINES_MAX {
            step.push_str(&format!("\n    … and {}", text::count(lines.len() - LINES_MAX, "more line")));
        }
        self.story.push(step);
    }

    /// Takes the last step of the story, in one line.
    pub(in crate::agent) fn last_step(mut self) -> Option<String> {
        Some(session::shortened(&self.story.pop()?, session::TEXT_MAX))
    }
}

/// Goes through the objects that stand in `answer`, one on each line. Lines that hold something else are passed over:
/// programs print warnings between them.
pub(in crate::agent) fn events(answer: &str) -> impl Iterator<Item = Value> {
    answer.lines().filter_map(event)
}

/// Goes through the lines of `answer` that hold no event: what a program prints as plain words.
pub(in crate::agent) fn plain_lines(answer: &str) -> impl Iterator<Item = &str> {
    answer.lines().filter(|line| event(line).is_none() && !text::plain(line).trim().is_empty())
}

/// Describes what a tool was called with: the first of these fields that is a text, else all of it.
pub(in crate::agent) fn telling(input: &Value, fields: &[&str]) -> String {
    let first = fields.iter().find_map(|field| input.get(field).and_then(Value::as_str));
    first.map_or_else(|| input.to_string(), str::to_owned)
}

/// Returns the text at a JSON pointer.
pub(in crate::agent) fn text_at<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer).and_then(Value::as_str)
}

/// Returns the number at a JSON pointer; 0 when there is none.
pub(in crate::agent) fn number_at(value: &Value, pointer: &str) -> u64 {
    value.pointer(pointer).and_then(Value::as_u64).unwrap_or_default()
}

/// Returns the last line of an error output that says something.
pub(in crate::agent) fn last_line(errors: &str) -> String {
    let line = errors.lines().rev().map(str::trim).find(|line| line.chars().any(char::is_alphanumeric));
    session::shortened(line.unwrap_or_default(), session::TEXT_MAX)
}

/// Returns the HTTP status that a message names, such as `unexpected status 529`.
pub(in crate::agent) fn status_in(message: &str) -> Option<u16> {
    let lower = message.to_ascii_lowercase();
    let after = ["status ", "status: ", "\"code\":", "\"code\": "].into_iter().filter_map(|word| {
        let rest = &lower[lower.find(word)? + word.len()..];
        let digits: String = rest.trim_start().chars().take_while(char::is_ascii_digit).collect();
        digits.parse::<u16>().ok().filter(|status| (400..600).contains(status))
    });
    after.min()
}

/// Returns an amount of dollars that a program gives as a number, in millionths, rounded up; `None` when it is none.
pub(in crate::agent) fn micro_of(dollars: &Value) -> Option<u64> {
    let micro = (dollars.as_f64()? * 1e6).ceil();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is between 0 and a billion dollars, and whole"
    )]
    (0.0..=1e15).contains(&micro).then_some(micro as u64)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn statuses_are_found_where_programs_put_them() {
        let said = [
            ("unexpected status 401 Unauthorized: no", Some(401)),
            ("exceeded retry limit, last status: 429 Too Many Requests", Some(429)),
            ("{\"error\": {\"code\": 400, \"status\": \"X\"}}", Some(400)),
            ("[API Error: {\"error\":{\"code\":503,\"status\":\"UNAVAILABLE\"}}]", Some(503)),
            ("stream disconnected before completion", None),
            ("status 200", None),
            ("status", None),
        ];
        for (message, status) in said {
            assert_eq!(status_in(message), status, "{message}");
        }
    }

    #[test]
    fn dollars_are_rounded_up_and_never_believed_when_they_cannot_be() {
        let of = |value: Value| micro_of(&value);
        assert_eq!(of(json!(0.001_800_000_000_000_000_2)), Some(1_801), "a limit is not passed unseen");
        assert_eq!([of(json!(0)), of(json!(2))], [Some(0), Some(2_000_000)]);
        assert_eq!([of(json!(-1)), of(json!(1e300)), of(json!("1"))], [None, None, None]);
    }

    #[test]
    fn code_keeps_its_lines_in_a_log_and_a_display_has_one() {
        let mut reading = Reading::new(SessionEnd::Completed);
        reading.tell("Bash", "cat > a.py <<'E'\ndef a():\n    return 1\n\n\u{1b}[31mE\n");
        assert_eq!(reading.story, ["Bash: cat > a.py <<'E'\n    def a():\n        return 1\n    E"]);
        reading.tell("says", &"x\n".repeat(25));
        assert!(reading.story[1].ends_with("\n    x\n    … and 5 more lines"), "{}", reading.story[1]);
        reading.tell("Bash", "a\nb");
        assert_eq!(reading.last_step().as_deref(), Some("Bash: a b"));
    }

    #[test]
    fn lines_that_are_no_objects_are_passed_over() {
        let answer = "warning\n\u{1b}[2K\u{1b}[1m{\"a\": 1}\n[1]\n{\"b\": 2}\u{1b}[0m\r\n{\"cut";
        assert_eq!(events(answer).collect::<Vec<_>>(), [json!({ "a": 1 }), json!({ "b": 2 })]);
        assert_eq!(last_line("first\n  \u{1b}[31mlast one\u{1b}[0m \n---\n"), "last one");
    }
}
