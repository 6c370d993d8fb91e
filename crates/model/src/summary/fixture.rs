//! Hand-offs written by hand for the tests: a complete run, one in which much goes wrong, a minimal one, a cancelled
//! one, one of the largest size, and one in which every foreign text is hostile.

use std::collections::BTreeMap;

use crate::{
    findings::{Finding, FindingCode, Weight},
    gate::*,
    handoff::*,
    ids::{Digest, ObjectId, RequirementId, SubagentName, TaskId},
    lock::Lock,
    patch::{Blob, Change, Conflict, ConflictKind, FileMode, MergedPath, Patch},
    plan::{AcceptanceCriterion, Ownership, Plan, PlannedTask, Requirement, VerificationCommand},
    report::*,
    roster::{Access, Phase, Role},
    schedule::{Outcome, Schedule, Serialised, Task, Wave},
    scope::Scope,
    session::{Session, SessionEnd, Tokens},
};

pub(crate) fn oid(seed: &str) -> ObjectId {
    ObjectId::new(&Digest::from_content(seed).hex()[..40]).unwrap()
}

pub(crate) fn id(name: &str) -> TaskId {
    TaskId::new(name).unwrap()
}

pub(crate) fn requirement(task: &str, number: u32, text: &str) -> Requirement {
    Requirement {
        id: RequirementId::new(format!("{task}-{number}")).unwrap(),
        text: text.to_owned(),
        detail: String::new(),
        done: false,
        line: 10 + number,
    }
}

pub(crate) fn task(name: &str, role: Role, requirements: &[&str]) -> Task {
    let read_only = matches!(role, Role::Review | Role::Validation);
    Task {
        id: id(name),
        subagent: SubagentName::new(role.builtin_name()).unwrap(),
        role,
        title: role.title().to_owned(),
        planned: true,
        requirements: (1..).zip(requirements).map(|(n, text)| requirement(name, n, text)).collect(),
        notes: String::new(),
        scope: Scope { allow: vec![format!("{name}/**")], deny: [".github/**".to_owned()].into() },
        access: if read_only { Access::ReadOnly } else { Access::Writes },
        needs: Vec::new(),
        time_limit_s: 1800,
    }
}

pub(crate) fn change(path: &str, added: u32, removed: u32) -> Change {
    let blob = |side: &str| Blob { mode: FileMode::Plain, id: oid(&format!("{path}{side}")) };
    Change {
        path: path.to_owned(),
        old: (removed > 0).then(|| blob("old")),
        new: Some(blob("new")),
        renamed_from: None,
        added: Some(added),
        removed: Some(removed),
        link_target: None,
    }
}

pub(crate) fn patch(changes: &[(&str, u32, u32)]) -> Patch {
    Patch {
        base: oid("base"),
        base_tree: oid("base tree"),
        tree: oid(changes.first().map_or("empty", |change| change.0)),
        changes: changes.iter().map(|&(path, added, removed)| change(path, added, removed)).collect(),
    }
}

pub(crate) fn report(task: &Task, summary: &str, items: &[(Label, &str)]) -> Report {
    Report {
        version: REPORT_VERSION,
        status: ReportStatus::Completed,
        summary: summary.to_owned(),
        requirements: task
            .requirements
            .iter()
            .map(|r| RequirementClaim {
                id: r.id.clone(),
                status: ClaimStatus::Done,
                note: String::new(),
                paths: Vec::new(),
                tests: Vec::new(),
            })
            .collect(),
        files: Vec::new(),
        items: items.iter().map(|&(label, text)| SummaryItem { label, text: text.to_owned() }).collect(),
        evidence: Vec::new(),
        limitations: Vec::new(),
        findings: Vec::new(),
    }
}

fn attempt(outcome: Outcome, from_s: u64, to_s: u64, report: Option<Report>, patch: Option<Patch>) -> AttemptRecord {
    AttemptRecord {
        attempt: 1,
        because: String::new(),
        outcome,
        started_ms: from_s * 1000,
        ended_ms: to_s * 1000 + 250,
        exit_code: Some(0),
        brief_digest: Digest::from_content("brief"),
        session: None,
        report: report.map(|mut report| {
            report.files = patch.iter().flat_map(|p| &p.changes).map(|c| c.path.clone()).collect();
            report
        }),
        patch,
        isolation: None,
        conflicts: Vec::new(),
    }
}

