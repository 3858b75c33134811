//! Goldens worked by hand, with the weights of the user guide: momentum 0.15, mean reversion 0.12,
//! trend 0.14, volatility 0.13, whale 0.16, sentiment 0.11, pattern 0.10, statistical 0.09.

use proptest::prelude::*;
use utb_types::{HoldReason, Regime, Side, StrategyId, TfFeatures, Value, Vote};

use super::{Action, Standing, Verdict, regime};
use crate::strategies::fixture::{WEIGHTS, World, ensemble, params, v};

const MOMENTUM: usize = 0;
const REVERSION: usize = 1;
const TREND: usize = 2;
const VOLATILITY: usize = 3;
const WHALE: usize = 4;

fn cast(side: Side, strength: f64, confidence: f64) -> Vote {
    let (stop, target) = if side == Side::Buy { (90.0, 110.0) } else { (110.0, 90.0) };
    Vote { side, strength, confidence, stop: v(stop), target: v(target), ..Vote::default() }
}

fn votes(cast: &[(usize, Vote)]) -> [Vote; 8] {
    let mut votes = [Vote::default(); 8];
    for (index, vote) in cast {
        votes[*index] = *vote;
    }
    votes
}

fn close(standing: &mut Standing, cast: &[(usize, Vote)]) -> Verdict {
    standing.on_close(&votes(cast), &World::rest().inputs(), &WEIGHTS, &params())
}

#[track_caller]
fn action(verdict: Verdict) -> Action {
    match verdict {
        Verdict::Act(action) => action,
        Verdict::Hold(reason) => panic!("held: {reason:?}"),
    }
}

fn near(found: f64, expected: f64) -> bool {
    (found - expected).abs() < 1e-12
}

/// BUY mass 0.15 x 0.8 + 0.14 x 0.6 = 0.204; SELL mass 0.12 x 0.5 = 0.06; consensus 0.204/0.264;
/// participation 0.41; confidence (0.15 x 0.9 + 0.14 x 0.7)/0.29 = 0.233/0.29; lead momentum
/// (0.12 > 0.084), whose levels at close 100 and ATR 2 are 97.6 and 105.
#[test]
fn test_ensemble_majority_acts_with_lead_and_numbers() {
    let verdict = close(
        &mut Standing::new(),
        &[
            (MOMENTUM, cast(Side::Buy, 0.8, 0.9)),
            (TREND, cast(Side::Buy, 0.6, 0.7)),
            (REVERSION, cast(Side::Sell, 0.5, 0.5)),
        ],
    );
    let action = action(verdict);
    assert_eq!((action.side, action.lead), (Side::Buy, StrategyId::MomentumBreakthrough));
    assert!(near(action.consensus, 0.204 / 0.264));
    assert!(near(action.participation, 0.41));
    assert!(near(action.confidence, 0.233 / 0.29));
    assert_eq!((action.stop, action.target), (v(97.6), v(105.0)));
    assert_eq!(action.standing.sides[REVERSION], Side::Sell);
    assert!(near(action.standing.strengths[TREND], 0.6));
}

#[test]
fn test_ensemble_sell_majority_acts() {
    let verdict = close(
        &mut Standing::new(),
        &[(WHALE, cast(Side::Sell, 0.9, 0.9)), (VOLATILITY, cast(Side::Sell, 0.9, 0.9))],
    );
    let action = action(verdict);
    assert_eq!((action.side, action.lead), (Side::Sell, StrategyId::WhaleTracking));
    assert!(near(action.consensus, 1.0) && near(action.participation, 0.29));
}

#[test]
fn test_ensemble_holds_with_each_reason() {
    let hold = |cast: &[(usize, Vote)]| close(&mut Standing::new(), cast);
    assert_eq!(hold(&[]), Verdict::Hold(HoldReason::NoVotes));
    // The heaviest lone voice is 0.16 < 0.20.
    let alone = [(WHALE, cast(Side::Buy, 1.0, 1.0))];
    assert_eq!(hold(&alone), Verdict::Hold(HoldReason::LowParticipation));
    // 0.15 x 0.8 = 0.12 against 0.16 x 0.5 = 0.08: 0.6 < 0.65.
    let split = [(MOMENTUM, cast(Side::Buy, 0.8, 1.0)), (WHALE, cast(Side::Sell, 0.5, 1.0))];
    assert_eq!(hold(&split), Verdict::Hold(HoldReason::LowConsensus));
    let unsure = [(MOMENTUM, cast(Side::Buy, 0.8, 0.6)), (WHALE, cast(Side::Buy, 0.8, 0.59))];
    assert_eq!(hold(&unsure), Verdict::Hold(HoldReason::LowConfidence));
    let mut cold = World::rest();
    cold.tf.atr14 = Value::ABSENT;
    let cast = votes(&[(MOMENTUM, cast(Side::Buy, 1.0, 1.0)), (WHALE, cast(Side::Buy, 1.0, 1.0))]);
    let verdict = Standing::new().on_close(&cast, &cold.inputs(), &WEIGHTS, &params());
    assert_eq!(verdict, Verdict::Hold(HoldReason::WarmUp));
}

