//! Who imports whom among the files of a crate: read from the sources, so that nobody has to keep a list.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use quote::ToTokens as _;

/// A module, as the names on the way to it; the root of the crate has none.
pub(crate) type Module = Vec<String>;

/// Which file's module imports from which others. What stands in tests does not count.
#[derive(Debug, Default)]
pub(crate) struct Imports {
    pub(crate) edges: BTreeMap<Module, BTreeSet<Module>>,
}

/// One file as it was read.
#[derive(Debug, Default)]
struct Source {
    /// Every path that the file names, absolute.
    paths: Vec<Module>,
    /// What the file passes on under a name of its own: `pub use`.
    doors: BTreeMap<String, Module>,
    /// What it passes on with all that is in it.
    open_doors: Vec<Module>,
}

/// Reads all files below the folder of a crate's sources, by their paths there.
fn sources(root: &Path) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                files.insert(name, std::fs::read_to_string(&path).unwrap());
            }
        }
    }
    assert!(!files.is_empty(), "{} has no sources", root.display());
    files
}

/// Returns the files below the folder of a crate's sources without those that only tests declare, and without what stands in
/// them for tests only.
pub(crate) fn production(root: &Path) -> BTreeMap<String, String> {
    let files: BTreeMap<_, _> = sources(root).into_iter().map(|(path, text)| (path, parted(&text))).collect();
    let tests: BTreeSet<Module> = files
        .iter()
        .flat_map(|(path, (_, tests))| {
            let declared = tests.lines().filter_map(|line| line.split_once("mod ")?.1.strip_suffix(';'));
            declared.map(|name| below(&module_of(path), name)).collect::<Vec<_>>()
        })
        .collect();
    let is_test = |path: &str| {
        let module = module_of(path);
        (1..=module.len()).any(|depth| tests.contains(&module[..depth]))
    };
    files.into_iter().filter(|(path, _)| !is_test(path)).map(|(path, (text, _))| (path, text)).collect()
}

/// Parts a file into what is the product's, and the items below `#[cfg(test)]` at the beginning of a line.
pub(crate) fn parted(text: &str) -> (String, String) {
    let (mut kept, mut tests, mut item) = (String::new(), String::new(), String::new());
    for line in text.lines() {
        let to = if line == "#[cfg(test)]" || !item.is_empty() { &mut item } else { &mut kept };
        to.push_str(line);
        to.push('\n');
        // Texts of tests may have lines that look like the end.
        let may_end = line == "}" || (line.ends_with(';') && !line.starts_with(' '));
        if may_end && item.parse::<proc_macro2::TokenStream>().is_ok() {
            tests.push_str(&std::mem::take(&mut item));
        }
    }
    (kept, tests)
}

impl Imports {
    /// Reads all files below the folder of a crate's sources.
    pub(crate) fn read(root: &Path) -> Self {
        Self::of(&sources(root))
    }

    /// Reads files by their paths below the folder of the crate's sources.
    pub(crate) fn of(files: &BTreeMap<String, String>) -> Self {
        let mut sources = BTreeMap::new();
        let mut tests = BTreeSet::new();
        for (path, text) in files {
            let file = syn::parse_file(text).unwrap_or_else(|error| panic!("{path}: {error}"));
            let module = module_of(path);
            let mut source = Source::default();
            read_items(&file.items, &module, &module, &mut source, &mut tests);
            sources.insert(module, source);
        }
        // A file that only tests declare is a test, and so is all that lies below it.
        sources.retain(|module, _| !(1..=module.len()).any(|depth| tests.contains(&module[..depth])));
        let mut imports = Self::default();
        for (module, source) in &sources {
            let to = imports.edges.entry(module.clone()).or_default();
            for path in &source.paths {
                let found = home_of(path, &sources, 0);
                if found != *module && sources.contains_key(&found) {
                    to.insert(found);
                }
            }
        }
        imports
    }

