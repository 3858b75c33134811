//! Engine events as `MessagePack`: a list of `[tag, field, ...]`, the form that
//! `python/utb/domain/engine.py` declares.

use rmp::encode::{
    ByteBuf, write_array_len, write_f64, write_nil, write_sint, write_str, write_uint,
};
use utb_signals::triggers::MoveCause;
use utb_types::{CONDITION_MAX, Condition, STRATEGY_COUNT, Side, TriggerKind, Value};

use crate::event::{Decision, DecisionFeatures, EngineEvent};

/// Encodes events in their order; `None` when there are none.
pub fn encode(events: &[EngineEvent]) -> Option<Vec<u8>> {
    if events.is_empty() {
        return None;
    }
    let bytes: usize = events.iter().map(size_hint).sum();
    let mut out = Writer(ByteBuf::with_capacity(LIST_BYTES + bytes));
    out.list(events.len());
    for event in events {
        out.event(event);
    }
    Some(out.0.into_vec())
}

/// Most bytes of the head of a list.
const LIST_BYTES: usize = 5;

/// Returns about how many bytes an event takes, so that one allocation is enough.
const fn size_hint(event: &EngineEvent) -> usize {
    match event {
        EngineEvent::Decision(_) => 480,
        _ => 80,
    }
}

/// Returns the name of a side.
pub(crate) const fn side_name(side: Side) -> &'static str {
    match side {
        Side::Hold => "HOLD",
        Side::Buy => "BUY",
        Side::Sell => "SELL",
    }
}

/// Returns the name of a trigger.
pub(crate) const fn trigger_name(kind: TriggerKind) -> &'static str {
    match kind {
        TriggerKind::Stop => "STOP",
        TriggerKind::Target => "TARGET",
        TriggerKind::Trailing => "TRAILING",
        TriggerKind::Partial => "PARTIAL",
        TriggerKind::EarlyExit => "EARLY_EXIT",
    }
}

/// Returns the name of a cause.
const fn cause_name(cause: MoveCause) -> &'static str {
    match cause {
        MoveCause::Trailing => "TRAILING",
        MoveCause::Ratchet => "RATCHET",
        MoveCause::MovingTarget => "MOVING_TARGET",
        MoveCause::Tightened => "TIGHTENED",
        MoveCause::Breakeven => "BREAKEVEN",
    }
}

/// Returns how many conditions a strategy has.
fn condition_count(strategy: usize) -> usize {
    utb_signals::strategies::CONDITIONS.get(strategy).map_or(0, |names| names.len())
}

/// Returns a letter per condition.
fn letters(conditions: [Condition; CONDITION_MAX]) -> [u8; CONDITION_MAX] {
    conditions.map(|condition| match condition {
        Condition::Missing => b'-',
        Condition::Failed => b'F',
        Condition::Held => b'T',
    })
}

/// Writing to memory cannot fail, so every result is dropped.
struct Writer(ByteBuf);

impl Writer {
    fn list(&mut self, len: usize) {
        write_array_len(&mut self.0, u32::try_from(len).unwrap_or(u32::MAX)).ok();
    }

    fn tagged(&mut self, tag: &str, fields: usize) {
        self.list(fields + 1);
        self.text(tag);
    }

    fn text(&mut self, text: &str) {
        write_str(&mut self.0, text).ok();
    }

    fn int(&mut self, number: i64) {
        write_sint(&mut self.0, number).ok();
    }

    fn count(&mut self, number: u64) {
        write_uint(&mut self.0, number).ok();
    }

    fn float(&mut self, number: f64) {
        write_f64(&mut self.0, number).ok();
    }

    fn value(&mut self, value: Value) {
        match value.get() {
            Some(number) => self.float(number),
            None => self.nil(),
        }
    }

    fn nil(&mut self) {
        write_nil(&mut self.0).ok();
    }

    fn head(&mut self, (tag, fields): (&str, usize), ts_ns: i64, instrument: u32) {
        self.tagged(tag, fields);
        self.int(ts_ns);
        self.count(u64::from(instrument));
    }

