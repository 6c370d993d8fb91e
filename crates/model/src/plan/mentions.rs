//! What a line of text mentions: paths, other items, marks of a dialect.

use std::ops::Range;

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
        let words =
            part.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '"' | '\'' | '|' | '，' | '、' | '；'));
        for word in words {
            // A link ends in its address; what follows behind an arrow is a path of its own.
            for word in word.split("->").flat_map(|word| word.split('→')).flat_map(|word| word.split("](")) {
                let is_known = |path: &String| !found.contains(path) && (!is_call || path.contains('/'));
                if let Some(path) = path(word, in_code).filter(is_known) {
                    found.push(path);
                }
            }
        }
        in_code = !in_code;
    }
    found
}

/// Finds the paths that Markdown mentions outside of its code blocks, in which anything may stand.
pub(super) fn paths_outside_code(text: &str) -> Vec<String> {
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
    paths(&prose)
}

/// Reads one word as a path.
fn path(word: &str, in_code: bool) -> Option<String> {
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

/// Words behind which a text names what it waits for; behind the later ones a bare number is a quantity.
const WAITS: [(&str, bool); 10] = [
    ("depends on", true),
    ("depend on", true),
    ("dependent on", true),
    ("blocked by", true),
    ("dependencies:", true),
    ("dependency:", true),
    ("depends:", true),
    ("requires", false),
    ("needs", false),
    ("after", false),
];

/// Finds the items or tasks that a text says it depends on, as it names them: `T003`, `1.2`, `Task 1`.
pub(super) fn needs(text: &str) -> Vec<(Range<usize>, String)> {
    let lower = text.to_ascii_lowercase();
    let mut found: Vec<(Range<usize>, String)> = Vec::new();
    for (words, takes_numbers) in WAITS {
        for (at, _) in lower.match_indices(words) {
            if lower[..at].ends_with(char::is_alphanumeric) {
                continue;
            }
            for (range, name) in references(text, at + words.len(), takes_numbers) {
                if !found.iter().any(|(_, known)| *known == name) {
                    found.push((range, name));
                }
            }
        }
    }
    found.sort_by_key(|(range, _)| range.start);
    found
}

/// Reads a list of references: `T003, T004 and T005`, `Task 1`, `1.2`.
pub(super) fn references(text: &str, from: usize, takes_numbers: bool) -> Vec<(Range<usize>, String)> {
    let mut found = Vec::new();
    let mut at = from;
    let mut is_called = false;
    loop {
        let skipped =
            |c: char| c.is_whitespace() || matches!(c, ',' | ':' | '*' | '`' | '#' | '(' | '[' | ']' | '&' | '+');
        at += text[at..].len() - text[at..].trim_start_matches(skipped).len();
        let rest = &text[at..];
        let filler = ["and ", "tasks ", "task ", "steps ", "step ", "phase ", "story ", "user ", "the "];
        let filler = filler.iter().find(|word| rest.get(..word.len()).is_some_and(|s| s.eq_ignore_ascii_case(word)));
        if let Some(word) = filler {
            is_called |= word.starts_with(['t', 's', 'p']) && *word != "the ";
            at += word.len();
            continue;
        }
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-'))).unwrap_or(rest.len());
        let word = rest[..end].trim_end_matches(['.', '-']);
        let is_number = word.starts_with(|c: char| c.is_ascii_digit());
        if !is_reference(word) || (is_number && !takes_numbers && !is_called) {
            return found;
        }
        found.push((at..at + word.len(), word.to_owned()));
        at += end;
    }
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
            ("Statistics, built on Feature 20 (20-feed.md)", ""),
            ("write _includes/a.html and _src/b.py_", "_includes/a.html src/b.py"),
            ("`__init__.py`, `.env.example` and `<dependency/>`", "__init__.py .env.example"),
        ] {
            assert_eq!(paths(text).join(" "), expected, "{text}");
        }
    }

    #[test]
    fn what_an_item_waits_for_is_found() {
        for (text, expected) in [
            ("Implement it (depends on T003)", "T003"),
            ("(depends on T003, T004 and T005)", "T003 T004 T005"),
            ("Depends on: Task 1", "1"),
            ("depends on 1.2 and 1.3, then more", "1.2 1.3"),
            ("after Task 2", "2"),
            ("retries after 2 seconds and needs 3 replicas", ""),
            ("blocked by #12", "12"),
            ("requires authentication, needs love", ""),
            ("409 after an hour", ""),
        ] {
            let names: Vec<_> = needs(text).into_iter().map(|(_, name)| name).collect();
            assert_eq!(names.join(" "), expected, "{text}");
        }
    }
}
