//! Tests of [`super::StatWindow`].

use proptest::prelude::*;

use super::{Autoregression, StatWindow};

/// A saw tooth of 23 steps on a slow rise.
fn saw(step: u32) -> f64 {
    100.0 + f64::from(step * 37 % 23) * 0.5 + f64::from(step) * 0.25
}

fn close_to(number: Option<f64>, expected: f64, tolerance: f64) {
    let number = number.unwrap();
    assert!((number - expected).abs() <= tolerance, "{number} is not {expected}");
}

#[test]
fn stat_of_a_saw_equals_numpy() {
    // NumPy: mean, std and least squares of the last 30 logs, mpmath.ncdf for the probability.
    let mut stat = StatWindow::new(30, 4);
    for step in 0..260 {
        assert_eq!(stat.features().z.is_present(), step >= 30);
        stat.update(saw(step));
    }
    let features = stat.features();
    close_to(features.z.get(), 1.416_052_592_425_672_8, 1e-10);
    close_to(features.mean_log.get(), 5.114_143_117_324_247, 1e-14);
    close_to(features.std_log.get(), 0.024_578_036_688_526_51, 1e-13);
    close_to(features.reversion_probability.get(), 0.553_963_999_422_271, 1e-11);
}

#[test]
fn stat_of_a_constant_has_no_z_and_no_probability() {
    let mut stat = StatWindow::new(50, 24);
    stat.update(5.0);
    for _ in 0..200 {
        stat.update(0.1);
    }
    let features = stat.features();
    assert_eq!((features.std_log.get(), features.z.get()), (Some(0.0), None));
    assert_eq!(features.reversion_probability.get(), None);
    assert_eq!(features.mean_log.get(), Some(libm::log(0.1)));
}

#[test]
fn stat_with_a_negative_coefficient_takes_the_autoregression_itself() {
    // Same oracle; the fitted coefficient is -0.48.
    let mut stat = StatWindow::new(41, 24);
    for step in 0..41_u32 {
        stat.update(100.0 + f64::from(step * 3 % 7));
    }
    close_to(stat.features().z.get(), -0.978_747_191_941_113_4, 1e-10);
    close_to(stat.features().reversion_probability.get(), 0.382_507_545_742_906_46, 1e-11);
}

#[test]
fn stat_with_a_coefficient_above_one_has_probability_zero() {
    // The last half period of a slow wave: the fitted coefficient is 1.013 (NumPy).
    let mut stat = StatWindow::new(50, 3);
    for step in 0..100_u32 {
        stat.update(100.0 * (0.05 * (f64::from(step) * 0.1).cos()).exp());
    }
    close_to(stat.features().z.get(), -1.316_964_098_318_524, 1e-9);
    assert_eq!(stat.features().reversion_probability.get(), Some(0.0));
}

#[test]
fn stat_of_an_exponential_never_reverts_while_it_explodes() {
    // x(t) = 1.1 x(t-1) around 0 has a coefficient of 1 or more: probability 0.
    let explosive = Autoregression { coefficient: 1.1, variance: 1.0 };
    assert!(explosive.reversion(1.0, 24).abs() < f64::EPSILON);
    let random_walk = Autoregression { coefficient: 1.0, variance: 1.0 };
    assert!(random_walk.reversion(1.0, 24).abs() < f64::EPSILON);
}

#[test]
fn reversion_without_noise_is_certain_or_impossible() {
    // 0.5^2 = 0.25 < 1/2; 0.9^2 = 0.81 > 1/2.
    let fast = Autoregression { coefficient: 0.5, variance: 0.0 };
    let slow = Autoregression { coefficient: 0.9, variance: 0.0 };
    assert!((fast.reversion(1.0, 2) - 1.0).abs() < f64::EPSILON);
    assert!(slow.reversion(1.0, 2).abs() < f64::EPSILON);
}

#[test]
fn reversion_of_white_noise_is_the_normal_probability_of_half_the_distance() {
    // Coefficient 0: N(0, 1), P(|X| < 1) = 0.6826894921370859 (standard tables).
    let noise = Autoregression { coefficient: 0.0, variance: 1.0 };
    assert!((noise.reversion(2.0, 24) - 0.682_689_492_137_085_9).abs() < 1e-15);
}

#[test]
fn stat_after_an_unsound_close_starts_again() {
    let mut stat = StatWindow::new(10, 2);
    for step in 0..20 {
        stat.update(saw(step));
    }
    assert!(stat.features().z.is_present());
    stat.update(f64::NAN);
    assert!(!stat.features().mean_log.is_present());
    for step in 0..10 {
        stat.update(saw(step));
    }
    assert!(stat.features().z.is_present());
}

/// The definitions, in two passes.
fn direct(closes: &[f64]) -> (f64, f64, f64) {
    let count = f64::from(u32::try_from(closes.len()).unwrap());
    let logs: Vec<f64> = closes.iter().map(|close| libm::log(*close)).collect();
    let base = logs[0];
    let mean = base + logs.iter().map(|log| log - base).sum::<f64>() / count;
    let distances: Vec<f64> = logs.iter().map(|log| log - mean).collect();
    let squares: f64 = distances.iter().map(|distance| distance * distance).sum();
    let products: f64 = distances.windows(2).map(|pair| pair[0] * pair[1]).sum();
    let earlier: f64 = distances.iter().rev().skip(1).map(|distance| distance * distance).sum();
    (mean, (squares / count).sqrt(), products / earlier)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn stat_of_any_levels_and_jumps_equals_the_definition(
        pieces in prop::collection::vec((-12_i32..10, 1_usize..400, 0.001_f64..0.1), 2..6),
        seed in 1_u32..1000,
    ) {
        let mut state = seed;
        let mut stat = StatWindow::new(60, 24);
        let mut closes = Vec::new();
        for (exponent, length, noise) in pieces {
            for _ in 0..length {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let uniform = f64::from(state >> 8) / f64::from(1 << 24);
                let close = 10_f64.powi(exponent) * (1.0 + noise * uniform);
                let peeked = stat.peek(close);
                stat.update(close);
                closes.push(close);
                prop_assert_eq!(peeked, stat.features());
                if closes.len() < 60 {
                    continue;
                }
                let window = &closes[closes.len() - 60..];
                let (mean, deviation, coefficient) = direct(window);
                let features = stat.features();
                prop_assert!((features.mean_log.get().unwrap() - mean).abs() < 1e-12);
                let ratio = features.std_log.get().unwrap() / deviation;
                prop_assert!((ratio - 1.0).abs() < 1e-9, "{ratio}");
                let fitted = stat.sums.autoregression(60.0, stat.sums.total.over(60.0)).coefficient;
                prop_assert!((fitted - coefficient).abs() < 1e-8, "{fitted} {coefficient}");
                let probability = features.reversion_probability.get().unwrap();
                prop_assert!((0.0..=1.0).contains(&probability));
            }
        }
    }
}
