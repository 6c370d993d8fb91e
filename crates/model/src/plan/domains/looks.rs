//! Items that ask for nothing but a look at what was made, which the validation subagent has without changing anything.
//!
//! Whoever only looks writes no code: what is taken for such an item by mistake is never done. So only what plainly speaks of
//! the result counts, and not what the program itself is to check while it runs.

use super::{holds, normal, words::begins_making};

/// What is looked at once the work is done.
const RESULTS: &str = "build|builds|test|tests|suite|quickstart|scenario|scenarios|acceptance|criteria|implementation|feature|features|\
     works|pass|passes|pipeline|deployment|rollback|staging|production|manually|locally|end|flow|flows|coverage|performance|\
     result|results|integration|installation|setup|checklist|story|stories|behaviour|behavior|everything|regressions|lint|linter";

/// What a program verifies while it runs.
const CHECKED_BY_CODE: &str = "signature|signatures|token|tokens|password|passwords|checksum|checksums|hash|hashes|certificate|certificates|\
     email|emails|address|addresses|captcha|jwt|otp|hmac|identity|ownership|permission|permissions";

/// Words that may stand around "checkpoint" where it divides a plan and is nothing of the program's.
const OF_PLANS: &str = "checkpoint|final|last|first|second|third|next|mid|midway|intermediate|phase|milestone|stage|step|quality|manual|test|\
     review|build|integration|validation|foundation|story|user";

/// Tells whether an item asks for a look at the result. `head` are the words of its text that say what it is about.
pub(super) fn asks_to_validate(text: &str, head: &[&str]) -> bool {
    if divides_a_plan(text) {
        return true;
    }
    let first = head.first().copied().unwrap_or_default();
    let has = |wanted: &str| head.iter().any(|word| holds(wanted, word));
    let speaks_of_results = || normal(text).split(' ').any(|word| holds(RESULTS, word));
    let is_the_programs = || {
        let last = head.last().copied().unwrap_or_default();
        head.len() > 1 && (happens_at_run_time(text) || holds(CHECKED_BY_CODE, last)) && !speaks_of_results()
    };
    match first {
        "run" | "execute" => has("tests|validation|linter|linters|checks|suite") && !happens_at_run_time(text),
        "verify" => !is_the_programs(),
        // "Validate the amount" asks for code that does.
        "validate" => {
            (head.len() == 1 && normal(text) == "validate") || (speaks_of_results() && !happens_at_run_time(text))
        }
        _ => false,
    }
}

/// What somebody writes who writes something for the repository.
const WRITTEN: &str = "test|tests|script|scripts|fixture|fixtures|suite|spec|specs|mock|mocks|stub|stubs|documentation|docs|runbook|readme|\
     dashboard|dashboards|benchmark|benchmarks|helper|helpers|harness|scenario|scenarios|changelog|migration|workflow|cases|testcases";

/// Tells whether an item asks to write something for the repository, which nobody may do who only looks: "Unit tests for
/// drift", "Write a load test script". "Create an order and check the total" only uses what is there.
pub(in crate::plan) fn asks_to_write(text: &str) -> bool {
    const WRITES: &str =
        "write|implement|add|create|extend|update|generate|build|develop|author|complete|expand|provide|introduce";
    const ONLY_BY_LOOKING: &str =
        "e2e|end|smoke|load|manual|manually|acceptance|performance|stress|exploratory|penetration";
    const SEEN: &str =
        "pass|passes|passing|green|succeed|succeeds|run|runs|rerun|ok|clean|fail|fails|is|are|still|stay|again|execute";
    let phrase = normal(text);
    let words: Vec<&str> = phrase.split(' ').collect();
    let has = |wanted: &str| words.iter().any(|word| holds(wanted, word));
    let writes = words.first().is_some_and(|first| holds(WRITES, first));
    let end = words.iter().position(|word| holds("for|of|in|that|to|with|which|on|and|covering|so", word));
    let object = end.map_or(words.as_slice(), |end| &words[..end]).last().copied().unwrap_or_default();
    if writes {
        return holds(WRITTEN, object);
    }
    let names_what = end.is_some_and(|end| words.len() > end + 1);
    matches!(object, "test" | "tests")
        && names_what
        && !has(SEEN)
        && !has(ONLY_BY_LOOKING)
        && words.len() <= 16
        && super::role_of_words(text) == Some(crate::roster::Role::Tests)
}

/// Tells whether an item is a stop between parts of a plan: `Checkpoint - all tests pass`, `**Phase 2 checkpoint**: it works`.
fn divides_a_plan(text: &str) -> bool {
    let text = text.trim_start_matches(|c: char| !c.is_alphanumeric());
    let ends = [":", "：", " - ", " – ", " — ", "** ", " (", ",", ". ", " after ", " before ", " at "];
    let end = ends.iter().filter_map(|mark| Some((text.find(mark)?, mark.len()))).min();
    let (name, behind) = end.map_or((text, ""), |(at, len)| (&text[..at], &text[at + len..]));
    let phrase = normal(name);
    let mut words = phrase.split(' ');
    let is_plans = |word: &str| holds(OF_PLANS, word) || word.bytes().any(|byte| byte.is_ascii_digit());
    words.clone().any(|word| word == "checkpoint") && words.all(is_plans) && !begins_making(&normal(behind))
}

/// Tells whether what a text speaks of happens while the program runs: "when resuming", "on each request", "before saving".
pub(super) fn happens_at_run_time(text: &str) -> bool {
    const OF_PEOPLE: &str = "committing|merging|pushing|deploying|releasing|shipping|continuing|proceeding|moving|closing|finishing|starting";
    let phrase = normal(text);
    let words: Vec<&str> = phrase.split(' ').collect();
    let pairs = || words.windows(2).filter_map(|pair| <[&str; 2]>::try_from(pair).ok());
    pairs().any(|pair| match pair {
        ["on" | "for" | "with" | "per", word] if holds("each|every|request|upload|save|import|login", word) => true,
        ["when" | "before" | "while" | "after" | "on", word] => {
            word.len() > 4 && word.ends_with("ing") && !holds(OF_PEOPLE, word)
        }
        ["at", word] => holds("startup|boot|runtime", word),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::super::role_of_words;
    use crate::roster::Role;

    #[test]
    fn only_a_look_at_the_result_is_the_validators() {
        for text in [
            "Checkpoint",
            "Checkpoint - Ensure all tests pass",
            "**Checkpoint**: User Story 1 works on its own",
            "Phase 2 checkpoint: everything green",
            "Final checkpoint",
            "Checkpoint after phase 2",
            "Verify that every status has a test",
            "Verify",
            "Verify the build before merging",
            "Verify the login flow when offline",
            "Validate quickstart scenarios",
            "Run the test suite",
            "Run validation",
        ] {
            assert_eq!(role_of_words(text), Some(Role::Validation), "{text}");
        }
        for text in [
            "Store the checkpoint in table `cp`",
            "Add checkpoint support to the importer",
            "Load checkpoint",
            "Checkpoint the state every 100 rows",
            "Checkpoint: store the offset in table `cp`",
            "Checkpoint table",
            "Validate the checkpoint when resuming",
            "Validate the amount",
            "Validate tests uploaded when importing",
            "Verify the signature of the webhook",
            "Verify the quota before saving",
            "Run checks on each request",
        ] {
            assert_eq!(role_of_words(text), None, "{text}");
        }
    }
}
