//! Tokens of the languages that are read.

use super::effort::spend;

/// A language whose tokens are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// Python.
    Python,
    /// JavaScript and TypeScript.
    JavaScript,
    /// Go.
    Go,
    /// Rust.
    Rust,
    /// Java, Kotlin, Scala, Groovy, Swift and Dart: braces and annotations.
    Java,
    /// C#.
    CSharp,
    /// Ruby and Elixir: blocks by indentation.
    Ruby,
    /// PHP.
    Php,
    /// C and C++.
    C,
}

impl Language {
    /// Returns the language of a file, by the ending of its name.
    #[must_use]
    pub fn of_path(path: &str) -> Option<Self> {
        Some(match path.rsplit('/').next()?.rsplit_once('.')?.1 {
            "py" | "pyi" => Self::Python,
            "js" | "jsx" | "ts" | "tsx" | "mjs" | "cjs" | "mts" | "cts" => Self::JavaScript,
            "go" => Self::Go,
            "rs" => Self::Rust,
            "java" | "kt" | "kts" | "scala" | "groovy" | "swift" | "dart" => Self::Java,
            "cs" | "fs" => Self::CSharp,
            "rb" | "ex" | "exs" => Self::Ruby,
            "php" => Self::Php,
            "c" | "cc" | "cpp" | "cxx" | "h" | "hpp" => Self::C,
            _ => return None,
        })
    }

    /// Tells whether blocks are made by indentation and not by braces.
    pub(super) fn is_indented(self) -> bool {
        matches!(self, Self::Python | Self::Ruby)
    }

    fn line_comments(self) -> &'static [&'static str] {
        match self {
            Self::Python | Self::Ruby => &["#"],
            Self::Php => &["//", "#"],
            _ => &["//"],
        }
    }
}

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A name or a keyword.
    Word,
    /// A number.
    Number,
    /// A string, with its quotes.
    Text,
    /// An operator or a bracket.
    Sign,
}

/// A token with its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token<'a> {
    /// What it is.
    pub kind: Kind,
    /// As it stands.
    pub text: &'a str,
    /// Where it begins, in bytes.
    pub at: usize,
    /// Its line, from 1.
    pub line: u32,
    /// Its column, from 0.
    pub column: u32,
    /// Whether it is the first of its line.
    pub first: bool,
    /// How many tokens away the other bracket of its pair is: ahead of one that opens, back of one that closes. 0 for all
    /// else, and for a bracket that stands alone. Nothing has to search for it.
    pub pair: u32,
}

impl Token<'_> {
    /// Tells whether it is this name, keyword or sign.
    #[must_use]
    pub fn is(&self, text: &str) -> bool {
        spend(1);
        self.kind != Kind::Text && self.text == text
    }

    /// Tells whether it is a bracket that opens.
    pub(in crate::evidence) fn opens(&self) -> bool {
        self.kind == Kind::Sign && matches!(self.text, "(" | "[" | "{")
    }

    /// Tells whether it is a bracket that closes.
    pub(in crate::evidence) fn closes(&self) -> bool {
        self.kind == Kind::Sign && matches!(self.text, ")" | "]" | "}")
    }

    /// Returns what stands between the quotes of a string; any other token as it is.
    #[must_use]
    pub fn inner(&self) -> &str {
        if self.kind != Kind::Text {
            return self.text;
        }
        let text = self.text.trim_start_matches(|c: char| c.is_ascii_alphabetic() || matches!(c, '#' | '@' | '$'));
        text.trim_end_matches('#').trim_matches(['"', '\'', '`'])
    }
}

const SIGNS: [&str; 36] = [
    ">>>=", "===", "!==", "**=", "//=", "<<=", ">>=", "...", ">>>", "&&=", "||=", "??=", "==", "!=", "<=", ">=", "&&",
    "||", "+=", "-=", "*=", "/=", "%=", "->", "=>", "::", "**", "//", "<<", ">>", ":=", "++", "--", "?.", "??", "..",
];

/// Splits a source into its tokens; comments are left out.
#[must_use]
pub fn tokens(language: Language, source: &str) -> Vec<Token<'_>> {
    let bytes = source.as_bytes();
    let (mut at, mut line, mut begin_of_line) = (0, 1_u32, 0);
    let mut first = true;
    let mut all: Vec<Token<'_>> = Vec::new();
    while at < bytes.len() {
        let rest = &source[at..];
        let c = rest.chars().next().expect("invariant: this is not the end, and a token ends where a character does");
        if c == '\n' {
            at += 1;
            line += 1;
            begin_of_line = at;
            first = true;
            continue;
        }
        if c.is_whitespace() {
            at += c.len_utf8();
            continue;
        }
        let comment = comment(language, rest, all.last());
        let (kind, length) = match comment {
            Some(length) => (None, length),
            None => {
                let (kind, length) = token(language, rest, all.last());
                (Some(kind), length)
            }
        };
        let text = &source[at..at + length];
        if let Some(kind) = kind {
            let column = u32::try_from(at - begin_of_line).unwrap_or(u32::MAX);
            all.push(Token { kind, text, at, line, column, first, pair: 0 });
            first = false;
        }
        let breaks = text.matches('\n').count();
        if breaks > 0 {
            line += u32::try_from(breaks).unwrap_or(0);
            begin_of_line = at + text.rfind('\n').map_or(0, |last| last + 1);
        }
        spend(1 + length / 16);
        at += length;
    }
    pair_brackets(&mut all);
    all
}