    /// Returns the same between rooms: the modules directly below the root of the crate. For each pair, the files.
    pub(crate) fn rooms(&self) -> BTreeMap<String, BTreeMap<String, BTreeSet<String>>> {
        let mut rooms: BTreeMap<String, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
        for (from, targets) in &self.edges {
            for to in targets {
                if let (Some(room), Some(other)) = (from.first(), to.first())
                    && room != other
                {
                    let files = rooms.entry(room.clone()).or_default().entry(other.clone()).or_default();
                    files.insert(format!("{} imports {}", from.join("::"), to.join("::")));
                }
            }
        }
        rooms
    }
}

/// Finds the circles of a graph: sets of more than one node, each of which can be reached from each.
pub(crate) fn circles<N: Ord + Clone>(edges: &BTreeMap<N, BTreeSet<N>>) -> Vec<Vec<N>> {
    let reached = |from: &N| {
        let mut seen: BTreeSet<N> = BTreeSet::new();
        let mut pending = vec![from.clone()];
        while let Some(node) = pending.pop() {
            for next in edges.get(&node).into_iter().flatten() {
                if seen.insert(next.clone()) {
                    pending.push(next.clone());
                }
            }
        }
        seen
    };
    let all: BTreeMap<&N, BTreeSet<N>> = edges.keys().map(|node| (node, reached(node))).collect();
    let mut found = BTreeSet::new();
    for (node, seen) in &all {
        let circle: Vec<N> =
            seen.iter().filter(|other| all.get(other).is_some_and(|back| back.contains(node))).cloned().collect();
        if circle.len() > 1 {
            found.insert(circle);
        }
    }
    found.into_iter().collect()
}

fn module_of(path: &str) -> Module {
    let mut module: Module = path.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    if matches!(module.last().map(String::as_str), Some("mod")) || matches!(path, "lib.rs" | "main.rs") {
        module.pop();
    }
    module
}

/// Finds the module of the file in which what `path` names stands, through whatever passes it on.
fn home_of(path: &[String], sources: &BTreeMap<Module, Source>, depth: usize) -> Module {
    let known = (0..=path.len()).rev().find(|&length| sources.contains_key(&path[..length])).unwrap_or(0);
    let module = path[..known].to_vec();
    let (Some(name), Some(source)) = (path.get(known), sources.get(&module)) else { return module };
    // Deep enough for every chain that is written by hand.
    if depth < 8 {
        if let Some(target) = source.doors.get(name) {
            let further: Module = target.iter().chain(&path[known + 1..]).cloned().collect();
            return home_of(&further, sources, depth + 1);
        }
        for open in &source.open_doors {
            let further: Module = open.iter().cloned().chain(path[known..].iter().cloned()).collect();
            let found = home_of(&further, sources, depth + 1);
            if sources.get(&found).is_some_and(|source| source.doors.contains_key(name)) || found.len() > open.len() {
                return found;
            }
        }
    }
    module
}

fn read_items(items: &[syn::Item], file: &Module, here: &Module, source: &mut Source, tests: &mut BTreeSet<Module>) {
    for item in items {
        let of_tests = attributes(item).iter().any(is_for_tests);
        match item {
            syn::Item::Mod(module) if module.content.is_none() && of_tests => {
                tests.insert(below(here, &module.ident.to_string()));
            }
            _ if of_tests => {}
            syn::Item::Mod(module) => {
                if let Some((_, items)) = &module.content {
                    read_items(items, file, &below(here, &module.ident.to_string()), source, tests);
                }
            }
            syn::Item::Use(item) => read_use(item, file, here, source),
            other => read_tokens(other.to_token_stream(), file, here, source),
        }
    }
}

fn read_use(item: &syn::ItemUse, file: &Module, here: &Module, source: &mut Source) {
    let public = !matches!(item.vis, syn::Visibility::Inherited);
    let mut found = Vec::new();
    flatten(&item.tree, &mut Vec::new(), &mut found);
    for (path, name) in found {
        let Some(path) = absolute(&path, here, public) else { continue };
        // What a module passes on from below itself is its door, and no import.
        let door = public && path.starts_with(file.as_slice());
        if public && here == file {
            match name {
                Some(name) => drop(source.doors.insert(name, path.clone())),
                None => source.open_doors.push(path.clone()),
            }
        }
        if !door {
            source.paths.push(path);
        }
    }
}

