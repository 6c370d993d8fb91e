//! Reports that come as a model's answer: as an object that its program hands over, or somewhere in its last words. And
//! the form of the schema that model interfaces take when they are to keep to it.

use serde_json::{Map, Value};

use super::{ReadReport, ReportError, schema};

/// Reads a report that was handed over as a value. A field that is null counts as left out: where every field must be
/// given ([`strict_schema`]), that is how one is left out.
///
/// # Errors
/// When it is not a report.
pub fn from_value(mut value: Value) -> Result<ReadReport, ReportError> {
    drop_nulls(&mut value);
    ReadReport::new(value.to_string().as_bytes())
}

/// Finds a report in a model's last words: the words themselves, else the last fenced block that holds a JSON object,
/// else the object that ends the words. `None` when there is nothing like an object.
///
/// # Errors
/// When there is an object, and it is not a report.
#[must_use]
pub fn from_answer(words: &str) -> Option<Result<ReadReport, ReportError>> {
    let objects = |text: &str| {
        let text = text.trim();
        serde_json::from_str::<Value>(text).ok().filter(Value::is_object)
    };
    let value = objects(words).or_else(|| fenced(words).rev().find_map(objects)).or_else(|| trailing(words))?;
    Some(from_value(value))
}

/// Returns the contents of fenced blocks. What a model writes is simple enough for that: a line of three backticks or
/// more, with a language or without, and another such line.
fn fenced(words: &str) -> impl DoubleEndedIterator<Item = &str> {
    let mut blocks = Vec::new();
    let mut open = None;
    let mut at = 0;
    for line in words.split_inclusive('\n') {
        let next = at + line.len();
        if line.trim_start().starts_with("```") {
            match open.take() {
                None => open = Some(next),
                Some(begin) => blocks.push(&words[begin..at]),
            }
        }
        at = next;
    }
    blocks.into_iter()
}

/// Returns the object that ends the words, whatever stands before it.
fn trailing(words: &str) -> Option<Value> {
    let words = words.trim_end();
    if !words.ends_with('}') {
        return None;
    }
    // At most so many beginnings are tried: words may hold any number of brackets.
    let begins = words.match_indices('{').map(|(at, _)| at).take(200);
    begins.filter_map(|at| serde_json::from_str::<Value>(&words[at..]).ok()).find(Value::is_object)
}

fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, field| !field.is_null());
            fields.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

/// Returns the schema of a report as interfaces take it that force a model to keep to it: every field of an object is
/// required, one that may be left out may be null instead, and words that they do not know are gone ("Structured model
/// outputs", OpenAI's guide: objects must be closed, all fields required, and only some keywords are known).
#[must_use]
pub fn strict_schema() -> Value {
    let mut schema = schema();
    strict(&mut schema);
    if let Some(root) = schema.as_object_mut() {
        root.remove("$schema");
        root.remove("title");
    }
    schema
}

/// The keywords that stay.
const KNOWN: [&str; 12] = [
    "$defs",
    "$ref",
    "$schema",
    "additionalProperties",
    "anyOf",
    "description",
    "enum",
    "items",
    "properties",
    "required",
    "title",
    "type",
];

fn strict(schema: &mut Value) {
    let Some(fields) = schema.as_object_mut() else { return };
    // A closed list of constants, each with a description, is an enumeration to them.
    if let Some(Value::Array(choices)) = fields.remove("oneOf") {
        let constants: Option<Vec<_>> = choices.iter().map(|choice| choice.get("const").cloned()).collect();
        match constants {
            Some(constants) => drop(fields.insert("enum".to_owned(), constants.into())),
            None => drop(fields.insert("anyOf".to_owned(), choices.into())),
        }
        fields.entry("type").or_insert_with(|| "string".into());
    }
    if let Some(constant) = fields.remove("const") {
        fields.insert("enum".to_owned(), vec![constant].into());
    }
    fields.retain(|keyword, _| KNOWN.contains(&keyword.as_str()));
    // Beside a reference nothing else may stand.
    if let Some(reference) = fields.get("$ref").cloned() {
        *fields = Map::from_iter([("$ref".to_owned(), reference)]);
        return;
    }
    let required: Vec<String> = fields
        .get("required")
        .and_then(Value::as_array)
        .map(|names| names.iter().filter_map(Value::as_str).map(str::to_owned).collect())
        .unwrap_or_default();
    if let Some(Value::Object(properties)) = fields.get_mut("properties") {
        for (name, property) in properties.iter_mut() {
            strict(property);
            if !required.contains(name) {
                nullable(property);
            }
        }
        let all: Vec<_> = properties.keys().cloned().collect();
        fields.insert("required".to_owned(), all.into());
    }
    if let Some(items) = fields.get_mut("items") {
        strict(items);
    }
    if let Some(Value::Array(choices)) = fields.get_mut("anyOf") {
        choices.iter_mut().for_each(strict);
    }
    if let Some(Value::Object(definitions)) = fields.get_mut("$defs") {
        definitions.values_mut().for_each(strict);
    }
}

