//! The YAML form of a plan, which is also its JSON form.

use crate::{
    diagnostics::Position,
    gate::GateKind,
    plan::{
        AcceptanceCriterion, commands,
        dialect::outline::prose_is_work,
        directives,
        draft::{CommandLine, Draft, RequirementDraft, TaskDraft, Who, Word},
        items,
        source::{Problems, Source},
    },
    roster::{Role, Roster},
    text,
    yaml::tree::{self, Node, Value},
};

/// The keys of a plan.
pub(super) const PLAN_KEYS: [&str; 6] = ["title", "preamble", "tasks", "verification", "acceptance", "out-of-scope"];
/// The keys of a task.
pub(super) const TASK_KEYS: [&str; 9] =
    ["id", "subagent", "role", "title", "requirements", "notes", "touches", "needs", "parallel-with"];
/// The keys of a requirement.
pub(super) const REQUIREMENT_KEYS: [&str; 4] = ["id", "text", "detail", "done"];
/// The keys of the verification: the gates.
pub(super) const VERIFICATION_KEYS: [&str; 3] = ["tests", "review", "validation"];

/// The text of a plan in YAML, and where each of its lines stands in the source.
pub(super) struct Text {
    pub(super) text: String,
    /// For each line of `text` the place of its first character.
    pub(super) lines: Vec<Position>,
}

impl Text {
    /// Takes the whole source.
    pub(super) fn whole(source: &Source<'_>) -> Self {
        Self { text: source.text.to_owned(), lines: Vec::new() }
    }

    pub(super) fn place(&self, at: Position) -> Position {
        match self.lines.get((at.line as usize).saturating_sub(1)).or(self.lines.last()) {
            Some(start) => {
                Position { line: start.line, column: start.column.saturating_add(at.column).saturating_sub(1) }
            }
            None => at,
        }
    }
}

/// Reads the YAML form.
pub(super) fn read<'s>(text: &Text, roster: &Roster, problems: &mut Problems<'s>) -> Draft {
    let tree = match tree::parse(&text.text) {
        Ok(tree) => tree,
        Err(error) => {
            let at = text.place(error.position.unwrap_or(Position { line: 1, column: 1 }));
            problems.error("yaml-syntax", at, format!("the plan is not readable YAML: {}", error.message), "");
            return Draft::default();
        }
    };
    if let Some(duplicate) = tree.duplicate_key {
        let at = text.place(duplicate.position.unwrap_or(Position { line: 1, column: 1 }));
        problems.error("duplicate-key", at, duplicate.message, "keep one of them");
    }
    FormReader { text, roster, problems }.plan(&tree.root)
}

/// Tells whether a draft has anything in it, so that a text that could not be read is not also said to hold no work.
pub(super) fn is_empty(draft: &Draft) -> bool {
    draft.tasks.is_empty() && draft.title.is_none() && draft.verification.is_empty() && draft.acceptance.is_empty()
}

struct FormReader<'r, 's> {
    text: &'r Text,
    roster: &'r Roster,
    problems: &'r mut Problems<'s>,
}

type Entry<'n> = (&'static str, Position, &'n Node);

impl FormReader<'_, '_> {
    fn plan(&mut self, node: &Node) -> Draft {
        let mut draft = Draft::default();
        for (key, at, value) in self.entries(node, "a plan", &PLAN_KEYS) {
            match key {
                "title" => draft.title = self.text_of(value, key).map(|title| one_line(&title)),
                "preamble" => draft.preamble = self.text_of(value, key).unwrap_or_default().trim().to_owned(),
                "tasks" => {
                    for task in self.list(value, key) {
                        draft.tasks.extend(self.task(task));
                    }
                }
                "verification" => self.verification(value, at, &mut draft),
                "out-of-scope" => {
                    for node in self.list(value, key) {
                        let said = self.text_of(node, "what is out of scope");
                        draft
                            .out_of_scope
                            .extend(said.map(|said| said.trim().to_owned()).filter(|said| !said.is_empty()));
                    }
                }
                _ => {
                    for node in self.list(value, key) {
                        if let Some(text) = self.text_of(node, "a criterion") {
                            let line = self.text.place(node.position).line;
                            draft.acceptance.push(AcceptanceCriterion { text: one_line(&text), line });
                        }
                    }
                }
            }
        }
        draft
    }

