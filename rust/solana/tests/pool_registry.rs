//! Pools as the chain shows them: account by account, out of order, through gaps and forks.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::float_cmp,
    reason = "a test stops at the first surprise"
)]

mod support;

use support::{CONFIG, MINTS, POOL, VAULTS, WhirlpoolAccount, float, key, token_account};
use utb_solana::instruction::swap::SwapPool;
use utb_solana::instruction::{pumpswap, whirlpool};
use utb_solana::pool::{Applied, Clock, Place, Pools, Quote, Unquotable, Venue};
use utb_solana::{Key, program};

const CLOCK: Key = Key::known("SysvarC1ock11111111111111111111111111111111");

/// Pools with one of a venue, whose account has arrived at slot 10.
fn watching(venue: Venue, account: &[u8]) -> Pools {
    let mut pools = Pools::default();
    pools.watch(venue, POOL).unwrap();
    assert_eq!(pools.apply(&POOL, &venue.program(), account, 10), Applied::Taken);
    pools
}

fn vault(pools: &mut Pools, side: usize, amount_raw: u64, slot: u64) -> Applied {
    pools.apply(&VAULTS[side], &program::TOKEN, &token_account(MINTS[side], amount_raw), slot)
}

fn vaults(pools: &mut Pools, amounts_raw: [u64; 2], slot: u64) {
    for side in [0, 1] {
        assert_eq!(vault(pools, side, amounts_raw[side], slot), Applied::Taken);
    }
}

/// A Raydium v4 pool of 1,000 SOL and 150,000 USDC at slot 10.
fn raydium_amm() -> Pools {
    let mut pools = watching(Venue::RaydiumAmm, &support::raydium_amm(6, [0, 0], 0));
    vaults(&mut pools, [1_000_000_000_000, 150_000_000_000], 10);
    pools
}

fn price(pools: &Pools) -> Result<(f64, u64), Unquotable> {
    pools.price(&POOL, &MINTS[0]).map(|(price, slot)| (float(price), slot))
}

#[test]
fn test_raydium_amm_is_priced_and_quoted_once_its_accounts_are_there() {
    let mut pools = Pools::default();
    pools.watch(Venue::RaydiumAmm, POOL).unwrap();
    assert_eq!(pools.needs(&POOL), [POOL]);
    assert_eq!(price(&pools), Err(Unquotable::Missing(POOL)));
    let account = support::raydium_amm(6, [0, 0], 0);
    pools.apply(&POOL, &program::RAYDIUM_AMM, &account, 10);
    assert_eq!(pools.needs(&POOL), [POOL, VAULTS[0], VAULTS[1]]);
    assert_eq!(pools.missing(), [VAULTS[0], VAULTS[1]]);
    assert_eq!(price(&pools), Err(Unquotable::Missing(VAULTS[0])));
    vaults(&mut pools, [1_000_000_000_000, 150_000_000_000], 10);
    assert_eq!(pools.missing(), []);
    assert_eq!(price(&pools), Ok((150.0, 10)));
    let per_usdc = pools.price(&POOL, &MINTS[1]).unwrap().0;
    assert!((float(per_usdc) * 150.0 - 1.0).abs() < 1e-15);
    let quote = pools.quote(&POOL, &MINTS[0], 1_000_000_000).unwrap();
    assert_eq!((quote.in_raw, quote.out_raw, quote.slot), (1_000_000_000, 149_475_897, 10));
    assert_eq!(float(quote.price_before), 150.0);
    assert!(float(quote.price_after) < 150.0);
    let exact = pools.quote_out(&POOL, &MINTS[0], 149_000_000).unwrap();
    assert_eq!(exact.in_raw, 996_813_059);
    assert_eq!(pools.quote(&POOL, &key(1), 1).unwrap_err(), Unquotable::OtherMint);
    assert_eq!(pools.quote(&key(1), &key(1), 1).unwrap_err(), Unquotable::NotWatched);
}

#[test]
fn test_vaults_of_different_slots_never_meet_in_a_price() {
    let mut pools = raydium_amm();
    vault(&mut pools, 0, 900_000_000_000, 11);
    // The state of slot 10 still belongs together.
    assert_eq!(price(&pools), Ok((150.0, 10)));
    vault(&mut pools, 1, 180_000_000_000, 11);
    assert_eq!(price(&pools), Ok((200.0, 11)));
}

