//! What each section is, by its heading and by what stands around it.

use super::{ChecksSeen, OutlineReader, Place, Promotes};
use crate::{
    diagnostics::Position,
    gate::GateKind,
    plan::{
        accounting::Reason,
        blocks::{Block, Item},
        domains::{self, Fixed},
        draft::{Owner, Who},
        headings::{self, Heading, Names},
        mentions,
        sections::Section,
    },
};

/// What stands around a section whose heading names nobody.
struct Around {
    task: Option<(usize, Option<Who>, bool)>,
    context: Option<String>,
    /// Whether a frame is around it, and whether that holds the work itself.
    in_frame: bool,
    in_work: bool,
    /// Whether the section is itself a frame, or about all of the work.
    is_frame: bool,
}

/// Tells whether a section holds nothing but addresses to look up.
fn is_list_of_links(section: &Section<'_>) -> bool {
    let is_link = |item: &Item| {
        let text = &item.line.text;
        !item.boxed && item.blocks.is_empty() && text.contains("://") && text.split_whitespace().count() <= 8
    };
    let mut lists = section.blocks.iter().filter(|block| !matches!(block, Block::Other)).peekable();
    lists.peek().is_some() && lists.all(|block| matches!(block, Block::List { items } if items.iter().all(is_link)))
}

fn is_frame_of(names: &Names) -> bool {
    !matches!(names, Names::Other | Names::Several(_))
}

