//! Marks in a heading that say what is to be done with a file, and that the work is done; bold lines that count its parts.

use super::{Names, named_subagent, read, strip_prefix};
use crate::{
    plan::{
        accounting::Reason,
        counts::{counted, heads_a_phase, strip_number},
        domains,
        draft::Who,
        inline::Line,
    },
    roster::Roster,
};

/// What a tag in brackets before the name of a file asks for: `[MODIFY] src/a.ts`.
const TAGS: [&str; 14] = [
    "new", "modify", "modified", "delete", "deleted", "create", "update", "add", "remove", "rename", "move", "edit",
    "change", "refactor",
];

/// Takes the brackets off a tag at the beginning of a heading: `[NEW] a.ts` is `NEW a.ts`.
pub(super) fn without_tag(plain: &str) -> Option<String> {
    let (tag, rest) = plain.strip_prefix('[')?.split_once(']')?;
    let is_tag = TAGS.iter().any(|known| tag.trim().eq_ignore_ascii_case(known)) && !rest.trim().is_empty();
    is_tag.then(|| format!("{} {}", tag.trim(), rest.trim_start()))
}

/// Words in brackets or behind a dash with which a heading ends whose work is done.
const DONE: [&str; 14] = [
    "done",
    "complete",
    "completed",
    "finished",
    "implemented",
    "shipped",
    "已完成",
    "完成",
    "完了",
    "erledigt",
    "abgeschlossen",
    "hecho",
    "completado",
    "terminé",
];

/// Signs that say that a piece of work is done.
const TICKS: [&str; 5] = ["✅", "✔️", "✔", "☑️", "☑"];

/// Tells whether a heading begins with a sign that only decorates it, as "🔐 Auth" does and "⏳ Phase 2" does not.
pub(super) fn decorates(heading: &str) -> bool {
    const STATES: &str = "✅✔☑✓⏳⌛🚧🔄🔁🔲☐⬜⬛❌✗✘🟡🟢🔴🟠🔵⚪🕐🕒⚠🔜⏸🏁🆗🆕⭐★☆➡→";
    let first = heading.trim_start().chars().next();
    first.is_some_and(|c| matches!(c, '\u{2190}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}') && !STATES.contains(c))
}

/// Tells whether a heading is done by a tick before it alone: "✅ Step 4: Test it".
pub(super) fn done_by_its_first_sign(heading: &str) -> bool {
    let text = heading.trim();
    TICKS.iter().any(|tick| text.strip_prefix(tick).is_some_and(|rest| !says_done(rest, false)))
}

/// Tells whether a heading says that its work is done: `Phase 1: Storage ✅`, `Milestone 4 (COMPLETED)`, `Tasks — complete`.
pub(super) fn says_done(plain: &str, is_counted: bool) -> bool {
    let text = plain.trim_end();
    let ticked = TICKS.iter().any(|tick| text.ends_with(tick) || (is_counted && text.starts_with(tick)));
    let word = text.trim_end_matches(|c: char| !c.is_alphanumeric() && !matches!(c, ')' | ']' | '）'));
    let last = match word.strip_suffix([')', ']', '）']) {
        Some(inner) => inner.rsplit(['(', '[', '（']).next(),
        None => [" — ", " – ", " - "].iter().find_map(|dash| word.rsplit_once(dash)).map(|(_, last)| last),
    };
    let is_done =
        |last: &str| DONE.iter().any(|done| last.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase() == *done);
    ticked || last.is_some_and(is_done)
}

/// Finds that a heading puts its work off, or says that it is not to be done, in brackets or behind a dash at its end:
/// `Reports (later)`, `Phase 3 (not now): Refunds`, `Export — out of scope`.
pub(in crate::plan) fn postponed(plain: &str) -> Option<Reason> {
    let brackets = plain.split(['(', '[', '（']).skip(1).filter_map(|part| part.split([')', ']', '）']).next());
    let last = [" — ", " – ", " - "].iter().filter_map(|dash| plain.rsplit_once(dash)).map(|(_, last)| last);
    brackets.chain(last).find_map(|part| {
        let phrase = domains::normal(part);
        domains::puts_off(&phrase).or_else(|| domains::begins_putting_off(&phrase))
    })
}

/// Tells whether a line counts a phase of the plan, so that a line in bold heads what follows it.
pub(in crate::plan) fn counts_a_phase(text: &str) -> bool {
    let plain = domains::counted_in_english(text.trim_start_matches(|c: char| !c.is_alphanumeric()));
    let (word, rest) = plain.split_once(' ').unwrap_or((&plain, ""));
    heads_a_phase(&word.to_lowercase())
        && rest.trim_start_matches('#').starts_with(|c: char| c.is_ascii_digit() || matches!(c, 'I' | 'V' | 'A'..='C'))
}

