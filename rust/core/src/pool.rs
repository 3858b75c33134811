//! A constant-product pool: two vault balances, and what the pool account says is not its own.
//!
//! A swap moves both vaults in one slot, and their notifications come one after the other. A price
//! is published once both vaults are known at the same slot, with as many updates of it from one
//! as from the other: balances of different slots never meet in a price. A transfer that moves
//! only one vault is seen with the next slot in which both move.

use serde::{Deserialize, Serialize};
use utb_feeds::{RaydiumCpmm, RaydiumV4};
use utb_types::Value;

/// States in which a Raydium v4 pool swaps: initialised, swap only, waiting for its open time.
const V4_SWAPPABLE: [u64; 3] = [1, 6, 7];
/// Bit of a CPMM pool's status that switches swaps off.
const CPMM_SWAP_OFF: u8 = 4;

/// One vault at its last slot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Vault {
    known: bool,
    amount_raw: u64,
    slot: u64,
    /// Updates seen in that slot.
    updates: u32,
}

/// Base units in the vaults that are not the pool's: (base, quote).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Owed {
    base_raw: u64,
    quote_raw: u64,
    swappable: bool,
}

impl Owed {
    /// Reads a Raydium v4 pool; `None` if its mints are not these.
    pub(crate) fn of_v4(pool: &RaydiumV4, base: &[u8; 32], quote: &[u8; 32]) -> Option<Self> {
        let (coin, pc) = (pool.need_take_pnl_coin_raw, pool.need_take_pnl_pc_raw);
        Self::oriented([coin, pc], [&pool.coin_mint, &pool.pc_mint], base, quote)
            .map(|owed| Self { swappable: V4_SWAPPABLE.contains(&pool.status), ..owed })
    }

    /// Reads a Raydium CPMM pool; `None` if its mints are not these.
    pub(crate) fn of_cpmm(pool: &RaydiumCpmm, base: &[u8; 32], quote: &[u8; 32]) -> Option<Self> {
        let [protocol, fund, creator] =
            [pool.protocol_fees_raw, pool.fund_fees_raw, pool.creator_fees_raw];
        let fees = |side: usize| {
            let of = |fees: [u64; 2]| fees.get(side).copied().unwrap_or_default();
            of(protocol).saturating_add(of(fund)).saturating_add(of(creator))
        };
        let [first, second] = &pool.mints;
        Self::oriented([fees(0), fees(1)], [first, second], base, quote)
            .map(|owed| Self { swappable: pool.status & CPMM_SWAP_OFF == 0, ..owed })
    }

    fn oriented(
        owed_raw: [u64; 2],
        mints: [&[u8; 32]; 2],
        base: &[u8; 32],
        quote: &[u8; 32],
    ) -> Option<Self> {
        let [first, second] = owed_raw;
        if mints == [base, quote] {
            Some(Self { base_raw: first, quote_raw: second, swappable: true })
        } else if mints == [quote, base] {
            Some(Self { base_raw: second, quote_raw: first, swappable: true })
        } else {
            None
        }
    }
}

/// What an update of a pool led to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum PoolUpdate {
    /// A new price.
    Price(PoolPrice),
    /// Nothing yet: the other vault, or the pool account, is missing.
    Waiting,
    /// Older than what is known.
    Late,
    /// The same again.
    Duplicate,
    /// The pool does not swap.
    Closed,
    /// A reserve is zero or less than what is owed.
    Empty,
}

/// A price of a pool.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct PoolPrice {
    /// Quote per base.
    pub(crate) price: f64,
    /// Base volume of the swap, 0 if liquidity moved.
    pub(crate) volume: f64,
    /// Quote reserve in quote units.
    pub(crate) liquidity: Value,
}

/// State of one pool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Pool {
    base: Vault,
    quote: Vault,
    /// Whether the pool account is subscribed.
    bound: bool,
    owed: Option<Owed>,
    owed_slot: u64,
    /// Reserves at the last price, base units.
    priced: Option<(u64, u64)>,
}

impl Pool {
    /// Notes that the pool account is subscribed: no price before it was seen.
    pub(crate) fn bind_account(&mut self) {
        self.bound = true;
    }

    /// Takes the pool account.
    pub(crate) fn on_account(&mut self, slot: u64, owed: Owed) -> PoolUpdate {
        if slot < self.owed_slot {
            return PoolUpdate::Late;
        }
        self.owed = Some(owed);
        self.owed_slot = slot;
        PoolUpdate::Waiting
    }

    /// Takes a balance of the base (or else the quote) vault; decimals are (base, quote).
    pub(crate) fn on_vault(
        &mut self,
        is_base: bool,
        slot: u64,
        amount_raw: u64,
        decimals: (u8, u8),
    ) -> PoolUpdate {
        let vault = if is_base { &mut self.base } else { &mut self.quote };
        if vault.known && slot < vault.slot {
            return PoolUpdate::Late;
        }
        if vault.known && slot == vault.slot {
            if vault.amount_raw == amount_raw {
                return PoolUpdate::Duplicate;
            }
            vault.updates += 1;
        } else {
            vault.updates = 1;
        }
        *vault = Vault { known: true, amount_raw, slot, ..*vault };
        let paired = self.base.known
            && self.quote.known
            && self.base.slot == self.quote.slot
            && self.base.updates == self.quote.updates;
        if !paired || (self.bound && self.owed.is_none()) {
            return PoolUpdate::Waiting;
        }
        self.price(decimals)
    }

