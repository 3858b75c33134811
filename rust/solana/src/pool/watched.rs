//! One pool that is followed: its accounts, and the last state in which they belong together.

use std::collections::BTreeMap;

use super::account::{Account, Binding, Content, PoolState, Role};
use super::registry::{Pools, Venue};
use super::token::Mint;
use super::whirlpool::{self, TICK_MAX, TICK_MIN, Whirlpool};
use super::{Side, Unquotable};
use crate::instruction::{pumpswap, whirlpool as encode};
use crate::{Key, pda, program};

/// Arrays beside the current one that are followed on each side: the two more that a swap names,
/// and one in reserve for a moving price.
const ARRAYS_BESIDE: i32 = 3;

/// A pool that is followed.
#[derive(Debug)]
pub(super) struct Watched {
    pub(super) venue: Venue,
    pub(super) key: Key,
    /// The pool's own account, by number.
    pub(super) account: usize,
    pub(super) vaults: [Option<usize>; 2],
    pub(super) mints: [Option<usize>; 2],
    /// The configuration: of fees, or all of `PumpSwap`.
    pub(super) config: Option<usize>,
    /// `PumpSwap`'s fee schedule.
    pub(super) fees: Option<usize>,
    /// Tick arrays by their first tick.
    pub(super) arrays: BTreeMap<i32, usize>,
    /// Address of a Whirlpool's oracle.
    pub(super) oracle: Option<Key>,
    /// What these numbers were found for.
    bound: Option<Binding>,
    /// Whether a `PumpSwap` pool graduated from the bonding curve.
    pub(super) canonical: bool,
    snapshot: Option<Snapshot>,
    /// Since which slot the newest balances do not fit together.
    pub(super) apart_slot: Option<u64>,
}

/// A state whose parts belong together.
#[derive(Clone, Copy, Debug)]
pub(super) struct Snapshot {
    pub(super) slot: u64,
    pub(super) state: PoolState,
    /// Which contents of the pool's own account that is: slot of its last change and count.
    version: (u64, u32),
    /// Balances of the vaults; none for Whirlpools, whose price does not come from them.
    pub(super) vaults_raw: [u64; 2],
}

impl Default for Watched {
    fn default() -> Self {
        Self::new(Venue::RaydiumAmm, Key::default(), usize::MAX)
    }
}

impl Watched {
    pub(super) fn new(venue: Venue, key: Key, account: usize) -> Self {
        Self {
            venue,
            key,
            account,
            vaults: [None; 2],
            mints: [None; 2],
            config: None,
            fees: None,
            arrays: BTreeMap::new(),
            oracle: None,
            bound: None,
            canonical: false,
            snapshot: None,
            apart_slot: None,
        }
    }

