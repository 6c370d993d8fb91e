//! Whose work the words of an item speak of.

use super::{languages, looks, normal, places, role};
use crate::roster::Role;

/// Words with which an item begins that asks for something to be made.
const MAKES: [&str; 22] = [
    "add",
    "write",
    "create",
    "implement",
    "extend",
    "update",
    "generate",
    "define",
    "declare",
    "introduce",
    "design",
    "build",
    "provide",
    "set",
    "configure",
    "provision",
    "expose",
    "complete",
    "expand",
    "setup",
    "deploy",
    "develop",
];

/// Finds the role that an item's words speak of: `Write unit tests for paging`, `Define the row type`, `Add the x
/// command`. A verb with what it is about counts most, then the tool or place in which it is done, and what is not plain is
/// nobody's.
pub(in crate::plan) fn role_of_words(text: &str) -> Option<Role> {
    // Of the cells of a row the longest says what is to be done.
    let text = text.split(" · ").max_by_key(|cell| cell.len()).unwrap_or(text);
    let text = without_tags(text);
    let text = without_addressee(text);
    role_of_clause(text).or_else(|| {
        let found = role_of_clause(behind_label(text)?)?;
        // "Transfer: verify the balance" asks for code, whatever the words behind the label ask for elsewhere.
        (!matches!(found, Role::Review | Role::Validation)).then_some(found)
    })
}

/// Takes whom an item is for off its beginning: "@emil please review …".
fn without_addressee(text: &str) -> &str {
    let Some((name, rest)) = text.strip_prefix('@').and_then(|rest| rest.split_once(' ')) else { return text };
    let is_name = name.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | ':' | ','));
    if is_name { rest.trim_start() } else { text }
}

/// Returns what stands behind a short label or an arrow: "Bo: write a test", "Ana -> alert when …".
fn behind_label(text: &str) -> Option<&str> {
    let marks = [": ", " -> ", " → ", "："];
    let (at, len) = marks.iter().filter_map(|mark| Some((text.find(mark)?, mark.len()))).min()?;
    let is_short = text[..at].split_whitespace().count() <= 5;
    let rest = text[at + len..].trim_start_matches(['*', '_', ' ']);
    if !is_short || rest.is_empty() {
        return None;
    }
    // Of the headings of groups the innermost stands last.
    behind_label(rest).or(Some(rest))
}

fn role_of_clause(text: &str) -> Option<Role> {
    if let Some(role) = label(text).or_else(|| command_line(text)).or_else(|| languages::role_of_words(text)) {
        return Some(role);
    }
    let head: String = text.chars().take(120).collect::<String>().to_lowercase();
    let head = [
        " for ", " of ", " in ", " to ", " that ", " with ", " w/ ", " on ", " and ", " so ", " using ", ":", " - ",
        " — ", " (", ",", ". ",
    ]
    .iter()
    .fold(head.as_str(), |head, mark| head.split_once(mark).map_or(head, |(before, _)| before));
    let phrase = normal(head);
    let words: Vec<&str> = phrase.split(' ').collect();
    let (first, last) = (*words.first()?, *words.last()?);
    let makes = MAKES.contains(&first);
    let has = |wanted: &[&str]| words.iter().any(|word| wanted.contains(word));
    if words.len() > 8 {
        return None;
    }
    let looks = matches!(first, "run" | "do" | "perform" | "conduct" | "request" | "get" | "final");
    if looks && (has(&["audit"]) || phrase.contains("code review") || phrase.contains("security review")) {
        return Some(Role::Review);
    }
    if (matches!(last, "test" | "tests") && (makes || words.len() <= 5)) || covers(text) {
        return Some(Role::Tests);
    }
    if places::asks_to_review(text) {
        return Some(Role::Review);
    }
    if makes && (phrase.ends_with("data model") || phrase.ends_with("data models") || phrase.ends_with("data types")) {
        return Some(Role::DataTypes);
    }
    if makes
        && matches!(
            last,
            "type" | "types" | "schema" | "schemas" | "dto" | "dtos" | "enum" | "enums" | "interface" | "interfaces"
        )
    {
        return Some(Role::DataTypes);
    }
    let is_cli = last == "cli" && words.len() <= 4 && (makes || words.len() == 2 && !USES.contains(&first));
    if is_cli || (makes && has(&["cli", "command", "commands", "subcommand", "subcommands"])) {
        return Some(Role::Cli);
    }
    if let Some(role) = places::role_of_place(text) {
        return Some(role);
    }
    if places::asks_for_a_resource(text) {
        return Some(Role::Infrastructure);
    }
    if looks::asks_to_validate(text, &words) {
        return Some(Role::Validation);
    }
    let ships = has(&["dockerfile", "docker", "kubernetes", "helm", "deployment"]) && makes;
    (ships || places::asks_to_ship(text)).then_some(Role::Deployment)
}

