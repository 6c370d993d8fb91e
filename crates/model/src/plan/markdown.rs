//! The Markdown form of a plan: sections under headings become tasks, commands and criteria.

use std::ops::Range;

use crate::{
    diagnostics::Position,
    gate::GateKind,
    plan::{
        AcceptanceCriterion,
        blocks::{Block, Document},
        domains::{self, Fixed},
        draft::{Draft, TaskDraft, Who, Word},
        headings::{Heading, Names},
        items,
        sections::{Section, sections, title},
        source::{Problems, Source},
        tasks::{self, Body},
        verification,
    },
    roster::{Role, Roster},
    text,
};

/// Reads the Markdown form.
pub(super) fn read<'s>(
    document: &Document,
    roster: &Roster,
    source: &Source<'s>,
    problems: &mut Problems<'s>,
) -> Draft {
    let sections = sections(document, roster);
    let title = title(&sections);
    let mut reader = Reader {
        roster,
        source,
        comments: &document.comments,
        problems,
        draft: Draft::default(),
        preamble: Vec::new(),
        bare_headings: Vec::new(),
        owners: Vec::new(),
        commands_seen: Vec::new(),
    };
    for (index, section) in sections.iter().enumerate() {
        if title == Some(index) {
            reader.draft.title = section.line().map(|line| line.text.clone()).filter(|title| !title.is_empty());
            reader.free(section, false);
        } else {
            reader.section(section, &sections[index + 1..]);
        }
    }
    for (at, seen) in reader.commands_seen {
        if seen == 0 {
            reader.problems.error(
                "empty-verification",
                at,
                "this verification section has no command",
                "list commands as items, `- tests: cargo test`, or in a `sh` code block; or leave the section out",
            );
        }
    }
    reader.draft.preamble = reader.preamble.join("\n\n");
    reader.draft
}

/// What the sections below a heading belong to.
#[derive(Debug, Clone)]
enum Owner {
    /// A task, by its index, and its subagent.
    Task { index: usize, who: Option<Who> },
    /// Commands of a gate, and the index of their count.
    Verification { gate: GateKind, count: usize },
    /// Criteria, and the task that they were written under.
    Acceptance { task: Option<usize> },
    /// Text of which nothing is work; inside a task it is a note.
    Aside { task: Option<usize> },
}

struct Reader<'r, 's> {
    roster: &'r Roster,
    source: &'r Source<'s>,
    comments: &'r [Range<usize>],
    problems: &'r mut Problems<'s>,
    draft: Draft,
    preamble: Vec<String>,
    /// The headings around the current place that have nothing of their own: they count when free text stands below them.
    bare_headings: Vec<(u8, String)>,
    owners: Vec<(u8, Owner)>,
    /// The places of the verification sections, and how many commands each has.
    commands_seen: Vec<(Position, usize)>,
}

