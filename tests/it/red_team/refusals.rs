//! Where no subagent may start at all, and where one starts only because it is kept from what is there: too little isolation,
//! the runner of a container action, a user who may become root.

use std::{fs, process::Command};

use implementer_model::isolation::Level;
use serde_json::json;

use super::stage::{CONTAINER_RIGHTS, ORDINARY, Stage, can_mount, give};
use crate::support::{Called, PROGRAM, Ran};

/// Makes a root folder that is this machine's and has what a runner mounts into a container action, and becomes the program
/// there: `sh -c SCRIPT sh ROOT PROGRAM-AND-ARGUMENTS…`, in a mount namespace of its own.
const AS_IN_A_CONTAINER_ACTION: &str = r#"set -e
root=$1; shift
mount --bind "$root" "$root"
for entry in /*; do
  if [ -L "$entry" ]; then cp -P "$entry" "$root$entry"
  elif [ -d "$entry" ]; then mkdir "$root$entry"; mount --rbind "$entry" "$root$entry"; fi
done
mount -t tmpfs -o mode=0755 none "$root/run"
# Who has which user id is said here; these processes are not hidden from other runs on this machine, as in a container.
mkdir -p -m 0700 /run/backend-implementer "$root/run/backend-implementer"
mount --bind /run/backend-implementer "$root/run/backend-implementer"
mkdir -p "$root/github/workspace" "$root/github/file_commands" "$root/github/runner_temp" "$root/github/home"
touch "$root/github/file_commands/set_env" "$root/github/file_commands/output"
chmod 0777 "$root/github/file_commands" "$root/github/runner_temp"
chmod 0666 "$root/github/file_commands/set_env" "$root/github/file_commands/output"
exec chroot "$root" python3 -c '
import os, socket, subprocess, sys
engine = socket.socket(socket.AF_UNIX)
engine.bind("/run/docker.sock")
os.chown("/run/docker.sock", 0, 998)
os.chmod("/run/docker.sock", int(os.environ["ENGINE_MODE"], 8))
engine.listen()
sys.exit(subprocess.call(sys.argv[1:]))
' "$@"
"#;

/// Tries to speak to the container engine, to the runner and to read the coordinator's token, and reports what it could.
const SPEAK_FOR_THE_JOB: &str = "\
engine = socket.socket(socket.AF_UNIX)\n\
could = [path for path in ('/var/run/docker.sock', '/run/docker.sock') if attempt(lambda: engine.connect(path) or True)]\n\
could += [path for path in glob.glob('/github/file_commands/*') + [os.environ.get('GITHUB_ENV', '/github/file_commands/set_env')]\n          \
          if attempt(lambda: open(path, 'a').write('PATH=/evil') or True)]\n\
could += ['/github/' + name for name in ('file_commands', 'runner_temp', 'home', 'workspace')\n          \
          if attempt(lambda: pathlib.Path('/github', name, 'evil').write_text('evil'))]\n\
could += [path for path in glob.glob('/proc/[0-9]*/environ')\n          \
          if b'staple-of-the-coordinator' in (attempt(lambda: open(path, 'rb').read()) or b'')]\n\
pathlib.Path('src/hello.py').write_text(f'{could}\\n')\n";

fn in_a_container_action(stage: &Stage, rights: &str, engine_mode: &str) -> Ran {
    let (root, out) = (stage.bench.path("root"), stage.bench.path("out"));
    let _ = fs::remove_dir_all(&out);
    fs::create_dir(&root).unwrap();
    let mut command = stage.bench.command("unshare");
    command.args(["--mount", "sh", "-c", AS_IN_A_CONTAINER_ACTION, "sh"]).arg(&root);
    command.args(["setpriv", "--bounding-set", rights, "--", "env", "-C"]).arg(stage.bench.repo());
    command.args([PROGRAM, "run", "--out"]).arg(&out);
    command.envs([
        ("ENGINE_MODE", engine_mode),
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_WORKSPACE", "/github/workspace"),
        ("GITHUB_ENV", "/github/file_commands/set_env"),
        ("GITHUB_OUTPUT", "/github/file_commands/output"),
        ("RUNNER_TEMP", "/github/runner_temp"),
        ("INPUT_TOKEN", "staple-of-the-coordinator"),
        ("GITHUB_TOKEN", "staple-of-the-coordinator"),
    ]);
    let called = Called::of(command.output().unwrap());
    fs::remove_dir_all(&root).unwrap();
    Ran { called, out }
}

