//! Tests of [`super::Series`].

use proptest::prelude::*;
use utb_types::{Bar, TfFeatures, Value};

use super::Series;

/// Saw teeth on a slow rise, exact in binary: the same bars as in the script that made `GOLDEN`.
fn bar(step: u32) -> Bar {
    let rise = f64::from(step) * 0.25;
    let close = 100.0 + f64::from(step * 37 % 23) * 0.5 + rise;
    let open = 100.0 + f64::from(step * 53 % 19) * 0.5 + rise;
    Bar {
        open_ns: i64::from(step),
        open,
        high: open.max(close) + f64::from(step * 29 % 7) * 0.25,
        low: open.min(close) - f64::from(step * 31 % 5) * 0.25,
        close,
        volume: Value::new(1_000.0 + f64::from(step * 41 % 17) * 10.0),
    }
}

/// Field, first bar with a value, value there, value on bar 259.
///
/// TA-Lib 0.8.2 (SMA, EMA, RSI, MACD, BBANDS, ADX, `PLUS_DI`, `MINUS_DI`, ATR, ROC); NumPy for
/// volatility, volume and channel.
const GOLDEN: [(&str, u32, f64, f64); 22] = [
    ("sma20", 19, 107.925, 167.775),
    ("sma50", 49, 111.565, 164.135),
    ("sma200", 199, 130.34, 145.36),
    ("ema12", 11, 106.333_333_333_333_33, 168.537_523_422_630_64),
    ("ema26", 25, 108.355_769_230_769_23, 166.953_997_325_624_33),
    ("rsi14", 14, 56.129_032_258_064_51, 53.809_047_878_773_5),
    ("macd", 33, 1.564_309_982_841_493_3, 1.583_526_097_006_313_2),
    ("macd_signal", 33, 1.797_173_714_470_095_7, 1.630_505_133_926_191_1),
    ("macd_histogram", 33, -0.232_863_731_628_602_4, -0.046_979_036_919_877_926),
    ("bollinger_upper", 19, 115.990_513_002_903_16, 174.918_003_569_927_66),
    ("bollinger_lower", 19, 99.859_486_997_096_84, 160.631_996_430_072_35),
    ("adx14", 27, 30.614_060_563_364_72, 16.949_937_180_979_052),
    ("plus_di14", 14, 28.614_967_829_326_112, 24.588_602_117_129_52),
    ("minus_di14", 14, 15.543_515_069_420_929, 19.335_628_519_593_172),
    ("atr14", 14, 8.053_571_428_571_429, 6.907_118_632_501_764),
    ("roc10", 10, 3.499_999_999_999_992, 2.074_074_074_074_072_6),
    ("volatility", 20, 0.052_240_120_844_865_66, 0.033_618_576_031_662_63),
    ("volatility_ratio", 119, 0.906_280_687_408_693_7, 0.929_218_725_280_986_1),
    ("volume_mean20", 20, 1_078.5, 1_080.5),
    ("volume_ratio", 20, 0.964_302_271_673_620_8, 1.027_302_174_919_019),
    ("donchian_high", 20, 116.5, 174.5),
    ("donchian_low", 20, 100.0, 160.5),
];

fn field(features: &TfFeatures, name: &str) -> Option<f64> {
    let columns = serde_json::to_value(features).unwrap();
    columns[name].as_f64()
}

#[test]
fn series_equals_talib_from_the_first_value_on() {
    let mut series = Series::new();
    for step in 0..260 {
        series.update(&bar(step));
        for (name, first, at_first, at_last) in GOLDEN {
            let value = field(series.features(), name);
            assert_eq!(value.is_some(), step >= first, "{name} on bar {step}");
            let Some(value) = value else { continue };
            let expected = match step {
                step if step == first => at_first,
                259 => at_last,
                _ => continue,
            };
            let scale = expected.abs().max(1.0);
            assert!((value - expected).abs() <= 1e-12 * scale, "{name}: {value} not {expected}");
        }
    }
    assert_eq!(series.features().bars, 260);
}

#[test]
fn series_of_a_constant_has_no_width_no_motion_and_no_ratio() {
    let mut series = Series::new();
    let flat =
        Bar { open_ns: 0, open: 0.1, high: 0.1, low: 0.1, close: 0.1, volume: Value::new(0.0) };
    for _ in 0..300 {
        series.update(&flat);
    }
    let features = series.features();
    for mean in [features.sma20, features.sma50, features.sma200, features.bollinger_upper] {
        assert_eq!(mean.get(), Some(0.1));
    }
    for zero in [features.rsi14, features.adx14, features.plus_di14, features.volatility] {
        assert_eq!(zero.get(), Some(0.0));
    }
    assert_eq!((features.volatility_ratio.get(), features.volume_ratio.get()), (None, None));
}

#[test]
fn unsound_bar_starts_the_warm_up_again() {
    let mut series = Series::new();
    for step in 0..60 {
        series.update(&bar(step));
    }
    let unsound = Bar { close: f64::NAN, ..bar(60) };
    assert_eq!(series.peek(&unsound), TfFeatures::default());
    series.update(&unsound);
    assert_eq!(series.features(), &TfFeatures::default());
}

