//! The cases: small plans of every dialect, with what they mean.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    config::Config,
    plan::{Counts, Dialect, Fate, Plan, Reading, Reason, Settings, read},
    roster::{self, Role, Roster},
    schedule,
};

const SPEC_KIT: &str = include_str!("../cases/spec-kit.md");
const OPENSPEC: &str = include_str!("../cases/openspec-tasks.md");
const SUPERPOWERS: &str = include_str!("../cases/superpowers.md");
const KIRO: &str = include_str!("../cases/kiro-tasks.md");
const BMAD: &str = include_str!("../cases/bmad-story.md");
const TASKMASTER: &str = include_str!("../cases/taskmaster.json");
const PLAN_MODE: &str = include_str!("../cases/plan-mode.md");
const BACKEND_PLANNER: &str = include_str!("../cases/backend-planner.md");

/// All of them, with the dialect that each is of.
pub(in crate::plan) const CASES: [(&str, Dialect); 8] = [
    (SPEC_KIT, Dialect::SpecKit),
    (OPENSPEC, Dialect::Openspec),
    (SUPERPOWERS, Dialect::Superpowers),
    (KIRO, Dialect::Kiro),
    (BMAD, Dialect::Bmad),
    (TASKMASTER, Dialect::Taskmaster),
    (PLAN_MODE, Dialect::Markdown),
    (BACKEND_PLANNER, Dialect::Markdown),
];

fn builtin() -> &'static Roster {
    static BUILTIN: std::sync::OnceLock<Roster> = std::sync::OnceLock::new();
    BUILTIN.get_or_init(|| roster::load(&[], &Config::default()).roster)
}

pub(in crate::plan) fn reading(text: &str, settings: &Settings) -> Reading {
    read("plan", text.as_bytes(), builtin(), settings)
}

fn plan(text: &str) -> Plan {
    let reading = reading(text, &Settings::default());
    let told: Vec<_> = reading.diagnostics.iter().map(ToString::to_string).collect();
    reading.plan.unwrap_or_else(|| panic!("{}", told.join("\n")))
}

/// The roles of the open items, by what identifies each: its id, or the beginning of its text.
fn roles(plan: &Plan) -> BTreeMap<String, Role> {
    let roster = builtin();
    let mut roles = BTreeMap::new();
    for task in &plan.tasks {
        let role = roster.get(&task.subagent).unwrap().role;
        for made in task.requirements.iter().filter(|made| !made.done) {
            let is_own = made.id.as_str().starts_with(|c: char| c.is_ascii_uppercase() || c.is_ascii_digit());
            let name = if is_own { made.id.to_string() } else { made.text.chars().take(16).collect() };
            assert_eq!(roles.insert(name.clone(), role), None, "{name} stands twice");
        }
    }
    roles
}

fn task_of<'p>(plan: &'p Plan, id: &str) -> &'p crate::plan::PlannedTask {
    let has = |task: &&crate::plan::PlannedTask| task.requirements.iter().any(|made| made.id.as_str() == id);
    plan.tasks.iter().find(has).unwrap_or_else(|| panic!("no task has {id}"))
}

fn counts(plan: &Plan) -> (usize, usize, usize, usize, usize) {
    let Counts { requirements, criteria, commands, done, asides, .. } = plan.counts();
    (requirements, criteria, commands, done, asides.iter().map(|(.., count)| count).sum())
}

fn asides(plan: &Plan) -> BTreeSet<(String, Reason)> {
    let aside = |item: &crate::plan::PlanItem| match &item.fate {
        Fate::Aside { reason, section } => Some((section.clone(), *reason)),
        _ => None,
    };
    plan.items.iter().filter_map(aside).collect()
}

fn expected<const N: usize>(roles: [(&str, Role); N]) -> BTreeMap<String, Role> {
    roles.into_iter().map(|(name, role)| (name.to_owned(), role)).collect()
}

#[test]
fn every_case_is_recognised_scheduled_and_accounted_for() {
    for (text, dialect) in CASES {
        let plan = plan(text);
        assert_eq!(plan.dialect, dialect, "{text}");
        let config = Config::default();
        schedule::build(&plan, builtin(), &config, &config.protected_paths(), &[]).unwrap();
        let insisted = Settings { dialect: Some(dialect), ..Settings::default() };
        let again = reading(text, &insisted).plan.unwrap();
        assert_eq!(again.tasks, plan.tasks);
        assert_ne!(again.digest, plan.digest, "read in another dialect, the same text may be another plan");
    }
}

