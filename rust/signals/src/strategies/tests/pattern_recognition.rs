use utb_types::{Condition, PatternSignal, Side, StrategyId, TfFeatures, Value};

use crate::strategies::fixture::{World, assert_alone, assert_votes, v};

const ID: StrategyId = StrategyId::PatternRecognition;

const PATTERN: PatternSignal = PatternSignal {
    pattern: 0,
    strength: v(0.8),
    age_bars: 1,
    high: v(99.5),
    low: v(98.0),
    target: Value::ABSENT,
    confirmed: true,
};

fn buy() -> World {
    World::rest().with(|world| {
        world.bullish = PATTERN;
        world.levels.support = v(99.0);
    })
}

fn sell() -> World {
    World::rest().with(|world| {
        world.bearish = PatternSignal { high: v(102.0), low: v(100.5), ..PATTERN };
        world.levels.resistance = v(101.0);
    })
}

/// Excesses: 0.2/0.4 = 1/2; 1 - (100 - 99)/2 = 1/2; (100 - 99.5)/2 = 1/4; mean 5/12.
/// Stop 99 x 0.98, target the resistance.
#[test]
fn test_pattern_confirmed_at_support_votes_buy() {
    let strength = 0.5 + 0.5 * 5.0 / 12.0;
    assert_votes(&buy().vote(ID), Side::Buy, [strength, strength, 97.02, 105.0]);
}

#[test]
fn test_pattern_confirmed_at_resistance_votes_sell() {
    let strength = 0.5 + 0.5 * 5.0 / 12.0;
    assert_votes(&sell().vote(ID), Side::Sell, [strength, strength, 103.02, 95.0]);
}

/// The pattern before this bar aimed at 99.5: closes of 99 and then 100 reach it. Mirror: 100.5.
#[test]
fn test_pattern_leaves_when_a_close_reaches_its_own_target() {
    let world = |before: f64, target: f64| {
        World::rest().with(|world| {
            let aimed = PatternSignal { age_bars: 0, target: v(target), ..PATTERN };
            world.memory.push_patterns(&aimed, &aimed);
            world.memory.push(&TfFeatures { close: v(before), ..world.tf });
        })
    };
    assert!(world(99.0, 99.5).vote(ID).exit_long);
    assert!(!world(99.0, 99.5).vote(ID).exit_short);
    assert!(!world(99.6, 99.5).vote(ID).exit_long, "it was there before");
    assert!(!world(99.0, 100.5).vote(ID).exit_long, "not reached");
    assert!(world(101.0, 100.5).vote(ID).exit_short);
}

#[test]
fn test_pattern_each_condition_alone_fails() {
    let fails = |world: &World, side, name| {
        assert_alone(world, ID, (side, name), Condition::Failed);
    };
    fails(&buy().with(|world| world.bullish.strength = v(0.6)), Side::Buy, "pattern");
    fails(&buy().with(|world| world.levels.support = v(97.9)), Side::Buy, "near_support");
    fails(&buy().with(|world| world.levels.support = v(100.1)), Side::Buy, "near_support");
    fails(&buy().with(|world| world.bullish.confirmed = false), Side::Buy, "confirmed");
    fails(&sell().with(|world| world.bearish.strength = v(0.6)), Side::Sell, "pattern");
    fails(&sell().with(|world| world.levels.resistance = v(102.1)), Side::Sell, "near_support");
    fails(&sell().with(|world| world.bearish.confirmed = false), Side::Sell, "confirmed");
    // Within one ATR includes one ATR.
    assert_eq!(buy().with(|world| world.levels.support = v(98.0)).vote(ID).side, Side::Buy);
}

#[test]
fn test_pattern_none_found_fails_and_is_not_missing() {
    let vote = World::rest().vote(ID);
    assert_eq!(vote.buy[0], Condition::Failed);
    assert_eq!(vote.buy[2], Condition::Failed);
}

#[test]
fn test_pattern_each_missing_input_abstains() {
    let misses = |world: &World| {
        assert_alone(world, ID, (Side::Buy, "near_support"), Condition::Missing);
    };
    misses(&buy().with(|world| world.levels.support = Value::ABSENT));
    misses(&buy().with(|world| world.tf.atr14 = Value::ABSENT));
    misses(&buy().with(|world| world.tf.close = Value::ABSENT));
    let no_target = buy().with(|world| world.levels.resistance = Value::ABSENT);
    assert_alone(&no_target, ID, (Side::Buy, "none"), Condition::Held);
}

#[test]
fn test_pattern_on_both_sides_is_no_opinion() {
    let both = buy().with(|world| {
        world.bearish = PatternSignal { high: v(102.0), low: v(100.5), ..PATTERN };
        world.levels.resistance = v(101.0);
    });
    let vote = both.vote(ID);
    assert_eq!(vote.buy[..3], [Condition::Held; 3]);
    assert_eq!(vote.sell[..3], [Condition::Held; 3]);
    assert_eq!(vote.side, Side::Hold);
}

#[test]
fn test_pattern_leaves_on_a_strong_opposite_one() {
    let vote = sell().vote(ID);
    assert!(vote.exit_long && !vote.exit_short);
    let vote = buy().vote(ID);
    assert!(!vote.exit_long && vote.exit_short);
    assert!(!sell().with(|world| world.bearish.strength = v(0.6)).vote(ID).exit_long);
}
