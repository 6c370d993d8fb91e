//! The interfaces of models, as far as the agent programs use them: what a request carries, and how an answer looks.

use serde_json::{Value, json};

use super::{Asked, Step};

/// An interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// Anthropic's messages.
    Messages,
    /// OpenAI's responses.
    Responses,
    /// Gemini's content.
    Content,
    /// OpenAI's older chat, which many providers speak.
    Chat,
}

/// What every request uses.
const INPUT_TOKENS: u64 = 100;
const OUTPUT_TOKENS: u64 = 20;

impl Dialect {
    /// Tells which interface a path belongs to; `None` for anything that is no question to a model.
    pub(super) fn of(path: &str) -> Option<Self> {
        let path = path.split('?').next().unwrap_or_default();
        match path {
            _ if path.ends_with("/v1/messages") => Some(Self::Messages),
            _ if path.ends_with("/responses") => Some(Self::Responses),
            _ if path.ends_with(":streamGenerateContent") || path.ends_with(":generateContent") => Some(Self::Content),
            _ if path.ends_with("/chat/completions") => Some(Self::Chat),
            _ => None,
        }
    }

    pub(super) fn content_type(self, path: &str) -> &'static str {
        if self == Self::Content && !path.contains("stream") { "application/json" } else { "text/event-stream" }
    }

    /// Reads what a request carries.
    pub(super) fn understand(self, path: &str, request: &Value) -> Asked {
        let body = request.to_string();
        let list = |pointer: &str| request.pointer(pointer).and_then(Value::as_array).cloned().unwrap_or_default();
        let named = |tools: Vec<Value>| {
            tools.iter().filter_map(|tool| Some(tool.get("name")?.as_str()?.to_owned())).collect::<Vec<_>>()
        };
        let (done, tools) = match self {
            Self::Messages => {
                let blocks = list("/messages").into_iter().filter_map(|message| message["content"].as_array().cloned());
                let results = blocks.flatten().filter(|block| block["type"] == "tool_result").count();
                (results, named(list("/tools")))
            }
            Self::Responses => {
                let output = |item: &Value| item["type"].as_str().is_some_and(|kind| kind.ends_with("call_output"));
                (list("/input").iter().filter(|item| output(item)).count(), named(list("/tools")))
            }
            Self::Content => {
                let parts = list("/contents").into_iter().filter_map(|content| content["parts"].as_array().cloned());
                let results = parts.flatten().filter(|part| part.get("functionResponse").is_some()).count();
                (results, named(list("/tools/0/functionDeclarations")))
            }
            Self::Chat => {
                let results = list("/messages").iter().filter(|message| message["role"] == "tool").count();
                (results, named(list("/tools").iter().map(|tool| tool["function"].clone()).collect()))
            }
        };
        let model = match self {
            Self::Content => path.split("/models/").nth(1).and_then(|rest| rest.split(':').next()),
            _ => request["model"].as_str(),
        };
        Asked {
            task: between(&body, "for task `", "`"),
            attempt: between(&body, "`, attempt ", ",").parse().unwrap_or_default(),
            done,
            repair: body.contains("Your last answer is not a valid report"),
            model: model.unwrap_or_default().to_owned(),
            tools,
            body,
        }
    }

    /// Writes an answer.
    pub(super) fn answer(self, asked: &Asked, step: &Step) -> String {
        let turn = Turn::of(self, asked, step);
        match self {
            Self::Messages => messages(asked, &turn, *step == Step::Refuse),
            Self::Responses => responses(asked, &turn),
            Self::Content => content(asked, &turn),
            Self::Chat => chat(asked, &turn),
        }
    }
}

/// What the model says in one answer.
enum Turn {
    Text(String),
    Tool(String, Value),
    /// A tool that takes text and no object.
    Custom(String, String),
}

impl Turn {
    fn of(dialect: Dialect, asked: &Asked, step: &Step) -> Self {
        let worktree = || between(&asked.body, "rimary working directory: ", "\\n");
        match (dialect, step) {
            (_, Step::Call(tool, input)) => Self::Tool(tool.clone(), input.clone()),
            (Dialect::Messages, Step::Run(command)) => {
                Self::Tool("Bash".to_owned(), json!({ "command": command, "description": "work" }))
            }
            (Dialect::Responses, Step::Run(command)) => {
                Self::Tool("exec_command".to_owned(), json!({ "cmd": command }))
            }
            (Dialect::Content, Step::Run(command)) => {
                Self::Tool("run_shell_command".to_owned(), json!({ "command": command, "description": "work" }))
            }
            (Dialect::Chat, Step::Run(command)) => {
                Self::Tool("bash".to_owned(), json!({ "command": command, "description": "work" }))
            }
            (Dialect::Messages, Step::Create(path, content)) => {
                let path = format!("{}/{path}", worktree());
                Self::Tool("Write".to_owned(), json!({ "file_path": path, "content": content }))
            }
            (Dialect::Responses, Step::Create(path, content)) => {
                let lines: String = content.lines().map(|line| format!("+{line}\n")).collect();
                let patch = format!("*** Begin Patch\n*** Add File: {path}\n{lines}*** End Patch\n");
                Self::Custom("apply_patch".to_owned(), patch)
            }
            (Dialect::Content, Step::Create(path, content)) => {
                Self::Tool("write_file".to_owned(), json!({ "file_path": path, "content": content }))
            }
            (Dialect::Chat, Step::Create(path, content)) => {
                Self::Tool("write".to_owned(), json!({ "filePath": path, "content": content }))
            }
            (Dialect::Messages, Step::Report(report)) => Self::Tool("StructuredOutput".to_owned(), report.clone()),
            (_, Step::Report(report)) => Self::Text(report.to_string()),
            (_, Step::Say(text)) => Self::Text(text.clone()),
            _ => Self::Text("…".to_owned()),
        }
    }
}

