//! What is tried again, how often, and how long that is waited for.

use std::time::Duration;

use backon::{ExponentialBuilder, Retryable as _};

/// How failures are waited out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// The first wait before a repetition; each further one is twice as long.
    pub first_wait: Duration,
    /// The longest wait that nobody named, and the longest named one of what a run can go on without.
    pub longest_wait: Duration,
    /// The longest wait that the other side named and that is waited out by what cannot go on without the answer.
    pub longest_named_wait: Duration,
    /// How often a request is repeated at most.
    pub repetitions: usize,
    /// How long one request may take.
    pub timeout: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            first_wait: Duration::from_millis(500),
            longest_wait: Duration::from_secs(90),
            // The jobs that cannot go on without an answer have 20 minutes, as `generate` writes them.
            longest_named_wait: Duration::from_secs(15 * 60),
            repetitions: 3,
            // GitHub itself gives up on a request after ten seconds.
            timeout: Duration::from_secs(30),
        }
    }
}

/// Whether a failure is a reason to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Again {
    /// It would fail again, or could do harm.
    No,
    /// After the usual wait.
    Soon,
    /// After the wait that the other side named.
    After(Duration),
}

impl Pace {
    /// Makes attempts until one succeeds, fails for good, or the other side names a wait that is longer than `patience`.
    ///
    /// # Errors
    /// The last failure.
    pub(crate) async fn retry<T, E: std::fmt::Display, F: Future<Output = Result<T, E>>>(
        &self,
        patience: Duration,
        again: impl Fn(&E) -> Again,
        attempt: impl FnMut() -> F,
        mut on_retry: impl FnMut(),
    ) -> Result<T, E> {
        let waits = ExponentialBuilder::default()
            .with_min_delay(self.first_wait)
            .with_max_delay(self.longest_wait)
            .with_max_times(self.repetitions)
            .with_jitter();
        attempt
            .retry(waits)
            .when(|error| again(error) != Again::No)
            .adjust(|error, planned| {
                match again(error) {
                    // What is longer than anybody should wait is a failure at once, not after the wait.
                    Again::After(named) => planned.map(|_| named).filter(|wait| *wait <= patience),
                    // Jitter comes on top of the longest wait: it must not make a failure of a repetition that is due.
                    Again::No | Again::Soon => planned.map(|wait| wait.min(self.longest_wait).min(patience)),
                }
            })
            .notify(|error, wait| {
                on_retry();
                tracing::warn!(%error, ?wait, "trying again");
            })
            .await
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    async fn attempts(patience: Duration, again: Again) -> u32 {
        let pace = Pace { first_wait: Duration::from_millis(1), repetitions: 2, ..Pace::default() };
        let made = Cell::new(0);
        let attempt = || async {
            made.set(made.get() + 1);
            Err::<(), _>("no")
        };
        let _ = pace.retry(patience, |_| again, attempt, || ()).await;
        made.get()
    }

    #[tokio::test]
    async fn what_may_be_tried_again_is_as_often_as_that_is_allowed() {
        let wait = Duration::from_millis(5);
        assert_eq!(attempts(wait, Again::No).await, 1);
        assert_eq!(attempts(wait, Again::Soon).await, 3);
        assert_eq!(attempts(wait, Again::After(wait)).await, 3);
        assert_eq!(attempts(wait, Again::After(10 * wait)).await, 1, "longer than anybody wants to wait");
        let least = Duration::from_micros(1);
        assert_eq!(attempts(least, Again::Soon).await, 3, "a wait of our own is cut, and no reason to give up");
    }
}
