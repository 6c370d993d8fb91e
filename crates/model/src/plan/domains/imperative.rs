//! Sentences that ask for something by their form: a verb stands first, and nothing before it with which statements begin.
//!
//! No list has every verb with which work is asked for ("Aggregate events per day", "Parse the file"). The words that
//! cannot be one at the beginning of a sentence are few and do not change.

use super::holds;

/// Words with which a sentence begins that is a statement, or that names something to be looked at.
const OPENERS: &str = "a|an|the|this|that|these|those|there|here|it|its|they|their|we|our|you|your|he|she|i|my|one|two|three|each|every|\
     all|any|both|some|many|most|few|several|no|none|not|nothing|only|just|also|even|still|already|yet|never|always|often|\
     today|now|once|when|whenever|whether|while|if|unless|until|since|because|although|though|as|after|before|during|for|from|\
     in|into|on|onto|of|off|out|at|by|to|with|within|without|via|per|about|above|below|between|under|over|than|so|but|and|or|\
     nor|either|neither|what|which|who|whom|whose|where|why|how|is|are|was|were|be|been|do|does|did|has|have|had|can|could|\
     may|might|will|would|shall|should|must|however|therefore|thus|instead|otherwise|another|other|same|such|more|less|much|\
     little|new|old|yes|ok|note|see|first|second|third|last|like|unlike|please|then|next|later|again|maybe|perhaps|us|let|sorry|\
     hello|hi|thanks|main|current|status|date|author|version";

/// Verbs that stand behind the subject of a statement.
const VERBS_OF_STATEMENTS: &str = "is|are|was|were|be|has|have|had|can|could|may|might|will|would|shall|should|must|do|does|did|needs|need|\
     gets|means|seems|happens|works|exists|and|or|of";

/// Words before an object.
const DETERMINERS: &str =
    "a|an|the|this|that|these|those|each|every|all|any|both|its|their|our|no|one|two|it|them|only";

/// Words before the place or the way of what is done.
const PREPOSITIONS: &str =
    "from|to|into|in|on|onto|by|with|via|for|per|at|through|over|against|between|behind|as|out|up";

/// Words that may stand before what is asked for.
const LEADS: &str = "first|then|next|finally|also|please|afterwards|lastly|and";

/// Tells whether a sentence of a text may ask for something. What is no word-for-word statement is taken for a request, so
/// this is only for texts of which something has to be work.
pub(in crate::plan) fn may_ask(text: &str) -> bool {
    sentences(text).any(|sentence| asks(sentence, false))
}

/// Tells whether a text begins with what plainly asks for something: "Parse CAMT files", "Aggregate the events per day".
pub(in crate::plan) fn begins_asking(text: &str) -> bool {
    sentences(text).next().is_some_and(|sentence| asks(sentence, true))
}

/// Divides a text into sentences, and what stands behind a label from it.
fn sentences(text: &str) -> impl Iterator<Item = &str> {
    let ends = ["\n", ". ", "! ", "? ", "; ", ": ", " — "];
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let end = ends.iter().filter_map(|end| text.find(end).map(|at| (at, end.len()))).min();
        rest = end.map(|(at, len)| &text[at + len..]);
        Some(end.map_or(text, |(at, _)| &text[..at]))
    })
    .filter(|sentence| sentence.contains(' '))
}

fn asks(sentence: &str, is_plain: bool) -> bool {
    let sentence = sentence.trim_start_matches(|c: char| !c.is_alphanumeric() && c != '`');
    let words: Vec<&str> = sentence.split([' ', '\'', '’', ',']).filter(|word| !word.is_empty()).take(8).collect();
    let lower: Vec<String> = words.iter().map(|word| word.trim_end_matches(['.', '!', ')']).to_lowercase()).collect();
    let led = lower.iter().take_while(|word| holds(LEADS, word)).count();
    let rest: Vec<&str> = lower[led..].iter().map(String::as_str).collect();
    match rest.as_slice() {
        // "I'd add a field", "We will add one", "Let's add one".
        ["i" | "we", "d" | "ll" | "will" | "would" | "should" | "must" | "shall", verb, _, ..] => is_verb(verb),
        ["let", "s" | "us", verb, ..] => is_verb(verb),
        [first, second, ..] => {
            let written = words[led];
            let is_word = written.chars().skip(1).all(|c| c.is_ascii_lowercase());
            // "Django sends the mails" says what is so.
            let is_statement = holds(VERBS_OF_STATEMENTS, second)
                || is_plural(second) && rest.get(2).is_some_and(|third| holds(DETERMINERS, third));
            is_word && is_verb(first) && !is_statement && (!is_plain || is_object(&rest[1..], words[led + 1]))
        }
        _ => false,
    }
}

/// Tells whether a word may be a verb in the form in which one asks for something.
fn is_verb(word: &str) -> bool {
    let ends =
        ["ing", "ed", "ly", "tion", "ment", "ness", "ity", "ers", "ance", "ence", "ism", "able", "ful", "ous", "ic"];
    let is_noun =
        ends.iter().any(|end| word.ends_with(end)) && !holds("embed|need|feed|seed|implement|document|bring", word);
    let is_noun = is_noun || (is_plural(word) && !holds("process|express|compress|address|pass|bypass|suppress", word));
    word.len() >= 2 && word.bytes().all(|byte| byte.is_ascii_lowercase()) && !is_noun && !holds(OPENERS, word)
}

fn is_plural(word: &str) -> bool {
    word.len() > 2 && word.ends_with('s')
}

/// Tells whether words begin with what something is done to, or where. The first of them was `written` so.
fn is_object(words: &[&str], written: &str) -> bool {
    let [word, behind @ ..] = words else { return false };
    let is_thing = |word: &&str| holds(DETERMINERS, word) || word.starts_with('`');
    is_thing(word)
        || (holds(PREPOSITIONS, word) && behind.first().is_some_and(is_thing))
        // "Slow queries hurt" says what is so.
        || (is_plural(word) && behind.first().is_none_or(|next| holds(PREPOSITIONS, next) || holds("and|or|that|when|if", next)))
        || written.starts_with('`')
        || written.chars().any(|c| c.is_uppercase() || c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_asks_has_a_verb_in_front() {
        for text in [
            "Aggregate events per day.",
            "Parse CAMT files and store them.",
            "Index: add an index on `day`",
            "🔧 Bundle the assets",
            "I'd add a column for it.",
            "We will keep the old route. Then drop it.",
            "Reports are slow today. Cache the totals in `src/totals.py`.",
        ] {
            assert!(may_ask(text), "{text}");
        }
        for text in [
            "The invoices are slow.",
            "Today we count twice.",
            "Customers ask for a total.",
            "Billing is slow.",
            "Redis holds the sessions.",
            "Currently nothing is cached.",
            "Usage is counted per request.",
            "We have two tables.",
            "`total` is wrong",
            "See RFC 12",
        ] {
            assert!(!may_ask(text), "{text}");
        }
    }

    #[test]
    fn what_plainly_asks_names_its_object() {
        for text in ["Parse CAMT files.", "Aggregate the events. They are many.", "Read from `a.py`"] {
            assert!(begins_asking(text), "{text}");
        }
        for text in [
            "Slow queries hurt.",
            "Support calls rise.",
            "Django sends the mails.",
            "It is slow. Parse the file.",
            "Send to Coder",
        ] {
            assert!(!begins_asking(text), "{text}");
        }
    }
}
