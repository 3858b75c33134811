use utb_types::{Condition, Context, SentimentContext, Side, StrategyId, Value};

use crate::strategies::fixture::{HOUR_NS, NOW_NS, World, assert_alone, assert_votes, v};

const ID: StrategyId = StrategyId::SentimentMomentum;

const UP: SentimentContext = SentimentContext {
    overall: v(0.85),
    momentum: v(0.65),
    social_volume: v(0.7),
    news_positive: 2,
    news_negative: 0,
};
const DOWN: SentimentContext = SentimentContext {
    overall: v(0.15),
    momentum: v(-0.65),
    social_volume: v(0.7),
    news_positive: 0,
    news_negative: 2,
};

fn world(sentiment: SentimentContext) -> World {
    World::rest().with(|world| world.context.set(Context::Sentiment(sentiment), NOW_NS))
}

/// Excesses: 0.15/0.3 = 1/2; 0.35/0.7 = 1/2; 0.1/0.4 = 1/4; (2 - 1)/4 = 1/4; mean 3/8.
/// Stop 100 - 1.3 x 2, target 100 + 2 x 2.
#[test]
fn test_sentiment_rising_votes_buy() {
    assert_votes(&world(UP).vote(ID), Side::Buy, [0.6875, 0.6875, 97.4, 104.0]);
}

#[test]
fn test_sentiment_falling_votes_sell() {
    assert_votes(&world(DOWN).vote(ID), Side::Sell, [0.6875, 0.6875, 102.6, 96.0]);
}

#[test]
fn test_sentiment_confidence_decays_with_age_and_ends_at_the_limit() {
    let mut aged = world(UP);
    aged.now_ns = NOW_NS + HOUR_NS / 2;
    assert_votes(&aged.vote(ID), Side::Buy, [0.6875, 0.343_75, 97.4, 104.0]);
    aged.now_ns = NOW_NS + HOUR_NS + 1;
    assert_eq!(aged.vote(ID).buy, [Condition::Missing; 4]);
}

#[test]
fn test_sentiment_each_condition_alone_fails() {
    let fails = |sentiment, side, name| {
        assert_alone(&world(sentiment), ID, (side, name), Condition::Failed);
    };
    fails(SentimentContext { overall: v(0.7), ..UP }, Side::Buy, "overall");
    fails(SentimentContext { momentum: v(0.3), ..UP }, Side::Buy, "momentum");
    fails(SentimentContext { social_volume: v(0.6), ..UP }, Side::Buy, "social_volume");
    fails(SentimentContext { news_positive: 0, news_negative: 3, ..UP }, Side::Buy, "news");
    fails(SentimentContext { overall: v(0.3), ..DOWN }, Side::Sell, "overall");
    fails(SentimentContext { momentum: v(-0.3), ..DOWN }, Side::Sell, "momentum");
    fails(SentimentContext { social_volume: v(0.6), ..DOWN }, Side::Sell, "social_volume");
    fails(SentimentContext { news_positive: 3, news_negative: 0, ..DOWN }, Side::Sell, "news");
}

#[test]
fn test_sentiment_each_missing_input_abstains() {
    let misses = |sentiment, name| {
        assert_alone(&world(sentiment), ID, (Side::Buy, name), Condition::Missing);
    };
    misses(SentimentContext { overall: Value::ABSENT, ..UP }, "overall");
    misses(SentimentContext { momentum: Value::ABSENT, ..UP }, "momentum");
    misses(SentimentContext { social_volume: Value::ABSENT, ..UP }, "social_volume");
    assert_eq!(World::rest().vote(ID).buy, [Condition::Missing; 4]);
    let no_stop = world(UP).with(|world| world.tf.atr14 = Value::ABSENT);
    assert_alone(&no_stop, ID, (Side::Buy, "none"), Condition::Held);
}

#[test]
fn test_sentiment_leaves_below_the_middle() {
    let exits = |overall| {
        let vote = world(SentimentContext { overall, ..UP }).vote(ID);
        (vote.exit_long, vote.exit_short)
    };
    assert_eq!(exits(v(0.49)), (true, false));
    assert_eq!(exits(v(0.5)), (false, false));
    assert_eq!(exits(v(0.51)), (false, true));
    assert_eq!(exits(Value::ABSENT), (false, false));
}
