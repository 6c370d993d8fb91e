//! Crashes at every point of a run: whatever is cut off, half written or gone, going on gives what the undisturbed run
//! gave, and nothing that was finished is done again.
//!
//! `IMPLEMENTER_FAULT_SCHEDULES` asks for more schedules than the ordinary number.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Child, Stdio},
};

use implementer_model::{handoff::Handoff, ids::Digest, schedule::Outcome};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::support::{Bench, Called};

/// The subagents: quick, and they write down every time that they really work. `feature` makes a bug that it mends when
/// it is called again, `cli` leaves its scope once.
const AGENT: &str = r##"#!/bin/sh
set -eu
echo "$IMPLEMENTER_TASK $IMPLEMENTER_ATTEMPT" >> "$(dirname "$0")/tally"
case "$IMPLEMENTER_TASK#$IMPLEMENTER_ATTEMPT" in
  feature#1) mkdir -p src; echo "BUG" > src/hello.py ;;
  feature#*) mkdir -p src; echo "mended" > src/hello.py ;;
  cli#1) mkdir -p elsewhere; echo "x" > elsewhere/x ;;
  cli#*) mkdir -p cli; echo "greet" > cli/greet.py ;;
  data-types#*) mkdir -p types; echo "type" > types/a.py ;;
esac
requirements=$(sed -n '/^## Requirements/,/^## Constraints/s/^- `\([^`]*\)` .*/{"id":"\1","status":"done"}/p' "$IMPLEMENTER_BRIEF" | paste -sd, -)
printf '{"version":1,"status":"completed","summary":"done","requirements":[%s]}' "$requirements" > "$IMPLEMENTER_REPORT"
"##;

/// The test command: fails while the bug is there.
const CHECK: &str =
    "if grep -qs BUG src/hello.py; then echo '1 failed in 0.01s'; exit 1; fi\necho '=== 3 passed in 0.01s ==='\n";

const PLAN: &str = "# P\n\n## Data Types\nTouches: types/**\n- a type\n\n## Feature\nTouches: src/**\n- say hello\n\n## CLI\n\
    Touches: cli/**\n- greet\n\n## Verification\n- tests: `sh check.sh`\n- validation: `true`\n";

/// A repository, and the run that nothing disturbed.
struct Undisturbed {
    bench: Bench,
    folder: PathBuf,
    handoff: Handoff,
    tally: Vec<String>,
    /// The lines of the journal, with their line breaks.
    journal: Vec<String>,
}

/// How one schedule went.
#[derive(Debug, Default)]
struct Figures {
    by_kind: BTreeMap<&'static str, usize>,
    attempts_taken_over: usize,
    attempts_done_again: usize,
}

fn tally(bench: &Bench) -> Vec<String> {
    fs::read_to_string(bench.path("agent/tally")).unwrap_or_default().lines().map(str::to_owned).collect()
}

fn run(bench: &Bench, folder: &Path, further: &[&str]) -> Called {
    let mut command = bench.program(["run", "--out", folder.to_str().unwrap()]);
    command.args(further);
    Called::of(command.output().unwrap())
}

fn read(folder: &Path) -> Handoff {
    Handoff::read(&fs::read(folder.join("handoff.json")).expect("a hand-off")).expect("a hand-off")
}

impl Undisturbed {
    fn new() -> Self {
        let bench = Bench::new();
        fs::create_dir(bench.path("agent")).unwrap();
        let agent = bench.path("agent/agent.sh");
        fs::write(&agent, AGENT).unwrap();
        let agent = serde_json::json!(["sh", agent.to_str().unwrap()]);
        bench.write(".github/backend-implementer.yml", &format!("agent: {{ kind: command, command: {agent} }}\n"));
        bench.write(".backend-implementer/plan.md", PLAN);
        bench.write("check.sh", CHECK);
        bench.commit("a plan");
        let folder = bench.path("undisturbed");
        run(&bench, &folder, &[]).expect(0);
        let handoff = read(&folder);
        let tally = tally(&bench);
        let journal = fs::read_to_string(folder.join("journal.jsonl")).unwrap();
        let journal: Vec<_> = journal.split_inclusive('\n').map(str::to_owned).collect();
        assert_eq!(handoff.rework.len(), 1, "the bug is mended in a round of rework");
        assert_eq!((handoff.resumptions, handoff.replayed), (0, 0));
        Self { bench, folder, handoff, tally, journal }
    }

