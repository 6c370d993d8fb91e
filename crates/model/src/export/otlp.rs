//! A run as a trace of OpenTelemetry, in the JSON form of OTLP: a span for the run, one for each attempt of a subagent, one for
//! each gate. Names are those of the semantic conventions for CI/CD and for generative AI.

use serde_json::{Value, json};

use crate::{
    gate::GateState,
    handoff::Handoff,
    ids::Digest,
    record::{AttemptRecord, Outcome, Status},
    run::JudgedGate,
};

/// Writes a run that began at `started_unix_ms` as the body of a request to `/v1/traces`. `url` is the page of the run.
#[must_use]
pub fn otlp(handoff: &Handoff, gates: &[JudgedGate], started_unix_ms: u64, url: Option<&str>) -> Value {
    let (service, version) = handoff.generator.split_once(' ').unwrap_or((&handoff.generator, ""));
    let trace = Trace { id: hex(&handoff.place.run, 32), started_unix_ms };
    let root = hex(&format!("{}/run", handoff.place.run), 16);
    let result = match handoff.status {
        Status::Complete => "success",
        Status::Incomplete => "failure",
        Status::Cancelled => "cancellation",
    };
    let mut about = vec![
        text("cicd.pipeline.name", "backend implementation"),
        text("cicd.pipeline.run.id", &handoff.place.run),
        text("cicd.pipeline.action.name", "RUN"),
        text("cicd.pipeline.result", result),
        text("vcs.ref.head.revision", handoff.result.base.as_str()),
    ];
    about.extend(url.map(|url| text("cicd.pipeline.run.url.full", url)));
    let times = (0, handoff.duration_ms);
    let mut spans = vec![trace.span(&root, None, "RUN backend implementation", times, &about, result == "success")];
    for record in &handoff.tasks {
        for attempt in &record.attempts {
            let id = hex(&format!("{}/{}#{}", handoff.place.run, record.id, attempt.attempt), 16);
            let subagent = handoff.schedule.task(&record.id).map_or("", |task| task.subagent.as_str());
            let name = format!("invoke_agent {subagent}");
            let about = of_attempt(handoff, record.id.as_str(), subagent, attempt);
            let passed = attempt.outcome == Outcome::Passed;
            spans.push(trace.span(&id, Some(&root), &name, (attempt.started_ms, attempt.ended_ms), &about, passed));
        }
    }
    for (number, JudgedGate { receipt, began_ms }) in (1..).zip(gates) {
        let id = hex(&format!("{}/gate/{number}", handoff.place.run), 16);
        let about = vec![
            text("cicd.pipeline.task.name", &format!("gate {}", receipt.gate)),
            text("cicd.pipeline.task.type", "test"),
            text("cicd.pipeline.task.run.id", &format!("{}/gate/{number}", handoff.place.run)),
            text("cicd.pipeline.task.run.result", of_gate(receipt.state)),
        ];
        let times = (*began_ms, began_ms.saturating_add(receipt.duration_ms));
        let name = format!("gate {}", receipt.gate);
        spans.push(trace.span(&id, Some(&root), &name, times, &about, receipt.state == GateState::Passed));
    }
    json!({
        "resourceSpans": [{
            "resource": { "attributes": [text("service.name", service), text("service.version", version)] },
            "scopeSpans": [{ "scope": { "name": service, "version": version }, "spans": spans }],
        }],
    })
}

fn of_attempt(handoff: &Handoff, task: &str, subagent: &str, attempt: &AttemptRecord) -> Vec<Value> {
    let mut about = vec![
        text("cicd.pipeline.task.name", task),
        text("cicd.pipeline.task.type", "build"),
        text("cicd.pipeline.task.run.id", &format!("{}/{task}#{}", handoff.place.run, attempt.attempt)),
        text("cicd.pipeline.task.run.result", of_outcome(attempt.outcome)),
        text("gen_ai.operation.name", "invoke_agent"),
        text("gen_ai.agent.name", subagent),
    ];
    let Some(session) = &attempt.session else { return about };
    about.push(text("gen_ai.provider.name", provider(&session.agent)));
    about.extend(session.model.as_ref().map(|model| text("gen_ai.request.model", model)));
    about.extend(session.id.as_ref().map(|id| text("gen_ai.conversation.id", id)));
    if !session.tokens.is_none() {
        about.push(number("gen_ai.usage.input_tokens", session.tokens.input));
        about.push(number("gen_ai.usage.output_tokens", session.tokens.output));
    }
    about.extend(session.micro_dollars.map(|micro| number("backend_implementer.cost.micro_dollars", micro)));
    about
}

/// Names who serves the models of an agent program, in the words of the conventions where they have one.
fn provider(agent: &str) -> &str {
    match agent {
        "claude" => "anthropic",
        "codex" => "openai",
        "gemini" => "gcp.gemini",
        other => other,
    }
}

fn of_outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Passed => "success",
        Outcome::Failed
        | Outcome::OutOfScope
        | Outcome::Unproven
        | Outcome::Unreported
        | Outcome::Conflicted
        | Outcome::Blocked
        | Outcome::BudgetExhausted
        | Outcome::TurnsExhausted => "failure",
        Outcome::TimedOut => "timeout",
        Outcome::Cancelled => "cancellation",
        Outcome::NotRun => "skip",
    }
}

fn of_gate(state: GateState) -> &'static str {
    match state {
        GateState::Passed => "success",
        GateState::Failed => "failure",
        GateState::Skipped | GateState::NotRun => "skip",
    }
}

struct Trace {
    id: String,
    started_unix_ms: u64,
}

impl Trace {
    fn span(
        &self,
        id: &str,
        parent: Option<&str>,
        name: &str,
        (from, to): (u64, u64),
        attributes: &[Value],
        well: bool,
    ) -> Value {
        let nanos = |ms: u64| u128::from(self.started_unix_ms.saturating_add(ms)) * 1_000_000;
        let mut span = json!({
            "traceId": self.id, "spanId": id, "name": name, "kind": 1,
            // OTLP writes numbers of 64 bits as strings.
            "startTimeUnixNano": nanos(from).to_string(), "endTimeUnixNano": nanos(to).to_string(),
            "attributes": attributes,
            "status": if well { json!({ "code": 1 }) } else { json!({ "code": 2 }) },
        });
        if let Some(parent) = parent {
            span["parentSpanId"] = parent.into();
        }
        span
    }
}

fn text(key: &str, value: &str) -> Value {
    json!({ "key": key, "value": { "stringValue": value } })
}

fn number(key: &str, value: u64) -> Value {
    json!({ "key": key, "value": { "intValue": value.to_string() } })
}

/// Returns an id of hexadecimal digits that is the same for the same thing, so that sending a run twice makes no second trace.
fn hex(of: &str, digits: usize) -> String {
    Digest::from_content(of).as_str().trim_start_matches("sha256:").chars().take(digits).collect()
}
