//! The words by which plans name roles, gates and the sections that are not work.

mod imperative;
mod languages;
mod looks;
mod phrases;
mod places;
mod put_off;
mod roles;
mod sections;
#[cfg(test)]
mod tests;
mod titles;
mod words;

pub(super) use self::{
    imperative::{begins_asking, may_ask},
    languages::{asks as asks_elsewhere, counted_in_english, holds},
    looks::asks_to_write,
    places::role_of_place,
    put_off::{begins_putting_off, puts_off, sentence_puts_off, sentence_waits},
    titles::role_of_title,
    words::{asks, role_of_words, states_a_duty, text_asks},
};
use self::{
    roles::{NOISE_AFTER, NOISE_BEFORE, ROLES},
    sections::{
        ACCEPTANCE, ASIDES, CONTEXTS, CROSS_CUTTING, DEFERRED, FILES, FRAMES, LEGENDS, OUT_OF_SCOPE, RECORDS,
        VERIFICATION, WORK_FRAMES,
    },
};
use crate::{gate::GateKind, plan::accounting::Reason, roster::Role};

/// Puts a phrase into the form in which it is looked up: lower case, words parted by single spaces, `&` as "and".
pub(super) fn normal(phrase: &str) -> String {
    let mut normal = String::with_capacity(phrase.len());
    for c in phrase.chars() {
        if c.is_alphanumeric() {
            normal.extend(c.to_lowercase());
        } else if c == '&' || c == '+' {
            normal.push_str(" and ");
        } else if !normal.ends_with(' ') {
            normal.push(' ');
        }
    }
    normal.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Finds the role that a phrase in normal form names.
pub(super) fn role(phrase: &str) -> Option<Role> {
    without_noise(phrase).find_map(exact_role)
}

/// Goes from a phrase to shorter ones, leaving out one word after the other that could not change its meaning.
pub(super) fn without_noise(phrase: &str) -> impl Iterator<Item = &str> {
    // A name is short; a sentence that happens to end in many such words is none.
    let short = Some(phrase).filter(|phrase| phrase.split(' ').count() <= 8);
    std::iter::successors(short, |phrase| {
        let last = phrase.rsplit(' ').next().filter(|word| NOISE_AFTER.contains(word));
        let first = phrase.split(' ').next().filter(|word| NOISE_BEFORE.contains(word));
        let shorter = match (last, first) {
            (Some(word), _) => phrase.strip_suffix(word),
            (None, Some(word)) => phrase.strip_prefix(word),
            (None, None) => None,
        };
        shorter.map(str::trim)
    })
}

fn exact_role(phrase: &str) -> Option<Role> {
    ROLES.iter().find(|(_, names)| names.contains(&phrase)).map(|(role, _)| *role).or_else(|| languages::role(phrase))
}

/// Goes through every phrase that names a role.
pub(super) fn role_names() -> impl Iterator<Item = &'static str> {
    ROLES.iter().flat_map(|(_, names)| names.iter().copied())
}

/// Finds the gate that a label in a verification section names.
pub(super) fn gate(phrase: &str) -> Option<GateKind> {
    match phrase {
        "lint" | "linting" | "lints" | "static analysis" | "security" | "format" | "formatting" | "style" => {
            Some(GateKind::Review)
        }
        "integration" | "smoke" | "smoke tests" | "smoke test" | "performance" | "load" | "validate" => {
            Some(GateKind::Validation)
        }
        "unit" | "coverage" => Some(GateKind::Tests),
        _ => {
            let phrase =
                [" commands", " command", " gate"].iter().find_map(|end| phrase.strip_suffix(end)).unwrap_or(phrase);
            role(phrase)?.gate()
        }
    }
}

/// What a section is that is not a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fixed {
    /// Commands that verify the result, of one gate when the heading says which.
    Verification(Option<GateKind>),
    /// Acceptance criteria.
    Acceptance,
    /// Something to read that is no work, and nothing below it is.
    Aside(Reason),
    /// What it is about: its items are no work as long as there is other work.
    Context,
    /// A list of files.
    Files,
    /// What holds for all of the work.
    CrossCutting,
    /// A frame around other sections.
    Frame,
}

impl Reason {
    /// Tells whether not even a box is work where this is the reason.
    pub(super) fn is_final(self) -> bool {
        self.forbids() || matches!(self, Self::Legend | Self::Record)
    }

