//! What lies in a checkout and not in the commit that a run takes its rules from: it has no say, which surprises people
//! who have just written it.

use std::path::Path;

use implementer_model::{
    config::CONFIG_PATH,
    diagnostics::{Diagnostic, Severity},
    plan::PLAN_MAX_BYTES,
    roster::AgentFile,
};

use crate::{
    intake,
    workspace::{
        WorkspaceError,
        store::{Base, RunStore},
    },
};

/// How many paths a warning names before the rest is only counted.
const SHOWN: usize = 5;

/// Finds the agent files, the configuration and the plan at `plan` of the checkout at `root` that `rules` does not have, or
/// has otherwise.
///
/// # Errors
/// When the commit cannot be read. A checkout that cannot be read has nothing to say.
pub fn find(
    root: &Path,
    store: &RunStore,
    rules: &Base,
    plan: Option<&str>,
) -> Result<Vec<Diagnostic>, WorkspaceError> {
    let mut files = intake::roster_files_on_disk(root).unwrap_or_default();
    for path in [CONFIG_PATH].into_iter().chain(plan) {
        if let Ok(content) = crate::untrusted::read_named(&root.join(path), PLAN_MAX_BYTES) {
            files.push(AgentFile { path: path.to_owned(), content });
        }
    }
    let (mut new, mut changed, mut followed) = (Vec::new(), Vec::new(), Vec::new());
    for file in files {
        match store.read_file(&rules.tree, &file.path)? {
            Some(committed) if is_same(&committed, &file.content) => {}
            // Only the plan is read where it lies.
            _ if plan == Some(file.path.as_str()) => followed.push(file.path),
            None => new.push(file.path),
            Some(_) => changed.push(file.path),
        }
    }
    let base = &rules.commit.as_str()[..10];
    let rules =
        "a run follows configuration and agent files as they are committed; commit it, or name a base that has it";
    let said = [
        (new, format!("found in your checkout, not in base {base}: it does not count; commit it"), rules),
        (changed, format!("your checkout differs from base {base}, which counts: commit it"), rules),
        (
            followed,
            format!("it is followed as it lies in your checkout, which differs from base {base}: commit it"),
            "a plan is read where it lies; only a plan that is committed is there for whoever looks at the result",
        ),
    ];
    Ok(said.into_iter().filter_map(|(paths, message, hint)| warning(&paths, &message, hint)).collect())
}

/// Compares contents but for the ends of lines, which a checkout may write in another way.
fn is_same(committed: &[u8], found: &[u8]) -> bool {
    let plain = |content: &[u8]| String::from_utf8_lossy(content).replace("\r\n", "\n");
    committed == found || plain(committed) == plain(found)
}

fn warning(paths: &[String], message: &str, hint: &str) -> Option<Diagnostic> {
    let (first, others) = paths.split_first()?;
    let shown: Vec<_> = others.iter().take(SHOWN).map(String::as_str).collect();
    let more = others.len() - shown.len();
    let also = match (shown.is_empty(), more) {
        (true, _) => String::new(),
        (false, 0) => format!(" (also {})", shown.join(", ")),
        (false, more) => format!(" (also {} and {more} more)", shown.join(", ")),
    };
    let diagnostic = Diagnostic::new(Severity::Warning, "not-in-base", first, format!("{message}{also}"));
    Some(diagnostic.hint(hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_of_lines_are_no_difference() {
        assert!(is_same(b"a\nb\n", b"a\r\nb\r\n"));
        assert!(!is_same(b"a\nb\n", b"a\nc\n"));
    }

    #[test]
    fn many_files_are_one_warning() {
        assert_eq!(warning(&[], "", ""), None);
        let paths: Vec<_> = (1..=8).map(|n| format!("{n}.md")).collect();
        let said = warning(&paths, "it does not count", "commit it").unwrap();
        assert_eq!(said.file, "1.md");
        assert_eq!(said.message, "it does not count (also 2.md, 3.md, 4.md, 5.md, 6.md and 2 more)");
    }
}
