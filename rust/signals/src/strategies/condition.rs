//! One named condition: whether it holds, and by how much.

use utb_types::{CONDITION_MAX, Condition, Measure, Side, Value, Vote};

/// A condition as margin beyond its threshold, in its own direction; held if the margin is > 0.
///
/// The margin is NaN when an input is missing: arithmetic on absent values stays absent, and only
/// the state and [`Test::excess`] look at it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Test {
    state: Condition,
    margin: f64,
    scale: f64,
    measure: Measure,
}

impl Test {
    /// Holds if `margin > 0`; a margin that is not finite counts as missing.
    #[inline]
    fn margin(margin: f64, scale: f64) -> Self {
        let state = match (margin.is_finite(), margin > 0.0) {
            (false, _) => Condition::Missing,
            (true, true) => Condition::Held,
            (true, false) => Condition::Failed,
        };
        Self { state, margin, scale, measure: Measure::default() }
    }

    /// Holds if `value > threshold`.
    #[inline]
    pub(super) fn above(value: f64, threshold: f64, scale: f64) -> Self {
        Self::margin(value - threshold, scale).of(value, threshold)
    }

    /// Holds if `value < threshold`.
    #[inline]
    pub(super) fn below(value: f64, threshold: f64, scale: f64) -> Self {
        Self::margin(threshold - value, scale).of(value, threshold)
    }

    /// Holds if `held`, with an excess measured apart; for conditions that are not a strict margin.
    #[inline]
    pub(super) fn known(held: bool, margin: f64, scale: f64) -> Self {
        let state = if held { Condition::Held } else { Condition::Failed };
        Self { state, margin, scale, measure: Measure::default() }
    }

    /// Says what is compared with what, for a condition that is not made by above or below.
    #[inline]
    pub(super) fn of(self, value: f64, limit: f64) -> Self {
        Self { measure: Measure { value: Value::new(value), limit: Value::new(limit) }, ..self }
    }

    /// An input was missing.
    #[inline]
    pub(super) fn missing() -> Self {
        let state = Condition::Missing;
        Self { state, margin: f64::NAN, scale: 1.0, measure: Measure::default() }
    }

    /// Holds if either holds, with the larger excess; missing if either is.
    #[inline]
    pub(super) fn or(self, other: Self) -> Self {
        if self.state == Condition::Missing || other.state == Condition::Missing {
            return Self::missing();
        }
        let held = self.state == Condition::Held || other.state == Condition::Held;
        Self::known(held, self.excess().max(other.excess()), 1.0)
    }

    /// Returns clamp(margin / scale, 0, 1); 0 where the scale is absent or not positive.
    #[inline]
    pub(super) fn excess(&self) -> f64 {
        let excess = self.margin / self.scale;
        if self.scale > 0.0 && excess > 0.0 { excess.min(1.0) } else { 0.0 }
    }
}

/// Stop and target of an entry at the last close.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Exits {
    /// Stop price, quote per base.
    pub stop: Value,
    /// Target price, quote per base.
    pub target: Value,
}

impl Exits {
    /// Returns `close` moved against and with the trade by distances (both in quote units, > 0).
    #[inline]
    pub(super) fn around(side: Side, close: Value, against: f64, with: f64) -> Self {
        let sign = if side == Side::Buy { 1.0 } else { -1.0 };
        let close = close.or_nan();
        Self { stop: Value::new(close - sign * against), target: Value::new(close + sign * with) }
    }

    /// Whether an entry at `close` can carry them.
    ///
    /// A BUY needs 0 < stop < close < target. Those of a SELL are informative (it closes a position
    /// and opens nothing), so they only have to be there.
    fn usable(&self, side: Side, close: Value) -> bool {
        let (Some(stop), Some(target), Some(close)) =
            (self.stop.get(), self.target.get(), close.get())
        else {
            return false;
        };
        side == Side::Sell || (0.0 < stop && stop < close && close < target)
    }
}

/// What a strategy found, before it is a vote.
#[derive(Clone, Copy, Debug)]
pub(super) struct Opinion<const N: usize> {
    pub(super) buy: [Test; N],
    pub(super) sell: [Test; N],
    pub(super) exit_long: bool,
    pub(super) exit_short: bool,
}