/// Tells whether an item asks for tests by what they are to cover: "Cover the relay with unit tests", "Unit-test signing".
fn covers(text: &str) -> bool {
    let phrase = normal(text);
    let begins = |leads: &[&str]| leads.iter().any(|lead| phrase.starts_with(lead));
    let with_tests = || {
        phrase
            .split_once(" with ")
            .or_else(|| phrase.split_once(" by "))
            .is_some_and(|(_, rest)| rest.split(' ').take(3).any(|word| matches!(word, "test" | "tests")))
    };
    // "Unit tests pass" is seen, and not written.
    const SEEN: &str = "pass|passes|passing|green|succeed|succeeds|is|are|run|runs|fail|fails|must|should|still|coverage|ok|work|stay|keep";
    let is_seen = phrase.split(' ').any(|word| super::holds(SEEN, word));
    (begins(&["cover ", "back ", "protect ", "pin ", "prove "]) && with_tests())
        || begins(&[
            "unit test ",
            "unittest ",
            "integration test ",
            "unit tests ",
            "integration tests ",
            "regression tests ",
        ]) && !is_seen
}

/// Words with which an item begins that only uses what is there.
const USES: [&str; 10] = ["run", "execute", "use", "call", "invoke", "verify", "check", "see", "document", "describe"];

/// Takes the tags off the beginning of an item, which say nothing about what is to be done: `[US2] [P]`.
fn without_tags(text: &str) -> &str {
    let tag = |text: &'_ str| -> Option<usize> {
        let (tag, rest) = text.strip_prefix('[')?.split_once(']')?;
        let is_tag = (1..=6).contains(&tag.len()) && tag.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
        (is_tag && !rest.starts_with('(')).then_some(tag.len() + 2)
    };
    let mut rest = text.trim_start();
    while let Some(len) = tag(rest) {
        rest = rest[len..].trim_start();
    }
    rest
}

