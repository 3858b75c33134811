//! What the operator allows: the policy's configuration, and what is derived from it once.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::venue::Venue;
use crate::{Key, SolanaError, pda, program};

/// Most mints, tables and tip accounts of a configuration.
const LIST_MAX: usize = 4_096;
/// Most addresses of a lookup table.
const TABLE_MAX: usize = 256;
/// USDC raw per USDC, and lamports per SOL.
const LAMPORTS_PER_SOL: u128 = 1_000_000_000;

/// A lookup table whose contents the signer knows.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PinnedTable {
    /// Address.
    pub address: String,
    /// Its entries, in order, at most 256.
    pub addresses: Vec<String>,
}

/// The policy's limits. Amounts are lamports or USDC raw (six decimals).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Least value of one SOL, in USDC raw: SOL that arrives counts this much.
    pub sol_usdc_raw_min: u64,
    /// Highest value of one SOL, in USDC raw: SOL that leaves counts this much.
    pub sol_usdc_raw_max: u64,
    /// Most one transaction may lose.
    pub transaction_usdc_raw_max: u64,
    /// Most all transactions of one kind may lose in any minute.
    pub minute_usdc_raw_max: u64,
    /// Most all transactions of one kind may lose in any day.
    pub day_usdc_raw_max: u64,
    /// Most transactions of one kind in any minute.
    pub transactions_per_minute_max: u64,
    /// Most of base fee, priority fee and tip together.
    pub fee_lamports_max: u64,
    /// Most of a tip.
    pub tip_lamports_max: u64,
    /// Most lamports put into a guard account.
    pub guard_lamports_max: u64,
    /// Most different messages of one exit's intent.
    pub exit_attempts_max: u64,
    /// Most slippage of the aggregator's instruction.
    pub slippage_bps_max: u64,
    /// Whether a table that is not pinned may be used for accounts that are not judged.
    pub foreign_tables: bool,
}

/// The policy as configured.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyConfig {
    /// Venues that may be called: names of `utb.domain.chain.Program`.
    pub programs: Vec<String>,
    /// Mint of USDC.
    pub usdc_mint: String,
    /// Mints that are traded.
    pub mints: Vec<String>,
    /// Lookup tables whose contents are known.
    pub tables: Vec<PinnedTable>,
    /// Accounts that tips may go to.
    pub tip_accounts: Vec<String>,
    /// Limits.
    pub limits: Limits,
}

impl PolicyConfig {
    /// Reads the JSON form.
    ///
    /// # Errors
    ///
    /// Returns [`SolanaError::Range`] with the parser's words, which name the field.
    pub fn from_json(bytes: &[u8]) -> Result<Self, SolanaError> {
        serde_json::from_slice(bytes)
            .map_err(|error| SolanaError::range("policy", error, "the policy's JSON"))
    }
}

/// What a mint is worth to the policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asset {
    /// USDC: itself.
    Usdc,
    /// Wrapped SOL: between the two configured values.
    Sol,
    /// Anything else: leaving it costs nothing, as buying it counted in full; arriving, nothing.
    Other,
}

/// A configuration with its keys read and the wallet's own token accounts derived.
#[derive(Debug, Clone)]
pub struct Policy {
    /// The wallet whose key signs.
    pub wallet: Key,
    /// The limits.
    pub limits: Limits,
    usdc_mint: Key,
    venues: Vec<Venue>,
    own_accounts: BTreeMap<Key, Key>,
    mints: BTreeSet<Key>,
    tables: BTreeMap<Key, Vec<Key>>,
    tip_accounts: Vec<Key>,
}

impl Policy {
    /// Reads a configuration for a wallet.
    ///
    /// # Errors
    ///
    /// Returns [`SolanaError::Range`] with the field that is not usable.
    pub fn new(wallet: Key, config: &PolicyConfig) -> Result<Self, SolanaError> {
        check_limits(&config.limits)?;
        let usdc_mint = Key::from_base58(&config.usdc_mint)?;
        let mut mints = keys("mints", &config.mints)?;
        mints.extend([usdc_mint, program::WRAPPED_SOL]);
        let mut own_accounts = BTreeMap::new();
        for mint in mints.iter().copied() {
            for owner in [program::TOKEN, program::TOKEN_2022] {
                own_accounts.insert(pda::associated_token(&wallet, &mint, &owner)?, mint);
            }
        }
        let mut tables = BTreeMap::new();
        for table in &config.tables {
            if table.addresses.len() > TABLE_MAX {
                let count = table.addresses.len();
                return Err(SolanaError::range("tables.addresses", count, "at most 256 keys"));
            }
            tables.insert(
                Key::from_base58(&table.address)?,
                keys("tables.addresses", &table.addresses)?,
            );
        }
        let venues =
            config.programs.iter().map(|name| Venue::named(name)).collect::<Result<_, _>>()?;
        Ok(Self {
            wallet,
            limits: config.limits,
            usdc_mint,
            venues,
            own_accounts,
            mints: mints.into_iter().collect(),
            tables,
            tip_accounts: keys("tip_accounts", &config.tip_accounts)?,
        })
    }

