//! A plan inside other text: the description of a pull request, or a comment.

use std::borrow::Cow;

use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

/// The first word of the info string of a fenced block that is a plan.
pub const FENCE: &str = "backend-plan";

/// What a heading says under which a plan stands, in lower case. It may go on with a colon and a title.
const HEADINGS: [&str; 4] = ["backend implementation plan", "implementation plan", "backend plan", "plan"];

/// A plan that was found inside other text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmbeddedPlan {
    /// The plan.
    pub text: String,
    /// The line of the whole text that it begins on, from 1.
    pub first_line: usize,
}

/// Finds the plan in the description of a pull request or in a comment: a fenced block marked `backend-plan`, else what
/// stands under a heading that says so, up to the next heading of its level.
#[must_use]
pub fn find(body: &str) -> Option<EmbeddedPlan> {
    let body = &with_line_feeds(body);
    fenced(body).or_else(|| under_heading(body))
}

/// Ends lines with a line feed that end with a carriage return alone, as CommonMark reads them: the parser would put the two
/// lines together.
fn with_line_feeds(body: &str) -> Cow<'_, str> {
    if !body.contains('\r') {
        return Cow::Borrowed(body);
    }
    let pieces: Vec<_> = body.split("\r\n").map(|piece| piece.replace('\r', "\n")).collect();
    Cow::Owned(pieces.join("\r\n"))
}

fn fenced(body: &str) -> Option<EmbeddedPlan> {
    let mut inside = false;
    let mut span: Option<std::ops::Range<usize>> = None;
    let mut text = String::new();
    for (event, range) in Parser::new_ext(body, Options::empty()).into_offset_iter() {
        match event {
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info)))
                if info.split_whitespace().next() == Some(FENCE) =>
            {
                inside = true;
            }
            Event::Text(part) if inside => {
                span.get_or_insert(range);
                text.push_str(&part);
            }
            Event::End(TagEnd::CodeBlock) if inside => {
                let first_line = line_of(body, span.map_or(0, |span| span.start));
                return Some(EmbeddedPlan { text, first_line });
            }
            _ => {}
        }
    }
    None
}

fn under_heading(body: &str) -> Option<EmbeddedPlan> {
    let mut found: Option<(HeadingLevel, usize)> = None;
    let mut heading: Option<(HeadingLevel, String)> = None;
    for (event, range) in Parser::new_ext(body, Options::ENABLE_TABLES).into_offset_iter() {
        match event {
            Event::Start(Tag::Heading { level, .. }) => {
                if let Some((plan, begins)) = found
                    && level <= plan
                {
                    return section(body, begins, range.start);
                }
                heading = Some((level, String::new()));
            }
            Event::Text(part) | Event::Code(part) => {
                if let Some((_, text)) = &mut heading {
                    text.push_str(&part);
                }
            }
            Event::End(TagEnd::Heading(_)) => {
                if let Some((level, text)) = heading.take()
                    && found.is_none()
                    && names_plan(&text)
                {
                    found = Some((level, range.end));
                }
            }
            _ => {}
        }
    }
    let (_, begins) = found?;
    section(body, begins, body.len())
}

/// Takes out what stands between two places. Nothing but blanks, and what nobody sees such as the comment of a template,
/// is no plan.
fn section(body: &str, begins: usize, ends: usize) -> Option<EmbeddedPlan> {
    let text = &body[begins..ends];
    let says_something =
        |event: Event<'_>| matches!(event, Event::Text(said) | Event::Code(said) if !said.trim().is_empty());
    if !Parser::new_ext(text, Options::ENABLE_TABLES | Options::ENABLE_TASKLISTS).any(says_something) {
        return None;
    }
    let blank = text.len() - text.trim_start_matches(['\r', '\n']).len();
    let text = &text[blank..];
    Some(EmbeddedPlan { text: text.to_owned(), first_line: line_of(body, begins + blank) })
}

fn names_plan(heading: &str) -> bool {
    let heading = heading.trim().to_lowercase();
    HEADINGS.iter().any(|name| {
        heading
            .strip_prefix(name)
            .is_some_and(|rest| rest.trim_start().is_empty() || rest.trim_start().starts_with(':'))
    })
}

fn line_of(text: &str, offset: usize) -> usize {
    text.as_bytes()[..offset].iter().filter(|&&byte| byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(body: &str) -> Option<(String, usize)> {
        find(body).map(|plan| (plan.text, plan.first_line))
    }

    #[test]
    fn a_marked_fence_is_the_plan_wherever_it_stands() {
        let body = "Hello\r\n\r\n## Plan\r\nnot this\r\n\r\n````backend-plan\r\n# P\r\n```\r\nx\r\n```\r\n````\r\n";
        let (text, line) = found(body).unwrap();
        assert_eq!(text.replace('\r', ""), "# P\n```\nx\n```\n");
        assert_eq!(line, 7);
    }

    #[test]
    fn a_section_is_the_plan_up_to_the_next_heading_of_its_level() {
        let body = "Intro\n\n## Implementation plan: users\n\n### Feature\n- x\n\n## Notes\nno\n";
        assert_eq!(found(body).unwrap(), ("### Feature\n- x\n\n".to_owned(), 5));
        assert_eq!(found("# PLAN\n## Feature\n- x").unwrap(), ("## Feature\n- x".to_owned(), 2));
    }

    #[test]
    fn text_without_a_plan_has_none() {
        for body in [
            "",
            "planning",
            "## Planning\nx",
            "<!--\n## Plan\n- x\n-->\n",
            "```\n## Plan\n- x\n```\n",
            "## Plan\n",
            "## Plan\n\n<!-- describe your plan -->\n\n## Tests\nx\n",
            "## Plan\n<!-- a -->\n- [ ]\n- [ ] <!-- b -->\n",
        ] {
            assert_eq!(found(body), None, "{body}");
        }
    }

    #[test]
    fn a_lone_carriage_return_ends_a_line() {
        let found = |body: &str| find(body).map(|plan| (plan.text, plan.first_line));
        let fenced = Some(("- a\n- b\n".to_owned(), 3));
        assert_eq!(found("x\r```backend-plan\r- a\r- b\r```\r"), fenced);
        assert_eq!(found("x\n```backend-plan\n- a\r- b\n```\n"), fenced);
        assert_eq!(found("## Plan\r\n\r\n- a\r\n").unwrap().0, "- a\r\n", "both together are one end");
    }

    proptest::proptest! {
        #[test]
        fn what_is_found_stands_in_the_text(body in "([#`a-z \r\n:-]|plan|backend-plan|```){0,60}") {
            let body = with_line_feeds(&body);
            if let Some(plan) = find(&body) {
                proptest::prop_assert!(plan.first_line <= body.lines().count() + 1);
                for line in plan.text.lines() {
                    proptest::prop_assert!(body.contains(line.trim()));
                }
            }
        }
    }
}
