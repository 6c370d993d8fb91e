//! What a path or a link target may never be, whatever a scope says.

/// Says why a path is refused in any scope; `None` when it is harmless.
///
/// Harmless means: the same place on every file system that a checkout may land on, inside the work tree and outside
/// git's own folder.
pub(super) fn unsafe_path(path: &str) -> Option<&'static str> {
    if path.is_empty() {
        return Some("the path is empty");
    }
    if path.starts_with('/') {
        return Some("the path is absolute");
    }
    if path.contains('\\') {
        return Some("the path has a backslash, which separates folders on Windows");
    }
    if path.chars().any(char::is_control) {
        return Some("the path has control characters");
    }
    path.split('/').find_map(|name| match name {
        "" => Some("a name in the path is empty"),
        "." | ".." => Some("the path has a `.` or `..`"),
        name if is_git_folder(name) => Some("the path leads into git's own folder"),
        _ => None,
    })
}

/// Says why a symbolic link at `path` may not point to `target`; `None` when it stays within the work tree.
///
/// A `..` is accepted only in front: behind a name, which may itself be a link, it leads somewhere that cannot be told
/// from the text. In front, it leaves folders that are real, because the link's own path goes through them.
pub(super) fn unsafe_link(path: &str, target: Option<&str>) -> Option<&'static str> {
    let Some(target) = target else {
        return Some("the target of the symbolic link is not known");
    };
    if target.is_empty() || target.chars().any(char::is_control) {
        return Some("the target of the symbolic link is empty or has control characters");
    }
    let drive = |target: &str| target.as_bytes().get(1) == Some(&b':') && target.as_bytes()[0].is_ascii_alphabetic();
    if target.starts_with('/') || drive(target) {
        return Some("the symbolic link is absolute");
    }
    if target.contains('\\') {
        return Some("the target of the symbolic link has a backslash, which separates folders on Windows");
    }
    let mut depth = path.split('/').count() - 1;
    let mut named = false;
    for name in target.split('/') {
        match name {
            "" | "." => {}
            ".." if named => return Some("the symbolic link goes up again behind a name"),
            ".." if depth == 0 => return Some("the symbolic link leads out of the repository"),
            ".." => depth -= 1,
            name if is_git_folder(name) => return Some("the symbolic link leads into git's own folder"),
            _ => named = true,
        }
    }
    None
}

/// Tells whether some file system takes `name` for `.git`.
///
/// NTFS ignores dots and spaces at the end, reads what follows a colon as the name of a stream, and keeps `git~1` as
/// the short name; HFS+ leaves out certain code points; all of them ignore case. The lists are those that git itself
/// checks (`is_ntfs_dotgit` and `is_hfs_dotgit`).
fn is_git_folder(name: &str) -> bool {
    let plain: String = name.chars().filter(|c| !is_ignored_by_hfs(*c)).collect();
    let plain = plain.split(':').next().unwrap_or_default().trim_end_matches(['.', ' ']);
    plain.eq_ignore_ascii_case(".git") || plain.eq_ignore_ascii_case("git~1")
}

fn is_ignored_by_hfs(c: char) -> bool {
    matches!(c, '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_mean_other_things_elsewhere_are_refused() {
        for path in [
            "",
            "/etc/passwd",
            "a//b",
            "a/",
            "a/./b",
            "../a",
            "a/..",
            "a\\b",
            "a\nb",
            "a\u{7f}",
            ".git/config",
            "a/.GIT/x",
            "sub/.git",
            "GIT~1/config",
            ".git.",
            ".git . .",
            ".git::$INDEX_ALLOCATION/x",
            ".g\u{200c}it/x",
            "\u{feff}.git",
            ".gi\u{200d}T ",
        ] {
            assert!(unsafe_path(path).is_some(), "{path:?}");
        }
        for path in
            [".gitignore", ".github/workflows/ci.yml", "git", "a/.gitkeep", "a b/c.d", "é/ü", "...", "a..b", "git~2"]
        {
            assert_eq!(unsafe_path(path), None, "{path:?}");
        }
    }

    #[test]
    fn links_stay_within_the_repository() {
        for (path, target) in [
            ("a", ".."),
            ("a/b", "../.."),
            ("a/b", "../../x"),
            ("a", "/etc"),
            ("a", "C:/x"),
            ("a", "..\\x"),
            ("a", ""),
            ("a", "b/../../x"),
            ("a/b", "c/.."),
            ("a", ".git"),
            ("a/b", "../.git/hooks"),
            ("a", "x/.GIT"),
            ("a", "x\0y"),
        ] {
            assert!(unsafe_link(path, Some(target)).is_some(), "{path:?} -> {target:?}");
        }
        for (path, target) in
            [("a", "b"), ("a/b", "../c"), ("a/b/c", "../../d/e"), ("a", "./b/c"), ("a", "b/"), ("a/b", "..")]
        {
            assert_eq!(unsafe_link(path, Some(target)), None, "{path:?} -> {target:?}");
        }
        assert!(unsafe_link("a", None).is_some());
    }
}
