//! `action.yml`, the ready workflow and their page say what the program does.

use std::{collections::BTreeSet, fs, path::Path};

use backend_implementer::actions::{INPUTS, OUTPUTS};
use serde::Deserialize;
use serde_yaml::{Mapping, Value};

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path))
        .unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[derive(Deserialize)]
struct Action {
    inputs: Mapping,
    outputs: Mapping,
    runs: Mapping,
}

fn names(mapping: &Mapping) -> BTreeSet<String> {
    mapping.keys().map(|key| key.as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_action_has_exactly_the_inputs_and_outputs_of_the_program() {
    let action: Action = serde_yaml::from_str(&read("action.yml")).unwrap();
    assert_eq!(names(&action.inputs), INPUTS.map(str::to_owned).into());
    assert_eq!(names(&action.outputs), OUTPUTS.map(str::to_owned).into());
    let page = read("docs/action.md");
    for name in INPUTS.iter().chain(&OUTPUTS) {
        assert!(page.contains(&format!("| `{name}` |")), "docs/action.md does not list `{name}`");
    }
    // Both entry points are the name under which the program is always the action, and the image has it.
    let entry = action.runs.get("entrypoint").and_then(Value::as_str).unwrap();
    assert_eq!(action.runs.get("post-entrypoint").and_then(Value::as_str), Some(entry));
    assert!(read("Dockerfile").contains(&format!("ln -s backend-implementer {entry}")));
}

#[test]
fn the_documents_show_the_ready_workflows_as_they_are() {
    for path in ["examples/workflows/backend-implementer.yml", "examples/workflows/backend-implementer-preview.yml"] {
        assert!(read("docs/action.md").contains(path), "{path}");
        let jobs: Value = serde_yaml::from_str(&read(path)).unwrap();
        assert!(jobs["permissions"].as_mapping().unwrap().is_empty(), "nothing is granted to all jobs of {path}");
    }
}
