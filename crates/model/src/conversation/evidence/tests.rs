use std::time::Duration;

use super::*;
use crate::{github_ids::CommentId, ids::ObjectId};

const LOCK: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const OTHER: &str = "sha256:1123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const HEAD: &str = "1111111111111111111111111111111111111111";

fn time(second: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(second)
}

fn at(second: u64) -> Option<SystemTime> {
    Some(time(second))
}

fn edit(second: u64, by_us: bool) -> Option<LastEdit> {
    Some(LastEdit::Edited { at: time(second), by_us })
}

/// Everything is known, and nothing changed after the approval at second 20.
fn known(origin: PlanOriginKind) -> Evidence<'static> {
    Evidence {
        lock: LOCK,
        origin: Some(origin),
        head: HEAD,
        body: "the plan",
        body_edit: edit(10, false),
        plan_changed: at(10),
        pull_request_changed: at(10),
        approved: at(20),
        run_made: at(20),
        attempt: 1,
        shown: Some((&LOCK[7..19], at(10))),
        shown_edit: edit(10, true),
        checked: Some(LOCK),
    }
}

fn comment() -> Via {
    Via::Comment { id: CommentId::new(1) }
}

fn label() -> Via {
    Via::Label { name: "go".to_owned(), head: ObjectId::new(HEAD).unwrap(), body: "the plan".to_owned() }
}

