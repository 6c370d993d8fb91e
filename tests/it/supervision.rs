//! Supervised processes, with real ones: what they see, what is kept of them, and that nothing of them is left.
//!
//! Nothing here sleeps to wait. Victims say that they are ready through a named pipe, and that somebody is gone is seen
//! by the end of a pipe that only they held open.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use backend_implementer::agent::{AnswerFile, Ended, Exit, LastWord, Launch, LaunchError, SUPERVISE, run};
use implementer_model::ids::Digest;
use tempfile::TempDir;

const EXECUTABLE: &str = env!("CARGO_BIN_EXE_backend-implementer");

/// Longer than any of this may take on a busy machine: it ends a test that hangs, and is waited for in none.
const PATIENCE: Duration = Duration::from_secs(60);

/// A directory with a script, and the launch that runs it.
struct Stand {
    directory: TempDir,
    launch: Launch,
}

impl Stand {
    fn new(script: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("agent.sh");
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        let launch = Launch {
            argv: vec![path.to_str().unwrap().to_owned()],
            directory: directory.path().to_owned(),
            environment: vec![("PATH".to_owned(), std::env::var("PATH").unwrap())],
            input: None,
            log: directory.path().join("log.txt"),
            answer: None,
            secrets: Vec::new(),
            output_cap: 1024 * 1024,
            grace: Duration::from_secs(30),
            supervisor: EXECUTABLE.into(),
            confinement: None,
        };
        Self { directory, launch }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn log(&self) -> String {
        fs::read_to_string(&self.launch.log).unwrap()
    }

    fn fifo(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        path
    }

    /// Runs to the end, undisturbed.
    fn run(&self) -> Result<Ended, LaunchError> {
        self.run_until(std::future::pending())
    }

    fn run_until(&self, stop: impl Future<Output = ()>) -> Result<Ended, LaunchError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            tokio::time::timeout(PATIENCE, run(&self.launch, stop)).await.expect("the supervisor hangs")
        })
    }

    /// Runs until the process has written a line into `fifo`, then stops it.
    fn stop_when_told(&self, fifo: &Path) -> Ended {
        let fifo = fifo.to_owned();
        self.run_until(async move {
            tokio::task::spawn_blocking(move || read_line(&fifo)).await.unwrap();
        })
        .unwrap()
    }
}

fn read_line(fifo: &Path) -> String {
    let mut line = String::new();
    BufReader::new(fs::File::open(fifo).unwrap()).read_line(&mut line).unwrap();
    line
}

/// Tells whether a process runs, as far as `/proc` knows.
fn is_running(pid: &str) -> bool {
    fs::read_to_string(format!("/proc/{}/stat", pid.trim()))
        .is_ok_and(|stat| !stat.rsplit_once(')').unwrap().1.trim_start().starts_with(['Z', 'X']))
}

#[test]
fn exit_codes_come_back_as_they_are() {
    for code in [0, 1, 7, 255] {
        let ended = Stand::new(&format!("exit {code}")).run().unwrap();
        assert_eq!(ended.exit, Exit::Code(code));
        assert_eq!((ended.stopped, ended.killed, ended.leftovers, ended.survivors), (false, false, 0, 0));
    }
}

#[test]
fn a_death_by_signal_is_no_exit_code() {
    let ended = Stand::new("kill -SEGV $$").run().unwrap();
    assert_eq!(ended.exit, Exit::Signal(11));
    assert_eq!(ended.exit.code(), None);
    assert_eq!(ended.exit.to_string(), "signal 11 (SIGSEGV)");
}

#[test]
fn the_environment_is_exactly_what_was_given() {
    let mut stand = Stand::new("exec env");
    stand.launch.environment.push(("GREETING".to_owned(), "two\nlines = ü".to_owned()));
    let ended = stand.run().unwrap();
    let path = std::env::var("PATH").unwrap();
    let mut seen: Vec<_> = ended.output_tail.lines().filter(|line| !line.starts_with("_=")).collect();
    seen.retain(|line| !line.starts_with("PWD=") && !line.starts_with("SHLVL="));
    seen.sort_unstable();
    let mut expected = vec!["GREETING=two".to_owned(), "lines = ü".to_owned(), format!("PATH={path}")];
    expected.sort_unstable();
    assert_eq!(seen, expected);
}

