//! The work that is measured: tasks that each write one small file, as a plan for us and as a list for everybody else.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, ensure};
use implementer_model::handoff::{Handoff, Status};

use crate::{
    process::{self, Took},
    repository::{File, Repository, Shape},
};

/// The subagent of every task, for us and for the plain loop: one process that writes one file, and its report.
const AGENT: &str = r#"#!/bin/sh
case $IMPLEMENTER_TASK in
  tests) place=tests/bench.txt ;;
  review | validation) place= ;;
  *) place=out/$IMPLEMENTER_TASK.txt ;;
esac
if [ -n "$place" ]; then printf '%s is done\n' "$IMPLEMENTER_TASK" >"$place"; fi
if [ -n "$BENCH_SECONDS" ]; then sleep "$BENCH_SECONDS"; fi
printf '{"version":1,"status":"completed","summary":"done","requirements":[{"id":"%s-1","status":"done"}]}' \
  "$IMPLEMENTER_TASK" >"$IMPLEMENTER_REPORT"
"#;

/// What the gates run: something that looks like a test runner, and takes no time.
const CHECK: &str = "#!/bin/sh\necho 'test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out'\n";

/// Files that the repository has beside those of its shape: the check, and the folders that tasks write into.
const FURTHER: [File<'static>; 3] = [
    File { path: "tools/check", content: CHECK, executable: true },
    File { path: "out/README.txt", content: "What the tasks write.\n", executable: false },
    File { path: "tests/README.txt", content: "What the tests write.\n", executable: false },
];

/// Tasks, in the words of a plan.
#[derive(Debug, Clone)]
pub(crate) struct Work {
    /// The plan.
    pub(crate) plan: String,
    /// The tasks that write something, without those that every run of ours has beside them.
    pub(crate) tasks: Vec<String>,
    /// All files that are there in the end, and were not before.
    pub(crate) files: Vec<(String, String)>,
}

const VERIFICATION: &str = "\n## Verification\n- tests: `tools/check`\n- validation: `tools/check`\n";

impl Work {
    /// Makes `count` tasks that write something: the tests, and before them all others side by side. (More than 256 tasks
    /// no plan has.)
    pub(crate) fn wide(count: usize) -> Self {
        let tasks: Vec<String> = (1..count).map(|number| format!("part-{number}")).collect();
        let mut plan = "# Many\n".to_owned();
        for task in &tasks {
            plan += &format!("\n## Feature {{#{task}}}\nTouches: out/{task}.txt\n- Write the file\n");
        }
        Self::new(plan + "\n## Tests\nTouches: tests/**\n- Write it down\n" + VERIFICATION, tasks)
    }

    /// Makes the eight subagents of the pipeline: {a,b} → {c,d} → e → f → g → h.
    pub(crate) fn eight() -> Self {
        let plan = "# Eight\n\n## Infrastructure\nTouches: out/infrastructure.txt\n- a\n\n\
            ## Data Types\nTouches: out/data-types.txt\n- b\n\n## Feature\nTouches: out/feature.txt\n- c\n\n\
            ## CLI\nTouches: out/cli.txt\n- d\n\n## Tests\nTouches: tests/**\n- e\n\n## Review\n- f\n\n\
            ## Validation\n- g\n\n## Deployment\nTouches: out/deployment.txt\n- h\n";
        let tasks = ["infrastructure", "data-types", "feature", "cli", "deployment"];
        Self::new(plan.to_owned() + VERIFICATION, tasks.map(str::to_owned).into())
    }

    fn new(plan: String, tasks: Vec<String>) -> Self {
        let written = |task: &String| (format!("out/{task}.txt"), format!("{task} is done\n"));
        let mut files: Vec<_> = tasks.iter().map(written).collect();
        files.push(("tests/bench.txt".to_owned(), "tests is done\n".to_owned()));
        Self { plan, tasks, files }
    }
}

