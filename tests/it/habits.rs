//! Habits of the code that a test keeps: files that can be read at one sitting, state in parts, errors with a type, names
//! that say what something is.

use std::{collections::BTreeMap, path::Path};

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::{Attribute, Fields, ImplItem, Item};

use crate::support::imports::{parted, production};

/// The most lines of production code that a file may have.
const LINES_MAX: usize = 400;

/// The most fields of a struct that holds state of a run.
const FIELDS_MAX: usize = 12;

/// Where the structs are that hold state of a run.
const STATE: [&str; 4] = ["src/coordinator/", "src/journal/", "src/workspace/", "crates/model/src/run/"];

/// What the rules do not hold for, each with its reason.
const EXCEPTIONS: &[(&str, &str)] = &[];

fn is_excepted(what: &str) -> bool {
    EXCEPTIONS.iter().any(|(name, _)| *name == what)
}

/// Returns the production code of all crates, by paths in the repository.
fn everything() -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = BTreeMap::new();
    for folder in ["src", "crates/bench/src", "crates/model/src"] {
        let here = production(&root.join(folder)).into_iter();
        files.extend(here.map(|(path, text)| (format!("{folder}/{path}"), text)));
    }
    files
}

#[test]
fn no_file_is_longer_than_one_sitting() {
    let long: Vec<_> = everything()
        .into_iter()
        .map(|(path, text)| (text.lines().count(), path))
        .filter(|(lines, path)| *lines > LINES_MAX && !is_excepted(path))
        .collect();
    assert_eq!(long, [], "split them by what they hold");
}

/// Finds the structs of a file with more fields than state may have.
fn too_many_fields(text: &str) -> Vec<(String, usize)> {
    let mut found = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let name = line.split_once("struct ").filter(|(before, _)| !before.contains("//") && line.ends_with('{'));
        let Some((_, name)) = name else { continue };
        let body = lines.by_ref().take_while(|line| *line != "}");
        let fields = body.filter(|line| {
            let field = line.trim_start();
            line.starts_with("    ")
                && !line.starts_with("     ")
                && !field.starts_with(['/', '#'])
                && field.contains(": ")
        });
        let fields = fields.count();
        if fields > FIELDS_MAX {
            found.push((name.split(|c: char| !c.is_alphanumeric()).next().unwrap().to_owned(), fields));
        }
    }
    found
}

#[test]
fn no_struct_holds_all_state_of_a_run() {
    let mut found = Vec::new();
    for (path, text) in everything() {
        if STATE.iter().any(|folder| path.starts_with(folder)) {
            let here = too_many_fields(&text).into_iter().filter(|(name, _)| !is_excepted(name));
            found.extend(here.map(|one| (path.clone(), one)));
        }
    }
    assert_eq!(found, [], "part them by meaning");
}

/// Looks for something in every file, and names the file with what was found.
fn everywhere(find: impl Fn(&str, &mut Vec<String>)) -> Vec<String> {
    let mut found = Vec::new();
    for (path, text) in everything() {
        let mut here = Vec::new();
        find(&text, &mut here);
        found.extend(here.into_iter().map(|what| format!("{path}: {what}")));
    }
    found
}

/// What a result's error is not: words have neither a kind nor a cause.
const WORDS: [&str; 3] = ["String", "str", "Cow"];

/// Finds results whose error is a text, also inside of tuples and boxes.
fn errors_without_a_type(tokens: TokenStream, found: &mut Vec<String>) {
    let tokens: Vec<_> = tokens.into_iter().collect();
    let is = |at: usize, sign: char| matches!(tokens.get(at), Some(TokenTree::Punct(found)) if found.as_char() == sign);
    for (at, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Group(group) => errors_without_a_type(group.stream(), found),
            TokenTree::Ident(name) if name == "Result" && is(at + 1, '<') => {
                let (mut depth, mut comma, mut end) = (1, None, at + 2);
                while depth > 0 && end < tokens.len() {
                    match &tokens[end] {
                        // The arrow of a function's type closes nothing.
                        TokenTree::Punct(sign) if sign.as_char() == '>' && !is(end - 1, '-') => depth -= 1,
                        TokenTree::Punct(sign) if sign.as_char() == '<' => depth += 1,
                        TokenTree::Punct(sign) if sign.as_char() == ',' && depth == 1 => comma = comma.or(Some(end)),
                        _ => {}
                    }
                    end += 1;
                }
                let error: TokenStream =
                    comma.into_iter().flat_map(|comma| tokens[comma + 1..end - 1].to_vec()).collect();
                if has_words(error) {
                    found.push(tokens[at..end].iter().cloned().collect::<TokenStream>().to_string());
                }
            }
            _ => {}
        }
    }
}

