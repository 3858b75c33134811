//! Birdeye spot prices: `/defi/price` (one, without its address) and `/defi/multi_price`.

use std::borrow::Cow;

use serde::Deserialize;
use sonic_rs::LazyValue;

use super::push;
use crate::DecodeError;
use crate::Text;
use crate::check::{optional_non_negative, positive, text, unix_seconds};
use crate::item::{Item, SpotQuote};
use crate::typed::{self, Number};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TypedQuote {
    #[serde(default)]
    value: Number,
    update_unix_time: Option<u64>,
    #[serde(default)]
    liquidity: Number,
}

/// Tells one quote from a map of them.
#[derive(Deserialize)]
#[expect(clippy::option_option, reason = "absent differs from null")]
struct Probe<'a> {
    #[serde(borrow, default, deserialize_with = "typed::present")]
    value: Option<Option<LazyValue<'a>>>,
}

/// Appends the quotes of an answer's data.
pub(super) fn typed<'a>(data: &'a str, out: &mut Vec<Item<'a>>) -> Result<(), DecodeError> {
    if typed::part::<Probe<'a>>(data)?.value.is_some() {
        push(quote(None, data), Item::Quote, out);
        return Ok(());
    }
    for entry in sonic_rs::to_object_iter(data) {
        let (address, value) = entry.map_err(|_| DecodeError::Shape)?;
        let address = match address {
            Cow::Borrowed(text) => Text::borrowed(text.as_bytes()),
            Cow::Owned(text) => Text::owned(&text),
        };
        let quote = typed::raw(&value).and_then(|value| quote(Some(address), value));
        push(quote, Item::Quote, out);
    }
    Ok(())
}

fn quote<'a>(address: Option<Text<'a>>, value: &'a str) -> Result<SpotQuote<'a>, DecodeError> {
    let raw: TypedQuote = typed::part(value)?;
    let address = match address {
        None => None,
        some => Some(text(some)?),
    };
    Ok(SpotQuote {
        address,
        price: positive(raw.value.0)?,
        update_ns: unix_seconds(raw.update_unix_time)?,
        liquidity_usd: optional_non_negative(raw.liquidity.0)?,
    })
}
