//! What a heading names: a subagent, a role, a section of the plan, or nothing that we know.

mod marks;
mod titles;

pub(super) use self::marks::{code, counts_a_phase, leads_a_part, named, postponed, split_subagent, uncounted};
use self::marks::{decorates, done_by_its_first_sign, says_done, without_tag};
pub(super) use super::counts::counted;
use super::counts::{COUNTED, FRAMING, behind_any_count, is_part, split_title, strip_letter, strip_number};
use crate::{
    ids::NAME_MAX,
    plan::{
        blocks,
        domains::{self, Fixed},
        draft::Who,
        inline::Line,
        items::split_braced_id,
        mentions,
    },
    roster::{Role, Roster},
    text,
};

/// What a heading says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Heading {
    /// What it names.
    pub(super) names: Names,
    /// The id that it gives to its task.
    pub(super) id: Option<String>,
    /// The heading for people: without numbering, id and the subagent's name where there is more.
    pub(super) title: String,
    /// Whether it says more than the name of a subagent or role.
    pub(super) has_title: bool,
    /// Whether it begins with "Phase 2" or the like.
    pub(super) is_phase: bool,
    /// Whether it counts a piece of work: "Step 3", "Task 2: …", "4. …".
    pub(super) is_counted: bool,
    /// Whether it has a box that is ticked.
    pub(super) is_done: bool,
    /// What the plan may call it by, in normal form: `task 2`, `2`, `us1`.
    pub(super) keys: Vec<String>,
    /// The paths that it names.
    pub(super) paths: Vec<String>,
    /// Whether it names a domain only by a noun among other words: "Operator CLI".
    pub(super) by_noun: bool,
}

impl Heading {
    /// Tells whether a word counts it, as in "Task 2", and not a number alone.
    pub(super) fn is_counted_in_words(&self) -> bool {
        self.is_counted && self.keys.iter().any(|key| key.contains(' '))
    }

    /// Tells whether a tag or a box marks it as a piece of work.
    pub(super) fn is_tagged(&self) -> bool {
        self.is_counted && self.keys.is_empty()
    }
}

/// What a heading names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Names {
    /// A subagent of the roster, by its name.
    Subagent(Who),
    /// A role that a subagent of the roster plays.
    Role(Role, Who),
    /// A role that nobody in the roster plays.
    VacantRole(Role),
    /// Several roles or sections at once; the first of the roles.
    Several(Option<Who>),
    /// Something that looks like the name of a subagent, and the nearest that exists; without one it may also be the name
    /// of something else in backticks.
    Unknown { name: String, nearest: Option<String> },
    /// A section that is no task.
    Fixed(Fixed),
    /// Anything else.
    Other,
}

/// How many headings that name nothing are held against all known names. A plan has a few; a hostile text has thousands.
const COMPARED_MAX: usize = 500;

/// Reads headings one after the other.
pub(super) struct HeadingReader<'r> {
    roster: &'r Roster,
    compared: usize,
    /// Whether the plan decorates its headings, so that a tick before one says nothing.
    is_decorated: bool,
}

impl<'r> HeadingReader<'r> {
    /// Begins to read headings against `roster`: all of a document, of which these are the texts.
    pub(super) fn new<'t>(roster: &'r Roster, mut texts: impl Iterator<Item = &'t str>) -> Self {
        Self { roster, compared: 0, is_decorated: texts.any(decorates) }
    }

    /// Reads a heading.
    pub(super) fn read(&mut self, line: &Line) -> Heading {
        let mut heading = read(line, self.compared < COMPARED_MAX, self.roster);
        heading.is_done &= !(self.is_decorated && done_by_its_first_sign(&line.text));
        self.compared += usize::from(matches!(heading.names, Names::Other | Names::Unknown { .. }));
        heading
    }
}

