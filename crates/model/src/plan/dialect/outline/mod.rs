//! Markdown as sections under headings: what each is, and whose its items are.

mod asides;
mod pieces;
mod prose;
mod said;
mod section;
mod sentences;

use std::ops::Range;

pub(in crate::plan) use self::prose::prose_is_work;

use super::reader::{Beside, Input};
use crate::{
    diagnostics::Position,
    gate::GateKind,
    plan::{
        accounting::Reason,
        domains::{self, Fixed},
        draft::{Draft, Owner, TaskDraft, Who},
        headings::{Heading, Names},
        items,
        sections::{self, Section},
        shape::Rules,
        source::{Problems, Source},
        verification::Checks,
    },
    roster::{Role, Roster},
};

/// Says what a heading is in a dialect, where its words mean something else there.
pub(super) type Hook<'h> = &'h dyn Fn(&Heading, &str) -> Option<Fixed>;

/// Reads a document. Where too little in it is work, what it says about itself is: a plan may have nothing but an approach,
/// or nothing but words.
pub(super) fn read<'s>(rules: Rules, hook: Hook<'_>, input: &Input<'_, 's>, problems: &mut Problems<'s>) -> Draft {
    let before = problems.count();
    let read = |promotes: Promotes, problems: &mut Problems<'s>| {
        problems.forget_from(before);
        // Who writes sentences for a plan does not know how we read them.
        let lenient = rules.lenient || matches!(promotes, Promotes::Asked | Promotes::AskedAbout | Promotes::Prose);
        OutlineReader::new(Rules { lenient, ..rules }, hook, promotes, input, problems).document(input.sections)
    };
    let draft = read(Promotes::Nothing, problems);
    if problems.has_error() || input.beside != Beside::Nothing {
        return draft;
    }
    let has_work = |task: &TaskDraft| !task.requirements.is_empty();
    let suffices = |draft: &Draft| draft.tasks.iter().any(|task| has_work(task) && implements(task, input.roster));
    // What is only rolled out has to be made somewhere. Who wrote for us and asks for nothing but that means it.
    let is_rollout = |task: &TaskDraft| Who::of_role(Role::Deployment, input.roster) == task.who;
    let makes = |draft: &Draft| {
        draft.tasks.iter().any(|task| has_work(task) && implements(task, input.roster) && !is_rollout(task))
    };
    if makes(&draft) || (suffices(&draft) && !rules.guessed) {
        return draft;
    }
    if draft.tasks.iter().any(has_work) {
        let further = if rules.guessed { &FURTHER[..] } else { &FURTHER[..1] };
        for promotes in further {
            let draft = read(*promotes, problems);
            if makes(&draft) {
                return draft;
            }
        }
        if suffices(&draft) {
            return read(Promotes::Nothing, problems);
        }
        if rules.guessed {
            let draft = read(Promotes::Everything, problems);
            if suffices(&draft) {
                return draft;
            }
        }
        return read(Promotes::Approach, problems);
    }
    for promotes in FURTHER[1..].iter().filter(|_| rules.guessed) {
        let draft = read(*promotes, problems);
        if suffices(&draft) {
            return draft;
        }
    }
    let draft = read(Promotes::Everything, problems);
    if draft.tasks.iter().any(has_work) || problems.has_error() || !rules.guessed {
        return draft;
    }
    // Words of which none asks for anything are no plan.
    let asks = |section: &Section<'_>| {
        let is_open = !matches!(&section.heading, Some((.., heading)) if matches!(heading.names, Names::Fixed(_)));
        let heading = section.line().is_some_and(|line| domains::asks(&line.text));
        is_open
            && (heading
                || domains::states_a_duty(&input.source.visible(section.body.clone(), &input.document.comments)))
    };
    if !input.sections.iter().any(asks) {
        return draft;
    }
    read(Promotes::Prose, problems)
}

/// What of the words of a plan about itself is taken for work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Promotes {
    /// Nothing: the plan has work.
    Nothing,
    /// How it is to be done: the plan has nothing but checks of it.
    Approach,
    /// Also sentences that ask for something.
    Asked,
    /// Also those of sections that say what the plan is about.
    AskedAbout,
    /// All that has items: the plan has no work at all.
    Everything,
    /// All that is said: the plan has no item at all.
    Prose,
}

/// What is taken for work one after the other, until something is.
const FURTHER: [Promotes; 3] = [Promotes::Approach, Promotes::Asked, Promotes::AskedAbout];

/// Tells whether a task makes something, and does not only look at what others made.
fn implements(task: &TaskDraft, roster: &Roster) -> bool {
    let role = task.who.as_ref().and_then(|who| roster.get(&who.name)).map(|subagent| subagent.role);
    let makes = |role: Role| role.gate().is_none();
    role.map_or_else(
        || task.requirements.iter().any(|made| domains::role_of_words(&made.text).is_none_or(makes)),
        makes,
    )
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
    /// The work itself: what stands below is work although it is only text. A heading that names a subagent or a domain
    /// hands it down to what stands below.
    Frame { who: Option<(Who, Owner)> },
    /// A list of files, and the task that it was written under.
    Files { task: Option<usize>, name: String },
    /// What the plan is about: what is not plainly work below it is no work either.
    Context { name: String },
}