#[test]
fn spec_kit() {
    let plan = plan(SPEC_KIT);
    assert_eq!(counts(&plan), (9, 0, 0, 1, 4));
    assert_eq!(
        roles(&plan),
        expected([
            ("T001", Role::Infrastructure),
            ("T002", Role::Infrastructure),
            ("T003", Role::DataTypes),
            ("T005", Role::Tests),
            ("T006", Role::Feature),
            ("T007", Role::Feature),
            ("T008", Role::Cli),
            ("T009", Role::Feature),
            ("T010", Role::Feature),
        ])
    );
    assert_eq!(task_of(&plan, "T001").touches, [""; 0]);
    assert_eq!(task_of(&plan, "T006").touches, [""; 0]);
    assert!(!task_of(&plan, "T002").touches.is_empty());
    assert_eq!(task_of(&plan, "T010").touches, [""; 0]);
    assert_eq!(task_of(&plan, "T006").needs, [task_of(&plan, "T003").id.clone()]);
    assert_eq!(task_of(&plan, "T002").parallel_with, [task_of(&plan, "T001").id.clone()]);
    let kept = &task_of(&plan, "T006").requirements[0];
    assert!(kept.text.starts_with("[US1] Implement"), "{}", kept.text);
    let names: BTreeSet<_> = asides(&plan).into_iter().map(|(_, reason)| reason).map(Reason::name).collect();
    assert_eq!(names, BTreeSet::from(["legend"]));
}

#[test]
fn openspec() {
    let plan = plan(OPENSPEC);
    assert_eq!(counts(&plan), (7, 0, 1, 1, 0));
    assert_eq!(
        roles(&plan),
        expected([
            ("1.1", Role::Feature),
            ("1.2", Role::Feature),
            ("1.3", Role::Tests),
            ("2.1", Role::Feature),
            ("3.1", Role::Cli),
            ("4.1", Role::Feature),
            ("5.1", Role::Validation),
        ])
    );
    assert_eq!(plan.verification[0].argv, ["pytest", "-q"]);
    assert!(task_of(&plan, "4.1").reviewed);
}

#[test]
fn superpowers() {
    let plan = plan(SUPERPOWERS);
    assert_eq!(counts(&plan), (5, 0, 0, 0, 3));
    assert_eq!(plan.tasks.len(), 2);
    assert!(roles(&plan).values().all(|role| *role == Role::Feature));
    let [first, second] = plan.tasks.as_slice() else { panic!("two tasks") };
    assert_eq!(first.touches, ["src/hooks/signer.py", "tests/hooks/test_signer.py"]);
    assert_eq!(second.touches, ["src/hooks/sender.py", "tests/hooks/test_sender.py"]);
    assert_eq!(second.needs, std::slice::from_ref(&first.id));
    assert!(first.requirements[0].detail.contains("def test_signs"));
    assert!(first.requirements[1].detail.contains("Expected: FAIL"));
    assert!(asides(&plan).contains(&("Out of scope".to_owned(), Reason::OutOfScope)));
}

#[test]
fn kiro() {
    let plan = plan(KIRO);
    assert_eq!(counts(&plan), (4, 0, 0, 1, 0));
    let roles = roles(&plan);
    let wanted = [("1", Role::Infrastructure), ("2.1", Role::DataTypes), ("2.3", Role::Tests), ("3", Role::Cli)];
    assert_eq!(roles, expected(wanted));
    let made = &task_of(&plan, "2.3").requirements[0];
    assert!(made.detail.contains("may be left out") && made.detail.contains("_Requirements: 2.2_"), "{}", made.detail);
    assert_eq!(task_of(&plan, "2.1").title, "Build the exporter");
}

#[test]
fn bmad() {
    let plan = plan(BMAD);
    assert_eq!(counts(&plan), (5, 2, 0, 0, 1));
    let tests: Vec<_> = roles(&plan).into_iter().filter(|(_, role)| *role == Role::Tests).collect();
    assert_eq!(tests, [("Unit tests of `u".to_owned(), Role::Tests)]);
    assert!(plan.tasks.iter().all(|task| task.title.contains("(AC: #1")));
    assert!(plan.preamble.contains("Balances are integers"));
}

