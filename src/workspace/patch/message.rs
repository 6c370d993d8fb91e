//! The commit message of an integrated patch: a fixed format that foreign text cannot bend.

use std::fmt::Write as _;

use implementer_model::{
    ids::{Digest, ObjectId, SubagentName, TaskId},
    text,
};

/// The longest subject, in characters: what git's own documentation and every log view expect.
const SUBJECT_MAX: usize = 72;

/// The longest body, in characters; reports can be far longer, and are kept elsewhere.
const BODY_MAX: usize = 8_000;

/// What a commit says about the patch that it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitMessage {
    /// The task's title.
    pub title: String,
    /// What was asked for; may be empty.
    pub body: String,
    /// The task.
    pub task: TaskId,
    /// The subagent, which is the author.
    pub subagent: SubagentName,
    /// The attempt that made the patch, from 1.
    pub attempt: u32,
    /// The lock that the patch was made under.
    pub lock: Digest,
}

impl CommitMessage {
    /// Returns the message for a patch that was made on `base`.
    pub(in crate::workspace) fn render(&self, base: &ObjectId) -> String {
        let mut message = self.subject();
        let body = self.safe_body();
        if !body.is_empty() {
            let _ = write!(message, "\n\n{body}");
        }
        let _ = write!(
            message,
            "\n\nImplementer-Task: {}\nImplementer-Subagent: {}\nImplementer-Attempt: {}\nImplementer-Lock: {}\n\
             Implementer-Patch-Base: {base}\n",
            self.task,
            one_line(self.subagent.as_str()),
            self.attempt,
            self.lock,
        );
        message
    }

    /// Returns the author's name, without what would end it in a commit.
    pub(in crate::workspace) fn author_name(&self) -> String {
        let name: String = one_line(self.subagent.as_str()).chars().filter(|c| !matches!(c, '<' | '>')).collect();
        let name = name.trim();
        if name.is_empty() { "subagent".to_owned() } else { name.to_owned() }
    }

    /// Returns the author's address, in the domain that never has any (RFC 2606).
    pub(in crate::workspace) fn author_email(&self) -> String {
        let slug = TaskId::slug(self.subagent.as_str());
        format!("{}@subagents.invalid", slug.as_ref().map_or("subagent", TaskId::as_str))
    }

    fn subject(&self) -> String {
        // A second commit of a task is told from the first.
        let again = if self.attempt > 1 { format!(" (attempt {})", self.attempt) } else { String::new() };
        let mut subject = text::truncate(&one_line(&self.title), SUBJECT_MAX - again.len());
        if !subject.is_empty() {
            subject.push_str(&again);
        }
        // `fixup!` and the like are orders to `git rebase --autosquash`, and `#` begins a comment for an editor.
        let ordering = ["fixup!", "squash!", "amend!", "#"].iter().any(|order| subject.starts_with(order));
        match subject.is_empty() || ordering {
            true if ordering => text::truncate(&format!("Task {}: {subject}", self.task), SUBJECT_MAX),
            true => format!("Patch of task {}", self.task),
            false => subject,
        }
    }

    /// Returns the body with every line indented that git, or somebody with a `grep`, could take for more than text: a
    /// trailer, the divider before a patch (behind which `git interpret-trailers` does not look), a comment.
    fn safe_body(&self) -> String {
        let body = text::truncate(&text::inert(&text::terminal(&self.body.replace("\r\n", "\n"))), BODY_MAX);
        let lines: Vec<String> = body
            .lines()
            .map(str::trim_end)
            .map(|line| if needs_indent(line) { format!("    {line}") } else { line.to_owned() })
            .collect();
        lines.join("\n").trim_matches('\n').to_owned()
    }
}

fn needs_indent(line: &str) -> bool {
    let looks_like_trailer = line.split_once(':').is_some_and(|(key, _)| {
        let key = key.trim_end();
        !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || c == '-')
    });
    looks_like_trailer
        || line.starts_with(['#', '-', '='])
        || line.starts_with("diff ")
        || line.starts_with("Index ")
        || line.to_lowercase().starts_with("(cherry picked from commit ")
}

/// Folds all white space into single spaces, drops control characters, and makes words do nothing.
fn one_line(text: &str) -> String {
    text::inert(&text::line(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(title: &str, body: &str) -> CommitMessage {
        CommitMessage {
            title: title.to_owned(),
            body: body.to_owned(),
            task: TaskId::new("feature").unwrap(),
            subagent: SubagentName::new("backend-feature-implementer").unwrap(),
            attempt: 2,
            lock: Digest::from_content("lock"),
        }
    }

    fn base() -> ObjectId {
        ObjectId::new("1".repeat(40)).unwrap()
    }

    #[test]
    fn the_format_is_fixed() {
        insta::assert_snapshot!(message("Add  PATCH\n/users", "Line one.\n\nNote: a remark").render(&base()), @r"
        Add PATCH /users (attempt 2)

        Line one.

            Note: a remark

        Implementer-Task: feature
        Implementer-Subagent: backend-feature-implementer
        Implementer-Attempt: 2
        Implementer-Lock: sha256:0c030586945fe504b604ecc2e875c38ede400cd5cd73da9730302162e6b02c6f
        Implementer-Patch-Base: 1111111111111111111111111111111111111111
        ");
    }

    #[test]
    fn an_author_cannot_smuggle_an_address_in() {
        let mut message = message("t", "");
        message.subagent = SubagentName::new("Eve <root@example.com>").unwrap();
        assert_eq!(message.author_name(), "Eve root@ example.com");
        assert_eq!(message.author_email(), "eve-root-example-com@subagents.invalid");
        message.subagent = SubagentName::new("<>").unwrap();
        assert_eq!(message.author_name(), "subagent");
        assert_eq!(message.author_email(), "subagent@subagents.invalid");
    }

    proptest::proptest! {
        #[test]
        fn no_line_of_foreign_text_reads_as_a_trailer(
            title in "[ -~\n]{0,100}",
            body in "(Implementer-Task: other\n|\n|[ -~]{0,12}\n|--- \n|\u{2028}|\r|é: x\n){0,8}",
        ) {
            let rendered = message(&title, &body).render(&base());
            let (text, trailers) = rendered.rsplit_once("\n\n").unwrap();
            proptest::prop_assert_eq!(trailers.lines().count(), 5);
            proptest::prop_assert!(trailers.starts_with("Implementer-Task: feature\n"));
            for line in text.lines().skip(1) {
                proptest::prop_assert!(!line.starts_with("Implementer-") && !line.starts_with("---"), "{}", line);
            }
            proptest::prop_assert!(text.lines().next().unwrap().chars().count() <= SUBJECT_MAX);
        }
    }
}
