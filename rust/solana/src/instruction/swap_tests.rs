//! Accounts and data of each program's swap, by the layouts of `solana.md` 2.1 to 2.4 of the
//! specification, and the sizes of its 7.7.

use super::*;
use crate::instruction::{AccountMeta, associated_token, compute_budget, memo, system};
use crate::message::compile_v0;
use crate::program;

const WALLET: Key = Key::known("FAe4sisG95oZ42w7buUn5qEE4TAnfTTFPiguZUHmhiF");
const AMOUNTS: Amounts = Amounts { in_raw: 1, min_out_raw: 2 };

fn key(byte: u8) -> Key {
    Key([byte; 32])
}

fn mint(byte: u8) -> MintOf {
    MintOf { mint: key(byte), token_program: program::TOKEN }
}

fn pump(cashback: bool, coin_creator: Key) -> pumpswap::Pool {
    pumpswap::Pool {
        pool: key(1),
        base: mint(2),
        quote: mint(3),
        base_vault: key(4),
        quote_vault: key(5),
        coin_creator,
        cashback,
        protocol_fee_recipient: key(7),
        buyback_fee_recipient: key(8),
    }
}

fn whirlpool_pool() -> whirlpool::Pool {
    whirlpool::Pool {
        program: program::WHIRLPOOL,
        pool: key(1),
        token_a: mint(2),
        token_b: mint(3),
        vault_a: key(4),
        vault_b: key(5),
        tick_arrays: [key(6), key(7), key(8)],
        oracle: key(9),
    }
}

fn cpmm() -> raydium_cpmm::Pool {
    raydium_cpmm::Pool {
        pool: key(1),
        amm_config: key(2),
        vault_0: key(3),
        vault_1: key(4),
        token_0: mint(5),
        token_1: MintOf { mint: key(6), token_program: program::TOKEN_2022 },
        observation: key(7),
    }
}

fn amm() -> raydium_amm::Pool {
    raydium_amm::Pool {
        pool: key(1),
        coin_vault: key(2),
        pc_vault: key(3),
        coin_mint: key(4),
        pc_mint: key(5),
    }
}

fn account(of: MintOf) -> Key {
    of.account_of(&WALLET).unwrap()
}

/// Marks as in the layouts: w = writable, s = signer, space between accounts.
fn marks(instruction: &Instruction) -> String {
    let mark = |it: &AccountMeta| match (it.writable, it.signer) {
        (true, true) => "ws",
        (true, false) => "w",
        (false, true) => "s",
        (false, false) => "-",
    };
    instruction.accounts.iter().map(mark).collect::<Vec<_>>().join(" ")
}

