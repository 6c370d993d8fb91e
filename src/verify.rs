//! The proof of a run, offline: integration, scope and landing are recomputed from the bundle, and what the hand-off
//! claims is held against what comes out.

use std::path::{Path, PathBuf};

use implementer_model::{
    gate::ReadyForSubmission,
    handoff::{HANDOFF_MAX, Handoff, HandoffError, IntegratedCommit, Status},
    ids::ObjectId,
    isolation::Isolation,
    lock::Lock,
    patch::Patch,
    run::Facts,
    schedule::Outcome,
    scope, summary,
};

use crate::{
    coordinator::commit_message,
    errors,
    layout::RunFile,
    untrusted::{self, UntrustedError},
    workspace::{
        WorkspaceError, bundle,
        integrate::{Head, IntegrateError},
        landing,
        store::{Base, RunStore},
    },
};

/// The largest summary that is read, in bytes: a comment has at most 65,536 characters.
const SUMMARY_MAX: u64 = 1024 * 1024;

/// Says why a run could not be looked at. What is wrong with a run that can be looked at is a failed [`Check`].
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The hand-off is not there, or no file that is read.
    #[error("cannot read the hand-off")]
    Read(#[from] UntrustedError),
    /// The hand-off is not one.
    #[error("{path} is no hand-off")]
    Handoff {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: HandoffError,
    },
    /// The repository or the bundle cannot be used.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
}

/// One thing that was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What has to hold.
    pub claim: &'static str,
    /// The evidence, or what is wrong.
    pub found: Found,
}

/// What a check found: the evidence, or what is wrong.
pub type Found = Result<String, Broken>;

/// Says what is wrong with a run, in a sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Broken(String);

impl From<String> for Broken {
    fn from(what: String) -> Self {
        Self(what)
    }
}

impl From<&str> for Broken {
    fn from(what: &str) -> Self {
        Self(what.to_owned())
    }
}

/// What came out.
#[derive(Debug)]
pub struct Proof {
    /// The status that the hand-off claims.
    pub status: Status,
    /// Everything that was checked, in order.
    pub checks: Vec<Check>,
    /// What it takes something else to prove.
    pub cannot_prove: Vec<String>,
}

impl Proof {
    /// Tells whether every check held.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.checks.iter().all(|check| check.found.is_ok())
    }

    fn add(&mut self, claim: &'static str, found: Found) {
        self.checks.push(Check { claim, found });
    }
}

/// Proves the run whose folder or hand-off is `target`, with the base commit from `repository`.
///
/// # Errors
/// When the hand-off cannot be read, or the repository cannot be used.
pub fn verify(target: &Path, repository: &Path, scratch: &Path) -> Result<Proof, VerifyError> {
    let file = if target.is_dir() { target.join(RunFile::Handoff) } else { target.to_owned() };
    let bytes = untrusted::read(&file, HANDOFF_MAX)?;
    let handoff = Handoff::read(&bytes).map_err(|source| VerifyError::Handoff { path: file.clone(), source })?;
    let folder = file.parent().unwrap_or(Path::new("."));
    let mut proof =
        Proof { status: handoff.status, checks: Vec::new(), cannot_prove: cannot_prove(&handoff.isolation) };

    proof.add("the lock binds plan, base and roster", lock(&handoff));
    if let Some(name) = &handoff.result.bundle {
        let path = folder.join(name);
        // Whatever is in another bundle proves nothing about this run, but it is worth saying what else is wrong.
        proof.add("the bundle is the one that the hand-off names", bundle_digest(&handoff, name, &path));
        match bundle::open(&path, repository, &scratch.join("verify.git")) {
            Ok(store) => implementation(&handoff, &store, &mut proof)?,
            Err(error @ (WorkspaceError::Bundle(_) | WorkspaceError::Untrusted(_))) => {
                proof.add("the bundle can be unpacked", Err(errors::chain(&error).into()));
            }
            Err(error) => return Err(error.into()),
        }
    } else {
        let nothing = handoff.result.commits.is_empty() && handoff.result.commit == handoff.result.base;
        let found = if nothing { Ok("nothing was integrated".to_owned()) } else { Err("it names no bundle".into()) };
        proof.add("the bundle is the one that the hand-off names", found);
    }
    proof.add("the status follows from tasks, gates and findings", status(&handoff));
    if target.is_dir() {
        proof.add(
            "the summary is the picture of the hand-off",
            written_summary(&handoff, &folder.join(RunFile::Summary)),
        );
    }
    Ok(proof)
}

