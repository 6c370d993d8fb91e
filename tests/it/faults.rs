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
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::inotify,
    process::{Pid, Signal, kill_process},
};
use serde_json::Value;

use crate::support::{
    Bench, Called,
    action::{NUMBER, Stage},
    copy_folder,
    github::Fault,
};

/// The subagents: quick, and they write down every time that they really work. `feature` makes a bug that it fixes when
/// it is retried, `cli` leaves its scope once. They run six thousand times: the shell does everything itself.
const AGENT: &str = r##"#!/bin/sh
set -eu
echo "$IMPLEMENTER_TASK $IMPLEMENTER_ATTEMPT" >> "${0%/*}/tally"
put() {
  [ -d "$1" ] || mkdir "$1"
  echo "$3" > "$1/$2"
}
case "$IMPLEMENTER_TASK#$IMPLEMENTER_ATTEMPT" in
  feature#1) put src hello.py BUG ;;
  feature#*) put src hello.py mended ;;
  cli#1) put elsewhere x x ;;
  cli#*) put cli greet.py greet ;;
  data-types#*) put types a.py type ;;
esac
requirements=
exec 3< "$IMPLEMENTER_BRIEF"
while IFS= read -r line && [ "$line" != '## Requirements' ]; do :; done <&3
while IFS= read -r line && [ "$line" != '## Constraints' ]; do
  case $line in '- `'*) line=${line#*\`}; requirements="$requirements,{\"id\":\"${line%%\`*}\",\"status\":\"done\"}" ;; esac
done <&3
printf '{"version":1,"status":"completed","summary":"done","requirements":[%s]}' "${requirements#,}" > "$IMPLEMENTER_REPORT"
"##;

/// The test command: fails while the bug is there.
const CHECK: &str = "line=\n[ ! -f src/hello.py ] || read -r line < src/hello.py\n\
    case $line in *BUG*) echo '1 failed in 0.01s'; exit 1 ;; esac\necho '=== 3 passed in 0.01s ==='\n";

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
    /// What schedules are made of, where that is more than one thing.
    parts: BTreeMap<&'static str, usize>,
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

/// A repository with the plan, whose subagents are this script.
fn bench(agent: &str) -> Bench {
    let bench = Bench::new();
    fs::create_dir(bench.path("agent")).unwrap();
    let path = bench.path("agent/agent.sh");
    fs::write(&path, agent).unwrap();
    let command = serde_json::json!(["sh", path.to_str().unwrap()]);
    // The tally is outside what a subagent may write to, and nothing that these write has a test.
    let config = format!(
        "isolation: none\nevidence: {{ revert-proof: false }}\nagent: {{ kind: command, command: {command} }}\n"
    );
    bench.write(".github/backend-implementer.yml", &config);
    bench.write(".backend-implementer/plan.md", PLAN);
    bench.write("check.sh", CHECK);
    bench.commit("a plan");
    bench
}

impl Undisturbed {
    fn new() -> Self {
        let bench = bench(AGENT);
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
        copy_folder(&self.folder, &folder);
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
        let told = called.stderr.lines().filter(|line| line.starts_with("  kept ")).count();
        assert_eq!(told, kept.len(), "who goes on sees what was finished before\n{what}");
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

/// Random numbers that are the same on every machine.
pub(crate) struct Seeded(pub(crate) u64);

impl Seeded {
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        let digest = Digest::from_content(self.0.to_le_bytes());
        self.0 = u64::from_str_radix(&digest.hex()[..16], 16).unwrap();
        usize::try_from(self.0 % bound as u64).unwrap()
    }
}

/// How many schedules a test plays: as many as it has ordinarily, of the thousand that all have together, or its share of
/// what the variable asks for.
fn schedules(ordinary: usize) -> usize {
    let asked = std::env::var("IMPLEMENTER_FAULT_SCHEDULES").ok().and_then(|number| number.parse::<usize>().ok());
    asked.map_or(ordinary, |asked| (asked * ordinary).div_ceil(1_000).max(2))
}

impl Figures {
    fn count(&mut self, kind: &'static str) {
        *self.by_kind.entry(kind).or_default() += 1;
    }

    fn count_part(&mut self, kind: &'static str) {
        *self.parts.entry(kind).or_default() += 1;
    }

    /// Leaves the figures where `scripts/test` finds them.
    fn write(&self, name: &str) {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("faults");
        fs::create_dir_all(&folder).unwrap();
        let mut file = fs::File::create(folder.join(name)).unwrap();
        let schedules: usize = self.by_kind.values().sum();
        writeln!(
            file,
            "{name}: {schedules} schedules {:?} {:?}, {} attempts taken over, {} done again, 0 violations",
            self.by_kind, self.parts, self.attempts_taken_over, self.attempts_done_again
        )
        .unwrap();
    }
}

/// Plays crashes at the records of one parity, so that two of these run side by side.
fn crashes_at_records(shard: usize) {
    let undisturbed = Undisturbed::new();
    let mut figures = Figures::default();
    let mut random = Seeded(100 + shard as u64);
    let last = undisturbed.journal.len() - 1;
    for number in 0..schedules(340) {
        // Every record in turn, whole and torn in turn.
        let lines = (2 * number + shard) / 2 % last + 1;
        let torn = number / last % 2 != shard;
        let bytes = if torn { 1 + random.below(undisturbed.journal[lines].len() - 1) } else { 0 };
        let folder = undisturbed.crashed(&format!("crash-{number}"), lines, bytes);
        undisturbed.resumed(&folder, &undisturbed.ended(lines), &mut figures);
        figures.count(if torn { "torn record" } else { "crash after a record" });
        if number % 16 == 0 {
            undisturbed.bench.call(["verify", folder.to_str().unwrap()]).expect(0);
        }
        fs::remove_dir_all(folder).unwrap();
    }
    figures.write(&format!("records-{shard}"));
}

#[test]
fn a_crash_at_every_record_is_gone_on_from() {
    crashes_at_records(0);
}

#[test]
fn a_crash_within_every_record_is_gone_on_from() {
    crashes_at_records(1);
}

#[test]
fn objects_that_a_crash_lost_or_tore_are_made_again() {
    let undisturbed = Undisturbed::new();
    let mut figures = Figures::default();
    let mut random = Seeded(2);
    for number in 0..schedules(120) {
        let lines = 1 + random.below(undisturbed.journal.len() - 2);
        let folder = undisturbed.crashed(&format!("lost-{number}"), lines, 0);
        let objects = Undisturbed::objects(&folder);
        let kind = match number % 4 {
            3 => {
                // What a process leaves that is killed while it names its commits.
                let refs = folder.join("store.git/refs/implementer/patches/feature");
                fs::create_dir_all(&refs).unwrap();
                fs::write(refs.join("1.lock"), b"").unwrap();
                fs::write(folder.join("store.git/HEAD.lock"), b"").unwrap();
                "lock files left"
            }
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

/// Waits until the journal, in a folder that is there, has so many lines, or the process has ended.
fn wait_for_lines(journal: &Path, lines: usize, child: &mut Child) {
    let watch = inotify::init(inotify::CreateFlags::CLOEXEC).unwrap();
    let written = inotify::WatchFlags::CREATE | inotify::WatchFlags::MODIFY | inotify::WatchFlags::CLOSE_WRITE;
    inotify::add_watch(&watch, journal.parent().unwrap(), written).unwrap();
    let mut events = [std::mem::MaybeUninit::uninit(); 4096];
    while fs::read_to_string(journal).unwrap_or_default().lines().count() < lines {
        if child.try_wait().unwrap().is_some() {
            return;
        }
        // A process that ended before it wrote anything is no event.
        let limit = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };
        if poll(&mut [PollFd::new(&watch, PollFlags::IN)], Some(&limit)).unwrap() > 0 {
            inotify::Reader::new(&watch, &mut events).next().unwrap();
        }
    }
}

#[test]
fn a_process_that_is_killed_or_cancelled_anywhere_is_gone_on_from() {
    let undisturbed = Undisturbed::new();
    let bench = &undisturbed.bench;
    let mut figures = Figures::default();
    let mut random = Seeded(3);
    for number in 0..schedules(100) {
        let folder = bench.path(&format!("killed-{number}"));
        undisturbed.forget_tally();
        let (signal, kind) = if number % 4 == 3 { (Signal::TERM, "cancelled") } else { (Signal::KILL, "killed") };
        // Once, or twice in a row.
        for _ in 0..=number % 2 {
            fs::create_dir_all(&folder).unwrap();
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
            called.code == 0 || called.stderr.contains("already holds a finished run"),
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
    assert!(nothing.stderr.contains("there is no interrupted run in"), "{}", nothing.stderr);
    let over = resume(&undisturbed.folder).expect(2);
    assert!(over.stderr.contains("already holds a finished run"), "{}", over.stderr);

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
    assert!(third.stderr.contains("Resuming the interrupted run in"), "{}", third.stderr);
    assert_eq!(fs::read_dir(&runs).unwrap().flatten().filter(|run| run.path().is_dir()).count(), 1);
}

/// What subagents do wrong, each as a line of a script: the first that a task is given is what it does.
const MISBEHAVIOUR: [(&str, &str); 9] = [
    ("works", ""),
    ("fails", "exit 3"),
    ("dies", "kill -9 $$"),
    ("says nothing", "exit 0"),
    ("writes garbage", "head -c 5000 /dev/urandom > \"$IMPLEMENTER_REPORT\"; exit 0"),
    ("deletes its work tree", "rm -rf .git ./* ; exit 0"),
    ("floods", "head -c 20000000 /dev/zero | tr '\\0' 'x'; exit 4"),
    ("forks", "(setsid sleep 1000 & echo $! >> \"$(dirname \"$0\")/pids\") ; exit 5"),
    ("writes elsewhere", "mkdir -p elsewhere; echo x > elsewhere/$IMPLEMENTER_TASK"),
];

#[test]
fn however_subagents_misbehave_the_invariants_hold() {
    let mut figures = Figures::default();
    let mut random = Seeded(4);
    let script = AGENT.replacen("set -eu\n", "set -eu\n. \"${0%/*}/$IMPLEMENTER_TASK.sh\"\n", 1);
    let bench = bench(&script);
    for number in 0..schedules(60) {
        let folder = bench.path(&format!("agents-{number}"));
        let mut works = BTreeSet::new();
        for task in ["data-types", "feature", "cli", "tests", "review", "validation"] {
            let (kind, line) = MISBEHAVIOUR[random.below(MISBEHAVIOUR.len())];
            fs::write(bench.path(&format!("agent/{task}.sh")), line).unwrap();
            if kind == "works" {
                works.insert(task);
            }
            figures.count_part(kind);
        }
        let called = run(&bench, &folder, &[]);
        assert!([0, 1].contains(&called.code), "{}\n{}", called.code, called.stderr);
        let handoff = read(&folder);
        for record in &handoff.tasks {
            let own = works.contains(record.id.as_str());
            assert!(!own || record.outcome == Outcome::Passed, "{}: {}\n{}", record.id, record.reason, called.stderr);
            // What was made is kept, integrated or not.
            for attempt in
                record.attempts.iter().filter(|attempt| attempt.patch.as_ref().is_some_and(|p| !p.is_empty()))
            {
                let aside = folder.join(format!("tasks/{}/attempt-{}", record.id, attempt.attempt));
                let place = if aside.is_dir() { aside } else { folder.join(format!("tasks/{}", record.id)) };
                assert!(place.join("patch.diff").is_file(), "{} #{}", record.id, attempt.attempt);
            }
        }
        assert_eq!(handoff.status == implementer_model::handoff::Status::Complete, called.code == 0);
        bench.call(["verify", folder.to_str().unwrap()]).expect(0);
        for pid in fs::read_to_string(bench.path("agent/pids")).unwrap_or_default().lines() {
            assert!(!crate::support::is_alive(pid), "process {pid} is still there");
        }
        assert_eq!(fs::read_dir(bench.path("tmp")).unwrap().count(), 0, "work trees are gone");
        fs::remove_dir_all(folder).unwrap();
        figures.count("misbehaving subagents");
    }
    figures.write("agents");
}

/// Faults of GitHub, each with whether the request is done all the same.
fn fault(random: &mut Seeded) -> Fault {
    let (method, path) = [
        ("GET", "/pulls/7"),
        ("GET", "/issues/7/comments"),
        ("POST", "/issues/7/comments"),
        ("PATCH", "/issues/comments/"),
        ("POST", "/check-runs"),
        ("PATCH", "/check-runs/"),
        ("GET", "/check-runs"),
        ("POST", "/reactions"),
        ("GET", "/collaborators/"),
    ][random.below(9)];
    let status = [500, 502, 503, 429, 403][random.below(5)];
    // What GitHub refuses for a limit it has not done.
    let limit = matches!(status, 429 | 403);
    let headers = if limit { vec![("retry-after", "0".to_owned())] } else { Vec::new() };
    let done = !limit && random.below(2) == 0;
    Fault { headers, done, ..Fault::status(method, path, 1 + random.below(2), status) }
}

#[test]
fn however_github_fails_there_is_one_comment_and_no_check_left_open() {
    let mut figures = Figures::default();
    let mut random = Seeded(5);
    for _ in 0..schedules(40) {
        let stage = Stage::new("", &[(".backend-implementer/plan.md", crate::support::PLAN)]);
        let faults: Vec<_> = (0..1 + random.below(3)).map(|_| fault(&mut random)).collect();
        stage.github.state().faults.clone_from(&faults);
        let inputs = serde_json::json!({ "pr": NUMBER });
        let ran = stage.act("workflow_dispatch", &stage.github.event_dispatch(&inputs, "ada"), &[]);
        assert!([0, 3].contains(&ran.called.code), "{}\n{}", ran.called.code, ran.called.stderr);
        if ran.called.code == 0 {
            assert_eq!(ran.output("status"), "complete");
            assert!(ran.summary.contains("## Backend Implementation Complete"));
        }
        // What a fault kept this run from saying, what comes after it, or the next run, says.
        stage.github.state().faults.clear();
        stage.after(&ran).expect(0);
        let again = stage.act("workflow_dispatch", &stage.github.event_dispatch(&inputs, "ada"), &[]).expect(0);
        assert_eq!(again.output("status"), "complete");
        let comment = stage.github.only_comment_of(NUMBER, "github-actions[bot]");
        assert!(comment.body.contains("## Backend Implementation Complete"), "{faults:?}\n{}", comment.body);
        for check in stage.github.checks(&stage.head()) {
            assert_eq!(check.status, "completed", "{faults:?}\n{}", stage.github.transcript());
        }
        figures.count("failing GitHub");
        for fault in faults {
            figures.count_part(if fault.done {
                "answer lost"
            } else if fault.status < 500 {
                "rate limit"
            } else {
                "5xx"
            });
        }
    }
    figures.write("github");
}

#[test]
fn a_full_disk_is_told_and_gone_on_from_when_there_is_room() {
    let undisturbed = Undisturbed::new();
    let bench = &undisturbed.bench;
    let folder = bench.path("full");
    undisturbed.forget_tally();
    // No file can grow beyond so many blocks of 512 bytes: writing fails as on a full disk.
    let limited =
        format!("trap '' XFSZ; ulimit -f 24; exec {} run --out {}", crate::support::PROGRAM, folder.display());
    let mut command = bench.command("sh");
    let full = Called::of(command.args(["-c", &limited]).output().unwrap());
    assert_eq!(full.code, 3, "{}\n{}", full.code, full.stderr);
    assert!(full.stderr.contains("cannot write") || full.stderr.contains("failed"), "{}", full.stderr);
    run(bench, &folder, &[]).expect(0);
    assert_eq!(read(&folder).result.commit, undisturbed.handoff.result.commit);

    let below_a_file = bench.path("file");
    fs::write(&below_a_file, "x").unwrap();
    let refused = run(bench, &below_a_file.join("out"), &[]).expect(3);
    assert!(refused.stderr.contains("cannot write"), "{}", refused.stderr);
}
