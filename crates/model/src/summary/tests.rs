//! Whole pages, their order, and what hostile text can do to them: nothing.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::*;
use crate::run::test_support::conclude;

/// The headings and labels that the format promises, from the design.
const PROMISED: [(&str, &[&str]); 6] = [
    ("Infrastructure Implemented", &["Cloud Resources", "Data Types", "Configuration"]),
    ("Feature Implementation", &["Core Functionality", "API Endpoints", "CLI Integration", "Business Logic"]),
    ("Quality Assurance", &["Unit Tests", "Code Review", "Integration Testing", "Performance Validation"]),
    ("Deployment Readiness", &["Deployment Configuration", "Environment Preparation", "Validation Results"]),
    (
        "Coordination Summary",
        &["Subagents Executed", "Parallel Coordination", "Sequential Dependencies", "Synthesis Results"],
    ),
    (
        "Next Phase Input for Backend Submission",
        &["Implementation Artifacts", "Deployment Instructions", "Validation Evidence", "Integration Status"],
    ),
];

/// What follows the promised sections.
const APPENDIX: [&str; 4] = ["Success Criteria", "Run", "Findings", "Cost"];

fn concluded(mut handoff: Handoff) -> Handoff {
    conclude(&mut handoff);
    handoff
}

/// Returns the headings with the bold texts below each.
fn outline(markdown: &str) -> Vec<(String, Vec<String>)> {
    let mut outline: Vec<(String, Vec<String>)> = Vec::new();
    let mut collecting: Option<String> = None;
    for event in Parser::new_ext(markdown, Options::all()) {
        match event {
            Event::Start(Tag::Heading { .. } | Tag::Strong) => collecting = Some(String::new()),
            Event::Text(text) | Event::Code(text) => {
                if let Some(collected) = &mut collecting {
                    collected.push_str(&text);
                }
            }
            Event::End(TagEnd::Heading(_)) => outline.push((collecting.take().unwrap(), Vec::new())),
            Event::End(TagEnd::Strong) => outline.last_mut().unwrap().1.push(collecting.take().unwrap()),
            _ => {}
        }
    }
    outline
}

fn promised(title: &str) -> Vec<(String, Vec<String>)> {
    let labels = |labels: &[&str]| labels.iter().map(|&label| label.to_owned()).collect();
    let mut outline = vec![(title.to_owned(), Vec::new())];
    outline.extend(PROMISED.iter().map(|(heading, of)| ((*heading).to_owned(), labels(of))));
    outline.extend(APPENDIX.iter().map(|heading| ((*heading).to_owned(), Vec::new())));
    outline
}

#[test]
fn every_summary_has_exactly_the_promised_headings_and_labels_in_order() {
    let pages = [
        ("Backend Implementation Complete", fixture::complete()),
        ("Backend Implementation Complete", fixture::minimal()),
        ("Backend Implementation Complete", fixture::large(true)),
        ("Backend Implementation Incomplete", fixture::incomplete()),
        ("Backend Implementation Incomplete", fixture::cancelled()),
    ];
    for (title, handoff) in pages {
        let handoff = concluded(handoff);
        assert_eq!(outline(&render(&handoff)), promised(title));
        for max in [60_000, 20_000, 0] {
            assert_eq!(outline(&render_within(&handoff, max)), promised(title), "within {max}");
        }
    }
}

#[test]
fn a_hand_off_that_was_never_concluded_does_not_read_as_complete() {
    assert!(render(&fixture::complete()).starts_with("## Backend Implementation Incomplete\n"));
}

