//! The pools that are followed.

use std::collections::{BTreeMap, BTreeSet};

use super::account::{Account, Clock, Content, PoolState, Role};
use super::watched::Watched;
use super::{Price, Quote, Unquotable};
use crate::instruction::swap::SwapPool;
use crate::{Key, SolanaError, program};

/// Most pools that are followed at once.
pub const POOLS_MAX: usize = 1024;
/// Slots after which balances that do not fit together are no longer waited for.
const APART_SLOTS_MAX: u64 = 8;
/// Slots after which they are read again.
const APART_SLOTS_READ: u64 = 2;
/// The sysvar with the chain's time.
const CLOCK: Key = Key::known("SysvarC1ock11111111111111111111111111111111");

/// A program that swaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Venue {
    /// Raydium AMM v4.
    RaydiumAmm,
    /// Raydium CPMM.
    RaydiumCpmm,
    /// `PumpSwap`.
    PumpSwap,
    /// Orca Whirlpool.
    Whirlpool,
}

impl Venue {
    /// All of them.
    pub const ALL: [Self; 4] =
        [Self::RaydiumAmm, Self::RaydiumCpmm, Self::PumpSwap, Self::Whirlpool];

    /// Returns its name in configuration and records.
    pub const fn name(self) -> &'static str {
        match self {
            Self::RaydiumAmm => "raydium_amm",
            Self::RaydiumCpmm => "raydium_cpmm",
            Self::PumpSwap => "pumpswap",
            Self::Whirlpool => "whirlpool",
        }
    }

    /// Returns the address of its program.
    pub const fn program(self) -> Key {
        match self {
            Self::RaydiumAmm => program::RAYDIUM_AMM,
            Self::RaydiumCpmm => program::RAYDIUM_CPMM,
            Self::PumpSwap => program::PUMPSWAP,
            Self::Whirlpool => program::WHIRLPOOL,
        }
    }

    /// Returns whether a program is the venue's: for Whirlpools either of two deployments.
    pub fn runs(self, owner: &Key) -> bool {
        *owner == self.program()
            || (self == Self::Whirlpool && *owner == program::WHIRLPOOL_IMMUTABLE)
    }

    /// Returns the venue of a name.
    ///
    /// # Errors
    ///
    /// Returns [`SolanaError::Range`] for another name.
    pub fn from_name(name: &str) -> Result<Self, SolanaError> {
        Self::ALL.into_iter().find(|venue| venue.name() == name).ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            SolanaError::range("program", name, format!("one of {names}"))
        })
    }
}

/// What became of an account's update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// Held now.
    Taken,
    /// Older than what is held: dropped.
    Older,
    /// No pool uses the account.
    Unused,
}

/// Where [`Pools`] hold an account: for good, for none is ever taken out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place(usize);

impl Place {
    /// The place of an account that no pool uses.
    pub const NOWHERE: Self = Self(usize::MAX);
}

/// Pools with the accounts they need, as the chain showed them last.
///
/// A swap moves several accounts in one slot and their notifications come one after the other, so
/// every pool keeps the last state in which they belonged together, and prices and quotes come
/// from that alone ([`Quote::slot`] says which). Where they do not meet again, the pool refuses
/// ([`Unquotable::Apart`]) and [`Pools::missing`] names what to read again.
#[derive(Debug, Default)]
pub struct Pools {
    pub(super) accounts: Vec<Account>,
    by_key: BTreeMap<Key, usize>,
    watched: Vec<Watched>,
    pool_by_key: BTreeMap<Key, usize>,
    pub(super) clock: Option<Clock>,
    /// Newest slot heard of.
    head_slot: u64,
}

impl Pools {
    /// Follows a pool; again is no harm.
    ///
    /// # Errors
    ///
    /// Returns [`SolanaError::Range`] beyond [`POOLS_MAX`], or for the same pool of another program.
    pub fn watch(&mut self, venue: Venue, pool: Key) -> Result<(), SolanaError> {
        if let Some(watched) = self.watched(&pool) {
            if watched.venue == venue {
                return Ok(());
            }
            let expected = format!("{}, as it was watched before", watched.venue.name());
            return Err(SolanaError::range("program", venue.name(), expected));
        }
        if self.watched.len() >= POOLS_MAX {
            let expected = format!("<= {POOLS_MAX}");
            return Err(SolanaError::range("pools watched", self.watched.len() + 1, expected));
        }
        let number = self.watched.len();
        let account = self.account(pool, Role::Pool(venue), number);
        self.watched.push(Watched::new(venue, pool, account));
        self.pool_by_key.insert(pool, number);
        if venue == Venue::PumpSwap {
            self.bind_pumpswap(number);
        }
        Ok(())
    }

