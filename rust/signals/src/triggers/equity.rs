//! The portfolio's value on every tick: its floor, and its value at the end of each UTC day.

use serde::{Deserialize, Serialize};
use utb_types::{Timeframe, TriggerKind, Value};

use super::Fired;

/// One open position at its last price.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Held {
    instrument: u32,
    qty: f64,
    price: f64,
}

/// Cash plus positions at mark, in quote units, watched against its peak.
///
/// The sum is taken anew over the open positions at each of their prices (a handful), so that it
/// has no drift. Prices of instruments without a position cost one look-up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EquityWatch {
    cash: f64,
    held: Vec<Held>,
    /// By instrument: whether a position is open.
    open: Vec<bool>,
    equity: f64,
    peak: f64,
    max_drawdown: f64,
    fired: bool,
    /// Start of the current UTC day, once there was an event.
    day_ns: Option<i64>,
}

impl EquityWatch {
    /// Returns a watch over `cash` with a peak of that cash, for `instruments` instruments.
    ///
    /// `max_drawdown` is a fraction of the peak; the floor is disabled unless it is within 0..1.
    pub fn new(instruments: usize, cash: f64, max_drawdown: f64) -> Self {
        Self {
            cash,
            held: Vec::new(),
            open: vec![false; instruments],
            equity: cash,
            peak: cash,
            max_drawdown,
            fired: false,
            day_ns: None,
        }
    }

    /// Equity now.
    pub fn equity(&self) -> f64 {
        self.equity
    }

    /// Highest equity so far, scaled by deposits and withdrawals.
    pub fn peak(&self) -> f64 {
        self.peak
    }

    /// Equity below which the drawdown stop fires; absent while it is disabled.
    pub fn floor(&self) -> Value {
        let enabled = self.max_drawdown > 0.0 && self.max_drawdown < 1.0;
        if enabled { Value::new(self.peak * (1.0 - self.max_drawdown)) } else { Value::ABSENT }
    }

    /// Changes the drawdown limit.
    pub fn set_max_drawdown(&mut self, max_drawdown: f64) {
        self.max_drawdown = max_drawdown;
    }

    /// Sets the peak, after a restart.
    pub fn set_peak(&mut self, peak: f64) {
        self.peak = peak;
    }

    /// Sets the cash after a fill. The value of what was bought or sold enters with
    /// [`EquityWatch::set_position`]; call [`EquityWatch::mark`] after both.
    pub fn set_cash(&mut self, cash: f64) {
        self.cash = cash;
    }

    /// Sets the size of a position (0 closes it) and its price now.
    pub fn set_position(&mut self, instrument: u32, qty: f64, price: f64) {
        let dense = super::index(instrument);
        if self.open.len() <= dense {
            self.open.resize(dense.saturating_add(1), false);
        }
        let keeps = qty > 0.0 && price.is_finite();
        if let Some(open) = self.open.get_mut(dense) {
            *open = keeps;
        }
        self.held.retain(|held| held.instrument != instrument);
        if keeps {
            self.held.push(Held { instrument, qty, price });
        }
    }

    /// Takes a deposit (> 0) or withdrawal (< 0): the peak scales with the equity, so that the
    /// drawdown of the unit value does not change.
    pub fn on_external_flow(&mut self, amount: f64) {
        let before = self.sum();
        self.cash += amount;
        let after = self.sum();
        if before > 0.0 && after > 0.0 {
            self.peak *= after / before;
        }
        self.equity = after;
    }

    /// Revalues after changes of cash and positions; no floor is checked before the next price.
    pub fn mark(&mut self) {
        self.equity = self.sum();
        self.peak = self.peak.max(self.equity);
    }

    /// Arms the floor again, after an operator's reset; the peak starts from the equity now.
    pub fn rearm(&mut self) {
        self.fired = false;
        self.peak = self.equity;
    }

    /// Takes a price of an instrument; fires the floor once when the equity is below it.
    #[inline]
    pub fn on_price(
        &mut self,
        instrument: u32,
        ts_ns: i64,
        price: f64,
        fired: &mut impl FnMut(Fired),
    ) {
        if self.open.get(super::index(instrument)) == Some(&true) && price.is_finite() {
            self.revalue(instrument, ts_ns, price, fired);
        }
    }

    /// Tells (start of the day, equity at its end) for every UTC day that ended before `ts_ns`.
    /// Call before the prices at `ts_ns`.
    #[inline]
    pub fn on_time(&mut self, ts_ns: i64, day_ended: &mut impl FnMut(i64, f64)) {
        let today_ns = Timeframe::D1.open_ns(ts_ns);
        let Some(mut day_ns) = self.day_ns else {
            self.day_ns = Some(today_ns);
            return;
        };
        while day_ns < today_ns {
            day_ended(day_ns, self.equity);
            day_ns = day_ns.saturating_add(Timeframe::D1.span_ns());
        }
        self.day_ns = Some(day_ns);
    }

