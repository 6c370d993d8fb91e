//! What a plan would do, as a comment: before anybody approves it.

mod items;

use std::collections::BTreeSet;

use crate::{
    command,
    config::Config,
    diagnostics::Diagnostic,
    estimate::Estimate,
    gate::GateKind,
    isolation::Demand,
    lock::Lock,
    means,
    plan::Plan,
    roster::Access,
    run::{asked_for_by, gate_commands},
    schedule::{Schedule, Task},
    summary::{
        entry::{self, Detail},
        mermaid,
    },
    text, wording,
};

/// How many globs of a list are shown before the rest is only counted.
const GLOBS_SHOWN: usize = 8;

/// How many globs that belong to other subagents are shown: what they may touch stands in their own rows.
const DENIED_SHOWN: usize = 2;

/// How many protected paths are shown: the configuration's reference has all.
const PROTECTED_SHOWN: usize = 4;

/// How many problems of a plan are shown before the rest is only counted.
const PROBLEMS_SHOWN: usize = 50;

/// Where a plan was found.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// The name under which the user knows it. Untrusted text.
    pub name: &'a str,
    /// Its page.
    pub url: Option<&'a str>,
    /// Who wrote it.
    pub author: Option<&'a str>,
}

/// A plan that can run.
#[derive(Debug, Clone, Copy)]
pub struct Preview<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// What would run.
    pub schedule: &'a Schedule,
    /// What an approval approves.
    pub lock: &'a Lock,
    /// The configuration.
    pub config: &'a Config,
    /// What is worth knowing although nothing is wrong enough to stop.
    pub warnings: &'a [Diagnostic],
    /// Where the plan is.
    pub source: &'a Source<'a>,
    /// Further notes: Markdown of ours.
    pub notes: &'a [String],
    /// What earlier runs lead to expect, where there were any.
    pub estimate: Option<&'a Estimate>,
}

const HEADING: &str = "## Backend Implementation Plan\n\n";

/// Renders a plan that can run.
#[must_use]
pub fn render(preview: &Preview<'_>) -> String {
    let Preview { plan, schedule, lock, config, warnings, source, notes, .. } = preview;
    let mut page = String::from(HEADING);
    write_notes(&mut page, notes);
    if let Some(title) = &plan.title {
        page.push_str(&format!("**{}**\n\n", Detail::OPEN.sentence(&text::truncate(title, 200))));
    }
    page.push_str(&format!(
        "✋ **Waits for approval.** Somebody with write permission comments:\n\n```\n/implement {}\n```\n\n",
        lock.digest.short()
    ));
    page.push_str(&format!(
        "{}. Read as the dialect `{}` ({}), it has {}.\n\n",
        from(source),
        plan.dialect,
        plan.why_dialect(),
        text::markdown(&plan.counts().line())
    ));
    if let Some(sections) = plan.read_by_everybody() {
        page.push_str(&format!("Nobody's task, in every brief: {}\n\n", text::markdown(&sections)));
    }
    if let Some(said) = plan.not_to_be_done(200) {
        page.push_str(&format!("Not to be done: {}\n\n", text::markdown(&said)));
    }
    page.push_str(&figures(preview));
    write_gates(&mut page, plan, config);
    write_tasks(&mut page, plan, schedule, config);
    if !warnings.is_empty() {
        page.push_str(&format!("<details><summary>⚠️ {}</summary>\n\n", text::count(warnings.len(), "warning")));
        write_diagnostics(&mut page, warnings);
        page.push_str("</details>\n\n");
    }
    items::write(&mut page, plan, schedule);
    write_order(&mut page, schedule);
    page.push_str(&format!(
        "<details><summary>Graph</summary>\n\n{}\n\n</details>\n\n",
        text::fenced(&mermaid::schedule_graph(schedule), "mermaid")
    ));
    if !plan.context.is_empty() {
        let files: Vec<_> = plan.context.iter().map(|file| text::code(&text::truncate(&file.path, 120))).collect();
        page.push_str(&format!("Context of every brief: {}.\n\n", files.join(", ")));
    }
    page.push_str(&format!(
        "The lock `{}` names exactly what is shown here: plan `{}`, base {} and subagents. When one of them changes, it holds no \
         longer, and its approval is refused.\n",
        lock.digest.short(),
        plan.digest.short(),
        text::code(lock.base.short())
    ));
    page
}