    fn event(&mut self, event: &EngineEvent) {
        match *event {
            EngineEvent::Decision(ref decision) => self.decision(decision),
            EngineEvent::Fired { ts_ns, instrument, position_id, kind, price, level, fraction } => {
                self.head(("F", 7), ts_ns, instrument);
                self.count(position_id);
                self.text(trigger_name(kind));
                self.float(price);
                self.value(level);
                self.float(fraction);
            }
            EngineEvent::Moved { ts_ns, instrument, position_id, stop, target, cause } => {
                self.head(("M", 6), ts_ns, instrument);
                self.count(position_id);
                self.float(stop);
                self.value(target);
                self.text(cause_name(cause));
            }
            EngineEvent::DayClosed { ts_ns, day, equity, peak } => {
                self.tagged("Y", 4);
                self.int(ts_ns);
                self.int(day);
                self.float(equity);
                self.float(peak);
            }
            EngineEvent::EquityFloor { ts_ns, equity, floor, peak } => {
                self.tagged("E", 4);
                self.int(ts_ns);
                self.float(equity);
                self.float(floor);
                self.float(peak);
            }
            EngineEvent::FlashCrash { ts_ns, instrument, fall, limit } => {
                self.head(("C", 4), ts_ns, instrument);
                self.float(fall);
                self.float(limit);
            }
            EngineEvent::WarmUpRestarted { ts_ns, instrument, gap_ns } => {
                self.head(("R", 3), ts_ns, instrument);
                self.int(gap_ns);
            }
        }
    }

    fn decision(&mut self, decision: &Decision) {
        let view = &decision.view;
        self.head(("D", 14), view.ts_ns, view.instrument);
        self.int(view.bar_open_ns);
        self.text(side_name(view.side));
        self.count(view.lead.index() as u64);
        self.float(view.price);
        self.value(view.stop);
        self.value(view.target);
        self.float(view.consensus);
        self.float(view.confidence);
        self.float(view.participation);
        self.list(STRATEGY_COUNT);
        let standing = view.sides.iter().zip(&view.strengths);
        let standing = standing.zip(&view.confidences).zip(&view.weights);
        for (strategy, ((((side, strength), confidence), weight), conditions)) in
            standing.zip(&decision.conditions).enumerate()
        {
            self.list(5);
            self.text(side_name(*side));
            self.float(*strength);
            self.float(*confidence);
            self.float(*weight);
            let letters = letters(*conditions);
            let named = letters.get(..condition_count(strategy)).unwrap_or_default();
            self.text(str::from_utf8(named).unwrap_or_default());
        }
        self.features(&decision.features, view.regime as u64);
        self.count(decision.params_version);
    }

    fn features(&mut self, features: &DecisionFeatures, regime: u64) {
        self.list(6);
        self.value(features.atr);
        self.value(features.adx);
        self.value(features.volatility_ratio);
        match features.trend_4h {
            Some(sign) => self.int(i64::from(sign)),
            None => self.nil(),
        }
        self.count(regime);
        self.value(features.liquidity_quote);
    }
}

#[cfg(test)]
mod tests {
    use utb_types::{TriggerKind, Value};

    use super::encode;
    use crate::event::EngineEvent;

    #[test]
    fn test_encode_of_nothing_is_nothing() {
        assert_eq!(encode(&[]), None);
    }

    #[test]
    fn test_encode_of_a_fired_trigger_is_its_tagged_list() {
        let event = EngineEvent::Fired {
            ts_ns: 1,
            instrument: 2,
            position_id: 300,
            kind: TriggerKind::EarlyExit,
            price: 1.5,
            level: Value::ABSENT,
            fraction: 1.0,
        };
        // [["F", 1, 2, 300, "EARLY_EXIT", 1.5, nil, 1.0]] by the MessagePack specification.
        let mut expected = vec![0x91, 0x98, 0xa1, b'F', 0x01, 0x02, 0xcd, 0x01, 0x2c, 0xaa];
        expected.extend(b"EARLY_EXIT");
        expected.extend([0xcb, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0, 0xc0]);
        expected.extend([0xcb, 0x3f, 0xf0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(encode(&[event]), Some(expected));
    }
}