fn place() -> Place {
    Place {
        run: "run-1".to_owned(),
        workflow: Some("77/2".to_owned()),
        platform: "linux-x86_64".to_owned(),
        beside_subagents: false,
    }
}

pub(crate) fn command(argv: &[&str], counts: Option<(u64, u64, u64)>) -> CommandReceipt {
    let failed = counts.is_some_and(|(_, failed, _)| failed > 0);
    CommandReceipt {
        argv: argv.iter().map(|&arg| arg.to_owned()).collect(),
        asked_by: AskedBy::Plan,
        exit_code: Some(i32::from(failed)),
        trouble: None,
        duration_ms: 4_200,
        tests: counts.map(|(passed, failed, skipped)| TestCounts {
            passed,
            failed,
            skipped,
            source: CountSource::Junit,
        }),
        repeated: None,
        failing: Vec::new(),
        missing_own: None,
        log: None,
        output_digest: Digest::from_content("output"),
        output_tail: "Ran 42 tests in 4.1s\n\nOK\n".to_owned(),
    }
}

fn receipt(gate: GateKind, state: GateState, reason: &str, commands: Vec<CommandReceipt>) -> Receipt {
    Receipt {
        gate,
        tree: oid("final tree"),
        state,
        reason: reason.to_owned(),
        duration_ms: commands.iter().map(|command| command.duration_ms).sum(),
        commands,
        verdict: None,
        evidence: crate::evidence::gathered::GateEvidence::default(),
        place: place(),
        isolation: None,
    }
}

fn verdict(task: &str, passed: bool, reason: &str, blocking_findings: usize) -> SubagentVerdict {
    SubagentVerdict {
        task: id(task),
        tree: oid("final tree"),
        passed,
        reason: reason.to_owned(),
        report_digest: Some(Digest::from_content("report")),
        blocking_findings,
    }
}

fn plan(tasks: &[Task]) -> Plan {
    Plan {
        title: Some("Change a user's address: PATCH /api/users/:id".to_owned()),
        preamble: "The user service keeps users in SQLite.".to_owned(),
        tasks: tasks
            .iter()
            .map(|task| PlannedTask {
                id: task.id.clone(),
                subagent: task.subagent.clone(),
                title: task.title.clone(),
                requirements: task.requirements.clone(),
                notes: String::new(),
                touches: Vec::new(),
                also_touches: Vec::new(),
                needs: task.needs.clone(),
                parallel_with: Vec::new(),
                owner: Ownership::Named,
                reviewed: false,
                line: 5,
            })
            .collect(),
        verification: vec![VerificationCommand {
            gate: GateKind::Tests,
            argv: ["python3", "-m", "unittest", "discover"].map(str::to_owned).into(),
            line: 40,
        }],
        acceptance: vec![AcceptanceCriterion { text: "A user can change only their own address".to_owned(), line: 44 }],
        ..Plan::empty("docs/plan.md", Digest::from_content("plan"))
    }
}

