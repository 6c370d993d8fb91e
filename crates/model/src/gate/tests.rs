use super::*;
use crate::{evidence::gathered::GateEvidence, findings::FindingCode};

fn tree(digit: &str) -> ObjectId {
    ObjectId::new(digit.repeat(40)).unwrap()
}

pub(super) fn command(exit_code: Option<i32>, tests: Option<(u64, u64, u64)>) -> CommandReceipt {
    CommandReceipt {
        argv: vec!["make".to_owned(), "unit tests".to_owned()],
        asked_by: AskedBy::Plan,
        exit_code,
        trouble: None,
        duration_ms: 5,
        tests: tests.map(|(passed, failed, skipped)| TestCounts {
            passed,
            failed,
            skipped,
            source: CountSource::Output,
        }),
        repeated: None,
        failing: Vec::new(),
        missing_own: None,
        log: None,
        output_digest: Digest::from_content("output"),
        output_tail: String::new(),
    }
}

fn verdict(passed: bool, on: &str) -> SubagentVerdict {
    SubagentVerdict {
        task: TaskId::new("quality").unwrap(),
        tree: tree(on),
        passed,
        reason: "looked at everything".to_owned(),
        report_digest: None,
        blocking_findings: 0,
    }
}

fn place(run: &str) -> Place {
    Place { run: run.to_owned(), workflow: None, platform: "linux-x86_64".to_owned(), beside_subagents: true }
}

fn receipt(gate: GateKind, commands: Vec<CommandReceipt>, verdict: Option<SubagentVerdict>) -> Receipt {
    judge(Case {
        gate,
        tree: tree("a"),
        commands,
        verdict,
        evidence: GateEvidence::default(),
        product: std::collections::BTreeSet::new(),
        isolation: None,
        place: place("r1"),
        duration_ms: 7,
    })
}

fn passing() -> Vec<Receipt> {
    vec![
        receipt(GateKind::Tests, vec![command(Some(0), Some((3, 0, 1)))], Some(verdict(true, "b"))),
        receipt(GateKind::Review, vec![], Some(verdict(true, "a"))),
        receipt(GateKind::Validation, vec![command(Some(0), None)], Some(verdict(true, "b"))),
    ]
}

#[test]
fn gates_with_all_their_evidence_pass() {
    let receipts = passing();
    for receipt in &receipts {
        assert_eq!(receipt.state, GateState::Passed, "{receipt:?}");
        assert!(findings(receipt).is_empty());
    }
    assert_eq!(
        receipts[0].reason,
        "1 command succeeded; 3 tests passed, 1 skipped (a claim: counted from what was printed); subagent `quality` approves"
    );
    let ready = ReadyForSubmission::new(&tree("a"), &receipts).unwrap();
    assert_eq!(ready.tree(), &tree("a"));
    assert_eq!(ready.gates().iter().map(PassedGate::gate).collect::<Vec<_>>(), GateKind::ALL);
}

