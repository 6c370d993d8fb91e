//! Detectors: what a patch or a receipt shows that nobody reports. Each gives findings of a kind of its own; none decides
//! anything alone.

mod gate_record;
mod self_review;
mod tampering;
mod upstream;

pub use self::{
    gate_record::faster_than_its_record,
    self_review::self_review,
    tampering::{never_looked_at, own_of_shared, tampering},
    upstream::ignored_upstream,
};
