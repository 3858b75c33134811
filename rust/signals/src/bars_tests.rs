//! Tests of [`super::BarBuilder`].

use proptest::prelude::*;
use utb_types::{Bar, TIMEFRAME_COUNT, Timeframe, Value};

use super::{Applied, BarBuilder, CloseGroup};

/// 2024-01-01T00:00:00Z, a multiple of a day.
const MIDNIGHT: i64 = 1_704_067_200_000_000_000;
const SECOND: i64 = 1_000_000_000;
const MINUTE: i64 = 60 * SECOND;

fn drain(builder: &mut BarBuilder, ts_ns: i64) -> Vec<CloseGroup> {
    std::iter::from_fn(|| builder.next_close(ts_ns)).collect()
}

fn bar(open_ns: i64, prices: [f64; 4], volume: Value) -> Bar {
    let [open, high, low, close] = prices;
    Bar { open_ns, open, high, low, close, volume }
}

#[test]
fn bar_closes_at_the_first_event_at_its_end() {
    let mut builder = BarBuilder::new(Timeframe::M1);
    for (second, price) in [(0, 10.0), (20, 12.0), (40, 9.0), (59, 11.0)] {
        let applied = builder.apply(MIDNIGHT + second * SECOND, price, Value::new(1.5));
        assert_eq!(applied, Applied::Updated);
    }
    assert_eq!(builder.next_close(MIDNIGHT + MINUTE - 1), None);
    let group = builder.next_close(MIDNIGHT + MINUTE).unwrap();
    let minute = bar(MIDNIGHT, [10.0, 12.0, 9.0, 11.0], Value::new(6.0));
    assert_eq!((group.end_ns, group.bars[0]), (MIDNIGHT + MINUTE, Some(minute)));
    assert_eq!(group.bars[1], None);
    assert_eq!(builder.next_close(MIDNIGHT + MINUTE), None);
}

#[test]
fn hour_closes_together_with_its_last_quarter() {
    let mut builder = BarBuilder::new(Timeframe::M15);
    builder.apply(MIDNIGHT + 46 * MINUTE, 5.0, Value::new(1.0));
    builder.restart();
    for quarter in 0..4_i32 {
        let ts_ns = MIDNIGHT + i64::from(quarter) * 15 * MINUTE;
        drain(&mut builder, ts_ns);
        builder.apply(ts_ns, 10.0 + f64::from(quarter), Value::new(2.0));
    }
    let group = builder.next_close(MIDNIGHT + 60 * MINUTE).unwrap();
    let present: Vec<bool> = group.bars.iter().map(Option::is_some).collect();
    assert_eq!(present, [false, false, true, true, false, false]);
    assert_eq!(group.bars[3], Some(bar(MIDNIGHT, [10.0, 13.0, 10.0, 13.0], Value::new(8.0))));
}

#[test]
fn silent_minutes_repeat_the_close_without_volume_and_leave_coarser_bars_alone() {
    let mut builder = BarBuilder::new(Timeframe::M1);
    builder.apply(MIDNIGHT, 10.0, Value::new(1.0));
    let groups = drain(&mut builder, MIDNIGHT + 6 * MINUTE);
    assert_eq!(groups.len(), 6);
    let silent = bar(MIDNIGHT + MINUTE, [10.0; 4], Value::new(0.0));
    assert_eq!(groups[1].bars[0], Some(silent));
    assert_eq!(groups[4].bars[1], Some(bar(MIDNIGHT, [10.0; 4], Value::new(1.0))));
    // The second 5m bar opens with its own first trade, not with the silent minute before it.
    builder.apply(MIDNIGHT + 6 * MINUTE, 12.0, Value::new(1.0));
    let five = builder.forming(Timeframe::M5).unwrap();
    assert_eq!(five, bar(MIDNIGHT + 5 * MINUTE, [12.0; 4], Value::new(1.0)));
}

#[test]
fn late_event_inside_the_forming_bar_moves_only_its_range_and_volume() {
    let mut builder = BarBuilder::new(Timeframe::M1);
    builder.apply(MIDNIGHT + 30 * SECOND, 10.0, Value::new(1.0));
    let late = builder.apply(MIDNIGHT + 10 * SECOND, 8.0, Value::new(1.0));
    assert_eq!(late, Applied::LateInside);
    let forming = builder.forming(Timeframe::M1).unwrap();
    assert_eq!(forming, bar(MIDNIGHT, [10.0, 10.0, 8.0, 10.0], Value::new(2.0)));
    assert_eq!(builder.last_ts_ns(), Some(MIDNIGHT + 30 * SECOND));
    assert_eq!(builder.apply(MIDNIGHT - 1, 8.0, Value::new(1.0)), Applied::Late);
    assert_eq!(builder.forming(Timeframe::M1), Some(forming));
}

#[test]
fn unknown_volume_makes_the_bars_that_hold_it_unknown() {
    let mut builder = BarBuilder::new(Timeframe::M1);
    builder.apply(MIDNIGHT, 10.0, Value::ABSENT);
    drain(&mut builder, MIDNIGHT + MINUTE);
    builder.apply(MIDNIGHT + MINUTE, 10.0, Value::new(3.0));
    assert_eq!(builder.forming(Timeframe::M1).unwrap().volume.get(), Some(3.0));
    assert_eq!(builder.forming(Timeframe::M5).unwrap().volume.get(), None);
}

