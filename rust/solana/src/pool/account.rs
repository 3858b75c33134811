//! Accounts that pools are made of, as they were seen last.

use super::bytes::{array_at, u64_at};
use super::pumpswap::{PumpSwap, PumpSwapFeeConfig, PumpSwapGlobal};
use super::raydium_amm::RaydiumAmm;
use super::raydium_cpmm::{RaydiumCpmm, RaydiumCpmmConfig};
use super::token::{Mint, TokenAccount};
use super::whirlpool::{self, TickArray, Whirlpool};
use super::{Unquotable, Venue};
use crate::{Key, program};

/// The chain's time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    /// Slot it was read in.
    pub slot: u64,
    /// Epoch: decides which transfer fee of a mint holds.
    pub epoch: u64,
    /// Unix time, seconds.
    pub unix_time_s: u64,
}

impl Clock {
    /// Reads the clock sysvar, or returns `None` if it is something else.
    pub fn decode(data: &[u8]) -> Option<Self> {
        let unix_time_s = i64::from_le_bytes(array_at(data, 32)?);
        Some(Self {
            slot: u64_at(data, 0)?,
            epoch: u64_at(data, 16)?,
            unix_time_s: u64::try_from(unix_time_s).ok()?,
        })
    }
}

/// What an account is to the pools that use it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Pool(Venue),
    Vault,
    Mint,
    CpmmConfig,
    PumpSwapGlobal,
    PumpSwapFees,
    TickArray { pool: Key, start: i32 },
}

/// What the numbers of a pool's other accounts depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Binding {
    mints: [Key; 2],
    vaults: [Key; 2],
    array: i32,
}

/// A pool's own account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PoolState {
    RaydiumAmm(RaydiumAmm),
    RaydiumCpmm(RaydiumCpmm),
    PumpSwap(PumpSwap),
    Whirlpool(Whirlpool),
}

impl PoolState {
    fn decode(venue: Venue, data: &[u8]) -> Option<Self> {
        match venue {
            Venue::RaydiumAmm => RaydiumAmm::decode(data).map(Self::RaydiumAmm),
            Venue::RaydiumCpmm => RaydiumCpmm::decode(data).map(Self::RaydiumCpmm),
            Venue::PumpSwap => PumpSwap::decode(data).map(Self::PumpSwap),
            Venue::Whirlpool => Whirlpool::decode(data).map(Self::Whirlpool),
        }
    }

    /// Reads the account anew; says whether anything differs.
    #[inline]
    fn refresh(&mut self, data: &[u8]) -> Option<bool> {
        Some(match self {
            Self::RaydiumAmm(held) => replace(held, RaydiumAmm::decode(data)?),
            Self::RaydiumCpmm(held) => replace(held, RaydiumCpmm::decode(data)?),
            Self::PumpSwap(held) => replace(held, PumpSwap::decode(data)?),
            Self::Whirlpool(held) => replace(held, Whirlpool::decode(data)?),
        })
    }

    /// What the numbers of its other accounts depend on: mints, vaults, and of a Whirlpool the
    /// array of its price.
    #[inline]
    fn names(&self) -> (&[Key; 2], &[Key; 2], i32) {
        match self {
            Self::RaydiumAmm(pool) => (&pool.mints, &pool.vaults, 0),
            Self::RaydiumCpmm(pool) => (&pool.mints, &pool.vaults, 0),
            Self::PumpSwap(pool) => (&pool.mints, &pool.vaults, 0),
            Self::Whirlpool(pool) => (&pool.mints, &pool.vaults, pool.array_start()),
        }
    }

    pub(super) fn binding(&self) -> Binding {
        let (mints, vaults, array) = self.names();
        Binding { mints: *mints, vaults: *vaults, array }
    }

    /// Returns whether that is still so.
    #[inline]
    pub(super) fn is_bound(&self, bound: &Binding) -> bool {
        self.names() == (&bound.mints, &bound.vaults, bound.array)
    }

    pub(super) fn mints(&self) -> [Key; 2] {
        match self {
            Self::RaydiumAmm(pool) => pool.mints,
            Self::RaydiumCpmm(pool) => pool.mints,
            Self::PumpSwap(pool) => pool.mints,
            Self::Whirlpool(pool) => pool.mints,
        }
    }
}

/// What an account holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// Never seen, or no longer followed.
    Unknown,
    /// Seen, then taken away by a fork or a gap.
    Stale,
    /// Not what its role demands.
    Malformed,
    Pool(PoolState),
    Vault(TokenAccount),
    Mint(Mint),
    CpmmConfig(RaydiumCpmmConfig),
    PumpSwapGlobal(Box<PumpSwapGlobal>),
    PumpSwapFees(Box<PumpSwapFeeConfig>),
    TickArray(TickArray),
}

