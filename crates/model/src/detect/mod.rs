//! Detectors: what a patch or a receipt shows that nobody reports. Each gives findings of a kind of its own; none decides
//! anything alone.

mod gate_record;
mod self_review;
mod upstream;
mod weakened;

pub use self::{
    gate_record::faster_than_its_record,
    self_review::self_review,
    upstream::ignored_upstream,
    weakened::{FileChange, is_test_file, weakened_tests},
};
