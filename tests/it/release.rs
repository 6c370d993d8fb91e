//! What a release is made of: the set-up step that checks what it fetches, names in one place, and files that fit together.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use implementer_model::ids::Digest;

use crate::support::{Called, PROGRAM};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(ROOT).join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A release in a folder: the set-up step as its commit has it, and a server of downloads.
struct Release {
    folder: tempfile::TempDir,
}

impl Release {
    fn new(served: &str, promised: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |path: &str| folder.path().join(path);
        fs::create_dir_all(at("setup")).unwrap();
        fs::create_dir_all(at("downloads/v1.2.3")).unwrap();
        fs::copy(Path::new(ROOT).join("setup/install.sh"), at("setup/install.sh")).unwrap();
        let digest = Digest::from_content(promised);
        let lines: String = ["linux-x86_64", "linux-aarch64", "macos-x86_64"]
            .map(|name| format!("{}  backend-implementer-{name}\n", digest.hex()))
            .concat();
        fs::write(at("setup/release"), format!("version 1.2.3\nrepository acme/implementer\n{lines}")).unwrap();
        for name in ["linux-x86_64", "linux-aarch64"] {
            fs::write(at(&format!("downloads/v1.2.3/backend-implementer-{name}")), served).unwrap();
        }
        Self { folder }
    }

    fn at(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// Runs the set-up on a machine that calls itself so.
    fn install(&self, system: &str, machine: &str) -> Called {
        let tools = self.at("tools");
        fs::create_dir_all(&tools).unwrap();
        let uname = format!("#!/bin/sh\ncase $1 in -s) echo {system} ;; -m) echo {machine} ;; esac\n");
        fs::write(tools.join("uname"), uname).unwrap();
        fs::set_permissions(tools.join("uname"), fs::Permissions::from_mode(0o755)).unwrap();
        let path = format!("{}:{}", tools.display(), std::env::var("PATH").unwrap());
        let downloads = format!("file://{}", self.at("downloads").display());
        let mut command = Command::new("bash");
        command.env_clear().env("PATH", path).env("BACKEND_IMPLEMENTER_DOWNLOADS", downloads);
        Called::of(command.arg(self.at("setup/install.sh")).arg(self.at("bin")).output().unwrap())
    }
}

#[test]
fn the_set_up_fetches_the_program_for_this_machine_and_checks_it() {
    let program = "#!/bin/sh\necho it works\n";
    for (system, machine) in [("Linux", "x86_64"), ("Linux", "arm64")] {
        let release = Release::new(program, program);
        release.install(system, machine).expect(0);
        let ran = Command::new(release.at("bin/backend-implementer")).output().unwrap();
        assert_eq!(ran.stdout, b"it works\n");
        assert!(release.at("bin/backend-implementer-action").is_file(), "under this name it is a step");
    }
}

#[test]
fn what_is_not_what_the_commit_says_is_not_used() {
    let release = Release::new("#!/bin/sh\necho evil\n", "#!/bin/sh\necho good\n");
    let refused = release.install("Linux", "x86_64").expect(1);
    assert!(refused.stderr.contains("it is not used"), "{}", refused.stderr);
    assert_eq!(fs::read_dir(release.at("bin")).unwrap().count(), 0, "nothing of it stays");
}

#[test]
fn machines_without_a_binary_and_commits_that_are_no_release_are_told_so() {
    let release = Release::new("x", "x");
    for (system, machine, said) in [
        ("Windows_NT", "x86_64", "no binary for Windows_NT"),
        ("Linux", "riscv64", "no binary for riscv64"),
        ("Darwin", "arm64", "has no backend-implementer-macos-aarch64"),
        ("Darwin", "x86_64", "cannot be downloaded"),
    ] {
        let refused = release.install(system, machine).expect(1);
        assert!(refused.stderr.contains(said), "{}", refused.stderr);
    }
    fs::remove_file(release.at("setup/release")).unwrap();
    assert!(release.install("Linux", "x86_64").expect(1).stderr.contains("is no release"));
}

#[test]
fn our_own_repository_is_named_in_the_manifest_and_where_people_install_alone() {
    let name = env!("CARGO_PKG_REPOSITORY").rsplit_once(".com/").unwrap().1;
    let mut named = Vec::new();
    for path in ["action.yml", "setup/action.yml", "setup/install.sh", "Dockerfile", "README.md", "scripts/release"] {
        if read(path).contains(name) {
            named.push(path.to_owned());
        }
    }
    for folder in [".github/workflows", "docs", "examples/workflows"] {
        for entry in fs::read_dir(Path::new(ROOT).join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() && fs::read_to_string(&path).unwrap().contains(name) {
                named.push(path.display().to_string());
            }
        }
    }
    // People copy a line from there; whoever moves the repository is told here.
    let to_copy = ["README.md".to_owned(), Path::new(ROOT).join("docs/install.md").display().to_string()];
    assert_eq!(named, to_copy, "{name} belongs into Cargo.toml, and into lines that people copy to install");
}

#[test]
fn the_description_is_one_that_the_marketplace_takes() {
    let action = read("action.yml");
    let description = action.lines().find_map(|line| line.strip_prefix("description: ")).expect("in one line");
    assert!((1..=125).contains(&description.chars().count()), "{}", description.chars().count());
    // What the release replaces by the image's digest.
    assert!(action.contains("\n  image: Dockerfile\n"));
}

#[test]
fn the_image_is_built_from_everything_that_the_program_is_built_from() {
    let ignored = read(".dockerignore");
    let (admitted, rest): (Vec<_>, Vec<_>) =
        ignored.lines().filter(|line| !line.starts_with('#')).partition(|line| line.starts_with('!'));
    assert_eq!(rest, ["*"], "nothing but what is named");
    let is_admitted = |path: &str| {
        let mut names = admitted.iter().map(|line| &line[1..]);
        names.any(|name| path == name || path.strip_prefix(name).is_some_and(|rest| rest.starts_with('/')))
    };
    // What Cargo wrote down when it built the program, with what the sources include and the build script.
    let written = fs::read_to_string(format!("{PROGRAM}.d")).expect("Cargo writes it beside the program");
    let read: Vec<_> = written.split_whitespace().filter_map(|path| path.strip_prefix(&format!("{ROOT}/"))).collect();
    assert!(read.contains(&"build.rs") && read.contains(&"src/main.rs"), "{read:?}");
    let needed = read.into_iter().filter(|path| !path.starts_with("target/") && !path.starts_with(".git/"));
    let missing: Vec<_> = needed.chain(["Cargo.toml", "Cargo.lock"]).filter(|path| !is_admitted(path)).collect();
    assert!(missing.is_empty(), ".dockerignore keeps from the image what it is built from: {missing:?}");
}

#[test]
fn the_image_knows_the_commit_that_it_is_built_from() {
    let (dockerfile, workflow) = (read("Dockerfile"), read(".github/workflows/release.yml"));
    let build = dockerfile.split("FROM ").find(|stage| stage.contains("cargo build")).unwrap();
    let (before, _) = build.split_once("RUN cargo build").unwrap();
    assert!(before.contains("\nARG IMPLEMENTER_COMMIT"), "a stage sees what it declares before it builds: {build}");
    assert!(workflow.contains("--build-arg \"IMPLEMENTER_COMMIT=$SHA\""), "{workflow}");
}

#[test]
fn nothing_is_compiled_in_a_users_job() {
    for path in ["examples/workflows/backend-implementer.yml", "examples/workflows/fan-out.yml", "setup/action.yml"] {
        let text = read(path);
        assert!(!text.contains("cargo") && !text.contains("docker build"), "{path}");
    }
}