/// Says what an approval sets in motion: tasks, guesses, calls, time and money.
fn figures(preview: &Preview<'_>) -> String {
    let Preview { plan, schedule, config, estimate, .. } = preview;
    let guessed = plan.tasks.iter().filter(|task| task.owner.guess().is_some()).count();
    let guessed =
        if guessed > 0 { format!("; the owner of {} is guessed", text::count(guessed, "task")) } else { String::new() };
    let planned = schedule.tasks.iter().filter(|task| task.planned).count();
    let further = match schedule.tasks.len() - planned {
        0 => String::new(),
        further => format!(" ({planned} of the plan, {further} that always run)"),
    };
    let mut said = vec![
        format!(
            "{}{further} in {}, at most {} at a time{guessed}",
            text::count(schedule.tasks.len(), "task"),
            text::count(schedule.waves.len(), "wave"),
            schedule.concurrency
        ),
        format!(
            "{} of subagents; more only for retries, and for at most {} of rework",
            text::count(schedule.tasks.len(), "call"),
            text::count(config.rework_rounds() as usize, "round")
        ),
    ];
    said.push(estimate.as_ref().map_or_else(
        || "No earlier run tells what time and cost to expect".to_owned(),
        |estimate| format!("Expected: {}", text::markdown(&estimate.line())),
    ));
    said.push(at_most(schedule, config));
    said.iter().map(|line| format!("- {line}\n")).collect::<String>() + "\n"
}

/// Says what time and money the limits leave: the most that can happen, where nobody knows what will.
fn at_most(schedule: &Schedule, config: &Config) -> String {
    let slots = schedule.concurrency.max(1) as u64;
    let of_wave = |wave: &crate::schedule::Wave| -> u64 {
        let limits = wave.tasks.iter().filter_map(|id| schedule.task(id)).map(|task| task.time_limit_s);
        let (longest, all) =
            limits.fold((0, 0_u64), |(longest, all), limit| (limit.max(longest), all.saturating_add(limit)));
        // No order of the tasks takes longer than the work of all, spread over the slots, behind the longest.
        longest.saturating_add(all.saturating_sub(longest).div_ceil(slots))
    };
    let tasks: u64 = schedule.waves.iter().map(of_wave).fold(0, u64::saturating_add);
    let seconds = config.limits.run_minutes.map_or(tasks, |minutes| minutes.saturating_mul(60).min(tasks));
    let one = config.limits.cost.map(|cost| cost.micro().saturating_mul(schedule.tasks.len() as u64));
    let whole = config.limits.run_cost.map(crate::budget::Dollars::micro);
    let money = match (one, whole) {
        (Some(one), Some(whole)) => Some(one.min(whole)),
        (one, whole) => one.or(whole),
    };
    let money = money.map_or_else(
        || "no limit on cost".to_owned(),
        |micro| format!("at most {}", text::markdown(&wording::dollars(micro))),
    );
    format!(
        "At most {} for all first attempts, by their time limits; {money}",
        wording::duration(seconds.saturating_mul(1_000))
    )
}

/// Renders a plan that cannot run, with everything that is wrong with it.
#[must_use]
pub fn render_problems(diagnostics: &[Diagnostic], source: &Source<'_>, notes: &[String]) -> String {
    let errors = diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).count();
    let mut page = String::from(HEADING);
    write_notes(&mut page, notes);
    page.push_str(&format!(
        "❌ **{} to fix before anything can run.** {}.\n\n",
        text::count(errors, "problem"),
        from(source)
    ));
    write_diagnostics(&mut page, diagnostics);
    page
}

/// Renders a pull request without a plan.
#[must_use]
pub fn render_no_plan(notes: &[String]) -> String {
    let mut page = String::from(HEADING);
    write_notes(&mut page, notes);
    page.push_str(
        "There is no plan on this pull request. It is looked for, in this order:\n\n\
         1. the file that the action's input `plan` names, at the pull request's head\n\
         2. a plan file that the pull request adds or changes: `.backend-implementer/plan.md`, or what \
         `pull-request.plan-files` of the configuration says\n\
         3. the description: a fenced block marked `backend-plan`, or a heading such as “Implementation Plan”\n\
         4. the newest comment with such a block or heading by somebody with write permission\n",
    );
    page
}

/// Says that pull requests from forks are shown and never run.
#[must_use]
pub fn fork_note() -> String {
    "This pull request comes from a fork: its plan is shown, and never run, because its code would meet this \
     repository's secrets. To run it, push the branch to this repository."
        .to_owned()
}

fn write_notes(page: &mut String, notes: &[String]) {
    page.extend(notes.iter().map(|note| format!("> {note}\n\n")));
}

