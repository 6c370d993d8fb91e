//! Many small attacks in one run: each says whether it came through, and none may. And what tools need all the same.

use std::{fs, os::unix::net::UnixListener, path::PathBuf};

use implementer_model::{handoff::Status, isolation::Level};
use serde_json::json;

use super::stage::at_each_level;

/// Each function is one attack. It returns something true, or makes a file, when it came through. `LEVEL`, `CONTAINER`, `SEGMENT`, `REPO`, `SOCKET`,
/// `ABSTRACT`, `OPEN_FOLDER` and `SETTINGS` are set before.
const ATTACKS: &str = r#"
import ctypes, resource, shutil
libc = ctypes.CDLL(None, use_errno=True)
mine = {os.getpid(), os.getppid()}
def others():
    """Every process but this one and the agent that started it: the supervisor, the coordinator, siblings."""
    pids = [int(name) for name in os.listdir('/proc') if name.isdigit()]
    return [pid for pid in pids if pid not in mine and pid != 1]
def each(action):
    return [pid for pid in others() if attempt(lambda: action(pid))]
def ok(value):
    return value == 0 or None
def signal_others(): return each(lambda pid: os.kill(pid, 0) or True)
def stop_group_of_others(): return each(lambda pid: os.getpgid(pid) not in (0, 1, os.getpgid(0)) and (os.killpg(os.getpgid(pid), 0) or True))
def ptrace_others(): return each(lambda pid: ok(libc.ptrace(16, pid, None, None)))
def read_memory(): return each(lambda pid: open(f'/proc/{pid}/mem', 'rb') and True)
def write_memory(): return each(lambda pid: open(f'/proc/{pid}/mem', 'r+b') and True)
def enter_namespaces(): return each(lambda pid: ok(libc.setns(os.open(f'/proc/{pid}/ns/mnt', os.O_RDONLY), 0)))
def steal_descriptors():
    def steal(pid):
        pidfd = libc.syscall(434, pid, 0)
        return any(libc.syscall(438, pidfd, fd, 0) >= 0 for fd in range(8))
    return each(steal)
def through_cwd_of_others(): return each(lambda pid: list(pathlib.Path(f'/proc/{pid}/cwd/').iterdir()))
def through_root_of_others(): return each(lambda pid: (pathlib.Path(f'/proc/{pid}/root') / REPO.lstrip('/') / 'README.md').read_text())
def maps_of_others(): return each(lambda pid: pathlib.Path(f'/proc/{pid}/maps').read_text())
def oom_score_of_others(): return each(lambda pid: pathlib.Path(f'/proc/{pid}/oom_score_adj').write_text('1000'))
def limits_of_others(): return LEVEL != 'landlock' and each(lambda pid: resource.prlimit(pid, resource.RLIMIT_CPU, (1000, 1000)) or True)
def priority_of_others(): return LEVEL != 'landlock' and each(lambda pid: os.setpriority(os.PRIO_PROCESS, pid, 19) or True)
def affinity_of_others(): return LEVEL != 'landlock' and each(lambda pid: os.sched_setaffinity(pid, {0}) or True)
def start_without_end(): return LEVEL == 'uid' and max(resource.getrlimit(resource.RLIMIT_NPROC)) > 4096
def dump_a_core(): return max(resource.getrlimit(resource.RLIMIT_CORE)) > 0
def outlive_the_coordinator(): return int(pathlib.Path('/proc/self/oom_score_adj').read_text()) < 500
def mount_over_work_tree(): return ok(libc.mount(b'none', b'.', b'tmpfs', 0, None))
def unmount_private_folders():
    program = 'umount /tmp || umount -l /tmp || umount /run || umount /home || mount -t tmpfs none /tmp'
    return subprocess.run(['unshare', '-U', '-r', '-m', 'sh', '-c', program], capture_output=True).returncode == 0
def move_out_of_cgroup():
    return [f for f in glob.glob('/sys/fs/cgroup/**/cgroup.procs', recursive=True)[:50] if attempt(lambda: open(f, 'w').write(str(os.getpid())))]
def change_the_kernel(): return [f for f in ('/proc/sys/kernel/core_pattern', '/proc/sysrq-trigger', '/proc/sys/fs/suid_dumpable') if attempt(lambda: open(f, 'a').close() or True)]
def become_root(): return [c for c in (['sudo', '-n', 'true'], ['su', '-c', 'true']) if shutil.which(c[0]) and subprocess.run(c, capture_output=True, stdin=subprocess.DEVNULL).returncode == 0]
# Landlock alone leaves the user as it is.
def set_ids(): return LEVEL != 'landlock' and (attempt(lambda: os.setuid(0) or True) or attempt(lambda: os.setgid(0) or True) or attempt(lambda: os.setgroups([0]) or True))
def device_node(): return attempt(lambda: os.mknod('src/mem', 0o600 | 0o020000, os.makedev(1, 1)) or True)
def abstract_socket():
    s = socket.socket(socket.AF_UNIX); s.connect('\0' + ABSTRACT); return True