fn flatten(tree: &syn::UseTree, before: &mut Vec<String>, found: &mut Vec<(Module, Option<String>)>) {
    match tree {
        syn::UseTree::Path(path) => {
            before.push(path.ident.to_string());
            flatten(&path.tree, before, found);
            before.pop();
        }
        syn::UseTree::Group(group) => group.items.iter().for_each(|tree| flatten(tree, before, found)),
        syn::UseTree::Glob(_) => found.push((before.clone(), None)),
        syn::UseTree::Name(name) => found.push(named(before, &name.ident.to_string(), None)),
        syn::UseTree::Rename(name) => {
            found.push(named(before, &name.ident.to_string(), Some(name.rename.to_string())));
        }
    }
}

fn named(before: &[String], name: &str, other: Option<String>) -> (Module, Option<String>) {
    let path = if name == "self" { before.to_vec() } else { below(before, name) };
    let own = path.last().cloned();
    (path, other.or(own))
}

/// Returns a path from the root of the crate; `None` for one into another crate.
fn absolute(path: &[String], here: &[String], local: bool) -> Option<Module> {
    let mut at = here.to_vec();
    let rest = match path.first()?.as_str() {
        "crate" => {
            at.clear();
            &path[1..]
        }
        "self" => &path[1..],
        "super" => {
            let up = path.iter().take_while(|name| *name == "super").count();
            at.truncate(here.len().checked_sub(up)?);
            &path[up..]
        }
        // `pub use child::Name`, which is how a door is often written.
        _ if local => path,
        _ => return None,
    };
    at.extend(rest.iter().cloned());
    Some(at)
}

/// Collects paths from what is no import: `crate::room::function()`, in a macro's arguments, too, and `use` in functions.
fn read_tokens(tokens: proc_macro2::TokenStream, file: &Module, here: &Module, source: &mut Source) {
    use proc_macro2::TokenTree;
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut at = 0;
    while at < tokens.len() {
        match &tokens[at] {
            TokenTree::Group(group) => read_tokens(group.stream(), file, here, source),
            TokenTree::Ident(word) if *word == "use" => {
                let end =
                    tokens[at..].iter().position(|token| matches!(token, TokenTree::Punct(p) if p.as_char() == ';'));
                let whole = tokens[at..].iter().take(end.map_or(0, |end| end + 1)).cloned().collect();
                if let Ok(item) = syn::parse2::<syn::ItemUse>(whole) {
                    read_use(&item, file, here, source);
                    at += end.unwrap_or_default();
                }
            }
            TokenTree::Ident(word) if *word == "crate" || *word == "super" => {
                let mut path = vec![word.to_string()];
                while let [TokenTree::Punct(a), TokenTree::Punct(b), TokenTree::Ident(name), ..] = &tokens[at + 1..]
                    && a.as_char() == ':'
                    && b.as_char() == ':'
                {
                    path.push(name.to_string());
                    at += 3;
                }
                // `pub(crate)` names nothing.
                if path.len() > 1 {
                    source.paths.extend(absolute(&path, here, false));
                }
            }
            _ => {}
        }
        at += 1;
    }
}

fn below(module: &[String], name: &str) -> Module {
    module.iter().cloned().chain([name.to_owned()]).collect()
}

fn attributes(item: &syn::Item) -> &[syn::Attribute] {
    match item {
        syn::Item::Const(item) => &item.attrs,
        syn::Item::Enum(item) => &item.attrs,
        syn::Item::Fn(item) => &item.attrs,
        syn::Item::Impl(item) => &item.attrs,
        syn::Item::Mod(item) => &item.attrs,
        syn::Item::Static(item) => &item.attrs,
        syn::Item::Struct(item) => &item.attrs,
        syn::Item::Trait(item) => &item.attrs,
        syn::Item::Type(item) => &item.attrs,
        syn::Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

fn is_for_tests(attribute: &syn::Attribute) -> bool {
    attribute.path().is_ident("cfg")
        && attribute.meta.require_list().is_ok_and(|list| list.tokens.to_string().split_whitespace().eq(["test"]))
}