impl Role {
    /// Returns how many of the first bytes are read, where that is worth knowing.
    pub(super) fn bytes_read(self) -> usize {
        match self {
            // Of the pools' own accounts that one alone changes at every swap.
            Self::Pool(Venue::Whirlpool) => whirlpool::BYTES_READ,
            _ => usize::MAX,
        }
    }

    /// Reads what an account of this role holds; an account that does not exist has no data.
    fn read(self, owner: &Key, data: &[u8]) -> Content {
        let token = *owner == program::TOKEN || *owner == program::TOKEN_2022;
        let content = match self {
            Self::Pool(venue) if venue.runs(owner) => {
                PoolState::decode(venue, data).map(Content::Pool)
            }
            Self::Vault if token => TokenAccount::decode(data).map(Content::Vault),
            Self::Mint if token => Mint::decode(data).map(Content::Mint),
            Self::CpmmConfig if *owner == program::RAYDIUM_CPMM => {
                RaydiumCpmmConfig::decode(data).map(Content::CpmmConfig)
            }
            Self::PumpSwapGlobal if *owner == program::PUMPSWAP => {
                PumpSwapGlobal::decode(data).map(|it| Content::PumpSwapGlobal(Box::new(it)))
            }
            Self::PumpSwapFees if *owner == program::PUMP_FEES => {
                PumpSwapFeeConfig::decode(data).map(|it| Content::PumpSwapFees(Box::new(it)))
            }
            // Nobody made this array yet: it has no liquidity, and a swap may name it.
            Self::TickArray { pool, start } if data.is_empty() => {
                Some(Content::TickArray(TickArray { pool, start, ticks: Vec::new() }))
            }
            Self::TickArray { pool, start } if Venue::Whirlpool.runs(owner) => {
                TickArray::decode(data)
                    .filter(|array| array.pool == pool && array.start == start)
                    .map(Content::TickArray)
            }
            _ => None,
        };
        content.unwrap_or(Content::Malformed)
    }
}

/// An account at its last slot.
#[derive(Clone, Debug)]
pub(super) struct Account {
    pub(super) key: Key,
    pub(super) role: Role,
    /// Pools that use it, by number.
    pub(super) users: Vec<usize>,
    /// Program that owns it: a vault's or a mint's token program.
    pub(super) owner: Key,
    pub(super) content: Content,
    pub(super) slot: u64,
    /// Different contents seen in that slot.
    pub(super) updates: u32,
    /// Slot in which the content changed last.
    pub(super) changed_slot: u64,
}

impl Account {
    pub(super) fn new(key: Key, role: Role) -> Self {
        Self {
            key,
            role,
            users: Vec::new(),
            owner: Key::default(),
            content: Content::Unknown,
            slot: 0,
            updates: 0,
            changed_slot: 0,
        }
    }

    pub(super) fn is_known(&self) -> bool {
        !matches!(self.content, Content::Unknown | Content::Stale)
    }

    /// Takes the account as it was at `slot`; `false` if it is older than what is held.
    pub(super) fn take(&mut self, owner: &Key, data: &[u8], slot: u64) -> bool {
        let known = self.is_known();
        if known && slot < self.slot {
            return false;
        }
        if *owner == self.owner
            && let Some(changed) = self.refresh(data)
        {
            self.note(slot, true, changed);
            return true;
        }
        let content = self.role.read(owner, data);
        let changed = !known || content != self.content;
        if changed {
            self.content = content;
        }
        self.owner = *owner;
        self.note(slot, known, changed);
        true
    }

    /// Puts new numbers in the place of those of a pool or a vault that is known, which is what
    /// most updates are; says whether any differs. `None` if that is not what `data` is.
    fn refresh(&mut self, data: &[u8]) -> Option<bool> {
        match (self.role, &mut self.content) {
            (Role::Vault, Content::Vault(held)) => Some(replace(held, TokenAccount::decode(data)?)),
            (Role::Pool(_), Content::Pool(held)) => held.refresh(data),
            _ => None,
        }
    }

    /// Counts an update.
    fn note(&mut self, slot: u64, known: bool, changed: bool) {
        if !known || slot > self.slot {
            self.updates = 1;
        } else if changed {
            self.updates = self.updates.saturating_add(1);
        }
        if changed {
            self.changed_slot = slot;
        }
        self.slot = slot;
    }

    /// Forgets what it holds.
    pub(super) fn forget(&mut self, content: Content) {
        self.content = content;
        self.slot = 0;
        self.updates = 0;
        self.changed_slot = 0;
    }

    /// Says why the account cannot be used.
    pub(super) fn reason(&self) -> Unquotable {
        match self.content {
            Content::Unknown => Unquotable::Missing(self.key),
            Content::Stale => Unquotable::Stale(self.key),
            _ => Unquotable::Malformed(self.key),
        }
    }
}

/// Replaces what is held; says whether it differed.
#[inline]
fn replace<T: PartialEq>(held: &mut T, new: T) -> bool {
    let changed = *held != new;
    *held = new;
    changed
}