fn from(source: &Source<'_>) -> String {
    let name = text::code(&text::truncate(source.name, 200));
    let name = source.url.map_or_else(|| name.clone(), |url| format!("[{name}]({})", link(url)));
    let by = source.author.map(|author| format!(", written by {}", text::markdown(author))).unwrap_or_default();
    format!("The plan is {name}{by}")
}

/// Keeps a link from ending early: what could end it is escaped as a URL has it.
fn link(url: &str) -> String {
    url.chars()
        .flat_map(|c| match c {
            '(' => "%28".chars().collect::<Vec<_>>(),
            ')' => "%29".chars().collect(),
            '<' => "%3C".chars().collect(),
            '>' => "%3E".chars().collect(),
            '\\' => "%5C".chars().collect(),
            c if c.is_whitespace() || c.is_control() => "%20".chars().collect(),
            c => vec![c],
        })
        .collect()
}

/// Says who does the work, and what they may use.
fn write_means(page: &mut String, schedule: &Schedule, config: &Config) {
    let agents = means::agents(schedule, config).into_iter().map(|means::ByAgent { kind, subagents }| {
        let names: Vec<_> = subagents.iter().map(|name| text::code(name.as_str())).collect();
        let whose = if names.is_empty() { String::new() } else { format!(" ({})", names.join(", ")) };
        format!("{}{whose}", text::code(kind.as_str()))
    });
    let agents: Vec<_> = agents.collect();
    let limits = means::limits(config).map(|limits| format!(", with at most {limits}")).unwrap_or_default();
    page.push_str(&format!(
        "Done by {}{limits}; isolation `{}`. How items become tasks: {} (`granularity`).\n\n",
        agents.join(", "),
        Demand::or_default(config.isolation, true).name(),
        config.granularity.line()
    ));
}

fn write_tasks(page: &mut String, plan: &Plan, schedule: &Schedule, config: &Config) {
    let protected: BTreeSet<String> = config.protected_paths().into_iter().collect();
    let waves = schedule.wave_of();
    let guess = |task: &Task| {
        let planned = plan.tasks.iter().find(|planned| planned.id == task.id);
        let guess = planned.and_then(|planned| planned.owner.guess());
        guess.map(|guess| format!(" (guessed: {guess})")).unwrap_or_default()
    };
    let denied = schedule.exclusions_that_matter(&protected);
    let row = |task: &Task| {
        let asked = if task.planned { task.requirements.len().to_string() } else { "always runs".to_owned() };
        let may_touch = match task.access {
            Access::ReadOnly => "nothing: read-only".to_owned(),
            Access::Writes => {
                let denied = &denied[&task.id];
                let not = if denied.is_empty() {
                    String::new()
                } else {
                    format!(", but not {}", globs(denied.iter().copied(), DENIED_SHOWN))
                };
                format!("{}{not}", globs(task.scope.allow.iter(), GLOBS_SHOWN))
            }
        };
        vec![
            waves.get(&task.id).map_or_else(String::new, ToString::to_string),
            text::code(task.id.as_str()),
            format!("{}{}", text::code(task.subagent.as_str()), guess(task)),
            asked,
            may_touch,
        ]
    };
    let rows: Vec<_> = schedule.tasks.iter().map(row).collect();
    let head = ["Wave", "Task", "Subagent", "Items", "May touch"];
    entry::table(page, "", "task", &head, &rows, &Detail::OPEN);
    page.push('\n');
    write_means(page, schedule, config);
    if !schedule.not_needed.is_empty() {
        let names: Vec<_> = schedule.not_needed.iter().map(|role| format!("`{}`", role.builtin_name())).collect();
        page.push_str(&format!("Not needed by the plan: {}.\n\n", names.join(", ")));
    }
    page.push_str(&format!("No subagent may touch {}.\n\n", globs(protected.iter(), PROTECTED_SHOWN)));
}

fn globs<'a>(globs: impl Iterator<Item = &'a String>, most: usize) -> String {
    let globs: Vec<_> = globs.collect();
    let shown: Vec<_> = globs.iter().take(most).map(|glob| text::code(&text::truncate(glob, 120))).collect();
    match globs.len().saturating_sub(most) {
        0 => shown.join(" "),
        more => format!("{} and {more} more", shown.join(" ")),
    }
}

