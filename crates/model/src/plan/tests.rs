//! Tests of reading whole plans.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::json;

use super::{Reading, Settings};
use crate::{
    config::Config,
    ids::{SubagentName, TaskId},
    roster::{Access, Origin, Role, Roster, Subagent, Terms},
    schedule,
};

fn subagent(name: &str, role: Role) -> Subagent {
    Subagent {
        name: SubagentName::new(name).unwrap(),
        role,
        description: String::new(),
        prompt: String::new(),
        model: None,
        tools: None,
        terms: Terms::default(),
        access: Access::Writes,
        scope: vec!["**".to_owned()],
        exclude: Vec::new(),
        origin: Origin::BuiltIn,
    }
}

/// The eight of the built-in names, and one of a repository.
pub(super) fn roster() -> Roster {
    let builtin = Role::ALL.map(|role| subagent(role.builtin_name(), role));
    Roster::new(builtin.into_iter().chain([subagent("db-migrator", Role::DataTypes)]))
}

pub(super) fn read_as(source: &str, text: &str, roster: &Roster) -> Reading {
    super::read(source, text.as_bytes(), roster, &Settings::default())
}

fn read(source: &str, bytes: &[u8], roster: &Roster) -> Reading {
    super::read(source, bytes, roster, &Settings::default())
}

/// Shows a reading in a line per thing, for snapshots.
fn show(reading: &Reading) -> String {
    let mut out = String::new();
    let mut line = |text: String| {
        out.push_str(&text);
        out.push('\n');
    };
    if let Some(plan) = &reading.plan {
        line(format!("title: {:?}", plan.title.as_deref().unwrap_or_default()));
        line(format!("preamble: {:?}", plan.preamble));
        for said in &plan.out_of_scope {
            line(format!("not to be done: {said:?}"));
        }
        for task in &plan.tasks {
            line(format!("{}: task {} for {}: {:?}", task.line, task.id, task.subagent, task.title));
            if !task.notes.is_empty() {
                line(format!("   notes {:?}", task.notes));
            }
            for (name, values) in [("touches", &task.touches)] {
                if !values.is_empty() {
                    line(format!("   {name} {}", values.join(" ")));
                }
            }
            for (name, ids) in [("needs", &task.needs), ("beside", &task.parallel_with)] {
                if !ids.is_empty() {
                    line(format!("   {name} {}", ids.iter().map(TaskId::as_str).collect::<Vec<_>>().join(" ")));
                }
            }
            for requirement in &task.requirements {
                let done = if requirement.done { " (done)" } else { "" };
                line(format!("{}:  {}{done} {:?}", requirement.line, requirement.id, requirement.text));
                if !requirement.detail.is_empty() {
                    line(format!("     {:?}", requirement.detail));
                }
            }
        }
        for command in &plan.verification {
            line(format!("{}: {} {:?}", command.line, command.gate, command.argv));
        }
        for criterion in &plan.acceptance {
            line(format!("{}: accept {:?}", criterion.line, criterion.text));
        }
    }
    for diagnostic in &reading.diagnostics {
        line(diagnostic.to_string());
    }
    out
}

fn markdown(text: &str) -> String {
    show(&read_as("plan.md", text, &roster()))
}

/// A plan as models like to write them.
const REALISTIC: &str = r##"# Implementation Plan: PATCH /api/users/:id

Users must be able to change *parts* of their record. <!-- approved by nobody -->

## Overview

- The service is plain Python.
- No new dependency.

> Keep `v1` working.

---

## Phase 1: Foundation

### 🏗️ 1. Infrastructure {#infra}

**Touches:** `infra/**`, `config/*.yml` (existing)

- [ ] R1: Add the `USERS_TABLE` setting
- [x] Keep the current region

### 2. Data Types (`backend-datatypes`)

Touches: src/types/**, src/**/*.pyi
Needs: none

1. **DT-1**: Define `UserPatch`
   - every field optional
   - `email` is validated

     ```python
     class UserPatch: ...
     ```
2. Reject unknown fields
   with a clear message

| field | type |
|---|---|
| email | str |

## Phase 2: Core

### Feature: PATCH /api/users/{id}

Uses the types of phase 1.

**Needs:** Data Types, `infra`

#### Handler
- Answer 404 for an unknown id
- Answer 200 with the *whole* record

#### Acceptance criteria
- An unknown id gives 404

**Out of scope:**
- Authentication

### Feature: Audit log (id: audit)

- Depends on: `feature`
- Touches:
  - `src/audit/**`
- [R9] Write one line per change

### `backend-cli-implementer`
* `users patch ID FIELD=VALUE`
* Help text

## Phase 3: Quality

### Unit & Integration Tests
- Cover `UserPatch`

### Code Review
Parallel with: tests
- Look at input validation

### Validation — end to end
- Run the service and patch a user

## Phase 4: Deployment
- Add the setting to the template

## Verification Commands

```bash
# unit
$ python -m unittest discover \
>   -s tests
Ran 3 tests
$ python -m compileall -q src
```

- review: `python -m pyflakes src`, `python -m pyflakes tests`
- **Validation:**
  - Run `sh -c './serve & sleep 1; ./e2e'` and look at the output

## Acceptance Criteria

- [ ] PATCH changes only what it names:
  - nothing else
- Old clients keep working

## Risks

Nobody reads this.
"##;

