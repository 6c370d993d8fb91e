//! What a task may touch beside its subagent's usual paths, where the repository has no file on those.

use std::{collections::BTreeSet, sync::LazyLock};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::draft::Draft;
use crate::{
    diagnostics::{Diagnostic, Position, Severity},
    ids::TaskId,
    plan::Plan,
    roster::{self, Access, Role, Roster, Subagent},
    scope::{CompiledScope, Exclusions, Scope},
};

/// A task that may touch the repository's code, because the usual paths of its subagent have no file there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Widened {
    /// The task.
    pub task: TaskId,
    /// What it may touch beside its subagent's scope.
    pub globs: Vec<String>,
}

impl Widened {
    /// Says so where the plan and what is wrong with it are shown.
    #[must_use]
    pub fn note(&self, plan: &Plan) -> Diagnostic {
        let planned = plan.tasks.iter().find(|planned| planned.id == self.task);
        let globs: Vec<_> = self.globs.iter().map(|glob| format!("`{glob}`")).collect();
        let whose = planned.map_or_else(String::new, |planned| format!(" of `{}`", planned.subagent));
        let message = format!(
            "`{}` may also touch {}: the repository has no file in the scope{whose}",
            self.task,
            globs.join(", ")
        );
        let mut note = Diagnostic::new(Severity::Note, "scope-widened", &plan.source, message)
            .hint("a line `Touches:` in its section says exactly what it may touch");
        note.position = planned.map(|planned| Position { line: planned.line, column: 1 });
        note
    }
}

/// Roles that change code which is there already. Infrastructure, tests and deployment may begin with a new file.
const WORK_IN_CODE: [Role; 2] = [Role::DataTypes, Role::Cli];

/// Roles whose files are no code of the application, whatever folder they lie in.
const APART: [Role; 3] = [Role::Tests, Role::Infrastructure, Role::Deployment];

/// How files end that hold code.
const CODE: &str = " py pyi js mjs cjs jsx ts mts cts tsx vue svelte go rs java kt kts scala groovy clj cljs rb php cs fs vb swift \
    m mm c h cc cpp cxx hpp hh ex exs erl hs lua pl pm r jl dart zig nim cr ml mli sh sql ";

/// Tells whether the repository's files decide about what a task of the plan may touch.
#[must_use]
pub fn asks_for_files(plan: &Plan, roster: &Roster) -> bool {
    plan.tasks
        .iter()
        .any(|task| task.touches.is_empty() && roster.get(&task.subagent).is_some_and(has_usual_scope_in_code))
}

/// The scopes that come with the roles.
static USUAL: LazyLock<Roster> = LazyLock::new(roster::builtin);

/// Tells whether a subagent has the scope that comes with its role: what a team chose itself is never widened.
fn has_usual_scope_in_code(subagent: &Subagent) -> bool {
    WORK_IN_CODE.contains(&subagent.role)
        && subagent.access == Access::Writes
        && USUAL.for_role(subagent.role).is_some_and(|usual| usual.scope == subagent.scope)
}

