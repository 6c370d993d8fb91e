//! Headings in words of their own that say that nothing below them is work: what is not to be done, what is open, what
//! to do when it fails, what was changed in the plan.
//!
//! The lists of [`sections`](super::sections) have whole phrases. Here the words of a phrase decide, in English.

use super::{Fixed, holds};
use crate::plan::accounting::Reason;

/// The longest heading that is read so, in words: a longer one is a sentence about the product.
const WORDS_MAX: usize = 9;

/// Finds what a phrase in normal form heads, by what its words say of the plan.
pub(super) fn by_words(phrase: &str) -> Option<Fixed> {
    let words: Vec<&str> = phrase.split(' ').collect();
    if words.len() > WORDS_MAX {
        return None;
    }
    let aside = |reason| Some(Fixed::Aside(reason));
    match () {
        () if we_do_not(&words) || is_left(&words) => aside(Reason::OutOfScope),
        () if is_for_another_time(&words) => aside(Reason::Deferred),
        () if is_undecided(&words) || is_for_failure(&words) => aside(Reason::Context),
        () if is_history(&words) => aside(Reason::Record),
        () if says_what_good_is(&words) => Some(Fixed::Acceptance),
        () => None,
    }
}

/// Tells whether the authors say of themselves or of the plan that they do not do something: "What we are deliberately
/// not building", "Things this PR won't touch". What is said of the product is work: "Users cannot see drafts".
fn we_do_not(words: &[&str]) -> bool {
    const LEADS: &str = "what|things|stuff|items|work|features|areas|parts|that|which|the";
    const AUTHORS: &str = "we|i|you|us";
    const PLANS: &str =
        "plan|pr|change|release|version|iteration|sprint|project|ticket|issue|mvp|proposal|rfc|spec|round";
    const NOT: &str = "not|never|won|wont|don|dont|isn|aren|doesn|leave|leaving|skip|skipping|exclude|excluding|omit|omitting|\
         defer|deferring|postpone|postponing|avoid|avoiding|ignore|ignoring";
    let rest = words.iter().skip_while(|word| holds(LEADS, word)).copied().collect::<Vec<_>>();
    let behind = match rest.as_slice() {
        [author, behind @ ..] if holds(AUTHORS, author) => behind,
        // "What this plan does not cover".
        ["this", plan, behind @ ..] | [plan, behind @ ..] if holds(PLANS, plan) && rest.len() < words.len() => behind,
        // "Deliberately not building", "Explicitly not in this release", "What not to touch".
        [how, "not", ..] if is_on_purpose(how) => return true,
        ["not", behind @ ..] if rest.len() < words.len() => return !behind.is_empty(),
        ["not", doing, ..] => return doing.ends_with("ing"),
        _ => return false,
    };
    behind.iter().take(4).any(|word| holds(NOT, word))
}

fn is_on_purpose(word: &str) -> bool {
    holds("deliberately|explicitly|intentionally|consciously|purposely|purposefully|specifically|definitely", word)
}

/// Tells whether a heading consists of saying that something is left out: "Deliberately excluded", "Cut from this
/// release", "Leave as is". "Show dropped events" asks for something.
fn is_left(words: &[&str]) -> bool {
    const LEFT: &str = "excluded|omitted|skipped|dropped|descoped|cut|untouched|unchanged|ignored|rejected|forbidden";
    const BESIDE: &str = "deliberately|explicitly|intentionally|consciously|purposely|specifically|things|items|features|work|ideas|\
         topics|scope|what|was|is|are|stays|remains|remain|stay|to|be|stuff|parts|areas|from|for|in|of|this|the|release|version|\
         plan|now|v1|mvp|sprint|iteration|on|purpose|files|code|out|left|that|keep|kept";
    const WHOLE: &str = "leave alone|leave as is|leave it|leave untouched|keep as is|do not touch|don t touch|hands off|off limits|\
         left alone|left as is|things to leave alone|no touch|left out on purpose|left out deliberately|deliberately left out|\
         intentionally left out|explicitly left out|consciously left out|no go|no gos|no goes|please don t|please do not";
    let left = words.iter().filter(|word| holds(LEFT, word)).count();
    (left > 0 && words.iter().all(|word| holds(LEFT, word) || holds(BESIDE, word))) || holds(WHOLE, &words.join(" "))
}

