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
    let backwards: String = whole.chars().rev().collect();
    let encoded = base64(whole).into_iter().chain(hex(whole)).chain(escaped(whole)).chain([backwards]);
    lines.chain(encoded.map(String::into_bytes)).filter(|form| form.len() >= shortest).collect()
}

/// The shortest form that is looked for by its letters and digits alone: a shorter one could come about by chance.
const SKELETON_MIN: usize = 16;

/// Returns the letters and digits of a text: what is left of a form, however it was broken into lines, pieced together in a
/// program, or written in characters of two bytes.
pub(super) fn skeleton(text: &[u8]) -> Vec<u8> {
    text.iter().copied().filter(u8::is_ascii_alphanumeric).collect()
}

/// Returns the skeletons of all forms of a secret.
pub(super) fn skeletons_of(secret: &str) -> BTreeSet<Vec<u8>> {
    let forms = forms_of(secret, SKELETON_MIN).into_iter();
    forms.map(|form| skeleton(&form)).filter(|skeleton| skeleton.len() >= SKELETON_MIN).collect()
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
            "987+654/3210 tna-ks",
        ] {
            assert!(stands_in(secret, text.as_bytes()), "{text}");
        }
        assert!(!stands_in(secret, b"sk-ant 0123/456+78"));
    }

    #[test]
    fn a_secret_is_found_in_pieces() {
        let secret = "sk-ant-api03-abcdefghijklmnopqrstuvwxyz";
        let skeletons = skeletons_of(secret);
        let wrapped = STANDARD_NO_PAD.encode(secret).as_bytes().chunks(19).collect::<Vec<_>>().join(b"\n".as_slice());
        let wide: Vec<u8> = secret.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let colons: Vec<_> = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
        for text in [
            wrapped,
            wide,
            colons.join(":").into_bytes(),
            b"'sk-ant-' + 'api03-abcdef' \\\n  \"ghijklmnop\" . 'qrstuvwxyz'".to_vec(),
        ] {
            let text = skeleton(&text);
            let found = skeletons.iter().any(|form| text.windows(form.len()).any(|window| window == form.as_slice()));
            assert!(found, "{}", String::from_utf8_lossy(&text));
        }
        // A short one is looked for as it stands, and not in pieces.
        assert!(!skeletons_of("hunter2-hunter").contains(b"hunter2hunter".as_slice()));
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
