//! What a message does with the wallet's funds, added up instruction by instruction.

use super::code::{Code, Refusal};
use super::config::{Asset, Policy};
use crate::Key;

/// One swap: what leaves and what at least arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Flow {
    /// Worth of what leaves.
    pub(super) input: Asset,
    /// Raw amount that leaves.
    pub(super) amount_in_raw: u64,
    /// Worth of what arrives.
    pub(super) output: Asset,
    /// Raw amount that at least arrives.
    pub(super) min_out_raw: u64,
}

/// Sums over a message.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) flows: Vec<Flow>,
    /// Token accounts of ours that the message makes: address and mint.
    pub(super) created: Vec<(Key, Key)>,
    pub(super) unit_limits: Vec<u32>,
    pub(super) unit_prices: Vec<u64>,
    pub(super) tips: u64,
    pub(super) tip_lamports: u64,
    pub(super) guards: u64,
    pub(super) memos: u64,
    /// Guards whose rent comes back.
    pub(super) recovered: u64,
    /// What routes could take beyond what they declare, USDC raw.
    pub(super) hidden_raw: u128,
    /// Lamports locked in accounts that the message opens.
    pub(super) rent_lamports: u64,
}

/// Lamports counted for each token account made: above any set of extensions in use (350 bytes
/// and 128 of overhead at 6,960 lamports per byte come to 3.3 million).
pub(super) const TOKEN_ACCOUNT_LAMPORTS: u64 = 3_500_000;
const LAMPORTS_PER_SIGNATURE: u64 = 5_000;
const UNITS_MAX: u32 = 1_400_000;
const UNITS_PER_INSTRUCTION: u32 = 200_000;
const MICRO: u128 = 1_000_000;

impl Tally {
    /// Returns base fee and priority fee in lamports, rounded up.
    pub(super) fn fee_lamports(&self, signers: u8, instructions: usize) -> u128 {
        // Without a limit the runtime takes one by the number of instructions.
        let default =
            UNITS_PER_INSTRUCTION.saturating_mul(u32::try_from(instructions).unwrap_or(u32::MAX));
        let units = self.unit_limits.iter().copied().max().unwrap_or(default).min(UNITS_MAX);
        let price = self.unit_prices.iter().copied().max().unwrap_or(0);
        let priority = (u128::from(price) * u128::from(units)).div_ceil(MICRO);
        u128::from(LAMPORTS_PER_SIGNATURE) * u128::from(signers) + priority
    }

    /// Returns the most the message can lose, in USDC raw.
    pub(super) fn spend_raw(&self, policy: &Policy, fee_lamports: u128) -> Result<u64, Refusal> {
        let outflow = |asset| {
            let of = |it: &&Flow| it.input == asset;
            self.flows.iter().filter(of).map(|it| u128::from(it.amount_in_raw)).sum::<u128>()
        };
        let inflow = |asset| {
            let of = |it: &&Flow| it.output == asset;
            self.flows.iter().filter(of).map(|it| u128::from(it.min_out_raw)).sum::<u128>()
        };
        let (sol_out, sol_in) = (outflow(Asset::Sol), inflow(Asset::Sol));
        let costs = fee_lamports + u128::from(self.tip_lamports) + u128::from(self.rent_lamports);
        let leaves = outflow(Asset::Usdc)
            + policy.worth_most(sol_out.saturating_sub(sol_in))
            + policy.worth_most(costs)
            + self.hidden_raw;
        let arrives = inflow(Asset::Usdc) + policy.worth_least(sol_in.saturating_sub(sol_out));
        u64::try_from(leaves.saturating_sub(arrives))
            .map_err(|_| Refusal::new(Code::TransactionCap, "could lose more than can be counted"))
    }
}
