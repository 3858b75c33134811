//! Random paths against a plain reference that looks at every rule on every price.

use proptest::prelude::*;
use utb_types::{ExitParams, StrategyId, TfFeatures, TriggerKind, Value};

use super::{Bench, QUIET, bar};
use crate::strategies::fixture::{exits, v};
use crate::triggers::Armed;

/// The rules of `trading.md` as written, without gates.
struct Plain {
    armed: Armed,
    rules: ExitParams,
    done: bool,
}

impl Plain {
    fn one_r(&self) -> f64 {
        self.armed.entry_price + self.armed.risk_per_unit
    }

    fn trail(&mut self) {
        let active = self.armed.lead == Some(StrategyId::TrendFollowing)
            || self.armed.highest >= self.one_r();
        if let (true, Some(distance)) = (active, self.armed.trailing_distance.get()) {
            let level = self.armed.highest - distance;
            if level > self.armed.stop {
                (self.armed.stop, self.armed.trailed) = (level, true);
            }
        }
    }

    fn raise(&mut self, level: f64) {
        if level > self.armed.stop {
            (self.armed.stop, self.armed.trailed) = (level, false);
        }
    }

    fn price(&mut self, price: f64) -> Option<TriggerKind> {
        if self.done {
            return None;
        }
        if price <= self.armed.stop {
            self.done = true;
            let trailed = self.armed.trailed;
            return Some(if trailed { TriggerKind::Trailing } else { TriggerKind::Stop });
        }
        self.armed.highest = self.armed.highest.max(price);
        self.trail();
        if self.armed.target.get().is_some_and(|target| price >= target) {
            self.done = true;
            return Some(TriggerKind::Target);
        }
        let pays = self.armed.risk_per_unit > self.armed.round_trip_cost;
        if price >= self.one_r() && pays && !self.armed.partial_done {
            self.armed.partial_done = true;
            return Some(TriggerKind::Partial);
        }
        None
    }

    fn close(&mut self, tf: &TfFeatures) {
        let factor = match tf.volatility_ratio.get() {
            Some(ratio) if ratio > 1.5 => 0.8,
            Some(ratio) if ratio < 0.7 => 1.1,
            _ => 1.0,
        };
        let atr = tf.atr14.get().unwrap();
        self.armed.trailing_distance = v(self.rules.trailing_stop_atr_multiplier * factor * atr);
        match self.armed.lead {
            Some(StrategyId::MeanReversion) => self.armed.target = tf.sma20,
            Some(StrategyId::TrendFollowing) => {
                self.raise(tf.sma50.get().unwrap() - 0.5 * factor * atr);
            }
            _ => {
                self.raise(self.armed.entry_price - factor.min(1.0) * self.armed.risk_per_unit);
            }
        }
        self.trail();
    }
}

#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "a test's own list")]
enum Step {
    Price(f64),
    Close(TfFeatures),
}

fn any_step() -> impl Strategy<Value = Step> {
    let close = (0.5..3.0_f64, 0.4..2.0_f64, 92.0..108.0_f64).prop_map(|(atr, ratio, mean)| {
        Step::Close(TfFeatures {
            atr14: v(atr),
            volatility_ratio: v(ratio),
            sma20: v(mean),
            sma50: v(mean - 4.0),
            ..bar(100.0)
        })
    });
    // Whole and half prices, so that levels are met exactly.
    let price = prop_oneof![(180_i32..240).prop_map(|half| f64::from(half) / 2.0), 95.0..115.0_f64];
    prop_oneof![5 => price.prop_map(Step::Price), 1 => close]
}

fn any_lead() -> impl Strategy<Value = StrategyId> {
    prop_oneof![
        Just(StrategyId::MeanReversion),
        Just(StrategyId::TrendFollowing),
        Just(StrategyId::WhaleTracking),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]
    #[test]
    fn test_gated_triggers_fire_as_the_plain_rules(
        lead in any_lead(),
        steps in proptest::collection::vec(any_step(), 1..80),
        risk in 1_u8..8,
        cost in 0.0..6.0_f64,
        target in prop_oneof![Just(Value::ABSENT), (203_i32..230).prop_map(|half| v(f64::from(half) / 2.0))],
    ) {
        let stop = 100.0 - f64::from(risk);
        let armed = Armed {
            target, lead: Some(lead), round_trip_cost: cost, ..Armed::open(7, 2, 1.0, 100.0, stop)
        };
        let mut bench = Bench::with(armed);
        let mut plain = Plain { armed, rules: exits(), done: false };
        let mut highest_stop = stop;
        for step in steps {
            match step {
                Step::Price(price) => prop_assert_eq!(bench.price(price), plain.price(price)),
                Step::Close(tf) => {
                    bench.close(tf, &QUIET);
                    plain.close(&tf);
                }
            }
            prop_assert!(bench.stop() >= highest_stop, "a stop moved down");
            highest_stop = bench.stop();
            if plain.done {
                break;
            }
            prop_assert_eq!(bench.stop().to_bits(), plain.armed.stop.to_bits());
        }
        let stops: Vec<f64> = bench.moved.iter().map(|moved| moved.stop).collect();
        prop_assert!(stops.is_sorted());
    }
}