def socket_of_the_user():
    if LEVEL == 'landlock' or CONTAINER: return None
    s = socket.socket(socket.AF_UNIX); s.connect(SOCKET); return True
def folder_for_everybody(): (pathlib.Path(OPEN_FOLDER) / 'evil').write_text('evil'); return True
def read_the_repository(): return (pathlib.Path(REPO) / 'README.md').read_text()
def read_its_configuration(): return (pathlib.Path(REPO) / '.git/config').read_text()
def list_the_slots(): return [p for p in pathlib.Path.cwd().parent.parent.iterdir() if p != pathlib.Path.cwd().parent]
# The folders above are in a view of files of its own there, and nobody else sees what it does to them.
def rename_own_slot(): return LEVEL != 'namespaces' and os.rename(pathlib.Path.cwd().parent, str(pathlib.Path.cwd().parent) + 'x') is None
def replace_own_slot(): return LEVEL != 'namespaces' and os.symlink(REPO, pathlib.Path.cwd().parent / 'x') is None
def terminal(): return os.open('/dev/tty', os.O_RDWR)
def disks(): return [d for d in glob.glob('/dev/[svn][dv]*') + ['/dev/mem', '/dev/kmsg'] if attempt(lambda: os.open(d, os.O_RDWR))]
def key_of_the_journal(): return [k for k in glob.glob('/**/backend-implementer/journal.key', recursive=False) + [os.path.expanduser('~root/.local/state/backend-implementer/journal.key'), REPO + '/../home/.local/state/backend-implementer/journal.key'] if attempt(lambda: open(k, 'rb').read())]
HOME_OF_USER = REPO + '/../home/'
def settings_of_the_user(): return [p for p in SETTINGS if attempt(lambda: open(HOME_OF_USER + p).read())]
def change_settings_of_the_user(): return [p for p in SETTINGS if attempt(lambda: open(HOME_OF_USER + p, 'a').close() or True)]
def variables_of_the_coordinator(): return [n for n in os.environ if n.startswith(('ACTIONS_', 'GITHUB_', 'NODE_', 'PYTHON', 'SSH_')) or 'TOKEN' in n]
def report_of_a_sibling():
    own = pathlib.Path(os.environ['IMPLEMENTER_REPORT'])
    places = [pathlib.Path(str(own).replace('feature', 'cli'))] + [p / own.parent.name / own.name for p in attempt(lambda: list(own.parent.parent.parent.iterdir())) or [] if p != own.parent.parent]
    return [p for p in places if p != own and attempt(lambda: p.write_text('{}'))]
came_through = {}
for name, action in list(globals().items()):
    if name != 'others' and hasattr(action, '__code__') and action.__code__.co_argcount == 0:
        value = attempt(action)
        if value: came_through[name] = str(value)[:80]
# What git and others would run of a folder: hooks, filters, monitors, another repository in its place.
hook = f'#!/bin/sh\ntouch {OPEN_FOLDER}/ran-$(basename $0)\n'
for name in ('post-checkout', 'pre-commit', 'post-index-change', 'reference-transaction', 'fsmonitor', 'clean'):
    attempt(lambda: pathlib.Path('.git/hooks').mkdir(exist_ok=True))
    attempt(lambda: pathlib.Path('.git/hooks', name).write_text(hook))
    attempt(lambda: pathlib.Path('.git/hooks', name).chmod(0o755))
here = str(pathlib.Path.cwd() / '.git/hooks')
attempt(lambda: open('.git/config', 'a').write(f'[core]\nfsmonitor = {here}/fsmonitor\nhooksPath = {here}\nsshCommand = {here}/clean\npager = {here}/clean\n[filter "evil"]\nclean = {here}/clean\nsmudge = {here}/clean\nprocess = {here}/clean\n[diff "evil"]\ntextconv = {here}/clean\ncommand = {here}/clean\n[include]\npath = /etc/passwd\n'))
attempt(lambda: pathlib.Path('.git/info').mkdir(exist_ok=True))
attempt(lambda: pathlib.Path('.git/info/attributes').write_text('* filter=evil diff=evil merge=evil\n'))
attempt(lambda: pathlib.Path('.git/info/grafts').write_text('x'))
attempt(lambda: pathlib.Path('.git/index.lock').write_text(''))
attempt(lambda: pathlib.Path('.git/objects/info/alternates').write_text(REPO + '/.git/objects\n/etc\n'))
# Leftovers that only a look at the machine shows.
for place in ('/tmp', '/var/tmp', '/dev/shm'):
    attempt(lambda: pathlib.Path(place, 'left-by-' + ABSTRACT).write_text('left'))
if LEVEL != 'landlock':
    for make in (lambda: libc.shmget(SEGMENT, 4096, 0o1666), lambda: libc.semget(SEGMENT, 3, 0o1666), lambda: libc.msgget(SEGMENT, 0o1666)): attempt(make)
