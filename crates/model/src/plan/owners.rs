//! Who does an item that names nobody: whom its paths belong to, whom its words call for, else the default.

use std::{cell::OnceCell, collections::HashMap};

use crate::{
    config::Config,
    ids::SubagentName,
    plan::{
        directives, domains,
        draft::{Owner, Part, Who},
        ownership::Ownership,
        shape::Dialect,
    },
    roster::{Access, Role, Roster},
    scope::{CompiledScope, Scope, matches_everything},
};

/// What decides about items that name nobody, and how they are put together into tasks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The role that does what nothing else decides; `None` makes such an item an error.
    pub default_role: Option<Role>,
    /// The most open items of a task that the plan does not cut itself.
    pub most: usize,
    /// Neighbours with fewer open items than this are done together.
    pub least: usize,
    /// The globs of paths that nobody may touch.
    pub protected: Vec<String>,
    /// The dialect that the user insists on.
    pub dialect: Option<Dialect>,
}

impl Settings {
    /// Takes the settings out of a configuration.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        Self {
            default_role: config.default_role(),
            most: config.granularity.most(),
            least: config.granularity.least(),
            protected: config.protected_paths(),
            dialect: None,
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self::new(&Config::default())
    }
}

/// The roster, looked at for whom a path belongs to.
pub(super) struct Owners<'r> {
    roster: &'r Roster,
    default_role: Option<Role>,
    /// Made when it is asked for: most plans name who does what.
    by_paths: OnceCell<Vec<(Role, CompiledScope)>>,
    protected: Scope,
    /// What each subagent that writes may touch, with what it is named for and without, once it was asked for: compiling
    /// a scope for each of many tasks is what reading a long plan would take its time for.
    own: HashMap<(&'r SubagentName, bool), OnceCell<Option<CompiledScope>>>,
}

/// The order in which roles are asked whether a path is theirs: a test of the command line is a test.
const ASKED: [Role; 5] = [Role::Tests, Role::Deployment, Role::Infrastructure, Role::DataTypes, Role::Cli];

impl<'r> Owners<'r> {
    pub(super) fn new(roster: &'r Roster, settings: &Settings) -> Self {
        Self {
            roster,
            default_role: settings.default_role,
            by_paths: OnceCell::new(),
            protected: Scope { allow: settings.protected.clone(), deny: [].into() },
            own: roster
                .iter()
                .flat_map(|subagent| [true, false].map(|is_named| ((&subagent.name, is_named), OnceCell::new())))
                .collect(),
        }
    }

    /// Returns what belongs to each role of [`ASKED`] by its path.
    fn by_paths(&self) -> &[(Role, CompiledScope)] {
        let compiled = |role: Role| {
            let subagent = self.roster.for_role(role).filter(|subagent| subagent.access == Access::Writes)?;
            let allow: Vec<_> = subagent.scope.iter().filter(|glob| !matches_everything(glob)).cloned().collect();
            // What does not compile has been told where the roster was read.
            Some((role, CompiledScope::new(&Scope { allow, deny: subagent.exclude.clone().into() }).ok()?))
        };
        self.by_paths.get_or_init(|| ASKED.into_iter().filter_map(compiled).collect())
    }

    /// Finds the role that some paths belong to: the one that owns them all, else none of the specialists'.
    ///
    /// Tests of something are named beside it; they decide only where nothing else is named.
    fn of_paths(&self, paths: &[String]) -> Option<Role> {
        let owner = |path: &String| {
            self.by_paths().iter().find(|(_, scope)| scope.allows(&inside(path))).map(|(role, _)| *role)
        };
        let owners: Vec<Option<Role>> = paths.iter().map(owner).collect();
        let code: Vec<_> = owners.iter().filter(|owner| **owner != Some(Role::Tests)).copied().collect();
        let decisive = if code.is_empty() { owners } else { code };
        let first = *decisive.first()?;
        decisive.iter().all(|owner| *owner == first).then_some(first).flatten()
    }

