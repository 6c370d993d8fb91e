//! Makes a roster out of agent files and the configuration.

use super::{
    Access, Origin, Role, Roster, Subagent,
    definition::{Definition, Model, define},
    embedded,
    file::AgentFile,
    notes::{self, GuessedRole},
    pipeline,
    roles::{self, Evidence},
};
use crate::{
    config::{CONFIG_PATH, Config, SubagentConfig},
    diagnostics::{Diagnostic, Severity, sort},
    text::nearest,
};

/// Where agent files are looked for; of two files with one name, the one in the earlier folder wins.
const FOLDERS: [(&str, &str); 2] = [(".claude/agents/", ".md"), (".github/agents/", ".agent.md")];

/// A roster, and what there is to say about the files it was made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// The roster. When a diagnostic is an error, it must not be run with.
    pub roster: Roster,
    /// What is wrong or worth knowing, in the order of the files.
    pub diagnostics: Vec<Diagnostic>,
    /// The roles that nobody said, in the order of the names; [`notes::roles_to_confirm`] says them.
    pub guessed: Vec<GuessedRole>,
}

/// Tells whether a path is one of an agent file: `.claude/agents/**/*.md` or `.github/agents/**/*.agent.md`.
#[must_use]
pub fn is_agent_file(path: &str) -> bool {
    FOLDERS.iter().any(|(folder, extension)| {
        let file = path.strip_prefix(folder).and_then(|rest| rest.rsplit('/').next());
        file.is_some_and(|file| file.len() > extension.len() && file.ends_with(extension))
    })
}

/// Makes a roster of the built-in subagents, the repository's agent files and the configuration's overrides.
///
/// A file with the name of a built-in subagent takes its place; any other one extends the roster. The order of `files`
/// does not matter: of two files with one name, the one in `.claude/agents` wins over the one in `.github/agents`, and
/// within one folder the one whose path comes first.
#[must_use]
pub fn load(files: &[AgentFile], config: &Config) -> Loaded {
    let mut diagnostics = Vec::new();
    let none = Roster::new([]);
    let built_in: Vec<_> = embedded::files().iter().filter_map(|file| define(file, &mut diagnostics)).collect();
    let unchanged = SubagentConfig::default();
    let patterns = built_in.iter().map(|definition| {
        // What there is to say about them is said below, with the overrides that they are used with.
        complete(definition, Origin::BuiltIn, &none, &unchanged, &mut Vec::new())
    });
    let patterns = Roster::new(patterns);
    let theirs = unique(files.iter().filter_map(|file| define(file, &mut diagnostics)).collect(), &mut diagnostics);
    let theirs = without_pipeline(theirs, config, &mut diagnostics);
    let overrides = |definition: &Definition| config.subagents.get(&definition.name).unwrap_or(&unchanged);
    let replaced = |definition: &&Definition| theirs.iter().any(|other| other.name == definition.name);
    let mut subagents = Vec::with_capacity(built_in.len() + theirs.len());
    for definition in built_in.iter().filter(|definition| !replaced(definition)) {
        subagents.push(complete(definition, Origin::BuiltIn, &none, overrides(definition), &mut diagnostics));
    }
    let mut guessed = Vec::new();
    for definition in &theirs {
        let origin = Origin::File(definition.path.clone());
        let overrides = overrides(definition);
        let namesake = patterns.get(&definition.name);
        let said = overrides.role.or(definition.role).or(namesake.map(|namesake| namesake.role));
        if said.is_none() {
            let (role, told) = guess(definition, overrides);
            guessed.push(GuessedRole { subagent: definition.name.clone(), role, told });
        }
        subagents.push(complete(definition, origin, &patterns, overrides, &mut diagnostics));
    }
    diagnostics.extend(notes::of_folder(&theirs));
    let roster = Roster::new(subagents);
    check_configuration(&roster, config, &mut diagnostics);
    check_gates(&roster, &mut diagnostics);
    sort(&mut diagnostics);
    Loaded { roster, diagnostics, guessed }
}

/// Returns the roster of the eight built-in subagents.
#[must_use]
pub fn builtin() -> Roster {
    load(&[], &Config::default()).roster
}

