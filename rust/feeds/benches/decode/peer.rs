//! The peer: sonic-rs typed structs with the same fields and no checks of their values.

use base64_simd::{Out, STANDARD};
use serde::Deserialize;

#[derive(Deserialize)]
struct Pairs<'a> {
    #[serde(borrow)]
    pairs: Vec<Pair<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the source's names")]
struct Pair<'a> {
    chain_id: &'a str,
    pair_address: &'a str,
    #[serde(borrow)]
    base_token: Token<'a>,
    #[serde(borrow)]
    quote_token: Token<'a>,
    price_native: &'a str,
    price_usd: Option<&'a str>,
    txns: Option<Transactions>,
    volume: Option<Volume>,
    liquidity: Option<Liquidity>,
}

#[derive(Deserialize)]
struct Token<'a> {
    address: &'a str,
}

#[derive(Deserialize)]
struct Transactions {
    m5: Option<Counts>,
}

#[derive(Deserialize)]
struct Counts {
    buys: Option<u32>,
    sells: Option<u32>,
}

#[derive(Deserialize)]
struct Volume {
    m5: Option<f64>,
}

#[derive(Deserialize)]
struct Liquidity {
    usd: Option<f64>,
    base: Option<f64>,
    quote: Option<f64>,
}

#[derive(Deserialize)]
struct Price<'a> {
    #[serde(borrow, rename = "type")]
    kind: &'a str,
    #[serde(borrow)]
    data: Bar<'a>,
}

#[derive(Deserialize)]
struct Bars<'a> {
    #[serde(borrow)]
    data: BarList<'a>,
    success: bool,
}

#[derive(Deserialize)]
struct BarList<'a> {
    #[serde(borrow)]
    items: Vec<Bar<'a>>,
}

#[derive(Deserialize)]
struct Bar<'a> {
    o: f64,
    h: f64,
    l: f64,
    c: f64,
    v: f64,
    #[serde(borrow, rename = "type")]
    timeframe: &'a str,
    #[serde(rename = "unixTime")]
    unix_time: u64,
    #[serde(borrow)]
    address: Option<&'a str>,
}

#[derive(Deserialize)]
struct Swap<'a> {
    #[serde(borrow, rename = "type")]
    kind: &'a str,
    #[serde(borrow)]
    data: SwapData<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SwapData<'a> {
    block_unix_time: u64,
    owner: &'a str,
    tx_hash: &'a str,
    side: &'a str,
    #[serde(borrow)]
    token_address: Option<&'a str>,
    #[serde(borrow)]
    tx_status: Option<&'a str>,
    #[serde(rename = "volumeUSD")]
    volume_usd: f64,
    #[serde(borrow)]
    from: Leg<'a>,
    #[serde(borrow)]
    to: Leg<'a>,
    #[serde(alias = "slot")]
    block_number: Option<u64>,
    ins_index: Option<u32>,
    inner_ins_index: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Leg<'a> {
    address: &'a str,
    ui_amount: f64,
    price: Option<f64>,
    nearest_price: Option<f64>,
}

#[derive(Deserialize)]
struct Notification<'a> {
    method: &'a str,
    #[serde(borrow)]
    params: Params<'a>,
}

#[derive(Deserialize)]
struct Params<'a> {
    #[serde(borrow)]
    result: AccountResult<'a>,
    subscription: u64,
}

#[derive(Deserialize)]
struct AccountResult<'a> {
    context: SlotContext,
    #[serde(borrow)]
    value: Account<'a>,
}

#[derive(Deserialize)]
struct SlotContext {
    slot: u64,
}

#[derive(Deserialize)]
struct Account<'a> {
    #[serde(borrow)]
    data: (&'a str, &'a str),
    owner: &'a str,
}

/// Decodes; a benchmark whose input the peer cannot read would be meaningless.
fn read<'a, T: Deserialize<'a>>(message: &'a [u8]) -> T {
    match sonic_rs::from_slice(message) {
        Ok(value) => value,
        Err(error) => panic!("{error}"),
    }
}