#[test]
fn taskmaster() {
    let plan = plan(TASKMASTER);
    assert_eq!(counts(&plan), (4, 0, 0, 1, 1));
    let wanted = [("1", Role::DataTypes), ("2.2", Role::Feature), ("1.tests", Role::Tests), ("2.tests", Role::Tests)];
    assert_eq!(roles(&plan), expected(wanted));
    assert_eq!(task_of(&plan, "2.2").needs, [task_of(&plan, "1").id.clone()]);
    assert_eq!(asides(&plan), BTreeSet::from([("Provision the stream".to_owned(), Reason::Deferred)]));
}

#[test]
fn plan_mode() {
    let plan = plan(PLAN_MODE);
    assert_eq!(counts(&plan), (6, 0, 1, 0, 3));
    let roles: Vec<_> = plan.tasks.iter().map(|task| task.subagent.as_str()).collect();
    let (feature, cli, validation) = (Role::Feature, Role::Cli, Role::Validation);
    let expected: Vec<_> = [feature, feature, cli, validation].map(Role::builtin_name).into();
    assert_eq!(roles, expected);
    assert_eq!(plan.tasks[0].touches, ["src/orders/repository.py"]);
    assert_eq!(plan.tasks[2].touches, ["src/orders/cli.py"]);
    assert!(plan.preamble.contains("Callers time out") && plan.preamble.contains("Keyset pagination"));
    assert_eq!(plan.verification[0].argv, ["pytest", "tests/orders", "-q"]);
}

#[test]
fn backend_planner() {
    let plan = plan(BACKEND_PLANNER);
    assert_eq!(counts(&plan), (11, 0, 0, 0, 1));
    let of = |title: &str| {
        let task = plan.tasks.iter().find(|task| task.title.contains(title)).unwrap();
        (builtin().get(&task.subagent).unwrap().role, task.requirements.len(), task.reviewed)
    };
    assert_eq!(of("Cloud Infrastructure"), (Role::Infrastructure, 2, false));
    assert_eq!(of("Tabularium Types"), (Role::DataTypes, 1, false));
    assert_eq!(of("API Endpoints"), (Role::Feature, 2, false));
    assert_eq!(of("Testing Strategy"), (Role::Tests, 1, false));
    assert_eq!(of("Security Considerations"), (Role::Feature, 2, true));
    assert_eq!(of("Deployment Plan"), (Role::Deployment, 1, false));
    assert_eq!(asides(&plan), BTreeSet::from([("Timeline".to_owned(), Reason::Context)]));
    assert_eq!(plan.counts().line(), "12 items: 11 in 7 tasks, 1 left aside: Timeline");
}

#[test]
fn what_nobody_owns_stops_the_plan() {
    let nobody = Settings { default_role: None, ..Settings::default() };
    let refused = reading("# Plan\n\n## Something\n\n- [ ] Do it\n", &nobody);
    assert_eq!(refused.plan, None);
    assert_eq!(refused.diagnostics[0].code, "no-owner");
    assert_eq!(refused.diagnostics[0].position.unwrap().line, 5);
}

#[test]
fn a_plan_that_says_only_how_is_work() {
    let of = |text: &str| {
        let plan = plan(text);
        plan.tasks.iter().map(|task| (task.title.clone(), task.requirements.len())).collect::<Vec<_>>()
    };
    let approach =
        "# Fix the hooks\n\n## Description\n\nThey merge.\n\n## Approach\n\nReplace the loop in `a/b.py`.\n\n";
    assert_eq!(of(&format!("{approach}## Testing Plan\n\n- Old hooks go away\n"))[0], ("Approach".to_owned(), 1));
    assert_eq!(of(approach), [("Approach".to_owned(), 1)]);
    assert_eq!(of("# P\n\n## Goals\n\n- Be fast\n- Be small\n"), [("Goals".to_owned(), 2)]);
}

