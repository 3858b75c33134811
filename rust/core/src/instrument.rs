//! The instruments of a pipeline, and the addresses that lead to them.

use serde::{Deserialize, Serialize};
use utb_types::{Source, Timeframe};

use crate::CoreError;

/// Most decimals a mint may have.
const DECIMALS_MAX: u8 = 18;

/// One instrument as the caller names it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Instrument {
    /// Dense index: the position in the list.
    pub index: u32,
    /// `BASE-QUOTE`.
    pub symbol: String,
    /// Mint of the base token; no two instruments share one.
    pub base_mint: String,
    /// Mint of the quote token.
    pub quote_mint: String,
    /// Decimals of the base mint, 0..=18.
    pub base_decimals: u8,
    /// Decimals of the quote mint, 0..=18.
    pub quote_decimals: u8,
    /// The one source whose prices and volumes make the bars.
    pub primary: Source,
    /// Strategy timeframe.
    pub timeframe: Timeframe,
    /// The one pool whose `DexScreener` pair counts; `None`: the deepest pair of the two mints.
    pub pair_address: Option<String>,
}

impl Instrument {
    /// Returns the finest timeframe that is built when the input's bars are `input`.
    ///
    /// `DexScreener` samples 5-minute volumes, so nothing finer has a volume.
    pub fn finest(&self, input: Timeframe) -> Timeframe {
        if self.primary == Source::DexScreener { input.max(Timeframe::M5) } else { input }
    }
}

/// Addresses to instruments: open addressing over the text, the same on every run.
#[derive(Clone, Debug, Default)]
pub struct AddressTable {
    slots: Vec<Option<(u64, u32)>>,
    texts: Vec<(Box<[u8]>, u32)>,
}

impl AddressTable {
    /// Builds the table.
    ///
    /// # Errors
    ///
    /// Returns the address that stands there twice.
    pub fn new(entries: impl Iterator<Item = (String, u32)>) -> Result<Self, String> {
        let texts: Vec<_> = entries.collect();
        let size = (texts.len() * 2).next_power_of_two().max(8);
        let mut table = Self { slots: vec![None; size], texts: Vec::new() };
        for (text, instrument) in texts {
            if table.find(text.as_bytes()).is_some() {
                return Err(text);
            }
            let (hash, entry) = (hash(text.as_bytes()), table.texts.len());
            table.texts.push((text.into_bytes().into_boxed_slice(), instrument));
            let mut place = table.home(hash);
            while let Some(Some(_)) = table.slots.get(place) {
                place = table.next(place);
            }
            if let Some(slot) = table.slots.get_mut(place) {
                *slot = Some((hash, u32::try_from(entry).unwrap_or(u32::MAX)));
            }
        }
        Ok(table)
    }

    /// Returns the instrument of an address.
    #[inline]
    pub fn find(&self, text: &[u8]) -> Option<usize> {
        let wanted = hash(text);
        let mut place = self.home(wanted);
        while let Some(&Some((hash, entry))) = self.slots.get(place) {
            if hash == wanted
                && let Some((held, instrument)) = self.texts.get(entry as usize)
                && **held == *text
            {
                return Some(*instrument as usize);
            }
            place = self.next(place);
        }
        None
    }

    #[inline]
    fn home(&self, hash: u64) -> usize {
        #[expect(clippy::cast_possible_truncation, reason = "only low bits are wanted")]
        let place = hash as usize;
        place & self.slots.len().wrapping_sub(1)
    }

    #[inline]
    fn next(&self, place: usize) -> usize {
        (place + 1) & self.slots.len().wrapping_sub(1)
    }
}

/// Returns a 64-bit hash of bytes: eight at a time, rotate, xor, multiply (the constant is 2^64
/// over the golden ratio), folded at the end. Not for hostile input; a table compares the text.
#[inline]
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
    let mix = |state: u64, word: u64| (state.rotate_left(23) ^ word).wrapping_mul(GOLDEN);
    let (words, rest) = bytes.as_chunks::<8>();
    let mut state = bytes.len() as u64;
    for word in words {
        state = mix(state, u64::from_le_bytes(*word));
    }
    let mut last = [0; 8];
    for (to, from) in last.iter_mut().zip(rest) {
        *to = *from;
    }
    state = mix(state, u64::from_le_bytes(last));
    state ^= state >> 32;
    state = state.wrapping_mul(GOLDEN);
    state ^ (state >> 29)
}

