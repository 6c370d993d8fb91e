//! Names that some file system cannot hold, or holds as another name. They are refused where a patch makes them; what the
//! base has already is left alone.

use unicode_normalization::UnicodeNormalization as _;

use crate::text;

/// The longest name in a path, in bytes: what ext4, APFS and NTFS take.
const NAME_MAX: usize = 255;

/// The longest path, in bytes: what macOS takes.
const PATH_MAX: usize = 1024;

/// What Windows keeps for its devices, whatever stands behind a full stop.
const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "conin$", "conout$"];

/// Says why a new name in a path is refused; `None` when every file system can hold it.
pub(super) fn unportable_name(name: &str) -> Option<&'static str> {
    if name.len() > NAME_MAX {
        return Some("a name in the path has more than 255 bytes");
    }
    if name.ends_with(['.', ' ']) {
        return Some("a name in the path ends with a full stop or a blank, which Windows leaves out");
    }
    if name.contains(':') {
        return Some("a name in the path has a colon, behind which Windows looks for a stream of the file");
    }
    if name.contains(['<', '>', '"', '|', '?', '*']) {
        return Some("a name in the path has one of `<>\"|?*`, which Windows does not take");
    }
    if name.chars().any(|c| text::is_invisible(c) || (c.is_whitespace() && c != ' ')) {
        return Some("a name in the path has characters that nobody sees");
    }
    if is_device(name) {
        return Some("a name in the path is one of a device on Windows");
    }
    None
}

/// Says why a new path is refused as a whole.
pub(super) fn unportable_path(path: &str) -> Option<&'static str> {
    (path.len() > PATH_MAX).then_some("the path has more than 1024 bytes")
}

fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_lowercase();
    let numbered = |port: &str| {
        // The superscripts count as digits there.
        stem.strip_prefix(port).is_some_and(|rest| {
            let mut digits = rest.chars();
            digits.next().is_some_and(|digit| digit.is_ascii_digit() || matches!(digit, '¹' | '²' | '³'))
                && digits.next().is_none()
        })
    };
    DEVICES.contains(&stem.as_str()) || numbered("com") || numbered("lpt")
}

/// Returns what two paths have in common when a file system takes them for one: it may ignore case, and how accents are
/// put together.
pub(super) fn folded(path: &str) -> String {
    if path.is_ascii() {
        return path.to_ascii_lowercase();
    }
    // Up and down again: `ſ` and `s`, `ς` and `σ` meet in upper case only.
    let folded: String = path.nfd().collect::<String>().to_uppercase().to_lowercase();
    folded.nfc().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_some_file_system_cannot_hold_are_refused() {
        for name in [
            "CON",
            "con.txt",
            "Aux.tar.gz",
            "nul",
            "PRN .md",
            "com1",
            "LPT9.log",
            "COM².txt",
            "lpt0",
            "CONIN$",
            "a.",
            "a ",
            "...",
            "a:b",
            "file.txt::$DATA",
            "a?b",
            "a*",
            "a|b",
            "a<b",
            "a\"b",
            "a\u{200b}b",
            "\u{202e}gpj.exe",
            "a\u{ad}b",
            "\u{e0041}",
            "x\u{fe0f}",
            "a\u{a0}b",
            "\u{3164}",
            "a\u{2028}b",
            "\u{feff}a",
        ] {
            assert!(unportable_name(name).is_some(), "{name:?}");
        }
        assert!(unportable_name(&"n".repeat(256)).is_some());
        for name in [
            "console.rs",
            "auxiliary",
            "com",
            "com10",
            "lpt",
            "nullable.py",
            "a b",
            ".env",
            "..a",
            "é",
            "ü.txt",
            "日本語",
            "[id].tsx",
            "@types",
            "a+b",
            "#1",
            "$x",
            "{a}",
            "a,b",
            "a;b",
            "~",
            "a'b",
            "(x)",
            "=",
            "%41",
            "connect.con.rs",
        ] {
            assert_eq!(unportable_name(name), None, "{name:?}");
        }
        assert!(unportable_path(&"abc/".repeat(300)).is_some());
        assert_eq!(unportable_path(&"abc/".repeat(200)), None);
    }

    #[test]
    fn folding_joins_what_a_file_system_would() {
        for (one, other) in [
            ("README.md", "readme.MD"),
            ("Straße", "STRASSE"),
            ("ÄΣ", "äς"),
            ("caf\u{e9}", "cafe\u{301}"),
            ("CAFE\u{301}", "caf\u{e9}"),
            ("\u{1e9b}\u{323}", "\u{1e9b}\u{323}"),
            ("\u{212b}ngström", "ångström"),
            ("\u{ac00}", "\u{1100}\u{1161}"),
        ] {
            assert_eq!(folded(one), folded(other), "{one:?} {other:?}");
        }
        assert_ne!(folded("a"), folded("ä"));
    }
}
