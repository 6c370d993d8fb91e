//! Words that say of something that it is not to be done, or not now.

use super::{
    DEFERRED, Fixed, OUT_OF_SCOPE, fixed,
    languages::{self, fold, holds},
};
use crate::plan::accounting::Reason;

/// What says that it is done later. In the form of [`fold`].
const LATER: &str = "later|for later|not now|not yet|not today|deferred|postponed|future|future work|in the future|future release|not this time|\
     not for now|parked|on hold|spater|kommt spater|nicht jetzt|zuruckgestellt|verschoben|plus tard|reporte|mas tarde|mas adelante|\
     aplazado|mais tarde|adiado|piu tardi|rinviato|以后|后续|暂缓|后续版本|後で|後回し|今後|позже|나중에";

/// What says that it is not done.
const NEVER: &str = "out of scope|not in scope|not included|dropped|cancelled|canceled|won t do|wont do|will not do|excluded|rejected|\
     nicht im umfang|nicht enthalten|verworfen|entfallt|hors perimetre|abandonne|fuera de alcance|fuera del alcance|descartado|\
     fora do escopo|fora de escopo|fuori ambito|fuori scope|不做|暂不做|不在范围内|范围外|範囲外|対象外|スコープ外|вне рамок|범위 외";

/// Finds that a phrase in normal form says nothing but that something is not to be done, or not now.
pub(in crate::plan) fn puts_off(phrase: &str) -> Option<Reason> {
    let folded = fold(phrase);
    let is = |words: &str| holds(words, &folded);
    if is(LATER) {
        return Some(Reason::Deferred);
    }
    is(NEVER).then_some(Reason::OutOfScope)
}

/// Finds that a phrase in normal form begins by saying so, and then says when or where it is done instead: "postponed to
/// Q3", "moved to v2". What goes to another phase of the plan is to be done.
pub(in crate::plan) fn begins_putting_off(phrase: &str) -> Option<Reason> {
    const PUT_OFF: &str = "deferred|postponed|moved|pushed|delayed|parked|later|verschoben|zuruckgestellt|reporte|aplazado|adiado|rinviato";
    const DROPPED: &str = "dropped|cancelled|canceled|excluded|rejected|descoped|verworfen|abandonne|descartado";
    const NEVER_ALONE: &str = "moved|pushed|delayed|later";
    const PARTS: &str = "phase|phases|step|steps|task|tasks|part|section|schritt|paso|etape|etapa|fase";
    const BEHIND: &str = "to|until|till|for|in|after|from|by|auf|bis|a|para|hasta|ate";
    const RELEASES: &str =
        "next|later|release|version|sprint|quarter|backlog|separate|another|future|own|iteration|year|month|follow";
    let folded = fold(phrase);
    let words: Vec<&str> = folded.split(' ').collect();
    let (first, rest) = words.split_first()?;
    let names_a_part = rest.iter().any(|word| holds(PARTS, word));
    let names_a_release = rest.iter().any(|word| holds(RELEASES, word) || is_version(word));
    let goes_on = rest.first().is_some_and(|word| holds(BEHIND, word)) && words.len() <= 6;
    if !goes_on || names_a_part || (holds(NEVER_ALONE, first) && !names_a_release) {
        return None;
    }
    match () {
        () if holds(PUT_OFF, first) => Some(Reason::Deferred),
        () => holds(DROPPED, first).then_some(Reason::OutOfScope),
    }
}

