//! From an account notification to the pool's price, against `serde_json` and base64 that read the
//! same fields of the same bytes, and come to the same price.
//!
//! `cargo bench -p utb-core --bench pools -- [--json FILE] [--smoke]` prints the rows and writes
//! them. All are timed in short batches, alternately, of frames that the cache holds as it does one
//! that was just received; a row is the ratio of the medians. The bar is against the faster peer,
//! which reads no more than it needs; what the chain's own client crates read is told beside it.

#![allow(clippy::indexing_slicing, clippy::cast_precision_loss, reason = "a benchmark")]

use std::hint::black_box;
use std::io::Write as _;
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};
use utb_core::{PoolFeed, price_value};
use utb_solana::pool::{Pools, Venue};
use utb_solana::{Key, program};

/// Largest share of `serde_json`'s and base64's time.
const BAR: f64 = 0.2;
/// Distinct frames: fewer would let the branch predictor learn them by heart.
const FRAMES: usize = 4096;
/// Frames timed at once: few enough to stay in the cache.
const BATCH: usize = 32;
const POOL: Key = Key([0x55; 32]);
const VAULTS: [Key; 2] = [Key([0x33; 32]), Key([0x44; 32])];
const MINTS: [Key; 2] = [Key([0x11; 32]), Key([0x22; 32])];

fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let rounds = if arguments.iter().any(|it| it == "--smoke") { 4 } else { 30 };
    let rows = [vaults(rounds), whirlpool(rounds)];
    for row in &rows {
        writeln!(std::io::stdout(), "{row}")?;
    }
    if let Some(at) = arguments.iter().position(|argument| argument == "--json")
        && let Some(path) = arguments.get(at + 1)
    {
        std::fs::write(path, Value::from(rows.to_vec()).to_string())?;
    }
    Ok(())
}

/// Both vaults of a Raydium pool in turn, a swap per slot.
fn vaults(rounds: usize) -> Value {
    let mut pools = Pools::default();
    assert!(pools.watch(Venue::RaydiumAmm, POOL).is_ok());
    let mut account = vec![0; 752];
    for (at, value) in [(0, 6_u64), (32, 9), (40, 6), (176, 25), (184, 10_000)] {
        put(&mut account, at, &value.to_le_bytes());
    }
    for (at, key) in [(336, VAULTS[0]), (368, VAULTS[1]), (400, MINTS[0]), (432, MINTS[1])] {
        put(&mut account, at, &key.0);
    }
    pools.apply(&POOL, &program::RAYDIUM_AMM, &account, 1);
    let make = |number: usize| {
        let (side, slot) = (number % 2, 320_000_000 + number as u64 / 2);
        let mut data = vec![0; 165];
        put(&mut data, 0, &MINTS[side].0);
        put(&mut data, 32, &POOL.0);
        put(&mut data, 64, &(1_000_000_000_000 + number as u64 * 7_919).to_le_bytes());
        put(&mut data, 108, &[1]);
        frame(&data, "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA", slot, side as u64)
    };
    let mut reserves = [1_u64; 2];
    let mut peer = |subscription: u64, data: &[u8]| {
        reserves[usize::from(subscription == 1)] = u64_at(data, 64);
        reserves[1] as f64 / reserves[0] as f64 * 1e3
    };
    measure("pool update to price, vault", pools, &make, &mut peer, rounds)
}

