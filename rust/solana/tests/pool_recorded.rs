//! Accounts and swaps recorded on mainnet (`UTB_DATA`, default `../shared/data`).

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

mod support;

use serde_json::Value;
use support::{base64, recorded};
use utb_solana::Key;
use utb_solana::pool::{
    PumpSwap, PumpSwapFeeConfig, PumpSwapGlobal, PumpSwapRules, RaydiumAmm, RaydiumCpmm,
    RaydiumCpmmConfig, Side, TickArray, TokenAccount, Whirlpool,
};

/// The bytes of a recorded account and what is known of them.
fn account(name: &str) -> Option<(Vec<u8>, Value)> {
    let recording = recorded(&format!("accounts/{name}"))?;
    let data = recording["data_base64"].as_str().or(recording["data"].as_str()).unwrap();
    let expected = ["expected", "data_decoded"].map(|field| recording[field].clone());
    let expected = expected.into_iter().find(|it| !it.is_null()).unwrap_or_default();
    Some((base64(data), expected))
}

fn key(value: &Value) -> Key {
    Key::from_base58(value.as_str().unwrap()).unwrap()
}

#[test]
fn test_recorded_raydium_amm_is_read() {
    let Some((data, expected)) = account("amm/raydium_amm_v4_SOL_USDC.json") else { return };
    let pool = RaydiumAmm::decode(&data).unwrap();
    assert_eq!(pool.status, 6);
    assert_eq!((pool.decimals, pool.fee), ([9, 6], [25, 10_000]));
    assert_eq!(pool.owed_raw, [183_502_858, 21_928_100]);
    assert_eq!(pool.vaults, [key(&expected["coin_vault"]), key(&expected["pc_vault"])]);
    assert_eq!(pool.mints, [key(&expected["coin_mint"]), key(&expected["pc_mint"])]);
}

#[test]
fn test_recorded_raydium_cpmm_and_its_configuration_are_read() {
    let Some((data, expected)) = account("amm/raydium_cpmm_pool_WSOL_CLNS.json") else { return };
    let pool = RaydiumCpmm::decode(&data).unwrap();
    assert_eq!(pool.config, key(&expected["amm_config"]));
    assert_eq!(pool.vaults, [key(&expected["token_0_vault"]), key(&expected["token_1_vault"])]);
    assert_eq!(pool.mints, [key(&expected["token_0_mint"]), key(&expected["token_1_mint"])]);
    let programs = [key(&expected["token_0_program"]), key(&expected["token_1_program"])];
    assert_eq!(pool.token_programs, programs);
    assert_eq!(pool.observation, key(&expected["observation_key"]));
    assert_eq!((pool.status, pool.decimals, pool.creator_fee_on), (0, [9, 9], None));
    let owed = |side: usize| {
        let fees = ["protocol_fees", "fund_fees"]
            .map(|field| expected[format!("{field}_{side}")].as_u64().unwrap());
        fees.iter().sum::<u64>()
    };
    assert_eq!(pool.owed_raw, [owed(0), owed(1)]);
    let Some((data, _)) = account("amm/raydium_cpmm_amm_config_2.json") else { return };
    let config = RaydiumCpmmConfig::decode(&data).unwrap();
    assert_eq!((config.index, config.trade_fee_rate), (2, 20_000));
    assert_eq!((config.protocol_fee_rate, config.fund_fee_rate), (120_000, 40_000));
}

#[test]
fn test_recorded_pumpswap_pool_is_read() {
    let Some((data, expected)) = account("amm/pumpswap_pool_a.json") else { return };
    let pool = PumpSwap::decode(&data).unwrap();
    assert_eq!((pool.index, pool.creator), (0, key(&expected["creator"])));
    assert_eq!(pool.mints, [key(&expected["base_mint"]), key(&expected["quote_mint"])]);
    let vaults = ["pool_base_token_account", "pool_quote_token_account"];
    assert_eq!(pool.vaults, vaults.map(|field| key(&expected[field])));
    assert_eq!((pool.coin_creator, pool.virtual_quote_raw), (Key::default(), 0));
    assert_eq!((pool.is_mayhem_mode, pool.is_cashback_coin), (false, false));
    assert_eq!(pool.data_len, 300);
}

#[test]
fn test_recorded_whirlpools_are_read() {
    let Some((data, expected)) = account("amm/orca_whirlpool_SOL_USDC.json") else { return };
    let pool = Whirlpool::decode(&data).unwrap();
    assert_eq!((pool.tick_spacing, pool.fee_tier, pool.fee_rate), (4, 4, 400));
    assert_eq!(pool.liquidity, 689_480_494_328_519);
    assert_eq!((pool.sqrt_price, pool.tick), (4_991_046_536_690_114_137, -26147));
    assert_eq!(pool.vaults, [key(&expected["token_vault_a"]), key(&expected["token_vault_b"])]);
    let Some((data, expected)) = account("orca-whirlpool/whirlpool_account.json") else { return };
    let pool = Whirlpool::decode(&data).unwrap();
    assert_eq!((pool.tick_spacing, pool.fee_rate, pool.tick), (32896, 10_000, 223_338));
    assert_eq!(
        pool.mints.map(|mint| mint.to_base58()),
        [
            expected["tokenMintA"]["data"].as_str().unwrap(),
            expected["tokenMintB"]["data"].as_str().unwrap(),
        ]
    );
}