#[test]
fn bar_that_began_before_the_first_event_is_neither_shown_nor_closed() {
    let mut builder = BarBuilder::new(Timeframe::M1);
    builder.apply(MIDNIGHT + 9 * MINUTE + 30 * SECOND, 10.0, Value::new(1.0));
    assert!(builder.is_partial(Timeframe::M5) && !builder.is_partial(Timeframe::M1));
    assert_eq!(builder.forming(Timeframe::M5), None);
    assert!(builder.forming(Timeframe::M1).is_some());
    let group = builder.next_close(MIDNIGHT + 10 * MINUTE).unwrap();
    assert!(group.bars[0].is_some() && group.bars[1].is_none());
    // The next 5m bar is whole, the hour still is not.
    assert!(builder.forming(Timeframe::M5).is_some());
    assert_eq!(builder.forming(Timeframe::H1), None);
}

#[test]
fn unsound_price_or_time_is_dropped() {
    let mut builder = BarBuilder::new(Timeframe::M1);
    for price in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert_eq!(builder.apply(MIDNIGHT, price, Value::new(1.0)), Applied::Late);
    }
    for ts_ns in [-1, i64::MIN, i64::MAX] {
        assert_eq!(builder.apply(ts_ns, 1.0, Value::new(1.0)), Applied::Late);
    }
    assert_eq!((builder.last_ts_ns(), builder.next_end_ns()), (None, None));
}

#[test]
fn restart_forgets_the_forming_bars() {
    let mut builder = BarBuilder::new(Timeframe::M5);
    builder.apply(MIDNIGHT, 10.0, Value::new(1.0));
    assert_eq!(builder.next_end_ns(), Some(MIDNIGHT + 5 * MINUTE));
    builder.restart();
    assert_eq!(builder.next_close(i64::MAX), None);
    assert_eq!((builder.forming(Timeframe::M5), builder.finest()), (None, Timeframe::M5));
}

/// Bars of one timeframe straight from events in order; silence repeats the close.
fn oracle(events: &[(i64, f64, f64)], timeframe: Timeframe, until_ns: i64) -> Vec<Bar> {
    let mut bars: Vec<Bar> = Vec::new();
    let mut open_ns = timeframe.open_ns(events[0].0);
    while open_ns + timeframe.span_ns() <= until_ns {
        let end_ns = open_ns + timeframe.span_ns();
        let inside: Vec<_> =
            events.iter().filter(|event| (open_ns..end_ns).contains(&event.0)).collect();
        let next = match (inside.first(), inside.last()) {
            (Some(first), Some(last)) => Bar {
                open_ns,
                open: first.1,
                high: inside.iter().map(|event| event.1).fold(f64::MIN, f64::max),
                low: inside.iter().map(|event| event.1).fold(f64::MAX, f64::min),
                close: last.1,
                volume: Value::new(inside.iter().map(|event| event.2).sum()),
            },
            _ => bar(open_ns, [bars.last().unwrap().close; 4], Value::new(0.0)),
        };
        bars.push(next);
        open_ns = end_ns;
    }
    bars
}

proptest! {
    #[test]
    fn bars_of_any_events_equal_the_definition_whatever_the_finest_timeframe(
        steps in prop::collection::vec((1_i64..400, 1_u32..1000, 0_u32..50), 1..300),
    ) {
        let mut ts_ns = MIDNIGHT;
        let mut events = Vec::new();
        for (seconds, price, volume) in steps {
            events.push((ts_ns, f64::from(price), f64::from(volume)));
            ts_ns += seconds * SECOND;
        }
        for finest in [Timeframe::M1, Timeframe::M5] {
            let mut builder = BarBuilder::new(finest);
            let mut closed: [Vec<Bar>; TIMEFRAME_COUNT] = Default::default();
            let mut collect = |group: CloseGroup| {
                for (closed, bar) in closed.iter_mut().zip(group.bars) {
                    closed.extend(bar);
                }
            };
            for &(ts_ns, price, volume) in &events {
                drain(&mut builder, ts_ns).into_iter().for_each(&mut collect);
                builder.apply(ts_ns, price, Value::new(volume));
            }
            drain(&mut builder, ts_ns).into_iter().for_each(&mut collect);
            for timeframe in Timeframe::ALL.into_iter().filter(|it| *it >= finest) {
                let expected = oracle(&events, timeframe, ts_ns);
                prop_assert_eq!(&closed[timeframe.index()], &expected);
            }
        }
    }

    #[test]
    fn forming_bar_is_what_closes_when_nothing_follows(
        steps in prop::collection::vec((1_i64..200, 1_u32..1000), 1..60),
    ) {
        let mut builder = BarBuilder::new(Timeframe::M1);
        let mut ts_ns = MIDNIGHT;
        for (seconds, price) in steps {
            drain(&mut builder, ts_ns);
            builder.apply(ts_ns, f64::from(price), Value::new(1.0));
            ts_ns += seconds * SECOND;
        }
        let forming = builder.forming(Timeframe::H1);
        let end_ns = Timeframe::H1.open_ns(builder.last_ts_ns().unwrap()) + 60 * MINUTE;
        let closed = drain(&mut builder, end_ns).last().unwrap().bars[Timeframe::H1.index()];
        prop_assert_eq!(forming, closed);
    }
}
