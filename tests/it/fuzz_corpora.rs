//! Inputs that were kept of fuzzing what touches files, and changes of each, through the checks of their targets. Those that
//! touch nothing are with the model.

#[path = "../../fuzz/checks/world.rs"]
mod checks;

use std::{fs, path::Path};

fn replay(target: &str, check: impl Fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut inputs = 0;
    for entry in fs::read_dir(folder).expect("a corpus") {
        let input = fs::read(entry.expect("an entry").path()).expect("an input");
        inputs += 1;
        check(&input);
        for at in (0..input.len()).step_by((input.len() / 64).max(1)) {
            check(&input[..at]);
            for flipped in [0x01, 0x80, 0xff] {
                let mut changed = input.clone();
                changed[at] ^= flipped;
                check(&changed);
            }
        }
    }
    assert!(inputs > 0, "{target} has no corpus");
}

#[test]
fn journals_that_somebody_planted_are_read_or_refused() {
    replay("journal", checks::journal);
}

#[test]
fn bundles_are_looked_through_or_refused() {
    replay("bundle", checks::bundle);
}

#[test]
fn archives_stay_in_their_folder() {
    replay("zip", checks::zip);
}
