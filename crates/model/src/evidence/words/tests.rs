use super::{super::counts::from_output, *};

fn numbers(counts: TestCounts) -> (u64, u64, u64) {
    (counts.passed, counts.failed, counts.skipped)
}

/// What real runners printed, kept whole.
const FILES: &[(&str, &str, (u64, u64, u64))] = &[
    ("unittest", include_str!("samples/unittest-mixed.txt"), (3, 4, 1)),
    ("unittest", include_str!("samples/unittest-green.txt"), (2, 0, 1)),
    ("unittest", include_str!("samples/nose2-mixed.txt"), (3, 4, 1)),
    ("unittest", include_str!("samples/nose2-green.txt"), (2, 0, 1)),
    ("unittest", include_str!("samples/green-mixed.txt"), (3, 4, 1)),
    ("unittest", include_str!("samples/green-green.txt"), (2, 0, 1)),
    ("pytest", include_str!("samples/pytest-mixed.txt"), (9, 6, 2)),
    ("pytest", include_str!("samples/pytest-q.txt"), (2, 0, 1)),
    ("pytest", include_str!("samples/pytest-xdist.txt"), (7, 2, 2)),
    ("pytest", include_str!("samples/pytest-v.txt"), (4, 4, 1)),
    ("pytest", include_str!("samples/tox-green.txt"), (4, 0, 2)),
    ("doctest", include_str!("samples/doctest-mixed.txt"), (2, 1, 0)),
    ("doctest", include_str!("samples/doctest-green.txt"), (1, 0, 0)),
    ("behave", include_str!("samples/behave-mixed.txt"), (1, 2, 1)),
    ("Robot Framework", include_str!("samples/robot-mixed.txt"), (2, 2, 2)),
    ("Robot Framework", include_str!("samples/robot-one.txt"), (1, 1, 1)),
    ("go test", include_str!("samples/go-mixed.txt"), (3, 2, 0)),
    ("go test", include_str!("samples/go-v.txt"), (1, 1, 1)),
    ("cargo test", include_str!("samples/cargo-mixed.txt"), (4, 1, 1)),
    ("cargo test", include_str!("samples/cargo-green.txt"), (1, 0, 0)),
    ("cargo nextest", include_str!("samples/nextest-mixed.txt"), (3, 1, 1)),
    ("jest", include_str!("samples/jest-mixed.txt"), (3, 1, 2)),
    ("jest", include_str!("samples/jest-green.txt"), (1, 0, 0)),
    ("vitest", include_str!("samples/vitest-mixed.txt"), (2, 1, 2)),
    ("mocha", include_str!("samples/mocha-mixed.txt"), (1, 1, 2)),
    ("mocha", include_str!("samples/mocha-dot.txt"), (1, 1, 2)),
    ("mocha", include_str!("samples/mocha-min.txt"), (1, 1, 2)),
    ("TAP", include_str!("samples/mocha-tap.txt"), (1, 1, 2)),
    ("ava", include_str!("samples/ava-mixed.txt"), (1, 1, 2)),
    ("TAP", include_str!("samples/ava-tap.txt"), (2, 1, 2)),
    ("uvu", include_str!("samples/uvu-mixed.txt"), (2, 1, 1)),
    ("uvu", include_str!("samples/uvu-green.txt"), (1, 0, 0)),
    ("TAP", include_str!("samples/tape-mixed.txt"), (1, 1, 1)),
    ("node --test, tape", include_str!("samples/node-mixed.txt"), (3, 1, 3)),
    ("node --test, tape", include_str!("samples/node-spec.txt"), (3, 1, 3)),
    ("node --test, tape", include_str!("samples/node-exit.txt"), (1, 0, 0)),
    ("node --test, tape", include_str!("samples/node-env.txt"), (4, 1, 3)),
    ("TAP", include_str!("samples/qunit-mixed.txt"), (1, 1, 2)),
    ("cucumber", include_str!("samples/cucumber-mixed.txt"), (2, 2, 0)),
    ("Ruby counts", include_str!("samples/jasmine-mixed.txt"), (1, 1, 1)),
    ("Ruby counts", include_str!("samples/minitest-mixed.txt"), (1, 2, 1)),
    ("Ruby counts", include_str!("samples/testunit-mixed.txt"), (1, 2, 2)),
    ("Ruby counts", include_str!("samples/rspec-mixed.txt"), (1, 1, 2)),
    ("prove", include_str!("samples/prove-mixed.txt"), (3, 1, 1)),
    ("prove", include_str!("samples/prove-v.txt"), (1, 0, 0)),
    ("prove", include_str!("samples/prove-green.txt"), (1, 0, 0)),
    ("TAP", include_str!("samples/bats-tap.txt"), (1, 1, 1)),
    ("Ruby counts", include_str!("samples/bats-pretty.txt"), (1, 1, 1)),
    ("PHPUnit, JUnit 4", include_str!("samples/phpunit-mixed.txt"), (2, 2, 2)),
    ("PHPUnit, JUnit 4", include_str!("samples/phpunit-green.txt"), (1, 0, 0)),
    ("PHPUnit, JUnit 4", include_str!("samples/phpunit-skip.txt"), (1, 0, 1)),
    ("ctest", include_str!("samples/ctest-mixed.txt"), (1, 1, 2)),
    ("ctest", include_str!("samples/ctest-green.txt"), (1, 0, 0)),
    ("GoogleTest", include_str!("samples/gtest-mixed.txt"), (1, 1, 2)),
    ("GoogleTest", include_str!("samples/gtest-green.txt"), (1, 0, 0)),
    ("Catch2, doctest", include_str!("samples/catch2-mixed.txt"), (2, 1, 0)),
    ("Catch2, doctest", include_str!("samples/catch2-green.txt"), (1, 0, 0)),
    ("Maven Surefire", include_str!("samples/mvn-mixed.txt"), (1, 1, 1)),
];

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
        "Ruby counts",
        "Finished in 0.1 seconds\n5 examples, 1 failure, 1 pending, 1 error occurred outside of examples\n",
        (3, 2, 1),
    ),
    ("Ruby counts", "0 examples, 0 failures\n", (0, 0, 0)),
    ("Ruby counts", "6 runs, 9 assertions, 1 failures, 1 errors, 1 skips\n", (3, 2, 1)),
    ("Ruby counts", "1 doctest, 4 tests, 1 failure, 1 skipped\n", (3, 1, 1)),
    ("Ruby counts", " ✓ adds\n\n2 tests, 0 failures\n", (2, 0, 0)),
    ("PHPUnit, JUnit 4", "...\n\nTime: 00:00.012, Memory: 6.00 MB\n\nOK (3 tests, 5 assertions)\n", (3, 0, 0)),
    (
        "PHPUnit, JUnit 4",
        "FAILURES!\nTests: 8, Assertions: 9, Errors: 1, Failures: 2, Skipped: 1, Incomplete: 1.\n",
        (3, 3, 2),
    ),
    ("PHPUnit, JUnit 4", "No tests executed!\n", (0, 0, 0)),
    ("PHPUnit, JUnit 4", "JUnit version 4.13\n..\nTime: 0.012\n\nOK (2 tests)\n", (2, 0, 0)),
    (
        "Maven Surefire",
        "[INFO] Running UsersTest\n[INFO] Tests run: 2, Failures: 0, Errors: 0, Skipped: 0, Time elapsed: 0.04 s -- in UsersTest\n[ERROR] Tests run: 3, Failures: 1, Errors: 0, Skipped: 1, Time elapsed: 0.04 s <<< FAILURE! -- in ApiTest\n[INFO]\n[INFO] Results:\n[INFO]\n[ERROR] Tests run: 5, Failures: 1, Errors: 0, Skipped: 1\n",
        (3, 1, 1),
    ),
    (
        "JUnit console",
        "[         1 containers found      ]\n[         6 tests found           ]\n[         1 tests skipped         ]\n[         5 tests started         ]\n[         0 tests aborted         ]\n[         4 tests successful      ]\n[         1 tests failed          ]\n",
        (4, 1, 1),
    ),
    ("Gradle", "UsersTest > patches FAILED\n\n7 tests completed, 1 failed, 2 skipped\n", (4, 1, 2)),
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
    (
        "bun test",
        "bun test v1.1\n\n 3 pass\n 1 skip\n 1 todo\n 2 fail\n 9 expect() calls\nRan 7 tests across 2 files. [12.00ms]\n",
        (3, 2, 2),
    ),
    (
        "deno test",
        "running 4 tests from ./a_test.ts\na ... ok (1ms)\n\nFAILED | 2 passed (3 steps) | 1 failed | 1 ignored (12ms)\n",
        (2, 1, 1),
    ),
    ("deno test", "ok | 3 passed | 0 failed (12ms)\n", (3, 0, 0)),
    (
        "Playwright",
        "\nRunning 7 tests using 2 workers\n\n  1) a.spec.ts:3:5 › bad ───\n\n  1 failed\n    a.spec.ts:3:5 › bad ────\n  1 flaky\n    a.spec.ts:9:5 › shaky ──\n  1 skipped\n  1 did not run\n  3 passed (2.1s)\n",
        (4, 1, 2),
    ),
    ("Playwright", "Running 1 test using 1 worker\n·\n  1 passed (1.0s)\n", (1, 0, 0)),
    (
        "Cypress",
        "  Running:  a.cy.js  (1 of 1)\n\n  users\n    ✓ patches\n\n  2 passing (1s)\n  1 failing\n\n  (Results)\n\n  │ Tests:        3      │\n  │ Passing:      2      │\n  │ Failing:      1      │\n  │ Pending:      0      │\n  │ Skipped:      0      │\n",
        (2, 1, 0),
    ),
    (
        "karma",
        "Chrome 120.0 (Linux): Executed 1 of 4 SUCCESS (0 secs / 0.001 secs)\rChrome 120.0 (Linux): Executed 3 of 4 (1 FAILED) (skipped 1) (0.01 secs / 0.005 secs)\nTOTAL: 1 FAILED, 2 SUCCESS\n",
        (2, 1, 1),
    ),
    ("karma", "Firefox 100.0 (Linux): Executed 3 of 3 SUCCESS (0.01 secs / 0.005 secs)\n", (3, 0, 0)),
    ("karma", "Chrome 120.0 (Linux): Executed 1 of 3 DISCONNECTED (0.01 secs / 0.005 secs)\n", (1, 2, 0)),
    (
        "Pest",
        "   FAIL  Tests\\UsersTest\n\n  Tests:    1 failed, 2 skipped, 1 todo, 3 passed (5 assertions)\n  Duration: 0.10s\n",
        (3, 1, 3),
    ),
    ("JUnit console", "[         2 tests successful      ]\n[         0 tests failed          ]\n", (2, 0, 0)),
    ("PHPUnit, JUnit 4", "JUnit version 4.12\n..E\nFAILURES!!!\nTests run: 3,  Failures: 1\n", (2, 1, 0)),
    ("sbt", "[info] Passed: Total 5, Failed 0, Errors 0, Passed 5, Skipped 1\n", (5, 0, 1)),
    (
        "sbt",
        "[info] Tests: succeeded 4, failed 1, canceled 0, ignored 1, pending 0\n[error] Failed: Total 5, Failed 1, Errors 0, Passed 4, Ignored 1\n",
        (4, 1, 1),
    ),
    (
        "ScalaTest",
        "Run completed in 200 milliseconds.\nTests: succeeded 4, failed 1, canceled 0, ignored 1, pending 0\n",
        (4, 1, 1),
    ),
    (
        "dotnet test",
        "Test run summary: Failed!\n  total: 6\n  failed: 1\n  succeeded: 4\n  skipped: 1\n  duration: 1s 200ms\n",
        (4, 1, 1),
    ),
    (
        "Swift",
        "Test Suite 'All tests' failed at 2026-11-27.\n\t Executed 5 tests, with 1 test skipped and 1 failure (0 unexpected) in 0.1 (0.2) seconds\n",
        (3, 1, 1),
    ),
    (
        "Swift",
        "Executed 0 tests, with 0 failures (0 unexpected) in 0.000 (0.000) seconds\n✔ Test patches() passed after 0.001 seconds.\n✘ Test removes() failed after 0.001 seconds with 2 issues.\n✘ Test run with 2 tests failed after 0.002 seconds with 2 issues.\n",
        (1, 1, 0),
    ),
    (
        "Flutter, Dart",
        "00:00 +0: loading a_test.dart\n00:01 +1: patches\n00:03 +12 ~1 -2: Some tests failed.\n",
        (12, 2, 1),
    ),
    ("Flutter, Dart", "00:03 +12: All tests passed!\n", (12, 0, 0)),
    ("gotestsum", "✓  pkg (2ms)\n\nDONE 12 tests, 1 skipped, 2 failures in 0.345s\n", (9, 2, 1)),
    (
        "gotestsum",
        "Ran 4 of 5 Specs in 0.001 seconds\nFAIL! -- 3 Passed | 1 Failed | 0 Pending | 1 Skipped\n",
        (3, 1, 1),
    ),
    (
        "go test -json",
        "{\"Action\":\"run\",\"Package\":\"p\",\"Test\":\"TestA\"}\n{\"Action\":\"pass\",\"Package\":\"p\",\"Test\":\"TestA\"}\n{\"Action\":\"pass\",\"Package\":\"p\"}\n",
        (1, 0, 0),
    ),
    ("busted", "2 successes / 1 failure / 1 error / 1 pending : 0.01 seconds\n", (2, 2, 1)),
    ("other runners", "[ FAIL 1 | WARN 0 | SKIP 1 | PASS 5 ]\n", (5, 1, 1)),
    ("tasty, Zig", "1 out of 3 tests failed (0.00s)\n", (2, 1, 0)),
    (
        "Catch2, doctest",
        "[doctest] test cases:  3 |  1 passed | 1 failed | 1 skipped\n[doctest] assertions: 9 | 8 passed | 1 failed |\n",
        (1, 1, 1),
    ),
];

#[test]
fn every_known_runner_is_understood() {
    for (runner, output, expected) in SAMPLES {
        let words = read(output).unwrap_or_else(|| panic!("{runner}: {output}"));
        assert_eq!((numbers(words.counts), words.runners.as_slice()), (*expected, &[*runner][..]), "{output}");
    }
    for runner in RUNNERS {
        let has = |name: &str| name == runner.name;
        let told = SAMPLES.iter().any(|(name, ..)| has(name)) || FILES.iter().any(|(name, ..)| has(name));
        assert!(told, "{} has no sample", runner.name);
        assert!(
            runner.contains.iter().all(|inner| RUNNERS.iter().any(|other| other.name == *inner)),
            "{}",
            runner.name
        );
    }
}

#[test]
fn what_real_runners_printed_is_understood() {
    for (runner, output, expected) in FILES {
        let words = read(output).unwrap_or_else(|| panic!("{runner}: {output}"));
        assert_eq!((numbers(words.counts), words.runners.as_slice()), (*expected, &[*runner][..]), "{output}");
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
    }
}
