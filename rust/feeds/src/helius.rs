//! Solana JSON-RPC WebSocket messages (Helius or any other RPC): account and slot notifications.
//!
//! Source of the shapes: solana-rpc-client-types, `Response<UiAccount>` and `SlotInfo`.

mod fast;
mod typed;

use crate::account::{self, AccountData};
use crate::check::text;
use crate::frame::Frame;
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

/// A notification as read, before its data is decoded.
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
    if let Some(raw) = frame.plain().and_then(fast::decode) {
        push(raw, out);
        return Ok(());
    }
    typed::decode(frame.text()?, out)
}

/// Appends an update, or its refusal.
#[inline]
fn push<'a>(raw: RawUpdate<'a>, out: &mut Vec<Item<'a>>) {
    match finish(raw) {
        Ok(update) => out.push(Item::Account(update)),
        Err(reason) => out.push(Item::Rejected(Rejected { index: 0, reason })),
    }
}

#[inline]
fn finish(raw: RawUpdate<'_>) -> Result<AccountUpdate<'_>, DecodeError> {
    let subscription = raw.subscription.ok_or(DecodeError::Shape)?;
    let slot = raw.slot.ok_or(DecodeError::Shape)?;
    let owner = text(raw.owner)?;
    if raw.encoding.as_ref().map(Text::as_bytes) != Some(ENCODING) {
        return Err(DecodeError::UnsupportedEncoding);
    }
    let data = raw.data.ok_or(DecodeError::Shape)?;
    let data = account::decode_account(owner, data.as_bytes())?;
    Ok(AccountUpdate { subscription, slot, data })
}

#[cfg(test)]
mod tests {
    use super::fast;
    use crate::frames::SYSTEM_ACCOUNT;

    #[test]
    fn known_frames_take_the_forward_scan() {
        let raw = fast::decode(SYSTEM_ACCOUNT.as_bytes()).unwrap();
        assert_eq!((raw.slot, raw.subscription), (Some(5_199_307), Some(23_784)));
    }
}
