//! The recorder of unittest by itself: it writes the result of each test however unittest is started, and changes nothing
//! of what a suite sees and comes to, whatever the suite does to it.

use std::{fs, path::Path, process::Command};

use implementer_model::evidence::{
    ask::{RECORDER_NOTE, UNITTEST_RECORDER},
    formats,
    results::Results,
};

/// Tests that a recorder may stumble over. Each is green without one.
const STRANGE: &str = r#"
import io, os, subprocess, sys, unittest

class Attributes(unittest.TestCase):
    def setUp(self):
        self.id = 7
        self.state = "x"
    def test_of_the_instance(self):
        pass

class OfTheClass(unittest.TestCase):
    id = 3
    def test_of_the_class(self):
        pass

class Environment(unittest.TestCase):
    def test_nothing_of_ours_is_seen(self):
        self.assertNotIn("IMPLEMENTER_RESULTS", os.environ)
        self.assertNotIn("PYTHONPATH", os.environ)
        self.assertFalse([folder for folder in sys.path if folder.endswith("recorder")])

class Runs(unittest.TestCase):
    def test_a_run_inside_a_run_is_no_test(self):
        class Red(unittest.TestCase):
            def test_red(self):
                self.fail("red")
        suite = unittest.defaultTestLoader.loadTestsFromTestCase(Red)
        self.assertFalse(unittest.TextTestRunner(stream=io.StringIO()).run(suite).wasSuccessful())

    def test_a_process_of_a_test_is_no_test(self):
        red = "import unittest\nclass R(unittest.TestCase):\n    def test_red(self): self.fail()\nunittest.main()"
        self.assertEqual(subprocess.run([sys.executable, "-c", red], stderr=subprocess.DEVNULL).returncode, 1)

    def test_forks(self):
        child = os.fork()
        if child == 0:
            os._exit(0)
        os.waitpid(child, 0)

class States(unittest.TestCase):
    @unittest.skip("later")
    def test_skipped(self):
        pass
    @unittest.expectedFailure
    def test_expected(self):
        self.fail()
    def test_parts(self):
        for part in range(2):
            with self.subTest(part=part):
                pass
"#;

struct Suite {
    folder: tempfile::TempDir,
}

impl Suite {
    fn new(tests: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["repo", "results", "recorder"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        fs::write(folder.path().join("repo/test_all.py"), tests).unwrap();
        fs::write(folder.path().join("recorder/sitecustomize.py"), UNITTEST_RECORDER.1).unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    /// Runs a command in the repository and returns whether it succeeded, with what it printed but times.
    fn run(&self, command: &str, with_recorder: bool) -> (Option<i32>, String) {
        let mut process = Command::new("sh");
        process.args(["-c", command]).current_dir(self.path("repo")).env_clear();
        process.env("PATH", std::env::var("PATH").unwrap()).env("PYTHONDONTWRITEBYTECODE", "1");
        if with_recorder {
            process.env("PYTHONPATH", self.path("recorder")).env("IMPLEMENTER_RESULTS", self.path("results"));
        }
        let output = process.output().unwrap();
        let printed = String::from_utf8_lossy(&output.stderr).into_owned();
        let timed = |line: &&str| !line.starts_with("Ran ");
        (output.status.code(), printed.lines().filter(timed).collect::<Vec<_>>().join("\n"))
    }

    fn files(&self) -> Vec<std::path::PathBuf> {
        fs::read_dir(self.path("results")).unwrap().map(|entry| entry.unwrap().path()).collect()
    }

    /// Takes out what was recorded.
    fn take_results(&self) -> Results {
        let mut all = Results::default();
        for file in self.files() {
            all.add(formats::read(&fs::read(&file).unwrap()).unwrap());
            fs::remove_file(file).unwrap();
        }
        all
    }
}

#[test]
fn however_unittest_is_started_each_test_is_recorded_and_nothing_is_another() {
    let suite = Suite::new(STRANGE);
    fs::write(suite.path("repo/test.sh"), "exec python3 -m unittest\n").unwrap();
    fs::write(
        suite.path("repo/all.py"),
        "import sys, unittest\nfrom test_all import *\nprint(sys.argv, __name__)\nunittest.main()\n",
    )
    .unwrap();
    for command in ["python3 -m unittest", "sh test.sh", "python3 all.py"] {
        let plain = suite.run(command, false);
        assert_eq!(plain.0, Some(0), "{}", plain.1);
        assert!(suite.files().is_empty());
        assert_eq!(suite.run(command, true), plain, "{command}");
        let results = suite.take_results();
        let counts = results.counts();
        assert_eq!((counts.passed, counts.failed, counts.skipped), (8, 0, 1), "{command}: {results:#?}");
        assert_eq!(results.unfinished, None);
        assert!(
            results.tests.iter().any(|test| test.name.ends_with("Attributes.test_of_the_instance")),
            "{results:#?}"
        );
    }
}

#[test]
fn what_goes_wrong_in_the_recorder_is_a_note_and_no_red_suite() {
    let green = "import os, unittest\n\nclass A(unittest.TestCase):\n    def test_a(self):\n        os.closerange(3, 256)\n    \
                 def test_b(self):\n        pass\n";
    let suite = Suite::new(green);
    let plain = suite.run("python3 -m unittest", false);
    assert_eq!((plain.0, suite.run("python3 -m unittest", true)), (Some(0), plain));
    let names: Vec<_> = suite.files().iter().map(|file| file.file_name().unwrap().to_owned()).collect();
    assert_eq!(names, [RECORDER_NOTE], "no half results");
    assert!(fs::read_to_string(suite.path("results").join(RECORDER_NOTE)).unwrap().contains("unittest: "));
    // Where nothing can be written at all, nothing is.
    fs::remove_dir_all(suite.path("results")).unwrap();
    assert_eq!(suite.run("python3 -m unittest", true).0, Some(0));
}

#[test]
fn red_suites_stay_red_and_those_that_end_early_have_no_end() {
    let red = "import os, unittest\n\nclass A(unittest.TestCase):\n    def test_a(self):\n        class Odd(Exception):\n            \
               def __str__(self):\n                raise ValueError\n        raise Odd()\n    def test_b(self):\n        self.fail('b')\n";
    let suite = Suite::new(red);
    assert_eq!(suite.run("python3 -m unittest", true).0, Some(1));
    assert_eq!(suite.take_results().counts().failed, 2);
    let early = "import os, unittest\n\nclass A(unittest.TestCase):\n    def test_a(self):\n        os._exit(0)\n";
    let suite = Suite::new(early);
    assert_eq!(suite.run("python3 -m unittest", true).0, Some(0));
    assert!(suite.take_results().unfinished.is_some());
}

#[test]
fn a_sitecustomize_of_the_repository_still_runs() {
    let suite = Suite::new(
        "import os, unittest\n\nclass A(unittest.TestCase):\n    def test_a(self):\n        \
                            self.assertEqual(os.environ['OWN'], '1')\n",
    );
    let own = suite.path("own");
    fs::create_dir(&own).unwrap();
    fs::write(own.join("sitecustomize.py"), "import os\nos.environ['OWN'] = '1'\n").unwrap();
    let path = |folder: &Path| folder.display().to_string();
    let command = format!("PYTHONPATH=$PYTHONPATH:{} python3 -m unittest", path(&own));
    let (code, printed) = suite.run(&command, true);
    assert_eq!(code, Some(0), "{printed}");
    assert_eq!(suite.take_results().counts().passed, 1);
}
