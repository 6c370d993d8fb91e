//! The body that replaces that of a function, when the function is undone.

use super::super::source::{self, Kind, Language, Token};

/// Returns what a new function does when it is undone: nothing, as far as it compiles, and a constant that it is or returns is
/// another one. `None` where it does nothing already, or nobody can tell what would compile.
pub(super) fn instead(
    language: Language,
    tokens: &[Token<'_>],
    text: &str,
    function: &source::Function,
) -> Option<String> {
    let body = &tokens[function.body.clone()];
    let value = match body {
        // A lone value gives nothing back, as that of an empty function.
        [_] if language == Language::Python => return None,
        [value] => Some(value),
        [back, value] if back.is("return") => Some(value),
        [back, value, end] if back.is("return") && end.is(";") => Some(value),
        _ => None,
    };
    let Some(value) = value else { return empty(language, tokens, function) };
    // What says that there is nothing is what an empty function comes to.
    if matches!(value.text, "None" | "nil" | "null" | "undefined" | "pass" | "..." | ";" | "self" | "return") {
        return None;
    }
    if let Some(other) = other_constant(language, value) {
        let (first, last) = (body.first()?, body.last()?);
        let end = value.at + value.text.len();
        return Some(format!("{}{other}{}", &text[first.at..value.at], &text[end..last.at + last.text.len()]));
    }
    let is_plain_type = language != Language::Rust || returns_plain_type(&tokens[function.signature.clone()]);
    empty(language, tokens, function).filter(|_| is_plain_type)
}

/// Returns a constant of the same kind that is another one.
fn other_constant(language: Language, value: &Token<'_>) -> Option<String> {
    let text = value.text;
    match value.kind {
        Kind::Word => Some(
            match text {
                "true" => "false",
                "false" => "true",
                "True" => "False",
                "False" => "True",
                _ => return None,
            }
            .to_owned(),
        ),
        Kind::Number if text.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some(if text.bytes().all(|byte| byte == b'0') { "1" } else { "0" }.to_owned())
        }
        Kind::Text => {
            let is_dynamic =
                matches!(language, Language::Python | Language::JavaScript | Language::Ruby | Language::Php);
            let quote = text.chars().next().filter(|quote| *quote == '"' || *quote == '\'' && is_dynamic)?;
            let is_plain = text.len() > 1 && text.ends_with(quote) && !text.starts_with("\"\"\"");
            is_plain.then(|| if text.len() == 2 { format!("{quote}x{quote}") } else { format!("{quote}{quote}") })
        }
        _ => None,
    }
}

/// Tells whether a function of Rust gives a type that surely has a default: one of the language's own, or of those that its
/// library keeps things in.
fn returns_plain_type(signature: &[Token<'_>]) -> bool {
    const KEPT_IN: [&str; 8] = ["String", "Vec", "Option", "HashMap", "BTreeMap", "HashSet", "BTreeSet", "VecDeque"];
    let Some(arrow) = signature.iter().position(|token| token.is("->")) else { return true };
    let own = |token: &Token<'_>| {
        let number = token.text.trim_start_matches(['i', 'u', 'f']);
        matches!(token.text, "bool" | "char" | "usize" | "isize")
            || number.len() < token.text.len() && !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    };
    signature.get(arrow + 1).is_some_and(|token| own(token) || KEPT_IN.contains(&token.text))
}

/// What a function of this language can be, so that it still compiles.
fn empty(language: Language, tokens: &[Token<'_>], function: &source::Function) -> Option<String> {
    let signature = &tokens[function.signature.clone()];
    match language {
        Language::Python => Some("return None".to_owned()),
        Language::JavaScript => {
            let body = &tokens[function.body.clone()];
            // An arrow function without braces is an expression.
            let braces = tokens.get(function.body.end).is_some_and(|token| token.is("}"));
            (!body.is_empty()).then(|| if braces { "return undefined;".to_owned() } else { "undefined".to_owned() })
        }
        Language::Go => Some(match result_of_go(signature)?.as_slice() {
            [] => String::new(),
            types => {
                format!("return {}", types.iter().map(|one| format!("*new({one})")).collect::<Vec<_>>().join(", "))
            }
        }),
        Language::Rust => Some(if signature.iter().any(|token| token.is("->")) {
            "Default::default()".to_owned()
        } else {
            String::new()
        }),
        Language::Java => {
            let head = &tokens[function.head.clone()];
            let result = head.last()?.text;
            Some(match result {
                "void" => String::new(),
                "int" | "long" | "short" | "byte" | "double" | "float" | "char" => "return 0;".to_owned(),
                "boolean" => "return false;".to_owned(),
                _ if function.name == result => return None,
                _ => "return null;".to_owned(),
            })
        }
        Language::Ruby => Some("nil".to_owned()),
        Language::Php => Some("return null;".to_owned()),
        Language::CSharp | Language::C => None,
    }
}

/// Reads the result types of a Go function.
fn result_of_go(signature: &[Token<'_>]) -> Option<Vec<String>> {
    let mut depth = 0_i32;
    let close = signature.iter().position(|token| {
        match token.text {
            "(" => depth += 1,
            ")" => depth -= 1,
            _ => {}
        }
        depth == 0 && token.is(")")
    })?;
    let rest = &signature[close + 1..];
    if rest.is_empty() {
        return Some(Vec::new());
    }
    if rest[0].is("(") {
        let inside = &rest[1..rest.len().saturating_sub(1)];
        // Named results need no `new`, but types do not mind the names' absence.
        let types = inside.split(|token| token.is(","));
        return types
            .map(|one| {
                let named = one.len() > 1
                    && one[0].kind == Kind::Word
                    && (one[1].kind == Kind::Word || matches!(one[1].text, "*" | "["));
                let one = if named && !one[0].is("map") && !one[0].is("chan") && !one[0].is("func") {
                    &one[1..]
                } else {
                    one
                };
                (!one.is_empty()).then(|| one.iter().map(|token| token.text).collect::<String>())
            })
            .collect();
    }
    Some(vec![rest.iter().map(|token| token.text).collect::<String>()])
}
