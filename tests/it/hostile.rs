//! Input that was made to harm: each is refused with a message, in little memory and at once.

use std::{
    fs::{self, File},
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use backend_implementer::{
    coordinator::commit_message,
    journal,
    workspace::{bundle, message::CommitMessage, store::RunStore},
};
use implementer_model::{
    findings::FindingCode,
    handoff::Handoff,
    ids::{Digest, ObjectId},
    lock::Lock,
    patch::Patch,
    record::{Record, Timed},
    schedule::Schedule,
};
use serde_json::{Value, json};

use crate::support::{Bench, Called, Needed, PLAN, Ran};

/// How much memory a refusal may need, in KiB.
const PEAK_MAX: u64 = 128 * 1024;

/// How long a processor may be busy with a refusal, and how long it may take on a machine that does other things, too.
const BUSY_MAX: Duration = Duration::from_secs(2);
const TIME_MAX: Duration = Duration::from_secs(10);

/// Calls the program on hostile input. It must end at once, in little memory, and say nothing that is not for people.
fn refused(bench: &Bench, arguments: &[&str]) -> Called {
    let began = Instant::now();
    let (called, Needed { peak, busy }) = bench.measured(arguments);
    let took = began.elapsed();
    assert!(peak <= PEAK_MAX, "{arguments:?}: {peak} KiB\n{}", called.stderr);
    assert!(busy <= BUSY_MAX && took <= TIME_MAX, "{arguments:?}: {busy:?} of {took:?}\n{}", called.stderr);
    for debug in ["panicked", "Err(", "Some(", "RUST_BACKTRACE", "{ kind:", "Error {"] {
        assert!(!called.stderr.contains(debug), "{}", called.stderr);
    }
    assert!(called.stderr.lines().all(|line| line.len() < 10_000), "an endless line");
    called
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// Makes a file of so many bytes that takes no room.
fn large(path: &Path, bytes: u64) {
    File::create(path).unwrap().set_len(bytes).unwrap();
}

const GB: u64 = 1 << 30;

#[test]
fn verify_reads_nothing_but_a_plain_file_of_the_size_of_a_hand_off() {
    let bench = Bench::on_disk();
    let (fifo, huge, link) = (bench.path("fifo"), bench.path("huge"), bench.path("link"));
    pipe(&fifo);
    large(&huge, 3 * GB);
    std::os::unix::fs::symlink("/dev/zero", &link).unwrap();
    for (target, says) in [
        (fifo.as_path(), "a pipe"),
        (Path::new("/dev/zero"), "a special file"),
        (&link, "a symbolic link"),
        (&huge, "more than"),
        (&bench.path("none"), "cannot read"),
    ] {
        let called = refused(&bench, &["verify", text(target)]).expect(2);
        assert!(called.stderr.contains(says), "{}", called.stderr);
    }
    // The same in the place of the file in a folder.
    for (number, target) in [&fifo, &huge, &link].into_iter().enumerate() {
        let folder = bench.path(&format!("folder-{number}"));
        fs::create_dir(&folder).unwrap();
        fs::rename(target, folder.join("handoff.json")).unwrap();
        refused(&bench, &["verify", text(&folder)]).expect(2);
    }
}

#[test]
fn verify_reads_no_bundle_and_no_summary_that_is_none() {
    let bench = Bench::on_disk();
    let ran = bench.run([]).expect(0);
    for name in ["implementation.bundle", "summary.md"] {
        let (file, aside) = (ran.out.join(name), ran.out.join("aside"));
        fs::rename(&file, &aside).unwrap();
        pipe(&file);
        let called = refused(&bench, &["verify", text(&ran.out)]).expect(1);
        assert!(called.stdout.contains("a pipe"), "{name}: {}", called.stdout);
        fs::remove_file(&file).unwrap();
        large(&file, 6 * GB);
        refused(&bench, &["verify", text(&ran.out)]).expect(1);
        fs::remove_file(&file).unwrap();
        fs::rename(&aside, &file).unwrap();
    }
    bench.call(["verify", text(&ran.out)]).expect(0);
}

/// Calls git in a store, and gives what it prints without the end of its last line.
fn git_in(store: &RunStore, arguments: &[&str], input: &str) -> String {
    use std::io::Write as _;
    let mut command = Command::new("git");
    command.arg("-C").arg(store.dir()).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

/// Makes the commit of a patch, whose tree is dangerous: the program itself does not make it.
fn commit_of(store: &RunStore, patch: &Patch, message: &CommitMessage) -> ObjectId {
    let harmless =
        Patch { tree: store.resolve(patch.base.as_str()).unwrap().tree, changes: Vec::new(), ..patch.clone() };
    let commit = store.patch_commit(&harmless, message).unwrap();
    let content = git_in(store, &["cat-file", "commit", commit.as_str()], "") + "\n";
    let content = content.replacen(&format!("tree {}", harmless.tree), &format!("tree {}", patch.tree), 1);
    ObjectId::new(git_in(store, &["hash-object", "-t", "commit", "-w", "--stdin"], &content)).unwrap()
}

/// Makes a tree with 10^8 paths of a handful of objects, in a store of its own.
fn bomb(store: &RunStore) -> ObjectId {
    let git = |arguments: &[&str], input: &str| git_in(store, arguments, input);
    let mut inner = git(&["hash-object", "-w", "--stdin"], "x");
    for (depth, kind) in (0..8).zip(std::iter::once("100644 blob").chain(std::iter::repeat("040000 tree"))) {
        let entries: String = (0..10).map(|number| format!("{kind} {inner}\t{depth}{number}\n")).collect();
        inner = git(&["mktree"], &entries);
    }
    let src = git(&["mktree"], &format!("040000 tree {inner}\tsrc\n"));
    ObjectId::new(src).unwrap()
}

/// A fan-out of which one job has been prepared and collected.
struct FanOut {
    bench: Bench,
    lock: Lock,
    schedule: Schedule,
}

impl FanOut {
    fn new() -> Self {
        let bench = Bench::on_disk();
        let (state, job, first) = (bench.path("state"), bench.path("job"), bench.path("results/slot-0"));
        bench.call(["plan", "--state", text(&state)]).expect(0);
        let prepared = ["prepare", "--state", text(&state), "--tasks", "feature#1", "--job", text(&job)];
        let prepared: Value = serde_json::from_str(&bench.call(prepared).expect(0).stdout).unwrap();
        let worktree = Path::new(prepared[0]["worktree"].as_str().unwrap());
        fs::create_dir_all(worktree.join("src")).unwrap();
        fs::write(worktree.join("src/hello.py"), "print('hello')\n").unwrap();
        let report = json!({ "version": 1, "status": "completed", "summary": "done" });
        fs::write(prepared[0]["report"].as_str().unwrap(), report.to_string()).unwrap();
        let collect = ["collect", "--state", text(&state), "--tasks", "feature#1", "--job", text(&job)];
        bench.call([&collect[..], &["--results", text(&first)]].concat()).expect(0);
        let shown: Value = serde_json::from_str(&bench.call(["plan", "--format", "json"]).expect(0).stdout).unwrap();
        let part = |name: &str| shown[name].clone();
        let (lock, schedule) = (part("lock"), part("schedule"));
        Self { bench, lock: serde_json::from_value(lock).unwrap(), schedule: serde_json::from_value(schedule).unwrap() }
    }

    fn settle(&self) -> Value {
        let (state, results, next) = (self.bench.path("state"), self.bench.path("results"), self.bench.path("next"));
        let _ = fs::remove_dir_all(&next);
        let arguments = ["settle", "--state", text(&state), "--results", text(&results), "--out", text(&next)];
        serde_json::from_str(&refused(&self.bench, &arguments).expect(0).stdout).unwrap()
    }

    fn notes(&self) -> String {
        self.settle()["notes"].to_string()
    }
}

fn write_records(path: &Path, records: &[Timed]) {
    fs::remove_file(path).unwrap();
    journal::write(path, records).unwrap();
}

#[test]
fn a_result_with_more_paths_than_anybody_wrote_is_lost_and_nothing_else_is() {
    let fan_out = FanOut::new();
    let store = RunStore::create(&fan_out.bench.repo(), &fan_out.bench.path("made.git")).unwrap();
    let base = store.resolve("HEAD").unwrap();
    let tree = bomb(&store);
    let folder = fan_out.bench.path("results/slot-0/feature-1");
    let mut records = journal::read(&folder.join("result.jsonl")).unwrap();
    let patch = records
        .iter_mut()
        .find_map(|(_, record)| match record {
            Record::Ended(ended) => ended.attempt.patch.as_mut(),
            _ => None,
        })
        .unwrap();
    patch.tree = tree;
    let task = fan_out.schedule.tasks.iter().find(|task| task.id.as_str() == "feature").unwrap();
    let commit = commit_of(&store, patch, &commit_message(&fan_out.lock, task, 1));
    fs::remove_file(folder.join("patch.bundle")).unwrap();
    let reference = "refs/implementer/patches/feature/1".to_owned();
    bundle::write(&store, &[(reference, commit)], &base.commit, &folder.join("patch.bundle")).unwrap();
    assert!(fs::metadata(folder.join("patch.bundle")).unwrap().len() < 4096);
    write_records(&folder.join("result.jsonl"), &records);
    let notes = fan_out.notes();
    assert!(notes.contains("feature#1"), "{notes}");
}

#[test]
fn a_result_whose_files_are_no_files_is_lost_with_a_reason() {
    let fan_out = FanOut::new();
    let folder = fan_out.bench.path("results/slot-0/feature-1");
    for name in ["patch.bundle", "result.jsonl"] {
        let (file, aside) = (folder.join(name), fan_out.bench.path("aside"));
        fs::rename(&file, &aside).unwrap();
        pipe(&file);
        let notes = fan_out.notes();
        assert!(notes.contains("feature#1"), "{name}: {notes}");
        fs::remove_file(&file).unwrap();
        large(&file, 6 * GB);
        let notes = fan_out.notes();
        assert!(notes.contains("feature#1"), "{name}: {notes}");
        fs::remove_file(&file).unwrap();
        fs::rename(&aside, &file).unwrap();
    }
    assert!(!fan_out.notes().contains("feature#1"), "whole, it counts");
}

#[test]
fn a_job_speaks_for_its_own_slot_only() {
    let fan_out = FanOut::new();
    let results = fan_out.bench.path("results");
    // The job of the other slot brings a result for the attempt that it was not given.
    crate::support::copy_folder(&results.join("slot-0"), &results.join("slot-1"));
    let notes = fan_out.notes();
    assert!(notes.contains("slot-1: the result feature-1 is foreign"), "{notes}");
    assert!(!notes.contains("feature#1:"), "the job that it was given to counts: {notes}");
    fs::remove_dir_all(results.join("slot-0")).unwrap();
    let notes = fan_out.notes();
    assert!(notes.contains("is foreign") && notes.contains("feature#1: its job left no result"), "{notes}");
}

#[test]
fn a_bundle_with_a_bomb_in_it_proves_nothing() {
    let bench = Bench::on_disk();
    let ran = bench.run([]).expect(0);
    let store = RunStore::create(&bench.repo(), &bench.path("made.git")).unwrap();
    let base = store.resolve("HEAD").unwrap();
    let tree = bomb(&store);
    let mut handoff: Handoff = ran.handoff();
    let mut refs = Vec::new();
    for record in &mut handoff.tasks {
        for attempt in &mut record.attempts {
            if let Some(patch) = attempt.patch.as_mut().filter(|patch| !patch.is_empty()) {
                patch.tree = tree.clone();
                let task = handoff.schedule.tasks.iter().find(|task| task.id == record.id).unwrap();
                let message = commit_message(&handoff.lock, task, attempt.attempt);
                refs.push((
                    format!("refs/implementer/patches/{}/{}", record.id, attempt.attempt),
                    commit_of(&store, patch, &message),
                ));
            }
        }
    }
    refs.push(("refs/heads/backend-implementer/implementation".to_owned(), refs[0].1.clone()));
    let file = ran.out.join("implementation.bundle");
    fs::remove_file(&file).unwrap();
    bundle::write(&store, &refs, &base.commit, &file).unwrap();
    handoff.result.bundle_digest = Some(Digest::from_content(fs::read(&file).unwrap()));
    fs::write(ran.out.join("handoff.json"), handoff.write().unwrap()).unwrap();
    let called = refused(&bench, &["verify", text(&ran.out)]).expect(1);
    assert!(called.stdout.contains("paths in tree objects"), "{}", called.stdout);
}

#[test]
fn a_bundle_that_would_carry_a_secret_is_not_written() {
    let bench = Bench::on_disk();
    // No patch holds it: it comes into the message of a commit with the title of a task.
    let plan = PLAN.replace("## Feature\n", "## Feature: Greet Correct-Horse_Battery\n");
    bench.write(".backend-implementer/plan.md", &plan);
    bench.commit("plan");
    let out = bench.path("out");
    let mut command = bench.program(["run", "--out", text(&out)]);
    let called = Called::of(command.env("GITHUB_TOKEN", "Correct-Horse_Battery").output().unwrap());
    let ran = Ran { called, out }.expect(1);
    let handoff = ran.handoff();
    let found = handoff.findings.iter().find(|finding| finding.code == FindingCode::SecretWritten);
    assert!(found.is_some_and(|finding| finding.message.contains("`GITHUB_TOKEN`")), "{:?}", handoff.findings);
    assert_eq!((handoff.result.bundle, ran.out.join("implementation.bundle").exists()), (None, false));
}

#[test]
fn a_hand_off_with_more_than_a_run_can_come_to_is_refused() {
    let bench = Bench::on_disk();
    let ran = bench.run([]).expect(0);
    let handoff = serde_json::from_slice::<Value>(&ran.read_bytes("handoff.json")).unwrap();
    let many = |field: &str, one: Value, times: usize| {
        let mut handoff = handoff.clone();
        handoff[field] = Value::Array(vec![one; times]);
        handoff.to_string()
    };
    for (grown, says) in [
        (many("tasks", handoff["tasks"][0].clone(), 3_000), "tasks, and at most"),
        (many("missing", json!(""), 1_500_000), "values, and at most"),
        (many("missing", json!("x".repeat(1 << 20)), 40), "more than"),
    ] {
        fs::remove_file(ran.out.join("handoff.json")).unwrap();
        fs::write(ran.out.join("handoff.json"), grown).unwrap();
        for command in ["verify", "show"] {
            let called = refused(&bench, &[command, text(&ran.out)]).expect(2);
            assert!(called.stderr.contains(says), "{command}: {says}: {}", called.stderr);
        }
    }
}

#[test]
fn a_planted_journal_is_not_read() {
    let bench = Bench::on_disk();
    let runs = bench.repo().join(".backend-implementer/runs");
    for (name, plant) in [("planted-1", &pipe as &dyn Fn(&Path)), ("planted-2", &|path: &Path| large(path, 6 * GB))] {
        fs::create_dir_all(runs.join(name)).unwrap();
        plant(&runs.join(name).join("journal.jsonl"));
        plant(&runs.join(name).join("handoff.json"));
    }
    let (called, needed) = bench.measured(&["run"]);
    called.expect(0);
    assert!(needed.peak <= PEAK_MAX, "{} KiB", needed.peak);
    let planted = runs.join("planted-2");
    let called = refused(&bench, &["run", "--resume", "--out", text(&planted)]);
    assert_ne!(called.code, 0);
}

#[test]
fn what_somebody_names_is_read_only_as_far_as_it_can_be_what_it_should_be() {
    let bench = Bench::on_disk();
    let (fifo, huge, agents) = (bench.path("fifo"), bench.path("huge"), bench.repo().join(".claude/agents"));
    pipe(&fifo);
    large(&huge, 6 * GB);
    for wrong in [&fifo, &huge, Path::new("/dev/zero")] {
        for arguments in [
            vec!["plan", "--plan", text(wrong)],
            vec!["plan", "--config", text(wrong)],
            vec!["run", "--plan", text(wrong)],
            vec!["import", text(wrong)],
            vec!["show", text(wrong)],
            vec!["apply", text(wrong)],
            vec!["verify", text(wrong)],
        ] {
            let called = refused(&bench, &arguments);
            assert_eq!(called.code, 2, "{arguments:?}: {}", called.stderr);
        }
    }
    fs::create_dir_all(&agents).unwrap();
    pipe(&agents.join("fifo.md"));
    large(&agents.join("huge.md"), 6 * GB);
    std::os::unix::fs::symlink("/dev/zero", agents.join("zero.md")).unwrap();
    let listed = refused(&bench, &["agents"]);
    assert!(listed.stderr.contains("longer than") || listed.stdout.contains("longer than"), "{}", listed.stderr);
    large(&bench.repo().join(".github/backend-implementer.yml"), 6 * GB);
    for command in ["agents", "doctor", "plan"] {
        refused(&bench, &[command]);
    }
    let run = bench.repo().join(".backend-implementer/runs/planted");
    fs::create_dir_all(&run).unwrap();
    large(&run.join("handoff.json"), 6 * GB);
    refused(&bench, &["show", text(&run)]);
    refused(&bench, &["runs"]);
}

/// Folders within each other, deeper than any path can name, in the work tree, in the home and among temporary files.
#[test]
fn folders_of_any_depth_do_not_end_the_coordinator_and_are_gone_after_it() {
    const DEEP: &str = "import os\nfor place in (os.getcwd(), os.environ['HOME'], os.environ['TMPDIR']):\n    os.chdir(place)\n    \
                        for _ in range(20000):\n        os.mkdir('d')\n        os.chdir('d')\n";
    let bench = Bench::new();
    let attempts = json!({ "run": ["python3", "-I", "-c", DEEP] });
    let well = json!({ "write": { "cli/greet.py": "x\n" } });
    bench.script(&json!({ "feature": attempts, "cli": well }));
    let called = bench.call(["run"]).expect(1);
    assert!(called.stdout.contains("Incomplete"), "{}", called.stdout);
    let handoff: Value = serde_json::from_str(&bench.call(["show", "--format", "json"]).expect(0).stdout).unwrap();
    let tasks = handoff["tasks"].as_array().unwrap();
    let outcome = |id: &str| tasks.iter().find(|task| task["id"] == id).unwrap()["outcome"].clone();
    // Git holds no empty folders: nothing was done.
    assert_eq!((outcome("feature"), outcome("cli")), (json!("unproven"), json!("passed")), "{}", called.stderr);
    assert_eq!(fs::read_dir(bench.path("tmp")).unwrap().count(), 0, "nothing is left behind");
}
