//! How the work is checked: commands of gates, criteria, and text that is neither.

use super::tests::reading;
use crate::plan::{Fate, Plan, Settings, read};

fn plan(text: &str) -> Plan {
    let reading = reading(text, &Settings::default());
    let told: Vec<_> = reading.diagnostics.iter().map(ToString::to_string).collect();
    reading.plan.unwrap_or_else(|| panic!("{text}\n{}", told.join("\n")))
}

/// The tasks, commands and criteria of a plan in a line each.
fn shown(plan: &Plan) -> String {
    let tasks = plan.tasks.iter().map(|task| {
        let made: Vec<_> = task.requirements.iter().map(|made| made.text.as_str()).collect();
        format!("{}: {}", task.id, made.join("; "))
    });
    let commands = plan.verification.iter().map(|command| format!("[{}] {}", command.gate, command.argv.join(" ")));
    let criteria = plan.acceptance.iter().map(|one| format!("= {}", one.text));
    tasks.chain(commands).chain(criteria).collect::<Vec<_>>().join("\n")
}

fn check<const N: usize>(cases: [(&str, &str); N]) {
    let mut others = Vec::new();
    for (text, expected) in cases {
        let found = shown(&plan(&format!("# P\n\n## Work\n\n- [ ] endpoint\n{text}")));
        let expected = ["feature: endpoint", expected].join("\n").trim_end().to_owned();
        if found != expected {
            others.push(format!("{text}\nis\n{found}\nnot\n{expected}\n"));
        }
    }
    assert!(others.is_empty(), "{}", others.join("\n"));
}

#[test]
fn commands_that_check_the_work_are_gates_wherever_they_are_said() {
    let both = "[tests] npm run lint\n[tests] npm test";
    check([
        ("\n## Verification\n\n- `npm run lint && npm test`\n", both),
        ("\n## Verification\n\nBefore merging, `npm run lint` and `npm test` must pass.\n", both),
        (
            "\n## Verification Commands\n\n| Step | Command | Expected |\n|--|--|--|\n| A | `npm run lint` | exit 0 |\n| B | `npm test` | all pass |\n",
            both,
        ),
        (
            "\n## Verification\n\n| Check | Run |\n|--|--|\n| Lint | `npm run lint` |\n| Unit | `npm test` |\n",
            "[review] npm run lint\n[tests] npm test",
        ),
        (
            "\n## Definition of Done\n\n- [ ] `npm run lint` and `npm test` are green\n",
            "[tests] npm run lint\n[tests] npm test\n= `npm run lint` and `npm test` are green",
        ),
        (
            "\n## Definition of Done\n\n- [ ] `npm test` no longer prints a warning about ports\n",
            "= `npm test` no longer prints a warning about ports",
        ),
        ("\nrun npm test before you push\n", "[tests] npm test"),
        ("\nTests: `npm test`\n", "[tests] npm test"),
        ("\n**Verify:** <code>npm run lint</code> and <kbd>npm test</kbd>\n", both),
        ("- [ ] `npm run lint` and `npm test` pass\n", both),
        ("\n## Testing\n\n```bash\nnpm run lint\nnpm test\n```\n", both),
        ("\n## Testing\n\nRun the following:\n\n    npm run lint\n    npm test\n", both),
        (
            "\n## Dev Notes\n\n### Testing\n\n- Vitest, in tests/unit\n- Run with `npx vitest run`\n",
            "[tests] npx vitest run",
        ),
        ("\n## How to check\n\n`npm ci && npm test` has to pass.\n", "[tests] npm ci\n[tests] npm test"),
        ("  - Verify: `npm test`\n", "[tests] npm test"),
        ("Run `npm test` to verify.\n", "[tests] npm test"),
        ("\n## Prüfung\n\nVor der Abgabe müssen `npm run lint` und `npm test` fehlerfrei durchlaufen.\n", both),
        ("\n## Vérification\n\n`npm run lint` et `npm test` doivent passer.\n", both),
        ("\n## Verificación\n\n`npm run lint` y `npm test` deben pasar.\n", both),
        ("\n## 验证\n\n`npm run lint` 和 `npm test` 必须通过。\n", both),
        ("\nOut of scope: web UI.\nTo verify: `npm run lint`, then `npm test`.\n", both),
    ]);
}

#[test]
fn what_only_speaks_of_a_command_is_no_gate() {
    check([
        ("\nRun `npm test` to verify it fails first.\n", ""),
        ("\n`npm test` passes on main today.\n", ""),
        (
            "\n## Verification\n\n```sh\nnpm test\ncurl localhost:3000\n```\n",
            "validation: Run `curl localhost:3000`\n[tests] npm test",
        ),
    ]);
}

#[test]
fn an_item_that_runs_something_for_the_work_is_work() {
    let found =
        plan("# P\n\n## Work\n\n- [ ] Run `npm run build` to generate the client\n- [ ] Add `npm test` to CI\n");
    assert_eq!(shown(&found), "feature: Run `npm run build` to generate the client\ntests: Add `npm test` to CI");
}

