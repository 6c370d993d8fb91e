//! Paths that a text only points at: what it runs, reads or takes for a model, and does not change.

use super::{path_in, words_of};
use crate::plan::domains::holds;

/// Words right before a path that only point at it: "like in `src/cli.py`", "see docs/api.md", "run tests/a.py".
const POINTS: &str = "like|see|per|following|follow|follows|mirror|mirrors|mirroring|match|matches|unlike|cf|than|reuse|reuses|reusing|\
     use|uses|using|via|run|runs|running|rerun|execute|read|reads|reading|against|imports|\
     wie|siehe|laut|gemäß|nutze|verwende|como|según|ver|usando|comme|voir|selon|vedi|secondo|come|参考|参照|参见|按照";

/// The last of two words that point at a path behind them, and those before it: "based on", "similar to".
const POINTS_BY_TWO: [(&str, &str); 6] = [
    ("on", "based|modelled|modeled|rely|relies|relying|patterned|building|builds"),
    ("to", "similar|identical|according|analogous|compared|refer|refers|equal|next|parallel"),
    ("after", "modelled|modeled|patterned|named"),
    (
        "with",
        "compare|compared|consistent|along|consistently|identical|compatible|verify|verified|check|checked|test|tested",
    ),
    ("of", "copy|pattern|style|conventions|convention|spirit|shape"),
    ("by", "covered|inspired|checked|tested|verified|proved|proven"),
];

/// Participles before "in" that say where something can be read: "as described in docs/api.md".
const TOLD: &str = "described|documented|specified|listed|explained|mentioned|shown|outlined|noted|seen|done";

/// Verbs that take something over, so that what stands behind "from" stays as it is.
const TAKES: &str = "copy|copied|read|reads|reading|import|imports|imported|load|loads|loaded|get|gets|fetch|derive|derived|inherit|inherits|\
     reuse|reused|generate|generated|port|ported|taken|adapt|adapted|known|borrow|borrowed|parse|parsed|same|pattern|example|idea|\
     approach|conventions|helper|helpers|types|type|constants|fixtures|values|defaults";

/// Verbs that take something away, so that what stands behind "out of" changes too.
const TAKES_AWAY: &str = "move|moved|moving|extract|extracted|extracting|split|pull|remove|removed|delete|drop|cut|factor|take|migrate|refactor|\
     lift|strip|decouple|get";

/// What may stand between such a word and the path.
const BETWEEN: &str = "in|at|inside|the|our|its|existing|current|old|file|files|module|this|that|these|class|code|function|script|test|tests|suite|\
     type|types|helper|helpers|im|in der|der|die|das|el|la|le|los|les|en|dans|il";

/// What stands behind a path of which something is only observed: "`tests/a.py` still passes".
const OBSERVED: &str = "pass|passes|passed|passing|succeed|succeeds|green|works|runs";

/// Finds the paths of a text that it is about, and leaves out those that it only points at.
pub(in crate::plan) fn changed(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut is_code = false;
    let mut at = 0;
    // Where the path before this one ends, and whether that was only pointed at.
    let mut last: Option<(usize, bool)> = None;
    for part in text.split('`') {
        if !(is_code && is_call(part)) {
            for word in words_of(part) {
                let Some(path) = path_in(word, is_code) else { continue };
                let start = at + offset(part, word);
                let end = start + word.len();
                let goes_on = last.filter(|(end, _)| joins(text.get(*end..start).unwrap_or_default()));
                let is_pointed_at = match goes_on {
                    Some((_, was)) => was,
                    None => is_referred(text.get(..start).unwrap_or_default(), text.get(end..).unwrap_or_default()),
                };
                last = Some((end, is_pointed_at));
                if !is_pointed_at && !found.contains(&path) {
                    found.push(path);
                }
            }
        }
        at += part.len() + 1;
        is_code = !is_code;
    }
    let all = super::paths(text);
    found.retain(|path| all.contains(path));
    found
}

/// Returns where a part of a text begins in it.
fn offset(text: &str, part: &str) -> usize {
    (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize)
}

/// Tells whether a code span with blanks is a command: it does not begin with a path.
fn is_call(span: &str) -> bool {
    let mut words = span.split_whitespace();
    let first = words.next().unwrap_or_default();
    words.next().is_some() && path_in(first.trim_end_matches(','), true).is_none()
}

