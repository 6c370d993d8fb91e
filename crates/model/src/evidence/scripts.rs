//! Scripts of a shell and of Perl: told by their names or first lines, and undone without a reader of the language. What a
//! patch added to one is gone, and the functions that are new do nothing, so that whoever calls them can still be loaded.

use std::collections::BTreeSet;

/// The languages of scripts that are undone as whole files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Script {
    /// `sh`, and what understands as much as it does.
    Shell,
    /// Perl, with its modules.
    Perl,
}

/// A function of a script, with the package that it stands in; of a shell with none.
type Named<'a> = (&'a str, &'a str);

impl Script {
    /// Tells by its name, or where that has no ending by its first line, in which language a script is.
    #[must_use]
    pub fn from_file(path: &str, text: &str) -> Option<Self> {
        let name = path.rsplit('/').next().unwrap_or(path);
        let interpreter = match name.rsplit_once('.') {
            Some((_, end)) => end,
            None => interpreter(text)?,
        };
        Some(match interpreter {
            "sh" | "bash" | "zsh" | "ksh" | "dash" | "bats" => Self::Shell,
            "perl" | "pl" | "pm" | "t" => Self::Perl,
            _ => return None,
        })
    }

    /// Returns a file without what a patch did to it, and with its new functions doing nothing. `None` where that is what it
    /// says already.
    #[must_use]
    pub fn undone(self, before: Option<&str>, after: &str) -> Option<String> {
        let old: BTreeSet<Named<'_>> = before.into_iter().flat_map(|text| self.functions(text)).collect();
        let mut seen = BTreeSet::new();
        let new =
            self.functions(after).into_iter().filter(|function| !old.contains(function) && seen.insert(*function));
        let emptied: String = new.map(|function| self.emptied(function)).collect();
        let kept = before.map_or_else(|| beginning(after), str::to_owned);
        let (code, behind) = match self {
            Self::Shell => (kept.as_str(), ""),
            Self::Perl => kept.split_at(end_of_perl(&kept)),
        };
        let mut text = code.to_owned();
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(&emptied);
        if self == Self::Perl && (before.is_none() || !emptied.is_empty()) {
            // A module has to end with something that is true.
            text.push_str("1;\n");
        }
        text.push_str(behind);
        (text.trim_end() != after.trim_end()).then_some(text)
    }

    fn emptied(self, (package, name): Named<'_>) -> String {
        match self {
            Self::Shell => format!("{name}() {{ :; }}\n"),
            Self::Perl if package.is_empty() => format!("sub {name} {{ return }}\n"),
            Self::Perl => format!("package {package};\nsub {name} {{ return }}\n"),
        }
    }

    /// Finds the functions of a script, each at the beginning of a line.
    fn functions(self, text: &str) -> Vec<Named<'_>> {
        let mut package = "";
        let mut found = Vec::new();
        for line in text[..if self == Self::Perl { end_of_perl(text) } else { text.len() }].lines().map(str::trim_start)
        {
            match self {
                Self::Perl => {
                    if let Some(named) = line.strip_prefix("package ") {
                        package = word(named.trim_start(), ":");
                    } else if let Some(named) = line.strip_prefix("sub ") {
                        found.push((package, word(named.trim_start(), "")));
                    }
                }
                Self::Shell => {
                    let (keyword, named) = match line.strip_prefix("function ") {
                        Some(named) => (true, named.trim_start()),
                        None => (false, line),
                    };
                    let name = word(named, "-");
                    if keyword || named[name.len()..].trim_start().starts_with("()") {
                        found.push(("", name));
                    }
                }
            }
        }
        found.retain(|(_, name)| !name.is_empty());
        found
    }
}

/// Tells whether a file is a program in a language that is read in no way: by its ending, or because it has none and is
/// executed or names its interpreter.
#[must_use]
pub fn is_program_of_other_language(path: &str, is_executable: bool, text: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    match name.rsplit_once('.') {
        Some((_, end)) => OTHER_ENDS.contains(&end),
        None => is_executable || text.starts_with("#!"),
    }
}

