//! The table of runners with how each is asked.

use super::{Folders, NEXTEST_SETTING, Where};

/// A runner that was recognised, with the command that asks it.
pub(super) struct Runner {
    pub(super) name: &'static str,
    pub(super) found: Where,
    pub(super) arguments: Vec<String>,
    pub(super) environment: Vec<(String, String)>,
}

/// Options by which somebody asks for results already: theirs stay as they are, and are looked for where they write.
const ASKED_ALREADY: [&str; 12] = [
    "--junitxml",
    "--junit-xml",
    "--log-junit",
    "--reporter",
    "--outputFile",
    "--json",
    "--test-reporter",
    "--junitfile",
    "--output-junit",
    "--junit-path",
    "--xunit-output",
    "--file-reporter",
];

/// Recognises a runner by the beginning of its command.
pub(super) fn find(argv: &[String], folders: Folders<'_>) -> Option<Runner> {
    let program = argv.first()?.rsplit('/').next()?;
    let results = folders.results;
    let rest: Vec<&str> = argv[1..].iter().map(String::as_str).collect();
    let first = rest.first().copied().unwrap_or_default();
    let already = rest
        .iter()
        .any(|word| ASKED_ALREADY.iter().any(|option| word == option || word.starts_with(&format!("{option}="))));
    let with = |name, added: &[String]| {
        let mut arguments = argv.to_vec();
        arguments.extend(added.iter().cloned());
        Some(Runner { name, found: Where::Results, arguments, environment: Vec::new() })
    };
    let same = |name, found| Some(Runner { name, found, arguments: argv.to_vec(), environment: Vec::new() });
    if is_python(program) {
        return python(argv, folders, already);
    }
    if already {
        return None;
    }
    match program {
        // These read their environment.
        "pytest" | "py.test" => same("pytest", Where::Results),
        "robot" => same("Robot Framework", Where::Results),
        "rspec" => same("RSpec", Where::Results),
        "prove" => same("prove", Where::Results),
        "nose2" => with(
            "nose2",
            &[
                "--plugin".to_owned(),
                "nose2.plugins.junitxml".to_owned(),
                "--junit-xml".to_owned(),
                "--junit-xml-path".to_owned(),
                format!("{results}/nose2.xml"),
            ],
        ),
        "green" => with("green", &["--junit-report".to_owned(), format!("{results}/green.xml")]),
        "behave" => {
            with("behave", &["--junit".to_owned(), "--junit-directory".to_owned(), format!("{results}/behave")])
        }
        "node" if node_options(argv, folders).is_some() => {
            let at = argv.iter().position(|word| word == "--test")? + 1;
            let mut arguments = argv.to_vec();
            arguments.splice(at..at, node_arguments(folders));
            Some(Runner { name: "node --test", found: Where::Results, arguments, environment: Vec::new() })
        }
        "jest" => with("jest", &["--json".to_owned(), format!("--outputFile={results}/jest.json")]),
        "vitest" => with(
            "vitest",
            &[
                "--reporter=default".to_owned(),
                "--reporter=junit".to_owned(),
                format!("--outputFile.junit={results}/vitest.xml"),
            ],
        ),
        "mocha" => with(
            "mocha",
            &[
                "--reporter".to_owned(),
                "xunit".to_owned(),
                "--reporter-options".to_owned(),
                format!("output={results}/mocha.xml"),
            ],
        ),
        "playwright" if first == "test" => {
            let mut runner = with("Playwright", &["--reporter=list,junit".to_owned()])?;
            for name in ["PLAYWRIGHT_JUNIT_OUTPUT_NAME", "PLAYWRIGHT_JUNIT_OUTPUT_FILE"] {
                runner.environment.push((name.to_owned(), format!("{results}/playwright.xml")));
            }
            Some(runner)
        }
        "deno" if first == "test" => with("deno test", &[format!("--junit-path={results}/deno.xml")]),
        "bun" if first == "test" => {
            with("bun test", &["--reporter=junit".to_owned(), format!("--reporter-outfile={results}/bun.xml")])
        }
        "cargo" => cargo(argv, folders),
        "go" if first == "test"
            && !rest.contains(&"-json")
            && !rest.iter().any(|word| matches!(*word, "-c" | "-exec" | "-list") || word.starts_with("-bench")) =>
        {
            let mut arguments = argv.to_vec();
            arguments.insert(2, "-json".to_owned());
            Some(Runner { name: "go test", found: Where::Output, arguments, environment: Vec::new() })
        }
        "go" if first == "test" && rest.contains(&"-json") => same("go test", Where::Output),
        "gotestsum" => {
            let mut arguments = argv.to_vec();
            arguments.insert(1, format!("--junitfile={results}/gotestsum.xml"));
            Some(Runner { name: "gotestsum", found: Where::Results, arguments, environment: Vec::new() })
        }
        "phpunit" | "pest" | "paratest" => {
            with("PHPUnit", &["--log-junit".to_owned(), format!("{results}/phpunit.xml")])
        }
        "bats" => {
            let mut arguments = argv.to_vec();
            let options =
                ["--report-formatter".to_owned(), "junit".to_owned(), "--output".to_owned(), results.to_owned()];
            arguments.splice(1..1, options);
            Some(Runner { name: "bats", found: Where::Results, arguments, environment: Vec::new() })
        }
        "ctest" => with("ctest", &["--output-junit".to_owned(), format!("{results}/ctest.xml")]),
        "swift" if first == "test" => {
            with("swift test", &["--xunit-output".to_owned(), format!("{results}/swift.xml")])
        }
        "flutter" | "dart" if first == "test" => {
            with("dart test", &["--file-reporter".to_owned(), format!("json:{results}/dart.json")])
        }
        "mvn" | "mvnw" | "mvnd"
            if rest.iter().any(|word| {
                matches!(*word, "test" | "verify" | "install" | "package" | "integration-test" | "deploy")
                    || word.starts_with("surefire:")
            }) =>
        {
            same("Maven Surefire", Where::Conventional)
        }
        "gradle" | "gradlew"
            if rest.iter().any(|word| {
                word.rsplit(':')
                    .next()
                    .is_some_and(|task| matches!(task, "test" | "check" | "build" | "integrationTest"))
            }) =>
        {
            same("Gradle", Where::Conventional)
        }
        _ => None,
    }
}