    /// Tells whether the plan says that it is not to be done, so that nobody may.
    pub(super) fn forbids(self) -> bool {
        matches!(self, Self::OutOfScope | Self::Deferred)
    }
}

/// Sections that say how the work is done: where nothing else does, they are the work.
const APPROACHES: [&str; 11] = [
    "approach",
    "technical approach",
    "proposed approach",
    "implementation approach",
    "solution",
    "proposed solution",
    "design",
    "technical design",
    "strategy",
    "proposal",
    "fix",
];

/// Tells whether a phrase in normal form heads how the work is done.
pub(super) fn is_approach(phrase: &str) -> bool {
    APPROACHES.contains(&phrase)
}

/// Words that may begin or end the heading of an aside without changing what it is.
const ASIDE_BEGINS: [(&str, Reason); 17] = [
    ("appendix ", Reason::Context),
    ("out of scope ", Reason::OutOfScope),
    ("not in this ", Reason::OutOfScope),
    ("not in the first ", Reason::OutOfScope),
    ("not part of this ", Reason::OutOfScope),
    ("future ", Reason::Deferred),
    ("dependencies and ", Reason::Legend),
    ("notes ", Reason::Context),
    ("risks ", Reason::Context),
    ("open questions ", Reason::Context),
    ("parallel example ", Reason::Legend),
    ("senior developer review ", Reason::Record),
    ("ausgangslage ", Reason::Context),
    ("known gotchas ", Reason::Context),
    ("anti patterns ", Reason::OutOfScope),
    ("what already ", Reason::Context),
    ("previous phases ", Reason::Record),
];

/// Words that say what a section is wherever in its heading they stand.
const HOLDS: [(&str, Fixed); 9] = [
    (" out of scope ", Fixed::Aside(Reason::OutOfScope)),
    (" not in scope ", Fixed::Aside(Reason::OutOfScope)),
    (" non goals ", Fixed::Aside(Reason::OutOfScope)),
    (" acceptance criteria ", Fixed::Acceptance),
    (" success criteria ", Fixed::Acceptance),
    (" definition of done ", Fixed::Acceptance),
    (" open questions ", Fixed::Aside(Reason::Context)),
    (" risks and ", Fixed::Aside(Reason::Context)),
    (" and risks ", Fixed::Aside(Reason::Context)),
];

/// Tells whether a phrase in normal form heads the work itself.
pub(super) fn is_work_frame(phrase: &str) -> bool {
    holds(WORK_FRAMES, phrase) || languages::fixed(phrase) == Some(Fixed::Frame)
}

/// Words that may stand before the name of a section that is there to be read: "Related Code Files", "Key Insights".
const QUALIFIERS: [&str; 28] = [
    "old",
    "previous",
    "earlier",
    "prior",
    "past",
    "former",
    "outdated",
    "key",
    "main",
    "important",
    "current",
    "existing",
    "general",
    "additional",
    "related",
    "relevant",
    "known",
    "potential",
    "possible",
    "other",
    "further",
    "overall",
    "critical",
    "initial",
    "brief",
    "project",
    "technical",
    "your",
];

/// Words with which the name of a section ends that is there to be read: "Architecture benefits".
const READ_ENDS: &str = "benefits|rationale|assumptions|references|insights|findings|questions|drawbacks|caveats";

/// Finds what a phrase heads whose first word only describes it. What asks for work needs its whole name.
fn of_qualified(phrase: &str) -> Option<Fixed> {
    let (first, rest) = phrase.split_once(' ').filter(|(first, _)| QUALIFIERS.contains(first))?;
    let found = fixed(rest).filter(|found| matches!(found, Fixed::Aside(_) | Fixed::Context | Fixed::Files));
    found.filter(|_| role(phrase).is_none() && !first.is_empty())
}

/// Tells whether a phrase heads files and says of them no more than that the work is about them: "Files likely involved".
fn begins_listing_files(phrase: &str) -> bool {
    const BEHIND: &str = "likely|probably|possibly|that|which|we|i|you|may|might|will|would|to|be|are|of|in|this|the|plan|work|change|\
         touch|touched|edit|edited|read|look|at|need|needed|involved|affected|changed|modified|created|concerned|interest|for|reference";
    phrase.strip_prefix("files ").is_some_and(|rest| rest.split(' ').all(|word| holds(BEHIND, word)))
}

