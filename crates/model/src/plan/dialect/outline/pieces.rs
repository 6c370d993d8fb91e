//! Sections that are tasks, or parts of one.

use super::{
    OutlineReader, Place,
    prose::{has_boxes, prose},
};
use crate::{
    diagnostics::Position,
    plan::{
        accounting::{Placed, Reason, What},
        blocks::{Block, Item},
        draft::{self, Owner, RequirementDraft, TaskDraft, Who, Word},
        headings::{self, Heading, Names},
        items,
        sections::Section,
        tasks::Body,
    },
    roster::Role,
    text,
};

impl<'s> OutlineReader<'_, 's> {
    pub(super) fn unknown(
        &mut self,
        section: &Section<'_>,
        at: Position,
        heading: &Heading,
        name: &str,
        nearest: Option<&str>,
    ) {
        // In a plan that may not be written for us a word that is near one of ours is a word of its own.
        if self.rules.may_be_foreign() && !name.contains('-') {
            let states = crate::plan::domains::states_a_duty(&self.source.visible(section.body.clone(), self.comments));
            let has_work = section.has_items() || heading.is_counted || states;
            return if has_work { self.unit(section, heading, at, false) } else { self.free(section, true) };
        }
        let hint = match nearest {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("name one of the roster: {}", draft::known(self.roster)),
        };
        let message = format!("there is no subagent or role `{}`", text::truncate(name, 80));
        self.problems.error("unknown-subagent", at, message, hint);
        self.begin(section, heading, at, None, Owner::Named);
    }

    pub(super) fn vacant_role(&mut self, section: &Section<'_>, at: Position, heading: &Heading, role: Role) {
        let message = format!("no subagent of the roster plays the role {}", role.title());
        let hint = format!("add an agent file for it, or name one of the roster: {}", draft::known(self.roster));
        self.problems.error("unknown-subagent", at, message, hint);
        self.begin(section, heading, at, None, Owner::Named);
    }

    /// Begins a task whose owner the heading around it names, or else its items tell.
    pub(super) fn unit(&mut self, section: &Section<'_>, heading: &Heading, at: Position, is_cross_cutting: bool) {
        let named = match &heading.names {
            Names::Several(first) => first.clone(),
            _ => None,
        };
        if let Some(who) = named.as_ref().filter(|_| section.has_items()) {
            self.problems.warning(
                "several-subagents",
                at,
                format!(
                    "this heading names several sections at once; `{}` gets what is not plainly another's",
                    who.name
                ),
                "give each a heading of its own, so that every item belongs to one subagent",
            );
        }
        let (named, owner) = match named.map(|who| (who, Owner::Heading)).or_else(|| self.handed_down()) {
            Some((who, owner)) => (Some(who), owner),
            None => (None, Owner::Items),
        };
        let index = self.draft.tasks.len();
        self.begin(section, heading, at, named, owner);
        if let Some(task) = self.draft.tasks.get_mut(index) {
            task.is_cross_cutting = is_cross_cutting;
        }
    }

    pub(super) fn begin(
        &mut self,
        section: &Section<'_>,
        heading: &Heading,
        at: Position,
        who: Option<Who>,
        owner: Owner,
    ) {
        let index = self.draft.tasks.len();
        let id = heading.id.clone().map(|text| {
            let offset = self.source.text[section.range.start..section.body.start].find(&text).unwrap_or(0);
            Word { text, at: self.source.position(section.range.start + offset) }
        });
        let title = if heading.title.is_empty() {
            section.line().map(|line| line.text.clone()).unwrap_or_default()
        } else {
            heading.title.clone()
        };
        let counted = heading.is_counted;
        if self.rules.items_are_tasks && owner != Owner::Named && section.blocks.iter().any(has_boxes) {
            return self.items_as_tasks(section, who.as_ref());
        }
        self.draft.tasks.push(TaskDraft {
            at,
            id,
            who: who.clone(),
            title,
            owner,
            keys: heading.keys.clone(),
            paths: if self.rules.lenient { heading.paths.clone() } else { Vec::new() },
            is_heading: section.is_bare() && self.rules.lenient && owner != Owner::Named,
            is_ticked: self.done.is_some() && !section.blocks.iter().any(has_boxes),
            stands_alone: counted || owner == Owner::Named,
            frame: self.frame,
            ..TaskDraft::default()
        });
        self.places.push((section.level(), Place::Task { index, who, counted }));
        self.body(section, index, None, None);
    }

    /// Makes a task of each box at the top level of a section.
    pub(super) fn items_as_tasks(&mut self, section: &Section<'_>, who: Option<&Who>) {
        self.frame += 1;
        let name = section.line().map(|line| line.text.clone()).unwrap_or_default();
        for block in section.blocks {
            let Block::List { items } = block else { continue };
            let mut rest = items.as_slice();
            while let Some((item, behind)) = rest.split_first() {
                rest = behind;
                if item.boxed || item.is_group() {
                    let (parts, others) = behind.split_at(self.parts_beside(item, behind));
                    self.item_as_task(item, parts, who);
                    rest = others;
                } else {
                    let what = What::Aside { reason: Reason::Context, section: name.clone() };
                    self.draft.place(item.range.clone(), what);
                    self.preamble.push(items::one_line(item));
                }
            }
        }
        let texts = section.blocks.iter().filter_map(|block| match block {
            Block::Paragraph { range, .. } | Block::Code { range, .. } | Block::Text { range } => Some(range.clone()),
            Block::Table { range, .. } => Some(range.clone()),
            _ => None,
        });
        for range in texts.collect::<Vec<_>>() {
            let what = What::Aside { reason: Reason::Context, section: name.clone() };
            self.draft.place(range.clone(), what);
            self.preamble.extend(Some(prose(self.source, range, self.comments)).filter(|text| !text.is_empty()));
        }
    }

    /// Counts the boxes behind an item that its number says are parts of it: `1.1` and `1.2` behind `1.`.
    fn parts_beside(&self, item: &Item, behind: &[Item]) -> usize {
        let number = |item: &Item| items::split_number_id(&item.line.text).map(|(id, _)| id);
        let Some(whole) = number(item).filter(|_| self.rules.numbers_are_ids) else { return 0 };
        let is_part = |part: &&Item| {
            let number = number(part);
            part.boxed && number.is_some_and(|id| id.strip_prefix(&whole).is_some_and(|rest| rest.starts_with('.')))
        };
        behind.iter().take_while(is_part).count()
    }

    /// Makes a task of a box with what stands below it, or beside it as its `parts`.
    fn item_as_task(&mut self, item: &Item, parts: &[Item], who: Option<&Who>) {
        let own = items::text_of(item).unwrap_or_default();
        let made = items::from_text(&own, item.line.strong, item.line.range.clone(), self.rules, self.source);
        let (counted, keys) = headings::counted(&made.text);
        let title = match (counted, made.text.split_once(':')) {
            (true, Some((_, title))) if !title.trim().is_empty() => title.trim().to_owned(),
            _ => made.text.clone(),
        };
        let is_group = item.is_group() || !parts.is_empty();
        // "Task 2: Tests" with boxes below it heads them, as a heading would.
        let named = headings::named(&item.line, self.roster).filter(|_| is_group && who.is_none());
        let who = who.cloned().or(named);
        let own = items::beside_boxes(item, self.rules, self.source, self.comments);
        let mut task = TaskDraft {
            at: made.at,
            owner: if who.is_some() { Owner::Heading } else { Owner::Items },
            who,
            title,
            keys: made.keys.iter().cloned().chain(keys).collect(),
            needs: if is_group { made.needs.clone() } else { Vec::new() },
            stands_alone: is_group,
            frame: self.frame,
            ..TaskDraft::default()
        };
        let mut body = self.body_of(&mut task);
        if is_group {
            body.placed.push(Placed::new(item.range.clone(), What::Said));
            if item.boxed && !item.done && item.all_ticked() && parts.iter().all(|part| part.done) {
                let detail = "Everything below it is ticked; the item itself is not.".to_owned();
                body.task.requirements.push(RequirementDraft { detail, ..made });
            } else {
                body.task.requirements.extend(own);
            }
            body.below(item, None);
            body.items(parts, None);
        } else {
            body.items(std::slice::from_ref(item), None);
        }
        self.draft.tasks.push(task);
    }

    /// Reads a part of a task under a heading of its own, which goes before the text of its items.
    pub(super) fn part(&mut self, section: &Section<'_>, index: usize, heading: &Heading) {
        if heading.is_counted && self.rules.lenient && !section.has_items() && !section.is_bare() {
            return self.prose_step(section, index, heading);
        }
        if section.blocks.iter().any(has_boxes)
            && let Some(task) = self.draft.tasks.get_mut(index)
        {
            task.is_ticked = false;
        }
        // "Requirements" and the like say nothing that the item does not.
        let is_plain = matches!(heading.names, Names::Fixed(_)) || heading.title.is_empty();
        let group = (!is_plain).then_some(heading.title.as_str());
        self.body(section, index, group, None);
    }

    /// Begins a task of which all of the text is one requirement.
    pub(super) fn begin_prose(&mut self, section: &Section<'_>, heading: &Heading, at: Position) {
        let index = self.draft.tasks.len();
        let title = heading.title.clone();
        let (who, owner) = self.handed_down().map_or((None, Owner::Items), |(who, owner)| (Some(who), owner));
        self.draft.tasks.push(TaskDraft {
            at,
            title,
            who: who.clone(),
            owner,
            frame: self.frame,
            ..TaskDraft::default()
        });
        self.places.push((section.level(), Place::Task { index, who, counted: false }));
        self.prose_step(section, index, heading);
    }

    /// Makes a requirement of a step that has a heading and text, but no items.
    pub(super) fn prose_step(&mut self, section: &Section<'_>, index: usize, heading: &Heading) {
        let text = section.line().map_or_else(|| heading.title.clone(), |line| line.text.clone());
        let detail = prose(self.source, section.body.clone(), self.comments);
        if let Some(task) = self.draft.tasks.get_mut(index) {
            let range = section.range.start..section.body.end;
            let mut made = items::from_text(&text, 0, range, self.rules, self.source);
            made.detail = detail;
            made.is_prose = true;
            task.requirements.push(made);
        }
    }

    pub(super) fn body_of<'b>(&'b mut self, task: &'b mut TaskDraft) -> Body<'b, 's> {
        Body {
            source: self.source,
            comments: self.comments,
            roster: self.roster,
            problems: self.problems,
            rules: self.rules,
            task,
            checks: &mut self.checks,
            placed: &mut self.draft.placed,
            aside: None,
            marks_work: false,
        }
    }

    pub(super) fn body(
        &mut self,
        section: &Section<'_>,
        index: usize,
        group: Option<&str>,
        aside: Option<(Reason, String)>,
    ) {
        let Some(mut task) = self.draft.tasks.get_mut(index).map(std::mem::take) else { return };
        let mut body = self.body_of(&mut task);
        body.aside = aside;
        body.read(section.blocks, group);
        if let Some(place) = self.draft.tasks.get_mut(index) {
            *place = task;
        }
    }
}
