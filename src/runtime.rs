//! The threads that everything waits on, and the signals that end it.

use std::io;

use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

/// The exit code of a process that a second signal ends (128 + SIGINT, as a shell would say).
pub const CANCELLED: u8 = 130;

/// Starts the runtime on which everything waits.
///
/// # Errors
/// When the system gives no threads.
pub fn start() -> io::Result<Runtime> {
    // Work that keeps a thread busy is bound by the processors: more threads only keep more memory each. Four at least,
    // because one may wait for a name to be looked up.
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    tokio::runtime::Builder::new_multi_thread().max_blocking_threads((2 * cores).max(4)).enable_all().build()
}

/// Does `work`, which the first SIGINT or SIGTERM cancels; the second ends the process at once.
pub async fn with_signals<T>(work: impl AsyncFnOnce(CancellationToken) -> T) -> T {
    let cancel = CancellationToken::new();
    let signals = tokio::spawn(listen(cancel.clone()));
    let done = work(cancel).await;
    signals.abort();
    done
}

/// Cancels at the first SIGINT or SIGTERM, and ends the process at the second.
async fn listen(cancel: CancellationToken) {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return;
    };
    let mut next = async || {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    };
    next().await;
    cancel.cancel();
    next().await;
    std::process::exit(i32::from(CANCELLED));
}

/// Does work that keeps a thread busy on a thread of its own.
///
/// # Panics
/// When the work does.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    // A thread that panicked has said so already.
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}
