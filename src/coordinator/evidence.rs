//! Evidence for the tests gate beside its own run: the same commands on the base, the base's own tests on the result, and
//! the tests without one task's patch. What it means is decided in the model.

mod settings;
mod undoing;

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use futures_util::{StreamExt, TryStreamExt, stream};
use implementer_model::{
    evidence::{
        base_tests::{self, OnFinal},
        gathered::{self, GateEvidence},
        manifest,
        mutants::{self, Mutant},
        never_ran,
        proof::{self, Outcome, RevertProof},
        recipes, restore,
        runner_settings::{self, WithSettingsOfBase},
        source,
    },
    findings::Finding,
    gate::{CommandReceipt, TestCounts},
    patch::{Blob, Change, FileMode},
    run::{self, EvidencePlan, GateJob, TaskWork},
};
use tokio::sync::RwLock;
use tokio_util::sync::CancellationToken;

use self::{
    settings::AsOnBase,
    undoing::{FILE_MAX, ProductFile, Provable},
};
use super::{
    context::WorkerContext,
    error::RunError,
    gates::{self, GateTarget, RanGate},
};
use crate::workspace::integrate::Head;

/// Finds out about the tests what their own run cannot tell. Nothing when they are red: then that is what counts.
pub(super) async fn gather(
    context: &WorkerContext,
    job: &GateJob,
    plan: &EvidencePlan,
    ran: &RanGate,
    stop: &CancellationToken,
) -> Result<GateEvidence, RunError> {
    let mut evidence = GateEvidence::default();
    if !ran.succeeded() || ran.commands.is_empty() || stop.is_cancelled() {
        return Ok(evidence);
    }
    if !plan.done_already.is_empty() {
        let on_base = base(context, job, &plan.base, stop).await?;
        let exists = |path: &str| context.store.read_file(&plan.base.tree, path).is_ok_and(|file| file.is_some());
        let claims = &plan.done_already;
        let found = tokio::task::block_in_place(|| gathered::done_already(claims, on_base.results.as_ref(), exists));
        evidence.findings.extend(found);
    }
    if plan.contributions.is_empty() {
        return Ok(evidence);
    }
    let head = Head { commit: plan.head.commit.clone(), tree: plan.head.tree.clone() };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let at_once = plan.concurrency.min(cores).max(1);
    let experiments = Experiments { context, job, plan, head, ran, stop, at_once, machine: RwLock::default() };
    evidence.findings.extend(ran.recorder.as_deref().map(gathered::recorder_failed));
    let base = base(context, job, &plan.base, stop).await?;
    evidence.base = base.counts();
    if !stop.is_cancelled() {
        experiments.hold_against_base(base, &mut evidence).await?;
    }
    if !stop.is_cancelled() {
        evidence.findings.extend(experiments.with_settings_of_base(base).await?);
        evidence.findings.extend(experiments.added_tests_that_never_ran());
    }
    let deadline = Instant::now() + plan.settings.time();
    if plan.settings.revert_proof {
        experiments.prove(deadline, &mut evidence).await?;
    }
    experiments.mutate(deadline, &mut evidence).await?;
    Ok(evidence)
}

/// Runs the tests on the base, once a run.
pub(super) async fn base<'a>(
    context: &'a WorkerContext,
    job: &GateJob,
    base: &run::Head,
    stop: &CancellationToken,
) -> Result<&'a RanGate, RunError> {
    let run = || gates::run_one(context, job, GateTarget::base(&base.commit), stop);
    context.base_tests.get_or_try_init(run).await
}

impl RanGate {
    pub(super) fn succeeded(&self) -> bool {
        self.commands.iter().all(|command| command.exit_code == Some(0) && command.trouble.is_none())
    }

    fn counts(&self) -> Option<TestCounts> {
        CommandReceipt::total(&self.commands)
    }
}

struct Experiments<'a> {
    context: &'a WorkerContext,
    job: &'a GateJob,
    plan: &'a EvidencePlan,
    head: Head,
    ran: &'a RanGate,
    stop: &'a CancellationToken,
    /// How many experiments run side by side, as the tests of subagents do.
    at_once: usize,
    /// Held for writing by an experiment that has to have the machine's ports for itself.
    machine: RwLock<()>,
}