/// Tells whether a word counts a release or a part of a year: "v2", "Q3", "2027".
fn is_version(word: &str) -> bool {
    let digits = word.strip_prefix(['v', 'q']).unwrap_or(word);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// Finds that a heading ends in saying that something is for later: "Pendiente para más adelante". What begins with a verb
/// is a feature ("Save for later").
pub(super) fn is_for_later(phrase: &str) -> bool {
    const ENDS: [&str; 7] = [
        " para mas adelante",
        " para despues",
        " fur spater",
        " pour plus tard",
        " para mais tarde",
        " para depois",
        " per dopo",
    ];
    let folded = fold(phrase);
    let first = folded.split(' ').next().unwrap_or_default();
    let is_verb = ["ar", "er", "ir", "en", "re"].iter().any(|end| first.ends_with(end));
    folded.split(' ').count() <= 5 && !is_verb && ENDS.iter().any(|end| folded.ends_with(end))
}

/// Finds a sentence that says so of what it stands in: "After two weeks. Not part of this iteration."
pub(in crate::plan) fn sentence_puts_off(text: &str) -> Option<Reason> {
    const LEADS: [&str; 11] = [
        "this is ",
        "this part is ",
        "this section is ",
        "this phase is ",
        "it is ",
        "we will do this ",
        "will be done ",
        "to be done ",
        "das ist ",
        "das kommt ",
        "dieser teil ist ",
    ];
    text.split(['.', '!', '。', '\n']).filter(|sentence| !sentence.contains([':', '：', '`'])).find_map(|sentence| {
        let phrase = super::normal(sentence);
        let bare = LEADS.iter().find_map(|lead| phrase.strip_prefix(lead)).unwrap_or(&phrase);
        let count = bare.split(' ').count();
        // Of the words of headings those that are whole sentences, too, and not "future calls must retry".
        let begins =
            ["not part of this ", "not part of the ", "not in this "].iter().any(|begin| bare.starts_with(begin));
        let heads = || match fixed(bare)? {
            Fixed::Aside(reason) if reason.forbids() => Some(reason),
            _ => None,
        };
        let is_whole = holds(OUT_OF_SCOPE, bare) || holds(DEFERRED, bare) || languages::fixed(bare).is_some();
        let known = || heads().filter(|_| (2..=5).contains(&count) && (begins || is_whole));
        puts_off(bare).or_else(known)
    })
}

/// Tells whether a sentence says of what it names that it is for later: "Bounce handling can wait."
pub(in crate::plan) fn sentence_waits(sentence: &str) -> bool {
    const WAITS: &str = "can wait|may wait|will have to wait|comes later|is for later|are for later|is not part of this|are not part of this|\
         is out of scope|are out of scope|not in this iteration|kann warten|konnen warten|kommt spater|peut attendre|puede esperar|pode esperar|puo aspettare";
    let folded = format!(" {} ", fold(&super::normal(sentence)));
    let waits = WAITS.split('|').any(|words| folded.contains(&format!(" {} ", words.trim_start())));
    // "Clients can wait for the lock" and "can wait until" speak of what the program does.
    let is_of_program =
        [" can wait for the ", " can wait for a ", " can wait until ", " can wait up ", " can wait on "];
    waits && !is_of_program.iter().any(|words| folded.contains(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_to_another_release_is_put_off() {
        for (phrase, expected) in [
            ("postponed to q3", Some(Reason::Deferred)),
            ("deferred to v2", Some(Reason::Deferred)),
            ("moved to the next release", Some(Reason::Deferred)),
            ("dropped for v1", Some(Reason::OutOfScope)),
            ("moved to a background worker", None),
            ("moved to phase 3", None),
            ("deferred loading", None),
            ("later attempts", None),
        ] {
            assert_eq!(begins_putting_off(phrase), expected, "{phrase}");
        }
        assert!(is_for_later("pendiente para más adelante"));
        assert!(!is_for_later("guardar para más adelante"));
    }

    #[test]
    fn a_sentence_puts_off_what_it_stands_in() {
        for (text, expected) in [
            ("After two weeks in production. Not part of this iteration.", Some(Reason::OutOfScope)),
            ("This is out of scope.", Some(Reason::OutOfScope)),
            ("Kommt später.", Some(Reason::Deferred)),
            ("Nicht Teil dieses Plans.", Some(Reason::OutOfScope)),
            ("Refunds are out of scope.", None),
            ("Out of scope: refunds", None),
            ("Do it later than the others.", None),
        ] {
            assert_eq!(sentence_puts_off(text), expected, "{text}");
        }
    }
}
