//! All indicators of one timeframe of one instrument.

use serde::{Deserialize, Serialize};
use utb_types::{Bar, TfFeatures, Value};

use super::donchian::Donchian;
use super::fused::{FusedSet, FusedValues};
use super::volatility::{Volatility, VolatilityLevel};
use super::volume::{VolumeLevel, VolumeMean};

/// One timeframe's whole indicator set: O(1) per closed bar and per peek, no allocation.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Series {
    features: TfFeatures,
    fused: FusedSet,
    volatility: Volatility,
    volume: VolumeMean,
    donchian: Donchian,
}

/// Outputs of one bar, before they are named.
struct Outputs {
    fused: FusedValues,
    volatility: VolatilityLevel,
    volume: VolumeLevel,
    roc10: Value,
    channel: (Value, Value),
}

impl Series {
    /// Starts with nothing seen.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a closed bar. Not a bar (a price that is not positive and finite, or close outside
    /// low..high): the warm-up starts again, so that nothing is computed across it.
    #[inline]
    pub fn update(&mut self, bar: &Bar) {
        if !is_sound(bar) {
            self.reset();
            return;
        }
        let roc10 = self.fused.roc10(bar.close);
        let outputs = Outputs {
            fused: self.fused.update(bar),
            volatility: self.volatility.update(bar.close),
            volume: self.volume.update(bar.volume),
            roc10,
            channel: self.donchian.update(bar.high, bar.low),
        };
        self.features = named(bar, self.features.bars + 1, &outputs);
    }

    /// Returns the indicators at the last closed bar.
    #[inline]
    pub const fn features(&self) -> &TfFeatures {
        &self.features
    }

    /// Returns what the features would be if `bar`, usually the forming one, closed now.
    #[inline]
    pub fn peek(&self, bar: &Bar) -> TfFeatures {
        if !is_sound(bar) {
            return TfFeatures::default();
        }
        let outputs = Outputs {
            fused: self.fused.peek(bar),
            volatility: self.volatility.peek(bar.close),
            volume: self.volume.peek(bar.volume),
            roc10: self.fused.roc10(bar.close),
            channel: self.donchian.peek(),
        };
        named(bar, self.features.bars + 1, &outputs)
    }

    /// Forgets everything: the warm-up starts again.
    pub fn reset(&mut self) {
        *self = Self::default();
    }
}

#[inline]
fn is_sound(bar: &Bar) -> bool {
    bar.low > 0.0 && bar.low <= bar.close && bar.close <= bar.high && bar.high < f64::INFINITY
}

#[inline]
fn named(bar: &Bar, bars: u64, outputs: &Outputs) -> TfFeatures {
    let fused = &outputs.fused;
    TfFeatures {
        open_ns: bar.open_ns,
        bars,
        close: Value::new(bar.close),
        high: Value::new(bar.high),
        low: Value::new(bar.low),
        volume: bar.volume,
        sma20: Value::new(fused.bands.middle),
        sma50: Value::new(fused.sma50),
        sma200: Value::new(fused.sma200),
        ema12: Value::new(fused.ema12),
        ema26: Value::new(fused.macd.slow),
        rsi14: Value::new(fused.rsi14),
        macd: Value::new(fused.macd.macd),
        macd_signal: Value::new(fused.macd.signal),
        macd_histogram: Value::new(fused.macd.histogram),
        bollinger_upper: Value::new(fused.bands.upper),
        bollinger_lower: Value::new(fused.bands.lower),
        adx14: Value::new(fused.directional.adx),
        plus_di14: Value::new(fused.directional.plus),
        minus_di14: Value::new(fused.directional.minus),
        atr14: Value::new(fused.atr14),
        volatility: outputs.volatility.volatility,
        volatility_ratio: outputs.volatility.ratio,
        volume_mean20: outputs.volume.mean,
        volume_ratio: outputs.volume.ratio,
        roc10: outputs.roc10,
        donchian_high: outputs.channel.0,
        donchian_low: outputs.channel.1,
    }
}

#[cfg(test)]
#[path = "series_tests.rs"]
mod tests;
