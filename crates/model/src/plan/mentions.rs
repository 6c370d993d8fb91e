//! What a line of text mentions: paths, other items, marks of a dialect.

mod referred;

pub(super) use self::referred::changed;

/// Endings by which a name without a slash is known for a file.
const FILE_ENDINGS: [&str; 52] = [
    "avsc",
    "bicep",
    "c",
    "cfg",
    "conf",
    "cpp",
    "cs",
    "css",
    "env",
    "ex",
    "exs",
    "go",
    "gradle",
    "graphql",
    "h",
    "html",
    "ini",
    "java",
    "js",
    "json",
    "jsx",
    "kt",
    "lock",
    "lua",
    "md",
    "mjs",
    "php",
    "pl",
    "prisma",
    "proto",
    "ps1",
    "py",
    "pyi",
    "rb",
    "rs",
    "scala",
    "sh",
    "snap",
    "sql",
    "svelte",
    "swift",
    "tf",
    "toml",
    "ts",
    "tsx",
    "txt",
    "vue",
    "xml",
    "yaml",
    "yml",
    "zig",
    "dockerfile",
];

/// Files that have no ending.
const BARE_FILES: [&str; 17] = [
    "Dockerfile",
    "Makefile",
    "Procfile",
    "Justfile",
    "Gemfile",
    "Rakefile",
    "Jenkinsfile",
    "go.mod",
    "go.sum",
    ".env",
    ".env.example",
    ".env.sample",
    ".dockerignore",
    ".gitignore",
    ".gitattributes",
    ".editorconfig",
    ".npmrc",
];

/// Finds the paths of the repository that a text mentions, in the order of the text, each once.
///
/// In code spans any path counts; outside of them only what has a slash and ends like a file, since "and/or" is none.
pub(super) fn paths(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut in_code = false;
    for part in text.split('`') {
        // What a command is called with need not be a file of the repository: `approve --file ids.txt`.
        let is_call = in_code && part.trim().contains(char::is_whitespace);
        for word in words_of(part) {
            let is_known = |path: &String| !found.contains(path) && (!is_call || path.contains('/'));
            if let Some(path) = path_in(word, in_code).filter(is_known) {
                // The text of a link, which stands before its address, says less than that.
                if let Some((_, name)) = path.strip_prefix("**/").and_then(|path| path.rsplit_once('/')) {
                    found.retain(|known| known != name);
                }
                found.push(path);
            }
        }
        in_code = !in_code;
    }
    found
}

/// Divides a text into the words that may be paths. A link ends in its address; what follows behind an arrow is a path of
/// its own.
fn words_of(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '"' | '\'' | '|' | '，' | '、' | '；'))
        .flat_map(|word| word.split("->"))
        .flat_map(|word| word.split('→'))
        .flat_map(|word| word.split("]("))
}

/// Finds the paths that Markdown outside of its code blocks, in which anything may stand, is about.
pub(super) fn changed_outside_code(text: &str) -> Vec<String> {
    let mut fence: Option<&str> = None;
    let mut prose = String::with_capacity(text.len());
    for line in text.lines() {
        let mark = ["```", "~~~"].into_iter().find(|mark| line.trim_start().starts_with(mark));
        match (fence, mark) {
            (None, Some(mark)) => fence = Some(mark),
            (Some(open), Some(mark)) if open == mark => fence = None,
            (None, None) => {
                prose.push_str(line);
                prose.push('\n');
            }
            (Some(_), _) => {}
        }
    }
    changed(&prose)
}

/// Folders that stand at the root of a repository, or whose names tell whose the files in them are.
const KNOWN_FOLDERS: &str = "src|lib|app|apps|api|cli|cmd|bin|internal|pkg|packages|crates|services|models|types|schemas|schema|test|tests|spec|\
     __tests__|e2e|integration|unit|infra|infrastructure|terraform|deploy|deployment|deployments|k8s|helm|charts|docker|migrations|\
     db|scripts|docs|.github|workflows|server|backend|frontend|web";