#[test]
fn other_languages_fall_to_structure_and_paths() {
    let text = "# 实现任务清单\n\n## 概览\n\n说明。\n\n## Task-01: 结构体更新\n\n**上下文**：\n- `src/lib.rs` - 定义\n\n\
                **子任务**：\n- [ ] 1.1 在 `src/types/doc.rs` 中添加字段\n- [x] 1.2 修改 `src/a.rs`\n\n\
                ## Task-02: 测试\n\n- [ ] 2.1 编写 `tests/doc.rs`\n";
    let plan = plan(text);
    assert_eq!(plan.dialect, Dialect::Openspec);
    assert_eq!(counts(&plan), (2, 0, 0, 1, 1));
    assert_eq!(roles(&plan), expected([("1.1", Role::DataTypes), ("2.1", Role::Tests)]));
}

#[test]
fn a_plan_of_which_nothing_is_open_says_so() {
    for text in [
        "- [x] T001 Add it in src/a.py\n- [X] T002 Add more\n",
        "# Plan\n\n## 1. A\n\n- [x] 1.1 Done\n",
        "## Feature\n\n- [x] Done\n",
        "{\"tasks\": [{\"id\": 1, \"title\": \"x\", \"status\": \"done\"}]}",
    ] {
        let refused = reading(text, &Settings::default());
        assert_eq!((refused.plan, refused.diagnostics[0].code.as_str()), (None, "nothing-open"), "{text}");
    }
}

#[test]
fn the_guide_has_an_example_of_every_dialect_that_comes_to_what_it_says() {
    let guide = include_str!("../../../../../docs/plan.md");
    for dialect in Dialect::ALL {
        let row = format!("| `{dialect}` |");
        assert!(guide.contains(&row), "{row}");
        let (_, behind) =
            guide.split_once(&format!("\n**`{dialect}`**: ")).unwrap_or_else(|| panic!("{dialect} has no example"));
        let (outcome, behind) = behind.split_once("\n\n").unwrap();
        let fence: String = behind.chars().take_while(|c| *c == '`').collect();
        let (_, text) = behind.split_once('\n').unwrap();
        let (text, _) = text.split_once(&format!("{fence}\n")).unwrap();
        let plan = plan(text);
        assert_eq!(plan.dialect, dialect, "{text}");
        assert_eq!(plan.counts().line(), outcome, "{text}");
    }
}

