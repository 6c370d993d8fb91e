//! Which files of a patch are read for signs, as what, and what is said of those that are not. What nobody looked at must
//! not pass for something in which nothing was found.

use super::{
    super::{
        restore,
        source::{self, Language},
    },
    FileChange, Sign,
};
use crate::{
    findings::{FindingCode, Weight},
    text,
};

/// The largest file that is read, in bytes.
const FILE_MAX: u64 = 4 * 1024 * 1024;

/// The most bytes that all files that are read may have together, before and after the patch.
const BYTES_MAX: u64 = 16 * 1024 * 1024;

/// The largest file that is read which is neither test nor setting nor source: documents and data. What is larger would take more
/// memory than it can tell, and cheats nobody.
const REST_MAX: u64 = 512 * 1024;

/// Endings of programs and of archives of programs. A module of WebAssembly runs only where a source that is read loads it.
const COMPILED: [&str; 18] = [
    "pyc", "pyo", "pyd", "so", "dylib", "node", "class", "jar", "war", "ear", "egg", "whl", "exe", "dll", "o", "a",
    "lib", "wasm",
];

/// Programs by which builds start, and which belong into every repository that uses them.
const WRAPPERS: [&str; 2] = ["gradle/wrapper/gradle-wrapper.jar", ".mvn/wrapper/maven-wrapper.jar"];

/// The most files that are read.
const FILES_MAX: usize = 5_000;

/// A changed file, before it is read.
#[derive(Debug, Clone, Copy, Default)]
pub struct Candidate<'a> {
    /// The path.
    pub path: &'a str,
    /// How many bytes it had; none for a new file.
    pub before: Option<u64>,
    /// How many bytes it has; none for a deleted file.
    pub after: Option<u64>,
    /// The path that it was moved from.
    pub moved_from: Option<&'a str>,
    /// Whether its content is that of before.
    pub same: bool,
    /// Whether it is what another file was moved from.
    pub moved_away: bool,
    /// Where it leads, when it is a symbolic link now.
    pub link: Option<&'a str>,
}

/// What is to be read of a patch.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reading {
    /// The places of the files that are read, in the order in which they count.
    pub read: Vec<usize>,
    /// What is said of the others.
    pub unread: Vec<Sign>,
}

/// What a file is to whoever looks for cheats, the most telling first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// A source of the tests, or something that a runner loads.
    Test,
    /// A manifest or a recipe.
    Settings,
    /// A source of the product.
    Source,
    /// A program that nobody can read.
    Compiled,
    /// Data of the tests, and workflows.
    Data,
    Rest,
}

impl Kind {
    fn from_path(path: &str) -> Self {
        let name = path.rsplit('/').next().unwrap_or(path);
        let is_source = Language::of_path(path).is_some();
        let end = name.rsplit_once('.').map_or("", |(_, end)| end);
        if restore::is_setting(path) || is_source && restore::belongs_to_tests(path) {
            Self::Test
        } else if restore::starts_tests(path) || matches!(end, "sh" | "mk" | "bash") {
            Self::Settings
        } else if is_source {
            Self::Source
        } else if COMPILED.contains(&end) {
            Self::Compiled
        } else if restore::belongs_to_tests(path) || matches!(end, "yml" | "yaml") {
            Self::Data
        } else {
            Self::Rest
        }
    }

    fn weight(self) -> Weight {
        match self {
            Self::Test | Self::Settings | Self::Source | Self::Compiled => Weight::Blocking,
            Self::Data => Weight::Warning,
            Self::Rest => Weight::Note,
        }
    }
}

impl Candidate<'_> {
    /// Returns as what it is read: of what was a test before it was moved, what became of that.
    fn kind(&self) -> Kind {
        match (Kind::from_path(self.path), self.moved_from.map(Kind::from_path)) {
            (kind, Some(Kind::Test)) if kind != Kind::Compiled => Kind::Test,
            (kind, _) => kind,
        }
    }

    /// Tells whether a patch puts nothing into a file that is no test: it deletes it, or leaves its content as it was at a
    /// path where it counted no less.
    fn adds_nothing(&self, kind: Kind) -> bool {
        let was = self.moved_from.map_or(kind, Kind::from_path);
        kind != Kind::Test && (self.after.is_none() || self.same && was <= kind)
    }

    /// How many bytes are read of it before and after; the same ones only once.
    fn sizes(&self) -> [u64; 2] {
        [self.before.filter(|_| !self.same).unwrap_or(0), self.after.unwrap_or(0)]
    }
}