#[test]
fn standard_input_is_at_its_end() {
    let ended = Stand::new("if read line; then echo got; else echo end; fi").run().unwrap();
    assert_eq!(ended.output_tail.trim(), "end");
}

#[test]
fn standard_input_can_be_a_file() {
    let mut stand = Stand::new("cat; echo .");
    fs::write(stand.path("brief.md"), "do it").unwrap();
    stand.launch.input = Some(stand.path("brief.md"));
    assert_eq!(stand.run().unwrap().output_tail.trim(), "do it.");
}

#[test]
fn there_is_no_terminal_to_ask_at() {
    let ended = Stand::new("if (: </dev/tty) 2>/dev/null; then echo terminal; else echo none; fi").run().unwrap();
    assert_eq!(ended.output_tail.trim(), "none");
}

#[test]
fn both_outputs_are_logged_digested_and_counted() {
    let stand = Stand::new("echo out; echo err >&2; printf end");
    let ended = stand.run().unwrap();
    assert_eq!(stand.log(), "out\nerr\nend");
    assert_eq!((ended.output_bytes, ended.truncated), (11, false));
    assert_eq!(ended.output_digest, Digest::from_content("out\nerr\nend"));
    assert_eq!(ended.log_trouble, None);
}

#[test]
fn the_log_can_be_read_while_the_process_runs() {
    let stand = Stand::new("printf 'no line end yet'; echo written >told; read answer <answers; echo \" $answer\"");
    let (told, answers) = (stand.fifo("told"), stand.fifo("answers"));
    let log = stand.launch.log.clone();
    let watcher = std::thread::spawn(move || {
        read_line(&told);
        // The bytes are on their way through the supervisor: it writes them without being asked.
        while fs::read_to_string(&log).unwrap() != "no line end yet" {
            std::thread::yield_now();
        }
        fs::write(answers, "seen\n").unwrap();
    });
    assert_eq!(stand.run().unwrap().exit, Exit::Code(0));
    watcher.join().unwrap();
    assert_eq!(stand.log(), "no line end yet seen\n");
}

#[test]
fn a_flood_is_cut_in_the_log_and_counted_in_whole() {
    let mut stand = Stand::new("head -c 20000000 /dev/zero | tr '\\0' x");
    stand.launch.output_cap = 1000;
    let ended = stand.run().unwrap();
    assert_eq!(ended.exit, Exit::Code(0));
    assert_eq!((ended.output_bytes, ended.truncated), (20_000_000, true));
    let log = stand.log();
    assert!(log.starts_with(&"x".repeat(1000)) && log.contains("passed its limit of 1000 bytes"), "{log}");
    assert!(log.len() < 1200);
    assert!(ended.output_tail.len() <= 8 * 1024);
}

#[test]
fn a_full_disk_does_not_stop_the_process() {
    if !Path::new("/dev/full").exists() {
        return;
    }
    let mut stand = Stand::new("echo out; exit 3");
    stand.launch.log = "/dev/full".into();
    let ended = stand.run().unwrap();
    assert_eq!(ended.exit, Exit::Code(3));
    assert!(ended.log_trouble.is_some_and(|trouble| trouble.contains("could not be written")));
    assert_eq!(ended.output_tail.trim(), "out");
}

#[test]
fn a_process_that_honours_term_is_not_killed() {
    let stand = Stand::new("trap 'echo bye; exit 9' TERM; echo ready >told; while :; do sleep 1000 & wait; done");
    let told = stand.fifo("told");
    let ended = stand.stop_when_told(&told);
    assert_eq!(ended.exit, Exit::Code(9));
    assert!(ended.stopped && !ended.killed, "{ended:?}");
    assert_eq!(ended.output_tail.trim(), "bye");
}

