//! What lines and items say beside the work: what it waits for.

use std::collections::HashMap;

use super::{Body, labels::found_directive};
use crate::plan::{
    blocks::Item,
    directives::{self, Directive},
    draft::Word,
    headings,
    shape::Rules,
    source::Source,
    waits,
};

impl Body<'_, '_> {
    /// Takes what a line of a paragraph says that all of the task waits for.
    pub(super) fn waits_by(&mut self, raw: &str, offset: usize) {
        let (named, spoken) = waited_for(raw, offset, false, self.rules, self.source);
        self.task.needs.extend(named);
        self.task.soft_needs.extend(spoken);
    }

    /// Takes an item that says nothing but what the task waits for: `- Blocked by: PR 1`.
    pub(super) fn takes_waiting(&mut self, item: &Item, raw: &str) -> bool {
        let is_said = self.rules.may_be_foreign() && !item.boxed && item.blocks.is_empty() && waits::is_no_work(raw);
        if is_said {
            let at = self.source.position(item.range.start);
            let names = waits::of_line(&item.line.text);
            self.task.soft_needs.extend(names.into_iter().map(|text| Word { text, at }));
            self.said(item);
            self.note_list(std::slice::from_ref(item));
        }
        is_said
    }

    /// Takes what stands in a list below a label such as "Dependencies:" and is a part of the plan.
    pub(super) fn waits_for_items(&mut self, label: &str, items: &[Item]) {
        if !(waits::heads(label) && self.rules.may_be_foreign()) {
            return;
        }
        for item in items {
            let at = self.source.position(item.range.start);
            let names = waits::of_line(&format!("depends on {}", item.line.text));
            self.task.soft_needs.extend(names.into_iter().map(|text| Word { text, at }));
        }
    }

    /// Resolves what items say of each other by the numbers of their list, "after step 1": other lists have the same
    /// numbers. `first` is the first requirement of the section.
    pub(super) fn wait_by_number(&mut self, first: usize) {
        let number = |name: &str| {
            let number = ["step ", "task ", "item "].iter().find_map(|word| name.strip_prefix(word)).unwrap_or(name);
            number.bytes().all(|b| b.is_ascii_digit()).then(|| number.to_owned())
        };
        let Some(made) = self.task.requirements.get_mut(first..) else { return };
        if !made.iter().any(|made| made.needs.iter().any(|need| number(&need.text).is_some())) {
            return;
        }
        let mut places: HashMap<String, Option<usize>> = HashMap::new();
        for (at, made) in made.iter().enumerate() {
            let written = self.source.text.get(made.range.clone()).unwrap_or_default();
            let end = written.char_indices().nth(60).map_or(written.len(), |(end, _)| end);
            let written = written[..end].trim_start_matches(|c: char| !c.is_alphanumeric());
            if let Some(number) = headings::counted(written).1.into_iter().find_map(|key| number(&key)) {
                // A number that stands twice names neither.
                places.entry(number).and_modify(|place| *place = None).or_insert(Some(at));
            }
        }
        let ids: Vec<String> = made.iter().map(|made| crate::plan::items::place(made.range.start)).collect();
        let mut named = Vec::new();
        for (at, made) in made.iter_mut().enumerate() {
            for need in &mut made.needs {
                let other = number(&need.text).and_then(|number| places.get(&number).copied().flatten());
                if let Some(other) = other.filter(|other| *other != at) {
                    need.text.clone_from(&ids[other]);
                    named.push(other);
                }
            }
        }
        for other in named {
            if !made[other].keys.contains(&ids[other]) {
                made[other].keys.push(ids[other].clone());
            }
        }
    }
}

/// Finds what a line says that its section waits for: what it names, where the plan may name anything, and what it speaks
/// of. Directives are read where a task is, and here where there is none.
pub(in crate::plan) fn waited_for(
    raw: &str,
    offset: usize,
    with_directives: bool,
    rules: Rules,
    source: &Source<'_>,
) -> (Vec<Word>, Vec<Word>) {
    let directive = found_directive(raw);
    let statement = match directive {
        Some((Directive::Needs, start)) if with_directives => Some((waits::Sense::Plain, start)),
        Some(_) => None,
        None => waits::statement(raw),
    };
    let Some((sense, start)) = statement else { return (Vec::new(), Vec::new()) };
    let at = source.position(offset);
    let spoken: Vec<Word> = waits::of_line(raw).into_iter().map(|text| Word { text, at }).collect();
    let value = raw.get(start..).unwrap_or_default();
    let is_name = sense == waits::Sense::Plain && rules.lenient && !waits::says_nothing(value);
    if !is_name || (directive.is_none() && !spoken.is_empty()) {
        return (Vec::new(), spoken);
    }
    (directives::words(value, offset + start, Directive::Needs, source), Vec::new())
}
