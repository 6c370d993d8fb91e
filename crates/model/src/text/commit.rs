//! Text in a commit message, where GitHub and CI systems act on words: it closes issues, tells people, skips checks.

/// The most words of an order that begins or ends with `skip`: some have names of services, as `[skip netlify]` and
/// `[CF-Pages-Skip]`.
const SKIP_WORDS_MAX: usize = 3;

/// How deep orders in orders are taken apart one by one; nobody who writes text has any.
const NESTED_MAX: usize = 4;

/// Makes text do nothing where it stands in a commit message: no mention, no reference, no closed issue, no skipped check.
/// It can still be read: `#12` becomes `# 12`, `@name` becomes `@ name`, and `[skip ci]` becomes `(skip ci)`.
#[must_use]
pub fn inert(text: &str) -> String {
    let mut done = inert_once(text);
    // What was one order may have stood in another, which is one only now.
    for _ in 0..NESTED_MAX {
        let again = inert_once(&done);
        if again == done {
            return done;
        }
        done = again;
    }
    done.replace('[', "(")
}

fn inert_once(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let further = &rest[c.len_utf8()..];
        let next = further.chars().next();
        match c {
            '[' => match skip_directive(further) {
                Some(length) => {
                    out.push('(');
                    // What stands inside is text like any other.
                    out.push_str(&inert_once(&further[..length]));
                    out.push(')');
                    rest = &further[length + 1..];
                    continue;
                }
                None => out.push(c),
            },
            '#' | '@' if next.is_some_and(|next| next.is_alphanumeric() || next == '_') => {
                out.push(c);
                out.push(' ');
            }
            // An address of an issue counts as its number.
            ':' if further.starts_with("//") => {
                out.push(c);
                out.push(' ');
            }
            '*' if further.to_ascii_uppercase().starts_with("**NO_CI***") => out.push_str("* "),
            'g' | 'G' if is_gh_number(&out, further) => {
                out.push(c);
                out.push_str(&further[..1]);
                out.push(' ');
                rest = &further[2..];
                continue;
            }
            _ => out.push(c),
        }
        rest = further;
    }
    without_trailer(&out)
}

/// Takes the trailer apart by which GitHub skips checks, however it is written.
fn without_trailer(text: &str) -> String {
    const TRAILER: &str = "skip-checks:";
    // As long in bytes as the text itself: only ASCII letters change.
    let lower = text.to_ascii_lowercase();
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for (at, _) in lower.match_indices(TRAILER) {
        let colon = at + TRAILER.len() - 1;
        out.push_str(&text[from..colon]);
        out.push(' ');
        from = colon;
    }
    out.push_str(&text[from..]);
    out
}

/// Returns the length of a directive that begins here, up to its bracket.
fn skip_directive(text: &str) -> Option<usize> {
    let end = text.find(']')?;
    let inside = &text[..end];
    let lower = inside.to_lowercase();
    let words: Vec<_> =
        lower.split(|c: char| c.is_whitespace() || matches!(c, '-' | '_')).filter(|word| !word.is_empty()).collect();
    let is_order = (2..=SKIP_WORDS_MAX).contains(&words.len())
        && (words.first() == Some(&"skip") || words.last() == Some(&"skip"));
    (is_order || words == ["no", "ci"]).then_some(end)
}

/// Tells whether `GH-12` stands here, of which the first letter is taken.
fn is_gh_number(before: &str, rest: &str) -> bool {
    let begins = !before.ends_with(|c: char| c.is_alphanumeric() || c == '_');
    let mut chars = rest.chars();
    begins
        && chars.next().is_some_and(|c| c.eq_ignore_ascii_case(&'h'))
        && chars.next() == Some('-')
        && chars.next().is_some_and(|c| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_github_and_ci_systems_act_on_do_nothing() {
        for (text, expected) in [
            ("fixes #77", "fixes # 77"),
            ("Closes: octo/repo#12, GH-3", "Closes: octo/repo# 12, GH 3"),
            ("resolve https://github.com/o/r/issues/7", "resolve https: //github.com/o/r/issues/7"),
            ("[skip ci] and [CI  Skip]", "(skip ci) and (CI  Skip)"),
            ("[no ci][skip actions][skip netlify]", "(no ci)(skip actions)(skip netlify)"),
            (
                "[CF-Pages-Skip] [skip-cd] [no-ci] [skip_azure pipelines]",
                "(CF-Pages-Skip) (skip-cd) (no-ci) (skip_azure pipelines)",
            ),
            ("***NO_CI***", "* **NO_CI***"),
            ("thanks @octocat and @org/team", "thanks @ octocat and @ org/team"),
            ("skip-checks: true, SKIP-Checks:true", "skip-checks : true, SKIP-Checks :true"),
            ("[skip @octocat] [skip #77] [#12 skip]", "(skip @ octocat) (skip # 77) (# 12 skip)"),
            ("[skip [a]b skip]", "(skip (a)b skip)"),
            ("[s[skip mp]b skip]", "(s(skip mp)b skip)"),
            ("gh-12 xgh-12 GH-x", "gh 12 xgh-12 GH-x"),
        ] {
            assert_eq!(inert(text), expected, "{text:?}");
        }
        for text in ["PATCH /users/:id [draft] a # b, C# and a@ b", "list [1] of *two*", "ratio 1:2"] {
            assert_eq!(inert(text), text);
        }
    }

    proptest::proptest! {
        #[test]
        fn nothing_active_is_left(text in "[#@a-z0-9\\[\\] :/*-]{0,40}") {
            let done = inert(&text);
            let chars: Vec<char> = done.chars().collect();
            for pair in chars.windows(2) {
                proptest::prop_assert!(!(matches!(pair[0], '#' | '@') && pair[1].is_alphanumeric()), "{done:?}");
            }
            proptest::prop_assert!(!done.contains("[skip ci]") && !done.contains("://"), "{done:?}");
            proptest::prop_assert_eq!(inert(&done), done.clone());
        }
    }
}