#[test]
fn a_process_that_ignores_term_is_killed_after_its_grace_period() {
    let mut stand = Stand::new("trap '' TERM; echo ready >told; while :; do sleep 1000; done");
    stand.launch.grace = Duration::from_millis(200);
    let told = stand.fifo("told");
    let ended = stand.stop_when_told(&told);
    assert_eq!(ended.exit, Exit::Signal(9));
    assert!(ended.stopped && ended.killed, "{ended:?}");
    assert!(ended.duration_ms >= 200);
}

#[test]
fn a_stopped_process_can_still_honour_term() {
    let stand = Stand::new("trap 'exit 4' TERM; echo ready >told; kill -STOP $$");
    let told = stand.fifo("told");
    let ended = stand.stop_when_told(&told);
    assert_eq!(ended.exit, Exit::Code(4));
    assert!(!ended.killed);
}

#[test]
fn a_member_of_the_group_hears_term_once() {
    // The outer one has to be deaf before anybody is told: if it ended by the first request, the group would be asked again.
    let script = "(trap 'echo term >>heard' TERM; while [ ! -s deaf ]; do sleep 0.01; done; echo ready >told; \
                  while [ ! -s heard ]; do sleep 0.01; done; sleep 0.2) & trap '' TERM; echo yes >deaf; wait; wait";
    let stand = Stand::new(script);
    let told = stand.fifo("told");
    let ended = stand.stop_when_told(&told);
    assert!(!ended.killed, "{ended:?}");
    assert_eq!(fs::read_to_string(stand.path("heard")).unwrap(), "term\n");
}

#[test]
fn what_left_the_group_and_the_session_is_killed_too() {
    // Twice removed, deaf to TERM and HUP, and holding the output open.
    let victim = "trap \"\" TERM HUP; echo $$ >pid; echo ready >told; while :; do sleep 1000; done";
    let mut stand = Stand::new(&format!("setsid setsid sh -c '{victim}' & trap '' TERM; wait; wait; wait"));
    stand.launch.grace = Duration::from_millis(100);
    let told = stand.fifo("told");
    let ended = stand.stop_when_told(&told);
    assert!(ended.killed && ended.survivors == 0, "{ended:?}");
    assert!(!is_running(&fs::read_to_string(stand.path("pid")).unwrap()));
}

#[test]
fn leftovers_are_counted_and_ended() {
    // The grandchild keeps the output open, in a session of its own: nobody waits for it.
    let victim = "trap \"\" TERM; echo $$ >pid; echo ready >told; while :; do sleep 1000; done";
    let mut stand = Stand::new(&format!("setsid sh -c '{victim}' & read line <told; echo done"));
    stand.fifo("told");
    stand.launch.grace = Duration::from_millis(100);
    let ended = stand.run().unwrap();
    assert_eq!(ended.exit, Exit::Code(0));
    assert!(!ended.stopped && ended.killed, "{ended:?}");
    // The victim, and the `sleep` that it waits for.
    assert!((1..=2).contains(&ended.leftovers), "{ended:?}");
    assert_eq!(ended.output_tail.trim(), "done");
    assert!(!is_running(&fs::read_to_string(stand.path("pid")).unwrap()));
}

#[test]
fn a_leftover_that_honours_term_is_counted_but_not_killed() {
    let stand = Stand::new("sleep 1000 & echo done");
    let ended = stand.run().unwrap();
    assert_eq!((ended.leftovers, ended.killed), (1, false), "{ended:?}");
}

#[test]
fn a_helper_that_ends_with_its_parent_is_no_leftover() {
    // `cat` ends when the pipe from the main process closes, a moment after it.
    let ended = Stand::new("mkfifo pipe; cat pipe >/dev/null & exec 3>pipe; echo x >&3; exit 0").run().unwrap();
    assert_eq!((ended.exit, ended.leftovers), (Exit::Code(0), 0), "{ended:?}");
}

