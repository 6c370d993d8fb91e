//! A newcomer's five minutes, as docs/five-minutes.md tells them: its commands are run, and what it says comes.

use std::{fs, path::Path};

use crate::{
    one_job::OneJob,
    submission::Submission,
    support::{Bench, action::Stage},
};

const CONFIG: &str = ".github/backend-implementer.yml";
const PLAN: &str = ".backend-implementer/plan.md";

/// The blocks of one kind in the page, in order, each as its lines.
fn blocks(kind: &str) -> Vec<Vec<String>> {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/five-minutes.md")).unwrap();
    let begin = format!("```{kind}\n");
    let blocks = page.split(&begin).skip(1).map(|rest| rest.split("```").next().unwrap());
    blocks.map(|block| block.lines().map(str::to_owned).collect()).collect()
}

/// Checks that the lines come in this order; `…` stands for any number of others.
#[track_caller]
fn says(text: &str, wanted: &[String]) {
    let mut rest = text;
    for line in wanted.iter().filter(|line| *line != "…" && !line.trim().is_empty()) {
        let Some((_, after)) = rest.split_once(line.as_str()) else { panic!("`{line}` does not come in\n{text}") };
        rest = after;
    }
}

/// Puts scripted subagents in place of Claude Code, as they are in the configuration of the tests.
pub(crate) fn scripted(config: &str, of_tests: &str) -> String {
    let (before, rest) = config.split_once("agent:\n  kind: claude\n").expect("Claude Code is who does the work");
    let (_, rest) = rest.split_once("pass-environment: [ANTHROPIC_API_KEY]\n").unwrap();
    let agent = of_tests.lines().take(5).collect::<Vec<_>>().join("\n");
    let rest: String = rest
        .lines()
        .filter(|line| !line.trim_start().starts_with("secrets:") && !line.contains("npm install --global"))
        .fold(String::new(), |all, line| all + line + "\n");
    format!("{before}{agent}\n{rest}")
}

#[test]
fn the_transcript_is_what_happens() {
    let (console, comments) = (blocks("console"), blocks("comment"));

    // 1. Begin.
    let bench = Bench::on_disk();
    let of_tests = fs::read_to_string(bench.repo().join(CONFIG)).unwrap();
    fs::remove_file(bench.repo().join(CONFIG)).unwrap();
    fs::remove_file(bench.repo().join(PLAN)).unwrap();
    let [command, said @ ..] = console[0].as_slice() else { panic!("a command") };
    let words: Vec<&str> = command.strip_prefix("$ backend-implementer ").unwrap().split(' ').collect();
    let action = ["--action", "acme/implementer@0123456789012345678901234567890123456789"];
    let began = bench.call([&words[..], &action].concat()).expect(0);
    says(&began.stdout, said);
    assert!(began.stdout.contains(console[1][0].strip_prefix("$ ").unwrap()), "the secret is named: {}", began.stdout);
    assert_eq!(console[1][1], "$ backend-implementer doctor");
    let doctor = bench.call(["doctor"]);
    says(&doctor.stdout, &console[1][2..]);
    let read = |path: &str| fs::read_to_string(bench.repo().join(path)).unwrap();

    // 2. A plan on a pull request.
    let stage = Stage::new("Please.", &[]);
    let stage_config = fs::read_to_string(stage.bench.repo().join(CONFIG)).unwrap();
    assert_eq!(stage_config.lines().count(), of_tests.lines().count());
    stage.push_to_base(&[(CONFIG, &scripted(&read(CONFIG), &stage_config))]);
    stage.push(&[(PLAN, &read(PLAN))]);
    let script = serde_json::json!({ "feature": { "write": { "docs/first-plan.md": "A service.\n" } } });
    stage.bench.script(&script);
    stage.happened("opened").expect(0);
    let shown = stage.github.only_comment_of(crate::support::action::NUMBER, "github-actions[bot]").body;
    says(&shown, &comments[0]);

    // 3. Approve.
    let run = OneJob::on(stage);
    says(&run.comment(), &comments[1]);

    // 4. The summary.
    run.prepare();
    run.work().expect(0);
    run.summarize(&run.keep(), "success").expect(0);
    says(&run.comment(), &comments[2]);

    // 5. Take it up.
    let zip = {
        let state = run.stage.github.state();
        let stored = state.artifacts.values().find(|stored| stored.name == "backend-implementer-run-attempt-1");
        stored.expect("the run is an artifact").zip.clone()
    };
    let folder = run.stage.bench.repo().join("run");
    zip::ZipArchive::new(std::io::Cursor::new(zip)).unwrap().extract(&folder).unwrap();
    let [download, rest @ ..] = console.last().unwrap().as_slice() else { panic!("commands") };
    // As the summary has it, but for the number of the run, which nobody knows before.
    let said = run.comment();
    assert!(download.contains(" --name backend-implementer-run-attempt-1 --dir run"), "{download}");
    assert!(said.contains(" --name backend-implementer-run-attempt-1 --dir run"), "{said}");
    assert_eq!(rest.len(), 2, "prove it, take it");
    for command in rest {
        run.stage.bench.call(command.strip_prefix("$ backend-implementer ").unwrap().split(' ')).expect(0);
    }
    let made = run.stage.bench.git(["show", "backend-implementation:docs/first-plan.md"]);
    assert_eq!(made, "A service.");

    // The same in a workflow, which opens the pull request.
    let opened = Submission::of(run).submit();
    let draft = if opened["draft"] == false { "ready" } else { "draft" };
    let head = [&opened["head"], &opened["baseRefName"]].map(|name| name.as_str().unwrap());
    let body = opened["body"].as_str().unwrap();
    says(&format!("{} → {}, {draft} for review\n{body}", head[0], head[1]), &blocks("pull-request")[0]);
}
