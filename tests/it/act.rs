//! The generated workflow, run whole by act: real jobs, a real matrix from outputs, a real artifact server, scripted
//! subagents, and our fake of GitHub for everything else. `scripts/install-act` installs act.
//!
//! Without a container engine act cannot run a container action, so that a composite one stands in for ours, which calls
//! the same program (`support/act/step.py`). The text of the workflow is the generated one, unchanged.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    io::Read as _,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use backend_implementer::actions::{INPUTS, OUTPUTS};
use implementer_model::handoff::{Handoff, Status};
use serde_json::{Value, json};

use crate::{
    jobs::{GUARD, TROUBLE, trouble},
    support::{
        PLAN, PROGRAM,
        action::{NUMBER, Stage},
    },
};

const ACTION: &str = "acme/implementer@0123456789012345678901234567890123456789";

/// What the tests add to the configuration.
const WORKFLOW: &str = "rework-rounds: 1\nworkflow:\n  action: acme/implementer@0123456789012345678901234567890123456789\n  layout: matrix\n  \
                        runs-on: [ubuntu-latest]\n  jobs-per-wave: 4\n  waves: 8\n  rework-waves: 2\n";

fn act() -> PathBuf {
    let act = Path::new(env!("CARGO_MANIFEST_DIR")).join(".tools/act/bin/act");
    assert!(act.is_file(), "{} is missing: run scripts/install-act", act.display());
    act
}

/// The action that stands in: its inputs and outputs are those of the program.
fn stand_in(folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    let mut text = "name: Stand-in\ndescription: Calls the program\ninputs:\n".to_owned();
    for input in INPUTS {
        let default = if input == "token" { "${{ github.token }}" } else { "" };
        let _ = writeln!(text, "  {input}: {{ description: x, default: '{default}' }}");
    }
    text.push_str("outputs:\n");
    let slots = (0..4).map(|slot| format!("slot-{slot}")).chain((2..=8).map(|wave| format!("matrix-{wave}")));
    for output in OUTPUTS.map(str::to_owned).into_iter().chain(slots) {
        let _ = writeln!(text, "  {output}: {{ description: x, value: '${{{{ steps.step.outputs.{output} }}}}' }}");
    }
    text.push_str(
        "runs:\n  using: composite\n  steps:\n    - id: step\n      shell: bash\n      env:\n        STEP_INPUTS: ${{ toJSON(inputs) }}\n      \
         run: exec python3 -B \"$FAKE_STEP\"\n",
    );
    fs::write(folder.join("action.yml"), text).unwrap();
}

/// What the tests of the layout `one-job` add to the configuration: with a set-up that empties the workspace, as a checkout does.
const ONE_JOB: &str = "rework-rounds: 1\nworkflow:\n  action: acme/implementer@0123456789012345678901234567890123456789\n  \
                       runs-on: [ubuntu-latest]\n  setup:\n    - name: Empty the workspace\n      \
                       run: find . -mindepth 1 -maxdepth 1 ! -name .git -exec rm -rf {} +\n";

/// What uploads in the working job, as the generator names it.
const UPLOAD: &str = "actions/upload-artifact@bbbca2ddaa5d8feaa63e36b76fdaad77386f024f";

/// The action that stands in for the one that uploads.
fn stand_in_for_uploads(folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support/act/upload.py");
    let inputs = ["name", "path", "include-hidden-files", "if-no-files-found"];
    let inputs = inputs.map(|input| format!("  {input}: {{ description: x }}\n")).concat();
    let outputs = ["artifact-id", "artifact-digest"]
        .map(|output| format!("  {output}: {{ description: x, value: '${{{{ steps.upload.outputs.{output} }}}}' }}\n"))
        .concat();
    let text = format!(
        "name: Upload\ndescription: Packs a folder\ninputs:\n{inputs}outputs:\n{outputs}runs:\n  using: composite\n  steps:\n    \
         - id: upload\n      shell: bash\n      env:\n        UPLOAD_NAME: ${{{{ inputs.name }}}}\n        UPLOAD_PATH: ${{{{ \
         inputs.path }}}}\n      run: exec python3 -B {script}\n"
    );
    fs::write(folder.join("action.yml"), text).unwrap();
}