    /// Takes an account as it was at `slot`. One that does not exist has no data and any owner.
    pub fn apply(&mut self, address: &Key, owner: &Key, data: &[u8], slot: u64) -> Applied {
        if *address == CLOCK {
            return self.apply_clock(data);
        }
        self.apply_at(self.place(address, Place::NOWHERE), owner, data, slot)
    }

    /// As [`Pools::apply`], of the account at a place; never the clock.
    pub fn apply_at(&mut self, place: Place, owner: &Key, data: &[u8], slot: u64) -> Applied {
        let Some(account) = self.accounts.get_mut(place.0) else { return Applied::Unused };
        if !account.take(owner, data, slot) {
            return Applied::Older;
        }
        self.head_slot = self.head_slot.max(slot);
        let is_pool = matches!(account.role, Role::Pool(_));
        let users = std::mem::take(&mut account.users);
        for number in &users {
            let unbound = |watched: &Watched| watched.is_unbound(self);
            if is_pool && self.watched.get(*number).is_some_and(unbound) {
                self.bind(*number);
            }
            self.settle(*number);
        }
        if let Some(account) = self.accounts.get_mut(place.0) {
            // Binding may have added users, never to an account of another role.
            let added = std::mem::replace(&mut account.users, users);
            account.users.extend(added);
        }
        Applied::Taken
    }

    /// Finds where an account is held, without a search if it still is where it was found before.
    #[inline]
    pub fn place(&self, address: &Key, before: Place) -> Place {
        match self.accounts.get(before.0) {
            Some(account) if account.key == *address => before,
            _ => self.by_key.get(address).map_or(Place::NOWHERE, |index| Place(*index)),
        }
    }

    /// Returns how many of an account's first bytes are read: the others may be taken as zeros.
    #[inline]
    pub fn bytes_read(&self, place: Place) -> usize {
        self.accounts.get(place.0).map_or(usize::MAX, |account| account.role.bytes_read())
    }

    /// Takes the chain's time; what a pool's opening and a mint's transfer fee depend on.
    pub fn set_clock(&mut self, clock: Clock) {
        self.head_slot = self.head_slot.max(clock.slot);
        self.clock = Some(clock);
    }

    /// Notes that the chain has reached a slot.
    pub fn on_slot(&mut self, slot: u64) {
        self.head_slot = self.head_slot.max(slot);
    }

    /// Forgets what came after `slot`: those accounts are unknown until their next update, which
    /// may be of any slot. After a gap in the feed `slot` is the last one before it.
    pub fn rollback(&mut self, slot: u64) {
        for account in &mut self.accounts {
            if account.is_known() && account.slot > slot {
                account.forget(Content::Stale);
            }
        }
        self.head_slot = self.head_slot.min(slot);
        self.clock = self.clock.filter(|clock| clock.slot <= slot);
        for number in 0..self.watched.len() {
            self.settle(number);
        }
    }

    /// Forgets every account, as after a gap whose beginning nobody knows.
    pub fn forget(&mut self) {
        for account in &mut self.accounts {
            if account.is_known() {
                account.forget(Content::Stale);
            }
        }
        self.head_slot = 0;
        self.clock = None;
        for number in 0..self.watched.len() {
            self.settle(number);
        }
    }

    /// Lists the accounts to subscribe for a pool: those known to be needed so far. They change
    /// when the pool's account is seen first, and as a Whirlpool's price moves.
    pub fn needs(&self, pool: &Key) -> Vec<Key> {
        let Some(watched) = self.watched(pool) else { return Vec::new() };
        let accounts = watched.indices().filter_map(|index| self.accounts.get(index));
        let mut keys: Vec<Key> = accounts.map(|account| account.key).collect();
        if self.needs_clock(watched) {
            keys.push(CLOCK);
        }
        keys
    }

    /// Lists accounts to read from the chain now: never seen, taken away by a fork or a gap, or of
    /// pools whose balances have not met again. Read those of one pool in one call.
    pub fn missing(&self) -> Vec<Key> {
        let mut keys = BTreeSet::new();
        for watched in &self.watched {
            let apart = watched
                .apart_slot
                .is_some_and(|slot| self.head_slot.saturating_sub(slot) >= APART_SLOTS_READ);
            for account in watched.indices().filter_map(|index| self.accounts.get(index)) {
                let moves = matches!(account.role, Role::Pool(_) | Role::Vault);
                if !account.is_known() || (apart && moves) {
                    keys.insert(account.key);
                }
            }
        }
        keys.into_iter().collect()
    }