impl<'s> Reader<'_, 's> {
    fn section(&mut self, section: &Section<'_>, below: &[Section<'_>]) {
        let Some((level, line, heading)) = &section.heading else {
            return self.free(section, false);
        };
        while self.owners.last().is_some_and(|(outer, _)| outer >= level) {
            self.owners.pop();
        }
        let task = match self.owners.last().map(|(_, owner)| owner.clone()) {
            None => None,
            Some(Owner::Task { index, who }) => Some((index, who)),
            Some(Owner::Verification { gate, count }) => {
                let named = domains::gate(&domains::normal(&heading.title));
                return self.verification(section, named.unwrap_or(gate), count);
            }
            Some(Owner::Acceptance { task }) => return self.acceptance(section, task),
            Some(Owner::Aside { task }) => return self.aside(section, task),
        };
        let index = task.as_ref().map(|(index, _)| *index);
        let at = self.source.position(line.range.start);
        match &heading.names {
            Names::Role(_, who) | Names::Subagent(who) => {
                // "API Endpoints" below "Feature" is a part of it, unless it has an id or a title of its own.
                let plain = heading.id.is_none() && !heading.has_title;
                let is_part = plain
                    && matches!(heading.names, Names::Role(..))
                    && task.is_some_and(|(_, outer)| outer.as_ref() == Some(who));
                // A heading that holds nothing but the headings of tasks is a frame around them.
                let is_frame = heading.id.is_none()
                    && !section.has_items()
                    && (section.is_bare() || heading.is_phase)
                    && below.iter().take_while(|section| section.level() > *level).any(Section::is_task);
                match index {
                    Some(index) if is_part => self.part(section, index, heading),
                    _ if is_frame => self.free(section, true),
                    _ => self.begin_task(section, *level, at, heading, Some(who.clone())),
                }
            }
            Names::VacantRole(role) => self.vacant_role(section, *level, at, heading, *role),
            Names::Unknown { nearest: None, .. } if index.is_some() => {
                if let Some(index) = index {
                    self.part(section, index, heading);
                }
            }
            Names::Unknown { name, nearest } => {
                let hint = match nearest {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("name one of the roster: {}", known(self.roster)),
                };
                let message = format!("there is no subagent or role `{}`", text::truncate(name, 80));
                self.problems.error("unknown-subagent", at, message, hint);
                self.begin_task(section, *level, at, heading, None);
            }
            Names::Several if section.has_items() => {
                let message = "this heading names several sections at once";
                let hint = "give each a heading of its own, so that every item belongs to one subagent";
                self.problems.error("several-subagents", at, message, hint);
                self.begin_task(section, *level, at, heading, None);
            }
            Names::Fixed(Fixed::Verification(gate)) => {
                let gate = gate.unwrap_or(GateKind::Tests);
                let count = self.commands_seen.len();
                self.commands_seen.push((at, 0));
                self.owners.push((*level, Owner::Verification { gate, count }));
                self.verification(section, gate, count);
            }
            Names::Fixed(Fixed::Acceptance) => {
                self.owners.push((*level, Owner::Acceptance { task: index }));
                self.acceptance(section, index);
            }
            Names::Fixed(Fixed::Aside) => {
                self.owners.push((*level, Owner::Aside { task: index }));
                self.aside(section, index);
            }
            Names::Fixed(Fixed::Frame) | Names::Several | Names::Other => match index {
                Some(index) => self.part(section, index, heading),
                None => self.free(section, true),
            },
        }
    }

    fn vacant_role(&mut self, section: &Section<'_>, level: u8, at: Position, heading: &Heading, role: Role) {
        let message = format!("no subagent of the roster plays the role {}", role.title());
        let hint = format!("add an agent file for it, or name one of the roster: {}", known(self.roster));
        self.problems.error("unknown-subagent", at, message, hint);
        self.begin_task(section, level, at, heading, None);
    }

    fn begin_task(&mut self, section: &Section<'_>, level: u8, at: Position, heading: &Heading, who: Option<Who>) {
        let index = self.draft.tasks.len();
        let id = heading.id.clone().map(|text| {
            let offset = self.source.text[section.range.start..section.body.start].find(&text).unwrap_or(0);
            Word { text, at: self.source.position(section.range.start + offset) }
        });
        self.draft.tasks.push(TaskDraft {
            at,
            id,
            who: who.clone(),
            title: heading.title.clone(),
            requirements: Vec::new(),
            notes: String::new(),
            touches: Vec::new(),
            needs: Vec::new(),
            parallel_with: Vec::new(),
        });
        self.owners.push((level, Owner::Task { index, who }));
        self.body(section, index, None, false);
    }

    /// Reads a part of a task under a heading of its own, which goes before the text of its items.
    fn part(&mut self, section: &Section<'_>, index: usize, heading: &Heading) {
        // "Requirements" and the like say nothing that the item does not.
        let is_plain = matches!(heading.names, Names::Fixed(_)) || heading.title.is_empty();
        let group = (!is_plain).then_some(heading.title.as_str());
        self.body(section, index, group, false);
    }

    fn body(&mut self, section: &Section<'_>, index: usize, group: Option<&str>, is_aside: bool) {
        let Some(task) = self.draft.tasks.get_mut(index) else { return };
        let mut body = Body {
            source: self.source,
            comments: self.comments,
            problems: self.problems,
            task,
            verification: &mut self.draft.verification,
            acceptance: &mut self.draft.acceptance,
            is_aside,
        };
        body.read(section.blocks, group);
    }

    /// Takes text that belongs to no task: into the preamble before the first task, and nowhere behind it.
    fn free(&mut self, section: &Section<'_>, with_heading: bool) {
        if self.draft.tasks.is_empty() {
            let level = section.level();
            self.bare_headings.retain(|(outer, _)| *outer < level);
            let range = if with_heading { section.range.clone() } else { section.body.clone() };
            let text = prose(self.source, range, self.comments);
            if section.is_bare() {
                // Above the first heading there is none to remember.
                self.bare_headings.extend(Some((level, text)).filter(|(_, text)| with_heading && !text.is_empty()));
            } else {
                self.preamble.extend(self.bare_headings.drain(..).map(|(_, heading)| heading));
                self.preamble.extend(Some(text).filter(|text| !text.is_empty()));
            }
        } else if section.has_items()
            && let Some(line) = section.line()
        {
            self.problems.warning(
                "ignored-section",
                self.source.position(line.range.start),
                format!("no subagent gets the items of the section `{}`", text::truncate(&line.text, 80)),
                "put it before the first task to have it in every brief, or below the heading of a subagent",
            );
        }
    }

    fn aside(&mut self, section: &Section<'_>, task: Option<usize>) {
        match task {
            Some(index) => self.note(section, index),
            None => self.free(section, true),
        }
    }

    /// Takes a section that is no work into a task's notes; directives in it count as anywhere in the task.
    fn note(&mut self, section: &Section<'_>, index: usize) {
        if let Some(task) = self.draft.tasks.get_mut(index) {
            let heading = section.range.start..section.body.start;
            task.add_note(self.source.visible(heading, self.comments).trim());
        }
        self.body(section, index, None, true);
    }

    fn verification(&mut self, section: &Section<'_>, gate: GateKind, count: usize) {
        let mut reader = verification::Reader {
            source: self.source,
            problems: self.problems,
            commands: &mut self.draft.verification,
            seen: 0,
        };
        reader.blocks(section.blocks, gate);
        let seen = reader.seen;
        if let Some((_, total)) = self.commands_seen.get_mut(count) {
            *total += seen;
        }
    }

    fn acceptance(&mut self, section: &Section<'_>, task: Option<usize>) {
        self.draft.acceptance.extend(criteria(section.blocks, self.source));
        if let Some(index) = task {
            self.note(section, index);
        }
    }
}

