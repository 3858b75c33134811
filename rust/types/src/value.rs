//! A number that may be absent.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An `f64` that may be absent: before warm-up, or when an input is missing.
///
/// Eight bytes, so that a feature set stays in a few cache lines. Absence is stored as NaN and
/// can only be read through [`Value::get`], so no comparison ever meets a NaN by accident.
/// A non-finite number put in becomes absent.
///
/// In a readable format such as JSON absence is `null`; in a compact one it keeps its eight bytes.
#[derive(Clone, Copy)]
pub struct Value(f64);

impl Value {
    /// The absent value.
    pub const ABSENT: Self = Self(f64::NAN);

    /// Wraps a number; a non-finite one becomes absent.
    #[inline]
    pub const fn new(number: f64) -> Self {
        if number.is_finite() { Self(number) } else { Self::ABSENT }
    }

    /// Returns the number, or `None` if it is absent.
    #[inline]
    pub const fn get(self) -> Option<f64> {
        if self.0.is_nan() { None } else { Some(self.0) }
    }

    /// Returns whether the number is there.
    #[inline]
    pub const fn is_present(self) -> bool {
        !self.0.is_nan()
    }

    /// Returns the number, or NaN if it is absent: for columns that leave the core.
    #[inline]
    pub const fn or_nan(self) -> f64 {
        self.0
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            self.get().serialize(serializer)
        } else {
            self.0.serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            Ok(Self::from(Option::<f64>::deserialize(deserializer)?))
        } else {
            Ok(Self::new(f64::deserialize(deserializer)?))
        }
    }
}

impl Default for Value {
    fn default() -> Self {
        Self::ABSENT
    }
}

impl From<Option<f64>> for Value {
    fn from(number: Option<f64>) -> Self {
        number.map_or(Self::ABSENT, Self::new)
    }
}

impl PartialEq for Value {
    /// Equal bits of two present numbers, or both absent.
    fn eq(&self, other: &Self) -> bool {
        match (self.get(), other.get()) {
            (Some(left), Some(right)) => left.to_bits() == right.to_bits(),
            (None, None) => true,
            _ => false,
        }
    }
}

impl std::fmt::Debug for Value {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.get() {
            Some(number) => write!(formatter, "{number}"),
            None => formatter.write_str("absent"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Value;

    #[test]
    fn value_of_non_finite_is_absent() {
        assert_eq!(Value::new(f64::INFINITY).get(), None);
        assert_eq!(Value::new(f64::NAN), Value::ABSENT);
        assert_eq!(Value::new(0.0).get(), Some(0.0));
    }
}
