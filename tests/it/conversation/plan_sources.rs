//! Where the plan of a pull request is found.

use super::{ME, PLAN_FILE, page, shown_lock};
use crate::support::{
    PLAN,
    action::{NUMBER, Stage},
};

const BODY_PLAN: &str = "Greets people.\n\n```backend-plan\n# From the description\n\n## Feature\nTouches: src/**\n- say hello\n\n## CLI\nTouches: cli/**\n- greet\n\n## Verification\n- tests: `python3 -m unittest -v`\n- validation: `git --version`\n```\n";

#[test]
fn a_file_that_the_pull_request_adds_comes_before_its_description() {
    let stage = Stage::new(BODY_PLAN, &[(PLAN_FILE, PLAN)]);
    stage.happened("opened").expect(0);
    assert!(page(&stage).contains("**Greeting**"), "{}", page(&stage));
    let named =
        stage.act("pull_request", &stage.github.event_pull_request(NUMBER, "synchronize"), &[("plan", "no/such.md")]);
    named.expect(0);
    assert!(page(&stage).contains("has no file"), "{}", page(&stage));
}

#[test]
fn a_file_that_lay_there_before_is_not_the_plan() {
    let stage = Stage::new(BODY_PLAN, &[]);
    stage.push_to_base(&[(PLAN_FILE, PLAN)]);
    stage.bench.git(["rebase", "--quiet", "main"]);
    stage.push(&[]);
    stage.github.state().pulls.get_mut(&NUMBER).unwrap().base_sha = stage.bench.git(["rev-parse", "main"]);
    stage.happened("synchronize").expect(0);
    assert!(page(&stage).contains("**From the description**"), "{}", page(&stage));
}

#[test]
fn problems_in_the_description_are_shown_with_its_lines_and_the_summary_names_it() {
    let stage = Stage::new(&BODY_PLAN.replace("cli/**", "../**"), &[]);
    stage.happened("opened").expect(2);
    assert!(page(&stage).contains("the pull request's description:11:"), "{}", page(&stage));
    stage.github.state().edit_body(NUMBER, BODY_PLAN);
    stage.happened("edited").expect(0);
    let lock = shown_lock(&page(&stage));
    stage.say("grace", &format!("/implement {lock}")).expect(0);
    let page = page(&stage);
    assert!(page.contains("description") && page.contains("by grace") && page.contains("sha256:"), "{page}");
}

#[test]
fn the_newest_plan_comment_by_somebody_who_may_push_is_the_plan() {
    let stage = Stage::new("Nothing here.", &[]);
    stage.happened("opened").expect(0);
    assert!(stage.github.comments(NUMBER).is_empty(), "nothing is said where there is no plan");
    let plan = |title: &str| BODY_PLAN.replace("From the description", title);
    for (login, title) in [("ada", "Old"), ("grace", "Right"), ("eve", "Wrong"), ("planner[bot]", "Unlisted")] {
        stage.github.state().comment(NUMBER, login, &plan(title));
    }
    // Nobody's plan is in a comment of ours.
    stage.github.state().comment(NUMBER, ME, &plan("Ours"));
    stage.happened("edited").expect(0);
    assert!(page(&stage).contains("**Right**"), "{}", page(&stage));
    let config = stage.bench.git(["show", "main:.github/backend-implementer.yml"]);
    let config = format!("{config}\npull-request:\n  bots: ['planner[bot]']\n");
    stage.push_to_base(&[(".github/backend-implementer.yml", &config)]);
    stage.happened("edited").expect(0);
    assert!(page(&stage).contains("**Unlisted**"), "{}", page(&stage));
}

#[test]
fn several_plan_files_are_told_apart_by_the_input() {
    let second = PLAN.replace("# Greeting", "# Second");
    let stage = Stage::new("", &[("plans/a.md", PLAN), ("plans/b.md", &second)]);
    let config = stage.bench.git(["show", "main:.github/backend-implementer.yml"]);
    let config = format!("{config}\npull-request:\n  plan-files: ['plans/*.md']\n");
    stage.push_to_base(&[(".github/backend-implementer.yml", &config)]);
    stage.happened("synchronize").expect(0);
    assert!(page(&stage).contains("plans/a.md, plans/b.md"), "{}", page(&stage));
    let event = stage.github.event_pull_request(NUMBER, "synchronize");
    stage.act("pull_request", &event, &[("plan", "plans/b.md")]).expect(0);
    assert!(page(&stage).contains("**Second**"), "{}", page(&stage));
}

#[test]
fn a_plan_behind_three_thousand_files_is_found() {
    let stage = Stage::new("", &[]);
    let config = stage.bench.git(["show", "main:.github/backend-implementer.yml"]);
    let config = format!("{config}\npull-request:\n  plan-files: ['zz/*.md']\n");
    stage.push_to_base(&[(".github/backend-implementer.yml", &config)]);
    for number in 0..3_000 {
        stage.bench.write(&format!("many/{number}.txt"), "x\n");
    }
    stage.push(&[("zz/plan.md", PLAN)]);
    stage.happened("synchronize").expect(0);
    assert!(page(&stage).contains("**Greeting**"), "{}", page(&stage));
}

#[test]
fn what_a_pull_request_says_about_its_own_rules_does_not_count() {
    let evil = "agent:\n  kind: command\n  command: [sh, -c, 'touch /tmp/never']\n";
    let stage = Stage::new("", &[(PLAN_FILE, PLAN), (".github/backend-implementer.yml", evil)]);
    stage.happened("opened").expect(0);
    let lock = shown_lock(&page(&stage));
    stage.say("ada", &format!("/implement {lock}")).expect(0);
}
