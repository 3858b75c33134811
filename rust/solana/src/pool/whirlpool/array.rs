//! Tick arrays: where liquidity begins and ends.
//!
//! Source: `solana.md` 2.4; the fixed form was executed, the dynamic one read.

use super::Whirlpool;
use crate::Key;
use crate::pool::bytes::{array_at, i32_at, i128_at, key_at, u8_at, u128_at};

/// Ticks in an array.
pub(super) const TICKS: i32 = 88;
/// `sha256("account:TickArray")`, first eight bytes.
const FIXED_DISCRIMINATOR: [u8; 8] = [0x45, 0x61, 0xbd, 0xbe, 0x6e, 0x07, 0x42, 0xbb];
/// Length of a fixed array.
const FIXED_BYTES: usize = 9988;
/// Bytes of a tick in a fixed array.
const FIXED_TICK_BYTES: usize = 113;
/// `sha256("account:DynamicTickArray")`, first eight bytes.
const DYNAMIC_DISCRIMINATOR: [u8; 8] = [0x11, 0xd8, 0xf6, 0x8e, 0xe1, 0xc7, 0xda, 0x38];
/// Bytes of an initialised tick in a dynamic array after its flag.
const DYNAMIC_TICK_BYTES: usize = 112;

/// An initialised tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tick {
    /// Place in its array, from 0.
    pub place: u8,
    /// Change of liquidity when the price crosses it upwards.
    pub liquidity_net: i128,
}

/// The initialised ticks of an array, lowest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TickArray {
    /// The array's pool.
    pub pool: Key,
    /// Tick of place 0.
    pub start: i32,
    /// Initialised ticks.
    pub ticks: Vec<Tick>,
}

impl TickArray {
    /// Reads a fixed or dynamic array, or returns `None` if it is something else.
    pub fn decode(data: &[u8]) -> Option<Self> {
        match array_at(data, 0)? {
            FIXED_DISCRIMINATOR if data.len() == FIXED_BYTES => Self::fixed(data),
            DYNAMIC_DISCRIMINATOR => Self::dynamic(data),
            _ => None,
        }
    }

    fn fixed(data: &[u8]) -> Option<Self> {
        let mut ticks = Vec::new();
        for place in 0..TICKS.unsigned_abs() {
            let at = 12 + FIXED_TICK_BYTES * usize::try_from(place).ok()?;
            match u8_at(data, at)? {
                0 => {}
                1 => ticks.push(Tick {
                    place: u8::try_from(place).ok()?,
                    liquidity_net: i128_at(data, at + 1)?,
                }),
                _ => return None,
            }
        }
        Some(Self { pool: key_at(data, 9956)?, start: i32_at(data, 8)?, ticks })
    }

    fn dynamic(data: &[u8]) -> Option<Self> {
        let bitmap = u128_at(data, 44)?;
        let (mut ticks, mut at) = (Vec::new(), 60);
        for place in 0..TICKS.unsigned_abs() {
            let flag = u8_at(data, at)?;
            // The bitmap and the flags say the same, or the account is not what it seems.
            if u128::from(flag) != bitmap >> place & 1 {
                return None;
            }
            at += 1;
            if flag == 1 {
                ticks.push(Tick {
                    place: u8::try_from(place).ok()?,
                    liquidity_net: i128_at(data, at)?,
                });
                at += DYNAMIC_TICK_BYTES;
            }
        }
        if at > data.len() {
            return None;
        }
        Some(Self { pool: key_at(data, 12)?, start: i32_at(data, 8)?, ticks })
    }
}

/// Ticks that an array of a pool spans.
pub(crate) fn span(tick_spacing: u16) -> i32 {
    TICKS * i32::from(tick_spacing)
}

impl Whirlpool {
    /// Returns the first tick of the array of the current price.
    pub(crate) fn array_start(&self) -> i32 {
        let span = span(self.tick_spacing);
        self.tick.div_euclid(span) * span
    }

    /// Returns the first ticks of the three arrays that a swap names, in its direction.
    pub fn array_starts(&self, a_to_b: bool) -> [i32; 3] {
        let span = span(self.tick_spacing);
        let tick = if a_to_b { self.tick } else { self.tick + i32::from(self.tick_spacing) };
        let first = tick.div_euclid(span) * span;
        let step = if a_to_b { -span } else { span };
        [first, first + step, first + 2 * step]
    }
}
