use super::*;

fn numbers(counts: TestCounts) -> (u64, u64, u64) {
    (counts.passed, counts.failed, counts.skipped)
}

/// Runner, what it prints, and what that says: passed, failed, skipped.
const SAMPLES: &[(&str, &str, (u64, u64, u64))] = &[
    (
        "unittest",
        "....\n----------------------------------------------------------------------\nRan 12 tests in 0.003s\n\nOK\n",
        (12, 0, 0),
    ),
    ("unittest", "Ran 1 test in 0.001s\n\nOK (skipped=1)\n", (0, 0, 1)),
    ("unittest", "Ran 9 tests in 0.004s\n\nFAILED (failures=1, errors=2, skipped=3, expected failures=1)\n", (3, 3, 3)),
    ("unittest", "Ran 0 tests in 0.000s\n\nNO TESTS RAN\n", (0, 0, 0)),
    (
        "pytest",
        "tests/test_a.py ..F                [100%]\n======= 1 failed, 3 passed, 2 skipped, 1 warning in 0.12s =======\n",
        (3, 1, 2),
    ),
    ("pytest", "...\n3 passed in 0.01s\n", (3, 0, 0)),
    ("pytest", "=== 1 passed, 1 xfailed, 2 errors, 4 deselected in 61.20s (0:01:01) ===\n", (2, 2, 0)),
    ("pytest", "==== no tests ran in 0.00s ====\n", (0, 0, 0)),
    (
        "cargo test",
        "running 2 tests\ntest a ... ok\ntest b ... ok\n\ntest result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\n   Doc-tests users\n\nrunning 1 test\n\ntest result: FAILED. 0 passed; 1 failed; 3 ignored; 0 measured; 0 filtered out; finished in 0.21s\n",
        (2, 1, 3),
    ),
    (
        "cargo nextest",
        "        PASS [   0.004s] users tests::a\n------------\n     Summary [   0.012s] 12 tests run: 10 passed (1 slow, 1 flaky), 1 failed, 1 timed out, 2 skipped\n",
        (10, 2, 2),
    ),
    ("cargo nextest", "     Summary [   0.012s] 1 test run: 1 passed, 0 skipped\n", (1, 0, 0)),
    (
        "go test",
        "=== RUN   TestA\n=== RUN   TestA/part\n--- PASS: TestA (0.00s)\n    --- PASS: TestA/part (0.00s)\n=== RUN   TestB\n--- SKIP: TestB (0.00s)\n=== RUN   TestC\n--- FAIL: TestC (0.01s)\nFAIL\nFAIL\texample.com/users\t0.012s\nok  \texample.com/other\t0.003s\nFAIL\texample.com/broken [build failed]\nFAIL\n",
        (1, 2, 1),
    ),
    (
        "go test",
        "ok  \texample.com/users\t0.012s\nok  \texample.com/api\t(cached)\n?   \texample.com/cmd\t[no test files]\nok  \texample.com/x\t0.001s [no tests to run]\n--- FAIL: TestC (0.01s)\nFAIL\nFAIL\texample.com/db\t0.1s\n",
        (2, 1, 0),
    ),
    ("go test", "?   \texample.com/cmd\t[no test files]\n", (0, 0, 0)),
    (
        "jest",
        "Test Suites: 1 failed, 2 passed, 3 total\nTests:       1 failed, 2 skipped, 1 todo, 6 passed, 10 total\nSnapshots:   0 total\nTime:        1.2 s\n",
        (6, 1, 3),
    ),
    (
        "vitest",
        " Test Files  1 failed | 2 passed (3)\n      Tests  1 failed | 6 passed | 2 skipped (9)\n   Start at  10:00:00\n   Duration  310ms\n",
        (6, 1, 2),
    ),
    ("vitest", "No test files found, exiting with code 0\n", (0, 0, 0)),
    ("mocha", "  users\n    ✔ patches\n\n  3 passing (12ms)\n  1 pending\n  2 failing\n\n  1) users\n", (3, 2, 1)),
    (
        "node --test, tape",
        "✔ patches (1ms)\nℹ tests 4\nℹ suites 1\nℹ pass 2\nℹ fail 1\nℹ cancelled 0\nℹ skipped 1\nℹ todo 0\nℹ duration_ms 44\n",
        (2, 1, 1),
    ),
    (
        "node --test, tape",
        "TAP version 13\n# Subtest: patches\nok 1 - patches\nok 2 - more\n1..2\n# tests 2\n# suites 0\n# pass 2\n# fail 0\n# cancelled 0\n# skipped 0\n# todo 0\n",
        (2, 0, 0),
    ),
    (
        "TAP",
        "TAP version 14\n1..5\nok 1 - a\n    ok 1 - part\n    1..1\nnot ok 2 - b\nok 3 - c # SKIP no database\nnot ok 4 - d # TODO later\nok\n",
        (2, 1, 2),
    ),
    ("TAP", "1..0 # SKIP nothing here\n", (0, 0, 1)),
    (
        "RSpec, minitest, ExUnit, Bats",
        "Finished in 0.1 seconds\n5 examples, 1 failure, 1 pending, 1 error occurred outside of examples\n",
        (3, 2, 1),
    ),
    ("RSpec, minitest, ExUnit, Bats", "0 examples, 0 failures\n", (0, 0, 0)),
    ("RSpec, minitest, ExUnit, Bats", "6 runs, 9 assertions, 1 failures, 1 errors, 1 skips\n", (3, 2, 1)),
    ("RSpec, minitest, ExUnit, Bats", "1 doctest, 4 tests, 1 failure, 1 skipped\n", (3, 1, 1)),
    ("RSpec, minitest, ExUnit, Bats", " ✓ adds\n\n2 tests, 0 failures\n", (2, 0, 0)),
    ("PHPUnit, JUnit 4", "...\n\nTime: 00:00.012, Memory: 6.00 MB\n\nOK (3 tests, 5 assertions)\n", (3, 0, 0)),
    (
        "PHPUnit, JUnit 4",
        "FAILURES!\nTests: 8, Assertions: 9, Errors: 1, Failures: 2, Skipped: 1, Incomplete: 1.\n",
        (3, 3, 2),
    ),
    ("PHPUnit, JUnit 4", "No tests executed!\n", (0, 0, 0)),
    ("PHPUnit, JUnit 4", "JUnit version 4.13\n..\nTime: 0.012\n\nOK (2 tests)\n", (2, 0, 0)),
    (
        "Maven Surefire, JUnit console, Gradle",
        "[INFO] Running UsersTest\n[INFO] Tests run: 2, Failures: 0, Errors: 0, Skipped: 0, Time elapsed: 0.04 s -- in UsersTest\n[ERROR] Tests run: 3, Failures: 1, Errors: 0, Skipped: 1, Time elapsed: 0.04 s <<< FAILURE! -- in ApiTest\n[INFO]\n[INFO] Results:\n[INFO]\n[ERROR] Tests run: 5, Failures: 1, Errors: 0, Skipped: 1\n",
        (3, 1, 1),
    ),
    (
        "Maven Surefire, JUnit console, Gradle",
        "[         1 containers found      ]\n[         6 tests found           ]\n[         1 tests skipped         ]\n[         5 tests started         ]\n[         0 tests aborted         ]\n[         4 tests successful      ]\n[         1 tests failed          ]\n",
        (4, 1, 1),
    ),
    (
        "Maven Surefire, JUnit console, Gradle",
        "UsersTest > patches FAILED\n\n7 tests completed, 1 failed, 2 skipped\n",
        (4, 1, 2),
    ),
    (
        "dotnet test",
        "Passed!  - Failed:     0, Passed:     5, Skipped:     1, Total:     6, Duration: 10 ms - Users.dll (net8.0)\nFailed!  - Failed:     1, Passed:     1, Skipped:     0, Total:     2, Duration: 9 ms - Api.dll (net8.0)\n",
        (6, 1, 1),
    ),
    (
        "dotnet test",
        "Passed!  - Failed:     0, Passed:     5, Skipped:     0, Total:     5, Duration: 10 ms - Users.dll\nTest summary: total: 6, failed: 0, succeeded: 5, skipped: 1, duration: 1.2s\n",
        (5, 0, 1),
    ),
    (
        "dotnet test",
        "Test Run Failed.\nTotal tests: 5\n     Passed: 3\n     Failed: 1\n    Skipped: 1\n Total time: 1.2 Seconds\n",
        (3, 1, 1),
    ),
];

