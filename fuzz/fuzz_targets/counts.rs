#![no_main]
//! What commands print: closing words of test runners.
use implementer_model::evidence;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &str| {
    if let Some(words) = evidence::words::read(data) {
        let _ = words.counts.executed();
    }
});