    /// Rebuilds what a crash leaves: the journal up to `lines`, and `torn` bytes of the next line.
    fn crashed(&self, name: &str, lines: usize, torn: usize) -> PathBuf {
        let folder = self.bench.path(name);
        copy(&self.folder, &folder);
        for file in ["handoff.json", "summary.md", "report.html", "timeline.json", "implementation.bundle", "run.lock"]
        {
            fs::remove_file(folder.join(file)).unwrap();
        }
        let mut journal = self.journal[..lines].concat().into_bytes();
        journal.extend_from_slice(&self.journal[lines].as_bytes()[..torn]);
        fs::write(folder.join("journal.jsonl"), journal).unwrap();
        self.forget_tally();
        folder
    }

    /// Forgets who has worked so far.
    fn forget_tally(&self) {
        let _ = fs::remove_file(self.bench.path("agent/tally"));
    }

    /// Goes on with a run that broke off, and checks what has to hold then. `kept` are the attempts whose results the
    /// crash left whole.
    #[track_caller]
    fn resumed(&self, folder: &Path, kept: &BTreeSet<String>, figures: &mut Figures) {
        let called = run(&self.bench, folder, &["--resume"]).expect(0);
        let handoff = read(folder);
        let what = format!("{}\n{}", folder.display(), called.stderr);
        assert_eq!(handoff.status, self.handoff.status, "{what}");
        assert_eq!(handoff.result.tree, self.handoff.result.tree, "{what}");
        assert_eq!(handoff.result.commit, self.handoff.result.commit, "{what}");
        assert_eq!(handoff.result.commits, self.handoff.result.commits, "{what}");
        assert_eq!(handoff.rework, self.handoff.rework, "{what}");
        let outcomes = |handoff: &Handoff| -> Vec<(String, Vec<Outcome>)> {
            let of =
                |record: &implementer_model::handoff::TaskRecord| record.attempts.iter().map(|a| a.outcome).collect();
            handoff.tasks.iter().map(|record| (record.id.to_string(), of(record))).collect()
        };
        assert_eq!(outcomes(&handoff), outcomes(&self.handoff), "{what}");
        // What was finished is not done again; what was not is done once.
        let done = tally(&self.bench);
        let again: BTreeSet<_> = done.iter().cloned().collect();
        assert_eq!(again.len(), done.len(), "an attempt was made twice: {done:?}\n{what}");
        let wanted: BTreeSet<_> = self.tally.iter().filter(|attempt| !kept.contains(*attempt)).cloned().collect();
        assert_eq!(again, wanted, "{what}");
        assert_eq!(handoff.replayed as usize, kept.len(), "{what}");
        figures.attempts_taken_over += kept.len();
        figures.attempts_done_again += again.len();
    }

    /// Returns the attempts that the first `lines` lines of the journal have as ended.
    fn ended(&self, lines: usize) -> BTreeSet<String> {
        self.journal[..lines]
            .iter()
            .map(|line| serde_json::from_str::<Value>(line).unwrap()["entry"].clone())
            .filter(|entry| entry["record"] == "ended")
            .map(|entry| format!("{} {}", entry["task"].as_str().unwrap(), entry["attempt"]["attempt"]))
            .collect()
    }