/// Puts tasks and their attempts together; waves are given by task ids.
fn handoff(scheduled: Vec<(Task, Vec<AttemptRecord>, &str)>, waves: &[&[&str]], not_needed: &[Role]) -> Handoff {
    let tasks: Vec<Task> = scheduled.iter().map(|(task, ..)| task.clone()).collect();
    let records: Vec<TaskRecord> = scheduled
        .into_iter()
        .map(|(task, mut attempts, reason)| {
            for (number, attempt) in (1..).zip(&mut attempts) {
                attempt.attempt = number;
            }
            let outcome = attempts.last().map_or(Outcome::NotRun, |attempt| attempt.outcome);
            TaskRecord { id: task.id, outcome, reason: reason.to_owned(), attempts }
        })
        .collect();
    let commits: Vec<IntegratedCommit> = records
        .iter()
        .filter(|record| record.outcome == Outcome::Passed)
        .filter_map(|record| record.last().map(|attempt| (record, attempt)))
        .filter(|(_, attempt)| attempt.patch.as_ref().is_some_and(|patch| !patch.is_empty()))
        .map(|(record, attempt)| IntegratedCommit {
            task: record.id.clone(),
            attempt: attempt.attempt,
            commit: oid(&format!("commit {}", record.id)),
            tree: oid(&format!("tree {}", record.id)),
            patch_ref: format!("refs/implementer/patches/{}/{}", record.id, attempt.attempt),
            merged: Vec::new(),
        })
        .collect();
    let phase_of: BTreeMap<_, _> = tasks.iter().map(|task| (task.id.clone(), task.phase())).collect();
    let synthesis = Phase::ALL
        .into_iter()
        .filter_map(|phase| {
            let of_phase: Vec<_> = records.iter().filter(|record| phase_of[&record.id] == phase).collect();
            let patches =
                of_phase.iter().filter(|r| r.outcome == Outcome::Passed).filter_map(|r| r.last()?.patch.as_ref());
            let (mut files, mut added, mut removed) = (0, 0, 0);
            for patch in patches {
                let counts = patch.line_counts();
                (files, added, removed) = (files + patch.changes.len(), added + counts.0, removed + counts.1);
            }
            (!of_phase.is_empty()).then(|| Synthesis {
                phase,
                tree: oid(phase.name()),
                tasks: of_phase.iter().map(|record| (record.id.clone(), record.outcome)).collect(),
                files_changed: files,
                lines_added: added,
                lines_removed: removed,
            })
        })
        .collect();
    let subagent_ms = records.iter().flat_map(|r| &r.attempts).map(|a| a.ended_ms - a.started_ms).sum();
    Handoff {
        version: HANDOFF_VERSION,
        generator: "backend-implementer 0.1.0".to_owned(),
        status: Status::Incomplete,
        missing: Vec::new(),
        place: place(),
        started: "2026-03-01T10:00:00Z".to_owned(),
        duration_ms: 723_000,
        provenance: crate::provenance::Provenance::default(),
        isolation: crate::isolation::Isolation {
            level: crate::isolation::Level::Uid,
            ..crate::isolation::Isolation::default()
        },
        lock: Lock::new(Digest::from_content("plan"), oid("base"), Digest::from_content("roster")),
        plan: plan(&tasks),
        schedule: Schedule {
            waves: (1..)
                .zip(waves)
                .map(|(number, ids)| Wave {
                    number,
                    phase: phase_of[&id(ids[0])],
                    tasks: ids.iter().map(|i| id(i)).collect(),
                })
                .collect(),
            tasks,
            serialised: Vec::new(),
            widened: Vec::new(),
            not_needed: not_needed.to_vec(),
            concurrency: 4,
        },
        result: Implementation {
            base: oid("base"),
            base_tree: oid("base tree"),
            commit: commits.last().map_or(oid("base"), |commit| commit.commit.clone()),
            tree: oid("final tree"),
            reference: "refs/heads/implementation".to_owned(),
            bundle: (!commits.is_empty()).then(|| "implementation.bundle".to_owned()),
            bundle_digest: (!commits.is_empty()).then(|| Digest::from_content("bundle")),
            commits,
        },
        tasks: records,
        synthesis,
        gates: Vec::new(),
        criteria: Vec::new(),
        findings: Vec::new(),
        rework: Vec::new(),
        escalations: Vec::new(),
        earlier_ms: 0,
        resumptions: 0,
        replayed: 0,
        cost: Cost { subagent_ms, ..Cost::default() },
    }
}

fn infrastructure() -> (Task, Vec<AttemptRecord>, &'static str) {
    let task = task("infrastructure", Role::Infrastructure, &["A table for addresses in the template"]);
    let report = report(
        &task,
        "Added the table and its grants.",
        &[
            (Label::CloudResources, "Table `addresses` in template.yaml"),
            (Label::Configuration, "Environment variable ADDRESS_TABLE"),
        ],
    );
    let patch = patch(&[("infra/template.yaml", 34, 2), ("infra/grants.yaml", 12, 0)]);
    (task, vec![attempt(Outcome::Passed, 1, 41, Some(report), Some(patch))], "")
}