#[test]
fn columns_of_a_table_say_how_each_row_is_checked() {
    let plan = plan(
        "# P\n\n| ID | What | How we check | State |\n|--|--|--|--|\n| 1 | Earn points | `npx vitest run tests/earn.test.ts` | open |\n\
         | 2 | Expiry job | dry run lists the right customers | open |\n| 3 | Ledger | looks right | done |\n",
    );
    let criteria: Vec<_> = plan.acceptance.iter().map(|one| one.text.as_str()).collect();
    assert_eq!(criteria, ["Expiry job: dry run lists the right customers"]);
    assert_eq!(
        plan.verification.iter().map(|one| one.argv.join(" ")).collect::<Vec<_>>(),
        ["npx vitest run tests/earn.test.ts"]
    );
    let milestones = "# P\n\n## Milestones\n\n| # | Milestone | Exit criteria |\n|--|--|--|\n| M1 | Search endpoint | p95 < 300 ms |\n";
    assert!(shown(&self::plan(milestones)).ends_with("= Search endpoint: p95 < 300 ms"));
}

#[test]
fn a_scenario_is_one_criterion_with_its_name() {
    check([
        (
            "\n## Acceptance criteria\n\n**Scenario: partial**\n- **Given** a card\n- **When** I redeem\n- **Then** paid\n\n**Scenario: expired**\n- Given an old card\n- Then refused\n",
            "= partial: Given a card; When I redeem; Then paid\n= expired: Given an old card; Then refused",
        ),
        (
            "\n## Acceptance criteria\n\n### Scenario: partial\n\n- Given a card\n- Then paid\n\n### Other\n\n- It is fast\n",
            "= partial: Given a card; Then paid\n= It is fast",
        ),
        (
            "\n## Acceptance criteria\n\n```gherkin\nScenario: partial\n  Given a card\n  Then paid\n```\n",
            "= partial: Given a card; Then paid",
        ),
        (
            "\n## Abnahmekriterien\n\n- Angenommen eine Karte\n- Wenn ich zahle\n- Dann reicht sie\n",
            "= Angenommen eine Karte; Wenn ich zahle; Dann reicht sie",
        ),
        ("\n## Acceptance criteria\n\n| # | Criterion |\n|--|--|\n| 1 | answers in 100 ms |\n", "= answers in 100 ms"),
    ]);
}

#[test]
fn text_of_a_section_of_checks_is_left_aside_and_never_lost() {
    for heading in ["Verification", "Step 2: Verification", "Prüfung", "Vérification"] {
        let text = format!("# P\n\n## Feature\n\n- x\n\n## {heading}\n\nStart the server and look at /health.\n");
        let reading = reading(&text, &Settings::default());
        assert_eq!(
            reading.diagnostics.iter().map(|told| told.code.to_string()).collect::<Vec<_>>(),
            ["empty-verification"]
        );
        let plan = reading.plan.unwrap();
        assert!(plan.preamble.contains("look at /health"), "{}", plan.preamble);
        assert!(matches!(&plan.items.last().unwrap().fate, Fate::Aside { section, .. } if section == heading));
    }
    let beside = plan("# P\n\n## Work\n- x\n\n## Verification\n\n`npm test` must pass. Then look at /health.\n");
    assert!(beside.preamble.contains("look at /health") && beside.verification.len() == 1);
}

#[test]
fn a_section_of_checks_that_is_empty_is_refused_only_where_the_plan_is_surely_ours() {
    let told = |heading: &str| {
        let text = format!("# P\n\n## {heading}\n\n- x\n\n## Verification\n");
        reading(&text, &Settings::default()).plan.is_some()
    };
    assert!(told("Feature") && told("Work") && !told("`backend-feature-implementer`"));
}

#[test]
fn data_says_how_its_items_are_checked_in_any_usual_key() {
    let text = "steps:\n  - id: e1\n    do: Compute the tax in src/tax.ts\n    accept:\n      - 19 % in Germany\n    verify: npx vitest run tests/tax.test.ts\n  \
                - id: t1\n    do: Unit tests for the tax\n    after: [e1]\n    check: the report has no gap\n  - id: e2\n    do: Old part\n    done: true\n";
    let plan = read("plan.yaml", text.as_bytes(), &crate::roster::builtin(), &Settings::default()).plan.unwrap();
    assert_eq!(
        shown(&plan),
        "feature: Compute the tax in src/tax.ts; Old part\ntests: Unit tests for the tax\n[tests] npx vitest run tests/tax.test.ts\n\
         = Compute the tax in src/tax.ts: 19 % in Germany\n= Unit tests for the tax: the report has no gap"
    );
    let task = |id: &str| plan.tasks.iter().find(|task| task.id.as_str() == id).unwrap();
    assert_eq!(task("tests").needs.iter().map(AsRef::as_ref).collect::<Vec<&str>>(), ["feature"]);
}

#[test]
fn a_test_strategy_that_is_a_command_is_no_work() {
    let text = r#"{"tasks": [{"id": 1, "title": "Cache CLI", "status": "pending", "testStrategy": "npm test -- cli"},
        {"id": 2, "title": "Cache", "status": "pending", "testStrategy": "Unit tests with a fake clock"}]}"#;
    let plan = plan(text);
    let made: Vec<_> = plan.tasks.iter().flat_map(|task| &task.requirements).map(|made| made.text.as_str()).collect();
    assert_eq!(made, ["Cache CLI", "Cache", "Test Cache: Unit tests with a fake clock"]);
    assert_eq!(plan.verification[0].argv, ["npm", "test", "--", "cli"]);
}