#[expect(clippy::cast_precision_loss, reason = "only keeps the work from being removed")]
fn mix(texts: &[&str], numbers: &[f64], integers: &[u64]) -> f64 {
    let texts: usize = texts.iter().map(|text| text.len()).sum();
    let integers = integers.iter().fold(0_u64, |sum, &integer| sum ^ integer);
    numbers.iter().sum::<f64>() + texts as f64 + integers as f64
}

pub(crate) fn pairs(message: &[u8]) -> f64 {
    let pairs = if message.first() == Some(&b'[') {
        read::<Vec<Pair<'_>>>(message)
    } else {
        read::<Pairs<'_>>(message).pairs
    };
    pairs.iter().map(pair).sum()
}

fn pair(pair: &Pair<'_>) -> f64 {
    let price = |text: &str| text.parse::<f64>().unwrap_or(f64::NAN);
    let counts = pair.txns.as_ref().and_then(|txns| txns.m5.as_ref());
    let pool = pair.liquidity.as_ref();
    let amounts = pool.map_or([None; 3], |pool| [pool.usd, pool.base, pool.quote]);
    let numbers = [
        price(pair.price_native),
        pair.price_usd.map_or(0.0, price),
        pair.volume.as_ref().and_then(|volume| volume.m5).unwrap_or(0.0),
        amounts.iter().flatten().sum(),
    ];
    let counts = counts.map_or([None; 2], |counts| [counts.buys, counts.sells]);
    mix(
        &[pair.chain_id, pair.pair_address, pair.base_token.address, pair.quote_token.address],
        &numbers,
        &counts.map(|count| u64::from(count.unwrap_or(0))),
    )
}

fn bar(bar: &Bar<'_>) -> f64 {
    let texts = [bar.timeframe, bar.address.unwrap_or_default()];
    mix(&texts, &[bar.o, bar.h, bar.l, bar.c, bar.v], &[bar.unix_time])
}

pub(crate) fn price(message: &[u8]) -> f64 {
    let price: Price<'_> = read(message);
    mix(&[price.kind], &[bar(&price.data)], &[])
}

pub(crate) fn ohlcv(message: &[u8]) -> f64 {
    let bars: Bars<'_> = read(message);
    let sum: f64 = bars.data.items.iter().map(bar).sum();
    if bars.success { sum } else { f64::NAN }
}

pub(crate) fn swap(message: &[u8]) -> f64 {
    let Swap { kind, data } = read(message);
    let leg = |leg: &Leg<'_>| {
        let prices = [leg.price.unwrap_or(0.0), leg.nearest_price.unwrap_or(0.0), leg.ui_amount];
        mix(&[leg.address], &prices, &[])
    };
    let optional = [data.token_address, data.tx_status].map(Option::unwrap_or_default);
    let [token, status] = optional;
    let indices = [data.ins_index, data.inner_ins_index].map(|index| index.unwrap_or(0));
    mix(
        &[kind, data.owner, data.tx_hash, data.side, token, status],
        &[data.volume_usd, leg(&data.from), leg(&data.to)],
        &[
            data.block_unix_time,
            data.block_number.unwrap_or(0),
            indices.iter().copied().map(u64::from).sum(),
        ],
    )
}

pub(crate) fn vault(message: &[u8]) -> f64 {
    let notification: Notification<'_> = read(message);
    let result = notification.params.result;
    let mut buffer = [0_u8; 165];
    let data = result.value.data.0.as_bytes();
    let Ok(bytes) = STANDARD.decode(data, Out::from_slice(&mut buffer)) else {
        panic!("not base64")
    };
    let amount = bytes.get(64..).and_then(|tail| tail.first_chunk()).copied();
    let key = |at: usize| bytes.get(at..).and_then(|tail| tail.first_chunk::<32>()).copied();
    std::hint::black_box((key(0), key(32)));
    mix(
        &[notification.method, result.value.data.1, result.value.owner],
        &[],
        &[
            u64::from_le_bytes(amount.unwrap_or_default()),
            notification.params.subscription,
            result.context.slot,
        ],
    )
}