/// The actions of other people that the generated workflow calls in its set-up: what they install is here already.
fn teams_actions(checkout: &Path) -> BTreeSet<String> {
    let workflow = fs::read_to_string(checkout.join(".github/workflows/backend-implementer.yml")).unwrap();
    let uses = workflow.lines().filter_map(|line| line.trim_start_matches([' ', '-']).strip_prefix("uses: "));
    let actions = uses.map(|action| action.split(" #").next().unwrap_or_default().trim());
    actions.filter(|action| action.starts_with("actions/") && *action != UPLOAD).map(str::to_owned).collect()
}

/// The action that stands in for those.
fn stand_in_for_nothing(folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    let text = "name: Nothing\ndescription: Is here already\nruns:\n  using: composite\n  steps:\n    - shell: bash\n      run: 'true'\n";
    fs::write(folder.join("action.yml"), text).unwrap();
}

/// A workflow that act ran.
struct Acted {
    output: Output,
    artifacts: PathBuf,
}

impl Acted {
    fn log(&self) -> String {
        format!("{}{}", String::from_utf8_lossy(&self.output.stdout), String::from_utf8_lossy(&self.output.stderr))
    }

    /// Unpacks the artifact with the run's folder.
    fn run_folder(&self, to: &Path) -> Handoff {
        let name = "backend-implementer-run-attempt-1";
        let zip = self.artifacts.join("1").join(name).join(format!("{name}.zip"));
        let file = fs::File::open(&zip).unwrap_or_else(|error| panic!("{}: {error}\n{}", zip.display(), self.log()));
        let mut zip = zip::ZipArchive::new(file).unwrap();
        zip.extract(to).unwrap();
        Handoff::read(&fs::read(to.join("handoff.json")).unwrap()).unwrap()
    }
}

/// Makes a pull request on the fake with the plan of trouble, and its workflow.
fn stage() -> Stage {
    stage_with(WORKFLOW)
}

fn stage_with(workflow: &str) -> Stage {
    let stage = Stage::new("Please.", &[]);
    let config = fs::read_to_string(stage.bench.repo().join(".github/backend-implementer.yml")).unwrap();
    stage.push_to_base(&[(".github/backend-implementer.yml", &format!("{config}{workflow}"))]);
    stage.bench.script(&trouble());
    stage.push(&[(".backend-implementer/plan.md", TROUBLE), ("test_guard.py", GUARD)]);
    stage
}

/// Makes the checkout that act finds the workflows in: the base branch, and what is generated from it.
fn checkout(stage: &Stage) -> PathBuf {
    let checkout = stage.bench.path("act-checkout");
    if checkout.exists() {
        return checkout;
    }
    stage.bench.git(["worktree", "add", "--quiet", "--detach", checkout.to_str().unwrap(), "main"]);
    stage.bench.git(["remote", "add", "origin", "https://github.com/octo/service"]);
    stage.bench.call(["generate", "--repo", checkout.to_str().unwrap()]).expect(0);
    checkout
}

/// A workflow that act runs.
struct Workflow<'a> {
    /// Its file in the checkout.
    file: &'a str,
    /// The action that it calls, for which ours stands in.
    action: &'a str,
    /// A name for what it leaves.
    name: &'a str,
}

/// Lets act run one of the generated workflows for an event.
fn run(stage: &Stage, file: &str, event: &str, payload: &Value) -> Acted {
    let checkout = checkout(stage);
    stage.github.state().runs.insert(1, ("in_progress".to_owned(), 1));
    let workflow = Workflow { file, action: ACTION, name: file };
    let (mut command, artifacts) = prepare(stage, &checkout, event, payload, &workflow);
    let output = command.output().expect("act runs");
    stage.github.state().runs.insert(1, ("completed".to_owned(), 1));
    Acted { output, artifacts }
}

