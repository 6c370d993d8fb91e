//! What is measured, one function for each target.

use std::{path::PathBuf, process::Command, time::Duration};

use anyhow::{Context as _, Result};
use implementer_model::{handoff::Handoff, ids::TaskId};

use crate::{
    gather::{Artifacts, Gathered},
    git_loop,
    integration::Patches,
    measured_work::{OurRun, Site, Work},
    opponents::Opponents,
    picture, pool, process,
    repository::{Repository, Shape},
    sample::Series,
    simulator,
    table::{Row, Unit},
};

/// How much is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effort {
    /// Whether it works.
    Quick,
    /// Figures.
    Full,
}

/// Where measuring takes place.
#[derive(Debug)]
pub(crate) struct Place {
    /// The program that is measured.
    pub(crate) program: PathBuf,
    /// A folder for repositories and runs.
    pub(crate) work: PathBuf,
    /// A folder on a disk, for what is about the disk.
    pub(crate) disk: PathBuf,
    /// Who else does it.
    pub(crate) opponents: Opponents,
    /// How many bytes the image has, where it was built.
    pub(crate) image_bytes: Option<u64>,
    /// How much.
    pub(crate) effort: Effort,
}

impl Place {
    /// Returns the first number in earnest, the second to see whether it works.
    fn of<T>(&self, full: T, quick: T) -> T {
        match self.effort {
            Effort::Full => full,
            Effort::Quick => quick,
        }
    }
}

/// Measures something, and gives the lines that it came to.
type Measure = fn(&Place) -> Result<Vec<Row>>;

/// Everything that can be measured, by the name of its target.
pub(crate) const MEASURES: [(&str, Measure); 12] = [
    ("P1", p1),
    ("P2", p2_p3_p8),
    ("P4", p4),
    ("P5", p5),
    ("P6", p6),
    ("P7", p7),
    ("P7a", p7a),
    ("P9", p9),
    ("P10", p10),
    ("P11", p11),
    ("P14", p14),
    ("P19", p19),
];

/// The repository of most figures: 2,000 files, 20 MB.
const ORDINARY: Shape = Shape { files: 2_000, bytes: 10_000 };
/// A large one.
const LARGE: Shape = Shape { files: 30_000, bytes: 2_000 };
/// One to see whether it works.
const SMALL: Shape = Shape { files: 200, bytes: 1_000 };

const LOOP: &str = "`git worktree add`, commit, merge";

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

#[expect(clippy::cast_precision_loss, reason = "megabytes are told to a tenth")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

/// Runs both in turn, after a first round that does not count.
fn in_turn(
    rounds: usize,
    mut ours: impl FnMut() -> Result<Duration>,
    mut theirs: impl FnMut() -> Result<Duration>,
) -> Result<(Series, Series)> {
    let (mut a, mut b) = (Series::default(), Series::default());
    for round in 0..=rounds {
        let (our, their) = (milliseconds(ours()?), milliseconds(theirs()?));
        if round > 0 || rounds == 1 {
            a.add(our);
            b.add(their);
        }
        if rounds == 1 {
            break;
        }
    }
    Ok((a, b))
}

/// What a run against the loop came to.
struct AgainstTheLoop {
    wall: Row,
    processor: Row,
    peaks: Series,
}

fn against_the_loop(
    place: &Place,
    id: &'static str,
    shape: Shape,
    count: usize,
    target: f64,
    rounds: usize,
) -> Result<AgainstTheLoop> {
    let site = Site::make(&place.work.join(id), shape)?;
    let work = Work::wide(count);
    let run = OurRun::prepare(&place.program, &site, "wide", &work)?;
    let (mut peaks, mut our_work, mut their_work) = (Series::default(), Series::default(), Series::default());
    let ours = || {
        let before = process::processor_time()?;
        let took = run.once()?;
        our_work.add(milliseconds(process::processor_time()? - before));
        peaks.add(megabytes(took.peak));
        Ok(took.wall)
    };
    let theirs = || {
        let (took, work) = git_loop::once(&site, &work, run.tree())?;
        their_work.add(milliseconds(work));
        Ok(took)
    };
    let (ours, theirs) = in_turn(rounds, ours, theirs)?;
    std::fs::remove_dir_all(&site.folder)?;
    let what = format!("whole run, {count} tasks, {} files", shape.files);
    Ok(AgainstTheLoop {
        wall: Row::ratio(id, what, ours, (LOOP, theirs), target),
        processor: Row::ratio(id, "the same, processor time", our_work, (LOOP, their_work), target),
        peaks,
    })
}

fn p1(place: &Place) -> Result<Vec<Row>> {
    let p1 = against_the_loop(place, "P1", place.of(ORDINARY, SMALL), 8, 0.35, place.of(15, 1))?;
    Ok(vec![p1.wall, p1.processor])
}

