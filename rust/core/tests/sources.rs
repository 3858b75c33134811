//! Frames of each source: what becomes a price, what is refused and under which name.
#![allow(missing_docs, clippy::indexing_slicing, clippy::unwrap_used, reason = "tests")]

mod support;

use support::{MINUTE_NS, SECOND_NS, SOL, START_NS, USDC, pipeline_of, price_frame};
use utb_core::{BarRecord, LogKind, Mark, Pipeline};
use utb_types::{PoolRole, Source, Timeframe};

const START_S: i64 = START_NS / SECOND_NS;
/// Raydium v4 SOL-USDC.
const POOL: &str = "58oQChx4yWmvKdwLLZzBi4ChoCc2fqCUWBkwMihLYQo2";

fn items(pipeline: &Pipeline, source: &str) -> serde_json::Value {
    let counters = pipeline.counters_json().unwrap();
    serde_json::from_slice::<serde_json::Value>(&counters).unwrap()["items"][source].clone()
}

fn bars(pipeline: &mut Pipeline) -> Vec<BarRecord> {
    bytemuck::allocation::pod_collect_to_vec(&pipeline.drain(LogKind::Bars))
}

fn mark(pipeline: &Pipeline) -> Mark {
    pipeline.mark(0).unwrap()
}

#[test]
fn test_birdeye_price_is_clamped_into_its_bar() {
    let mut pipeline = pipeline_of("birdeye", "close", Timeframe::M1);
    let frame = price_frame(SOL, "1m", START_S, 100.0, 5.0);
    pipeline.ingest(Source::Birdeye, frame.as_bytes(), START_NS + 61 * SECOND_NS);
    assert_eq!(mark(&pipeline).ts_ns, START_NS + MINUTE_NS - 1);
    let frame = price_frame(SOL, "1m", START_S + 60, 101.0, 0.0);
    pipeline.ingest(Source::Birdeye, frame.as_bytes(), START_NS + 59 * SECOND_NS);
    assert_eq!(mark(&pipeline).ts_ns, START_NS + MINUTE_NS);
}

#[test]
fn test_birdeye_frames_that_are_wrong_are_counted_by_reason() {
    let mut pipeline = pipeline_of("birdeye", "close", Timeframe::M1);
    let stranger =
        price_frame("Stranger1111111111111111111111111111111111", "1m", START_S, 1.0, 1.0);
    for frame in [b"{".as_slice(), b"\xff\xff", stranger.as_bytes()] {
        pipeline.ingest(Source::Birdeye, frame, START_NS);
    }
    let items = items(&pipeline, "birdeye");
    assert_eq!((&items["frames"], &items["accepted"]), (&3.into(), &0.into()));
    let rejected = items["rejected"].as_object().unwrap();
    assert_eq!(rejected["unknown_instrument"], 1);
    assert_eq!(rejected.values().filter_map(serde_json::Value::as_u64).sum::<u64>(), 3);
}

fn trade(tx: &str, block_s: i64, price: f64, amount: f64) -> String {
    let leg = |kind: &str, mint: &str, amount: f64, price: f64| {
        format!(
            r#"{{"address":"{mint}","amount":1,"changeAmount":1,"decimals":9,"nearestPrice":{price:?},
            "price":{price:?},"symbol":"X","type":"transfer","typeSwap":"{kind}",
            "uiAmount":{amount:?},"uiChangeAmount":{amount:?}}}"#
        )
    };
    format!(
        r#"{{"type":"TXS_DATA","data":{{"blockUnixTime":{block_s},
        "owner":"7GhTqWLsr7NxPCQbXhGkNwCwvQ9b7nX3Tt7cL5y5jVbQ","source":"raydium",
        "txHash":"{tx}","side":"buy","tokenAddress":"{SOL}","alias":null,"isTradeOnBe":false,
        "platform":"raydium","pricePair":{price:?},"volumeUSD":{:?},"from":{},"to":{},
        "network":"solana","insIndex":1,"innerInsIndex":null}}}}"#,
        price * amount,
        leg("from", USDC, price * amount, 1.0),
        leg("to", SOL, amount, price),
    )
}

#[test]
fn test_birdeye_trade_counts_once_at_its_block_time() {
    let mut pipeline = pipeline_of("birdeye", "close", Timeframe::M1);
    pipeline.log(&[LogKind::Bars]);
    let now_ns = START_NS + 5 * SECOND_NS;
    for frame in [
        trade("a1", START_S + 3, 100.0, 2.0),
        trade("a1", START_S + 3, 100.0, 2.0),
        trade("a2", START_S + 90, 101.0, 0.5),
    ] {
        pipeline.ingest(Source::Birdeye, frame.as_bytes(), now_ns);
    }
    // The clock of the second block runs ahead: it counts when it was received.
    assert_eq!((mark(&pipeline).ts_ns, mark(&pipeline).events), (now_ns, 2));
    assert_eq!(items(&pipeline, "birdeye")["duplicate"], 1);
    pipeline.advance_to(START_NS + 2 * MINUTE_NS);
    let closed = bars(&mut pipeline);
    assert_eq!(
        (closed[0].ohlc, closed[0].volume.to_bits()),
        ([100.0, 101.0, 100.0, 101.0], 2.5_f64.to_bits())
    );
}

