use utb_types::{Condition, Side, StrategyId, TfFeatures, Value};

use crate::strategies::Memory;
use crate::strategies::fixture::{World, assert_alone, assert_votes, v};

const ID: StrategyId = StrategyId::TrendFollowing;

/// Remembers these values of MACD minus signal, oldest first.
fn remember(world: &mut World, histograms: &[f64]) {
    for histogram in histograms {
        let closed = TfFeatures { macd_histogram: v(*histogram), ..world.tf };
        world.memory.push(&closed);
    }
}

fn buy() -> World {
    World::rest().with(|world| {
        world.tf.sma20 = v(99.0);
        world.tf.sma50 = v(98.0);
        world.tf.sma200 = v(96.0);
        world.tf.adx14 = v(30.0);
        world.tf.macd_histogram = v(0.25);
    })
}

fn sell() -> World {
    World::rest().with(|world| {
        world.tf.sma20 = v(101.0);
        world.tf.sma50 = v(102.0);
        world.tf.sma200 = v(104.0);
        world.tf.adx14 = v(30.0);
        world.tf.macd_histogram = v(-0.25);
    })
}

/// Excesses: smaller gap 1 / (0.02 x 100) = 1/2; (30 - 25)/25 = 1/5; 0.25/(0.5 x 2) = 1/4;
/// (100 - 99)/2 = 1/2; mean 1.45/4. Stop 98 - 0.5 x 2, target 100 + 3 x 2.
#[test]
fn test_trend_with_young_cross_votes_buy() {
    let strength = 0.5 + 0.5 * 1.45 / 4.0;
    assert_votes(&buy().vote(ID), Side::Buy, [strength, strength, 97.0, 106.0]);
}

#[test]
fn test_trend_down_votes_sell() {
    let strength = 0.5 + 0.5 * 1.45 / 4.0;
    assert_votes(&sell().vote(ID), Side::Sell, [strength, strength, 103.0, 94.0]);
}

#[test]
fn test_trend_each_condition_alone_fails() {
    let fails = |world: &World, side, name| {
        assert_alone(world, ID, (side, name), Condition::Failed);
    };
    fails(&buy().with(|world| world.tf.sma50 = v(99.0)), Side::Buy, "sma_stack");
    fails(&buy().with(|world| world.tf.sma200 = v(98.0)), Side::Buy, "sma_stack");
    fails(&buy().with(|world| world.tf.adx14 = v(25.0)), Side::Buy, "adx");
    fails(&buy().with(|world| world.tf.macd_histogram = v(0.0)), Side::Buy, "macd_cross");
    fails(&buy().with(|world| world.tf.close = v(99.0)), Side::Buy, "above_sma20");
    fails(&sell().with(|world| world.tf.sma50 = v(101.0)), Side::Sell, "sma_stack");
    fails(&sell().with(|world| world.tf.sma200 = v(102.0)), Side::Sell, "sma_stack");
    fails(&sell().with(|world| world.tf.adx14 = v(25.0)), Side::Sell, "adx");
    fails(&sell().with(|world| world.tf.macd_histogram = v(0.0)), Side::Sell, "macd_cross");
    fails(&sell().with(|world| world.tf.close = v(101.0)), Side::Sell, "above_sma20");
}

#[test]
fn test_trend_cross_counts_this_bar_and_the_two_before() {
    let state =
        |histograms: &[f64]| buy().with(|world| remember(world, histograms)).vote(ID).buy[2];
    assert_eq!(state(&[-0.1]), Condition::Held);
    assert_eq!(state(&[-0.1, 0.1]), Condition::Held);
    assert_eq!(state(&[-0.1, 0.1, 0.1]), Condition::Held);
    assert_eq!(state(&[-0.1, 0.1, 0.1, 0.1]), Condition::Failed);
    // Two bars ago it crossed; that MACD is below again now does not undo the cross.
    let below = buy().with(|world| {
        remember(world, &[-0.1, 0.1]);
        world.tf.macd_histogram = v(-0.01);
    });
    assert_eq!(below.vote(ID).buy[2], Condition::Held);
}

#[test]
fn test_trend_each_missing_input_abstains() {
    let misses = |world: &World, name| {
        assert_alone(world, ID, (Side::Buy, name), Condition::Missing);
    };
    misses(&buy().with(|world| world.tf.sma50 = Value::ABSENT), "sma_stack");
    misses(&buy().with(|world| world.tf.sma200 = Value::ABSENT), "sma_stack");
    misses(&buy().with(|world| world.tf.adx14 = Value::ABSENT), "adx");
    misses(&buy().with(|world| world.tf.macd_histogram = Value::ABSENT), "macd_cross");
    misses(&buy().with(|world| world.memory = Memory::new()), "macd_cross");
    misses(&buy().with(|world| world.tf.close = Value::ABSENT), "above_sma20");
    let vote = buy().with(|world| world.tf.sma20 = Value::ABSENT).vote(ID);
    assert_eq!((vote.side, vote.buy[0], vote.buy[3]), {
        (Side::Hold, Condition::Missing, Condition::Missing)
    });
    let no_stop = buy().with(|world| world.tf.atr14 = Value::ABSENT);
    assert_alone(&no_stop, ID, (Side::Buy, "none"), Condition::Held);
}

#[test]
fn test_trend_leaves_on_crossed_means_or_on_a_cross_down_while_adx_falls() {
    let rest = World::rest();
    assert!(!rest.vote(ID).exit_long && !rest.vote(ID).exit_short);
    let means = rest.with(|world| world.tf.sma20 = v(99.9)).vote(ID);
    assert!(means.exit_long && !means.exit_short);
    let cross = rest.with(|world| world.tf.macd_histogram = v(-0.1));
    assert!(!cross.vote(ID).exit_long, "ADX is flat");
    let falling = cross.with(|world| world.tf.adx14 = v(21.9)).vote(ID);
    assert!(falling.exit_long && !falling.exit_short);
    let mirror = rest.with(|world| {
        world.tf.macd_histogram = v(0.1);
        world.tf.adx14 = v(21.9);
    });
    assert!(!mirror.vote(ID).exit_long && mirror.vote(ID).exit_short);
}
