//! Work that is asked for in sentences, in bold steps and below labels, and whose it is.

use super::tests::reading;
use crate::plan::{Plan, Settings};

fn plan(text: &str) -> Plan {
    let reading = reading(text, &Settings::default());
    let told: Vec<_> = reading.diagnostics.iter().map(ToString::to_string).collect();
    reading.plan.unwrap_or_else(|| panic!("{text}\n{}", told.join("\n")))
}

/// The tasks of a plan, each as `cli: show; list`.
fn tasks(text: &str) -> String {
    let line = |task: &crate::plan::PlannedTask| {
        let made: Vec<_> = task.requirements.iter().map(|made| made.text.as_str()).collect();
        format!("{}: {}", task.id, made.join("; "))
    };
    plan(text).tasks.iter().map(line).collect::<Vec<_>>().join(" | ")
}

fn check<const N: usize>(cases: [(&str, &str); N]) {
    let mut others = Vec::new();
    for (text, expected) in cases {
        let found = tasks(text);
        if found != expected {
            others.push(format!("{text}\nis  {found}\nnot {expected}\n"));
        }
    }
    assert!(others.is_empty(), "{}", others.join("\n"));
}

#[test]
fn a_heading_hands_its_role_down_to_the_sections_below_it() {
    check([
        (
            "# X\n## CLI\n### Show\n- print a table\n## Infrastructure\n### Bucket\n- versioned\n",
            "cli: print a table | infrastructure: versioned",
        ),
        ("# X\n## Phase 1: Infrastructure\n### 1.1 Bucket\n- versioned\n", "infrastructure: versioned"),
        ("# X\n## Tests\n### Cases\n- empty\n## Misc\n- a\n", "tests: empty | feature: a"),
        ("# X\n## Proposed changes\n### CLI\n#### [MODIFY] src/app.py\n- an option\n", "cli: an option"),
        // With text of its own it is a task, and hands down no less.
        ("# X\n## CLI\nAll print JSON.\n### Step 1: Show\n- print\n### Other\n- b\n", "cli: Other: b | cli-2: print"),
        // What names another is another's, and what only explains stays so.
        (
            "# X\n## CLI\n### Show\n- print\n### Types\n- `Row`\n### Background\n- old\n### Why now\nIt is late.\n",
            "cli: print | data-types: `Row`",
        ),
        ("# X\n## CLI\n### Tasks\n#### Show\n- print\n", "cli: print"),
        // Text that is no other's belongs to the heading.
        (
            "# X\n## Data model\n### Link\nToken, amount and expiry.\n### API\n- make one\n",
            "data-types: Token, amount and expiry. | feature: make one",
        ),
        // A box with boxes below it is a heading for them.
        (
            "# Story 1.1: X\n## Acceptance Criteria\n1. x\n## Tasks / Subtasks\n- [ ] Task 1: CLI (AC: #1)\n  - [ ] show\n\
             - [ ] Task 2: Tests\n  - [ ] levels\n- [ ] Task 3: Job\n  - [ ] run\n",
            "cli: show | tests: levels | feature: run",
        ),
    ]);
}

#[test]
fn steps_in_bold_are_work_wherever_they_stand() {
    let steps = "**1. Storage.** Add a table in `migrations/1.sql`.\n\n**2. API.** Expose it.\n";
    let expected = "feature: 1. Storage. Add a table in `migrations/1.sql`.; 2. API. Expose it.";
    check([
        (steps, expected),
        (&format!("# X\n{steps}\n## Risks\n- slow\n"), expected),
        (&format!("{steps}\n## Tests\n- all\n"), &format!("{expected} | tests: all")),
        (
            "# X\n**Phase 1: Storage**\nAdd a table.\n\n**Phase 2: API**\nExpose it.\n",
            "feature: Phase 1: Storage Add a table.; Phase 2: API Expose it.",
        ),
        // Its subagent stands behind it in brackets.
        (
            "# X\n**1. Rows** (backend-datatypes)\n`Row` has an id.\n",
            "data-types: 1. Rows (backend-datatypes) `Row` has an id.",
        ),
    ]);
    let plan = plan("# X\n**1. Rows**\n\nDefine `Row` in `src/types/row.py`.\n\n**Note:** be quick.\n");
    let task = &plan.tasks[0];
    assert_eq!(task.requirements[0].detail, "Define `Row` in `src/types/row.py`.");
    assert_eq!((task.id.as_ref(), task.notes.as_str()), ("data-types", "**Note:** be quick."));
}

