//! Tests of [`super::PatternScanner`]: each pattern drawn by hand, with ATR 1.

use proptest::prelude::*;
use utb_types::{Bar, PatternSignal, Value};

use super::{MIRROR, NAMES, PatternScanner};

fn bar(open: f64, high: f64, low: f64, close: f64) -> Bar {
    Bar { open_ns: 0, open, high, low, close, volume: Value::ABSENT }
}

/// Bars that fall by 0.6 each from 113 to 108.2: a fall of 3 over five bars.
fn fall() -> Vec<Bar> {
    (0..9_u32)
        .map(|step| {
            let open = 113.6 - 0.6 * f64::from(step);
            bar(open, open + 0.1, open - 0.7, open - 0.6)
        })
        .collect()
}

fn scan(bars: &[Bar]) -> PatternScanner {
    let mut scanner = PatternScanner::new();
    for bar in bars {
        scanner.update(bar, Value::new(1.0));
    }
    scanner
}

fn name(signal: &PatternSignal) -> Option<&'static str> {
    signal.strength.get().map(|_| NAMES[usize::from(signal.pattern)])
}

/// Scans the bars after a fall, and upside down; returns the bullish signal.
fn check(tail: &[Bar], expected: &str, strength: f64) -> PatternSignal {
    let bars = [fall(), tail.to_vec()].concat();
    let signal = scan(&bars).bullish(f64::INFINITY);
    assert_eq!(name(&signal), Some(expected));
    assert!((signal.strength.get().unwrap() - strength).abs() < 1e-9, "{:?}", signal.strength);
    let mirrored: Vec<Bar> = bars
        .iter()
        .map(|it| bar(300.0 - it.open, 300.0 - it.low, 300.0 - it.high, 300.0 - it.close))
        .collect();
    let mirror = scan(&mirrored).bearish(f64::INFINITY);
    assert_eq!(mirror.pattern, signal.pattern + MIRROR);
    assert!((mirror.strength.get().unwrap() - strength).abs() < 1e-9);
    assert!((mirror.low.get().unwrap() - (300.0 - signal.high.get().unwrap())).abs() < 1e-9);
    signal
}

#[test]
fn hammer_after_a_fall() {
    // Range 1.5, lower shadow 1.2: (0.8 - 0.4)/0.4 = 1; 1.5/1.5 = 1; fall 3/3 = 1.
    let signal = check(&[bar(108.2, 108.5, 107.0, 108.4)], "hammer", 1.0);
    assert_eq!((signal.high.get(), signal.low.get()), (Some(108.5), Some(107.0)));
    assert_eq!((signal.age_bars, signal.confirmed, signal.target.get()), (0, false, None));
}

#[test]
fn hammer_without_a_fall_is_none() {
    let flat: Vec<Bar> = (0..9).map(|_| bar(108.2, 108.3, 108.1, 108.2)).collect();
    let signal =
        scan(&[flat, vec![bar(108.2, 108.5, 107.0, 108.4)]].concat()).bullish(f64::INFINITY);
    assert_eq!(name(&signal), None);
}

#[test]
fn pattern_without_an_atr_is_none() {
    let mut scanner = PatternScanner::new();
    for bar in [fall(), vec![bar(108.2, 108.5, 107.0, 108.4)]].concat() {
        scanner.update(&bar, Value::ABSENT);
    }
    assert_eq!(scanner.bullish(f64::INFINITY), PatternSignal::default());
}

#[test]
fn bullish_engulfing_of_the_last_down_bar() {
    // The last bar of the fall has a body of 0.6; 1.2 swallows it. Fall before the two: 3.
    // 1.2/1.5 = 0.8; 1.2/0.6 - 1 = 1; 3/3 = 1.
    check(&[bar(108.2, 109.5, 108.1, 109.4)], "bullish_engulfing", (0.8 + 1.0 + 1.0) / 3.0);
}

