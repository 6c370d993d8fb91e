use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::{
    config::Config,
    plan::Plan,
    roster::Role,
    schedule::{
        build,
        testing::{Choices, id, plan, random_plan, roster, strings, task},
    },
    scope::overlap,
};

fn schedule(plan: &Plan, concurrency: usize) -> Schedule {
    let config = Config { concurrency: Some(concurrency), time_limit_minutes: Some(1), ..Config::default() };
    build(plan, &roster(), &config, &strings(&[".github/**"]), &[]).unwrap()
}

fn ended(name: &str, end: End) -> Event {
    Event::Ended { task: id(name), attempt: 1, end }
}

/// The effects in short.
fn short(effects: &[Effect]) -> String {
    let names = |tasks: &[TaskId]| tasks.iter().map(TaskId::as_str).collect::<Vec<_>>().join("+");
    let line = |effect: &Effect| match effect {
        Effect::Start { task, attempt: 1, .. } => format!("start {task}"),
        Effect::Start { task, attempt, because } => format!("start {task} #{attempt} ({because})"),
        Effect::Stop { task, why, .. } => format!("stop {task} {why:?}"),
        Effect::Integrate { wave, tasks } => format!("integrate {wave} {}", names(tasks)),
        Effect::Synthesize { phase } => format!("synthesize {}", phase.name()),
        Effect::JudgeGates => "judge".to_owned(),
        Effect::Finish => "finish".to_owned(),
    };
    effects.iter().map(line).collect::<Vec<_>>().join(", ")
}

struct Run(Machine);

impl Run {
    fn new(plan: &Plan, concurrency: usize) -> Self {
        Self(Machine::new(&schedule(plan, concurrency)))
    }

    fn at(&mut self, now: Millis, event: Event) -> String {
        short(&self.0.handle(event, now))
    }

    fn on(&mut self, event: Event) -> String {
        self.at(0, event)
    }

    fn pass(&mut self, name: &str) -> String {
        self.on(ended(name, End::Passed))
    }

    fn integrated(&mut self, wave: usize, failed: &[&str]) -> String {
        self.on(Event::WaveIntegrated { wave, failed: failed.iter().map(|name| id(name)).collect() })
    }

    fn outcome(&self, name: &str) -> Outcome {
        match self.0.state(&id(name)) {
            Some(TaskState::Done(outcome)) => outcome,
            state => panic!("{name} is {state:?}"),
        }
    }
}

fn two_features() -> Plan {
    plan([
        task("types", Role::DataTypes),
        task("users", Role::Feature).touching(&["src/users/**"]).needing(&["types"]),
        task("mail", Role::Feature).touching(&["src/mail/**"]),
    ])
}

#[test]
fn a_run_without_failures_goes_through_waves_syntheses_and_gates() {
    let mut run = Run::new(&two_features(), 8);
    assert_eq!(run.on(Event::Begin), "start types");
    assert_eq!(run.pass("types"), "integrate 1 types");
    assert_eq!(run.integrated(1, &[]), "synthesize foundation, start users, start mail");
    assert_eq!(run.pass("mail"), "");
    assert_eq!(run.pass("users"), "integrate 2 users+mail", "in the order of the plan, not of the ends");
    assert_eq!(run.integrated(2, &[]), "synthesize core, start tests");
    assert_eq!(run.pass("tests"), "integrate 3 tests");
    assert_eq!(run.integrated(3, &[]), "start review");
    assert_eq!(run.pass("review"), "integrate 4 review");
    assert_eq!(run.integrated(4, &[]), "start validation");
    assert_eq!(run.pass("validation"), "integrate 5 validation");
    assert_eq!(run.integrated(5, &[]), "synthesize quality, judge");
    assert_eq!(run.on(Event::GatesJudged { again: Vec::new() }), "finish");
    assert!(run.0.outcomes().all(|(_, outcome)| outcome == Outcome::Passed));
    assert_eq!(run.0.outcomes().count(), 6);
    assert_eq!(run.on(Event::Cancel), "");
}

