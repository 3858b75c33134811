use utb_types::{Condition, Side, StrategyId, Value};

use crate::strategies::fixture::{World, assert_alone, assert_votes, v};

const ID: StrategyId = StrategyId::MomentumBreakthrough;

fn buy() -> World {
    World::rest().with(|world| {
        world.rsi = [v(80.0), v(75.0), v(70.0)];
        world.tf.volume_ratio = v(2.25);
        world.tf.donchian_high = v(99.0);
        world.tf.roc10 = v(5.0);
    })
}

fn sell() -> World {
    World::rest().with(|world| {
        world.rsi = [v(20.0), v(25.0), v(30.0)];
        world.tf.volume_ratio = v(2.25);
        world.tf.donchian_low = v(101.0);
        world.tf.roc10 = v(-5.0);
    })
}

/// Excesses: (0.75 - 0.7)/0.3 = 1/6; (2.25 - 1.5)/1.5 = 1/2; (100 - 99)/2 = 1/2; 5/10 = 1/2.
/// Strength 0.5 + 0.5 x (1/6 + 3/2)/4 = 17/24. Two of three RSIs are above 70 (the third is at it):
/// confidence (17/24 + 2/3)/2 = 11/16. Stop 100 - 1.2 x 2, target 100 + 2.5 x 2.
#[test]
fn test_momentum_breakout_votes_buy() {
    assert_votes(&buy().vote(ID), Side::Buy, [17.0 / 24.0, 0.6875, 97.6, 105.0]);
}

#[test]
fn test_momentum_breakdown_votes_sell() {
    assert_votes(&sell().vote(ID), Side::Sell, [17.0 / 24.0, 0.6875, 102.4, 95.0]);
}

#[test]
fn test_momentum_each_condition_alone_fails() {
    let fails = |world: &World, side, name| {
        assert_alone(world, ID, (side, name), Condition::Failed);
    };
    fails(&buy().with(|world| world.rsi = [v(70.0); 3]), Side::Buy, "rsi_momentum");
    fails(&buy().with(|world| world.tf.volume_ratio = v(1.5)), Side::Buy, "volume");
    fails(&buy().with(|world| world.tf.donchian_high = v(100.0)), Side::Buy, "breakout");
    fails(&buy().with(|world| world.tf.roc10 = v(0.0)), Side::Buy, "roc");
    fails(&sell().with(|world| world.rsi = [v(30.0); 3]), Side::Sell, "rsi_momentum");
    fails(&sell().with(|world| world.tf.volume_ratio = v(1.5)), Side::Sell, "volume");
    fails(&sell().with(|world| world.tf.donchian_low = v(100.0)), Side::Sell, "breakout");
    fails(&sell().with(|world| world.tf.roc10 = v(0.0)), Side::Sell, "roc");
}

#[test]
fn test_momentum_each_missing_input_abstains() {
    let misses = |world: &World, name| {
        assert_alone(world, ID, (Side::Buy, name), Condition::Missing);
    };
    for timeframe in 0..3 {
        misses(&buy().with(|world| world.rsi[timeframe] = Value::ABSENT), "rsi_momentum");
    }
    misses(&buy().with(|world| world.tf.volume_ratio = Value::ABSENT), "volume");
    misses(&buy().with(|world| world.tf.donchian_high = Value::ABSENT), "breakout");
    misses(&buy().with(|world| world.tf.close = Value::ABSENT), "breakout");
    misses(&buy().with(|world| world.tf.roc10 = Value::ABSENT), "roc");
    // All conditions hold, but without ATR there is no stop.
    assert_alone(
        &buy().with(|world| world.tf.atr14 = Value::ABSENT),
        ID,
        (Side::Buy, "none"),
        Condition::Held,
    );
}

#[test]
fn test_momentum_leaves_when_rsi_crosses_the_middle_or_histogram_turns() {
    let rest = World::rest();
    assert!(!rest.vote(ID).exit_long && !rest.vote(ID).exit_short);
    let rsi_down = rest.with(|world| world.tf.rsi14 = v(49.9)).vote(ID);
    assert!(rsi_down.exit_long && !rsi_down.exit_short);
    let rsi_up = rest.with(|world| world.tf.rsi14 = v(50.1)).vote(ID);
    assert!(!rsi_up.exit_long && rsi_up.exit_short);
    let turn_down = rest.with(|world| world.tf.macd_histogram = v(-0.01)).vote(ID);
    assert!(turn_down.exit_long && !turn_down.exit_short);
    let turn_up = rest.with(|world| world.tf.macd_histogram = v(0.01)).vote(ID);
    assert!(!turn_up.exit_long && turn_up.exit_short);
    // Already below on the bar before: no cross.
    let stays = rest.with(|world| {
        world.tf.rsi14 = v(40.0);
        world.memory.push(&world.tf.clone());
    });
    assert!(!stays.vote(ID).exit_long);
}