#[test]
fn prose_that_asks_is_work_where_nothing_else_is_made() {
    check([
        (
            "# X\nAggregate usage per day.\n## Tests\n- cover it\n",
            "feature: Aggregate usage per day. | tests: cover it",
        ),
        (
            "# X\nIt is slow. Cache the totals.\n## Test plan\n- fast\n## Rollout\n- flag\n## Risks\n- stale\n",
            "feature: It is slow. Cache the totals. | tests: fast | deployment: flag",
        ),
        (
            "# X\n## Changes\n**Index:** add an index.\n## Review\n- look at it\n",
            "feature: Changes | review: look at it",
        ),
        // A description is none, and neither is what leads to proper items.
        ("# X\nThe parser has no tests.\n## Tests\n- cover it\n", "tests: cover it"),
        ("# X\nMake it fast.\n## Users\nSupport reads it.\n## Tasks\n- a\n", "feature: a"),
        // What is asked for comes first, and a summary of it is read only where nothing else asks.
        (
            "# X\n**Why:** it is slow.\n\nCache the totals.\n## QA\n- fast\n",
            "feature: Cache the totals. | validation: fast",
        ),
        (
            "# X\n## Summary\nCache it.\n## Steps\nStore the totals.\n## Tests\n- all\n",
            "feature: Steps: Store the totals. | tests: all",
        ),
        ("# X\n## Overview\nCache the totals.\n## Tests\n- all\n", "feature: Overview: Cache the totals. | tests: all"),
        ("# X\n## Order\nStart with the index.\n## Tasks\n- [ ] index\n", "feature: index"),
        // A block of code is no sentence.
        ("# X\n## Concrete steps\nFrom the root:\n\n    make all\n", "feature: Concrete steps"),
        // A section of its own that plainly asks is work beside others.
        ("# X\n## Parser\nParse CAMT files.\n## Routes\n- POST /x\n", "feature: Parser | feature-2: POST /x"),
    ]);
}

#[test]
fn text_that_is_nobodys_work_is_told() {
    let told = |text: &str| plan(text).read_by_everybody();
    assert_eq!(
        told("# X\nMake it fast.\n## Users\nSupport reads it.\n## Tasks\n- a\n").unwrap(),
        "the introduction, Users"
    );
    assert_eq!(told("# X\n- Status: draft\n## Tasks\n- a\n"), None);
}

#[test]
fn a_label_says_whose_the_list_below_it_is() {
    check([
        ("## Work\n🔧 **@backend-datatypes**\n- `Row`\n", "data-types: `Row`"),
        ("## Work\n💻 **backend-cli-implementer**\n- show\n\n🧪 **Tests**\n- all\n", "cli: show | tests: Tests: all"),
        ("## Work\n**Commands** — backend-cli-implementer\n- show\n", "cli: Commands: show"),
        (
            "# X\n**1. Row type**\n- frozen\n\n**2. CLI** (backend-cli-implementer)\n- show\n\n**3. Risks**\n- slow\n",
            "feature: Row type: frozen | cli: CLI: show",
        ),
        ("# X\n**1. Rows** (`src/types/row.py`)\n- frozen\n", "data-types: Rows (`src/types/row.py`): frozen"),
    ]);
}

#[test]
fn prose_does_not_close_a_scope() {
    let touches = |text: &str| plan(text).tasks[0].touches.clone();
    assert!(touches("# X\nMake `src/a.py` refuse it. The routes should answer 400.\n").is_empty());
    assert!(touches("# X\n## Tasks\n- make `src/a.py` refuse it\n").is_empty());
}

#[test]
fn parents_and_overviews_are_not_done_twice() {
    check([
        (
            "# Plan\n- [ ] 1. Models\n- [ ] 1.1 Row type\n  - _Requirements: 1.1_\n- [x] 1.2 Cell type\n- [ ] 2. CLI\n  - as before\n- [ ] 2.1 show\n",
            "data-types: Row type; Cell type | cli: CLI; show",
        ),
        (
            "# Change: X\n## Why\nUndo.\n## What Changes\n- soft delete\n## 1. Database\n- [ ] 1.1 Migration\n",
            "feature: Migration",
        ),
        (
            "---\nname: X\ntodos:\n  - id: a\n    content: Add retries\n---\n# X\n## Worker\nIt must never retry 4xx.\n## Limits\nAdd no more than 8.\n",
            "feature: Add retries",
        ),
        (
            "---\nname: X\ntodos:\n  - id: a\n    content: Add a limiter\n---\n# X\n## Implementation\n### Limiter\nAdd a token bucket \
             in `src/a.py`.\n### Step 2: Wire it\nCall it from the routes.\n### `src/b.py`\nAdd the header.\n",
            "feature: Add a limiter",
        ),
    ]);
}

