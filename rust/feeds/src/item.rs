//! What a frame holds, checked: the typed items every decoder hands on.

use utb_types::{Side, Timeframe, Value};

use crate::{AccountUpdate, DecodeError, Text};

/// One item of a frame.
#[derive(Clone, Debug, PartialEq)]
pub enum Item<'a> {
    /// `DexScreener`: the state of a pair.
    Pair(Pair<'a>),
    /// Birdeye WebSocket: a bar that is still forming.
    Price(PriceBar<'a>),
    /// Birdeye REST: a bar of the past.
    Bar(HistoryBar<'a>),
    /// Birdeye REST: a spot price.
    Quote(SpotQuote<'a>),
    /// Birdeye: a swap.
    Trade(Trade<'a>),
    /// Solana RPC: new contents of a subscribed account.
    Account(AccountUpdate<'a>),
    /// A message about the connection, without market data.
    Control(Control),
    /// An item of the frame that was refused; its neighbours are not affected.
    Rejected(Rejected),
}

/// One refused item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// Position of the item in the frame, from 0.
    pub index: usize,
    /// Why.
    pub reason: DecodeError,
}

/// A message about the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Control {
    /// The source greets, or answers a ping.
    Alive,
    /// A subscription was accepted.
    Subscribed {
        /// Request id, where the source repeats it.
        request: Option<u64>,
        /// Subscription id, where the source gives one.
        subscription: Option<u64>,
    },
    /// A subscription was ended on request.
    Unsubscribed {
        /// Request id.
        request: Option<u64>,
    },
    /// A new slot (`slotNotification`).
    Slot {
        /// The slot.
        slot: u64,
        /// Its parent.
        parent: u64,
        /// The newest rooted slot.
        root: u64,
    },
}

/// State of one `DexScreener` pair: indicative, seconds old, never an execution price.
#[derive(Clone, Debug, PartialEq)]
pub struct Pair<'a> {
    /// Chain (`solana`, `ethereum`, ...).
    pub chain_id: Text<'a>,
    /// Address of the pool.
    pub pair_address: Text<'a>,
    /// Base token.
    pub base_mint: Text<'a>,
    /// Quote token.
    pub quote_mint: Text<'a>,
    /// Price of the base token in USD, > 0.
    pub price_usd: Value,
    /// Price of the base token in quote tokens, > 0; always present.
    pub price_native: Value,
    /// Liquidity in USD, >= 0.
    pub liquidity_usd: Value,
    /// Base tokens in the pool, >= 0.
    pub liquidity_base: Value,
    /// Quote tokens in the pool, >= 0.
    pub liquidity_quote: Value,
    /// Volume of the last five minutes in USD (a rolling value), >= 0.
    pub volume_m5_usd: Value,
    /// Buys in the last five minutes.
    pub buys_m5: Option<u32>,
    /// Sells in the last five minutes.
    pub sells_m5: Option<u32>,
}

/// A bar that is still forming (Birdeye `PRICE_DATA`).
#[derive(Clone, Debug, PartialEq)]
pub struct PriceBar<'a> {
    /// Token, or pair if the subscription was for a pair.
    pub address: Text<'a>,
    /// Length of the bar.
    pub timeframe: Timeframe,
    /// Open time, nanoseconds since the epoch, on the grid of `timeframe`.
    pub open_ns: i64,
    /// Open price, > 0, in the currency of the subscription.
    pub open: f64,
    /// High price, >= open and close.
    pub high: f64,
    /// Low price, <= open and close, > 0.
    pub low: f64,
    /// Last price, > 0.
    pub close: f64,
    /// Base volume so far, >= 0.
    pub volume: f64,
}

/// A bar of the past (Birdeye REST); fields as in [`PriceBar`].
#[derive(Clone, Debug, PartialEq)]
pub struct HistoryBar<'a> {
    /// Token or pair; absent where the endpoint leaves it out.
    pub address: Option<Text<'a>>,
    /// Length of the bar.
    pub timeframe: Timeframe,
    /// Open time, nanoseconds since the epoch, on the grid of `timeframe`.
    pub open_ns: i64,
    /// Open price, > 0.
    pub open: f64,
    /// High price.
    pub high: f64,
    /// Low price, > 0.
    pub low: f64,
    /// Close price.
    pub close: f64,
    /// Base volume, >= 0.
    pub volume: f64,
}

/// A spot price (Birdeye `/defi/price`, `/defi/multi_price`).
#[derive(Clone, Debug, PartialEq)]
pub struct SpotQuote<'a> {
    /// Token; absent for `/defi/price`, whose answer does not repeat it.
    pub address: Option<Text<'a>>,
    /// Price in USD, > 0.
    pub price: f64,
    /// Time of the price, nanoseconds since the epoch.
    pub update_ns: i64,
    /// Liquidity in USD, >= 0.
    pub liquidity_usd: Value,
}

/// A swap, seen from one token.
#[derive(Clone, Debug, PartialEq)]
pub struct Trade<'a> {
    /// The token bought or sold.
    pub token: Text<'a>,
    /// Transaction signature, base58.
    pub tx_hash: Text<'a>,
    /// Block time, nanoseconds since the epoch (the source gives seconds).
    pub block_ns: i64,
    /// BUY or SELL of `token`.
    pub side: Side,
    /// Price of `token` in USD, > 0: the leg's own, or the source's nearest one.
    pub price: f64,
    /// Tokens that changed hands, > 0.
    pub base_amount: f64,
    /// Value in USD, >= 0.
    pub volume_usd: f64,
    /// Wallet.
    pub owner: Text<'a>,
    /// Slot, where given.
    pub slot: Option<u64>,
    /// Instruction within the transaction, where given.
    pub instruction_index: Option<u32>,
    /// Inner instruction, where there is one.
    pub inner_index: Option<u32>,
}
