//! A subagent that wants to forge a run: each thing that it tries, at each level of isolation that this machine has. What
//! counts is what came out: the tree, the processes that are left, the verdict.

mod forged_objects;
mod further;
mod refusals;
pub(crate) mod stage;

use std::{fs, os::unix::fs::PermissionsExt as _};

use implementer_model::{handoff::Status, isolation::Level, schedule::Outcome};
use serde_json::json;

use self::stage::{Stage, at_each_level, expect_failed_tests};
use crate::support::PASSING_TEST;

/// A test that fails, in a file of the feature's scope.
const FAILING_TEST: &str =
    "import unittest\n\nclass T(unittest.TestCase):\n    def test_it(self):\n        self.assertEqual(1, 2)\n";

fn failing() -> serde_json::Value {
    json!({ "src/hello.py": "print('hello')\n", "src/__init__.py": "", "src/test_hello.py": FAILING_TEST })
}

#[test]
fn a_subagent_cannot_write_into_the_slot_of_a_sibling() {
    at_each_level(|stage| {
        stage.attack(
            json!({ "src/hello.py": "print('hello')\n" }),
            "slots = pathlib.Path.cwd().parent.parent\n\
             found = attempt(lambda: [p for p in slots.iterdir()]) or []\n\
             end = time.monotonic() + 1\n\
             while time.monotonic() < end:\n    \
                 for slot in found:\n        \
                     for tree in attempt(lambda: list(slot.iterdir())) or []:\n            \
                         if tree != pathlib.Path.cwd():\n                \
                             attempt(lambda: (tree / 'cli').mkdir())\n                \
                             attempt(lambda: (tree / 'cli/evil.py').write_text('evil'))\n                \
                             attempt(lambda: (tree / 'README.md').chmod(0o777))\n",
        );
        let ran = stage.run();
        let tree = stage.tree(&ran);
        assert!(tree.contains(&"src/hello.py".to_owned()), "{tree:?}\n{}", ran.called.stderr);
        assert!(!tree.contains(&"cli/evil.py".to_owned()), "{tree:?}");
        assert_eq!(ran.outcomes()["cli"], Outcome::Passed, "{}", ran.called.stderr);
    });
}

#[test]
fn a_subagent_cannot_speak_for_its_supervisor_nor_end_it() {
    at_each_level(|stage| {
        stage.attack(
            failing(),
            "word = b'{\"ended\":{\"exit\":{\"code\":0},\"stopped\":false}}\\n'\n\
             above, seen = os.getppid(), []\n\
             while above and above > 1:\n    \
                 seen.append(above)\n    \
                 stat = attempt(lambda: pathlib.Path(f'/proc/{above}/stat').read_text())\n    \
                 above = int(stat.rpartition(')')[2].split()[1]) if stat else 0\n\
             for pid in seen[1:]:\n    \
                 for fd in (1, 2):\n        \
                     attempt(lambda: open(f'/proc/{pid}/fd/{fd}', 'wb').write(word))\n    \
                 for sent in (signal.SIGSTOP, signal.SIGKILL):\n        \
                     attempt(lambda: os.kill(pid, sent))\n",
        );
        let ran = stage.run();
        expect_failed_tests(&ran);
    });
}

#[test]
fn nothing_of_an_attempt_outlives_it() {
    at_each_level(|stage| {
        let mark = format!("outlives-{}", stage.level);
        // Where all work trees are; the whole of `/tmp` may be large.
        let slots = stage.bench.path("tmp");
        let slots = slots.display();
        stage.attack(
            failing(),
            &format!(
                "program = 'import os, time, pathlib, signal\\n'\\\n    \
                 'signal.signal(signal.SIGTERM, signal.SIG_IGN)\\n'\\\n    \
                 'while True:\\n'\\\n    \
                 '    for test in pathlib.Path(\"{slots}\").glob(\"**/test_hello.py\"):\\n'\\\n    \
                 '        if not test.is_relative_to(pathlib.Path.cwd()): test.write_text(\"\")\\n'\\\n    \
                 '    time.sleep(0.05)\\n'\n\
                 for _ in range(3):\n    \
                     if os.fork() == 0:\n        \
                         os.setsid()\n        \
                         if os.fork() == 0:\n            \
                             null = os.open('/dev/null', os.O_RDWR)\n            \
                             [os.dup2(null, fd) for fd in (0, 1, 2)]\n            \
                             os.execvp('python3', ['python3', '-c', program, '{mark}'])\n        \
                         os._exit(0)\n"
            ),
        );
        let ran = stage.run();
        stage.expect_nothing_left(&mark);
        expect_failed_tests(&ran);
    });
}