/// Chooses what is read of a patch: tests first, then settings, sources, and the rest. What is only deleted or moved comes
/// last, so that it takes the place of nothing, and blocks nobody where there is too much of it.
#[must_use]
pub fn reading(files: &[Candidate<'_>]) -> Reading {
    // What was moved is read where it is now.
    let stays = files.iter().enumerate().filter(|(_, file)| !(file.moved_away && file.after.is_none()));
    let mut order: Vec<(bool, Kind, usize)> = stays
        .map(|(at, file)| {
            let kind = file.kind();
            (file.adds_nothing(kind), kind, at)
        })
        .collect();
    order.sort_unstable();
    let mut reading = Reading::default();
    let (mut bytes, mut large, mut many, mut left) = (0_u64, Vec::new(), Vec::new(), Vec::new());
    for (adds_nothing, kind, at) in order {
        let file = &files[at];
        let sizes = file.sizes();
        let size = sizes[0].saturating_add(sizes[1]);
        let is_large = sizes.iter().any(|size| *size > FILE_MAX);
        let is_much = reading.read.len() == FILES_MAX || bytes.saturating_add(size) > BYTES_MAX;
        let is_untouched = file.same && file.moved_from.is_none();
        if kind == Kind::Compiled && file.after.is_some() && !is_untouched {
            let (weight, why) = of_compiled(file.path);
            reading.unread.push(unread(file.path, weight, why));
        } else if let Some(target) =
            file.link.filter(|target| kind != Kind::Rest && Kind::from_path(target) == Kind::Rest)
        {
            let why =
                format!("it is a link to {}, which is no source: put the source in its place", text::code(target));
            reading.unread.push(unread(file.path, kind.weight(), &why));
        } else if adds_nothing && (is_large || is_much) {
            left.push((Weight::Note, file.path));
        } else if is_large {
            large.push((kind.weight(), file.path));
        } else if kind == Kind::Rest && sizes.iter().any(|size| *size > REST_MAX) {
            // Neither read nor worth a word.
        } else if is_much {
            many.push((kind.weight(), file.path));
        } else {
            bytes += size;
            reading.read.push(at);
        }
    }
    let most = format!("it is larger than the {} MB that are read of a file: split it", FILE_MAX / 1024 / 1024);
    reading.unread.extend(together(&large, &most));
    let most = format!(
        "the patch has more than the {FILES_MAX} files or the {} MB that are read of one: split the task in the plan",
        BYTES_MAX / 1024 / 1024
    );
    reading.unread.extend(together(&many, &most));
    let most = "it is only deleted or moved, and there is more of it than is read: look whether that was asked for";
    reading.unread.extend(together(&left, most));
    reading
}

/// Says how much it weighs that a compiled program is new, and what to do about it.
fn of_compiled(path: &str) -> (Weight, &'static str) {
    if WRAPPERS.iter().any(|wrapper| path == *wrapper || path.ends_with(&format!("/{wrapper}"))) {
        let why = "it is the wrapper of a build, which nobody can read: compare its checksum with the published one";
        return (Weight::Warning, why);
    }
    if path.ends_with(".wasm") {
        let why = "it is a compiled module: see where it comes from, or build it from its source in a gate";
        return (Weight::Warning, why);
    }
    (Kind::Compiled.weight(), "it is a compiled program: add its source, and build it in a gate")
}

/// Says once for each weight which files were not read.
fn together(files: &[(Weight, &str)], why: &str) -> Vec<Sign> {
    let mut signs = Vec::new();
    for weight in [Weight::Blocking, Weight::Warning, Weight::Note] {
        let of_weight: Vec<_> = files.iter().filter(|(of, _)| *of == weight).collect();
        let Some((_, first)) = of_weight.first() else { continue };
        let others = match of_weight.len() - 1 {
            0 => String::new(),
            more => format!(" (and {})", text::count(more, "further file")),
        };
        signs.push(unread(first, weight, &format!("{why}{others}")));
    }
    signs
}

fn unread(path: &str, weight: Weight, why: &str) -> Sign {
    Sign::new(FindingCode::NotLookedAt, weight, path, format!("nobody looked at this file for cheats: {why}"))
}

/// Says that a patch took more work than is done for one.
pub(super) fn too_intricate(changes: &[FileChange<'_>]) -> Sign {
    let size = |change: &&FileChange<'_>| change.after.map_or(0, str::len) + change.before.map_or(0, str::len);
    let sources = changes.iter().filter(|change| Language::of_path(change.path).is_some());
    let path = sources.max_by_key(size).map_or("", |change| change.path);
    let why = "the patch is too large or too deeply nested to be looked at as a whole: split the task in the plan, or this file";
    Sign::new(FindingCode::NotLookedAt, Weight::Blocking, path, why)
}

/// Says that the run was stopped before anybody looked at a patch.
#[must_use]
pub fn stopped() -> (FindingCode, Weight, &'static str) {
    let why = "the run was stopped before its patch was looked at for cheats: `run --retry` looks at it";
    (FindingCode::NotLookedAt, Weight::Blocking, why)
}

/// Encodings of Python's sources in which the characters of ASCII are themselves.
const PLAIN_ENCODINGS: [&str; 7] = ["utf-8", "utf8", "ascii", "us-ascii", "latin-1", "latin1", "iso-latin-1"];

/// What names of such encodings begin with: Python takes every `utf-8-…` for UTF-8, and every `latin-1-…` for Latin 1.
const PLAIN_BEGINNINGS: [&str; 6] = ["utf-8-", "latin-1-", "iso-latin-1-", "iso-8859-", "cp125", "windows-125"];

/// Reads a file as whoever runs it does. What is no text is replaced; why nobody can tell what it does is said, where
/// that is so.
#[must_use]
pub fn decode(path: &str, bytes: &[u8]) -> (String, Option<Sign>) {
    let (language, kind) = (Language::of_path(path), Kind::from_path(path));
    let encoding = encoding_rs::Encoding::for_bom(bytes).map_or(encoding_rs::UTF_8, |(encoding, _)| encoding);
    let mut text = encoding.decode(bytes).0.replace("\r\n", "\n").replace('\r', "\n");
    let opaque = |why: &str| Some(unread(path, kind.weight(), why));
    let mut sign = None;
    if kind < Kind::Compiled && text.contains('\0') {
        sign = opaque("it has bytes that no text has: write it as text in UTF-8");
    }
    match language {
        Some(Language::Python) => {
            if let Some(encoding) = declared(&text)
                && !PLAIN_ENCODINGS.contains(&encoding.as_str())
                && !PLAIN_BEGINNINGS.iter().any(|plain| encoding.starts_with(plain))
            {
                let why = format!("it is written in {}: write it in UTF-8", text::code(&encoding));
                sign = opaque(&why);
            }
            // Names are the same to Python that look alike, such as those in wide letters.
            if !text.is_ascii() {
                text = unicode_normalization::UnicodeNormalization::nfkc(text.as_str()).collect();
            }
        }
        Some(Language::JavaScript) => text = text.replace(['\u{2028}', '\u{2029}'], "\n"),
        Some(Language::Java) if path.ends_with(".java") => text = unescaped(&text),
        _ => {}
    }
    if let Some(language @ (Language::JavaScript | Language::CSharp)) = language
        && letters_as_numbers(language, &text)
    {
        sign = sign.or_else(|| opaque("it writes letters of names as their numbers (`\\u…`): write them as they are"));
    }
    (text, sign)
}

/// Returns the encoding that a source of Python names in one of its first two lines: what follows the first `coding` that
/// names one.
fn declared(text: &str) -> Option<String> {
    text.lines().take(2).find_map(|line| {
        let comment = line.trim_start_matches(['\u{feff}', ' ', '\t', '\u{c}']).strip_prefix('#')?;
        comment.match_indices("coding").find_map(|(at, word)| {
            let name = comment[at + word.len()..].strip_prefix([':', '='])?.trim_start_matches([' ', '\t']);
            let end =
                name.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))).unwrap_or(name.len());
            Some(name[..end].to_ascii_lowercase().replace('_', "-")).filter(|name| !name.is_empty())
        })
    })
}

