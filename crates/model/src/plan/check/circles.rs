//! Tasks that wait for one another.

use std::collections::BTreeMap;

use super::references::{Index, reaches};
use crate::{
    cycles,
    diagnostics::Position,
    ids::TaskId,
    plan::{draft::OrderLine, source::Problems},
};

/// What each task needs, with the place that says so.
pub(super) type Needs = Vec<BTreeMap<usize, Position>>;

/// How often circles are looked for before all that leads forwards in them is dropped. A plan has a few; a hostile text has
/// very many.
const ROUNDS: usize = 32;

/// How many needs the lists of dependencies of a plan may give.
const ORDERS_MAX: usize = 4096;

/// Refuses circles, in a plan that was written for us.
pub(super) fn refuse(ids: &[TaskId], needs: &Needs, problems: &mut Problems<'_>) {
    for cycle in cycles::find(&edges(needs)) {
        let (Some(first), Some(second)) = (cycle.first(), cycle.get(1)) else { continue };
        let Some(at) = needs[*first].get(second) else { continue };
        let path: Vec<_> = cycle.iter().chain([first]).map(|at| ids[*at].as_str()).collect();
        let message = format!("these tasks wait for one another: {}", path.join(" -> "));
        problems.error("cycle", *at, message, "take one `Needs:` out of the circle");
    }
}

fn edges(needs: &Needs) -> Vec<Vec<usize>> {
    needs.iter().map(|needs| needs.keys().copied().collect()).collect()
}

/// Drops of each circle what was said last, and tells it: who does not know us is not refused for it.
pub(super) fn weaken(ids: &[TaskId], index: &Index<'_>, needs: &mut Needs, problems: &mut Problems<'_>) {
    for round in 0.. {
        let circles = cycles::find(&edges(needs));
        if circles.is_empty() {
            return;
        }
        for circle in &circles {
            let pairs = circle.iter().zip(circle.iter().skip(1).chain(circle.first()));
            let is_last = |who: usize, on: usize| round >= ROUNDS && on > who;
            let said = pairs.filter_map(|(who, on)| Some((*needs[*who].get(on)?, *who, *on)));
            let mut said: Vec<_> = said.collect();
            said.sort_by_key(|(at, who, on)| (at.line, at.column, *on, *who));
            let last = said.last().copied();
            let dropped = said.into_iter().filter(|found| Some(*found) == last || is_last(found.1, found.2));
            for (at, who, on) in dropped {
                needs[who].remove(&on);
                index.tell_circle(&ids[who], &ids[on], at, problems);
            }
        }
        if round >= ROUNDS {
            let on_circle: std::collections::BTreeSet<usize> = circles.into_iter().flatten().collect();
            for who in &on_circle {
                needs[*who].retain(|on, _| on < who || !on_circle.contains(on));
            }
        }
    }
}

/// Adds what the lists of dependencies of a plan say. What would close a circle is told and left out.
pub(super) fn add_orders(
    orders: &[OrderLine],
    ids: &[TaskId],
    index: &Index<'_>,
    needs: &mut Needs,
    problems: &mut Problems<'_>,
) {
    let mut left = ORDERS_MAX;
    for order in orders {
        let (mut waits, unknown) = index.named(&order.said.waits);
        let (mut on, unknown_on) = index.named(&order.said.on);
        if order.is_told {
            index.tell_unknown_of(&unknown, !on.is_empty(), order.at, problems);
            index.tell_unknown_of(&unknown_on, !waits.is_empty(), order.at, problems);
        }
        // Arrows lead either way; the later part of the plan waits for the earlier one.
        if order.said.is_arrow && on.first() > waits.first() {
            std::mem::swap(&mut waits, &mut on);
        }
        let pairs = waits.iter().flat_map(|who| on.iter().map(move |other| (*who, *other)));
        let apart = pairs.filter(|(who, other)| !on.contains(who) && !waits.contains(other));
        for (who, other) in apart.take(left) {
            left -= 1;
            if reaches(needs, other, who) {
                index.tell_circle(&ids[who], &ids[other], order.at, problems);
            } else {
                needs[who].entry(other).or_insert(order.at);
            }
        }
    }
}
