use utb_types::{StrategyId, TriggerKind, Value, Vote};

use super::{Bench, QUIET, bar, position};
use crate::strategies::fixture::{exits, v};
use crate::triggers::{ArmError, Armed, Close, Fired, Triggers};

const LEAD: Option<StrategyId> = Some(StrategyId::VolatilityBreakout);

#[test]
fn test_stop_at_its_price_fires_once_with_all_fields() {
    let mut bench = Bench::with(position(LEAD));
    assert_eq!(bench.price(96.01), None);
    assert_eq!(bench.price(96.0), Some(TriggerKind::Stop));
    let expected = Fired {
        position_id: 7,
        instrument: 2,
        kind: TriggerKind::Stop,
        ts_ns: 5,
        price: 96.0,
        level: v(96.0),
        fraction: 1.0,
    };
    assert_eq!(bench.fired, [expected]);
    assert_eq!(bench.price(90.0), None);
    assert_eq!(bench.price(120.0), None);
}

#[test]
fn test_stop_after_a_gap_reports_price_and_level() {
    let mut bench = Bench::with(position(LEAD));
    bench.price(80.0);
    assert_eq!((bench.fired[0].price, bench.fired[0].level), (80.0, v(96.0)));
}

#[test]
fn test_partial_fires_once_at_one_r_and_leaves_the_stop_live() {
    let mut bench = Bench::with(position(LEAD));
    assert_eq!(bench.price(103.99), None);
    assert_eq!(bench.price(104.0), Some(TriggerKind::Partial));
    assert_eq!((bench.fired[0].level, bench.fired[0].fraction), (v(104.0), 0.5));
    assert_eq!(bench.price(104.5), None);
    // At 104.5 the trailing stop is 104.5 - 2 x 1.5.
    assert_eq!(bench.price(101.5), Some(TriggerKind::Trailing));
}

#[test]
fn test_partial_not_worth_its_costs_does_not_fire() {
    let mut bench = Bench::with(Armed { round_trip_cost: 4.0, ..position(LEAD) });
    assert_eq!(bench.price(104.0), None);
    let mut bench = Bench::with(Armed { round_trip_cost: 3.99, ..position(LEAD) });
    assert_eq!(bench.price(104.0), Some(TriggerKind::Partial));
}

#[test]
fn test_target_goes_before_partial_and_ends_everything() {
    let mut bench = Bench::with(position(LEAD));
    assert_eq!(bench.price(110.0), Some(TriggerKind::Target));
    assert_eq!(bench.fired[0].level, v(110.0));
    assert_eq!(bench.price(50.0), None);
}

#[test]
fn test_target_stays_live_while_a_partial_is_in_flight() {
    let mut bench = Bench::with(position(LEAD));
    bench.price(104.0);
    assert_eq!(bench.price(110.0), Some(TriggerKind::Target));
}

#[test]
fn test_position_without_target_has_none() {
    let mut bench = Bench::with(Armed { target: Value::ABSENT, ..position(LEAD) });
    bench.price(104.0);
    assert_eq!(bench.price(1e9), None);
}

/// Armed anew after the partial fill: the stop covers entry and costs, highest and trailing stay.
#[test]
fn test_arming_after_a_partial_moves_the_stop_to_breakeven_and_keeps_what_was_reached() {
    let mut bench = Bench::with(Armed { atr: Value::ABSENT, ..position(LEAD) });
    bench.price(104.25);
    bench.arm(Armed { qty: 1.5, partial_done: true, atr: Value::ABSENT, ..position(LEAD) });
    let held = *bench.triggers.get(2).unwrap();
    assert_eq!((held.stop, held.qty, held.highest), (100.5, 1.5, 104.25));
    assert!(held.trailing_active && !held.partial_in_flight);
    assert_eq!(bench.moved.last().unwrap().cause, crate::triggers::MoveCause::Breakeven);
    assert_eq!(bench.price(109.0), None);
    assert_eq!(bench.price(100.5), Some(TriggerKind::Stop));
}

