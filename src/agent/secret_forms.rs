//! The forms in which a secret can stand in a text: as it is, in base64, in hex, or escaped for a URL.

use std::collections::BTreeSet;

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

/// What is escaped where as little as possible is.
const URL_RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Returns all forms of a secret, but for those that are shorter than `shortest`.
pub(super) fn forms_of(secret: &str, shortest: usize) -> BTreeSet<Vec<u8>> {
    // Keys of several lines are printed line by line.
    let lines = [secret].into_iter().chain(secret.lines()).map(str::trim).map(|line| line.as_bytes().to_vec());
    let whole = secret.trim();
    let encoded = base64(whole).into_iter().chain(hex(whole)).chain(escaped(whole)).map(String::into_bytes);
    lines.chain(encoded).filter(|form| form.len() >= shortest).collect()
}

/// Encodes a secret as it looks inside a longer text that is encoded as a whole: it begins at one of three places in a group
/// of bytes, and what its ends share with their neighbours is left out.
fn base64(secret: &str) -> Vec<String> {
    let mut found = Vec::new();
    for before in 0..3 {
        let mut bytes = vec![0; before];
        bytes.extend_from_slice(secret.as_bytes());
        // Six bits a digit: those that hold bits of what is before, or of what comes after, are not the secret's.
        let first = (before * 8).div_ceil(6);
        let last = bytes.len() * 8 / 6;
        for encoded in [STANDARD_NO_PAD.encode(&bytes), URL_SAFE_NO_PAD.encode(&bytes)] {
            found.extend(encoded.get(first..last).map(str::to_owned));
        }
    }
    found
}

fn hex(secret: &str) -> [String; 2] {
    let lower: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    let upper = lower.to_ascii_uppercase();
    [lower, upper]
}

fn escaped(secret: &str) -> Vec<String> {
    let upper = [NON_ALPHANUMERIC, URL_RESERVED].map(|set| percent_encode(secret.as_bytes(), set).to_string());
    let lower = upper.iter().map(|text| with_lower_escapes(text));
    let as_form = upper.iter().map(|text| text.replace("%20", "+"));
    upper.iter().cloned().chain(lower).chain(as_form).collect()
}

/// Writes the digits of escapes in lower case.
fn with_lower_escapes(text: &str) -> String {
    let mut lower = String::with_capacity(text.len());
    let mut digits = 0_u32;
    for character in text.chars() {
        lower.push(if digits > 0 { character.to_ascii_lowercase() } else { character });
        digits = if character == '%' { 2 } else { digits.saturating_sub(1) };
    }
    lower
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn stands_in(secret: &str, text: &[u8]) -> bool {
        forms_of(secret, 8).iter().any(|form| text.windows(form.len()).any(|window| window == form.as_slice()))
    }

    #[test]
    fn a_secret_is_found_in_its_usual_forms() {
        let secret = "sk-ant 0123/456+789";
        for text in [
            "key=sk-ant 0123/456+789;",
            "key=sk-ant%200123%2F456%2B789",
            "key=sk-ant%200123%2f456%2b789",
            "key=sk-ant+0123%2F456%2B789",
            "key=sk%2Dant%200123%2F456%2B789",
            "736b2d616e7420303132332f3435362b373839",
            "736B2D616E7420303132332F3435362B373839",
        ] {
            assert!(stands_in(secret, text.as_bytes()), "{text}");
        }
        assert!(!stands_in(secret, b"sk-ant 0123/456+78"));
    }

    proptest! {
        #[test]
        fn a_secret_is_found_wherever_it_stands_in_an_encoded_text(
            before in proptest::collection::vec(any::<u8>(), 0..7),
            after in proptest::collection::vec(any::<u8>(), 0..7),
        ) {
            let secret = "correct horse battery";
            let text = [before.as_slice(), secret.as_bytes(), &after].concat();
            prop_assert!(stands_in(secret, STANDARD_NO_PAD.encode(&text).as_bytes()));
            prop_assert!(stands_in(secret, URL_SAFE_NO_PAD.encode(&text).as_bytes()));
        }
    }
}