/// What was seen in a verification section and below it.
struct ChecksSeen {
    at: Position,
    /// How many checks it has.
    checks: usize,
    /// Whether it has text that is none.
    is_text: bool,
}

struct OutlineReader<'r, 's> {
    rules: Rules,
    hook: Hook<'r>,
    /// What the plan says about itself and is taken for work, since too little else is.
    promotes: Promotes,
    /// Whether the front matter lists the work, so that text only explains it.
    has_todos: bool,
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
    /// What the sections around the current place say that everything in them waits for.
    waits: Vec<(u8, said::Waits)>,
    /// The headings around the current place.
    headings: Vec<(u8, String)>,
    /// The verification sections, with what is in each.
    checks_seen: Vec<ChecksSeen>,
    /// Counts the frames around tasks that may be joined.
    frame: usize,
    /// Where the first section begins that holds the work and nothing else.
    work_frame: Option<usize>,
    /// The level of the heading around the current place that says that its work is done.
    done: Option<u8>,
}

impl<'r, 's> OutlineReader<'r, 's> {
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
            has_todos: input.beside == Beside::Todos,
            roster: input.roster,
            source: input.source,
            comments: &input.document.comments,
            problems,
            draft: Draft::default(),
            checks: Checks::default(),
            preamble: Vec::new(),
            bare_headings: Vec::new(),
            places: Vec::new(),
            waits: Vec::new(),
            headings: Vec::new(),
            checks_seen: Vec::new(),
            frame: 0,
            work_frame: None,
            done: None,
        }
    }

    fn document(mut self, sections: &[Section<'_>]) -> Draft {
        let title = sections::title(sections);
        let is_counted =
            |section: &Section<'_>| section.heading.as_ref().is_some_and(|(.., heading)| heading.is_counted);
        self.work_frame = sections.iter().enumerate().find_map(|(index, section)| {
            let (level, line, heading) = section.heading.as_ref()?;
            let mut below = sections[index + 1..].iter().take_while(|below| below.level() > *level);
            let is_frame = title != Some(index)
                && domains::holds_only_work(&domains::normal(&heading.title))
                && (section.has_items() || below.any(|below| below.has_items() || is_counted(below)));
            is_frame.then_some(line.range.start)
        });
        for (index, section) in sections.iter().enumerate() {
            let below = &sections[index + 1..];
            let without = if below.is_empty() { self.without_ending(section) } else { None };
            let section = without.as_ref().unwrap_or(section);
            let before = self.draft.tasks.len();
            if title == Some(index) {
                self.draft.title = section.line().map(|line| line.text.clone()).filter(|title| !title.is_empty());
                self.untitled(section);
            } else {
                self.section(section, below);
                self.name_by_headings(section, before);
            }
            self.said_beside(section, before);
        }
        self.finish()
    }

    /// Returns whom the innermost heading around the current place names that names anybody.
    fn handed_down(&self) -> Option<(Who, Owner)> {
        self.places.iter().rev().find_map(|(_, place)| match place {
            Place::Frame { who } => who.clone(),
            Place::Task { index, who: Some(who), .. } => {
                let owner = self.draft.tasks.get(*index).map(|task| task.owner)?;
                Some((who.clone(), owner))
            }
            _ => None,
        })
    }

    /// Remembers which headings the tasks stand below, so that others can wait for a section by its heading.
    fn name_by_headings(&mut self, section: &Section<'_>, before: usize) {
        let Some((level, line, _)) = &section.heading else { return };
        self.headings.retain(|(outer, _)| outer < level);
        let text = items::split_braced_id(&line.text).map_or(line.text.as_str(), |(text, _)| text);
        self.headings.push((*level, text.to_owned()));
        for task in &mut self.draft.tasks[before..] {
            task.headings = self.headings.iter().map(|(_, heading)| heading.clone()).collect();
        }
        // What only divides a task names it, too.
        if self.draft.tasks.len() == before
            && let Some((_, Place::Task { index, .. })) = self.places.last()
            && let Some(task) = self.draft.tasks.get_mut(*index)
        {
            task.headings.push(text.to_owned());
        }
    }

    fn finish(mut self) -> Draft {
        for seen in self.checks_seen.iter().filter(|seen| seen.checks == 0) {
            let hint =
                "list commands as items, `- tests: cargo test`, or in a `sh` code block; or leave the section out";
            if seen.is_text {
                let message = "this verification section has no command: its text is left aside, and the gates run as they \
                               do without the section";
                self.problems.warning("empty-verification", seen.at, message, hint);
                continue;
            }
            let message = "this verification section has no command";
            match (self.rules.lenient, self.rules.guessed) {
                (true, _) => {}
                (false, true) => self.problems.warning("empty-verification", seen.at, message, hint),
                (false, false) => self.problems.error("empty-verification", seen.at, message, hint),
            }
        }
        if self.rules.may_be_foreign() {
            self.checks.without_repeats();
        }
        for task in &mut self.draft.tasks {
            prose_is_work(task);
            if self.rules.may_be_foreign() && task.owner != Owner::Named {
                self.draft.out_of_scope.extend(sentences::divide(task));
            }
            if task.is_ticked {
                task.requirements.iter_mut().for_each(|made| made.done = true);
            }
        }
        self.drop_mere_checks();
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
}