/// Tells whether an item asks for something of the command line by naming it: "`--currency` option for `billing list`", "CLI
/// for subscriptions", "`billing reconcile FILE` command", "A subcommand `purge`".
fn command_line(text: &str) -> Option<Role> {
    let lower: String = text.trim_start_matches(['*', '_']).chars().take(160).collect::<String>().to_lowercase();
    let is = |word: &str, words: &[&str]| words.contains(&word.trim_matches(|c: char| !c.is_alphanumeric()));
    // Options of tools that check or build are no options of ours.
    const TOOLS: [&str; 18] = [
        "mypy",
        "tsc",
        "eslint",
        "ruff",
        "pytest",
        "clippy",
        "docker",
        "ci",
        "npm",
        "cargo",
        "gcc",
        "terraform",
        "kubectl",
        "dockerfile",
        "makefile",
        "git",
        "workflow",
        "helm",
    ];
    if lower.split(|c: char| !c.is_alphanumeric()).any(|word| TOOLS.contains(&word)) {
        return None;
    }
    const COMMANDS: [&str; 4] = ["command", "subcommand", "commands", "subcommands"];
    const OPTIONS: [&str; 5] = ["option", "flag", "switch", "options", "flags"];
    if let Some((code, behind)) = lower.strip_prefix('`').and_then(|rest| rest.split_once('`')) {
        let next = behind.split_whitespace().next().unwrap_or_default();
        let is_option = code.starts_with("--") && code.len() > 3;
        return (is_option || is(next, &COMMANDS) || (code.starts_with('-') && is(next, &OPTIONS)))
            .then_some(Role::Cli);
    }
    let words: Vec<&str> = lower.split_whitespace().skip_while(|word| is(word, &["a", "an", "the", "new"])).collect();
    let (first, second) = (*words.first()?, words.get(1).copied().unwrap_or_default());
    let is_cli =
        first == "cli" && (second.starts_with('`') || is(second, &["for", "to", "with", "gets", "support", "help"]));
    // "Backfill command `x`" is one to be made, "Run command `x`" is one to be run.
    let is_command = !is(first, &USES)
        && words
            .iter()
            .take(4)
            .zip(words.iter().skip(1))
            .any(|(word, next)| is(word, &COMMANDS) && next.starts_with('`'))
        && !lower.split('`').next().is_some_and(|before| before.contains([',', '.', ':', ';']));
    let makes = words.first().is_some_and(|word| MAKES.contains(word) || is(word, &["support", "accept"]));
    // "Teach `billing list` a `--limit` option."
    let is_option = |pair: &[&str]| matches!(pair, [code, word] if code.starts_with("`--") && is(word, &OPTIONS));
    let has_option = words.windows(2).any(is_option);
    // "We also want an `orders replay` command."
    let is_wanted = || {
        let mut parts = lower.split('`');
        let pairs = std::iter::from_fn(|| Some((parts.next()?, parts.next()?)));
        let behind = |code: &str| lower.split_once(&format!("`{code}`")).map_or("", |(_, behind)| behind);
        let is_new = |before: &str| {
            before.split_whitespace().next_back().is_some_and(|word| is(word, &["a", "an", "new", "another"]))
        };
        let is_one = |code: &str| behind(code).split_whitespace().next().is_some_and(|next| is(next, &COMMANDS));
        pairs.take(4).any(|(before, code)| is_new(before) && is_one(code))
    };
    let to_the_cli = ["to the cli", "to the command line"].iter().any(|end| lower.contains(end));
    (is_cli || is_command || has_option || (makes && to_the_cli) || (!is(first, &USES) && is_wanted()))
        .then_some(Role::Cli)
}

/// Finds the role that an item is headed by, as in `Tests: cover paging` and `**CLI** - orders list`, or that is all it says.
fn label(text: &str) -> Option<Role> {
    let text = text.trim_start_matches(['*', '_']);
    let end = [":", "：", " - ", " – ", " — ", "** "].iter().filter_map(|mark| text.find(mark)).min();
    let phrase = normal(text.get(..end.unwrap_or(text.len()).min(64))?);
    // "Manual: open a link on a phone" is looked at by hand.
    if end.is_some()
        && matches!(phrase.as_str(), "manual" | "manually" | "by hand" | "manuell" | "manuel" | "手动" | "手動")
    {
        return Some(Role::Validation);
    }
    let found = role(&phrase)?;
    let only_looks = matches!(found, Role::Review | Role::Validation);
    // "Validation: refuse an empty name" asks for code, and so does "Implement validation".
    (!only_looks || (end.is_none() && !begins_making(&phrase))).then_some(found)
}

/// Words beside those in [`MAKES`] with which a heading asks for something.
const CHANGES: [&str; 18] = [
    "remove",
    "delete",
    "refactor",
    "rename",
    "move",
    "replace",
    "migrate",
    "integrate",
    "fix",
    "handle",
    "support",
    "enable",
    "wire",
    "connect",
    "convert",
    "extract",
    "split",
    "make",
];

