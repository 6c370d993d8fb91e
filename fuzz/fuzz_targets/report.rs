#![no_main]
//! Reports of subagents, and answers that hold one.
use implementer_model::report::ReadReport;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Err(error) = ReadReport::new(data) {
        assert!(error.to_string().len() < 4096, "an endless message");
    }
});
