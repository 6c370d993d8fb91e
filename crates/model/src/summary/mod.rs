//! The Implementation Summary: what a run came to, for people. Every page is a pure function of the hand-off.
//!
//! [`render`] gives the summary as Markdown, [`html::report`] the same as one page to
//! open in a browser, and [`mermaid`] the pictures. In all of them what the coordinator knows itself comes first, and
//! what a subagent said about its own work is marked as that subagent's words.

mod appendix;
mod causes;
mod closing;
mod coordination;
mod critical;
pub(crate) mod entry;
#[cfg(test)]
pub(crate) mod fixture;
mod gates;
mod graph;
pub mod html;
mod index;
mod items;
pub mod mermaid;
mod next;
mod opening;
mod sections;
#[cfg(test)]
mod tests;
pub(crate) mod wording;

pub use closing::{Whereabouts, closing};
pub use next::RESULT_BRANCH;

use crate::handoff::Handoff;
use entry::Detail;
use index::RunIndex;

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
    opening::render(&mut page, index, detail);
    sections::render(&mut page, index, detail);
    coordination::render(&mut page, index, detail);
    appendix::render(&mut page, index, detail);
    let trimmed = page.trim_end().len();
    page.truncate(trimmed);
    page.push('\n');
    page
}
