//! A newcomer's first run on a laptop, with the commands that the README names and nothing else: docs/first-run.md is what came.

use std::{fs, path::Path};

use serde_json::json;

use crate::{
    five_minutes::scripted,
    support::{Bench, Called},
};

const CONFIG: &str = ".github/backend-implementer.yml";
const PLAN: &str = ".backend-implementer/plan.md";
const PAGE: &str = "docs/first-run.md";

/// The newcomer's own plan.
const OWN_PLAN: &str = "# Subtraction\n\n## Feature\n\n- Add a function `subtract` to `calc.py`, beside `add`\n\n\
                        ## Verification\n\n- tests: `python3 -m unittest discover -v`\n- validation: `git --version`\n";

/// What is another in every run becomes the same: times, ids, folders.
fn steady(said: &str, bench: &Bench, run: &str) -> String {
    let said = said.replace(bench.repo().to_str().expect("UTF-8"), "/home/ada/calc");
    let said = if run.is_empty() { said } else { said.replace(run, "20261127101500000-0123456789ab") };
    let mut out = String::new();
    for line in said.lines() {
        let mut words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        for at in 0..words.len() {
            let unit = words.get(at + 1).map(|unit| unit.trim_end_matches([',', '.', ';']));
            let is_time = matches!(unit, Some("ms" | "s")) && words[at].parse::<f64>().is_ok();
            if is_time {
                let after = words[at + 1].trim_start_matches(['m', 's']).to_owned();
                words[at] = "1.0".to_owned();
                words[at + 1] = format!("s{after}");
            }
            let ids = words[at].split("..").map(|part| {
                let id = part.trim_end_matches([',', ';']);
                let is_id = id.len() >= 10 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
                if is_id { format!("0123456789{}", &part[id.len()..]) } else { part.to_owned() }
            });
            words[at] = ids.collect::<Vec<_>>().join("..");
        }
        // Right-aligned times are aligned to what they were.
        let aligned =
            words.join(" ").split("  ").filter(|part| !part.is_empty()).map(str::trim).collect::<Vec<_>>().join("  ");
        let indent = line.len() - line.trim_start().len();
        out.push_str(format!("{:indent$}{aligned}", "").trim_end());
        out.push('\n');
    }
    out
}

#[test]
fn the_page_is_what_a_newcomer_sees() {
    let bench = Bench::on_disk();
    let of_tests = fs::read_to_string(bench.repo().join(CONFIG)).unwrap();
    fs::remove_file(bench.repo().join(CONFIG)).unwrap();
    fs::remove_file(bench.repo().join(PLAN)).unwrap();
    bench.write("calc.py", "def add(a, b):\n    return a + b\n");
    bench.commit("calc");

    let mut page = String::from(
        "# A first run on a laptop\n\nThis page is recorded by a test (`tests/it/first_run.rs`), with a scripted agent in place of \
         Claude Code, every time as 1.0 s and every id as one.\nThe repository has `calc.py` with a function `add`, and a test. Where no \
         release is within reach, one more step on GitHub says what to put in place of a commit of zeros.\n\n\
         Look at the repository, and write what it needs:\n",
    );
    let mut show = |command: &str, called: &Called, run: &str| {
        let said = format!("{}{}", called.stderr, called.stdout);
        page.push_str(&format!("\n```console\n$ {command}\n{}\n```\n", steady(&said, &bench, run).trim_end()));
    };
    let began = bench
        .call(["init", "--plan", "--action", "acme/implementer@0123456789012345678901234567890123456789"])
        .expect(0);
    show("backend-implementer init --plan", &began, "");
    assert!(began.stdout.contains("Next, on this machine:\n1. set ANTHROPIC_API_KEY"), "{}", began.stdout);

    // What is not committed is not followed, and the first thing that is said says so.
    let early = bench.call(["run"]);
    assert_eq!(early.code, 2);
    assert!(early.stderr.contains("commit it"), "{}", early.stderr);

    let config = fs::read_to_string(bench.repo().join(CONFIG)).unwrap();
    bench.write(CONFIG, &scripted(&config, &of_tests));
    bench.write(PLAN, OWN_PLAN);
    bench.call(["generate"]).expect(0);
    bench.git(["add", ".github", ".backend-implementer"]);
    bench.git(["commit", "--quiet", "--message", "Add the Backend Implementer"]);
    page.push_str(&format!(
        "\nWrite the own plan into `{PLAN}`, and commit:\n\n```markdown\n{OWN_PLAN}```\n\n```console\n$ git add .github \
         .backend-implementer\n$ git commit -m \"Add the Backend Implementer\"\n```\n\nRun it:\n"
    ));
    bench.script(&json!({
        "feature": { "write": { "calc.py": "def add(a, b):\n    return a + b\n\n\ndef subtract(a, b):\n    return a - b\n" } },
        "tests": { "write": { "tests/__init__.py": "", "tests/test_calc.py": "import unittest\n\nfrom calc import subtract\n\n\n\
                   class Calc(unittest.TestCase):\n    def test_subtract(self):\n        self.assertEqual(subtract(3, 2), 1)\n" } },
    }));
    let mut show = |command: &str, called: &Called, run: &str| {
        let said = format!("{}{}", called.stderr, called.stdout);
        page.push_str(&format!("\n```console\n$ {command}\n{}\n```\n", steady(&said, &bench, run).trim_end()));
    };
    let ran = bench.call(["run"]).expect(0);
    let runs = fs::read_dir(bench.repo().join(".backend-implementer/runs")).unwrap();
    let run =
        runs.map(|entry| entry.unwrap().file_name().into_string().unwrap()).find(|name| name != ".gitignore").unwrap();
    show("backend-implementer run", &ran, &run);
    // What the last lines say to do next is done as they say it.
    for command in ran.stdout.lines().filter_map(|line| line.trim().strip_prefix("backend-implementer ")) {
        let called = bench.call(command.split(' ')).expect(0);
        show(
            &format!("backend-implementer {}", command.replace(&run, "20261127101500000-0123456789ab")),
            &called,
            &run,
        );
    }
    assert!(bench.git(["show", "backend-implementation:calc.py"]).contains("def subtract"));

    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &page).unwrap();
    }
    let there = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(there, page, "{PAGE} has drifted: run the tests once with UPDATE_DOCS=1");
}
