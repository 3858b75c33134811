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
use crate::ring::Ring;
use crate::window::WindowMean;

const MIDDLE: usize = 50;
const LONG: usize = 200;

/// Values of [`FusedSet`]; NaN while absent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FusedValues {
    /// Simple mean over 50 closes; that over 20 is `bands.middle`.
    pub sma50: f64,
    /// Simple mean over 200 closes.
    pub sma200: f64,
    /// Exponential mean over 12 closes; that over 26 is `macd.slow`.
    pub ema12: f64,
    /// RSI 14.
    pub rsi14: f64,
    /// MACD(12, 26, 9).
    pub macd: MacdLines,
    /// Bollinger bands of 20.
    pub bands: Bands,
    /// ADX 14 and its directional indicators.
    pub directional: Directional,
    /// ATR 14.
    pub atr14: f64,
}

/// SMA 20/50/200, EMA 12/26, RSI 14, MACD, Bollinger 20, ADX 14 and ATR 14 of one timeframe.
///
/// The simple means share one ring of closes, ADX and ATR one true range, MACD and EMA 26 one
/// mean, SMA 20 and the bands one pass. With `DIRECTIONAL` off the ADX is left out.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct FusedSet<const DIRECTIONAL: bool = true> {
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

impl<const DIRECTIONAL: bool> FusedSet<DIRECTIONAL> {
    /// Takes a closed bar and returns the values.
    #[inline]
    pub fn update(&mut self, bar: &Bar) -> FusedValues {
        let close = bar.close;
        let sma50 = self.mean50.advance(&self.closes, MIDDLE, close);
        let sma200 = self.mean200.advance(&self.closes, LONG, close);
        self.closes.push(close);
        let (directional, atr14) = match self.previous.replace(Extremes::from(bar)) {
            Some(previous) => {
                let motion = Motion::between(previous, bar);
                let directional =
                    if DIRECTIONAL { self.adx.update(&motion) } else { Directional::ABSENT };
                (directional, self.atr.step(&motion))
            }
            None => (Directional::ABSENT, f64::NAN),
        };
        FusedValues {
            sma50,
            sma200,
            ema12: self.ema12.step(close),
            rsi14: self.rsi.step(close),
            macd: self.macd.update(close),
            bands: self.bollinger.update(close),
            directional,
            atr14,
        }
    }

    /// Returns what [`FusedSet::update`] would.
    #[inline]
    pub fn peek(&self, bar: &Bar) -> FusedValues {
        let close = bar.close;
        let (mut mean50, mut mean200, mut adx, mut atr) =
            (self.mean50, self.mean200, self.adx, self.atr);
        let (mut ema12, mut rsi) = (self.ema12, self.rsi);
        let (directional, atr14) = match self.previous {
            Some(previous) => {
                let motion = Motion::between(previous, bar);
                let directional =
                    if DIRECTIONAL { adx.update(&motion) } else { Directional::ABSENT };
                (directional, atr.step(&motion))
            }
            None => (Directional::ABSENT, f64::NAN),
        };
        FusedValues {
            sma50: mean50.advance(&self.closes, MIDDLE, close),
            sma200: mean200.advance(&self.closes, LONG, close),
            ema12: ema12.step(close),
            rsi14: rsi.step(close),
            macd: self.macd.peek(close),
            bands: self.bollinger.peek(close),
            directional,
            atr14,
        }
    }

    /// Returns ROC 10 at a close that is not taken yet, percent.
    #[inline]
    pub fn roc10(&self, close: f64) -> Value {
        roc::change(&self.closes, close)
    }
}
