//! Python: what installs the packages, what runs the tests, and the version.

use super::{Found, JobStep, SlotSetup, Test, quoted, versions};
use crate::starter::{Repository, join};

/// Installs Python on the runner.
const SETUP_PYTHON: &str = "actions/setup-python@a309ff8b426b58ec0e2a45f0f869d46889d02405 # v6.2.0";

pub(super) fn python(repository: &Repository, folder: &str, found: &mut Found) {
    let at = |name: &str| join(folder, name);
    let project = repository.text(&at("pyproject.toml"));
    let below = |path: &&String| folder.is_empty() || path.starts_with(&format!("{folder}/"));
    let requirements: Vec<String> = repository
        .paths
        .iter()
        .filter(|path| {
            let name = path.rsplit('/').next().unwrap_or(path);
            **path == join(folder, name) && name.starts_with("requirements") && name.ends_with(".txt")
        })
        .cloned()
        .collect();
    let mentions = |word: &str| {
        project.contains(word)
            || ["tox.ini", "setup.py", "Pipfile"].iter().any(|name| repository.text(&at(name)).contains(word))
            || requirements.iter().any(|path| repository.text(path).contains(word))
    };
    let pytest = mentions("pytest")
        || repository.has(&at("pytest.ini"))
        || repository.paths.iter().filter(below).any(|path| path.ends_with("conftest.py"))
        || written_for_pytest(repository, folder);
    let installer = installer(repository, folder, found);
    if installer.name == "pip" {
        with_pip(repository, folder, &requirements, pytest, found);
    }
    if let Some(runner) = &installer.runner {
        found.test(&runner.command, runner.because.clone());
    } else {
        let (command, why) = if pytest {
            let place = if folder.is_empty() { String::new() } else { format!(" {}", quoted(folder)) };
            (format!("python3 -m pytest{place}"), "the tests are written for pytest")
        } else {
            let place = unittest_place(repository, folder);
            (format!("python3 -m unittest discover -v{place}"), "nothing names another runner than Python's own")
        };
        let prefix = installer.prefix;
        let command = if prefix.is_empty() { command } else { command.replace("python3 -m pytest", "pytest") };
        let sources = repository.paths.iter().any(|path| path.starts_with(&at("src/")) && path.ends_with(".py"));
        // What is installed is the package as it was; the tests are to see what a slot has.
        let command = match installer.name == "pip" && sources && is_package(repository, folder) {
            true => format!("env PYTHONPATH={} {command}", quoted(&at("src"))),
            false => format!("{prefix}{command}"),
        };
        found.test(&command, format!("{why}; installed with {}", installer.name));
    }
    python_version(repository, folder, project, found);
}

/// What installs the packages of a project.
#[derive(Default)]
struct Installer {
    name: &'static str,
    /// What a command begins with that runs among its packages.
    prefix: &'static str,
    /// What runs the tests, where it has a way of its own.
    runner: Option<Test>,
}

fn installer(repository: &Repository, folder: &str, found: &mut Found) -> Installer {
    let at = |name: &str| join(folder, name);
    let project = repository.text(&at("pyproject.toml"));
    let mut on_runner = |program: &str| {
        let because = format!("the runner has no {program} of its own");
        found.step(JobStep::Run { command: format!("python3 -m pip install {program}"), because });
    };
    if repository.has(&at("uv.lock")) || project.contains("[tool.uv") {
        on_runner("uv");
        let run =
            if folder.is_empty() { "uv sync".to_owned() } else { format!("uv sync --project {}", quoted(folder)) };
        found.setup.push(slot_setup(repository, folder, &run, "uv.lock"));
        return Installer { name: "uv", prefix: "uv run ", runner: None };
    }
    if repository.has(&at("poetry.lock")) || project.contains("[tool.poetry") {
        on_runner("poetry");
        found.setup.push(slot_setup(repository, folder, "poetry install", "poetry.lock"));
        return Installer { name: "Poetry", prefix: "poetry run ", runner: None };
    }
    if repository.has(&at("pdm.lock")) || project.contains("[tool.pdm") {
        on_runner("pdm");
        found.setup.push(slot_setup(repository, folder, "pdm install", "pdm.lock"));
        return Installer { name: "PDM", prefix: "pdm run ", runner: None };
    }
    if repository.has(&at("Pipfile")) {
        on_runner("pipenv");
        found.setup.push(slot_setup(repository, folder, "pipenv install --dev", "Pipfile.lock"));
        return Installer { name: "pipenv", prefix: "pipenv run ", runner: None };
    }
    // A runner of tests that makes environments by itself installs by itself.
    let (program, command, because) = if project.contains("[tool.hatch.env") {
        ("hatch", "hatch test", format!("{} has environments of Hatch", at("pyproject.toml")))
    } else if repository.text(&at("tox.ini")).contains("[testenv") || project.contains("[tool.tox") {
        (
            "tox",
            "tox run -e py",
            format!(
                "tox runs the tests, says {}",
                if repository.has(&at("tox.ini")) { at("tox.ini") } else { at("pyproject.toml") }
            ),
        )
    } else if repository.has(&at("noxfile.py")) {
        ("nox", "nox", format!("{} is there", at("noxfile.py")))
    } else {
        return Installer { name: "pip", ..Installer::default() };
    };
    on_runner(program);
    if !folder.is_empty() {
        return Installer { name: program, ..Installer::default() };
    }
    Installer { name: program, prefix: "", runner: Some(Test { command: command.to_owned(), because }) }
}

