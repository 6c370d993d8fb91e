//! The comments that docs/images shows, as a pull request gets them: scripts/pictures runs this, and draws what it leaves.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::{PLAN_FILE, page, shown_lock};
use crate::support::{Bench, action::Stage};

/// The files that a repository has committed, by their paths.
fn committed(repository: &Path) -> Vec<(String, String)> {
    let listed = Command::new("git").arg("-C").arg(repository).args(["ls-files", "-z"]).output().unwrap();
    let paths = String::from_utf8(listed.stdout).unwrap();
    let read = |path: &str| (path.to_owned(), fs::read_to_string(repository.join(path)).unwrap());
    paths.split_terminator('\0').map(read).collect()
}

/// Lets a pull request bring the plan of a repository, approves it, and keeps the preview and the summary.
fn drawn(repository: &Path, agent: &str, code: i32) -> [String; 2] {
    let files = committed(repository);
    assert!(!files.is_empty(), "{}", repository.display());
    let plan = &files.iter().find(|(path, _)| path == PLAN_FILE).expect("a plan").1;
    let bench = Bench::on_disk();
    bench.git(["rm", "--quiet", "test_base.py"]);
    for (path, text) in files.iter().filter(|(path, _)| path != PLAN_FILE) {
        let further = if path == ".github/backend-implementer.yml" { agent } else { "" };
        bench.write(path, &format!("{text}{further}"));
    }
    bench.commit("the repository");
    let stage = Stage::with(bench, "", &[(PLAN_FILE, plan)]);
    stage.happened("opened").expect(0);
    let preview = page(&stage);
    stage.say("ada", &format!("/implement {}", shown_lock(&preview))).expect(code);
    // As from GitHub itself.
    let server = stage.github.server_url();
    let host = server.split_once("://").expect("an address").1.to_owned();
    let as_of_github = |page: String| page.replace(&server, "https://github.com").replace(&host, "github.com");
    [preview, page(&stage)].map(as_of_github)
}

#[test]
#[ignore = "scripts/pictures runs it, which names the folder with the repositories"]
fn what_a_pull_request_shows() {
    let work = PathBuf::from(std::env::var_os("IMPLEMENTER_PICTURES").expect("the folder of scripts/pictures"));
    let subagents = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/users-service/subagents/subagent.py");
    let scripted = format!("\nagent:\n  kind: command\n  command: [python3, -B, {subagents}]\n");
    let shown = [
        ("success", "success-80/users-service", scripted.as_str(), 0, "gh run download"),
        ("rework", "rework-repository", "", 1, "/implement retry feature"),
        ("many", "many-repository", "", 1, "/implement retry\n"),
    ];
    for (name, repository, agent, code, next) in shown {
        let [preview, summary] = drawn(&work.join(repository), agent, code);
        let stands = summary.contains(next) && !summary.contains("Permission denied");
        assert!(stands, "{name}: {summary}");
        fs::write(work.join(format!("{name}-preview.md")), preview).unwrap();
        fs::write(work.join(format!("{name}-comment.md")), summary).unwrap();
    }
}
