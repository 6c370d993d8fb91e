//! What a task names that another one makes: a command that calls `Sweep` waits for whoever writes it.

use std::collections::BTreeSet;

use crate::{
    plan::{domains, draft::TaskDraft},
    roster::{Role, Roster},
};

/// The shortest name that tells anything.
const NAME_CHARS_MIN: usize = 4;

/// Finds the features that a task of the command line stands on: those of which it names something, by the same name in a
/// code span, by their heading, or by a command: `billing finalise` is about "finalise an invoice". Who says `Needs:` or
/// `Parallel with:` has said it all.
pub(super) fn features_of(at: usize, tasks: &[TaskDraft], roster: &Roster) -> Vec<usize> {
    let task = &tasks[at];
    let role = |task: &TaskDraft| Some(roster.get(&task.who.as_ref()?.name)?.role);
    if role(task) != Some(Role::Cli) || !task.needs.is_empty() || !task.parallel_with.is_empty() {
        return Vec::new();
    }
    let (names, words) = (names(task), words(task));
    let commands: Vec<String> = names.iter().filter(|name| is_word(name)).map(|name| format!(" {name} ")).collect();
    let is_needed = |other: &TaskDraft| {
        let about = self::words(other) + &domains::normal(&other.headings.join(" ")) + " ";
        commands.iter().any(|command| about.contains(command))
            || other.headings.last().is_some_and(|heading| names_heading(&words, heading))
            || self::names(other).iter().any(|name| names.contains(name))
    };
    let features = tasks.iter().enumerate().filter(|(_, other)| role(other) == Some(Role::Feature));
    features.filter(|(_, other)| is_needed(other)).map(|(place, _)| place).collect()
}

/// Tells whether a name in a code span may be the word of a command, long enough to be no word of every text.
fn is_word(name: &str) -> bool {
    name.len() > NAME_CHARS_MIN && name.bytes().all(|byte| byte.is_ascii_lowercase())
}

fn texts(task: &TaskDraft) -> impl Iterator<Item = &str> {
    task.requirements.iter().flat_map(|made| [made.text.as_str(), made.detail.as_str()]).chain([task.notes.as_str()])
}

/// Returns the names in the code spans of a task, without what they are called with: `Sweep()`, `GET /links`.
fn names(task: &TaskDraft) -> BTreeSet<&str> {
    let spans = texts(task).flat_map(|text| text.split('`').skip(1).step_by(2)).filter(|span| !span.contains('\n'));
    let words = spans.flat_map(str::split_whitespace).map(|word| word.split('(').next().unwrap_or_default());
    let tells = |word: &&str| {
        word.chars().count() >= NAME_CHARS_MIN
            && word.starts_with(|c: char| c.is_alphabetic() || matches!(c, '/' | '_'))
            && word.contains(char::is_lowercase)
    };
    words.filter(tells).collect()
}

fn words(task: &TaskDraft) -> String {
    let normal: Vec<_> = texts(task).map(domains::normal).collect();
    format!(" {} ", normal.join(" "))
}

/// Tells whether words name a heading of two words or more: "HTTP API".
fn names_heading(words: &str, heading: &str) -> bool {
    let heading = domains::normal(heading);
    heading.contains(' ') && words.contains(&format!(" {heading} "))
}