/// Says what no check of a hand-off and a bundle can prove.
#[must_use]
pub fn cannot_prove(isolation: &Isolation) -> Vec<String> {
    let level = isolation.level;
    let mut all = vec![
        "that the commands of the gates ran and ended as the receipts say: receipts are the coordinator's word. Run them \
         again on the final commit to see for yourself"
            .to_owned(),
        "who wrote the hand-off: it is not signed. An attestation of the workflow run signs it".to_owned(),
        "what subagents did and cost: reports, sessions and costs are the words of agent programs".to_owned(),
        format!("that subagents were isolated: the coordinator says `{level}` ({})", level.meaning()),
    ];
    if !level.is_wall() {
        all.push(format!("that no subagent forged the receipts: isolation `{level}` does not keep it from that"));
    }
    all
}

fn lock(handoff: &Handoff) -> Found {
    let Lock { digest, plan, base, roster } = &handoff.lock;
    let recomputed = Lock::new(plan.clone(), base.clone(), roster.clone());
    if recomputed.digest != *digest {
        return Err(format!("plan, base and roster give {}, the hand-off says {digest}", recomputed.digest).into());
    }
    if *plan != handoff.plan.digest {
        return Err(format!("it locks the plan {plan}, but the plan is {}", handoff.plan.digest).into());
    }
    if *base != handoff.result.base {
        return Err(format!("it locks the base {base}, but the base is {}", handoff.result.base).into());
    }
    Ok(digest.to_string())
}

fn bundle_digest(handoff: &Handoff, name: &str, path: &Path) -> Found {
    if name.contains(['/', '\\']) || name.starts_with('.') {
        return Err("its name is a path; it has to lie beside the hand-off".into());
    }
    let digest = bundle::digest(path).map_err(|error| errors::chain(&error))?;
    match &handoff.result.bundle_digest {
        Some(claimed) if *claimed == digest => Ok(digest.to_string()),
        Some(claimed) => Err(format!("it has the digest {digest}, the hand-off says {claimed}").into()),
        None => Err("the hand-off names no digest".into()),
    }
}

/// Recomputes everything that is in the bundle.
fn implementation(handoff: &Handoff, store: &RunStore, proof: &mut Proof) -> Result<(), WorkspaceError> {
    let result = &handoff.result;
    let base = match store.base_of(&result.base) {
        Ok(base) if base.tree == result.base_tree => base,
        Ok(base) => {
            let wrong = format!("it is {}, the hand-off says {}", base.tree, result.base_tree);
            proof.add("the base has the tree that the hand-off says", Err(wrong.into()));
            return Ok(());
        }
        Err(error) => {
            proof.add("the base is in the repository", Err(errors::chain(&error).into()));
            return Ok(());
        }
    };

    let mut walk = Walk { handoff, store, base: &base, heads: vec![start_of(&base)], patches: Vec::new() };
    let mut scopes = Ok(());
    for commit in &result.commits {
        match walk.step(commit) {
            Ok(()) => {}
            Err(Wrong::Integration(why)) => {
                proof.add("integration gives the same commits again", Err(format!("{}: {why}", commit.task).into()));
                return Ok(());
            }
            Err(Wrong::Scope(why)) => scopes = Err(format!("{}: {why}", commit.task).into()),
            Err(Wrong::Workspace(error)) => {
                // An object that is missing or damaged is the bundle's fault.
                let why = errors::chain(&error);
                proof.add("integration gives the same commits again", Err(format!("{}: {why}", commit.task).into()));
                return Ok(());
            }
        }
    }
    let head = walk.heads.last().cloned().unwrap_or_else(|| start_of(&base));
    let last = if head.commit == result.commit && head.tree == result.tree {
        Ok(format!(
            "{} commits, ending in {} with the tree {}",
            result.commits.len(),
            head.commit.short(),
            head.tree.short()
        ))
    } else {
        Err(format!(
            "they end in {} ({}), the hand-off says {} ({})",
            head.commit, head.tree, result.commit, result.tree
        )
        .into())
    };
    proof.add("integration gives the same commits again", last);
    proof.add("every patch kept to its scope", scopes.map(|()| format!("{} patches", walk.patches.len())));

    let merged: Vec<_> = result.commits.iter().flat_map(|commit| commit.merged.iter().cloned()).collect();
    let unaccounted =
        landing::unaccounted(store, &base.tree, &result.tree, &walk.patches.iter().collect::<Vec<_>>(), &merged)?;
    let landed = match unaccounted.as_slice() {
        [] => Ok(format!("{} of them are merges", merged.len())),
        paths => Err(format!("nobody wrote {}", paths.join(", ")).into()),
    };
    proof.add("every changed file of the final tree comes from one patch or a listed merge", landed);
    Ok(())
}

fn start_of(base: &Base) -> Head {
    Head { commit: base.commit.clone(), tree: base.tree.clone() }
}

enum Wrong {
    Integration(String),
    Scope(String),
    Workspace(WorkspaceError),
}

