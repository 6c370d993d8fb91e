//! The JSON schema of the YAML form.

use serde_json::{Value, json};

use crate::{gate::GateKind, limits::TASKS_MAX, roster::Role};

/// Returns the JSON schema of a plan as users write it in YAML or JSON.
#[must_use]
pub fn schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Implementation plan",
        "description": "What the Planner wrote: tasks for subagents with their requirements, the commands that verify the \
            result, and what must hold in the end.",
        "type": "object",
        "additionalProperties": false,
        "required": ["tasks"],
        "properties": {
            "title": text("The plan's title."),
            "preamble": text("Free text in Markdown that every subagent's brief carries."),
            "tasks": {
                "description": "The pieces of work, each for one subagent. One subagent may have several.",
                "type": "array",
                "minItems": 1,
                "maxItems": TASKS_MAX,
                "items": { "$ref": "#/$defs/task" },
            },
            "verification": verification(),
            "acceptance": texts("What must hold in the end, in the Planner's words."),
            "out-of-scope": texts("What is not to be done, by nobody: a constraint of every subagent's brief."),
        },
        "$defs": { "task": task(), "requirement": requirement(), "texts": {
            "oneOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }],
        } },
    })
}

fn text(description: &str) -> Value {
    json!({ "description": description, "type": "string" })
}

fn texts(description: &str) -> Value {
    json!({ "description": description, "$ref": "#/$defs/texts" })
}

fn task() -> Value {
    json!({
        "description": "One piece of work for one subagent, which is named itself or by its role.",
        "type": "object",
        "additionalProperties": false,
        "oneOf": [{ "required": ["role"] }, { "required": ["subagent"] }],
        "properties": {
            "id": {
                "description": "The task's id, by which other tasks need it. Without one it is made from the role.",
                "type": "string",
                "minLength": 1,
                "maxLength": crate::ids::NAME_MAX,
                "pattern": "^[a-z0-9]+(-[a-z0-9]+)*$",
            },
            "subagent": text("The name of a subagent of the roster."),
            "role": {
                "description": "The role, played by the subagent that the roster has for it.",
                "enum": Role::ALL.map(Role::name),
            },
            "title": text("What it is about, for people. Without one it is the role or the subagent's name."),
            "requirements": {
                "description": "What is to be done.",
                "type": "array",
                "items": { "$ref": "#/$defs/requirement" },
            },
            "notes": text("Free text in Markdown that belongs to no single requirement."),
            "touches": texts("Globs of the paths that the task may touch, relative to the repository's root."),
            "needs": texts(
                "What must have passed before: ids of tasks, or a subagent or role, which stands for all of its tasks.",
            ),
            "parallel-with": texts("Tasks that it may run beside although the order of phases would divide them."),
        },
    })
}

fn requirement() -> Value {
    json!({
        "description": "One thing to be done: a text, of which the first line counts and the others are its detail, or a \
            mapping.",
        "oneOf": [
            { "type": "string", "minLength": 1 },
            {
                "type": "object",
                "additionalProperties": false,
                "required": ["text"],
                "properties": {
                    "id": {
                        "description": "The Planner's own id. Without one it is the task's id and a number.",
                        "type": "string",
                        "minLength": 1,
                        "maxLength": crate::ids::NAME_MAX,
                        "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]*$",
                    },
                    "text": { "description": "What is to be done, in one line.", "type": "string", "minLength": 1 },
                    "detail": text("More about it, as Markdown."),
                    "done": { "description": "Whether it is there already.", "type": "boolean" },
                },
            },
        ],
    })
}