/// Tells whether a heading says that what is below it is for another time: "Leave for later", "Phase 2 ideas", "Possible
/// improvements".
fn is_for_another_time(words: &[&str]) -> bool {
    const LATER: &str = "later|someday|eventually|future|v2|2.0";
    const LEAVES: &str = "leave|left|for|maybe|perhaps|possibly|things|ideas|stuff|some|day|to|do|what|comes|come|\
         on|and|or|the|a|next|nice|could|be|in|until|much|even|improvements|items|features|work|tasks";
    const MAYBES: &str = "possible|potential|future|further|optional|later|next|maybe|more";
    const BETTERS: &str =
        "improvements|enhancements|ideas|extensions|optimizations|optimisations|refinements|iterations";
    const WHOLE: &str = "someday|some day|maybe|wishlist|wish list|ideas|follow up ideas|follow up tickets|after this plan|\
         after this pr|after the mvp|post launch ideas|follow up work|follow on work|follow ups for later|in a follow up|\
         separate prs|separate pr|separate tickets|for a follow up|for a later pr|in a later pr";
    let phrase = words.join(" ");
    let (last, before) = words.split_last().map_or(("", &[][..]), |(last, before)| (*last, before));
    let is_later = words.iter().any(|word| holds(LATER, word))
        && words.iter().all(|word| holds(LATER, word) || holds(LEAVES, word))
        && words.len() > 1;
    // "Ideas for phase 2", "Phase 2 ideas": the head of the phrase is what might be.
    let is_ideas = words.len() > 1 && (words[0] == "ideas" || last == "ideas");
    let is_better = holds(BETTERS, last) && before.len() == 1 && holds(MAYBES, before[0]);
    is_later || is_ideas || is_better || holds(WHOLE, &phrase)
}

/// Tells whether a heading says that something is not decided: "Decisions still to be made", "Things to discuss", "TBD".
fn is_undecided(words: &[&str]) -> bool {
    const NOUNS: &str = "decision|decisions|questions|question|points|topics|discussion|discussions|unknowns|choices";
    const OPEN: &str = "open|pending|outstanding|unresolved|undecided|still|needed|required|remaining|missing|unanswered|made|left|for|\
         you|your|input";
    const WHOLE: &str = "tbd|tbc|to be decided|to be defined|to be determined|to be discussed|to be clarified|to discuss|to clarify|\
         to decide|undecided|unclear|unknowns|still open|still unclear|still undecided|still to decide|still to be decided|\
         needs discussion|needs a decision|needs decision|needs input|for discussion|needs clarification|not sure about|\
         not decided|not decided yet|not yet decided|what we don t know|known unknowns|up for discussion|up for debate|to confirm|\
         to be confirmed|asks|waiting for answers|feedback wanted";
    const THINGS: &str = "things|points|topics|items|stuff|what|we|need|needs|have|still|must|should|open";
    let phrase = words.join(" ");
    let is_noun = |word: &&str| holds(NOUNS, word);
    let is_open =
        words.iter().any(is_noun) && words.iter().any(|word| holds(OPEN, word) && *word != "for" && *word != "left");
    let only = |word: &&str| {
        holds(NOUNS, word) || holds(OPEN, word) || holds("to|be|that|are|is|the|with|team|on|of|and", word)
    };
    // "Things to discuss", "What we still need to decide".
    let ends = [
        "to discuss",
        "to decide",
        "to clarify",
        "to figure out",
        "to be discussed",
        "to be decided",
        "to be clarified",
    ];
    let begins = ends.iter().find_map(|end| phrase.strip_suffix(end)).is_some_and(|before| {
        let before = before.trim();
        !before.is_empty() && before.split(' ').all(|word| holds(THINGS, word) || holds("questions|decisions", word))
    });
    holds(WHOLE, &phrase) || (is_open && words.iter().all(only)) || begins
}

/// Tells whether a heading says what is to be done when the work fails: "If something goes wrong", "Backout".
fn is_for_failure(words: &[&str]) -> bool {
    const UNDO: &str = "backout|rollback|revert|undo|fallback|emergency|back|roll";
    const PLANS: &str = "plan|plans|procedure|procedures|strategy|steps|instructions|path|options|option|out|how|to|and|or|the|a|in|case|\
         of|this|change|release|deploy|deployment|migration|changes|it|we|can|do|i|you|emergency|recovery|notes";
    const SUBJECTS: &str =
        "something|anything|things|it|this|that|we|all|everything|deploy|deployment|release|rollout|migration|the";
    const FAILS: &str = "wrong|fails|fail|failed|breaks|break|broken|badly|bad|south|sideways|fire|stuck|explodes";
    const WHOLE: &str = "plan b|what could go wrong|what can go wrong|what might go wrong|worst case|failure scenarios|premortem|\
         pre mortem|escape hatch|kill switch plan";
    let is_undo = words.iter().any(|word| holds(UNDO, word))
        && words.iter().all(|word| holds(UNDO, word) || holds(PLANS, word))
        && !matches!(words, ["undo" | "revert" | "fallback" | "emergency" | "back"]);
    let is_if = match words {
        ["if" | "when" | "should", subject, rest @ ..] | ["what", "if", subject, rest @ ..] => {
            holds(SUBJECTS, subject) && rest.iter().any(|word| holds(FAILS, word))
        }
        ["in", "case", "of", what, ..] => holds("failure|failures|emergency|problems|trouble|fire|errors|issues", what),
        _ => false,
    };
    is_undo || is_if || holds(WHOLE, &words.join(" "))
}

