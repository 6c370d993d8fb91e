//! The documents say what is: every path that they name exists, every command of the help is in the README, no test
//! file is forgotten.

use std::{fmt::Write as _, fs, path::Path};

use implementer_model::{config::Config, roster};

use crate::support::Bench;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(ROOT).join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn documents() -> Vec<String> {
    let mut documents: Vec<_> =
        ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md"].map(str::to_owned).into();
    for entry in fs::read_dir(Path::new(ROOT).join("docs")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name.ends_with(".md") {
            documents.push(format!("docs/{name}"));
        }
    }
    documents
}

#[test]
fn every_link_in_the_documents_leads_somewhere() {
    for document in documents() {
        let text = read(&document);
        let folder = Path::new(ROOT).join(&document).parent().unwrap().to_owned();
        for target in text.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next()) {
            if target.is_empty() || target.contains("://") {
                continue;
            }
            assert!(folder.join(target).exists(), "{document} links to {target}");
        }
    }
}

#[test]
fn every_source_path_that_the_architecture_names_exists() {
    let text = read("ARCHITECTURE.md");
    let mut named = 0;
    for path in text
        .split('`')
        .filter(|word| word.starts_with("src/") || word.starts_with("crates/") || word.starts_with("tests/"))
    {
        assert!(Path::new(ROOT).join(path).exists(), "ARCHITECTURE.md names {path}");
        named += 1;
    }
    assert!(named > 10, "only {named} paths found: is the test still looking at the right thing?");
}

#[test]
fn every_room_is_in_the_architecture() {
    let text = read("ARCHITECTURE.md");
    for folder in ["src", "crates/model/src"] {
        for entry in fs::read_dir(Path::new(ROOT).join(folder)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            // A folder beside a file of its name is the same room.
            let stem = name.trim_end_matches(".rs");
            let names = [format!("`{folder}/{stem}"), format!("`{stem}.rs`")];
            let is_root = ["lib.rs", "main.rs"].contains(&name.as_str());
            assert!(is_root || names.iter().any(|name| text.contains(name)), "ARCHITECTURE.md has no {folder}/{name}");
        }
    }
}

/// The help of the program and of each of its commands, as docs/commands.md has it. Commands of the fan-out are hidden in
/// `--help`, and documented here.
fn commands_page(bench: &Bench) -> String {
    let whole = bench.call(["--help"]).expect(0).stdout;
    let listed = whole.split("Commands:").nth(1).unwrap().split("Options:").next().unwrap();
    let listed: Vec<String> = listed
        .lines()
        .filter_map(|line| line.strip_prefix("  ").filter(|line| !line.starts_with(' ')))
        .filter_map(|line| line.split_whitespace().next().map(str::to_owned))
        .collect();
    assert!(listed.len() >= 15, "{whole}");
    let hidden = ["prepare", "work", "collect", "settle", "gate", "summarize"].map(str::to_owned);
    let mut page = String::from(
        "# Commands\n\nThis page is generated from the program's own help.\n\n| exit code | means |\n|---|---|\n| 0 | complete |\n\
         | 1 | ran, but the implementation is not complete; or `verify` found something |\n\
         | 2 | bad input: plan, configuration, arguments |\n\
         | 3 | the outside failed: GitHub, git, the disk, a missing agent program |\n| 130 | cancelled |\n",
    );
    page.push_str(&format!("\n```text\n{}\n```\n", whole.trim_end()));
    for (number, name) in listed.iter().chain(&hidden).enumerate() {
        if number == listed.len() {
            page.push_str(
                "\n# Commands of the fan-out\n\nThe generated workflow calls them; `--help` does not list them.\n",
            );
        }
        let help = bench.call([name.as_str(), "--help"]).expect(0).stdout;
        let help: Vec<_> = help.lines().map(str::trim_end).collect();
        page.push_str(&format!("\n## `{name}`\n\n```text\n{}\n```\n", help.join("\n").trim_end()));
    }
    page
}

/// Compares a generated page with what lies in the repository, or writes it there with `UPDATE_DOCS`.
#[track_caller]
fn assert_generated(path: &str, page: &str) {
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(Path::new(ROOT).join(path), page).unwrap();
    }
    assert_eq!(read(path), page, "{path} has drifted: run the tests once with UPDATE_DOCS=1");
}

#[test]
fn the_page_of_commands_is_what_the_program_says() {
    assert_generated("docs/commands.md", &commands_page(&Bench::new()));
}

