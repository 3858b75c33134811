use utb_types::{StrategyId, TfFeatures, TriggerKind, Value};

use super::{Bench, QUIET, bar, position};
use crate::strategies::fixture::{exits, v};
use crate::triggers::{Armed, MoveCause};

fn lead(strategy: StrategyId) -> Armed {
    position(Some(strategy))
}

fn near(found: f64, expected: f64) -> bool {
    (found - expected).abs() < 1e-12
}

/// From 1R on (104): 104 - 3 = 101, then 106 - 3 = 103; told at the close, fires as TRAILING.
#[test]
fn test_trailing_starts_at_one_r_and_follows_the_high() {
    let mut bench = Bench::with(lead(StrategyId::VolatilityBreakout));
    bench.price(103.9);
    assert!(near(bench.stop(), 96.0));
    bench.price(104.0);
    assert!(near(bench.stop(), 101.0));
    bench.price(106.0);
    bench.price(105.0);
    assert!(near(bench.stop(), 103.0));
    assert_eq!(bench.close(bar(105.0), &QUIET), Some((103.0, MoveCause::Trailing)));
    assert_eq!(bench.close(bar(105.0), &QUIET), None);
    assert_eq!(bench.price(103.0), Some(TriggerKind::Trailing));
}

#[test]
fn test_trailing_of_trend_following_is_on_from_the_start() {
    let bench = Bench::with(lead(StrategyId::TrendFollowing));
    assert!(near(bench.stop(), 97.0));
    assert_eq!((bench.moved[0].stop, bench.moved[0].cause), (97.0, MoveCause::Trailing));
    // Without an ATR it waits for the first close.
    let mut bench = Bench::with(Armed { atr: Value::ABSENT, ..lead(StrategyId::TrendFollowing) });
    assert!(near(bench.stop(), 96.0));
    assert_eq!(bench.close(bar(100.0), &QUIET), Some((97.0, MoveCause::Trailing)));
}

/// ATR 1.5 -> 1 at a close: 106 - 2 = 104; ATR 4: 106 - 8 is lower and changes nothing.
#[test]
fn test_trailing_uses_the_atr_of_the_last_close_and_never_moves_down() {
    let mut bench = Bench::with(lead(StrategyId::VolatilityBreakout));
    bench.price(106.0);
    let told = bench.close(TfFeatures { atr14: v(1.0), ..bar(105.0) }, &QUIET);
    assert_eq!(told, Some((104.0, MoveCause::Trailing)));
    assert_eq!(bench.close(TfFeatures { atr14: v(4.0), ..bar(105.0) }, &QUIET), None);
    // An ATR that went missing leaves the last one: 107 - 8 = 99 is lower still.
    assert_eq!(bench.close(TfFeatures { atr14: Value::ABSENT, ..bar(105.0) }, &QUIET), None);
    bench.price(107.0);
    assert!(near(bench.stop(), 104.0));
}

#[test]
fn test_trailing_disabled_leaves_the_stop() {
    let mut bench = Bench::with(lead(StrategyId::VolatilityBreakout));
    let rules = utb_types::ExitParams { trailing_stop_enabled: false, ..exits() };
    bench.triggers.set_params(&rules);
    bench.price(109.0);
    assert!(near(bench.stop(), 96.0));
    bench.triggers.set_params(&exits());
    assert_eq!(bench.close(bar(105.0), &QUIET), Some((106.0, MoveCause::Trailing)));
}

/// High volatility: 100 - 0.8 x 4 = 96.8 and a trailing distance of 1.6 ATR; low: 2.2 ATR.
#[test]
fn test_volatility_scales_the_multipliers() {
    let wild = TfFeatures { volatility_ratio: v(1.51), ..bar(101.0) };
    let mut bench = Bench::with(lead(StrategyId::VolatilityBreakout));
    assert_eq!(bench.close(wild, &QUIET), Some((96.8, MoveCause::Tightened)));
    assert_eq!(bench.close(bar(101.0), &QUIET), None);
    assert_eq!(bench.price(96.8), Some(TriggerKind::Stop));
    let mut bench = Bench::with(lead(StrategyId::VolatilityBreakout));
    bench.close(wild, &QUIET);
    bench.price(105.0);
    assert!(near(bench.stop(), 105.0 - 1.6 * 1.5));
    let calm = TfFeatures { volatility_ratio: v(0.69), ..bar(101.0) };
    let mut bench = Bench::with(lead(StrategyId::VolatilityBreakout));
    assert_eq!(bench.close(calm, &QUIET), None, "never beyond the initial risk");
    bench.price(105.0);
    assert!(near(bench.stop(), 105.0 - 2.2 * 1.5));
    let at_limits = TfFeatures { volatility_ratio: v(1.5), ..bar(101.0) };
    let mut bench = Bench::with(lead(StrategyId::VolatilityBreakout));
    assert_eq!(bench.close(at_limits, &QUIET), None);
}