#[test]
fn a_realistic_markdown_plan_is_read() {
    insta::assert_snapshot!(markdown(REALISTIC), @r#"
    title: "Implementation Plan: PATCH /api/users/:id"
    preamble: "Users must be able to change *parts* of their record.\n\n## Overview\n\n- The service is plain Python.\n- No new dependency.\n\n> Keep `v1` working.\n\n## Risks\n\nNobody reads this."
    16: task infra for backend-cloud-infrastructure-architect: "Infrastructure"
       touches infra/** config/*.yml
    20:  R1 "Add the `USERS_TABLE` setting"
    21:  infra-2 (done) "Keep the current region"
    23: task data-types for backend-datatypes: "Data Types"
       touches src/types/** src/**/*.pyi
    28:  DT-1 "Define `UserPatch`"
         "- every field optional\n- `email` is validated\n\n  ```python\n  class UserPatch: ...\n  ```"
    35:  data-types-2 "Reject unknown fields with a clear message"
    40:  data-types-3 "email · str"
         "- field: email\n- type: str"
    44: task feature for backend-feature-implementer: "PATCH /api/users/{id}"
       notes "Uses the types of phase 1.\n\n#### Acceptance criteria\n\n- An unknown id gives 404\n\n**Out of scope:**\n\n- Authentication"
       needs infra data-types
    51:  feature-1 "Handler: Answer 404 for an unknown id"
    52:  feature-2 "Handler: Answer 200 with the whole record"
    60: task audit for backend-feature-implementer: "Audit log"
       touches src/audit/**
       needs feature
    65:  R9 "Write one line per change"
    67: task cli for backend-cli-implementer: "backend-cli-implementer"
    68:  cli-1 "`users patch ID FIELD=VALUE`"
    69:  cli-2 "Help text"
    73: task tests for backend-unit-test-generator: "Unit & Integration Tests"
    74:  tests-1 "Cover `UserPatch`"
    76: task review for backend-code-quality-reviewer: "Code Review"
       beside tests
    78:  review-1 "Look at input validation"
    80: task validation for backend-validation-agent: "end to end"
    81:  validation-1 "Run the service and patch a user"
    83: task deployment for backend-deployment-agent: "Deployment"
    84:  deployment-1 "Add the setting to the template"
    90: tests ["python", "-m", "unittest", "discover", "-s", "tests"]
    93: tests ["python", "-m", "compileall", "-q", "src"]
    96: review ["python", "-m", "pyflakes", "src"]
    96: review ["python", "-m", "pyflakes", "tests"]
    98: validation ["sh", "-c", "./serve & sleep 1; ./e2e"]
    55: accept "An unknown id gives 404"
    102: accept "PATCH changes only what it names: nothing else"
    104: accept "Old clients keep working"
    "#);
}

#[test]
fn other_shapes_of_markdown_are_read() {
    let shapes = [
        r"# Feature: Users endpoint

Intro.

## Infrastructure
- bucket
  with a second line

  And a paragraph.

  1. nested

## Feature Implementation

**Goal:** let users patch.

### API Endpoints
1. PATCH
2. GET

### Business Logic
- Merge

#### Validation rules
- email

### Files
- `src/a.py`

**Tasks:**
- T1

**Error handling**
- 404
- 422

Depends on:
- infrastructure

Touches:
* `src/**`
* `api/**` (new)
",
        r"## `backend-unit-test-generator`

Write tests.

### Verification
- `pytest -q`

### Acceptance Criteria
All green.

---

## Verification

Tests:

    cargo test

**Review**
```
cargo clippy
```
tests: `a`, `b` and `c`
Validation: ./run.sh

1. Run `x y`
2. Tests
   - `t1`
   ```sh
   t2
   ```
3. **Lint:** cargo fmt --check
4. Check that `foo` works
",
        "# Plan\r\n\r\n## Feature\r\n\r\n- A\r\n  b\r\n- B\r\n\r\n```sh\r\nx\r\n```\r\n\r\n## Verification\r\n\r\n```sh\r\ncargo test \\\r\n  --all\r\nmake\r\n```\r\n",
        "## Feature\n<details><summary>More</summary>\n\n- in details\n\n</details>\n\n- [ ] <!-- c --> x <!-- d --> y\n- \n-\n  - only nested\n- ```sh\n  code first\n  ```\n\nText <!-- hidden\nstill --> end.\n\n<!-- gone -->\n",
        "Feature\n=======\n\n* a\n+ b\n- c\n\nTests\n-----\n- x\n\n---\n\n## Validation\nJust a note, no items.\n",
        "## Feature\n- Touches: src/**/*.rs, tests/**\n- Needs: none\n- handle src/**/*.rs, tests/** well\n- **Bold** and *it* and ~~no~~ [link](http://x.y) <http://a.b> ![i](p.png) `c` [^1]\n\n[^1]: foot\n",
        "## Feature\n\n**Touches:** src/a.rs,\nsrc/b.rs\nNeeds: none\nA note line.\n\nNeeds: none\n",
        "## Quality\n### Tests\n- a\n### Deployment\n#### Infrastructure\n- b\n",
        "# CLI\n- a\n# Tests\n- b\n",
        "## Out of scope\n### Deployment\n- no\n\n## CLI\n- a\n### Notes\n- n\n#### Tests\n- deep\n",
    ];
    insta::assert_snapshot!(shapes.map(markdown).join("-----\n"), @r####"
    title: "Feature: Users endpoint"
    preamble: "Intro."
    5: task infrastructure for backend-cloud-infrastructure-architect: "Infrastructure"
    6:  infrastructure-1 "bucket with a second line"
         "And a paragraph.\n\n1. nested"
    13: task feature for backend-feature-implementer: "Feature Implementation"
       notes "**Goal:** let users patch.\n\n### Files\n\n- `src/a.py`\n\n**Tasks:**\n\n- T1\n\n**Error handling**\n\n- 404\n- 422"
       touches src/** api/**
       needs infrastructure
    18:  feature-1 "API Endpoints: PATCH"
    19:  feature-2 "API Endpoints: GET"
    22:  feature-3 "Business Logic: Merge"
    25:  feature-4 "Validation rules: email"
    -----
    title: ""
    preamble: ""
    1: task tests for backend-unit-test-generator: "backend-unit-test-generator"
    1:  tests-1 "Write tests."
         "### Acceptance Criteria\n\nAll green."
    33: task validation for backend-validation-agent: "Verification"
    33:  validation-1 "Check that `foo` works"
    6: tests ["pytest", "-q"]
    17: tests ["cargo", "test"]
    21: review ["cargo", "clippy"]
    23: tests ["a"]
    23: tests ["b"]
    23: tests ["c"]
    24: validation ["./run.sh"]
    26: tests ["x", "y"]
    28: tests ["t1"]
    30: tests ["t2"]
    32: review ["cargo", "fmt", "--check"]
    9: accept "All green."
    -----
    title: "Plan"
    preamble: ""
    3: task feature for backend-feature-implementer: "Feature"
       notes "```sh\nx\n```"
    5:  feature-1 "A b"
    7:  feature-2 "B"
    16: tests ["cargo", "test", "--all"]
    18: tests ["make"]
    -----
    title: ""
    preamble: ""
    1: task feature for backend-feature-implementer: "Feature"
       notes "Text  end."
    4:  feature-1 "More: in details"
    8:  feature-2 "x y"
    10:  feature-3 "only nested"
         "- only nested"
    12:  feature-4 "code first"
         "```sh\ncode first\n```"
    -----
    title: ""
    preamble: ""
    1: task feature for backend-feature-implementer: "Feature"
    4:  feature-1 "a"
    5:  feature-2 "b"
    6:  feature-3 "c"
    8: task tests for backend-unit-test-generator: "Tests"
    10:  tests-1 "x"
    14: task validation for backend-validation-agent: "Validation"
    14:  validation-1 "Just a note, no items."
    -----
    title: ""
    preamble: ""
    1: task feature for backend-feature-implementer: "Feature"
       notes "[^1]: foot"
       touches src/**/*.rs tests/**
    4:  feature-1 "handle src/**/*.rs, tests/** well"
    5:  feature-2 "Bold and it and ~~no~~ link (http://x.y) http://a.b i (p.png) `c` [^1]"
    -----
    title: ""
    preamble: ""
    1: task feature for backend-feature-implementer: "Feature"
       touches src/a.rs src/b.rs
    1:  feature-1 "A note line."
    -----
    title: ""
    preamble: ""
    2: task tests for backend-unit-test-generator: "Tests"
    3:  tests-1 "a"
    5: task infrastructure for backend-cloud-infrastructure-architect: "Infrastructure"
    6:  infrastructure-1 "b"
    -----
    title: ""
    preamble: ""
    1: task cli for backend-cli-implementer: "CLI"
    2:  cli-1 "a"
    3: task tests for backend-unit-test-generator: "Tests"
    4:  tests-1 "b"
    -----
    title: ""
    preamble: ""
    not to be done: "### Deployment\n- no"
    5: task cli for backend-cli-implementer: "CLI"
       notes "### Notes\n\n- n\n\n#### Tests\n\n- deep"
    6:  cli-1 "a"
    "####);
}

/// [`REALISTIC`] in the YAML form.
const TWIN: &str = r##"# The same plan in YAML.
title: "Implementation Plan: PATCH /api/users/:id"
preamble: |
  Users must be able to change *parts* of their record.

  ## Overview

  - The service is plain Python.
  - No new dependency.

  > Keep `v1` working.

  ## Risks

  Nobody reads this.
tasks:
  - id: infra
    role: infrastructure
    touches: [infra/**, config/*.yml]
    requirements:
      - {id: R1, text: Add the `USERS_TABLE` setting}
      - text: Keep the current region
        done: true
  - role: data-types
    touches: [src/types/**, "src/**/*.pyi"]
    needs: none
    requirements:
      - id: DT-1
        text: Define `UserPatch`
        detail: |
          - every field optional
          - `email` is validated

            ```python
            class UserPatch: ...
            ```
      - Reject unknown fields
        with a clear message
      - text: email · str
        detail: |
          - field: email
          - type: str
  - subagent: backend-feature-implementer
    title: PATCH /api/users/{id}
    needs: [data-types, infra]
    notes: |
      Uses the types of phase 1.

      #### Acceptance criteria

      - An unknown id gives 404

      **Out of scope:**

      - Authentication
    requirements:
      - "Handler: Answer 404 for an unknown id"
      - "Handler: Answer 200 with the whole record"
  - {id: audit, role: feature, title: Audit log, needs: [feature], touches: src/audit/**, requirements: [{id: R9, text: Write one line per change}]}
  - subagent: backend-cli-implementer
    requirements:
      - "`users patch ID FIELD=VALUE`"
      - Help text
  - role: tests
    title: Unit & Integration Tests
    requirements: [Cover `UserPatch`]
  - role: review
    title: Code Review
    parallel-with: [tests]
    requirements: [Look at input validation]
  - role: validation
    title: end to end
    requirements: [Run the service and patch a user]
  - role: deployment
    requirements: [Add the setting to the template]
verification:
  tests:
    - |
      # unit
      python -m unittest discover \
        -s tests
    - python -m compileall -q src
  review: [python -m pyflakes src, python -m pyflakes tests]
  validation: "sh -c './serve & sleep 1; ./e2e'"
acceptance:
  - An unknown id gives 404
  - "PATCH changes only what it names: nothing else"
  - Old clients keep working
"##;

/// Takes out of a plan what two ways of writing it must differ in.
fn without_places(mut plan: super::Plan) -> super::Plan {
    plan.source = String::new();
    plan.digest = crate::ids::Digest::from_content("");
    plan.items.clear();
    for task in &mut plan.tasks {
        task.line = 0;
        task.requirements.iter_mut().for_each(|requirement| requirement.line = 0);
    }
    plan.verification.iter_mut().for_each(|command| command.line = 0);
    plan.acceptance.iter_mut().for_each(|criterion| criterion.line = 0);
    plan
}

#[test]
fn the_same_plan_in_yaml_gives_the_same_tasks() {
    let markdown = read_as("plan.md", REALISTIC, &roster()).plan.unwrap();
    let yaml = read_as("comment", TWIN, &roster());
    assert_eq!(yaml.diagnostics, []);
    let lines: Vec<_> = yaml.plan.as_ref().unwrap().tasks[1].requirements.iter().map(|r| r.line).collect();
    assert_eq!(lines, [28, 37, 39]);
    assert_eq!(without_places(yaml.plan.unwrap()), without_places(markdown));
}

#[test]
fn a_fenced_block_is_the_plan_and_keeps_the_places_of_the_markdown() {
    let text = format!("Some words for people.\n\n```yaml backend-plan\n{TWIN}```\n\nMore words.\n");
    let fenced = read_as("plan.md", &text, &roster()).plan.unwrap();
    let plain = read_as("plan.yml", TWIN, &roster()).plan.unwrap();
    assert_eq!(fenced.tasks[1].requirements[0].line, plain.tasks[1].requirements[0].line + 3);
    assert_eq!(without_places(fenced), without_places(plain));
    insta::assert_snapshot!(markdown("  ```backend-plan\n  tasks:\n    - roel: cli\n      requirements: [a]\n  ```\n"), @"
    plan.md:3:7: error[unknown-key]: a task has no key `roel`
       |
     3 |     - roel: cli
       |       ^
      hint: did you mean `role`?
    plan.md:3:7: error[missing-key]: the task says neither `role` nor `subagent`
       |
     3 |     - roel: cli
       |       ^
      hint: add `role: feature` or `subagent: NAME`
    ");
}

/// What `docs/plan.md` shows Planners.
const GUIDE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/plan.md"));

#[test]
fn both_examples_of_the_guide_are_plans_and_the_same_one() {
    let example = |language: &str| {
        let (_, rest) = GUIDE.split_once(&format!("\n```{language}\n")).unwrap();
        rest.split_once("\n```\n").unwrap().0
    };
    let markdown = read_as("plan.md", example("markdown"), &roster());
    let yaml = read_as("plan.yml", example("yaml"), &roster());
    assert_eq!((&markdown.diagnostics, &yaml.diagnostics), (&Vec::new(), &Vec::new()));
    let plan = markdown.plan.unwrap();
    assert_eq!((plan.tasks.len(), plan.verification.len(), plan.acceptance.len()), (7, 3, 2));
    assert_eq!(without_places(plan), without_places(yaml.plan.unwrap()));
}

#[test]
fn the_guide_lists_every_code_and_the_domains_that_it_lists_are_read() {
    let sources = [
        include_str!("check.rs"),
        include_str!("check/ids.rs"),
        include_str!("check/references.rs"),
        include_str!("commands.rs"),
        include_str!("directives.rs"),
        include_str!("intake.rs"),
        include_str!("dialect/outline/mod.rs"),
        include_str!("dialect/outline/section.rs"),
        include_str!("dialect/outline/pieces.rs"),
        include_str!("dialect/outline/asides.rs"),
        include_str!("granularity.rs"),
        include_str!("granularity/words.rs"),
        include_str!("inventory.rs"),
        include_str!("dialect/taskmaster.rs"),
        include_str!("tasks.rs"),
        include_str!("verification.rs"),
        include_str!("yaml_form.rs"),
    ];
    let is_code = |text: &&str| {
        (text.contains('-') || *text == "cycle") && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')
    };
    let (_, table) = GUIDE.split_once("## What can be wrong").unwrap();
    let listed: BTreeSet<&str> = table.split('`').filter(is_code).collect();
    for code in &listed {
        assert!(sources.iter().any(|source| source.contains(&format!("\"{code}\""))), "{code} is told nowhere");
    }
    for source in sources {
        let calls = [".error(", ".warning(", "Severity::Error, "].map(|call| source.split(call).skip(1));
        for code in
            calls.into_iter().flatten().filter_map(|rest| rest.trim_start().strip_prefix('"')?.split('"').next())
        {
            assert!(listed.contains(code), "{code} is missing in the guide");
        }
    }
    let domains =
        GUIDE.lines().skip_while(|line| !line.starts_with("| domain")).skip(2).take_while(|line| line.starts_with('|'));
    let mut rows = 0;
    for (row, role) in domains.zip(Role::ALL) {
        rows += 1;
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        assert_eq!((cells[1], cells[3].trim_matches('`')), (role.title(), role.name()));
        for name in cells[2].split(", ") {
            assert_eq!(super::domains::role(&super::domains::normal(name)), Some(role), "{name}");
        }
    }
    assert_eq!(rows, 8);
}

#[test]
fn one_block_or_sections_but_not_both() {
    let block = "```backend-plan\ntasks: [{role: cli, requirements: [a]}]\n```\n";
    insta::assert_snapshot!(markdown(&format!("{block}\n{block}\n## Feature\n- x\n")), @"
    plan.md:5:1: error[several-plans]: a second block holds a plan; the first begins on line 1
       |
     5 | ```backend-plan
       | ^
      hint: keep one of them
    plan.md:9:4: error[mixed-plan]: this section is a plan beside the one in the block on line 1
       |
     9 | ## Feature
       |    ^
      hint: write the plan either in sections or in the block
    ");
    insta::assert_snapshot!(markdown("```yml backend-plan\n```\n"), @"
    plan.md:1:1: error[empty-plan]: the block holds no plan
       |
     1 | ```yml backend-plan
       | ^
      hint: write at least one task, or leave the block out
    ");
    let quoted = format!("# Plan\n\n> {}\n\n## Feature\n- x\n", block.trim().replace('\n', "\n> "));
    assert_eq!(read_as("plan.md", &quoted, &roster()).plan.unwrap().tasks.len(), 1);
}

#[test]
fn the_form_is_found_by_name_or_by_content() {
    let codes = |source: &str, text: &str| {
        let reading = read_as(source, text, &roster());
        (
            reading.plan.map(|plan| plan.tasks.len()),
            reading.diagnostics.into_iter().map(|d| d.code).collect::<Vec<_>>().join(" "),
        )
    };
    let yaml = "# comment\n---\ntitle: x\ntasks:\n- role: cli\n  requirements: [a]\n";
    assert_eq!(codes("body", yaml), (Some(1), String::new()));
    assert_eq!(codes("plan.md", yaml), (Some(1), String::new()));
    assert_eq!(codes("-", "{\"tasks\": [{\"role\": \"cli\", \"notes\": \"a\"}]}"), (Some(1), String::new()));
    assert_eq!(
        codes("-", "\u{feff}---\ntitle: x\nlabels: [a]\n---\n## Feature\n- tasks: a\n"),
        (Some(1), String::new())
    );
    assert_eq!(codes("-", "tasks:\n\n## Feature\n- a\n"), (None, "wrong-type".to_owned()));
    assert_eq!(codes("-", "Notes first.\n\ntasks: are below\n\n## Feature\n- a\n"), (Some(1), String::new()));
    assert_eq!(codes("plan.YAML", "## Feature\n- a\n"), (None, "wrong-type".to_owned()));
}

#[test]
fn every_problem_of_a_markdown_plan_is_told_at_once() {
    insta::assert_snapshot!(markdown(r"
# Plan

## Infrastructure {#In Fra}
Touches: /etc/passwd, src/../x, `a\b`, ok/**, [a
- [R1] One

## `backend-fature-implementer`
Needs: nobody, a
- [R1] Two

## Feature {#a}
Needs: b, data-type
- Do it {#no good}

## Feature {#b}
Needs: c
- Do it

## Feature {#c}
- Needs: a
- Do it

## Feature {#a}
Needs: feature, Deployment
- Do it

## Infrastrcture
- A typo

## `security-checker`
- Nobody

## Tests & Review
- Which one?

## CLI

## db-migrator
Needs:
Parallel with: db-migrator

Some notes.

## Random thoughts
- Who reads this?

## Verification
Nothing to run.

## Checks
- tests: `cargo test && cargo doc`
- All tests pass
- `echo 'x`
- `LANG=C ls`

```sh
make | tee log
```
"), @r"
    plan.md:4:21: error[bad-id]: `In Fra` is not a task id: 1 to 64 lower-case letters, digits and single hyphens, beginning and ending with a letter or digit
       |
     4 | ## Infrastructure {#In Fra}
       |                     ^
      hint: write `in-fra`
    plan.md:5:10: error[bad-glob]: `/etc/passwd` is not a glob that a task can be held to: it begins with `/`
       |
     5 | Touches: /etc/passwd, src/../x, `a\b`, ok/**, [a
       |          ^
      hint: write paths relative to the repository's root, such as `src/users/**`, divided by commas
    plan.md:5:23: error[bad-glob]: `src/../x` is not a glob that a task can be held to: it has a `.` or `..`
       |
     5 | Touches: /etc/passwd, src/../x, `a\b`, ok/**, [a
       |                       ^
      hint: write paths relative to the repository's root, such as `src/users/**`, divided by commas
    plan.md:5:34: error[bad-glob]: `a\b` is not a glob that a task can be held to: it has a backslash; paths are divided by `/`
       |
     5 | Touches: /etc/passwd, src/../x, `a\b`, ok/**, [a
       |                                  ^
      hint: write paths relative to the repository's root, such as `src/users/**`, divided by commas
    plan.md:5:47: error[bad-glob]: `[a` is not a glob that a task can be held to: a `[` has no `]`
       |
     5 | Touches: /etc/passwd, src/../x, `a\b`, ok/**, [a
       |                                               ^
      hint: write paths relative to the repository's root, such as `src/users/**`, divided by commas
    plan.md:8:4: error[unknown-subagent]: there is no subagent or role `backend-fature-implementer`
       |
     8 | ## `backend-fature-implementer`
       |    ^
      hint: did you mean `backend-feature-implementer`?
    plan.md:9:8: error[unknown-need]: there is no task `nobody` to need
       |
     9 | Needs: nobody, a
       |        ^
      hint: name the id of a task, a subagent, or a domain such as Data Types
    plan.md:10:4: error[duplicate-id]: the requirement id `R1` stands on line 6 and on line 10
        |
     10 | - [R1] Two
        |    ^
      hint: give each requirement an id of its own
    plan.md:13:8: error[cycle]: these tasks wait for one another: a -> b -> c -> a
        |
     13 | Needs: b, data-type
        |        ^
      hint: take one `Needs:` out of the circle
    plan.md:14:11: error[bad-id]: `no good` is not a requirement id: 1 to 64 letters, digits, `.`, `_` and `-`, beginning with a letter or digit
        |
     14 | - Do it {#no good}
        |           ^
      hint: write an id such as `R1` or `users.patch-1`
    plan.md:24:6: error[duplicate-id]: the task id `a` stands on line 12 and on line 24
        |
     24 | ## Feature {#a}
        |      ^
      hint: give each task an id of its own
    plan.md:25:8: error[self-need]: task `feature` cannot need itself
        |
     25 | Needs: feature, Deployment
        |        ^
      hint: name another task, or leave it out
    plan.md:25:17: error[unknown-need]: the plan has no task for Deployment to need
        |
     25 | Needs: feature, Deployment
        |                 ^
      hint: add a section for it, or leave it out
    plan.md:28:4: error[unknown-subagent]: there is no subagent or role `Infrastrcture`
        |
     28 | ## Infrastrcture
        |    ^
      hint: did you mean `Infrastructure`?
    plan.md:31:4: error[unknown-subagent]: there is no subagent or role `security-checker`
        |
     31 | ## `security-checker`
        |    ^
      hint: name one of the roster: `backend-cloud-infrastructure-architect`, `backend-datatypes`, `db-migrator`, `backend-feature-implementer`, `backend-cli-implementer`, `backend-unit-test-generator`, `backend-code-quality-reviewer`, `backend-validation-agent`, `backend-deployment-agent`
    plan.md:34:4: warning[several-subagents]: this heading names several sections at once; `backend-unit-test-generator` gets what is not plainly another's
        |
     34 | ## Tests & Review
        |    ^
      hint: give each a heading of its own, so that every item belongs to one subagent
    plan.md:37:4: warning[empty-task]: this task has nothing to do
        |
     37 | ## CLI
        |    ^
      hint: list what it is to do below its heading, or leave the heading out
    plan.md:40:1: warning[empty-directive]: `Needs:` names nothing
        |
     40 | Needs:
        | ^
      hint: name something behind it or in a list below it, or leave it out
    plan.md:41:16: error[self-need]: task `db-migrator` cannot run beside itself
        |
     41 | Parallel with: db-migrator
        |                ^
      hint: name another task, or leave it out
    plan.md:48:4: warning[empty-verification]: this verification section has no command: its text is left aside, and the gates run as they do without the section
        |
     48 | ## Verification
        |    ^
      hint: list commands as items, `- tests: cargo test`, or in a `sh` code block; or leave the section out
    plan.md:52:22: error[shell-syntax]: `&&` has no meaning without a shell
        |
     52 | - tests: `cargo test && cargo doc`
        |                      ^
      hint: no shell runs this: list each command on a line of its own, or write `sh -c '…'`
    plan.md:54:4: error[bad-quoting]: a quotation mark or a backslash at the end has no partner
        |
     54 | - `echo 'x`
        |    ^
      hint: close the quotation on the same line
    plan.md:55:4: error[shell-syntax]: an assignment before a command has no meaning without a shell
        |
     55 | - `LANG=C ls`
        |    ^
      hint: write `env LANG=C …`
    plan.md:58:6: error[shell-syntax]: `|` has no meaning without a shell
        |
     58 | make | tee log
        |      ^
      hint: no shell runs this: list each command on a line of its own, or write `sh -c '…'`
    ");
}

#[test]
fn the_quality_tasks_that_always_run_can_be_named_although_the_plan_lacks_them() {
    let text = "## Feature {#tests}\n- a\n\n## Deployment\nNeeds: validation, backend-code-quality-reviewer, Tests\n\
                Parallel with: Validation\n- b\n";
    let plan = read_as("plan.md", text, &roster()).plan.unwrap();
    let ids = |ids: &[TaskId]| ids.iter().map(TaskId::to_string).collect::<Vec<_>>().join(" ");
    // `tests` is the id of a task, and an id goes before what the name of a role stands for.
    assert_eq!(ids(&plan.tasks[1].needs), "tests review validation");
    assert_eq!(plan.tasks[0].id.as_str(), "tests");
    let Reading { plan, diagnostics } = read_as("plan.md", &text.replace("Tests\n", "Unit tests\n"), &roster());
    assert_eq!(diagnostics, []);
    let plan = plan.unwrap();
    assert_eq!(ids(&plan.tasks[1].needs), "tests-2 review validation");
    assert_eq!(ids(&plan.tasks[1].parallel_with), "validation");
    let schedule = schedule::build(&plan, &roster(), &Config::default(), &[], &[]).unwrap();
    assert_eq!(ids(&schedule.task(&plan.tasks[1].id).unwrap().needs), "tests-2 review validation");
    // Whoever plays a part that another subagent stands for is not added, and so cannot be waited for.
    let checker = subagent("a-second-validator", Role::Validation);
    let roster = Roster::new(roster().iter().cloned().chain([checker]));
    let stands_for = &roster.for_role(Role::Validation).unwrap().name;
    let other = roster.iter().find(|s| s.role == Role::Validation && s.name != *stands_for).unwrap();
    let shown = show(&read_as("plan.md", &format!("## CLI\nNeeds: {}\n- b\n", other.name), &roster));
    assert!(shown.contains("unknown-need"), "{shown}");
    let early = read_as("plan.md", "## CLI\nNeeds: Review\n- b\n", &roster).plan.unwrap();
    let problems = schedule::build(&early, &roster, &Config::default(), &[], &[]).unwrap_err();
    assert_eq!(problems.iter().map(|problem| problem.code.as_str()).collect::<Vec<_>>(), ["needs-later-phase"]);
}

#[test]
fn the_column_of_a_commands_problem_is_that_of_the_command() {
    let columns = |verification: &str| {
        let text = format!("tasks: [{{role: cli, requirements: [a]}}]\nverification:\n  tests:\n{verification}\n");
        let found = read_as("plan.yml", &text, &roster()).diagnostics;
        found.iter().map(|found| found.position.unwrap()).map(|at| (at.line, at.column)).collect::<Vec<_>>()
    };
    assert_eq!(columns("  - a && b"), [(4, 7)]);
    assert_eq!(columns("  - \"a && b\""), [(4, 8)]);
    assert_eq!(columns("  - 'a | b'"), [(4, 8)]);
    assert_eq!(columns("  - |\n    a\n      b; c"), [(6, 8)]);
    assert_eq!(columns("  - |\n    $ a\n    $ b > c"), [(6, 9)]);
    assert_eq!(columns("  - \"a\\0b\""), [(4, 7)]);
}

#[test]
fn every_problem_of_a_yaml_plan_is_told_at_once() {
    insta::assert_snapshot!(show(&read_as("plan.yml", r#"
titel: x
title: [a]
tasks:
  - role: fature
    requirements: [{text: a, don: true}, {id: R1}, ""]
  - subagent: backend-cli
    roles: x
    requirements: {a: b}
  - requirements: [a]
    needs: [cli]
    parallel-with: [nobody]
  - just a text
  - role: cli
    id: cli
    notes: x
    touches: ["../x"]
    needs: cli
  - role: deployment
    done: yes
verification:
  test: [a]
  tests: ["a | b", [c]]
acceptance: {a: b}
"#, &roster())), @r#"
    plan.yml:2:1: error[unknown-key]: a plan has no key `titel`
       |
     2 | titel: x
       | ^
      hint: did you mean `title`?
    plan.yml:3:8: error[wrong-type]: title is a text, but this is a list
       |
     3 | title: [a]
       |        ^
      hint: put it in quotation marks when it has `: ` or brackets in it
    plan.yml:5:11: error[unknown-subagent]: there is no role `fature`
       |
     5 |   - role: fature
       |           ^
      hint: did you mean `feature`?
    plan.yml:6:30: error[unknown-key]: a requirement has no key `don`
       |
     6 |     requirements: [{text: a, don: true}, {id: R1}, ""]
       |                              ^
      hint: did you mean `done`?
    plan.yml:6:42: error[missing-key]: the requirement has no text
       |
     6 |     requirements: [{text: a, don: true}, {id: R1}, ""]
       |                                          ^
      hint: add `text`: what is to be done, in one line
    plan.yml:6:52: error[missing-key]: the requirement has no text
       |
     6 |     requirements: [{text: a, don: true}, {id: R1}, ""]
       |                                                    ^
      hint: add `text`: what is to be done, in one line
    plan.yml:7:5: warning[empty-task]: this task has nothing to do
       |
     7 |   - subagent: backend-cli
       |     ^
      hint: list what it is to do below its heading, or leave the heading out
    plan.yml:7:15: error[unknown-subagent]: there is no subagent `backend-cli`
       |
     7 |   - subagent: backend-cli
       |               ^
      hint: did you mean `backend-cli-implementer`?
    plan.yml:8:5: error[unknown-key]: a task has no key `roles`
       |
     8 |     roles: x
       |     ^
      hint: did you mean `role`?
    plan.yml:9:19: error[wrong-type]: `requirements` is a list, but this is a mapping
       |
     9 |     requirements: {a: b}
       |                   ^
      hint: begin each entry with `- `
    plan.yml:10:5: error[missing-key]: the task says neither `role` nor `subagent`
        |
     10 |   - requirements: [a]
        |     ^
      hint: add `role: feature` or `subagent: NAME`
    plan.yml:12:21: error[unknown-need]: there is no task `nobody` to run beside
        |
     12 |     parallel-with: [nobody]
        |                     ^
      hint: name the id of a task, a subagent, or a domain such as Data Types
    plan.yml:13:5: error[wrong-type]: a task is a mapping, but this is text
        |
     13 |   - just a text
        |     ^
      hint: its keys are id, subagent, role, title, requirements, notes, touches, needs, parallel-with
    plan.yml:17:15: error[bad-glob]: `../x` is not a glob that a task can be held to: it has a `.` or `..`
        |
     17 |     touches: ["../x"]
        |               ^
      hint: write paths relative to the repository's root, such as `src/users/**`, divided by commas
    plan.yml:18:12: error[self-need]: task `cli` cannot need itself
        |
     18 |     needs: cli
        |            ^
      hint: name another task, or leave it out
    plan.yml:19:5: warning[empty-task]: this task has nothing to do
        |
     19 |   - role: deployment
        |     ^
      hint: list what it is to do below its heading, or leave the heading out
    plan.yml:20:5: error[unknown-key]: a task has no key `done`
        |
     20 |     done: yes
        |     ^
      hint: its keys are id, subagent, role, title, requirements, notes, touches, needs, parallel-with
    plan.yml:22:3: error[unknown-key]: the verification has no key `test`
        |
     22 |   test: [a]
        |   ^
      hint: did you mean `tests`?
    plan.yml:23:14: error[shell-syntax]: `|` has no meaning without a shell
        |
     23 |   tests: ["a | b", [c]]
        |              ^
      hint: no shell runs this: list each command on a line of its own, or write `sh -c '…'`
    plan.yml:23:20: error[wrong-type]: a command is a text, but this is a list
        |
     23 |   tests: ["a | b", [c]]
        |                    ^
      hint: put it in quotation marks when it has `: ` or brackets in it
    plan.yml:24:13: error[wrong-type]: `acceptance` is a list, but this is a mapping
        |
     24 | acceptance: {a: b}
        |             ^
      hint: begin each entry with `- `
    "#);
    let twice = "tasks:\n  - role: cli\n    role: tests\n    requirements: [a]\nverification: {}\n";
    insta::assert_snapshot!(show(&read_as("plan.yml", twice, &roster())), @"
    plan.yml:3:5: error[duplicate-key]: the key `role` is there twice
       |
     3 |     role: tests
       |     ^
      hint: keep one of them
    plan.yml:5:1: error[empty-verification]: the verification has no command
       |
     5 | verification: {}
       | ^
      hint: list commands below `tests`, `review` or `validation`, or leave `verification` out
    ");
    insta::assert_snapshot!(show(&read_as("plan.yml", "tasks:\n  - role: [cli\n  - x: 'a\n", &roster())), @"
    plan.yml:3:6: error[yaml-syntax]: the plan is not readable YAML: illegal placement of ':' indicator
       |
     3 |   - x: 'a
       |      ^
    ");
}

#[test]
fn titles_and_messages_have_an_end_whatever_they_quote() {
    let long = "y".repeat(100_000);
    let planned = read("plan.md", format!("# {long}\n\n## Feature: {long}\n- do\n").as_bytes(), &roster());
    let plan = planned.plan.unwrap();
    let titles = plan.title.iter().chain(plan.tasks.iter().map(|task| &task.title));
    assert!(titles.clone().count() >= 2 && titles.into_iter().all(|title| title.chars().count() <= 1_000));
    let refused =
        read("plan.md", format!("## Feature\nTouches: {}\n- do\n", "**/".repeat(5_000)).as_bytes(), &roster());
    assert!(refused.diagnostics.iter().all(|found| found.message.chars().count() <= 1_000));
    // More than a task list of people and models has: no tree is made of it.
    let task = r#"{"id":1,"title":"t","status":"pending"}"#;
    let tasks = format!(r#"{{"tasks":[{}]}}"#, vec![task; 50_000].join(","));
    assert!(read("tasks.json", tasks.as_bytes(), &roster()).plan.is_none());
}

#[test]
fn what_is_no_plan_at_all_is_refused() {
    let tell = |bytes: &[u8]| show(&read("plan.md", bytes, &roster()));
    insta::assert_snapshot!(
        [
            tell(b""),
            tell(b" \n\n"),
            tell(b"\xef\xbb\xbf"),
            tell(b"# Plan\n\nNothing to do.\n"),
            tell(b"# Plan\n\n## Feature\n\n## CLI\n"),
            tell(b"# Plan\n\nab\0c"),
            tell("# Plan\n\n\u{e4}".as_bytes().strip_suffix(&[0xa4]).unwrap()),
            tell(&[0xff, 0xfe, b'a', 0]),
            tell(&vec![b'a'; super::PLAN_MAX_BYTES + 1]),
            tell("# CLI\n- x\n".repeat(crate::limits::TASKS_MAX + 1).as_bytes()),
            tell(b"<!--\n## Feature\n- hidden\n-->\n"),
            tell(b"```\n## Feature\n- in a code block\n```\n> ## Feature\n> - quoted\n"),
        ]
        .join("\n"),
        @r####"
    plan.md:1:1: error[empty-plan]: the plan is empty
      hint: write at least one section, such as `## Feature`

    plan.md:1:1: error[empty-plan]: the plan is empty
      hint: write at least one section, such as `## Feature`

    plan.md:1:1: error[empty-plan]: the plan is empty
      hint: write at least one section, such as `## Feature`

    plan.md:1:1: error[no-work]: the plan has no task
       |
     1 | # Plan
       | ^
      hint: head a section with a subagent or its domain, such as `## Feature`, and list what it is to do

    plan.md:3:4: error[no-work]: no task of the plan has anything to do
       |
     3 | ## Feature
       |    ^
      hint: these sections were seen, and none is work: `Feature` (list what it is to do below it); `CLI` (list what it is to do below it)

    plan.md:3:3: error[not-text]: the plan is not text: there is a NUL at byte 10
      hint: write it as UTF-8 text, in Markdown or YAML

    plan.md:3:1: error[not-text]: the plan is not text: there is the byte 0xc3, which is not UTF-8, at byte 8
      hint: write it as UTF-8 text, in Markdown or YAML

    plan.md:1:1: error[not-text]: the plan is not text: there is the byte 0xff, which is not UTF-8, at byte 0
      hint: write it as UTF-8 text, in Markdown or YAML

    plan.md: error[too-long]: the plan is longer than 4 MiB, which is the most that is read
      hint: split it, or refer to files of the repository instead of quoting them

    plan.md:513:3: error[too-many-tasks]: the plan has 257 tasks; at most 256 can be scheduled
         |
     513 | # CLI
         |   ^
      hint: split the plan, or put related items under one heading

    plan.md:1:1: error[no-work]: the plan has no task
       |
     1 | <!--
       | ^
      hint: head a section with a subagent or its domain, such as `## Feature`, and list what it is to do

    title: ""
    preamble: "```\n## Feature\n- in a code block\n```\n>"
    5: task feature for backend-feature-implementer: "Feature"
    6:  feature-1 "quoted"
    "####
    );
}

/// A task of a random plan, in the words of both forms.
#[derive(Debug, Clone)]
struct RandomTask {
    role: Role,
    id: Option<String>,
    title: String,
    requirements: Vec<(Option<String>, String, String, bool)>,
    notes: String,
    touches: Vec<String>,
    /// How many of the tasks before it are needed.
    needs: usize,
}

fn phrase() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "alpha",
        "`code x`",
        "snake_case_name",
        "404",
        "a/b",
        "(x)",
        "user's",
        "src/**/*.rs",
        "*.py",
        "{id}",
        "x: y",
        "R1:",
        "`a`: b",
        "ä€😀",
        "Vec<String>",
        "<!-- not hidden",
        "#5",
        "&amp",
        "1.",
        "-",
        "[x]",
        "a_b",
        "**",
        "~",
        "touches:",
    ]);
    prop::collection::vec(words, 1..6).prop_map(|words| format!("Do {}", words.join(" ")))
}

