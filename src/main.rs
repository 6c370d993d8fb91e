//! Parses, runs, exits.

use std::process::ExitCode;

fn main() -> ExitCode {
    // Before anything else is set up: every subagent process begins here, and it should begin fast.
    if let Some(code) = helper() {
        return code;
    }
    backend_implementer::sandbox::become_root_on_hosted_runner();
    keep_memory_together();
    let code = backend_implementer::cli::main();
    backend_implementer::sandbox::hand_back();
    code
}

/// Runs as one of our own helpers, where the first argument says so: each is a process of one thread.
fn helper() -> Option<ExitCode> {
    use backend_implementer::{
        agent::{LAUNCH, SUPERVISE, launch_main, supervise_main},
        sandbox::{PROBE, probe_main},
    };

    match std::env::args_os().nth(1)?.to_str()? {
        SUPERVISE => Some(supervise_main()),
        LAUNCH => Some(launch_main()),
        PROBE => Some(probe_main()),
        #[cfg(target_os = "linux")]
        backend_implementer::sandbox::END_USER => Some(backend_implementer::sandbox::end_user_main()),
        _ => None,
    }
}

/// Starts the program once more, in the same process, with memory that stays small, where it will coordinate.
///
/// glibc gives each thread an arena of its own, and what one run needs a dozen megabytes of ends up spread over eighty. It
/// also stops giving large buffers back one by one once the first was freed, so that records lie between holes of a
/// megabyte. Both are read from the environment before `main`. What is started from here does not inherit it. Does nothing
/// where somebody has set one of them, and goes on as it is where starting fails.
fn keep_memory_together() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        use std::os::unix::process::CommandExt as _;

        const COORDINATE: [&str; 6] = ["run", "action", "prepare", "collect", "settle", "summarize"];
        const SETTINGS: [(&str, &str); 2] = [("MALLOC_ARENA_MAX", "2"), ("MALLOC_MMAP_THRESHOLD_", "262144")];
        let mut arguments = std::env::args_os();
        let Some(name) = arguments.next() else { return };
        let coordinates =
            std::env::args_os().nth(1).is_some_and(|command| COORDINATE.iter().any(|other| command == *other));
        if coordinates && SETTINGS.iter().all(|(setting, _)| std::env::var_os(setting).is_none()) {
            let _ = std::process::Command::new("/proc/self/exe").arg0(name).args(arguments).envs(SETTINGS).exec();
        }
    }
}
