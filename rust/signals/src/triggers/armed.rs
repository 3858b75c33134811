//! The exits of one open position: what rests, what moved it, what fires.

use serde::{Deserialize, Serialize};
use utb_types::{ExitParams, Lead, StrategyId, TfFeatures, TriggerKind, Value};

/// Profit, in initial risks, from which part is taken and the stop trails (`trading.md`, Exits).
const PROFIT_R: f64 = 1.0;

/// The resting exits of one LONG position. Prices in quote per base.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts, each read by itself")]
pub struct Armed {
    /// Identifies the position.
    pub position_id: u64,
    /// Dense instrument index.
    pub instrument: u32,
    /// Size in base units of the asset, for display; the core's portfolio has its own.
    pub qty: f64,
    /// Fill price of the entry.
    pub entry_price: f64,
    /// Stop price now; never moves down.
    pub stop: f64,
    /// Target price now, if there is one.
    pub target: Value,
    /// Strategy that owns the exits; `None` for a manual entry.
    pub lead: Lead,
    /// R: entry minus initial stop.
    pub risk_per_unit: f64,
    /// Costs of buying and selling one unit, in quote.
    pub round_trip_cost: f64,
    /// Highest price since entry.
    pub highest: f64,
    /// ATR14 of the last close of the strategy timeframe.
    pub atr: Value,
    /// Distance of the trailing stop below `highest`, as of the last close; absent before it.
    pub trailing_distance: Value,
    /// Whether the trailing stop is on; it stays on.
    pub trailing_active: bool,
    /// Whether the trailing rule was the last to move the stop: it then fires as TRAILING.
    pub trailed: bool,
    /// Whether part of the profit may be taken at all.
    pub partial_enabled: bool,
    /// Whether part of the profit was taken.
    pub partial_done: bool,
    /// A partial exit fired and is not settled: everything but another one stays live.
    pub partial_in_flight: bool,
    /// A full exit fired and is not settled: nothing fires.
    pub exit_in_flight: bool,
}

/// What moved a stop or target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum MoveCause {
    /// The trailing stop followed a new high or a smaller ATR.
    Trailing,
    /// The lead's stop followed its mean (trend following).
    Ratchet,
    /// The lead's target followed its mean (mean reversion).
    MovingTarget,
    /// High volatility, SAFE_MODE or a cooling-off tightened the stop.
    Tightened,
    /// The stop of the rest after a partial exit covers the costs.
    Breakeven,
}

/// What a price fires: kind, level, fraction of the position.
pub(super) type Shot = (TriggerKind, Value, f64);

impl Armed {
    /// Returns the exits of a fresh manual position without target, costs or ATR; set those and
    /// the lead on the result.
    pub fn open(position_id: u64, instrument: u32, qty: f64, entry_price: f64, stop: f64) -> Self {
        Self {
            position_id,
            instrument,
            qty,
            entry_price,
            stop,
            target: Value::ABSENT,
            lead: None,
            risk_per_unit: entry_price - stop,
            round_trip_cost: 0.0,
            highest: entry_price,
            atr: Value::ABSENT,
            trailing_distance: Value::ABSENT,
            trailing_active: false,
            trailed: false,
            partial_enabled: true,
            partial_done: false,
            partial_in_flight: false,
            exit_in_flight: false,
        }
    }

    /// Whether every number a comparison needs is one.
    pub(super) fn is_sound(&self) -> bool {
        let numbers =
            [self.entry_price, self.stop, self.risk_per_unit, self.round_trip_cost, self.highest];
        numbers.iter().all(|number| number.is_finite())
    }

    /// Takes over what an earlier arming of the same position had reached: nothing loosens.
    pub(super) fn inherit(&mut self, earlier: &Self) {
        if earlier.stop > self.stop {
            self.stop = earlier.stop;
            self.trailed = earlier.trailed;
        }
        self.highest = self.highest.max(earlier.highest);
        self.trailing_active |= earlier.trailing_active;
        self.partial_done |= earlier.partial_done;
        if !self.atr.is_present() {
            self.atr = earlier.atr;
        }
        if !self.trailing_distance.is_present() {
            self.trailing_distance = earlier.trailing_distance;
        }
    }

    /// Moves the stop up to `level`; a lower level or one that is no number changes nothing.
    pub(super) fn raise(&mut self, level: f64, cause: MoveCause) -> Option<MoveCause> {
        if !(level.is_finite() && level > self.stop) {
            return None;
        }
        self.stop = level;
        self.trailed = cause == MoveCause::Trailing;
        Some(cause)
    }

    /// What the rules ask for at once when a position is armed.
    pub(super) fn settle(&mut self, rules: &ExitParams) -> Option<MoveCause> {
        if !self.trailing_distance.is_present() {
            let distance = rules.trailing_stop_atr_multiplier * self.atr.or_nan();
            self.trailing_distance = Value::new(distance);
        }
        let breakeven = if self.partial_done {
            self.raise(self.entry_price + self.round_trip_cost, MoveCause::Breakeven)
        } else {
            None
        };
        self.trail(rules).or(breakeven)
    }

    /// Price from which the trailing stop is on and part of the profit may be taken.
    fn profit_level(&self) -> Option<f64> {
        (self.risk_per_unit > 0.0).then_some(self.entry_price + PROFIT_R * self.risk_per_unit)
    }