#[test]
fn morning_star() {
    // Body 1.5; star 0.15 = a quarter of the allowed 0.6; 1.2 of 1.5 won back.
    let tail = [
        bar(108.2, 108.3, 106.6, 106.7),
        bar(106.7, 106.95, 106.4, 106.55),
        bar(106.6, 108.0, 106.5, 107.9),
    ];
    let strength = (1.2 / 1.5 + 1.0 + 0.75 + 1.0) / 4.0;
    check(&tail, "morning_star", strength);
}

#[test]
fn piercing_line() {
    // Body 1.5; 0.9 of it won back after a lower low.
    let tail = [bar(108.2, 108.3, 106.6, 106.7), bar(106.65, 107.7, 106.0, 107.6)];
    check(&tail, "piercing_line", (0.6 + 1.0 + 1.0) / 3.0);
}

#[test]
fn three_white_soldiers() {
    // Bodies 1, 1, 1 without upper shadows: all terms 1.
    let tail = [
        bar(108.2, 109.2, 108.1, 109.2),
        bar(109.2, 110.2, 109.1, 110.2),
        bar(110.2, 111.2, 110.1, 111.2),
    ];
    let signal = check(&tail, "three_white_soldiers", 1.0);
    assert_eq!(signal.high.get(), Some(111.2));
}

#[test]
fn bullish_harami() {
    // First body 1.5, second 0.3: 1; 1 - 0.3/0.75 = 0.6; close 0.6/1.5 = 0.4 up; 1.
    let tail = [bar(108.2, 108.3, 106.6, 106.7), bar(107.0, 107.4, 106.9, 107.3)];
    check(&tail, "bullish_harami", (1.0 + 0.6 + 0.4 + 1.0) / 4.0);
}

#[test]
fn pattern_is_confirmed_by_a_later_close_above_its_high_and_dies_after_three_bars() {
    let hammer = [fall(), vec![bar(108.2, 108.5, 107.0, 108.4)]].concat();
    let mut scanner = scan(&hammer);
    scanner.update(&bar(108.4, 108.6, 108.3, 108.5), Value::new(1.0));
    assert_eq!(
        (scanner.bullish(f64::INFINITY).age_bars, scanner.bullish(f64::INFINITY).confirmed),
        (1, false)
    );
    scanner.update(&bar(108.5, 108.7, 108.4, 108.6), Value::new(1.0));
    assert_eq!(
        (scanner.bullish(f64::INFINITY).age_bars, scanner.bullish(f64::INFINITY).confirmed),
        (2, true)
    );
    scanner.update(&bar(108.6, 108.7, 108.5, 108.6), Value::new(1.0));
    assert_eq!(name(&scanner.bullish(f64::INFINITY)), None);
}

/// A zigzag of thin bars: four from one extreme to the next, so that each is a swing point.
fn zigzag(extremes: &[f64]) -> Vec<Bar> {
    let mut bars = Vec::new();
    for pair in extremes.windows(2) {
        for step in 0..4_u32 {
            let price = pair[0] + (pair[1] - pair[0]) * f64::from(step) / 4.0;
            bars.push(bar(price, price, price, price));
        }
    }
    bars
}

#[test]
fn double_bottom_completes_at_the_first_close_above_its_neckline() {
    // Lows 100 and 100.2, neckline 104, first close above it 104.4.
    let mut bars = zigzag(&[106.0, 100.0, 104.0, 100.2, 104.0]);
    assert_eq!(name(&scan(&bars).bullish(f64::INFINITY)), None);
    bars.push(bar(104.4, 104.4, 104.4, 104.4));
    let signal = scan(&bars).bullish(f64::INFINITY);
    assert_eq!(name(&signal), Some("double_bottom"));
    // 1 - 0.2/0.5 = 0.6; 4/4 = 1; 0.4/0.5 = 0.8. Target: 104 + 4.
    assert!((signal.strength.get().unwrap() - 0.8).abs() < 1e-9);
    assert!((signal.target.get().unwrap() - 108.0).abs() < 1e-9);
    assert_eq!((signal.high.get(), signal.low.get()), (Some(104.0), Some(100.0)));
    // A second close above the neckline confirms it and is no new pattern.
    bars.push(bar(104.5, 104.5, 104.5, 104.5));
    assert_eq!(
        (scan(&bars).bullish(f64::INFINITY).age_bars, scan(&bars).bullish(f64::INFINITY).confirmed),
        (1, true)
    );
}