/// Reads the address of a file on somebody's machine as a path that may lie anywhere in the repository, since the address
/// does not say where that begins: the name, and the folders above it as far as they are usual ones.
fn on_a_machine(word: &str) -> Option<String> {
    let address = word
        .strip_prefix("file://")
        .map(|rest| rest.trim_start_matches("localhost"))
        .or_else(|| ["/home/", "/Users/"].iter().any(|home| word.starts_with(home)).then_some(word))?;
    let mut parts = address.split('/').rev().filter(|part| !part.is_empty());
    let name = parts.next().filter(|name| has_ending(name) || BARE_FILES.contains(name))?;
    let folders: Vec<&str> =
        parts.take_while(|part| KNOWN_FOLDERS.split('|').any(|known| known.trim() == *part)).collect();
    let folders: String = folders.iter().rev().map(|folder| format!("{folder}/")).collect();
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '/');
    let path = format!("**/{folders}{name}");
    (name.chars().all(is_plain) && path.len() <= 200).then(|| if folders.is_empty() { name.to_owned() } else { path })
}

/// Reads one word as a path.
fn path_in(word: &str, in_code: bool) -> Option<String> {
    let opening = |c: char| matches!(c, '(' | '[' | '{' | '<' | '*' | '_' | '（' | '「' | '【');
    let closing = |c: char| {
        matches!(c, ')' | '}' | '>' | '.' | ':' | '!' | '?' | '。' | '）' | '」' | '】')
            || (c == ']' && !word.contains('['))
    };
    // A tag of XML is no folder, and a document in brackets is there to be read.
    let is_link = !in_code && word.starts_with('(') && word.trim_end_matches(closing).ends_with(".md");
    if is_link || (word.starts_with('<') && word.ends_with("/>")) {
        return None;
    }
    // Underscores at both ends are emphasis; one at the beginning is a part of the name.
    let is_emphasis = !in_code && word.trim_end_matches(closing).ends_with('_');
    let opening = |c: char| opening(c) && (c != '_' || is_emphasis);
    let word = if word.starts_with("**/") || word.starts_with("*.") { word } else { word.trim_start_matches(opening) };
    let mut word = word.trim_end_matches(closing);
    if !word.ends_with("/**") && !word.ends_with("/*") {
        word = word.trim_end_matches(['*', '_']).trim_end_matches(closing);
    }
    let word = word.strip_prefix("./").unwrap_or(word);
    let word = cut_place(word);
    if let Some(path) = on_a_machine(word) {
        return Some(path);
    }
    let is_path = word.len() <= 200
        && !word.starts_with(['/', '~', '@', '-', '$', '#', '\\'])
        && !word.contains("..")
        && !word.contains("//")
        && word.bytes().any(|b| b.is_ascii_alphanumeric())
        && word.chars().all(|c| {
            c.is_alphanumeric() || matches!(c, '/' | '.' | '_' | '-' | '*' | '[' | ']' | '{' | '}' | '+' | '@')
        });
    if !is_path || word.is_empty() {
        return None;
    }
    let (folder, name) = word.rsplit_once('/').unwrap_or(("", word));
    let first = folder.split('/').next().expect("invariant: a text that is split has a first part");
    let is_host = [".com", ".org", ".io", ".dev", ".net"].iter().any(|end| first.ends_with(end));
    if is_host || (word.contains('{') != word.contains('}')) {
        return None;
    }
    let ends_like_file = has_ending(name);
    let is_taken = match (word.contains('/'), in_code) {
        (true, true) => ends_like_file || BARE_FILES.contains(&name) || word.ends_with('/') || name.contains('*'),
        (true, false) => ends_like_file || BARE_FILES.contains(&name) || (word.ends_with('/') && folder.contains('/')),
        (false, true) => is_known_file(name) || BARE_FILES.contains(&name),
        (false, false) => is_known_file(name) && name.ends_with(['d', 'l', 'n', 'f']) && !name.starts_with('.'),
    };
    // Brackets in a name are parts of it ("app/[id]/page.tsx"), and for a glob they would be a choice.
    is_taken.then(|| literal(word))
}

