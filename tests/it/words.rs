//! Every text of the program that people may read, in one list that is reviewed when it changes, and free of the words that
//! readers stumbled over.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Where the list is.
const LIST: &str = "tests/messages.txt";

/// Words and turns that no message uses, with what to say in their place.
const BANNED: &[(&str, &str)] = &[
    ("gone on with", "resumed, continued"),
    ("called again", "retried"),
    ("be mended", "fix"),
    ("had together", "conflict"),
    ("was told to end", "was asked to stop"),
    ("cannot be had", "cannot be read"),
    ("what there is is", "finished work is kept"),
    ("objects to nothing", "approved"),
    ("broke off before", "was interrupted"),
    ("did not come to its end", "was interrupted"),
];

/// Collects the literals of a file that read like a sentence, in their order. Tests, attributes but `error`, and stated
/// invariants are no messages.
fn collect(tokens: TokenStream, found: &mut Vec<String>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut at = 0;
    while at < tokens.len() {
        // `#[…]`, and `#![…]` for a whole file.
        let inner = matches!(tokens.get(at + 1), Some(TokenTree::Punct(mark)) if mark.as_char() == '!');
        let group = at + 1 + usize::from(inner);
        if let (TokenTree::Punct(hash), Some(TokenTree::Group(attribute))) = (&tokens[at], tokens.get(group))
            && hash.as_char() == '#'
            && attribute.delimiter() == Delimiter::Bracket
        {
            let said = attribute.stream().to_string().replace(' ', "");
            if said.starts_with("error(") {
                collect(attribute.stream(), found);
            }
            at = group + 1;
            if said == "cfg(test)" {
                // What stands in it is no part of the program: skipped with its block or its semicolon.
                while at < tokens.len() {
                    let ends = match &tokens[at] {
                        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
                        TokenTree::Punct(punct) => punct.as_char() == ';',
                        _ => false,
                    };
                    at += 1;
                    if ends {
                        break;
                    }
                }
            }
            continue;
        }
        match &tokens[at] {
            TokenTree::Group(group) => collect(group.stream(), found),
            TokenTree::Literal(literal) => {
                if let Ok(text) = syn::parse_str::<syn::LitStr>(&literal.to_string()) {
                    let text = text.value();
                    if reads_like_a_sentence(&text) && !text.starts_with("invariant: ") {
                        found.push(text);
                    }
                }
            }
            _ => {}
        }
        at += 1;
    }
}

fn reads_like_a_sentence(text: &str) -> bool {
    let words = text.split_whitespace().filter(|word| word.chars().filter(char::is_ascii_lowercase).count() > 1);
    words.count() >= 3
}

/// Returns the files and folders of the modules that a file declares for tests alone.
fn test_modules(path: &Path, text: &str) -> Vec<PathBuf> {
    let stem = path.file_stem().unwrap();
    let own = ["mod", "lib", "main"].iter().any(|name| stem == *name);
    let folder = if own { path.parent().unwrap().to_owned() } else { path.with_extension("") };
    let declared = text.split("#[cfg(test)]").skip(1).filter_map(|behind| {
        let behind = behind.trim_start().trim_start_matches("pub(crate) ").trim_start_matches("pub(super) ");
        behind.strip_prefix("mod ")?.split_once(';').map(|(name, _)| name).filter(|name| !name.contains('{'))
    });
    declared.flat_map(|name| [folder.join(format!("{name}.rs")), folder.join(name)]).collect()
}

fn messages() -> BTreeMap<String, Vec<String>> {
    fn add(folder: &Path, all: &mut BTreeMap<PathBuf, String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                add(&path, all);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                all.insert(path, text);
            }
        }
    }
    let mut sources = BTreeMap::new();
    add(&Path::new(ROOT).join("src"), &mut sources);
    add(&Path::new(ROOT).join("crates/model/src"), &mut sources);
    let of_tests: Vec<PathBuf> = sources.iter().flat_map(|(path, text)| test_modules(path, text)).collect();
    let mut all = BTreeMap::new();
    for (path, text) in sources.iter().filter(|(path, _)| !of_tests.iter().any(|module| path.starts_with(module))) {
        let mut found = Vec::new();
        collect(text.parse().unwrap(), &mut found);
        if !found.is_empty() {
            all.insert(path.strip_prefix(ROOT).unwrap().to_str().unwrap().to_owned(), found);
        }
    }
    all
}

#[test]
fn every_message_is_in_the_list_that_people_review() {
    let mut list = String::from(
        "# Every text of the program that people may read. Written by tests/it/words.rs with UPDATE_DOCS=1.\n",
    );
    for (file, messages) in messages() {
        let _ = write!(list, "\n{file}\n");
        for message in messages {
            let _ = writeln!(list, "  {}", message.escape_debug());
        }
    }
    let path = Path::new(ROOT).join(LIST);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &list).unwrap();
    }
    let reviewed = fs::read_to_string(&path).unwrap_or_default();
    let new: Vec<_> = list.lines().filter(|line| !reviewed.lines().any(|known| known == *line)).take(20).collect();
    assert!(
        list == reviewed,
        "{LIST} has drifted: review it, and run the tests once with UPDATE_DOCS=1. New: {new:#?}"
    );
}

#[test]
fn no_message_uses_a_word_that_readers_stumble_over() {
    let mut found = Vec::new();
    for (file, messages) in messages() {
        for message in messages {
            for (word, better) in BANNED {
                if message.contains(word) {
                    found.push(format!("{file}: {message:?} says `{word}`; say: {better}"));
                }
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn the_reader_of_messages_finds_them_and_leaves_tests_aside() {
    let source = r#"
        //! What stands at the top of a file is no message.
        /// A comment is no message at all.
        #[error("the disk is full: {path}")] struct A;
        fn f() { note(&format!("one two three {x}")); x.expect("invariant: it is always there"); }
        #[cfg(test)] mod tests { const X: &str = "this is only a test"; }
        #[cfg(test)] mod others;
        const Y: &str = "short";
        const Z: &str = "what comes after tests";
    "#;
    let mut found = Vec::new();
    collect(source.parse().unwrap(), &mut found);
    assert_eq!(found, ["the disk is full: {path}", "one two three {x}", "what comes after tests"]);
}