fn has_words(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(name) => WORDS.iter().any(|word| name == word),
        TokenTree::Group(group) => has_words(group.stream()),
        _ => false,
    })
}

#[test]
fn every_error_has_a_type() {
    let found = everywhere(|text, here| errors_without_a_type(text.parse().unwrap(), here));
    assert_eq!(found, [""; 0], "give the error a type that keeps its kind and its cause");
}

/// Finds errors whose words hold those of their cause: whoever tells the causes of an error would tell them twice.
fn causes_told_twice(items: &[Item], found: &mut Vec<String>) {
    for item in items {
        match item {
            Item::Enum(item) => {
                let variants = item.variants.iter().filter(|variant| tells_its_cause(&variant.attrs, &variant.fields));
                found.extend(variants.map(|variant| format!("{}::{}", item.ident, variant.ident)));
            }
            Item::Struct(item) if tells_its_cause(&item.attrs, &item.fields) => found.push(item.ident.to_string()),
            Item::Mod(item) => {
                if let Some((_, items)) = &item.content {
                    causes_told_twice(items, found);
                }
            }
            _ => {}
        }
    }
}

fn tells_its_cause(attributes: &[Attribute], fields: &Fields) -> bool {
    let Some(words) = attributes.iter().find(|attribute| attribute.path().is_ident("error")) else { return false };
    let words = words.to_token_stream().to_string();
    fields.iter().enumerate().any(|(number, field)| {
        let marked = |name| field.attrs.iter().any(|attribute| attribute.path().is_ident(name));
        let name = field.ident.as_ref().map_or_else(|| number.to_string(), ToString::to_string);
        let is_cause = name == "source" || marked("source") || marked("from");
        let told = [format!("{{{name}}}"), format!("{{{name}:"), format!(", {name})"), format!(", . {name})")];
        is_cause && told.iter().any(|told| words.contains(told.as_str()))
    })
}

#[test]
fn no_error_tells_its_cause_in_its_own_words() {
    let found = everywhere(|text, here| causes_told_twice(&syn::parse_file(text).unwrap().items, here));
    assert_eq!(found, [""; 0], "whoever tells an error tells its causes, too: leave the cause out of the words");
}

/// Finds functions that make something of what they are given and are called `of`, which does not say how.
fn makers_called_of(items: &[Item], found: &mut Vec<String>) {
    for item in items {
        match item {
            Item::Fn(function) if function.sig.ident == "of" => found.push("of".to_owned()),
            Item::Impl(item) => {
                let is_maker = |inner: &&ImplItem| matches!(inner, ImplItem::Fn(one) if one.sig.ident == "of" && one.sig.receiver().is_none());
                let owner = item.self_ty.to_token_stream();
                found.extend(item.items.iter().filter(is_maker).map(|_| format!("{owner}::of")));
            }
            _ => {}
        }
    }
}

#[test]
fn constructors_say_how_they_make_something() {
    let found = everywhere(|text, here| makers_called_of(&syn::parse_file(text).unwrap().items, here));
    assert_eq!(found, [""; 0], "call it `new`, `from_…` or `parse`");
}

/// Finds types whose whole name is a word that does not say what they read.
fn bare_readers(items: &[Item]) -> bool {
    items.iter().any(|item| match item {
        Item::Struct(item) => item.ident == "Reader",
        Item::Enum(item) => item.ident == "Reader",
        Item::Trait(item) => item.ident == "Reader",
        _ => false,
    })
}

