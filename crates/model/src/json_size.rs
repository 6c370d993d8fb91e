//! How much is in a JSON document, told before anything is made of it: what it becomes in memory follows the number of its values
//! more than the number of its bytes.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

/// Counts the values of a document, the names of fields included.
///
/// # Errors
/// When it is no JSON, or nested too deeply.
pub(crate) fn values(bytes: &[u8]) -> Result<u64, serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let count = reader.deserialize_any(Count)?;
    reader.end()?;
    Ok(count)
}

#[derive(Clone, Copy)]
struct Count;

impl<'de> DeserializeSeed<'de> for Count {
    type Value = u64;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<u64, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Count {
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<u64, E> {
        Ok(1)
    }

    fn visit_i64<E>(self, _: i64) -> Result<u64, E> {
        Ok(1)
    }

    fn visit_u64<E>(self, _: u64) -> Result<u64, E> {
        Ok(1)
    }

    fn visit_f64<E>(self, _: f64) -> Result<u64, E> {
        Ok(1)
    }

    fn visit_str<E>(self, _: &str) -> Result<u64, E> {
        Ok(1)
    }

    fn visit_unit<E>(self) -> Result<u64, E> {
        Ok(1)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<u64, A::Error> {
        let mut count = 1;
        while let Some(inner) = sequence.next_element_seed(self)? {
            count += inner;
        }
        Ok(count)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<u64, A::Error> {
        let mut count = 1;
        while let Some(name) = map.next_key_seed(self)? {
            count += name + map.next_value_seed(self)?;
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::values;

    #[test]
    fn values_are_counted_at_every_depth() {
        for (json, expected) in [
            ("null", 1),
            ("[]", 1),
            ("[1, -2, 3.5, true, \"x\", null]", 7),
            (r#"{"a": [1, {"b": 2}], "a": "twice"}"#, 9),
        ] {
            assert_eq!(values(json.as_bytes()).unwrap(), expected, "{json}");
        }
        for bad in ["", "{", "[1,]", "1 2", &"[".repeat(1_000_000)] {
            values(bad.as_bytes()).unwrap_err();
        }
    }
}
