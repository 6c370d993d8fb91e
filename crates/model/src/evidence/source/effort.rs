//! How much work may be done on sources that somebody else wrote. What a source costs can grow with the square of its
//! length, so that steps are counted, and not bytes alone. No clock is asked: the same sources always take as many steps.

use std::{
    cell::Cell,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
};

thread_local! {
    static LEFT: Cell<u64> = const { Cell::new(u64::MAX) };
}

/// What leaves the work when no step is left.
struct Exhausted;

/// Takes so many steps of those that are left. Without any left the work ends at once, at [`within`].
pub(in crate::evidence) fn spend(steps: usize) {
    let rest = LEFT.get().checked_sub(u64::try_from(steps).unwrap_or(u64::MAX));
    match rest {
        Some(rest) => LEFT.set(rest),
        // No defect, so that nothing is told of it as of a panic.
        None => resume_unwind(Box::new(Exhausted)),
    }
}

/// Does work that may take so many steps. Returns what it came to, or nothing where the steps were not enough, and how
/// many are left.
pub(in crate::evidence) fn within<T>(steps: u64, work: impl FnOnce() -> T) -> (Option<T>, u64) {
    let outer = LEFT.replace(steps);
    let done = catch_unwind(AssertUnwindSafe(work));
    let left = LEFT.replace(outer);
    match done {
        Ok(done) => (Some(done), left),
        Err(why) if why.is::<Exhausted>() => (None, 0),
        Err(why) => resume_unwind(why),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_ends_when_its_steps_are_used_up_and_nothing_of_that_is_left_behind() {
        assert_eq!(within(10, || spend(4)), (Some(()), 6));
        assert_eq!(within(10, || (0..100).for_each(|_| spend(3))), (None, 0));
        // A part with steps of its own leaves those around it alone.
        assert_eq!(
            within(10, || {
                spend(1);
                within(2, || spend(3)).0
            }),
            (Some(None), 9)
        );
        spend(1_000_000);
    }
}
