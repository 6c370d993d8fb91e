//! Sends the trace of a run where an endpoint of OpenTelemetry is set, as OTLP over HTTP in JSON. The body is the run's own file
//! `trace.otlp.json`. No library: one request with a body that is there already needs none.

use std::{collections::BTreeMap, io, path::Path, time::Duration};

use crate::{
    http::{self, Timeouts},
    layout::RunFile,
};

/// How long sending may take: a run does not wait for whoever looks at it.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Why a trace could not be sent.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The run's file cannot be read.
    #[error("cannot read the trace of the run")]
    Read(#[source] io::Error),
    /// No client can be made.
    #[error("cannot set up TLS")]
    Client(#[source] reqwest::Error),
    /// The endpoint does not answer.
    #[error("the endpoint {endpoint} did not take the trace: {why}")]
    Send {
        /// The address, without what may be secret in it.
        endpoint: String,
        /// What went wrong.
        why: String,
    },
}

/// Sends the trace of the run in `folder`, where the environment names an endpoint. Returns whether it does.
///
/// # Errors
/// When the endpoint does not take it. The run is not touched by that.
pub async fn send(folder: &Path, environment: &BTreeMap<String, String>) -> Result<bool, TelemetryError> {
    let Some(endpoint) = endpoint(environment) else { return Ok(false) };
    let body = tokio::fs::read(folder.join(RunFile::Trace)).await.map_err(TelemetryError::Read)?;
    let client = http::client(Timeouts::Whole(TIMEOUT)).map_err(TelemetryError::Client)?;
    let mut request = client.post(&endpoint).header("content-type", "application/json").body(body);
    for (name, value) in headers(environment) {
        request = request.header(name, value);
    }
    let shown = || endpoint.split(['?', '@']).next_back().unwrap_or_default().to_owned();
    let response = request
        .send()
        .await
        .map_err(|error| TelemetryError::Send { endpoint: shown(), why: http::cause(&error).to_owned() })?;
    if !response.status().is_success() {
        return Err(TelemetryError::Send { endpoint: shown(), why: format!("HTTP status {}", response.status()) });
    }
    Ok(true)
}

/// Returns the address for traces, by the names of OpenTelemetry's specification.
fn endpoint(environment: &BTreeMap<String, String>) -> Option<String> {
    let set = |name: &str| environment.get(name).map(|value| value.trim()).filter(|value| !value.is_empty());
    if set("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"))
        || set("OTEL_TRACES_EXPORTER").is_some_and(|value| value == "none")
    {
        return None;
    }
    let own = set("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT").map(str::to_owned);
    own.or_else(|| Some(format!("{}/v1/traces", set("OTEL_EXPORTER_OTLP_ENDPOINT")?.trim_end_matches('/'))))
}

/// Returns the headers that the environment asks for: `name=value` pairs with commas between them, values percent-encoded.
fn headers(environment: &BTreeMap<String, String>) -> Vec<(String, String)> {
    let names = ["OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS"];
    let Some(said) = names.iter().find_map(|name| environment.get(*name)) else { return Vec::new() };
    let pairs = said.split(',').filter_map(|pair| pair.split_once('='));
    pairs
        .map(|(name, value)| {
            let value = percent_encoding::percent_decode_str(value.trim()).decode_utf8_lossy().into_owned();
            (name.trim().to_owned(), value)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn the_address_is_the_one_of_the_specification() {
        let base = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318/");
        for (set, expected) in [
            (&[][..], None),
            (&[base], Some("http://127.0.0.1:4318/v1/traces")),
            (&[base, ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://x/y")], Some("http://x/y")),
            (&[base, ("OTEL_SDK_DISABLED", "true")], None),
            (&[base, ("OTEL_TRACES_EXPORTER", "none")], None),
            (&[("OTEL_EXPORTER_OTLP_ENDPOINT", " ")], None),
        ] {
            assert_eq!(endpoint(&environment(set)).as_deref(), expected, "{set:?}");
        }
    }

    #[test]
    fn headers_are_decoded() {
        let set = environment(&[("OTEL_EXPORTER_OTLP_HEADERS", "api-key=a%20b, x=1")]);
        assert_eq!(headers(&set), [("api-key", "a b"), ("x", "1")].map(|(n, v)| (n.to_owned(), v.to_owned())));
    }

    #[tokio::test]
    async fn a_trace_is_posted_and_a_refusal_is_an_error() {
        use wiremock::{Mock, MockServer, ResponseTemplate, matchers};
        let server = MockServer::start().await;
        let body = r#"{"resourceSpans":[]}"#;
        Mock::given(matchers::method("POST"))
            .and(matchers::path("/v1/traces"))
            .and(matchers::header("content-type", "application/json"))
            .and(matchers::header("api-key", "k"))
            .and(matchers::body_string(body))
            .respond_with(ResponseTemplate::new(200))
            .expect(1)
            .mount(&server)
            .await;
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(RunFile::Trace), body).unwrap();
        let mut set = environment(&[("OTEL_EXPORTER_OTLP_HEADERS", "api-key=k")]);
        assert!(!send(folder.path(), &set).await.unwrap(), "nothing is sent where nothing is set");
        set.insert("OTEL_EXPORTER_OTLP_ENDPOINT".to_owned(), server.uri());
        assert!(send(folder.path(), &set).await.unwrap());
        set.insert("OTEL_EXPORTER_OTLP_ENDPOINT".to_owned(), format!("{}/elsewhere", server.uri()));
        assert!(send(folder.path(), &set).await.unwrap_err().to_string().contains("404"));
    }
}
