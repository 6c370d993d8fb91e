//! Agent files as `agents` and `plan` show them: what they say, what is not held to, and what does not count.

use crate::support::Bench;

const PLAN: &str = "# P\n\n## `helper`\nTouches: src/helper.py\n- Write the helper.\n";

fn bench(front: &str, config: &str) -> Bench {
    let bench = Bench::on_disk();
    bench.write(".backend-implementer/plan.md", PLAN);
    let file = format!("---\nname: helper\ndescription: Helps.\nrole: feature\n{front}\n---\nHelp.\n");
    bench.write(".claude/agents/helper.md", &file);
    if !config.is_empty() {
        bench.write(".github/backend-implementer.yml", config);
    }
    bench.commit("an agent file");
    bench
}

#[test]
fn the_roster_shows_model_tools_and_limits() {
    let config = "agent: {kind: claude}\nlimits: {turns: 90, cost: 5}\ntime-limit-minutes: 20\n";
    let front = "model: Claude Sonnet 4.5 (copilot)\ntools: [read, edit/editFiles, db/*]\ndisallowedTools: Bash(rm:*)\n\
                 maxTurns: 30\neffort: high\nskills: [deploying]\nmcpServers: {db: {command: db-server}}";
    let called = bench(front, config).call(["agents"]).expect(0);
    let line = "claude, model claude-sonnet-4-5; tools Read, Edit, Write, mcp__db, but not Bash(rm:*); limits 20 min, 30 turns, \
                5 dollars; effort high; MCP servers db; skills deploying";
    assert!(called.stdout.contains(line), "{}", called.stdout);
    for said in ["note[server-not-given]: the MCP server `db` is not started (`helper`)", "note[skills-not-given]"] {
        assert!(called.stdout.contains(said), "{said}\n{}", called.stdout);
    }
}

#[test]
fn what_a_program_cannot_be_held_to_is_said_before_the_run() {
    let bench = bench("tools: Read, Edit\nmodel: opus", "agent: {kind: codex}\n");
    for called in [bench.call(["plan"]).expect(0), bench.call(["plan", "--agent", "codex"]).expect(0)] {
        for said in [
            "warning[tools-not-held]: codex cannot be held to the tools",
            "warning[model-not-there]: codex has no model `opus`",
        ] {
            assert!(called.stdout.contains(said), "{said}\n{}", called.stdout);
        }
    }
    let claude = bench.call(["plan", "--agent", "claude"]).expect(0);
    assert!(!claude.stdout.contains("not-held") && !claude.stdout.contains("model-not-there"), "{}", claude.stdout);
}

#[test]
fn a_file_that_only_reads_may_touch_nothing_in_the_plan() {
    for front in ["permissionMode: plan", "disallowedTools: Write, Edit, NotebookEdit, Bash", "tools: Read, Grep, Bash"]
    {
        let called = bench(front, "").call(["plan"]).expect(0);
        let mut lines = called.stdout.lines().skip_while(|line| !line.starts_with("  helper "));
        let may_touch = lines.find(|line| line.contains("may touch")).unwrap_or_default();
        assert!(may_touch.ends_with("nothing"), "{front}: {}", called.stdout);
        assert!(called.stdout.contains("warning[role-without-tools]"), "{front}: {}", called.stdout);
    }
}

#[test]
fn what_lies_uncommitted_is_said() {
    let bench = bench("tools: Read, Edit", "");
    assert!(!bench.call(["plan"]).expect(0).stdout.contains("not-in-base"));
    bench.write(".claude/agents/helper.md", "---\nname: helper\ndescription: Changed.\nrole: feature\n---\nHelp.\n");
    bench.write(".github/agents/other.agent.md", "---\ndescription: Other.\nrole: review\n---\nReview.\n");
    bench.write(".github/backend-implementer.yml", "concurrency: 2\n");
    for command in ["plan", "agents"] {
        let called = bench.call([command]).expect(0);
        for said in [
            ".claude/agents/helper.md: warning[not-in-base]: your checkout differs from base",
            ".github/agents/other.agent.md: warning[not-in-base]: found in your checkout, not in base",
            "(also .github/backend-implementer.yml)",
        ] {
            assert!(called.stdout.contains(said), "{command}: {said}\n{}", called.stdout);
        }
    }
}

#[test]
fn the_pipeline_of_a_folder_is_left_aside_and_the_roles_are_one_block() {
    let bench = Bench::on_disk();
    for name in ["backend-orchestrator", "backend-planner", "backend-implementer", "python-pro", "penetration-tester"] {
        let file = format!("---\nname: {name}\ndescription: Works on the backend.\n---\nWork.\n");
        bench.write(&format!(".claude/agents/{name}.md"), &file);
    }
    bench.commit("a folder");
    let called = bench.call(["agents"]).expect(0);
    assert!(called.stdout.contains("10 subagents"), "{}", called.stdout);
    assert!(called.stdout.contains("note[pipeline-file]"), "{}", called.stdout);
    let block = "    subagents:\n      penetration-tester: { role: review }\n      python-pro: { role: feature }  # nothing tells it\n";
    assert!(called.stdout.contains(block), "{}", called.stdout);
    assert!(!bench.call(["plan"]).expect(0).stdout.contains("roles-guessed"), "the plan calls none of them");
}
