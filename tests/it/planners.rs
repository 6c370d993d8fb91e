//! The templates of public planners, read whole. `scripts/install-planners` installs them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::{plans::preview, support::Bench};

/// Returns what became of the items of a preview.
fn fates(preview: &Value) -> Vec<&str> {
    let items = preview["plan"]["items"].as_array().unwrap();
    items.iter().map(|item| item["became"].as_str().unwrap()).collect()
}

fn template(path: &str) -> PathBuf {
    let found = Path::new(env!("CARGO_MANIFEST_DIR")).join(".tools/planners").join(path);
    assert!(found.is_file(), "{} is missing: run scripts/install-planners", found.display());
    found
}

#[test]
fn the_template_of_spec_kit_is_read_whole() {
    let path = template("specify-cli/specify_cli/core_pack/templates/tasks-template.md");
    let text = fs::read_to_string(&path).unwrap();
    let preview = preview(&Bench::new(), &path);
    assert_eq!(preview["plan"]["dialect"], "spec-kit");
    let boxes = text.lines().filter(|line| line.trim_start().starts_with("- [ ] ")).count();
    let work = fates(&preview).into_iter().filter(|fate| *fate == "requirement").count();
    assert_eq!(work, boxes);
}

#[test]
fn the_template_of_openspec_is_read_whole() {
    let path = template("openspec/package/schemas/spec-driven/templates/tasks.md");
    let text = fs::read_to_string(&path).unwrap();
    let preview = preview(&Bench::new(), &path);
    assert_eq!(preview["plan"]["dialect"], "openspec");
    let boxes = text.lines().filter(|line| line.starts_with("- [ ] ")).count();
    assert_eq!(fates(&preview).into_iter().filter(|fate| *fate == "requirement").count(), boxes);
}
