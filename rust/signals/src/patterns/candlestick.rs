//! Candlestick patterns, in their bullish form; the bearish one is its mirror image.
//!
//! Markets without opening gaps are the rule, so no definition needs one. "After a fall" means
//! that the close fell by at least half an ATR over the five bars before the pattern; `fall` is
//! that distance in ATR. Lengths are in ATR where not said otherwise. A strength is the mean of
//! its terms, each clamped to 0..1.

use super::candle::{Candle, Recent};
use super::{Found, clamp01, mean};

/// Least fall before a reversal pattern, ATR.
const FALL_MIN: f64 = 0.5;

/// Fall that counts fully, ATR.
const FALL_FULL: f64 = 3.0;

/// Length of a body that counts as long, ATR.
const LONG_BODY: f64 = 0.6;

/// Length of a body or range that counts fully, ATR.
const BODY_FULL: f64 = 1.5;

/// What a detection sees: bars, their ATR, and the fall before patterns of one to three bars.
#[derive(Clone, Copy, Debug)]
struct Scene {
    newest: Candle,
    second: Candle,
    third: Candle,
    atr: f64,
}

/// Returns the strongest bullish candlestick pattern that the newest bar completes.
pub(super) fn strongest(recent: &Recent, atr: f64) -> Option<Found> {
    if !recent.is_full() || atr <= 0.0 {
        return None;
    }
    let [newest, second, third] = recent.newest();
    let scene = Scene { newest, second, third, atr };
    let [one, two, three] = [1, 2, 3].map(|bars| recent.fall_before(bars) / atr);
    let candidates = [
        (0, 1, one, hammer(&scene, one)),
        (1, 2, two, engulfing(&scene, two)),
        (2, 3, three, morning_star(&scene, three)),
        (3, 2, two, piercing(&scene, two)),
        (4, 3, three, three_white_soldiers(&scene, three)),
        (5, 2, two, harami(&scene, two)),
    ];
    let mut best: Option<Found> = None;
    for (pattern, bars, fall, strength) in candidates {
        let Some(strength) = strength.filter(|_| fall >= FALL_MIN) else { continue };
        if best.is_none_or(|best| strength > best.strength) {
            let candles = [newest, second, third];
            let parts = candles.iter().take(bars);
            let high = parts.clone().map(|candle| candle.high).fold(f64::MIN, f64::max);
            let low = parts.map(|candle| candle.low).fold(f64::MAX, f64::min);
            best = Some(Found { pattern, strength, high, low, target: None, confirmed: false });
        }
    }
    best
}

/// Hammer (mirror: shooting star).
///
/// One bar after a fall: range >= 0.5 ATR; lower shadow >= half the range and >= 2 bodies; upper
/// shadow <= 0.15 of the range. Strength: mean of (lower shadow/range - 0.4)/0.4, range/1.5 ATR and
/// fall/3.
fn hammer(scene: &Scene, fall: f64) -> Option<f64> {
    let candle = scene.newest;
    let range = candle.range();
    let shadow = candle.lower_shadow();
    let shaped = range >= 0.5 * scene.atr
        && shadow >= 0.5 * range
        && shadow >= 2.0 * candle.body()
        && candle.upper_shadow() <= 0.15 * range;
    shaped.then(|| {
        mean([(shadow / range - 0.4) / 0.4, range / (BODY_FULL * scene.atr), fall / FALL_FULL])
    })
}

/// Bullish engulfing (mirror: bearish engulfing).
///
/// After a fall, a down bar and then an up bar whose body covers that of the first and is longer
/// than it, and >= 0.6 ATR. Strength: mean of body/1.5 ATR, (body/first body - 1)/1 and fall/3.
fn engulfing(scene: &Scene, fall: f64) -> Option<f64> {
    let (first, last) = (scene.second, scene.newest);
    let shaped = first.is_down()
        && last.is_up()
        && last.open <= first.close
        && last.close >= first.open
        && last.body() > first.body()
        && last.body() >= LONG_BODY * scene.atr;
    shaped.then(|| {
        mean([
            last.body() / (BODY_FULL * scene.atr),
            last.body() / first.body() - 1.0,
            fall / FALL_FULL,
        ])
    })
}

