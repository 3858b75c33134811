use utb_types::{Condition, Side, StrategyId, Value};

use crate::strategies::fixture::{World, assert_alone, assert_votes, v};

const ID: StrategyId = StrategyId::VolatilityBreakout;

fn buy() -> World {
    World::rest().with(|world| {
        world.tf.volatility_ratio = v(2.7);
        world.tf.volume_ratio = v(3.0);
        world.tf.bollinger_upper = v(98.5);
    })
}

fn sell() -> World {
    World::rest().with(|world| {
        world.tf.volatility_ratio = v(2.7);
        world.tf.volume_ratio = v(3.0);
        world.tf.bollinger_lower = v(101.5);
    })
}

/// Excesses: (2.7 - 1.8)/1.8 = 1/2; (3 - 2)/2 = 1/2; 1.5/2 = 3/4. Stop 100 - 2, target 100 + 4.
#[test]
fn test_volatility_break_of_upper_band_votes_buy() {
    let strength = 0.5 + 0.5 * 1.75 / 3.0;
    assert_votes(&buy().vote(ID), Side::Buy, [strength, strength, 98.0, 104.0]);
}

#[test]
fn test_volatility_break_of_lower_band_votes_sell() {
    let strength = 0.5 + 0.5 * 1.75 / 3.0;
    assert_votes(&sell().vote(ID), Side::Sell, [strength, strength, 102.0, 96.0]);
}

#[test]
fn test_volatility_each_condition_alone_fails() {
    let fails = |world: &World, side, name| {
        assert_alone(world, ID, (side, name), Condition::Failed);
    };
    for (world, side) in [(buy(), Side::Buy), (sell(), Side::Sell)] {
        let calm = world.with(|world| world.tf.volatility_ratio = v(1.8));
        fails(&calm, side, "volatility_ratio");
        fails(&world.with(|world| world.tf.volume_ratio = v(2.0)), side, "volume");
        let inside = world.with(|world| {
            world.tf.bollinger_upper = v(100.0);
            world.tf.bollinger_lower = v(100.0);
        });
        fails(&inside, side, "band_break");
    }
}

#[test]
fn test_volatility_each_missing_input_abstains() {
    let misses = |world: &World, name| {
        assert_alone(world, ID, (Side::Buy, name), Condition::Missing);
    };
    misses(&buy().with(|world| world.tf.volatility_ratio = Value::ABSENT), "volatility_ratio");
    misses(&buy().with(|world| world.tf.volume_ratio = Value::ABSENT), "volume");
    misses(&buy().with(|world| world.tf.bollinger_upper = Value::ABSENT), "band_break");
    misses(&buy().with(|world| world.tf.close = Value::ABSENT), "band_break");
    let no_stop = buy().with(|world| world.tf.atr14 = Value::ABSENT);
    assert_alone(&no_stop, ID, (Side::Buy, "none"), Condition::Held);
}

#[test]
fn test_volatility_leaves_when_it_normalises() {
    let exits = |ratio| {
        let vote = World::rest().with(|world| world.tf.volatility_ratio = ratio).vote(ID);
        (vote.exit_long, vote.exit_short)
    };
    assert_eq!(exits(v(1.19)), (true, true));
    assert_eq!(exits(v(1.2)), (false, false));
    assert_eq!(exits(Value::ABSENT), (false, false));
}
