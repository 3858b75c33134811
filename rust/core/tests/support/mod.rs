//! Parameters, instruments and frames for tests.
#![allow(dead_code, clippy::unwrap_used, reason = "each test file uses a part")]

use utb_core::{EngineEvent, Pipeline};
use utb_types::{EventKind, EventRecord, Source, Timeframe};

pub(crate) const SECOND_NS: i64 = 1_000_000_000;
pub(crate) const MINUTE_NS: i64 = 60 * SECOND_NS;
/// 2024-01-01T00:00:00Z.
pub(crate) const START_NS: i64 = 1_704_067_200 * SECOND_NS;

pub(crate) const SOL: &str = "So11111111111111111111111111111111111111112";
pub(crate) const BONK: &str = "DezXAZ8z7PnrnRJjz3wXBoRgixCa6xjnB7YaB1pPB263";
pub(crate) const USDC: &str = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v";

/// The template's parameters; `evaluate` is "close" or "tick" for all strategies.
pub(crate) fn params(evaluate: &str) -> String {
    let evaluate = [format!("\"{evaluate}\"").as_str(); 8].join(",");
    let weights = ["[0.15,0.12,0.14,0.13,0.16,0.11,0.10,0.09]"; 4].join(",");
    format!(
        r#"{{"version":3,"timeframe":"15m","evaluate":[{evaluate}],
        "stat_window_bars":60,"reversion_horizon_bars":24,
        "thresholds":{{"min_momentum_strength":0.5,"momentum_volume_ratio":1.0,
        "min_mean_reversion_deviation":0.001,"mean_reversion_rsi":45.0,
        "mean_reversion_volume_ratio":0.5,"trend_confirmation_periods":3,"trend_adx":15.0,
        "volatility_ratio":1.0,"volatility_breakout_multiplier":1.0,"volatility_exit_ratio":0.8,
        "whale_buy_sell_ratio":1.5,"whale_accumulation":0.7,"whale_exit_accumulation":0.3,
        "whale_wallets_full":3,"sentiment_threshold":0.7,"sentiment_momentum":0.3,
        "sentiment_social_volume":0.6,"sentiment_exit":0.5,"pattern_strength":0.3,
        "pattern_support_atr":3.0,"stat_z":1.0,"stat_reversion_probability":0.2,
        "stat_price_difference":0.005,"stat_exit_z":0.5}},
        "scales":{{"rsi_momentum":0.3,"rsi":25.0,"atr":1.0,"roc":5.0,"deviation":0.03,
        "sma_stack":0.02,"adx":25.0,"macd":0.2,"volatility_ratio":1.8,"whale_ratio":1.5,
        "whale_accumulation":0.3,"whale_outflow_usd":1000000.0,"sentiment":0.3,
        "sentiment_momentum":0.7,"social_volume":0.4,"news":3.0,"pattern":0.4,"stat_z":2.0,
        "stat_probability":0.3,"stat_price_difference":0.005}},
        "exits":{{"momentum_stop_atr":1.2,"momentum_target_atr":2.5,"mean_reversion_stop":0.03,
        "trend_stop_atr":0.5,"trend_target_atr":3.0,"volatility_stop_atr":1.0,
        "volatility_target_atr":2.0,"whale_stop_atr":1.5,"whale_target_atr":2.5,
        "sentiment_stop_atr":1.3,"sentiment_target_atr":2.0,"pattern_stop":0.02,
        "stat_stop_atr":0.8,"trailing_stop_enabled":true,"trailing_stop_atr_multiplier":2.0,
        "high_volatility_stop_factor":0.8,"low_volatility_stop_factor":1.1,
        "high_volatility_ratio":1.5,"low_volatility_ratio":0.7,"partial_fraction":0.5,
        "safe_mode_stop_atr":1.0,"flash_crash_fall":0.1,"flash_crash_window_ns":300000000000}},
        "ensemble":{{"min_consensus":0.55,"min_confidence":0.3,"min_participation":0.05,
        "vote_horizon_bars":6,"forecast_influence":0.2,"diversity_window":50,
        "regime_trending_adx":25.0,"regime_ranging_adx":20.0,"regime_turbulent_ratio":1.5}},
        "weights":[{weights}],
        "feeds":{{"close_grace_ns":500000000,"max_gap_ns":900000000000,"outlier_factor":3.0,
        "cross_check_difference":0.02,"whale_max_age_ns":3600000000000,
        "sentiment_max_age_ns":7200000000000,"forecast_max_age_ns":3600000000000,
        "hedge_max_age_ns":1800000000000,"venue_max_age_ns":300000000000}},
        "risk":{{"correlation_min_samples":60,"correlation_shrink":10.0}}}}"#
    )
}

