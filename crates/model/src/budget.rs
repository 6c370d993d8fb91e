//! Money: limits in dollars, prices of tokens, and the purse of a run, from which every attempt's limit is taken before
//! it begins.

use std::{borrow::Cow, collections::BTreeMap, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::ids::TaskId;

/// The most dollars that a limit may be.
pub const DOLLARS_MAX: u64 = 1_000_000;

/// An amount of US dollars, kept in millionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Dollars(u64);

impl Dollars {
    /// Makes an amount from millionths of a dollar.
    #[must_use]
    pub fn of_micro(micro: u64) -> Self {
        Self(micro)
    }

    /// Returns the amount in millionths of a dollar.
    #[must_use]
    pub fn micro(self) -> u64 {
        self.0
    }

    /// Reads a decimal number such as `5`, `0.25` or `12.5`, exactly: at most six places behind the point, at most
    /// [`DOLLARS_MAX`] dollars. `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, places) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole) || !digits(places) || places.len() > 6 {
            return None;
        }
        let whole: u64 = whole.parse().ok()?;
        let places: u64 = format!("{places:0<6}").parse().ok()?;
        let micro = whole.checked_mul(1_000_000)?.checked_add(places)?;
        (micro <= DOLLARS_MAX * 1_000_000).then_some(Self(micro))
    }
}

impl fmt::Display for Dollars {
    /// Writes the decimal number without needless noughts: `5`, `0.25`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, places) = (self.0 / 1_000_000, self.0 % 1_000_000);
        if places == 0 {
            return write!(f, "{whole}");
        }
        let places = format!("{places:06}");
        write!(f, "{whole}.{}", places.trim_end_matches('0'))
    }
}

impl Serialize for Dollars {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_string())
    }
}

impl<'de> Deserialize<'de> for Dollars {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Amount;
        impl de::Visitor<'_> for Amount {
            type Value = Dollars;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an amount of dollars")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Dollars, E> {
                Dollars::parse(text).ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Dollars, E> {
                self.visit_str(&number.to_string())
            }

            // The shortest decimal that is this number: what was written, unless it had more than 15 digits.
            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Dollars, E> {
                self.visit_str(&number.to_string())
            }
        }
        deserializer.deserialize_any(Amount)
    }
}

impl JsonSchema for Dollars {
    fn schema_name() -> Cow<'static, str> {
        "Dollars".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "US dollars, with at most six places behind the point.",
            "type": ["number", "string"],
            "minimum": 0,
            "maximum": DOLLARS_MAX,
            "pattern": "^[0-9]+(\\.[0-9]{1,6})?$",
        })
    }
}

/// What a model's tokens cost, in dollars for a million of them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Price {
    /// Those that the model reads.
    pub input: Dollars,
    /// Those that it reads from its cache; like any other when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cached_input: Option<Dollars>,
    /// Those that it writes.
    pub output: Dollars,
}

/// The purse of a run. What an attempt may cost is set aside before it begins, so that attempts that run side by side
/// cannot spend the same money twice.
#[derive(Debug, Clone, Default)]
pub struct Purse {
    limit: Option<u64>,
    spent: u64,
    reserved: BTreeMap<TaskId, u64>,
}

/// Says that nothing is left for an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the run's budget of {limit} dollars is used up or set aside: {spent} dollars are spent")]
pub struct Exhausted {
    /// The limit of the run.
    pub limit: Dollars,
    /// What is spent so far.
    pub spent: Dollars,
}

impl Purse {
    /// Makes the purse of a run that may cost `limit`; `None` is as much as it likes.
    #[must_use]
    pub fn new(limit: Option<Dollars>) -> Self {
        Self { limit: limit.map(Dollars::micro), ..Self::default() }
    }

    /// Sets aside what an attempt at `task` may cost: its own limit, or an equal share of what is left for the `waiting`
    /// tasks that have not ended, itself among them; never more than is left. Returns the limit of the attempt.
    ///
    /// # Errors
    /// When nothing is left.
    pub fn reserve(
        &mut self,
        task: &TaskId,
        own: Option<Dollars>,
        waiting: usize,
    ) -> Result<Option<Dollars>, Exhausted> {
        let Some(limit) = self.limit else { return Ok(own) };
        let set_aside: u64 = self.reserved.values().sum();
        let left = limit.saturating_sub(self.spent).saturating_sub(set_aside);
        let unreserved = u64::try_from(waiting.saturating_sub(self.reserved.len()).max(1)).unwrap_or(u64::MAX);
        let share = own.map_or(left / unreserved, Dollars::micro).min(left);
        if share == 0 {
            return Err(Exhausted { limit: Dollars(limit), spent: Dollars(self.spent) });
        }
        self.reserved.insert(task.clone(), share);
        Ok(Some(Dollars(share)))
    }