#[test]
fn readers_say_what_they_read() {
    let is_bare = |text: &String| bare_readers(&syn::parse_file(text).unwrap().items);
    let found: Vec<_> = everything().into_iter().filter(|(_, text)| is_bare(text)).map(|(path, _)| path).collect();
    assert_eq!(found, [""; 0], "name it after what it reads");
}

#[test]
fn untyped_errors_and_causes_told_twice_are_seen() {
    let untyped = |text: &str| {
        let mut found = Vec::new();
        errors_without_a_type(text.parse().unwrap(), &mut found);
        found.len()
    };
    for broken in [
        "fn f() -> Result<u8, String> {}",
        "fn f() -> Result<\n    Vec<u8>,\n    &'static str,\n> {}",
        "type Found<T> = std::result::Result<T, String>;",
        "fn f() -> Result<Result<(), String>, Typed> {}",
        "fn f() -> Result<&str, (usize, String)> {}",
        "struct S { patch: Result<P, Box<str>> }",
        "mod inner { impl T { fn f(g: impl Fn(u8) -> u8) -> Result<u8, Cow<'static, str>> {} } }",
        "fn f() { let g = || -> Result<u8, String> { Ok(1) }; }",
    ] {
        assert_eq!(untyped(broken), 1, "{broken}");
    }
    for sound in
        ["fn f() -> Result<String, Typed> {}", "fn f() -> Result<String> {}", "// Result<u8, String>\nfn f() {}"]
    {
        assert_eq!(untyped(sound), 0, "{sound}");
    }

    let twice = |text: &str| {
        let mut found = Vec::new();
        causes_told_twice(&syn::parse_file(text).unwrap().items, &mut found);
        found
    };
    assert_eq!(
        twice(
            r#"
            enum E {
                #[error("cannot read {path}: {source}")]
                Named { path: String, source: io::Error },
                #[error("cannot: {0}")]
                Marked(#[from] io::Error),
                #[error("cannot: {source:#}")]
                Long { source: Box<gix::Error> },
                #[error("cannot read {path}")]
                Sound { path: String, source: io::Error },
                #[error(transparent)]
                Whole(#[from] io::Error),
                #[error("{0} is {1}")]
                Words(String, u8),
            }
            #[error("cannot ({})", source.kind())]
            struct Kind { source: io::Error }
            #[error("cannot ({cause})")]
            struct Struct { #[source] cause: io::Error }
            "#
        ),
        ["E::Named", "E::Marked", "E::Long", "Struct"]
    );

    let makers = |text: &str| {
        let mut found = Vec::new();
        makers_called_of(&syn::parse_file(text).unwrap().items, &mut found);
        found
    };
    assert_eq!(makers("impl S { fn of(text: &str) -> Self {} fn new() {} }"), ["S::of"]);
    assert_eq!(makers("pub(crate) fn of(text: &str) -> S {}"), ["of"]);
    assert_eq!(makers("impl S { fn of(&self, task: Task) -> u8 {} }"), [""; 0]);
    assert!(bare_readers(&syn::parse_file("struct Reader<'a>(&'a str);").unwrap().items));
    assert!(!bare_readers(&syn::parse_file("use quick_xml::Reader; struct HtmlReader;").unwrap().items));
}

#[test]
fn the_habits_are_seen_where_they_are_broken() {
    let fields: String =
        (0..=FIELDS_MAX).map(|at| format!("    /// A field: it has a number.\n    f{at}: u8,\n")).collect();
    assert_eq!(too_many_fields(&format!("struct S<T> {{\n{fields}}}\n")), [("S".to_owned(), FIELDS_MAX + 1)]);
    assert_eq!(too_many_fields("struct S {\n    one: u8,\n}\n"), []);
    let text =
        "use a;\n#[cfg(test)]\nuse b;\nfn f() {\n    x;\n}\n#[cfg(test)]\nmod tests {\n    fn y() {}\n}\nfn g() {}\n";
    assert_eq!(parted(text).0, "use a;\nfn f() {\n    x;\n}\nfn g() {}\n");
}
