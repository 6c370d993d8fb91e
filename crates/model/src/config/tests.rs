use std::collections::BTreeSet;

use proptest::prelude::*;

use super::{
    read::{
        AGENT_KEYS, CONFIG_KEYS, GATE_KEYS, GRANULARITY_KEYS, LIMITS_KEYS, PRICE_KEYS, PULL_REQUEST_KEYS,
        SETTINGS_KEYS, SUBAGENT_KEYS,
        workflow::{WORKFLOW_DISPATCH_KEYS, WORKFLOW_KEYS, WORKFLOW_SUBAGENT_KEYS},
    },
    *,
};
use crate::scope::{CompiledScope, Scope};

/// The agents that can be called in these tests.
const KINDS: [&str; 3] = ["command", "claude", "codex"];

fn read(text: &str) -> Result<Config, Vec<Diagnostic>> {
    Config::read("c.yml", text, &KINDS)
}

fn errors(text: &str) -> String {
    let diagnostics = read(text).unwrap_err();
    diagnostics.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn name(name: &str) -> SubagentName {
    SubagentName::new(name).unwrap()
}

const FULL: &str = r#"
agent:
  kind: command
  command: [./agents/run, --quiet]
agents:
  codex:
    program: ./bin/codex
    arguments: [-c, "x=1"]
    model: gpt-5.5
    models: { opus: gpt-5.5, haiku: gpt-5.5-mini }
    permissions: own
    project-settings: true
    old-version: true
    pass-environment: [OPENAI_API_KEY]
    prices: { default: { input: 1.25, cached-input: 0.125, output: 10 } }
subagents:
  backend-datatypes:
    role: data-types
    kind: codex
    model: opus
    scope: [src/types/**]
    exclude: ["**/*.gen.ts"]
    access: writes
    time-limit-minutes: 20
    turns: 50
    cost: 2.50
    command: [python3, agents/types.py]
    pass-environment: [SCHEMA_REGISTRY]
protected-paths: [.github/**]
gates:
  tests:
    commands: ["cargo test --workspace"]
    time-limit-minutes: 45
    junit: ["target/**/junit.xml"]
concurrency: 4
time-limit-minutes: 90
limits: { turns: 100, cost: 5, run-cost: 40.5, run-minutes: 300 }
default-role: cli
granularity: { most: 20, least: 1 }
pass-environment: [ANTHROPIC_API_KEY]
"#;

#[test]
fn an_empty_configuration_is_the_default() {
    for text in ["", "\n", "# nothing yet\n", "---\n", "{}", "agent:\nsubagents:\ngates:\n", "\u{feff}"] {
        assert_eq!(read(text), Ok(Config::default()), "{text:?}");
    }
    let config = Config::default();
    assert_eq!(config.concurrency(), 8);
    assert_eq!(config.time_limit(&name("x")), Duration::from_secs(3600));
    assert_eq!(config.gate_time_limit(GateKind::Review), Duration::from_secs(1800));
    assert!(config.command(&name("x")).is_empty());
}

#[test]
fn every_key_is_read_as_serde_reads_it() {
    let config = read(FULL).unwrap();
    assert_eq!(crate::yaml::from_str::<Config>(FULL).unwrap(), config);
    let (types, other) = (name("backend-datatypes"), name("other"));
    assert_eq!(config.command(&types), ["python3", "agents/types.py"]);
    assert_eq!(config.command(&other), ["./agents/run", "--quiet"]);
    assert_eq!(config.time_limit(&types), Duration::from_secs(20 * 60));
    assert_eq!(config.time_limit(&other), Duration::from_secs(90 * 60));
    assert_eq!(config.gate_time_limit(GateKind::Tests), Duration::from_secs(45 * 60));
    assert_eq!(config.environment(&types), BTreeSet::from(["ANTHROPIC_API_KEY", "OPENAI_API_KEY", "SCHEMA_REGISTRY"]));
    assert_eq!(config.environment(&other), BTreeSet::from(["ANTHROPIC_API_KEY"]));
    assert_eq!(config.protected_paths(), [".github/**"]);
    assert_eq!(
        (config.default_role(), config.granularity.most(), config.granularity.least()),
        (Some(Role::Cli), 20, 1)
    );
    assert_eq!(read("default-role: none").unwrap().default_role(), None);
    assert_eq!(Config::default().default_role(), Some(Role::Feature));
}

#[test]
fn what_is_written_is_read_back() {
    let config = read(FULL).unwrap();
    let text = serde_json::to_string_pretty(&config).unwrap();
    assert_eq!(Config::read("c.json", &text, &KINDS), Ok(config));
}

#[test]
fn windows_line_ends_change_nothing() {
    assert_eq!(read(&FULL.replace('\n', "\r\n")), read(FULL));
}

#[test]
fn everything_that_is_wrong_is_said_in_one_go() {
    let text = r#"agents:
  kind: command
concurency: 4
protectedPaths: []
concurrency: 0
time-limit-minutes: forever
subagents:
  backend-datatypes:
    role: types
    access: readonly
    scope: src/**
    exclude: ["/etc/**", "a["]
    model: 4
    pass-environment: [GITHUB_TOKEN, HOME]
    command: "python3 -m agent 'x y'"
  " padded": {}
gates:
  test:
    commands: [make]
  review:
    commands: ["cargo clippy && cargo fmt --check", "", 7]
    junit: {}
agent:
  kind: cloude
  command: []
"#;
    insta::assert_snapshot!(errors(text), @r#"
    c.yml:2:3: error[unknown-key]: `agents` has no key `kind`
       |
     2 |   kind: command
       |   ^
      hint: did you mean `agent.kind`?
    c.yml:3:1: error[unknown-key]: the configuration has no key `concurency`
       |
     3 | concurency: 4
       | ^
      hint: did you mean `concurrency`?
    c.yml:4:1: error[unknown-key]: the configuration has no key `protectedPaths`
       |
     4 | protectedPaths: []
       | ^
      hint: did you mean `protected-paths`?
    c.yml:5:14: error[out-of-range]: `concurrency` must be a whole number from 1 to 256, not 0
       |
     5 | concurrency: 0
       |              ^
    c.yml:6:21: error[wrong-type]: `time-limit-minutes` must be a whole number from 1 to 1440, not text
       |
     6 | time-limit-minutes: forever
       |                     ^
    c.yml:9:11: error[unknown-value]: `subagents.backend-datatypes.role` cannot be `types`: it is one of `infrastructure`, `data-types`, `feature`, `cli`, `tests`, `review`, `validation`, `deployment`
       |
     9 |     role: types
       |           ^
      hint: did you mean `data-types`?
    c.yml:10:13: error[unknown-value]: `subagents.backend-datatypes.access` cannot be `readonly`: it is one of `read-only`, `writes`
        |
     10 |     access: readonly
        |             ^
      hint: did you mean `read-only`?
    c.yml:11:12: error[wrong-type]: `subagents.backend-datatypes.scope` must be a list, not text
        |
     11 |     scope: src/**
        |            ^
      hint: write `['src/**']`
    c.yml:12:15: error[invalid-glob]: `/etc/**` in `subagents.backend-datatypes.exclude` is not a glob for paths of a repository: it begins with `/`
        |
     12 |     exclude: ["/etc/**", "a["]
        |               ^
      hint: globs are relative to the root of the repository, such as `src/api/**`
    c.yml:12:26: error[invalid-glob]: `a[` in `subagents.backend-datatypes.exclude` is not a glob for paths of a repository: a `[` has no `]`
        |
     12 |     exclude: ["/etc/**", "a["]
        |                          ^
      hint: `\[` stands for the bracket itself
    c.yml:13:12: error[wrong-type]: `subagents.backend-datatypes.model` must be text, not a number
        |
     13 |     model: 4
        |            ^
      hint: put it in quotes
    c.yml:14:24: error[refused-environment]: `GITHUB_TOKEN` in `subagents.backend-datatypes.pass-environment` belongs to GitHub: such names hold its tokens, and the files by which a process can steer later steps
        |
     14 |     pass-environment: [GITHUB_TOKEN, HOME]
        |                        ^
      hint: take it off the list; what a subagent needs goes under a name of its own
    c.yml:14:38: error[refused-environment]: `HOME` in `subagents.backend-datatypes.pass-environment` is set by this program for every subagent
        |
     14 |     pass-environment: [GITHUB_TOKEN, HOME]
        |                                      ^
      hint: take it off the list; what a subagent needs goes under a name of its own
    c.yml:15:14: error[wrong-type]: `subagents.backend-datatypes.command` must be a list, not text
        |
     15 |     command: "python3 -m agent 'x y'"
        |              ^
      hint: write `[python3, '-m', agent, 'x y']`
    c.yml:16:3: error[invalid-name]: ` padded` is not a subagent name: 1 to 64 printable characters, without white space at either end
        |
     16 |   " padded": {}
        |   ^
    c.yml:18:3: error[unknown-key]: `gates` has no key `test`
        |
     18 |   test:
        |   ^
      hint: did you mean `tests`?
    c.yml:21:16: error[invalid-command]: `cargo clippy && cargo fmt --check` in `gates.review.commands` cannot be run: `&&` has no meaning without a shell
        |
     21 |     commands: ["cargo clippy && cargo fmt --check", "", 7]
        |                ^
      hint: no shell runs this: list each command on a line of its own, or write `sh -c '…'`
    c.yml:21:53: error[invalid-command]: `` in `gates.review.commands` cannot be run: there is no command in it
        |
     21 |     commands: ["cargo clippy && cargo fmt --check", "", 7]
        |                                                     ^
      hint: name a program, such as `cargo test`
    c.yml:21:57: error[wrong-type]: `gates.review.commands[2]` must be text, not a number
        |
     21 |     commands: ["cargo clippy && cargo fmt --check", "", 7]
        |                                                         ^
      hint: put it in quotes
    c.yml:22:12: error[wrong-type]: `gates.review.junit` must be a list, not a mapping
        |
     22 |     junit: {}
        |            ^
    c.yml:24:9: error[unknown-value]: `agent.kind` cannot be `cloude`: it is one of `command`, `claude`, `codex`
        |
     24 |   kind: cloude
        |         ^
      hint: did you mean `claude`?
    c.yml:25:12: error[invalid-command]: `agent.command` names no program
        |
     25 |   command: []
        |            ^
      hint: leave the key out, or name one
    "#);
}

#[test]
fn a_configuration_that_is_no_map_is_refused() {
    insta::assert_snapshot!(errors("- a\n- b\n"), @r"
    c.yml:1:1: error[wrong-type]: the configuration must be a mapping of keys and values, not a list
       |
     1 | - a
       | ^
    ");
    insta::assert_snapshot!(errors("agent: {kind: command"), @r"
    c.yml:1:8: error[invalid-yaml]: this is not YAML: unclosed bracket '{'
       |
     1 | agent: {kind: command
       |        ^
    ");
    insta::assert_snapshot!(errors("gates:\n  tests: {}\n  tests: {}\n"), @r"
    c.yml:3:3: error[duplicate-key]: the key `tests` is there twice
       |
     3 |   tests: {}
       |   ^
      hint: keep one of them
    ");
    assert!(errors(&"#".repeat(CONFIG_MAX_BYTES + 1)).contains("longer than"));
}

#[test]
fn limits_hold_at_their_borders() {
    for (text, good) in [
        ("concurrency: 1", true),
        ("concurrency: 256", true),
        ("concurrency: 257", false),
        ("concurrency: -1", false),
        ("concurrency: 2.5", false),
        ("concurrency: '2'", false),
        ("concurrency: 0x10", false),
        ("concurrency: 010", false),
        ("concurrency: true", false),
        ("concurrency: 340282366920938463463374607431768211456", false),
        ("time-limit-minutes: 1440", true),
        ("time-limit-minutes: 1441", false),
        ("time-limit-minutes: 0", false),
        ("gates: {tests: {time-limit-minutes: 0}}", false),
        ("subagents: {a: {time-limit-minutes: 1441}}", false),
    ] {
        assert_eq!(read(text).is_ok(), good, "{text}");
    }
}

#[test]
fn the_digest_changes_with_who_may_touch_what_and_what_verifies_it_only() {
    let digest = |text: &str| read(text).unwrap().digest();
    let default = digest("");
    for same in ["concurrency: 3", "time-limit-minutes: 3", "pass-environment: []", "limits: { cost: 3 }"] {
        assert_eq!(digest(same), default, "{same}");
    }
    for other in [
        "protected-paths: []",
        "subagents: {a: {scope: [x]}}",
        "subagents: {a: {access: read-only}}",
        "subagents: {a: {pass-environment: [KEY]}}",
        "gates: {tests: {commands: [make]}}",
        "gates: {tests: {junit: [x.xml]}}",
        "agent: {command: [x]}",
        "agent: {kind: claude}",
        "agents: {claude: {permissions: full}}",
        "pass-environment: [KEY]",
    ] {
        assert_ne!(digest(other), default, "{other}");
    }
    assert_eq!(
        digest("gates: {tests: {commands: [make]}}"),
        digest("gates: {tests: {commands: [make], time-limit-minutes: 5}}")
    );
}

#[test]
fn the_schema_has_the_keys_that_are_read() {
    let schema = schema(&KINDS);
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    let keys =
        |properties: &serde_json::Value| properties.as_object().unwrap().keys().cloned().collect::<BTreeSet<String>>();
    let ours = |keys: &[&str]| keys.iter().map(ToString::to_string).collect::<BTreeSet<String>>();
    assert_eq!(keys(&schema["properties"]), ours(&CONFIG_KEYS));
    for (name, known) in [
        ("AgentConfig", &AGENT_KEYS[..]),
        ("AgentSettings", &SETTINGS_KEYS),
        ("Limits", &LIMITS_KEYS),
        ("Price", &PRICE_KEYS),
        ("SubagentConfig", &SUBAGENT_KEYS),
        ("GateConfig", &GATE_KEYS),
        ("WorkflowConfig", &WORKFLOW_KEYS),
        ("WorkflowSubagent", &WORKFLOW_SUBAGENT_KEYS),
        ("WorkflowDispatch", &WORKFLOW_DISPATCH_KEYS),
    ] {
        assert_eq!(keys(&schema["$defs"][name]["properties"]), ours(known), "{name}");
        assert_eq!(schema["$defs"][name]["additionalProperties"], false, "{name}");
    }
    assert_eq!(schema["$defs"]["AgentKind"]["enum"], serde_json::json!(KINDS));
    assert_eq!(schema["properties"]["agents"]["propertyNames"]["enum"], serde_json::json!(["claude", "codex"]));
    let gates = GateKind::ALL.map(GateKind::name);
    assert_eq!(schema["properties"]["gates"]["propertyNames"]["enum"], serde_json::json!(gates));
    assert_eq!(schema["properties"]["concurrency"]["maximum"], CONCURRENCY_MAX);
    assert_eq!(schema["properties"]["time-limit-minutes"]["maximum"], TIME_LIMIT_MAX_MINUTES);
}

#[test]
fn names_are_those_that_serde_writes() {
    for role in Role::ALL {
        assert_eq!(serde_json::to_value(role).unwrap(), role.name());
    }
    for access in Access::ALL {
        assert_eq!(serde_json::to_value(access).unwrap(), access.name());
    }
}

#[test]
fn the_built_in_list_protects_what_steers_agents_and_runners_and_nothing_of_a_backend() {
    for path in DEFAULT_PROTECTED_PATHS {
        assert_eq!(values::glob(path.glob), Ok(()), "{}", path.glob);
        assert!(!path.reason.is_empty());
    }
    let protected = CompiledScope::new(&Scope { allow: Config::default().protected_paths(), deny: [].into() }).unwrap();
    for path in [
        ".github/workflows/ci.yml",
        ".github/workflows",
        ".github/actions/a/action.yml",
        ".github/agents/a.agent.md",
        ".github/backend-implementer.yml",
        ".backend-implementer/runs/1/summary.md",
        ".claude/settings.json",
        "services/api/.claude/agents/a.md",
        "services/api/.claude",
        "CLAUDE.md",
        "services/api/CLAUDE.md",
        "AGENTS.md",
        "GEMINI.md",
        ".mcp.json",
        ".codex/config.toml",
        ".gemini/settings.json",
        ".opencode/x",
        ".cursor/rules/a.mdc",
        ".gitattributes",
        "vendor/.gitattributes",
        ".gitmodules",
    ] {
        assert!(protected.allows(path), "{path}");
    }
    for path in ["src/main.rs", "README.md", "docs/AGENTS.md.txt", "Dockerfile", ".github/README.md", "tests/a_test.py"]
    {
        assert!(!protected.allows(path), "{path}");
    }
}

#[test]
fn the_documented_examples_are_configurations() {
    let page = include_str!("../../../../docs/configuration.md");
    let examples: Vec<_> = page.split("```yaml\n").skip(1).map(|rest| rest.split_once("\n```").unwrap().0).collect();
    assert!(!examples.is_empty());
    for example in examples {
        if let Err(diagnostics) = Config::read("docs/configuration.md", example, &KINDS) {
            panic!("{}", diagnostics.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"));
        }
    }
    let every: BTreeSet<_> = [
        &CONFIG_KEYS[..],
        &AGENT_KEYS,
        &SUBAGENT_KEYS,
        &GATE_KEYS,
        &GRANULARITY_KEYS,
        &PULL_REQUEST_KEYS,
        &WORKFLOW_KEYS,
        &WORKFLOW_SUBAGENT_KEYS,
        &WORKFLOW_DISPATCH_KEYS,
    ]
    .concat()
    .into_iter()
    .collect();
    for key in every {
        assert!(page.contains(&format!("`{key}`")), "docs/configuration.md does not document `{key}`");
    }
    for path in DEFAULT_PROTECTED_PATHS {
        assert!(page.contains(&format!("`{}`", path.glob)), "docs/configuration.md does not list `{}`", path.glob);
    }
}

proptest! {
    #[test]
    fn no_text_makes_reading_panic(text in "(?s).{0,200}") {
        let _ = read(&text);
    }

    #[test]
    fn yaml_like_text_is_read_or_refused_with_places(
        lines in prop::collection::vec("( |  |    )?(agent|gates|tests|subagents|scope|concurrency|x|- a|- \\[b)(:|: 1|: \\[a\\])?", 0..8)
    ) {
        let text = lines.join("\n");
        if let Err(diagnostics) = read(&text) {
            prop_assert!(!diagnostics.is_empty());
            for diagnostic in diagnostics {
                prop_assert!(diagnostic.is_error() && diagnostic.position.is_some(), "{diagnostic} of {text:?}");
            }
        } else {
            // What we accept, serde accepts too, but for keys with nothing behind them.
            prop_assert!(text.contains(":\n") || text.ends_with(':') || text.is_empty()
                || crate::yaml::from_str::<Config>(&text).is_ok(), "{text:?}");
        }
    }
}

#[test]
fn what_happens_on_pull_requests_is_read_and_is_no_part_of_the_lock() {
    let text = "pull-request:\n  plan-files: ['plans/*.md']\n  run-label: go\n  bots: ['planner[bot]']\n  \
                live-comment: false\n  update-seconds: 60\n  checks: false\n";
    let config = read(text).unwrap();
    let pull_request = &config.pull_request;
    assert_eq!(pull_request.plan_files(), ["plans/*.md"]);
    assert_eq!((pull_request.live_comment(), pull_request.checks()), (false, false));
    assert_eq!(pull_request.update_every(), Duration::from_secs(60));
    assert_eq!(config.digest(), Config::default().digest());
    assert_eq!(Config::default().pull_request.plan_files(), [DEFAULT_PLAN_FILE]);

    let wrong = read("pull-request:\n  bots: ['x y']\n  checks: 1\n  update-seconds: 2\n  labl: x\n");
    let codes: Vec<_> = wrong.unwrap_err().into_iter().map(|diagnostic| diagnostic.code).collect();
    assert_eq!(codes, ["invalid-login", "wrong-type", "out-of-range", "unknown-key"]);
}

#[test]
fn agents_and_limits_are_wrong_in_their_own_words() {
    insta::assert_snapshot!(
        errors(
            "agent: {kind: cluade}\nagents:\n  codx: {}\n  command: {}\n  claude:\n    permissions: none\n    arguments: --x\n    prices: {m: {input: 1}}\n    pass-environment: [GITHUB_TOKEN]\nlimits: {turns: 0, cost: 0, run-cost: 1.0000001, run-minutes: 20000}\n"
        ),
        @r"
    c.yml:1:15: error[unknown-value]: `agent.kind` cannot be `cluade`: it is one of `command`, `claude`, `codex`
       |
     1 | agent: {kind: cluade}
       |               ^
      hint: did you mean `claude`?
    c.yml:3:3: error[unknown-key]: `agents` has no key `codx`
       |
     3 |   codx: {}
       |   ^
      hint: did you mean `codex`?
    c.yml:4:3: error[unknown-key]: `agents` has no key `command`
       |
     4 |   command: {}
       |   ^
      hint: did you mean `agent.command`?
    c.yml:6:18: error[unknown-value]: `agents.claude.permissions` cannot be `none`: it is one of `own`, `full`
       |
     6 |     permissions: none
       |                  ^
    c.yml:7:16: error[wrong-type]: `agents.claude.arguments` must be a list, not text
       |
     7 |     arguments: --x
       |                ^
      hint: write `['--x']`
    c.yml:8:14: error[missing-key]: `agents.claude.prices.m` needs both `input` and `output`
       |
     8 |     prices: {m: {input: 1}}
       |              ^
      hint: in dollars for a million tokens
    c.yml:9:24: error[refused-environment]: `GITHUB_TOKEN` in `agents.claude.pass-environment` belongs to GitHub: such names hold its tokens, and the files by which a process can steer later steps
       |
     9 |     pass-environment: [GITHUB_TOKEN]
       |                        ^
      hint: take it off the list; what a subagent needs goes under a name of its own
    c.yml:10:17: error[out-of-range]: `limits.turns` must be a whole number from 1 to 10000, not 0
        |
     10 | limits: {turns: 0, cost: 0, run-cost: 1.0000001, run-minutes: 20000}
        |                 ^
    c.yml:10:26: error[out-of-range]: `limits.cost` must be more than 0: with nothing to spend, nothing can be done
        |
     10 | limits: {turns: 0, cost: 0, run-cost: 1.0000001, run-minutes: 20000}
        |                          ^
    c.yml:10:39: error[out-of-range]: `limits.run-cost` must be dollars from 0 to 1000000, with at most six places behind the point, not 1.0000001
        |
     10 | limits: {turns: 0, cost: 0, run-cost: 1.0000001, run-minutes: 20000}
        |                                       ^
      hint: such as `2.50`
    c.yml:10:63: error[out-of-range]: `limits.run-minutes` must be a whole number from 1 to 10080, not 20000
        |
     10 | limits: {turns: 0, cost: 0, run-cost: 1.0000001, run-minutes: 20000}
        |                                                               ^
    "
    );
}

#[test]
fn a_subagent_has_the_agent_the_limits_and_the_variables_that_are_nearest_to_it() {
    let config = read(
        "agent: {kind: claude}\nagents: {claude: {pass-environment: [KEY]}, codex: {pass-environment: [OTHER]}}\n\
         limits: {turns: 9, cost: 3}\npass-environment: [ALL]\n\
         subagents: {a: {kind: codex, turns: 4}, b: {command: [x], cost: 1}}\n",
    )
    .unwrap();
    let of = |subagent: &str| {
        let name = name(subagent);
        let environment = config.environment(&name).into_iter().collect::<Vec<_>>().join(" ");
        let cost = config.cost(&name).map(|cost| cost.to_string());
        (config.kind(&name).to_string(), config.turns(&name), cost, environment)
    };
    assert_eq!(of("a"), ("codex".to_owned(), Some(4), Some("3".to_owned()), "ALL OTHER".to_owned()));
    assert_eq!(of("b"), ("command".to_owned(), Some(9), Some("1".to_owned()), "ALL".to_owned()));
    assert_eq!(of("c"), ("claude".to_owned(), Some(9), Some("3".to_owned()), "ALL KEY".to_owned()));
    assert_eq!(Config::default().kind(&name("c")), AgentKind::command());
}

#[test]
fn what_steers_agents_is_protected_and_the_other_way_round() {
    let protected: BTreeSet<_> = DEFAULT_PROTECTED_PATHS
        .iter()
        .filter(|path| path.reason.contains("agents obey") || path.reason.contains("agent programs run"))
        .map(|path| path.glob)
        .collect();
    let steering = AGENT_INSTRUCTIONS.iter().chain(AGENT_SETTINGS_FILES).copied();
    assert_eq!(protected, steering.clone().collect());
    assert!(CompiledScope::new(&Scope { allow: steering.map(str::to_owned).collect(), deny: [].into() }).is_ok());
}

#[test]
fn what_is_wrong_in_the_workflow_section_is_told_with_its_place() {
    let wrong = "workflow:\n  action: acme/implementer@v1\n  runs-on: ['two words']\n  waves: 99\n  setup: [{ name: x }]\n  \
                 secrets: [GITHUB_TOKEN]\n  colour: blue\n  subagents:\n    '': {}\n";
    let found = read(wrong).unwrap_err();
    let codes: Vec<_> = found.iter().map(|found| (found.code.as_str(), found.position.unwrap().line)).collect();
    let wanted = [
        ("invalid-action", 2),
        ("invalid-label", 3),
        ("out-of-range", 4),
        ("invalid-step", 5),
        ("refused-environment", 6),
        ("unknown-key", 7),
        ("invalid-name", 9),
    ];
    for wanted in wanted {
        assert!(codes.contains(&wanted), "{wanted:?} is not in {codes:?}");
    }
}

#[test]
fn what_is_wrong_in_a_dispatch_is_told_with_its_place() {
    let head = "workflow:\n  subagents:\n    backend-validation-agent:\n";
    let read = |dispatch: &str| read(&format!("{head}{dispatch}"));
    let whole = "      dispatch:\n        workflow: validation.yml\n        repository: acme/labs\n        ref: release/1.x\n        \
                 token: LABS_TOKEN\n        inputs: { size: large, count: 3 }\n";
    let config = read(whole).unwrap();
    let name = SubagentName::new("backend-validation-agent").unwrap();
    let dispatch = config.workflow.dispatch(&name).unwrap();
    assert_eq!(
        (dispatch.repository.as_deref(), dispatch.reference.as_deref()),
        (Some("acme/labs"), Some("release/1.x"))
    );
    assert_eq!((dispatch.token.as_deref(), dispatch.inputs["count"].as_str()), (Some("LABS_TOKEN"), "3"));
    assert!(config.workflow.dispatches());

    for (wrong, code, line) in [
        ("      dispatch: {}\n", "invalid-workflow", 4),
        ("      dispatch: validation.yml\n", "wrong-type", 4),
        ("      dispatch: { workflow: ../x.yml }\n", "invalid-workflow", 4),
        ("      dispatch: { workflow: x.yml, repository: acme/labs }\n", "no-token", 4),
        ("      dispatch: { workflow: x.yml, repository: acme, token: T }\n", "invalid-repository", 4),
        ("      dispatch: { workflow: x.yml, repository: ../.., token: T }\n", "invalid-repository", 4),
        ("      dispatch: { workflow: x.yml, ref: -x }\n", "invalid-ref", 4),
        ("      dispatch: { workflow: x.yml, ref: a..b }\n", "invalid-ref", 4),
        ("      dispatch: { workflow: x.yml, token: GITHUB_TOKEN }\n", "refused-environment", 4),
        ("      dispatch: { workflow: x.yml, inputs: { job: 1 } }\n", "invalid-input", 4),
        ("      dispatch: { workflow: x.yml, inputs: { a b: 1 } }\n", "invalid-input", 4),
        ("      dispatch: { workflow: x.yml, file: y }\n", "unknown-key", 4),
        ("      runs-on: [self-hosted]\n      dispatch: { workflow: x.yml }\n", "dispatched", 4),
        ("      work: [{ run: x }]\n      dispatch: { workflow: x.yml }\n", "dispatched", 4),
    ] {
        let found = read(wrong).unwrap_err();
        let told: Vec<_> = found.iter().map(|found| (found.code.as_str(), found.position.unwrap().line)).collect();
        assert_eq!(told, [(code, line)], "{wrong}");
    }
    let many: String = (0..24).map(|at| format!("          in-{at}: x\n")).collect();
    let found = read(&format!("      dispatch:\n        workflow: x.yml\n        inputs:\n{many}")).unwrap_err();
    assert!(found[0].message.contains("24 inputs, and there is room for 23"), "{found:#?}");
}