/// 0.12 x 0.5 = 0.1 x 0.6: masses equal to the last bit or not, a draw has no consensus.
#[test]
fn test_ensemble_draw_holds_even_without_a_consensus_limit() {
    let mut params = params();
    params.ensemble.min_consensus = 0.0;
    let cast = votes(&[(REVERSION, cast(Side::Buy, 0.5, 1.0)), (6, cast(Side::Sell, 0.6, 1.0))]);
    let verdict = Standing::new().on_close(&cast, &World::rest().inputs(), &WEIGHTS, &params);
    assert_eq!(verdict, Verdict::Hold(HoldReason::LowConsensus));
}

/// 0.11 + 0.09 is 0.2 but for the last bit: the slack lets it pass. So for confidence 0.6.
#[test]
fn test_ensemble_thresholds_have_slack() {
    let verdict = close(
        &mut Standing::new(),
        &[(5, cast(Side::Buy, 0.7, 0.6)), (7, cast(Side::Buy, 0.7, 0.6))],
    );
    assert_eq!(action(verdict).lead, StrategyId::SentimentMomentum);
    // 0.13 x 0.65 against 0.07 x 0.65 ... with equal strengths: weights 0.65 to 0.35.
    let mut weights = [0.0; 8];
    weights[MOMENTUM] = 0.65;
    weights[WHALE] = 0.35;
    let cast = votes(&[(MOMENTUM, cast(Side::Buy, 0.7, 0.6)), (WHALE, cast(Side::Sell, 0.7, 0.6))]);
    let verdict = Standing::new().on_close(&cast, &World::rest().inputs(), &weights, &params());
    assert!(near(action(verdict).consensus, 0.65));
}

/// 0.12 x 0.5 = 0.06 and 0.1 x 0.6 = 0.06: the table's order decides.
#[test]
fn test_ensemble_lead_tie_is_first_of_the_table() {
    let verdict = close(
        &mut Standing::new(),
        &[(6, cast(Side::Buy, 0.6, 1.0)), (REVERSION, cast(Side::Buy, 0.5, 1.0))],
    );
    assert_eq!(action(verdict).lead, StrategyId::MeanReversion);
}

/// A vote of strength 0.6 is 0.6 x (1 - age/6) at ages 0..5 and gone at 6.
#[test]
fn test_ensemble_vote_decays_linearly_and_ends_at_the_horizon() {
    let mut standing = Standing::new();
    close(&mut standing, &[(WHALE, cast(Side::Buy, 0.6, 1.0))]);
    for age in 0..6_u32 {
        let view = standing.view(&ensemble());
        assert_eq!(view.sides[WHALE], Side::Buy);
        assert!(near(view.strengths[WHALE], 0.6 * f64::from(6 - age) / 6.0));
        close(&mut standing, &[]);
    }
    assert_eq!(standing.view(&ensemble()).sides[WHALE], Side::Hold);
    assert_eq!(close(&mut standing, &[]), Verdict::Hold(HoldReason::NoVotes));
}

/// Whale three bars ago (0.16 x 0.8 x 0.5 = 0.064) joins momentum now (0.15 x 0.8 = 0.12).
#[test]
fn test_ensemble_standing_vote_joins_a_later_one() {
    let mut standing = Standing::new();
    close(&mut standing, &[(WHALE, cast(Side::Buy, 0.8, 0.8))]);
    close(&mut standing, &[]);
    close(&mut standing, &[]);
    let action = action(close(&mut standing, &[(MOMENTUM, cast(Side::Buy, 0.8, 0.8))]));
    assert_eq!(action.lead, StrategyId::MomentumBreakthrough);
    assert!(near(action.standing.strengths[WHALE], 0.4));
}

