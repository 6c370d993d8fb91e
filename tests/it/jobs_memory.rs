//! What the jobs of a fan-out need in memory does not follow from how much the results hold.
//!
//! Measured is the peak of the resident memory, mapped files included, of the program and of every git process that it
//! calls; whichever is the largest counts. No clock is looked at.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use backend_implementer::{
    coordinator::commit_message,
    journal,
    workspace::{
        bundle,
        store::{Base, RunStore},
    },
};
use implementer_model::{
    handoff::Handoff,
    ids::{Digest, ObjectId, RequirementId},
    lock::Lock,
    record::Record,
    schedule::Schedule,
};
use serde_json::{Value, json};

use crate::support::Bench;

/// How large the file of each result is: more than the half MiB up to which git takes a file for text, and keeps it whole.
const FILE_BYTES: usize = 640 * 1024;

/// How much more memory a job may need for 256 results than for 16, in KiB. The results themselves are 150 MiB more; what
/// plan, schedule, briefs and records of 240 more tasks take is 90 to 180 KiB each, most of it while briefs are at hand.
const FURTHER_MAX: u64 = 32 * 1024;

/// How much memory a job may need, in KiB. A debug build's own code is 36 MiB of it.
const PEAK_MAX: u64 = 96 * 1024;

/// Prints what `git fast-import` makes a commit for each part of, on the commit that is named: a file of random
/// bytes, the same each time. There is no zero among them, so that git takes it for text, and no line break.
const COMMITS: &str = "import random, sys\nout = sys.stdout.buffer\nplain = bytes.maketrans(b'\\0\\n', b'01')\n\
    for part in range(1, int(sys.argv[1]) + 1):\n    content = random.Random(part).randbytes(int(sys.argv[3])).translate(plain)\n    \
    out.write(b'commit refs/made/part-%d\\ncommitter T <t@example.invalid> 1 +0000\\ndata 0\\nfrom %s\\n' % (part, sys.argv[2].encode()))\n    \
    out.write(b'M 100644 inline src/part%d/x.txt\\ndata %d\\n' % (part, len(content)))\n    out.write(content + b'\\n')\n";

/// The peaks of a fan-out's jobs, in KiB.
#[derive(Debug)]
struct Peaks {
    plan: u64,
    collect: u64,
    settle: u64,
    summarize: u64,
}

/// Begins a fan-out of `count` tasks, of which each makes a file, and takes all results in.
fn fan_out(count: usize) -> Peaks {
    let bench = Bench::on_disk();
    let mut plan = "# Many\n".to_owned();
    for part in 1..=count {
        plan += &format!("\n## Feature {{#part-{part}}}\nTouches: src/part{part}/**\n- part {part}\n");
    }
    plan += "\n## Verification\n- tests: `true`\n- validation: `true`\n";
    bench.write(".backend-implementer/plan.md", &plan);
    bench.commit("plan");
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let (state, results, next) = (bench.path("state"), bench.path("results"), bench.path("next"));
    let (begun, plan) = bench.measured(&["plan", "--state", &text(&state)]);
    begun.expect(0);

    // One result is made as a job makes it, and the others after its example.
    let job = bench.path("job");
    let names: Vec<_> = (1..=count).map(|part| format!("part-{part}#1")).collect();
    let prepared = ["prepare", "--state", &text(&state), "--tasks", &names.join(" "), "--job", &text(&job)];
    let prepared: Vec<Value> = serde_json::from_str(&bench.call(prepared).expect(0).stdout).unwrap();
    let worktree = Path::new(prepared[0]["worktree"].as_str().unwrap());
    fs::create_dir_all(worktree.join("src/part1")).unwrap();
    fs::write(worktree.join("src/part1/x.txt"), "x".repeat(FILE_BYTES)).unwrap();
    let report = json!({ "version": 1, "status": "completed", "summary": "done",
                         "requirements": [{ "id": "part-1-1", "status": "done" }] });
    fs::write(prepared[0]["report"].as_str().unwrap(), report.to_string()).unwrap();
    let first = bench.path("first");
    let collect = ["collect", "--state", &text(&state), "--tasks", "part-1#1", "--job", &text(&job)];
    let (collected, collect) = bench.measured(&[&collect[..], &["--results", &text(&first)]].concat());
    collected.expect(0);
    let made = Made::by_git(&bench, count);
    let example = journal::read(&first.join("part-1-1/result.jsonl")).unwrap();
    for (attempt, part) in prepared.iter().zip(1..) {
        let brief = Digest::from_content(fs::read(attempt["brief"].as_str().unwrap()).unwrap());
        made.write_result(&example, part, &brief, &results.join("jobs"));
    }
    fs::remove_dir_all(&job).unwrap();

    let settle = ["settle", "--state", &text(&state), "--results", &text(&results), "--out", &text(&next)];
    let (settled, settle) = bench.measured(&settle);
    let settled: Value = serde_json::from_str(&settled.expect(0).stdout).unwrap();
    assert_eq!(settled["notes"], json!([]), "all results count");
    let out = bench.path("out");
    let (summarized, summarize) = bench.measured(&["summarize", "--state", &text(&next), "--out", &text(&out)]);
    assert_eq!(summarized.code, 1, "{}{}", summarized.stdout, summarized.stderr);
    let handoff = Handoff::read(&fs::read(out.join("handoff.json")).unwrap()).unwrap();
    assert_eq!(handoff.result.commits.len(), count);
    for part in 1..=count {
        assert!(fs::metadata(out.join(format!("tasks/part-{part}/patch.diff"))).unwrap().len() > FILE_BYTES as u64);
    }
    Peaks { plan: plan.peak, collect: collect.peak, settle: settle.peak, summarize: summarize.peak }
}

