//! Jupiter's `route` and `sharedAccountsRoute`, read to the last byte.
//!
//! The amounts follow a route plan of steps of different length. Whatever follows them would be
//! ignored by the program, so looking at the last bytes alone would believe a forged tail: the
//! plan is walked step by step, and a step of unknown length is refused.

use super::code::{Code, Refusal};
use super::config::Asset;
use super::judge::Judge;
use super::swap::Side;
use crate::message::InstructionView;
use crate::{Key, program};

const ROUTE: [u8; 8] = [0xe5, 0x17, 0xcb, 0x97, 0x7a, 0xe3, 0xad, 0x2a];
const SHARED_ACCOUNTS_ROUTE: [u8; 8] = [0xc1, 0x20, 0x9b, 0x33, 0x41, 0xd6, 0x9c, 0x81];
const ROUTE_EXACT_OUT: [u8; 8] = [0xd0, 0x33, 0xef, 0x97, 0x7b, 0x2b, 0xed, 0x5c];
const SHARED_ACCOUNTS_EXACT_OUT: [u8; 8] = [0xb0, 0xd1, 0x69, 0xa8, 0x9a, 0x7d, 0x45, 0x3e];
const STEPS_MAX: u32 = 32;
const BPS: u128 = 10_000;

/// What stands after the route plan.
#[derive(Debug, PartialEq, Eq)]
struct Tail {
    amount_in_raw: u64,
    quoted_out_raw: u64,
    slippage_bps: u16,
    platform_fee_bps: u8,
}

/// Which places an instruction's accounts have.
struct Places {
    owner: usize,
    source: usize,
    target: usize,
    /// A second destination; the program itself stands for none.
    other_target: Option<usize>,
    source_mint: Option<usize>,
    target_mint: usize,
    fee: usize,
    least: usize,
}

const ROUTE_PLACES: Places = Places {
    owner: 1,
    source: 2,
    target: 3,
    other_target: Some(4),
    source_mint: None,
    target_mint: 5,
    fee: 6,
    least: 9,
};
const SHARED_PLACES: Places = Places {
    owner: 2,
    source: 3,
    target: 6,
    other_target: None,
    source_mint: Some(7),
    target_mint: 8,
    fee: 9,
    least: 13,
};

