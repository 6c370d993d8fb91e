//! What the working job of the layout `one-job` keeps for the job after it, and what is taken from that.

use std::{
    fs,
    path::{Path, PathBuf},
};

use implementer_model::record::Timed;

use super::{error::JobError, site::Site, state::StateDir};
use crate::{
    journal,
    kept::{self, KeptError, Subject},
};

/// Which records of a kept folder count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counting {
    /// All of them.
    All,
    /// What passed. The rest is what a job that is run again is run again for.
    Passed,
}

/// A folder that the working job keeps up to date.
#[derive(Debug)]
pub(super) struct Keeper {
    folder: PathBuf,
    /// How many records the last version had.
    records: usize,
}

impl Keeper {
    pub(super) fn new(folder: &Path) -> Result<Self, JobError> {
        fs::create_dir_all(folder).map_err(JobError::writing(folder))?;
        Ok(Self { folder: folder.to_owned(), records: 0 })
    }

    /// Writes what is finished so far.
    pub(super) async fn keep(&mut self, site: &Site, journal: &Path) -> Result<(), JobError> {
        let records = journal::read(journal)?;
        if records.len() == self.records {
            return Ok(());
        }
        let subject = Subject { store: &site.store, lock: &site.frozen.lock, schedule: &site.intake.schedule };
        tokio::task::block_in_place(|| kept::write(&subject, &records, &self.folder))?;
        self.records = records.len();
        Ok(())
    }
}

impl Site {
    /// Adds what the working job kept in `folder`. Gives how many records counted.
    ///
    /// # Errors
    /// When the folder is not what the working job of this very run keeps: nothing of it counts.
    pub fn add_kept(&mut self, folder: &Path, counting: Counting) -> Result<usize, KeptError> {
        let run = self.frozen.run.clone();
        let finished = self.read_kept(folder, Some(&run))?;
        let counted = match counting {
            Counting::All => finished,
            Counting::Passed => kept::passed(finished),
        };
        let count = counted.len();
        self.records.extend(counted);
        // Who kept it ran the gates, too.
        self.gates_beside_subagents |= counting == Counting::All;
        Ok(count)
    }

    /// Adds what passed in the last run of the same lock, but for the task `again`, where one is named. Gives how many attempts counted.
    ///
    /// # Errors
    /// When the folder is not what a run of this lock keeps: nothing of it counts.
    pub fn add_kept_by_last_run(&mut self, folder: &Path, again: Option<&str>) -> Result<usize, KeptError> {
        let (counted, count) = kept::passed_but_for(self.read_kept(folder, None)?, again);
        self.records.extend(counted);
        Ok(count)
    }

    /// Reads the records of a kept folder, and takes its patches into the store.
    fn read_kept(&self, folder: &Path, run: Option<&str>) -> Result<Vec<Timed>, KeptError> {
        // The journal of a state has only what is finished; what it is of stands in its frozen file.
        let lock_beside = || match StateDir::new(folder).frozen() {
            Ok(frozen) => Ok(frozen.lock),
            Err(error) => Err(KeptError::NoLock(error.into())),
        };
        kept::read(folder, &self.frozen.lock, run, &self.store, lock_beside)
    }
}