/// Tells each bracket where the other one of its pair is.
fn pair_brackets(all: &mut [Token<'_>]) {
    let mut open: Vec<usize> = Vec::new();
    for at in 0..all.len() {
        if all[at].opens() {
            open.push(at);
        } else if all[at].closes()
            && let Some(begin) = open.pop()
        {
            let pair = u32::try_from(at - begin).unwrap_or(0);
            all[begin].pair = pair;
            all[at].pair = pair;
        }
    }
}

/// Returns the length of the comment that begins here.
fn comment(language: Language, rest: &str, before: Option<&Token<'_>>) -> Option<usize> {
    if language == Language::Php && rest.starts_with("#[") {
        return None;
    }
    if language.line_comments().iter().any(|mark| rest.starts_with(mark)) {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    if language == Language::Ruby && rest.starts_with("=begin") && before.is_none_or(|token| !token.text.is_empty()) {
        return Some(rest.find("\n=end").map_or(rest.len(), |end| end + 5));
    }
    if !language.is_indented() && rest.starts_with("/*") {
        return Some(rest[2..].find("*/").map_or(rest.len(), |end| end + 4));
    }
    None
}

/// Returns the kind and the length of the token that begins here.
fn token(language: Language, rest: &str, before: Option<&Token<'_>>) -> (Kind, usize) {
    let c = rest.chars().next().expect("invariant: a token is asked for where there is something");
    if let Some(length) = text_literal(language, rest, before) {
        return (Kind::Text, length);
    }
    let is_name = |c: char| {
        c.is_alphanumeric() || c == '_' || (c == '$' && matches!(language, Language::JavaScript | Language::Php))
    };
    if c.is_ascii_digit() {
        let mut length = 0;
        for (at, c) in rest.char_indices() {
            let dot = c == '.' && rest[at + 1..].starts_with(|c: char| c.is_ascii_digit());
            let exponent = matches!(c, '-' | '+') && rest[..at].ends_with(['e', 'E']) && !rest.starts_with("0x");
            if !(c.is_alphanumeric() || c == '_' || dot || exponent) {
                break;
            }
            length = at + c.len_utf8();
        }
        return (Kind::Number, length);
    }
    if is_name(c) || (language == Language::Ruby && c == '@') {
        let length = rest.char_indices().skip(1).find(|(_, c)| !is_name(*c)).map_or(rest.len(), |(at, _)| at);
        return (Kind::Word, length);
    }
    // Most signs stand alone: those of several characters go on with one of these.
    let goes_on = rest.as_bytes().get(1).is_some_and(|next| b"=>*&|<:/+-?.".contains(next));
    let sign = SIGNS.iter().filter(|_| goes_on).find(|sign| rest.starts_with(**sign));
    (Kind::Sign, sign.map_or(c.len_utf8(), |sign| sign.len()))
}

/// Returns the length of the string that begins here.
fn text_literal(language: Language, rest: &str, before: Option<&Token<'_>>) -> Option<usize> {
    let prefix = match language {
        Language::Python => rest.len() - rest.trim_start_matches(['r', 'b', 'f', 'u', 'R', 'B', 'F', 'U']).len(),
        Language::Rust => rest.len() - rest.trim_start_matches(['r', 'b', 'c']).len(),
        Language::CSharp => rest.len() - rest.trim_start_matches(['@', '$']).len(),
        _ => 0,
    };
    let prefix = if prefix <= 3 { prefix } else { 0 };
    let body = &rest[prefix..];
    if language == Language::Rust && rest[..prefix].contains('r') {
        let hashes = body.len() - body.trim_start_matches('#').len();
        if body[hashes..].starts_with('"') {
            let end = format!("\"{}", "#".repeat(hashes));
            let inside = &body[hashes + 1..];
            return Some(prefix + hashes + 1 + inside.find(&end).map_or(inside.len(), |at| at + end.len()));
        }
        return None;
    }
    for triple in ["\"\"\"", "'''"] {
        let has = matches!(language, Language::Python) || (triple == "\"\"\"" && language == Language::Java);
        if has && body.starts_with(triple) {
            return Some(prefix + closed(&body[3..], triple, true).map_or(body.len(), |end| end + 3));
        }
    }
    let quote = body.chars().next()?;
    match (language, quote) {
        (_, '"') => {}
        (Language::Rust, '\'') => {
            // A lifetime has no quote behind its name.
            let mut chars = body[1..].chars();
            let (one, two) = (chars.next()?, chars.next());
            if one != '\\' && two != Some('\'') {
                return None;
            }
        }
        (Language::Go | Language::JavaScript, '`') => {
            return Some(1 + closed(&body[1..], "`", language == Language::JavaScript).unwrap_or(body.len() - 1));
        }
        (_, '\'') => {}
        (Language::JavaScript, '/') => return regular_expression(body, before),
        _ => return None,
    }
    // A string does not go over the end of its line, but in PHP.
    let whole = if language == Language::Php { closed(&body[1..], quote.encode_utf8(&mut [0; 4]), true) } else { None };
    Some(prefix + 1 + whole.unwrap_or_else(|| closed_on_line(&body[1..], quote).0))
}

/// Returns where a text on one line ends, and whether the mark closes it there: its end is behind the mark.
fn closed_on_line(inside: &str, mark: char) -> (usize, bool) {
    let bytes = inside.as_bytes();
    let mut at = 0;
    let closed = loop {
        match bytes.get(at) {
            None | Some(b'\n') => break false,
            Some(b'\\') if bytes.get(at + 1).is_some_and(|next| *next != b'\n') => at += 2,
            Some(byte) => {
                at += 1;
                if char::from(*byte) == mark {
                    break true;
                }
            }
        }
    };
    spend(at / 4);
    (at, closed)
}

/// Returns where a text is closed, behind the closing mark.
fn closed(inside: &str, mark: &str, escapes: bool) -> Option<usize> {
    let (bytes, mark) = (inside.as_bytes(), mark.as_bytes());
    let mut at = 0;
    let mut end = None;
    while let Some(byte) = bytes.get(at) {
        if escapes && *byte == b'\\' {
            at += 2;
        } else if *byte == mark[0] && bytes[at..].starts_with(mark) {
            end = Some(at + mark.len());
            break;
        } else {
            at += 1;
        }
    }
    spend(at / 4);
    end
}

/// A slash begins a regular expression where no value stands before it.
fn regular_expression(body: &str, before: Option<&Token<'_>>) -> Option<usize> {
    let value = before.is_some_and(|token| match token.kind {
        Kind::Word => !matches!(token.text, "return" | "typeof" | "case" | "in" | "of" | "await"),
        Kind::Number | Kind::Text => true,
        Kind::Sign => matches!(token.text, ")" | "]" | "}"),
    });
    if value {
        return None;
    }
    let (length, closed) = closed_on_line(&body[1..], '/');
    let end = 1 + length;
    closed.then(|| end + body[end..].chars().take_while(char::is_ascii_alphabetic).count())
}

#[cfg(test)]
mod unit {
    use super::*;

    fn texts(language: Language, source: &str) -> Vec<&str> {
        tokens(language, source).iter().map(|token| token.text).collect()
    }

    #[test]
    fn comments_go_and_strings_stay_whole() {
        assert_eq!(
            texts(Language::Python, "x = f\"a # b\" # c\n'''d\n# e'''"),
            ["x", "=", "f\"a # b\"", "'''d\n# e'''"]
        );
        assert_eq!(texts(Language::Rust, "fn a<'b>() { r#\"x\"y\"#; '\\n'; 'c' }")[2..6], ["<", "'", "b", ">"]);
        assert!(texts(Language::Rust, "r#\"x\"y\"#").contains(&"r#\"x\"y\"#"));
        assert_eq!(
            texts(Language::JavaScript, "a = /x\\/\"y/g; b / c // d"),
            ["a", "=", "/x\\/\"y/g", ";", "b", "/", "c"]
        );
        assert_eq!(texts(Language::Go, "a := `x\n\"` /* c */ b"), ["a", ":=", "`x\n\"`", "b"]);
        assert_eq!(texts(Language::Java, "1.5e-3 >= x ++"), ["1.5e-3", ">=", "x", "++"]);
        let lines: Vec<_> =
            tokens(Language::Python, "a\n  b c\n").iter().map(|t| (t.line, t.column, t.first)).collect();
        assert_eq!(lines, [(1, 0, true), (2, 2, true), (2, 4, false)]);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_split_without_a_panic_and_in_order(text in "[a-c0-9 \"'`/\\\\#*\n\\{\\}()=<>.éfrb@$]{0,60}", which in 0_usize..9) {
            let languages = [Language::Python, Language::JavaScript, Language::Go, Language::Rust, Language::Java, Language::CSharp, Language::Ruby, Language::Php, Language::C];
            let all = tokens(languages[which], &text);
            for pair in all.windows(2) {
                proptest::prop_assert!(pair[0].at + pair[0].text.len() <= pair[1].at);
            }
        }
    }
}
