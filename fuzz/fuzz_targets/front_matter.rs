#![no_main]
//! Agent files: their front matter is often no strict YAML.
use implementer_model::{config::Config, roster};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let path = ".claude/agents/backend-x.md".to_owned();
    let loaded = roster::load(&[roster::AgentFile { path, content: data.to_vec() }], &Config::default());
    assert!(loaded.roster.iter().count() >= 8, "the eight stay");
});
