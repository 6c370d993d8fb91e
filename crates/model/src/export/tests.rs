//! The formats of other tools: right for a good run and a bad one, and unmoved by hostile text.

use quick_xml::{Reader, events::Event};
use serde_json::Value;

use super::*;
use crate::{handoff::Handoff, run::JudgedGate, run::test_support::conclude, summary::fixture};

const STARTED: u64 = 1_790_000_000_000;

fn concluded(mut handoff: Handoff) -> Handoff {
    conclude(&mut handoff);
    handoff
}

fn judged(handoff: &Handoff) -> Vec<JudgedGate> {
    handoff.gates.iter().map(|receipt| JudgedGate { receipt: receipt.clone(), began_ms: 600_000 }).collect()
}

#[test]
fn findings_are_results_with_places_and_rules() {
    let handoff = concluded(fixture::incomplete());
    let log = sarif(&handoff);
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), handoff.findings.len());
    let rules: Vec<_> = run["tool"]["driver"]["rules"].as_array().unwrap().iter().map(|rule| &rule["id"]).collect();
    for (result, finding) in results.iter().zip(&handoff.findings) {
        assert!(rules.contains(&&result["ruleId"]));
        assert_eq!(result["ruleId"], finding.code.name());
        let line = finding.line.map_or(Value::Null, Into::into);
        assert_eq!(result["locations"][0]["physicalLocation"]["region"]["startLine"], line);
    }
    assert!(results.iter().any(|result| result["level"] == "error"));
}

#[test]
fn junit_is_xml_whatever_stands_in_it() {
    let hostile = "]]></failure><x a=\"\u{1}&\u{ffff}\u{1b}[31m'";
    for handoff in [fixture::complete(), fixture::incomplete(), fixture::cancelled(), fixture::hostile(hostile)] {
        let xml = junit(&concluded(handoff));
        let (mut reader, mut elements) = (Reader::from_str(&xml), Vec::new());
        reader.config_mut().check_end_names = true;
        loop {
            match reader.read_event().unwrap_or_else(|error| panic!("{error}: {xml}")) {
                Event::Eof => break,
                Event::Start(element) | Event::Empty(element) => {
                    elements.push(element.name().as_ref().to_owned());
                    element.attributes().for_each(|attribute| drop(attribute.unwrap()));
                }
                _ => {}
            }
        }
        let known = ["testsuites", "testsuite", "testcase", "failure", "skipped"];
        assert!(elements.iter().all(|element| known.contains(&element.as_str())), "{elements:?}");
    }
}

#[test]
fn a_failed_gate_is_a_failure_in_both_formats() {
    let handoff = concluded(fixture::incomplete());
    let xml = junit(&handoff);
    assert!(xml.contains("<failure message=\"exit code 1\">") && xml.contains("AssertionError: 404 != 200"), "{xml}");
    let report = ctrf(&handoff, STARTED);
    let summary = &report["results"]["summary"];
    let tests = report["results"]["tests"].as_array().unwrap();
    assert_eq!(summary["tests"], tests.len());
    assert!(summary["failed"].as_u64().unwrap() > 0);
    assert_eq!(summary["stop"].as_u64().unwrap() - summary["start"].as_u64().unwrap(), handoff.duration_ms);
    let passed = ctrf(&concluded(fixture::complete()), STARTED);
    assert_eq!(passed["results"]["summary"]["failed"], 0);
}

#[test]
fn the_timeline_has_names_arrows_and_absolute_times() {
    let mut handoff = concluded(fixture::complete());
    let first = handoff.schedule.tasks[0].id.clone();
    handoff.schedule.tasks.last_mut().unwrap().needs = vec![first];
    let drawn = serde_json::to_value(timeline(&handoff, &judged(&handoff), STARTED)).unwrap();
    let events = drawn["traceEvents"].as_array().unwrap();
    let of = |ph: &str| events.iter().filter(|event| event["ph"] == ph).collect::<Vec<_>>();
    let attempts: usize = handoff.tasks.iter().map(|task| task.attempts.len()).sum();
    assert_eq!(of("X").len(), attempts + handoff.gates.len());
    assert!(of("X").iter().all(|event| event["ts"].as_u64().unwrap() >= STARTED * 1_000));
    assert_eq!(of("s").len(), of("f").len());
    assert!(!of("s").is_empty(), "what waited for what is drawn");
    let names: Vec<_> = of("M").iter().map(|event| event["args"]["name"].clone()).collect();
    assert!(names.contains(&Value::from("tests")) && names.contains(&Value::from("gate tests")), "{names:?}");
}

