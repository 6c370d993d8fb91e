//! The way in: bytes become text, the form is found, and the plan is read and checked.

use crate::{
    command,
    diagnostics::{Diagnostic, Position, Severity},
    ids::Digest,
    plan::{
        PLAN_MAX_BYTES, Plan,
        accounting::{Fate, Placed, What},
        blocks::{self, Block, CodeLine, Document},
        check,
        dialect::{
            self, data,
            reader::{Beside, Input},
            taskmaster,
        },
        draft::Draft,
        folder::Folder,
        granularity,
        inventory::{self, Leaf},
        owners::{Owners, Settings},
        sections,
        shape::{Dialect, Rules},
        source::{Problems, Source},
        yaml_form,
    },
    roster::Roster,
};

/// What became of reading a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// The plan; `None` exactly when there is an error among the diagnostics.
    pub plan: Option<Plan>,
    /// Everything that is wrong, in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads a plan in either form, checks it against the roster, and tells everything that is wrong with it at once.
///
/// `source` is the name under which the user knows the plan; one that ends in `.yml`, `.yaml` or `.json` says what the form
/// is. `docs/plan.md` documents both forms.
#[must_use]
pub fn read(source: &str, bytes: &[u8], roster: &Roster, settings: &Settings) -> Reading {
    // Read in another dialect, the same text is another plan.
    let digest = match settings.dialect {
        None => Digest::from_content(bytes),
        Some(dialect) => Digest::of_parts([bytes, dialect.name().as_bytes()]),
    };
    let Some(folder) = Folder::from_bytes(bytes) else {
        return read_text(source, bytes, digest, roster, settings);
    };
    let mut reading = read_text(&folder.name, folder.text.as_bytes(), digest, roster, settings);
    if let Some(plan) = &mut reading.plan {
        plan.source = folder.name.clone();
        plan.context = folder.context;
    }
    reading
}

fn read_text(source: &str, bytes: &[u8], digest: Digest, roster: &Roster, settings: &Settings) -> Reading {
    let refused = |diagnostic| Reading { plan: None, diagnostics: vec![diagnostic] };
    if bytes.len() > PLAN_MAX_BYTES {
        let message = format!("the plan is longer than {} MiB, which is the most that is read", PLAN_MAX_BYTES >> 20);
        let hint = "split it, or refer to files of the repository instead of quoting them";
        return refused(Diagnostic::new(Severity::Error, "too-long", source, message).hint(hint));
    }
    let text = match text_of(bytes) {
        Ok(text) => text,
        Err(error @ NotText { offset, .. }) => {
            let message = format!("the plan is not text: {error}");
            let hint = "write it as UTF-8 text, in Markdown or YAML";
            let mut diagnostic = Diagnostic::new(Severity::Error, "not-text", source, message).hint(hint);
            let before = String::from_utf8_lossy(&bytes[..offset]);
            diagnostic.position = Some(Position::of_offset(&before, before.len()));
            return refused(diagnostic);
        }
    };
    // Editors do not count a byte order mark as a character.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let indexed = Source::new(source, text);
    let mut problems = Problems::new(&indexed);
    let start = Position { line: 1, column: 1 };
    if text.trim().is_empty() {
        problems.error("empty-plan", start, "the plan is empty", "write at least one section, such as `## Feature`");
        return Reading { plan: None, diagnostics: problems.into_sorted() };
    }
    let found = if let Some(tasks) = taskmaster::recognised(source, text, settings.dialect) {
        let placed = taskmaster::read(&tasks, roster, &indexed, &mut problems);
        Found { draft: placed, dialect: Dialect::Taskmaster, rules: Rules::FOREIGN, leaves: Vec::new() }
    } else if is_yaml(source, text) || settings.dialect == Some(Dialect::Data) {
        let whole = yaml_form::Text::whole(&indexed);
        let is_meant = settings.dialect == Some(Dialect::Data);
        let is_free = is_meant || settings.dialect.is_none();
        match is_free.then(|| data::read(&whole, roster, is_meant, &mut problems)).flatten() {
            Some(draft) => Found { draft, dialect: Dialect::Data, rules: Rules::FOREIGN, leaves: Vec::new() },
            None => Found::ours(yaml_form::read(&whole, roster, &mut problems)),
        }
    } else {
        from_markdown(&indexed, roster, settings, &mut problems)
    };
    let Found { mut draft, dialect, rules, leaves } = found;
    if problems.has_error() && yaml_form::is_empty(&draft) {
        // What could not be read at all is not also said to hold no work.
        return Reading { plan: None, diagnostics: problems.into_sorted() };
    }
    let owners = Owners::new(roster, settings);
    draft.tasks = granularity::assign(draft.tasks, &owners, settings, rules, &mut problems);
    let mut placed = std::mem::take(&mut draft.placed);
    let checking =
        check::Checking { source, digest, roster, lenient: rules.lenient, may_be_foreign: rules.may_be_foreign() };
    let mut plan = check::finish(draft, &checking, &mut placed, &mut problems);
    plan.dialect = dialect;
    plan.dialect_is_asked = settings.dialect.is_some();
    plan.items = inventory::close(&leaves, placed, &indexed, &mut problems);
    let plan = (!problems.has_error()).then_some(plan);
    Reading { plan, diagnostics: problems.into_sorted() }
}

