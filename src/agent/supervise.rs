//! The supervisor's own process: it takes orders, has them carried out, and says how it went.

use std::{
    io::{self, Read, Write as _},
    process::ExitCode,
};

use super::{
    protocol::{LaunchError, ORDERS_MAX, Orders, Word},
    supervisor::Supervision,
};
use crate::sandbox;

/// Why there are no orders.
#[derive(Debug, thiserror::Error)]
enum OrdersError {
    #[error("the input ended before the line did")]
    Ended,
    #[error("the line is longer than {ORDERS_MAX} bytes")]
    TooLong,
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Format(#[from] serde_json::Error),
}

/// Runs a supervisor: reads orders from standard input, starts and watches the process, and says on standard output
/// how it went. Closing its standard input, or TERM, INT or HUP, makes it stop the process.
///
/// Exits with 0 when it has said how the process ended, with 1 when the process could not be started, and with 2 when
/// it got no orders.
#[must_use]
pub fn supervise_main() -> ExitCode {
    // What it says counts, and what it holds open is the coordinator's: nobody may look into it, or speak in its place.
    if let Err(error) = sandbox::close_inherited().and_then(|()| super::hide_from_other_processes()) {
        say(&Word::Refused(LaunchError::Invalid { what: format!("the supervisor cannot protect itself: {error}") }));
        return ExitCode::from(2);
    }
    let orders = match read_orders(&mut io::stdin().lock()) {
        Ok(orders) => orders,
        Err(error) => {
            say(&Word::Refused(LaunchError::Invalid { what: format!("the supervisor got no orders: {error}") }));
            return ExitCode::from(2);
        }
    };
    match Supervision::begin(&orders).and_then(Supervision::watch) {
        Ok(ended) => {
            say(&Word::Ended(ended));
            ExitCode::SUCCESS
        }
        Err(error) => {
            say(&Word::Refused(error));
            ExitCode::FAILURE
        }
    }
}

/// Reads one line of orders. Nothing but the end of the input is to come after it.
fn read_orders(input: &mut impl Read) -> Result<Orders, OrdersError> {
    let mut line = Vec::new();
    let mut chunk = vec![0; 64 * 1024];
    while line.last() != Some(&b'\n') {
        match input.read(&mut chunk) {
            Ok(0) => return Err(OrdersError::Ended),
            Ok(length) => line.extend_from_slice(&chunk[..length]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
        if line.len() > ORDERS_MAX {
            return Err(OrdersError::TooLong);
        }
    }
    Ok(serde_json::from_slice(&line)?)
}

pub(super) fn say(word: &Word) {
    let mut line = serde_json::to_vec(word).expect("invariant: words are plain values");
    line.push(b'\n');
    // Nobody may be listening any more; what was to be done is done all the same.
    let _ = io::stdout().lock().write_all(&line);
}