fn read(line: &Line, may_compare: bool, roster: &Roster) -> Heading {
    let (plain, id) = split_id(&plain(line));
    let boxed = blocks::strip_box(&plain);
    let tagged = if boxed.is_none() { without_tag(&plain) } else { None };
    let plain = boxed.map_or(plain.as_str(), |(.., rest)| rest);
    let plain = domains::counted_in_english(tagged.as_deref().unwrap_or(plain));
    let (rest, is_phase) = strip_prefix(&plain);
    let (is_counted, keys) = counted(&plain);
    let is_counted = is_counted || boxed.is_some() || tagged.is_some();
    let is_done = boxed.is_some_and(|(done, ..)| done) || says_done(&plain, is_counted || is_phase);
    let paths = mentions::paths(&line.text);
    let codes: Vec<&str> = line.codes.iter().map(|(_, code)| code.as_str()).collect();
    if let Some(reason) = postponed(&plain) {
        let names = Names::Fixed(Fixed::Aside(reason));
        let title = rest.to_owned();
        let (has_title, by_noun) = (false, false);
        return Heading { names, id, title, has_title, is_phase, is_counted, is_done, keys, paths, by_noun };
    }

    if let Some((who, title)) = named_subagent(rest, &codes, roster) {
        let has_title = title.is_some();
        let title = title.unwrap_or_else(|| who.name.as_str().to_owned());
        return Heading {
            names: Names::Subagent(who),
            id,
            title,
            has_title,
            is_phase,
            is_counted,
            is_done,
            keys,
            paths,
            by_noun: false,
        };
    }
    // "M1: CLI" counts with a word that we do not know, which what is behind it shows.
    let (head, tail) = split_title(behind_any_count(rest).unwrap_or(rest));
    let head_phrase = domains::normal(head);
    let known = |phrase: &str| {
        let role = domains::role(phrase);
        let named =
            role.map(|role| Who::of_role(role, roster).map_or(Names::VacantRole(role), |who| Names::Role(role, who)));
        named.or_else(|| domains::fixed(phrase).map(Names::Fixed))
    };
    // "Tests for user story 1" are tests.
    let before_for = || head_phrase.split_once(" for ").and_then(|(before, _)| known(before));
    let named = known(&head_phrase).or_else(before_for);
    let by_noun = || {
        let role = titles::role(head, tail, &head_phrase)?;
        Some(Who::of_role(role, roster).map_or(Names::VacantRole(role), |who| Names::Role(role, who)))
    };
    let noun = if named.is_none() && paths.is_empty() { by_noun() } else { None };
    let by_noun = noun.is_some();
    let names = named.or(noun).unwrap_or_else(|| match paths.is_empty() {
        true => unnamed(head, &head_phrase, may_compare, &codes, roster),
        false => Names::Other,
    });
    let is_role = matches!(names, Names::Role(..) | Names::VacantRole(_));
    let title = if is_role && !by_noun && !tail.is_empty() { tail } else { rest };
    let has_title = by_noun || !tail.is_empty();
    Heading { names, id, title: title.to_owned(), has_title, is_phase, is_counted, is_done, keys, paths, by_noun }
}

/// Returns the heading's text without backticks.
fn plain(line: &Line) -> String {
    line.text.replace('`', "")
}

/// Splits `{#id}` or `(id: …)` off the end.
fn split_id(plain: &str) -> (String, Option<String>) {
    if let Some((rest, id)) = split_braced_id(plain) {
        return (rest.to_owned(), Some(id.to_owned()));
    }
    let bracket = plain.trim_end().strip_suffix(')').and_then(|inner| inner.rsplit_once('('));
    if let Some((rest, inner)) = bracket
        && let Some((key, id)) = inner.split_once(':')
        && key.trim().eq_ignore_ascii_case("id")
    {
        return (rest.trim_end().to_owned(), Some(id.trim().to_owned()));
    }
    (plain.trim().to_owned(), None)
}

/// Takes numbering, emoji and punctuation off the beginning; tells whether a word such as "Phase" was among it.
fn strip_prefix(plain: &str) -> (&str, bool) {
    let mut rest = plain.trim();
    let mut is_phase = false;
    loop {
        let before = rest;
        rest = rest.trim_start_matches(|c: char| !c.is_alphanumeric());
        rest = strip_number(rest).unwrap_or(rest);
        let word_end = rest.find(|c: char| !c.is_alphabetic()).unwrap_or(rest.len());
        let (word, behind) = rest.split_at(word_end);
        if let Some(at) = COUNTED.iter().position(|counted| word.eq_ignore_ascii_case(counted)) {
            let behind = behind.trim_start();
            let numbered = || strip_number(behind).or_else(|| strip_letter(behind));
            if let Some(numbered) = numbered().or_else(|| behind.strip_prefix([':', '-', '–', '—'])) {
                rest = numbered;
                is_phase |= at < FRAMING;
            }
        } else if let Some((frames, numbered)) = is_part(rest) {
            rest = numbered;
            is_phase |= frames;
        }
        if rest.len() == before.len() {
            return (rest.trim(), is_phase);
        }
    }
}

