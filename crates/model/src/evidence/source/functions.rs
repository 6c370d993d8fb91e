//! Functions: their name, their body, and what stands in front of them.

use super::{
    effort::spend,
    tokens::{Kind, Language, Token},
};

/// A function, as ranges of tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// The line of its name.
    pub line: u32,
    /// The tokens from the first of its decorators, attributes or annotations to its name.
    pub head: std::ops::Range<usize>,
    /// The tokens between its name and its body: parameters and result.
    pub signature: std::ops::Range<usize>,
    /// The tokens of its body, without braces.
    pub body: std::ops::Range<usize>,
}

/// Finds the functions of a source, outer ones before inner ones.
#[must_use]
pub fn functions(language: Language, tokens: &[Token<'_>]) -> Vec<Function> {
    spend(tokens.len());
    let mut found: Vec<Function> = Vec::new();
    // Where the bodies end that are open here. What stands in front of a function begins behind the last one that has ended.
    let mut ends: Vec<usize> = Vec::new();
    let mut floor = 0;
    // Each begins with a keyword or with its name.
    for at in (0..tokens.len()).filter(|at| tokens[*at].kind == Kind::Word) {
        while let Some(end) = ends.pop_if(|end| *end <= at) {
            floor = floor.max(end);
        }
        let function = match language {
            Language::Python => indented(tokens, at, &["def"]),
            Language::Ruby => indented(tokens, at, &["def", "defp"]),
            Language::Go => go(tokens, at, floor),
            Language::Rust => braced(tokens, at, "fn", floor),
            Language::Php => braced(tokens, at, "function", floor),
            Language::JavaScript => javascript(tokens, at, floor),
            Language::Java | Language::CSharp | Language::C => {
                braced(tokens, at, "fun", floor).or_else(|| method(tokens, at, floor))
            }
        };
        if let Some(function) = function {
            ends.push(function.body.end);
            found.push(function);
        }
    }
    found
}

/// Returns the place behind a token: of a bracket that opens behind the one that closes it, or behind all where none does.
pub(in crate::evidence) fn behind(tokens: &[Token<'_>], at: usize) -> usize {
    let token = &tokens[at];
    if !token.opens() { at + 1 } else { closing(tokens, at).map_or(tokens.len(), |close| close + 1) }
}

/// `def name(…):` with a body that is indented further.
fn indented(tokens: &[Token<'_>], at: usize, keywords: &[&str]) -> Option<Function> {
    let keyword = tokens.get(at).filter(|token| keywords.iter().any(|keyword| token.is(keyword)))?;
    let name_at = at + 1;
    let name = tokens.get(name_at).filter(|token| token.kind == Kind::Word)?;
    // `async def` and decorators stand in front.
    let mut head = at;
    while head > 0 && !tokens[head].first {
        spend(1);
        head -= 1;
    }
    let column = tokens[head].column;
    while let Some(line) = line_before(tokens, head) {
        let decorator = tokens[line].is("@") || (tokens[line].text.starts_with('@') && tokens[line].column == column);
        if !decorator {
            break;
        }
        head = line;
    }
    let mut open = name_at + 1;
    let ruby = keyword.text != "def" || !tokens.iter().skip(at).take(400).any(|token| token.is(":"));
    loop {
        spend(1);
        let token = tokens.get(open)?;
        if token.text == ":" && !ruby {
            break;
        }
        if ruby && token.line > name.line {
            open -= 1;
            break;
        }
        open = behind(tokens, open);
    }
    let body = open + 1;
    // The body ends with the first line that is not indented further.
    let mut end = body;
    while let Some(token) = tokens.get(end) {
        spend(1);
        if token.first && token.column <= column && token.line > name.line {
            break;
        }
        end = behind(tokens, end);
    }
    Some(Function {
        name: name.text.to_owned(),
        line: name.line,
        head: head..name_at,
        signature: name_at + 1..open,
        body: body..end,
    })
}

/// Returns the first token of the logical line before the one that `at` begins.
fn line_before(tokens: &[Token<'_>], at: usize) -> Option<usize> {
    let mut before = at.checked_sub(1)?;
    let mut depth = 0_i32;
    loop {
        spend(1);
        match tokens[before].text {
            ")" | "]" | "}" if tokens[before].kind == Kind::Sign => depth += 1,
            "(" | "[" | "{" if tokens[before].kind == Kind::Sign => depth -= 1,
            _ => {}
        }
        if tokens[before].first && depth <= 0 {
            return Some(before);
        }
        before = before.checked_sub(1)?;
    }
}

/// A declaration of Go begins its line, and parameters follow its name. A type such as `func() time.Time` in a struct or a
/// function without a name would else be taken for one, with the braces that come next as its body.
fn go(tokens: &[Token<'_>], at: usize, floor: usize) -> Option<Function> {
    tokens.get(at).filter(|token| token.is("func") && token.first)?;
    let name_at = if tokens.get(at + 1)?.is("(") { closing(tokens, at + 1)? + 1 } else { at + 1 };
    tokens.get(name_at + 1).filter(|next| next.is("(") || next.is("["))?;
    braced(tokens, at, "func", floor)
}

/// `func name(…) … { … }`, with a receiver in Go, and attributes in Rust.
fn braced(tokens: &[Token<'_>], at: usize, keyword: &str, floor: usize) -> Option<Function> {
    tokens.get(at).filter(|token| token.is(keyword))?;
    let mut name_at = at + 1;
    // A receiver, or type parameters of Kotlin.
    match tokens.get(name_at)?.text {
        "(" if keyword == "func" => name_at = closing(tokens, name_at)? + 1,
        "<" if keyword == "fun" => name_at = name_at + tokens[name_at..].iter().position(|token| token.is(">"))? + 1,
        "&" if keyword == "function" => name_at += 1,
        _ => {}
    }
    let name = tokens.get(name_at)?;
    let quoted = name.is("`");
    let named = name.kind == Kind::Word || quoted;
    if !named {
        return None;
    }
    let (text, behind) = if quoted {
        let end = name_at + 1 + tokens[name_at + 1..].iter().position(|token| token.is("`"))?;
        (super::normal(&tokens[name_at + 1..end]), end + 1)
    } else {
        (name.text.to_owned(), name_at + 1)
    };
    let (signature, body) = body_behind(tokens, behind)?;
    Some(Function { name: text, line: name.line, head: head_of(tokens, at, floor)..name_at, signature, body })
}

/// `@Test public void name(…) throws X { … }`: a name with parentheses and braces behind it, and a type before it.
fn method(tokens: &[Token<'_>], at: usize, floor: usize) -> Option<Function> {
    const NO_NAMES: [&str; 14] = [
        "if",
        "for",
        "while",
        "switch",
        "catch",
        "synchronized",
        "return",
        "new",
        "else",
        "do",
        "try",
        "using",
        "lock",
        "when",
    ];
    let name = tokens.get(at).filter(|token| token.kind == Kind::Word && !NO_NAMES.contains(&token.text))?;
    tokens.get(at + 1).filter(|token| token.is("("))?;
    let before = tokens.get(at.checked_sub(1)?)?;
    let typed = (before.kind == Kind::Word && !NO_NAMES.contains(&before.text))
        || matches!(before.text, ">" | "]" | "*" | "&" | "?");
    if !typed {
        return None;
    }
    let (signature, body) = body_behind(tokens, at + 1)?;
    let head = head_of(tokens, at, floor)..at;
    Some(Function { name: name.text.to_owned(), line: name.line, head, signature, body })
}

/// `function name(…) {`, `name(…) {` in a class, `name = (…) => {` and `name = async function (…) {`.
fn javascript(tokens: &[Token<'_>], at: usize, floor: usize) -> Option<Function> {
    const NO_NAMES: [&str; 10] =
        ["if", "for", "while", "switch", "catch", "function", "return", "with", "super", "await"];
    let token = tokens.get(at)?;
    if token.is("function") && tokens.get(at + 1).is_some_and(|token| token.kind == Kind::Word) {
        return braced(tokens, at, "function", floor);
    }
    if token.kind != Kind::Word || NO_NAMES.contains(&token.text) {
        return None;
    }
    let before = at.checked_sub(1).and_then(|before| tokens.get(before));
    let next = tokens.get(at + 1)?;
    if next.is("(") {
        // A method stands behind another method or the beginning of its class; a call does not have braces behind it.
        let begins = before.is_none_or(|before| {
            before.is("{")
                || before.is("}")
                || before.is(";")
                || before.is(",")
                || matches!(before.text, "async" | "static" | "get" | "set" | "public" | "private" | "*")
        });
        let close = closing(tokens, at + 1)?;
        let opens = tokens.get(close + 1).is_some_and(|token| token.is("{") || token.is(":"));
        if !(begins && opens) {
            return None;
        }
        let (signature, body) = body_behind(tokens, at + 1)?;
        return Some(Function { name: token.text.to_owned(), line: token.line, head: at..at, signature, body });
    }
    if !(next.is("=") || next.is(":")) {
        return None;
    }
    let mut behind = at + 2;
    while tokens.get(behind).is_some_and(|token| matches!(token.text, "async" | "function" | "*")) {
        behind += 1;
    }
    let close = match tokens.get(behind)? {
        token if token.is("(") => closing(tokens, behind)?,
        token if token.kind == Kind::Word && tokens.get(behind + 1).is_some_and(|next| next.is("=>")) => behind,
        _ => return None,
    };
    let function = tokens.get(behind.checked_sub(1)?).is_some_and(|token| token.is("function"));
    let arrow =
        tokens[close..].iter().take(40).position(|token| token.is("=>") || token.is(";") || token.is("{"))? + close;
    if function {
        let (signature, body) = body_behind(tokens, behind)?;
        return Some(Function { name: token.text.to_owned(), line: token.line, head: at..at, signature, body });
    }
    if !tokens[arrow].is("=>") {
        return None;
    }
    let open = arrow + 1;
    let body = if tokens.get(open)?.is("{") {
        open + 1..closing(tokens, open)?
    } else {
        open..end_of_expression(tokens, open)
    };
    Some(Function { name: token.text.to_owned(), line: token.line, head: at..at, signature: behind..arrow, body })
}

/// Finds where an expression ends: at a semicolon, at the end of its brackets, or at a line that begins anew.
fn end_of_expression(tokens: &[Token<'_>], from: usize) -> usize {
    let mut at = from;
    while let Some(token) = tokens.get(at) {
        spend(1);
        // An annotation belongs to what comes next.
        let begins = token.first && (token.kind == Kind::Word || token.text == "@");
        if token.closes() || matches!(token.text, ";" | ",") || (at > from && begins) {
            return at;
        }
        at = behind(tokens, at);
    }
    tokens.len()
}

/// Finds the braces behind a parameter list, and the body between them.
fn body_behind(tokens: &[Token<'_>], from: usize) -> Option<(std::ops::Range<usize>, std::ops::Range<usize>)> {
    let mut at = from;
    for _ in 0..400 {
        spend(1);
        let token = tokens.get(at)?;
        match token.text {
            ";" => return None,
            // An expression as body, in Kotlin, C# and Scala.
            "=" | "=>" if at > from && !tokens.get(at + 1)?.is("{") => {
                return Some((from..at, at + 1..end_of_expression(tokens, at + 1)));
            }
            "{" => return Some((from..at, at + 1..closing(tokens, at)?)),
            ")" | "]" if token.kind == Kind::Sign => return None,
            _ => {}
        }
        at = behind(tokens, at);
    }
    None
}

/// Finds the bracket that closes the one at `open`.
pub(in crate::evidence) fn closing(tokens: &[Token<'_>], open: usize) -> Option<usize> {
    spend(1);
    let token = tokens.get(open).filter(|token| token.opens() && token.pair > 0)?;
    let close = open + usize::try_from(token.pair).unwrap_or(usize::MAX - open);
    (close < tokens.len()).then_some(close)
}

/// Goes back to where the attributes and annotations in front of a function begin, and no further than `floor`.
fn head_of(tokens: &[Token<'_>], at: usize, floor: usize) -> usize {
    let mut head = at;
    let mut depth = 0_i32;
    while let Some(before) = head.checked_sub(1).filter(|before| *before >= floor) {
        spend(1);
        let token = &tokens[before];
        if token.kind == Kind::Sign {
            match token.text {
                ")" | "]" => depth += 1,
                "(" | "[" => depth -= 1,
                // The values of an annotation may stand in braces.
                "}" if depth > 0 => depth += 1,
                "{" if depth > 1 => depth -= 1,
                ";" | "{" | "}" | "," if depth == 0 => break,
                _ => {}
            }
        }
        if depth < 0 {
            break;
        }
        head = before;
    }
    head
}

#[cfg(test)]
mod unit {
    use super::{super::tokens, *};

    fn found(language: Language, source: &str) -> Vec<(String, String)> {
        let all = tokens(language, source);
        functions(language, &all)
            .into_iter()
            .map(|function| (function.name, super::super::normal(&all[function.body])))
            .collect()
    }

    #[test]
    fn functions_of_every_language_are_found_with_their_bodies() {
        let pair = |name: &str, body: &str| (name.to_owned(), body.to_owned());
        assert_eq!(
            found(
                Language::Python,
                "@mark\nasync def a(x: int = {1: 2}) -> int:\n    return 1\n\nclass C:\n    def b(self):\n        x = [\n  1]\n        y\nz = 1\n"
            ),
            [pair("a", "return 1"), pair("b", "x = [ 1 ] y")]
        );
        assert_eq!(
            found(Language::Go, "func (s *S) A(x int) (int, error) { return 1, nil }"),
            [pair("A", "return 1 , nil")]
        );
        // Types and functions without a name are no declarations.
        assert_eq!(
            found(
                Language::Go,
                "type M struct {\n\tNow func() time.Time\n}\n\nfunc NewM() *M { return &M{Now: time.Now} }\n\nfunc Each[T any](f func() error) error {\n\tdefer func() { done() }()\n\treturn f()\n}\n"
            ),
            [
                pair("NewM", "return & M { Now : time . Now }"),
                pair("Each", "defer func ( ) { done ( ) } ( ) return f ( )")
            ]
        );
        assert_eq!(found(Language::Rust, "#[test]\nfn a<T: X>(x: [u8; 2]) -> u8 { 1 }\nfn b();"), [pair("a", "1")]);
        assert_eq!(
            found(
                Language::Java,
                "class A { @Test(expected = X.class) public void a() throws B { c(); } int f = g(1); }"
            ),
            [pair("a", "c ( ) ;")]
        );
        assert_eq!(
            found(
                Language::JavaScript,
                "export const a = async (x) => x + 1;\nfunction b() { return 1 }\nclass C { d(x) { e() } }\nconst f = function () { g }\nit('h', () => { i() })"
            ),
            [pair("a", "x + 1"), pair("b", "return 1"), pair("d", "e ( )"), pair("f", "g")]
        );
        assert_eq!(found(Language::Php, "<?php public function a(): int { return 1; }"), [pair("a", "return 1 ;")]);
        assert_eq!(found(Language::Ruby, "def a(x)\n  b\nend\n"), [pair("a", "b")]);
    }
}