/// The scopes of the built-in subagents, as docs/scopes.md has them.
fn scopes_page() -> String {
    let mut page = String::from(
        "# Default scopes\n\nThis page is generated from the built-in subagents. A scope counts where neither the plan nor the \
         configuration says more: [Plans](plan.md#what-a-task-may-touch) has the rules, and `plan -v` shows what each task of a \
         plan may touch.\n",
    );
    let list = |globs: &[String]| format!("\n```text\n{}\n```\n", globs.join("\n"));
    for subagent in roster::builtin().iter() {
        let _ = writeln!(page, "\n## `{}`\n\nRole `{}`.", subagent.name, subagent.role.name());
        if subagent.scope.is_empty() {
            page.push_str("It may touch nothing.\n");
            continue;
        }
        let _ = write!(page, "It may touch:\n{}", list(&subagent.scope));
        if !subagent.exclude.is_empty() {
            let _ = write!(page, "\nBut not:\n{}", list(&subagent.exclude));
        }
    }
    let _ = write!(
        page,
        "\n## Protected paths\n\nNobody may touch these, whatever a plan says, unless `protected-paths` in the configuration \
         says otherwise:\n{}",
        list(&Config::default().protected_paths())
    );
    page
}

#[test]
fn the_page_of_scopes_is_that_of_the_built_in_subagents() {
    assert_generated("docs/scopes.md", &scopes_page());
}

#[test]
fn every_message_of_the_troubleshooting_is_one_of_the_program() {
    let page = read("docs/troubleshooting.md");
    // The line breaks of long literals are no part of a message.
    let lines = sources(&["src", "crates/model/src"]);
    let sources: String = lines.lines().map(|line| line.trim_start().trim_end_matches('\\')).collect();
    let table = page.split("## By message").nth(1).unwrap().split("\n## ").next().unwrap();
    let messages: Vec<_> = table.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    assert!(messages.len() > 10, "{table}");
    for message in messages {
        assert!(sources.contains(message), "no source says `{message}`");
    }
}

#[test]
fn every_page_is_in_the_book() {
    let summary = read("docs/SUMMARY.md");
    for document in
        documents().iter().filter_map(|path| path.strip_prefix("docs/")).filter(|name| *name != "SUMMARY.md")
    {
        assert!(summary.contains(&format!("({document})")), "docs/SUMMARY.md does not list {document}");
    }
}

/// The commands of ours in the blocks of a document, as they are typed, without what stands for a value of the reader's.
fn commands_of(document: &str) -> Vec<String> {
    let mut fenced = false;
    let mut commands = Vec::new();
    for line in read(document).lines() {
        if line.starts_with("```") {
            fenced = !fenced;
            continue;
        }
        let typed = line.strip_prefix("$ ").unwrap_or(line).trim();
        let typed = typed.split(" #").next().unwrap_or_default().trim();
        if let Some(arguments) = typed.strip_prefix("backend-implementer ").filter(|_| fenced)
            && !arguments.contains(['<', '[', '…', '$'])
        {
            commands.push(arguments.to_owned());
        }
    }
    commands
}

#[test]
fn every_documented_command_is_one_that_the_program_takes() {
    let bench = Bench::new();
    let mut found = 0;
    for document in documents() {
        for typed in commands_of(&document) {
            found += 1;
            // `--help` at the end has clap read the whole line, options and values included, and nothing is done.
            let called = bench.call(typed.split_whitespace().chain(["--help"]));
            assert!(called.code == 0, "{document}: `{typed}`: {}", called.stderr);
        }
    }
    assert!(found > 10, "only {found} commands found");
}

/// Documented commands that are only parsed, each with the reason.
const NOT_CARRIED_OUT: &[(&str, &str)] = &[
    ("demo", "takes long: tests/it/demo.rs carries it out"),
    ("run --retry", "needs a run that is incomplete: tests/it/runs.rs carries it out"),
    ("run --pr OWNER/REPO#12", "speaks to GitHub: tests/it/conversation.rs runs it against a double"),
    ("plan --pr octo/service#12", "speaks to GitHub: tests/it/conversation.rs runs it against a double"),
    (
        "run --pr octo/service#12 --lock 91e6c2cdd0cc",
        "speaks to GitHub: tests/it/conversation.rs runs it against a double",
    ),
    ("apply 20261127101500000-0123456789ab", "names a run that was recorded: tests/it/first_run.rs carries it out"),
];

