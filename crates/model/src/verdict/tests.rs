use super::*;
use crate::{
    ids::{ObjectId, RequirementId, SubagentName, TaskId},
    patch::{Blob, Change, FileMode},
    plan::Requirement,
    report::{Limitation, RequirementClaim},
    roster::Role,
    scope::{Scope, ViolationRule},
    session::SessionEnd,
};

fn id(digit: &str) -> ObjectId {
    ObjectId::new(digit.repeat(40)).unwrap()
}

fn task(access: Access) -> Task {
    let requirement = |n: u32, done| Requirement {
        id: RequirementId::new(format!("R{n}")).unwrap(),
        text: format!("requirement {n}"),
        detail: String::new(),
        done,
        line: n,
    };
    Task {
        id: TaskId::new("feature").unwrap(),
        subagent: SubagentName::new("backend-feature-implementer").unwrap(),
        role: Role::Feature,
        title: "Feature".to_owned(),
        planned: true,
        requirements: vec![requirement(1, false), requirement(2, true)],
        notes: String::new(),
        scope: Scope { allow: vec!["src/**".to_owned()], deny: [].into() },
        access,
        needs: vec![],
        time_limit_s: 60,
    }
}

fn patch(paths: &[&str]) -> Patch {
    let change = |path: &&str| Change {
        path: (*path).to_owned(),
        old: None,
        new: Some(Blob { mode: FileMode::Plain, id: id("b") }),
        renamed_from: None,
        added: Some(1),
        removed: Some(0),
        link_target: None,
    };
    Patch { base: id("1"), base_tree: id("2"), tree: id("3"), changes: paths.iter().map(change).collect() }
}

fn report(status: ReportStatus) -> Report {
    Report {
        version: 1,
        status,
        summary: "what was done".to_owned(),
        requirements: vec![RequirementClaim {
            id: RequirementId::new("R1").unwrap(),
            status: ClaimStatus::Done,
            note: String::new(),
            paths: Vec::new(),
            tests: Vec::new(),
        }],
        files: vec![],
        items: vec![],
        evidence: vec![],
        limitations: vec![],
        findings: vec![],
    }
}

/// An attempt that ended as it should, for tests to spoil.
struct Given {
    task: Task,
    ending: Ending,
    session: Option<Session>,
    report: Result<Option<Report>, InvalidReport>,
    patch: Result<Patch, NoPatch>,
    integrated: bool,
    violations: Vec<Violation>,
    left_out: Vec<(String, String)>,
    leftovers: u32,
    output_truncated: bool,
    last_line: &'static str,
}

fn judged(spoil: impl FnOnce(&mut Given)) -> Verdict {
    let mut given = Given {
        task: task(Access::Writes),
        ending: Ending::Exited(0),
        session: None,
        report: Ok(Some(report(ReportStatus::Completed))),
        patch: Ok(patch(&["src/a.rs"])),
        integrated: false,
        violations: vec![],
        left_out: vec![],
        leftovers: 0,
        output_truncated: false,
        last_line: "",
    };
    spoil(&mut given);
    judge(&Attempt {
        task: &given.task,
        ending: given.ending.clone(),
        report: given.report.as_ref().map(Option::as_ref).map_err(Clone::clone),
        patch: given.patch.as_ref().map_err(Clone::clone),
        integrated: given.integrated,
        session: given.session.as_ref(),
        violations: &given.violations,
        left_out: &given.left_out,
        leftovers: given.leftovers,
        output_truncated: given.output_truncated,
        last_line: given.last_line,
    })
}

fn codes(verdict: &Verdict) -> Vec<FindingCode> {
    verdict.findings.iter().map(|finding| finding.code).collect()
}

#[test]
fn work_done_within_its_scope_passes_without_a_finding() {
    let verdict = judged(|_| {});
    assert_eq!(verdict.outcome, Outcome::Passed);
    assert_eq!(verdict.findings, []);
}

