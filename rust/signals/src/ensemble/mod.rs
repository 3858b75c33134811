//! The ensemble: votes that stand for a while, weighed into one verdict (`trading.md`, Ensemble).

use serde::{Deserialize, Serialize};
use utb_types::{
    EnsembleParams, HoldReason, Params, Regime, STRATEGY_COUNT, Side, StrategyId, TfFeatures,
    Value, Vote,
};

use crate::strategies::{self, Inputs};

/// Slack of comparisons of sums of weights: decimal weights have no exact sum.
const SLACK: f64 = 1e-9;

/// Bit set of all strategies, for [`Standing::on_votes`].
const ALL: u8 = u8::MAX;

/// One standing vote.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Slot {
    /// HOLD: nothing stands here.
    side: Side,
    strength: f64,
    confidence: f64,
    stop: Value,
    target: Value,
    age_bars: u32,
    /// Side a decision took from here on this bar: until the next close, only a vote that went
    /// away in between counts as fresh.
    spent: Side,
}

impl Slot {
    /// Strength falling linearly to 0 at the horizon.
    fn decayed(&self, horizon_bars: u32) -> f64 {
        if self.side == Side::Hold || self.age_bars >= horizon_bars {
            return 0.0;
        }
        self.strength * (1.0 - f64::from(self.age_bars) / f64::from(horizon_bars))
    }

    fn clear(&mut self) {
        *self = Self { spent: self.spent, ..Self::default() };
    }

    fn take(&mut self, vote: &Vote) {
        if vote.side != self.spent {
            self.spent = Side::Hold;
        }
        if vote.side != Side::Hold && self.spent == Side::Hold {
            *self = Self {
                side: vote.side,
                strength: vote.strength,
                confidence: vote.confidence,
                stop: vote.stop,
                target: vote.target,
                age_bars: 0,
                spent: Side::Hold,
            };
        }
        let left = match self.side {
            Side::Buy => vote.exit_long,
            Side::Sell => vote.exit_short,
            Side::Hold => false,
        };
        if left {
            self.clear();
        }
    }
}

/// The votes that stand on one instrument.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Standing {
    slots: [Slot; STRATEGY_COUNT],
    tally: Option<Tally>,
}

/// What stands now, for snapshots and decisions.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct StandingView {
    /// Standing side of each strategy.
    pub sides: [Side; STRATEGY_COUNT],
    /// Decayed strength, 0 where nothing stands.
    pub strengths: [f64; STRATEGY_COUNT],
    /// Confidence of the standing vote, 0 where nothing stands.
    pub confidences: [f64; STRATEGY_COUNT],
}

/// A verdict to act: [`utb_types::DecisionView`] without time, instrument, bar, price and regime.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Action {
    /// BUY or SELL.
    pub side: Side,
    /// Strategy with the largest weight x strength on that side; on a tie the first of the table.
    pub lead: StrategyId,
    /// The lead's stop for an entry now.
    pub stop: Value,
    /// The lead's target for an entry now.
    pub target: Value,
    /// Larger mass / total mass, 0.5..1.
    pub consensus: f64,
    /// Mean confidence of the winning side, weighted, 0..1.
    pub confidence: f64,
    /// Sum of the weights of standing votes.
    pub participation: f64,
    /// Weights used.
    pub weights: [f64; STRATEGY_COUNT],
    /// What stood, before the decision consumed it.
    pub standing: StandingView,
}

/// What the ensemble says at one evaluation.
#[derive(Clone, Copy, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "boxing the action would allocate per decision")]
pub enum Verdict {
    /// Act.
    Act(Action),
    /// Do nothing, and why.
    Hold(HoldReason),
}

impl Standing {
    /// Returns an ensemble in which nothing stands.
    pub fn new() -> Self {
        Self::default()
    }

    /// Forgets all votes: the warm-up starts again.
    pub fn reset(&mut self) {
        *self = Self::default();
    }

    /// Judges at the close of a bar of the strategy timeframe: every vote ages by one bar, then
    /// the new ones come in.
    ///
    /// `votes` are those on `inputs`; `weights` the row of the instrument's regime.
    pub fn on_close(
        &mut self,
        votes: &[Vote; STRATEGY_COUNT],
        inputs: &Inputs<'_>,
        weights: &[f64; STRATEGY_COUNT],
        params: &Params,
    ) -> Verdict {
        for slot in &mut self.slots {
            slot.spent = Side::Hold;
            slot.age_bars = slot.age_bars.saturating_add(1);
            if slot.age_bars >= params.ensemble.vote_horizon_bars {
                slot.clear();
            }
        }
        self.take(votes, ALL);
        self.judge(inputs, weights, params)
    }

    /// Judges between closes, for strategies with `evaluate = "tick"`.
    ///
    /// Only votes whose bit (1 << strategy) is in `mask` are looked at, and nothing ages. A
    /// strategy whose vote was consumed on this bar must first vote otherwise to be fresh.
    pub fn on_tick(
        &mut self,
        (votes, mask): (&[Vote; STRATEGY_COUNT], u8),
        inputs: &Inputs<'_>,
        weights: &[f64; STRATEGY_COUNT],
        params: &Params,
    ) -> Verdict {
        self.take(votes, mask);
        self.judge(inputs, weights, params)
    }

    /// Returns what stands now.
    pub fn view(&self, params: &EnsembleParams) -> StandingView {
        StandingView {
            sides: self.slots.map(|slot| slot.side),
            strengths: self.slots.map(|slot| slot.decayed(params.vote_horizon_bars)),
            confidences: self.slots.map(|slot| slot.confidence),
        }
    }

