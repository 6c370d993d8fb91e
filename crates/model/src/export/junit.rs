//! Gates as JUnit XML, which CI systems and editors read: a suite for each gate, a case for each of its commands, and for
//! each test that its runner named as failed.

use quick_xml::{
    Writer,
    events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event},
};

use super::{TEXT_MAX, bounded, name, trouble};
use crate::{
    gate::{CommandReceipt, GateState, Receipt},
    handoff::Handoff,
    text,
};

/// Writes the gates of a run as JUnit XML.
#[must_use]
pub fn junit(handoff: &Handoff) -> String {
    let mut xml = Writer::new_with_indent(Vec::new(), b' ', 2);
    // Writing into memory does not fail.
    write(&mut xml, handoff).expect("invariant: a vector takes whatever is written");
    let text = String::from_utf8(xml.into_inner()).expect("invariant: XML of strings is UTF-8");
    text + "\n"
}

fn write(xml: &mut Writer<Vec<u8>>, handoff: &Handoff) -> std::io::Result<()> {
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let all: Vec<Vec<Case>> = handoff.gates.iter().map(cases).collect();
    let mut root = BytesStart::new("testsuites");
    root.push_attribute(("name", "backend-implementer"));
    root.push_attribute(("tests", all.iter().map(Vec::len).sum::<usize>().to_string().as_str()));
    root.push_attribute(("time", seconds(handoff.gates.iter().map(|gate| gate.duration_ms).sum()).as_str()));
    xml.write_event(Event::Start(root))?;
    for (gate, cases) in handoff.gates.iter().zip(&all) {
        let count =
            |wanted: fn(&Verdict) -> bool| cases.iter().filter(|case| wanted(&case.verdict)).count().to_string();
        let mut suite = BytesStart::new("testsuite");
        suite.push_attribute(("name", gate.gate.name()));
        suite.push_attribute(("tests", cases.len().to_string().as_str()));
        suite.push_attribute(("failures", count(|verdict| matches!(verdict, Verdict::Failed { .. })).as_str()));
        suite.push_attribute(("skipped", count(|verdict| matches!(verdict, Verdict::Skipped(_))).as_str()));
        suite.push_attribute(("errors", "0"));
        suite.push_attribute(("time", seconds(gate.duration_ms).as_str()));
        xml.write_event(Event::Start(suite))?;
        cases.iter().try_for_each(|case| write_case(xml, gate, case))?;
        xml.write_event(Event::End(BytesEnd::new("testsuite")))?;
    }
    xml.write_event(Event::End(BytesEnd::new("testsuites")))
}

fn write_case(xml: &mut Writer<Vec<u8>>, gate: &Receipt, case: &Case) -> std::io::Result<()> {
    let mut element = BytesStart::new("testcase");
    element.push_attribute(("classname", gate.gate.name()));
    element.push_attribute(("name", allowed(&case.name).as_str()));
    element.push_attribute(("time", seconds(case.duration_ms).as_str()));
    let said = match &case.verdict {
        Verdict::Passed => return xml.write_event(Event::Empty(element)),
        Verdict::Failed { message, output } => ("failure", message, output),
        Verdict::Skipped(message) => ("skipped", message, &String::new()),
    };
    let (kind, message, output) = said;
    xml.write_event(Event::Start(element))?;
    let mut verdict = BytesStart::new(kind);
    verdict.push_attribute(("message", allowed(message).as_str()));
    xml.write_event(Event::Start(verdict))?;
    xml.write_event(Event::Text(BytesText::new(&allowed(output))))?;
    xml.write_event(Event::End(BytesEnd::new(kind)))?;
    xml.write_event(Event::End(BytesEnd::new("testcase")))
}

/// One case of a suite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Case {
    pub(super) name: String,
    pub(super) duration_ms: u64,
    pub(super) verdict: Verdict,
}

/// What became of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    Passed,
    Failed { message: String, output: String },
    Skipped(String),
}

/// Returns the cases of a gate: its commands with the tests that failed, its subagent's verdict, and the gate itself where
/// none of them says why it did not pass.
pub(super) fn cases(gate: &Receipt) -> Vec<Case> {
    let mut cases: Vec<Case> = gate.commands.iter().flat_map(of_command).collect();
    if let Some(verdict) = &gate.verdict {
        let said = if verdict.passed {
            Verdict::Passed
        } else {
            Verdict::Failed { message: bounded(&verdict.reason), output: String::new() }
        };
        cases.push(Case { name: format!("verdict of {}", verdict.task), duration_ms: 0, verdict: said });
    }
    let said_why = cases.iter().any(|case| case.verdict != Verdict::Passed);
    if !said_why && gate.state != GateState::Passed {
        let message = bounded(&gate.reason);
        let verdict = match gate.state {
            GateState::Failed => Verdict::Failed { message, output: String::new() },
            _ => Verdict::Skipped(message),
        };
        cases.push(Case { name: format!("gate {}", gate.gate), duration_ms: gate.duration_ms, verdict });
    }
    cases
}

fn of_command(command: &CommandReceipt) -> Vec<Case> {
    let verdict = match trouble(command) {
        None => Verdict::Passed,
        Some(message) => Verdict::Failed { message, output: bounded(&command.output_tail) },
    };
    let own = Case { name: name(command), duration_ms: command.duration_ms, verdict };
    let failing = command.failing.iter().map(|test| Case {
        name: text::line(&test.name),
        duration_ms: 0,
        verdict: Verdict::Failed { message: "failed".to_owned(), output: bounded(&test.message) },
    });
    std::iter::once(own).chain(failing).collect()
}

/// Takes out what XML 1.0 cannot hold, escaped or not.
fn allowed(text: &str) -> String {
    let holds = |c: &char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    text.chars().filter(holds).take(TEXT_MAX).collect()
}

fn seconds(ms: u64) -> String {
    format!("{}.{:03}", ms / 1_000, ms % 1_000)
}
