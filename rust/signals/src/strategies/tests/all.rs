use proptest::prelude::*;
use utb_types::{
    Condition, Context, HedgeContext, PatternSignal, SentimentContext, Side, StrategyId,
    TfFeatures, Value, Vote, WhaleContext,
};

use crate::strategies::fixture::{NOW_NS, World, params, v};
use crate::strategies::{COMPARISONS, CONDITIONS, ContextSet, vote_all};

#[test]
fn test_conditions_are_named_as_in_the_table() {
    let counts: Vec<usize> = CONDITIONS.iter().map(|names| names.len()).collect();
    assert_eq!(counts, [4, 3, 4, 3, 3, 4, 3, 3]);
    assert_eq!(CONDITIONS[StrategyId::StatisticalArbitrage.index()][2], "price_difference");
    assert_eq!(COMPARISONS.map(<[_]>::len).to_vec(), counts);
}

#[test]
fn test_measures_are_the_numbers_of_the_buy_side() {
    let mut world = World::rest();
    world.tf.adx14 = v(22.5);
    let vote = world.vote(StrategyId::TrendFollowing);
    let [stack, adx, cross, above] = vote.measures;
    assert_eq!((adx.value, adx.limit), (v(22.5), v(25.0)));
    assert_eq!((above.value, above.limit), (world.tf.close, world.tf.sma20));
    assert_eq!(stack.limit, v(0.0));
    assert!(!cross.value.is_present() && !cross.limit.is_present());
    world.tf.adx14 = Value::ABSENT;
    let [_, adx, ..] = world.vote(StrategyId::TrendFollowing).measures;
    assert_eq!((adx.value, adx.limit), (Value::ABSENT, v(25.0)));
}

#[test]
fn test_votes_without_any_input_are_all_missing() {
    let blind = World {
        now_ns: NOW_NS,
        tf: TfFeatures::default(),
        memory: crate::strategies::Memory::new(),
        rsi: [Value::ABSENT; 3],
        levels: utb_types::Levels::default(),
        bullish: PatternSignal::default(),
        bearish: PatternSignal::default(),
        stat: utb_types::StatFeatures::default(),
        context: ContextSet::default(),
    };
    for (strategy, vote) in StrategyId::ALL.into_iter().zip(vote_all(&blind.inputs(), &params())) {
        assert_eq!((vote.side, vote.exit_long, vote.exit_short), (Side::Hold, false, false));
        let known = [Condition::Failed, Condition::Missing, Condition::Failed, Condition::Missing];
        let pattern = strategy == StrategyId::PatternRecognition;
        assert_eq!(vote.buy, if pattern { known } else { [Condition::Missing; 4] });
    }
}

#[test]
fn test_votes_at_rest_hold() {
    let world = World::rest();
    for vote in vote_all(&world.inputs(), &params()) {
        assert_eq!(vote.side, Side::Hold);
    }
}

/// A momentum BUY of confidence 0.6875 with P(up) 0.75: x (1 + 0.2 x 0.5) = 0.75625.
#[test]
fn test_forecast_scales_the_vote_on_its_side() {
    let world = World::rest().with(|world| {
        world.rsi = [v(80.0), v(75.0), v(70.0)];
        world.tf.volume_ratio = v(2.25);
        world.tf.donchian_high = v(99.0);
        world.tf.roc10 = v(5.0);
        world.context.set(Context::Forecast { p_up: 0.75, skill: 0.01 }, NOW_NS);
    });
    let vote = world.vote(StrategyId::MomentumBreakthrough);
    assert!((vote.confidence - 0.756_25).abs() < 1e-12);
    let unskilled =
        world.with(|world| world.context.set(Context::Forecast { p_up: 0.75, skill: 0.0 }, NOW_NS));
    let vote = unskilled.vote(StrategyId::MomentumBreakthrough);
    assert!((vote.confidence - 0.6875).abs() < 1e-12);
}

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        1 => Just(Value::ABSENT),
        6 => (-200.0..200.0_f64).prop_map(Value::new),
        2 => (0.0..4.0_f64).prop_map(Value::new),
        1 => any::<f64>().prop_map(Value::new),
    ]
}

fn any_amount() -> impl Strategy<Value = f64> {
    prop_oneof![5 => 0.0..2e6_f64, 1 => Just(0.0), 1 => any::<f64>()]
}

