//! Versions, flags and accidents of runners that the first samples do not have: each output with what it says, and with
//! whether it says that a suite never came to its end.

use super::read;

type Variant = (&'static str, &'static str, Option<(u64, u64, u64)>);

const VARIANTS: &[Variant] = &[
    (
        "pytest -rP",
        "----------------------------- Captured stdout call -----------------------------\n===== 99 passed in 1.00s =====\n===== 1 passed in 0.02s =====\n",
        Some((1, 0, 0)),
    ),
    (
        "pytest under gh, act and Kubernetes",
        "build\ttest\t2026-08-11T17:35:20.0389550Z ===== 4 passed in 0.20s =====\n[CI/test]   | ===== 3 passed in 0.20s =====\n2026-08-11T17:35:20.038954Z stdout F ===== 2 passed in 0.20s =====\n",
        Some((9, 0, 0)),
    ),
    ("jest under moon", "▮▮▮▮ api:test (1a2b3c4d)\napi:test | Tests:       5 passed, 5 total\n", Some((5, 0, 0))),
    (
        "dotnet without tests",
        "No test is available in /x/A.Tests.dll. Make sure that test discoverer is registered.\n",
        Some((0, 0, 0)),
    ),
    (
        "gradle test-logger",
        "  Test creates() PASSED\n\nFAILURE: Executed 5 tests in 2.1s (1 failed, 1 skipped)\n",
        Some((3, 1, 1)),
    ),
    (
        "parallel_tests",
        "6 examples, 0 failures\n\n9 examples, 1 failure\n\n\n15 examples, 1 failure\n\nTook 3 seconds\n",
        Some((14, 1, 0)),
    ),
    (
        "cypress without boxes",
        "  │ ✔  a.cy.js                 00:02        5        5        -        -        - │\n    ✖  1 of 2 failed (50%)      00:03        8        5        2        1        -\n",
        Some((5, 2, 1)),
    ),
    // pytest: quiet, with plugins, warnings, xdist, and broken off.
    (
        "pytest -q",
        "..s.x.                                    [100%]\n4 passed, 1 skipped, 1 xfailed in 0.05s\n",
        Some((5, 0, 1)),
    ),
    ("pytest -qq", "....                                     [100%]\n", None),
    ("pytest minutes", "======= 1 failed, 203 passed, 4 warnings in 75.31s (0:01:15) =======\n", Some((203, 1, 0))),
    (
        "pytest xpass strict",
        "=== 1 failed, 2 passed, 1 xpassed, 3 xfailed, 2 deselected, 1 rerun in 0.50s ===\n",
        Some((6, 1, 0)),
    ),
    ("pytest error only", "=========== 1 warning, 2 errors in 0.12s ===========\n", Some((0, 2, 0))),
    (
        "pytest interrupted",
        "!!!!!!!!!!!!!!!!!!!!! Interrupted: 1 error during collection !!!!!!!!!!!!!!!!!!!!!\n=============== 1 error in 0.30s ================\n",
        Some((0, 1, 0)),
    ),
    (
        "pytest -x",
        "!!!!!!!!!!!!!! stopping after 1 failures !!!!!!!!!!!!!!\n========= 1 failed, 1 passed in 0.02s =========\n",
        Some((1, 1, 0)),
    ),
    (
        "pytest xdist",
        "gw0 [4] / gw1 [4]\n....                                                                     [100%]\n============================== 4 passed in 1.02s ===============================\n",
        Some((4, 0, 0)),
    ),
    (
        "pytest subtests of 9",
        "=== 1 failed, 2 passed, 1 skipped, 3 subtests passed, 2 subtests failed in 0.03s ===\n",
        Some((2, 3, 1)),
    ),
    // unittest and what prints like it.
    (
        "unittest subtests",
        "Ran 3 tests in 0.002s\n\nFAILED (failures=2, errors=1, skipped=1, expected failures=1, unexpected successes=1)\n",
        Some((0, 4, 1)),
    ),
    (
        "unittest 3.12 nothing",
        "\n----------------------------------------------------------------------\nRan 0 tests in 0.000s\n\nNO TESTS RAN\n",
        Some((0, 0, 0)),
    ),
    ("unittest 3.12 all skipped", "Ran 2 tests in 0.000s\n\nOK (skipped=2)\n", Some((0, 0, 2))),
    (
        "django",
        "Found 3 test(s).\nCreating test database for alias 'default'...\nSystem check identified no issues (0 silenced).\n...\n----------------------------------------------------------------------\nRan 3 tests in 0.004s\n\nOK\nDestroying test database for alias 'default'...\n",
        Some((3, 0, 0)),
    ),
    ("trial", "Ran 5 tests in 0.010s\n\nPASSED (skips=1, expectedFailures=1, successes=3)\n", Some((4, 0, 1))),
    ("trial red", "Ran 5 tests in 0.010s\n\nFAILED (failures=1, errors=1, successes=3)\n", Some((3, 2, 0))),
    // Rust.
    (
        "cargo test crash",
        "running 2 tests\ntest a ... ok\nerror: test failed, to rerun pass `--lib`\n\nCaused by:\n  process didn't exit successfully: `x` (signal: 6, SIGABRT: process abort signal)\n",
        Some((0, 0, 0)),
    ),
    (
        "cargo nextest",
        "────────────\n     Summary [   0.004s] 3 tests run: 2 passed (1 slow, 1 flaky), 1 failed, 4 skipped\n        FAIL [   0.002s] a::b tests::c\n",
        Some((2, 1, 4)),
    ),
    (
        "cargo nextest stop",
        "────────────\n     Summary [   0.014s] 1/3 tests run: 0 passed, 1 failed, 0 skipped\nwarning: 2/3 tests were not run due to test failure (run with --no-fail-fast to run all tests)\n",
        Some((0, 1, 0)),
    ),
    (
        "cargo nextest timeout",
        "     Summary [  10.014s] 3 tests run: 1 passed, 1 timed out, 1 exec failed, 0 skipped\n",
        Some((1, 2, 0)),
    ),
    // Go.
    (
        "go fail build",
        "# example.com/x [example.com/x.test]\n./a_test.go:5:2: undefined: F\nFAIL\texample.com/x [build failed]\nFAIL\n",
        Some((0, 1, 0)),
    ),
    (
        "go panic",
        "=== RUN   TestA\n--- FAIL: TestA (0.00s)\npanic: boom [recovered]\n\tpanic: boom\nFAIL\texample.com/x\t0.004s\nFAIL\n",
        Some((0, 1, 0)),
    ),
    (
        "go subtests",
        "=== RUN   TestA\n=== RUN   TestA/one\n    --- PASS: TestA/one (0.00s)\n--- PASS: TestA (0.00s)\n=== RUN   TestB\n--- SKIP: TestB (0.00s)\nPASS\nok  \texample.com/x\t0.003s\n",
        Some((1, 0, 1)),
    ),
    (
        "go cached",
        "ok  \texample.com/a\t(cached)\nok  \texample.com/b\t0.010s\tcoverage: 80.0% of statements\n",
        Some((2, 0, 0)),
    ),
    // JavaScript.
    (
        "jest only",
        "Test Suites: 1 failed, 1 passed, 2 total\nTests:       3 passed, 3 total\nSnapshots:   0 total\nTime:        0.5 s\nRan all test suites.\n",
        Some((3, 1, 0)),
    ),
    ("jest no tests", "No tests found, exiting with code 0\n", Some((0, 0, 0))),
    ("jest todo", "Tests:       1 skipped, 1 todo, 2 passed, 4 total\n", Some((2, 0, 2))),
    (
        "jest in a workspace",
        "@acme/api:test: Tests:       2 passed, 2 total\n@acme/web:test: Tests:       1 failed, 1 total\n Tasks:    1 successful, 2 total\n",
        Some((2, 1, 0)),
    ),
    (
        "vitest",
        " Test Files  1 failed | 1 passed (2)\n      Tests  1 failed | 3 passed | 1 skipped | 1 todo (6)\n     Errors  1 error\n   Start at  10:00:00\n",
        Some((3, 2, 2)),
    ),
    (
        "vitest failed suite",
        " FAIL  a.test.js [ a.test.js ]\nError: Failed to resolve import\n Test Files  1 failed (1)\n      Tests  no tests\n",
        Some((0, 1, 0)),
    ),
    (
        "mocha spec",
        "  cart\n    ✔ adds\n    - later\n    1) removes\n\n\n  1 passing (4ms)\n  1 pending\n  1 failing\n",
        Some((1, 1, 1)),
    ),
    ("mocha minutes", "  12 passing (2m)\n", Some((12, 0, 0))),
    (
        "node spec",
        "▶ cart\n  ✔ adds (0.5ms)\n▶ cart (1ms)\nℹ tests 2\nℹ suites 1\nℹ pass 1\nℹ fail 0\nℹ cancelled 0\nℹ skipped 0\nℹ todo 1\nℹ duration_ms 50.1\n",
        Some((1, 0, 1)),
    ),
    (
        "jasmine",
        "Started\n..F\n\nFailures:\n1) cart removes\n\n3 specs, 1 failure, 1 pending spec\nFinished in 0.01 seconds\n",
        Some((1, 1, 1)),
    ),
    (
        "ava",
        "  ✔ a\n  ✘ [fail]: b\n  ─\n\n  1 test failed\n  1 known failure\n  2 tests skipped\n  1 test todo\n",
        Some((1, 1, 3)),
    ),
    ("testcafe", " Running tests in:\n - Chrome 120\n\n 2 passed (1s)\n", None),
    // Java and the JVM.
    (
        "surefire",
        "[INFO] Tests run: 3, Failures: 0, Errors: 0, Skipped: 1, Time elapsed: 0.05 s -- in a.CartTest\n[INFO] \n[INFO] Results:\n[INFO] \n[WARNING] Tests run: 3, Failures: 0, Errors: 0, Skipped: 1\n",
        Some((2, 0, 1)),
    ),
    (
        "surefire red",
        "[ERROR] Tests run: 4, Failures: 1, Errors: 1, Skipped: 0, Time elapsed: 0.05 s <<< FAILURE! -- in a.CartTest\n[ERROR] Tests run: 4, Failures: 1, Errors: 1, Skipped: 0\n",
        Some((2, 2, 0)),
    ),
    (
        "gradle",
        "> Task :test FAILED\n\nCartTest > removes() FAILED\n    java.lang.AssertionError at CartTest.java:9\n\n5 tests completed, 1 failed, 1 skipped\n",
        Some((3, 1, 1)),
    ),
    // Ruby, PHP, Elixir, .NET.
    (
        "rspec",
        "Finished in 0.01 seconds (files took 0.1 seconds to load)\n4 examples, 1 failure, 1 pending\n\nFailed examples:\n",
        Some((2, 1, 1)),
    ),
    (
        "rspec load error",
        "An error occurred while loading ./spec/a_spec.rb.\n0 examples, 0 failures, 1 error occurred outside of examples\n",
        Some((0, 1, 0)),
    ),
    ("minitest", "3 runs, 4 assertions, 1 failures, 1 errors, 1 skips\n", Some((0, 2, 1))),
    (
        "rails parallel",
        "Running 3 tests in parallel using 2 processes\n...\nFinished in 0.1s, 30 runs/s, 30 assertions/s.\n3 runs, 3 assertions, 0 failures, 0 errors, 0 skips\n",
        Some((3, 0, 0)),
    ),
    (
        "phpunit 10 warnings",
        "OK, but there were issues!\nTests: 3, Assertions: 5, Warnings: 1, Deprecations: 2, Risky: 1.\n",
        Some((3, 0, 0)),
    ),
    ("phpunit red", "FAILURES!\nTests: 4, Assertions: 5, Errors: 1, Failures: 1, Skipped: 1.\n", Some((1, 2, 1))),
    (
        "exunit",
        "Finished in 0.05 seconds (0.00s async, 0.05s sync)\n2 doctests, 5 tests, 1 failure, 1 excluded, 1 skipped\n",
        Some((4, 1, 2)),
    ),
    (
        "dotnet terminal logger",
        "  Users test succeeded (1.2s)\n\nTest summary: total: 3; failed: 1; succeeded: 2; skipped: 0; duration: 1.1s\nBuild failed with 1 error(s) in 2s\n",
        Some((2, 1, 0)),
    ),
    // Numbers as people write them.
    (
        "thousands",
        "test result: ok. 1234 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.50s\n",
        Some((1234, 0, 0)),
    ),
    // Two suites in one output, one with names in front.
    (
        "two suites",
        "===== 3 passed in 0.10s =====\n\n> web@1.0.0 test\n> vitest run\n\n Test Files  1 passed (1)\n      Tests  2 passed (2)\n",
        Some((5, 0, 0)),
    ),
    (
        "compose",
        "api-1  | ===== 3 passed in 0.10s =====\nweb-1  | Tests:       1 failed, 1 passed, 2 total\napi-1 exited with code 0\n",
        Some((4, 1, 0)),
    ),
    ("windows", "============================= 2 passed in 0.01s ==============================\r\n", Some((2, 0, 0))),
    // What is no closing line.
    ("words of a product", "INFO: 3 passed the check in 2 seconds\nTests: all good\n5 examples of failures\n", None),
    ("a table in docs", "| Tests | 3 passed |\n", None),
    ("coverage", "TOTAL      12      0   100%\nRequired test coverage of 90% reached. Total coverage: 100.00%\n", None),
    (
        "bats",
        "1..3\nok 1 adds\nnot ok 2 removes\n# (in test file cart.bats, line 5)\nok 3 later # skip not yet\n",
        Some((1, 1, 1)),
    ),
    (
        "bats pretty",
        "cart.bats\n ✓ adds\n ✗ removes\n - later (skipped)\n\n3 tests, 1 failure, 1 skipped\n",
        Some((1, 1, 1)),
    ),
    ("TAP cut", "TAP version 13\n1..4\nok 1\nok 2\n", Some((2, 0, 0))),
    ("TAP bail out", "1..2\nok 1\nBail out! no database\n", Some((1, 1, 0))),
    (
        "shell tests of shunit2",
        "test_adds\nASSERT:expected:<1> but was:<2>\n\nRan 2 tests.\n\nFAILED (failures=1)\n",
        Some((1, 1, 0)),
    ),
    ("busted", "2 successes / 1 failure / 1 error / 1 pending : 0.01 seconds\n", Some((2, 2, 1))),
    ("crystal", "Finished in 1.2 milliseconds\n3 examples, 1 failures, 0 errors, 1 pending\n", Some((1, 1, 1))),
    ("haskell tasty", "All 3 tests passed (0.00s)\n", Some((3, 0, 0))),
    ("haskell tasty red", "1 out of 3 tests failed (0.00s)\n", Some((2, 1, 0))),
    ("hspec", "Finished in 0.0005 seconds\n3 examples, 1 failure, 1 pending\n", Some((1, 1, 1))),
    ("zig", "All 3 tests passed.\n", Some((3, 0, 0))),
    ("zig red", "1 passed; 0 skipped; 1 failed.\n", Some((1, 1, 0))),
];

#[test]
fn versions_flags_and_accidents_of_runners_are_understood() {
    let mut wrong = Vec::new();
    for (name, output, expected) in VARIANTS {
        let said = read(output).map(|words| {
            let counts = words.counts;
            ((counts.passed, counts.failed, counts.skipped), words.runners, words.unfinished.is_some())
        });
        if said.as_ref().map(|(counts, ..)| *counts) != *expected {
            wrong.push(format!("{name}: {said:?}, and not {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
