use utb_types::{Condition, Context, HedgeContext, Side, StatFeatures, StrategyId, Value};

use crate::strategies::fixture::{HOUR_NS, NOW_NS, World, assert_alone, assert_votes, v};

const ID: StrategyId = StrategyId::StatisticalArbitrage;

/// Own statistics: z, P(reversion) 0.85, mean price 103 or 97; the other venue at that price.
fn own(z: f64, mean_price: f64) -> World {
    World::rest().with(|world| {
        world.stat = StatFeatures {
            z: v(z),
            mean_log: v(mean_price.ln()),
            std_log: v(0.01),
            reversion_probability: v(0.85),
        };
        world.context.set(Context::Venue { price: mean_price }, NOW_NS);
    })
}

fn hedged(fair_price: f64, residual_std: f64) -> World {
    World::rest().with(|world| {
        let hedge = HedgeContext { fair_price, residual_std, reversion_probability: 0.85 };
        world.context.set(Context::Hedge(hedge), NOW_NS);
    })
}

/// Excesses: (3 - 2)/2 = 1/2; 0.15/0.3 = 1/2; difference 3/103, (3/103 - 0.005)/0.01 clamps to 1.
/// Stop 100 - 0.8 x 2, target exp(mean log).
#[test]
fn test_statistical_low_price_votes_buy() {
    let strength = 0.5 + 0.5 * 2.0 / 3.0;
    assert_votes(&own(-3.0, 103.0).vote(ID), Side::Buy, [strength, 0.85, 98.4, 103.0]);
}

#[test]
fn test_statistical_high_price_votes_sell() {
    let strength = 0.5 + 0.5 * 2.0 / 3.0;
    assert_votes(&own(3.0, 97.0).vote(ID), Side::Sell, [strength, 0.85, 101.6, 97.0]);
}

/// ln(100/102) = -0.019803; over 0.0066 that is z = -3.00; difference 2/102.
#[test]
fn test_statistical_hedge_basket_replaces_own_statistics() {
    let world = hedged(102.0, 0.0066);
    let z = (102.0_f64 / 100.0).ln() / 0.0066;
    let strength = 0.5 + 0.5 * ((z - 2.0) / 2.0 + 0.5 + 1.0) / 3.0;
    assert_votes(&world.vote(ID), Side::Buy, [strength, 0.85, 98.4, 102.0]);
    let mirror = hedged(98.0, 0.0066).vote(ID);
    assert_eq!((mirror.side, mirror.target), (Side::Sell, v(98.0)));
}

#[test]
fn test_statistical_confidence_decays_and_old_hedge_gives_way_to_own_statistics() {
    let mut aged = hedged(102.0, 0.0066);
    aged.now_ns = NOW_NS + HOUR_NS / 2;
    assert!((aged.vote(ID).confidence - 0.425).abs() < 1e-12);
    aged.now_ns = NOW_NS + HOUR_NS + 1;
    // At rest: own z 1 and probability 0.5 fail, and no other venue is known.
    let expected = [Condition::Failed, Condition::Failed, Condition::Missing, Condition::Missing];
    assert_eq!(aged.vote(ID).buy, expected);
}

#[test]
fn test_statistical_each_condition_alone_fails() {
    let fails = |world: &World, side, name| {
        assert_alone(world, ID, (side, name), Condition::Failed);
    };
    for (world, side, at, same) in
        [(own(-3.0, 103.0), Side::Buy, -2.0, 100.5), (own(3.0, 97.0), Side::Sell, 2.0, 99.6)]
    {
        fails(&world.with(|world| world.stat.z = v(at)), side, "z");
        let unsure = world.with(|world| world.stat.reversion_probability = v(0.7));
        fails(&unsure, side, "reversion_probability");
        let equal = world.with(|world| world.context.set(Context::Venue { price: same }, NOW_NS));
        fails(&equal, side, "price_difference");
    }
}

#[test]
fn test_statistical_each_missing_input_abstains() {
    let misses = |world: &World, name| {
        assert_alone(world, ID, (Side::Buy, name), Condition::Missing);
    };
    let buy = own(-3.0, 103.0);
    misses(&buy.with(|world| world.stat.z = Value::ABSENT), "z");
    let unsure = buy.with(|world| world.stat.reversion_probability = Value::ABSENT);
    misses(&unsure, "reversion_probability");
    misses(&buy.with(|world| world.context.venue = None), "price_difference");
    misses(&buy.with(|world| world.tf.close = Value::ABSENT), "price_difference");
    let zero = buy.with(|world| world.context.set(Context::Venue { price: 0.0 }, NOW_NS));
    misses(&zero, "price_difference");
    let mut old = buy.clone();
    old.now_ns = NOW_NS + HOUR_NS + 1;
    misses(&old, "price_difference");
    for absent in [
        buy.with(|world| world.stat.mean_log = Value::ABSENT),
        buy.with(|world| world.tf.atr14 = Value::ABSENT),
    ] {
        assert_alone(&absent, ID, (Side::Buy, "none"), Condition::Held);
    }
    assert_eq!(hedged(102.0, 0.0).vote(ID).buy[2], Condition::Missing);
}

#[test]
fn test_statistical_leaves_near_the_mean() {
    let exits = |z| {
        let vote = World::rest().with(|world| world.stat.z = z).vote(ID);
        (vote.exit_long, vote.exit_short)
    };
    assert_eq!(exits(v(0.49)), (true, true));
    assert_eq!(exits(v(-0.49)), (true, true));
    assert_eq!(exits(v(0.5)), (false, false));
    assert_eq!(exits(Value::ABSENT), (false, false));
}
