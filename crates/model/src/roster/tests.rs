use std::collections::BTreeSet;

use proptest::prelude::*;

use super::{front_matter::split_list, *};
use crate::{
    config::Config,
    scope::{CompiledScope, Scope},
};

fn file(path: &str, text: &str) -> AgentFile {
    AgentFile { path: path.to_owned(), content: text.as_bytes().to_vec() }
}

fn name(name: &str) -> SubagentName {
    SubagentName::new(name).unwrap()
}

/// Loads one file, and returns the subagent of that name with the diagnostics, one a line.
fn load_one(path: &str, text: &str, called: &str) -> (Subagent, String) {
    let Loaded { roster, diagnostics, guessed } = load(&[file(path, text)], &Config::default());
    let said = diagnostics.into_iter().chain(notes::roles_to_confirm(&guessed)).collect::<Vec<_>>();
    let said = said.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    (roster.get(&name(called)).unwrap_or_else(|| panic!("no `{called}`: {said}")).clone(), said)
}

fn load_config(files: &[AgentFile], config: &str) -> (Roster, String) {
    let Loaded { roster, diagnostics, guessed } =
        load(files, &Config::read("c.yml", config, &["command", "claude"]).unwrap());
    let said = diagnostics.into_iter().chain(notes::roles_to_confirm(&guessed)).collect::<Vec<_>>();
    (roster, said.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
}

fn owned(texts: &[&str]) -> Option<Vec<String>> {
    Some(texts.iter().map(ToString::to_string).collect())
}

fn matcher(subagent: &Subagent) -> CompiledScope {
    CompiledScope::new(&Scope { allow: subagent.scope.clone(), deny: subagent.exclude.clone().into() }).unwrap()
}

mod built_in {
    use super::*;

    #[test]
    fn all_eight_load_without_anything_to_say() {
        let Loaded { roster, diagnostics, .. } = load(&[], &Config::default());
        assert_eq!(diagnostics, []);
        assert_eq!(roster, builtin());
        assert_eq!(roster.iter().count(), Role::ALL.len());
        for role in Role::ALL {
            let subagent = roster.get(&name(role.builtin_name())).unwrap();
            assert_eq!((subagent.role, &subagent.origin), (role, &Origin::BuiltIn));
            assert_eq!(roster.for_role(role).unwrap(), subagent);
            assert!((25..=60).contains(&subagent.prompt.lines().count()), "{role:?}");
            assert!(subagent.prompt.contains("What you must not do"), "{role:?}");
            assert!(subagent.prompt.contains("`blocked`"), "{role:?}");
            assert!(!subagent.description.is_empty());
        }
    }

    #[test]
    fn a_prompt_names_only_subagents_that_exist() {
        let roster = builtin();
        for subagent in roster.iter() {
            for word in subagent.prompt.split('`').filter(|word| word.starts_with("backend-")) {
                assert!(roster.get(&name(word)).is_some(), "{} names {word}", subagent.name);
            }
        }
    }

    #[test]
    fn reviewer_and_validation_agent_write_nothing() {
        for subagent in builtin().iter() {
            let reads = matches!(subagent.role, Role::Review | Role::Validation);
            assert_eq!(subagent.access == Access::ReadOnly, reads, "{}", subagent.name);
            assert_eq!(subagent.scope.is_empty(), reads, "{}", subagent.name);
            let tools = subagent.tools.as_ref().unwrap();
            assert_eq!(tools.iter().any(|tool| tool == "Write" || tool == "Edit"), !reads, "{}", subagent.name);
        }
    }

    #[test]
    fn the_feature_implementer_leaves_types_infrastructure_and_deployment_alone() {
        let roster = builtin();
        let scope = |role| roster.for_role(role).unwrap().scope.iter().cloned().collect::<BTreeSet<_>>();
        let feature = roster.for_role(Role::Feature).unwrap();
        let reserved: BTreeSet<_> =
            [Role::DataTypes, Role::Infrastructure, Role::Deployment].into_iter().flat_map(scope).collect();
        assert_eq!(feature.scope, ["**"]);
        assert_eq!(feature.exclude.iter().cloned().collect::<BTreeSet<_>>(), reserved);
    }

    #[test]
    fn every_glob_is_one_and_none_stands_twice() {
        for subagent in builtin().iter() {
            for globs in [&subagent.scope, &subagent.exclude] {
                assert_eq!(globs.iter().collect::<BTreeSet<_>>().len(), globs.len(), "{}", subagent.name);
                for glob in globs {
                    assert_eq!(crate::config::values::glob(glob), Ok(()));
                }
            }
        }
    }

    #[test]
    fn paths_of_real_repositories_belong_to_the_right_specialist() {
        let roster = builtin();
        let matchers: Vec<_> = roster.iter().map(|subagent| (subagent.role.name(), matcher(subagent))).collect();
        let owners = |path: &str| {
            let roles = matchers.iter().filter(|(_, scope)| scope.allows(path)).map(|(role, _)| *role);
            roles.collect::<Vec<_>>().join(" ")
        };
        for (path, expected) in [
            ("infra/queues.tf", "infrastructure"),
            ("modules/network/main.tf", "infrastructure"),
            ("infra/types/network.tf", "infrastructure"),
            ("docker-compose.yml", "infrastructure"),
            ("config/service.toml", "infrastructure"),
            ("services/api/.env.example", "infrastructure"),
            ("src/types/user.ts", "data-types"),
            ("app/types.py", "data-types"),
            ("src/schemas/user.json", "data-types"),
            ("proto/user/v1/user.proto", "data-types"),
            ("prisma/schema.prisma", "data-types"),
            ("Dockerfile", "deployment"),
            ("services/api/Dockerfile.prod", "deployment"),
            ("k8s/api.yaml", "deployment"),
            ("deploy/rollout.sh", "deployment"),
            ("scripts/deploy.sh", "deployment"),
            ("Procfile", "deployment"),
            ("src/api/users.rs", "feature"),
            ("app/models/user.rb", "feature"),
            ("config/routes.rb", "feature"),
            ("internal/server/server.go", "feature"),
            ("db/migrations/0007_users.sql", "feature"),
            ("Cargo.toml", "feature"),
            ("README.md", "feature"),
            ("src/cli/users.py", "feature cli"),
            ("cmd/server/main.go", "feature cli"),
            ("bin/users", "feature cli"),
            ("app/cli.py", "feature cli"),
            ("tests/test_users.py", "feature tests"),
            ("internal/server/server_test.go", "feature tests"),
            ("src/users.test.ts", "feature tests"),
            ("src/test/java/a/UserTest.java", "feature tests"),
            ("spec/models/user_spec.rb", "feature tests"),
        ] {
            assert_eq!(owners(path), expected, "{path}");
        }
    }
}

mod files {
    use super::*;

    #[test]
    fn agent_files_are_told_by_their_paths() {
        for path in [".claude/agents/a.md", ".claude/agents/team/a.md", ".github/agents/a.agent.md"] {
            assert!(is_agent_file(path), "{path}");
        }
        for path in [
            ".claude/agents/.md",
            ".claude/agents/a.txt",
            ".claude/commands/a.md",
            "x/.claude/agents/a.md",
            ".github/agents/a.md",
            ".github/agents/.agent.md",
            ".github/agents/README.md",
            ".claude/agents",
            "",
        ] {
            assert!(!is_agent_file(path), "{path}");
        }
    }

    #[test]
    fn a_plain_file_says_everything() {
        let (subagent, said) = load_one(
            ".claude/agents/search.md",
            "---\nname: search-indexer\ndescription: Keeps the index.\ntools: Read, Bash(git log:*, git show:*), Edit\n\
             model: opus\nrole: data-types\naccess: writes\nscope: [index/**]\nexclude:\n  - index/gen/**\n---\n\n\
             You keep the index.\n\nCarefully.\n",
            "search-indexer",
        );
        assert_eq!(said, "");
        assert_eq!(
            subagent,
            Subagent {
                name: name("search-indexer"),
                role: Role::DataTypes,
                description: "Keeps the index.".to_owned(),
                prompt: "You keep the index.\n\nCarefully.".to_owned(),
                model: Some("opus".to_owned()),
                tools: owned(&["Read", "Bash(git log:*, git show:*)", "Edit"]),
                terms: Terms::default(),
                access: Access::Writes,
                scope: vec!["index/**".to_owned()],
                exclude: vec!["index/gen/**".to_owned()],
                origin: Origin::File(".claude/agents/search.md".to_owned()),
            }
        );
    }

    #[test]
    fn tools_and_models_come_in_many_forms() {
        let tools = |front: &str| load_one("a.md", &format!("---\nname: a\n{front}\n---\nPrompt.\n"), "a").0.tools;
        assert_eq!(tools("tools: Read,Grep , Bash(npm run test:*)"), owned(&["Read", "Grep", "Bash(npm run test:*)"]));
        assert_eq!(tools("tools:\n  - Read\n  - Grep"), owned(&["Read", "Grep"]));
        assert_eq!(tools("tools: ['read', \"edit\"]"), owned(&["Read", "Edit", "Write"]));
        // An open bracket is no list: what it could have granted is not.
        assert_eq!(tools("tools: [Bash(a, b), Read"), owned(&[]));
        assert_eq!(tools("tools: []"), owned(&[]));
        for all in ["tools:", "tools: '*'", "tools: [\"*\"]", "tools: *", "color: red"] {
            assert_eq!(tools(all), None, "{all}");
        }
        let model = |front: &str| load_one("a.md", &format!("---\nname: a\n{front}\n---\nPrompt.\n"), "a").0.model;
        assert_eq!(model("model: sonnet").as_deref(), Some("sonnet"));
        assert_eq!(model("model: GPT-5 (copilot)").as_deref(), Some("GPT-5 (copilot)"));
        assert_eq!(model("model: ['one', 'two']").as_deref(), Some("one"));
        assert_eq!(model("model: inherit"), None);
        assert_eq!(model("model:"), None);
    }

    #[test]
    fn commas_inside_brackets_do_not_split() {
        assert_eq!(
            split_list("a, b(c, d), {e,f}/*, 'g, h', don't, i"),
            ["a", "b(c, d)", "{e,f}/*", "g, h", "don't", "i"]
        );
        assert_eq!(split_list(" , ,"), Vec::<String>::new());
    }

    #[test]
    fn an_unquoted_description_with_a_colon_is_read_as_text() {
        let (subagent, said) = load_one(
            ".claude/agents/a.md",
            "---\nname: api-helper\ndescription: Use this agent when: an API is slow. Example: \"why?\"\ntools: Read, Grep\nmodel: haiku\n---\nHelp.\n",
            "api-helper",
        );
        assert_eq!(subagent.description, "Use this agent when: an API is slow. Example: \"why?\"");
        assert_eq!(subagent.tools, owned(&["Read", "Grep"]));
        assert_eq!(subagent.model.as_deref(), Some("haiku"));
        insta::assert_snapshot!(said, @r#"
        .claude/agents/a.md:3:33: warning[lenient-front-matter]: the front matter is not YAML (mapping values are not allowed in this context); it was read line by line
           |
         3 | description: Use this agent when: an API is slow. Example: "why?"
           |                                 ^
          hint: put the value in quotes, or on indented lines below `description: |`
        .github/backend-implementer.yml: note[roles-guessed]: nothing says the role of 1 subagent; tools, name and description decided
          hint: correct what is wrong and paste it into .github/backend-implementer.yml
            subagents:
              api-helper: { role: review }
        "#);
    }

    #[test]
    fn examples_over_many_lines_belong_to_the_description() {
        let (subagent, _) = load_one(
            ".claude/agents/a.md",
            "---\nname: perf-tuner\ndescription: Use this agent for slow code. <example>\nContext: The endpoint is slow.\nuser: \"Why: is it slow?\"\n\
             name: not a key\n\nassistant: \"Let me look\"\n<commentary>\nIt is slow: use it.\n</commentary>\n</example>\n\
             model: sonnet\ncolor: red\n---\nTune.\n",
            "perf-tuner",
        );
        assert_eq!(subagent.model.as_deref(), Some("sonnet"));
        assert!(subagent.description.starts_with("Use this agent for slow code. <example>\nContext: The endpoint"));
        assert!(subagent.description.contains("name: not a key"));
        assert!(subagent.description.ends_with("</example>"));
        assert_eq!(subagent.prompt, "Tune.");
    }

    #[test]
    fn several_examples_with_prose_between_them_leave_the_other_keys_alone() {
        let example = "<example>\nContext:\n    A user: somebody.\nuser: \"tools: none?\"\ntools: none\n</example>";
        let (subagent, said) = load_one(
            "a.md",
            &format!(
                "---\nname: many\ndescription: Use this when asked: often.\n\nExamples:\n\n{example}\n\n- {example}\nNote: this too.\n\
                 tools: [Read, Write]\nmodel: inherit\neffort: xhigh\n---\nP\n"
            ),
            "many",
        );
        assert_eq!(subagent.tools, owned(&["Read", "Write"]), "{said}");
        assert!(subagent.description.ends_with("Note: this too."), "{}", subagent.description);
        assert_eq!(subagent.description.matches("tools: none\n").count(), 2);
    }

    #[test]
    fn many_keys_take_linear_time() {
        let keys: String = (0..20_000).map(|n| format!("k{n}: x\n")).collect();
        let (subagent, _) = load_one("a.md", &format!("---\nname: many\n{keys}---\nP\n"), "many");
        assert_eq!(subagent.prompt, "P");
    }

    #[test]
    fn literal_line_breaks_in_a_description_are_line_breaks() {
        for front in [
            r"description: Use it. Examples:\n\n<example>\nuser: 'x'\n</example>",
            r#"description: "Use it. Examples:\n\n<example>\nuser: 'x'\n</example>""#,
        ] {
            let (subagent, _) = load_one("a.md", &format!("---\nname: a\n{front}\n---\nP\n"), "a");
            assert_eq!(subagent.description, "Use it. Examples:\n\n<example>\nuser: 'x'\n</example>", "{front}");
        }
    }

    #[test]
    fn blocks_tabs_and_typographic_quotes_are_read() {
        let (subagent, _) = load_one(
            "a.md",
            "---\nname: “tidy”\ndescription: >-\n  One: two,\n  three.\ntools:\tRead\nmodel:\t‘opus’\nrole: \"feature\"\nbroken: [\n---\nP\n",
            "tidy",
        );
        assert_eq!(subagent.description, "One: two, three.");
        assert_eq!(subagent.tools, owned(&["Read"]));
        assert_eq!(subagent.model.as_deref(), Some("opus"));
        assert_eq!(subagent.role, Role::Feature);
        let (subagent, said) = load_one("a.md", "---\nname: a\ndescription: |\n  One: two\n    - three\n---\nP\n", "a");
        assert_eq!(subagent.description, "One: two\n  - three");
        assert!(!said.contains("lenient"), "{said}");
    }

    #[test]
    fn globs_that_yaml_takes_for_aliases_are_read() {
        let (subagent, said) = load_one(
            "a.md",
            "---\nname: a\nrole: feature\nscope: **/*.rs, {a,b}/**\nexclude:\n- *.lock\n---\nP\n",
            "a",
        );
        assert_eq!(subagent.scope, ["**/*.rs", "{a,b}/**"]);
        assert_eq!(subagent.exclude, ["*.lock"]);
        assert!(said.contains("lenient-front-matter"), "{said}");
    }

    #[test]
    fn windows_line_ends_and_a_byte_order_mark_change_nothing() {
        let text = "---\nname: a-reviewer\ndescription: Reads.\ntools: Read\n---\n\nLine one.\nLine two.\n";
        let (plain, _) = load_one("a.md", text, "a-reviewer");
        let (windows, said) = load_one("a.md", &format!("\u{feff}{}", text.replace('\n', "\r\n")), "a-reviewer");
        assert_eq!(windows.prompt.replace("\r\n", "\n"), plain.prompt);
        assert_eq!(Subagent { prompt: plain.prompt.clone(), ..windows }, plain);
        assert!(!said.contains("lenient"), "{said}");
    }

    #[test]
    fn a_file_without_front_matter_is_called_after_itself() {
        let (subagent, said) = load_one(".claude/agents/db-tuner.md", "# Tuner\n\nTune the database.\n", "db-tuner");
        assert_eq!(subagent.prompt, "# Tuner\n\nTune the database.");
        assert_eq!(subagent.description, "Tune the database.");
        insta::assert_snapshot!(said, @r"
        .claude/agents: note[no-front-matter]: 1 file without front matter, all of which was taken for the prompt: .claude/agents/db-tuner.md
          hint: begin it with `name` and `description` between two lines `---`
        .github/backend-implementer.yml: note[roles-guessed]: nothing says the role of 1 subagent; tools, name and description decided
          hint: correct what is wrong and paste it into .github/backend-implementer.yml
            subagents:
              db-tuner: { role: feature }  # nothing tells it
        ");
        let (_, said) =
            load_one(".github/agents/db-tuner.agent.md", "---\ndescription: Tunes.\n---\nTune.", "db-tuner");
        assert!(said.contains("note[missing-name]"), "{said}");
    }

    #[test]
    fn what_is_missing_or_odd_is_said_but_loads() {
        let (subagent, said) = load_one(
            ".claude/agents/odd.md",
            "---\nname: Odd One\nacces: read-only\nscopes: [x]\nrole: Senior Backend Engineer\ntools: {a: b}\nname: other\n---\nPrompt.\n",
            "Odd One",
        );
        // What limits is read as meant, and what cannot be read grants only what reads.
        assert_eq!((subagent.role, subagent.access), (Role::Review, Access::ReadOnly));
        assert_eq!((&subagent.tools, &subagent.scope), (&owned(&["Read", "Grep", "Glob"]), &vec!["x".to_owned()]));
        assert_eq!(subagent.description, "Prompt.");
        let said: Vec<_> = said.lines().filter(|line| line.starts_with('.')).collect();
        insta::assert_snapshot!(said.join("\n"), @r#"
        .claude/agents: warning[missing-description]: files without a `description`: `Odd One`
        .claude/agents/odd.md:2:1: warning[lenient-front-matter]: the front matter is not YAML (duplicate entry with key "name"); it was read line by line
        .claude/agents/odd.md:3:1: warning[misspelled-key]: the key `acces` was read as `access`
        .claude/agents/odd.md:4:1: warning[misspelled-key]: the key `scopes` was read as `scope`
        .claude/agents/odd.md:5:1: warning[unknown-role]: `role` cannot be `Senior Backend Engineer`; it was left aside
        .claude/agents/odd.md:6:1: warning[unreadable-value]: `tools` is no list of tools; it grants only the tools that read
        .claude/agents/odd.md:7:1: warning[duplicate-key]: the key `name` is there twice; the first one counts
        .github/backend-implementer.yml: note[roles-guessed]: nothing says the role of 1 subagent; tools, name and description decided
        "#);
        let (subagent, said) = load_one("a.md", "---\nname: a\n", "a");
        assert_eq!(subagent.prompt, "---\nname: a");
        assert!(said.contains("unclosed-front-matter"), "{said}");
        let (_, said) = load_one("a.md", "---\nname: a\ndescription: Only this.\n---\n", "a");
        assert!(said.contains("warning[empty-prompt]"), "{said}");
        let (_, said) = load_one("short.md", &format!("---\nname: {}\n---\nP\n", "x".repeat(70)), "short");
        assert!(said.contains("warning[unusable-name]"), "{said}");
    }

    #[test]
    fn real_errors_are_errors_with_their_places() {
        let files = [
            AgentFile { path: "latin.md".to_owned(), content: b"---\nname: caf\xe9\n---\n".to_vec() },
            file("empty.md", "---\nname: empty\n---\n\n"),
            file("glob.md", "---\nname: glob-tester\ndescription: D\nscope: [ok/**, '/abs', 'a[']\n---\nP\n"),
            file("role.md", "---\nname: role\ndescription: D\nrole: reviewer\naccess: readonly\n---\nP\n"),
            file(".claude/agents/.md", "No name.\n"),
            AgentFile { path: "long.md".to_owned(), content: vec![b'a'; AGENT_FILE_MAX_BYTES + 1] },
        ];
        let Loaded { roster, diagnostics, .. } = load(&files, &Config::default());
        let errors = diagnostics.iter().filter(|diagnostic| diagnostic.is_error());
        let errors = errors.map(ToString::to_string).collect::<Vec<_>>().join("\n");
        insta::assert_snapshot!(errors, @r"
        .claude/agents/.md: error[no-name]: neither the front matter nor the file gives a name that can be used
          hint: add a `name`, such as `backend-search-indexer`
        empty.md: error[empty-agent]: there is neither a prompt nor a description
          hint: write the prompt below the front matter
        glob.md:4:1: error[invalid-glob]: `/abs` in `scope` is not a glob for paths of a repository: it begins with `/`
           |
         4 | scope: [ok/**, '/abs', 'a[']
           | ^
          hint: globs are relative to the root of the repository, such as `src/api/**`
        glob.md:4:1: error[invalid-glob]: `a[` in `scope` is not a glob for paths of a repository: a `[` has no `]`
           |
         4 | scope: [ok/**, '/abs', 'a[']
           | ^
          hint: `\[` stands for the bracket itself
        latin.md:2:10: error[not-utf8]: the agent file is not UTF-8 from byte 13 on
           |
         2 | name: caf
          hint: save it as UTF-8, or move it out of the folder of agents
        long.md: error[agent-file-too-long]: the agent file is longer than 1048576 bytes
          hint: a prompt is a page or two: move the rest into files that it names
        role.md:4:1: error[unknown-role]: `role` cannot be `reviewer`
           |
         4 | role: reviewer
           | ^
          hint: did you mean `review`?
        role.md:5:1: error[unknown-access]: `access` cannot be `readonly`
           |
         5 | access: readonly
           | ^
          hint: did you mean `read-only`?
        ");
        assert_eq!(roster.get(&name("glob-tester")).unwrap().scope, ["ok/**"]);
    }

    #[test]
    fn a_readme_among_agents_is_no_agent() {
        let Loaded { roster, diagnostics, .. } =
            load(&[file(".claude/agents/README.md", "# Agents\n")], &Config::default());
        assert_eq!(roster, builtin());
        assert_eq!(diagnostics[0].code, "not-an-agent");
    }

    #[test]
    fn github_agents_load_with_their_own_keys() {
        let (subagent, said) = load_one(
            ".github/agents/api-tester.agent.md",
            "---\ndescription: Tests APIs.\ntools: ['read', 'edit', 'github/*']\nmodel: GPT-5 (copilot)\ntarget: vscode\n\
             mcp-servers:\n  db:\n    type: local\n    command: npx\nhandoffs:\n  - label: Go\n    agent: x\n---\nTest APIs.\n",
            "api-tester",
        );
        assert_eq!(subagent.role, Role::Tests);
        assert_eq!(subagent.tools, owned(&["Read", "Edit", "Write", "mcp__github"]));
        assert_eq!(subagent.terms.servers.keys().collect::<Vec<_>>(), ["db"]);
        assert!(said.contains("roles-guessed") && said.contains("missing-name"), "{said}");
        assert!(!said.contains("warning") && !said.contains("error"), "{said}");
    }
}

mod restrictions {
    use super::*;

    fn agent(front: &str) -> Subagent {
        load_one(".claude/agents/a.md", &format!("---\nname: helper\ndescription: D\n{front}\n---\nP\n"), "helper").0
    }

    fn said(front: &str) -> String {
        load_one(".claude/agents/a.md", &format!("---\nname: helper\ndescription: D\n{front}\n---\nP\n"), "helper").1
    }

    #[test]
    fn what_is_forbidden_is_not_granted_in_any_spelling() {
        for key in ["disallowedTools", "disallowed-tools", "disallowed_tools", "DisallowedTools", "disallowedTool"] {
            for value in [
                "Write, Edit, Bash",
                "[Write, Edit, Bash]",
                "\n  - Write\n  - edit\n  - execute",
                "'Write','Edit','Bash'",
            ] {
                let subagent = agent(&format!("{key}: {value}"));
                for tool in ["Write", "Edit", "MultiEdit", "Bash"] {
                    assert_eq!(subagent.may_use(tool), Use::Not, "{key}: {value}: {tool}");
                }
                assert_eq!(subagent.may_use("Read"), Use::Whole);
                assert_eq!(subagent.access, Access::ReadOnly, "{key}: {value}");
            }
        }
        let subagent = agent("tools: Read, Edit, Write, Bash\ndisallowedTools: Bash(rm:*), Wrte");
        assert_eq!(subagent.may_use("Bash"), Use::Partly);
        assert_eq!(subagent.may_use("Write"), Use::Not, "a misspelled prohibition is one");
        assert_eq!(subagent.access, Access::Writes, "it may still edit");
        assert_eq!(agent("disallowedTools: '*'").tools, owned(&[]));
        assert_eq!(agent("disallowedTools: {a: b}").access, Access::ReadOnly);
        assert_eq!(agent("tools: {write: false, edit: false, bash: true}").access, Access::ReadOnly);
        assert_eq!(agent("tools: 7").tools, owned(&["Read", "Grep", "Glob"]));
    }

    #[test]
    fn a_planner_only_reads_and_an_unknown_mode_is_the_narrowest() {
        for mode in ["plan", "Plan", "'plan'", "planing", "read-only"] {
            for more in ["", "\naccess: writes", "\nrole: feature", "\ntools: Read, Edit, Write"] {
                let subagent = agent(&format!("permissionMode: {mode}{more}"));
                assert_eq!(subagent.access, Access::ReadOnly, "{mode}{more}");
            }
        }
        for mode in ["default", "acceptEdits", "bypassPermissions", "dontAsk", "auto"] {
            assert_eq!(agent(&format!("permissionMode: {mode}")).access, Access::Writes, "{mode}");
            assert!(said(&format!("permissionMode: {mode}")).contains("only the configuration grants permissions"));
        }
        let file = file("a.md", "---\nname: helper\ndescription: D\npermissionMode: plan\n---\nP\n");
        let (roster, _) = load_config(&[file], "subagents: {helper: {access: writes}}");
        assert_eq!(roster.get(&name("helper")).unwrap().access, Access::Writes, "the configuration has the last word");
    }

    #[test]
    fn a_file_without_a_writing_tool_reads() {
        for tools in
            ["Read, Grep, Glob", "Read, Bash", "[]", "read, search", "['codebase', 'runCommands']", "mcp__db__write"]
        {
            let subagent = agent(&format!("tools: {tools}"));
            assert_eq!((subagent.access, subagent.role), (Access::ReadOnly, Role::Review), "{tools}");
            let explicit = agent(&format!("tools: {tools}\naccess: writes\nrole: feature"));
            assert_eq!(explicit.access, Access::Writes, "{tools}");
        }
        for tools in ["Read, Edit", "edit", "edit/editFiles", "Write", "NotebookEdit", "*", ""] {
            assert_eq!(agent(&format!("tools: {tools}")).access, Access::Writes, "{tools}");
        }
        assert!(said("role: feature\ntools: Read").contains("warning[role-without-tools]"));
    }

    #[test]
    fn limits_are_kept_or_refused() {
        assert_eq!(agent("maxTurns: 12").terms.max_turns, Some(12));
        assert_eq!(agent("max_turns: '12'").terms.max_turns, Some(12));
        for turns in ["0", "-1", "many", "1.5", "[3]", "{a: 1}"] {
            assert!(said(&format!("maxTurns: {turns}")).contains("error[unreadable-limit]"), "{turns}");
        }
        assert!(said("scope: {a: b}").contains("error[unreadable-limit]"));
        assert_eq!(agent("effort: xhigh").terms.effort, Some(Effort::XHigh));
        assert_eq!(agent("effort: HIGH").terms.effort, Some(Effort::High));
        assert!(said("effort: enormous").contains("unreadable-value"));
        assert_eq!(agent("access: nothing at all").access, Access::ReadOnly);
    }

    #[test]
    fn models_servers_and_skills_are_taken_along() {
        let subagent = agent(
            "model: ['GPT-5.4 (copilot)', 'Claude Sonnet 4.6 (copilot)']\nskills: deploying, testing\nmcpServers:\n  - \
             github\n  - db:\n      command: db-server",
        );
        assert_eq!(subagent.model.as_deref(), Some("GPT-5.4 (copilot)"));
        assert_eq!(subagent.terms.other_models, ["Claude Sonnet 4.6 (copilot)"]);
        assert_eq!(subagent.terms.skills, ["deploying", "testing"]);
        let defined: Vec<_> =
            subagent.terms.servers.iter().map(|(name, server)| (name.as_str(), server.is_some())).collect();
        assert_eq!(defined, [("db", true), ("github", false)]);
        assert_eq!(agent("model: Auto (copilot)").model, None);
    }

    #[test]
    fn who_is_called_by_name_only_stands_for_no_role() {
        let ours = |front: &str| {
            let content = format!("---\nname: our-cli\ndescription: D\nrole: cli\n{front}\n---\nP\n");
            let (roster, _) =
                load_config(&[file("a.md", &content)], "subagents: {backend-cli-implementer: {role: feature}}");
            roster.for_role(Role::Cli).map(|subagent| subagent.name.to_string())
        };
        assert_eq!(ours("").as_deref(), Some("our-cli"));
        for front in ["disable-model-invocation: true", "infer: false", "disable-model-invocation: yes-please"] {
            assert_eq!(ours(front), None, "{front}");
        }
        assert_eq!(ours("disable-model-invocation: false\ninfer: false").as_deref(), Some("our-cli"));
    }

    #[test]
    fn what_has_no_effect_is_said_once_for_the_folder() {
        let one = |name: &str| {
            let text = format!(
                "---\nname: {name}\ndescription: D\nrole: feature\ncolor: red\nmemory: project\ntier: 1\n\
                 tools: [edit, problems]\nhooks:\n  PreToolUse: []\n---\nP\n"
            );
            file(&format!(".claude/agents/{name}.md"), &text)
        };
        let (_, said) = load_config(&[one("a"), one("b"), one("c")], "");
        insta::assert_snapshot!(said, @r"
        .claude/agents: warning[restriction-not-kept]: `hooks` of `a`, `b`, `c` have no effect here: they do not run, so what they would forbid is not forbidden
          hint: put it into `tools`, `disallowedTools` or `exclude`
        .claude/agents: note[key-not-honoured]: keys without effect here: `color` in 3 files; `memory` in 3 files (every attempt starts from its brief alone)
          hint: they can stay; other programs may read them
        .claude/agents: note[unknown-key]: keys that no agent program knows: `tier` in 3 files
          hint: https://github.com/backend-implementer/backend-implementer/blob/main/docs/agents.md lists the keys that are read
        .claude/agents: note[unknown-tool]: words for tools that nothing here has, so that they grant nothing: `problems` in 3 files
          hint: https://github.com/backend-implementer/backend-implementer/blob/main/docs/agents.md lists the words that are read
        ");
    }

    #[test]
    fn the_pipeline_itself_is_no_subagent_unless_its_file_has_a_role() {
        let one = |name: &str, more: &str| {
            let text = format!("---\nname: {name}\ndescription: Coordinates the phases.\n{more}---\nP\n");
            file(&format!(".claude/agents/{name}.md"), &text)
        };
        let parts = [
            "backend-implementer",
            "backend-orchestrator",
            "backend-planner",
            "backend-summarizer",
            "backend-submission",
        ];
        let files = parts.map(|part| one(part, "tools: Task, Read\n"));
        let (roster, said) = load_config(&files, "");
        assert_eq!(roster, builtin());
        insta::assert_snapshot!(said, @r"
        .claude/agents: note[pipeline-file]: `backend-implementer`, `backend-orchestrator`, `backend-planner`, `backend-submission`, `backend-summarizer` belong to the pipeline itself and are no subagents
          hint: give a file a `role` if its subagent is to be called
        ");
        let (roster, said) = load_config(&[one("backend-planner", "role: review\n")], "");
        assert!(roster.get(&name("backend-planner")).is_some());
        assert_eq!(said, "");
    }
}

mod roles_and_overrides {
    use super::*;

    #[test]
    fn a_file_with_a_built_in_name_inherits_what_it_leaves_out() {
        let built_in = builtin();
        let theirs = built_in.get(&name("backend-feature-implementer")).unwrap();
        let (ours, said) = load_one(
            ".claude/agents/feature.md",
            "---\nname: backend-feature-implementer\ndescription: Ours.\ntools: Read\n---\nOur way.\n",
            "backend-feature-implementer",
        );
        assert!(said.contains("warning[role-without-tools]") && !said.contains("note["), "{said}");
        assert_eq!(
            ours,
            Subagent {
                description: "Ours.".to_owned(),
                prompt: "Our way.".to_owned(),
                tools: owned(&["Read"]),
                access: Access::ReadOnly,
                origin: Origin::File(".claude/agents/feature.md".to_owned()),
                ..theirs.clone()
            }
        );
        let (ours, _) = load_one(
            "a.md",
            "---\nname: backend-code-quality-reviewer\nmodel: inherit\nscope: [docs/**]\naccess: writes\n---\n",
            "backend-code-quality-reviewer",
        );
        assert_eq!((ours.model, ours.access, ours.scope), (None, Access::Writes, vec!["docs/**".to_owned()]));
        assert_eq!(ours.prompt, built_in.get(&name("backend-code-quality-reviewer")).unwrap().prompt);
    }

    #[test]
    fn an_extra_subagent_takes_scope_and_access_from_its_role() {
        let built_in = builtin();
        let files = [
            file("a.md", "---\nname: security-reviewer\ndescription: D\n---\nP\n"),
            file("b.md", "---\nname: python-pro\ndescription: D\n---\nP\n"),
            file("c.md", "---\nname: helper\ndescription: D\nrole: deployment\n---\nP\n"),
        ];
        let (roster, said) = load_config(&files, "");
        for (extra, role) in
            [("security-reviewer", Role::Review), ("python-pro", Role::Feature), ("helper", Role::Deployment)]
        {
            let (extra, pattern) = (roster.get(&name(extra)).unwrap(), built_in.for_role(role).unwrap());
            assert_eq!(
                (extra.role, extra.access, &extra.scope, &extra.exclude),
                (role, pattern.access, &pattern.scope, &pattern.exclude)
            );
            assert_eq!(extra.model, None);
        }
        // The built-in subagents still answer for their roles.
        for role in Role::ALL {
            assert_eq!(roster.for_role(role).unwrap().name.as_str(), role.builtin_name());
        }
        insta::assert_snapshot!(said, @r"
        .github/backend-implementer.yml: note[roles-guessed]: nothing says the role of 2 subagents; tools, name and description decided
          hint: correct what is wrong and paste it into .github/backend-implementer.yml
            subagents:
              python-pro: { role: feature }  # nothing tells it
              security-reviewer: { role: review }
        ");
    }

    #[test]
    fn the_configuration_overrides_files_and_built_in_ones() {
        let files =
            [file("a.md", "---\nname: helper\ndescription: D\nrole: feature\nscope: [a/**]\nmodel: opus\n---\nP\n")];
        let (roster, said) = load_config(
            &files,
            "subagents:\n  helper: {role: cli, scope: [b/**], exclude: [b/c], model: sonnet, access: read-only}\n  \
             backend-validation-agent: {access: writes, scope: [evidence/**]}\n  backend-datatypes: {model: inherit}\n",
        );
        assert_eq!(said, "");
        let helper = roster.get(&name("helper")).unwrap();
        assert_eq!(
            (helper.role, helper.access, helper.model.as_deref()),
            (Role::Cli, Access::ReadOnly, Some("sonnet"))
        );
        assert_eq!((&helper.scope, &helper.exclude), (&vec!["b/**".to_owned()], &vec!["b/c".to_owned()]));
        let validation = roster.for_role(Role::Validation).unwrap();
        assert_eq!((validation.access, &validation.scope), (Access::Writes, &vec!["evidence/**".to_owned()]));
        assert_eq!(roster.for_role(Role::DataTypes).unwrap().model, None);
    }

    #[test]
    fn overrides_that_cannot_be_meant_are_said() {
        let (_, said) = load_config(
            &[],
            "subagents:\n  backend-datatype: {model: opus}\n  zebra: {model: opus}\n  \
             backend-code-quality-reviewer: {role: feature}\n  backend-validation-agent: {scope: [x]}\n",
        );
        insta::assert_snapshot!(said, @r"
        .github/backend-implementer.yml: error[unknown-subagent]: `subagents` names `backend-datatype`, which the roster does not have
          hint: did you mean `backend-datatypes`?
        .github/backend-implementer.yml: error[unknown-subagent]: `subagents` names `zebra`, which the roster does not have
          hint: add its agent file, such as .claude/agents/NAME.md
        .github/backend-implementer.yml: error[role-unplayed]: no subagent plays the role `review`, which the review gate needs
          hint: leave `backend-code-quality-reviewer` its role
        .github/backend-implementer.yml: warning[scope-without-access]: `backend-validation-agent` has a scope, but its role `validation` only reads
          hint: add `access: writes` if it writes
        ");
        let (_, said) = load_config(&[], "subagents: {backend-validation-agent: {access: writes}}");
        insta::assert_snapshot!(said, @r"
        .github/backend-implementer.yml: warning[no-scope]: `backend-validation-agent` may write, but its scope is empty: whatever it changes is refused
          hint: give it a `scope`, or `access: read-only`
        ");
    }

    #[test]
    fn of_two_files_with_one_name_the_same_one_wins_in_any_order() {
        let file = |path: &str| file(path, &format!("---\nname: twin-reviewer\ndescription: {path}\n---\nP\n"));
        let files = [file(".github/agents/a.agent.md"), file(".claude/agents/b.md"), file(".claude/agents/c/a.md")];
        let winner = |files: &[AgentFile]| {
            let Loaded { roster, diagnostics, .. } = load(files, &Config::default());
            (roster.get(&name("twin-reviewer")).unwrap().description.clone(), diagnostics)
        };
        let (description, diagnostics) = winner(&files);
        assert_eq!(description, ".claude/agents/b.md");
        let codes = diagnostics.iter().filter(|diagnostic| diagnostic.code == "duplicate-name");
        let losers: Vec<_> = codes.map(|diagnostic| diagnostic.file.as_str()).collect();
        assert_eq!(losers, [".claude/agents/c/a.md", ".github/agents/a.agent.md"]);
        let mut reversed = files;
        reversed.reverse();
        assert_eq!(winner(&reversed), (description, diagnostics));
    }

    #[test]
    fn the_digest_changes_with_a_prompt_and_with_a_scope() {
        let digest = |config: &str, files: &[AgentFile]| load_config(files, config).0.digest();
        let default = digest("", &[]);
        assert_ne!(digest("subagents: {backend-datatypes: {scope: [x]}}", &[]), default);
        let ours = file("a.md", "---\nname: backend-datatypes\n---\nOur prompt.\n");
        assert_ne!(digest("", &[ours]), default);
    }

    #[test]
    fn the_documented_agent_files_load() {
        let page = include_str!("../../../../docs/agents.md");
        let examples: Vec<_> =
            page.split("```markdown\n").skip(1).map(|rest| rest.split_once("\n```").unwrap().0).collect();
        assert!(!examples.is_empty());
        for example in examples {
            let Loaded { roster, diagnostics, .. } =
                load(&[file(".claude/agents/example.md", example)], &Config::default());
            assert_eq!(diagnostics, [], "{example}");
            assert!(roster.iter().any(|subagent| subagent.origin != Origin::BuiltIn), "{example}");
        }
        for example in page.split("```yaml\n").skip(1).map(|rest| rest.split_once("\n```").unwrap().0) {
            assert_eq!(load_config(&[], example).1, "", "{example}");
        }
        for role in Role::ALL {
            assert!(page.contains(&format!("| `{}` | `{}` |", role.name(), role.builtin_name())), "{role:?}");
        }
    }
}

proptest! {
    #[test]
    fn no_bytes_make_loading_panic(content in prop::collection::vec(any::<u8>(), 0..300), path in "[ -~]{0,20}") {
        let _ = definition::define(&AgentFile { path, content }, &mut Vec::new());
    }

    #[test]
    fn no_front_matter_is_an_error_by_its_form(
        lines in prop::collection::vec(
            "(name|description|tools|model|color|Context|user|  -| x|<example>|</example>|'|\\[|\\*a|\t|é)(: ?[ -~]{0,12})?",
            0..10,
        ),
    ) {
        let text = format!("---\n{}\n---\nThe prompt.\n", lines.join("\n"));
        let mut diagnostics = Vec::new();
        let definition = definition::define(&file(".claude/agents/some-file.md", &text), &mut diagnostics);
        prop_assert!(diagnostics.iter().all(|diagnostic| !diagnostic.is_error()), "{diagnostics:?}");
        prop_assert_eq!(definition.unwrap().prompt, "The prompt.", "{}", text);
    }
}