/// Finds what a phrase heads of which every part is there to be read: "Background and risks".
fn of_parts(phrase: &str) -> Option<Fixed> {
    let marks = [" and ", " or ", " vs ", " und ", " y ", " et ", " e ", "和", "与", "與", "及", "と", "및"];
    let mark = marks.iter().find(|mark| phrase.contains(**mark))?;
    let mut parts = phrase.split(mark).map(|part| fixed(part.trim()));
    let first = parts.next()??;
    let is_read = |fixed: Fixed| matches!(fixed, Fixed::Aside(_) | Fixed::Context | Fixed::Files);
    parts.try_fold(first, |so_far, part| {
        let part = part.filter(|part| is_read(*part) && is_read(so_far))?;
        // Work may stand below what the plan is about.
        Some(if part == Fixed::Context { part } else { so_far })
    })
}

/// Finds what a phrase heads that says twice that something is not to be done: "Later / Not now".
fn of_two_asides(phrase: &str) -> Option<Fixed> {
    let not_done = |part: &str| {
        let lists = [(OUT_OF_SCOPE, Reason::OutOfScope), (DEFERRED, Reason::Deferred)];
        lists.into_iter().find_map(|(words, reason)| holds(words, part).then_some(reason))
    };
    let mut gaps = phrase.match_indices(' ').map(|(at, _)| (&phrase[..at], &phrase[at + 1..]));
    gaps.find_map(|(first, second)| not_done(first).filter(|_| not_done(second).is_some())).map(Fixed::Aside)
}

/// Tells whether a phrase in normal form heads all of the work, so that what stands before it only leads to it.
pub(super) fn holds_only_work(phrase: &str) -> bool {
    const PARTS: [&str; 4] = ["requirements", "functional requirements", "deliverables", "plan"];
    is_work_frame(phrase) && !PARTS.contains(&phrase) && !languages::heads_requirements(phrase)
}

/// Finds what a phrase in normal form heads, when it is none of the roles.
pub(super) fn fixed(phrase: &str) -> Option<Fixed> {
    let lists: [(&str, Fixed); 12] = [
        (VERIFICATION, Fixed::Verification(None)),
        (ACCEPTANCE, Fixed::Acceptance),
        (CROSS_CUTTING, Fixed::CrossCutting),
        (FILES, Fixed::Files),
        (OUT_OF_SCOPE, Fixed::Aside(Reason::OutOfScope)),
        (DEFERRED, Fixed::Aside(Reason::Deferred)),
        (LEGENDS, Fixed::Aside(Reason::Legend)),
        (RECORDS, Fixed::Aside(Reason::Record)),
        (ASIDES, Fixed::Aside(Reason::Context)),
        (CONTEXTS, Fixed::Context),
        (FRAMES, Fixed::Frame),
        (WORK_FRAMES, Fixed::Frame),
    ];
    if let Some((_, fixed)) = lists.iter().find(|(words, _)| holds(words, phrase)) {
        return Some(*fixed);
    }
    if let Some(fixed) = languages::fixed(phrase) {
        return Some(fixed);
    }
    if let Some((_, fixed)) = HOLDS.iter().find(|(part, _)| format!(" {phrase} ").contains(part)) {
        return Some(*fixed);
    }
    if let Some((_, reason)) = ASIDE_BEGINS.iter().find(|(begin, _)| phrase.starts_with(begin)) {
        return Some(Fixed::Aside(*reason));
    }
    if phrase.rsplit_once(' ').is_some_and(|(_, last)| holds(READ_ENDS, last)) && role(phrase).is_none() {
        return Some(Fixed::Aside(Reason::Context));
    }
    if put_off::is_for_later(phrase) {
        return Some(Fixed::Aside(Reason::Deferred));
    }
    if begins_listing_files(phrase) {
        return Some(Fixed::Files);
    }
    if let Some(fixed) = of_qualified(phrase).or_else(|| of_parts(phrase)).or_else(|| of_two_asides(phrase)) {
        return Some(fixed);
    }
    if let Some(fixed) = phrases::by_words(phrase).filter(|_| role(phrase).is_none()) {
        return Some(fixed);
    }
    let gate_phrase = [" commands", " command", " gate"].iter().find_map(|end| phrase.strip_suffix(end))?;
    // "CLI commands" is work for a subagent; "Test commands" is not.
    role(gate_phrase)?.gate().map(|gate| Fixed::Verification(Some(gate)))
}