/// What a reader found.
struct Found {
    draft: Draft,
    dialect: Dialect,
    rules: Rules,
    /// The items of the document, which the reader has to speak for.
    leaves: Vec<Leaf>,
}

impl Found {
    /// Takes a draft of our YAML form, in which everything has a key.
    fn ours(mut draft: Draft) -> Self {
        let placed = |line: u32, text: String, fate: Fate| Placed {
            shown: Some((line, text)),
            ..Placed::new(0..0, What::Item(fate))
        };
        let commands = draft
            .verification
            .iter()
            .map(|command| placed(command.line, command::join(&command.argv), Fate::Command { gate: command.gate }));
        let criteria = draft.acceptance.iter().map(|one| placed(one.line, one.text.clone(), Fate::Criterion));
        draft.placed = commands.chain(criteria).collect();
        Self { draft, dialect: Dialect::Ours, rules: Rules::OURS, leaves: Vec::new() }
    }
}

/// Says where a plan is no text, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there is {found} at byte {offset}")]
struct NotText {
    offset: usize,
    found: Foreign,
}

/// What no text has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum Foreign {
    #[error("a NUL")]
    Nul,
    #[error("the byte 0x{0:02x}, which is not UTF-8,")]
    Byte(u8),
}

/// Returns the bytes as text.
///
/// # Errors
/// When they are none.
fn text_of(bytes: &[u8]) -> Result<&str, NotText> {
    let end = match std::str::from_utf8(bytes) {
        Ok(_) => bytes.len(),
        Err(error) => error.valid_up_to(),
    };
    if let Some(offset) = bytes[..end].iter().position(|b| *b == 0) {
        return Err(NotText { offset, found: Foreign::Nul });
    }
    std::str::from_utf8(bytes).map_err(|_| NotText { offset: end, found: Foreign::Byte(bytes[end]) })
}

/// Tells whether a plan is in the YAML form: by the name of its file; or because the text is a JSON object, or begins with
/// one of the form's keys, and has `tasks` at the top level.
fn is_yaml(source: &str, text: &str) -> bool {
    let name = source.to_ascii_lowercase();
    if [".yml", ".yaml", ".json"].iter().any(|end| name.ends_with(end)) {
        return true;
    }
    let mut lines = text.lines();
    let first =
        lines.find(|line| !(line.trim().is_empty() || line.starts_with(['#', '%']) || line.trim_end() == "---"));
    let Some(first) = first else { return false };
    if first.trim_start().starts_with(['{', '[']) {
        return serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok() || text.contains("\"tasks\"");
    }
    let key = |line: &str| line.split_once(':').map(|(key, _)| key.to_owned());
    let begins_with_key = key(first).is_some_and(|key| yaml_form::PLAN_KEYS.contains(&key.as_str()));
    begins_with_key && text.lines().any(|line| key(line).as_deref() == Some("tasks"))
}

/// Reads Markdown: its sections, or the one plan that stands in a fenced block.
fn from_markdown<'s>(source: &Source<'s>, roster: &Roster, settings: &Settings, problems: &mut Problems<'s>) -> Found {
    let start = front_matter_end(source.text);
    let document = blocks::read(source.text, start..source.text.len());
    let fences: Vec<_> = document.blocks.iter().filter_map(plan_fence).collect();
    let Some((offset, lines)) = fences.first() else {
        let todos = data::todos(&front_matter(source, start), roster, problems);
        let has_work = |draft: &Draft| draft.tasks.iter().any(|task| !task.requirements.is_empty());
        // A plan that somebody has pasted with its fence is the plan where nothing around it is one.
        let quoted = document.blocks.iter().find_map(|block| quoted_plan(block, source));
        let beside = match (todos.tasks.is_empty(), &quoted) {
            (false, _) => Beside::Todos,
            (true, Some(_)) => Beside::Quoted,
            (true, None) => Beside::Nothing,
        };
        let before = problems.count();
        let mut found = from_document(&document, beside, source, roster, settings, problems);
        if let Some(quoted) = quoted.filter(|_| todos.tasks.is_empty()) {
            // Boxes outside of it are somebody's list, whatever became of them.
            let is_box = |leaf: &Leaf| {
                let written = source.text[leaf.range.clone()].trim_start_matches(['-', '*', '+', ' ']);
                written.starts_with('[') && written.get(2..3) == Some("]")
            };
            let is_quoted = !has_work(&found.draft) && !found.leaves.iter().any(is_box) && !problems.has_error();
            problems.forget_from(before);
            if is_quoted {
                let inner = blocks::read(source.text, quoted);
                let outer = std::mem::replace(
                    &mut found,
                    from_document(&inner, Beside::Nothing, source, roster, settings, problems),
                );
                found.draft.placed.extend(outer.draft.placed);
                found.leaves.extend(outer.leaves);
            } else {
                found = from_document(&document, Beside::Nothing, source, roster, settings, problems);
            }
        }
        found.draft.placed.extend(todos.placed);
        found.draft.tasks.splice(0..0, todos.tasks);
        return found;
    };
    let at = source.position(*offset);
    for (second, _) in &fences[1..] {
        let message = format!("a second block holds a plan; the first begins on line {}", at.line);
        problems.error("several-plans", source.position(*second), message, "keep one of them");
    }
    if let Some(section) = sections::first_plan_section(&document, roster) {
        let message = format!("this section is a plan beside the one in the block on line {}", at.line);
        let hint = "write the plan either in sections or in the block";
        problems.error("mixed-plan", source.position(section), message, hint);
    }
    if lines.iter().all(|line| line.text.trim().is_empty()) {
        problems.error("empty-plan", at, "the block holds no plan", "write at least one task, or leave the block out");
        return Found::ours(Draft::default());
    }
    let mut text = String::new();
    for line in *lines {
        text.push_str(&line.text);
        text.push('\n');
    }
    let lines = lines.iter().map(|line| source.position(line.offset)).collect();
    Found::ours(yaml_form::read(&yaml_form::Text { text, lines }, roster, problems))
}

