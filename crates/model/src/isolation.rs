//! What keeps an attempt from everything but its own slot: how much of it a configuration asks for, and how much was in
//! force.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How subagents and gates are kept apart, the strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// A user id of its own for every slot, without groups and capabilities, and Landlock.
    Uid,
    /// User, PID and mount namespaces of its own, and Landlock.
    Namespaces,
    /// Landlock alone, as the user who started the run.
    Landlock,
    /// Nothing: what a run says rests on trust in its subagents.
    #[default]
    None,
}

impl Level {
    /// All levels, the strongest first.
    pub const ALL: [Self; 4] = [Self::Uid, Self::Namespaces, Self::Landlock, Self::None];

    /// Returns the name in lower case.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Uid => "uid",
            Self::Namespaces => "namespaces",
            Self::Landlock => "landlock",
            Self::None => "none",
        }
    }

    /// Says in a sentence what the level is made of.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Uid => "every slot has a user id of its own, and Landlock limits what it reads and writes",
            Self::Namespaces => "every attempt has namespaces of its own, and Landlock limits what it reads and writes",
            Self::Landlock => "Landlock limits what an attempt reads and writes, as the user who started the run",
            Self::None => "nothing keeps an attempt from the files and processes of the others",
        }
    }

    /// Tells whether an attempt can forge nothing, so that a verdict is more than a matter of trust.
    #[must_use]
    pub fn is_wall(self) -> bool {
        self <= Self::Namespaces
    }

    /// Says what the level leaves open by its nature.
    #[must_use]
    pub fn leaves_open(self) -> &'static [&'static str] {
        match self {
            Self::Uid => &[
                "command lines of other processes can be read",
                "the network, memory and the size of the disk are not limited",
                "keys in the kernel's keyring of the session that started the run can be used",
            ],
            Self::Namespaces => &["the network, memory and the size of the disk are not limited"],
            Self::Landlock => &[
                "command lines of other processes can be read",
                "modes and times of files outside the slot can be changed",
                "resource limits of the user's other processes can be lowered, which may end them",
                "keys in the kernel's keyring, and sockets, of the same user can be used",
                "the network, memory and the size of the disk are not limited",
            ],
            Self::None => &["everything that the user who started the run may do"],
        }
    }
}

impl std::fmt::Display for Level {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// How much isolation a configuration asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Demand {
    /// At least `namespaces`: no subagent is started below that.
    Required,
    /// The best that the machine has.
    Best,
    /// None at all.
    None,
}

impl Demand {
    /// All demands.
    pub const ALL: [Self; 3] = [Self::Required, Self::Best, Self::None];

    /// Returns the name in lower case.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::Best => "best",
            Self::None => "none",
        }
    }

    /// Returns what holds where the configuration says nothing: a workflow needs walls, a laptop takes what it has.
    #[must_use]
    pub fn or_default(demand: Option<Self>, in_workflow: bool) -> Self {
        demand.unwrap_or(if in_workflow { Self::Required } else { Self::Best })
    }

    /// Tells whether the level is enough.
    #[must_use]
    pub fn is_met_by(self, level: Level) -> bool {
        match self {
            Self::Required => level.is_wall(),
            Self::Best | Self::None => true,
        }
    }
}

/// The isolation that was in force.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Isolation {
    /// The weakest level at which a subagent or a gate ran.
    pub level: Level,
    /// What was found open on this machine, beside what the level leaves open by its nature.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub open: Vec<String>,
    /// Why no stronger level could be had, a sentence for each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passed_over: Vec<String>,
}

impl Isolation {
    /// Returns what can be said of a run whose parts ran at these levels: the weakest counts. What was found on this machine
    /// holds only where its level is that one.
    #[must_use]
    pub fn at_most(self, levels: impl IntoIterator<Item = Level>) -> Self {
        match levels.into_iter().max() {
            Some(weakest) if weakest != self.level => Self { level: weakest, ..Self::default() },
            _ => self,
        }
    }

    /// Says in one sentence, without a full stop, which level was in force.
    #[must_use]
    pub fn sentence(&self) -> String {
        format!("Isolation `{}`: {}", self.level, self.level.meaning())
    }

    /// Says everything that was left open.
    #[must_use]
    pub fn left_open(&self) -> Vec<String> {
        self.level.leaves_open().iter().map(|&open| open.to_owned()).chain(self.open.iter().cloned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_walls_meet_what_is_required() {
        let met: Vec<_> = Level::ALL.into_iter().filter(|level| Demand::Required.is_met_by(*level)).collect();
        assert_eq!(met, [Level::Uid, Level::Namespaces]);
        assert!(Level::ALL.into_iter().all(|level| Demand::Best.is_met_by(level)));
    }

    #[test]
    fn a_workflow_requires_isolation_unless_it_says_otherwise() {
        assert_eq!(Demand::or_default(None, true), Demand::Required);
        assert_eq!(Demand::or_default(None, false), Demand::Best);
        assert_eq!(Demand::or_default(Some(Demand::None), true), Demand::None);
    }

    #[test]
    fn the_weakest_level_of_all_parts_is_that_of_a_run() {
        let here = Isolation { level: Level::Uid, open: vec!["a socket".to_owned()], passed_over: Vec::new() };
        assert_eq!(here.clone().at_most([]), here);
        assert_eq!(here.clone().at_most([Level::Uid, Level::Uid]), here);
        assert_eq!(here.clone().at_most([Level::Uid, Level::Landlock, Level::Namespaces]).level, Level::Landlock);
        // Whoever only sums up isolates nothing, and says what the others did.
        let nothing = Isolation::default();
        assert_eq!(nothing.clone().at_most([Level::Uid, Level::Namespaces]).level, Level::Namespaces);
        assert_eq!(nothing.at_most([Level::None, Level::Uid]).level, Level::None);
    }

    #[test]
    fn names_are_those_of_the_hand_off() {
        for level in Level::ALL {
            assert_eq!(serde_json::to_value(level).unwrap(), level.name());
        }
        for demand in Demand::ALL {
            assert_eq!(serde_json::to_value(demand).unwrap(), demand.name());
        }
    }
}
