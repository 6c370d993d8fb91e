//! The layout `one-job` on the fake GitHub: `plan`, the working job with its shell as the runner starts it, `summarize`.
//! Each obstacle that trying it by hand had found is one test here.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use implementer_model::{
    handoff::{Handoff, Status},
    ids::Digest,
    record::Record,
    yaml,
};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::support::{
    Called, PLAN, PROGRAM,
    action::{Acted, NUMBER, Stage},
    github::artifacts::Stored,
    is_alive,
};

const RUN: u64 = 500;

/// What the tests add to the configuration.
const WORKFLOW: &str = "pass-environment: [MODEL_KEY]\nworkflow:\n  action: acme/implementer@0123456789012345678901234567890123456789\n  \
                        secrets: [MODEL_KEY]\n";

/// One run in the layout `one-job`.
pub(crate) struct OneJob {
    pub(crate) stage: Stage,
    payload: Value,
    lock: String,
    state: String,
    /// The command line of the step `Work`, as it was generated.
    command: String,
}

impl OneJob {
    pub(crate) fn begin(script: &Value) -> Self {
        Self::begin_with(script, "")
    }

    fn begin_with(script: &Value, further: &str) -> Self {
        let stage = Stage::new("Please.", &[(".backend-implementer/plan.md", PLAN)]);
        let config = fs::read_to_string(stage.bench.repo().join(".github/backend-implementer.yml")).unwrap();
        stage.push_to_base(&[(".github/backend-implementer.yml", &format!("{config}{WORKFLOW}{further}"))]);
        if !script.is_null() {
            stage.bench.script(script);
        }
        Self::on(stage)
    }

    /// Begins one on a pull request that has a plan, and whose base branch has a configuration with a workflow.
    pub(crate) fn on(stage: Stage) -> Self {
        stage.bench.git(["checkout", "--quiet", "main"]);
        stage.bench.call(["generate"]).expect(0);
        let workflow = stage.bench.repo().join(".github/workflows/backend-implementer.yml");
        let workflow = yaml::mapping(&fs::read_to_string(&workflow).unwrap()).unwrap();
        stage.bench.git(["checkout", "--quiet", "topic"]);
        let steps = workflow["jobs"]["work"]["steps"].as_array().unwrap();
        let work = steps.iter().find(|step| step["name"] == "Work").unwrap();
        let command = work["run"].as_str().unwrap().to_owned();

        stage.happened("opened").expect(0);
        let body = stage.github.only_comment_of(NUMBER, "github-actions[bot]").body;
        let (_, rest) = body.split_once("\n/implement ").expect("a lock");
        let shown = rest.lines().next().unwrap().to_owned();
        let payload = stage.github.event_comment(NUMBER, "ada", &format!("/implement {shown}"));
        stage.one_run.set(Some(RUN));
        let begun = stage.act("issue_comment", &payload, &[("fan-out", "true"), ("layout", "one-job")]).expect(0);
        let (lock, state) = (begun.output("lock").to_owned(), begun.output("state").to_owned());
        Self { stage, payload, lock, state, command }
    }

    fn act(&self, command: &str, further: &[(&str, &str)]) -> Acted {
        let mut inputs = vec![("command", command), ("state", &self.state), ("lock", &self.lock)];
        inputs.extend_from_slice(further);
        self.stage.act("issue_comment", &self.payload, &inputs)
    }

    fn temp(&self) -> PathBuf {
        self.stage.bench.path(&format!("run-{RUN}")).join("temp")
    }

    fn kept(&self) -> PathBuf {
        self.temp().join("backend-implementer/work/kept")
    }

    pub(crate) fn prepare(&self) {
        self.try_prepare().expect(0);
    }

    pub(crate) fn try_prepare(&self) -> Acted {
        self.act("prepare", &[("tasks", "all")])
    }

