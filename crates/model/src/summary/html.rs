//! The report: one self-contained HTML page with everything that people may want to see of a run.
//!
//! No script, no external resource: the page states a content security policy under which nothing else could load or
//! run. Its one style sheet is let in by a nonce made of the digest of the page's own body, which no text inside that
//! body can foretell.

mod tasks;
mod timeline;

use std::fmt::Display;

use super::{
    coordination::receipt_digest,
    index::RunIndex,
    wording::{self, Look},
};
use crate::{
    command,
    findings::Finding,
    gate::{GateState, Receipt},
    handoff::{Handoff, Status},
    ids::Digest,
    run::{Facts, standings},
    text,
};

/// The style sheet.
const STYLE: &str = include_str!("report.css");

/// Files of one patch that are listed; the hand-off has them all.
const FILES_LISTED: usize = 500;

/// Characters of one foreign text that are shown; the hand-off has them all.
const TEXT_SHOWN: usize = 4_000;

/// Renders the report.
#[must_use]
pub fn report(handoff: &Handoff) -> String {
    let index = RunIndex::new(handoff);
    let mut body = String::new();
    header(&mut body, &index);
    missing(&mut body, handoff);
    criteria(&mut body, handoff);
    timeline::timeline(&mut body, &index);
    tasks::tasks(&mut body, &index);
    gates(&mut body, &index);
    findings(&mut body, handoff);
    artifacts(&mut body, handoff);
    let nonce = Digest::of(&body);
    let nonce = nonce.hex();
    let title = headline(handoff);
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'nonce-{nonce}'; \
         base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"referrer\" content=\"no-referrer\">\n\
         <title>{title}</title>\n<style nonce=\"{nonce}\">\n{STYLE}</style>\n</head>\n<body>\n{body}</body>\n</html>\n"
    )
}

/// Escapes foreign text for element content and for attributes in double quotes alike: `&`, `<`, `>` and `"`.
fn esc(foreign: &str) -> String {
    html_escape::encode_double_quoted_attribute(&text::terminal(&text::truncate(foreign, TEXT_SHOWN))).into_owned()
}

fn code(foreign: impl Display) -> String {
    format!("<code>{}</code>", esc(&foreign.to_string()))
}

fn headline(handoff: &Handoff) -> &'static str {
    match handoff.status {
        Status::Complete => "Backend Implementation Complete",
        Status::Incomplete => "Backend Implementation Incomplete",
        Status::Cancelled => "Backend Implementation Incomplete: cancelled",
    }
}

fn badge(look: Look, said: &str) -> String {
    format!("<span class=\"badge {}\">{said}</span>", look.class())
}

fn header(out: &mut String, index: &RunIndex<'_>) {
    let handoff = index.handoff;
    let workflow = handoff.place.workflow.as_deref().map(|w| format!(", workflow {}", code(w))).unwrap_or_default();
    let cost = handoff.cost.micro_dollars.map_or("not reported".to_owned(), wording::dollars);
    let rows = [
        (
            "Plan",
            format!("{} ({})", esc(handoff.plan.title.as_deref().unwrap_or("untitled")), code(&handoff.plan.source)),
        ),
        ("Tasks", format!("{} of {} passed", index.passed(), index.len())),
        ("Lock", code(&handoff.lock.digest)),
        ("Base", code(&handoff.result.base)),
        ("Result", code(&handoff.result.commit)),
        (
            "Run",
            format!(
                "{}{workflow} on {}, begun {}",
                code(&handoff.place.run),
                code(&handoff.place.platform),
                esc(&handoff.started)
            ),
        ),
        (
            "Time",
            format!(
                "{}, subagents {}",
                wording::duration(handoff.duration_ms),
                wording::duration(handoff.cost.subagent_ms)
            ),
        ),
        ("Cost", cost),
    ];
    let look = match handoff.status {
        Status::Complete => Look::Passed,
        Status::Incomplete => Look::Failed,
        Status::Cancelled => Look::Cancelled,
    };
    out.push_str(&format!("<header class=\"{}\">\n<h1>{}</h1>\n<dl>\n", look.class(), headline(handoff)));
    for (name, value) in rows {
        out.push_str(&format!("<div><dt>{name}</dt><dd>{value}</dd></div>\n"));
    }
    out.push_str("</dl>\n</header>\n<main>\n");
}