#[test]
fn a_need_that_did_not_pass_blocks_and_everything_else_goes_on() {
    let mut run = Run::new(&two_features(), 8);
    run.on(Event::Begin);
    assert_eq!(run.on(ended("types", End::Failed)), "synthesize foundation, start mail");
    assert_eq!(run.outcome("users"), Outcome::Blocked);
    let why = WhyNotRun::NeedNotPassed { need: id("types"), outcome: Outcome::Failed };
    assert_eq!(run.0.why_not_run(&id("users")), Some(&why));
    assert_eq!(run.0.attempts(&id("users")), 0);
    assert_eq!(run.on(ended("mail", End::Blocked)), "synthesize core, start tests");
    assert_eq!(run.outcome("mail"), Outcome::Blocked);
    assert_eq!(run.0.why_not_run(&id("mail")), None, "it ran, and said so itself");
}

#[test]
fn a_patch_that_could_not_be_integrated_fails_its_task() {
    let mut run = Run::new(&two_features(), 8);
    run.on(Event::Begin);
    run.pass("types");
    assert_eq!(run.integrated(1, &["types", "mail", "ghost"]), "synthesize foundation, start mail");
    assert_eq!(run.outcome("types"), Outcome::Failed);
    assert_eq!(run.outcome("users"), Outcome::Blocked);
    run.pass("mail");
    assert_eq!(run.outcome("mail"), Outcome::Passed, "a wave that it is not in cannot fail it");
}

#[test]
fn no_more_run_at_a_time_than_allowed() {
    let mut run =
        Run::new(&plan((0..4).map(|n| task(&format!("t{n}"), Role::Feature).touching(&[&format!("src/{n}")]))), 2);
    assert_eq!(run.on(Event::Begin), "start t0, start t1");
    assert_eq!(run.on(ended("t1", End::Failed)), "start t2");
    assert_eq!(run.pass("t0"), "start t3");
    assert_eq!(run.pass("t3"), "");
    assert_eq!(run.pass("t2"), "integrate 1 t0+t2+t3");
}

#[test]
fn a_task_out_of_time_is_stopped_once_and_timed_out_whatever_it_says() {
    let mut run = Run::new(&two_features(), 8);
    run.at(1000, Event::Begin);
    assert_eq!(run.0.next_deadline(), Some(61_000));
    run.at(5000, Event::Started { task: id("types"), attempt: 1 });
    run.at(9000, Event::Started { task: id("types"), attempt: 1 });
    assert_eq!(run.0.next_deadline(), Some(65_000), "counted from the first time that it was said to run");
    assert_eq!(run.at(64_999, Event::Tick), "");
    assert_eq!(run.at(65_000, Event::Tick), "stop types TimedOut");
    assert_eq!(run.0.next_deadline(), None);
    assert_eq!(run.at(99_000, Event::Tick), "");
    assert_eq!(run.at(99_000, Event::Cancel), "", "it is being stopped already");
    assert_eq!(run.at(99_000, ended("types", End::Passed)), "finish");
    assert_eq!(run.outcome("types"), Outcome::TimedOut);
}

#[test]
fn an_end_that_arrives_late_but_before_the_tick_counts() {
    let mut run = Run::new(&two_features(), 8);
    run.on(Event::Begin);
    assert_eq!(run.at(80_000, ended("types", End::Passed)), "integrate 1 types");
}

#[test]
fn a_clock_that_goes_backwards_stops_nothing() {
    let mut run = Run::new(&two_features(), 8);
    run.at(100_000, Event::Begin);
    run.at(50, ended("types", End::Passed));
    assert_eq!(
        run.at(10, Event::WaveIntegrated { wave: 1, failed: Vec::new() }),
        "synthesize foundation, start users, start mail"
    );
    assert_eq!(run.at(0, Event::Tick), "");
    assert_eq!(run.at(100_050, Event::Tick), "");
    assert_eq!(run.0.next_deadline(), Some(160_000));
    assert_eq!(run.at(u64::MAX, Event::Tick), "stop users TimedOut, stop mail TimedOut");
}

