#![no_main]
//! Hand-offs, and the pages that are made of them.
use implementer_model::{handoff::Handoff, summary};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(handoff) = Handoff::read(data) {
        let page = summary::render_within(&handoff, 65_536);
        assert!(page.starts_with("## Backend Implementation "));
        let html = summary::html::report(&handoff);
        assert!(!html.contains("<script"));
    }
});