    /// Returns the venue of a program, if that venue is allowed.
    pub fn venue(&self, program: &Key) -> Option<Venue> {
        self.venues.iter().copied().find(|it| it.owns(program))
    }

    /// Returns whether tips may go to this account.
    pub fn takes_tips(&self, account: &Key) -> bool {
        self.tip_accounts.contains(account)
    }

    /// Returns whether a table's contents are known.
    pub fn pins(&self, table: &Key) -> bool {
        self.tables.contains_key(table)
    }

    /// Returns an entry of a pinned table.
    pub fn entry(&self, table: &Key, entry: u8) -> Option<Key> {
        self.tables.get(table)?.get(usize::from(entry)).copied()
    }

    /// Returns the mint of one of the wallet's own token accounts of configured mints.
    pub fn own_mint(&self, account: &Key) -> Option<Key> {
        self.own_accounts.get(account).copied()
    }

    /// Returns whether `account` is the wallet's own for this mint and token program.
    pub fn is_own(&self, account: &Key, mint: &Key, program: &Key) -> bool {
        // Known by configuration, else derived: an attacker cannot choose what it comes to. Of a
        // configured mint both accounts are known; deriving them again costs as much as a signature.
        if self.mints.contains(mint) && [program::TOKEN, program::TOKEN_2022].contains(program) {
            return self.own_mint(account) == Some(*mint);
        }
        self.own_mint(account) == Some(*mint)
            || pda::associated_token(&self.wallet, mint, program).is_ok_and(|own| own == *account)
    }

    /// Returns what a mint is worth.
    pub fn asset(&self, mint: &Key) -> Asset {
        if *mint == self.usdc_mint {
            Asset::Usdc
        } else if *mint == program::WRAPPED_SOL {
            Asset::Sol
        } else {
            Asset::Other
        }
    }

    /// Returns the highest value of an amount of an asset, in USDC raw.
    pub fn worth(&self, asset: Asset, amount_raw: u64) -> u128 {
        match asset {
            Asset::Usdc => u128::from(amount_raw),
            Asset::Sol => self.worth_most(u128::from(amount_raw)),
            Asset::Other => 0,
        }
    }

    /// Returns the highest value of lamports, in USDC raw, rounded up.
    pub fn worth_most(&self, lamports: u128) -> u128 {
        lamports.saturating_mul(u128::from(self.limits.sol_usdc_raw_max)).div_ceil(LAMPORTS_PER_SOL)
    }

    /// Returns the least value of lamports, in USDC raw, rounded down.
    pub fn worth_least(&self, lamports: u128) -> u128 {
        lamports.saturating_mul(u128::from(self.limits.sol_usdc_raw_min)) / LAMPORTS_PER_SOL
    }
}

fn keys(field: &'static str, texts: &[String]) -> Result<Vec<Key>, SolanaError> {
    if texts.len() > LIST_MAX {
        return Err(SolanaError::range(field, texts.len(), "at most 4096 keys"));
    }
    let key = |text: &String| {
        Key::from_base58(text).map_err(|_| SolanaError::range(field, text, "base58 of 32 bytes"))
    };
    texts.iter().map(key).collect()
}

fn check_limits(limits: &Limits) -> Result<(), SolanaError> {
    let positive = [
        ("sol_usdc_raw_min", limits.sol_usdc_raw_min),
        ("transaction_usdc_raw_max", limits.transaction_usdc_raw_max),
        ("minute_usdc_raw_max", limits.minute_usdc_raw_max),
        ("day_usdc_raw_max", limits.day_usdc_raw_max),
        ("transactions_per_minute_max", limits.transactions_per_minute_max),
        ("fee_lamports_max", limits.fee_lamports_max),
        ("exit_attempts_max", limits.exit_attempts_max),
    ];
    if let Some((field, value)) = positive.into_iter().find(|(_, value)| *value == 0) {
        return Err(SolanaError::range(field, value, "> 0"));
    }
    if limits.sol_usdc_raw_max < limits.sol_usdc_raw_min {
        let least = format!(">= sol_usdc_raw_min, {}", limits.sol_usdc_raw_min);
        return Err(SolanaError::range("sol_usdc_raw_max", limits.sol_usdc_raw_max, least));
    }
    if limits.slippage_bps_max >= 10_000 {
        return Err(SolanaError::range("slippage_bps_max", limits.slippage_bps_max, "< 10000"));
    }
    Ok(())
}