#[test]
fn nothing_to_change_is_fine_when_the_work_is_integrated_already() {
    let none = |given: &mut Given| given.patch = Ok(patch(&[]));
    assert_eq!(judged(none).outcome, Outcome::Unproven);
    let again = |given: &mut Given| {
        none(given);
        given.integrated = true;
    };
    assert_eq!(judged(again).outcome, Outcome::Passed);
}

#[test]
fn nothing_but_a_clean_end_with_a_report_passes() {
    let ends = [
        (Ending::NotStarted("no program".to_owned()), Outcome::Failed, Some(FindingCode::SubagentFailed)),
        (Ending::Lost("its supervisor was lost".to_owned()), Outcome::Failed, Some(FindingCode::SubagentFailed)),
        (Ending::Exited(3), Outcome::Failed, Some(FindingCode::SubagentFailed)),
        (Ending::Signalled(9), Outcome::Failed, Some(FindingCode::SubagentFailed)),
        (Ending::Stopped, Outcome::TimedOut, Some(FindingCode::TimedOut)),
        (Ending::Cancelled, Outcome::Cancelled, None),
    ];
    for (ending, outcome, code) in ends {
        let verdict = judged(|given| given.ending = ending.clone());
        assert_eq!((verdict.outcome, codes(&verdict).first().copied()), (outcome, code), "{ending:?}");
    }
    assert_eq!(judged(|given| given.report = Ok(None)).outcome, Outcome::Unreported);
    assert_eq!(judged(|given| given.report = Err(InvalidReport("no JSON".to_owned()))).outcome, Outcome::Unreported);
    assert_eq!(
        judged(|given| given.patch = Err(NoPatch::NotCaptured("the folder is gone".to_owned()))).outcome,
        Outcome::Failed
    );
}

#[test]
fn what_is_not_integrated_is_said_to_be_kept() {
    let verdict = judged(|given| given.ending = Ending::Stopped);
    insta::assert_snapshot!(verdict.reason, @"it was stopped after its time limit of 1 min 0 s; what it changed (1 file) is kept as a patch, not integrated");
}

#[test]
fn the_scope_weighs_more_than_any_report() {
    let violations: Vec<_> = (0..30)
        .map(|n| Violation {
            path: format!("other/{n:02}"),
            rule: ViolationRule::NotAllowed,
            message: "no glob of the scope allows the path".to_owned(),
        })
        .collect();
    for no_report in [Ok(None), Err(InvalidReport("no JSON".to_owned()))] {
        let verdict = judged(|given| {
            given.violations.clone_from(&violations);
            given.report = no_report;
        });
        assert_eq!(verdict.outcome, Outcome::OutOfScope);
        assert_eq!(verdict.findings.len(), VIOLATIONS_LISTED + 1, "the rest is counted in one");
        assert_eq!(
            verdict.reason,
            "it changed other/00, other/01, other/02, other/03, other/04 and 25 more, which it may not touch; its changes were discarded"
        );
    }
}

#[test]
fn done_without_a_change_is_a_lie_for_whoever_writes_and_has_something_to_do() {
    let empty = patch(&[]);
    let verdict = judged(|given| given.patch = Ok(empty.clone()));
    assert_eq!((verdict.outcome, codes(&verdict)), (Outcome::Unproven, vec![FindingCode::ClaimedButUnchanged]));

    let reader = task(Access::ReadOnly);
    let verdict = judged(|given| {
        given.patch = Ok(empty.clone());
        given.task = reader;
    });
    assert_eq!(verdict.outcome, Outcome::Passed, "a reviewer changes nothing");

    let mut idle = task(Access::Writes);
    idle.requirements.retain(|requirement| requirement.done);
    let verdict = judged(|given| {
        given.patch = Ok(empty.clone());
        given.task = idle;
    });
    assert_eq!(verdict.outcome, Outcome::Passed, "there was nothing left to do");
}

