//! Fixed-size storage that lives inside its owner: no allocation, no indirection.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Error, SeqAccess, Visitor};
use serde::ser::SerializeTuple;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An array of any length with serde (which itself stops at 32).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Slots<T, const N: usize>(pub [T; N]);

impl<T: Copy + Default, const N: usize> Default for Slots<T, N> {
    fn default() -> Self {
        Self([T::default(); N])
    }
}

impl<T: Serialize, const N: usize> Serialize for Slots<T, N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut tuple = serializer.serialize_tuple(N)?;
        for slot in &self.0 {
            tuple.serialize_element(slot)?;
        }
        tuple.end()
    }
}

impl<'de, T: Copy + Default + Deserialize<'de>, const N: usize> Deserialize<'de> for Slots<T, N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_tuple(N, SlotsVisitor(PhantomData))
    }
}

struct SlotsVisitor<T, const N: usize>(PhantomData<T>);

impl<'de, T: Copy + Default + Deserialize<'de>, const N: usize> Visitor<'de>
    for SlotsVisitor<T, N>
{
    type Value = Slots<T, N>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{N} elements")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Self::Value, A::Error> {
        let mut slots = Slots::default();
        for (index, slot) in slots.0.iter_mut().enumerate() {
            *slot =
                sequence.next_element()?.ok_or_else(|| A::Error::invalid_length(index, &self))?;
        }
        Ok(slots)
    }
}

/// The last `N` numbers pushed.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Ring<const N: usize> {
    slots: Slots<f64, N>,
    next: usize,
    len: usize,
}

impl<const N: usize> Ring<N> {
    /// Adds a number; drops the oldest one once `N` are held.
    #[inline]
    pub fn push(&mut self, number: f64) {
        if let Some(slot) = self.slots.0.get_mut(self.next) {
            *slot = number;
        }
        let next = self.next.wrapping_add(1);
        self.next = if next >= N { 0 } else { next };
        if self.len < N {
            self.len = self.len.wrapping_add(1);
        }
    }

    /// Returns how many numbers are held, 0..=`N`.
    #[inline]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Returns whether nothing is held.
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Returns whether `N` numbers are held.
    #[inline]
    pub const fn is_full(&self) -> bool {
        self.len >= N
    }

    /// Returns the number pushed `age` pushes ago: 1 is the newest. `None` if it is not held.
    #[inline]
    pub fn back(&self, age: usize) -> Option<f64> {
        if age == 0 || age > self.len {
            return None;
        }
        let back = self.next.wrapping_sub(age);
        let slot = if self.next >= age { back } else { back.wrapping_add(N) };
        self.slots.0.get(slot).copied()
    }

    /// Returns the newest `count` numbers (or as many as are held), newest first.
    pub fn newest(&self, count: usize) -> impl Iterator<Item = f64> + '_ {
        (1..=count.min(self.len)).filter_map(|age| self.back(age))
    }

    /// Returns the newest `count` numbers (or as many as are held) as two slices, each oldest first.
    pub fn newest_slices(&self, count: usize) -> (&[f64], &[f64]) {
        let count = count.min(self.len);
        let wrapped = count.saturating_sub(self.next);
        let early = self.slots.0.get(N - wrapped..).unwrap_or_default();
        let late = self.slots.0.get(self.next.saturating_sub(count)..self.next);
        (early, late.unwrap_or_default())
    }

    /// Returns all slots in storage order, which is not the order of time. A slot that was never
    /// filled is 0.
    #[inline]
    pub const fn slots(&self) -> &[f64; N] {
        &self.slots.0
    }
}

#[cfg(test)]
mod tests {
    use super::{Ring, Slots};

    #[test]
    fn ring_past_its_capacity_keeps_the_newest() {
        let mut ring = Ring::<3>::default();
        for number in [1.0, 2.0, 3.0, 4.0] {
            ring.push(number);
        }
        assert_eq!(ring.newest(9).collect::<Vec<_>>(), vec![4.0, 3.0, 2.0]);
        assert_eq!((ring.back(3), ring.back(4), ring.back(0)), (Some(2.0), None, None));
        assert!(ring.is_full());
        assert_eq!(ring.newest_slices(2), (&[3.0][..], &[4.0][..]));
        assert_eq!(ring.newest_slices(9), (&[2.0, 3.0][..], &[4.0][..]));
    }

    #[test]
    fn slots_longer_than_32_survive_serde() {
        let mut slots = Slots::<f64, 40>::default();
        slots.0[39] = 7.5;
        let text = serde_json::to_string(&slots).unwrap();
        assert_eq!(serde_json::from_str::<Slots<f64, 40>>(&text).unwrap(), slots);
        assert!(serde_json::from_str::<Slots<f64, 40>>("[1.0, 2.0]").is_err());
    }
}
