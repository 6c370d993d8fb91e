//! Patches: what they change, how they are put on top of each other, and whether they arrived.

pub mod diff;
pub mod integrate;
pub mod landing;
pub mod message;
pub mod text;

mod merge;