#[test]
fn nothing_less_than_all_the_evidence_passes() {
    use GateKind::{Review, Tests, Validation};
    use GateState::{Failed, NotRun, Skipped};
    let good = || Some(verdict(true, "a"));
    let ok = || command(Some(0), Some((3, 0, 0)));
    let blocked = SubagentVerdict { blocking_findings: 2, ..verdict(true, "a") };
    let timed_out = CommandReceipt { trouble: Some("its time limit of 5 minutes".to_owned()), ..command(None, None) };
    let cases = [
        (Tests, vec![], good(), NotRun, "no tests command is configured"),
        (Tests, vec![command(Some(0), None)], good(), Failed, "no sign that a test ran"),
        (Tests, vec![command(Some(0), Some((0, 0, 0)))], good(), Failed, "reports 0 tests"),
        (Tests, vec![command(Some(0), Some((0, 0, 4)))], good(), Skipped, "4 tests skipped, none run"),
        (Tests, vec![command(Some(0), Some((3, 1, 0)))], good(), Failed, "1 test failed, although"),
        (Tests, vec![ok(), command(Some(2), Some((3, 1, 0)))], good(), Failed, "exit code 2 (1 of 4 tests failed)"),
        (Tests, vec![ok(), timed_out], good(), Failed, "failed: its time limit of 5 minutes"),
        (Tests, vec![ok(), command(None, None)], good(), Failed, "did not end normally"),
        (Tests, vec![ok()], None, NotRun, "no verdict of the tests subagent"),
        (Tests, vec![ok()], Some(verdict(false, "a")), Failed, "`quality` did not pass: looked at everything"),
        (Review, vec![], None, NotRun, "no verdict of the review subagent"),
        (
            Review,
            vec![],
            Some(verdict(true, "b")),
            NotRun,
            "reviewed the tree bbbbbbbbbb, not the integrated tree aaaaaaaaaa",
        ),
        (
            Review,
            vec![],
            Some(blocked),
            Failed,
            "`quality` found 2 blocking problems: the first is looked at everything",
        ),
        (Review, vec![command(Some(1), None)], good(), Failed, "`make 'unit tests'` failed with exit code 1"),
        (Review, vec![command(Some(1), None)], None, Failed, "failed with exit code 1"),
        (Validation, vec![], good(), NotRun, "no validation command is configured"),
        (Validation, vec![command(Some(0), None)], None, NotRun, "no verdict of the validation subagent"),
        (Validation, vec![command(Some(0), Some((0, 0, 2)))], good(), Skipped, "2 tests skipped"),
        (Validation, vec![command(Some(0), None)], Some(verdict(false, "a")), Failed, "did not pass"),
    ];
    for (gate, commands, verdict, state, reason) in cases {
        let receipt = receipt(gate, commands, verdict);
        assert_eq!(receipt.state, state, "{receipt:?}");
        assert!(receipt.reason.contains(reason), "{reason}: {}", receipt.reason);
        assert_eq!(findings(&receipt)[0].code, FindingCode::GateNotPassed);
        let unseen = reason.contains("no sign") || reason.contains("0 tests") || (gate == Tests && state == Skipped);
        assert_eq!(findings(&receipt).len() == 2, unseen, "{receipt:?}");

        let others = passing().into_iter().filter(|other| other.gate != gate);
        let missing =
            ReadyForSubmission::new(&tree("a"), &others.chain([receipt]).collect::<Vec<_>>()).unwrap_err().missing;
        assert_eq!(missing.len(), 1, "{missing:?}");
        assert!(missing[0].contains(reason) && missing[0].contains(state.name()), "{missing:?}");
    }
}

#[test]
fn a_missing_gate_is_named() {
    let receipts = passing();
    let error = ReadyForSubmission::new(&tree("a"), &receipts[..1]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "not ready for submission: there is no receipt of the review gate; there is no receipt of the validation gate"
    );
    assert_eq!(ReadyForSubmission::new(&tree("a"), &[]).unwrap_err().missing.len(), 3);
}

#[test]
fn the_same_gate_twice_is_no_proof() {
    let mut receipts = passing();
    receipts[2] = receipts[0].clone();
    let missing = ReadyForSubmission::new(&tree("a"), &receipts).unwrap_err().missing;
    assert_eq!(missing, ["there are 2 receipts of the tests gate", "there is no receipt of the validation gate"]);
}

#[test]
fn a_receipt_of_another_tree_is_no_proof() {
    let missing = ReadyForSubmission::new(&tree("c"), &passing()).unwrap_err().missing;
    assert_eq!(missing.len(), 3);
    assert_eq!(missing[0], "the tests gate was judged on the tree aaaaaaaaaa, not on cccccccccc");
}

#[test]
fn receipts_of_different_runs_are_no_proof() {
    let mut receipts = passing();
    receipts[1].place = place("r2");
    assert_eq!(
        ReadyForSubmission::new(&tree("a"), &receipts).unwrap_err().missing,
        ["the receipts were made in different runs"]
    );
}

#[test]
fn a_receipt_that_its_evidence_contradicts_is_no_proof() {
    let mut forged = passing();
    forged[0].commands[0].exit_code = Some(1);
    assert!(matches!(PassedGate::new(&forged[0], &tree("a")), Err(NotPassed::Contradicted { .. })));
    forged[1].verdict = None;
    assert!(matches!(PassedGate::new(&forged[1], &tree("a")), Err(NotPassed::Contradicted { .. })));
}

#[test]
fn a_reason_holds_no_escape_sequence() {
    let mut bad = command(Some(1), None);
    bad.argv[1] = "\u{1b}[31m`red`".to_owned();
    let receipt = receipt(GateKind::Tests, vec![bad], None);
    assert!(!receipt.reason.contains('\u{1b}'), "{}", receipt.reason);
}
