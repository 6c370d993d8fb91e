//! How an error is told in one line.

use std::error::Error;

/// Says what happened and, after colons, why: the error and every cause of it. A cause that is said already is not said
/// again.
#[must_use]
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let words = error.to_string();
        if !said.contains(&words) {
            said.push_str(": ");
            said.push_str(&words);
        }
        cause = error.source();
    }
    said
}

/// Says what happened, why, and what to do about it where that is known.
#[must_use]
pub(crate) fn told(error: &(dyn Error + 'static), hint: Option<String>) -> String {
    let happened = chain(error);
    match hint {
        Some(hint) => format!("{happened}. To fix it: {hint}"),
        None => happened,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("cannot read x")]
    struct Outer(#[source] Middle);

    #[derive(Debug, thiserror::Error)]
    #[error(transparent)]
    struct Middle(std::io::Error);

    #[test]
    fn every_cause_is_told_once() {
        let error = Outer(Middle(std::io::Error::other("the disk is gone")));
        assert_eq!(chain(&error), "cannot read x: the disk is gone");
    }
}
