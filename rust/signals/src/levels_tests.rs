//! Tests of [`super::SwingLevels`].

use proptest::prelude::*;
use utb_types::{Bar, Levels, Value};

use super::SwingLevels;

fn bar(high: f64, low: f64) -> Bar {
    let close = f64::midpoint(high, low);
    Bar { open_ns: 0, open: close, high, low, close, volume: Value::ABSENT }
}

/// Feeds a zigzag whose extremes are the given prices, four bars from one to the next.
fn zigzag(levels: &mut SwingLevels, extremes: &[f64]) {
    for pair in extremes.windows(2) {
        for step in 0..4_u32 {
            let price = pair[0] + (pair[1] - pair[0]) * f64::from(step) / 4.0;
            levels.update(&bar(price, price));
        }
    }
}

#[test]
fn levels_group_swings_within_half_an_atr_and_rank_them_by_touches() {
    let mut levels = SwingLevels::new();
    // Highs 110, 110.4, 121; lows 90, 90.5 (the ends have no bars outside).
    zigzag(&mut levels, &[100.0, 110.0, 90.0, 110.4, 90.5, 121.0, 100.0]);
    let found = levels.levels(100.0, Value::new(1.0));
    assert_eq!((found.support.get(), found.support_rank), (Some(90.25), 2));
    assert_eq!((found.resistance.get(), found.resistance_rank), (Some(110.2), 2));
    // Half of 0.9 is less than the gap of 0.5: two levels each.
    let apart = levels.levels(100.0, Value::new(0.9));
    assert_eq!((apart.support.get(), apart.support_rank), (Some(90.5), 1));
    // 110.4 - 110 = 0.4 <= 0.45 stays one.
    assert_eq!(apart.resistance_rank, 2);
}

#[test]
fn levels_without_atr_or_beyond_all_points_are_absent() {
    let mut levels = SwingLevels::new();
    zigzag(&mut levels, &[100.0, 110.0, 90.0, 100.0]);
    assert_eq!(levels.levels(100.0, Value::ABSENT), Levels::default());
    assert_eq!(levels.levels(80.0, Value::new(1.0)).support.get(), None);
    assert_eq!(levels.levels(120.0, Value::new(1.0)).resistance.get(), None);
}

#[test]
fn level_at_the_close_is_a_support() {
    let mut levels = SwingLevels::new();
    zigzag(&mut levels, &[100.0, 110.0, 90.0, 100.0]);
    let found = levels.levels(110.0, Value::new(1.0));
    assert_eq!((found.support.get(), found.resistance.get()), (Some(110.0), None));
}

/// The definition, read off the last 200 bars.
fn oracle(bars: &[Bar], close: f64, atr: f64) -> Levels {
    let window = &bars[bars.len().saturating_sub(200)..];
    let mut points = Vec::new();
    for middle in 3..window.len().saturating_sub(3) {
        let others = (middle - 3..=middle + 3).filter(|&other| other != middle);
        if others.clone().all(|other| window[other].high < window[middle].high) {
            points.push(window[middle].high);
        }
        if others.clone().all(|other| window[other].low > window[middle].low) {
            points.push(window[middle].low);
        }
    }
    points.sort_by(f64::total_cmp);
    let mut groups: Vec<Vec<f64>> = Vec::new();
    for point in points {
        match groups.last_mut() {
            Some(group) if point - group[group.len() - 1] <= 0.5 * atr => group.push(point),
            _ => groups.push(vec![point]),
        }
    }
    let mut levels = Levels::default();
    for group in groups {
        let rank = u32::try_from(group.len()).unwrap();
        let price = group.iter().sum::<f64>() / f64::from(rank);
        if price <= close {
            (levels.support, levels.support_rank) = (Value::new(price), rank);
        } else if !levels.resistance.is_present() {
            (levels.resistance, levels.resistance_rank) = (Value::new(price), rank);
        }
    }
    levels
}

proptest! {
    #[test]
    fn levels_of_any_bars_equal_the_definition(
        steps in prop::collection::vec((-40_i32..=40, 0_i32..30, 0_i32..30), 1..500),
        atr in 0.1_f64..6.0,
    ) {
        let mut levels = SwingLevels::new();
        let mut bars = Vec::new();
        let mut price = 1000.0;
        for (step, above, below) in steps {
            price += f64::from(step) * 0.1;
            let next = bar(price + f64::from(above) * 0.1, price - f64::from(below) * 0.1);
            levels.update(&next);
            bars.push(next);
        }
        prop_assert_eq!(levels.levels(price, Value::new(atr)), oracle(&bars, price, atr));
    }
}
