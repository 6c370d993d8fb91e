//! What a run knows of the run before it, of which it repeats a part.

use serde::{Deserialize, Serialize};

use super::AttemptEnded;
use crate::ids::TaskId;

/// What is repeated of an earlier run of the same lock. The rest is kept.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Retried {
    /// How many rounds of rework the earlier run went through. They are kept: this run has its own behind them.
    #[serde(default)]
    pub rounds: u32,
    /// The task that goes on from what it did, because somebody named it, even where no finding does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<TaskId>,
    /// How the attempts ended that are made again: whoever makes them is told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ended: Vec<AttemptEnded>,
}

#[cfg(test)]
mod tests {
    use super::Retried;
    use crate::record::Record;

    #[test]
    fn the_entry_of_an_older_program_says_nothing_more_and_is_read() {
        let read: Record = serde_json::from_str(r#"{"record":"kept"}"#).unwrap();
        assert_eq!(read, Record::Kept(Retried::default()));
    }
}