/// Prepares act for a workflow of a checkout. Gives the folder of its artifacts, too.
fn prepare(
    stage: &Stage,
    checkout: &Path,
    event: &str,
    payload: &Value,
    workflow: &Workflow<'_>,
) -> (Command, PathBuf) {
    let (bench, Workflow { file, action: action_name, name }) = (&stage.bench, workflow);
    let action = bench.path(&format!("{name}-action"));
    stand_in(&action);
    let event_file = bench.path(&format!("{name}-event.json"));
    fs::write(&event_file, payload.to_string()).unwrap();
    let artifacts = bench.path(&format!("{name}-artifacts"));
    fs::create_dir_all(&artifacts).unwrap();
    stage.github.state().artifact_folders.push(artifacts.clone());
    let uploads = bench.path(&format!("{name}-uploads"));
    stand_in_for_uploads(&uploads);
    let nothing = bench.path(&format!("{name}-nothing"));
    stand_in_for_nothing(&nothing);
    let port = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).unwrap().port();
    let step = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support/act/step.py");
    let mut command = Command::new(act());
    command
        .env_clear()
        .env("PATH", crate::support::path())
        .env("HOME", bench.path("home"))
        .env("TMPDIR", bench.path("tmp"))
        // Given by name alone, its value does not stand in the arguments.
        .env("GITHUB_TOKEN", &stage.token)
        .current_dir(checkout)
        .stdin(Stdio::null())
        .args([event, "-e", event_file.to_str().unwrap(), "-W", &format!(".github/workflows/{file}")])
        .args([
            "-P",
            "ubuntu-latest=-self-hosted",
            "-P",
            "ubuntu-24.04=-self-hosted",
            "-P",
            "self-hosted=-self-hosted",
            "--no-cache-server",
            "--action-offline-mode",
            "-s",
            "GITHUB_TOKEN",
        ])
        .args(["--local-repository", &format!("{action_name}={}", action.display())])
        .args(["--local-repository", &format!("{UPLOAD}={}", uploads.display())])
        .args(
            teams_actions(checkout)
                .iter()
                .flat_map(|action| ["--local-repository".to_owned(), format!("{action}={}", nothing.display())]),
        )
        .args(["--artifact-server-path", artifacts.to_str().unwrap(), "--artifact-server-addr", "127.0.0.1"])
        .args(["--artifact-server-port", &port.to_string()]);
    for (name, value) in [
        ("FAKE_API_URL", stage.api_url.clone()),
        ("FAKE_GRAPHQL_URL", stage.github.graphql_url()),
        ("FAKE_SERVER_URL", stage.github.server_url()),
        ("FAKE_PROGRAM", PROGRAM.to_owned()),
        ("FAKE_STEP", step.to_owned()),
        ("FAKE_ARTIFACTS", artifacts.display().to_string()),
        ("FAKE_BINDINGS", bench.path(&format!("{name}-bindings")).display().to_string()),
    ] {
        command.args(["--env", &format!("{name}={value}")]);
    }
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    (command, artifacts)
}

fn shown_lock(stage: &Stage) -> String {
    let body = stage.github.only_comment_of(NUMBER, "github-actions[bot]").body;
    let (_, rest) = body.split_once("\n/implement ").unwrap_or_else(|| panic!("a lock in\n{body}"));
    rest.lines().next().unwrap().to_owned()
}

#[test]
fn the_generated_workflow_gives_what_a_run_in_one_place_gives() {
    let stage = stage();
    stage.happened("opened").expect(0);
    let lock = shown_lock(&stage);
    let payload = stage.github.event_comment(NUMBER, "ada", &format!("/implement {lock}"));
    let acted = run(&stage, "backend-implementer.yml", "issue_comment", &payload);
    let fanned = acted.run_folder(&stage.bench.path("act-run"));
    let log = acted.log();

    // The same in one place.
    let here = stage.say("ada", &format!("/implement {lock}")).expect(0);
    let folder = here.workspace.join(here.output("run-path"));
    let in_one_place = Handoff::read(&fs::read(folder.join("handoff.json")).unwrap()).unwrap();
    assert_eq!(fanned.result.tree, in_one_place.result.tree, "{log}");
    assert_eq!(fanned.result.commit, in_one_place.result.commit);
    assert_eq!(fanned.lock, in_one_place.lock);
    assert_eq!(fanned.status, Status::Complete, "what failed passes when it is tried once more");
    assert_eq!(fanned.rework.len(), 1, "one gate is red once\n{log}");
    let conflicts = fanned.tasks.iter().flat_map(|task| &task.attempts).filter(|attempt| !attempt.conflicts.is_empty());
    assert_eq!(conflicts.count(), 1);

    // It is posted.
    let comment = stage.github.only_comment_of(NUMBER, "github-actions[bot]").body;
    assert!(comment.contains("## Backend Implementation Complete"), "{comment}");
    let mut page = String::new();
    fs::File::open(stage.bench.path("act-run/summary.md")).unwrap().read_to_string(&mut page).unwrap();
    assert!(page.contains("Rework round 1"), "{page}");
    stage.bench.call(["verify", stage.bench.path("act-run").to_str().unwrap()]).expect(0);
}

