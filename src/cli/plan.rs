//! `plan`: shows what a run would do. Runs nothing and leaves nothing behind.

use std::{collections::BTreeSet, fmt::Write as _};

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use implementer_model::{
    command,
    config::Config,
    diagnostics::Diagnostic,
    estimate::{Estimate, RunUsage, estimate},
    gate::GateKind,
    lock::Lock,
    means,
    plan::Plan,
    roster::Access,
    roster::Phase,
    run::{asked_for_by, gate_commands},
    schedule::{Schedule, Task},
    summary::mermaid,
    text,
};
use serde::Serialize;

use super::{exit, exit::Failure, jobs, pull_request, run::Subject, run_folder, show};
use crate::{intake::Intake, run_dir::RunDir, workspace::store::RunStore};

/// Lints the plan and shows the schedule; with `-v` every path, and what each task has to do.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    subject: Subject,
    /// How to print it
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Begin a fan-out: write its first state into this new folder, and print the jobs of the first wave
    #[arg(long, value_name = "DIR", conflicts_with_all = ["pr", "format"])]
    state: Option<std::path::PathBuf>,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum Format {
    /// For people
    #[default]
    Human,
    /// For machines
    Json,
    /// The graph alone, for a Markdown fence
    Mermaid,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Preview<'a> {
    lock: &'a Lock,
    plan: &'a Plan,
    schedule: &'a Schedule,
    diagnostics: &'a [Diagnostic],
}

pub(super) fn run(arguments: &Arguments, whole: bool) -> Result<u8, Failure> {
    let scratch = tempfile::tempdir().context("cannot make a temporary folder").map_err(Failure::outside)?;
    let intake = if let Some(name) = &arguments.subject.pr {
        pull_request::look(name, &arguments.subject.plan_options()?, scratch.path())?
    } else {
        let root = arguments.subject.root()?;
        let store = RunStore::create(&root, &scratch.path().join("store.git"))?;
        let intake = arguments.subject.intake(&store, &root, None)?;
        if let Some(state) = &arguments.state {
            return jobs::begin(&arguments.subject, &intake, &root, state);
        }
        intake
    };
    match arguments.format {
        Format::Human => show::out(&human(&intake, earlier(&arguments.subject, &intake).as_ref(), Detail { whole })),
        Format::Mermaid => show::out(&mermaid::schedule_graph(&intake.schedule)),
        Format::Json => show::json(&Preview {
            lock: &intake.lock,
            plan: &intake.plan,
            schedule: &intake.schedule,
            diagnostics: &intake.warnings,
        })?,
    }
    Ok(exit::COMPLETE)
}

/// How many globs of a list are shown before the rest is only counted.
const GLOBS_SHOWN: usize = 6;

/// Characters of an item.
const ITEM_CHARS: usize = 160;

/// How much is shown.
#[derive(Debug, Clone, Copy)]
struct Detail {
    /// Every path, and every item of a task.
    whole: bool,
}

/// How many earlier runs an estimate rests on, the newest first.
const EARLIER_RUNS: usize = 5;

/// Estimates what the run would take, from earlier ones that lie in the repository.
fn earlier(subject: &Subject, intake: &Intake) -> Option<Estimate> {
    let root = subject.root().ok()?;
    // A run that broke off, or that cannot be read, has nothing to say.
    let runs =
        RunDir::runs(&root).into_iter().filter_map(|run| RunUsage::from_handoff(&run_folder::handoff(&run).ok()?));
    estimate(&intake.schedule, &runs.take(EARLIER_RUNS).collect::<Vec<_>>())
}

fn human(intake: &Intake, estimate: Option<&Estimate>, detail: Detail) -> String {
    let Intake { base, plan, config, schedule, lock, warnings, .. } = intake;
    let protected: BTreeSet<String> = config.protected_paths().into_iter().collect();
    let mut out = String::new();
    let _ = writeln!(out, "Plan   {}", plan.title.as_deref().unwrap_or("(no title)"));
    let _ = writeln!(out, "       {}, {}", plan.source, plan.digest);
    let _ = writeln!(out, "       {}", text::terminal(&shape(plan)));
    let _ = writeln!(out, "       {} (`granularity`)", config.granularity.line());
    if let Some(sections) = plan.read_by_everybody() {
        let _ = writeln!(out, "       nobody's task, in every brief: {}", text::terminal(&sections));
    }
    if let Some(said) = plan.not_to_be_done(ITEM_CHARS) {
        let _ = writeln!(out, "       not to be done: {said}");
    }
    for file in &plan.context {
        let _ = writeln!(out, "       beside it {}", text::terminal(&file.path));
    }
    let _ = writeln!(out, "Base   {}", base.commit);
    let _ = writeln!(out, "Lock   {}", lock.digest);

    let denied = schedule.exclusions_that_matter(&protected);
    for wave in &schedule.waves {
        let _ = writeln!(out, "\nWave {}  {}", wave.number, phase(wave.phase));
        for task in wave.tasks.iter().filter_map(|id| schedule.task(id)) {
            write_task(&mut out, task, plan, &denied[&task.id], detail);
        }
    }
    let _ = writeln!(out, "\nNobody may touch\n  {}", detail.globs(&protected.iter().collect::<Vec<_>>()));
    let _ = writeln!(
        out,
        "\n{} in {}, at most {} at a time",
        text::count(schedule.tasks.len(), "task"),
        text::count(schedule.waves.len(), "wave"),
        text::count(schedule.concurrency, "subagent")
    );
    if let Some(estimate) = estimate {
        let _ = writeln!(out, "Expect {}", estimate.line());
    }
    write_means(&mut out, schedule, config);

    if !schedule.serialised.is_empty() {
        let _ = writeln!(out, "\nOne after the other, because of their paths");
        for pair in &schedule.serialised {
            let _ = writeln!(out, "  {} before {}: {}", pair.first, pair.then, pair.because);
        }
        let _ = writeln!(out, "  (give the tasks `Touches:` that do not meet, and they run side by side)");
    }
    if !schedule.not_needed.is_empty() {
        let names: Vec<_> = schedule.not_needed.iter().map(|role| role.builtin_name()).collect();
        let _ = writeln!(out, "\nNot needed by the plan\n  {}", names.join(", "));
    }
    write_gates(&mut out, plan, config);
    for warning in warnings {
        let _ = writeln!(out, "\n{warning}");
    }
    let _ = writeln!(out, "\nTo run exactly this: backend-implementer run --lock {}", lock.digest.short());
    out
}

