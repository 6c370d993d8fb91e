//! A run on standard error while it goes on. On a terminal: every event as a line, below them what runs with its last step,
//! and how far the run is. Elsewhere: every event as a line, and a line each minute in which nothing happened.

mod status;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        mpsc::{self, RecvTimeoutError, Sender},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use implementer_model::{
    findings::Weight,
    gate::{GateKind, GateState, Receipt},
    handoff::{AttemptRecord, TaskRecord},
    ids::{ObjectId, TaskId},
    schedule::Outcome,
    schedule::Schedule,
    text, wording,
};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use self::status::{RunStatus, elapsed};
use super::{
    colour::{self, Colour, Colours},
    show,
};
use crate::coordinator::progress::{LastStep, Observer, Progress};

/// How often a live display is drawn anew.
const REDRAW: Duration = Duration::from_millis(250);

/// How long nothing happens before a line says that the run goes on.
const HEARTBEAT: Duration = Duration::from_secs(60);

/// The most tasks that have a line of their own in the display.
const TASKS_SHOWN: usize = 12;

/// Columns before the text of an event.
const EVENT_INDENT: usize = 10;

/// Characters of a reason.
const REASON_CHARS: usize = 320;

/// Shows a run on standard error.
pub(super) struct Live {
    display: Arc<Display>,
    subagents: BTreeMap<TaskId, String>,
    /// The tasks that began, or were finished before.
    begun: BTreeSet<TaskId>,
    /// The phases whose end was told: rework goes through them once more.
    phases_told: BTreeSet<usize>,
    /// The tree and the time of each gate's run that was told last.
    gates_told: BTreeMap<GateKind, (ObjectId, u64)>,
    width: usize,
    colours: Colours,
    /// Says that something happened; that it is gone ends the clock.
    news: Option<Sender<()>>,
    clock: Option<JoinHandle<()>>,
}

struct Display {
    bars: MultiProgress,
    bottom: ProgressBar,
    state: Mutex<State>,
}

struct State {
    status: RunStatus,
    lines: BTreeMap<TaskId, ProgressBar>,
}

