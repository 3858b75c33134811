//! Resting conditional orders: stop, target, trailing stop, partial profit and early exit of each
//! open position (`docs/trading.md`, Exits). The floor of the whole equity is the core's.

mod armed;
mod report;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use utb_types::{ExitParams, TriggerKind, Value};

pub use self::armed::{Armed, MoveCause};
pub use self::report::{ArmError, Close, Fired, Moved};

/// What the tick path looks at: a price strictly between does nothing.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Gate {
    down: f64,
    up: f64,
    /// Last price, for rules that act between prices.
    last: f64,
}

impl Gate {
    /// Of an instrument without a position. Finite, so that it survives every encoding.
    const OPEN: Self = Self { down: f64::MIN, up: f64::MAX, last: 0.0 };
}

/// All resting triggers, dense by instrument: at most one position each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Triggers {
    gates: Vec<Gate>,
    slots: Vec<Option<Armed>>,
    /// Stop of each slot as last told.
    told: Vec<f64>,
    rules: ExitParams,
    safe_mode: bool,
}

impl Triggers {
    /// Returns triggers for `instruments` instruments, none armed.
    pub fn new(instruments: usize, rules: &ExitParams) -> Self {
        Self {
            gates: vec![Gate::OPEN; instruments],
            slots: vec![None; instruments],
            told: vec![0.0; instruments],
            rules: rules.clone(),
            safe_mode: false,
        }
    }

    /// Takes changed rules; they act from the next price or close on.
    pub fn set_params(&mut self, rules: &ExitParams) {
        self.rules.clone_from(rules);
        for instrument in 0..self.slots.len() {
            self.regate(instrument);
        }
    }

    /// Arms a position, or arms it anew after a fill: then what it had reached (highest price,
    /// stop, trailing) is kept, and nothing is in flight unless `armed` says so.
    ///
    /// With `partial_done` the stop goes to entry + round-trip cost. The stop as it rests is told
    /// if it is not the one given.
    ///
    /// # Errors
    ///
    /// Returns [`ArmError`] if another position is armed there or a price is not finite.
    pub fn arm(
        &mut self,
        armed: Armed,
        ts_ns: i64,
        moved: &mut impl FnMut(Moved),
    ) -> Result<(), ArmError> {
        if !armed.is_sound() {
            return Err(ArmError::NotFinite);
        }
        let instrument = index(armed.instrument);
        self.grow(instrument);
        let Some(slot) = self.slots.get_mut(instrument) else { return Ok(()) };
        let mut next = armed;
        match slot {
            Some(held) if held.position_id != armed.position_id => {
                return Err(ArmError::Taken { position_id: held.position_id });
            }
            Some(held) => next.inherit(held),
            None => {}
        }
        let inherited = if next.trailed { MoveCause::Trailing } else { MoveCause::Tightened };
        let cause = next.settle(&self.rules).unwrap_or(inherited);
        *slot = Some(next);
        if let Some(told) = self.told.get_mut(instrument) {
            *told = armed.stop;
        }
        self.tell(instrument, ts_ns, Some(cause), moved);
        self.regate(instrument);
        Ok(())
    }

    /// Ends a position's triggers; true if it was armed.
    pub fn disarm(&mut self, position_id: u64) -> bool {
        let Some(instrument) = self.find(position_id) else { return false };
        if let Some(slot) = self.slots.get_mut(instrument) {
            *slot = None;
        }
        self.regate(instrument);
        true
    }

    /// Says that no exit of the position is in flight any more, because it failed or expired.
    pub fn release(&mut self, position_id: u64) -> bool {
        let Some(instrument) = self.find(position_id) else { return false };
        if let Some(Some(armed)) = self.slots.get_mut(instrument) {
            armed.partial_in_flight = false;
            armed.exit_in_flight = false;
        }
        self.regate(instrument);
        true
    }

    /// Returns the armed position of an instrument.
    pub fn get(&self, instrument: u32) -> Option<&Armed> {
        self.slots.get(index(instrument))?.as_ref()
    }

    /// Returns all armed positions, by instrument.
    pub fn iter(&self) -> impl Iterator<Item = &Armed> {
        self.slots.iter().flatten()
    }

    /// Looks at a price. One that nothing waits for costs two comparisons.
    #[inline]
    pub fn on_price(
        &mut self,
        instrument: u32,
        ts_ns: i64,
        price: f64,
        fired: &mut impl FnMut(Fired),
    ) {
        let Some(gate) = self.gates.get_mut(index(instrument)) else { return };
        gate.last = price;
        if price > gate.down && price < gate.up {
            return;
        }
        if let Some(shot) = self.reach(instrument, ts_ns, price) {
            fired(shot);
        }
    }

    /// Moves stop and target at a close of the strategy timeframe, then asks the lead whether to
    /// leave early. Call after the votes on that bar, before prices of the next.
    pub fn on_close(
        &mut self,
        close: &Close<'_>,
        moved: &mut impl FnMut(Moved),
        fired: &mut impl FnMut(Fired),
    ) {
        let instrument = index(close.instrument);
        let Some(Some(armed)) = self.slots.get_mut(instrument) else { return };
        let cause = armed.close(close.tf, &self.rules, self.safe_mode);
        self.tell(instrument, close.ts_ns, cause, moved);
        if let Some(price) = close.tf.close.get() {
            self.on_votes(close, price, u8::MAX, fired);
        }
        self.regate(instrument);
    }

