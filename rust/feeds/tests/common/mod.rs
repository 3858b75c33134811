//! Frames in the sources' own shapes, typed anew, and the readers the tests share.

#![allow(dead_code, reason = "each test file uses its own part")]

use utb_feeds::{DecodeError, Item, Scan, Scratch, decode_with};
use utb_types::Source;

pub const SOL: &str = "So11111111111111111111111111111111111111112";
pub const USDC: &str = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v";
pub const TOKEN_PROGRAM: &str = "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA";

pub const PAIR: &str = r#"{"chainId":"solana","dexId":"raydium","url":"https://dexscreener.com/solana/58oqchx4","pairAddress":"58oQChx4yWmvKdwLLZzBi4ChoCc2fqCUWBkwMihLYQo2","labels":["CPMM"],"baseToken":{"address":"So11111111111111111111111111111111111111112","name":"Wrapped SOL","symbol":"SOL"},"quoteToken":{"address":"EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v","name":"USD Coin","symbol":"USDC"},"priceNative":"140.5021","priceUsd":"140.50","txns":{"m5":{"buys":1,"sells":13},"h1":{"buys":3,"sells":174},"h6":{"buys":147,"sells":1006},"h24":{"buys":680,"sells":3534}},"volume":{"h24":565343.15,"h6":118622.87,"h1":4244.69,"m5":5.99},"priceChange":{"m5":-0.28,"h1":-1.25,"h6":-2.71,"h24":3.97},"liquidity":{"usd":1017969.4,"base":3623.5,"quote":508984.7},"fdv":1192919481,"marketCap":600319879,"pairCreatedAt":1696424985000,"info":{"imageUrl":"https://dd.dexscreener.com/x.png","websites":[{"label":"Website","url":"https://example.org"}],"socials":[]},"boosts":{"active":10}}"#;

pub const PRICE: &str = r#"{"type":"PRICE_DATA","data":{"o":24.58,"h":24.6,"l":24.417357853450138,"c":24.5,"eventType":"ohlcv","type":"1m","unixTime":1675506000,"v":32.928421816,"symbol":"SOL","address":"So11111111111111111111111111111111111111112"}}"#;

pub const SWAP: &str = r#"{"type":"TXS_DATA","data":{"blockUnixTime":1747307828,"owner":"Dc9jiLSNN8qwEciwd55HmZhroswZ4XvcvKeRXHWCnwbP","source":"zerofi","txHash":"3L4BWQxgpF7SyH13bbEH53ZXYFNdRcK5dtMXreeGviaWFKes3fod5cQWsQ3oRHXcdUaemoiEXLaUit1Syw5FdCP1","side":"sell","tokenAddress":"JUPyiwrYJFskUPiHa7hkeR8VUtAeFoSYbKedZNsDvCN","alias":null,"isTradeOnBe":false,"platform":"Jupiter","pricePair":0.49898781541961984,"volumeUSD":86.16813238056157,"from":{"address":"JUPyiwrYJFskUPiHa7hkeR8VUtAeFoSYbKedZNsDvCN","amount":172686000,"changeAmount":-172686000,"decimals":6,"nearestPrice":0.49898,"price":0.4989,"symbol":"JUP","type":"transfer","typeSwap":"from","uiAmount":172.686,"uiChangeAmount":-172.686},"to":{"address":"EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v","amount":86168132,"changeAmount":86168132,"decimals":6,"feeInfo":null,"nearestPrice":0.99982191,"price":null,"symbol":"USDC","type":"transfer","typeSwap":"to","uiAmount":86.168132,"uiChangeAmount":86.168132},"poolId":"3AbG3ZA19fJKjTSTMTCz7j2bodPagXog4PwTBi8H7UA4","network":"solana","insIndex":2,"blockNumber":367122833,"innerInsIndex":4}}"#;