#[test]
fn series_restored_from_its_bytes_goes_on_the_same() {
    let mut series = Series::new();
    for step in 0..230 {
        series.update(&bar(step));
    }
    // JSON has no NaN; after the whole warm-up nothing is absent.
    let mut restored: Series =
        serde_json::from_str(&serde_json::to_string(&series).unwrap()).unwrap();
    for step in 230..300 {
        series.update(&bar(step));
        restored.update(&bar(step));
        assert_eq!(series.features(), restored.features());
    }
}

#[test]
fn series_fits_in_five_kilobytes() {
    assert!(size_of::<Series>() < 5_000, "{}", size_of::<Series>());
}

/// The window means and the deviation after many updates against direct sums over the window.
fn drift(updates: u32) {
    let mut series = Series::new();
    let mut state = 1_u32;
    let mut closes = Vec::new();
    let mut close = 100.0;
    for _ in 0..updates {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        // A random walk over fifteen orders of magnitude, with jumps.
        close *= 1.0 + (f64::from(state >> 8) / f64::from(1 << 24) - 0.5) * 0.02;
        if state.is_multiple_of(50_021) {
            close *= if close < 1.0 { 1e5 } else { 1e-5 };
        }
        let flat =
            Bar { open_ns: 0, open: close, high: close, low: close, close, volume: Value::ABSENT };
        series.update(&flat);
        if closes.len() == 400 {
            closes.drain(..200);
        }
        closes.push(close);
    }
    let mean = |count: usize| {
        let window = &closes[closes.len() - count..];
        window.iter().sum::<f64>() / f64::from(u32::try_from(count).unwrap())
    };
    let window = &closes[closes.len() - 20..];
    let variance = window.iter().map(|close| (close - mean(20)).powi(2)).sum::<f64>() / 20.0;
    let features = series.features();
    let upper = mean(20) + 2.0 * variance.sqrt();
    for (value, expected) in [
        (features.sma20, mean(20)),
        (features.sma50, mean(50)),
        (features.sma200, mean(200)),
        (features.bollinger_upper, upper),
    ] {
        let ratio = value.get().unwrap() / expected;
        assert!((ratio - 1.0).abs() < 1e-11, "{ratio}");
    }
}

#[test]
fn series_after_a_million_updates_has_not_drifted() {
    drift(1_000_000);
}

/// Run with `cargo test --release -p utb-signals -- --ignored drifted`.
#[test]
#[ignore = "takes seconds: run by the long recipe"]
fn series_after_ten_million_updates_has_not_drifted() {
    drift(10_000_000);
}

/// Bars of any shape, and some with leaps of twelve orders of magnitude.
fn bars() -> impl Strategy<Value = Vec<Bar>> {
    let one = (-12_i32..10, 1_u32..1000, 0_u32..50, 0_u32..50, prop::option::of(0_u32..100));
    let steps = prop::collection::vec((one, 0_u32..20), 1..400);
    steps.prop_map(|steps| {
        let mut scale = 1.0;
        steps
            .into_iter()
            .map(|((exponent, price, above, below, volume), leap)| {
                if leap == 0 {
                    scale = 10_f64.powi(exponent);
                }
                let close = scale * (1.0 + f64::from(price) * 1e-3);
                let high = close * (1.0 + f64::from(above) * 1e-3);
                let low = close * (1.0 - f64::from(below) * 1e-3);
                let volume = Value::from(volume.map(f64::from));
                Bar { open_ns: 0, open: close, high, low, close, volume }
            })
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn peek_of_any_bar_equals_an_update_of_a_copy(bars in bars()) {
        let mut series = Series::new();
        for (index, bar) in bars.iter().enumerate() {
            let peeked = series.peek(bar);
            if index % 16 == 0 {
                let mut copy = series.clone();
                copy.update(bar);
                prop_assert_eq!(&peeked, copy.features());
            }
            series.update(bar);
            prop_assert_eq!(&peeked, series.features());
        }
    }

    #[test]
    fn features_of_any_bars_stay_in_their_ranges(bars in bars()) {
        let mut series = Series::new();
        for bar in &bars {
            series.update(bar);
            let features = series.features();
            for percent in [features.rsi14, features.adx14, features.plus_di14, features.minus_di14] {
                prop_assert!(percent.get().is_none_or(|it| (0.0..=100.0 + 1e-9).contains(&it)));
            }
            for positive in [features.atr14, features.volatility, features.volatility_ratio] {
                prop_assert!(positive.get().is_none_or(|it| it >= 0.0));
            }
            if let (Some(lower), Some(mean), Some(upper)) = (
                features.bollinger_lower.get(),
                features.sma20.get(),
                features.bollinger_upper.get(),
            ) {
                prop_assert!(lower <= mean && mean <= upper);
            }
        }
    }
}
