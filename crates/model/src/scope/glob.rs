//! Globs, taken apart far enough to compare two of them, and written back in a form that globset reads in one way only.
//!
//! globset does the matching. It does not say whether two globs can match the same path, so a glob is read here into
//! [`Pattern`]s (braces expanded, split at `/`), and what globset compiles is rendered from the very same patterns:
//! the comparison in [`super::language`] and the matching cannot drift apart over a corner of the syntax.

use std::collections::HashSet;

/// The longest glob that is accepted, in bytes: longer ones are mistakes, and comparing two costs their product.
pub const GLOB_MAX_BYTES: usize = 512;

/// The most globs that the braces of one glob may stand for.
pub const ALTERNATIVES_MAX: usize = 128;

/// Says why a text is not a glob for paths of a repository.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{glob}` is not a glob for paths of a repository: {problem}")]
pub struct InvalidGlob {
    /// The refused text, cut to a printable length.
    pub glob: String,
    /// What is wrong with it.
    pub problem: &'static str,
    /// What to write instead.
    pub hint: &'static str,
}

/// Checks that `glob` can stand in a [`Scope`](super::Scope).
///
/// # Errors
/// When it cannot, with what is wrong and what to write instead.
pub fn validate_glob(glob: &str) -> Result<(), InvalidGlob> {
    parse(glob).map(drop)
}

/// A set of bytes: what one place of a file name may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct ByteSet([u64; 4]);

impl ByteSet {
    const EMPTY: Self = Self([0; 4]);

    fn insert(&mut self, byte: u8) {
        self.0[usize::from(byte >> 6)] |= 1 << (byte & 63);
    }

    fn remove(&mut self, byte: u8) {
        self.0[usize::from(byte >> 6)] &= !(1 << (byte & 63));
    }

    pub(super) fn contains(self, byte: u8) -> bool {
        self.0[usize::from(byte >> 6)] & (1 << (byte & 63)) != 0
    }

    fn complement(self) -> Self {
        Self(self.0.map(|word| !word))
    }

    pub(super) fn meets(self, other: Self) -> bool {
        self.0.iter().zip(other.0).any(|(a, b)| a & b != 0)
    }

    pub(super) fn covers(self, other: Self) -> bool {
        self.0.iter().zip(other.0).all(|(a, b)| b & !a == 0)
    }

    fn bytes(self) -> impl Iterator<Item = u8> {
        (0..=u8::MAX).filter(move |byte| self.contains(*byte))
    }
}

/// One step through a file name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Atom {
    /// Any number of bytes.
    Star,
    /// This byte.
    Byte(u8),
    /// One byte of a set. Boxed, because most atoms are a byte.
    Set(Box<ByteSet>),
}

/// One step along a path.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Segment {
    /// Any number of names, none included: `**`.
    AnyDepth,
    /// One name, whatever it is, in a run with `**`: the run demands at least as many names as it has of these, and
    /// does not care where among the others they stand.
    AnyName,
    /// One name.
    Name(Vec<Atom>),
}

/// One alternative of a glob: a path, name by name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Pattern {
    segments: Vec<Segment>,
}

/// Reads `glob` as the patterns that it stands for.
pub(super) fn parse(glob: &str) -> Result<Vec<Pattern>, InvalidGlob> {
    let invalid = |(problem, hint): Problem| InvalidGlob {
        glob: glob.chars().take(80).flat_map(|c| c.is_control().then_some('\u{fffd}').or(Some(c))).collect(),
        problem,
        hint,
    };
    if glob.trim().is_empty() {
        return Err(invalid(("it is empty", "write `**` for everything")));
    }
    if glob.len() > GLOB_MAX_BYTES {
        return Err(invalid(("it is longer than 512 bytes", "split it into several globs")));
    }
    if glob.chars().any(char::is_control) {
        return Err(invalid(("it has control characters", "no path with such characters is ever accepted")));
    }
    if glob.starts_with('!') {
        return Err(invalid((
            "it begins with `!`",
            "a scope has a list of exclusions of its own; a name is `\\!name`",
        )));
    }
    const RELATIVE: &str = "globs are relative to the root of the repository, such as `src/api/**`";
    if glob.starts_with('/') {
        return Err(invalid(("it begins with `/`", RELATIVE)));
    }
    if glob.starts_with('~') {
        return Err(invalid((
            "it begins with `~`",
            "globs are relative to the root of the repository; a name is `\\~name`",
        )));
    }
    if glob.as_bytes().get(1) == Some(&b':') && glob.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return Err(invalid(("it begins with the letter of a drive", RELATIVE)));
    }
    let mut seen = HashSet::new();
    let mut patterns = Vec::new();
    let tokens = tokenise(glob).map_err(invalid)?;
    if !tokens.iter().any(|token| matches!(token, Token::Open | Token::Close)) {
        return Ok(vec![Pattern::new(&tokens).map_err(invalid)?]);
    }
    for tokens in expand_braces(&tokens).map_err(invalid)? {
        let pattern = Pattern::new(&tokens).map_err(invalid)?;
        if seen.insert(pattern.clone()) {
            patterns.push(pattern);
        }
    }
    Ok(patterns)
}