#[test]
fn a_complete_run_reads_so() {
    insta::assert_snapshot!(render(&concluded(fixture::complete())), @r#"
    ## Backend Implementation Complete

    ✅ 8 of 8 tasks passed · 3 of 3 gates passed · 10 files, +471 −13 · 12 min 3 s · \$1.23

    Plan: <b>Change a user's address: PATCH /api/users/:id</b>, `docs/plan.md`

    | Gate | Result | Tests | Commands |
    | --- | --- | --- | --- |
    | tests | ✅ passed | 42 passed, 1 skipped | `python3 -m unittest discover` |
    | review | ✅ passed | – | – |
    | validation | ✅ passed | 12 passed | `sh validate.sh '--base url'` |

    <b>What exists now</b>: 6 commits on base `cae662172f`, ending in `5adfc7f2eb`, in `implementation.bundle`; nothing on your branch has changed.

    <b>What to do next</b>

    1. Put the 6 commits on the branch `backend-implementation`, review it there, and push it; your checkout stays as it is.
       ```sh
       backend-implementer apply run-1
       ```

    <details><summary>About this run: plan, approval, lock, isolation</summary>

    The lock `e8dec8fbe110` names plan, base commit and subagents. “reports” marks what a subagent says of its own work; everything else was seen by the Backend Implementer itself.

    Isolation `uid`: every slot has a user id of its own, and Landlock limits what it reads and writes.

    </details>

    ### Infrastructure Implemented

    - **Cloud Resources**:
      - `infrastructure` passed: 2 files, +46 −2
      - `infrastructure` reports: Table \`addresses\` in template.yaml
    - **Data Types**:
      - `datatypes` passed: 1 file, +48 −1
      - `datatypes` reports: AddressChange (street, city, postcode)
    - **Configuration**: `infrastructure` reports: Environment variable ADDRESS\_TABLE

    ### Feature Implementation

    - **Core Functionality**:
      - `feature` passed: 2 files, +94 −7
      - `feature` reports: Users change their own address
    - **API Endpoints**:
      - `feature` reports: PATCH /api/users/:id
      - `feature` reports: 404 when the user is unknown
    - **CLI Integration**:
      - `cli` passed: 2 files, +38 −3
      - `cli` reports: users set-address ID --city CITY
    - **Business Logic**: Nothing reported by `feature`

    ### Quality Assurance

    - **Unit Tests**:
      - `python3 -m unittest discover` ended with exit code 0 (42 passed, 1 skipped), 4.2 s
      - `tests` passed: 1 file, +210 −0
      - `tests` reports: 18 new tests, errors included
    - **Code Review**:
      - ✅ Gate review passed
      - `review` approved tree `bc5acb48b5`
      - Reported: 0 blocking, 0 warnings, 1 note
      - `review` passed, without changing a file
      - `review` reports: Input is validated at the edge
    - **Integration Testing**:
      - `sh validate.sh '--base url'` ended with exit code 0 (12 passed), 4.2 s
      - `validation` passed, without changing a file
      - `validation` reports: 12 requests against a running server
    - **Performance Validation**: `validation` reports: 95 % of requests below 20 ms

    ### Deployment Readiness

    - **Deployment Configuration**:
      - `deployment` passed: 2 files, +35 −0
      - `deployment` reports: deploy/users.service
    - **Environment Preparation**: Nothing reported by `deployment`
    - **Validation Results**: 3 of 3 gates passed on the final tree `bc5acb48b5`

    ### Coordination Summary

    - **Subagents Executed**: 8 tasks: 8 passed

      <details><summary>8 tasks</summary>

      | Task | Subagent | Outcome | Attempts | Time | Files | Lines |
      | --- | --- | --- | --- | --- | --- | --- |
      | `infrastructure` | `backend-cloud-infrastructure-architect` | ✅ passed | 1 | 40.2 s | 2 | +46 −2 |
      | `datatypes` | `backend-datatypes` | ✅ passed | 1 | 27.2 s | 1 | +48 −1 |
      | `feature` | `backend-feature-implementer` | ✅ passed | 2 | 1 min 33 s | 2 | +94 −7 |
      | `cli` | `backend-cli-implementer` | ✅ passed | 1 | 29.2 s | 2 | +38 −3 |
      | `tests` | `backend-unit-test-generator` | ✅ passed | 1 | 1 min 19 s | 1 | +210 −0 |
      | `review` | `backend-code-quality-reviewer` | ✅ passed | 1 | 48.2 s | 0 | +0 −0 |
      | `validation` | `backend-validation-agent` | ✅ passed | 1 | 43.2 s | 0 | +0 −0 |
      | `deployment` | `backend-deployment-agent` | ✅ passed | 1 | 35.2 s | 2 | +35 −0 |

      </details>

    - **Parallel Coordination**: 1 wave with several tasks at the same time, at most 4 at a time

      <details><summary>Waves</summary>

      - Wave 1 (foundation): `infrastructure`, `datatypes`
      - `feature`, then `cli`: both may touch `users/**`

      </details>

    - **Sequential Dependencies**: 7 waves, each on the integrated result of the ones before; 1 attempt repeated

      <details><summary>Dependencies and repeated attempts</summary>

      - `feature` ran again (attempt 2): backend-datatypes made what it needed
      - `validation` waited for `tests`

      </details>

    - **Synthesis Results**: 4 phases completed

      <details><summary>Phases and rework</summary>

      - Phase 1 (foundation): 2 passed; 3 files, +94 −3; tree `2bd8b7b0d8`
      - Phase 2 (core): 2 passed; 4 files, +132 −10; tree `0d45f5fd46`
      - Phase 3 (quality): 3 passed; 1 file, +210 −0; tree `acef2c15bc`
      - Phase 4 (readiness): 1 passed; 2 files, +35 −0; tree `0e06b84496`

      </details>


    ### Next Phase Input for Backend Submission

    - **Implementation Artifacts**: `implementation.bundle`, 6 commits up to `5adfc7f2eb`

      <details><summary>Digests and how to fetch</summary>

      - Bundle `sha256:1e6ed65d77d6364eeaed5a745ba5c4985ae2b700dd85d7cf7f027bdf294a33fc`
      - Ref `refs/heads/implementation`, commit `5adfc7f2eb9eb335fa4b45e90ed48b05da6ab450`
      - Base `cae662172fd450bb0cd710a769079c05bfc5d8e3`, final tree `bc5acb48b583572f8e915d3628be22a59dd97336`
      - To fetch it: `git fetch implementation.bundle refs/heads/implementation:refs/heads/backend-implementation`

      </details>

    - **Deployment Instructions**:
      - `deployment` changed `deploy/migrate.sh`, `deploy/users.service`
      - `deployment` reports: Run deploy/migrate.sh before the first start
    - **Validation Evidence**: ✅ tests passed, ✅ review passed, ✅ validation passed

      <details><summary>Receipts</summary>

      - tests passed on tree `bc5acb48b583572f8e915d3628be22a59dd97336`, `linux-x86_64`, receipt `sha256:7f7f520dc83ac711be48c5cb46fba6bfd13283294dd09f1530a7f53361bfc20b`, output `e0ee8bb50685`
      - review passed on tree `bc5acb48b583572f8e915d3628be22a59dd97336`, `linux-x86_64`, receipt `sha256:e4a70b14252ae8fdedc69dac7a171bb6b70008c9c7ebfac1f40e53d32de1251b`
      - validation passed on tree `bc5acb48b583572f8e915d3628be22a59dd97336`, `linux-x86_64`, receipt `sha256:f8b77ee13bc085635df2701dc9a8bf52aa45c00c73329d4497074321d0861f7c`, output `e0ee8bb50685`

      </details>

    - **Integration Status**:
      - Ready for submission
      - 6 patches integrated, 0 paths merged

    ### Success Criteria

    - [x] All subagents coordinated: 8 of 8 tasks passed, in 7 waves
    - [x] Infrastructure, features and CLI implemented: 4 tasks passed, 5 of 5 requirements covered
    - [x] Testing executed: tests passed on the final tree bc5acb48b5: 42 passed, 0 failed, 1 skipped
    - [x] Quality validated: review passed on the final tree bc5acb48b5; validation passed on the final tree bc5acb48b5: 12 passed, 0 failed, 0 skipped
    - [x] Production-ready: 1 task of deployment passed; all three gates passed; no blocking finding
    - [x] Documented: changed: README.md
    - [x] Synthesis gives clear input for submission: commit 5adfc7f2eb in the bundle, all three gates passed on its tree

    Acceptance criteria of the plan, for people to tick:

    - [ ] A user can change only their own address (line 44 of the plan)

    ### Run

    Run `run-1` (workflow `77/2`) on `linux-x86_64`, begun `2026-03-01T10:00:00Z`, by backend-implementer 0.1.0.

    <details><summary>Graph</summary>

    ```mermaid
    flowchart LR
      subgraph w1["Wave 1: foundation"]
      direction TB
        t0["infrastructure<br>passed<br>cloud-infrastructure-architect"]:::passed
        t1["datatypes<br>passed<br>datatypes"]:::passed
      end
      subgraph w2["Wave 2: core"]
      direction TB
        t2["feature<br>passed, 2 attempts<br>feature-implementer"]:::passed
      end
      subgraph w3["Wave 3: core"]
      direction TB
        t3["cli<br>passed<br>cli-implementer"]:::passed
      end
      subgraph w4["Wave 4: quality"]
      direction TB
        t4["tests<br>passed<br>unit-test-generator"]:::passed
      end
      subgraph w5["Wave 5: quality"]
      direction TB
        t5["review<br>passed<br>code-quality-reviewer"]:::passed
      end
      subgraph w6["Wave 6: quality"]
      direction TB
        t6["validation<br>passed<br>validation-agent"]:::passed
      end
      subgraph w7["Wave 7: readiness"]
      direction TB
        t7["deployment<br>passed<br>deployment-agent"]:::passed
      end
      subgraph gates["Gates"]
      direction TB
        g0["tests: passed"]:::passed
        g1["review: passed"]:::passed
        g2["validation: passed"]:::passed
        g0 ~~~ g1 ~~~ g2
      end
      w1 -.-> w2
      w2 -.-> w3
      w3 -.-> w4
      w4 -.-> w5
      w5 -.-> w6
      w6 -.-> w7
      w7 -.-> gates
      t4 --> t6
      classDef passed fill:#116329,stroke:#0d4f20,color:#ffffff
    ```

    </details>

    <details><summary>Timeline</summary>

    ```mermaid
    gantt
      title Waves, rework and gates: time since the run began
      dateFormat YYYY-MM-DD HH:mm:ss.SSS
      axisFormat %M:%S
      section 1 foundation
      • infrastructure (passed) :done, 2000-01-01 00:00:01.000, 2000-01-01 00:00:41.250
      • datatypes (passed) :done, 2000-01-01 00:00:01.000, 2000-01-01 00:00:28.250
      section 2 core
      • feature attempt 1 (blocked) :active, 2000-01-01 00:00:42.000, 2000-01-01 00:01:10.250
      section 3 core
      • cli (passed) :done, 2000-01-01 00:02:22.000, 2000-01-01 00:02:51.250
      section 4 quality
      • tests (passed) :done, 2000-01-01 00:02:52.000, 2000-01-01 00:04:11.250
      section 5 quality
      • review (passed) :done, 2000-01-01 00:04:12.000, 2000-01-01 00:05:00.250
      section 6 quality
      • validation (passed) :done, 2000-01-01 00:05:01.000, 2000-01-01 00:05:44.250
      section 7 readiness
      • deployment (passed) :done, 2000-01-01 00:05:45.000, 2000-01-01 00:06:20.250
      section rework
      • feature attempt 2 (passed) :done, 2000-01-01 00:01:15.000, 2000-01-01 00:02:20.250
      section gates
      tests (passed) :done, 2000-01-01 00:11:54.600, 2000-01-01 00:11:58.800
      validation (passed) :done, 2000-01-01 00:11:58.800, 2000-01-01 00:12:03.000
    ```

    </details>

    ### Findings

    <details><summary>1 finding</summary>

    | Weight | Code | Where | What | Noticed by |
    | --- | --- | --- | --- | --- |
    | note | `reported` | `users/api.py:17` | The handler is long; consider splitting it | `review` reports |

    </details>

    ### Cost

    6 min 36 s of subagents in 9 attempts, within 12 min 3 s from begin to end. The agents report a cost of \$1.23.
    "#);
}

#[test]
fn an_incomplete_run_says_exactly_what_is_missing() {
    insta::assert_snapshot!(render(&concluded(fixture::incomplete())), @r#"
    ## Backend Implementation Incomplete

    ❌ 1 of 7 tasks passed · 0 of 3 gates passed · 1 file, +48 −1 · 1 h 5 min · cost not reported

    Plan: <b>Change a user's address: PATCH /api/users/:id</b>, `docs/plan.md`

    | Gate | Result | Tests | Commands |
    | --- | --- | --- | --- |
    | tests | ❌ failed | 40 passed, 2 failed | `python3 -m unittest` |
    | review | ⚪ not run | – | – |
    | validation | ❌ failed | – | `sh validate.sh` |

    <b>What to fix</b>

    1. `feature` failed: its process ended with exit code 3. If the cause was temporary, nothing has to be changed. Log: `tasks/feature/log.txt`.
    2. `cli` blocked: it needs backend-datatypes: a type for addresses. Log: `tasks/cli/log.txt`.
    3. `jobs` (Feature) conflict: users/service.py: both added it, with different content. Let one of the two tasks come after the other: `Needs:` in the plan says so. Log: `tasks/jobs/log.txt`.
    4. `tests` timed out: it was stopped after its time limit of 30 min 0 s. Raise `time-limit-minutes` in the configuration, or split the task in the plan. Log: `tasks/tests/log.txt`. Not run because of it: `review`.
    5. Gate tests: `python3 -m unittest` failed with exit code 1 (40 passed, 2 failed). It says `AssertionError: 404 != 200`.

       <details><summary>Last lines of the output</summary>

       ```text
       FAIL: test_patch
       AssertionError: 404 != 200
       ```

       </details>


    <details><summary>2 more to fix</summary>

    6. Gate validation: `sh validate.sh` did not finish: ended by signal 9.

       <details><summary>Last lines of the output</summary>

       ```text
       Ran 42 tests in 4.1s

       OK
       ```

       </details>

    7. `validation` not run: the run ended before it.

    </details>

    <b>What exists now</b>: 1 commit with what passed, on base `cae662172f`, ending in `81d8e0c264`, in `implementation.bundle`; nothing on your branch has changed.

    <b>What to do next</b>

    1. First, repeat `feature`, `cli`, `jobs` and 3 more; what passed is kept.
       ```sh
       backend-implementer run --retry
       ```
    2. If `cli`, `jobs`, `tests` fail again, change the plan (`docs/plan.md`\) for `cli` and `jobs`, and the configuration for `tests`, commit it, and begin anew; all 7 tasks run again.
       ```sh
       backend-implementer run
       ```
    3. Or put the commit on the branch `backend-implementation`, and fix what failed there by hand.
       ```sh
       backend-implementer apply run-1 --incomplete
       git switch backend-implementation
       ```

    <details><summary>About this run: plan, approval, lock, isolation</summary>

    The lock `e8dec8fbe110` names plan, base commit and subagents. “reports” marks what a subagent says of its own work; everything else was seen by the Backend Implementer itself.

    Isolation `uid`: every slot has a user id of its own, and Landlock limits what it reads and writes.

    </details>

    ### Infrastructure Implemented

    - **Cloud Resources**: Not required by the plan
    - **Data Types**:
      - `datatypes` passed: 1 file, +48 −1
      - `datatypes` reports: AddressChange (street, city, postcode)
    - **Configuration**: Not required by the plan

    ### Feature Implementation

    - **Core Functionality**:
      - `feature` failed: its process ended with exit code 3
      - `jobs` conflict: users/service.py: both added it, with different content
    - **API Endpoints**:
      - `feature` failed: its process ended with exit code 3
      - `jobs` conflict: users/service.py: both added it, with different content
    - **CLI Integration**: `cli` blocked: it needs backend-datatypes: a type for addresses
    - **Business Logic**: `jobs` (conflict) reports: A nightly job

    ### Quality Assurance

    - **Unit Tests**:
      - ❌ The tests gate failed: 2 of 42 tests failed
      - `python3 -m unittest` failed with exit code 1 (40 passed, 2 failed), 4.2 s
      - `tests` timed out: it was stopped after its time limit of 30 min 0 s
    - **Code Review**:
      - ⚪ The review gate was not run: the review task was not run
      - Reported: 0 blocking, 0 warnings, 0 notes
      - `review` not run: tests, which it needs, did not pass
    - **Integration Testing**:
      - ❌ The validation gate failed: a command was ended by signal 9
      - `sh validate.sh` did not finish: ended by signal 9, 4.2 s
      - `validation` not run: the run ended before it
    - **Performance Validation**: `validation` not run: the run ended before it

    ### Deployment Readiness

    - **Deployment Configuration**: Not required by the plan
    - **Environment Preparation**: Not required by the plan
    - **Validation Results**: 0 of 3 gates passed on the final tree `bc5acb48b5`; tests failed, review not run, validation failed

    ### Coordination Summary

    - **Subagents Executed**: 7 tasks: 1 passed, 1 failed, 1 conflict, 1 blocked, 1 timed out, 2 not run

      <details><summary>7 tasks</summary>

      | Task | Subagent | Outcome | Attempts | Time | Files | Lines |
      | --- | --- | --- | --- | --- | --- | --- |
      | `datatypes` | `backend-datatypes` | ✅ passed | 1 | 27.2 s | 1 | +48 −1 |
      | `feature` | `backend-feature-implementer` | ❌ failed | 1 | 48.2 s | 1 | +10 −0 |
      | `cli` | `backend-cli-implementer` | ⛔ blocked | 1 | 13.2 s | – | – |
      | `jobs` | `backend-feature-implementer` | ❌ conflict | 1 | 18.2 s | 1 | +5 −5 |
      | `tests` | `backend-unit-test-generator` | ⏱️ timed out | 1 | 30 min 0 s | – | – |
      | `review` | `backend-code-quality-reviewer` | ⚪ not run | 0 | – | – | – |
      | `validation` | `backend-validation-agent` | ⚪ not run | 0 | – | – | – |

      </details>

    - **Parallel Coordination**: 1 wave with several tasks at the same time, at most 4 at a time

      <details><summary>Waves</summary>

      - Wave 2 (core): `feature`, `cli`, `jobs`

      </details>

    - **Sequential Dependencies**: 5 waves, each on the integrated result of the ones before

      <details><summary>Dependencies and repeated attempts</summary>

      - `review` waited for `tests`

      </details>

    - **Synthesis Results**: 3 phases completed

      <details><summary>Phases and rework</summary>

      - Phase 1 (foundation): 1 passed; 1 file, +48 −1; tree `2bd8b7b0d8`
      - Phase 2 (core): 1 failed, 1 conflict, 1 blocked; 0 files, +0 −0; tree `0d45f5fd46`
      - Phase 3 (quality): 1 timed out, 2 not run; 0 files, +0 −0; tree `acef2c15bc`

      </details>


    ### Next Phase Input for Backend Submission

    - **Implementation Artifacts**: `implementation.bundle`, 1 commit up to `81d8e0c264`

      <details><summary>Digests and how to fetch</summary>

      - Bundle `sha256:1e6ed65d77d6364eeaed5a745ba5c4985ae2b700dd85d7cf7f027bdf294a33fc`
      - Ref `refs/heads/implementation`, commit `81d8e0c26458e0b9e8e73c77ebfc9520f7cbb2cd`
      - Base `cae662172fd450bb0cd710a769079c05bfc5d8e3`, final tree `bc5acb48b583572f8e915d3628be22a59dd97336`
      - To fetch it: `git fetch implementation.bundle refs/heads/implementation:refs/heads/backend-implementation`

      </details>

    - **Deployment Instructions**: Not required by the plan
    - **Validation Evidence**: ❌ tests failed, ⚪ review not run, ❌ validation failed

      <details><summary>Receipts</summary>

      - tests failed on tree `bc5acb48b583572f8e915d3628be22a59dd97336`, `linux-x86_64`, receipt `sha256:6694dc7710a06288051ab47f7d99689f2880b0a58a3ebc78c8e1d73b08f5ff7f`, output `e0ee8bb50685`
      - review not run on tree `bc5acb48b583572f8e915d3628be22a59dd97336`, `linux-x86_64`, receipt `sha256:7dbf5eb1eb492bdb03d818db8f0f010d506844eebfcb078a8760d2f62d919d8a`
      - validation failed on tree `bc5acb48b583572f8e915d3628be22a59dd97336`, `linux-x86_64`, receipt `sha256:46de04ee8bf5ff5bd4d75f58ad42b134366e17f62396aacfc0dafe5a8a38390f`, output `e0ee8bb50685`

      </details>

    - **Integration Status**:
      - Not ready for submission: see “What to fix” at the top
      - 1 patch integrated, 1 path merged
      - Not integrated: `feature` (failed): 1 file, +10 −0
      - Not integrated: `jobs` (conflict): 1 file, +5 −5
      - Conflict of `jobs` in `users/service.py`

    ### Success Criteria

    - [ ] All subagents coordinated: 1 of 7 tasks passed; not passed: feature, cli, jobs, tests, review, validation
    - [ ] Infrastructure, features and CLI implemented: not passed: feature, jobs, cli
    - [ ] Testing executed: the tests gate failed: 2 of 42 tests failed
    - [ ] Quality validated: the review gate was not run: the review task was not run; the validation gate failed: a command was ended by signal 9
    - [ ] Production-ready: gates not passed: tests, review, validation; 2 blocking findings
    - [ ] Documented: no documentation was changed or reported; this alone makes no run incomplete
    - [ ] Synthesis gives clear input for submission: gates not passed: tests, review, validation

    Acceptance criteria of the plan, for people to tick:

    - [ ] A user can change only their own address (line 44 of the plan)

    ### Run

    Run `run-1` (workflow `77/2`) on `linux-x86_64`, begun `2026-03-01T10:00:00Z`, by backend-implementer 0.1.0.

    <details><summary>Graph</summary>

    ```mermaid
    flowchart LR
      subgraph w1["Wave 1: foundation"]
      direction TB
        t0["datatypes<br>passed<br>datatypes"]:::passed
      end
      subgraph w2["Wave 2: core"]
      direction TB
        t1["feature<br>failed<br>feature-implementer"]:::failed
        t2["cli<br>blocked<br>cli-implementer"]:::blocked
        t3["jobs<br>conflict<br>feature-implementer"]:::failed
      end
      subgraph w3["Wave 3: quality"]
      direction TB
        t4["tests<br>timed out<br>unit-test-generator"]:::timedout
      end
      subgraph w4["Wave 4: quality"]
      direction TB
        t5["review<br>not run<br>code-quality-reviewer"]:::notrun
      end
      subgraph w5["Wave 5: quality"]
      direction TB
        t6["validation<br>not run<br>validation-agent"]:::notrun
      end
      subgraph gates["Gates"]
      direction TB
        g0["tests: failed"]:::failed
        g1["review: not run"]:::notrun
        g2["validation: failed"]:::failed
        g0 ~~~ g1 ~~~ g2
      end
      w1 -.-> w2
      w2 -.-> w3
      w3 -.-> w4
      w4 -.-> w5
      w5 -.-> gates
      t4 --> t5
      classDef passed fill:#116329,stroke:#0d4f20,color:#ffffff
      classDef notrun fill:#eaeef2,stroke:#57606a,color:#24292f,stroke-dasharray:4 3
      classDef blocked fill:#6639ba,stroke:#512a97,color:#ffffff
      classDef timedout fill:#633c01,stroke:#4d2d00,color:#ffffff
      classDef failed fill:#a40e26,stroke:#82071e,color:#ffffff
    ```

    </details>

    <details><summary>Timeline</summary>

    ```mermaid
    gantt
      title Waves, rework and gates: time since the run began
      dateFormat YYYY-MM-DD HH:mm:ss.SSS
      axisFormat %H:%M:%S
      section 1 foundation
      • datatypes (passed) :done, 2000-01-01 00:00:01.000, 2000-01-01 00:00:28.250
      section 2 core
      • feature (failed) :crit, 2000-01-01 00:00:42.000, 2000-01-01 00:01:30.250
      • cli (blocked) :active, 2000-01-01 00:00:42.000, 2000-01-01 00:00:55.250
      • jobs (conflict) :crit, 2000-01-01 00:00:42.000, 2000-01-01 00:01:00.250
      section 3 quality
      • tests (timed out) :crit, 2000-01-01 00:01:31.000, 2000-01-01 00:31:31.250
      section gates
      tests (failed) :crit, 2000-01-01 01:04:51.600, 2000-01-01 01:04:55.800
      validation (failed) :crit, 2000-01-01 01:04:55.800, 2000-01-01 01:05:00.000
    ```

    </details>

    ### Findings

    <details><summary>3 findings</summary>

    | Weight | Code | Where | What | Noticed by |
    | --- | --- | --- | --- | --- |
    | blocking | `subagent-failed` | task `feature` | its process ended with exit code 3 | coordinator |
    | blocking | `conflict` | `users/service.py` | both added it, with different content | coordinator |
    | warning | `change-without-claim` | `users/service.py` | the report does not mention it | coordinator |

    </details>

    ### Cost

    31 min 47 s of subagents in 5 attempts, within 1 h 5 min from begin to end. No agent reported a cost in money.
    "#);
}

#[test]
fn a_minimal_plan_gives_a_minimal_summary() {
    insta::assert_snapshot!(render(&concluded(fixture::minimal())), @r#"
    ## Backend Implementation Complete

    ✅ 4 of 4 tasks passed · 3 of 3 gates passed · 1 file, +5 −0 · 12 min 3 s · cost not reported

    Plan: `docs/plan.md`

    | Gate | Result | Tests | Commands |
    | --- | --- | --- | --- |
    | tests | ✅ passed | – | `make check` |
    | review | ✅ passed | – | `make check` |
    | validation | ✅ passed | – | `make check` |

    <b>What exists now</b>: 1 commit on base `cae662172f`, ending in `ea6863cec8`, in `implementation.bundle`; nothing on your branch has changed.

    <b>What to do next</b>

    1. Put the commit on the branch `backend-implementation`, review it there, and push it; your checkout stays as it is.
       ```sh
       backend-implementer apply run-1
       ```

    <details><summary>About this run: plan, approval, lock, isolation</summary>

    The lock `e8dec8fbe110` names plan, base commit and subagents. “reports” marks what a subagent says of its own work; everything else was seen by the Backend Implementer itself.

    Isolation `uid`: every slot has a user id of its own, and Landlock limits what it reads and writes.

    </details>

    ### Infrastructure Implemented

    - **Cloud Resources**: Not required by the plan
    - **Data Types**: Not required by the plan
    - **Configuration**: Not required by the plan

    ### Feature Implementation

    - **Core Functionality**:
      - `feature` passed: 1 file, +5 −0
      - Nothing reported by `feature`
    - **API Endpoints**: Nothing reported by `feature`
    - **CLI Integration**: Not required by the plan
    - **Business Logic**: Nothing reported by `feature`

    ### Quality Assurance

    - **Unit Tests**:
      - `make check` ended with exit code 0, 4.2 s
      - `tests` passed, without changing a file
    - **Code Review**:
      - `make check` ended with exit code 0, 4.2 s
      - Reported: 0 blocking, 0 warnings, 0 notes
      - `review` passed, without changing a file
    - **Integration Testing**:
      - `make check` ended with exit code 0, 4.2 s
      - `validation` passed, without changing a file
    - **Performance Validation**: Nothing reported by `validation`

    ### Deployment Readiness

    - **Deployment Configuration**: Not required by the plan
    - **Environment Preparation**: Not required by the plan
    - **Validation Results**: 3 of 3 gates passed on the final tree `bc5acb48b5`

    ### Coordination Summary

    - **Subagents Executed**: 4 tasks: 4 passed

      <details><summary>4 tasks</summary>

      | Task | Subagent | Outcome | Attempts | Time | Files | Lines |
      | --- | --- | --- | --- | --- | --- | --- |
      | `feature` | `backend-feature-implementer` | ✅ passed | 1 | 9.2 s | 1 | +5 −0 |
      | `tests` | `backend-unit-test-generator` | ✅ passed | 1 | 2.2 s | 0 | +0 −0 |
      | `review` | `backend-code-quality-reviewer` | ✅ passed | 1 | 2.2 s | 0 | +0 −0 |
      | `validation` | `backend-validation-agent` | ✅ passed | 1 | 2.2 s | 0 | +0 −0 |

      </details>

    - **Parallel Coordination**: No wave had more than one task
    - **Sequential Dependencies**: 4 waves, each on the integrated result of the ones before
    - **Synthesis Results**: 2 phases completed

      <details><summary>Phases and rework</summary>

      - Phase 2 (core): 1 passed; 1 file, +5 −0; tree `0d45f5fd46`
      - Phase 3 (quality): 3 passed; 0 files, +0 −0; tree `acef2c15bc`

      </details>


    ### Next Phase Input for Backend Submission

    - **Implementation Artifacts**: `implementation.bundle`, 1 commit up to `ea6863cec8`

      <details><summary>Digests and how to fetch</summary>

      - Bundle `sha256:1e6ed65d77d6364eeaed5a745ba5c4985ae2b700dd85d7cf7f027bdf294a33fc`
      - Ref `refs/heads/implementation`, commit `ea6863cec88c290b5872c16b1203f8b39a7b92a9`
      - Base `cae662172fd450bb0cd710a769079c05bfc5d8e3`, final tree `bc5acb48b583572f8e915d3628be22a59dd97336`
      - To fetch it: `git fetch implementation.bundle refs/heads/implementation:refs/heads/backend-implementation`

      </details>

    - **Deployment Instructions**: Not required by the plan
    - **Validation Evidence**: ✅ tests passed, ✅ review passed, ✅ validation passed

      <details><summary>Receipts</summary>

      - tests passed on tree `bc5acb48b583572f8e915d3628be22a59dd97336`, `linux-x86_64`, receipt `sha256:3c39509ba01c0be4a818de4947fd846c785d088d288c69c4895d1275622c2e9f`, output `e0ee8bb50685`
      - review passed on tree `bc5acb48b583572f8e915d3628be22a59dd97336`, `linux-x86_64`, receipt `sha256:505e2cfebf77d622c8c6fa9381c1fe3795f3dfcf58541e289b911399bd4740ff`, output `e0ee8bb50685`
      - validation passed on tree `bc5acb48b583572f8e915d3628be22a59dd97336`, `linux-x86_64`, receipt `sha256:a8a821f0d0ff925b6c179902b742885620baa689263ddbdd473974447c9e219e`, output `e0ee8bb50685`

      </details>

    - **Integration Status**:
      - Ready for submission
      - 1 patch integrated, 0 paths merged

    ### Success Criteria

    - [x] All subagents coordinated: 4 of 4 tasks passed, in 4 waves
    - [x] Infrastructure, features and CLI implemented: 1 task passed, 1 of 1 requirements covered
    - [x] Testing executed: tests passed on the final tree bc5acb48b5
    - [x] Quality validated: review passed on the final tree bc5acb48b5; validation passed on the final tree bc5acb48b5
    - [x] Production-ready: deployment not required by the plan; all three gates passed; no blocking finding
    - [ ] Documented: no documentation was changed or reported; this alone makes no run incomplete
    - [x] Synthesis gives clear input for submission: commit ea6863cec8 in the bundle, all three gates passed on its tree

    ### Run

    Run `run-1` (workflow `77/2`) on `linux-x86_64`, begun `2026-03-01T10:00:00Z`, by backend-implementer 0.1.0.

    <details><summary>Graph</summary>

    ```mermaid
    flowchart LR
      subgraph w1["Wave 1: core"]
      direction TB
        t0["feature<br>passed<br>feature-implementer"]:::passed
      end
      subgraph w2["Wave 2: quality"]
      direction TB
        t1["tests<br>passed<br>unit-test-generator"]:::passed
      end
      subgraph w3["Wave 3: quality"]
      direction TB
        t2["review<br>passed<br>code-quality-reviewer"]:::passed
      end
      subgraph w4["Wave 4: quality"]
      direction TB
        t3["validation<br>passed<br>validation-agent"]:::passed
      end
      subgraph gates["Gates"]
      direction TB
        g0["tests: passed"]:::passed
        g1["review: passed"]:::passed
        g2["validation: passed"]:::passed
        g0 ~~~ g1 ~~~ g2
      end
      w1 -.-> w2
      w2 -.-> w3
      w3 -.-> w4
      w4 -.-> gates
      classDef passed fill:#116329,stroke:#0d4f20,color:#ffffff
    ```

    </details>

    <details><summary>Timeline</summary>

    ```mermaid
    gantt
      title Waves, rework and gates: time since the run began
      dateFormat YYYY-MM-DD HH:mm:ss.SSS
      axisFormat %M:%S
      section 1 core
      • feature (passed) :done, 2000-01-01 00:00:00.000, 2000-01-01 00:00:09.250
      section 2 quality
      • tests (passed) :done, 2000-01-01 00:00:10.000, 2000-01-01 00:00:12.250
      section 3 quality
      • review (passed) :done, 2000-01-01 00:00:10.000, 2000-01-01 00:00:12.250
      section 4 quality
      • validation (passed) :done, 2000-01-01 00:00:10.000, 2000-01-01 00:00:12.250
      section gates
      tests (passed) :done, 2000-01-01 00:11:50.400, 2000-01-01 00:11:54.600
      review (passed) :done, 2000-01-01 00:11:54.600, 2000-01-01 00:11:58.800
      validation (passed) :done, 2000-01-01 00:11:58.800, 2000-01-01 00:12:03.000
    ```

    </details>

    ### Findings

    None.

    ### Cost

    16.0 s of subagents in 4 attempts, within 12 min 3 s from begin to end. No agent reported a cost in money.
    "#);
}

#[test]
fn a_cancelled_run_says_so_at_the_top() {
    let page = render(&concluded(fixture::cancelled()));
    let top: String = page.lines().take(12).map(|line| format!("{line}\n")).collect();
    insta::assert_snapshot!(top, @r#"
    ## Backend Implementation Incomplete

    🛑 Cancelled; finished work is kept. 3 of 8 tasks passed · 0 of 3 gates passed · 7 files, +226 −13 · 12 min 3 s · \$1.23

    Plan: <b>Change a user's address: PATCH /api/users/:id</b>, `docs/plan.md`

    | Gate | Result | Tests | Commands |
    | --- | --- | --- | --- |
    | tests | ⚪ not run | – | – |
    | review | ⚪ not run | – | – |
    | validation | ⚪ not run | – | – |
    "#);
}

#[test]
fn each_way_of_ending_has_its_own_words() {
    let handoff = concluded(fixture::incomplete());
    let page = render(&handoff);
    let rows: Vec<_> = page.lines().filter(|line| line.starts_with("  | `")).collect();
    let outcomes: Vec<_> = rows.iter().map(|row| row.split(" | ").nth(3).unwrap()).collect();
    let expected = ["✅ passed", "❌ failed", "⛔ blocked", "❌ conflict", "⏱️ timed out", "⚪ not run", "⚪ not run"];
    assert_eq!(outcomes, expected);
    let cancelled = render(&concluded(fixture::cancelled()));
    assert!(cancelled.contains("| 🛑 cancelled |"));
}

#[test]
fn a_summary_is_cut_to_what_a_comment_holds_and_says_so() {
    for in_one_wave in [true, false] {
        let handoff = concluded(fixture::large(in_one_wave));
        let full = render(&handoff);
        assert!(full.chars().count() > 65_536, "the test needs a summary that is too long: {}", full.len());
        let cut = render_within(&handoff, 65_536);
        assert!(cut.chars().count() <= 65_536);
        assert!(cut.contains("This text is shortened to fit"));
        assert!(!full.contains("This text is shortened to fit"));
    }
    let small = concluded(fixture::complete());
    assert_eq!(render_within(&small, 65_536), render(&small));
}

#[test]
fn however_long_foreign_texts_are_a_comment_holds_the_summary() {
    let handoff = concluded(fixture::hostile(&"*<&# long ".repeat(1_000)));
    let cut = render_within(&handoff, 65_536);
    assert!(cut.chars().count() <= 65_536, "{}", cut.chars().count());
}

#[test]
fn commands_to_copy_hold_ordinary_names_only() {
    for name in ["x; rm -rf ~", "--upload-pack=evil", "a\nb", "$(x)", ""] {
        let mut handoff = concluded(fixture::complete());
        handoff.result.reference = name.to_owned();
        assert!(!render(&handoff).contains("git fetch"), "{name}");
    }
    assert!(
        render(&concluded(fixture::complete())).contains("git fetch implementation.bundle refs/heads/implementation:")
    );
}

/// Our own tags; nothing else may reach a reader as HTML.
fn is_ours(html: &str) -> bool {
    if matches!(html, "<b>" | "</b>" | "<br>") {
        return true;
    }
    let summary = html.strip_prefix("<details><summary>").and_then(|rest| rest.strip_suffix("</summary>"));
    html == "</details>"
        || summary.is_some_and(|text| {
            ["Timeline", "Graph", "Waves", "Receipts"].contains(&text)
                || ["Dependencies and repeated attempts", "Phases and rework"].contains(&text)
                || ["Digests and how to fetch", "Last lines of the output"].contains(&text)
                || text == "About this run: plan, approval, lock, isolation"
                || text
                    .trim_start_matches(|c: char| c.is_ascii_digit())
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c == ' ')
        })
}

fn assert_harmless(text: &str) {
    let handoff = concluded(fixture::hostile(text));
    for page in [render(&handoff), render_within(&handoff, 20_000)] {
        assert_eq!(outline(&page), promised("Backend Implementation Incomplete"), "{text:?}");
        let mut in_code = false;
        for event in Parser::new_ext(&page, Options::all()) {
            match event {
                Event::Html(html) => {
                    for line in html.trim().lines() {
                        assert!(is_ours(line), "{line:?} from {text:?}");
                    }
                }
                Event::InlineHtml(html) => assert!(is_ours(&html), "{html:?} from {text:?}"),
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    panic!("a link to {dest_url} from {text:?}");
                }
                Event::Start(Tag::CodeBlock(_)) => in_code = true,
                Event::End(TagEnd::CodeBlock) => in_code = false,
                Event::Text(shown) if !in_code => {
                    let mentions =
                        shown.match_indices('@').filter(|(at, _)| shown[at + 1..].starts_with(char::is_alphanumeric));
                    assert_eq!(mentions.count(), 0, "a mention in {shown:?} from {text:?}");
                }
                _ => {}
            }
        }
    }
}

#[test]
fn known_tricks_give_no_structure_and_no_mention() {
    for trick in [
        "\n## Forged\n",
        "x\n===",
        "x\n---\n",
        "</details>\n\n## Forged",
        "<img src=x onerror=alert(1)>",
        "<!-- -->",
        "[a](http://evil.example)",
        "![a](http://evil.example)",
        "<http://evil.example>",
        "@octocat and @org/team",
        "**bold** ~~x~~ __y__",
        "| a | b |\n|---|---|",
        "```\n## Forged\n```",
        "`\n\n## Forged\n\n`",
        "\u{202e}evil",
        "- x\n\n## Forged",
        "$x$ `a|b`",
    ] {
        assert_harmless(trick);
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(24))]

    #[test]
    fn hostile_text_gives_no_structure(text in "([ \n#=~`<>*|@\\[\\]()_-]|[a-c]|\\PC){1,40}") {
        assert_harmless(&text);
    }
}

#[test]
fn pages_grow_in_step_with_the_run() {
    let size = |handoff: Handoff| render(&concluded(handoff)).len() as f64;
    let html_size =
        |handoff: Handoff| html::report(&concluded(handoff), &std::collections::BTreeMap::new()).len() as f64;
    let half = || {
        let mut handoff = fixture::large(true);
        handoff.tasks.truncate(128);
        handoff.schedule.tasks.truncate(128);
        handoff.result.commits.truncate(128);
        handoff
    };
    assert!(size(fixture::large(true)) < 2.5 * size(half()));
    assert!(html_size(fixture::large(true)) < 2.5 * html_size(half()));
}

#[test]
fn a_round_in_which_nobody_was_called_leaves_no_empty_place() {
    use crate::record::{Call, ReworkRound};
    let mut handoff = fixture::incomplete();
    let tree = handoff.result.tree.clone();
    let round = |number, called| ReworkRound { number, tree: tree.clone(), because: vec!["red".to_owned()], called };
    let called = Call { task: crate::ids::TaskId::new("feature").unwrap(), because: "red".to_owned() };
    handoff.rework = vec![round(1, vec![called]), round(2, Vec::new())];
    let page = render(&handoff);
    assert!(page.contains("Rework did not fix it. Retried: `feature` in round 1.\n"), "{page}");
    handoff.rework = vec![round(1, Vec::new())];
    let page = render(&handoff);
    assert!(page.contains("Rework did not fix it: nobody was left to retry.\n"), "{page}");
}
