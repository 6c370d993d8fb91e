#![no_main]
//! Files in which test runners write results: JUnit and others.
use implementer_model::evidence;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(results) = evidence::formats::read(data) {
        let _ = results.counts();
    }
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = evidence::counts::from_junit(text);
    }
});