/// Says who does the work, and what they may use.
fn write_means(out: &mut String, schedule: &Schedule, config: &Config) {
    out.push_str("\nDone by\n");
    for means::ByAgent { kind, subagents } in means::agents(schedule, config) {
        let names: Vec<_> = subagents.iter().map(ToString::to_string).collect();
        let whose = if names.is_empty() { "all subagents".to_owned() } else { names.join(", ") };
        let _ = writeln!(out, "  {kind}  {whose}");
    }
    if let Some(limits) = means::limits(config) {
        let _ = writeln!(out, "  at most {limits}");
    }
}

fn phase(phase: Phase) -> String {
    format!("phase {} {}", phase.number(), phase.name())
}

/// Says how the plan was read, and where its items went.
fn shape(plan: &Plan) -> String {
    format!("read as {} ({}); {}", plan.dialect, plan.why_dialect(), plan.counts().line())
}

fn write_task(out: &mut String, task: &Task, plan: &Plan, denied: &[&String], detail: Detail) {
    let asked = if task.planned {
        text::count(task.requirements.len(), "requirement")
    } else {
        "not in the plan, always runs".to_owned()
    };
    let guess = plan.tasks.iter().find(|planned| planned.id == task.id).and_then(|planned| planned.owner.guess());
    let guess = guess.map(|guess| format!("  (guessed: {guess})")).unwrap_or_default();
    let _ = writeln!(out, "  {}  {}  {asked}{guess}", task.id, task.subagent);
    // A heading that only names the role or the subagent says nothing new.
    if task.planned && ![task.role.title(), task.subagent.as_str()].contains(&task.title.as_str()) {
        let _ = writeln!(out, "    {}", text::truncate(&task.title, 100));
    }
    match task.access {
        Access::ReadOnly => {
            let _ = writeln!(out, "    may touch   nothing");
        }
        Access::Writes => {
            let _ = writeln!(out, "    may touch   {}", detail.globs(&task.scope.allow.iter().collect::<Vec<_>>()));
            if !denied.is_empty() {
                let not = if detail.whole || denied.len() <= GLOBS_SHOWN {
                    detail.globs(denied)
                } else {
                    format!("what is another subagent's or excluded: {} globs (-v)", denied.len())
                };
                let _ = writeln!(out, "    but not     {not}");
            }
        }
    }
    if !task.needs.is_empty() {
        let needs: Vec<_> = task.needs.iter().map(AsRef::as_ref).collect();
        let _ = writeln!(out, "    needs       {}", needs.join(", "));
    }
    if detail.whole {
        for requirement in &task.requirements {
            let said = text::truncate(&text::line(&requirement.text), ITEM_CHARS);
            let _ = writeln!(out, "    {:10}  {said}  (line {})", requirement.id.as_str(), requirement.line);
        }
    }
}

impl Detail {
    fn globs(self, globs: &[&String]) -> String {
        let most = if self.whole { globs.len() } else { GLOBS_SHOWN };
        let shown: Vec<_> = globs.iter().take(most).map(|glob| glob.as_str()).collect();
        let more = globs.len() - shown.len();
        match (shown.is_empty(), more) {
            (true, _) => "nothing".to_owned(),
            (false, 0) => shown.join("  "),
            (false, more) => format!("{}  and {more} more (-v)", shown.join("  ")),
        }
    }
}

fn write_gates(out: &mut String, plan: &Plan, config: &Config) {
    let _ = writeln!(out, "\nGates");
    for gate in GateKind::ALL {
        let commands = gate_commands(plan, config, gate);
        let line =
            |asked: &(_, Vec<String>)| format!("{}  ({})", command::join(&asked.1), asked_for_by(config, gate, asked));
        let mut lines: Vec<_> = commands.iter().map(line).collect();
        if gate == GateKind::Review {
            lines.insert(0, "the reviewer, without blocking findings".to_owned());
        } else if lines.is_empty() {
            lines.push(format!(
                "no command: this gate cannot pass; add one to the plan's Verification or to gates.{gate}"
            ));
        }
        for (index, line) in lines.iter().enumerate() {
            let _ = writeln!(out, "  {:10}  {line}", if index == 0 { gate.name() } else { "" });
        }
    }
}