/// Finds a subagent that the heading names exactly, and what else the heading says.
fn named_subagent(rest: &str, codes: &[&str], roster: &Roster) -> Option<(Who, Option<String>)> {
    let by_code = codes.iter().find_map(|code| Some((Who::of_name(code.trim(), roster)?, code.trim())));
    let by_word = || {
        let words = rest.split_whitespace().map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()));
        words.filter(|word| word.contains('-')).find_map(|word| Some((Who::of_name(word, roster)?, word)))
    };
    let (head, tail) = split_title(rest);
    if let Some((who, name)) = by_code.or_else(by_word) {
        let title = rest.replacen(name, "", 1).replace("()", "").replace("[]", "");
        let title =
            title.trim_matches(|c: char| c.is_whitespace() || matches!(c, ':' | '-' | '–' | '—' | '|' | '→' | '>'));
        return Some((who, (!title.is_empty()).then(|| title.to_owned())));
    }
    // A name may have spaces, or be written with them: "Backend Feature Implementer".
    let who = Who::of_name(head, roster).or_else(|| {
        Who::of_name(&domains::normal(head).replace(' ', "-"), roster).filter(|_| head.contains([' ', '-']))
    })?;
    Some((who, (!tail.is_empty()).then(|| tail.to_owned())))
}

/// Judges a heading that names nothing: several things at once, a misspelt name, or something else altogether.
fn unnamed(head: &str, phrase: &str, may_compare: bool, codes: &[&str], roster: &Roster) -> Names {
    let parts: Vec<&str> = phrase.split(" and ").flat_map(|part| part.split(" or ")).collect();
    let known = |part: &str| match (domains::role(part), domains::fixed(part)) {
        (Some(role), _) => Some(Ok(role)),
        (None, Some(Fixed::Verification(_) | Fixed::Acceptance | Fixed::CrossCutting)) => Some(Err(())),
        _ => None,
    };
    if parts.len() > 1
        && let Some(known) = parts.iter().map(|part| known(part)).collect::<Option<Vec<_>>>()
    {
        return match known.first() {
            Some(Ok(role)) if known.iter().all(|other| other == &Ok(*role)) => {
                Who::of_role(*role, roster).map_or(Names::VacantRole(*role), |who| Names::Role(*role, who))
            }
            _ => Names::Several(known.iter().find_map(|part| part.ok()).and_then(|role| Who::of_role(role, roster))),
        };
    }
    // Sentences are not names, and comparing long ones with every name would take long.
    if !may_compare || head.chars().count() > NAME_MAX || phrase.split(' ').count() > 4 {
        return Names::Other;
    }
    let is_kebab = |word: &str| {
        word.contains('-')
            && word
                .split('-')
                .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()))
    };
    let names = || roster.iter().map(|subagent| subagent.name.as_str());
    let nearest_name = text::nearest(head, names()).filter(|near| is_near(head, near) || is_kebab(head));
    if let Some(near) = nearest_name {
        return Names::Unknown { name: head.to_owned(), nearest: Some(near.to_owned()) };
    }
    if is_kebab(head) && codes.contains(&head) && is_agents_name(head) {
        return Names::Unknown { name: head.to_owned(), nearest: None };
    }
    if !phrase.is_ascii() {
        return Names::Other;
    }
    let phrase = domains::without_noise(phrase).last().unwrap_or(phrase);
    let alike = domains::role_names().filter(|name| are_words_near(phrase, name));
    match text::nearest(phrase, alike).and_then(domains::role) {
        Some(role) => Names::Unknown { name: head.to_owned(), nearest: Some(role.title().to_owned()) },
        None => Names::Other,
    }
}

/// Tells whether a name is that of a subagent by its kind, and not that of a service or a package.
fn is_agents_name(name: &str) -> bool {
    const ENDS: [&str; 12] = [
        "-agent",
        "-implementer",
        "-architect",
        "-generator",
        "-reviewer",
        "-engineer",
        "-specialist",
        "-expert",
        "-developer",
        "-wizard",
        "-pro",
        "-checker",
    ];
    name.starts_with("backend-") || ENDS.iter().any(|end| name.ends_with(end))
}

/// Tells whether two phrases have the same words but for misspellings.
fn are_words_near(phrase: &str, name: &str) -> bool {
    phrase.split(' ').count() == name.split(' ').count()
        && phrase.split(' ').zip(name.split(' ')).all(|(word, other)| {
            word == other
                || (word.len().abs_diff(other.len()) * 4 <= word.len().max(other.len()) && is_near(word, other))
        })
}

/// Tells whether one word is a misspelling of the other, rather than another word that begins alike.
fn is_near(word: &str, candidate: &str) -> bool {
    let word = word.to_lowercase();
    strsim::normalized_damerau_levenshtein(&word, &candidate.to_lowercase()) >= 0.75
}

#[cfg(test)]
mod tests;
