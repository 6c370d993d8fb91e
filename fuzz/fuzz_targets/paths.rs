#![no_main]
//! Paths of patches: a check never panics, and what passes is a path that every file system can hold.
use implementer_model::{
    ids::ObjectId,
    patch::{Blob, Change, FileMode, Patch},
    scope::{self, Scope, TreePaths},
    vocabulary::Access,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &str| {
    let id = || ObjectId::new("1".repeat(40)).unwrap();
    let mut lines = data.split('\n');
    let base: Vec<&str> = lines.by_ref().take_while(|line| !line.is_empty()).take(8).collect();
    let changes: Vec<Change> = lines
        .take(8)
        .map(|line| {
            let (path, target) = line.split_once('\t').map_or((line, None), |(path, target)| (path, Some(target)));
            let mode = if target.is_some() { FileMode::Symlink } else { FileMode::Plain };
            Change {
                path: path.to_owned(),
                old: None,
                new: Some(Blob { mode, id: id() }),
                renamed_from: None,
                added: None,
                removed: None,
                link_target: target.map(str::to_owned),
            }
        })
        .collect();
    let patch = Patch { base: id(), base_tree: id(), tree: id(), changes };
    let all = Scope { allow: vec!["**".to_owned()], deny: Vec::new() };
    if let Ok(checked) = scope::check(patch, &all, Access::Writes, Some(&TreePaths::new(base))) {
        for change in &checked.patch().changes {
            let path = &change.path;
            assert!(!path.starts_with('/') && !path.contains(['\\', '\0', '\n', ':']), "{path:?}");
            assert!(!path.split('/').any(|name| name.eq_ignore_ascii_case(".git") || matches!(name, "" | "." | "..")), "{path:?}");
        }
    }
});