/// Escapes a phrase so that Markdown gives it back as it is.
fn escaped(phrase: &str) -> String {
    let mut out = String::new();
    let mut in_code = false;
    for c in phrase.chars() {
        in_code ^= c == '`';
        if !in_code && matches!(c, '*' | '_' | '<' | '&' | '[' | ']' | '~' | '#') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

fn random_task() -> impl Strategy<Value = RandomTask> {
    let detail =
        prop::sample::select(vec!["", "- nested\n  - deeper\n\nA paragraph.", "```sh\n  - no item\n```", "a\n\n    b"]);
    let requirements = prop::collection::vec((any::<bool>(), phrase(), detail, any::<bool>()), 1..4);
    let notes = prop::sample::select(vec!["", "A note.", "Two\nlines.", "```sh\n## CLI\n- x\n```"]);
    let touches = prop::sample::subsequence(vec!["src/**", "a.{py,rs}", "docs/", "**/*_test.rs"], 0..4);
    (prop::sample::select(Role::ALL.to_vec()), any::<bool>(), phrase(), requirements, notes, touches, 0..4_usize)
        .prop_map(|(role, has_id, title, requirements, notes, touches, needs)| RandomTask {
            role,
            id: has_id.then(String::new),
            title: title.replace('`', ""),
            requirements: requirements
                .into_iter()
                .enumerate()
                // A task of which nothing is open is none.
                .map(|(at, (id, text, detail, done))| (id.then(String::new), text, detail.to_owned(), done && at > 0))
                .collect(),
            notes: notes.to_owned(),
            touches: touches.into_iter().map(str::to_owned).collect(),
            needs,
        })
}

fn random_plan() -> impl Strategy<Value = Vec<RandomTask>> {
    prop::collection::vec(random_task(), 1..6).prop_map(|mut tasks| {
        for (at, task) in tasks.iter_mut().enumerate() {
            if task.id.is_some() {
                task.id = Some(format!("own-{at}"));
            }
            for (item, (id, ..)) in task.requirements.iter_mut().enumerate() {
                if id.is_some() {
                    *id = Some(format!("REQ-{at}.{item}"));
                }
            }
        }
        tasks
    })
}

/// Writes a plan in Markdown.
fn in_markdown(tasks: &[RandomTask]) -> String {
    let mut out = "# A plan\n\nWords before.\n".to_owned();
    for (at, task) in tasks.iter().enumerate() {
        let id = task.id.as_ref().map(|id| format!(" {{#{id}}}")).unwrap_or_default();
        out += &format!("\n## {}. {}: {}{id}\n\n", at + 1, task.role.title(), escaped(&task.title));
        if !task.touches.is_empty() {
            out += &format!("**Touches:** `{}`\n", task.touches.join("`, `"));
        }
        let needs = needed(tasks, at);
        if !needs.is_empty() {
            out += &format!("Needs: {}\n", needs.join(", "));
        }
        out += &format!("\n{}\n\n", task.notes);
        for (id, text, detail, done) in &task.requirements {
            let id = id.as_ref().map(|id| format!("**{id}**: ")).unwrap_or_default();
            out += &format!("- [{}] {id}{}\n", if *done { "x" } else { " " }, escaped(text));
            // A paragraph right below the item would only go on with it.
            for line in if detail.is_empty() { "" } else { "\n" }.lines().chain(detail.lines()) {
                out += format!("  {line}").trim_end();
                out.push('\n');
            }
        }
    }
    out + "\n## Verification\n\n- review: `a 'b c'`\n\n## Acceptance criteria\n\n- It holds.\n"
}

/// Writes a plan in JSON.
fn in_json(tasks: &[RandomTask]) -> String {
    let list: Vec<_> = tasks
        .iter()
        .enumerate()
        .map(|(at, task)| {
            let requirements = task
                .requirements
                .iter()
                .map(|(id, text, detail, done)| json!({ "id": id, "text": text, "detail": detail, "done": done }));
            json!({
                "id": task.id, "role": task.role.name(), "title": task.title, "notes": task.notes,
                "touches": task.touches, "needs": needed(tasks, at), "requirements": requirements.collect::<Vec<_>>(),
            })
        })
        .collect();
    json!({
        "title": "A plan", "preamble": "Words before.", "tasks": list, "verification": { "review": "a 'b c'" },
        "acceptance": ["It holds."],
    })
    .to_string()
}

/// The ids of earlier tasks with ids of their own that a task needs.
fn needed(tasks: &[RandomTask], at: usize) -> Vec<String> {
    tasks[..at].iter().filter_map(|task| task.id.clone()).take(tasks[at].needs).collect()
}

/// Pieces out of which texts are made that look like plans.
fn fragment() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "## Feature\n",
            "# ",
            "### `backend-datatypes` {#x}\n",
            "- ",
            "  - ",
            "\n",
            "\n\n",
            "Touches: ",
            "**Needs:** ",
            "a, `b`",
            "```backend-plan\n",
            "```sh\n",
            "```\n",
            "tasks:\n",
            "  - role: cli\n",
            "    needs: [",
            "*",
            "**",
            "`",
            "## Verification\n",
            "tests: ",
            "$ a \\\n",
            "'",
            "\"",
            "<!--",
            "-->",
            "> ",
            "| a | b |\n|---|---|\n",
            "---\n",
            "\t",
            "\r\n",
            "{#",
            "}",
            "(id: ",
            ")",
            "[R1] ",
            "R1: ",
            "ä€😀",
            "&",
            "|",
            ":",
            "1. ",
            "[ ] ",
            "[x] ",
            "## Acceptance\n",
            "<b>",
            "Parallel with: feature\n",
            "\u{feff}",
            "\0",
            "## Out of scope\n",
            "**Out of scope:**\n",
            "&a ",
            "*a ",
            "{",
            "[^1]: ",
        ])
        .prop_map(str::to_owned),
        "[ -~]{0,12}",
        "\\PC{0,6}",
    ]
}