/// What is wrong, and what to write instead.
type Problem = (&'static str, &'static str);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Byte(u8),
    Set(Box<ByteSet>),
    Star,
    Slash,
    Open,
    Comma,
    Close,
}

impl Token {
    fn is_wildcard(&self) -> bool {
        matches!(self, Self::Star | Self::Set(_))
    }
}

fn tokenise(glob: &str) -> Result<Vec<Token>, Problem> {
    let mut tokens = Vec::with_capacity(glob.len());
    let mut chars = glob.chars();
    while let Some(c) = chars.next() {
        let literal = match c {
            '*' => Err(Token::Star),
            '?' => {
                let mut any = ByteSet::EMPTY.complement();
                any.remove(b'/');
                Err(Token::Set(Box::new(any)))
            }
            '[' => Err(Token::Set(Box::new(class(&mut chars)?))),
            '{' => Err(Token::Open),
            ',' => Err(Token::Comma),
            '}' => Err(Token::Close),
            '/' => Err(Token::Slash),
            '\\' => match chars.next() {
                Some('/') => Err(Token::Slash),
                Some(c) => Ok(c),
                None => return Err(("nothing follows its last `\\`", "`\\\\` stands for a backslash")),
            },
            c => Ok(c),
        };
        match literal {
            Err(token) => tokens.push(token),
            Ok(c) => tokens.extend(c.encode_utf8(&mut [0; 4]).bytes().map(Token::Byte)),
        }
    }
    Ok(tokens)
}

/// Reads the inside of `[…]` by globset's rules: `!` or `^` negates, `]` and `-` are literal in the first place, `-` in
/// the last, and nothing is escaped.
fn class(chars: &mut std::str::Chars<'_>) -> Result<ByteSet, Problem> {
    const UNCLOSED: Problem = ("a `[` has no `]`", "`\\[` stands for the bracket itself");
    const FOREIGN: Problem = ("a `[…]` holds a character that is not ASCII", "write the alternatives as `{ä,ö}`");
    let mut rest = chars.as_str();
    let negated = rest.starts_with(['!', '^']);
    if negated {
        rest = &rest[1..];
    }
    *chars = rest.chars();
    let mut ranges: Vec<(u8, u8)> = Vec::new();
    let mut in_range = false;
    loop {
        let c = chars.next().ok_or(UNCLOSED)?;
        let byte = u8::try_from(c).ok().filter(u8::is_ascii).ok_or(FOREIGN)?;
        match (byte, ranges.last_mut()) {
            (b']', Some(_)) => break,
            (b'-', Some(_)) if !in_range => in_range = true,
            (byte, Some(last)) if in_range => {
                last.1 = byte;
                if last.1 < last.0 {
                    return Err(("a range in `[…]` runs backwards", "write the smaller character first"));
                }
                in_range = false;
            }
            (byte, _) => ranges.push((byte, byte)),
        }
    }
    if in_range {
        ranges.push((b'-', b'-'));
    }
    let mut set = ByteSet::EMPTY;
    for byte in ranges.into_iter().flat_map(|(first, last)| first..=last) {
        set.insert(byte);
    }
    if negated {
        set = set.complement();
    }
    set.remove(b'/');
    if set == ByteSet::EMPTY {
        return Err(("a `[…]` matches nothing", "`/` is never matched by a class"));
    }
    Ok(set)
}

