//! What the core tells its caller; [`crate::wire`] writes it as bytes.

use utb_signals::triggers::{Fired, MoveCause, Moved};
use utb_types::{CONDITION_MAX, Condition, DecisionView, STRATEGY_COUNT, TriggerKind, Value};

/// Market features the risk gate sizes with, at the decision's bar.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DecisionFeatures {
    /// ATR14 of the strategy timeframe, quote units.
    pub atr: Value,
    /// ADX14 of the strategy timeframe.
    pub adx: Value,
    /// Volatility / mean of its last 100 values.
    pub volatility_ratio: Value,
    /// Sign of SMA20 - SMA50 on 4h; `None` before its warm-up.
    pub trend_4h: Option<i8>,
    /// Quote-side liquidity in quote units.
    pub liquidity_quote: Value,
}

/// A decision with what the gate and the record need beside it.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// The ensemble's decision.
    pub view: DecisionView,
    /// BUY conditions of each strategy at its latest evaluation.
    pub conditions: [[Condition; CONDITION_MAX]; STRATEGY_COUNT],
    /// Market features.
    pub features: DecisionFeatures,
    /// Version of the parameters it was made with.
    pub params_version: u64,
}

/// Anything the core tells.
#[derive(Clone, Debug, PartialEq)]
pub enum EngineEvent {
    /// The ensemble wants to act.
    Decision(Box<Decision>),
    /// A resting trigger fired.
    Fired {
        /// Time, nanoseconds.
        ts_ns: i64,
        /// Dense instrument index.
        instrument: u32,
        /// The position.
        position_id: u64,
        /// Which trigger; never the equity floor.
        kind: TriggerKind,
        /// Price of the event.
        price: f64,
        /// Level of the trigger; absent for an early exit.
        level: Value,
        /// Part of the open quantity to sell, 0..=1.
        fraction: f64,
    },
    /// A stop or target moved.
    Moved {
        /// Time, nanoseconds.
        ts_ns: i64,
        /// Dense instrument index.
        instrument: u32,
        /// The position.
        position_id: u64,
        /// Stop now.
        stop: f64,
        /// Target now.
        target: Value,
        /// Why.
        cause: MoveCause,
    },
    /// A UTC day ended.
    DayClosed {
        /// Its end, nanoseconds.
        ts_ns: i64,
        /// Days since the epoch of the day that ended.
        day: i64,
        /// Equity at the last marks before the end.
        equity: f64,
        /// Highest equity so far.
        peak: f64,
    },
    /// Equity fell through its floor.
    EquityFloor {
        /// Time, nanoseconds.
        ts_ns: i64,
        /// Equity now.
        equity: f64,
        /// The floor.
        floor: f64,
        /// Highest equity so far.
        peak: f64,
    },
    /// An instrument fell too far too fast.
    FlashCrash {
        /// Time, nanoseconds.
        ts_ns: i64,
        /// Dense instrument index.
        instrument: u32,
        /// Fall below the highest price of the window, fraction.
        fall: f64,
        /// The limit.
        limit: f64,
    },
    /// A gap restarted an instrument's warm-up.
    WarmUpRestarted {
        /// Time of the first event after the gap, nanoseconds.
        ts_ns: i64,
        /// Dense instrument index.
        instrument: u32,
        /// Length of the gap, nanoseconds.
        gap_ns: i64,
    },
}

impl From<Fired> for EngineEvent {
    fn from(fired: Fired) -> Self {
        Self::Fired {
            ts_ns: fired.ts_ns,
            instrument: fired.instrument,
            position_id: fired.position_id,
            kind: fired.kind,
            price: fired.price,
            level: fired.level,
            fraction: fired.fraction,
        }
    }
}

impl From<Moved> for EngineEvent {
    fn from(moved: Moved) -> Self {
        Self::Moved {
            ts_ns: moved.ts_ns,
            instrument: moved.instrument,
            position_id: moved.position_id,
            stop: moved.stop,
            target: moved.target,
            cause: moved.cause,
        }
    }
}