/// Returns a stretch of the source for people: without comments, and without the rules that divide it from what follows.
fn prose(source: &Source<'_>, range: Range<usize>, comments: &[Range<usize>]) -> String {
    let visible = source.visible(range, comments);
    let mut text = visible.trim();
    while let Some((before, last)) = text.rsplit_once('\n')
        && last.len() >= 3
        && ["-", "*", "_"].iter().any(|mark| last.replace([' ', '\t'], "").chars().all(|c| mark.contains(c)))
        && before.ends_with('\n')
    {
        text = before.trim_end();
    }
    if matches!(text, "---" | "***" | "___") { String::new() } else { text.to_owned() }
}

/// Reads acceptance criteria: the items of lists, or the paragraphs when there is no list.
pub(super) fn criteria(blocks: &[Block], source: &Source<'_>) -> Vec<AcceptanceCriterion> {
    let line_of = |offset: usize| source.position(offset).line;
    let items = blocks.iter().enumerate().filter_map(|(index, block)| match block {
        Block::List { items } if !is_labelled_aside(blocks, index, source) => Some(items),
        _ => None,
    });
    let mut criteria: Vec<_> = items
        .flatten()
        .map(|item| AcceptanceCriterion { text: items::one_line(item), line: line_of(item.range.start) })
        .filter(|criterion| !criterion.text.is_empty())
        .collect();
    if criteria.is_empty() {
        let paragraphs = blocks.iter().filter_map(|block| match block {
            Block::Paragraph { line, .. } => Some(line),
            _ => None,
        });
        criteria.extend(
            paragraphs
                .filter(|line| !line.text.is_empty())
                .map(|line| AcceptanceCriterion { text: line.text.clone(), line: line_of(line.range.start) }),
        );
    }
    criteria
}

/// Tells whether the line before a list says that it holds no criteria.
fn is_labelled_aside(blocks: &[Block], list: usize, source: &Source<'_>) -> bool {
    let before = list.checked_sub(1).and_then(|before| blocks.get(before));
    matches!(before, Some(Block::Paragraph { range, .. }) if tasks::labels_aside(&source.text[range.clone()]))
}

/// Lists the names of the roster, for hints.
pub(super) fn known(roster: &Roster) -> String {
    let names: Vec<_> = roster.iter().map(|subagent| format!("`{}`", subagent.name)).collect();
    text::truncate(&names.join(", "), 400)
}