#[test]
fn test_recorded_tick_array_has_the_ticks_that_are_initialised() {
    let Some((data, expected)) = account("orca-whirlpool/tick_array_account.json") else { return };
    let array = TickArray::decode(&data).unwrap();
    assert_eq!(array.start, -2_894_848);
    assert_eq!(array.pool, key(&expected["whirlpool"]["data"]));
    let ticks = expected["ticks"]["data"].as_array().unwrap();
    let initialised: Vec<(usize, i128)> = ticks
        .iter()
        .enumerate()
        .filter(|(_, tick)| tick["initialized"].as_bool().unwrap())
        .map(|(place, tick)| (place, tick["liquidityNet"].as_str().unwrap().parse().unwrap()))
        .collect();
    let read = array.ticks.iter().map(|it| (usize::from(it.place), it.liquidity_net));
    assert_eq!(read.collect::<Vec<_>>(), initialised);
    assert!(!initialised.is_empty());
}

/// One sale as the program's event tells it: reserves before, amounts and fees.
#[test]
fn test_recorded_pumpswap_sale_is_reproduced_to_the_base_unit() {
    let Some((_, event)) = account("amm/pumpswap_sell_event.json") else { return };
    let field = |name: &str| event[name].as_u64().unwrap();
    let account = support::pumpswap(Key::default(), 0);
    let pool = PumpSwap::decode(&account).unwrap();
    let flat = [field("lp_fee_bps"), field("protocol_fee_bps"), 0];
    let rules = PumpSwapRules {
        global: &PumpSwapGlobal::decode(&support::pumpswap_global(0)).unwrap(),
        fees: &PumpSwapFeeConfig::decode(&support::pumpswap_fees(flat, &[], &[])).unwrap(),
        canonical: false,
        supply_raw: 1,
    };
    let vaults = [field("pool_base_reserves"), field("pool_quote_reserves")];
    let sold = pool.exact_in(&rules, vaults, Side::A, field("base_amount_in")).unwrap();
    assert_eq!(sold.out_raw, field("user_quote_amount_out"));
    assert_eq!(sold.fee_out_raw, field("lp_fee") + field("protocol_fee"));
    assert_eq!(sold.out_raw + sold.fee_out_raw, field("quote_amount_out"));
}

/// One swap of SOL for a memecoin; the program logs the reserves it swapped against.
#[test]
fn test_recorded_raydium_amm_swap_is_reproduced_to_the_base_unit() {
    let Some(body) = recorded("rpc/getTransaction_swap-sol-to-sahur.json") else { return };
    let logs = body["result"]["meta"]["logMessages"].as_array().unwrap();
    let log =
        logs.iter().find_map(|line| line.as_str().unwrap().strip_prefix("Program log: ray_log: "));
    let log = base64(log.unwrap());
    assert_eq!((log[0], log.len()), (3, 57));
    let field = |number: usize| u64::from_le_bytes(log[1 + 8 * number..][..8].try_into().unwrap());
    let (amount_in, direction, reserves, out) =
        (field(0), field(2), [field(4), field(5)], field(6));
    let input = if direction == 2 { Side::A } else { Side::B };
    let pool = RaydiumAmm::decode(&support::raydium_amm(6, [0, 0], 0)).unwrap();
    let swap = pool.exact_in(reserves, input, amount_in).unwrap();
    assert_eq!(swap.out_raw, out);
    // What the wallet got is what the log says.
    let inner = body["result"]["meta"]["innerInstructions"].as_array().unwrap();
    let transfers = inner.iter().find(|it| it["index"] == 5).unwrap();
    let paid = transfers["instructions"][1]["data"].as_str().unwrap();
    let bytes = support::base58(paid);
    assert_eq!(bytes[0], 3);
    assert_eq!(u64::from_le_bytes(bytes[1..9].try_into().unwrap()), out);
}

#[test]
fn test_recorded_accounts_are_not_taken_for_each_other() {
    for name in ["amm/raydium_amm_v4_SOL_USDC.json", "amm/pumpswap_pool_a.json"] {
        let Some((data, _)) = account(name) else { return };
        assert_eq!(RaydiumCpmm::decode(&data), None);
        assert_eq!(Whirlpool::decode(&data), None);
        assert_eq!(TokenAccount::decode(&data), None);
    }
}
