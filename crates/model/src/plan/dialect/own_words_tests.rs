//! Plans that people wrote before they read the guide, in small repositories of several languages.

use super::tests::reading;
use crate::plan::{Dialect, Fate, Plan, Reading, Settings};

/// A plan for a small server in Node.js.
const SHED: &str = "\
# Reservations for toolshed

Members ask for it.

## Data model

- Reservations in the store: id, tool, member
- Reservations come back in the order they were made
- A member has one reservation per tool

## Reservations

Put this in a new module `src/reservations.js`.

1. `reserve(store, {toolId, member})`, only for tools that are on loan
2. `cancel(store, reservationId)`

## HTTP API

- `POST /reservations` answers 201 or 409
- `GET /tools/:id/queue` shows who is waiting

## Command line

Needs: HTTP API

- `node bin/shed.js queue TOOL_ID` prints the queue
- exit code 1 if the server is not reachable

## Tests

- Unit tests for the queue in `src/reservations.js`

## Documentation

Needs: Command line

- README: the new routes

## Deployment

- A `Dockerfile`

Not in this round: e-mail notifications, persistence.
";

fn read(text: &str) -> Reading {
    reading(text, &Settings::default())
}

fn plan(text: &str) -> Plan {
    let reading = read(text);
    let told: Vec<_> = reading.diagnostics.iter().map(ToString::to_string).collect();
    reading.plan.unwrap_or_else(|| panic!("{}", told.join("\n")))
}

/// The tasks, each with what it may touch, what it may touch besides, and what it needs.
fn tasks(plan: &Plan) -> Vec<String> {
    let line = |task: &crate::plan::PlannedTask| {
        let needs: Vec<_> = task.needs.iter().map(AsRef::as_ref).collect();
        format!(
            "{} {} [{}] +[{}] needs [{}]",
            task.id,
            task.requirements.len(),
            task.touches.join(" "),
            task.also_touches.join(" "),
            needs.join(" ")
        )
    };
    plan.tasks.iter().map(line).collect()
}

fn warnings(text: &str) -> Vec<String> {
    let told = read(text).diagnostics;
    told.iter().filter(|told| told.code == "path-of-another").map(|told| told.message.clone()).collect()
}