#[test]
fn cancelling_stops_what_runs_and_keeps_what_passed() {
    let mut run = Run::new(&two_features(), 8);
    run.on(Event::Begin);
    run.pass("types");
    run.integrated(1, &[]);
    run.pass("mail");
    assert_eq!(run.on(Event::Cancel), "stop users Cancelled");
    assert_eq!(run.on(Event::Cancel), "");
    assert_eq!(run.0.state(&id("users")), Some(TaskState::Stopping { attempt: 1, why: StopReason::Cancelled }));
    assert_eq!(run.on(ended("users", End::Failed)), "integrate 2 mail");
    assert_eq!(run.integrated(2, &[]), "finish");
    assert_eq!(run.outcome("users"), Outcome::Cancelled);
    assert_eq!(run.outcome("mail"), Outcome::Passed);
    assert_eq!(run.outcome("tests"), Outcome::NotRun);
    assert_eq!(run.0.why_not_run(&id("tests")), Some(&WhyNotRun::RunEnded));
}

#[test]
fn cancelling_works_in_every_state() {
    let mut before = Run::new(&two_features(), 8);
    assert_eq!(before.on(Event::Cancel), "finish");
    assert_eq!(before.on(Event::Begin), "");
    assert_eq!(before.0.outcomes().filter(|(_, outcome)| *outcome == Outcome::NotRun).count(), 6);

    let mut integrating = Run::new(&two_features(), 8);
    integrating.on(Event::Begin);
    integrating.pass("types");
    assert_eq!(integrating.on(Event::Cancel), "");
    assert_eq!(integrating.integrated(1, &[]), "finish");
    assert_eq!(integrating.outcome("types"), Outcome::Passed);

    let mut raced = Run::new(&two_features(), 8);
    raced.on(Event::Begin);
    raced.on(Event::Cancel);
    assert_eq!(raced.pass("types"), "integrate 1 types", "it had passed before the stop reached it");
    assert_eq!(raced.integrated(1, &[]), "finish");

    let mut judging = judging();
    assert_eq!(judging.on(Event::Cancel), "finish");
    assert_eq!(judging.on(again(&["review"])), "");
}

/// A run of the quality tasks alone that waits for the gates.
fn judging() -> Run {
    let mut run = Run::new(&plan([]), 8);
    run.on(Event::Begin);
    for (name, wave) in [("tests", 1), ("review", 2), ("validation", 3)] {
        run.pass(name);
        run.integrated(wave, &[]);
    }
    run
}

fn again(names: &[&str]) -> Event {
    let again = |name: &&str| Again { task: id(name), because: "the tree moved".to_owned() };
    Event::GatesJudged { again: names.iter().map(again).collect() }
}

#[test]
fn the_gates_may_ask_for_another_attempt_a_bounded_number_of_times() {
    let mut run = judging();
    for attempt in 2..=ATTEMPTS_MAX {
        assert_eq!(
            run.on(again(&["validation", "review", "review", "ghost"])),
            format!("start review #{attempt} (the tree moved)")
        );
        assert_eq!(run.pass("review"), "", "that was the first attempt");
        assert_eq!(run.on(Event::Ended { task: id("review"), attempt, end: End::Passed }), "integrate 2 review");
        assert_eq!(run.integrated(2, &[]), format!("start validation #{attempt} (the tree moved)"));
        assert_eq!(
            run.on(Event::Ended { task: id("validation"), attempt, end: End::Failed }),
            "synthesize quality, judge"
        );
    }
    assert_eq!(run.outcome("validation"), Outcome::Failed);
    assert_eq!(run.on(again(&["review", "validation"])), "finish");
}