fn write_order(page: &mut String, schedule: &Schedule) {
    if schedule.serialised.is_empty() {
        return;
    }
    page.push_str("One after the other, because of their paths:\n\n");
    let lines: Vec<_> = schedule
        .serialised
        .iter()
        .map(|pair| {
            let because = Detail::OPEN.sentence(&text::truncate(&pair.because, 200));
            format!("{} before {}: {because}", text::code(pair.first.as_str()), text::code(pair.then.as_str()))
        })
        .collect();
    entry::list(page, "", &lines, &Detail::OPEN);
    page.push('\n');
}

fn write_gates(page: &mut String, plan: &Plan, config: &Config) {
    let rows = GateKind::ALL.map(|gate| {
        let mut lines: Vec<_> = gate_commands(plan, config, gate)
            .iter()
            .map(|asked| (text::truncate(&command::join(&asked.1), 300), asked_for_by(config, gate, asked)))
            .map(|(command, by)| format!("{} ({by})", text::code(&command)))
            .collect();
        if gate == GateKind::Review {
            lines.insert(0, "the reviewer, without blocking findings".to_owned());
        } else if lines.is_empty() {
            lines.push(format!(
                "⚠️ **no command: this gate cannot pass**. Add one to the plan's Verification or to `gates.{gate}`"
            ));
        }
        vec![gate.name().to_owned(), lines.join("<br>")]
    });
    entry::table(page, "", "gate", &["Gate", "Must pass on the final tree"], &rows, &Detail::OPEN);
    page.push('\n');
}

fn write_diagnostics(page: &mut String, diagnostics: &[Diagnostic]) {
    for diagnostic in diagnostics.iter().take(PROBLEMS_SHOWN) {
        page.push_str(&text::fenced(&diagnostic.to_string(), "text"));
        page.push_str("\n\n");
    }
    let more = diagnostics.len().saturating_sub(PROBLEMS_SHOWN);
    if more > 0 {
        page.push_str(&format!("… and {more} more; the log has all of them.\n\n"));
    }
}

#[cfg(test)]
mod tests {
    use pulldown_cmark::{Event, Options, Parser, Tag};

    use super::*;
    use crate::{diagnostics::Severity, ids::ObjectId, plan, roster, schedule};

    const CONFIG: &str = "gates:\n  tests:\n    commands: [cargo test]\n";

    fn previewed(text: &str, source: &Source<'_>) -> String {
        let config = Config::read("c.yml", CONFIG, &["command"]).unwrap();
        let roster = roster::load(&[], &config).roster;
        let reading = plan::read("plan.md", text.as_bytes(), &roster, &plan::Settings::new(&config));
        let plan = reading.plan.expect("a plan");
        let schedule = schedule::build(&plan, &roster, &config, &config.protected_paths(), &[]).unwrap();
        let lock = Lock::new(plan.digest.clone(), ObjectId::new("1".repeat(40)).unwrap(), roster.digest());
        render(&Preview {
            plan: &plan,
            schedule: &schedule,
            lock: &lock,
            config: &config,
            warnings: &[],
            source,
            notes: &[],
            estimate: Some(&Estimate { runs: 2, calls: 5, duration_ms: 754_000, micro_dollars: Some(3_100_000) }),
        })
    }