    /// Takes what an attempt did cost out of the purse, and frees what was set aside for it. What nobody tells counts as
    /// all that was set aside.
    pub fn settle(&mut self, task: &TaskId, micro_dollars: Option<u64>) {
        let reserved = self.reserved.remove(task).unwrap_or_default();
        self.spent = self.spent.saturating_add(micro_dollars.unwrap_or(reserved));
    }

    /// Frees what was set aside for an attempt that never began.
    pub fn release(&mut self, task: &TaskId) {
        self.reserved.remove(task);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn id(name: &str) -> TaskId {
        TaskId::new(name).unwrap()
    }

    fn dollars(text: &str) -> Dollars {
        Dollars::parse(text).unwrap()
    }

    #[test]
    fn amounts_are_read_exactly_and_written_as_people_do() {
        for (text, micro, written) in [
            ("5", 5_000_000, "5"),
            ("0.25", 250_000, "0.25"),
            ("0.000001", 1, "0.000001"),
            ("12.50", 12_500_000, "12.5"),
        ] {
            assert_eq!(dollars(text).micro(), micro);
            assert_eq!(dollars(text).to_string(), written);
        }
        for bad in ["", ".", "1.", ".5", "-1", "+1", "1e3", "1_000", "0.0000001", "1000001", "NaN", "0x1", " 1", "１"]
        {
            assert_eq!(Dollars::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn without_a_limit_everybody_has_their_own() {
        let mut purse = Purse::new(None);
        assert_eq!(purse.reserve(&id("a"), None, 3), Ok(None));
        assert_eq!(purse.reserve(&id("b"), Some(dollars("2")), 3), Ok(Some(dollars("2"))));
    }

    #[test]
    fn those_without_a_limit_of_their_own_share_what_is_left() {
        let mut purse = Purse::new(Some(dollars("10")));
        assert_eq!(purse.reserve(&id("a"), None, 5), Ok(Some(dollars("2"))));
        assert_eq!(purse.reserve(&id("b"), Some(dollars("4")), 5), Ok(Some(dollars("4"))));
        // Four dollars for the three that have not begun.
        assert_eq!(purse.reserve(&id("c"), None, 5), Ok(Some(Dollars(1_333_333))));
        purse.settle(&id("a"), Some(500_000));
        purse.settle(&id("b"), None);
        assert_eq!(
            purse.reserve(&id("d"), Some(dollars("9")), 3).unwrap(),
            Some(Dollars(10_000_000 - 500_000 - 4_000_000 - 1_333_333))
        );
        let spent = purse.reserve(&id("e"), None, 3).unwrap_err();
        assert_eq!(spent, Exhausted { limit: dollars("10"), spent: dollars("4.5") });
        purse.release(&id("d"));
        assert!(purse.reserve(&id("e"), None, 3).is_ok());
    }

    proptest! {
        #[test]
        fn no_two_attempts_are_given_the_same_money(
            limit in 1u64..100_000_000,
            asks in proptest::collection::vec((0usize..8, proptest::option::of(0u64..50_000_000), any::<bool>(), 0u64..200), 1..60),
        ) {
            let mut purse = Purse::new(Some(Dollars(limit)));
            let mut granted = BTreeMap::<TaskId, u64>::new();
            let mut spent = 0u64;
            for (task, own, ends, percent) in asks {
                let task = id(&format!("t{task}"));
                if let Some(had) = granted.remove(&task) {
                    // A program that keeps to its limit, or one that does not tell.
                    let cost = ends.then_some(had * percent.min(100) / 100);
                    purse.settle(&task, cost);
                    spent += cost.unwrap_or(had);
                } else if let Ok(Some(share)) = purse.reserve(&task, own.map(Dollars), 8) {
                    granted.insert(task, share.micro());
                }
                prop_assert!(spent + granted.values().sum::<u64>() <= limit);
            }
        }
    }
}