fn missing(out: &mut String, handoff: &Handoff) {
    if handoff.missing.is_empty() {
        return;
    }
    out.push_str("<section aria-labelledby=\"missing\">\n<h2 id=\"missing\">What is missing</h2>\n<ul>\n");
    for sentence in &handoff.missing {
        out.push_str(&format!("<li>{}</li>\n", esc(sentence)));
    }
    out.push_str("</ul>\n</section>\n");
}

fn criteria(out: &mut String, handoff: &Handoff) {
    out.push_str("<section aria-labelledby=\"criteria\">\n<h2 id=\"criteria\">Success criteria</h2>\n");
    let rows = handoff.criteria.iter().map(|verdict| {
        let met = if verdict.met { badge(Look::Passed, "met") } else { badge(Look::Failed, "not met") };
        [verdict.criterion.title().to_owned(), met, esc(&verdict.evidence)]
    });
    table(out, ["Criterion", "Verdict", "Evidence"], rows);
    if !handoff.plan.acceptance.is_empty() {
        out.push_str(
            "<h3>Planner's acceptance criteria</h3>\n<p>For people to judge; the coordinator does not.</p>\n<ul>\n",
        );
        for criterion in &handoff.plan.acceptance {
            out.push_str(&format!("<li>{} (line {} of the plan)</li>\n", esc(&criterion.text), criterion.line));
        }
        out.push_str("</ul>\n");
    }
    out.push_str("</section>\n");
}

