//! What a source says whatever its layout: what a formatter may write otherwise is left out.

use super::source::{Kind, Language, Token};

/// A token of a source, and how deep its line stands where blocks are made by indentation.
pub(super) type Said = (String, usize);

/// A token that counts, with what is needed to find the lines of imports.
struct Kept {
    said: Said,
    is_sign: bool,
    first: bool,
}

/// Words after which a line end or a semicolon ends the statement, and without which the next expression belongs to them.
const JUMPS: [&str; 5] = ["return", "break", "continue", "throw", "yield"];

/// Returns what a source says: its tokens without the quotes of strings, commas at the end of lists, and in JavaScript
/// semicolons that a line end says as well and brackets around the one parameter of an arrow; imports that follow each other
/// in order; and where blocks are made by indentation how deep each line stands.
pub(super) fn meaning(language: Language, tokens: &[Token<'_>]) -> Vec<Said> {
    let is_javascript = language == Language::JavaScript;
    let mut columns: Vec<u32> = Vec::new();
    // The open brackets, each with whether it is the condition of an `if` or a loop.
    let mut open: Vec<(&str, bool)> = Vec::new();
    let mut after_condition = false;
    let mut all: Vec<Kept> = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let (before, next) = (at.checked_sub(1).and_then(|at| tokens.get(at)), tokens.get(at + 1));
        if token.is(",") && next.is_some_and(|next| matches!(next.text, ")" | "]" | "}")) {
            continue;
        }
        if token.first && open.is_empty() {
            while columns.last().is_some_and(|last| *last > token.column) {
                columns.pop();
            }
            if columns.last() != Some(&token.column) {
                columns.push(token.column);
            }
        }
        if is_javascript {
            let in_round = open.last().is_some_and(|(bracket, _)| *bracket == "(");
            if token.is(";") && !in_round && !after_condition && is_optional(before, next) {
                continue;
            }
            if is_around_one_parameter(tokens, at) {
                continue;
            }
        }
        after_condition = false;
        if token.kind == Kind::Sign {
            match token.text {
                "(" => open.push(("(", before.is_some_and(is_conditional))),
                "[" | "{" => open.push((token.text, false)),
                ")" | "]" | "}" => after_condition = open.pop().is_some_and(|(_, condition)| condition),
                _ => {}
            }
        }
        let depth = if language == Language::Python { columns.len() } else { 0 };
        let said = (token.inner().to_owned(), depth);
        all.push(Kept { said, is_sign: token.kind == Kind::Sign, first: token.first });
        let ends = next.is_none_or(|next| next.first || next.is(";") || next.is("}"));
        if is_javascript && ends && JUMPS.iter().any(|jump| token.is(jump)) {
            all.push(Kept { said: (";".to_owned(), depth), is_sign: true, first: false });
        }
    }
    in_order(language, &all)
}

fn is_conditional(token: &Token<'_>) -> bool {
    ["if", "for", "while", "with", "await"].iter().any(|word| token.is(word))
}

