//! A run while it goes on, for the comment: who works, who is done, where the gates stand.

use std::collections::BTreeMap;

use super::checks::TaskView;
use crate::{
    findings::Finding,
    gate::{GateKind, Receipt},
    handoff::TaskRecord,
    ids::{SubagentName, TaskId},
    schedule::{Outcome, Schedule},
    summary::entry::{self, Detail},
    text,
};

/// What the comment says above the board.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LiveHeader {
    /// The first digits of the lock.
    pub lock: String,
    /// Where the plan is. Untrusted text.
    pub plan: String,
    /// The page of the workflow run.
    pub run_url: Option<String>,
    /// Who approved it.
    pub approved_by: String,
}

/// What a subagent is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SubagentState {
    /// None of its tasks has begun.
    Waiting,
    /// One of its tasks has begun, and not all are done.
    Running,
    /// All of its tasks are done.
    Done,
}

/// What a task is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
enum TaskState {
    Waiting,
    Running,
    /// It ended, and is called again.
    Again(String),
    Done,
}

/// Everything that is known of a run so far.
#[derive(Debug, Clone)]
pub struct Board {
    schedule: Schedule,
    tasks: BTreeMap<TaskId, Entry>,
    gates: BTreeMap<GateKind, Option<Receipt>>,
    integrated: Vec<(usize, usize)>,
    cancelling: bool,
}

#[derive(Debug, Clone)]
struct Entry {
    state: TaskState,
    attempt: u32,
    record: Option<TaskRecord>,
    findings: Vec<Finding>,
}

impl Board {
    /// Begins with nothing done.
    #[must_use]
    pub fn new(schedule: &Schedule) -> Self {
        let entry = Entry { state: TaskState::Waiting, attempt: 0, record: None, findings: Vec::new() };
        Self {
            tasks: schedule.tasks.iter().map(|task| (task.id.clone(), entry.clone())).collect(),
            schedule: schedule.clone(),
            gates: BTreeMap::new(),
            integrated: Vec::new(),
            cancelling: false,
        }
    }

    /// A task was added that the schedule did not have.
    pub fn added(&mut self, task: &crate::schedule::Task) {
        let entry = Entry { state: TaskState::Waiting, attempt: 0, record: None, findings: Vec::new() };
        if self.tasks.insert(task.id.clone(), entry).is_none() {
            self.schedule.tasks.push(task.clone());
        }
    }

    /// A task's process was started.
    pub fn started(&mut self, task: &TaskId, attempt: u32) {
        if let Some(entry) = self.tasks.get_mut(task) {
            entry.state = TaskState::Running;
            entry.attempt = attempt;
        }
    }

    /// A task ended and was judged.
    pub fn ended(&mut self, record: &TaskRecord, findings: &[Finding]) {
        if let Some(entry) = self.tasks.get_mut(&record.id) {
            entry.state = TaskState::Done;
            entry.record = Some(record.clone());
            entry.findings = findings.to_vec();
        }
    }

    /// A task is called again.
    pub fn again(&mut self, task: &TaskId, reason: &str) {
        if let Some(entry) = self.tasks.get_mut(task) {
            entry.state = TaskState::Again(reason.to_owned());
        }
    }

    /// The patches of a wave were integrated.
    pub fn integrated(&mut self, wave: usize, commits: usize) {
        self.integrated.push((wave, commits));
    }

    /// The commands of a gate are about to run.
    pub fn gate_started(&mut self, gate: GateKind) {
        self.gates.insert(gate, None);
    }

    /// A gate was judged.
    pub fn gate_judged(&mut self, receipt: &Receipt) {
        self.gates.insert(receipt.gate, Some(receipt.clone()));
    }

    /// The run was asked to stop.
    pub fn cancelling(&mut self) {
        self.cancelling = true;
    }

