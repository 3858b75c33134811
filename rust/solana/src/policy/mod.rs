//! What may be signed: `check(message, claim, state, now) -> verdict`, pure.
//!
//! The rules judge the decoded message and believe nothing that is said about it. Every account
//! that a rule looks at must be a key in the message or an entry of a pinned lookup table. What a
//! message can lose is counted the worst way: SOL leaves at its highest configured value and
//! arrives at its least, an unknown mint that arrives is worth nothing (so selling it later costs
//! nothing more), and only what the swaps guarantee as minimum counts as arriving.

mod claim;
mod code;
mod config;
mod judge;
mod jupiter;
mod state;
mod swap;
mod system;
mod tally;
mod token;
mod venue;

use sha2::{Digest, Sha256};

pub use claim::{Claim, Kind};
pub use code::{Code, Off, Refusal};
pub use config::{Limits, PinnedTable, Policy, PolicyConfig};
pub use state::{Change, Intent, State, Used};
pub use venue::Venue;

use crate::message::MessageView;
use judge::Judge;

/// What follows from a message that may be signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Signed before: the same bytes get the same signature, and nothing counts again.
    Again,
    /// New: the change must be durable before the signature leaves.
    Sign(Change),
}

/// Judges a message. The state after a signature is `state` with the verdict's change applied.
///
/// # Errors
///
/// Returns the first rule that refuses.
pub fn check(
    policy: &Policy,
    message: &[u8],
    claim: &Claim,
    state: &State,
    now_s: u64,
) -> Result<Verdict, Refusal> {
    check_without(policy, message, claim, (state, now_s), Off::NONE)
}

/// As [`check`], with some rules switched off: to show that each of them is needed.
///
/// # Errors
///
/// Returns the first rule that refuses and is on.
pub fn check_without(
    policy: &Policy,
    message: &[u8],
    claim: &Claim,
    (state, now_s): (&State, u64),
    off: Off,
) -> Result<Verdict, Refusal> {
    let view = MessageView::parse(message)
        .map_err(|error| Refusal::new(Code::Malformed, error.to_string()))?;
    let digest: [u8; 32] = Sha256::digest(message).into();
    let known = state.intent(claim);
    if known.is_some_and(|it| it.kind == claim.kind && it.digests.contains(&digest)) {
        return Ok(Verdict::Again);
    }
    let spend_raw = Judge::new(policy, view, *claim, off).judge(known.is_some())?;
    let halted = state.halted && claim.kind != Kind::Exit;
    off.demand(!halted, Code::Halted, || "the halt switch is on: only exits are signed")?;
    intent_rules(policy, claim, known, off)?;
    let used = state.used(claim.kind, now_s);
    window_rules(policy, spend_raw, used, off)?;
    let now_s = state.time(now_s);
    Ok(Verdict::Sign(Change { kind: claim.kind, intent: claim.intent, digest, spend_raw, now_s }))
}

fn intent_rules(
    policy: &Policy,
    claim: &Claim,
    known: Option<&Intent>,
    off: Off,
) -> Result<(), Refusal> {
    let Some(known) = known else { return Ok(()) };
    let again = claim.kind == known.kind && claim.kind != Kind::Entry;
    off.demand(again, Code::IntentReplayed, || {
        format!("intent {} was signed as another message", claim.text())
    })?;
    let (attempts, most) = (known.digests.len() as u64, policy.limits.exit_attempts_max);
    let open = claim.kind != Kind::Exit || attempts < most;
    off.demand(open, Code::Attempts, || {
        format!("intent {} has {attempts} attempts of at most {most}", claim.text())
    })
}

fn window_rules(policy: &Policy, spend_raw: u64, used: Used, off: Off) -> Result<(), Refusal> {
    let limits = &policy.limits;
    let caps = [
        (Code::TransactionCap, 0, limits.transaction_usdc_raw_max, "of one transaction"),
        (Code::MinuteCap, used.minute_raw, limits.minute_usdc_raw_max, "of a minute"),
        (Code::DayCap, used.day_raw, limits.day_usdc_raw_max, "of a day"),
    ];
    for (code, before, most, words) in caps {
        let sum = before.saturating_add(spend_raw);
        off.demand(sum <= most, code, || {
            format!("could lose {spend_raw} USDC raw after {before}, cap {words} {most}")
        })?;
    }
    let (count, most) = (used.transactions, limits.transactions_per_minute_max);
    off.demand(count < most, Code::Rate, || format!("{count} transactions in a minute of {most}"))
}
