#![no_main]
//! Payloads of GitHub's events, and commands in comments.
use implementer_model::conversation;
use libfuzzer_sys::fuzz_target;

const EVENTS: [&str; 5] = ["pull_request", "issue_comment", "workflow_dispatch", "push", "workflow_call"];

fuzz_target!(|data: &[u8]| {
    let Some((first, payload)) = data.split_first() else { return };
    let _ = conversation::event::read(EVENTS[usize::from(*first) % EVENTS.len()], payload);
    if let Ok(comment) = std::str::from_utf8(payload) {
        let _ = conversation::command::read(comment);
    }
});
