use super::*;
use crate::{
    gate::{AskedBy, CommandReceipt, GateKind, GateState},
    handoff::Handoff,
    ids::{Digest, SubagentName},
    patch::{Blob, Conflict, ConflictKind, FileMode},
    record::{AttemptEnded, AttemptRecord, Culprits, FailureKind, Record, Status, Timed},
    report::{ClaimStatus, Limitation, ReportStatus},
    roster::{Access, Role},
    run::{AcceptedPatch, AttemptPlan, Finished, GateRun, JudgedAttempt, MadeBy, test_support::basis},
    schedule::Wave,
    scope,
    session::Session,
    summary::fixture,
};

mod blame;
mod repeated;

/// A run that is played by hand: what it wants done is kept until somebody does it.
struct Play {
    run: Run,
    wanted: Vec<Action>,
    now: Millis,
    /// What was announced as called again, in order.
    again: Vec<String>,
    handoff: Handoff,
    /// What a journal would have.
    journal: Vec<Timed>,
}

impl Play {
    fn new(change: impl FnOnce(&mut Handoff, &mut Basis)) -> Self {
        Self::after(Vec::new(), change)
    }

    /// Plays a run of which these records are known.
    fn after(records: Vec<Timed>, change: impl FnOnce(&mut Handoff, &mut Basis)) -> Self {
        let mut handoff = fixture::complete();
        let mut basis = basis(&handoff);
        change(&mut handoff, &mut basis);
        let history = History::from_records(records.clone(), MadeBy::EarlierProcess);
        let mut run = Run::new(basis, handoff.schedule.clone(), history, &Durations::default());
        let wanted = run.begin(0);
        let mut play = Self { run, wanted: Vec::new(), now: 0, again: Vec::new(), handoff, journal: records };
        play.want(wanted);
        play
    }

    fn want(&mut self, actions: Vec<Action>) {
        for action in actions {
            if let Action::Announce(Notice::TaskAgain { task, .. }) = &action {
                self.again.push(task.to_string());
            }
            if let Action::Write(record) = &action {
                self.journal.push((self.now, record.clone()));
            }
            self.wanted.push(action);
        }
    }

    /// Takes out the attempts that are to start.
    fn starts(&mut self) -> Vec<AttemptPlan> {
        let traits = crate::run::AgentTraits { manner: Default::default(), project_settings: true };
        let (starts, others) =
            std::mem::take(&mut self.wanted).into_iter().partition(|action| matches!(action, Action::Start { .. }));
        self.wanted = others;
        let starts: Vec<Action> = starts;
        let plan = |action| match action {
            Action::Start { id, because } => self.run.plan_attempt(id, because, traits, |_| Some("text".to_owned())),
            _ => unreachable!("only starts were taken"),
        };
        starts.into_iter().map(plan).collect()
    }

    /// Ends an attempt as the hand-off of the fixture has it.
    #[expect(clippy::needless_pass_by_value, reason = "an attempt ends once")]
    fn end(&mut self, plan: AttemptPlan, change: impl FnOnce(&mut AttemptEnded)) {
        let record = self.handoff.task(&plan.id.task);
        let recorded = record.map(|record| record.attempts[0].clone());
        let mut ended = plan.clone().without_process(self.now, Outcome::Passed, "it completed its work");
        if let Some(recorded) = recorded {
            let made = AttemptRecord { attempt: plan.id.attempt, because: plan.because.clone(), ..recorded };
            ended.attempt = AttemptRecord { outcome: Outcome::Passed, session: None, ..made };
        }
        if let Some(patch) = &mut ended.attempt.patch {
            patch.base.clone_from(&plan.base);
            patch.base_tree.clone_from(&self.run.head().tree);
        }
        change(&mut ended);
        let records = [Record::Started(plan.started()), Record::Ended(Box::new(ended.clone()))];
        self.journal.extend(records.map(|record| (self.now, record)));
        let accepted = ended.attempt.patch.clone().filter(|_| ended.attempt.outcome == Outcome::Passed);
        let everything = scope::Scope { allow: vec!["**".to_owned()], deny: [].into() };
        let accepted = accepted.map(|patch| {
            let access = if patch.is_empty() { plan.task.access } else { Access::Writes };
            scope::check(patch, &everything, access, None).unwrap()
        });
        let (id, failure) = (ended.id(), ended.failure);
        self.run.attempt_ended(JudgedAttempt { ended, accepted });
        let actions = self.run.after_attempt(&id, failure, Vec::new(), Happened::Now, self.now);
        self.want(actions);
    }