fn verification() -> Value {
    let gate = |gate: GateKind| {
        let what = match gate {
            GateKind::Tests => "Commands of the tests gate.",
            GateKind::Review => "Commands of the review gate, such as linters.",
            GateKind::Validation => "Commands of the validation gate, such as end-to-end tests.",
        };
        (gate.name().to_owned(), texts(what))
    };
    json!({
        "description": "Commands that must succeed on the integrated result. No shell runs them.",
        "type": "object",
        "additionalProperties": false,
        "minProperties": 1,
        "properties": GateKind::ALL.into_iter().map(gate).collect::<serde_json::Map<_, _>>(),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::plan::{
        tests::{read_as, roster},
        yaml_form::{PLAN_KEYS, REQUIREMENT_KEYS, TASK_KEYS, VERIFICATION_KEYS},
    };

    fn keys(of: &Value) -> BTreeSet<&str> {
        of["properties"].as_object().unwrap().keys().map(String::as_str).collect()
    }

    #[test]
    fn the_schema_has_the_keys_that_the_reader_takes_and_describes_each() {
        let schema = schema();
        let requirement = &schema["$defs"]["requirement"]["oneOf"][1];
        let objects = [
            (&schema, PLAN_KEYS.as_slice()),
            (&schema["$defs"]["task"], &TASK_KEYS),
            (requirement, &REQUIREMENT_KEYS),
            (&schema["properties"]["verification"], &VERIFICATION_KEYS),
        ];
        for (object, expected) in objects {
            assert_eq!(keys(object), expected.iter().copied().collect());
            assert_eq!(object["additionalProperties"], false);
            for property in object["properties"].as_object().unwrap().values() {
                assert!(property["description"].is_string(), "{property}");
            }
        }
    }

    /// A plan that has every key of the schema, with a value that the schema allows for it.
    fn example() -> Value {
        json!({
            "title": "T", "preamble": "P",
            "tasks": [
                { "id": "a", "subagent": "backend-datatypes", "title": "A", "notes": "N", "touches": ["src/**"],
                  "requirements": ["one", { "id": "R1", "text": "two", "detail": "more", "done": true }] },
                { "role": "cli", "requirements": ["x"], "needs": "a", "parallel-with": ["a"] },
            ],
            "verification": { "tests": "cargo test", "review": ["cargo clippy"], "validation": ["./e2e"] },
            "acceptance": ["it holds"],
        })
    }

    #[test]
    fn what_the_schema_allows_is_read_and_what_it_refuses_is_not() {
        let read = |plan: &Value| read_as("plan.json", &plan.to_string(), &roster());
        let plan = read(&example()).plan.unwrap();
        assert_eq!((plan.tasks.len(), plan.verification.len(), plan.acceptance.len()), (2, 3, 1));
        assert!(plan.tasks[0].requirements[1].done);

        for pointer in ["", "/tasks/0", "/tasks/0/requirements/1", "/verification"] {
            let mut unknown = example();
            unknown.pointer_mut(pointer).unwrap()["nonsense"] = json!(1);
            assert_eq!(read(&unknown).diagnostics[0].code, "unknown-key", "{pointer}");
        }
        for (pointer, wrong) in [
            ("/tasks", json!({})),
            ("/tasks/0", json!("x")),
            ("/tasks/0/id", json!("A b")),
            ("/tasks/0/subagent", json!("nobody")),
            ("/tasks/1/role", json!("CLI")),
            ("/tasks/0/requirements", json!({})),
            ("/tasks/0/requirements/0", json!("")),
            ("/tasks/0/requirements/1/id", json!("no good")),
            ("/tasks/0/requirements/1/text", json!(["x"])),
            ("/tasks/0/requirements/1/done", json!("true")),
            ("/tasks/0/touches", json!({})),
            ("/verification", json!({})),
            ("/verification/tests", json!({})),
            ("/acceptance", json!({})),
            ("/title", json!([])),
        ] {
            let mut plan = example();
            *plan.pointer_mut(pointer).unwrap() = wrong;
            assert!(read(&plan).plan.is_none(), "{pointer}");
        }
        for (pointer, key) in [("", "tasks"), ("/tasks/1", "role"), ("/tasks/0/requirements/1", "text")] {
            let mut plan = example();
            plan.pointer_mut(pointer).unwrap().as_object_mut().unwrap().remove(key);
            assert!(read(&plan).plan.is_none(), "{pointer} without {key}");
        }
        let mut both = example();
        both["tasks"][1]["subagent"] = json!("backend-cli-implementer");
        assert!(read(&both).plan.is_none());
    }
}
