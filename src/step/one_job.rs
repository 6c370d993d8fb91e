//! The layout `one-job` between its jobs: what the working job finds, and what is taken from it afterwards.

use std::{fs, path::Path};

use implementer_model::{ids::Digest, text};

use super::{
    Step, StepEnd, StepError,
    gather::{self, Bound},
    job::PREFIX,
};
use crate::{
    actions::{self, Level, annotation},
    errors,
    jobs::{Counting, Site, StateDir},
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

impl Step<'_> {
    /// Puts the state, the commits, the program and what an earlier attempt kept where the next step of the job works.
    pub(super) fn prepare_in_place(&self) -> Result<StepEnd, StepError> {
        let temp = self.runner.temp()?;
        let place = temp.join(PLACE);
        // A runner of somebody's own may have what an earlier job left.
        match fs::remove_dir_all(&place) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(StepError::file("remove what an earlier job left in", &place)(error));
            }
            _ => {}
        }
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
            Some(digest) => self.download_kept(&Bound { id: artifact.id, digest }, place, "earlier").await?,
            None => Err(format!("GitHub does not say which digest {} has", artifact.name)),
        };
        match downloaded {
            Ok(()) => self.log.line(&format!("What attempt {earlier} finished is not done again")),
            Err(why) => {
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
            None if said.is_empty() => Err(format!("{ended}, and it kept nothing")),
            None => {
                Err(format!("the job that works names no artifact, but `{}`", text::truncate(&text::plain(said), 80)))
            }
        };
        if let Err(why) = added {
            work.notes.push(format!("nothing of the work counts: {why}"));
        }
        Ok(work)
    }

    async fn download_work(
        &self,
        site: &mut Site,
        bound: &Bound,
        folder: &Path,
    ) -> Result<Result<(), String>, StepError> {
        let kept = folder.join("kept");
        Ok(match self.download_kept(bound, folder, "kept").await? {
            Ok(()) => site.add_kept(&kept, Counting::All).map(drop),
            Err(why) => Err(why),
        })
    }

    /// Downloads an artifact into the folder `name` of `folder`. Gives why its content is none that could count.
    ///
    /// # Errors
    /// When it may be there and cannot be fetched.
    pub(super) async fn download_kept(
        &self,
        bound: &Bound,
        folder: &Path,
        name: &str,
    ) -> Result<Result<(), String>, StepError> {
        fs::create_dir_all(folder).map_err(StepError::file("make", folder))?;
        let source = self.source(self.repository()?.github);
        let zip = folder.join(format!("{name}.zip"));
        match gather::download(&source, bound, &zip, &folder.join(name)).await {
            Err(error) if error.is_about_the_content() => Ok(Err(errors::chain(&error))),
            Err(error) => Err(StepError::ResultsNotHere(vec![errors::chain(&error)])),
            Ok(()) => Ok(Ok(())),
        }
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
            None => Err(format!("the job before names no artifact, but `{}`", text::truncate(&text::plain(said), 80))),
            Some(bound) => match self.download_kept(&bound, folder, "settled").await? {
                Ok(()) => {
                    let settled = StateDir::new(&folder.join("settled"));
                    site.take_progress(&settled).map_err(|error| errors::chain(&error))
                }
                Err(why) => Err(why),
            },
        };
        Ok(added.err().map(|why| format!("nothing of the waves counts: {why}")).into_iter().collect())
    }
}
