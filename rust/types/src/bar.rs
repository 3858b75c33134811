//! An open-high-low-close-volume bar.

use serde::{Deserialize, Serialize};

use crate::Value;

/// One bar: prices in quote per base, volume in base units (absent where the source gave none).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bar {
    /// Open time, nanoseconds since the epoch.
    pub open_ns: i64,
    /// First price.
    pub open: f64,
    /// Highest price.
    pub high: f64,
    /// Lowest price.
    pub low: f64,
    /// Last price.
    pub close: f64,
    /// Traded volume in base units; absent if not measured.
    pub volume: Value,
}
