//! Markdown as sections under headings: what each is, and whose its items are.

use std::ops::Range;

use super::reader::Input;
use crate::{
    diagnostics::Position,
    gate::GateKind,
    plan::{
        accounting::{Placed, Reason, What},
        blocks::{Block, Item},
        domains::{self, Fixed},
        draft::{self, Draft, Owner, RequirementDraft, TaskDraft, Who, Word},
        headings::{self, Heading, Names},
        items,
        sections::{self, Section},
        shape::Rules,
        source::{Problems, Source},
        tasks::{self, Body},
        verification::{self, Checks},
    },
    roster::{Role, Roster},
    text,
};

/// Says what a heading is in a dialect, where its words mean something else there.
pub(super) type Hook<'h> = &'h dyn Fn(&Heading, &str) -> Option<Fixed>;

/// Reads a document. Where nothing in it is work, what it says about itself is: a plan may have nothing but an approach.
pub(super) fn read<'s>(rules: Rules, hook: Hook<'_>, input: &Input<'_, 's>, problems: &mut Problems<'s>) -> Draft {
    let before = problems.count();
    let draft = Reader::new(rules, hook, Promotes::Nothing, input, problems).document(input.sections);
    if problems.has_error() {
        return draft;
    }
    let has_work = |task: &TaskDraft| !task.requirements.is_empty();
    let promotes = if !draft.tasks.iter().any(has_work) {
        Promotes::Everything
    } else if !draft.tasks.iter().any(|task| has_work(task) && implements(task, input.roster)) {
        Promotes::Approach
    } else {
        return draft;
    };
    problems.forget_from(before);
    Reader::new(rules, hook, promotes, input, problems).document(input.sections)
}

/// What of the words of a plan about itself is taken for work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Promotes {
    /// Nothing: the plan has work.
    Nothing,
    /// How it is to be done: the plan has nothing but checks of it.
    Approach,
    /// All that has items: the plan has no work at all.
    Everything,
}

/// Tells whether a task makes something, and does not only look at what others made.
fn implements(task: &TaskDraft, roster: &Roster) -> bool {
    let role = task.who.as_ref().and_then(|who| roster.get(&who.name)).map(|subagent| subagent.role);
    role.is_none_or(|role| role.gate().is_none())
}

/// What the sections below a heading belong to.
#[derive(Debug, Clone)]
enum Place {
    /// A task, by its index, its subagent where the heading names one, and whether its heading counts it.
    Task { index: usize, who: Option<Who>, counted: bool },
    /// Commands of a gate, and the index of their count.
    Verification { gate: GateKind, count: usize },
    /// Criteria, and the task that they were written under.
    Acceptance { task: Option<usize> },
    /// Text of which nothing is work, and the task that it was written under.
    Aside { task: Option<usize>, reason: Reason, name: String },
    /// What the plan is about: what is not plainly work below it is no work either.
    Context { name: String },
}

struct Reader<'r, 's> {
    rules: Rules,
    hook: Hook<'r>,
    /// What the plan says about itself and is taken for work, since too little else is.
    promotes: Promotes,
    roster: &'r Roster,
    source: &'r Source<'s>,
    comments: &'r [Range<usize>],
    problems: &'r mut Problems<'s>,
    draft: Draft,
    checks: Checks,
    preamble: Vec<String>,
    /// The headings around the current place that have nothing of their own: they count when free text stands below them.
    bare_headings: Vec<(u8, String)>,
    places: Vec<(u8, Place)>,
    /// The places of the verification sections, and how many checks each has.
    checks_seen: Vec<(Position, usize)>,
    /// Counts the frames around tasks that may be joined.
    frame: usize,
}

impl<'r, 's> Reader<'r, 's> {
    fn new(
        rules: Rules,
        hook: Hook<'r>,
        promotes: Promotes,
        input: &Input<'r, 's>,
        problems: &'r mut Problems<'s>,
    ) -> Self {
        Self {
            rules,
            hook,
            promotes,
            roster: input.roster,
            source: input.source,
            comments: &input.document.comments,
            problems,
            draft: Draft::default(),
            checks: Checks::default(),
            preamble: Vec::new(),
            bare_headings: Vec::new(),
            places: Vec::new(),
            checks_seen: Vec::new(),
            frame: 0,
        }
    }

