//! The report in a real browser. `scripts/install-browser` installs it; without it `scripts/test` skips this group by name.

use std::path::Path;

use serde_json::json;

use crate::support::{Bench, Called};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

#[test]
fn the_report_is_seen_by_a_browser_and_passes_axe() {
    let bench = Bench::new();
    bench.script(&json!({ "feature": { "exit": 1 }, "cli": { "write": { "cli/greet.py": "x\n" } } }));
    let ran = bench.run([]);
    assert_eq!(ran.called.code, 1, "{}", ran.called.stderr);
    let modules = Path::new(ROOT).join(".tools/browser/node_modules");
    let mut node = bench.command("node");
    node.env("NODE_PATH", &modules).arg(Path::new(ROOT).join("tests/it/support/page.cjs"));
    node.arg(ran.out.join("report.html")).arg(&modules).arg(bench.path("home"));
    let looked = Called::of(node.output().expect("Node runs"));
    assert_eq!(looked.code, 0, "{}", looked.stderr);
}
