use utb_types::{Condition, Context, Side, StrategyId, Value, WhaleContext};

use crate::strategies::fixture::{HOUR_NS, NOW_NS, World, assert_alone, assert_votes};

const ID: StrategyId = StrategyId::WhaleTracking;

fn world(buys_usd: f64, sells_usd: f64, wallets: u32, outflow_usd: f64) -> World {
    World::rest().with(|world| {
        let whale = WhaleContext { buys_usd, sells_usd, wallets, outflow_usd };
        world.context.set(Context::Whale(whale), NOW_NS);
    })
}

/// Excesses: 9e5/1e5 = 9, (9 - 1.5)/1.5 clamps to 1; score 0.5 + 0.5 x 0.8 = 0.9, 0.2/0.3 = 2/3;
/// 5e5/1e6 = 1/2. Stop 100 - 1.5 x 2, target 100 + 2.5 x 2.
#[test]
fn test_whale_accumulation_votes_buy() {
    let strength = 0.5 + 0.5 * (1.0 + 2.0 / 3.0 + 0.5) / 3.0;
    let vote = world(9e5, 1e5, 3, 5e5).vote(ID);
    assert_votes(&vote, Side::Buy, [strength, strength, 97.0, 105.0]);
}

#[test]
fn test_whale_distribution_votes_sell() {
    let strength = 0.5 + 0.5 * (1.0 + 2.0 / 3.0 + 0.5) / 3.0;
    let vote = world(1e5, 9e5, 3, -5e5).vote(ID);
    assert_votes(&vote, Side::Sell, [strength, strength, 103.0, 95.0]);
}

/// A quarter of an hour old of one hour: confidence x 0.75.
#[test]
fn test_whale_confidence_decays_with_age_and_ends_at_the_limit() {
    let strength = 0.5 + 0.5 * (1.0 + 2.0 / 3.0 + 0.5) / 3.0;
    let mut aged = world(9e5, 1e5, 3, 5e5);
    aged.now_ns = NOW_NS + HOUR_NS / 4;
    assert_votes(&aged.vote(ID), Side::Buy, [strength, 0.75 * strength, 97.0, 105.0]);
    aged.now_ns = NOW_NS + HOUR_NS + 1;
    assert_eq!(aged.vote(ID), World::rest().vote(ID));
    aged.now_ns = NOW_NS - 1;
    assert_eq!(aged.vote(ID).buy, [Condition::Missing; 4]);
}

/// The ratio fails at exactly 1.5 only where the damping is off, so accumulation needs its own
/// threshold: 3e5/2e5 is a score of 0.6. With a threshold of 0.55 the ratio alone decides.
#[test]
fn test_whale_each_condition_alone_fails() {
    let fails = |world: &World, side, name| {
        assert_alone(world, ID, (side, name), Condition::Failed);
    };
    // Two of three wallets: 0.5 + 0.4 x 2/3 = 0.767 holds; one: 0.5 + 0.4/3 = 0.633 fails.
    assert_eq!(world(9e5, 1e5, 2, 5e5).vote(ID).side, Side::Buy);
    fails(&world(9e5, 1e5, 1, 5e5), Side::Buy, "accumulation");
    fails(&world(9e5, 1e5, 3, 0.0), Side::Buy, "outflow");
    fails(&world(1e5, 9e5, 1, -5e5), Side::Sell, "accumulation");
    fails(&world(1e5, 9e5, 3, 0.0), Side::Sell, "outflow");
    let mut params = crate::strategies::fixture::params();
    params.thresholds.whale_accumulation = 0.55;
    let vote = |buys, sells, outflow| {
        super::super::vote(ID, &world(buys, sells, 3, outflow).inputs(), &params)
    };
    let failed = [Condition::Failed, Condition::Held, Condition::Held];
    let at_limit = vote(3e5, 2e5, 5e5);
    assert_eq!((at_limit.side, &at_limit.buy[..3]), (Side::Hold, &failed[..]));
    assert_eq!(vote(3.001e5, 2e5, 5e5).side, Side::Buy);
    let at_limit = vote(2e5, 3e5, -5e5);
    assert_eq!((at_limit.side, &at_limit.sell[..3]), (Side::Hold, &failed[..]));
}

/// Without sells the ratio is infinite, its excess 1; the score is 1: (1 - 0.7)/0.3 = 1.
#[test]
fn test_whale_buys_without_sells_hold_the_ratio() {
    let strength = 0.5 + 0.5 * 2.5 / 3.0;
    let vote = world(2e5, 0.0, 3, 5e5).vote(ID);
    assert_votes(&vote, Side::Buy, [strength, strength, 97.0, 105.0]);
}

#[test]
fn test_whale_no_activity_is_known_and_fails() {
    let vote = world(0.0, 0.0, 0, 0.0).vote(ID);
    let failed = [Condition::Failed, Condition::Failed, Condition::Failed, Condition::Missing];
    assert_eq!((vote.side, vote.buy, vote.sell), (Side::Hold, failed, failed));
    assert!(!vote.exit_long && !vote.exit_short);
}

#[test]
fn test_whale_missing_input_abstains() {
    assert_eq!(World::rest().vote(ID).buy, [Condition::Missing; 4]);
    for broken in [
        world(f64::NAN, 1e5, 3, 5e5),
        world(9e5, f64::INFINITY, 3, 5e5),
        world(9e5, -1.0, 3, 5e5),
        world(9e5, 1e5, 3, f64::NAN),
    ] {
        assert_eq!(broken.vote(ID).buy, [Condition::Missing; 4]);
        assert_eq!(broken.vote(ID).side, Side::Hold);
    }
    let no_stop = world(9e5, 1e5, 3, 5e5).with(|world| world.tf.atr14 = Value::ABSENT);
    assert_alone(&no_stop, ID, (Side::Buy, "none"), Condition::Held);
}

#[test]
fn test_whale_leaves_on_distribution() {
    let exits = |buys, sells, wallets| {
        let vote = world(buys, sells, wallets, 0.0).vote(ID);
        (vote.exit_long, vote.exit_short)
    };
    assert_eq!(exits(2e5, 3e5, 3), (false, false)); // at the ratio, score 0.4
    assert_eq!(exits(2e5, 3.01e5, 3), (true, false));
    assert_eq!(exits(3.01e5, 2e5, 3), (false, true));
    assert_eq!(exits(2e5, 2e5, 3), (false, false));
}