proptest! {
    #[test]
    fn any_text_is_read_the_same_twice_and_every_place_lies_inside_it(
        fragments in prop::collection::vec(fragment(), 0..40), name in prop::sample::select(vec!["plan.md", "plan.yml", "-"])
    ) {
        let text = fragments.concat();
        let reading = read(name, text.as_bytes(), &roster());
        prop_assert_eq!(&reading, &read(name, text.as_bytes(), &roster()));
        prop_assert_eq!(reading.plan.is_none(), reading.diagnostics.iter().any(crate::diagnostics::Diagnostic::is_error));
        let shown = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let lines: Vec<&str> = shown.split('\n').collect();
        let mut last = None;
        for diagnostic in &reading.diagnostics {
            let at = diagnostic.position.unwrap();
            prop_assert!(Some(at) >= last);
            last = Some(at);
            let line = lines.get(at.line as usize - 1);
            prop_assert!(line.is_some_and(|line| at.column as usize <= line.chars().count() + 1), "{:?}", at);
        }
        for task in reading.plan.iter().flat_map(|plan| &plan.tasks) {
            for line in task.requirements.iter().map(|requirement| requirement.line).chain([task.line]) {
                prop_assert!((1..=lines.len()).contains(&(line as usize)));
            }
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let reading = read("plan.md", &bytes, &roster());
        prop_assert_eq!(reading.plan.is_none(), reading.diagnostics.iter().any(crate::diagnostics::Diagnostic::is_error));
    }

    #[test]
    fn a_plan_written_in_either_form_is_read_back(tasks in random_plan()) {
        let text = in_markdown(&tasks);
        let reading = read_as("plan.md", &text, &roster());
        prop_assert!(reading.diagnostics.is_empty(), "{}\n{}", text, show(&reading));
        let plan = reading.plan.unwrap();
        prop_assert_eq!(plan.tasks.len(), tasks.len());
        for (read, written) in plan.tasks.iter().zip(&tasks) {
            prop_assert_eq!(read.subagent.as_str(), written.role.builtin_name());
            prop_assert_eq!(&read.title, &written.title);
            prop_assert_eq!(&read.notes, &written.notes);
            prop_assert_eq!(&read.touches, &written.touches);
            if let Some(id) = &written.id {
                prop_assert_eq!(read.id.as_str(), id);
            }
            prop_assert_eq!(read.requirements.len(), written.requirements.len());
            for (read, (id, text, detail, done)) in read.requirements.iter().zip(&written.requirements) {
                prop_assert_eq!((&read.text, &read.detail, read.done), (text, detail, *done));
                if let Some(id) = id {
                    prop_assert_eq!(read.id.as_str(), id);
                }
            }
        }
        let json = read_as("plan.json", &in_json(&tasks), &roster());
        prop_assert!(json.diagnostics.is_empty(), "{}", show(&json));
        prop_assert_eq!(without_places(json.plan.unwrap()), without_places(plan));
    }
}
