//! A report is asked for until it is one: once. And it is never believed without looking.

use implementer_model::schedule::Outcome;
use serde_json::{Value, json};

use super::{Stand, attempts, done, feature, findings, last_session};
use crate::support::model::{Asked, ScriptedModel, Step};

/// A model that writes the feature's file, answers with `first`, and when it is asked again with `second`.
fn answers(first: Step, second: Step) -> ScriptedModel {
    ScriptedModel::start(move |asked: &Asked| match (asked.task.as_str(), asked.done, asked.repair) {
        ("feature", 0, _) => Step::Create("src/hello.py".to_owned(), "print('hello')\n".to_owned()),
        ("feature", _, false) => first.clone(),
        ("feature", _, true) => second.clone(),
        ("cli", 0, _) => Step::Create("cli/greet.py".to_owned(), "print('greet')\n".to_owned()),
        _ => Step::Report(done(&[])),
    })
}

fn say(text: &str) -> Step {
    Step::Say(text.to_owned())
}

#[test]
fn words_in_place_of_a_report_are_mended_in_the_same_session() {
    for kind in ["claude", "codex", "gemini", "opencode"] {
        let model = answers(say("All done, boss."), Step::Report(done(&["src/hello.py"])));
        let handoff = Stand::new(kind, &model, json!({})).run([]).expect(0).handoff();
        let attempt = &attempts(&handoff, "feature")[0];
        assert_eq!(attempt.outcome, Outcome::Passed, "{kind}");
        let session = attempt.session.as_ref().unwrap();
        assert_eq!((session.repairs, session.answer.as_deref()), (1, None), "{kind}");
        let again = model.asked().into_iter().find(|asked| asked.repair).expect("it was asked again");
        assert!(again.body.contains("All done, boss."), "{kind}: the session went on");
        assert!(again.body.contains("There is no JSON object in it"), "{kind}");
        assert_eq!(attempts(&handoff, "feature").len(), 1);
    }
}

#[test]
fn a_report_that_does_not_keep_to_its_schema_comes_back_with_what_is_wrong() {
    let wrong = json!({ "version": 1, "status": "completed", "summary": "s", "files": ["/etc/passwd"] });
    let model = answers(say(&wrong.to_string()), say(&done(&["src/hello.py"]).to_string()));
    let handoff = Stand::new("codex", &model, json!({})).run([]).expect(0).handoff();
    assert_eq!(last_session(&handoff, "feature").repairs, 1);
    let again = model.asked().into_iter().find(|asked| asked.repair).unwrap();
    assert!(again.body.contains("files[0]"), "{}", again.body);
}

#[test]
fn what_stays_no_report_is_kept_as_text_and_does_not_pass() {
    for kind in ["claude", "codex"] {
        let model = answers(say("All done, boss."), say("I said: all done."));
        let ran = Stand::new(kind, &model, json!({})).run([]).expect(1);
        let handoff = ran.handoff();
        let attempt = &attempts(&handoff, "feature")[0];
        assert_eq!(attempt.outcome, Outcome::Unreported, "{kind}");
        assert_eq!(attempt.session.as_ref().unwrap().answer.as_deref(), Some("I said: all done."), "{kind}");
        assert!(attempt.patch.as_ref().is_some_and(|patch| !patch.is_empty()), "{kind}: its patch is kept");
        let told = findings(&handoff, "feature");
        assert!(told.iter().any(|finding| finding.starts_with("unstructured-report: ")), "{told:?}");
        let asked = model.asked().iter().filter(|asked| asked.task == "feature" && asked.repair).count();
        // Claude Code itself asks its model again before it gives up.
        let once_each = attempts(&handoff, "feature").len();
        assert!(if kind == "codex" { asked == once_each } else { asked >= once_each }, "{kind}: {asked}");
    }
}

#[test]
fn a_report_is_held_against_what_was_changed() {
    let report: Value = json!({ "version": 1, "status": "completed", "summary": "Both files.",
                                "files": ["src/other.py"], "requirements": [{ "id": "feature-1", "status": "done" }] });
    let model =
        feature(vec![Step::Create("src/hello.py".to_owned(), "print('hello')\n".to_owned()), Step::Report(report)]);
    let handoff = Stand::new("claude", &model, json!({})).run([]).expect(0).handoff();
    let told = findings(&handoff, "feature");
    assert!(
        told.iter().any(
            |finding| finding == "claim-without-change: the report names files that were not changed: src/other.py"
        ),
        "{told:?}"
    );
    assert!(told.iter().any(|finding| finding.starts_with("change-without-claim: ")), "{told:?}");

    let model = feature(vec![Step::Report(done(&["src/hello.py"]))]);
    let ran = Stand::new("claude", &model, json!({})).run([]).expect(1);
    assert_eq!(ran.outcomes()["feature"], Outcome::Unproven, "done, and nothing changed");
}

#[test]
fn a_blocked_feature_names_its_specialist_and_is_called_again() {
    let blocked = json!({ "version": 1, "status": "blocked", "summary": "A type is missing.",
                          "limitations": [{ "text": "there is no type Greeting", "needs": "backend-datatypes" }] });
    let model = ScriptedModel::start(move |asked: &Asked| match (asked.task.as_str(), asked.attempt, asked.done) {
        ("feature", 1, _) => Step::Report(blocked.clone()),
        ("feature", _, 0) => Step::Create("src/hello.py".to_owned(), "print('hello')\n".to_owned()),
        ("cli", _, 0) => Step::Create("cli/greet.py".to_owned(), "print('greet')\n".to_owned()),
        (task, _, 0) if task.contains("type") => {
            Step::Create("src/types/greeting.py".to_owned(), "class Greeting: pass\n".to_owned())
        }
        _ => Step::Report(done(&[])),
    });
    let handoff = Stand::new("claude", &model, json!({ "escalate-beyond-plan": true })).run([]).handoff();
    assert_eq!(handoff.escalations.len(), 1, "{:?}", handoff.escalations);
    assert!(handoff.escalations[0].called.is_some(), "{:?}", handoff.escalations);
    let outcomes: Vec<_> = attempts(&handoff, "feature").iter().map(|attempt| attempt.outcome).collect();
    assert_eq!(outcomes, [Outcome::Blocked, Outcome::Passed]);
}
