#![no_main]
//! Commands of gates: split without a shell, and joined again.
use implementer_model::command;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &str| {
    if let Ok(argv) = command::split(data) {
        assert!(!argv.is_empty());
        let again = command::split(&command::join(&argv));
        assert_eq!(again.as_ref(), Ok(&argv), "{data:?}");
    }
});
