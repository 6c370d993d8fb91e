#![no_main]
#[expect(dead_code, reason = "a target calls one of them")]
#[path = "../checks/model.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|data: &str| checks::sinks(data));