    /// Returns what each subagent is doing, in the order of the schedule.
    #[must_use]
    pub fn subagents(&self) -> Vec<(SubagentName, SubagentState)> {
        let mut subagents: Vec<(SubagentName, SubagentState)> = Vec::new();
        for task in &self.schedule.tasks {
            if subagents.iter().any(|(name, _)| *name == task.subagent) {
                continue;
            }
            let own = self.schedule.tasks.iter().filter(|other| other.subagent == task.subagent);
            let states: Vec<_> = own.filter_map(|task| self.tasks.get(&task.id)).map(|entry| &entry.state).collect();
            let state = if states.iter().all(|state| **state == TaskState::Done) {
                SubagentState::Done
            } else if states.iter().all(|state| **state == TaskState::Waiting) {
                SubagentState::Waiting
            } else {
                SubagentState::Running
            };
            subagents.push((task.subagent.clone(), state));
        }
        subagents
    }

    /// Returns the tasks of a subagent with what became of them so far.
    #[must_use]
    pub fn views(&self, subagent: &SubagentName) -> Vec<TaskView<'_>> {
        let own = self.schedule.tasks.iter().filter(|task| task.subagent == *subagent);
        own.map(|task| {
            let entry = self.tasks.get(&task.id);
            TaskView {
                task,
                record: entry.and_then(|entry| entry.record.as_ref()),
                findings: entry.map_or(&[][..], |entry| &entry.findings),
            }
        })
        .collect()
    }

    fn count(&self, wanted: impl Fn(&Entry) -> bool) -> usize {
        self.tasks.values().filter(|entry| wanted(entry)).count()
    }
}

/// Renders the board as a comment.
#[must_use]
pub fn render(board: &Board, header: &LiveHeader) -> String {
    let mut page = String::from("## Backend Implementation Running\n\n");
    head(&mut page, header);
    let done = |outcome: fn(Outcome) -> bool| {
        board.count(|entry| {
            entry.state == TaskState::Done && entry.record.as_ref().is_some_and(|record| outcome(record.outcome))
        })
    };
    let (passed, other) = (done(|outcome| outcome == Outcome::Passed), done(|outcome| outcome != Outcome::Passed));
    let running = board.count(|entry| entry.state == TaskState::Running);
    page.push_str(&format!(
        "**{passed} of {} passed**, {running} running, {other} ended otherwise. Waves integrated: {} of {}.\n\n",
        text::count(board.tasks.len(), "task"),
        board.integrated.len(),
        board.schedule.waves.len(),
    ));
    if board.cancelling {
        page.push_str("**Cancelling**: running agents are being stopped. Finished work is kept.\n\n");
    }
    tasks(&mut page, board);
    gates(&mut page, board);
    page.push_str("To end it, comment `/implement cancel`.\n");
    page
}

/// Renders the comment of a run that broke off for `error`.
#[must_use]
pub fn render_broken_off(header: &LiveHeader, error: &str) -> String {
    let mut page = String::from("## Backend Implementation Incomplete\n\n");
    head(&mut page, header);
    page.push_str("The run was interrupted. No subagent is to blame:\n\n");
    page.push_str(&text::fenced(&text::truncate(error, 4_000), "text"));
    page.push_str("\n\nWhat was finished until then is in the run's folder. Once the reason is gone, comment `/implement` again.\n");
    page
}

/// Renders the comment of a run that was killed before it could say anything.
#[must_use]
pub fn render_killed(run_url: Option<&str>) -> String {
    let run = run_url.map_or_else(|| "The run".to_owned(), |url| format!("[The run]({url})"));
    format!(
        "## Backend Implementation Incomplete\n\n{run} ended without a word: it was cancelled, lost its machine, or ran into \
         the time limit of its job. What it left is in its artifact. Comment `/implement` to begin again.\n"
    )
}

fn head(page: &mut String, header: &LiveHeader) {
    let plan = text::code(&text::truncate(&header.plan, 200));
    page.push_str(&format!("Plan {plan}, lock `{}`", text::terminal(&header.lock)));
    if !header.approved_by.is_empty() {
        page.push_str(&format!(", approved by {}", text::markdown(&header.approved_by)));
    }
    if let Some(url) = &header.run_url {
        page.push_str(&format!(" · [log]({url})"));
    }
    page.push_str(".\n\n");
}