    /// Price of the partial exit, while there is one to come.
    pub(super) fn partial_level(&self, rules: &ExitParams) -> Option<f64> {
        let share = rules.partial_fraction;
        let due = self.partial_enabled
            && !self.partial_done
            && !self.partial_in_flight
            && share > 0.0
            && share < 1.0;
        let pays = PROFIT_R * self.risk_per_unit > self.round_trip_cost;
        if due && pays { self.profit_level() } else { None }
    }

    /// Turns the trailing stop on when it is due and lets it follow the highest price.
    fn trail(&mut self, rules: &ExitParams) -> Option<MoveCause> {
        if !rules.trailing_stop_enabled {
            return None;
        }
        let from_start = self.lead == Some(StrategyId::TrendFollowing);
        let in_profit = self.profit_level().is_some_and(|level| self.highest >= level);
        self.trailing_active |= from_start || in_profit;
        let distance = self.trailing_distance.get().filter(|distance| *distance > 0.0);
        if !self.trailing_active {
            return None;
        }
        self.raise(self.highest - distance?, MoveCause::Trailing)
    }

    /// Looks at a price: what fires first. The stop goes before everything.
    pub(super) fn tick(&mut self, price: f64, rules: &ExitParams) -> Option<Shot> {
        if price <= self.stop && !self.exit_in_flight {
            self.exit_in_flight = true;
            let kind = if self.trailed { TriggerKind::Trailing } else { TriggerKind::Stop };
            return Some((kind, Value::new(self.stop), 1.0));
        }
        if price > self.highest {
            self.highest = price;
            self.trail(rules);
        }
        if self.exit_in_flight {
            return None;
        }
        if let Some(target) = self.target.get().filter(|target| price >= *target) {
            self.exit_in_flight = true;
            return Some((TriggerKind::Target, Value::new(target), 1.0));
        }
        let level = self.partial_level(rules).filter(|level| price >= *level)?;
        self.partial_in_flight = true;
        Some((TriggerKind::Partial, Value::new(level), rules.partial_fraction))
    }

    /// Moves stop and target at a close of the strategy timeframe; the last cause to do so.
    pub(super) fn close(
        &mut self,
        tf: &TfFeatures,
        rules: &ExitParams,
        safe_mode: bool,
    ) -> Option<MoveCause> {
        let factor = volatility_factor(tf, rules);
        if tf.atr14.is_present() {
            self.atr = tf.atr14;
            let distance = rules.trailing_stop_atr_multiplier * factor * tf.atr14.or_nan();
            self.trailing_distance = Value::new(distance);
        }
        let mut cause = None;
        if self.lead == Some(StrategyId::MeanReversion)
            && tf.sma20.is_present()
            && tf.sma20 != self.target
        {
            self.target = tf.sma20;
            cause = Some(MoveCause::MovingTarget);
        }
        if stop_is_in_atr(self.lead) && self.risk_per_unit > 0.0 {
            let level = self.entry_price - factor.min(1.0) * self.risk_per_unit;
            cause = self.raise(level, MoveCause::Tightened).or(cause);
        }
        if self.lead == Some(StrategyId::TrendFollowing) {
            let distance = rules.trend_stop_atr * factor * tf.atr14.or_nan();
            cause = self.raise(tf.sma50.or_nan() - distance, MoveCause::Ratchet).or(cause);
        }
        cause = self.trail(rules).or(cause);
        if safe_mode {
            cause = self.tighten_to_atr(tf.close.or_nan(), rules).or(cause);
        }
        cause
    }

    /// SAFE_MODE: the stop goes to 1 ATR below `price`.
    pub(super) fn tighten_to_atr(&mut self, price: f64, rules: &ExitParams) -> Option<MoveCause> {
        self.tighten_to(price, rules.safe_mode_stop_atr)
    }

    /// The stop goes to `atr_multiple` ATR below `price`.
    pub(super) fn tighten_to(&mut self, price: f64, atr_multiple: f64) -> Option<MoveCause> {
        self.raise(price - atr_multiple * self.atr.or_nan(), MoveCause::Tightened)
    }

    /// Cooling-off: the distance from `price` to the stop shrinks to `factor` of it.
    pub(super) fn tighten_by(&mut self, price: f64, factor: f64) -> Option<MoveCause> {
        self.raise(price - factor * (price - self.stop), MoveCause::Tightened)
    }
}

/// Factor on a stop's ATR multiplier: below 1 while volatility is high, above 1 while it is low.
fn volatility_factor(tf: &TfFeatures, rules: &ExitParams) -> f64 {
    let ratio = tf.volatility_ratio.or_nan();
    if ratio > rules.high_volatility_ratio {
        rules.high_volatility_stop_factor
    } else if ratio < rules.low_volatility_ratio {
        rules.low_volatility_stop_factor
    } else {
        1.0
    }
}

/// Whether the initial stop was a multiple of ATR below the entry: those of the other leads are a
/// fraction of the entry, a mean or a level.
fn stop_is_in_atr(lead: Lead) -> bool {
    match lead {
        Some(
            StrategyId::MeanReversion | StrategyId::TrendFollowing | StrategyId::PatternRecognition,
        ) => false,
        Some(_) | None => true,
    }
}