/// Multiplies out the braces.
fn expand_braces(tokens: &[Token]) -> Result<Vec<Vec<Token>>, Problem> {
    /// One level of braces: the alternatives that are complete, and those that are being read.
    struct Level {
        complete: Vec<Vec<Token>>,
        current: Vec<Vec<Token>>,
    }
    let level = || Level { complete: Vec::new(), current: vec![Vec::new()] };
    let too_many = || ("its braces stand for more than 128 globs", "write several globs, or use `*`");

    let mut outer: Vec<Level> = Vec::new();
    let mut inner = level();
    for token in tokens {
        match token {
            Token::Open => outer.push(std::mem::replace(&mut inner, level())),
            Token::Comma if !outer.is_empty() => {
                inner.complete.append(&mut inner.current);
                inner.current.push(Vec::new());
            }
            Token::Close => {
                let mut parent = outer.pop().ok_or(("a `}` has no `{`", "`\\}` stands for the brace itself"))?;
                inner.complete.append(&mut inner.current);
                if parent.current.len() * inner.complete.len() > ALTERNATIVES_MAX {
                    return Err(too_many());
                }
                let product = |head: &Vec<Token>| {
                    inner.complete.iter().map(|tail| [head.as_slice(), tail].concat()).collect::<Vec<_>>()
                };
                parent.current = parent.current.iter().flat_map(product).collect();
                inner = parent;
            }
            token => {
                inner.current.iter_mut().for_each(|tokens| tokens.push(token.clone()));
            }
        }
        if inner.complete.len() > ALTERNATIVES_MAX {
            return Err(too_many());
        }
    }
    if outer.is_empty() { Ok(inner.current) } else { Err(("a `{` has no `}`", "`\\{` stands for the brace itself")) }
}

impl Pattern {
    fn new(tokens: &[Token]) -> Result<Self, Problem> {
        let wildcard = tokens.iter().any(Token::is_wildcard);
        let (tokens, below) = match tokens {
            [head @ .., Token::Slash] => (head, true),
            tokens => (tokens, false),
        };
        let mut segments = Vec::new();
        for name in tokens.split(|token| *token == Token::Slash) {
            segments.push(match name {
                [] => return Err(("a name in it is empty", "write one `/` between names, and none in front")),
                [Token::Byte(b'.')] | [Token::Byte(b'.'), Token::Byte(b'.')] => {
                    return Err(("it has a `.` or `..`", "write the path from the root of the repository"));
                }
                [Token::Star, Token::Star] => Segment::AnyDepth,
                name => Segment::Name(atoms(name)),
            });
        }
        if below || segments.last() == Some(&Segment::AnyDepth) {
            // Everything below a folder is not the folder itself.
            segments.extend([Segment::Name(vec![Atom::Star]), Segment::AnyDepth]);
        } else if !wildcard {
            segments.push(Segment::AnyDepth);
        }
        Ok(Self { segments: normalise(segments) })
    }

    pub(super) fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// Tells whether it matches every path.
    pub(super) fn matches_everything(&self) -> bool {
        let names = self.segments.iter().filter(|segment| **segment == Segment::AnyName).count();
        self.segments.contains(&Segment::AnyDepth) && names <= 1 && names + 1 == self.segments.len()
    }

    /// Returns the globs that, compiled by globset with `literal_separator`, match what this pattern matches.
    pub(super) fn render(&self) -> Vec<String> {
        let mut parts: Vec<String> = Vec::new();
        for segment in &self.segments {
            match segment {
                Segment::AnyDepth => parts.push("**".to_owned()),
                Segment::AnyName => parts.push("*".to_owned()),
                Segment::Name(atoms) => parts.push(render_name(atoms)),
            }
        }
        let whole = parts.join("/");
        match self.segments.as_slice() {
            // globset's `/**` at the end wants at least one name: that is our run of one name and any depth.
            [.., Segment::AnyName, Segment::AnyDepth] => {
                parts.remove(parts.len() - 2);
                vec![parts.join("/")]
            }
            [_, .., Segment::AnyDepth] => vec![parts[..parts.len() - 1].join("/"), whole],
            _ => vec![whole],
        }
    }
}

fn literals<'a>(atoms: impl Iterator<Item = &'a Atom>) -> Vec<u8> {
    atoms.map_while(|atom| if let Atom::Byte(byte) = atom { Some(*byte) } else { None }).collect()
}