impl Live {
    /// Makes a display. Nothing is drawn when standard error is no terminal; lines are printed either way.
    pub(super) fn new() -> Self {
        let bars = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
        let bottom = bars.add(ProgressBar::new_spinner().with_style(style("  {wide_msg}")));
        let state = Mutex::new(State { status: RunStatus::new(Instant::now()), lines: BTreeMap::new() });
        let display = Arc::new(Display { bars, bottom, state });
        let (news, told) = mpsc::channel();
        let seen = Arc::clone(&display);
        let clock = std::thread::spawn(move || {
            let hidden = seen.bars.is_hidden();
            loop {
                match told.recv_timeout(if hidden { HEARTBEAT } else { REDRAW }) {
                    Ok(()) if hidden => {}
                    Ok(()) | Err(RecvTimeoutError::Timeout) => seen.tick(),
                    Err(RecvTimeoutError::Disconnected) => return,
                }
            }
        });
        Self {
            display,
            subagents: BTreeMap::new(),
            begun: BTreeSet::new(),
            phases_told: BTreeSet::new(),
            gates_told: BTreeMap::new(),
            width: 0,
            colours: Colours::of_stderr(),
            news: Some(news),
            clock: Some(clock),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.display.state()
    }

    fn line(&self, line: &str) {
        self.display.line(&text::terminal(line));
    }

    /// Prints an event: what happened in colour, then to whom, how long it took, and why. What does not fit on a line of the
    /// terminal goes on below: a display of bars needs lines that do not wrap by themselves.
    fn event(&self, colour: Colour, what: &str, rest: &str) {
        let rest = self.fitting(&format!("  {what:7} {}", text::terminal(rest)));
        let what = self.colours.paint(colour, &format!("{what:7}"));
        // What stands before the first line's text is plain, and counted in its width.
        let rest = rest.get(EVENT_INDENT..).unwrap_or_default();
        self.display.line(&format!("  {what} {rest}"));
    }

    fn fitting(&self, line: &str) -> String {
        let columns = colour::columns(std::io::stderr()).filter(|_| !self.display.bars.is_hidden());
        let wrapped = |columns: usize| colour::wrapped(line, columns.max(60), EVENT_INDENT);
        columns.map_or_else(|| line.to_owned(), |columns| wrapped(columns).trim_end().to_owned())
    }

    /// Tells whether a gate was judged like this already: on the same tree the same run of it counts once more.
    fn told_already(&mut self, receipt: &Receipt) -> bool {
        let told = (receipt.tree.clone(), receipt.duration_ms);
        self.gates_told.insert(receipt.gate, told.clone()) == Some(told)
    }

    fn begin(&mut self, schedule: &Schedule) {
        self.width = schedule.tasks.iter().map(|task| task.id.as_str().len()).max().unwrap_or(0);
        self.subagents = schedule.tasks.iter().map(|task| (task.id.clone(), task.subagent.to_string())).collect();
        self.state().status.begun(schedule, Instant::now());
        self.line(&format!(
            "{} in {}, at most {} at a time",
            text::count(schedule.tasks.len(), "task"),
            text::count(schedule.waves.len(), "wave"),
            schedule.concurrency
        ));
    }

    fn start(&mut self, task: &TaskId, attempt: u32, last_step: &Arc<LastStep>) {
        let again = if attempt > 1 { format!(" (attempt {attempt})") } else { String::new() };
        let subagent = self.subagents.get(task).map_or("", String::as_str);
        let width = self.width;
        self.event(Colour::Faint, "start", &format!("{task:width$}  {subagent}{again}"));
        self.begun.insert(task.clone());
        let mut state = self.display.state();
        state.status.started(task, Some(Arc::clone(last_step)), Instant::now());
        if !self.display.bars.is_hidden() && state.lines.len() < TASKS_SHOWN {
            let line = ProgressBar::new_spinner().with_style(style("  {spinner} {wide_msg}"));
            let line = self.display.bars.insert_before(&self.display.bottom, line);
            state.lines.insert(task.clone(), line);
        }
    }

    fn ended(&mut self, task: &TaskId, record: &TaskRecord, kept: bool) {
        let line = {
            let mut state = self.state();
            state.status.ended(task, record);
            state.lines.remove(task)
        };
        if let Some(line) = line {
            line.finish_and_clear();
        }
        let width = self.width;
        let passed = record.outcome == Outcome::Passed;
        let took = record.last().map_or(0, AttemptRecord::duration_ms);
        let took = wording::duration(took);
        let (colour, mark, said) = if record.outcome == Outcome::Cancelled {
            (Colour::Yellow, "stopped", reason(&record.reason))
        } else if record.outcome == Outcome::Blocked {
            (Colour::Yellow, "blocked", reason(&record.reason))
        } else if passed {
            let patch = record.last().and_then(|attempt| attempt.patch.as_ref()).filter(|patch| !patch.is_empty());
            let changed = patch.map_or_else(|| "no file changed".to_owned(), wording::diffstat);
            (Colour::Green, "passed", changed + &objections(record))
        } else {
            (Colour::Red, "FAILED", format!("{}: {}", record.outcome.name(), reason(&record.reason)))
        };
        self.begun.insert(task.clone());
        // What was finished before the run was resumed is news to nobody.
        let (colour, mark) = if kept { (Colour::Faint, "kept") } else { (colour, mark) };
        self.event(colour, mark, &format!("{task:width$}  {took:>9}  {said}"));
    }
}

/// Says how many findings of a task that passed block the gates; nothing where none does.
fn objections(record: &TaskRecord) -> String {
    let findings = record.report().into_iter().flat_map(|report| &report.findings);
    match findings.filter(|finding| finding.severity == Weight::Blocking).count() {
        0 => String::new(),
        count => format!(", {}", text::count(count, "blocking finding")),
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.news = None;
        if let Some(clock) = self.clock.take() {
            // A clock that panicked has said so already.
            let _ = clock.join();
        }
        let mut state = self.state();
        std::mem::take(&mut state.lines).into_values().for_each(|line| line.finish_and_clear());
        drop(state);
        self.display.bottom.finish_and_clear();
    }
}

impl Display {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn line(&self, line: &str) {
        if self.bars.is_hidden() {
            show::painted_note(line);
        } else {
            // The terminal may be gone; the run goes on.
            let _ = self.bars.println(line);
        }
    }