    /// Finds whether what the lines below an item ask for without naming a path is the work of another than `owner`. A line
    /// that only describes has no say, and neither has one about tests or checks: those stand beside any work.
    fn is_disputed(&self, text: &str, parts: &[Part], owner: Role) -> bool {
        let asks = |part: &&Part| {
            part.paths.is_empty()
                && (domains::begins_asking(&part.text)
                    || domains::text_asks(&part.text)
                    || domains::asks_elsewhere(&part.text))
        };
        let whole = domains::role_of_words(text);
        parts.iter().filter(asks).any(|part| {
            let role = domains::role_of_words(&part.text).or(whole).or(self.default_role);
            role.is_some_and(|role| role != owner && role != Role::Tests && role.gate().is_none())
        })
    }

    /// Decides who does an item with this text and these paths, and these `parts` below it.
    pub(super) fn of_item(&self, text: &str, paths: &[String], parts: &[Part]) -> Option<(Who, Ownership)> {
        let who = |role: Role| Who::of_role(role, self.roster);
        // Who is to look at a file changes nothing in it.
        let words = domains::role_of_words(text);
        if let Some(who) = words.filter(|role| *role == Role::Review).and_then(who) {
            return Some((who, Ownership::Words));
        }
        let owner = self.of_paths(paths).filter(|owner| !self.is_disputed(text, parts, *owner));
        if let Some(who) = owner.and_then(who) {
            return Some((who, Ownership::Paths));
        }
        // Paths that belong to no specialist say more than words do, but that tests are written for them, and that somebody
        // is to go through documents: "Run quickstart.md validation".
        let are_documents = || paths.iter().all(|path| is_document(path));
        let words = words.filter(|role| match role {
            Role::Tests => true,
            Role::Validation => are_documents(),
            _ => paths.is_empty(),
        });
        let role = words.or_else(|| of_details(parts).filter(|_| paths.is_empty()));
        if let Some(who) = role.and_then(who) {
            return Some((who, Ownership::Words));
        }
        let default = who(self.default_role?)?;
        Some((default, Ownership::Default))
    }

    /// Decides the same for an item below a label that names a domain: it is that domain's
    /// unless it is plainly another's. `text` is what it says itself, and `whole` has the labels before it.
    pub(super) fn of_item_under(
        &self,
        label: Option<Role>,
        text: &str,
        whole: &str,
        paths: &[String],
        parts: &[Part],
    ) -> Option<(Who, Ownership)> {
        let found = self.of_item(text, paths, parts);
        // Most work is a feature, and what may be called so ("integration") says little against a label.
        let is_decided = |(who, why): &(Who, Ownership)| {
            *why == Ownership::Paths || *why == Ownership::Words && !self.is_role(who, Role::Feature)
        };
        if found.as_ref().is_some_and(is_decided) {
            return found;
        }
        match label.and_then(|role| Who::of_role(role, self.roster)) {
            Some(who) => Some((who, Ownership::Words)),
            // A label may say it in other words than the name of a domain.
            None if text != whole => self.of_item(whole, paths, parts).or(found),
            None => found,
        }
    }

    /// Decides who does an item that asks to write something, and that the plan gave to somebody who may not.
    pub(super) fn of_written(&self, text: &str, paths: &[String]) -> Option<(Who, Ownership)> {
        let found = self.of_item(text, paths, &[]).filter(|(who, _)| self.writes(who));
        found.or_else(|| Some((Who::of_role(self.default_role?, self.roster)?, Ownership::Default)))
    }

    /// Tells whether a subagent may change files.
    pub(super) fn writes(&self, who: &Who) -> bool {
        self.roster.get(&who.name).is_some_and(|subagent| subagent.access == Access::Writes)
    }