    fn price(&mut self, (base_decimals, quote_decimals): (u8, u8)) -> PoolUpdate {
        let owed = self.owed.unwrap_or(Owed { swappable: true, ..Owed::default() });
        if !owed.swappable {
            return PoolUpdate::Closed;
        }
        let base = self.base.amount_raw.saturating_sub(owed.base_raw);
        let quote = self.quote.amount_raw.saturating_sub(owed.quote_raw);
        if base == 0 || quote == 0 {
            return PoolUpdate::Empty;
        }
        // A swap moves the vaults in opposite directions.
        let volume_raw = match self.priced.replace((self.base.amount_raw, self.quote.amount_raw)) {
            Some((base_before, quote_before)) => {
                let base_moved = self.base.amount_raw.cmp(&base_before);
                let quote_moved = self.quote.amount_raw.cmp(&quote_before);
                if base_moved.is_ne() && base_moved == quote_moved.reverse() {
                    self.base.amount_raw.abs_diff(base_before)
                } else {
                    0
                }
            }
            None => 0,
        };
        let (base_units, quote_units) = (units(base, base_decimals), units(quote, quote_decimals));
        PoolUpdate::Price(PoolPrice {
            price: quote_units / base_units,
            volume: units(volume_raw, base_decimals),
            liquidity: Value::new(quote_units),
        })
    }
}

/// Returns base units as whole tokens.
#[expect(clippy::cast_precision_loss, reason = "a price, never an amount of the ledger")]
fn units(raw: u64, decimals: u8) -> f64 {
    let scale = (0..decimals).fold(1.0_f64, |scale, _| scale * 10.0);
    raw as f64 / scale
}

#[cfg(test)]
mod tests {
    use utb_types::Value;

    use super::{Owed, Pool, PoolPrice, PoolUpdate};

    const DECIMALS: (u8, u8) = (9, 6);

    fn priced(price: f64, volume: f64, liquidity: f64) -> PoolUpdate {
        PoolUpdate::Price(PoolPrice { price, volume, liquidity: Value::new(liquidity) })
    }

    #[test]
    fn test_pool_price_waits_for_both_vaults_of_one_slot() {
        let mut pool = Pool::default();
        assert_eq!(pool.on_vault(true, 7, 1_000_000_000_000, DECIMALS), PoolUpdate::Waiting);
        // 150,000 USDC over 1,000 SOL.
        let first = pool.on_vault(false, 7, 150_000_000_000, DECIMALS);
        assert_eq!(first, priced(150.0, 0.0, 150_000.0));
        assert_eq!(pool.on_vault(false, 8, 151_000_000_000, DECIMALS), PoolUpdate::Waiting);
        assert_eq!(pool.on_vault(true, 7, 999_000_000_000, DECIMALS), PoolUpdate::Waiting);
    }

    #[test]
    fn test_pool_swap_has_the_base_volume_and_liquidity_moves_have_none() {
        let mut pool = Pool::default();
        pool.on_vault(true, 1, 1_000_000_000_000, DECIMALS);
        pool.on_vault(false, 1, 150_000_000_000, DECIMALS);
        pool.on_vault(false, 2, 160_000_000_000, DECIMALS);
        let swap = pool.on_vault(true, 2, 800_000_000_000, DECIMALS);
        assert_eq!(swap, priced(200.0, 200.0, 160_000.0));
        pool.on_vault(true, 3, 1_600_000_000_000, DECIMALS);
        let deposit = pool.on_vault(false, 3, 320_000_000_000, DECIMALS);
        assert_eq!(deposit, priced(200.0, 0.0, 320_000.0));
    }

    #[test]
    fn test_pool_two_swaps_in_a_slot_never_mix_their_balances() {
        let mut pool = Pool::default();
        pool.on_vault(true, 1, 1_000, (0, 0));
        pool.on_vault(false, 1, 1_000, (0, 0));
        assert_eq!(pool.on_vault(true, 1, 500, (0, 0)), PoolUpdate::Waiting);
        assert_eq!(pool.on_vault(false, 1, 2_000, (0, 0)), priced(4.0, 500.0, 2_000.0));
    }

    #[test]
    fn test_pool_older_slot_is_late_and_a_repeat_is_a_duplicate() {
        let mut pool = Pool::default();
        pool.on_vault(true, 5, 10, (0, 0));
        assert_eq!(pool.on_vault(true, 4, 11, (0, 0)), PoolUpdate::Late);
        assert_eq!(pool.on_vault(true, 5, 10, (0, 0)), PoolUpdate::Duplicate);
    }

    #[test]
    fn test_pool_with_a_bound_account_waits_for_it_and_takes_off_what_is_owed() {
        let mut pool = Pool::default();
        pool.bind_account();
        pool.on_vault(true, 1, 110, (0, 0));
        assert_eq!(pool.on_vault(false, 1, 230, (0, 0)), PoolUpdate::Waiting);
        let owed = Owed { base_raw: 10, quote_raw: 30, swappable: true };
        pool.on_account(1, owed);
        pool.on_vault(true, 2, 110, (0, 0));
        assert_eq!(pool.on_vault(false, 2, 230, (0, 0)), priced(2.0, 0.0, 200.0));
        pool.on_account(3, Owed { swappable: false, ..owed });
        pool.on_vault(true, 3, 110, (0, 0));
        assert_eq!(pool.on_vault(false, 3, 230, (0, 0)), PoolUpdate::Closed);
        pool.on_account(4, Owed { base_raw: 110, ..owed });
        pool.on_vault(true, 4, 110, (0, 0));
        assert_eq!(pool.on_vault(false, 4, 230, (0, 0)), PoolUpdate::Empty);
    }
}