fn is_python(program: &str) -> bool {
    let version = program.strip_prefix("python").or_else(|| program.strip_prefix("pypy"));
    version.is_some_and(|version| version.chars().all(|c| c.is_ascii_digit() || c == '.'))
}

/// `python -m pytest`, `python -m unittest`, `python -m behave`.
fn python(argv: &[String], folders: Folders<'_>, already: bool) -> Option<Runner> {
    let at = argv.iter().position(|word| word == "-m")?;
    // Only options of Python may stand before it.
    if !argv[1..at]
        .iter()
        .all(|word| word.starts_with('-') || argv.iter().any(|option| matches!(option.as_str(), "-W" | "-X")))
    {
        return None;
    }
    let module = argv.get(at + 1)?;
    match module.as_str() {
        // The recorder comes by the environment, which these options have Python pass over.
        "unittest" if argv[1..at].iter().any(|word| ignores_environment(word)) => None,
        "unittest" => {
            Some(Runner { name: "unittest", found: Where::Results, arguments: argv.to_vec(), environment: Vec::new() })
        }
        _ if already => None,
        "pytest" | "nose2" | "green" | "behave" | "robot" => {
            let inner = find(&argv[at + 1..], folders)?;
            let mut arguments = argv[..=at].to_vec();
            arguments.extend(inner.arguments);
            Some(Runner { arguments, ..inner })
        }
        _ => None,
    }
}

/// Tells whether a word has one of Python's options `-E`, `-I` and `-S`, alone or among others.
fn ignores_environment(word: &str) -> bool {
    let letters = word.strip_prefix('-').filter(|letters| !letters.starts_with(['-', 'W', 'X']));
    letters.is_some_and(|letters| letters.contains(['E', 'I', 'S']))
}

/// `cargo test` asks by the environment, and `cargo nextest run` by a setting that comes after the repository's own.
fn cargo(argv: &[String], folders: Folders<'_>) -> Option<Runner> {
    let mut words = argv[1..].iter().map(String::as_str).filter(|word| !word.starts_with(['-', '+']));
    let mut arguments = argv.to_vec();
    match (words.next()?, words.next()) {
        ("test" | "t", _) if !argv.iter().any(|word| matches!(word.as_str(), "--no-run" | "--doc")) => {
            Some(Runner { name: "cargo test", found: Where::Results, arguments, environment: Vec::new() })
        }
        ("nextest", Some("run" | "r")) => {
            let at = arguments.iter().position(|word| word == "run" || word == "r")? + 1;
            let setting = format!("implementer:{}/{NEXTEST_SETTING}", folders.helpers);
            arguments.splice(at..at, ["--tool-config-file".to_owned(), setting]);
            Some(Runner { name: "cargo nextest", found: Where::Conventional, arguments, environment: Vec::new() })
        }
        _ => None,
    }
}

fn node_arguments(folders: Folders<'_>) -> [String; 4] {
    [
        "--test-reporter=junit".to_owned(),
        format!("--test-reporter-destination={}/node.xml", folders.results),
        "--test-reporter=spec".to_owned(),
        "--test-reporter-destination=stdout".to_owned(),
    ]
}

/// Returns what `node --test` reads from `NODE_OPTIONS`; none for another command.
pub(super) fn node_options(argv: &[String], folders: Folders<'_>) -> Option<String> {
    let node = argv.first()?.rsplit('/').next()? == "node";
    (node && argv.iter().any(|word| word == "--test")).then(|| node_arguments(folders).join(" "))
}