#[test]
fn the_phases_of_spec_kit_follow_each_other() {
    let plan = plan(
        "# Tasks: X\n## Phase 1: Setup\n- [ ] T001 [P] Add it to `pyproject.toml`\n## Phase 2: Foundational\n\
         - [ ] T002 Create src/a.py\n- [ ] T003 [P] Define src/types/b.py\n## Phase 3: User Story 1\n- [ ] T004 [US1] Implement src/c.py\n\
         ## Phase 4: User Story 2\n- [ ] T005 [P] [US2] Implement src/d.py\n## Phase 5: Polish\n- [ ] T006 [P] Update README.md\n",
    );
    let needs = |task: &crate::plan::PlannedTask| {
        let needs: Vec<_> = task.needs.iter().map(AsRef::as_ref).collect();
        format!("{} needs {}", task.id, needs.join(", "))
    };
    insta::assert_snapshot!(plan.tasks.iter().map(needs).collect::<Vec<_>>().join("\n"), @"
    feature needs 
    feature-2 needs feature
    data-types needs feature
    feature-3 needs feature-2, data-types
    feature-4 needs feature-2, data-types
    feature-5 needs feature-3, feature-4
    ");
}

#[test]
fn what_asks_for_code_is_never_work_for_those_who_only_look() {
    check([
        (
            "# X\n## Importer\n- [ ] Store the checkpoint in table `cp`\n- [ ] Add checkpoint support to the importer\n\
             - [ ] Validate the checkpoint when resuming\n",
            "feature: Store the checkpoint in table `cp`; Add checkpoint support to the importer; Validate the checkpoint when \
             resuming",
        ),
        (
            "# X\n## Phase 1: Vouchers\n- [ ] T009 [US2] `vouchers redeem CODE` command in cli.py\n\
             - [ ] T010 [US2] `vouchers list` command\n- [ ] T011 Run quickstart.md validation\n",
            "cli: [US2] `vouchers redeem CODE` command in cli.py; [US2] `vouchers list` command | \
             validation: Run quickstart.md validation",
        ),
        (
            "# X\n## 2. Numbers\n- [ ] 2.1 Number by year\n- [ ] 2.2 Backfill command `invoices renumber --dry-run`\n",
            "feature: Number by year | cli: Backfill command `invoices renumber --dry-run`",
        ),
    ]);
}

#[test]
fn what_is_done_or_put_off_in_other_words_is_no_work() {
    let work = "# X\n## Phase 1: Paging\n- Return 20 rows\n";
    let expected = "feature: Return 20 rows";
    for rest in [
        "## Done\n- The table is there\n",
        "## Phase 2: Fonts — postponed to Q3\n- Load fonts\n",
        "## Phase 2: Fonts — deferred to v2\n- Load fonts\n",
        "## Won't have (this time)\n- Load fonts\n",
        "## Priorities\n\n**Won't (this time)**\n- Load fonts\n",
        "## Pendiente para más adelante\n- Load fonts\n",
        "## Files likely involved\n- `src/a.py`\n",
        "## Reused code\n- `page()` in `src/a.py`\n",
        "## Tech notes\n- Rows are old\n",
    ] {
        check([(&format!("{work}{rest}"), expected)]);
    }
    check([(
        &format!("{work}## Reviewer checklist\n- Look at how pages end\n"),
        "feature: Return 20 rows | review: Look at how pages end",
    )]);
}

#[test]
fn an_owner_that_is_a_domain_is_no_person() {
    let table = "# X\n## Work\n| Task | Owner |\n|---|---|\n| Count the rows | Feature |\n| Show the rows | CLI |\n\
                 | Cover the rows | Tests |\n| Sum the rows | Mira |\n";
    let owners: Vec<_> = plan(table).tasks.iter().map(|task| task.subagent.as_str().to_owned()).collect();
    insta::assert_snapshot!(owners.join(" "), @"backend-feature-implementer backend-cli-implementer backend-unit-test-generator");
    let near = reading(&table.replace("CLI |", "backend-cli |"), &Settings::default());
    assert!(near.diagnostics.iter().any(|told| told.code == "unknown-subagent"));
    // A team that does everything says nothing: the words of the row do.
    let team = plan("# X\n## Work\n| Task | Owner |\n|---|---|\n| `admin tenants` command | Backend |\n");
    assert_eq!(team.tasks[0].subagent.as_str(), "backend-cli-implementer");
}
