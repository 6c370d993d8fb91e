//! What people see on a terminal: a pseudo-terminal stands in for it.

use serde_json::json;

use crate::support::{Bench, Called, PROGRAM};

/// Runs a program on a terminal of so many columns, and presses Ctrl-C once it has printed a text.
const TERMINAL: &str = r#"
import fcntl, os, pty, struct, sys, termios
columns, until, argv = int(sys.argv[1]), sys.argv[2].encode(), sys.argv[3:]
pid, terminal = pty.fork()
if pid == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    os.execv(argv[0], argv)
seen, pressed = b"", False
while True:
    try:
        data = os.read(terminal, 65536)
    except OSError:
        break
    if not data:
        break
    seen += data
    if until and not pressed and until in seen:
        os.write(terminal, b"\x03")
        pressed = True
_, status = os.waitpid(pid, 0)
sys.stdout.buffer.write(seen)
sys.exit(os.waitstatus_to_exitcode(status))
"#;

fn on_terminal(bench: &Bench, columns: u16, until: &str, environment: &[(&str, &str)], arguments: &[&str]) -> Called {
    let mut command = bench.command("python3");
    command.args(["-I", "-c", TERMINAL, &columns.to_string(), until, PROGRAM]).args(arguments);
    command.env("TERM", "xterm-256color").envs(environment.iter().copied());
    Called::of(command.output().expect("a terminal"))
}

/// Takes out what moves the cursor and colours, as a terminal does.
fn plain(seen: &str) -> String {
    anstream::adapter::strip_str(seen).to_string()
}

#[test]
fn ctrl_c_leaves_a_clean_line_and_the_command_to_resume() {
    let bench = Bench::new();
    bench.script(&json!({ "feature": { "hang": true }, "cli": { "write": { "cli/greet.py": "x\n" } } }));
    let called = on_terminal(&bench, 80, "1 of 5 tasks done", &[], &["run", "--jobs", "2"]);
    assert_eq!(called.code, 130, "{}", called.stdout);
    let seen = plain(&called.stdout);
    let last: Vec<_> = seen.trim_end().lines().rev().take(14).map(str::trim_end).collect();
    assert!(last.iter().take(2).any(|line| line.trim_start() == "backend-implementer run --jobs 2 --resume"), "{seen}");
    assert!(last.iter().any(|line| line.contains("Cancelled: ")), "{seen}");
    assert!(seen.contains("Stopping ") && seen.contains("Finished work is kept"), "{seen}");
    // The command that it names does what it says.
    bench.script(
        &json!({ "feature": { "write": { "src/hello.py": "x\n" } }, "cli": { "write": { "cli/greet.py": "x\n" } } }),
    );
    bench.call(["run", "--jobs", "2", "--resume"]).expect(0);
}

#[test]
fn a_terminal_shows_waves_and_counts_in_colour_and_within_its_width() {
    let bench = Bench::new();
    let called = on_terminal(&bench, 60, "", &[], &["run"]);
    assert_eq!(called.code, 0, "{}", called.stdout);
    let seen = plain(&called.stdout);
    assert!(seen.contains(" tasks done · "), "{seen}");
    let closing = seen.split("Complete: ").nth(1).expect("it ends with what came out");
    // Commands are left whole, so that they can be copied.
    let may_be_wide =
        |line: &str| line.trim_start().starts_with("backend-implementer ") || line.split_whitespace().count() < 3;
    let wide = closing.lines().find(|line| line.trim_end().chars().count() > 60 && !may_be_wide(line));
    assert_eq!(wide, None, "{seen}");
    assert!(called.stdout.contains("\u{1b}[32mpassed"), "{}", called.stdout);
    assert!(!seen.contains("```") && !seen.contains("## "), "{seen}");
    let without = on_terminal(&bench, 60, "", &[("NO_COLOR", "1")], &["show"]);
    assert!(!without.stdout.contains("\u{1b}[3"), "{}", without.stdout);
    let mut forced = bench.program(["show"]);
    let forced = Called::of(forced.env("CLICOLOR_FORCE", "1").output().unwrap());
    assert!(forced.stdout.starts_with("\u{1b}[32mComplete"), "{}", forced.stdout);
}

#[test]
fn a_run_without_a_terminal_ends_in_a_dozen_lines_without_markdown() {
    let bench = Bench::new();
    bench.script(&json!({ "feature": { "exit": 1 }, "cli": { "write": { "cli/greet.py": "x\n" } } }));
    let ran = bench.call(["run"]).expect(1);
    assert!(ran.stdout.lines().count() <= 17 && !ran.stdout.contains("##"), "{}", ran.stdout);
    assert!(ran.stdout.contains("  fix      feature failed") && ran.stdout.contains("  log      "), "{}", ran.stdout);
    assert!(!ran.stdout.contains('\u{1b}') && !ran.stderr.contains('\u{1b}'), "{}{}", ran.stdout, ran.stderr);
    let log = ran.stdout.lines().find_map(|line| line.trim().strip_prefix("log      backend-implementer ")).unwrap();
    bench.call(log.split_whitespace()).expect(0);
}

#[test]
fn out_is_refused_where_somebody_elses_files_lie() {
    let bench = Bench::new();
    std::fs::create_dir(bench.path("mine")).unwrap();
    std::fs::write(bench.path("mine").join("thesis.txt"), "x").unwrap();
    let refused = bench.call(["run", "--out", bench.path("mine").to_str().unwrap()]).expect(2);
    assert!(refused.stderr.contains("`thesis.txt`") && refused.stderr.contains("--out"), "{}", refused.stderr);
    assert_eq!(std::fs::read_dir(bench.path("mine")).unwrap().count(), 1, "nothing is written there");
}

#[test]
fn the_version_names_its_commit_and_unknown_commands_get_a_suggestion() {
    let bench = Bench::new();
    let version = bench.call(["--version"]).expect(0).stdout;
    let head = std::process::Command::new("git")
        .args(["-C", env!("CARGO_MANIFEST_DIR"), "rev-parse", "HEAD"])
        .output()
        .ok()
        .filter(|output| output.status.success());
    assert_eq!(version.contains('('), head.is_some(), "{version}");
    assert!(bench.call(["shwo"]).expect(2).stderr.contains("'show'"));
}