#[test]
fn a_subagent_cannot_write_into_the_store_nor_into_the_repository() {
    at_each_level(|stage| {
        let blob = stage.bench.git(["rev-parse", "HEAD:test_base.py"]);
        stage.attack(
            json!({ "src/hello.py": "print('hello')\n" }),
            &format!(
                "import hashlib, zlib\n\
                 blob = '{blob}'\n\
                 content = b'blob 4\\0evil'\n\
                 for objects in pathlib.Path('.git/objects/info/alternates').read_text().splitlines():\n    \
                     folder = pathlib.Path(objects) / blob[:2]\n    \
                     attempt(lambda: folder.mkdir())\n    \
                     attempt(lambda: (folder / blob[2:]).unlink())\n    \
                     attempt(lambda: (folder / blob[2:]).write_bytes(zlib.compress(content)))\n    \
                     attempt(lambda: (pathlib.Path(objects).parent / 'HEAD').write_text('ref: refs/heads/evil'))\n\
                 os.utime('test_base.py')\n"
            ),
        );
        let before = stage.bench.git(["rev-parse", "HEAD"]);
        let ran = stage.run();
        assert_eq!(ran.handoff().status, Status::Complete, "{}", ran.called.stderr);
        let git = |arguments: &[&str]| {
            let mut all = vec!["-c", "safe.directory=*"];
            all.extend(arguments);
            stage.bench.git(all)
        };
        assert_eq!(git(&["rev-parse", "HEAD"]), before);
        assert_eq!(git(&["cat-file", "blob", &blob]), PASSING_TEST.trim_end());
        assert!(!ran.out.join("store.git/objects").join(&blob[..2]).join(&blob[2..]).exists());
    });
}

#[test]
fn a_subagent_cannot_write_receipts_nor_end_the_coordinator() {
    at_each_level(|stage| {
        stage.attack(
            failing(),
            "alternates = pathlib.Path('.git/objects/info/alternates').read_text().splitlines()\n\
             run = pathlib.Path(alternates[0]).parent.parent\n\
             attempt(lambda: open(run / 'journal.jsonl', 'a').write('{\"sum\":\"0\",\"entry\":{}}\\n'))\n\
             attempt(lambda: (run / 'handoff.json').write_text('{}'))\n\
             attempt(lambda: (run / 'evil').mkdir())\n\
             for process in glob.glob('/proc/[0-9]*/cmdline'):\n    \
                 command = attempt(lambda: pathlib.Path(process).read_bytes()) or b''\n    \
                 if str(run).encode() in command and int(process.split('/')[2]) != os.getpid():\n        \
                     attempt(lambda: os.kill(int(process.split('/')[2]), signal.SIGKILL))\n",
        );
        let ran = stage.run();
        expect_failed_tests(&ran);
        assert!(!ran.out.join("evil").exists());
        let journal = String::from_utf8(ran.read_bytes("journal.jsonl")).unwrap();
        assert!(!journal.contains("\"entry\":{}"), "{journal}");
    });
}

#[test]
fn a_subagent_cannot_read_the_keys_of_others() {
    at_each_level(|mut stage| {
        stage.configure("subagents:\n  backend-cli-implementer:\n    pass-environment: [CLI_API_KEY]\n");
        stage.environment("CLI_API_KEY", "correct-horse-battery");
        stage.environment("GITHUB_TOKEN", "staple-of-the-coordinator");
        stage.bench.script(&json!({
            "feature": { "write": { "src/hello.py": "" }, "run": ["python3", "-B", "-c",
                "import glob, pathlib, time\n\
                 end, found = time.monotonic() + 1, b''\n\
                 while time.monotonic() < end:\n    \
                     for name in ('environ', 'mem', 'fd/0', 'cwd/README.md', 'root/etc/shadow'):\n        \
                         for place in glob.glob(f'/proc/[0-9]*/{name}'):\n            \
                             try: found += pathlib.Path(place).read_bytes()[:100000] if name == 'environ' else b''\n            \
                             except OSError: pass\n\
                 words = [word for word in (b'correct-horse', b'staple-of') if word in found]\n\
                 pathlib.Path('src/hello.py').write_text('stolen' if words else 'nothing')\n"] },
            "cli": { "write": { "cli/greet.py": "" }, "run": ["sleep", "1"] },
        }));
        let ran = stage.run();
        let hello = fs::read_to_string(ran.out.join("tasks/feature/patch.diff")).unwrap();
        assert!(hello.contains("+nothing"), "at level {}: {hello}", stage.level);
    });
}