#[test]
fn a_retry_waits_its_time_within_its_wave_and_a_cancel_ends_the_waiting() {
    let given = plan([task("a", Role::Feature).touching(&["a/**"]), task("b", Role::Cli).touching(&["b/**"])]);
    let retry = |name: &str| Event::Retry { task: id(name), attempt: 1, because: "busy".to_owned(), after: 500 };
    let mut run = Run::new(&given, 2);
    assert_eq!(run.on(Event::Begin), "start a, start b");
    assert_eq!(run.on(retry("a")), "");
    assert_eq!(run.pass("b"), "", "the wave waits for the retry");
    assert_eq!(run.0.next_deadline(), Some(500));
    assert_eq!(run.0.handle(Event::Tick, 499), []);
    assert_eq!(short(&run.0.handle(Event::Tick, 500)), "start a #2 (busy)");
    let again = Event::Retry { task: id("a"), attempt: 2, because: "busy".to_owned(), after: 500 };
    assert_eq!(run.on(again), "");
    assert_eq!(run.on(Event::Cancel), "integrate 1 b");
    assert_eq!(run.outcome("a"), Outcome::Failed);
}

#[test]
fn what_follows_runs_before_the_next_wave_and_a_task_called_early_is_not_called_twice() {
    let given = plan([
        task("types", Role::DataTypes).touching(&["t/**"]),
        task("feature", Role::Feature).touching(&["f/**"]),
        task("ship", Role::Deployment).touching(&["d/**"]),
    ]);
    let mut run = Run::new(&given, 2);
    run.on(Event::Begin);
    run.pass("types");
    assert_eq!(run.integrated(1, &[]), "synthesize foundation, start feature");
    let again = |name: &str, because: &str| vec![Again { task: id(name), because: because.to_owned() }];
    let groups = vec![again("types", "asked for"), again("ship", "asked for"), again("feature", "help is there")];
    assert_eq!(run.on(Event::Follow { groups }), "");
    assert_eq!(run.on(ended("feature", End::Blocked)), "start types #2 (asked for)");
    assert_eq!(run.on(Event::Ended { task: id("types"), attempt: 2, end: End::Passed }), "integrate 1 types");
    assert_eq!(run.integrated(1, &[]), "synthesize foundation, start ship");
    assert_eq!(run.pass("ship"), "integrate 6 ship");
    assert_eq!(run.integrated(6, &[]), "start feature #2 (help is there)");
    assert_eq!(run.on(Event::Ended { task: id("feature"), attempt: 2, end: End::Passed }), "integrate 2 feature");
    assert_eq!(run.integrated(2, &[]), "synthesize core, start tests");
    for (name, wave) in [("tests", 3), ("review", 4), ("validation", 5)] {
        run.pass(name);
        run.integrated(wave, &[]);
    }
    assert_eq!(run.outcome("ship"), Outcome::Passed);
    assert_eq!(run.0.attempts(&id("ship")), 1);
}

#[test]
fn a_cancelled_repetition_keeps_what_the_first_attempt_came_to() {
    let mut run = judging();
    run.on(again(&["tests", "validation"]));
    assert_eq!(run.on(Event::Cancel), "stop tests Cancelled");
    assert_eq!(run.on(Event::Ended { task: id("tests"), attempt: 2, end: End::Failed }), "finish");
    assert_eq!(run.outcome("tests"), Outcome::Cancelled);
    assert_eq!(run.outcome("validation"), Outcome::Passed);
}

#[test]
fn events_that_do_not_fit_change_nothing() {
    let mut run = Run::new(&two_features(), 8);
    for event in [
        Event::Tick,
        ended("types", End::Passed),
        Event::WaveIntegrated { wave: 1, failed: Vec::new() },
        again(&["types"]),
        Event::Started { task: id("types"), attempt: 1 },
    ] {
        assert_eq!(run.on(event.clone()), "", "{event:?}");
    }
    assert_eq!(run.on(Event::Begin), "start types");
    for event in [
        Event::Begin,
        ended("users", End::Passed),
        ended("ghost", End::Passed),
        Event::Ended { task: id("types"), attempt: 2, end: End::Passed },
        Event::WaveIntegrated { wave: 1, failed: Vec::new() },
        again(&["types"]),
    ] {
        assert_eq!(run.on(event.clone()), "", "{event:?}");
    }
    run.pass("types");
    assert_eq!(run.pass("types"), "");
    assert_eq!(run.integrated(2, &[]), "");
    assert_eq!(run.0.wave(), Some(1));
}