impl<const N: usize> Opinion<N> {
    /// Makes the vote: a side needs all its conditions and usable exits, and the other side not.
    ///
    /// `exits` gives stop and target of a side, `confidence` maps (side, strength) to 0..1.
    #[inline]
    pub(super) fn vote(
        &self,
        close: Value,
        exits: impl FnOnce(Side) -> Exits,
        confidence: impl FnOnce(Side, f64) -> f64,
    ) -> Vote {
        let mut vote = Vote {
            buy: states(&self.buy),
            sell: states(&self.sell),
            measures: measures(&self.buy),
            exit_long: self.exit_long,
            exit_short: self.exit_short,
            ..Vote::default()
        };
        let (side, tests) = match (all_held(&self.buy), all_held(&self.sell)) {
            (true, false) => (Side::Buy, &self.buy),
            (false, true) => (Side::Sell, &self.sell),
            _ => return vote,
        };
        let exits = exits(side);
        if !exits.usable(side, close) {
            return vote;
        }
        vote.side = side;
        vote.strength = strength(tests);
        vote.confidence = confidence(side, vote.strength).clamp(0.0, 1.0);
        vote.stop = exits.stop;
        vote.target = exits.target;
        vote
    }
}

#[inline]
fn all_held<const N: usize>(tests: &[Test; N]) -> bool {
    tests.iter().all(|test| test.state == Condition::Held)
}

/// 0.5 + 0.5 x mean excess (`trading.md`, Strength and confidence).
fn strength<const N: usize>(tests: &[Test; N]) -> f64 {
    let (sum, count) =
        tests.iter().fold((0.0, 0.0), |(sum, count), test| (sum + test.excess(), count + 1.0));
    0.5 + 0.5 * sum / count
}

#[inline]
fn states<const N: usize>(tests: &[Test; N]) -> [Condition; CONDITION_MAX] {
    let mut states = [Condition::Missing; CONDITION_MAX];
    for (state, test) in states.iter_mut().zip(tests) {
        *state = test.state;
    }
    states
}

#[inline]
fn measures<const N: usize>(tests: &[Test; N]) -> [Measure; CONDITION_MAX] {
    let mut measures = [Measure::default(); CONDITION_MAX];
    for (measure, test) in measures.iter_mut().zip(tests) {
        *measure = test.measure;
    }
    measures
}

#[cfg(test)]
mod tests {
    use utb_types::{Condition, Side, Value};

    use super::{Exits, Test};

    #[test]
    fn test_condition_at_its_threshold_fails() {
        assert_eq!(Test::above(1.5, 1.5, 1.0).state, Condition::Failed);
        assert_eq!(Test::below(25.0, 25.0, 1.0).state, Condition::Failed);
        assert_eq!(Test::above(1.500_000_000_000_001, 1.5, 1.0).state, Condition::Held);
    }

    #[test]
    fn test_condition_of_absent_value_is_missing_with_zero_excess() {
        let test = Test::above(Value::ABSENT.or_nan(), 1.5, 1.0);
        assert_eq!(test.state, Condition::Missing);
        assert!(test.excess().abs() < f64::EPSILON);
    }

    #[test]
    fn test_excess_is_clamped_and_zero_for_an_unusable_scale() {
        // (2.0 - 1.5) / 2 = 0.25; (9 - 1.5) / 2 > 1; below the threshold 0.
        for (value, scale, expected) in [
            (2.0, 2.0, 0.25),
            (9.0, 2.0, 1.0),
            (1.0, 2.0, 0.0),
            (2.0, 0.0, 0.0),
            (2.0, f64::NAN, 0.0),
        ] {
            assert!((Test::above(value, 1.5, scale).excess() - expected).abs() < 1e-15);
        }
    }

    #[test]
    fn test_or_takes_the_larger_excess_and_abstains_when_either_is_missing() {
        let (small, large) = (Test::above(2.0, 1.0, 10.0), Test::above(2.0, 1.0, 2.0));
        assert!((small.or(large).excess() - 0.5).abs() < 1e-15);
        assert_eq!(small.or(Test::below(2.0, 1.0, 1.0)).state, Condition::Held);
        assert_eq!(small.or(Test::missing()).state, Condition::Missing);
    }

    #[test]
    fn test_exits_of_a_buy_must_enclose_the_close() {
        let exits = Exits { stop: Value::new(9.0), target: Value::new(11.0) };
        assert!(exits.usable(Side::Buy, Value::new(10.0)));
        assert!(!exits.usable(Side::Buy, Value::new(9.0)));
        assert!(!exits.usable(Side::Buy, Value::new(11.0)));
        assert!(exits.usable(Side::Sell, Value::new(11.0)));
        assert!(!Exits::default().usable(Side::Sell, Value::new(10.0)));
    }
}