#[test]
fn a_section_is_one_task_and_its_heading_names_just_that() {
    insta::assert_snapshot!(tasks(&plan(SHED)).join("\n"), @"
    data-types 3 [] +[] needs []
    feature 2 [] +[] needs []
    feature-2 2 [] +[] needs []
    cli 2 [] +[] needs [feature-2]
    tests 1 [] +[] needs []
    feature-3 1 [] +[] needs [cli]
    deployment 1 [] +[] needs []
    ");
}

#[test]
fn one_line_of_ours_changes_nothing_but_what_it_says() {
    let before = plan(SHED);
    for (line, heading) in [("Touches: `src/store.js`", "## Data model\n"), ("Parallel with: none", "## HTTP API\n")] {
        let after = plan(&SHED.replace(heading, &format!("{heading}\n{line}\n")));
        assert_eq!(after.dialect, before.dialect, "{line}");
        let of = |plan: &Plan| -> Vec<String> {
            tasks(plan).into_iter().filter(|task| !task.starts_with("data-types ")).collect()
        };
        assert_eq!(of(&after), of(&before), "{line}");
        assert_eq!(after.counts(), before.counts(), "{line}");
    }
    let after = plan(&SHED.replace("## Data model\n", "## Data model\n\nTouches: `src/store.js`\n"));
    assert_eq!(tasks(&after)[0], "data-types 3 [src/store.js] +[] needs []");
}

#[test]
fn what_an_item_names_comes_beside_the_scope_whatever_the_dialect() {
    let sections = "\
## Data model\n\n- Keep it in `src/store.js`\n- Refuse an empty name\n\n\
## Feature\n\n- Use it in `src/app.js`\n\n\
## CLI\n\n- List members in `src/members-cmd.js`\n- Say so in `bin/shed.js`\n\n\
## Tests\n\n- Cover `src/store.js`\n\n\
## Deployment\n\n- Describe it in `README.md`\n";
    let ours = plan(sections);
    let other = plan(&format!("{sections}\n## Reservations\n\n- Hold one for 3 days\n"));
    assert_eq!((ours.dialect.name(), other.dialect.name()), ("ours", "markdown"));
    insta::assert_snapshot!(tasks(&ours).join("\n"), @"
    data-types 2 [] +[src/store.js] needs []
    feature 1 [] +[] needs []
    cli 2 [] +[src/members-cmd.js] needs []
    tests 1 [] +[] needs []
    deployment 1 [] +[**/README.md] needs []
    ");
    assert_eq!(tasks(&other)[..5], tasks(&ours)[..]);
}

#[test]
fn what_its_subagent_may_not_touch_is_said_whatever_the_dialect() {
    for more in ["", "\n## Reservations\n\n- Hold one for 3 days\n", "\n## CLI\n\nTouches: `bin/**`\n\n- Show it\n"] {
        let text = format!(
            "## Data model\n\n- Fill `src/app.js` with its table in `infra/main.tf`\n- Refuse an empty name\n{more}"
        );
        assert_eq!(warnings(&text), ["`backend-datatypes` may not touch `infra/main.tf`"], "{more}");
        assert_eq!(plan(&text).tasks[0].also_touches, ["src/app.js"], "{more}");
    }
    assert_eq!(warnings("## Feature\n\nTouches: `src/**`\n\n- Read `infra/main.tf`\n"), [""; 0]);
}

#[test]
fn only_a_list_of_files_is_all_that_may_be_touched() {
    for (text, expected) in [
        ("## Shelves\n\n- Write `app/store.py`\n- Add `app/reader.py`\n", ""),
        ("## Shelves\n\n- Write `app/store.py`\n- Close it in the end\n", ""),
        (
            "## Shelves\n\n**Files:** `app/store.py`, `reader.py`\n\n- Open it\n- Close it\n",
            "app/store.py **/reader.py",
        ),
        ("# X\n\n## Step 1: `app/store.py`\n\n- Open it\n- Close it\n", "app/store.py"),
    ] {
        let plan = plan(text);
        assert_eq!(plan.tasks.len(), 1, "{text}");
        assert_eq!(plan.tasks[0].touches.join(" "), expected, "{text}");
    }
    // "[P]" says that others may work beside it, and so that it leaves their files alone.
    let stage = "# X\n\n## Phase 1: Setup\n\n- [ ] T001 [P] Add `a` in app/a.py\n- [ ] T002 Add `b` in app/b.py\n- [ ] T003 Add `c` in app/c.py\n";
    let touches: Vec<String> = plan(stage).tasks.iter().map(|task| task.touches.join(" ")).collect();
    assert_eq!(touches, ["app/a.py", ""]);
}

#[test]
fn a_need_is_a_heading_a_slug_or_all_of_a_role() {
    let text = |need: &str| {
        format!(
            "## API: orders\n\n- List them\n- Sort them\n\n## HTTP API\n\n- Serve them\n- Page them\n\n\
             ## Shelves\n\n### Cache\n\n- Keep them\n- Drop them\n\n\
             ## Command line\n\nNeeds: {need}\n\n- Show them\n"
        )
    };
    for (need, expected) in [
        ("HTTP API", "feature-2"),
        ("http-api", "feature-2"),
        ("`HTTP API`", "feature-2"),
        ("API: orders", "feature"),
        ("orders", "feature"),
        ("Shelves", "feature-3"),
        ("Cache", "feature-3"),
        ("backend-feature-implementer", "feature feature-2 feature-3"),
        ("Business Logic", "feature feature-2 feature-3"),
        ("HTTP API, Shelves", "feature-2 feature-3"),
    ] {
        let plan = plan(&text(need));
        let cli = plan.tasks.iter().find(|task| task.id.as_str() == "cli").unwrap();
        let needs: Vec<_> = cli.needs.iter().map(AsRef::as_ref).collect();
        assert_eq!(needs.join(" "), expected, "{need}");
    }
    let itself = read(&text("Command line"));
    assert!(itself.plan.is_none() || itself.plan.unwrap().tasks.iter().all(|task| !task.needs.contains(&task.id)));
}

#[test]
fn what_the_end_of_a_plan_rules_out_is_meant_for_all_of_it() {
    for (end, said) in [
        ("Not in this round: e-mail, persistence.", "Not in this round: e-mail, persistence."),
        ("Out of scope: e-mail.", "Out of scope: e-mail."),
        ("**Non-goals:** e-mail", "**Non-goals:** e-mail"),
        ("**Not in this release:**\n\n- e-mail\n- SMS", "**Not in this release:**\n\n- e-mail\n- SMS"),
        ("Later:\n- e-mail", "Later:\n- e-mail"),
        ("## Non-goals\n\n- e-mail", "## Non-goals\n\n- e-mail"),
        ("## Not in this iteration\n\nE-mail.", "## Not in this iteration\n\nE-mail."),
        ("## Future work\n\nE-mail.", "## Future work\n\nE-mail."),
        ("Nicht in dieser Runde: E-Mail", "Nicht in dieser Runde: E-Mail"),
    ] {
        for start in [
            "# P\n\n## Feature\n\n- Say hello\n",
            "# P\n\n## Shelves\n\n- Keep it\n\n## Docker\n\n- An image\n",
            "# P\n\n- Say hello\n- Add a test\n",
        ] {
            let plan = plan(&format!("{start}\n{end}\n"));
            assert_eq!(plan.out_of_scope, [said], "{start}");
            let notes: String = plan.tasks.iter().map(|task| task.notes.as_str()).collect();
            assert!(!format!("{notes}{}", plan.preamble).contains("mail"), "{start}{end}");
            let open = plan.items.iter().filter(|item| matches!(item.fate, Fate::Requirement { .. }));
            assert!(open.clone().all(|item| !item.text.contains("mail")), "{start}{end}");
        }
    }
}

#[test]
fn what_one_section_rules_out_holds_for_that_section() {
    let plan = plan("## Feature\n\n- Say hello\n\nOut of scope: tests.\n\n## Tests\n\n- Cover it\n");
    assert_eq!((plan.out_of_scope.len(), plan.tasks[0].notes.as_str()), (0, "Out of scope: tests."));
}

#[test]
fn a_command_waits_for_what_it_names_of_the_feature() {
    let start = "# P\n\n## Store\n\n1. `Sweep()` removes what expired\n2. Keep `x`\n\n## HTTP API\n\n- `GET /links` lists them\n";
    for (said, needs) in [
        ("- a flag that runs `Sweep` now and then", &["feature"][..]),
        ("- `links ls` prints what `GET /links` gives", &["feature-2"]),
        ("- prints what the HTTP API gives", &["feature-2"]),
        ("- prints `x` and the version", &[]),
        ("- `shorten expired` prints what nobody may follow", &["feature"]),
        ("Needs: Store\n\n- prints what the HTTP API gives", &["feature"]),
        ("Parallel with: feature\n\n- a flag that runs `Sweep`", &[]),
    ] {
        let plan = plan(&format!("{start}\n## Command line\n\n{said}\n"));
        let cli = plan.tasks.iter().find(|task| task.id.as_str() == "cli").expect("a task of the command line");
        let found: Vec<_> = cli.needs.iter().map(crate::ids::TaskId::as_str).collect();
        assert_eq!(found, needs, "{said}");
    }
}

#[test]
fn prose_among_the_work_that_says_what_has_to_hold_is_work() {
    let with = |prose: &str| {
        let text = format!(
            "# P\n\nWhat it is about: it must be quick.\n\n## Why\n\nIt must be quick.\n\n## Store\n\n- Keep links\n\n## Abuse\n\n{prose}\n\n## Tests\n\n- Cover it\n"
        );
        let plan = plan(&text);
        let made = plan.tasks.iter().flat_map(|task| &task.requirements).map(|made| made.text.clone());
        made.collect::<Vec<_>>()
    };
    for said in [
        "A `ttl` is limited to one year (a larger one is a 400).",
        "Statistics must not tell anything about visitors.",
        "Mehr als hundert Links darf niemand anlegen.",
    ] {
        assert_eq!(with(said), ["Keep links", &format!("Abuse: {said}"), "Cover it"]);
    }
    assert_eq!(with("There was some last year, and nobody liked it."), ["Keep links", "Cover it"]);
    let ours = plan("## Feature\n\n- Keep links\n\n## Abuse\n\nLinks must end.\n\n## Tests\n\n- Cover it\n");
    assert_eq!((ours.dialect, ours.tasks[1].requirements[0].text.as_str()), (Dialect::Ours, "Abuse: Links must end."));
}

#[test]
fn prose_that_asks_is_work_wherever_it_stands() {
    let made = |text: &str| -> Vec<String> {
        let plan = plan(text);
        let made = plan.tasks.iter().flat_map(|task| task.requirements.iter().map(move |made| (task, made)));
        made.map(|(task, made)| format!("{}: {}", task.subagent, made.text)).collect()
    };
    let feature = "backend-feature-implementer: ";
    for (text, expected) in [
        ("# X\n\n## Caching\n\nThe store must cache invoices.\n", "Caching: The store must cache invoices."),
        (
            "# X\n\n## Approve\n\nAs a manager, I want to approve an invoice.\n\n## Audit\n\n- A row\n",
            "Approve: As a manager, I want to approve an invoice.",
        ),
        (
            "# X\n\n## What we want\n\nWe need to let customers download invoices.\n\n## Release\n\nWe will enable it later.\n",
            "What we want: We need to let customers download invoices.",
        ),
        (
            "# X\n\n## Endpoint\n\nGET /x must return y.\n\n## Commandd\n\n`billing pdf` must do the same.\n",
            "Commandd: `billing pdf` must do the same.",
        ),
        (
            "# ADR-1\n\n## Decision\n\n1. Cache in Redis\n\n## Consequences\n\n- Costs rise\n\n## Considered options\n\n- MySQL\n",
            "Cache in Redis",
        ),
    ] {
        let made = made(text);
        assert!(made.contains(&format!("{feature}{expected}")), "{made:?}");
        assert!(!made.iter().any(|made| made.contains("Costs") || made.contains("MySQL")), "{made:?}");
    }
    assert_eq!(
        made("# X\n\n## Command\n\n`billing pdf` must do it.\n"),
        ["backend-cli-implementer: `billing pdf` must do it."]
    );
}

#[test]
fn what_is_excluded_in_other_words_is_no_work() {
    for aside in [
        "## Later / Not now\n\n- Annual plans\n",
        "- ~~Annual plans~~ moved to Q4\n",
        "- ~~Annual plans~~ dropped after review\n",
        "- ~~Annual plans~~\n",
    ] {
        let plan = plan(&format!("# X\n\n## Shelves\n\n- Keep it\n{aside}\n"));
        let open: Vec<_> = plan.tasks.iter().flat_map(|task| &task.requirements).map(|made| &made.text).collect();
        assert_eq!(open, ["Keep it"], "{aside}");
    }
    let replaced = plan("# X\n\n## Shelves\n\n- ~~Coupons~~ Vouchers\n");
    assert_eq!(replaced.tasks[0].requirements.len(), 1);
}

#[test]
fn a_row_whose_item_is_struck_out_is_no_work() {
    let text = "# X\n\n| # | Item | Owner |\n|---|---|---|\n| 1 | Keep customers | Jo |\n| 2 | ~~Portal~~ | |\n";
    let plan = plan(text);
    assert_eq!((plan.tasks.len(), plan.tasks[0].requirements.len()), (1, 1), "{:?}", plan.tasks);
}

#[test]
fn tools_at_the_beginning_of_an_item_say_whose_it_is() {
    let text = "# X\n\n- Dockerfile installs wkhtmltopdf\n- Terraform for the bucket\n- docker-compose with Postgres\n- Helm values for the key\n- Say hello\n";
    let plan = plan(text);
    let whose: Vec<_> = plan.tasks.iter().map(|task| (task.subagent.as_str(), task.requirements.len())).collect();
    let expected = [
        ("backend-deployment-agent", 2),
        ("backend-cloud-infrastructure-architect", 2),
        ("backend-feature-implementer", 1),
    ];
    assert_eq!(whose.iter().copied().collect::<std::collections::BTreeSet<_>>(), expected.into());
}

#[test]
fn what_a_command_is_called_with_is_no_path_of_the_repository() {
    let called = plan("# X\n\n- `billing approve --file ids.txt` approves many\n");
    assert_eq!((called.tasks[0].touches.len(), called.tasks[0].also_touches.len()), (0, 0));
    let named = plan("# X\n\n- Write `ids.txt`\n- `node src/shed.js queue` prints it\n");
    assert_eq!((named.tasks[0].touches.len(), named.tasks[0].also_touches.len()), (0, 0));
}

#[test]
fn a_story_is_needed_by_its_id() {
    let text =
        "# X\n\n## US-1 Request\n\n- Ask\n- Wait\n\n## US-2: Approve\n\n**Depends on:** US-1\n\n- Answer\n- Tell\n";
    assert_eq!(warnings(text), [""; 0]);
    assert_eq!(plan(text).tasks[1].needs.len(), 1);
}

#[test]
fn sections_that_are_nobodys_task_are_named() {
    let text = "# P\n\nLinks.\n\n## Overview\n\nSmall.\n\n```sh\n# no heading\n```\n\n## Feature\n\n- Say hello\n\n## Story\n\nNobody liked it.\n";
    assert_eq!(plan(text).read_by_everybody().as_deref(), Some("Overview, Story"));
    assert_eq!(plan("## Feature\n\n- Say hello\n").read_by_everybody(), None);
}

#[test]
fn an_item_that_is_ruled_out_is_no_requirement() {
    let text = "## Feature\n\n- Say hello\n- Not in this round: e-mail\n- **Out of scope:** SMS\n- ~~Shout~~\n\n## Tests\n- Cover it\n";
    let plan = plan(text);
    assert_eq!(plan.dialect, Dialect::Ours);
    let open: Vec<_> = plan.tasks.iter().flat_map(|task| &task.requirements).map(|made| made.text.as_str()).collect();
    assert_eq!(open, ["Say hello", "Cover it"]);
    assert_eq!(plan.items.iter().filter(|item| matches!(item.fate, Fate::Aside { .. })).count(), 3);
}

#[test]
fn the_yaml_form_rules_out_what_it_lists() {
    for (given, said) in [("e-mail", &["e-mail"][..]), ("[e-mail, ' ', SMS]", &["e-mail", "SMS"])] {
        let text = format!("tasks:\n  - {{ role: feature, requirements: Say hello }}\nout-of-scope: {given}\n");
        assert_eq!(plan(&text).out_of_scope, said);
    }
}

#[test]
fn what_is_imported_rules_out_the_same() {
    let again = plan(&plan(SHED).to_markdown());
    assert!(again.out_of_scope.iter().any(|said| said.contains("e-mail notifications, persistence")), "{again:?}");
}

/// The tasks with what they need and how many requirements they have, and what was told.
fn waits(text: &str) -> String {
    let reading = read(text);
    let told: Vec<_> = reading.diagnostics.iter().map(|told| format!("{}: {}", told.code, told.message)).collect();
    let plan = reading.plan.unwrap_or_else(|| panic!("{}", told.join("\n")));
    let line = |task: &crate::plan::PlannedTask| {
        let needs: Vec<_> = task.needs.iter().map(AsRef::as_ref).collect();
        format!("{} {} [{}]", task.id, task.requirements.len(), needs.join(" "))
    };
    plan.tasks.iter().map(line).chain(told).collect::<Vec<_>>().join("\n")
}

#[test]
fn what_a_heading_or_a_frame_waits_for_holds_for_all_below_it() {
    let text = "# Q\n\n## Phase 1: Storage\n### Table\n- add it\n\n## Phase 2: API\n**Depends on:** Phase 1\n### Endpoints\n- list\n\n\
                ## Phase 3: CLI (blocked by Phase 2)\n### Show\n- `quota show` command\n\n## Phase 4: Hook\nDepends on Phase 9.\n### Charge\n- charge\n";
    assert_eq!(
        waits(text),
        "feature 1 []\nfeature-2 1 [feature]\ncli 1 [feature-2]\nfeature-3 1 []\nunknown-need: there is no task `phase 9` to need"
    );
}

#[test]
fn a_list_of_dependencies_says_what_waits_for_what() {
    let text = "# Q\n\n## AP 1 – Datenmodell\n- Tabelle anlegen\n\n## AP 2 – Fachlogik\n- rechnen\n\n## AP 3 – Kommandozeile\n- zeigen\n\n\
                ## Abhängigkeiten\n- AP 2 hängt von AP 1 ab\n- AP 1 → AP 3\n- AP 7 hängt von AP 1 ab\n- redis >= 7\n- AP 1 und AP 3 teilen eine Tabelle\n";
    assert_eq!(
        waits(text),
        "data-types 1 []\nfeature 1 [data-types]\ncli 1 [data-types]\nunknown-need: there is no task `ap 7` to need\n\
         unknown-need: it is not clear what waits for what in `AP 1 und AP 3 teilen eine Tabelle`"
    );
}

#[test]
fn a_line_of_a_section_says_what_it_waits_for_in_other_words() {
    let text = "# Q\n\n## PR 1: Types\n- `T` type\n\n## PR 2: Rotation\nStacked on PR 1.\n- rotate\n\n## PR 3: CLI\n- Blocked by: PRs 1 and 2\n- show\n\n\
                ## PR 4: Hook\n**Dependencies:**\n\n- PR 2\n- redis\n\n**Steps:**\n\n- charge\n";
    assert_eq!(
        waits(text),
        "data-types 1 []\nfeature 1 [data-types]\ncli 1 [data-types feature]\nfeature-2 1 [feature]"
    );
}

#[test]
fn a_circle_is_opened_where_it_was_closed_last() {
    let text = "# Q\n\n## Task 1: Parser\n**Depends on:** Task 3\n- parse\n\n## Task 2: Matcher\n**Depends on:** Task 1\n- match\n\n\
                ## Task 3: Writer\n**Depends on:** Task 2\n- write\n";
    assert_eq!(
        waits(text),
        "feature 1 [feature-3]\nfeature-2 1 [feature]\nfeature-3 1 []\n\
         cycle: `feature-3` cannot wait for `feature-2`, which waits for `feature-3` already"
    );
}

#[test]
fn items_wait_for_each_other_by_the_numbers_of_their_list() {
    let text = "# Q\n\n## A\n1. Parse the file\n2. `import status` command (needs 1)\n3. Wait (after 2 seconds)\n\n## B\n1. Store rows, after step 9\n";
    assert_eq!(
        waits(text),
        "feature 2 []\ncli 1 [feature]\nfeature-2 1 []\nunknown-need: there is no task `step 9` to need"
    );
}

#[test]
fn a_task_that_begins_before_an_item_does_not_wait_for_it_as_a_whole() {
    let text = "# Q\n\n## A\n1. Write the script\n2. Write unit tests\n3. Update the guide (after 1, 2)\n";
    assert_eq!(
        waits(text),
        "feature 2 []\ntests 1 []\ncycle: this item waits for one of another task, and its own task begins before that"
    );
}

#[test]
fn commands_that_only_check_are_run_and_not_written() {
    let text = "# Q\n\n## Changes\n- add `src/a.py`\n\n**Verify with:** `ruff check src`\n\n## Test plan\n- [ ] `pytest tests/api -q`\n- [ ] old files stay\n\n\
                ## Nicht Bestandteil\n- PDF\n\n## Reports (later)\n- monthly\n\n## Hook\nNot part of this iteration.\n\n- charge\n";
    let plan = plan(text);
    let commands: Vec<_> = plan.verification.iter().map(|command| command.argv.join(" ")).collect();
    assert_eq!(commands, ["ruff check src", "pytest tests/api -q"]);
    let texts: Vec<_> = plan.tasks.iter().flat_map(|task| &task.requirements).map(|made| made.text.as_str()).collect();
    assert_eq!(texts, ["add `src/a.py`", "old files stay"]);
    assert_eq!(plan.out_of_scope.len(), 3, "{:?}", plan.out_of_scope);
}

#[test]
fn the_address_of_a_file_on_a_machine_says_whose_it_is() {
    let text = "# Q\n\n## Proposed Changes\n\n#### [MODIFY] [values.yaml](file:///home/me/billing/deploy/values.yaml)\n\n- a replica\n";
    let tasks: Vec<_> = plan(text).tasks.iter().map(|task| format!("{} {}", task.id, task.touches.join(" "))).collect();
    assert_eq!(tasks, ["deployment **/deploy/values.yaml"]);
}

#[test]
fn what_asks_without_a_path_has_a_say_beside_what_names_one() {
    for (text, expected) in [
        // The job lies nowhere in `infra`.
        ("Retention\n  - Add a daily job\n  - Add `DAYS` to `infra/main.tf`\n", "feature 1 [] +[] needs []"),
        ("Export\n  - add `GET /export`\n  - set the bucket in `infra/main.tf`\n", "feature 1 [] +[] needs []"),
        ("Publish\n  - write the release notes\n  - bump it in `deploy/values.yaml`\n", "feature 1 [] +[] needs []"),
        (
            "Refunds\n  - Add `POST /refunds`\n  - type in `src/types/refund.py`\n  - test in `tests/test_refund.py`\n",
            "feature 1 [] +[] needs []",
        ),
        // What only describes has none, and neither have tests.
        ("Row\n  - in `src/types/row.py`\n  - _Requirements: 1.2_\n", "data-types 1 [] +[] needs []"),
        ("Row\n  - in `src/types/row.py`\n  - frozen\n  - Write unit tests\n", "data-types 1 [] +[] needs []"),
        ("Define `Row` in `src/types/row.py`\n  - Add an id\n", "data-types 1 [] +[] needs []"),
        (
            "Bucket\n  - Storage\n    - Add it to `infra/a.tf`\n    - Tag it in `infra/b.tf`\n",
            "infrastructure 1 [] +[] needs []",
        ),
    ] {
        let plan = plan(&format!("# X\n\n## Work\n\n- [ ] {text}"));
        assert_eq!(tasks(&plan).join("; "), expected, "{text}");
    }
}

#[test]
fn every_part_of_a_range_is_waited_for() {
    let steps = "# X\n\n## Step 1: Store\n\n- a store\n\n## Step 2: Routes\n\n- a route\n\n## Step 3: Join\n\n";
    for waits in ["**Depends on:** Steps 1-2", "Depends on: Steps 1 and 2", "Depends on steps 1–2."] {
        let text = format!("{steps}{waits}\n\n- both\n");
        assert_eq!(tasks(&plan(&text))[2], "feature-3 1 [] +[] needs [feature feature-2]", "{waits}");
        assert!(read(&text).diagnostics.iter().all(|told| told.code != "unknown-need"), "{waits}");
    }
    let items = "# X\n\n## Work\n\n1. Define the `Row` type\n2. Provision the bucket\n3. Join (depends on steps 1-2)\n";
    assert_eq!(tasks(&plan(items))[2], "feature 1 [] +[] needs [data-types infrastructure]");
}

#[test]
fn what_checks_the_work_is_a_command_wherever_it_stands() {
    let frame = "# X\n\n## Parser\n\n- parse it\n- store it\n\n";
    for (text, expected) in [
        ("To verify, run:\n\n```sh\npytest -q\n```\n", "tests pytest -q | "),
        ("**How to verify:**\n\n```\n$ pytest -q\n3 passed\n```\n", "tests pytest -q | "),
        ("How do I know it works?\n\n```bash\n./start.sh\nmake test\n```\n", "tests make test | "),
        ("Run `make test` before you push.\n", "tests make test | "),
        ("## 5. Validation\n\n- [ ] 5.2 `pytest -q tests/invoices`\n", "validation pytest -q tests/invoices | "),
        ("**Verify:** `python cli.py list --all`\n", " | `python cli.py list --all`"),
        // What only says how something is begun, or what is run by somebody else, is none.
        ("To start it, run:\n\n```sh\nmake build\n```\n", " | "),
        ("Run `make build` and copy the result.\n", " | "),
        ("To verify, run:\n\nsomething\n\n```sh\npytest -q\n```\n", " | "),
    ] {
        let plan = plan(&format!("{frame}{text}"));
        let commands: Vec<_> =
            plan.verification.iter().map(|made| format!("{} {}", made.gate.name(), made.argv.join(" "))).collect();
        let by_hand: Vec<_> = plan
            .tasks
            .iter()
            .filter(|task| task.id.as_ref() == "validation")
            .flat_map(|task| task.requirements.iter().map(|made| made.text.clone()))
            .collect();
        assert_eq!(format!("{} | {}", commands.join("; "), by_hand.join("; ")), expected, "{text}");
    }
}

/// What became of every item: what it says, and whose it is or why it is no work.
fn fates(text: &str) -> Vec<String> {
    let plan = plan(text);
    let whose = |task: &crate::ids::TaskId| {
        plan.tasks
            .iter()
            .find(|known| known.id == *task)
            .map(|task| task.subagent.as_str().to_owned())
            .unwrap_or_default()
    };
    let shown = |item: &crate::plan::PlanItem| match &item.fate {
        Fate::Requirement { task, .. } => format!("{}: {}", whose(task), item.text),
        fate => format!("{fate:?}: {}", item.text).split(": ").last().unwrap_or_default().to_owned(),
    };
    plan.items.iter().filter(|item| matches!(item.fate, Fate::Requirement { .. })).map(shown).collect()
}

#[test]
fn a_tick_that_decorates_a_heading_closes_nothing() {
    let text = "# P\n\n## 🧩 Step 1: Add the store\n\n- a store\n\n## ✅ Step 2: Add the endpoint\n\n- an endpoint\n";
    assert_eq!(fates(text).len(), 2);
    let states = "# P\n\n## ✅ Step 1: Add the store\n\n- a store\n\n## ⏳ Step 2: Add the endpoint\n\n- an endpoint\n";
    assert_eq!(fates(states).len(), 1);
}

#[test]
fn what_asks_beside_a_list_is_work_as_well() {
    let labels = "# P\n\n## Work\n\n**Infrastructure.** One more scheduled task in the cluster.\n\n**Testing.** Golden-file tests \
                  of the feed.\n\n- stream the feed\n";
    let made = fates(labels);
    assert_eq!(made.len(), 3, "{made:?}");
    assert!(made.iter().any(|made| made.starts_with("backend-cloud-infrastructure-architect: ")), "{made:?}");
    assert!(made.iter().any(|made| made.starts_with("backend-unit-test-generator: ")), "{made:?}");
    let sentences =
        "# P\n\n## Work\n\nAdd the endpoint in `src/api/x.ts`.\n\nAlso:\n- log it\n\nFinally remove the old handler.\n";
    assert_eq!(fates(sentences).len(), 3);
    // What leads a list says nothing that the list does not, and what explains asks for nothing.
    let lead = "# P\n\n## Work\n\nAdd the endpoints that follow.\n\n- a\n- b\n\n**Note:** the store is slow.\n\n**Why two?** Add is cheap.\n";
    assert_eq!(fates(lead).len(), 2);
}

#[test]
fn steps_that_a_letter_and_a_number_count_have_their_details_below_them() {
    let text = "# P\n\n## Workstream A: Feature\n\n**A1. Store.** Create `plans`.\n   - a unique key\n   - *Estimate: 1 d*\n\n\
                **A2. Types.** Add `Plan`.\n   - Estimate: 1 d\n   - Depends on: A1\n\n## Workstream B: CLI\n\nBlocked until \
                Workstream A is merged.\n\n**B1. Commands**\n   - `list`\n   - Estimate: 2 h\n   - Owner: tom\n";
    let plan = plan(text);
    let made: Vec<_> = plan.tasks.iter().flat_map(|task| &task.requirements).map(|made| made.text.as_str()).collect();
    assert_eq!(made.len(), 3, "{made:?}");
    assert!(plan.tasks[0].requirements[0].detail.contains("unique key"));
    let last = plan.tasks.last().expect("tasks");
    assert_eq!(
        last.needs.iter().map(AsRef::as_ref).collect::<Vec<&str>>(),
        [plan.tasks[0].id.as_ref() as &str],
        "{plan:?}"
    );
}

#[test]
fn what_is_no_work_by_its_words_is_left_aside() {
    let text = "# P\n\n## Feature\n\n- an endpoint\n\n## What we are deliberately not building\n\n- Tax\n\n## Decisions still to be \
                made\n\n- Grace period: 3 or 7 days?\n\n## Changelog of this plan\n\n- r4: split it\n";
    assert_eq!(fates(text).len(), 1);
}

#[test]
fn a_row_that_sums_is_no_work_and_after_is_a_need() {
    let text = "# P\n\n| ID | What | After | Est |\n|--|--|--|--|\n| 1 | Terraform bucket | 2 | 1d |\n| 2 | Endpoint for uploads | – | 1d |\n\
                | **Σ** | | | 2d |\n";
    let plan = plan(text);
    assert_eq!(plan.tasks.iter().map(|task| task.requirements.len()).sum::<usize>(), 2);
    let bucket = plan.tasks.iter().find(|task| task.requirements[0].text.contains("bucket")).expect("a task");
    assert_eq!(bucket.needs.len(), 1, "{plan:?}");
}

#[test]
fn numbers_of_a_list_stand_against_our_phases() {
    let text = "# P\n\n## Ship it\n\n1. Add a Deployment to `k8s/worker.yaml`\n2. Remove the inline delivery from `src/orders.ts`\n";
    let plan = plan(text);
    let feature =
        plan.tasks.iter().find(|task| task.subagent.as_str() == "backend-feature-implementer").expect("a task");
    assert_eq!(feature.needs.len(), 1, "{plan:?}");
}

#[test]
fn what_is_behind_a_deployment_needs_no_review_before_it() {
    let text = "# P\n\n## Tests\n\n- Unit tests of the worker\n\n## Ship it\n\n1. Add a Deployment to `k8s/worker.yaml`\n2. Remove the \
                inline delivery from `src/orders.ts`\n";
    let plan = plan(text);
    let deployment =
        plan.tasks.iter().find(|task| task.subagent.as_str() == "backend-deployment-agent").expect("a task");
    let beside: Vec<&str> = deployment.parallel_with.iter().map(AsRef::as_ref).collect();
    assert!(beside.contains(&"review") && beside.contains(&"tests"), "{plan:?}");
}

#[test]
fn details_of_an_item_are_no_work_of_their_own() {
    let text = "# P\n\n| Key | Summary | Status |\n|--|--|--|\n| AB-1 | Endpoint for orders | To Do |\n\n## AB-1 details\n\nMust answer \
                within 1s.\n\nAcceptance criteria:\n- answers 200\n";
    let plan = plan(text);
    assert_eq!(plan.tasks.iter().map(|task| task.requirements.len()).sum::<usize>(), 1, "{plan:?}");
    assert_eq!(plan.acceptance.len(), 1);
    assert!(plan.tasks[0].notes.contains("within 1s"), "{plan:?}");
}

#[test]
fn commands_that_check_are_no_command_line() {
    let text = "# P\n\n## Feature\n\n- an endpoint\n\n## Commands\n\n- `npm test` - Test\n- `npm run build` - Build\n";
    assert_eq!(fates(text).len(), 1);
}

#[test]
fn a_quoted_heading_is_none_when_the_plan_is_read_again() {
    let text =
        "# P\n\n## 1. Last week\n\n- Ana finished the pagination\n\n## Action items\n\n- Add an endpoint for exports\n";
    let plan = plan(text);
    let again = reading(&plan.to_markdown(), &Settings::default()).plan.expect("a plan");
    let count = |plan: &Plan| plan.tasks.iter().map(|task| task.requirements.len()).sum::<usize>();
    assert_eq!(count(&again), count(&plan), "{}", plan.to_markdown());
}

#[test]
fn labels_around_work_of_different_domains_are_no_items() {
    for (text, expected) in [
        (
            "- Epic A: returns\n  - Backend\n    - API\n      - POST /returns\n      - GET /returns\n    - Notes\n      - four states\n  - Ops\n    - Terraform\n      - bucket\n",
            "feature: Epic A: returns: Backend: API: POST /returns; Epic A: returns: Backend: API: GET /returns | \
             infrastructure: Epic A: returns: Ops: Terraform: bucket",
        ),
        (
            "- Labels\n  - Carrier client\n    - DHL first\n      - create one\n    - UPS\n      - (phase 2, not now)\n  - Tests\n    - cancel it\n",
            "feature: Labels: Carrier client: DHL first: create one | tests: Labels: Tests: cancel it",
        ),
        (
            "- Epic B\n  - unit tests\n    - refuse it\n- Count\n",
            "feature: Count | tests: Epic B: unit tests: refuse it",
        ),
        // A sentence with lines of its own domain, and a domain with nothing but its own work, stay what they are.
        ("- Returns endpoint\n  - answers 404\n  - Tests\n", "feature: Returns endpoint"),
        ("- Add returns\n  - Backend\n    - POST\n  - Tests\n    - cover it\n", "feature: Add returns"),
        ("- Backend:\n  - POST\n  - GET\n", "feature: Backend:"),
        (
            "- [ ] Set up storage\n  - Create the bucket in Terraform\n  - Add `BUCKET` to the settings\n",
            "feature: Set up storage: Add `BUCKET` to the settings | infrastructure: Set up storage: Create the bucket in Terraform",
        ),
    ] {
        let plan = plan(&format!("# X\n\n## Work\n\n{text}"));
        let mut shown: Vec<String> = Vec::new();
        for task in &plan.tasks {
            let items: Vec<&str> = task.requirements.iter().map(|made| made.text.as_str()).collect();
            shown.push(format!("{}: {}", task.id, items.join("; ")));
        }
        shown.sort();
        assert_eq!(shown.join(" | "), expected, "{text}");
    }
}

#[test]
fn who_only_looks_is_given_nothing_to_write() {
    let plan = plan(
        "# X\n\n## Work\n\n- Send it\n- Keep it\n\n## Verification\n\n- Unit tests for drift\n- Unit tests pass\n- Log in by hand\n- Create an order and look at it\n- Write a load test script\n",
    );
    let of = |id: &str| -> Vec<&str> {
        let task = plan.tasks.iter().find(|task| task.id.as_str() == id).unwrap();
        task.requirements.iter().map(|made| made.text.as_str()).collect()
    };
    assert_eq!(of("tests"), ["Unit tests for drift"]);
    assert_eq!(of("validation"), ["Unit tests pass", "Log in by hand", "Create an order and look at it"]);
    assert!(
        of("feature").contains(&"Write a load test script") || of("feature-2").contains(&"Write a load test script")
    );
}

#[test]
fn what_a_subagent_may_not_do_where_the_words_ask_for_it_is_said() {
    let told = |text: &str| read(text).diagnostics.iter().filter(|told| told.code == "place-of-another").count();
    assert_eq!(told("## Feature\n\n- Add Redis to terraform\n- Say hello\n"), 1);
    assert_eq!(told("## Infrastructure\n\n- Add Redis to terraform\n"), 0);
    assert_eq!(told("## Feature\n\nTouches: `infra/**`\n\n- Add Redis to terraform\n"), 0);
    assert_eq!(told("## Feature\n\n- Publish to SNS\n- Parse the terraform state\n"), 0);
}

#[test]
fn a_row_is_whose_its_words_say_and_not_whose_its_check_is() {
    let plan = plan(
        "# X\n\n| ID | What | How we check |\n|--|--|--|\n| 1 | Earn points | `npx vitest run tests/unit/earn.test.ts` |\n| 2 | Burn points | `pytest tests/test_burn.py` |\n",
    );
    assert_eq!(tasks(&plan), ["feature 2 [] +[] needs []"]);
}

#[test]
fn a_domain_stands_behind_any_count_and_any_mark() {
    for heading in [
        "Workstream D — Infrastructure (owner: platform, 1 d)",
        "Team Platform: Infrastructure",
        "Ops / Infra",
        "Track II | Infrastructure",
        "Stream B - Infrastructure",
        "Billing infrastructure",
    ] {
        let plan = plan(&format!("# X\n\n## Work\n\n- Send it\n- Keep it\n\n## {heading}\n\n- Secrets\n- A queue\n"));
        assert_eq!(tasks(&plan)[1], "infrastructure 2 [] +[] needs []", "{heading}");
    }
    for heading in ["Order form: validation", "Current infrastructure costs", "Option A: CLI", "Unit prices"] {
        let plan =
            plan(&format!("# X\n\n## Work\n\n- Send it\n- Keep it\n\n## {heading}\n\n- Add a name\n- Add a note\n"));
        assert!(tasks(&plan).iter().all(|task| task.starts_with("feature")), "{heading}");
    }
}
