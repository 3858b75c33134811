//! How alike the strategies vote: correlations over the last evaluations.

use serde::{Deserialize, Serialize};
use utb_types::{STRATEGY_COUNT, Side, Vote};

/// Sums of products of the last votes as -1, 0, +1; exact, as they are integers.
///
/// An update costs one pass over the 8 x 8 products, whatever the window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Diversity {
    /// Evaluations kept, two bits per strategy; a ring once it is full.
    ring: Vec<u16>,
    window: usize,
    next: usize,
    sums: [i64; STRATEGY_COUNT],
    products: [[i64; STRATEGY_COUNT]; STRATEGY_COUNT],
}

impl Diversity {
    /// Returns an empty record of the last `window` evaluations (at least 1).
    pub fn new(window: u32) -> Self {
        let window = usize::try_from(window.max(1)).unwrap_or(usize::MAX);
        Self {
            ring: Vec::with_capacity(window),
            window,
            next: 0,
            sums: [0; STRATEGY_COUNT],
            products: [[0; STRATEGY_COUNT]; STRATEGY_COUNT],
        }
    }

    /// Adds one evaluation of all strategies; beyond the window the oldest leaves.
    pub fn push(&mut self, votes: &[Vote; STRATEGY_COUNT]) {
        let code = encode(votes);
        if self.ring.len() < self.window {
            self.ring.push(code);
        } else if let Some(slot) = self.ring.get_mut(self.next) {
            let oldest = std::mem::replace(slot, code);
            self.next = (self.next + 1) % self.window;
            self.add(oldest, -1);
        }
        self.add(code, 1);
    }

    /// Evaluations in the record.
    pub fn len(&self) -> usize {
        self.ring.len()
    }

    /// Whether the record is empty.
    pub fn is_empty(&self) -> bool {
        self.ring.is_empty()
    }

    /// Returns for each strategy the mean, over the seven others, of the positive part of the
    /// correlation of their votes, 0..1.
    ///
    /// A correlation that is undefined (one of the two never changed its vote) or negative counts
    /// as 0: it is no sign of voting alike.
    pub fn mean_positive_correlation(&self) -> [f64; STRATEGY_COUNT] {
        let mut means = [0.0; STRATEGY_COUNT];
        for (index, mean) in means.iter_mut().enumerate() {
            let others = (0..STRATEGY_COUNT).filter(|other| *other != index);
            let (sum, count) = others.fold((0.0, 0.0), |(sum, count), other| {
                (sum + self.correlation(index, other).max(0.0), count + 1.0)
            });
            *mean = sum / count;
        }
        means
    }

    /// Pearson's correlation of two strategies' votes, 0 where undefined.
    fn correlation(&self, left: usize, right: usize) -> f64 {
        let covariance = self.covariance(left, right);
        let scale = self.covariance(left, left).sqrt() * self.covariance(right, right).sqrt();
        if scale > 0.0 { (covariance / scale).clamp(-1.0, 1.0) } else { 0.0 }
    }

    /// n^2 x covariance: exact below 2^53, that is for windows below 90 million.
    #[expect(clippy::cast_precision_loss, reason = "see above")]
    fn covariance(&self, left: usize, right: usize) -> f64 {
        let sum = |index: usize| self.sums.get(index).copied().unwrap_or(0);
        let product = self.products.get(left).and_then(|row| row.get(right)).copied().unwrap_or(0);
        let count = i64::try_from(self.ring.len()).unwrap_or(i64::MAX);
        (count * product - sum(left) * sum(right)) as f64
    }

    fn add(&mut self, code: u16, sign: i64) {
        // All HOLD, the usual case, adds nothing.
        if code == 0 {
            return;
        }
        let votes = decode(code);
        for ((sum, row), left) in self.sums.iter_mut().zip(&mut self.products).zip(votes) {
            *sum += sign * left;
            for (product, right) in row.iter_mut().zip(votes) {
                *product += sign * left * right;
            }
        }
    }
}

fn encode(votes: &[Vote; STRATEGY_COUNT]) -> u16 {
    votes.iter().rev().fold(0, |code, vote| {
        let bits = match vote.side {
            Side::Hold => 0,
            Side::Buy => 1,
            Side::Sell => 2,
        };
        code << 2 | bits
    })
}

fn decode(code: u16) -> [i64; STRATEGY_COUNT] {
    let mut rest = code;
    [(); STRATEGY_COUNT].map(|()| {
        let vote = match rest & 3 {
            1 => 1,
            2 => -1,
            _ => 0,
        };
        rest >>= 2;
        vote
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use utb_types::{Side, Vote};

    use super::Diversity;

    fn votes(signs: [i8; 8]) -> [Vote; 8] {
        signs.map(|sign| Vote {
            side: match sign {
                1 => Side::Buy,
                -1 => Side::Sell,
                _ => Side::Hold,
            },
            ..Vote::default()
        })
    }

    /// Two strategies vote alike, one against them, the rest never: the first two have a
    /// correlation of 1 with one of seven others, the third none above 0.
    #[test]
    fn test_diversity_of_twins_and_an_opponent() {
        let mut diversity = Diversity::new(500);
        for sign in [1, 0, -1, 1] {
            diversity.push(&votes([sign, sign, -sign, 0, 0, 0, 0, 0]));
        }
        let means = diversity.mean_positive_correlation();
        let expected = [1.0 / 7.0, 1.0 / 7.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
        for (mean, expected) in means.iter().zip(expected) {
            assert!((mean - expected).abs() < 1e-15);
        }
    }

    /// x = 1, 0, 0, 1 and y = 1, 0, 1, 1: n sum(xy) - sum(x) sum(y) = 8 - 6 = 2; variances 4 and 3;
    /// correlation 2/sqrt(12) = 1/sqrt(3).
    #[test]
    fn test_diversity_golden_correlation() {
        let mut diversity = Diversity::new(500);
        for (x, y) in [(1, 1), (0, 0), (0, 1), (1, 1)] {
            diversity.push(&votes([x, 0, 0, 0, 0, 0, 0, y]));
        }
        let expected = 1.0 / 3.0_f64.sqrt() / 7.0;
        assert!((diversity.mean_positive_correlation()[0] - expected).abs() < 1e-15);
        assert!((diversity.mean_positive_correlation()[7] - expected).abs() < 1e-15);
    }

    #[test]
    fn test_diversity_of_nothing_is_zero() {
        let diversity = Diversity::new(0);
        assert!(diversity.is_empty());
        assert!(diversity.mean_positive_correlation().iter().all(|mean| mean.abs() < 1e-300));
    }

    proptest! {
        #[test]
        fn test_diversity_forgets_what_left_the_window(
            rows in proptest::collection::vec(proptest::array::uniform8(-1_i8..=1), 0..60),
            window in 1_u32..20,
        ) {
            let mut rolling = Diversity::new(window);
            for row in &rows {
                rolling.push(&votes(*row));
            }
            let kept = rows.len().min(usize::try_from(window).unwrap());
            let mut fresh = Diversity::new(window);
            for row in &rows[rows.len() - kept..] {
                fresh.push(&votes(*row));
            }
            prop_assert_eq!(rolling.len(), kept);
            prop_assert_eq!(rolling.sums, fresh.sums);
            prop_assert_eq!(rolling.products, fresh.products);
            for mean in rolling.mean_positive_correlation() {
                prop_assert!((0.0..=1.0).contains(&mean));
            }
        }
    }
}