fn p2_p3_p8(place: &Place) -> Result<Vec<Row>> {
    let shape = place.of(ORDINARY, SMALL);
    let (some, many) = place.of((64, 256), (16, 64));
    let p2 = against_the_loop(place, "P2", shape, some, 0.12, place.of(5, 1))?;
    let p3 = against_the_loop(place, "P3", shape, many, 0.08, place.of(3, 1))?;
    let medians = [&p3, &p2].map(|figures| figures.wall.ours.as_ref().map_or(0.0, Series::median));
    let growth = std::iter::once(medians[0] / medians[1]).collect();
    let growth = Row::alone("P3", format!("time of {many} tasks over that of {some}"), growth, Unit::Ratio, 4.2);
    let what = format!("peak memory of the coordinator, {many} tasks");
    let peak = Row::alone("P8", what, p3.peaks, Unit::Megabytes, 64.0);
    Ok(vec![p2.wall, p2.processor, p3.wall, p3.processor, growth, peak])
}

fn p4(place: &Place) -> Result<Vec<Row>> {
    let shape = place.of(LARGE, SMALL);
    let p4 = against_the_loop(place, "P4", shape, 8, 0.40, place.of(5, 1))?;
    Ok(vec![p4.wall, p4.processor])
}

fn p6(place: &Place) -> Result<Vec<Row>> {
    let count = place.of(256, 32);
    let site = Site::make(&place.work.join("P6"), place.of(ORDINARY, SMALL))?;
    let patches = Patches::make(&site.repository, count)?;
    let (ours, theirs) = in_turn(place.of(5, 1), || patches.ours(&site.folder), || patches.git_chain())?;
    std::fs::remove_dir_all(&site.folder)?;
    let what = format!("integration of {count} patches");
    Ok(vec![Row::ratio("P6", what, ours, ("`git merge-tree`, `git commit-tree`", theirs), 0.08)])
}

/// What a gate that prints costs in memory.
fn p14(place: &Place) -> Result<Vec<Row>> {
    let mut site = Site::make(&place.work.join("P14"), place.of(ORDINARY, SMALL))?;
    let bytes = place.of(64_000_000, 640_000);
    site.configure(&format!(
        "gates: {{ validation: {{ commands: [\"sh -c 'yes what a loud test says | head -c {bytes}'\"] }} }}\n"
    ))?;
    let run = OurRun::prepare(&place.program, &site, "wide", &Work::wide(8))?;
    let peaks = (0..place.of(3, 1)).map(|_| run.once().map(|took| megabytes(took.peak))).collect::<Result<_>>()?;
    std::fs::remove_dir_all(&site.folder)?;
    let what = format!("peak memory of the coordinator while a gate prints {} MB", megabytes(bytes));
    Ok(vec![Row::alone("P14", what, peaks, Unit::Megabytes, 48.0)])
}

/// What isolation costs: the best level that this machine has, over none.
fn p19(place: &Place) -> Result<Vec<Row>> {
    let (isolated, open) = (place.work.join("P19"), place.work.join("P19-open"));
    let (isolated, mut open) =
        (Site::make(&isolated, place.of(ORDINARY, SMALL))?, Site::make(&open, place.of(ORDINARY, SMALL))?);
    open.configure("isolation: none\n")?;
    let work = Work::wide(8);
    let ours = OurRun::prepare(&place.program, &isolated, "wide", &work)?;
    let theirs = OurRun::prepare(&place.program, &open, "wide", &work)?;
    let (_, handoff) = ours.observed()?;
    let once = |run: &OurRun<'_>| run.once().map(|took| took.wall);
    let (with, without) = in_turn(place.of(15, 1), || once(&ours), || once(&theirs))?;
    let what = format!("whole run, 8 tasks that take no time, isolation `{}`", handoff.isolation.level);
    let row = Row::ratio("P19", what, with, ("isolation `none`", without), 1.10);
    // As the subagents that it is made for, at their quickest.
    let seconds = place.of(5, 1).to_string();
    let (ours, theirs) = (ours.taking(&seconds), theirs.taking(&seconds));
    let (with, without) = in_turn(place.of(3, 1), || once(&ours), || once(&theirs))?;
    std::fs::remove_dir_all(&isolated.folder)?;
    std::fs::remove_dir_all(&open.folder)?;
    let what = format!("the same, tasks of {seconds} s");
    Ok(vec![row, Row::ratio("P19", what, with, ("isolation `none`", without), 1.10)])
}

