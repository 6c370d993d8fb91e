//! What is done with each input, and what has to hold then. The fuzz targets call it, and so does a test of the workspace that
//! replays their corpora. Everything is values in, values out.

/// Plans in every dialect: whatever is written, there is a plan or there are problems with their lines.
pub(crate) fn plan(data: &[u8]) {
    use implementer_model::{plan, roster};

    const NAMES: [&str; 8] = [
        "plan.md",
        "plan.yml",
        "plan.json",
        "specs/1/tasks.md",
        "openspec/changes/x/tasks.md",
        ".kiro/specs/x/tasks.md",
        "docs/stories/1.md",
        ".taskmaster/tasks/tasks.json",
    ];

    let Some((first, bytes)) = data.split_first() else { return };
    let name = NAMES[usize::from(*first) % NAMES.len()];
    let reading = plan::read(name, bytes, &roster::builtin(), &plan::Settings::default());
    assert!(reading.plan.is_some() || !reading.diagnostics.is_empty(), "neither a plan nor a problem");
    for diagnostic in &reading.diagnostics {
        let said = diagnostic.to_string();
        assert!(!said.chars().any(|c| c.is_control() && c != '\n' && c != '\t'), "{said:?}");
    }
}

/// Agent files: their front matter is often no strict YAML.
pub(crate) fn front_matter(data: &[u8]) {
    use implementer_model::{config::Config, roster};

    let path = ".claude/agents/backend-x.md".to_owned();
    let loaded = roster::load(&[roster::AgentFile { path, content: data.to_vec() }], &Config::default());
    assert!(loaded.roster.iter().count() >= 8, "the eight stay");
}

/// YAML with positions, which the configuration and plans are read from.
pub(crate) fn yaml_tree(data: &str) {
    use implementer_model::yaml;

    let _ = yaml::tree::parse(data);
    let _ = yaml::mapping(data);
}

/// The configuration.
pub(crate) fn config(data: &str) {
    use implementer_model::config::Config;

    match Config::read("c.yml", data, &["command", "claude", "codex", "gemini", "opencode"]) {
        Ok(_) => {}
        Err(problems) => assert!(!problems.is_empty()),
    }
}

/// Reports of subagents, and answers that hold one.
pub(crate) fn report(data: &[u8]) {
    use implementer_model::report::ReadReport;

    if let Err(error) = ReadReport::new(data) {
        assert!(error.to_string().len() < 4096, "an endless message");
    }
}

/// Hand-offs, and the pages that are made of them.
pub(crate) fn handoff(data: &[u8]) {
    use implementer_model::{
        handoff::{Handoff, TaskRecord},
        summary,
    };

    if let Ok(handoff) = Handoff::read(data) {
        let page = summary::render_within(&handoff, 65_536);
        assert!(page.starts_with("## Backend Implementation "));
        let diff = |task: &TaskRecord| (task.id.clone(), String::from_utf8_lossy(data).into_owned());
        let html = summary::html::report(&handoff, &handoff.tasks.iter().map(diff).collect());
        assert_eq!(html.matches("<script").count(), 1, "a script that is not ours");
    }
}

/// Files in which test runners write results: JUnit and others.
pub(crate) fn results(data: &[u8]) {
    use implementer_model::evidence;

    if let Ok(results) = evidence::formats::read(data) {
        let _ = results.counts();
    }
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = evidence::counts::from_junit(text);
    }
}

/// What commands print: closing words of test runners.
pub(crate) fn counts(data: &str) {
    use implementer_model::evidence;

    if let Some(words) = evidence::words::read(data) {
        let _ = words.counts.executed();
    }
}

/// Globs: what two scopes both allow, their overlap must know.
pub(crate) fn globs(data: &str) {
    use implementer_model::scope::{self, CompiledScope, Scope};

    let mut parts = data.split('\n');
    let (Some(a), Some(b), Some(path)) = (parts.next(), parts.next(), parts.next()) else { return };
    let scope = |glob: &str| Scope { allow: vec![glob.to_owned()], deny: [].into() };
    let (a, b) = (scope(a), scope(b));
    let (Ok(one), Ok(other)) = (CompiledScope::new(&a), CompiledScope::new(&b)) else { return };
    let plain = !path.is_empty()
        && !path.contains(['\\', '\0'])
        && path.split('/').all(|name| !matches!(name, "" | "." | ".."));
    if plain && one.allows(path) && other.allows(path) {
        assert!(scope::overlap(&a, &b).is_some(), "{a:?} and {b:?} both allow {path:?}");
    }
}