fn between(text: &str, before: &str, after: &str) -> String {
    let rest = text.split_once(before).map_or("", |(_, rest)| rest);
    rest.split(after).next().unwrap_or_default().to_owned()
}

fn event(name: &str, data: &Value) -> String {
    format!("event: {name}\ndata: {data}\n\n")
}

fn messages(asked: &Asked, turn: &Turn, refused: bool) -> String {
    let usage = json!({ "input_tokens": INPUT_TOKENS, "output_tokens": 1 });
    let message = json!({ "id": format!("msg_{}", asked.done), "type": "message", "role": "assistant",
                          "model": asked.model, "content": [], "stop_reason": null, "stop_sequence": null,
                          "usage": usage });
    let (block, delta, stop) = match turn {
        Turn::Text(text) => {
            (json!({ "type": "text", "text": "" }), json!({ "type": "text_delta", "text": text }), "end_turn")
        }
        Turn::Tool(name, input) => (
            json!({ "type": "tool_use", "id": format!("toolu_{}", asked.done), "name": name, "input": {} }),
            json!({ "type": "input_json_delta", "partial_json": input.to_string() }),
            "tool_use",
        ),
        Turn::Custom(name, _) => panic!("{name} is no tool here"),
    };
    let mut out = event("message_start", &json!({ "type": "message_start", "message": message }));
    if !refused {
        for (name, data) in [
            ("content_block_start", json!({ "type": "content_block_start", "index": 0, "content_block": block })),
            ("content_block_delta", json!({ "type": "content_block_delta", "index": 0, "delta": delta })),
            ("content_block_stop", json!({ "type": "content_block_stop", "index": 0 })),
        ] {
            out.push_str(&event(name, &data));
        }
    }
    let stop = json!({ "stop_reason": if refused { "refusal" } else { stop }, "stop_sequence": null });
    let usage = json!({ "output_tokens": OUTPUT_TOKENS });
    out.push_str(&event("message_delta", &json!({ "type": "message_delta", "delta": stop, "usage": usage })));
    out.push_str(&event("message_stop", &json!({ "type": "message_stop" })));
    out
}

fn responses(asked: &Asked, turn: &Turn) -> String {
    let (id, call) = (format!("item_{}", asked.done), format!("call_{}", asked.done));
    let item = match turn {
        Turn::Text(text) => json!({ "type": "message", "role": "assistant", "id": id,
                                    "content": [{ "type": "output_text", "text": text }] }),
        Turn::Tool(name, input) => json!({ "type": "function_call", "id": id, "call_id": call, "name": name,
                                           "arguments": input.to_string() }),
        Turn::Custom(name, input) => {
            json!({ "type": "custom_tool_call", "id": id, "call_id": call, "name": name, "input": input })
        }
    };
    let usage = json!({ "input_tokens": INPUT_TOKENS, "input_tokens_details": { "cached_tokens": 20 },
                        "output_tokens": OUTPUT_TOKENS, "output_tokens_details": { "reasoning_tokens": 0 },
                        "total_tokens": INPUT_TOKENS + OUTPUT_TOKENS });
    let response = format!("resp_{}", asked.done);
    [
        ("response.created", json!({ "type": "response.created", "response": { "id": response } })),
        ("response.output_item.done", json!({ "type": "response.output_item.done", "output_index": 0, "item": item })),
        ("response.completed", json!({ "type": "response.completed", "response": { "id": response, "usage": usage } })),
    ]
    .iter()
    .map(|(name, data)| event(name, data))
    .collect()
}

fn content(asked: &Asked, turn: &Turn) -> String {
    let part = match turn {
        Turn::Text(text) | Turn::Custom(_, text) => json!({ "text": text }),
        Turn::Tool(name, input) => json!({ "functionCall": { "name": name, "args": input } }),
    };
    let answer = json!({
        "candidates": [{ "content": { "role": "model", "parts": [part] }, "finishReason": "STOP", "index": 0 }],
        "usageMetadata": { "promptTokenCount": INPUT_TOKENS, "candidatesTokenCount": OUTPUT_TOKENS,
                           "totalTokenCount": INPUT_TOKENS + OUTPUT_TOKENS },
        "modelVersion": asked.model,
    });
    format!("data: {answer}\n\n")
}

fn chat(asked: &Asked, turn: &Turn) -> String {
    let (delta, finish) = match turn {
        Turn::Text(text) | Turn::Custom(_, text) => (json!({ "role": "assistant", "content": text }), "stop"),
        Turn::Tool(name, input) => {
            let function = json!({ "name": name, "arguments": input.to_string() });
            let call = json!({ "index": 0, "id": format!("call_{}", asked.done), "type": "function",
                               "function": function });
            (json!({ "role": "assistant", "content": null, "tool_calls": [call] }), "tool_calls")
        }
    };
    let chunk = |delta: Value, finish: Option<&str>| {
        let mut chunk = json!({ "id": "r", "object": "chat.completion.chunk", "created": 1, "model": asked.model,
                                "choices": [{ "index": 0, "delta": delta, "finish_reason": finish }] });
        if finish.is_some() {
            chunk["usage"] = json!({ "prompt_tokens": INPUT_TOKENS, "completion_tokens": OUTPUT_TOKENS,
                                     "total_tokens": INPUT_TOKENS + OUTPUT_TOKENS });
        }
        format!("data: {chunk}\n\n")
    };
    format!("{}{}data: [DONE]\n\n", chunk(delta, None), chunk(json!({}), Some(finish)))
}
