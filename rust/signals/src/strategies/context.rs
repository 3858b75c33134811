//! Slow inputs with their age.

use serde::{Deserialize, Serialize};
use utb_types::{Context, HedgeContext, SentimentContext, Side, WhaleContext};

/// A value with the time it was made.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Timed<T> {
    /// The value.
    pub value: T,
    /// When it was made, nanoseconds since the epoch.
    pub ts_ns: i64,
}

/// The forecaster's opinion.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ForecastContext {
    /// P(up over the next 12 bars), 0..1.
    pub p_up: f64,
    /// Out-of-sample Brier skill over the base rate.
    pub skill: f64,
}

/// The newest slow inputs of one instrument.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ContextSet {
    /// Large transfers and swaps of the trailing hour.
    pub whale: Option<Timed<WhaleContext>>,
    /// Social, news, Fear & Greed.
    pub sentiment: Option<Timed<SentimentContext>>,
    /// P(up) of the forecaster.
    pub forecast: Option<Timed<ForecastContext>>,
    /// Fair value from the hedge basket.
    pub hedge: Option<Timed<HedgeContext>>,
    /// Price on another venue, quote per base.
    pub venue: Option<Timed<f64>>,
}

impl ContextSet {
    /// Replaces the input of that kind, unless the one there is newer.
    pub fn set(&mut self, context: Context, ts_ns: i64) {
        match context {
            Context::Whale(value) => put(&mut self.whale, value, ts_ns),
            Context::Sentiment(value) => put(&mut self.sentiment, value, ts_ns),
            Context::Forecast { p_up, skill } => {
                put(&mut self.forecast, ForecastContext { p_up, skill }, ts_ns);
            }
            Context::Hedge(value) => put(&mut self.hedge, value, ts_ns),
            Context::Venue { price } => put(&mut self.venue, price, ts_ns),
        }
    }
}

fn put<T>(slot: &mut Option<Timed<T>>, value: T, ts_ns: i64) {
    if slot.as_ref().is_none_or(|held| held.ts_ns <= ts_ns) {
        *slot = Some(Timed { value, ts_ns });
    }
}

/// Returns the value with its freshness: 1 when new, falling linearly to 0 at `max_age_ns`.
///
/// `None` past that age, and for a value from after `now_ns`: nothing looks ahead.
#[inline]
pub(super) fn fresh<T: Copy>(
    slot: Option<&Timed<T>>,
    now_ns: i64,
    max_age_ns: i64,
) -> Option<(T, f64)> {
    let timed = slot?;
    let age_ns = now_ns.checked_sub(timed.ts_ns)?;
    if age_ns < 0 || age_ns > max_age_ns {
        return None;
    }
    if age_ns == 0 {
        return Some((timed.value, 1.0));
    }
    #[expect(clippy::cast_precision_loss, reason = "ages are far below 2^53 ns = 104 days")]
    let freshness = 1.0 - age_ns as f64 / max_age_ns as f64;
    Some((timed.value, freshness))
}

/// Returns what a forecast makes of the confidence of a vote on `side`, within 0..1.
///
/// Factor 1 + influence x (2 p - 1) x freshness, with p = P(up) for BUY and 1 - P(up) for SELL;
/// neutral while the skill is not above 0 or the forecast is no probability.
#[inline]
pub(super) fn scale_by_forecast(
    confidence: f64,
    side: Side,
    forecast: Option<(ForecastContext, f64)>,
    influence: f64,
) -> f64 {
    let Some((ForecastContext { p_up, skill }, freshness)) = forecast else { return confidence };
    if !(skill > 0.0 && (0.0..=1.0).contains(&p_up)) {
        return confidence;
    }
    let lean = if side == Side::Buy { 2.0 * p_up - 1.0 } else { 1.0 - 2.0 * p_up };
    (confidence * (1.0 + influence * lean * freshness)).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use utb_types::{Context, Side};

    use super::{ContextSet, ForecastContext, Timed, fresh, scale_by_forecast};

    #[test]
    fn test_freshness_falls_linearly_and_ends_at_the_limit() {
        let slot = Some(Timed { value: 7.0, ts_ns: 1_000 });
        assert_eq!(fresh(slot.as_ref(), 1_000, 100), Some((7.0, 1.0)));
        assert_eq!(fresh(slot.as_ref(), 1_025, 100), Some((7.0, 0.75)));
        assert_eq!(fresh(slot.as_ref(), 1_100, 100), Some((7.0, 0.0)));
        assert_eq!(fresh(slot.as_ref(), 1_101, 100), None);
        assert_eq!(fresh(slot.as_ref(), 999, 100), None);
        assert_eq!(fresh(slot.as_ref(), 1_000, 0), Some((7.0, 1.0)));
        assert_eq!(fresh::<f64>(None, 1_000, 100), None);
    }

    #[test]
    fn test_context_older_than_the_one_held_is_ignored() {
        let mut set = ContextSet::default();
        set.set(Context::Venue { price: 10.0 }, 50);
        set.set(Context::Venue { price: 9.0 }, 49);
        assert_eq!(set.venue, Some(Timed { value: 10.0, ts_ns: 50 }));
        set.set(Context::Venue { price: 11.0 }, 50);
        assert_eq!(set.venue, Some(Timed { value: 11.0, ts_ns: 50 }));
    }

    #[test]
    fn test_forecast_scales_by_at_most_the_influence_and_stays_a_probability() {
        // 0.8 x (1 + 0.2 x 0.5) = 0.88 for the side it favours, 0.8 x 0.9 = 0.72 for the other.
        let up = |skill, freshness| Some((ForecastContext { p_up: 0.75, skill }, freshness));
        let scaled = |side, forecast| scale_by_forecast(0.8, side, forecast, 0.2);
        assert!((scaled(Side::Buy, up(0.1, 1.0)) - 0.88).abs() < 1e-15);
        assert!((scaled(Side::Sell, up(0.1, 1.0)) - 0.72).abs() < 1e-15);
        // Half as fresh: 0.8 x 1.05.
        assert!((scaled(Side::Buy, up(0.1, 0.5)) - 0.84).abs() < 1e-15);
        assert!((scaled(Side::Buy, up(0.0, 1.0)) - 0.8).abs() < 1e-15);
        assert!((scaled(Side::Buy, up(f64::NAN, 1.0)) - 0.8).abs() < 1e-15);
        assert!((scaled(Side::Buy, None) - 0.8).abs() < 1e-15);
        let sure = Some((ForecastContext { p_up: 1.0, skill: 0.1 }, 1.0));
        assert!((scale_by_forecast(0.9, Side::Buy, sure, 0.2) - 1.0).abs() < 1e-15);
        let broken = Some((ForecastContext { p_up: f64::NAN, skill: 0.1 }, 1.0));
        assert!((scaled(Side::Sell, broken) - 0.8).abs() < 1e-15);
    }
}
