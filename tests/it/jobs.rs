//! The fan-out, on folders: the same plan as jobs and in one place, and results that are lost, foreign or wrong.

use std::{
    fs,
    path::{Path, PathBuf},
};

use implementer_model::{
    findings::FindingCode,
    handoff::{Handoff, Status},
    schedule::Outcome,
};
use serde_json::{Value, json};

use crate::support::{Bench, Called, copy_folder, snapshot};

/// A fan-out whose jobs are calls of the program, one after another, with folders in place of artifacts.
struct FanOut<'a> {
    bench: &'a Bench,
    /// The state that the next job begins with.
    state: PathBuf,
    /// What comes next, as the last job said.
    next: Value,
    step: usize,
    /// The names of the jobs so far.
    story: Vec<String>,
}

impl<'a> FanOut<'a> {
    fn begin(bench: &'a Bench) -> Self {
        let state = bench.path("state-0");
        let called = bench.call(["plan", "--state", state.to_str().unwrap()]).expect(0);
        let next = serde_json::from_str(&called.stdout).expect("JSON");
        Self { bench, state, next, step: 0, story: Vec::new() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.bench.path(&format!("{name}-{}", self.step))
    }

    fn call(&self, command: &str, further: &[&str]) -> Called {
        let mut arguments = vec![command, "--state", self.state.to_str().unwrap()];
        arguments.extend(further);
        self.bench.call(arguments)
    }

    /// Makes the attempts of one job, and gives the folder of its results.
    fn leg(&mut self, tasks: &str, slot: u64) -> PathBuf {
        let job = self.path(&format!("job-{slot}"));
        let results = self.path("results").join(format!("job-{slot}"));
        let job_text = job.to_str().unwrap();
        self.call("prepare", &["--tasks", tasks, "--job", job_text]).expect(0);
        self.call("work", &["--tasks", tasks, "--job", job_text]).expect(0);
        let collected =
            self.call("collect", &["--tasks", tasks, "--job", job_text, "--results", results.to_str().unwrap()]);
        assert!([0, 1].contains(&collected.code), "{}{}", collected.stdout, collected.stderr);
        self.story.push(tasks.to_owned());
        results
    }

    /// Runs the jobs of the next wave, or of the gates; their results lie in the folder that this gives.
    fn wave(&mut self) -> PathBuf {
        self.step += 1;
        let results = self.path("results");
        fs::create_dir_all(&results).unwrap();
        if self.next["gates"] == true {
            let job = self.path("gates");
            self.call("gate", &["--job", job.to_str().unwrap()]).expect(0);
            let to = results.join("gates");
            let (job, to) = (job.to_str().unwrap(), to.to_str().unwrap());
            self.call("collect", &["--tasks", "gates", "--job", job, "--results", to]).expect(0);
            self.story.push("gates".to_owned());
        }
        for leg in self.next["matrix"].as_array().unwrap().clone() {
            self.leg(leg["tasks"].as_str().unwrap(), leg["slot"].as_u64().unwrap());
        }
        results
    }

    fn settle(&mut self, results: &Path) -> Called {
        self.settle_logging(results, None)
    }

    /// Takes results in, with a log as `filter` says.
    fn settle_logging(&mut self, results: &Path, filter: Option<&str>) -> Called {
        let out = self.path("state");
        let head = self.next["head"].as_str().unwrap().to_owned();
        let state = ["settle", "--state", self.state.to_str().unwrap()];
        let further = ["--results", results.to_str().unwrap(), "--out", out.to_str().unwrap(), "--head", &head];
        let mut settle = self.bench.program(state.into_iter().chain(further));
        let called = Called::of(settle.envs(filter.map(|filter| ("RUST_LOG", filter))).output().unwrap()).expect(0);
        self.state = out;
        self.next = serde_json::from_str(&called.stdout).expect("JSON");
        called
    }

    fn is_over(&self) -> bool {
        self.next["gates"] == false && self.next["matrix"].as_array().unwrap().is_empty()
    }

    fn run_to_end(&mut self) {
        while !self.is_over() {
            let results = self.wave();
            self.settle(&results);
            assert!(self.step < 30, "it does not end: {:?}", self.story);
        }
    }

    /// Gives the exit code, the hand-off and the run's folder.
    fn summarize(&self) -> (i32, Handoff, PathBuf) {
        let out = self.bench.path("fanned-out");
        let head = self.next["head"].as_str().unwrap();
        let called = self.call("summarize", &["--out", out.to_str().unwrap(), "--head", head]);
        let handoff = fs::read(out.join("handoff.json"))
            .unwrap_or_else(|error| panic!("{error}\n{}{}", called.stdout, called.stderr));
        (called.code, Handoff::read(&handoff).unwrap(), out)
    }
}

/// Takes everything out of a hand-off that depends on clocks. Briefs of rework quote the output of gates, and test runners
/// write there how long they took.
fn untimed(mut handoff: Handoff) -> Value {
    let reworked = !handoff.rework.is_empty();
    handoff.started = String::new();
    handoff.duration_ms = 0;
    handoff.place.run = String::new();
    handoff.cost.subagent_ms = 0;
    for task in &mut handoff.tasks {
        for attempt in &mut task.attempts {
            (attempt.started_ms, attempt.ended_ms) = (0, 0);
            if reworked {
                attempt.brief_digest = implementer_model::ids::Digest::from_content("");
            }
        }
    }
    handoff.result.bundle_digest = None;
    let mut json = serde_json::to_value(handoff).unwrap();
    scrub(&mut json);
    json
}

fn scrub(json: &mut Value) {
    match json {
        Value::Object(map) => {
            for key in ["duration-ms", "output-digest", "output-tail", "place"] {
                map.remove(key);
            }
            map.values_mut().for_each(scrub);
        }
        Value::Array(items) => items.iter_mut().for_each(scrub),
        // Sentences about how long something took.
        Value::String(text) if text.contains(" ms") || text.contains(" s,") => text.clear(),
        _ => {}
    }
}

/// Runs the plan as jobs and in one place, and checks that both give the same.
#[track_caller]
fn same_as_in_one_place(bench: &Bench) -> (Handoff, Vec<String>, PathBuf) {
    let before = snapshot(&bench.repo());
    let mut fan_out = FanOut::begin(bench);
    fan_out.run_to_end();
    let (code, fanned, out) = fan_out.summarize();
    assert_eq!(snapshot(&bench.repo()), before, "the repository was touched");
    let ran = bench.run([]);
    let here = ran.handoff();
    assert_eq!(code, ran.called.code);
    assert_eq!(fanned.result.commit, here.result.commit);
    assert_eq!(fanned.result.tree, here.result.tree);
    let (fanned_json, here_json) = (untimed(fanned.clone()), untimed(here));
    if fanned_json != here_json {
        for (key, value) in fanned_json.as_object().unwrap() {
            assert_eq!(*value, here_json[key], "`{key}` differs");
        }
        panic!("the hand-offs differ");
    }
    bench.call(["verify", out.to_str().unwrap()]).expect(0);
    (fanned, fan_out.story, out)
}

#[test]
fn settling_opens_the_journals_of_two_states_and_syncs_the_new_one_once() {
    let bench = Bench::new();
    let mut fan_out = FanOut::begin(&bench);
    while !fan_out.is_over() {
        let results = fan_out.wave();
        let called = fan_out.settle_logging(&results, Some("backend_implementer::journal=debug"));
        let lines = |what: &str| {
            let of_a_run = |line: &&str| line.contains(what) && line.contains("journal.jsonl");
            called.stderr.lines().filter(of_a_run).count()
        };
        assert_eq!(lines("opened a journal"), 2, "{}", called.stderr);
        assert_eq!(lines("synced a journal"), 1, "{}", called.stderr);
    }
}

#[test]
fn as_jobs_a_plan_gives_the_same_as_in_one_place() {
    let bench = Bench::new();
    let (handoff, story, out) = same_as_in_one_place(&bench);
    assert_eq!(handoff.status, Status::Complete);
    assert_eq!(story, ["feature#1", "cli#1", "tests#1", "review#1", "validation#1", "gates"]);
    for file in ["summary.md", "report.html", "implementation.bundle", "tasks/feature/brief.md", "tasks/cli/patch.diff"]
    {
        assert!(out.join(file).is_file(), "{file}");
    }
}

/// A test of the base that fails once a file says `bug`.
pub(crate) const GUARD: &str = "import pathlib\nimport unittest\n\nclass Guard(unittest.TestCase):\n    def test_no_bug(self):\n        \
    found = [p for p in pathlib.Path('.').glob('*/*.py') if 'bug' in p.read_text()]\n        self.assertEqual(found, [])\n";

/// A plan on which one task fails, one leaves its scope, one is called again because of a conflict, and one breaks a test.
pub(crate) const TROUBLE: &str = "# Trouble\n\n## Infrastructure\nTouches: infra/**\n- a queue\n\n## Data Types\nTouches: types/**\n- a type\n\n\
     ## CLI\nTouches: src/a/**\n- greet\n\n## Feature\nTouches: src/*\n- say hello\n\n\
     ## Verification\n- tests: `python3 -m unittest -v`\n- validation: `git --version`\n";

/// What the subagents do to it.
pub(crate) fn trouble() -> Value {
    json!({
        "infrastructure#1": { "exit": 3 },
        "infrastructure#2": { "write": { "infra/queue.yml": "queue: {}\n" } },
        "data-types#1": { "write": { "types/user.py": "x = 1\n", "elsewhere.txt": "out of scope\n" } },
        "data-types#2": { "write": { "types/user.py": "bug\n" } },
        "data-types#3": { "write": { "types/user.py": "mended\n" } },
        "cli": { "write": { "src/a/greet.py": "x\n" } },
        "feature#1": { "write": { "src/a": "a file where a folder is\n" } },
        "feature#2": { "write": { "src/hello.py": "hello\n" } },
    })
}

#[test]
fn trouble_is_dealt_with_in_jobs_as_in_one_place() {
    let bench = Bench::new();
    bench.write(".backend-implementer/plan.md", TROUBLE);
    bench.write("test_guard.py", GUARD);
    bench.commit("trouble");
    bench.script(&trouble());
    let (handoff, story, _) = same_as_in_one_place(&bench);
    assert_eq!(handoff.status, Status::Complete);
    let outcome = |id: &str| {
        let record = handoff.tasks.iter().find(|record| record.id.as_str() == id).expect("a record");
        record.attempts.iter().map(|attempt| attempt.outcome).collect::<Vec<_>>()
    };
    assert_eq!(outcome("infrastructure"), [Outcome::Failed, Outcome::Passed]);
    assert_eq!(outcome("data-types"), [Outcome::OutOfScope, Outcome::Passed, Outcome::Passed]);
    assert_eq!(outcome("feature"), [Outcome::Conflicted, Outcome::Passed]);
    assert!(!handoff.rework.is_empty() && story.iter().filter(|job| *job == "gates").count() >= 2, "{story:?}");
}

#[test]
fn results_that_are_lost_foreign_late_double_or_wrong_have_each_an_answer() {
    let bench = Bench::new();
    let mut fan_out = FanOut::begin(&bench);
    let results = fan_out.wave();

    // A result of the first wave that comes again later, and one that nobody asked for.
    let first = bench.path("kept");
    copy_folder(&results, &first);
    fs::create_dir_all(results.join("stranger/nobody-1")).unwrap();
    // Two results of one attempt: none counts. One is cut off.
    copy_folder(&results.join("job-0"), &results.join("job-0-again"));
    let record = results.join("job-1/cli-1/result.jsonl");
    let whole = fs::read_to_string(&record).unwrap();
    fs::write(&record, &whole[..whole.len() - 40]).unwrap();
    let said = fan_out.settle(&results).stderr;
    assert!(said.contains("stranger: the result nobody-1 is foreign: no job of this run was asked for it"), "{said}");
    assert!(said.contains("feature#1: there are 2 results of it, in job-0 and job-0-again"), "{said}");
    assert!(said.contains("cli#1: its record is cut off after 2 of 3 entries"), "{said}");

    // A wave later the same folder is late; the result of that wave is lost.
    fan_out.step += 1;
    let said = fan_out.settle(&first).stderr;
    assert!(said.contains("job-0: the result feature-1 came late: that attempt was settled before"), "{said}");
    assert!(said.contains("tests#1: its job left no result: it is lost"), "{said}");

    fan_out.run_to_end();
    let (code, handoff, _) = fan_out.summarize();
    assert_eq!((code, handoff.status), (1, Status::Incomplete));
    let not_counted = handoff.findings.iter().filter(|finding| finding.code == FindingCode::ResultNotCounted);
    assert!(not_counted.count() >= 6, "{:#?}", handoff.findings);
}

#[test]
fn a_patch_that_was_tampered_with_is_not_integrated() {
    let bench = Bench::new();
    // Another patch of the same task, in the place of the one that the record tells of.
    let mut fan_out = FanOut::begin(&bench);
    let results = fan_out.wave();
    bench.script(&json!({ "feature": { "write": { "src/hello.py": "print('forged')\n" } } }));
    let mut other =
        FanOut { state: bench.path("state-0"), step: 50, story: Vec::new(), bench: &bench, next: fan_out.next.clone() };
    let forged = other.leg("feature#1", 0);
    fs::copy(forged.join("feature-1/patch.bundle"), results.join("job-0/feature-1/patch.bundle")).unwrap();
    // And a bundle that is damaged.
    let bundle = results.join("job-1/cli-1/patch.bundle");
    let mut bytes = fs::read(&bundle).unwrap();
    let end = bytes.len() - 30;
    bytes[end] ^= 0xff;
    fs::write(&bundle, bytes).unwrap();
    let said = fan_out.settle(&results).stderr;
    assert!(said.contains("feature#1: its patch is not the one that its record tells of"), "{said}");
    assert!(said.contains("cli#1: its patch cannot be read"), "{said}");
    assert!(!said.contains("Message {"), "no debug text of a library reaches a person: {said}");
    let head = fan_out.next["head"].as_str().unwrap();
    assert_eq!(head, bench.git(["rev-parse", "HEAD"]), "nothing is integrated");
}

#[test]
fn a_step_of_the_users_own_does_the_work_in_place_of_an_agent() {
    let bench = Bench::new();
    let mut fan_out = FanOut::begin(&bench);
    fan_out.step = 1;
    let (job, results) = (bench.path("job"), fan_out.path("results"));
    let job_text = job.to_str().unwrap().to_owned();
    for (tasks, slot) in [("feature#1", "a"), ("cli#1", "b")] {
        let prepared = fan_out.call("prepare", &["--tasks", tasks, "--job", &format!("{job_text}-{slot}")]).expect(0);
        let prepared: Value = serde_json::from_str(&prepared.stdout).unwrap();
        let path = |name: &str| PathBuf::from(prepared[0][name].as_str().unwrap());
        assert!(fs::read_to_string(path("brief")).unwrap().contains("## Requirements"));
        // The work tree is one that git knows.
        let status = bench.command("git").current_dir(path("worktree")).args(["status", "--short"]).output().unwrap();
        assert!(status.status.success() && status.stdout.is_empty(), "{status:?}");
        let file = if slot == "a" { "src/own.py" } else { "cli/own.py" };
        fs::create_dir_all(path("worktree").join(file).parent().unwrap()).unwrap();
        fs::write(path("worktree").join(file), "own = 1\n").unwrap();
        let id = tasks.replace("#1", "-1");
        let report = json!({ "version": 1, "status": "completed", "summary": "done by a step",
                             "requirements": [{ "id": id, "status": "done" }] });
        fs::write(path("report"), report.to_string()).unwrap();
    }
    let collect = |tasks: &str, slot: &str, failed: &[&str]| {
        let (job, to) = (format!("{job_text}-{slot}"), results.join(slot));
        let mut further = vec!["--tasks", tasks, "--job", &job, "--results", to.to_str().unwrap()];
        further.extend(failed);
        fan_out.call("collect", &further)
    };
    let done = collect("feature#1", "a", &[]).expect(0);
    assert!(done.stdout.starts_with("feature#1: passed"), "{}", done.stdout);
    // A step that failed is a failed attempt, whatever it reported.
    let failed = collect("cli#1", "b", &["--failed"]).expect(1);
    assert!(failed.stdout.starts_with("cli#1: failed"), "{}", failed.stdout);
    fan_out.settle(&results);
    // What failed gets one more attempt before anybody else is called.
    assert_eq!(fan_out.next["matrix"][0]["tasks"], "cli#2");
}

#[test]
fn what_is_not_due_is_refused_and_the_message_says_what_is() {
    let bench = Bench::new();
    let fan_out = FanOut::begin(&bench);
    let (first, second) = (bench.path("job-a"), bench.path("job-b"));
    let job = first.to_str().unwrap();
    let refused = fan_out.call("prepare", &["--tasks", "tests#1", "--job", job]).expect(2);
    assert!(
        refused.stderr.contains("`tests#1` is not what comes next: due: `feature#1`, `cli#1`"),
        "{}",
        refused.stderr
    );
    let refused = fan_out.call("gate", &["--job", job]).expect(2);
    assert!(refused.stderr.contains("`gates` is not what comes next"), "{}", refused.stderr);
    let refused = fan_out.call("prepare", &["--tasks", "feature", "--job", job]).expect(2);
    assert!(refused.stderr.contains("write it as TASK#ATTEMPT"), "{}", refused.stderr);
    let job = second.to_str().unwrap();
    let refused = fan_out.call("prepare", &["--tasks", "feature#1", "--job", job, "--lock", "000000000000"]).expect(2);
    assert!(refused.stderr.contains("000000000000 was approved"), "{}", refused.stderr);
    let results = bench.path("none");
    fs::create_dir(&results).unwrap();
    let (results, out) = (results.to_str().unwrap(), bench.path("out"));
    let wrong =
        ["--results", results, "--out", out.to_str().unwrap(), "--head", "0123456789012345678901234567890123456789"];
    let refused = fan_out.call("settle", &wrong).expect(3);
    assert!(refused.stderr.contains("the same base and patches must give the same"), "{}", refused.stderr);
}

/// "Re-run failed jobs": the job of one attempt runs again, what the others made stands, and receipts for another tree
/// do not count.
#[test]
fn a_job_that_runs_again_changes_nothing_for_the_others() {
    let bench = Bench::new();
    let mut fan_out = FanOut::begin(&bench);
    let begin = (fan_out.state.clone(), fan_out.next.clone());
    let results = fan_out.wave();
    let lost = bench.path("lost-job");
    fs::rename(results.join("job-1"), &lost).unwrap();
    fan_out.settle(&results);
    fan_out.run_to_end();
    let receipts = bench.path(&format!("results-{}", fan_out.step)).join("gates");
    assert!(receipts.is_dir(), "the last wave is that of the gates");

    // The job of `cli` runs again: attempt 2 of the workflow, attempt 1 of the task.
    (fan_out.state, fan_out.next) = begin;
    fan_out.step = 20;
    fs::create_dir_all(fan_out.path("results")).unwrap();
    let again = fan_out.leg("cli#1", 1);
    copy_folder(&results.join("job-0"), &again.parent().unwrap().join("job-0"));
    fan_out.story.clear();
    let results = again.parent().unwrap().to_owned();
    fan_out.settle(&results);
    while fan_out.next["gates"] == false {
        let results = fan_out.wave();
        fan_out.settle(&results);
    }
    assert!(!fan_out.story.contains(&"feature#1".to_owned()), "{:?}", fan_out.story);
    // The receipts of before are for another tree.
    fan_out.step += 1;
    let old = fan_out.path("results");
    copy_folder(&receipts, &old.join("old"));
    let (state, next) = (fan_out.state.clone(), fan_out.next.clone());
    let said = fan_out.settle(&old).stderr;
    assert!(said.contains("old: the receipts of the gates do not count: they are for the tree"), "{said}");
    (fan_out.state, fan_out.next) = (state, next);
    fan_out.run_to_end();
    let (code, handoff, _) = fan_out.summarize();
    assert_eq!((code, handoff.status), (0, Status::Complete));
}

/// Everything by which a repository can name a program that git runs for it.
fn hostile(bench: &Bench, canary: &Path) {
    let evil = bench.path("evil.sh");
    fs::write(&evil, format!("#!/bin/sh\necho \"$0 $*\" >> {}\ncat\n", canary.display())).unwrap();
    make_executable(&evil);
    let hooks = bench.repo().join("hooks");
    fs::create_dir_all(&hooks).unwrap();
    for hook in ["post-checkout", "post-index-change", "pre-commit", "pre-push", "reference-transaction", "post-merge"]
    {
        fs::copy(&evil, hooks.join(hook)).unwrap();
        fs::copy(&evil, bench.repo().join(".git/hooks").join(hook)).unwrap();
    }
    // In the tree of the base: what a pull request can bring.
    bench.write(".gitattributes", "* filter=evil diff=evil merge=evil\n");
    bench.commit("a hostile tree");
    // In its configuration, that of whoever runs it, and what those include.
    let evil = evil.display();
    let settings = format!(
        "[filter \"evil\"]\n\tclean = {evil}\n\tsmudge = {evil}\n\tprocess = {evil}\n\trequired = true\n\
         [diff]\n\texternal = {evil}\n[diff \"evil\"]\n\ttextconv = {evil}\n\tcommand = {evil}\n\
         [merge \"evil\"]\n\tdriver = {evil}\n\
         [core]\n\tfsmonitor = {evil}\n\thooksPath = {}\n\tsshCommand = {evil}\n\taskPass = {evil}\n\tpager = {evil}\n\t\
         editor = {evil}\n\talternateRefsCommand = {evil}\n[uploadpack]\n\tpackObjectsHook = {evil}\n\
         [gpg]\n\tprogram = {evil}\n[commit]\n\tgpgSign = true\n[credential]\n\thelper = !{evil}\n[protocol \"ext\"]\n\tallow = always\n",
        hooks.display()
    );
    fs::write(bench.path("included"), &settings).unwrap();
    let mut config = fs::read_to_string(bench.repo().join(".git/config")).unwrap();
    config.push_str(&format!("{settings}[include]\n\tpath = {}\n", bench.path("included").display()));
    fs::write(bench.repo().join(".git/config"), config).unwrap();
    fs::write(bench.path("home/.gitconfig"), &settings).unwrap();
}

fn make_executable(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn the_writer_runs_nothing_of_a_hostile_repository() {
    let bench = Bench::new();
    let canary = bench.path("canary");
    // The writer finds git on its path, and nothing else; every call is written down.
    let (bin, calls) = (bench.path("bin"), bench.path("calls"));
    fs::create_dir_all(&bin).unwrap();
    let found = bench.command("sh").args(["-c", "command -v git"]).output().unwrap();
    let git = String::from_utf8(found.stdout).unwrap();
    let shim = format!("#!/bin/sh\necho \"$*\" >> {}\nexec {} \"$@\"\n", calls.display(), git.trim());
    fs::write(bin.join("git"), shim).unwrap();
    make_executable(&bin.join("git"));
    hostile(&bench, &canary);
    // It is hostile: git itself runs what it names.
    let _ = bench.command("git").args(["status"]).output().unwrap();
    assert!(canary.exists(), "the trap works");

    let mut fan_out = FanOut::begin(&bench);
    while !fan_out.is_over() {
        let results = fan_out.wave();
        let _ = fs::remove_file(&canary);
        fan_out.settle(&results);
        assert!(!canary.exists(), "settle ran {}", fs::read_to_string(&canary).unwrap());
    }
    let out = bench.path("fanned-out");
    let mut writer =
        bench.program(["summarize", "--state", fan_out.state.to_str().unwrap(), "--out", out.to_str().unwrap()]);
    let written = Called::of(writer.env("PATH", &bin).output().unwrap());
    assert!(!canary.exists(), "the writer ran {}", fs::read_to_string(&canary).unwrap());
    let handoff = Handoff::read(&fs::read(out.join("handoff.json")).unwrap()).unwrap();
    assert_eq!(handoff.result.commits.len(), 2, "{}{}", written.stdout, written.stderr);

    // What git was asked for: to take a bundle, to write one, to show patches. No work tree, no merge, no checkout.
    let calls = fs::read_to_string(&calls).unwrap();
    let mut asked: Vec<_> = calls.lines().map(|line| verb(line).to_owned()).collect();
    asked.sort();
    asked.dedup();
    assert_eq!(asked, ["bundle", "diff-tree", "fetch", "version"], "{calls}");
    assert!(calls.lines().all(|line| line.contains("core.hooksPath=/dev/null")), "{calls}");
}

/// Returns what a git command does: its first word that is no option and no value of one.
fn verb(line: &str) -> &str {
    let mut words = line.split(' ');
    loop {
        match words.next() {
            Some("-c" | "-C") => drop(words.next()),
            Some(word) if word.starts_with('-') => {}
            word => return word.unwrap_or_default(),
        }
    }
}

/// Forty results, of which each is a file, and whose tasks share jobs.
#[test]
fn many_results_are_taken_in_at_once() {
    const COUNT: usize = 40;
    let bench = Bench::new();
    let mut plan = "# Many\n".to_owned();
    for number in 1..=COUNT {
        plan += &format!("\n## Feature {{#part-{number}}}\nTouches: src/part{number}/**\n- part {number}\n");
    }
    plan += "\n## Verification\n- tests: `true`\n- validation: `true`\n";
    bench.write(".backend-implementer/plan.md", &plan);
    bench.commit("plan");
    let mut fan_out = FanOut::begin(&bench);
    fan_out.step = 1;
    let legs = fan_out.next["matrix"].as_array().unwrap().clone();
    assert!(legs.len() <= 16, "they share jobs");
    for leg in &legs {
        let (tasks, slot) = (leg["tasks"].as_str().unwrap(), leg["slot"].to_string());
        let (job, results) = (bench.path("job"), fan_out.path("results").join(slot));
        let (job_text, results) = (job.to_str().unwrap(), results.to_str().unwrap());
        let prepared = fan_out.call("prepare", &["--tasks", tasks, "--job", job_text]).expect(0);
        for attempt in serde_json::from_str::<Value>(&prepared.stdout).unwrap().as_array().unwrap() {
            let task = attempt["attempt"].as_str().unwrap().trim_end_matches("#1");
            let folder = format!("src/{}", task.replace("part-", "part"));
            let folder = Path::new(attempt["worktree"].as_str().unwrap()).join(folder);
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("x.py"), task).unwrap();
            let report = json!({ "version": 1, "status": "completed", "summary": "done",
                                 "requirements": [{ "id": format!("{task}-1"), "status": "done" }] });
            fs::write(attempt["report"].as_str().unwrap(), report.to_string()).unwrap();
        }
        fan_out.call("collect", &["--tasks", tasks, "--job", job_text, "--results", results]).expect(0);
        fs::remove_dir_all(&job).unwrap();
    }
    let results = fan_out.path("results");
    fan_out.settle(&results);
    let (_, handoff, _) = fan_out.summarize();
    assert_eq!(handoff.result.commits.len(), COUNT);
}

/// The time limit of the whole run ends what is still open; what was finished before it is not lost.
#[test]
fn a_run_that_takes_too_long_keeps_what_was_finished() {
    let bench = Bench::new();
    let config = fs::read_to_string(bench.repo().join(".github/backend-implementer.yml")).unwrap();
    bench.write(".github/backend-implementer.yml", &format!("{config}limits:\n  run-minutes: 60\n"));
    bench.commit("a limit");
    let mut fan_out = FanOut::begin(&bench);
    for _ in 0..2 {
        let results = fan_out.wave();
        fan_out.settle(&results);
    }
    let results = fan_out.wave();
    // Hours go by.
    let frozen = fan_out.state.join("frozen.json");
    let mut json: Value = serde_json::from_str(&fs::read_to_string(&frozen).unwrap()).unwrap();
    json["began"] = "2026-01-01T00:00:00.000Z".into();
    fs::write(&frozen, json.to_string()).unwrap();
    let head = fan_out.next["head"].clone();
    fan_out.settle(&results);
    assert!(fan_out.is_over(), "nothing new begins: {}", fan_out.next);
    assert_eq!(fan_out.next["head"], head, "what was integrated stands");
    let (code, handoff, _) = fan_out.summarize();
    assert_eq!((code, handoff.status, handoff.result.commits.len()), (130, Status::Cancelled, 2));
    assert!(handoff.findings.iter().any(|finding| finding.code == FindingCode::RunTimedOut), "{:#?}", handoff.findings);
    let review = handoff.tasks.iter().find(|record| record.id.as_str() == "review").unwrap();
    assert_eq!(review.outcome, Outcome::Passed, "it came in time");
}
