//! Birdeye frames.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test stops at the first surprise"
)]

mod common;

use common::{BARS, PRICE, QUOTE, REST_SWAPS, SOL, SWAP, both};
use utb_feeds::{Control, DecodeError, Item, Rejected};
use utb_types::{Side, Source, Timeframe, Value};

fn read(frame: &str) -> Result<Vec<Item<'_>>, DecodeError> {
    both(Source::Birdeye, frame.as_bytes())
}

fn only(frame: &str) -> Item<'_> {
    match read(frame).unwrap().as_slice() {
        [item] => item.clone(),
        other => panic!("{other:?}"),
    }
}

fn reason(frame: &str) -> DecodeError {
    match only(frame) {
        Item::Rejected(Rejected { index: 0, reason }) => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
#[expect(clippy::float_cmp, reason = "decoded values are exact")]
fn test_price_data_gives_a_forming_bar() {
    let Item::Price(bar) = only(PRICE) else { panic!() };
    assert_eq!(bar.address, SOL);
    assert_eq!(bar.timeframe, Timeframe::M1);
    assert_eq!(bar.open_ns, 1_675_506_000_000_000_000);
    assert_eq!(
        [bar.open, bar.high, bar.low, bar.close],
        [24.58, 24.6, 24.417_357_853_450_138, 24.5]
    );
    assert_eq!(bar.volume, 32.928_421_816);
}

#[test]
#[expect(clippy::float_cmp, reason = "decoded values are exact")]
fn test_ohlcv_answer_gives_bars_in_order() {
    let items = read(BARS).unwrap();
    let [Item::Bar(first), Item::Bar(second)] = items.as_slice() else { panic!("{items:?}") };
    assert_eq!(first.timeframe, Timeframe::M15);
    assert_eq!(first.open_ns, 1_691_998_200_000_000_000);
    assert_eq!(first.open, 24.483_333_821_910_86);
    assert_eq!(first.volume, 3_409.157_415_062_003);
    assert_eq!((second.open, second.volume), (24.42, 0.0));
}

#[test]
fn test_bar_names_of_the_newer_endpoint_are_read() {
    let frame = r#"{"success":true,"data":{"items":[{"o":1,"h":2,"l":1,"c":2,"v":3,"v_usd":6,"unix_time":1691998200,"type":"15m","currency":"usd"}]}}"#;
    assert!(matches!(only(frame), Item::Bar(bar) if bar.address.is_none()));
}

#[test]
fn test_timeframes_map_and_others_are_unsupported() {
    // 1691971200 = 2023-08-14T00:00:00Z, on the grid of all six.
    let frame = PRICE.replace("1675506000", "1691971200");
    for (name, expected) in [
        ("1m", Timeframe::M1),
        ("5m", Timeframe::M5),
        ("15m", Timeframe::M15),
        ("1H", Timeframe::H1),
        ("4H", Timeframe::H4),
        ("1D", Timeframe::D1),
    ] {
        let frame = frame.replace("\"1m\"", &format!("\"{name}\""));
        assert!(matches!(only(&frame), Item::Price(bar) if bar.timeframe == expected));
    }
    for name in ["1s", "15s", "3m", "30m", "2H", "12H", "3D", "1W", "1M", "1h", ""] {
        let frame = frame.replace("\"1m\"", &format!("\"{name}\""));
        assert_eq!(reason(&frame), DecodeError::Unsupported, "{name}");
    }
}

#[test]
fn test_bar_with_bad_values_is_refused_by_name() {
    for (from, to, expected) in [
        ("\"h\":24.6,", "\"h\":24.57,", DecodeError::Range),
        ("\"l\":24.417357853450138,", "\"l\":24.51,", DecodeError::Range),
        ("\"o\":24.58,", "\"o\":0,", DecodeError::Range),
        ("\"o\":24.58,", "\"o\":1e400,", DecodeError::Range),
        ("\"o\":24.58,", "\"o\":null,", DecodeError::Shape),
        ("\"o\":24.58,", "\"o\":\"24.58\",", DecodeError::Shape),
        ("\"o\":24.58,", "", DecodeError::Shape),
        ("\"v\":32.928421816", "\"v\":-1", DecodeError::Range),
        ("1675506000", "1675506001", DecodeError::Unaligned),
        ("1675506000", "9223372080", DecodeError::Range),
        ("1675506000", "1675506000.5", DecodeError::Shape),
    ] {
        assert_eq!(reason(&PRICE.replace(from, to)), expected, "{to}");
    }
}

#[test]
#[expect(clippy::float_cmp, reason = "decoded values are exact")]
fn test_txs_data_gives_the_trade_of_the_named_token() {
    let Item::Trade(trade) = only(SWAP) else { panic!() };
    assert_eq!(trade.token, "JUPyiwrYJFskUPiHa7hkeR8VUtAeFoSYbKedZNsDvCN");
    assert_eq!(trade.side, Side::Sell);
    assert_eq!(trade.block_ns, 1_747_307_828_000_000_000);
    assert_eq!((trade.price, trade.base_amount), (0.4989, 172.686));
    assert_eq!(trade.volume_usd, 86.168_132_380_561_57);
    assert_eq!(trade.owner, "Dc9jiLSNN8qwEciwd55HmZhroswZ4XvcvKeRXHWCnwbP");
    assert!(trade.tx_hash.as_str().starts_with("3L4BWQxg"));
    assert_eq!(trade.slot, Some(367_122_833));
    assert_eq!((trade.instruction_index, trade.inner_index), (Some(2), Some(4)));
}

/// A REST item names no token: of a buy it is the received one; its own price is null, so the
/// nearest one stands.
#[test]
fn test_rest_swap_gives_the_trade_of_the_received_token() {
    let Item::Trade(trade) = only(REST_SWAPS) else { panic!() };
    assert_eq!(trade.token, SOL);
    assert_eq!(trade.side, Side::Buy);
    assert_eq!((trade.price, trade.base_amount), (167.046_369_574_306_9, 0.549_182_958));
    assert_eq!(trade.slot, Some(269_273_237));
    assert_eq!((trade.instruction_index, trade.inner_index), (Some(0), None));
}

#[test]
fn test_list_of_socket_swaps_gives_each() {
    let swap = SWAP.strip_prefix(r#"{"type":"TXS_DATA","data":"#).unwrap();
    let swap = swap.strip_suffix('}').unwrap();
    let frame = format!(r#"{{"type":"TXS_DATA","data":[{swap},{swap}]}}"#);
    assert_eq!(read(&frame).unwrap().len(), 2);
}

#[test]
fn test_swap_that_is_not_ours_to_use_is_refused_by_name() {
    for (from, to, expected) in [
        ("\"side\":\"sell\"", "\"side\":\"swap\"", DecodeError::Unsupported),
        ("\"side\":\"sell\"", "\"side\":\"buy\"", DecodeError::Shape),
        ("\"side\":\"sell\",", "", DecodeError::Shape),
        ("\"uiAmount\":172.686,", "\"uiAmount\":0,", DecodeError::Range),
        ("\"price\":0.4989,", "\"price\":-1,", DecodeError::Range),
        ("\"alias\":null", "\"txStatus\":\"failed\"", DecodeError::FailedTransaction),
        ("\"volumeUSD\":86.16813238056157", "\"volumeUSD\":-1", DecodeError::Range),
        ("\"insIndex\":2", "\"insIndex\":2,\"insIndex\":2", DecodeError::Shape),
    ] {
        assert_eq!(reason(&SWAP.replace(from, to)), expected, "{to}");
    }
}

#[test]
fn test_spot_price_gives_a_quote() {
    let Item::Quote(quote) = only(QUOTE) else { panic!() };
    assert_eq!(quote.address, None);
    assert_eq!(Value::new(quote.price), Value::new(131.036_210_332_874));
    assert_eq!(quote.update_ns, 1_742_753_242_000_000_000);
    assert_eq!(quote.liquidity_usd, Value::ABSENT);
}

#[test]
fn test_spot_prices_give_a_quote_each_and_a_missing_one_is_refused() {
    let frame = r#"{"data":{"MintA":{"value":1.5,"liquidity":9,"updateUnixTime":1717177819,"priceChange24h":-3.5},"MintB":null,"MintC":{"value":2,"updateUnixTime":1717177844}},"success":true}"#;
    let items = read(frame).unwrap();
    let [Item::Quote(first), Item::Rejected(second), Item::Quote(third)] = items.as_slice() else {
        panic!("{items:?}")
    };
    assert_eq!(first.address.as_ref().unwrap().as_str(), "MintA");
    assert_eq!(first.liquidity_usd, Value::new(9.0));
    assert_eq!((second.index, second.reason), (1, DecodeError::Shape));
    assert_eq!(third.address.as_ref().unwrap().as_str(), "MintC");
}

#[test]
fn test_messages_without_market_data_are_told_apart() {
    assert_eq!(only(r#"{"type":"WELCOME"}"#), Item::Control(Control::Alive));
    assert_eq!(
        read(r#"{"type":"ERROR","data":"Too many connections"}"#),
        Err(DecodeError::RejectedBySource)
    );
    assert_eq!(
        read(r#"{"success":false,"message":"Unauthorized"}"#),
        Err(DecodeError::RejectedBySource)
    );
    assert_eq!(
        read(r#"{"type":"TOKEN_NEW_LISTING_DATA","data":{}}"#),
        Err(DecodeError::Unsupported)
    );
    assert_eq!(read(r#"{"data":{"items":[]},"success":true}"#), Ok(vec![]));
    assert_eq!(read("{}"), Err(DecodeError::Shape));
}