/// Tells whether what stands between two paths only lists them.
fn joins(between: &str) -> bool {
    let plain = between.trim_matches(|c: char| c.is_whitespace() || matches!(c, '`' | ',' | '/' | '&' | '+' | '"'));
    matches!(plain, "" | "and" | "or" | "und" | "y" | "et" | "e") && between.len() <= 10 && !between.contains('\n')
}

/// Tells whether a path is only pointed at, by what stands `before` and `behind` it.
fn is_referred(before: &str, behind: &str) -> bool {
    let clause_begins = before
        .char_indices()
        .rev()
        .take(200)
        .find(|(at, c)| matches!(c, '\n' | ';' | ':' | '!' | '?') || (*c == '.' && before[at + 1..].starts_with(' ')))
        .map_or(0, |(at, c)| at + c.len_utf8());
    let clause = before[clause_begins..].to_lowercase();
    let words: Vec<&str> = clause.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let skipped = words.iter().rev().take_while(|word| holds(BETWEEN, word)).count();
    let (lead, between) = words.split_at(words.len() - skipped.min(3).min(words.len()));
    let has = |wanted: &str| words.iter().any(|word| holds(wanted, word));
    let observed = || {
        let next = behind.trim_start_matches(|c: char| !c.is_alphanumeric() && !matches!(c, '.' | ',' | ';'));
        let mut next = next.split_whitespace().map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()));
        next.clone().next().is_some_and(|word| holds("still|stays|stay|keeps|keep|must|should|is|are|all", word))
            && next.clone().take(3).any(|word| holds(OBSERVED, word))
            || next.next().is_some_and(|word| holds("passes|pass|succeeds|succeed", word))
    };
    let points = match lead {
        [.., first, second] if POINTS_BY_TWO.iter().any(|(last, firsts)| last == second && holds(firsts, first)) => {
            true
        }
        [.., "out", "of"] => !has(TAKES_AWAY),
        [.., "from"] => has(TAKES),
        [.., "as"] => between.contains(&"in") || has("same|such|just|exactly"),
        [.., told] if between.contains(&"in") && holds(TOLD, told) => true,
        [.., last] => holds(POINTS, last),
        [] => false,
    };
    points || observed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_only_pointed_at_is_not_what_is_changed() {
        for (text, expected) in [
            ("Endpoint that returns the same shape as `src/models/user.ts`", ""),
            ("CLI command `x` like in src/cli/index.ts", ""),
            ("Check that `tests/unit/order.test.ts` still passes after changing the service", ""),
            ("Move the SQL out of deploy/deploy.sh into src/services/sql.ts", "deploy/deploy.sh src/services/sql.ts"),
            ("Remove the call from src/a.ts", "src/a.ts"),
            ("Publish to SNS from src/services/order.ts", "src/services/order.ts"),
            ("Copy the retry loop from `infra/lib/retry.sh` and adapt it in `src/retry.sh`", "src/retry.sh"),
            ("Earn points · `npx vitest run tests/unit/earn.test.ts`", ""),
            ("Earn points, checked with tests/unit/earn.test.ts", ""),
            ("Based on `types/a.ts` and `types/b.ts`, add `src/c.ts`", "src/c.ts"),
            ("Add the route in `src/api/auth.ts` (see docs/api.md)", "src/api/auth.ts"),
            ("Use `cli/output.py` to print in `cli/list.py`", "cli/list.py"),
            ("Create `src/a.py` and `src/b.py`", "src/a.py src/b.py"),
            ("Update src/a.ts to use `src/b.ts`", "src/a.ts"),
            ("As described in docs/api.md, return 404 in `src/api.py`", "src/api.py"),
            ("`src/a.py:10-20` and `src/b.py (Order)`", "src/a.py src/b.py"),
            ("Save it as `out/report.json`", "out/report.json"),
            ("Match `src/a.rs`: add the same field to `src/b.rs`", "src/b.rs"),
            ("Add tests to tests/test_a.py so that all pass", "tests/test_a.py"),
        ] {
            assert_eq!(changed(text).join(" "), expected, "{text}");
        }
    }
}