#[test]
fn every_known_runner_is_understood() {
    for (runner, output, expected) in SAMPLES {
        assert_eq!(from_output(output).map(numbers), Some(*expected), "{runner}: {output}");
    }
}

#[test]
fn every_output_belongs_to_one_runner_only() {
    for (runner, output, _) in SAMPLES {
        let lines: Vec<_> = output.lines().map(str::trim_end).collect();
        let known: Vec<_> =
            runners::ALL.iter().filter(|(_, count)| count(&lines).is_some()).map(|(name, _)| *name).collect();
        assert_eq!(known, [*runner], "{output}");
    }
    for (name, _) in runners::ALL {
        assert!(SAMPLES.iter().any(|(runner, ..)| *runner == name), "{name} has no sample");
    }
}

#[test]
fn colours_and_carriage_returns_change_nothing() {
    for (runner, output, expected) in SAMPLES {
        let coloured: String =
            output.lines().map(|line| format!("\u{1b}[1m\u{1b}[32m{line}\u{1b}[39m\u{1b}[22m\r\n")).collect();
        assert_eq!(from_output(&coloured).map(numbers), Some(*expected), "{runner}");
    }
}

#[test]
fn several_runners_and_runs_add_up() {
    let twice = "3 passed in 0.01s\n2 passed, 1 failed in 0.01s\n";
    assert_eq!(from_output(twice).map(numbers), Some((5, 1, 0)));
    let mixed = "3 passed in 0.01s\ntest result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out\n";
    assert_eq!(from_output(mixed).map(numbers), Some((5, 0, 1)));
}