fn p10(place: &Place) -> Result<Vec<Row>> {
    let count = place.of(10_000, 500);
    let simulated = simulator::simulate(count)?;
    let row = |what: &str, series: Series, target: f64| {
        Row::alone("P10", format!("{count} random plans, simulated: {what}"), series, Unit::Ratio, target)
    };
    // A run in earnest.
    let seconds = place.of(5, 1);
    let site = Site::make(&place.work.join("P10"), place.of(ORDINARY, SMALL))?;
    let run = OurRun::prepare(&place.program, &site, "eight", &Work::eight())?.taking(&seconds.to_string());
    let (took, handoff) = run.observed()?;
    std::fs::remove_dir_all(&site.folder)?;
    let stages = stages(&handoff);
    let real = [took.wall.as_secs_f64() / f64::from(stages * seconds)].into_iter().collect();
    let what = format!("eight subagents of {seconds} s each: whole run over the critical path of {stages} stages");
    Ok(vec![
        Row::alone("P10", what, real, Unit::Ratio, place.of(1.02, 2.0)),
        row("makespan over the critical path of the schedule, a slot for each task", simulated.wide, 1.02),
        row("makespan over the bound with 2 to 8 slots, durations known from an earlier run", simulated.scarce, 1.02),
        row("the same, nothing known", simulated.unknown, 1.1),
        row("critical path of the schedule over that without barriers", simulated.barriers, 1.5),
    ])
}

/// Counts the stages that have to come one after the other, each as long as one subagent takes: the waves in which
/// somebody was called, and after them the further calls of whoever was called most often. The reviewer is called again
/// on the final tree when a wave after it changed the tree.
fn stages(handoff: &Handoff) -> u32 {
    let called = |id: &TaskId| handoff.tasks.iter().any(|task| task.id == *id && !task.attempts.is_empty());
    let waves = handoff.schedule.waves.iter().filter(|wave| wave.tasks.iter().any(called)).count();
    let further = handoff.tasks.iter().map(|task| task.attempts.len().saturating_sub(1)).max();
    u32::try_from(waves + further.unwrap_or(0)).unwrap_or(u32::MAX)
}

fn p5(place: &Place) -> Result<Vec<Row>> {
    const WHAT: &str = "whole run of the eight subagents";
    let site = Site::make(&place.work.join("P5"), ORDINARY)?;
    let run = OurRun::prepare(&place.program, &site, "eight", &Work::eight())?;
    let ours = || run.once().map(|took| took.wall);
    let rounds = place.of(7, 1);
    let mut rows = Vec::new();
    let mut against = |name: &str, target: f64, other: Option<&dyn Fn() -> Result<Duration>>| -> Result<()> {
        rows.push(match other {
            Some(other) => {
                let (ours, theirs) = in_turn(rounds, ours, other)?;
                Row::ratio("P5", WHAT, ours, (name, theirs), target)
            }
            None => Row::missing("P5", WHAT, target, Unit::Ratio, format!("{name} is not installed")),
        });
        Ok(())
    };
    let act = place.opponents.act(&site)?;
    against("act, a checkout for each job", 0.25, act.as_ref().map(|act| act as &dyn Fn() -> Result<Duration>))?;
    let graph = place.opponents.lang_graph(&site)?;
    against("LangGraph, doing nothing", 0.25, graph.as_ref().map(|graph| graph as &dyn Fn() -> Result<Duration>))?;
    let make = place.opponents.make(&site)?;
    if let Some(make) = &make {
        // No target: what it costs to do nothing at all.
        let floor: Series = (0..rounds).map(|_| make().map(milliseconds)).collect::<Result<_>>()?;
        rows.push(Row::alone(
            "P5",
            "the same graph with GNU make, doing nothing",
            floor,
            Unit::Milliseconds,
            f64::INFINITY,
        ));
    }
    std::fs::remove_dir_all(&site.folder)?;
    Ok(rows)
}

fn p7(place: &Place) -> Result<Vec<Row>> {
    const CLIENT: &str = "GitHub's Node client";
    let count = place.of(256, 16);
    let folder = place.work.join("P7");
    let artifacts = Artifacts::serve(&folder, count)?;
    let (mut peaks, mut their_peaks) = (Series::default(), Series::default());
    let ours = || {
        let Gathered { wall, peak } = artifacts.ours()?;
        peaks.add(megabytes(peak));
        Ok(wall)
    };
    let what = format!("gather of {count} artifacts of 1 MB");
    let rounds = place.of(7, 1);
    let mut rows = Vec::new();
    match place.opponents.artifact_client() {
        Some(client) => {
            let theirs = || {
                let Gathered { wall, peak } = artifacts.theirs(&client)?;
                their_peaks.add(megabytes(peak));
                Ok(wall)
            };
            let (ours, theirs) = in_turn(rounds, ours, theirs)?;
            rows.push(Row::ratio("P7", what, ours, (CLIENT, theirs), 0.28));
        }
        None => {
            in_turn(rounds, ours, || Ok(Duration::ZERO))?;
            rows.push(Row::missing("P7", what, 0.28, Unit::Ratio, format!("{CLIENT} is not installed")));
        }
    }
    rows.push(Row::alone("P7", "peak memory of ours", peaks, Unit::Megabytes, 32.0));
    if their_peaks.len() > 0 {
        let what = format!("peak memory of {CLIENT}");
        rows.push(Row::alone("P7", what, their_peaks, Unit::Megabytes, f64::INFINITY));
    }
    std::fs::remove_dir_all(folder)?;
    Ok(rows)
}

