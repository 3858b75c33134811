use utb_types::{Condition, Side, StrategyId, Value};

use crate::strategies::fixture::{World, assert_alone, assert_votes, v};

const ID: StrategyId = StrategyId::MeanReversion;

fn buy() -> World {
    World::rest().with(|world| {
        world.tf.sma20 = v(106.0);
        world.tf.bollinger_lower = v(101.0);
        world.tf.rsi14 = v(30.0);
        world.tf.volume_ratio = v(1.5);
    })
}

fn sell() -> World {
    World::rest().with(|world| {
        world.tf.sma20 = v(95.0);
        world.tf.bollinger_upper = v(99.0);
        world.tf.rsi14 = v(70.0);
        world.tf.volume_ratio = v(1.5);
    })
}

/// Excesses: band (101 - 100)/2 = 1/2, RSI none, the larger 1/2; deviation 6/106 = 3/53, so
/// (3/53 - 0.03)/0.03 = 47/53; volume (1.5 - 1)/1 = 1/2. Stop 97, target SMA20.
#[test]
fn test_mean_reversion_below_band_votes_buy() {
    let strength = 0.5 + 0.5 * (0.5 + 47.0 / 53.0 + 0.5) / 3.0;
    assert_votes(&buy().vote(ID), Side::Buy, [strength, strength, 97.0, 106.0]);
}

/// Deviation 5/95 = 1/19: (1/19 - 0.03)/0.03 = 43/57.
#[test]
fn test_mean_reversion_above_band_votes_sell() {
    let strength = 0.5 + 0.5 * (0.5 + 43.0 / 57.0 + 0.5) / 3.0;
    assert_votes(&sell().vote(ID), Side::Sell, [strength, strength, 103.0, 95.0]);
}

/// RSI 15: (25 - 15)/25 = 0.4 replaces the band's excess.
#[test]
fn test_mean_reversion_oversold_inside_band_votes_buy() {
    let world = buy().with(|world| {
        world.tf.bollinger_lower = v(99.0);
        world.tf.rsi14 = v(15.0);
    });
    let strength = 0.5 + 0.5 * (0.4 + 47.0 / 53.0 + 0.5) / 3.0;
    assert_votes(&world.vote(ID), Side::Buy, [strength, strength, 97.0, 106.0]);
    let mirror = sell().with(|world| {
        world.tf.bollinger_upper = v(101.0);
        world.tf.rsi14 = v(85.0);
    });
    assert_eq!(mirror.vote(ID).side, Side::Sell);
}

#[test]
fn test_mean_reversion_each_condition_alone_fails() {
    let fails = |world: &World, side, name| {
        assert_alone(world, ID, (side, name), Condition::Failed);
    };
    let inside = buy().with(|world| {
        world.tf.bollinger_lower = v(100.0);
        world.tf.rsi14 = v(25.0);
    });
    fails(&inside, Side::Buy, "band_or_rsi");
    fails(&buy().with(|world| world.tf.sma20 = v(103.0)), Side::Buy, "deviation");
    fails(&buy().with(|world| world.tf.volume_ratio = v(1.0)), Side::Buy, "volume");
    let inside = sell().with(|world| {
        world.tf.bollinger_upper = v(100.0);
        world.tf.rsi14 = v(75.0);
    });
    fails(&inside, Side::Sell, "band_or_rsi");
    fails(&sell().with(|world| world.tf.sma20 = v(97.1)), Side::Sell, "deviation");
    fails(&sell().with(|world| world.tf.volume_ratio = v(1.0)), Side::Sell, "volume");
}

#[test]
fn test_mean_reversion_each_missing_input_abstains() {
    let misses = |world: &World, name| {
        assert_alone(world, ID, (Side::Buy, name), Condition::Missing);
    };
    misses(&buy().with(|world| world.tf.bollinger_lower = Value::ABSENT), "band_or_rsi");
    misses(&buy().with(|world| world.tf.rsi14 = Value::ABSENT), "band_or_rsi");
    misses(&buy().with(|world| world.tf.sma20 = Value::ABSENT), "deviation");
    misses(&buy().with(|world| world.tf.volume_ratio = Value::ABSENT), "volume");
    let vote = buy().with(|world| world.tf.close = Value::ABSENT).vote(ID);
    assert_eq!(vote.side, Side::Hold);
    assert_eq!(vote.buy[..3], [Condition::Missing, Condition::Missing, Condition::Held]);
}

#[test]
fn test_mean_reversion_leaves_at_the_mean() {
    let at = World::rest().vote(ID);
    assert!(at.exit_long && at.exit_short);
    let below = World::rest().with(|world| world.tf.close = v(99.9)).vote(ID);
    assert!(!below.exit_long && below.exit_short);
    let unknown = World::rest().with(|world| world.tf.sma20 = Value::ABSENT).vote(ID);
    assert!(!unknown.exit_long && !unknown.exit_short);
}