type Change = fn(&mut Evidence<'static>);

/// What GitHub may not say, and what may have changed.
const CHANGES: [(&str, Change); 26] = [
    ("nothing", |_| {}),
    ("unknown: where the plan is", |evidence| evidence.origin = None),
    ("unknown: when it was approved", |evidence| evidence.approved = None),
    ("unknown: when the run was made", |evidence| evidence.run_made = None),
    ("unknown: when the pull request changed", |evidence| evidence.pull_request_changed = None),
    ("unknown: when the plan comment changed", |evidence| evidence.plan_changed = None),
    ("unknown: who edited the description", |evidence| evidence.body_edit = None),
    ("unknown: what our comment shows", |evidence| evidence.shown = None),
    ("unknown: when our comment changed", |evidence| evidence.shown = Some((&LOCK[7..19], None))),
    ("unknown: who edited our comment", |evidence| evidence.shown_edit = None),
    ("unknown: the preview's check run", |evidence| evidence.checked = None),
    ("our comment shows another lock", |evidence| evidence.shown = Some((&OTHER[7..19], at(10)))),
    ("our comment shows four digits", |evidence| evidence.shown = Some(("0123", at(10)))),
    ("our comment changed later", |evidence| evidence.shown = Some((&LOCK[7..19], at(21)))),
    ("our comment was edited later", |evidence| evidence.shown_edit = edit(21, true)),
    ("our comment was edited by another", |evidence| evidence.shown_edit = edit(10, false)),
    ("our comment was never edited", |evidence| evidence.shown_edit = Some(LastEdit::Never)),
    ("the check run has another lock", |evidence| evidence.checked = Some(OTHER)),
    ("the head is another", |evidence| evidence.head = "2"),
    ("the description is another", |evidence| evidence.body = "another plan"),
    ("the description was edited later", |evidence| evidence.body_edit = edit(21, false)),
    ("the description was never edited", |evidence| evidence.body_edit = Some(LastEdit::Never)),
    ("the plan comment changed later", |evidence| evidence.plan_changed = at(21)),
    ("the pull request changed later", |evidence| evidence.pull_request_changed = at(21)),
    ("changed in the same second", |evidence| {
        (evidence.pull_request_changed, evidence.plan_changed, evidence.body_edit) = (at(20), at(20), edit(20, false));
    }),
    ("run again", |evidence| evidence.attempt = 2),
];

/// Each cell is one approval: how it was given, where the plan is, and what GitHub does not say or says has changed. A lock
/// that is named needs none of this.
#[test]
fn what_is_not_known_is_not_approved() {
    use PlanOriginKind::{Body, Comment, File, Input};
    let ways = [("comment", comment()), ("label", label()), ("dispatch", Via::Dispatch), ("input", Via::Input)];
    let mut table = format!("{:40}", "");
    for (way, _) in &ways {
        table.push_str(&format!("  {way:20}"));
    }
    table.push_str(&format!("\n{:40}", ""));
    table.push_str(&format!("  {:20}", "input file body comm").repeat(ways.len()));
    for (name, change) in CHANGES {
        table.push_str(&format!("\n{name:40}"));
        for (_, via) in &ways {
            table.push_str("  ");
            for origin in [Input, File, Body, Comment] {
                let mut evidence = known(origin);
                change(&mut evidence);
                let cell = match check(via, &evidence) {
                    Ok(()) => "runs",
                    Err(NotApproved::Unknown(_)) => "?",
                    Err(NotApproved::NothingShown) => "none",
                    Err(NotApproved::OtherShown) => "othr",
                    Err(NotApproved::EditedByAnother) => "edit",
                    Err(NotApproved::Changed(_)) => "chgd",
                    Err(NotApproved::RunAgain) => "agn",
                    Err(NotApproved::LockNeeded) => "lock",
                };
                table.push_str(&format!("{cell:5}"));
            }
        }
    }
    let table: String = table.lines().map(|line| format!("{}\n", line.trim_end())).collect();
    insta::assert_snapshot!(table, @r"
                                          comment               label                 dispatch              input
                                          input file body comm  input file body comm  input file body comm  input file body comm
nothing                                   runs runs runs runs   runs runs runs runs   runs runs runs runs   lock lock lock lock
unknown: where the plan is                runs runs runs runs   ?    ?    ?    ?      ?    ?    ?    ?      lock lock lock lock
unknown: when it was approved             ?    ?    ?    ?      runs runs ?    ?      runs runs runs runs   lock lock lock lock
unknown: when the run was made            runs runs runs runs   runs runs runs runs   ?    ?    ?    ?      lock lock lock lock
unknown: when the pull request changed    runs runs runs runs   runs runs runs runs   ?    ?    ?    ?      lock lock lock lock
unknown: when the plan comment changed    runs runs runs runs   runs runs runs ?      runs runs runs ?      lock lock lock lock
unknown: who edited the description       runs runs runs runs   runs runs ?    runs   runs runs ?    runs   lock lock lock lock
unknown: what our comment shows           none none none none   runs runs runs runs   runs runs runs runs   lock lock lock lock
unknown: when our comment changed         ?    ?    ?    ?      runs runs runs runs   runs runs runs runs   lock lock lock lock
unknown: who edited our comment           ?    ?    ?    ?      runs runs runs runs   runs runs runs runs   lock lock lock lock
unknown: the preview's check run          none none none none   runs runs runs runs   runs runs runs runs   lock lock lock lock
our comment shows another lock            othr othr othr othr   runs runs runs runs   runs runs runs runs   lock lock lock lock
our comment shows four digits             othr othr othr othr   runs runs runs runs   runs runs runs runs   lock lock lock lock
our comment changed later                 othr othr othr othr   runs runs runs runs   runs runs runs runs   lock lock lock lock
our comment was edited later              othr othr othr othr   runs runs runs runs   runs runs runs runs   lock lock lock lock
our comment was edited by another         edit edit edit edit   runs runs runs runs   runs runs runs runs   lock lock lock lock
our comment was never edited              runs runs runs runs   runs runs runs runs   runs runs runs runs   lock lock lock lock
the check run has another lock            othr othr othr othr   chgd chgd chgd chgd   runs runs runs runs   lock lock lock lock
the head is another                       runs runs runs runs   chgd chgd chgd chgd   runs runs runs runs   lock lock lock lock
the description is another                runs runs runs runs   runs runs chgd runs   runs runs runs runs   lock lock lock lock
the description was edited later          runs runs runs runs   runs runs chgd runs   runs runs chgd runs   lock lock lock lock
the description was never edited          runs runs runs runs   runs runs runs runs   runs runs runs runs   lock lock lock lock
the plan comment changed later            runs runs runs runs   runs runs runs chgd   runs runs runs chgd   lock lock lock lock
the pull request changed later            runs runs runs runs   runs runs runs runs   chgd chgd chgd chgd   lock lock lock lock
changed in the same second                runs runs runs runs   runs runs runs runs   runs runs runs runs   lock lock lock lock
run again                                 runs runs runs runs   runs runs runs runs   agn  agn  agn  agn    lock lock lock lock
");
}

#[test]
fn whoever_starts_the_program_by_hand_takes_what_is_there() {
    assert_eq!(check(&Via::Local, &Evidence::default()), Ok(()));
}