#[test]
fn other_output_says_nothing_about_tests() {
    for output in [
        "",
        "ok\n",
        "all good, 3 tests\n",
        "I ran 12 tests in my head\n",
        "Compiled in 3s\n",
        "built 3 passed files in 0.1s\n",
        "Tests: none\n",
        "Tests run: many\n",
        "ok 1 - no plan, so no TAP\n",
        "# pass the salt\n",
        "5 files changed, 3 insertions(+), 1 deletion(-)\n",
    ] {
        assert_eq!(from_output(output), None, "{output}");
    }
}

#[test]
fn huge_numbers_do_not_overflow() {
    let max = u64::MAX;
    let output = format!("{max} passed, {max} failed in 0.1s\n{max} passed in 0.1s\n");
    assert_eq!(from_output(&output).map(numbers), Some((max, max, 0)));
    assert_eq!(from_output("99999999999999999999999 passed in 0.1s"), None);
}

proptest::proptest! {
    #[test]
    fn any_text_is_read_without_a_panic(text in "(Ran |OK|Tests|ok|not ok|1\\.\\.|#|[0-9]{1,21}| |,|\n|passed|\\(|\\)|in |s|é|:){0,60}") {
        let _ = from_output(&text);
        let _ = from_junit(&text);
        let _ = from_junit(&format!("<testsuite>{text}"));
    }
}

#[test]
fn junit_test_cases_are_counted_not_totals() {
    let xml = r#"<?xml version="1.0"?>
<!-- nested suites, totals that are missing or wrong -->
<testsuites tests="99">
  <testsuite name="a" tests="1" failures="7">
    <properties><property name="x" value="y"/></properties>
    <testsuite name="inner">
      <testcase name="passes"/>
      <testcase name="fails"><failure message="no &amp; &unknown; no">trace</failure><failure/></testcase>
      <testcase name="errs"><error/><system-out><![CDATA[<skipped/>]]></system-out></testcase>
    </testsuite>
    <testcase name="skipped"><skipped/></testcase>
    <testcase name="chatty"><system-out>out</system-out></testcase>
    <testcase name="off" status="notrun"/>
    <error>of the suite, not of a case</error>
  </testsuite>
</testsuites>"#;
    let counts = from_junit(xml).unwrap();
    assert_eq!((numbers(counts), counts.source), ((2, 2, 2), CountSource::Junit));
}

#[test]
fn a_single_suite_and_an_empty_one_are_junit_too() {
    assert_eq!(numbers(from_junit("\u{feff}<testsuite><testcase/></testsuite>").unwrap()), (1, 0, 0));
    assert_eq!(numbers(from_junit("<testsuites/>").unwrap()), (0, 0, 0));
}

#[test]
fn what_is_no_junit_is_refused() {
    assert!(matches!(from_junit(""), Err(JunitError::OtherRoot { root }) if root.is_empty()));
    assert!(matches!(from_junit("<html><testcase/></html>"), Err(JunitError::OtherRoot { root }) if root == "html"));
    assert!(matches!(from_junit("<testsuite><testcase></testsuite>"), Err(JunitError::Malformed { .. })));
    assert!(matches!(from_junit("<testsuite><testcase/>"), Err(JunitError::Malformed { .. })));
    assert!(matches!(from_junit(&"<testsuite>".repeat(70)), Err(JunitError::TooDeep)));
}

#[test]
fn entities_cannot_grow() {
    let bomb = format!(
        "<!DOCTYPE x [<!ENTITY a \"{}\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">]><testsuite>{}<testcase/></testsuite>",
        "x".repeat(1000),
        "&b;".repeat(1000)
    );
    assert_eq!(numbers(from_junit(&bomb).unwrap()), (1, 0, 0));
}

#[test]
fn files_add_up() {
    let one = from_junit("<testsuite><testcase/></testsuite>").unwrap();
    let other = from_junit("<testsuite><testcase><failure/></testcase></testsuite>").unwrap();
    assert_eq!(numbers(one.plus(other)), (1, 1, 0));
    assert_eq!(one.plus(other).source, CountSource::Junit);
}
