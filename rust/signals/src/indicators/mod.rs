//! Indicators, one per file, and [`Series`], which updates them together.
//!
//! Each type has `update`, which takes the numbers of a closed bar, and `peek`, which returns what
//! `update` would without changing anything, to the bit. Outputs are absent before their warm-up;
//! those that come several at once are plain numbers, NaN while absent.

mod adx;
mod atr;
mod bollinger;
mod donchian;
mod ema;
mod fused;
mod macd;
mod motion;
mod roc;
mod rsi;
mod series;
mod sma;
mod volatility;
mod volume;
mod wilder;
mod zscore;

pub use adx::{Adx, Directional};
pub use atr::Atr;
pub use bollinger::{Bands, Bollinger};
pub use donchian::Donchian;
pub use ema::Ema;
pub use fused::{FusedSet, FusedValues};
pub use macd::{Macd, MacdLines};
pub use motion::{Extremes, Motion};
pub use roc::Roc;
pub use rsi::Rsi;
pub use series::Series;
pub use sma::Sma;
pub use volatility::{Volatility, VolatilityLevel};
pub use volume::{VolumeLevel, VolumeMean};
pub use zscore::Zscore;