/// A Whirlpool's own account, which alone says its price.
fn whirlpool(rounds: usize) -> Value {
    let mut pools = Pools::default();
    assert!(pools.watch(Venue::Whirlpool, POOL).is_ok());
    let mut mint = vec![0; 82];
    put(&mut mint, 44, &[9, 1]);
    let account = |number: usize| {
        let mut data = vec![0; 653];
        put(&mut data, 0, &[0x3f, 0x95, 0xd1, 0x0c, 0xe1, 0x80, 0x63, 0x09]);
        for (at, value) in [(41, 64_u16), (43, 64), (45, 3000)] {
            put(&mut data, at, &value.to_le_bytes());
        }
        put(&mut data, 49, &10_000_000_000_000_u128.to_le_bytes());
        put(&mut data, 65, &(7_144_393_258_922_745_856 + number as u128 * 7_919).to_le_bytes());
        put(&mut data, 81, &(-18_973_i32).to_le_bytes());
        for (at, key) in [(101, MINTS[0]), (133, VAULTS[0]), (181, MINTS[1]), (213, VAULTS[1])] {
            put(&mut data, at, &key.0);
        }
        data
    };
    let make = |number: usize| {
        let slot = 320_000_000 + number as u64;
        frame(&account(number), "whirLbMiicVdio4qvUfM5KAg6Ct8VwpYzGff3uctyCc", slot, 2)
    };
    pools.apply(&POOL, &program::WHIRLPOOL, &account(0), 1);
    for key in MINTS {
        pools.apply(&key, &program::TOKEN, &mint, 1);
    }
    let mut peer = |_: u64, data: &[u8]| {
        let root = u64_at(data, 65) as f64 / 2_f64.powi(64);
        root * root
    };
    measure("pool update to price, Whirlpool", pools, &make, &mut peer, rounds)
}

/// What the chain's own client crates read a notification into (`RpcResponse<UiAccount>`).
#[derive(Deserialize)]
struct Notification {
    params: Params,
}

#[derive(Deserialize)]
struct Params {
    result: Outcome,
    subscription: u64,
}

#[derive(Deserialize)]
struct Outcome {
    context: Context,
    value: Account,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Context {
    slot: u64,
    api_version: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Account {
    lamports: u64,
    data: Contents,
    owner: String,
    executable: bool,
    rent_epoch: u64,
    space: Option<u64>,
}

/// Of three forms only the last is asked for; all are tried, as the crates do.
#[derive(Deserialize)]
#[serde(untagged)]
enum Contents {
    #[expect(dead_code, reason = "read and not used")]
    Legacy(String),
    Parsed(Json),
    Encoded(String, String),
}

/// Its third member keeps it from taking the pair that `Encoded` is.
#[derive(Deserialize)]
struct Json {
    program: String,
    parsed: Value,
    space: u64,
}

/// The least that reads the same fields: borrowed, nothing else.
#[derive(Deserialize)]
struct Lean<'a> {
    #[serde(borrow)]
    params: LeanParams<'a>,
}

#[derive(Deserialize)]
struct LeanParams<'a> {
    #[serde(borrow)]
    result: LeanOutcome<'a>,
    subscription: u64,
}

#[derive(Deserialize)]
struct LeanOutcome<'a> {
    context: LeanContext,
    #[serde(borrow)]
    value: LeanAccount<'a>,
}

#[derive(Deserialize)]
struct LeanContext {
    slot: u64,
}

#[derive(Deserialize)]
struct LeanAccount<'a> {
    data: [&'a str; 2],
    owner: &'a str,
}

/// Subscription and contents as `serde_json` and base64 read them, in full and at the least.
fn in_full(frame: &[u8]) -> Option<(u64, Vec<u8>)> {
    let read: Notification = serde_json::from_slice(frame).ok()?;
    let Outcome { context, value } = read.params.result;
    let Account { lamports, data, owner, executable, rent_epoch, space } = value;
    black_box((context.slot, context.api_version, lamports, owner, executable, rent_epoch, space));
    match data {
        Contents::Encoded(data, encoding) => {
            black_box(encoding);
            Some((read.params.subscription, STANDARD.decode(data).ok()?))
        }
        Contents::Legacy(_) => None,
        Contents::Parsed(Json { program, parsed, space }) => {
            black_box((program, parsed, space));
            None
        }
    }
}

fn at_least(frame: &[u8]) -> Option<(u64, Vec<u8>)> {
    let read: Lean<'_> = serde_json::from_slice(frame).ok()?;
    let account = &read.params.result.value;
    black_box((account.owner, read.params.result.context.slot));
    Some((read.params.subscription, STANDARD.decode(account.data[0]).ok()?))
}

/// Price of a subscription's contents, as the peers make it.
type PeerPrice<'p> = &'p mut dyn FnMut(u64, &[u8]) -> f64;