#[test]
fn processes_that_keep_starting_others_come_to_an_end() {
    let bomb = "trap \"\" TERM; while :; do sh -c \"trap \\\"\\\" TERM; sleep 0.01; sleep 0.01\" & done";
    let mut stand =
        Stand::new(&format!("ulimit -u 300 2>/dev/null; setsid sh -c '{bomb}' & sleep 0.05; echo ready >told; wait"));
    stand.launch.grace = Duration::from_millis(50);
    let told = stand.fifo("told");
    let ended = stand.stop_when_told(&told);
    assert!(ended.killed && ended.survivors == 0, "{ended:?}");
}

#[test]
fn a_chain_of_processes_that_each_start_the_next_comes_to_an_end() {
    let mut stand =
        Stand::new("trap '' TERM; [ -e started ] || { : >started; echo ready >told & }; exec 9>>held; sh \"$0\" &");
    stand.launch.grace = Duration::from_millis(100);
    let told = stand.fifo("told");
    let reader = std::thread::spawn(move || read_line(&told));
    let ended = stand.run().unwrap();
    reader.join().unwrap();
    assert!(ended.survivors == 0 && ended.leftovers <= 10, "{ended:?}");
}

#[test]
fn what_cannot_be_started_is_told_apart() {
    let mut stand = Stand::new("exit 0");
    let script = stand.launch.argv[0].clone();
    let error = |stand: &Stand| stand.run().unwrap_err();

    stand.launch.argv = vec!["surely-no-such-program".to_owned()];
    assert!(matches!(error(&stand), LaunchError::ProgramNotFound { place, .. } if place.starts_with(" on PATH (")));
    stand.launch.argv = vec!["./nowhere.sh".to_owned()];
    assert!(matches!(error(&stand), LaunchError::ProgramNotFound { .. }));
    stand.launch.argv = vec![stand.directory.path().to_str().unwrap().to_owned()];
    assert!(matches!(error(&stand), LaunchError::NotExecutable { why, .. } if why.contains("directory")));

    fs::write(stand.path("data"), "no program").unwrap();
    stand.launch.argv = vec!["./data".to_owned()];
    assert!(matches!(error(&stand), LaunchError::NotExecutable { why, .. } if why.contains("chmod +x")));
    fs::set_permissions(stand.path("data"), fs::Permissions::from_mode(0o755)).unwrap();
    assert!(matches!(error(&stand), LaunchError::NotExecutable { why, .. } if why.contains("begins with `#!`")));
    fs::write(stand.path("data"), "#!/no/such/interpreter -x\n").unwrap();
    assert!(matches!(error(&stand), LaunchError::NotExecutable { why, .. } if why.contains("`/no/such/interpreter`")));

    stand.launch.argv = vec![];
    assert!(matches!(error(&stand), LaunchError::Invalid { .. }));
    stand.launch.argv = vec![script.clone(), "a\0b".to_owned()];
    assert!(matches!(error(&stand), LaunchError::Invalid { .. }));
    stand.launch.argv = vec![script.clone(), "x".repeat(4 * 1024 * 1024)];
    assert!(matches!(error(&stand), LaunchError::Start { why, .. } if why.contains("longer than")));

    stand.launch.argv = vec![script];
    stand.launch.log = stand.path("no/such/log.txt");
    assert!(matches!(error(&stand), LaunchError::File { purpose, .. } if purpose == "the log"));
    stand.launch.log = stand.path("log.txt");
    stand.launch.directory = stand.path("gone");
    assert!(matches!(error(&stand), LaunchError::DirectoryGone { .. }));
    stand.launch.supervisor = "/no/such/supervisor".into();
    assert!(matches!(error(&stand), LaunchError::Supervisor { .. }));
}

#[test]
fn a_relative_entry_of_path_is_passed_over() {
    let mut stand = Stand::new("exit 0");
    stand.launch.argv = vec!["agent.sh".to_owned()];
    stand.launch.environment = vec![("PATH".to_owned(), ".::".to_owned())];
    assert!(matches!(stand.run(), Err(LaunchError::ProgramNotFound { .. })));
}