#[test]
fn test_two_swaps_in_a_slot_meet_pairwise() {
    let mut pools = raydium_amm();
    vaults(&mut pools, [900_000_000_000, 180_000_000_000], 11);
    vault(&mut pools, 0, 1_000_000_000_000, 11);
    assert_eq!(price(&pools), Ok((200.0, 11)));
    vault(&mut pools, 1, 150_000_000_000, 11);
    assert_eq!(price(&pools), Ok((150.0, 11)));
}

#[test]
fn test_balances_apart_for_long_are_refused_and_read_again() {
    let mut pools = raydium_amm();
    vault(&mut pools, 0, 900_000_000_000, 11);
    assert_eq!(pools.missing(), []);
    pools.on_slot(13);
    assert_eq!(pools.missing(), [VAULTS[0], VAULTS[1], POOL]);
    pools.on_slot(19);
    assert!(price(&pools).is_ok());
    pools.on_slot(20);
    assert_eq!(price(&pools), Err(Unquotable::Apart(11)));
    vaults(&mut pools, [900_000_000_000, 150_000_000_000], 21);
    assert_eq!(price(&pools).unwrap().1, 21);
    assert_eq!(pools.missing(), []);
}

#[test]
fn test_older_slots_are_dropped_and_strangers_are_unused() {
    let mut pools = raydium_amm();
    vaults(&mut pools, [900_000_000_000, 180_000_000_000], 11);
    assert_eq!(vault(&mut pools, 0, 1, 10), Applied::Older);
    assert_eq!(price(&pools), Ok((200.0, 11)));
    assert_eq!(pools.apply(&key(1), &program::TOKEN, &[], 50), Applied::Unused);
}

#[test]
fn test_rollback_forgets_what_came_after_and_takes_an_older_slot_again() {
    let mut pools = raydium_amm();
    vaults(&mut pools, [900_000_000_000, 180_000_000_000], 15);
    pools.rollback(12);
    assert_eq!(price(&pools), Err(Unquotable::Stale(VAULTS[0])));
    assert_eq!(pools.missing(), [VAULTS[0], VAULTS[1]]);
    vaults(&mut pools, [1_000_000_000_000, 160_000_000_000], 13);
    assert_eq!(price(&pools), Ok((160.0, 13)));
    pools.forget();
    assert_eq!(price(&pools), Err(Unquotable::Stale(POOL)));
    assert_eq!(pools.missing(), [VAULTS[0], VAULTS[1], POOL]);
}

#[test]
fn test_pool_account_that_is_newer_waits_for_its_vaults() {
    let mut pools = raydium_amm();
    // The protocol takes 1,000 SOL-units of profit: pool and vault move in slot 12.
    let account = support::raydium_amm(6, [1_000, 0], 0);
    pools.apply(&POOL, &program::RAYDIUM_AMM, &account, 12);
    assert_eq!(price(&pools), Ok((150.0, 10)));
    vaults(&mut pools, [1_000_000_001_000, 150_000_000_000], 12);
    assert_eq!(price(&pools), Ok((150.0, 12)));
}

#[test]
fn test_accounts_of_other_programs_or_mints_are_malformed() {
    let mut pools = raydium_amm();
    let stranger = token_account(MINTS[0], 5);
    pools.apply(&VAULTS[0], &key(9), &stranger, 11);
    assert_eq!(price(&pools), Err(Unquotable::Malformed(VAULTS[0])));
    let mut pools = raydium_amm();
    let other = token_account(key(9), 1_000_000_000_000);
    pools.apply(&VAULTS[0], &program::TOKEN, &other, 11);
    pools.apply(&VAULTS[1], &program::TOKEN, &token_account(MINTS[1], 1), 11);
    assert_eq!(price(&pools), Err(Unquotable::Malformed(VAULTS[0])));
    assert!(pools.watch(Venue::Whirlpool, POOL).is_err());
    assert!(Venue::from_name("raydium_clmm").unwrap_err().to_string().contains("raydium_clmm"));
}