    /// Does whatever is wanted, until the gates are to run or the run is over. Every attempt passes.
    fn pass_all(&mut self) {
        self.pass_with(|_, _| {});
    }

    fn pass_with(&mut self, mut change: impl FnMut(&AttemptPlan, &mut AttemptEnded)) {
        loop {
            let plans = self.starts();
            let integrations = self.take(|action| matches!(action, Action::Integrate { .. }));
            if plans.is_empty() && integrations.is_empty() {
                return;
            }
            for plan in plans {
                let of = plan.clone();
                self.end(plan, |ended| change(&of, ended));
            }
            for action in integrations {
                if let Action::Integrate { wave, patches } = action {
                    self.integrate(wave, patches, &[]);
                }
            }
        }
    }

    fn take(&mut self, wanted: impl Fn(&Action) -> bool) -> Vec<Action> {
        let (taken, rest) = std::mem::take(&mut self.wanted).into_iter().partition(|action| wanted(action));
        self.wanted = rest;
        taken
    }

    /// Integrates patches; those of `conflicting` conflict.
    fn integrate(&mut self, wave: usize, patches: Vec<AcceptedPatch>, conflicting: &[&str]) {
        let mut head = self.run.head().clone();
        let (mut commits, mut conflicts) = (Vec::new(), Vec::new());
        for AcceptedPatch { id, patch: _ } in patches {
            if conflicting.contains(&id.task.as_str()) {
                let blob = Some(Blob { mode: FileMode::Plain, id: fixture::oid("blob") });
                let conflict = Conflict {
                    path: "src/a.py".to_owned(),
                    kind: ConflictKind::Content,
                    base: None,
                    ours: blob.clone(),
                    theirs: blob,
                };
                conflicts.push((id.task, vec![conflict]));
                continue;
            }
            head = Head { commit: fixture::oid(&format!("commit {id}")), tree: fixture::oid(&format!("tree {id}")) };
            commits.push(IntegratedCommit {
                patch_ref: String::new(),
                task: id.task,
                attempt: id.attempt,
                commit: head.commit.clone(),
                tree: head.tree.clone(),
                merged: Vec::new(),
            });
        }
        let actions = self.run.integrated(Integration { wave, head, commits, conflicts }, self.now);
        self.want(actions);
    }

    /// Runs the gates, of which these are red with this output.
    fn run_gates(&mut self, red: &[GateKind], output: &str) {
        let jobs = self.take(|action| matches!(action, Action::RunGates(_)));
        let [Action::RunGates(jobs)] = <[_; 1]>::try_from(jobs).expect("the gates are to run once") else {
            unreachable!("only gates were taken")
        };
        let recorded = self.handoff.gates.clone();
        let runs = jobs.into_iter().map(|job| {
            let receipt = recorded.iter().find(|receipt| receipt.gate == job.gate).unwrap();
            // What the job asks for, with what the fixture has of it.
            let made = receipt.commands.first();
            let of_argv = |argv: &Vec<String>| made.map(|made| CommandReceipt { argv: argv.clone(), ..made.clone() });
            let mut commands: Vec<_> = job.argvs().filter_map(of_argv).collect();
            if red.contains(&job.gate) {
                let command: &mut CommandReceipt = &mut commands[0];
                command.exit_code = Some(1);
                output.clone_into(&mut command.output_tail);
            }
            GateRun {
                gate: job.gate,
                began_ms: 0,
                ended_ms: 1,
                commands,
                evidence: crate::evidence::gathered::GateEvidence::default(),
                isolation: None,
            }
        });
        let runs = runs.collect();
        let actions = self.run.gates_ran(runs, Happened::Now, self.now);
        self.want(actions);
    }

