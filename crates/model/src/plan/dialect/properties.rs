//! What holds for plans of every dialect: no item is lost, none is counted twice, and what is imported is the same.

use proptest::prelude::*;

use super::tests::{CASES, reading};
use crate::plan::{Dialect, Fate, Plan, Settings, blocks, inventory, source::Source};

/// An item of a generated plan.
#[derive(Debug, Clone)]
struct Item {
    done: bool,
    path: Option<&'static str>,
    detail: bool,
    /// Whether it waits for the first item of the plan.
    waits: bool,
}

fn item() -> impl Strategy<Value = Item> {
    let paths =
        vec![None, None, Some("src/a/one.py"), Some("infra/x.tf"), Some("src/types/t.ts"), Some("tests/test_a.py")];
    (prop::bool::weighted(0.3), prop::sample::select(paths), any::<bool>(), prop::bool::weighted(0.2))
        .prop_map(|(done, path, detail, waits)| Item { done, path, detail, waits })
}

/// Sections with items; one item at least is open.
fn sections() -> impl Strategy<Value = Vec<Vec<Item>>> {
    prop::collection::vec(prop::collection::vec(item(), 1..6), 1..5).prop_map(|mut sections| {
        sections[0][0].done = false;
        sections
    })
}

/// The word by which an item is known wherever it ends.
fn word(section: usize, item: usize) -> String {
    format!("zz{section}x{item}zz")
}

/// Writes sections in a dialect.
fn written(dialect: Dialect, sections: &[Vec<Item>]) -> String {
    let mut out = match dialect {
        Dialect::Taskmaster => return taskmaster(sections),
        Dialect::Data => return data(sections),
        Dialect::SpecKit => "# Tasks: Generated\n\n## Format: `[ID] [P?] [Story]`\n\n- **[P]**: parallel\n".to_owned(),
        Dialect::Kiro => "# Implementation Plan\n".to_owned(),
        Dialect::Bmad => "# Story 1.1: Generated\n\n## Story\n\nAs a user\n\n## Tasks / Subtasks\n".to_owned(),
        _ => "# Generated\n\nWords.\n".to_owned(),
    };
    let mut number = 0;
    for (at, items) in sections.iter().enumerate() {
        let section = at + 1;
        out += &match dialect {
            Dialect::SpecKit => format!("\n## Phase {section}: Part {section}\n\n"),
            Dialect::Openspec => format!("\n## {section}. Part\n\n"),
            Dialect::Superpowers => {
                format!("\n### Task {section}: Part\n\n**Files:**\n- Modify: `src/part{section}.py:1-9`\n\n")
            }
            Dialect::Kiro => format!("\n- [ ] {section}. Part\n"),
            Dialect::Bmad => format!("- [ ] Task {section}: Part (AC: #1)\n"),
            Dialect::Ours => format!("\n## Feature: Part {section}\n\n"),
            Dialect::Markdown => format!("\n### Step {section}: Part\n\n"),
            Dialect::Taskmaster | Dialect::Data => String::new(),
        };
        for (index, item) in items.iter().enumerate() {
            number += 1;
            let tick = if item.done { 'x' } else { ' ' };
            let path = item.path.map(|path| format!(" in `{path}`")).unwrap_or_default();
            let word = word(at, index);
            let (indent, lead, waits) = match dialect {
                Dialect::SpecKit => ("", format!("T{number:03} [P] "), "T001"),
                Dialect::Openspec => ("", format!("{section}.{} ", index + 1), "1.1"),
                Dialect::Kiro => ("  ", format!("{section}.{} ", index + 1), "1.1"),
                Dialect::Bmad => ("  ", String::new(), "Task 1"),
                Dialect::Superpowers => ("", format!("**Step {}:** ", index + 1), "Task 1"),
                _ => ("", String::new(), "1"),
            };
            let waits = if item.waits && number > 1 { format!(" (depends on {waits})") } else { String::new() };
            out += &format!("{indent}- [{tick}] {lead}Make {word} work{path}{waits}\n");
            if item.detail {
                out += &format!("{indent}  - a detail of it\n");
            }
        }
    }
    out
}