/// A CPMM pool; its second token has a transfer fee of 1%, at most 5,000, of 2% from epoch 50.
fn raydium_cpmm() -> Pools {
    let mut pools = watching(Venue::RaydiumCpmm, &support::raydium_cpmm(0, [0, 0], None));
    vaults(&mut pools, [1_000_000_000_000, 150_000_000_000], 10);
    let config = support::cpmm_config(2500, 120_000, 40_000, 500);
    pools.apply(&CONFIG, &program::RAYDIUM_CPMM, &config, 10);
    pools.apply(&MINTS[0], &program::TOKEN, &support::mint(1, 9), 10);
    let mint = support::mint_with_fee(6, [(0, 5_000, 100), (50, 1_000_000_000, 200)]);
    pools.apply(&MINTS[1], &program::TOKEN_2022, &mint, 10);
    pools
}

fn clock(epoch: u64) -> Clock {
    Clock { slot: 10, epoch, unix_time_s: 1_000 }
}

/// 149,475,897 arrive before fees: less 1% capped at 5,000, or less 2% rounded up.
#[test]
fn test_transfer_fee_follows_the_epoch() {
    let mut pools = raydium_cpmm();
    assert!(pools.needs(&POOL).contains(&CLOCK));
    let quote = |pools: &Pools| pools.quote(&POOL, &MINTS[0], 1_000_000_000);
    assert_eq!(quote(&pools), Err(Unquotable::ClockUnknown));
    pools.set_clock(clock(49));
    let before = quote(&pools).unwrap();
    assert_eq!((before.out_raw, before.transfer_fee_out_raw), (149_470_897, 5_000));
    pools.set_clock(clock(50));
    let after = quote(&pools).unwrap();
    assert_eq!((after.out_raw, after.transfer_fee_out_raw), (146_486_379, 2_989_518));
}

/// 1,000,000 less 2% is what the vault gets.
#[test]
fn test_transfer_fee_is_off_the_input_before_the_curve() {
    let mut pools = raydium_cpmm();
    pools.set_clock(clock(50));
    let with_fee = pools.quote(&POOL, &MINTS[1], 1_000_000).unwrap();
    assert_eq!((with_fee.in_raw, with_fee.transfer_fee_in_raw), (1_000_000, 20_000));
    let free = support::mint_with_fee(6, [(0, 0, 0), (0, 0, 0)]);
    pools.apply(&MINTS[1], &program::TOKEN_2022, &free, 11);
    let without = pools.quote(&POOL, &MINTS[1], 980_000).unwrap();
    assert_eq!(with_fee.out_raw, without.out_raw);
}

#[test]
fn test_cpmm_waits_for_its_account_in_every_swap() {
    let mut pools = raydium_cpmm();
    vaults(&mut pools, [1_100_000_000_000, 140_000_000_000], 12);
    assert_eq!(price(&pools), Ok((150.0, 10)));
    let account = support::raydium_cpmm(0, [100_000_000_000, 0], None);
    pools.apply(&POOL, &program::RAYDIUM_CPMM, &account, 12);
    assert_eq!(price(&pools), Ok((140.0, 12)));
}

#[test]
fn test_cpmm_switched_off_or_without_its_configuration_says_so() {
    let mut pools = raydium_cpmm();
    pools.set_clock(clock(50));
    let off = support::raydium_cpmm(4, [0, 0], None);
    pools.apply(&POOL, &program::RAYDIUM_CPMM, &off, 11);
    vaults(&mut pools, [1_000_000_000_000, 150_000_000_000], 11);
    let quote = pools.quote(&POOL, &MINTS[0], 1_000_000_000);
    assert_eq!(quote, Err(Unquotable::SwapOff));
    let mut pools = raydium_cpmm();
    pools.set_clock(clock(50));
    pools.apply(&CONFIG, &program::RAYDIUM_CPMM, &[1, 2, 3], 11);
    let quote = pools.quote(&POOL, &MINTS[0], 1_000_000_000);
    assert_eq!(quote, Err(Unquotable::Malformed(CONFIG)));
}

#[test]
fn test_clock_sysvar_is_read_and_older_ones_are_dropped() {
    let mut pools = Pools::default();
    let clock = support::Bytes::new(40, &[]).u64(0, 7).u64(16, 50).u64(32, 1_000);
    assert_eq!(pools.apply(&CLOCK, &key(1), &clock.0, 7), Applied::Taken);
    let older = support::Bytes::new(40, &[]).u64(0, 6);
    assert_eq!(pools.apply(&CLOCK, &key(1), &older.0, 6), Applied::Older);
    assert_eq!(pools.apply(&CLOCK, &key(1), &[0; 39], 8), Applied::Unused);
}