#[test]
fn test_birdeye_trade_beside_a_forming_bar_adds_no_volume() {
    let mut pipeline = pipeline_of("birdeye", "close", Timeframe::M1);
    pipeline.log(&[LogKind::Bars]);
    let frame = price_frame(SOL, "1m", START_S, 100.0, 7.0);
    pipeline.ingest(Source::Birdeye, frame.as_bytes(), START_NS + SECOND_NS);
    let frame = trade("b1", START_S + 3, 100.0, 2.0);
    pipeline.ingest(Source::Birdeye, frame.as_bytes(), START_NS + 4 * SECOND_NS);
    pipeline.advance_to(START_NS + 2 * MINUTE_NS);
    assert_eq!(bars(&mut pipeline)[0].volume.to_bits(), 7.0_f64.to_bits());
}

#[test]
fn test_birdeye_history_enters_once_and_without_the_unfinished_bar() {
    let mut pipeline = pipeline_of("birdeye", "close", Timeframe::M15);
    pipeline.log(&[LogKind::Bars]);
    let bar = |number: i64| {
        format!(
            r#"{{"c":102.0,"h":103.0,"l":99.0,"o":100.0,"type":"15m","unixTime":{},
            "address":"{SOL}","v":50.0}}"#,
            START_S + 900 * number
        )
    };
    let list = (0..3).map(bar).collect::<Vec<_>>().join(",");
    let frame = format!(r#"{{"data":{{"items":[{list}]}},"success":true}}"#);
    let now_ns = START_NS + 40 * MINUTE_NS;
    pipeline.ingest(Source::Birdeye, frame.as_bytes(), now_ns);
    pipeline.ingest(Source::Birdeye, frame.as_bytes(), now_ns);
    pipeline.advance_to(now_ns);
    let closed = bars(&mut pipeline);
    assert_eq!(closed.len(), 2);
    assert_eq!(
        (closed[1].ohlc, closed[1].volume.to_bits()),
        ([100.0, 103.0, 99.0, 102.0], 50.0_f64.to_bits())
    );
    let items = items(&pipeline, "birdeye");
    assert_eq!((&items["accepted"], &items["late"]), (&8.into(), &2.into()));
    assert_eq!(items["rejected"]["unfinished_bar"], 2);
}

fn pair(address: &str, quote: &str, price: f64, depth: f64, volume_m5: Option<f64>) -> String {
    let volume = volume_m5.map_or(String::new(), |volume| format!(r#","m5":{volume:?}"#));
    format!(
        r#"{{"chainId":"solana","dexId":"raydium","url":"https://dexscreener.com/solana/x",
        "pairAddress":"{address}",
        "baseToken":{{"address":"{SOL}","name":"Wrapped SOL","symbol":"SOL"}},
        "quoteToken":{{"address":"{quote}","name":"USD Coin","symbol":"USDC"}},
        "priceNative":"{price}","priceUsd":"{price}",
        "txns":{{"m5":{{"buys":1,"sells":13}}}},"volume":{{"h24":565343.15{volume}}},
        "priceChange":{{"m5":-0.28}},
        "liquidity":{{"usd":{depth:?},"base":3623.5,"quote":{:?}}}}}"#,
        depth / 2.0
    )
}