/// The instruments and their addresses.
#[derive(Clone, Debug, Default)]
pub struct Registry {
    instruments: Vec<Instrument>,
    mints: AddressTable,
    pairs: AddressTable,
}

impl Registry {
    /// Reads the JSON list of instruments.
    ///
    /// # Errors
    ///
    /// Returns what is wrong with the list.
    pub fn from_json(json: &[u8], input: Timeframe) -> Result<Self, CoreError> {
        let instruments: Vec<Instrument> = sonic_rs::from_slice(json)
            .map_err(|error| CoreError::document("instruments", error))?;
        for (place, instrument) in instruments.iter().enumerate() {
            check(place, instrument, input)?;
        }
        let twice =
            |field| move |text: String| CoreError::range(field, text, "in one instrument only");
        let mints = instruments.iter().map(|it| (it.base_mint.clone(), it.index));
        let pairs = instruments.iter().filter_map(|it| Some((it.pair_address.clone()?, it.index)));
        Ok(Self {
            mints: AddressTable::new(mints).map_err(twice("base_mint"))?,
            pairs: AddressTable::new(pairs).map_err(twice("pair_address"))?,
            instruments,
        })
    }

    /// Returns the instrument with that base mint.
    #[inline]
    pub fn by_mint(&self, mint: &[u8]) -> Option<usize> {
        self.mints.find(mint)
    }

    /// Returns the instrument bound to that pair.
    #[inline]
    pub fn by_pair(&self, pair: &[u8]) -> Option<usize> {
        self.pairs.find(pair)
    }

    /// Returns an instrument.
    #[inline]
    pub fn get(&self, instrument: usize) -> Option<&Instrument> {
        self.instruments.get(instrument)
    }

    /// Returns all instruments, by index.
    pub fn all(&self) -> &[Instrument] {
        &self.instruments
    }

    /// Returns a number that differs between different lists.
    pub fn fingerprint(&self) -> u64 {
        let text = serde_json::to_vec(&self.instruments).unwrap_or_default();
        hash(&text)
    }
}

fn check(place: usize, instrument: &Instrument, input: Timeframe) -> Result<(), CoreError> {
    if instrument.index as usize != place {
        return Err(CoreError::range("index", instrument.index, format!("{place}, its position")));
    }
    for (field, decimals) in
        [("base_decimals", instrument.base_decimals), ("quote_decimals", instrument.quote_decimals)]
    {
        if decimals > DECIMALS_MAX {
            return Err(CoreError::range(field, decimals, format!("in 0..={DECIMALS_MAX}")));
        }
    }
    let finest = instrument.finest(input);
    if instrument.timeframe < finest {
        return Err(CoreError::range(
            "timeframe",
            instrument.timeframe.name(),
            format!("{} or coarser, the bar size of {}'s input", finest.name(), instrument.symbol),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{AddressTable, hash};

    #[test]
    fn test_address_table_finds_each_of_ten_thousand_and_nothing_else() {
        let name = |number: u32| format!("mint{number:040}");
        let table = AddressTable::new((0..10_000).map(|it| (name(it), it))).unwrap();
        for number in 0..10_000 {
            assert_eq!(table.find(name(number).as_bytes()), Some(number as usize));
        }
        assert_eq!(table.find(name(10_000).as_bytes()), None);
        assert_eq!(table.find(b""), None);
        assert_eq!(AddressTable::default().find(b"x"), None);
    }

    #[test]
    fn test_address_table_with_a_repeat_names_it() {
        let entries = [("a".to_owned(), 0), ("a".to_owned(), 1)];
        assert_eq!(AddressTable::new(entries.into_iter()).unwrap_err(), "a");
    }

    #[test]
    fn test_hash_of_a_prefix_differs() {
        assert_ne!(hash(b"abcdefgh"), hash(b"abcdefgh\0"));
        assert_ne!(hash(b""), hash(b"\0"));
    }
}