#[test]
fn a_schedule_that_contradicts_itself_is_run_as_far_as_it_makes_sense() {
    let mut broken = schedule(&two_features(), 0);
    broken.concurrency = 0;
    let repeated = broken.waves[0].tasks[0].clone();
    broken.waves[1].tasks.extend([repeated, id("ghost")]);
    broken.waves.retain(|wave| wave.number != 4);
    broken.tasks.iter_mut().for_each(|task| {
        if task.id.as_str() == "mail" {
            task.needs.extend([id("ghost"), id("tests")]);
            task.time_limit_s = u64::MAX;
        }
    });
    let mut run = Run(Machine::new(&broken));
    assert_eq!(run.on(Event::Begin), "start types");
    run.pass("types");
    assert_eq!(run.integrated(1, &[]), "synthesize foundation, start users");
    assert_eq!(run.pass("users"), "integrate 2 users");
    assert_eq!(run.outcome("mail"), Outcome::Blocked);
    run.integrated(2, &[]);
    run.pass("tests");
    run.integrated(3, &[]);
    run.pass("validation");
    run.integrated(5, &[]);
    assert_eq!(run.on(again(&["review", "mail"])), "finish");
    assert_eq!(run.outcome("review"), Outcome::NotRun);
}

/// The world on the other side of the machine, with everything that it must keep to.
struct World<'a> {
    schedule: &'a Schedule,
    machine: Machine,
    now: Millis,
    running: BTreeMap<TaskId, u32>,
    stopped: BTreeSet<(TaskId, u32)>,
    started: BTreeSet<(TaskId, u32)>,
    integrating: Option<(usize, Vec<TaskId>)>,
    judging: bool,
    cancelled: bool,
    finished: bool,
}

impl<'a> World<'a> {
    fn new(schedule: &'a Schedule) -> Self {
        Self {
            schedule,
            machine: Machine::new(schedule),
            now: 0,
            running: BTreeMap::new(),
            stopped: BTreeSet::new(),
            started: BTreeSet::new(),
            integrating: None,
            judging: false,
            cancelled: false,
            finished: false,
        }
    }

    fn send(&mut self, event: Event) -> Result<(), TestCaseError> {
        self.cancelled |= event == Event::Cancel;
        let was_finished = self.finished;
        let effects = self.machine.handle(event, self.now);
        prop_assert!(!was_finished || effects.is_empty(), "an effect after the end");
        for effect in effects {
            prop_assert!(!self.finished, "an effect behind the end");
            self.check(effect)?;
        }
        prop_assert_eq!(self.finished, self.machine.is_finished());
        Ok(())
    }

    fn check(&mut self, effect: Effect) -> Result<(), TestCaseError> {
        match effect {
            Effect::Start { task, attempt, .. } => {
                prop_assert!(!self.cancelled, "a start after the cancel");
                prop_assert!(self.started.insert((task.clone(), attempt)), "an attempt twice");
                prop_assert!(attempt == 1 || self.started.contains(&(task.clone(), attempt - 1)));
                prop_assert!(attempt <= ATTEMPTS_MAX);
                prop_assert!(self.integrating.is_none() && !self.judging);
                let planned = self.schedule.task(&task).unwrap();
                for need in &planned.needs {
                    prop_assert_eq!(
                        self.machine.state(need),
                        Some(TaskState::Done(Outcome::Passed)),
                        "{} before {}",
                        task,
                        need
                    );
                }
                for other in self.running.keys() {
                    let other = self.schedule.task(other).unwrap();
                    prop_assert_eq!(overlap(&planned.scope, &other.scope), None, "{} beside {}", task, other.id);
                }
                prop_assert!(self.running.insert(task, attempt).is_none());
                prop_assert!(self.running.len() <= self.schedule.concurrency);
            }
            Effect::Stop { task, attempt, .. } => {
                prop_assert_eq!(self.running.get(&task), Some(&attempt));
                prop_assert!(self.stopped.insert((task, attempt)), "a stop twice");
            }
            Effect::Integrate { wave, tasks } => {
                prop_assert!(self.running.is_empty() && self.integrating.is_none() && !tasks.is_empty());
                let waves = self.schedule.wave_of();
                prop_assert!(tasks.iter().all(|task| waves[task] == wave));
                let order: Vec<usize> = tasks
                    .iter()
                    .map(|task| self.schedule.tasks.iter().position(|other| &other.id == task).unwrap())
                    .collect();
                prop_assert!(order.is_sorted());
                self.integrating = Some((wave, tasks));
            }
            Effect::Synthesize { .. } => {
                prop_assert!(self.running.is_empty() && self.integrating.is_none() && !self.judging);
            }
            Effect::JudgeGates => {
                prop_assert!(self.running.is_empty() && self.integrating.is_none() && !self.judging && !self.cancelled);
                self.judging = true;
            }
            Effect::Finish => {
                prop_assert!(self.running.is_empty() && self.integrating.is_none());
                self.finished = true;
            }
        }
        Ok(())
    }