/// A repository with everything beside it that runs on it need.
#[derive(Debug)]
pub(crate) struct Site {
    /// The folder of it all.
    pub(crate) folder: PathBuf,
    /// The repository.
    pub(crate) repository: Repository,
    /// The subagent.
    pub(crate) agent: PathBuf,
    config: PathBuf,
}

impl Site {
    /// Makes one in the new folder `folder`.
    pub(crate) fn make(folder: &Path, shape: Shape) -> Result<Self> {
        fs::create_dir_all(folder)?;
        let folder = folder.canonicalize()?;
        let repository = Repository::make(&folder.join("repository"), shape, &FURTHER)?;
        let agent = folder.join("agent.sh");
        fs::write(&agent, AGENT)?;
        fs::set_permissions(&agent, fs::Permissions::from_mode(0o755))?;
        let config = folder.join("config.yml");
        let command = serde_json::to_string(&agent)?;
        fs::write(
            &config,
            format!("agent:\n  kind: command\n  command: [{command}]\npass-environment: [BENCH_SECONDS]\n"),
        )?;
        fs::create_dir(folder.join("home"))?;
        Ok(Self { folder, repository, agent, config })
    }

    /// Adds lines to the configuration.
    pub(crate) fn configure(&mut self, further: &str) -> Result<()> {
        let config = fs::read_to_string(&self.config)? + further;
        Ok(fs::write(&self.config, config)?)
    }

    /// Makes a command whose home and temporary files are here.
    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = process::command(program, &self.folder.join("home"));
        command.current_dir(&self.repository.path);
        command
    }
}

/// A run of ours that is measured, and what it has to come to.
#[derive(Debug)]
pub(crate) struct OurRun<'a> {
    program: &'a Path,
    site: &'a Site,
    plan: PathBuf,
    tree: String,
    tasks: usize,
    seconds: Option<String>,
}

impl<'a> OurRun<'a> {
    /// Prepares runs of `work`.
    pub(crate) fn prepare(program: &'a Path, site: &'a Site, name: &str, work: &Work) -> Result<Self> {
        let plan = site.folder.join(format!("{name}.md"));
        fs::write(&plan, &work.plan)?;
        let tree = site.repository.tree_with(&work.files)?;
        Ok(Self { program, site, plan, tree, tasks: work.files.len(), seconds: None })
    }

    /// Lets every subagent take so many seconds.
    pub(crate) fn taking(mut self, seconds: &str) -> Self {
        self.seconds = Some(seconds.to_owned());
        self
    }

    /// Runs it once, and checks that everything is there that has to be.
    pub(crate) fn once(&self) -> Result<Took> {
        self.observed().map(|(took, _)| took)
    }

    /// Runs it once, and gives the hand-off too.
    pub(crate) fn observed(&self) -> Result<(Took, Handoff)> {
        let out = self.site.folder.join("run");
        let _ = fs::remove_dir_all(&out);
        let mut command = self.site.command(self.program);
        command.args(["run", "--format", "json", "--jobs", "8", "--plan"]).arg(&self.plan);
        command.arg("--config").arg(&self.site.config).arg("--out").arg(&out);
        if let Some(seconds) = &self.seconds {
            command.env("BENCH_SECONDS", seconds);
        }
        let took = process::measure(&mut command, &self.site.folder.join("run.log"))?;
        let handoff = Handoff::read(&fs::read(out.join("handoff.json"))?).context("the hand-off is not valid")?;
        ensure!(handoff.status == Status::Complete, "the run is {:?}: {:?}", handoff.status, handoff.missing);
        ensure!(handoff.result.tree.as_str() == self.tree, "the run gave another tree than {}", self.tree);
        ensure!(handoff.result.commits.len() == self.tasks, "not every task has a commit");
        Ok((took, handoff))
    }

    /// Returns the tree that everybody has to come to.
    pub(crate) fn tree(&self) -> &str {
        &self.tree
    }
}
