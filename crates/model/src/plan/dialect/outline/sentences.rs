//! Paragraphs that ask for work of different domains, so that each sentence which asks is an item.

use crate::plan::{
    domains,
    draft::{RequirementDraft, TaskDraft},
    mentions,
};

/// Divides what is made of paragraphs where its sentences ask for work of different domains. Returns the sentences that put
/// something off.
pub(super) fn divide(task: &mut TaskDraft) -> Vec<String> {
    let mut put_off = Vec::new();
    let mut divided = Vec::new();
    for made in std::mem::take(&mut task.requirements) {
        match made.is_prose.then(|| parts_of(&made, &task.title)).flatten() {
            Some(parts) => {
                put_off.extend(parts.put_off);
                for note in &parts.notes {
                    task.add_note(note);
                }
                let group = parts.group;
                let mut id = made.id.clone();
                divided.extend(parts.items.into_iter().map(|(text, detail)| RequirementDraft {
                    id: id.take(),
                    paths: mentions::changed(&format!("{text} {detail}")),
                    text: group.as_ref().map_or_else(|| text.clone(), |group| format!("{group}: {text}")),
                    about: Some(without_lead(&text).to_owned()),
                    detail,
                    ..made.clone()
                }));
            }
            None => divided.push(made),
        }
    }
    task.requirements = divided;
    put_off
}

/// What the sentences of a text are.
#[derive(Default)]
struct Parts {
    /// The heading above them.
    group: Option<String>,
    /// Sentences that ask for something, each with those behind it that only say more.
    items: Vec<(String, String)>,
    /// What holds for all of them.
    notes: Vec<String>,
    /// Sentences that put something off.
    put_off: Vec<String>,
}

fn parts_of(made: &RequirementDraft, title: &str) -> Option<Parts> {
    let is_headed = !made.detail.is_empty() && (made.text == title || made.text.starts_with('#'));
    let text = if is_headed { made.detail.clone() } else { format!("{}\n\n{}", made.text, made.detail) };
    let is_plain =
        |line: &str| !line.starts_with(['|', '#', '>', '~', '-', '*', '+', ' ', '\t']) && !line.starts_with("```");
    // Lists and code belong to what stands around them.
    if !text.lines().all(|line| is_plain(line) || line.trim().is_empty()) {
        return None;
    }
    let mut parts = Parts { group: is_headed.then(|| made.text.clone()), ..Parts::default() };
    let mut roles = Vec::new();
    for sentence in text.split("\n\n").flat_map(sentences) {
        if domains::sentence_waits(&sentence) {
            parts.put_off.push(sentence);
        } else if forbids(&sentence) || checks(&sentence) {
            parts.notes.push(sentence);
        } else if asks(&sentence) {
            roles.push(domains::role_of_words(without_lead(&sentence)));
            parts.items.push((sentence, String::new()));
        } else {
            match parts.items.last_mut() {
                Some((_, detail)) if detail.is_empty() => *detail = sentence,
                Some((_, detail)) => *detail = format!("{detail} {sentence}"),
                None => parts.notes.push(sentence),
            }
        }
    }
    roles.iter().any(|role| Some(role) != roles.first()).then_some(parts)
}

/// Divides a paragraph into its sentences. A point in code, or before a small letter, ends none.
fn sentences(paragraph: &str) -> Vec<String> {
    let line = paragraph.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut found = Vec::new();
    let (mut begin, mut is_code) = (0, false);
    for (at, c) in line.char_indices() {
        is_code ^= c == '`';
        let behind = line.get(at + c.len_utf8()..).unwrap_or_default();
        let begins_anew = || {
            let mut next = behind.chars();
            next.next() == Some(' ') && next.next().is_some_and(|next| next.is_uppercase() || next == '`')
        };
        if !is_code && matches!(c, '.' | '!' | '?') && begins_anew() {
            found.push(line[begin..=at].trim().to_owned());
            begin = at + 1;
        }
    }
    found.push(line[begin..].trim().to_owned());
    found.retain(|sentence| !sentence.is_empty());
    found
}