    /// Finds the subagent in whose tools or places an item asks for something, where another may change nothing there.
    pub(super) fn denied_by_words(&self, who: &Who, text: &str) -> Option<&'r SubagentName> {
        let role = domains::role_of_place(text).filter(|role| !self.is_role(who, *role))?;
        let other = self.roster.for_role(role).filter(|other| other.access == Access::Writes)?;
        let own = self.scope_of(who, false).filter(|_| self.writes(who))?;
        let may_any = other.scope.iter().any(|glob| own.allows(&sample(glob)));
        (!may_any && !other.scope.is_empty()).then_some(&other.name)
    }

    /// Finds the subagent that an item names itself: before its text, behind it, or in a line below.
    pub(super) fn named(&self, text: &str, detail: &str) -> Option<Who> {
        let find = |name: &str| Who::of_name(name, self.roster).filter(|_| name.contains('-'));
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let plain = text.trim_matches(|c: char| !is_name(c));
        let first = plain.split(|c: char| !is_name(c)).next().and_then(find);
        let last = || {
            let name = plain.rsplit(|c: char| !is_name(c)).next()?;
            let before = plain[..plain.len() - name.len()].trim_end_matches(['`', '*', ' ', '@']);
            let is_marked = plain[..plain.len() - name.len()].ends_with('@')
                || ["(", "[", "→", "->", ":", "—", " by", "assigned to"].iter().any(|mark| before.ends_with(mark));
            find(name).filter(|_| is_marked)
        };
        first.or_else(last).or_else(|| detail.lines().find_map(|line| assigned(line, self.roster)))
    }

    /// Returns when in our order a subagent works: its phase, and its place in it.
    pub(super) fn rank(&self, who: &Who) -> Option<u8> {
        self.roster.get(&who.name).map(|subagent| subagent.role.rank())
    }

    /// Tells whether a subagent plays a role.
    pub(super) fn is_role(&self, who: &Who, role: Role) -> bool {
        self.roster.get(&who.name).is_some_and(|subagent| subagent.role == role)
    }

    /// Tells whether a subagent makes something, and does not only look at what others made.
    pub(super) fn makes(&self, who: &Who) -> bool {
        self.roster.get(&who.name).is_some_and(|subagent| subagent.role.gate().is_none())
    }

    /// Tells whether a path lies in what a subagent may touch when the plan says nothing about it.
    pub(super) fn has_in_scope(&self, who: &Who, path: &str) -> bool {
        self.scope_of(who, false).is_some_and(|scope| scope.allows(&inside(path)))
    }

    /// Returns what a subagent may touch: of the whole repository when the plan names the subagent, else of its scope.
    fn scope_of(&self, who: &Who, is_named: bool) -> Option<&CompiledScope> {
        let subagent = self.roster.get(&who.name)?;
        let own = self.own.get(&(&subagent.name, is_named))?;
        let compiled = || {
            let allow = if is_named { vec!["**".to_owned()] } else { subagent.scope.clone() };
            CompiledScope::new(&Scope { allow, deny: subagent.exclude.clone().into() }).ok()
        };
        own.get_or_init(compiled).as_ref()
    }

    /// Keeps the paths that a subagent may touch, and returns the others beside them.
    ///
    /// What the plan gives to a subagent by name it may touch unless that is excluded; what was only guessed to be its
    /// work does not widen its scope.
    pub(super) fn permitted(&self, who: &Who, paths: &[String], owner: Owner) -> (Vec<String>, Vec<String>) {
        let Some(subagent) = self.roster.get(&who.name) else { return (Vec::new(), Vec::new()) };
        if subagent.access == Access::ReadOnly || paths.is_empty() {
            return (Vec::new(), Vec::new());
        }
        let is_named = owner == Owner::Decided(Ownership::Named);
        let own = self.scope_of(who, is_named);
        let protected = CompiledScope::new(&self.protected).ok();
        let is_protected = |path: &str| protected.as_ref().is_some_and(|scope| scope.allows(path));
        let is_own = |path: &String| {
            let path = inside(path);
            own.is_some_and(|scope| scope.allows(&path)) && !is_protected(&path)
        };
        let (own, others): (Vec<String>, Vec<String>) = paths.iter().cloned().partition(is_own);
        let is_plain = |path: &String| directives::check_glob(path).is_ok() && crate::text::deceptive(path).is_none();
        (own.into_iter().filter(is_plain).collect(), others)
    }
}

