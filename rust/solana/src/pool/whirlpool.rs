//! Orca Whirlpool: concentrated liquidity between ticks.
//!
//! Source: account layouts, formulas and golden vectors of `solana.md` 2.4 and 7.8.

mod array;
mod step;
mod tick;

pub(crate) use array::span;
pub use array::{Tick, TickArray};
pub use tick::{SQRT_PRICE_MAX, SQRT_PRICE_MIN, TICK_MAX, TICK_MIN, sqrt_price_at};

use ruint::aliases::U256;

use self::step::Ask;
use super::bytes::{array_at, i32_at, key_at, u16_at, u128_at};
use super::{Price, Side, Swap, Unquotable};
use crate::Key;

/// Length of the account.
const BYTES: usize = 653;
/// How much of it is read: behind the vaults come fee growth and rewards.
pub(super) const BYTES_READ: usize = 245;
/// `sha256("account:Whirlpool")`, first eight bytes.
const DISCRIMINATOR: [u8; 8] = [0x3f, 0x95, 0xd1, 0x0c, 0xe1, 0x80, 0x63, 0x09];

/// A pool's account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Whirlpool {
    /// Distance of ticks that may be initialised, at least 1.
    pub tick_spacing: u16,
    /// Number of the fee tier; the tick spacing unless the fee is adaptive.
    pub fee_tier: u16,
    /// Fee out of 1,000,000.
    pub fee_rate: u16,
    /// Liquidity at the price.
    pub liquidity: u128,
    /// Root price, Q64.64.
    pub sqrt_price: u128,
    /// Tick of the price, as the program keeps it.
    pub tick: i32,
    /// Mints of token A and B.
    pub mints: [Key; 2],
    /// Vaults of token A and B.
    pub vaults: [Key; 2],
}

/// Where a swap leaves a pool, for replaying state exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WhirlpoolAfter {
    /// Root price.
    pub sqrt_price: u128,
    /// Liquidity at it.
    pub liquidity: u128,
}

impl Whirlpool {
    /// Reads a pool, or returns `None` if it is something else.
    #[inline]
    pub fn decode(data: &[u8]) -> Option<Self> {
        if data.len() != BYTES || array_at(data, 0)? != DISCRIMINATOR {
            return None;
        }
        let pool = Self {
            tick_spacing: u16_at(data, 41)?,
            fee_tier: u16_at(data, 43)?,
            fee_rate: u16_at(data, 45)?,
            liquidity: u128_at(data, 49)?,
            sqrt_price: u128_at(data, 65)?,
            tick: i32_at(data, 81)?,
            mints: [key_at(data, 101)?, key_at(data, 181)?],
            vaults: [key_at(data, 133)?, key_at(data, 213)?],
        };
        let price = SQRT_PRICE_MIN..=SQRT_PRICE_MAX;
        let ticks = TICK_MIN - 1..=TICK_MAX;
        let valid =
            pool.tick_spacing > 0 && price.contains(&pool.sqrt_price) && ticks.contains(&pool.tick);
        valid.then_some(pool)
    }

    /// Returns whether the fee changes with volatility.
    pub fn has_adaptive_fee(&self) -> bool {
        self.fee_tier != self.tick_spacing
    }

    /// Returns output per input at a root price, base units.
    pub(crate) fn price(sqrt_price: u128, input: Side) -> Option<Price> {
        let squared = || U256::from(sqrt_price) * U256::from(sqrt_price);
        match input {
            Side::A => Price::of_square(sqrt_price),
            Side::B => Price::ratio(U256::ONE << 128, squared()),
        }
    }

    /// Swaps through the three arrays that a swap names, in its order.
    ///
    /// `amount_raw` is the input with the pool's fee, or else the output. An array that does not
    /// exist on chain is an empty one; `None` is one that is not known, and only matters if the
    /// swap gets there.
    ///
    /// # Errors
    ///
    /// Returns [`Unquotable`] if the fee is adaptive, the arrays end before the amount does or
    /// nothing comes out.
    pub fn swap(
        &self,
        arrays: [Option<&TickArray>; 3],
        input: Side,
        exact_in: bool,
        amount_raw: u64,
    ) -> Result<(Swap, WhirlpoolAfter), Unquotable> {
        if self.has_adaptive_fee() {
            return Err(Unquotable::AdaptiveFee);
        }
        if amount_raw == 0 {
            return Err(Unquotable::TooSmall);
        }
        let ask = Ask { a_to_b: input == Side::A, exact_in, fee_rate: self.fee_rate };
        let mut walk = Walk {
            sequence: Sequence::new(self, arrays, ask.a_to_b),
            sqrt_price: self.sqrt_price,
            liquidity: self.liquidity,
            tick: self.tick,
            left_raw: amount_raw,
            in_raw: 0,
            out_raw: 0,
            fee_raw: 0,
        };
        while walk.left_raw > 0 {
            walk.advance(ask)?;
        }
        if walk.in_raw == 0 || walk.out_raw == 0 {
            return Err(Unquotable::TooSmall);
        }
        let price = |sqrt_price| Self::price(sqrt_price, input).ok_or(Unquotable::Overflow);
        let swap = Swap {
            in_raw: walk.in_raw,
            out_raw: walk.out_raw,
            fee_in_raw: walk.fee_raw,
            fee_out_raw: 0,
            price_before: price(self.sqrt_price)?,
            price_after: price(walk.sqrt_price)?,
        };
        let after = WhirlpoolAfter { sqrt_price: walk.sqrt_price, liquidity: walk.liquidity };
        Ok((swap, after))
    }
}

