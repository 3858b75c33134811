//! Birdeye swaps: `TXS_DATA` of the socket and the items of `/defi/txs/*`.
//!
//! A swap has two legs. The token it is about is the one named by `tokenAddress`; REST answers
//! leave that out, there it is what was received in a buy and given in a sell.

use serde::Deserialize;
use utb_types::Side;

use crate::DecodeError;
use crate::Text;
use crate::check::{non_negative, positive, text, unix_seconds};
use crate::item::Trade;
use crate::typed::{self, Number, RawText};

/// Status of a transaction that moved something.
const SUCCESS: &[u8] = b"success";

/// A swap as read, before its values are checked.
#[derive(Debug, Default)]
pub(super) struct RawTrade<'a> {
    pub(super) token: Option<Text<'a>>,
    pub(super) tx_hash: Option<Text<'a>>,
    pub(super) unix_time: Option<u64>,
    pub(super) side: Option<Text<'a>>,
    pub(super) status: Option<Text<'a>>,
    pub(super) volume_usd: Option<f64>,
    pub(super) owner: Option<Text<'a>>,
    pub(super) slot: Option<u64>,
    pub(super) instruction_index: Option<u32>,
    pub(super) inner_index: Option<u32>,
    pub(super) from: Option<RawLeg<'a>>,
    pub(super) to: Option<RawLeg<'a>>,
}

/// One leg as read.
#[derive(Debug, Default)]
pub(super) struct RawLeg<'a> {
    pub(super) address: Option<Text<'a>>,
    pub(super) amount: Option<f64>,
    pub(super) price: Option<f64>,
    pub(super) nearest_price: Option<f64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TypedTrade<'a> {
    #[serde(borrow)]
    token_address: Option<RawText<'a>>,
    #[serde(borrow)]
    tx_hash: Option<RawText<'a>>,
    block_unix_time: Option<u64>,
    #[serde(borrow)]
    side: Option<RawText<'a>>,
    #[serde(borrow)]
    tx_status: Option<RawText<'a>>,
    #[serde(default, rename = "volumeUSD")]
    volume_usd: Number,
    #[serde(borrow)]
    owner: Option<RawText<'a>>,
    /// REST's name; the socket writes `blockNumber`.
    #[serde(alias = "blockNumber")]
    slot: Option<u64>,
    ins_index: Option<u32>,
    inner_ins_index: Option<u32>,
    #[serde(borrow)]
    from: Option<TypedLeg<'a>>,
    #[serde(borrow)]
    to: Option<TypedLeg<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TypedLeg<'a> {
    #[serde(borrow)]
    address: Option<RawText<'a>>,
    #[serde(default)]
    ui_amount: Number,
    #[serde(default)]
    price: Number,
    #[serde(default)]
    nearest_price: Number,
}

impl<'a> From<TypedLeg<'a>> for RawLeg<'a> {
    fn from(leg: TypedLeg<'a>) -> Self {
        Self {
            address: typed::text(leg.address),
            amount: leg.ui_amount.0,
            price: leg.price.0,
            nearest_price: leg.nearest_price.0,
        }
    }
}

/// Reads a swap in any order.
pub(super) fn typed(swap: &str) -> Result<Trade<'_>, DecodeError> {
    let swap: TypedTrade<'_> = typed::part(swap)?;
    finish(&mut RawTrade {
        token: typed::text(swap.token_address),
        tx_hash: typed::text(swap.tx_hash),
        unix_time: swap.block_unix_time,
        side: typed::text(swap.side),
        status: typed::text(swap.tx_status),
        volume_usd: swap.volume_usd.0,
        owner: typed::text(swap.owner),
        slot: swap.slot,
        instruction_index: swap.ins_index,
        inner_index: swap.inner_ins_index,
        from: swap.from.map(RawLeg::from),
        to: swap.to.map(RawLeg::from),
    })
}

/// Checks the values of a swap, and takes its texts.
#[inline]
pub(super) fn finish<'a>(raw: &mut RawTrade<'a>) -> Result<Trade<'a>, DecodeError> {
    if raw.status.as_ref().is_some_and(|status| status.as_bytes() != SUCCESS) {
        return Err(DecodeError::FailedTransaction);
    }
    let (side, leg) = match raw.side.as_ref().map(Text::as_bytes) {
        Some(b"buy") => (Side::Buy, &mut raw.to),
        Some(b"sell") => (Side::Sell, &mut raw.from),
        // A pair subscription may say "swap": of which token is not said.
        Some(_) => return Err(DecodeError::Unsupported),
        None => return Err(DecodeError::Shape),
    };
    let leg = leg.as_mut().ok_or(DecodeError::Shape)?;
    let token = text(leg.address.take())?;
    if raw.token.as_ref().is_some_and(|named| *named != token) {
        return Err(DecodeError::Shape);
    }
    Ok(Trade {
        token,
        tx_hash: text(raw.tx_hash.take())?,
        block_ns: unix_seconds(raw.unix_time)?,
        side,
        price: positive(leg.price.or(leg.nearest_price))?,
        base_amount: positive(leg.amount)?,
        volume_usd: non_negative(raw.volume_usd)?,
        owner: text(raw.owner.take())?,
        slot: raw.slot,
        instruction_index: raw.instruction_index,
        inner_index: raw.inner_index,
    })
}
