//! A fan-out on the fake GitHub: its jobs as steps, one after another, with what one says handed to the next.

use std::{cell::RefCell, collections::BTreeMap, fs};

use serde_json::{Value, json};

use super::{
    Called, PLAN,
    action::{Acted, Acting, NUMBER, Stage},
};

/// The number of the one run.
pub(crate) const RUN: u64 = 500;

/// The jobs of one run, one after another.
pub(crate) struct Jobs {
    pub(crate) stage: Stage,
    pub(crate) payload: Value,
    pub(crate) lock: String,
    /// What the last job that settled something said.
    pub(crate) outputs: BTreeMap<String, String>,
    /// The logs of all jobs.
    pub(crate) log: RefCell<String>,
    pub(crate) wave: usize,
}

impl Jobs {
    pub(crate) fn begin() -> Self {
        Self::begin_with("")
    }

    /// Begins one with this beside the configuration of the tests.
    pub(crate) fn begin_with(further: &str) -> Self {
        Self::begin_plan(PLAN, further)
    }

    /// Begins one of this plan.
    pub(crate) fn begin_plan(plan: &str, further: &str) -> Self {
        let stage = Stage::new("Please.", &[(".backend-implementer/plan.md", plan)]);
        if !further.is_empty() {
            let config = fs::read_to_string(stage.bench.repo().join(".github/backend-implementer.yml")).unwrap();
            stage.push_to_base(&[(".github/backend-implementer.yml", &format!("{config}{further}"))]);
        }
        stage.happened("opened").expect(0);
        let body = stage.github.only_comment_of(NUMBER, "github-actions[bot]").body;
        let (_, rest) = body.split_once("\n/implement ").expect("a lock");
        let lock = rest.lines().next().unwrap().to_owned();
        let payload = stage.github.event_comment(NUMBER, "ada", &format!("/implement {lock}"));
        stage.one_run.set(Some(RUN));
        let begun = stage.act("issue_comment", &payload, &[("fan-out", "true"), ("layout", "matrix")]).expect(0);
        assert_eq!(begun.output("status"), "running");
        assert!(stage.github.only_comment_of(NUMBER, "github-actions[bot]").body.contains("Implementation Running"));
        let lock = begun.output("lock").to_owned();
        Self { stage, payload, lock, outputs: begun.outputs, log: RefCell::default(), wave: 0 }
    }

    pub(crate) fn output(&self, name: &str) -> &str {
        self.outputs.get(name).map_or("", String::as_str)
    }

    pub(crate) fn act(&self, command: &str, further: &[(&str, &str)]) -> Acted {
        self.told(self.begin_step(command, further).finish(&self.stage))
    }

    /// Begins a step of a job.
    pub(crate) fn begin_step(&self, command: &str, further: &[(&str, &str)]) -> Acting {
        let (state, head) = (self.output("state").to_owned(), self.output("head").to_owned());
        let mut inputs = vec![("command", command), ("state", &state), ("head", &head), ("lock", &self.lock)];
        inputs.extend_from_slice(further);
        self.stage.begin("issue_comment", &self.payload, &inputs)
    }

    /// Keeps what a step said.
    pub(crate) fn told(&self, acted: Acted) -> Acted {
        self.log.borrow_mut().push_str(&format!("{}{}", acted.called.stdout, acted.called.stderr));
        acted
    }

    /// Runs a step of the host's: the program that `prepare` left.
    pub(crate) fn host(&self, command: &str, further: &[&str]) {
        let run = self.stage.one_run.get().expect("a run");
        let workspace = self.stage.bench.path(&format!("run-{run}")).join("workspace");
        let job = ".backend-implementer/job";
        let program = workspace.join(job).join("bin/backend-implementer");
        let mut called = self.stage.bench.command(program.to_str().unwrap());
        let (state, repository) = (format!("{job}/state"), format!("{job}/repository.git"));
        called.current_dir(&workspace).args([command, "--lock", &self.lock, "--job", job, "--state", &state]);
        Called::of(called.args(["--repo", &repository]).args(further).output().expect("it runs")).expect(0);
    }

    /// Makes the jobs of the next wave, and gives what they say in their outputs.
    pub(crate) fn wave(&mut self) -> BTreeMap<String, String> {
        self.wave += 1;
        let wave = format!("wave-{}", self.wave);
        let mut said = BTreeMap::new();
        if self.output("gates") == "true" {
            self.act("prepare", &[("tasks", "gates")]).expect(0);
            self.host("gate", &[]);
            let collected = self.act("collect", &[("tasks", "gates"), ("slot", "0"), ("wave", &wave)]).expect(0);
            said.insert("slot-0".to_owned(), collected.output("slot-0").to_owned());
            return said;
        }
        let legs: Vec<Value> = serde_json::from_str(self.output("matrix")).expect("a matrix");
        for leg in legs {
            let (tasks, slot) = (leg["tasks"].as_str().unwrap(), leg["slot"].to_string());
            self.act("prepare", &[("tasks", tasks)]).expect(0);
            self.host("work", &["--tasks", tasks]);
            let collected = self.act("collect", &[("tasks", tasks), ("slot", &slot), ("wave", &wave)]);
            // A job whose attempt did not pass is red, so that it can be run again.
            let red = collected.called.stdout.contains("::warning title=Not passed::");
            let collected = collected.expect(i32::from(red));
            let name = format!("slot-{slot}");
            said.insert(name.clone(), collected.output(&name).to_owned());
        }
        said
    }

    pub(crate) fn settle(&mut self, said: &BTreeMap<String, String>) -> String {
        self.settle_with(said, &[])
    }

    pub(crate) fn settle_with(&mut self, said: &BTreeMap<String, String>, further: &[(&str, &str)]) -> String {
        let (wave, results) = (format!("wave-{}", self.wave), json!(said).to_string());
        let inputs = [&[("wave", wave.as_str()), ("results", results.as_str())], further].concat();
        let settled = self.act("settle", &inputs).expect(0);
        self.outputs = settled.outputs;
        settled.called.stdout
    }

    pub(crate) fn run_to_end(&mut self) {
        while !self.output("matrix").is_empty() || self.output("gates") == "true" {
            let said = self.wave();
            self.settle(&said);
            assert!(self.wave < 20, "it does not end");
        }
    }

    pub(crate) fn artifact(&self, said: &str) -> u64 {
        said.split_once(':').expect("a binding").0.parse().expect("an id")
    }
}