impl Judge<'_> {
    pub(super) fn jupiter(&mut self, instruction: &InstructionView<'_>) -> Result<(), Refusal> {
        let (kind, rest) = instruction.data.split_first_chunk::<8>().unwrap_or((&[0; 8], &[]));
        let (places, plan) = match *kind {
            ROUTE => (&ROUTE_PLACES, Some(rest)),
            // One byte names the set of shared accounts.
            SHARED_ACCOUNTS_ROUTE => (&SHARED_PLACES, rest.get(1..)),
            ROUTE_EXACT_OUT | SHARED_ACCOUNTS_EXACT_OUT => {
                return self.demand(false, Code::ExactOutput, || "a route for an exact output");
            }
            _ => {
                return self.demand(false, Code::InstructionNotAllowed, || {
                    format!("aggregator instruction {kind:02x?}")
                });
            }
        };
        let Some(tail) = self.tail(plan.unwrap_or_default())? else { return Ok(()) };
        let most = self.policy.limits.slippage_bps_max;
        self.demand(u64::from(tail.slippage_bps) <= most, Code::Slippage, || {
            format!("slippage of {} bps, limit {most}", tail.slippage_bps)
        })?;
        self.demand(tail.platform_fee_bps == 0, Code::PlatformFee, || {
            format!("platform fee of {} bps", tail.platform_fee_bps)
        })?;
        let enough = instruction.accounts.len() >= places.least;
        self.demand(enough, Code::InstructionNotAllowed, || "too few accounts for a route")?;
        self.route_accounts(instruction, places, &tail)
    }

    fn route_accounts(
        &mut self,
        instruction: &InstructionView<'_>,
        places: &Places,
        tail: &Tail,
    ) -> Result<(), Refusal> {
        let owner = self.key(instruction, places.owner)?;
        self.authority(&owner)?;
        let fee = self.key(instruction, places.fee)?;
        self.demand(fee == program::JUPITER, Code::PlatformFee, || {
            format!("platform fee account {fee}")
        })?;
        let input = self.either(instruction, places.source, places.source_mint)?;
        let output = self.either(instruction, places.target, Some(places.target_mint))?;
        if let Some(at) = places.other_target {
            let other = self.key(instruction, at)?;
            let none = other == program::JUPITER || other == output.account;
            self.demand(none, Code::TokenTarget, || format!("a route pays to {other}"))?;
        }
        let keep = BPS.saturating_sub(u128::from(tail.slippage_bps));
        let least = u128::from(tail.quoted_out_raw) * keep / BPS;
        let min_out_raw = u64::try_from(least).unwrap_or(0);
        self.flow(input, output, (tail.amount_in_raw, min_out_raw))?;
        self.hidden_sources(instruction, (input.account, output.account));
        Ok(())
    }

    /// Returns a side whose token program is the one that makes the account ours.
    fn either(
        &self,
        instruction: &InstructionView<'_>,
        account: usize,
        mint: Option<usize>,
    ) -> Result<Side, Refusal> {
        let account = self.key(instruction, account)?;
        let mint = mint.map(|at| self.key(instruction, at)).transpose()?;
        let classic = mint.is_none_or(|it| self.policy.is_own(&account, &it, &program::TOKEN));
        let program = if classic { program::TOKEN } else { program::TOKEN_2022 };
        Ok(Side { account, mint, program })
    }

    /// A route's steps name accounts freely. Where one of ours that holds cash stands among them
    /// beside the declared two, or an account is not known, the amount may be taken from there.
    fn hidden_sources(&mut self, instruction: &InstructionView<'_>, declared: (Key, Key)) {
        let mut hidden = [false; 2];
        for key in self.keys(instruction) {
            let asset = match key {
                None => {
                    hidden = [true; 2];
                    continue;
                }
                Some(key) if key == declared.0 || key == declared.1 => Asset::Other,
                Some(key) => self.mint_of(&key).map_or(Asset::Other, |it| self.policy.asset(&it)),
            };
            match asset {
                Asset::Usdc => hidden[0] = true,
                Asset::Sol => hidden[1] = true,
                Asset::Other => {}
            }
        }
        let Some(flow) = self.tally.flows.last() else { return };
        let declared_raw = self.policy.worth(flow.input, flow.amount_in_raw);
        let worst = [(hidden[0], Asset::Usdc), (hidden[1], Asset::Sol)]
            .into_iter()
            .filter(|(stands, _)| *stands)
            .map(|(_, asset)| self.policy.worth(asset, flow.amount_in_raw))
            .max()
            .unwrap_or(0);
        self.tally.hidden_raw += worst.saturating_sub(declared_raw);
    }

    /// Reads plan and tail; None only where the rule is switched off.
    fn tail(&self, plan: &[u8]) -> Result<Option<Tail>, Refusal> {
        let exact = walk(plan).filter(|(_, rest)| rest.is_empty());
        self.demand(
            exact.is_some(),
            Code::Route,
            || "a route with a step of unknown form, or with bytes after its amounts",
        )?;
        Ok(exact.map(|(tail, _)| tail).or_else(|| plan.last_chunk::<19>().and_then(read_tail)))
    }
}

/// Walks a route plan; returns what follows it and the bytes after that.
fn walk(plan: &[u8]) -> Option<(Tail, &[u8])> {
    let (count, mut rest) = plan.split_first_chunk::<4>()?;
    let count = u32::from_le_bytes(*count);
    if count == 0 || count > STEPS_MAX {
        return None;
    }
    for _ in 0..count {
        let (variant, after) = rest.split_first()?;
        let payload = payload_bytes(*variant, after)?;
        // percent, input index, output index
        rest = after.get(payload + 3..)?;
    }
    let (tail, rest) = rest.split_first_chunk::<19>()?;
    Some((read_tail(tail)?, rest))
}