    fn end(&mut self, which: usize, end: End) -> Result<(), TestCaseError> {
        if let Some((task, attempt)) = self.running.iter().nth(which).map(|(task, attempt)| (task.clone(), *attempt)) {
            self.running.remove(&task);
            self.send(Event::Ended { task, attempt, end })?;
        }
        Ok(())
    }

    fn integrate(&mut self, failed: usize) -> Result<(), TestCaseError> {
        if let Some((wave, tasks)) = self.integrating.take() {
            self.send(Event::WaveIntegrated { wave, failed: tasks.into_iter().take(failed).collect() })?;
        }
        Ok(())
    }

    fn judge(&mut self, again: Vec<Again>) -> Result<(), TestCaseError> {
        if std::mem::take(&mut self.judging) {
            self.send(Event::GatesJudged { again })?;
        }
        Ok(())
    }

    /// Does one random thing, as a rule something that the machine waits for.
    fn stir(&mut self, choices: &mut Choices, rough: bool) -> Result<(), TestCaseError> {
        let which = choices.below(self.running.len());
        let any = self.schedule.tasks[choices.below(self.schedule.tasks.len())].id.clone();
        match choices.below(if rough { 18 } else { 5 }) {
            0..=3 => self.end(which, End::Passed)?,
            4 => {
                let running = self.running.iter().nth(which).map(|(task, attempt)| (task.clone(), *attempt));
                if let Some((task, attempt)) = running {
                    self.send(Event::Started { task, attempt })?;
                }
            }
            5 => self.end(which, End::Failed)?,
            6 => self.end(which, End::Blocked)?,
            7 => {
                self.now += choices.below(90_000) as u64;
                self.send(Event::Tick)?;
            }
            8 => self.now = self.now.saturating_sub(choices.below(9000) as u64),
            9 if choices.below(12) == 1 => self.send(Event::Cancel)?,
            10 => {
                // Late or about nothing: an attempt that does not run.
                let attempt = self.running.get(&any).map_or(1, |attempt| attempt + 1);
                self.send(Event::Ended { task: any, attempt, end: End::Passed })?;
            }
            11 => self.send(Event::Begin)?,
            12 => self.send(Event::WaveIntegrated { wave: usize::MAX, failed: vec![any] })?,
            13 => self.integrate(choices.below(3))?,
            14 if !self.judging => self.send(Event::GatesJudged { again: vec![] })?,
            14 | 15 => self.judge(vec![Again { task: any, because: "again".to_owned() }])?,
            16 => {
                let running = self.running.iter().nth(which).map(|(task, attempt)| (task.clone(), *attempt));
                if let Some((task, attempt)) = running {
                    self.running.remove(&task);
                    let after = choices.below(3) as u64 * 1000;
                    self.send(Event::Retry { task, attempt, because: "again".to_owned(), after })?;
                }
            }
            17 => {
                let other = self.schedule.tasks[choices.below(self.schedule.tasks.len())].id.clone();
                let again = |task| vec![Again { task, because: "needed".to_owned() }];
                self.send(Event::Follow { groups: vec![again(any), again(other)] })?;
            }
            _ => {}
        }
        self.integrate(0)?;
        if !rough { self.judge(Vec::new()) } else { Ok(()) }
    }