    fn blame(&mut self, culprits: &[(GateKind, &str)]) {
        assert_eq!(self.take(|action| matches!(action, Action::FindCulprits(_))).len(), 1, "culprits are looked for");
        let named = culprits.iter().map(|(gate, task)| (*gate, fixture::id(task))).collect();
        let found = Culprits { named, ..Culprits::default() };
        let actions = self.run.culprits_found(found, Happened::Now, self.now);
        self.want(actions);
    }

    fn is_over(&self) -> bool {
        self.wanted.iter().any(|action| matches!(action, Action::Finish))
    }

    fn conclude(&self) -> Handoff {
        self.run.conclude(RunEnd {
            generator: "test".to_owned(),
            started: "2026-01-01T00:00:00Z".to_owned(),
            duration_ms: 1,
            isolation: Isolation::default(),
            reference: "refs/heads/x".to_owned(),
            bundle: Some(Bundle { file: "b".to_owned(), digest: Digest::from_content("b") }),
            noticed: Vec::new(),
            abandoned: BTreeMap::new(),
        })
    }
}

fn names(plans: &[AttemptPlan]) -> Vec<String> {
    plans.iter().map(|plan| plan.id.to_string()).collect()
}

#[test]
fn a_run_in_which_all_goes_well_judges_the_gates_once_and_is_complete() {
    let mut play = Play::new(|_, _| {});
    play.pass_all();
    play.run_gates(&[], "");
    play.blame(&[]);
    assert!(play.is_over());
    let handoff = play.conclude();
    assert_eq!(handoff.status, Status::Complete, "{:?}", handoff.missing);
    assert_eq!(handoff.synthesis.len(), 4);
    let written = play.take(|action| matches!(action, Action::Write(_)));
    let judged = written.iter().filter(|action| matches!(action, Action::Write(Record::Judged { .. })));
    assert_eq!(judged.count(), 3);
}

#[test]
fn what_is_transient_is_retried_before_anybody_else_is_called() {
    let mut play = Play::new(|_, _| {});
    let first = play.starts();
    let (failed, others) = first.into_iter().partition::<Vec<_>, _>(|plan| plan.id.task.as_str() == "datatypes");
    for plan in others {
        play.end(plan, |_| {});
    }
    let fail = |ended: &mut AttemptEnded| {
        ended.attempt.outcome = Outcome::Failed;
        ended.failure = FailureKind::Transient;
    };
    play.end(failed.into_iter().next().unwrap(), fail);
    assert_eq!(play.again, ["datatypes"]);
    assert!(play.starts().is_empty(), "it is waited for");
    play.now = 1_000;
    let actions = play.run.tick(play.now);
    play.want(actions);
    let again = play.starts();
    assert_eq!(names(&again), ["datatypes#2"]);
    assert!(again[0].because.contains("may be gone by now"));
}