/// Tells whether a paragraph begins in bold with what counts a part of the work, as in `**Phase 1 – Storage:** add a table`
/// and `**2. Paging.** Return 20 rows`.
pub(in crate::plan) fn leads_a_part(line: &Line) -> bool {
    counts_a_part(line.text.get(..line.strong).unwrap_or_default())
}

fn counts_a_part(lead: &str) -> bool {
    let lead = domains::counted_in_english(lead.trim_start_matches(|c: char| !c.is_alphanumeric()));
    if code_of(&lead).is_some() {
        return true;
    }
    let is_number = lead.starts_with(|c: char| c.is_ascii_digit());
    // "**2026**" and "**20 rows**" count nothing.
    let is_marked =
        strip_number(&lead).is_some_and(|rest| rest.len() + 1 < lead.len() && lead.contains(['.', ')', ':']));
    (!is_number || is_marked) && !counted(&lead).1.is_empty()
}

/// Splits a letter and a number off the beginning with which a plan counts its parts, `A1. Schema`, and what is behind it.
fn code_of(lead: &str) -> Option<(&str, &str)> {
    // "Q1:", "R2." and "v1." count questions, risks and versions, and "S3:" and "P1" name other things.
    const OTHERS: [char; 8] = ['Q', 'R', 'V', 'P', 'S', 'O', 'N', 'D'];
    let letter = lead.chars().next().filter(|c| c.is_ascii_uppercase() && !OTHERS.contains(c))?;
    let digits = lead[letter.len_utf8()..].bytes().take_while(u8::is_ascii_digit).count();
    let (code, behind) = lead.split_at(letter.len_utf8() + digits);
    let rest =
        behind.strip_prefix(['.', ')', ':']).or_else(|| behind.strip_prefix(" —").or(behind.strip_prefix(" –")))?;
    ((1..=2).contains(&digits) && rest.starts_with(' ')).then(|| (code, rest.trim_start()))
}

/// Finds what a step in bold is called by, where a letter and a number count it: "**A1. Schema.**" is `a1`.
pub(in crate::plan) fn code(lead: &str) -> Option<String> {
    code_of(lead.trim_start()).map(|(code, _)| code.to_lowercase())
}

/// Takes the number off a label that counts a part: `2. CLI` is `CLI`.
pub(in crate::plan) fn uncounted(label: &str) -> &str {
    match code_of(label) {
        Some((_, rest)) => rest,
        None if counts_a_part(label) => strip_prefix(label).0,
        None => label,
    }
}

/// Splits the name of a subagent off a label: `Commands — backend-cli-implementer`.
pub(in crate::plan) fn split_subagent(label: &str, roster: &Roster) -> Option<(Who, String)> {
    let plain = label.replace(['`', '@'], "");
    let (who, title) = named_subagent(&plain, &[], roster)?;
    Some((who, title.unwrap_or_default()))
}

/// Finds the subagent that a line names which stands above others as a heading would: by its name or by its domain.
pub(in crate::plan) fn named(line: &Line, roster: &Roster) -> Option<Who> {
    match read(line, false, roster).names {
        Names::Subagent(who) | Names::Role(_, who) => Some(who),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heading_says_at_its_end_that_it_is_done() {
        for (heading, is_counted, expected) in [
            ("Phase 1: Storage ✅", true, true),
            ("Milestone 4: Payment (COMPLETED)", true, true),
            ("Backend tasks — complete", false, true),
            ("✅ Phase 2: API", true, true),
            ("阶段一 （已完成）", true, true),
            ("✅ Acceptance criteria", false, false),
            ("Definition of done", false, false),
            ("Phase 2: Complete the API", true, false),
            ("Phase 3 (in progress)", true, false),
            ("Phase 3 ⏳", true, false),
        ] {
            assert_eq!(says_done(heading, is_counted), expected, "{heading}");
        }
    }

    #[test]
    fn a_heading_puts_its_work_off() {
        for (heading, expected) in [
            ("Reports (later)", Some(Reason::Deferred)),
            ("Phase 3 (not now): Refunds", Some(Reason::Deferred)),
            ("Export — out of scope", Some(Reason::OutOfScope)),
            ("Berichte (später)", Some(Reason::Deferred)),
            ("Phase 2: Fonts — postponed to Q3", Some(Reason::Deferred)),
            ("Export — deferred to v2", Some(Reason::Deferred)),
            ("Retry (later attempts)", None),
            ("Auth — moved to the middleware", None),
            ("Later phases", None),
            ("Step 2 (optional)", None),
        ] {
            assert_eq!(postponed(heading), expected, "{heading}");
        }
    }

    #[test]
    fn a_tag_loses_its_brackets() {
        assert_eq!(without_tag("[MODIFY] src/a.ts").as_deref(), Some("MODIFY src/a.ts"));
        assert_eq!(
            without_tag("[Delete] [old.ts](file:///x/old.ts)").as_deref(),
            Some("Delete [old.ts](file:///x/old.ts)")
        );
        assert_eq!(without_tag("[WIP] Plan"), None);
        assert_eq!(without_tag("[NEW]"), None);
    }
}