#[test]
fn double_bottom_that_was_undercut_is_none() {
    let mut bars = zigzag(&[106.0, 100.0, 104.0, 100.2, 102.2]);
    bars.push(bar(102.0, 102.0, 99.0, 102.0));
    bars.push(bar(104.4, 104.4, 104.4, 104.4));
    assert_eq!(name(&scan(&bars).bullish(f64::INFINITY)), None);
}

#[test]
fn inverse_head_and_shoulders_has_the_measured_move_as_target() {
    // Shoulders 100 and 100.4, head 97, neckline 103 and 103.2; close at 103.6.
    let mut bars = zigzag(&[105.0, 100.0, 103.0, 97.0, 103.2, 100.4, 104.0]);
    bars.push(bar(103.6, 103.6, 103.6, 103.6));
    let signal = scan(&bars).bullish(f64::INFINITY);
    assert_eq!(name(&signal), Some("inverse_head_and_shoulders"));
    // 1 - 0.4 = 0.6; 6.2/5 -> 1; (100 - 97)/2 -> 1. Target: 103.2 + 6.2.
    assert!((signal.strength.get().unwrap() - 2.6 / 3.0).abs() < 1e-9);
    assert!((signal.target.get().unwrap() - 109.4).abs() < 1e-9);
}

#[test]
fn double_top_and_head_and_shoulders_are_the_mirrors() {
    let mut tops = zigzag(&[94.0, 100.0, 96.0, 99.8, 96.0]);
    tops.push(bar(95.6, 95.6, 95.6, 95.6));
    let signal = scan(&tops).bearish(f64::INFINITY);
    assert_eq!(name(&signal), Some("double_top"));
    assert!((signal.target.get().unwrap() - 92.0).abs() < 1e-9);
    assert_eq!((signal.high.get(), signal.low.get()), (Some(100.0), Some(96.0)));
    let mut heads = zigzag(&[95.0, 100.0, 97.0, 103.0, 96.8, 99.6, 96.0]);
    heads.push(bar(96.4, 96.4, 96.4, 96.4));
    assert_eq!(name(&scan(&heads).bearish(f64::INFINITY)), Some("head_and_shoulders"));
}

proptest! {
    #[test]
    fn signals_of_any_bars_are_in_range_and_mirror_each_other(
        shapes in prop::collection::vec((-60_i32..60, 0_u32..40, 0_u32..40), 10..200),
    ) {
        let (mut scanner, mut mirror) = (PatternScanner::new(), PatternScanner::new());
        let mut open = 1000.0;
        for (body, above, below) in shapes {
            // Multiples of 1/32, so that turning upside down is exact.
            let close = open + f64::from(body) / 32.0;
            let high = open.max(close) + f64::from(above) / 32.0;
            let low = open.min(close) - f64::from(below) / 32.0;
            scanner.update(&bar(open, high, low, close), Value::new(1.0));
            let flipped = bar(4096.0 - open, 4096.0 - low, 4096.0 - high, 4096.0 - close);
            mirror.update(&flipped, Value::new(1.0));
            open = close;
            for (signal, other) in [
                (scanner.bullish(f64::INFINITY), mirror.bearish(f64::INFINITY)),
                (scanner.bearish(f64::INFINITY), mirror.bullish(f64::INFINITY)),
            ] {
                prop_assert_eq!(signal.strength, other.strength);
                prop_assert_eq!(signal.confirmed, other.confirmed);
                prop_assert!(signal.strength.get().is_none_or(|it| (0.0..=1.0).contains(&it)));
                prop_assert!(usize::from(signal.pattern) < NAMES.len() && signal.age_bars < 3);
                if let (Some(high), Some(low)) = (signal.high.get(), signal.low.get()) {
                    prop_assert!(low <= high);
                }
            }
        }
    }
}