/// Lets a property be null.
fn nullable(property: &mut Value) {
    let Some(fields) = property.as_object_mut() else { return };
    match fields.get("type") {
        Some(Value::String(kind)) => {
            let kinds = Value::from(vec![kind.clone(), "null".to_owned()]);
            fields.insert("type".to_owned(), kinds);
        }
        // It may be already.
        Some(Value::Array(_)) => {}
        _ if fields.contains_key("anyOf") => {}
        _ => *property = serde_json::json!({ "anyOf": [property.take(), { "type": "null" }] }),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::report::ReportStatus;

    const GOOD: &str = r#"{"version": 1, "status": "completed", "summary": "done"}"#;

    #[test]
    fn a_report_is_found_wherever_a_model_puts_it() {
        let put = [
            GOOD.to_owned(),
            format!("  \n{GOOD}\n"),
            format!("Here you are:\n\n```json\n{GOOD}\n```\n"),
            format!("```json\n{{\"other\": 1}}\n```\nand the report:\n  ```\n{GOOD}\n```\nBye."),
            format!("I changed {{a}} and {{b}}. {GOOD}"),
        ];
        for words in put {
            let read = from_answer(&words).unwrap_or_else(|| panic!("nothing in {words}"));
            assert_eq!(read.unwrap().report.summary, "done", "{words}");
        }
        for words in
            ["", "I am done.", "[1, 2]", "```\nno object\n```", "} {", "\"text\"", "{ not json }", "```json\n{}"]
        {
            assert!(from_answer(words).is_none_or(|read| read.is_err()), "{words}");
        }
        assert!(from_answer("{\"status\": \"completed\"}").unwrap().is_err(), "an object that is no report");
    }

    #[test]
    fn many_brackets_take_no_time() {
        let words = "{".repeat(200_000) + "}";
        assert!(from_answer(&words).is_none());
    }

    #[test]
    fn null_is_left_out() {
        let value = json!({
            "version": 1, "status": "blocked", "summary": "s", "files": null, "items": null, "requirements": [],
            "limitations": [{ "text": "t", "needs": null }], "findings": null, "evidence": null
        });
        let report = from_value(value).unwrap().report;
        assert_eq!((report.status, report.limitations[0].needs.is_none()), (ReportStatus::Blocked, true));
        assert!(from_value(json!({ "version": 1, "status": null, "summary": "s" })).is_err());
    }

    /// Checks what "Structured model outputs" demands of every schema inside.
    fn assert_strict(schema: &Value, place: &str) {
        let fields = schema.as_object().unwrap_or_else(|| panic!("{place} is no object"));
        for keyword in fields.keys() {
            assert!(KNOWN.contains(&keyword.as_str()), "{place}: {keyword}");
        }
        assert!(fields.len() == 1 || !fields.contains_key("$ref"), "{place}: something beside a reference");
        if let Some(properties) = schema["properties"].as_object() {
            assert_eq!(schema["additionalProperties"], false, "{place}");
            let names: Vec<_> = properties.keys().collect();
            assert_eq!(schema["required"], json!(names), "{place}");
            properties.iter().for_each(|(name, property)| assert_strict(property, &format!("{place}.{name}")));
        }
        if let Some(items) = fields.get("items") {
            assert_strict(items, &format!("{place}[]"));
        }
        for choice in schema["anyOf"].as_array().into_iter().flatten() {
            assert_strict(choice, &format!("{place}|"));
        }
        for (name, definition) in schema["$defs"].as_object().into_iter().flatten() {
            assert_strict(definition, &format!("${name}"));
        }
    }

    #[test]
    fn the_strict_schema_is_strict_and_says_the_same() {
        let schema = strict_schema();
        assert_strict(&schema, "");
        assert_eq!(schema["properties"]["files"]["type"], json!(["array", "null"]));
        assert_eq!(schema["properties"]["version"]["enum"], json!([1]));
        assert_eq!(schema["properties"]["summary"]["type"], "string");
        assert_eq!(schema["$defs"]["ReportStatus"]["enum"], json!(["completed", "blocked", "failed"]));
        assert_eq!(schema["$defs"]["ReportedFinding"]["properties"]["line"]["type"], json!(["integer", "null"]));
    }
}