/// Plans of strangers in a few lines, and what each comes to. Every one was refused once, or lost something.
#[test]
fn plans_of_strangers_lose_nothing() {
    let mut others = Vec::new();
    for (text, outcome) in [
        (
            "---\nname: Cards\ntodos:\n  - id: a\n    content: Add it in src/a.py\n    status: pending\n  - content: Drop it\n    \
             status: completed\n  - content: Old\n    status: cancelled\n---\n\n# Cards\n\n## Overview\n\nWords.\n",
            "3 items: 1 in 1 task, 1 done, 1 left aside: Todos (out of scope)",
        ),
        ("# P\n\n## Tasks\n\n> - [ ] a\n> 1. b\n", "2 items: 2 in 1 task"),
        ("# P\n\n> [!NOTE]\n> - read this\n\n## Feature\n- a\n", "2 items: 1 in 1 task, 1 left aside: Introduction"),
        ("```markdown\n# P\n\n## Tasks\n- [ ] a\n- [ ] b\n```\n", "2 items: 2 in 1 task"),
        (
            "# P\n<details><summary>Phase 1</summary>\n<ul><li>a</li><li>b</li></ul>\n</details>\n",
            "2 items: 2 in 1 task",
        ),
        (
            "# P\n\n| Task | Status |\n|---|---|\n| a | ✅ |\n| b | TODO |\n| c | dropped |\n",
            "3 items: 1 in 1 task, 1 done, 1 left aside: P (out of scope)",
        ),
        ("First add paging to src/a.py. Then test it.\n", "1 item: 1 in 1 task"),
        ("# P\n\n## Add a query\n\n## Expose it\n", "2 items: 2 in 1 task"),
        ("# P\n\n• a\n• b\n", "2 items: 2 in 1 task"),
        (
            "# P\n\n## Tasks\n- [ ] a\n- Not in scope: b\n- **Later:** c\n- Scope: d\n",
            "4 items: 2 in 1 task, 2 left aside: Not in scope (out of scope), Later (deferred)",
        ),
        (
            "# P\n\n- [ ] ~~Old~~ (dropped)\n- [ ] New\n",
            "2 items: 1 in 1 task, 1 left aside: Struck out (out of scope)",
        ),
        ("# P\n\n### [x] a\n### [ ] b\n", "2 items: 1 in 1 task, 1 done"),
        ("# P\n\n## 2.1 Add it\n\nIn `src/a.py`.\n\n### 2.1.1 Errors\n\nReturn 404.\n", "2 items: 2 in 2 tasks"),
        (
            "# 计划\n\n## 实施步骤\n1. 在 `src/a.py` 中添加\n\n## 不包含\n- 前端\n\n## 验收标准\n- 20 条\n",
            "3 items: 1 in 1 task, 1 criterion, 1 left aside: 不包含 (out of scope)",
        ),
        (
            "# Plan\n\n## Pasos\n- hacerlo\n\n## Fuera de alcance\n- no\n",
            "2 items: 1 in 1 task, 1 left aside: Fuera de alcance (out of scope)",
        ),
        ("# P\n\n## Overview\n1. Add the API\n\n## Tests\n- cover\n", "2 items: 2 in 2 tasks"),
        ("[{\"title\": \"a\", \"done\": true}, {\"title\": \"b\"}]", "2 items: 1 in 1 task, 1 done"),
        (
            "# P\n\n## 1. Scan\n- **Objective**: find it\n- **Tasks**:\n    - scan\n    - sort\n",
            "3 items: 2 in 1 task, 1 left aside: Objective",
        ),
        (
            "# P\n\n- [ ] a\n- b — dropped\n- c (deferred)\n",
            "3 items: 1 in 1 task, 2 left aside: dropped (out of scope), deferred",
        ),
        // Tasks that are counted in a block of code.
        (
            "# P\n\n## List of tasks\n\n```yaml\nTask 1: Add it\n  - IN: src/a.py\n\nTask 2:\nMODIFY src/b.py\n```\n\n## Final checklist\n- [ ] green\n",
            "3 items: 2 in 1 task, 1 criterion",
        ),
        // Parts that are counted in bold, with their text behind.
        (
            "# P\n\n## Umsetzungsplan\n**Phase 1 – Kern:** Hub und\nSpeicher bauen.\n\n**Phase 2 – Tests:** alles testen.\n",
            "2 items: 2 in 2 tasks",
        ),
        ("# P\n\n## Steps\n\n**Phase 1: A** ✅\n- x\n\n**Phase 2: B** (2 days)\n- y\n", "2 items: 1 in 1 task, 1 done"),
        // A list below a label that continues with another number.
        ("# P\n\n## Plan\n\n**Now:**\n1. a\n\n**Then:**\n7. b\n10. c\n", "3 items: 3 in 1 task"),
        ("# P\n\n## Verification\n- <!-- check: x --> it exists\n\n## Feature\n- a\n", "2 items: 2 in 2 tasks"),
        // An open box asks for what stands below it beside its boxes.
        (
            "# Plan\n\n- [ ] 1. Add the route\n  - answer 404\n  - _Requirements: 1.1_\n  - [ ]* 1.1 Write unit tests\n    - _Requirements: 1.1_\n",
            "2 items: 2 in 2 tasks",
        ),
        // What leads to the work is no work, and lists of files stay lists of files below headings of their own.
        (
            "# P\n\n## Key insights\n- slow\n\n## Files to create/modify\n### Backend\n- `a/b.py` (new)\n\n## Modularity\n- depends on accounts\n\n\
             ## Implementation steps\n1. Add it\n",
            "4 items: 1 in 1 task, 3 left aside: Key insights, Files to create/modify (list of files), Modularity",
        ),
        ("# P\n\n## Rate limits\n- Add a limit\n\n## Implementation steps\n1. Add it\n", "2 items: 2 in 1 task"),
        (
            "# P\n\n## Changes\n#### [DELETE] [old.ts](file:///x/old.ts)\n#### [NEW] `b.ts`\n- add\n",
            "2 items: 2 in 2 tasks",
        ),
        ("# P\n\n## Backend tasks — complete\n1. a\n\n## Frontend tasks\n1. b\n", "2 items: 1 in 1 task, 1 done"),
        (
            "# P\n\n## Tasks\n- [ ] a\n\n## 🔗 Resources\n- Guide: https://x.y/z\n",
            "2 items: 1 in 1 task, 1 left aside: 🔗 Resources",
        ),
        (
            "# Migration work\n\n| ID | What | Status |\n|---|---|---|\n| 1 | a | ✅ Done |\n| 2 | b | open |\n",
            "2 items: 1 in 1 task, 1 done",
        ),
        ("# P\n\n## Fase 1: Tests\n- a\n\n## Fase 2: Validación\n- b\n", "2 items: 2 in 2 tasks"),
        (
            "# P\n\n## Backend\n- a\n\n## Verification\n- Run the tests:\n  ```sh\n  cd a && make test\n  pytest -q\n  ```\n",
            "3 items: 2 in 2 tasks, 1 command",
        ),
    ] {
        let found = plan(text).counts().line();
        if found != outcome {
            others.push(format!("{text}\nis {found}\nnot {outcome}\n"));
        }
    }
    assert!(others.is_empty(), "{}", others.join("\n"));
}