/// Finds the role that all lines below an item speak of which ask for something: "Create an S3 bucket in Terraform".
fn of_details(parts: &[Part]) -> Option<Role> {
    let mut roles = parts.iter().map(|part| domains::role_of_place(&part.text));
    let first = roles.next()??;
    roles.all(|role| role == Some(first)).then_some(first)
}

/// Returns a path that a glob matches.
fn sample(glob: &str) -> String {
    glob.replace("**/", "").replace("**", "x").replace('*', "x")
}

/// What a line begins with that says who does something.
const ASSIGNS: [&str; 18] = [
    "agent",
    "subagent",
    "sub agent",
    "specialist",
    "assigned to",
    "assignee",
    "assigned agent",
    "owner",
    "owned by",
    "responsible",
    "executor",
    "delegate to",
    "agent type",
    "role",
    "assigned",
    "who",
    "done by",
    "zuständig",
];

/// Finds the subagent that a line gives the work to, as `**Agent:** backend-datatypes` does. A person's name is none.
pub(super) fn assigned(line: &str, roster: &Roster) -> Option<Who> {
    let line = line.trim().trim_start_matches(['-', '*', '+']).trim_start();
    // The markers of a bold label were cut where the marker of a list may stand.
    let (label, rest) = line.split_once(':')?;
    let label = domains::normal(label);
    if !ASSIGNS.contains(&label.as_str()) {
        return None;
    }
    let value = rest.trim_matches(|c: char| !c.is_alphanumeric());
    Who::of_name(value, roster).or_else(|| {
        let value = domains::normal(value);
        let role = domains::role(&value)?;
        // An owner may be a team of people: "QA" would keep the work from being written, and "Backend" is who does all of it.
        let is_plain = domains::normal(role.title()) == value || domains::normal(role.name()) == value;
        let may_be_people = matches!(label.as_str(), "owner" | "owned by" | "assignee");
        let is_team = matches!(role, Role::Review | Role::Validation | Role::Feature);
        Who::of_role(role, roster).filter(|_| !may_be_people || !is_team || is_plain)
    })
}

/// Finds in a line that gives the work to somebody the name of a subagent that does not exist: `Owner: backend-cli`.
pub(super) fn assigned_to_nobody<'l>(line: &'l str, roster: &Roster) -> Option<&'l str> {
    let (label, rest) = line.trim().trim_start_matches(['-', '*', '+']).split_once(':')?;
    let value = rest.trim_matches(|c: char| !c.is_alphanumeric());
    let is_name = value.starts_with("backend-") && !value.contains(char::is_whitespace);
    (is_name && ASSIGNS.contains(&domains::normal(label).as_str()) && Who::of_name(value, roster).is_none())
        .then_some(value)
}

/// Tells whether a path is that of a text that people read.
fn is_document(path: &str) -> bool {
    [".md", ".mdx", ".txt", ".rst", ".adoc"].iter().any(|end| path.ends_with(end))
}

/// Returns a path that lies where a path of the plan points: for a folder, one in it, and for one that may lie anywhere,
/// that at the root.
fn inside(path: &str) -> String {
    let path = path.strip_prefix("**/").filter(|rest| !rest.contains('*')).unwrap_or(path);
    if path.ends_with('/') { format!("{path}x") } else { path.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scope_of_a_subagent_is_compiled_once_however_many_tasks_it_has() {
        let roster = crate::roster::builtin();
        let owners = Owners::new(&roster, &Settings::default());
        let who = Who::of_role(Role::Feature, &roster).unwrap();
        for number in 0..100 {
            let paths = [format!("src/a{number}.py")];
            let (own, others) = owners.permitted(&who, &paths, Owner::Decided(Ownership::Paths));
            assert_eq!((own.as_slice(), others.len()), (paths.as_slice(), 0));
        }
        assert_eq!(owners.own.values().filter(|scope| scope.get().is_some()).count(), 1);
    }
}
