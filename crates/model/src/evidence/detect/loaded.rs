//! Settings of a runner, new in a patch of the product, that load code of the repository into it.

use std::collections::BTreeSet;

use super::{super::runner_settings, Author, Sign, parsed::Parsed};
use crate::{
    findings::{FindingCode, Weight},
    text,
};

/// A sign by itself: only an experiment shows whether tests depend on it.
pub(super) fn signs(author: Author, files: &[Parsed<'_>]) -> Vec<Sign> {
    if author == Author::Tests {
        return Vec::new();
    }
    let there: BTreeSet<&str> = files.iter().filter(|file| file.after.is_some()).map(|file| file.path).collect();
    files.iter().filter_map(|file| sign(file, &there)).collect()
}

fn sign(file: &Parsed<'_>, there: &BTreeSet<&str>) -> Option<Sign> {
    let said = |text: &'_ str| runner_settings::said_about_tests(file.path, text).map(std::borrow::Cow::into_owned);
    let after = said(file.after.as_ref()?.text)?;
    let before = file.before.as_ref().and_then(|side| said(side.text));
    let (number, word) =
        runner_settings::loaded_code(file.path, before.as_deref(), &after, |path| there.contains(path))?;
    let message = format!(
        "the settings of the test runner load or build with {}, which came with the product's code: see that the tests mean the same without it",
        text::code(&text::truncate(&text::terminal(&word), 120))
    );
    let sign = Sign::new(FindingCode::TestsTampered, Weight::Warning, file.path, message);
    // Of a manifest only a part was read, so that its lines are others.
    Some(if file.after.as_ref().is_some_and(|side| side.text == after) { sign.at(number) } else { sign })
}
