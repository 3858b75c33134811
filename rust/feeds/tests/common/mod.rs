//! Frames in the sources' own shapes, typed anew, and the readers the tests share.

#![allow(dead_code, reason = "each test file uses its own part")]

mod frames;

pub(crate) use frames::*;
use utb_feeds::{DecodeError, Item, Scan, Scratch, decode_with};
use utb_types::Source;

/// A wrapper around pairs, as `/latest/dex` answers.
pub(crate) fn pairs(pairs: &[&str]) -> String {
    format!(r#"{{"schemaVersion":"1.0.0","pairs":[{}]}}"#, pairs.join(","))
}

/// The bytes of a token account: mint of ones, owner of twos.
pub(crate) fn vault_bytes(amount_raw: u64, state: u8) -> Vec<u8> {
    let mut bytes = vec![0; 165];
    bytes[..32].fill(1);
    bytes[32..64].fill(2);
    bytes[64..72].copy_from_slice(&amount_raw.to_le_bytes());
    bytes[108] = state;
    bytes
}

/// An `accountNotification` around base64 data.
pub(crate) fn notification(owner: &str, data: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","method":"accountNotification","params":{{"result":{{"context":{{"slot":5199307}},"value":{{"lamports":2039280,"data":["{data}","base64"],"owner":"{owner}","executable":false,"rentEpoch":18446744073709551615,"space":165}}}},"subscription":23784}}}}"#
    )
}

/// A notification of a vault with that balance.
pub(crate) fn vault(amount_raw: u64) -> String {
    let data = base64_simd::STANDARD.encode_to_string(vault_bytes(amount_raw, 1));
    notification(TOKEN_PROGRAM, &data)
}

/// What a frame gives: `Debug` text of its items, so that lifetimes end here.
pub(crate) fn read(scan: Scan, source: Source, frame: &[u8]) -> Result<Vec<String>, DecodeError> {
    let mut items = Vec::new();
    let mut scratch = Scratch::default();
    decode_with(scan, source, frame, &mut scratch, |item| items.push(format!("{item:?}")))?;
    Ok(items)
}

/// Reads a frame both ways, checks that they agree, and hands its items on.
pub(crate) fn both(source: Source, frame: &[u8]) -> Result<Vec<Item<'_>>, DecodeError> {
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
pub(crate) fn samples() -> Vec<(Source, String)> {
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
