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

/// Starts the program once more, in the same process, with few arenas for memory, where it will coordinate.
///
/// glibc gives each thread an arena of its own, and what one run needs a dozen megabytes of ends up spread over eighty.
/// How many arenas there may be is read from the environment before `main`. What is started from here does not inherit
/// it. Does nothing where somebody has set it, and goes on as it is where starting fails.
fn keep_memory_together() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        use std::os::unix::process::CommandExt as _;

        const ARENAS: &str = "MALLOC_ARENA_MAX";
        let mut arguments = std::env::args_os();
        let name = arguments.next().unwrap_or_default();
        let coordinates = std::env::args_os().nth(1).is_some_and(|command| command == "run" || command == "action");
        if coordinates && std::env::var_os(ARENAS).is_none() {
            let _ = std::process::Command::new("/proc/self/exe").arg0(name).args(arguments).env(ARENAS, "2").exec();
        }
    }
}