/// Writes a table. Cells are safe HTML already; the first of each row heads it.
fn table<const N: usize>(out: &mut String, head: [&str; N], rows: impl Iterator<Item = [String; N]>) {
    out.push_str("<div class=\"scroll\"><table>\n<thead><tr>");
    for name in head {
        out.push_str(&format!("<th scope=\"col\">{name}</th>"));
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for row in rows {
        out.push_str("<tr>");
        for (i, cell) in row.iter().enumerate() {
            out.push_str(&if i == 0 { format!("<th scope=\"row\">{cell}</th>") } else { format!("<td>{cell}</td>") });
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody>\n</table></div>\n");
}

fn gates(out: &mut String, index: &RunIndex<'_>) {
    out.push_str("<section aria-labelledby=\"gates\">\n<h2 id=\"gates\">Gates</h2>\n");
    for gate in standings(&Facts::from_handoff(index.handoff)) {
        let (look, said) = match (gate.open(), gate.state()) {
            (false, GateState::Passed) => (Look::Failed, "not accepted"),
            (_, state) => (Look::of_gate(state), state.name()),
        };
        out.push_str(&format!("<h3>{} {}</h3>\n", gate.gate, badge(look, said)));
        if let Some(why) = &gate.shut {
            out.push_str(&format!("<p>{}.</p>\n", esc(why)));
        }
        for receipt in gate.receipts {
            self::receipt(out, receipt);
        }
    }
    out.push_str("</section>\n");
}

fn receipt(out: &mut String, receipt: &Receipt) {
    let digest = receipt_digest(receipt).map(code).unwrap_or_default();
    out.push_str(&format!(
        "<p>{}: {}. Tree {}, receipt {digest}, {}.</p>\n",
        receipt.state.name(),
        esc(receipt.reason.trim_end_matches('.')),
        code(&receipt.tree),
        wording::duration(receipt.duration_ms)
    ));
    if let Some(verdict) = &receipt.verdict {
        let passed = if verdict.passed { "objects to nothing" } else { "objects" };
        out.push_str(&format!(
            "<p>{} {passed}: {} ({}; tree {}).</p>\n",
            code(&verdict.task),
            esc(verdict.reason.trim_end_matches('.')),
            text::count(verdict.blocking_findings, "blocking finding"),
            code(verdict.tree.short())
        ));
    }
    for command in &receipt.commands {
        let ended = match (command.exit_code, &command.trouble) {
            (Some(code), None) => format!("exit code {code}"),
            (Some(code), Some(trouble)) => format!("exit code {code}, {}", esc(trouble)),
            (None, trouble) => esc(trouble.as_deref().unwrap_or("no exit code")),
        };
        let tests = command.tests.as_ref().map(|counts| format!("; {}", wording::tests(counts))).unwrap_or_default();
        out.push_str(&format!(
            "<details>\n<summary>{} {ended}{tests}; {}</summary>\n<p>Output {}, its end:</p>\n<pre tabindex=\"0\">{}</pre>\n</details>\n",
            code(command::join(&command.argv)),
            wording::duration(command.duration_ms),
            code(&command.output_digest),
            // The end of an output is what matters and is bounded already: it is not cut again.
            html_escape::encode_double_quoted_attribute(&text::terminal(&command.output_tail)),
        ));
    }
}

fn findings(out: &mut String, handoff: &Handoff) {
    out.push_str("<section aria-labelledby=\"findings\">\n<h2 id=\"findings\">Findings</h2>\n");
    if handoff.findings.is_empty() {
        out.push_str("<p>None.</p>\n</section>\n");
        return;
    }
    let mut findings: Vec<&Finding> = handoff.findings.iter().collect();
    findings.sort_by(|a, b| (a.weight, &a.path, a.line, a.code).cmp(&(b.weight, &b.path, b.line, b.code)));
    let rows = findings.into_iter().map(|finding| {
        let place = match (&finding.path, finding.line) {
            (Some(path), Some(line)) => code(format!("{path}:{line}")),
            (Some(path), None) => code(path),
            (None, _) => "–".to_owned(),
        };
        let task = finding.task.as_ref().map_or("–".to_owned(), code);
        [finding.weight.name().to_owned(), code(finding.code.name()), place, esc(&finding.message), task]
    });
    table(out, ["Weight", "Code", "Where", "What", "Task"], rows);
    out.push_str(
        "<p>Findings with the code <code>reported</code> are the words of the task's subagent.</p>\n</section>\n",
    );
}

fn artifacts(out: &mut String, handoff: &Handoff) {
    let result = &handoff.result;
    let bundle = match (&result.bundle, &result.bundle_digest) {
        (Some(bundle), Some(digest)) => format!("{} {}", code(bundle), code(digest)),
        (Some(bundle), None) => format!("{} (no digest)", code(bundle)),
        (None, _) => "none".to_owned(),
    };
    out.push_str("<section aria-labelledby=\"artifacts\">\n<h2 id=\"artifacts\">Implementation</h2>\n");
    out.push_str(&format!("<p>Bundle: {bundle}. Ref {}, tree {}.</p>\n", code(&result.reference), code(&result.tree)));
    let rows = result.commits.iter().map(|commit| {
        [
            code(&commit.commit),
            code(&commit.task),
            commit.attempt.to_string(),
            code(commit.tree.short()),
            commit.merged.len().to_string(),
        ]
    });
    table(out, ["Commit", "Task", "Attempt", "Tree", "Merged paths"], rows);
    out.push_str(&format!("</section>\n</main>\n<footer>Written by {}.</footer>\n", esc(&handoff.generator)));
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::{run::test_support::conclude, summary::fixture};

    fn page(mut handoff: Handoff) -> String {
        conclude(&mut handoff);
        report(&handoff)
    }

    /// The names of the elements of a page, and its attributes, told by what only our own markup can hold: every `<` of
    /// a foreign text is escaped.
    fn elements(page: &str) -> BTreeSet<&str> {
        page.split('<')
            .skip(1)
            .map(|rest| {
                rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '/' && c != '!').next().unwrap_or_default()
            })
            .collect()
    }

    #[test]
    fn the_page_stands_alone_and_runs_nothing() {
        for handoff in [fixture::complete(), fixture::incomplete()] {
            let page = page(handoff);
            for forbidden in ["<script", "src=", "href=", "url(", "@import", " style=", "onload", "http://", "https://"]
            {
                assert!(!page.contains(forbidden), "{forbidden}");
            }
            assert!(page.starts_with("<!DOCTYPE html>\n<html lang=\"en\">"));
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
        assert!(
            page.contains("It answered, in place of a report") && page.contains("All done, &lt;b&gt;boss&lt;/b&gt;.")
        );
    }

    #[test]
    fn the_page_shows_what_people_look_for() {
        let page = page(fixture::incomplete());
        for shown in [
            "Backend Implementation Incomplete",
            "What is missing",
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
}