/// A swap on its way.
struct Walk<'a> {
    sequence: Sequence<'a>,
    sqrt_price: u128,
    liquidity: u128,
    tick: i32,
    left_raw: u64,
    in_raw: u64,
    out_raw: u64,
    fee_raw: u64,
}

impl Walk<'_> {
    /// Goes on to the next initialised tick, or until nothing is left of the amount.
    fn advance(&mut self, ask: Ask) -> Result<(), Unquotable> {
        let next = self.sequence.next(self.tick)?;
        let at_tick = sqrt_price_at(next.tick).ok_or(Unquotable::BeyondTickArrays)?;
        let behind = if ask.a_to_b { at_tick > self.sqrt_price } else { at_tick < self.sqrt_price };
        if behind {
            // The account says a tick its price is not at.
            return Err(Unquotable::Overflow);
        }
        let crossing = match next.beyond {
            Beyond::Tick { liquidity_net } => Some(liquidity_net),
            Beyond::Nothing(reason) if self.sqrt_price == at_tick => return Err(reason),
            Beyond::Nothing(_) => None,
        };
        let step = ask.step(self.liquidity, self.sqrt_price, at_tick, self.left_raw)?;
        let overflow = Unquotable::Overflow;
        let gross_raw = step.in_raw.checked_add(step.fee_raw).ok_or(overflow)?;
        let used_raw = if ask.exact_in { gross_raw } else { step.out_raw };
        self.left_raw = self.left_raw.checked_sub(used_raw).ok_or(overflow)?;
        self.in_raw = self.in_raw.checked_add(gross_raw).ok_or(overflow)?;
        self.out_raw = self.out_raw.checked_add(step.out_raw).ok_or(overflow)?;
        self.fee_raw = self.fee_raw.checked_add(step.fee_raw).ok_or(overflow)?;
        self.sqrt_price = step.sqrt_price;
        if step.sqrt_price != at_tick {
            return if self.left_raw == 0 { Ok(()) } else { Err(Unquotable::TooLittleLiquidity) };
        }
        if let Some(net) = crossing {
            let change = if ask.a_to_b { net.checked_neg().ok_or(overflow)? } else { net };
            // Below zero the arrays are of another time than the pool.
            self.liquidity = self.liquidity.checked_add_signed(change).ok_or(overflow)?;
        }
        self.tick = if ask.a_to_b { next.tick - 1 } else { next.tick };
        Ok(())
    }
}

/// The next place where a step ends.
#[derive(Clone, Copy, Debug)]
struct Next {
    tick: i32,
    beyond: Beyond,
}

/// What lies beyond a place where a step ends.
#[derive(Clone, Copy, Debug)]
enum Beyond {
    /// Another liquidity.
    Tick { liquidity_net: i128 },
    /// Nothing that is known: the swap cannot go on.
    Nothing(Unquotable),
}

/// The arrays of a swap, in its order.
struct Sequence<'a> {
    arrays: [Option<&'a TickArray>; 3],
    starts: [i32; 3],
    spacing: i32,
    span: i32,
    a_to_b: bool,
}

impl<'a> Sequence<'a> {
    fn new(pool: &Whirlpool, arrays: [Option<&'a TickArray>; 3], a_to_b: bool) -> Self {
        Self {
            arrays,
            starts: pool.array_starts(a_to_b),
            spacing: i32::from(pool.tick_spacing),
            span: span(pool.tick_spacing),
            a_to_b,
        }
    }

    /// Finds the next initialised tick: downwards from the current one, upwards after it.
    fn next(&self, current: i32) -> Result<Next, Unquotable> {
        let mut previous = None;
        for (array, start) in self.arrays.into_iter().zip(self.starts) {
            let missing = Unquotable::ArrayMissing(start);
            let Some(array) = array else {
                let previous = previous.ok_or(missing)?;
                return Ok(self.end_of(previous, missing));
            };
            let tick = |place: u8| start + i32::from(place) * self.spacing;
            let found = if self.a_to_b {
                array.ticks.iter().rfind(|it| tick(it.place) <= current)
            } else {
                array.ticks.iter().find(|it| tick(it.place) > current)
            };
            if let Some(found) = found {
                let beyond = Beyond::Tick { liquidity_net: found.liquidity_net };
                return Ok(Next { tick: tick(found.place), beyond });
            }
            let within = if self.a_to_b { start > TICK_MIN } else { start + self.span <= TICK_MAX };
            if !within {
                return Ok(self.end_of(start, Unquotable::TooLittleLiquidity));
            }
            previous = Some(start);
        }
        let [.., last] = self.starts;
        Ok(self.end_of(last, Unquotable::BeyondTickArrays))
    }

    /// Returns the last tick of an array, beyond which nothing is known.
    fn end_of(&self, start: i32, reason: Unquotable) -> Next {
        let end = if self.a_to_b { start } else { start + self.span - 1 };
        Next { tick: end.clamp(TICK_MIN, TICK_MAX), beyond: Beyond::Nothing(reason) }
    }
}