#[test]
fn what_a_plan_touches_is_what_it_names() {
    for (text, touches) in [
        // A name without a folder may lie in any.
        ("# P\n\n## Tasks\n**Files:** `orders.py`\n- [ ] add it\n", "**/orders.py"),
        ("# P\n\n## Tasks\n**Files:** `_includes/a.html`\n- [ ] write it\n", "_includes/a.html"),
        // Neither a document that is linked to, nor what a block of code mentions, is changed.
        ("# P\n\n## Tasks\n- [ ] add statistics, see [20](20-feed.md)\n", ""),
        ("# P\n\n## Steps\n### 1. Move the scripts\n\n```sh\nmkdir -p tools\nmv scripts/a.sh tools/\n```\n", ""),
    ] {
        let plan = plan(text);
        assert_eq!(plan.tasks[0].touches.join(" "), touches, "{text}");
    }
}

#[test]
fn items_that_name_paths_keep_their_place_among_those_that_do_not() {
    let plan = plan("# P\n\n## Steps\n1. Create the worktree\n2. Add `src/a.py`\n3. Run the migration\n");
    let lines: Vec<u32> = plan.tasks.iter().flat_map(|task| &task.requirements).map(|made| made.line).collect();
    assert_eq!(lines, [4, 5, 6]);
}

#[test]
fn an_item_may_name_its_subagent() {
    let plan = plan(
        "# P\n\n1. **backend-datatypes**: define `Page`\n2. list orders (backend-feature-implementer)\n3. @backend-cli-implementer add \
         the command\n\n## Task 1: Chart\n**Agent:** backend-deployment-agent\n- write it\n\n## Work\n\nTests:\n- cover it\n",
    );
    let roles: Vec<Role> = roles(&plan).into_values().collect();
    for role in [Role::DataTypes, Role::Feature, Role::Cli, Role::Deployment, Role::Tests] {
        assert!(roles.contains(&role), "{role:?} {roles:?}");
    }
}

#[test]
fn what_is_not_seen_reaches_no_plan() {
    let text = "# P\n\n[a]: http://x.y \"SECRET1\"\n[//]: # (SECRET2)\n\n## Feature\n\nSee [a](http://x.y 'SECRET3') <!-- SECRET4 -->\n\n\
                - say <span title=\"SECRET5\">hello</span> <!-- SECRET6\nSECRET6 -->\n- do\u{200b}\u{e0041}ne\n\n\
                ```sh SECRET7\necho\n```\n\n<div data-x=\"SECRET8\">shown</div>\n\n<!DOCTYPE SECRET9>\n\n<? SECRET0 ?>\n\n\
                ![i](p.png \"SECRET3\")\n";
    let plan = plan(text);
    let told = format!("{} {:?} {:?} {:?}", plan.preamble, plan.tasks, plan.items, plan.acceptance);
    assert!(!told.contains("SECRET"), "{told}");
    assert!(!told.contains(['\u{200b}', '\u{e0041}']) && !told.contains("\\u{"), "{told}");
    assert!(told.contains("hello") && told.contains("done") && told.contains("shown"), "{told}");
}

#[test]
fn no_work_lists_what_it_saw() {
    let reading = reading("# P\n\n## Background\n\nWords.\n\n## Out of scope\n\n- Sorting\n", &Settings::default());
    let told = reading.diagnostics.iter().map(ToString::to_string).collect::<String>();
    assert!(reading.plan.is_none() && told.contains("no-work"), "{told}");
    for section in ["`Background` (head it `Feature: Background`", "`Out of scope`"] {
        assert!(told.contains(section), "{section}\n{told}");
    }
}