/// Paths of patches: a check never panics, and what passes is a path that every file system can hold.
pub(crate) fn paths(data: &str) {
    use implementer_model::{
        ids::ObjectId,
        patch::{Blob, Change, FileMode, Patch},
        scope::{self, Scope, TreePaths},
        vocabulary::Access,
    };

    let id = || ObjectId::new("1".repeat(40)).expect("an id");
    let mut lines = data.split('\n');
    let base: Vec<&str> = lines.by_ref().take_while(|line| !line.is_empty()).take(8).collect();
    let changes: Vec<Change> = lines
        .take(8)
        .map(|line| {
            let (path, target) = line.split_once('\t').map_or((line, None), |(path, target)| (path, Some(target)));
            let mode = if target.is_some() { FileMode::Symlink } else { FileMode::Plain };
            Change {
                path: path.to_owned(),
                old: None,
                new: Some(Blob { mode, id: id() }),
                renamed_from: None,
                added: None,
                removed: None,
                link_target: target.map(str::to_owned),
            }
        })
        .collect();
    let patch = Patch { base: id(), base_tree: id(), tree: id(), changes };
    // What the base has is left alone, and so is what lies beside it.
    let base_is_plain = !base.iter().any(|path| path.contains(['\\', ':']));
    let all = Scope { allow: vec!["**".to_owned()], deny: [].into() };
    if let Ok(checked) = scope::check(patch, &all, Access::Writes, Some(&TreePaths::new(base))) {
        for change in &checked.patch().changes {
            let path = &change.path;
            assert!(!path.starts_with('/') && !path.contains(['\0', '\n']), "{path:?}");
            assert!(!base_is_plain || !path.contains(['\\', ':']), "{path:?}");
            assert!(
                !path.split('/').any(|name| name.eq_ignore_ascii_case(".git") || matches!(name, "" | "." | "..")),
                "{path:?}"
            );
        }
    }
}

/// Payloads of GitHub's events, and commands in comments.
pub(crate) fn event(data: &[u8]) {
    use implementer_model::conversation;

    const EVENTS: [&str; 5] = ["pull_request", "issue_comment", "workflow_dispatch", "push", "workflow_call"];

    let Some((first, payload)) = data.split_first() else { return };
    let _ = conversation::event::read(EVENTS[usize::from(*first) % EVENTS.len()], payload);
    if let Ok(comment) = std::str::from_utf8(payload) {
        let _ = conversation::command::read(comment);
    }
}

/// Commands of gates: split without a shell, and joined again.
pub(crate) fn command(data: &str) {
    use implementer_model::command;

    if let Ok(argv) = command::split(data) {
        assert!(!argv.is_empty());
        let again = command::split(&command::join(&argv));
        assert_eq!(again.as_ref(), Ok(&argv), "{data:?}");
    }
}

/// Every sink for foreign text, read back by a CommonMark parser: nothing of it is structure, and nothing goes unseen.
pub(crate) fn sinks(data: &str) {
    use implementer_model::text;
    use pulldown_cmark::{Event, Options, Parser, Tag};

    let escaped = text::markdown(data);
    assert!(!escaped.contains(['\n', '\r']));
    for event in Parser::new_ext(&format!("- x {escaped}\n"), Options::all()) {
        let plain =
            matches!(event, Event::Start(Tag::List(_) | Tag::Item | Tag::Paragraph) | Event::End(_) | Event::Text(_));
        assert!(plain, "{event:?} in {escaped:?}");
    }
    let code = format!("a {} b", text::code(data));
    assert_eq!(Parser::new(&code).filter(|event| matches!(event, Event::Code(_))).count(), 1, "{code:?}");
    let fenced = text::fenced(data, "");
    let blocks = Parser::new(&fenced).filter(|event| matches!(event, Event::Start(_))).count();
    assert_eq!(blocks, 1, "{fenced:?}");
    let line = text::line(data);
    assert!(!line.chars().any(char::is_control), "{line:?}");
    assert_eq!(text::line(&line), line);
    let inert = text::inert(&line);
    assert_eq!(text::inert(&inert), inert);
    assert!(!inert.to_lowercase().contains("[skip ci]") && !inert.contains("://"), "{inert:?}");
    let plain = text::plain(data);
    assert!(!plain.contains('\u{1b}'), "{plain:?}");
}
