//! How a known runner is asked to write its results into a file: by arguments, by its environment, or by a small recorder
//! of ours where it has no such option. What it prints stays as it is, wherever the runner allows that.

mod recipes;
mod runners;
mod wrappers;

pub use recipes::{Seen, command_behind, seen};
use runners::Runner;

/// The recorder for unittest, and what it is called in the folder of helpers: Python imports it by its name from a folder
/// on its path.
pub const UNITTEST_RECORDER: (&str, &str) = ("python/sitecustomize.py", include_str!("sitecustomize.py"));

/// The variable by which Python finds that folder.
pub const PYTHON_PATH: &str = "PYTHONPATH";

/// What a recorder of ours leaves in the folder of results when something went wrong in it: then there are no results, and
/// that is no fault of the suite.
pub const RECORDER_NOTE: &str = "recorder.note";

/// The recorder for cargo's test binaries.
pub const LIBTEST_RECORDER: (&str, &str) = ("libtest_recorder.sh", include_str!("libtest_recorder.sh"));

/// The setting of nextest that has it write JUnit.
pub const NEXTEST_SETTING: &str = "nextest.toml";

/// The variable that tells a recorder where results go.
pub const RESULTS_VARIABLE: &str = "IMPLEMENTER_RESULTS";

/// Where results are written and helpers lie, as absolute paths.
#[derive(Debug, Clone, Copy)]
pub struct Folders<'a> {
    /// Everything in it was written by this command.
    pub results: &'a str,
    /// The recorders, which the command only reads.
    pub helpers: &'a str,
}

/// Where the results of a runner are found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Where {
    /// In a file or files below the folder of results.
    Results,
    /// On standard output, an event a line.
    Output,
    /// In the places where the runner writes by itself.
    Conventional,
}

/// A command that asks its runner for results.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The program and its arguments.
    pub argv: Vec<String>,
    /// What is added to the environment.
    pub environment: Vec<(String, String)>,
    /// The runner that was recognised, with where it leaves its results: a success without them is none.
    pub runner: Option<(&'static str, Where)>,
}

impl Asked {
    /// Makes a command that asks for nothing.
    #[must_use]
    pub fn plain(argv: &[String]) -> Self {
        Self { argv: argv.to_vec(), environment: Vec::new(), runner: None }
    }

    /// Finds what was added to the command `argv` that a program names in its output, as it does when it refuses an option
    /// that it does not know.
    #[must_use]
    pub fn refused_in(&self, argv: &[String], output: &str) -> Option<String> {
        let words = self.argv.iter().filter(|word| !argv.contains(word)).map(String::as_str);
        let values = self.environment.iter().flat_map(|(_, value)| value.split(' '));
        // `sh -c` has its whole script in one word.
        let words = words.chain(values).flat_map(|word| word.split(' '));
        let options = words.filter(|word| word.starts_with("--")).map(|word| word.split('=').next().unwrap_or(word));
        let written = |option: &str| argv.iter().any(|word| word.contains(option));
        options.filter(|option| !written(option)).find(|option| output.contains(option)).map(str::to_owned)
    }
}

/// Rewrites a command so that its runner writes results. `read` gives the text of a file of the work tree, such as
/// `package.json`, for commands that name a script.
#[must_use]
pub fn ask(argv: &[String], folders: Folders<'_>, read: &dyn Fn(&str) -> Option<String>) -> Asked {
    let mut asked = Asked { argv: argv.to_vec(), environment: environment(folders), runner: None };
    if let Some(rewritten) = rewrite(argv, folders, read, 0) {
        asked.argv = rewritten.argv;
        for (name, value) in rewritten.environment {
            match asked.environment.iter_mut().find(|(other, _)| *other == name) {
                Some((_, old)) => *old = value,
                None => asked.environment.push((name, value)),
            }
        }
        asked.runner = rewritten.runner;
    } else if let Some(options) = command_behind(argv, read).and_then(|words| runners::node_options(&words, folders)) {
        // Behind `make` or a script, node takes its options by the environment.
        asked.environment.push(("NODE_OPTIONS".to_owned(), options));
    }
    // Below another runner, unittest is what tests look at.
    if asked.runner.as_ref().is_none_or(|(name, _)| *name == "unittest") {
        asked.environment.push((PYTHON_PATH.to_owned(), python_folder(folders)));
    }
    asked
}

/// Returns the folder from which Python imports the recorder.
fn python_folder(folders: Folders<'_>) -> String {
    format!("{}/{}", folders.helpers, UNITTEST_RECORDER.0.rsplit_once('/').map_or("", |(folder, _)| folder))
}