prop_compose! {
    fn any_features()(
        values in proptest::collection::vec(any_value(), 17),
        close in prop_oneof![9 => 1.0..200.0_f64, 1 => any::<f64>()],
        atr in prop_oneof![9 => 0.0..5.0_f64, 1 => any::<f64>()],
    ) -> TfFeatures {
        TfFeatures {
            close: v(close),
            atr14: v(atr),
            sma20: values[0],
            sma50: values[1],
            sma200: values[2],
            rsi14: values[3],
            macd_histogram: values[4],
            bollinger_upper: values[5],
            bollinger_lower: values[6],
            adx14: values[7],
            volatility_ratio: values[8],
            volume_ratio: values[9],
            roc10: values[10],
            donchian_high: values[11],
            donchian_low: values[12],
            ..TfFeatures::default()
        }
    }
}

prop_compose! {
    fn any_world()(
        tf in any_features(),
        before in any_features(),
        more in proptest::collection::vec(any_value(), 16),
        amounts in proptest::collection::vec(any_amount(), 6),
        counts in proptest::collection::vec(0_u32..5, 3),
        age in 0..5_000_000_000_000_i64,
        confirmed in any::<bool>(),
    ) -> World {
        let mut world = World::rest();
        world.memory.push(&before);
        world.tf = tf;
        world.now_ns = NOW_NS + age;
        world.rsi = [more[0], more[1], more[2]];
        world.levels.support = more[3];
        world.levels.resistance = more[4];
        let pattern = PatternSignal {
            strength: more[5], high: more[6], low: more[7], target: more[8], confirmed,
            ..PatternSignal::default()
        };
        world.bullish = pattern;
        world.bearish = PatternSignal { strength: more[9], ..pattern };
        world.stat.z = more[10];
        world.stat.mean_log = more[11];
        world.stat.reversion_probability = more[12];
        let [buys_usd, sells_usd, outflow_usd, fair_price, residual_std, price] =
            amounts[..] else { unreachable!() };
        let whale = WhaleContext { buys_usd, sells_usd, wallets: counts[0], outflow_usd };
        world.context.set(Context::Whale(whale), NOW_NS);
        let sentiment = SentimentContext {
            overall: more[13], momentum: more[14], social_volume: more[15],
            news_positive: counts[1], news_negative: counts[2],
        };
        world.context.set(Context::Sentiment(sentiment), NOW_NS);
        let hedge = HedgeContext { fair_price, residual_std, reversion_probability: more[12].or_nan() };
        world.context.set(Context::Hedge(hedge), NOW_NS);
        world.context.set(Context::Venue { price }, NOW_NS);
        world.context.set(Context::Forecast { p_up: more[0].or_nan(), skill: 1.0 }, NOW_NS);
        world
    }
}

/// A known condition is what its measure says, where it has one.
fn check_measures(strategy: StrategyId, vote: &Vote) {
    let comparisons = COMPARISONS[strategy.index()];
    for (place, (op, measure)) in comparisons.iter().zip(&vote.measures).enumerate() {
        let (Some(op), Some(value), Some(limit)) = (op, measure.value.get(), measure.limit.get())
        else {
            continue;
        };
        let holds = match *op {
            ">" => value > limit,
            ">=" => value >= limit,
            "<" => value < limit,
            // `near_support`: not below the level either.
            "<=" => (0.0..=limit).contains(&value),
            other => panic!("unknown comparison {other}"),
        };
        let state = vote.buy[place];
        let expected = if holds { Condition::Held } else { Condition::Failed };
        assert!(state == expected || state == Condition::Missing, "{strategy:?} {place} {vote:?}");
    }
}

fn check(vote: &Vote, close: Value, used: usize) {
    assert!((0.0..=1.0).contains(&vote.strength), "{vote:?}");
    assert!((0.0..=1.0).contains(&vote.confidence), "{vote:?}");
    let states = match vote.side {
        Side::Hold => {
            assert!(!vote.stop.is_present() && !vote.target.is_present());
            return;
        }
        Side::Buy => vote.buy,
        Side::Sell => vote.sell,
    };
    assert!(vote.strength >= 0.5, "{vote:?}");
    assert!(vote.stop.is_present() && vote.target.is_present(), "{vote:?}");
    assert!(states[..used].iter().all(|state| *state == Condition::Held));
    if vote.side == Side::Buy {
        assert!(0.0 < vote.stop.or_nan() && vote.stop.or_nan() < close.or_nan());
        assert!(close.or_nan() < vote.target.or_nan());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn test_votes_of_any_inputs_are_numbers_in_range(world in any_world()) {
        let votes = vote_all(&world.inputs(), &params());
        for (strategy, vote) in StrategyId::ALL.into_iter().zip(&votes) {
            check(vote, world.tf.close, CONDITIONS[strategy.index()].len());
            check_measures(strategy, vote);
            prop_assert_eq!(*vote, world.vote(strategy));
        }
    }
}