/// Writes sections as data of a shape that nobody has told us.
fn data(sections: &[Vec<Item>]) -> String {
    let step = |at: usize, index: usize, item: &Item| {
        let path = item.path.map(|path| format!(" in `{path}`")).unwrap_or_default();
        let state = if item.done { "completed" } else { "pending" };
        let mut step = serde_json::json!({ "content": format!("Make {} work{path}", word(at, index)), "state": state });
        if item.detail {
            step["remark"] = "a detail of it".into();
        }
        step
    };
    let phases: Vec<_> = sections
        .iter()
        .enumerate()
        .map(|(at, items)| {
            let steps: Vec<_> = items.iter().enumerate().map(|(index, item)| step(at, index, item)).collect();
            serde_json::json!({ "name": format!("Part {at}"), "steps": steps })
        })
        .collect();
    serde_json::to_string_pretty(&serde_json::json!({ "project": "Generated", "phases": phases })).unwrap()
}

fn taskmaster(sections: &[Vec<Item>]) -> String {
    let status = |done: bool| if done { "done" } else { "pending" };
    let task = |(at, items): (usize, &Vec<Item>)| {
        let subtask = |(index, item): (usize, &Item)| {
            let waits = if item.waits && index > 0 { vec![1] } else { Vec::new() };
            serde_json::json!({
                "id": index + 1, "title": format!("Make {} work", word(at, index)), "status": status(item.done),
                "description": item.path.unwrap_or_default(), "dependencies": waits, "details": "",
            })
        };
        let subtasks: Vec<_> = items.iter().enumerate().map(subtask).collect();
        let waits = if at > 0 { vec![at] } else { Vec::new() };
        serde_json::json!({ "id": at + 1, "title": "Part", "status": "pending", "dependencies": waits, "subtasks": subtasks })
    };
    let tasks: Vec<_> = sections.iter().enumerate().map(task).collect();
    serde_json::json!({ "master": { "tasks": tasks } }).to_string()
}

fn plan_of(text: &str) -> Plan {
    let reading = reading(text, &Settings::default());
    let told: Vec<_> = reading.diagnostics.iter().map(ToString::to_string).collect();
    reading.plan.unwrap_or_else(|| panic!("{text}\n{}", told.join("\n")))
}

