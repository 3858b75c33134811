//! The typed fallback for Solana JSON-RPC messages.

use serde::Deserialize;
use sonic_rs::LazyValue;

use super::{RawUpdate, encoded, push};
use crate::DecodeError;
use crate::item::{Control, Item};
use crate::typed::{self, RawText};

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    method: Option<RawText<'a>>,
    #[serde(borrow)]
    params: Option<LazyValue<'a>>,
    #[serde(borrow)]
    result: Option<LazyValue<'a>>,
    #[serde(borrow)]
    error: Option<LazyValue<'a>>,
    #[serde(borrow)]
    id: Option<LazyValue<'a>>,
}

#[derive(Deserialize)]
struct AccountParams<'a> {
    subscription: Option<u64>,
    #[serde(borrow)]
    result: Option<AccountResult<'a>>,
}

#[derive(Deserialize)]
struct AccountResult<'a> {
    context: Option<SlotContext>,
    #[serde(borrow)]
    value: Option<Account<'a>>,
}

#[derive(Deserialize)]
struct SlotContext {
    slot: Option<u64>,
}

#[derive(Deserialize)]
struct Account<'a> {
    #[serde(borrow)]
    owner: Option<RawText<'a>>,
    #[serde(borrow)]
    data: Option<LazyValue<'a>>,
}

#[derive(Deserialize)]
struct SlotParams {
    result: SlotResult,
}

#[derive(Deserialize)]
struct SlotResult {
    slot: u64,
    parent: u64,
    root: u64,
}

/// Appends the items of a frame.
pub(super) fn decode<'a>(frame: &'a str, out: &mut Vec<Item<'a>>) -> Result<(), DecodeError> {
    let envelope: Envelope<'a> = typed::frame(frame)?;
    if envelope.error.is_some() {
        return Err(DecodeError::RejectedBySource);
    }
    let Some(method) = typed::text(envelope.method) else {
        let request = envelope.id.as_ref().and_then(integer);
        let result = envelope.result.ok_or(DecodeError::Shape)?;
        out.push(Item::Control(confirmation(&result, request)?));
        return Ok(());
    };
    let params = typed::raw(envelope.params.as_ref().ok_or(DecodeError::Shape)?)?;
    match method.as_bytes() {
        b"accountNotification" => push(account(params).and_then(encoded), out),
        b"slotNotification" => {
            let SlotResult { slot, parent, root } = typed::part::<SlotParams>(params)?.result;
            out.push(Item::Control(Control::Slot { slot, parent, root }));
        }
        _ => return Err(DecodeError::Unsupported),
    }
    Ok(())
}

/// Reads an account notification alone.
pub(super) fn raw_update(frame: &str) -> Result<RawUpdate<'_>, DecodeError> {
    let envelope: Envelope<'_> = typed::frame(frame)?;
    let method = typed::text(envelope.method).ok_or(DecodeError::Unsupported)?;
    if method.as_bytes() != b"accountNotification" {
        return Err(DecodeError::Unsupported);
    }
    account(typed::raw(envelope.params.as_ref().ok_or(DecodeError::Shape)?)?)
}

/// Reads the answer to a subscription: its number, or `true` for the end of one.
fn confirmation(result: &LazyValue<'_>, request: Option<u64>) -> Result<Control, DecodeError> {
    match result.as_raw_str() {
        "true" => Ok(Control::Unsubscribed { request }),
        _ => match integer(result) {
            None => Err(DecodeError::Unsupported),
            subscription => Ok(Control::Subscribed { request, subscription }),
        },
    }
}

fn integer(value: &LazyValue<'_>) -> Option<u64> {
    value.as_raw_str().parse().ok()
}

fn account(params: &str) -> Result<RawUpdate<'_>, DecodeError> {
    let params: AccountParams<'_> = typed::part(params)?;
    let result = params.result.ok_or(DecodeError::Shape)?;
    let account = result.value.ok_or(DecodeError::Shape)?;
    let data = account.data.ok_or(DecodeError::Shape)?;
    // A bare string is the oldest form, base58; an object is `jsonParsed`.
    if !data.as_raw_str().starts_with('[') {
        return Err(DecodeError::UnsupportedEncoding);
    }
    let (data, encoding): (RawText<'_>, RawText<'_>) = typed::part(typed::raw(&data)?)?;
    Ok(RawUpdate {
        subscription: params.subscription,
        slot: result.context.and_then(|context| context.slot),
        owner: typed::text(account.owner),
        data: Some(data.0),
        encoding: Some(encoding.0),
    })
}