fn pairs(list: &[String]) -> String {
    format!(r#"{{"schemaVersion":"1.0.0","pairs":[{}]}}"#, list.join(","))
}

#[test]
fn test_dexscreener_takes_the_deepest_pair_of_the_two_mints() {
    let mut pipeline = pipeline_of("dexscreener", "close", Timeframe::M1);
    let other = "7vfCXTUXx5WJV5JADk17DUJ4ksgau7utNKj4b963voxs";
    let frame = pairs(&[
        pair("8sLbNZoA1cfnvMJLPfp98ZLAnFSYCFApfJKMbiXNLwxj", USDC, 140.0, 1e4, Some(5.0)),
        pair(POOL, USDC, 141.0, 1e6, Some(5.0)),
        pair("HJPjoWUrhoZzkNfRpHuieeFk9WcZWjwy6PBjZ81ngndJ", other, 0.05, 1e9, Some(5.0)),
    ]);
    pipeline.ingest(Source::DexScreener, frame.as_bytes(), START_NS);
    let mark = mark(&pipeline);
    assert_eq!((mark.price.to_bits(), mark.events), (141.0_f64.to_bits(), 1));
    assert_eq!(mark.liquidity.get(), Some(5e5));
    assert_eq!(items(&pipeline, "dexscreener")["rejected"]["other_pool"], 1);
}

#[test]
fn test_dexscreener_five_minute_volume_is_its_last_sample_and_absent_without_one() {
    let mut pipeline = pipeline_of("dexscreener", "close", Timeframe::M1);
    pipeline.log(&[LogKind::Bars]);
    let mut at = |minute: i64, volume| {
        let frame = pairs(&[pair(POOL, USDC, 100.0, 1e6, volume)]);
        pipeline.ingest(Source::DexScreener, frame.as_bytes(), START_NS + minute * MINUTE_NS);
    };
    // 15m: 5m bars with last samples 900 and 300 USD at 100, and one without a sample.
    at(0, Some(1_000.0));
    at(4, Some(900.0));
    at(6, Some(300.0));
    at(11, None);
    at(15, Some(100.0));
    at(16, Some(200.0));
    at(20, Some(100.0));
    let closed = bars(&mut pipeline);
    let five: Vec<_> = closed.iter().filter(|bar| bar.timeframe == 1).collect();
    let volumes: Vec<_> = five.iter().map(|bar| bar.volume).collect();
    assert!((volumes[0] - 9.0).abs() < 1e-12 && (volumes[1] - 3.0).abs() < 1e-12);
    assert!(volumes[2].is_nan() && (volumes[3] - 2.0).abs() < 1e-12);
    let fifteen: Vec<_> = closed.iter().filter(|bar| bar.timeframe == 2).collect();
    assert!(fifteen.len() == 1 && fifteen[0].volume.is_nan());
    assert!(closed.iter().all(|bar| bar.timeframe != 0));
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn base64(bytes: &[u8]) -> String {
    let groups = bytes.chunks(3).map(|chunk| {
        let word = chunk.iter().fold(0_u32, |word, byte| word << 8 | u32::from(*byte))
            << (8 * (3 - chunk.len()));
        let letter =
            |shift: u32| char::from(ALPHABET[usize::try_from(word >> shift & 63).unwrap()]);
        let mut group: String = [18, 12, 6, 0].map(letter).iter().collect();
        group.truncate(chunk.len() + 1);
        group + &"=".repeat(3 - chunk.len())
    });
    groups.collect()
}

/// A token account as its RPC tells it.
fn vault(subscription: u64, slot: u64, mint: &str, amount_raw: u64) -> String {
    let mut data = [0_u8; 165];
    data[..32].copy_from_slice(&utb_feeds::address_bytes(mint).unwrap());
    data[64..72].copy_from_slice(&amount_raw.to_le_bytes());
    data[108] = 1;
    format!(
        "{{\"jsonrpc\":\"2.0\",\"method\":\"accountNotification\",\"params\":{{\"result\":\
         {{\"context\":{{\"slot\":{slot}}},\"value\":{{\"lamports\":2039280,\"data\":[\"{}\",\
         \"base64\"],\"owner\":\"TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA\",\
         \"executable\":false,\"rentEpoch\":18446744073709551615,\"space\":165}}}},\
         \"subscription\":{subscription}}}}}",
        base64(&data)
    )
}

#[test]
fn test_helius_vaults_of_one_slot_make_a_price() {
    let mut pipeline = pipeline_of("helius", "close", Timeframe::M1);
    pipeline.bind(Source::Helius, "11", 0, PoolRole::BaseVault).unwrap();
    pipeline.bind(Source::Helius, "12", 0, PoolRole::QuoteVault).unwrap();
    let mut at = |second: i64, frame: String| {
        pipeline.ingest(Source::Helius, frame.as_bytes(), START_NS + second * SECOND_NS);
    };
    at(0, vault(11, 5, SOL, 1_000_000_000_000));
    at(1, vault(12, 5, USDC, 150_000_000_000));
    at(2, vault(12, 6, USDC, 151_500_000_000));
    at(3, vault(11, 6, SOL, 990_100_990_100));
    at(4, vault(11, 5, SOL, 1));
    at(5, vault(99, 7, SOL, 1));
    at(6, vault(11, 7, USDC, 1));
    let mark = mark(&pipeline);
    assert_eq!((mark.ts_ns, mark.events), (START_NS + 3 * SECOND_NS, 2));
    // 151,500 / 990.1009901.
    assert!((mark.price - 153.014_693_970_5).abs() < 1e-9, "{}", mark.price);
    assert_eq!(mark.liquidity.get(), Some(151_500.0));
    let items = items(&pipeline, "helius");
    assert_eq!((&items["late"], &items["accepted"]), (&1.into(), &4.into()));
    let expected = serde_json::json!({"unknown_subscription": 1, "other_mint": 1});
    assert_eq!(items["rejected"], expected);
}

#[test]
fn test_bind_of_what_is_no_subscription_is_refused() {
    let mut pipeline = pipeline_of("helius", "close", Timeframe::M1);
    let error = |source, key, instrument, pipeline: &mut Pipeline| {
        pipeline.bind(source, key, instrument, PoolRole::Pool).unwrap_err().to_string()
    };
    assert_eq!(error(Source::Birdeye, "1", 0, &mut pipeline), "source is 1, must be 2, helius");
    assert_eq!(
        error(Source::Helius, "x", 0, &mut pipeline),
        "key is x, must be a subscription id, 0..2^64"
    );
    assert_eq!(error(Source::Helius, "1", 2, &mut pipeline), "instrument is 2, must be below 2");
}