#[test]
fn a_program_that_is_still_being_written_is_tried_again() {
    let mut stand = Stand::new("exit 0");
    fs::copy("/bin/true", stand.path("busy")).unwrap();
    let writer = fs::File::options().append(true).open(stand.path("busy")).unwrap();
    stand.launch.argv = vec!["./busy".to_owned()];
    let told = stand.fifo("told");
    // Somebody opens the pipe as soon as the supervisor's log is there; then the program is closed.
    let log = stand.launch.log.clone();
    let closer = std::thread::spawn(move || {
        while !log.exists() {
            std::thread::yield_now();
        }
        drop(writer);
        drop(told);
    });
    assert_eq!(stand.run().unwrap().exit, Exit::Code(0));
    closer.join().unwrap();
}

#[test]
fn a_lost_supervisor_takes_its_session_along() {
    // The agent kills its supervisor: its parent.
    let stand = Stand::new("echo $$ >pid; kill -KILL $PPID; while :; do sleep 1000; done");
    let error = stand.run().unwrap_err();
    assert!(matches!(&error, LaunchError::Lost { why, .. } if why.contains("signal: 9")), "{error}");
    assert!(!error.is_transient() && error.is_loss(), "{error}");
    let pid = fs::read_to_string(stand.path("pid")).unwrap();
    while is_running(&pid) {
        std::thread::yield_now();
    }
}

#[test]
fn what_left_a_lost_supervisors_session_before_is_ended_too() {
    // Two forks and two sessions away, adopted by the supervisor, which is killed then.
    let far = "setsid sh -c \"trap '' TERM HUP; echo \\$\\$ >pid.new; mv pid.new pid; while :; do sleep 1000; done\"";
    let stand = Stand::new(&format!(
        "setsid sh -c '{far} & exit' & wait; until [ -e pid ]; do :; done; kill -KILL $PPID; exit 0"
    ));
    let error = stand.run().unwrap_err();
    assert!(error.is_loss(), "{error}");
    // It is gone when the loss is told, and not at some time after that.
    let pid = fs::read_to_string(stand.path("pid")).unwrap();
    assert!(!is_running(&pid), "{pid} outlived its attempt");
}

#[test]
fn a_last_word_counts_only_of_a_supervisor_that_ended_by_itself() {
    // As root without isolation nothing keeps an agent from its supervisor's pipe.
    if !rustix::process::geteuid().is_root() {
        eprintln!("SKIPPED: only root can open the pipe of a process that is not dumpable");
        return;
    }
    let word = r#"{"ended":{"exit":{"code":0},"stopped":false,"out-of-turns":false,"answer-truncated":false,"killed":false,"leftovers":0,"survivors":0,"output-bytes":0,"truncated":false,"log-trouble":null,"output-digest":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","output-tail":"","duration-ms":1}}"#;
    let stand = Stand::new(&format!("echo '{word}' >/proc/$PPID/fd/1; kill -KILL $PPID; exit 3"));
    let error = stand.run().unwrap_err();
    assert!(error.is_loss(), "{error}");
}

/// In the container of an action the coordinator is the first process, and may be the only other one.
#[cfg(target_os = "linux")]
#[test]
fn where_a_user_has_nothing_running_and_nobody_else_has_there_is_nothing_to_end() {
    let made = Command::new("unshare").args(["--pid", "--fork", "true"]).stderr(Stdio::null()).status();
    if !rustix::process::geteuid().is_root() || !made.is_ok_and(|status| status.success()) {
        eprintln!("SKIPPED: the tests may not make a PID namespace, or another user's processes");
        return;
    }
    let mut alone = Command::new("unshare");
    alone.args(["--pid", "--fork", "--kill-child", EXECUTABLE, "__end-user", "61111", "60600"]);
    let ended = alone.output().unwrap();
    assert_eq!(ended.status.code(), Some(0), "{}", String::from_utf8_lossy(&ended.stderr));
}