/// The workflow as it was generated.
fn generated(stage: &Stage) -> serde_yaml::Value {
    let path = stage.bench.path("act-checkout/.github/workflows/backend-implementer.yml");
    serde_yaml::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// The jobs of the workflow that ran, by their ids, in its order.
fn jobs_that_ran(workflow: &serde_yaml::Value, log: &str) -> Vec<String> {
    let begun = log.lines().filter(|line| line.contains("⭐ Run Set up job"));
    let names: BTreeSet<_> = begun
        .filter_map(|line| line.strip_prefix("[Backend Implementer/")?.split(']').next())
        // Of a matrix every job has a number.
        .map(|name| name.trim().split('-').next().unwrap_or_default())
        .collect();
    let jobs = workflow["jobs"].as_mapping().unwrap();
    let ran = jobs.iter().filter(|(_, job)| names.contains(job["name"].as_str().unwrap()));
    ran.map(|(id, _)| id.as_str().unwrap().to_owned()).collect()
}

/// How many of these jobs stand one after another, by what each needs. Those that were skipped cost nothing.
fn longest_chain(workflow: &serde_yaml::Value, ran: &[String]) -> usize {
    let mut depths: BTreeMap<&str, usize> = BTreeMap::new();
    for id in ran {
        let needs = workflow["jobs"][id.as_str()]["needs"].as_sequence().into_iter().flatten();
        let before = needs.filter_map(|need| depths.get(need.as_str()?)).max().copied().unwrap_or(0);
        depths.insert(id, before + 1);
    }
    depths.into_values().max().unwrap_or(0)
}

/// The plan of all eight subagents.
const EIGHT: &str = "# All\n\n## Infrastructure\nTouches: infra/**\n- a\n\n## Data Types\nTouches: types/**\n- b\n\n\
    ## Feature\nTouches: src/**\n- c\n\n## CLI\nTouches: cli/**\n- d\n\n## Tests\nTouches: tests/**\n- e\n\n\
    ## Review\n- f\n\n## Validation\n- g\n\n## Deployment\nTouches: deploy/**\n- h\n\n\
    ## Verification\n- tests: `python3 -m unittest -v`\n- validation: `git --version`\n";

#[test]
fn the_waves_of_eight_subagents_follow_each_other_with_four_further_jobs_at_most() {
    let stage = Stage::new("Please.", &[(".backend-implementer/plan.md", EIGHT)]);
    let config = fs::read_to_string(stage.bench.repo().join(".github/backend-implementer.yml")).unwrap();
    stage.push_to_base(&[(".github/backend-implementer.yml", &format!("{config}{WORKFLOW}"))]);
    let writes = |file: &str| json!({ "write": { file: "x\n" } });
    stage.bench.script(&json!({
        "infrastructure": writes("infra/a.tf"), "data-types": writes("types/a.py"), "feature": writes("src/a.py"),
        "cli": writes("cli/a.py"), "tests": { "write": { "tests/test_a.py": crate::support::PASSING_TEST } },
        "deployment": writes("deploy/a.yml"),
    }));
    stage.happened("opened").expect(0);
    let lock = shown_lock(&stage);
    let payload = stage.github.event_comment(NUMBER, "ada", &format!("/implement {lock}"));
    let acted = run(&stage, "backend-implementer.yml", "issue_comment", &payload);
    let fanned = acted.run_folder(&stage.bench.path("act-run"));
    let log = acted.log();
    assert_eq!(fanned.status, Status::Complete, "{log}");
    // P12. Six waves of the plan, and the review of the tree that the deployment changed.
    let waves: Vec<_> = (1..=7).map(|wave| format!("wave-{wave}")).collect();
    let wanted = [&["plan".to_owned()][..], &waves, &["gates".to_owned(), "summarize".to_owned()]].concat();
    let workflow = generated(&stage);
    let ran = jobs_that_ran(&workflow, &log);
    assert_eq!(ran, wanted, "{log}");
    let chain = longest_chain(&workflow, &ran);
    assert!(chain <= waves.len() + 4, "{chain} jobs one after another");
    let review = fanned.tasks.iter().find(|task| task.id.as_str() == "review").unwrap();
    assert_eq!(review.attempts.len(), 2);

    // The same in one place.
    let here = stage.say("ada", &format!("/implement {lock}")).expect(0);
    let folder = here.workspace.join(here.output("run-path"));
    let in_one_place = Handoff::read(&fs::read(folder.join("handoff.json")).unwrap()).unwrap();
    assert_eq!(fanned.result.commit, in_one_place.result.commit, "{log}");
    stage.bench.call(["verify", stage.bench.path("act-run").to_str().unwrap()]).expect(0);
}

#[test]
fn three_jobs_in_a_row_give_what_a_run_in_one_place_gives() {
    let stage = stage_with(ONE_JOB);
    let opened = stage.github.event_pull_request(NUMBER, "opened");
    let previewed = run(&stage, "backend-implementer-preview.yml", "pull_request", &opened);
    assert!(previewed.output.status.success(), "{}", previewed.log());
    let lock = shown_lock(&stage);
    let payload = stage.github.event_comment(NUMBER, "ada", &format!("/implement {lock}"));
    let acted = run(&stage, "backend-implementer.yml", "issue_comment", &payload);
    let log = acted.log();
    let worked = acted.run_folder(&stage.bench.path("act-run"));
    let here = stage.say("ada", &format!("/implement {lock}")).expect(0);
    let folder = here.workspace.join(here.output("run-path"));
    let in_one_place = Handoff::read(&fs::read(folder.join("handoff.json")).unwrap()).unwrap();
    assert_eq!(worked.result.commit, in_one_place.result.commit, "{log}");
    assert_eq!(worked.lock, in_one_place.lock);
    assert_eq!(worked.rework.len(), 1, "one gate is red once\n{log}");
    // P12: three jobs, one after another, and no more.
    let jobs: BTreeSet<_> = log
        .lines()
        .filter_map(|line| line.strip_prefix("[Backend Implementer/")?.split(']').next())
        .map(str::trim)
        .collect();
    assert_eq!(jobs.into_iter().collect::<Vec<_>>(), ["Plan", "Summarize", "Work"], "{log}");
    let comment = stage.github.only_comment_of(NUMBER, "github-actions[bot]").body;
    assert!(comment.contains("## Backend Implementation Complete"), "{comment}");
    stage.bench.call(["verify", stage.bench.path("act-run").to_str().unwrap()]).expect(0);
}

#[test]
fn a_workflow_of_its_own_is_started_by_the_generated_one_and_does_the_work() {
    let stage = Stage::new("Please.", &[(".backend-implementer/plan.md", PLAN)]);
    let config = fs::read_to_string(stage.bench.repo().join(".github/backend-implementer.yml")).unwrap();
    let dispatch =
        format!("{WORKFLOW}  subagents:\n    backend-cli-implementer: {{ dispatch: {{ workflow: cli.yml }} }}\n");
    stage.push_to_base(&[(".github/backend-implementer.yml", &format!("{config}{dispatch}"))]);
    stage.happened("opened").expect(0);
    let payload = stage.github.event_comment(NUMBER, "ada", &format!("/implement {}", shown_lock(&stage)));

    // Both workflows: the generated one, and the example as it is.
    let checkout = checkout(&stage);
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/workflows/dispatched.yml");
    fs::copy(example, checkout.join(".github/workflows/cli.yml")).unwrap();
    let generated = Workflow { file: "backend-implementer.yml", action: ACTION, name: "act" };
    let own = "your-org/backend-implementer@0000000000000000000000000000000000000000";
    let own = Workflow { file: "cli.yml", action: own, name: "own" };

    stage.github.state().runs.insert(1, ("in_progress".to_owned(), 1));
    let (mut command, artifacts) = prepare(&stage, &checkout, "issue_comment", &payload, &generated);
    let fan_out = command.spawn().expect("act runs");
    stage.github.wait_for("a dispatch", |state| !state.dispatched.is_empty());
    let dispatched = stage.github.state().dispatched[0].clone();
    let payload = json!({ "inputs": dispatched.inputs });
    let (mut command, _) = prepare(&stage, &checkout, "workflow_dispatch", &payload, &own);
    let worked = command.output().expect("act runs");
    stage.github.state().runs.insert(dispatched.run, ("completed".to_owned(), 1));
    let acted = Acted { output: fan_out.wait_with_output().expect("act ends"), artifacts };
    stage.github.state().runs.insert(1, ("completed".to_owned(), 1));

    let log = format!("{}\n{}", acted.log(), String::from_utf8_lossy(&worked.stdout));
    assert!(worked.status.success() && acted.output.status.success(), "{log}");
    let fanned = acted.run_folder(&stage.bench.path("act-run"));
    assert_eq!(fanned.status, Status::Complete, "{log}");
    let comment = stage.github.only_comment_of(NUMBER, "github-actions[bot]").body;
    assert!(comment.contains("## Backend Implementation Complete"), "{comment}\n{log}");
    // The same in one place, where the configured agent does the work.
    let here = stage.say("ada", &format!("/implement {}", fanned.lock.digest)).expect(0);
    let folder = here.workspace.join(here.output("run-path"));
    let in_one_place = Handoff::read(&fs::read(folder.join("handoff.json")).unwrap()).unwrap();
    assert_eq!(fanned.result.commit, in_one_place.result.commit, "{log}");
}

/// A repository as a stranger has it, from `init` to the summary, with scripted subagents in place of Claude Code.
fn begun_by_init(files: &[(&str, &str)], gate: &str) {
    let stage = Stage::new("Please.", &[]);
    let of_tests = fs::read_to_string(stage.bench.repo().join(CONFIG)).unwrap();
    stage.push_to_base(files);
    stage.bench.git(["checkout", "--quiet", "main"]);
    stage.bench.git(["rm", "--quiet", "test_base.py", CONFIG]);
    let began = stage.bench.call(["init", "--plan", "--agent", "claude", "--action", ACTION]).expect(0);
    assert!(began.stdout.contains(&format!("gate tests: {gate}")), "{}", began.stdout);
    let read = |path: &str| fs::read_to_string(stage.bench.repo().join(path)).unwrap();
    let (config, plan) = (read(CONFIG), read(".backend-implementer/plan.md"));
    stage.bench.git(["checkout", "--quiet", "--force", "topic"]);
    stage.bench.git(["clean", "--quiet", "--force", "-d"]);
    stage.push_to_base(&[(CONFIG, &crate::five_minutes::scripted(&config, &of_tests))]);
    stage.bench.script(&json!({ "feature": { "write": { "docs/first-plan.md": "A service.\n" } } }));
    stage.push(&[(".backend-implementer/plan.md", &plan)]);
    for (path, text) in files {
        stage.push(&[(path, text)]);
    }
    stage.happened("opened").expect(0);
    let payload = stage.github.event_comment(NUMBER, "ada", &format!("/implement {}", shown_lock(&stage)));
    let acted = run(&stage, "backend-implementer.yml", "issue_comment", &payload);
    let log = acted.log();
    let comment = stage.github.only_comment_of(NUMBER, "github-actions[bot]").body;
    assert!(comment.contains("## Backend Implementation Complete"), "{comment}\n{log}");
    assert!(comment.contains(gate), "{comment}");
}

const CONFIG: &str = ".github/backend-implementer.yml";

#[test]
fn a_python_repository_comes_from_init_to_a_summary() {
    let test = crate::support::PASSING_TEST;
    let files = [
        ("service.py", "x = 1\n"),
        ("tests/__init__.py", ""),
        ("tests/test_service.py", test),
        (".python-version", "3.11\n"),
    ];
    begun_by_init(&files, "python3 -m unittest discover -v");
}

#[test]
fn a_node_repository_comes_from_init_to_a_summary() {
    let manifest = r#"{"name":"service","scripts":{"test":"node --test"},"engines":{"node":">=18"}}"#;
    let test = "const test = require('node:test');\nconst assert = require('node:assert');\n\
                test('adds', () => assert.strictEqual(1 + 1, 2));\n";
    begun_by_init(&[("package.json", manifest), ("service.test.js", test)], "npm test");
}
