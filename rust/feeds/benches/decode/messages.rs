//! Messages in the sources' own shapes, with values that vary by seed.

use std::fmt::Write as _;

const BASE58: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const SOL: &str = "So11111111111111111111111111111111111111112";
const USDC: &str = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v";

/// A small generator (splitmix64); the figures must not depend on the run.
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        word ^ (word >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    #[expect(clippy::cast_precision_loss, reason = "a random fraction")]
    fn uniform(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn text(&mut self, alphabet: &[u8], length: usize) -> String {
        let bound = alphabet.len() as u64;
        (0..length)
            .filter_map(|_| alphabet.get(usize::try_from(self.below(bound)).ok()?))
            .map(|&byte| char::from(byte))
            .collect()
    }

    fn address(&mut self) -> String {
        let length = if self.below(4) == 0 { 43 } else { 44 };
        self.text(BASE58, length)
    }
}

fn pair(draw: &mut Draw) -> String {
    let address = draw.address();
    let price = 0.000_01 + draw.uniform() * 200.0;
    let mut text = format!(
        "{{\"chainId\":\"solana\",\"dexId\":\"raydium\",\
         \"url\":\"https://dexscreener.com/solana/{}\",\"pairAddress\":\"{address}\",",
        address.to_lowercase()
    );
    if draw.below(2) == 0 {
        text.push_str("\"labels\":[\"CPMM\"],");
    }
    let base = draw.address();
    let digits = usize::try_from(draw.below(6) + 2).unwrap_or(4);
    let _ = write!(
        text,
        "\"baseToken\":{{\"address\":\"{base}\",\"name\":\"{}\",\"symbol\":\"{}\"}},\
         \"quoteToken\":{{\"address\":\"{USDC}\",\"name\":\"USD Coin\",\"symbol\":\"USDC\"}},\
         \"priceNative\":\"{price:.digits$}\",\"priceUsd\":\"{:.digits$}\",\"txns\":{{",
        draw.text(BASE58, digits * 3),
        draw.text(BASE58, digits),
        price * 1.0003,
    );
    for (name, scale) in [("m5", 40), ("h1", 400), ("h6", 3000), ("h24", 90_000)] {
        let (buys, sells) = (draw.below(scale), draw.below(scale));
        let comma = if name == "h24" { "}" } else { "," };
        let _ = write!(text, "\"{name}\":{{\"buys\":{buys},\"sells\":{sells}}}{comma}");
    }
    let volume = draw.uniform() * 900_000.0;
    let _ = write!(
        text,
        ",\"volume\":{{\"h24\":{:.2},\"h6\":{:.2},\"h1\":{:.2},\"m5\":{:.2}}},\
         \"priceChange\":{{\"m5\":-0.28,\"h1\":{:.2},\"h6\":-2.71,\"h24\":{:.2}}},\
         \"liquidity\":{{\"usd\":{:.2},\"base\":{:.1},\"quote\":{}}},",
        volume,
        volume / 4.0,
        volume / 24.0,
        volume / 288.0,
        draw.uniform() * 9.0,
        draw.uniform() * 40.0,
        draw.uniform() * 1e7,
        draw.uniform() * 1e6,
        draw.below(5_000_000),
    );
    let cap = draw.below(9_000_000_000);
    let created = 1_696_424_985_000 + draw.below(60_000_000_000);
    let _ = write!(text, "\"fdv\":{cap},\"marketCap\":{cap},\"pairCreatedAt\":{created}");
    if draw.below(3) > 0 {
        let _ = write!(
            text,
            ",\"info\":{{\"imageUrl\":\"https://dd.dexscreener.com/ds-data/tokens/{}.png\",\
             \"header\":\"https://dd.dexscreener.com/h/{base}.png\",\"openGraph\":\
             \"https://cdn.dexscreener.com/token-images/og/solana/{base}\",\"websites\":\
             [{{\"label\":\"Website\",\"url\":\"https://example.org\"}}],\"socials\":\
             [{{\"type\":\"twitter\",\"url\":\"https://x.com/example\"}}]}},\
             \"boosts\":{{\"active\":10}}",
            draw.address()
        );
    }
    text + "}"
}

/// One pair in the wrapper of `/latest/dex`.
pub(crate) fn pair_frame(seed: u64) -> String {
    format!("{{\"schemaVersion\":\"1.0.0\",\"pairs\":[{}]}}", pair(&mut Draw(seed)))
}

/// Thirty pairs, the most one request may ask for.
pub(crate) fn pairs_frame(seed: u64) -> String {
    let mut draw = Draw(seed ^ 0xA5A5);
    let pairs: Vec<String> = (0..30).map(|_| pair(&mut draw)).collect();
    format!("[{}]", pairs.join(","))
}

/// Open, high, low, close with as many digits as the source sends.
fn ohlc(draw: &mut Draw) -> [f64; 4] {
    let open = 20.0 + draw.uniform() * 150.0;
    let close = open * (0.99 + draw.uniform() * 0.02);
    let high = open.max(close) * (1.0 + draw.uniform() * 0.005);
    let low = open.min(close) * (1.0 - draw.uniform() * 0.005);
    [open, high, low, close]
}

/// A forming bar of the socket.
pub(crate) fn price_frame(seed: u64) -> String {
    let mut draw = Draw(seed ^ 0x11);
    let [open, high, low, close] = ohlc(&mut draw);
    let unix_time = 1_675_506_000 + 60 * draw.below(1_000_000);
    format!(
        "{{\"type\":\"PRICE_DATA\",\"data\":{{\"o\":{open},\"h\":{high},\"l\":{low},\"c\":{close},\
         \"eventType\":\"ohlcv\",\"type\":\"1m\",\"unixTime\":{unix_time},\"v\":{},\
         \"symbol\":\"SOL\",\"address\":\"{SOL}\"}}}}",
        draw.uniform() * 900.0
    )
}

/// Ten bars of the past.
pub(crate) fn ohlcv_frame(seed: u64) -> String {
    let mut draw = Draw(seed ^ 0x22);
    let start = 1_691_998_200 + 900 * draw.below(60_000);
    let items: Vec<String> = (0..10)
        .map(|bar| {
            let [open, high, low, close] = ohlc(&mut draw);
            format!(
                "{{\"c\":{close},\"h\":{high},\"l\":{low},\"o\":{open},\"type\":\"15m\",\
                 \"unixTime\":{},\"address\":\"{SOL}\",\"v\":{}}}",
                start + 900 * bar,
                draw.uniform() * 9000.0
            )
        })
        .collect();
    format!("{{\"data\":{{\"items\":[{}]}},\"success\":true}}", items.join(","))
}

/// A swap of the socket.
pub(crate) fn swap_frame(seed: u64) -> String {
    let mut draw = Draw(seed ^ 0x33);
    let (given, got) = (draw.address(), draw.address());
    let (raw, price) = (draw.below(900_000_000_000), 0.001 + draw.uniform() * 20.0);
    let buy = draw.below(2) == 0;
    let leg = |address: &str, kind: &str, draw: &mut Draw, fee: &str| {
        let amount = draw.uniform() * 900.0;
        let sign = if kind == "from" { "-" } else { "" };
        format!(
            "{{\"address\":\"{address}\",\"amount\":{raw},\"changeAmount\":{sign}{raw},\
             \"decimals\":6,{fee}\"nearestPrice\":{},\"price\":{},\"symbol\":\"{}\",\
             \"type\":\"transfer\",\"typeSwap\":\"{kind}\",\"uiAmount\":{amount},\
             \"uiChangeAmount\":{sign}{amount}}}",
            price * 1.001,
            if draw.below(3) == 0 { "null".to_owned() } else { format!("{price}") },
            draw.text(BASE58, 4),
        )
    };
    let from = leg(&given, "from", &mut draw, "");
    let to = leg(&got, "to", &mut draw, "\"feeInfo\":null,");
    format!(
        "{{\"type\":\"TXS_DATA\",\"data\":{{\"blockUnixTime\":{},\"owner\":\"{}\",\
         \"source\":\"raydium\",\"txHash\":\"{}\",\"side\":\"{}\",\"tokenAddress\":\"{}\",\
         \"alias\":null,\"isTradeOnBe\":false,\"platform\":\"{}\",\"pricePair\":{},\
         \"volumeUSD\":{},\"from\":{from},\"to\":{to},\"poolId\":\"{}\",\"network\":\"solana\",\
         \"insIndex\":{},\"blockNumber\":{},\"innerInsIndex\":{}}}}}",
        1_747_307_828 + draw.below(9_000_000),
        draw.address(),
        draw.text(BASE58, 88),
        if buy { "buy" } else { "sell" },
        if buy { &got } else { &given },
        draw.address(),
        draw.uniform(),
        draw.uniform() * 500.0,
        draw.address(),
        draw.below(9),
        367_122_833 + draw.below(9_000_000),
        draw.below(9),
    )
}

/// A notification of a pool's vault.
pub(crate) fn vault_frame(seed: u64) -> String {
    let mut draw = Draw(seed ^ 0x44);
    // 108 bytes are 144 characters; then the state (1) and 56 bytes of the rest.
    let data = draw.text(BASE64, 144) + "AQAA" + &"A".repeat(72);
    format!(
        "{{\"jsonrpc\":\"2.0\",\"method\":\"accountNotification\",\"params\":{{\"result\":\
         {{\"context\":{{\"slot\":{}}},\"value\":{{\"lamports\":{},\"data\":[\"{data}\",\
         \"base64\"],\"owner\":\"TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA\",\
         \"executable\":false,\"rentEpoch\":18446744073709551615,\"space\":165}}}},\
         \"subscription\":{}}}}}",
        320_000_000 + draw.below(99_000_000),
        2_039_280 + draw.below(9_000_000_000),
        draw.below(9_000_000),
    )
}