#[test]
fn a_red_gate_calls_whoever_is_to_blame_with_the_output_and_judges_again() {
    let mut play = Play::new(|_, _| {});
    play.pass_all();
    // What is deployed came after the review.
    assert_eq!(std::mem::take(&mut play.again), ["review"]);
    play.run_gates(&[GateKind::Tests], "AssertionError: 2 != 3");
    play.blame(&[(GateKind::Tests, "cli")]);
    assert_eq!(play.again, ["cli"]);
    let plans = play.starts();
    assert_eq!(names(&plans), ["cli#2"]);
    assert!(plans[0].brief.contains("AssertionError: 2 != 3"), "{}", plans[0].brief);
    assert!(!plans[0].integrated.is_empty());
    for plan in plans {
        play.end(plan, |ended| ended.attempt.patch = Some(fixture::patch(&[("cli/fixed.py", 1, 0)])));
    }
    play.pass_with(|plan, _| {
        let asked = plan.brief.split("## What is asked of you now").nth(1).expect("it is told what is asked of it");
        assert!(asked.contains("this changed: cli/fixed.py"), "{asked}");
    });
    // The tree changed after the review: it is called for the new one.
    assert_eq!(play.again, ["cli", "review"]);
    assert_eq!(play.take(|action| matches!(action, Action::SetGateLogsAside { round: 1 })).len(), 1);
    play.run_gates(&[], "");
    play.blame(&[]);
    assert!(play.is_over());
    let handoff = play.conclude();
    assert_eq!(handoff.rework.len(), 1);
    assert_eq!(handoff.rework[0].called[0].task, fixture::id("cli"));
    assert_eq!(handoff.status, Status::Complete, "{:?}", handoff.missing);
}

#[test]
fn a_gate_without_a_command_ends_the_run_before_anybody_starts() {
    let play = Play::new(|_, basis| basis.plan.verification.retain(|command| command.gate != GateKind::Validation));
    assert!(play.is_over());
    let handoff = play.conclude();
    assert_eq!(handoff.status, Status::Incomplete);
    assert!(handoff.tasks.iter().all(|task| task.attempts.is_empty()));
    let finding = handoff.findings.iter().find(|finding| finding.code == FindingCode::RunEndedEarly).unwrap();
    assert!(finding.message.contains("the validation gate has no command"), "{}", finding.message);
}

#[test]
fn a_first_failure_to_start_ends_the_run_at_once_and_is_told_once() {
    let mut play = Play::new(|_, _| {});
    let plans = play.starts();
    let number = plans.len();
    assert!(number > 1, "they run side by side");
    for plan in plans {
        play.end(plan, |ended| {
            ended.attempt.outcome = Outcome::Failed;
            ended.failure = FailureKind::CannotStart;
        });
    }
    play.pass_all();
    assert!(play.is_over() && play.again.is_empty());
    let handoff = play.conclude();
    assert_eq!(handoff.findings.iter().filter(|finding| finding.code == FindingCode::RunEndedEarly).count(), 1);
    let called: usize = handoff.tasks.iter().map(|task| task.attempts.len()).sum();
    assert_eq!((called, handoff.status), (number, Status::Incomplete));
}

#[test]
fn the_gates_are_not_run_again_on_a_tree_that_nobody_changed() {
    let mut play = Play::new(|_, _| {});
    play.pass_all();
    play.run_gates(&[GateKind::Validation], "red");
    play.blame(&[(GateKind::Validation, "cli")]);
    play.pass_with(|_, ended| ended.attempt.patch = Some(fixture::patch(&[])));
    assert!(play.take(|action| matches!(action, Action::RunGates(_))).is_empty());
    play.blame(&[(GateKind::Validation, "cli")]);
    assert!(play.is_over(), "who changed nothing is not called a second time");
}

#[test]
fn rounds_of_rework_are_bounded_by_the_configuration() {
    for rounds in [0, 1, 3] {
        let mut play = Play::new(|_, basis| basis.config.rework_rounds = Some(rounds));
        play.pass_all();
        let mut path = 0;
        for _ in 0..rounds {
            play.run_gates(&[GateKind::Tests], "red");
            play.blame(&[(GateKind::Tests, "cli")]);
            play.pass_with(|plan, ended| {
                path += 1;
                if plan.task.access == Access::Writes {
                    ended.attempt.patch = Some(fixture::patch(&[(&format!("cli/{path}.py"), 1, 0)]));
                    ended.attempt.patch.as_mut().unwrap().base.clone_from(&plan.base);
                }
            });
        }
        play.run_gates(&[GateKind::Tests], "red");
        assert!(play.is_over(), "{rounds}");
        assert_eq!(play.conclude().rework.len(), rounds as usize);
    }
}

