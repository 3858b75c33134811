//! Tests of the triggers: rules by hand, and a plain reference for random paths.

mod moves;
mod random;
mod shots;

use utb_types::{StrategyId, TfFeatures, TriggerKind, Value, Vote};

use super::{Armed, Close, Fired, MoveCause, Moved, Triggers};
use crate::strategies::fixture::{exits, v};

/// Triggers with what they told.
struct Bench {
    triggers: Triggers,
    fired: Vec<Fired>,
    moved: Vec<Moved>,
}

impl Bench {
    fn new() -> Self {
        let triggers = Triggers::new(4, &exits());
        Self { triggers, fired: Vec::new(), moved: Vec::new() }
    }

    fn with(armed: Armed) -> Self {
        let mut bench = Self::new();
        bench.arm(armed);
        bench
    }

    fn arm(&mut self, armed: Armed) {
        self.triggers.arm(armed, 1, &mut |moved| self.moved.push(moved)).unwrap();
    }

    /// Feeds a price and returns the kind that fired on it.
    fn price(&mut self, price: f64) -> Option<TriggerKind> {
        let mut shot = None;
        self.triggers.on_price(2, 5, price, &mut |fired| shot = Some(fired));
        self.fired.extend(shot);
        shot.map(|fired| fired.kind)
    }

    /// Closes a bar and returns (stop, cause) of the move it told.
    fn close(&mut self, tf: TfFeatures, votes: &[Vote; 8]) -> Option<(f64, MoveCause)> {
        let close = Close { instrument: 2, ts_ns: 9, tf: &tf, votes };
        let mut told = None;
        let (fired, moved) = (&mut self.fired, &mut self.moved);
        self.triggers.on_close(
            &close,
            &mut |move_| {
                told = Some((move_.stop, move_.cause));
                moved.push(move_);
            },
            &mut |shot| fired.push(shot),
        );
        told
    }

    fn stop(&self) -> f64 {
        self.triggers.get(2).unwrap().stop
    }
}

/// Bought at 100 with a stop at 96 (R = 4), a target at 110 and costs of 0.5 a round trip.
fn position(lead: Option<StrategyId>) -> Armed {
    Armed {
        target: v(110.0),
        lead,
        round_trip_cost: 0.5,
        atr: v(1.5),
        ..Armed::open(7, 2, 3.0, 100.0, 96.0)
    }
}

fn bar(close: f64) -> TfFeatures {
    TfFeatures {
        close: v(close),
        atr14: v(1.5),
        volatility_ratio: v(1.0),
        sma20: Value::ABSENT,
        ..TfFeatures::default()
    }
}

const QUIET: [Vote; 8] = [Vote {
    side: utb_types::Side::Hold,
    strength: 0.0,
    confidence: 0.0,
    stop: Value::ABSENT,
    target: Value::ABSENT,
    buy: [utb_types::Condition::Missing; 4],
    sell: [utb_types::Condition::Missing; 4],
    measures: [utb_types::Measure { value: Value::ABSENT, limit: Value::ABSENT }; 4],
    exit_long: false,
    exit_short: false,
}; 8];
