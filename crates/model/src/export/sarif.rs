//! Findings as SARIF 2.1.0, which code scanning of GitHub and editors read.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::bounded;
use crate::{
    findings::{Finding, FindingCode, Weight},
    handoff::Handoff,
};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// Writes the findings of a run as one SARIF log.
#[must_use]
pub fn sarif(handoff: &Handoff) -> Value {
    let codes: BTreeSet<FindingCode> = handoff.findings.iter().map(|finding| finding.code).collect();
    let rules: Vec<_> = codes.iter().map(|code| json!({ "id": code.name(), "name": code.name() })).collect();
    let results: Vec<_> = handoff.findings.iter().map(|finding| result(handoff, finding)).collect();
    let (name, version) = handoff.generator.split_once(' ').unwrap_or((&handoff.generator, ""));
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": name, "version": version, "rules": rules } },
            "automationDetails": { "id": format!("{name}/{}", handoff.place.run) },
            "versionControlProvenance": [],
            "results": results,
            "columnKind": "unicodeCodePoints",
        }],
    })
}

fn result(handoff: &Handoff, finding: &Finding) -> Value {
    let level = match finding.weight {
        Weight::Blocking => "error",
        Weight::Warning => "warning",
        Weight::Note => "note",
    };
    let mut result = json!({
        "ruleId": finding.code.name(),
        "level": level,
        "message": { "text": bounded(&finding.message) },
        "properties": { "tree": handoff.result.tree, "task": finding.task },
    });
    if let Some(path) = &finding.path {
        let region = finding.line.filter(|line| *line > 0).map(|line| json!({ "startLine": line }));
        let mut place = json!({ "artifactLocation": { "uri": uri(path) } });
        if let Some(region) = region {
            place["region"] = region;
        }
        result["locations"] = json!([{ "physicalLocation": place }]);
    }
    result
}

/// Writes a path as a relative reference: what means something in an address is escaped, byte by byte.
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' => uri.push(char::from(byte)),
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}