    /// Returns the sums of the latest judgement, acted on or not; `None` if there was nothing to
    /// weigh: during the warm-up, and when nothing stood.
    pub const fn tally(&self) -> Option<Tally> {
        self.tally
    }

    fn take(&mut self, votes: &[Vote; STRATEGY_COUNT], mask: u8) {
        for (index, (slot, vote)) in self.slots.iter_mut().zip(votes).enumerate() {
            if mask & (1 << index) != 0 {
                slot.take(vote);
            }
        }
    }

    fn judge(
        &mut self,
        inputs: &Inputs<'_>,
        weights: &[f64; STRATEGY_COUNT],
        params: &Params,
    ) -> Verdict {
        self.tally = None;
        if !inputs.tf.atr14.is_present() || !inputs.tf.close.is_present() {
            return Verdict::Hold(HoldReason::WarmUp);
        }
        if self.slots.iter().all(|slot| slot.side == Side::Hold) {
            return Verdict::Hold(HoldReason::NoVotes);
        }
        let view = self.view(&params.ensemble);
        let tally = Tally::of(&view, weights);
        self.tally = Some(tally);
        if let Some(reason) = tally.refusal(&params.ensemble) {
            return Verdict::Hold(reason);
        }
        let lead = tally.lead(&view, weights);
        let fresh = strategies::exits(lead, tally.side, inputs, params);
        let slot = self.slots.get(lead.index()).copied().unwrap_or_default();
        let known = fresh.stop.is_present() && fresh.target.is_present();
        for slot in self.slots.iter_mut().filter(|slot| slot.side == tally.side) {
            *slot = Slot { spent: tally.side, ..Slot::default() };
        }
        Verdict::Act(Action {
            side: tally.side,
            lead,
            stop: if known { fresh.stop } else { slot.stop },
            target: if known { fresh.target } else { slot.target },
            consensus: tally.consensus,
            confidence: tally.confidence,
            participation: tally.participation,
            weights: *weights,
            standing: view,
        })
    }
}

/// The sums of one judgement.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tally {
    /// Side of the larger mass; HOLD when the masses are equal.
    pub side: Side,
    /// Larger mass / total mass, 0.5..1.
    pub consensus: f64,
    /// Weighted mean confidence of that side, 0..1.
    pub confidence: f64,
    /// Sum of the weights of standing votes.
    pub participation: f64,
}

impl Tally {
    fn of(view: &StandingView, weights: &[f64; STRATEGY_COUNT]) -> Self {
        // Sums of weight x strength, weight x confidence and weight.
        let (mut buy, mut sell) = ([0.0; 3], [0.0; 3]);
        let standing = view.sides.iter().zip(&view.strengths).zip(&view.confidences);
        for (((side, strength), confidence), weight) in standing.zip(weights) {
            let sums = match side {
                Side::Buy => &mut buy,
                Side::Sell => &mut sell,
                Side::Hold => continue,
            };
            for (sum, term) in sums.iter_mut().zip([*strength, *confidence, 1.0]) {
                *sum += weight * term;
            }
        }
        let ([buy_mass, ..], [sell_mass, ..]) = (buy, sell);
        let total = buy_mass + sell_mass;
        let side = match buy_mass - sell_mass {
            lead if lead > SLACK => Side::Buy,
            lead if lead < -SLACK => Side::Sell,
            _ => Side::Hold,
        };
        let [_, confidence, weight] = if buy_mass >= sell_mass { buy } else { sell };
        Self {
            side,
            consensus: if total > 0.0 { buy_mass.max(sell_mass) / total } else { 0.5 },
            confidence: if weight > 0.0 { confidence / weight } else { 0.0 },
            participation: buy[2] + sell[2],
        }
    }

    /// Why not to act: participation first, then consensus (a draw has none), then confidence.
    fn refusal(&self, params: &EnsembleParams) -> Option<HoldReason> {
        if !reaches(self.participation, params.min_participation) {
            return Some(HoldReason::LowParticipation);
        }
        if self.side == Side::Hold || !reaches(self.consensus, params.min_consensus) {
            return Some(HoldReason::LowConsensus);
        }
        let confident = reaches(self.confidence, params.min_confidence);
        (!confident).then_some(HoldReason::LowConfidence)
    }

    fn lead(&self, view: &StandingView, weights: &[f64; STRATEGY_COUNT]) -> StrategyId {
        let mut lead = (StrategyId::MomentumBreakthrough, f64::NEG_INFINITY);
        let masses = view.strengths.iter().zip(weights).map(|(strength, weight)| strength * weight);
        for ((strategy, side), mass) in StrategyId::ALL.into_iter().zip(view.sides).zip(masses) {
            if side == self.side && mass > lead.1 + SLACK {
                lead = (strategy, mass);
            }
        }
        lead.0
    }
}

/// At or above, with slack; false for a value that is no number.
fn reaches(value: f64, limit: f64) -> bool {
    value >= limit - SLACK
}

/// Returns the regime of an instrument from the features of its strategy timeframe.
///
/// Turbulent wins over trending and ranging; neutral where the inputs are absent.
#[inline]
pub fn regime(tf: &TfFeatures, params: &EnsembleParams) -> Regime {
    if tf.volatility_ratio.or_nan() > params.regime_turbulent_ratio {
        return Regime::Turbulent;
    }
    let adx = tf.adx14.or_nan();
    if adx > params.regime_trending_adx {
        Regime::Trending
    } else if adx < params.regime_ranging_adx {
        Regime::Ranging
    } else {
        Regime::Neutral
    }
}

#[cfg(test)]
mod tests;
