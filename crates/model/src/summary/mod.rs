//! The Implementation Summary: what a run came to, for people. Every page is a pure function of the hand-off.
//!
//! [`conclude`] judges a hand-off, [`render`] gives the summary as Markdown, [`html::report`] the same as one page to
//! open in a browser, and [`mermaid`] the pictures. In all of them what the coordinator knows itself comes first, and
//! what a subagent said about its own work is marked as that subagent's words.

mod appendix;
mod coordination;
mod criteria;
pub(crate) mod entry;
#[cfg(test)]
pub(crate) mod fixture;
pub mod html;
mod index;
pub mod mermaid;
mod sections;
mod standing;
#[cfg(test)]
mod tests;
pub(crate) mod wording;

pub use criteria::{criteria, missing, status};

use crate::{
    handoff::{Handoff, Status},
    provenance::Provenance,
    text,
};
use entry::Detail;
use index::RunIndex;

/// Fills in what a hand-off comes to: its status, what is missing, and the seven criteria.
///
/// Call it when everything else is in place. A status of [`Status::Cancelled`] that is there already stays.
pub fn conclude(handoff: &mut Handoff) {
    handoff.status = status(handoff);
    handoff.missing = missing(handoff);
    handoff.criteria = criteria(handoff);
}

/// Renders the Implementation Summary as GitHub Markdown, in full.
///
/// A hand-off of 256 tasks gives more than a comment holds: [`render_within`] is for those.
#[must_use]
pub fn render(handoff: &Handoff) -> String {
    render_at(&RunIndex::new(handoff), &Detail::FULL)
}

/// Renders the Implementation Summary with as much detail as `max_chars` characters hold.
///
/// All headings and labels are always there, so a limit below some 20,000 characters may not be kept; GitHub's limit
/// for a comment is 65,536.
#[must_use]
pub fn render_within(handoff: &Handoff, max_chars: usize) -> String {
    let index = RunIndex::new(handoff);
    let mut page = String::new();
    for detail in &Detail::LEVELS {
        page = render_at(&index, detail);
        if page.chars().count() <= max_chars {
            break;
        }
    }
    page
}

fn render_at(index: &RunIndex<'_>, detail: &Detail) -> String {
    let mut page = String::new();
    header(&mut page, index, detail);
    sections::render(&mut page, index, detail);
    coordination::render(&mut page, index, detail);
    appendix::render(&mut page, index, detail);
    let trimmed = page.trim_end().len();
    page.truncate(trimmed);
    page.push('\n');
    page
}

fn header(page: &mut String, index: &RunIndex<'_>, detail: &Detail) {
    let handoff = index.handoff;
    page.push_str(match handoff.status {
        Status::Complete => "## Backend Implementation Complete\n\n",
        Status::Incomplete | Status::Cancelled => "## Backend Implementation Incomplete\n\n",
    });
    if handoff.status == Status::Cancelled {
        page.push_str("The run was cancelled. What had finished by then is kept.\n\n");
    }
    let gates: Vec<_> = standing::standings(handoff)
        .iter()
        .map(|gate| match (gate.open(), gate.state()) {
            // The receipt says "passed", but not for this run or tree: it must not look like a pass.
            (false, crate::gate::GateState::Passed) => format!("{} not accepted", gate.gate),
            (_, state) => format!("{} {}", gate.gate, state.name()),
        })
        .collect();
    page.push_str(&format!(
        "{} of {} passed; gates: {}. Lock {}, base {} → commit {}, {}.\n\n",
        index.passed(),
        text::count(index.len(), "task"),
        gates.join(", "),
        text::code(handoff.lock.digest.short()),
        text::code(handoff.result.base.short()),
        text::code(handoff.result.commit.short()),
        wording::duration(handoff.duration_ms),
    ));
    if let Some(title) = &handoff.plan.title {
        page.push_str(&format!("Plan: {} ({}).\n\n", detail.prose(title), detail.code(&handoff.plan.source)));
    }
    provenance(page, index, detail);
    if handoff.status != Status::Complete && !handoff.missing.is_empty() {
        page.push_str("What is missing:\n\n");
        let lines: Vec<_> = handoff.missing.iter().map(|sentence| detail.prose(sentence)).collect();
        entry::list(page, "", &lines, detail);
        page.push('\n');
    }
    isolation(page, handoff);
    page.push_str("Lines with “reports” are a subagent's own words about its work; everything else the coordinator saw itself.\n\n");
    if detail.shortened {
        page.push_str("This text is shortened to fit; the hand-off and the report beside it hold everything.\n\n");
    }
}

/// Names what kept subagents and gates apart: what a verdict is worth depends on it.
fn isolation(page: &mut String, handoff: &Handoff) {
    let isolation = &handoff.isolation;
    if !isolation.level.is_wall() {
        page.push_str("**This verdict rests on trust in the subagents.** ");
    }
    page.push_str(&format!("Isolation {}: {}.\n\n", text::code(isolation.level.name()), isolation.level.meaning()));
}

/// Names source, author and digest of the plan, and who approved it.
fn provenance(page: &mut String, index: &RunIndex<'_>, detail: &Detail) {
    let Provenance { origin, approval, pull_request } = &index.handoff.provenance;
    let mut lines = Vec::new();
    if let Some(origin) = origin {
        let by = origin.author.as_ref().map(|author| format!(" by {}", detail.prose(author))).unwrap_or_default();
        lines.push(format!(
            "The plan is from {}{by}, {}.",
            detail.code(&origin.name),
            text::code(origin.digest.as_str())
        ));
    }
    if let Some(approval) = approval {
        let at = approval.at.as_ref().map(|at| format!(" at {}", detail.code(at))).unwrap_or_default();
        lines.push(format!("Approved by {}{at} ({}).", detail.prose(&approval.by), detail.prose(&approval.via)));
    }
    if let Some(pull_request) = pull_request {
        lines.push(format!(
            "Pull request {}, whose head was {}.",
            detail.code(&format!("{}#{}", pull_request.repository, pull_request.number)),
            detail.code(&text::truncate(&pull_request.head, 12))
        ));
    }
    if !lines.is_empty() {
        page.push_str(&lines.join(" "));
        page.push_str("\n\n");
    }
}