/// Morning star (mirror: evening star).
///
/// After a fall, a down bar with a body >= 0.6 ATR; a bar with a body <= 0.4 of the first, whose
/// middle lies below the first body's; an up bar that closes above the middle of the first body.
/// Strength: mean of the share of the first body that is won back, first body/1.5 ATR,
/// 1 - second body/(0.4 first body) and fall/3.
fn morning_star(scene: &Scene, fall: f64) -> Option<f64> {
    let (first, star, last) = (scene.third, scene.second, scene.newest);
    let body = first.body();
    let shaped = first.is_down()
        && body >= LONG_BODY * scene.atr
        && star.body() <= 0.4 * body
        && star.body_middle() < first.body_middle()
        && last.is_up()
        && last.close > first.body_middle();
    shaped.then(|| {
        mean([
            (last.close - first.close) / body,
            body / (BODY_FULL * scene.atr),
            1.0 - star.body() / (0.4 * body),
            fall / FALL_FULL,
        ])
    })
}

/// Piercing line (mirror: dark cloud cover).
///
/// After a fall, a down bar with a body >= 0.6 ATR; an up bar that opens at or below the first
/// close, makes a lower low, and closes above the middle of the first body but below its open.
/// Strength: mean of the share of the first body that is won back, first body/1.5 ATR and fall/3.
fn piercing(scene: &Scene, fall: f64) -> Option<f64> {
    let (first, last) = (scene.second, scene.newest);
    let body = first.body();
    let shaped = first.is_down()
        && body >= LONG_BODY * scene.atr
        && last.is_up()
        && last.open <= first.close
        && last.low < first.low
        && last.close > first.body_middle()
        && last.close < first.open;
    shaped.then(|| {
        mean([(last.close - first.close) / body, body / (BODY_FULL * scene.atr), fall / FALL_FULL])
    })
}

/// Three white soldiers (mirror: three black crows).
///
/// After a fall, three up bars with bodies >= 0.4 ATR, each closing above the one before and
/// opening at or above the middle of its body, with upper shadows <= 0.3 of the range.
/// Strength: mean of mean body/ATR, 1 - mean upper shadow/(0.3 range), and smallest/largest body.
fn three_white_soldiers(scene: &Scene, _fall: f64) -> Option<f64> {
    let soldiers = [scene.third, scene.second, scene.newest];
    let [first, second, last] = soldiers;
    let strong = soldiers.iter().all(|candle| {
        candle.is_up()
            && candle.body() >= 0.4 * scene.atr
            && candle.upper_shadow() <= 0.3 * candle.range()
    });
    let climbing = |before: Candle, after: Candle| {
        after.close > before.close && after.open >= before.body_middle()
    };
    if !strong || !climbing(first, second) || !climbing(second, last) {
        return None;
    }
    let bodies = soldiers.map(Candle::body);
    let [shadow_first, shadow_second, shadow_last] =
        soldiers.map(|candle| candle.upper_shadow() / (0.3 * candle.range()));
    let smallest = bodies.into_iter().fold(f64::MAX, f64::min);
    let largest = bodies.into_iter().fold(f64::MIN, f64::max);
    Some(mean([
        bodies.into_iter().sum::<f64>() / (3.0 * scene.atr),
        1.0 - (shadow_first + shadow_second + shadow_last) / 3.0,
        smallest / largest,
    ]))
}

/// Bullish harami (mirror: bearish harami).
///
/// After a fall, a down bar with a body >= 0.8 ATR; an up bar whose body lies within that of the
/// first and is at most half as long. Strength: mean of first body/1.5 ATR,
/// 1 - body/(0.5 first body), the height of its close within the first body, and fall/3.
fn harami(scene: &Scene, fall: f64) -> Option<f64> {
    let (first, last) = (scene.second, scene.newest);
    let body = first.body();
    let shaped = first.is_down()
        && body >= 0.8 * scene.atr
        && last.is_up()
        && last.body_top() <= first.open
        && last.body_bottom() >= first.close
        && last.body() <= 0.5 * body;
    shaped.then(|| {
        mean([
            body / (BODY_FULL * scene.atr),
            1.0 - last.body() / (0.5 * body),
            clamp01((last.close - first.close) / body),
            fall / FALL_FULL,
        ])
    })
}