fn measure(
    name: &str,
    mut pools: Pools,
    make: &dyn Fn(usize) -> Vec<u8>,
    price: PeerPrice<'_>,
    rounds: usize,
) -> Value {
    let mut feed = PoolFeed::default();
    for (subscription, address) in [(0, VAULTS[0]), (1, VAULTS[1]), (2, POOL)] {
        feed.bind(subscription, address);
    }
    agree(&mut feed, &mut pools, make, price);
    let mut work = |who: usize, frame: &[u8]| match who {
        0 => ours(&mut feed, &mut pools, black_box(frame)),
        1 => peer(in_full(black_box(frame)), price),
        _ => peer(at_least(black_box(frame)), price),
    };
    let mut taken = [const { Vec::new() }; 3];
    for round in 1..=rounds {
        // Newer slots in every round, so that no update is dropped as older.
        let frames: Vec<Vec<u8>> = (0..FRAMES).map(|at| make(round * FRAMES + at)).collect();
        for (at, batch) in frames.chunks(BATCH).enumerate() {
            for turn in 0..3 {
                let who = (round + at + turn) % 3;
                let time = per_frame(batch, &mut |frame| work(who, frame));
                // The first round warms up.
                if round > 1 {
                    taken[who].push(time);
                }
            }
        }
    }
    let [ours_ns, full_ns, lean_ns] = taken.map(median);
    let ratio = ours_ns / lean_ns.min(full_ns);
    json!({
        "name": name, "value": ratio, "unit": "x", "ours_ns": ours_ns,
        "borrowed_least_ns": lean_ns, "client_crates_ns": full_ns,
        "of_client_crates": ours_ns / full_ns,
        "bar": format!("<= {BAR}x"), "pass": ratio <= BAR,
    })
}

fn ours(feed: &mut PoolFeed, pools: &mut Pools, frame: &[u8]) -> f64 {
    let taken = feed.ingest(frame, pools);
    assert!(matches!(taken, Ok(Some(_))), "{taken:?}");
    pools.price(&POOL, &MINTS[0]).map_or(f64::NAN, |(found, _)| price_value(found))
}

fn peer(read: Option<(u64, Vec<u8>)>, price: PeerPrice<'_>) -> f64 {
    read.map_or(f64::NAN, |(subscription, data)| price(subscription, &data))
}

/// Checks over the first frames that all come to the same price: at every second one, for ours
/// waits until both vaults are of the same slot.
fn agree(
    feed: &mut PoolFeed,
    pools: &mut Pools,
    make: &dyn Fn(usize) -> Vec<u8>,
    price: PeerPrice<'_>,
) {
    for at in 0..FRAMES {
        let frame = make(at);
        let expected = ours(feed, pools, &frame);
        for found in [peer(in_full(&frame), price), peer(at_least(&frame), price)] {
            let same = (found / expected - 1.0).abs() < 1e-12;
            assert!(at % 2 == 0 || same, "frame {at}: {found}, ours {expected}");
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
fn per_frame(batch: &[Vec<u8>], work: &mut impl FnMut(&[u8]) -> f64) -> f64 {
    for frame in batch {
        black_box(frame.iter().fold(0, |sum: u8, byte| sum ^ byte));
    }
    let start = Instant::now();
    for frame in batch {
        black_box(work(frame));
    }
    start.elapsed().as_secs_f64() * 1e9 / batch.len() as f64
}

fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples.get(samples.len() / 2).copied().unwrap_or(f64::NAN)
}

fn frame(data: &[u8], owner: &str, slot: u64, subscription: u64) -> Vec<u8> {
    let (data, space) = (STANDARD.encode(data), data.len());
    format!(
        "{{\"jsonrpc\":\"2.0\",\"method\":\"accountNotification\",\"params\":{{\"result\":\
         {{\"context\":{{\"slot\":{slot}}},\"value\":{{\"lamports\":2039280,\"data\":[\"{data}\",\
         \"base64\"],\"owner\":\"{owner}\",\"executable\":false,\
         \"rentEpoch\":18446744073709551615,\"space\":{space}}}}},\
         \"subscription\":{subscription}}}}}"
    )
    .into_bytes()
}

fn put(data: &mut [u8], at: usize, field: &[u8]) {
    data[at..at + field.len()].copy_from_slice(field);
}

fn u64_at(data: &[u8], at: usize) -> u64 {
    data.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |it| u64::from_le_bytes(*it))
}
