//! Items that are labels around work of different domains.

use super::Body;
use crate::plan::{
    accounting::{Placed, What},
    blocks::{Item, nested},
    division, items,
};

impl Body<'_, '_> {
    /// Takes what stands below an item for items of their own, where that divides: with the labels above it before its text.
    pub(super) fn takes_parts(&mut self, item: &Item, group: Option<&str>) -> bool {
        if !self.rules.may_be_foreign() || self.rules.bodies_follow || !division::divides(item) {
            return false;
        }
        self.said(item);
        if division::is_label(item) && !item.boxed {
            self.parts(item, group);
        } else {
            self.lines_as_items(item, group);
        }
        true
    }

    fn parts(&mut self, item: &Item, group: Option<&str>) {
        let joined = joined(group, item);
        for part in nested(&item.blocks) {
            match division::read_only(part).filter(|_| division::is_label(part)) {
                Some(reason) => {
                    let section = part.line.text.trim_end_matches(':').to_owned();
                    self.placed.push(Placed::new(part.range.clone(), What::Aside { reason, section }));
                    self.note_list(std::slice::from_ref(part));
                }
                None if division::is_label(part) => {
                    self.said(part);
                    self.parts(part, Some(&joined));
                }
                None => self.work(part, Some(&joined)),
            }
        }
    }

    /// Makes a requirement of each line below an item. The first has the item's id, and all of them what it says of itself.
    fn lines_as_items(&mut self, item: &Item, group: Option<&str>) {
        let Some(mut whole) = items::requirement(item, None, self.rules, self.source, self.comments) else { return };
        let joined = match group {
            Some(group) => format!("{group}: {}", whole.text.trim_end_matches(':')),
            None => whole.text.trim_end_matches(':').to_owned(),
        };
        let traces: Vec<&Item> = nested(&item.blocks).filter(|line| division::is_trace(line)).collect();
        for line in division::lines(item) {
            let made = items::requirement(line, Some(&joined), self.rules, self.source, self.comments);
            let Some(mut made) = made else { continue };
            made.id = made.id.or_else(|| whole.id.take());
            made.keys.extend(whole.keys.iter().cloned());
            made.needs.extend(whole.needs.iter().cloned());
            made.parallel |= whole.parallel;
            for trace in &traces {
                made.detail.push_str(&format!(
                    "{}- {}",
                    if made.detail.is_empty() { "" } else { "\n" },
                    trace.line.text
                ));
            }
            self.task.requirements.push(made);
        }
    }
}

fn joined(group: Option<&str>, item: &Item) -> String {
    let name = item.line.text.trim_end_matches(':');
    group.map_or_else(|| name.to_owned(), |group| format!("{group}: {name}"))
}
