//! The price indicators of one timeframe, updated together.

use serde::{Deserialize, Serialize};
use utb_types::{Bar, Value};

use super::adx::{Adx, Directional};
use super::atr::Atr;
use super::bollinger::{Bands, Bollinger};
use super::ema::Ema;
use super::macd::{Macd, MacdLines};
use super::motion::{Extremes, Motion};
use super::roc;
use super::rsi::Rsi;
use super::sma::{mean, peeked_mean};
use crate::ring::Ring;
use crate::window::WindowMean;

const MIDDLE: usize = 50;
const LONG: usize = 200;

/// Values of [`FusedSet`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct FusedValues {
    /// Simple mean over 50 closes; that over 20 is `bands.middle`.
    pub sma50: Value,
    /// Simple mean over 200 closes.
    pub sma200: Value,
    /// Exponential mean over 12 closes; that over 26 is `macd.slow`.
    pub ema12: Value,
    /// RSI 14.
    pub rsi14: Value,
    /// MACD(12, 26, 9).
    pub macd: MacdLines,
    /// Bollinger bands of 20.
    pub bands: Bands,
    /// ADX 14 and its directional indicators.
    pub directional: Directional,
    /// ATR 14.
    pub atr14: Value,
}

/// SMA 20/50/200, EMA 12/26, RSI 14, MACD, Bollinger 20, ADX 14 and ATR 14 of one timeframe.
///
/// The simple means share one ring of closes, ADX and ATR one true range, MACD and EMA 26 one
/// mean, SMA 20 and the bands one pass.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct FusedSet {
    closes: Ring<LONG>,
    mean50: WindowMean,
    mean200: WindowMean,
    bollinger: Bollinger,
    ema12: Ema<12>,
    macd: Macd,
    rsi: Rsi,
    previous: Option<Extremes>,
    adx: Adx,
    atr: Atr,
}

impl FusedSet {
    /// Takes a closed bar and returns the values.
    #[inline]
    pub fn update(&mut self, bar: &Bar) -> FusedValues {
        let close = bar.close;
        self.mean50.advance(&self.closes, MIDDLE, close);
        self.mean200.advance(&self.closes, LONG, close);
        self.closes.push(close);
        let motion = self.previous.map(|previous| Motion::between(previous, bar));
        self.previous = Some(Extremes::from(bar));
        FusedValues {
            sma50: mean(&self.mean50, self.closes.len(), MIDDLE),
            sma200: mean(&self.mean200, self.closes.len(), LONG),
            ema12: self.ema12.update(close),
            rsi14: self.rsi.update(close),
            macd: self.macd.update(close),
            bands: self.bollinger.update(close),
            directional: motion.map_or_else(Directional::default, |it| self.adx.update(&it)),
            atr14: motion.map_or(Value::ABSENT, |it| self.atr.update(&it)),
        }
    }

    /// Returns what [`FusedSet::update`] would.
    #[inline]
    pub fn peek(&self, bar: &Bar) -> FusedValues {
        let close = bar.close;
        let motion = self.previous.map(|previous| Motion::between(previous, bar));
        FusedValues {
            sma50: peeked_mean(self.mean50, &self.closes, MIDDLE, close),
            sma200: peeked_mean(self.mean200, &self.closes, LONG, close),
            ema12: self.ema12.peek(close),
            rsi14: self.rsi.peek(close),
            macd: self.macd.peek(close),
            bands: self.bollinger.peek(close),
            directional: motion.map_or_else(Directional::default, |it| self.adx.peek(&it)),
            atr14: motion.map_or(Value::ABSENT, |it| self.atr.peek(&it)),
        }
    }

    /// Returns ROC 10 at a close that is not taken yet, percent.
    #[inline]
    pub fn roc10(&self, close: f64) -> Value {
        roc::change(&self.closes, close)
    }
}
