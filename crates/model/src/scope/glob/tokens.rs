//! The text of a glob, taken apart: classes are read, and braces multiplied out.

use super::{ALTERNATIVES_MAX, ByteSet};

/// What is wrong, and what to write instead.
pub(super) type Problem = (&'static str, &'static str);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    Byte(u8),
    Set(Box<ByteSet>),
    Star,
    Slash,
    Open,
    Comma,
    Close,
}

impl Token {
    pub(super) fn is_wildcard(&self) -> bool {
        matches!(self, Self::Star | Self::Set(_))
    }
}

pub(super) fn tokenise(glob: &str) -> Result<Vec<Token>, Problem> {
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
pub(super) fn expand_braces(tokens: &[Token]) -> Result<Vec<Vec<Token>>, Problem> {
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