/// Endings of programs in other languages.
const OTHER_ENDS: [&str; 41] = [
    "lua", "hs", "lhs", "clj", "cljs", "cljc", "edn", "erl", "hrl", "ml", "mli", "nim", "zig", "d", "jl", "r", "R",
    "pas", "f90", "f95", "v", "sv", "vhd", "lisp", "el", "scm", "rkt", "tcl", "awk", "fish", "ps1", "psm1", "vue",
    "svelte", "sql", "m", "mm", "vb", "elm", "cr", "sol",
];

/// Returns the program that the first line of a script names, without its folder and version.
fn interpreter(text: &str) -> Option<&str> {
    let mut words = text.lines().next()?.strip_prefix("#!")?.split_whitespace();
    let program = |word: &'_ str| word.rfind('/').map_or(0, |at| at + 1);
    let first = words.next()?;
    let first = &first[program(first)..];
    let named = if first == "env" { words.find(|word| !word.starts_with('-') && !word.contains('='))? } else { first };
    Some(named[program(named)..].trim_end_matches(|c: char| c.is_ascii_digit() || c == '.'))
}

/// Returns what a new script has to keep so that it is one: the line that names its interpreter.
fn beginning(text: &str) -> String {
    text.lines().next().filter(|line| line.starts_with("#!")).map_or_else(String::new, |line| format!("{line}\n"))
}

/// Returns where the code of a file of Perl ends and its data or documentation begins.
fn end_of_perl(text: &str) -> usize {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if matches!(line.trim_end(), "__END__" | "__DATA__") {
            return at;
        }
        at += line.len();
    }
    text.len()
}

fn word<'a>(text: &'a str, further: &str) -> &'a str {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || further.contains(c)));
    &text[..end.unwrap_or(text.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_are_known_by_their_names_and_first_lines() {
        for (path, text, expected) in [
            ("bin/calc", "#!/bin/sh\n", Some(Script::Shell)),
            ("bin/calc", "#!/usr/bin/env -S bash -e\n", Some(Script::Shell)),
            ("bin/calc", "#!/usr/bin/env perl5.36\n", Some(Script::Perl)),
            ("bin/calc", "#!/usr/bin/python3\n", None),
            ("LICENSE", "MIT\n", None),
            ("lib/Calc.pm", "package Calc;\n", Some(Script::Perl)),
            ("deploy.sh", "", Some(Script::Shell)),
            ("a.py", "#!/bin/sh\n", None),
        ] {
            assert_eq!(Script::from_file(path, text), expected, "{path}: {text}");
        }
    }

    #[test]
    fn what_a_patch_did_is_gone_and_new_functions_do_nothing() {
        let before = "#!/bin/sh\ncase $1 in sub) echo 1 ;; esac\n";
        let after = "#!/bin/sh\nadd() { echo 2; }\ncase $1 in sub) echo 1 ;; add) add ;; esac\n";
        let expected = format!("{before}add() {{ :; }}\n");
        assert_eq!(Script::Shell.undone(Some(before), after).as_deref(), Some(expected.as_str()));
        assert_eq!(Script::Shell.undone(None, "#!/bin/sh\necho 1\n").as_deref(), Some("#!/bin/sh\n"));
        assert_eq!(Script::Shell.undone(Some(before), before), None);

        let before = "package Calc;\nsub one { 1 }\n1;\n__END__\nsub doc\n";
        let after = "package Calc;\nsub one { 1 }\nsub add { return 0 }\n1;\n__END__\nsub doc\n";
        let expected = "package Calc;\nsub one { 1 }\n1;\npackage Calc;\nsub add { return }\n1;\n__END__\nsub doc\n";
        assert_eq!(Script::Perl.undone(Some(before), after).as_deref(), Some(expected));
        let new = Script::Perl.undone(None, "package New;\nsub a { 1 }\nsub b { 2 }\n1;\n").unwrap();
        assert_eq!(new, "package New;\nsub a { return }\npackage New;\nsub b { return }\n1;\n");
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_undone_without_a_panic(text in "(#!/bin/|sh|perl|sub |package |a|é|\\(\\)|\\{|\n|__END__|function ){0,20}") {
            for script in [Script::Shell, Script::Perl] {
                let _ = script.undone(Some("é"), &text);
                let _ = script.undone(None, &text);
            }
            let _ = Script::from_file("a", &text);
        }
    }
}