pub const REST_SWAPS: &str = r#"{"data":{"items":[{"volume":693.451220278,"volumeUSD":91.73901936597908,"txHash":"5gh9WtNvTJGfkGXzydDvF6wBv7B1dwSQAM861Q56diCJLgF9WjNWSnS6fkXhzvkjbQq1EH6dY68BAPbFu5g1ho9a","slot":269273237,"source":"Raydium","blockUnixTime":1717261541,"blockHumanTime":"2024-06-01T17:05:41","txType":"swap","address":"APFrriisgHUncd7CZwjJeLKyzFQ4Fbiphdkr1e9YPnEN","owner":"BvcNQk9BGeQ1xSJ92KBKJ7DM3pVttgJhUUJVftvzLjPs","txStatus":"success","outliers":false,"insIndex":0,"innerInsIndex":null,"side":"buy","from":{"symbol":"BKRD","decimals":9,"address":"BKRD9m2WgLNdCriVTNXdoWHcTvV94fp3SeFKsWdc31vS","amount":693451220278,"uiAmount":693.451220278,"price":0.1323,"nearestPrice":0.1329},"to":{"symbol":"SOL","decimals":9,"address":"So11111111111111111111111111111111111111112","amount":549182958,"typeSwap":"to","uiAmount":0.549182958,"price":null,"nearestPrice":167.0463695743069},"tokenPrice":167.0463695743069,"network":"solana"}],"hasNext":true},"success":true}"#;

pub const BARS: &str = r#"{"data":{"items":[{"c":24.417357853450138,"h":24.488782676900453,"l":24.364198141989977,"o":24.48333382191086,"type":"15m","unixTime":1691998200,"address":"So11111111111111111111111111111111111111112","v":3409.157415062003},{"c":24.5,"h":24.5,"l":24.4,"o":24.42,"type":"15m","unixTime":1691999100,"address":"So11111111111111111111111111111111111111112","v":0}]},"success":true}"#;

pub const QUOTE: &str = r#"{"data":{"value":131.036210332874,"liquidity":null,"updateHumanTime":"2025-03-23T18:07:22","updateUnixTime":1742753242},"success":true}"#;

pub const SLOT: &str = r#"{"jsonrpc":"2.0","method":"slotNotification","params":{"result":{"parent":75,"root":44,"slot":76},"subscription":0}}"#;

/// A wrapper around pairs, as `/latest/dex` answers.
pub fn pairs(pairs: &[&str]) -> String {
    format!(r#"{{"schemaVersion":"1.0.0","pairs":[{}]}}"#, pairs.join(","))
}

/// The bytes of a token account: mint of ones, owner of twos.
pub fn vault_bytes(amount_raw: u64, state: u8) -> Vec<u8> {
    let mut bytes = vec![0; 165];
    bytes[..32].fill(1);
    bytes[32..64].fill(2);
    bytes[64..72].copy_from_slice(&amount_raw.to_le_bytes());
    bytes[108] = state;
    bytes
}

/// An `accountNotification` around base64 data.
pub fn notification(owner: &str, data: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","method":"accountNotification","params":{{"result":{{"context":{{"slot":5199307}},"value":{{"lamports":2039280,"data":["{data}","base64"],"owner":"{owner}","executable":false,"rentEpoch":18446744073709551615,"space":165}}}},"subscription":23784}}}}"#
    )
}

/// A notification of a vault with that balance.
pub fn vault(amount_raw: u64) -> String {
    let data = base64_simd::STANDARD.encode_to_string(vault_bytes(amount_raw, 1));
    notification(TOKEN_PROGRAM, &data)
}

/// What a frame gives: `Debug` text of its items, so that lifetimes end here.
pub fn read(scan: Scan, source: Source, frame: &[u8]) -> Result<Vec<String>, DecodeError> {
    let mut items = Vec::new();
    let mut scratch = Scratch::default();
    decode_with(scan, source, frame, &mut scratch, |item| items.push(format!("{item:?}")))?;
    Ok(items)
}

/// Reads a frame both ways, checks that they agree, and hands its items on.
pub fn both<'a>(source: Source, frame: &'a [u8]) -> Result<Vec<Item<'a>>, DecodeError> {
    assert_eq!(
        read(Scan::Fast, source, frame),
        read(Scan::Typed, source, frame),
        "{}",
        String::from_utf8_lossy(frame)
    );
    let mut items = Vec::new();
    let mut scratch = Scratch::default();
    decode_with(Scan::Fast, source, frame, &mut scratch, |item| items.push(item.clone()))?;
    Ok(items)
}

/// Every kind of frame with its source.
pub fn samples() -> Vec<(Source, String)> {
    vec![
        (Source::DexScreener, pairs(&[PAIR, PAIR])),
        (Source::DexScreener, format!("[{PAIR}]")),
        (Source::Birdeye, PRICE.to_owned()),
        (Source::Birdeye, SWAP.to_owned()),
        (Source::Birdeye, REST_SWAPS.to_owned()),
        (Source::Birdeye, BARS.to_owned()),
        (Source::Birdeye, QUOTE.to_owned()),
        (Source::Helius, vault(1_234_567_890_123)),
        (Source::Helius, SLOT.to_owned()),
    ]
}