#[test]
fn who_brings_the_same_patch_again_is_not_called_any_more() {
    let mut play = Play::new(|_, basis| basis.config.rework_rounds = Some(3));
    play.pass_all();
    play.run_gates(&[GateKind::Tests], "red");
    play.blame(&[(GateKind::Tests, "cli")]);
    // The second attempt changes exactly what the first had changed.
    play.pass_all();
    play.run_gates(&[GateKind::Tests], "red");
    play.blame(&[(GateKind::Tests, "cli")]);
    assert_eq!(play.again.iter().filter(|task| *task == "cli").count(), 1, "{:?}", play.again);
    let handoff = play.conclude();
    assert!(handoff.findings.iter().any(|finding| finding.code == FindingCode::SamePatchAgain));
}

#[test]
fn a_blocked_task_runs_again_after_the_specialist_that_it_names() {
    let mut play = Play::new(|_, _| {});
    let mut blocked = false;
    let mut order = Vec::new();
    play.pass_with(|plan, ended| {
        order.push(plan.id.to_string());
        if plan.id.task.as_str() == "feature" && !std::mem::replace(&mut blocked, true) {
            ended.attempt.outcome = Outcome::Blocked;
            let report = ended.attempt.report.as_mut().unwrap();
            report.status = ReportStatus::Blocked;
            let needs = SubagentName::new(Role::DataTypes.builtin_name()).ok();
            report.limitations = vec![Limitation { text: "a Cart type".to_owned(), needs }];
        }
    });
    let at = |name: &str| order.iter().position(|id| id == name).unwrap_or_else(|| panic!("{name} in {order:?}"));
    assert!(at("feature#1") < at("datatypes#2") && at("datatypes#2") < at("feature#2"), "{order:?}");
    let handoff = play.conclude();
    assert_eq!(handoff.escalations[0].called, Some(fixture::id("datatypes")));
}

#[test]
fn a_blocked_task_waits_for_whoever_runs_beside_it_and_calls_nobody_again() {
    let mut play = Play::new(|handoff, _| {
        let waves = &mut handoff.schedule.waves;
        let has = |wave: &Wave, task: &str| wave.tasks.contains(&fixture::id(task));
        waves.retain(|wave| !has(wave, "cli") || has(wave, "feature"));
        let beside = waves.iter_mut().find(|wave| has(wave, "feature")).unwrap();
        beside.tasks = vec![fixture::id("cli"), fixture::id("feature")];
        handoff.schedule.tasks.iter_mut().find(|task| task.id.as_str() == "cli").unwrap().needs.clear();
    });
    let mut blocked = false;
    let mut order = Vec::new();
    play.pass_with(|plan, ended| {
        order.push(plan.id.to_string());
        if plan.id.task.as_str() == "cli" && !std::mem::replace(&mut blocked, true) {
            ended.attempt.outcome = Outcome::Blocked;
            let report = ended.attempt.report.as_mut().unwrap();
            report.status = ReportStatus::Blocked;
            let needs = SubagentName::new(Role::Feature.builtin_name()).ok();
            report.limitations = vec![Limitation { text: "the fee of an invoice".to_owned(), needs }];
        }
    });
    let of = |task: &str| order.iter().filter(|id| id.starts_with(&format!("{task}#"))).count();
    assert_eq!((of("feature"), of("cli")), (1, 2), "{order:?}");
    let handoff = play.conclude();
    assert_eq!(handoff.escalations, [], "nobody was called for it");
    assert!(handoff.task(&fixture::id("cli")).unwrap().attempts[1].because.contains("`feature` ran beside it"));
}

