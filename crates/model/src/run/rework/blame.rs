//! Whom evidence beside bisecting blames for a red gate. Each kind of it has to name one task, else it says nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::{RedGates, owner_of, place_of};
use crate::{
    evidence::{restore, results::TestResult},
    gate::{CommandReceipt, GateKind},
    ids::TaskId,
    roster::Role,
    schedule::Task,
    text,
};

/// Finds the task that is to blame, and why: by blocking findings of the gate's own subagent, by what the output and the
/// messages of failed tests name, by the package of the failed tests, for tests by blocking findings of others, and because
/// nobody else changed anything. Where it was one of some tasks, nobody else is blamed.
pub(super) fn by_evidence<'a>(
    red: &RedGates<'a>,
    gate: GateKind,
    command: &CommandReceipt,
    are_new_tests: bool,
) -> Option<(&'a TaskId, String)> {
    let may_be = |task: &TaskId| red.found.undecided.get(&gate).is_none_or(|tasks| tasks.contains(task));
    let of_gate = |task: &Task| task.role.gate() == Some(gate);
    if let Some(found) = objected(red, &may_be, of_gate) {
        return Some(found);
    }
    let messages = command.failing.iter().map(|test| test.message.as_str());
    let printed: Vec<_> = std::iter::once(command.output_tail.as_str()).chain(messages).collect();
    if let Some(task) = named_most(red, &may_be, &printed.join("\n")) {
        return Some((task, "the output of the failed command names what it changed".to_owned()));
    }
    if let Some((task, test)) = beside_failed_tests(red, &may_be, &command.failing) {
        let test = text::code(&text::truncate(&test.name, 120));
        return Some((task, format!("it alone changed the package of {test}")));
    }
    // What others found may be something else.
    let of_others = |task: &Task| gate == GateKind::Tests && !of_gate(task);
    if let Some(found) = objected(red, &may_be, of_others) {
        return Some(found);
    }
    if let Some(task) = only_author(red, |_| true).filter(|task| may_be(task)) {
        return Some((task, "it alone changed what the gate looks at".to_owned()));
    }
    let author = only_author(red, |role| role == Role::Feature).filter(|task| are_new_tests && may_be(task));
    author.map(|task| (task, "new tests fail, and it made the features".to_owned()))
}

/// Finds the only task whose changes blocking findings of these quality subagents name.
fn objected<'a>(
    red: &RedGates<'a>,
    may_be: &dyn Fn(&TaskId) -> bool,
    by: impl Fn(&Task) -> bool,
) -> Option<(&'a TaskId, String)> {
    let named = red.objections().filter(|(reporter, _)| by(reporter)).filter_map(|(reporter, finding)| {
        let owner = owner_of(finding.path.as_deref()?, red.ledger)?;
        let is_product = red.task(owner).is_some_and(|owner| owner.role != Role::Tests);
        (is_product && *owner != reporter.id && may_be(owner)).then_some((owner, reporter, finding))
    });
    let named: Vec<_> = named.collect();
    let (owner, reporter, finding) = *named.first()?;
    let is_alone = named.iter().all(|(other, ..)| *other == owner);
    let place = text::code(&text::truncate(&place_of(finding), 120));
    is_alone.then(|| (owner, format!("a blocking finding of {} names what it changed: {place}", reporter.id)))
}

/// Finds the only task that changed code of the product in the folders of the failed tests, with one of those tests.
fn beside_failed_tests<'a, 't>(
    red: &RedGates<'a>,
    may_be: &dyn Fn(&TaskId) -> bool,
    failing: &'t [TestResult],
) -> Option<(&'a TaskId, &'t TestResult)> {
    let mut found: Option<(&TaskId, &TestResult)> = None;
    for commit in red.ledger.commits() {
        if red.task(&commit.task).is_none_or(|task| task.role == Role::Tests) || !may_be(&commit.task) {
            continue;
        }
        let changes = red.ledger.integrated_patch(commit).into_iter().flat_map(|patch| &patch.changes);
        let product = changes.filter(|change| !restore::belongs_to_tests(&change.path));
        let folders: BTreeSet<&str> = product.filter_map(|change| Some(change.path.rsplit_once('/')?.0)).collect();
        let Some(test) = failing.iter().find(|test| folders.iter().any(|folder| stands_in(test, folder))) else {
            continue;
        };
        if found.is_some_and(|(other, _)| *other != commit.task) {
            return None;
        }
        found = Some((&commit.task, test));
    }
    found
}

/// Tells whether a test stands in a folder: by its file, else by a package in front of its name, as Go has it.
fn stands_in(test: &TestResult, folder: &str) -> bool {
    let is_below =
        |path: &str| path.strip_suffix(folder).is_some_and(|before| before.is_empty() || before.ends_with('/'));
    if let Some(file) = &test.file {
        return file.rsplit_once('/').is_some_and(|(of_file, _)| is_below(of_file));
    }
    let package = test.name.strip_suffix(" (package)").or_else(|| test.name.rsplit_once('.').map(|(before, _)| before));
    package.is_some_and(is_below)
}

/// Finds the task of which the output names more paths than of any other; tests name themselves always, and do not count.
fn named_most<'a>(red: &RedGates<'a>, may_be: &dyn Fn(&TaskId) -> bool, output: &str) -> Option<&'a TaskId> {
    let mut named: BTreeMap<&TaskId, usize> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for commit in red.ledger.commits().iter().rev() {
        let task = red.task(&commit.task);
        if task.is_none_or(|task| task.role == Role::Tests) || !may_be(&commit.task) {
            continue;
        }
        for change in red.ledger.integrated_patch(commit).iter().flat_map(|patch| &patch.changes) {
            if seen.insert(&change.path) {
                *named.entry(&commit.task).or_default() += output.matches(change.path.as_str()).count();
            }
        }
    }
    let most = named.values().max().copied().filter(|most| *most > 0)?;
    let mut with_most = named.into_iter().filter(|(_, count)| *count == most).map(|(task, _)| task);
    with_most.next().filter(|_| with_most.next().is_none())
}

/// Finds the only task of these roles, tests apart, of which a patch is integrated.
fn only_author<'a>(red: &RedGates<'a>, of: impl Fn(Role) -> bool) -> Option<&'a TaskId> {
    let authors = red.ledger.commits().iter().filter_map(|commit| red.task(&commit.task));
    let authors = authors.filter(|task| task.role != Role::Tests && of(task.role));
    let authors: BTreeSet<_> = authors.map(|task| &task.id).collect();
    let mut authors = authors.into_iter();
    authors.next().filter(|_| authors.next().is_none())
}
