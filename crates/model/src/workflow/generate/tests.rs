use super::*;
use crate::roster;

fn config(yaml: &str) -> Config {
    Config::read("c.yml", yaml, &["command", "claude"]).unwrap_or_else(|wrong| panic!("{wrong:#?}"))
}

fn roster(config: &Config) -> Roster {
    roster::load(&[], config).roster
}

const ACTION: &str = "acme/implementer@0123456789012345678901234567890123456789";

fn generated(further: &str) -> String {
    let config = config(&format!(
        "rework-rounds: 1\nworkflow:\n  action: {ACTION}\n  layout: matrix\n  waves: 2\n  rework-waves: 1\n  jobs-per-wave: 2\n{further}"
    ));
    workflow(&config, &roster(&config)).unwrap()
}

/// The names of the jobs, in order.
fn jobs(text: &str) -> Vec<String> {
    let jobs = yaml::mapping(text).unwrap()["jobs"].as_object().unwrap().clone();
    let mut names: Vec<_> = jobs.keys().cloned().collect();
    names.sort_by_key(|name| text.find(&format!("\n  {name}:\n")));
    names
}

#[test]
fn the_graph_is_waves_then_gates_then_rework_then_the_summary() {
    assert_eq!(
        jobs(&generated("")),
        [
            "plan",
            "wave-1",
            "settle-1",
            "wave-2",
            "settle-2",
            "gates",
            "settle-gates",
            "rework-1-wave-1",
            "rework-1-settle-1",
            "rework-1-gates",
            "rework-1-settle-gates",
            "summarize"
        ]
    );
}

#[test]
fn only_the_first_and_the_last_job_can_write() {
    let text = generated("");
    let workflow = yaml::mapping(&text).unwrap();
    assert_eq!(workflow["permissions"], serde_json::json!({}));
    for (name, job) in workflow["jobs"].as_object().unwrap() {
        let writes = job["permissions"].as_object().unwrap().values().any(|access| access == "write");
        assert_eq!(writes, ["plan", "summarize"].contains(&name.as_str()), "{name}");
        // Its one command says whether somebody cancelled the workflow.
        let told = serde_json::json!("echo \"by-hand=true\" >> \"$GITHUB_OUTPUT\"");
        let runs = job["steps"].as_array().unwrap().iter().any(|step| step.get("run").is_some_and(|run| *run != told));
        assert!(!(writes && runs), "{name} can write and runs commands");
        assert!(job.get("timeout-minutes").is_some(), "{name}");
        if let Some(strategy) = job.get("strategy") {
            assert_eq!((&strategy["fail-fast"], &strategy["max-parallel"]), (&false.into(), &8.into()));
        }
    }
    // Nothing that somebody else wrote is put into a command.
    for line in text.lines().filter(|line| line.trim_start().starts_with("run:")) {
        assert!(!line.contains("${{"), "{line}");
    }
}

#[test]
fn secrets_reach_the_one_step_that_needs_them() {
    let text = generated(
        "  secrets: [MODEL_KEY, REVIEW_KEY, UNUSED]\npass-environment: [MODEL_KEY, PLAIN]\nsubagents:\n  \
         backend-code-quality-reviewer:\n    pass-environment: [REVIEW_KEY]\n",
    );
    assert!(text.contains("MODEL_KEY: ${{ secrets.MODEL_KEY }}"), "{text}");
    let alone = "REVIEW_KEY: ${{ (matrix.subagent == 'backend-code-quality-reviewer') && secrets.REVIEW_KEY || '' }}";
    assert!(text.contains(alone), "{text}");
    assert!(!text.contains("PLAIN") && !text.contains("UNUSED"));
    let workflow = yaml::mapping(&text).unwrap();
    for (name, job) in workflow["jobs"].as_object().unwrap() {
        for step in job["steps"].as_array().unwrap() {
            let has = step.to_string().contains("secrets.");
            assert_eq!(has, step.get("run").is_some() && name != "summarize", "{name}: {step}");
        }
    }
}