/// The lead voted at another price: its levels are those of an entry now, at 100 with ATR 2.
#[test]
fn test_ensemble_old_lead_gets_levels_of_an_entry_now() {
    let mut standing = Standing::new();
    close(&mut standing, &[(WHALE, cast(Side::Buy, 1.0, 0.8))]);
    let action = action(close(&mut standing, &[(7, cast(Side::Buy, 0.6, 0.8))]));
    assert_eq!(action.lead, StrategyId::WhaleTracking);
    assert_eq!((action.stop, action.target), (v(97.0), v(105.0)));
}

#[test]
fn test_ensemble_lead_without_levels_now_keeps_those_of_its_vote() {
    let mut world = World::rest();
    world.tf.sma20 = Value::ABSENT;
    let cast = votes(&[(REVERSION, cast(Side::Buy, 1.0, 0.8)), (7, cast(Side::Buy, 0.6, 0.8))]);
    let verdict = Standing::new().on_close(&cast, &world.inputs(), &WEIGHTS, &params());
    assert_eq!((action(verdict).stop, action(verdict).target), (v(90.0), v(110.0)));
}

#[test]
fn test_ensemble_new_side_replaces_and_hold_does_not() {
    let mut standing = Standing::new();
    close(&mut standing, &[(WHALE, cast(Side::Buy, 0.6, 1.0))]);
    close(&mut standing, &[]);
    assert_eq!(standing.view(&ensemble()).sides[WHALE], Side::Buy);
    close(&mut standing, &[(WHALE, cast(Side::Sell, 0.9, 0.4))]);
    let view = standing.view(&ensemble());
    assert_eq!(view.sides[WHALE], Side::Sell);
    assert!(near(view.strengths[WHALE], 0.9) && near(view.confidences[WHALE], 0.4));
}

#[test]
fn test_ensemble_early_exit_ends_the_vote_of_its_side() {
    let long = Vote { exit_long: true, ..Vote::default() };
    let short = Vote { exit_short: true, ..Vote::default() };
    for (side, ends, stays) in [(Side::Buy, long, short), (Side::Sell, short, long)] {
        let mut standing = Standing::new();
        close(&mut standing, &[(WHALE, cast(side, 0.6, 1.0))]);
        close(&mut standing, &[(WHALE, stays)]);
        assert_eq!(standing.view(&ensemble()).sides[WHALE], side);
        close(&mut standing, &[(WHALE, ends)]);
        assert_eq!(standing.view(&ensemble()).sides[WHALE], Side::Hold);
    }
    // A BUY that its own strategy would leave at once does not stand.
    let mut standing = Standing::new();
    close(&mut standing, &[(WHALE, Vote { exit_long: true, ..cast(Side::Buy, 0.6, 1.0) })]);
    assert_eq!(standing.view(&ensemble()).sides[WHALE], Side::Hold);
}

#[test]
fn test_ensemble_decision_consumes_the_winning_side_only() {
    let mut standing = Standing::new();
    let sides = [
        (MOMENTUM, cast(Side::Buy, 1.0, 0.9)),
        (TREND, cast(Side::Buy, 1.0, 0.9)),
        (REVERSION, cast(Side::Sell, 0.5, 0.5)),
    ];
    action(close(&mut standing, &sides));
    let view = standing.view(&ensemble());
    assert_eq!(view.sides[..3], [Side::Hold, Side::Sell, Side::Hold]);
    // What is left is no majority of its own.
    assert_eq!(close(&mut standing, &[]), Verdict::Hold(HoldReason::LowParticipation));
    action(close(&mut standing, &sides));
}

#[test]
fn test_ensemble_tick_takes_only_masked_votes_and_does_not_age() {
    let mut standing = Standing::new();
    let both = votes(&[(MOMENTUM, cast(Side::Buy, 0.6, 0.9)), (WHALE, cast(Side::Buy, 0.6, 0.9))]);
    let world = World::rest();
    let tick = |standing: &mut Standing, votes: &[Vote; 8], mask: u8| {
        standing.on_tick((votes, mask), &world.inputs(), &WEIGHTS, &params())
    };
    let verdict = tick(&mut standing, &both, 1 << WHALE);
    assert_eq!(verdict, Verdict::Hold(HoldReason::LowParticipation));
    assert!(near(standing.view(&ensemble()).strengths[WHALE], 0.6));
    action(tick(&mut standing, &both, 0b1_0001));
    // The same votes on the next tick are not fresh; after a HOLD they are.
    assert_eq!(tick(&mut standing, &both, 0b1_0001), Verdict::Hold(HoldReason::NoVotes));
    tick(&mut standing, &votes(&[]), 0b1_0001);
    action(tick(&mut standing, &both, 0b1_0001));
    // A close makes them fresh, too.
    action(close(&mut standing, &[(MOMENTUM, both[MOMENTUM]), (WHALE, both[WHALE])]));
}

