//! Our own dialect in Markdown, and Markdown of any shape.

use super::reader::{DialectReader, Input};
use crate::plan::{
    blocks::Block,
    domains::Fixed,
    headings::{Heading, Names},
    sections::Section,
    shape::{Dialect, Rules},
};

/// Ours: headings name subagents or domains, and directives say what a task touches and needs.
pub(super) struct Ours {
    /// Whether it is enough that every section with items has a name that we know.
    pub(super) by_domains: bool,
}

impl DialectReader for Ours {
    fn dialect(&self) -> Dialect {
        Dialect::Ours
    }

    /// A heading that names a subagent, or a plan in which every section with items has a name that we know. A line such as
    /// `Touches:` does not count: every dialect has them, and one must not change how all the rest is read.
    fn recognises(&self, input: &Input<'_, '_>) -> bool {
        let headings = || input.sections.iter().filter_map(|section| section.heading.as_ref().map(|h| (section, &h.2)));
        // One word near a domain's is a word of its own: only a name with a hyphen was meant for a subagent's.
        let names_subagent = |names: &Names| match names {
            Names::Subagent(_) => true,
            Names::Unknown { name, nearest: Some(_) } => name.contains('-'),
            _ => false,
        };
        if headings().any(|(_, heading)| names_subagent(&heading.names)) {
            return true;
        }
        // A noun among other words is anybody's way to write.
        let names_domain =
            |heading: &Heading| matches!(heading.names, Names::Role(..) | Names::VacantRole(_)) && !heading.by_noun;
        // Rows below a title are of anything, whatever the title is: "# Migration work".
        let is_title_of_rows = |section: &Section<'_>| {
            self.by_domains
                && section.level() == 1
                && !section.blocks.iter().any(|block| matches!(block, Block::List { .. }))
                && section.has_items()
        };
        let has_domain = headings().any(|(section, heading)| names_domain(heading) && !is_title_of_rows(section));
        let all_known = || {
            let asks = |section: &Section<'_>, heading: &Heading| {
                section.has_items() || (!section.is_bare() && (heading.is_counted || !heading.paths.is_empty()))
            };
            headings().filter(|(section, heading)| asks(section, heading)).all(|(_, heading)| {
                // What comes behind a folded part belongs to what stands around that.
                names_domain(heading)
                    || heading.title.is_empty()
                    || matches!(
                        heading.names,
                        Names::Fixed(Fixed::Verification(_) | Fixed::Acceptance | Fixed::Aside(_) | Fixed::Context)
                            | Names::Unknown { .. }
                    )
            })
        };
        // Steps above the first heading are nobody's by a domain.
        let has_free_steps = || input.sections.iter().any(|section| section.heading.is_none() && section.has_steps());
        self.by_domains && has_domain && all_known() && !has_free_steps()
    }

    fn rules(&self) -> Rules {
        Rules { guessed: self.by_domains, ..Rules::OURS }
    }
}

/// Markdown of any shape: a plan mode's, a Backend Planner's.
pub(super) struct Markdown;

impl DialectReader for Markdown {
    fn dialect(&self) -> Dialect {
        Dialect::Markdown
    }

    fn recognises(&self, _: &Input<'_, '_>) -> bool {
        true
    }

    fn rules(&self) -> Rules {
        Rules::FOREIGN
    }
}
