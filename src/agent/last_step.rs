//! What a subagent did last, while it runs: for whoever looks at a run.

use std::{
    fs,
    io::{Read as _, Seek as _, SeekFrom},
    path::{Path, PathBuf},
};

use implementer_model::text;

use super::{cli::Dialect, redaction::Redactor, report_file::open_plain};

/// Bytes of a log's end in which its last line is looked for.
const LOG_END: u64 = 4 * 1024;

/// Bytes of an answer's end in which its last events are looked for.
const ANSWER_END: u64 = 128 * 1024;

/// Where the last step of a running subagent can be read.
#[derive(Debug)]
pub struct LastStep {
    log: PathBuf,
    events: Option<Events>,
}

/// The events that an agent program prints while it works.
#[derive(Debug)]
pub(super) struct Events {
    pub(super) answer: PathBuf,
    pub(super) dialect: &'static dyn Dialect,
    /// Takes secrets out: what a program prints is read as it comes.
    pub(super) redactor: Redactor,
}

impl LastStep {
    /// The last line of a log.
    #[must_use]
    pub fn of_log(log: &Path) -> Self {
        Self { log: log.to_owned(), events: None }
    }

    /// The last event of an agent program; before the first one, the last line of its log.
    pub(super) fn of_events(log: &Path, events: Events) -> Self {
        Self { log: log.to_owned(), events: Some(events) }
    }

    /// Reads it, as one line without anything that a terminal acts on; nothing when there is none yet.
    #[must_use]
    pub fn read(&self) -> Option<String> {
        let of_events = |events: &Events| {
            let end = end_of(&events.answer, ANSWER_END)?;
            let step = events.dialect.last_step(&end)?;
            Some(text::line(&events.redactor.text(&step)))
        };
        let step = self.events.as_ref().and_then(of_events);
        step.or_else(|| Some(last_line(&end_of(&self.log, LOG_END)?))).filter(|step| !step.is_empty())
    }
}

/// Reads the end of a file that a process is writing.
fn end_of(path: &Path, bytes: u64) -> Option<String> {
    let mut file = open_plain(path, fs::File::options().read(true)).ok()??;
    let size = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(size.saturating_sub(bytes))).ok()?;
    let mut end = Vec::new();
    file.take(bytes).read_to_end(&mut end).ok()?;
    Some(String::from_utf8_lossy(&end).into_owned())
}

/// Returns the last line of a log's end that says something.
fn last_line(end: &str) -> String {
    text::plain(end).lines().rev().map(text::line).find(|line| !line.is_empty()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::cli::dialect_of;

    #[test]
    fn the_last_line_of_a_log_is_harmless() {
        assert_eq!(last_line("one\ntwo \x1b[31mred\x1b[0m\x07\n\n  \n"), "two red");
        assert_eq!(last_line(""), "");
        assert_eq!(last_line("10 %\r20 %\r"), "20 %");
    }

    /// What each program prints while it works, as far as it has come, and what is seen of it.
    const RUNNING: [(&str, &str, &str); 4] = [
        (
            "claude",
            "{\"type\":\"system\",\"subtype\":\"init\",\"model\":\"opus\"}\n\
             {\"type\":\"assistant\",\"message\":{\"content\":[{\"type\":\"text\",\"text\":\"I look first.\"}]}}\n\
             {\"type\":\"assistant\",\"message\":{\"content\":[{\"type\":\"tool_use\",\"name\":\"Edit\",\"input\":{\"file_path\":\"src/a.rs\"}}]}}\n",
            "Edit: src/a.rs",
        ),
        (
            "codex",
            "{\"type\":\"thread.started\",\"thread_id\":\"t\"}\n\
             {\"type\":\"item.started\",\"item\":{\"id\":\"1\",\"type\":\"command_execution\",\"command\":\"cargo test\",\"status\":\"in_progress\"}}\n",
            "runs: cargo test",
        ),
        (
            "gemini",
            "{\"type\":\"init\",\"model\":\"g\"}\n\
             {\"type\":\"tool_use\",\"tool_name\":\"write_file\",\"parameters\":{\"file_path\":\"a.py\"}}\n",
            "write_file: a.py",
        ),
        (
            "opencode",
            "{\"type\":\"step_start\",\"part\":{}}\n\
             {\"type\":\"tool_use\",\"part\":{\"tool\":\"bash\",\"state\":{\"status\":\"completed\",\"input\":{\"command\":\"make\"}}}}\n",
            "bash: make",
        ),
    ];

    #[test]
    fn the_last_event_of_each_program_is_seen_while_it_runs() {
        let folder = tempfile::tempdir().unwrap();
        let (log, answer) = (folder.path().join("log.txt"), folder.path().join("answer.jsonl"));
        fs::write(&log, "starting\n").unwrap();
        for (program, printed, step) in RUNNING {
            let events = || Events {
                answer: answer.clone(),
                dialect: dialect_of(program).unwrap(),
                redactor: Redactor::default(),
            };
            let _ = fs::remove_file(&answer);
            let seen = LastStep::of_events(&log, events());
            assert_eq!(seen.read().as_deref(), Some("starting"), "{program}");
            // The end of an answer begins in the middle of a line, and ends in one.
            fs::write(&answer, format!("x\"}}\n{printed}{{\"type\":\"assis")).unwrap();
            assert_eq!(seen.read().as_deref(), Some(step), "{program}");
        }
    }

    #[test]
    fn a_link_in_place_of_an_answer_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (log, answer) = (folder.path().join("log.txt"), folder.path().join("answer.jsonl"));
        fs::write(folder.path().join("secret"), RUNNING[0].1).unwrap();
        std::os::unix::fs::symlink(folder.path().join("secret"), &answer).unwrap();
        let events = Events { answer, dialect: dialect_of("claude").unwrap(), redactor: Redactor::default() };
        assert_eq!(LastStep::of_events(&log, events).read(), None);
    }
}