/// Tells whether a phrase in normal form begins with a verb that asks for something to be made, which nobody does who only
/// looks at what others made.
pub(super) fn begins_making(phrase: &str) -> bool {
    let first = phrase.split(' ').next().unwrap_or_default();
    const KEEPS: [&str; 6] = ["store", "save", "persist", "record", "keep", "load"];
    MAKES.contains(&first) || CHANGES.contains(&first) || KEEPS.contains(&first)
}

/// Tells whether a heading asks for something to be done.
pub(in crate::plan) fn asks(heading: &str) -> bool {
    let phrase = normal(heading);
    let first = phrase.split(' ').next().expect("invariant: a text that is split has a first part");
    phrase.contains(' ') && (MAKES.contains(&first) || CHANGES.contains(&first))
}

/// Words with which a sentence may begin before it says what is to be done.
const LEADS: [&str; 10] = ["first", "then", "next", "finally", "also", "please", "we", "will", "should", "must"];

/// Tells whether a text asks for something in one of its sentences.
pub(in crate::plan) fn text_asks(text: &str) -> bool {
    text.split(['.', '\n', ';']).any(|sentence| {
        let phrase = normal(sentence);
        let words: Vec<&str> = phrase.split(' ').skip_while(|word| LEADS.contains(word)).collect();
        asks(&words.join(" "))
    })
}

/// Words that say what has to hold, in normal form.
const DUTIES: [&str; 16] = [
    "must",
    "shall",
    "should",
    "has to",
    "have to",
    "needs to",
    "need to",
    "is limited",
    "are limited",
    "may not",
    "muss",
    "müssen",
    "darf",
    "dürfen",
    "soll",
    "sollen",
];

/// Tells whether a text says what has to hold, or asks for something: "`ttl` is limited to a year, and 0 must mean never".
pub(in crate::plan) fn states_a_duty(text: &str) -> bool {
    let phrase = format!(" {} ", normal(text));
    let is_story = phrase.starts_with(" as a ") && phrase.contains(" want ");
    is_story || DUTIES.iter().any(|duty| phrase.contains(&format!(" {duty} "))) || text_asks(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_words_say_whose_an_item_is() {
        for (text, expected) in [
            ("`--currency` option for `billing list`", Some(Role::Cli)),
            ("`--api-version` to force v1", Some(Role::Cli)),
            ("CLI `billing purge --before DATE`", Some(Role::Cli)),
            ("CLI for subscriptions", Some(Role::Cli)),
            ("`billing reconcile FILE` command", Some(Role::Cli)),
            ("Add `--version` flag to the CLI", Some(Role::Cli)),
            ("A subcommand `purge`", Some(Role::Cli)),
            ("A3 · `plan list` command · A2", Some(Role::Cli)),
            ("Teach `billing list` a `--limit` option.", Some(Role::Cli)),
            ("Add the `--locked` flag in the Dockerfile", Some(Role::Deployment)),
            ("Befehl `billing sepa export`", Some(Role::Cli)),
            ("添加命令 `billing import FILE`", Some(Role::Cli)),
            ("Run code review and security scan", Some(Role::Review)),
            ("Final validation", Some(Role::Validation)),
            ("Manual: open a link on a phone", Some(Role::Validation)),
            ("Modultests für Prüfziffer", Some(Role::Tests)),
            ("`--strict` for mypy in CI", None),
            ("CLI users get an e-mail", None),
            ("`total` is a command of the bus", None),
            ("Manual refunds are logged", None),
            ("[US2] `vouchers redeem CODE` command", Some(Role::Cli)),
            ("[P] [US1] Write unit tests for paging", Some(Role::Tests)),
            ("Backfill command `invoices renumber --dry-run`", Some(Role::Cli)),
            ("Run command `invoices renumber` once", None),
            ("Implement validation", None),
            ("Implement review", None),
        ] {
            assert_eq!(role_of_words(text), expected, "{text}");
        }
    }
}