#[test]
fn what_is_left_undone_for_a_specialist_is_finished_after_that_one_worked() {
    let mut play = Play::new(|_, _| {});
    let mut asked = false;
    let mut order = Vec::new();
    play.pass_with(|plan, ended| {
        order.push(plan.id.to_string());
        if plan.id.task.as_str() == "datatypes" && !std::mem::replace(&mut asked, true) {
            let report = ended.attempt.report.as_mut().unwrap();
            report.requirements[0].status = ClaimStatus::Partial;
            let needs = SubagentName::new(Role::Feature.builtin_name()).ok();
            report.limitations = vec![Limitation { text: "the store is not mine".to_owned(), needs }];
        }
    });
    let at = |name: &str| order.iter().position(|id| id == name).unwrap_or_else(|| panic!("{name} in {order:?}"));
    assert!(at("datatypes#1") < at("feature#1") && at("feature#1") < at("datatypes#2"), "{order:?}");
    assert!(!order.contains(&"feature#2".to_owned()), "it had its turn early: {order:?}");
    let handoff = play.conclude();
    assert_eq!(handoff.escalations[0].called, Some(fixture::id("feature")));
    assert_eq!(handoff.task(&fixture::id("datatypes")).unwrap().outcome, Outcome::Passed);
}

#[test]
fn a_specialist_that_nobody_has_blocks_the_run_and_says_so() {
    let mut play = Play::new(|_, _| {});
    play.pass_with(|plan, ended| {
        if plan.id.task.as_str() == "feature" {
            ended.attempt.outcome = Outcome::Blocked;
            let report = ended.attempt.report.as_mut().unwrap();
            let needs = SubagentName::new("nobody").ok();
            report.limitations = vec![Limitation { text: "magic".to_owned(), needs }];
        }
    });
    assert_eq!(play.again, ["review"], "nobody is called for it");
    let handoff = play.conclude();
    assert_eq!(handoff.escalations[0].refused, "the roster has no such subagent");
    assert!(handoff.findings.iter().any(|finding| finding.code == FindingCode::EscalationRefused));
}

#[test]
fn a_patch_that_conflicts_is_made_again_once_on_what_was_integrated_and_is_shown_both_sides() {
    let mut play = Play::new(|_, _| {});
    for _ in 0..2 {
        let mut conflicted = false;
        while !conflicted {
            for plan in play.starts() {
                if plan.id.attempt == 2 {
                    assert!(plan.brief.contains("src/a.py"), "{}", plan.brief);
                    assert_ne!(plan.base, plan.implementation_base);
                }
                play.end(plan, |_| {});
            }
            for action in play.take(|action| matches!(action, Action::Integrate { .. })) {
                let Action::Integrate { wave, patches } = action else { continue };
                conflicted = patches.iter().any(|patch| patch.id.task.as_str() == "cli");
                play.integrate(wave, patches, &["cli"]);
            }
        }
    }
    assert_eq!(play.again, ["cli"], "a second conflict is the end of it");
    let record = play.run.ledger().record(&fixture::id("cli")).unwrap();
    assert_eq!((record.outcome, record.attempts.len()), (Outcome::Conflicted, 2));
}

#[test]
fn a_cancelled_run_starts_nothing_more_and_keeps_what_passed() {
    let mut play = Play::new(|_, _| {});
    let plans = play.starts();
    let ids = names(&plans);
    let actions = play.run.cancel(play.now);
    play.want(actions);
    assert_eq!(play.take(|action| matches!(action, Action::Stop { .. })).len(), ids.len());
    for plan in plans {
        play.end(plan, |ended| {
            if ended.task.as_str() != "datatypes" {
                ended.attempt.outcome = Outcome::Cancelled;
            }
        });
    }
    play.pass_all();
    assert!(play.is_over());
    let handoff = play.conclude();
    assert_eq!(handoff.status, Status::Cancelled);
    assert_eq!(handoff.task(&fixture::id("datatypes")).unwrap().outcome, Outcome::Passed);
    let never = handoff.task(&fixture::id("feature")).unwrap();
    assert_eq!((never.outcome, never.reason.as_str()), (Outcome::NotRun, "the run ended before its turn"));
}

