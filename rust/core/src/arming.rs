//! The JSON document that arms a position's exits.

use serde::Deserialize;
use utb_signals::triggers::Armed;
use utb_types::{StrategyId, Value};

use crate::CoreError;

/// `domain.engine.ArmedPosition` of the Python side.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ArmedDocument {
    position_id: u64,
    pub(crate) instrument: u32,
    entry_price: f64,
    stop: f64,
    target: Option<f64>,
    lead: Option<u8>,
    risk_per_unit: f64,
    round_trip_cost: f64,
    partial_done: bool,
    highest: f64,
    partial_enabled: bool,
    trailing_active: bool,
}

impl ArmedDocument {
    /// Reads the document.
    pub(crate) fn from_json(json: &[u8]) -> Result<Self, CoreError> {
        sonic_rs::from_slice(json).map_err(|error| CoreError::document("position", error))
    }

    /// Returns the triggers' form; `atr` is ATR14 of the strategy timeframe.
    pub(crate) fn armed(&self, atr: Value) -> Result<Armed, CoreError> {
        for (field, value) in [
            ("entry_price", self.entry_price),
            ("risk_per_unit", self.risk_per_unit),
            ("highest", self.highest),
        ] {
            if !(value.is_finite() && value > 0.0) {
                return Err(CoreError::range(field, value, "finite, > 0"));
            }
        }
        for (field, value) in [("stop", self.stop), ("round_trip_cost", self.round_trip_cost)] {
            if !(value.is_finite() && value >= 0.0) {
                return Err(CoreError::range(field, value, "finite, >= 0"));
            }
        }
        let lead = match self.lead {
            None => None,
            Some(index) => Some(
                StrategyId::ALL
                    .get(usize::from(index))
                    .copied()
                    .ok_or_else(|| CoreError::range("lead", index, "in 0..8, or null"))?,
            ),
        };
        Ok(Armed {
            target: Value::from(self.target),
            lead,
            risk_per_unit: self.risk_per_unit,
            round_trip_cost: self.round_trip_cost,
            highest: self.highest,
            atr,
            trailing_active: self.trailing_active,
            partial_enabled: self.partial_enabled,
            partial_done: self.partial_done,
            ..Armed::open(self.position_id, self.instrument, 0.0, self.entry_price, self.stop)
        })
    }
}
