//! Parses, runs, exits.

use std::process::ExitCode;

fn main() -> ExitCode {
    // Before anything else is set up: every subagent process begins here, and it should begin fast.
    if std::env::args_os().nth(1).is_some_and(|argument| argument == backend_implementer::agent::SUPERVISE) {
        return backend_implementer::agent::supervise_main();
    }
    backend_implementer::cli::main()
}