/// Commits that git made, in a store that the fan-out knows nothing of, and what is needed to make results of them.
struct Made {
    store: RunStore,
    base: Base,
    lock: Lock,
    schedule: Schedule,
    trees: Vec<(String, ObjectId)>,
}

impl Made {
    fn by_git(bench: &Bench, count: usize) -> Self {
        let store = RunStore::create(&bench.repo(), &bench.path("made.git")).unwrap();
        let base = store.resolve("HEAD").unwrap();
        let mut python = bench.command("python3");
        python.args(["-c", COMMITS, &count.to_string(), base.commit.as_str(), &FILE_BYTES.to_string()]);
        python.stdout(Stdio::piped());
        let mut python = python.spawn().unwrap();
        let git = |arguments: &[&str], input: Stdio| {
            let mut git: Command = bench.command("git");
            git.arg("-C").arg(store.dir()).args(["-c", "core.compression=0", "-c", "core.bigFileThreshold=512k"]);
            let output = git.args(arguments).stdin(input).output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8(output.stdout).unwrap()
        };
        git(&["fast-import", "--quiet"], python.stdout.take().unwrap().into());
        assert!(python.wait().unwrap().success());
        let listed = git(&["for-each-ref", "--format=%(refname:lstrip=2) %(tree)", "refs/made"], Stdio::null());
        let trees = listed.lines().map(|line| {
            let (name, tree) = line.split_once(' ').unwrap();
            (name.to_owned(), ObjectId::new(tree).unwrap())
        });
        let shown: Value = serde_json::from_str(&bench.call(["plan", "--format", "json"]).expect(0).stdout).unwrap();
        Self {
            base,
            lock: serde_json::from_value(shown["lock"].clone()).unwrap(),
            schedule: serde_json::from_value(shown["schedule"].clone()).unwrap(),
            trees: trees.collect(),
            store,
        }
    }

    /// Writes the result of the attempt at one part below `to`.
    fn write_result(&self, example: &[(u64, Record)], part: usize, brief: &Digest, to: &Path) {
        let id = format!("part-{part}");
        let (_, tree) = self.trees.iter().find(|(name, _)| *name == id).expect("a commit");
        let task = self.schedule.tasks.iter().find(|task| task.id.as_str() == id).expect("a task");
        let patch = self.store.patch_between(&self.base, tree).unwrap();
        let commit = self.store.patch_commit(&patch, &commit_message(&self.lock, task, 1)).unwrap();
        let folder: PathBuf = to.join(format!("{id}-1"));
        fs::create_dir_all(&folder).unwrap();
        let reference = format!("refs/implementer/patches/{id}/1");
        bundle::write(&self.store, &[(reference, commit)], &self.base.commit, &folder.join("patch.bundle")).unwrap();

        let mut records = example.to_vec();
        for (_, record) in &mut records {
            match record {
                Record::Started(started) => {
                    (started.id.task, started.brief) = (task.id.clone(), brief.clone());
                }
                Record::Ended(ended) => {
                    ended.task = task.id.clone();
                    ended.attempt.brief_digest = brief.clone();
                    ended.attempt.patch = Some(patch.clone());
                    let requirements = ended.attempt.report.iter_mut().flat_map(|report| &mut report.requirements);
                    requirements.for_each(|claim| claim.id = RequirementId::new(format!("{id}-1")).unwrap());
                }
                _ => {}
            }
        }
        journal::write(&folder.join("result.jsonl"), &records).unwrap();
    }
}

#[test]
fn memory_does_not_follow_the_size_of_the_results() {
    let (few, many) = (fan_out(16), fan_out(256));
    let jobs = [
        ("plan", few.plan, many.plan),
        ("collect", few.collect, many.collect),
        ("settle", few.settle, many.settle),
        ("summarize", few.summarize, many.summarize),
    ];
    for (job, few, many) in jobs {
        println!("{job}: {few} KiB with 16 results, {many} KiB with 256");
        assert!(many <= few + FURTHER_MAX && many <= PEAK_MAX, "{job}: {few} KiB with 16 results, {many} KiB with 256");
    }
}