    #[test]
    fn a_preview_says_who_may_touch_what_and_how_to_start() {
        let source =
            Source { name: ".backend-implementer/plan.md", url: Some("https://x.invalid/a(b)"), author: Some("ada") };
        let page = previewed("# Greeting\n\n## Feature\nTouches: src/**\n- say hello\n", &source);
        insta::assert_snapshot!(page, @r#"
        ## Backend Implementation Plan

        **Greeting**

        ✋ **Waits for approval.** Somebody with write permission comments:

        ```
        /implement f4d39d25ec06
        ```

        The plan is [`.backend-implementer/plan.md`](https://x.invalid/a%28b%29), written by ada. Read as the dialect `ours` (headings name subagents or domains), it has 1 item: 1 in 1 task.

        - 4 tasks (1 of the plan, 3 that always run) in 4 waves, at most 8 at a time
        - 4 calls of subagents; more only for retries, and for at most 2 rounds of rework
        - Expected: about 5 calls, 12 min 34 s and \$3.10 (from 2 earlier runs)
        - At most 4 h 0 min for all first attempts, by their time limits; no limit on cost

        | Gate | Must pass on the final tree |
        | --- | --- |
        | tests | `cargo test` (configuration) |
        | review | the reviewer, without blocking findings |
        | validation | ⚠️ **no command: this gate cannot pass**. Add one to the plan's Verification or to `gates.validation` |

        | Wave | Task | Subagent | Items | May touch |
        | --- | --- | --- | --- | --- |
        | 1 | `feature` | `backend-feature-implementer` | 1 | `src/**`, but not `**/types/**` `**/types.*` and 44 more |
        | 2 | `tests` | `backend-unit-test-generator` | always runs | `tests/**` `**/tests/**` `test/**` `**/test/**` `**/__tests__/**` `**/__mocks__/**` `**/__snapshots__/**` `spec/**` and 31 more |
        | 3 | `review` | `backend-code-quality-reviewer` | always runs | nothing: read-only |
        | 4 | `validation` | `backend-validation-agent` | always runs | nothing: read-only |

        Done by `command`; isolation `required`. How items become tasks: a task has at most 12 open items; neighbours with 1 open item each are joined (`granularity`).

        Not needed by the plan: `backend-cloud-infrastructure-architect`, `backend-datatypes`, `backend-cli-implementer`, `backend-deployment-agent`.

        No subagent may touch `**/*.code-workspace` `**/.agents` `**/.agents/**` `**/.claude` and 85 more.

        <details><summary>feature: 1 item</summary>

        - `feature-1` say hello (line 5)

        </details>

        <details><summary>Graph</summary>

        ```mermaid
        flowchart LR
          subgraph w1["Wave 1: core"]
          direction TB
            t0["feature<br>feature-implementer"]:::planned
          end
          subgraph w2["Wave 2: quality"]
          direction TB
            t1["tests<br>unit-test-generator"]:::planned
          end
          subgraph w3["Wave 3: quality"]
          direction TB
            t2["review<br>code-quality-reviewer"]:::planned
          end
          subgraph w4["Wave 4: quality"]
          direction TB
            t3["validation<br>validation-agent"]:::planned
          end
          w1 -.-> w2
          w2 -.-> w3
          w3 -.-> w4
          classDef planned fill:#0550ae,stroke:#033d8b,color:#ffffff
        ```

        </details>

        The lock `f4d39d25ec06` names exactly what is shown here: plan `36654913a2e5`, base `1111111111` and subagents. When one of them changes, it holds no longer, and its approval is refused.
        "#);
    }

    #[test]
    fn hostile_text_is_no_structure() {
        let source = Source { name: "`</details>` # x", url: None, author: Some("@everyone [x](y)") };
        let page = previewed("# A ](x) <script> @team\n\n## Feature: # <b>\nTouches: `src/|x/**`\n- say\n", &source);
        let mut headings = 0;
        for event in Parser::new_ext(&page, Options::all()) {
            match event {
                Event::Start(Tag::Heading { .. }) => headings += 1,
                Event::Start(Tag::Link { .. } | Tag::Image { .. }) | Event::InlineHtml(_) => {
                    panic!("{event:?}\n{page}")
                }
                Event::Html(html) => assert!(html.contains("details") || html.contains("summary"), "{html}"),
                _ => {}
            }
        }
        assert_eq!(headings, 1);
        assert!(!page.contains("@team") && !page.contains("@everyone"));
    }

    #[test]
    fn problems_stand_in_fences_that_they_cannot_leave() {
        let problem = Diagnostic::new(Severity::Error, "x", "plan.md", "wrong ``` here")
            .at("```\n## evil\n", crate::diagnostics::Position { line: 2, column: 1 })
            .hint("mend it");
        let source = Source { name: "plan.md", url: None, author: None };
        let page = render_problems(&[problem], &source, &["a note".to_owned()]);
        let headings = Parser::new(&page).filter(|event| matches!(event, Event::Start(Tag::Heading { .. }))).count();
        assert_eq!(headings, 1, "{page}");
        insta::assert_snapshot!(page, @"
        ## Backend Implementation Plan

        > a note

        ❌ **1 problem to fix before anything can run.** The plan is `plan.md`.

        ````text
        plan.md:2:1: error[x]: wrong ``` here
           |
         2 | ## evil
           | ^
          hint: mend it
        ````
        ");
    }

    #[test]
    fn without_a_plan_it_says_where_plans_are_looked_for() {
        let page = render_no_plan(&[fork_note()]);
        assert!(page.contains("> This pull request comes from a fork") && page.contains("`backend-plan`"));
    }

    #[test]
    fn what_the_plan_rules_out_is_shown() {
        let source = Source { name: "plan.md", url: None, author: None };
        let page = previewed("# P\n\n## Feature\n\n- Say hello\n\nNot in this round: *e-mail*, SMS.\n", &source);
        let line = page.lines().find(|line| line.starts_with("Not to be done")).unwrap();
        assert_eq!(line, r"Not to be done: Not in this round: e-mail, SMS.");
    }
}