    /// Plays on until the machine says that it is over.
    fn run(&mut self, choices: &mut Choices, rough: bool) -> Result<(), TestCaseError> {
        self.send(Event::Begin)?;
        for _ in 0..300 {
            self.stir(choices, rough)?;
        }
        // From here on, only what the machine waits for.
        for _ in 0..=4 * self.schedule.tasks.len() * ATTEMPTS_MAX as usize {
            self.now += 10_000;
            self.send(Event::Tick)?;
            self.end(0, End::Passed)?;
            self.integrate(0)?;
            self.judge(Vec::new())?;
        }
        prop_assert!(self.finished, "it never ends");
        prop_assert_eq!(self.machine.outcomes().count(), self.schedule.tasks.len());
        self.send(Event::Cancel)?;
        self.send(Event::Tick)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_the_machine_keeps_its_promises_and_ends(
        plan_numbers in prop::collection::vec(any::<u16>(), 0..200),
        numbers in prop::collection::vec(any::<u16>(), 0..900),
        count in 0_usize..16,
        concurrency in 1_usize..5,
    ) {
        let given = random_plan(&mut Choices(plan_numbers.into_iter()), count);
        let config = Config { concurrency: Some(concurrency), time_limit_minutes: Some(1), ..Config::default() };
        let Ok(schedule) = build(&given, &roster(), &config, &[], &[]) else { return Ok(()) };
        let mut world = World::new(&schedule);
        world.run(&mut Choices(numbers.into_iter()), true)?;
        for (task, outcome) in world.machine.outcomes() {
            let ran = world.machine.attempts(task) > 0;
            prop_assert_eq!(world.machine.why_not_run(task).is_none(), ran);
            prop_assert!(ran || matches!(outcome, Outcome::Blocked | Outcome::NotRun));
            prop_assert!(world.cancelled || outcome != Outcome::NotRun);
        }
    }

    #[test]
    fn without_a_failure_everything_passes(
        plan_numbers in prop::collection::vec(any::<u16>(), 0..200),
        numbers in prop::collection::vec(any::<u16>(), 0..600),
        count in 0_usize..16,
    ) {
        let given = random_plan(&mut Choices(plan_numbers.into_iter()), count);
        let Ok(schedule) = build(&given, &roster(), &Config::default(), &[], &[]) else { return Ok(()) };
        let mut world = World::new(&schedule);
        world.run(&mut Choices(numbers.into_iter()), false)?;
        prop_assert!(world.machine.outcomes().all(|(_, outcome)| outcome == Outcome::Passed));
    }
}

#[test]
fn a_wave_of_256_tasks_is_run_without_walking_all_of_them_each_time() {
    let tasks = (0..256).map(|n| task(&format!("t{n}"), Role::Feature).touching(&[&format!("src/{n}/**")]));
    let schedule = schedule(&plan(tasks), 8);
    let mut world = World::new(&schedule);
    world.run(&mut Choices(Vec::new().into_iter()), false).unwrap();
    assert!(world.machine.outcomes().all(|(_, outcome)| outcome == Outcome::Passed));
    assert_eq!(world.started.len(), 259);
}

#[test]
fn where_slots_are_scarce_the_longest_begins_first_and_the_order_of_integration_stays() {
    let names = ["a", "b", "c", "d"];
    let tasks = names.map(|name| task(name, Role::Feature).touching(&[&format!("src/{name}/**")]));
    let schedule = schedule(&plan(tasks), 2);
    let mut durations = Durations::default();
    let feature = schedule.task(&id("a")).unwrap().subagent.clone();
    for (name, millis) in [("a", 10), ("b", 20), ("c", 90), ("d", 20)] {
        durations.note(&id(name), &feature, millis);
    }
    let mut run = Run(Machine::new(&schedule).expecting(&schedule, &durations));
    assert_eq!(run.on(Event::Begin), "start c, start b");
    assert_eq!(run.pass("b"), "start d");
    assert_eq!(run.pass("d"), "start a");
    assert_eq!(run.pass("c"), "");
    assert_eq!(run.pass("a"), "integrate 1 a+b+c+d");
}