fn atoms(name: &[Token]) -> Vec<Atom> {
    let mut atoms: Vec<Atom> = Vec::with_capacity(name.len());
    for token in name {
        match token {
            Token::Star if atoms.last() == Some(&Atom::Star) => {}
            Token::Star => atoms.push(Atom::Star),
            Token::Set(set) => {
                let mut bytes = set.bytes();
                atoms.push(match (bytes.next(), bytes.next()) {
                    (Some(byte), None) => Atom::Byte(byte),
                    _ => Atom::Set(set.clone()),
                });
            }
            Token::Byte(byte) => atoms.push(Atom::Byte(*byte)),
            // Outside braces a comma is a character like others.
            Token::Comma => atoms.push(Atom::Byte(b',')),
            // These are gone once the braces are expanded and the path is split.
            Token::Slash | Token::Open | Token::Close => {}
        }
    }
    atoms
}

/// Writes every run of `*` and `**` as its names first and one `**` behind them, so that equal runs look equal.
fn normalise(segments: Vec<Segment>) -> Vec<Segment> {
    let in_run = |segment: &Segment| match segment {
        Segment::AnyDepth | Segment::AnyName => true,
        Segment::Name(atoms) => atoms.as_slice() == [Atom::Star],
    };
    let mut normal: Vec<Segment> = Vec::with_capacity(segments.len());
    let mut segments = segments.into_iter().peekable();
    while let Some(segment) = segments.next() {
        if !in_run(&segment) {
            normal.push(segment);
            continue;
        }
        let (mut names, mut deep) = (0, false);
        let mut next = Some(segment);
        while let Some(segment) = next {
            if segment == Segment::AnyDepth {
                deep = true;
            } else {
                names += 1;
            }
            next = segments.next_if(in_run);
        }
        let name = if deep { Segment::AnyName } else { Segment::Name(vec![Atom::Star]) };
        normal.extend(std::iter::repeat_n(name, names));
        normal.extend(deep.then_some(Segment::AnyDepth));
    }
    normal
}

fn render_name(atoms: &[Atom]) -> String {
    // Bytes come from UTF-8 text in its order, so runs of literal bytes are text again.
    let mut text = String::new();
    for run in atoms.chunk_by(|a, b| matches!((a, b), (Atom::Byte(_), Atom::Byte(_)))) {
        match run {
            [Atom::Star] => text.push('*'),
            [Atom::Set(set)] => text.push_str(&render_set(**set)),
            literal => {
                for c in String::from_utf8_lossy(&literals(literal.iter())).chars() {
                    escape(c, &mut text);
                }
            }
        }
    }
    text
}

fn render_set(set: ByteSet) -> String {
    let mut text = String::new();
    if set.contains(0x80) {
        // A negated class. Inside, `]` is literal in the first place and `-` in the last, and nothing can be escaped.
        let mut without: Vec<char> = set.complement().bytes().map(char::from).collect();
        without.sort_by_key(|c| match c {
            ']' => 0,
            '-' => 2,
            _ => 1,
        });
        if without == ['/'] {
            return "?".to_owned();
        }
        text.push_str("[!");
        text.extend(without);
        text.push(']');
    } else {
        text.push('{');
        for (at, byte) in set.bytes().enumerate() {
            if at > 0 {
                text.push(',');
            }
            escape(char::from(byte), &mut text);
        }
        text.push('}');
    }
    text
}

fn escape(c: char, text: &mut String) {
    if matches!(c, '*' | '?' | '[' | ']' | '{' | '}' | ',' | '\\' | '!') {
        text.push('\\');
    }
    text.push(c);
}

#[cfg(test)]
mod tests {
    use crate::scope::{CompiledScope, Scope};

    use super::*;

    fn matches(glob: &str, path: &str) -> bool {
        CompiledScope::new(&Scope { allow: vec![glob.to_owned()], deny: Vec::new() }).unwrap().allows(path)
    }