fn slot_setup(repository: &Repository, folder: &str, run: &str, lock: &str) -> SlotSetup {
    let manifest = repository.first_in(folder, &["pyproject.toml", "Pipfile"]);
    let lock = repository.first_in(folder, &[lock]);
    let because = lock.as_ref().or(manifest.as_ref()).map_or_else(String::new, |file| format!("{file} is there"));
    SlotSetup { run: run.to_owned(), files: manifest.into_iter().chain(lock).collect(), because }
}

/// Tells whether a project can be installed, with what it needs.
fn is_package(repository: &Repository, folder: &str) -> bool {
    let project = repository.text(&join(folder, "pyproject.toml"));
    project.contains("[project]") || repository.has(&join(folder, "setup.py"))
}

fn with_pip(repository: &Repository, folder: &str, requirements: &[String], pytest: bool, found: &mut Found) {
    let mut run = |command: String, because: String| found.step(JobStep::Run { command, because });
    for path in requirements {
        let command = format!("python3 -m pip install --requirement {}", quoted(path));
        run(command, format!("{path} lists what the tests need"));
    }
    let manifest = repository.first_in(folder, &["pyproject.toml", "setup.py"]);
    if let Some(manifest) = manifest.as_ref().filter(|_| requirements.is_empty() && is_package(repository, folder)) {
        let extra = extra_of_tests(repository.text(&join(folder, "pyproject.toml")));
        let place = if folder.is_empty() { ".".to_owned() } else { format!("./{folder}") };
        let package = extra.map_or_else(|| place.clone(), |extra| format!("{place}[{extra}]"));
        run(format!("python3 -m pip install {}", quoted(&package)), format!("{manifest} lists what it needs"));
    }
    if pytest && !requirements.iter().any(|path| repository.text(path).contains("pytest")) {
        let because = "the tests are written for pytest, and no requirements file installs it".to_owned();
        run("python3 -m pip install pytest".to_owned(), because);
    }
    found.needs_checkout |= !requirements.is_empty() || manifest.is_some();
}

/// Finds the extra that has what the tests need.
fn extra_of_tests(project: &str) -> Option<&'static str> {
    let (_, extras) = project.split_once("[project.optional-dependencies]")?;
    let extras = extras.split("\n[").next().unwrap_or_default();
    let has = |name: &str| extras.lines().any(|line| line.split('=').next().is_some_and(|key| key.trim() == name));
    ["test", "tests", "testing", "dev"].into_iter().find(|name| has(name))
}

fn python_version(repository: &Repository, folder: &str, project: &str, found: &mut Found) {
    let file =
        repository.first_in(folder, &[".python-version"]).or_else(|| repository.first_in("", &[".python-version"]));
    let (with, why) = if let Some(file) = file {
        (("python-version-file".to_owned(), file.clone()), format!("{file} names the version"))
    } else if project.contains("requires-python") {
        let file = join(folder, "pyproject.toml");
        (("python-version-file".to_owned(), file.clone()), format!("{file} names the version in `requires-python`"))
    } else if let Some((version, because)) = versions::find(repository, "python") {
        (("python-version".to_owned(), version), because)
    } else {
        let why = "nothing names a version of Python".to_owned();
        (("python-version".to_owned(), "3.12".to_owned()), why)
    };
    found.language(SETUP_PYTHON, vec![with], why);
}

/// Tests of Python in a repository that has no project file at all.
pub(super) fn loose(repository: &Repository, found: &mut Found) {
    let test = tests_below(repository, "").next();
    let Some(test) = test else { return };
    if written_for_pytest(repository, "") {
        with_pip(repository, "", &[], true, found);
        found.test("python3 -m pytest", format!("{test} is written for pytest"));
    } else {
        let command = format!("python3 -m unittest discover -v{}", unittest_place(repository, ""));
        found.test(&command, format!("{test} is there, and nothing names a runner of tests"));
    }
    python_version(repository, "", "", found);
}

/// Tells whether a file is one of Python's tests, by its name.
pub(in crate::starter) fn is_test(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let named = name.starts_with("test_") && name.ends_with(".py") || name.ends_with("_test.py");
    named && !path.starts_with('.')
}

fn tests_below<'a>(repository: &'a Repository, folder: &'a str) -> impl Iterator<Item = &'a String> {
    let below =
        move |path: &&String| folder.is_empty() || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
    repository.paths.iter().filter(below).filter(|path| is_test(path))
}

/// Tells whether tests are plain functions or ask for pytest: unittest finds none of them.
fn written_for_pytest(repository: &Repository, folder: &str) -> bool {
    tests_below(repository, folder).any(|path| {
        let text = repository.text(path);
        let begins = |words: &[&str]| text.lines().any(|line| words.iter().any(|word| line.starts_with(word)));
        begins(&["import pytest", "from pytest", "def test_", "async def test_"])
    })
}

/// Returns where unittest looks: by itself it does not go into a folder that is no package.
fn unittest_place(repository: &Repository, folder: &str) -> String {
    let apart = tests_below(repository, folder).find_map(|path| {
        let (tests, _) = path.rsplit_once('/')?;
        let is_package = repository.has(&join(tests, "__init__.py"));
        (tests != folder && !is_package).then_some(tests)
    });
    let place = apart.unwrap_or(folder);
    if place.is_empty() { String::new() } else { format!(" -s {}", quoted(place)) }
}
