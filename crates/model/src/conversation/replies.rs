//! Answers to comments. They mention the person who is answered, and nobody else.

use crate::text;

/// Mentions somebody, when the login is one.
fn mention(login: &str) -> String {
    let plain = !login.is_empty() && login.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if plain { format!("@{login}") } else { text::markdown(login) }
}

fn prose(foreign: &str) -> String {
    text::markdown(&text::truncate(foreign, 1_000))
}

/// Keeps our own code spans in a text that also holds foreign words.
fn with_code(text: &str) -> String {
    let parts = text.split('`').enumerate();
    parts.map(|(at, part)| if at % 2 == 1 { text::code(part) } else { pad(part, &prose(part)) }).collect()
}

/// Puts back the blanks at the ends, which prose has lost.
fn pad(original: &str, escaped: &str) -> String {
    let blank = |edge: Option<char>| if edge.is_some_and(char::is_whitespace) { " " } else { "" };
    if escaped.is_empty() {
        return blank(original.chars().next()).to_owned();
    }
    format!("{}{escaped}{}", blank(original.chars().next()), blank(original.chars().last()))
}

/// Says that nothing was done, why, and what to do.
#[must_use]
pub fn refusal(login: &str, reason: &str, hint: &str) -> String {
    format!("{} Nothing was run: {}.\n\nWhat to do: {}.\n", mention(login), with_code(reason), with_code(hint))
}

/// Says that another run is at work. `run` is its page or what it is known by.
#[must_use]
pub fn busy(login: &str, run: &str) -> String {
    let run = if run.starts_with("https://") || run.starts_with("http://") { run.to_owned() } else { text::code(run) };
    format!(
        "{} Nothing was run: another run is at work on this pull request ({run}). Wait for it, or comment `/implement cancel`.\n",
        mention(login)
    )
}

/// Says that there is no plan to show.
#[must_use]
pub fn no_plan(login: &str) -> String {
    format!(
        "{} There is no plan on this pull request. Add `.backend-implementer/plan.md` to it, or write a plan in its \
         description under the heading “Implementation Plan”.\n",
        mention(login)
    )
}

/// Says that no run is at work.
#[must_use]
pub fn nothing_to_cancel(login: &str) -> String {
    format!("{} There is nothing to cancel: no run is at work on this pull request.\n", mention(login))
}

/// Says that the run cannot be cancelled from here.
#[must_use]
pub fn cannot_cancel(login: &str, why: &str, run_url: Option<&str>) -> String {
    let by_hand = run_url.map(|url| format!("\n\nIt can be cancelled by hand: {url}\n")).unwrap_or_default();
    format!("{} The run could not be cancelled: {}.{by_hand}\n", mention(login), with_code(why))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_mention_the_person_and_nobody_else() {
        insta::assert_snapshot!(refusal("ada", "the lock `abc` was approved by @team", "comment `/implement def`"), @r#"
@ada Nothing was run: the lock `abc` was approved by @‌team.

What to do: comment `/implement def`.
"#);
        insta::assert_snapshot!(busy("ada", "local/12ab"), @"@ada Nothing was run: another run is at work on this pull request (`local/12ab`). Wait for it, or comment `/implement cancel`.");
        insta::assert_snapshot!(nothing_to_cancel("dependabot[bot]"), @r#"dependabot\[bot\] There is nothing to cancel: no run is at work on this pull request."#);
        insta::assert_snapshot!(cannot_cancel("ada", "GitHub forbids it", Some("https://example.invalid/1")), @r#"
@ada The run could not be cancelled: GitHub forbids it.

It can be cancelled by hand: https://example.invalid/1
"#);
    }
}