/// A `PumpSwap` pool under 20/5/95 basis points.
fn pumpswap() -> Pools {
    let mut pools = watching(Venue::PumpSwap, &support::pumpswap(key(8), 0));
    vaults(&mut pools, [200_000_000_000_000, 85_000_000_000], 10);
    pools.apply(&MINTS[0], &program::TOKEN_2022, &support::mint(1_000_000_000_000_000, 6), 10);
    pools.apply(&MINTS[1], &program::TOKEN, &support::mint(1, 9), 10);
    let global = support::pumpswap_global(0);
    pools.apply(&pumpswap::GLOBAL_CONFIG, &program::PUMPSWAP, &global, 10);
    let fees = support::pumpswap_fees([20, 5, 95], &[], &[]);
    pools.apply(&pumpswap::FEE_CONFIG, &program::PUMP_FEES, &fees, 10);
    pools
}

#[test]
fn test_pumpswap_is_quoted_through_the_registry() {
    let mut pools = pumpswap();
    assert_eq!(pools.missing(), []);
    let bought = pools.quote(&POOL, &MINTS[1], 1_000_000_000).unwrap();
    assert_eq!(bought.out_raw, 2_298_322_219_050);
    // 422,885,572 before fees.
    let sold = pools.quote(&POOL, &MINTS[0], 1_000_000_000_000).unwrap();
    assert_eq!((sold.out_raw, sold.fee_out_raw), (417_810_944, 5_074_628));
    let flags = support::pumpswap_global(1 << 4);
    pools.apply(&pumpswap::GLOBAL_CONFIG, &program::PUMPSWAP, &flags, 11);
    assert_eq!(pools.quote(&POOL, &MINTS[0], 1_000).unwrap_err(), Unquotable::SwapOff);
    assert!(pools.quote(&POOL, &MINTS[1], 1_000_000_000).is_ok());
}

#[test]
fn test_pumpswap_names_recipients_from_the_chain() {
    let pools = pumpswap();
    let SwapPool::PumpSwap(keys) = pools.keys(&POOL, &MINTS[1]).unwrap() else {
        panic!("not PumpSwap");
    };
    // The pool's bytes cancel out: the first of each list.
    assert_eq!(keys.protocol_fee_recipient, key(100));
    assert_eq!(keys.buyback_fee_recipient, key(150));
    assert_eq!(keys.base.token_program, program::TOKEN_2022);
    assert_eq!((keys.coin_creator, keys.cashback), (key(8), false));
}

/// The pool of the golden vectors, with every array it needs.
fn whirlpool() -> Pools {
    let mut pools = watching(Venue::Whirlpool, &WhirlpoolAccount::golden().bytes());
    for side in [0, 1] {
        pools.apply(&MINTS[side], &program::TOKEN, &support::mint(1, 9), 10);
    }
    let ticks = [(45, 4_000_000_000_000), (65, -4_000_000_000_000)];
    for (start, ticks) in [(-28160, &[][..]), (-22528, &ticks[..]), (-16896, &[])] {
        let address = whirlpool::tick_array(&program::WHIRLPOOL, &POOL, start).unwrap();
        let data = support::dynamic_array(start, ticks);
        assert_eq!(pools.apply(&address, &program::WHIRLPOOL, &data, 10), Applied::Taken);
    }
    pools
}