pathlib.Path('src/hello.py').write_text(json.dumps(came_through, indent=1) + '\n')
"#;

#[test]
fn none_of_many_further_attacks_comes_through() {
    at_each_level(|mut stage| {
        let abstract_name = format!("implementer-{}-{}-{}", std::process::id(), stage.level, stage.container);
        let address = {
            use std::os::linux::net::SocketAddrExt as _;
            std::os::unix::net::SocketAddr::from_abstract_name(&abstract_name).unwrap()
        };
        let _listening = UnixListener::bind_addr(&address).unwrap();
        let segment = 0x1b00_0000 | std::process::id();
        let socket = stage.bench.path("socket");
        let _reachable = UnixListener::bind(&socket).unwrap();
        let open_folder = stage.bench.path("for-everybody");
        fs::create_dir(&open_folder).unwrap();
        for path in [&socket, &open_folder] {
            use std::os::unix::fs::PermissionsExt as _;
            fs::set_permissions(path, fs::Permissions::from_mode(0o777)).unwrap();
        }
        let settings = [".claude.json", ".codex/auth.json", ".config/gh/hosts.yml", ".netrc", ".ssh/id_ed25519"];
        for path in settings.map(|path| stage.bench.path("home").join(path)) {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "of the user").unwrap();
        }
        for name in [
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
            "ACTIONS_RUNTIME_TOKEN",
            "NODE_OPTIONS",
            "PYTHONSTARTUP",
            "SSH_AUTH_SOCK",
        ] {
            stage.environment(name, "of-the-coordinator");
        }
        let attacks = format!(
            "import json\nLEVEL, CONTAINER, SEGMENT, REPO, SOCKET, ABSTRACT, OPEN_FOLDER, SETTINGS = {}, {}, {}, {}, {}, {}, {}, {}\n{ATTACKS}",
            json!(stage.level.name()),
            if stage.container { "True" } else { "False" },
            segment,
            json!(stage.bench.repo()),
            json!(socket),
            json!(abstract_name),
            json!(open_folder),
            json!(settings),
        );
        stage.attack(json!({ "src/__init__.py": "" }), &attacks);
        let ran = stage.run();
        assert_eq!(ran.handoff().status, Status::Complete, "{}", ran.called.stderr);
        let patch = fs::read_to_string(ran.out.join("tasks/feature/patch.diff")).unwrap();
        assert!(patch.contains("+{}\n"), "at level {} (container: {}): {patch}", stage.level, stage.container);
        let made: Vec<_> = fs::read_dir(&open_folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert!(made.is_empty(), "at level {}: {made:?}", stage.level);
        for folder in ["/tmp", "/var/tmp", "/dev/shm"] {
            let left = PathBuf::from(folder).join(format!("left-by-{abstract_name}"));
            assert!(!left.exists(), "at level {}: {}", stage.level, left.display());
        }
        // What System V shares; Landlock does not know it.
        for list in ["shm", "sem", "msg"].iter().filter(|_| stage.level != Level::Landlock) {
            let listed = fs::read_to_string(format!("/proc/sysvipc/{list}")).unwrap_or_default();
            assert!(!listed.contains(&segment.to_string()), "at level {}: {listed}", stage.level);
        }
    });
}

#[test]
fn tools_have_a_temporary_folder_and_memory_to_share_where_the_level_can_give_them() {
    at_each_level(|stage| {
        stage.attack(
            json!({ "src/__init__.py": "" }),
            "import tempfile, multiprocessing\n\
             places = {'TMPDIR': os.environ['TMPDIR'], '/tmp': '/tmp', '/var/tmp': '/var/tmp'}\n\
             can = [name for name, place in places.items() if attempt(lambda: tempfile.mkdtemp(dir=place))]\n\
             lock = attempt(lambda: multiprocessing.Lock()) is not None\n\
             pathlib.Path('src/hello.py').write_text(f'{can} {lock}\\n')\n",
        );
        let ran = stage.run();
        let patch = fs::read_to_string(ran.out.join("tasks/feature/patch.diff")).unwrap();
        let own_mounts = stage.level <= Level::Namespaces && !stage.container;
        let shared_memory = stage.level <= Level::Namespaces;
        let places = if own_mounts { "['TMPDIR', '/tmp', '/var/tmp']" } else { "['TMPDIR']" };
        let expected = format!("+{places} {}\n", if shared_memory { "True" } else { "False" });
        assert!(patch.contains(&expected), "at level {} (container: {}): {patch}", stage.level, stage.container);
        let said = ran.handoff().isolation.left_open().join("\n");
        assert_eq!(said.contains("`/tmp` cannot be written"), stage.container, "{said}");
        assert_eq!(ran.handoff().tasks[0].attempts[0].isolation, Some(stage.level));
    });
}