#[test]
fn raydium_amm_has_8_accounts_and_17_bytes() {
    let pool = SwapPool::RaydiumAmm(amm());
    let built = pool.swap(&key(5), WALLET, AMOUNTS).unwrap();
    assert_eq!(marks(&built), "- w - w w w w s");
    assert_eq!(built.data, [16, 1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(built.accounts[5].key, account(mint(5)));
    assert_eq!(built.accounts[6].key, account(mint(4)));
}

#[test]
fn raydium_cpmm_orders_vaults_and_mints_by_direction() {
    let pool = SwapPool::RaydiumCpmm(cpmm());
    let built = pool.swap(&key(6), WALLET, AMOUNTS).unwrap();
    assert_eq!(marks(&built), "s - - w w w w w - - - - w");
    let keys: Vec<Key> = built.accounts[6..12].iter().map(|it| it.key).collect();
    assert_eq!(keys, [key(4), key(3), program::TOKEN_2022, program::TOKEN, key(6), key(5)]);
    assert_eq!(built.data[..8], [0x8f, 0xbe, 0x5a, 0xda, 0xc4, 0x1e, 0x33, 0xde]);
    assert_eq!(built.data[8..], AMOUNTS.to_bytes());
}

/// Totals with the remaining accounts: 26 and 27 for a purchase, 24 and 26 for a sale.
#[test]
fn pumpswap_appends_the_remaining_accounts_in_order() {
    for (cashback, buy_count, sell_count) in [(false, 26, 24), (true, 27, 26)] {
        let pool = SwapPool::PumpSwap(pump(cashback, key(6)));
        let buy = pool.swap(&key(3), WALLET, AMOUNTS).unwrap();
        let sell = pool.swap(&key(2), WALLET, AMOUNTS).unwrap();
        assert_eq!((buy.accounts.len(), sell.accounts.len()), (buy_count, sell_count));
        for built in [&buy, &sell] {
            let tail: Vec<Key> = built.accounts.iter().rev().take(3).map(|it| it.key).collect();
            let recipient = mint(3).account_of(&key(8)).unwrap();
            assert_eq!(tail, [recipient, key(8), pumpswap::pool_v2(&key(2)).unwrap()]);
            assert_eq!(built.accounts[5].key, account(mint(2)));
            assert_eq!(built.accounts[6].key, account(mint(3)));
        }
        assert_eq!((buy.data.len(), buy.data[24]), (25, 1));
        assert_eq!(sell.data.len(), 24);
    }
    let bare = pump(false, Key::default());
    let buy = SwapPool::PumpSwap(bare).swap(&key(3), WALLET, AMOUNTS).unwrap();
    assert_eq!(marks(&buy), "w ws - - - w w w w - w - - - - - - w - - w - - - w");
}

#[test]
fn pumpswap_cashback_accounts_stand_before_the_pool_address() {
    let pool = SwapPool::PumpSwap(pump(true, key(6)));
    let accumulator = pumpswap::user_volume_accumulator(&WALLET).unwrap();
    let its_quote = mint(3).account_of(&accumulator).unwrap();
    let buy = pool.swap(&key(3), WALLET, AMOUNTS).unwrap();
    assert_eq!(buy.accounts[20], AccountMeta::writable(accumulator));
    assert_eq!(buy.accounts[23], AccountMeta::writable(its_quote));
    let sell = pool.swap(&key(2), WALLET, AMOUNTS).unwrap();
    assert_eq!(sell.accounts[21], AccountMeta::writable(its_quote));
    assert_eq!(sell.accounts[22], AccountMeta::writable(accumulator));
}

#[test]
fn pumpswap_constants_are_the_derived_addresses() {
    let found = |seeds: &[&[u8]], of: &Key| pda::find_program_address(seeds, of).unwrap().0;
    let own = &program::PUMPSWAP;
    assert_eq!(found(&[b"global_config"], own), pumpswap::GLOBAL_CONFIG);
    assert_eq!(found(&[b"__event_authority"], own), pumpswap::EVENT_AUTHORITY);
    assert_eq!(found(&[b"global_volume_accumulator"], own), pumpswap::GLOBAL_VOLUME_ACCUMULATOR);
    let fee_config = found(&[b"fee_config", &own.0], &program::PUMP_FEES);
    assert_eq!(fee_config, pumpswap::FEE_CONFIG);
}

#[test]
fn whirlpool_has_15_accounts_and_43_bytes() {
    let pool = SwapPool::Whirlpool(whirlpool_pool());
    let built = pool.swap(&key(3), WALLET, AMOUNTS).unwrap();
    assert_eq!(marks(&built), "- - - s w - - w w w w w w w w");
    assert_eq!(built.accounts[7].key, account(mint(2)));
    assert_eq!(built.accounts[9].key, account(mint(3)));
    assert_eq!(built.data.len(), 43);
    assert_eq!(built.data[40..], [1, 0, 0]);
    assert_eq!(pool.swap(&key(2), WALLET, AMOUNTS).unwrap().data[40..], [1, 1, 0]);
}

#[test]
fn mint_of_another_pool_is_refused() {
    let refusal = SwapPool::RaydiumAmm(amm()).swap(&key(9), WALLET, AMOUNTS).unwrap_err();
    assert!(refusal.to_string().starts_with("input mint is"), "{refusal}");
}

/// With limit, price, guard of 32 bytes, memo, account creation and tip, without a table.
#[test]
fn sizes_are_the_measured_ones() {
    let seed = system::SeedAccount { base: WALLET, seed: &[b'a'; 32], owner: program::SYSTEM };
    let guard = system::create_account_with_seed(WALLET, &seed, 1, 0).unwrap();
    let classic = raydium_cpmm::Pool { token_1: mint(6), ..cpmm() };
    for (pool, size) in [
        (SwapPool::Whirlpool(whirlpool_pool()), 1000),
        (SwapPool::RaydiumCpmm(classic), 947),
        (SwapPool::RaydiumAmm(amm()), 839),
    ] {
        let [input, output] = pool.mints();
        let (mint, token_program) = (output.mint, output.token_program);
        let instructions = [
            compute_budget::set_compute_unit_limit(1),
            compute_budget::set_compute_unit_price(1),
            guard.clone(),
            associated_token::create_idempotent(WALLET, WALLET, mint, token_program).unwrap(),
            pool.swap(&input.mint, WALLET, AMOUNTS).unwrap(),
            memo::memo(&[b'a'; 16], &[]),
            system::transfer(WALLET, key(99), 1),
        ];
        let message = compile_v0(WALLET, &instructions, &[], key(7)).unwrap();
        assert_eq!(65 + message.len(), size);
    }
}