    fn revalue(&mut self, instrument: u32, ts_ns: i64, price: f64, fired: &mut impl FnMut(Fired)) {
        for held in self.held.iter_mut().filter(|held| held.instrument == instrument) {
            held.price = price;
        }
        self.mark();
        let Some(floor) = self.floor().get() else { return };
        if self.equity < floor && !self.fired {
            self.fired = true;
            fired(Fired {
                position_id: 0,
                instrument,
                kind: TriggerKind::EquityFloor,
                ts_ns,
                price: self.equity,
                level: Value::new(floor),
                fraction: 1.0,
            });
        }
    }

    fn sum(&self) -> f64 {
        self.held.iter().fold(self.cash, |sum, held| sum + held.qty * held.price)
    }
}

#[cfg(test)]
mod tests {
    use utb_types::TriggerKind;

    use super::EquityWatch;

    const DAY_NS: i64 = 86_400_000_000_000;

    fn price(watch: &mut EquityWatch, instrument: u32, price: f64) -> Vec<(f64, f64)> {
        let mut fired = Vec::new();
        watch.on_price(instrument, 1, price, &mut |shot| {
            assert_eq!(shot.kind, TriggerKind::EquityFloor);
            fired.push((shot.price, shot.level.or_nan()));
        });
        fired
    }

    fn near(found: f64, expected: f64) -> bool {
        (found - expected).abs() < 1e-9
    }

    /// 1,000 cash, 10 units bought at 50: 500 cash left. At 60 equity and peak 1,100, floor 935;
    /// at 43.5 equity is exactly 935 and holds, at 43.4 it is 934.
    #[test]
    fn test_equity_below_floor_fires_once_until_rearmed() {
        let mut watch = EquityWatch::new(2, 1_000.0, 0.15);
        watch.set_cash(500.0);
        watch.set_position(1, 10.0, 50.0);
        watch.mark();
        assert!(near(watch.equity(), 1_000.0));
        assert!(price(&mut watch, 1, 60.0).is_empty());
        assert!(near(watch.peak(), 1_100.0) && near(watch.floor().or_nan(), 935.0));
        assert!(price(&mut watch, 1, 43.5).is_empty());
        let fired = price(&mut watch, 1, 43.4);
        assert!(fired.len() == 1 && near(fired[0].0, 934.0) && near(fired[0].1, 935.0));
        assert!(price(&mut watch, 1, 40.0).is_empty());
        watch.rearm();
        assert!(near(watch.peak(), 900.0));
        assert_eq!(price(&mut watch, 1, 26.0).len(), 1);
    }

    #[test]
    fn test_equity_ignores_prices_without_a_position() {
        let mut watch = EquityWatch::new(1, 1_000.0, 0.15);
        assert!(price(&mut watch, 0, 1e9).is_empty());
        assert!(price(&mut watch, 77, 1e9).is_empty());
        watch.set_cash(500.0);
        watch.set_position(5, 10.0, 50.0);
        watch.mark();
        watch.set_position(5, 0.0, 50.0);
        watch.mark();
        assert!(near(watch.equity(), 500.0));
        assert!(price(&mut watch, 5, 1e9).is_empty());
        assert!(near(watch.equity(), 500.0));
        assert!(price(&mut watch, 5, f64::NAN).is_empty());
    }

    #[test]
    fn test_equity_without_a_limit_has_no_floor() {
        for limit in [0.0, 1.0, -0.1, f64::NAN] {
            let mut watch = EquityWatch::new(1, 0.0, limit);
            watch.set_position(0, 1.0, 100.0);
            watch.mark();
            assert!(price(&mut watch, 0, 0.01).is_empty());
        }
    }

    /// At 900 of a peak of 1,000 a deposit of 900 doubles the equity: the peak doubles with it.
    #[test]
    fn test_equity_deposit_leaves_the_drawdown_as_it_is() {
        let mut watch = EquityWatch::new(1, 900.0, 0.15);
        watch.set_peak(1_000.0);
        watch.on_external_flow(900.0);
        assert!(near(watch.equity(), 1_800.0) && near(watch.peak(), 2_000.0));
        watch.on_external_flow(-450.0);
        assert!(near(watch.equity(), 1_350.0) && near(watch.peak(), 1_500.0));
    }

    #[test]
    fn test_equity_days_are_told_when_they_end() {
        let mut watch = EquityWatch::new(1, 1_000.0, 0.15);
        let mut days = Vec::new();
        let mut at = |watch: &mut EquityWatch, ts_ns: i64| {
            watch.on_time(ts_ns, &mut |day_ns, equity| days.push((day_ns / DAY_NS, equity)));
        };
        at(&mut watch, 10 * DAY_NS + 5);
        at(&mut watch, 11 * DAY_NS - 1);
        at(&mut watch, 11 * DAY_NS);
        watch.set_cash(900.0);
        watch.mark();
        at(&mut watch, 13 * DAY_NS + 7);
        at(&mut watch, 12 * DAY_NS);
        assert_eq!(days, [(10, 1_000.0), (11, 900.0), (12, 900.0)]);
    }
}