    /// Early exits between closes, for leads with `evaluate = "tick"`: only those whose bit
    /// (1 << strategy) is in `mask` are asked. `close.tf` is not looked at.
    pub fn on_votes(
        &mut self,
        close: &Close<'_>,
        price: f64,
        mask: u8,
        fired: &mut impl FnMut(Fired),
    ) {
        let instrument = index(close.instrument);
        let Some(Some(armed)) = self.slots.get_mut(instrument) else { return };
        let Some(lead) = armed.lead else { return };
        let leaves = close.votes.get(lead.index()).is_some_and(|vote| vote.exit_long);
        if !leaves || mask & (1 << lead.index()) == 0 || armed.exit_in_flight {
            return;
        }
        armed.exit_in_flight = true;
        fired(Fired {
            position_id: armed.position_id,
            instrument: close.instrument,
            kind: TriggerKind::EarlyExit,
            ts_ns: close.ts_ns,
            price,
            level: Value::ABSENT,
            fraction: 1.0,
        });
        self.regate(instrument);
    }

    /// Turns SAFE_MODE on or off. While it is on, stops are at most 1 ATR below the price: now and
    /// at each close. Turning it off loosens nothing.
    pub fn set_safe_mode(&mut self, on: bool, ts_ns: i64, moved: &mut impl FnMut(Moved)) {
        self.safe_mode = on;
        if !on {
            return;
        }
        for instrument in 0..self.slots.len() {
            self.change(instrument, ts_ns, moved, |armed, price, rules| {
                armed.tighten_to_atr(price, rules)
            });
        }
    }

    /// Cooling-off of an instrument: the distance between the last price and the stop shrinks to
    /// `factor` (0..1) of what it is.
    pub fn tighten(
        &mut self,
        instrument: u32,
        factor: f64,
        ts_ns: i64,
        moved: &mut impl FnMut(Moved),
    ) {
        self.change(index(instrument), ts_ns, moved, |armed, price, _| {
            armed.tighten_by(price, factor.clamp(0.0, 1.0))
        });
    }

    /// Raises an instrument's stop to `atr_multiple` ATR below the last price; once, not at the
    /// closes that follow.
    pub fn tighten_to_atr(
        &mut self,
        instrument: u32,
        atr_multiple: f64,
        ts_ns: i64,
        moved: &mut impl FnMut(Moved),
    ) {
        self.change(index(instrument), ts_ns, moved, |armed, price, _| {
            armed.tighten_to(price, atr_multiple)
        });
    }

    /// A price outside the gate.
    #[inline(never)]
    fn reach(&mut self, instrument: u32, ts_ns: i64, price: f64) -> Option<Fired> {
        let dense = index(instrument);
        let armed = self.slots.get_mut(dense)?.as_mut()?;
        if !price.is_finite() {
            return None;
        }
        let shot = armed.tick(price, &self.rules);
        let position_id = armed.position_id;
        self.regate(dense);
        let (kind, level, fraction) = shot?;
        Some(Fired { position_id, instrument, kind, ts_ns, price, level, fraction })
    }

    /// Applies a rule between prices, if there has been a price.
    fn change(
        &mut self,
        instrument: usize,
        ts_ns: i64,
        moved: &mut impl FnMut(Moved),
        rule: impl FnOnce(&mut Armed, f64, &ExitParams) -> Option<MoveCause>,
    ) {
        let Some(Some(armed)) = self.slots.get_mut(instrument) else { return };
        let last = self.gates.get(instrument).map_or(0.0, |gate| gate.last);
        let price = if last > 0.0 { last } else { armed.entry_price };
        let cause = rule(armed, price, &self.rules);
        self.tell(instrument, ts_ns, cause, moved);
        self.regate(instrument);
    }

    /// Tells a stop that is not where it was last told, or a target that moved (`cause`).
    fn tell(
        &mut self,
        instrument: usize,
        ts_ns: i64,
        cause: Option<MoveCause>,
        moved: &mut impl FnMut(Moved),
    ) {
        let (Some(Some(armed)), Some(told)) =
            (self.slots.get(instrument), self.told.get_mut(instrument))
        else {
            return;
        };
        let stop_moved = armed.stop > *told;
        let target_moved = cause == Some(MoveCause::MovingTarget);
        if !stop_moved && !target_moved {
            return;
        }
        *told = armed.stop;
        moved(Moved {
            position_id: armed.position_id,
            instrument: armed.instrument,
            ts_ns,
            stop: armed.stop,
            target: armed.target,
            cause: cause.unwrap_or(MoveCause::Trailing),
        });
    }

    /// Recomputes the gate: the stop below; above the nearest of highest price, target and partial.
    fn regate(&mut self, instrument: usize) {
        let (Some(slot), Some(gate)) = (self.slots.get(instrument), self.gates.get_mut(instrument))
        else {
            return;
        };
        let Some(armed) = slot else {
            *gate = Gate { last: gate.last, ..Gate::OPEN };
            return;
        };
        let live = !armed.exit_in_flight;
        gate.down = if live { armed.stop } else { Gate::OPEN.down };
        let target = armed.target.get().filter(|_| live);
        let partial = armed.partial_level(&self.rules).filter(|_| live);
        gate.up = [target, partial].into_iter().flatten().fold(armed.highest, f64::min);
    }

    fn find(&self, position_id: u64) -> Option<usize> {
        let held = |slot: &Option<Armed>| {
            slot.as_ref().is_some_and(|armed| armed.position_id == position_id)
        };
        self.slots.iter().position(held)
    }

    fn grow(&mut self, instrument: usize) {
        let length = instrument.saturating_add(1);
        if self.slots.len() < length {
            self.slots.resize(length, None);
            self.gates.resize(length, Gate::OPEN);
            self.told.resize(length, 0.0);
        }
    }
}

#[inline]
fn index(instrument: u32) -> usize {
    usize::try_from(instrument).unwrap_or(usize::MAX)
}