fn datatypes() -> (Task, Vec<AttemptRecord>, &'static str) {
    let task = task("datatypes", Role::DataTypes, &["AddressChange with validation"]);
    let report =
        report(&task, "AddressChange is defined.", &[(Label::DataTypes, "AddressChange (street, city, postcode)")]);
    (task, vec![attempt(Outcome::Passed, 1, 28, Some(report), Some(patch(&[("users/types.py", 48, 1)])))], "")
}

pub(crate) fn complete() -> Handoff {
    let feature = task("feature", Role::Feature, &["PATCH /api/users/:id changes an address", "404 for unknown users"]);
    let mut blocked = report(&feature, "AddressError is missing.", &[]);
    blocked.status = ReportStatus::Blocked;
    blocked.limitations = vec![Limitation {
        text: "The type AddressError does not exist".to_owned(),
        needs: Some(SubagentName::new("backend-datatypes").unwrap()),
    }];
    let feature_report = report(
        &feature,
        "The endpoint works.",
        &[
            (Label::CoreFunctionality, "Users change their own address"),
            (Label::ApiEndpoints, "PATCH /api/users/:id"),
            (Label::ApiEndpoints, "404 when the user is unknown"),
        ],
    );
    let feature_patch = patch(&[("users/api.py", 61, 7), ("users/service.py", 33, 0)]);
    let mut second = attempt(Outcome::Passed, 75, 140, Some(feature_report), Some(feature_patch));
    second.because = "backend-datatypes made what it needed".to_owned();
    let first = attempt(Outcome::Blocked, 42, 70, Some(blocked), None);

    let cli = task("cli", Role::Cli, &["users set-address"]);
    let cli_report = report(
        &cli,
        "Command and help.",
        &[(Label::CliIntegration, "users set-address ID --city CITY"), (Label::Documentation, "Usage in README.md")],
    );
    let cli_patch = patch(&[("README.md", 9, 0), ("users/cli.py", 29, 3)]);

    let tests = task("tests", Role::Tests, &["Cover the endpoint and the command"]);
    let tests_report = report(&tests, "18 new tests.", &[(Label::UnitTests, "18 new tests, errors included")]);
    let mut review = task("review", Role::Review, &[]);
    review.planned = false;
    let review_report = report(&review, "Sound.", &[(Label::CodeReview, "Input is validated at the edge")]);
    let mut validation = task("validation", Role::Validation, &["Against a real server"]);
    validation.needs = vec![id("tests")];
    let validation_report = report(
        &validation,
        "All well.",
        &[
            (Label::IntegrationTesting, "12 requests against a running server"),
            (Label::PerformanceValidation, "95 % of requests below 20 ms"),
        ],
    );
    let deployment = task("deployment", Role::Deployment, &["A service unit"]);
    let deployment_report = report(
        &deployment,
        "Unit and environment.",
        &[
            (Label::DeploymentConfiguration, "deploy/users.service"),
            (Label::DeploymentInstructions, "Run deploy/migrate.sh before the first start"),
        ],
    );
    let deployment_patch = patch(&[("deploy/migrate.sh", 14, 0), ("deploy/users.service", 21, 0)]);

    let mut handoff = handoff(
        vec![
            infrastructure(),
            datatypes(),
            (feature, vec![first, second], ""),
            (cli, vec![attempt(Outcome::Passed, 142, 171, Some(cli_report), Some(cli_patch))], ""),
            (
                tests,
                vec![attempt(
                    Outcome::Passed,
                    172,
                    251,
                    Some(tests_report),
                    Some(patch(&[("tests/test_api.py", 210, 0)])),
                )],
                "",
            ),
            (review, vec![attempt(Outcome::Passed, 252, 300, Some(review_report), Some(patch(&[])))], ""),
            (validation, vec![attempt(Outcome::Passed, 301, 344, Some(validation_report), Some(patch(&[])))], ""),
            (deployment, vec![attempt(Outcome::Passed, 345, 380, Some(deployment_report), Some(deployment_patch))], ""),
        ],
        &[
            &["infrastructure", "datatypes"],
            &["feature"],
            &["cli"],
            &["tests"],
            &["review"],
            &["validation"],
            &["deployment"],
        ],
        &[],
    );
    handoff.schedule.serialised =
        vec![Serialised { first: id("feature"), then: id("cli"), because: "both may touch `users/**`".to_owned() }];
    handoff.gates = vec![
        receipt(
            GateKind::Tests,
            GateState::Passed,
            "every command succeeded",
            vec![command(&["python3", "-m", "unittest", "discover"], Some((42, 0, 1)))],
        ),
        Receipt {
            verdict: Some(verdict("review", true, "it objects to nothing", 0)),
            ..receipt(GateKind::Review, GateState::Passed, "the reviewer objects to nothing", Vec::new())
        },
        receipt(
            GateKind::Validation,
            GateState::Passed,
            "every command succeeded",
            vec![command(&["sh", "validate.sh", "--base url"], Some((12, 0, 0)))],
        ),
    ];
    handoff.findings = vec![Finding {
        code: FindingCode::Reported,
        weight: Weight::Note,
        task: Some(id("review")),
        path: Some("users/api.py".to_owned()),
        line: Some(17),
        message: "The handler is long; consider splitting it".to_owned(),
    }];
    handoff.cost.micro_dollars = Some(1_234_567);
    handoff
}