#[test]
fn blocked_and_failed_are_what_the_report_says() {
    let mut blocked = report(ReportStatus::Blocked);
    blocked.limitations =
        vec![Limitation { text: "a type".to_owned(), needs: Some(SubagentName::new("backend-datatypes").unwrap()) }];
    let verdict = judged(|given| given.report = Ok(Some(blocked.clone())));
    assert_eq!((verdict.outcome, codes(&verdict)), (Outcome::Blocked, vec![FindingCode::SubagentBlocked]));
    assert!(verdict.reason.starts_with("it needs backend-datatypes"), "{}", verdict.reason);

    let failed = report(ReportStatus::Failed);
    assert_eq!(judged(|given| given.report = Ok(Some(failed.clone()))).outcome, Outcome::Failed);
}

#[test]
fn report_and_patch_are_held_against_each_other() {
    let mut claims = report(ReportStatus::Completed);
    claims.files = vec!["./src/a.rs".to_owned(), "src/ghost.rs".to_owned()];
    let two = patch(&["src/a.rs", "src/silent.rs"]);
    let verdict = judged(|given| {
        given.report = Ok(Some(claims.clone()));
        given.patch = Ok(two.clone());
    });
    assert_eq!(verdict.outcome, Outcome::Passed);
    assert_eq!(codes(&verdict), [FindingCode::ClaimWithoutChange, FindingCode::ChangeWithoutClaim]);
    assert!(verdict.findings[0].message.contains("src/ghost.rs") && !verdict.findings[0].message.contains("src/a.rs"));
    assert!(verdict.findings[1].message.contains("src/silent.rs"));
}

#[test]
fn an_open_requirement_needs_a_claim_and_a_claim_of_less_than_done_blocks() {
    for (status, weight) in [
        (Some(ClaimStatus::Partial), Weight::Blocking),
        (Some(ClaimStatus::NotDone), Weight::Blocking),
        (None, Weight::Warning),
    ] {
        let mut report = report(ReportStatus::Completed);
        match status {
            Some(status) => report.requirements[0].status = status,
            None => report.requirements.clear(),
        }
        let verdict = judged(|given| given.report = Ok(Some(report.clone())));
        let [finding] = verdict.findings.as_slice() else { panic!("{:#?}", verdict.findings) };
        assert_eq!((finding.code, finding.weight), (FindingCode::UncoveredRequirement, weight));
        let named = finding.message.starts_with("“") && finding.message.contains("” (line ");
        assert!(named, "people know the item by its text and line: {}", finding.message);
        assert!(finding.message.contains("R1"), "R2 is ticked off already: {}", finding.message);
    }
}

#[test]
fn what_was_noticed_on_the_way_is_kept_however_it_ended() {
    let left_out = [("nested".to_owned(), "is a git repository of its own".to_owned())];
    let verdict = judged(|given| {
        given.ending = Ending::Exited(1);
        given.leftovers = 2;
        given.output_truncated = true;
        given.left_out = left_out.to_vec();
    });
    let noticed = codes(&verdict);
    for code in [FindingCode::LeftoverProcesses, FindingCode::OutputTruncated, FindingCode::NotCaptured] {
        assert!(noticed.contains(&code), "{noticed:?}");
    }
}

fn session(end: SessionEnd) -> Session {
    Session::new("claude", end)
}

