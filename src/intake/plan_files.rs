//! Plans as files: one file, or a folder whose other files are there to be read.

use std::{fs, io, path::Path};

use implementer_model::{
    ids::ObjectId,
    plan::{self, ContextFile, Folder, PLAN_MAX_BYTES},
};

use crate::workspace::{WorkspaceError, store::RunStore};

/// How deep below a folder files are looked for.
const DEPTH_MAX: usize = 3;

/// The most files of a folder that are looked at.
const FILES_MAX: usize = 256;

/// The most bytes of a file that is there to be read: more is cut anyway.
const CONTEXT_MAX: usize = 256 * 1024;

/// Reads the plan at `path`, a file or a folder, as one text; `name` is what the user calls it.
///
/// # Errors
/// When it cannot be read, or the folder holds no plan.
pub fn read(path: &Path, name: &str) -> io::Result<Vec<u8>> {
    if path.is_dir() {
        return folder(path, name, None);
    }
    let beside = path.parent().filter(|_| path.file_name().is_some_and(|file| file == "tasks.md"));
    let is_spec = |folder: &&Path| {
        ["spec.md", "requirements.md", "proposal.md", "design.md"].iter().any(|name| folder.join(name).is_file())
    };
    match beside.filter(is_spec) {
        Some(beside) => folder(beside, name.strip_suffix("/tasks.md").unwrap_or("."), Some("tasks.md")),
        None => crate::untrusted::read_named(path, PLAN_MAX_BYTES),
    }
}

/// Reads a folder with a plan.
fn folder(path: &Path, name: &str, plan: Option<&str>) -> io::Result<Vec<u8>> {
    let mut names = Vec::new();
    list(path, "", 0, &mut names)?;
    names.sort();
    let chosen = plan::choose(&names).filter(|chosen| plan.is_none_or(|plan| chosen.plan == plan));
    let chosen = chosen.ok_or_else(|| {
        let what = "the folder holds no plan: name its file, or call it tasks.md, tasks.json or plan.md";
        io::Error::new(io::ErrorKind::NotFound, what)
    })?;
    let name = name.trim_end_matches('/');
    let text = crate::untrusted::read_named(&path.join(&chosen.plan), PLAN_MAX_BYTES)?;
    let path = fs::canonicalize(path)?;
    let root = path.ancestors().find(|folder| folder.join(".git").exists()).unwrap_or(&path);
    let inside = path.strip_prefix(root).ok().and_then(Path::to_str).unwrap_or(name).to_owned();
    let beside = chosen.context.iter().map(|file| format!("{inside}/{file}").trim_start_matches('/').to_owned());
    let shared = plan::shared_context(&inside).iter().map(|file| (*file).to_owned());
    let mut context = Vec::new();
    for file in beside.chain(shared) {
        let found = root.join(&file);
        if found.is_file() {
            let text = String::from_utf8_lossy(&crate::untrusted::read_named(&found, CONTEXT_MAX)?).into_owned();
            context.push(ContextFile { path: file, text });
        }
    }
    let plan_name = format!("{name}/{}", chosen.plan);
    Ok(packed(plan_name, text, context))
}

/// Lists the files below a folder by their paths in it. Links are not followed.
fn list(folder: &Path, prefix: &str, depth: usize, names: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let Some(name) = entry.file_name().to_str().map(|name| format!("{prefix}{name}")) else { continue };
        let kind = entry.file_type()?;
        if kind.is_dir() && depth < DEPTH_MAX {
            list(&entry.path(), &format!("{name}/"), depth + 1, names)?;
        } else if kind.is_file() && names.len() < FILES_MAX {
            names.push(name);
        }
    }
    Ok(())
}

/// Reads the plan at `path` of a tree, a file or a folder, as one text; `None` when there is none.
///
/// # Errors
/// When the object store cannot be read.
pub fn read_from_tree(store: &RunStore, tree: &ObjectId, path: &str) -> Result<Option<Vec<u8>>, WorkspaceError> {
    let path = path.trim_end_matches('/');
    if let Some(bytes) = store.read_file(tree, path)? {
        return Ok(Some(bytes));
    }
    let prefix = format!("{path}/");
    let files = store.list_files(tree, path)?;
    let names: Vec<String> =
        files.iter().filter_map(|file| file.strip_prefix(&prefix)).take(FILES_MAX).map(str::to_owned).collect();
    let Some(chosen) = plan::choose(&names) else { return Ok(None) };
    let plan_name = format!("{prefix}{}", chosen.plan);
    let Some(text) = store.read_file(tree, &plan_name)? else { return Ok(None) };
    let beside = chosen.context.iter().map(|file| format!("{prefix}{file}"));
    let shared = plan::shared_context(path).iter().map(|file| (*file).to_owned());
    let mut context = Vec::new();
    for path in beside.chain(shared) {
        if let Some(text) = store.read_file(tree, &path)? {
            context.push(ContextFile { path, text: String::from_utf8_lossy(&text).into_owned() });
        }
    }
    Ok(Some(packed(plan_name, text, context)))
}

/// Puts a plan and its context into one text. A plan that is no text is handed on as it is, so that it is refused as such.
fn packed(name: String, text: Vec<u8>, context: Vec<ContextFile>) -> Vec<u8> {
    match String::from_utf8(text) {
        Ok(text) if !context.is_empty() || text.len() <= PLAN_MAX_BYTES => Folder::new(name, text, context).to_bytes(),
        Ok(text) => text.into_bytes(),
        Err(error) => error.into_bytes(),
    }
}