    /// Returns the price of a pool in its other mint per whole `base_mint`, without fees, and the
    /// slot of its balances.
    ///
    /// # Errors
    ///
    /// Returns [`Unquotable`] with the reason.
    pub fn price(&self, pool: &Key, base_mint: &Key) -> Result<(Price, u64), Unquotable> {
        let watched = self.current(pool)?;
        watched.price(self, base_mint)
    }

    /// Returns what a swap of an exact input would do.
    ///
    /// # Errors
    ///
    /// Returns [`Unquotable`] with the reason.
    pub fn quote(&self, pool: &Key, input_mint: &Key, in_raw: u64) -> Result<Quote, Unquotable> {
        self.current(pool)?.quote(self, input_mint, true, in_raw)
    }

    /// Returns what a swap for an exact output would take.
    ///
    /// # Errors
    ///
    /// Returns [`Unquotable`] with the reason.
    pub fn quote_out(
        &self,
        pool: &Key,
        input_mint: &Key,
        out_raw: u64,
    ) -> Result<Quote, Unquotable> {
        self.current(pool)?.quote(self, input_mint, false, out_raw)
    }

    /// Returns the accounts that a swap instruction names, beside the trader's own.
    ///
    /// # Errors
    ///
    /// Returns [`Unquotable`] with the reason.
    pub fn keys(&self, pool: &Key, input_mint: &Key) -> Result<SwapPool, Unquotable> {
        self.watched(pool).ok_or(Unquotable::NotWatched)?.keys(self, input_mint)
    }

    /// Returns the program a pool belongs to.
    pub fn venue(&self, pool: &Key) -> Option<Venue> {
        self.watched(pool).map(|watched| watched.venue)
    }

    fn watched(&self, pool: &Key) -> Option<&Watched> {
        self.watched.get(*self.pool_by_key.get(pool)?)
    }

    /// Returns a pool unless its balances have been apart for too long.
    fn current(&self, pool: &Key) -> Result<&Watched, Unquotable> {
        let watched = self.watched(pool).ok_or(Unquotable::NotWatched)?;
        match watched.apart_slot {
            Some(slot) if self.head_slot.saturating_sub(slot) > APART_SLOTS_MAX => {
                Err(Unquotable::Apart(slot))
            }
            _ => Ok(watched),
        }
    }

    /// Whether a pool's rules depend on the chain's time.
    fn needs_clock(&self, watched: &Watched) -> bool {
        let by_mint = watched.mints.into_iter().flatten().any(|index| {
            let content = self.accounts.get(index).map(|account| &account.content);
            matches!(content, Some(Content::Mint(mint)) if mint.fee_depends_on_epoch())
        });
        let by_pool = match watched.state(self) {
            Some(PoolState::RaydiumAmm(pool)) => pool.waits(),
            Some(PoolState::RaydiumCpmm(pool)) => pool.open_time_s > 0,
            _ => false,
        };
        by_mint || by_pool
    }

    fn apply_clock(&mut self, data: &[u8]) -> Applied {
        let Some(clock) = Clock::decode(data) else { return Applied::Unused };
        if self.clock.is_some_and(|held| held.slot > clock.slot) {
            return Applied::Older;
        }
        self.set_clock(clock);
        Applied::Taken
    }

    /// Returns the number of an account, which a pool now uses.
    pub(super) fn account(&mut self, key: Key, role: Role, user: usize) -> usize {
        let next = self.accounts.len();
        let index = *self.by_key.entry(key).or_insert(next);
        if index == next {
            self.accounts.push(Account::new(key, role));
        }
        if let Some(account) = self.accounts.get_mut(index)
            && !account.users.contains(&user)
        {
            account.users.push(user);
        }
        index
    }

    /// Works on one pool with the rest at hand.
    pub(super) fn with_pool(&mut self, number: usize, work: impl FnOnce(&mut Watched, &mut Self)) {
        let Some(place) = self.watched.get_mut(number) else { return };
        let mut watched = std::mem::take(place);
        work(&mut watched, self);
        if let Some(place) = self.watched.get_mut(number) {
            *place = watched;
        }
    }

    #[cold]
    fn bind(&mut self, number: usize) {
        self.with_pool(number, |watched, pools| watched.bind(pools, number));
    }

    fn bind_pumpswap(&mut self, number: usize) {
        self.with_pool(number, |watched, pools| watched.bind_pumpswap(pools, number));
    }

    fn settle(&mut self, number: usize) {
        if let Some(watched) = self.watched.get_mut(number) {
            watched.settle(&self.accounts);
        }
    }
}
