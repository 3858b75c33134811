//! Swaps of the four AMMs: source, destination, amount in, minimum out.
//!
//! Layouts: `docs/signer.md` names the sources. Only the forms that this system builds are read;
//! every other instruction of these programs is refused.

use super::code::{Code, Refusal};
use super::config::Asset;
use super::judge::Judge;
use super::tally::Flow;
use super::venue::Venue;
use crate::message::InstructionView;
use crate::{Key, program};

const CPMM_SWAP_BASE_INPUT: [u8; 8] = [0x8f, 0xbe, 0x5a, 0xda, 0xc4, 0x1e, 0x33, 0xde];
const PUMPSWAP_BUY: [u8; 8] = [0xc6, 0x2e, 0x15, 0x52, 0xb4, 0xd9, 0xe8, 0x70];
const PUMPSWAP_SELL: [u8; 8] = [0x33, 0xe6, 0x85, 0xa4, 0x01, 0x7f, 0x83, 0xad];
const WHIRLPOOL_SWAP_V2: [u8; 8] = [0x2b, 0x04, 0xed, 0x0b, 0x1a, 0xc9, 0x1e, 0x62];

/// One side of a swap: the account, its mint if the instruction names it, its token program.
#[derive(Debug, Clone, Copy)]
pub(super) struct Side {
    pub(super) account: Key,
    pub(super) mint: Option<Key>,
    pub(super) program: Key,
}