#[test]
fn test_ensemble_reset_forgets() {
    let mut standing = Standing::new();
    close(&mut standing, &[(WHALE, cast(Side::Buy, 0.6, 1.0))]);
    standing.reset();
    assert_eq!(standing, Standing::new());
}

#[test]
fn test_regime_turbulent_wins_and_bounds_are_strict() {
    let of = |adx, ratio| {
        let tf = TfFeatures { adx14: adx, volatility_ratio: ratio, ..TfFeatures::default() };
        regime(&tf, &ensemble())
    };
    assert_eq!(of(v(30.0), v(1.51)), Regime::Turbulent);
    assert_eq!(of(v(30.0), v(1.5)), Regime::Trending);
    assert_eq!(of(v(25.0), v(1.0)), Regime::Neutral);
    assert_eq!(of(v(20.0), v(1.0)), Regime::Neutral);
    assert_eq!(of(v(19.9), v(1.0)), Regime::Ranging);
    assert_eq!(of(v(30.0), Value::ABSENT), Regime::Trending);
    assert_eq!(of(Value::ABSENT, Value::ABSENT), Regime::Neutral);
}

prop_compose! {
    fn any_vote()(
        side in prop_oneof![2 => Just(Side::Hold), 2 => Just(Side::Buy), 1 => Just(Side::Sell)],
        strength in 0.5..1.0_f64,
        confidence in 0.0..1.0_f64,
        exits in (0_u8..8, 0_u8..8),
    ) -> Vote {
        let vote = if side == Side::Hold { Vote::default() } else { cast(side, strength, confidence) };
        Vote { exit_long: exits.0 == 0, exit_short: exits.1 == 0, ..vote }
    }
}

proptest! {
    /// Independent of `Tally`: recompute every bound from the view an action carries.
    #[test]
    fn test_ensemble_actions_meet_their_bounds(
        bars in proptest::collection::vec(proptest::collection::vec(any_vote(), 8), 1..40),
        raw in proptest::collection::vec(0.01..1.0_f64, 8),
    ) {
        let sum: f64 = raw.iter().sum();
        let weights: [f64; 8] = std::array::from_fn(|index| raw[index] / sum);
        let (world, params) = (World::rest(), params());
        let mut standing = Standing::new();
        for bar in bars {
            let votes: [Vote; 8] = std::array::from_fn(|index| bar[index]);
            let verdict = standing.on_close(&votes, &world.inputs(), &weights, &params);
            let Verdict::Act(action) = verdict else { continue };
            prop_assert!((0.65 - 1e-9..=1.0).contains(&action.consensus));
            prop_assert!((0.6 - 1e-9..=1.0).contains(&action.confidence));
            prop_assert!((0.2 - 1e-9..=1.0 + 1e-9).contains(&action.participation));
            let mass = |side| -> f64 {
                (0..8).filter(|index| action.standing.sides[*index] == side)
                    .map(|index| weights[index] * action.standing.strengths[index]).sum()
            };
            let (buy, sell) = (mass(Side::Buy), mass(Side::Sell));
            prop_assert!((action.consensus - buy.max(sell) / (buy + sell)).abs() < 1e-12);
            prop_assert_eq!(action.side == Side::Buy, buy > sell);
            let lead = action.lead.index();
            prop_assert_eq!(action.standing.sides[lead], action.side);
            for index in 0..8 {
                prop_assert!((0.0..=1.0).contains(&action.standing.strengths[index]));
                if action.standing.sides[index] == action.side {
                    let own = weights[index] * action.standing.strengths[index];
                    let best = weights[lead] * action.standing.strengths[lead];
                    prop_assert!(own <= best + 1e-9);
                    prop_assert_eq!(standing.view(&params.ensemble).sides[index], Side::Hold);
                }
            }
        }
    }
}