/// What is said to be read is all that is read: of every account of a swap, wherever it is held.
#[test]
fn test_bytes_that_are_not_read_change_nothing() {
    let mut whole = WhirlpoolAccount::golden().bytes();
    let mut pools = whirlpool();
    let place = pools.place(&POOL, Place::NOWHERE);
    let read = pools.bytes_read(place);
    assert!(read < whole.len());
    let quote = pools.quote(&POOL, &MINTS[0], 1_000_000).unwrap();
    for byte in [0, 0xff] {
        whole[read..].fill(byte);
        assert_eq!(pools.apply_at(place, &program::WHIRLPOOL, &whole, 11), Applied::Taken);
        let again = pools.quote(&POOL, &MINTS[0], 1_000_000).unwrap();
        assert_eq!(Quote { slot: 11, ..quote }, again);
    }
    whole[read - 1] ^= 1;
    assert_eq!(pools.apply_at(place, &program::WHIRLPOOL, &whole, 12), Applied::Taken);
    assert_ne!(pools.keys(&POOL, &MINTS[0]), whirlpool().keys(&POOL, &MINTS[0]));
    let array = whirlpool::tick_array(&program::WHIRLPOOL, &POOL, -22528).unwrap();
    for key in [array, MINTS[0], Key([0xee; 32])] {
        assert_eq!(pools.bytes_read(pools.place(&key, place)), usize::MAX);
    }
    assert_eq!(pools.place(&POOL, Place::NOWHERE), pools.place(&POOL, place));
    let unused = pools.apply_at(Place::NOWHERE, &program::WHIRLPOOL, &whole, 13);
    assert_eq!(unused, Applied::Unused);
}

#[test]
fn test_whirlpool_is_quoted_through_the_registry() {
    let mut pools = whirlpool();
    let quote = pools.quote(&POOL, &MINTS[0], 1_000_000).unwrap();
    assert_eq!(quote.out_raw, 149_549);
    let missing = pools.missing();
    assert_eq!(missing.len(), 4);
    let big = pools.quote(&POOL, &MINTS[1], 200_000_000_000);
    assert_eq!(big.unwrap().out_raw, 1_257_782_507_217);
    // Arrays that nobody made are empty ones.
    for address in missing {
        assert_eq!(pools.apply(&address, &Key::default(), &[], 11), Applied::Taken);
    }
    assert_eq!(pools.missing(), []);
    let (price, slot) = pools.price(&POOL, &MINTS[0]).unwrap();
    let root: f64 = 7_144_393_258_922_745_856.0 / 2_f64.powi(64);
    assert!((float(price) / (root * root) - 1.0).abs() < 1e-12);
    assert_eq!(slot, 10);
}

#[test]
fn test_whirlpool_array_of_another_pool_is_not_taken_for_its_own() {
    let mut pools = whirlpool();
    let address = whirlpool::tick_array(&program::WHIRLPOOL, &POOL, -22528).unwrap();
    let mut data = support::fixed_array(-22528, &[]);
    data[9956] ^= 1;
    pools.apply(&address, &program::WHIRLPOOL, &data, 11);
    let quote = pools.quote(&POOL, &MINTS[0], 1_000_000);
    assert_eq!(quote.unwrap_err(), Unquotable::ArrayMissing(-22528));
}

#[test]
fn test_whirlpool_follows_the_arrays_around_its_price() {
    let mut pools = whirlpool();
    let before = pools.needs(&POOL);
    // Seven spans up: every array is another.
    let tick = -18973 + 7 * 64 * 88;
    let sqrt_price = utb_solana::pool::sqrt_price_at(tick).unwrap();
    let moved = WhirlpoolAccount { sqrt_price, tick, ..WhirlpoolAccount::golden() };
    pools.apply(&POOL, &program::WHIRLPOOL, &moved.bytes(), 12);
    let after = pools.needs(&POOL);
    assert_eq!(after.len(), before.len());
    assert_eq!(after.iter().filter(|key| before.contains(key)).count(), 3);
    // Back again: what was not followed meanwhile is unknown.
    pools.apply(&POOL, &program::WHIRLPOOL, &WhirlpoolAccount::golden().bytes(), 13);
    let quote = pools.quote(&POOL, &MINTS[0], 1_000_000);
    assert_eq!(quote.unwrap_err(), Unquotable::ArrayMissing(-22528));
}

#[test]
fn test_whirlpool_names_the_arrays_of_its_direction() {
    let pools = whirlpool();
    let arrays = |mint: &Key| match pools.keys(&POOL, mint).unwrap() {
        SwapPool::Whirlpool(keys) => keys.tick_arrays,
        _ => panic!("not a Whirlpool"),
    };
    let address = |start| whirlpool::tick_array(&program::WHIRLPOOL, &POOL, start).unwrap();
    assert_eq!(arrays(&MINTS[0]), [-22528, -28160, -33792].map(address));
    assert_eq!(arrays(&MINTS[1]), [-22528, -16896, -11264].map(address));
}