fn has_ending(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(stem, ending)| {
        (!stem.is_empty() || BARE_FILES.contains(&name))
            && (1..=10).contains(&ending.len())
            && ending.bytes().all(|b| b.is_ascii_alphanumeric())
            && ending.bytes().any(|b| b.is_ascii_alphabetic())
    })
}

fn is_known_file(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(stem, ending)| {
        !stem.is_empty() && FILE_ENDINGS.contains(&ending) && !(ending == "js" && stem.starts_with(char::is_uppercase))
    })
}

/// Takes a place inside a file off its path: `:40-60`, `#L12`, `::test_name`.
fn cut_place(word: &str) -> &str {
    // The colon of an address begins no place.
    let cut = word.find("::").or_else(|| word.find('#')).or_else(|| {
        word.match_indices(':')
            .map(|(at, _)| at)
            .find(|at| word[at + 1..].starts_with(|c: char| c.is_ascii_digit() || c == 'L' || c == '(' || c == '`'))
    });
    cut.map_or(word, |at| &word[..at])
}

/// Turns a path into a glob that matches it.
fn literal(path: &str) -> String {
    let mut glob = String::with_capacity(path.len());
    let mut in_brackets = false;
    for c in path.chars() {
        match c {
            '[' => {
                in_brackets = true;
                if !glob.ends_with('*') {
                    glob.push('*');
                }
            }
            ']' => in_brackets = false,
            _ if in_brackets => {}
            c => glob.push(c),
        }
    }
    glob
}

/// Tells whether a word is the number of an item (`3`, `1.2`) or an id of letters and a number (`T003`, `DT-1`, `US1`).
pub(super) fn is_reference(word: &str) -> bool {
    let letters = word.len() - word.trim_start_matches(|c: char| c.is_ascii_alphabetic()).len();
    let number = word[letters..].trim_start_matches(['-', '_']);
    letters <= 6
        && !number.is_empty()
        && number.len() <= 8
        && (letters == 0 || word.starts_with(|c: char| c.is_ascii_uppercase()))
        && number.split('.').all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_found_and_what_only_looks_like_one_is_not() {
        for (text, expected) in [
            ("Add the table to infra/tables/template.yaml", "infra/tables/template.yaml"),
            ("**Modify:** `src/hooks/sender.py:40-60`", "src/hooks/sender.py"),
            (
                "in `tests/hooks/test_signer.py::test_signs`, src/a.rs#L12 (see docs/b.md).",
                "tests/hooks/test_signer.py src/a.rs docs/b.md",
            ),
            ("POST /searches and/or GET /users/{id}", ""),
            ("`POST /reset/:token`, `Transfer.undone_at`, v1.2/v1.3", ""),
            ("`pytest.ini`, `package.json` and Node.js", "pytest.ini package.json"),
            ("https://example.com/a/b.html and github.com/x/y.git", ""),
            ("`src/app/[id]/page.tsx`", "src/app/*/page.tsx"),
            ("`src/api/` and `src/**/*.rs`", "src/api/ src/**/*.rs"),
            ("在 src/服务/导出.py 中实现", "src/服务/导出.py"),
            ("../up/a.py ~/b.py /etc/c.conf", ""),
            ("[link](docs/x.md)", "docs/x.md"),
            ("[values.yaml](file:///home/me/billing/deploy/values.yaml)", "**/deploy/values.yaml"),
            ("MODIFY values.yaml (file:///home/me/billing/deploy/values.yaml)", "**/deploy/values.yaml"),
            ("[routes.py](file:///home/me/billing/src/api/routes.py#L3)", "**/src/api/routes.py"),
            (
                "[queue.py](file:///home/me/src/billing/queue.py) and `/Users/me/x/tests/test_a.py`",
                "queue.py **/tests/test_a.py",
            ),
            ("Statistics, built on Feature 20 (20-feed.md)", ""),
            ("write _includes/a.html and _src/b.py_", "_includes/a.html src/b.py"),
            ("`__init__.py`, `.env.example` and `<dependency/>`", "__init__.py .env.example"),
        ] {
            assert_eq!(paths(text).join(" "), expected, "{text}");
        }
    }
}