    /// Brings the display up to date, or says that the run goes on.
    fn tick(&self) {
        let now = Instant::now();
        let mut state = self.state();
        let State { status, lines } = &mut *state;
        for (task, running) in &mut status.running {
            if let Some(step) = running.source.as_ref().and_then(|source| source.read()) {
                running.last_step = text::truncate(&step, REASON_CHARS);
            }
            if let Some(line) = lines.get(task) {
                let took = wording::duration(elapsed(running.began, now));
                line.set_message(format!("{task}  {took}  {}", running.last_step));
                line.tick();
            }
        }
        if self.bars.is_hidden() {
            let beat = status.heartbeat(now);
            drop(state);
            self.line(&text::terminal(&beat));
        } else {
            self.bottom.set_message(status.line(now));
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("invariant: our own templates are valid")
}

/// A reason on one line, without the marks of Markdown.
fn reason(reason: &str) -> String {
    text::truncate(&text::line(&reason.replace('`', "")), REASON_CHARS)
}

impl Observer for Live {
    fn observe(&mut self, progress: &Progress<'_>) {
        let width = self.width;
        match progress {
            Progress::Begun { schedule } => self.begin(schedule),
            Progress::TaskStarted { task, attempt, last_step } => self.start(task, *attempt, last_step),
            Progress::TaskEnded { task, record, kept, .. } => self.ended(task, record, *kept),
            Progress::TaskAdded { task } => {
                self.subagents.insert(task.id.clone(), task.subagent.to_string());
                self.state().status.added();
                self.event(Colour::Yellow, "added", &format!("{:width$}  {}", task.id, task.subagent));
            }
            Progress::TaskAgain { task, reason: why } => {
                let mark = if self.begun.contains(task) { "retry" } else { "next" };
                self.event(Colour::Yellow, mark, &format!("{task:width$}  {}", reason(why)));
            }
            Progress::Integrated { commits: 0, .. } => {}
            Progress::Integrated { wave, commits } => {
                self.event(Colour::Faint, "merged", &format!("{} of wave {wave}", text::count(*commits, "commit")));
            }
            Progress::PhaseEnded { phase } => {
                if self.phases_told.insert(phase.number()) {
                    self.event(Colour::Faint, "done", &format!("phase {}, {}", phase.number(), phase.name()));
                }
            }
            Progress::GateStarted { gate } => {
                self.state().status.gate = Some(gate.to_string());
                self.event(Colour::Faint, "start", &format!("gate {gate}"));
            }
            Progress::GateJudged { receipt } => {
                self.state().status.gate = None;
                if self.told_already(receipt) {
                    return;
                }
                let (colour, mark) = match receipt.state {
                    GateState::Passed => (Colour::Green, "passed"),
                    GateState::Failed => (Colour::Red, "FAILED"),
                    GateState::Skipped => (Colour::Yellow, "skipped"),
                    GateState::NotRun => (Colour::Yellow, "not run"),
                };
                let took = wording::duration(receipt.duration_ms);
                self.event(colour, mark, &format!("gate {:10}  {took:>9}  {}", receipt.gate, reason(&receipt.reason)));
                for line in receipt.failure_lines() {
                    let line = self.fitting(&format!("{:EVENT_INDENT$}{line}", ""));
                    self.line(&line);
                }
            }
            Progress::Cancelling => {
                let running = text::count(self.state().status.running.len(), "agent");
                self.event(
                    Colour::Yellow,
                    "cancel",
                    &format!("Stopping {running}. Finished work is kept. Ctrl-C again ends at once."),
                );
            }
        }
        if let Some(news) = &self.news {
            // The clock is there as long as we are.
            let _ = news.send(());
        }
    }
}
