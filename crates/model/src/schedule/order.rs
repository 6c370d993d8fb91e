//! Which task comes after which: needs, and the order of the phases.

use std::collections::{HashMap, HashSet};

use super::draft::Draft;
use crate::{cycles, diagnostics::Diagnostic, ids::TaskId, plan::Plan, roster::Role};

/// For each task, by its place in the plan, the tasks that it comes after.
#[derive(Debug)]
pub(super) struct Order {
    pub(super) after: Vec<Vec<usize>>,
}

impl Order {
    /// Finds out what comes after what, and reports needs that cannot be met.
    pub(super) fn new(plan: &Plan, drafts: &[Draft<'_>], problems: &mut Vec<Diagnostic>) -> Self {
        let places: HashMap<&TaskId, usize> =
            drafts.iter().enumerate().map(|(at, draft)| (&draft.task.id, at)).collect();
        // A task that was refused is no draft, but it is not unknown either.
        let known: HashSet<&TaskId> = plan.tasks.iter().map(|task| &task.id).chain(places.keys().copied()).collect();
        let parallel = parallel_pairs(plan, drafts, &places, &known, problems);
        let side_by_side = |a: usize, b: usize| parallel.contains(&(a.min(b), a.max(b)));

        let mut needs: Vec<Vec<usize>> = Vec::with_capacity(drafts.len());
        for (at, draft) in drafts.iter().enumerate() {
            for need in draft.task.needs.iter().filter(|need| !known.contains(need)) {
                let message = format!("`{}` needs `{need}`, which is no task of the plan", draft.task.id);
                problems.push(hint_nearest(draft.error(plan, "unknown-need", message), need, &known));
            }
            needs.push(draft.task.needs.iter().filter_map(|need| places.get(need).copied()).collect());
            for &need in &needs[at] {
                let (needed, needing) = (drafts[need].task.role, draft.task.role);
                if needed.rank() > needing.rank() && !side_by_side(at, need) {
                    problems.push(needs_later(plan, draft, &drafts[need]));
                }
            }
        }
        for circle in apart(cycles::find(&needs)) {
            problems.push(cycle(plan, drafts, &circle, "each needs the next: drop one of the needs"));
        }

        let mut after = needs;
        for (at, draft) in drafts.iter().enumerate() {
            let ranks = drafts.iter().enumerate().filter(|(_, other)| other.task.role.rank() < draft.task.role.rank());
            let earlier = ranks.map(|(other, _)| other).filter(|&other| !side_by_side(at, other));
            after[at].extend(earlier);
            after[at].sort_unstable();
            after[at].dedup();
        }
        // What phases and needs together make impossible is worth saying only when each alone is in order.
        if problems.is_empty() {
            for circle in apart(cycles::find(&after)) {
                let hint = "each comes after the next, by a need or by the order of the phases: drop one of the needs";
                problems.push(cycle(plan, drafts, &circle, hint));
            }
        }
        Self { after }
    }
}

/// Collects the pairs between which the order of the phases is lifted, the smaller place first.
fn parallel_pairs(
    plan: &Plan,
    drafts: &[Draft<'_>],
    places: &HashMap<&TaskId, usize>,
    known: &HashSet<&TaskId>,
    problems: &mut Vec<Diagnostic>,
) -> HashSet<(usize, usize)> {
    let mut pairs = HashSet::new();
    for (at, draft) in drafts.iter().enumerate() {
        for other in draft.parallel_with {
            if let Some(&other) = places.get(other) {
                pairs.insert((at.min(other), at.max(other)));
            } else if !known.contains(other) {
                let message = format!("`{}` may run beside `{other}`, which is no task of the plan", draft.task.id);
                problems.push(hint_nearest(draft.error(plan, "unknown-parallel-task", message), other, known));
            }
        }
    }
    pairs
}

fn hint_nearest(diagnostic: Diagnostic, word: &TaskId, known: &HashSet<&TaskId>) -> Diagnostic {
    let mut names: Vec<&str> = known.iter().map(|id| id.as_str()).collect();
    names.sort_unstable();
    match crate::text::nearest(word.as_str(), names) {
        Some(name) => diagnostic.hint(format!("did you mean `{name}`?")),
        None => diagnostic,
    }
}

fn needs_later(plan: &Plan, draft: &Draft<'_>, need: &Draft<'_>) -> Diagnostic {
    let (task, needed) = (&draft.task, &need.task);
    let place = |role: Role| match role.gate() {
        Some(_) => format!("{} ({})", role.phase().name(), role.title().to_lowercase()),
        None => role.phase().name().to_owned(),
    };
    let message = format!(
        "`{}` needs `{}`, which runs later: {} comes after {}",
        task.id,
        needed.id,
        place(needed.role),
        place(task.role),
    );
    draft.error(plan, "needs-later-phase", message).hint(
        "the order is foundation, core, quality (tests, review, validation), readiness: drop the need, or give the work \
         to a subagent of a later phase",
    )
}

fn cycle(plan: &Plan, drafts: &[Draft<'_>], circle: &[usize], hint: &str) -> Diagnostic {
    let mut names: Vec<&str> = circle.iter().map(|at| drafts[*at].task.id.as_str()).collect();
    names.extend(names.first().copied());
    let message = format!("tasks wait for each other: `{}`", names.join(" -> "));
    drafts[circle[0]].error(plan, "cycle", message).hint(hint)
}

/// Leaves out the circles that share a member with one before them: taking that one apart may mend them too, and through
/// the order of the phases there may be very many.
fn apart(circles: Vec<Vec<usize>>) -> impl Iterator<Item = Vec<usize>> {
    let mut told = HashSet::new();
    circles.into_iter().filter(move |circle| {
        let is_apart = circle.iter().all(|member| !told.contains(member));
        if is_apart {
            told.extend(circle.iter().copied());
        }
        is_apart
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ranks_keep_to_the_phases() {
        for (a, b) in Role::ALL.into_iter().zip(Role::ALL.into_iter().skip(1)) {
            assert!(a.phase() <= b.phase() && a.rank() <= b.rank());
            assert!(a.phase() == b.phase() || a.rank() < b.rank());
        }
    }
}
