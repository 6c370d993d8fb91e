#![no_main]
//! Every sink for foreign text, read back by a CommonMark parser: nothing of it is structure, and nothing goes unseen.
use implementer_model::text;
use libfuzzer_sys::fuzz_target;
use pulldown_cmark::{Event, Options, Parser, Tag};

fuzz_target!(|data: &str| {
    let escaped = text::markdown(data);
    assert!(!escaped.contains(['\n', '\r']));
    for event in Parser::new_ext(&format!("- x {escaped}\n"), Options::all()) {
        let plain = matches!(event, Event::Start(Tag::List(_) | Tag::Item | Tag::Paragraph) | Event::End(_) | Event::Text(_));
        assert!(plain, "{event:?} in {escaped:?}");
    }
    let code = format!("a {} b", text::code(data));
    assert_eq!(Parser::new(&code).filter(|event| matches!(event, Event::Code(_))).count(), 1, "{code:?}");
    let fenced = text::fenced(data, "");
    let blocks = Parser::new(&fenced).filter(|event| matches!(event, Event::Start(_))).count();
    assert_eq!(blocks, 1, "{fenced:?}");
    let line = text::line(data);
    assert!(!line.chars().any(|c| c.is_control()), "{line:?}");
    assert_eq!(text::line(&line), line);
    let inert = text::inert(&line);
    assert_eq!(text::inert(&inert), inert);
    assert!(!inert.to_lowercase().contains("[skip ci]") && !inert.contains("://"), "{inert:?}");
    let plain = text::plain(data);
    assert!(!plain.contains('\u{1b}'), "{plain:?}");
});