#[test]
fn the_trace_has_a_span_for_the_run_each_attempt_and_each_gate() {
    let handoff = concluded(fixture::incomplete());
    let sent = otlp(&handoff, &judged(&handoff), STARTED, Some("https://example.invalid/runs/1"));
    let spans = sent["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap();
    let attempts: usize = handoff.tasks.iter().map(|task| task.attempts.len()).sum();
    assert_eq!(spans.len(), 1 + attempts + handoff.gates.len());
    let root = &spans[0];
    for span in spans {
        assert_eq!(span["traceId"].as_str().unwrap().len(), 32);
        assert_eq!(span["spanId"].as_str().unwrap().len(), 16);
        assert!(span["spanId"] == root["spanId"] || span["parentSpanId"] == root["spanId"]);
        let at = |key: &str| span[key].as_str().unwrap().parse::<u128>().unwrap();
        assert!(at("startTimeUnixNano") <= at("endTimeUnixNano"));
    }
    let said = sent.to_string();
    for name in ["cicd.pipeline.result", "cicd.pipeline.task.run.result", "gen_ai.agent.name", "gen_ai.provider.name"] {
        assert!(said.contains(name), "{name}");
    }
}

/// The rules of the Trace Event Format, as far as we use it: what Perfetto would pass over or draw in the wrong place.
#[test]
fn every_event_of_the_timeline_keeps_to_the_trace_event_format() {
    for handoff in [fixture::complete(), fixture::incomplete(), fixture::cancelled(), fixture::large(false)] {
        let handoff = concluded(handoff);
        let trace = serde_json::to_value(timeline(&handoff, &judged(&handoff), STARTED)).unwrap();
        assert!(["ms", "ns"].contains(&trace["displayTimeUnit"].as_str().unwrap()));
        let events = trace["traceEvents"].as_array().unwrap();
        let whole = |event: &Value, field: &str| event[field].as_u64().unwrap_or_else(|| panic!("{field} of {event}"));
        let slices: Vec<&Value> = events.iter().filter(|event| event["ph"] == "X").collect();
        let mut flows: std::collections::BTreeMap<u64, Vec<&Value>> = std::collections::BTreeMap::new();
        let mut rows = std::collections::BTreeSet::new();
        for event in events {
            assert!(!event["name"].as_str().unwrap().is_empty() && whole(event, "pid") == 1, "{event}");
            let row = whole(event, "tid");
            match event["ph"].as_str().unwrap() {
                "M" => {
                    let name = event["name"].as_str().unwrap();
                    let field = if name == "thread_sort_index" { "sort_index" } else { "name" };
                    assert!(["process_name", "thread_name", "thread_sort_index"].contains(&name), "{event}");
                    assert!(!event["args"][field].is_null(), "{event}");
                    rows.extend((name == "thread_name").then_some(row));
                }
                "X" => {
                    // Microseconds since 1970: a number of 16 digits.
                    assert!(whole(event, "ts") >= STARTED * 1_000, "{event}");
                    whole(event, "dur");
                    assert!(event["cat"].is_string() && event["args"].is_object() && rows.contains(&row), "{event}");
                }
                "s" | "f" => flows.entry(whole(event, "id")).or_default().push(event),
                other => panic!("a phase that we do not use: {other}"),
            }
        }
        // An arrow has two ends of one name and category, and each end lies on a slice of its row; the later end binds to the
        // slice around it.
        for (id, ends) in flows {
            let [start, finish] = ends.as_slice() else { panic!("flow {id} has {} ends", ends.len()) };
            assert_eq!((&start["ph"], &finish["ph"], &finish["bp"]), (&"s".into(), &"f".into(), &"e".into()));
            assert_eq!((&start["name"], &start["cat"]), (&finish["name"], &finish["cat"]));
            assert!(whole(start, "ts") <= whole(finish, "ts"), "{start} {finish}");
            for end in [start, finish] {
                let at = whole(end, "ts");
                let on_slice = slices.iter().any(|slice| {
                    let from = whole(slice, "ts");
                    slice["tid"] == end["tid"] && from <= at && at <= from + whole(slice, "dur")
                });
                assert!(on_slice, "{end} lies on no slice");
            }
        }
    }
}
