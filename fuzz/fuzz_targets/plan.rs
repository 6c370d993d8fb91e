#![no_main]
//! Plans in every dialect: whatever is written, there is a plan or there are problems with their lines.
use implementer_model::{plan, roster};
use libfuzzer_sys::fuzz_target;

const NAMES: [&str; 8] =
    ["plan.md", "plan.yml", "plan.json", "specs/1/tasks.md", "openspec/changes/x/tasks.md", ".kiro/specs/x/tasks.md", "docs/stories/1.md", ".taskmaster/tasks/tasks.json"];

fuzz_target!(|data: &[u8]| {
    let Some((first, bytes)) = data.split_first() else { return };
    let name = NAMES[usize::from(*first) % NAMES.len()];
    let reading = plan::read(name, bytes, &roster::builtin());
    assert!(reading.plan.is_some() || !reading.diagnostics.is_empty(), "neither a plan nor a problem");
    for diagnostic in &reading.diagnostics {
        let said = diagnostic.to_string();
        assert!(!said.chars().any(|c| c.is_control() && c != '\n' && c != '\t'), "{said:?}");
    }
});