fn read_tail(bytes: &[u8; 19]) -> Option<Tail> {
    let (amount_in, rest) = bytes.split_first_chunk::<8>()?;
    let (quoted_out, rest) = rest.split_first_chunk::<8>()?;
    let (slippage, rest) = rest.split_first_chunk::<2>()?;
    Some(Tail {
        amount_in_raw: u64::from_le_bytes(*amount_in),
        quoted_out_raw: u64::from_le_bytes(*quoted_out),
        slippage_bps: u16::from_le_bytes(*slippage),
        platform_fee_bps: *rest.first()?,
    })
}

/// Returns how many bytes a step's venue adds, by its place in the program's published list of
/// venues; None for one beyond the list, whose length nobody here knows.
fn payload_bytes(variant: u8, after: &[u8]) -> Option<usize> {
    match variant {
        // Sides, directions and flags of one byte.
        8
        | 12
        | 15..=18
        | 21
        | 23
        | 24
        | 27
        | 28
        | 39
        | 58
        | 60
        | 61
        | 64
        | 85
        | 89
        | 94
        | 95
        | 104
        | 106
        | 107
        | 110 => Some(1),
        // Two indices of one byte each; a direction and a bump.
        71 | 86 => Some(2),
        42 => Some(3),
        33 | 41 => Some(4),
        44 | 45 => Some(5),
        // A share fee rate.
        81 | 82 => Some(8),
        // A swap id and a direction.
        87 => Some(9),
        43 => Some(10),
        29 => Some(16),
        // A direction and, if the second byte says so, slices of remaining accounts.
        47 | 103 => match after.get(1)? {
            0 => Some(2),
            1 => slices(after.get(2..)?).map(|it| it + 2),
            _ => None,
        },
        75 => slices(after),
        // Candidates of its own choice: their form changed between versions.
        111 => None,
        0..=113 => Some(0),
        _ => None,
    }
}

/// Returns the length of a list of slices of two bytes each.
fn slices(bytes: &[u8]) -> Option<usize> {
    let count = u32::from_le_bytes(*bytes.first_chunk()?);
    (count <= STEPS_MAX).then(|| usize::try_from(count).ok()).flatten().map(|it| 4 + 2 * it)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The captured answer of the aggregator's `swap-instructions`, without its discriminator and
    /// shared-accounts byte: three steps (`ZeroFi`, DLMM, DLMM), 0.01 SOL, 50 bps, no platform fee.
    const CAPTURED: [u8; 35] = [
        3, 0, 0, 0, 67, 100, 0, 1, 38, 100, 1, 2, 38, 100, 2, 3, 0x80, 0x96, 0x98, 0, 0, 0, 0, 0,
        0x9b, 0x1b, 0x1c, 1, 0, 0, 0, 0, 50, 0, 0,
    ];

    #[test]
    fn captured_route_is_read_to_its_last_byte() {
        let (tail, rest) = walk(&CAPTURED).unwrap();
        let expected = Tail {
            amount_in_raw: 10_000_000,
            quoted_out_raw: 18_619_291,
            slippage_bps: 50,
            platform_fee_bps: 0,
        };
        assert_eq!((tail, rest), (expected, &[][..]));
    }

    #[test]
    fn forged_tail_leaves_a_rest_and_cut_routes_are_none() {
        let forged: Vec<u8> = CAPTURED.iter().copied().chain([0; 19]).collect();
        assert_eq!(walk(&forged).unwrap().1.len(), 19);
        for length in 0..CAPTURED.len() {
            assert_eq!(walk(&CAPTURED[..length]), None);
        }
    }

    #[test]
    fn step_beyond_the_list_is_not_understood() {
        let mut unknown = CAPTURED;
        unknown[4] = 114;
        assert_eq!(walk(&unknown), None);
    }
}