#[test]
fn a_container_action_keeps_its_subagents_from_all_that_the_runner_mounts() {
    if let Some(why) = can_mount() {
        eprintln!("SKIPPED: {why}");
        return;
    }
    for rights in [CONTAINER_RIGHTS, "+all"] {
        let stage = Stage::new(Level::Uid);
        stage.attack(json!({ "src/__init__.py": "" }), SPEAK_FOR_THE_JOB);
        let ran = in_a_container_action(&stage, rights, "0660").expect(0);
        let patch = fs::read_to_string(ran.out.join("tasks/feature/patch.diff")).unwrap();
        assert!(patch.contains("+[]\n"), "{rights}: {patch}");
        assert_eq!(ran.handoff().isolation.level, Level::Uid, "{rights}");
    }
    // An engine that listens to everybody: where it cannot be hidden no subagent starts, and it is told why.
    let stage = Stage::new(Level::Uid);
    stage.attack(json!({ "src/__init__.py": "" }), SPEAK_FOR_THE_JOB);
    let ran = in_a_container_action(&stage, CONTAINER_RIGHTS, "0666").expect(3);
    assert!(ran.called.stderr.contains("no subagent is started: it could reach"), "{}", ran.called.stderr);
    assert!(ran.called.stderr.contains("docker.sock"), "{}", ran.called.stderr);
    assert!(!ran.out.join("tasks/feature").exists(), "no subagent was started");
    let hidden = in_a_container_action(&stage, "+all", "0666").expect(0);
    let patch = fs::read_to_string(hidden.out.join("tasks/feature/patch.diff")).unwrap();
    assert!(patch.contains("+[]\n"), "{patch}");
}

/// As in a container: the coordinator is the first process, and its own process group is one of outside.
#[test]
fn a_coordinator_can_be_the_first_process_of_a_namespace() {
    if let Some(why) = can_mount() {
        eprintln!("SKIPPED: {why}");
        return;
    }
    let stage = Stage::new(Level::Uid);
    stage.attack(json!({ "src/__init__.py": "" }), "");
    let out = stage.bench.path("out");
    let mut command = stage.bench.command("unshare");
    command.args(["--pid", "--fork", "--kill-child", "--mount-proc", PROGRAM, "run", "--out"]).arg(&out);
    let ran = Ran { called: Called::of(command.output().unwrap()), out }.expect(0);
    assert_eq!(ran.handoff().isolation.level, Level::Uid);
}

#[test]
fn isolation_that_is_required_and_not_available_starts_no_subagent() {
    let stage = Stage::new(Level::Landlock);
    if let Some(why) = super::stage::missing(Level::Landlock) {
        eprintln!("SKIPPED: {why}");
        return;
    }
    let (begun, out) = (stage.bench.path("tmp/begun"), stage.bench.path("out"));
    stage.bench.script(&json!({ "*": { "run": ["touch", begun] } }));
    let agent = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support/agent.py");
    let agent = format!("agent:\n  kind: command\n  command: [python3, -B, {agent}, script.json]\n");
    // Asked for by name, and by saying nothing in a workflow.
    for (config, variables) in [("isolation: required\n", [("CI", "true")]), ("", [("GITHUB_ACTIONS", "true")])] {
        stage.bench.write(".github/backend-implementer.yml", &format!("{config}{agent}"));
        stage.bench.git(["-c", "safe.directory=*", "commit", "--quiet", "--all", "--message", "required"]);
        let mut command = stage.command(&["run".to_owned(), "--out".to_owned(), out.to_str().unwrap().to_owned()]);
        let called = Called::of(command.envs(variables).output().unwrap()).expect(3);
        for said in ["isolation is required", "`landlock`", "`namespaces`: ", "isolation: best"] {
            assert!(called.stderr.contains(said), "{config}: {said}: {}", called.stderr);
        }
        assert!(!begun.exists(), "a subagent was started");
        assert!(!out.join("handoff.json").exists());
    }
}

