//! The gates with their receipts.

use maud::{Markup, html};

use super::{badge, code, prose, shown, table};
use crate::{
    command,
    gate::{CommandReceipt, Receipt},
    run::GateStanding,
    summary::{
        coordination::receipt_digest,
        gates::{standings, why_earlier_counts},
        index::RunIndex,
        wording,
    },
    text,
};

/// Writes every gate: a row that says how it ended, and its receipts folded below.
pub(super) fn gates(index: &RunIndex<'_>) -> Markup {
    let standings = standings(index.handoff);
    html! {
        section aria-labelledby="gates" {
            h2 id="gates" { "Gates" }
            (table(["Gate", "Result", "Tests", "Time"], standings.iter().map(row)))
            @for why in standings.iter().filter_map(|gate| gate.shut.as_ref()) { p { (prose(why)) "." } }
            @for gate in &standings {
                details id={ "gate-" (gate.gate) } {
                    summary { (gate.gate.name()) ": commands, output and receipt" }
                    @for receipt in &gate.receipts { (self::receipt(index, receipt)) }
                    @if gate.receipts.is_empty() { p { "It was not run: there is no receipt." } }
                }
            }
        }
    }
}

fn row(gate: &GateStanding<'_>) -> [Markup; 4] {
    let time = gate.receipts.iter().map(|receipt| receipt.duration_ms).fold(0, u64::saturating_add);
    [
        html! { a href={ "#gate-" (gate.gate) } { (gate.gate.name()) } },
        badge(gate.look(), gate.said()),
        html! { (gate.tests().map_or_else(|| "–".to_owned(), |counts| wording::tests_briefly(&counts))) },
        html! { (wording::duration(time)) },
    ]
}

fn receipt(index: &RunIndex<'_>, receipt: &Receipt) -> Markup {
    html! {
        @for command in &receipt.commands {
            p { (code(command::join(&command.argv))) ": " (ended(command)) "; " (wording::duration(command.duration_ms))
                ". The end of its output, whose digest is " (code(command.output_digest.short())) ":" }
            // The end of an output is what matters and is bounded already: it is not cut again.
            pre tabindex="0" { (text::terminal(&command.output_tail)) }
        }
        @if let Some(verdict) = &receipt.verdict {
            p {
                a href={ "#task-" (verdict.task) } { (code(&verdict.task)) }
                @if verdict.passed { " approved tree " } @else { " did not approve tree " }
                (code(verdict.tree.short()))
                @if let Some(why) = why_earlier_counts(index.handoff, receipt, verdict) { ", an earlier one. " (why) }
                @if !verdict.passed || verdict.blocking_findings > 0 {
                    ": " (prose(verdict.reason.trim_end_matches('.')))
                    ", " (text::count(verdict.blocking_findings, "blocking finding"))
                }
                "."
            }
        }
        p class="faint" {
            "Receipt" @if let Some(digest) = receipt_digest(receipt) { " " (code(digest.short())) } ": "
            (receipt.state.name()) ", " (prose(receipt.reason.trim_end_matches('.'))) ", on tree "
            (code(receipt.tree.short())) ", " (wording::duration(receipt.duration_ms)) "."
        }
    }
}

/// Says how a command ended.
pub(super) fn ended(command: &CommandReceipt) -> Markup {
    html! {
        @match (command.exit_code, &command.trouble) {
            (Some(code), None) => { "exit code " (code) }
            (Some(code), Some(trouble)) => { "exit code " (code) ", " (shown(trouble)) }
            (None, trouble) => { (shown(trouble.as_deref().unwrap_or("no exit code"))) }
        }
        @if let Some(counts) = &command.tests { "; " (wording::tests(counts)) }
    }
}
