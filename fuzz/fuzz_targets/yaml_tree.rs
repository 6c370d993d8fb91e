#![no_main]
//! YAML with positions, which the configuration and plans are read from.
use implementer_model::yaml;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &str| {
    let _ = yaml::tree::parse(data);
    let _ = yaml::mapping(data);
});
