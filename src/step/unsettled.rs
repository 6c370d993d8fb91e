//! Waves of the plan that follow each other without a job between them: whoever comes after takes in by itself what they made.

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::Value;

use super::{ANNOTATIONS_MAX, Step, StepError, wave_results::Bindings};
use crate::{
    actions::{Level, annotation},
    jobs::{self, Site},
};

/// What the jobs of a wave said in their outputs; nothing of a wave that was not needed.
type WaveOutputs = Option<BTreeMap<String, Value>>;

/// Which waves are taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Waves {
    /// All that ran: a result that is missing is an error, because it may still be made.
    All,
    /// Those before the first that was not finished: the last job says what was finished.
    Finished,
}

impl Step<'_> {
    /// Takes in what the waves made that no job has settled. Gives how many they were.
    ///
    /// # Errors
    /// When a result may be there and cannot be fetched.
    pub(super) async fn add_unsettled(
        &self,
        site: &mut Site,
        which: Waves,
        scratch: &Path,
    ) -> Result<usize, StepError> {
        let mut count = 0;
        for (number, outputs) in (1..).zip(self.unsettled()?.unwrap_or_default()) {
            // The waves after the last one that the plan needs are not there.
            let Some(outputs) = outputs else { break };
            let (wave, bindings) = (format!("wave-{number}"), Bindings::of_wave(outputs));
            let awaited = jobs::awaited(site).await?;
            let is_finished = awaited.legs.iter().all(|leg| bindings.names(leg));
            if awaited.legs.is_empty() || bindings.is_not_due() || (which == Waves::Finished && !is_finished) {
                break;
            }
            let folder = scratch.join(&wave);
            fs::create_dir_all(&folder).map_err(StepError::file("make", &folder))?;
            let (found, troubles) = self.gather(&awaited, &bindings, &wave, &folder).await?;
            let advanced = jobs::advance(site, awaited, &found, &troubles).await?;
            for note in advanced.notes.iter().take(ANNOTATIONS_MAX) {
                self.log.command(&annotation(Level::Warning, None, "Result not counted", note));
            }
            *site = advanced.site;
            count += 1;
        }
        Ok(count)
    }

    fn unsettled(&self) -> Result<Option<Vec<WaveOutputs>>, StepError> {
        let input = "unsettled";
        let Some(json) = self.runner.input(input) else { return Ok(None) };
        serde_json::from_str(json).map(Some).map_err(|source| StepError::Outputs { input, source })
    }
}