/// Goes through the sections below a section.
fn deeper<'d, 's>(section: &Section<'s>, below: &'d [Section<'s>]) -> impl Iterator<Item = &'d Section<'s>> {
    let level = section.level();
    below.iter().take_while(move |below| below.level() > level)
}

impl OutlineReader<'_, '_> {
    pub(super) fn section(&mut self, section: &Section<'_>, below: &[Section<'_>]) {
        let Some((level, line, heading)) = &section.heading else {
            return self.untitled(section);
        };
        if !line.text.is_empty() {
            self.draft.seen.push(line.text.clone());
        }
        while self.places.last().is_some_and(|(outer, _)| outer >= level) {
            self.places.pop();
        }
        if self.done.is_some_and(|outer| outer >= *level) {
            self.done = None;
        }
        if heading.is_done && self.rules.may_be_foreign() {
            self.done = self.done.or(Some(*level));
        }
        let special = (self.hook)(heading, &line.text)
            .or_else(|| self.put_off(section))
            .or_else(|| self.mere_checks(section, heading))
            .map(Names::Fixed);
        let names = special.as_ref().unwrap_or(&heading.names);
        let mut task = None;
        let mut context = None;
        let (mut in_frame, mut in_work) = (false, false);
        match self.places.last().map(|(_, place)| place.clone()) {
            None => {}
            Some(Place::Task { index, who, counted }) => task = Some((index, who, counted)),
            Some(Place::Verification { gate, count }) => {
                let named = domains::gate(&domains::normal(&heading.title));
                return self.verification(section, named.unwrap_or(gate), count);
            }
            Some(Place::Acceptance { task }) => return self.acceptance(section, task, true),
            Some(Place::Aside { task, reason, name }) => return self.aside(section, task, reason, &name),
            Some(Place::Context { name }) => context = Some(name),
            Some(Place::Files { task: index, name }) => {
                if self.lists_files(section, heading) {
                    return self.files(section, index, &name);
                }
                // What is no list of files stands where the list stands.
                task = index.map(|index| (index, None, true));
            }
            Some(Place::Frame { who }) => (in_frame, in_work) = (true, who.is_none()),
        }
        if let Some(index) = self.details_of(section) {
            self.places.push((*level, Place::Task { index, who: None, counted: true }));
            return self.note(section, index, Reason::Context, &line.text);
        }
        let index = task.as_ref().map(|(index, ..)| *index);
        let at = self.source.position(line.range.start);
        let is_left_aside = matches!(names, Names::Fixed(fixed) if *fixed != Fixed::Frame) || context.is_some();
        if self.is_work_as_text(section) && index.is_none() && !is_left_aside {
            return self.last_resort(section, below, heading, at);
        }
        if index.is_none() && self.rules.lenient && is_list_of_links(section) {
            return self.aside(section, None, Reason::Context, &line.text);
        }
        match names {
            Names::Role(_, who) | Names::Subagent(who) => {
                // "API Endpoints" below "Feature" is a part of it, unless it has an id or a title of its own.
                let plain = heading.id.is_none() && !heading.has_title;
                let is_part = plain
                    && matches!(names, Names::Role(..))
                    && task.is_some_and(|(_, outer, _)| outer.as_ref() == Some(who));
                // A heading that holds nothing but the headings of tasks is a frame around them.
                let is_around = || self.is_around_tasks(section, below, who);
                // Where the front matter lists the work, text explains it.
                let is_about_todos = self.has_todos && matches!(names, Names::Role(..));
                let is_frame = heading.id.is_none()
                    && !section.has_items()
                    && (is_about_todos || (section.is_bare() || heading.is_phase) && is_around());
                let by_items = self.rules.items_decide && matches!(names, Names::Role(..));
                let owner = if by_items { Owner::Heading } else { Owner::Named };
                match index {
                    Some(index) if is_part => self.part(section, index, heading),
                    _ if is_frame => {
                        self.free(section, true);
                        self.places.push((*level, Place::Frame { who: Some((who.clone(), owner)) }));
                    }
                    _ => {
                        let at_task = self.draft.tasks.len();
                        self.begin(section, heading, at, Some(who.clone()), owner);
                        let is_for_all = domains::fixed(&domains::normal(&heading.title)) == Some(Fixed::CrossCutting);
                        if let Some(task) = self.draft.tasks.get_mut(at_task) {
                            task.is_cross_cutting = is_for_all;
                        }
                    }
                }
            }
            Names::VacantRole(role) => self.vacant_role(section, at, heading, *role),
            // Inside a task a word that is near a domain's is a word of its own; a subagent's name is none.
            Names::Unknown { name, nearest } if index.is_some() && (nearest.is_none() || !name.contains('-')) => {
                if let Some(index) = index {
                    self.part(section, index, heading);
                }
            }
            Names::Unknown { name, nearest } => self.unknown(section, at, heading, name, nearest.as_deref()),
            Names::Fixed(Fixed::Verification(gate)) => {
                let gate = gate.unwrap_or(GateKind::Tests);
                let count = self.checks_seen.len();
                self.checks_seen.push(ChecksSeen { at, checks: 0, is_text: false });
                self.places.push((*level, Place::Verification { gate, count }));
                self.verification(section, gate, count);
            }
            Names::Fixed(Fixed::Acceptance) => {
                self.places.push((*level, Place::Acceptance { task: index }));
                self.acceptance(section, index, false);
            }
            Names::Fixed(fixed) if index.is_none() && self.is_promoted(*fixed, section, heading) => {
                self.unit(section, heading, at, false);
            }
            Names::Fixed(Fixed::Aside(reason)) => {
                let name = line.text.clone();
                self.places.push((*level, Place::Aside { task: index, reason: *reason, name: name.clone() }));
                self.aside(section, index, *reason, &name);
            }
            Names::Fixed(Fixed::Files) => {
                self.places.push((*level, Place::Files { task: index, name: line.text.clone() }));
                self.files(section, index, &line.text);
            }
            Names::Fixed(Fixed::Context) => match index {
                Some(index) => self.note(section, index, Reason::Context, &line.text),
                None => {
                    self.places.push((*level, Place::Context { name: line.text.clone() }));
                    self.aside(section, None, Reason::Context, &line.text);
                }
            },
            Names::Fixed(Fixed::CrossCutting) if index.is_none() => self.unit(section, heading, at, true),
            Names::Fixed(Fixed::CrossCutting | Fixed::Frame) | Names::Several(_) | Names::Other => {
                let is_frame = is_frame_of(names);
                self.unnamed(section, below, heading, &Around { task, context, in_frame, in_work, is_frame });
            }
        }
    }

    /// Takes a section whose heading names nobody: a piece of work, a part of one, or text.
    fn unnamed(&mut self, section: &Section<'_>, below: &[Section<'_>], heading: &Heading, around: &Around) {
        let Some(line) = section.line() else { return };
        let at = self.source.position(line.range.start);
        let is_leaf = below.first().is_none_or(|next| next.level() <= section.level());
        let has_prose = !section.is_bare();
        let is_heading_work = heading.is_counted && is_leaf && self.rules.lenient && !heading.title.is_empty();
        let is_work_in_words = is_heading_work
            || (has_prose
                && (heading.is_counted && (is_leaf || self.rules.lenient)
                    || is_leaf && self.asks_in_words(heading, &line.text, around)
                    || is_leaf && self.states_a_duty(section, around)));
        // Where the front matter lists the work, text explains it wherever it stands.
        let has_work = section.has_items() || (is_work_in_words && !self.has_todos);
        // A step or a file below a section is a piece of work, unless that is one itself.
        let is_of_design = around.context.is_some() && self.work_frame.is_some() && !heading.is_counted_in_words();
        let begins = self.rules.lenient
            && has_work
            && !is_of_design
            && (heading.is_counted || !heading.paths.is_empty())
            && !around.task.as_ref().is_some_and(|(_, _, counted)| *counted);
        let is_plain = !around.is_frame;
        match (&around.task, &around.context) {
            (Some((index, ..)), _) if !begins => self.part(section, *index, heading),
            (None, Some(name)) if is_plain && !begins => self.aside(section, None, Reason::Context, name),
            (None, None) if is_plain && !around.in_frame && self.leads_to_the_work(section, heading) => {
                self.aside(section, None, Reason::Context, &line.text);
            }
            _ if is_plain && self.rules.only_boxes && !heading.is_counted && !heading.is_phase => {
                self.aside(section, None, Reason::Context, &line.text);
            }
            (None, _) if around.is_frame && self.asks_in_prose(section) => {
                self.begin_prose(section, heading, at);
            }
            _ if has_work => {
                self.unit(section, heading, at, false);
                // What stands above work of its own is no task around it.
                let is_around = |below: &Section<'_>| {
                    self.is_task(below) || below.heading.as_ref().is_some_and(|(.., heading)| heading.is_counted)
                };
                if !section.has_items() && deeper(section, below).any(is_around) {
                    self.places.pop();
                }
            }
            _ => {
                self.free(section, true);
                if self.rules.lenient && domains::is_work_frame(&domains::normal(&heading.title)) {
                    self.places.push((section.level(), Place::Frame { who: None }));
                }
            }
        }
    }

    /// Tells whether a section asks for work in its sentences, and its lists only go on with them.
    fn asks_in_prose(&self, section: &Section<'_>) -> bool {
        let asks = |text: &str| domains::text_asks(text) || domains::asks_elsewhere(text);
        let is_list = |block: &Block| matches!(block, Block::List { .. });
        let goes_on = |item: &Item| !item.boxed && !item.is_group() && item.number.is_none() && !asks(&item.line.text);
        let sentences = section.blocks.iter().filter(|block| match block {
            Block::Paragraph { line, .. } => domains::text_asks(&line.text) && !headings::leads_a_part(line),
            _ => false,
        });
        self.rules.lenient
            && !self.rules.only_boxes
            && sentences.count() > 1
            && section.blocks.iter().any(is_list)
            && section.blocks.iter().all(|block| match block {
                Block::List { items } => items.iter().all(goes_on),
                Block::Table { .. } => false,
                _ => true,
            })
    }

    /// Tells whether a section only leads to the work: it stands before the section that holds the work, nothing counts it
    /// as a part of that, and nothing in it asks for anything.
    fn leads_to_the_work(&self, section: &Section<'_>, heading: &Heading) -> bool {
        let asks = |text: &str| domains::text_asks(text) || domains::asks_elsewhere(text);
        let is_before = self.work_frame.is_some_and(|frame| section.range.start < frame);
        is_before
            && self.rules.lenient
            && !heading.is_phase
            && !heading.is_counted_in_words()
            && !heading.is_tagged()
            && heading.paths.is_empty()
            && !asks(&heading.title)
            && section.blocks.iter().all(|block| match block {
                Block::List { items } => {
                    items.iter().all(|item| !item.boxed && !item.is_group() && !asks(&item.line.text))
                }
                Block::Table { rows, .. } => rows.iter().flat_map(|row| &row.cells).all(|cell| !asks(cell)),
                Block::Paragraph { line, .. } => !headings::leads_a_part(line),
                _ => true,
            })
    }

    /// Tells whether a section below a list of files is a part of that list: every item of it names a file.
    fn lists_files(&self, section: &Section<'_>, heading: &Heading) -> bool {
        let names = |text: &str| !mentions::paths(text).is_empty();
        section.has_items()
            && !heading.is_counted
            && heading.paths.is_empty()
            && section.blocks.iter().all(|block| match block {
                Block::List { items } => {
                    items.iter().all(|item| !item.boxed && !item.is_group() && names(&item.line.text))
                }
                Block::Table { rows, .. } => {
                    rows.iter().all(|row| row.cells.iter().any(|cell| names(&format!("`{cell}`"))))
                }
                _ => true,
            })
    }

    /// Tells whether a section that is only text asks for work: it stands where the work stands, names what it changes, or
    /// begins with what is to be done.
    fn asks_in_words(&self, heading: &Heading, line: &str, around: &Around) -> bool {
        self.rules.lenient
            && !self.rules.only_boxes
            && (around.in_work
                || !heading.paths.is_empty()
                || domains::asks(&heading.title)
                || domains::is_work_frame(&domains::normal(line)))
    }

    /// Tells whether a section that is only text, and no part of another, says what has to hold or asks for something.
    fn states_a_duty(&self, section: &Section<'_>, around: &Around) -> bool {
        let is_beside = around.task.is_none() && around.context.is_none() && !around.is_frame;
        self.rules.may_be_foreign()
            && !self.rules.only_boxes
            && is_beside
            && (domains::states_a_duty(&self.source.visible(section.body.clone(), self.comments))
                || self.begins_asking(section))
    }

    /// Tells whether a section begins with what is to be done, and no other section holds the work and nothing else.
    fn begins_asking(&self, section: &Section<'_>) -> bool {
        self.work_frame.is_none() && section.paragraphs().next().is_some_and(|line| domains::begins_asking(&line.text))
    }

    /// Tells whether a section that is only text is work, since too little else is.
    pub(super) fn is_work_as_text(&self, section: &Section<'_>) -> bool {
        match self.promotes {
            _ if section.has_items() => false,
            Promotes::Prose => true,
            Promotes::Asked | Promotes::AskedAbout => section.paragraphs().any(|line| domains::may_ask(&line.text)),
            _ => false,
        }
    }

    /// Takes any section for work, since the plan has no other: its text, or its heading where it has none.
    fn last_resort(&mut self, section: &Section<'_>, below: &[Section<'_>], heading: &Heading, at: Position) {
        let is_leaf = below.first().is_none_or(|next| next.level() <= section.level());
        if section.is_bare() && (!is_leaf || heading.title.is_empty()) {
            return self.free(section, true);
        }
        self.unit(section, heading, at, false);
        self.places.pop();
    }

    /// Tells whether a section that says something about the plan is work, since too little else is.
    fn is_promoted(&self, fixed: Fixed, section: &Section<'_>, heading: &Heading) -> bool {
        let is_approach = fixed == Fixed::Files || domains::is_approach(&domains::normal(&heading.title));
        match self.promotes {
            Promotes::Nothing => false,
            Promotes::AskedAbout if fixed == Fixed::Context && self.is_work_as_text(section) => true,
            Promotes::Approach | Promotes::Asked | Promotes::AskedAbout => is_approach && !section.is_bare(),
            Promotes::Everything | Promotes::Prose => {
                let is_about = matches!(fixed, Fixed::Context | Fixed::Files | Fixed::Aside(Reason::Context));
                is_about && (section.has_items() || (is_approach && !section.is_bare()))
            }
        }
    }

    /// Tells whether all that is below a heading which names `who` is in tasks of their own. Text that is no other's belongs to
    /// the heading, so that there has to be a task of it.
    fn is_around_tasks(&self, section: &Section<'_>, below: &[Section<'_>], who: &Who) -> bool {
        let (mut is_around, mut has_own, mut has_text) = (false, false, false);
        let mut others: Option<u8> = None;
        for section in deeper(section, below) {
            let names = section.heading.as_ref().map(|(.., heading)| &heading.names);
            is_around |= self.is_task(section);
            others = others.filter(|outer| section.level() > *outer);
            match names {
                _ if others.is_some() => {}
                Some(Names::Role(_, other) | Names::Subagent(other)) if other != who => others = Some(section.level()),
                Some(Names::Other) if !self.is_task(section) => has_text |= !section.is_bare(),
                _ => has_own |= self.is_task(section),
            }
        }
        is_around && (has_own || !has_text)
    }

    /// Tells whether a section is work, for the heading around it.
    fn is_task(&self, section: &Section<'_>) -> bool {
        section.is_task()
            || (self.rules.lenient
                && section.heading.as_ref().is_some_and(|(.., heading)| {
                    (heading.is_counted || !heading.paths.is_empty() || matches!(heading.names, Names::Other))
                        && section.has_items()
                }))
    }
}
