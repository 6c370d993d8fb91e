//! The body of the one comment of ours: marker, claim, page, earlier runs, within GitHub's limit.

use std::fmt::Write as _;

use super::shown::ShownLock;
use crate::{estimate::RunUsage, github_ids::RunKey};

/// The most characters of a comment on an issue or pull request. GitHub answers 422 "body is too long (maximum is
/// 65536 characters)" beyond it.
pub const COMMENT_MAX_CHARS: usize = 65_536;

/// What a comment of ours begins with. It proves nothing alone: its author must be us, too.
pub const MARKER: &str = "<!-- backend-implementer -->";

const CLAIM_BEGIN: &str = "<!-- backend-implementer: at work ";
const SHOWS_BEGIN: &str = "<!-- backend-implementer: shows ";
const USED_BEGIN: &str = "<!-- backend-implementer: used ";
const LINE_END: &str = " -->";

/// How many earlier runs a comment tells of.
const HISTORY_MAX: usize = 20;

const HISTORY_BEGIN: &str = "<details><summary>Runs so far</summary>\n\n";
const HISTORY_END: &str = "\n</details>\n";

/// A run that is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Past {
    /// What it is known by, as `123/1` or `local/…`.
    pub run: RunKey,
    /// How it ended.
    pub status: String,
    /// The first twelve digits of its lock.
    pub lock: String,
    /// The first twelve digits of the commit that it ended in.
    pub commit: String,
    /// The day on which it began, as `2026-01-31`.
    pub date: String,
}

/// Where the complete text is, when a comment has to be cut.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Links {
    /// The page of the workflow run, whose step summary has everything.
    pub run_url: Option<String>,
}

/// A body, ready to be posted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Composed {
    /// The body.
    pub body: String,
    /// Whether something had to be left out.
    pub cut: bool,
}

/// What stands above the page of a comment of ours, for us alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Head<'a> {
    /// The run that is at work.
    pub claim: Option<&'a RunKey>,
    /// The first twelve digits of the lock that the page shows.
    pub shows: Option<&'a str>,
    /// The locks that were shown so far, the newest first.
    pub shown: &'a [ShownLock],
    /// What the subagents of the last run used, for the estimates of later previews.
    pub used: Option<&'a RunUsage>,
}

/// Puts a comment together.
#[must_use]
pub fn compose(page: &str, above: Head<'_>, history: &[Past], links: &Links, max_chars: usize) -> Composed {
    let mut head = format!("{MARKER}\n");
    if let Some(claim) = above.claim {
        head.push_str(&format!("{CLAIM_BEGIN}{claim}{LINE_END}\n"));
    }
    if let Some(lock) = above.shows.filter(|lock| is_lock(lock)) {
        head.push_str(&format!("{SHOWS_BEGIN}{lock}{LINE_END}\n"));
    }
    for shown in above.shown {
        head.push_str(&format!("{}\n", shown.line()));
    }
    if let Some(used) = above.used {
        head.push_str(&format!("{USED_BEGIN}{}{LINE_END}\n", used.line()));
    }
    let tail = render_history(history);
    let room = max_chars.saturating_sub(head.chars().count() + tail.chars().count() + 2);
    let (page, cut) = cut_at_section(page, room, links);
    let mut body = head;
    body.push_str(page.trim_end());
    body.push('\n');
    if !tail.is_empty() {
        body.push('\n');
        body.push_str(&tail);
    }
    Composed { body, cut }
}

/// Tells whether a body is marked as ours.
#[must_use]
pub fn is_ours(body: &str) -> bool {
    body.starts_with(MARKER)
}

/// Returns the run that a comment of ours says to be at work.
#[must_use]
pub fn claim(body: &str) -> Option<RunKey> {
    head_line(body, CLAIM_BEGIN)?.parse().ok()
}

/// Returns the lock that a comment of ours shows. Only lines above the page are looked at, where nothing foreign stands.
#[must_use]
pub fn shown_lock(body: &str) -> Option<&str> {
    head_line(body, SHOWS_BEGIN).filter(|lock| is_lock(lock))
}

/// Returns the locks that a comment of ours says to have shown, for words alone.
#[must_use]
pub fn shown_locks(body: &str) -> Vec<ShownLock> {
    head(body).filter_map(ShownLock::parse).collect()
}