#[test]
fn a_run_out_of_time_says_so_and_can_be_resumed() {
    let mut play = Play::new(|_, basis| basis.config.limits.run_minutes = Some(2));
    assert!(!play.run.is_late(119_999) && play.run.is_late(120_000));
    let actions = play.run.run_out_of_time(120_000);
    play.want(actions);
    let handoff = play.conclude();
    assert_eq!(handoff.status, Status::Cancelled);
    let finding = handoff.findings.iter().find(|finding| finding.code == FindingCode::RunTimedOut).unwrap();
    assert!(finding.message.contains("2 minutes"), "{}", finding.message);
}

#[test]
fn what_cannot_be_paid_for_is_not_made() {
    let mut play = Play::new(|_, basis| basis.config.limits.run_cost = crate::budget::Dollars::parse("1"));
    let mut plans = play.starts();
    for plan in &mut plans {
        play.run.reserve(plan).unwrap();
        assert!(plan.limits.budget.is_some());
    }
    let plan = plans.remove(0);
    play.end(plan, |ended| {
        let attempts = fixture::incomplete().tasks.into_iter().chain(fixture::complete().tasks);
        let session = attempts.flat_map(|task| task.attempts).find_map(|attempt| attempt.session).unwrap();
        ended.attempt.session = Some(Session { micro_dollars: Some(5_000_000), ..session });
    });
    let mut next = plans.remove(0);
    assert!(play.run.reserve(&mut next).is_err());
}

#[test]
fn a_need_that_did_not_pass_blocks_its_task_and_names_the_true_outcome() {
    let mut play = Play::new(|handoff, _| {
        let feature = handoff.schedule.tasks.iter_mut().find(|task| task.id.as_str() == "feature").unwrap();
        feature.needs = vec![fixture::id("datatypes")];
    });
    play.pass_with(|plan, ended| {
        if plan.id.task.as_str() == "datatypes" {
            ended.attempt.outcome = Outcome::Unreported;
        }
    });
    let handoff = play.conclude();
    let record = handoff.task(&fixture::id("feature")).unwrap();
    assert_eq!(record.outcome, Outcome::Blocked);
    assert_eq!(record.reason, "it needs `datatypes`, which is no report");
}

#[test]
fn briefs_speak_of_what_was_known_when_their_group_began() {
    let mut play = Play::new(|_, _| {});
    let first = play.starts();
    assert!(first.len() > 1, "they run side by side");
    let brief = first[1].brief.clone();
    let (id, because) = (first[1].id.clone(), first[1].because.clone());
    let traits = crate::run::AgentTraits { manner: Default::default(), project_settings: true };
    let sibling = first.into_iter().next().unwrap();
    play.end(sibling, |_| {});
    let later = play.run.plan_attempt(id, because, traits, |_| None);
    assert_eq!(later.brief, brief, "a sibling that was quicker changes no brief");
    assert!(matches!(play.run.take_finished(&later), Finished::Unknown));
}

#[test]
fn what_happened_before_is_not_written_again() {
    let mut play = Play::new(|_, _| {});
    play.pass_all();
    let jobs = play.take(|action| matches!(action, Action::RunGates(_)));
    let Some(Action::RunGates(jobs)) = jobs.into_iter().next() else { panic!("the gates are to run") };
    assert!(jobs.iter().all(|job| job.commands.iter().all(|(by, _)| *by == AskedBy::Plan)));
    let runs = jobs.into_iter().map(|job| GateRun {
        gate: job.gate,
        began_ms: 0,
        ended_ms: 0,
        commands: Vec::new(),
        evidence: crate::evidence::gathered::GateEvidence::default(),
        isolation: None,
    });
    let actions = play.run.gates_ran(runs.collect(), Happened::Before, 0);
    assert!(!actions.iter().any(|action| matches!(action, Action::Write(_))));
    let actions = play.run.culprits_found(Culprits::default(), Happened::Before, 0);
    assert!(!actions.iter().any(|action| matches!(action, Action::Write(_))));
    let states: Vec<_> = play.run.ledger().gates().iter().map(|judged| judged.receipt.state).collect();
    assert!(!states.contains(&GateState::Failed));
}
