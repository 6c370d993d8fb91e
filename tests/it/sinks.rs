//! One hostile alphabet through every place that text of others comes to: it stays text, and nothing of it goes unseen.

use std::fs;

use backend_implementer::actions::{Level, annotation};
use serde_json::json;

use crate::support::Bench;

/// What a plan, a report and a program can say. Each does something somewhere when it is not made harmless.
const ALPHABET: &[&str] = &[
    "fixes #77",
    "closes octo/repo#12",
    "resolves https://github.com/octo/repo/issues/3",
    "GH-12",
    "@octocat",
    "[skip ci]",
    "***NO_CI***",
    "skip-checks: true",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "![x](https://x.example/p.png)",
    "## Heading",
    "| a | b |",
    "```",
    "\u{202e}txt.exe",
    "zero\u{200b}width",
    "tag\u{e0041}\u{e0042}",
    "p\u{430}ypal",
    "soft\u{ad}",
    "::error::x",
    "%%{init: {}}%%",
    "end\"]; click A \"javascript:x\"",
    "\u{1b}[31mred\u{1b}[0m",
    "--> subgraph x",
    "Fixes: octo/repo#12",
    "@octo/team",
    "[ci-skip]",
    "[CF-Pages-Skip]",
    "``\u{7}` after a fence",
    "<details open>",
    "<!-- hidden -->",
    "isolated\u{2066}text\u{2069}",
    "bom\u{feff}here",
    "joined\u{200d}letters",
    "\u{3164}filler",
    "\u{2028}::error::y",
    "click A href \"https://x.example\"",
    "click A call alert()",
];

/// What nobody sees: it must not be in any output as it is.
const UNSEEN: [char; 12] = [
    '\u{202e}',
    '\u{200b}',
    '\u{e0041}',
    '\u{e0042}',
    '\u{ad}',
    '\u{1b}',
    '\u{7}',
    '\u{2066}',
    '\u{feff}',
    '\u{200d}',
    '\u{3164}',
    '\u{2028}',
];

fn all() -> String {
    ALPHABET.join(" ")
}

fn assert_seen(place: &str, text: &str) {
    for c in UNSEEN {
        assert!(!text.contains(c), "{place} has U+{:04X}:\n{text}", u32::from(c));
    }
}

/// Text that GitHub shows: nothing notifies, refers, or is markup.
fn assert_inert_markdown(place: &str, page: &str) {
    assert_seen(place, page);
    for active in [
        "<script",
        "<img",
        "<details open>",
        "<!-- hidden",
        "@octo",
        "](https://x.example",
        "\n## Heading",
        "fixes #77",
        "repo#12",
        " GH-12",
    ] {
        assert!(!page.contains(active), "{place} has {active:?}:\n{page}");
    }
}

fn plan() -> String {
    let items: String = ALPHABET.iter().map(|text| format!("- do {}\n", text.replace('`', "'"))).collect();
    format!(
        "# {title}\n\n## Feature {title} {{#feature}}\nTouches: src/**\n{items}\n## Verification\n- tests: `python3 -m unittest -v`\n- validation: `git --version`\n",
        title = "fixes #77 [skip ci] @octocat \u{202e}x zero\u{200b}width <script>alert(1)</script>"
    )
}

#[test]
fn a_run_of_a_hostile_plan_says_everything_as_text() {
    let bench = Bench::new();
    bench.write(".backend-implementer/plan.md", &plan());
    bench.commit("plan");
    let finding = json!({ "severity": "note", "path": "src/hello.py", "line": 1, "message": all() });
    bench.script(&json!({
        "feature": {
            "write": { "src/hello.py": "x\n" },
            "report": { "summary": all(), "findings": [finding] },
        },
        "*": { "report": { "summary": all() } },
    }));
    let ran = bench.run([]);
    let Some(page) = fs::read_to_string(ran.out.join("summary.md")).ok() else {
        panic!("{}{}", ran.called.stdout, ran.called.stderr)
    };
    assert_inert_markdown("summary.md", &page);
    let html = fs::read_to_string(ran.out.join("report.html")).unwrap();
    assert_seen("report.html", &html);
    for active in ["<script>alert", "<img src=x", "onerror=alert(1)>"] {
        assert!(!html.contains(active), "report.html has {active}");
    }
    for (place, said) in [("standard output", &ran.called.stdout), ("standard error", &ran.called.stderr)] {
        assert_seen(place, said);
        assert!(!said.lines().any(|line| line.starts_with("::")), "{place}:\n{said}");
    }
    // The commits, as `git fetch` brings them.
    let bundle = ran.out.join("implementation.bundle");
    bench.git(["fetch", "-q", bundle.to_str().unwrap(), "refs/heads/*:refs/taken/*"]);
    let log = bench.git(["log", "--all", "--format=%an%n%ae%n%B"]);
    let taken: Vec<&str> = log.lines().filter(|line| !line.is_empty()).collect();
    assert!(taken.iter().any(|line| line.contains("# 77")), "{log}");
    assert_seen("commits", &log);
    for active in [
        "#77",
        "#12",
        "@octo",
        "[skip ci]",
        "[ci-skip]",
        "[CF-Pages-Skip]",
        "***NO_CI***",
        "https://github.com",
        "GH-12",
    ] {
        assert!(!log.contains(active), "a commit has {active:?}:\n{log}");
    }
    assert!(!taken.iter().any(|line| line.to_lowercase().starts_with("skip-checks:")), "{log}");
}

#[test]
fn a_preview_of_a_hostile_plan_is_text() {
    let bench = Bench::new();
    bench.write(".backend-implementer/plan.md", &plan());
    bench.commit("plan");
    for format in ["human", "mermaid"] {
        let called = bench.call(["plan", "--format", format]);
        assert_seen(format, &called.stdout);
        assert_seen(format, &called.stderr);
        assert!(!called.stdout.contains("%%{init"), "{}", called.stdout);
    }
}

#[test]
fn annotations_are_one_command_each() {
    for text in ALPHABET {
        let hostile = format!("{text}\n::set-output name=x::y\r\n::stop-commands::z");
        let command = annotation(Level::Warning, Some((&hostile, 1)), &hostile, &hostile);
        assert_eq!(command.lines().count(), 1, "{command}");
        assert_seen("annotation", &command);
        assert!(command.starts_with("::warning file="), "{command}");
    }
}

#[test]
fn a_file_name_with_a_line_break_writes_no_line_of_its_own() {
    let bench = Bench::new();
    bench.script(&json!({ "feature": { "write": { "src/a\n::error::planted\nb.py": "x\n" } } }));
    let ran = bench.run(["-vv"]);
    for said in [&ran.called.stdout, &ran.called.stderr] {
        assert!(!said.lines().any(|line| line.starts_with("::error::planted")), "{said}");
    }
    assert!(!ran.summary().contains("\n::error::planted"));
}
