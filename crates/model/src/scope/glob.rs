//! Globs, taken apart far enough to compare two of them, and written back in a form that globset reads in one way only.
//!
//! globset does the matching. It does not say whether two globs can match the same path, so a glob is read here into
//! [`Pattern`]s (braces expanded, split at `/`), and what globset compiles is rendered from the very same patterns:
//! the comparison in [`super::language`] and the matching cannot drift apart over a corner of the syntax.

mod bytes;
mod render;
mod tokens;

use std::collections::HashSet;

pub(super) use bytes::ByteSet;
use tokens::{Problem, Token, expand_braces, tokenise};

use super::portable::folded;

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

impl Pattern {
    /// Returns the pattern for paths without their spelling. Nothing where a name is partly left open, but for one that says
    /// how names end from a full stop on: `*Tests.cs` would be `contests.cs`, too, and `*.tf` is no more than `*.TF`.
    pub(super) fn folded(&self) -> Option<Self> {
        let fold = |segment: &Segment| match segment {
            Segment::Name(atoms) if *atoms != [Atom::Star] => {
                let (open, literal) = match atoms.as_slice() {
                    [Atom::Star, ending @ ..] if ending.first() == Some(&Atom::Byte(b'.')) => (true, ending),
                    all => (false, all),
                };
                let byte = |atom: &Atom| if let Atom::Byte(byte) = atom { Some(*byte) } else { None };
                let name = String::from_utf8(literal.iter().map(byte).collect::<Option<_>>()?).ok()?;
                let literal = folded(&name).into_bytes().into_iter().map(Atom::Byte);
                Some(Segment::Name(open.then_some(Atom::Star).into_iter().chain(literal).collect()))
            }
            other => Some(other.clone()),
        };
        Some(Self { segments: self.segments.iter().map(fold).collect::<Option<_>>()? })
    }

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

#[cfg(test)]
mod tests;
