//! A gate that is far faster than it ever was: it may not have done what it used to do.

use crate::{
    findings::{Finding, FindingCode, Weight},
    gate::{CommandReceipt, GateState, Receipt},
};

/// How often faster than its record a command has to be, to be noticed.
const TIMES: u64 = 10;

/// Records below this many milliseconds tell nothing.
const RECORD_MIN_MS: u64 = 2_000;

/// Holds the commands of passed gates against the same commands of an earlier complete run.
#[must_use]
pub fn faster_than_its_record(receipts: &[Receipt], earlier: &[Receipt]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for receipt in receipts.iter().filter(|receipt| receipt.state == GateState::Passed) {
        for command in &receipt.commands {
            let same = |other: &&CommandReceipt| other.argv == command.argv;
            let of_gate = earlier.iter().filter(|other| other.gate == receipt.gate && other.state == GateState::Passed);
            let Some(record) = of_gate.flat_map(|other| &other.commands).find(same) else { continue };
            let quick =
                record.duration_ms >= RECORD_MIN_MS && command.duration_ms.saturating_mul(TIMES) < record.duration_ms;
            let ran = |command: &CommandReceipt| command.tests.map(|tests| tests.passed + tests.failed);
            let fewer = match (ran(command), ran(record)) {
                (Some(now), Some(then)) => now < then,
                // Without counts only the time tells.
                _ => true,
            };
            if quick && fewer {
                let message = format!(
                    "a command of the {} gate took {} ms, and {} ms in the last complete run{}: does it still do what it did?",
                    receipt.gate,
                    command.duration_ms,
                    record.duration_ms,
                    match (ran(command), ran(record)) {
                        (Some(now), Some(then)) => format!(", with {now} tests instead of {then}"),
                        _ => String::new(),
                    }
                );
                let weight = Weight::Warning;
                findings.push(Finding {
                    code: FindingCode::GateFasterThanItsRecord,
                    weight,
                    task: None,
                    path: None,
                    line: None,
                    message,
                });
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::summary::fixture;

    #[test]
    fn only_a_command_that_is_far_faster_with_fewer_tests_is_noticed() {
        let earlier = fixture::complete().gates;
        let with = |change: &dyn Fn(&mut CommandReceipt)| {
            let mut receipts = earlier.clone();
            receipts.iter_mut().flat_map(|receipt| &mut receipt.commands).for_each(change);
            receipts
        };
        let slow = with(&|command| command.duration_ms = 60_000);
        assert_eq!(faster_than_its_record(&slow, &slow), []);
        let quick = with(&|command| command.duration_ms = 100);
        let noticed = faster_than_its_record(&quick, &slow).len();
        let without_counts = slow.iter().flat_map(|receipt| &receipt.commands).filter(|c| c.tests.is_none()).count();
        assert_eq!(noticed, without_counts, "as many tests as before");
        let fewer = with(&|command| {
            command.duration_ms = 100;
            if let Some(tests) = &mut command.tests {
                tests.passed = 0;
            }
        });
        assert_eq!(faster_than_its_record(&fewer, &slow).len(), slow.iter().map(|r| r.commands.len()).sum::<usize>());
        let tiny = with(&|command| command.duration_ms = 1_900);
        assert_eq!(faster_than_its_record(&with(&|command| command.duration_ms = 1), &tiny), []);
    }
}