#[test]
fn what_a_session_says_against_itself_counts_more_than_exit_code_and_report() {
    let model_error = |status| SessionEnd::ModelError { status, message: "overloaded".to_owned() };
    let said = |message: &str| message.to_owned();
    let ends = [
        (SessionEnd::TurnLimit, Outcome::TurnsExhausted, FindingCode::TurnsExhausted),
        (SessionEnd::Budget, Outcome::BudgetExhausted, FindingCode::BudgetExhausted),
        (model_error(Some(529)), Outcome::Failed, FindingCode::ModelFailed),
        (model_error(None), Outcome::Failed, FindingCode::ModelFailed),
        (SessionEnd::Refused { message: said("no") }, Outcome::Failed, FindingCode::ModelRefused),
        (SessionEnd::SandboxFailed { message: said("bwrap") }, Outcome::Failed, FindingCode::SandboxFailed),
        (SessionEnd::Interrupted, Outcome::Failed, FindingCode::SubagentFailed),
        (SessionEnd::NoResult { message: said("") }, Outcome::Failed, FindingCode::SubagentFailed),
    ];
    for (end, outcome, code) in ends {
        for exit in [0, 1] {
            let verdict = judged(|given| {
                given.ending = Ending::Exited(exit);
                given.session = Some(session(end.clone()));
            });
            assert_eq!((verdict.outcome, codes(&verdict)), (outcome, vec![code]), "{end:?}");
            assert_eq!(verdict.findings[0].weight, Weight::Blocking);
            assert!(verdict.reason.ends_with("is kept as a patch, not integrated"), "{}", verdict.reason);
        }
    }
    // A good word of a session makes nothing good.
    let completed = |given: &mut Given| given.session = Some(session(SessionEnd::Completed));
    assert_eq!(judged(completed).outcome, Outcome::Passed);
    let failed = judged(|given| {
        completed(given);
        given.ending = Ending::Exited(1);
    });
    assert_eq!(failed.outcome, Outcome::Failed);
}

#[test]
fn what_we_did_to_the_process_counts_more_than_what_it_says_of_itself() {
    for (ending, outcome) in [(Ending::Stopped, Outcome::TimedOut), (Ending::Cancelled, Outcome::Cancelled)] {
        let verdict = judged(|given| {
            given.ending = ending;
            given.session = Some(session(SessionEnd::Interrupted));
        });
        assert_eq!(verdict.outcome, outcome);
    }
}

#[test]
fn a_secret_in_a_file_is_its_own_kind_of_failure() {
    let verdict = judged(|given| {
        let why = "the value of `KEY`, a secret, stands in `src/a.rs`".to_owned();
        given.patch = Err(NoPatch::SecretWritten { path: "src/a.rs".to_owned(), why });
    });
    assert_eq!((verdict.outcome, codes(&verdict)), (Outcome::Failed, vec![FindingCode::SecretWritten]));
    assert_eq!(verdict.findings[0].path.as_deref(), Some("src/a.rs"));
}

#[test]
fn denied_tools_and_answers_that_are_no_reports_are_told() {
    let verdict = judged(|given| {
        let mut session = session(SessionEnd::Completed);
        session.deny("Bash", "curl http://example.invalid");
        session.more_denials = 2;
        session.notes.push("the model `opus` has no name here".to_owned());
        given.session = Some(session);
    });
    assert_eq!(verdict.outcome, Outcome::Passed);
    let told: Vec<_> = verdict.findings.iter().map(|finding| finding.message.as_str()).collect();
    assert_eq!(
        told,
        [
            "the tool Bash was not allowed: curl http://example.invalid",
            "2 more calls of tools that were not allowed",
            "the model `opus` has no name here"
        ]
    );

    let verdict = judged(|given| {
        let mut session = session(SessionEnd::Completed);
        (session.repairs, session.answer) = (1, Some("all done, boss".to_owned()));
        given.session = Some(session);
        given.report = Err(InvalidReport("it is no JSON object".to_owned()));
    });
    assert_eq!((verdict.outcome, codes(&verdict)), (Outcome::Unreported, vec![FindingCode::UnstructuredReport]));
    insta::assert_snapshot!(verdict.reason, @"its answer is no report (it is no JSON object), also after it was asked again; the text is kept; what it changed (1 file) is kept as a patch, not integrated");
}

#[test]
fn a_process_that_failed_is_told_with_its_last_line() {
    let verdict =
        judged(|given| (given.ending, given.report, given.last_line) = (Ending::Exited(1), Ok(None), "error: no key"));
    assert!(verdict.reason.starts_with("its process ended with exit code 1; its last line is `error: no key`; "));
}
