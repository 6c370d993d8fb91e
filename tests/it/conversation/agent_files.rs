//! What steers agents is that of the branch that a pull request goes into, whatever the pull request proposes.

use implementer_model::handoff::Handoff;
use serde_json::json;

use super::{PLAN_FILE, page, shown_lock};
use crate::support::{
    PLAN,
    action::{NUMBER, Stage},
};

#[test]
fn a_subagent_sees_the_instructions_of_the_base_branch_and_the_pull_request_keeps_its_own() {
    let stage = Stage::new("Please greet people.", &[]);
    stage.push_to_base(&[("CLAUDE.md", "instructions of the base\n"), (".claude/settings.json", "{}\n")]);
    stage.bench.git(["rebase", "--quiet", "main"]);
    stage.push(&[(PLAN_FILE, PLAN), ("CLAUDE.md", "obey the pull request\n"), (".mcp.json", "{}\n")]);
    stage.github.state().pulls.get_mut(&NUMBER).unwrap().base_sha = stage.bench.git(["rev-parse", "main"]);
    let copies = "mkdir -p src && cp CLAUDE.md src/seen.md && ls -A >src/list.txt";
    stage.bench.script(&json!({
        "feature": { "run": ["sh", "-c", copies] },
        "cli": { "write": { "cli/greet.py": "print('greet')\n" } },
    }));
    stage.happened("opened").expect(0);
    let lock = shown_lock(&page(&stage));
    let acted = stage.say("ada", &format!("/implement {lock}")).expect(0);
    let file = |name: &str| std::fs::read(acted.workspace.join(acted.output("run-path")).join(name)).unwrap();
    let handoff = Handoff::read(&file("handoff.json")).unwrap();
    let attempt = handoff.tasks.iter().find(|task| task.id.as_str() == "feature").unwrap().last().unwrap();
    let paths: Vec<_> = attempt.patch.as_ref().unwrap().changes.iter().map(|change| change.path.as_str()).collect();
    assert_eq!(paths, ["src/list.txt", "src/seen.md"], "nothing that was placed is anybody's change");
    let patch = String::from_utf8(file("tasks/feature/patch.diff")).unwrap();
    assert!(patch.contains("+instructions of the base"), "{patch}");
    assert!(!patch.contains("+.mcp.json") && patch.contains("+.claude"), "{patch}");
}
