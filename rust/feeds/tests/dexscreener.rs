//! `DexScreener` frames.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test stops at the first surprise"
)]

mod common;

use common::{PAIR, both, pairs};
use utb_feeds::{DecodeError, Item, Pair, Rejected};
use utb_types::{Source, Value};

fn read(frame: &str) -> Result<Vec<Item<'_>>, DecodeError> {
    both(Source::DexScreener, frame.as_bytes())
}

fn only_pair(frame: &str) -> Pair<'_> {
    match read(frame).unwrap().as_slice() {
        [Item::Pair(pair)] => pair.clone(),
        other => panic!("{other:?}"),
    }
}

fn reason(frame: &str) -> DecodeError {
    match read(frame).unwrap().as_slice() {
        [Item::Rejected(Rejected { index: 0, reason })] => *reason,
        other => panic!("{other:?}"),
    }
}

/// Values as written in the sample.
#[test]
fn test_pair_of_the_wrapper_gives_its_fields() {
    let frame = pairs(&[PAIR]);
    let pair = only_pair(&frame);
    assert_eq!(pair.chain_id, "solana");
    assert_eq!(pair.pair_address, "58oQChx4yWmvKdwLLZzBi4ChoCc2fqCUWBkwMihLYQo2");
    assert_eq!(pair.base_mint, common::SOL);
    assert_eq!(pair.quote_mint, common::USDC);
    assert_eq!(pair.price_native, Value::new(140.5021));
    assert_eq!(pair.price_usd, Value::new(140.5));
    assert_eq!(pair.liquidity_usd, Value::new(1_017_969.4));
    assert_eq!(pair.liquidity_base, Value::new(3623.5));
    assert_eq!(pair.liquidity_quote, Value::new(508_984.7));
    assert_eq!(pair.volume_m5_usd, Value::new(5.99));
    assert_eq!((pair.buys_m5, pair.sells_m5), (Some(1), Some(13)));
}

#[test]
fn test_pair_without_optional_members_leaves_them_absent() {
    let pair = r#"[{"chainId":"solana","dexId":"x","url":"u","pairAddress":"P","baseToken":{"address":"B","name":"n","symbol":"s"},"quoteToken":{"address":"Q","name":"n","symbol":"s"},"priceNative":"0.00001416"}]"#;
    let pair = only_pair(pair);
    assert_eq!(pair.price_native, Value::new(0.000_014_16));
    assert_eq!(pair.price_usd, Value::ABSENT);
    assert_eq!(pair.liquidity_usd, Value::ABSENT);
    assert_eq!(pair.volume_m5_usd, Value::ABSENT);
    assert_eq!((pair.buys_m5, pair.sells_m5), (None, None));
}

#[test]
fn test_pair_with_escapes_spaces_and_another_order_is_read() {
    let frame = r#" [ { "priceNative" : "2.5", "quoteToken" : {"address":"Q"}, "baseToken":{"name":"a \"b\"","address":"\u0042"}, "pairAddress":"P","chainId":"sol\u0061na"} ] "#;
    let pair = only_pair(frame);
    assert_eq!(pair.chain_id, "solana");
    assert_eq!(pair.base_mint, "B");
    assert_eq!(pair.price_native, Value::new(2.5));
}

#[test]
fn test_pair_key_is_used_when_the_list_is_null() {
    let frame = format!(r#"{{"schemaVersion":"1.0.0","pairs":null,"pair":{PAIR}}}"#);
    only_pair(&frame);
    let frame = format!(r#"{{"schemaVersion":"1.0.0","pairs":[{PAIR}],"pair":{PAIR}}}"#);
    only_pair(&frame);
    assert_eq!(read(r#"{"schemaVersion":"1.0.0","pairs":null,"pair":null}"#), Ok(vec![]));
    assert_eq!(read(r#"{"schemaVersion":"1.0.0","pairs":[]}"#), Ok(vec![]));
    assert_eq!(read("[]"), Ok(vec![]));
}

/// Thirty pairs, the 7th with a negative price, the 20th without a base token.
#[test]
fn test_frame_of_thirty_keeps_order_and_loses_only_the_bad_ones() {
    let mut list: Vec<String> =
        (0..30).map(|at| PAIR.replace("140.5021", &format!("{}.5", at + 1))).collect();
    list[6] = list[6].replace("\"7.5\"", "\"-7.5\"");
    list[19] = list[19].replace("\"baseToken\":{\"address\"", "\"baseToken\":{\"addr\"");
    let frame = pairs(&list.iter().map(String::as_str).collect::<Vec<_>>());
    let items = read(&frame).unwrap();
    assert_eq!(items.len(), 30);
    for (at, item) in (0_u32..).zip(&items) {
        match item {
            Item::Pair(pair) => {
                assert_eq!(pair.price_native, Value::new(f64::from(at) + 1.5));
            }
            Item::Rejected(Rejected { index: 6, reason: DecodeError::Range }) => {
                assert_eq!(at, 6);
            }
            Item::Rejected(Rejected { index: 19, reason: DecodeError::Shape }) => {
                assert_eq!(at, 19);
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn test_price_out_of_range_is_refused() {
    for price in ["1e400", "-1", "0", "-0", "1e-400"] {
        let frame = pairs(&[&PAIR.replace("140.5021", price)]);
        assert_eq!(reason(&frame), DecodeError::Range, "{price}");
    }
}

#[test]
fn test_price_that_is_no_number_is_refused() {
    for price in ["NaN", "inf", "", "+1", "01", "1.", ".5", "0x10", "1e", "1 ", "1,5"] {
        let frame = pairs(&[&PAIR.replace("140.5021", price)]);
        assert_eq!(reason(&frame), DecodeError::Shape, "{price}");
    }
}

#[test]
fn test_wrong_types_and_ranges_are_refused_by_name() {
    for (from, to, expected) in [
        (r#""priceNative":"140.5021""#, r#""priceNative":140.5021"#, DecodeError::Shape),
        (r#""buys":1,"#, r#""buys":-1,"#, DecodeError::Shape),
        (r#""buys":1,"#, r#""buys":4294967296,"#, DecodeError::Shape),
        (r#""usd":1017969.4"#, r#""usd":-5"#, DecodeError::Range),
        (r#""usd":1017969.4"#, r#""usd":1e400"#, DecodeError::Range),
        (r#""usd":1017969.4"#, r#""usd":"5""#, DecodeError::Shape),
        (r#""chainId":"solana""#, r#""chainId":"""#, DecodeError::Shape),
        (r#""chainId":"solana""#, r#""chainId":"é""#, DecodeError::Shape),
    ] {
        let frame = pairs(&[&PAIR.replace(from, to)]);
        assert_eq!(reason(&frame), expected, "{to}");
    }
}

#[test]
fn test_name_in_other_scripts_is_not_kept_and_not_refused() {
    let frame = pairs(&[&PAIR.replace("Wrapped SOL", "солана 🚀")]);
    only_pair(&frame);
}

#[test]
fn test_answer_without_pairs_is_the_sources_refusal() {
    assert_eq!(read(r#"{"statusCode":429,"message":"slow"}"#), Err(DecodeError::RejectedBySource));
}