    fn task(&mut self, node: &Node) -> Option<TaskDraft> {
        let at = self.text.place(node.position);
        let entries = self.entries(node, "a task", &TASK_KEYS);
        if !matches!(node.value, Value::Mapping(_)) {
            return None;
        }
        let mut task = TaskDraft { at, ..TaskDraft::default() };
        let mut named: Option<&str> = None;
        let mut default_title = String::new();
        for (key, key_at, value) in entries {
            match key {
                "id" => task.id = self.word(value, key),
                "subagent" | "role" => {
                    if let Some(first) = named.replace(key) {
                        let message = format!("a task has either `subagent` or `role`; this one has `{first}` too");
                        self.problems.error("duplicate-key", key_at, message, "keep one of them");
                    } else if let Some(word) = self.word(value, key) {
                        (task.who, default_title) = if key == "role" { self.role(&word) } else { self.subagent(&word) };
                    }
                }
                "title" => task.title = self.text_of(value, key).map(|title| one_line(&title)).unwrap_or_default(),
                "requirements" => {
                    for node in self.list(value, key) {
                        task.requirements.extend(self.requirement(node));
                    }
                }
                "notes" => task.add_note(self.text_of(value, key).unwrap_or_default().trim()),
                "touches" => task.touches = self.words(value, key),
                "needs" => task.needs = self.words(value, key),
                _ => task.parallel_with = self.words(value, key),
            }
        }
        if named.is_none() {
            let hint = "add `role: feature` or `subagent: NAME`";
            self.problems.error("missing-key", at, "the task says neither `role` nor `subagent`", hint);
        }
        if task.title.is_empty() {
            task.title = default_title;
        }
        prose_is_work(&mut task);
        Some(task)
    }