pub(crate) fn incomplete() -> Handoff {
    let feature = task("feature", Role::Feature, &["PATCH /api/users/:id changes an address"]);
    let mut failed = attempt(Outcome::Failed, 42, 90, None, Some(patch(&[("users/api.py", 10, 0)])));
    failed.exit_code = Some(3);
    let cli = task("cli", Role::Cli, &["users set-address"]);
    let mut cli_report = report(&cli, "It needs a type.", &[]);
    cli_report.status = ReportStatus::Blocked;
    let jobs = task("jobs", Role::Feature, &["Nightly clean-up"]);
    let mut said = Session::new("claude", SessionEnd::Completed);
    said.version = Some("2.1.329".to_owned());
    said.model = Some("opus".to_owned());
    said.turns = Some(7);
    said.tokens = Tokens { input: 1_000, cached_input: 20, output: 300 };
    said.micro_dollars = Some(12_345);
    said.repairs = 1;
    said.answer = Some("All done, <b>boss</b>.".to_owned());
    failed.session = Some(said);
    let mut conflicted = attempt(
        Outcome::Conflicted,
        42,
        60,
        Some(report(&jobs, "Done.", &[(Label::BusinessLogic, "A nightly job")])),
        Some(patch(&[("users/service.py", 5, 5)])),
    );
    conflicted.conflicts = vec![Conflict {
        path: "users/service.py".to_owned(),
        base: None,
        ours: None,
        theirs: None,
        kind: ConflictKind::BothAdded,
    }];
    let tests = task("tests", Role::Tests, &["Cover the endpoint"]);
    let mut slow = attempt(Outcome::TimedOut, 91, 1891, None, None);
    slow.exit_code = None;
    let mut review = task("review", Role::Review, &[]);
    review.needs = vec![id("tests")];
    let validation = task("validation", Role::Validation, &[]);
    let mut handoff = handoff(
        vec![
            datatypes(),
            (feature, vec![failed], "its process ended with exit code 3"),
            (
                cli,
                vec![attempt(Outcome::Blocked, 42, 55, Some(cli_report), None)],
                "it needs backend-datatypes: a type for addresses",
            ),
            (jobs, vec![conflicted], "users/service.py: both added it, with different content"),
            (tests, vec![slow], "it was stopped after its time limit of 30 min 0 s"),
            (review, vec![], "tests, which it needs, did not pass"),
            (validation, vec![], "the run ended before it"),
        ],
        &[&["datatypes"], &["feature", "cli", "jobs"], &["tests"], &["review"], &["validation"]],
        &[Role::Infrastructure, Role::Deployment],
    );
    handoff.result.commits[0].merged =
        vec![MergedPath { path: "users/types.py".to_owned(), result: Blob { mode: FileMode::Plain, id: oid("m") } }];
    let mut failing = command(&["python3", "-m", "unittest"], Some((40, 2, 0)));
    failing.output_tail = "FAIL: test_patch\nAssertionError: 404 != 200\n".to_owned();
    let mut dead = command(&["sh", "validate.sh"], None);
    (dead.exit_code, dead.trouble) = (None, Some("ended by signal 9".to_owned()));
    dead.asked_by = AskedBy::Configuration;
    handoff.gates = vec![
        receipt(GateKind::Tests, GateState::Failed, "2 of 42 tests failed", vec![failing]),
        receipt(GateKind::Review, GateState::NotRun, "the review task was not run", Vec::new()),
        receipt(GateKind::Validation, GateState::Failed, "a command was ended by signal 9", vec![dead]),
    ];
    let at = |task: &str, code, weight, message: &str| Finding::about(&id(task), code, weight, message);
    handoff.findings = vec![
        at("jobs", FindingCode::ChangeWithoutClaim, Weight::Warning, "the report does not mention it")
            .in_path("users/service.py"),
        at("feature", FindingCode::SubagentFailed, Weight::Blocking, "its process ended with exit code 3"),
        at("jobs", FindingCode::Conflict, Weight::Blocking, "both added it, with different content")
            .in_path("users/service.py"),
    ];
    handoff.duration_ms = 3_900_000;
    handoff
}

