//! The stages of a workflow: waves, gates, and the same again for every round of rework.

use crate::config::WorkflowConfig;

/// A job that makes something, and the job that settles what it made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Attempts side by side.
    Wave {
        /// The round of rework; 0 for the plan itself.
        round: u32,
        /// Its number within the round, from 1.
        number: u64,
    },
    /// The gates.
    Gates {
        /// The round of rework that they come after; 0 for the plan itself.
        round: u32,
    },
}

impl Stage {
    /// Returns the id of its job.
    #[must_use]
    pub fn id(&self) -> String {
        match self {
            Self::Wave { round: 0, number } => format!("wave-{number}"),
            Self::Wave { round, number } => format!("rework-{round}-wave-{number}"),
            Self::Gates { round: 0 } => "gates".to_owned(),
            Self::Gates { round } => format!("rework-{round}-gates"),
        }
    }

    /// Returns the id of the job that waits for workflows which do work of its wave; none for the gates.
    #[must_use]
    pub fn dispatch(&self) -> Option<String> {
        matches!(self, Self::Wave { .. }).then(|| format!("{}-dispatch", self.id()))
    }

    /// Returns the id of the job that settles what it made.
    #[must_use]
    pub fn settle(&self) -> String {
        match self {
            Self::Wave { round: 0, number } => format!("settle-{number}"),
            Self::Wave { round, number } => format!("rework-{round}-settle-{number}"),
            Self::Gates { round: 0 } => "settle-gates".to_owned(),
            Self::Gates { round } => format!("rework-{round}-settle-gates"),
        }
    }

    /// Returns what people call it.
    #[must_use]
    pub fn title(&self) -> String {
        match self {
            Self::Wave { round: 0, number } => format!("Wave {number}"),
            Self::Wave { round, number } => format!("Rework {round}, wave {number}"),
            Self::Gates { round: 0 } => "Gates".to_owned(),
            Self::Gates { round } => format!("Rework {round}, gates"),
        }
    }
}

/// Lists the stages, in order.
#[must_use]
pub fn stages(config: &WorkflowConfig, rounds: u32) -> Vec<Stage> {
    let mut stages = Vec::new();
    for round in 0..=rounds {
        let waves = if round == 0 { config.waves() } else { config.rework_waves() };
        stages.extend((1..=waves).map(|number| Stage::Wave { round, number }));
        stages.push(Stage::Gates { round });
    }
    stages
}