/// Gives tasks whose usual paths have no file in the repository its code.
///
/// `files` are the paths of the base tree; without any there is nothing to give.
pub(super) fn widen(roster: &Roster, protected: &[String], files: &[String], drafts: &mut [Draft<'_>]) -> Vec<Widened> {
    let mut widened = Vec::new();
    let mut code = None;
    for draft in drafts.iter_mut() {
        if !draft.touches.is_empty() || files.is_empty() || !has_usual_scope_in_code(draft.subagent) {
            continue;
        }
        let code = code.get_or_insert_with(|| Code::new(roster, protected, files));
        // What cannot be read has been told.
        let Ok(scope) = CompiledScope::new(&draft.task.scope) else { continue };
        let has_file = files.iter().any(|path| scope.allows(path) && !code.is_apart(path) && !is_text(path));
        if has_file || code.globs.is_empty() {
            continue;
        }
        let Scope { allow, deny } = &mut draft.task.scope;
        let own = allow.clone();
        // What is denied for the sake of others must not take what is the task's own.
        let takes_own = |glob: &String| {
            let exclusions = Exclusions::new(std::slice::from_ref(glob));
            own.iter().any(|own| matches!(exclusions.of(own), Ok(Some(_))))
        };
        let denied = code.denied.iter().filter(|glob| !deny.contains(glob) && !takes_own(glob));
        *deny = deny.iter().chain(denied).cloned().collect();
        let globs: Vec<String> = code.globs.iter().filter(|glob| !own.contains(glob)).cloned().collect();
        allow.extend(globs.iter().cloned());
        widened.push(Widened { task: draft.task.id.clone(), globs });
    }
    widened
}

/// Where the repository keeps its code.
struct Code {
    /// Its folders, and the kinds of its files beside them.
    globs: Vec<String>,
    /// What the feature may not touch either, and what lies among the code and is none of the application.
    denied: Vec<String>,
    /// The tests, the infrastructure and the deployment.
    apart: Option<CompiledScope>,
}

impl Code {
    fn new(roster: &Roster, protected: &[String], files: &[String]) -> Self {
        let compiled = |allow: &[String], deny: &[String]| {
            CompiledScope::new(&Scope { allow: allow.to_vec(), deny: deny.into() }).ok()
        };
        let of_roles = APART.into_iter().filter_map(|role| roster.for_role(role));
        let apart: Vec<String> = of_roles.flat_map(|subagent| subagent.scope.iter().cloned()).collect();
        let of_feature = roster.for_role(Role::Feature).filter(|feature| feature.access == Access::Writes);
        let excluded = of_feature.map_or(&[][..], |feature| &feature.exclude).iter();
        let mut denied: Vec<String> = Vec::new();
        for glob in excluded.chain(&apart) {
            if !denied.contains(glob) {
                denied.push(glob.clone());
            }
        }
        let hidden: Vec<String> = denied.iter().chain(protected).cloned().collect();
        let free = of_feature.and_then(|feature| compiled(&feature.scope, &hidden));
        let is_code = |path: &&String| is_code(path) && free.as_ref().is_some_and(|scope| scope.allows(path));
        let code: Vec<&String> = files.iter().filter(is_code).collect();
        let commands = roster.for_role(Role::Cli).and_then(|cli| compiled(&cli.scope, &[]));
        let is_command = |path: &str| commands.as_ref().is_some_and(|scope| scope.allows(path));
        let places = |files: &mut dyn Iterator<Item = &&String>| files.filter_map(|path| around(path)).collect();
        let mut globs: BTreeSet<String> = places(&mut code.iter().filter(|path| !is_command(path)));
        if globs.is_empty() {
            // All of it is commands, as in a program that is one `src/main.rs`.
            globs = places(&mut code.iter());
        }
        Self { globs: globs.into_iter().collect(), denied, apart: compiled(&apart, &[]) }
    }

    fn is_apart(&self, path: &str) -> bool {
        self.apart.as_ref().is_some_and(|scope| scope.allows(path))
    }
}

fn extension(path: &str) -> Option<&str> {
    let name = path.rsplit('/').next()?;
    name.rsplit_once('.').filter(|(stem, _)| !stem.is_empty()).map(|(_, end)| end)
}

fn is_code(path: &str) -> bool {
    !path.starts_with('.') && extension(path).is_some_and(|end| CODE.split_whitespace().any(|known| known == end))
}

fn is_text(path: &str) -> bool {
    extension(path).is_some_and(|end| ["md", "mdx", "rst", "adoc", "txt"].contains(&end))
}

/// Returns the glob for the folder at the root in which a file lies, or for its kind where it lies beside the folders.
/// A name that a glob would read as something else has none.
fn around(path: &str) -> Option<String> {
    let plain = |name: &str| name.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '+' | '@'));
    match path.split_once('/') {
        Some((folder, _)) => Some(folder).filter(|folder| plain(folder)).map(|folder| format!("{folder}/**")),
        None => extension(path).map(|end| format!("*.{end}")),
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        config::Config,
        plan::PlannedTask,
        roster::{Role, builtin},
        schedule::{
            Schedule, build,
            testing::{plan, strings, task},
        },
        scope::CompiledScope,
    };

    const NODE: [&str; 6] =
        ["README.md", "package.json", "src/app.js", "src/store.js", "bin/shed.js", "test/app.test.js"];

    fn schedule(tasks: Vec<PlannedTask>, files: &[&str]) -> Schedule {
        let config = Config::default();
        build(&plan(tasks), &builtin(), &config, &config.protected_paths(), &strings(files)).unwrap()
    }

    fn may(schedule: &Schedule, at: usize, path: &str) -> bool {
        CompiledScope::new(&schedule.tasks[at].scope).unwrap().allows(path)
    }

    #[test]
    fn a_task_without_a_file_of_its_own_may_touch_the_code() {
        for (files, yes, no) in [
            (
                &NODE[..],
                "src/store.js src/new/reservation.js src/types/a.js types/b.js",
                "test/app.test.js src/a.test.js README.md",
            ),
            (
                &["app/store.py", "main.py", "tests/test_a.py", "infra/main.tf"],
                "app/store.py models.py",
                "tests/test_a.py app/test_x.py infra/main.tf app/x.tf",
            ),
            (&["Cargo.toml", "src/main.rs"], "src/store.rs", "Cargo.toml tests/a.rs .github/workflows/ci.yml"),
            (
                &["go.mod", "main.go", "internal/store/store.go", "internal/store/store_test.go"],
                "internal/store/x.go store.go",
                "internal/store/store_test.go go.mod",
            ),
            (
                &["src/main/java/a/Store.java", "src/test/java/a/StoreTest.java", "pom.xml"],
                "src/main/java/a/Store.java",
                "src/test/java/a/StoreTest.java src/main/resources/application.yml pom.xml",
            ),
            (
                &["lib/shed.rb", "spec/shed_spec.rb", "deploy/run.rb"],
                "lib/shed/store.rb",
                "spec/shed_spec.rb deploy/run.rb",
            ),
        ] {
            let schedule = schedule(vec![task("types", Role::DataTypes)], files);
            for path in yes.split(' ') {
                assert!(may(&schedule, 0, path), "{path} of {files:?}: {:?}", schedule.tasks[0].scope.allow);
            }
            for path in no.split(' ') {
                assert!(!may(&schedule, 0, path), "{path} of {files:?}: {:?}", schedule.tasks[0].scope);
            }
            assert_eq!(schedule.widened.len(), 1, "{files:?}");
        }
    }

    #[test]
    fn nothing_is_widened_where_there_is_a_file_a_path_or_a_word_of_the_team() {
        let types = || task("types", Role::DataTypes);
        for (planned, files) in [
            (types(), &["src/types/a.ts", "src/store.ts"][..]),
            (types().touching(&["src/models/**"]), &NODE),
            (types(), &[]),
            (types(), &["README.md", "docs/a.md"]),
            (task("cli", Role::Cli), &NODE),
            (task("tests", Role::Tests), &["src/a.js"]),
            (task("infra", Role::Infrastructure), &["src/a.js"]),
            (task("deployment", Role::Deployment), &["src/a.js"]),
            (PlannedTask { also_touches: strings(&["src/store.js"]), ..types() }, &NODE),
        ] {
            let schedule = schedule(vec![planned.clone()], files);
            assert_eq!(schedule.widened, [], "{} {files:?}", planned.id);
        }
        let config = "subagents:\n  backend-datatypes:\n    scope: [db/**]\n";
        let config = Config::read("c", config, &[]).unwrap();
        let roster = crate::roster::load(&[], &config).roster;
        let schedule = build(&plan([types()]), &roster, &config, &[], &strings(&NODE)).unwrap();
        assert_eq!((schedule.widened.len(), schedule.tasks[0].scope.allow.as_slice()), (0, &strings(&["db/**"])[..]));
    }

    #[test]
    fn who_shares_the_code_with_the_feature_comes_one_after_the_other_and_takes_nothing_from_it() {
        let files = ["src/app.py", "src/tool.py"];
        let schedule = schedule(vec![task("feature", Role::Feature), task("cli", Role::Cli)], &files);
        assert_eq!(schedule.serialised.len(), 1, "{:?}", schedule.serialised);
        assert!(may(&schedule, 0, "src/app.py") && may(&schedule, 1, "src/app.py"));
        assert!(!may(&schedule, 0, "cli/new.py"), "what is the command line's by default stays its own");
    }

    #[test]
    fn what_an_item_names_comes_beside_the_scope_of_its_subagent() {
        let named = PlannedTask {
            also_touches: strings(&["test/helper.js", "**/README.md"]),
            ..task("types", Role::DataTypes)
        };
        let schedule = schedule(vec![named], &NODE[..4]);
        for path in ["test/helper.js", "README.md", "src/types/a.js"] {
            assert!(may(&schedule, 0, path), "{path}");
        }
    }

    #[test]
    fn the_note_says_what_and_why() {
        let plan = plan([task("types", Role::DataTypes)]);
        let schedule = build(&plan, &builtin(), &Config::default(), &[], &strings(&NODE)).unwrap();
        let note = schedule.widened[0].note(&plan).to_string();
        insta::assert_snapshot!(note, @"
        plan.md:10:1: note[scope-widened]: `types` may also touch `src/**`: the repository has no file in the scope of `backend-datatypes`
          hint: a line `Touches:` in its section says exactly what it may touch
        ");
    }
}