/// Takes out the files of the pipeline itself, unless somebody says which role they play.
fn without_pipeline(
    definitions: Vec<Definition>,
    config: &Config,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Definition> {
    let parts: Vec<String> = pipeline::parts(definitions.iter().map(|definition| definition.name.as_str()))
        .into_iter()
        .map(str::to_owned)
        .collect();
    let has_role = |definition: &Definition| {
        let said = config.subagents.get(&definition.name).and_then(|own| own.role).or(definition.role);
        said.is_some() || Role::ALL.iter().any(|role| role.builtin_name() == definition.name.as_str())
    };
    let (left, kept): (Vec<_>, Vec<_>) = definitions
        .into_iter()
        .partition(|definition| parts.iter().any(|part| part == definition.name.as_str()) && !has_role(definition));
    diagnostics.extend(notes::of_pipeline(&left));
    kept
}

/// Tells the role of a subagent for which nobody says one, and whether anything tells it at all.
fn guess(definition: &Definition, overrides: &SubagentConfig) -> (Role, bool) {
    let told = roles::tell(Evidence {
        name: definition.name.as_str(),
        description: definition.description.as_deref().unwrap_or_default(),
        writes: !only_reads(definition, overrides),
    });
    (told.unwrap_or(Role::Feature), told.is_some())
}

/// Tells whether a file leaves its subagent nothing to write with, and nobody says that it writes all the same.
fn only_reads(definition: &Definition, overrides: &SubagentConfig) -> bool {
    match overrides.access {
        Some(access) => access == Access::ReadOnly,
        None if definition.plans_only => true,
        None => match definition.access {
            Some(access) => access == Access::ReadOnly,
            None => !definition.has_writing_tool(),
        },
    }
}

/// Keeps one definition for each name, and warns about the others.
fn unique(mut definitions: Vec<Definition>, diagnostics: &mut Vec<Diagnostic>) -> Vec<Definition> {
    let folder = |path: &str| FOLDERS.iter().position(|(folder, _)| path.starts_with(folder)).unwrap_or(FOLDERS.len());
    definitions.sort_by(|a, b| (&a.name, folder(&a.path), &a.path).cmp(&(&b.name, folder(&b.path), &b.path)));
    let mut kept: Vec<Definition> = Vec::with_capacity(definitions.len());
    for definition in definitions {
        match kept.last() {
            Some(winner) if winner.name == definition.name => {
                let message = format!("`{}` is also defined in {}, which wins", definition.name, winner.path);
                let diagnostic = Diagnostic::new(Severity::Warning, "duplicate-name", &definition.path, message);
                diagnostics.push(diagnostic.hint("give it another `name`, or remove one of the two"));
            }
            _ => kept.push(definition),
        }
    }
    kept
}

/// Fills what a definition leaves out: from the configuration, from the built-in subagent of its name, from the
/// built-in one of its role.
fn complete(
    definition: &Definition,
    origin: Origin,
    built_in: &Roster,
    overrides: &SubagentConfig,
    diagnostics: &mut Vec<Diagnostic>,
) -> Subagent {
    let name = &definition.name;
    // Whoever reads a diagnostic can change their configuration, not a built-in file.
    let path = if origin == Origin::BuiltIn { CONFIG_PATH } else { definition.path.as_str() };
    let mut report = |severity, code, message: String, hint: String| {
        diagnostics.push(Diagnostic::new(severity, code, path, message).hint(hint));
    };
    let namesake = built_in.get(name);
    let said = overrides.role.or(definition.role).or(namesake.map(|namesake| namesake.role));
    let role = said.unwrap_or_else(|| guess(definition, overrides).0);
    let pattern = namesake.filter(|namesake| namesake.role == role).or_else(|| built_in.for_role(role));
    let of_role = pattern.map_or(Access::Writes, |pattern| pattern.access);
    let access = match overrides.access.or(definition.access) {
        _ if only_reads(definition, overrides) => Access::ReadOnly,
        said => said.unwrap_or(of_role),
    };
    let scope = overrides.scope.as_ref().or(definition.scope.as_ref());
    let exclude = overrides.exclude.as_ref().or(definition.exclude.as_ref());
    let model = overrides.model.as_deref().map(Model::parse).or_else(|| definition.model.clone());
    let mut prompt = definition.prompt.clone();
    if prompt.is_empty() {
        let from = namesake.map(|namesake| namesake.prompt.clone()).or_else(|| definition.description.clone());
        let (severity, code, message) = match (namesake, &from) {
            (Some(_), _) => (Severity::Note, "empty-prompt", "there is no prompt; the built-in one is used"),
            (None, Some(_)) => (Severity::Warning, "empty-prompt", "there is no prompt; the description has to do"),
            (None, None) => (Severity::Error, "empty-agent", "there is neither a prompt nor a description"),
        };
        report(severity, code, message.to_owned(), "write the prompt below the front matter".to_owned());
        prompt = from.unwrap_or_default();
    }
    let subagent = Subagent {
        name: name.clone(),
        role,
        description: (definition.description.clone())
            .or_else(|| namesake.map(|namesake| namesake.description.clone()))
            .unwrap_or_default(),
        prompt,
        model: match model {
            Some(model) => model.name(),
            None => namesake.and_then(|namesake| namesake.model.clone()),
        },
        tools: definition.tools.clone(),
        terms: definition.terms.clone(),
        access,
        scope: scope.or(pattern.map(|pattern| &pattern.scope)).cloned().unwrap_or_default(),
        exclude: exclude.or(pattern.map(|pattern| &pattern.exclude)).cloned().unwrap_or_default(),
        origin,
    };
    if access == Access::ReadOnly && of_role == Access::Writes && said.is_some() && overrides.access.is_none() {
        let why = match (definition.plans_only, definition.access) {
            (true, _) => Some("its file has `permissionMode: plan`"),
            (false, None) => Some("its file grants no tool that changes files"),
            (false, Some(_)) => None,
        };
        if let Some(why) = why {
            let message = format!("`{name}` plays the role `{}` and only reads: {why}", role.name());
            let hint = format!("grant it `Edit` and `Write`, or set `access: writes` for it in {CONFIG_PATH}");
            report(Severity::Warning, "role-without-tools", message, hint);
        }
    }
    if subagent.tools.as_ref().is_some_and(Vec::is_empty) && !definition.aside.tools.is_empty() {
        let message = format!("none of the tools that `{name}` is granted exists here: it has no tool at all");
        report(Severity::Warning, "no-tools", message, "name tools such as `Read`, `Edit` or `Bash`".to_owned());
    }
    match subagent.access {
        Access::Writes if subagent.scope.is_empty() => {
            let message = format!("`{name}` may write, but its scope is empty: whatever it changes is refused");
            report(Severity::Warning, "no-scope", message, "give it a `scope`, or `access: read-only`".to_owned());
        }
        Access::ReadOnly if scope_is_in_vain(definition, &subagent.origin, overrides) => {
            let message = format!("`{name}` has a scope, but its role `{}` only reads", role.name());
            report(Severity::Warning, "scope-without-access", message, "add `access: writes` if it writes".to_owned());
        }
        _ => {}
    }
    subagent
}

/// Tells whether a scope was given to a subagent without a word on its access, as if a scope were a permission to write.
fn scope_is_in_vain(definition: &Definition, origin: &Origin, overrides: &SubagentConfig) -> bool {
    let given = |scope: &Option<Vec<String>>| scope.as_ref().is_some_and(|scope| !scope.is_empty());
    let in_configuration = given(&overrides.scope) && overrides.access.is_none();
    let in_file = *origin != Origin::BuiltIn && given(&definition.scope) && definition.access.is_none();
    in_configuration || (in_file && overrides.access.is_none())
}

/// Looks for overrides of subagents that do not exist.
fn check_configuration(roster: &Roster, config: &Config, diagnostics: &mut Vec<Diagnostic>) {
    for name in config.subagents.keys().filter(|name| roster.get(name).is_none()) {
        let message = format!("`subagents` names `{name}`, which the roster does not have");
        let diagnostic = Diagnostic::new(Severity::Error, "unknown-subagent", CONFIG_PATH, message);
        let near = nearest(name.as_str(), roster.iter().map(|subagent| subagent.name.as_str()));
        diagnostics.push(diagnostic.hint(match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("add its agent file, such as {}NAME.md", FOLDERS[0].0),
        }));
    }
}

/// Looks for gates that nobody stands for, since a file or the configuration gave their subagent another role.
fn check_gates(roster: &Roster, diagnostics: &mut Vec<Diagnostic>) {
    for role in Role::ALL {
        let Some(gate) = role.gate() else { continue };
        if roster.for_role(role).is_none() {
            let message = format!("no subagent plays the role `{}`, which the {gate} gate needs", role.name());
            let diagnostic = Diagnostic::new(Severity::Error, "role-unplayed", CONFIG_PATH, message);
            diagnostics.push(diagnostic.hint(format!("leave `{}` its role", role.builtin_name())));
        }
    }
}
