//! Field types of the typed fallback (sonic-rs): any key order, escapes and white space.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Deserializer, de};
use sonic_rs::LazyValue;

use crate::{DecodeError, Text};

/// Text, borrowed from the frame where it has no escapes.
#[derive(Debug)]
pub(crate) struct RawText<'a>(pub(crate) Text<'a>);

impl<'de: 'a, 'a> Deserialize<'de> for RawText<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(TextVisitor).map(Self)
    }
}

struct TextVisitor;

impl<'de> de::Visitor<'de> for TextVisitor {
    type Value = Text<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a string")
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Text::borrowed(text.as_bytes()))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Text::owned(text))
    }
}

/// A number or `null`, read by `str::parse`; infinite if beyond `f64`.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Number(pub(crate) Option<f64>);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // As raw text: sonic-rs would give up on the whole frame at 1e400.
        let raw = LazyValue::deserialize(deserializer)?;
        match raw.as_raw_str() {
            "null" => Ok(Self(None)),
            text if text.starts_with(|first: char| first == '-' || first.is_ascii_digit()) => {
                text.parse().map(|number| Self(Some(number))).map_err(de::Error::custom)
            }
            _ => Err(de::Error::custom("not a number")),
        }
    }
}

/// Takes the text out of an optional field.
pub(crate) fn text(raw: Option<RawText<'_>>) -> Option<Text<'_>> {
    raw.map(|raw| raw.0)
}

/// Tells an absent field (`None`) from one that is `null` (`Some(None)`).
#[expect(clippy::option_option, reason = "absent differs from null")]
pub(crate) fn present<'de, T, D>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Option::deserialize(deserializer).map(Some)
}

/// Returns the text of a value that lies in the frame.
///
/// Only a string with escapes does not; where an object or array is expected, that is a wrong
/// shape anyway.
pub(crate) fn raw<'a>(value: &LazyValue<'a>) -> Result<&'a str, DecodeError> {
    match value.as_raw_cow() {
        Cow::Borrowed(text) => Ok(text),
        Cow::Owned(_) => Err(DecodeError::Shape),
    }
}

/// Parses a whole frame: a failure means it is not JSON, or not the documented envelope.
pub(crate) fn frame<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, DecodeError> {
    sonic_rs::from_str(text).map_err(|error| {
        if error.is_unmatched_type() { DecodeError::Shape } else { DecodeError::NotJson }
    })
}

/// Parses a part of a frame that is known to be JSON: a failure is a wrong shape.
pub(crate) fn part<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, DecodeError> {
    sonic_rs::from_str(text).map_err(|_| DecodeError::Shape)
}
