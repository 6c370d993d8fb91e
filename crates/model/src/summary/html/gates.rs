//! The gates with their receipts.

use maud::{Markup, html};

use super::{badge, code, prose, shown};
use crate::{
    command,
    gate::{CommandReceipt, Receipt},
    summary::{coordination::receipt_digest, gates::standings, index::RunIndex, wording},
    text,
};

/// Writes every gate with its receipts.
pub(super) fn gates(index: &RunIndex<'_>) -> Markup {
    html! {
        section aria-labelledby="gates" {
            h2 id="gates" { "Gates" }
            @for gate in standings(index.handoff) {
                h3 id={ "gate-" (gate.gate) } { (gate.gate.name()) " " (badge(gate.look(), gate.said())) }
                @if let Some(why) = &gate.shut { p { (prose(why)) "." } }
                @for receipt in &gate.receipts { (self::receipt(receipt)) }
            }
        }
    }
}

fn receipt(receipt: &Receipt) -> Markup {
    html! {
        @for command in &receipt.commands {
            details {
                summary { (code(command::join(&command.argv))) " " (ended(command)) "; " (wording::duration(command.duration_ms)) }
                p { "The end of the output, whose digest is " (code(&command.output_digest)) ":" }
                // The end of an output is what matters and is bounded already: it is not cut again.
                pre tabindex="0" { (text::terminal(&command.output_tail)) }
            }
        }
        @if let Some(verdict) = &receipt.verdict {
            p {
                a href={ "#task-" (verdict.task) } { (code(&verdict.task)) }
                @if verdict.passed { " approved" } @else { " did not approve" }
                ": " (prose(verdict.reason.trim_end_matches('.'))) " ("
                (text::count(verdict.blocking_findings, "blocking finding")) "; tree " (code(verdict.tree.short())) ")."
            }
        }
        p class="faint" {
            "Receipt: " (receipt.state.name()) ", " (prose(receipt.reason.trim_end_matches('.'))) ". Tree "
            (code(receipt.tree.short()))
            @if let Some(digest) = receipt_digest(receipt) { ", receipt " (code(digest.short())) }
            ", " (wording::duration(receipt.duration_ms)) "."
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
