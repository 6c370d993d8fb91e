//! Characters that a person does not see, or takes for others, made visible.
//!
//! Text is read by people who decide by it, and by programs that read what people do not see: instructions in tag
//! characters, words turned round, a name with a Cyrillic letter in it.

/// Tells whether `c` is a character that nobody sees: it has no width, or reorders what is shown (the Trojan Source class of
/// attacks, CVE-2021-42574), or stands for nothing.
#[must_use]
pub fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{2800}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

/// Tells whether a character is there although nobody sees it, apart from what joins letters and the parts of emoji.
#[must_use]
pub fn is_hidden(c: char) -> bool {
    is_invisible(c) && !matches!(c, '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}')
}

/// Finds what in a glob or a command is not what it looks like: an invisible character, a letter of another script among
/// Latin ones, typographic quotation marks and dashes. Gives its place and its name.
#[must_use]
pub fn deceptive(text: &str) -> Option<(usize, String)> {
    let named = |c: char, what: &str| format!("{what} U+{:04X}", u32::from(c));
    for (at, c) in text.char_indices() {
        let what = match c {
            c if is_invisible(c) => "the invisible character",
            '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => {
                "a blank that is none, the character"
            }
            '\u{2010}'..='\u{2015}' | '\u{2212}' => "a dash that is no hyphen, the character",
            '\u{2018}'..='\u{201f}' => "a quotation mark that is none, the character",
            '\u{2044}' | '\u{2215}' | '\u{29f8}' => "a slash that is none, the character",
            '\u{ff01}'..='\u{ff5e}' => "a wide letter, the character",
            _ => continue,
        };
        return Some((at, named(c, what)));
    }
    let is_foreign = |c: &char| matches!(c, '\u{370}'..='\u{3ff}' | '\u{400}'..='\u{52f}' | '\u{530}'..='\u{58f}' | '\u{13a0}'..='\u{13ff}');
    let words = text.split(|c: char| !c.is_alphanumeric());
    words.filter(|word| word.contains(|c: char| c.is_ascii_alphabetic())).find_map(|word| {
        let c = word.chars().find(is_foreign)?;
        let at = text.find(c)?;
        Some((at, named(c, "a letter that looks like another, the character")))
    })
}

/// Makes visible what nobody sees, and letters of another alphabet within a word that look like this one's: each becomes
/// its number, such as `‹U+200B›`. What emoji and scripts are joined by stays where it joins them.
#[must_use]
pub fn visible(text: &str) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut before = None;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let word = rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
        if word == 0 {
            if (is_invisible(c) && !joins(before, c)) || (c.is_control() && !c.is_ascii()) {
                show(c, &mut out);
            } else {
                out.push(c);
            }
            before = Some(c);
            rest = &rest[c.len_utf8()..];
            continue;
        }
        let (letters, further) = rest.split_at(word);
        let mixed = letters.bytes().any(|byte| byte.is_ascii_alphabetic());
        for c in letters.chars() {
            if is_invisible(c) || (mixed && is_lookalike(c)) {
                show(c, &mut out);
            } else {
                out.push(c);
            }
            before = Some(c);
        }
        rest = further;
    }
    out
}

/// Tells whether `c` joins what is before it to what comes, as emoji and some scripts do.
fn joins(before: Option<char>, c: char) -> bool {
    let Some(before) = before else { return false };
    match c {
        // The forms of an emoji, and of the keys of a telephone.
        '\u{fe0e}' | '\u{fe0f}' => {
            (!before.is_ascii() && !is_invisible(before)) || matches!(before, '0'..='9' | '#' | '*')
        }
        '\u{200c}' => !before.is_ascii() && before.is_alphanumeric(),
        '\u{200d}' => !before.is_ascii() && (!is_invisible(before) || before == '\u{fe0f}'),
        _ => false,
    }
}

/// Tells whether a letter or digit is one of another alphabet that looks like a Latin one.
fn is_lookalike(c: char) -> bool {
    const CYRILLIC: &str = "аеорсухіјѕԁԛԝһӏьгпАВЕКМНОРСТХУЅІЈԌԚԜ";
    const GREEK: &str = "ονυικραΑΒΕΖΗΙΚΜΝΟΡΤΥΧ";
    const OTHERS: &str = "օոսցհԼՍՕᎪᎬᎳᏒᏀᏟᎻᎢᏚ";
    matches!(c, '\u{ff10}'..='\u{ff5a}' | '\u{1d400}'..='\u{1d7ff}' | '\u{212a}' | '\u{2100}'..='\u{2138}')
        || [CYRILLIC, GREEK, OTHERS].iter().any(|letters| letters.contains(c))
}

fn show(c: char, out: &mut String) {
    use std::fmt::Write as _;
    let _ = write!(out, "‹U+{:04X}›", u32::from(c));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_sees_is_shown() {
        for (text, expected) in [
            ("pay\u{200b}load", "pay‹U+200B›load"),
            ("\u{202e}txt.exe", "‹U+202E›txt.exe"),
            ("a\u{e0041}b", "a‹U+E0041›b"),
            ("x\u{fe0f}", "x‹U+FE0F›"),
            ("soft\u{ad}", "soft‹U+00AD›"),
            ("\u{3164}", "‹U+3164›"),
            ("p\u{430}ypal", "p‹U+0430›ypal"),
            ("ａdmin", "‹U+FF41›dmin"),
            ("a\u{85}b", "a‹U+0085›b"),
        ] {
            assert_eq!(visible(text), expected, "{text:?}");
        }
    }

    #[test]
    fn what_people_write_stays() {
        for text in [
            "plain",
            "Größe",
            "日本語",
            "Привет, мир",
            "ελληνικά",
            "👨\u{200d}👩\u{200d}👧",
            "❤\u{fe0f}",
            "1\u{fe0f}\u{20e3}",
            "می\u{200c}خواهم",
            "Δt",
            "5 µs",
            "naïve",
        ] {
            assert_eq!(visible(text), text);
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_visible_stays_so(text in ".{0,40}") {
            let once = visible(&text);
            proptest::prop_assert_eq!(visible(&once), once.clone());
        }
    }
}