/// Returns what the subagents of the last run used, for an estimate alone.
#[must_use]
pub fn used(body: &str) -> Option<RunUsage> {
    RunUsage::parse(head_line(body, USED_BEGIN)?)
}

/// Returns the lines above the page.
fn head(body: &str) -> impl Iterator<Item = &str> {
    let lines = body.strip_prefix(MARKER).unwrap_or_default().trim_start_matches(['\r', '\n']).lines();
    lines.take_while(|line| {
        [CLAIM_BEGIN, SHOWS_BEGIN, USED_BEGIN].iter().any(|begin| line.starts_with(begin))
            || ShownLock::parse(line).is_some()
    })
}

fn head_line<'a>(body: &'a str, begin: &str) -> Option<&'a str> {
    head(body).find_map(|line| line.strip_prefix(begin)?.strip_suffix(LINE_END))
}

fn is_lock(digits: &str) -> bool {
    digits.len() == 12 && digits.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

/// Returns the runs that a comment of ours tells of. Comments can be edited by others: only lines of exactly our form
/// are taken, and of them only checked fields.
#[must_use]
pub fn history(body: &str) -> Vec<Past> {
    let Some((_, list)) = body.rsplit_once("<summary>Runs so far</summary>") else { return Vec::new() };
    list.lines().filter_map(past_of).take(HISTORY_MAX).collect()
}

fn render_history(history: &[Past]) -> String {
    let mut lines = String::new();
    for Past { run, status, lock, commit, date } in history.iter().filter(|past| is_valid(past)).take(HISTORY_MAX) {
        let _ = writeln!(lines, "- {date}: run `{run}` **{status}**, lock `{lock}`, ending in `{commit}`");
    }
    if lines.is_empty() { lines } else { format!("{HISTORY_BEGIN}{lines}{HISTORY_END}") }
}

fn past_of(line: &str) -> Option<Past> {
    let rest = line.trim_end().strip_prefix("- ")?;
    let (date, rest) = rest.split_once(": run `")?;
    let (run, rest) = rest.split_once("` **")?;
    let (status, rest) = rest.split_once("**, lock `")?;
    let (lock, rest) = rest.split_once("`, ending in `")?;
    let commit = rest.strip_suffix('`')?;
    let own = str::to_owned;
    let past =
        Past { run: run.parse().ok()?, status: own(status), lock: own(lock), commit: own(commit), date: own(date) };
    is_valid(&past).then_some(past)
}

fn is_valid(past: &Past) -> bool {
    let date =
        past.date.bytes().enumerate().all(|(at, b)| if at == 4 || at == 7 { b == b'-' } else { b.is_ascii_digit() });
    ["complete", "incomplete", "cancelled"].contains(&past.status.as_str())
        && is_lock(&past.lock)
        && is_lock(&past.commit)
        && date
        && past.date.len() == 10
}

/// Cuts a page to `room` characters at the border of a section, and says so.
fn cut_at_section(page: &str, room: usize, links: &Links) -> (String, bool) {
    if page.chars().count() <= room {
        return (page.to_owned(), false);
    }
    let complete = match &links.run_url {
        Some(url) => format!("[the summary of the workflow run]({url})"),
        None => "`summary.md` in the run's folder".to_owned(),
    };
    let note = format!("\n\n> Cut here, because a comment holds no more. Everything is in {complete}.\n");
    let room = room.saturating_sub(note.chars().count());
    let end = page.char_indices().nth(room).map_or(page.len(), |(at, _)| at);
    // The last heading that begins within the room, outside fences, is where the page ends.
    let mut fence: Option<usize> = None;
    let mut border = 0;
    let mut at = 0;
    for line in page.split_inclusive('\n') {
        if at > end {
            break;
        }
        let ticks = line.trim_start().bytes().take_while(|&byte| byte == b'`').count();
        match fence {
            Some(open) if ticks >= open && line.trim().bytes().all(|byte| byte == b'`') => fence = None,
            None if ticks >= 3 => fence = Some(ticks),
            None if line.starts_with("## ") || line.starts_with("### ") => border = at,
            _ => {}
        }
        at += line.len();
    }
    (format!("{}{note}", page[..border].trim_end()), true)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(text: &str) -> RunKey {
        text.parse().unwrap()
    }

    fn past(run: &str) -> Past {
        Past {
            run: run.parse().unwrap(),
            status: "incomplete".to_owned(),
            lock: "0123456789ab".to_owned(),
            commit: "ba9876543210".to_owned(),
            date: "2026-01-31".to_owned(),
        }
    }

    #[test]
    fn a_comment_carries_its_marker_its_claim_and_its_history() {
        let history = [past("12/1"), past("local/ab12")];
        let shown = "<!-- backend-implementer: lock 0123456789ab 111111111111 222222222222 333333333333 -->";
        let shown = ShownLock::parse(shown).unwrap();
        let composed = compose(
            "## Page\n\ntext\n",
            Head {
                claim: Some(&key("13/2")),
                shows: Some("0123456789ab"),
                shown: std::slice::from_ref(&shown),
                used: None,
            },
            &history,
            &Links::default(),
            COMMENT_MAX_CHARS,
        );
        insta::assert_snapshot!(composed.body, @r#"
<!-- backend-implementer -->
<!-- backend-implementer: at work 13/2 -->
<!-- backend-implementer: shows 0123456789ab -->
<!-- backend-implementer: lock 0123456789ab 111111111111 222222222222 333333333333 -->
## Page

text

<details><summary>Runs so far</summary>

- 2026-01-31: run `12/1` **incomplete**, lock `0123456789ab`, ending in `ba9876543210`
- 2026-01-31: run `local/ab12` **incomplete**, lock `0123456789ab`, ending in `ba9876543210`

</details>
"#);
        assert!(is_ours(&composed.body) && !composed.cut);
        assert_eq!(claim(&composed.body), Some(key("13/2")));
        assert_eq!(shown_lock(&composed.body), Some("0123456789ab"));
        assert_eq!(shown_locks(&composed.body), [shown]);
        let below = format!("{MARKER}\n## Page\n<!-- backend-implementer: shows 0123456789ab -->\n");
        assert_eq!(shown_lock(&below), None, "what stands in the page may be anybody's words");
        assert_eq!(super::history(&composed.body), history);
    }

    #[test]
    fn what_others_write_into_a_comment_is_not_read_back() {
        let forged = "<!-- backend-implementer -->\n<!-- backend-implementer: at work 1/1 --><script> -->\n\
                      <summary>Runs so far</summary>\n- 2026-01-31: run `1/1` **owned**, lock `0123456789ab`, ending in `0123456789ab`\n\
                      - 2026-01-31: run `1/x](y)` **complete**, lock `0123456789ab`, ending in `0123456789ab`\n";
        assert_eq!(claim(forged), None);
        assert!(history(forged).is_empty());
        assert!(!is_ours(" <!-- backend-implementer -->"));
    }

    #[test]
    fn a_page_that_is_too_long_ends_at_a_section_and_says_where_the_rest_is() {
        let page =
            format!("## A\n\nfirst\n\n### B\n\n```text\n### no border\n{}```\n\n### C\n\nlast\n", "x\n".repeat(200));
        let links = Links { run_url: Some("https://example.invalid/1".to_owned()) };
        let composed = compose(&page, Head::default(), &[], &links, 400);
        assert!(composed.cut);
        insta::assert_snapshot!(composed.body, @r#"
<!-- backend-implementer -->
## A

first

> Cut here, because a comment holds no more. Everything is in [the summary of the workflow run](https://example.invalid/1).
"#);
    }

    proptest! {
        #[test]
        fn no_comment_is_too_long_and_no_fence_stays_open(
            parts in prop::collection::vec("(## [a-z]{1,8}\n|### [a-zä]{1,8}\n|```x\n[a-z#\n ]{0,60}\n```\n|[a-z ]{0,80}\n){1,12}", 1..8),
            max in 300usize..2_000,
        ) {
            let page = parts.concat();
            let body = compose(&page, Head { claim: Some(&key("1/1")), ..Head::default() }, &[], &Links::default(), max).body;
            prop_assert!(body.chars().count() <= max, "{} > {max}", body.chars().count());
            prop_assert_eq!(body.lines().filter(|line| line.starts_with("```")).count() % 2, 0);
        }

        #[test]
        fn anything_can_be_looked_for_a_claim_and_a_history(body in "\\PC{0,80}") {
            let _ = (claim(&format!("{MARKER}\n{body}")), history(&body));
        }
    }
}
