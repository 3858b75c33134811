//! Solana JSON-RPC WebSocket messages (Helius or any other RPC): account and slot notifications.
//!
//! Source of the shapes: solana-rpc-client-types, `Response<UiAccount>` and `SlotInfo`.

mod fast;
mod typed;

use crate::account::{self, AccountData};
use crate::check::text;
use crate::frame::{FRAME_BYTES_MAX, Frame, Scan};
use crate::item::{Item, Rejected};
use crate::{DecodeError, Text};

/// The only encoding that is read; `base58` ends at 128 bytes and is slow, `base64+zstd` needs a
/// decompressor, `jsonParsed` loses the layout.
const ENCODING: &[u8] = b"base64";

/// New contents of a subscribed account.
#[derive(Clone, Debug, PartialEq)]
pub struct AccountUpdate<'a> {
    /// Subscription id.
    pub subscription: u64,
    /// Slot the contents belong to.
    pub slot: u64,
    /// What the bytes mean.
    pub data: AccountData<'a>,
}

/// New contents of a subscribed account, as bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct AccountContents<'a> {
    /// Subscription id.
    pub subscription: u64,
    /// Slot the contents belong to.
    pub slot: u64,
    /// The program that owns the account, base58 (not checked).
    pub owner: Text<'a>,
    /// Length of the contents, which are the first bytes of the buffer.
    pub len: usize,
}

/// Reads an account notification, its contents into `buffer`, without asking what they mean.
///
/// Only the first `wanted(subscription)` bytes of them are decoded: the others are checked to be
/// base64, and come as zeros.
///
/// # Errors
///
/// Returns [`DecodeError::Unsupported`] for any other message, [`DecodeError::TooLarge`] for
/// contents longer than `buffer`, else why it was refused.
#[inline]
pub fn account_contents<'a>(
    payload: &'a [u8],
    buffer: &mut [u8],
    mut wanted: impl FnMut(u64) -> usize,
) -> Result<AccountContents<'a>, DecodeError> {
    // The forward scan looks at all of a frame but its contents, and base64 at those: a survey
    // beforehand would tell nothing more of a frame that both take.
    if payload.len() <= FRAME_BYTES_MAX
        && let Some(update) = fast::decode(payload)
        && let Ok(contents) = contents(update, buffer, &mut wanted)
    {
        return Ok(contents);
    }
    unexpected(payload, buffer, &mut wanted)
}

/// Reads an account notification that the forward scan gave up on, or finds out why it is none.
#[cold]
fn unexpected<'a>(
    payload: &'a [u8],
    buffer: &mut [u8],
    wanted: &mut impl FnMut(u64) -> usize,
) -> Result<AccountContents<'a>, DecodeError> {
    let frame = Frame::new(Scan::Typed, payload)?;
    contents(encoded(typed::raw_update(frame.text()?)?)?, buffer, wanted)
}

#[inline(always)]
#[expect(clippy::inline_always, reason = "what it takes would go through memory")]
fn contents<'a>(
    update: AccountBytes<'a>,
    buffer: &mut [u8],
    wanted: &mut impl FnMut(u64) -> usize,
) -> Result<AccountContents<'a>, DecodeError> {
    let AccountBytes { subscription, slot, owner, base64 } = update;
    let len = account::contents(base64.as_bytes(), wanted(subscription), buffer)?;
    Ok(AccountContents { subscription, slot, owner, len })
}

/// A notification before its contents are decoded.
#[derive(Debug)]
struct AccountBytes<'a> {
    subscription: u64,
    slot: u64,
    owner: Text<'a>,
    base64: Text<'a>,
}

/// A notification as the typed fallback reads it: anything may be absent.
#[derive(Debug, Default)]
struct RawUpdate<'a> {
    subscription: Option<u64>,
    slot: Option<u64>,
    owner: Option<Text<'a>>,
    data: Option<Text<'a>>,
    encoding: Option<Text<'a>>,
}

/// Appends the items of a frame.
pub(crate) fn decode<'a>(frame: Frame<'a>, out: &mut Vec<Item<'a>>) -> Result<(), DecodeError> {
    if let Some(update) = frame.plain().and_then(fast::decode) {
        push(Ok(update), out);
        return Ok(());
    }
    typed::decode(frame.text()?, out)
}

/// Appends an update, or its refusal.
#[inline]
fn push<'a>(update: Result<AccountBytes<'a>, DecodeError>, out: &mut Vec<Item<'a>>) {
    match update.and_then(finish) {
        Ok(update) => out.push(Item::Account(update)),
        Err(reason) => out.push(Item::Rejected(Rejected { index: 0, reason })),
    }
}

#[inline]
fn finish(update: AccountBytes<'_>) -> Result<AccountUpdate<'_>, DecodeError> {
    let AccountBytes { subscription, slot, owner, base64 } = update;
    let data = account::decode_account(owner, base64.as_bytes())?;
    Ok(AccountUpdate { subscription, slot, data })
}

fn encoded(raw: RawUpdate<'_>) -> Result<AccountBytes<'_>, DecodeError> {
    let subscription = raw.subscription.ok_or(DecodeError::Shape)?;
    let slot = raw.slot.ok_or(DecodeError::Shape)?;
    let owner = text(raw.owner)?;
    if raw.encoding.as_ref().map(Text::as_bytes) != Some(ENCODING) {
        return Err(DecodeError::UnsupportedEncoding);
    }
    let base64 = raw.data.ok_or(DecodeError::Shape)?;
    Ok(AccountBytes { subscription, slot, owner, base64 })
}

#[cfg(test)]
mod tests {
    use super::fast;
    use crate::frames::SYSTEM_ACCOUNT;

    #[test]
    fn known_frames_take_the_forward_scan() {
        let update = fast::decode(SYSTEM_ACCOUNT.as_bytes()).unwrap();
        assert_eq!((update.slot, update.subscription), (5_199_307, 23_784));
    }
}