/// Lets an ordinary user become root without a password, in a mount namespace of its own, and becomes the program as that
/// user: `sh -c SCRIPT sh FOLDER USER PROGRAM-AND-ARGUMENTS…`.
const AS_ON_A_HOSTED_RUNNER: &str = r#"set -e
folder=$1 user=$2; shift 2
cp /etc/passwd "$folder/passwd"; echo "runner:x:$user:$user::/home/runner:/bin/sh" >>"$folder/passwd"
printf '#%s ALL=(ALL) NOPASSWD: ALL\nroot ALL=(ALL) ALL\nDefaults secure_path="/usr/sbin:/usr/bin:/sbin:/bin"\n' "$user" >"$folder/sudoers"
cp /etc/shadow "$folder/shadow"; echo 'runner:*:19000:0:99999:7:::' >>"$folder/shadow"
chown 0:0 "$folder/passwd" "$folder/shadow" "$folder/sudoers"
chmod 0644 "$folder/passwd"; chmod 0440 "$folder/shadow" "$folder/sudoers"
mount --bind "$folder/shadow" /etc/shadow
mount --bind "$folder/passwd" /etc/passwd
mount --bind "$folder/sudoers" /etc/sudoers
exec setpriv --reuid "$user" --regid "$user" --clear-groups -- "$@"
"#;

#[test]
fn a_user_of_a_workflow_who_may_become_root_gives_every_subagent_a_user_of_its_own() {
    let sudo = Command::new("sudo").arg("--version").output().is_ok_and(|output| output.status.success());
    if let Some(why) = can_mount().or((!sudo).then_some("there is no sudo")) {
        eprintln!("SKIPPED: {why}");
        return;
    }
    let stage = Stage::new(Level::Uid);
    stage.attack(
        json!({ "src/__init__.py": "" }),
        "root = attempt(lambda: subprocess.run(['sudo', '-n', 'true'], capture_output=True).returncode == 0)\n\
         pathlib.Path('src/hello.py').write_text(f'{os.getuid() >= 60600} {root}\\n')\n",
    );
    let (folder, out) = (stage.bench.path("as-runner"), stage.bench.path("out"));
    fs::create_dir(&folder).unwrap();
    give(&stage.bench.path(""), ORDINARY);
    let mut command = stage.bench.command("unshare");
    command.args(["--mount", "sh", "-c", AS_ON_A_HOSTED_RUNNER, "sh"]).arg(&folder).arg(ORDINARY.to_string());
    command.args([PROGRAM, "run", "--out"]).arg(&out);
    command.env("GITHUB_ACTIONS", "true").env("RUNNER_ENVIRONMENT", "github-hosted");
    command.env("GITHUB_WORKSPACE", stage.bench.path(""));
    // Its value must not show in the arguments of `sudo`, which everybody can read, and it has to arrive.
    command.env("INPUT_LABEL", "a value with blanks, commas and \"quotes\"");
    let ran = Ran { called: Called::of(command.output().unwrap()), out }.expect(0);
    assert_eq!(ran.handoff().isolation.level, Level::Uid);
    let patch = fs::read_to_string(ran.out.join("tasks/feature/patch.diff")).unwrap();
    assert!(patch.contains("+True False\n") || patch.contains("+True None\n"), "{patch}");
    // What was written is the runner's again.
    for path in [ran.out.clone(), ran.out.join("handoff.json"), ran.out.join("tasks/feature/patch.diff")] {
        use std::os::unix::fs::MetadataExt as _;
        assert_eq!(fs::metadata(&path).unwrap().uid(), ORDINARY, "{}", path.display());
    }
}

#[test]
fn the_walls_are_as_high_where_a_run_lies_in_its_default_place() {
    let root = rustix::process::geteuid().is_root();
    if let Some(why) = can_mount().or((!root).then_some("the tests do not run as root")) {
        eprintln!("SKIPPED: {why}");
        return;
    }
    let stage = Stage::new(Level::Uid);
    stage.attack(json!({ "src/hello.py": "" }), "pathlib.Path('/tmp/mine').write_text('x')\n");
    let runs = stage.bench.repo().join(".backend-implementer/runs");
    // Of the second one the folder with the first is there already, beside the plan.
    for number in 1..=2 {
        stage.bench.call(["run"]).expect(0);
        let mut folders: Vec<_> = fs::read_dir(&runs).unwrap().map(|entry| entry.unwrap().path()).collect();
        folders.retain(|path| path.is_dir());
        folders.sort_unstable();
        assert_eq!(folders.len(), number);
        let handoff = fs::read(folders.pop().unwrap().join("handoff.json")).unwrap();
        let isolation = implementer_model::handoff::Handoff::read(&handoff).unwrap().isolation;
        assert_eq!((isolation.level, isolation.passed_over), (Level::Uid, Vec::<String>::new()));
        assert_eq!(isolation.open, Vec::<String>::new());
    }
    assert!(!std::path::Path::new("/tmp/mine").exists());
}