/// One repository, and every command in the order in which the documents have it: what one makes the next one finds.
#[test]
fn every_documented_command_does_what_it_says() {
    let bench = Bench::new();
    let config = fs::read_to_string(bench.repo().join(".github/backend-implementer.yml")).unwrap();
    let action = "workflow: { action: acme/implementer@0123456789012345678901234567890123456789 }\n";
    bench.write(".github/backend-implementer.yml", &(config + action));
    bench.commit("an action");
    // The laptop's page begins with the run that others show.
    let mut order = documents();
    order.sort_by_key(|document| document != "docs/laptop.md");
    for document in order {
        for typed in commands_of(&document) {
            if NOT_CARRIED_OUT.iter().any(|(command, _)| *command == typed) {
                continue;
            }
            // The artifact of a run is unpacked where the command looks for it.
            if typed == "verify run" {
                let newest = fs::read_dir(bench.repo().join(".backend-implementer/runs")).unwrap();
                let newest = newest.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).max().unwrap();
                crate::support::copy_folder(&newest, &bench.repo().join("run"));
            }
            // A fan-out begins anew.
            if typed.starts_with("plan --state") {
                for folder in ["s0", "s1", "job", "results"] {
                    let _ = fs::remove_dir_all(bench.repo().join(folder));
                }
            }
            let called = bench.call(typed.split_whitespace());
            // What is missing on this machine is what `doctor` says with its exit code.
            let may = if typed == "doctor" { [0, 3] } else { [0, 0] };
            assert!(may.contains(&called.code), "{document}: `{typed}`: {}{}", called.stdout, called.stderr);
            assert!(
                !(called.stdout.is_empty() && called.stderr.is_empty()) || typed.contains("--"),
                "{typed} says nothing"
            );
        }
    }
    let documented: Vec<String> = documents().iter().flat_map(|document| commands_of(document)).collect();
    for (command, why) in NOT_CARRIED_OUT {
        assert!(documented.iter().any(|typed| typed == command), "no document has `{command}` ({why})");
    }
}

#[test]
fn every_test_and_path_that_the_security_policy_names_exists() {
    let policy = read("SECURITY.md");
    let sources = sources(&["src", "crates", "tests"]);
    let is_test =
        |word: &&str| word.matches('_').count() >= 3 && word.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    let words: Vec<&str> = policy.split('`').skip(1).step_by(2).collect();
    let tests: Vec<_> = words.iter().copied().filter(is_test).collect();
    assert!(tests.len() > 20, "only {} tests found: is this still looking at the right thing?", tests.len());
    for test in tests {
        assert!(sources.contains(&format!("fn {test}(")), "SECURITY.md names the test {test}");
    }
    for path in
        words.iter().filter(|word| ["src/", "crates/", "tests/", "fuzz/"].iter().any(|root| word.starts_with(root)))
    {
        assert!(Path::new(ROOT).join(path).exists(), "SECURITY.md names {path}");
    }
}

/// Reads every Rust source below these folders.
fn sources(folders: &[&str]) -> String {
    let mut folders: Vec<_> = folders.iter().map(|folder| Path::new(ROOT).join(folder)).collect();
    let mut all = String::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap()) {
            let path = entry.path();
            if entry.file_type().unwrap().is_dir() && !path.ends_with("node_modules") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                all += &fs::read_to_string(path).unwrap();
            }
        }
    }
    all
}

#[test]
fn every_kind_of_finding_is_documented() {
    let page = read("docs/findings.md");
    for code in implementer_model::findings::FindingCode::ALL {
        let row = page.lines().find(|line| line.starts_with(&format!("| `{}` |", code.name())));
        let row = row.unwrap_or_else(|| panic!("docs/findings.md does not list `{}`", code.name()));
        let cells: Vec<_> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        assert!(cells.len() == 4 && cells.iter().all(|cell| !cell.is_empty()), "what to do is missing: {row}");
        // The name is the one in the hand-off.
        assert_eq!(serde_json::to_value(code).unwrap(), code.name());
    }
}

#[test]
fn no_test_file_is_forgotten() {
    let main = read("tests/it/main.rs");
    for entry in fs::read_dir(Path::new(ROOT).join("tests/it")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let module = name.strip_suffix(".rs").unwrap_or(&name);
        assert!(module == "main" || main.contains(&format!("mod {module};")), "tests/it/{name} is not compiled");
    }
}

#[test]
fn the_published_schemas_are_those_of_the_types() {
    let bench = Bench::new();
    let of_the_types = [
        ("plan", implementer_model::plan::schema()),
        ("report", implementer_model::report::schema()),
        ("handoff", implementer_model::handoff::schema()),
        ("config", implementer_model::config::schema(&backend_implementer::agent::kinds())),
    ];
    for (of, schema) in of_the_types {
        let path = format!("docs/schemas/{of}.json");
        let made = serde_json::to_string_pretty(&schema).unwrap() + "\n";
        if std::env::var_os("UPDATE_SCHEMAS").is_some() {
            fs::write(Path::new(ROOT).join(&path), &made).unwrap();
        }
        assert_eq!(read(&path), made, "{path} has drifted: run the tests once with UPDATE_SCHEMAS=1");
        assert_eq!(bench.call(["schema", of]).expect(0).stdout, made);
    }
}
