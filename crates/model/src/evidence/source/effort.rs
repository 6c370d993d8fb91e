//! How much work may be done on sources that somebody else wrote. What a source costs can grow with the square of its
//! length, so that steps are counted, and not bytes alone. No clock is asked: the same sources always take as many steps.

use std::{
    cell::{Cell, RefCell},
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

thread_local! {
    static LEFT: Cell<u64> = const { Cell::new(u64::MAX) };
    static STOP: RefCell<Option<Stop>> = const { RefCell::new(None) };
}

/// How many steps are taken between two looks at whether the work is to stop, as a power of two: well under a millisecond.
const STEPS_BETWEEN: u32 = 12;

/// A way to end work on sources from another thread. All clones are one.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Ends the work at its next step.
    pub fn stop(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn is_stopped(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// What leaves the work when no step is left.
struct Exhausted;

/// Takes so many steps of those that are left. Without any left the work ends at once, at [`within`].
pub(in crate::evidence) fn spend(steps: usize) {
    let left = LEFT.get();
    let rest = left.checked_sub(u64::try_from(steps).unwrap_or(u64::MAX));
    let look = rest.is_some_and(|rest| rest >> STEPS_BETWEEN != left >> STEPS_BETWEEN);
    let stopped = look && STOP.with_borrow(|stop| stop.as_ref().is_some_and(Stop::is_stopped));
    match rest.filter(|_| !stopped) {
        Some(rest) => LEFT.set(rest),
        // No defect, so that nothing is told of it as of a panic.
        None => resume_unwind(Box::new(Exhausted)),
    }
}

/// Does work as [`within`] does, and ends it as well when it is stopped. Nothing is left then.
pub(in crate::evidence) fn within_until<T>(stop: &Stop, steps: u64, work: impl FnOnce() -> T) -> (Option<T>, u64) {
    if stop.is_stopped() {
        return (None, 0);
    }
    let outer = STOP.replace(Some(stop.clone()));
    let done = within(steps, work);
    STOP.set(outer);
    done
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

    #[test]
    fn work_that_is_stopped_ends_long_before_its_steps_do() {
        let stop = Stop::default();
        let mut taken = 0_u64;
        let work = || {
            for step in 0..1_000_000_u64 {
                taken = step;
                if step == 1_000 {
                    stop.stop();
                }
                spend(1);
            }
        };
        assert_eq!(within_until(&stop, u64::MAX >> 1, work), (None, 0));
        assert!(taken < 10_000, "{taken}");
        assert_eq!(within_until(&stop, 10, || ()), (None, 0));
        spend(1_000_000);
    }
}