#[test]
fn nothing_outlives_a_coordinator_that_is_killed() {
    // `sh` stands for the coordinator: it alone holds the supervisor's input open, and it is killed.
    let victim = "trap \"\" TERM HUP; echo ready >told; while :; do sleep 1000; done";
    let stand = Stand::new(&format!("exec 9>alive; setsid sh -c '{victim}' & wait; wait; wait"));
    let (told, alive) = (stand.fifo("told"), stand.fifo("alive"));
    stand.fifo("orders");
    let orders = serde_json::json!({
        "argv": stand.launch.argv,
        "directory": stand.launch.directory,
        "environment": stand.launch.environment,
        "input": null,
        "log": stand.launch.log,
        "output-cap": 1000,
        "grace": { "secs": 0, "nanos": 100_000_000 },
        "answer": null,
        "secrets": [],
    });
    fs::write(stand.path("orders.json"), format!("{orders}\n")).unwrap();
    let mut coordinator = Command::new("sh")
        .args([
            "-c",
            "\"$1\" \"$2\" <orders & exec 8>orders; cat orders.json >&8; exec cat",
            "sh",
            EXECUTABLE,
            SUPERVISE,
        ])
        .current_dir(stand.directory.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    // Opening for reading returns when the process has opened its end.
    let mut alive = fs::File::open(alive).unwrap();
    read_line(&told);
    coordinator.kill().unwrap();
    coordinator.wait().unwrap();
    // Everything that the agent started inherited the writing end: the pipe ends when all of it is gone.
    let mut rest = Vec::new();
    alive.read_to_end(&mut rest).unwrap();
}

#[test]
fn dropping_the_run_stops_the_process() {
    let stand = Stand::new("exec 9>alive; echo ready >told; while :; do sleep 1000; done");
    let (told, alive) = (stand.fifo("told"), stand.fifo("alive"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut alive = runtime.block_on(async {
        let opened = tokio::task::spawn_blocking(move || {
            let alive = fs::File::open(alive).unwrap();
            read_line(&told);
            alive
        });
        tokio::select! {
            ended = run(&stand.launch, std::future::pending()) => panic!("it ended: {ended:?}"),
            alive = opened => alive.unwrap(),
        }
    });
    alive.read_to_end(&mut Vec::new()).unwrap();
}

#[test]
fn a_supervisor_without_orders_says_so() {
    for input in ["", "not json\n", "{\"argv\":[]}\n"] {
        let mut supervisor =
            Command::new(EXECUTABLE).arg(SUPERVISE).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        supervisor.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = supervisor.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&output.stdout).contains("got no orders"));
    }
}

#[test]
fn whoever_stays_after_the_last_word_is_ended_and_counts_as_done() {
    // With a terminal's escape sequences before it, and with a child that stays as well.
    let said = "printf '\\033[2K{ \"type\": \"result\" }\\n'; sleep 3600 & exec sleep 3600";
    let mut stand = Stand::new(said);
    let answer = stand.path("answer.jsonl");
    stand.launch.answer = Some(AnswerFile {
        path: answer.clone(),
        cap: 1024,
        turns: None,
        last_words: vec![LastWord(vec![("/type".to_owned(), "result".to_owned())])],
        patience: Duration::from_millis(100),
    });
    let ended = stand.run().unwrap();
    assert!(ended.overstayed && !ended.stopped && ended.survivors == 0, "{ended:?}");
    assert!(fs::read_to_string(answer).unwrap().contains("result"));
    // Who says nothing of the kind is waited for, and who ends by itself did not overstay.
    stand.launch.argv =
        vec!["/bin/sh".to_owned(), "-c".to_owned(), "echo '{\"type\": \"step\"}'; sleep 0.3".to_owned()];
    let ended = stand.run().unwrap();
    assert!(!ended.overstayed && ended.exit == Exit::Code(0), "{ended:?}");
}
