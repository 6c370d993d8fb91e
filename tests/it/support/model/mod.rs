//! A model of our own for the tests: a server on loopback that answers the real agent programs in their dialects, by a
//! script. What comes next follows from the conversation that a request carries, never from a counter: programs retry.

mod dialects;

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex, PoisonError},
    thread,
    time::Duration,
};

use serde_json::Value;

use self::dialects::Dialect;

/// How long a test waits for something that has to happen.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a model does next.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Step {
    /// Runs a command.
    Run(String),
    /// Writes a new file, at a path relative to the work tree.
    Create(String, String),
    /// Calls a tool by the name that its program has for it, whatever comes of it.
    Call(String, Value),
    /// Says something, which ends its turn.
    Say(String),
    /// Answers with a report: as the structured answer where the program takes one.
    Report(Value),
    /// The request fails with this status.
    Fail(u16),
    /// The answer breaks off in the middle.
    Cut,
    /// No answer comes, until the program goes away.
    Hang,
    /// The model refuses.
    Refuse,
}

/// What a request asks for.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// The task, as the brief in the conversation names it.
    pub(crate) task: String,
    /// The attempt.
    pub(crate) attempt: u32,
    /// How many calls of tools have been answered.
    pub(crate) done: usize,
    /// Whether the program was told that its answer is no valid report.
    pub(crate) repair: bool,
    /// The model that is asked for.
    pub(crate) model: String,
    /// The tools that are offered.
    pub(crate) tools: Vec<String>,
    /// The whole request.
    pub(crate) body: String,
}

type Script = Box<dyn Fn(&Asked) -> Step + Send + Sync>;

/// A model.
pub(crate) struct ScriptedModel {
    url: String,
    shared: Arc<Shared>,
}

struct Shared {
    script: Script,
    asked: Mutex<Vec<Asked>>,
    more: Condvar,
}

impl ScriptedModel {
    /// Starts a model that follows a script. Requests that are no work, such as for a title, are answered by itself.
    pub(crate) fn start(script: impl Fn(&Asked) -> Step + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port on loopback");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let shared = Arc::new(Shared { script: Box::new(script), asked: Mutex::default(), more: Condvar::new() });
        let serving = Arc::clone(&shared);
        // It ends with the test's process: every test has one of its own.
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&serving);
                thread::spawn(move || drop(serve(&shared, stream)));
            }
        });
        Self { url, shared }
    }

    /// Starts a model that gives each task one step after another, and stays with the last.
    pub(crate) fn steps(steps: impl IntoIterator<Item = (&'static str, Vec<Step>)>) -> Self {
        let steps: BTreeMap<_, _> = steps.into_iter().collect();
        Self::start(move |asked| {
            let steps = steps.get(asked.task.as_str()).or_else(|| steps.get("*"));
            let steps = steps.unwrap_or_else(|| panic!("nothing is scripted for {}", asked.task));
            steps[asked.done.min(steps.len() - 1)].clone()
        })
    }

    /// Returns its address.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Returns every request that was work.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.shared.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until a request came that `wanted` accepts.
    #[track_caller]
    pub(crate) fn wait_for(&self, wanted: impl Fn(&Asked) -> bool) {
        let asked = self.shared.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = |asked: &mut Vec<Asked>| !asked.iter().any(&wanted);
        let (_asked, timeout) = self.shared.more.wait_timeout_while(asked, PATIENCE, waiting).expect("no poison");
        assert!(!timeout.timed_out(), "no such request came");
    }
}

/// Serves one request and closes.
fn serve(shared: &Shared, mut stream: TcpStream) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let path = line.split_whitespace().nth(1).unwrap_or_default().to_owned();
    let mut length = 0;
    loop {
        line.clear();
        if reader.read_line(&mut line)? == 0 || line == "\r\n" {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().unwrap_or_default();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let Some(dialect) = Dialect::of(&path) else { return respond(&mut stream, 200, "application/json", b"{}") };
    let request: Value = serde_json::from_slice(&body).unwrap_or_default();
    let asked = dialect.understand(&path, &request);
    if asked.task.is_empty() || asked.tools.is_empty() {
        let answer = dialect.answer(&asked, &Step::Say("A title".to_owned()));
        return respond(&mut stream, 200, dialect.content_type(&path), answer.as_bytes());
    }
    let step = (shared.script)(&asked);
    let answer = dialect.answer(&asked, &step);
    shared.asked.lock().unwrap_or_else(PoisonError::into_inner).push(asked);
    shared.more.notify_all();
    match step {
        Step::Fail(status) => {
            let error = format!(
                "{{\"type\":\"error\",\"error\":{{\"type\":\"scripted\",\"message\":\"scripted failure\",\"code\":{status},\
                 \"status\":\"SCRIPTED\"}}}}"
            );
            respond(&mut stream, status, "application/json", error.as_bytes())
        }
        Step::Hang => {
            // Nothing comes until the other side is gone.
            let mut rest = Vec::new();
            reader.read_to_end(&mut rest).map(drop)
        }
        Step::Cut => {
            head(&mut stream, 200, dialect.content_type(&path), answer.len() + 1_000)?;
            stream.write_all(&answer.as_bytes()[..answer.len() / 2])?;
            stream.shutdown(Shutdown::Both)
        }
        _ => respond(&mut stream, 200, dialect.content_type(&path), answer.as_bytes()),
    }
}

fn head(stream: &mut TcpStream, status: u16, kind: &str, length: usize) -> std::io::Result<()> {
    write!(
        stream,
        "HTTP/1.1 {status} Scripted\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
    )
}

fn respond(stream: &mut TcpStream, status: u16, kind: &str, body: &[u8]) -> std::io::Result<()> {
    head(stream, status, kind, body.len())?;
    stream.write_all(body)?;
    stream.flush()
}