    /// Numbers of all its accounts.
    pub(super) fn indices(&self) -> impl Iterator<Item = usize> + '_ {
        let some = [self.config, self.fees].into_iter().chain(self.vaults).chain(self.mints);
        std::iter::once(self.account).chain(some.flatten()).chain(self.arrays.values().copied())
    }

    /// Returns the pool's own account as it was seen last.
    pub(super) fn state<'p>(&self, pools: &'p Pools) -> Option<&'p PoolState> {
        match &pools.accounts.get(self.account)?.content {
            Content::Pool(state) => Some(state),
            _ => None,
        }
    }

    /// Whether the pool's own account names others than before.
    pub(super) fn is_unbound(&self, pools: &Pools) -> bool {
        let bound = self.bound.as_ref();
        self.state(pools).is_some_and(|state| !bound.is_some_and(|bound| state.is_bound(bound)))
    }

    /// Finds the accounts that the pool's own account names.
    pub(super) fn bind(&mut self, pools: &mut Pools, number: usize) {
        let Some(state) = self.state(pools).copied() else { return };
        self.bound = Some(state.binding());
        let mut take =
            |keys: [Key; 2], role| keys.map(|key| Some(pools.account(key, role, number)));
        match state {
            PoolState::RaydiumAmm(pool) => self.vaults = take(pool.vaults, Role::Vault),
            PoolState::RaydiumCpmm(pool) => {
                self.vaults = take(pool.vaults, Role::Vault);
                self.mints = take(pool.mints, Role::Mint);
                self.config = Some(pools.account(pool.config, Role::CpmmConfig, number));
            }
            PoolState::PumpSwap(pool) => {
                let known = self.vaults.iter().any(Option::is_some);
                self.vaults = take(pool.vaults, Role::Vault);
                self.mints = take(pool.mints, Role::Mint);
                if !known {
                    let [base, _] = pool.mints;
                    self.canonical = pool.index == 0 && is_pump_authority(&pool.creator, &base);
                }
            }
            PoolState::Whirlpool(pool) => {
                self.mints = take(pool.mints, Role::Mint);
                self.bind_arrays(pools, number, &pool);
            }
        }
    }

    /// Follows the arrays around the price; those it has left behind are forgotten, for nobody
    /// says any more how they change.
    fn bind_arrays(&mut self, pools: &mut Pools, number: usize, pool: &Whirlpool) {
        let span = whirlpool::span(pool.tick_spacing);
        let current = pool.array_start();
        let window = (-ARRAYS_BESIDE..=ARRAYS_BESIDE).map(|step| current + step * span);
        let window: Vec<i32> =
            window.filter(|start| *start + span > TICK_MIN && *start <= TICK_MAX).collect();
        self.arrays.retain(|start, index| {
            let followed = window.contains(start);
            if !followed && let Some(account) = pools.accounts.get_mut(*index) {
                account.forget(Content::Unknown);
            }
            followed
        });
        let owner = pools.accounts.get(self.account).map(|account| account.owner);
        if self.oracle.is_none() {
            self.oracle = owner.and_then(|it| encode::oracle(&it, &self.key).ok());
        }
        for start in window {
            // Finding an address takes tens of microseconds: only for one that is new.
            if self.arrays.contains_key(&start) {
                continue;
            }
            let address = owner.and_then(|it| encode::tick_array(&it, &self.key, start).ok());
            if let Some(address) = address {
                let role = Role::TickArray { pool: self.key, start };
                self.arrays.insert(start, pools.account(address, role, number));
            }
        }
    }

    /// Follows the accounts that all `PumpSwap` pools share.
    pub(super) fn bind_pumpswap(&mut self, pools: &mut Pools, number: usize) {
        self.config = Some(pools.account(pumpswap::GLOBAL_CONFIG, Role::PumpSwapGlobal, number));
        self.fees = Some(pools.account(pumpswap::FEE_CONFIG, Role::PumpSwapFees, number));
    }

    /// Takes over the newest state if its parts belong together.
    ///
    /// Both vaults have to be of the same slot, with as many contents seen of one as of the other.
    /// A CPMM swap also moves fees within the pool's account, so that has to be as new; the
    /// accounts of the others change with liquidity alone and must not be newer.
    pub(super) fn settle(&mut self, accounts: &[Account]) {
        let Some(pool) = accounts.get(self.account) else { return };
        let Content::Pool(state) = &pool.content else {
            (self.snapshot, self.apart_slot) = (None, None);
            return;
        };
        if matches!(state, PoolState::Whirlpool(_)) {
            self.hold(pool, state, pool.slot, [0; 2]);
            return;
        }
        let [first, second] = self.vaults.map(|index| index.and_then(|at| accounts.get(at)));
        let (Some(first), Some(second)) = (first, second) else { return };
        let (Content::Vault(amount), Content::Vault(other)) = (&first.content, &second.content)
        else {
            (self.snapshot, self.apart_slot) = (None, None);
            return;
        };
        let slot = first.slot;
        let paired = slot == second.slot && first.updates == second.updates;
        let in_step = match state {
            PoolState::RaydiumCpmm(_) => pool.slot >= slot && pool.changed_slot <= slot,
            _ => pool.changed_slot <= slot,
        };
        if paired && in_step {
            self.hold(pool, state, slot, [amount.amount_raw, other.amount_raw]);
            self.apart_slot = None;
        } else if self.apart_slot.is_none() {
            self.apart_slot = Some(first.slot.max(second.slot).max(pool.changed_slot));
        }
    }

    /// Holds a state; the pool's own account is copied only if it has changed.
    fn hold(&mut self, pool: &Account, state: &PoolState, slot: u64, vaults_raw: [u64; 2]) {
        let version = (pool.changed_slot, pool.updates);
        match &mut self.snapshot {
            Some(held) if held.version == version => {
                (held.slot, held.vaults_raw) = (slot, vaults_raw);
            }
            held => *held = Some(Snapshot { slot, state: *state, version, vaults_raw }),
        }
    }

    /// Returns the state to quote from, or why there is none.
    pub(super) fn snapshot(&self, pools: &Pools) -> Result<&Snapshot, Unquotable> {
        if let Some(snapshot) = &self.snapshot {
            return Ok(snapshot);
        }
        let accounts = self.indices().filter_map(|index| pools.accounts.get(index));
        let usable = |account: &&Account| {
            !matches!(account.content, Content::Pool(_) | Content::Vault(_))
                && matches!(account.role, Role::Pool(_) | Role::Vault)
        };
        let reason = accounts.filter(usable).map(Account::reason).next();
        Err(reason.unwrap_or(Unquotable::Apart(self.apart_slot.unwrap_or_default())))
    }

    /// Returns the side of a mint.
    pub(super) fn side(state: &PoolState, mint: &Key) -> Result<Side, Unquotable> {
        match state.mints().iter().position(|it| it == mint) {
            Some(0) => Ok(Side::A),
            Some(_) => Ok(Side::B),
            None => Err(Unquotable::OtherMint),
        }
    }

    pub(super) fn mint<'p>(
        &self,
        pools: &'p Pools,
        at: usize,
    ) -> Result<(&'p Mint, Key), Unquotable> {
        let missing = Unquotable::Missing(self.key);
        let index = self.mints.get(at).copied().flatten().ok_or(missing)?;
        let account = pools.accounts.get(index).ok_or(missing)?;
        match &account.content {
            Content::Mint(mint) => Ok((mint, account.owner)),
            _ => Err(account.reason()),
        }
    }

    pub(super) fn part<'p>(
        &self,
        pools: &'p Pools,
        index: Option<usize>,
    ) -> Result<&'p Account, Unquotable> {
        let account = index.and_then(|index| pools.accounts.get(index));
        account.ok_or(Unquotable::Missing(self.key))
    }
}

/// Returns whether a pool's creator is the one under which coins graduate from the bonding curve.
fn is_pump_authority(creator: &Key, base_mint: &Key) -> bool {
    let seeds: [&[u8]; 2] = [b"pool-authority", &base_mint.0];
    pda::find_program_address(&seeds, &program::PUMP).is_ok_and(|(key, _)| key == *creator)
}