/// Takes off what a sentence begins with before it says what is to be done: "Then …", "We will …", "Once the relay works, …".
fn without_lead(sentence: &str) -> &str {
    const LEADS: [&str; 20] = [
        "first,",
        "first",
        "then,",
        "then",
        "next,",
        "next",
        "finally,",
        "finally",
        "also,",
        "also",
        "please",
        "we will",
        "we'll",
        "we need to",
        "we have to",
        "we should",
        "we must",
        "lastly,",
        "afterwards,",
        "and",
    ];
    let mut rest = sentence.trim_start();
    loop {
        let lower = rest.get(..24.min(rest.len())).unwrap_or(rest).to_lowercase();
        let lead = LEADS.iter().find(|lead| lower.strip_prefix(**lead).is_some_and(|behind| behind.starts_with(' ')));
        let clause =
            ["once ", "when ", "after ", "as soon as ", "while ", "if "].iter().any(|lead| lower.starts_with(lead));
        match (lead, clause.then(|| rest.split_once(", ")).flatten()) {
            (Some(lead), _) => rest = rest[lead.len()..].trim_start(),
            (None, Some((_, behind))) => rest = behind.trim_start(),
            (None, None) => return rest,
        }
    }
}

fn asks(sentence: &str) -> bool {
    let bare = without_lead(sentence);
    let needs = |phrase: &str| {
        [
            "has to be",
            "have to be",
            "needs to be",
            "need to be",
            "must be",
            "should be",
            "we want",
            "we also want",
            "we need",
            "need the",
            "needs a",
        ]
        .iter()
        .any(|words| phrase.contains(words))
    };
    domains::asks(bare)
        || domains::begins_asking(bare)
        || domains::asks_elsewhere(bare)
        || domains::role_of_words(bare).is_some()
        || needs(&sentence.to_lowercase())
}

/// Tells whether a sentence says what must not be done: "Don't change the templates."
fn forbids(sentence: &str) -> bool {
    let lower = sentence.to_lowercase().replace('’', "'");
    ["don't ", "do not ", "never ", "must not ", "no need "].iter().any(|lead| lower.starts_with(lead))
}

/// Tells whether a sentence says what must be seen in the end: "When you're done, `npm test` must pass."
fn checks(sentence: &str) -> bool {
    let lower = sentence.to_lowercase();
    ["must pass", "has to pass", "have to pass", "should pass", "must be green", "still pass", "needs to pass"]
        .iter()
        .any(|words| lower.contains(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let mut task = TaskDraft {
            title: "Plan".to_owned(),
            requirements: vec![RequirementDraft {
                text: text.to_owned(),
                is_prose: true,
                ..RequirementDraft::default()
            }],
            ..TaskDraft::default()
        };
        let put_off = divide(&mut task);
        let items: Vec<&str> = task.requirements.iter().map(|made| made.text.as_str()).collect();
        format!("{} | {} | {}", items.join(" / "), task.notes.replace('\n', " "), put_off.join(" "))
    }

    #[test]
    fn sentences_that_ask_for_work_of_different_domains_are_items() {
        assert_eq!(
            shown(
                "We send mails too early. First introduce an outbox table. Then build a relay in src/relay.ts which reads it. \
                 It keeps the order. Cover the relay with unit tests. We also want an `orders replay` command. Don't change the \
                 templates. Bounces can wait for another time."
            ),
            "First introduce an outbox table. / Then build a relay in src/relay.ts which reads it. / Cover the relay with unit tests. \
             / We also want an `orders replay` command. | We send mails too early.  Don't change the templates. | Bounces can wait \
             for another time."
        );
    }

    #[test]
    fn a_paragraph_of_one_domain_stays_one_item() {
        for text in [
            "Add a column for the total. Then fill it in the job. The old rows keep theirs.",
            "Make `src/a.py` refuse it. The routes should answer 400.",
        ] {
            assert_eq!(shown(text), format!("{text} |  | "));
        }
    }
}