/// Tells whether a semicolon between two tokens says no more than the end of a line. After [`JUMPS`] it is written already.
fn is_optional(before: Option<&Token<'_>>, next: Option<&Token<'_>>) -> bool {
    let needed_after = ["else", "do", ":"];
    let goes_on = |next: &Token<'_>| next.text.starts_with(['(', '[', '`', '+', '-', '*', '/']);
    !before.is_some_and(|before| needed_after.iter().any(|text| before.is(text))) && !next.is_some_and(goes_on)
}

/// Tells whether a token is one of the brackets of `(x) =>`.
fn is_around_one_parameter(tokens: &[Token<'_>], at: usize) -> bool {
    let begins = |at: usize| {
        let Some([open, word, close, arrow]) = tokens.get(at..at + 4) else { return false };
        open.is("(") && word.kind == Kind::Word && close.is(")") && arrow.is("=>")
    };
    begins(at) || at.checked_sub(2).is_some_and(begins)
}

/// Brings imports that follow each other, and the names in their brackets, into one order.
fn in_order(language: Language, all: &[Kept]) -> Vec<Said> {
    let mut said = Vec::with_capacity(all.len());
    let mut run: Vec<Vec<Said>> = Vec::new();
    let mut at = 0;
    while at < all.len() {
        // What an attribute stands before stays with it.
        let marked = run.is_empty() && at.checked_sub(1).is_some_and(|at| all[at].is_sign && all[at].said.0 == "]");
        match import_end(language, all, at).filter(|_| !marked) {
            Some(end) => {
                run.push(names_in_order(&all[at..end]));
                at = end;
            }
            None => {
                run.sort();
                said.extend(run.drain(..).flatten());
                said.push(all[at].said.clone());
                at += 1;
            }
        }
    }
    run.sort();
    said.extend(run.into_iter().flatten());
    said
}

/// Returns where the import ends that begins here.
fn import_end(language: Language, all: &[Kept], at: usize) -> Option<usize> {
    let word = |at: usize| all.get(at).filter(|one| !one.is_sign).map(|one| one.said.0.as_str());
    let sign = |at: usize, text: &str| all.get(at).is_some_and(|one| one.is_sign && one.said.0 == text);
    let by_semicolon = matches!(language, Language::Rust | Language::Java | Language::CSharp | Language::Php);
    let begins = match language {
        Language::Rust => word(at) == Some("use") || word(at) == Some("pub") && word(at + 1) == Some("use"),
        Language::Python => all[at].first && matches!(word(at), Some("import" | "from")),
        Language::JavaScript => all[at].first && word(at) == Some("import") && !sign(at + 1, "(") && !sign(at + 1, "."),
        Language::Java => all[at].first && word(at) == Some("import"),
        Language::CSharp => all[at].first && word(at) == Some("using") && !sign(at + 1, "("),
        Language::Php => all[at].first && word(at) == Some("use"),
        Language::Go | Language::Ruby | Language::C => false,
    };
    if !begins {
        return None;
    }
    let mut open = 0_usize;
    for (index, one) in all.iter().enumerate().skip(at) {
        if open == 0 && one.first && index > at {
            // Kotlin and its like have no semicolons.
            return (!by_semicolon || language == Language::Java).then_some(index);
        }
        match one.said.0.as_str() {
            _ if !one.is_sign => {}
            "(" | "{" | "[" => open += 1,
            ")" | "}" | "]" => open = open.checked_sub(1)?,
            ";" if open == 0 => return Some(index + 1),
            _ => {}
        }
    }
    (!by_semicolon && open == 0).then_some(all.len())
}

/// Brings the names in the brackets of an import into order, where no other brackets stand within them.
fn names_in_order(import: &[Kept]) -> Vec<Said> {
    let is = |one: &Kept, texts: [&str; 2]| one.is_sign && texts.contains(&one.said.0.as_str());
    let said = |part: &[Kept]| part.iter().map(|one| one.said.clone()).collect::<Vec<_>>();
    let opened: Vec<usize> = (0..import.len()).filter(|at| is(&import[*at], ["{", "("])).collect();
    let end = import.iter().position(|one| is(one, ["}", ")"]));
    let ([open], Some(end)) = (opened.as_slice(), end) else { return said(import) };
    let Some(inner) = import.get(open + 1..end) else { return said(import) };
    let mut names: Vec<Vec<Said>> = inner.split(|one| is(one, [",", ","])).map(said).collect();
    names.sort();
    let mut all = said(&import[..=*open]);
    all.extend(names.into_iter().flat_map(|name| name.into_iter().chain([(",".to_owned(), 0)])));
    all.extend(said(&import[end..]));
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::source;

    fn same(language: Language, before: &str, after: &str) -> bool {
        let said = |text: &str| meaning(language, &source::tokens(language, text));
        said(before) == said(after)
    }

    #[test]
    fn what_formatters_write_otherwise_says_the_same() {
        let js = Language::JavaScript;
        for (before, after) in [
            ("test('a', x => expect(x))", "test(\"a\", (x) => expect(x));\n"),
            ("it('a', () => { a(); b() })\n", "it('a', () => {\n  a();\n  b();\n});\n"),
            ("if (x) { return }\nb()\n;[1].map(f)\n", "if (x) {\n  return;\n}\nb();\n[1].map(f);\n"),
            ("import { b, a } from 'x'\nimport c from 'a'\n", "import c from 'a';\nimport { a, b } from 'x';\n"),
        ] {
            assert!(same(js, before, after), "{before}");
        }
        let test = "#[test]\nfn a() {}\n";
        assert!(same(
            Language::Rust,
            &format!("use b; use a::{{d, c}};\n{test}"),
            &format!("use a::{{c, d}};\nuse b;\n{test}")
        ));
        assert!(same(
            Language::Python,
            "import b\nfrom a import d, c\nx = 1\n",
            "from a import d, c\nimport b\nx = 1\n"
        ));
    }

    #[test]
    fn what_changes_what_runs_says_something_else() {
        for (before, after) in [
            ("return expect(x)", "return; expect(x)"),
            ("return expect(x)", "return\nexpect(x)"),
            ("if (no) a()\nexpect(x)", "if (no);\na()\nexpect(x)"),
            ("for (;;) a()", "for (;) a()"),
            ("f((x) => x)", "f(() => x)"),
            ("f((x, y) => x)", "f((y, x) => x)"),
            ("import a from 'a'\na()\nimport b from 'b'", "import b from 'b'\na()\nimport a from 'a'"),
            ("import a from 'a'\nimport b from 'b'", "import a from 'b'\nimport b from 'a'"),
        ] {
            assert!(!same(Language::JavaScript, before, after), "{before}");
        }
        assert!(!same(Language::Rust, "fn a() -> u8 { 1 }", "fn a() -> u8 { 1; }"));
        assert!(!same(Language::Rust, "#[cfg(x)]\nuse b;\nuse a;\n", "#[cfg(x)]\nuse a;\nuse b;\n"));
    }
}
