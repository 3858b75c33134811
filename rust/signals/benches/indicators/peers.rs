//! The same set with other libraries, each put together the way that costs it least.

#![expect(clippy::unwrap_used, reason = "constant periods: a refusal should end the benchmark")]

use std::hint::black_box;

use kand::ta::ohlcv::{adx, atr, bbands, ema, macd, rsi, sma};
use ta::Next as _;
use ta::indicators::{
    AverageTrueRange, BollingerBands, ExponentialMovingAverage, MovingAverageConvergenceDivergence,
    RelativeStrengthIndex, SimpleMovingAverage,
};
use utb_signals::ring::Ring;
use utb_types::Bar;
use yata::core::{Candle, IndicatorConfig as _, IndicatorInstance as _, Method as _};
use yata::indicators::{AverageDirectionalIndex, AverageDirectionalIndexInstance};
use yata::methods::{EMA, RMA, SMA, StDev, TR};

/// `kand` keeps no state: the caller hands the old values in. EMA 12 and 26 also serve its MACD,
/// the middle Bollinger band is SMA 20.
#[derive(Default)]
pub(crate) struct Kand {
    closes: Ring<256>,
    previous: Option<Bar>,
    sma50: f64,
    sma200: f64,
    ema12: f64,
    ema26: f64,
    signal: f64,
    gain: f64,
    loss: f64,
    bands: (f64, f64, f64),
    adx: (f64, f64, f64, f64),
    atr: f64,
}

impl Kand {
    pub(crate) fn step(&mut self, bar: &Bar) {
        let close = bar.close;
        let previous = self.previous.replace(*bar).unwrap_or(*bar);
        let back = |age| self.closes.back(age).unwrap_or(close);
        let (old20, old50, old200) = (back(20), back(50), back(200));
        self.closes.push(close);
        let lines = macd::macd_inc(close, self.ema12, self.ema26, self.signal, 12, 26, 9);
        let Ok((line, signal, histogram)) = lines else { return };
        let (mean, sum, squares) = self.bands;
        let (Ok(sma50), Ok(sma200), Ok(ema12), Ok(ema26), Ok(rsi), Ok(bands), Ok(adx), Ok(atr)) = (
            sma::sma_inc(self.sma50, close, old50, 50),
            sma::sma_inc(self.sma200, close, old200, 200),
            ema::ema_inc(close, self.ema12, 12, None),
            ema::ema_inc(close, self.ema26, 26, None),
            rsi::rsi_inc(close, previous.close, self.gain, self.loss, 14),
            bbands::bbands_inc(close, mean, sum, squares, old20, 20, 2.0, 2.0),
            adx::adx_inc(
                bar.high,
                bar.low,
                previous.high,
                previous.low,
                previous.close,
                self.adx.0,
                self.adx.1,
                self.adx.2,
                self.adx.3,
                14,
            ),
            atr::atr_inc(bar.high, bar.low, previous.close, self.atr, 14),
        ) else {
            return;
        };
        (self.sma50, self.sma200, self.ema12, self.ema26) = (sma50, sma200, ema12, ema26);
        self.signal = signal;
        (self.gain, self.loss) = (rsi.1, rsi.2);
        self.bands = (bands.3, bands.4, bands.5);
        (self.adx, self.atr) = (adx, atr);
        black_box(&(sma50, sma200, ema12, ema26, line, histogram, rsi, bands, adx, atr));
    }
}

/// `yata`, by its methods where those spare work its indicators do besides (signals).
pub(crate) struct Yata {
    sma20: SMA,
    sma50: SMA,
    sma200: SMA,
    ema12: EMA,
    ema26: EMA,
    signal: EMA,
    deviation: StDev,
    gain: RMA,
    loss: RMA,
    adx: AverageDirectionalIndexInstance,
    range: TR,
    atr: RMA,
    previous: f64,
}

