//! Tasks that are counted in a code block: `Task 1:`, and below it what belongs to it.

use super::{Block, CodeLine, Item};
use crate::plan::inline::Line;

/// What people write behind the fence of a list of tasks; other languages are code.
const INFOS: [&str; 7] = ["", "yaml", "yml", "text", "txt", "md", "markdown"];

/// Returns the tasks that the lines of a code block count, when there are two of them.
pub(super) fn tasks(info: Option<&str>, lines: &[CodeLine], text: &str) -> Option<Vec<Item>> {
    if !info.is_some_and(|info| INFOS.contains(&info.to_ascii_lowercase().as_str())) {
        return None;
    }
    let starts: Vec<usize> = (0..lines.len()).filter(|at| counted(&lines[*at].text).is_some()).collect();
    if starts.len() < 2 {
        return None;
    }
    let ends = starts[1..].iter().copied().chain([lines.len()]);
    Some(starts.iter().zip(ends).map(|(start, end)| item(&lines[*start..end], text)).collect())
}

/// Returns what stands behind `Task 1:` on a line that begins with it.
fn counted(line: &str) -> Option<&str> {
    let rest = ["Task ", "task ", "TASK "].iter().find_map(|word| line.strip_prefix(word))?;
    let behind = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    let is_number = (1..=3).contains(&(rest.len() - behind.len()));
    let text = [":", ".", " -", " –", " —", ")"].iter().find_map(|mark| behind.strip_prefix(mark))?;
    is_number.then(|| text.trim())
}

/// Makes an item of a line that counts a task and the lines below it.
fn item(lines: &[CodeLine], text: &str) -> Item {
    let end = |line: &CodeLine| (line.offset + line.text.len()).min(text.len());
    // Where the line only counts, what is below it says what the task is.
    let named = |line: &&CodeLine| !counted(&line.text).unwrap_or(line.text.trim()).is_empty();
    let first = lines.iter().find(named).or(lines.first());
    let mut item = Item::default();
    if let (Some(first), Some(begin), Some(last)) = (first, lines.first(), lines.last()) {
        let title = counted(&first.text).unwrap_or(first.text.trim()).to_owned();
        let body = lines.iter().filter(|line| line.offset > first.offset);
        let body = body.map(|line| line.text.as_str()).collect::<Vec<_>>().join("\n");
        item.range = begin.offset..end(last);
        item.line = Line { text: title, range: begin.offset..end(first), ..Line::default() };
        if !body.trim().is_empty() {
            let range = end(first)..end(last);
            let line = Line { text: body, range: range.clone(), ..Line::default() };
            item.blocks.push(Block::Paragraph { range, line });
        }
    }
    item
}
