//! Every input that was kept of fuzzing, and many small changes of each, through the checks of its target. The targets
//! themselves, which look for new inputs, are in `fuzz/`.
//!
//! `FUZZ_CHANGES=N` makes N changes of each input in place of a few: without counters in the program, and so much faster.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "a test reads its corpus, and says how much it played"
)]

#[path = "../../../fuzz/checks/model.rs"]
mod checks;

use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    path::Path,
};

/// How many changes are made of each input where nobody says otherwise.
const CHANGES: u32 = 50;

/// The longest input that is made.
const LENGTH_MAX: usize = 4096;

/// What breaks readers more often than any byte does.
const SPICES: [&str; 40] = [
    "\0",
    "\r\n",
    "\n\n",
    "\u{202e}",
    "\u{200b}",
    "\u{e0041}",
    "e\u{301}",
    "\u{feff}",
    "\x1b]8;;x\x07",
    "\x1b[2J",
    "::set-output ",
    "%0A",
    "```",
    "~~~~",
    "<!--",
    "-->",
    "</script>",
    "[x](",
    "![",
    "|",
    "#1",
    "@all",
    "[skip ci]",
    "- [ ] ",
    "---\n",
    "&a ",
    "*a",
    "? ",
    "!!binary ",
    "{",
    "}",
    "[[[[",
    "]]",
    "\"",
    "\\u0000",
    "99999999999999999999",
    "-1",
    "1e999",
    "../",
    "**",
];

/// Numbers that are the same in every run (xorshift, Marsaglia 2003).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end.max(1) as u64).expect("below a usize")
    }
}

/// Changes an input in one place: a part is taken out, repeated, replaced by one of another input, or a byte is flipped.
fn change(input: &mut Vec<u8>, other: &[u8], numbers: &mut Numbers) {
    let at = numbers.below(input.len() + 1);
    let end = (at + numbers.below(32)).min(input.len());
    match numbers.below(6) {
        0 => drop(input.drain(at..end)),
        1 => {
            let part = input[at..end].repeat(1 + numbers.below(8));
            input.splice(at..end, part);
        }
        2 | 3 => drop(input.splice(at..at, SPICES[numbers.below(SPICES.len())].bytes())),
        4 => {
            let from = numbers.below(other.len() + 1);
            let to = (from + numbers.below(128)).min(other.len());
            input.splice(at..end, other[from..to].iter().copied());
        }
        _ => {
            if let Some(byte) = input.get_mut(at) {
                *byte ^= 1 << numbers.below(8);
            }
        }
    }
    input.truncate(LENGTH_MAX);
}

fn replay(target: &str, check: impl Fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let entries = fs::read_dir(&folder).expect("a corpus");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    let corpus: Vec<_> = paths.iter().map(|path| fs::read(path).expect("an input")).collect();
    assert!(!corpus.is_empty(), "{target} has no corpus");
    let changes = std::env::var("FUZZ_CHANGES").map_or(CHANGES, |text| text.parse().expect("a number"));
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15 ^ u64::from(changes));
    for input in &corpus {
        check(input);
        let mut changed = input.clone();
        for number in 0..changes {
            // Small steps away from what is known, and back now and then.
            if number % 16 == 0 {
                changed.clone_from(input);
            }
            let other = &corpus[numbers.below(corpus.len())];
            change(&mut changed, other, &mut numbers);
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| check(&changed))) {
                let kept = std::env::temp_dir().join(format!("fuzz-{target}-{}", std::process::id()));
                fs::write(&kept, &changed).expect("a file");
                eprintln!("{target}: the input is in {}", kept.display());
                resume_unwind(panic);
            }
        }
    }
    eprintln!("{target}: {} executions", corpus.len() * (changes as usize + 1));
}

fn replay_text(target: &str, check: impl Fn(&str)) {
    replay(target, |data| check(&String::from_utf8_lossy(data)));
}

macro_rules! corpora {
    ($($target:ident by $replay:ident;)*) => {
        $(#[test]
        fn $target() {
            $replay(stringify!($target), checks::$target);
        })*
    };
}

corpora! {
    plan by replay;
    front_matter by replay;
    yaml_tree by replay_text;
    config by replay_text;
    report by replay;
    handoff by replay;
    results by replay;
    counts by replay_text;
    globs by replay_text;
    paths by replay_text;
    event by replay;
    command by replay_text;
    sinks by replay_text;
}