    /// Starts the step `Work` as the runner does: the script in a file, and `bash -e` with it.
    fn begin_work(&self, command: &str) -> Child {
        let script = self.stage.bench.path("step.sh");
        fs::write(&script, command).unwrap();
        let mut shell: Command = self.stage.bench.command("bash");
        shell.args(["-e", script.to_str().unwrap()]);
        shell.env("RUNNER_TEMP", self.temp()).env("LOCK", &self.lock).env("MODEL_KEY", "model-key-of-this-step");
        shell.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    pub(crate) fn work(&self) -> Called {
        Called::of(self.begin_work(&self.command).wait_with_output().unwrap())
    }

    /// Uploads what the working job kept, as the step after it does. Gives what its output says.
    pub(crate) fn keep(&self) -> String {
        self.upload(&self.kept(), &format!("backend-implementer-work-attempt-{}", self.stage.attempt.get()))
    }

    fn upload(&self, folder: &Path, name: &str) -> String {
        let zip = zip_of(folder);
        let digest = Digest::from_content(&zip);
        let mut state = self.stage.github.state();
        let id = 5_000 + state.artifacts.len() as u64;
        state.artifacts.insert(id, Stored { name: name.to_owned(), run: RUN, zip, ..Stored::default() });
        format!("{id}:{}", digest.hex())
    }

    pub(crate) fn summarize(&self, work: &str, result: &str) -> Acted {
        self.act("summarize", &[("work", work), ("work-result", result), ("out", &format!("out-{}", self.outs()))])
    }

    /// Counts the folders of summaries, so that each has its own.
    fn outs(&self) -> usize {
        let workspace = self.stage.bench.path(&format!("run-{RUN}")).join("workspace");
        fs::read_dir(workspace).map_or(0, Iterator::count)
    }

    pub(crate) fn comment(&self) -> String {
        self.stage.github.only_comment_of(NUMBER, "github-actions[bot]").body
    }
}

fn handoff(acted: &Acted) -> Handoff {
    Handoff::read(&fs::read(acted.workspace.join(acted.output("handoff-path"))).unwrap()).unwrap()
}

/// Packs the files of a folder of files.
fn zip_of(folder: &Path) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(&fs::read(path).unwrap()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[test]
fn three_jobs_in_a_row_give_what_a_run_in_one_place_gives() {
    let run = OneJob::begin(&Value::Null);
    run.prepare();
    run.work().expect(0);
    let end = run.summarize(&run.keep(), "success").expect(0);
    assert_eq!(end.output("status"), "complete");
    let comment = run.comment();
    assert!(comment.contains("## Backend Implementation Complete"), "{comment}");
    assert!(comment.contains(" --name backend-implementer-run-attempt-1 --dir "), "{comment}");
    assert_eq!(end.summary.matches("## Backend Implementation Complete").count(), 1);
    let fanned = handoff(&end);
    assert!(fanned.findings.iter().all(|finding| !finding.message.contains("counts")), "{:#?}", fanned.findings);
    assert_eq!(fanned.resumptions, 0);
    assert!(
        fanned.gates.iter().all(|gate| gate.place.beside_subagents),
        "whose word the receipts are: {:?}",
        fanned.gates
    );
    // Nothing of ours is in the workspace, which a checkout may empty at any time.
    assert!(!end.workspace.join(".backend-implementer/job").exists());
    let checks = run.stage.github.state().checks.clone();
    assert!(checks.iter().all(|check| check.status == "completed"), "{checks:#?}");

    run.stage.one_run.set(None);
    let here = run.stage.say("ada", &format!("/implement {}", run.lock)).expect(0);
    let in_one_place = handoff(&here);
    assert_eq!(fanned.result.commit, in_one_place.result.commit);
    assert_eq!(fanned.lock, in_one_place.lock);
}

#[test]
fn a_writer_takes_nothing_but_records_and_objects_from_where_subagents_ran() {
    let run = OneJob::begin(&Value::Null);
    run.prepare();
    run.work().expect(0);
    // The state that the working job had, with another pull request and another approver in it, among what it kept.
    let frozen = run.temp().join("backend-implementer/state/frozen.json");
    let frozen = fs::read_to_string(frozen).unwrap();
    let changed = frozen.replace("\"number\": 7", "\"number\": 8").replace("\"ada\"", "\"eve\"");
    assert_ne!(frozen, changed);
    fs::write(run.kept().join("frozen.json"), changed).unwrap();
    let end = run.summarize(&run.keep(), "success").expect(0);
    assert_eq!(end.output("status"), "complete");
    let about = handoff(&end).provenance;
    assert_eq!(about.pull_request.unwrap().number, NUMBER);
    assert_eq!(about.approval.unwrap().by, "ada");
    let state = run.stage.github.state();
    assert!(state.comments.iter().all(|comment| comment.number == NUMBER), "nothing is posted elsewhere");
    drop(state);

    // Records of another run do not count at all, and the summary says so.
    let other = OneJob::begin(&Value::Null);
    let binding = other.upload(&run.kept(), "backend-implementer-work-attempt-1");
    let end = other.summarize(&binding, "success").expect(1);
    let comment = other.comment();
    assert!(comment.contains("nothing of the work counts: it is of another run"), "{comment}");
    assert_eq!(end.output("status"), "incomplete");
}

#[test]
fn the_shell_of_the_step_is_gone_when_a_subagent_runs() {
    let fact = "import os,pathlib\np=os.getppid()\nseen=[]\nwhile p>1:\n    s=pathlib.Path(f'/proc/{p}/stat').read_text()\n    \
                seen.append(pathlib.Path(f'/proc/{p}/comm').read_text().strip())\n    if seen[-1].startswith(('bash','sh')):\n        \
                break\n    if seen[-1].startswith('backend-imp') and len(seen)>6:\n        break\n    p=int(s.rsplit(')',1)[1].split()[1])\n\
                pathlib.Path('PLACE').write_text('\\n'.join(seen))\n";
    let run = OneJob::begin(&Value::Null);
    let place = run.stage.bench.path("ancestors");
    let fact = fact.replace("PLACE", place.to_str().unwrap());
    run.stage.bench.script(&json!({
        "feature": { "write": { "src/hello.py": "print('hello')\n" }, "run": ["python3", "-c", fact] },
        "cli": { "write": { "cli/greet.py": "print('greet')\n" } },
    }));
    run.prepare();
    let child = run.begin_work(&run.command);
    let pid = child.id();
    let ended = child.wait_with_output().unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    assert!(pid > 0);
    let ancestors = fs::read_to_string(place).unwrap();
    let until_us: Vec<_> = ancestors.lines().take_while(|name| !name.starts_with("it-")).collect();
    assert!(until_us.iter().any(|name| name.starts_with("backend-imp")), "{ancestors}");
    assert!(!until_us.contains(&"bash"), "a shell with the step's secrets in its environment is there: {ancestors}");
}

#[test]
fn a_cancel_reaches_the_work_and_what_is_finished_is_kept() {
    let run = OneJob::begin(&Value::Null);
    let fifo = run.stage.fifo("started");
    run.stage.bench.script(&json!({
        "feature": { "write": { "src/hello.py": "print('hello')\n" } },
        "cli": { "hang": true, "announce": fifo.to_str().unwrap() },
    }));
    run.prepare();
    let child = run.begin_work(&run.command);
    let pids = fs::read_to_string(&fifo).unwrap();
    let shell = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    // The runner signals the process that it started, and no other.
    kill_process(shell, Signal::INT).unwrap();
    let ended = Called::of(child.wait_with_output().unwrap());
    assert_eq!(ended.code, 130, "{}", ended.stderr);
    assert!(pids.split_whitespace().all(|pid| !is_alive(pid)), "nothing is left running: {pids}");
    let end = run.act(
        "summarize",
        &[("work", &run.keep()), ("work-result", "cancelled"), ("cancelled", "true"), ("out", "cancelled")],
    );
    assert_eq!(end.output("status"), "cancelled");
    assert!(run.comment().contains("cancelled"), "{}", run.comment());
}

#[test]
fn without_what_the_work_kept_the_summary_says_so_in_words() {
    for (result, said) in [
        ("failure", "ended before everything was done"),
        ("cancelled", "ran out of time"),
        ("skipped", "did not run"),
        ("success", "kept nothing"),
    ] {
        let run = OneJob::begin(&Value::Null);
        assert!(run.comment().contains("Implementation Running"));
        let end = run.summarize("", result).expect(1);
        assert_eq!(end.output("status"), "incomplete");
        let comment = run.comment();
        assert!(comment.contains("## Backend Implementation Incomplete") && comment.contains(said), "{comment}");
        let state = run.stage.github.state();
        assert!(state.checks.iter().all(|check| check.status == "completed"), "{:#?}", state.checks);
    }
    // Nor does an artifact that is another than its job said.
    let run = OneJob::begin(&Value::Null);
    run.prepare();
    run.work().expect(0);
    let binding = run.keep();
    let id: u64 = binding.split_once(':').unwrap().0.parse().unwrap();
    run.stage.github.state().artifacts.get_mut(&id).unwrap().zip.push(0);
    run.summarize(&binding, "success").expect(1);
    assert!(run.comment().contains("tampered with"), "{}", run.comment());
    // And when not even what was approved is there, nothing stays in progress.
    let id: u64 = run.state.split_once(':').unwrap().0.parse().unwrap();
    run.stage.github.state().artifacts.remove(&id);
    let other = OneJob::begin(&Value::Null);
    let id: u64 = other.state.split_once(':').unwrap().0.parse().unwrap();
    other.stage.github.state().artifacts.remove(&id);
    other.summarize("", "failure").expect(3);
    assert!(!other.comment().contains("Implementation Running"), "{}", other.comment());
}

#[test]
fn a_wave_that_was_integrated_survives_a_kill_of_the_work() {
    let run = OneJob::begin(&Value::Null);
    let fifo = run.stage.fifo("started");
    run.stage.bench.script(&json!({
        "feature": { "write": { "src/hello.py": "print('hello')\n" } },
        "cli": { "write": { "cli/greet.py": "print('greet')\n" } },
        "tests": { "hang": true, "announce": fifo.to_str().unwrap() },
    }));
    run.prepare();
    let mut child = run.begin_work(&run.command);
    fs::read_to_string(&fifo).unwrap();
    // Packing goes on beside the next wave: until the journal, which comes after its bundle, names both attempts as ended,
    // nothing is killed.
    let ended = || {
        let records = backend_implementer::journal::read(&run.kept().join("journal.jsonl")).unwrap();
        records.iter().filter(|(_, record)| matches!(record, Record::Ended(_))).count()
    };
    while ended() < 2 {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert!(run.kept().join("objects.bundle").is_file(), "no journal names a patch that is not beside it");
    let shell = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    kill_process(shell, Signal::KILL).unwrap();
    child.wait().unwrap();
    let end = run.summarize(&run.keep(), "failure").expect(1);
    let handoff = handoff(&end);
    let tasks: Vec<_> = handoff.result.commits.iter().map(|commit| commit.task.to_string()).collect();
    assert_eq!(tasks.len(), 2, "the wave before counts: {tasks:?}\n{}", run.comment());
}

#[test]
fn a_second_attempt_does_what_did_not_pass_and_nothing_else() {
    let run = OneJob::begin_with(&Value::Null, "rework-rounds: 0\n");
    let counted = |name: &str| run.stage.bench.path(name);
    let count = |name: &str| json!(["sh", "-c", format!("echo x >> '{}'", counted(name).display())]);
    let script = |code: i32| {
        json!({
            "feature": { "write": { "src/hello.py": "print('hello')\n" }, "run": count("feature") },
            "cli": { "write": { "cli/greet.py": "print('greet')\n" }, "run": count("cli"), "exit": code },
        })
    };
    run.stage.bench.script(&script(1));
    run.prepare();
    // Red, or else there would be nothing that GitHub offers to run again.
    run.work().expect(1);
    run.summarize(&run.keep(), "failure").expect(1);
    assert!(run.comment().contains("## Backend Implementation Incomplete"), "{}", run.comment());

    run.stage.attempt.set(2);
    run.stage.bench.script(&script(0));
    run.prepare();
    run.work().expect(0);
    let end = run.summarize(&run.keep(), "success").expect(0);
    assert_eq!(end.output("status"), "complete");
    let calls = |name: &str| fs::read_to_string(counted(name)).unwrap().lines().count();
    assert_eq!(calls("feature"), 1, "what passed is not called again");
    assert!(calls("cli") >= 2);
    let comment = run.comment();
    assert!(comment.contains("## Backend Implementation Complete"), "{comment}");
    let state = run.stage.github.state();
    let overall: Vec<_> = state.checks.iter().filter(|check| check.name == "Backend Implementer").collect();
    assert_eq!(overall.len(), 1, "one check run for the run, whatever its attempt");
    assert_eq!(overall[0].conclusion.as_deref(), Some("success"), "{overall:#?}");
}

#[test]
fn a_claim_lives_as_long_as_its_run_whatever_the_attempt() {
    let run = OneJob::begin(&Value::Null);
    // Somebody runs the failed jobs of the run again: it is at work, in its second attempt.
    run.stage.github.state().runs.insert(RUN, ("in_progress".to_owned(), 2));
    run.stage.one_run.set(Some(RUN + 1));
    let other = run.stage.act("issue_comment", &run.payload, &[("fan-out", "true"), ("layout", "one-job")]);
    assert_ne!(other.called.code, 0, "the first run is still at work");
    assert_eq!(other.output("status"), "refused");
    // All jobs of the run again: it does not stand in its own way.
    run.stage.one_run.set(Some(RUN));
    run.stage.attempt.set(2);
    run.stage.act("issue_comment", &run.payload, &[("fan-out", "true"), ("layout", "one-job")]).expect(0);
}

#[test]
fn work_stops_in_time_to_keep_what_is_finished() {
    let run = OneJob::begin(&json!({
        "feature": { "write": { "src/hello.py": "print('hello')\n" } },
        "cli": { "hang": true },
    }));
    run.prepare();
    let command = run.command.replace("--end-after 330m", "--end-after 1s");
    assert_ne!(command, run.command);
    let ended = Called::of(run.begin_work(&command).wait_with_output().unwrap()).expect(1);
    assert!(ended.stderr.contains("time of this job ran out"), "{}", ended.stderr);
    let end = run.summarize(&run.keep(), "failure").expect(1);
    assert_eq!(handoff(&end).status, Status::Incomplete);
    assert!(run.comment().contains("ended before everything was done"), "{}", run.comment());
}

#[test]
fn an_output_that_a_subagent_changed_does_not_keep_the_summary_from_being_posted() {
    let run = OneJob::begin(&Value::Null);
    run.prepare();
    run.work().expect(0);
    let work = run.keep();
    let wrong = "1111111111111111111111111111111111111111";
    let end = run.act("summarize", &[("work", &work), ("work-result", "success"), ("head", wrong)]);
    let comment = run.comment();
    assert!(!comment.contains("Implementation Running"), "{comment}");
    let said = handoff(&end).findings.iter().any(|finding| finding.message.contains(wrong));
    assert!(said, "what does not agree is said: {comment}");
    // Nor one that names no artifact.
    let end = run.act("summarize", &[("work", "::error::x"), ("work-result", "success"), ("out", "again")]).expect(1);
    assert_eq!(end.output("status"), "incomplete");
    assert!(run.comment().contains("names no artifact"), "{}", run.comment());
}

#[test]
fn final_gates_are_run_once_more_where_nothing_of_the_subagents_ever_ran() {
    let run = OneJob::begin_with(&Value::Null, "  repeat-gates: true\n");
    run.prepare();
    run.work().expect(0);
    let work = run.keep();
    let gates = |slot: &str| json!({ "slot-0": slot }).to_string();
    let with = |results: &str, out: &str| {
        let inputs = [("work", work.as_str()), ("work-result", "success"), ("results", results)];
        run.act("summarize", &[&inputs[..], &[("wave", "gates"), ("out", out)]].concat())
    };
    // A job of the gates that left nothing is not a passed one, whatever the working job says.
    let end = with(&gates(""), "none").expect(1);
    assert_eq!(end.output("status"), "incomplete", "{}", run.comment());

    run.act("prepare", &[("tasks", "gates"), ("work", &work)]).expect(0);
    let workspace = run.stage.bench.path(&format!("run-{RUN}")).join("workspace");
    let job = ".backend-implementer/job";
    let mut called = run.stage.bench.command(PROGRAM);
    called.current_dir(&workspace).args(["gate", "--lock", &run.lock, "--job", job]);
    called.args(["--state", &format!("{job}/state"), "--repo", &format!("{job}/repository.git")]);
    Called::of(called.output().unwrap()).expect(0);
    let collected = run.act("collect", &[("tasks", "gates"), ("slot", "0"), ("wave", "gates"), ("work", &work)]);
    let said = collected.expect(0).output("slot-0").to_owned();
    let end = with(&gates(&said), "passed").expect(0);
    assert_eq!(end.output("status"), "complete", "{}", run.comment());
    assert!(handoff(&end).gates.iter().all(|gate| !gate.place.beside_subagents), "nobody but the gates was there");
}

#[test]
fn a_workflow_of_an_earlier_shape_is_told_how_to_change() {
    let run = OneJob::begin(&Value::Null);
    run.stage.one_run.set(Some(RUN));
    run.stage.attempt.set(2);
    let begun = run.stage.act("issue_comment", &run.payload, &[("fan-out", "true")]).expect(0);
    let log = &begun.called.stdout;
    assert!(log.contains("generated by an earlier version") && log.contains("backend-implementer generate"), "{log}");
    run.stage.attempt.set(3);
    let begun = run.stage.act("issue_comment", &run.payload, &[("fan-out", "true"), ("layout", "one-job")]).expect(0);
    assert!(!begun.called.stdout.contains("earlier version"), "{}", begun.called.stdout);
}
