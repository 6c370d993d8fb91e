//! The `command` agent against its contract, with real processes.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use backend_implementer::agent::{
    Agent as _, AgentError, CommandAgent, Conclusion, Ended, EnvironmentError, Exit, Job, LaunchError, ReportFileError,
    run,
};
use implementer_model::{
    ids::{ObjectId, SubagentName, TaskId},
    report::ReportStatus,
    roster::{Access, Origin, Role, Subagent, Terms},
    scope::Scope,
};

struct Bench {
    root: tempfile::TempDir,
    agent: CommandAgent,
    subagent: Subagent,
    task: TaskId,
    scope: Scope,
    passed: Vec<String>,
}

impl Bench {
    fn new(script: &str) -> Self {
        let root = tempfile::tempdir().unwrap();
        for folder in ["programs/bin", "worktree/bin", "task"] {
            fs::create_dir_all(root.path().join(folder)).unwrap();
        }
        write_script(&root.path().join("programs/bin/agent"), script);
        fs::write(root.path().join("task/brief.md"), "# Brief\n").unwrap();
        let mut environment: BTreeMap<String, String> =
            [("GITHUB_TOKEN", "hidden-token"), ("API_KEY", "key"), ("OTHER", "other")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into();
        environment.insert("PATH".to_owned(), std::env::var("PATH").unwrap());
        let agent = CommandAgent {
            command: vec!["bin/agent".to_owned(), "one argument".to_owned()],
            overrides: BTreeMap::new(),
            program_root: root.path().join("programs"),
            supervisor: env!("CARGO_BIN_EXE_backend-implementer").into(),
            environment,
        };
        let subagent = Subagent {
            name: SubagentName::new("backend-datatypes").unwrap(),
            role: Role::DataTypes,
            description: String::new(),
            prompt: String::new(),
            model: None,
            tools: None,
            terms: Terms::default(),
            access: Access::Writes,
            scope: vec![],
            exclude: vec![],
            origin: Origin::BuiltIn,
        };
        let scope = Scope { allow: vec!["types/**".to_owned()], deny: [".github/**".to_owned()].into() };
        Self { root, agent, subagent, task: TaskId::new("types").unwrap(), scope, passed: vec![] }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    fn go(&self) -> Result<(Ended, Conclusion), LaunchError> {
        let (worktree, brief, report) =
            (self.path("worktree"), self.path("task/brief.md"), self.path("task/report.json"));
        let (log, scratch) = (self.path("task/log.txt"), self.path("task/scratch"));
        let base = ObjectId::new("b".repeat(40)).unwrap();
        let job = Job {
            task: &self.task,
            attempt: 2,
            subagent: &self.subagent,
            scope: &self.scope,
            access: Access::Writes,
            base: &base,
            worktree: &worktree,
            brief: &brief,
            report: &report,
            log: &log,
            scratch: &scratch,
            turns: None,
            budget: None,
            time_limit: Duration::from_secs(90),
            pass_environment: &self.passed,
        };
        let launch = self.agent.prepare(&job).map_err(|error| LaunchError::Invalid { what: error.to_string() })?;
        assert!(!format!("{launch:?}").contains("key\""), "secrets are not shown");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let ended = runtime.block_on(run(&launch, std::future::pending()))?;
        let conclusion = self.agent.conclude(&job, &ended);
        Ok((ended, conclusion))
    }
}

fn write_script(path: &Path, script: &str) {
    fs::write(path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_subagent_sees_its_contract_and_nothing_else() {
    let mut bench = Bench::new("pwd; echo \"$@\"; env | grep -v -e ^PWD= -e ^_= -e ^SHLVL= -e ^PATH= | sort");
    bench.passed = vec!["API_KEY".to_owned()];
    let (ended, conclusion) = bench.go().unwrap();
    let root = bench.root.path().to_str().unwrap();
    insta::assert_snapshot!(ended.output_tail.replace(root, "ROOT"), @r#"
    ROOT/worktree
    one argument
    API_KEY=key
    CI=true
    HOME=ROOT/task/scratch/home
    IMPLEMENTER_ACCESS=writes
    IMPLEMENTER_ATTEMPT=2
    IMPLEMENTER_BASE=bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb
    IMPLEMENTER_BRIEF=ROOT/task/brief.md
    IMPLEMENTER_REPORT=ROOT/task/report.json
    IMPLEMENTER_ROLE=data-types
    IMPLEMENTER_SCOPE={"allow":["types/**"],"deny":[".github/**"]}
    IMPLEMENTER_SUBAGENT=backend-datatypes
    IMPLEMENTER_TASK=types
    IMPLEMENTER_TIME_LIMIT_SECONDS=90
    TERM=dumb
    TMPDIR=ROOT/task/scratch/tmp
    "#);
    assert!(conclusion.session.is_none() && ended.exit.success());
    assert!(conclusion.report.unwrap().is_none(), "nothing was reported");
}

#[test]
fn a_report_comes_back() {
    let report = r#"{"version":1,"status":"completed","summary":"typed","files":["types/user.py"]}"#;
    let bench = Bench::new(&format!("cat \"$IMPLEMENTER_BRIEF\"; printf '%s' '{report}' >\"$IMPLEMENTER_REPORT\""));
    let (ended, conclusion) = bench.go().unwrap();
    assert_eq!(ended.output_tail, "# Brief\n");
    let read = conclusion.report.unwrap().unwrap();
    assert_eq!((read.report.status, read.report.files), (ReportStatus::Completed, vec!["types/user.py".to_owned()]));
}

#[test]
fn the_report_of_an_earlier_attempt_is_not_this_ones() {
    let bench = Bench::new("exit 0");
    fs::write(bench.path("task/report.json"), r#"{"version":1,"status":"completed","summary":"old"}"#).unwrap();
    assert!(bench.go().unwrap().1.report.unwrap().is_none());
}

#[test]
fn bad_reports_are_told_apart() {
    for (script, kind) in [
        ("ln -s /etc/passwd \"$IMPLEMENTER_REPORT\"", "a symbolic link"),
        ("mkfifo \"$IMPLEMENTER_REPORT\"", "a pipe"),
        ("mkdir \"$IMPLEMENTER_REPORT\"", "a folder"),
    ] {
        let (_, conclusion) = Bench::new(script).go().unwrap();
        assert!(matches!(conclusion.report, Err(ReportFileError::NoPlainFile { kind: found }) if found == kind));
    }
    let (_, conclusion) = Bench::new("echo done >\"$IMPLEMENTER_REPORT\"").go().unwrap();
    assert!(conclusion.report.unwrap_err().to_string().contains("line 1, column 1"));
    let (_, conclusion) = Bench::new("head -c 2000000 /dev/zero >\"$IMPLEMENTER_REPORT\"").go().unwrap();
    assert!(conclusion.report.unwrap_err().to_string().contains("larger than"));
}

#[test]
fn a_failed_process_is_a_failure_whatever_it_reports() {
    let report = r#"{"version":1,"status":"completed","summary":"typed"}"#;
    let (ended, conclusion) = Bench::new(&format!("echo '{report}' >\"$IMPLEMENTER_REPORT\"; exit 3")).go().unwrap();
    assert_eq!(ended.exit, Exit::Code(3));
    assert!(conclusion.report.unwrap().is_some());
    let (ended, _) = Bench::new("kill -KILL $$").go().unwrap();
    assert_eq!(ended.exit.to_string(), "signal 9 (SIGKILL)");
}

#[test]
fn a_secret_that_it_was_given_is_in_neither_log_nor_report() {
    let report = r#"{"version":1,"status":"completed","summary":"used $LONG_API_KEY"}"#;
    let mut bench =
        Bench::new(&format!("echo \"key $LONG_API_KEY\"; cat >\"$IMPLEMENTER_REPORT\" <<END\n{report}\nEND"));
    bench.agent.environment.insert("LONG_API_KEY".to_owned(), "sk-0123456789".to_owned());
    bench.passed = vec!["LONG_API_KEY".to_owned()];
    let (ended, conclusion) = bench.go().unwrap();
    assert_eq!(ended.output_tail, "key [redacted]\n");
    assert_eq!(fs::read_to_string(bench.path("task/log.txt")).unwrap(), "key [redacted]\n");
    assert_eq!(conclusion.report.unwrap().unwrap().report.summary, "used [redacted]");
}

#[test]
fn a_work_tree_cannot_bring_its_own_agent() {
    let bench = Bench::new("echo approved");
    write_script(&bench.path("worktree/bin/agent"), "echo swapped");
    assert_eq!(bench.go().unwrap().0.output_tail, "approved\n");
}

#[test]
fn a_subagent_can_have_a_program_of_its_own() {
    let mut bench = Bench::new("echo everybody");
    write_script(&bench.path("programs/bin/own"), "echo own");
    bench.agent.overrides.insert(bench.subagent.name.clone(), vec!["./bin/own".to_owned()]);
    assert_eq!(bench.go().unwrap().0.output_tail, "own\n");
    bench.agent.overrides.insert(bench.subagent.name.clone(), vec!["echo".to_owned(), "from PATH".to_owned()]);
    assert_eq!(bench.go().unwrap().0.output_tail, "from PATH\n");
    bench.agent.overrides.insert(bench.subagent.name.clone(), vec![]);
    assert!(bench.go().unwrap_err().to_string().contains("no agent is configured for `backend-datatypes`"));
}

#[test]
fn a_token_is_refused_before_anything_starts() {
    let mut bench = Bench::new("touch started");
    for name in ["GITHUB_TOKEN", "IMPLEMENTER_TASK"] {
        bench.passed = vec![name.to_owned()];
        assert!(bench.go().unwrap_err().to_string().contains("cannot be passed"), "{name}");
    }
    assert!(!bench.path("worktree/started").exists());
    let error = AgentError::from(EnvironmentError::Token { name: "X".to_owned() });
    assert_eq!(error.to_string(), "the variable `X` cannot be passed to a subagent: it holds a GitHub token");
}

#[test]
fn a_subagent_can_commit_under_its_own_name() {
    let mut bench = Bench::new(
        "git init -q . && echo x >file && git add file && git commit -qm work && git log --format='%an <%ae>'",
    );
    bench.subagent.name = SubagentName::new("a \"quoted\" \\ name").unwrap();
    let (ended, _) = bench.go().unwrap();
    assert_eq!(ended.output_tail, "a \"quoted\" \\ name <subagent@backend-implementer.invalid>\n", "{ended:?}");
}