impl Judge<'_> {
    pub(super) fn swap(
        &mut self,
        instruction: &InstructionView<'_>,
        venue: Venue,
    ) -> Result<(), Refusal> {
        match venue {
            Venue::RaydiumAmm => self.raydium_amm(instruction),
            Venue::RaydiumCpmm => self.raydium_cpmm(instruction),
            Venue::PumpSwap => self.pumpswap(instruction),
            Venue::Whirlpool => self.whirlpool(instruction),
            Venue::Jupiter => self.jupiter(instruction),
        }
    }

    /// Counts a swap whose both sides are the wallet's own.
    pub(super) fn flow(
        &mut self,
        input: Side,
        output: Side,
        (amount_in_raw, min_out_raw): (u64, u64),
    ) -> Result<(), Refusal> {
        let input_mint = input.mint.or_else(|| self.mint_of(&input.account));
        let output_mint = output.mint.or_else(|| self.mint_of(&output.account));
        let own = |side: &Side, mint: Option<Key>| {
            mint.is_some_and(|mint| self.policy.is_own(&side.account, &mint, &side.program))
        };
        self.demand(own(&input, input_mint), Code::TokenSource, || {
            format!("a swap takes from {}, which is not ours for its mint", input.account)
        })?;
        self.demand(own(&output, output_mint), Code::TokenTarget, || {
            format!("a swap pays to {}, which is not ours for its mint", output.account)
        })?;
        self.demand(min_out_raw > 0, Code::MinimumOut, || "the minimum output is 0")?;
        let asset = |mint: Option<Key>| mint.map_or(Asset::Other, |it| self.policy.asset(&it));
        let (input, output) = (asset(input_mint), asset(output_mint));
        self.tally.flows.push(Flow { input, amount_in_raw, output, min_out_raw });
        Ok(())
    }

    fn unknown_swap(&self, instruction: &InstructionView<'_>) -> Result<(), Refusal> {
        self.demand(false, Code::InstructionNotAllowed, || {
            format!("swap instruction {:02x?}", instruction.data.get(..8))
        })
    }

    /// `SwapBaseInV2`: tag 16, amount in, minimum out; 8 accounts. It names no mints: they follow
    /// from the wallet's accounts.
    fn raydium_amm(&mut self, instruction: &InstructionView<'_>) -> Result<(), Refusal> {
        let Some((16, amounts)) = instruction.data.split_first() else {
            return match instruction.data.first() {
                Some(11 | 17) => self.exact_output(),
                _ => self.unknown_swap(instruction),
            };
        };
        self.shape(instruction, 17, 8)?;
        let owner = self.key(instruction, 7)?;
        self.authority(&owner)?;
        let side = |account| Side { account, mint: None, program: program::TOKEN };
        let input = side(self.key(instruction, 5)?);
        let output = side(self.key(instruction, 6)?);
        self.flow(input, output, pair(amounts))
    }

    fn exact_output(&self) -> Result<(), Refusal> {
        self.demand(false, Code::ExactOutput, || "a swap for an exact output")
    }

    /// `swap_base_input`: amount in, minimum out; 13 accounts.
    fn raydium_cpmm(&mut self, instruction: &InstructionView<'_>) -> Result<(), Refusal> {
        let Some((kind, amounts)) = instruction.data.split_first_chunk::<8>() else {
            return self.unknown_swap(instruction);
        };
        match *kind {
            CPMM_SWAP_BASE_INPUT => {}
            [0x37, 0xd9, 0x62, 0x56, 0xa3, 0x4a, 0xb4, 0xad] => return self.exact_output(),
            _ => return self.unknown_swap(instruction),
        }
        self.shape(instruction, 24, 13)?;
        let owner = self.key(instruction, 0)?;
        self.authority(&owner)?;
        let input = self.side(instruction, 4, 10, 8)?;
        let output = self.side(instruction, 5, 11, 9)?;
        self.flow(input, output, pair(amounts))
    }

    /// Returns a side by the places of its account, mint and token program.
    pub(super) fn side(
        &self,
        instruction: &InstructionView<'_>,
        account: usize,
        mint: usize,
        program: usize,
    ) -> Result<Side, Refusal> {
        Ok(Side {
            account: self.key(instruction, account)?,
            mint: Some(self.key(instruction, mint)?),
            program: self.key(instruction, program)?,
        })
    }

    /// `buy_exact_quote_in` (quote in, base out at least) and `sell` (base in, quote out at least),
    /// followed by accounts of the venue.
    fn pumpswap(&mut self, instruction: &InstructionView<'_>) -> Result<(), Refusal> {
        let Some((kind, amounts)) = instruction.data.split_first_chunk::<8>() else {
            return self.unknown_swap(instruction);
        };
        let buys = *kind == PUMPSWAP_BUY;
        match *kind {
            PUMPSWAP_BUY | PUMPSWAP_SELL => {}
            [0x66, 0x06, 0x3d, 0x12, 0x01, 0xda, 0xeb, 0xea] => return self.exact_output(),
            _ => return self.unknown_swap(instruction),
        }
        let length = if buys { 25 } else { 24 };
        let least = if buys { 23 } else { 21 };
        self.shape(instruction, length, instruction.accounts.len().max(least))?;
        let owner = self.key(instruction, 1)?;
        self.authority(&owner)?;
        let base = self.side(instruction, 5, 3, 11)?;
        let quote = self.side(instruction, 6, 4, 12)?;
        let (input, output) = if buys { (quote, base) } else { (base, quote) };
        self.flow(input, output, pair(amounts))
    }

    /// `swap_v2`: amount, threshold, price limit, exact input, direction, no hook accounts; 15
    /// accounts.
    fn whirlpool(&mut self, instruction: &InstructionView<'_>) -> Result<(), Refusal> {
        let Some((&WHIRLPOOL_SWAP_V2, amounts)) = instruction.data.split_first_chunk::<8>() else {
            return self.unknown_swap(instruction);
        };
        self.shape(instruction, 43, 15)?;
        let [exact_input, a_to_b, hooks] = amounts.last_chunk().copied().unwrap_or_default();
        self.demand(exact_input == 1, Code::ExactOutput, || "a swap for an exact output")?;
        self.demand(
            a_to_b <= 1 && hooks == 0,
            Code::InstructionNotAllowed,
            || "a swap with hook accounts or without direction",
        )?;
        let owner = self.key(instruction, 3)?;
        self.authority(&owner)?;
        let a = self.side(instruction, 7, 5, 0)?;
        let b = self.side(instruction, 9, 6, 1)?;
        let (input, output) = if a_to_b == 1 { (a, b) } else { (b, a) };
        self.flow(input, output, pair(amounts))
    }
}

/// Reads two amounts; what is missing counts as the worst, so that a rule refuses it.
fn pair(data: &[u8]) -> (u64, u64) {
    let first = data.first_chunk().map_or(u64::MAX, |it| u64::from_le_bytes(*it));
    let rest = data.get(8..).and_then(|it| it.first_chunk());
    (first, rest.map_or(0, |it| u64::from_le_bytes(*it)))
}