    fn role(&mut self, word: &Word) -> (Option<Who>, String) {
        let Some(role) = Role::ALL.into_iter().find(|role| role.name() == word.text) else {
            let message = format!("there is no role `{}`", text::truncate(&word.text, 80));
            let ids = Role::ALL.map(Role::name);
            let hint = match self.problems.suggest(&word.text, ids) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("the roles are {}", ids.join(", ")),
            };
            self.problems.error("unknown-subagent", word.at, message, hint);
            return (None, word.text.clone());
        };
        let who = Who::of_role(role, self.roster);
        if who.is_none() {
            let message = format!("no subagent of the roster plays the role {}", role.title());
            self.problems.error("unknown-subagent", word.at, message, "add an agent file for it");
        }
        (who, role.title().to_owned())
    }

    fn subagent(&mut self, word: &Word) -> (Option<Who>, String) {
        let who = Who::of_name(&word.text, self.roster);
        if who.is_none() {
            let message = format!("there is no subagent `{}`", text::truncate(&word.text, 80));
            let names = self.roster.iter().map(|subagent| subagent.name.as_str());
            let hint = match self.problems.suggest(&word.text, names) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("name one of the roster: {}", super::draft::known(self.roster)),
            };
            self.problems.error("unknown-subagent", word.at, message, hint);
        }
        (who, word.text.clone())
    }

    fn requirement(&mut self, node: &Node) -> Option<RequirementDraft> {
        let at = self.text.place(node.position);
        let mut draft = RequirementDraft { at, ..RequirementDraft::default() };
        if !matches!(node.value, Value::Mapping(_)) {
            let written = self.text_of(node, "a requirement")?;
            let written = written.trim();
            // Of several lines the first is the requirement and the others are its detail.
            let (first, rest) = written.split_once('\n').unwrap_or((written, ""));
            draft.text = one_line(first);
            draft.detail = items::dedent(rest);
        } else {
            for (key, _, value) in self.entries(node, "a requirement", &REQUIREMENT_KEYS) {
                match key {
                    "id" => draft.id = self.word(value, key),
                    "text" => draft.text = self.text_of(value, key).map(|text| one_line(&text)).unwrap_or_default(),
                    "detail" => draft.detail = items::dedent(&self.text_of(value, key).unwrap_or_default()),
                    _ => draft.done = self.flag(value, key),
                }
            }
        }
        if draft.text.is_empty() {
            let message = "the requirement has no text";
            self.problems.error("missing-key", at, message, "add `text`: what is to be done, in one line");
            return None;
        }
        Some(draft)
    }

    fn verification(&mut self, node: &Node, at: Position, draft: &mut Draft) {
        let mut seen = 0;
        let is_mapping = matches!(node.value, Value::Mapping(_));
        if is_mapping || node.value != Value::Null {
            for (key, _, value) in self.entries(node, "the verification", &VERIFICATION_KEYS) {
                let gate = GateKind::ALL
                    .into_iter()
                    .find(|gate| gate.name() == key)
                    .expect("invariant: the keys of a verification are the names of gates");
                for node in self.list(value, key) {
                    let Some(written) = self.text_of(node, "a command") else { continue };
                    for command in commands::of_block(written.lines()) {
                        seen += 1;
                        let line = node.position.line.saturating_add(u32::try_from(command.line).unwrap_or(u32::MAX));
                        // The column of the command itself: behind a quotation mark, a prompt, an indentation.
                        let quoted = usize::from(node.is_quoted && command.line == 0);
                        let before = u32::try_from(command.skipped + quoted).unwrap_or(u32::MAX);
                        let column = node.position.column.saturating_add(before);
                        let at = self.text.place(Position { line, column });
                        let command = CommandLine { gate, text: &command.text, at };
                        draft.verification.extend(commands::split(command, self.problems));
                    }
                }
            }
        }
        if seen == 0 {
            let hint = "list commands below `tests`, `review` or `validation`, or leave `verification` out";
            self.problems.error("empty-verification", at, "the verification has no command", hint);
        }
    }

    /// Returns the entries of a mapping whose keys are known; tells of the others, and of what is no mapping.
    fn entries<'n>(&mut self, node: &'n Node, what: &str, keys: &'static [&'static str]) -> Vec<Entry<'n>> {
        let Value::Mapping(entries) = &node.value else {
            let message = format!("{what} is a mapping, but this is {}", node.value.kind());
            let hint = format!("its keys are {}", keys.join(", "));
            self.problems.error("wrong-type", self.text.place(node.position), message, hint);
            return Vec::new();
        };
        let mut known = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            let at = self.text.place(key.position);
            let (Value::Text(name) | Value::Literal(name)) = &key.value else {
                self.problems.error("unknown-key", at, format!("{what} has no such key"), keys.join(", "));
                continue;
            };
            match keys.iter().find(|known| *known == name) {
                Some(key) => known.push((*key, at, value)),
                None => {
                    let hint = match self.problems.suggest(name, keys.iter().copied()) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => format!("its keys are {}", keys.join(", ")),
                    };
                    let message = format!("{what} has no key `{}`", text::truncate(name, 80));
                    self.problems.error("unknown-key", at, message, hint);
                }
            }
        }
        known
    }

    /// Returns the elements of a list; one text alone is a list of one, and nothing is an empty one.
    fn list<'n>(&mut self, node: &'n Node, what: &str) -> &'n [Node] {
        match &node.value {
            Value::Sequence(nodes) => nodes,
            Value::Null => &[],
            Value::Text(_) | Value::Literal(_) => std::slice::from_ref(node),
            Value::Mapping(_) => {
                let message = format!("`{what}` is a list, but this is {}", node.value.kind());
                self.problems.error(
                    "wrong-type",
                    self.text.place(node.position),
                    message,
                    "begin each entry with `- `",
                );
                &[]
            }
        }
    }

    fn text_of(&mut self, node: &Node, what: &str) -> Option<String> {
        match &node.value {
            Value::Text(text) | Value::Literal(text) => Some(text.clone()),
            // A key without a value says nothing.
            Value::Null if self.is_key(what) => None,
            other => {
                let message = format!("{what} is a text, but this is {}", other.kind());
                let hint = "put it in quotation marks when it has `: ` or brackets in it";
                self.problems.error("wrong-type", self.text.place(node.position), message, hint);
                None
            }
        }
    }

    fn is_key(&self, what: &str) -> bool {
        PLAN_KEYS.contains(&what) || TASK_KEYS.contains(&what) || REQUIREMENT_KEYS.contains(&what)
    }

    fn word(&mut self, node: &Node, what: &str) -> Option<Word> {
        let text = self.text_of(node, what)?;
        Some(Word { text: text.trim().to_owned(), at: self.text.place(node.position) })
    }

    fn words(&mut self, node: &Node, what: &str) -> Vec<Word> {
        let nodes = self.list(node, what);
        nodes
            .iter()
            .filter_map(|node| self.word(node, "an entry"))
            .filter(|word| !(word.text.is_empty() || directives::is_none(&word.text)))
            .collect()
    }

    fn flag(&mut self, node: &Node, what: &str) -> bool {
        match &node.value {
            Value::Literal(text) if text == "true" => true,
            Value::Literal(text) if text == "false" => false,
            Value::Null => false,
            _ => {
                let message = format!("`{what}` is either true or false");
                self.problems.error("wrong-type", self.text.place(node.position), message, "write `true` or `false`");
                false
            }
        }
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