pub(crate) fn minimal() -> Handoff {
    let feature = task("feature", Role::Feature, &["GET /health"]);
    let report = report(&feature, "It answers.", &[]);
    let quality = |name: &str, role| {
        let mut task = task(name, role, &[]);
        task.planned = false;
        let report = self::report(&task, "Looked.", &[]);
        (task, vec![attempt(Outcome::Passed, 10, 12, Some(report), Some(patch(&[])))], "")
    };
    let mut handoff = handoff(
        vec![
            (feature, vec![attempt(Outcome::Passed, 0, 9, Some(report), Some(patch(&[("app.py", 5, 0)])))], ""),
            quality("tests", Role::Tests),
            quality("review", Role::Review),
            quality("validation", Role::Validation),
        ],
        &[&["feature"], &["tests"], &["review"], &["validation"]],
        &[Role::Infrastructure, Role::DataTypes, Role::Cli, Role::Deployment],
    );
    handoff.plan.title = None;
    handoff.plan.acceptance.clear();
    handoff.gates = GateKind::ALL
        .map(|gate| {
            receipt(gate, GateState::Passed, "every command succeeded", vec![command(&["make", "check"], None)])
        })
        .into();
    handoff
}

pub(crate) fn cancelled() -> Handoff {
    let mut handoff = complete();
    for record in &mut handoff.tasks[4..] {
        record.outcome = Outcome::NotRun;
        record.attempts.clear();
        "the run was cancelled before it began".clone_into(&mut record.reason);
    }
    handoff.tasks[3].outcome = Outcome::Cancelled;
    "it was stopped when the run was cancelled".clone_into(&mut handoff.tasks[3].reason);
    handoff.tasks[3].attempts[0].outcome = Outcome::Cancelled;
    handoff.gates.clear();
    handoff
}