/// Tells whether letters of ASCII outside of strings and comments are written as their numbers: nobody but a cheat does that.
/// Numbers of other characters stand in regular expressions.
fn letters_as_numbers(language: Language, text: &str) -> bool {
    if !text.contains("\\u") {
        return false;
    }
    let tokens = source::tokens(language, text);
    let is_letter = |digits: &str| {
        let number = u32::from_str_radix(digits, 16).ok().and_then(char::from_u32);
        number.is_some_and(|c| c.is_ascii_alphabetic())
    };
    tokens.iter().enumerate().any(|(at, token)| {
        let Some(next) = tokens.get(at + 1).filter(|next| token.is("\\") && next.at == token.at + 1) else {
            return false;
        };
        next.text.strip_prefix('u').is_some_and(|digits| {
            let text = |offset: usize| tokens.get(at + offset).map_or("", |token| token.text);
            let braced = || text(2) == "{" && is_letter(text(3));
            if digits.is_empty() { braced() } else { digits.get(..4).is_some_and(is_letter) }
        })
    })
}

/// Puts characters in the place of their numbers, as a compiler of Java does before it reads anything.
fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('\\') {
        plain.push_str(before);
        let digits = behind.trim_start_matches('u');
        let number = digits.get(..4).filter(|_| behind.starts_with('u'));
        match number.and_then(|number| u32::from_str_radix(number, 16).ok()).and_then(char::from_u32) {
            Some(c) => {
                plain.push(c);
                rest = &digits[4..];
            }
            None => {
                plain.push('\\');
                // Of two backslashes the second begins nothing.
                let second = usize::from(behind.starts_with('\\'));
                plain.push_str(&behind[..second]);
                rest = &behind[second..];
            }
        }
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::detect::{Author, Stop, signs};

    fn file(path: &str, after: u64) -> Candidate<'_> {
        Candidate { path, after: Some(after), ..Candidate::default() }
    }

    fn told(reading: &Reading) -> Vec<(Weight, &str)> {
        reading.unread.iter().map(|sign| (sign.weight, sign.path.as_str())).collect()
    }

    #[test]
    fn files_that_sort_first_hide_none_that_counts_more() {
        let decoys: Vec<String> = (0..FILES_MAX).map(|at| format!("data/{at:04}.json")).collect();
        let mut files: Vec<_> = decoys.iter().map(|path| file(path, 2)).collect();
        files.extend([file("src/calc.py", 100), file("package.json", 9), file("tests/test_calc.py", 100)]);
        let chosen = reading(&files);
        assert_eq!(chosen.read[..3], [FILES_MAX + 2, FILES_MAX + 1, FILES_MAX]);
        assert_eq!(told(&chosen), [(Weight::Note, "data/4997.json")]);
    }

    #[test]
    fn what_is_not_looked_at_is_said_and_blocks_where_it_may_be_a_cheat() {
        let files = [
            file("src/large.py", FILE_MAX + 1),
            file("tests/test_large.py", FILE_MAX + 1),
            file("tests/data.json", FILE_MAX + 1),
            file("video.mp4", FILE_MAX + 1),
            file("src/calc.pyc", 10),
            file("libs/quiet.jar", 10),
            file("gradle/wrapper/gradle-wrapper.jar", 10),
            file("public/app.wasm", 10),
            file("src/small.py", 10),
            Candidate { link: Some("../notes.txt"), ..file("src/link.py", 10) },
            Candidate { link: Some("small.py"), ..file("src/same.py", 10) },
            Candidate { before: Some(10), ..Candidate { path: "old.pyc", ..Candidate::default() } },
        ];
        let chosen = reading(&files);
        assert_eq!(chosen.read, [8, 10, 11]);
        assert_eq!(
            told(&chosen),
            [
                (Weight::Blocking, "src/link.py"),
                (Weight::Blocking, "src/calc.pyc"),
                (Weight::Blocking, "libs/quiet.jar"),
                (Weight::Warning, "gradle/wrapper/gradle-wrapper.jar"),
                (Weight::Warning, "public/app.wasm"),
                (Weight::Blocking, "tests/test_large.py"),
                (Weight::Warning, "tests/data.json"),
                (Weight::Note, "video.mp4"),
            ]
        );
        assert!(chosen.unread[5].message.contains("4 MB") && chosen.unread[5].message.contains("1 further file"));
        let many: Vec<String> = (0..10).map(|at| format!("src/{at}.py")).collect();
        let many: Vec<_> = many.iter().map(|path| file(path, FILE_MAX - 1)).collect();
        assert_eq!(told(&reading(&many)), [(Weight::Blocking, "src/4.py")]);
    }

    #[test]
    fn what_is_only_deleted_or_moved_blocks_nobody_and_takes_no_place() {
        let deleted = |path, before| Candidate { path, before: Some(before), ..Candidate::default() };
        let moved = |path, moved_from, size| Candidate {
            before: Some(size),
            moved_from: Some(moved_from),
            same: true,
            ..file(path, size)
        };
        let chosen = reading(&[deleted("vendor/bundle.js", FILE_MAX + 1), deleted("tests/test_a.py", FILE_MAX + 1)]);
        assert_eq!(told(&chosen), [(Weight::Blocking, "tests/test_a.py"), (Weight::Note, "vendor/bundle.js")]);

        let names: Vec<String> = (0..=FILES_MAX).map(|at| format!("{at}.js")).collect();
        let mut files: Vec<_> = names.iter().map(|path| deleted(path, 2)).collect();
        files.push(file("src/new.js", 100));
        let chosen = reading(&files);
        assert_eq!((chosen.read[0], told(&chosen)), (FILES_MAX + 1, vec![(Weight::Note, "4999.js")]));

        // What was moved counts once, where it is now.
        let half: Vec<_> = names.iter().take(FILES_MAX).map(|path| moved(path, "old.js", 3_000)).collect();
        let old = names.iter().map(|path| Candidate { moved_away: true, ..deleted(path, 3_000) });
        let chosen = reading(&half.iter().copied().chain(old).collect::<Vec<_>>());
        assert_eq!((chosen.read.len(), chosen.unread), (FILES_MAX, Vec::new()));

        // Moved to where it counts more, or no longer the same, it is as good as new.
        let large = FILE_MAX + 1;
        assert_eq!(told(&reading(&[moved("b.py", "a.py", large)])), [(Weight::Note, "b.py")]);
        assert_eq!(told(&reading(&[moved("b.py", "a.bin", large)])), [(Weight::Blocking, "b.py")]);
        assert_eq!(told(&reading(&[moved("a.txt", "tests/a.py", large)])), [(Weight::Blocking, "a.txt")]);
        let changed = Candidate { same: false, ..moved("b.py", "a.py", large) };
        assert_eq!(told(&reading(&[changed])), [(Weight::Blocking, "b.py")]);
        assert_eq!(told(&reading(&[moved("b.so", "a.so", 2)])), [(Weight::Blocking, "b.so")]);
        assert_eq!(told(&reading(&[Candidate { moved_from: None, ..moved("a.so", "", 2) }])), []);
    }

    #[test]
    fn a_source_is_read_as_whoever_runs_it_reads_it() {
        let cheat = "unittest.TestCase.assertEqual = lambda *a, **k: None\n";
        let found = |path: &str, bytes: &[u8]| {
            let (text, opaque) = decode(path, bytes);
            let change = FileChange { path, after: Some(&text), ..FileChange::default() };
            let signs = signs(Author::Code, &[change]);
            opaque.into_iter().chain(signs).filter(|sign| sign.weight == Weight::Blocking).count()
        };
        assert_eq!(found("a.py", b"x = 1\n"), 0);
        assert_eq!(found("a.py", &[b"# coding: latin-1\n# \xe9\n", cheat.as_bytes()].concat()), 1);
        assert_eq!(found("a.py", format!("# a comment\r{cheat}").as_bytes()), 1);
        assert_eq!(found("a.py", cheat.replace("assert", "\u{ff41}ssert").as_bytes()), 1);
        assert_eq!(found("a.py", b"# -*- coding: utf-7 -*-\n+AHg-\n"), 1);
        assert_eq!(found("a.py", b"#!/usr/bin/python3\n# coding=unicode_escape\n"), 1);
        assert_eq!(found("a.py", b"# vim: set fileencoding=utf-8 :\n# decoding is easy\n"), 0);
        assert_eq!(found("a.py", b"# decoding coding: utf-7\n"), 1);
        assert_eq!(found("a.py", b"# coding: utf-8-sig\n"), 0);
        assert_eq!(found("a.py", b"# -*- coding: utf-8-unix -*-\n"), 0);
        assert_eq!(found("a.py", b"# -*- coding: Latin_1-dos -*-\n"), 0);
        assert_eq!(found("a.py", b"x = 1\0\n"), 1);
        let wide: Vec<u8> =
            [0xff, 0xfe].into_iter().chain("int x;".encode_utf16().flat_map(u16::to_le_bytes)).collect();
        assert_eq!(decode("a.cs", &wide), ("int x;".to_owned(), None));
        assert_eq!(found("a.js", "// x\u{2028}assert.equal = () => {}\n".as_bytes()), 1);
        assert_eq!(found("a.js", b"\\u0061ssert.equal = () => {}\n"), 1);
        assert_eq!(found("a.js", b"const a = /[\\u4e00-\\u9fff]/, b = '\\u0061';\n"), 0);
        assert_eq!(decode("A.java", br"class \u0041ssert \\u0041 {}").0, r"class Assert \\u0041 {}");
        assert_eq!(decode("logo.png", b"\x89PNG\0").1, None);
    }

    #[test]
    fn a_patch_that_takes_too_much_work_is_no_patch_without_signs() {
        let text = "f(".repeat(200);
        let change = [FileChange { path: "a.js", after: Some(&text), ..FileChange::default() }];
        let signs = super::super::signs_within(&Stop::default(), 2_000, Author::Code, &change).0;
        let told: Vec<_> = signs.iter().map(|sign| (sign.code, sign.weight)).collect();
        assert_eq!(told, [(FindingCode::NotLookedAt, Weight::Blocking)]);
        assert_eq!(super::super::signs_within(&Stop::default(), 50_000_000, Author::Code, &change).0, []);
    }
}
