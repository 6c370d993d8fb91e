//! What each task may touch.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use super::draft::Draft;
use crate::{
    diagnostics::{Diagnostic, Severity},
    ids::SubagentName,
    plan::Plan,
    roster::{Access, Origin, Phase, Roster, Subagent},
    scope::{Exclusions, Scope, matches_everything, overlap, validate_glob},
};

/// Gives every draft its scope, and reports globs that cannot be read or can match nothing that the task may touch.
pub(super) fn assign(
    plan: &Plan,
    roster: &Roster,
    protected: &[String],
    drafts: &mut [Draft<'_>],
    problems: &mut Vec<Diagnostic>,
) {
    check_definitions(plan, protected, drafts, problems);
    let mut denied: BTreeMap<&SubagentName, Arc<[String]>> = BTreeMap::new();
    for draft in drafts.iter_mut().filter(|draft| draft.task.access == Access::Writes) {
        let allow = if draft.touches.is_empty() { &draft.subagent.scope } else { draft.touches };
        let deny = denied.entry(&draft.subagent.name).or_insert_with(|| with(&draft.subagent.exclude, protected));
        let exclusions = Exclusions::new(if draft.touches.is_empty() { &[] } else { deny });
        for glob in draft.touches {
            match exclusions.of(glob) {
                Ok(None) => {}
                Ok(Some(exclusion)) => problems.push(excluded(plan, roster, protected, draft, glob, exclusion)),
                Err(error) => {
                    problems.push(draft.error(plan, "invalid-glob", error.to_string()).hint(error.hint));
                }
            }
        }
        draft.task.scope = Scope { allow: allow.to_vec(), deny: Arc::clone(deny) };
    }
    yield_to_specialists(drafts);
    // What items name comes behind what is divided up: two tasks may have it, one after the other.
    for draft in drafts.iter_mut().filter(|draft| draft.touches.is_empty()) {
        let allow = &mut draft.task.scope.allow;
        let more = draft.also_touches.iter().filter(|glob| !allow.contains(glob));
        let more: Vec<String> = more.cloned().collect();
        allow.extend(more);
    }
}

/// Reports globs in definitions and in the configuration that cannot be read, each once.
fn check_definitions(plan: &Plan, protected: &[String], drafts: &[Draft<'_>], problems: &mut Vec<Diagnostic>) {
    let mut report = |file: &str, whose: &str, glob: &str| {
        if let Err(error) = validate_glob(glob) {
            let message = format!("{whose}: {error}");
            problems.push(Diagnostic::new(Severity::Error, "invalid-glob", file, message).hint(error.hint));
        }
    };
    let mut seen = HashSet::new();
    for Draft { subagent, .. } in drafts.iter().filter(|draft| seen.insert(&draft.subagent.name)) {
        let file = match &subagent.origin {
            Origin::File(path) => path,
            Origin::BuiltIn => &plan.source,
        };
        for glob in subagent.scope.iter().chain(&subagent.exclude) {
            report(file, &format!("scope of `{}`", subagent.name), glob);
        }
    }
    for glob in protected {
        report(crate::config::CONFIG_PATH, "protected paths", glob);
    }
}

fn excluded(
    plan: &Plan,
    roster: &Roster,
    protected: &[String],
    draft: &Draft<'_>,
    glob: &str,
    exclusion: &str,
) -> Diagnostic {
    let message = format!("`{}` may not touch `{glob}`: `{exclusion}` is excluded", draft.task.id);
    let diagnostic = draft.error(plan, "touches-excluded", message);
    if protected.iter().any(|glob| glob == exclusion) {
        return diagnostic.hint("these paths are protected: no subagent may touch them");
    }
    let wanted = Scope { allow: vec![glob.to_owned()], deny: [].into() };
    let owns = |subagent: &&Subagent| {
        let scope = Scope { allow: subagent.scope.clone(), deny: subagent.exclude.clone().into() };
        subagent.access == Access::Writes && subagent.name != draft.subagent.name && overlap(&scope, &wanted).is_some()
    };
    let mut owners: Vec<&Subagent> = roster.iter().filter(owns).collect();
    // Whoever may touch everything owns nothing in particular, as long as somebody else does.
    if owners.iter().any(|subagent| !is_catch_all(&subagent.scope)) {
        owners.retain(|subagent| !is_catch_all(&subagent.scope));
    }
    let names: Vec<String> = owners.iter().map(|subagent| format!("`{}`", subagent.name)).collect();
    diagnostic.hint(match names.as_slice() {
        [] => "no subagent of the roster owns these paths".to_owned(),
        [name] => format!("these paths are {name}'s: give it a task of its own"),
        names => format!("these paths belong to {}: give one of them a task of its own", names.join(" and ")),
    })
}

fn is_catch_all(allow: &[String]) -> bool {
    allow.iter().any(|glob| matches_everything(glob))
}

/// Denies catch-all tasks what the specialists' tasks of the same phase may touch, so that they can run side by side.
fn yield_to_specialists(drafts: &mut [Draft<'_>]) {
    for phase in Phase::ALL {
        let in_phase = |draft: &Draft<'_>| draft.task.access == Access::Writes && draft.task.phase() == phase;
        let catch_all: Vec<bool> =
            drafts.iter().map(|draft| in_phase(draft) && is_catch_all(&draft.task.scope.allow)).collect();
        let specialists: Vec<_> = drafts
            .iter()
            .zip(&catch_all)
            .filter(|(draft, catch_all)| in_phase(draft) && !**catch_all)
            .map(|(draft, _)| (&draft.subagent.name, draft.task.scope.allow.clone()))
            .collect();
        for (draft, _) in drafts.iter_mut().zip(&catch_all).filter(|(_, catch_all)| **catch_all) {
            if !draft.touches.is_empty() {
                continue;
            }
            let own = &draft.subagent.name;
            for (_, globs) in specialists.iter().filter(|(subagent, _)| *subagent != own) {
                let denied = &mut draft.task.scope.deny;
                *denied = with(denied, globs);
            }
        }
    }
}

/// Returns globs with more of them behind, each once.
fn with(globs: &[String], more: &[String]) -> Arc<[String]> {
    globs.iter().chain(more.iter().filter(|glob| !globs.contains(glob))).cloned().collect()
}