    /// Returns the objects of the store that are files of their own.
    fn objects(folder: &Path) -> Vec<PathBuf> {
        let mut objects = Vec::new();
        for entry in fs::read_dir(folder.join("store.git/objects")).unwrap().flatten() {
            if entry.file_name().len() == 2 {
                objects.extend(fs::read_dir(entry.path()).unwrap().flatten().map(|entry| entry.path()));
            }
        }
        objects.sort();
        objects
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Random numbers that are the same on every machine.
struct Seeded(u64);

impl Seeded {
    fn below(&mut self, bound: usize) -> usize {
        let digest = Digest::of(self.0.to_le_bytes());
        self.0 = u64::from_str_radix(&digest.hex()[..16], 16).unwrap();
        usize::try_from(self.0 % bound as u64).unwrap()
    }
}

/// How many schedules a test plays: its share of what the variable asks for, or the ordinary number.
fn schedules(ordinary: usize) -> usize {
    let asked = std::env::var("IMPLEMENTER_FAULT_SCHEDULES").ok().and_then(|number| number.parse::<usize>().ok());
    asked.map_or(ordinary, |asked| asked.div_ceil(4).max(ordinary))
}

impl Figures {
    fn count(&mut self, kind: &'static str) {
        *self.by_kind.entry(kind).or_default() += 1;
    }

    /// Leaves the figures where `scripts/test` finds them.
    fn write(&self, name: &str) {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("faults");
        fs::create_dir_all(&folder).unwrap();
        let mut file = fs::File::create(folder.join(name)).unwrap();
        let schedules: usize = self.by_kind.values().sum();
        writeln!(
            file,
            "{name}: {schedules} schedules {:?}, {} attempts taken over, {} done again, 0 violations",
            self.by_kind, self.attempts_taken_over, self.attempts_done_again
        )
        .unwrap();
    }
}

#[test]
fn a_crash_at_every_record_and_within_it_is_gone_on_from() {
    let undisturbed = Undisturbed::new();
    let mut figures = Figures::default();
    let mut random = Seeded(1);
    let last = undisturbed.journal.len() - 1;
    let mut played = 0;
    while played < schedules(2 * last) {
        let lines = played / 2 % last + 1;
        let torn = played % 2 == 1;
        let bytes = if torn { 1 + random.below(undisturbed.journal[lines].len() - 1) } else { 0 };
        let folder = undisturbed.crashed(&format!("crash-{played}"), lines, bytes);
        undisturbed.resumed(&folder, &undisturbed.ended(lines), &mut figures);
        figures.count(if torn { "torn record" } else { "crash after a record" });
        if played % 8 == 0 {
            undisturbed.bench.call(["verify", folder.to_str().unwrap()]).expect(0);
        }
        fs::remove_dir_all(folder).unwrap();
        played += 1;
    }
    figures.write("records");
}

#[test]
fn objects_that_a_crash_lost_or_tore_are_made_again() {
    let undisturbed = Undisturbed::new();
    let mut figures = Figures::default();
    let mut random = Seeded(2);
    for number in 0..schedules(24) {
        let lines = 1 + random.below(undisturbed.journal.len() - 2);
        let folder = undisturbed.crashed(&format!("lost-{number}"), lines, 0);
        let objects = Undisturbed::objects(&folder);
        let kind = match number % 3 {
            0 => {
                objects.iter().for_each(|object| fs::remove_file(object).unwrap());
                "all objects lost"
            }
            1 => {
                fs::remove_file(&objects[random.below(objects.len())]).unwrap();
                "an object lost"
            }
            _ => {
                let object = &objects[random.below(objects.len())];
                fs::remove_file(object).unwrap();
                fs::write(object, b"").unwrap();
                "an object torn"
            }
        };
        let called = run(&undisturbed.bench, &folder, &["--resume"]).expect(0);
        let handoff = read(&folder);
        assert_eq!(handoff.result.commit, undisturbed.handoff.result.commit, "{}", called.stderr);
        undisturbed.bench.call(["verify", folder.to_str().unwrap()]).expect(0);
        figures.attempts_taken_over += handoff.replayed as usize;
        figures.attempts_done_again += tally(&undisturbed.bench).len();
        figures.count(kind);
        fs::remove_dir_all(folder).unwrap();
    }
    figures.write("objects");
}

fn kill(child: &Child, signal: Signal) {
    kill_process(Pid::from_raw(child.id().try_into().unwrap()).unwrap(), signal).unwrap();
}

/// Waits until the journal has so many lines, or the process has ended.
fn wait_for_lines(journal: &Path, lines: usize, child: &mut Child) {
    while fs::read_to_string(journal).unwrap_or_default().lines().count() < lines {
        if child.try_wait().unwrap().is_some() {
            return;
        }
        std::thread::yield_now();
    }
}

#[test]
fn a_process_that_is_killed_or_cancelled_anywhere_is_gone_on_from() {
    let undisturbed = Undisturbed::new();
    let bench = &undisturbed.bench;
    let mut figures = Figures::default();
    let mut random = Seeded(3);
    for number in 0..schedules(16) {
        let folder = bench.path(&format!("killed-{number}"));
        undisturbed.forget_tally();
        let (signal, kind) = if number % 4 == 3 { (Signal::TERM, "cancelled") } else { (Signal::KILL, "killed") };
        // Once, or twice in a row.
        for _ in 0..=number % 2 {
            let mut command = bench.program(["run", "--out", folder.to_str().unwrap()]);
            let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            let lines = 1 + random.below(undisturbed.journal.len() - 1);
            wait_for_lines(&folder.join("journal.jsonl"), lines, &mut child);
            if child.try_wait().unwrap().is_none() {
                kill(&child, signal);
            }
            child.wait().unwrap();
        }
        let called = run(bench, &folder, &[]);
        // It may have come to its end before the signal reached it.
        assert!(
            called.code == 0 || called.stderr.contains("already holds a run"),
            "{}\n{}",
            called.code,
            called.stderr
        );
        let handoff = read(&folder);
        assert_eq!(handoff.result.commit, undisturbed.handoff.result.commit, "{}", called.stderr);
        bench.call(["verify", folder.to_str().unwrap()]).expect(0);
        figures.attempts_taken_over += handoff.replayed as usize;
        figures.count(kind);
        fs::remove_dir_all(folder).unwrap();
    }
    figures.write("signals");
}

#[test]
fn what_cannot_be_gone_on_with_says_why() {
    let undisturbed = Undisturbed::new();
    let bench = &undisturbed.bench;
    let resume = |folder: &Path| run(bench, folder, &["--resume"]);
    let nothing = resume(&bench.path("nothing")).expect(2);
    assert!(nothing.stderr.contains("there is no run in"), "{}", nothing.stderr);
    let over = resume(&undisturbed.folder).expect(2);
    assert!(over.stderr.contains("already holds a run"), "{}", over.stderr);

    // A newer program's journal, damage before the end, and another lock.
    let middle = undisturbed.journal.len() / 2;
    let folder = undisturbed.crashed("damaged", middle, 0);
    let journal = folder.join("journal.jsonl");
    let damaged = fs::read_to_string(&journal).unwrap().replacen("\"attempt\":1", "\"attempt\":7", 1);
    fs::write(&journal, damaged).unwrap();
    let refused = resume(&folder).expect(3);
    assert!(refused.stderr.contains("is damaged: the checksum is wrong"), "{}", refused.stderr);

    let folder = undisturbed.folder.clone();
    bench.write(".backend-implementer/plan.md", &PLAN.replace("say hello", "say hello twice"));
    fs::write(&journal, undisturbed.journal[..middle].concat()).unwrap();
    let refused = resume(&bench.path("damaged")).expect(2);
    assert!(refused.stderr.contains("belongs to the lock"), "{}", refused.stderr);
    assert!(folder.join("handoff.json").is_file());
}

#[test]
fn of_two_runs_in_one_folder_the_second_says_who_is_at_work() {
    let bench = Bench::new();
    let gate = bench.path("gate");
    rustix::fs::mkfifoat(rustix::fs::CWD, &gate, rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR).unwrap();
    bench.script(&serde_json::json!({ "*": { "wait_for": gate } }));
    let mut command = bench.program(["run"]);
    let mut first = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let runs = bench.repo().join(".backend-implementer/runs");
    let journal = loop {
        let run = fs::read_dir(&runs).ok().and_then(|runs| runs.flatten().find(|run| run.path().is_dir()));
        if let Some(run) = run {
            break run.path().join("journal.jsonl");
        }
        std::thread::yield_now();
    };
    wait_for_lines(&journal, 3, &mut first);
    let second = bench.call(["run"]).expect(3);
    assert!(second.stderr.contains(&format!("process {}, since 20", first.id())), "{}", second.stderr);
    kill(&first, Signal::KILL);
    first.wait().unwrap();
    // Its lock went with it: the same plan goes on in its folder.
    bench.script(&serde_json::json!({ "feature": { "write": { "src/hello.py": "x\n" } }, "cli": { "write": { "cli/greet.py": "x\n" } } }));
    let third = bench.call(["run"]).expect(0);
    assert!(third.stderr.contains("Going on with the run in"), "{}", third.stderr);
    assert_eq!(fs::read_dir(&runs).unwrap().flatten().filter(|run| run.path().is_dir()).count(), 1);
}