impl From<WorkspaceError> for Wrong {
    fn from(error: WorkspaceError) -> Self {
        Self::Workspace(error)
    }
}

struct Walk<'a> {
    handoff: &'a Handoff,
    store: &'a RunStore,
    base: &'a Base,
    /// The base and every commit so far: what a patch may have started from.
    heads: Vec<Head>,
    patches: Vec<Patch>,
}

impl Walk<'_> {
    fn step(&mut self, commit: &IntegratedCommit) -> Result<(), Wrong> {
        let wrong = |why: &str| Wrong::Integration(why.to_owned());
        let record = self.handoff.task(&commit.task).ok_or_else(|| wrong("the hand-off has no such task"))?;
        let task = self.handoff.schedule.task(&commit.task).ok_or_else(|| wrong("the schedule has no such task"))?;
        let attempt = record.attempts.iter().find(|attempt| attempt.attempt == commit.attempt);
        let claimed =
            attempt.and_then(|attempt| attempt.patch.as_ref()).ok_or_else(|| wrong("there is no such patch"))?;
        if attempt.is_some_and(|attempt| attempt.outcome != Outcome::Passed) {
            return Err(wrong("its patch was integrated although the attempt did not pass"));
        }
        let start = self.heads.iter().find(|head| head.commit == claimed.base);
        let start = start.ok_or_else(|| wrong("its patch was made on a base that is not part of this run"))?;
        if start.tree != claimed.base_tree {
            return Err(wrong("its patch names another tree for its base"));
        }

        // What the patch is, is read from the trees in the bundle and not from what the hand-off says.
        let message = commit_message(&self.handoff.lock, task, commit.attempt);
        let patch = self.store.patch_between(&self.store.base_of(&claimed.base)?, &claimed.tree)?;
        if patch.changes != claimed.changes {
            return Err(wrong("its patch is another than the hand-off says"));
        }
        let as_made = self.store.patch_commit(&patch, &message)?;
        if self.store.find_ref(&commit.patch_ref)? != Some(as_made) {
            return Err(wrong("the bundle does not hold its patch as it was made"));
        }
        let paths = self.store.tree_paths(&claimed.base_tree)?;
        let checked = scope::check(patch.clone(), &task.scope, task.access, Some(&paths)).map_err(|out_of_scope| {
            let paths: Vec<_> = out_of_scope.violations.iter().map(|violation| violation.path.clone()).collect();
            Wrong::Scope(format!("it leaves its scope: {}", paths.join(", ")))
        })?;
        let head = self.heads.last().cloned().unwrap_or_else(|| start_of(self.base));
        let integrated = match self.store.integrate(&head, &checked, &message) {
            Ok(integrated) => integrated,
            Err(IntegrateError::Conflict(conflicts)) => {
                let paths: Vec<_> = conflicts.into_iter().map(|conflict| conflict.path).collect();
                return Err(wrong(&format!("it conflicts in {}", paths.join(", "))));
            }
            Err(IntegrateError::Workspace(error)) => return Err(error.into()),
        };
        let same =
            integrated.commit == commit.commit && integrated.tree == commit.tree && integrated.merged == commit.merged;
        if !same {
            return Err(wrong(&format!(
                "recomputed, it is {} with the tree {}; the hand-off says {} with {}",
                integrated.commit, integrated.tree, commit.commit, commit.tree
            )));
        }
        self.heads.push(Head { commit: integrated.commit, tree: integrated.tree });
        self.patches.push(patch);
        Ok(())
    }
}

/// Judges the hand-off again: a status that somebody wrote into it by hand does not stand.
fn status(handoff: &Handoff) -> Found {
    let again = Facts::from_handoff(handoff).judge();
    if again.status != handoff.status {
        let (given, said) = (again.status.name(), handoff.status.name());
        return Err(format!("they give {given}, the hand-off says {said}").into());
    }
    if again.criteria != handoff.criteria || again.missing != handoff.missing {
        return Err("its criteria or the list of what is missing are others than they give".into());
    }
    if handoff.status == Status::Complete {
        let tree: &ObjectId = &handoff.result.tree;
        ReadyForSubmission::new(tree, &handoff.gates).map_err(|not_ready| not_ready.missing.join("; "))?;
    }
    Ok(handoff.status.name().to_owned())
}

fn written_summary(handoff: &Handoff, path: &Path) -> Found {
    let written = untrusted::read(path, SUMMARY_MAX).map_err(|error| errors::chain(&error))?;
    if written == summary::render(handoff).as_bytes() {
        Ok(RunFile::Summary.name().to_owned())
    } else {
        Err(format!("{} is not what the hand-off gives", RunFile::Summary.name()).into())
    }
}
