//! PumpSwap's global configuration and fee schedule.
//!
//! Source: pump-fun/pump-public-docs `idl/pump_amm.json` and npm `@pump-fun/pump-swap-sdk` 1.20.0
//! (MIT), src/sdk/fees.ts. Fields that older accounts lack read as zero.

use crate::Key;
use crate::pool::bytes::{array_at, key_at, u8_at, u32_at, u64_at, u128_at};

/// `sha256("account:GlobalConfig")`, first eight bytes.
const GLOBAL_DISCRIMINATOR: [u8; 8] = [0x95, 0x08, 0x9c, 0xca, 0xa0, 0xfc, 0xb0, 0xd9];
/// `sha256("account:FeeConfig")`, first eight bytes.
const FEES_DISCRIMINATOR: [u8; 8] = [0x8f, 0x34, 0x92, 0xbb, 0xdb, 0x7b, 0x4c, 0x9b];
/// Length of the oldest global configuration that is read: up to the coin creator's fee.
const GLOBAL_BYTES_MIN: usize = 321;
/// Bytes of a tier: threshold and three rates.
const TIER_BYTES: usize = 40;
/// Most tiers that are read; mainnet has 25.
const TIERS_MAX: usize = 128;
/// Flag that switches buys off.
const BUY_OFF: u8 = 1 << 3;
/// Flag that switches sells off.
const SELL_OFF: u8 = 1 << 4;

/// What every pool shares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PumpSwapGlobal {
    /// Whether buys are switched off.
    pub buy_off: bool,
    /// Whether sells are switched off.
    pub sell_off: bool,
    /// Who may receive the protocol's fee of a usual pool.
    pub protocol_fee_recipients: [Key; 8],
    /// Who may receive it of a mayhem pool.
    pub mayhem_fee_recipients: [Key; 8],
    /// Who may receive the buyback share; zero keys in an old account.
    pub buyback_fee_recipients: [Key; 8],
    /// Whether a pool's own creator rate counts.
    pub creator_fee_configurable: bool,
}

impl PumpSwapGlobal {
    /// Reads the configuration, or returns `None` if it is something else.
    pub fn decode(data: &[u8]) -> Option<Self> {
        if data.len() < GLOBAL_BYTES_MIN || array_at(data, 0)? != GLOBAL_DISCRIMINATOR {
            return None;
        }
        let flags = u8_at(data, 56)?;
        // One key at 385, then seven after a flag.
        let mayhem = |number: usize| if number == 0 { 385 } else { 386 + 32 * number };
        let mayhem_fee_recipients =
            std::array::from_fn(|number| key_at(data, mayhem(number)).unwrap_or_default());
        Some(Self {
            buy_off: flags & BUY_OFF != 0,
            sell_off: flags & SELL_OFF != 0,
            protocol_fee_recipients: keys(data, 57),
            mayhem_fee_recipients,
            buyback_fee_recipients: keys(data, 643),
            creator_fee_configurable: u8_at(data, 940).is_some_and(|flag| flag != 0),
        })
    }
}

/// Rates in basis points of the quote amount.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PumpSwapFees {
    /// Stays in the pool.
    pub lp_bps: u64,
    /// Goes to the protocol.
    pub protocol_bps: u64,
    /// Goes to the coin's creator.
    pub creator_bps: u64,
}

impl PumpSwapFees {
    fn decode(data: &[u8], at: usize) -> Option<Self> {
        Some(Self {
            lp_bps: u64_at(data, at)?,
            protocol_bps: u64_at(data, at + 8)?,
            creator_bps: u64_at(data, at + 16)?,
        })
    }

    /// Returns the sum of the rates.
    pub fn total_bps(&self) -> Option<u64> {
        self.lp_bps.checked_add(self.protocol_bps)?.checked_add(self.creator_bps)
    }
}

/// Rates from a market cap on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PumpSwapTier {
    /// Lowest market cap, base units of the quote mint.
    pub market_cap_raw: u128,
    /// The rates.
    pub fees: PumpSwapFees,
}

/// Which schedule a canonical pool follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuoteKind {
    /// Native SOL in one of its forms.
    Sol,
    /// USDC.
    Stable,
    /// Anything else.
    Exotic,
}

/// The fee schedule of all pools.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PumpSwapFeeConfig {
    /// Rates of pools that did not graduate from the bonding curve.
    pub flat: PumpSwapFees,
    /// Rates of graduated pools quoted in SOL, by market cap.
    pub tiers: Vec<PumpSwapTier>,
    /// Rates of graduated pools quoted in USDC, by market cap.
    pub stable_tiers: Vec<PumpSwapTier>,
    /// Rates of graduated pools quoted in anything else; all zero: the flat ones.
    pub exotic: PumpSwapFees,
}

impl PumpSwapFeeConfig {
    /// Reads the schedule, or returns `None` if it is something else.
    pub fn decode(data: &[u8]) -> Option<Self> {
        if array_at(data, 0)? != FEES_DISCRIMINATOR {
            return None;
        }
        let flat = PumpSwapFees::decode(data, 41)?;
        let (tiers, at) = tiers(data, 65)?;
        // Older accounts end after the first list.
        let (stable_tiers, at) = match u32_at(data, at) {
            Some(_) => self::tiers(data, at)?,
            None => (Vec::new(), at),
        };
        let exotic = PumpSwapFees::decode(data, at).unwrap_or_default();
        Some(Self { flat, tiers, stable_tiers, exotic })
    }

    /// Returns the rates of a pool; `market_cap_raw` counts for canonical pools alone.
    pub fn fees(&self, canonical: bool, quote: QuoteKind, market_cap_raw: u128) -> PumpSwapFees {
        if !canonical {
            return self.flat;
        }
        let by_cap = |tiers: &[PumpSwapTier]| {
            let reached = tiers.iter().rfind(|tier| tier.market_cap_raw <= market_cap_raw);
            reached.or(tiers.first()).map_or(self.flat, |tier| tier.fees)
        };
        match quote {
            QuoteKind::Sol => by_cap(&self.tiers),
            QuoteKind::Stable => by_cap(&self.stable_tiers),
            QuoteKind::Exotic if self.exotic == PumpSwapFees::default() => self.flat,
            QuoteKind::Exotic => self.exotic,
        }
    }
}

/// Reads eight keys; those beyond the end are zero.
fn keys(data: &[u8], at: usize) -> [Key; 8] {
    std::array::from_fn(|number| key_at(data, at + 32 * number).unwrap_or_default())
}

/// Reads a list of tiers and where it ends.
fn tiers(data: &[u8], at: usize) -> Option<(Vec<PumpSwapTier>, usize)> {
    let count = usize::try_from(u32_at(data, at)?).ok().filter(|count| *count <= TIERS_MAX)?;
    let tier = |number: usize| {
        let at = at + 4 + TIER_BYTES * number;
        let market_cap_raw = u128_at(data, at)?;
        Some(PumpSwapTier { market_cap_raw, fees: PumpSwapFees::decode(data, at + 16)? })
    };
    let tiers = (0..count).map(tier).collect::<Option<Vec<_>>>()?;
    Some((tiers, at + 4 + TIER_BYTES * count))
}