/// 256 tasks, each with a report and a patch of 20 files.
pub(crate) fn large(in_one_wave: bool) -> Handoff {
    let tasks: Vec<_> = (0..256)
        .map(|n| {
            let role = Role::ALL[n / 32];
            let mut task = task(&format!("task-{n}"), role, &["Something", "Something else"]);
            if n > 0 {
                task.needs = (n.saturating_sub(4)..n).map(|i| id(&format!("task-{i}"))).collect();
            }
            let label = [Label::CloudResources, Label::DataTypes, Label::ApiEndpoints, Label::CliIntegration][n / 64];
            let items: Vec<_> = (0..3).map(|_| (label, "A line that says what was done in a few words")).collect();
            let report = report(&task, "It is done, and this is what was done.", &items);
            let paths: Vec<_> = (0..20).map(|file| format!("src/module_{n}/file_{file}.py")).collect();
            let changes: Vec<_> = paths.iter().map(|path| (path.as_str(), 10, 2)).collect();
            let from = n as u64 * 3;
            (task, vec![attempt(Outcome::Passed, from, from + 9, Some(report), Some(patch(&changes)))], "")
        })
        .collect();
    let names: Vec<_> = (0..256).map(|n| format!("task-{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let waves: Vec<&[&str]> = if in_one_wave { names.chunks(32).collect() } else { names.chunks(1).collect() };
    let mut handoff = handoff(tasks, &waves, &[]);
    handoff.gates = complete().gates;
    handoff
}

/// Puts `text` wherever a plan, a report, a log or a path can put text of its own.
pub(crate) fn hostile(text: &str) -> Handoff {
    let mut handoff = incomplete();
    let text = || text.to_owned();
    let name = SubagentName::new("evil\" <b>@octocat</b> ](x) | `#1`").unwrap();
    handoff.generator = text();
    handoff.started = text();
    handoff.place.run = text();
    handoff.place.platform = text();
    handoff.plan.title = Some(text());
    handoff.plan.source = text();
    handoff.plan.preamble = text();
    handoff.plan.acceptance = vec![AcceptanceCriterion { text: text(), line: 1 }];
    handoff.result.reference = text();
    handoff.result.bundle = Some(text());
    handoff.schedule.serialised = vec![Serialised { first: id("feature"), then: id("cli"), because: text() }];
    for task in &mut handoff.schedule.tasks {
        task.subagent = name.clone();
        (task.title, task.notes) = (text(), text());
        task.scope.allow = vec![text()];
        for requirement in &mut task.requirements {
            (requirement.text, requirement.detail) = (text(), text());
        }
    }
    for attempt in handoff.tasks.iter_mut().flat_map(|record| &mut record.attempts) {
        if let Some(session) = &mut attempt.session {
            (session.agent, session.version, session.model) = (text(), Some(text()), Some(text()));
            session.answer = Some(text());
        }
    }
    let labels = [
        Label::CloudResources,
        Label::DataTypes,
        Label::Configuration,
        Label::CoreFunctionality,
        Label::ApiEndpoints,
        Label::CliIntegration,
        Label::BusinessLogic,
        Label::UnitTests,
        Label::CodeReview,
        Label::IntegrationTesting,
        Label::PerformanceValidation,
        Label::DeploymentConfiguration,
        Label::EnvironmentPreparation,
        Label::ValidationResults,
        Label::DeploymentInstructions,
        Label::Documentation,
    ];
    for (record, scheduled) in handoff.tasks.iter_mut().zip(&handoff.schedule.tasks) {
        record.reason = text();
        if record.attempts.is_empty() {
            record.attempts.push(attempt(Outcome::NotRun, 0, 1, None, None));
        }
        for attempt in &mut record.attempts {
            attempt.because = text();
            let mut hostile = report(scheduled, &text(), &labels.map(|label| (label, "")));
            for item in &mut hostile.items {
                item.text = text();
            }
            hostile.files = vec![text()];
            hostile.evidence = vec![Evidence { command: text(), exit_code: Some(0), result: text() }];
            hostile.limitations = vec![Limitation { text: text(), needs: Some(name.clone()) }];
            hostile.findings =
                vec![ReportedFinding { severity: Weight::Note, path: Some(text()), line: None, message: text() }];
            for claim in &mut hostile.requirements {
                claim.note = text();
            }
            attempt.report = Some(hostile);
            let mut change = change("x", 1, 1);
            change.path = text();
            change.renamed_from = Some(text());
            change.link_target = Some(text());
            attempt.patch.get_or_insert_with(|| patch(&[])).changes.push(change);
            for conflict in &mut attempt.conflicts {
                conflict.path = text();
            }
        }
    }
    for merged in handoff.result.commits.iter_mut().flat_map(|commit| &mut commit.merged) {
        merged.path = text();
    }
    for receipt in &mut handoff.gates {
        receipt.reason = text();
        receipt.place = handoff.place.clone();
        receipt.verdict = Some(verdict("review", false, &text(), 1));
        for command in &mut receipt.commands {
            command.argv = vec![text(), text()];
            command.trouble = Some(text());
            command.output_tail = text();
        }
    }
    for weight in [Weight::Blocking, Weight::Warning, Weight::Note] {
        handoff.findings.push(Finding {
            code: FindingCode::Reported,
            weight,
            task: Some(id("review")),
            path: Some(text()),
            line: Some(1),
            message: text(),
        });
    }
    handoff
}