    fn document(mut self, sections: &[Section<'_>]) -> Draft {
        let title = sections::title(sections);
        for (index, section) in sections.iter().enumerate() {
            if title == Some(index) {
                self.draft.title = section.line().map(|line| line.text.clone()).filter(|title| !title.is_empty());
                self.untitled(section);
            } else {
                self.section(section, &sections[index + 1..]);
            }
        }
        self.finish()
    }

    fn finish(mut self) -> Draft {
        for (at, seen) in &self.checks_seen {
            if *seen == 0 && !self.rules.lenient {
                self.problems.error(
                    "empty-verification",
                    *at,
                    "this verification section has no command",
                    "list commands as items, `- tests: cargo test`, or in a `sh` code block; or leave the section out",
                );
            }
        }
        for task in &mut self.draft.tasks {
            prose_is_work(task);
        }
        self.by_hand();
        self.draft.preamble = self.preamble.join("\n\n");
        self.draft.verification = self.checks.commands;
        self.draft.acceptance = self.checks.criteria;
        self.draft.placed.extend(self.checks.placed);
        self.draft
    }

    /// Gives what is no command to whoever validates.
    fn by_hand(&mut self) {
        let by_hand = std::mem::take(&mut self.checks.by_hand);
        let Some(first) = by_hand.first() else { return };
        let at = first.at;
        let who = Who::of_role(Role::Validation, self.roster);
        let planned = self.draft.tasks.iter_mut().find(|task| who.is_some() && task.who == who);
        match planned {
            Some(task) => task.requirements.extend(by_hand),
            None => self.draft.tasks.push(TaskDraft {
                at,
                who,
                title: "Verification".to_owned(),
                requirements: by_hand,
                stands_alone: true,
                ..TaskDraft::default()
            }),
        }
    }

    fn section(&mut self, section: &Section<'_>, below: &[Section<'_>]) {
        let Some((level, line, heading)) = &section.heading else {
            return self.untitled(section);
        };
        if section.has_items() {
            self.draft.seen.push(line.text.clone());
        }
        while self.places.last().is_some_and(|(outer, _)| outer >= level) {
            self.places.pop();
        }
        let special = (self.hook)(heading, &line.text).map(Names::Fixed);
        let names = special.as_ref().unwrap_or(&heading.names);
        let mut task = None;
        let mut context = None;
        match self.places.last().map(|(_, place)| place.clone()) {
            None => {}
            Some(Place::Task { index, who, counted }) => task = Some((index, who, counted)),
            Some(Place::Verification { gate, count }) => {
                let named = domains::gate(&domains::normal(&heading.title));
                return self.verification(section, named.unwrap_or(gate), count);
            }
            Some(Place::Acceptance { task }) => return self.acceptance(section, task),
            Some(Place::Aside { task, reason, name }) => return self.aside(section, task, reason, &name),
            Some(Place::Context { name }) => context = Some(name),
        }
        let index = task.as_ref().map(|(index, ..)| *index);
        let at = self.source.position(line.range.start);
        match names {
            Names::Role(_, who) | Names::Subagent(who) => {
                // "API Endpoints" below "Feature" is a part of it, unless it has an id or a title of its own.
                let plain = heading.id.is_none() && !heading.has_title;
                let is_part = plain
                    && matches!(names, Names::Role(..))
                    && task.is_some_and(|(_, outer, _)| outer.as_ref() == Some(who));
                // A heading that holds nothing but the headings of tasks is a frame around them.
                let is_frame = heading.id.is_none()
                    && !section.has_items()
                    && (section.is_bare() || heading.is_phase)
                    && below.iter().take_while(|section| section.level() > *level).any(|section| self.is_task(section));
                match index {
                    Some(index) if is_part => self.part(section, index, heading),
                    _ if is_frame => self.free(section, true),
                    _ => {
                        let by_items = self.rules.items_decide && matches!(names, Names::Role(..));
                        let owner = if by_items { Owner::Heading } else { Owner::Named };
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
                self.checks_seen.push((at, 0));
                self.places.push((*level, Place::Verification { gate, count }));
                self.verification(section, gate, count);
            }
            Names::Fixed(Fixed::Acceptance) => {
                self.places.push((*level, Place::Acceptance { task: index }));
                self.acceptance(section, index);
            }
            Names::Fixed(fixed) if index.is_none() && self.is_promoted(*fixed, section, heading) => {
                self.unit(section, heading, at, false);
            }
            Names::Fixed(Fixed::Aside(reason)) => {
                let name = line.text.clone();
                self.places.push((*level, Place::Aside { task: index, reason: *reason, name: name.clone() }));
                self.aside(section, index, *reason, &name);
            }
            Names::Fixed(Fixed::Files) => self.files(section, index, &line.text),
            Names::Fixed(Fixed::Context) => match index {
                Some(index) => self.note(section, index, Reason::Context, &line.text),
                None => {
                    self.places.push((*level, Place::Context { name: line.text.clone() }));
                    self.aside(section, None, Reason::Context, &line.text);
                }
            },
            Names::Fixed(Fixed::CrossCutting) if index.is_none() => self.unit(section, heading, at, true),
            Names::Fixed(Fixed::CrossCutting | Fixed::Frame) | Names::Several(_) | Names::Other => {
                let is_plain = matches!(names, Names::Other | Names::Several(_));
                let has_work = section.has_items() || (heading.is_counted && !section.is_bare());
                // A step or a file below a section is a piece of work, unless that is one itself.
                let begins = self.rules.lenient
                    && has_work
                    && (heading.is_counted || !heading.paths.is_empty())
                    && !task.is_some_and(|(_, _, counted)| counted);
                match (index, context) {
                    (Some(index), _) if !begins => self.part(section, index, heading),
                    (None, Some(name)) if is_plain && !begins => {
                        self.aside(section, None, Reason::Context, &name);
                    }
                    _ if is_plain && self.rules.only_boxes && !heading.is_counted && !heading.is_phase => {
                        self.aside(section, None, Reason::Context, &line.text);
                    }
                    _ if has_work && self.is_leaf_or_has_items(section, below) => {
                        self.unit(section, heading, at, false);
                    }
                    _ => self.free(section, true),
                }
            }
        }
    }

    /// Tells whether a section that says something about the plan is work, since too little else is.
    fn is_promoted(&self, fixed: Fixed, section: &Section<'_>, heading: &Heading) -> bool {
        let is_approach = fixed == Fixed::Files || domains::is_approach(&domains::normal(&heading.title));
        match self.promotes {
            Promotes::Nothing => false,
            Promotes::Approach => is_approach && !section.is_bare(),
            Promotes::Everything => {
                let is_about = matches!(fixed, Fixed::Context | Fixed::Files | Fixed::Aside(Reason::Context));
                is_about && (section.has_items() || (is_approach && !section.is_bare()))
            }
        }
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

    /// Tells whether prose below a counted heading is work: not where its work stands below headings of its own.
    fn is_leaf_or_has_items(&self, section: &Section<'_>, below: &[Section<'_>]) -> bool {
        section.has_items() || below.first().is_none_or(|next| next.level() <= section.level())
    }

    fn unknown(&mut self, section: &Section<'_>, at: Position, heading: &Heading, name: &str, nearest: Option<&str>) {
        // In a plan that was not written for us a word that is near one of ours is a word of its own.
        if self.rules.lenient && !name.contains('-') {
            let has_work = section.has_items() || heading.is_counted;
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

    fn vacant_role(&mut self, section: &Section<'_>, at: Position, heading: &Heading, role: Role) {
        let message = format!("no subagent of the roster plays the role {}", role.title());
        let hint = format!("add an agent file for it, or name one of the roster: {}", draft::known(self.roster));
        self.problems.error("unknown-subagent", at, message, hint);
        self.begin(section, heading, at, None, Owner::Named);
    }

    /// Begins a task whose owner its items tell.
    fn unit(&mut self, section: &Section<'_>, heading: &Heading, at: Position, is_cross_cutting: bool) {
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
        let owner = if named.is_some() { Owner::Heading } else { Owner::Items };
        let index = self.draft.tasks.len();
        self.begin(section, heading, at, named, owner);
        if let Some(task) = self.draft.tasks.get_mut(index) {
            task.is_cross_cutting = is_cross_cutting;
        }
    }

    fn begin(&mut self, section: &Section<'_>, heading: &Heading, at: Position, who: Option<Who>, owner: Owner) {
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
            stands_alone: counted || owner == Owner::Named,
            frame: self.frame,
            ..TaskDraft::default()
        });
        self.places.push((section.level(), Place::Task { index, who, counted }));
        self.body(section, index, None, None);
    }

    /// Makes a task of each box at the top level of a section.
    fn items_as_tasks(&mut self, section: &Section<'_>, who: Option<&Who>) {
        self.frame += 1;
        let name = section.line().map(|line| line.text.clone()).unwrap_or_default();
        for block in section.blocks {
            let Block::List { items } = block else { continue };
            for item in items {
                if item.boxed || item.is_group() {
                    self.item_as_task(item, who);
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

    fn item_as_task(&mut self, item: &Item, who: Option<&Who>) {
        let own = items::text_of(item).unwrap_or_default();
        let made = items::from_text(&own, item.line.strong, item.line.range.clone(), self.rules, self.source);
        let (counted, keys) = headings::counted(&made.text);
        let title = match (counted, made.text.split_once(':')) {
            (true, Some((_, title))) if !title.trim().is_empty() => title.trim().to_owned(),
            _ => made.text.clone(),
        };
        let is_group = item.is_group();
        let mut task = TaskDraft {
            at: made.at,
            who: who.cloned(),
            owner: if who.is_some() { Owner::Heading } else { Owner::Items },
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
            if item.boxed && !item.done && item.all_ticked() {
                let detail = "Everything below it is ticked; the item itself is not.".to_owned();
                body.task.requirements.push(RequirementDraft { detail, ..made });
            }
            body.below(item, None);
        } else {
            body.items(std::slice::from_ref(item), None);
        }
        self.draft.tasks.push(task);
    }

    /// Reads a part of a task under a heading of its own, which goes before the text of its items.
    fn part(&mut self, section: &Section<'_>, index: usize, heading: &Heading) {
        if heading.is_counted && self.rules.lenient && !section.has_items() && !section.is_bare() {
            return self.prose_step(section, index, heading);
        }
        // "Requirements" and the like say nothing that the item does not.
        let is_plain = matches!(heading.names, Names::Fixed(_)) || heading.title.is_empty();
        let group = (!is_plain).then_some(heading.title.as_str());
        self.body(section, index, group, None);
    }

    /// Makes a requirement of a step that has a heading and text, but no items.
    fn prose_step(&mut self, section: &Section<'_>, index: usize, heading: &Heading) {
        let text = section.line().map_or_else(|| heading.title.clone(), |line| line.text.clone());
        let detail = prose(self.source, section.body.clone(), self.comments);
        if let Some(task) = self.draft.tasks.get_mut(index) {
            let range = section.range.start..section.body.end;
            let mut made = items::from_text(&text, 0, range, self.rules, self.source);
            made.detail = detail;
            task.requirements.push(made);
        }
    }

    fn body_of<'b>(&'b mut self, task: &'b mut TaskDraft) -> Body<'b, 's> {
        Body {
            source: self.source,
            comments: self.comments,
            problems: self.problems,
            rules: self.rules,
            task,
            checks: &mut self.checks,
            placed: &mut self.draft.placed,
            aside: None,
            marks_work: false,
        }
    }

    fn body(&mut self, section: &Section<'_>, index: usize, group: Option<&str>, aside: Option<(Reason, String)>) {
        let Some(mut task) = self.draft.tasks.get_mut(index).map(std::mem::take) else { return };
        let mut body = self.body_of(&mut task);
        body.aside = aside;
        body.read(section.blocks, group);
        if let Some(place) = self.draft.tasks.get_mut(index) {
            *place = task;
        }
    }

    /// Takes what stands above the first heading or below the title: boxes are work, and so is a list in a plan that was
    /// not written for us.
    fn untitled(&mut self, section: &Section<'_>) {
        let has_boxes = section.blocks.iter().any(has_boxes);
        let is_work = has_boxes || (self.rules.lenient && !self.rules.only_boxes && section.has_items());
        let is_metadata = !has_boxes && section.blocks.iter().all(is_metadata);
        if is_work && !is_metadata {
            let at = self.source.position(section.body.start);
            if self.rules.items_are_tasks {
                return self.items_as_tasks(section, None);
            }
            let index = self.draft.tasks.len();
            let title = self.draft.title.clone().unwrap_or_else(|| "Tasks".to_owned());
            let frame = self.frame;
            self.draft.tasks.push(TaskDraft { at, title, owner: Owner::Items, frame, ..TaskDraft::default() });
            let aside =
                (!self.rules.lenient || self.rules.only_boxes).then(|| (Reason::Context, "Introduction".to_owned()));
            return self.body(section, index, None, aside);
        }
        self.place_aside(section, Reason::Context, "Introduction");
        self.free(section, false);
    }

    /// Takes text that belongs to no task into the preamble.
    fn free(&mut self, section: &Section<'_>, with_heading: bool) {
        self.frame += 1;
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
    }

    fn place_aside(&mut self, section: &Section<'_>, reason: Reason, name: &str) {
        let what = What::Aside { reason, section: name.to_owned() };
        self.draft.place(section.range.clone(), what);
    }

    /// Takes a section that is no work; boxes in it are, unless the plan says that it is not to be done.
    fn aside(&mut self, section: &Section<'_>, task: Option<usize>, reason: Reason, name: &str) {
        if let Some(index) = task {
            return self.note(section, index, reason, name);
        }
        self.place_aside(section, reason, name);
        if !reason.is_final() && section.blocks.iter().any(has_open_boxes) {
            let at = self.source.position(section.range.start);
            let index = self.draft.tasks.len();
            let title = section.line().map(|line| line.text.clone()).unwrap_or_default();
            let frame = self.frame;
            self.draft.tasks.push(TaskDraft { at, title, owner: Owner::Items, frame, ..TaskDraft::default() });
            self.body(section, index, None, Some((reason, name.to_owned())));
        } else if !matches!(reason, Reason::Legend | Reason::Record) {
            self.free(section, true);
        }
    }

    /// Takes a section that is no work into a task's notes; directives in it count as anywhere in the task.
    fn note(&mut self, section: &Section<'_>, index: usize, reason: Reason, name: &str) {
        if let Some(task) = self.draft.tasks.get_mut(index) {
            let heading = section.range.start..section.body.start;
            task.add_note(self.source.visible(heading, self.comments).trim());
        }
        self.body(section, index, None, Some((reason, name.to_owned())));
    }

    /// Takes a list of files: what a task may touch, or what the tasks say themselves.
    fn files(&mut self, section: &Section<'_>, task: Option<usize>, name: &str) {
        match task {
            Some(index) => {
                let paths: Vec<String> = crate::plan::mentions::paths(&self.source.text[section.body.clone()]);
                if let Some(task) = self.draft.tasks.get_mut(index).filter(|_| self.rules.lenient) {
                    task.paths.extend(paths);
                }
                self.note(section, index, Reason::Files, name);
            }
            None => self.aside(section, None, Reason::Files, name),
        }
    }

    fn verification(&mut self, section: &Section<'_>, gate: GateKind, count: usize) {
        let mut reader = verification::Reader {
            source: self.source,
            problems: self.problems,
            rules: self.rules,
            comments: self.comments,
            checks: &mut self.checks,
            seen: 0,
        };
        reader.blocks(section.blocks, gate);
        let seen = reader.seen;
        if let Some((_, total)) = self.checks_seen.get_mut(count) {
            *total += seen;
        }
    }

    fn acceptance(&mut self, section: &Section<'_>, task: Option<usize>) {
        self.criteria(section.blocks);
        if let Some(index) = task {
            let name = section.line().map(|line| line.text.clone()).unwrap_or_default();
            self.note(section, index, Reason::Context, &name);
        }
    }

    /// Reads acceptance criteria: the items of lists and tables, or the paragraphs when there is neither.
    fn criteria(&mut self, blocks: &[Block]) {
        let before = self.checks.criteria.len();
        for (index, block) in blocks.iter().enumerate() {
            match block {
                Block::List { items } if is_labelled_aside(blocks, index, self.source) => {
                    for item in items {
                        let what = What::Aside { reason: Reason::OutOfScope, section: "Out of scope".to_owned() };
                        self.draft.place(item.range.clone(), what);
                    }
                }
                Block::List { items } => self.checks.criteria(items, self.source),
                Block::Table { rows, .. } => {
                    for row in rows.iter().filter(|row| row.cells.iter().any(|cell| !cell.is_empty())) {
                        self.checks.criterion(items::row_text(&row.cells), row.range.clone(), self.source);
                    }
                }
                _ => {}
            }
        }
        if self.checks.criteria.len() == before {
            for block in blocks {
                if let Block::Paragraph { range, line } = block
                    && !line.text.is_empty()
                {
                    self.checks.criterion(line.text.clone(), range.clone(), self.source);
                }
            }
        }
    }
}

/// Makes a requirement of a task's text when it has no item.
fn prose_is_work(task: &mut TaskDraft) {
    if !task.requirements.is_empty() || task.notes.is_empty() {
        return;
    }
    let notes = std::mem::take(&mut task.notes);
    let first = notes.split("\n\n").next().unwrap_or_default();
    let names_itself = task.title.is_empty()
        || domains::role(&domains::normal(&task.title)).is_some()
        || task.who.as_ref().is_some_and(|who| who.name.as_str() == task.title);
    let is_line = !first.starts_with(['`', '|', '#', '>', '~', '-']);
    let (text, detail) = match names_itself && is_line {
        true => (first.split_whitespace().collect::<Vec<_>>().join(" "), notes[first.len()..].trim().to_owned()),
        false => (task.title.clone(), notes),
    };
    let range = 0..0;
    task.requirements.push(RequirementDraft { at: task.at, text, detail, range, ..RequirementDraft::default() });
}

fn has_boxes(block: &Block) -> bool {
    matches!(block, Block::List { items } if items.iter().any(|item| item.boxed || item.is_group()))
}

fn has_open_boxes(block: &Block) -> bool {
    has_boxes(block)
}

/// Tells whether a block says something about the plan itself, as `- **Owner**: Ada` does, or is no list at all.
fn is_metadata(block: &Block) -> bool {
    let Block::List { items } = block else { return true };
    items.iter().all(|item| {
        let label = item.line.text.split_once(':').map(|(label, _)| label.trim());
        item.blocks.is_empty()
            && item.number.is_none()
            && label.is_some_and(|label| {
                const LABELS: [&str; 22] = [
                    "owner",
                    "author",
                    "date",
                    "status",
                    "created",
                    "updated",
                    "version",
                    "priority",
                    "issue",
                    "ticket",
                    "branch",
                    "estimate",
                    "effort",
                    "epic",
                    "spec",
                    "type",
                    "labels",
                    "reviewer",
                    "feature",
                    "input",
                    "prerequisites",
                    "last updated",
                ];
                LABELS.contains(&domains::normal(label).as_str())
            })
    })
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

/// Tells whether the line before a list says that it holds no criteria.
fn is_labelled_aside(blocks: &[Block], list: usize, source: &Source<'_>) -> bool {
    let before = list.checked_sub(1).and_then(|before| blocks.get(before));
    matches!(before, Some(Block::Paragraph { range, .. }) if tasks::labels_aside(&source.text[range.clone()]))
}