fn p7a(place: &Place) -> Result<Vec<Row>> {
    let folder = place.disk.join("P7a");
    let repository = Repository::make(&folder.join("repository"), Shape { files: 50, bytes: 1_000 }, &[])?;
    let count = place.of(1_000, 50);
    let row: Vec<f64> =
        (0..3).map(|_| pool::once(&repository, &folder, count).map(milliseconds)).collect::<Result<_>>()?;
    let ratios = std::iter::once(row[2] / row[0]).collect();
    let times = row.into_iter().collect();
    std::fs::remove_dir_all(&folder)?;
    let what = format!("{count} work trees at a time on {}, third time in a row over the first", file_system(&folder)?);
    Ok(vec![Row { ours: Some(times), ..Row::alone("P7a", what, ratios, Unit::Ratio, 1.3) }])
}

/// Names the file system that a folder, or the one that it was in, is on.
pub(crate) fn file_system(folder: &std::path::Path) -> Result<String> {
    let there = folder.ancestors().find(|folder| folder.exists()).context("no such folder")?;
    let kind = process::output(Command::new("stat").args(["-f", "-c", "%T"]).arg(there))?;
    // What `stat` says of all three.
    Ok(if kind == "ext2/ext3" { "ext4".to_owned() } else { kind })
}

fn p9(place: &Place) -> Result<Vec<Row>> {
    let log = place.work.join("version.log");
    let start = || -> Result<f64> {
        let mut command = process::command(&place.program, &place.work);
        Ok(milliseconds(process::measure(command.arg("--version"), &log)?.wall))
    };
    start()?;
    let starts = (0..place.of(100, 10)).map(|_| start()).collect::<Result<Series>>()?;
    let what = "image that jobs pull, unpacked";
    let size = match place.image_bytes {
        Some(bytes) => Row::alone("P9", what, [megabytes(bytes)].into_iter().collect(), Unit::Megabytes, 40.0),
        None => Row::missing("P9", what, 40.0, Unit::Megabytes, "scripts/test-image has not built it here"),
    };
    Ok(vec![size, Row::alone("P9", "process start to `--version`", starts, Unit::Milliseconds, 10.0)])
}

fn p11(place: &Place) -> Result<Vec<Row>> {
    const WHAT: &str = "REST requests of a run of eight subagents on a pull request";
    const TEST: &str = "conversation::a_plan_of_eight_subagents_costs_few_requests";
    if place.effort == Effort::Quick {
        // It has to be built first; the ordinary test run holds it against the same number.
        return Ok(vec![Row::missing("P11", WHAT, 40.0, Unit::Count, "the quick form leaves that to scripts/test")]);
    }
    let figure = std::path::Path::new("target/tmp/figures/rest-requests");
    if !process::is_there(std::path::Path::new("cargo-nextest")) {
        return Ok(vec![Row::missing("P11", WHAT, 40.0, Unit::Count, "cargo-nextest is not installed")]);
    }
    let _ = std::fs::remove_file(figure);
    let filter = format!("test(={TEST})");
    process::output(Command::new("cargo").args(["nextest", "run", "--locked", "--test", "it", "-E", &filter]))?;
    let counted: f64 = std::fs::read_to_string(figure).context("the test left no figure")?.trim().parse()?;
    Ok(vec![Row::alone("P11", WHAT, [counted].into_iter().collect(), Unit::Count, 40.0)])
}

/// Draws where the time of one run goes.
pub(crate) fn picture(place: &Place) -> Result<String> {
    let site = Site::make(&place.work.join("picture"), place.of(ORDINARY, SMALL))?;
    let run = OurRun::prepare(&place.program, &site, "wide", &Work::wide(8))?;
    run.once()?;
    let (took, handoff) = run.observed()?;
    std::fs::remove_dir_all(&site.folder)?;
    Ok(picture::gantt("A run of 8 tasks that do nothing but write a file", &handoff, took.wall))
}
