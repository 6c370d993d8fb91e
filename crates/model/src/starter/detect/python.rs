//! Projects of Python: installer, test runner, version.

use super::found::{Found, JobStep, SlotSetup};
use crate::starter::repository::{Repository, join, quoted};

/// The runner's step for the language, pinned.
const SETUP_PYTHON: &str = "actions/setup-python@a309ff8b426b58ec0e2a45f0f869d46889d02405 # v6.2.0";

pub(super) fn project(repository: &Repository, folder: &str, found: &mut Found) {
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
        || repository.paths.iter().filter(below).any(|path| path.ends_with("conftest.py"));
    let (prefix, installed) = if repository.has(&at("uv.lock")) || project.contains("[tool.uv") {
        let files = vec![at("pyproject.toml"), at("uv.lock")];
        let run =
            if folder.is_empty() { "uv sync".to_owned() } else { format!("uv sync --project {}", quoted(folder)) };
        found.setup.push(SlotSetup { run, files, because: format!("{} is there", at("uv.lock")) });
        let because = "the runner has no uv of its own".to_owned();
        found.step(JobStep::Run { command: "python3 -m pip install uv".to_owned(), because });
        ("uv run ", "uv")
    } else if repository.has(&at("poetry.lock")) || project.contains("[tool.poetry") {
        let files = vec![at("pyproject.toml"), at("poetry.lock")];
        let because = format!("{} says so", at("pyproject.toml"));
        found.setup.push(SlotSetup { run: "poetry install".to_owned(), files, because });
        let because = "the runner has no Poetry of its own".to_owned();
        found.step(JobStep::Run { command: "python3 -m pip install poetry".to_owned(), because });
        ("poetry run ", "Poetry")
    } else if repository.has(&at("Pipfile")) {
        let files = [at("Pipfile"), at("Pipfile.lock")].into_iter().filter(|path| repository.has(path)).collect();
        let because = format!("{} is there", at("Pipfile"));
        found.setup.push(SlotSetup { run: "pipenv install --dev".to_owned(), files, because });
        let because = "the runner has no pipenv of its own".to_owned();
        found.step(JobStep::Run { command: "python3 -m pip install pipenv".to_owned(), because });
        ("pipenv run ", "pipenv")
    } else {
        ("", "pip")
    };
    if installed == "pip" {
        for path in &requirements {
            let command = format!("python3 -m pip install --requirement {}", quoted(path));
            found.needs_checkout = true;
            found.step(JobStep::Run { command, because: format!("{path} lists what the tests need") });
        }
        if pytest && !requirements.iter().any(|path| repository.text(path).contains("pytest")) {
            let because = "the tests are written for pytest, and no requirements file installs it".to_owned();
            found.step(JobStep::Run { command: "python3 -m pip install pytest".to_owned(), because });
        }
    }
    let (command, why) = if pytest {
        let place = if folder.is_empty() { String::new() } else { format!(" {}", quoted(folder)) };
        (format!("{prefix}python3 -m pytest{place}"), "the tests are written for pytest")
    } else {
        let place = if folder.is_empty() { String::new() } else { format!(" -s {}", quoted(folder)) };
        (format!("{prefix}python3 -m unittest discover -v{place}"), "nothing names another runner than Python's own")
    };
    let command = if prefix.is_empty() { command } else { command.replace("python3 -m pytest", "pytest") };
    found.test(&command, format!("{why}; installed with {installed}"));
    python_version(repository, folder, project, found);
}

fn python_version(repository: &Repository, folder: &str, project: &str, found: &mut Found) {
    let file =
        repository.first_in(folder, &[".python-version"]).or_else(|| repository.first_in("", &[".python-version"]));
    let (with, why) = if let Some(file) = file {
        (("python-version-file".to_owned(), file.clone()), format!("{file} names the version"))
    } else if project.contains("requires-python") {
        let file = join(folder, "pyproject.toml");
        (("python-version-file".to_owned(), file.clone()), format!("{file} names the version in `requires-python`"))
    } else {
        let why = "nothing names a version of Python".to_owned();
        (("python-version".to_owned(), "3.12".to_owned()), why)
    };
    found.language(SETUP_PYTHON, vec![with], why);
}

/// Tests of Python in a repository that has no project file at all.
pub(super) fn loose_tests(repository: &Repository, found: &mut Found) {
    let test = repository.paths.iter().find(|path| {
        let name = path.rsplit('/').next().unwrap_or(path);
        name.starts_with("test_") && name.ends_with(".py") && !path.starts_with('.')
    });
    if let Some(test) = test {
        found.test("python3 -m unittest discover -v", format!("{test} is there, and nothing names a runner of tests"));
        python_version(repository, "", "", found);
    }
}
