//! Files for other tools, held against the official schemas of their formats. `scripts/install-schemas` brings them; without them
//! `scripts/test` skips this group by name. JUnit has no official schema: `crates/model/src/export/tests.rs` reads it as XML.

use std::{fs, path::Path};

use serde_json::json;

use crate::support::{Bench, Called};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Holds files against their schemas.
fn held(bench: &Bench, pairs: &[(&str, &Path)]) -> Called {
    let mut node = bench.command("node");
    node.arg(Path::new(ROOT).join("tests/it/support/schemas.cjs")).arg(Path::new(ROOT).join(".tools/schemas"));
    for (format, file) in pairs {
        node.arg(format).arg(file);
    }
    Called::of(node.output().expect("Node runs"))
}

#[test]
fn findings_and_gates_of_a_good_and_a_bad_run_hold_to_the_schemas() {
    let bench = Bench::new();
    let good = bench.run([]).expect(0);
    let bad = bench.path("bad");
    bench.script(&json!({
        "feature": { "exit": 1 },
        "cli": { "write": { "cli/greet.py": "x\n", "README.md": "not mine\n" } },
        "tests": { "write": { "test_red.py": "import unittest\n\nclass R(unittest.TestCase):\n    def test_red(self):\n        self.fail('\u{1}<&')\n" } },
    }));
    let ran = bench.call(["run", "--out", bad.to_str().expect("UTF-8")]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    let files: Vec<_> = [&good.out, &bad]
        .iter()
        .flat_map(|run| [("sarif", run.join("findings.sarif")), ("ctrf", run.join("gates.ctrf.json"))])
        .collect();
    let pairs: Vec<_> = files.iter().map(|(format, file)| (*format, file.as_path())).collect();
    let called = held(&bench, &pairs).expect(0);
    assert_eq!(called.stdout, "4 files held against their schemas, 0 wrong\n");

    // The schemas are at work: what is wrong is found.
    for (format, file, required) in [("sarif", "findings.sarif", "version"), ("ctrf", "gates.ctrf.json", "results")] {
        let mut value: serde_json::Value = serde_json::from_slice(&good.read_bytes(file)).unwrap();
        value.as_object_mut().unwrap().remove(required);
        let wrong = bench.path("wrong.json");
        fs::write(&wrong, value.to_string()).unwrap();
        let called = held(&bench, &[(format, &wrong)]).expect(1);
        assert!(called.stderr.contains(required), "{}", called.stderr);
    }
}