fn tasks(page: &mut String, board: &Board) {
    let waves = board.schedule.wave_of();
    let row = |task: &crate::schedule::Task| {
        let entry = board.tasks.get(&task.id)?;
        let (state, why) = match (&entry.state, &entry.record) {
            (TaskState::Waiting, _) => ("waiting".to_owned(), ""),
            (TaskState::Running, _) if entry.attempt > 1 => (format!("**running**, attempt {}", entry.attempt), ""),
            (TaskState::Running, _) => ("**running**".to_owned(), ""),
            (TaskState::Again(why), _) => ("retried".to_owned(), why.as_str()),
            (TaskState::Done, Some(record)) => (record.outcome.name().to_owned(), record.reason.as_str()),
            (TaskState::Done, None) => ("done".to_owned(), ""),
        };
        Some(vec![
            waves.get(&task.id).map_or_else(String::new, ToString::to_string),
            text::code(task.id.as_str()),
            text::code(task.subagent.as_str()),
            state,
            text::markdown(&text::truncate(why, 160)),
        ])
    };
    let rows: Vec<_> = board.schedule.tasks.iter().filter_map(row).collect();
    // What runs must be seen at once, so only really long tables fold.
    let detail = Detail::OPEN;
    entry::table(page, "", "task", &["wave", "task", "subagent", "state", "why"], &rows, &detail);
    page.push('\n');
}

fn gates(page: &mut String, board: &Board) {
    let lines: Vec<_> = board
        .gates
        .iter()
        .map(|(gate, receipt)| match receipt {
            None => format!("- Gate **{gate}**: running"),
            Some(receipt) => format!(
                "- Gate **{gate}**: {}. {}",
                receipt.state.name(),
                text::markdown(&text::truncate(&receipt.reason, 200))
            ),
        })
        .collect();
    if !lines.is_empty() {
        page.push_str(&lines.join("\n"));
        page.push_str("\n\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::summary::fixture;

    #[test]
    fn a_board_shows_who_works_and_who_is_done() {
        let handoff = fixture::complete();
        let mut board = Board::new(&handoff.schedule);
        let [first, second, ..] = handoff.tasks.as_slice() else { panic!("two tasks") };
        board.started(&first.id, 1);
        board.ended(first, &[]);
        board.started(&second.id, 2);
        let header = LiveHeader {
            lock: "0123456789ab".to_owned(),
            plan: "plan `x`.md".to_owned(),
            run_url: Some("https://example.invalid/runs/1".to_owned()),
            approved_by: "ada".to_owned(),
        };
        let page = render(&board, &header);
        insta::assert_snapshot!(page, @r#"
## Backend Implementation Running

Plan ``plan `x`.md``, lock `0123456789ab`, approved by ada · [log](https://example.invalid/runs/1).

**1 of 8 tasks passed**, 1 running, 0 ended otherwise. Waves integrated: 0 of 7.

| wave | task | subagent | state | why |
| --- | --- | --- | --- | --- |
| 1 | `infrastructure` | `backend-cloud-infrastructure-architect` | passed |  |
| 1 | `datatypes` | `backend-datatypes` | **running**, attempt 2 |  |
| 2 | `feature` | `backend-feature-implementer` | waiting |  |
| 3 | `cli` | `backend-cli-implementer` | waiting |  |
| 4 | `tests` | `backend-unit-test-generator` | waiting |  |
| 5 | `review` | `backend-code-quality-reviewer` | waiting |  |
| 6 | `validation` | `backend-validation-agent` | waiting |  |
| 7 | `deployment` | `backend-deployment-agent` | waiting |  |

To end it, comment `/implement cancel`.
"#);
        let states: Vec<_> = board.subagents().into_iter().map(|(_, state)| state).take(3).collect();
        assert_eq!(states, [SubagentState::Done, SubagentState::Running, SubagentState::Waiting]);
        board.again(&first.id, "the tree changed");
        assert_eq!(board.subagents()[0].1, SubagentState::Running);
    }
}