#[test]
fn test_release_makes_a_failed_exit_fire_again() {
    let mut bench = Bench::with(position(LEAD));
    bench.price(95.0);
    assert_eq!(bench.price(94.0), None);
    assert!(bench.triggers.release(7));
    assert_eq!(bench.price(94.0), Some(TriggerKind::Stop));
    assert!(!bench.triggers.release(8));
}

#[test]
fn test_disarm_ends_the_triggers_of_that_position_only() {
    let mut bench = Bench::with(position(LEAD));
    assert!(!bench.triggers.disarm(8));
    assert!(bench.triggers.disarm(7));
    assert_eq!(bench.price(1.0), None);
    assert_eq!(bench.triggers.iter().count(), 0);
}

#[test]
fn test_arming_refuses_a_second_position_and_prices_that_are_none() {
    let mut bench = Bench::with(position(LEAD));
    let mut arm = |armed| bench.triggers.arm(armed, 1, &mut |_| ());
    let second = Armed { position_id: 8, ..position(LEAD) };
    assert_eq!(arm(second), Err(ArmError::Taken { position_id: 7 }));
    let broken = Armed { stop: f64::NAN, ..position(LEAD) };
    assert_eq!(arm(broken), Err(ArmError::NotFinite));
    // An instrument beyond the first size is taken in.
    assert_eq!(arm(Armed { position_id: 9, instrument: 40, ..position(LEAD) }), Ok(()));
    assert_eq!(bench.triggers.iter().count(), 2);
}

#[test]
fn test_price_of_an_unknown_instrument_or_no_number_does_nothing() {
    let mut triggers = Triggers::new(0, &exits());
    triggers.on_price(3, 1, 1.0, &mut |_| panic!("nothing is armed"));
    let mut bench = Bench::with(position(LEAD));
    assert_eq!(bench.price(f64::NAN), None);
    assert_eq!(bench.price(f64::NEG_INFINITY), None);
    assert_eq!(bench.price(96.0), Some(TriggerKind::Stop));
}

#[test]
fn test_early_exit_of_the_lead_fires_at_the_close() {
    let leaves = |strategy: StrategyId| {
        let mut votes = QUIET;
        votes[strategy.index()] = Vote { exit_long: true, ..Vote::default() };
        votes
    };
    let own = leaves(StrategyId::VolatilityBreakout);
    let mut bench = Bench::with(position(LEAD));
    bench.close(bar(101.0), &leaves(StrategyId::MeanReversion));
    assert!(bench.fired.is_empty(), "another strategy's exit is not the lead's");
    bench.close(bar(101.0), &own);
    let shot = bench.fired[0];
    assert_eq!((shot.kind, shot.price, shot.level), (TriggerKind::EarlyExit, 101.0, Value::ABSENT));
    bench.close(bar(101.0), &own);
    assert_eq!((bench.fired.len(), bench.price(50.0)), (1, None), "one exit is in flight");
    // A manual position has no lead to leave early.
    let mut bench = Bench::with(position(None));
    bench.close(bar(101.0), &[Vote { exit_long: true, ..Vote::default() }; 8]);
    assert!(bench.fired.is_empty());
}

#[test]
fn test_early_exit_between_closes_needs_the_lead_in_the_mask() {
    let mut bench = Bench::with(position(LEAD));
    let votes = [Vote { exit_long: true, ..Vote::default() }; 8];
    let tf = bar(101.0);
    let close = Close { instrument: 2, ts_ns: 9, tf: &tf, votes: &votes };
    let fired = &mut bench.fired;
    bench.triggers.on_votes(&close, 101.5, 0b0000_0111, &mut |shot| fired.push(shot));
    assert!(fired.is_empty());
    bench.triggers.on_votes(&close, 101.5, 0b0000_1000, &mut |shot| fired.push(shot));
    assert_eq!((fired[0].kind, fired[0].price), (TriggerKind::EarlyExit, 101.5));
}
