//! Tests of [`super::WindowMean`] and [`super::WindowSpread`] against direct sums.

use proptest::prelude::*;

use super::{WindowMean, WindowSpread};
use crate::ring::Ring;
use crate::sum::WideSum;

/// Mean and deviation in two passes with double-double sums.
fn direct(window: &[f64]) -> (f64, f64) {
    let count = f64::from(u32::try_from(window.len()).unwrap());
    let mean = window.iter().copied().fold(WideSum::default(), WideSum::plus).over(count);
    let squares = window.iter().map(|number| (number - mean) * (number - mean));
    let correction: f64 = window.iter().map(|number| number - mean).sum();
    let squares =
        squares.fold(WideSum::default(), WideSum::plus).plus(-correction * correction / count);
    (mean, (squares.over(count)).max(0.0).sqrt())
}

fn check(numbers: &[f64]) -> Result<(), TestCaseError> {
    let mut ring = Ring::<200>::default();
    let (mut mean50, mut mean200) = (WindowMean::default(), WindowMean::default());
    let mut spread = WindowSpread::default();
    for (index, &number) in numbers.iter().enumerate() {
        mean50.advance(&ring, 50, number);
        mean200.advance(&ring, 200, number);
        ring.push(number);
        let peeked = spread.peek(number);
        let moments = spread.update(number);
        let bits = |(mean, deviation): (f64, f64)| (mean.to_bits(), deviation.to_bits());
        prop_assert_eq!(bits(peeked), bits(moments));
        for (period, state) in [(50, mean50), (200, mean200)] {
            prop_assert_eq!(state.mean(period).is_nan(), index + 1 < period);
            if index + 1 >= period {
                let (mean, _) = direct(&numbers[index + 1 - period..=index]);
                prop_assert!((state.mean(period) / mean - 1.0).abs() < 1e-9, "{period} at {index}");
            }
        }
        let (mean, deviation) = moments;
        prop_assert_eq!(mean.is_nan(), index < 19);
        if index >= 19 {
            let (direct_mean, direct_deviation) = direct(&numbers[index - 19..=index]);
            prop_assert!((mean / direct_mean - 1.0).abs() < 1e-9, "{mean} {direct_mean}");
            prop_assert!(
                (deviation - direct_deviation).abs() <= 1e-9 * direct_deviation + 1e-15 * mean,
                "{deviation} {direct_deviation} at {index}"
            );
        }
    }
    Ok(())
}

#[test]
fn window_of_alternating_1_and_1e9_equals_the_direct_sums() {
    let numbers: Vec<f64> = (0..3000).map(|step| if step % 2 == 0 { 1.0 } else { 1e9 }).collect();
    check(&numbers).unwrap();
}

#[test]
fn window_after_one_spike_of_1e15_equals_the_direct_sums() {
    let mut numbers: Vec<f64> = (0..1500_u32).map(|step| 1.0 + f64::from(step % 7)).collect();
    numbers[600] = 1e15;
    numbers[601] = 1e-12;
    check(&numbers).unwrap();
}

#[test]
fn window_of_a_constant_is_exact() {
    let mut ring = Ring::<200>::default();
    let mut mean = WindowMean::default();
    let mut spread = WindowSpread::default();
    for step in 0..1000 {
        mean.advance(&ring, 200, 0.1);
        ring.push(0.1);
        let moments = spread.update(0.1);
        if step >= 199 {
            assert_eq!(mean.mean(200).to_bits(), 0.1_f64.to_bits());
            assert_eq!(moments, (0.1, 0.0));
        }
    }
}

#[test]
fn spread_of_nineteen_1_and_one_21() {
    // Mean 2, variance (19 * 1 + 361) / 20 = 19.
    let mut spread = WindowSpread::default();
    for _ in 0..40 {
        spread.update(1.0);
    }
    let (mean, deviation) = spread.peek(21.0);
    assert!((mean - 2.0).abs() < 1e-14 && (deviation - 19.0_f64.sqrt()).abs() < 1e-14);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn window_of_any_levels_and_jumps_equals_the_direct_sums(
        pieces in prop::collection::vec((-12_i32..10, 1_usize..260, 0.0_f64..0.1), 3..7),
        seed in 1_u32..1000,
    ) {
        let mut state = seed;
        let mut numbers = Vec::new();
        for (exponent, length, noise) in pieces {
            for _ in 0..length {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let uniform = f64::from(state >> 8) / f64::from(1 << 24);
                numbers.push(10_f64.powi(exponent) * (1.0 + noise * uniform));
            }
        }
        check(&numbers)?;
    }
}