    #[test]
    fn globs_match_as_documented() {
        for (glob, path) in [
            ("src", "src"),
            ("src", "src/a/b"),
            ("src/", "src/a/b"),
            ("src/**", "src/a/b"),
            ("**", "a"),
            ("**", "a/b"),
            ("**/", "a/b"),
            ("*", "a"),
            ("**/*.tf", "x.tf"),
            ("**/*.tf", "a/b/x.tf"),
            ("a/**/b", "a/b"),
            ("a/**/b", "a/x/y/b"),
            ("a/*/**/b", "a/x/b"),
            ("{a,b/c}", "b/c/d"),
            ("{a,b}/*.py", "b/x.py"),
            ("foo{,.txt}", "foo"),
            ("a\\*b", "a*b"),
            ("[!a]x", "bx"),
            ("[]-]", "]"),
            ("[]-]", "-"),
            ("[a-c-e]", "d"),
            ("[^]-]", "a"),
            ("[!^]", "a"),
            ("[\\]", "\\"),
            ("é*", "éa"),
            ("a,b", "a,b"),
            ("a b", "a b"),
            ("?", "x"),
            ("[^a-z]", "A"),
            ("x[!-/]", "xa"),
            ("**/**", "a"),
            ("src/**/**", "src/a"),
            ("*/**", "a/b"),
            ("a***b", "axb"),
            ("{a,b,}c", "c"),
            ("[ab][!c]", "ad"),
        ] {
            assert!(matches(glob, path), "{glob} {path}");
        }
        for (glob, path) in [
            ("src", "srcs"),
            ("src/", "src"),
            ("src/**", "src"),
            ("src/*", "src/a/b"),
            ("*", "a/b"),
            ("a*b", "a/b"),
            ("a?b", "a/b"),
            ("a[!x]b", "a/b"),
            ("SRC", "src"),
            ("**/*.tf", "x.tfs"),
            ("a/*/**/b", "a/b"),
            ("a\\*b", "axb"),
            ("x/**/**", "x"),
            ("[!a]", "a"),
            ("[^]-]", "]"),
            ("[^]-]", "-"),
            ("a[.-0]b", "a/b"),
        ] {
            assert!(!matches(glob, path), "{glob} {path}");
        }
    }

    #[test]
    fn what_is_not_a_glob_is_refused_with_a_hint() {
        let long = "a".repeat(GLOB_MAX_BYTES + 1);
        let braces = "{a,b}".repeat(8);
        for glob in [
            "",
            " ",
            "/",
            "/src",
            "~/src",
            "C:/src",
            "./src",
            "src/../x",
            "a//b",
            "!x",
            "[a",
            "[",
            "[]",
            "a]b[z-a]",
            "[ä]",
            "{a",
            "a}",
            "x\\",
            "a\nb",
            "[/]",
            long.as_str(),
            braces.as_str(),
            "{a,/b}",
            "{,}",
        ] {
            let error = validate_glob(glob).expect_err(glob);
            assert!(!error.problem.is_empty() && !error.hint.is_empty());
            assert!(!error.to_string().contains('\n'));
        }
        assert!(validate_glob(&"{a,b}".repeat(7)).is_ok());
    }

    proptest::proptest! {
        #[test]
        fn no_text_is_too_odd_to_be_read_or_refused(glob in "[]a-c{},*?!^/\\\\.\\[ä-]{0,24}") {
            if let Ok(patterns) = parse(&glob) {
                for rendered in patterns.iter().flat_map(Pattern::render) {
                    let built = globset::GlobBuilder::new(&rendered).literal_separator(true).backslash_escape(true).build();
                    proptest::prop_assert!(built.is_ok(), "{glob} became {rendered}");
                }
            }
        }

        #[test]
        fn plain_globs_match_as_globset_has_them(glob in "[ab]{1,2}(/(\\*\\*|[ab*?]{1,3}|\\[ab\\]|\\[!a\\]b)){1,3}", path in "[ab]{1,2}(/[ab]{1,2}){0,4}") {
            // Not where we differ: `**` beside other text, and classes that would match a `/`.
            proptest::prop_assume!(!glob.split('/').any(|name| name.len() > 2 && name.contains("**")) && !glob.contains("[!"));
            let theirs = globset::GlobBuilder::new(&glob).literal_separator(true).build().unwrap().compile_matcher();
            let wildcard = glob.contains(['*', '?', '[']);
            proptest::prop_assume!(wildcard);
            proptest::prop_assert_eq!(matches(&glob, &path), theirs.is_match(&path));
        }
    }
}