impl Default for Yata {
    fn default() -> Self {
        let candle = Candle { open: 100.0, high: 100.0, low: 100.0, close: 100.0, volume: 0.0 };
        Self {
            sma20: SMA::new(20, &100.0).unwrap(),
            sma50: SMA::new(50, &100.0).unwrap(),
            sma200: SMA::new(200, &100.0).unwrap(),
            ema12: EMA::new(12, &100.0).unwrap(),
            ema26: EMA::new(26, &100.0).unwrap(),
            signal: EMA::new(9, &0.0).unwrap(),
            deviation: StDev::new(20, &100.0).unwrap(),
            gain: RMA::new(14, &0.0).unwrap(),
            loss: RMA::new(14, &0.0).unwrap(),
            adx: AverageDirectionalIndex::default().init(&candle).unwrap(),
            range: TR::new(&candle).unwrap(),
            atr: RMA::new(14, &0.0).unwrap(),
            previous: 100.0,
        }
    }
}

impl Yata {
    pub(crate) fn step(&mut self, bar: &Bar) {
        let close = bar.close;
        let volume = bar.volume.or_nan();
        let candle = Candle { open: bar.open, high: bar.high, low: bar.low, close, volume };
        let change = close - self.previous;
        self.previous = close;
        let (ema12, ema26) = (self.ema12.next(&close), self.ema26.next(&close));
        let macd = ema12 - ema26;
        let signal = self.signal.next(&macd);
        let middle = self.sma20.next(&close);
        let width = 2.0 * self.deviation.next(&close);
        let (gain, loss) = (self.gain.next(&change.max(0.0)), self.loss.next(&(-change).max(0.0)));
        let rsi = 100.0 * gain / (gain + loss);
        let range = self.range.next(&candle);
        black_box(&(ema12, ema26, macd, signal, macd - signal, middle, rsi));
        black_box(&(middle + width, middle - width, self.atr.next(&range), self.adx.next(&candle)));
        black_box(&(self.sma50.next(&close), self.sma200.next(&close)));
    }
}

/// `ta` has no ADX; its RSI and ATR smooth with 2/(n + 1) instead of Wilder's 1/n. The average of
/// its Bollinger bands is SMA 20.
pub(crate) struct Ta {
    sma50: SimpleMovingAverage,
    sma200: SimpleMovingAverage,
    ema12: ExponentialMovingAverage,
    ema26: ExponentialMovingAverage,
    macd: MovingAverageConvergenceDivergence,
    bollinger: BollingerBands,
    rsi: RelativeStrengthIndex,
    atr: AverageTrueRange,
}

impl Default for Ta {
    fn default() -> Self {
        Self {
            sma50: SimpleMovingAverage::new(50).unwrap(),
            sma200: SimpleMovingAverage::new(200).unwrap(),
            ema12: ExponentialMovingAverage::new(12).unwrap(),
            ema26: ExponentialMovingAverage::new(26).unwrap(),
            macd: MovingAverageConvergenceDivergence::new(12, 26, 9).unwrap(),
            bollinger: BollingerBands::new(20, 2.0).unwrap(),
            rsi: RelativeStrengthIndex::new(14).unwrap(),
            atr: AverageTrueRange::new(14).unwrap(),
        }
    }
}

struct Item<'bar>(&'bar Bar);

impl ta::High for Item<'_> {
    fn high(&self) -> f64 {
        self.0.high
    }
}

impl ta::Low for Item<'_> {
    fn low(&self) -> f64 {
        self.0.low
    }
}

impl ta::Close for Item<'_> {
    fn close(&self) -> f64 {
        self.0.close
    }
}

impl Ta {
    pub(crate) fn step(&mut self, bar: &Bar) {
        let close = bar.close;
        black_box(&(
            self.sma50.next(close),
            self.sma200.next(close),
            self.ema12.next(close),
            self.ema26.next(close),
            self.macd.next(close),
            self.bollinger.next(close),
            self.rsi.next(close),
            self.atr.next(&Item(bar)),
        ));
    }
}