/// Reads a document by its sections.
fn from_document<'s>(
    document: &Document,
    beside: Beside,
    source: &Source<'s>,
    roster: &Roster,
    settings: &Settings,
    problems: &mut Problems<'s>,
) -> Found {
    let sections = sections::sections(document, roster);
    let input = Input { document, sections: &sections, roster, source, beside };
    let reader = dialect::find(&input, settings.dialect);
    Found {
        draft: reader.read(&input, problems),
        dialect: reader.dialect(),
        rules: reader.rules(),
        leaves: inventory::leaves(document),
    }
}

/// Returns the front matter, which ends at `end`, as text with the places of its lines.
fn front_matter(source: &Source<'_>, end: usize) -> yaml_form::Text {
    let inner = source.text[..end].trim_end().trim_end_matches(['-', '.']);
    let begin = inner.find('\n').map_or(inner.len(), |at| at + 1);
    let line = |at: usize| Position { line: u32::try_from(at + 2).unwrap_or(u32::MAX), column: 1 };
    let text = inner[begin..].to_owned();
    let lines = (0..text.lines().count()).map(line).collect();
    yaml_form::Text { text, lines }
}

/// Finds where the text of a code block lies that holds Markdown with headings, lists or tables.
fn quoted_plan(block: &Block, source: &Source<'_>) -> Option<std::ops::Range<usize>> {
    let Block::Code { info, lines, .. } = block else { return None };
    let is_markdown = info.as_deref().is_none_or(|info| ["", "md", "markdown", "text", "plan"].contains(&info));
    let (first, last) = (lines.first()?, lines.last()?);
    let range = first.offset..(last.offset + last.text.len()).min(source.text.len());
    // Where the block is indented its lines are no stretch of the text.
    let is_whole = lines.iter().all(|line| source.position(line.offset).column == 1);
    let holds = |block: &Block| matches!(block, Block::Heading { .. } | Block::List { .. } | Block::Table { .. });
    (is_markdown && is_whole && blocks::read(source.text, range.clone()).blocks.iter().any(holds)).then_some(range)
}

/// Returns a code block whose info string says that it holds the plan.
fn plan_fence(block: &Block) -> Option<(usize, &Vec<CodeLine>)> {
    let Block::Code { info: Some(info), lines, range } = block else { return None };
    let words: Vec<String> = info.split_whitespace().map(str::to_lowercase).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["backend-plan"] | ["yaml" | "yml" | "json", "backend-plan"] => Some((range.start, lines)),
        _ => None,
    }
}

/// Finds where the text behind front matter begins: `---`, lines of which the first is `key: value`, `---`.
fn front_matter_end(text: &str) -> usize {
    let mut lines = text.split_inclusive('\n');
    let Some(first) = lines.next().filter(|line| line.trim_end() == "---") else { return 0 };
    let mut end = first.len();
    let mut is_first = true;
    for line in lines {
        if is_first && line.trim().is_empty() {
            end += line.len();
            continue;
        }
        if std::mem::take(&mut is_first)
            && !line.split_once(':').is_some_and(|(key, _)| !key.is_empty() && !key.contains(char::is_whitespace))
        {
            return 0;
        }
        // Boxes are work, and a rule above and one below them make no front matter.
        if ["- [ ]", "- [x]", "* [ ]", "* [x]"].iter().any(|mark| line.trim_start().starts_with(mark)) {
            return 0;
        }
        end += line.len();
        if matches!(line.trim_end(), "---" | "...") {
            return end;
        }
    }
    0
}
