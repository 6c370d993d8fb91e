//! How anything is reached over HTTP: one way to make a client, one policy of what is tried again.
//!
//! REST ([`crate::github`]) and the artifact service ([`crate::artifacts`]) lie above it.

pub(crate) mod blob;
mod client;
mod retry;

pub use self::retry::Pace;
pub(crate) use self::{
    client::{Timeouts, cause, client},
    retry::Again,
};
