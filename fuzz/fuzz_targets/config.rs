#![no_main]
//! The configuration.
use implementer_model::config::Config;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &str| {
    match Config::read("c.yml", data, &["command", "claude", "codex", "gemini", "opencode"]) {
        Ok(_) => {}
        Err(problems) => assert!(!problems.is_empty()),
    }
});