#[test]
fn test_volatility_leaves_stops_that_are_not_in_atr() {
    let wild = TfFeatures { volatility_ratio: v(2.0), ..bar(101.0) };
    for strategy in [StrategyId::MeanReversion, StrategyId::PatternRecognition] {
        assert_eq!(Bench::with(lead(strategy)).close(wild, &QUIET), None);
    }
    let manual = Bench::with(position(None)).close(wild, &QUIET);
    assert_eq!(manual, Some((96.8, MoveCause::Tightened)));
}

/// SMA50 - 0.5 x 1.5, up only.
#[test]
fn test_trend_stop_ratchets_to_its_mean() {
    let mut bench = Bench::with(lead(StrategyId::TrendFollowing));
    let mean = |sma50| TfFeatures { sma50: v(sma50), ..bar(101.0) };
    assert_eq!(bench.close(mean(99.0), &QUIET), Some((98.25, MoveCause::Ratchet)));
    assert_eq!(bench.close(mean(98.0), &QUIET), None);
    assert_eq!(bench.price(98.25), Some(TriggerKind::Stop));
}

#[test]
fn test_mean_reversion_target_moves_with_its_mean() {
    let mut bench = Bench::with(lead(StrategyId::MeanReversion));
    let mean = |sma20| TfFeatures { sma20: v(sma20), ..bar(99.0) };
    assert_eq!(bench.close(mean(102.0), &QUIET), Some((96.0, MoveCause::MovingTarget)));
    assert_eq!(bench.moved[0].target, v(102.0));
    assert_eq!(bench.close(mean(102.0), &QUIET), None);
    assert_eq!(bench.price(102.0), Some(TriggerKind::Target));
    // The target of another lead stays.
    let mut bench = Bench::with(lead(StrategyId::WhaleTracking));
    assert_eq!(bench.close(mean(102.0), &QUIET), None);
    assert_eq!(bench.triggers.get(2).unwrap().target, v(110.0));
}

/// A target that moves under the highest price so far is reached by the next price above it.
#[test]
fn test_target_moved_below_the_high_still_fires() {
    let mut bench = Bench::with(lead(StrategyId::MeanReversion));
    bench.price(103.0);
    bench.close(TfFeatures { sma20: v(101.0), ..bar(100.0) }, &QUIET);
    assert_eq!(bench.price(100.9), None);
    assert_eq!(bench.price(101.0), Some(TriggerKind::Target));
}

/// 1 ATR below the last price, then below each close; turning it off loosens nothing.
#[test]
fn test_safe_mode_tightens_now_and_at_closes() {
    let mut bench = Bench::with(lead(StrategyId::WhaleTracking));
    bench.price(101.0);
    let moved = &mut bench.moved;
    bench.triggers.set_safe_mode(true, 3, &mut |told| moved.push(told));
    assert_eq!((moved[0].stop, moved[0].cause, moved[0].ts_ns), (99.5, MoveCause::Tightened, 3));
    assert_eq!(bench.close(bar(102.0), &QUIET), Some((100.5, MoveCause::Tightened)));
    assert_eq!(bench.close(bar(101.0), &QUIET), None);
    bench.triggers.set_safe_mode(false, 4, &mut |_| panic!("loosens nothing"));
    assert_eq!(bench.close(bar(103.0), &QUIET), None);
    assert_eq!(bench.price(100.5), Some(TriggerKind::Stop));
}

/// From 102 to the stop at 96 are 6; half of it leaves 99.
#[test]
fn test_cooling_off_shrinks_the_distance_to_the_stop() {
    let mut bench = Bench::with(lead(StrategyId::WhaleTracking));
    bench.price(102.0);
    let moved = &mut bench.moved;
    bench.triggers.tighten(2, 0.5, 3, &mut |told| moved.push(told));
    assert_eq!((moved[0].stop, moved[0].cause), (99.0, MoveCause::Tightened));
    bench.triggers.tighten(2, f64::NAN, 3, &mut |_| panic!("no factor"));
    bench.triggers.tighten(1, 0.5, 3, &mut |_| panic!("nothing is armed there"));
}