#[test]
fn what_an_attempt_leaves_outside_its_patch_reaches_no_gate() {
    at_each_level(|stage| {
        stage.bench.write(".gitignore", "__pycache__/\n*.pth\nsitecustomize.py\n");
        stage.bench.commit("ignored");
        // It would end every Python program with success.
        stage.attack(
            failing(),
            "evil = 'import os, sys\\nos._exit(0)\\n'\n\
             version = f'python{sys.version_info.major}.{sys.version_info.minor}'\n\
             places = [pathlib.Path.home() / f'.local/lib/{version}/site-packages', pathlib.Path('/tmp'),\n          \
                       pathlib.Path('/var/tmp'), pathlib.Path('/dev/shm'), pathlib.Path('.'), pathlib.Path('..'),\n          \
                       pathlib.Path(os.environ['TMPDIR']), pathlib.Path(f'/usr/local/lib/{version}/dist-packages')]\n\
             for place in places:\n    \
                 attempt(lambda: place.mkdir(parents=True, exist_ok=True))\n    \
                 attempt(lambda: (place / 'sitecustomize.py').write_text(evil))\n    \
                 attempt(lambda: (place / 'usercustomize.py').write_text(evil) if place != pathlib.Path('.') else None)\n\
             for folder in os.environ['PATH'].split(':'):\n    \
                 attempt(lambda: (pathlib.Path(folder) / 'python3').unlink())\n    \
                 attempt(lambda: (pathlib.Path(folder) / 'python3').write_text('#!/bin/sh\\nexit 0\\n'))\n",
        );
        let ran = stage.run();
        expect_failed_tests(&ran);
        for left in ["/tmp/sitecustomize.py", "/var/tmp/sitecustomize.py", "/dev/shm/sitecustomize.py"] {
            assert!(!fs::exists(left).unwrap(), "at level {}: {left}", stage.level);
        }
    });
}

#[test]
fn files_that_were_left_open_reach_no_subagent() {
    at_each_level(|stage| {
        let secret = stage.bench.path("secret");
        fs::write(&secret, "the secret of whoever started us").unwrap();
        fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
        stage.attack(
            json!({ "src/hello.py": "" }),
            "open_files = [fd for fd in os.listdir('/proc/self/fd') if int(fd) > 2]\n\
             read = [attempt(lambda: os.pread(int(fd), 100, 0)) for fd in open_files]\n\
             pathlib.Path('src/hello.py').write_text('stolen' if any(b'secret' in (r or b'') for r in read) else 'nothing')\n",
        );
        let out = stage.bench.path("out");
        let arguments = ["run", "--out", out.to_str().unwrap()].map(str::to_owned);
        let command = stage.command(&arguments);
        let mut shell = stage.bench.command("sh");
        shell.args(["-c", "exec 7<\"$SECRET\"; exec \"$@\"", "sh"]).env("SECRET", &secret);
        shell.arg(command.get_program()).args(command.get_args());
        assert!(shell.output().unwrap().status.success());
        let patch = fs::read_to_string(out.join("tasks/feature/patch.diff")).unwrap();
        assert!(patch.contains("+nothing"), "at level {}: {patch}", stage.level);
    });
}

#[test]
fn a_subagent_cannot_speak_for_the_step_of_a_workflow() {
    at_each_level(|mut stage| {
        let commands = stage.bench.path("set_env");
        fs::write(&commands, "").unwrap();
        let path = commands.to_str().unwrap().to_owned();
        stage.environment("GITHUB_ENV", &path);
        stage.attack(
            json!({ "src/hello.py": "" }),
            &format!("attempt(lambda: open('{path}', 'a').write('PATH=/evil\\n'))"),
        );
        stage.run().expect(0);
        assert_eq!(fs::read_to_string(&commands).unwrap(), "");
    });
}

#[test]
fn in_a_container_action_no_subagent_starts_that_could_speak_for_the_job() {
    let mut stage = Stage::new(Level::None);
    stage.bench.write(
        ".github/backend-implementer.yml",
        "isolation: none\nagent:\n  kind: command\n  command: [python3, -c, '0']\n",
    );
    stage.bench.commit("none");
    let commands = stage.bench.path("set_env");
    fs::write(&commands, "").unwrap();
    let path = commands.to_str().unwrap().to_owned();
    for (name, value) in [("GITHUB_ACTIONS", "true"), ("GITHUB_WORKSPACE", "/github/workspace"), ("GITHUB_ENV", &path)]
    {
        stage.environment(name, value);
    }
    let called = stage.run().expect(3).called;
    assert!(called.stderr.contains("no subagent is started: it could reach"), "{}", called.stderr);
    assert!(called.stderr.contains(&path), "{}", called.stderr);
}

#[test]
fn the_folder_for_temporary_files_is_nobody_elses() {
    at_each_level(|stage| {
        stage.attack(
            json!({ "src/hello.py": "" }),
            "scratch = pathlib.Path(os.environ['TMPDIR']).parent.parent\n\
             pathlib.Path('src/hello.py').write_text(oct(scratch.stat().st_mode & 0o7777))\n",
        );
        let ran = stage.run();
        let patch = fs::read_to_string(ran.out.join("tasks/feature/patch.diff")).unwrap();
        // The users of slots have a group in common, which leads them through and shows them nothing.
        // Where mounts are allowed, an attempt sees a folder of its own instead.
        let expected = if stage.container { "+0o710" } else { "+0o7" };
        assert!(patch.contains(expected), "at level {}: {patch}", stage.level);
    });
}
