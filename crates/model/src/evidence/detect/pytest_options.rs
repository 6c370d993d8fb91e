//! Options of pytest that leave tests out.

/// Tells whether options of pytest name a module of a package as a plugin: installed ones are found by a plain name.
pub(super) fn loads_a_module(line: &str) -> bool {
    let words: Vec<&str> = line.split(|c: char| c.is_whitespace() || "\"',=[]".contains(c)).collect();
    let module = |word: &str| word.contains('.') && !word.starts_with("no:");
    words.windows(2).any(|pair| pair[0] == "-p" && module(pair[1]))
}

/// Tells whether options of pytest let it collect tests, or tell about itself, and run none.
pub(super) fn runs_nothing(line: &str) -> bool {
    const NOTHING: [&str; 14] = [
        "--co",
        "--collect-only",
        "--collectonly",
        "--setup-only",
        "--setuponly",
        "--setup-plan",
        "--setupplan",
        "--fixtures",
        "--markers",
        "--version",
        "-VV",
        "-V",
        "--help",
        "-h",
    ];
    line.split(|c: char| c.is_whitespace() || "\"',=[]".contains(c)).any(|word| NOTHING.contains(&word))
}

/// Finds a folder that pytest was told to look into and is not any more, with the line of the setting.
pub(super) fn folder_left_out(before: &str, after: &str) -> Option<(u32, String)> {
    let folders = |text: &str| {
        let (at, line) = text.lines().enumerate().find(|(_, line)| line.trim_start().starts_with("testpaths"))?;
        let value = line.split_once('=')?.1;
        let words = value.split(|c: char| c.is_whitespace() || "[]\"',".contains(c));
        let words: Vec<String> = words.filter(|word| !word.is_empty()).map(str::to_owned).collect();
        Some((u32::try_from(at + 1).unwrap_or(u32::MAX), words))
    };
    let (_, was) = folders(before)?;
    let (number, is) = folders(after)?;
    let looked_into = |folder: &String| is.iter().any(|other| other == "." || folder.starts_with(other.as_str()));
    was.into_iter().find(|folder| !is.is_empty() && !looked_into(folder)).map(|gone| (number, gone))
}