impl Experiments<'_> {
    async fn hold_against_base(&self, base: &RanGate, evidence: &mut GateEvidence) -> Result<(), RunError> {
        let changes = &self.plan.changes;
        // A new file takes no test away.
        let touched = changes.iter().any(|change| change.old.is_some() && holds_tests(&change.path));
        match (&base.results, &self.ran.results) {
            (Some(before), Some(now)) => evidence.findings.extend(gathered::against_base(before, now, touched)),
            // What a recorder of ours did is nobody's fault.
            (Some(_), None) if self.ran.recorder.is_some() => {}
            // A runner that left a file on the base and leaves none now has been replaced.
            (Some(_), None) => evidence.findings.push(gathered::no_results_any_more()),
            (None, _) => evidence.findings.extend(gathered::fewer_counted(base.counts(), self.ran.counts(), touched)),
        }
        let recipes = self.recipes();
        evidence.findings.extend(recipes.iter().map(|change| gathered::recipe_changed(&change.path)));
        let of_tests = changes.iter().filter(|change| restore::belongs_to_tests(&change.path));
        let of_tests: Vec<&Change> = of_tests.chain(recipes.iter().copied()).collect();
        // New files with nothing but tests in them change no other test.
        let plain_new = |change: &&Change| {
            change.old.is_none() && source::is_discovered(&change.path) && source::is_test_path(&change.path)
        };
        let manifests = self.manifests_as_on_base();
        if of_tests.iter().all(plain_new) && recipes.is_empty() && manifests.is_empty() {
            return Ok(());
        }
        let entries: Vec<(String, Option<Blob>)> =
            of_tests.iter().map(|change| (change.path.clone(), change.old.clone())).collect();
        let texts: Vec<_> = manifests.iter().map(|(path, mode, text)| (path.as_str(), *mode, text.as_str())).collect();
        let store = &self.context.store;
        let head =
            self.make(|| store.with_entries(&self.head, &entries).and_then(|head| store.with_texts(&head, &texts)))?;
        let ran = gates::run_one(self.context, self.job, GateTarget::experiment(&head.commit), self.stop).await?;
        if self.stop.is_cancelled() {
            return Ok(());
        }
        // What was red on the base already says nothing.
        let before = base.results.clone().unwrap_or_default();
        let failed = !ran.succeeded() && base.succeeded();
        let files: Vec<String> = of_tests.iter().map(|change| change.path.clone()).collect();
        let on_final =
            OnFinal { commands: &ran.commands, results: ran.results.as_ref(), failing: &ran.failing, failed };
        evidence.findings.extend(base_tests::base_tests(&before, base.counts(), on_final, self.plan, &files));
        Ok(())
    }

    /// Returns the changed recipes and scripts by which tests are started, and that start them in another way now.
    fn recipes(&self) -> Vec<&Change> {
        let store = &self.context.store;
        let text = |blob: &Option<Blob>| store.read_text(&blob.as_ref()?.id, FILE_MAX as u64);
        let named: BTreeSet<String> = self.job.argvs().flat_map(|argv| recipes::named_in(argv)).collect();
        let scripts: BTreeSet<String> = self.job.argvs().flat_map(|argv| recipes::started_by(argv)).collect();
        let exists = |path: &str| store.read_file(&self.plan.base.tree, path).is_ok_and(|file| file.is_some());
        let is_other = |change: &&Change| {
            if restore::belongs_to_tests(&change.path) {
                return false;
            }
            match &change.old {
                None => restore::takes_the_place(&change.path, exists),
                Some(_) if scripts.contains(&change.path) => true,
                Some(_) => recipes::starts_otherwise(&change.path, text(&change.old), text(&change.new), &named),
            }
        };
        tokio::task::block_in_place(|| self.plan.changes.iter().filter(is_other).collect())
    }

    /// Returns the manifests that patches changed, with what they say about tests as the base had it and the rest as it is.
    fn manifests_as_on_base(&self) -> Vec<(String, FileMode, String)> {
        let store = &self.context.store;
        let text = |blob: &Blob| store.read_text(&blob.id, FILE_MAX as u64);
        let changes = self.plan.changes.iter();
        let mixed = changes.filter_map(|change| {
            let (old, new) = (change.old.as_ref()?, change.new.as_ref()?);
            let text = manifest::with_tests_of(&change.path, &text(old)?, &text(new)?)?;
            Some((change.path.clone(), new.mode, text))
        });
        tokio::task::block_in_place(|| mixed.collect())
    }

    /// Runs the tests of the result with the base's settings of the runner, where a patch of the product changed those. What
    /// came with the code would else prove itself: the proof of a task takes both away.
    async fn with_settings_of_base(&self, base: &RanGate) -> Result<Option<Finding>, RunError> {
        let AsOnBase { settings, entries, texts } =
            tokio::task::block_in_place(|| AsOnBase::read(&self.context.store, self.plan));
        if settings.is_empty() || (base.results.is_none() && !base.succeeded()) {
            return Ok(None);
        }
        let texts: Vec<_> = texts.iter().map(|(path, mode, text)| (path.as_str(), *mode, text.as_str())).collect();
        let store = &self.context.store;
        let head =
            self.make(|| store.with_entries(&self.head, &entries).and_then(|head| store.with_texts(&head, &texts)))?;
        let ran = gates::run_one(self.context, self.job, GateTarget::experiment(&head.commit), self.stop).await?;
        if self.stop.is_cancelled() || ran.succeeded() {
            return Ok(None);
        }
        let of_base = WithSettingsOfBase { results: ran.results.as_ref(), failing: &ran.failing };
        let (before, now) = (base.results.clone().unwrap_or_default(), self.ran.results.clone().unwrap_or_default());
        Ok(runner_settings::held_against_base(&before, &now, of_base, &settings, self.plan))
    }

    /// Names the test files that patches added and of which no test ran.
    fn added_tests_that_never_ran(&self) -> Vec<Finding> {
        let added = tokio::task::block_in_place(|| settings::added_files(&self.context.store, self.plan));
        never_ran::never_ran(&added, self.ran.results.as_ref(), &self.ran.commands)
    }

    fn product_files(&self, work: &TaskWork<'_>) -> Vec<ProductFile> {
        undoing::product_files(&self.context.store, &self.head.tree, work)
    }

    /// Takes each task's patch out by itself, as far as runs and time allow.
    async fn prove(&self, deadline: Instant, evidence: &mut GateEvidence) -> Result<(), RunError> {
        let work = self.plan.work_of_tasks().into_iter();
        let provable = |work| undoing::provable(&self.context.store, &work).map(|provable| (work, provable));
        let tasks: Vec<_> = tokio::task::block_in_place(|| work.filter_map(provable).collect());
        let proofs: Vec<_> = tasks.iter().map(|(work, provable)| self.prove_task(work, *provable, deadline)).collect();
        evidence.proofs = stream::iter(proofs).buffered(self.at_once).try_collect().await?;
        evidence.findings.extend(gathered::unproven(&evidence.proofs, self.plan.settings.require_proof));
        Ok(())
    }

    async fn prove_task(
        &self,
        work: &TaskWork<'_>,
        provable: Provable,
        deadline: Instant,
    ) -> Result<RevertProof, RunError> {
        let outcome = if provable == Provable::OtherLanguage {
            Outcome::other_language()
        } else if self.stop.is_cancelled() {
            Outcome::NotTried { why: "the run was stopped".to_owned() }
        } else if !self.has_time(deadline) {
            Outcome::NotTried { why: "the time for mutants and reverts ran out: raise `evidence.minutes`".to_owned() }
        } else {
            self.without(work).await?
        };
        Ok(RevertProof { task: work.task.clone(), outcome })
    }

    /// Tells whether the tests can run once more before the deadline, by what they took.
    fn has_time(&self, deadline: Instant) -> bool {
        let took_ms: u64 = self.ran.commands.iter().map(|command| command.duration_ms).sum();
        Instant::now() + Duration::from_millis(took_ms) < deadline
    }

    /// Tries small changes to lines that patches added, and names those that no test notices.
    async fn mutate(&self, deadline: Instant, evidence: &mut GateEvidence) -> Result<(), RunError> {
        let max = self.plan.settings.mutants as usize;
        if max == 0 {
            return Ok(());
        }
        let tasks = self.plan.work_of_tasks();
        let files = tasks.iter().map(|work| (work.task, self.product_files(work)));
        let files: Vec<_> = files.flat_map(|(task, files)| files.into_iter().map(move |file| (task, file))).collect();
        let each = (max / files.len().max(1)).max(1);
        let mutants = files.iter().flat_map(|(task, file)| {
            let mutants = mutants::of_lines(&file.path, file.before.as_deref(), &file.text, each);
            mutants.into_iter().map(move |mutant| (*task, file.blob.mode, mutant))
        });
        let mutants: Vec<_> = mutants.take(max).collect();
        let tried: Vec<_> = mutants.iter().map(|(_, mode, mutant)| self.survives(*mode, mutant, deadline)).collect();
        let survived: Vec<bool> = stream::iter(tried).buffered(self.at_once).try_collect().await?;
        let survivors = mutants.iter().zip(survived).filter(|(_, survived)| *survived);
        evidence.findings.extend(survivors.map(|((task, _, mutant), _)| gathered::survived(task, mutant)));
        Ok(())
    }

    /// Tells whether no test notices a small change. One that there is no time for has not survived.
    async fn survives(&self, mode: FileMode, mutant: &Mutant, deadline: Instant) -> Result<bool, RunError> {
        if self.stop.is_cancelled() || !self.has_time(deadline) {
            return Ok(false);
        }
        let text = [(mutant.path.as_str(), mode, mutant.text.as_str())];
        let head = self.make(|| self.context.store.with_texts(&self.head, &text))?;
        Ok(self.outcome_on(&head).await? == Outcome::Nothing)
    }

    /// Runs the tests without a task's patches. What it did to functions is undone first, because that leaves everything
    /// there that tests load: where a test notices that, one run was enough.
    async fn without(&self, work: &TaskWork<'_>) -> Result<Outcome, RunError> {
        let store = &self.context.store;
        let files = self.product_files(work);
        let undone: Vec<_> = files.iter().filter_map(|file| Some((file, file.undone()?))).collect();
        let mut functions = None;
        if !undone.is_empty() {
            let texts = undone.iter().map(|(file, text)| (file.path.as_str(), file.blob.mode, text.as_str()));
            let texts: Vec<_> = texts.collect();
            let outcome = self.outcome_on(&self.make(|| store.with_texts(&self.head, &texts))?).await?;
            if matches!(outcome, Outcome::Proven { .. }) {
                return Ok(outcome);
            }
            // Of scripts everything was taken back but that they are there.
            let all_scripts = undone.len() == work.changes.len() && files.iter().all(|file| file.script().is_some());
            if all_scripts && outcome == Outcome::Nothing {
                return Ok(outcome);
            }
            functions = Some(outcome);
        }
        // The last one first: an earlier one may stand below it.
        let all_taken_away = || {
            let mut patches = work.patches.iter().rev();
            patches.try_fold(Some(self.head.clone()), |head, patch| match head {
                Some(head) => store.without_patch(&head, patch),
                None => Ok(None),
            })
        };
        let Some(head) = self.make(all_taken_away)? else {
            let why = "a later patch builds on the same lines".to_owned();
            return Ok(functions.unwrap_or(Outcome::NotTried { why }));
        };
        Ok(match (functions, self.outcome_on(&head).await?) {
            // That something could not be loaded proves nothing about what it does.
            (Some(Outcome::Nothing), Outcome::NotLoaded) => Outcome::Nothing,
            (None, Outcome::NotLoaded) => Outcome::nothing_to_undo(),
            (_, outcome) => outcome,
        })
    }

    async fn outcome_on(&self, head: &Head) -> Result<Outcome, RunError> {
        let target = || GateTarget::experiment(&head.commit);
        let beside_others = self.machine.read().await;
        let mut ran = gates::run_one(self.context, self.job, target(), self.stop).await?;
        drop(beside_others);
        // Two of them wanted one port: that one failed says nothing about the patch.
        if self.at_once > 1 && ran.commands.iter().any(|command| proof::wanted_a_taken_port(&command.output_tail)) {
            let _alone = self.machine.write().await;
            ran = gates::run_one(self.context, self.job, target(), self.stop).await?;
        }
        Ok(proof::judge(self.ran.results.as_ref(), ran.results.as_ref(), !ran.succeeded()))
    }

    fn make<T>(&self, make: impl FnOnce() -> crate::workspace::Result<T>) -> Result<T, RunError> {
        Ok(tokio::task::block_in_place(make)?)
    }
}

/// Tells whether tests may stand in a file: one of the tests, or a source of a language that keeps both together.
fn holds_tests(path: &str) -> bool {
    restore::belongs_to_tests(path) || path.ends_with(".rs")
}
