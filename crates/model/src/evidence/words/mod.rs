//! The closing words of test runners: what a run printed, as counts.
//!
//! Words are the weakest evidence, because anything that a command starts can print them. They count where a runner
//! writes no file ([`super::results`]), and a receipt that rests on them says so.
//!
//! One file a family of runners. Each function reads one shape, labels are matched whole, and a word that is not in a
//! list adds nothing: `2 expected failures` is no failure.

mod dotnet;
mod failing;
mod further;
mod go;
mod javascript;
mod jvm;
mod lines;
mod mobile;
mod native;
mod php;
mod python;
mod ruby;
mod rust;
mod streams;
mod tap;

pub use streams::relevant;

use crate::{
    evidence::{numbers::TestCounts, results::TestResult},
    text,
};

/// Counts the tests of one runner in the lines of a plain output; `None` when no line is that runner's.
type Count = fn(&[&str]) -> Option<TestCounts>;

/// A runner that is known by its closing words.
struct Runner {
    name: &'static str,
    count: Count,
    /// Runners that this one starts, or whose output it shows: what they say in its output is said twice.
    contains: &'static [&'static str],
}

const fn runner(name: &'static str, count: Count) -> Runner {
    Runner { name, count, contains: &[] }
}

const fn outer(name: &'static str, count: Count, contains: &'static [&'static str]) -> Runner {
    Runner { name, count, contains }
}

/// Every runner that is known, by name.
const RUNNERS: &[Runner] = &[
    outer("unittest", python::unittest, &["Ruby counts"]),
    runner("pytest", python::pytest),
    runner("doctest", python::doctest),
    runner("behave", python::behave),
    runner("Robot Framework", python::robot),
    runner("cargo test", rust::libtest),
    outer("cargo nextest", rust::nextest, &["cargo test"]),
    runner("go test", go::go_test),
    runner("go test -json", go::json),
    runner("gotestsum", go::gotestsum),
    runner("jest", javascript::jest),
    runner("vitest", javascript::vitest),
    runner("mocha", javascript::mocha),
    runner("ava", javascript::ava),
    runner("uvu", javascript::uvu),
    outer("node --test, tape", javascript::node, &["TAP"]),
    runner("bun test", javascript::bun),
    runner("deno test", javascript::deno),
    runner("Playwright", javascript::playwright),
    outer("Cypress", javascript::cypress, &["mocha"]),
    outer("karma", javascript::karma, &["Ruby counts"]),
    runner("cucumber", javascript::cucumber),
    outer("PHPUnit, JUnit 4", php::phpunit, &[]),
    runner("Pest", php::pest),
    runner("Ruby counts", ruby::counted_list),
    outer("prove", tap::prove, &["TAP"]),
    runner("TAP", tap::tap),
    outer("ctest", native::ctest, &["GoogleTest", "Catch2, doctest", "TAP", "PHPUnit, JUnit 4"]),
    runner("GoogleTest", native::gtest),
    runner("Catch2, doctest", native::catch2),
    runner("busted", native::busted),
    runner("tasty, Zig", native::all_or_some),
    outer("Maven Surefire", jvm::surefire, &["PHPUnit, JUnit 4", "JUnit console", "cucumber"]),
    runner("JUnit console", jvm::console),
    runner("Gradle", jvm::gradle),
    outer("sbt", jvm::sbt, &["ScalaTest"]),
    runner("ScalaTest", jvm::scalatest),
    runner("dotnet test", dotnet::dotnet),
    runner("Swift", mobile::swift),
    runner("Flutter, Dart", mobile::dart),
    outer("other runners", further::further, &["unittest", "PHPUnit, JUnit 4"]),
];

/// What the closing words of a run say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// How many tests.
    pub counts: TestCounts,
    /// The runners that said it.
    pub runners: Vec<&'static str>,
    /// A suite that began and never said how it ended, in a sentence.
    pub unfinished: Option<String>,
    /// The tests that failed, by the names that were printed.
    pub failing: Vec<TestResult>,
}

/// Reads what known runners say at their end, in all that a command printed.
///
/// A command may run several runners, or one several times: what each run says is added, and said twice counts once.
/// Returns `None` when no line is that of a known runner, and counts of 0 when one says that it ran nothing.
#[must_use]
pub fn read(output: &str) -> Option<Words> {
    let plain = text::plain(output);
    let mut all: Option<Words> = None;
    for lines in streams::by_program(&plain) {
        let said: Vec<_> = RUNNERS.iter().filter_map(|runner| Some((runner, (runner.count)(&lines)?))).collect();
        let inner = |name: &str| said.iter().any(|(runner, _)| runner.contains.contains(&name));
        let unfinished = rust::unfinished(&lines).or_else(|| tap::unfinished(&lines));
        for (runner, counts) in said.iter().filter(|(runner, _)| !inner(runner.name)) {
            match &mut all {
                Some(words) => {
                    words.counts = words.counts.plus(*counts);
                    if !words.runners.contains(&runner.name) {
                        words.runners.push(runner.name);
                    }
                }
                None => {
                    all = Some(Words {
                        counts: *counts,
                        runners: vec![runner.name],
                        unfinished: None,
                        failing: Vec::new(),
                    });
                }
            }
        }
        if let Some(why) = unfinished {
            let words = all.get_or_insert(Words {
                counts: lines::NONE,
                runners: Vec::new(),
                unfinished: None,
                failing: Vec::new(),
            });
            words.unfinished.get_or_insert(why);
        }
        if let Some(words) = &mut all {
            words.failing.extend(failing::names(&lines));
        }
    }
    all
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod variants;