#[test]
fn the_key_of_an_agent_program_reaches_the_subagents_that_it_works_for_and_no_gate() {
    let text = generated(
        "  secrets: [CLAUDE_KEY]\nagent: {kind: claude}\nagents:\n  claude: {pass-environment: [CLAUDE_KEY]}\n",
    );
    let workflow = yaml::mapping(&text).unwrap();
    let has = |job: &str| workflow["jobs"][job].to_string().contains("secrets.CLAUDE_KEY }}");
    assert!(has("wave-1") && !has("gates"), "{text}");
    let text = generated(
        "  secrets: [CLAUDE_KEY]\nsubagents:\n  backend-code-quality-reviewer: {kind: claude}\nagents:\n  \
         claude: {pass-environment: [CLAUDE_KEY]}\n",
    );
    let alone = "CLAUDE_KEY: ${{ (matrix.subagent == 'backend-code-quality-reviewer') && secrets.CLAUDE_KEY || '' }}";
    assert!(text.contains(alone), "{text}");
}

#[test]
fn a_subagent_has_its_own_runner_steps_and_work() {
    let text = generated(
        "  runs-on: [self-hosted, linux]\n  setup:\n    - uses: actions/setup-python@0123456789012345678901234567890123456789\n      \
         with: { python-version: 3.12 }\n  subagents:\n    backend-datatypes:\n      setup: [{ run: make tools, if: github.actor != 'x' }]\n      \
         work: [{ uses: some/agent@0123456789012345678901234567890123456789 }]\n",
    );
    assert!(text.contains("runs-on: [\"self-hosted\", \"linux\"]"), "{text}");
    assert!(text.contains("if: ${{ (matrix.subagent == 'backend-datatypes') && (github.actor != 'x') }}"), "{text}");
    assert!(text.contains("if: ${{ !contains(fromJSON('[\"backend-datatypes\"]'), matrix.subagent) }}"), "{text}");
    let workflow = yaml::mapping(&text).unwrap();
    let steps = workflow["jobs"]["wave-1"]["steps"].as_array().unwrap();
    let named: Vec<_> = steps
        .iter()
        .map(|step| step.get("uses").or(step.get("name")).or(step.get("run")).unwrap().as_str().unwrap())
        .collect();
    let pinned = |name: &str| format!("{name}@0123456789012345678901234567890123456789");
    let (python, agent, ours) = (pinned("actions/setup-python"), pinned("some/agent"), pinned("acme/implementer"));
    assert!(
        matches!(&named[..], [a, _, b, c, "Work", d] if *a == python && *b == ours && *c == agent && *d == ours),
        "{named:?}"
    );
}

#[test]
fn what_cannot_be_generated_is_said() {
    let without = Config::default();
    assert_eq!(workflow(&without, &roster(&without)), Err(GenerateError::NoAction));
    let unknown = config(&format!(
        "workflow:\n  action: {ACTION}\n  layout: matrix\n  subagents:\n    nobody-here:\n      setup: [{{ run: x }}]\n"
    ));
    let error = workflow(&unknown, &roster(&unknown)).unwrap_err().to_string();
    assert!(error.contains("`nobody-here`"), "{error}");
    // A name that would end a text in an expression.
    let name = "x' || secrets.A || '";
    let sly = config(&format!("subagents:\n  \"{name}\": {{ role: feature }}\nworkflow:\n  action: {ACTION}\n"));
    let error = workflow(&sly, &roster(&sly)).unwrap_err();
    assert!(matches!(error, GenerateError::Name(_)), "{error}");
}

