//! The typed fallback for Birdeye messages: which kind is it?

use serde::Deserialize;
use sonic_rs::LazyValue;

use super::{ohlcv, push, quote, trade};
use crate::item::{Control, Item};
use crate::typed::{self, RawText};
use crate::{DecodeError, Text};

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<RawText<'a>>,
    #[serde(borrow)]
    data: Option<LazyValue<'a>>,
    success: Option<bool>,
}

#[derive(Deserialize)]
struct List<'a> {
    #[serde(borrow)]
    items: Option<Vec<LazyValue<'a>>>,
}

/// Keys that tell a bar from a swap.
#[derive(Deserialize)]
struct Probe<'a> {
    #[serde(borrow, rename = "txHash")]
    tx_hash: Option<LazyValue<'a>>,
}

/// Appends the items of a frame.
pub(super) fn decode<'a>(frame: &'a str, out: &mut Vec<Item<'a>>) -> Result<(), DecodeError> {
    let envelope: Envelope<'a> = typed::frame(frame)?;
    match typed::text(envelope.kind).as_ref().map(Text::as_bytes) {
        None => answer(envelope.success, envelope.data.as_ref(), out),
        Some(b"PRICE_DATA") => {
            let data = typed::raw(envelope.data.as_ref().ok_or(DecodeError::Shape)?)?;
            push(ohlcv::forming(data), Item::Price, out);
            Ok(())
        }
        Some(b"TXS_DATA") => swaps(envelope.data.as_ref(), out),
        Some(b"WELCOME" | b"PONG" | b"pong") => {
            out.push(Item::Control(Control::Alive));
            Ok(())
        }
        Some(b"SUBSCRIBED" | b"ACK") => {
            let control = Control::Subscribed { request: None, subscription: None };
            out.push(Item::Control(control));
            Ok(())
        }
        Some(b"ERROR") => Err(DecodeError::RejectedBySource),
        Some(_) => Err(DecodeError::Unsupported),
    }
}

/// Reads the swaps of a socket message: one, or a list.
fn swaps<'a>(data: Option<&LazyValue<'a>>, out: &mut Vec<Item<'a>>) -> Result<(), DecodeError> {
    let data = typed::raw(data.ok_or(DecodeError::Shape)?)?;
    if data.starts_with('[') {
        let swaps: Vec<LazyValue<'a>> = typed::part(data)?;
        for swap in &swaps {
            push(typed::raw(swap).and_then(trade::typed), Item::Trade, out);
        }
    } else {
        push(trade::typed(data), Item::Trade, out);
    }
    Ok(())
}

/// Reads a REST answer.
fn answer<'a>(
    success: Option<bool>,
    data: Option<&LazyValue<'a>>,
    out: &mut Vec<Item<'a>>,
) -> Result<(), DecodeError> {
    match success {
        Some(true) => {}
        Some(false) => return Err(DecodeError::RejectedBySource),
        None => return Err(DecodeError::Shape),
    }
    let data = typed::raw(data.ok_or(DecodeError::Shape)?)?;
    let Some(items) = typed::part::<List<'a>>(data)?.items else {
        return quote::typed(data, out);
    };
    for item in &items {
        push(typed::raw(item).and_then(list_item), |item| item, out);
    }
    Ok(())
}

fn list_item(item: &str) -> Result<Item<'_>, DecodeError> {
    let probe: Probe<'_> = typed::part(item)?;
    if probe.tx_hash.is_some() {
        trade::typed(item).map(Item::Trade)
    } else {
        ohlcv::history(item).map(Item::Bar)
    }
}
