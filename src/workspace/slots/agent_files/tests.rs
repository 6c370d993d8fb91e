use std::os::unix::fs::symlink;

use implementer_model::ids::{ObjectId, TaskId};

use crate::workspace::{
    slots::{Slot, SlotPool},
    test_support::{TestRepository, contents, describe, left_out, write},
};

/// A repository in whose last commit a pull request has changed what steers agents, and a slot that holds it.
async fn stand() -> (TestRepository, SlotPool, Slot, ObjectId) {
    let repository = TestRepository::new();
    repository.write("CLAUDE.md", "base\n");
    repository.write(".mcp.json", "{}\n");
    repository.write("sub/AGENTS.md", "base\n");
    std::fs::create_dir_all(repository.path().join(".codex")).unwrap();
    symlink("../README.md", repository.path().join(".codex/linked")).unwrap();
    repository.commit("rules");
    let store = repository.store();
    let rules = store.resolve("HEAD").unwrap().tree;
    repository.write("CLAUDE.md", "obey me\n");
    repository.write(".claude/settings.json", "{\"hooks\": 1}\n");
    repository.write("src/new.py", "x\n");
    std::fs::remove_file(repository.path().join(".mcp.json")).unwrap();
    std::fs::remove_dir_all(repository.path().join("sub")).unwrap();
    repository.write(".codex/linked", "no link any more\n");
    let head = repository.commit("a pull request");
    let pool = SlotPool::new(store, &repository.beside("slots")).unwrap();
    let slot = pool.acquire(&head, Some(&TaskId::new("feature").unwrap())).await.unwrap();
    (repository, pool, slot, rules)
}

fn read(slot: &Slot, path: &str) -> Option<String> {
    std::fs::read_to_string(slot.path().join(path)).ok()
}

#[tokio::test]
async fn what_steers_agents_is_that_of_the_rules_and_nobodys_change() {
    let (_repository, _pool, slot, rules) = stand().await;
    let before = contents(slot.path());
    let placed = slot.place_agent_files(&rules, true).await.unwrap();
    assert_eq!(read(&slot, "CLAUDE.md").as_deref(), Some("base\n"));
    assert_eq!(read(&slot, ".mcp.json").as_deref(), Some("{}\n"), "what the pull request deleted is there again");
    assert_eq!(read(&slot, "sub/AGENTS.md").as_deref(), Some("base\n"));
    assert_eq!(read(&slot, ".claude/settings.json"), None, "what the pull request added is not");
    assert_eq!(std::fs::read_link(slot.path().join(".codex/linked")).unwrap().to_str(), Some("../README.md"));
    assert_eq!(read(&slot, "src/new.py").as_deref(), Some("x\n"), "nothing else is touched");
    write(slot.path(), "src/work.py", "y\n");

    slot.take_back_agent_files(placed).await.unwrap();
    let captured = slot.capture().await.unwrap();
    assert_eq!(describe(&captured.patch), ["A src/work.py +1 -0"]);
    assert_eq!(left_out(&captured), Vec::<String>::new());
    std::fs::remove_file(slot.path().join("src/work.py")).unwrap();
    let files = |all: std::collections::BTreeMap<String, (u32, Vec<u8>)>| {
        all.into_iter().filter(|(path, _)| path.contains('.')).collect::<Vec<_>>()
    };
    assert_eq!(files(contents(slot.path())), files(before));
}

#[tokio::test]
async fn what_a_subagent_changes_there_is_its_change() {
    let (_repository, _pool, slot, rules) = stand().await;
    let placed = slot.place_agent_files(&rules, true).await.unwrap();
    write(slot.path(), "CLAUDE.md", "mine\n");
    write(slot.path(), ".claude/settings.json", "mine\n");
    std::fs::remove_file(slot.path().join(".mcp.json")).unwrap();
    slot.take_back_agent_files(placed).await.unwrap();
    let patch = slot.capture().await.unwrap().patch;
    // Deleting what was placed leaves the folder as the pull request has it: no change.
    assert_eq!(describe(&patch), ["M .claude/settings.json +1 -1", "M CLAUDE.md +1 -1"]);
}

#[tokio::test]
async fn no_link_leads_out_of_the_folder() {
    let (repository, _pool, slot, rules) = stand().await;
    let outside = repository.beside("outside");
    std::fs::create_dir_all(outside.join("sub")).unwrap();
    let placed = slot.place_agent_files(&rules, true).await.unwrap();
    // Where a file is to be put back, and where one is to be taken away again.
    std::fs::remove_dir_all(slot.path().join(".claude")).ok();
    symlink(&outside, slot.path().join(".claude")).unwrap();
    std::fs::remove_dir_all(slot.path().join("sub")).unwrap();
    symlink(outside.join("sub"), slot.path().join("sub")).unwrap();
    std::fs::write(outside.join("sub/AGENTS.md"), "base\n").unwrap();
    slot.take_back_agent_files(placed).await.unwrap();
    assert!(!outside.join("settings.json").exists());
    assert!(outside.join("sub/AGENTS.md").exists());
    let patch = slot.capture().await.unwrap().patch;
    assert!(describe(&patch).iter().any(|line| line.starts_with("A sub ")), "{:?}", describe(&patch));
}

#[tokio::test]
async fn where_the_rules_are_the_same_nothing_is_done() {
    let (_repository, _pool, slot, _) = stand().await;
    let before = contents(slot.path());
    let placed = slot.place_agent_files(&slot.base().tree.clone(), true).await.unwrap();
    assert_eq!(contents(slot.path()), before);
    slot.take_back_agent_files(placed).await.unwrap();
    assert_eq!(contents(slot.path()), before);
}

#[tokio::test]
async fn without_settings_there_are_none_and_instructions_are_those_of_the_rules() {
    let (_repository, _pool, slot, rules) = stand().await;
    let placed = slot.place_agent_files(&rules, false).await.unwrap();
    assert_eq!(read(&slot, "CLAUDE.md").as_deref(), Some("base\n"));
    for settings in [".claude/settings.json", ".mcp.json", ".codex/linked"] {
        assert!(std::fs::symlink_metadata(slot.path().join(settings)).is_err(), "{settings}");
    }
    slot.take_back_agent_files(placed).await.unwrap();
    assert_eq!(describe(&slot.capture().await.unwrap().patch), Vec::<String>::new());

    // Also where the folder holds the tree with the rules itself.
    let own = slot.base().tree.clone();
    let placed = slot.place_agent_files(&own, false).await.unwrap();
    assert_eq!(read(&slot, ".claude/settings.json"), None);
    slot.take_back_agent_files(placed).await.unwrap();
    assert_eq!(describe(&slot.capture().await.unwrap().patch), Vec::<String>::new());
}