/// What several runners read from their environment, however deep in scripts they are started.
fn environment(folders: Folders<'_>) -> Vec<(String, String)> {
    let Folders { results, helpers } = folders;
    let mut all = vec![
        (RESULTS_VARIABLE.to_owned(), results.to_owned()),
        ("PYTEST_ADDOPTS".to_owned(), format!("--junitxml={results}/pytest.xml")),
        ("GTEST_OUTPUT".to_owned(), format!("xml:{results}/gtest/")),
        ("PERL_TEST_HARNESS_DUMP_TAP".to_owned(), format!("{results}/tap")),
        ("ROBOT_OPTIONS".to_owned(), format!("--xunit {results}/robot.xml")),
        ("SPEC_OPTS".to_owned(), format!("--format progress --format json --out {results}/rspec.json")),
    ];
    for target in [
        "X86_64_UNKNOWN_LINUX_GNU",
        "X86_64_UNKNOWN_LINUX_MUSL",
        "AARCH64_UNKNOWN_LINUX_GNU",
        "AARCH64_UNKNOWN_LINUX_MUSL",
        "AARCH64_APPLE_DARWIN",
        "X86_64_APPLE_DARWIN",
    ] {
        all.push((format!("CARGO_TARGET_{target}_RUNNER"), format!("{helpers}/{}", LIBTEST_RECORDER.0)));
    }
    all
}

struct Rewritten {
    argv: Vec<String>,
    environment: Vec<(String, String)>,
    runner: Option<(&'static str, Where)>,
}

/// Scripts that call scripts are followed this deep.
const DEPTH_MAX: usize = 4;

fn rewrite(
    argv: &[String],
    folders: Folders<'_>,
    read: &dyn Fn(&str) -> Option<String>,
    depth: usize,
) -> Option<Rewritten> {
    if depth > DEPTH_MAX {
        return None;
    }
    if let Some((at, script)) = wrappers::shell(argv) {
        return shell(argv, at, script, folders, read, depth);
    }
    let program = wrappers::program(argv)?;
    if let Some(script) = wrappers::package_script(&argv[program..]) {
        return package(argv, &script, folders, read, depth);
    }
    let (begin, rest) = argv.split_at(program);
    // What empties the environment takes away what asks.
    if begin.iter().any(|word| matches!(word.as_str(), "-i" | "--ignore-environment")) {
        return None;
    }
    let Runner { name, found, arguments, environment } = runners::find(rest, folders)?;
    let with_recorder = |word: &String| match word.strip_prefix("PYTHONPATH=") {
        Some(theirs) if name == "unittest" => format!("PYTHONPATH={}:{theirs}", python_folder(folders)),
        _ => word.clone(),
    };
    let mut argv: Vec<String> = begin.iter().map(with_recorder).collect();
    argv.extend(arguments);
    Some(Rewritten { argv, environment, runner: Some((name, found)) })
}

/// `sh -c 'cd x && pytest'`: each command of a plain chain is rewritten on its own.
fn shell(
    argv: &[String],
    at: usize,
    script: &str,
    folders: Folders<'_>,
    read: &dyn Fn(&str) -> Option<String>,
    depth: usize,
) -> Option<Rewritten> {
    if script.contains(['|', ';', '$', '`', '<', '>', '(', ')', '*', '?', '\n'])
        || script.replace("&&", "").contains('&')
    {
        return None;
    }
    let mut all = Rewritten { argv: argv.to_vec(), environment: Vec::new(), runner: None };
    let mut parts = Vec::new();
    let mut known = 0;
    for part in script.split("&&") {
        let words = shlex::split(part)?;
        match rewrite(&words, folders, read, depth + 1) {
            Some(rewritten) => {
                known += 1;
                parts.push(crate::command::join(&rewritten.argv));
                all.environment.extend(rewritten.environment);
                all.runner = all.runner.or(rewritten.runner);
            }
            None => parts.push(part.trim().to_owned()),
        }
    }
    // Two runners would write one file over the other.
    (known == 1).then_some(())?;
    all.argv[at] = parts.join(" && ");
    Some(all)
}

/// `npm test`: the script is looked up, and what its runner needs is handed on behind `--`.
fn package(
    argv: &[String],
    script: &wrappers::PackageScript,
    folders: Folders<'_>,
    read: &dyn Fn(&str) -> Option<String>,
    depth: usize,
) -> Option<Rewritten> {
    let manifest: serde_json::Value = serde_json::from_str(&read("package.json")?).ok()?;
    let text = manifest.pointer("/scripts")?.get(&script.name)?.as_str()?;
    if text.contains(['|', ';', '$', '`', '<', '>', '(', ')', '\n']) || text.contains('&') {
        return None;
    }
    let words: Vec<String> = shlex::split(text)?;
    let inner = rewrite(&words, folders, read, depth + 1)?;
    let mut all = Rewritten { argv: argv.to_vec(), environment: inner.environment, runner: inner.runner };
    if inner.argv == words {
        return Some(all);
    }
    // node takes its options in front of the files, so that they come by the environment.
    if let Some(options) = runners::node_options(&words, folders) {
        all.environment.push(("NODE_OPTIONS".to_owned(), options));
        return Some(all);
    }
    let added = inner.argv.strip_prefix(words.as_slice())?;
    if script.needs_dashes && !argv.iter().any(|word| word == "--") {
        all.argv.push("--".to_owned());
    }
    all.argv.extend(added.iter().cloned());
    Some(all)
}

#[cfg(test)]
mod tests;