/// Tells whether a heading is about how the plan came to be: "Changelog of this plan", "Revisions of the document".
fn is_history(words: &[&str]) -> bool {
    const RECORDS: &str = "changelog|history|revisions|versions|log";
    const OF: &str = "changelog|history|revisions|revision|versions|change|log|of|for|this|the|plan|document|doc|rfc|adr|spec|proposal|\
         design|issue|ticket|to|changes|edit|edits|version|plans|here";
    const ABOUT: &str = "this|plan|document|doc|rfc|adr|spec|proposal|edit|revision";
    let has = |list: &str| words.iter().any(|word| holds(list, word));
    has(RECORDS) && has(ABOUT) && words.iter().all(|word| holds(OF, word))
        || matches!(words, ["changes", "to" | "in" | "since", .., "plan" | "document" | "doc" | "version" | "revision"])
}

/// Tells whether a heading asks how one sees that the work is good: "What good looks like", "How we know it works".
fn says_what_good_is(words: &[&str]) -> bool {
    match words {
        ["what", .., "looks" | "look", "like"] => words[1..words.len() - 2]
            .iter()
            .all(|word| holds("good|done|success|great|finished|a|it|finished|ready", word)),
        ["how", "we" | "you" | "i" | "to", rest @ ..] => {
            let knows = rest.iter().any(|word| holds("know|tell|recognise|recognize|measure", word));
            let good = rest.iter().any(|word| holds("done|works|worked|success|succeeded|successful|finished", word));
            knows && good
        }
        ["expected", "result" | "outcome" | "behavior" | "behaviour" | "state"] => true,
        ["we", "are", "done", "when" | "if" | "once"] | ["this", "is", "done", "when" | "if" | "once"] => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::domains::{fixed, normal};

    #[test]
    fn the_words_of_a_heading_say_that_nothing_below_is_work() {
        use Reason::{Context, Deferred, OutOfScope, Record};
        for (heading, reason) in [
            ("What we are deliberately not building", OutOfScope),
            ("What we're not touching", OutOfScope),
            ("Things we leave alone", OutOfScope),
            ("We will not", OutOfScope),
            ("Things this PR won't do", OutOfScope),
            ("What this plan does not cover", OutOfScope),
            ("Deliberately not in this release", OutOfScope),
            ("Intentionally omitted", OutOfScope),
            ("Cut from this release", OutOfScope),
            ("What stays unchanged", OutOfScope),
            ("What not to touch", OutOfScope),
            ("Leave for later", Deferred),
            ("Phase 2 ideas", Deferred),
            ("Ideas for version 2", Deferred),
            ("Possible improvements", Deferred),
            ("Someday / maybe", Deferred),
            ("Decisions still to be made", Context),
            ("Pending decisions", Context),
            ("Things to discuss", Context),
            ("What we still need to decide", Context),
            ("TBD", Context),
            ("If something goes wrong", Context),
            ("When the migration fails", Context),
            ("Backout", Context),
            ("How to roll back", Context),
            ("Revert plan", Context),
            ("Changelog of this plan", Record),
            ("Changes since the last version", Record),
        ] {
            assert_eq!(fixed(&normal(heading)), Some(Fixed::Aside(reason)), "{heading}");
        }
        for heading in ["What good looks like", "How we know we are done", "Expected result", "What done looks like"] {
            assert_eq!(fixed(&normal(heading)), Some(Fixed::Acceptance), "{heading}");
        }
    }

    #[test]
    fn what_is_said_of_the_product_is_work() {
        for heading in [
            "Users cannot see drafts",
            "Do not retry on client errors",
            "Handle users that are not found",
            "Show dropped events",
            "Decide the winner of an auction",
            "Undo",
            "Revert a payment",
            "If the user is unknown",
            "When a payment fails",
            "Version history of documents",
            "Save for later",
            "Never log a secret",
            "Feature ideas board",
            "Cut over to the new queue",
            "Expected delivery date",
            "Future dated payments must be refused until their day has come in any time zone",
        ] {
            assert_eq!(by_words(&normal(heading)), None, "{heading}");
        }
    }
}