#[test]
fn the_text_is_stable() {
    let text = generated("");
    assert_eq!(text, generated(""));
    let job = text.split("\n  settle-1:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    insta::assert_snapshot!(job, @r#"
    name: "Wave 1: integrate"
    needs: [plan, wave-1]
    if: ${{ !cancelled() && needs.wave-1.result != 'skipped' && (needs.wave-1.result != 'success' || needs.plan.outputs.matrix-2 == '' && needs.plan.outputs.last != 'wave-1') }}
    runs-on: ubuntu-24.04
    timeout-minutes: 30
    permissions:
      contents: read # to fetch the commits that the patches are for
      actions: read # to download the patches
    outputs:
      state: ${{ steps.settle.outputs.state }}
      head: ${{ steps.settle.outputs.head }}
      matrix: ${{ steps.settle.outputs.matrix }}
      gates: ${{ steps.settle.outputs.gates }}
    steps:
      - name: Integrate
        id: settle
        uses: acme/implementer@0123456789012345678901234567890123456789
        with:
          command: settle
          wave: wave-1
          results: ${{ toJSON(needs.wave-1.outputs) }}
          state: ${{ needs.plan.outputs.state }}
          head: ${{ needs.plan.outputs.head }}
          lock: ${{ needs.plan.outputs.lock }}
    "#);
}

#[test]
fn delivery_and_what_comes_next_are_asked_for_and_only_the_writer_may() {
    let plain = generated("");
    assert!(!plain.contains("contents: write") && !plain.contains("on-complete"));
    let text = generated("  branch: true\n  on-complete: submission.yml\n");
    assert_eq!(text.matches("contents: write").count(), 1);
    let (_, writer) = text.split_once("\n  summarize:\n").unwrap();
    assert!(writer.contains("contents: write") && writer.contains("actions: write"), "{writer}");
    assert!(writer.contains("branch: true\n          on-complete: submission.yml\n"), "{writer}");
}

#[test]
fn a_workflow_of_its_own_is_started_and_waited_for_by_a_job_that_runs_nothing() {
    let text = generated(
        "  subagents:\n    backend-validation-agent: { dispatch: { workflow: validation.yml } }\n    \
         backend-deployment-agent: { dispatch: { workflow: x.yml, repository: acme/labs, token: LABS_TOKEN } }\n",
    );
    let names = jobs(&text);
    assert_eq!(names[..5], ["plan", "wave-1", "wave-1-dispatch", "settle-1", "wave-2"]);
    assert!(names.contains(&"rework-1-wave-1-dispatch".to_owned()) && !names.contains(&"gates-dispatch".to_owned()));
    let workflow = yaml::mapping(&text).unwrap();
    let job = &workflow["jobs"]["wave-2-dispatch"];
    assert_eq!(job["needs"], serde_json::json!(["plan", "settle-1"]));
    assert_eq!(job["permissions"], serde_json::json!({ "contents": "read", "actions": "write" }));
    let steps = job["steps"].as_array().unwrap();
    assert_eq!(steps.len(), 1, "nothing but the waiting: {job}");
    assert_eq!(steps[0]["with"]["command"], "dispatch");
    let token = "${{ matrix.subagent == 'backend-deployment-agent' && secrets.LABS_TOKEN || '' }}";
    assert_eq!(steps[0]["with"]["dispatch-token"], token);
    assert_eq!(workflow["jobs"]["wave-1"]["permissions"]["actions"], "read", "who runs agents starts nothing");
    // What comes after takes both in, and runs when either made anything.
    let settle = &workflow["jobs"]["settle-2"];
    assert_eq!(settle["needs"], serde_json::json!(["plan", "wave-1", "settle-1", "wave-2", "wave-2-dispatch"]));
    assert_eq!(settle["steps"][0]["with"]["dispatched"], "${{ toJSON(needs.wave-2-dispatch.outputs) }}");
    let condition = settle["if"].as_str().unwrap();
    let made = "(needs.wave-2.result != 'skipped' || needs.wave-2-dispatch.result != 'skipped') && (";
    assert!(condition.contains(made), "{condition}");
    for job in ["plan", "settle-1", "settle-gates"] {
        assert!(workflow["jobs"][job]["outputs"].get("dispatch").is_some(), "{job}");
    }
    assert!(workflow["jobs"]["summarize"]["needs"].to_string().contains("\"wave-2-dispatch\""));

    // A token of another repository's needs nothing of ours to be written.
    let text = generated(
        "  subagents:\n    backend-validation-agent: { dispatch: { workflow: x.yml, repository: acme/labs, token: T } }\n",
    );
    let workflow = yaml::mapping(&text).unwrap();
    assert_eq!(workflow["jobs"]["wave-1-dispatch"]["permissions"]["actions"], "read");
    assert!(!generated("").contains("-dispatch:\n") && !generated("").contains("dispatched"));
}

#[test]
fn what_github_would_not_start_is_refused() {
    let text = |jobs: u32, waves: u32| {
        let yaml = format!(
            "workflow: {{ action: {ACTION}, layout: matrix, waves: {waves}, jobs-per-wave: {jobs}, rework-waves: 3 }}\n"
        );
        let config = config(&yaml);
        workflow(&config, &roster(&config))
    };
    assert!(text(256, 8).unwrap().len() <= WORKFLOW_MAX_BYTES);
    let all = text(16, 24).unwrap();
    assert!(all.len() <= WORKFLOW_MAX_BYTES);
    // Nor does it take an expression of more than 21,000 characters.
    assert!(all.lines().all(|line| line.len() < 21_000));
    let error = text(256, 24).unwrap_err();
    assert!(
        matches!(error, GenerateError::TooLarge { bytes, jobs: 256, waves: 24, rework_waves: 3, .. } if bytes > 512_000)
    );
    assert!(error.to_string().contains("lower `workflow.jobs-per-wave` (256)"), "{error}");
}

fn one_job(further: &str) -> Result<String, GenerateError> {
    let config = config(&format!(
        "agent: {{kind: claude}}\nagents:\n  claude: {{pass-environment: [CLAUDE_KEY]}}\nworkflow:\n  action: {ACTION}\n  \
         secrets: [CLAUDE_KEY]\n{further}"
    ));
    workflow(&config, &roster(&config))
}

#[test]
fn one_job_is_three_jobs_in_a_row_of_which_the_middle_one_can_only_read() {
    let text = one_job("").unwrap();
    assert_eq!(jobs(&text), ["plan", "work", "summarize"]);
    let workflow = yaml::mapping(&text).unwrap();
    let work = &workflow["jobs"]["work"];
    assert_eq!(work["permissions"], serde_json::json!({ "contents": "read", "actions": "read" }));
    assert_eq!(workflow["jobs"]["summarize"]["needs"], serde_json::json!(["plan", "work"]));
    // The key is in the one step that runs subagents, and nowhere else.
    for (name, job) in workflow["jobs"].as_object().unwrap() {
        for step in job["steps"].as_array().unwrap() {
            assert_eq!(step.to_string().contains("secrets."), step["name"] == "Work", "{name}: {step}");
        }
    }
    assert!(!text.contains("matrix"), "{text}");
    insta::assert_snapshot!(text.split_once("\njobs:\n").unwrap().1);
}

#[test]
fn the_team_sets_up_first_and_nothing_of_ours_lies_where_a_checkout_empties() {
    let text = one_job("  setup:\n    - uses: actions/checkout@0123456789012345678901234567890123456789\n").unwrap();
    let workflow = yaml::mapping(&text).unwrap();
    let steps = workflow["jobs"]["work"]["steps"].as_array().unwrap();
    assert_eq!(steps[0]["uses"], "actions/checkout@0123456789012345678901234567890123456789");
    assert_eq!(steps[1]["name"], "Prepare");
    assert!(!text.contains(".backend-implementer/job"), "everything is below RUNNER_TEMP: {text}");
    // In a matrix, too, set-up comes before what it could remove.
    let text = generated("  setup:\n    - uses: actions/checkout@0123456789012345678901234567890123456789\n");
    let workflow = yaml::mapping(&text).unwrap();
    for job in ["wave-1", "gates", "rework-1-wave-1", "rework-1-gates"] {
        let steps = workflow["jobs"][job]["steps"].as_array().unwrap();
        let at = |wanted: &str| steps.iter().position(|step| step.to_string().contains(wanted)).unwrap();
        assert!(at("actions/checkout") < at("\"Prepare\""), "{job}");
    }
}

#[test]
fn no_shell_stays_between_the_runner_and_the_program() {
    for text in [generated("  secrets: [KEY]\npass-environment: [KEY]\n"), one_job("").unwrap()] {
        let workflow = yaml::mapping(&text).unwrap();
        let mut ours = 0;
        for (name, job) in workflow["jobs"].as_object().unwrap() {
            for run in job["steps"].as_array().unwrap().iter().filter_map(|step| step.get("run")) {
                let run = run.as_str().unwrap();
                if run.contains("bin/backend-implementer") {
                    ours += 1;
                    assert!(run.starts_with("exec ") && !run.contains(['\n', ';', '&', '|']), "{name}: {run}");
                }
            }
        }
        assert!(ours > 0);
    }
}

#[test]
fn a_job_that_ran_out_of_time_is_not_told_as_cancelled() {
    for text in [generated(""), one_job("").unwrap()] {
        let workflow = yaml::mapping(&text).unwrap();
        let steps = workflow["jobs"]["summarize"]["steps"].as_array().unwrap();
        assert_eq!(steps[0]["if"], "cancelled()");
        assert_eq!(steps[1]["if"], "always()");
        assert_eq!(steps[1]["with"]["cancelled"], "${{ steps.ended.outputs.by-hand || 'false' }}");
        assert!(!text.contains("contains(needs.*.result, 'cancelled')"));
    }
}

#[test]
fn what_was_approved_is_handed_on_by_the_first_job_alone() {
    for text in [generated(""), one_job("").unwrap()] {
        let workflow = yaml::mapping(&text).unwrap();
        let steps = workflow["jobs"]["summarize"]["steps"].as_array().unwrap();
        assert_eq!(steps[1]["with"]["state"], "${{ needs.plan.outputs.state }}");
        assert_eq!(steps[1]["with"]["lock"], "${{ needs.plan.outputs.lock }}");
    }
}

#[test]
fn what_needs_a_job_of_its_own_is_refused_in_one_job() {
    for (own, key) in [
        ("{ runs-on: [self-hosted] }", "runs-on"),
        ("{ setup: [{ run: make tools }] }", "setup"),
        ("{ work: [{ run: make work }] }", "work"),
        ("{ dispatch: { workflow: x.yml } }", "dispatch"),
    ] {
        let error = one_job(&format!("  subagents:\n    backend-validation-agent: {own}\n")).unwrap_err().to_string();
        assert!(error.contains(&format!("`workflow.subagents.backend-validation-agent.{key}`")), "{error}");
        assert!(error.contains("set `workflow.layout: matrix`"), "{error}");
    }
}

#[test]
fn the_working_job_stops_early_enough_to_keep_what_is_finished() {
    let text = one_job("  job-minutes: 120\n").unwrap();
    assert!(text.contains("timeout-minutes: 120\n") && text.contains("--end-after 100m"), "{text}");
}

#[test]
fn final_gates_are_repeated_where_no_subagent_ran() {
    assert!(!one_job("").unwrap().contains("gates"));
    let text = one_job("  repeat-gates: true\n").unwrap();
    assert_eq!(jobs(&text), ["plan", "work", "gates", "summarize"]);
    let workflow = yaml::mapping(&text).unwrap();
    assert_eq!(workflow["jobs"]["gates"]["if"], "${{ !cancelled() && needs.work.result == 'success' }}");
    assert!(!workflow["jobs"]["gates"].to_string().contains("secrets."));
    assert_eq!(workflow["jobs"]["summarize"]["needs"], serde_json::json!(["plan", "work", "gates"]));
}

/// Both workflows as values: the one that runs, and the one that previews.
fn both(further: &str) -> [Map<String, Value>; 2] {
    let config = config(&format!("workflow:\n  action: {ACTION}\n{further}"));
    workflows(&config, &roster(&config)).unwrap().map(|file| yaml::mapping(&file.text).unwrap())
}

/// Tells whether a workflow listens to an event.
fn listens(workflow: &Map<String, Value>, event: &str, action: &str) -> bool {
    workflow["on"].get(event).is_some_and(|event| match event.get("types") {
        Some(types) => types.as_array().unwrap().iter().any(|kind| kind == action),
        None => true,
    })
}

#[test]
fn every_event_leads_to_exactly_one_of_the_two_workflows() {
    let [run, preview] = both("pull-request:\n  run-label: implement\n");
    let previewed =
        ["opened", "reopened", "synchronize", "edited", "ready_for_review"].map(|kind| ("pull_request", kind));
    for (event, action) in previewed.into_iter().chain([("merge_group", "checks_requested")]) {
        assert!(listens(&preview, event, action) && !listens(&run, event, action), "{event} {action}");
    }
    for (event, action) in [("issue_comment", "created"), ("workflow_dispatch", ""), ("pull_request", "labeled")] {
        assert!(listens(&run, event, action) && !listens(&preview, event, action), "{event} {action}");
    }
    for (event, action) in [("issue_comment", "edited"), ("pull_request", "closed"), ("pull_request_target", "opened")]
    {
        assert!(!listens(&run, event, action) && !listens(&preview, event, action), "{event} {action}");
    }
    // A label that starts nothing starts no job either.
    assert!(!listens(&both("")[0], "pull_request", "labeled"));
}

#[test]
fn a_preview_replaces_an_older_one_and_nothing_drops_an_approval() {
    let [run, preview] = both("pull-request:\n  run-label: implement\n");
    // A group holds one pending run and drops the one before, so that approvals share none, neither with each other nor with
    // previews. The group is unique to the workflow run, whatever the event.
    let group = "backend-implementer-${{ github.run_id }}";
    assert_eq!(run["concurrency"], serde_json::json!({ "group": group, "cancel-in-progress": false }));
    let group = "backend-implementer-preview-${{ github.event.pull_request.number || github.run_id }}";
    assert_eq!(preview["concurrency"], serde_json::json!({ "group": group, "cancel-in-progress": true }));
    for workflow in [&run, &preview] {
        let jobs = workflow["jobs"].as_object().unwrap().values();
        assert!(jobs.into_iter().all(|job| job.get("concurrency").is_none()));
    }
    // `/implement plan` is a preview that is asked for: the job that answers it belongs to no group but its own either.
    assert!(listens(&run, "issue_comment", "created"));
}

#[test]
fn the_preview_has_one_step_no_secret_and_cannot_cancel_anything() {
    let [_, preview] = both("  secrets: [MODEL_KEY]\npass-environment: [MODEL_KEY]\n");
    assert_eq!(preview["permissions"], serde_json::json!({}));
    let jobs = preview["jobs"].as_object().unwrap();
    assert_eq!(jobs.keys().collect::<Vec<_>>(), ["preview"]);
    let job = &jobs["preview"];
    let granted =
        serde_json::json!({ "contents": "read", "actions": "read", "pull-requests": "write", "checks": "write" });
    assert_eq!(job["permissions"], granted);
    assert_eq!(job["steps"], serde_json::json!([{ "name": "Preview", "uses": ACTION }]));
}

#[test]
fn what_only_looks_like_a_command_gets_a_job_that_answers_it_and_talk_gets_none() {
    let condition = both("")[0]["jobs"]["plan"]["if"].as_str().unwrap().to_owned();
    for part in ["startsWith(github.event.comment.body, '/')", "'/implement'", "'\u{ff0f}implement'"] {
        assert!(condition.contains(part), "{condition}");
    }
    assert!(condition.contains("github.event.issue.pull_request && ("), "{condition}");
}

#[test]
fn a_label_stays_a_text_in_the_condition_whatever_it_is_called() {
    for (label, text) in [("implement", "'implement'"), ("it's: #1 \\\"go\\\"", "'it''s: #1 \"go\"'")] {
        let [run, _] = both(&format!("pull-request:\n  run-label: \"{label}\"\n"));
        let condition = run["jobs"]["plan"]["if"].as_str().unwrap();
        let only = format!("&& (github.event_name != 'pull_request' || github.event.label.name == {text}) }}}}");
        assert!(condition.ends_with(&only), "{condition}");
    }
}

#[test]
fn a_workflow_that_held_both_is_told_from_todays() {
    let old = format!(
        "{GENERATED} from x.\non:\n  pull_request:\n    types: [opened, reopened, labeled]\n  issue_comment:\n    types: [created]\n"
    );
    assert!(holds_both(&old) && !holds_both(&old.replace(GENERATED, "# Mine")));
    let config = config(&format!("workflow:\n  action: {ACTION}\npull-request:\n  run-label: go\n"));
    for file in workflows(&config, &roster(&config)).unwrap() {
        assert!(!holds_both(&file.text), "{}", file.path);
    }
}

#[test]
fn a_wave_of_the_plan_is_told_by_the_plan_or_by_whoever_settled_before_it() {
    let workflow = yaml::mapping(&generated("")).unwrap();
    let second = &workflow["jobs"]["wave-2"];
    assert_eq!(second["needs"], serde_json::json!(["plan", "wave-1", "settle-1"]));
    let condition = second["if"].as_str().unwrap();
    let settled = "needs.settle-1.result == 'success' && needs.settle-1.outputs.matrix";
    let planned =
        "needs.settle-1.result == 'skipped' && needs.wave-1.result == 'success' && needs.plan.outputs.matrix-2";
    assert_eq!(condition, format!("${{{{ !cancelled() && ({settled} || {planned} || '') != '' }}}}"));
    // Everything that works on the state takes in the same waves, and what is not due is not worked on.
    let steps = second["steps"].as_array().unwrap();
    let unsettled = &steps[0]["with"]["unsettled"];
    assert!(unsettled.as_str().unwrap().contains("toJSON(needs.wave-1.outputs)"), "{unsettled}");
    assert_eq!(steps[2]["with"]["unsettled"], *unsettled);
    assert_eq!(steps[1]["if"], "${{ steps.prepare.outputs.due != 'false' }}");
    assert_eq!(workflow["jobs"]["settle-2"]["steps"][0]["with"]["unsettled"], *unsettled);
    // Rework is not known before: a job settles each of its waves.
    assert_eq!(
        workflow["jobs"]["rework-1-settle-1"]["if"],
        "${{ !cancelled() && needs.rework-1-wave-1.result != 'skipped' }}"
    );
    assert!(workflow["jobs"]["rework-1-wave-2"]["steps"][0]["with"].get("unsettled").is_none());
    // Gates are settled where they leave something to do.
    let gates = workflow["jobs"]["settle-gates"]["if"].as_str().unwrap();
    assert!(gates.contains("needs.gates.result != 'success' || needs.gates.outputs.settle == 'true'"), "{gates}");
}
