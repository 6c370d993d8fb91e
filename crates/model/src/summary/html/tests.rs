//! The page: complete, self-contained, and unmoved by hostile text.

use std::collections::BTreeSet;

use super::*;
use crate::{run::test_support::conclude, summary::fixture};

fn page(mut handoff: Handoff) -> String {
    conclude(&mut handoff);
    let diff = "diff --git a/a b/a\n@@ -0,0 +1 @@\n+one\n";
    let diffs = handoff.tasks.iter().map(|task| (task.id.clone(), diff.to_owned())).collect();
    report(&handoff, &diffs)
}

/// The names of the elements of a page, and its attributes, told by what only our own markup can hold: every `<` of
/// a foreign text is escaped.
fn elements(page: &str) -> BTreeSet<&str> {
    page.split('<')
        .skip(1)
        .map(|rest| rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '/' && c != '!').next().unwrap_or_default())
        .collect()
}

#[test]
fn the_page_stands_alone_and_runs_nothing_but_its_own_script() {
    for handoff in [fixture::complete(), fixture::incomplete()] {
        let page = page(handoff);
        for forbidden in [" src=", "url(", "@import", " style=", "onload", "http://", "https://", "innerHTML", "eval("]
        {
            assert!(!page.contains(forbidden), "{forbidden}");
        }
        assert_eq!(page.matches("<script").count(), 1);
        // Links lead into the page, or to files beside it.
        for target in page.split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap()) {
            let beside = target.ends_with(".md") || target.ends_with(".json") || target.ends_with(".jsonl");
            let beside = beside || target.ends_with(".xml") || target.ends_with(".sarif");
            let of_task = target.starts_with("tasks/") && !target.contains("..");
            assert!(target.starts_with('#') || beside || of_task, "{target}");
        }
        assert!(page.starts_with("<!DOCTYPE html><html lang=\"en\">"));
        assert!(page.contains("default-src 'none'; style-src 'nonce-"));
    }
}

#[test]
fn the_nonce_is_that_of_the_style_sheet_and_differs_between_pages() {
    let nonce = |page: &str| page.split("nonce=\"").nth(1).unwrap()[..64].to_owned();
    let (one, other) = (page(fixture::complete()), page(fixture::incomplete()));
    assert!(one.contains(&format!("'nonce-{}'", nonce(&one))));
    assert_ne!(nonce(&one), nonce(&other));
}

#[test]
fn the_page_tells_of_an_agent_programs_session() {
    let page = page(fixture::incomplete());
    let told = "claude 2.1.329; model <code>opus</code>; turns: 7; tokens: 1000 read, 20 from a cache, 300 written; \
                $0.0123; asked for its report once more";
    assert!(page.contains(told), "{page}");
    assert!(page.contains("It answered, in place of a report") && page.contains("All done, &lt;b&gt;boss&lt;/b&gt;."));
}

#[test]
fn the_page_shows_what_people_look_for() {
    let page = page(fixture::incomplete());
    for shown in [
        "Backend Implementation Incomplete",
        "What to fix",
        "AssertionError: 404 != 200",
        "users/service.py",
        "its process ended with exit code 3",
        "40 passed, 2 failed, 0 skipped",
        "A user can change only their own address",
        "timed out",
        "ended by signal 9",
        "both added it, with different content",
    ] {
        assert!(page.contains(shown), "{shown}");
    }
}

#[test]
fn every_table_has_headers_with_a_scope() {
    let page = page(fixture::complete());
    assert_eq!(page.matches("<table>").count(), page.matches("<thead><tr><th scope=\"col\">").count());
    assert!(!page.contains("<th>"));
}

#[test]
fn hostile_text_gives_no_element() {
    let ours = {
        let mut ours = BTreeSet::new();
        let pages = [page(fixture::complete()), page(fixture::incomplete())];
        ours.extend(pages.iter().flat_map(|page| elements(page)).map(str::to_owned));
        ours
    };
    for trick in
        ["<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "</style><b>", "<!-- x", "'\"&<x y=z>"]
    {
        let page = page(fixture::hostile(trick));
        for element in elements(&page) {
            assert!(ours.contains(element), "{element} from {trick}");
        }
    }
}

#[test]
fn a_huge_patch_is_listed_in_part_and_counted_in_full() {
    let mut handoff = fixture::complete();
    let patch = handoff.tasks[0].attempts[0].patch.as_mut().unwrap();
    patch.changes = (0..30_000).map(|n| fixture::change(&format!("f{n}"), 1, 0)).collect();
    let page = page(handoff);
    assert!(page.contains("30000 files, +30000 −0"));
    assert!(page.contains("… and 29500 more in the hand-off"));
}

#[test]
fn every_item_of_the_plan_is_on_the_page_with_its_fate() {
    let mut handoff = fixture::complete();
    let task = handoff.plan.tasks[0].clone();
    let fate = crate::plan::Fate::Requirement { task: task.id.clone(), requirement: task.requirements[0].id.clone() };
    handoff.plan.items = vec![
        crate::plan::PlanItem { line: 7, text: "write <b>`it`</b>".to_owned(), fate },
        crate::plan::PlanItem { line: 9, text: "done".to_owned(), fate: crate::plan::Fate::Done },
    ];
    let page = page(handoff);
    for shown in
        ["write &lt;b&gt;<code>it</code>&lt;/b&gt;", "passed, reports it done", "ticked in the plan", "2 items"]
    {
        assert!(page.contains(shown), "{shown}");
    }
}

#[test]
fn the_critical_path_is_marked_in_both_pictures_and_told() {
    let page = page(fixture::complete());
    assert!(page.contains("class=\"node critical passed\"") && page.contains("class=\"passed critical\""), "{page}");
    assert!(
        page.contains("class=\"critical\" d=\"M")
            && page.contains("The critical path, outlined in both pictures, took")
    );
}

#[test]
fn every_task_has_brief_report_diff_log_and_receipts_beside_it() {
    let page = page(fixture::complete());
    for link in [
        "tasks/feature/brief.md",
        "tasks/feature/report.json",
        "tasks/feature/patch.diff",
        "tasks/feature/log.txt",
        "#gates",
        "#gate-tests",
    ] {
        assert!(page.contains(&format!("href=\"{link}\"")), "{link}");
    }
    assert!(page.contains("<span class=\"added\">+one\n</span>"));
    for link in page.split("href=\"#").skip(1).map(|rest| rest.split('"').next().unwrap()) {
        assert!(page.contains(&format!("id=\"{link}\"")), "{link} leads nowhere");
    }
}
