//! Steps that are counted in bold, and labels that say whose the list below them is.

use std::ops::Range;

use super::{Body, Label, list_label};
use crate::plan::{blocks::Item, headings, inline::Line, items, mentions};

impl Body<'_, '_> {
    /// Tells whether a paragraph is a step that is written in bold: `**Step 1: Write the test**`. One that is nothing but a
    /// label for the list behind it is none.
    pub(super) fn is_step(&self, line: &Line, range: &Range<usize>, before_list: bool) -> bool {
        let raw = self.source.text[range.clone()].trim();
        let labels_list =
            || before_list && !self.rules.bodies_follow && !raw.contains('\n') && list_label(raw).is_some();
        self.rules.lenient && self.aside.is_none() && headings::leads_a_part(line) && !labels_list()
    }

    pub(super) fn step(&mut self, range: &Range<usize>, line: &Line, group: Option<&str>) {
        let mut step = items::from_text(&line.text, line.strong, range.clone(), self.rules, self.source);
        step.group = group.map(str::to_owned);
        // "**2. Commands** (backend-cli-implementer) …"
        let (lead, behind) = line.text.split_at(line.strong);
        let bracket = behind.trim_start().strip_prefix('(').and_then(|inner| inner.split_once(')'));
        let label = format!("{lead} {}", bracket.map_or("", |(inner, _)| inner));
        step.who = headings::split_subagent(&label, self.roster).map(|(who, _)| who);
        self.task.requirements.push(step);
    }

    /// Takes a list whose label names a subagent or paths: they are those of its items. Returns the label of any other list.
    pub(super) fn named_label(
        &mut self,
        label: Option<Label>,
        items: &[Item],
        group: Option<&str>,
    ) -> Option<Option<Label>> {
        let name = match &label {
            Some(Label::Group(name)) if self.rules.lenient && self.aside.is_none() => name,
            _ => return Some(label),
        };
        let paths = mentions::paths(name);
        let (who, name) = match headings::split_subagent(name, self.roster) {
            Some((who, name)) => (Some(who), name),
            None if paths.is_empty() => return Some(label),
            None => (None, name.clone()),
        };
        let before = self.task.requirements.len();
        let name = Some(name.as_str()).filter(|name| !name.is_empty());
        let group: Vec<&str> = group.into_iter().chain(name).collect();
        self.items(items, Some(group.join(": ").as_str()).filter(|group| !group.is_empty()));
        for made in &mut self.task.requirements[before..] {
            made.who.clone_from(&who);
            made.paths.extend(paths.iter().cloned());
        }
        None
    }
}
