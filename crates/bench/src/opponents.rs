//! Who else runs a graph of tasks: act, LangGraph and GNU make, on {a,b} → {c,d} → e → f → g → h.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Result;

use crate::{measured_work::Site, process};

const WORKFLOW: &str = include_str!("../opponents/dag.yml");
const LANGGRAPH: &str = include_str!("../opponents/dag.py");
const MAKE: &str = include_str!("../opponents/dag.mk");

/// Where they are installed.
#[derive(Debug)]
pub(crate) struct Opponents {
    folder: PathBuf,
}

impl Opponents {
    /// Finds them.
    pub(crate) fn at(folder: &Path) -> Self {
        Self { folder: folder.canonicalize().unwrap_or_else(|_| folder.to_owned()) }
    }

    fn program(&self, name: &str) -> PathBuf {
        self.folder.join("bin").join(name)
    }

    /// Returns what they say that they are.
    pub(crate) fn versions(&self) -> Vec<String> {
        let said = |program: PathBuf, arguments: &[&str]| {
            let said = process::output(std::process::Command::new(program).args(arguments)).ok()?;
            said.lines().next().map(str::to_owned)
        };
        let version = "import importlib.metadata as m; print('LangGraph', m.version('langgraph'))";
        [
            said("git".into(), &["--version"]),
            said("make".into(), &["--version"]),
            said(self.program("act"), &["--version"]),
            said(self.program("python"), &["-c", version]),
            self.artifact_client().and_then(|client| {
                let manifest = fs::read(client.join("node_modules/@actions/artifact/package.json")).ok()?;
                let manifest: serde_json::Value = serde_json::from_slice(&manifest).ok()?;
                let node = said("node".into(), &["--version"])?;
                Some(format!("@actions/artifact {} on Node {node}", manifest["version"].as_str()?))
            }),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// Prepares act: a repository of its own with the workflow. `None` when it is not installed.
    pub(crate) fn act<'a>(&self, site: &'a Site) -> Result<Option<impl Fn() -> Result<Duration> + use<'a>>> {
        let program = self.program("act");
        if !process::is_there(&program) {
            return Ok(None);
        }
        let repository = site.folder.join("act");
        process::git(&site.folder, ["clone", "--quiet", "repository", "act"])?;
        let workflows = repository.join(".github/workflows");
        fs::create_dir_all(&workflows)?;
        fs::write(workflows.join("dag.yml"), WORKFLOW)?;
        process::git(&repository, ["add", "--all"])?;
        process::git(&repository, ["commit", "--quiet", "--message", "workflow"])?;
        // act takes the repository's name from it; nothing is fetched.
        process::git(&repository, ["remote", "set-url", "origin", "https://github.com/bench/bench.git"])?;
        Ok(Some(move || {
            let mut command = site.command(&program);
            command.current_dir(&repository).args(["push", "-P", "ubuntu-latest=-self-hosted"]);
            command.args(["--no-cache-server", "--action-offline-mode"]);
            Ok(process::measure(&mut command, &site.folder.join("act.log"))?.wall)
        }))
    }

    /// Returns the folder of GitHub's own client for artifacts. `None` when it is not installed.
    pub(crate) fn artifact_client(&self) -> Option<PathBuf> {
        let client = self.folder.join("artifact");
        let is_installed = client.join("installed").exists() && process::is_there(Path::new("node"));
        is_installed.then_some(client)
    }

    /// Prepares LangGraph. `None` when it is not installed.
    pub(crate) fn lang_graph<'a>(&self, site: &'a Site) -> Result<Option<impl Fn() -> Result<Duration> + use<'a>>> {
        let program = self.program("python");
        if !process::is_there(&program) {
            return Ok(None);
        }
        let script = site.folder.join("dag.py");
        fs::write(&script, LANGGRAPH)?;
        Ok(Some(move || {
            let log = site.folder.join("langgraph.log");
            Ok(process::measure(site.command(&program).arg(&script), &log)?.wall)
        }))
    }

    /// Prepares GNU make. `None` when it is not installed.
    pub(crate) fn make<'a>(&self, site: &'a Site) -> Result<Option<impl Fn() -> Result<Duration> + use<'a>>> {
        if !process::is_there(Path::new("make")) {
            return Ok(None);
        }
        let file = site.folder.join("dag.mk");
        fs::write(&file, MAKE)?;
        Ok(Some(move || {
            let mut command = site.command("make");
            command.args(["--silent", "--jobs=8", "--file"]).arg(&file);
            Ok(process::measure(&mut command, &site.folder.join("make.log"))?.wall)
        }))
    }
}
