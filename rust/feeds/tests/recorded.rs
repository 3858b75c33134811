//! Recorded bodies, where they are at hand (`UTB_DATA`, default `../shared/data`).

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test stops at the first surprise"
)]

mod common;

use std::path::PathBuf;

use common::{both, notification};
use sonic_rs::{JsonContainerTrait, JsonValueTrait, Value};
use utb_feeds::{AccountData, Control, DecodeError, Item, address_bytes};
use utb_types::Source;

/// Reads a recording; `None`, said aloud, where the recordings are not there.
fn recorded(name: &str) -> Option<String> {
    let root = std::env::var_os("UTB_DATA").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    let text = std::fs::read_to_string(root.join(name)).ok();
    if text.is_none() {
        eprintln!("skipped: no {name} under {}", root.display());
    }
    text
}

/// The body as the recording keeps it, and compact as it was on the wire.
fn forms(name: &str) -> Option<[String; 2]> {
    let pretty = recorded(name)?;
    let value: Value = sonic_rs::from_str(&pretty).unwrap();
    Some([pretty, sonic_rs::to_string(&value).unwrap()])
}

#[test]
fn test_recorded_pairs_are_all_read() {
    for frame in forms("api/dexscreener/latest_dex_search.json").into_iter().flatten() {
        let items = both(Source::DexScreener, frame.as_bytes()).unwrap();
        assert_eq!(items.len(), 30);
        assert!(items.iter().all(|item| matches!(item, Item::Pair(_))));
        let absent = items
            .iter()
            .filter(|item| matches!(item, Item::Pair(pair) if !pair.liquidity_usd.is_present()));
        assert_eq!(absent.count(), 7);
    }
}

#[test]
fn test_recorded_birdeye_answers_are_all_read() {
    for (name, count) in [
        ("get_price", 1),
        ("get_price_multiple", 2),
        ("get_ohlcv_token", 1),
        ("get_trades_token", 20),
    ] {
        for frame in forms(&format!("api/birdeye/{name}.json")).into_iter().flatten() {
            let items = both(Source::Birdeye, frame.as_bytes()).unwrap();
            assert_eq!(items.len(), count, "{name}");
            for item in &items {
                match item {
                    Item::Quote(_) | Item::Bar(_) => {}
                    Item::Trade(trade) => assert_eq!(trade.token, common::SOL),
                    other => panic!("{name}: {other:?}"),
                }
            }
        }
    }
}

/// Frames a recorded account as the notification of it.
fn account(name: &str) -> Option<(String, Value)> {
    let value: Value = sonic_rs::from_str(&recorded(name)?).unwrap();
    let text = |key: &str| value.get(key).as_str().unwrap().to_owned();
    Some((
        notification(&text("owner"), &text("data_base64")),
        value.get("expected").unwrap().clone(),
    ))
}

fn data(frame: &str) -> AccountData<'_> {
    match both(Source::Helius, frame.as_bytes()).unwrap().as_slice() {
        [Item::Account(update)] => update.data.clone(),
        other => panic!("{other:?}"),
    }
}

fn key(expected: &Value, name: &str) -> [u8; 32] {
    address_bytes(expected.get(name).as_str().unwrap()).unwrap()
}

#[test]
fn test_recorded_raydium_v4_pool_gives_the_expected_fields() {
    let Some((frame, expected)) = account("accounts/amm/raydium_amm_v4_SOL_USDC.json") else {
        return;
    };
    let AccountData::RaydiumV4(pool) = data(&frame) else { panic!() };
    assert_eq!((pool.status, pool.coin_decimals, pool.pc_decimals), (6, 9, 6));
    assert_eq!((pool.swap_fee_numerator, pool.swap_fee_denominator), (25, 10_000));
    assert_eq!((pool.need_take_pnl_coin_raw, pool.need_take_pnl_pc_raw), (183_502_858, 21_928_100));
    assert_eq!(pool.coin_vault, key(&expected, "coin_vault"));
    assert_eq!(pool.pc_vault, key(&expected, "pc_vault"));
    assert_eq!(pool.coin_mint, key(&expected, "coin_mint"));
    assert_eq!(pool.pc_mint, key(&expected, "pc_mint"));
}

#[test]
fn test_recorded_raydium_cpmm_accounts_give_the_expected_fields() {
    let Some((frame, expected)) = account("accounts/amm/raydium_cpmm_pool_WSOL_CLNS.json") else {
        return;
    };
    let AccountData::RaydiumCpmm(pool) = data(&frame) else { panic!() };
    let number = |name: &str| expected.get(name).as_u64();
    assert_eq!(pool.amm_config, key(&expected, "amm_config"));
    assert_eq!(pool.vaults, [key(&expected, "token_0_vault"), key(&expected, "token_1_vault")]);
    assert_eq!(pool.mints, [key(&expected, "token_0_mint"), key(&expected, "token_1_mint")]);
    assert_eq!((pool.status, pool.decimals), (0, [9, 9]));
    for (name, value) in [
        ("protocol_fees_0", pool.protocol_fees_raw[0]),
        ("protocol_fees_1", pool.protocol_fees_raw[1]),
        ("fund_fees_0", pool.fund_fees_raw[0]),
        ("fund_fees_1", pool.fund_fees_raw[1]),
        ("open_time", pool.open_time_s),
    ] {
        assert_eq!(number(name), Some(value), "{name}");
    }
    let (frame, _) = account("accounts/amm/raydium_cpmm_amm_config_2.json").unwrap();
    let AccountData::RaydiumCpmmConfig(config) = data(&frame) else { panic!() };
    assert_eq!((config.index, config.trade_fee_rate), (2, 20_000));
    assert_eq!((config.protocol_fee_rate, config.fund_fee_rate), (120_000, 40_000));
}

/// Each body of the documentation is an item, or an error that says why not.
#[test]
fn test_recorded_rpc_bodies_are_told_apart() {
    let Some(text) = recorded("rpc/rpc_and_websocket_bodies.json") else { return };
    let cases: Value = sonic_rs::from_str(&text).unwrap();
    for case in cases.as_array().unwrap() {
        let (name, body) = (case.get("case").unwrap(), case.get("body").unwrap());
        let (name, body) = (name.as_str().unwrap(), sonic_rs::to_string(body).unwrap());
        let outcome = both(Source::Helius, body.as_bytes());
        match name {
            // A recorded account in base58: refused by name.
            "test_account_notification" => assert!(matches!(
                outcome.unwrap().as_slice(),
                [Item::Rejected(item)] if item.reason == DecodeError::UnsupportedEncoding
            )),
            "test_slot_notification" => assert!(matches!(
                outcome.unwrap().as_slice(),
                [Item::Control(Control::Slot { slot: 76, .. })]
            )),
            "test_block_notification"
            | "test_logs_notification"
            | "test_signature_notification" => {
                assert_eq!(outcome, Err(DecodeError::Unsupported));
            }
            _ => {}
        }
    }
}
