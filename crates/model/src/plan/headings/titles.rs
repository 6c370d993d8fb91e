//! Headings of which the name of a domain is only a part.

use crate::{plan::domains, roster::Role};

/// Finds the role that a heading names beside other words: by a noun ("Operator CLI"), behind a name of its own ("Team
/// Platform: Infrastructure"), or twice ("Ops / Infra").
pub(super) fn role(head: &str, tail: &str, phrase: &str) -> Option<Role> {
    twice(head).or_else(|| behind_a_name(phrase, tail)).or_else(|| domains::role_of_title(phrase))
}

fn twice(head: &str) -> Option<Role> {
    let mut parts = head.split('/').map(|part| domains::role(&domains::normal(part)));
    let first = parts.next()??;
    let others: Vec<Option<Role>> = parts.collect();
    (!others.is_empty() && others.iter().all(|other| *other == Some(first))).then_some(first)
}

/// Finds the role that is all that stands behind a short name. What the name is about may itself be reviewed or validated,
/// which is work on the program: "Order form: validation".
fn behind_a_name(phrase: &str, tail: &str) -> Option<Role> {
    const NOT_WORK: &str = "option|risk|question|alternative|note|decision|assumption|goal|finding|issue|problem|example|appendix|overview|\
         current|existing|status|context|background|out|why|about";
    let first = phrase.split(' ').next().unwrap_or_default();
    let is_name = phrase.split(' ').count() <= 3 && !first.is_empty() && !domains::holds(NOT_WORK, first);
    let named = tail.split_once(" (").map_or(tail, |(named, _)| named);
    let role = domains::role(&domains::normal(named)).filter(|_| is_name && !domains::asks(phrase))?;
    // Everybody's work is a feature, and a name says more than that.
    (!matches!(role, Role::Review | Role::Validation | Role::Feature)).then_some(role)
}
