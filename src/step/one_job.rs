//! The layout `one-job` between its jobs: what the working job finds, and what is taken from it afterwards.

use std::{
    fs,
    path::{Path, PathBuf},
};

use implementer_model::{ids::Digest, text};

use super::{
    Step, StepEnd, StepError,
    gather::{self, BadContent, Bound},
    job::PREFIX,
};
use crate::{
    actions::{self, Level, annotation},
    errors,
    jobs::{Counting, JobError, Site, StateDir},
    kept::KeptError,
    untrusted,
};

/// What stands for everything where attempts are named.
pub(super) const ALL: &str = "all";

/// The folder of the working job, below the runner's temporary folder: a checkout by the team empties the workspace.
const PLACE: &str = "backend-implementer";

/// What was taken from the working job.
#[derive(Debug, Default)]
pub(super) struct Work {
    /// What did not count, and why.
    pub(super) notes: Vec<String>,
    /// Why what is not done is not done any more.
    pub(super) why_open: Option<String>,
}

/// Says why nothing of what another job kept counts.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotTaken {
    #[error(transparent)]
    Content(#[from] BadContent),
    #[error(transparent)]
    Kept(#[from] KeptError),
    #[error(transparent)]
    State(#[from] JobError),
    #[error("GitHub does not say which digest {0} has")]
    NoDigest(String),
    #[error("{0}, and it kept nothing")]
    Nothing(&'static str),
    #[error("{who} names no artifact, but `{said}`")]
    NoArtifact { who: &'static str, said: String },
}

impl NotTaken {
    fn no_artifact(who: &'static str, said: &str) -> Self {
        Self::NoArtifact { who, said: text::truncate(&text::plain(said), 80) }
    }
}

impl Step<'_> {
    /// Puts the state, the commits, the program and what an earlier attempt kept where the next step of the job works.
    pub(super) fn prepare_in_place(&self) -> Result<StepEnd, StepError> {
        let temp = self.runner.temp()?;
        let place = temp.join(PLACE);
        // A runner of somebody's own may have what an earlier job left.
        untrusted::remove(&place).map_err(StepError::file("remove what an earlier job left in", &place))?;
        self.runtime.block_on(async {
            self.site(&place).await?;
            self.fetch_earlier(&place).await
        })?;
        // The next step opens the state with a store of its own.
        let site = place.join("site");
        fs::remove_dir_all(&site).map_err(StepError::file("remove", &site))?;
        self.leave_program(&place)?;
        // The steps after this one run as the runner's user, to whom its temporary folder belongs.
        actions::give_to_owner_of(&temp, &place).map_err(StepError::file("give to the runner's user", &place))?;
        self.log.line(&format!("Everything for the next step is in {}", place.display()));
        Ok(StepEnd::Done)
    }

    /// Copies the program for the steps on the host.
    pub(super) fn leave_program(&self, place: &Path) -> Result<(), StepError> {
        let program = std::env::current_exe()
            .map_err(|source| StepError::Process { doing: "find our own executable", source })?;
        let folder = place.join("bin");
        fs::create_dir_all(&folder).map_err(StepError::file("make", &folder))?;
        let copy = folder.join("backend-implementer");
        fs::copy(program, &copy).map_err(StepError::file("copy the program for the steps on the host to", &copy))?;
        Ok(())
    }

    /// Downloads what the attempt before kept, when the job is run again. What did not count then is done anew.
    ///
    /// # Errors
    /// When it may be there and cannot be fetched: it would be done, and paid for, once more.
    async fn fetch_earlier(&self, place: &Path) -> Result<(), StepError> {
        let attempt = self.runner.attempt()?;
        if attempt < 2 {
            return Ok(());
        }
        let artifacts = self.repository()?.github.artifacts(self.runner.run_id()?).await?;
        let kept = |attempt: u32| {
            let name = format!("{PREFIX}-work-attempt-{attempt}");
            artifacts.iter().find(move |artifact| artifact.name == name && !artifact.expired)
        };
        let Some((earlier, artifact)) = (1..attempt).rev().find_map(|attempt| Some((attempt, kept(attempt)?))) else {
            self.log.line("No earlier attempt kept anything: everything is done");
            return Ok(());
        };
        let digest = artifact.digest.as_deref().and_then(|digest| Digest::new(digest).ok());
        let downloaded = match digest {
            Some(digest) => {
                let bound = Bound { id: artifact.id, digest };
                self.download_kept(&bound, place, "earlier").await?.map_err(NotTaken::from)
            }
            None => Err(NotTaken::NoDigest(artifact.name.clone())),
        };
        match downloaded {
            Ok(_) => self.log.line(&format!("What attempt {earlier} finished is not done again")),
            Err(error) => {
                let why = errors::chain(&error);
                let said =
                    format!("the work of the previous attempt cannot be reused, so everything runs again: {why}");
                self.log.command(&annotation(Level::Warning, None, "Done anew", &said));
            }
        }
        Ok(())
    }

    /// Adds what the working job kept to a state that `plan` froze. Whatever is missing or wrong is said, and the state stays
    /// as it was: a summary that says so is always better than none.
    ///
    /// # Errors
    /// When it may be there and cannot be fetched: what the platform did is no verdict on the work.
    pub(super) async fn add_work(&self, site: &mut Site, folder: &Path) -> Result<Work, StepError> {
        let Some(result) = self.runner.input("work-result").or_else(|| self.runner.input("work")) else {
            return Ok(Work::default());
        };
        let cancelled = self.runner.input("cancelled") == Some("true");
        let ended = match result {
            "cancelled" if cancelled => "the workflow was cancelled while the job that works was running",
            "cancelled" => "the job that works ran out of time, or its runner was lost",
            "skipped" => "the job that works did not run",
            _ => "the job that works ended before everything was done; its log says why",
        };
        let mut work = Work { notes: Vec::new(), why_open: Some(ended.to_owned()) };
        let said = self.runner.input("work").unwrap_or_default();
        let added = match Bound::parse(said) {
            Some(bound) => self.download_work(site, &bound, folder).await?,
            None if said.is_empty() => Err(NotTaken::Nothing(ended)),
            None => Err(NotTaken::no_artifact("the job that works", said)),
        };
        if let Err(error) = added {
            work.notes.push(format!("nothing of the work counts: {}", errors::chain(&error)));
        }
        Ok(work)
    }

    async fn download_work(
        &self,
        site: &mut Site,
        bound: &Bound,
        folder: &Path,
    ) -> Result<Result<(), NotTaken>, StepError> {
        Ok(match self.download_kept(bound, folder, "kept").await? {
            Ok(kept) => site.add_kept(&kept, Counting::All).map(drop).map_err(NotTaken::from),
            Err(error) => Err(error.into()),
        })
    }

    /// Downloads an artifact into the folder `name` of `folder`. Gives that folder, or why its content counts for nothing.
    ///
    /// # Errors
    /// When it may be there and cannot be fetched.
    pub(super) async fn download_kept(
        &self,
        bound: &Bound,
        folder: &Path,
        name: &str,
    ) -> Result<Result<PathBuf, BadContent>, StepError> {
        fs::create_dir_all(folder).map_err(StepError::file("make", folder))?;
        let source = self.source(self.repository()?.github);
        let downloaded = gather::download_content(&source, bound, folder, name).await;
        downloaded.map_err(|error| StepError::ResultsNotHere(vec![errors::chain(&error)]))
    }

    /// Replaces the progress of the state that `plan` froze by that of the last job that settled something, where there is
    /// one. What was approved stays that of `plan`.
    ///
    /// # Errors
    /// When it may be there and cannot be fetched.
    pub(super) async fn add_settled(&self, site: &mut Site, folder: &Path) -> Result<Vec<String>, StepError> {
        let Some(said) = self.runner.input("settled").filter(|said| Some(*said) != self.given("state")) else {
            return Ok(Vec::new());
        };
        let added = match Bound::parse(said) {
            None => Err(NotTaken::no_artifact("the job before", said)),
            Some(bound) => match self.download_kept(&bound, folder, "settled").await? {
                Ok(settled) => site.take_progress(&StateDir::new(&settled)).map_err(NotTaken::from),
                Err(error) => Err(error.into()),
            },
        };
        let note = |error| format!("nothing of the waves counts: {}", errors::chain(&error));
        Ok(added.err().map(note).into_iter().collect())
    }
}