/// SOL-USDC and BONK-USDC with this primary source.
pub(crate) fn instruments(primary: &str) -> String {
    let one = |index: u32, symbol: &str, mint: &str, decimals: u8| {
        format!(
            r#"{{"index":{index},"symbol":"{symbol}","base_mint":"{mint}","quote_mint":"{USDC}",
            "base_decimals":{decimals},"quote_decimals":6,"primary":"{primary}",
            "timeframe":"15m","pair_address":null}}"#
        )
    };
    format!("[{},{}]", one(0, "SOL-USDC", SOL, 9), one(1, "BONK-USDC", BONK, 5))
}

pub(crate) fn pipeline_of(primary: &str, evaluate: &str, input: Timeframe) -> Pipeline {
    let (params, instruments) = (params(evaluate), instruments(primary));
    Pipeline::new(params.as_bytes(), instruments.as_bytes(), input).unwrap()
}

pub(crate) fn pipeline() -> Pipeline {
    pipeline_of("birdeye", "close", Timeframe::M5)
}

/// A price record of the recorded source.
pub(crate) fn record(ts_ns: i64, instrument: u32, price: f64, volume: f64) -> EventRecord {
    EventRecord {
        ts_ns,
        ts_recv_ns: ts_ns,
        instrument,
        kind: EventKind::Price as u16,
        source: Source::Recorded as u16,
        price,
        volume,
        liquidity: f64::NAN,
        slot: 0,
        index: 0,
    }
}

/// A Birdeye forming bar.
pub(crate) fn price_frame(
    mint: &str,
    timeframe: &str,
    open_s: i64,
    close: f64,
    volume: f64,
) -> String {
    format!(
        "{{\"type\":\"PRICE_DATA\",\"data\":{{\"o\":{close:?},\"h\":{close:?},\"l\":{close:?},\
         \"c\":{close:?},\"eventType\":\"ohlcv\",\"type\":\"{timeframe}\",\"unixTime\":{open_s},\
         \"v\":{volume:?},\"symbol\":\"SOL\",\"address\":\"{mint}\"}}}}"
    )
}

/// Takes what happened.
pub(crate) fn take(pipeline: &mut Pipeline) -> Vec<EngineEvent> {
    let events = pipeline.events().to_vec();
    pipeline.clear_events();
    events
}

/// One recorded bar of a random walk.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WalkBar {
    pub(crate) open: f64,
    pub(crate) high: f64,
    pub(crate) low: f64,
    pub(crate) close: f64,
    pub(crate) volume: f64,
}

/// A seeded random walk with trends, bursts of volatility and of volume (splitmix64).
pub(crate) fn walk(seed: u64, bars: usize, start: f64) -> Vec<WalkBar> {
    let mut state = seed;
    let mut uniform = move || {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut word = state;
        word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        f64::from(u32::try_from((word ^ (word >> 31)) >> 32).unwrap()) / f64::from(u32::MAX)
    };
    let (mut price, mut drift, mut scale) = (start, 0.0, 0.003);
    (0..bars)
        .map(|bar| {
            if bar % 40 == 0 {
                drift = (uniform() - 0.5) * 0.004;
                scale = 0.001 + uniform() * 0.008;
            }
            let open = price;
            price *= 1.0 + drift + (uniform() - 0.5) * scale;
            let close = price;
            WalkBar {
                open,
                high: open.max(close) * (1.0 + uniform() * scale),
                low: open.min(close) * (1.0 - uniform() * scale),
                close,
                volume: 10.0 + uniform() * uniform() * 500.0,
            }
        })
        .collect()
}

/// Records of walks of both instruments, merged; bars of 5 minutes from [`START_NS`].
pub(crate) fn records(seed: u64, bars: usize) -> Vec<EventRecord> {
    let stream = |instrument: u32, start: f64| {
        let walk = walk(seed + u64::from(instrument), bars, start);
        let column = |read: fn(&WalkBar) -> f64| walk.iter().map(read).collect::<Vec<_>>();
        let ts_ns: Vec<i64> =
            (0..i64::try_from(bars).unwrap()).map(|bar| START_NS + bar * 5 * MINUTE_NS).collect();
        let [open, high, low, close, volume] = [
            column(|it| it.open),
            column(|it| it.high),
            column(|it| it.low),
            column(|it| it.close),
            column(|it| it.volume),
        ];
        let columns = utb_core::BarColumns {
            ts_ns: &ts_ns,
            open: &open,
            high: &high,
            low: &low,
            close: &close,
            volume: &volume,
        };
        utb_core::explode(&columns, 5 * MINUTE_NS, instrument).unwrap()
    };
    utb_core::merge(&[&stream(0, 100.0), &stream(1, 0.000_02)]).unwrap()
}
