//! Objects of the store that somebody wrote anew under their old ids while the run went on. Where no wall keeps a subagent
//! from the store, as here, the forgery is found as the object is read again, and the run says so.

use implementer_model::{
    findings::{FindingCode, Weight},
    handoff::Status,
};
use serde_json::json;

use crate::support::Bench;

/// Puts another object of its kind in the place of the object that the first argument names, in the repository that the
/// second argument names.
const FORGE: &str = r#"
import hashlib, pathlib, subprocess, sys, zlib
revision, repository = sys.argv[1:]
git = lambda *arguments: subprocess.run(['git', '-C', repository, *arguments], check=True, capture_output=True).stdout
name = git('rev-parse', revision).decode().strip()
kind = git('cat-file', '-t', name).decode().strip()
content = git('cat-file', kind, name)
if kind == 'blob':
    content = b'evil\n'
elif kind == 'tree':
    content = content.replace(b'100644 ', b'100755 ', 1)
else:
    content = content.replace(b'tree ' + git('rev-parse', revision + '^{tree}').strip(), b'tree ' + git('rev-parse', revision + ':.github').strip())
file = pathlib.Path(repository, '.git/objects', name[:2], name[2:])
file.unlink()
file.write_bytes(zlib.compress(f'{kind} {len(content)}\0'.encode() + content))
"#;

#[test]
fn a_forged_object_ends_the_run_with_a_finding() {
    for revision in ["HEAD:src/old.py", "HEAD:.github", "HEAD"] {
        let bench = Bench::on_disk();
        bench.write("src/old.py", "print('old')\n");
        bench.commit("old");
        let repository = bench.repo();
        bench.script(&json!({
            "feature": {
                "write": { "src/old.py": "print('hello')\n" },
                "run": ["python3", "-I", "-c", FORGE, revision, repository],
            },
            "cli": { "write": { "cli/greet.py": "print('greet')\n" } },
        }));
        let ran = bench.run([]).expect(1);
        let handoff = ran.handoff();
        assert_eq!(handoff.status, Status::Incomplete, "{revision}");
        let found = handoff.findings.iter().find(|finding| finding.code == FindingCode::StoreTampered);
        let found = found.unwrap_or_else(|| panic!("{revision}: {:?}\n{}", handoff.findings, ran.called.stderr));
        assert_eq!(found.weight, Weight::Blocking, "{revision}");
        assert!(found.message.contains("is not what its id says"), "{revision}: {}", found.message);
        assert!(ran.summary().contains("is not what its id says"), "{revision}");
    }
}

#[test]
fn what_is_forged_after_it_was_checked_out_reaches_no_gate() {
    let bench = Bench::on_disk();
    let test = "import pathlib\nimport unittest\n\n\nclass T(unittest.TestCase):\n    def test_readme(self):\n        \
                self.assertEqual(pathlib.Path('README.md').read_text(), 'A service\\n')\n";
    bench.write("test_base.py", test);
    bench.commit("a test that reads");
    bench.script(&json!({
        "feature": {
            "write": { "src/hello.py": "print('hello')\n" },
            "run": ["python3", "-I", "-c", FORGE, "HEAD:README.md", bench.repo()],
        },
        "cli": { "write": { "cli/greet.py": "print('greet')\n" } },
    }));
    let ran = bench.run([]);
    let handoff = ran.handoff();
    // Read again or not, what the gates saw is what was committed.
    let is_found = handoff.findings.iter().any(|finding| finding.code == FindingCode::StoreTampered);
    assert!(is_found || handoff.status == Status::Complete, "{:?}", handoff.findings);
}
