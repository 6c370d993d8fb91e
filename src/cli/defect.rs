//! What is said when the program itself is wrong: a stated invariant does not hold.

use std::{io::Write as _, panic::PanicHookInfo, process::ExitCode};

use implementer_model::text;

use super::exit::OUTSIDE_FAILED;

/// Runs the program. A panic ends it with a message that asks for a report.
pub(super) fn guarded(program: impl FnOnce() -> ExitCode + std::panic::UnwindSafe) -> ExitCode {
    std::panic::set_hook(Box::new(|panic| {
        // A closed standard error is nothing that could be told anybody.
        let _ = std::io::stderr().write_all(message(panic).as_bytes());
    }));
    std::panic::catch_unwind(program).unwrap_or_else(|_| ExitCode::from(OUTSIDE_FAILED))
}

fn message(panic: &PanicHookInfo<'_>) -> String {
    let what = panic.payload_as_str().unwrap_or("it gave no reason");
    let place = panic.location().map_or_else(String::new, |at| format!(" at {}:{}", at.file(), at.line()));
    format!(
        "error: backend-implementer {} has a defect{place}: {}\n  Nothing that was finished is lost. Please report it with \
         this message and the command: {}/issues\n",
        env!("CARGO_PKG_VERSION"),
        text::terminal(what),
        env!("CARGO_PKG_REPOSITORY")
    )
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[test]
    fn a_broken_invariant_asks_for_a_report_and_names_its_place() {
        let said = Arc::new(Mutex::new(String::new()));
        let to = Arc::clone(&said);
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| *to.lock().unwrap() = message(panic)));
        let ended = std::panic::catch_unwind(|| panic!("invariant: \u{1b}[31mred"));
        std::panic::set_hook(before);
        assert!(ended.is_err());
        let said = said.lock().unwrap();
        assert!(said.contains("invariant: ") && said.contains("defect.rs:") && said.contains("/issues"), "{said}");
        assert!(!said.contains('\u{1b}'), "{said}");
    }
}