/// What must be the same when a plan is written in another way.
fn essence(plan: &Plan) -> Vec<String> {
    let tasks = plan.tasks.iter().map(|task| {
        let made: Vec<_> = task
            .requirements
            .iter()
            .map(|made| format!("{} {} {:?} {}", made.id, made.text, made.detail, made.done))
            .collect();
        format!(
            "{} {} {:?} {:?} {:?} {:?} {made:#?}",
            task.id,
            task.subagent,
            task.title.replace('`', ""),
            task.touches,
            task.needs,
            task.parallel_with
        )
    });
    tasks.collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_item_is_lost_and_none_is_counted_twice(
        dialect in prop::sample::select(Dialect::ALL.to_vec()), sections in sections()
    ) {
        let text = written(dialect, &sections);
        let plan = plan_of(&text);
        prop_assert_eq!(plan.dialect, dialect, "{}", text);
        for (at, items) in sections.iter().enumerate() {
            for (index, item) in items.iter().enumerate() {
                let word = word(at, index);
                let fates: Vec<_> = plan.items.iter().filter(|item| item.text.contains(&word)).map(|item| &item.fate).collect();
                prop_assert_eq!(fates.len(), 1, "{} in\n{}\n{:?}", word, text, plan.items);
                prop_assert_eq!(matches!(fates[0], Fate::Done), item.done, "{}\n{}", word, text);
                let made = plan.tasks.iter().flat_map(|task| &task.requirements).filter(|made| made.text.contains(&word));
                let open = made.filter(|made| !made.done).count();
                prop_assert_eq!(open, usize::from(!item.done), "{}\n{}", word, text);
            }
        }
    }

    #[test]
    fn white_space_does_not_matter(dialect in prop::sample::select(Dialect::ALL.to_vec()), sections in sections()) {
        let text = written(dialect, &sections);
        let other = text.replace('\n', "\r\n") + "\r\n\r\n  \r\n";
        prop_assert_eq!(essence(&plan_of(&text)), essence(&plan_of(&other)), "{}", text);
    }

    #[test]
    fn what_is_imported_gives_the_same_tasks(
        dialect in prop::sample::select(Dialect::ALL.to_vec()), sections in sections()
    ) {
        let plan = plan_of(&written(dialect, &sections));
        let ours = plan.to_markdown();
        let again = plan_of(&ours);
        prop_assert_eq!(again.dialect, Dialect::Ours, "{}", ours);
        prop_assert_eq!(essence(&plan), essence(&again), "{}", ours);
    }

    #[test]
    fn a_case_that_is_mangled_is_read_or_refused_and_loses_no_box(
        case in 0..CASES.len(), edits in prop::collection::vec((0..4_usize, any::<prop::sample::Index>(), any::<prop::sample::Index>()), 1..8)
    ) {
        let mut lines: Vec<String> = CASES[case].0.lines().map(str::to_owned).collect();
        for (edit, at, other) in edits {
            if lines.is_empty() { break; }
            let (at, other) = (at.index(lines.len()), other.index(lines.len()));
            match edit {
                0 => drop(lines.remove(at)),
                1 => lines.swap(at, other),
                2 => { let line = lines[at].clone(); lines.insert(other, line); }
                _ => {
                    let cut = lines[at].char_indices().nth(lines[at].chars().count() / 2).map_or(0, |(cut, _)| cut);
                    lines[at].truncate(cut);
                }
            }
        }
        let text = lines.join("\n");
        if let Some(plan) = reading(&text, &Settings::default()).plan.filter(|plan| plan.dialect != Dialect::Taskmaster) {
            let source = Source::new("plan", &text);
            for leaf in inventory::leaves(&blocks::read(&text, 0..text.len())) {
                let line = source.position(leaf.range.start).line;
                let written = &text[leaf.range.clone()];
                if written.starts_with("- [") {
                    prop_assert!(plan.items.iter().any(|item| item.line == line), "line {} of\n{}\n{:#?}", line, text, plan.items);
                }
            }
        }
    }
}

#[test]
fn every_case_survives_its_import() {
    for (text, _) in CASES {
        let plan = plan_of(text);
        let ours = plan.to_markdown();
        let again = plan_of(&ours);
        assert_eq!(essence(&plan), essence(&again), "{ours}");
        assert_eq!(
            (&plan.verification.len(), &plan.acceptance.len()),
            (&again.verification.len(), &again.acceptance.len())
        );
        for item in &plan.items {
            let word =
                item.text.split(['`', '*', '[', ']', '_', '<', '&']).max_by_key(|part| part.len()).unwrap_or_default();
            assert!(ours.contains(word.trim()), "{} is missing in\n{ours}", item.text);
        }
    }
}

#[test]
fn a_section_with_an_id_is_one_task_however_many_items_it_has() {
    let items: String = (0..40).map(|n| format!("- change part {n}\n")).collect();
    let text = format!(
        "# Plan\n\n## Work on it {{#all}}\nTouches: src/**\n{items}\n## Polish of it {{#polish}}\nNeeds: all\n- change the rest\n"
    );
    let plan = plan_of(&text);
    let all: Vec<_> = plan.tasks.iter().filter(|task| task.id.as_str() == "all").collect();
    assert_eq!(all.iter().map(|task| task.requirements.len()).collect::<Vec<_>>(), [40], "{:#?}", plan.tasks);
}

#[test]
fn boxes_below_a_criterion_are_criteria() {
    let plan = plan_of(
        "# Plan\n\n## Feature\n- make it\n\n## Acceptance Criteria\n- [ ] Undo works\n  - [ ] for an hour\n  - on every page\n",
    );
    let criteria: Vec<_> = plan.acceptance.iter().map(|one| (one.line, one.text.as_str())).collect();
    assert_eq!(criteria, [(7, "Undo works"), (8, "for an hour"), (9, "on every page")]);
}
